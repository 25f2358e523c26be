/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "tests/unit/account/storage_conformance.h"

#define LARGE INT64_C(999999999999999999)
#define T0 INT64_C(1790000000000)

static const uint8_t box_a[LEASE_BOX_ID_OCTETS] = { 0xA0, 0x00, 0xFF, 1 }, box_b[LEASE_BOX_ID_OCTETS] = { 0xA0, 0x00, 0xFF, 2 },
                     box_none[LEASE_BOX_ID_OCTETS] = { 0xEE };

/* One assertion a line says which call it was. */
#define DONE(call) assert_int_equal(db->ops->call, 0)
#define SAYS(error, call) assert_int_equal(db->ops->call, error)

static void begin(const struct account_db *db) { DONE(begin(db->db, 0)); }
static void commit(const struct account_db *db) { DONE(commit(db->db)); }
static void rollback(const struct account_db *db) { db->ops->rollback(db->db); }

/* -- rows in which every field is another value ---------------------------------------------------------------------------- */

static void fill(void *octets, size_t length, uint8_t with)
{
    uint8_t *at = octets;

    for (size_t i = 0; i < length; i++)
        at[i] = (uint8_t)(with + 37 * i);    /* NUL and 0xFF among them */
}

static struct account_row account_named(const char *name)
{
    struct account_row row = { .created_ms = T0, .available_micro = LARGE, .funded_micro = LARGE + 1, .paid_out_micro = 3, .postings = 7 };

    (void)snprintf(row.name, sizeof row.name, "%s", name);
    return row;
}

static struct account_box box_of(int64_t account, const uint8_t *id)
{
    struct account_box row = { .account = account, .state = BOX_FROZEN, .epoch = UINT32_MAX, .last_lease_id = 9, .last_command = 8, .alarms = 6,
                               .chain = 4, .acked = { .seq = INT64_MAX }, .lease_max_micro = LEASE_GRANT_MICRO_MAX, .created_ms = T0, .seen_ms = T0 + 1 };

    memcpy(row.id, id, sizeof row.id);
    (void)snprintf(row.label, sizeof row.label, "Büro; \"1\" -- '");
    (void)snprintf(row.version, sizeof row.version, "1.2.3");
    fill(row.key_sha256, sizeof row.key_sha256, 1);
    fill(row.hw_fingerprint, sizeof row.hw_fingerprint, 2);
    fill(row.acked.hash, sizeof row.acked.hash, 3);
    return row;
}

static struct account_lease lease_of(int64_t account, const uint8_t *box, uint64_t id, enum account_lease_state state)
{
    struct account_lease row = { .id = id, .account = account, .epoch = 2, .state = state, .grant_micro = 100, .price_version = 3, .issued_ms = T0,
                                 .spend_until_ms = T0 + (int64_t)id * 1000, .settle_until_ms = T0 + 1000000, .closed_ms = 5, .rest_micro = 50,
                                 .suspense_micro = 20, .captured_micro = 25, .debt_micro = 4, .returned_micro = 5, .postings = 11 };

    memcpy(row.box, box, sizeof row.box);
    return row;
}

static struct account_entry entry_of(const uint8_t *box, uint32_t chain, uint64_t seq, enum journal_kind kind, int64_t message, uint8_t part)
{
    struct account_entry row = { .chain = chain, .posting = 2, .paid = PAID_FROM_SUSPENSE,
                                 .entry = { .seq = seq, .lease_id = 1, .kind = kind, .message_id = message, .part = part, .attempt = UINT32_MAX,
                                            .units_micro = JOURNAL_UNITS_MICRO_MAX, .price_row = UINT32_MAX - 1, .refers_seq = kind == JOURNAL_VOID ? 1 : 0,
                                            .t_mono_ms = 12, .t_wall_ms = T0 } };

    memcpy(row.box, box, sizeof row.box);
    fill(row.entry.boot_id, sizeof row.entry.boot_id, 4);
    fill(row.entry.prev_hash, sizeof row.entry.prev_hash, 5);
    fill(row.entry.hash, sizeof row.entry.hash, (uint8_t)seq);
    return row;
}

/* -- rows are equal: field by field, since there is room between fields ------------------------------------------------------ */

#define SAME(field) assert_true(got->field == want->field)
#define SAME_OCTETS(field) assert_memory_equal(got->field, want->field, sizeof got->field)

static void same_account(const struct account_row *got, const struct account_row *want)
{
    SAME(id); assert_string_equal(got->name, want->name); SAME(created_ms); SAME(available_micro); SAME(funded_micro); SAME(paid_out_micro); SAME(postings);
}

static void same_box(const struct account_box *got, const struct account_box *want)
{
    SAME_OCTETS(id); SAME(account); assert_string_equal(got->label, want->label); SAME(state); SAME(epoch); SAME_OCTETS(key_sha256);
    SAME_OCTETS(hw_fingerprint); assert_string_equal(got->version, want->version); SAME(last_lease_id); SAME(last_command); SAME(alarms);
    SAME(chain); SAME(acked.seq); SAME_OCTETS(acked.hash); SAME(lease_max_micro); SAME(created_ms); SAME(seen_ms);
}

