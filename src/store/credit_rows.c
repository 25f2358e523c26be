/* SPDX-License-Identifier: Apache-2.0
 *
 * credit_rows.c - the rows of the ledger: in memory while a transaction is open, and on disk. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/credit_internal.h"
#include "src/store/schema.h"

/* -- load --------------------------------------------------------------------------------------------------------- */

static void copy_blob(sqlite3_stmt *row, int column, void *ret_bytes, size_t size)
{
    const void *bytes = sqlite3_column_blob(row, column);

    if (bytes != NULL && (size_t)sqlite3_column_bytes(row, column) == size)
        memcpy(ret_bytes, bytes, size);
}

#define LEASE_COLUMNS "id, state, price_version, spend_until_ms, settle_until_ms, mark_ms, postings, grant_micro, available_micro," \
                      " reserved_micro, captured_micro, suspense_micro, returned_micro, debt_micro, overspent_micro"

/* Columns: LEASE_COLUMNS. The mark of the box is the latest of all. */
static void read_lease(sqlite3_stmt *row, struct ledger_lease *ret_lease, int64_t *mark_ms)
{
    *ret_lease = (struct ledger_lease){
        .lease_id = (uint64_t)sqlite3_column_int64(row, 0),
        .state = (enum ledger_lease_state)sqlite3_column_int(row, 1),
        .price_version = (uint32_t)sqlite3_column_int64(row, 2),
        .spend_until_ms = sqlite3_column_int64(row, 3),
        .settle_until_ms = sqlite3_column_int64(row, 4),
        .postings = (uint64_t)sqlite3_column_int64(row, 6),
    };
    for (int i = 0; i < LEDGER_ACCOUNTS; i++)
        ret_lease->balance_micro[i] = sqlite3_column_int64(row, 7 + i);
    if (sqlite3_column_int64(row, 5) > *mark_ms)
        *mark_ms = sqlite3_column_int64(row, 5);
}

static void load_box(struct store *store, sqlite3_stmt *row)
{
    struct credit *credit = &store->credit;
    struct ledger_box *box = &credit->box;

    credit->on = true;
    copy_blob(row, 0, credit->identity.box_id, sizeof credit->identity.box_id);
    credit->identity.epoch = box->epoch = (uint32_t)sqlite3_column_int64(row, 1);
    copy_blob(row, 2, credit->identity.account_key, sizeof credit->identity.account_key);
    sql_copy_text(row, 3, credit->identity.account, sizeof credit->identity.account);
    credit->identity.start.seq = (uint64_t)sqlite3_column_int64(row, 4);
    copy_blob(row, 5, credit->identity.start.hash, SHA256_OCTETS);
    box->last_lease_id = (uint64_t)sqlite3_column_int64(row, 6);
    box->open_lease_id = (uint64_t)sqlite3_column_int64(row, 7);
    box->old_lease_id = (uint64_t)sqlite3_column_int64(row, 8);
    box->mark_ms = sqlite3_column_int64(row, 9);
    box->acked.seq = (uint64_t)sqlite3_column_int64(row, 10);
    copy_blob(row, 11, box->acked.hash, SHA256_OCTETS);
    box->fenced = sqlite3_column_int(row, 12) != 0;
    box->frozen = sqlite3_column_int(row, 13) != 0;
    credit->command = (uint64_t)sqlite3_column_int64(row, 14);
    credit->request.pending = sqlite3_column_type(row, 15) == SQLITE_BLOB;
    copy_blob(row, 15, credit->request.id, sizeof credit->request.id);
    credit->request.want_micro = sqlite3_column_int64(row, 16);
    credit->request.head.seq = (uint64_t)sqlite3_column_int64(row, 17);
    copy_blob(row, 18, credit->request.head.hash, SHA256_OCTETS);
    credit->request.open_lease_id = (uint64_t)sqlite3_column_int64(row, 19);
}

static void load_head(struct store *store)
{
    struct sql *sql = &store->sql;
    struct credit *credit = &store->credit;
    sqlite3_stmt *row;

    credit->box.head = credit->identity.start;
    row = sql_query(sql, "SELECT journal_seq, hash FROM credit_posting WHERE epoch = ?1 AND journal_seq IS NOT NULL"
                         " ORDER BY journal_seq DESC LIMIT 1", SQL_ARGS(sql_int(credit->box.epoch)));
    if (sql_next(sql, row)) {
        credit->box.head.seq = (uint64_t)sqlite3_column_int64(row, 0);
        copy_blob(row, 1, credit->box.head.hash, SHA256_OCTETS);
        sql_end(sql, row);
    }
}

