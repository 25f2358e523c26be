/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness.h"

#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define LOOK_AGAIN_MS 1000   /* for what has no event of its own */

static bool has_bank(const struct harness *harness)
{
    return harness->witness.follow.path[0] != '\0';
}

/* Until something happened: an event of the daemon, or a line of the witness. */
static void wait_for_news(struct harness *harness, int timeout_ms)
{
    struct pollfd fds[] = {
        { .fd = harness->events.fd, .events = POLLIN },
        { .fd = has_bank(harness) ? harness->witness.follow.inotify_fd : -1, .events = POLLIN },
    };
    json_t *event;

    (void)poll(fds, sizeof fds / sizeof fds[0], timeout_ms < LOOK_AGAIN_MS ? timeout_ms : LOOK_AGAIN_MS);
    while ((event = events_next(&harness->events, 0)) != NULL)
        json_decref(event);
}

bool harness_wait(struct harness *harness, harness_condition holds, const void *context, int timeout_ms)
{
    uint64_t deadline_us = harness_now_us() + (uint64_t)timeout_ms * 1000;

    for (;;) {
        if (has_bank(harness))
            witness_read(&harness->witness);
        if (holds(harness, context))
            return true;
        if (harness_left_ms(deadline_us) == 0)
            return false;
        wait_for_news(harness, harness_left_ms(deadline_us));
    }
}

/* -- modems --------------------------------------------------------------------------------------------------- */

struct modems_wanted { const char *state; unsigned count; };

static bool modems_are(struct harness *harness, const void *context)
{
    const struct modems_wanted *wanted = context;
    json_t *answer = harness_get(harness, "/v1/modems"), *modem;
    unsigned count = 0;
    size_t i;

    json_array_foreach (json_object_get(answer, "modems"), i, modem)
        count += strcmp(json_text_at(modem, "state"), wanted->state) == 0;
    json_decref(answer);
    return count >= wanted->count;
}

bool harness_wait_modems(struct harness *harness, const char *state, unsigned count, int timeout_ms)
{
    return harness_wait(harness, modems_are, &(struct modems_wanted){ state, count }, timeout_ms);
}

struct reason_wanted { const char *state, *code; };

static bool first_modem_says(struct harness *harness, const void *context)
{
    const struct reason_wanted *wanted = context;
    json_t *answer = harness_get(harness, "/v1/modems");
    json_t *modem = json_array_get(json_object_get(answer, "modems"), 0), *reason = json_object_get(modem, "reason");
    bool says = strcmp(json_text_at(modem, "state"), wanted->state) == 0 && strcmp(json_text_at(reason, "code"), wanted->code) == 0 &&
                json_string_length(json_object_get(reason, "detail")) > 20;   /* and in a sentence */

    json_decref(answer);
    return says;
}

bool harness_wait_reason(struct harness *harness, const char *state, const char *code, int timeout_ms)
{
    return harness_wait(harness, first_modem_says, &(struct reason_wanted){ state, code }, timeout_ms);
}

/* -- messages ------------------------------------------------------------------------------------------------- */

struct state_wanted { const char *id, *state; };

static bool message_is(struct harness *harness, const void *context)
{
    const struct state_wanted *wanted = context;
    char path[64];
    json_t *message;
    bool is;

    (void)snprintf(path, sizeof path, "/v1/messages/%s", wanted->id);
    message = harness_get(harness, path);
    is = strcmp(json_text_at(message, "state"), wanted->state) == 0;
    json_decref(message);
    return is;
}

bool harness_wait_state(struct harness *harness, const char *id, const char *state, int timeout_ms)
{
    return harness_wait(harness, message_is, &(struct state_wanted){ id, state }, timeout_ms);
}

struct air_wanted { const char *to; unsigned parts; };

static bool was_on_air(struct harness *harness, const void *context)
{
    const struct air_wanted *wanted = context;

    return witness_count(&harness->witness, wanted->to) >= wanted->parts;
}

bool harness_wait_on_air(struct harness *harness, const char *to, unsigned parts, int timeout_ms)
{
    return harness_wait(harness, was_on_air, &(struct air_wanted){ to, parts }, timeout_ms);
}

static bool parts_were_on_air(struct harness *harness, const void *context)
{
    return harness->witness.count >= *(const size_t *)context;
}

bool harness_wait_parts(struct harness *harness, size_t parts, int timeout_ms)
{
    return harness_wait(harness, parts_were_on_air, &parts, timeout_ms);
}

struct inbox_wanted { const char *from, *text; };

static bool inbox_has(struct harness *harness, const void *context)
{
    const struct inbox_wanted *wanted = context;
    json_t *answer = harness_get(harness, "/v1/inbox"), *message;
    bool has = false;
    size_t i;

    json_array_foreach (json_object_get(answer, "messages"), i, message)
        has |= strcmp(json_text_at(message, "from"), wanted->from) == 0 && strcmp(json_text_at(message, "text"), wanted->text) == 0;
    json_decref(answer);
    return has;
}

bool harness_wait_inbox(struct harness *harness, const char *from, const char *text, int timeout_ms)
{
    return harness_wait(harness, inbox_has, &(struct inbox_wanted){ from, text }, timeout_ms);
}

/* -- the database --------------------------------------------------------------------------------------------- */

int64_t harness_database_number(const struct harness *harness, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t number;

    if (sqlite3_open_v2(harness->database, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK || sqlite3_busy_timeout(db, 10000) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        harness_die("%s: %s: %s", harness->database, sql, sqlite3_errmsg(db));
    number = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return number;
}

void harness_database_change(const struct harness *harness, const char *sql)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(harness->database, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        harness_die("%s: %s: %s", harness->database, sql, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}
