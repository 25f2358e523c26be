/* SPDX-License-Identifier: Apache-2.0 */
#include "src/account/account_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows that are looked at together are read into arrays: a storage may not be called while it lists. */
struct list { void *rows; size_t row_octets, count, room; };

/* What is kept of an entry: enough to find its posting, and another capture of its part. */
struct booked {
    uint64_t lease, posting, seq, refers_seq;
    uint32_t chain, price_row;
    int64_t micro, message_id;
    enum journal_kind kind;
    enum account_paid paid;
    uint8_t part;
    bool over;
};

/* What is kept of a posting: enough to see whether a later one undoes it. */
struct moved { enum account_book from, to; int64_t micro; uint32_t chain; uint64_t entry; bool undone; };

struct check {
    const struct account_db *db;
    struct account_census census;
    struct list faults;                      /* told when the transaction is over: one that is tried again would tell them twice */
    struct list accounts, boxes, leases, entries, moved;
    const struct account_row *account;
    const struct account_box *box;
    const struct account_lease *lease;
    struct journal_head head;                /* of the journal that is read */
    uint32_t chain;
    int64_t books[ACCOUNT_BOOKS], account_books[ACCOUNT_BOOKS], returned_micro, funded_micro, paid_out_micro;
    uint64_t postings;
    bool gap;                                /* between postings: their numbers are not their places */
    size_t next_entry, first_entry;          /* of those sorted by lease and posting: for the next posting, of the lease */
    uint64_t last_lease;
    size_t unclosed;
};

struct sentence { char text[256]; };

static int push(struct list *list, const void *row)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        void *more = realloc(list->rows, room * list->row_octets);

        if (!more)
            return -ENOMEM;
        list->rows = more;
        list->room = room;
    }
    memcpy((unsigned char *)list->rows + list->count++ * list->row_octets, row, list->row_octets);
    return 0;
}

