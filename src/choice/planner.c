/* SPDX-License-Identifier: Apache-2.0
 *
 * planner.c - what comes is counted, days are learnt, and it is said when a plan is due. */
#include "src/choice/planner_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/digits.h"

#define PLAN_MS 900000                   /* every five minutes saved no more (src/routing/shadow.h) */
#define CHANGED_MS 60000                 /* between plans, where bearers come and go */
#define STEP_MS 60000                    /* a wall clock that is off by more was set */
#define LIVED_MS UINT64_C(72000000)      /* 20 hours of a day say enough of it */
#define LIVED_MS_MAX UINT64_C(90000000)  /* the longest day has 25 */
#define SAVE_MS 3600000
#define DAY_KEY "day"
#define CROSSES "+1"                      /* behind the prefix of a kind that may wait till after midnight */
#define DAY_MAX 4000000                  /* beyond the year 9999 */

enum { WORKING, SATURDAY, SUNDAY };

/* -- life ------------------------------------------------------------------------------------------------------ */

struct planner *planner_new(void)
{
    struct planner *planner = calloc(1, sizeof *planner);

    if (planner == NULL)
        return NULL;
    planner->kinds = calloc(PLANNER_KINDS_MAX, sizeof *planner->kinds);
    for (unsigned crosses = 0; crosses < 2; crosses++)
        planner->kind_of[crosses] = malloc(CHOOSER_DESTINATIONS_MAX * sizeof *planner->kind_of[crosses]);
    if (planner->kinds == NULL || planner->kind_of[0] == NULL || planner->kind_of[1] == NULL) {
        planner_free(planner);
        return NULL;
    }
    return planner;
}

void planner_free(struct planner *planner)
{
    if (planner == NULL)
        return;
    planner_plan_done(&planner->plan);
    free(planner->kinds);
    free(planner->kind_of[0]);
    free(planner->kind_of[1]);
    free(planner);
}

const struct zone *planner_zone(const struct chooser *chooser)
{
    return chooser->routing != NULL ? chooser->routing->sim_default.limits.zone : NULL;
}

unsigned planner_day_kind(int32_t day)
{
    int weekday = ((day + 3) % 7 + 7) % 7;   /* 1970-01-01 was a Thursday; 0 is Monday */

    return weekday < 5 ? WORKING : weekday == 5 ? SATURDAY : SUNDAY;
}

/* -- days ------------------------------------------------------------------------------------------------------ */

static bool is_empty(const struct forecast *forecast)
{
    for (unsigned hour = 0; hour < FORECAST_HOURS; hour++) {
        uint32_t any = forecast->today[hour];

        for (unsigned kind = 0; kind < FORECAST_KINDS; kind++)
            any |= forecast->mean_milli[kind][hour];
        if (any != 0)
            return false;
    }
    return true;
}

/* Kinds that nothing comes of any more make room. */
static void forget_empty(struct planner *planner)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < planner->kind_count; i++)
        if (!is_empty(&planner->kinds[i].forecast))
            planner->kinds[kept++] = planner->kinds[i];
    planner->kind_count = kept;
    planner->generation = 0;             /* their places have changed */
}

static void end_day(struct planner *planner, int32_t next)
{
    bool learns = next == planner->day + 1 && !planner->spoiled && planner->lived_ms >= LIVED_MS;

    for (uint32_t i = 0; i < planner->kind_count; i++) {
        struct forecast *forecast = &planner->kinds[i].forecast;

        if (learns)
            forecast_end_day(forecast, planner_day_kind(planner->day));
        else
            memset(forecast->today, 0, sizeof forecast->today);
    }
    planner->taught = planner->taught || (learns && planner->kind_count > 0);
    planner->dirty = true;
    forget_empty(planner);
}

