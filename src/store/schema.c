/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.c - the tables, and how an existing file becomes one this program understands.
 *
 * meta              one row per fact of the database itself: tag.
 * counter           numbers the writer keeps, one page: commits (tells after a failed commit whether it landed),
 *                   messages by state, parts sent by SIM, the wall clock against the machine's own, numbers opted out.
 * batch             what one request submitted: message ids first_id .. first_id + count - 1.
 * message           one row per message, updated in place. first_state and accepted_ms are the first row of its history.
 *                   ended: we ended it (cancelled, failed, refused, expired unsent), so reports no longer change it.
 *                   ready_ms: not before; 0: ready now. doubt_ms: unknown until then, held after. cuts: octets of text in
 *                   each part, 16-bit little-endian. clock_run, moved_ms: see clock.c; accepted_ms is
 *                   never moved.
 * attempt           one row per hand-over of a part. awaits: NULL no report was asked for, 1 awaited, 0 came.
 *                   mr is -1 until +CMGS, or a report, tells it.
 * history           every later change of state with its reason; n counts per message, as clocks go back.
 * concat_reference  who used a concatenation reference last towards a number.
 * report_orphan     reports for which no part was open yet: +CMGS may still be on its way.
 * inbox             whole incoming messages. inbox_part: every incoming PDU, so that reading it twice adds nothing;
 *                   inbox_id NULL: waits for the other parts of its message, with its text or data.
 * sim_use           what a card has used of its limits and bundles (src/routing/use.h). sim_recipient: whom it sent to last when.
 * conversation      by which card a number was written to last. opt_out: numbers that want nothing more.
 * forecast          how many parts are expected to which kind of destination (src/choice/planner.h).
 * routing_version   the files of tariffs and routes that were in force, each version once. sim_balance: the last answer of
 *                   the operator about a card's credit.
 * credit_box        one row once the box is enrolled with an account: who it is there, its leases, what the account has of the
 *                   journal, and the request for a lease that is under way. credit_lease: a row each, with the balances of its accounts.
 * credit_posting    every movement between two accounts of a lease; those with journal_seq are the entries of the journal too.
 * credit_prices     the account's price tables. message.credit_state: enum credit_state; credit_lease, credit_micro, credit_row: from
 *                   which lease its parts are paid, what each costs, by which row of the prices. attempt.charge_seq: the entry of the
 *                   journal that charged the part with this attempt; below 0: taken back.
 * sim, modem        cards by ICCID, modems by IMEI; a card moves between modems. api_key: SHA-256 of each.
 *
 * Rows are not deleted, so max(id) + 1 is a new id; whoever adds retention keeps the newest row of each table.
 * Intake touches few pages: message, message_state, message_ready and message_expiry all grow at their end. An index by
 * number alone would not: each of 1000 new messages changes another page of it. So it is kept in shelves of 4096
 * messages, (id >> 12, to_number): new rows fall into the last shelf, and a search looks into each, newest first.
 * Foreign keys where the child has an index on them anyway; a SIM or modem row may be missing. */
#include "src/store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/store/store.h"

#define APPLICATION_ID 0x43507374        /* "CPst" in the file header, for file(1) and for us */
#define BUSY_TIMEOUT_MS 5000

