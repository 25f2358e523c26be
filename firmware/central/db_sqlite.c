/* SPDX-License-Identifier: Apache-2.0
 *
 * db_sqlite.c - the account's rows in an SQLite file: one writer at a time, its commit on the disk when it returns.
 *
 * Every transaction begins as a writer: what it reads cannot change under it, and it never has to be taken back because it came
 * late. A handle with which the disk failed is not used again (it cannot know what it has of the file): the next begin opens anew. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "firmware/central/db_internal.h"
#include "firmware/central/db_turn.h"

#define APPLICATION_ID 0x43507363            /* "CPsc" in the file header, for file(1) and for us */
#define BUSY_TIMEOUT_MS 5000
#define CHECK_AT_OPEN_MAX (INT64_C(32) << 20)   /* octets: what is larger takes longer to read than a start may */

struct sqlite {
    struct central_db base;
    char *path;
    struct db_turn *turn;
    sqlite3 *db;                             /* NULL: has to be opened anew */
    sqlite3_stmt *statements[DB_STATEMENTS];
    bool begun, failed;                      /* failed: the disk, or what is on it */
};

static const char *const migrations[DB_SCHEMA_VERSION] = {
    DB_SCHEMA_1("INTEGER", "BLOB", "INTEGER NOT NULL PRIMARY KEY", " STRICT", " STRICT, WITHOUT ROWID", " STRICT", " STRICT, WITHOUT ROWID"),
};

static const char *const pragmas[] = {
    "PRAGMA page_size=4096",      "PRAGMA journal_mode=WAL",       "PRAGMA synchronous=FULL",        "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",    "PRAGMA wal_autocheckpoint=1000", "PRAGMA journal_size_limit=16777216", "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",  "PRAGMA mmap_size=0",            "PRAGMA temp_store=MEMORY",       "PRAGMA cache_size=-16384",
};

static int errno_of(int code)
{
    static const struct { int code, error; } errors[] = {
        { SQLITE_OK, 0 },             { SQLITE_BUSY, -EAGAIN },     { SQLITE_LOCKED, -EAGAIN },    { SQLITE_FULL, -ENOSPC },
        { SQLITE_CORRUPT, -EBADMSG }, { SQLITE_NOTADB, -EBADMSG },  { SQLITE_PERM, -EACCES },      { SQLITE_READONLY, -EACCES },
        { SQLITE_CANTOPEN, -EACCES }, { SQLITE_AUTH, -EACCES },     { SQLITE_NOMEM, -ENOMEM },     { SQLITE_CONSTRAINT, -EINVAL },
        { SQLITE_TOOBIG, -EMSGSIZE },
    };

    if (code == SQLITE_IOERR_NOMEM)          /* of its own file layer: the disk has no part in it */
        return -ENOMEM;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].code == (code & 0xFF))
            return errors[i].error;
    return -EIO;
}

/* -- open ---------------------------------------------------------------------------------------------------------------- */

static int execute(struct sqlite *sqlite, const char *text)
{
    return errno_of(sqlite3_exec(sqlite->db, text, NULL, NULL, NULL));
}

static int ask(struct sqlite *sqlite, const char *text, char *ret_text, size_t size)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(sqlite->db, text, -1, &statement, NULL);

    ret_text[0] = '\0';
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW && sqlite3_column_text(statement, 0))
            (void)snprintf(ret_text, size, "%s", (const char *)sqlite3_column_text(statement, 0));
        code = sqlite3_finalize(statement);
    }
    return errno_of(code);
}

static int ask_number(struct sqlite *sqlite, const char *text, int64_t *ret_number)
{
    char answer[32];
    int r = ask(sqlite, text, answer, sizeof answer);

    if (r == 0)
        *ret_number = strtoll(answer, NULL, 10);
    return r;
}

static void shut(struct sqlite *sqlite)
{
    for (size_t i = 0; i < DB_STATEMENTS; i++) {
        (void)sqlite3_finalize(sqlite->statements[i]);
        sqlite->statements[i] = NULL;
    }
    (void)sqlite3_close(sqlite->db);
    sqlite->db = NULL;
}

