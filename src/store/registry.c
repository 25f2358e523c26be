/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c - cards, what is left on them, modems and API keys. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/store_internal.h"

#define RECIPIENT_DAYS_KEPT 70           /* two months of any length and a wrong clock */
#define BY_IMSI "imsi:"                  /* in place of an ICCID that could not be read (firmware/common/box.c) */

/* One card is one row, also where noise or a moody modem hid its ICCID this time, or the first time: its IMSI tells. */
static void registry_name_card(struct store *store, const struct change_sim *sim, char *ret_iccid, size_t size)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row;

    (void)snprintf(ret_iccid, size, "%s", sim->iccid);
    if (sim->imsi[0] == '\0')
        return;
    if (strncmp(sim->iccid, BY_IMSI, sizeof BY_IMSI - 1) != 0) {
        sql_run(sql, "UPDATE sim SET iccid = ?1 WHERE iccid = '" BY_IMSI "' || ?2 AND NOT EXISTS (SELECT 1 FROM sim WHERE iccid = ?1)",
                SQL_ARGS(sql_text(sim->iccid), sql_text(sim->imsi)));
        return;
    }
    row = sql_query(sql, "SELECT iccid FROM sim WHERE imsi = ?1 ORDER BY last_seen_ms DESC LIMIT 1", SQL_ARGS(sql_text(sim->imsi)));
    if (sql_next(sql, row)) {
        sql_copy_text(row, 0, ret_iccid, size);
        sql_end(sql, row);
    }
}

/* A card whose use is not known must not send: the whole list is tried again. */
static int registry_no_memory(struct sql *sql)
{
    sql->failed = -ENOMEM;
    return sql->failed;
}

/* What it has used so far, and whom it wrote to. */
static int registry_read_use(struct store *store, struct change_sim *sim, int64_t now_ms)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row = sql_query(sql, "SELECT state FROM sim_use WHERE sim_id = ?1", SQL_ARGS(sql_int(sim->sim_id)));
    int64_t count;

    if (sql_next(sql, row)) {
        const char *state = sql_column_text(row, 0);
        size_t size = strlen(state) + 1;

        sim->use_state = malloc(size);
        if (sim->use_state != NULL)
            memcpy(sim->use_state, state, size);
        sql_end(sql, row);
        if (sim->use_state == NULL)
            return registry_no_memory(sql);
    }
    sql_run(sql, "DELETE FROM sim_recipient WHERE sim_id = ?1 AND day < ?2",
            SQL_ARGS(sql_int(sim->sim_id), sql_int(now_ms / 86400000 - RECIPIENT_DAYS_KEPT)));
    count = sql_number(sql, "SELECT count(*) FROM sim_recipient WHERE sim_id = ?1", 0, SQL_ARGS(sql_int(sim->sim_id)));
    if (count == 0)
        return sql->failed;
    if (count > SIM_RECIPIENTS_MAX)
        count = SIM_RECIPIENTS_MAX;
    sim->recipients = malloc((size_t)count * sizeof *sim->recipients);
    if (sim->recipients == NULL)
        return registry_no_memory(sql);
    row = sql_query(sql, "SELECT recipient, day, month FROM sim_recipient WHERE sim_id = ?1 LIMIT ?2",
                    SQL_ARGS(sql_int(sim->sim_id), sql_int(count)));
    while (sql_next(sql, row))
        sim->recipients[sim->recipient_count++] = (struct sim_recipient){
            .key = (uint64_t)sqlite3_column_int64(row, 0),
            .day = sqlite3_column_int(row, 1),
            .month = sqlite3_column_int(row, 2),
        };
    return sql->failed;
}

void use_write(struct store *store, uint32_t sim_id, const char *use_state)
{
    sql_run(&store->sql, "INSERT INTO sim_use(sim_id, state) VALUES(?1, ?2) ON CONFLICT(sim_id) DO UPDATE SET state = ?2",
            SQL_ARGS(sql_int(sim_id), sql_text(use_state)));
}

