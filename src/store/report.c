/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - CHANGE_REPORT: which part a delivery report speaks of, and what it changes.
 *
 * TP-MR has 8 bits, wraps, and starts anew when a modem is reset; TP-RA may come in national form. So a report is
 * matched by SIM, TP-MR and recipient, the part nearest in time first. Without a TP-MR (unknown parts) only a recipient that
 * leaves no choice counts, since a wrong match would hide that a message was lost. */
#include "src/number/number.h"
#include "src/store/schema.h"
#include "src/store/store_internal.h"
#include "src/store/tp_status.h"

#include <stdio.h>

#define REPORT_CANDIDATES_MAX 256        /* of one TP-MR and SIM: the last 65,536 parts of that SIM */
#define REPORT_CLOCK_SKEW_MS 300000      /* our clock against the service centre's */
#define REPORT_AHEAD_MS 30000            /* a part handed over by so much after its report's TP-SCTS needs clocks that differ */
#define REPORT_TAKEN_MS_MAX 360000       /* from the intent, behind another part, to the service centre: twice 45 s x 4 tries */
#define ORPHAN_WAIT_MS 600000            /* +CMGS follows its report within this */
#define ORPHAN_AGE_MS_MAX 86400000
#define ORPHANS_MAX 1000

struct report { uint32_t sim_id; uint8_t mr; const char *recipient; uint8_t status; int64_t discharge_ms, scts_ms; };

enum report_match { REPORT_NO_MATCH, REPORT_MATCH, REPORT_SEEN, REPORT_AMBIGUOUS };
struct report_target { int64_t attempt_id, message_id; uint16_t part; int64_t intent_ms; };

