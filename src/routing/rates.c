/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/rates.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TERM_MAX UINT64_C(1000000000000000000)   /* of a fraction; 18 digits and one more fit 64 bits */

struct rate { char from[4], to[4]; uint64_t numerator, denominator; uint32_t line; };
struct rate_table { size_t count; struct rate rates[]; };

enum column { COLUMN_FROM, COLUMN_TO, COLUMN_RATE, COLUMN_COUNT };
static const struct table_column columns[COLUMN_COUNT] = { { "from", true }, { "to", true }, { "rate", true } };

/* -- reading -------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at *at, which moves behind them; into *value. False: none, or too many. */
static bool read_digits(const char **at, uint64_t *value)
{
    const char *start = *at;

    for (; is_digit(**at); (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');

        if (*value > (TERM_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return *at != start;
}

/* "1.0842" or "10842/10000". */
static bool read_rate(const char *value, uint64_t *ret_numerator, uint64_t *ret_denominator)
{
    uint64_t numerator = 0, denominator = 1;

    if (!read_digits(&value, &numerator))
        return false;
    if (*value == '.') {
        const char *decimals = ++value;

        if (!read_digits(&value, &numerator))
            return false;
        for (; decimals < value; decimals++) {
            if (denominator >= TERM_MAX)
                return false;
            denominator *= 10;
        }
    } else if (*value == '/') {
        value++;
        denominator = 0;
        if (!read_digits(&value, &denominator))
            return false;
    }
    if (*value != '\0' || numerator == 0 || denominator == 0)
        return false;
    *ret_numerator = numerator;
    *ret_denominator = denominator;
    return true;
}

static bool read_currency(struct table *table, enum column column, char ret_currency[4])
{
    const char *value = table_value(table, column);
    char text[TABLE_SHOWN_CHARS];

    if (strlen(value) != 3 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3) {
        table_note(table, column, "'%s' is no currency (allowed: three capital letters of ISO 4217, as EUR)", table_shown(value, text));
        return false;
    }
    memcpy(ret_currency, value, 4);
    return true;
}

static const struct rate *find(const struct rate_table *rates, const char *from, const char *to)
{
    for (size_t i = 0; i < rates->count; i++)
        if (strcmp(rates->rates[i].from, from) == 0 && strcmp(rates->rates[i].to, to) == 0)
            return &rates->rates[i];
    return NULL;
}

static void read_row(struct table *table, struct rate_table *rates)
{
    struct rate rate = { .line = table->row.line };
    bool good = read_currency(table, COLUMN_FROM, rate.from);
    const struct rate *other;
    char text[TABLE_SHOWN_CHARS];

    good = read_currency(table, COLUMN_TO, rate.to) && good;
    if (!read_rate(table_value(table, COLUMN_RATE), &rate.numerator, &rate.denominator)) {
        table_note(table, COLUMN_RATE, "'%s' is no rate (allowed: a number above 0 as 1.0842, or a fraction as 10842/10000, of at most 18 digits)",
                   table_shown(table_value(table, COLUMN_RATE), text));
        good = false;
    }
    if (!good)
        return;
    other = find(rates, rate.from, rate.to);
    if (strcmp(rate.from, rate.to) == 0)
        table_note(table, COLUMN_TO, "'%s' is the same currency (allowed: another one)", rate.to);
    else if (other)
        table_note(table, COLUMN_RATE, "from %s to %s there is a rate already on line %lu (allowed: one)", rate.from, rate.to,
                   (unsigned long)other->line);
    else
        rates->rates[rates->count++] = rate;
}

int rates_parse(const struct table_file *file, struct rate_table **ret_rates, struct table_notes *notes)
{
    struct rate_table *rates = malloc(sizeof *rates + RATES_MAX * sizeof rates->rates[0]), *fitted;
    struct table *table = malloc(sizeof *table);
    int r = -ENOMEM;

    notes->count = notes->more = 0;
    if (!rates || !table)
        goto out;
    rates->count = 0;
    if (table_open(table, file, columns, COLUMN_COUNT, notes) == 0)
        while (table_next(table)) {
            if (rates->count == RATES_MAX) {
                table_note_at(notes, file->name, table->row.line, NULL, "is one row too many (allowed: 4096)");
                break;
            }
            read_row(table, rates);
        }
    r = notes->count > 0 ? -EINVAL : 0;
    if (r == 0) {
        fitted = realloc(rates, sizeof *rates + rates->count * sizeof rates->rates[0]);
        *ret_rates = fitted ? fitted : rates;
        rates = NULL;
    }
out:
    free(rates);
    free(table);
    return r;
}

void rates_free(struct rate_table *rates)
{
    free(rates);
}

size_t rates_count(const struct rate_table *rates)
{
    return rates->count;
}

/* -- converting ----------------------------------------------------------------------------------------------- */

/* a * b / c, halves up, by long multiplication and division: not every machine has integers of 128 bits. c is at most
 * TERM_MAX, so that twice a remainder fits. False: the result is above INT64_MAX. */
static bool multiply_divide(uint64_t a, uint64_t b, uint64_t c, int64_t *ret_result)
{
    uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), cross1 = (a >> 32) * (b & UINT32_MAX), cross2 = (a & UINT32_MAX) * (b >> 32);
    uint64_t middle = (low >> 32) + (cross1 & UINT32_MAX) + cross2;
    uint64_t words[2] = { (a >> 32) * (b >> 32) + (cross1 >> 32) + (middle >> 32), middle << 32 | (low & UINT32_MAX) };
    uint64_t quotient = 0, rest = 0;

    for (unsigned bit = 0; bit < 128; bit++) {
        rest = rest << 1 | (words[bit / 64] >> (63 - bit % 64) & 1);
        if (quotient >> 62 != 0)
            return false;
        quotient <<= 1;
        if (rest >= c) {
            rest -= c;
            quotient |= 1;
        }
    }
    if (rest >= c - rest) {
        if (quotient == INT64_MAX)
            return false;
        quotient++;
    }
    *ret_result = (int64_t)quotient;
    return true;
}

int rates_convert(const struct rate_table *rates, int64_t micro, const char *from, const char *to, int64_t *ret_micro)
{
    const struct rate *rate = rates ? find(rates, from, to) : NULL, *back = rates && !rate ? find(rates, to, from) : NULL;

    assert(micro >= 0);
    if (strcmp(from, to) == 0) {
        *ret_micro = micro;
        return 0;
    }
    if (!rate && !back)
        return -ENOENT;
    if (!multiply_divide((uint64_t)micro, rate ? rate->numerator : back->denominator, rate ? rate->denominator : back->numerator, ret_micro))
        return -ERANGE;
    return 0;
}
