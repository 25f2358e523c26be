/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/table.h"

#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2           /* columns between two cells */
#define FLEXIBLE_MIN 8  /* a cut cell keeps at least this much; a narrower terminal wraps */

struct cell { const char *text; size_t width; enum table_style style; };

struct table {
    const struct table_column *columns;
    size_t column_count;
    struct cell *cells;
    size_t cell_count, cell_room;
};

const char *table_style_begin(enum table_style style)
{
    static const char *const begins[] = {
        [TABLE_PLAIN] = "", [TABLE_GOOD] = "\033[32m", [TABLE_WARN] = "\033[33m", [TABLE_BAD] = "\033[31m",
        [TABLE_DIM] = "\033[2m", [TABLE_BOLD] = "\033[1m",
    };
    return begins[style];
}

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = memory_zero(1, sizeof *table);

    assert(count > 0 && count <= TABLE_COLUMNS_MAX);
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->cell_count; i++)
        free((char *)table->cells[i].text);
    free(table->cells);
    free(table);
}

void table_add(struct table *table, const char *text, enum table_style style)
{
    if (text == NULL || text[0] == '\0')
        text = "-";
    if (table->cell_count == table->cell_room) {
        table->cell_room = table->cell_room == 0 ? 64 : table->cell_room * 2;
        table->cells = memory_resize(table->cells, table->cell_room, sizeof table->cells[0]);
    }

    char *escaped = memory_check(text_escape(text, strlen(text), TEXT_ONE_LINE));
    table->cells[table->cell_count++] = (struct cell){ escaped, text_width(escaped), style };
}

void table_addf(struct table *table, enum table_style style, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    table_add(table, memory_check(n < 0 ? NULL : text), style);
    free(text);
}

size_t table_rows(const struct table *table)
{
    return table->cell_count / table->column_count;
}

/* As wide as the widest cell; then the flexible column gives up what the terminal lacks. */
static void table_measure(const struct table *table, size_t width, bool header, size_t ret_widths[TABLE_COLUMNS_MAX])
{
    size_t total = 0;

    for (size_t column = 0; column < table->column_count; column++) {
        size_t widest = header ? text_width(table->columns[column].title) : 0;
        for (size_t i = column; i < table->cell_count; i += table->column_count)
            if (table->cells[i].width > widest)
                widest = table->cells[i].width;
        ret_widths[column] = widest;
        total += widest + (column > 0 ? GAP : 0);
    }
    for (size_t column = 0; width > 0 && column < table->column_count && total > width; column++) {
        if (!table->columns[column].flexible || ret_widths[column] <= FLEXIBLE_MIN)
            continue;
        size_t spare = ret_widths[column] - FLEXIBLE_MIN, over = total - width;
        size_t cut = spare < over ? spare : over;
        ret_widths[column] -= cut;
        total -= cut;
    }
}

static void print_cell(FILE *out, const struct table_column *column, const struct cell *cell, size_t width, bool last, bool color)
{
    bool styled = color && cell->style != TABLE_PLAIN;
    size_t columns = cell->width, octets = strlen(cell->text);
    const char *ellipsis = "";

    if (columns > width) {
        octets = text_fit(cell->text, width > 0 ? width - 1 : 0, &columns);
        ellipsis = "\u2026";
        columns++;
    }
    size_t padding = width > columns ? width - columns : 0;
    fprintf(out, "%*s%s", column->right ? (int)padding : 0, "", styled ? table_style_begin(cell->style) : "");
    fwrite(cell->text, 1, octets, out);
    fprintf(out, "%s%s%*s", ellipsis, styled ? TABLE_STYLE_END : "", column->right || last ? 0 : (int)padding, "");
}

static void print_row(const struct table *table, FILE *out, const struct cell *cells, const size_t *widths, bool color)
{
    for (size_t column = 0; column < table->column_count; column++) {
        if (column > 0)
            fprintf(out, "%*s", GAP, "");
        print_cell(out, &table->columns[column], &cells[column], widths[column], column + 1 == table->column_count, color);
    }
    fputc('\n', out);
}

char *table_render(const struct table *table, size_t width, bool color, bool header)
{
    size_t widths[TABLE_COLUMNS_MAX], length;
    char *text = NULL;
    FILE *out = memory_check(open_memstream(&text, &length));

    assert(table->cell_count % table->column_count == 0);
    table_measure(table, width, header, widths);
    if (header) {
        struct cell titles[TABLE_COLUMNS_MAX];
        for (size_t column = 0; column < table->column_count; column++) {
            const char *title = table->columns[column].title;
            titles[column] = (struct cell){ title, text_width(title), TABLE_DIM };
        }
        print_row(table, out, titles, widths, color);
    }
    for (size_t i = 0; i < table->cell_count; i += table->column_count)
        print_row(table, out, &table->cells[i], widths, color);
    if (fclose(out) != 0) {
        free(text);
        text = NULL;
    }
    return memory_check(text);
}