void credit_load(struct store *store)
{
    struct sql *sql = &store->sql;
    struct credit *credit = &store->credit;
    sqlite3_stmt *row = sql_query(sql,
        "SELECT box_id, epoch, account_key, account, start_seq, start_hash, last_lease_id, open_lease_id, old_lease_id, mark_ms,"
        " acked_seq, acked_hash, fenced, frozen, command, request_id, request_want_micro, request_seq, request_hash, request_open_lease_id"
        " FROM credit_box WHERE id = 1", SQL_NO_ARGS);

    *credit = (struct credit){ 0 };
    if (!sql_next(sql, row))
        return;
    load_box(store, row);
    sql_end(sql, row);
    load_head(store);
    row = sql_query(sql, "SELECT " LEASE_COLUMNS " FROM credit_lease INDEXED BY credit_lease_used WHERE state <> 6 AND reserved_micro > 0"
                         " ORDER BY id DESC LIMIT ?1", SQL_ARGS(sql_int(CREDIT_ROWS_MAX - 2)));
    while (sql_next(sql, row))
        read_lease(row, &credit->leases[credit->lease_count++].row, &credit->box.mark_ms);
    (void)credit_lease(store, credit->box.open_lease_id);
    (void)credit_lease(store, credit->box.old_lease_id);
}

/* -- leases ------------------------------------------------------------------------------------------------------- */

static void write_lease(struct store *store, struct credit_row *row)
{
    const int64_t *balance = row->row.balance_micro;

    sql_run(&store->sql,
        "UPDATE credit_lease SET state = ?2, mark_ms = ?3, postings = ?4, available_micro = ?5, reserved_micro = ?6, captured_micro = ?7,"
        " suspense_micro = ?8, returned_micro = ?9, debt_micro = ?10, overspent_micro = ?11 WHERE id = ?1",
        SQL_ARGS(sql_int((int64_t)row->row.lease_id), sql_int(row->row.state), sql_int(store->credit.box.mark_ms),
                 sql_int((int64_t)row->row.postings), sql_int(balance[LEDGER_AVAILABLE]), sql_int(balance[LEDGER_RESERVED]),
                 sql_int(balance[LEDGER_CAPTURED]), sql_int(balance[LEDGER_SUSPENSE]), sql_int(balance[LEDGER_RETURNED]),
                 sql_int(balance[LEDGER_DEBT]), sql_int(balance[LEDGER_OVERSPENT])));
    row->dirty = false;
}

/* Room for one more: that of a lease that is neither open nor the one before. */
static struct credit_row *lease_place(struct store *store)
{
    struct credit *credit = &store->credit;

    if (credit->lease_count < CREDIT_ROWS_MAX)
        return &credit->leases[credit->lease_count++];
    for (uint32_t i = 0; i < CREDIT_ROWS_MAX; i++) {
        struct credit_row *row = &credit->leases[(credit->lease_turn + i) % CREDIT_ROWS_MAX];

        if (row->row.lease_id == credit->box.open_lease_id || row->row.lease_id == credit->box.old_lease_id)
            continue;
        if (row->dirty)
            write_lease(store, row);
        credit->lease_turn = (credit->lease_turn + i + 1) % CREDIT_ROWS_MAX;
        return row;
    }
    assert(!"two rows of many are in use");
    return NULL;
}

static struct credit_row *find_row(struct store *store, uint64_t lease_id)
{
    struct credit *credit = &store->credit;

    for (uint32_t i = 0; i < credit->lease_count; i++)
        if (credit->leases[i].row.lease_id == lease_id)
            return &credit->leases[i];
    return NULL;
}

struct ledger_lease *credit_lease(struct store *store, uint64_t lease_id)
{
    struct sql *sql = &store->sql;
    struct credit_row *place = lease_id != 0 ? find_row(store, lease_id) : NULL;
    struct ledger_lease lease;
    sqlite3_stmt *row;

    if (place != NULL || lease_id == 0)
        return place != NULL ? &place->row : NULL;
    row = sql_query(sql, "SELECT " LEASE_COLUMNS " FROM credit_lease WHERE id = ?1", SQL_ARGS(sql_int((int64_t)lease_id)));
    if (!sql_next(sql, row))
        return NULL;
    read_lease(row, &lease, &store->credit.box.mark_ms);
    sql_end(sql, row);
    place = lease_place(store);
    *place = (struct credit_row){ lease, false };
    return &place->row;
}

