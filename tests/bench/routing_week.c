/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/routing_week.h"

#include "tests/system/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 4000000u
#define CLOSING_S 300                    /* before the end of the week, when the last messages are due */

/* Networks of three countries, and their shares of the traffic in thousandths. */
const char *const week_class_names[WEEK_CLASSES] = { "A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4", "C1", "C2", "C3" };
static const unsigned class_share[WEEK_CLASSES] = { 180, 150, 110, 60, 110, 90, 60, 40, 90, 70, 40 };
static const unsigned country_first[] = { 0, 4, 8, WEEK_CLASSES };

/* Prices in thousandths, before the seed moves them. */
static const struct { const char *name; unsigned home, price[3], on_net, day_limit; } sims[WEEK_SIMS] = {
    { "A1-free", 0, { 30, 110, 120 }, 0, 9000 },               { "A2-bundle", 0, { 25, 95, 90 }, WEEK_CLASSES, 8000 },
    { "A3-weekly", 0, { 38, 75, 105 }, WEEK_CLASSES, 9000 },   { "A4-plain", 0, { 33, 90, 85 }, WEEK_CLASSES, 10000 },
    { "A5-roam", 0, { 45, 60, 65 }, WEEK_CLASSES, 12000 },     { "B1-free", 1, { 80, 40, 100 }, 4, 8000 },
    { "B2-weekly", 1, { 70, 28, 90 }, WEEK_CLASSES, 7000 },    { "B3-daily", 1, { 85, 35, 95 }, WEEK_CLASSES, 9000 },
    { "B4-roam", 1, { 55, 50, 60 }, WEEK_CLASSES, 12000 },     { "C1-plain", 2, { 95, 80, 20 }, WEEK_CLASSES, 6000 },
    { "C2-monthly", 2, { 80, 75, 32 }, WEEK_CLASSES, 8000 },   { "C3-roam", 2, { 50, 55, 45 }, WEEK_CLASSES, 12000 },
};

/* Classes as bits; what the week has of a month, of a week that ends on Wednesday, of each day. */
static const struct { unsigned sim; uint32_t classes; enum { WHOLE, MIDWEEK, DAILY } period; unsigned parts; } bundles[] = {
    { 1, 0x00F, WHOLE, 30000 },   { 2, 0x004, WHOLE, 14000 },   { 4, 0x7FF, DAILY, 1000 },   { 6, 0x0F0, MIDWEEK, 14000 },
    { 7, 0x0C0, DAILY, 900 },     { 8, 0x0F0, WHOLE, 9000 },    { 10, 0x7F0, WHOLE, 16000 }, { 11, 0x00B, MIDWEEK, 10000 },
};

/* Messages in each hour of a working day and of a weekend, in thousandths of the day. */
static const unsigned hours_working[24] = { 8, 6, 5, 5, 7, 12, 25, 45, 65, 75, 76, 72, 62, 66, 72, 72, 70, 64, 54, 44, 36, 28, 19, 12 };
static const unsigned hours_weekend[24] = { 16, 12, 9, 7, 7, 10, 18, 30, 45, 58, 66, 68, 66, 62, 60, 60, 60, 62, 62, 58, 54, 46, 38, 26 };
static const unsigned day_share[7] = { 1080, 1120, 1150, 1130, 1120, 780, 620 };   /* thousandths of a mean day */

struct draws { uint64_t state; };