static const char schema_1[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
    "CREATE TABLE counter(kind INTEGER NOT NULL, id INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(kind, id))"
    " STRICT, WITHOUT ROWID;"

    "CREATE TABLE batch(id INTEGER PRIMARY KEY, actor TEXT NOT NULL, idempotency_key TEXT, request_hash BLOB,"
    " accepted_ms INTEGER NOT NULL, first_id INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX batch_key ON batch(actor, idempotency_key) WHERE idempotency_key IS NOT NULL;"
    "CREATE INDEX batch_time ON batch(accepted_ms, first_id, count);"

    "CREATE TABLE message(id INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL, to_number TEXT NOT NULL,"
    " alphabet INTEGER NOT NULL, locking INTEGER NOT NULL, single INTEGER NOT NULL, parts INTEGER NOT NULL, cuts BLOB,"
    " priority INTEGER NOT NULL, message_class INTEGER NOT NULL, report INTEGER NOT NULL, ref16 INTEGER NOT NULL,"
    " accepted_ms INTEGER NOT NULL, first_state INTEGER NOT NULL, due_ms INTEGER NOT NULL, expire_ms INTEGER NOT NULL,"
    " state INTEGER NOT NULL, state_ms INTEGER NOT NULL, ended INTEGER NOT NULL, ready_ms INTEGER NOT NULL,"
    " sim_id INTEGER NOT NULL DEFAULT 0, concat_ref INTEGER NOT NULL DEFAULT 0, concat_ref_bits INTEGER NOT NULL DEFAULT 0,"
    " client_ref TEXT, reason TEXT NOT NULL, reason_code TEXT, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX message_ready ON message(priority DESC, id) WHERE state = 2 AND ready_ms = 0;"
    "CREATE INDEX message_due ON message(ready_ms) WHERE state IN (1, 2) AND ready_ms > 0;"
    "CREATE INDEX message_expiry ON message(expire_ms) WHERE state IN (1, 2) AND expire_ms > 0;"
    /* Sent and delivered ones, nearly all in the end, are found without it. */
    "CREATE INDEX message_state ON message(state) WHERE state NOT IN (4, 5);"
    "CREATE INDEX message_number ON message(id >> 12, to_number);"
    "CREATE INDEX message_client_ref ON message(id >> 12, client_ref) WHERE client_ref IS NOT NULL;"

    "CREATE TABLE attempt(id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL REFERENCES message(id), part INTEGER NOT NULL,"
    " state INTEGER NOT NULL, sim_id INTEGER NOT NULL, modem_id INTEGER NOT NULL, mr INTEGER NOT NULL DEFAULT -1,"
    " error_kind INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT -1, intent_ms INTEGER NOT NULL,"
    " done_ms INTEGER NOT NULL DEFAULT 0, awaits INTEGER, report_status INTEGER NOT NULL DEFAULT -1,"
    " report_ms INTEGER NOT NULL DEFAULT 0, report_scts_ms INTEGER NOT NULL DEFAULT 0,"
    " report_discharge_ms INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX attempt_message ON attempt(message_id, part);"
    "CREATE INDEX attempt_open ON attempt(sim_id) WHERE state = 1;"
    "CREATE INDEX attempt_report ON attempt(sim_id, mr) WHERE awaits IS NOT NULL;"

    "CREATE TABLE history(message_id INTEGER NOT NULL REFERENCES message(id), n INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " state INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY(message_id, n)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE concat_reference(sim_id INTEGER NOT NULL, to_number TEXT NOT NULL, bits INTEGER NOT NULL,"
    " ref INTEGER NOT NULL, message_id INTEGER NOT NULL, PRIMARY KEY(sim_id, to_number, bits, ref)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE report_orphan(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, sim_id INTEGER NOT NULL, mr INTEGER NOT NULL,"
    " recipient TEXT NOT NULL, status INTEGER NOT NULL, discharge_ms INTEGER NOT NULL, scts_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX report_orphan_sim ON report_orphan(sim_id, mr);"

    "CREATE TABLE inbox(id INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, sim_id INTEGER NOT NULL, modem_id INTEGER NOT NULL,"
    " sender TEXT NOT NULL, sender_type INTEGER NOT NULL, text TEXT, data BLOB, alphabet INTEGER NOT NULL,"
    " message_class INTEGER NOT NULL, pid INTEGER NOT NULL, dcs INTEGER NOT NULL, parts INTEGER NOT NULL,"
    " port_bits INTEGER NOT NULL, port_dst INTEGER NOT NULL, port_src INTEGER NOT NULL, scts_ms INTEGER NOT NULL,"
    " tz_quarters INTEGER NOT NULL, problem TEXT NOT NULL) STRICT;"
    "CREATE INDEX inbox_sender ON inbox(sender);"
    "CREATE TABLE inbox_part(id INTEGER PRIMARY KEY, sim_id INTEGER NOT NULL, pdu ANY NOT NULL, modem_id INTEGER NOT NULL,"
    " received_ms INTEGER NOT NULL, inbox_id INTEGER REFERENCES inbox(id), sender TEXT, sender_type INTEGER, ref INTEGER,"
    " ref_bits INTEGER, total INTEGER, seq INTEGER, text TEXT, data BLOB, alphabet INTEGER, message_class INTEGER, pid INTEGER,"
    " dcs INTEGER, port_bits INTEGER, port_dst INTEGER, port_src INTEGER, scts_ms INTEGER, tz_quarters INTEGER) STRICT;"
    "CREATE UNIQUE INDEX inbox_part_pdu ON inbox_part(sim_id, pdu);"
    "CREATE INDEX inbox_part_whole ON inbox_part(inbox_id, seq) WHERE inbox_id IS NOT NULL;"
    "CREATE INDEX inbox_part_waiting ON inbox_part(sim_id, sender, ref, ref_bits, total) WHERE inbox_id IS NULL;"
    "CREATE INDEX inbox_part_age ON inbox_part(received_ms) WHERE inbox_id IS NULL;"

    "CREATE TABLE sim(id INTEGER PRIMARY KEY, iccid TEXT NOT NULL UNIQUE, imsi TEXT NOT NULL, modem_id INTEGER NOT NULL,"
    " first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE modem(id INTEGER PRIMARY KEY, imei TEXT NOT NULL UNIQUE, manufacturer TEXT NOT NULL, model TEXT NOT NULL,"
    " revision TEXT NOT NULL, first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE api_key(name TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, scopes INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* Doubtful sends: what may be done about them, until when evidence is waited for, and the TP-MR that was asked for. */
static const char schema_2[] =
    "ALTER TABLE message ADD COLUMN policy INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN doubt_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE attempt ADD COLUMN pdu_mr INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX message_doubt ON message(doubt_ms) WHERE state = 10 AND doubt_ms > 0;"
    "UPDATE message SET doubt_ms = max(expire_ms, state_ms) + 600000 WHERE state = 10 AND ended = 0;";

/* Which run of the machine's clock the times of a message are by, and how much they were moved because the wall clock was set. */
static const char schema_3[] =
    "ALTER TABLE message ADD COLUMN clock_run INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN moved_ms INTEGER NOT NULL DEFAULT 0;";

/* What parts cost and why they went where they went, what each SIM has used of its limits, who answers whom, who wants
 * nothing more, which tariffs were in force, what operators said about a card's credit, and how long the messages of a key may
 * wait (-1: as routed). */
static const char schema_4[] =
    "ALTER TABLE message ADD COLUMN patience_s INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE api_key ADD COLUMN patience_s INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE attempt ADD COLUMN price_micro INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE attempt ADD COLUMN choice TEXT;"
    "CREATE TABLE sim_use(sim_id INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT;"
    "CREATE TABLE sim_recipient(sim_id INTEGER NOT NULL, recipient INTEGER NOT NULL, day INTEGER NOT NULL,"
    " month INTEGER NOT NULL, PRIMARY KEY(sim_id, recipient)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE conversation(to_number TEXT PRIMARY KEY, sim_id INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE opt_out(number TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, source TEXT NOT NULL, word TEXT NOT NULL,"
    " sim_id INTEGER NOT NULL, confirmed_ms INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
    "CREATE TABLE routing_version(id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, loaded_ms INTEGER NOT NULL,"
    " files TEXT NOT NULL) STRICT;"
    "CREATE TABLE forecast(kind TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sim_balance(sim_id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, source TEXT NOT NULL, balance_micro INTEGER,"
    " currency TEXT, rest_parts INTEGER, valid_until TEXT, answer TEXT NOT NULL) STRICT;";

/* Credits of a central account. Without one all of it stays empty. */
static const char schema_5[] =
    "ALTER TABLE message ADD COLUMN credit_state INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN credit_lease INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN credit_micro INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE message ADD COLUMN credit_row INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE attempt ADD COLUMN charge_seq INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX message_wait ON message(batch_id, id) WHERE state = 13;"
    "CREATE INDEX message_wait_expiry ON message(expire_ms) WHERE state = 13 AND expire_ms > 0;"
    "CREATE TABLE credit_box(id INTEGER PRIMARY KEY CHECK(id = 1), box_id BLOB NOT NULL, epoch INTEGER NOT NULL, account_key BLOB NOT NULL,"
    " account TEXT NOT NULL, start_seq INTEGER NOT NULL, start_hash BLOB NOT NULL, last_lease_id INTEGER NOT NULL,"
    " open_lease_id INTEGER NOT NULL, old_lease_id INTEGER NOT NULL, mark_ms INTEGER NOT NULL, acked_seq INTEGER NOT NULL,"
    " acked_hash BLOB NOT NULL, fenced INTEGER NOT NULL, frozen INTEGER NOT NULL, command INTEGER NOT NULL, request_id BLOB,"
    " request_want_micro INTEGER NOT NULL, request_seq INTEGER NOT NULL, request_hash BLOB NOT NULL,"
    " request_open_lease_id INTEGER NOT NULL) STRICT;"
    "CREATE TABLE credit_lease(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, state INTEGER NOT NULL, price_version INTEGER NOT NULL,"
    " issued_ms INTEGER NOT NULL, spend_until_ms INTEGER NOT NULL, settle_until_ms INTEGER NOT NULL, mark_ms INTEGER NOT NULL,"
    " postings INTEGER NOT NULL, grant_micro INTEGER NOT NULL, available_micro INTEGER NOT NULL, reserved_micro INTEGER NOT NULL DEFAULT 0,"
    " captured_micro INTEGER NOT NULL DEFAULT 0, suspense_micro INTEGER NOT NULL DEFAULT 0, returned_micro INTEGER NOT NULL DEFAULT 0,"
    " debt_micro INTEGER NOT NULL DEFAULT 0, overspent_micro INTEGER NOT NULL DEFAULT 0, paper BLOB) STRICT;"
    "CREATE INDEX credit_lease_used ON credit_lease(id) WHERE state <> 6 AND reserved_micro > 0;"
    "CREATE TABLE credit_posting(id INTEGER PRIMARY KEY, lease_id INTEGER NOT NULL REFERENCES credit_lease(id), seq INTEGER NOT NULL,"
    " from_account INTEGER NOT NULL, to_account INTEGER NOT NULL, micro INTEGER NOT NULL CHECK(micro > 0), reason INTEGER NOT NULL,"
    " batch_id INTEGER, message_id INTEGER, part INTEGER NOT NULL, attempt INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL, journal_seq INTEGER, journal_kind INTEGER, price_row INTEGER, refers_seq INTEGER, boot INTEGER,"
    " mono_ms INTEGER, wall_ms INTEGER, hash BLOB) STRICT;"
    "CREATE UNIQUE INDEX credit_journal ON credit_posting(epoch, journal_seq) WHERE journal_seq IS NOT NULL;"
    "CREATE TABLE credit_prices(version INTEGER PRIMARY KEY, sha256 BLOB NOT NULL, at_ms INTEGER NOT NULL, csv TEXT NOT NULL) STRICT;";

/* Step i leads from user_version i to i + 1. Never change one that was released: add another. */
static const char *const migrations[STORE_SCHEMA_VERSION] = { schema_1, schema_2, schema_3, schema_4, schema_5 };

/* A commit must survive power loss: WAL with FULL, never NORMAL. temp_store: savepoints need no file of their own. cache_size is in KiB. */
static const char *const pragmas_write[] = {
    "PRAGMA page_size=4096",          "PRAGMA journal_mode=WAL",       "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",         "PRAGMA secure_delete=ON",       "PRAGMA wal_autocheckpoint=1000",
    "PRAGMA journal_size_limit=4194304", "PRAGMA trusted_schema=OFF",  "PRAGMA cell_size_check=ON",
    "PRAGMA mmap_size=0",             "PRAGMA temp_store=MEMORY",      "PRAGMA cache_size=-1024",
};
static const char *const pragmas_read[] = {
    "PRAGMA query_only=ON", "PRAGMA trusted_schema=OFF",  "PRAGMA cell_size_check=ON",
    "PRAGMA mmap_size=0",   "PRAGMA temp_store=MEMORY",   "PRAGMA cache_size=-512",
};

#define TEXT_SIZE SCHEMA_DETAIL_SIZE

/* What goes wrong, and what a person can do about it. */
static const struct { int error; const char *what; const char *remedy; } remedies[] = {
    { -EBADMSG, "is damaged", "Stop the gateway, keep copies of it and of its -wal and -shm files, then bring back a backup or "
                              "save what can be read with: sqlite3 FILE .recover" },
    { -EACCES, "cannot be opened for writing", "See that its directory exists and that the gateway's user may write in it" },
    { -ENOENT, "does not exist", "It is made when the gateway starts for the first time" },
    { -EBUSY, "is in use by another process", "Only one gateway may run on it" },
    { -ENOSPC, "cannot be written, the disk is full", "Make room and start again" },
    { -ENOMEM, "cannot be opened", "There is not enough memory" },
    { -EIO, "cannot be read or written", "The disk or the card fails; look at the kernel's log" },
};

void schema_explain(int error, const char *path, const char *detail, char *ret_error, size_t error_size)
{
    size_t i = 0;

    if (ret_error == NULL)
        return;
    while (remedies[i].error != error && remedies[i].error != -EIO)
        i++;
    (void)snprintf(ret_error, error_size, "%s %s (%s). %s.", path, remedies[i].what, detail, remedies[i].remedy);
}

static int schema_exec(struct sql *sql, const char *text)
{
    return sql_errno(sqlite3_exec(sql->db, text, NULL, NULL, NULL));
}

/* The first value of a pragma or query, as text. */
static int schema_ask(struct sql *sql, const char *text, char ret_text[TEXT_SIZE])
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite3_prepare_v2(sql->db, text, -1, &stmt, NULL);

    ret_text[0] = '\0';
    if (r == SQLITE_OK) {
        r = sqlite3_step(stmt);
        if (r == SQLITE_ROW)
            sql_copy_text(stmt, 0, ret_text, TEXT_SIZE);
    }
    /* Where memory lacked for the text of the column it is said here: no answer is not the answer "". */
    if (sqlite3_finalize(stmt) != SQLITE_OK && (r == SQLITE_ROW || r == SQLITE_DONE))
        r = sqlite3_extended_errcode(sql->db);
    return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : sql_errno(r);
}

static int schema_ask_number(struct sql *sql, const char *text, int64_t *ret_number)
{
    char answer[TEXT_SIZE];
    int r = schema_ask(sql, text, answer);
    int64_t number = 0;
    bool minus = answer[0] == '-';

    for (const char *c = answer + minus; *c >= '0' && *c <= '9'; c++)
        number = number * 10 + (*c - '0');
    if (r == 0)
        *ret_number = minus ? -number : number;
    return r;
}

/* Before anything is written: is it ours, and of a version we know? */
static int schema_recognise(struct sql *sql, const char *path, int64_t *ret_version, char *ret_error, size_t error_size)
{
    int64_t version = 0, application = 0, tables = 0;
    int r = schema_ask_number(sql, "PRAGMA user_version", &version);

    if (r == 0)
        r = schema_ask_number(sql, "PRAGMA application_id", &application);
    if (r == 0)
        r = schema_ask_number(sql, "SELECT count(*) FROM sqlite_schema", &tables);
    if (r < 0) {
        const char *detail = sqlite3_errmsg(sql->db);

        schema_explain(r, path, detail, ret_error, error_size);
        return r;
    }
    if (application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0)) {
        if (ret_error != NULL)
            (void)snprintf(ret_error, error_size, "%s is the database of another program. Give another path.", path);
        return -EBADMSG;
    }
    if (version > STORE_SCHEMA_VERSION) {
        if (ret_error != NULL)
            (void)snprintf(ret_error, error_size,
                           "%s was written by a newer Cellpost: its version is %lld, this program knows up to %d. Install that "
                           "release again, or bring back a backup made before the upgrade.",
                           path, (long long)version, STORE_SCHEMA_VERSION);
        return -EPROTO;
    }
    *ret_version = version;
    return 0;
}

