/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the file holds: it is read whole or refused with reasons, each of which names the file and is one line of
 * text. What was read means the same when it is written and read again, and every row has the price it says. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/routing/tariff_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_notes(const struct table_notes *notes)
{
    assert(notes->count <= TABLE_NOTES_MAX && (notes->more == 0 || notes->count == TABLE_NOTES_MAX));
    for (unsigned i = 0; i < notes->count; i++) {
        const char *end = memchr(notes->text[i], '\0', TABLE_NOTE_MAX);
        size_t length = end ? (size_t)(end - notes->text[i]) : 0;

        assert(length > 5 && memcmp(notes->text[i], "file:", 5) == 0);
        for (size_t k = 0; k < length; k++)
            assert((unsigned char)notes->text[i][k] >= 0x20 && notes->text[i][k] != 0x7F);
    }
}

/* On its first day a number that is a row's prefix gets that row, or a free one of the same prefix. */
static void check_row(const struct tariff_table *table, const struct tariff_row *row)
{
    const struct tariff_plan *plan = tariff_find_plan(table, tariff_plan_name(tariff_plan_at(table, row->plan)));
    char number[PREFIX_CHARS] = "";
    size_t length = strcspn(row->prefixes, "|*");
    struct tariff_quote quote;

    assert(plan == tariff_plan_at(table, row->plan) && length < sizeof number);
    memcpy(number, row->prefixes, length);
    quote = tariff_price(plan, number, 2, row->valid_from_day);
    if (row->kind == TARIFF_BUNDLE) {
        assert(quote.bundle_count > 0 && quote.bundles[0] == row);
        return;
    }
    assert(quote.verdict == TARIFF_PRICED && strcmp(quote.prefix, number) == 0);
    assert(quote.row == row || (row->kind == TARIFF_PRICE && quote.on_net));
    assert(quote.on_net ? quote.total_micro == 0 : quote.total_micro == row->price_micro + row->next_part_price_micro);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct table_notes notes;
    struct table_file file = { "file", (const char *)bytes, size };
    struct tariff_table *table = NULL, *again = NULL;
    struct tariff_text_buffer text;
    int r = tariff_parse(&file, 1, &table, &notes);

    assert(r == 0 || r == -EINVAL);
    assert((r == 0) == (notes.count == 0) && (r == 0) == (table != NULL));
    check_notes(&notes);
    if (r != 0)
        return 0;
    for (size_t i = 0; i < tariff_row_count(table); i++)
        check_row(table, tariff_row_at(table, i));
    tariff_text_write(table, &text);
    file = (struct table_file){ "again", text.text, text.length };
    r = tariff_parse(&file, 1, &again, &notes);
    /* Quotes make rows longer, and where one was at its bound it is over it now. */
    if (r != 0)
        assert(strstr(notes.text[0], "4096 octets") != NULL);
    else
        assert(tariff_text_same(table, again));
    free(text.text);
    tariff_free(table);
    tariff_free(again);
    return 0;
}
