/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/digits.h"
#include "src/routing/route.h"

static struct table_notes notes;

static struct route_table *read_table(const char *text)
{
    const struct table_file file = { "routes.csv", text, strlen(text) };
    struct route_table *table = NULL;

    if (route_parse(&file, 1, &table, &notes) != 0)
        fail_msg("%s", notes.text[0]);
    return table;
}

static const char *found(const struct route_table *table, const char *number, bool short_code)
{
    return route_at(table, route_find_key(table, digits_pack(number, strlen(number), NULL), short_code))->prefix;
}

/* -- from a number to its route ------------------------------------------------------------------------------- */

static void the_longest_prefix_decides_alone(void **state)
{
    struct route_table *table = read_table("prefix,bearers,deny,patience\n"
                                           "33,tag:a,tag:old,2h\n336,tag:b,,\n33607123456,,,\n1,,,\n*,,,1m\n");
    const struct route *route;

    (void)state;
    assert_string_equal(found(table, "33145678901", false), "33");
    assert_string_equal(found(table, "33607123457", false), "336");
    assert_string_equal(found(table, "33607123456", false), "33607123456");
    assert_string_equal(found(table, "336071234", false), "336");
    assert_string_equal(found(table, "3", false), "*");
    assert_string_equal(found(table, "4179", false), "*");
    assert_string_equal(found(table, "", false), "*");
    /* A row takes over nothing of the shorter ones. */
    route = route_at(table, route_find_key(table, digits_pack("33607", 5, NULL), false));
    assert_null(route->deny);
    assert_int_equal(route->patience_s, ROUTE_PATIENCE_UNSET);
    route_free(table);
}

static void short_codes_have_routes_of_their_own_or_take_the_default(void **state)
{
    struct route_table *none = read_table("prefix\n12\n"), *some = read_table("prefix\n12\nshort:123\nshort:8\nshort:81\n"),
                       *all = read_table("prefix\n*\nshort:8\nshort:*\n12\n"), *only = read_table("prefix,action\nshort:*,refuse\n");

    (void)state;
    /* 12345 is not of the country 1. */
    assert_string_equal(found(none, "12345", true), "*");
    assert_string_equal(found(none, "12345", false), "12");
    assert_string_equal(found(some, "12345", true), "short:123");
    assert_string_equal(found(some, "123", true), "short:123");
    assert_string_equal(found(some, "81212", true), "short:81");
    assert_string_equal(found(some, "82000", true), "short:8");
    assert_string_equal(found(some, "345", true), "*");
    assert_string_equal(found(some, "81212", false), "*");
    assert_string_equal(found(all, "345", true), "short:*");
    assert_string_equal(found(all, "800", true), "short:8");
    assert_string_equal(found(all, "800", false), "*");
    assert_int_equal(route_find_key(some, digits_pack("345", 3, NULL), true), ROUTE_DEFAULT);
    /* That of every short code is no default for numbers. */
    assert_int_equal(route_count(only), 2);
    assert_true(route_at(only, ROUTE_DEFAULT)->implicit);
    assert_string_equal(found(only, "33607123456", false), "*");
    assert_string_equal(found(only, "33607", true), "short:*");
    route_free(none);
    route_free(some);
    route_free(all);
    route_free(only);
}

static void prefixes_are_told_in_the_order_of_their_routes(void **state)
{
    struct route_table *table = read_table("prefix\nshort:*\n49\nshort:118\n331\n33\n");
    const struct prefix_set *numbers = route_prefixes(table, false), *short_codes = route_prefixes(table, true);
    char digits[PREFIX_CHARS];

    (void)state;
    assert_int_equal(route_count(table), 6);
    assert_int_equal(prefix_count(numbers), 4);
    assert_int_equal(prefix_count(short_codes), 2);
    for (uint32_t i = 0; i < 4; i++) {
        prefix_text(prefix_at(numbers, i), digits);
        assert_string_equal(*digits ? digits : "*", route_at(table, i)->prefix);
        assert_int_equal(route_find_key(table, prefix_at(numbers, i), false), i);
    }
    assert_string_equal(route_at(table, 4)->prefix, "short:*");
    assert_string_equal(route_at(table, 5)->prefix, "short:118");
    assert_int_equal(route_find_key(table, prefix_at(short_codes, 1), true), 5);
    route_free(table);
}

/* -- from a route to its bearers ------------------------------------------------------------------------------ */

static const char *const tags_of_home[] = { "orange", "home" }, *const tags_of_office[] = { "free", "abo" };
enum { HOME, OFFICE, BARE, PROVIDER, SMSC, PHONE, BEARERS };
static const struct route_bearer bearers[BEARERS] = {
    [HOME] = { ROUTE_SIM, "8933010000000000001", "home", tags_of_home, 2 },
    [OFFICE] = { ROUTE_SIM, "8933010000000000002", "office", tags_of_office, 2 },
    [BARE] = { ROUTE_SIM, "8933010000000000003", NULL, NULL, 0 },
    [PROVIDER] = { ROUTE_HTTP, "provider", "", tags_of_office, 1 },
    [SMSC] = { ROUTE_SMPP, "smsc", NULL, NULL, 0 },
    [PHONE] = { ROUTE_SIP, "phone", "office", NULL, 0 },
};

