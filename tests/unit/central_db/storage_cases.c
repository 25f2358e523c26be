/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/central_db/storage_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "src/account/account_internal.h"

#define FUNDED INT64_C(1000000000000)

#define DONE(call) assert_int_equal(db->ops->call, 0)

void case_box(unsigned number, uint8_t ret_id[LEASE_BOX_ID_OCTETS])
{
    memset(ret_id, 0, LEASE_BOX_ID_OCTETS);
    ret_id[0] = (uint8_t)(number * 57 + 1);
    ret_id[15] = (uint8_t)number;
}

int64_t case_prepare(const struct account_db *db)
{
    struct account_row account = { .available_micro = FUNDED, .funded_micro = FUNDED, .name = "case" };

    DONE(begin(db->db, 0));
    DONE(account_add(db->db, &account));
    for (unsigned i = 0; i < CASE_BOXES; i++) {
        struct account_box box = { .account = account.id, .state = BOX_ACTIVE, .epoch = 1, .chain = 1, .last_lease_id = 1 };
        struct account_lease lease = { .id = 1, .account = account.id, .epoch = 1, .state = ACCOUNT_LEASE_OPEN, .price_version = 1 };

        case_box(i, box.id);
        memcpy(lease.box, box.id, sizeof lease.box);
        DONE(box_add(db->db, &box));
        DONE(lease_add(db->db, &lease));
    }
    DONE(commit(db->db));
    return account.id;
}

/* -- transactions like those of a server ------------------------------------------------------------------------------------- */

struct granting { const struct case_grant *grant; unsigned tries; };

static int grant_work(const struct account_db *db, void *context)
{
    struct granting *granting = context;
    const struct case_grant *grant = granting->grant;
    uint8_t id[LEASE_BOX_ID_OCTETS];
    struct account_box box;
    struct account_row account;
    struct account_lease lease;
    struct account_posting posting = { .account = grant->account, .from = BOOK_AVAILABLE, .to = BOOK_LEASED, .micro = grant->micro, .reason = FOR_GRANT };
    int r;

    granting->tries++;
    case_box(grant->box, id);
    r = db->ops->box_get(db->db, id, &box);
    if (r == 0)
        r = db->ops->lease_get(db->db, id, box.last_lease_id, &lease);
    if (r == 0)
        r = db->ops->account_get(db->db, grant->account, &account);
    if (r < 0)
        return r;
    account.available_micro -= grant->micro;
    posting.number = ++account.postings;
    lease.rest_micro += grant->micro;
    lease.grant_micro += grant->micro;
    box.seen_ms++;
    r = db->ops->posting_add(db->db, &posting);
    if (r == 0)
        r = db->ops->account_set(db->db, &account);
    if (r == 0)
        r = db->ops->lease_set(db->db, &lease);
    return r < 0 ? r : db->ops->box_set(db->db, &box);
}

int case_grant(const struct account_db *db, const struct case_grant *grant, unsigned *ret_tries)
{
    struct granting granting = { grant, 0 };
    int r = account_transact(db, grant_work, &granting);

    if (ret_tries)
        *ret_tries += granting.tries;
    return r;
}

struct using { const struct case_usage *usage; unsigned tries; };

static int usage_work(const struct account_db *db, void *context)
{
    struct using *using = context;
    uint8_t id[LEASE_BOX_ID_OCTETS];
    struct account_box box;
    struct account_lease lease;
    int r;

    using->tries++;
    case_box(using->usage->box, id);
    r = db->ops->box_get(db->db, id, &box);
    if (r == 0)
        r = db->ops->lease_get(db->db, id, box.last_lease_id, &lease);
    for (size_t i = 0; r == 0 && i < using->usage->count; i++) {
        struct account_entry row = { .chain = box.chain, .paid = PAID_FROM_REST,
                                     .entry = { .seq = box.acked.seq + 1, .lease_id = lease.id, .kind = JOURNAL_CAPTURE, .message_id = (int64_t)box.acked.seq + 1,
                                                .part = 1, .attempt = 1, .units_micro = 1, .price_row = 1 } };
        struct account_posting posting = { .account = lease.account, .lease = lease.id, .from = BOOK_LEASED, .to = BOOK_CAPTURED, .micro = 1,
                                           .reason = FOR_CAPTURE, .chain = box.chain, .entry = box.acked.seq + 1, .who = "", .note = "" };

        memcpy(row.box, id, sizeof id);
        memcpy(posting.box, id, sizeof id);
        r = journal_append(&box.acked, &row.entry);
        row.posting = posting.number = ++lease.postings;
        lease.captured_micro++;
        if (r == 0)
            r = db->ops->posting_add(db->db, &posting);
        if (r == 0)
            r = db->ops->entry_add(db->db, &row);
    }
    if (r == 0)
        r = db->ops->lease_set(db->db, &lease);
    return r < 0 ? r : db->ops->box_set(db->db, &box);
}

