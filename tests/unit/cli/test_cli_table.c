/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/table.h"
#include "firmware/cellpost/text.h"

static const struct table_column columns[] = { { "ID", false, false }, { "PARTS", true, false }, { "TEXT", false, true } };

static void assert_rendered(struct table *table, size_t width, bool color, bool header, const char *expected)
{
    char *text = table_render(table, width, color, header);
    assert_string_equal(text, expected);
    free(text);
}

static struct table *two_rows(void)
{
    struct table *table = table_new(columns, 3);

    table_add(table, "ABCD-m1", TABLE_PLAIN);
    table_addf(table, TABLE_PLAIN, "%d", 3);
    table_add(table, "ăă and \xE6\xBC\xA2", TABLE_PLAIN);
    table_add(table, "ABCD-m22", TABLE_PLAIN);
    table_addf(table, TABLE_PLAIN, "%d", 12);
    table_add(table, "b", TABLE_PLAIN);
    return table;
}

static void columns_line_up_by_what_is_seen(void **state)
{
    struct table *table = two_rows();

    (void)state;
    assert_int_equal(table_rows(table), 2);
    assert_rendered(table, 0, false, true,
                    "ID        PARTS  TEXT\n"
                    "ABCD-m1       3  ăă and \xE6\xBC\xA2\n"
                    "ABCD-m22     12  b\n");
    assert_rendered(table, 0, false, false,
                    "ABCD-m1    3  ăă and \xE6\xBC\xA2\n"
                    "ABCD-m22  12  b\n");
    table_free(table);
}

static void the_flexible_column_gives_way_on_a_narrow_terminal(void **state)
{
    struct table *table = table_new(columns, 3);

    (void)state;
    table_add(table, "m1", TABLE_PLAIN);
    table_add(table, "1", TABLE_PLAIN);
    table_add(table, "a text that is much too long", TABLE_PLAIN);
    assert_rendered(table, 22, false, true,
                    "ID  PARTS  TEXT\n"
                    "m1      1  a text tha…\n");
    table_free(table);
}

static void no_line_passes_the_width_whatever_is_in_it(void **state)
{
    (void)state;
    for (size_t width = 20; width < 60; width++) {
        struct table *table = two_rows();
        table_add(table, "m3", TABLE_PLAIN);
        table_add(table, NULL, TABLE_PLAIN);
        table_add(table, "\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97 \033 \n and more", TABLE_PLAIN);
        char *text = table_render(table, width, false, true);
        for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;)
            /* The fixed columns need 8 + 2 + 5 + 2, and the cut one keeps 8. */
            assert_true(text_width(line) <= (width > 25 ? width : 25));
        free(text);
        table_free(table);
    }
}

static void an_escape_sequence_in_a_cell_stays_text(void **state)
{
    struct table *table = table_new(columns, 3);

    (void)state;
    table_add(table, "m1", TABLE_PLAIN);
    table_add(table, "", TABLE_PLAIN);
    table_add(table, "\033[31m\nm2  1  forged", TABLE_PLAIN);
    assert_rendered(table, 0, true, false, "m1  -  \\x1b[31m\\nm2  1  forged\n");
    table_free(table);
}

static void colours_do_not_move_columns(void **state)
{
    struct table *table = table_new(columns, 3);

    (void)state;
    table_add(table, "m1", TABLE_GOOD);
    table_add(table, "1", TABLE_PLAIN);
    table_add(table, "x", TABLE_BAD);
    table_add(table, "m22", TABLE_PLAIN);
    table_add(table, "1", TABLE_PLAIN);
    table_add(table, "y", TABLE_PLAIN);
    assert_rendered(table, 0, true, false, "\033[32mm1\033[0m   1  \033[31mx\033[0m\nm22  1  y\n");
    assert_rendered(table, 0, false, false, "m1   1  x\nm22  1  y\n");
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_by_what_is_seen),
        cmocka_unit_test(the_flexible_column_gives_way_on_a_narrow_terminal),
        cmocka_unit_test(no_line_passes_the_width_whatever_is_in_it),
        cmocka_unit_test(an_escape_sequence_in_a_cell_stays_text),
        cmocka_unit_test(colours_do_not_move_columns),
    };
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
