/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/central/db_rows.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/account/account_db.h"

#define SIZE(row, member) sizeof(((const row *)NULL)->member)
#define NUMBER(row, column, member) { column, FIELD_NUMBER, offsetof(row, member), SIZE(row, member) }
#define BYTES(row, column, member) { column, FIELD_BYTES, offsetof(row, member), SIZE(row, member) }
#define CHARS(row, column, member) { column, FIELD_CHARS, offsetof(row, member), SIZE(row, member) }
#define TEXT(row, column, member) { column, FIELD_TEXT, offsetof(row, member), 0 }
#define COUNTED(row, column, member, length) { column, FIELD_COUNTED, offsetof(row, member), offsetof(row, length) }

static const struct db_field account_fields[] = {
    NUMBER(struct account_row, "id", id),
    CHARS(struct account_row, "name", name),
    NUMBER(struct account_row, "created_ms", created_ms),
    NUMBER(struct account_row, "available_micro", available_micro),
    NUMBER(struct account_row, "funded_micro", funded_micro),
    NUMBER(struct account_row, "paid_out_micro", paid_out_micro),
    NUMBER(struct account_row, "postings", postings),
};

static const struct db_field box_fields[] = {
    BYTES(struct account_box, "id", id),
    NUMBER(struct account_box, "account", account),
    CHARS(struct account_box, "label", label),
    NUMBER(struct account_box, "state", state),
    NUMBER(struct account_box, "epoch", epoch),
    BYTES(struct account_box, "key_sha256", key_sha256),
    BYTES(struct account_box, "hw_fingerprint", hw_fingerprint),
    CHARS(struct account_box, "version", version),
    NUMBER(struct account_box, "last_lease_id", last_lease_id),
    NUMBER(struct account_box, "last_command", last_command),
    NUMBER(struct account_box, "alarms", alarms),
    NUMBER(struct account_box, "chain", chain),
    NUMBER(struct account_box, "acked_seq", acked.seq),
    BYTES(struct account_box, "acked_hash", acked.hash),
    NUMBER(struct account_box, "lease_max_micro", lease_max_micro),
    NUMBER(struct account_box, "created_ms", created_ms),
    NUMBER(struct account_box, "seen_ms", seen_ms),
};

static const struct db_field lease_fields[] = {
    BYTES(struct account_lease, "box", box),
    NUMBER(struct account_lease, "id", id),
    NUMBER(struct account_lease, "account", account),
    NUMBER(struct account_lease, "epoch", epoch),
    NUMBER(struct account_lease, "state", state),
    NUMBER(struct account_lease, "grant_micro", grant_micro),
    NUMBER(struct account_lease, "price_version", price_version),
    NUMBER(struct account_lease, "issued_ms", issued_ms),
    NUMBER(struct account_lease, "spend_until_ms", spend_until_ms),
    NUMBER(struct account_lease, "settle_until_ms", settle_until_ms),
    NUMBER(struct account_lease, "closed_ms", closed_ms),
    NUMBER(struct account_lease, "rest_micro", rest_micro),
    NUMBER(struct account_lease, "suspense_micro", suspense_micro),
    NUMBER(struct account_lease, "captured_micro", captured_micro),
    NUMBER(struct account_lease, "debt_micro", debt_micro),
    NUMBER(struct account_lease, "returned_micro", returned_micro),
    NUMBER(struct account_lease, "postings", postings),
};

static const struct db_field posting_fields[] = {
    NUMBER(struct account_posting, "account", account),
    BYTES(struct account_posting, "box", box),
    NUMBER(struct account_posting, "lease", lease),
    NUMBER(struct account_posting, "number", number),
    NUMBER(struct account_posting, "from_book", from),
    NUMBER(struct account_posting, "to_book", to),
    NUMBER(struct account_posting, "micro", micro),
    NUMBER(struct account_posting, "reason", reason),
    NUMBER(struct account_posting, "chain", chain),
    NUMBER(struct account_posting, "entry", entry),
    NUMBER(struct account_posting, "refers", refers),
    NUMBER(struct account_posting, "at_ms", at_ms),
    TEXT(struct account_posting, "who", who),
    TEXT(struct account_posting, "note", note),
};