int case_usage(const struct account_db *db, const struct case_usage *usage, unsigned *ret_tries)
{
    struct using using = { usage, 0 };
    int r = account_transact(db, usage_work, &using);

    if (ret_tries)
        *ret_tries += using.tries;
    return r;
}

/* -- the books ------------------------------------------------------------------------------------------------------------------ */

struct sum { uint64_t rows, last; int64_t micro; struct journal_head head; const struct account_db *db; bool whole; };

static int add_posting(void *context, const struct account_posting *row)
{
    struct sum *sum = context;

    sum->whole = sum->whole && row->number == ++sum->last;
    sum->micro += row->micro;
    sum->rows++;
    return 0;
}

static int add_entry(void *context, const struct account_entry *row)
{
    struct sum *sum = context;

    sum->whole = sum->whole && journal_check_next(&sum->head, &row->entry) == JOURNAL_INTACT && row->posting == row->entry.seq;
    sum->rows++;
    return 0;
}

void case_check(const struct account_db *db, int64_t account_id, uint64_t *ret_grants, uint64_t *ret_entries)
{
    struct account_row account;
    struct sum grants = { .whole = true };
    int64_t leased = 0;

    *ret_entries = 0;
    DONE(begin(db->db, 0));
    DONE(account_get(db->db, account_id, &account));
    DONE(posting_list(db->db, account_id, NULL, 0, add_posting, &grants));
    assert_true(grants.whole);
    assert_int_equal(grants.rows, account.postings);
    for (unsigned i = 0; i < CASE_BOXES; i++) {
        struct sum postings = { .whole = true }, entries = { .whole = true };
        struct account_lease lease;
        struct account_box box;
        uint8_t id[LEASE_BOX_ID_OCTETS];

        case_box(i, id);
        DONE(box_get(db->db, id, &box));
        DONE(lease_get(db->db, id, 1, &lease));
        DONE(posting_list(db->db, account_id, id, 1, add_posting, &postings));
        DONE(entry_list(db->db, id, add_entry, &entries));
        assert_true(postings.whole && entries.whole);
        assert_int_equal(postings.rows, lease.postings);
        assert_int_equal(postings.micro, lease.captured_micro);
        assert_int_equal(entries.rows, box.acked.seq);
        assert_memory_equal(&entries.head, &box.acked, sizeof box.acked);
        leased += lease.grant_micro;
        *ret_entries += entries.rows;
    }
    assert_int_equal(leased, grants.micro);
    assert_int_equal(account.available_micro, FUNDED - leased);
    DONE(commit(db->db));
    *ret_grants = grants.rows;
}

/* -- cases ---------------------------------------------------------------------------------------------------------------------- */

void many_rows_of_one_transaction_are_as_they_were_written(case_open *open)
{
    static const size_t counts[] = { 1, 511, 512, 513, 4096 };   /* around what is sent together */
    struct central_db *kept = open();
    struct account_db ops = central_db_ops(kept), *db = &ops;
    int64_t account = case_prepare(db);
    uint64_t grants, entries, all = 0;

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        assert_int_equal(case_usage(db, &(struct case_usage){ 1, counts[i] }, NULL), 0);
        all += counts[i];
        case_check(db, account, &grants, &entries);
        assert_int_equal(entries, all);
    }
    central_db_close(kept);
}

struct leaving { size_t after, count; };

static int leave(void *context, const struct account_entry *row)
{
    struct leaving *leaving = context;

    assert_int_equal(row->entry.seq, ++leaving->count);
    return leaving->count == leaving->after ? 42 : 0;
}

