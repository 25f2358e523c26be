/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_account.c - accounts: what is in them, what goes in and out. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/table.h"
#include "firmware/central/commands.h"

static int run_create(struct command_line *line)
{
    enum account_status status = ACCOUNT_OK;
    int r, exit_status = central_open_db(line);

    if (exit_status != CENTRAL_OK)
        return exit_status;
    r = account_create(&line->ops, line->arguments[0], central_now_ms(), &status);
    exit_status = central_explain(line, r, status, line->arguments[0]);
    if (exit_status == CENTRAL_OK && line->json)
        central_print_json(json_pack("{s:s}", "account", line->arguments[0]));
    else if (exit_status == CENTRAL_OK)
        central_say("The account is there. \"cellpost-central account fund %s CREDITS\" puts credits into it.", line->arguments[0]);
    return exit_status;
}

/* -- showing -------------------------------------------------------------------------------------------------------------------- */

/* What an account is made of, read in one transaction. */
struct sums { int64_t leased_micro, suspense_micro, captured_micro, debt_micro; };
struct look {
    const char *name;                        /* NULL: all */
    struct account_row *rows; size_t count;
    struct sums *sums;
    struct account_box *boxes; size_t box_count;
    int r;
};

static int keep_account(void *context, const struct account_row *row)
{
    struct look *look = context;
    struct account_row *rows;

    if (look->name && strcmp(row->name, look->name) != 0)
        return 0;
    rows = realloc(look->rows, (look->count + 1) * sizeof *rows);
    if (!rows)
        return look->r = -ENOMEM;
    look->rows = rows;
    rows[look->count++] = *row;
    return 0;
}

static int keep_box(void *context, const struct account_box *row)
{
    struct look *look = context;
    struct account_box *boxes = realloc(look->boxes, (look->box_count + 1) * sizeof *boxes);

    if (!boxes)
        return look->r = -ENOMEM;
    look->boxes = boxes;
    boxes[look->box_count++] = *row;
    return 0;
}

static int add_lease(void *context, const struct account_lease *row)
{
    struct sums *sums = context;

    sums->leased_micro += row->rest_micro;
    sums->suspense_micro += row->suspense_micro;
    sums->captured_micro += row->captured_micro;
    sums->debt_micro += row->debt_micro;
    return 0;
}

static int look_work(const struct account_db *db, void *context)
{
    struct look *look = context;
    int r;

    look->count = look->box_count = 0;
    look->r = 0;
    r = db->ops->account_list(db->db, keep_account, look);
    if (r == 0)
        r = db->ops->box_list(db->db, 0, keep_box, look);
    free(look->sums);
    look->sums = calloc(look->count + 1, sizeof *look->sums);
    if (!look->sums)
        return -ENOMEM;
    for (size_t b = 0; r == 0 && b < look->box_count; b++)
        for (size_t i = 0; r == 0 && i < look->count; i++)
            if (look->rows[i].id == look->boxes[b].account)
                r = db->ops->lease_list(db->db, look->boxes[b].id, true, add_lease, &look->sums[i]);
    return look->r < 0 ? look->r : r;
}

static void look_done(struct look *look)
{
    free(look->rows);
    free(look->sums);
    free(look->boxes);
}

static unsigned boxes_of(const struct look *look, int64_t account)
{
    unsigned count = 0;

    for (size_t i = 0; i < look->box_count; i++)
        count += look->boxes[i].account == account;
    return count;
}

static json_t *account_json(const struct look *look, size_t i)
{
    const struct account_row *row = &look->rows[i];
    const struct sums *sums = &look->sums[i];

    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "account", row->name, "created", central_time_json(row->created_ms),
                     "available_micro", (json_int_t)row->available_micro, "leased_micro", (json_int_t)sums->leased_micro, "suspense_micro",
                     (json_int_t)sums->suspense_micro, "captured_micro", (json_int_t)sums->captured_micro, "debt_micro", (json_int_t)sums->debt_micro,
                     "funded_micro", (json_int_t)row->funded_micro, "paid_out_micro", (json_int_t)row->paid_out_micro, "boxes",
                     (int)boxes_of(look, row->id));
}

