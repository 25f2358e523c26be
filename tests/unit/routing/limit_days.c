/* SPDX-License-Identifier: Apache-2.0
 *
 * What clocks do here: a running machine's is set wrong by minutes to days, either way, and set right within a day; a
 * machine without a clock of its own starts with one that is behind, and is set right within a day while it runs. What
 * cannot be told from a machine that was off is left out: one that restarts before the program saw that its clock was set,
 * and one that starts behind and, restarted, is right. */
#include "tests/unit/routing/limit_days.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/date.h"
#include "src/routing/use.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define RECIPIENTS 400
#define TAKES_MAX 4096
#define CALM_MS (50 * HOUR_MS)           /* after any trouble with clocks its last traces are gone for the day */

static const char *const zones[] = {
    "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "NST3:30NDT,M3.2.0,M11.1.0", "IST-5:30", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "EET-2EEST,M3.5.0/0,M10.5.0/0", "<+13>-13", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
};

struct take { int64_t at_ms; uint32_t parts; bool sent; };
struct row { int32_t day, month; bool known; };

struct box {
    uint64_t random_state;
    struct limit_days_result *result;
    struct limit_rules rules;
    struct zone *zone;
    struct use *use;
    char *saved;                         /* with the last intent */
    struct row rows[RECIPIENTS + 1];
    int64_t true_ms, boot_ms, boot, wrong_ms, right_by_ms;
    bool behind_since_boot, step_unsaved;
    bool troubled; int64_t trouble_ms;   /* the last time a clock was set or a machine started */
    int64_t event_ms, arrival_ms; uint32_t arrival_mean_ms;
    uint32_t backlog;
    uint64_t recipient; unsigned parts_left; int64_t cost_micro; bool has_message;
    struct use_taken open; enum use_back open_why; bool has_open;   /* to be given back later */

    /* The judge. sent: what went; most: with what was withdrawn, which may stay counted. */
    int32_t day, month; int64_t month_began_ms;
    uint32_t day_sent, month_sent, day_most, month_most, day_recipients, month_recipients, day_recipients_most, month_recipients_most;
    int64_t day_spend, month_spend, day_spend_most, month_spend_most;
    int32_t recipient_day[RECIPIENTS + 1], recipient_month[RECIPIENTS + 1], most_day[RECIPIENTS + 1], most_month[RECIPIENTS + 1];
    struct take takes[TAKES_MAX]; uint32_t first_take, take_count;
    int64_t last_sent_ms;
    int32_t labelled_day;                /* the last day that a take was said to be of: a clock that was ahead leaves its mark */
    struct tm local;
};

/* -- chance --------------------------------------------------------------------------------------------------- */

static uint64_t random_next(struct box *box)
{
    box->random_state ^= box->random_state << 13;
    box->random_state ^= box->random_state >> 7;
    box->random_state ^= box->random_state << 17;
    return box->random_state * UINT64_C(0x2545F4914F6CDD1D) >> 16;
}

static int64_t between(struct box *box, int64_t low, int64_t high)
{
    return low + (int64_t)(random_next(box) % (uint64_t)(high - low + 1));
}

static bool one_in(struct box *box, unsigned count)
{
    return random_next(box) % count == 0;
}

/* -- the judge ------------------------------------------------------------------------------------------------ */

static void complain(struct box *box, uint64_t *count, const char *what)
{
    if (box->result->exceeded + box->result->idle == 0)
        (void)snprintf(box->result->first, sizeof box->result->first, "%s, SIM %llu, true time %lld, clock wrong by %lld ms, zone %s", what,
                       (unsigned long long)box->result->sims, (long long)box->true_ms, (long long)box->wrong_ms, getenv("TZ"));
    ++*count;
}

static void judge_move(struct box *box)
{
    time_t at_s = (time_t)(box->true_ms / 1000);
    int32_t day, month;

    (void)localtime_r(&at_s, &box->local);
    day = (int32_t)date_to_days(box->local.tm_year + 1900, (unsigned)box->local.tm_mon + 1, (unsigned)box->local.tm_mday);
    month = day - box->local.tm_mday + 1;
    if (day != box->day) {
        box->result->limits_reached += box->rules.per_day != 0 && box->day_sent == box->rules.per_day;
        box->result->days += day - box->day < 100 ? (uint64_t)(day - box->day) : 0;
        box->day = day;
        box->day_sent = box->day_most = box->day_recipients = box->day_recipients_most = 0;
        box->day_spend = box->day_spend_most = 0;
    }
    if (month != box->month) {
        box->month = month;
        box->month_began_ms = box->true_ms;
        box->month_sent = box->month_most = box->month_recipients = box->month_recipients_most = 0;
        box->month_spend = box->month_spend_most = 0;
    }
}