void a_list_of_any_length_may_be_left_at_any_row(case_open *open)
{
    struct central_db *kept = open();
    struct account_db ops = central_db_ops(kept), *db = &ops;
    uint8_t id[LEASE_BOX_ID_OCTETS];
    struct account_box box;

    (void)case_prepare(db);
    case_box(2, id);
    assert_int_equal(case_usage(db, &(struct case_usage){ 2, 3000 }, NULL), 0);
    DONE(begin(db->db, 0));
    DONE(box_get(db->db, id, &box));
    for (size_t after = 1; after < 4000; after = after * 3 + 1) {
        struct leaving leaving = { after, 0 };
        bool all = after > 3000;

        box.seen_ms++;
        DONE(box_set(db->db, &box));         /* and one may write before and after it */
        assert_int_equal(db->ops->entry_list(db->db, id, leave, &leaving), all ? 0 : 42);
        assert_int_equal(leaving.count, all ? 3000 : after);
    }
    DONE(box_get(db->db, id, &box));
    assert_int_equal(box.seen_ms, 8);
    DONE(commit(db->db));
    central_db_close(kept);
}

#define RACERS 4
#define RACE_GRANTS 40
#define RACE_POSTS 20

struct racer { pthread_t thread; case_open *open; int64_t account; unsigned number, tries; int failed; };

/* All grants are of one account; two racers share a box. */
static void *race(void *context)
{
    struct racer *racer = context;
    struct central_db *db = racer->open();
    struct account_db ops = central_db_ops(db);

    for (unsigned i = 0; i < RACE_GRANTS && racer->failed == 0; i++) {
        racer->failed = case_grant(&ops, &(struct case_grant){ racer->account, racer->number % 2, 10 + i }, &racer->tries);
        if (racer->failed == 0 && i % (RACE_GRANTS / RACE_POSTS) == 0)
            racer->failed = case_usage(&ops, &(struct case_usage){ racer->number % 2, 3 }, &racer->tries);
        if (racer->failed == -EAGAIN) {      /* unlucky so many times: as a box would, it asks again */
            racer->failed = 0;
            i--;
        }
    }
    central_db_close(db);
    return NULL;
}

void transactions_that_race_all_count_once(case_open *open)
{
    struct central_db *kept = open();
    struct account_db ops = central_db_ops(kept), *db = &ops;
    int64_t account = case_prepare(db);
    struct racer racers[RACERS];
    uint64_t grants, entries;

    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){ .open = open, .account = account, .number = i };
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS; i++)
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
    for (unsigned i = 0; i < RACERS; i++)
        assert_int_equal(racers[i].failed, 0);
    case_check(db, account, &grants, &entries);
    assert_true(grants >= RACERS * RACE_GRANTS && entries >= 3 * RACERS * RACE_POSTS);
    central_db_close(kept);
}

void what_is_rolled_back_leaves_nothing(case_open *open)
{
    struct central_db *kept = open();
    struct account_db ops = central_db_ops(kept), *db = &ops;
    int64_t account = case_prepare(db);
    struct account_entry row = { .chain = 1, .entry = { .seq = 1, .kind = JOURNAL_CAPTURE, .message_id = 1, .part = 1 } };
    struct granting granting = { &(struct case_grant){ account, 0, 5 }, 0 };
    uint64_t grants, entries;

    case_box(0, row.box);
    DONE(begin(db->db, 0));
    DONE(entry_add(db->db, &row));           /* perhaps not even sent yet */
    assert_int_equal(grant_work(db, &granting), 0);
    db->ops->rollback(db->db);
    db->ops->rollback(db->db);               /* there is nothing to take back any more */
    case_check(db, account, &grants, &entries);
    assert_true(grants == 0 && entries == 0);
    DONE(begin(db->db, 0));
    db->ops->rollback(db->db);               /* nothing was done */
    assert_int_equal(case_usage(db, &(struct case_usage){ 0, 2 }, NULL), 0);
    case_check(db, account, &grants, &entries);
    assert_int_equal(entries, 2);
    row.entry.seq = row.entry.message_id = 3;
    DONE(begin(db->db, 0));
    DONE(entry_add(db->db, &row));           /* the close takes it back */
    central_db_close(kept);
    kept = open();
    ops = central_db_ops(kept);
    case_check(db, account, &grants, &entries);
    assert_int_equal(entries, 2);
    central_db_close(kept);
}