static void look_at_clock(struct planner *planner, const struct chooser *chooser, struct limit_now now)
{
    struct zone_period today = zone_period(planner_zone(chooser), ZONE_DAY, 0, now.wall_ms);
    int32_t day = today.label;

    if (planner->ticked) {
        int64_t passed_ms = (int64_t)(now.mono_ms - planner->mono_ms), step_ms = now.wall_ms - planner->wall_ms - passed_ms;

        planner->lived_ms += (uint64_t)passed_ms;
        if (planner->lived_ms > LIVED_MS_MAX)
            planner->lived_ms = LIVED_MS_MAX;
        planner->spoiled = planner->spoiled || step_ms > STEP_MS || step_ms < -STEP_MS;
    }
    planner->midnight_s = today.next_ms / 1000;
    if (planner->wall_ms / SAVE_MS != now.wall_ms / SAVE_MS && planner->kind_count > 0)
        planner->dirty = true;           /* so that a start does not lose the day */
    planner->ticked = true;
    planner->mono_ms = now.mono_ms;
    planner->wall_ms = now.wall_ms;
    if (planner->day_known && planner->day == day)
        return;
    if (planner->day_known)
        end_day(planner, day);
    planner->day_known = true;
    planner->spoiled = false;
    planner->day = day;
    planner->lived_ms = 0;
}

/* -- kinds ----------------------------------------------------------------------------------------------------- */

void planner_resolve(struct planner *planner, struct chooser *chooser, struct limit_now now)
{
    if (planner->generation == chooser->generation)
        return;
    planner->generation = chooser->generation;
    for (unsigned crosses = 0; crosses < 2; crosses++)
        memset(planner->kind_of[crosses], 0xFF, CHOOSER_DESTINATIONS_MAX * sizeof *planner->kind_of[crosses]);
    for (uint32_t i = 0; i < planner->kind_count; i++) {
        struct queue_item item = { .to_key = planner->kinds[i].prefix };
        uint32_t destination = chooser_destination_index(chooser, &item, now);
        uint16_t *kind_of = planner->kind_of[planner->kinds[i].crosses];

        planner->kinds[i].destination = destination;
        if (destination != NO_DESTINATION && kind_of[destination] == NO_KIND)
            kind_of[destination] = (uint16_t)i;
    }
}

/* NO_KIND: no room. */
static uint16_t kind_with(struct planner *planner, uint64_t prefix, bool crosses)
{
    for (uint32_t i = 0; i < planner->kind_count; i++)
        if (planner->kinds[i].prefix == prefix && planner->kinds[i].crosses == crosses)
            return (uint16_t)i;
    if (planner->kind_count == PLANNER_KINDS_MAX)
        return NO_KIND;
    planner->kinds[planner->kind_count] = (struct planner_kind){ .prefix = prefix, .crosses = crosses, .destination = NO_DESTINATION };
    forecast_init(&planner->kinds[planner->kind_count].forecast);
    return (uint16_t)planner->kind_count++;
}

void planner_count(struct planner *planner, struct chooser *chooser, const struct queue_item *item, struct limit_now now)
{
    int64_t local_s = now.wall_ms / 1000 + zone_offset_s(planner_zone(chooser), now.wall_ms / 1000);
    uint32_t destination;
    uint16_t kind, *kind_of;
    bool crosses;

    look_at_clock(planner, chooser, now);
    if (chooser->destinations == NULL || (chooser->routing != NULL && chooser->atlas.set == NULL))
        return;                          /* no memory: classes are not known */
    planner_resolve(planner, chooser, now);
    destination = chooser_destination_index(chooser, item, now);
    if (destination == NO_DESTINATION)
        return;
    crosses = (int64_t)item->since_s + item->patience_s >= planner->midnight_s + PLANNER_CROSSING_S;
    kind_of = planner->kind_of[crosses];
    kind = kind_of[destination];
    if (kind == NO_KIND) {
        kind = kind_with(planner, chooser_price_prefix(chooser, item), crosses);
        if (kind == NO_KIND)
            return;
        if (planner->kinds[kind].destination == NO_DESTINATION)
            planner->kinds[kind].destination = destination;
        kind_of[destination] = kind;
    }
    forecast_count(&planner->kinds[kind].forecast, (unsigned)((local_s % 86400 + 86400) % 86400 / 3600), item->parts);
}

/* -- plans ----------------------------------------------------------------------------------------------------- */

void planner_clear_prices(struct chooser *chooser)
{
    if (!chooser->priced)
        return;
    for (uint32_t i = 0; i < chooser->bearer_count; i++) {
        struct chooser_bearer *bearer = &chooser->bearers[i];

        chooser_shadows_clear(bearer);
        bearer->share_micro = 0;
        bearer->given = 0;
    }
    chooser->priced = false;
    chooser->slack_micro = 0;
    chooser->epoch++;
}

