/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_alarm.c - what boxes did that they should not: told as it was noted, and what to do about it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/table.h"
#include "firmware/central/commands.h"

/* docs/central.md says more of each. */
static const struct { enum account_alarm kind; const char *means; } meanings[] = {
    { ALARM_FORK, "two copies of this box told different things: find them, then \"cellpost-central box reincarnate BOX\"" },
    { ALARM_DEBT, "it spent more than it was lent: look at the box before it gets more, \"cellpost-central box freeze BOX\"" },
    { ALARM_REST_DIFFERS, "it counts another rest than its own entries prove: the entries were booked" },
    { ALARM_PRICE_DIFFERS, "it charged another price than that of its lease: it was booked, \"cellpost-central box refund BOX ENTRY\"" },
    { ALARM_BAD_VOID, "it took back a charge that it never made: nothing was moved" },
};

/* Rows are kept: a transaction that is tried again would print them twice. */
struct alarms { const uint8_t *box; struct account_alarm_row *rows; size_t count, room; };

static int keep_alarm(void *context, const struct account_alarm_row *row)
{
    struct alarms *alarms = context;

    if (alarms->count == alarms->room) {
        alarms->room = alarms->room ? 2 * alarms->room : 64;
        alarms->rows = memory_resize(alarms->rows, alarms->room, sizeof *alarms->rows);
    }
    alarms->rows[alarms->count++] = *row;
    return 0;
}

static int alarms_work(const struct account_db *db, void *context)
{
    struct alarms *alarms = context;

    alarms->count = 0;
    return db->ops->alarm_list(db->db, alarms->box, keep_alarm, alarms);
}

static json_t *alarm_json(const struct account_alarm_row *row)
{
    char id[2 * LEASE_BOX_ID_OCTETS + 1];

    central_hex(row->box, sizeof row->box, id);
    return json_pack("{s:s, s:I, s:o, s:s, s:I, s:I, s:I}", "box", id, "number", (json_int_t)row->number, "time", central_time_json(row->at_ms), "kind",
                     central_alarm(row->kind), "lease", (json_int_t)row->lease, "entry", (json_int_t)row->entry, "micro", (json_int_t)row->micro);
}

/* 0: it is of none. */
static void add_number(struct table *table, uint64_t number)
{
    if (number > 0)
        table_addf(table, TABLE_PLAIN, "%" PRIu64, number);
    else
        table_add(table, "", TABLE_PLAIN);
}

static void print_alarms(const struct command_line *line, const struct alarms *alarms)
{
    static const struct table_column columns[] = { { "BOX", false, false }, { "NO", true, false }, { "TIME", false, false }, { "ALARM", false, false },
                                                   { "LEASE", true, false }, { "ENTRY", true, false }, { "CREDITS", true, false } };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    char id[2 * LEASE_BOX_ID_OCTETS + 1], when[40], money[MONEY_CHARS];

    for (size_t i = 0; i < alarms->count; i++) {
        const struct account_alarm_row *row = &alarms->rows[i];

        central_hex(row->box, sizeof row->box, id);
        money_format_price(row->micro, money);
        table_add(table, id, TABLE_PLAIN);
        table_addf(table, TABLE_PLAIN, "%" PRIu64, row->number);
        table_add(table, central_when(line, row->at_ms, when), TABLE_PLAIN);
        table_add(table, central_alarm(row->kind), TABLE_BAD);
        add_number(table, row->lease);
        add_number(table, row->entry);
        table_add(table, row->micro != 0 ? money : "", TABLE_PLAIN);
    }
    central_print_table(table);
}

/* Each kind that was seen once. */
static void say_meanings(const struct alarms *alarms)
{
    for (size_t m = 0; m < sizeof meanings / sizeof meanings[0]; m++)
        for (size_t i = 0; i < alarms->count; i++)
            if (alarms->rows[i].kind == meanings[m].kind) {
                central_say("%s: %s.", central_alarm(meanings[m].kind), meanings[m].means);
                break;
            }
}

int central_box_alarms(struct command_line *line)
{
    struct alarms alarms = { .box = NULL };
    struct account_box box;
    int status = line->count > 0 ? central_find_box(line, line->arguments[0], &box) : central_open_db(line);

    if (status != CENTRAL_OK)
        return status;
    if (line->count > 0)
        alarms.box = box.id;
    status = central_explain(line, central_read(&line->ops, alarms_work, &alarms), ACCOUNT_OK, "the alarms");
    if (status == CENTRAL_OK && line->json) {
        json_t *list = json_array();

        for (size_t i = 0; i < alarms.count; i++)
            json_array_append_new(list, alarm_json(&alarms.rows[i]));
        central_print_json(json_pack("{s:o}", "alarms", list));
    } else if (status == CENTRAL_OK && alarms.count == 0) {
        central_say("There was no alarm.");
    } else if (status == CENTRAL_OK) {
        print_alarms(line, &alarms);
        say_meanings(&alarms);
    }
    free(alarms.rows);
    return status;
}
