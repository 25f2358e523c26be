/* SPDX-License-Identifier: Apache-2.0
 *
 * credit_testing.h - a box with an account, one line per step, and the invariants of its books as they are on disk. */
#ifndef CELLPOST_CREDIT_TESTING_H
#define CELLPOST_CREDIT_TESTING_H

#include "credit_books.h"
#include "store_testing.h"

#define CREDIT INT64_C(1000000)
#define PRICES "prefix,price,price_ucs2\n40,1,2\n44,3,\n4490,refused,\n"

static inline struct store_change *new_credit(const struct bench *bench, enum credit_step step)
{
    struct store_change *change = change_new(CHANGE_CREDIT, bench->now_ms);

    assert_non_null(change);
    change->u.credit->step = step;
    change->u.credit->limit = CREDIT_MOVE_MAX;
    return change;
}

/* Applies and frees; the summary afterwards goes to *ret_summary (NULL: nobody asks). */
static inline enum ledger_verdict credit_do(struct bench *bench, struct store_change *change, struct credit_summary *ret_summary)
{
    enum ledger_verdict verdict;

    assert_int_equal(apply(bench, change), 0);
    verdict = change->u.credit->verdict;
    if (ret_summary != NULL)
        *ret_summary = change->u.credit->summary;
    change_free(change);
    return verdict;
}

static inline struct credit_summary credit_now(struct bench *bench)
{
    struct credit_summary summary;

    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_LOAD), &summary), LEDGER_DONE);
    return summary;
}

static inline void enrol(struct bench *bench, uint32_t epoch)
{
    struct store_change *change = new_credit(bench, CREDIT_ENROL);

    memset(change->u.credit->identity.box_id, 0xB0, LEASE_BOX_ID_OCTETS);
    change->u.credit->identity.epoch = epoch;
    change->u.credit->identity.account_key[0] = 4;
    strcpy(change->u.credit->identity.account, "shop");
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
}

static inline void prices_hash(uint32_t version, const char *csv, uint8_t ret_hash[SHA256_OCTETS])
{
    struct table_file file = { "test", csv, strlen(csv) };
    struct table_notes *notes = calloc(1, sizeof *notes);
    struct price_table *table = NULL;

    assert_int_equal(price_table_parse(version, &file, &table, notes), 0);
    memcpy(ret_hash, price_table_sha256(table), SHA256_OCTETS);
    price_table_free(table);
    free(notes);
}

static inline void prices(struct bench *bench, uint32_t version, const char *csv)
{
    struct store_change *change = new_credit(bench, CREDIT_PRICES);

    change->u.credit->version = version;
    change->u.credit->csv = strdup(csv);
    prices_hash(version, csv, change->u.credit->sha256);
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
}

static inline struct store_change *new_lease(const struct bench *bench, uint64_t lease_id, int64_t grant_micro, uint32_t version, const char *csv)
{
    struct store_change *change = new_credit(bench, CREDIT_OPEN);

    change->u.credit->lease = (struct lease){ .lease_id = lease_id, .epoch = 1, .grant_micro = grant_micro, .price_version = version,
                                              .issued_ms = bench->now_ms, .spend_until_ms = bench->now_ms + 24 * HOUR_MS,
                                              .settle_until_ms = bench->now_ms + 240 * HOUR_MS };
    memset(change->u.credit->lease.box_id, 0xB0, LEASE_BOX_ID_OCTETS);
    prices_hash(version, csv, change->u.credit->lease.price_sha256);
    return change;
}

static inline void grant(struct bench *bench, uint64_t lease_id, int64_t grant_micro)
{
    assert_int_equal(credit_do(bench, new_lease(bench, lease_id, grant_micro, 1, PRICES), NULL), LEDGER_DONE);
}

/* An enrolled box with a lease. */
static inline void with_credits(struct bench *bench, int64_t grant_micro)
{
    enrol(bench, 1);
    prices(bench, 1, PRICES);
    grant(bench, 1, grant_micro);
}

static inline void expect_lease(struct bench *bench, uint64_t lease_id, int64_t available, int64_t reserved, int64_t captured)
{
    sqlite3 *db = bench_look(bench);
    char query[160];
    const struct { const char *name; int64_t value; } wants[] = {
        { "available_micro + suspense_micro", available }, { "reserved_micro", reserved }, { "captured_micro", captured } };

    for (size_t i = 0; i < 3; i++) {
        int64_t is;

        snprintf(query, sizeof query, "SELECT %s FROM credit_lease WHERE id = %llu", wants[i].name, (unsigned long long)lease_id);
        is = ask(db, query);
        if (is != wants[i].value)
            fail_msg("lease %llu: %s is %lld, not %lld", (unsigned long long)lease_id, wants[i].name, (long long)is, (long long)wants[i].value);
    }
    sqlite3_close(db);
}

/* -- the invariants, by SQL over what is on disk ---------------------------------------------------------------------- */

static inline void expect_none(sqlite3 *db, const char *what, const char *query)
{
    int64_t found = ask(db, query);

    if (found != 0)
        fail_msg("%s: %lld", what, (long long)found);
}

static inline void assert_books_are_right(const struct bench *bench)
{
    sqlite3 *db = bench_look(bench);
    sqlite3_stmt *stmt = NULL;
    struct journal_head head = { 0 };

    for (size_t i = 0; i < CREDIT_BOOKS; i++)
        expect_none(db, credit_books[i].sentence, credit_books[i].query);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT journal_seq, lease_id, journal_kind, message_id, part, attempt, micro, price_row, refers_seq,"
                                            " boot, mono_ms, wall_ms, hash FROM credit_posting WHERE epoch = 1 AND journal_seq IS NOT NULL"
                                            " ORDER BY journal_seq", -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        struct journal_entry entry = {
            .seq = (uint64_t)sqlite3_column_int64(stmt, 0), .lease_id = (uint64_t)sqlite3_column_int64(stmt, 1),
            .kind = (enum journal_kind)sqlite3_column_int(stmt, 2), .message_id = sqlite3_column_int64(stmt, 3),
            .part = (uint8_t)sqlite3_column_int(stmt, 4), .attempt = (uint32_t)sqlite3_column_int64(stmt, 5),
            .units_micro = sqlite3_column_int64(stmt, 6), .price_row = (uint32_t)sqlite3_column_int64(stmt, 7),
            .refers_seq = (uint64_t)sqlite3_column_int64(stmt, 8), .t_mono_ms = sqlite3_column_int64(stmt, 10),
            .t_wall_ms = sqlite3_column_int64(stmt, 11) };
        uint8_t *boot = entry.boot_id;

        octets_put(&boot, (uint64_t)sqlite3_column_int64(stmt, 9), 8);
        memcpy(entry.prev_hash, head.hash, SHA256_OCTETS);
        memcpy(entry.hash, sqlite3_column_blob(stmt, 12), SHA256_OCTETS);
        assert_int_equal(journal_check_next(&head, &entry), JOURNAL_INTACT);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

#endif
