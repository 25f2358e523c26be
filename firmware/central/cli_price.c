/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_price.c - price tables: each a version that never changes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/central/commands.h"
#include "firmware/common/file_read.h"
#include "src/credit/price.h"

#define CSV_OCTETS_MAX (900u * 1024)         /* it travels in one answer (wire.h) */

struct newest { struct account_price price; char *csv; uint32_t version; bool found; };

static int newest_work(const struct account_db *db, void *context)
{
    struct newest *newest = context;
    int r = db->ops->price_get(db->db, newest->version, &newest->price);

    free(newest->csv);
    newest->csv = NULL;
    newest->found = r == 0;
    if (r == 0) {
        newest->csv = malloc(newest->price.csv_length + 1);
        if (!newest->csv)
            return -ENOMEM;
        memcpy(newest->csv, newest->price.csv, newest->price.csv_length);
        newest->csv[newest->price.csv_length] = '\0';
    }
    return r == -ENOENT ? 0 : r;
}

static int read_version(const struct command_line *line, const char *text, uint32_t *ret_version)
{
    uint64_t number;
    int status = central_read_number(line, "the version", text, 1, UINT32_MAX, &number);

    if (status == CENTRAL_OK)
        *ret_version = (uint32_t)number;
    return status;
}

/* -- import --------------------------------------------------------------------------------------------------------------------- */

static void say_notes(const struct table_notes *notes)
{
    for (unsigned i = 0; i < notes->count; i++)
        central_say("%s", notes->text[i]);
    if (notes->more > 0)
        central_say("and %u more", notes->more);
}

static int book_table(struct command_line *line, const struct price_table *table, const char *csv, size_t length)
{
    size_t count = price_table_rows(table);
    struct account_price_row *rows = calloc(count + 1, sizeof *rows);
    struct account_price_ask ask = { .rows = rows };
    struct account_hands hands = central_hands(line);
    enum account_status told = ACCOUNT_OK;
    int r = rows ? 0 : -ENOMEM, status;

    ask.price = (struct account_price){ .version = price_table_version(table), .csv = csv, .csv_length = length, .rows = (uint32_t)count,
                                        .at_ms = central_now_ms() };
    memcpy(ask.price.sha256, price_table_sha256(table), SHA256_OCTETS);
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        struct price_row row = price_table_row(table, i);

        rows[i] = (struct account_price_row){ ask.price.version, i, row.part_micro[PRICE_GSM7], row.part_micro[PRICE_UCS2] };
    }
    if (r == 0)
        r = account_price_import(&line->ops, &hands, &ask, ask.price.at_ms, &told);
    free(rows);
    if (r == 0 && told == ACCOUNT_ALREADY) {
        central_say("Version %u is this table already; boxes that had not been told of it are told.", ask.price.version);
        told = ACCOUNT_OK;
    }
    status = central_explain(line, r, told, line->arguments[0]);
    if (status == CENTRAL_OK && line->json)
        central_print_json(json_pack("{s:I, s:I}", "version", (json_int_t)ask.price.version, "rows", (json_int_t)count));
    else if (status == CENTRAL_OK)
        central_say("Version %u with %zu prefixes is in force for new leases; boxes are told.", ask.price.version, count);
    return status;
}

static int import_text(struct command_line *line, const char *csv, size_t length)
{
    struct newest newest = { .version = 0 };
    struct table_file file = { line->arguments[0], csv, length };
    struct table_notes *notes = calloc(1, sizeof *notes);
    struct price_table *table = NULL;
    uint32_t version;
    int r = notes ? central_read(&line->ops, newest_work, &newest) : -ENOMEM, status = central_explain(line, r, ACCOUNT_OK, "the price table");

    version = newest.found ? newest.price.version + 1 : 1;
    /* The same file once more is not a new version: an import that was cut off is done again by the same command. */
    if (newest.found && !line->version && newest.price.csv_length == length && memcmp(newest.csv, csv, length) == 0)
        version = newest.price.version;
    if (status == CENTRAL_OK && line->version)
        status = read_version(line, line->version, &version);
    if (status == CENTRAL_OK && (r = price_table_parse(version, &file, &table, notes)) < 0) {
        central_say("cellpost-central: %s is no price table:", line->arguments[0]);
        say_notes(notes);
        status = r == -EINVAL ? CENTRAL_REFUSED : CENTRAL_BROKEN;
    }
    if (status == CENTRAL_OK)
        status = book_table(line, table, csv, length);
    price_table_free(table);
    free(newest.csv);
    free(notes);
    return status;
}

static int run_import(struct command_line *line)
{
    char *csv = NULL;
    size_t length;
    int r = file_read(line->arguments[0], CSV_OCTETS_MAX, &csv, &length), status;

    if (r < 0) {
        central_say("cellpost-central: %s cannot be read: %s", line->arguments[0], strerror(-r));
        return CENTRAL_USAGE;
    }
    status = central_open_ca(line);
    if (status == CENTRAL_OK)
        status = import_text(line, csv, length);
    free(csv);
    return status;
}

/* -- showing -------------------------------------------------------------------------------------------------------------------- */

static void print_price(const struct command_line *line, const struct newest *newest)
{
    char sha256[2 * SHA256_OCTETS + 1], when[40];

    central_hex(newest->price.sha256, SHA256_OCTETS, sha256);
    if (line->csv) {
        (void)fwrite(newest->csv, 1, newest->price.csv_length, stdout);
    } else if (line->json) {
        central_print_json(json_pack("{s:I, s:I, s:s, s:o}", "version", (json_int_t)newest->price.version, "rows", (json_int_t)newest->price.rows,
                                     "sha256", sha256, "time", central_time_json(newest->price.at_ms)));
    } else {
        central_print_field("version", "%u", newest->price.version);
        central_print_field("prefixes", "%u", newest->price.rows);
        central_print_field("since", "%s", central_when(line, newest->price.at_ms, when));
        central_print_field("sha256", "%s", sha256);
    }
}

static int run_show(struct command_line *line)
{
    struct newest newest = { .version = 0 };
    int r, status = line->count > 0 ? read_version(line, line->arguments[0], &newest.version) : CENTRAL_OK;

    if (status == CENTRAL_OK)
        status = central_open_db(line);
    if (status != CENTRAL_OK)
        return status;
    r = central_read(&line->ops, newest_work, &newest);
    status = central_explain(line, r, ACCOUNT_OK, "the price table");
    if (status == CENTRAL_OK && newest.found) {
        print_price(line, &newest);
    } else if (status == CENTRAL_OK) {
        central_say("cellpost-central: there is no %s. \"cellpost-central price import FILE\" brings one in; without a table boxes get no credits.",
                    newest.version != 0 ? "such version" : "price table yet");
        status = CENTRAL_REFUSED;
    }
    free(newest.csv);
    return status;
}

const struct verb verbs_price[] = {
    { "price", "import", "FILE", "a new price table (CSV: prefix,price,price_ucs2)", "number", 1, 1, run_import },
    { "price", "show", "[VERSION]", "the table in force, or an older one", "csv", 0, 1, run_show },
    { NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};
