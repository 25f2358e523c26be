/* SPDX-License-Identifier: Apache-2.0
 *
 * db_postgres.c - the account's rows in PostgreSQL: serialisable transactions of any number of processes.
 *
 * A statement that only writes is sent and not waited for (libpq's pipeline mode): the next one that reads, or the commit, reads
 * its result as well. Rows that come by the thousand are collected and sent as arrays. So a transaction takes a round trip for each
 * time that it has to know something, and two for its commit: before that all results have to be there.
 * When it turns out that a row was not written (a key is taken, or there is no such row to change), the transaction is given up
 * with -EAGAIN, and in the next one, which is exact, every write waits for its result and says itself what is wrong.
 *
 * A lock within a transaction does not help against those who changed the row meanwhile: what was read is what was there at its
 * begin. So who lost and had changed an account queues up before the next begin, for a lock of the connection (an advisory lock)
 * that is given up with the commit. Who reads an account that is held so loses at once and waits until it is free, but shares it
 * then with others that did. Without this one of many that want the same account might lose for ever. */
#include "firmware/central/db_postgres.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* -- what comes back ------------------------------------------------------------------------------------------------------- */

static int64_t number_of(const char *octets)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value = value << 8 | (uint8_t)octets[i];
    return value <= INT64_MAX ? (int64_t)value : -(int64_t)(UINT64_MAX - value) - 1;
}

static int take_row(const PGresult *result, int row, db_each *each, void *context)
{
    enum { TYPE_BYTES = 17, TYPE_NUMBER = 20, TYPE_TEXT = 25 };
    struct db_value values[DB_FIELDS_MAX];
    int count = PQnfields(result);

    if (count > DB_FIELDS_MAX)
        return -EBADMSG;
    for (int i = 0; i < count; i++) {
        const char *octets = PQgetvalue(result, row, i);
        size_t length = (size_t)PQgetlength(result, row, i);

        if (PQgetisnull(result, row, i) || PQfformat(result, i) != 1)
            return -EBADMSG;
        switch (PQftype(result, i)) {
        case TYPE_NUMBER:
            if (length != 8)
                return -EBADMSG;
            values[i] = db_number(number_of(octets));
            break;
        case TYPE_BYTES: values[i] = db_bytes(octets, length); break;
        case TYPE_TEXT: values[i] = (struct db_value){ DB_TEXT, 0, octets, length }; break;
        default: return -EBADMSG;
        }
    }
    return each(context, values, (size_t)count);
}

static bool is_exact(const struct postgres *pg)
{
    return pg->exact || pg->always_exact;
}

struct reader { db_each *each; void *context; int ended; };

static void take_result(struct postgres *pg, const struct pending *pending, const PGresult *result, struct reader *reader)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
        if (pending->kind == PENDING_COUNT && strtoull(PQcmdTuples((PGresult *)result), NULL, 10) != pending->count)
            pg->other_count = true;
        if (pending->kind == PENDING_COMMIT && strcmp(PQcmdStatus((PGresult *)result), "COMMIT") != 0 && pg->failed == 0)
            pg->failed = -EAGAIN;            /* "ROLLBACK": that is how a failed transaction ends */
        break;
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
        if (pending->kind == PENDING_UNLOCK)
            pg->queued = false;
        if (pending->kind == PENDING_PASS && PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 0 && pg->failed == 0) {
            pg->refused = true;
            pg->failed = -EAGAIN;
        }
        for (int row = 0; reader && reader->ended == 0 && row < PQntuples(result); row++)
            reader->ended = take_row(result, row, reader->each, reader->context);
        break;
    case PGRES_PIPELINE_ABORTED:             /* behind the one that failed */
        break;
    default:
        if (pg->failed == 0) {
            const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

            pg->failed = postgres_errno(state);
            if (state && strcmp(state, "23505") == 0 && !is_exact(pg)) {   /* a key is taken */
                pg->exact = true;            /* from the next begin on */
                pg->failed = -EAGAIN;
            }
        }
    }
}