static int schema_set_pragmas(struct sql *sql, const char *const *pragmas, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int r = schema_exec(sql, pragmas[i]);

        if (r < 0)
            return r;
    }
    return 0;
}

static int schema_set_writing(struct sql *sql)
{
    char answer[TEXT_SIZE];
    int r = schema_set_pragmas(sql, pragmas_write, sizeof pragmas_write / sizeof pragmas_write[0]);

    if (r == 0)
        r = schema_ask(sql, "PRAGMA journal_mode", answer);
    if (r == 0 && strcmp(answer, "wal") != 0)
        r = -EACCES;                     /* refused without an error: the file or its directory is read-only */
    if (r == 0 && sqlite3_db_readonly(sql->db, "main") != 0)
        r = -EACCES;
    return r;
}

bool schema_is_large(struct sql *sql)
{
    int64_t pages = 0, page_size = 0;

    if (schema_ask_number(sql, "PRAGMA page_count", &pages) < 0 || schema_ask_number(sql, "PRAGMA page_size", &page_size) < 0)
        return false;
    return page_size > 0 && pages > STORE_CHECK_AT_START_MAX / page_size;
}

int schema_check(struct sql *sql, char ret_detail[SCHEMA_DETAIL_SIZE])
{
    static const char unread[] = "unable to get the page. error code=";
    int r = schema_ask(sql, "PRAGMA quick_check(1)", ret_detail);
    const char *found = r == 0 ? strstr(ret_detail, unread) : NULL;
    int code = 0;

    if (r < 0 || strcmp(ret_detail, "ok") == 0)
        return r;
    /* It reports a page that could not be read (no memory, a failing disk) as it does a bad one. */
    for (const char *c = found != NULL ? found + sizeof unread - 1 : ""; *c >= '0' && *c <= '9' && code < 100000; c++)
        code = code * 10 + (*c - '0');
    return code != SQLITE_OK ? sql_errno(code) : -EBADMSG;
}

