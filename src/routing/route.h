/* SPDX-License-Identifier: Apache-2.0
 *
 * route.h - which bearers may take a message to a number, and which of them go first: a table of routes, read from CSV
 * files.
 *
 * docs/routes.md says what the files look like. The longest prefix of a number decides alone; there is always a default
 * route. All files together make one table, which never changes once it is read: the one in force stays so until a new
 * one was read without an error.
 * Money:     millionths of the gateway's currency.
 * Ownership: the table owns all that its functions point to. Any number of threads may look at it. */
#ifndef CELLPOST_ROUTING_ROUTE_H
#define CELLPOST_ROUTING_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/routing/prefix.h"
#include "src/routing/table.h"

#define ROUTE_FILES_MAX 1024
#define ROUTE_ROWS_MAX (PREFIX_COUNT_MAX - 1)   /* of all files; the implicit default route is one more */
#define ROUTE_LISTS_MAX 65536            /* different lists of selectors */
#define ROUTE_SELECTORS_MAX 64           /* in a list */
#define ROUTE_VALUE_MAX 64               /* of a selector, with its NUL */
#define ROUTE_NOTE_MAX 256
#define ROUTE_SHORT_DIGITS_MAX 6         /* as NUMBER_SHORT_DIGITS_MAX */
#define ROUTE_PATIENCE_S_MAX (63 * INT64_C(604800))   /* the longest TP-VP: 3GPP TS 23.040 9.2.3.12.1 */
#define ROUTE_PRICE_MICRO_MAX INT64_C(1000000000000000)
#define ROUTE_PATIENCE_UNSET (-1)        /* as configured */
#define ROUTE_PRICE_UNBOUND (-1)
#define ROUTE_DEFAULT 0u                 /* the index of the default route */

enum route_action { ROUTE_SEND, ROUTE_REFUSE, ROUTE_ACTIONS };
enum route_order { ROUTE_BY_PRICE, ROUTE_AS_LISTED, ROUTE_ORDERS };
enum route_setting { ROUTE_AS_CONFIGURED = -1, ROUTE_NO, ROUTE_YES };

enum route_bearer_kind { ROUTE_SIM, ROUTE_HTTP, ROUTE_SMPP, ROUTE_SIP, ROUTE_BEARER_KINDS };

/* What is known of a bearer. */
struct route_bearer {
    enum route_bearer_kind kind;
    const char *id;                      /* of a SIM its ICCID, of others their name */
    const char *name;                    /* NULL or "": none but the id */
    const char *const *tags;
    size_t tag_count;
};

enum route_selector_kind { ROUTE_SELECT_ALL, ROUTE_SELECT_TAG, ROUTE_SELECT_SIM, ROUTE_SELECT_NAME, ROUTE_SELECT_KIND, ROUTE_SELECTORS };
struct route_selector {
    enum route_selector_kind kind;
    enum route_bearer_kind bearer_kind;  /* of ROUTE_SELECT_KIND */
    const char *value;                   /* "" of ROUTE_SELECT_ALL */
};

/* Lists that are written the same are the same list. */
struct route_list {
    const char *text;                    /* as it is written; "*" where nothing is */
    const char *column;                  /* with file and line: where it was read first */
    uint32_t line; uint16_t file;
    uint8_t count;
    struct route_selector selectors[];
};

struct route {
    enum route_action action;
    enum route_order order;
    int8_t fixed_lines, sticky;          /* enum route_setting */
    bool short_code;                     /* of numbers that are dialled without a country code */
    bool implicit;                       /* the default route that no file has; line and file say nothing */
    uint16_t file; uint32_t line;        /* where it was read */
    int64_t patience_s;                  /* ROUTE_PATIENCE_UNSET */
    int64_t max_price_micro;             /* for a part; ROUTE_PRICE_UNBOUND */
    const char *prefix;                  /* "*", "33", "short:8", "short:*" */
    const char *note;
    const struct route_list *bearers;    /* of a route that refuses: none */
    const struct route_list *prefer, *deny;   /* NULL: none */
};

struct route_table;

/* Reads all files; none at all is a table with the implicit default route. On success *ret_table is a new table.
 * -EINVAL: notes say why; -ENOMEM; either way *ret_table is as it was. notes are emptied first. */
int route_parse(const struct table_file *files, size_t count, struct route_table **ret_table, struct table_notes *notes);
void route_free(struct route_table *table);   /* accepts NULL */

/* Routes are in the order of their prefixes, those of short codes behind all others; the first is the default. */
size_t route_count(const struct route_table *table);
const struct route *route_at(const struct route_table *table, size_t index);
const char *route_file_name(const struct route_table *table, uint16_t file);
size_t route_bytes(const struct route_table *table);   /* of memory */

/* The index of the route of a number, packed by digits_pack(): there always is one. A short code that no route of its
 * kind covers takes the default. */
uint32_t route_find_key(const struct route_table *table, uint64_t to_key, bool short_code);
/* All prefixes of numbers (the i-th belongs to the i-th route), or of short codes. */
const struct prefix_set *route_prefixes(const struct route_table *table, bool short_code);

/* Whether a route may use a bearer, by its lists alone: the price is for those who know it. */
enum route_verdict { ROUTE_ALLOWED, ROUTE_NOT_LISTED, ROUTE_DENIED };
/* ret_rank, written if the bearer is allowed: lower ones go first whatever the price, and equal ones by price. */
enum route_verdict route_judge(const struct route *route, const struct route_bearer *bearer, uint8_t *ret_rank);
bool route_selects(const struct route_selector *selector, const struct route_bearer *bearer);

/* Notes the selectors by tag, SIM, name or kind that select none of the bearers: misspelt, most likely, but no error. Each
 * list once, where it was read first. notes are emptied first. */
void route_check(const struct route_table *table, const struct route_bearer *bearers, size_t count, struct table_notes *notes);

#endif
