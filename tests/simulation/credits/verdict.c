/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/credits/world.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store/credit_books.h"

/* -- the account ------------------------------------------------------------------------------------------------------ */

static void account_fault(void *context, const char *sentence)
{
    violation(context, "the account's books: %s", sentence);
}

static void check_account(struct world *world, struct account_census *ret_census)
{
    struct account_db db = account_memory_db(world->central.memory);
    int r = account_check(&db, account_fault, world, ret_census);

    world->result->checks++;
    if (r < 0)
        violation(world, "the account's books cannot be read: %d", r);
}

struct unclosed { uint32_t epoch; int64_t micro; unsigned count; };

static int add_unclosed(void *context, const struct account_lease *row)
{
    struct unclosed *unclosed = context;

    if (row->epoch == unclosed->epoch) {
        unclosed->micro += row->grant_micro;
        unclosed->count++;
    }
    return 0;
}

/* Whether every box is what it says it is, so that all of it ends well. */
static bool settles(const struct world *world) { return world->story == STORY_HONEST || world->story == STORY_BACKUP; }

/* What can be seen of a box without reading all: I7, I9, I10. */
static int look_at_box(void *context, const struct account_box *row)
{
    struct world *world = context;

    for (unsigned i = 0; i < world->box_count; i++) {
        struct box *box = &world->boxes[i];
        struct journal_head *before = &world->central.acked[i];

        if (!box->card.enrolled || memcmp(box->card.box_id, row->id, sizeof row->id) != 0)
            continue;
        if (!world->central.set_back && world->central.epochs[i] == row->epoch && row->acked.seq < before->seq)
            violation(world, "I7: the account goes back to entry %" PRIu64 " of box %u", row->acked.seq, i);
        if (row->state == BOX_FENCED && settles(world))
            violation(world, "I9: box %u is honest, and fenced", i);
        world->central.epochs[i] = row->epoch;
        *before = row->acked;
    }
    return 0;
}

struct box_rows { struct account_box rows[BOXES_MAX]; unsigned count; };

static int keep_box(void *context, const struct account_box *row)
{
    struct box_rows *rows = context;

    if (rows->count < BOXES_MAX)
        rows->rows[rows->count++] = *row;
    return 0;
}

void verdict_step(struct world *world)
{
    struct account_db db = account_memory_db(world->central.memory);
    struct account_census census;
    struct box_rows rows = { .count = 0 };

    if (db.ops->begin(db.db, 0) < 0)
        return;
    (void)db.ops->box_list(db.db, 0, keep_box, &rows);
    for (unsigned i = 0; i < rows.count; i++) {
        struct unclosed unclosed = { .epoch = rows.rows[i].epoch };

        (void)db.ops->lease_list(db.db, rows.rows[i].id, false, add_unclosed, &unclosed);
        if (unclosed.count > 2 && !world->central.set_back)   /* it is reminded of those that it has to close again */
            violation(world, "I10: a box has %u leases that are not closed", unclosed.count);
        if (unclosed.micro > world->largest_exposure_micro)
            world->largest_exposure_micro = unclosed.micro;
    }
    db.ops->rollback(db.db);
    for (unsigned i = 0; i < rows.count; i++)
        (void)look_at_box(world, &rows.rows[i]);
    if (world->result->answers % 64 == 0)
        check_account(world, &census);
}

/* -- a box ---------------------------------------------------------------------------------------------------------------- */

static sqlite3 *open_database(const struct disk *disk)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2("cellpost.db", &db, SQLITE_OPEN_READWRITE, disk_vfs(disk)) != SQLITE_OK) {
        (void)sqlite3_close(db);
        return NULL;
    }
    return db;
}

