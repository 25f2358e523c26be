/* SPDX-License-Identifier: Apache-2.0
 *
 * credit_spend.c - credits of messages: reserved with the batch, captured or released as its parts end. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/sms/sms_pdu.h"
#include "src/store/credit_internal.h"

/* A short code is in no country: only a price for every number is one for it. */
struct price_quote credit_quote(const struct price_table *table, const char *to, uint8_t alphabet, unsigned parts)
{
    return price_quote_of(table, to[0] == '+' ? to + 1 : "", alphabet == SMS_UCS2 ? PRICE_UCS2 : PRICE_GSM7, parts);
}

/* -- intake ------------------------------------------------------------------------------------------------------------ */

/* The table of the open lease, or the newest, so that even without a lease the answer says what is needed. */
static const struct price_table *prices_of_today(struct store *store)
{
    const struct ledger_lease *open = credit_lease(store, store->credit.box.open_lease_id);
    int64_t version = open != NULL ? open->price_version : sql_number(&store->sql, "SELECT max(version) FROM credit_prices", 0, SQL_NO_ARGS);

    return credit_prices(store, (uint32_t)version);
}

/* True where the account has no price for it. */
static bool refuse_unpriced(struct accept_message *message, const struct price_quote *quote)
{
    if (quote->verdict == PRICE_PRICED)
        return false;
    message->unpriced = true;
    memcpy(message->reason, CREDIT_UNPRICED_REASON, sizeof CREDIT_UNPRICED_REASON);
    memcpy(message->reason_code, CREDIT_UNPRICED_CODE, sizeof CREDIT_UNPRICED_CODE);
    return true;
}

/* What is refused for another reason wants nothing. *ret_unpriced: how many of them the account has no price for. */
static size_t accept_wants(const struct price_table *table, struct change_accept *accept, struct ledger_want *wants, uint32_t *ret_unpriced)
{
    size_t count = 0;

    *ret_unpriced = 0;
    for (uint32_t i = 0; i < accept->count; i++) {
        struct accept_message *message = &accept->messages[i];
        struct price_quote quote;

        if (message->reason[0] != '\0')
            continue;
        quote = credit_quote(table, message->to, message->coding.alphabet, message->coding.parts);
        if (refuse_unpriced(message, &quote)) {
            ++*ret_unpriced;
            continue;
        }
        message->credit_micro = quote.part_micro;
        message->credit_row = quote.row;
        wants[count++] = (struct ledger_want){ message->id, (uint8_t)message->coding.parts, quote };
    }
    return count;
}

/* Nothing is reserved: it waits, or nothing of it was ever here. */
static int accept_too_little(struct change_accept *accept)
{
    if (!accept->wait_for_credit)
        return -EDQUOT;
    for (uint32_t i = 0; i < accept->count; i++) {
        accept->messages[i].waits = accept->messages[i].reason[0] == '\0';
        accept->messages[i].credit_micro = 0;
        accept->messages[i].credit_row = 0;
    }
    return 0;
}

int credit_accept(struct store *store, struct change_accept *accept, int64_t now_ms)
{
    const struct price_table *table = prices_of_today(store);
    struct ledger_books books = credit_books(store, store->credit.box.open_lease_id);
    struct ledger_posting posting;
    struct ledger_want *wants;
    uint32_t unpriced = 0;
    size_t count;

    if (store->sql.failed != 0)
        return store->sql.failed;
    accept->credit = (struct ledger_answer){ 0 };
    if (table == NULL) {                     /* no lease, and no table ever: nobody knows what anything costs */
        accept->credit_verdict = store->credit.box.fenced ? LEDGER_LEASE_FENCED : LEDGER_NO_LEASE;
        return accept_too_little(accept);
    }
    wants = calloc(accept->count, sizeof *wants);
    if (wants == NULL)
        return -ENOMEM;
    count = accept_wants(table, accept, wants, &unpriced);
    accept->credit_verdict = ledger_reserve(&books, accept->batch_id, wants, count, now_ms, &posting, &accept->credit);
    free(wants);
    accept->credit.refused += unpriced;
    if (unpriced == 1 && accept->count == 1 && strcmp(accept->actor, OPT_OUT_ACTOR) != 0)
        return -EDOM;
    if (accept->credit_verdict != LEDGER_DONE)
        return accept_too_little(accept);
    if (posting.micro > 0) {
        accept->credit_lease_id = books.lease.lease_id;
        credit_keep(store, &books);
        credit_post(store, &posting, NULL, now_ms);
    }
    return store->sql.failed;
}

/* -- sending ----------------------------------------------------------------------------------------------------------- */