/* All steps in one transaction: the file is of the old version or of the new one. */
static int schema_migrate(struct sql *sql, int64_t version, const char *tag)
{
    char text[96];
    int r;

    if (version == STORE_SCHEMA_VERSION)
        return 0;
    r = schema_exec(sql, "BEGIN IMMEDIATE");
    for (int64_t i = version; r == 0 && i < STORE_SCHEMA_VERSION; i++)
        r = schema_exec(sql, migrations[i]);
    if (r == 0 && version == 0) {
        sql_run(sql, "INSERT INTO meta(key, value) VALUES('tag', ?1)", SQL_ARGS(sql_text(tag)));
        r = sql->failed;
    }
    if (r == 0) {
        (void)snprintf(text, sizeof text, "PRAGMA user_version=%d; PRAGMA application_id=%d; COMMIT", STORE_SCHEMA_VERSION,
                       APPLICATION_ID);
        r = schema_exec(sql, text);
    }
    return r;                            /* on failure the caller closes, which rolls back */
}

int schema_open(struct sql *sql, enum schema_mode mode, const char *path, const char *vfs, const char *tag, char *ret_error,
                size_t error_size)
{
    static const int flags[] = {
        [SCHEMA_WRITE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        [SCHEMA_REOPEN] = SQLITE_OPEN_READWRITE,
        [SCHEMA_READ] = SQLITE_OPEN_READONLY,
    };
    char detail[TEXT_SIZE] = "";
    int64_t version = 0;
    int r;

    memset(sql, 0, sizeof *sql);
    r = sql_errno(sqlite3_open_v2(path, &sql->db, flags[mode] | SQLITE_OPEN_NOMUTEX, vfs));
    if (r == 0) {
        (void)sqlite3_extended_result_codes(sql->db, 1);
        (void)sqlite3_busy_timeout(sql->db, BUSY_TIMEOUT_MS);
        r = schema_recognise(sql, path, &version, ret_error, error_size);
        if (r < 0)
            goto out;                    /* explained */
    }
    if (r == 0 && mode == SCHEMA_READ) {
        r = version == 0 ? -ENOENT : schema_set_pragmas(sql, pragmas_read, sizeof pragmas_read / sizeof pragmas_read[0]);
    } else if (r == 0) {
        r = schema_set_writing(sql);
        if (r == 0 && mode == SCHEMA_WRITE && version > 0 && (version < STORE_SCHEMA_VERSION || !schema_is_large(sql)))
            r = schema_check(sql, detail);
        if (r == 0 && mode == SCHEMA_WRITE)
            r = schema_migrate(sql, version, tag);
    }
    if (r < 0)
        schema_explain(r, path, detail[0] != '\0' && strcmp(detail, "ok") != 0 ? detail : sqlite3_errmsg(sql->db), ret_error,
                       error_size);
out:
    if (r < 0)
        sql_close(sql);
    return r;
}
