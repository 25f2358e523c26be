/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/credits/world.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS_MAX 20000000u
#define SETTLE_US DAYS(5)

const char *const fault_names[FAULT_COUNT] = {
    [FAULT_LOSE] = "lose", [FAULT_DOUBLE] = "double", [FAULT_DELAY] = "delay", [FAULT_PORTAL] = "portal", [FAULT_OFFLINE] = "offline",
    [FAULT_POWER] = "power", [FAULT_KILL] = "kill", [FAULT_SERVER] = "server", [FAULT_CLOCK] = "clock", [FAULT_PRICES] = "prices",
    [FAULT_FREEZE] = "freeze", [FAULT_EXPIRY] = "expiry", [FAULT_POOR] = "poor",
};
const char *const story_names[STORIES] = {
    [STORY_HONEST] = "honest", [STORY_CLONE] = "clone", [STORY_NAIVE_CLONE] = "naive_clone", [STORY_OLD_IMAGE] = "old_image",
    [STORY_STOLEN] = "stolen", [STORY_BACKUP] = "backup",
};

/* -- chance ---------------------------------------------------------------------------------------------------------- */

uint32_t draw_between(struct world *world, uint32_t low, uint32_t high)
{
    return low + sim_random_below(&world->random, high - low + 1);
}

bool draw_percent(struct world *world, uint32_t percent)
{
    return sim_random_below(&world->random, 100) < percent;
}

uint64_t draw_wait_us(struct world *world, uint64_t mean_us)
{
    double drawn = (sim_random_next(&world->random) + 1.0) / 4294967297.0;
    double wait = -log(drawn) * (double)mean_us;

    return wait > 8.0 * (double)mean_us ? 8 * mean_us : (uint64_t)wait + 1;
}

bool fault_now(struct world *world, enum fault fault, uint32_t percent)
{
    if (world->settling || (world->options.faults & UINT64_C(1) << fault) == 0 || !draw_percent(world, percent))
        return false;
    world->result->faults[fault]++;
    return true;
}

/* -- the story --------------------------------------------------------------------------------------------------------- */

void violation(struct world *world, const char *format, ...)
{
    struct world_result *result = world->result;
    char *text = result->violations[result->violation_count < VIOLATIONS_MAX ? result->violation_count : VIOLATIONS_MAX - 1];
    va_list arguments;

    if (result->violation_count++ >= VIOLATIONS_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof result->violations[0], format, arguments);
    va_end(arguments);
    trace(world, "VIOLATION", "%s", text);
}

void trace(const struct world *world, const char *who, const char *format, ...)
{
    va_list arguments;

    if (!world->options.trace)
        return;
    (void)printf("%12.3f %-9s ", (double)world->now_us / 1e6, who);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)printf("\n");
}

int64_t world_ms(const struct world *world)
{
    return WORLD_EPOCH_MS + (int64_t)(world->now_us / 1000);
}

/* -- faults of boxes ------------------------------------------------------------------------------------------------------ */

static void trouble(struct world *world)
{
    struct box *box = &world->boxes[draw_between(world, 0, world->box_count - 1)];

    world->trouble_us = world->now_us + draw_wait_us(world, HOURS(2));
    if (fault_now(world, FAULT_POWER, 25) && box->up) {
        box->power = true;
        disk_stop_after(box->disk, draw_between(world, 0, 30));
    } else if (fault_now(world, FAULT_KILL, 15) && box->up) {
        box->power = false;
        disk_stop_after(box->disk, draw_between(world, 0, 30));
    }
    if (fault_now(world, FAULT_OFFLINE, 15))
        box->offline_until_us = world->now_us + (draw_percent(world, 20) ? DAYS(draw_between(world, 1, 6)) : HOURS(draw_between(world, 1, 20)));
    if (box->clock_off_ms != 0 && draw_percent(world, 30))
        box->clock_off_ms = 0;
    else if (fault_now(world, FAULT_CLOCK, 8))
        box->clock_off_ms = draw_percent(world, 50) ? -WORLD_EPOCH_MS : (int64_t)(DAYS(draw_between(world, 1, 3000)) / 1000);
    if (world->story == STORY_HONEST && box->card.enrolled && fault_now(world, FAULT_FREEZE, 8))
        central_freeze(world, box->card.box_id, draw_percent(world, 40));
}