static struct ledger_hold hold_of(const struct standing *standing, uint16_t part)
{
    return (struct ledger_hold){ .message_id = standing->id, .part = (uint8_t)(part + 1), .state = LEDGER_HELD,
                                 .lease_id = standing->credit_lease_id, .micro = standing->credit_micro, .price_row = standing->credit_row };
}

size_t credit_holds(const struct standing *standing, struct ledger_hold ret_holds[MESSAGE_PARTS_MAX])
{
    size_t count = 0;

    for (uint16_t i = 0; standing->credit_state == CREDIT_HELD && i < standing->parts; i++)
        if (!standing->part_charged[i])
            ret_holds[count++] = hold_of(standing, i);
    return count;
}

/* What came in while the box had no account goes free. What was charged before, and may be sent once more, is charged once: only a
 * box that is stopped stops it too. */
enum ledger_verdict credit_may_send(struct store *store, const struct standing *standing, uint16_t part, int64_t now_ms, int64_t *ret_until_ms)
{
    const struct ledger_box *box = &store->credit.box;
    struct ledger_books books;
    struct ledger_hold hold;
    enum ledger_verdict verdict;

    *ret_until_ms = 0;
    if (box->fenced || box->frozen)
        return box->fenced ? LEDGER_LEASE_FENCED : LEDGER_FROZEN;
    if (standing->credit_state == CREDIT_FREE || standing->part_charged[part])
        return LEDGER_DONE;
    if (standing->credit_state != CREDIT_HELD)
        return LEDGER_NOT_HELD;
    books = credit_books(store, standing->credit_lease_id);
    hold = hold_of(standing, part);
    verdict = ledger_may_send(&books, &hold, now_ms);
    if (verdict == LEDGER_DONE)
        *ret_until_ms = books.lease.spend_until_ms;
    return verdict;
}

/* -- what became of the parts -------------------------------------------------------------------------------------------- */

/* How many attempts there were of a part, and the last that was sent or may have been. */
static uint32_t attempts_of(struct store *store, const struct standing *standing, uint16_t part, int64_t *ret_sent_id)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row = sql_query(sql, "SELECT count(*), max(CASE WHEN state IN (2, 5, 7) THEN id END) FROM attempt WHERE message_id = ?1 AND part = ?2",
                                  SQL_ARGS(sql_int(standing->id), sql_int(part)));
    uint32_t count = 0;

    *ret_sent_id = 0;
    if (sql_next(sql, row)) {
        count = (uint32_t)sqlite3_column_int64(row, 0);
        *ret_sent_id = sqlite3_column_int64(row, 1);
        sql_end(sql, row);
    }
    return count;
}

static void charge_note(struct store *store, int64_t attempt_id, int64_t charge_seq)
{
    sql_run(&store->sql, "UPDATE attempt SET charge_seq = ?2 WHERE id = ?1", SQL_ARGS(sql_int(attempt_id), sql_int(charge_seq)));
}

static void capture(struct store *store, struct standing *standing, uint16_t part, int64_t now_ms)
{
    struct ledger_books books = credit_books(store, standing->credit_lease_id);
    struct ledger_hold hold = hold_of(standing, part);
    struct ledger_moment moment = credit_moment(store, now_ms);
    struct ledger_step step;
    int64_t attempt_id;
    uint32_t attempt = attempts_of(store, standing, part, &attempt_id);

    if (store->sql.failed != 0 || attempt_id == 0 || ledger_capture(&books, &hold, attempt, &moment, &step) != LEDGER_DONE)
        return;
    credit_keep(store, &books);
    credit_post_step(store, &step, now_ms);
    charge_note(store, attempt_id, (int64_t)step.entry.seq);
    standing->part_charged[part] = true;
}

static void release(struct store *store, const struct standing *standing, uint16_t part, int64_t now_ms)
{
    struct ledger_books books = credit_books(store, standing->credit_lease_id);
    struct ledger_hold hold = hold_of(standing, part);
    struct ledger_moment moment = credit_moment(store, now_ms);
    struct ledger_step step;
    int64_t attempt_id;
    uint32_t attempt = attempts_of(store, standing, part, &attempt_id);

    if (store->sql.failed != 0 || ledger_release(&books, &hold, attempt, &moment, &step) != LEDGER_DONE)
        return;
    credit_keep(store, &books);
    credit_post_step(store, &step, now_ms);
}

/* A part that was charged in doubt, was proven not to be sent, and now never will be. In a lease that is closed it is for the account to
 * refund (ledger_void()). */
