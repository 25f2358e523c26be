/* SPDX-License-Identifier: Apache-2.0
 *
 * commands.h - the verbs of cellpost-central, and what they have in common: options, storage, keys, output.
 *
 * stdout carries results, stderr what is said about them. Whatever comes from the database or a file is escaped. */
#ifndef CELLPOST_CENTRAL_COMMANDS_H
#define CELLPOST_CENTRAL_COMMANDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "firmware/central/ca.h"
#include "firmware/central/db.h"
#include "firmware/central/settings.h"
#include "src/base/money.h"

struct table;                                /* firmware/cellpost/table.h */

/* A contract: scripts rely on them (cellpost-central(8)). */
enum { CENTRAL_OK = 0, CENTRAL_REFUSED = 1, CENTRAL_USAGE = 2, CENTRAL_BROKEN = 3 };

struct command_line;
struct verb {
    const char *name, *object;               /* "box", "enroll"; object NULL: it has none */
    const char *arguments, *help;
    const char *options;                     /* names of those it takes beside the common ones, with spaces between */
    unsigned min, max;                       /* arguments */
    int (*run)(struct command_line *line);
};
extern const struct verb verbs_account[], verbs_box[], verbs_price[], verbs_proof[], verbs_serve[];   /* end with NULL */

struct command_line {
    const struct verb *verb;
    struct settings settings;
    bool json, utc, csv;
    char **arguments; unsigned count;
    const char *note, *label, *valid, *lease_max, *used, *version, *chain;   /* NULL: not given */
    struct central_db *db;
    struct account_db ops;
    struct central_ca *ca;
};

int64_t central_now_ms(void);
const char *central_who(void);               /* the person at the terminal */

/* Open what the verb needs, once; CENTRAL_OK, or CENTRAL_BROKEN after a word. */
int central_open_db(struct command_line *line);
int central_open_ca(struct command_line *line);   /* the database too; makes keys where no box is */
struct account_hands central_hands(const struct command_line *line);

/* Reads in one transaction; whatever is written in it is lost. Errors as the work's, with -EAGAIN tried again. */
typedef int central_work(const struct account_db *db, void *context);
int central_read(const struct account_db *db, central_work *work, void *context);

/* To stderr, one line, escaped. */
void central_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
int central_usage(const struct command_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What came of a call: r and status as src/account gave them. CENTRAL_OK, or an exit status after a word about `what`. */
int central_explain(const struct command_line *line, int r, enum account_status status, const char *what);

/* Arguments. CENTRAL_OK, or CENTRAL_USAGE after a word. */
int central_read_amount(const struct command_line *line, const char *what, const char *text, int64_t max_micro, int64_t *ret_micro);
int central_read_number(const struct command_line *line, const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *ret_number);
int central_read_valid(const struct command_line *line, int64_t *ret_ms);
/* A box by its id, the beginning of it (4 digits or more), or its label. */
int central_find_box(struct command_line *line, const char *text, struct account_box *ret_box);

/* Output. */
void central_print_json(json_t *json);       /* takes it over */
void central_print_table(struct table *table);   /* takes it over */
void central_print_field(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
void central_print_money(const char *name, int64_t micro);
void central_hex(const uint8_t *octets, size_t length, char *ret_text);   /* lower case */
const char *central_when(const struct command_line *line, int64_t ms, char ret_text[40]);
json_t *central_time_json(int64_t ms);       /* RFC 3339, or null */

int central_box_alarms(struct command_line *line);   /* the verb (cli_alarm.c) */

const char *central_box_state(enum account_box_state state);
const char *central_lease_state(enum account_lease_state state);
const char *central_book(enum account_book book);
const char *central_reason(enum account_reason reason);
const char *central_alarm(enum account_alarm alarm);

int central_main(int argc, char **argv);

#endif
