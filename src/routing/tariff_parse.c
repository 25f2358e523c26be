/* SPDX-License-Identifier: Apache-2.0
 *
 * tariff_parse.c - from the rows of CSV files to a table. Columns are a table themselves: for which kinds of rows they
 * are, and how their value is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/date.h"
#include "src/base/money.h"
#include "src/routing/tariff_internal.h"

enum column {
    COLUMN_PLAN, COLUMN_KIND, COLUMN_CURRENCY, COLUMN_PREFIX, COLUMN_PRICE, COLUMN_NEXT_PART_PRICE, COLUMN_PREFIXES, COLUMN_NAME,
    COLUMN_PARTS, COLUMN_PERIOD, COLUMN_RESET_DAY, COLUMN_TIME_ZONE, COLUMN_VALID_FROM, COLUMN_VALID_UNTIL, COLUMN_NOTE, COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
    [COLUMN_PLAN] = { "plan", true },               [COLUMN_KIND] = { "kind", false },
    [COLUMN_CURRENCY] = { "currency", false },      [COLUMN_PREFIX] = { "prefix", false },
    [COLUMN_PRICE] = { "price", false },            [COLUMN_NEXT_PART_PRICE] = { "next_part_price", false },
    [COLUMN_PREFIXES] = { "prefixes", false },      [COLUMN_NAME] = { "name", false },
    [COLUMN_PARTS] = { "parts", false },            [COLUMN_PERIOD] = { "period", false },
    [COLUMN_RESET_DAY] = { "reset_day", false },    [COLUMN_TIME_ZONE] = { "time_zone", false },
    [COLUMN_VALID_FROM] = { "valid_from", false },  [COLUMN_VALID_UNTIL] = { "valid_until", false },
    [COLUMN_NOTE] = { "note", false },
};
_Static_assert(COLUMN_COUNT <= TABLE_COLUMNS_MAX, "table.h has room for fewer");

static const char *const kind_names[TARIFF_KINDS] = { "price", "bundle", "onnet" };
static const char *const period_names[TARIFF_PERIODS] = { "day", "week", "month" };

struct reader {
    struct table table;
    struct tariff_table *tariffs;
    struct tariff_entry *entries; uint32_t count, size;
    struct tariff_row *row;              /* the one that is being read */
    struct { uint64_t *keys; unsigned count; } found;   /* its prefixes */
};

/* What is written in a column of this row, into the row. False: it was noted what is wrong. */
typedef bool read_fn(struct reader *reader, enum column column, const char *value);

/* -- values --------------------------------------------------------------------------------------------------- */

static bool check_name(struct reader *reader, enum column column, const char *value)
{
    static const char allowed[] = "1 to 63 octets, no blanks around them, no line breaks or tabs";

    if (strlen(value) >= TARIFF_NAME_MAX)
        return table_refuse(&reader->table, column, value, "is too long", allowed);
    if (*value == ' ' || value[strlen(value) - 1] == ' ')
        return table_refuse(&reader->table, column, value, "has blanks around it", allowed);
    if (strpbrk(value, "\t\r\n") != NULL)
        return table_refuse(&reader->table, column, value, "has a line break or tab", allowed);
    return true;
}

