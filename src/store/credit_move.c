/* SPDX-License-Identifier: Apache-2.0
 *
 * credit_move.c - what waits changes its lease, and what waited for credits gets them.
 *
 * A lease that is not open any more can be closed when nothing is reserved in it. What is on the air stays until it is known; the rest
 * moves to the open lease, at its prices. What finds no room there is still sent from a lease that drains; where that one's time is
 * over it waits for credits, and so does what is reserved in the older one of two leases that are both over; but what may have been
 * sent already goes from one of them to the other. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/credit_internal.h"

#define LOOKED_AT_MAX 2048               /* rows that are looked at in one step */

/* In which states messages may have parts that are reserved and not on the air. */
static const enum message_state states[] = { MESSAGE_QUEUED, MESSAGE_SCHEDULED, MESSAGE_UNKNOWN, MESSAGE_HELD };
#define STATES (sizeof states / sizeof states[0])

static uint8_t alphabet_of(struct store *store, int64_t message_id)
{
    return (uint8_t)sql_number(&store->sql, "SELECT alphabet FROM message WHERE id = ?1", 0, SQL_ARGS(sql_int(message_id)));
}

static void note_credit(struct store *store, struct standing *standing, enum credit_state state, uint64_t lease_id, int64_t micro, uint32_t row)
{
    standing->credit_state = (uint8_t)state;
    standing->credit_lease_id = lease_id;
    standing->credit_micro = micro;
    standing->credit_row = row;
    sql_run(&store->sql, "UPDATE message SET credit_state = ?2, credit_lease = ?3, credit_micro = ?4, credit_row = ?5 WHERE id = ?1",
            SQL_ARGS(sql_int(standing->id), sql_int(state), sql_int((int64_t)lease_id), sql_int(micro), sql_int(row)));
}

static bool waits_for_its_turn(const struct standing *standing)
{
    return standing->state == MESSAGE_QUEUED || standing->state == MESSAGE_SCHEDULED;
}

/* The lease that takes; over: it and the other are. */
struct target { uint64_t lease_id; bool over; const struct price_table *table; };

/* 1: it moved; -1: it waits for credits now; 0: it stays. */
static int move_one(struct store *store, const struct target *target, int64_t message_id, int64_t now_ms)
{
    static const char why[] = "the time of the credits reserved for it is over: it waits for others";
    struct ledger_hold holds[MESSAGE_PARTS_MAX];
    struct ledger_posting postings[2];
    struct ledger_books books;
    struct ledger_lease from;
    struct price_quote quote;
    struct standing standing;
    enum ledger_verdict verdict;
    size_t count;

    if (standing_load(store, message_id, &standing) < 0 || standing.open > 0)
        return 0;
    count = credit_holds(&standing, holds);
    if (count == 0)
        return 0;
    from = credit_books(store, standing.credit_lease_id).lease;
    books = credit_books(store, target->lease_id);
    quote = credit_quote(target->table, standing.to, alphabet_of(store, message_id), (unsigned)count);
    if (store->sql.failed != 0)
        return 0;
    if (!target->over)
        verdict = ledger_move(&books, &from, holds, count, &quote, now_ms, postings);
    else if (!waits_for_its_turn(&standing))
        verdict = ledger_move_over(&books, &from, holds, count, &quote, postings);
    else
        verdict = LEDGER_TOO_LITTLE;
    if (verdict == LEDGER_DONE) {
        credit_keep(store, &books);
        credit_keep_lease(store, &from);
        credit_post(store, &postings[0], NULL, now_ms);
        credit_post(store, &postings[1], NULL, now_ms);
        note_credit(store, &standing, CREDIT_HELD, holds[0].lease_id, holds[0].micro, holds[0].price_row);
        return 1;
    }
    if ((verdict != LEDGER_TOO_LITTLE && verdict != LEDGER_OTHER_PRICES) || !waits_for_its_turn(&standing) ||
        ledger_wait(&from, holds, count, postings) != LEDGER_DONE)
        return 0;
    credit_keep_lease(store, &from);
    credit_post(store, &postings[0], NULL, now_ms);
    note_credit(store, &standing, CREDIT_WAITS, 0, 0, 0);
    standing.ready_ms = 0;
    standing_save(store, &standing, MESSAGE_WAIT_CREDIT, now_ms, why);
    return -1;
}

