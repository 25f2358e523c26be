/* SPDX-License-Identifier: Apache-2.0
 *
 * db.c - the table of functions of account_db.h over the statements of db_rows.h, for whichever storage is behind. */
#include "firmware/central/db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/central/db_internal.h"

#define VALUES(...) (const struct db_value[]){ __VA_ARGS__ }, sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)

/* No row has a number beyond what 63 bits hold: as a key it is found nowhere, and nothing is after it. */
static struct db_value key_number(uint64_t number)
{
    return db_number(number <= INT64_MAX ? (int64_t)number : INT64_MAX);
}

static struct db_value box_id(const uint8_t *box)
{
    return db_bytes(box, LEASE_BOX_ID_OCTETS);
}

/* -- one row ----------------------------------------------------------------------------------------------------------- */

static int write_row(struct central_db *db, enum db_statement_id id, const void *row)
{
    const struct db_statement *statement = &db_statements[id];
    const struct db_table *table = &db_tables[statement->table];
    struct db_value values[DB_FIELDS_MAX];

    (statement->shape == SHAPE_SET ? db_set_values : db_row_values)(table, row, values);
    return db->backend->write(db, id, values, table->count);
}

struct one { struct central_db *db; enum db_table_id table; void *row; bool found; };

static int reserve(char **buffer, size_t *size, size_t wanted)
{
    char *larger = wanted > *size ? realloc(*buffer, wanted) : *buffer;

    if (!larger && wanted > 0)
        return -ENOMEM;
    *buffer = larger;
    if (wanted > *size)
        *size = wanted;
    return 0;
}

/* Values do not outlive the call: texts of the row are copied, each with a NUL. */
static int take_one(void *context, const struct db_value *values, size_t count)
{
    struct one *one = context;
    const struct db_table *table = &db_tables[one->table];
    struct db_value kept[DB_FIELDS_MAX];
    size_t octets = 0, at = 0;
    int r;

    if (count != table->count)
        return -EBADMSG;
    for (size_t i = 0; i < count; i++)
        octets += values[i].kind == DB_NUMBER ? 0 : values[i].length + 1;
    r = reserve(&one->db->lent, &one->db->lent_size, octets);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        kept[i] = values[i];
        if (values[i].kind == DB_NUMBER)
            continue;
        kept[i].bytes = one->db->lent + at;
        if (values[i].length > 0)
            memcpy(one->db->lent + at, values[i].bytes, values[i].length);
        one->db->lent[at + values[i].length] = '\0';
        at += values[i].length + 1;
    }
    r = db_row_read(table, kept, count, one->row);
    one->found = r == 0;
    return r;
}

static int read_row(struct central_db *db, enum db_statement_id id, const struct db_value *values, size_t count, void *ret_row)
{
    struct one one = { db, db_statements[id].table, ret_row, false };
    int r = db->backend->read(db, id, values, count, take_one, &one);

    return r < 0 ? r : one.found ? 0 : -ENOENT;
}

static int take_number(void *context, const struct db_value *values, size_t count)
{
    if (count != 1 || values[0].kind != DB_NUMBER)
        return -EBADMSG;
    *(int64_t *)context = values[0].number;
    return 0;
}

/* -- lists ------------------------------------------------------------------------------------------------------------- */