static void same_lease(const struct account_lease *got, const struct account_lease *want)
{
    SAME_OCTETS(box); SAME(id); SAME(account); SAME(epoch); SAME(state); SAME(grant_micro); SAME(price_version); SAME(issued_ms); SAME(spend_until_ms);
    SAME(settle_until_ms); SAME(closed_ms); SAME(rest_micro); SAME(suspense_micro); SAME(captured_micro); SAME(debt_micro); SAME(returned_micro);
    SAME(postings);
}

static void same_posting(const struct account_posting *got, const struct account_posting *want)
{
    SAME(account); SAME_OCTETS(box); SAME(lease); SAME(number); SAME(from); SAME(to); SAME(micro); SAME(reason); SAME(chain); SAME(entry); SAME(refers);
    SAME(at_ms); assert_string_equal(got->who, want->who); assert_string_equal(got->note, want->note);
}

static void same_entry(const struct account_entry *got, const struct account_entry *want)
{
    SAME_OCTETS(box); SAME(chain); SAME(posting); SAME(paid); SAME(over); SAME(entry.seq); SAME(entry.lease_id); SAME(entry.kind);
    SAME(entry.message_id); SAME(entry.part); SAME(entry.attempt); SAME(entry.units_micro); SAME(entry.price_row); SAME(entry.refers_seq);
    SAME_OCTETS(entry.boot_id); SAME(entry.t_mono_ms); SAME(entry.t_wall_ms); SAME_OCTETS(entry.prev_hash); SAME_OCTETS(entry.hash);
}

static void same_answer(const struct account_answer *got, const struct account_answer *want)
{
    SAME_OCTETS(box); SAME_OCTETS(request); SAME_OCTETS(body_sha256); SAME(status); SAME(lease); SAME(available_micro); SAME(at_ms); SAME_OCTETS(paper);
}

static void same_command(const struct account_command *got, const struct account_command *want)
{
    SAME_OCTETS(box); SAME(epoch); SAME(command.number); SAME(command.kind); SAME(command.time_ms); assert_string_equal(got->command.reason, want->command.reason);
    SAME(command.message_id); SAME(command.part); SAME(command.refers_seq); SAME(command.units_micro); SAME(command.price_version);
    SAME_OCTETS(command.price_sha256); SAME_OCTETS(command.account_key); SAME_OCTETS(command.signature);
}

static void same_token(const struct account_token *got, const struct account_token *want)
{
    SAME_OCTETS(sha256); SAME(account); SAME(again); SAME_OCTETS(box); assert_string_equal(got->label, want->label); SAME(lease_max_micro);
    SAME(created_ms); SAME(expires_ms); SAME(used_ms); SAME_OCTETS(nonce); SAME_OCTETS(request_sha256); SAME(epoch);
    assert_string_equal(got->certificate, want->certificate);
}

/* What a list told: its numbers in their order, and of the first row all. */
struct seen { uint64_t numbers[16]; size_t count, stop_after; };

static int see(struct seen *seen, uint64_t number)
{
    assert_true(seen->count < 16);
    seen->numbers[seen->count++] = number;
    return seen->count == seen->stop_after ? -ECANCELED : 0;
}

static int see_account(void *context, const struct account_row *row) { return see(context, (uint64_t)row->id); }
static int see_box(void *context, const struct account_box *row) { return see(context, row->id[3]); }
static int see_lease(void *context, const struct account_lease *row) { return see(context, row->id); }
static int see_posting(void *context, const struct account_posting *row) { return see(context, row->number); }
static int see_entry(void *context, const struct account_entry *row) { return see(context, row->chain * 100 + row->entry.seq); }
static int see_alarm(void *context, const struct account_alarm_row *row) { return see(context, row->number); }
static int see_command(void *context, const struct account_command *row) { return see(context, row->command.number); }

#define SAW(seen, ...) do { \
    const uint64_t want_[] = { __VA_ARGS__ }; \
    assert_int_equal((seen).count, sizeof want_ / sizeof *want_); \
    assert_memory_equal((seen).numbers, want_, sizeof want_); \
} while (0)

static bool saw(const struct seen *seen, uint64_t number)
{
    size_t times = 0;

    for (size_t i = 0; i < seen->count; i++)
        times += seen->numbers[i] == number;
    return times == 1;
}

/* -- the sentences ----------------------------------------------------------------------------------------------------------- */

static int64_t account_1, account_2;

