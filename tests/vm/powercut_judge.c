/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vm/powercut.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MS 120000

/* -- before the gateway starts --------------------------------------------------------------------------------- */

static bool copy(const char *from, const char *to)
{
    char bytes[65536];
    size_t length;
    FILE *in = fopen(from, "re"), *out = in != NULL ? fopen(to, "we") : NULL;
    bool good = out != NULL;

    while (good && (length = fread(bytes, 1, sizeof bytes, in)) > 0)
        good = fwrite(bytes, 1, length, out) == length;
    good = good && !ferror(in);
    if (in != NULL)
        (void)fclose(in);
    if (out != NULL && fclose(out) != 0)
        good = false;
    return good;
}

void judge_integrity(const struct powercut *powercut, char ret_text[256])
{
    char from[300];
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;

    (void)snprintf(ret_text, 256, "ok");
    (void)snprintf(from, sizeof from, "%s/cellpost.db-wal", powercut->state);
    (void)copy(from, "/tmp/copy.db-wal");   /* there may be none */
    (void)snprintf(from, sizeof from, "%s/cellpost.db", powercut->state);
    if (!copy(from, "/tmp/copy.db")) {
        (void)snprintf(ret_text, 256, "the database is gone");
        return;
    }
    if (sqlite3_open("/tmp/copy.db", &db) != SQLITE_OK || sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        (void)snprintf(ret_text, 256, "%s", sqlite3_errmsg(db));
    else
        (void)snprintf(ret_text, 256, "%s", (const char *)sqlite3_column_text(stmt, 0));
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

/* -- settled --------------------------------------------------------------------------------------------------- */

static bool nothing_waits(struct harness *harness, const void *context)
{
    (void)context;
    return harness_database_number(harness, "SELECT count(*) FROM message WHERE state IN (1, 2, 3)") == 0;
}

static bool network_is_quiet(struct harness *harness, const void *context)
{
    json_t *list = bank_tell(harness, "list");
    bool quiet = json_number_at(list, "pending") == 0;

    (void)context;
    json_decref(list);
    return quiet;
}

bool judge_wait_settled(struct powercut *powercut)
{
    return harness_wait(powercut->harness, nothing_waits, NULL, SETTLE_MS) &&
           harness_wait(powercut->harness, network_is_quiet, NULL, SETTLE_MS);
}

/* -- the verdict ----------------------------------------------------------------------------------------------- */

static void hear_acknowledgements(const struct powercut *powercut, struct survival *survival)
{
    for (unsigned boot = 0; boot <= powercut->boot; boot++) {
        char path[256], line[128];
        unsigned first, count, replayed;
        FILE *file;

        powercut_path(powercut, "requests-%u.log", boot, path);
        file = fopen(path, "re");
        while (file != NULL && fgets(line, sizeof line, file) != NULL)
            if (sscanf(line, "acknowledged %u %u %u", &first, &count, &replayed) == 3)
                for (unsigned i = 0; i < count; i++)
                    HARNESS_CHECK(survival_acknowledged(survival, first + i));
        if (file != NULL)
            (void)fclose(file);
    }
}

static void hear_witness(const struct powercut *powercut, struct survival *survival)
{
    for (unsigned boot = 0; boot <= powercut->boot; boot++) {
        struct witness witness = { 0 };
        char path[256];

        powercut_path(powercut, "air-%u.jsonl", boot, path);
        follow_open(&witness.follow, path);
        witness_read(&witness);
        for (size_t i = 0; i < witness.count; i++) {
            const struct witness_part *part = &witness.parts[i];

            survival_on_air(survival, part->to, (unsigned)part->seq, (unsigned)part->total, part->text);
            free(part->text);
        }
        free(witness.parts);
        follow_close(&witness.follow);
    }
}

static sqlite3_stmt *query(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        harness_die("%s: %s", sql, sqlite3_errmsg(db));
    return stmt;
}

static void read_store(const struct powercut *powercut, struct survival *survival)
{
    sqlite3_stmt *stmt;
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(powercut->harness->database, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        harness_die("%s: %s", powercut->harness->database, sqlite3_errmsg(db));
    stmt = query(db, "SELECT to_number, state FROM message");
    while (sqlite3_step(stmt) == SQLITE_ROW)
        survival_stored(survival, (const char *)sqlite3_column_text(stmt, 0), (enum message_state)sqlite3_column_int(stmt, 1));
    (void)sqlite3_finalize(stmt);
    stmt = query(db, "SELECT to_number, part FROM attempt JOIN message ON message.id = message_id WHERE attempt.state = 5");
    while (sqlite3_step(stmt) == SQLITE_ROW)
        survival_attempt_unknown(survival, (const char *)sqlite3_column_text(stmt, 0), (unsigned)sqlite3_column_int(stmt, 1));
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

struct survival_verdict judge_all(const struct powercut *powercut)
{
    struct survival *survival = survival_new();
    struct survival_verdict verdict;

    HARNESS_CHECK(survival != NULL);
    hear_acknowledgements(powercut, survival);
    hear_witness(powercut, survival);
    read_store(powercut, survival);
    verdict = survival_judge(survival);
    survival_free(survival);
    return verdict;
}