static int64_t ask(struct world *world, sqlite3 *db, const char *query)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;

    if (sqlite3_prepare_v2(db, query, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        violation(world, "the verdict's own query fails: %s", sqlite3_errmsg(db));
    else
        value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return value;
}

int64_t verdict_spent_on(struct world *world, struct disk *disk)
{
    sqlite3 *db = open_database(disk);
    int64_t micro = db != NULL ? ask(world, db, CREDIT_SPENT_QUERY) : 0;

    (void)sqlite3_close(db);
    return micro;
}

int64_t verdict_spent(struct box *box)
{
    return verdict_spent_on(box->world, box->disk);
}

/* What was on the air is charged, and what is charged was, or may have been. */
static void check_attempts(struct box *box, sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;

    for (uint32_t i = 0; i < box->attempt_count; i++) {
        const struct attempt *attempt = &box->attempts[i];

        if (!attempt->handed_over || attempt->refused || attempt->unknown || attempt->crashed || attempt->open)
            continue;
        if (sqlite3_prepare_v2(db, "SELECT count(*) FROM attempt a JOIN message m ON m.id = a.message_id WHERE a.message_id = ?1 AND a.part = ?2"
                                   " AND (a.charge_seq > 0 OR m.credit_state = 0)", -1, &stmt, NULL) != SQLITE_OK)
            break;
        (void)sqlite3_bind_int64(stmt, 1, attempt->message_id);
        (void)sqlite3_bind_int(stmt, 2, attempt->part);
        if (sqlite3_step(stmt) != SQLITE_ROW || sqlite3_column_int64(stmt, 0) == 0)
            violation(box->world, "box %u sent part %u of message %lld, and it is not charged", box->number, attempt->part,
                      (long long)attempt->message_id);
        (void)sqlite3_finalize(stmt);
        stmt = NULL;
    }
    if (sqlite3_prepare_v2(db, "SELECT id FROM attempt WHERE charge_seq > 0", -1, &stmt, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(stmt, 0);
        bool may = box->attempt_count == ATTEMPTS_MAX || id <= box->attempts_before;

        for (uint32_t i = 0; i < box->attempt_count && !may; i++)
            may = box->attempts[i].id == id && (box->attempts[i].crashed || (box->attempts[i].handed_over && !box->attempts[i].refused));
        if (!may)
            violation(box->world, "box %u charged attempt %lld, which did not send", box->number, (long long)id);
    }
    (void)sqlite3_finalize(stmt);
}

/* What became of its messages, and how its parts ended. */
static void trace_states(const struct box *box, sqlite3 *db)
{
    static const char *const queries[] = { "SELECT 'messages in state', state, count(*) FROM message GROUP BY state",
                                           "SELECT 'attempts in state', state, count(*) FROM attempt GROUP BY state",
                                           "SELECT 'holds from lease ' || credit_lease || ' of messages in state', state, count(*)"
                                           " FROM message WHERE credit_state = 1 GROUP BY credit_lease, state",
                                           "SELECT 'reserved in lease ' || id || ', suspense ' || suspense_micro || ', state', state, reserved_micro"
                                           " FROM credit_lease WHERE reserved_micro > 0" };

    for (size_t i = 0; box->world->options.trace && i < sizeof queries / sizeof queries[0]; i++) {
        sqlite3_stmt *stmt = NULL;

        if (sqlite3_prepare_v2(db, queries[i], -1, &stmt, NULL) != SQLITE_OK)
            trace(box->world, "box", "%u: %s", box->number, sqlite3_errmsg(db));
        while (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW)
            trace(box->world, "box", "%u: %s %s: %lld", box->number, (const char *)sqlite3_column_text(stmt, 0),
                  (const char *)sqlite3_column_text(stmt, 1), (long long)sqlite3_column_int64(stmt, 2));
        (void)sqlite3_finalize(stmt);
    }
}

static int64_t check_box(struct box *box)
{
    sqlite3 *db = open_database(box->disk);
    int64_t spent_micro;

    if (db == NULL) {
        violation(box->world, "the database of box %u cannot be opened", box->number);
        return 0;
    }
    for (size_t i = 0; i < CREDIT_BOOKS; i++) {
        int64_t found = ask(box->world, db, credit_books[i].query);

        if (found != 0)
            violation(box->world, "box %u: %s: %lld", box->number, credit_books[i].sentence, (long long)found);
    }
    trace_states(box, db);
    check_attempts(box, db);
    spent_micro = ask(box->world, db, CREDIT_SPENT_QUERY);
    (void)sqlite3_close(db);
    return spent_micro;
}

/* -- the end ---------------------------------------------------------------------------------------------------------------- */

static void check_settled(struct world *world, struct box *box)
{
    const struct sync_status status = sync_status_now(box->sync);
    struct credit_summary summary;

    if (box_summary(box, &summary) < 0)
        return;
    if (!summary.enrolled)
        violation(world, "box %u is not enrolled at the end: %s %s %s", box->number, sync_state_name(status.state), status.why, status.detail);
    if (summary.box.head.seq != summary.box.acked.seq)
        violation(world, "box %u has told %" PRIu64 " of %" PRIu64 " entries: %s %s %s", box->number, summary.box.acked.seq, summary.box.head.seq,
                  sync_state_name(status.state), status.why, status.detail);
    if (summary.box.fenced)
        violation(world, "I9: box %u is honest, and fenced by itself", box->number);
    if (summary.request.pending)
        violation(world, "the request of box %u for a lease never ended: %s %s %s", box->number, sync_state_name(status.state), status.why,
                  status.detail);
    if (summary.old.lease_id != 0)
        violation(world, "lease %" PRIu64 " of box %u is %s with %lld reserved, and not closed; lease %" PRIu64 " is %s, frozen %d: %s %s", summary.old.lease_id,
                  box->number, ledger_lease_state_name(summary.old.state), (long long)summary.old.balance_micro[LEDGER_RESERVED],
                  summary.open.lease_id, ledger_lease_state_name(summary.open.state), summary.box.frozen, status.why, status.detail);
}

void verdict_end(struct world *world)
{
    struct account_census census = { .accounts = 0 };
    int64_t spent_micro = 0;
    unsigned copies = 0;

    for (unsigned i = 0; i < world->box_count; i++) {
        struct box *box = &world->boxes[i];

        if (!box->exists)
            continue;
        if (settles(world) && box->up)
            check_settled(world, box);
        box_stop(box);
        spent_micro += check_box(box) - box->spent_before_micro;
        copies += !box->honest;
    }
    check_account(world, &census);
    world->result->captured_micro = census.captured_micro;
    world->result->entries = census.entries;
    world->result->leases = census.leases;
    if (settles(world)) {                    /* I13 */
        if (census.suspense_micro != 0 || census.debt_micro != 0)
            violation(world, "I13: %lld in suspense, %lld in debt after all is settled", (long long)census.suspense_micro, (long long)census.debt_micro);
        if (census.captured_micro != spent_micro)
            violation(world, "I13: the boxes spent %lld and the account booked %lld", (long long)spent_micro, (long long)census.captured_micro);
    } else {
        int64_t over_micro = spent_micro - census.captured_micro - census.suspense_micro;
        int64_t bound_micro = (int64_t)(copies > 0 ? copies : 1) * world->largest_exposure_micro;

        if (over_micro > bound_micro)        /* I10 */
            violation(world, "I10: %lld were spent that nobody paid for, with %u copies and %lld in their hands", (long long)over_micro, copies,
                      (long long)world->largest_exposure_micro);
        world->result->overspent_micro = over_micro;
        world->result->bound_micro = bound_micro;
    }
}
