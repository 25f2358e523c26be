/* SPDX-License-Identifier: Apache-2.0
 *
 * operator.h - how each operator is asked for a card's credit, and how its answers read: config/operators.csv.
 *
 * A pattern is text with places in braces, and fits where it stands anywhere in an answer. Letters of either case are the same,
 * a blank stands for any blanks or none. docs/operators.md says what the places are.
 * Money: millionths of the currency. Days: since 1970-01-01.
 * Ownership: the table owns all that its functions point to, and never changes; any number of threads may look at it. */
#ifndef CELLPOST_ROUTING_OPERATOR_H
#define CELLPOST_ROUTING_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/routing/table.h"

#define OPERATOR_ROWS_MAX 4096
#define OPERATOR_PATTERN_MAX 200         /* octets */
#define OPERATOR_CODE_MAX 182            /* of a USSD code */
#define OPERATOR_TEXT_MAX 2048           /* octets of an answer that are looked at */

struct operator_row {
    uint32_t line;                       /* where it was read */
    const char *mcc, *mnc;               /* digits or "*" */
    const char *name;
    const char *balance_ussd;            /* "" none, as with all that follow */
    const char *balance_pattern, *bundle_pattern;
    const char *balance_sms_from, *balance_sms_pattern;
    const char *currency;
};

struct operator_table;

/* -EINVAL: notes say why; -ENOMEM; either way *ret_table is as it was. notes are emptied first. */
int operator_parse(const struct table_file *file, struct operator_table **ret_table, struct table_notes *notes);
void operator_free(struct operator_table *table);   /* accepts NULL */
size_t operator_row_count(const struct operator_table *table);
const struct operator_row *operator_row_at(const struct operator_table *table, size_t index);

/* Of the network that the card's IMSI names. "" where the table does not say. */
const char *operator_name(const struct operator_table *table, const char *imsi);
const char *operator_balance_code(const struct operator_table *table, const char *imsi);
/* A message from this sender may tell the balance. */
bool operator_sends_balance(const struct operator_table *table, const char *imsi, const char *from);

struct operator_reading {
    bool has_balance, has_parts, has_date;
    int64_t balance_micro;
    int32_t rest_parts;
    int32_t valid_until_day;
    char currency[4];                    /* "" not known */
    const struct operator_row *row;      /* whose pattern fitted (that of the balance, if both did) */
};
/* What an answer says. from NULL: to the USSD code; else a message's sender. Patterns of the network's own rows; where it has none
 * of that kind, those of rows for its country and for all. -ENOENT: none fits. */
int operator_read(const struct operator_table *table, const char *imsi, const char *from, const char *text, struct operator_reading *ret_reading);

#endif
