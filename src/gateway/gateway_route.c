/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_route.c - between the gateway's slots and the chooser's bearers: who is there, what they may take, what was taken. */
#include "src/gateway/gateway_internal.h"

#include "src/gateway/error_class.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct limit_now gateway_limit_now(struct gateway_now now)
{
    return (struct limit_now){ .mono_ms = now.mono_us / 1000, .wall_ms = now.wall_ms };
}

/* -- bearers --------------------------------------------------------------------------------------------------- */

/* Also without a modem that works a card is known, so that one sees why nothing goes by it. */
void gateway_bearer_sync(struct gateway *gateway, struct gateway_slot *slot, struct gateway_now now)
{
    bool busy = slot->air.state != PART_NONE || slot->next.state != PART_NONE;

    if (slot->bearer == CHOOSER_NO_BEARER)
        return;
    chooser_bearer_state(gateway->chooser, slot->bearer, slot->known && (slot->ready || slot->air.state == PART_ON_AIR) && !gateway->stopping,
                         slot->known && slot->ready && !busy && !gateway->store_bad && !gateway->store_damaged,
                         sim_health_rests(&slot->health, now.mono_us) ? (slot->health.rest_until_us + 999) / 1000 : 0);
}

static void bearer_close(struct gateway *gateway, struct gateway_slot *slot)
{
    if (slot->bearer == CHOOSER_NO_BEARER)
        return;
    chooser_bearer_close(gateway->chooser, slot->bearer);
    slot->bearer = CHOOSER_NO_BEARER;
}

void gateway_bearer_gone(struct gateway *gateway, struct gateway_slot *slot)
{
    bearer_close(gateway, slot);
}

/* What is in memory of a card that was in this slot already is newer than what the store has. */
void gateway_bearer_known(struct gateway *gateway, struct gateway_slot *slot, const struct change_sim *sim, struct gateway_now now)
{
    uint16_t bearer;

    if (slot->bearer != CHOOSER_NO_BEARER && slot->bearer_sim_id == sim->sim_id)
        return;
    bearer_close(gateway, slot);
    for (uint32_t i = 0; i < gateway->slot_count; i++)   /* it was moved */
        if (gateway->slots[i] != NULL && gateway->slots[i] != slot && gateway->slots[i]->bearer_sim_id == sim->sim_id)
            bearer_close(gateway, gateway->slots[i]);
    if (chooser_bearer_open(gateway->chooser, ROUTE_SIM, sim->known_as, sim->sim_id, sim->use_state, gateway_limit_now(now), &bearer) < 0) {
        slot->known = false;             /* its limits are not known: nothing goes by it */
        slot->card_asked = false;        /* asked for again */
        return;
    }
    for (uint32_t i = 0; i < sim->recipient_count; i++)
        chooser_recipient(gateway->chooser, bearer, &sim->recipients[i]);
    slot->bearer = bearer;
    slot->bearer_sim_id = sim->sim_id;
}

void gateway_slot_air(struct gateway *gateway, uint32_t index, bool roaming, int signal_dbm)
{
    struct gateway_slot *slot = gateway_slot_get(gateway, index);

    if (slot != NULL && slot->bearer != CHOOSER_NO_BEARER)
        chooser_bearer_air(gateway->chooser, slot->bearer, roaming, signal_dbm);
}

uint16_t gateway_slot_bearer(const struct gateway *gateway, uint32_t index)
{
    return index < gateway->slot_count && gateway->slots[index] != NULL ? gateway->slots[index]->bearer : CHOOSER_NO_BEARER;
}

struct chooser *gateway_chooser(struct gateway *gateway)
{
    return gateway->chooser;
}

void gateway_balance(struct gateway *gateway, const struct change_balance *balance, struct gateway_now now)
{
    for (uint16_t i = 0; i < chooser_bearer_count(gateway->chooser); i++) {
        struct chooser_bearer_view view;

        if (!chooser_bearer_view(gateway->chooser, i, &view) || view.kind != ROUTE_SIM || strcmp(view.id, balance->iccid) != 0)
            continue;
        chooser_bearer_balance(gateway->chooser, i, balance->has_balance ? chooser_convert(gateway->chooser, balance->balance_micro, balance->currency) : -1,
                               balance->has_parts ? balance->rest_parts : -1, gateway_limit_now(now));
        gateway_wake(gateway);
    }
}

