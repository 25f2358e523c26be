/* SPDX-License-Identifier: Apache-2.0
 *
 * message.c - names of states, and ids as users see them. */
#include "src/store/message.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct { const char *name; bool final; } message_states[] = {
    [MESSAGE_SCHEDULED] = { "scheduled", false },
    [MESSAGE_QUEUED] = { "queued", false },
    [MESSAGE_SENDING] = { "sending", false },
    [MESSAGE_SENT] = { "sent", false },
    [MESSAGE_DELIVERED] = { "delivered", true },
    [MESSAGE_UNDELIVERED] = { "undelivered", true },
    [MESSAGE_EXPIRED] = { "expired", true },
    [MESSAGE_REJECTED] = { "rejected", true },
    [MESSAGE_FAILED] = { "failed", true },
    [MESSAGE_UNKNOWN] = { "unknown", true },
    [MESSAGE_CANCELLED] = { "cancelled", true },
    [MESSAGE_HELD] = { "held", false },
    [MESSAGE_WAIT_CREDIT] = { "wait_credit", false },
};
#define MESSAGE_STATES (sizeof message_states / sizeof message_states[0])

static const char *const attempt_states[] = {
    [ATTEMPT_INTENT] = "intent",
    [ATTEMPT_SENT] = "sent",
    [ATTEMPT_REFUSED] = "refused",
    [ATTEMPT_NOT_SENT] = "not_sent",
    [ATTEMPT_UNKNOWN] = "unknown",
    [ATTEMPT_WITHDRAWN] = "withdrawn",
    [ATTEMPT_RELEASED] = "released",
};

const char *message_state_name(enum message_state state)
{
    size_t i = (size_t)state;

    return i < MESSAGE_STATES && message_states[i].name != NULL ? message_states[i].name : "invalid";
}

int message_state_from_name(const char *name)
{
    for (size_t i = 1; i < MESSAGE_STATES; i++)
        if (strcmp(name, message_states[i].name) == 0)
            return (int)i;
    return -EINVAL;
}

bool message_state_is_final(enum message_state state)
{
    size_t i = (size_t)state;

    return i < MESSAGE_STATES && message_states[i].final;
}

const char *message_policy_name(enum message_policy policy)
{
    return policy == MESSAGE_AT_LEAST_ONCE ? "at_least_once" : "at_most_once";
}

const char *attempt_state_name(enum attempt_state state)
{
    size_t i = (size_t)state;

    return i < sizeof attempt_states / sizeof attempt_states[0] && attempt_states[i] != NULL ? attempt_states[i] : "invalid";
}

/* -- ids ----------------------------------------------------------------------------------------------------- */

void id_format(const char *tag, char kind, int64_t id, char ret_text[ID_TEXT_MAX])
{
    int n = snprintf(ret_text, ID_TEXT_MAX, "%.8s-%c%lld", tag, kind, (long long)id);

    assert(n > 0 && n < ID_TEXT_MAX);
}

/* Decimal digits up to the NUL; no sign, no zero, no leading zeros, so that an id has one spelling. */
static int id_parse_digits(const char *text, int64_t *ret_id)
{
    int64_t id = 0;

    if (text[0] < '1' || text[0] > '9')
        return -EINVAL;
    for (; *text != '\0'; text++) {
        int digit = *text - '0';

        if (digit < 0 || digit > 9 || id > (INT64_MAX - digit) / 10)
            return -EINVAL;
        id = id * 10 + digit;
    }
    *ret_id = id;
    return 0;
}

int id_parse(const char *tag, char kind, const char *text, int64_t *ret_id)
{
    const char *dash = strchr(text, '-');
    int64_t id;

    if (dash == NULL)
        return id_parse_digits(text, ret_id);
    if (dash == text || dash[1] != kind || id_parse_digits(dash + 2, &id) < 0)
        return -EINVAL;
    if ((size_t)(dash - text) != strlen(tag) || strncmp(text, tag, strlen(tag)) != 0)
        return -ENOENT;
    *ret_id = id;
    return 0;
}
