/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/tariff_check.h"

#include "firmware/cellpost/memory.h"
#include "src/routing/tariff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)   /* as the gateway's ROUTING_FILE_BYTES_MAX */
_Static_assert(TARIFF_CHECK_FILES_MAX == TARIFF_FILES_MAX, "as many as the gateway reads");

/* 0, or a negative errno. */
static int read_file(const char *path, struct table_file *ret_file)
{
    FILE *file = fopen(path, "re");
    size_t size = 65536, length = 0, n = 1;
    char *text;
    int r = 0;

    if (file == NULL)
        return -errno;
    text = memory_check(malloc(size));
    while (n > 0 && r == 0) {
        if (length == size && size > FILE_BYTES_MAX)
            r = -EFBIG;
        else if (length == size)
            text = memory_check(realloc(text, size *= 2));
        n = r == 0 ? fread(text + length, 1, size - length, file) : 0;
        length += n;
    }
    if (r == 0 && ferror(file))
        r = -errno;
    if (r == 0 && length > FILE_BYTES_MAX)
        r = -EFBIG;
    (void)fclose(file);
    if (r < 0) {
        free(text);
        return r;
    }
    *ret_file = (struct table_file){ .name = path, .text = text, .length = length };
    return 0;
}

static void add_error(json_t *errors, const char *text)
{
    json_t *string = json_string(text);

    json_array_append_new(errors, string != NULL ? string : json_string("?"));
}

json_t *tariff_check(char **paths, int count, size_t *ret_plans, size_t *ret_rows)
{
    struct tariff_table *table = NULL;
    struct table_notes *notes = memory_zero(1, sizeof *notes);
    struct table_file *files = memory_zero((size_t)count + 1, sizeof *files);
    json_t *errors = memory_check(json_array());
    size_t read = 0;
    char text[512];

    for (int i = 0; i < count; i++) {
        int r = read_file(paths[i], &files[read]);

        if (r == 0) {
            read++;
            continue;
        }
        (void)snprintf(text, sizeof text, "%.256s: cannot be read: %s", paths[i], r == -EFBIG ? "it is larger than 64 MiB" : strerror(-r));
        add_error(errors, text);
    }
    if (read > 0 && tariff_parse(files, read, &table, notes) == -ENOMEM)
        memory_check(NULL);
    for (unsigned i = 0; i < notes->count; i++)
        add_error(errors, notes->text[i]);
    if (notes->more > 0) {
        (void)snprintf(text, sizeof text, "... and %u more", notes->more);
        add_error(errors, text);
    }
    for (size_t i = 0; i < read; i++)
        free((void *)(uintptr_t)files[i].text);   /* const to everyone but its owner */
    free(files);
    free(notes);
    *ret_plans = table != NULL ? tariff_plan_count(table) : 0;
    *ret_rows = table != NULL ? tariff_row_count(table) : 0;
    tariff_free(table);
    return errors;
}
