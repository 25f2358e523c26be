/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser.c - its life, what is configured, and the bearers that are there. */
#include "src/choice/chooser_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct routing_sim sim_plain = { .iccid = "*" };

struct chooser *chooser_new(int64_t boot)
{
    struct chooser *chooser = calloc(1, sizeof *chooser);
    struct limit_now never = { 0, 0 };

    if (chooser == NULL)
        return NULL;
    chooser->boot = boot;
    chooser->epoch = 1;
    chooser->parts_mean = 1;
    if (chooser_classes_init(chooser, never) < 0) {
        chooser_free(chooser);
        return NULL;
    }
    return chooser;
}

void chooser_free(struct chooser *chooser)
{
    if (chooser == NULL)
        return;
    for (uint32_t i = 0; i < chooser->bearer_count; i++)
        use_free(chooser->bearers[i].use);
    chooser_classes_done(chooser);
    chooser_deal_done(chooser);
    free(chooser);
}

/* -- plans ----------------------------------------------------------------------------------------------------- */

/* NO_PLAN: there is none of that name, or no room. */
static uint16_t plan_of(const struct chooser *chooser, const struct routing_sim *conf)
{
    const struct routing *routing = chooser->routing;
    const struct tariff_plan *plan =
        routing != NULL && routing->tariffs != NULL && conf->tariff[0] != '\0' ? tariff_find_plan(routing->tariffs, conf->tariff) : NULL;

    for (uint16_t i = 0; plan != NULL && i < chooser->plan_count; i++)
        if (chooser->plans[i].plan == plan)
            return i;
    return NO_PLAN;
}

static void plan_register(struct chooser *chooser, const struct routing_sim *conf)
{
    const struct tariff_plan *plan = conf->tariff[0] != '\0' ? tariff_find_plan(chooser->routing->tariffs, conf->tariff) : NULL;

    if (plan != NULL && plan_of(chooser, conf) == NO_PLAN && chooser->plan_count < CHOOSER_PLANS_MAX)
        chooser->plans[chooser->plan_count++] = (struct chooser_plan){ .plan = plan };
}

/* Those that cards may have, with their bundles. */
static void plans_collect(struct chooser *chooser)
{
    const struct routing *routing = chooser->routing;

    chooser->plan_count = 0;
    if (routing == NULL || routing->tariffs == NULL)
        return;
    plan_register(chooser, &routing->sim_default);
    for (size_t i = 0; i < routing->sim_count; i++)
        plan_register(chooser, &routing->sims[i]);
    for (size_t i = 0; i < tariff_row_count(routing->tariffs); i++) {
        const struct tariff_row *row = tariff_row_at(routing->tariffs, i);

        for (uint16_t k = 0; row->kind == TARIFF_BUNDLE && k < chooser->plan_count; k++) {
            struct chooser_plan *plan = &chooser->plans[k];

            if (plan->plan != tariff_plan_at(routing->tariffs, row->plan) || plan->bundle_count == PLAN_BUNDLES_MAX)
                continue;
            plan->zones[plan->bundle_count] = routing_zone(routing, row->bundle.time_zone);
            plan->bundles[plan->bundle_count++] = row;
        }
    }
}

void chooser_shadows_clear(struct chooser_bearer *bearer)
{
    bearer->shadow_micro = bearer->tomorrow_micro = 0;
    memset(bearer->bundle_shadow_micro, 0, sizeof bearer->bundle_shadow_micro);
    memset(bearer->bundle_tomorrow_micro, 0, sizeof bearer->bundle_tomorrow_micro);
    memset(bearer->bundle_tomorrow, 0, sizeof bearer->bundle_tomorrow);
}

static void bearer_configure(struct chooser *chooser, struct chooser_bearer *bearer)
{
    bearer->conf = chooser->routing != NULL ? routing_sim(chooser->routing, bearer->id) : &sim_plain;
    bearer->plan = plan_of(chooser, bearer->conf);
    bearer->looked_until_ms = 0;
    bearer->share_micro = 0;
    chooser_shadows_clear(bearer);       /* until there is a plan by the new prices */
    use_rules_changed(bearer->use);
}

