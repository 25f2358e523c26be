/* SPDX-License-Identifier: Apache-2.0
 *
 * verdict.c - the end: every row of the database against what the witness knows, and every promise against the rows. */
#include "tests/simulation/simulation.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hand-overs of one message that fail, over all its parts and SIMs: 6. One more where a slow disk answers a refill of the queue
 * after the sixth has been noted. */
#define TRIES_MAX 7
#define PARTS_MAX 255

static sqlite3 *open_database(const struct simulation *sim)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2("cellpost.db", &db, SQLITE_OPEN_READWRITE, disk_vfs(sim->host.disk)) != SQLITE_OK) {
        (void)sqlite3_close(db);
        return NULL;
    }
    return db;
}

static sqlite3_stmt *query(struct simulation *sim, sqlite3 *db, const char *text)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK)
        violation(sim, "the verdict's own query fails: %s", sqlite3_errmsg(db));
    return stmt;
}

/* The first number of the answer, by a connection of its own; -1: none. */
static int64_t ask_number(struct simulation *sim, const char *text, int64_t argument)
{
    sqlite3 *db = open_database(sim);
    sqlite3_stmt *row = db != NULL ? query(sim, db, text) : NULL;
    int64_t number = -1;

    if (row != NULL && sqlite3_bind_int64(row, 1, argument) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW)
        number = sqlite3_column_int64(row, 0);
    (void)sqlite3_finalize(row);
    (void)sqlite3_close(db);
    return number;
}

int64_t verdict_unsettled(struct simulation *sim)
{
    return ask_number(sim, "SELECT count(*) FROM message WHERE state IN (1, 2, 3) AND id > ?1", 0);
}

bool verdict_is_ready(struct simulation *sim, int64_t id)
{
    return ask_number(sim, "SELECT count(*) FROM message WHERE id = ?1 AND state = 2 AND ready_ms = 0", id) == 1;
}

/* -- one message ---------------------------------------------------------------------------------------------- */

struct part_found { uint8_t sent, unknown, released, refused, not_sent, withdrawn, open; };

static void check_part(struct simulation *sim, int64_t id, const struct witness_part *truth, const struct part_found *found)
{
    if (truth->on_air > 0 && found->sent + found->unknown + found->released == 0)
        violation(sim, "part %d of message %lld was on the air and the box does not know: %d refused, %d not sent, %d withdrawn",
                  truth->number + 1, (long long)id, found->refused, found->not_sent, found->withdrawn);
    if (truth->on_air == 0 && found->sent > 0 && witness_reports_are_clear(sim))
        violation(sim, "part %d of message %lld is said to be sent and never was on the air", truth->number + 1, (long long)id);
    if (found->open > 0)
        violation(sim, "part %d of message %lld has an intent without an end", truth->number + 1, (long long)id);
}

/* Another part went by the same card to the same number with the same TP-MR, minutes apart: reports may be exchanged. */
static bool has_twin(const struct simulation *sim, const struct witness_message *message)
{
    const struct witness *witness = &sim->witness;

    /* A modem that counts on acknowledgement uses a TP-MR again where that was lost. */
    for (uint16_t i = 0; i < message->parts; i++)
        if (sim->bank.counts[witness->parts[message->first_part + i].card] == SIM_SMSS_AT_ACK)
            return true;
    for (uint16_t i = 0; i < message->parts; i++)
        for (uint32_t other = 0; other < witness->part_count; other++)
            if (witness->parts[other].message != witness->parts[message->first_part + i].message &&
                strcmp(witness->messages[witness->parts[other].message].to, message->to) == 0 &&
                witness_parts_are_alike(&witness->parts[message->first_part + i], &witness->parts[other]))
                return true;
    return false;
}

/* Its modems tell reports at once (+CDS). Those that store them may have room for ten and forget. */
static bool tells_reports(const struct simulation *sim, const struct witness_message *message)
{
    for (uint16_t i = 0; i < message->parts; i++)
        if ((sim->bank.personalities[sim->witness.parts[message->first_part + i].card]->cnmi.ds >> 1 & 1) == 0)
            return false;
    return true;
}