static const struct db_field entry_fields[] = {
    BYTES(struct account_entry, "box", box),
    NUMBER(struct account_entry, "chain", chain),
    NUMBER(struct account_entry, "seq", entry.seq),
    NUMBER(struct account_entry, "lease", entry.lease_id),
    NUMBER(struct account_entry, "kind", entry.kind),
    NUMBER(struct account_entry, "message", entry.message_id),
    NUMBER(struct account_entry, "part", entry.part),
    NUMBER(struct account_entry, "attempt", entry.attempt),
    NUMBER(struct account_entry, "units_micro", entry.units_micro),
    NUMBER(struct account_entry, "price_row", entry.price_row),
    NUMBER(struct account_entry, "refers_seq", entry.refers_seq),
    BYTES(struct account_entry, "boot_id", entry.boot_id),
    NUMBER(struct account_entry, "t_mono_ms", entry.t_mono_ms),
    NUMBER(struct account_entry, "t_wall_ms", entry.t_wall_ms),
    BYTES(struct account_entry, "prev_hash", entry.prev_hash),
    BYTES(struct account_entry, "hash", entry.hash),
    NUMBER(struct account_entry, "posting", posting),
    NUMBER(struct account_entry, "paid", paid),
    NUMBER(struct account_entry, "is_over", over),
};

static const struct db_field answer_fields[] = {
    BYTES(struct account_answer, "box", box),
    BYTES(struct account_answer, "request", request),
    BYTES(struct account_answer, "body_sha256", body_sha256),
    NUMBER(struct account_answer, "status", status),
    NUMBER(struct account_answer, "lease", lease),
    NUMBER(struct account_answer, "available_micro", available_micro),
    NUMBER(struct account_answer, "at_ms", at_ms),
    BYTES(struct account_answer, "paper", paper),
};

static const struct db_field command_fields[] = {
    BYTES(struct account_command, "box", box),
    NUMBER(struct account_command, "epoch", epoch),
    NUMBER(struct account_command, "number", command.number),
    NUMBER(struct account_command, "kind", command.kind),
    NUMBER(struct account_command, "time_ms", command.time_ms),
    CHARS(struct account_command, "reason", command.reason),
    NUMBER(struct account_command, "message", command.message_id),
    NUMBER(struct account_command, "part", command.part),
    NUMBER(struct account_command, "refers_seq", command.refers_seq),
    NUMBER(struct account_command, "units_micro", command.units_micro),
    NUMBER(struct account_command, "price_version", command.price_version),
    BYTES(struct account_command, "price_sha256", command.price_sha256),
    BYTES(struct account_command, "account_key", command.account_key),
    BYTES(struct account_command, "signature", command.signature),
};

static const struct db_field price_fields[] = {
    NUMBER(struct account_price, "version", version),
    BYTES(struct account_price, "sha256", sha256),
    COUNTED(struct account_price, "csv", csv, csv_length),
    NUMBER(struct account_price, "row_count", rows),
    NUMBER(struct account_price, "at_ms", at_ms),
};

static const struct db_field price_row_fields[] = {
    NUMBER(struct account_price_row, "version", version),
    NUMBER(struct account_price_row, "price_row", row),
    NUMBER(struct account_price_row, "gsm7_micro", gsm7_micro),
    NUMBER(struct account_price_row, "ucs2_micro", ucs2_micro),
};

static const struct db_field token_fields[] = {
    BYTES(struct account_token, "sha256", sha256),
    NUMBER(struct account_token, "account", account),
    NUMBER(struct account_token, "again", again),
    BYTES(struct account_token, "box", box),
    CHARS(struct account_token, "label", label),
    NUMBER(struct account_token, "lease_max_micro", lease_max_micro),
    NUMBER(struct account_token, "created_ms", created_ms),
    NUMBER(struct account_token, "expires_ms", expires_ms),
    NUMBER(struct account_token, "used_ms", used_ms),
    BYTES(struct account_token, "nonce", nonce),
    BYTES(struct account_token, "request_sha256", request_sha256),
    NUMBER(struct account_token, "epoch", epoch),
    TEXT(struct account_token, "certificate", certificate),
};

static const struct db_field alarm_fields[] = {
    BYTES(struct account_alarm_row, "box", box),
    NUMBER(struct account_alarm_row, "number", number),
    NUMBER(struct account_alarm_row, "kind", kind),
    NUMBER(struct account_alarm_row, "lease", lease),
    NUMBER(struct account_alarm_row, "entry", entry),
    NUMBER(struct account_alarm_row, "micro", micro),
    NUMBER(struct account_alarm_row, "at_ms", at_ms),
};

#define TABLE(name, fields, keys, many) { name, fields, sizeof fields / sizeof fields[0], keys, many }