void gateway_clock_is_right(struct gateway *gateway, struct gateway_now now)
{
    chooser_clock_is_right(gateway->chooser, gateway_limit_now(now));
}

void gateway_save_use(struct gateway *gateway, struct gateway_now now)
{
    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        struct gateway_slot *slot = gateway->slots[i];
        struct store_change *change;
        char *use_state;

        if (slot == NULL || slot->bearer == CHOOSER_NO_BEARER || (use_state = chooser_wants_saving(gateway->chooser, slot->bearer)) == NULL)
            continue;
        change = gateway_new_change(gateway, CHANGE_USE, now);
        if (change == NULL) {
            free(use_state);
            return;                      /* it is saved with its next part at the latest */
        }
        change->u.use.sim_id = slot->bearer_sim_id;
        change->u.use.use_state = use_state;
        gateway_add_change(gateway, change);
    }
}

bool gateway_has_gap(const struct gateway *gateway, const struct gateway_slot *slot)
{
    struct chooser_bearer_view view;

    return slot->bearer != CHOOSER_NO_BEARER && chooser_bearer_view(gateway->chooser, slot->bearer, &view) && view.rules->gap_ms + view.rules->jitter_ms != 0;
}

/* -- classes --------------------------------------------------------------------------------------------------- */

/* Whether what comes next for its recipient goes by the same SIM. */
static bool is_sticky(const struct gateway *gateway, const struct route *route)
{
    if (route == NULL || route->sticky != ROUTE_AS_CONFIGURED)
        return route != NULL && route->sticky == ROUTE_YES;
    return gateway->routing->sticky;
}

void gateway_classify(struct gateway *gateway, struct queue_item *item, struct gateway_now now)
{
    if (!is_sticky(gateway, chooser_route(gateway->chooser, item)))
        item->sticky_sim_id = 0;
    if (item->patience_s == MESSAGE_PATIENCE_AS_ROUTED)
        item->patience_s = chooser_patience_s(gateway->chooser, item);
    item->class_id = chooser_classify(gateway->chooser, item, gateway_limit_now(now));
}

struct classify_context { struct gateway *gateway; struct gateway_now now; };

static uint16_t classify_item(void *context, const struct queue_item *item)
{
    struct classify_context *classify = context;
    struct queue_item copy = *item;

    gateway_classify(classify->gateway, &copy, classify->now);
    return copy.class_id;
}

static void classify_all(struct gateway *gateway, struct gateway_now now)
{
    struct classify_context context = { gateway, now };

    queue_reclassify(&gateway->queue, classify_item, &context);
    for (uint32_t i = 0; i < gateway->bound_count; i++)
        gateway_classify(gateway, &gateway->bound[i], now);
    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        struct gateway_slot *slot = gateway->slots[i];

        if (slot == NULL)
            continue;
        if (slot->follow.id != 0)
            gateway_classify(gateway, &slot->follow, now);
        if (slot->air.state != PART_NONE)
            gateway_classify(gateway, &slot->air.item, now);
        if (slot->next.state != PART_NONE)
            gateway_classify(gateway, &slot->next.item, now);
    }
    gateway_wake(gateway);
}

int gateway_set_routing(struct gateway *gateway, const struct routing *routing, struct gateway_now now)
{
    int r = chooser_configure(gateway->chooser, routing, gateway_limit_now(now));

    if (r == 0)
        gateway->routing = routing;
    classify_all(gateway, now);
    return r;
}

void gateway_look_at_classes(struct gateway *gateway, struct gateway_now now)
{
    if (!chooser_stale(gateway->chooser, gateway_limit_now(now)))
        return;
    chooser_renew(gateway->chooser, gateway_limit_now(now));
    classify_all(gateway, now);
}

#define PLANNER_LOOK_MS 30000

/* -- plans ----------------------------------------------------------------------------------------------------- */

static bool keep_row(const struct planner *planner, size_t row, struct forecast_row *ret_row)
{
    *ret_row = (struct forecast_row){ malloc(PLANNER_KEY_MAX), malloc(PLANNER_TEXT_MAX) };
    if (ret_row->kind == NULL || ret_row->text == NULL)
        return false;
    planner_row(planner, row, ret_row->kind, ret_row->text);
    return true;
}