/* What the parts amount to, said by who knows. */
static void check_state(struct simulation *sim, const struct witness_message *message, enum message_state state, bool ended, uint32_t unknown)
{
    uint32_t on_air = 0, delivered = 0, failed = 0;

    for (uint16_t i = 0; i < message->parts; i++) {
        const struct witness_part *part = &sim->witness.parts[message->first_part + i];

        on_air += part->on_air > 0;
        delivered += (part->reports & REPORT_TRUTH_DELIVERED) != 0;
        failed += (part->reports & REPORT_TRUTH_FAILED) != 0;
    }
    switch (state) {
    case MESSAGE_SCHEDULED:
    case MESSAGE_QUEUED:
    case MESSAGE_SENDING:
    case MESSAGE_WAIT_CREDIT:
        violation(sim, "message %lld is still %s", (long long)message->id, message_state_name(state));
        break;
    case MESSAGE_SENT:
        if (sim->faults.enabled == 0 && message->report && delivered == message->parts && tells_reports(sim, message))
            violation(sim, "message %lld is sent, and the reports of all its parts have come", (long long)message->id);
        if (on_air < message->parts && witness_reports_are_clear(sim))
            violation(sim, "message %lld is sent, but %u of %d parts were on the air", (long long)message->id, (unsigned)on_air, message->parts);
        break;
    case MESSAGE_DELIVERED:
        if (delivered < message->parts && !has_twin(sim, message) && witness_reports_are_clear(sim))
            violation(sim, "message %lld is delivered, but the network says so of %u of %d parts", (long long)message->id, (unsigned)delivered,
                      message->parts);
        break;
    case MESSAGE_UNDELIVERED:
        if (failed == 0 && !has_twin(sim, message) && witness_reports_are_clear(sim))
            violation(sim, "message %lld is undelivered, and the network never said so", (long long)message->id);
        break;
    case MESSAGE_EXPIRED:
        if (failed == 0 && on_air == message->parts && !has_twin(sim, message) && witness_reports_are_clear(sim))
            violation(sim, "message %lld is expired, was on the air, and the network never said so", (long long)message->id);
        break;
    case MESSAGE_UNKNOWN:
    case MESSAGE_HELD:
        if (unknown == 0 && !ended)      /* one that was dropped stays so, whatever comes to light */
            violation(sim, "message %lld is %s, and none of its parts is unknown", (long long)message->id, message_state_name(state));
        break;
    case MESSAGE_REJECTED:
    case MESSAGE_FAILED:
    case MESSAGE_CANCELLED:
        if (on_air == message->parts)
            violation(sim, "message %lld is %s and was on the air whole", (long long)message->id, message_state_name(state));
        break;
    }
    /* Where it waited to be sent once more, the first time is still in doubt: unknown, or what comes to light of it. */
    if (message->cancelled && state != MESSAGE_CANCELLED &&
        (message->may_repeat == 0 || (on_air == 0 && state != MESSAGE_UNKNOWN && witness_reports_are_clear(sim))))
        violation(sim, "message %lld was cancelled and is %s", (long long)message->id, message_state_name(state));
}

static void check_message(struct simulation *sim, sqlite3_stmt *attempts, struct witness_message *message, enum message_state state, bool ended)
{
    struct part_found found[PARTS_MAX] = { { 0 } };
    uint32_t failures = 0, unknown = 0;

    (void)sqlite3_bind_int64(attempts, 1, message->id);
    while (sqlite3_step(attempts) == SQLITE_ROW) {
        struct part_found *part = &found[sqlite3_column_int(attempts, 0)];
        int attempt = sqlite3_column_int(attempts, 1);

        part->open += attempt == ATTEMPT_INTENT;
        part->sent += attempt == ATTEMPT_SENT;
        part->refused += attempt == ATTEMPT_REFUSED;
        part->not_sent += attempt == ATTEMPT_NOT_SENT;
        part->unknown += attempt == ATTEMPT_UNKNOWN;
        part->withdrawn += attempt == ATTEMPT_WITHDRAWN;
        failures += attempt == ATTEMPT_REFUSED || attempt == ATTEMPT_NOT_SENT;
        part->released += attempt == ATTEMPT_RELEASED;
        unknown += attempt == ATTEMPT_UNKNOWN || attempt == ATTEMPT_RELEASED;
    }
    (void)sqlite3_reset(attempts);
    for (uint16_t i = 0; i < message->parts; i++)
        check_part(sim, message->id, &sim->witness.parts[message->first_part + i], &found[i]);
    if (failures > TRIES_MAX)
        violation(sim, "message %lld was tried %u times", (long long)message->id, (unsigned)failures);
    check_state(sim, message, state, ended, unknown);
}