int chooser_configure(struct chooser *chooser, const struct routing *routing, struct limit_now now)
{
    const struct routing *before = chooser->routing;

    for (int turn = 0; turn < 2; turn++) {
        int r;

        chooser->routing = routing;
        chooser->version++;
        plans_collect(chooser);
        for (uint32_t i = 0; i < chooser->bearer_count; i++)
            if (chooser->bearers[i].open)
                bearer_configure(chooser, &chooser->bearers[i]);
        r = chooser_classes_init(chooser, now);
        if (r == 0 || turn == 1)
            return turn == 0 ? 0 : -ENOMEM;
        routing = before;                /* back to what was in force */
    }
    return -ENOMEM;
}

/* -- bearers --------------------------------------------------------------------------------------------------- */

int chooser_bearer_open(struct chooser *chooser, enum route_bearer_kind kind, const char *id, uint32_t sim_id, const char *use_state,
                        struct limit_now now, uint16_t *ret_bearer)
{
    struct chooser_bearer bearer = { .open = true, .kind = kind, .sim_id = sim_id, .credit_micro = -1 };
    uint16_t at = 0;
    int r;

    while (at < chooser->bearer_count && chooser->bearers[at].open)
        at++;
    if (at == CHOOSER_BEARERS_MAX)
        return -ENOSPC;
    (void)snprintf(bearer.id, sizeof bearer.id, "%s", id);
    bearer.conf = chooser->routing != NULL ? routing_sim(chooser->routing, id) : &sim_plain;
    r = use_load(use_state, chooser->boot, &bearer.conf->limits, now, &bearer.use);
    if (r == -EINVAL)                    /* of a later version: what it says cannot be known, so it begins anew */
        r = use_load(NULL, chooser->boot, &bearer.conf->limits, now, &bearer.use);
    if (r < 0)
        return r;
    bearer.turn = chooser->bearers[at].turn + 1;
    bearer.plan = plan_of(chooser, bearer.conf);
    chooser->bearers[at] = bearer;
    if (at == chooser->bearer_count)
        chooser->bearer_count++;
    for (size_t i = 0; i < WAYS; i++)
        if (chooser->ways[i] != NULL)
            chooser->ways[i]->ranks[at] = RANK_UNKNOWN;
    chooser->epoch++;
    chooser->presence++;
    *ret_bearer = at;
    return 0;
}

void chooser_bearer_close(struct chooser *chooser, uint16_t bearer)
{
    use_free(chooser->bearers[bearer].use);
    chooser->bearers[bearer] = (struct chooser_bearer){ .turn = chooser->bearers[bearer].turn };
    chooser->epoch++;
    chooser->presence++;
}

void chooser_recipient(struct chooser *chooser, uint16_t bearer, const struct sim_recipient *recipient)
{
    (void)use_recipient_add(chooser->bearers[bearer].use, recipient->key, recipient->day, recipient->month);
}

void chooser_bearer_state(struct chooser *chooser, uint16_t index, bool present, bool idle, uint64_t rests_until_ms)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];

    if (bearer->present != present || bearer->rests_until_ms != rests_until_ms)
        chooser->epoch++;
    chooser->presence += bearer->present != present;
    bearer->present = present;
    bearer->idle = idle;
    bearer->rests_until_ms = rests_until_ms;
}

int64_t chooser_convert(const struct chooser *chooser, int64_t micro, const char *currency)
{
    int64_t converted;

    if (chooser->routing == NULL || micro < 0 || rates_convert(chooser->routing->rates, micro, currency, chooser->routing->currency, &converted) < 0)
        return -1;
    return converted;
}

