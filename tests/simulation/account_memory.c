/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/account_memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulation/account_memory_rows.h"

enum { ACCOUNTS, BOXES, LEASES, POSTINGS, ENTRIES, CAPTURES, ANSWERS, COMMANDS, PRICES, PRICE_ROWS, TOKENS, ALARMS, TABLES };

static const size_t row_octets[TABLES] = {
    [ACCOUNTS] = sizeof(struct account_row), [BOXES] = sizeof(struct account_box), [LEASES] = sizeof(struct account_lease),
    [POSTINGS] = sizeof(struct account_posting), [ENTRIES] = sizeof(struct account_entry), [CAPTURES] = sizeof(uint64_t),
    [ANSWERS] = sizeof(struct account_answer), [COMMANDS] = sizeof(struct account_command), [PRICES] = sizeof(struct account_price),
    [PRICE_ROWS] = sizeof(struct account_price_row), [TOKENS] = sizeof(struct account_token), [ALARMS] = sizeof(struct account_alarm_row),
};

/* Texts of rows are added and never changed; copies have them in common. */
struct text { struct text *next; char octets[]; };
struct texts { struct text *first; unsigned users; };

struct account_memory {
    struct rows tables[TABLES];
    struct rows_log log;
    struct texts *texts;
    bool begun, inside;                      /* a transaction; a function that a list calls */
    int failed;                              /* the transaction is over but for rollback */
    uint64_t calls, fail_at, lose_at;
    int fail_with, refuse_with;
    bool fired;
};

static const struct account_db_ops memory_ops;

/* -- keys ---------------------------------------------------------------------------------------------------------------- */

static struct rows_key key_number(uint64_t number, unsigned octets)
{
    struct rows_key key = { .length = octets };
    uint8_t *at = key.octets;

    octets_put(&at, number, octets);
    return key;
}

static struct rows_key key_bytes(const uint8_t *bytes, size_t length)
{
    struct rows_key key = { .length = length };

    memcpy(key.octets, bytes, length);
    return key;
}

static struct rows_key and_number(struct rows_key key, uint64_t number, unsigned octets)
{
    uint8_t *at = key.octets + key.length;

    assert(key.length + octets <= sizeof key.octets);
    octets_put(&at, number, octets);
    key.length += octets;
    return key;
}

static struct rows_key and_bytes(struct rows_key key, const uint8_t *bytes, size_t length)
{
    assert(key.length + length <= sizeof key.octets);
    memcpy(key.octets + key.length, bytes, length);
    key.length += length;
    return key;
}

static struct rows_key of_box(const uint8_t *box) { return key_bytes(box, LEASE_BOX_ID_OCTETS); }

static struct rows_key of_lease(int64_t account, const uint8_t *box, uint64_t lease)
{
    static const uint8_t none[LEASE_BOX_ID_OCTETS];

    return and_number(and_bytes(key_number((uint64_t)account, 8), box ? box : none, LEASE_BOX_ID_OCTETS), box ? lease : 0, 8);
}

static struct rows_key of_entry(const uint8_t *box, uint32_t chain, uint64_t seq) { return and_number(and_number(of_box(box), chain, 4), seq, 8); }

static struct rows_key of_capture(const struct account_entry *row)
{
    return and_number(and_number(and_number(of_box(row->box), row->chain, 4), (uint64_t)row->entry.message_id, 8), row->entry.part, 1);
}

static struct rows_key of_answer(const uint8_t *box, const uint8_t *request) { return and_bytes(of_box(box), request, ACCOUNT_REQUEST_OCTETS); }

/* -- calls --------------------------------------------------------------------------------------------------------------- */

static int called(struct account_memory *memory)
{
    assert(memory->begun && !memory->inside);
    memory->calls++;
    if (memory->failed == 0 && memory->fail_at > 0 && --memory->fail_at == 0) {
        memory->failed = memory->fail_with;
        memory->fired = true;
    }
    return memory->failed;
}

static int db_begin(void *db, unsigned attempt)
{
    struct account_memory *memory = db;

    (void)attempt;
    assert(!memory->begun && memory->failed == 0);
    memory->begun = true;
    if (memory->refuse_with < 0) {
        memory->failed = memory->refuse_with;
        memory->fired = true;
    }
    return called(memory);
}