static void take_back(struct store *store, struct standing *standing, uint16_t part, int64_t now_ms)
{
    struct sql *sql = &store->sql;
    struct ledger_moment moment = credit_moment(store, now_ms);
    struct ledger_hold hold = hold_of(standing, part);
    struct ledger_books books;
    struct ledger_step step;
    int64_t attempt_id = 0;
    sqlite3_stmt *row = sql_query(sql,
        "SELECT a.id, p.lease_id, p.micro, p.price_row, p.attempt, p.journal_seq, p.from_account = 6 FROM attempt a JOIN credit_posting p"
        " ON p.epoch = ?3 AND p.journal_seq = a.charge_seq AND p.message_id = a.message_id AND p.part = a.part + 1"
        " WHERE a.message_id = ?1 AND a.part = ?2 AND a.charge_seq > 0",
        SQL_ARGS(sql_int(standing->id), sql_int(part), sql_int(store->credit.box.epoch)));

    if (!sql_next(sql, row))
        return;                              /* of an enrolment before */
    attempt_id = sqlite3_column_int64(row, 0);
    hold.lease_id = (uint64_t)sqlite3_column_int64(row, 1);
    hold.micro = sqlite3_column_int64(row, 2);
    hold.price_row = (uint32_t)sqlite3_column_int64(row, 3);
    hold.attempt = (uint32_t)sqlite3_column_int64(row, 4);
    hold.capture_seq = (uint64_t)sqlite3_column_int64(row, 5);
    hold.debt = sqlite3_column_int(row, 6) != 0;
    hold.state = LEDGER_SPENT;
    sql_end(sql, row);
    books = credit_books(store, hold.lease_id);
    if (sql->failed != 0 || ledger_void(&books, &hold, hold.attempt, &moment, &step) != LEDGER_DONE)
        return;
    credit_keep(store, &books);
    credit_post_step(store, &step, now_ms);
    charge_note(store, attempt_id, -(int64_t)hold.attempt);
    standing->part_charged[part] = false;
}

enum settlement { SETTLE_NOTHING, SETTLE_CAPTURE, SETTLE_RELEASE, SETTLE_TAKE_BACK };

/* A part is charged when it was sent; when nobody can say, it keeps its reservation while evidence may come, and is charged when
 * the waiting ends. What never went costs nothing. */
static enum settlement settlement_of(const struct standing *standing, uint16_t part, bool over)
{
    bool doubtful = (standing->part_released[part] & RELEASED_IN_DOUBT) != 0, charged = standing->part_charged[part];

    switch (standing->part[part]) {
    case PART_OPEN: return SETTLE_NOTHING;
    case PART_LEFT:
        if (!over || standing->open > 0)
            return SETTLE_NOTHING;           /* together with what is on the air, so that it is done once */
        if (doubtful)
            return charged ? SETTLE_NOTHING : SETTLE_CAPTURE;
        if (charged)
            return standing->part_released[part] != 0 ? SETTLE_NOTHING : SETTLE_TAKE_BACK;
        return SETTLE_RELEASE;
    case PART_UNKNOWN: return !charged && (over || standing->state == MESSAGE_HELD) ? SETTLE_CAPTURE : SETTLE_NOTHING;
    default: return charged ? SETTLE_NOTHING : SETTLE_CAPTURE;
    }
}

void credit_settle(struct store *store, struct standing *standing, int64_t now_ms)
{
    /* Unknown is an end for its owner only: evidence may still come. */
    bool over = standing->ended || (message_state_is_final(standing->state) && standing->state != MESSAGE_UNKNOWN);

    if (standing->credit_state != CREDIT_HELD) {
        if (over && standing->credit_state == CREDIT_WAITS) {
            standing->credit_state = CREDIT_SETTLED;
            sql_run(&store->sql, "UPDATE message SET credit_state = 3 WHERE id = ?1", SQL_ARGS(sql_int(standing->id)));
        }
        return;
    }
    for (uint16_t i = 0; i < standing->parts && store->sql.failed == 0; i++)
        switch (settlement_of(standing, i, over)) {
        case SETTLE_NOTHING: break;
        case SETTLE_CAPTURE: capture(store, standing, i, now_ms); break;
        case SETTLE_RELEASE: release(store, standing, i, now_ms); break;
        case SETTLE_TAKE_BACK: take_back(store, standing, i, now_ms); break;
        }
    if (over && standing->open == 0 && standing->left > 0) {
        standing->credit_state = CREDIT_SETTLED;
        sql_run(&store->sql, "UPDATE message SET credit_state = 3 WHERE id = ?1", SQL_ARGS(sql_int(standing->id)));
    }
}