void a_price_that_was_rolled_back_is_not_remembered(case_open *open)
{
    struct central_db *kept = open();
    struct account_db ops = central_db_ops(kept), *db = &ops;
    struct account_price wrong = { .version = 1, .csv = "wrong", .csv_length = 5 }, right = { .version = 1, .csv = "right\n", .csv_length = 6 }, got;
    struct account_price_row wrong_row = { 1, 7, 100, 200 }, right_row = { 1, 7, 101, 201 }, got_row;

    DONE(begin(db->db, 0));
    DONE(price_add(db->db, &wrong));
    DONE(price_row_add(db->db, &wrong_row));
    DONE(price_get(db->db, 0, &got));
    assert_memory_equal(got.csv, "wrong", 6);
    DONE(price_row_get(db->db, 1, 7, &got_row));
    db->ops->rollback(db->db);
    DONE(begin(db->db, 0));
    assert_int_equal(db->ops->price_get(db->db, 0, &got), -ENOENT);
    assert_int_equal(db->ops->price_row_get(db->db, 1, 7, &got_row), -ENOENT);
    DONE(price_add(db->db, &right));
    DONE(price_row_add(db->db, &right_row));
    DONE(commit(db->db));
    for (unsigned i = 0; i < 3; i++) {       /* read, and remembered */
        DONE(begin(db->db, 0));
        DONE(price_get(db->db, i % 2, &got));
        assert_memory_equal(got.csv, "right\n", 7);
        DONE(price_row_get(db->db, 1, 7, &got_row));
        assert_int_equal(got_row.ucs2_micro, 201);
        DONE(commit(db->db));
    }
    central_db_close(kept);
}

/* -- the account over it ------------------------------------------------------------------------------------------------------------ */

static int random_octets(void *context, unsigned char *ret_octets, size_t length)
{
    (void)context;
    memset(ret_octets, 0x42, length);
    return 0;
}

static int sign_lease(void *context, struct lease *lease) { (void)context; (void)lease; return 0; }

static int sign_command(void *context, struct command *command, const uint8_t box[LEASE_BOX_ID_OCTETS], uint32_t epoch)
{
    (void)context; (void)command; (void)box; (void)epoch;
    return 0;
}

static int certify(void *context, const char *csr, const uint8_t box[LEASE_BOX_ID_OCTETS], int64_t now_ms,
                   char ret_certificate[ACCOUNT_CERTIFICATE_CHARS], uint8_t ret_key_sha256[SHA256_OCTETS])
{
    (void)context; (void)csr; (void)box; (void)now_ms;
    (void)strcpy(ret_certificate, "certificate");
    memset(ret_key_sha256, 7, SHA256_OCTETS);
    return 0;
}

static const struct account_hands hands = { random_octets, sign_lease, sign_command, certify, NULL, 1000000, 1000000 };

#define OK(call) do { assert_int_equal(call, 0); assert_int_equal(status, ACCOUNT_OK); } while (0)
#define ROWS 600                             /* of a post: more than are sent together */

struct post { struct journal_head head; struct journal_entry entries[ROWS]; size_t count; uint64_t lease; };

static void add(struct post *post, enum journal_kind kind, int64_t message, uint64_t refers)
{
    post->entries[post->count++] = (struct journal_entry){ .seq = post->head.seq + post->count, .lease_id = post->lease, .kind = kind, .message_id = message,
                                                           .part = 1, .attempt = 1, .units_micro = 10, .price_row = 1, .refers_seq = refers };
}

/* Takes what is in the post as told, if it was taken. */
static enum account_status tell(const struct account_db *db, const struct account_caller *caller, struct post *post)
{
    struct account_usage_ask ask = { .from_seq = post->head.seq + 1, .entries = post->entries, .count = post->count, .head = post->head };
    struct account_usage_told told;
    enum account_status status;

    memcpy(ask.prev_hash, post->head.hash, sizeof ask.prev_hash);
    for (size_t i = 0; i < post->count; i++)
        assert_int_equal(journal_append(&ask.head, &post->entries[i]), 0);
    assert_int_equal(account_usage(db, &hands, caller, &ask, 2, &status, &told), 0);
    if (status == ACCOUNT_OK) {
        assert_memory_equal(&told.acked, &ask.head, sizeof ask.head);
        post->head = ask.head;
    }
    post->count = 0;
    return status;
}

static void be_wrong(void *context, const char *sentence)
{
    (void)context;
    fail_msg("%s", sentence);
}