/* Without memory with the next hour. */
static void keep_forecasts(struct gateway *gateway, struct gateway_now now)
{
    struct store_change *change = gateway_new_change(gateway, CHANGE_FORECAST, now);
    size_t count = planner_row_count(gateway->planner);
    bool whole;

    if (change == NULL)
        return;
    change->u.forecast.rows = calloc(count + 1, sizeof *change->u.forecast.rows);
    whole = change->u.forecast.rows != NULL;
    while (whole && change->u.forecast.count < count) {
        whole = keep_row(gateway->planner, change->u.forecast.count, &change->u.forecast.rows[change->u.forecast.count]);
        change->u.forecast.count++;      /* half a row is freed with it */
    }
    if (whole)
        gateway_add_change(gateway, change);
    else
        change_free(change);
}

void gateway_forecasts_done(struct gateway *gateway, const struct store_change *change)
{
    const struct change_forecast *forecast = &change->u.forecast;

    if (!forecast->load)
        return;
    gateway->forecasts = change->result == 0 ? FORECASTS_KNOWN : FORECASTS_UNKNOWN;   /* asked again when the store is back */
    for (uint32_t i = 0; change->result == 0 && i < forecast->count; i++)
        (void)planner_load_row(gateway->planner, forecast->rows[i].kind, forecast->rows[i].text);   /* else as if there were none */
}

static bool learns(const struct gateway *gateway)
{
    return gateway->routing != NULL && gateway->routing->tariffs != NULL && gateway->routing->learns;
}

/* Before they are loaded nothing is counted: what is loaded takes the place of what is there. */
void gateway_learn(struct gateway *gateway, const struct queue_item *item, struct gateway_now now)
{
    struct queue_item copy = *item;

    if (!learns(gateway) || gateway->forecasts != FORECASTS_KNOWN)
        return;
    if (copy.patience_s == MESSAGE_PATIENCE_AS_ROUTED)
        copy.patience_s = chooser_patience_s(gateway->chooser, item);
    planner_count(gateway->planner, gateway->chooser, &copy, gateway_limit_now(now));
}

void gateway_plan(struct gateway *gateway, struct gateway_now now)
{
    struct limit_now limit_now = gateway_limit_now(now);
    struct store_change *change;

    gateway->planner_due_ms = UINT64_MAX;
    if (!learns(gateway)) {
        planner_clear_prices(gateway->chooser);
        return;
    }
    if (gateway->forecasts == FORECASTS_UNKNOWN && (change = gateway_new_change(gateway, CHANGE_FORECAST, now)) != NULL) {
        change->u.forecast.load = true;
        gateway->forecasts = FORECASTS_ASKED;
        gateway_add_change(gateway, change);
    }
    if (gateway->forecasts != FORECASTS_KNOWN)
        return;
    if (planner_is_busy(gateway->planner) || limit_now.mono_ms >= gateway->planner_look_ms) {
        gateway->planner_look_ms = limit_now.mono_ms + PLANNER_LOOK_MS;
        (void)planner_poll(gateway->planner, gateway->chooser, &gateway->queue, limit_now);
    }
    gateway->planner_due_ms = planner_is_busy(gateway->planner) ? limit_now.mono_ms + 1 : gateway->planner_look_ms;
    if (!planner_wants_saving(gateway->planner))
        return;
    planner_saved(gateway->planner);
    keep_forecasts(gateway, now);
}

/* -- what is taken --------------------------------------------------------------------------------------------- */

/* Rests of messages are bound to their SIM, not to their time: what the operator would refuse waits. */
static bool may_go_on(struct gateway *gateway, struct gateway_slot *slot, const struct queue_item *item, struct gateway_now now)
{
    struct chooser_judgement judgement = chooser_judge(gateway->chooser, slot->bearer, item, gateway_limit_now(now));

    if (judgement.verdict != CHOOSER_LIMIT)
        return true;                     /* no other SIM may take it, whatever it costs by now */
    if (judgement.until_ms < slot->pick_retry_ms)
        slot->pick_retry_ms = judgement.until_ms;
    return false;
}

static bool goes_before(const struct queue_item *a, const struct queue_item *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->id < b->id;
}

