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
#include "tests/unit/routing/route_text.h"

static struct table_notes notes;

static int parse(const char *text, size_t length, struct route_table **ret_table)
{
    const struct table_file file = { "routes.csv", text, length };

    return route_parse(&file, 1, ret_table, &notes);
}

static struct route_table *expect_good(const char *text)
{
    struct route_table *table = NULL;

    if (parse(text, strlen(text), &table) != 0)
        fail_msg("%s", notes.text[0]);
    assert_int_equal(notes.count, 0);
    return table;
}

static const char everything[] =
    "\xEF\xBB\xBFnote,prefix,action,bearers,order,prefer,deny,fixed_lines,patience,sticky,max_price\r\n"
    "# a comment, with \"anything\r\n"
    "\r\n"
    "\"caf\xC3\xA9, \"\"here\"\"\r\nand there\",33,send,tag:orange|sim:8933010000000000001F|name:t\xC3\xA9l 2|kind:http,listed,,kind:sip,yes,2h,no,0.05\r\n"
    ",,,,,,,,,,\r\n"
    ",336,,tag:orange|tag:free,price,tag:abo,name:old,no,0s,yes,0\r\n"
    "they asked,33607123456,refuse,,,,,,,,\r\n"
    ",short:12345,,kind:sim,,,,,63w,,1000000000\r\n"
    ",short:*,refuse,,,,,,,,\r\n"
    ",1,,*,,,,,10m,,";

static void every_column_reaches_its_field(void **state)
{
    struct route_table *table = expect_good(everything);
    const struct route *route;

    (void)state;
    assert_int_equal(route_count(table), 7);
    route = route_at(table, ROUTE_DEFAULT);
    assert_string_equal(route->prefix, "*");
    assert_int_equal(route->line, 6);
    assert_false(route->implicit);
    assert_false(route->short_code);
    assert_int_equal(route->action, ROUTE_SEND);
    assert_int_equal(route->order, ROUTE_BY_PRICE);
    assert_int_equal(route->fixed_lines, ROUTE_AS_CONFIGURED);
    assert_int_equal(route->sticky, ROUTE_AS_CONFIGURED);
    assert_int_equal(route->patience_s, ROUTE_PATIENCE_UNSET);
    assert_int_equal(route->max_price_micro, ROUTE_PRICE_UNBOUND);
    assert_string_equal(route->note, "");
    assert_string_equal(route->bearers->text, "*");
    assert_int_equal(route->bearers->count, 1);
    assert_int_equal(route->bearers->selectors[0].kind, ROUTE_SELECT_ALL);
    assert_null(route->prefer);
    assert_null(route->deny);
    route = route_at(table, 1);
    assert_string_equal(route->prefix, "1");
    assert_int_equal(route->patience_s, 600);
    assert_ptr_equal(route->bearers, route_at(table, ROUTE_DEFAULT)->bearers);
    route = route_at(table, 2);
    assert_string_equal(route->prefix, "33");
    assert_int_equal(route->line, 4);
    assert_string_equal(route_file_name(table, route->file), "routes.csv");
    assert_string_equal(route->note, "caf\xC3\xA9, \"here\"\r\nand there");
    assert_int_equal(route->order, ROUTE_AS_LISTED);
    assert_int_equal(route->fixed_lines, ROUTE_YES);
    assert_int_equal(route->sticky, ROUTE_NO);
    assert_int_equal(route->patience_s, 7200);
    assert_int_equal(route->max_price_micro, 50000);
    assert_int_equal(route->bearers->count, 4);
    assert_int_equal(route->bearers->selectors[0].kind, ROUTE_SELECT_TAG);
    assert_string_equal(route->bearers->selectors[0].value, "orange");
    assert_int_equal(route->bearers->selectors[1].kind, ROUTE_SELECT_SIM);
    assert_string_equal(route->bearers->selectors[1].value, "8933010000000000001F");
    assert_int_equal(route->bearers->selectors[2].kind, ROUTE_SELECT_NAME);
    assert_string_equal(route->bearers->selectors[2].value, "t\xC3\xA9l 2");
    assert_int_equal(route->bearers->selectors[3].kind, ROUTE_SELECT_KIND);
    assert_int_equal(route->bearers->selectors[3].bearer_kind, ROUTE_HTTP);
    assert_string_equal(route->deny->text, "kind:sip");
    route = route_at(table, 3);
    assert_string_equal(route->prefix, "336");
    assert_string_equal(route->prefer->text, "tag:abo");
    assert_string_equal(route->deny->text, "name:old");
    assert_int_equal(route->fixed_lines, ROUTE_NO);
    assert_int_equal(route->sticky, ROUTE_YES);
    assert_int_equal(route->patience_s, 0);
    assert_int_equal(route->max_price_micro, 0);
    route = route_at(table, 4);
    assert_string_equal(route->prefix, "33607123456");
    assert_int_equal(route->action, ROUTE_REFUSE);
    assert_string_equal(route->note, "they asked");
    assert_int_equal(route->bearers->count, 0);
    route = route_at(table, 5);
    assert_string_equal(route->prefix, "short:*");
    assert_true(route->short_code);
    assert_int_equal(route->action, ROUTE_REFUSE);
    route = route_at(table, 6);
    assert_string_equal(route->prefix, "short:12345");
    assert_int_equal(route->patience_s, ROUTE_PATIENCE_S_MAX);
    assert_true(route->max_price_micro == ROUTE_PRICE_MICRO_MAX);
    assert_true(route_bytes(table) > 7 * sizeof *route);
    route_free(table);
}

