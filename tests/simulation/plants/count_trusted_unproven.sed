# src/gateway/smss.c
# faults: swallowed,held,cms,lost_reply,late
# A modem that writes the count on the network's acknowledgement alone is trusted too.
s/ && smss->moves_unacknowledged;/;/
/stayed && smss->refusal != SMSS_REFUSED_SOMEHOW/,/return;/s/withdraw_trust\(smss\);/smss->refusal = SMSS_REFUSAL_NONE;/