static bool read_currency(struct reader *reader, enum column column, const char *value)
{
    if (strlen(value) != 3 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return table_refuse(&reader->table, column, value, "is no currency", "three capital letters of ISO 4217, as EUR");
    return true;                         /* it belongs to the plan: see take_currency() */
}

static bool read_prefix(struct reader *reader, enum column column, const char *digits, size_t length)
{
    char text[CSV_RECORD_OCTETS_MAX + 1];

    /* The row's own text is no longer than a record, and so are its prefixes fewer. */
    if (prefix_key(digits, length, &reader->found.keys[reader->found.count]) == 0) {
        reader->found.count++;
        return true;
    }
    memcpy(text, digits, length);
    text[length] = '\0';
    return table_refuse(&reader->table, column, text, "is no prefix", "1 to 15 digits of an international number without '+', or * for every number");
}

static bool read_default_or_prefix(struct reader *reader, enum column column, const char *value)
{
    return read_prefix(reader, column, value, strcmp(value, "*") == 0 ? 0 : strlen(value));
}

static bool read_prefixes(struct reader *reader, enum column column, const char *value)
{
    bool good = true;

    if (strcmp(value, "*") == 0)
        return read_prefix(reader, column, value, 0);
    for (;; value++) {
        size_t length = strcspn(value, "|");

        if (length == 0) {
            table_note(&reader->table, column, "a prefix between two '|' is empty (allowed: prefixes as 33|336, or * for every number)");
            good = false;
        } else {
            good = read_prefix(reader, column, value, length) && good;
        }
        value += length;
        if (*value == '\0')
            return good;
    }
}

static bool read_money(struct reader *reader, enum column column, const char *value, int64_t *ret_micro)
{
    const char *wrong;

    if (money_parse(value, TARIFF_PRICE_MICRO_MAX, ret_micro, &wrong) < 0)
        return table_refuse(&reader->table, column, value, wrong, "0 to 1000000000, with at most 6 decimals behind a point");
    return true;
}

static bool read_price(struct reader *reader, enum column column, const char *value)
{
    return read_money(reader, column, value, &reader->row->price_micro);
}

static bool read_next_part_price(struct reader *reader, enum column column, const char *value)
{
    return read_money(reader, column, value, &reader->row->next_part_price_micro);
}

static bool read_count(struct reader *reader, enum column column, const char *value, uint32_t max, const char *allowed, uint32_t *ret_count)
{
    uint64_t count = 0;
    const char *at = value;

    for (; *at >= '0' && *at <= '9' && count <= max; at++)
        count = count * 10 + (uint64_t)(*at - '0');
    if (*at != '\0' && !(*at >= '0' && *at <= '9'))
        return table_refuse(&reader->table, column, value, "is no whole number", allowed);
    if (count < 1 || count > max)
        return table_refuse(&reader->table, column, value, "is out of range", allowed);
    *ret_count = (uint32_t)count;
    return true;
}

static bool read_parts(struct reader *reader, enum column column, const char *value)
{
    return read_count(reader, column, value, TARIFF_BUNDLE_PARTS_MAX, "1 to 1000000000", &reader->row->bundle.parts);
}

static bool read_period(struct reader *reader, enum column column, const char *value)
{
    int period = table_word(period_names, TARIFF_PERIODS, value);

    if (period == TARIFF_PERIODS)
        return table_refuse(&reader->table, column, value, "is no period", "day, week or month");
    reader->row->bundle.period = (enum tariff_period)period;
    return true;
}

static bool read_reset_day(struct reader *reader, enum column column, const char *value)
{
    uint32_t day = 0;

    if (!read_count(reader, column, value, 31, "1 to 7 for a week, where 1 is Monday; 1 to 31 for a month", &day))
        return false;
    reader->row->bundle.reset_day = (uint8_t)day;
    return true;
}

static bool is_offset(const char *value)
{
    static const char form[] = "+00:00";

    if (strlen(value) != 6 || (*value != '+' && *value != '-'))
        return false;
    for (unsigned i = 1; i < 6; i++)
        if (form[i] == '0' ? value[i] < '0' || value[i] > '9' : value[i] != form[i])
            return false;
    /* ISO 8601 writes no more than 23:59; the earth has -12:00 to +14:00. */
    return (value[1] - '0') * 10 + value[2] - '0' <= 14 && value[4] < '6';
}

/* Names of the IANA time zone database, by their form: parts of letters, digits, '_', '+' and '-', between '/'. */
static bool is_zone_name(const char *value)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", others[] = "0123456789_+-";

    for (;;) {
        if (*value == '\0' || !strchr(letters, *value))
            return false;
        while (*value != '\0' && (strchr(letters, *value) || strchr(others, *value)))
            value++;
        if (*value == '\0')
            return true;
        if (*value++ != '/')
            return false;
    }
}

