/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the file holds: it is read whole or refused with reasons, each of which names the file and is one line of
 * text. What was read means the same when it is written and read again, and every number has a route, every prefix its
 * own. The same octets are read as overrides too. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "src/base/digits.h"
#include "src/routing/override.h"
#include "tests/unit/routing/route_text.h"

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

/* A bearer that a selector of the route is made for. */
static struct route_bearer bearer_of(const struct route_selector *selector)
{
    struct route_bearer bearer = { .kind = ROUTE_SIM, .id = "" };

    if (selector->kind == ROUTE_SELECT_SIM)
        bearer.id = selector->value;
    else if (selector->kind == ROUTE_SELECT_NAME)
        bearer.name = selector->value;
    else if (selector->kind == ROUTE_SELECT_KIND)
        bearer.kind = selector->bearer_kind;
    else if (selector->kind == ROUTE_SELECT_TAG)
        bearer = (struct route_bearer){ .kind = ROUTE_SIM, .id = "", .tags = &selector->value, .tag_count = 1 };
    return bearer;
}

static void check_route(const struct route_table *table, uint32_t index)
{
    const struct route *route = route_at(table, index);
    const char *digits = route->short_code ? route->prefix + strlen("short:") : route->prefix;
    size_t used = 0, length = *digits == '*' ? 0 : strlen(digits);
    uint64_t key = digits_pack(digits, length, &used);

    assert(used == length && route_find_key(table, key, route->short_code) == index);
    assert((route->action == ROUTE_REFUSE) == (route->bearers->count == 0));
    assert(route->patience_s >= ROUTE_PATIENCE_UNSET && route->patience_s <= ROUTE_PATIENCE_S_MAX);
    assert(route->max_price_micro >= ROUTE_PRICE_UNBOUND && route->max_price_micro <= ROUTE_PRICE_MICRO_MAX);
    for (uint8_t i = 0; i < route->bearers->count; i++) {
        struct route_bearer bearer = bearer_of(&route->bearers->selectors[i]);
        uint8_t rank = UINT8_MAX;
        enum route_verdict verdict = route_judge(route, &bearer, &rank);

        assert(verdict == ROUTE_ALLOWED || (verdict == ROUTE_DENIED && route->deny));
        if (verdict == ROUTE_ALLOWED)
            assert(rank <= (route->order == ROUTE_AS_LISTED ? i : 1));
    }
}

static void check_overrides(const struct table_file *file, struct table_notes *notes)
{
    struct override_table *table = NULL;
    int r = override_parse(file, 1, &table, notes);

    assert(r == 0 || r == -EINVAL);
    assert((r == 0) == (notes->count == 0) && (r == 0) == (table != NULL));
    check_notes(notes);
    assert(r != 0 || override_find(table, 0) == 0);
    override_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct table_notes notes;
    struct table_file file = { "file", (const char *)bytes, size };
    struct route_table *table = NULL, *again = NULL;
    struct route_text_buffer text;
    int r;

    check_overrides(&file, &notes);
    r = route_parse(&file, 1, &table, &notes);
    assert(r == 0 || r == -EINVAL);
    assert((r == 0) == (notes.count == 0) && (r == 0) == (table != NULL));
    check_notes(&notes);
    if (r != 0)
        return 0;
    assert(strcmp(route_at(table, ROUTE_DEFAULT)->prefix, "*") == 0);
    for (uint32_t i = 0; i < route_count(table); i++)
        check_route(table, i);
    route_check(table, NULL, 0, &notes);
    check_notes(&notes);
    route_text_write(table, &text);
    file = (struct table_file){ "again", text.text, text.length };
    r = route_parse(&file, 1, &again, &notes);
    /* Quotes make rows longer, and where one was at its bound it is over it now. */
    if (r != 0)
        assert(strstr(notes.text[0], "4096 octets") != NULL);
    else
        assert(route_text_same(table, again));
    free(text.text);
    route_free(table);
    route_free(again);
    return 0;
}