/* ranks: of each bearer; '.' not listed, 'x' denied. */
static const struct { const char *row, *ranks; } judgements[] = {
    { "7,,price,,", "000000" },
    { "7,*,listed,,", "000000" },
    { "7,tag:free,,,", ".0.0.." },
    { "7,tag:free|tag:orange,,,", "00.0.." },
    { "7,tag:free|tag:orange,listed,,", "10.0.." },
    { "7,tag:free|tag:orange|*,listed,,", "102022" },
    { "7,sim:8933010000000000003|kind:smpp|kind:sip|kind:http,listed,,", "..0312" },
    { "7,name:office|name:provider|name:smsc,listed,,", ".0.120" },
    /* The id of a SIM is no name, and the name of another bearer no ICCID. */
    { "7,name:8933010000000000001|name:home,listed,,", "1....." },
    { "7,sim:8933010000000000009,,,", "......" },
    { "7,tag:nobody,,,", "......" },
    { "7,tag:Orange,,,", "......" },
    { "7,kind:sim,,,", "000..." },
    { "7,,,tag:abo|kind:http,", "101011" },
    /* A bearer that is preferred is no more listed than before; one that is denied is not used, whatever else it is. */
    { "7,kind:sim,,tag:free,", "101..." },
    { "7,kind:sim,,tag:abo,tag:abo|tag:home", "xx1..." },
    { "7,*,,tag:free,name:office", "1x101x" },
    { "7,tag:orange|*,listed,,kind:sim", "xxx111" },
    { "7,,,,kind:sim|kind:http|kind:smpp|kind:sip", "xxxxxx" },
};

static void a_route_says_which_bearers_it_may_use_and_which_go_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof judgements / sizeof judgements[0]; i++) {
        char text[256], ranks[BEARERS + 1] = "";
        struct route_table *table;

        (void)snprintf(text, sizeof text, "prefix,bearers,order,prefer,deny\n%s\n", judgements[i].row);
        table = read_table(text);
        for (unsigned bearer = 0; bearer < BEARERS; bearer++) {
            uint8_t rank = 99;
            enum route_verdict verdict = route_judge(route_at(table, 1), &bearers[bearer], &rank);

            ranks[bearer] = verdict == ROUTE_ALLOWED ? (char)('0' + rank) : verdict == ROUTE_DENIED ? 'x' : '.';
            if (verdict != ROUTE_ALLOWED)
                assert_int_equal(rank, 99);
        }
        if (strcmp(ranks, judgements[i].ranks) != 0)
            fail_msg("%s: %s instead of %s", judgements[i].row, ranks, judgements[i].ranks);
        route_free(table);
    }
}

static void a_provider_that_is_called_like_a_card_is_none(void **state)
{
    const struct route_selector sim = { .kind = ROUTE_SELECT_SIM, .value = "8933010000000000001" }, name = { .kind = ROUTE_SELECT_NAME, .value = sim.value };
    const struct route_bearer provider = { .kind = ROUTE_HTTP, .id = sim.value };

    (void)state;
    assert_true(route_selects(&sim, &bearers[HOME]));
    assert_false(route_selects(&sim, &provider));
    assert_true(route_selects(&name, &provider));
    assert_false(route_selects(&name, &bearers[HOME]));
}

static void the_implicit_default_takes_every_bearer_and_a_refusal_none(void **state)
{
    struct route_table *table = read_table("prefix,action\n33,refuse\n");
    uint8_t rank;

    (void)state;
    for (unsigned bearer = 0; bearer < BEARERS; bearer++) {
        rank = 99;
        assert_int_equal(route_judge(route_at(table, ROUTE_DEFAULT), &bearers[bearer], &rank), ROUTE_ALLOWED);
        assert_int_equal(rank, 0);
        assert_int_equal(route_judge(route_at(table, 1), &bearers[bearer], &rank), ROUTE_NOT_LISTED);
    }
    route_free(table);
}

static void selectors_that_select_nothing_are_told_once_for_each_list(void **state)
{
    struct route_table *table = read_table("prefix,bearers,prefer,deny\n"
                                           "33,tag:oragne|tag:orange,tag:oragne,\n"
                                           "34,tag:oragne|tag:orange,,sim:8933010000000000007|name:offise\n"
                                           "35,kind:sim|kind:http|name:provider|*,,\n");

    (void)state;
    route_check(table, bearers, BEARERS, &notes);
    assert_int_equal(notes.count, 4);
    assert_string_equal(notes.text[0], "routes.csv:2:bearers: 'tag:oragne' selects no bearer that is configured");
    assert_string_equal(notes.text[1], "routes.csv:2:prefer: 'tag:oragne' selects no bearer that is configured");
    assert_string_equal(notes.text[2], "routes.csv:3:deny: 'sim:8933010000000000007' selects no bearer that is configured");
    assert_string_equal(notes.text[3], "routes.csv:3:deny: 'name:offise' selects no bearer that is configured");
    route_free(table);

    /* Cards need not be configured: all of them may be a kind that nobody knows yet. */
    table = read_table("prefix,bearers\n33,kind:sim|kind:smpp|*\n");
    route_check(table, NULL, 0, &notes);
    assert_int_equal(notes.count, 1);
    assert_string_equal(notes.text[0], "routes.csv:2:bearers: 'kind:smpp' selects no bearer that is configured");
    route_check(table, bearers, BEARERS, &notes);
    assert_int_equal(notes.count, 0);
    route_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_decides_alone),
        cmocka_unit_test(short_codes_have_routes_of_their_own_or_take_the_default),
        cmocka_unit_test(prefixes_are_told_in_the_order_of_their_routes),
        cmocka_unit_test(a_route_says_which_bearers_it_may_use_and_which_go_first),
        cmocka_unit_test(a_provider_that_is_called_like_a_card_is_none),
        cmocka_unit_test(the_implicit_default_takes_every_bearer_and_a_refusal_none),
        cmocka_unit_test(selectors_that_select_nothing_are_told_once_for_each_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