static uint64_t distance_ms(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

/* By TP-MR: of the open parts the one whose hand-over is nearest to when the service centre took it, since TP-MR wraps and
 * a modem that was reset begins anew, while reports may come hours late. Only those with an intent within from_ms .. until_ms.
 * REPORT_SEEN: the final report of that part came before, and this is it once more. */
static enum report_match report_match_mr(struct store *store, const struct report *report, int64_t from_ms, int64_t until_ms,
                                         struct report_target *ret_target)
{
    enum report_match match = REPORT_NO_MATCH;
    uint64_t nearest_ms = UINT64_MAX;
    bool over = false;
    sqlite3_stmt *row = sql_query(&store->sql,
        "SELECT a.id, a.message_id, a.part, a.awaits, a.report_scts_ms, a.intent_ms, m.to_number"
        " FROM attempt a INDEXED BY attempt_report JOIN message m ON m.id = a.message_id"
        " WHERE a.sim_id = ?1 AND a.mr = ?2 AND a.awaits IS NOT NULL ORDER BY a.id DESC LIMIT ?3",
        SQL_ARGS(sql_int(report->sim_id), sql_int(report->mr), sql_int(REPORT_CANDIDATES_MAX)));

    while (!over && sql_next(&store->sql, row)) {
        bool open = sqlite3_column_int(row, 3) == 1;
        int64_t scts_ms = sqlite3_column_int64(row, 4), intent_ms = sqlite3_column_int64(row, 5);
        uint64_t away_ms = report->scts_ms != 0 ? distance_ms(intent_ms, report->scts_ms) : 0;
        bool same = scts_ms != 0 && scts_ms == report->scts_ms;   /* an earlier report of this very part */

        if (!number_same(sql_column_text(row, 6), report->recipient) || (!open && scts_ms != report->scts_ms) ||
            ((intent_ms > until_ms || intent_ms < from_ms) && !same))
            continue;
        if (same || (open && (match != REPORT_MATCH || away_ms < nearest_ms)) || match == REPORT_NO_MATCH) {
            *ret_target = (struct report_target){ sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                                                  (uint16_t)sqlite3_column_int(row, 2), same ? report->scts_ms : intent_ms };
            match = open ? REPORT_MATCH : REPORT_SEEN;
            nearest_ms = away_ms;
        }
        /* Those that follow are older. Without a time stamp a closed part does not tell whether an older open one is meant. */
        over = same || (open && intent_ms <= report->scts_ms) || (open && report->scts_ms == 0);
    }
    if (over)
        sql_end(&store->sql, row);
    return match;
}

/* The part to this recipient that still waits for its answer: it may be meant, and its TP-MR is not known yet. The intent of the
 * one whose hand-over is nearest to TP-SCTS; INT64_MIN: there is none. */
static int64_t report_waiting_intent(struct store *store, const struct report *report)
{
    uint64_t nearest_ms = UINT64_MAX;
    int64_t nearest = INT64_MIN;
    sqlite3_stmt *row = sql_query(&store->sql,
        "SELECT m.to_number, a.intent_ms FROM attempt a INDEXED BY attempt_open JOIN message m ON m.id = a.message_id"
        " WHERE a.sim_id = ?1 AND a.state = 1", SQL_ARGS(sql_int(report->sim_id)));

    while (sql_next(&store->sql, row)) {
        int64_t intent_ms = sqlite3_column_int64(row, 1);
        uint64_t away_ms = distance_ms(intent_ms, report->scts_ms);

        if (!number_same(sql_column_text(row, 0), report->recipient) || away_ms >= nearest_ms)
            continue;
        nearest_ms = away_ms;
        nearest = intent_ms;
    }
    return nearest;
}

/* Reports may overtake their +CMGS: then the part that waits for it is meant, and not an older one of the same TP-MR. Only an
 * old one: of two parts in a row the first is reported while the second is on the air, and TP-MR does not wrap so soon. */
static bool report_overtakes(struct store *store, const struct report *report, const struct report_target *target)
{
    int64_t waiting_ms = report->scts_ms != 0 ? report_waiting_intent(store, report) : INT64_MIN;

    return waiting_ms != INT64_MIN && waiting_ms - target->intent_ms > REPORT_CLOCK_SKEW_MS &&
           distance_ms(waiting_ms, report->scts_ms) < distance_ms(target->intent_ms, report->scts_ms);
}

/* By recipient, where exactly one unknown part may be meant and no part without an answer yet. */
static enum report_match report_match_unknown(struct store *store, const struct report *report, int64_t now_ms,
                                              struct report_target *ret_target)
{
    struct sql *sql = &store->sql;
    int64_t taken_ms = report->scts_ms > 0 ? report->scts_ms : now_ms;
    uint32_t found = 0;
    sqlite3_stmt *row = sql_query(sql,
        "SELECT a.id, a.message_id, a.part, m.to_number, a.intent_ms FROM attempt a INDEXED BY attempt_report JOIN message m ON m.id = a.message_id"
        " WHERE a.sim_id = ?1 AND a.mr = -1 AND a.awaits IS NOT NULL AND a.awaits = 1 AND a.state IN (5, 7)"
        " AND a.intent_ms <= ?2 AND a.intent_ms >= ?3 ORDER BY a.id DESC LIMIT ?4",
        SQL_ARGS(sql_int(report->sim_id), sql_int(taken_ms + REPORT_CLOCK_SKEW_MS), sql_int(taken_ms - REPORT_TAKEN_MS_MAX),
                 sql_int(REPORT_CANDIDATES_MAX)));
    while (sql_next(sql, row)) {
        if (!number_same(sql_column_text(row, 3), report->recipient))
            continue;
        found++;
        *ret_target = (struct report_target){ sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                                              (uint16_t)sqlite3_column_int(row, 2), sqlite3_column_int64(row, 4) };
    }
    if (found == 0)
        return REPORT_NO_MATCH;
    return found == 1 && report_waiting_intent(store, report) == INT64_MIN ? REPORT_MATCH : REPORT_AMBIGUOUS;
}

/* A part that was handed over at another time than when the service centre took the reported one is meant only where our
 * clocks differ: so it comes last, behind an unknown part that fits the time. */
static enum report_match report_match(struct store *store, const struct report *report, int64_t now_ms, struct report_target *ret_target)
{
    enum report_match match = REPORT_NO_MATCH;
    struct report_target unknown;

    if (report->scts_ms != 0)
        match = report_match_mr(store, report, report->scts_ms - REPORT_TAKEN_MS_MAX, report->scts_ms + REPORT_CLOCK_SKEW_MS, ret_target);
    if (match == REPORT_NO_MATCH && report->scts_ms != 0)
        match = report_match_unknown(store, report, now_ms, ret_target);
    else if (match == REPORT_MATCH && report->scts_ms != 0 && ret_target->intent_ms > report->scts_ms + REPORT_AHEAD_MS &&
             report_match_unknown(store, report, now_ms, &unknown) != REPORT_NO_MATCH)
        return REPORT_NO_MATCH;   /* its time speaks for a part in doubt, its TP-MR for another: it proves nothing about either */
    if (match == REPORT_NO_MATCH)
        match = report_match_mr(store, report, INT64_MIN, INT64_MAX, ret_target);
    if (match == REPORT_NO_MATCH && report->scts_ms == 0)
        match = report_match_unknown(store, report, now_ms, ret_target);
    if (match == REPORT_AMBIGUOUS || (match == REPORT_MATCH && report_overtakes(store, report, ret_target)))
        return REPORT_NO_MATCH;
    return match;
}

/* Notes the report with its part; the first one of an unknown part proves that it was sent. */
static void report_note(struct store *store, const struct report *report, int64_t attempt_id, int64_t now_ms)
{
    struct sql *sql = &store->sql;
    bool final = tp_status_find(report->status)->final;

    sql_run(sql, "INSERT INTO counter(kind, id, n) SELECT ?2, sim_id, 1 FROM attempt WHERE id = ?1 AND state IN (5, 7)"
                 " ON CONFLICT(kind, id) DO UPDATE SET n = n + 1",
            SQL_ARGS(sql_int(attempt_id), sql_int(COUNTER_SIM_PARTS)));
    sql_run(sql, "UPDATE attempt SET state = 2, mr = ?2, awaits = ?3, report_status = ?4, report_ms = ?5, report_scts_ms = ?6,"
                 " report_discharge_ms = ?7 WHERE id = ?1",
            SQL_ARGS(sql_int(attempt_id), sql_int(report->mr), sql_int(!final), sql_int(report->status), sql_int(now_ms),
                     sql_int(report->scts_ms), sql_int(report->discharge_ms)));
}

/* Returns 1 if the message changed, 0 if not, or a negative errno. */
static int report_settle(struct store *store, const struct report *report, const struct report_target *target, int64_t now_ms,
                         struct standing *ret_standing, char ret_reason[MESSAGE_REASON_MAX])
{
    const struct tp_status *status = tp_status_find(report->status);
    int r;

    report_note(store, report, target->attempt_id, now_ms);
    r = standing_load(store, target->message_id, ret_standing);
    if (r < 0)
        return r;
    tp_status_reason(report->status, ret_reason);
    if (status->final && status->class == TP_CLASS_TRANSIENT &&
        doubt_resubmit(store, ret_standing, target->attempt_id, target->part, now_ms)) {
        (void)snprintf(ret_reason, MESSAGE_REASON_MAX, "%s (%s); at least once: it is sent once more", status->words, tp_class_name(status->class));
        return standing_settle(store, ret_standing, true, now_ms, ret_reason) ? 1 : 0;
    }
    return standing_settle(store, ret_standing, false, now_ms, ret_reason) ? 1 : 0;
}

/* -- reports that came too early ----------------------------------------------------------------------------- */

static void orphan_keep(struct store *store, const struct report *report, int64_t now_ms)
{
    struct sql *sql = &store->sql;

    if (sql_number(sql, "SELECT count(*) FROM report_orphan WHERE sim_id = ?1 AND mr = ?2 AND recipient = ?3 AND status = ?4"
                        " AND scts_ms = ?5", 0,
                   SQL_ARGS(sql_int(report->sim_id), sql_int(report->mr), sql_text(report->recipient), sql_int(report->status),
                            sql_int(report->scts_ms))) != 0)
        return;                          /* the modem gave it twice */
    sql_run(sql, "INSERT INTO report_orphan(at_ms, sim_id, mr, recipient, status, discharge_ms, scts_ms)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            SQL_ARGS(sql_int(now_ms), sql_int(report->sim_id), sql_int(report->mr), sql_text(report->recipient),
                     sql_int(report->status), sql_int(report->discharge_ms), sql_int(report->scts_ms)));
    sql_run(sql, "DELETE FROM report_orphan WHERE id <= (SELECT max(id) FROM report_orphan) - ?1 OR at_ms < ?2",
            SQL_ARGS(sql_int(ORPHANS_MAX), sql_int(now_ms - ORPHAN_AGE_MS_MAX)));
}