static void check_messages(struct simulation *sim, sqlite3 *db)
{
    sqlite3_stmt *rows = query(sim, db, "SELECT id, state, to_number, text, ended FROM message ORDER BY id");
    sqlite3_stmt *attempts = query(sim, db, "SELECT part, state FROM attempt WHERE message_id = ?1");

    while (sqlite3_step(rows) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(rows, 0);
        const char *to = (const char *)sqlite3_column_text(rows, 2), *text = (const char *)sqlite3_column_text(rows, 3);
        struct witness_message *message;
        uint32_t index;

        if (!witness_map_find(&sim->witness.by_text, witness_key(to, text, strlen(text)), &index)) {
            violation(sim, "message %lld was never submitted", (long long)id);
            continue;
        }
        message = &sim->witness.messages[index];
        if (message->state != 0 || (message->promised && message->id != id))
            violation(sim, "message %lld is there a second time as %lld", (long long)message->id, (long long)id);
        message->state = sqlite3_column_int(rows, 1);
        message->id = id;
        check_message(sim, attempts, message, (enum message_state)message->state, sqlite3_column_int(rows, 4) != 0);
    }
    (void)sqlite3_finalize(rows);
    (void)sqlite3_finalize(attempts);
    for (uint32_t i = 0; i < sim->witness.message_count; i++) {
        const struct witness_message *message = &sim->witness.messages[i];

        if (message->promised && message->state == 0)
            violation(sim, "message %lld was promised and is lost", (long long)message->id);
        for (uint16_t part = 0; message->state == 0 && part < message->parts; part++)
            if (sim->witness.parts[message->first_part + part].on_air > 0)
                violation(sim, "message %u was on the air and has no row", (unsigned)i);
    }
}

/* An end is an end: no two of them in one life. Unknown may still become known, and of two copies one may arrive after the
 * other was given up (of one part, while another part is still to come to its end); but what was delivered stays
 * delivered. */
static void check_history(struct simulation *sim, sqlite3 *db)
{
    sqlite3_stmt *rows = query(sim, db, "SELECT message_id, group_concat(state, ' ') FROM (SELECT message_id, state FROM history"
                                        " ORDER BY message_id, n) GROUP BY message_id HAVING sum(state IN (5, 6, 7, 8, 9, 11)) > 1");

    while (sqlite3_step(rows) == SQLITE_ROW) {
        const struct witness_message *message = witness_message_by_id(sim, sqlite3_column_int64(rows, 0));
        const char *states = (const char *)sqlite3_column_text(rows, 1);

        if (message == NULL || message->may_repeat == 0 || strstr(states, "5 ") != NULL)
            violation(sim, "message %lld came to more than one end: %s", (long long)sqlite3_column_int64(rows, 0), states);
    }
    (void)sqlite3_finalize(rows);
}

/* -- what came in --------------------------------------------------------------------------------------------- */

static void check_inbox_row(struct simulation *sim, sqlite3_stmt *row)
{
    struct incoming *incoming = &sim->incoming;
    int64_t id = sqlite3_column_int64(row, 0);
    const char *from = (const char *)sqlite3_column_text(row, 1), *text = (const char *)sqlite3_column_text(row, 2);
    uint64_t key = witness_key(from, text != NULL ? text : "", text != NULL ? strlen(text) : 0);

    for (uint32_t i = 0; i < incoming->message_count; i++)
        if (incoming->messages[i].key == key) {
            incoming->messages[i].in_inbox++;
            return;
        }
    if (sqlite3_column_text(row, 3)[0] == '\0')
        violation(sim, "inbox message %lld was sent by nobody: %s", (long long)id, text != NULL ? text : "");
}