static void a_table_written_again_means_the_same(void **state)
{
    struct route_table *table = expect_good(everything), *again = NULL;
    struct route_text_buffer text;

    (void)state;
    route_text_write(table, &text);
    if (parse(text.text, text.length, &again) != 0)
        fail_msg("%s", notes.text[0]);
    assert_true(route_text_same(table, again));
    free(text.text);
    route_free(table);
    route_free(again);
}

static void every_truncation_is_read_or_refused_with_a_reason(void **state)
{
    size_t length = sizeof everything - 1;
    unsigned good = 0;

    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        /* Of its own length exactly, so that reading beyond it is seen. */
        char *text = malloc(cut + (cut == 0));
        struct route_table *table = NULL;
        int r;

        assert_non_null(text);
        memcpy(text, everything, cut);
        r = parse(text, cut, &table);
        if (r == 0) {
            good++;
            assert_int_equal(notes.count, 0);
            assert_in_range(route_count(table), 1, 7);
        } else {
            assert_int_equal(r, -EINVAL);
            assert_null(table);
            assert_in_range(notes.count, 1, TABLE_NOTES_MAX);
            assert_int_equal(strncmp(notes.text[0], "routes.csv:", 11), 0);
        }
        route_free(table);
        free(text);
    }
    assert_in_range(good, 10, 120);
}