static uint32_t judge_window(const struct box *box, int64_t window_ms, bool sent_alone)
{
    uint32_t parts = 0;

    for (uint32_t i = box->take_count; i-- > 0;) {
        const struct take *take = &box->takes[(box->first_take + i) % TAKES_MAX];

        if (take->at_ms <= box->true_ms - window_ms)
            break;
        parts += take->sent || !sent_alone ? take->parts : 0;
    }
    return parts;
}

static bool in_hours(const struct box *box)
{
    unsigned minute = (unsigned)(box->local.tm_hour * 60 + box->local.tm_min), weekday = (unsigned)(box->local.tm_wday + 6) % 7;

    for (unsigned i = 0; i < box->rules.hours_count; i++)
        if ((box->rules.hours[i].days >> weekday & 1) && minute >= box->rules.hours[i].from_min && minute < box->rules.hours[i].until_min)
            return true;
    return box->rules.hours_count == 0;
}

/* Hours that ended once do not begin again when the clocks are put back. */
static bool hour_comes_twice(const struct box *box)
{
    time_t before_s = (time_t)(box->true_ms / 1000 - 3 * 3600);
    struct tm before;

    (void)localtime_r(&before_s, &before);
    return before.tm_gmtoff > box->local.tm_gmtoff;
}

static void judge_take(struct box *box, uint64_t recipient, uint32_t parts, int64_t cost_micro, bool sent, bool charged)
{
    const struct limit_rules *rules = &box->rules;
    struct limit_days_result *result = box->result;

    if (box->take_count == TAKES_MAX) {
        box->first_take = (box->first_take + 1) % TAKES_MAX;
        box->take_count--;
    }
    box->takes[(box->first_take + box->take_count++) % TAKES_MAX] = (struct take){ box->true_ms, parts, sent };
    box->day_most += parts;
    box->month_most += parts;
    box->day_spend_most += cost_micro;
    box->month_spend_most += cost_micro;
    box->day_recipients_most += box->most_day[recipient] != box->day;
    box->month_recipients_most += box->most_month[recipient] != box->month;
    box->most_day[recipient] = box->day;
    box->most_month[recipient] = box->month;
    if (!sent)
        return;
    result->sends += parts;
    box->day_sent += parts;
    box->month_sent += parts;
    box->day_recipients += box->recipient_day[recipient] != box->day;
    box->month_recipients += box->recipient_month[recipient] != box->month;
    box->recipient_day[recipient] = box->day;
    box->recipient_month[recipient] = box->month;
    if (charged) {
        box->day_spend += cost_micro;
        box->month_spend += cost_micro;
    }
    if (rules->per_minute && judge_window(box, MINUTE_MS, true) > rules->per_minute)
        complain(box, &result->exceeded, "per_minute exceeded");
    if (rules->per_hour && judge_window(box, HOUR_MS, true) > rules->per_hour)
        complain(box, &result->exceeded, "per_hour exceeded");
    if (rules->per_day && box->day_sent > rules->per_day)
        complain(box, &result->exceeded, "per_day exceeded");
    if (rules->per_month && box->month_sent > rules->per_month)
        complain(box, &result->exceeded, "per_month exceeded");
    if (rules->recipients_per_day && box->day_recipients > rules->recipients_per_day)
        complain(box, &result->exceeded, "recipients_per_day exceeded");
    if (rules->recipients_per_month && box->month_recipients > rules->recipients_per_month)
        complain(box, &result->exceeded, "recipients_per_month exceeded");
    if (rules->spend_per_day_micro && box->day_spend > rules->spend_per_day_micro)
        complain(box, &result->exceeded, "spend_per_day exceeded");
    if (rules->spend_per_month_micro && box->month_spend > rules->spend_per_month_micro)
        complain(box, &result->exceeded, "spend_per_month exceeded");
    if (box->wrong_ms == 0 && !in_hours(box))
        complain(box, &result->exceeded, "sent outside hours");
    if (box->last_sent_ms != 0 && box->true_ms - box->last_sent_ms < rules->gap_ms)
        complain(box, &result->exceeded, "gap too short");
    box->last_sent_ms = box->true_ms;
}

