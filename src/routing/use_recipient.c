/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom a SIM wrote to: a set of bounded size. */
#include <errno.h>
#include <stdlib.h>

#include "src/routing/use_internal.h"

#define SLOTS_MIN 64

static uint32_t home_of(uint64_t key, uint32_t slots)
{
    return (uint32_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (slots - 1);
}

/* Where the key is, or would be. */
static struct use_recipient *probe(struct use_recipient *recipients, uint32_t slots, uint64_t key)
{
    uint32_t at = home_of(key, slots);

    while (recipients[at].key != 0 && recipients[at].key != key)
        at = (at + 1) & (slots - 1);
    return &recipients[at];
}

struct use_recipient *use_recipient_find(const struct use *use, uint64_t key)
{
    struct use_recipient *found;

    if (use->recipient_slots == 0 || key == 0)
        return NULL;
    found = probe(use->recipients, use->recipient_slots, key);
    return found->key == key ? found : NULL;
}

static bool still_counts(const struct use *use, const struct use_recipient *recipient)
{
    return use->day.everyone || use->month.everyone || use_period_has(&use->day, recipient->day) ||
           use_period_has(&use->month, recipient->month);
}

/* Moves those that still count to a table that is at most half full with one more. */
static int rebuild(struct use *use)
{
    uint32_t slots = SLOTS_MIN, kept = 0;
    struct use_recipient *recipients;

    for (uint32_t i = 0; i < use->recipient_slots; i++)
        kept += use->recipients[i].key != 0 && still_counts(use, &use->recipients[i]);
    while (slots < (kept + 1) * 2)
        slots *= 2;
    recipients = calloc(slots, sizeof *recipients);
    if (!recipients)
        return -ENOMEM;
    for (uint32_t i = 0; i < use->recipient_slots; i++)
        if (use->recipients[i].key != 0 && still_counts(use, &use->recipients[i]))
            *probe(recipients, slots, use->recipients[i].key) = use->recipients[i];
    free(use->recipients);
    use->recipients = recipients;
    use->recipient_slots = slots;
    use->recipient_count = kept;
    return 0;
}

struct use_recipient *use_recipient_insert(struct use *use, uint64_t key)
{
    struct use_recipient *recipient;

    if ((use->recipient_count + 1) * 2 > use->recipient_slots || use->recipient_count >= USE_RECIPIENTS_MAX) {
        if (rebuild(use) < 0 || use->recipient_count >= USE_RECIPIENTS_MAX)
            return NULL;
    }
    recipient = probe(use->recipients, use->recipient_slots, key);
    if (recipient->key == 0) {
        *recipient = (struct use_recipient){ .key = key, .day = USE_NO_LABEL, .month = USE_NO_LABEL };
        use->recipient_count++;
    }
    return recipient;
}

int use_recipient_add(struct use *use, uint64_t recipient_key, int32_t day, int32_t month)
{
    struct use_recipient *recipient = NULL;

    if (recipient_key == 0 || !still_counts(use, &(struct use_recipient){ .day = day, .month = month }))
        return 0;
    recipient = use_recipient_insert(use, recipient_key);
    use->recipients_counted = false;
    use_forget_answers(use);
    if (!recipient) {
        use->recipients_lost = true;
        return -ENOMEM;
    }
    recipient->day = day;
    recipient->month = month;
    recipient->takes = 1;
    return 0;
}

void use_recipient_forget_day(struct use *use, int32_t day)
{
    for (uint32_t i = 0; i < use->recipient_slots; i++)
        if (use->recipients[i].day == day)
            use->recipients[i].day = USE_NO_LABEL;
    use->recipients_counted = false;
}

void use_recipient_forget_month(struct use *use, int32_t month)
{
    for (uint32_t i = 0; i < use->recipient_slots; i++)
        if (use->recipients[i].month == month)
            use->recipients[i].month = USE_NO_LABEL;
    use->recipients_counted = false;
}

static uint32_t unlisted(const struct use_period *period)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < period->count; i++)
        count += period->runs[i].unlisted;
    return count;
}

void use_recipient_count(struct use *use)
{
    if (use->recipients_counted)
        return;
    use->day.recipients = unlisted(&use->day);
    use->month.recipients = unlisted(&use->month);
    for (uint32_t i = 0; i < use->recipient_slots; i++) {
        const struct use_recipient *recipient = &use->recipients[i];

        if (recipient->key == 0)
            continue;
        use->day.recipients += use_period_has(&use->day, recipient->day);
        use->month.recipients += use_period_has(&use->month, recipient->month);
    }
    use->recipients_counted = true;
}