static int db_commit(void *db)
{
    struct account_memory *memory = db;
    int r = called(memory);

    if (r < 0)
        return r;
    rows_forget(&memory->log);
    memory->begun = false;
    if (memory->lose_at > 0 && --memory->lose_at == 0) {
        memory->fired = true;
        return -EIO;
    }
    return 0;
}

static void db_rollback(void *db)
{
    struct account_memory *memory = db;

    assert(!memory->inside);
    rows_undo(memory->tables, &memory->log);
    memory->begun = false;
    memory->failed = 0;
}

static int add(struct account_memory *memory, unsigned table, struct rows_key key, const void *row)
{
    int r = called(memory);

    return r < 0 ? r : rows_add(memory->tables, table, &key, row, &memory->log);
}

static int get(struct account_memory *memory, unsigned table, struct rows_key key, void *ret_row)
{
    int r = called(memory);
    uint32_t index;

    if (r < 0)
        return r;
    index = rows_find(&memory->tables[table], &key);
    if (index == ROWS_NONE)
        return -ENOENT;
    memcpy(ret_row, rows_at(&memory->tables[table], index), row_octets[table]);
    return 0;
}

static int set(struct account_memory *memory, unsigned table, struct rows_key key, const void *row)
{
    int r = called(memory);
    uint32_t index;

    if (r < 0)
        return r;
    index = rows_find(&memory->tables[table], &key);
    if (index == ROWS_NONE)
        return -ENOENT;
    rows_set(memory->tables, table, index, row, &memory->log);
    return 0;
}

/* What a list does with one row: 0 to go on. */
typedef int each_row(void *context, const void *row);

static int list(struct account_memory *memory, unsigned table, struct rows_key prefix, each_row *each, void *context)
{
    int r = called(memory);
    uint32_t *indices, count;

    if (r < 0)
        return r;
    count = rows_select(&memory->tables[table], &prefix, &indices);
    memory->inside = true;
    for (uint32_t i = 0; r == 0 && i < count; i++)
        r = each(context, rows_at(&memory->tables[table], indices[i]));
    memory->inside = false;
    free(indices);
    return r;
}

static const char *keep(struct account_memory *memory, const char *octets, size_t length)
{
    struct text *text;

    if (length == 0)
        return "";
    text = rows_memory(NULL, sizeof *text + length + 1);
    memcpy(text->octets, octets, length);
    text->octets[length] = '\0';
    text->next = memory->texts->first;
    memory->texts->first = text;
    return text->octets;
}

/* -- accounts ------------------------------------------------------------------------------------------------------------ */

struct search { const char *name; struct account_row *ret_row; bool found; };

static int same_name(void *context, const void *row)
{
    struct search *search = context;
    const struct account_row *account = row;

    if (strcmp(account->name, search->name) == 0) {
        *search->ret_row = *account;
        search->found = true;
    }
    return search->found;
}

static int db_account_find(void *db, const char *name, struct account_row *ret_row)
{
    struct search search = { name, ret_row, false };
    int r = list(db, ACCOUNTS, (struct rows_key){ .length = 0 }, same_name, &search);

    return r < 0 ? r : search.found ? 0 : -ENOENT;
}

static int db_account_add(void *db, struct account_row *row)
{
    struct account_memory *memory = db;
    struct account_row taken;
    int r = db_account_find(db, row->name, &taken);

    if (r != -ENOENT)
        return r < 0 ? r : -EEXIST;
    row->id = (int64_t)memory->tables[ACCOUNTS].count + 1;   /* none is ever removed */
    return add(memory, ACCOUNTS, key_number((uint64_t)row->id, 8), row);
}

static int db_account_get(void *db, int64_t id, struct account_row *ret_row) { return get(db, ACCOUNTS, key_number((uint64_t)id, 8), ret_row); }
static int db_account_set(void *db, const struct account_row *row) { return set(db, ACCOUNTS, key_number((uint64_t)row->id, 8), row); }

struct accounts { account_each_account *each; void *context; };
static int one_account(void *context, const void *row) { struct accounts *of = context; return of->each(of->context, row); }