static bool read_time_zone(struct reader *reader, enum column column, const char *value)
{
    if (strlen(value) >= TARIFF_NAME_MAX || (!is_offset(value) && !is_zone_name(value)))
        return table_refuse(&reader->table, column, value, "is no time zone", "UTC, an offset as +02:00, or a name as Europe/Paris");
    return true;                         /* its text is kept later */
}

static bool read_date(struct reader *reader, enum column column, const char *value, int32_t *ret_day)
{
    if (date_parse(value, ret_day) < 0)
        return table_refuse(&reader->table, column, value, "is no day", "YYYY-MM-DD");
    return true;
}

static bool read_valid_from(struct reader *reader, enum column column, const char *value)
{
    return read_date(reader, column, value, &reader->row->valid_from_day);
}

static bool read_valid_until(struct reader *reader, enum column column, const char *value)
{
    return read_date(reader, column, value, &reader->row->valid_until_day);
}

static bool read_note(struct reader *reader, enum column column, const char *value)
{
    return strlen(value) < TARIFF_NOTE_MAX || table_refuse(&reader->table, column, value, "is too long", "up to 255 octets");
}

/* -- rows ----------------------------------------------------------------------------------------------------- */

#define FOR(kind) (1u << (kind))
#define ALL (FOR(TARIFF_PRICE) | FOR(TARIFF_BUNDLE) | FOR(TARIFF_ONNET))
#define LISTS (FOR(TARIFF_BUNDLE) | FOR(TARIFF_ONNET))

/* used: kinds of rows that may have a value here; needed: those that must. */
static const struct { unsigned used, needed; read_fn *read; } values[COLUMN_COUNT] = {
    [COLUMN_PLAN] = { ALL, ALL, check_name },
    [COLUMN_KIND] = { ALL, 0, NULL },    /* read before the others */
    [COLUMN_CURRENCY] = { ALL, FOR(TARIFF_PRICE), read_currency },
    [COLUMN_PREFIX] = { FOR(TARIFF_PRICE), 0, read_default_or_prefix },
    [COLUMN_PRICE] = { FOR(TARIFF_PRICE), FOR(TARIFF_PRICE), read_price },
    [COLUMN_NEXT_PART_PRICE] = { FOR(TARIFF_PRICE), 0, read_next_part_price },
    [COLUMN_PREFIXES] = { LISTS, LISTS, read_prefixes },
    [COLUMN_NAME] = { FOR(TARIFF_BUNDLE), FOR(TARIFF_BUNDLE), check_name },
    [COLUMN_PARTS] = { FOR(TARIFF_BUNDLE), FOR(TARIFF_BUNDLE), read_parts },
    [COLUMN_PERIOD] = { FOR(TARIFF_BUNDLE), FOR(TARIFF_BUNDLE), read_period },
    [COLUMN_RESET_DAY] = { FOR(TARIFF_BUNDLE), 0, read_reset_day },
    [COLUMN_TIME_ZONE] = { FOR(TARIFF_BUNDLE), 0, read_time_zone },
    [COLUMN_VALID_FROM] = { ALL, 0, read_valid_from },
    [COLUMN_VALID_UNTIL] = { ALL, 0, read_valid_until },
    [COLUMN_NOTE] = { ALL, 0, read_note },
};

static bool read_values(struct reader *reader)
{
    unsigned kind = FOR(reader->row->kind);
    const char *name = kind_names[reader->row->kind];
    bool good = true;

    for (unsigned column = 0; column < COLUMN_COUNT; column++) {
        const char *value = table_value(&reader->table, column);
        char text[TABLE_SHOWN_CHARS];

        if (*value == '\0' && (values[column].needed & kind) != 0)
            table_note(&reader->table, column, "is missing (a row of kind %s needs it)", name);
        else if (*value != '\0' && (values[column].used & kind) == 0)
            table_note(&reader->table, column, "'%s' has no place here (allowed: nothing in a row of kind %s)", table_shown(value, text), name);
        else if (*value == '\0' || !values[column].read || values[column].read(reader, (enum column)column, value))
            continue;
        good = false;
    }
    return good;
}