int registry_use(struct store *store, struct store_change *change)
{
    if (change->u.use.sim_id == 0 || change->u.use.use_state == NULL)
        return -EINVAL;
    use_write(store, change->u.use.sim_id, change->u.use.use_state);
    return store->sql.failed;
}

static char *copy_of(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

static int forecast_read(struct store *store, struct change_forecast *forecast)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row;

    forecast->rows = calloc(FORECAST_ROWS_MAX, sizeof *forecast->rows);
    if (forecast->rows == NULL)
        return -ENOMEM;
    row = sql_query(sql, "SELECT kind, state FROM forecast LIMIT ?1", SQL_ARGS(sql_int(FORECAST_ROWS_MAX)));
    while (sql_next(sql, row)) {
        struct forecast_row *kept = &forecast->rows[forecast->count++];

        kept->kind = copy_of(sql_column_text(row, 0));
        kept->text = copy_of(sql_column_text(row, 1));
        if (kept->kind == NULL || kept->text == NULL) {
            sql_end(sql, row);
            return -ENOMEM;
        }
    }
    return sql->failed;
}

int registry_forecast(struct store *store, struct store_change *change)
{
    struct change_forecast *forecast = &change->u.forecast;
    struct sql *sql = &store->sql;

    if (forecast->load)
        return forecast_read(store, forecast);
    sql_run(sql, "DELETE FROM forecast", SQL_NO_ARGS);
    for (uint32_t i = 0; i < forecast->count; i++)
        sql_run(sql, "INSERT INTO forecast(kind, state) VALUES(?1, ?2)",
                SQL_ARGS(sql_text(forecast->rows[i].kind), sql_text(forecast->rows[i].text)));
    return sql->failed;
}

/* A modem or card that does not tell its number gets none of ours: 0. */
int registry_sim(struct store *store, struct store_change *change)
{
    struct change_sim *sim = &change->u.sim;
    struct sql *sql = &store->sql;
    char iccid[sizeof sim->iccid];

    sim->sim_id = sim->modem_id = 0;
    if (sim->imei[0] != '\0') {
        sql_run(sql, "INSERT INTO modem(imei, manufacturer, model, revision, first_seen_ms, last_seen_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?5)"
                     " ON CONFLICT(imei) DO UPDATE SET manufacturer = ?2, model = ?3, revision = ?4, last_seen_ms = ?5",
                SQL_ARGS(sql_text(sim->imei), sql_text(sim->manufacturer), sql_text(sim->model), sql_text(sim->revision),
                         sql_int(change->now_ms)));
        sim->modem_id = (uint32_t)sql_number(sql, "SELECT id FROM modem WHERE imei = ?1", 0, SQL_ARGS(sql_text(sim->imei)));
    }
    if (sim->iccid[0] != '\0') {
        registry_name_card(store, sim, iccid, sizeof iccid);
        sql_run(sql, "INSERT INTO sim(iccid, imsi, modem_id, first_seen_ms, last_seen_ms) VALUES(?1, ?2, ?3, ?4, ?4)"
                     " ON CONFLICT(iccid) DO UPDATE SET imsi = CASE ?2 WHEN '' THEN imsi ELSE ?2 END, modem_id = ?3, last_seen_ms = ?4",
                SQL_ARGS(sql_text(iccid), sql_text(sim->imsi), sql_int(sim->modem_id), sql_int(change->now_ms)));
        sim->sim_id = (uint32_t)sql_number(sql, "SELECT id FROM sim WHERE iccid = ?1", 0, SQL_ARGS(sql_text(iccid)));
        (void)snprintf(sim->known_as, sizeof sim->known_as, "%s", iccid);
        if (sql->failed == 0 && sim->sim_id != 0)
            return registry_read_use(store, sim, change->now_ms);
    }
    return sql->failed;
}