static void check_inbox(struct simulation *sim, sqlite3 *db)
{
    /* A clock far ahead makes the box give up waiting for parts; then the whole need not be there, its parts must. */
    bool may_be_given_up = (sim->faults.enabled >> FAULT_CLOCK_FORWARD & 1) != 0 || (sim->faults.enabled >> FAULT_CLOCK_BACK & 1) != 0;
    struct incoming *incoming = &sim->incoming;
    sqlite3_stmt *rows = query(sim, db, "SELECT id, sender, text, problem FROM inbox");

    while (sqlite3_step(rows) == SQLITE_ROW)
        check_inbox_row(sim, rows);
    (void)sqlite3_finalize(rows);
    for (uint32_t i = 0; i < incoming->message_count; i++) {
        const struct incoming_message *message = &incoming->messages[i];
        bool taken = true;

        for (uint32_t part = 0; part < message->parts; part++)
            taken = taken && incoming->parts[message->first_part + part].taken > 0;
        if (message->in_inbox > 1)
            violation(sim, "incoming message %u from %s is in the inbox %u times", (unsigned)i, message->from, (unsigned)message->in_inbox);
        if (taken && message->in_inbox == 0 && !(message->parts > 1 && may_be_given_up))
            violation(sim, "incoming message %u from %s, %u parts, card %u, is lost", (unsigned)i, message->from, (unsigned)message->parts,
                      (unsigned)incoming->parts[message->first_part].card);
    }
}

/* -- the database itself -------------------------------------------------------------------------------------- */

static void check_answer(struct simulation *sim, sqlite3 *db, const char *text, const char *expected, const char *what)
{
    sqlite3_stmt *row = query(sim, db, text);
    const char *answer = sqlite3_step(row) == SQLITE_ROW ? (const char *)sqlite3_column_text(row, 0) : expected;

    if (answer == NULL || strcmp(answer, expected) != 0) {
        violation(sim, "%s: %s", what, answer != NULL ? answer : "NULL");
        sim->damaged = true;
    }
    (void)sqlite3_finalize(row);
}

static void check_counts(struct simulation *sim, sqlite3 *db)
{
    check_answer(sim, db, "SELECT count(*) FROM pragma_foreign_key_check", "0", "rows refer to rows that are not there");
    check_answer(sim, db, "SELECT count(*) FROM (SELECT state AS s, count(*) AS rows FROM message GROUP BY state) JOIN counter ON kind = 1 AND id = s"
                          " WHERE n <> rows", "0", "states are counted wrong");
}

/* Whoever's STOP is in the inbox is on the list and was answered by one message, and nobody else. */
static void check_opt_outs(struct simulation *sim, sqlite3 *db)
{
    check_answer(sim, db, "SELECT count(*) FROM (SELECT sender FROM inbox WHERE text IN ('STOP', 'QUIT') EXCEPT SELECT number FROM opt_out)", "0",
                 "a STOP is in the inbox and its sender not on the list");
    check_answer(sim, db, "SELECT count(*) FROM (SELECT number FROM opt_out EXCEPT SELECT sender FROM inbox WHERE text IN ('STOP', 'QUIT'))", "0",
                 "numbers are on the list that sent no STOP");
    check_answer(sim, db, "SELECT count(*) FROM opt_out o WHERE 1 <> (SELECT count(*) FROM message m JOIN batch b ON b.id = m.batch_id"
                          " WHERE m.to_number = o.number AND b.actor = 'optout')", "0", "opt-outs were not confirmed once");
    check_answer(sim, db, "SELECT count(*) FROM opt_out WHERE (SELECT count(*) FROM opt_out) <> (SELECT n FROM counter WHERE kind = 4)", "0",
                 "opt-outs are counted wrong");
}

/* For a look at what a seed has left behind. */
static void keep_database(struct simulation *sim, sqlite3 *db)
{
    FILE *file = fopen(sim->options.keep_path, "wb");
    sqlite3_int64 size = 0;
    unsigned char *octets = sqlite3_serialize(db, "main", &size, 0);

    if (file == NULL || octets == NULL || fwrite(octets, 1, (size_t)size, file) != (size_t)size)
        violation(sim, "the database cannot be kept as %s", sim->options.keep_path);
    if (file != NULL)
        (void)fclose(file);
    sqlite3_free(octets);
}

void verdict(struct simulation *sim)
{
    sqlite3 *db = open_database(sim);

    if (db == NULL) {
        violation(sim, "the database cannot be opened");
        return;
    }
    check_answer(sim, db, "PRAGMA integrity_check(1)", "ok", "the database is damaged");
    if (!sim->damaged) {
        check_counts(sim, db);
        check_messages(sim, db);
        check_history(sim, db);
        check_inbox(sim, db);
        check_opt_outs(sim, db);
    }
    if (sim->options.keep_path != NULL)
        keep_database(sim, db);
    (void)sqlite3_close(db);
}