/* Does what binds really do so? Windows slide by grains of a fifteenth; withdrawn parts may stay counted. */
static void judge_wait(struct box *box, struct limit_answer answer)
{
    const struct limit_rules *rules = &box->rules;
    bool calm = box->wrong_ms == 0 && box->true_ms - box->trouble_ms > CALM_MS;
    bool calm_month = calm && box->month_began_ms - box->trouble_ms > CALM_MS;
    bool right = true, judged = calm, marked = box->labelled_day >= box->day;

    switch (answer.kind) {
    case LIMIT_MINUTE: right = judge_window(box, MINUTE_MS + MINUTE_MS / 14, false) + box->parts_left > rules->per_minute; break;
    case LIMIT_HOUR: right = judge_window(box, HOUR_MS + HOUR_MS / 14, false) + box->parts_left > rules->per_hour; break;
    case LIMIT_DAY: right = box->day_most + box->parts_left > rules->per_day; break;
    case LIMIT_SPEND_DAY: right = box->day_spend_most + box->cost_micro * box->parts_left > rules->spend_per_day_micro; break;
    case LIMIT_RECIPIENTS_DAY: judged = calm && !marked; right = box->day_recipients_most >= rules->recipients_per_day; break;
    case LIMIT_HOURS: judged = calm && !hour_comes_twice(box); right = !in_hours(box); break;
    case LIMIT_GAP: right = box->true_ms - box->takes[(box->first_take + box->take_count - 1) % TAKES_MAX].at_ms < rules->gap_ms + rules->jitter_ms; break;
    case LIMIT_MONTH: judged = calm_month; right = box->month_most + box->parts_left > rules->per_month; break;
    case LIMIT_SPEND_MONTH:
        judged = calm_month;
        right = box->month_spend_most + box->cost_micro * box->parts_left > rules->spend_per_month_micro;
        break;
    case LIMIT_RECIPIENTS_MONTH: judged = calm_month && !marked; right = box->month_recipients_most >= rules->recipients_per_month; break;
    default: right = false; break;
    }
    if (!judged)
        return;
    box->result->waits_judged++;
    if (!right) {
        char what[64];

        (void)snprintf(what, sizeof what, "idle for %s", limit_name(answer.kind));
        complain(box, &box->result->idle, what);
    }
}

/* -- the box -------------------------------------------------------------------------------------------------- */

static struct limit_now now_of(const struct box *box)
{
    return (struct limit_now){ (uint64_t)(box->true_ms - box->boot_ms), box->true_ms + box->wrong_ms };
}

static void trouble(struct box *box)
{
    box->trouble_ms = box->true_ms;
}

static void load(struct box *box)
{
    use_free(box->use);
    box->use = NULL;
    box->has_open = false;
    if (use_load(box->saved, box->boot, &box->rules, now_of(box), &box->use) != 0) {
        (void)fprintf(stderr, "refused: %s\n", box->saved);
        abort();
    }
    for (uint64_t key = 1; key <= RECIPIENTS; key++)
        if (box->rows[key].known && use_recipient_add(box->use, key, box->rows[key].day, box->rows[key].month) != 0)
            abort();
}

static void save(struct box *box)
{
    size_t length;

    free(box->saved);
    box->saved = use_text(box->use);
    if (box->saved == NULL)
        abort();
    length = strlen(box->saved);
    if (length > box->result->text_bytes_max)
        box->result->text_bytes_max = (uint32_t)length;
    box->step_unsaved = false;
}

static void reboot(struct box *box)
{
    int64_t off_ms = one_in(box, 4) ? between(box, 0, 3 * DAY_MS) : between(box, 10000, 10 * MINUTE_MS);

    if (box->step_unsaved)
        return;
    box->result->reboots++;
    box->true_ms += off_ms;
    box->boot_ms = box->true_ms - between(box, 5000, 60000);
    box->boot++;
    if (box->wrong_ms == 0) {
        if (one_in(box, 2)) {   /* no clock of its own */
            box->result->boots_behind++;
            box->wrong_ms = one_in(box, 5) ? between(box, 0, DAY_MS) - box->true_ms : -off_ms - between(box, 0, HOUR_MS);
            box->right_by_ms = box->true_ms + between(box, 1000, DAY_MS - HOUR_MS);
            box->behind_since_boot = true;
        }
    } else if (box->behind_since_boot) {
        box->wrong_ms -= off_ms;
        if (box->true_ms >= box->right_by_ms)
            box->right_by_ms = box->true_ms + between(box, 1000, HOUR_MS);
    } else if (one_in(box, 2) || box->true_ms >= box->right_by_ms) {
        box->wrong_ms = 0;   /* its own clock is right */
    }
    trouble(box);
    load(box);
}