void posts_of_usage_are_booked_whole_or_not_at_all(case_open *open)
{
    struct central_db *kept = open();
    struct account_db ops = central_db_ops(kept), *db = &ops;
    struct account_token_ask token = { .account = "shop", .label = "box", .lease_max_micro = 100000, .valid_ms = 1000 };
    struct account_enrol_ask enrol = { .token = "token", .csr = "csr", .version = "1" };
    struct account_price_row price_rows[] = { { 1, 0, 1, 2 }, { 1, 1, 10, 20 } };
    struct account_price_ask prices = { { .version = 1, .csv = "csv", .csv_length = 3, .rows = 2 }, price_rows };
    struct account_lease_ask lease_ask = { .want_micro = 50000 };
    struct account_lease_told lease_told;
    struct account_enrol_told enrolled;
    struct account_caller caller = { .epoch = 1 };
    struct account_close_ask closing = { .lease_id = 1 };
    enum account_status status;
    struct account_lease lease;
    struct account_entry entry;
    struct account_census census;
    struct post post = { .lease = 1 };
    int64_t returned_micro;

    octets_sha256((const uint8_t *)"token", 5, token.token_sha256);
    OK(account_create(db, "shop", 1, &status));
    assert_int_equal(account_create(db, "shop", 1, &status), 0);
    assert_int_equal(status, ACCOUNT_NAME_TAKEN);
    OK(account_fund(db, "shop", 60000, "somebody", "paid in cash", 1, &status));
    OK(account_price_import(db, &hands, &prices, 1, &status));
    OK(account_token_new(db, &token, 1, &status));
    OK(account_enrol(db, &hands, &enrol, 1, &status, &enrolled));
    OK(account_enrol(db, &hands, &enrol, 1, &status, &enrolled));   /* again, the same */
    assert_string_equal(enrolled.certificate, "certificate");
    memcpy(caller.box, enrolled.box, sizeof caller.box);
    memset(caller.key_sha256, 7, sizeof caller.key_sha256);
    OK(account_lease(db, &hands, &caller, &lease_ask, 1, &status, &lease_told));
    OK(account_lease(db, &hands, &caller, &lease_ask, 2, &status, &lease_told));
    assert_true(lease_told.lease.lease_id == 1 && lease_told.available_micro == 10000);

    for (int64_t i = 1; i < ROWS; i++)       /* the last one is of a part that has a capture */
        add(&post, JOURNAL_CAPTURE, i, 0);
    add(&post, JOURNAL_CAPTURE, 5, 0);
    assert_int_equal(tell(db, &caller, &post), ACCOUNT_BAD_ENTRIES);
    DONE(begin(db->db, 0));
    DONE(lease_get(db->db, caller.box, 1, &lease));
    assert_true(lease.captured_micro == 0 && lease.rest_micro == 50000);
    assert_int_equal(db->ops->entry_get(db->db, caller.box, 1, 1, &entry), -ENOENT);
    DONE(commit(db->db));

    for (int64_t i = 1; i < ROWS - 3; i++)
        add(&post, JOURNAL_CAPTURE, i, 0);
    add(&post, JOURNAL_VOID, 5, 5);          /* of the same post */
    add(&post, JOURNAL_CAPTURE, 5, 0);
    add(&post, JOURNAL_RELEASE, 1000, 0);
    assert_int_equal(tell(db, &caller, &post), ACCOUNT_OK);
    add(&post, JOURNAL_CAPTURE, 7, 0);       /* of an earlier one */
    assert_int_equal(tell(db, &caller, &post), ACCOUNT_BAD_ENTRIES);
    DONE(begin(db->db, 0));
    DONE(entry_get(db->db, caller.box, 1, 5, &entry));
    assert_true(entry.over);
    DONE(entry_get(db->db, caller.box, 1, ROWS - 2, &entry));
    assert_true(!entry.over && entry.paid == PAID_FROM_REST && entry.entry.message_id == 5);
    DONE(lease_get(db->db, caller.box, 1, &lease));
    assert_true(lease.captured_micro == (ROWS - 4) * 10 && lease.rest_micro == 50000 - lease.captured_micro);
    DONE(commit(db->db));

    closing.head = post.head;
    closing.captured_micro = lease.captured_micro;
    closing.rest_micro = lease.rest_micro;
    OK(account_close(db, &caller, &closing, 3, &status, &returned_micro));
    assert_int_equal(returned_micro, lease.rest_micro);
    OK(account_close(db, &caller, &closing, 4, &status, &returned_micro));
    assert_int_equal(returned_micro, lease.rest_micro);
    assert_int_equal(account_check(db, be_wrong, NULL, &census), 0);
    assert_true(census.entries == ROWS - 1 && census.faults == 0 && census.available_micro == 60000 - lease.captured_micro);
    central_db_close(kept);
}