static int db_account_list(void *db, account_each_account *each, void *context)
{
    struct accounts of = { each, context };

    return list(db, ACCOUNTS, (struct rows_key){ .length = 0 }, one_account, &of);
}

/* -- boxes --------------------------------------------------------------------------------------------------------------- */

static int db_box_add(void *db, const struct account_box *row) { return add(db, BOXES, of_box(row->id), row); }
static int db_box_get(void *db, const uint8_t *id, struct account_box *ret_row) { return get(db, BOXES, of_box(id), ret_row); }
static int db_box_set(void *db, const struct account_box *row) { return set(db, BOXES, of_box(row->id), row); }

struct boxes { int64_t account; account_each_box *each; void *context; };
static int one_box(void *context, const void *row)
{
    struct boxes *of = context;
    const struct account_box *box = row;

    return of->account == 0 || box->account == of->account ? of->each(of->context, box) : 0;
}

static int db_box_list(void *db, int64_t account, account_each_box *each, void *context)
{
    struct boxes of = { account, each, context };

    return list(db, BOXES, (struct rows_key){ .length = 0 }, one_box, &of);
}

/* -- leases -------------------------------------------------------------------------------------------------------------- */

static struct rows_key lease_key(const uint8_t *box, uint64_t id) { return and_number(of_box(box), id, 8); }

static int db_lease_add(void *db, const struct account_lease *row) { return add(db, LEASES, lease_key(row->box, row->id), row); }
static int db_lease_get(void *db, const uint8_t *box, uint64_t id, struct account_lease *ret_row) { return get(db, LEASES, lease_key(box, id), ret_row); }
static int db_lease_set(void *db, const struct account_lease *row) { return set(db, LEASES, lease_key(row->box, row->id), row); }

struct leases { bool settled; int64_t due_ms; size_t left; account_each_lease *each; void *context; };

static int one_lease(void *context, const void *row)
{
    struct leases *of = context;
    const struct account_lease *lease = row;
    bool settled = lease->state == ACCOUNT_LEASE_CLOSED || lease->state == ACCOUNT_LEASE_WRITTEN_OFF;

    return of->settled || !settled ? of->each(of->context, lease) : 0;
}

static int db_lease_list(void *db, const uint8_t *box, bool settled, account_each_lease *each, void *context)
{
    struct leases of = { .settled = settled, .each = each, .context = context };

    return list(db, LEASES, of_box(box), one_lease, &of);
}

static int one_due(void *context, const void *row)
{
    struct leases *of = context;
    const struct account_lease *lease = row;

    if (of->left == 0 || lease->state != ACCOUNT_LEASE_OPEN || lease->spend_until_ms > of->due_ms)
        return 0;
    of->left--;
    return of->each(of->context, lease);
}

static int db_lease_due(void *db, int64_t now_ms, size_t count, account_each_lease *each, void *context)
{
    struct leases of = { .due_ms = now_ms, .left = count, .each = each, .context = context };

    return list(db, LEASES, (struct rows_key){ .length = 0 }, one_due, &of);
}

/* -- postings and entries ------------------------------------------------------------------------------------------------ */

static int db_posting_add(void *db, const struct account_posting *row)
{
    struct account_posting kept = *row;

    kept.who = keep(db, row->who, strlen(row->who));
    kept.note = keep(db, row->note, strlen(row->note));
    return add(db, POSTINGS, and_number(of_lease(row->account, row->lease > 0 ? row->box : NULL, row->lease), row->number, 8), &kept);
}

struct postings { account_each_posting *each; void *context; };
static int one_posting(void *context, const void *row) { struct postings *of = context; return of->each(of->context, row); }

static int db_posting_list(void *db, int64_t account, const uint8_t *box, uint64_t lease, account_each_posting *each, void *context)
{
    struct postings of = { each, context };

    return list(db, POSTINGS, of_lease(account, box, lease), one_posting, &of);
}

static bool is_charge(const struct account_entry *row) { return row->entry.kind == JOURNAL_CAPTURE && !row->over; }