struct ledger_books credit_books(struct store *store, uint64_t lease_id)
{
    const struct ledger_lease *lease = credit_lease(store, lease_id);
    struct ledger_books books = { .box = store->credit.box };

    if (lease != NULL)
        books.lease = *lease;
    return books;
}

void credit_keep_lease(struct store *store, const struct ledger_lease *lease)
{
    struct credit_row *row = find_row(store, lease->lease_id);

    assert(row != NULL && ledger_lease_sound(lease));
    *row = (struct credit_row){ *lease, true };
}

/* The journal's head and the mark are written with other rows: only what a lease's life changes makes the box's row dirty. */
static bool box_differs(const struct ledger_box *a, const struct ledger_box *b)
{
    return a->epoch != b->epoch || a->last_lease_id != b->last_lease_id || a->open_lease_id != b->open_lease_id ||
           a->old_lease_id != b->old_lease_id || a->fenced != b->fenced || a->frozen != b->frozen || a->acked.seq != b->acked.seq ||
           memcmp(a->acked.hash, b->acked.hash, SHA256_OCTETS) != 0;
}

void credit_keep(struct store *store, const struct ledger_books *books)
{
    store->credit.box_dirty = store->credit.box_dirty || box_differs(&store->credit.box, &books->box);
    store->credit.box = books->box;
    if (books->lease.lease_id != 0)
        credit_keep_lease(store, &books->lease);
}

void credit_add_lease(struct store *store, const struct ledger_lease *row, const struct lease *paper)
{
    uint8_t octets[LEASE_OCTETS];
    int r = lease_encode(paper, octets);

    sql_run(&store->sql,
        "INSERT INTO credit_lease(id, epoch, state, price_version, issued_ms, spend_until_ms, settle_until_ms, mark_ms, postings, grant_micro,"
        " available_micro, paper) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, ?11)",
        SQL_ARGS(sql_int((int64_t)row->lease_id), sql_int(paper->epoch), sql_int(row->state), sql_int(row->price_version),
                 sql_int(paper->issued_ms), sql_int(row->spend_until_ms), sql_int(row->settle_until_ms), sql_int((int64_t)row->postings),
                 sql_int(row->balance_micro[LEDGER_GRANT]), sql_int(row->balance_micro[LEDGER_AVAILABLE]),
                 sql_blob(r == 0 ? octets : NULL, sizeof octets)));
    *lease_place(store) = (struct credit_row){ *row, true };
}

/* -- the box ------------------------------------------------------------------------------------------------------ */

static void write_box(struct store *store)
{
    const struct credit *credit = &store->credit;
    const struct ledger_box *box = &credit->box;
    const struct credit_request *request = &credit->request;

    sql_run(&store->sql,
        "INSERT OR REPLACE INTO credit_box(id, box_id, epoch, account_key, account, start_seq, start_hash, last_lease_id, open_lease_id,"
        " old_lease_id, mark_ms, acked_seq, acked_hash, fenced, frozen, command, request_id, request_want_micro, request_seq, request_hash,"
        " request_open_lease_id) VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        SQL_ARGS(sql_blob(credit->identity.box_id, sizeof credit->identity.box_id), sql_int(box->epoch),
                 sql_blob(credit->identity.account_key, sizeof credit->identity.account_key), sql_text(credit->identity.account),
                 sql_int((int64_t)credit->identity.start.seq), sql_blob(credit->identity.start.hash, SHA256_OCTETS),
                 sql_int((int64_t)box->last_lease_id), sql_int((int64_t)box->open_lease_id), sql_int((int64_t)box->old_lease_id),
                 sql_int(box->mark_ms), sql_int((int64_t)box->acked.seq), sql_blob(box->acked.hash, SHA256_OCTETS), sql_int(box->fenced),
                 sql_int(box->frozen), sql_int((int64_t)credit->command),
                 sql_blob(request->pending ? request->id : NULL, sizeof request->id), sql_int(request->want_micro),
                 sql_int((int64_t)request->head.seq), sql_blob(request->head.hash, SHA256_OCTETS), sql_int((int64_t)request->open_lease_id)));
}

void credit_flush(struct store *store)
{
    struct credit *credit = &store->credit;

    for (uint32_t i = 0; i < credit->lease_count; i++)
        if (credit->leases[i].dirty)
            write_lease(store, &credit->leases[i]);
    if (credit->box_dirty)
        write_box(store);
    credit->box_dirty = false;
}

