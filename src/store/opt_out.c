/* SPDX-License-Identifier: Apache-2.0
 *
 * opt_out.c - the numbers that want no more messages: who comes onto the list, who leaves it, whom it stops. */
#include <errno.h>
#include <string.h>

#include "src/store/schema.h"
#include "src/store/store_internal.h"

bool opt_out_has(struct store *store, const char *to)
{
    return sql_number(&store->sql, "SELECT count(*) FROM opt_out WHERE number = ?1", 0, SQL_ARGS(sql_text(to))) != 0;
}

bool opt_out_refuses(struct store *store, const char *to, int64_t message_id)
{
    return opt_out_has(store, to) &&
           sql_number(&store->sql, "SELECT count(*) FROM message m JOIN batch b ON b.id = m.batch_id WHERE m.id = ?1 AND b.actor = ?2", 0,
                      SQL_ARGS(sql_int(message_id), sql_text(OPT_OUT_ACTOR))) == 0;
}

/* True where the statement before wrote its row; counts it. */
static bool opt_out_count(struct store *store, int by)
{
    struct sql *sql = &store->sql;

    if (sql->failed != 0 || sqlite3_changes(sql->db) == 0)
        return false;
    sql_run(sql, "INSERT INTO counter(kind, id, n) VALUES(?1, 0, ?2) ON CONFLICT(kind, id) DO UPDATE SET n = n + ?2",
            SQL_ARGS(sql_int(COUNTER_OPT_OUTS), sql_int(by)));
    return true;
}

/* False where the number was on the list: it stays with its time and source. */
static bool opt_out_write(struct store *store, const char *number, int64_t at_ms, const char *source, const char *word, uint32_t sim_id,
                          bool confirmed)
{
    sql_run(&store->sql, "INSERT INTO opt_out(number, at_ms, source, word, sim_id, confirmed_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
                         " ON CONFLICT(number) DO NOTHING",
            SQL_ARGS(sql_text(number), sql_int(at_ms), sql_text(source), sql_text(word), sql_int(sim_id), sql_int(confirmed ? at_ms : 0)));
    return opt_out_count(store, 1);
}

static bool opt_out_erase(struct store *store, const char *number)
{
    sql_run(&store->sql, "DELETE FROM opt_out WHERE number = ?1", SQL_ARGS(sql_text(number)));
    return opt_out_count(store, -1);
}

int opt_out_hear(struct store *store, struct change_receive *receive, int64_t now_ms)
{
    struct change_accept *confirmation = receive->confirmation;

    if (receive->consent == CONSENT_START)
        (void)opt_out_erase(store, receive->consent_number);
    else if (opt_out_write(store, receive->consent_number, now_ms, "sms", receive->consent_word, receive->sim_id, confirmation != NULL) &&
             confirmation != NULL)
        return intake_batch(store, confirmation, now_ms);
    return store->sql.failed;
}

int opt_out_add(struct store *store, struct store_change *change)
{
    struct change_opt_out *opt_out = &change->u.opt_out;
    struct sql *sql = &store->sql;
    sqlite3_stmt *row;

    opt_out->changed = opt_out_write(store, opt_out->number, change->now_ms, opt_out->source, "", 0, false);
    row = sql_query(sql, "SELECT at_ms, source, word FROM opt_out WHERE number = ?1", SQL_ARGS(sql_text(opt_out->number)));
    if (sql_next(sql, row)) {
        opt_out->at_ms = sqlite3_column_int64(row, 0);
        sql_copy_text(row, 1, opt_out->source, sizeof opt_out->source);
        sql_copy_text(row, 2, opt_out->word, sizeof opt_out->word);
        sql_end(sql, row);
    }
    return sql->failed;
}

int opt_out_remove(struct store *store, struct store_change *change)
{
    if (!opt_out_erase(store, change->u.opt_out.number))
        return store->sql.failed != 0 ? store->sql.failed : -ENOENT;
    return store->sql.failed;
}
