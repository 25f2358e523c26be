/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of operators, then behind a NUL an answer: the table is read or refused with reasons; what is read from the answer lies in
 * bounds, and a day it names is one of this century. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/routing/operator.h"
#include "src/routing/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct table_notes notes;
    const uint8_t *nul = memchr(bytes, '\0', size);
    size_t length = nul ? (size_t)(nul - bytes) : size, rest = nul ? size - length - 1 : 0;
    struct table_file file = { "file", (const char *)bytes, length };
    struct operator_table *table = NULL;
    struct operator_reading reading;
    char *answer = malloc(rest + 1);
    int r;

    if (answer == NULL)
        return 0;
    if (rest > 0)
        memcpy(answer, nul + 1, rest);
    answer[rest] = '\0';
    r = operator_parse(&file, &table, &notes);
    assert((r == 0 || r == -EINVAL) && (r == 0) == (table != NULL) && (r == 0) == (notes.count == 0));
    for (size_t i = 0; r == 0 && i < operator_row_count(table); i++) {
        const struct operator_row *row = operator_row_at(table, i);

        assert(row->balance_pattern[0] == '\0' || strlen(row->balance_pattern) <= OPERATOR_PATTERN_MAX);
    }
    if (r == 0 && operator_read(table, "262010000000001", NULL, answer, &reading) == 0) {
        assert(reading.has_balance || reading.has_parts);
        assert(!reading.has_parts || (reading.rest_parts >= 0 && reading.rest_parts <= 999999999));
        assert(!reading.has_date || (reading.valid_until_day >= 10957 && reading.valid_until_day <= 47481));
        assert(!reading.has_balance || llabs(reading.balance_micro) < INT64_C(1000000000000) * 1000000);
    }
    operator_free(table);
    free(answer);
    return 0;
}