/* One for each type of row, as each has a function of its own type to call. */
#define LIST(name, row_type, each_type, table_id) \
    struct name##_list { each_type *each; void *context; }; \
    static int name##_take(void *context, const struct db_value *values, size_t count) \
    { \
        const struct name##_list *list = context; \
        row_type row = { 0 }; \
        int r = db_row_read(&db_tables[table_id], values, count, &row); \
        return r < 0 ? r : list->each(list->context, &row); \
    } \
    static int name##_rows(struct central_db *db, enum db_statement_id id, const struct db_value *values, size_t count, each_type *each, \
                           void *context) \
    { \
        struct name##_list list = { each, context }; \
        return db->backend->read(db, id, values, count, name##_take, &list); \
    }

LIST(account, struct account_row, account_each_account, TABLE_ACCOUNT)
LIST(box, struct account_box, account_each_box, TABLE_BOX)
LIST(lease, struct account_lease, account_each_lease, TABLE_LEASE)
LIST(posting, struct account_posting, account_each_posting, TABLE_POSTING)
LIST(entry, struct account_entry, account_each_entry, TABLE_ENTRY)
LIST(command, struct account_command, account_each_command, TABLE_COMMAND)
LIST(alarm, struct account_alarm_row, account_each_alarm, TABLE_ALARM)

/* -- the table of functions ---------------------------------------------------------------------------------------------- */

static int op_begin(void *db, unsigned attempt)
{
    ((struct central_db *)db)->prices_written = false;
    return ((struct central_db *)db)->backend->begin(db, attempt);
}

static int op_commit(void *db)
{
    return ((struct central_db *)db)->backend->commit(db);
}

static void op_rollback(void *db)
{
    ((struct central_db *)db)->backend->rollback(db);
}

static int account_add(void *context, struct account_row *row)
{
    struct central_db *db = context;
    struct db_value values[DB_FIELDS_MAX];
    int64_t id = 0;
    int r;

    db_row_values(&db_tables[TABLE_ACCOUNT], row, values);
    r = db->backend->read(db, DO_ACCOUNT_ADD, values + 1, db_tables[TABLE_ACCOUNT].count - 1, take_number, &id);
    if (r < 0)
        return r;
    if (id == 0)
        return -EEXIST;
    row->id = id;
    return 0;
}

static int account_get(void *db, int64_t id, struct account_row *ret_row)
{
    return read_row(db, DO_ACCOUNT_GET, VALUES(db_number(id)), ret_row);
}

static int account_find(void *db, const char *name, struct account_row *ret_row)
{
    return read_row(db, DO_ACCOUNT_FIND, VALUES(db_text(name)), ret_row);
}

static int account_set(void *db, const struct account_row *row)
{
    return write_row(db, DO_ACCOUNT_SET, row);
}

static int account_list(void *db, account_each_account *each, void *context)
{
    return account_rows(db, DO_ACCOUNT_LIST, NULL, 0, each, context);
}

static int box_add(void *db, const struct account_box *row)
{
    return write_row(db, DO_BOX_ADD, row);
}

static int box_get(void *db, const uint8_t *id, struct account_box *ret_row)
{
    return read_row(db, DO_BOX_GET, VALUES(box_id(id)), ret_row);
}

static int box_set(void *db, const struct account_box *row)
{
    return write_row(db, DO_BOX_SET, row);
}

static int box_list(void *db, int64_t account, account_each_box *each, void *context)
{
    return account == 0 ? box_rows(db, DO_BOX_LIST_ALL, NULL, 0, each, context) :
                          box_rows(db, DO_BOX_LIST, VALUES(db_number(account)), each, context);
}

static int lease_add(void *db, const struct account_lease *row)
{
    return write_row(db, DO_LEASE_ADD, row);
}

static int lease_get(void *db, const uint8_t *box, uint64_t id, struct account_lease *ret_row)
{
    return read_row(db, DO_LEASE_GET, VALUES(box_id(box), key_number(id)), ret_row);
}

static int lease_set(void *db, const struct account_lease *row)
{
    return write_row(db, DO_LEASE_SET, row);
}

static int lease_list(void *db, const uint8_t *box, bool settled, account_each_lease *each, void *context)
{
    if (!box)
        return lease_rows(db, settled ? DO_LEASE_LIST_ALL : DO_LEASE_UNSETTLED_ALL, NULL, 0, each, context);
    return lease_rows(db, settled ? DO_LEASE_LIST : DO_LEASE_UNSETTLED, VALUES(box_id(box)), each, context);
}

static int lease_due(void *db, int64_t now_ms, size_t count, account_each_lease *each, void *context)
{
    return lease_rows(db, DO_LEASE_DUE, VALUES(db_number(now_ms), key_number(count)), each, context);
}

static int posting_add(void *db, const struct account_posting *row)
{
    return write_row(db, DO_POSTING_ADD, row);
}

static int posting_list(void *db, int64_t account, const uint8_t *box, uint64_t lease, account_each_posting *each, void *context)
{
    static const uint8_t none[LEASE_BOX_ID_OCTETS];

    return posting_rows(db, DO_POSTING_LIST, VALUES(db_number(account), box_id(box ? box : none), key_number(box ? lease : 0)), each, context);
}

static int entry_add(void *db, const struct account_entry *row)
{
    return write_row(db, DO_ENTRY_ADD, row);
}

static int entry_get(void *db, const uint8_t *box, uint32_t chain, uint64_t seq, struct account_entry *ret_row)
{
    return read_row(db, DO_ENTRY_GET, VALUES(box_id(box), db_number(chain), key_number(seq)), ret_row);
}

struct hash { uint8_t *octets; bool found; };

static int take_hash(void *context, const struct db_value *values, size_t count)
{
    struct hash *hash = context;

    if (count != 1 || values[0].kind != DB_BYTES || values[0].length != SHA256_OCTETS)
        return -EBADMSG;
    memcpy(hash->octets, values[0].bytes, SHA256_OCTETS);
    hash->found = true;
    return 0;
}

static int entry_hash(void *context, const uint8_t *box, uint32_t chain, uint64_t seq, uint8_t ret_hash[SHA256_OCTETS])
{
    struct central_db *db = context;
    struct hash hash = { ret_hash, false };
    int r = db->backend->read(db, DO_ENTRY_HASH, VALUES(box_id(box), db_number(chain), key_number(seq)), take_hash, &hash);

    return r < 0 ? r : hash.found ? 0 : -ENOENT;
}

static int entry_over(void *context, const uint8_t *box, uint32_t chain, uint64_t seq)
{
    struct central_db *db = context;

    return db->backend->write(db, DO_ENTRY_OVER, VALUES(box_id(box), db_number(chain), key_number(seq)));
}

static int entry_list(void *db, const uint8_t *box, account_each_entry *each, void *context)
{
    return box ? entry_rows(db, DO_ENTRY_LIST, VALUES(box_id(box)), each, context) : entry_rows(db, DO_ENTRY_LIST_ALL, NULL, 0, each, context);
}

static int answer_get(void *db, const uint8_t *box, const uint8_t *request, struct account_answer *ret_row)
{
    return read_row(db, DO_ANSWER_GET, VALUES(box_id(box), db_bytes(request, ACCOUNT_REQUEST_OCTETS)), ret_row);
}

static int answer_add(void *db, const struct account_answer *row)
{
    return write_row(db, DO_ANSWER_ADD, row);
}

static int answer_prune(void *context, int64_t before_ms)
{
    struct central_db *db = context;

    return db->backend->write(db, DO_ANSWER_PRUNE, VALUES(db_number(before_ms)));
}

static int command_add(void *db, const struct account_command *row)
{
    return write_row(db, DO_COMMAND_ADD, row);
}

static int command_list(void *db, const uint8_t *box, uint32_t epoch, uint64_t after, size_t count, account_each_command *each, void *context)
{
    return command_rows(db, DO_COMMAND_LIST, VALUES(box_id(box), db_number(epoch), key_number(after), key_number(count)), each, context);
}

/* -- prices -------------------------------------------------------------------------------------------------------------- */

void db_forget(struct central_db *db)
{
    free(db->price_csv);
    db->price_csv = NULL;
    memset(&db->price, 0, sizeof db->price);
    memset(db->price_rows, 0, sizeof db->price_rows);
}

static int price_add(void *context, const struct account_price *row)
{
    struct central_db *db = context;

    db->prices_written = true;
    db_forget(db);
    return write_row(db, DO_PRICE_ADD, row);
}

static int price_row_add(void *context, const struct account_price_row *row)
{
    struct central_db *db = context;

    if (!db->prices_written)
        db_forget(db);
    db->prices_written = true;
    return write_row(db, DO_PRICE_ROW_ADD, row);
}

static int price_get(void *context, uint32_t version, struct account_price *ret_row)
{
    struct central_db *db = context;
    int64_t newest = version;
    char *copy;
    int r = version == 0 ? db->backend->read(db, DO_PRICE_NEWEST, NULL, 0, take_number, &newest) : 0;

    if (r < 0)
        return r;
    if (newest == 0)
        return -ENOENT;
    if (db->price.version == newest) {
        *ret_row = db->price;
        return 0;
    }
    r = read_row(db, DO_PRICE_GET, VALUES(db_number(newest)), ret_row);
    if (r < 0 || version != 0 || db->prices_written)
        return r;
    copy = malloc(ret_row->csv_length + 1);
    if (!copy)
        return 0;                            /* it is only read again */
    memcpy(copy, ret_row->csv, ret_row->csv_length);
    copy[ret_row->csv_length] = '\0';
    free(db->price_csv);
    db->price_csv = copy;
    db->price = *ret_row;
    db->price.csv = copy;
    return 0;
}

static int price_row_get(void *context, uint32_t version, uint32_t row, struct account_price_row *ret_row)
{
    struct central_db *db = context;
    struct account_price_row *kept = &db->price_rows[(row ^ version << 5) % DB_PRICE_ROWS_KEPT];
    int r;

    if (version != 0 && kept->version == version && kept->row == row) {
        *ret_row = *kept;
        return 0;
    }
    r = read_row(db, DO_PRICE_ROW_GET, VALUES(db_number(version), db_number(row)), ret_row);
    if (r == 0 && !db->prices_written)
        *kept = *ret_row;
    return r;
}

static int token_add(void *db, const struct account_token *row)
{
    return write_row(db, DO_TOKEN_ADD, row);
}

static int token_get(void *db, const uint8_t *sha256, struct account_token *ret_row)
{
    return read_row(db, DO_TOKEN_GET, VALUES(db_bytes(sha256, SHA256_OCTETS)), ret_row);
}

static int token_set(void *db, const struct account_token *row)
{
    return write_row(db, DO_TOKEN_SET, row);
}

static int alarm_add(void *db, const struct account_alarm_row *row)
{
    return write_row(db, DO_ALARM_ADD, row);
}

static int alarm_list(void *db, const uint8_t *box, account_each_alarm *each, void *context)
{
    return box ? alarm_rows(db, DO_ALARM_LIST, VALUES(box_id(box)), each, context) : alarm_rows(db, DO_ALARM_LIST_ALL, NULL, 0, each, context);
}

static const struct account_db_ops ops = {
    op_begin, op_commit, op_rollback,
    account_add, account_get, account_find, account_set, account_list,
    box_add, box_get, box_set, box_list,
    lease_add, lease_get, lease_set, lease_list, lease_due,
    posting_add, posting_list,
    entry_add, entry_get, entry_hash, entry_over, entry_list,
    answer_get, answer_add, answer_prune,
    command_add, command_list,
    price_add, price_row_add, price_get, price_row_get,
    token_add, token_get, token_set, alarm_add, alarm_list,
};

/* -- open and close ------------------------------------------------------------------------------------------------------ */

int central_db_open(const char *where, struct central_db **ret_db, char *problem, size_t problem_size)
{
    if (problem_size > 0)
        problem[0] = '\0';
    return db_postgres_is_address(where) ? db_postgres_open(where, ret_db, problem, problem_size) : db_sqlite_open(where, ret_db, problem, problem_size);
}

void central_db_close(struct central_db *db)
{
    char *lent;

    if (!db)
        return;
    db_forget(db);
    lent = db->lent;
    db->backend->close(db);
    free(lent);
}

struct account_db central_db_ops(struct central_db *db)
{
    return (struct account_db){ &ops, db };
}

const char *central_db_kind(const struct central_db *db)
{
    return db->backend->kind;
}
