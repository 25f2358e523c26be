/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "src/routing/tariff_internal.h"

/* The first row of this prefix that holds on the day, or NULL. No two of a kind do. */
static const struct tariff_row *row_on(const struct tariff_table *table, const struct tariff_index *index, uint32_t at, int32_t day)
{
    for (uint32_t i = index->first[at]; i < index->first[at + 1]; i++) {
        const struct tariff_row *row = &table->rows[table->ordered[i]];

        if (row->valid_from_day <= day && day <= row->valid_until_day)
            return row;
    }
    return NULL;
}

static void find_bundles(const struct tariff_plan *plan, const char *number, int32_t day, struct tariff_quote *quote)
{
    const struct prefix_set *set = plan->bundles.set;

    for (uint32_t at = prefix_match(set, number); at != PREFIX_NONE; at = prefix_shorter(set, at)) {
        const struct tariff_row *row = row_on(plan->table, &plan->bundles, at, day);
        size_t i = 0;

        while (i < quote->bundle_count && quote->bundles[i] != row)
            i++;
        if (row && i == quote->bundle_count)
            quote->bundles[quote->bundle_count++] = row;
    }
}

struct tariff_quote tariff_price(const struct tariff_plan *plan, const char *number, unsigned parts, int32_t day)
{
    struct tariff_quote quote = { .verdict = TARIFF_NO_PREFIX, .currency = plan->currency };
    const struct prefix_set *set = plan->rates.set;

    assert(parts >= 1 && parts <= TARIFF_PARTS_MAX);
    for (uint32_t at = prefix_match(set, number); at != PREFIX_NONE && !quote.row; at = prefix_shorter(set, at)) {
        quote.verdict = TARIFF_NOT_VALID;
        quote.row = row_on(plan->table, &plan->rates, at, day);
        if (quote.row)
            prefix_text(prefix_at(set, at), quote.prefix);
    }
    if (quote.row) {
        quote.verdict = TARIFF_PRICED;
        quote.on_net = quote.row->kind == TARIFF_ONNET;
        if (!quote.on_net) {
            quote.first_part_micro = quote.row->price_micro;
            quote.next_part_micro = quote.row->next_part_price_micro;
        }
        quote.total_micro = quote.first_part_micro + quote.next_part_micro * (int64_t)(parts - 1);
    }
    find_bundles(plan, number, day, &quote);
    return quote;
}