static int lost(struct postgres *pg)
{
    /* A commit that nobody heard the end of may have taken hold, if there was anything to take hold. */
    pg->failed = pg->committing && pg->wrote ? -EIO : -EAGAIN;
    postgres_disconnect(pg);
    return pg->failed;
}

/* Reads all results that are on their way; rows go to the reader, which only the last statement has. */
static int settle(struct postgres *pg, struct reader *reader)
{
    PGresult *result;

    if (pg->pending_count == 0)
        return pg->failed;
    if (!pg->connection || !PQpipelineSync(pg->connection))
        return lost(pg);
    for (size_t i = 0; i < pg->pending_count; i++) {
        const struct pending *pending = &pg->pending[i];

        if (pending->stream)
            (void)PQsetSingleRowMode(pg->connection);
        while ((result = PQgetResult(pg->connection)) != NULL) {
            take_result(pg, pending, result, pending->kind == PENDING_ROWS ? reader : NULL);
            PQclear(result);
        }
    }
    result = PQgetResult(pg->connection);
    if (PQstatus(pg->connection) != CONNECTION_OK || PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
        PQclear(result);
        return lost(pg);
    }
    PQclear(result);
    pg->pending_count = 0;
    if (pg->failed == 0 && pg->other_count && !is_exact(pg)) {
        pg->exact = true;
        pg->failed = -EAGAIN;
    }
    return pg->failed;
}

/* -- what is sent ------------------------------------------------------------------------------------------------------------ */

#define ANY (struct pending){ PENDING_ANY, 0, false }

static int push(struct postgres *pg, struct pending pending)
{
    assert(pg->pending_count < PENDING_MAX);
    pg->pending[pg->pending_count++] = pending;
    return pg->pending_count == PENDING_MAX ? settle(pg, NULL) : 0;
}

static int send_words(struct postgres *pg, const char *text, struct pending pending)
{
    if (!pg->connection || !PQsendQueryParams(pg->connection, text, 0, NULL, NULL, NULL, NULL, 1))
        return lost(pg);
    return push(pg, pending);
}

static int send(struct postgres *pg, char prefix, unsigned id, const char *const *values, const int *lengths, size_t count, struct pending pending)
{
    static const int binary[DB_FIELDS_MAX] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    char name[8];

    postgres_name(prefix, id, name);
    if (!pg->connection || !PQsendQueryPrepared(pg->connection, name, (int)count, values, lengths, binary, 1))
        return lost(pg);
    return push(pg, pending);
}

static int send_values(struct postgres *pg, char prefix, unsigned id, const struct db_value *values, size_t count, struct pending pending)
{
    char numbers[DB_FIELDS_MAX][8];
    const char *octets[DB_FIELDS_MAX];
    int lengths[DB_FIELDS_MAX];

    assert(count <= DB_FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = (uint64_t)values[i].number;

        if (values[i].kind != DB_NUMBER && values[i].length > INT32_MAX)
            return pg->failed = -EMSGSIZE;
        octets[i] = values[i].kind == DB_NUMBER ? numbers[i] : values[i].bytes;
        lengths[i] = values[i].kind == DB_NUMBER ? 8 : (int)values[i].length;
        for (size_t octet = 8; octet-- > 0; number >>= 8)
            numbers[i][octet] = (char)(number & 0xFF);
    }
    return send(pg, prefix, id, octets, lengths, count, pending);
}

static int send_bulk(struct postgres *pg, enum db_table_id table)
{
    struct db_bulk *bulk = &pg->bulks[table];
    const char *arrays[DB_FIELDS_MAX];
    int lengths[DB_FIELDS_MAX];
    uint64_t rows = bulk->rows;

    if (rows == 0)
        return 0;
    db_bulk_arrays(bulk, &db_tables[table], arrays, lengths);
    db_bulk_clear(bulk);
    return send(pg, 'm', table, arrays, lengths, db_tables[table].count, (struct pending){ PENDING_COUNT, rows, false });
}