#define HEADER "prefix,action,bearers,order,prefer,deny,fixed_lines,patience,sticky,max_price,note\n"
#define COLUMNS "prefix, action, bearers, order, prefer, deny, fixed_lines, patience, sticky, max_price, note"
#define ALLOWED_PREFIX " (allowed: 1 to 15 digits of an international number without '+', * for every number, short:DIGITS or short:*)"
#define ALLOWED_SELECTOR " (allowed: *, tag:NAME, sim:ICCID, name:NAME, kind:sim, kind:http, kind:smpp or kind:sip)"
#define ALLOWED_PRICE " (allowed: 0 to 1000000000, with at most 6 decimals behind a point)"
#define ALLOWED_PATIENCE " (allowed: 0s to 63w, as 90s, 10m, 2h or 1d)"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X48 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Each has this one error and no other. */
static const struct { const char *text, *error; } errors[] = {
    { "", "routes.csv: has no header (a line with the names of its columns: " COLUMNS ")" },
    { "prefix,bearer\n", "routes.csv:1:bearer: unknown column (allowed: " COLUMNS ")" },
    { "bearers\n", "routes.csv:1:prefix: the header does not have this column, which it needs" },
    { HEADER "33\n", "routes.csv:2: the row has 1 field, the header has 11" },
    { HEADER "33,,,,,,,,,,\xFF\n", "routes.csv:2: the row is not UTF-8" },
    { HEADER "+33,,,,,,,,,,\n", "routes.csv:2:prefix: '+33' is no prefix" ALLOWED_PREFIX },
    { HEADER "33*,,,,,,,,,,\n", "routes.csv:2:prefix: '33*' is no prefix" ALLOWED_PREFIX },
    { HEADER "1234567890123456,,,,,,,,,,\n", "routes.csv:2:prefix: '1234567890123456' is no prefix" ALLOWED_PREFIX },
    { HEADER "0033,,,,,,,,,,\n", "routes.csv:2:prefix: '0033' begins with 0, as no country code does" ALLOWED_PREFIX },
    { HEADER "short:,,,,,,,,,,\n", "routes.csv:2:prefix: 'short:' is no prefix" ALLOWED_PREFIX },
    { HEADER "short:12x,,,,,,,,,,\n", "routes.csv:2:prefix: 'short:12x' is no prefix" ALLOWED_PREFIX },
    { HEADER "short:1234567,,,,,,,,,,\n", "routes.csv:2:prefix: 'short:1234567' is longer than any short code (allowed: up to 6 digits)" },
    { HEADER "33,drop,,,,,,,,,\n", "routes.csv:2:action: 'drop' is no action (allowed: send or refuse; nothing is send)" },
    { HEADER "33,,orange,,,,,,,,\n", "routes.csv:2:bearers: 'orange' is no selector" ALLOWED_SELECTOR },
    { HEADER "33,,Tag:orange,,,,,,,,\n", "routes.csv:2:bearers: 'Tag:orange' is no selector" ALLOWED_SELECTOR },
    { HEADER "33,,tag:a|,,,,,,,,\n", "routes.csv:2:bearers: a selector between two '|' is empty" ALLOWED_SELECTOR },
    { HEADER "33,,tag:a||tag:b,,,,,,,,\n", "routes.csv:2:bearers: a selector between two '|' is empty" ALLOWED_SELECTOR },
    { HEADER "33,,tag:a| tag:b,,,,,,,,\n", "routes.csv:2:bearers: ' tag:b' is no selector" ALLOWED_SELECTOR },
    { HEADER "33,,tag:,,,,,,,,\n", "routes.csv:2:bearers: 'tag:' has no name (allowed: a name of 1 to 63 octets)" },
    { HEADER "33,,,,,name:" X64 ",,,,,\n",
      "routes.csv:2:deny: 'name:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is too long (allowed: a name of 1 to 63 octets)" },
    { HEADER "33,,tag: a,,,,,,,,\n",
      "routes.csv:2:bearers: 'tag: a' has blanks or a line break where none may be (allowed: a name without blanks around it)" },
    { HEADER "33,,\"tag:a\nb\",,,,,,,,\n",
      "routes.csv:2:bearers: 'tag:a?b' has blanks or a line break where none may be (allowed: a name without blanks around it)" },
    { HEADER "33,,sim:89330100,,,,,,,,\n", "routes.csv:2:bearers: 'sim:89330100' has no ICCID (allowed: sim: and its 18 to 22 digits)" },
    { HEADER "33,,sim:893301000000000000x,,,,,,,,\n",
      "routes.csv:2:bearers: 'sim:893301000000000000x' has no ICCID (allowed: sim: and its 18 to 22 digits)" },
    { HEADER "33,,kind:fax,,,,,,,,\n",
      "routes.csv:2:bearers: 'kind:fax' is no kind of bearer (allowed: kind:sim, kind:http, kind:smpp or kind:sip)" },
    { HEADER "33,,tag:a|kind:sim|tag:a,,,,,,,,\n", "routes.csv:2:bearers: 'tag:a' is listed twice (allowed: each selector once)" },
    { HEADER "33,,*|*,,,,,,,,\n", "routes.csv:2:bearers: '*' is listed twice (allowed: each selector once)" },
    { HEADER "33,,tag:a|*|tag:b,listed,,,,,,,\n",
      "routes.csv:2:bearers: 'tag:a|*|tag:b' has selectors behind *, which leaves nothing for them (allowed: * as the last one)" },
    { HEADER "33,,,cheap,,,,,,,\n", "routes.csv:2:order: 'cheap' is no order (allowed: price or listed; nothing is price)" },
    { HEADER "33,,tag:a|tag:b,listed,tag:b,,,,,,\n",
      "routes.csv:2:prefer: 'tag:b' has no place here (allowed: nothing where the order is listed)" },
    { HEADER "33,,,,,tag:a|*,,,,,\n",
      "routes.csv:2:deny: 'tag:a|*' leaves no bearer (allowed: selectors but *; action refuse for numbers that get nothing)" },
    { HEADER "33,,,,,,true,,,,\n", "routes.csv:2:fixed_lines: 'true' is neither yes nor no (allowed: yes, no, or nothing for what is configured)" },
    { HEADER "33,,,,,,,,Yes,,\n", "routes.csv:2:sticky: 'Yes' is neither yes nor no (allowed: yes, no, or nothing for what is configured)" },
    { HEADER "33,,,,,,,30,,,\n", "routes.csv:2:patience: '30' has no unit" ALLOWED_PATIENCE },
    { HEADER "33,,,,,,,soon,,,\n", "routes.csv:2:patience: 'soon' is not a duration" ALLOWED_PATIENCE },
    { HEADER "33,,,,,,,-1s,,,\n", "routes.csv:2:patience: '-1s' is not a duration" ALLOWED_PATIENCE },
    { HEADER "33,,,,,,,1500ms,,,\n", "routes.csv:2:patience: '1500ms' has an unknown unit" ALLOWED_PATIENCE },
    { HEADER "33,,,,,,,1h30m,,,\n", "routes.csv:2:patience: '1h30m' has an unknown unit" ALLOWED_PATIENCE },
    { HEADER "33,,,,,,,64w,,,\n", "routes.csv:2:patience: '64w' is out of range" ALLOWED_PATIENCE },
    { HEADER "33,,,,,,,38102401s,,,\n", "routes.csv:2:patience: '38102401s' is out of range" ALLOWED_PATIENCE },
    { HEADER "33,,,,,,,99999999999999999999999999999s,,,\n",
      "routes.csv:2:patience: '99999999999999999999999999999s' is out of range" ALLOWED_PATIENCE },
    { HEADER "33,,,,,,,,,-1,\n", "routes.csv:2:max_price: '-1' is negative" ALLOWED_PRICE },
    { HEADER "33,,,,,,,,,1000000000.000001,\n", "routes.csv:2:max_price: '1000000000.000001' is too high" ALLOWED_PRICE },
    { HEADER "33,,,,,,,,,," X64 X64 X64 X64 "\n", "routes.csv:2:note: '" X48 "...' is too long (allowed: up to 255 octets)" },
    { HEADER "33,refuse,*,,,,,,,,\n", "routes.csv:2:bearers: '*' has no place here (allowed: nothing in a row that refuses)" },
    { HEADER "33,refuse,,price,,,,,,,\n", "routes.csv:2:order: 'price' has no place here (allowed: nothing in a row that refuses)" },
    { HEADER "33,refuse,,,tag:a,,,,,,\n", "routes.csv:2:prefer: 'tag:a' has no place here (allowed: nothing in a row that refuses)" },
    { HEADER "33,refuse,,,,,,,,0.1,\n", "routes.csv:2:max_price: '0.1' has no place here (allowed: nothing in a row that refuses)" },
    { HEADER "33,,,,,,,,,,\n34,,,,,,,,,,\n33,refuse,,,,,,,,,\n", "routes.csv:4:prefix: '33' has a route already by routes.csv:2 (allowed: one row)" },
    { HEADER "*,,,,,,,,,,\n,,,,,,,,,,\n", "routes.csv:3:prefix: '*' has a route already by routes.csv:2 (allowed: one row)" },
    { HEADER "short:*,,,,,,,,,,\nshort:*,,,,,,,,,,\n", "routes.csv:3:prefix: 'short:*' has a route already by routes.csv:2 (allowed: one row)" },
};