static void accounts_are_kept_under_one_name_each(const struct account_db *db)
{
    struct account_row one = account_named("one"), two = account_named("zwei 'ü' \xF0\x9F\x93\xB1"), again = account_named("one"), got;
    struct seen seen = { .count = 0 };

    begin(db);
    SAYS(-ENOENT, account_find(db->db, "one", &got));
    SAYS(-ENOENT, account_get(db->db, 1, &got));
    DONE(account_list(db->db, see_account, &seen));
    assert_int_equal(seen.count, 0);
    DONE(account_add(db->db, &one));
    DONE(account_add(db->db, &two));
    assert_true(one.id > 0 && two.id > 0 && one.id != two.id);
    SAYS(-EEXIST, account_add(db->db, &again));
    DONE(account_find(db->db, "one", &got));
    same_account(&got, &one);
    DONE(account_get(db->db, two.id, &got));
    same_account(&got, &two);
    SAYS(-ENOENT, account_find(db->db, "ONE", &got));
    SAYS(-ENOENT, account_find(db->db, "on", &got));
    commit(db);
    begin(db);
    two.available_micro = 1;
    two.postings = INT64_MAX;
    DONE(account_set(db->db, &two));
    commit(db);
    begin(db);
    DONE(account_get(db->db, one.id, &got));
    same_account(&got, &one);
    DONE(account_get(db->db, two.id, &got));
    same_account(&got, &two);
    again.id = two.id + 100;
    SAYS(-ENOENT, account_set(db->db, &again));
    DONE(account_list(db->db, see_account, &seen));
    assert_true(seen.count == 2 && saw(&seen, (uint64_t)one.id) && saw(&seen, (uint64_t)two.id));
    commit(db);
    account_1 = one.id;
    account_2 = two.id;
}

static void boxes_are_kept_by_their_ids(const struct account_db *db)
{
    struct account_box a = box_of(account_1, box_a), b = box_of(account_2, box_b), got;
    struct seen all = { .count = 0 }, of_2 = { .count = 0 }, one = { .stop_after = 1 };

    begin(db);
    SAYS(-ENOENT, box_get(db->db, box_a, &got));
    DONE(box_add(db->db, &a));
    SAYS(-EEXIST, box_add(db->db, &a));
    DONE(box_add(db->db, &b));
    commit(db);
    begin(db);
    DONE(box_get(db->db, box_a, &got));
    same_box(&got, &a);
    b.state = BOX_FENCED;
    b.epoch = 1;
    b.acked.seq = 0;
    memset(b.acked.hash, 0, sizeof b.acked.hash);
    DONE(box_set(db->db, &b));
    memcpy(a.id, box_none, sizeof a.id);
    SAYS(-ENOENT, box_set(db->db, &a));
    commit(db);
    begin(db);
    DONE(box_get(db->db, box_b, &got));
    same_box(&got, &b);
    SAYS(-ENOENT, box_get(db->db, box_none, &got));
    DONE(box_list(db->db, 0, see_box, &all));
    assert_true(all.count == 2 && saw(&all, 1) && saw(&all, 2));
    DONE(box_list(db->db, account_2, see_box, &of_2));
    SAW(of_2, 2);
    SAYS(-ECANCELED, box_list(db->db, 0, see_box, &one));
    assert_int_equal(one.count, 1);
    commit(db);
}

static void leases_are_told_in_the_order_of_their_numbers(const struct account_db *db)
{
    static const enum account_lease_state states[] = { ACCOUNT_LEASE_CLOSED, ACCOUNT_LEASE_FENCED, ACCOUNT_LEASE_WRITTEN_OFF, ACCOUNT_LEASE_EXPIRED };
    struct account_lease row = lease_of(account_1, box_a, 10, ACCOUNT_LEASE_OPEN), got;
    struct seen all = { .count = 0 }, unsettled = { .count = 0 }, none = { .count = 0 }, two = { .stop_after = 2 };

    begin(db);
    DONE(lease_add(db->db, &row));           /* not in their order, and 10 is not before 2 */
    for (size_t i = 0; i < 4; i++) {
        row = lease_of(account_1, box_a, 4 - i, states[i]);
        DONE(lease_add(db->db, &row));
    }
    SAYS(-EEXIST, lease_add(db->db, &row));
    row = lease_of(account_2, box_b, 1, ACCOUNT_LEASE_OPEN);
    DONE(lease_add(db->db, &row));
    commit(db);
    begin(db);
    DONE(lease_get(db->db, box_b, 1, &got));
    same_lease(&got, &row);
    SAYS(-ENOENT, lease_get(db->db, box_b, 2, &got));
    row.state = ACCOUNT_LEASE_CLOSED;
    row.rest_micro = 0;
    row.debt_micro = LARGE;
    row.postings = 12;
    DONE(lease_set(db->db, &row));
    row.id = 77;
    SAYS(-ENOENT, lease_set(db->db, &row));
    row.id = 1;
    DONE(lease_get(db->db, box_b, 1, &got));
    same_lease(&got, &row);
    DONE(lease_list(db->db, box_a, true, see_lease, &all));
    SAW(all, 1, 2, 3, 4, 10);
    DONE(lease_list(db->db, box_a, false, see_lease, &unsettled));
    SAW(unsettled, 1, 3, 10);
    DONE(lease_list(db->db, box_b, false, see_lease, &none));
    assert_int_equal(none.count, 0);
    SAYS(-ECANCELED, lease_list(db->db, box_a, true, see_lease, &two));
    SAW(two, 1, 2);
    commit(db);
}