const struct db_table db_tables[DB_TABLES] = {
    [TABLE_ACCOUNT] = TABLE("account", account_fields, 1, false),
    [TABLE_BOX] = TABLE("box", box_fields, 1, false),
    [TABLE_LEASE] = TABLE("lease", lease_fields, 2, false),
    [TABLE_POSTING] = TABLE("posting", posting_fields, 4, true),
    [TABLE_ENTRY] = TABLE("entry", entry_fields, 3, true),
    [TABLE_ANSWER] = TABLE("answer", answer_fields, 2, false),
    [TABLE_COMMAND] = TABLE("command", command_fields, 3, false),
    [TABLE_PRICE] = TABLE("price", price_fields, 1, false),
    [TABLE_PRICE_ROW] = TABLE("price_row", price_row_fields, 2, true),
    [TABLE_TOKEN] = TABLE("token", token_fields, 1, false),
    [TABLE_ALARM] = TABLE("alarm", alarm_fields, 2, false),
};

#define ADD(table) { SHAPE_ADD, table, NULL, .writes = true }
#define SET(table) { SHAPE_SET, table, NULL, .writes = true }
#define GET(table) { SHAPE_GET, table, NULL, .writes = false }

/* Leases that are neither closed nor written off are found by lease_unsettled, whose condition has to stand here as it does there. */
const struct db_statement db_statements[DB_STATEMENTS] = {
    [DO_ACCOUNT_ADD] = { SHAPE_TEXT, TABLE_ACCOUNT, "INSERT INTO account(name,created_ms,available_micro,funded_micro,paid_out_micro,postings)"
                         " VALUES($1,$2,$3,$4,$5,$6) ON CONFLICT DO NOTHING RETURNING id", .writes = true },
    [DO_ACCOUNT_GET] = GET(TABLE_ACCOUNT),
    [DO_ACCOUNT_FIND] = { SHAPE_SELECT, TABLE_ACCOUNT, "WHERE name=$1", .writes = false },
    [DO_ACCOUNT_SET] = SET(TABLE_ACCOUNT),
    [DO_ACCOUNT_LIST] = { SHAPE_SELECT, TABLE_ACCOUNT, "ORDER BY id", .stream = true },
    [DO_BOX_ADD] = ADD(TABLE_BOX),
    [DO_BOX_GET] = { SHAPE_GET, TABLE_BOX, NULL, .lock = true },
    [DO_BOX_SET] = SET(TABLE_BOX),
    [DO_BOX_LIST] = { SHAPE_SELECT, TABLE_BOX, "WHERE account=$1 ORDER BY id", .stream = true },
    [DO_BOX_LIST_ALL] = { SHAPE_SELECT, TABLE_BOX, "ORDER BY id", .stream = true },
    [DO_LEASE_ADD] = ADD(TABLE_LEASE),
    [DO_LEASE_GET] = GET(TABLE_LEASE),
    [DO_LEASE_SET] = SET(TABLE_LEASE),
    [DO_LEASE_LIST] = { SHAPE_SELECT, TABLE_LEASE, "WHERE box=$1 ORDER BY id", .stream = true },
    [DO_LEASE_LIST_ALL] = { SHAPE_SELECT, TABLE_LEASE, "ORDER BY box,id", .stream = true },
    [DO_LEASE_UNSETTLED] = { SHAPE_SELECT, TABLE_LEASE, "WHERE box=$1 AND state<4 ORDER BY id", .writes = false },
    [DO_LEASE_UNSETTLED_ALL] = { SHAPE_SELECT, TABLE_LEASE, "WHERE state<4 ORDER BY box,id", .stream = true },
    [DO_LEASE_DUE] = { SHAPE_SELECT, TABLE_LEASE, "WHERE state=1 AND spend_until_ms<=$1 ORDER BY spend_until_ms,box,id LIMIT $2", .writes = false },
    [DO_POSTING_ADD] = ADD(TABLE_POSTING),
    [DO_POSTING_LIST] = { SHAPE_SELECT, TABLE_POSTING, "WHERE account=$1 AND box=$2 AND lease=$3 ORDER BY number", .stream = true },
    [DO_ENTRY_ADD] = ADD(TABLE_ENTRY),
    [DO_ENTRY_GET] = GET(TABLE_ENTRY),
    [DO_ENTRY_HASH] = { SHAPE_TEXT, TABLE_ENTRY, "SELECT hash FROM entry WHERE box=$1 AND chain=$2 AND seq=$3", .writes = false },
    [DO_ENTRY_OVER] = { SHAPE_TEXT, TABLE_ENTRY, "UPDATE entry SET is_over=1 WHERE box=$1 AND chain=$2 AND seq=$3", .writes = true },
    [DO_ENTRY_LIST] = { SHAPE_SELECT, TABLE_ENTRY, "WHERE box=$1 ORDER BY chain,seq", .stream = true },
    [DO_ENTRY_LIST_ALL] = { SHAPE_SELECT, TABLE_ENTRY, "ORDER BY box,chain,seq", .stream = true },
    [DO_ANSWER_ADD] = ADD(TABLE_ANSWER),
    [DO_ANSWER_GET] = GET(TABLE_ANSWER),
    [DO_ANSWER_PRUNE] = { SHAPE_TEXT, TABLE_ANSWER, "DELETE FROM answer WHERE lease=0 AND at_ms<$1", .writes = true, .any_count = true },
    [DO_COMMAND_ADD] = ADD(TABLE_COMMAND),
    [DO_COMMAND_LIST] = { SHAPE_SELECT, TABLE_COMMAND, "WHERE box=$1 AND epoch=$2 AND number>$3 ORDER BY number LIMIT $4", .writes = false },
    [DO_PRICE_ADD] = ADD(TABLE_PRICE),
    [DO_PRICE_GET] = GET(TABLE_PRICE),
    [DO_PRICE_NEWEST] = { SHAPE_TEXT, TABLE_PRICE, "SELECT version FROM price ORDER BY version DESC LIMIT 1", .writes = false },
    [DO_PRICE_ROW_ADD] = ADD(TABLE_PRICE_ROW),
    [DO_PRICE_ROW_GET] = GET(TABLE_PRICE_ROW),
    [DO_TOKEN_ADD] = ADD(TABLE_TOKEN),
    [DO_TOKEN_GET] = { SHAPE_GET, TABLE_TOKEN, NULL, .lock = true },
    [DO_TOKEN_SET] = SET(TABLE_TOKEN),
    [DO_ALARM_ADD] = ADD(TABLE_ALARM),
    [DO_ALARM_LIST] = { SHAPE_SELECT, TABLE_ALARM, "WHERE box=$1 ORDER BY number", .stream = true },
    [DO_ALARM_LIST_ALL] = { SHAPE_SELECT, TABLE_ALARM, "ORDER BY box,number", .stream = true },
};

