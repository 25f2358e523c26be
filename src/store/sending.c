/* SPDX-License-Identifier: Apache-2.0
 *
 * sending.c - a part on its way to a modem: intent, withdrawal, outcome. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/schema.h"
#include "src/store/store_internal.h"

/* -- the concatenation reference (TS 23.040 9.2.3.24.1, 9.2.3.24.8) -------------------------------------------- */

#define CONCAT_QUIET_MS 86400000         /* a phone may wait this long for the rest of a message with that reference */
#define CONCAT_TRIES_MAX 1024            /* of the 65,536; more are never in flight towards one number */

/* True if another message to this number by this SIM may still be put together under the reference. */
static bool concat_is_taken(struct store *store, const struct standing *standing, uint32_t sim_id, int bits, uint32_t ref, int64_t now_ms)
{
    return sql_number(&store->sql,
        "SELECT count(*) FROM concat_reference r JOIN message m ON m.id = r.message_id"
        " WHERE r.sim_id = ?1 AND r.to_number = ?2 AND r.bits = ?3 AND r.ref = ?4 AND r.message_id <> ?5"
        " AND m.sim_id = ?1 AND m.concat_ref = ?4 AND m.concat_ref_bits = ?3 AND (m.state IN (1, 2, 3) OR m.state_ms > ?6)", 1,
        SQL_ARGS(sql_int(sim_id), sql_text(standing->to), sql_int(bits), sql_int(ref), sql_int(standing->id),
                 sql_int(now_ms - CONCAT_QUIET_MS))) != 0;
}

/* Starts at a place given by the id, so that a database made anew does not begin where the old one was. */
static bool concat_find(struct store *store, struct standing *standing, uint32_t sim_id, int bits, uint32_t tries, int64_t now_ms)
{
    uint32_t mask = (1u << bits) - 1;

    for (uint32_t i = 0; i < tries && store->sql.failed == 0; i++) {
        uint32_t ref = ((uint32_t)standing->id + i) & mask;

        if (!concat_is_taken(store, standing, sim_id, bits, ref, now_ms)) {
            standing->concat_ref = (uint16_t)ref;
            standing->concat_ref_bits = (uint8_t)bits;
            return true;
        }
    }
    return false;
}

static int concat_choose(struct store *store, struct standing *standing, uint32_t sim_id, int64_t now_ms)
{
    bool found = !standing->ref16 && concat_find(store, standing, sim_id, 8, 256, now_ms);

    if (!found && !concat_find(store, standing, sim_id, 16, CONCAT_TRIES_MAX, now_ms))
        return store->sql.failed != 0 ? store->sql.failed : -EAGAIN;
    sql_run(&store->sql, "INSERT OR REPLACE INTO concat_reference(sim_id, to_number, bits, ref, message_id) VALUES(?1, ?2, ?3, ?4, ?5)",
            SQL_ARGS(sql_int(sim_id), sql_text(standing->to), sql_int(standing->concat_ref_bits), sql_int(standing->concat_ref),
                     sql_int(standing->id)));
    return store->sql.failed;
}

/* -- intent -------------------------------------------------------------------------------------------------- */

/* The octets of one part within the text. -EBADMSG: the row does not fit itself. */
static int intent_cut(sqlite3_stmt *row, uint16_t parts, uint16_t part, int text_column, int cuts_column, uint32_t *ret_offset,
                      uint32_t *ret_length)
{
    uint32_t size = (uint32_t)sqlite3_column_bytes(row, text_column);
    const uint8_t *cuts = sqlite3_column_blob(row, cuts_column);
    uint32_t offset = 0, length = size;

    if (parts > 1) {
        if (cuts == NULL || sqlite3_column_bytes(row, cuts_column) != 2 * parts)
            return -EBADMSG;
        for (uint16_t i = 0; i <= part; i++) {
            offset += i > 0 ? length : 0;
            length = cuts[2 * i] | (uint32_t)cuts[2 * i + 1] << 8;
        }
    }
    if (offset > size || length > size - offset)
        return -EBADMSG;
    *ret_offset = offset;
    *ret_length = length;
    return 0;
}

