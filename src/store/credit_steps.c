/* SPDX-License-Identifier: Apache-2.0
 *
 * credit_steps.c - CHANGE_CREDIT: what the account, its sync and the clock do to the ledger. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/credit_internal.h"

/* Each returns what store_step does; the verdict is in the change. */
typedef int step_fn(struct store *store, struct change_credit *credit, int64_t now_ms);

static int load(struct store *store, struct change_credit *credit, int64_t now_ms)
{
    (void)now_ms;
    credit->verdict = LEDGER_DONE;
    return store->sql.failed;
}

/* -- who the box is ---------------------------------------------------------------------------------------------------- */

/* Every lease that is not closed, once. */
static void fence_all(struct store *store, struct change_credit *credit, int64_t now_ms)
{
    const uint64_t ids[] = { store->credit.box.open_lease_id, store->credit.box.old_lease_id, 0 };

    credit->verdict = LEDGER_ALREADY;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct ledger_books books = credit_books(store, ids[i]);
        struct ledger_step step = { 0 };

        if ((ids[i] != 0 && books.lease.lease_id == 0) || ledger_fence(&books, &step) != LEDGER_DONE)
            continue;
        credit->verdict = LEDGER_DONE;
        credit_keep(store, &books);
        credit_post_step(store, &step, now_ms);
    }
}

static int enrol(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct credit *credit = &store->credit;
    bool same = credit->on && credit->identity.epoch == in->identity.epoch &&
                memcmp(credit->identity.box_id, in->identity.box_id, sizeof in->identity.box_id) == 0;

    if (in->identity.epoch == 0 || memchr(in->identity.account, '\0', sizeof in->identity.account) == NULL)
        return -EINVAL;
    if (same && memcmp(credit->identity.account_key, in->identity.account_key, sizeof in->identity.account_key) == 0) {
        in->verdict = LEDGER_ALREADY;
        return 0;
    }
    if (!same) {
        if (credit->on)
            fence_all(store, in, now_ms);
        credit->box.open_lease_id = credit->box.old_lease_id = 0;   /* what was closing is the old enrolment's */
        ledger_enrol(&credit->box, in->identity.epoch, &in->identity.start);
        credit->command = 0;                 /* commands are numbered anew in each enrolment */
        credit->request = (struct credit_request){ 0 };
        credit->identity = in->identity;
    }
    memcpy(credit->identity.account_key, in->identity.account_key, sizeof in->identity.account_key);
    credit->on = credit->box_dirty = true;
    in->verdict = LEDGER_DONE;
    return store->sql.failed;
}

static int new_key(struct store *store, struct change_credit *in, int64_t now_ms)
{
    (void)now_ms;
    memcpy(store->credit.identity.account_key, in->identity.account_key, sizeof in->identity.account_key);
    store->credit.box_dirty = true;
    in->verdict = LEDGER_DONE;
    return 0;
}

/* -- leases ------------------------------------------------------------------------------------------------------------ */

static int request(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct credit *credit = &store->credit;

    (void)now_ms;
    if (in->request.pending && credit->request.pending) {
        if (memcmp(credit->request.id, in->request.id, sizeof in->request.id) != 0)
            return -EEXIST;
        in->verdict = LEDGER_ALREADY;
        return 0;
    }
    in->verdict = in->request.pending || credit->request.pending ? LEDGER_DONE : LEDGER_ALREADY;
    credit->box_dirty = credit->box_dirty || in->verdict == LEDGER_DONE;
    credit->request = in->request.pending ? in->request : (struct credit_request){ 0 };
    return 0;
}

