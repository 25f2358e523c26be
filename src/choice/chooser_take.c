/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser_take.c - a part is counted against what its bearer may use, and why it goes this way is written down. */
#include "src/choice/chooser_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/money.h"

#define RECORD_MAX 1024
#define RECORD_OTHERS 6                  /* that are told one by one, the cheapest first */

/* -- the record: a small JSON object --------------------------------------------------------------------------- */

struct record { char text[RECORD_MAX]; size_t length; bool full; };

static void add(struct record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct record *record, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(record->text + record->length, sizeof record->text - record->length, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof record->text - record->length)
        record->full = true;
    else
        record->length += (size_t)length;
}

/* A name of the configuration: valid UTF-8, but it may have quotes in it. */
static void add_text(struct record *record, const char *key, const char *text)
{
    add(record, "\"%s\":\"", key);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            add(record, "\\");
        add(record, "%c", (unsigned char)*c < 0x20 ? ' ' : *c);
    }
    add(record, "\"");
}

static void add_money(struct record *record, const char *key, int64_t micro)
{
    char text[MONEY_CHARS];

    money_format(micro, text);
    add(record, ",\"%s\":\"%s\"", key, text);
}

struct other { uint16_t bearer; struct chooser_judgement judgement; };

/* Cheaper ones first: what speaks against them is what one wants to know. */
static int by_price(const void *a, const void *b)
{
    const struct chooser_judgement *x = &((const struct other *)a)->judgement, *y = &((const struct other *)b)->judgement;
    int64_t x_micro = x->price_micro < 0 ? INT64_MAX : x->price_micro + x->shadow_micro;
    int64_t y_micro = y->price_micro < 0 ? INT64_MAX : y->price_micro + y->shadow_micro;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x_micro < y_micro ? -1 : x_micro > y_micro;
}

static void add_others(struct chooser *chooser, struct record *record, uint16_t index, const struct queue_item *item, struct limit_now now)
{
    struct other others[RECORD_OTHERS + 1];
    size_t count = 0, all = 0;

    for (uint16_t i = 0; i < chooser->bearer_count; i++) {
        if (i == index || !chooser->bearers[i].open)
            continue;
        others[count] = (struct other){ i, chooser_judge(chooser, i, item, now) };
        all++;
        if (others[count].judgement.verdict == CHOOSER_NOT_LISTED || others[count].judgement.verdict == CHOOSER_DENIED)
            continue;
        count++;
        qsort(others, count, sizeof *others, by_price);
        if (count > RECORD_OTHERS)
            count = RECORD_OTHERS;
    }
    add(record, ",\"bearers\":%zu", all + 1);
    if (count == 0)
        return;
    add(record, ",\"others\":[");
    for (size_t i = 0; i < count; i++) {
        const struct chooser_judgement *judgement = &others[i].judgement;
        size_t before = record->length;

        add(record, "%s{", i == 0 ? "" : ",");
        add_text(record, "bearer", chooser->bearers[others[i].bearer].id);
        if (judgement->price_micro >= 0)
            add_money(record, "price", judgement->price_micro);
        if (judgement->shadow_micro != 0)
            add_money(record, "shadow", judgement->shadow_micro);
        add(record, ",\"verdict\":\"%s\"", judgement->verdict == CHOOSER_MAY && !judgement->idle ? "busy" : chooser_verdict_name(judgement->verdict));
        if (judgement->verdict == CHOOSER_LIMIT)
            add(record, ",\"limit\":\"%s\"", limit_name(judgement->limit));
        add(record, "}");
        if (record->full || record->length > RECORD_MAX - 8) {
            record->length = before;
            break;
        }
    }
    record->full = false;
    add(record, "]");
}

/* NULL: no memory, or nothing to say. */
static char *record_make(struct chooser *chooser, uint16_t index, const struct queue_item *item, const struct chooser_judgement *judgement,
                         struct limit_now now)
{
    const struct chooser_bearer *bearer = &chooser->bearers[index];
    struct record record = { .length = 0 };
    char *text;