static uint32_t draw(struct draws *draws)   /* splitmix64: every seed is as good as the next */
{
    uint64_t z = draws->state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static unsigned draw_below(struct draws *draws, unsigned limit) { return (unsigned)(((uint64_t)draw(draws) * limit) >> 32); }

static double draw_unit(struct draws *draws) { return ((double)draw(draws) + 0.5) / 4294967296.0; }

static double draw_normal(struct draws *draws)
{
    double radius = sqrt(-2 * log(draw_unit(draws)));

    return radius * cos(6.283185307179586 * draw_unit(draws));
}

static unsigned draw_weighted(struct draws *draws, const double *weights, unsigned count)
{
    double sum = 0, at;

    for (unsigned i = 0; i < count; i++)
        sum += weights[i];
    at = draw_unit(draws) * sum;
    for (unsigned i = 0; i + 1 < count; i++)
        if ((at -= weights[i]) < 0)
            return i;
    return count - 1;
}

static uint32_t around(struct draws *draws, uint32_t value, double spread)
{
    return (uint32_t)((double)value * (1 - spread + 2 * spread * draw_unit(draws)) + 0.5);
}

static void add_bundle(struct week_world *world, struct draws *draws, size_t row, const struct week_scenario *scenario)
{
    struct week_bundle *bundle = &world->bundles[world->bundle_count];
    uint32_t parts = around(draws, bundles[row].parts * (scenario->messages_a_day / 100) / 500, 0.25);
    static const uint32_t ends[3][WEEK_PERIODS_MAX] = { { 7 }, { 3, 7 }, { 1, 2, 3, 4, 5, 6, 7 } };
    static const unsigned counts[3] = { 1, 2, 7 };
    uint32_t from_s = 0;

    /* Where nothing is scarce, the bundles for one network have more than there are messages, and there are no others. */
    if (!scenario->scarce && (bundles[row].classes & (bundles[row].classes - 1)) != 0)
        return;
    bundle->sim = bundles[row].sim;
    bundle->classes = bundles[row].classes;
    bundle->period_count = counts[bundles[row].period];
    for (unsigned i = 0; i < bundle->period_count; i++) {
        uint32_t until_s = ends[bundles[row].period][i] * DAY_S;
        uint32_t share = bundles[row].period == MIDWEEK ? parts / 7 * ((until_s - from_s) / DAY_S) : parts;

        bundle->periods[i] = (struct week_period){ from_s, until_s, scenario->scarce ? share : UINT32_MAX / 2 };
        from_s = until_s;
    }
    for (unsigned class = 0; class < WEEK_CLASSES; class++)
        if ((bundle->classes >> class & 1) != 0 && world->sims[bundle->sim].price_micro[class] > 0)
            world->sims[bundle->sim].bundle_of[class] = world->bundle_count;
    world->bundle_count++;
}

void week_world_make(struct week_world *world, const struct week_scenario *scenario, uint64_t seed)
{
    struct draws draws = { seed * 0x100000001B3u + 1 };

    memset(world, 0, sizeof *world);
    for (unsigned i = 0; i < WEEK_SIMS; i++) {
        struct week_sim *sim = &world->sims[i];
        uint32_t limit = around(&draws, (uint32_t)((uint64_t)sims[i].day_limit * scenario->messages_a_day / 50000), 0.2);

        sim->name = sims[i].name;
        sim->part_ms = 60000 / scenario->parts_a_minute;
        sim->day_limit = scenario->scarce ? limit : UINT32_MAX;
        for (unsigned country = 0; country < 3; country++)
            for (unsigned class = country_first[country]; class < country_first[country + 1]; class++) {
                sim->price_micro[class] = class == sims[i].on_net ? 0 : 500 * (int64_t)around(&draws, 2 * sims[i].price[country], 0.15);
                sim->bundle_of[class] = WEEK_NO_BUNDLE;
            }
    }
    for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++)
        add_bundle(world, &draws, i, scenario);
}

uint32_t week_period_of(const struct week_bundle *bundle, uint32_t now_s)
{
    for (uint32_t i = 0; i < bundle->period_count; i++)
        if (now_s >= bundle->periods[i].from_s && now_s < bundle->periods[i].until_s)
            return i;
    return UINT32_MAX;
}

/* -- messages ------------------------------------------------------------------------------------------------------- */

static void add_message(struct week *week, struct draws *draws, uint32_t at_s, unsigned class, uint32_t patience_s)
{
    unsigned dice = draw_below(draws, 100);
    struct week_message *message;

    if (at_s >= WEEK_S || week->count == MESSAGES_MAX)
        return;
    message = &week->messages[week->count++];
    message->at_s = at_s;
    message->deadline_s = at_s + patience_s < WEEK_S - CLOSING_S ? at_s + patience_s : at_s > WEEK_S - CLOSING_S ? at_s : WEEK_S - CLOSING_S;
    message->class = (uint8_t)class;
    message->parts = (uint8_t)(dice < 70 ? 1 : dice < 90 ? 2 : dice < 97 ? 3 : 4);
    week->parts += message->parts;
}

