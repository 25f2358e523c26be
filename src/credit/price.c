/* SPDX-License-Identifier: Apache-2.0 */
#include "src/credit/price.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/money.h"

#define REFUSED 0                            /* no price is 0 */
#define PRICE_MAGIC UINT64_C(0x43505054)     /* "CPPT" */
#define PRICE_FORMAT 1
#define HEAD_OCTETS (4 + 2 + 4 + 4)
#define ROW_OCTETS (8 + 8 * PRICE_ENCODINGS)

enum column { COLUMN_PREFIX, COLUMN_PRICE, COLUMN_PRICE_UCS2, COLUMN_COUNT };
static const struct table_column columns[COLUMN_COUNT] = { { "prefix", true }, { "price", true }, { "price_ucs2", false } };

struct row { uint64_t prefix; int64_t micro[PRICE_ENCODINGS]; uint32_t line; };

/* Rows in ascending order of their prefixes. */
struct price_table {
    uint32_t version, count;
    struct row *rows;
    struct prefix_set *set;
    uint8_t sha256[SHA256_OCTETS];
};

static bool read_prefix(struct table *table, const char *value, uint64_t *ret_key)
{
    static const char allowed[] = "1 to 15 digits of an international number without '+', or * for every number";
    bool every = strcmp(value, "*") == 0;

    if (*value == '\0') {
        table_note(table, COLUMN_PREFIX, "is missing (allowed: %s)", allowed);
        return false;
    }
    if (prefix_key(value, every ? 0 : strlen(value), ret_key) < 0)
        return table_refuse(table, COLUMN_PREFIX, value, "is no prefix", allowed);
    return true;
}

static bool read_price(struct table *table, enum column column, int64_t *ret_micro)
{
    static const char allowed[] = "0.000001 to 1000000, with at most 6 decimals behind a point, or refused";
    const char *value = table_value(table, column), *wrong;

    if (strcmp(value, "refused") == 0) {
        *ret_micro = REFUSED;
        return true;
    }
    if (*value == '\0') {
        table_note(table, column, "is missing (allowed: %s)", allowed);
        return false;
    }
    if (money_parse(value, PRICE_PART_MICRO_MAX, ret_micro, &wrong) < 0)
        return table_refuse(table, column, value, wrong, allowed);
    /* Free is what nobody decided, more often than what somebody did. */
    if (*ret_micro == 0)
        return table_refuse(table, column, value, "is no price", allowed);
    return true;
}

/* -ENOSPC: a bound is reached, and noted. */
static int read_row(struct table *table, struct price_table *prices, uint32_t *size)
{
    struct row row = { .line = table->row.line };
    bool good = read_prefix(table, table_value(table, COLUMN_PREFIX), &row.prefix);

    good = read_price(table, COLUMN_PRICE, &row.micro[PRICE_GSM7]) && good;
    if (*table_value(table, COLUMN_PRICE_UCS2) == '\0')
        row.micro[PRICE_UCS2] = row.micro[PRICE_GSM7];
    else
        good = read_price(table, COLUMN_PRICE_UCS2, &row.micro[PRICE_UCS2]) && good;
    if (!good)
        return 0;
    if (prices->count == PRICE_ROWS_MAX) {
        table_note_at(table->notes, table->file->name, row.line, NULL, "is one row too many (allowed: 100000)");
        return -ENOSPC;
    }
    if (prices->count == *size) {
        uint32_t more = *size > 0 ? *size * 2 : 64;
        struct row *rows = realloc(prices->rows, more * sizeof *rows);

        if (!rows)
            return -ENOMEM;
        prices->rows = rows;
        *size = more;
    }
    prices->rows[prices->count++] = row;
    return 0;
}