static void jump(struct box *box)
{
    int64_t far_ms = one_in(box, 2) ? between(box, 2 * MINUTE_MS, 3 * HOUR_MS) : between(box, 2 * MINUTE_MS, 5 * DAY_MS);

    box->result->jumps++;
    if (box->wrong_ms == 0)
        box->right_by_ms = box->true_ms + between(box, 1000, DAY_MS - HOUR_MS);
    box->wrong_ms += one_in(box, 2) ? far_ms : -far_ms;
    if (box->wrong_ms > -2 * MINUTE_MS && box->wrong_ms < 2 * MINUTE_MS)
        box->wrong_ms = 3 * MINUTE_MS;
    box->step_unsaved = true;
    trouble(box);
}

static void set_right(struct box *box)
{
    box->wrong_ms = 0;
    box->behind_since_boot = false;
    box->step_unsaved = true;
    trouble(box);
}

/* Trouble comes in seasons, so that there is quiet too. */
static void event(struct box *box)
{
    bool season = box->troubled && box->day / 12 % 2 == 0;

    if (!season || one_in(box, 2)) {
        box->result->restarts++;
        load(box);
    } else if (one_in(box, 2)) {
        reboot(box);
    } else {
        jump(box);
    }
    box->event_ms = box->true_ms + between(box, MINUTE_MS, season ? DAY_MS : 2 * DAY_MS);
}

static void give_back(struct box *box)
{
    if (box->has_open)
        use_give_back(box->use, &box->open, box->open_why);
    box->has_open = false;
}

static void send_part(struct box *box)
{
    struct use_taken taken = use_take(box->use, &box->rules, box->recipient, 1, box->cost_micro, now_of(box), (uint32_t)random_next(box));
    bool withdrawn = one_in(box, 20), refused = !withdrawn && one_in(box, 20), cut = one_in(box, 100);

    save(box);
    box->rows[box->recipient] = (struct row){ taken.day, taken.month, true };
    if (box->wrong_ms != 0 && taken.day > box->labelled_day)
        box->labelled_day = taken.day;
    judge_take(box, box->recipient, 1, box->cost_micro, !withdrawn, !refused);
    if (one_in(box, 2))
        give_back(box);   /* of the one before */
    if (withdrawn || refused) {
        give_back(box);
        box->open = taken;
        box->open_why = withdrawn ? USE_NOT_SENT : USE_REFUSED;
        box->has_open = true;
        box->result->withdrawn += withdrawn;
        box->result->refused += refused;
        if (one_in(box, 2))
            give_back(box);
    }
    if (!withdrawn && --box->parts_left == 0)
        box->has_message = false;
    if (cut) {
        box->result->restarts++;
        if (box->troubled && one_in(box, 4))
            reboot(box);
        else
            load(box);
    }
}

static void next_message(struct box *box)
{
    box->has_message = true;
    box->backlog--;
    box->recipient = (uint64_t)between(box, 1, RECIPIENTS);
    box->parts_left = one_in(box, 5) ? (unsigned)between(box, 1, 4) : 1;
    box->cost_micro = one_in(box, 4) ? 0 : between(box, 1, 90) * 1000;
}

/* Until nothing more goes now; when to look again. */
static int64_t send_what_goes(struct box *box)
{
    while (box->has_message || box->backlog > 0) {
        struct limit_answer answer;
        int64_t ask_ms;

        if (!box->has_message)
            next_message(box);
        judge_move(box);
        answer = limit_check(&box->rules, box->use, box->recipient, box->parts_left, box->cost_micro * box->parts_left, false, now_of(box));
        if (use_wants_saving(box->use))
            save(box);
        if (answer.kind == LIMIT_NONE) {
            send_part(box);
            box->true_ms += between(box, 1, 4000);   /* on the air */
            continue;
        }
        if (answer.never) {
            box->has_message = false;
            continue;
        }
        judge_wait(box, answer);
        if (answer.ask_mono_ms == UINT64_MAX || (int64_t)answer.ask_mono_ms + box->boot_ms <= box->true_ms) {
            complain(box, &box->result->idle, "waits for nothing");
            box->has_message = false;
            continue;
        }
        ask_ms = (int64_t)answer.ask_mono_ms + box->boot_ms;
        /* Another message may fit where this one does not. */
        if (one_in(box, 3) && box->backlog > 0)
            next_message(box);
        return ask_ms;
    }
    return INT64_MAX;
}