static void only_open_leases_are_due_and_no_more_than_asked_for(const struct account_db *db)
{
    struct account_lease row = lease_of(account_1, box_a, 11, ACCOUNT_LEASE_OPEN);
    struct seen before = { .count = 0 }, one = { .count = 0 }, both = { .count = 0 }, few = { .count = 0 };

    begin(db);                               /* those of numbers 10 and 11 are open, until T0 + 10000 and T0 + 11000 */
    DONE(lease_add(db->db, &row));
    DONE(lease_due(db->db, T0 + 9999, 8, see_lease, &before));
    assert_int_equal(before.count, 0);
    DONE(lease_due(db->db, T0 + 10000, 8, see_lease, &one));
    SAW(one, 10);
    DONE(lease_due(db->db, T0 + 99999, 8, see_lease, &both));
    assert_true(both.count == 2 && saw(&both, 10) && saw(&both, 11));
    DONE(lease_due(db->db, T0 + 99999, 1, see_lease, &few));
    assert_int_equal(few.count, 1);
    commit(db);
}

static struct account_posting posting_of(int64_t account, const uint8_t *box, uint64_t lease, uint64_t number)
{
    struct account_posting row = { .account = account, .lease = lease, .number = number, .from = BOOK_CAPTURED, .to = BOOK_OVERSPENT, .micro = LARGE,
                                   .reason = FOR_REFUND, .chain = 3, .entry = 4, .refers = 5, .at_ms = T0, .who = "Zoë", .note = "a 'note'; --\n\"2\"" };

    if (box)
        memcpy(row.box, box, sizeof row.box);
    return row;
}

static struct account_posting first_posting;
static int keep_posting(void *context, const struct account_posting *row)
{
    (void)context;
    same_posting(row, &first_posting);       /* its texts are lent, so it is looked at here */
    return -ECANCELED;
}

static void postings_are_of_a_lease_or_of_the_account(const struct account_db *db)
{
    struct account_posting row;
    struct seen of_lease = { .count = 0 }, of_other = { .count = 0 }, of_account = { .count = 0 }, none = { .count = 0 };

    begin(db);
    for (uint64_t number = 12; number > 0; number -= 4) {
        row = posting_of(account_1, box_a, 1, number);
        DONE(posting_add(db->db, &row));
    }
    SAYS(-EEXIST, posting_add(db->db, &row));
    row = posting_of(account_1, box_a, 2, 1);
    DONE(posting_add(db->db, &row));
    row = posting_of(account_1, NULL, 0, 1);
    row.who = row.note = "";
    DONE(posting_add(db->db, &row));
    SAYS(-EEXIST, posting_add(db->db, &row));
    row = posting_of(account_2, NULL, 0, 1);
    DONE(posting_add(db->db, &row));
    commit(db);
    begin(db);
    DONE(posting_list(db->db, account_1, box_a, 1, see_posting, &of_lease));
    SAW(of_lease, 4, 8, 12);
    DONE(posting_list(db->db, account_1, box_a, 2, see_posting, &of_other));
    SAW(of_other, 1);
    DONE(posting_list(db->db, account_1, NULL, 0, see_posting, &of_account));
    SAW(of_account, 1);
    DONE(posting_list(db->db, account_1, box_a, 3, see_posting, &none));
    assert_int_equal(none.count, 0);
    first_posting = posting_of(account_1, box_a, 1, 4);
    SAYS(-ECANCELED, posting_list(db->db, account_1, box_a, 1, keep_posting, NULL));
    first_posting = posting_of(account_1, NULL, 0, 1);
    first_posting.who = first_posting.note = "";
    SAYS(-ECANCELED, posting_list(db->db, account_1, NULL, 0, keep_posting, NULL));
    commit(db);
}