static int by_prefix(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static void note_repetitions(const struct price_table *prices, const char *file, struct table_notes *notes)
{
    for (uint32_t i = 1; i < prices->count; i++)
        if (prices->rows[i - 1].prefix == prices->rows[i].prefix)
            table_note_at(notes, file, prices->rows[i].line, columns[COLUMN_PREFIX].name, "is in line %u already",
                          (unsigned)prices->rows[i - 1].line);
}

/* The set to look in, and the hash. */
static int finish(struct price_table *prices)
{
    size_t length = HEAD_OCTETS + prices->count * (size_t)ROW_OCTETS;
    uint64_t *keys = malloc((prices->count + 1) * sizeof *keys);
    uint8_t *octets = malloc(length), *at = octets;
    int r = -ENOMEM;

    if (!keys || !octets)
        goto out;
    octets_put(&at, PRICE_MAGIC, 4);
    octets_put(&at, PRICE_FORMAT, 2);
    octets_put(&at, prices->version, 4);
    octets_put(&at, prices->count, 4);
    for (uint32_t i = 0; i < prices->count; i++) {
        keys[i] = prices->rows[i].prefix;
        octets_put(&at, prices->rows[i].prefix, 8);
        for (int encoding = 0; encoding < PRICE_ENCODINGS; encoding++)
            octets_put(&at, (uint64_t)prices->rows[i].micro[encoding], 8);
    }
    assert(at == octets + length);
    octets_sha256(octets, length, prices->sha256);
    r = prefix_set_new(keys, prices->count, &prices->set);
out:
    free(octets);
    free(keys);
    return r;
}

int price_table_parse(uint32_t version, const struct table_file *file, struct price_table **ret_table, struct table_notes *notes)
{
    struct table *table = malloc(sizeof *table);   /* it holds a record: too large for a stack */
    struct price_table *prices = calloc(1, sizeof *prices);
    uint32_t size = 0;
    int r = 0;

    assert(version > 0);
    notes->count = notes->more = 0;
    if (!table || !prices) {
        r = -ENOMEM;
        goto out;
    }
    prices->version = version;
    if (table_open(table, file, columns, COLUMN_COUNT, notes) == 0)
        while (r == 0 && table_next(table))
            r = read_row(table, prices, &size);
    if (r == -ENOSPC)
        r = 0;                               /* it is in the notes */
    if (r < 0)
        goto out;
    if (prices->count > 0)
        qsort(prices->rows, prices->count, sizeof *prices->rows, by_prefix);
    note_repetitions(prices, file->name, notes);
    if (prices->count == 0 && notes->count == 0)
        table_note_at(notes, file->name, 0, NULL, "has no prices");
    r = notes->count > 0 ? -EINVAL : finish(prices);
    if (r == 0) {
        *ret_table = prices;
        prices = NULL;
    }
out:
    price_table_free(prices);
    free(table);
    return r;
}

void price_table_free(struct price_table *table)
{
    if (!table)
        return;
    prefix_set_free(table->set);
    free(table->rows);
    free(table);
}

uint32_t price_table_version(const struct price_table *table)
{
    return table->version;
}

size_t price_table_rows(const struct price_table *table)
{
    return table->count;
}

struct price_row price_table_row(const struct price_table *table, size_t index)
{
    struct price_row row;

    assert(index < table->count);
    prefix_text(table->rows[index].prefix, row.prefix);
    memcpy(row.part_micro, table->rows[index].micro, sizeof row.part_micro);
    return row;
}

const uint8_t *price_table_sha256(const struct price_table *table)
{
    return table->sha256;
}

struct price_quote price_quote_of(const struct price_table *table, const char *number, enum price_encoding encoding, unsigned parts)
{
    struct price_quote quote = { .verdict = PRICE_NO_PREFIX, .version = table->version };
    uint32_t row = prefix_match(table->set, number);
    int64_t micro;

    assert(encoding < PRICE_ENCODINGS && parts > 0 && parts <= PRICE_PARTS_MAX);
    if (row == PREFIX_NONE)
        return quote;
    micro = table->rows[row].micro[encoding];
    quote.row = row;
    prefix_text(table->rows[row].prefix, quote.prefix);
    quote.verdict = micro == REFUSED ? PRICE_REFUSED : PRICE_PRICED;
    quote.part_micro = micro;
    quote.total_micro = micro * (int64_t)parts;
    return quote;
}