static int open_lease(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct credit *credit = &store->credit;
    struct ledger_books books = credit_books(store, credit->box.open_lease_id);
    struct ledger_lease before;
    struct ledger_step step;
    uint8_t octets[LEASE_OCTETS];
    const struct price_table *table;

    if (lease_encode(&in->lease, octets) < 0)
        return -EINVAL;
    table = credit_prices(store, in->lease.price_version);
    if (store->sql.failed != 0)
        return store->sql.failed;
    if (in->lease.lease_id > credit->box.last_lease_id &&
        (table == NULL || memcmp(price_table_sha256(table), in->lease.price_sha256, SHA256_OCTETS) != 0)) {
        in->verdict = LEDGER_OTHER_PRICES;
        return 0;
    }
    in->verdict = ledger_open(&books, &in->lease, now_ms, &step, &before);
    if (in->verdict != LEDGER_DONE)
        return 0;
    if (before.lease_id != 0)
        credit_keep_lease(store, &before);
    credit_add_lease(store, &books.lease, &in->lease);
    credit_keep(store, &books);
    credit_post_step(store, &step, now_ms);
    credit->request = (struct credit_request){ 0 };
    credit->box_dirty = true;
    return store->sql.failed;
}

static int acknowledge(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct credit *credit = &store->credit;
    uint8_t ours[SHA256_OCTETS];
    bool known;

    in->verdict = LEDGER_DONE;
    if (in->head.seq < credit->identity.start.seq) {
        in->ack = JOURNAL_ACK_OLD;
        return 0;
    }
    known = credit_journal_hash(store, in->head.seq, ours);
    if (store->sql.failed != 0)
        return store->sql.failed;
    if (!known || memcmp(ours, in->head.hash, SHA256_OCTETS) != 0) {
        in->ack = JOURNAL_ACK_FORK;
        fence_all(store, in, now_ms);
        return store->sql.failed;
    }
    in->ack = in->head.seq < credit->box.acked.seq ? JOURNAL_ACK_OLD : JOURNAL_ACK_TAKEN;
    if (in->head.seq > credit->box.acked.seq) {
        credit->box.acked = in->head;
        credit->box_dirty = true;
    }
    return 0;
}

static int close_lease(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct ledger_books books = credit_books(store, in->lease_id);
    const struct ledger_lease *old = credit_lease(store, store->credit.box.old_lease_id);
    struct ledger_step step = { 0 };

    if (old != NULL && books.lease.balance_micro[LEDGER_RESERVED] == 0)
        (void)ledger_swap(&books.box, &books.lease, old);
    in->verdict = ledger_close(&books, &step);
    if (in->verdict != LEDGER_DONE)
        return store->sql.failed;
    credit_keep(store, &books);
    credit_post_step(store, &step, now_ms);
    return store->sql.failed;
}

static int lease_closed(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct ledger_books books = credit_books(store, in->lease_id);

    (void)now_ms;
    in->verdict = ledger_closed(&books, in->lease_id);
    if (in->verdict == LEDGER_DONE)
        credit_keep(store, &books);
    return store->sql.failed;
}

static int expire(struct store *store, struct change_credit *in, int64_t now_ms)
{
    const uint64_t ids[] = { store->credit.box.open_lease_id, store->credit.box.old_lease_id };

    in->verdict = LEDGER_NOT_YET;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct ledger_books books = credit_books(store, ids[i]);
        struct ledger_step step = { 0 };

        if (ids[i] == 0 || ledger_expire(&books, now_ms, &step) != LEDGER_DONE)
            continue;
        in->verdict = LEDGER_DONE;
        credit_keep(store, &books);
        credit_post_step(store, &step, now_ms);
        store->credit.box_dirty = true;      /* the mark, which the row of a lease that ends would take with it */
    }
    return store->sql.failed;
}

/* -- the account's word ------------------------------------------------------------------------------------------------ */

static int fence(struct store *store, struct change_credit *in, int64_t now_ms)
{
    fence_all(store, in, now_ms);
    return store->sql.failed;
}

static int freeze(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct ledger_books books = { .box = store->credit.box };

    (void)now_ms;
    in->verdict = ledger_freeze(&books.box, in->step == CREDIT_FREEZE);
    credit_keep(store, &books);
    return 0;
}