/* Everything the encoder needs of this part. */
static int intent_answer(struct store *store, struct change_intent *intent, const struct standing *standing)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row = sql_query(sql, "SELECT alphabet, locking, single, message_class, text, cuts FROM message WHERE id = ?1",
                                  SQL_ARGS(sql_int(standing->id)));
    uint32_t offset = 0, length = 0;
    const void *text;
    int r;

    if (!sql_next(sql, row))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    text = sqlite3_column_text(row, 4);
    r = intent_cut(row, standing->parts, intent->part, 4, 5, &offset, &length);
    if (r < 0)
        goto out;
    intent->text = malloc(length + 1);
    if (intent->text == NULL) {
        r = -ENOMEM;
        goto out;
    }
    if (length > 0)
        memcpy(intent->text, (const char *)text + offset, length);
    intent->text[length] = '\0';
    intent->text_length = length;
    intent->coding = (struct message_coding){
        .alphabet = (uint8_t)sqlite3_column_int(row, 0),
        .locking = (uint8_t)sqlite3_column_int(row, 1),
        .single = (uint8_t)sqlite3_column_int(row, 2),
        .parts = standing->parts,
    };
    intent->message_class = (int8_t)sqlite3_column_int(row, 3);
    memcpy(intent->to, standing->to, sizeof intent->to);
    intent->concat_ref = standing->concat_ref;
    intent->concat_ref_bits = standing->concat_ref_bits;
    intent->report = standing->report;
    intent->expire_ms = standing->expire_ms;
out:
    sql_end(sql, row);
    return r;
}

/* 0 where the message may be handed over now. */
static int intent_refusal(const struct standing *standing)
{
    switch (standing->state) {
    case MESSAGE_QUEUED:
    case MESSAGE_SENDING: return 0;
    case MESSAGE_SCHEDULED: return -EAGAIN;
    default: return -ECANCELED;
    }
}

/* A part that may have been sent goes under the TP-MR of that attempt, so that the service centre can tell. */
static void intent_choose_mr(struct store *store, struct change_intent *intent)
{
    int64_t before = sql_number(&store->sql, "SELECT max(pdu_mr) FROM attempt WHERE message_id = ?1 AND part = ?2 AND state = 7", -1,
                                SQL_ARGS(sql_int(intent->message_id), sql_int(intent->part)));

    intent->resend = before >= 0;
    intent->pdu_mr = (uint8_t)(before >= 0 ? before : intent->attempt_id & 0xFF);
}

/* With the intent, so that a SIM has used no less than it may have sent, whatever happens next. */
static void intent_count(struct store *store, const struct change_intent *intent, int64_t now_ms)
{
    if (intent->use_state != NULL)
        use_write(store, intent->sim_id, intent->use_state);
    if (intent->recipient_key != 0)
        sql_run(&store->sql, "INSERT INTO sim_recipient(sim_id, recipient, day, month) VALUES(?1, ?2, ?3, ?4)"
                             " ON CONFLICT(sim_id, recipient) DO UPDATE SET day = ?3, month = ?4 WHERE (day, month) IS NOT (?3, ?4)",
                SQL_ARGS(sql_int(intent->sim_id), sql_int((int64_t)intent->recipient_key), sql_int(intent->recipient_day),
                         sql_int(intent->recipient_month)));
    if (intent->remember) {
        sql_run(&store->sql, "INSERT INTO conversation(to_number, sim_id, at_ms) SELECT to_number, ?2, ?3 FROM message WHERE id = ?1"
                             " ON CONFLICT(to_number) DO UPDATE SET sim_id = ?2, at_ms = ?3",
                SQL_ARGS(sql_int(intent->message_id), sql_int(intent->sim_id), sql_int(now_ms)));
        store->conversations = true;
    }
}