/* Of rows that are damaged, too, and of what a box that lies owes: wraps instead of overflowing. */
static int64_t sum(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static void *row_at(const struct list *list, size_t index) { return (unsigned char *)list->rows + index * list->row_octets; }

#define FAULTS_TOLD_MAX 1000                 /* the rest are counted */

static int wrong(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(struct check *check, const char *format, ...)
{
    struct sentence sentence;
    char id[2 * LEASE_BOX_ID_OCTETS + 1] = "";
    int length = 0;
    va_list arguments;

    check->census.faults++;
    if (check->faults.count == FAULTS_TOLD_MAX)
        return 0;
    if (check->box) {
        for (size_t i = 0; i < LEASE_BOX_ID_OCTETS; i++)
            (void)snprintf(id + 2 * i, 3, "%02x", check->box->id[i]);
        length = snprintf(sentence.text, sizeof sentence.text, "box %s: ", id);
        if (check->lease)
            length += snprintf(sentence.text + length, sizeof sentence.text - (size_t)length, "lease %" PRIu64 ": ", check->lease->id);
    } else if (check->account) {
        length = snprintf(sentence.text, sizeof sentence.text, "account %s: ", check->account->name);
    }
    va_start(arguments, format);
    (void)vsnprintf(sentence.text + length, sizeof sentence.text - (size_t)length, format, arguments);
    va_end(arguments);
    return push(&check->faults, &sentence);
}

/* -- postings ------------------------------------------------------------------------------------------------------------ */

static bool is_of_lease(enum account_book book) { return book != BOOK_OUTSIDE && book != BOOK_AVAILABLE; }

/* Which way each reason may move credits. */
static bool may_move(const struct account_posting *row)
{
    enum account_book from = row->from, to = row->to;
    bool rest = to == BOOK_LEASED || to == BOOK_SUSPENSE || to == BOOK_AVAILABLE, undebt = from == BOOK_OVERSPENT && to == BOOK_DEBT;

    switch (row->reason) {
    case FOR_FUNDING: return from == BOOK_OUTSIDE && to == BOOK_AVAILABLE;
    case FOR_PAYOUT: return from == BOOK_AVAILABLE && to == BOOK_OUTSIDE;
    case FOR_GRANT: return from == BOOK_AVAILABLE && to == BOOK_LEASED;
    case FOR_CAPTURE: return ((from == BOOK_LEASED || from == BOOK_SUSPENSE) && to == BOOK_CAPTURED) || (from == BOOK_DEBT && to == BOOK_OVERSPENT);
    case FOR_VOID: return (from == BOOK_CAPTURED && rest) || (from == BOOK_AVAILABLE && (to == BOOK_LEASED || to == BOOK_SUSPENSE)) || undebt;
    case FOR_CLOSE: return (from == BOOK_LEASED || from == BOOK_SUSPENSE) && to == BOOK_AVAILABLE;
    case FOR_EXPIRY: return from == BOOK_LEASED && to == BOOK_SUSPENSE;
    case FOR_FENCE: return from == BOOK_LEASED && to == BOOK_SUSPENSE;
    case FOR_WRITE_OFF: return from == BOOK_SUSPENSE && (to == BOOK_CAPTURED || to == BOOK_AVAILABLE);
    case FOR_REFUND: return (from == BOOK_CAPTURED && to == BOOK_AVAILABLE) || undebt;
    default: return false;
    }
}

/* The entry that a posting is for, or NULL. Entries are sorted as postings come. */
static const struct booked *entry_of(struct check *check, uint64_t posting)
{
    for (; check->next_entry < check->entries.count; check->next_entry++) {
        const struct booked *booked = row_at(&check->entries, check->next_entry);

        if (booked->lease > check->lease->id || (booked->lease == check->lease->id && booked->posting > posting))
            return NULL;
        if (booked->lease == check->lease->id && booked->posting == posting) {
            check->next_entry++;
            return booked;
        }
    }
    return NULL;
}

static int see_undoing(struct check *check, const struct account_posting *row)
{
    struct moved *undone = row->refers > 0 && row->refers < row->number ? row_at(&check->moved, row->refers - 1) : NULL;

    if (!undone || undone->undone || undone->micro != row->micro ||
        (undone->to != row->from && !(undone->to == BOOK_OVERSPENT && row->from == BOOK_OVERSPENT)))
        return wrong(check, "posting %" PRIu64 " undoes %" PRIu64 ", which is no charge of its amount or was undone before", row->number, row->refers);
    undone->undone = true;
    return 0;
}

static int see_entry_of(struct check *check, const struct account_posting *row)
{
    const struct booked *booked;
    bool due = row->reason == FOR_CAPTURE || row->reason == FOR_VOID;
    enum account_paid paid = row->from == BOOK_LEASED ? PAID_FROM_REST : row->from == BOOK_SUSPENSE ? PAID_FROM_SUSPENSE : PAID_DEBT;

    if (!due)
        return 0;
    booked = entry_of(check, row->number);
    if (!booked || booked->chain != row->chain || booked->seq != row->entry || (booked->kind == JOURNAL_CAPTURE) != (row->reason == FOR_CAPTURE))
        return wrong(check, "posting %" PRIu64 " is for entry %" PRIu32 "/%" PRIu64 ", which does not say so", row->number, row->chain, row->entry);
    if (booked->kind == JOURNAL_CAPTURE && booked->micro != row->micro)
        return wrong(check, "posting %" PRIu64 " is not of the amount of entry %" PRIu32 "/%" PRIu64, row->number, row->chain, row->entry);
    if (booked->kind == JOURNAL_CAPTURE && booked->paid != paid)
        return wrong(check, "entry %" PRIu32 "/%" PRIu64 " was not paid from where it says", row->chain, row->entry);
    return 0;
}

static int see_posting(void *context, const struct account_posting *row)
{
    struct check *check = context;
    struct moved moved = { row->from, row->to, row->micro, row->chain, row->entry, false };
    int r = 0;

    check->census.postings++;
    if (row->number != ++check->postings && !check->gap) {
        check->gap = true;
        r = wrong(check, "posting %" PRIu64 " is missing", check->postings);
    }
    if (r < 0)
        return r;
    if ((unsigned)row->from >= ACCOUNT_BOOKS || (unsigned)row->to >= ACCOUNT_BOOKS || row->micro <= 0 || row->micro > ACCOUNT_MICRO_MAX || !may_move(row) ||
        (!check->lease && (is_of_lease(row->from) || is_of_lease(row->to)))) {
        check->gap = true;
        return wrong(check, "posting %" PRIu64 " moves what cannot be moved so", row->number);
    }
    check->books[row->from] = sum(check->books[row->from], -row->micro);
    check->books[row->to] = sum(check->books[row->to], row->micro);
    check->account_books[row->from] = sum(check->account_books[row->from], -row->micro);
    check->account_books[row->to] = sum(check->account_books[row->to], row->micro);
    if (check->lease && row->to == BOOK_AVAILABLE)
        check->returned_micro = sum(check->returned_micro, row->micro);
    if (check->lease && row->from == BOOK_AVAILABLE && row->reason != FOR_GRANT)
        check->returned_micro = sum(check->returned_micro, -row->micro);
    if (row->from == BOOK_OUTSIDE)
        check->funded_micro = sum(check->funded_micro, row->micro);
    if (row->to == BOOK_OUTSIDE)
        check->paid_out_micro = sum(check->paid_out_micro, row->micro);
    for (int i = 0; i < ACCOUNT_BOOKS && r == 0; i++)
        if (check->lease && is_of_lease((enum account_book)i) && i != BOOK_DEBT && check->books[i] < 0)
            r = wrong(check, "after posting %" PRIu64 " there is less than nothing in one of its books", row->number);
    if (r == 0 && check->lease)
        r = push(&check->moved, &moved);
    if (r == 0 && check->lease && !check->gap && (row->reason == FOR_VOID || row->reason == FOR_REFUND))
        r = see_undoing(check, row);
    if (r == 0 && check->lease)
        r = see_entry_of(check, row);
    return r;
}

static int read_postings(struct check *check, const uint8_t *box, uint64_t lease)
{
    memset(check->books, 0, sizeof check->books);
    check->postings = 0;
    check->gap = false;
    check->returned_micro = 0;
    check->moved.count = 0;
    return check->db->ops->posting_list(check->db->db, check->account->id, box, lease, see_posting, check);
}

/* -- leases -------------------------------------------------------------------------------------------------------------- */

static const char *lease_fault(const struct check *check, const struct account_lease *lease)
{
    bool old = lease->epoch < check->box->epoch;
    const struct { bool wrong; const char *words; } rules[] = {
        { lease->id != check->last_lease + 1, "a lease before it is missing" },
        { lease->account != check->box->account, "is of another account than its box" },
        { lease->epoch == 0 || lease->epoch > check->box->epoch, "is of an epoch that the box never had" },
        { lease->postings != check->postings, "has not as many postings as it says" },
        { lease->rest_micro != check->books[BOOK_LEASED] || lease->suspense_micro != check->books[BOOK_SUSPENSE] ||
          lease->captured_micro != check->books[BOOK_CAPTURED] || lease->debt_micro != check->books[BOOK_OVERSPENT] ||
          sum(lease->debt_micro, check->books[BOOK_DEBT]) != 0 || lease->returned_micro != check->returned_micro,
          "its balances are not what its postings sum up to" },
        { lease->rest_micro < 0 || lease->suspense_micro < 0 || lease->captured_micro < 0 || lease->debt_micro < 0, "a balance is below nothing" },
        { lease->grant_micro <= 0 ||
          lease->grant_micro != sum(sum(lease->rest_micro, lease->suspense_micro), sum(lease->captured_micro, lease->returned_micro)),
          "what became of its grant is not the whole of it" },
        { lease->state != ACCOUNT_LEASE_OPEN && lease->rest_micro != 0, "is not open and has a rest" },
        { lease->state != ACCOUNT_LEASE_EXPIRED && lease->state != ACCOUNT_LEASE_FENCED && lease->suspense_micro != 0, "is not suspended and has a suspense" },
        { lease->state < ACCOUNT_LEASE_OPEN || lease->state >= ACCOUNT_LEASE_STATES, "has a state that there is not" },
        { old && (lease->state == ACCOUNT_LEASE_OPEN || lease->state == ACCOUNT_LEASE_EXPIRED), "is of an old epoch and is not fenced" },
        { !old && lease->state == ACCOUNT_LEASE_FENCED, "is fenced and of the present epoch" },
        { lease->issued_ms > lease->spend_until_ms || lease->spend_until_ms > lease->settle_until_ms, "its times are not in their order" },
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].wrong)
            return rules[i].words;
    return NULL;
}

static int check_lease(struct check *check, const struct account_lease *lease)
{
    const char *words;
    int r;

    check->census.leases++;
    check->lease = lease;
    r = read_postings(check, lease->box, lease->id);
    if (r < 0)
        return r;
    words = lease_fault(check, lease);
    if (words)
        r = wrong(check, "%s", words);
    check->last_lease = lease->id;
    check->unclosed += lease->state == ACCOUNT_LEASE_OPEN;
    check->census.leased_micro = sum(check->census.leased_micro, lease->rest_micro);
    check->census.suspense_micro = sum(check->census.suspense_micro, lease->suspense_micro);
    check->census.captured_micro = sum(check->census.captured_micro, lease->captured_micro);
    check->census.debt_micro = sum(check->census.debt_micro, lease->debt_micro);
    check->lease = NULL;
    return r;
}

/* -- journals ------------------------------------------------------------------------------------------------------------ */

static int end_journal(struct check *check)
{
    bool present = check->chain == check->box->chain;

    if (present && (check->head.seq != check->box->acked.seq || memcmp(check->head.hash, check->box->acked.hash, SHA256_OCTETS) != 0))
        return wrong(check, "what is acknowledged (%" PRIu64 ") is not the end of its journal (%" PRIu64 ")", check->box->acked.seq, check->head.seq);
    return 0;
}

static int see_entry(void *context, const struct account_entry *row)
{
    struct check *check = context;
    const struct journal_entry *entry = &row->entry;
    struct booked booked = { entry->lease_id, row->posting, entry->seq, entry->refers_seq, row->chain, entry->price_row, entry->units_micro,
                             entry->message_id, entry->kind, row->paid, entry->part, row->over };
    enum journal_fault fault;
    int r = 0;

    check->census.entries++;
    if (row->chain != check->chain) {
        if (row->chain < check->chain || row->chain > check->box->chain)
            return wrong(check, "there is a journal %" PRIu32 ", which it never had", row->chain);
        check->chain = row->chain;
        check->head = (struct journal_head){ .seq = 0 };
    }
    fault = journal_check_next(&check->head, entry);
    if (fault != JOURNAL_INTACT) {
        r = wrong(check, "entry %" PRIu32 "/%" PRIu64 ": %s", row->chain, entry->seq, journal_fault_words(fault));
        check->head.seq = entry->seq;
        memcpy(check->head.hash, entry->hash, SHA256_OCTETS);
    }
    if (r == 0 && ((entry->kind == JOURNAL_CAPTURE) != (row->posting > 0 && row->paid != PAID_NOTHING) || (entry->kind == JOURNAL_RELEASE && row->posting > 0)))
        r = wrong(check, "entry %" PRIu32 "/%" PRIu64 " has a posting that it cannot have, or none", row->chain, entry->seq);
    return r < 0 ? r : push(&check->entries, &booked);
}

static int by_number(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int by_part(const void *a, const void *b)
{
    const struct booked *x = a, *y = b;
    int order = by_number(x->chain, y->chain);

    if (order == 0)
        order = by_number((uint64_t)x->message_id, (uint64_t)y->message_id);
    if (order == 0)
        order = by_number(x->part, y->part);
    return order != 0 ? order : by_number(x->seq, y->seq);
}

static int by_posting(const void *a, const void *b)
{
    const struct booked *x = a, *y = b;
    int order = by_number(x->lease, y->lease);

    return order != 0 ? order : by_number(x->posting, y->posting);
}

/* I3: among the entries of one part there is at most one capture that is not over. */
static int check_parts(struct check *check)
{
    const struct booked *charge = NULL;
    int r = 0;

    if (check->entries.count > 0)
        qsort(check->entries.rows, check->entries.count, sizeof *charge, by_part);
    for (size_t i = 0; r == 0 && i < check->entries.count; i++) {
        const struct booked *booked = row_at(&check->entries, i);

        if (booked->kind != JOURNAL_CAPTURE || booked->over)
            continue;
        if (charge && charge->chain == booked->chain && charge->message_id == booked->message_id && charge->part == booked->part)
            r = wrong(check, "entries %" PRIu32 "/%" PRIu64 " and %" PRIu64 " charge the same part", booked->chain, charge->seq, booked->seq);
        charge = booked;
    }
    return r;
}

/* I11. What a box told otherwise was booked with an alarm, so it is counted and is no fault of these books. */
static int check_price(struct check *check, const struct booked *booked)
{
    const struct account_lease *lease;
    struct account_price_row price;
    int r;

    if (booked->kind != JOURNAL_CAPTURE)
        return 0;
    if (booked->lease == 0 || booked->lease > check->leases.count)
        return wrong(check, "entry %" PRIu32 "/%" PRIu64 " is of lease %" PRIu64 ", which it never had", booked->chain, booked->seq, booked->lease);
    lease = row_at(&check->leases, booked->lease - 1);
    r = check->db->ops->price_row_get(check->db->db, lease->price_version, booked->price_row, &price);
    if (r < 0 && r != -ENOENT)
        return r;
    check->census.prices_differ += r == -ENOENT || (booked->micro != price.gsm7_micro && booked->micro != price.ucs2_micro);
    return 0;
}

/* The other way round, for the lease whose postings were read last: each entry has the posting that it names, and a charge is
 * over if that was undone. */
static int check_booked(struct check *check)
{
    int r = 0;

    for (; r == 0 && check->first_entry < check->entries.count; check->first_entry++) {
        const struct booked *booked = row_at(&check->entries, check->first_entry);
        const struct moved *moved = booked->posting > 0 && booked->posting <= check->moved.count ? row_at(&check->moved, booked->posting - 1) : NULL;

        if (booked->lease > check->last_lease)
            break;
        if (booked->posting == 0 || check->gap)
            continue;
        if (!moved || moved->chain != booked->chain || moved->entry != booked->seq)
            r = wrong(check, "entry %" PRIu32 "/%" PRIu64 " has no posting %" PRIu64, booked->chain, booked->seq, booked->posting);
        else if (booked->kind == JOURNAL_CAPTURE && moved->undone != booked->over)
            r = wrong(check, "entry %" PRIu32 "/%" PRIu64 " is %s, and its posting is %s", booked->chain, booked->seq, booked->over ? "over" : "not over",
                      moved->undone ? "undone" : "not undone");
    }
    return r;
}

/* -- boxes and accounts -------------------------------------------------------------------------------------------------- */

static int collect_account(void *context, const struct account_row *row) { return push(&((struct check *)context)->accounts, row); }
static int collect_box(void *context, const struct account_box *row) { return push(&((struct check *)context)->boxes, row); }
static int collect_lease(void *context, const struct account_lease *row) { return push(&((struct check *)context)->leases, row); }

struct count { uint64_t number; bool gap; };
static int count_command(void *context, const struct account_command *row)
{
    struct count *count = context;

    count->gap = count->gap || row->command.number <= count->number;
    count->number = row->command.number;
    return 0;
}

static int check_commands(struct check *check)
{
    struct count count = { .number = 0 };
    uint64_t before;
    int r;

    do {
        before = count.number;
        r = check->db->ops->command_list(check->db->db, check->box->id, check->box->epoch, before, ACCOUNT_COMMANDS_MAX, count_command, &count);
    } while (r == 0 && count.number > before);
    /* Books that are an older copy pass over the numbers of those that it has not. */
    if (r == 0 && (count.gap || count.number > check->box->last_command))
        r = wrong(check, "its commands are not numbered up to the last");
    return r;
}

static int check_journals(struct check *check)
{
    int r;

    check->entries.count = 0;
    check->chain = check->box->chain < 1 ? 0 : 1;
    check->head = (struct journal_head){ .seq = 0 };
    r = check->db->ops->entry_list(check->db->db, check->box->id, see_entry, check);
    if (r == 0 && check->chain < check->box->chain) {   /* nothing was told of the present one */
        check->chain = check->box->chain;
        check->head = (struct journal_head){ .seq = 0 };
    }
    if (r == 0)
        r = end_journal(check);
    if (r == 0)
        r = check_parts(check);
    for (size_t i = 0; r == 0 && i < check->entries.count; i++)
        r = check_price(check, row_at(&check->entries, i));
    if (r == 0 && check->entries.count > 0)
        qsort(check->entries.rows, check->entries.count, sizeof(struct booked), by_posting);
    return r;
}

static int check_box(struct check *check, const struct account_box *box)
{
    int r;

    check->census.boxes++;
    check->box = box;
    check->leases.count = 0;
    check->next_entry = check->first_entry = 0;
    check->last_lease = 0;
    check->unclosed = 0;
    r = check->db->ops->lease_list(check->db->db, box->id, true, collect_lease, check);
    if (r == 0)
        r = check_journals(check);
    for (size_t i = 0; r == 0 && i < check->leases.count; i++) {
        r = check_lease(check, row_at(&check->leases, i));
        if (r == 0)
            r = check_booked(check);
    }
    if (r == 0 && box->last_lease_id != check->last_lease)
        r = wrong(check, "its last lease is not the last that there is");
    if (r == 0 && check->unclosed > 2)
        r = wrong(check, "more than two of its leases are open");
    if (r == 0 && (box->state < BOX_ACTIVE || box->state >= ACCOUNT_BOX_STATES || box->chain == 0 || box->chain > box->epoch ||
                   (box->chain == box->epoch) == (box->state == BOX_FENCED)))
        r = wrong(check, "its state, epoch and journal do not fit together");
    if (r == 0)
        r = check_commands(check);
    check->box = NULL;
    return r;
}

static int check_account(struct check *check, const struct account_row *account)
{
    int r;

    check->census.accounts++;
    check->census.available_micro = sum(check->census.available_micro, account->available_micro);
    check->account = account;
    check->boxes.count = 0;
    check->funded_micro = check->paid_out_micro = 0;
    memset(check->account_books, 0, sizeof check->account_books);
    r = read_postings(check, NULL, 0);
    if (r == 0 && check->postings != account->postings)
        r = wrong(check, "it has not as many postings as it says");
    if (r == 0)
        r = check->db->ops->box_list(check->db->db, account->id, collect_box, check);
    for (size_t i = 0; r == 0 && i < check->boxes.count; i++)
        r = check_box(check, row_at(&check->boxes, i));
    if (r == 0 && (account->available_micro < 0 || account->available_micro != check->account_books[BOOK_AVAILABLE]))
        r = wrong(check, "what is available is not what its postings sum up to");
    if (r == 0 && (account->funded_micro != check->funded_micro || account->paid_out_micro != check->paid_out_micro))
        r = wrong(check, "what came and went is not what its postings sum up to");
    /* I1, of the rows themselves: the postings agree with both sides by now. */
    if (r == 0 && sum(sum(account->available_micro, check->account_books[BOOK_LEASED]),
                      sum(check->account_books[BOOK_SUSPENSE], check->account_books[BOOK_CAPTURED])) !=
                      sum(account->funded_micro, -account->paid_out_micro))
        r = wrong(check, "credits came from nowhere or are lost");
    check->account = NULL;
    return r;
}

static int check_work(const struct account_db *db, void *context)
{
    struct check *check = context;
    int r;

    check->census = (struct account_census){ .accounts = 0 };
    check->faults.count = check->accounts.count = 0;
    check->account = NULL;
    check->box = NULL;
    check->lease = NULL;
    r = db->ops->account_list(db->db, collect_account, check);
    for (size_t i = 0; r == 0 && i < check->accounts.count; i++)
        r = check_account(check, row_at(&check->accounts, i));
    return r;
}

int account_check(const struct account_db *db, account_fault_fn *fault, void *context, struct account_census *ret_census)
{
    struct check check = { .db = db,
                           .faults = { .row_octets = sizeof(struct sentence) }, .accounts = { .row_octets = sizeof(struct account_row) },
                           .boxes = { .row_octets = sizeof(struct account_box) }, .leases = { .row_octets = sizeof(struct account_lease) },
                           .entries = { .row_octets = sizeof(struct booked) }, .moved = { .row_octets = sizeof(struct moved) } };
    struct list *lists[] = { &check.faults, &check.accounts, &check.boxes, &check.leases, &check.entries, &check.moved };
    int r = account_transact(db, check_work, &check);

    for (size_t i = 0; r == 0 && i < check.faults.count; i++)
        fault(context, ((const struct sentence *)row_at(&check.faults, i))->text);
    if (r == 0)
        *ret_census = check.census;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->rows);
    return r;
}
