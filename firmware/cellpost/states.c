/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/states.h"

#include <stddef.h>
#include <string.h>

/* Names as in src/store/message.c and drivers/modem: what a later gateway adds is shown as it comes. */
static const struct state {
    const char *name;
    enum table_style style;
    bool sent, final, bad;
    const char *words;
} states[] = {
    /* messages */
    { "scheduled", TABLE_DIM, false, false, false, "scheduled" },
    { "queued", TABLE_PLAIN, false, false, false, "queued" },
    { "sending", TABLE_WARN, false, false, false, "sending" },
    { "sent", TABLE_GOOD, true, false, false, "sent" },
    { "delivered", TABLE_GOOD, true, true, false, "delivered" },
    { "undelivered", TABLE_BAD, true, true, true, "undelivered: the network gave up on it" },
    { "expired", TABLE_BAD, false, true, true, "expired" },
    { "rejected", TABLE_BAD, false, true, true, "rejected" },
    { "failed", TABLE_BAD, false, true, true, "failed" },
    { "unknown", TABLE_WARN, false, true, true, "unknown: it may or may not have been sent, and is not sent again blindly" },
    { "held", TABLE_WARN, false, true, true, "held: nobody knows whether it was sent; release sends it again, drop leaves it" },
    { "wait_credit", TABLE_WARN, false, false, false, "waits for credits: nothing of its batch is sent until all of it is paid for" },
    { "cancelled", TABLE_DIM, false, true, true, "cancelled" },
    /* attempts, and steps of a part */
    { "intent", TABLE_WARN, false, false, false, "on its way to the modem" },
    { "on_air", TABLE_WARN, false, false, false, "on the air" },
    { "refused", TABLE_BAD, false, false, false, "refused" },
    { "not_sent", TABLE_WARN, false, false, false, "not sent" },
    { "withdrawn", TABLE_DIM, false, false, false, "withdrawn" },
    { "released", TABLE_WARN, false, false, false, "released to be sent once more" },
    { "reported", TABLE_GOOD, false, false, false, "reported" },
    /* modems; "sending" is above */
    { "ready", TABLE_GOOD, false, false, false, "ready" },
    { "parked", TABLE_BAD, false, false, false, "parked" },
    { "lost", TABLE_BAD, false, false, false, "lost" },
    { "recovering", TABLE_WARN, false, false, false, "recovering" },
    { "registering", TABLE_WARN, false, false, false, "registering" },
};

static const struct state *find_state(const char *name)
{
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i].name, name) == 0)
            return &states[i];
    return NULL;
}

enum table_style state_style(const char *name)
{
    const struct state *state = find_state(name);
    return state != NULL ? state->style : TABLE_PLAIN;
}

const char *state_words(const char *name)
{
    const struct state *state = find_state(name);
    return state != NULL ? state->words : name;
}

bool state_is_sent(const char *name)
{
    const struct state *state = find_state(name);
    return state != NULL && state->sent;
}

bool state_is_final(const char *name)
{
    const struct state *state = find_state(name);
    return state != NULL && state->final;
}

bool state_is_bad(const char *name)
{
    const struct state *state = find_state(name);
    return state != NULL && state->bad;
}
