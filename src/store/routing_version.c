/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_version.c - the files of tariffs and routes that were in force, each version once. */
#include <errno.h>

#include "src/store/store_internal.h"

/* The texts of older versions make room; their names and hashes stay. */
static void routing_prune(struct sql *sql)
{
    sql_run(sql,
            "UPDATE routing_version SET files = (SELECT json_group_array(json_remove(value, '$.text')) FROM json_each(files)) WHERE id IN"
            " (SELECT id FROM (SELECT id, sum(length(files)) OVER (ORDER BY id DESC) AS kept FROM routing_version) WHERE kept > ?1)",
            SQL_ARGS(sql_int(ROUTING_TEXTS_MAX)));
}

int routing_keep(struct store *store, struct store_change *change)
{
    struct change_routing *routing = &change->u.routing;
    struct sql *sql = &store->sql;

    if (routing->files == NULL)
        return -EINVAL;
    routing->version = sql_number(sql, "SELECT id FROM routing_version WHERE sha256 = ?1", 0,
                                  SQL_ARGS(sql_blob(routing->sha256, sizeof routing->sha256)));
    if (sql->failed != 0 || routing->version != 0)
        return sql->failed;
    sql_run(sql, "INSERT INTO routing_version(sha256, loaded_ms, files) VALUES(?1, ?2, ?3)",
            SQL_ARGS(sql_blob(routing->sha256, sizeof routing->sha256), sql_int(change->now_ms), sql_text(routing->files)));
    if (sql->failed == 0)
        routing->version = sqlite3_last_insert_rowid(sql->db);
    routing_prune(sql);
    return sql->failed;
}
