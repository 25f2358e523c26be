/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a message may go now: asked for hundreds of SIMs at each decision, so what was found is kept as long as it holds. */
#include "src/routing/use_internal.h"

#define DAYS_AHEAD 8
#define HOUR_MS 3600000.0
#define DAY_MS (24 * HOUR_MS)

struct demand { uint64_t recipient_key; uint32_t parts; int64_t cost_micro; bool roaming; };

/* -- allowed hours -------------------------------------------------------------------------------------------- */

/* The moment of allowed hours that comes first, which may be now; *ret_until_ms: where those that are now end. */
static int64_t hours_next_ms(const struct limit_rules *rules, int64_t wall_ms, int64_t *ret_until_ms)
{
    int32_t today;
    int64_t next_ms = INT64_MAX;
    int64_t utc_s = wall_ms / 1000, local_s;
    unsigned minute;

    *ret_until_ms = INT64_MAX;
    if (rules->hours_count == 0)
        return wall_ms;
    local_s = utc_s + zone_offset_s(rules->zone, utc_s) + INT64_C(86400) * 146097 * 100;   /* so that it is positive */
    today = (int32_t)(local_s / 86400 - INT64_C(146097) * 100);
    minute = (unsigned)(local_s % 86400 / 60);
    for (int32_t day = today - 1; day < today + DAYS_AHEAD; day++) {
        uint8_t weekday = (uint8_t)(1u << (unsigned)((day + INT64_C(146097) * 70 + 3) % 7));   /* 1970-01-01 was a Thursday */

        for (unsigned i = 0; i < rules->hours_count; i++) {
            const struct limit_hours *hours = &rules->hours[i];
            int64_t from_ms, until_ms;

            if (!(hours->days & weekday))
                continue;
            until_ms = zone_moment_ms(rules->zone, day, hours->until_min);
            /* What the clocks show decides; of an hour that comes twice only the end is in doubt. */
            if (day == today && minute >= hours->from_min && minute < hours->until_min) {
                *ret_until_ms = until_ms > wall_ms ? until_ms : wall_ms + 60000 - wall_ms % 60000;
                return wall_ms;
            }
            from_ms = zone_moment_ms(rules->zone, day, hours->from_min);
            if (from_ms > wall_ms && from_ms < until_ms && from_ms < next_ms)
                next_ms = from_ms;
        }
    }
    return next_ms;
}

/* -- what binds ----------------------------------------------------------------------------------------------- */

static uint64_t mono_of_real(const struct use *use, int64_t real_ms)
{
    int64_t ahead_ms = real_ms - use_real_ms(use);

    return ahead_ms <= 0 ? use->seen.mono_ms : use->seen.mono_ms + (uint64_t)ahead_ms;
}

static uint64_t mono_of_wall(const struct use *use, int64_t wall_ms)
{
    if (wall_ms == INT64_MAX)
        return UINT64_MAX;
    return wall_ms <= use->seen.wall_ms ? use->seen.mono_ms : use->seen.mono_ms + (uint64_t)(wall_ms - use->seen.wall_ms);
}

/* When something of a period may come free: at its end or, where the clock is in doubt, when a run is over or the doubt is. */
static uint64_t period_ask_ms(const struct use *use, const struct use_period *period)
{
    int64_t ask_ms = use->doubt_until_ms;

    if (!use_in_doubt(use))
        return mono_of_wall(use, period->next_ms);
    for (uint32_t i = 0; i < period->count; i++) {
        int64_t over_ms = period->runs[i].last_ms + period->kept_ms + 1;

        if (period->runs[i].last_ms != USE_NEVER_MS && over_ms < ask_ms)
            ask_ms = over_ms;
    }
    return mono_of_real(use, ask_ms);
}

/* Of all that bind, the one that does so longest: before it nothing else helps. */
static void bind(struct limit_answer *answer, enum limit_kind kind, bool never, uint64_t ask_ms)
{
    if (never)
        ask_ms = UINT64_MAX;
    if (answer->never || (answer->kind != LIMIT_NONE && !never && ask_ms <= answer->ask_mono_ms))
        return;
    *answer = (struct limit_answer){ kind, never, ask_ms };
}