void chooser_bearer_balance(struct chooser *chooser, uint16_t index, int64_t credit_micro, int64_t parts, struct limit_now now)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];
    const struct chooser_plan *plan = bearer->plan != NO_PLAN ? &chooser->plans[bearer->plan] : NULL;

    if (credit_micro >= 0)
        bearer->credit_micro = credit_micro;
    /* With several bundles nobody knows which of them the operator means. */
    if (parts >= 0 && plan != NULL && plan->bundle_count == 1)
        use_bundle_observed(bearer->use, &plan->bundles[0]->bundle, plan->zones[0], parts > UINT32_MAX ? UINT32_MAX : (uint32_t)parts, now);
    bearer->looked_until_ms = 0;
    chooser->epoch++;
}

void chooser_clock_is_right(struct chooser *chooser, struct limit_now now)
{
    for (uint32_t i = 0; i < chooser->bearer_count; i++)
        if (chooser->bearers[i].open)
            use_clock_is_right(chooser->bearers[i].use, &chooser->bearers[i].conf->limits, now);
}

char *chooser_wants_saving(struct chooser *chooser, uint16_t index)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];

    return chooser_is_counted(bearer) && use_wants_saving(bearer->use) ? use_text(bearer->use) : NULL;
}

void chooser_bearer_switch(struct chooser *chooser, uint16_t index, int64_t switch_micro)
{
    if (chooser->bearers[index].switch_micro != switch_micro)
        chooser->epoch++;
    chooser->bearers[index].switch_micro = switch_micro;
    chooser->switching = chooser->switching || switch_micro != 0;
}

/* Below -105 dBm parts are lost on the way, and tried again, more often than not. */
#define SIGNAL_WEAK_DBM (-105)

void chooser_bearer_air(struct chooser *chooser, uint16_t index, bool roaming, int signal_dbm)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];

    if (bearer->roaming != roaming)
        bearer->looked_until_ms = 0;
    bearer->roaming = roaming;
    bearer->signal_dbm = signal_dbm;
}

static unsigned bits(uint32_t word)
{
    unsigned count = 0;

    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

/* Refusals of late weigh most: with a third of them another one goes first, whatever its signal. */
static uint8_t health_of(const struct chooser_bearer *bearer)
{
    unsigned failures = bits(bearer->failures), results = bits(bearer->results);
    uint8_t health = results < 4 || failures * 10 < results ? 0 : failures * 3 < results ? 2 : 4;

    return health + (bearer->signal_dbm != 0 && bearer->signal_dbm < SIGNAL_WEAK_DBM);
}

static bool is_soon_over(enum limit_kind kind)
{
    return kind == LIMIT_GAP || kind == LIMIT_MINUTE;
}

void chooser_look_anew(struct chooser *chooser, struct chooser_bearer *bearer, struct limit_now now)
{
    const struct limit_rules *rules = &bearer->conf->limits;
    struct limit_answer answer;
    uint64_t able_ms, long_ms, until_ms = now.mono_ms + LIMITS_LOOK_MS;
    const struct chooser_plan *plan = bearer->plan != NO_PLAN ? &chooser->plans[bearer->plan] : NULL;
    int64_t spend_left_micro = INT64_MAX;
    bool changed = false;

    answer = limit_check(rules, bearer->use, RECIPIENT_NEW, 1, 0, bearer->roaming, now);
    /* One that may write to nobody new may still write to those it knows: that is for each message to say. */
    able_ms = answer.kind == LIMIT_NONE ? 0 : answer.ask_mono_ms;
    long_ms = is_soon_over(answer.kind) ? 0 : able_ms;
    if (answer.kind != LIMIT_NONE && answer.ask_mono_ms < until_ms)
        until_ms = answer.ask_mono_ms > now.mono_ms ? answer.ask_mono_ms : now.mono_ms + 1;
    for (int kind = LIMIT_SPEND_DAY; kind <= LIMIT_SPEND_MONTH; kind++) {
        int64_t cap = kind == LIMIT_SPEND_DAY ? rules->spend_per_day_micro : rules->spend_per_month_micro;
        int64_t left = cap > 0 ? cap - limit_view(rules, bearer->use, (enum limit_kind)kind, now).used : INT64_MAX;

        if (left < spend_left_micro)
            spend_left_micro = left;
    }
    if (bearer->credit_micro >= 0 && bearer->credit_micro < spend_left_micro)
        spend_left_micro = bearer->credit_micro;
    for (uint8_t i = 0; plan != NULL && i < plan->bundle_count; i++) {
        uint32_t left = use_bundle_left(bearer->use, &plan->bundles[i]->bundle, plan->zones[i], now);

        /* More than a message can have parts is plenty: only below that does a floor change with each part. */
        changed = changed || (left != bearer->bundle_left[i] && (left < TARIFF_PARTS_MAX || bearer->bundle_left[i] < TARIFF_PARTS_MAX));
        bearer->bundle_left[i] = left;
    }
    changed = changed || long_ms != bearer->able_long_ms || (spend_left_micro != bearer->spend_left_micro && spend_left_micro != INT64_MAX);
    bearer->limit = answer.kind;
    bearer->able_ms = able_ms;
    bearer->able_long_ms = long_ms;
    bearer->spend_left_micro = spend_left_micro;
    bearer->looked_until_ms = until_ms;
    bearer->health = health_of(bearer);
    if (changed)
        chooser->epoch++;
}

void chooser_result(struct chooser *chooser, uint16_t index, bool failed, struct limit_now now)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];

    if (!bearer->open)
        return;
    use_result(bearer->use, &bearer->conf->limits, failed, now);
    bearer->results = bearer->results << 1 | 1;
    bearer->failures = bearer->failures << 1 | failed;
    bearer->looked_until_ms = 0;
}