int sending_intent(struct store *store, struct store_change *change)
{
    struct change_intent *intent = &change->u.intent;
    struct sql *sql = &store->sql;
    struct standing standing;
    int r = standing_load(store, intent->message_id, &standing);

    if (r < 0)
        return r;
    if (intent->part >= standing.parts)
        return -ENOENT;
    if (intent->attempt_id != 0) {       /* applied before? */
        bool open = sql_number(sql, "SELECT count(*) FROM attempt WHERE id = ?1 AND message_id = ?2 AND part = ?3 AND state = 1", 0,
                               SQL_ARGS(sql_int(intent->attempt_id), sql_int(standing.id), sql_int(intent->part))) != 0;

        if (open) {
            if (store->credit.on)
                (void)credit_may_send(store, &standing, intent->part, change->now_ms, &intent->spend_until_ms);
            return intent_answer(store, intent, &standing);
        }
    }
    r = intent_refusal(&standing);
    if (r < 0)
        return r;
    if (standing.part[intent->part] != PART_LEFT)
        return -EEXIST;
    if ((standing.left < standing.parts || standing.released) && standing.sim_id != 0 && standing.sim_id != intent->sim_id)
        return -EXDEV;
    if (standing.expire_ms > 0 && standing.expire_ms <= change->now_ms) {
        standing_end(store, &standing, MESSAGE_EXPIRED, change->now_ms, "not handed over before its time was over");
        change->result = -ETIME;
        return 0;
    }
    /* A message of which something is out is finished: half a text helps nobody, and was paid for. */
    if (standing.left == standing.parts && opt_out_refuses(store, standing.to, standing.id)) {
        standing_end(store, &standing, MESSAGE_REJECTED, change->now_ms, OPT_OUT_REASON);
        sql_run(sql, "UPDATE message SET reason_code = ?2 WHERE id = ?1", SQL_ARGS(sql_int(standing.id), sql_text(OPT_OUT_CODE)));
        intent->message_state = standing.state;
        change->result = -EPERM;
        return sql->failed;
    }
    if (store->credit.on) {
        intent->credit_verdict = credit_may_send(store, &standing, intent->part, change->now_ms, &intent->spend_until_ms);
        if (intent->credit_verdict != LEDGER_DONE)
            return store->sql.failed != 0 ? store->sql.failed : -EDQUOT;
    }
    if (standing.parts > 1 && ((standing.left == standing.parts && !standing.released) || standing.concat_ref_bits == 0)) {
        r = concat_choose(store, &standing, intent->sim_id, change->now_ms);
        if (r < 0)
            return r;
    }
    if (intent->attempt_id == 0)
        intent->attempt_id = store->next_attempt_id++;
    intent_choose_mr(store, intent);
    sql_run(sql, "INSERT INTO attempt(id, message_id, part, state, sim_id, modem_id, intent_ms, pdu_mr, price_micro, choice)"
                 " VALUES(?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9)",
            SQL_ARGS(sql_int(intent->attempt_id), sql_int(standing.id), sql_int(intent->part), sql_int(intent->sim_id),
                     sql_int(intent->modem_id), sql_int(change->now_ms), sql_int(intent->pdu_mr), sql_int(intent->price_micro),
                     sql_text(intent->choice)));
    intent_count(store, intent, change->now_ms);
    standing.part[intent->part] = PART_OPEN;
    standing.sim_id = intent->sim_id;
    standing.ready_ms = 0;
    standing_count(&standing);
    (void)standing_settle(store, &standing, false, change->now_ms, "");
    return sql->failed != 0 ? sql->failed : intent_answer(store, intent, &standing);
}

/* -- what became of it --------------------------------------------------------------------------------------- */

struct attempt { int64_t message_id; uint16_t part; uint32_t sim_id; enum attempt_state state; int mr; };

