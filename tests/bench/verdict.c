/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/verdict.h"

#include "src/store/message.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void verdict_say(struct verdict *verdict, unsigned *broken, const char *format, ...)
{
    va_list args;

    (*broken)++;
    if (verdict->sentence_count == VERDICT_SENTENCES_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(verdict->sentences[verdict->sentence_count++], sizeof verdict->sentences[0], format, args);
    va_end(args);
}

static sqlite3_stmt *query(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        harness_die("%s: %s", sql, sqlite3_errmsg(db));
    return stmt;
}

/* -- the air -------------------------------------------------------------------------------------------------- */

static void judge_air(struct verdict *verdict, struct load *load)
{
    const struct witness *witness = &load->harness->witness;

    witness_read(&load->harness->witness);
    verdict->parts_on_air = (unsigned)witness->count;
    for (size_t i = 0; i < witness->count; i++) {
        const struct witness_part *part = &witness->parts[i];
        struct load_message *message = load_find(load, part->to);
        unsigned index = part->total > 1 ? (unsigned)part->seq - 1 : 0;

        if (message == NULL)
            verdict_say(verdict, &verdict->strange, "a part to %s was on the air, which nobody asked for", part->to);
        else if (index >= LOAD_PARTS_MAX || (unsigned)part->total != message->parts || strstr(message->text, part->text) == NULL)
            verdict_say(verdict, &verdict->altered, "part %d of %d to %s is not what was asked for: %s", part->seq, part->total, part->to,
                        part->text);
        else
            message->on_air[index]++;
    }
}

static bool was_whole_on_air(const struct load_message *message)
{
    for (unsigned i = 0; i < message->parts; i++)
        if (message->on_air[i] == 0)
            return false;
    return true;
}

/* Parts in order make the text. */
static bool text_is_right(struct load *load, const struct load_message *message)
{
    char to[24], *text;
    bool right;

    for (unsigned i = 0; i < message->parts; i++)
        if (message->on_air[i] > 1)
            return true;   /* judged elsewhere; each of its texts is a stretch of the right one */
    load_number(load, message, to);
    text = witness_text(&load->harness->witness, to);
    right = strcmp(text, message->text) == 0;
    free(text);
    return right;
}

/* -- the database --------------------------------------------------------------------------------------------- */

static bool is_broken(const struct load_message *message, int state)
{
    switch (state) {
    case MESSAGE_SENT:
    case MESSAGE_DELIVERED:
        return !was_whole_on_air(message);
    case MESSAGE_UNKNOWN:
        return false;
    default:
        return true;   /* nothing in this rig refuses, expires or cancels */
    }
}

static void judge_row(struct verdict *verdict, struct load *load, const char *to, int state)
{
    struct load_message *message = load_find(load, to);

    if (message == NULL) {
        verdict_say(verdict, &verdict->strange, "a message to %s is in the database, which nobody asked for", to);
        return;
    }
    if (message->seen)
        verdict_say(verdict, &verdict->doubled, "the message to %s was accepted twice under one Idempotency-Key", to);
    message->seen = true;
    verdict->states[state & 15]++;
    if (message->acknowledged && is_broken(message, state))
        verdict_say(verdict, &verdict->lost, "the message to %s was acknowledged and is %s in the end; on the air: %u %u %u of %u parts", to,
                    message_state_name((enum message_state)state), message->on_air[0], message->on_air[1], message->on_air[2], message->parts);
    else if (was_whole_on_air(message) && !text_is_right(load, message))
        verdict_say(verdict, &verdict->altered, "the message to %s was on the air with another text", to);
}

static void judge_messages(struct verdict *verdict, struct load *load, sqlite3 *db)
{
    sqlite3_stmt *stmt = query(db, "SELECT to_number, state FROM message");

    while (sqlite3_step(stmt) == SQLITE_ROW)
        judge_row(verdict, load, (const char *)sqlite3_column_text(stmt, 0), sqlite3_column_int(stmt, 1));
    (void)sqlite3_finalize(stmt);
    for (unsigned i = 0; i < load->count; i++) {
        const struct load_message *message = &load->messages[i];
        char to[24];

        load_number(load, message, to);
        if (message->acknowledged && !message->seen)
            verdict_say(verdict, &verdict->lost, "the message to %s was acknowledged and is not in the database", to);
        for (unsigned part = 0; part < message->parts && !message->seen; part++)
            if (message->on_air[part] > 0)
                verdict_say(verdict, &verdict->strange, "part %u to %s was on the air and its message is not in the database", part + 1, to);
        /* Messages of one request follow each other. */
        if (i > 0 && message->request == load->messages[i - 1].request && message->seen != load->messages[i - 1].seen)
            verdict_say(verdict, &verdict->strange, "half of the request with the message to %s is in the database", to);
        verdict->messages += message->acknowledged;
        verdict->parts += message->acknowledged ? message->parts : 0;
    }
}

/* ATTEMPT_UNKNOWN and ATTEMPT_RELEASED, which was unknown before it was sent once more. */
static void judge_attempts(struct verdict *verdict, struct load *load, sqlite3 *db)
{
    sqlite3_stmt *stmt = query(db, "SELECT to_number, part, attempt.state, done_ms, (SELECT count(*) FROM attempt AS other WHERE"
                                   " other.message_id = message.id AND other.part = attempt.part AND other.state = 2) FROM attempt"
                                   " JOIN message ON message.id = message_id WHERE attempt.state IN (5, 7)");

    while (sqlite3_step(stmt) == SQLITE_ROW) {
        struct load_message *message = load_find(load, (const char *)sqlite3_column_text(stmt, 0));
        int part = sqlite3_column_int(stmt, 1);
        bool released = sqlite3_column_int(stmt, 2) == ATTEMPT_RELEASED, sent;

        if (message == NULL)
            continue;
        HARNESS_CHECK(part >= 0 && part < LOAD_PARTS_MAX);
        message->released[part] += released;
        verdict->released += released;
        /* Of those known to be sent by another attempt, that one was on the air. */
        sent = message->on_air[part] > (unsigned)sqlite3_column_int(stmt, 4);
        if (!released && sent)
            verdict->unknown_sent++;
        else if (!released)
            verdict->unknown_unsent++;
        if (verdict->on_unknown != NULL)
            verdict->on_unknown(verdict->context, sqlite3_column_int64(stmt, 3), sent);
    }
    (void)sqlite3_finalize(stmt);
    stmt = query(db, "SELECT sum(parts - (SELECT count(DISTINCT part) FROM attempt WHERE message_id = message.id AND state IN (2, 5)))"
                     " FROM message WHERE state = 10");
    HARNESS_CHECK(sqlite3_step(stmt) == SQLITE_ROW);
    verdict->withheld = (unsigned)sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
}

/* Twice only where the policy is at_least_once, and then not a third time. That the first time was in doubt is to be seen no
 * more where a report has settled it since. */
static void judge_repetitions(struct verdict *verdict, const struct load *load)
{
    for (unsigned i = 0; i < load->count; i++)
        for (unsigned part = 0; part < load->messages[i].parts; part++) {
            const struct load_message *message = &load->messages[i];
            char to[24];

            if (message->on_air[part] <= 1)
                continue;
            load_number(load, message, to);
            if (message->at_least_once && message->released[part] <= 1 && message->on_air[part] == 2)
                verdict->resent++;
            else
                verdict_say(verdict, &verdict->doubled, "part %u to %s was on the air %u times; its policy is %s, it was released %u times",
                            part + 1, to, message->on_air[part], message->at_least_once ? "at_least_once" : "at_most_once",
                            message->released[part]);
        }
}

static void judge_soundness(struct verdict *verdict, sqlite3 *db)
{
    sqlite3_stmt *stmt = query(db, "PRAGMA integrity_check");
    const char *text = sqlite3_step(stmt) == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : sqlite3_errmsg(db);

    if (strcmp(text, "ok") != 0)
        verdict_say(verdict, &verdict->strange, "the database is damaged: %s", text);
    (void)sqlite3_finalize(stmt);
}

void verdict_reach(struct verdict *verdict, struct load *load)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(load->harness->database, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        harness_die("%s: %s", load->harness->database, sqlite3_errmsg(db));
    judge_soundness(verdict, db);
    judge_air(verdict, load);
    judge_messages(verdict, load, db);
    judge_attempts(verdict, load, db);
    judge_repetitions(verdict, load);
    (void)sqlite3_close(db);
}

bool verdict_is_kept(const struct verdict *verdict)
{
    return verdict->lost == 0 && verdict->doubled == 0 && verdict->altered == 0 && verdict->strange == 0;
}

json_t *verdict_states(const struct verdict *verdict)
{
    json_t *states = json_object();

    for (int state = MESSAGE_SCHEDULED; state <= MESSAGE_STATE_LAST; state++)
        if (verdict->states[state] != 0)
            (void)json_object_set_new(states, message_state_name((enum message_state)state), json_integer(verdict->states[state]));
    return states;
}