/* -- transactions -------------------------------------------------------------------------------------------------------------- */

/* Those who lost against each other should not meet again. */
static void wait_a_little(unsigned attempt)
{
    uint32_t random = 0;
    uint32_t max_us = 1000u << (attempt < 6 ? attempt : 6);
    struct timespec pause = { 0, 0 };

    (void)getrandom(&random, sizeof random, 0);
    pause.tv_nsec = (long)(random % max_us) * 1000;
    (void)nanosleep(&pause, NULL);
}

/* Of its account; that two share one does no harm. */
static int64_t lock_of(const struct postgres *pg)
{
    return 1 + pg->account % (INT32_MAX - 1);
}

#define ALONE_FROM 4                         /* attempts that were unlucky */

static int queue_up(struct postgres *pg, bool alone)
{
    char text[96];

    (void)snprintf(text, sizeof text, "SELECT pg_advisory_lock%s(" LOCKS_OF_ACCOUNTS ",%d)", alone ? "" : "_shared", (int)lock_of(pg));
    if (send_words(pg, text, ANY) == 0 && settle(pg, NULL) == 0)
        pg->queued = true;
    return pg->failed;
}

static int leave_queue(struct postgres *pg)
{
    return pg->queued ? send_words(pg, "SELECT pg_advisory_unlock_all()", (struct pending){ PENDING_UNLOCK, 0, false }) : 0;
}

static int begin(struct central_db *db, unsigned attempt)
{
    struct postgres *pg = (struct postgres *)db;
    bool alone = pg->changes_account || attempt > ALONE_FROM, queue = pg->account != 0 && attempt > 0 && (alone || pg->refused);
    char problem[512];
    int r = 0;

    if (attempt == 0)
        pg->exact = false;
    else if (!queue || attempt > 2)          /* it is not about the account then */
        wait_a_little(attempt);
    if (pg->connection && PQstatus(pg->connection) != CONNECTION_OK)
        postgres_disconnect(pg);
    if (!pg->connection)
        r = postgres_connect(pg, problem, sizeof problem);
    if (r < 0)
        return r;
    pg->begun = true;
    pg->wrote = pg->other_count = false;
    pg->failed = 0;
    if (queue && queue_up(pg, alone) < 0)
        return pg->failed;
    pg->account = 0;
    pg->changes_account = pg->refused = false;
    return send_words(pg, "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE", ANY);
}

static void rollback(struct central_db *db)
{
    struct postgres *pg = (struct postgres *)db;

    for (enum db_table_id table = 0; table < DB_TABLES; table++)
        db_bulk_clear(&pg->bulks[table]);
    if (pg->begun && pg->connection) {
        (void)settle(pg, NULL);
        pg->failed = 0;
        if (pg->connection && (send_words(pg, "ROLLBACK", ANY) < 0 || leave_queue(pg) < 0 || settle(pg, NULL) < 0))
            postgres_disconnect(pg);
    }
    pg->begun = false;
    pg->pending_count = 0;
    pg->failed = 0;
}

static int commit(struct central_db *db)
{
    struct postgres *pg = (struct postgres *)db;

    if (!pg->begun)
        return -EIO;
    for (enum db_table_id table = 0; pg->failed == 0 && table < DB_TABLES; table++)
        (void)send_bulk(pg, table);
    if (pg->failed < 0 || settle(pg, NULL) < 0)
        return pg->failed;
    pg->committing = true;
    if (send_words(pg, "COMMIT", (struct pending){ PENDING_COMMIT, 0, false }) == 0 && leave_queue(pg) == 0)
        (void)settle(pg, NULL);
    pg->committing = false;
    if (pg->failed == 0)
        pg->begun = pg->exact = false;
    return pg->failed;
}

/* -- statements ---------------------------------------------------------------------------------------------------------------- */