/* The next messages behind the cursor that are paid from another lease than that one. */
static uint32_t find_movable(struct store *store, uint64_t lease_id, uint32_t limit, int64_t *ret_ids, bool *ret_end)
{
    struct sql *sql = &store->sql;
    struct credit *credit = &store->credit;
    uint32_t count = 0, looked_at = 0;

    while (credit->move_state < STATES && looked_at < LOOKED_AT_MAX && count < limit && sql->failed == 0) {
        bool any = false;
        sqlite3_stmt *row = sql_query(sql, "SELECT id, credit_state = 1 AND credit_lease <> ?3 FROM message INDEXED BY message_state"
                                           " WHERE state NOT IN (4, 5) AND state = ?1 AND id > ?2 ORDER BY id LIMIT ?4",
                                      SQL_ARGS(sql_int(states[credit->move_state]), sql_int(credit->move_after),
                                               sql_int((int64_t)lease_id), sql_int(LOOKED_AT_MAX - looked_at)));

        while (count < limit && sql_next(sql, row)) {
            any = true;
            looked_at++;
            credit->move_after = sqlite3_column_int64(row, 0);
            if (sqlite3_column_int(row, 1) != 0)
                ret_ids[count++] = credit->move_after;
        }
        if (count == limit) {
            sql_end(sql, row);
        } else if (!any || looked_at < LOOKED_AT_MAX) {
            credit->move_state++;
            credit->move_after = 0;
        }
    }
    *ret_end = credit->move_state >= STATES;
    return count;
}

static bool anything_to_move(const struct credit *credit)
{
    for (uint32_t i = 0; i < credit->lease_count; i++)
        if (credit->leases[i].row.lease_id != credit->box.open_lease_id && credit->leases[i].row.balance_micro[LEDGER_RESERVED] > 0)
            return true;
    return false;
}

static bool fits(const struct ledger_lease *from, const struct ledger_lease *to)
{
    return from->balance_micro[LEDGER_RESERVED] <= to->balance_micro[LEDGER_SUSPENSE];
}

/* Of two leases whose time is over one is emptied, since a third one comes when one is closed, and that is when nothing is reserved in
 * it: the older one, or, where the newer has not that much left, the newer. lease_id 0: there is no lease to move to. */
static struct target target_of(struct store *store)
{
    const struct credit *credit = &store->credit;
    const struct ledger_lease *open = credit_lease(store, credit->box.open_lease_id);
    const struct ledger_lease *old = credit_lease(store, credit->box.old_lease_id);
    struct target target = { .lease_id = 0 };

    if (open == NULL || credit->box.fenced || credit->box.frozen)
        return target;
    target.over = open->state == LEDGER_EXPIRED && old != NULL && old->state == LEDGER_EXPIRED;
    if (open->state != LEDGER_OPEN && !target.over)
        return target;
    if (target.over && !fits(old, open) && fits(open, old))
        open = old;
    target.table = credit_prices(store, open->price_version);
    target.lease_id = open->lease_id;
    return target;
}

int credit_move(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct credit *credit = &store->credit;
    uint32_t limit = in->limit < CREDIT_MOVE_MAX ? in->limit : CREDIT_MOVE_MAX, count;
    struct target target;
    bool end = true;

    if (limit == 0)
        return -EINVAL;
    in->verdict = LEDGER_DONE;
    target = target_of(store);
    if (target.lease_id == 0 || !anything_to_move(credit))
        return store->sql.failed;
    if (target.table == NULL)
        return store->sql.failed != 0 ? store->sql.failed : -EBADMSG;
    in->ids = calloc(2 * (size_t)limit, sizeof *in->ids);
    if (in->ids == NULL)
        return -ENOMEM;
    count = find_movable(store, target.lease_id, limit, in->ids + limit, &end);
    for (uint32_t i = 0; i < count && store->sql.failed == 0; i++) {
        int r = move_one(store, &target, in->ids[limit + i], now_ms);

        in->moved += r > 0;
        if (r < 0)
            in->ids[in->id_count++] = in->ids[limit + i];
    }
    if (end)
        credit->move_state = 0, credit->move_after = 0;
    in->more = !end && anything_to_move(credit);
    return store->sql.failed;
}

/* -- credits have come ------------------------------------------------------------------------------------------------- */

static uint16_t parts_to_pay(const struct standing *standing)
{
    uint16_t count = 0;

    for (uint16_t i = 0; i < standing->parts; i++)
        count += !standing->part_charged[i];
    return count;
}