/* What values of one row have to do with each other, and what stands for those that are not there. */
static bool check_row(struct reader *reader)
{
    struct tariff_row *row = reader->row;
    bool good = true;

    if (row->valid_until_day < row->valid_from_day)
        good = table_refuse(&reader->table, COLUMN_VALID_UNTIL, table_value(&reader->table, COLUMN_VALID_UNTIL), "is before valid_from",
                      "that day or a later one");
    if (row->kind == TARIFF_PRICE && *table_value(&reader->table, COLUMN_NEXT_PART_PRICE) == '\0')
        row->next_part_price_micro = row->price_micro;
    if (row->kind == TARIFF_PRICE && *table_value(&reader->table, COLUMN_PREFIX) == '\0')
        reader->found.keys[reader->found.count++] = 0;
    if (row->kind == TARIFF_BUNDLE) {
        const char *day = table_value(&reader->table, COLUMN_RESET_DAY);

        if (row->bundle.period == TARIFF_DAILY && *day != '\0')
            good = table_refuse(&reader->table, COLUMN_RESET_DAY, day, "has no place here", "nothing, where the period is a day");
        else if (row->bundle.period == TARIFF_WEEKLY && row->bundle.reset_day > 7)
            good = table_refuse(&reader->table, COLUMN_RESET_DAY, day, "is no day of a week", "1 to 7, where 1 is Monday");
        else if (row->bundle.period != TARIFF_DAILY && *day == '\0')
            row->bundle.reset_day = 1;
    }
    return good;
}

/* A plan has one currency, so that its prices can be added up. */
static bool take_currency(struct reader *reader)
{
    struct tariff_plan *plan = &reader->tariffs->plans[reader->row->plan];
    const char *value = table_value(&reader->table, COLUMN_CURRENCY);

    if (*value == '\0')
        return true;
    if (*plan->currency == '\0') {
        memcpy(plan->currency, value, 4);
        plan->currency_row = reader->tariffs->row_count - 1;
    } else if (strcmp(plan->currency, value) != 0) {
        const struct tariff_row *first = &reader->tariffs->rows[plan->currency_row];
        char name[TABLE_SHOWN_CHARS];

        table_note(&reader->table, COLUMN_CURRENCY, "'%s' is not that of plan '%s' (allowed: %s, as %.128s:%lu has it)", value,
                   table_shown(plan->name, name), plan->currency, reader->tariffs->files[first->file], (unsigned long)first->line);
        return false;
    }
    return true;
}

static int add_entries(struct reader *reader)
{
    const struct tariff_row *row = reader->row;

    for (unsigned i = 0; i < reader->found.count; i++) {
        if (reader->count == reader->size) {
            uint32_t size = reader->size > 0 ? reader->size * 2 : 64;
            struct tariff_entry *entries = realloc(reader->entries, size * sizeof *entries);

            if (!entries)
                return -ENOMEM;
            reader->entries = entries;
            reader->size = size;
        }
        reader->entries[reader->count++] = (struct tariff_entry){
            .key = reader->found.keys[i], .from_day = row->valid_from_day, .row = reader->tariffs->row_count - 1, .plan = (uint16_t)row->plan,
            .of_bundle = row->kind == TARIFF_BUNDLE, .free_first = row->kind == TARIFF_PRICE,
        };
    }
    return 0;
}

static int keep_texts(struct reader *reader)
{
    struct tariff_row *row = reader->row;
    const char *prefix = table_value(&reader->table, row->kind == TARIFF_PRICE ? COLUMN_PREFIX : COLUMN_PREFIXES);
    const char *zone = table_value(&reader->table, COLUMN_TIME_ZONE), *note = table_value(&reader->table, COLUMN_NOTE);

    row->prefixes = *prefix == '\0' || strcmp(prefix, "*") == 0 ? "*" : texts_keep(&reader->tariffs->texts, prefix);
    row->note = *note == '\0' ? "" : texts_keep(&reader->tariffs->texts, note);
    if (!row->prefixes || !row->note)
        return -ENOMEM;
    if (row->kind == TARIFF_BUNDLE) {
        row->bundle.name = texts_keep(&reader->tariffs->texts, table_value(&reader->table, COLUMN_NAME));
        row->bundle.time_zone = *zone == '\0' ? "UTC" : texts_keep(&reader->tariffs->texts, zone);
        if (!row->bundle.name || !row->bundle.time_zone)
            return -ENOMEM;
    }
    return 0;
}