/* A card that hides its ICCID is known by its IMSI, or the other way round: both names find it, as registry_name_card() has it. */
int registry_balance(struct store *store, struct store_change *change)
{
    const struct change_balance *balance = &change->u.balance;
    struct sql *sql = &store->sql;
    struct sql_value none = { .kind = SQL_NULL };
    int64_t sim_id = sql_number(sql, "SELECT id FROM sim WHERE iccid = ?1", 0, SQL_ARGS(sql_text(balance->iccid)));

    if (sim_id == 0 && strncmp(balance->iccid, BY_IMSI, sizeof BY_IMSI - 1) == 0)
        sim_id = sql_number(sql, "SELECT id FROM sim WHERE imsi = ?1 ORDER BY last_seen_ms DESC LIMIT 1", 0,
                            SQL_ARGS(sql_text(balance->iccid + sizeof BY_IMSI - 1)));
    if (sim_id == 0)
        return sql->failed != 0 ? sql->failed : -ENOENT;
    sql_run(sql, "INSERT INTO sim_balance(sim_id, at_ms, source, balance_micro, currency, rest_parts, valid_until, answer)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(sim_id) DO UPDATE SET at_ms = ?2, source = ?3,"
                 " balance_micro = coalesce(?4, balance_micro), currency = CASE WHEN ?4 IS NULL THEN currency ELSE ?5 END,"
                 " rest_parts = coalesce(?6, rest_parts), valid_until = coalesce(?7, valid_until), answer = ?8",
            SQL_ARGS(sql_int(sim_id), sql_int(change->now_ms), sql_text(balance->source),
                     balance->has_balance ? sql_int(balance->balance_micro) : none,
                     balance->currency[0] != '\0' ? sql_text(balance->currency) : none,
                     balance->has_parts ? sql_int(balance->rest_parts) : none,
                     balance->valid_until[0] != '\0' ? sql_text(balance->valid_until) : none,
                     sql_text(balance->answer != NULL ? balance->answer : "")));
    return sql->failed;
}

int registry_key_add(struct store *store, struct store_change *change)
{
    struct change_key *key = &change->u.key;
    int64_t patience_s = key->patience_s == MESSAGE_PATIENCE_AS_ROUTED ? -1 : (int64_t)key->patience_s;
    struct sql *sql = &store->sql;
    bool there;

    if (key->name[0] == '\0' || memchr(key->name, '\0', sizeof key->name) == NULL)
        return -EINVAL;
    there = sql_number(sql, "SELECT count(*) FROM api_key WHERE name = ?1 AND hash = ?2 AND scopes = ?3 AND patience_s = ?4", 0,
                       SQL_ARGS(sql_text(key->name), sql_blob(key->hash, sizeof key->hash), sql_int(key->scopes), sql_int(patience_s))) != 0;
    if (there)
        return 0;                        /* this very change, applied before */
    if (sql_number(sql, "SELECT count(*) FROM api_key WHERE name = ?1 OR hash = ?2", 0,
                   SQL_ARGS(sql_text(key->name), sql_blob(key->hash, sizeof key->hash))) != 0)
        return -EEXIST;
    sql_run(sql, "INSERT INTO api_key(name, hash, scopes, patience_s, created_ms) VALUES(?1, ?2, ?3, ?4, ?5)",
            SQL_ARGS(sql_text(key->name), sql_blob(key->hash, sizeof key->hash), sql_int(key->scopes), sql_int(patience_s), sql_int(change->now_ms)));
    return sql->failed;
}

int registry_key_remove(struct store *store, struct store_change *change)
{
    struct sql *sql = &store->sql;

    if (sql_number(sql, "SELECT count(*) FROM api_key WHERE name = ?1", 0, SQL_ARGS(sql_text(change->u.key.name))) == 0)
        return sql->failed != 0 ? sql->failed : -ENOENT;
    sql_run(sql, "DELETE FROM api_key WHERE name = ?1", SQL_ARGS(sql_text(change->u.key.name)));
    return sql->failed;
}
