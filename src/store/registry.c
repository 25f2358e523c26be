/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c - cards, modems and API keys. */
#include <errno.h>
#include <string.h>

#include "src/store/store_internal.h"

/* A modem or card that does not tell its number gets none of ours: 0. */
int registry_sim(struct store *store, struct store_change *change)
{
    struct change_sim *sim = &change->u.sim;
    struct sql *sql = &store->sql;

    sim->sim_id = sim->modem_id = 0;
    if (sim->imei[0] != '\0') {
        sql_run(sql, "INSERT INTO modem(imei, manufacturer, model, revision, first_seen_ms, last_seen_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?5)"
                     " ON CONFLICT(imei) DO UPDATE SET manufacturer = ?2, model = ?3, revision = ?4, last_seen_ms = ?5",
                SQL_ARGS(sql_text(sim->imei), sql_text(sim->manufacturer), sql_text(sim->model), sql_text(sim->revision),
                         sql_int(change->now_ms)));
        sim->modem_id = (uint32_t)sql_number(sql, "SELECT id FROM modem WHERE imei = ?1", 0, SQL_ARGS(sql_text(sim->imei)));
    }
    if (sim->iccid[0] != '\0') {
        sql_run(sql, "INSERT INTO sim(iccid, imsi, modem_id, first_seen_ms, last_seen_ms) VALUES(?1, ?2, ?3, ?4, ?4)"
                     " ON CONFLICT(iccid) DO UPDATE SET imsi = CASE ?2 WHEN '' THEN imsi ELSE ?2 END, modem_id = ?3, last_seen_ms = ?4",
                SQL_ARGS(sql_text(sim->iccid), sql_text(sim->imsi), sql_int(sim->modem_id), sql_int(change->now_ms)));
        sim->sim_id = (uint32_t)sql_number(sql, "SELECT id FROM sim WHERE iccid = ?1", 0, SQL_ARGS(sql_text(sim->iccid)));
    }
    return sql->failed;
}

int registry_key_add(struct store *store, struct store_change *change)
{
    struct change_key *key = &change->u.key;
    struct sql *sql = &store->sql;
    bool there;

    if (key->name[0] == '\0' || memchr(key->name, '\0', sizeof key->name) == NULL)
        return -EINVAL;
    there = sql_number(sql, "SELECT count(*) FROM api_key WHERE name = ?1 AND hash = ?2 AND scopes = ?3", 0,
                       SQL_ARGS(sql_text(key->name), sql_blob(key->hash, sizeof key->hash), sql_int(key->scopes))) != 0;
    if (there)
        return 0;                        /* this very change, applied before */
    if (sql_number(sql, "SELECT count(*) FROM api_key WHERE name = ?1 OR hash = ?2", 0,
                   SQL_ARGS(sql_text(key->name), sql_blob(key->hash, sizeof key->hash))) != 0)
        return -EEXIST;
    sql_run(sql, "INSERT INTO api_key(name, hash, scopes, created_ms) VALUES(?1, ?2, ?3, ?4)",
            SQL_ARGS(sql_text(key->name), sql_blob(key->hash, sizeof key->hash), sql_int(key->scopes), sql_int(change->now_ms)));
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