static int db_entry_add(void *db, const struct account_entry *row)
{
    struct account_memory *memory = db;
    struct rows_key key = of_entry(row->box, row->chain, row->entry.seq), capture = of_capture(row);
    int r = called(memory);

    if (r < 0)
        return r;
    if (rows_find(&memory->tables[ENTRIES], &key) != ROWS_NONE)
        return -EEXIST;
    if (is_charge(row)) {
        r = rows_add(memory->tables, CAPTURES, &capture, &row->entry.seq, &memory->log);
        if (r < 0)
            return r;
    }
    return rows_add(memory->tables, ENTRIES, &key, row, &memory->log);
}

static int db_entry_get(void *db, const uint8_t *box, uint32_t chain, uint64_t seq, struct account_entry *ret_row)
{
    return get(db, ENTRIES, of_entry(box, chain, seq), ret_row);
}

static int db_entry_hash(void *db, const uint8_t *box, uint32_t chain, uint64_t seq, uint8_t ret_hash[SHA256_OCTETS])
{
    struct account_entry row;
    int r = db_entry_get(db, box, chain, seq, &row);

    if (r == 0)
        memcpy(ret_hash, row.entry.hash, SHA256_OCTETS);
    return r;
}

static int db_entry_over(void *db, const uint8_t *box, uint32_t chain, uint64_t seq)
{
    struct account_memory *memory = db;
    struct rows_key key = of_entry(box, chain, seq), capture;
    struct account_entry row;
    int r = db_entry_get(db, box, chain, seq, &row);

    if (r < 0)
        return r;
    if (is_charge(&row)) {
        capture = of_capture(&row);
        rows_remove(memory->tables, CAPTURES, rows_find(&memory->tables[CAPTURES], &capture), &memory->log);
    }
    row.over = true;
    rows_set(memory->tables, ENTRIES, rows_find(&memory->tables[ENTRIES], &key), &row, &memory->log);
    return 0;
}

struct entries { account_each_entry *each; void *context; };
static int one_entry(void *context, const void *row) { struct entries *of = context; return of->each(of->context, row); }

static int db_entry_list(void *db, const uint8_t *box, account_each_entry *each, void *context)
{
    struct entries of = { each, context };

    return list(db, ENTRIES, of_box(box), one_entry, &of);
}

/* -- answers, commands, prices, tokens, alarms ----------------------------------------------------------------------------- */

static int db_answer_get(void *db, const uint8_t *box, const uint8_t *request, struct account_answer *ret_row)
{
    return get(db, ANSWERS, of_answer(box, request), ret_row);
}

static int db_answer_add(void *db, const struct account_answer *row) { return add(db, ANSWERS, of_answer(row->box, row->request), row); }

static int db_answer_prune(void *db, int64_t before_ms)
{
    struct account_memory *memory = db;
    struct rows *answers = &memory->tables[ANSWERS];
    int r = called(memory);

    for (uint32_t i = answers->count; r == 0 && i-- > 0;) {
        const struct account_answer *row = rows_at(answers, i);

        if (row->lease == 0 && row->at_ms < before_ms)
            rows_remove(memory->tables, ANSWERS, i, &memory->log);
    }
    return r;
}

static struct rows_key command_key(const uint8_t *box, uint32_t epoch) { return and_number(of_box(box), epoch, 4); }

static int db_command_add(void *db, const struct account_command *row)
{
    return add(db, COMMANDS, and_number(command_key(row->box, row->epoch), row->command.number, 8), row);
}

struct commands { uint64_t after; size_t left; account_each_command *each; void *context; };

static int one_command(void *context, const void *row)
{
    struct commands *of = context;
    const struct account_command *command = row;

    if (of->left == 0 || command->command.number <= of->after)
        return 0;
    of->left--;
    return of->each(of->context, command);
}

static int db_command_list(void *db, const uint8_t *box, uint32_t epoch, uint64_t after, size_t count, account_each_command *each, void *context)
{
    struct commands of = { after, count, each, context };

    return list(db, COMMANDS, command_key(box, epoch), one_command, &of);
}

static int db_price_add(void *db, const struct account_price *row)
{
    struct account_price kept = *row;

    kept.csv = keep(db, row->csv, row->csv_length);
    return add(db, PRICES, key_number(row->version, 4), &kept);
}

static int newest_price(void *context, const void *row)
{
    memcpy(context, row, sizeof(struct account_price));
    return 0;
}

