/* SPDX-License-Identifier: Apache-2.0
 *
 * tariff_text.h - a table written as one CSV file again, for the tests and the fuzzer: what is read of it must mean the
 * same. Every column, every value in quotes, nothing left to a default. */
#ifndef CELLPOST_TARIFF_TEXT_H
#define CELLPOST_TARIFF_TEXT_H

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/date.h"
#include "src/base/money.h"
#include "src/routing/tariff.h"

struct tariff_text_buffer { char *text; size_t length, size; };

static inline void tariff_text_field(struct tariff_text_buffer *buffer, const char *value, char end)
{
    if (buffer->size - buffer->length < 2 * strlen(value) + 4) {
        buffer->size = buffer->size * 2 + 2 * strlen(value) + 4096;
        buffer->text = realloc(buffer->text, buffer->size);
        assert(buffer->text != NULL);
    }
    buffer->text[buffer->length++] = '"';
    for (; *value != '\0'; value++) {
        if (*value == '"')
            buffer->text[buffer->length++] = '"';
        buffer->text[buffer->length++] = *value;
    }
    buffer->text[buffer->length++] = '"';
    buffer->text[buffer->length++] = end;
}

static inline void tariff_text_day(struct tariff_text_buffer *buffer, int32_t day, int32_t none)
{
    char date[DATE_CHARS] = "";

    if (day != none)
        date_format(day, date);
    tariff_text_field(buffer, date, ',');
}

/* The caller frees ret->text. */
static inline void tariff_text_write(const struct tariff_table *table, struct tariff_text_buffer *ret)
{
    static const char *const header[] = { "note", "kind", "plan", "currency", "prefix", "prefixes", "valid_from", "valid_until", "price",
                                          "next_part_price", "name", "time_zone", "period", "reset_day", "parts" };
    static const char *const kinds[] = { "price", "bundle", "onnet" }, *const periods[] = { "day", "week", "month" };
    enum { COLUMNS = sizeof header / sizeof header[0] };

    *ret = (struct tariff_text_buffer){ 0 };
    for (unsigned i = 0; i < COLUMNS; i++)
        tariff_text_field(ret, header[i], i + 1 < COLUMNS ? ',' : '\n');
    for (size_t i = 0; i < tariff_row_count(table); i++) {
        const struct tariff_row *row = tariff_row_at(table, i);
        const struct tariff_plan *plan = tariff_plan_at(table, row->plan);
        bool price = row->kind == TARIFF_PRICE, bundle = row->kind == TARIFF_BUNDLE;
        char first[MONEY_CHARS] = "", next[MONEY_CHARS] = "", parts[16] = "", day[8] = "";

        if (price) {
            money_format(row->price_micro, first);
            money_format(row->next_part_price_micro, next);
        } else if (bundle) {
            (void)snprintf(parts, sizeof parts, "%u", (unsigned)row->bundle.parts);
            if (row->bundle.reset_day > 0)
                (void)snprintf(day, sizeof day, "%u", row->bundle.reset_day);
        }
        tariff_text_field(ret, row->note, ',');
        tariff_text_field(ret, kinds[row->kind], ',');
        tariff_text_field(ret, tariff_plan_name(plan), ',');
        tariff_text_field(ret, tariff_plan_currency(plan), ',');
        tariff_text_field(ret, price ? row->prefixes : "", ',');
        tariff_text_field(ret, price ? "" : row->prefixes, ',');
        tariff_text_day(ret, row->valid_from_day, TARIFF_DAY_FIRST);
        tariff_text_day(ret, row->valid_until_day, TARIFF_DAY_LAST);
        tariff_text_field(ret, first, ',');
        tariff_text_field(ret, next, ',');
        tariff_text_field(ret, bundle ? row->bundle.name : "", ',');
        tariff_text_field(ret, bundle ? row->bundle.time_zone : "", ',');
        tariff_text_field(ret, bundle ? periods[row->bundle.period] : "", ',');
        tariff_text_field(ret, day, ',');
        tariff_text_field(ret, parts, '\n');
    }
}

/* Everything but where it was read. */
static inline bool tariff_text_same_row(const struct tariff_row *a, const struct tariff_row *b)
{
    if (a->kind != b->kind || a->plan != b->plan || a->valid_from_day != b->valid_from_day || a->valid_until_day != b->valid_until_day ||
        strcmp(a->prefixes, b->prefixes) != 0 || strcmp(a->note, b->note) != 0)
        return false;
    if (a->kind == TARIFF_PRICE)
        return a->price_micro == b->price_micro && a->next_part_price_micro == b->next_part_price_micro;
    return a->kind == TARIFF_ONNET ||
           (strcmp(a->bundle.name, b->bundle.name) == 0 && strcmp(a->bundle.time_zone, b->bundle.time_zone) == 0 &&
            a->bundle.parts == b->bundle.parts && a->bundle.period == b->bundle.period && a->bundle.reset_day == b->bundle.reset_day);
}

static inline bool tariff_text_same(const struct tariff_table *a, const struct tariff_table *b)
{
    if (tariff_row_count(a) != tariff_row_count(b) || tariff_plan_count(a) != tariff_plan_count(b))
        return false;
    for (size_t i = 0; i < tariff_plan_count(a); i++)
        if (strcmp(tariff_plan_name(tariff_plan_at(a, i)), tariff_plan_name(tariff_plan_at(b, i))) != 0 ||
            strcmp(tariff_plan_currency(tariff_plan_at(a, i)), tariff_plan_currency(tariff_plan_at(b, i))) != 0)
            return false;
    for (size_t i = 0; i < tariff_row_count(a); i++)
        if (!tariff_text_same_row(tariff_row_at(a, i), tariff_row_at(b, i)))
            return false;
    return true;
}

#endif