static void every_error_names_file_row_and_column_and_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct route_table *table = NULL;

        assert_int_equal(parse(errors[i].text, strlen(errors[i].text), &table), -EINVAL);
        assert_null(table);
        assert_string_equal(notes.text[0], errors[i].error);
        if (notes.count != 1)
            fail_msg("%s\nis not the only error: %s", errors[i].error, notes.text[1]);
    }
}

static void what_only_looks_alike_is_no_error(void **state)
{
    static const char *const rows[] = {
        HEADER "33,,,,,,,,,,\n330,,,,,,,,,,\nshort:33,,,,,,,,,,\n*,,,,,,,,,,\nshort:*,,,,,,,,,,\n",
        HEADER "33,,tag:sim|kind:sim|name:sim,,,,,,,,\n",
        HEADER "33,,tag:a|*,listed,,,,,,,\n34,,*|tag:a,,tag:a,,,,,,\n",
        HEADER "33,,tag:a,,,tag:a,,,,,\n",
        HEADER "short:000,,,,,,,,,,\n",
        HEADER "33,,tag:*,,,tag:*,,,,,\n",
        "prefix\n*\nshort:*\n",
        "prefix\nshort:33\n33\n",
        "prefix\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        route_free(expect_good(rows[i]));
}

static void all_errors_come_at_once_up_to_a_bound_and_the_running_table_stays(void **state)
{
    struct route_table *running = expect_good(everything), *table = running;
    char text[64 * 1024] = HEADER;

    (void)state;
    assert_int_equal(parse(HEADER "+1,,a|b,x,y,z,q,1,w,-1,\n", strlen(HEADER "+1,,a|b,x,y,z,q,1,w,-1,\n"), &table), -EINVAL);
    assert_ptr_equal(table, running);
    assert_int_equal(notes.count, 10);   /* two of them in the bearers */
    assert_string_equal(notes.text[2], "routes.csv:2:bearers: 'b' is no selector" ALLOWED_SELECTOR);
    for (int i = 0; i < 3000; i++)
        (void)strcpy(text + sizeof HEADER - 1 + 14 * i, "x,,,,,,,,,,  \n");
    assert_int_equal(parse(text, strlen(text), &table), -EINVAL);
    assert_ptr_equal(table, running);
    assert_int_equal(notes.count, TABLE_NOTES_MAX);
    assert_int_equal(notes.more, TABLE_ERRORS_MAX);
    assert_string_equal(notes.text[19], "routes.csv:21:prefix: 'x' is no prefix" ALLOWED_PREFIX);
    /* Nor are prefixes that repeat counted without end. */
    for (int i = 0; i < 3000; i++)
        (void)strcpy(text + sizeof HEADER - 1 + 14 * i, "3,,,,,,,,,,  \n");
    assert_int_equal(parse(text, strlen(text), &table), -EINVAL);
    assert_int_equal(notes.more, TABLE_ERRORS_MAX);
    route_free(running);
}

static void several_files_are_one_table(void **state)
{
    static const char first[] = "prefix,bearers\n33,tag:a\n", second[] = "bearers,prefix\ntag:a,34\ntag:b,33\n";
    struct table_file files[2] = { { "one.csv", first, sizeof first - 1 }, { "two.csv", second, sizeof second - 1 } };
    struct route_table *table = NULL;

    (void)state;
    assert_int_equal(route_parse(files, 2, &table, &notes), -EINVAL);
    assert_int_equal(notes.count, 1);
    assert_string_equal(notes.text[0], "two.csv:3:prefix: '33' has a route already by one.csv:2 (allowed: one row)");
    files[1].length -= strlen("tag:b,33\n");
    assert_int_equal(route_parse(files, 2, &table, &notes), 0);
    assert_int_equal(route_count(table), 3);
    assert_string_equal(route_file_name(table, route_at(table, 2)->file), "two.csv");
    assert_ptr_equal(route_at(table, 1)->bearers, route_at(table, 2)->bearers);
    route_free(table);
    route_free(NULL);
}

static void no_file_at_all_is_an_implicit_default_by_price(void **state)
{
    struct route_table *table = NULL;

    (void)state;
    assert_int_equal(route_parse(NULL, 0, &table, &notes), 0);
    assert_int_equal(route_count(table), 1);
    assert_true(route_at(table, ROUTE_DEFAULT)->implicit);
    assert_string_equal(route_at(table, ROUTE_DEFAULT)->prefix, "*");
    assert_int_equal(route_find_key(table, digits_pack("33607123456", 11, NULL), false), ROUTE_DEFAULT);
    route_free(table);
}

static size_t read_example(char *ret_text, size_t size)
{
    FILE *file = fopen(TEST_DATA_DIR "/../config/routes.csv", "r");
    size_t length;

    assert_non_null(file);
    length = fread(ret_text, 1, size - 1, file);
    (void)fclose(file);
    ret_text[length] = '\0';
    return length;
}

static void the_example_that_is_shipped_changes_nothing(void **state)
{
    char text[8192];
    struct route_table *table = NULL, *none = NULL;
    const struct route *route, *implicit;

    (void)state;
    assert_int_equal(parse(text, read_example(text, sizeof text), &table), 0);
    assert_int_equal(route_count(table), 1);
    route = route_at(table, ROUTE_DEFAULT);
    assert_int_equal(route_parse(NULL, 0, &none, &notes), 0);
    implicit = route_at(none, ROUTE_DEFAULT);
    assert_false(route->implicit);
    assert_int_equal(route->action, implicit->action);
    assert_int_equal(route->order, implicit->order);
    assert_int_equal(route->fixed_lines, implicit->fixed_lines);
    assert_int_equal(route->sticky, implicit->sticky);
    assert_int_equal(route->patience_s, implicit->patience_s);
    assert_int_equal(route->max_price_micro, implicit->max_price_micro);
    assert_true(route_text_same_list(route->bearers, implicit->bearers) && !route->prefer && !route->deny);
    route_free(table);
    route_free(none);
}

/* As its words say: moved below the header. */
static void the_examples_in_its_comments_are_good_rows(void **state)
{
    char text[8192], rows[8192];
    struct route_table *table = NULL;
    size_t length;

    (void)state;
    (void)read_example(text, sizeof text);
    length = (size_t)snprintf(rows, sizeof rows, "%s", strstr(text, "\nprefix,") + 1);
    for (const char *at = text; (at = strstr(at, "\n#   ")) != NULL;) {
        at += 5;
        length += (size_t)snprintf(rows + length, sizeof rows - length, "%.*s\n", (int)strcspn(at, "\n"), at);
    }
    if (parse(rows, length, &table) != 0)
        fail_msg("%s", notes.text[0]);
    assert_int_equal(route_count(table), 6);
    route_free(table);
}

static void more_selectors_lists_or_files_than_the_bound_are_refused(void **state)
{
    size_t size = (size_t)(ROUTE_LISTS_MAX + 8) * 24, length;
    char *text = malloc(size);
    struct route_table *table = NULL;
    static struct table_file files[ROUTE_FILES_MAX + 1];

    (void)state;
    assert_non_null(text);
    length = (size_t)snprintf(text, size, "prefix,bearers\n33,tag:0");
    for (unsigned i = 1; i < ROUTE_SELECTORS_MAX; i++)
        length += (size_t)snprintf(text + length, size - length, "|tag:%u", i);
    assert_int_equal(parse(text, length, &table), 0);
    assert_int_equal(route_at(table, 1)->bearers->count, ROUTE_SELECTORS_MAX);
    route_free(table);
    table = NULL;
    length += (size_t)snprintf(text + length, size - length, "|tag:x");
    assert_int_equal(parse(text, length, &table), -EINVAL);
    assert_string_equal(notes.text[0], "routes.csv:2:bearers: 'tag:0|tag:1|tag:2|tag:3|tag:4|tag:5|tag:6|tag:7|...' has too many selectors (allowed: up to 64)");

    /* Two lists are always there: that of all bearers and that of none. */
    length = (size_t)snprintf(text, size, "prefix,bearers\n");
    for (unsigned i = 0; i < ROUTE_LISTS_MAX - 2; i++)
        length += (size_t)snprintf(text + length, size - length, "1%06u,tag:%u\n", i, i);
    assert_int_equal(parse(text, length, &table), 0);
    assert_string_equal(route_at(table, 65001)->bearers->text, "tag:65000");
    route_free(table);
    table = NULL;
    length += (size_t)snprintf(text + length, size - length, "7,tag:x\n8,tag:y\n");
    assert_int_equal(parse(text, length, &table), -EINVAL);
    assert_int_equal(notes.count, 1);
    assert_string_equal(notes.text[0], "routes.csv:65536:bearers: is one list of selectors too many (allowed: 65536 different ones in all files)");
    free(text);

    for (unsigned i = 0; i <= ROUTE_FILES_MAX; i++)
        files[i] = (struct table_file){ "f.csv", "prefix\n", 7 };
    assert_int_equal(route_parse(files, ROUTE_FILES_MAX + 1, &table, &notes), -EINVAL);
    assert_string_equal(notes.text[0], "f.csv: is one file too many (allowed: 1024)");
    assert_int_equal(route_parse(files, ROUTE_FILES_MAX, &table, &notes), 0);
    route_free(table);
}

static void as_many_rows_as_a_set_has_room_for_are_read_and_one_more_is_refused(void **state)
{
    size_t size = (size_t)(ROUTE_ROWS_MAX + 8) * 16, length;
    char *text = malloc(size);
    struct route_table *table = NULL;

    (void)state;
    assert_non_null(text);
    length = (size_t)snprintf(text, size, "prefix,bearers\n");
    for (unsigned i = 0; i < ROUTE_ROWS_MAX; i++)
        length += (size_t)snprintf(text + length, size - length, "1%06u,tag:%c\n", i, (int)('a' + i % 7));
    assert_int_equal(parse(text, length, &table), 0);
    assert_int_equal(route_count(table), ROUTE_ROWS_MAX + 1);
    assert_true(route_at(table, ROUTE_DEFAULT)->implicit);
    assert_int_equal(route_at(table, route_find_key(table, digits_pack("199999812345", 12, NULL), false))->line, ROUTE_ROWS_MAX + 1);
    route_free(table);
    table = NULL;
    length += (size_t)snprintf(text + length, size - length, "7,tag:a\n");
    assert_int_equal(parse(text, length, &table), -EINVAL);
    assert_null(table);
    assert_string_equal(notes.text[0], "routes.csv:1000001: is one row too many (allowed: 999999 in all files)");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_column_reaches_its_field),
        cmocka_unit_test(a_table_written_again_means_the_same),
        cmocka_unit_test(every_truncation_is_read_or_refused_with_a_reason),
        cmocka_unit_test(every_error_names_file_row_and_column_and_what_is_allowed),
        cmocka_unit_test(what_only_looks_alike_is_no_error),
        cmocka_unit_test(all_errors_come_at_once_up_to_a_bound_and_the_running_table_stays),
        cmocka_unit_test(several_files_are_one_table),
        cmocka_unit_test(no_file_at_all_is_an_implicit_default_by_price),
        cmocka_unit_test(the_example_that_is_shipped_changes_nothing),
        cmocka_unit_test(the_examples_in_its_comments_are_good_rows),
        cmocka_unit_test(more_selectors_lists_or_files_than_the_bound_are_refused),
        cmocka_unit_test(as_many_rows_as_a_set_has_room_for_are_read_and_one_more_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