#define PACE_WEIGHT 0.1f                 /* of the last part in how long they take */

void chooser_pace(struct chooser *chooser, uint16_t index, uint32_t part_ms)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];

    bearer->pace_ms = bearer->pace_ms > 0 ? bearer->pace_ms + ((float)part_ms - bearer->pace_ms) * PACE_WEIGHT : (float)part_ms;
}

struct route_bearer chooser_route_bearer(const struct chooser_bearer *bearer)
{
    return (struct route_bearer){ .kind = bearer->kind, .id = bearer->id, .name = bearer->conf->name, .tags = bearer->conf->tags,
                                  .tag_count = bearer->conf->tag_count };
}

/* -- views ----------------------------------------------------------------------------------------------------- */

uint32_t chooser_bearer_count(const struct chooser *chooser)
{
    return chooser->bearer_count;
}

bool chooser_bearer_view(const struct chooser *chooser, uint16_t index, struct chooser_bearer_view *ret_view)
{
    const struct chooser_bearer *bearer = &chooser->bearers[index];

    if (index >= chooser->bearer_count || !bearer->open)
        return false;
    *ret_view = (struct chooser_bearer_view){
        .kind = bearer->kind, .id = bearer->id, .name = bearer->conf->name, .tariff = bearer->conf->tariff, .tags = bearer->conf->tags,
        .tag_count = bearer->conf->tag_count, .sim_id = bearer->sim_id, .present = bearer->present, .idle = bearer->idle,
        .roaming = bearer->roaming, .signal_dbm = bearer->signal_dbm, .rules = &bearer->conf->limits, .use = bearer->use,
        .credit_micro = bearer->credit_micro,
        .plan = bearer->plan != NO_PLAN ? chooser->plans[bearer->plan].plan : NULL,
    };
    return true;
}

const char *chooser_verdict_name(enum chooser_verdict verdict)
{
    static const char *const names[CHOOSER_VERDICTS] = {
        [CHOOSER_MAY] = "may", [CHOOSER_NOT_LISTED] = "not_listed", [CHOOSER_DENIED] = "denied", [CHOOSER_REFUSED] = "refused",
        [CHOOSER_NO_PRICE] = "no_price", [CHOOSER_TOO_DEAR] = "too_dear", [CHOOSER_AWAY] = "away", [CHOOSER_RESTS] = "rests",
        [CHOOSER_LIMIT] = "limit", [CHOOSER_NO_CREDIT] = "no_credit", [CHOOSER_FAILED_BEFORE] = "failed_before",
    };

    return names[verdict];
}