static void bind_slide(struct limit_answer *answer, const struct use *use, enum limit_kind kind, const struct use_slide *slide, uint32_t limit,
                       uint32_t parts)
{
    if (limit == 0)
        return;
    if (parts > limit)
        bind(answer, kind, true, 0);
    else if (slide->parts + parts > limit)
        bind(answer, kind, false, mono_of_real(use, use_slide_room_ms(slide, slide->parts + parts - limit, use_real_ms(use))));
}

static void bind_period(struct limit_answer *answer, const struct use *use, enum limit_kind kind, const struct use_period *period,
                        uint32_t limit, uint32_t parts)
{
    if (limit != 0 && (parts > limit || use_period_parts(period) + parts > limit))
        bind(answer, kind, parts > limit, period_ask_ms(use, period));
}

static void bind_spend(struct limit_answer *answer, const struct use *use, enum limit_kind kind, const struct use_period *period,
                       int64_t limit_micro, int64_t cost_micro)
{
    if (limit_micro != 0 && cost_micro > 0 && (cost_micro > limit_micro || use_period_spend_micro(period) > limit_micro - cost_micro))
        bind(answer, kind, cost_micro > limit_micro, period_ask_ms(use, period));
}

/* Who was written to already adds nothing. But above the limit nobody goes: a clock that was ahead has left labels of days
 * that came later, and then it is not known who is new. */
static void bind_recipients(struct limit_answer *answer, const struct use *use, enum limit_kind kind, const struct use_period *period,
                            uint32_t limit, const struct use_recipient *recipient, int32_t label)
{
    bool known = recipient && use_period_has(period, label);

    if (limit != 0 && (known ? period->recipients > limit : period->recipients >= limit))
        bind(answer, kind, false, period_ask_ms(use, period));
}

static struct limit_answer what_binds(const struct limit_rules *rules, struct use *use, const struct demand *demand)
{
    struct limit_answer answer = { LIMIT_NONE, false, use->seen.mono_ms };
    int64_t real_ms = use_real_ms(use), until_ms, next_ms;

    if (demand->roaming && rules->roaming_refused)
        bind(&answer, LIMIT_ROAMING, false, UINT64_MAX);
    if (use->parked_until_ms > real_ms)
        bind(&answer, LIMIT_PARKED, false, mono_of_real(use, use->parked_until_ms));
    if (use->gap_until_ms > real_ms)
        bind(&answer, LIMIT_GAP, false, mono_of_real(use, use->gap_until_ms));
    bind_slide(&answer, use, LIMIT_MINUTE, &use->minute, rules->per_minute, demand->parts);
    bind_slide(&answer, use, LIMIT_HOUR, &use->hour, rules->per_hour, demand->parts);
    bind_period(&answer, use, LIMIT_DAY, &use->day, rules->per_day, demand->parts);
    bind_period(&answer, use, LIMIT_MONTH, &use->month, rules->per_month, demand->parts);
    bind_spend(&answer, use, LIMIT_SPEND_DAY, &use->day, rules->spend_per_day_micro, demand->cost_micro);
    bind_spend(&answer, use, LIMIT_SPEND_MONTH, &use->month, rules->spend_per_month_micro, demand->cost_micro);
    if (demand->recipient_key != 0 && (rules->recipients_per_day != 0 || rules->recipients_per_month != 0)) {
        const struct use_recipient *recipient = use_recipient_find(use, demand->recipient_key);

        use_recipient_count(use);
        bind_recipients(&answer, use, LIMIT_RECIPIENTS_DAY, &use->day, rules->recipients_per_day, recipient, recipient ? recipient->day : 0);
        bind_recipients(&answer, use, LIMIT_RECIPIENTS_MONTH, &use->month, rules->recipients_per_month, recipient,
                        recipient ? recipient->month : 0);
    }
    next_ms = hours_next_ms(rules, use->seen.wall_ms, &until_ms);
    if (next_ms > use->seen.wall_ms)
        bind(&answer, LIMIT_HOURS, false, mono_of_wall(use, next_ms));
    return answer;
}

/* -- what is kept of an answer -------------------------------------------------------------------------------- */

