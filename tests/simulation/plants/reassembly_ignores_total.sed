# src/store/receive.c src/sms/sms_reassembly.c
# Parts are put together by sender and reference, however many each says there are.
s/ AND p\.total = k\.total"/"/
s/^           fragment->total == newest->total && /           /