static int db_price_get(void *db, uint32_t version, struct account_price *ret_row)
{
    struct account_price newest = { 0 };
    int r;

    if (version > 0)
        return get(db, PRICES, key_number(version, 4), ret_row);
    r = list(db, PRICES, (struct rows_key){ .length = 0 }, newest_price, &newest);
    if (r == 0 && newest.version == 0)
        r = -ENOENT;
    if (r == 0)
        *ret_row = newest;
    return r;
}

static struct rows_key price_row_key(uint32_t version, uint32_t row) { return and_number(key_number(version, 4), row, 4); }

static int db_price_row_add(void *db, const struct account_price_row *row) { return add(db, PRICE_ROWS, price_row_key(row->version, row->row), row); }
static int db_price_row_get(void *db, uint32_t version, uint32_t row, struct account_price_row *ret_row)
{
    return get(db, PRICE_ROWS, price_row_key(version, row), ret_row);
}

static struct account_token kept_token(struct account_memory *memory, const struct account_token *row)
{
    struct account_token kept = *row;

    kept.certificate = row->certificate ? keep(memory, row->certificate, strlen(row->certificate)) : "";
    return kept;
}

static int db_token_add(void *db, const struct account_token *row)
{
    struct account_token kept = kept_token(db, row);

    return add(db, TOKENS, key_bytes(row->sha256, SHA256_OCTETS), &kept);
}

static int db_token_get(void *db, const uint8_t *sha256, struct account_token *ret_row)
{
    return get(db, TOKENS, key_bytes(sha256, SHA256_OCTETS), ret_row);
}

static int db_token_set(void *db, const struct account_token *row)
{
    struct account_token kept = kept_token(db, row);

    return set(db, TOKENS, key_bytes(row->sha256, SHA256_OCTETS), &kept);
}

static int db_alarm_add(void *db, const struct account_alarm_row *row) { return add(db, ALARMS, and_number(of_box(row->box), row->number, 8), row); }

struct alarms { account_each_alarm *each; void *context; };
static int one_alarm(void *context, const void *row)
{
    struct alarms *of = context;

    return of->each(of->context, row);
}

static int db_alarm_list(void *db, const uint8_t *box, account_each_alarm *each, void *context)
{
    struct alarms of = { each, context };

    return list(db, ALARMS, box ? of_box(box) : (struct rows_key){ .length = 0 }, one_alarm, &of);
}

static const struct account_db_ops memory_ops = {
    .begin = db_begin, .commit = db_commit, .rollback = db_rollback,
    .account_add = db_account_add, .account_get = db_account_get, .account_find = db_account_find, .account_set = db_account_set,
    .account_list = db_account_list,
    .box_add = db_box_add, .box_get = db_box_get, .box_set = db_box_set, .box_list = db_box_list,
    .lease_add = db_lease_add, .lease_get = db_lease_get, .lease_set = db_lease_set, .lease_list = db_lease_list, .lease_due = db_lease_due,
    .posting_add = db_posting_add, .posting_list = db_posting_list,
    .entry_add = db_entry_add, .entry_get = db_entry_get, .entry_hash = db_entry_hash, .entry_over = db_entry_over, .entry_list = db_entry_list,
    .answer_get = db_answer_get, .answer_add = db_answer_add, .answer_prune = db_answer_prune,
    .command_add = db_command_add, .command_list = db_command_list,
    .price_add = db_price_add, .price_row_add = db_price_row_add, .price_get = db_price_get, .price_row_get = db_price_row_get,
    .token_add = db_token_add, .token_get = db_token_get, .token_set = db_token_set,
    .alarm_add = db_alarm_add, .alarm_list = db_alarm_list,
};

/* -- the storage itself ---------------------------------------------------------------------------------------------------- */

static struct account_memory *new_with(struct texts *texts)
{
    struct account_memory *memory = rows_memory(NULL, sizeof *memory);

    *memory = (struct account_memory){ .texts = texts };
    texts->users++;
    for (unsigned i = 0; i < TABLES; i++)
        memory->tables[i].row_octets = row_octets[i];
    return memory;
}

struct account_memory *account_memory_new(void)
{
    struct texts *texts = rows_memory(NULL, sizeof *texts);

