/* SPDX-License-Identifier: Apache-2.0
 *
 * db_rows.h - rows of the account as columns, and the statements on them: what both storages share.
 *
 * A table is described once, field by field; its statements are made of that. They are the same text for SQLite and for
 * PostgreSQL: parameters are $1, $2, ... in the order in which they first appear, numbers are of 64 bits, nothing is NULL. */
#ifndef CELLPOST_CENTRAL_DB_ROWS_H
#define CELLPOST_CENTRAL_DB_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_FIELDS_MAX 24

enum db_value_kind { DB_NUMBER, DB_BYTES, DB_TEXT };
struct db_value { enum db_value_kind kind; int64_t number; const void *bytes; size_t length; };

static inline struct db_value db_number(int64_t number) { return (struct db_value){ DB_NUMBER, number, NULL, 0 }; }
static inline struct db_value db_bytes(const void *bytes, size_t length) { return (struct db_value){ DB_BYTES, 0, bytes, length }; }
struct db_value db_text(const char *text);

/* How a field of a row lies in memory. */
enum db_field_kind {
    FIELD_NUMBER,                            /* of size octets, without a sign where those are fewer than 8 */
    FIELD_BYTES,                             /* exactly size octets */
    FIELD_CHARS,                             /* an array of size characters, NUL included */
    FIELD_TEXT,                              /* a pointer to a string */
    FIELD_COUNTED                            /* a pointer to octets; size is the offset of how many, a size_t */
};
struct db_field { const char *name; enum db_field_kind kind; size_t offset, size; };

/* The first key_count fields are its key. */
struct db_table {
    const char *name;
    const struct db_field *fields;
    size_t count, key_count;
    bool many;                               /* rows come by the thousand in one transaction: worth to be sent together */
};

enum db_table_id {
    TABLE_ACCOUNT, TABLE_BOX, TABLE_LEASE, TABLE_POSTING, TABLE_ENTRY, TABLE_ANSWER, TABLE_COMMAND, TABLE_PRICE, TABLE_PRICE_ROW,
    TABLE_TOKEN, TABLE_ALARM, DB_TABLES
};
extern const struct db_table db_tables[DB_TABLES];

enum db_shape {
    SHAPE_ADD,                               /* INSERT of a whole row; none is added where a key is taken */
    SHAPE_SET,                               /* UPDATE of a whole row by its key */
    SHAPE_GET,                               /* SELECT of a whole row by its key */
    SHAPE_SELECT,                            /* SELECT of whole rows, and what text says behind it */
    SHAPE_TEXT                               /* text as it is */
};
struct db_statement {
    enum db_shape shape;
    enum db_table_id table;
    const char *text;
    bool writes, any_count;                  /* any_count: it may change any number of rows, otherwise one */
    bool lock;                               /* whoever reads it is about to write it: PostgreSQL locks the row */
    bool stream;                             /* of any length: rows are not to be kept in memory together */
};

enum db_statement_id {
    DO_ACCOUNT_ADD, DO_ACCOUNT_GET, DO_ACCOUNT_FIND, DO_ACCOUNT_SET, DO_ACCOUNT_LIST,
    DO_BOX_ADD, DO_BOX_GET, DO_BOX_SET, DO_BOX_LIST, DO_BOX_LIST_ALL,
    DO_LEASE_ADD, DO_LEASE_GET, DO_LEASE_SET, DO_LEASE_LIST, DO_LEASE_LIST_ALL, DO_LEASE_UNSETTLED, DO_LEASE_UNSETTLED_ALL, DO_LEASE_DUE,
    DO_POSTING_ADD, DO_POSTING_LIST,
    DO_ENTRY_ADD, DO_ENTRY_GET, DO_ENTRY_HASH, DO_ENTRY_OVER, DO_ENTRY_LIST, DO_ENTRY_LIST_ALL,
    DO_ANSWER_ADD, DO_ANSWER_GET, DO_ANSWER_PRUNE,
    DO_COMMAND_ADD, DO_COMMAND_LIST,
    DO_PRICE_ADD, DO_PRICE_GET, DO_PRICE_NEWEST, DO_PRICE_ROW_ADD, DO_PRICE_ROW_GET,
    DO_TOKEN_ADD, DO_TOKEN_GET, DO_TOKEN_SET, DO_ALARM_ADD, DO_ALARM_LIST, DO_ALARM_LIST_ALL,
    DB_STATEMENTS
};
extern const struct db_statement db_statements[DB_STATEMENTS];

#define DB_STATEMENT_CHARS 2048
void db_statement_text(enum db_statement_id id, char ret_text[DB_STATEMENT_CHARS]);
/* "a,b,c": the columns of a table. */
void db_table_columns(enum db_table_id table, char *ret_text, size_t size);

/* All fields of a row as values, which point into it. */
void db_row_values(const struct db_table *table, const void *row, struct db_value ret_values[DB_FIELDS_MAX]);
/* The same for SHAPE_SET: the key comes last. */
void db_set_values(const struct db_table *table, const void *row, struct db_value ret_values[DB_FIELDS_MAX]);
/* The other way; texts point into the values. -EBADMSG: a column holds what no row can. */
int db_row_read(const struct db_table *table, const struct db_value *values, size_t count, void *ret_row);

#endif
