/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_count.c - the card's count as evidence about parts in doubt: what smss.h is told, and what its verdicts bring about. */
#include "src/gateway/error_class.h"
#include "src/gateway/gateway_internal.h"

#define CAUSE_MAX 255                    /* +CMS ERROR up to here: RP-Cause (TS 24.011 E-2), TP-FCS (TS 23.040 9.2.3.22) */

static enum smss_refusal refusal_of(uint8_t error_kind, int code)
{
    if (error_classify((enum error_kind)error_kind, code)->class == ERROR_AMBIGUOUS)
        return SMSS_REFUSED_WITHOUT_ANSWER;
    return error_kind == ERROR_CMS && code > 0 && code <= CAUSE_MAX ? SMSS_REFUSED_BY_NETWORK : SMSS_REFUSED_SOMEHOW;
}

void gateway_count_result(struct gateway_slot *slot, int64_t attempt_id, enum gateway_result result, int mr, uint8_t error_kind,
                          int code, uint8_t failures, struct gateway_now now)
{
    switch (result) {
    case GATEWAY_SENT:
        smss_sent(&slot->smss, mr, now.mono_us);
        break;
    case GATEWAY_REFUSED:
        smss_refused(&slot->smss, refusal_of(error_kind, code), now.mono_us);
        break;
    case GATEWAY_UNKNOWN:
        smss_doubt(&slot->smss, attempt_id, failures, now.mono_us);
        break;
    case GATEWAY_LATE_SENT:
        smss_late_sent(&slot->smss, attempt_id, mr, now.mono_us);
        break;
    case GATEWAY_NOT_SENT:               /* nothing of it came to the modem */
    case GATEWAY_NEVER_SENT:
        break;
    }
}

void gateway_slot_restarted(struct gateway *gateway, uint32_t index)
{
    struct gateway_slot *slot = gateway_slot_get(gateway, index);

    if (slot != NULL)
        smss_restarted(&slot->smss);
}

void gateway_card_count(struct gateway *gateway, uint32_t index, int mr, struct gateway_now now)
{
    struct gateway_slot *slot = gateway_slot_get(gateway, index);
    struct smss_doubt not_sent[SMSS_DOUBTS_MAX];
    unsigned count = slot != NULL ? smss_read(&slot->smss, mr, now.mono_us, not_sent) : 0;

    for (unsigned i = 0; i < count; i++) {
        struct policy policy = policy_decide(GATEWAY_NEVER_SENT, ERROR_NONE, -1, not_sent[i].failures, false, false);

        gateway_add_outcome(gateway, index, not_sent[i].attempt_id, GATEWAY_NEVER_SENT, &policy, -1, ERROR_NONE, -1, now);
    }
}

void gateway_count_ask(struct gateway *gateway, struct gateway_now now)
{
    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        struct gateway_slot *slot = gateway->slots[i];

        if (slot != NULL && slot->ready && smss_ask(&slot->smss, now.mono_us))
            gateway->config.ops->read_count(gateway->config.context, i, now);
    }
}