static int run_list(struct command_line *line)
{
    static const struct table_column columns[] = { { "ACCOUNT", false, true }, { "AVAILABLE", true, false }, { "IN BOXES", true, false },
                                                   { "SUSPENSE", true, false }, { "SPENT", true, false }, { "BOXES", true, false } };
    struct look look = { .name = NULL };
    int r, status = central_open_db(line);

    if (status != CENTRAL_OK)
        return status;
    r = central_read(&line->ops, look_work, &look);
    status = central_explain(line, r, ACCOUNT_OK, "the accounts");
    if (status == CENTRAL_OK && line->json) {
        json_t *list = json_array();

        for (size_t i = 0; i < look.count; i++)
            json_array_append_new(list, account_json(&look, i));
        central_print_json(json_pack("{s:o}", "accounts", list));
    } else if (status == CENTRAL_OK) {
        struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);

        for (size_t i = 0; i < look.count; i++) {
            const int64_t money[] = { look.rows[i].available_micro, look.sums[i].leased_micro, look.sums[i].suspense_micro, look.sums[i].captured_micro };
            char text[MONEY_CHARS];

            table_add(table, look.rows[i].name, TABLE_PLAIN);
            for (size_t m = 0; m < sizeof money / sizeof money[0]; m++) {
                money_format_price(money[m], text);
                table_add(table, text, m == 2 && money[m] > 0 ? TABLE_WARN : TABLE_PLAIN);
            }
            table_addf(table, TABLE_PLAIN, "%u", boxes_of(&look, look.rows[i].id));
        }
        central_print_table(table);
        if (look.count == 0)
            central_say("There is no account yet: \"cellpost-central account create NAME\" makes one.");
    }
    look_done(&look);
    return status;
}

static int run_show(struct command_line *line)
{
    struct look look = { .name = line->arguments[0] };
    int r, status = central_open_db(line);
    char when[40];

    if (status != CENTRAL_OK)
        return status;
    r = central_read(&line->ops, look_work, &look);
    status = central_explain(line, r, look.count == 0 ? ACCOUNT_UNKNOWN : ACCOUNT_OK, line->arguments[0]);
    if (status == CENTRAL_OK && line->json) {
        central_print_json(account_json(&look, 0));
    } else if (status == CENTRAL_OK) {
        central_print_field("account", "%s", look.rows[0].name);
        central_print_field("since", "%s", central_when(line, look.rows[0].created_ms, when));
        central_print_money("available", look.rows[0].available_micro);
        central_print_money("in boxes", look.sums[0].leased_micro);
        central_print_money("suspense", look.sums[0].suspense_micro);
        central_print_money("spent", look.sums[0].captured_micro);
        if (look.sums[0].debt_micro > 0)
            central_print_money("overspent", look.sums[0].debt_micro);
        central_print_money("funded", look.rows[0].funded_micro);
        central_print_money("paid out", look.rows[0].paid_out_micro);
        central_print_field("boxes", "%u", boxes_of(&look, look.rows[0].id));
    }
    look_done(&look);
    return status;
}

/* -- postings ------------------------------------------------------------------------------------------------------------------- */

struct statement { struct command_line *line; json_t *list; struct table *table; const char *name; bool found; };