static int write_rows(struct central_db *db, enum db_statement_id id, const struct db_value *values, size_t count)
{
    struct postgres *pg = (struct postgres *)db;
    const struct db_statement *statement = &db_statements[id];
    bool exact = is_exact(pg);

    if (pg->failed < 0 || !pg->begun)
        return pg->failed < 0 ? pg->failed : -EIO;
    pg->wrote = true;
    if (id == DO_ACCOUNT_SET) {
        pg->account = values[count - 1].number;
        pg->changes_account = true;
    }
    if (statement->shape == SHAPE_ADD && db_tables[statement->table].many && !exact) {
        if (db_bulk_add(&pg->bulks[statement->table], &db_tables[statement->table], values) < 0)
            return pg->failed = -ENOMEM;
        return db_bulk_is_full(&pg->bulks[statement->table], &db_tables[statement->table]) ? send_bulk(pg, statement->table) : 0;
    }
    if (send_bulk(pg, statement->table) < 0)
        return pg->failed;
    if (send_values(pg, 's', id, values, count, (struct pending){ statement->any_count ? PENDING_ANY : PENDING_COUNT, 1, false }) < 0 || !exact)
        return pg->failed;
    if (settle(pg, NULL) < 0)
        return pg->failed;
    if (!pg->other_count)
        return 0;
    pg->other_count = false;
    return statement->shape == SHAPE_ADD ? -EEXIST : -ENOENT;
}

/* Nobody in the queue holds this account now, and until the end of this transaction nobody will. */
static int ask_pass(struct postgres *pg, int64_t account)
{
    struct db_value lock;

    pg->account = account;
    lock = db_number(lock_of(pg));
    if (pg->queued)                          /* it holds it; asked again it would be refused as long as somebody waits for it */
        return 0;
    return send_values(pg, 'p', 0, &lock, 1, (struct pending){ PENDING_PASS, 0, false });
}

static int read_rows(struct central_db *db, enum db_statement_id id, const struct db_value *values, size_t count, db_each *each, void *context)
{
    struct postgres *pg = (struct postgres *)db;
    const struct db_statement *statement = &db_statements[id];
    struct reader reader = { each, context, 0 };

    if (pg->failed < 0 || !pg->begun)
        return pg->failed < 0 ? pg->failed : -EIO;
    pg->wrote = pg->wrote || statement->writes;
    if (id == DO_ANSWER_GET)                 /* a request for a lease: that is going to change the account */
        pg->changes_account = true;
    if (id == DO_ACCOUNT_GET && ask_pass(pg, values[0].number) < 0)
        return pg->failed;
    if (send_bulk(pg, statement->table) < 0)
        return pg->failed;
    if (pg->pending_count + 1 >= PENDING_MAX && settle(pg, NULL) < 0)
        return pg->failed;
    if (send_values(pg, 's', id, values, count, (struct pending){ PENDING_ROWS, 0, statement->stream }) < 0 || settle(pg, &reader) < 0)
        return pg->failed;
    return reader.ended;
}

/* -- open and close ------------------------------------------------------------------------------------------------------------ */

static void close_db(struct central_db *db)
{
    struct postgres *pg = (struct postgres *)db;

    rollback(db);
    postgres_disconnect(pg);
    for (enum db_table_id table = 0; table < DB_TABLES; table++)
        db_bulk_free(&pg->bulks[table]);
    free(pg->address);
    free(pg);
}

static const struct db_backend backend = { "PostgreSQL", begin, commit, rollback, write_rows, read_rows, close_db };

void db_postgres_be_exact(struct central_db *db, bool exact)
{
    assert(db->backend == &backend);
    ((struct postgres *)db)->always_exact = exact;
}

int db_postgres_open(const char *address, struct central_db **ret_db, char *problem, size_t problem_size)
{
    struct postgres *pg = calloc(1, sizeof *pg);
    int r = -ENOMEM;

    if (!pg)
        return -ENOMEM;
    pg->base.backend = &backend;
    pg->address = strdup(address);
    if (pg->address)
        r = postgres_connect(pg, problem, problem_size);
    if (r < 0)
        close_db(&pg->base);
    else
        *ret_db = &pg->base;
    return r;
}