    if (chooser->routing == NULL)
        return NULL;
    add(&record, "{");
    add_text(&record, "plan", bearer->plan != NO_PLAN ? tariff_plan_name(chooser->plans[bearer->plan].plan) : "");
    if (item->part_next > 0) {
        add(&record, ",\"why\":\"follows its first part\"");
    } else {
        const struct route *route = chooser_route(chooser, item);

        add(&record, ",");
        add_text(&record, "route", route->prefix);
        if (judgement->row != NULL) {
            add(&record, ",\"tariff_line\":%u", (unsigned)judgement->row->line);
            add_money(&record, "list_price", judgement->list_micro);
        }
        if (judgement->bundle != NULL) {
            add(&record, ",");
            add_text(&record, "bundle", judgement->bundle->bundle.name);
            add(&record, ",\"bundle_left\":%u", (unsigned)judgement->bundle_left);
        }
        if (judgement->shadow_micro != 0)
            add_money(&record, "shadow", judgement->shadow_micro);
        add_others(chooser, &record, index, item, now);
    }
    if (chooser->routing->version != 0)
        add(&record, ",\"version\":%lld", (long long)chooser->routing->version);
    add(&record, "}");
    if (record.full)
        return NULL;
    text = malloc(record.length + 1);
    if (text != NULL)
        memcpy(text, record.text, record.length + 1);
    return text;
}

/* -- counting -------------------------------------------------------------------------------------------------- */

static bool is_counted(const struct chooser_bearer *bearer)
{
    const struct limit_rules *rules = &bearer->conf->limits, none = { .zone = rules->zone };

    return bearer->plan != NO_PLAN || memcmp(rules, &none, sizeof none) != 0;
}

int chooser_take(struct chooser *chooser, uint16_t index, const struct queue_item *item, uint32_t random, struct limit_now now,
                 struct chooser_taken *ret_taken, char **ret_use_state, char **ret_record)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];
    struct chooser_taken taken = { .taken = true, .turn = bearer->turn };
    struct chooser_judgement judgement = chooser_judge(chooser, index, item, now);
    const struct chooser_destination *destination = chooser_destination(chooser, item);
    const struct chooser_price *price = destination != NULL && bearer->plan != NO_PLAN ? chooser_price(destination, bearer->plan) : NULL;
    char *record = record_make(chooser, index, item, &judgement, now), *use_state = NULL;
    uint64_t recipient_key = bearer->conf->limits.recipients_per_day != 0 || bearer->conf->limits.recipients_per_month != 0 ? item->to_key : 0;

    taken.price_micro = -1;
    if (judgement.bundle != NULL) {
        while (chooser->plans[bearer->plan].bundles[taken.bundle] != judgement.bundle)
            taken.bundle++;
        taken.bundle++;
        taken.price_micro = 0;
    } else if (price != NULL && price->row != NULL) {
        taken.price_micro = item->part_next == 0 ? price->first_micro : price->next_micro;
    }
    bearer->last_take_ms = now.mono_ms;
    if (!is_counted(bearer))
        goto out;
    taken.use = use_take(bearer->use, &bearer->conf->limits, recipient_key, 1, taken.price_micro > 0 ? taken.price_micro : 0, now, random);
    if (taken.bundle != 0)
        use_bundle_take(bearer->use, &judgement.bundle->bundle, chooser->plans[bearer->plan].zones[taken.bundle - 1], 1, now);
    bearer->looked_until_ms = 0;
    use_state = use_text(bearer->use);
    if (use_state == NULL) {             /* what is not on disk could be forgotten: it does not go */
        chooser_give_back(chooser, index, &taken, USE_NOT_SENT, now);
        free(record);
        return -ENOMEM;
    }
out:
    *ret_taken = taken;
    *ret_use_state = use_state;
    *ret_record = record;
    return 0;
}

void chooser_give_back(struct chooser *chooser, uint16_t index, struct chooser_taken *taken, enum use_back why, struct limit_now now)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];
    bool there = taken->taken && bearer->open && bearer->turn == taken->turn;

    taken->taken = false;
    if (!there || taken->use.parts == 0)
        return;
    use_give_back(bearer->use, &taken->use, why);
    if (taken->bundle != 0 && bearer->plan != NO_PLAN && taken->bundle <= chooser->plans[bearer->plan].bundle_count)
        use_bundle_give_back(bearer->use, &chooser->plans[bearer->plan].bundles[taken->bundle - 1]->bundle,
                             chooser->plans[bearer->plan].zones[taken->bundle - 1], 1, now);
    bearer->looked_until_ms = 0;
}
