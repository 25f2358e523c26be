/* SPDX-License-Identifier: Apache-2.0
 *
 * rates.h - what an amount of one currency is in another, so that prices of different plans can be compared.
 *
 * Read from a CSV file with the columns from, to and rate (docs/tariffs.md). Rates are fractions of integers, so the way
 * back is exact too. A table never changes once it is read; there are few, so they are looked through one by one. */
#ifndef CELLPOST_ROUTING_RATES_H
#define CELLPOST_ROUTING_RATES_H

#include <stddef.h>
#include <stdint.h>

#include "src/routing/table.h"

#define RATES_MAX 4096

struct rate_table;

/* On success *ret_rates is a new table. -EINVAL: notes say why; -ENOMEM; either way *ret_rates is as it was. notes are
 * emptied first. */
int rates_parse(const struct table_file *file, struct rate_table **ret_rates, struct table_notes *notes);
void rates_free(struct rate_table *rates);   /* accepts NULL */
size_t rates_count(const struct rate_table *rates);

/* An amount, not negative, to the nearest millionth, halves up: by the rate from one to the other or, where there is none,
 * by that of the way back. rates may be NULL: only equal currencies are known then. -ENOENT: no rate; -ERANGE: it does not
 * fit. */
int rates_convert(const struct rate_table *rates, int64_t micro, const char *from, const char *to, int64_t *ret_micro);

#endif