static int attempt_load(struct store *store, int64_t id, struct attempt *ret_attempt)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row = sql_query(sql, "SELECT message_id, part, sim_id, state, mr FROM attempt WHERE id = ?1", SQL_ARGS(sql_int(id)));

    if (!sql_next(sql, row))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    *ret_attempt = (struct attempt){
        .message_id = sqlite3_column_int64(row, 0),
        .part = (uint16_t)sqlite3_column_int(row, 1),
        .sim_id = (uint32_t)sqlite3_column_int64(row, 2),
        .state = (enum attempt_state)sqlite3_column_int(row, 3),
        .mr = sqlite3_column_int(row, 4),
    };
    sql_end(sql, row);
    return 0;
}

/* Which outcome may follow which state. A late +CMGS makes an unknown part a sent one, and evidence one that was not sent, unless
 * it was sent once more meanwhile; nothing else is taken back. */
static bool outcome_may_follow(enum attempt_state before, const struct change_outcome *outcome)
{
    if (outcome->evidence)
        return before == ATTEMPT_UNKNOWN && outcome->state == ATTEMPT_NOT_SENT;
    return before == ATTEMPT_INTENT || ((before == ATTEMPT_UNKNOWN || before == ATTEMPT_RELEASED) && outcome->state == ATTEMPT_SENT);
}

/* Where another part is known to be lost the message is at its end, though nobody ended it: the whole cannot arrive any more. */
static bool evidence_matters(const struct standing *standing)
{
    switch (standing->state) {
    case MESSAGE_QUEUED:
    case MESSAGE_SENDING:
    case MESSAGE_UNKNOWN:
    case MESSAGE_HELD: return !standing->ended;
    default: return false;
    }
}

static bool outcome_is_sound(const struct change_outcome *outcome)
{
    switch (outcome->state) {
    case ATTEMPT_SENT:
    case ATTEMPT_UNKNOWN:
        return outcome->mr >= -1 && outcome->mr <= 255;
    case ATTEMPT_REFUSED:
    case ATTEMPT_NOT_SENT:
        return outcome->verdict == OUTCOME_RETRY ||
               (outcome->verdict == OUTCOME_FAIL && (outcome->fail_state == MESSAGE_REJECTED || outcome->fail_state == MESSAGE_FAILED ||
                                                     outcome->fail_state == MESSAGE_EXPIRED));
    default:
        return false;
    }
}

/* A report can be matched from here on, by the reference of +CMGS or, for an unknown one, by its recipient. */
static void outcome_write(struct store *store, const struct change_outcome *outcome, const struct attempt *attempt, bool report,
                          int64_t now_ms)
{
    bool maybe_sent = outcome->state == ATTEMPT_SENT || outcome->state == ATTEMPT_UNKNOWN;

    sql_run(&store->sql, "UPDATE attempt SET state = ?2, mr = ?3, error_kind = ?4, code = ?5, done_ms = ?6, awaits = coalesce(awaits, ?7)"
                         " WHERE id = ?1",
            SQL_ARGS(sql_int(outcome->attempt_id), sql_int(outcome->state), sql_int(outcome->mr), sql_int(outcome->error_kind),
                     sql_int(outcome->code), sql_int(now_ms), maybe_sent && report ? sql_int(1) : sql_blob(NULL, 0)));
    if (outcome->state == ATTEMPT_SENT && attempt->state != ATTEMPT_SENT)
        sql_run(&store->sql, "INSERT INTO counter(kind, id, n) VALUES(?1, ?2, 1) ON CONFLICT(kind, id) DO UPDATE SET n = n + 1",
                SQL_ARGS(sql_int(COUNTER_SIM_PARTS), sql_int(attempt->sim_id)));
}