static void explain(struct sqlite *sqlite, int error, const char *detail, char *problem, size_t size)
{
    static const struct { int error; const char *what, *remedy; } remedies[] = {
        { -EBADMSG, "is damaged", "Stop the server, keep copies of it and of its -wal and -shm files, then bring back a backup or save what "
                                  "can be read with: sqlite3 FILE .recover" },
        { -EACCES, "cannot be opened for writing", "See that its directory exists and that the server's user may write in it" },
        { -EAGAIN, "is in use by another process", "Only programs of cellpost-central may have it open, and none of them for long" },
        { -ENOSPC, "cannot be written, the disk is full", "Make room and start again" },
        { -ENOMEM, "cannot be opened", "There is not enough memory" },
        { -EIO, "cannot be read or written", "The disk fails; look at the kernel's log" },
    };
    size_t i = 0;

    while (remedies[i].error != error && remedies[i].error != -EIO)
        i++;
    (void)snprintf(problem, size, "%s %s (%s). %s.", sqlite->path, remedies[i].what, detail[0] ? detail : sqlite3_errmsg(sqlite->db),
                   remedies[i].remedy);
}

/* Before anything is written: is it ours, and of a version we know? */
static int recognise(struct sqlite *sqlite, int64_t *ret_version, char *problem, size_t size)
{
    int64_t version = 0, application = 0, tables = 0;
    int r = ask_number(sqlite, "PRAGMA user_version", &version);

    if (r == 0)
        r = ask_number(sqlite, "PRAGMA application_id", &application);
    if (r == 0)
        r = ask_number(sqlite, "SELECT count(*) FROM sqlite_schema", &tables);
    if (r < 0) {
        explain(sqlite, r, "", problem, size);
        return r;
    }
    if (application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0)) {
        (void)snprintf(problem, size, "%s is the database of another program. Give another path.", sqlite->path);
        return -EBADMSG;
    }
    if (version > DB_SCHEMA_VERSION) {
        (void)snprintf(problem, size,
                       "%s was written by a newer cellpost-central: its version is %lld, this program knows up to %d. Install that release "
                       "again, or bring back a backup made before the upgrade.", sqlite->path, (long long)version, DB_SCHEMA_VERSION);
        return -EPROTO;
    }
    *ret_version = version;
    return 0;
}

/* All steps in one transaction: the file is of the old version or of the new one. Another process may have been quicker. */
static int migrate(struct sqlite *sqlite)
{
    char text[96];
    int64_t version = 0;
    int r = execute(sqlite, "BEGIN IMMEDIATE");

    if (r == 0)
        r = ask_number(sqlite, "PRAGMA user_version", &version);
    for (int64_t i = version; r == 0 && i < DB_SCHEMA_VERSION; i++)
        r = execute(sqlite, migrations[i]);
    (void)snprintf(text, sizeof text, "PRAGMA user_version=%d; PRAGMA application_id=%d; COMMIT", DB_SCHEMA_VERSION, APPLICATION_ID);
    return r == 0 ? execute(sqlite, text) : r;   /* on failure the caller closes, which rolls back */
}

static int check(struct sqlite *sqlite, int64_t version, char *detail, size_t size)
{
    int64_t pages = 0;
    int r = ask_number(sqlite, "PRAGMA page_count", &pages);

    if (r == 0 && (version < DB_SCHEMA_VERSION || pages < CHECK_AT_OPEN_MAX / 4096))
        r = ask(sqlite, "PRAGMA quick_check(1)", detail, size);
    return r == 0 && detail[0] && strcmp(detail, "ok") != 0 ? -EBADMSG : r;
}

static int prepare(struct sqlite *sqlite)
{
    int code = SQLITE_OK;

    for (enum db_statement_id id = 0; code == SQLITE_OK && id < DB_STATEMENTS; id++) {
        char text[DB_STATEMENT_CHARS];

        db_statement_text(id, text);
        code = sqlite3_prepare_v3(sqlite->db, text, -1, SQLITE_PREPARE_PERSISTENT, &sqlite->statements[id], NULL);
    }
    return errno_of(code);
}

/* Only its owner may read it. Made here and closed at once, which is harmless as long as nobody can have it open: closing any
 * descriptor of a file gives up all locks that this process has on it. */
static void make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0)
        (void)close(fd);
}

