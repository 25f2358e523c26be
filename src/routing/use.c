/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/use.h"

#include <errno.h>
#include <stdlib.h>

#include "src/routing/use_internal.h"

#define SPEND_MICRO_MAX (INT64_MAX / 4)
#define MINUTE_MS 60000
#define SLIDE_GRAINS 15

/* Sums that stop at their bound: a counter that began anew would make room. */
static uint32_t add_u32(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static int64_t add_micro(int64_t a, int64_t b)
{
    return a > SPEND_MICRO_MAX - b ? SPEND_MICRO_MAX : a + b;
}

/* -- periods -------------------------------------------------------------------------------------------------- */

uint64_t use_period_parts(const struct use_period *period)
{
    uint64_t parts = 0;

    for (uint32_t i = 0; i < period->count; i++)
        parts += period->runs[i].parts;
    return parts;
}

int64_t use_period_spend_micro(const struct use_period *period)
{
    int64_t spend_micro = 0;

    for (uint32_t i = 0; i < period->count; i++)
        spend_micro = add_micro(spend_micro, period->runs[i].spend_micro);
    return spend_micro;
}

bool use_period_has(const struct use_period *period, int32_t label)
{
    if (label == USE_NO_LABEL)
        return false;
    for (uint32_t i = 0; i < period->count; i++)
        if (period->runs[i].label == label)
            return true;
    return period->everyone;
}

static void run_remove(struct use_period *period, uint32_t at)
{
    for (period->count--; at < period->count; at++)
        period->runs[at] = period->runs[at + 1];
    if (period->count <= 1)
        period->everyone = false;
}

/* Puts the two that were current longest ago together, as if both had been used last when the later one was. */
static void run_make_room(struct use_period *period)
{
    struct use_run *last = &period->runs[period->count - 1], *before = last - 1;

    before->parts = add_u32(before->parts, last->parts);
    before->unlisted = add_u32(before->unlisted, last->unlisted);
    before->spend_micro = add_micro(before->spend_micro, last->spend_micro);
    if (last->last_ms > before->last_ms)
        before->last_ms = last->last_ms;
    period->count--;
    period->everyone = true;
}

/* True: the label is new here, and what recipients have of it is of another time. */
static bool period_label(struct use_period *period, struct zone_period now)
{
    struct use_run current = { .label = now.label, .last_ms = USE_NEVER_MS };

    period->begin_ms = now.begin_ms;
    period->next_ms = now.next_ms;
    if (period->count > 0 && period->runs[0].label == now.label)
        return false;
    if (period->count > 0 && period->runs[0].last_ms == USE_NEVER_MS)
        run_remove(period, 0);
    for (uint32_t i = 0; i < period->count; i++)
        if (period->runs[i].label == now.label) {
            current = period->runs[i];
            for (; i > 0; i--)
                period->runs[i] = period->runs[i - 1];
            period->runs[0] = current;
            return false;
        }
    if (period->count == USE_RUNS_MAX)
        run_make_room(period);
    for (uint32_t i = period->count++; i > 0; i--)
        period->runs[i] = period->runs[i - 1];
    period->runs[0] = current;
    return true;
}

static void relabel(struct use *use, const struct zone *zone)
{
    int64_t real_ms = use_real_ms(use), wall_ms = use->seen.wall_ms;

    if (period_label(&use->day, zone_period(zone, ZONE_DAY, 1, wall_ms)))
        use_recipient_forget_day(use, use->day.runs[0].label);
    if (period_label(&use->month, zone_period(zone, ZONE_MONTH, 1, wall_ms)))
        use_recipient_forget_month(use, use->month.runs[0].label);
    use->day.begin_real_ms = real_ms - (wall_ms > use->day.begin_ms ? wall_ms - use->day.begin_ms : 0);
    use->month.begin_real_ms = real_ms - (wall_ms > use->month.begin_ms ? wall_ms - use->month.begin_ms : 0);
    use->recipients_counted = false;
    use_forget_answers(use);
}

static int64_t period_from_ms(const struct use *use, const struct use_period *period)
{
    return use_in_doubt(use) ? use_real_ms(use) - period->kept_ms : period->begin_real_ms;
}

/* Ends the runs that nothing of the current period can be in: those used last before it began, where the clock is
 * believed, and those used last longer ago than a period can last, where it is not. */
static void period_end_runs(struct use *use, struct use_period *period, void (*forget)(struct use *use, int32_t label))
{
    int64_t from_ms = period_from_ms(use, period);

    for (uint32_t i = period->count; i-- > 0;) {
        struct use_run *run = &period->runs[i];

        if (run->last_ms >= from_ms || (i == 0 && run->last_ms == USE_NEVER_MS))
            continue;
        if (i == 0) {   /* its label is the current one: what recipients have of it is of another time */
            *run = (struct use_run){ .label = run->label, .last_ms = USE_NEVER_MS };
            forget(use, run->label);
        } else {
            run_remove(period, i);
        }
        use->recipients_counted = false;
        use_forget_answers(use);
    }
}

static void end_what_is_over(struct use *use)
{
    int64_t real_ms = use_real_ms(use);

    period_end_runs(use, &use->day, use_recipient_forget_day);
    period_end_runs(use, &use->month, use_recipient_forget_month);
    use_slide_end(&use->minute, real_ms);
    use_slide_end(&use->hour, real_ms);
}

static struct limit_now clamp(struct limit_now now)
{
    if (now.wall_ms > USE_TIME_MS_MAX || now.wall_ms < -USE_TIME_MS_MAX)
        now.wall_ms = now.wall_ms > 0 ? USE_TIME_MS_MAX : -USE_TIME_MS_MAX;
    return now;
}

static void doubt(struct use *use, int64_t step_ms)
{
    use->error_ms += step_ms < 0 ? -step_ms : step_ms;
    if (use->error_ms > USE_TIME_MS_MAX)
        use->error_ms = USE_TIME_MS_MAX;
    use->doubt_until_ms = use_real_ms(use) + USE_DOUBT_MS;
    use->trusted = false;
}

void use_move(struct use *use, const struct limit_rules *rules, struct limit_now now)
{
    const struct zone *zone = rules->zone;
    int64_t moved_ms;
    bool changed = false;

    now = clamp(now);
    if (now.mono_ms < use->seen.mono_ms)
        now.mono_ms = use->seen.mono_ms;
    use->seen = now;
    moved_ms = now.wall_ms - (int64_t)now.mono_ms - use->ahead_ms;
    if (moved_ms > USE_STEP_MS || moved_ms < -USE_STEP_MS) {
        use->ahead_ms += moved_ms;
        doubt(use, moved_ms);
        use->step_unsaved = true;
        changed = true;
    } else if (!use->trusted && !use_in_doubt(use)) {
        use->trusted = changed = true;
        use->error_ms = 0;
    }
    if (use->zone_print != zone_fingerprint(zone)) {
        use->zone_print = zone_fingerprint(zone);
        changed = true;
    }
    if (use->rules != rules) {
        use->rules = rules;
        use_forget_answers(use);
    }
    if (changed || now.wall_ms >= use->day.next_ms || now.wall_ms >= use->month.next_ms)
        relabel(use, zone);
    end_what_is_over(use);
}

void use_clock_is_right(struct use *use, const struct limit_rules *rules, struct limit_now now)
{
    use_move(use, rules, now);
    if (!use_in_doubt(use))
        return;
    use->doubt_until_ms = use_real_ms(use);
    use_move(use, rules, now);
}

bool use_wants_saving(const struct use *use)
{
    return use->step_unsaved;
}

void use_rules_changed(struct use *use)
{
    use->rules = NULL;
    use_forget_answers(use);
}

/* -- windows that slide --------------------------------------------------------------------------------------- */

static void slide_remove_first(struct use_slide *slide)
{
    slide->count--;
    for (uint32_t i = 0; i < slide->count; i++)
        slide->entries[i] = slide->entries[i + 1];
}

void use_slide_end(struct use_slide *slide, int64_t real_ms)
{
    while (slide->count > 0 && slide->entries[0].last_ms + slide->window_ms <= real_ms) {
        slide->parts -= slide->entries[0].parts;
        slide_remove_first(slide);
    }
}

int64_t use_slide_room_ms(const struct use_slide *slide, uint32_t parts, int64_t real_ms)
{
    uint32_t left = 0;

    if (parts == 0)
        return real_ms;
    for (uint32_t i = 0; i < slide->count; i++) {
        left += slide->entries[i].parts;
        if (left >= parts)
            return slide->entries[i].last_ms + slide->window_ms;
    }
    return real_ms + slide->window_ms;
}

static void slide_add(struct use_slide *slide, uint32_t parts, int64_t real_ms)
{
    struct use_slide_entry *last = slide->count > 0 ? &slide->entries[slide->count - 1] : NULL;

    slide->parts += parts;
    if (last && real_ms - last->first_ms < slide->window_ms / SLIDE_GRAINS) {
        last->last_ms = real_ms;
        last->parts += parts;
        return;
    }
    if (slide->count == USE_SLIDE_MAX) {   /* they stay as long as the later one */
        slide->entries[1].parts += slide->entries[0].parts;
        slide->entries[1].first_ms = slide->entries[0].first_ms;
        slide_remove_first(slide);
    }
    slide->entries[slide->count++] = (struct use_slide_entry){ real_ms, real_ms, parts };
}

static void slide_give_back(struct use_slide *slide, uint32_t parts, int64_t taken_ms)
{
    for (uint32_t i = 0; i < slide->count; i++) {
        struct use_slide_entry *entry = &slide->entries[i];

        if (taken_ms > entry->last_ms)
            continue;
        if (taken_ms < entry->first_ms)   /* it has left the window */
            return;
        if (parts > entry->parts)
            parts = entry->parts;
        entry->parts -= parts;
        slide->parts -= parts;
        return;
    }
}

/* -- loading -------------------------------------------------------------------------------------------------- */

int use_load(const char *state, int64_t boot, const struct limit_rules *rules, struct limit_now now, struct use **ret_use)
{
    struct use *use = calloc(1, sizeof *use);
    struct limit_now saved = now;
    int64_t saved_boot = boot, passed_ms = 0, back_ms;
    bool same_run;

    if (!use)
        return -ENOMEM;
    use->day.kept_ms = USE_DAY_MS;
    use->month.kept_ms = USE_MONTH_MS;
    use->minute.window_ms = MINUTE_MS;
    use->hour.window_ms = 60 * MINUTE_MS;
    use->history_day = USE_NO_LABEL;
    now = clamp(now);
    use->last_take_ms = USE_NEVER_MS;
    /* Of the text all times are before or after 0, when it was made. */
    if (state && use_parse(use, state, &saved, &saved_boot) < 0) {
        free(use);
        return -EINVAL;
    }
    same_run = state && boot != 0 && boot == saved_boot && now.mono_ms >= saved.mono_ms;
    if (same_run)
        passed_ms = (int64_t)(now.mono_ms - saved.mono_ms);
    else if (now.wall_ms - saved.wall_ms > use->error_ms)   /* a clock that was wrong by so much may have been set right since */
        passed_ms = now.wall_ms - saved.wall_ms - use->error_ms;
    use->boot = boot;
    use->seen = now;
    use->shift_ms = passed_ms - (int64_t)now.mono_ms;
    if (!same_run) {
        use->ahead_ms = now.wall_ms - (int64_t)now.mono_ms;
        /* A clock that was right and is later now: it may be behind, but what it shows to be over is over. */
        back_ms = state && saved.wall_ms > now.wall_ms ? saved.wall_ms - now.wall_ms : 0;
        if (state && use->doubt_until_ms <= 0 && back_ms == 0)
            use_move(use, rules, now);
        doubt(use, back_ms);
        use->step_unsaved = state != NULL;   /* or the next start would not be of the same run either */
    }
    use_move(use, rules, now);
    use_rules_changed(use);   /* they were looked at for this call alone */
    *ret_use = use;
    return 0;
}

void use_free(struct use *use)
{
    if (!use)
        return;
    free(use->recipients);
    free(use);
}

/* -- what is used --------------------------------------------------------------------------------------------- */

static void run_take(struct use_run *run, uint32_t parts, int64_t cost_micro, int64_t real_ms)
{
    run->parts = add_u32(run->parts, parts);
    run->spend_micro = add_micro(run->spend_micro, cost_micro);
    run->last_ms = real_ms;
}

/* Where a run may have ended and begun anew under its label, there is none: what is given back would be another's. */
static struct use_run *run_of(const struct use *use, struct use_period *period, int32_t label, int64_t taken_ms)
{
    if (taken_ms < period_from_ms(use, period))
        return NULL;
    for (uint32_t i = 0; i < period->count; i++)
        if (period->runs[i].label == label)
            return &period->runs[i];
    return NULL;
}

static void run_give_back(struct use_run *run, uint32_t parts, int64_t cost_micro)
{
    if (!run)
        return;
    run->parts -= parts > run->parts ? run->parts : parts;
    run->spend_micro -= cost_micro > run->spend_micro ? run->spend_micro : cost_micro;
}

/* Daily totals follow the labels; of a clock that went back the days behind it become one. */
static void history_move(struct use *use, int32_t label)
{
    struct use_history *days = use->history;
    int64_t by = use->history_day == USE_NO_LABEL ? 0 : (int64_t)label - use->history_day;

    for (; by > 0; by--) {
        if (by > USE_HISTORY_DAYS)
            by = USE_HISTORY_DAYS + 1;
        for (unsigned i = USE_HISTORY_DAYS; i > 0; i--)
            days[i] = days[i - 1];
        days[0] = (struct use_history){ 0 };
    }
    for (; by < 0; by++) {
        if (by < -USE_HISTORY_DAYS)
            by = -USE_HISTORY_DAYS;
        days[0].parts = add_u32(days[0].parts, days[1].parts);
        days[0].spend_micro = add_micro(days[0].spend_micro, days[1].spend_micro);
        for (unsigned i = 1; i < USE_HISTORY_DAYS; i++)
            days[i] = days[i + 1];
        days[USE_HISTORY_DAYS] = (struct use_history){ 0 };
    }
    use->history_day = label;
}

static void take_recipient(struct use *use, uint64_t key, struct use_taken *taken)
{
    struct use_recipient *recipient = use_recipient_find(use, key);
    bool new_day, new_month;

    use_recipient_count(use);
    if (!recipient && !use->recipients_lost) {
        recipient = use_recipient_insert(use, key);
        use->recipients_lost = !recipient;
    }
    if (!recipient) {
        use->day.runs[0].unlisted++;
        use->month.runs[0].unlisted++;
        use->day.recipients++;
        use->month.recipients++;
        return;
    }
    taken->before_day = recipient->day;
    taken->before_month = recipient->month;
    new_day = !use_period_has(&use->day, recipient->day);
    new_month = !use_period_has(&use->month, recipient->month);
    recipient->takes = recipient->day == taken->day ? recipient->takes + 1 : 1;
    recipient->day = taken->day;
    recipient->month = taken->month;
    use->day.recipients += new_day;
    use->month.recipients += new_month;
}

struct use_taken use_take(struct use *use, const struct limit_rules *rules, uint64_t recipient_key, unsigned parts,
                          int64_t cost_micro, struct limit_now now, uint32_t random)
{
    struct use_taken taken = { .recipient_key = recipient_key, .cost_micro = cost_micro, .parts = parts,
                               .before_day = USE_NO_LABEL, .before_month = USE_NO_LABEL };
    int64_t real_ms;

    use_move(use, rules, now);
    real_ms = use_real_ms(use);
    taken.at_ms = real_ms;
    taken.day = use->day.runs[0].label;
    taken.month = use->month.runs[0].label;
    taken.before_gap_ms = use->gap_until_ms > real_ms ? (uint64_t)(use->gap_until_ms - real_ms) : 0;
    if (recipient_key != 0)
        take_recipient(use, recipient_key, &taken);
    run_take(&use->day.runs[0], parts, cost_micro, real_ms);
    run_take(&use->month.runs[0], parts, cost_micro, real_ms);
    slide_add(&use->minute, parts, real_ms);
    slide_add(&use->hour, parts, real_ms);
    history_move(use, taken.day);
    use->history[0].parts = add_u32(use->history[0].parts, parts);
    use->history[0].spend_micro = add_micro(use->history[0].spend_micro, cost_micro);
    use->gap_until_ms = real_ms + (int64_t)rules->gap_ms + (int64_t)((uint64_t)random * ((uint64_t)rules->jitter_ms + 1) >> 32);
    use->last_take_ms = real_ms;
    use_forget_answers(use);
    return taken;
}

void use_give_back(struct use *use, const struct use_taken *taken, enum use_back why)
{
    struct use_recipient *recipient;
    uint32_t parts = why == USE_NOT_SENT ? taken->parts : 0;
    int64_t ago = (int64_t)use->history_day - taken->day;

    run_give_back(run_of(use, &use->day, taken->day, taken->at_ms), parts, taken->cost_micro);
    run_give_back(run_of(use, &use->month, taken->month, taken->at_ms), parts, taken->cost_micro);
    if (ago >= 0 && ago <= USE_HISTORY_DAYS) {
        struct use_history *day = &use->history[ago];

        day->parts -= parts > day->parts ? day->parts : parts;
        day->spend_micro -= taken->cost_micro > day->spend_micro ? day->spend_micro : taken->cost_micro;
    }
    use_forget_answers(use);
    if (why != USE_NOT_SENT)
        return;
    slide_give_back(&use->minute, parts, taken->at_ms);
    slide_give_back(&use->hour, parts, taken->at_ms);
    if (use->last_take_ms == taken->at_ms)
        use->gap_until_ms = taken->at_ms + (int64_t)taken->before_gap_ms;
    recipient = use_recipient_find(use, taken->recipient_key);
    if (!recipient || recipient->day != taken->day || recipient->takes == 0 || --recipient->takes > 0)
        return;
    recipient->day = taken->before_day;
    recipient->month = taken->before_month;
    use->recipients_counted = false;
}

void use_result(struct use *use, const struct limit_rules *rules, bool failed, struct limit_now now)
{
    unsigned failures = 0;

    use_move(use, rules, now);
    use->results = (use->results << 1 | failed) & ((1u << LIMIT_RESULTS) - 1);
    for (uint32_t bits = use->results; bits != 0; bits &= bits - 1)
        failures++;
    /* Those there were not yet count as good: one failure of a new SIM says nothing. */
    if (!failed || rules->failure_percent == 0 || failures * 100 < (unsigned)rules->failure_percent * LIMIT_RESULTS)
        return;
    use->parked_until_ms = use_real_ms(use) + (int64_t)(rules->park_ms ? rules->park_ms : LIMIT_PARK_DEFAULT_MS);
    use->results = 0;   /* it starts anew after its rest */
    use_forget_answers(use);
}
