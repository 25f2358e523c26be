/* SPDX-License-Identifier: Apache-2.0
 *
 * route_text.h - a table of routes written as one CSV file again, for the tests and the fuzzer: what is read of it must
 * mean the same. Every column, every value in quotes; of the defaults only what a file cannot say is left out. */
#ifndef CELLPOST_ROUTE_TEXT_H
#define CELLPOST_ROUTE_TEXT_H

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/money.h"
#include "src/routing/route.h"

struct route_text_buffer { char *text; size_t length, size; };

static inline void route_text_field(struct route_text_buffer *buffer, const char *value, char end)
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

/* The caller frees ret->text. */
static inline void route_text_write(const struct route_table *table, struct route_text_buffer *ret)
{
    static const char *const header[] = { "note", "deny", "prefer", "bearers", "max_price", "patience", "sticky", "fixed_lines", "order",
                                          "action", "prefix" };
    static const char *const settings[] = { "", "no", "yes" }, *const orders[] = { "price", "listed" }, *const actions[] = { "send", "refuse" };
    enum { COLUMNS = sizeof header / sizeof header[0] };

    *ret = (struct route_text_buffer){ 0 };
    for (unsigned i = 0; i < COLUMNS; i++)
        route_text_field(ret, header[i], i + 1 < COLUMNS ? ',' : '\n');
    for (size_t i = 0; i < route_count(table); i++) {
        const struct route *route = route_at(table, i);
        char price[MONEY_CHARS] = "", patience[32] = "";

        if (route->implicit)
            continue;
        if (route->max_price_micro != ROUTE_PRICE_UNBOUND)
            money_format(route->max_price_micro, price);
        if (route->patience_s != ROUTE_PATIENCE_UNSET)
            (void)snprintf(patience, sizeof patience, "%" PRId64 "s", route->patience_s);
        route_text_field(ret, route->note, ',');
        route_text_field(ret, route->deny ? route->deny->text : "", ',');
        route_text_field(ret, route->prefer ? route->prefer->text : "", ',');
        route_text_field(ret, route->bearers->text, ',');
        route_text_field(ret, price, ',');
        route_text_field(ret, patience, ',');
        route_text_field(ret, settings[route->sticky + 1], ',');
        route_text_field(ret, settings[route->fixed_lines + 1], ',');
        route_text_field(ret, route->action == ROUTE_REFUSE ? "" : orders[route->order], ',');
        route_text_field(ret, actions[route->action], ',');
        route_text_field(ret, route->prefix, '\n');
    }
}

static inline bool route_text_same_list(const struct route_list *a, const struct route_list *b)
{
    if (!a || !b)
        return a == b;
    if (strcmp(a->text, b->text) != 0 || a->count != b->count)
        return false;
    for (uint8_t i = 0; i < a->count; i++)
        if (a->selectors[i].kind != b->selectors[i].kind || a->selectors[i].bearer_kind != b->selectors[i].bearer_kind ||
            strcmp(a->selectors[i].value, b->selectors[i].value) != 0)
            return false;
    return true;
}

/* Everything but where it was read. */
static inline bool route_text_same(const struct route_table *a, const struct route_table *b)
{
    if (route_count(a) != route_count(b))
        return false;
    for (size_t i = 0; i < route_count(a); i++) {
        const struct route *x = route_at(a, i), *y = route_at(b, i);

        if (x->action != y->action || x->order != y->order || x->fixed_lines != y->fixed_lines || x->sticky != y->sticky ||
            x->short_code != y->short_code || x->implicit != y->implicit || x->patience_s != y->patience_s ||
            x->max_price_micro != y->max_price_micro || strcmp(x->prefix, y->prefix) != 0 || strcmp(x->note, y->note) != 0 ||
            !route_text_same_list(x->bearers, y->bearers) || !route_text_same_list(x->prefer, y->prefer) ||
            !route_text_same_list(x->deny, y->deny))
            return false;
    }
    return true;
}

#endif