/* -ENOSPC: a bound is reached, and noted. */
static int read_row(struct reader *reader, uint16_t file)
{
    struct tariff_table *tariffs = reader->tariffs;
    const char *kind_name = table_value(&reader->table, COLUMN_KIND);
    int kind = *kind_name == '\0' ? TARIFF_PRICE : table_word(kind_names, TARIFF_KINDS, kind_name), plan;

    if (kind == TARIFF_KINDS) {
        (void)table_refuse(&reader->table, COLUMN_KIND, kind_name, "is no kind of row", "price, bundle or onnet; nothing is a price");
        return 0;
    }
    if (tariffs->row_count == TARIFF_ROWS_MAX) {
        table_note_at(reader->table.notes, reader->table.file->name, reader->table.row.line, NULL, "is one row too many (allowed: 1000000 in all files)");
        return -ENOSPC;
    }
    reader->row = tariff_table_row(tariffs);
    if (!reader->row)
        return -ENOMEM;
    reader->row->kind = (enum tariff_kind)kind;
    reader->row->line = reader->table.row.line;
    reader->row->file = file;
    reader->row->valid_from_day = TARIFF_DAY_FIRST;
    reader->row->valid_until_day = TARIFF_DAY_LAST;
    reader->found.count = 0;
    if (!read_values(reader) || !check_row(reader)) {
        tariffs->row_count--;
        return 0;
    }
    if (reader->found.count > TARIFF_PREFIXES_MAX - reader->count) {
        table_note_at(reader->table.notes, reader->table.file->name, reader->table.row.line, NULL,
                      "has one prefix too many (allowed: 1000000 in all files)");
        return -ENOSPC;
    }
    plan = tariff_table_plan(tariffs, table_value(&reader->table, COLUMN_PLAN));
    if (plan == -ENOSPC)
        table_note(&reader->table, COLUMN_PLAN, "is one plan too many (allowed: 4096 in all files)");
    if (plan < 0)
        return plan;
    reader->row->plan = (uint32_t)plan;
    if (!take_currency(reader)) {
        tariffs->row_count--;
        return 0;
    }
    return keep_texts(reader) < 0 || add_entries(reader) < 0 ? -ENOMEM : 0;
}

int tariff_parse(const struct table_file *files, size_t count, struct tariff_table **ret_table, struct table_notes *notes)
{
    struct reader *reader = calloc(1, sizeof *reader);
    int r = 0;

    notes->count = notes->more = 0;
    if (!reader)
        return -ENOMEM;
    if (count > TARIFF_FILES_MAX) {
        table_note_at(notes, files[TARIFF_FILES_MAX].name, 0, NULL, "is one file too many (allowed: 1024)");
        r = -EINVAL;
        goto out;
    }
    reader->tariffs = tariff_table_new(files, count);
    /* A prefix takes an octet of its record at least, and another stands between two. */
    reader->found.keys = malloc((CSV_RECORD_OCTETS_MAX / 2 + 1) * sizeof *reader->found.keys);
    if (!reader->tariffs || !reader->found.keys) {
        r = -ENOMEM;
        goto out;
    }
    for (size_t file = 0; file < count && r == 0; file++) {
        if (table_open(&reader->table, &files[file], columns, COLUMN_COUNT, notes) < 0)
            continue;
        while (r == 0 && table_next(&reader->table))
            r = read_row(reader, (uint16_t)file);
    }
    if (r == 0 || r == -ENOSPC)
        r = tariff_index_build(reader->tariffs, reader->entries, reader->count, notes);
    if (r == 0 && notes->count > 0)
        r = -EINVAL;
    if (r == 0) {
        *ret_table = reader->tariffs;
        reader->tariffs = NULL;
    }
out:
    tariff_free(reader->tariffs);
    free(reader->found.keys);
    free(reader->entries);
    free(reader);
    return r;
}