/* -- stories ---------------------------------------------------------------------------------------------------------------- */

static void enrol_all(struct world *world)
{
    char token[40];

    for (unsigned i = 0; i < world->box_count; i++) {
        central_token(world, token);
        box_enrol(&world->boxes[i], token);
    }
}

/* The card of the first box, copied while it is off for a moment. */
static bool copy_card(struct world *world, struct disk *disk, struct card *card)
{
    struct box *box = &world->boxes[0];

    if (!box->up || !box->card.enrolled || box->card.has_pending)
        return false;
    box_stop(box);
    box->start_us = world->now_us + SECONDS(60);
    *card = box->card;
    return disk_copy(disk, box->disk) == 0;
}

static bool make_copies(struct world *world, bool naive)
{
    struct box *original = &world->boxes[0];

    for (unsigned i = 0; i < world->options.clones; i++) {
        unsigned number = world->box_count;
        struct box *box = &world->boxes[number];

        if (number == BOXES_MAX || box_new_in(world, number) < 0)
            return true;
        if (!copy_card(world, box->disk, &box->card) && i == 0) {
            box_done(box);
            box->exists = false;
            return false;
        }
        if (i > 0) {
            box->card = world->boxes[number - 1].card;
            (void)disk_copy(box->disk, original->disk);
        }
        box->honest = false;
        if (!naive)
            memcpy(box->hw_fingerprint, original->hw_fingerprint, sizeof box->hw_fingerprint);
        box->attempts_before = original->attempt_count > 0 ? original->attempts[original->attempt_count - 1].id : 0;
        box->spent_before_micro = verdict_spent(box);
        box->busy_mean_us = MINUTES(1);
        world->box_count++;
    }
    original->start_us = world->now_us + SECONDS(60);
    trace(world, "thief", "copies the card of box 0 %u times", world->options.clones);
    return true;
}

static bool tell_story(struct world *world)
{
    struct box *box = &world->boxes[0];
    char token[40];

    switch (world->story) {
    case STORY_CLONE: return make_copies(world, false);
    case STORY_NAIVE_CLONE: return make_copies(world, true);
    case STORY_OLD_IMAGE:
        if (world->image_disk == NULL) {
            world->image_disk = disk_new(world->options.seed * BOXES_MAX + 99);
            if (!copy_card(world, world->image_disk, &world->image)) {
                disk_free(world->image_disk);
                world->image_disk = NULL;
                return false;
            }
            world->image_spent_micro = verdict_spent_on(world, world->image_disk);
            world->story_us = world->now_us + HOURS(draw_between(world, 1, 48));
            return true;
        }
        if (!box->up)
            return false;
        box_stop(box);
        /* What was spent since the image was made is not on it. */
        box->spent_before_micro -= verdict_spent(box) - world->image_spent_micro;
        (void)disk_copy(box->disk, world->image_disk);
        box->card = world->image;
        box->attempts_before = INT64_MAX;
        box->attempt_count = 0;
        box->honest = false;
        box->start_us = world->now_us + SECONDS(60);
        trace(world, "person", "sets box 0 back to its image");
        return true;
    case STORY_STOLEN:
        if (!box->card.enrolled || box->card.has_pending)
            return false;
        central_token_again(world, box->card.box_id, token);
        if (world->box_count < BOXES_MAX && box_new_in(world, world->box_count) == 0)
            box_enrol(&world->boxes[world->box_count++], token);
        box->honest = false;
        trace(world, "person", "enrols box 0 again on another machine");
        return true;
    case STORY_BACKUP:
        if (world->central.backup == NULL)
            return false;
        central_set_back(world);
        return true;
    default: return true;
    }
}