static void a_part_has_one_capture_that_is_not_over(const struct account_db *db)
{
    struct account_entry row, got;
    struct seen seen = { .count = 0 }, none = { .count = 0 };
    uint8_t hash[SHA256_OCTETS];

    begin(db);
    SAYS(-ENOENT, entry_get(db->db, box_a, 1, 1, &got));
    SAYS(-ENOENT, entry_hash(db->db, box_a, 1, 1, hash));
    SAYS(-ENOENT, entry_over(db->db, box_a, 1, 1));
    row = entry_of(box_a, 1, 1, JOURNAL_CAPTURE, 1000, 1);
    DONE(entry_add(db->db, &row));
    row = entry_of(box_a, 1, 1, JOURNAL_CAPTURE, 1000, 9);
    SAYS(-EEXIST, entry_add(db->db, &row));  /* the number is taken */
    row = entry_of(box_a, 1, 2, JOURNAL_CAPTURE, 1000, 1);
    SAYS(-EEXIST, entry_add(db->db, &row));  /* the part has a capture */
    SAYS(-ENOENT, entry_get(db->db, box_a, 1, 2, &got));
    row = entry_of(box_a, 1, 2, JOURNAL_CAPTURE, 1000, 2);
    DONE(entry_add(db->db, &row));           /* another part */
    row = entry_of(box_a, 1, 3, JOURNAL_CAPTURE, INT64_MAX, 1);
    DONE(entry_add(db->db, &row));           /* another message */
    row = entry_of(box_a, 1, 4, JOURNAL_RELEASE, 1000, 1);
    DONE(entry_add(db->db, &row));           /* no capture, and as many of them as come */
    row = entry_of(box_a, 1, 5, JOURNAL_RELEASE, 1000, 1);
    DONE(entry_add(db->db, &row));
    row = entry_of(box_a, 2, 1, JOURNAL_CAPTURE, 1000, 1);
    DONE(entry_add(db->db, &row));           /* another journal, of another machine perhaps */
    row = entry_of(box_b, 1, 1, JOURNAL_CAPTURE, 1000, 1);
    DONE(entry_add(db->db, &row));           /* another box */
    commit(db);

    begin(db);
    row = entry_of(box_a, 1, 6, JOURNAL_VOID, 1000, 1);
    DONE(entry_add(db->db, &row));
    DONE(entry_over(db->db, box_a, 1, 1));
    row = entry_of(box_a, 1, 12, JOURNAL_CAPTURE, 1000, 1);
    DONE(entry_add(db->db, &row));           /* the one before is over */
    row = entry_of(box_a, 1, 13, JOURNAL_CAPTURE, 1000, 1);
    SAYS(-EEXIST, entry_add(db->db, &row));
    commit(db);

    begin(db);
    DONE(entry_get(db->db, box_a, 1, 1, &got));
    row = entry_of(box_a, 1, 1, JOURNAL_CAPTURE, 1000, 1);
    row.over = true;
    same_entry(&got, &row);
    DONE(entry_get(db->db, box_a, 1, 6, &got));
    row = entry_of(box_a, 1, 6, JOURNAL_VOID, 1000, 1);
    same_entry(&got, &row);
    DONE(entry_hash(db->db, box_a, 1, 12, hash));
    row = entry_of(box_a, 1, 12, JOURNAL_CAPTURE, 1000, 1);
    assert_memory_equal(hash, row.entry.hash, sizeof hash);
    DONE(entry_list(db->db, box_a, see_entry, &seen));
    SAW(seen, 101, 102, 103, 104, 105, 106, 112, 201);
    DONE(entry_list(db->db, box_none, see_entry, &none));
    assert_int_equal(none.count, 0);
    commit(db);
}

static struct account_answer answer_of(const uint8_t *box, uint8_t request, uint64_t lease, int64_t at_ms)
{
    struct account_answer row = { .status = 9, .lease = lease, .available_micro = LARGE, .at_ms = at_ms };

    memcpy(row.box, box, sizeof row.box);
    row.request[15] = request;
    fill(row.body_sha256, sizeof row.body_sha256, 6);
    if (lease > 0)
        fill(row.paper, sizeof row.paper, 7);
    return row;
}

static void answers_are_kept_and_old_refusals_forgotten(const struct account_db *db)
{
    struct account_answer refused = answer_of(box_a, 1, 0, T0), granted = answer_of(box_a, 2, 3, T0), late = answer_of(box_a, 3, 0, T0 + 1), got;
    struct account_answer other = answer_of(box_b, 1, 1, T0);

    begin(db);
    SAYS(-ENOENT, answer_get(db->db, box_a, refused.request, &got));
    DONE(answer_add(db->db, &refused));
    SAYS(-EEXIST, answer_add(db->db, &refused));
    DONE(answer_add(db->db, &granted));
    DONE(answer_add(db->db, &late));
    DONE(answer_add(db->db, &other));        /* the same id of another box */
    commit(db);
    begin(db);
    DONE(answer_get(db->db, box_a, refused.request, &got));
    same_answer(&got, &refused);
    DONE(answer_prune(db->db, T0));
    DONE(answer_get(db->db, box_a, refused.request, &got));
    DONE(answer_prune(db->db, T0 + 1));
    SAYS(-ENOENT, answer_get(db->db, box_a, refused.request, &got));
    DONE(answer_get(db->db, box_a, late.request, &got));
    same_answer(&got, &late);
    commit(db);
    begin(db);
    SAYS(-ENOENT, answer_get(db->db, box_a, refused.request, &got));
    DONE(answer_get(db->db, box_a, granted.request, &got));
    same_answer(&got, &granted);
    DONE(answer_get(db->db, box_b, other.request, &got));
    same_answer(&got, &other);
    commit(db);
}

