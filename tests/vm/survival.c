/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vm/survival.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_RECIPIENT 40720000000ull

struct fate {
    bool acknowledged;
    uint8_t stored;                        /* times in the store */
    uint8_t state;                         /* enum message_state */
    uint8_t on_air[SURVIVAL_PARTS_MAX];
    bool unknown[SURVIVAL_PARTS_MAX];
};

struct survival { struct fate fates[SURVIVAL_MESSAGES_MAX]; unsigned altered; };

/* -- messages ------------------------------------------------------------------------------------------------- */

void survival_recipient(unsigned number, char ret_to[MESSAGE_TO_MAX])
{
    (void)snprintf(ret_to, MESSAGE_TO_MAX, "+%llu", FIRST_RECIPIENT + number);
}

unsigned survival_parts(unsigned number)
{
    return 1 + (number * 2654435761u >> 16) % SURVIVAL_PARTS_MAX;
}

/* 160 septets make one part, 153 each of several (3GPP TS 23.038, 23.040 9.2.3.24.1). */
void survival_text(unsigned number, char ret_text[SURVIVAL_TEXT_MAX])
{
    static const size_t lengths[SURVIVAL_PARTS_MAX] = { 60, 250, 420 };
    size_t used = 0;

    for (unsigned word = 0; used < lengths[survival_parts(number) - 1]; word++)
        used += (size_t)snprintf(ret_text + used, SURVIVAL_TEXT_MAX - used, "m%u w%u. ", number, word);
    ret_text[used - 1] = '\0';
}

static bool number_of(const char *to, unsigned *ret_number)
{
    unsigned long long digits = strtoull(to + (to[0] == '+'), NULL, 10);

    if (digits < FIRST_RECIPIENT || digits - FIRST_RECIPIENT >= SURVIVAL_MESSAGES_MAX)
        return false;
    *ret_number = (unsigned)(digits - FIRST_RECIPIENT);
    return true;
}

/* -- what happened -------------------------------------------------------------------------------------------- */

struct survival *survival_new(void)
{
    return calloc(1, sizeof(struct survival));
}

void survival_free(struct survival *survival)
{
    free(survival);
}

bool survival_acknowledged(struct survival *survival, unsigned number)
{
    if (number >= SURVIVAL_MESSAGES_MAX)
        return false;
    survival->fates[number].acknowledged = true;
    return true;
}

bool survival_is_acknowledged(const struct survival *survival, unsigned number)
{
    return number < SURVIVAL_MESSAGES_MAX && survival->fates[number].acknowledged;
}

void survival_on_air(struct survival *survival, const char *to, unsigned seq, unsigned total, const char *text)
{
    unsigned part = total > 1 ? seq - 1 : 0, number;
    char whole[SURVIVAL_TEXT_MAX];

    if (!number_of(to, &number) || total != survival_parts(number) || part >= total) {
        survival->altered++;
        return;
    }
    survival_text(number, whole);
    if (text[0] == '\0' || strstr(whole, text) == NULL)
        survival->altered++;
    else if (survival->fates[number].on_air[part] < UINT8_MAX)
        survival->fates[number].on_air[part]++;
}

void survival_stored(struct survival *survival, const char *to, enum message_state state)
{
    unsigned number;

    if (!number_of(to, &number)) {
        survival->altered++;
        return;
    }
    if (survival->fates[number].stored < UINT8_MAX)
        survival->fates[number].stored++;
    survival->fates[number].state = (uint8_t)state;
}

void survival_attempt_unknown(struct survival *survival, const char *to, unsigned part)
{
    unsigned number;

    if (number_of(to, &number) && part < SURVIVAL_PARTS_MAX)
        survival->fates[number].unknown[part] = true;
}

/* -- judgement ------------------------------------------------------------------------------------------------ */

static bool was_whole_on_air(const struct fate *fate, unsigned parts)
{
    for (unsigned i = 0; i < parts; i++)
        if (fate->on_air[i] == 0)
            return false;
    return true;
}

static void judge_acknowledged(const struct fate *fate, unsigned parts, struct survival_verdict *verdict)
{
    bool doubtful = false;

    for (unsigned i = 0; i < parts; i++)
        doubtful |= fate->unknown[i];
    verdict->acknowledged++;
    if (fate->stored == 0) {
        verdict->lost++;
        return;
    }
    switch (fate->state) {
    case MESSAGE_SENT:
    case MESSAGE_DELIVERED:
        if (was_whole_on_air(fate, parts))
            verdict->survived++;
        else
            verdict->untrue++;
        break;
    case MESSAGE_UNKNOWN:
        if (doubtful)
            verdict->survived++;
        else
            verdict->untrue++;   /* in doubt, and no part says why */
        break;
    default:
        verdict->lost++;   /* nothing here refuses, expires or cancels, and all had time to go */
    }
}

struct survival_verdict survival_judge(const struct survival *survival)
{
    struct survival_verdict verdict = { .altered = survival->altered };

    for (unsigned number = 0; number < SURVIVAL_MESSAGES_MAX; number++) {
        const struct fate *fate = &survival->fates[number];
        unsigned parts = survival_parts(number);

        if (fate->acknowledged)
            judge_acknowledged(fate, parts, &verdict);
        else
            verdict.stored_unacknowledged += fate->stored > 0;
        verdict.stored_twice += fate->stored > 1;
        verdict.unknown += fate->stored > 0 && fate->state == MESSAGE_UNKNOWN;
        for (unsigned i = 0; i < parts; i++) {
            verdict.sent_twice += fate->on_air[i] > 1;
            verdict.unknown_on_air += fate->unknown[i] && fate->on_air[i] > 0;
            verdict.unknown_not_on_air += fate->unknown[i] && fate->on_air[i] == 0;
        }
    }
    return verdict;
}

bool survival_is_whole(const struct survival_verdict *verdict)
{
    return verdict->lost == 0 && verdict->untrue == 0 && verdict->sent_twice == 0 && verdict->stored_twice == 0 && verdict->altered == 0;
}
