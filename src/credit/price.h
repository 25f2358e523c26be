/* SPDX-License-Identifier: Apache-2.0
 *
 * price.h - what a part costs in credits: one version of the account's price table.
 *
 * A CSV file by the rules of src/routing/table.h: prefix (digits of an international number, or * for every number), price
 * and price_ucs2 of a part in credits (empty price_ucs2: as price). "refused" instead of a price: such numbers are not sent
 * to. The longest prefix decides; a number without any is refused, never free.
 * A table never changes once it is read; any number of threads may look at it.
 * Money:     millionths of a credit (micro).
 * Keeps I11 (a charge is what the table of the lease's version says: that is why it has a hash) and, with ledger_reserve(),
 * I12 (what is refused costs nothing). */
#ifndef CELLPOST_CREDIT_PRICE_H
#define CELLPOST_CREDIT_PRICE_H

#include <stddef.h>
#include <stdint.h>

#include "src/credit/octets.h"
#include "src/routing/prefix.h"
#include "src/routing/table.h"

#define PRICE_ROWS_MAX 100000
#define PRICE_PART_MICRO_MAX INT64_C(1000000000000)   /* a million credits */
#define PRICE_PARTS_MAX 255                  /* of a message: TS 23.040 9.2.3.24.1 */

enum price_encoding { PRICE_GSM7, PRICE_UCS2, PRICE_ENCODINGS };   /* national tables are GSM7 */

struct price_table;

/* Reads the table of a version, which is 1 or more. On success *ret_table is new and the caller's. -EINVAL: notes say why;
 * -ENOMEM; either way *ret_table is as it was. notes are emptied first. */
int price_table_parse(uint32_t version, const struct table_file *file, struct price_table **ret_table, struct table_notes *notes);
void price_table_free(struct price_table *table);   /* accepts NULL */

uint32_t price_table_version(const struct price_table *table);
size_t price_table_rows(const struct price_table *table);
/* One of them, from 0, in ascending order of prefixes. */
struct price_row { char prefix[PREFIX_CHARS]; int64_t part_micro[PRICE_ENCODINGS]; };   /* "": every number; 0: refused */
struct price_row price_table_row(const struct price_table *table, size_t index);
/* Of the version and the rows in ascending order of their prefixes: the order in the file, blank lines, quotes and decimals
 * that say nothing do not matter. */
const uint8_t *price_table_sha256(const struct price_table *table);

enum price_verdict { PRICE_PRICED, PRICE_NO_PREFIX, PRICE_REFUSED };

struct price_quote {
    enum price_verdict verdict;
    uint32_t version, row;                   /* the row's place in ascending order of prefixes */
    char prefix[PREFIX_CHARS];               /* that decided; "" of none, or of every number */
    int64_t part_micro, total_micro;         /* 0 unless priced */
};

/* number: E.164 digits without '+'; parts: 1 to PRICE_PARTS_MAX. */
struct price_quote price_quote_of(const struct price_table *table, const char *number, enum price_encoding encoding, unsigned parts);

#endif