/* The next one behind after_id that came lately and names this recipient. 0: none. */
static int64_t orphan_next(struct store *store, uint32_t sim_id, int64_t after_id, const char *to, int64_t now_ms,
                           struct report *ret_report, char *ret_recipient, size_t size)
{
    int64_t id = 0;
    sqlite3_stmt *row = sql_query(&store->sql,
        "SELECT id, mr, recipient, status, discharge_ms, scts_ms FROM report_orphan WHERE sim_id = ?1 AND id > ?2 AND at_ms >= ?3"
        " ORDER BY id", SQL_ARGS(sql_int(sim_id), sql_int(after_id), sql_int(now_ms - ORPHAN_WAIT_MS)));

    while (id == 0 && sql_next(&store->sql, row)) {
        sql_copy_text(row, 2, ret_recipient, size);
        if (!number_same(to, ret_recipient))
            continue;
        id = sqlite3_column_int64(row, 0);
        *ret_report = (struct report){ sim_id, (uint8_t)sqlite3_column_int(row, 1), ret_recipient, (uint8_t)sqlite3_column_int(row, 3),
                                       sqlite3_column_int64(row, 4), sqlite3_column_int64(row, 5) };
    }
    if (id != 0)
        sql_end(&store->sql, row);
    return id;
}

bool report_take_orphans(struct store *store, uint32_t sim_id, struct standing *standing, int64_t now_ms)
{
    char recipient[MESSAGE_TO_MAX * 2], reason[MESSAGE_REASON_MAX];
    struct report report;
    bool changed = false;
    int64_t id = 0;

    for (;;) {
        struct report_target target;
        enum report_match match;

        id = orphan_next(store, sim_id, id, standing->to, now_ms, &report, recipient, sizeof recipient);
        if (id == 0 || store->sql.failed != 0)
            return changed;
        match = report_match(store, &report, now_ms, &target);
        if (match == REPORT_NO_MATCH || target.message_id != standing->id)
            continue;
        sql_run(&store->sql, "DELETE FROM report_orphan WHERE id = ?1", SQL_ARGS(sql_int(id)));
        if (match == REPORT_MATCH && report_settle(store, &report, &target, now_ms, standing, reason) > 0)
            changed = true;
    }
}

/* ------------------------------------------------------------------------------------------------------------ */

int report_apply(struct store *store, struct store_change *change)
{
    struct change_report *in = &change->u.report;
    struct report report = { in->sim_id, in->mr, in->recipient, in->status, in->discharge_ms, in->scts_ms };
    struct report_target target = { 0 };
    struct standing standing;
    enum report_match match = report_match(store, &report, change->now_ms, &target);
    int r;

    if (match == REPORT_NO_MATCH) {
        orphan_keep(store, &report, change->now_ms);
        return store->sql.failed;
    }
    r = match == REPORT_MATCH ? report_settle(store, &report, &target, change->now_ms, &standing, in->reason)
                              : standing_load(store, target.message_id, &standing);
    if (r < 0)
        return r;
    in->message_id = target.message_id;
    in->part = target.part;
    in->parts = standing.parts;
    in->message_state = standing.state;
    in->message_changed = r > 0;
    in->ready_ms = match == REPORT_MATCH && standing.state == MESSAGE_QUEUED ? standing.ready_ms : 0;
    return store->sql.failed;
}
