/* SPDX-License-Identifier: Apache-2.0
 *
 * vectors.h - reads tests/vectors line by line. */
#ifndef CELLPOST_TESTS_SMS_VECTORS_H
#define CELLPOST_TESTS_SMS_VECTORS_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All rows of a .jsonl file; fails the test where one cannot be read. The caller decrefs. */
static inline json_t *vectors_load(const char *name)
{
    char path[512], *line = NULL;
    size_t size = 0;
    json_t *rows = json_array();
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/vectors/%s", TEST_DATA_DIR, name);
    file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        json_error_t error;
        json_t *row = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

        if (row == NULL)
            fail_msg("%s: %s in %s", name, error.text, line);
        json_array_append_new(rows, row);
    }
    free(line);
    (void)fclose(file);
    assert_true(json_array_size(rows) > 0);
    return rows;
}

static inline const char *vectors_string(const json_t *row, const char *key)
{
    return json_string_value(json_object_get(row, key));
}

static inline int vectors_direction(const json_t *row)
{
    const char *direction = vectors_string(row, "direction");

    return strcmp(direction, "deliver") == 0 ? SMS_DELIVER : strcmp(direction, "submit") == 0 ? SMS_SUBMIT
                                                                                              : SMS_STATUS_REPORT;
}

#endif