/* All that waits of the batch: ids and wants, side by side. *ret_ids and *ret_wants are the caller's, also after an error. */
static int read_batch(struct store *store, const struct price_table *table, int64_t batch_id, int64_t **ret_ids, struct ledger_want **ret_wants,
                      size_t *ret_count)
{
    struct sql *sql = &store->sql;
    int64_t count = sql_number(sql, "SELECT count(*) FROM message INDEXED BY message_wait WHERE state = 13 AND batch_id = ?1", 0,
                               SQL_ARGS(sql_int(batch_id)));
    sqlite3_stmt *row;
    size_t found = 0;

    if (count == 0)
        return sql->failed;
    if (count > LEDGER_BATCH_MAX)
        return -EBADMSG;
    *ret_ids = calloc((size_t)count, sizeof **ret_ids);
    *ret_wants = calloc((size_t)count, sizeof **ret_wants);
    if (*ret_ids == NULL || *ret_wants == NULL)
        return -ENOMEM;
    row = sql_query(sql, "SELECT id FROM message INDEXED BY message_wait WHERE state = 13 AND batch_id = ?1 ORDER BY id", SQL_ARGS(sql_int(batch_id)));
    while (found < (size_t)count && sql_next(sql, row))
        (*ret_ids)[found++] = sqlite3_column_int64(row, 0);
    if (found == (size_t)count)
        sql_end(sql, row);
    for (size_t i = 0; i < found && sql->failed == 0; i++) {
        struct standing standing;
        unsigned parts;

        if (standing_load(store, (*ret_ids)[i], &standing) < 0)
            break;
        parts = parts_to_pay(&standing);
        (*ret_wants)[i] = (struct ledger_want){ standing.id, (uint8_t)(parts > 0 ? parts : 1),
                                                credit_quote(table, standing.to, alphabet_of(store, standing.id), parts > 0 ? parts : 1) };
    }
    *ret_count = found;
    return sql->failed;
}

static void resume_one(struct store *store, struct change_credit *in, const struct ledger_want *want, uint64_t lease_id, int64_t now_ms)
{
    struct standing standing;
    bool later;

    if (standing_load(store, want->message_id, &standing) < 0)
        return;
    if (want->quote.verdict != PRICE_PRICED) {
        in->refused[in->refused_count++] = standing.id;
        standing_end(store, &standing, MESSAGE_REJECTED, now_ms, CREDIT_UNPRICED_REASON);
        sql_run(&store->sql, "UPDATE message SET reason_code = ?2 WHERE id = ?1", SQL_ARGS(sql_int(standing.id), sql_text(CREDIT_UNPRICED_CODE)));
        return;
    }
    note_credit(store, &standing, CREDIT_HELD, lease_id, want->quote.part_micro, want->quote.row);
    later = standing.due_ms > now_ms;
    standing.ready_ms = later ? standing.due_ms : 0;
    standing_save(store, &standing, later ? MESSAGE_SCHEDULED : MESSAGE_QUEUED, now_ms, "credits came");
    in->ids[in->id_count++] = standing.id;
}

/* A large batch is not read again and again for nothing. */
static bool is_still_too_much(struct store *store, const struct ledger_lease *open, int64_t batch_id)
{
    const struct credit *credit = &store->credit;

    return credit->resume_batch_id == batch_id && credit->resume_lease_id == open->lease_id &&
           open->balance_micro[LEDGER_AVAILABLE] < credit->resume_needed_micro && credit->resume_waiting == credit_waiting(store);
}

int credit_resume(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct credit *credit = &store->credit;
    const struct ledger_lease *open = credit_lease(store, credit->box.open_lease_id);
    int64_t batch_id = sql_number(&store->sql, "SELECT min(batch_id) FROM message INDEXED BY message_wait WHERE state = 13", 0, SQL_NO_ARGS);
    const struct price_table *table = open != NULL && batch_id != 0 ? credit_prices(store, open->price_version) : NULL;
    struct ledger_books books = credit_books(store, credit->box.open_lease_id);
    struct ledger_want *wants = NULL;
    struct ledger_posting posting;
    struct ledger_answer answer;
    int64_t *ids = NULL;
    size_t count = 0;
    int r;

    in->verdict = LEDGER_ALREADY;
    if (store->sql.failed != 0 || batch_id == 0)
        return store->sql.failed;
    in->verdict = open != NULL ? LEDGER_TOO_LITTLE : LEDGER_NO_LEASE;
    if (table == NULL || is_still_too_much(store, open, batch_id))
        return store->sql.failed;
    r = read_batch(store, table, batch_id, &ids, &wants, &count);
    if (r < 0)
        goto out;
    in->verdict = ledger_reserve(&books, batch_id, wants, count, now_ms, &posting, &answer);
    if (in->verdict != LEDGER_DONE) {
        credit->resume_batch_id = batch_id;
        credit->resume_needed_micro = answer.needed_micro;
        credit->resume_lease_id = books.lease.lease_id;
        credit->resume_waiting = credit_waiting(store);
        goto out;
    }
    in->ids = calloc(count, sizeof *in->ids);
    in->refused = calloc(count, sizeof *in->refused);
    if (in->ids == NULL || in->refused == NULL) {
        r = -ENOMEM;
        goto out;
    }
    if (posting.micro > 0) {
        credit_keep(store, &books);
        credit_post(store, &posting, NULL, now_ms);
    }
    for (size_t i = 0; i < count && store->sql.failed == 0; i++)
        resume_one(store, in, &wants[i], books.lease.lease_id, now_ms);
    in->more = true;
    r = store->sql.failed;
out:
    free(wants);
    free(ids);
    return r;
}
