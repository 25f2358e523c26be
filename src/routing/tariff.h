/* SPDX-License-Identifier: Apache-2.0
 *
 * tariff.h - what a part costs by plan and number: tables of prices, bundles and free numbers, read from CSV files.
 *
 * docs/tariffs.md says what the files look like. All files together make one table, which never changes once it is read:
 * the one in force stays so until a new one was read without an error.
 * Money:     millionths of the plan's currency. Days: since 1970-01-01, in UTC.
 * Ownership: the table owns all that its functions point to. Any number of threads may look at it. */
#ifndef CELLPOST_ROUTING_TARIFF_H
#define CELLPOST_ROUTING_TARIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/routing/prefix.h"
#include "src/routing/table.h"

#define TARIFF_FILES_MAX 1024
#define TARIFF_ROWS_MAX 1000000          /* of all files */
#define TARIFF_PREFIXES_MAX PREFIX_COUNT_MAX   /* of all rows */
#define TARIFF_PLANS_MAX 4096
#define TARIFF_NAME_MAX 64               /* of a plan, a bundle or a time zone, with its NUL */
#define TARIFF_NOTE_MAX 256
#define TARIFF_PRICE_MICRO_MAX INT64_C(1000000000000000)
#define TARIFF_BUNDLE_PARTS_MAX 1000000000
#define TARIFF_PARTS_MAX 255             /* of a message: TS 23.040 9.2.3.24.1 */
#define TARIFF_DAY_FIRST INT32_MIN       /* no valid_from */
#define TARIFF_DAY_LAST INT32_MAX        /* no valid_until */
#define TARIFF_CANDIDATES_MAX (PREFIX_DIGITS_MAX + 1)

enum tariff_kind { TARIFF_PRICE, TARIFF_BUNDLE, TARIFF_ONNET, TARIFF_KINDS };
enum tariff_period { TARIFF_DAILY, TARIFF_WEEKLY, TARIFF_MONTHLY, TARIFF_PERIODS };

struct tariff_bundle {
    const char *name;
    const char *time_zone;               /* where a period ends: "UTC", "+02:00" or a name such as "Europe/Paris" */
    uint32_t parts;                      /* in each period */
    enum tariff_period period;
    uint8_t reset_day;                   /* weekly: 1 Monday to 7; monthly: 1 to 31, or the last day before; daily: 0 */
};

struct tariff_row {
    enum tariff_kind kind;
    uint32_t plan;                       /* its index */
    uint32_t line; uint16_t file;        /* where it was read */
    int32_t valid_from_day, valid_until_day;   /* both included */
    const char *prefixes;                /* "*", or digits; of a bundle or free numbers maybe several, between '|' */
    const char *note;
    union {
        struct { int64_t price_micro, next_part_price_micro; };
        struct tariff_bundle bundle;
    };
};

struct tariff_table;
struct tariff_plan;

/* Reads all files. On success *ret_table is a new table. -EINVAL: notes say why; -ENOMEM; either way *ret_table is as
 * it was. notes are emptied first. */
int tariff_parse(const struct table_file *files, size_t count, struct tariff_table **ret_table, struct table_notes *notes);
void tariff_free(struct tariff_table *table);   /* accepts NULL */

size_t tariff_row_count(const struct tariff_table *table);
const struct tariff_row *tariff_row_at(const struct tariff_table *table, size_t index);   /* as they were read */
const char *tariff_file_name(const struct tariff_table *table, uint16_t file);
size_t tariff_plan_count(const struct tariff_table *table);
const struct tariff_plan *tariff_plan_at(const struct tariff_table *table, size_t index);
size_t tariff_bytes(const struct tariff_table *table);   /* of memory */

/* NULL: there is no such plan. */
const struct tariff_plan *tariff_find_plan(const struct tariff_table *table, const char *name);
const char *tariff_plan_name(const struct tariff_plan *plan);
const char *tariff_plan_currency(const struct tariff_plan *plan);   /* ISO 4217; "" where it has no price */

/* What a message costs, and why. NO_PREFIX: no row has a prefix of the number. NOT_VALID: rows have, but none on that day. */
enum tariff_verdict { TARIFF_PRICED, TARIFF_NO_PREFIX, TARIFF_NOT_VALID };

struct tariff_quote {
    enum tariff_verdict verdict;
    const struct tariff_row *row;        /* the one that decided; NULL if none */
    char prefix[PREFIX_CHARS];           /* of the row, that decided */
    bool on_net;                         /* the row says that such numbers are free */
    const char *currency;
    int64_t first_part_micro, next_part_micro, total_micro;
    /* Bundles that cover the number on that day, the longest prefix first, whatever the verdict: whether there is
     * something left in them is for those to say who count. */
    const struct tariff_row *bundles[TARIFF_CANDIDATES_MAX];
    size_t bundle_count;
};

/* The longest prefix that has a row for the day decides; if it has a price and is free, it is free. number: E.164
 * digits without '+'; parts: 1 to TARIFF_PARTS_MAX. */
struct tariff_quote tariff_price(const struct tariff_plan *plan, const char *number, unsigned parts, int32_t day);

#endif