/* -- postings and the journal ------------------------------------------------------------------------------------- */

static struct sql_value number_or_null(int64_t number)
{
    return number != 0 ? sql_int(number) : sql_blob(NULL, 0);
}

void credit_post(struct store *store, const struct ledger_posting *posting, const struct journal_entry *entry, int64_t now_ms)
{
    const uint8_t *boot = entry != NULL ? entry->boot_id : NULL;

    sql_run(&store->sql,
        "INSERT INTO credit_posting(lease_id, seq, from_account, to_account, micro, reason, batch_id, message_id, part, attempt, at_ms, epoch,"
        " journal_seq, journal_kind, price_row, refers_seq, boot, mono_ms, wall_ms, hash)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        SQL_ARGS(sql_int((int64_t)posting->lease_id), sql_int((int64_t)posting->seq), sql_int(posting->from), sql_int(posting->to),
                 sql_int(posting->micro), sql_int(posting->reason), number_or_null(posting->batch_id), number_or_null(posting->message_id),
                 sql_int(posting->part), sql_int(posting->attempt), sql_int(now_ms), sql_int(store->credit.box.epoch),
                 number_or_null(entry != NULL ? (int64_t)entry->seq : 0), number_or_null(entry != NULL ? entry->kind : 0),
                 entry != NULL ? sql_int(entry->price_row) : sql_blob(NULL, 0),
                 entry != NULL ? sql_int((int64_t)entry->refers_seq) : sql_blob(NULL, 0),
                 boot != NULL ? sql_int((int64_t)octets_get(&boot, 8)) : sql_blob(NULL, 0),
                 entry != NULL ? sql_int(entry->t_mono_ms) : sql_blob(NULL, 0), entry != NULL ? sql_int(entry->t_wall_ms) : sql_blob(NULL, 0),
                 sql_blob(entry != NULL ? entry->hash : NULL, SHA256_OCTETS)));
}

void credit_post_step(struct store *store, const struct ledger_step *step, int64_t now_ms)
{
    if (step->posted)
        credit_post(store, &step->posting, step->journaled ? &step->entry : NULL, now_ms);
}

void credit_read_entry(sqlite3_stmt *row, struct journal_entry *ret_entry)
{
    uint8_t *boot;

    *ret_entry = (struct journal_entry){
        .seq = (uint64_t)sqlite3_column_int64(row, 0), .lease_id = (uint64_t)sqlite3_column_int64(row, 1),
        .kind = (enum journal_kind)sqlite3_column_int(row, 2), .message_id = sqlite3_column_int64(row, 3),
        .part = (uint8_t)sqlite3_column_int(row, 4), .attempt = (uint32_t)sqlite3_column_int64(row, 5),
        .units_micro = sqlite3_column_int64(row, 6), .price_row = (uint32_t)sqlite3_column_int64(row, 7),
        .refers_seq = (uint64_t)sqlite3_column_int64(row, 8), .t_mono_ms = sqlite3_column_int64(row, 10),
        .t_wall_ms = sqlite3_column_int64(row, 11),
    };
    boot = ret_entry->boot_id;
    octets_put(&boot, (uint64_t)sqlite3_column_int64(row, 9), 8);
    copy_blob(row, 12, ret_entry->hash, SHA256_OCTETS);
}

bool credit_journal_hash(struct store *store, uint64_t seq, uint8_t ret_hash[SHA256_OCTETS])
{
    struct sql *sql = &store->sql;
    const struct credit *credit = &store->credit;
    sqlite3_stmt *row;

    if (seq == credit->identity.start.seq) {
        memcpy(ret_hash, credit->identity.start.hash, SHA256_OCTETS);
        return true;
    }
    row = sql_query(sql, "SELECT hash FROM credit_posting WHERE epoch = ?1 AND journal_seq = ?2",
                    SQL_ARGS(sql_int(credit->box.epoch), sql_int((int64_t)seq)));
    if (!sql_next(sql, row))
        return false;
    copy_blob(row, 0, ret_hash, SHA256_OCTETS);
    sql_end(sql, row);
    return sql->failed == 0;
}

/* A wall clock from before 1970 is told as 1970: the time that counts is the mark. */
struct ledger_moment credit_moment(const struct store *store, int64_t now_ms)
{
    int64_t mono_ms = now_ms - store->clock_ahead_ms;
    struct ledger_moment moment = { .mono_ms = mono_ms > 0 ? mono_ms : 0, .wall_ms = now_ms > 0 ? now_ms : 0 };
    uint8_t *boot = moment.boot_id;