static struct account_command command_of(const uint8_t *box, uint32_t epoch, uint64_t number)
{
    struct account_command row = { .epoch = epoch,
                                   .command = { .number = number, .kind = COMMAND_REFUND, .time_ms = T0, .reason = "wegen 'ü'", .message_id = INT64_MAX,
                                                .part = 255, .refers_seq = INT64_MAX, .units_micro = LARGE, .price_version = UINT32_MAX } };

    memcpy(row.box, box, sizeof row.box);
    fill(row.command.price_sha256, sizeof row.command.price_sha256, 8);
    fill(row.command.account_key, sizeof row.command.account_key, 9);
    fill(row.command.signature, sizeof row.command.signature, 10);
    return row;
}

static int keep_command(void *context, const struct account_command *row)
{
    struct account_command want = command_of(box_a, 1, 9);

    (void)context;
    same_command(row, &want);
    return -ECANCELED;
}

static void commands_are_told_from_a_number_on(const struct account_db *db)
{
    struct account_command row;
    struct seen all = { .count = 0 }, after = { .count = 0 }, few = { .count = 0 }, none = { .count = 0 }, next = { .count = 0 };

    begin(db);
    for (uint64_t number = 11; number >= 9; number--) {
        row = command_of(box_a, 1, number);
        DONE(command_add(db->db, &row));
    }
    SAYS(-EEXIST, command_add(db->db, &row));
    row = command_of(box_a, 2, 1);
    DONE(command_add(db->db, &row));
    commit(db);
    begin(db);
    DONE(command_list(db->db, box_a, 1, 0, 16, see_command, &all));
    SAW(all, 9, 10, 11);
    DONE(command_list(db->db, box_a, 1, 9, 16, see_command, &after));
    SAW(after, 10, 11);
    DONE(command_list(db->db, box_a, 1, 0, 2, see_command, &few));
    SAW(few, 9, 10);
    DONE(command_list(db->db, box_a, 1, 11, 16, see_command, &none));
    DONE(command_list(db->db, box_b, 1, 0, 16, see_command, &none));
    assert_int_equal(none.count, 0);
    DONE(command_list(db->db, box_a, 2, 0, 16, see_command, &next));
    SAW(next, 1);
    SAYS(-ECANCELED, command_list(db->db, box_a, 1, 0, 16, keep_command, NULL));
    commit(db);
}

static void prices_are_kept_by_version_and_row(const struct account_db *db)
{
    static const char csv[] = "prefix,price\r\n41,'0.05'\n\"*\",0.1\n";
    struct account_price row = { .version = 2, .csv = csv, .csv_length = sizeof csv - 1, .rows = 3, .at_ms = T0 }, got;
    struct account_price_row price = { .version = 2, .row = 70000, .gsm7_micro = 50000, .ucs2_micro = 0 }, got_row;

    fill(row.sha256, sizeof row.sha256, 11);
    begin(db);
    SAYS(-ENOENT, price_get(db->db, 0, &got));
    SAYS(-ENOENT, price_get(db->db, 2, &got));
    DONE(price_add(db->db, &row));
    SAYS(-EEXIST, price_add(db->db, &row));
    DONE(price_row_add(db->db, &price));
    SAYS(-EEXIST, price_row_add(db->db, &price));
    row.version = 10;
    DONE(price_add(db->db, &row));
    row.version = 3;
    DONE(price_add(db->db, &row));
    commit(db);
    begin(db);
    DONE(price_get(db->db, 0, &got));
    assert_int_equal(got.version, 10);
    DONE(price_get(db->db, 2, &got));
    assert_true(got.version == 2 && got.rows == 3 && got.at_ms == T0 && got.csv_length == sizeof csv - 1);
    assert_memory_equal(got.sha256, row.sha256, sizeof got.sha256);
    assert_memory_equal(got.csv, csv, sizeof csv - 1);
    SAYS(-ENOENT, price_get(db->db, 4, &got));
    DONE(price_row_get(db->db, 2, 70000, &got_row));
    assert_true(got_row.version == 2 && got_row.row == 70000 && got_row.gsm7_micro == 50000 && got_row.ucs2_micro == 0);
    SAYS(-ENOENT, price_row_get(db->db, 2, 0, &got_row));
    SAYS(-ENOENT, price_row_get(db->db, 3, 70000, &got_row));
    commit(db);
}

static struct account_token token_of(uint8_t number)
{
    struct account_token row = { .account = account_1, .lease_max_micro = 5, .created_ms = T0, .expires_ms = T0 + 9, .certificate = "" };

    fill(row.sha256, sizeof row.sha256, number);
    (void)snprintf(row.label, sizeof row.label, "Lager");
    return row;
}