bool gateway_pick(struct gateway *gateway, struct gateway_slot *slot, struct queue_item *ret_item, struct gateway_now now)
{
    struct queue_item common;
    uint64_t retry_ms = UINT64_MAX;
    int bound = -1;
    bool any;

    slot->pick_retry_ms = UINT64_MAX;
    if (slot->follow.id != 0) {
        if (!may_go_on(gateway, slot, &slot->follow, now))
            return false;
        *ret_item = slot->follow;
        slot->follow.id = 0;
        return true;
    }
    for (uint32_t i = 0; i < gateway->bound_count; i++)
        if (gateway->bound[i].sim_id == slot->sim_id && (bound < 0 || goes_before(&gateway->bound[i], &gateway->bound[bound])) &&
            may_go_on(gateway, slot, &gateway->bound[i], now))
            bound = (int)i;
    any = chooser_pick(gateway->chooser, slot->bearer, &gateway->queue, gateway_limit_now(now), &common, &retry_ms);
    if (bound >= 0 && (!any || goes_before(&gateway->bound[bound], &common))) {
        *ret_item = gateway->bound[bound];
        gateway->bound[bound] = gateway->bound[--gateway->bound_count];
        return true;
    }
    if (any) {
        *ret_item = common;
        (void)queue_take_item(&gateway->queue, &common);
        return true;
    }
    if (retry_ms < slot->pick_retry_ms)
        slot->pick_retry_ms = retry_ms;
    return false;
}

/* Only to keep gaps from being the same each time. */
static uint32_t jitter(const struct queue_item *item, struct gateway_now now)
{
    uint64_t word = (uint64_t)item->id * UINT64_C(0x9E3779B97F4A7C15) ^ now.mono_us * UINT64_C(0xBF58476D1CE4E5B9);

    return (uint32_t)((word ^ word >> 31) >> 16);
}

int gateway_count_part(struct gateway *gateway, struct gateway_slot *slot, const struct queue_item *item, struct change_intent *intent,
                       struct gateway_now now)
{
    struct chooser_taken *taken = &slot->next.taken;
    int r = chooser_take(gateway->chooser, slot->bearer, item, jitter(item, now), gateway_limit_now(now), taken, &intent->use_state,
                         &intent->choice);

    if (r < 0)
        return r;
    intent->price_micro = taken->price_micro;
    intent->recipient_key = taken->use.recipient_key;
    intent->recipient_day = taken->use.day;
    intent->recipient_month = taken->use.month;
    intent->remember = is_sticky(gateway, chooser_route(gateway->chooser, item));
    return 0;
}

void gateway_uncount_part(struct gateway *gateway, struct gateway_slot *slot, struct gateway_part *part, enum use_back why, struct gateway_now now)
{
    if (slot->bearer != CHOOSER_NO_BEARER)
        chooser_give_back(gateway->chooser, slot->bearer, &part->taken, why, gateway_limit_now(now));
    part->taken.taken = false;
}

void gateway_bearer_result(struct gateway *gateway, struct gateway_slot *slot, enum gateway_result result, uint8_t error_kind, int code,
                           struct gateway_now now)
{
    enum error_class class;

    if (slot->bearer == CHOOSER_NO_BEARER)
        return;
    if (result == GATEWAY_SENT) {
        chooser_result(gateway->chooser, slot->bearer, false, gateway_limit_now(now));
    } else if (result == GATEWAY_REFUSED) {
        class = error_classify((enum error_kind)error_kind, code)->class;
        if (class != ERROR_RECIPIENT && class != ERROR_MESSAGE && class != ERROR_AMBIGUOUS)
            chooser_result(gateway->chooser, slot->bearer, true, gateway_limit_now(now));
    }
}

/* Where another bearer can take the message at once it need not wait for this one to recover. */
bool gateway_has_another(struct gateway *gateway, const struct gateway_slot *slot, const struct queue_item *item, struct gateway_now now)
{
    if (item->sim_id != 0 || item->part_next != 0)
        return false;
    for (uint16_t i = 0; i < chooser_bearer_count(gateway->chooser); i++) {
        struct chooser_bearer_view view;

        if (i != slot->bearer && chooser_bearer_view(gateway->chooser, i, &view) && view.present &&
            chooser_judge(gateway->chooser, i, item, gateway_limit_now(now)).verdict == CHOOSER_MAY)
            return true;
    }
    return false;
}
