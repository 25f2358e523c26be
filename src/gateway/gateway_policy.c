/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_policy.c - what an answer of the modem means: for the part, for its message, for the SIM. The classes come from
 * error_class.h; what is done about each class is the table here. */
#include "src/gateway/error_class.h"
#include "src/gateway/gateway_internal.h"

#include <stdio.h>

#define TRIES_MAX 6   /* hand-overs of one message that failed, over all its parts and SIMs */
#define TRIES_VARIES_MAX 3   /* refusals that may mean the recipient: more would only look like a machine */

struct class_policy {
    enum outcome_verdict verdict;
    enum message_state fail_state;
    uint32_t delay_ms;    /* before the message is tried again, doubled with each failure up to delay_ms_max */
    uint32_t delay_ms_max;
    uint8_t tries_max;
};

static const struct class_policy class_policies[ERROR_CLASSES] = {
    [ERROR_RECIPIENT]  = { OUTCOME_FAIL,  MESSAGE_REJECTED, 0,     0,      1 },
    [ERROR_MESSAGE]    = { OUTCOME_FAIL,  MESSAGE_FAILED,   0,     0,      1 },
    [ERROR_SIM]        = { OUTCOME_RETRY, MESSAGE_FAILED,   0,     0,      TRIES_MAX },
    [ERROR_TRANSIENT]  = { OUTCOME_RETRY, MESSAGE_FAILED,   10000, 120000, TRIES_MAX },
    [ERROR_CONGESTION] = { OUTCOME_RETRY, MESSAGE_FAILED,   60000, 600000, TRIES_MAX },
    [ERROR_MODEM]      = { OUTCOME_RETRY, MESSAGE_FAILED,   5000,  120000, TRIES_MAX },
    [ERROR_VARIES]     = { OUTCOME_RETRY, MESSAGE_REJECTED, 30000, 600000, TRIES_VARIES_MAX },
    [ERROR_AMBIGUOUS]  = { OUTCOME_DONE,  MESSAGE_UNKNOWN,  0,     0,      1 },
};

static uint32_t delay(const struct class_policy *row, uint8_t failures)
{
    uint64_t delay_ms = (uint64_t)row->delay_ms << (failures < 10 ? failures : 10);

    return delay_ms > row->delay_ms_max ? row->delay_ms_max : (uint32_t)delay_ms;
}

static uint8_t refused(struct policy *policy, uint8_t error_kind, int code, uint8_t failures, bool sim_fault)
{
    static const char *const kinds[] = { [ERROR_NONE] = "ERROR", [ERROR_CMS] = "+CMS ERROR", [ERROR_CME] = "+CME ERROR" };
    const struct error_info *info = error_classify((enum error_kind)error_kind, code);
    enum error_class class = sim_fault ? ERROR_SIM : info->class;
    const struct class_policy *row = &class_policies[class];
    char said[32];

    if (code >= 0)
        (void)snprintf(said, sizeof said, "%s %d", kinds[error_kind], code);
    else
        (void)snprintf(said, sizeof said, "%s", kinds[error_kind]);
    policy->attempt = row->verdict == OUTCOME_DONE ? ATTEMPT_UNKNOWN : ATTEMPT_REFUSED;
    policy->verdict = row->verdict;
    policy->fail_state = row->fail_state;
    policy->delay_ms = delay(row, failures);
    (void)snprintf(policy->reason, sizeof policy->reason, "%s: %s (%s)", said, info->text, error_class_name(class));
    return row->tries_max;
}

/* TP-FCS C5h, TS 23.040 9.2.3.22: the service centre has this one already. */
#define CMS_DUPLICATE 197

struct policy policy_decide(enum gateway_result result, uint8_t error_kind, int code, uint8_t failures, bool resend, bool sim_fault)
{
    uint8_t tries_max = TRIES_MAX;
    struct policy policy = { .attempt = ATTEMPT_SENT, .verdict = OUTCOME_DONE, .fail_state = MESSAGE_FAILED };

    if (result == GATEWAY_REFUSED && resend && error_kind == ERROR_CMS && code == CMS_DUPLICATE) {
        (void)snprintf(policy.reason, sizeof policy.reason, "the network has it from the time before");
        return policy;
    }

    switch (result) {
    case GATEWAY_SENT:
    case GATEWAY_LATE_SENT:
        return policy;
    case GATEWAY_UNKNOWN:
        policy.attempt = ATTEMPT_UNKNOWN;
        (void)snprintf(policy.reason, sizeof policy.reason,
                       "the modem did not answer: this part may or may not have been sent");
        return policy;
    case GATEWAY_NOT_SENT:
        policy.attempt = ATTEMPT_NOT_SENT;
        policy.verdict = OUTCOME_RETRY;
        policy.delay_ms = failures == 0 ? 0 : delay(&class_policies[ERROR_MODEM], failures);
        (void)snprintf(policy.reason, sizeof policy.reason, "the modem did not take it: nothing was sent");
        break;
    case GATEWAY_NEVER_SENT:
        policy.attempt = ATTEMPT_NOT_SENT;
        policy.verdict = OUTCOME_RETRY;
        policy.delay_ms = failures == 0 ? 0 : delay(&class_policies[ERROR_MODEM], failures);
        (void)snprintf(policy.reason, sizeof policy.reason, "the card's counter shows that it was not sent");
        break;
    case GATEWAY_REFUSED:
        tries_max = refused(&policy, error_kind, code, failures, sim_fault);
        break;
    }
    if (policy.verdict == OUTCOME_RETRY && failures + 1 >= tries_max) {
        size_t length = 0;

        while (policy.reason[length] != '\0')
            length++;
        policy.verdict = OUTCOME_FAIL;
        (void)snprintf(policy.reason + length, sizeof policy.reason - length, "; given up after %d tries", failures + 1);
    }
    return policy;
}