static int print_posting(void *context, const struct account_posting *row)
{
    struct statement *statement = context;
    char when[40], money[MONEY_CHARS];

    if (statement->list) {
        json_array_append_new(statement->list, json_pack("{s:I, s:o, s:s, s:s, s:s, s:I, s:s, s:s}", "number", (json_int_t)row->number, "time",
                              central_time_json(row->at_ms), "reason", central_reason(row->reason), "from", central_book(row->from), "to",
                              central_book(row->to), "micro", (json_int_t)row->micro, "who", row->who, "note", row->note));
        return 0;
    }
    money_format_price(row->micro, money);
    table_addf(statement->table, TABLE_PLAIN, "%" PRIu64, row->number);
    table_add(statement->table, central_when(statement->line, row->at_ms, when), TABLE_PLAIN);
    table_add(statement->table, central_reason(row->reason), TABLE_PLAIN);
    table_add(statement->table, money, TABLE_PLAIN);
    table_add(statement->table, row->who, TABLE_PLAIN);
    table_add(statement->table, row->note, TABLE_PLAIN);
    return 0;
}

static int statement_work(const struct account_db *db, void *context)
{
    struct statement *statement = context;
    struct account_row row;
    int r = db->ops->account_find(db->db, statement->name, &row);

    statement->found = r == 0;
    return r == -ENOENT ? 0 : r < 0 ? r : db->ops->posting_list(db->db, row.id, NULL, 0, print_posting, statement);
}

static int run_statement(struct command_line *line)
{
    static const struct table_column columns[] = { { "NO", true, false }, { "TIME", false, false }, { "WHAT", false, false },
                                                   { "CREDITS", true, false }, { "WHO", false, false }, { "NOTE", false, true } };
    struct statement statement = { .line = line, .name = line->arguments[0] };
    int r, status = central_open_db(line);

    if (status != CENTRAL_OK)
        return status;
    statement.list = line->json ? json_array() : NULL;
    statement.table = line->json ? NULL : table_new(columns, sizeof columns / sizeof columns[0]);
    r = line->ops.ops->begin(line->ops.db, 0);
    if (r == 0)
        r = statement_work(&line->ops, &statement);
    line->ops.ops->rollback(line->ops.db);
    status = central_explain(line, r, statement.found ? ACCOUNT_OK : ACCOUNT_UNKNOWN, line->arguments[0]);
    if (status == CENTRAL_OK && line->json)
        central_print_json(json_pack("{s:s, s:O}", "account", line->arguments[0], "postings", statement.list));
    else if (status == CENTRAL_OK) {
        central_print_table(statement.table);
        statement.table = NULL;
    }
    json_decref(statement.list);
    if (statement.table)
        table_free(statement.table);
    return status;
}

/* -- in and out ----------------------------------------------------------------------------------------------------------------- */

static int move(struct command_line *line,
                int (*book)(const struct account_db *, const char *, int64_t, const char *, const char *, int64_t, enum account_status *))
{
    enum account_status told = ACCOUNT_OK;
    int64_t micro;
    int r, status = central_read_amount(line, "the amount", line->arguments[1], ACCOUNT_MICRO_MAX, &micro);

    if (status == CENTRAL_OK)
        status = central_open_db(line);
    if (status != CENTRAL_OK)
        return status;
    r = book(&line->ops, line->arguments[0], micro, central_who(), line->note ? line->note : "", central_now_ms(), &told);
    status = central_explain(line, r, told, line->arguments[0]);
    return status == CENTRAL_OK ? run_show(line) : status;
}

static int run_fund(struct command_line *line)
{
    return move(line, account_fund);
}

static int run_payout(struct command_line *line)
{
    return move(line, account_payout);
}

const struct verb verbs_account[] = {
    { "account", "create", "NAME", "a new account, with nothing in it", "", 1, 1, run_create },
    { "account", "fund", "NAME CREDITS", "put credits in", "note", 2, 2, run_fund },
    { "account", "payout", "NAME CREDITS", "take out what is available", "note", 2, 2, run_payout },
    { "account", "show", "NAME", "what is available, in boxes, in suspense, spent", "", 1, 1, run_show },
    { "account", "list", "", "all accounts", "", 0, 0, run_list },
    { "account", "statement", "NAME", "what was put in and taken out, by whom", "", 1, 1, run_statement },
    { NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};