static void tokens_are_kept_by_their_hash(const struct account_db *db)
{
    struct account_token row = token_of(12), got;

    begin(db);
    SAYS(-ENOENT, token_get(db->db, row.sha256, &got));
    SAYS(-ENOENT, token_set(db->db, &row));
    DONE(token_add(db->db, &row));
    SAYS(-EEXIST, token_add(db->db, &row));
    commit(db);
    begin(db);
    DONE(token_get(db->db, row.sha256, &got));
    same_token(&got, &row);
    row.again = true;
    memcpy(row.box, box_a, sizeof row.box);
    row.used_ms = T0 + 2;
    fill(row.nonce, sizeof row.nonce, 13);
    fill(row.request_sha256, sizeof row.request_sha256, 14);
    row.epoch = 4;
    row.certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    DONE(token_set(db->db, &row));
    commit(db);
    begin(db);
    DONE(token_get(db->db, row.sha256, &got));
    same_token(&got, &row);
    commit(db);
}

static int keep_alarm(void *context, const struct account_alarm_row *row)
{
    *(struct account_alarm_row *)context = *row;
    return -ECANCELED;
}

static void alarms_are_numbered(const struct account_db *db)
{
    struct account_alarm_row row = { .number = 1, .kind = ALARM_DEBT, .lease = 1, .entry = 2, .micro = LARGE, .at_ms = T0 }, got = { .number = 0 };
    struct seen of_a = { .count = 0 }, all = { .count = 0 }, none = { .count = 0 };

    memcpy(row.box, box_a, sizeof row.box);
    begin(db);
    DONE(alarm_add(db->db, &row));
    SAYS(-EEXIST, alarm_add(db->db, &row));
    row.number = 2;
    row.kind = ACCOUNT_ALARMS - 1;
    DONE(alarm_add(db->db, &row));
    memcpy(row.box, box_b, sizeof row.box);
    row.number = 7;
    DONE(alarm_add(db->db, &row));
    commit(db);
    begin(db);
    DONE(alarm_list(db->db, box_a, see_alarm, &of_a));
    SAW(of_a, 1, 2);
    DONE(alarm_list(db->db, NULL, see_alarm, &all));
    SAW(all, 1, 2, 7);
    DONE(alarm_list(db->db, box_none, see_alarm, &none));
    assert_int_equal(none.count, 0);
    SAYS(-ECANCELED, alarm_list(db->db, box_a, keep_alarm, &got));
    assert_memory_equal(got.box, box_a, sizeof got.box);
    assert_true(got.kind == ALARM_DEBT && got.lease == 1 && got.entry == 2 && got.micro == LARGE && got.at_ms == T0);
    commit(db);
}

/* One of every kind of write: none of it may be seen after a rollback. */
static void write_one_of_each(const struct account_db *db)
{
    struct account_row account = account_named("taken back");
    struct account_box box = box_of(account_1, box_none);
    struct account_lease lease = lease_of(account_1, box_a, 20, ACCOUNT_LEASE_OPEN);
    struct account_posting posting = posting_of(account_1, box_a, 1, 20);
    struct account_entry entry = entry_of(box_a, 1, 20, JOURNAL_CAPTURE, 2000, 1);
    struct account_answer answer = answer_of(box_a, 20, 1, T0);
    struct account_command command = command_of(box_a, 1, 20);
    struct account_price price = { .version = 20, .csv = "x", .csv_length = 1, .rows = 1 };
    struct account_price_row price_row = { .version = 2, .row = 20, .gsm7_micro = 1 };
    struct account_token token = token_of(20);
    struct account_alarm_row alarm = { .number = 20, .kind = ALARM_FORK };

    memcpy(alarm.box, box_a, sizeof alarm.box);
    DONE(account_add(db->db, &account));
    DONE(box_add(db->db, &box));
    DONE(lease_add(db->db, &lease));
    DONE(posting_add(db->db, &posting));
    DONE(entry_add(db->db, &entry));
    DONE(answer_add(db->db, &answer));
    DONE(command_add(db->db, &command));
    DONE(price_add(db->db, &price));
    DONE(price_row_add(db->db, &price_row));
    DONE(token_add(db->db, &token));
    DONE(alarm_add(db->db, &alarm));
}