struct db_value db_text(const char *text)
{
    return (struct db_value){ DB_TEXT, 0, text, strlen(text) };
}

/* -- statements -------------------------------------------------------------------------------------------------------- */

struct sentence { char *text; size_t size, length; };

static void say(struct sentence *sentence, const char *words)
{
    size_t length = strlen(words);

    assert(sentence->length + length < sentence->size);
    memcpy(sentence->text + sentence->length, words, length + 1);
    sentence->length += length;
}

/* "a,b,c", or with parameters "a=$1,b=$2" or "$1,$2"; of fields first to end. */
static void say_fields(struct sentence *sentence, const struct db_table *table, size_t first, size_t end, const char *between, bool names,
                       size_t parameter)
{
    for (size_t i = first; i < end; i++) {
        char number[16];

        if (i > first)
            say(sentence, between);
        if (names)
            say(sentence, table->fields[i].name);
        if (parameter == 0)
            continue;
        (void)snprintf(number, sizeof number, names ? "=$%zu" : "$%zu", parameter + i - first);
        say(sentence, number);
    }
}

void db_table_columns(enum db_table_id table, char *ret_text, size_t size)
{
    struct sentence sentence = { ret_text, size, 0 };

    say_fields(&sentence, &db_tables[table], 0, db_tables[table].count, ",", true, 0);
}

void db_statement_text(enum db_statement_id id, char ret_text[DB_STATEMENT_CHARS])
{
    const struct db_statement *statement = &db_statements[id];
    const struct db_table *table = &db_tables[statement->table];
    struct sentence sentence = { ret_text, DB_STATEMENT_CHARS, 0 };
    size_t keys = table->key_count;

    assert(table->count <= DB_FIELDS_MAX);
    ret_text[0] = '\0';
    switch (statement->shape) {
    case SHAPE_ADD:
        say(&sentence, "INSERT INTO ");
        say(&sentence, table->name);
        say(&sentence, "(");
        say_fields(&sentence, table, 0, table->count, ",", true, 0);
        say(&sentence, ") VALUES(");
        say_fields(&sentence, table, 0, table->count, ",", false, 1);
        say(&sentence, ") ON CONFLICT DO NOTHING");
        break;
    case SHAPE_SET:                          /* parameters by the place of first use: the key is last */
        say(&sentence, "UPDATE ");
        say(&sentence, table->name);
        say(&sentence, " SET ");
        say_fields(&sentence, table, keys, table->count, ",", true, 1);
        say(&sentence, " WHERE ");
        say_fields(&sentence, table, 0, keys, " AND ", true, table->count - keys + 1);
        break;
    case SHAPE_GET:
    case SHAPE_SELECT:
        say(&sentence, "SELECT ");
        say_fields(&sentence, table, 0, table->count, ",", true, 0);
        say(&sentence, " FROM ");
        say(&sentence, table->name);
        say(&sentence, statement->shape == SHAPE_GET ? " WHERE " : " ");
        if (statement->shape == SHAPE_GET)
            say_fields(&sentence, table, 0, keys, " AND ", true, 1);
        else
            say(&sentence, statement->text);
        break;
    case SHAPE_TEXT:
        say(&sentence, statement->text);
        break;
    }
}