/* A part that did not go: try again or end the message. */
static bool outcome_not_sent(struct store *store, const struct change_outcome *outcome, struct standing *standing, int64_t now_ms)
{
    enum message_state before = standing->state;

    if (standing->ended) {
        credit_settle(store, standing, now_ms);   /* this part was what its end waited for */
        return false;
    }
    if (outcome->verdict == OUTCOME_FAIL) {
        standing_end(store, standing, outcome->fail_state, now_ms, outcome->reason);
        return standing->state != before;
    }
    standing->ready_ms = outcome->retry_ms > now_ms ? outcome->retry_ms : 0;
    return standing_settle(store, standing, true, now_ms, outcome->reason);
}

int sending_outcome(struct store *store, struct store_change *change)
{
    struct change_outcome *outcome = &change->u.outcome;
    struct standing standing;
    struct attempt attempt;
    bool again;
    int r;

    if (!outcome_is_sound(outcome))
        return -EINVAL;
    r = attempt_load(store, outcome->attempt_id, &attempt);
    if (r < 0)
        return r;
    again = attempt.state == outcome->state && (attempt.mr >= 0 || outcome->mr < 0);
    if (!again && attempt.state != outcome->state && !outcome_may_follow(attempt.state, outcome))
        return -EALREADY;
    r = standing_load(store, attempt.message_id, &standing);
    if (r < 0)
        return r;
    if (outcome->evidence && !again && !evidence_matters(&standing))
        return -EALREADY;
    outcome->message_id = attempt.message_id;
    outcome->part = attempt.part;
    if (!again) {
        outcome_write(store, outcome, &attempt, standing.report, change->now_ms);
        r = standing_load(store, attempt.message_id, &standing);
        if (r < 0)
            return r;
        if (outcome->state == ATTEMPT_REFUSED || outcome->state == ATTEMPT_NOT_SENT)
            outcome->message_changed = outcome_not_sent(store, outcome, &standing, change->now_ms);
        else if (outcome->state == ATTEMPT_UNKNOWN && doubt_resend(store, &standing, change->now_ms, DOUBT_RESEND_MS))
            outcome->message_changed =
                standing_settle(store, &standing, true, change->now_ms, "it may have been sent; at least once: it is sent once more");
        else
            outcome->message_changed = standing_settle(store, &standing, false, change->now_ms, outcome->reason);
        if (standing.report && report_take_orphans(store, attempt.sim_id, &standing, change->now_ms))
            outcome->message_changed = true;
    }
    outcome->message_state = standing.state;
    outcome->ready_ms = standing.ready_ms;
    if (standing.open == 0)
        outcome->requeue = standing_item(&standing);
    return store->sql.failed;
}

int sending_withdraw(struct store *store, struct store_change *change)
{
    struct change_withdraw *withdraw = &change->u.withdraw;
    struct standing standing;
    struct attempt attempt;
    int r = attempt_load(store, withdraw->attempt_id, &attempt);

    if (r < 0)
        return r;
    if (attempt.state != ATTEMPT_INTENT && attempt.state != ATTEMPT_WITHDRAWN)
        return -EALREADY;
    sql_run(&store->sql, "UPDATE attempt SET state = 6, done_ms = ?2 WHERE id = ?1 AND state = 1",
            SQL_ARGS(sql_int(withdraw->attempt_id), sql_int(change->now_ms)));
    r = standing_load(store, attempt.message_id, &standing);
    if (r < 0)
        return r;
    withdraw->message_id = attempt.message_id;
    if (attempt.state == ATTEMPT_INTENT) {
        (void)standing_settle(store, &standing, false, change->now_ms, "taken back before it was handed over");
        /* While it was open, a report that names the recipient alone might have meant it. */
        if (standing.report)
            (void)report_take_orphans(store, attempt.sim_id, &standing, change->now_ms);
    }
    /* One that waits for its next try comes back through CHANGE_DUE. */
    if (standing.ready_ms == 0 && standing.open == 0)
        withdraw->requeue = standing_item(&standing);
    return store->sql.failed;
}