/* Those that a lease which is not closed names stay, and the newest. */
static void forget_prices(struct store *store)
{
    const struct ledger_lease *open = credit_lease(store, store->credit.box.open_lease_id);
    const struct ledger_lease *old = credit_lease(store, store->credit.box.old_lease_id);

    sql_run(&store->sql, "DELETE FROM credit_prices WHERE version NOT IN (?1, ?2) AND version < (SELECT version FROM credit_prices"
                         " ORDER BY version DESC LIMIT 1 OFFSET ?3)",
            SQL_ARGS(sql_int(open != NULL ? open->price_version : 0), sql_int(old != NULL ? old->price_version : 0), sql_int(CREDIT_TABLES_MAX - 3)));
}

static int keep_prices(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct table_file file = { "prices", in->csv, in->csv != NULL ? strlen(in->csv) : 0 };
    struct table_notes *notes = malloc(sizeof *notes);
    struct price_table *table = NULL;
    int r = -ENOMEM;

    if (in->version == 0 || in->csv == NULL) {
        free(notes);
        return -EINVAL;
    }
    if (notes != NULL)
        r = price_table_parse(in->version, &file, &table, notes);
    if (r == -EINVAL)
        (void)snprintf(in->problem, sizeof in->problem, "%.*s", (int)sizeof in->problem - 1, notes->text[0]);
    free(notes);
    if (r < 0)
        return r;
    if (memcmp(price_table_sha256(table), in->sha256, SHA256_OCTETS) != 0) {
        price_table_free(table);
        return -EBADMSG;
    }
    price_table_free(table);
    in->verdict = LEDGER_ALREADY;
    if (sql_number(&store->sql, "SELECT count(*) FROM credit_prices WHERE version = ?1", 1, SQL_ARGS(sql_int(in->version))) == 0) {
        sql_run(&store->sql, "INSERT INTO credit_prices(version, sha256, at_ms, csv) VALUES(?1, ?2, ?3, ?4)",
                SQL_ARGS(sql_int(in->version), sql_blob(in->sha256, SHA256_OCTETS), sql_int(now_ms), sql_text(in->csv)));
        forget_prices(store);
        in->verdict = LEDGER_DONE;
    }
    return store->sql.failed;
}

/* -- the journal ------------------------------------------------------------------------------------------------------- */

static int read_journal(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct sql *sql = &store->sql;
    const struct credit *credit = &store->credit;
    uint32_t limit = in->limit < CREDIT_JOURNAL_MAX ? in->limit : CREDIT_JOURNAL_MAX;
    enum journal_fault fault;
    const uint8_t *hash;
    sqlite3_stmt *row;
    size_t intact;

    (void)now_ms;
    if (in->from_seq == 0 || limit == 0)
        return -EINVAL;
    in->verdict = LEDGER_DONE;
    in->before.seq = in->from_seq - 1;
    if (!credit_journal_hash(store, in->before.seq, in->before.hash))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    in->entries = calloc(limit, sizeof *in->entries);
    if (in->entries == NULL)
        return -ENOMEM;
    row = sql_query(sql, "SELECT " JOURNAL_COLUMNS " FROM credit_posting WHERE epoch = ?1 AND journal_seq >= ?2 ORDER BY journal_seq LIMIT ?3",
                    SQL_ARGS(sql_int(credit->box.epoch), sql_int((int64_t)in->from_seq), sql_int(limit)));
    hash = in->before.hash;
    while (sql_next(sql, row)) {
        struct journal_entry *entry = &in->entries[in->entry_count++];

        credit_read_entry(row, entry);
        memcpy(entry->prev_hash, hash, SHA256_OCTETS);
        hash = entry->hash;
    }
    intact = journal_check(&in->before, in->entries, in->entry_count, &fault);
    if (sql->failed == 0 && fault != JOURNAL_INTACT) {
        (void)snprintf(in->problem, sizeof in->problem, "entry %llu: %s", (unsigned long long)(in->from_seq + intact), journal_fault_words(fault));
        return -EBADMSG;
    }
    return sql->failed;
}