/* -- rows -------------------------------------------------------------------------------------------------------------- */

static int64_t number_of(const void *at, size_t size)
{
    uint8_t octet;
    uint32_t word;
    int64_t number;

    switch (size) {
    case 1: memcpy(&octet, at, 1); return octet;
    case 4: memcpy(&word, at, 4); return word;
    default: assert(size == 8); memcpy(&number, at, 8); return number;
    }
}

static int number_into(void *at, size_t size, int64_t number)
{
    uint8_t octet = (uint8_t)number;
    uint32_t word = (uint32_t)number;

    if (size == 8)
        memcpy(at, &number, 8);
    else if (number < 0 || number > (size == 1 ? UINT8_MAX : UINT32_MAX))
        return -EBADMSG;
    else
        memcpy(at, size == 1 ? (const void *)&octet : &word, size);
    return 0;
}

void db_row_values(const struct db_table *table, const void *row, struct db_value ret_values[DB_FIELDS_MAX])
{
    for (size_t i = 0; i < table->count; i++) {
        const struct db_field *field = &table->fields[i];
        const char *at = (const char *)row + field->offset;
        const char *text;
        size_t length;

        switch (field->kind) {
        case FIELD_NUMBER: ret_values[i] = db_number(number_of(at, field->size)); break;
        case FIELD_BYTES: ret_values[i] = db_bytes(at, field->size); break;
        case FIELD_CHARS: ret_values[i] = (struct db_value){ DB_TEXT, 0, at, strnlen(at, field->size - 1) }; break;
        case FIELD_TEXT:
            memcpy(&text, at, sizeof text);
            ret_values[i] = db_text(text ? text : "");
            break;
        case FIELD_COUNTED:
            memcpy(&text, at, sizeof text);
            memcpy(&length, (const char *)row + field->size, sizeof length);
            ret_values[i] = db_bytes(text ? text : "", text ? length : 0);
            break;
        }
    }
}

int db_row_read(const struct db_table *table, const struct db_value *values, size_t count, void *ret_row)
{
    if (count != table->count)
        return -EBADMSG;
    for (size_t i = 0; i < count; i++) {
        const struct db_field *field = &table->fields[i];
        const struct db_value *value = &values[i];
        char *at = (char *)ret_row + field->offset;
        const char *text = value->bytes;

        switch (field->kind) {
        case FIELD_NUMBER:
            if (value->kind != DB_NUMBER || number_into(at, field->size, value->number) < 0)
                return -EBADMSG;
            break;
        case FIELD_BYTES:
            if (value->kind != DB_BYTES || value->length != field->size)
                return -EBADMSG;
            memcpy(at, value->bytes, field->size);
            break;
        case FIELD_CHARS:
            if (value->kind != DB_TEXT || value->length >= field->size)
                return -EBADMSG;
            memset(at, 0, field->size);
            memcpy(at, value->bytes, value->length);
            break;
        case FIELD_TEXT:
        case FIELD_COUNTED:
            if (value->kind != (field->kind == FIELD_TEXT ? DB_TEXT : DB_BYTES))
                return -EBADMSG;
            memcpy(at, &text, sizeof text);
            if (field->kind == FIELD_COUNTED)
                memcpy((char *)ret_row + field->size, &value->length, sizeof value->length);
            break;
        }
    }
    return 0;
}

void db_set_values(const struct db_table *table, const void *row, struct db_value ret_values[DB_FIELDS_MAX])
{
    struct db_value values[DB_FIELDS_MAX];
    size_t keys = table->key_count;

    db_row_values(table, row, values);
    memcpy(ret_values, values + keys, (table->count - keys) * sizeof values[0]);
    memcpy(ret_values + (table->count - keys), values, keys * sizeof values[0]);
}
