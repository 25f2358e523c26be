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
#define PARTS_WEIGHT 0.02f              /* of the last message in how many parts they have */
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

/* Cheaper ones first: what speaks against them is what one wants to know. One without a price comes last. */
static bool is_more_telling(const struct chooser_offer *a, const struct chooser_offer *b)
{
    if (a->ok != b->ok)
        return a->ok;
    return a->rank != b->rank ? a->rank < b->rank : a->micro < b->micro;
}

static void add_others(struct chooser *chooser, struct record *record, uint16_t index, const struct queue_item *item, struct limit_now now)
{
    const struct chooser_destination *destination = chooser_destination(chooser, item);
    struct { uint16_t bearer; struct chooser_offer offer; } others[RECORD_OTHERS];
    size_t count = 0, all = 0;

    for (uint16_t i = 0; destination != NULL && i < chooser->bearer_count; i++) {
        struct chooser_offer offer;
        size_t at;

        if (i == index || !chooser->bearers[i].open)
            continue;
        all++;
        chooser_look(chooser, &chooser->bearers[i], now);
        offer = chooser_offer(chooser, destination, item->sticky_sim_id, i, item->parts, 1);
        at = count;
        while (at > 0 && is_more_telling(&offer, &others[at - 1].offer))
            at--;
        if (offer.rank > RANK_MAX || at == RECORD_OTHERS)
            continue;
        count += count < RECORD_OTHERS;
        memmove(&others[at + 1], &others[at], (count - 1 - at) * sizeof *others);
        others[at].bearer = i;
        others[at].offer = offer;
    }
    add(record, ",\"bearers\":%zu", all + 1);
    if (count == 0)
        return;
    add(record, ",\"others\":[");
    for (size_t i = 0; i < count; i++) {
        struct chooser_judgement judged = chooser_judge(chooser, others[i].bearer, item, now), *judgement = &judged;
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

/* It was dealt to this bearer although another one asks less. */
static bool is_dealt(struct chooser *chooser, uint16_t index, const struct queue_item *item)
{
    const struct chooser_destination *destination = chooser_destination(chooser, item);
    struct chooser_offer mine;

    if (destination == NULL || item->class_id == CHOOSER_MIXED || item->class_id >= chooser->class_count)
        return false;
    mine = chooser_offer(chooser, destination, item->sticky_sim_id, index, item->parts, 1);
    if (!mine.ok || chooser_dealt(chooser, &chooser->classes[item->class_id], index, &mine, item->parts) != DEALT_HERE)
        return false;
    for (uint16_t i = 0; i < chooser->bearer_count; i++) {
        struct chooser_offer other;

        if (i == index || !chooser->bearers[i].open || !chooser->bearers[i].present)
            continue;
        other = chooser_offer(chooser, destination, item->sticky_sim_id, i, item->parts, 1);
        if (other.ok && other.rank == mine.rank && other.micro < mine.micro)
            return true;
    }
    return false;
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
        if (is_dealt(chooser, index, item))
            add(&record, ",\"why\":\"dealt out: cheaper ones have no time for all that waits\"");
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

bool chooser_is_counted(const struct chooser_bearer *bearer)
{
    const struct limit_rules *rules = &bearer->conf->limits, none = { .zone = rules->zone };

    return bearer->plan != NO_PLAN || memcmp(rules, &none, sizeof none) != 0;
}

#define SHARE_PARTS 16                   /* floors are found anew that often */
#define SHARE_PARTS_MAX 400
#define SHARE_MICRO 5                    /* src/routing/shadow.h says why */

/* Prices of a plan make equals of bearers that should share: each part makes its own a little dearer. */
static void share(struct chooser *chooser, struct chooser_bearer *bearer)
{
    if (!chooser->priced || bearer->given == SHARE_PARTS_MAX || ++bearer->given % SHARE_PARTS != 0)
        return;
    bearer->share_micro = (int64_t)bearer->given * SHARE_MICRO;
    chooser->epoch++;
}

int chooser_take(struct chooser *chooser, uint16_t index, const struct queue_item *item, uint32_t random, struct limit_now now,
                 struct chooser_taken *ret_taken, char **ret_use_state, char **ret_record)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];
    struct chooser_taken taken = { .taken = true, .turn = bearer->turn, .version = chooser->version };
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
    bearer->last_take = ++chooser->take_count;
    share(chooser, bearer);
    if (item->part_next == 0) {
        chooser->parts_mean += ((float)item->parts - chooser->parts_mean) * PARTS_WEIGHT;
        if (item->class_id != CHOOSER_MIXED && item->class_id < chooser->class_count)
            chooser_deal_taken(chooser, &chooser->classes[item->class_id], index, item->parts);
    }
    if (!chooser_is_counted(bearer))
        goto out;
    taken.use = use_take(bearer->use, &bearer->conf->limits, recipient_key, 1, taken.price_micro > 0 ? taken.price_micro : 0, now, random);
    if (taken.bundle != 0)
        use_bundle_take(bearer->use, &judgement.bundle->bundle, chooser->plans[bearer->plan].zones[taken.bundle - 1], 1, now);
    if (bearer->credit_micro >= 0 && taken.price_micro > 0)
        bearer->credit_micro = bearer->credit_micro > taken.price_micro ? bearer->credit_micro - taken.price_micro : 0;
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
    if (bearer->credit_micro >= 0 && taken->price_micro > 0)
        bearer->credit_micro += taken->price_micro;
    if (taken->bundle != 0 && taken->version == chooser->version)
        use_bundle_give_back(bearer->use, &chooser->plans[bearer->plan].bundles[taken->bundle - 1]->bundle,
                             chooser->plans[bearer->plan].zones[taken->bundle - 1], 1, now);
    bearer->looked_until_ms = 0;
}