    *texts = (struct texts){ 0 };
    return new_with(texts);
}

static void let_go(struct texts *texts)
{
    if (--texts->users > 0)
        return;
    while (texts->first) {
        struct text *text = texts->first;

        texts->first = text->next;
        free(text);
    }
    free(texts);
}

void account_memory_free(struct account_memory *memory)
{
    if (!memory)
        return;
    rows_forget(&memory->log);
    free(memory->log.steps);
    for (unsigned i = 0; i < TABLES; i++)
        rows_free(&memory->tables[i]);
    let_go(memory->texts);
    free(memory);
}

struct account_db account_memory_db(struct account_memory *memory) { return (struct account_db){ &memory_ops, memory }; }

void account_memory_fail(struct account_memory *memory, uint64_t n, int error)
{
    assert(error < 0);
    memory->fail_at = n;
    memory->fail_with = error;
    memory->fired = false;
}

void account_memory_lose_answer(struct account_memory *memory, uint64_t n)
{
    memory->lose_at = n;
    memory->fired = false;
}

void account_memory_refuse(struct account_memory *memory, int error)
{
    assert(error < 0);
    memory->refuse_with = error;
    memory->fired = false;
}

bool account_memory_calm(struct account_memory *memory)
{
    bool fired = memory->fired;

    memory->fail_at = memory->lose_at = 0;
    memory->refuse_with = 0;
    memory->fired = false;
    return fired;
}

uint64_t account_memory_calls(const struct account_memory *memory) { return memory->calls; }

struct account_memory *account_memory_copy(const struct account_memory *memory)
{
    struct account_memory *copy = new_with(memory->texts);

    assert(!memory->begun);
    for (unsigned i = 0; i < TABLES; i++)
        rows_copy(&copy->tables[i], &memory->tables[i]);
    return copy;
}

void account_memory_restore(struct account_memory *memory, const struct account_memory *backup)
{
    assert(!memory->begun && memory->texts == backup->texts);
    for (unsigned i = 0; i < TABLES; i++)
        rows_copy(&memory->tables[i], &backup->tables[i]);
}

size_t account_memory_alarms(const struct account_memory *memory, const uint8_t *box, struct account_alarm_row *ret_rows, size_t size)
{
    struct rows_key prefix = { .length = 0 };
    uint32_t *indices, count;

    if (box)
        prefix = of_box(box);
    count = rows_select(&memory->tables[ALARMS], &prefix, &indices);
    for (uint32_t i = 0; ret_rows && i < count && i < size; i++)
        memcpy(&ret_rows[i], rows_at(&memory->tables[ALARMS], indices[i]), sizeof *ret_rows);
    free(indices);
    return count;
}

uint64_t account_memory_digest(const struct account_memory *memory)
{
    uint64_t digest = 1;

    assert(!memory->begun);
    for (unsigned i = 0; i < TABLES; i++)
        digest = rows_digest(&memory->tables[i], digest);
    return digest;
}

static void *row_of(struct account_memory *memory, unsigned table, struct rows_key key)
{
    uint32_t index = rows_find(&memory->tables[table], &key);

    return index == ROWS_NONE ? NULL : rows_at(&memory->tables[table], index);
}

struct account_row *account_memory_account(struct account_memory *memory, int64_t id) { return row_of(memory, ACCOUNTS, key_number((uint64_t)id, 8)); }
struct account_box *account_memory_box(struct account_memory *memory, const uint8_t *box) { return row_of(memory, BOXES, of_box(box)); }

struct account_lease *account_memory_lease(struct account_memory *memory, const uint8_t *box, uint64_t lease)
{
    return row_of(memory, LEASES, lease_key(box, lease));
}

struct account_posting *account_memory_posting(struct account_memory *memory, int64_t account, const uint8_t *box, uint64_t lease, uint64_t number)
{
    return row_of(memory, POSTINGS, and_number(of_lease(account, box, lease), number, 8));
}

struct account_entry *account_memory_entry(struct account_memory *memory, const uint8_t *box, uint32_t chain, uint64_t seq)
{
    return row_of(memory, ENTRIES, of_entry(box, chain, seq));
}