/* Another process writes. SQLite's own handler sleeps longer each time, up to 100 ms, and so is late where others come often. */
static int wait_for_others(void *context, int times)
{
    const struct timespec pause = { 0, 1000000 };

    (void)context;
    (void)nanosleep(&pause, NULL);
    return times < BUSY_TIMEOUT_MS;
}

static int open_file(struct sqlite *sqlite, bool first, char *problem, size_t size)
{
    char detail[256] = "";
    int64_t version = 0;
    int r = errno_of(sqlite3_open_v2(sqlite->path, &sqlite->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));

    if (r == 0) {
        (void)sqlite3_extended_result_codes(sqlite->db, 1);
        (void)sqlite3_busy_handler(sqlite->db, wait_for_others, NULL);
        r = recognise(sqlite, &version, problem, size);
        if (r < 0)
            goto out;                        /* explained */
    }
    for (size_t i = 0; r == 0 && i < sizeof pragmas / sizeof pragmas[0]; i++)
        r = execute(sqlite, pragmas[i]);
    if (r == 0)
        r = ask(sqlite, "PRAGMA journal_mode", detail, sizeof detail);
    if (r == 0 && strcmp(detail, "wal") != 0)
        r = -EACCES;                         /* refused without an error: the file or its directory is read-only */
    detail[0] = '\0';
    if (r == 0 && sqlite3_db_readonly(sqlite->db, "main") != 0)
        r = -EACCES;
    if (r == 0 && first && version > 0)
        r = check(sqlite, version, detail, sizeof detail);
    if (r == 0 && version < DB_SCHEMA_VERSION)
        r = migrate(sqlite);
    if (r == 0)
        r = prepare(sqlite);
    if (r < 0)
        explain(sqlite, r, strcmp(detail, "ok") == 0 ? "" : detail, problem, size);
out:
    if (r < 0)
        shut(sqlite);
    return r == -EAGAIN ? -EBUSY : r;
}

/* -- transactions ---------------------------------------------------------------------------------------------------------- */

/* What went wrong with the file or the disk makes the handle useless; a lack of memory or a value that is refused does not. */
static int fail(struct sqlite *sqlite, int code)
{
    int r = errno_of(code);

    if (r == -EIO || r == -EBADMSG || r == -ENOSPC || r == -EACCES)
        sqlite->failed = true;
    return r;
}

static void end(struct sqlite *sqlite)
{
    if (sqlite->db && !sqlite3_get_autocommit(sqlite->db))
        (void)sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
    if (sqlite->failed && sqlite->db)
        shut(sqlite);
    if (sqlite->begun)
        db_turn_pass(sqlite->turn);
    sqlite->begun = false;
}