    octets_put(&boot, (uint64_t)store->clock_boot, 8);
    return moment;
}

/* -- prices ------------------------------------------------------------------------------------------------------- */

const struct price_table *credit_prices(struct store *store, uint32_t version)
{
    struct sql *sql = &store->sql;
    struct table_notes *notes;
    sqlite3_stmt *row;
    int r = -ENOMEM;

    if (store->prices != NULL && price_table_version(store->prices) == version)
        return store->prices;
    row = version != 0 ? sql_query(sql, "SELECT csv FROM credit_prices WHERE version = ?1", SQL_ARGS(sql_int(version))) : NULL;
    if (!sql_next(sql, row))
        return NULL;
    notes = malloc(sizeof *notes);
    if (notes != NULL) {
        struct price_table *table = NULL;
        const char *csv = sql_column_text(row, 0);
        struct table_file file = { "prices", csv, strlen(csv) };

        r = price_table_parse(version, &file, &table, notes);
        if (r == 0) {
            price_table_free(store->prices);
            store->prices = table;
        }
    }
    free(notes);
    sql_end(sql, row);
    if (sql->failed == 0 && r < 0)
        sql->failed = r == -ENOMEM ? -ENOMEM : -EBADMSG;   /* it was looked at before it was kept */
    return sql->failed == 0 ? store->prices : NULL;
}

/* -- time --------------------------------------------------------------------------------------------------------- */

#define MARK_AHEAD_MS 1000                   /* a mark that is only little behind is not worth a write */
#define MARK_BACK_MS 120000                  /* an answer may have been on its way for so long */

/* Without the way back, a clock that once was years ahead would end all leases for good. */
void credit_told_time(struct store *store, int64_t account_ms)
{
    struct ledger_box *box = &store->credit.box;

    if (account_ms <= box->mark_ms + MARK_AHEAD_MS && account_ms >= box->mark_ms - MARK_BACK_MS)
        return;
    if (account_ms < box->mark_ms)
        sql_run(&store->sql, "UPDATE credit_lease SET mark_ms = ?1 WHERE mark_ms > ?1", SQL_ARGS(sql_int(account_ms)));
    box->mark_ms = account_ms;
    store->credit.box_dirty = true;
}

/* -- the summary -------------------------------------------------------------------------------------------------- */

uint64_t credit_waiting(struct store *store)
{
    return (uint64_t)(store->tally[MESSAGE_WAIT_CREDIT] + sql_number(&store->sql, "SELECT n FROM counter WHERE kind = ?1 AND id = ?2", 0,
                                                                     SQL_ARGS(sql_int(COUNTER_STATE), sql_int(MESSAGE_WAIT_CREDIT))));
}

void credit_summarize(struct store *store, struct credit_summary *ret_summary)
{
    struct sql *sql = &store->sql;
    const struct credit *credit = &store->credit;
    struct credit_summary summary = { .enrolled = credit->on, .identity = credit->identity, .box = credit->box, .request = credit->request,
                                      .command = credit->command };
    sqlite3_stmt *row;

    if (credit->on) {
        summary.open = credit_books(store, credit->box.open_lease_id).lease;
        summary.old = credit_books(store, credit->box.old_lease_id).lease;
        summary.open_grant_micro = -summary.open.balance_micro[LEDGER_GRANT];
        summary.open_issued_ms = sql_number(sql, "SELECT issued_ms FROM credit_lease WHERE id = ?1", 0, SQL_ARGS(sql_int((int64_t)summary.open.lease_id)));
        row = sql_query(sql, "SELECT version, sha256 FROM credit_prices ORDER BY version DESC LIMIT ?1", SQL_ARGS(sql_int(CREDIT_TABLES_MAX)));
        while (sql_next(sql, row)) {
            summary.prices[summary.price_count].version = (uint32_t)sqlite3_column_int64(row, 0);
            copy_blob(row, 1, summary.prices[summary.price_count++].sha256, SHA256_OCTETS);
        }
        summary.waiting = credit_waiting(store);
        for (uint32_t i = 0; i < credit->lease_count; i++)
            if (credit->leases[i].row.lease_id != credit->box.open_lease_id && credit->leases[i].row.lease_id != credit->box.old_lease_id)
                summary.stranded_micro += credit->leases[i].row.balance_micro[LEDGER_RESERVED];
    }
    *ret_summary = summary;
}