static struct zone *make_zone(const char *rule)
{
    static const uint8_t header[44] = { 'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 1 };
    uint8_t bytes[256] = { 0 };
    size_t at = 0;
    struct zone *zone = NULL;

    for (unsigned i = 0; i < 2; i++, at += 7) {
        memcpy(bytes + at, header, sizeof header);
        at += sizeof header;
    }
    at += (size_t)snprintf((char *)bytes + at, sizeof bytes - at, "\n%s\n", rule);
    if (zone_parse(bytes, at, &zone) != 0)
        abort();
    (void)setenv("TZ", rule, 1);
    tzset();
    return zone;
}

static uint32_t maybe(struct box *box, unsigned count, int64_t low, int64_t high)
{
    return one_in(box, count) ? (uint32_t)between(box, low, high) : 0;
}

static void new_sim(struct box *box)
{
    struct limit_rules *rules = &box->rules;
    const char *wrong;

    box->result->sims++;
    zone_free(box->zone);
    free(box->saved);
    use_free(box->use);
    *box = (struct box){ .random_state = box->random_state, .result = box->result, .day = box->day, .month = INT32_MIN };
    box->zone = make_zone(zones[random_next(box) % (sizeof zones / sizeof zones[0])]);
    *rules = (struct limit_rules){
        .per_minute = maybe(box, 2, 1, 12), .per_hour = maybe(box, 2, 5, 100), .per_day = maybe(box, 2, 3, 150),
        .per_month = maybe(box, 3, 20, 2500), .recipients_per_day = maybe(box, 2, 2, 99), .recipients_per_month = maybe(box, 3, 20, 350),
        .gap_ms = maybe(box, 2, 100, 60000), .jitter_ms = maybe(box, 2, 1, 30000), .spend_per_day_micro = maybe(box, 3, 100000, 4000000),
        .spend_per_month_micro = maybe(box, 4, 1000000, 60000000), .zone = box->zone,
    };
    if (one_in(box, 3) && limit_parse_hours(one_in(box, 2) ? "08:00-20:00 mon-fri, 09:00-12:00 sat" : "22:00-02:30, 12:00-13:00 sun", rules, &wrong) != 0)
        abort();
    box->arrival_mean_ms = (uint32_t)between(box, 30, 900) * 1000;
    box->true_ms = INT64_C(1767225600000) + between(box, 0, 900 * DAY_MS);
    box->boot_ms = box->true_ms - 20000;
    box->boot = 1;
    box->troubled = !one_in(box, 4);
    box->day = INT32_MIN / 2;
    box->labelled_day = INT32_MIN;
    for (unsigned i = 0; i <= RECIPIENTS; i++)
        box->recipient_day[i] = box->recipient_month[i] = box->most_day[i] = box->most_month[i] = INT32_MIN;
    judge_move(box);
    trouble(box);
    box->event_ms = box->true_ms + HOUR_MS;
    load(box);
}

struct limit_days_result limit_days_run(uint64_t seed, uint64_t days)
{
    struct limit_days_result result = { 0 };
    struct box *box = calloc(1, sizeof *box);

    if (box == NULL)
        abort();
    box->random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    box->result = &result;
    while (result.days < days) {
        uint64_t until = result.days + 45 + random_next(box) % 60;

        new_sim(box);
        if (until > days)
            until = days;
        while (result.days < until) {
            int64_t next_ms = send_what_goes(box);

            if (box->wrong_ms != 0 && box->right_by_ms < next_ms)
                next_ms = box->right_by_ms;
            if (box->event_ms < next_ms)
                next_ms = box->event_ms;
            if (box->arrival_ms < next_ms && box->backlog < 50)
                next_ms = box->arrival_ms;
            if (next_ms > box->true_ms)
                box->true_ms = next_ms;
            if (box->wrong_ms != 0 && box->true_ms >= box->right_by_ms)
                set_right(box);
            if (box->true_ms >= box->event_ms)
                event(box);
            if (box->true_ms >= box->arrival_ms) {
                box->backlog += (uint32_t)between(box, 1, 3);
                box->arrival_ms = box->true_ms + between(box, 1, 2 * (int64_t)box->arrival_mean_ms);
            }
            judge_move(box);
        }
    }
    zone_free(box->zone);
    free(box->saved);
    use_free(box->use);
    free(box);
    return result;
}