static int begin(struct central_db *db, unsigned attempt)
{
    struct sqlite *sqlite = (struct sqlite *)db;
    char problem[512];
    int r = db_turn_take(sqlite->turn, BUSY_TIMEOUT_MS);

    (void)attempt;                           /* to wait for one's turn is all there is to wait for */
    if (r < 0)
        return r;
    sqlite->begun = true;
    if (!sqlite->db) {
        sqlite->failed = false;
        db_forget(db);
        r = open_file(sqlite, false, problem, sizeof problem);
        if (r < 0)
            sqlite->failed = true;
    }
    if (r == 0)
        r = fail(sqlite, sqlite3_exec(sqlite->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    if (r < 0)
        end(sqlite);
    return r;
}

static int commit(struct central_db *db)
{
    struct sqlite *sqlite = (struct sqlite *)db;
    int r = sqlite->failed ? -EIO : errno_of(sqlite3_exec(sqlite->db, "COMMIT", NULL, NULL, NULL));

    if (r == 0) {
        end(sqlite);
    } else if (r != -EINVAL && r != -EAGAIN) {
        sqlite->failed = true;               /* deferred foreign keys and locks leave it as it was; all else is not known */
    }
    return r;
}

static void rollback(struct central_db *db)
{
    end((struct sqlite *)db);
}

/* -- statements ------------------------------------------------------------------------------------------------------------ */

static int bind(sqlite3_stmt *statement, const struct db_value *values, size_t count)
{
    int code = SQLITE_OK;

    for (int i = 0; code == SQLITE_OK && i < (int)count; i++) {
        const struct db_value *value = &values[i];

        switch (value->kind) {
        case DB_NUMBER: code = sqlite3_bind_int64(statement, i + 1, value->number); break;
        case DB_BYTES: code = sqlite3_bind_blob64(statement, i + 1, value->bytes, value->length, SQLITE_STATIC); break;
        case DB_TEXT: code = sqlite3_bind_text64(statement, i + 1, value->bytes, value->length, SQLITE_STATIC, SQLITE_UTF8); break;
        }
    }
    return code;
}

static int write_rows(struct central_db *db, enum db_statement_id id, const struct db_value *values, size_t count)
{
    struct sqlite *sqlite = (struct sqlite *)db;
    sqlite3_stmt *statement = sqlite->statements[id];
    int code;

    if (sqlite->failed || !sqlite->begun)
        return -EIO;
    code = bind(statement, values, count);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    (void)sqlite3_reset(statement);          /* repeats the error of the step, already noted */
    if (code != SQLITE_DONE)
        return fail(sqlite, code);
    if (sqlite3_changes(sqlite->db) == 0 && !db_statements[id].any_count)
        return db_statements[id].shape == SHAPE_ADD ? -EEXIST : -ENOENT;
    return 0;
}

static int take_row(sqlite3_stmt *statement, db_each *each, void *context)
{
    struct db_value values[DB_FIELDS_MAX];
    int count = sqlite3_column_count(statement);

    if (count > DB_FIELDS_MAX)
        return -EBADMSG;
    for (int i = 0; i < count; i++) {
        int type = sqlite3_column_type(statement, i);

        if (type == SQLITE_INTEGER) {
            values[i] = db_number(sqlite3_column_int64(statement, i));
        } else if (type == SQLITE_BLOB) {
            const void *bytes = sqlite3_column_blob(statement, i);   /* NULL where it is empty, or where memory lacks */

            values[i] = db_bytes(bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, i));
            if (!bytes && values[i].length > 0)
                return -ENOMEM;
        } else if (type == SQLITE_TEXT) {
            const unsigned char *text = sqlite3_column_text(statement, i);

            if (!text)
                return -ENOMEM;
            values[i] = (struct db_value){ DB_TEXT, 0, text, (size_t)sqlite3_column_bytes(statement, i) };
        } else {
            return -EBADMSG;
        }
    }
    return each(context, values, (size_t)count);
}

static int read_rows(struct central_db *db, enum db_statement_id id, const struct db_value *values, size_t count, db_each *each, void *context)
{
    struct sqlite *sqlite = (struct sqlite *)db;
    sqlite3_stmt *statement = sqlite->statements[id];
    int code, r = 0;

    if (sqlite->failed || !sqlite->begun)
        return -EIO;
    code = bind(statement, values, count);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    while (r == 0 && code == SQLITE_ROW) {
        r = take_row(statement, each, context);
        if (r == 0)
            code = sqlite3_step(statement);
    }
    (void)sqlite3_reset(statement);
    return r != 0 ? r : code == SQLITE_DONE ? 0 : fail(sqlite, code);
}

static void close_db(struct central_db *db)
{
    struct sqlite *sqlite = (struct sqlite *)db;

    end(sqlite);
    if (sqlite->db)
        shut(sqlite);
    db_turn_put(sqlite->turn);
    free(sqlite->path);
    free(sqlite);
}

static const struct db_backend backend = { "SQLite", begin, commit, rollback, write_rows, read_rows, close_db };

int db_sqlite_open(const char *path, struct central_db **ret_db, char *problem, size_t problem_size)
{
    struct sqlite *sqlite = calloc(1, sizeof *sqlite);
    bool first;
    int r = -ENOMEM;

    if (!sqlite)
        return -ENOMEM;
    sqlite->base.backend = &backend;
    sqlite->path = strdup(path);
    if (!sqlite->path || db_turn_get(path, &sqlite->turn, &first) < 0)
        goto out;
    make(path);
    r = open_file(sqlite, first, problem, problem_size);
    db_turn_opened();
out:
    if (r < 0)
        close_db(&sqlite->base);
    else
        *ret_db = &sqlite->base;
    return r;
}