static void what_is_rolled_back_was_never_there(const struct account_db *db)
{
    struct account_row account, changed;
    struct account_box box, frozen;
    struct account_lease lease, closed;
    struct account_token token = token_of(12), used;
    struct account_entry entry;
    struct account_answer answer = answer_of(box_a, 20, 1, T0), got_answer, late = answer_of(box_a, 3, 0, T0 + 1);
    struct account_price price;
    struct account_price_row price_row;
    struct seen commands = { .count = 0 }, postings = { .count = 0 };

    begin(db);
    DONE(account_get(db->db, account_1, &account));
    DONE(box_get(db->db, box_a, &box));
    DONE(lease_get(db->db, box_a, 10, &lease));
    rollback(db);
    begin(db);
    write_one_of_each(db);
    changed = account;
    changed.available_micro = 0;
    DONE(account_set(db->db, &changed));
    frozen = box;
    frozen.state = BOX_FENCED;
    frozen.acked.seq = 1;
    DONE(box_set(db->db, &frozen));
    closed = lease;
    closed.state = ACCOUNT_LEASE_CLOSED;
    DONE(lease_set(db->db, &closed));
    DONE(token_get(db->db, token.sha256, &used));
    used.used_ms = 1;
    DONE(token_set(db->db, &used));
    DONE(entry_over(db->db, box_a, 1, 2));
    DONE(answer_prune(db->db, INT64_MAX));
    rollback(db);

    begin(db);
    SAYS(-ENOENT, account_find(db->db, "taken back", &changed));
    DONE(account_get(db->db, account_1, &changed));
    same_account(&changed, &account);
    SAYS(-ENOENT, box_get(db->db, box_none, &frozen));
    DONE(box_get(db->db, box_a, &frozen));
    same_box(&frozen, &box);
    SAYS(-ENOENT, lease_get(db->db, box_a, 20, &closed));
    DONE(lease_get(db->db, box_a, 10, &closed));
    same_lease(&closed, &lease);
    DONE(posting_list(db->db, account_1, box_a, 1, see_posting, &postings));
    SAW(postings, 4, 8, 12);
    SAYS(-ENOENT, entry_get(db->db, box_a, 1, 20, &entry));
    DONE(entry_get(db->db, box_a, 1, 2, &entry));
    assert_false(entry.over);
    entry = entry_of(box_a, 1, 21, JOURNAL_CAPTURE, 1000, 2);
    SAYS(-EEXIST, entry_add(db->db, &entry));   /* the capture is not over after all */
    SAYS(-ENOENT, answer_get(db->db, box_a, answer.request, &got_answer));
    DONE(answer_get(db->db, box_a, late.request, &got_answer));
    same_answer(&got_answer, &late);
    DONE(command_list(db->db, box_a, 1, 11, 16, see_command, &commands));
    assert_int_equal(commands.count, 0);
    SAYS(-ENOENT, price_get(db->db, 20, &price));
    SAYS(-ENOENT, price_row_get(db->db, 2, 20, &price_row));
    DONE(token_get(db->db, token.sha256, &used));
    assert_int_equal(used.used_ms, T0 + 2);
    write_one_of_each(db);                   /* nothing of it is in the way */
    rollback(db);
    rollback(db);                            /* where there is nothing to take back */
}

static void after_a_taken_key_the_transaction_goes_on(const struct account_db *db)
{
    struct account_row taken = account_named("one"), free_name = account_named("three"), got;

    begin(db);
    SAYS(-EEXIST, account_add(db->db, &taken));
    SAYS(-ENOENT, account_find(db->db, "nobody", &got));
    DONE(account_add(db->db, &free_name));
    commit(db);
    begin(db);
    DONE(account_find(db->db, "three", &got));
    same_account(&got, &free_name);
    commit(db);
}

static void an_attempt_that_is_not_the_first_begins_too(const struct account_db *db)
{
    struct account_row got;

    DONE(begin(db->db, 1));
    DONE(account_get(db->db, account_1, &got));
    commit(db);
}

void storage_conforms(const struct account_db *db)
{
    accounts_are_kept_under_one_name_each(db);
    boxes_are_kept_by_their_ids(db);
    leases_are_told_in_the_order_of_their_numbers(db);
    only_open_leases_are_due_and_no_more_than_asked_for(db);
    postings_are_of_a_lease_or_of_the_account(db);
    a_part_has_one_capture_that_is_not_over(db);
    answers_are_kept_and_old_refusals_forgotten(db);
    commands_are_told_from_a_number_on(db);
    prices_are_kept_by_version_and_row(db);
    tokens_are_kept_by_their_hash(db);
    alarms_are_numbered(db);
    what_is_rolled_back_was_never_there(db);
    after_a_taken_key_the_transaction_goes_on(db);
    an_attempt_that_is_not_the_first_begins_too(db);
}

void storage_kept_it(const struct account_db *db)
{
    struct account_row account;
    struct account_lease lease;
    struct account_token token = token_of(12), used;
    struct seen entries = { .count = 0 }, commands = { .count = 0 };

    begin(db);
    DONE(account_find(db->db, "three", &account));
    DONE(lease_get(db->db, box_b, 1, &lease));
    assert_true(lease.state == ACCOUNT_LEASE_CLOSED && lease.debt_micro == LARGE);
    DONE(entry_list(db->db, box_a, see_entry, &entries));
    SAW(entries, 101, 102, 103, 104, 105, 106, 112, 201);
    DONE(command_list(db->db, box_a, 1, 0, 16, see_command, &commands));
    SAW(commands, 9, 10, 11);
    DONE(token_get(db->db, token.sha256, &used));
    assert_int_equal(used.epoch, 4);
    commit(db);
}