static bool is_due(const struct planner *planner, const struct chooser *chooser, struct limit_now now)
{
    uint64_t age_ms = now.mono_ms - planner->planned_ms;
    bool changed = planner->presence != chooser->presence || planner->planned_generation != chooser->generation;

    return !planner->planned || age_ms >= PLAN_MS || planner->planned_day != planner->day || (changed && age_ms >= CHANGED_MS);
}

bool planner_poll(struct planner *planner, struct chooser *chooser, const struct queue *queue, struct limit_now now)
{
    bool was_priced = chooser->priced;
    int r;

    look_at_clock(planner, chooser, now);
    if (planner->plan.shadow != NULL)
        return planner_plan_go_on(planner, chooser);
    if (!planner->taught || !is_due(planner, chooser, now))
        return false;
    planner->planned = true;
    planner->planned_ms = now.mono_ms;
    planner->planned_day = planner->day;
    planner->presence = chooser->presence;
    planner->planned_generation = chooser->generation;
    r = planner_plan_begin(planner, chooser, queue, now);
    if (r == 0)
        return planner_plan_go_on(planner, chooser);
    if (r == -ENOENT)
        planner_clear_prices(chooser);
    return was_priced && !chooser->priced;   /* without memory prices stay as they are */
}

bool planner_is_busy(const struct planner *planner)
{
    return planner->plan.shadow != NULL;
}

/* -- as text --------------------------------------------------------------------------------------------------- */

bool planner_wants_saving(const struct planner *planner)
{
    return planner->dirty;
}

void planner_saved(struct planner *planner)
{
    planner->dirty = false;
}

size_t planner_row_count(const struct planner *planner)
{
    return planner->kind_count + planner->day_known;
}

void planner_row(const struct planner *planner, size_t row, char ret_key[PLANNER_KEY_MAX], char ret_text[PLANNER_TEXT_MAX])
{
    char digits[DIGITS_CHARS];

    if (row == planner->kind_count) {
        (void)snprintf(ret_key, PLANNER_KEY_MAX, DAY_KEY);
        (void)snprintf(ret_text, PLANNER_TEXT_MAX, "%" PRId32 " %" PRIu64 " %d", planner->day, planner->lived_ms, planner->spoiled);
        return;
    }
    prefix_text(planner->kinds[row].prefix, digits);
    (void)snprintf(ret_key, PLANNER_KEY_MAX, "%s%s", digits[0] != '\0' ? digits : "*", planner->kinds[row].crosses ? CROSSES : "");
    (void)forecast_save(&planner->kinds[row].forecast, ret_text);
}

static int load_day(struct planner *planner, const char *text)
{
    int32_t day;
    uint64_t lived_ms;
    int spoiled;

    if (sscanf(text, "%" SCNd32 " %" SCNu64 " %d", &day, &lived_ms, &spoiled) != 3 || day < -DAY_MAX || day > DAY_MAX || lived_ms > LIVED_MS_MAX)
        return -EINVAL;
    planner->day_known = true;
    planner->day = day;
    planner->lived_ms = lived_ms;
    planner->spoiled = spoiled != 0;
    return 0;
}

int planner_load_row(struct planner *planner, const char *key, const char *text)
{
    size_t length = strlen(key);
    struct forecast forecast;
    uint64_t prefix = 0;
    uint16_t kind;

    bool crosses = length > strlen(CROSSES) && strcmp(key + length - strlen(CROSSES), CROSSES) == 0;

    if (strcmp(key, DAY_KEY) == 0)
        return load_day(planner, text);
    length -= crosses ? strlen(CROSSES) : 0;
    if (length != 1 || key[0] != '*') {
        if (length == 0 || length > PREFIX_DIGITS_MAX || strspn(key, "0123456789") != length)
            return -EINVAL;
        prefix = digits_pack(key, length, NULL);
    }
    forecast_init(&forecast);
    if (forecast_load(text, &forecast) < 0)
        return -EINVAL;
    kind = kind_with(planner, prefix, crosses);
    if (kind == NO_KIND)
        return -ENOSPC;
    planner->kinds[kind].forecast = forecast;
    planner->generation = 0;
    for (unsigned i = 0; i < FORECAST_KINDS; i++)
        planner->taught = planner->taught || forecast.days[i] > 0;
    return 0;
}