static uint32_t room(uint32_t limit, uint64_t used)
{
    return limit == 0 ? UINT32_MAX : used >= limit ? 0 : limit - (uint32_t)used;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static int64_t room_micro(int64_t limit_micro, const struct use_period *period)
{
    int64_t used_micro = use_period_spend_micro(period);

    return limit_micro == 0 ? INT64_MAX : used_micro >= limit_micro ? 0 : limit_micro - used_micro;
}

/* Nothing binds a message that is within free_parts and free_micro, until a day or the allowed hours end: use only grows
 * by use_take(). */
static void keep_free(const struct limit_rules *rules, struct use *use)
{
    int64_t until_ms, day_micro = room_micro(rules->spend_per_day_micro, &use->day),
                      month_micro = room_micro(rules->spend_per_month_micro, &use->month);
    uint64_t day_end_ms = mono_of_wall(use, use->day.next_ms), hours_end_ms, believed_ms = UINT64_MAX;

    (void)hours_next_ms(rules, use->seen.wall_ms, &until_ms);
    hours_end_ms = mono_of_wall(use, until_ms);
    if (use_in_doubt(use))
        believed_ms = mono_of_real(use, use->doubt_until_ms);
    use->free_until_ms = day_end_ms < hours_end_ms ? day_end_ms : hours_end_ms;
    use->free_until_ms = believed_ms < use->free_until_ms ? believed_ms : use->free_until_ms;
    use->free_parts = min_u32(min_u32(room(rules->per_minute, use->minute.parts), room(rules->per_hour, use->hour.parts)),
                              min_u32(room(rules->per_day, use_period_parts(&use->day)), room(rules->per_month, use_period_parts(&use->month))));
    use->free_micro = day_micro < month_micro ? day_micro : month_micro;
    use_recipient_count(use);
    use->free_recipients = room(rules->recipients_per_day, use->day.recipients) > 0 && room(rules->recipients_per_month, use->month.recipients) > 0;
    use->free_roaming = !rules->roaming_refused;
}

/* What binds even one free part to nobody binds every message that would fit its limits at all. */
static void keep_blocked(const struct limit_rules *rules, struct use *use)
{
    struct demand least = { .parts = 1 };
    struct limit_answer answer = what_binds(rules, use, &least);

    if (answer.kind == LIMIT_NONE || answer.ask_mono_ms == UINT64_MAX)
        return;
    use->blocked = answer;
    use->blocked_until_ms = answer.ask_mono_ms;
    use->fits_parts = min_u32(min_u32(room(rules->per_minute, 0), room(rules->per_hour, 0)), min_u32(room(rules->per_day, 0), room(rules->per_month, 0)));
    use->fits_micro = INT64_MAX;
    if (rules->spend_per_day_micro != 0)
        use->fits_micro = rules->spend_per_day_micro;
    if (rules->spend_per_month_micro != 0 && rules->spend_per_month_micro < use->fits_micro)
        use->fits_micro = rules->spend_per_month_micro;
}

struct limit_answer limit_check(const struct limit_rules *rules, struct use *use, uint64_t recipient_key, unsigned parts,
                                int64_t cost_micro, bool roaming, struct limit_now now)
{
    struct demand demand = { recipient_key, parts, cost_micro, roaming };
    uint64_t moved_ms = (uint64_t)(now.wall_ms - (int64_t)now.mono_ms - use->ahead_ms) + USE_STEP_MS;
    struct limit_answer answer;

    if (rules == use->rules && moved_ms <= 2 * USE_STEP_MS && now.mono_ms >= use->seen.mono_ms) {
        if (now.mono_ms < use->free_until_ms && parts <= use->free_parts && cost_micro <= use->free_micro &&
            (use->free_recipients || recipient_key == 0) && (use->free_roaming || !roaming))
            return (struct limit_answer){ LIMIT_NONE, false, now.mono_ms };
        if (now.mono_ms < use->blocked_until_ms && parts <= use->fits_parts && cost_micro <= use->fits_micro && (use->free_roaming || !roaming))
            return use->blocked;
    }
    use_move(use, rules, now);
    use->free_roaming = !rules->roaming_refused;
    answer = what_binds(rules, use, &demand);
    if (answer.kind == LIMIT_NONE)
        keep_free(rules, use);
    else if (!answer.never)
        keep_blocked(rules, use);
    return answer;
}

/* -- what operators see --------------------------------------------------------------------------------------- */

/* At the rate of the period so far (the first hour alone says little) or of the last seven days, whichever is more. */
static int64_t runs_out_ms(const struct use *use, const struct limit_view *view, const struct use_period *period, double before_per_day)
{
    double passed_ms = (double)(use->seen.wall_ms - period->begin_ms), rate, left_ms;

    if (view->limit == 0)
        return 0;
    if (view->used >= view->limit)
        return use->seen.wall_ms;
    rate = (double)view->used / (passed_ms < HOUR_MS ? HOUR_MS : passed_ms);
    if (before_per_day / DAY_MS > rate)
        rate = before_per_day / DAY_MS;
    if (rate <= 0)
        return 0;
    left_ms = (double)(view->limit - view->used) / rate;
    return left_ms < (double)(period->next_ms - use->seen.wall_ms) ? use->seen.wall_ms + (int64_t)left_ms : 0;
}

/* Of the whole days before today that are known, at most seven. */
static void daily_means(const struct use *use, double *ret_parts, double *ret_spend_micro)
{
    int64_t ago = (int64_t)use->day.runs[0].label - use->history_day, days = 0;
    double parts = 0, spend_micro = 0;

    for (int64_t i = 0; i <= USE_HISTORY_DAYS; i++) {
        int64_t day = i + ago;   /* before today */

        if (use->history_day == USE_NO_LABEL || day < 1 || day > USE_HISTORY_DAYS || use->history[i].parts == 0)
            continue;
        parts += use->history[i].parts;
        spend_micro += (double)use->history[i].spend_micro;
        days = day;
    }
    *ret_parts = days ? parts / (double)days : 0;
    *ret_spend_micro = days ? spend_micro / (double)days : 0;
}

struct limit_view limit_view(const struct limit_rules *rules, struct use *use, enum limit_kind kind, struct limit_now now)
{
    struct limit_view view = { 0 };
    const struct use_period *period = NULL;
    double parts_per_day, spend_per_day, before = 0;

    use_move(use, rules, now);
    use_recipient_count(use);
    daily_means(use, &parts_per_day, &spend_per_day);
    switch (kind) {
    case LIMIT_MINUTE:
        view = (struct limit_view){ .used = use->minute.parts, .limit = rules->per_minute };
        break;
    case LIMIT_HOUR:
        view = (struct limit_view){ .used = use->hour.parts, .limit = rules->per_hour };
        break;
    case LIMIT_DAY:
    case LIMIT_MONTH:
        period = kind == LIMIT_DAY ? &use->day : &use->month;
        view = (struct limit_view){ .used = (int64_t)use_period_parts(period), .limit = kind == LIMIT_DAY ? rules->per_day : rules->per_month };
        before = parts_per_day;
        break;
    case LIMIT_RECIPIENTS_DAY:
    case LIMIT_RECIPIENTS_MONTH:
        period = kind == LIMIT_RECIPIENTS_DAY ? &use->day : &use->month;
        view = (struct limit_view){ .used = period->recipients,
                                    .limit = kind == LIMIT_RECIPIENTS_DAY ? rules->recipients_per_day : rules->recipients_per_month };
        break;
    case LIMIT_SPEND_DAY:
    case LIMIT_SPEND_MONTH:
        period = kind == LIMIT_SPEND_DAY ? &use->day : &use->month;
        view = (struct limit_view){ .used = use_period_spend_micro(period),
                                    .limit = kind == LIMIT_SPEND_DAY ? rules->spend_per_day_micro : rules->spend_per_month_micro };
        before = spend_per_day;
        break;
    case LIMIT_NONE: case LIMIT_ROAMING: case LIMIT_PARKED: case LIMIT_GAP: case LIMIT_HOURS: case LIMIT_KINDS:
        break;
    }
    if (period) {
        view.resets_at_ms = period->next_ms;
        view.runs_out_at_ms = runs_out_ms(use, &view, period, before);
    }
    return view;
}