/* The papers are those that were verified before they were opened; a row that cannot be read was damaged. */
static int read_papers(struct store *store, struct change_credit *in, int64_t now_ms)
{
    struct sql *sql = &store->sql;
    uint32_t limit = in->limit < CREDIT_PAPERS_MAX ? in->limit : CREDIT_PAPERS_MAX;
    sqlite3_stmt *row;

    (void)now_ms;
    if (in->lease_id == 0 || limit == 0)
        return -EINVAL;
    credit_flush(store);                     /* what is in memory alone */
    in->verdict = LEDGER_DONE;
    in->papers = calloc(limit, sizeof *in->papers);
    if (in->papers == NULL)
        return -ENOMEM;
    row = sql_query(sql, "SELECT state, captured_micro, returned_micro, paper FROM credit_lease WHERE id >= ?1 ORDER BY id LIMIT ?2",
                    SQL_ARGS(sql_int((int64_t)in->lease_id), sql_int(limit)));
    while (sql_next(sql, row)) {
        struct credit_paper *paper = &in->papers[in->paper_count++];

        paper->state = (enum ledger_lease_state)sqlite3_column_int(row, 0);
        paper->captured_micro = sqlite3_column_int64(row, 1);
        paper->returned_micro = sqlite3_column_int64(row, 2);
        if (lease_decode(sqlite3_column_blob(row, 3), (size_t)sqlite3_column_bytes(row, 3), &paper->lease) < 0) {
            sql_end(sql, row);
            return -EIO;
        }
    }
    return sql->failed;
}

/* ---------------------------------------------------------------------------------------------------------------------- */

static int nothing(struct store *store, struct change_credit *in, int64_t now_ms)
{
    (void)now_ms;
    in->verdict = LEDGER_DONE;
    return store->sql.failed;
}

static const struct { step_fn *step; bool without_account; } steps[CREDIT_STEPS] = {
    [CREDIT_LOAD] = { load, true },         [CREDIT_ENROL] = { enrol, true },          [CREDIT_KEY] = { new_key, false },
    [CREDIT_REQUEST] = { request, false },  [CREDIT_OPEN] = { open_lease, false },     [CREDIT_ACK] = { acknowledge, false },
    [CREDIT_CLOSE] = { close_lease, false },[CREDIT_CLOSED] = { lease_closed, false }, [CREDIT_FENCE] = { fence, false },
    [CREDIT_FREEZE] = { freeze, false },    [CREDIT_UNFREEZE] = { freeze, false },     [CREDIT_PRICES] = { keep_prices, true },
    [CREDIT_COMMAND] = { nothing, false },  [CREDIT_JOURNAL] = { read_journal, false },[CREDIT_EXPIRE] = { expire, false },
    [CREDIT_PAPERS] = { read_papers, false },
    [CREDIT_MOVE] = { credit_move, false }, [CREDIT_RESUME] = { credit_resume, false },
};

int credit_apply(struct store *store, struct store_change *change)
{
    struct change_credit *in = change->u.credit;
    int r = 0;

    if ((unsigned)in->step >= CREDIT_STEPS)
        return -EINVAL;
    if (!store->credit.on && !steps[in->step].without_account)
        return -ENOENT;
    if (in->account_ms > 0 && store->credit.on)
        credit_told_time(store, in->account_ms);
    if (in->command != 0 && in->command <= store->credit.command) {
        in->verdict = LEDGER_ALREADY;
    } else {
        r = steps[in->step].step(store, in, change->now_ms);
        if (r == 0 && in->command != 0) {
            store->credit.command = in->command;
            store->credit.box_dirty = true;
        }
    }
    if (r == 0)
        credit_summarize(store, &in->summary);
    return r < 0 ? r : store->sql.failed;
}