static void story_turn(struct world *world)
{
    uint64_t before_us = world->story_us;

    if (world->settling) {
        world->story_us = NEVER;
    } else if (!tell_story(world)) {
        world->story_us = world->now_us + HOURS(1);
    } else if (world->story_us == before_us) {
        world->story_us = NEVER;
    }
}

/* -- the clock ---------------------------------------------------------------------------------------------------------------- */

static void settle(struct world *world)
{
    trace(world, "world", "everything may settle now");
    world->settling = true;
    world->central.down_until_us = 0;
    for (unsigned i = 0; i < world->box_count; i++) {
        struct box *box = &world->boxes[i];

        box->offline_until_us = 0;
        box->clock_off_ms = 0;
        if (box->exists && box->up)
            disk_stop_after(box->disk, UINT32_MAX);
        if (box->card.enrolled && world->story == STORY_HONEST)
            central_freeze(world, box->card.box_id, false);
    }
    central_settle(world);
}

static uint64_t due_us(const struct world *world)
{
    uint64_t due = network_due_us(world);
    uint64_t others[] = { central_due_us(world), world->settling ? world->settle_us : world->end_us, world->settling ? NEVER : world->trouble_us,
                          world->story_us };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        due = others[i] < due ? others[i] : due;
    for (unsigned i = 0; i < world->box_count; i++) {
        uint64_t box_us = box_due_us(&world->boxes[i]);

        due = box_us < due ? box_us : due;
    }
    return due;
}

static void turn(struct world *world)
{
    uint64_t due = due_us(world);

    world->now_us = due > world->now_us ? due : world->now_us;
    if (!world->settling && world->now_us >= world->end_us)
        settle(world);
    central_turn(world);
    network_turn(world);
    for (unsigned i = 0; i < world->box_count; i++)
        box_turn(&world->boxes[i]);
    if (!world->settling && world->now_us >= world->trouble_us)
        trouble(world);
    if (world->now_us >= world->story_us)
        story_turn(world);
}

int world_run(const struct world_options *options, struct world_result *ret_result)
{
    struct world *world = calloc(1, sizeof *world);
    int r = world ? 0 : -ENOMEM;

    if (r < 0)
        return r;
    memset(ret_result, 0, sizeof *ret_result);
    world->options = *options;
    world->result = ret_result;
    sim_random_init(&world->random, options->seed, 7);
    world->story = options->story >= 0 ? (enum story)options->story
                                       : draw_percent(world, 60) ? STORY_HONEST : (enum story)draw_between(world, 1, STORIES - 1);
    if (world->options.clones == 0)
        world->options.clones = draw_between(world, 1, 3);
    world->box_count = options->boxes != 0 ? options->boxes : draw_between(world, 1, 3);
    world->end_us = options->length_us;
    world->settle_us = options->length_us + SETTLE_US;
    world->trouble_us = HOURS(1);
    world->story_us = world->story == STORY_HONEST ? NEVER : HOURS(draw_between(world, 4, 24));
    ret_result->stories[world->story]++;
    r = central_init(world);
    for (unsigned i = 0; r == 0 && i < world->box_count; i++)
        r = box_new_in(world, i);
    if (r == 0)
        enrol_all(world);
    while (r == 0 && (!world->settling || world->now_us < world->settle_us) && ret_result->violation_count == 0) {
        turn(world);
        if (++ret_result->turns > TURNS_MAX)
            violation(world, "the world does not come to rest");
    }
    ret_result->virtual_us = world->now_us;
    ret_result->box_us = world->now_us * world->box_count;
    if (ret_result->violation_count == 0)
        verdict_end(world);
    for (unsigned i = 0; i < world->box_count; i++)
        box_done(&world->boxes[i]);
    network_done(world);
    central_done(world);
    disk_free(world->image_disk);
    free(world);
    return r;
}