static uint32_t draw_patience(struct draws *draws)
{
    unsigned dice = draw_below(draws, 100);

    if (dice < 3)
        return 0;                                            /* codes for a login */
    if (dice < 25)
        return 60 + draw_below(draws, 9 * 60);               /* somebody waits for it */
    if (dice < 70)
        return 600 + draw_below(draws, 110 * 60);
    return 7200 + draw_below(draws, 10 * 3600);
}

/* Thousands within minutes, for one country, with hours of patience. */
static size_t add_campaign(struct week *week, struct draws *draws, const struct week_scenario *scenario, unsigned day)
{
    unsigned size = (1000 + draw_below(draws, 3000)) * (scenario->messages_a_day / 100) / 500;
    unsigned country = draw_below(draws, 10) < 5 ? 0 : draw_below(draws, 5) < 3 ? 1 : 2;
    uint32_t from_s = day * DAY_S + 8 * 3600 + draw_below(draws, 9 * 3600), lasts_s = 180 + draw_below(draws, 720);
    uint32_t patience_s = 3600 * (2 + draw_below(draws, 7));
    double weights[WEEK_CLASSES] = { 0 };

    for (unsigned class = country_first[country]; class < country_first[country + 1]; class++)
        weights[class] = class_share[class];
    for (unsigned i = 0; i < size; i++)
        add_message(week, draws, from_s + draw_below(draws, lasts_s), draw_weighted(draws, weights, WEEK_CLASSES), patience_s);
    return size;
}

static void add_day(struct week *week, struct draws *draws, const struct week_scenario *scenario, unsigned day)
{
    double total = scenario->messages_a_day * (double)day_share[day] / 1000 * exp(0.06 * draw_normal(draws));
    unsigned campaigns = day < 5 ? draw_below(draws, 4) : draw_below(draws, 2);
    double weights[WEEK_CLASSES], hours[24];
    size_t sent = 0;

    for (unsigned class = 0; class < WEEK_CLASSES; class++)
        weights[class] = class_share[class] * exp(0.1 * draw_normal(draws));
    for (unsigned hour = 0; hour < 24; hour++)
        hours[hour] = (day < 5 ? hours_working : hours_weekend)[hour] * exp(0.08 * draw_normal(draws));
    for (unsigned i = 0; i < campaigns; i++)
        sent += add_campaign(week, draws, scenario, day);
    for (; (double)sent < total; sent++) {
        uint32_t at_s = day * DAY_S + draw_weighted(draws, hours, 24) * 3600 + draw_below(draws, 3600);

        add_message(week, draws, at_s, draw_weighted(draws, weights, WEEK_CLASSES), draw_patience(draws));
    }
}

static int by_time(const void *a, const void *b)
{
    const struct week_message *x = a, *y = b;

    if (x->at_s != y->at_s)
        return x->at_s < y->at_s ? -1 : 1;
    if (x->deadline_s != y->deadline_s)
        return x->deadline_s < y->deadline_s ? -1 : 1;
    return x->class != y->class ? x->class - y->class : x->parts - y->parts;
}

void week_make(struct week *week, const struct week_scenario *scenario, uint64_t seed)
{
    struct draws draws = { seed * 0x100000001B3u + 2 };

    *week = (struct week){ .messages = malloc(MESSAGES_MAX * sizeof *week->messages) };
    HARNESS_CHECK(week->messages != NULL);
    for (unsigned day = 0; day < 7; day++)
        add_day(week, &draws, scenario, day);
    qsort(week->messages, week->count, sizeof *week->messages, by_time);
}

void week_done(struct week *week)
{
    free(week->messages);
    *week = (struct week){ 0 };
}
