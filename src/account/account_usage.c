/* SPDX-License-Identifier: Apache-2.0 */
#include "src/account/account_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEASES_HELD 8                        /* rows that are written together; entries of more than a few leases are rare */

struct usage {
    const struct account_hands *hands;
    const struct account_caller *caller;
    const struct account_usage_ask *ask;
    int64_t now_ms;
    struct journal_entry *entries;           /* those of ask, chained */
    bool malformed;                          /* they are no run of entries */
    enum account_status gave_up;             /* why the transaction was, where it was */
    struct account_usage_told told;
    /* Of one try: */
    struct account_box box;
    struct account_row account;
    struct account_lease leases[LEASES_HELD];
    size_t lease_count;
    struct account_price_row price;          /* the last that was looked up; of version 0: none */
};

#define COMMANDS_AHEAD_MAX 1000000           /* of these books; a box that says more is broken */

static int give_up(struct usage *usage, enum account_status why)
{
    usage->gave_up = why;
    return -ECANCELED;
}

/* -- rows -------------------------------------------------------------------------------------------------------------- */

static int write_leases(const struct account_db *db, struct usage *usage)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < usage->lease_count; i++)
        r = db->ops->lease_set(db->db, &usage->leases[i]);
    usage->lease_count = 0;
    return r;
}

static int lease_of(const struct account_db *db, struct usage *usage, uint64_t id, struct account_lease **ret_lease)
{
    int r = 0;

    for (size_t i = 0; i < usage->lease_count; i++) {
        if (usage->leases[i].id == id) {
            *ret_lease = &usage->leases[i];
            return 0;
        }
    }
    if (usage->lease_count == LEASES_HELD)
        r = write_leases(db, usage);
    if (r == 0)
        r = db->ops->lease_get(db->db, usage->box.id, id, &usage->leases[usage->lease_count]);
    if (r == 0)
        *ret_lease = &usage->leases[usage->lease_count++];
    return r == -ENOENT ? give_up(usage, id > usage->box.last_lease_id ? ACCOUNT_UNKNOWN_LEASE : ACCOUNT_BAD_ENTRIES) : r;
}

static int alarm_of(const struct account_db *db, struct usage *usage, enum account_alarm kind, const struct journal_entry *entry)
{
    return account_alarm(db, &usage->box, kind, entry->lease_id, entry->seq, entry->units_micro, usage->now_ms);
}

/* -- what an entry moves ------------------------------------------------------------------------------------------------- */

/* I11. The table is that of the lease, whatever is in force now. */
static int check_price(const struct account_db *db, struct usage *usage, const struct account_lease *lease, const struct journal_entry *entry)
{
    struct account_price_row *price = &usage->price;
    int r = 0;

    if (price->version != lease->price_version || price->row != entry->price_row)
        r = db->ops->price_row_get(db->db, lease->price_version, entry->price_row, price);
    if (r == -ENOENT) {
        *price = (struct account_price_row){ .version = 0 };
        return alarm_of(db, usage, ALARM_PRICE_DIFFERS, entry);
    }
    if (r < 0)
        return r;
    return entry->units_micro == price->gsm7_micro || entry->units_micro == price->ucs2_micro ? 0 : alarm_of(db, usage, ALARM_PRICE_DIFFERS, entry);
}

static struct account_posting posting_for(const struct usage *usage, const struct account_entry *row, enum account_reason reason)
{
    return (struct account_posting){ .micro = row->entry.units_micro, .reason = reason, .chain = row->chain, .entry = row->entry.seq,
                                     .at_ms = usage->now_ms };
}

/* From the rest of the lease; if that does not hold it, from its suspense; else nobody paid for it. */
static int capture(const struct account_db *db, struct usage *usage, struct account_lease *lease, struct account_entry *row)
{
    struct account_posting posting = posting_for(usage, row, FOR_CAPTURE);
    int64_t units_micro = row->entry.units_micro;
    int r;

    posting.to = BOOK_CAPTURED;
    if (lease->rest_micro >= units_micro) {
        posting.from = BOOK_LEASED;
        row->paid = PAID_FROM_REST;
    } else if (lease->suspense_micro >= units_micro) {
        posting.from = BOOK_SUSPENSE;
        row->paid = PAID_FROM_SUSPENSE;
    } else {
        if (lease->debt_micro > ACCOUNT_FUNDED_MICRO_MAX - units_micro)
            return give_up(usage, ACCOUNT_BAD_ENTRIES);   /* no box owes that: sums have to stay within 64 bits */
        posting.from = BOOK_DEBT;
        posting.to = BOOK_OVERSPENT;
        row->paid = PAID_DEBT;
    }
    r = account_post(db, NULL, lease, &posting);
    row->posting = posting.number;
    if (r == 0 && row->paid == PAID_DEBT)
        r = alarm_of(db, usage, ALARM_DEBT, &row->entry);
    return r < 0 ? r : check_price(db, usage, lease, &row->entry);
}

enum account_book account_back_to(const struct account_lease *lease)
{
    switch (lease->state) {
    case ACCOUNT_LEASE_OPEN: return BOOK_LEASED;
    case ACCOUNT_LEASE_EXPIRED:
    case ACCOUNT_LEASE_FENCED: return BOOK_SUSPENSE;
    default: return BOOK_AVAILABLE;
    }
}

int account_undo(const struct account_db *db, struct account_row *account, struct account_lease *lease, const struct account_entry *captured,
                 enum account_book to, struct account_posting *posting)
{
    bool debt = captured->paid == PAID_DEBT;
    int r;

    posting->from = debt ? BOOK_OVERSPENT : BOOK_CAPTURED;
    posting->to = debt ? BOOK_DEBT : to;
    posting->micro = captured->entry.units_micro;
    posting->refers = captured->posting;
    r = account_post(db, account, lease, posting);
    return r < 0 ? r : db->ops->entry_over(db->db, captured->box, captured->chain, captured->entry.seq);
}

/* The posting by which a person gave a charge back, unless that was undone again. */
struct given { uint64_t charge, refund; };

static int find_given(void *context, const struct account_posting *row)
{
    struct given *given = context;

    if (row->refers == given->charge && row->reason == FOR_REFUND && row->to == BOOK_AVAILABLE)
        given->refund = row->number;
    else if (given->refund > 0 && row->refers == given->refund)
        given->refund = 0;
    return 0;
}

/* A person gave the charge back, then the box took it back too, which counts on it for its lease: the credits go there from
 * what is available. Where there are not enough any more, what the box spends of them will be debt. */
static int lend_again(const struct account_db *db, struct usage *usage, struct account_lease *lease, const struct account_entry *captured,
                      struct account_entry *row)
{
    struct account_posting posting = posting_for(usage, row, FOR_VOID);
    struct given given = { .charge = captured->posting };
    int r;

    posting.from = BOOK_AVAILABLE;
    posting.to = account_back_to(lease);
    posting.micro = captured->entry.units_micro;
    if (posting.to == BOOK_AVAILABLE || usage->account.available_micro < posting.micro)
        return 0;
    r = db->ops->posting_list(db->db, lease->account, lease->box, lease->id, find_given, &given);
    if (r < 0 || given.refund == 0)
        return r;
    posting.refers = given.refund;
    r = account_post(db, &usage->account, lease, &posting);
    row->posting = posting.number;
    return r;
}

/* The box took a capture back. */
static int take_back(const struct account_db *db, struct usage *usage, struct account_lease *lease, struct account_entry *row)
{
    struct account_posting posting = posting_for(usage, row, FOR_VOID);
    struct account_entry captured;
    int r = db->ops->entry_get(db->db, row->box, row->chain, row->entry.refers_seq, &captured);

    if (r < 0 && r != -ENOENT)
        return r;
    if (r == -ENOENT || captured.entry.kind != JOURNAL_CAPTURE || captured.entry.lease_id != row->entry.lease_id ||
        captured.entry.message_id != row->entry.message_id || captured.entry.part != row->entry.part)
        return alarm_of(db, usage, ALARM_BAD_VOID, &row->entry);
    if (captured.over)
        return lend_again(db, usage, lease, &captured, row);
    r = account_undo(db, &usage->account, lease, &captured, account_back_to(lease), &posting);
    row->posting = posting.number;
    if (r == 0 && row->entry.units_micro != captured.entry.units_micro)
        r = alarm_of(db, usage, ALARM_PRICE_DIFFERS, &row->entry);
    return r;
}

static int book(const struct account_db *db, struct usage *usage, const struct journal_entry *entry)
{
    struct account_entry row = { .chain = usage->box.chain, .entry = *entry };
    struct account_lease *lease;
    int r = lease_of(db, usage, entry->lease_id, &lease);

    memcpy(row.box, usage->box.id, sizeof row.box);
    if (r == 0 && entry->kind == JOURNAL_CAPTURE)
        r = capture(db, usage, lease, &row);
    else if (r == 0 && entry->kind == JOURNAL_VOID)
        r = take_back(db, usage, lease, &row);
    if (r == 0)
        r = db->ops->entry_add(db->db, &row);
    return r == -EEXIST ? give_up(usage, ACCOUNT_BAD_ENTRIES) : r;   /* the part has a capture */
}

/* -- what is told ---------------------------------------------------------------------------------------------------------- */

/* The hash that the account has of an entry up to acked. */
static int own_hash(const struct account_db *db, const struct account_box *box, uint64_t seq, uint8_t ret_hash[SHA256_OCTETS])
{
    assert(seq <= box->acked.seq);
    if (seq == box->acked.seq) {
        memcpy(ret_hash, box->acked.hash, SHA256_OCTETS);
        return 0;
    }
    if (seq == 0) {
        memset(ret_hash, 0, SHA256_OCTETS);
        return 0;
    }
    return db->ops->entry_hash(db->db, box->id, box->chain, seq, ret_hash);
}

/* Whether what was told is a piece of the one history that the account knows; *ret_seq: where it is not. A hash stands for
 * all entries before it, so the ends of what both have say it of all. */
static int is_fork(const struct account_db *db, const struct usage *usage, bool *ret_fork, uint64_t *ret_seq)
{
    const struct account_usage_ask *ask = usage->ask;
    uint64_t acked = usage->box.acked.seq, before = ask->from_seq - 1, last = before + ask->count, both = last < acked ? last : acked;
    const struct { uint64_t seq; const uint8_t *hash; } told[] = {
        { before, ask->prev_hash },
        { both, both > before ? usage->entries[both - ask->from_seq].hash : ask->prev_hash },
        { ask->head.seq, ask->head.hash },
    };
    uint8_t hash[SHA256_OCTETS];

    *ret_fork = false;
    for (size_t i = 0; i < sizeof told / sizeof *told && !*ret_fork; i++) {
        *ret_seq = told[i].seq;
        if (told[i].seq <= acked) {
            int r = own_hash(db, &usage->box, told[i].seq, hash);

            if (r < 0)
                return r;
        } else if (told[i].seq <= last) {
            memcpy(hash, usage->entries[told[i].seq - ask->from_seq].hash, SHA256_OCTETS);
        } else {
            continue;                        /* what is to be told yet */
        }
        *ret_fork = memcmp(hash, told[i].hash, SHA256_OCTETS) != 0;
    }
    return 0;
}

int account_found_fork(const struct account_db *db, const struct account_hands *hands, struct account_box *box, uint64_t lease, uint64_t entry,
                       int64_t now_ms)
{
    int r = account_alarm(db, box, ALARM_FORK, lease, entry, 0, now_ms);

    if (r == 0)
        r = account_revoke(db, hands, box, "two copies of this box have told different usage", now_ms);
    box->seen_ms = now_ms;
    if (r == 0)
        r = db->ops->box_set(db->db, box);
    return r < 0 ? r : (int)ACCOUNT_FORK;
}

/* Else the next command would have a number that the box has obeyed before, and be passed over. */
static void catch_up_with_commands(struct account_box *box, uint64_t command)
{
    if (command > box->last_command && command - box->last_command <= COMMANDS_AHEAD_MAX)
        box->last_command = command;
}

static int book_all(const struct account_db *db, struct usage *usage)
{
    const struct account_usage_ask *ask = usage->ask;
    struct account_box *box = &usage->box;
    int64_t available_micro = usage->account.available_micro;
    int r = 0;

    for (size_t i = 0; r == 0 && i < ask->count; i++) {
        if (usage->entries[i].seq <= box->acked.seq)
            continue;
        r = book(db, usage, &usage->entries[i]);
        box->acked.seq = usage->entries[i].seq;
        memcpy(box->acked.hash, usage->entries[i].hash, SHA256_OCTETS);
    }
    if (r == 0)
        r = write_leases(db, usage);
    if (r == 0 && usage->account.available_micro != available_micro)
        r = db->ops->account_set(db->db, &usage->account);
    catch_up_with_commands(box, ask->command);
    box->seen_ms = usage->now_ms;
    return r < 0 ? r : db->ops->box_set(db->db, box);
}

static int usage_work(const struct account_db *db, void *context)
{
    struct usage *usage = context;
    struct account_box *box = &usage->box;
    bool fork;
    uint64_t seq;
    int r = account_admit(db, usage->caller, box);

    usage->gave_up = ACCOUNT_OK;
    usage->lease_count = 0;
    usage->price.version = 0;
    if (r != ACCOUNT_OK)
        return r;
    if (usage->malformed)
        return ACCOUNT_BAD_ENTRIES;
    usage->told.acked = box->acked;
    if (usage->ask->from_seq - 1 > box->acked.seq)
        return ACCOUNT_GAP;
    r = is_fork(db, usage, &fork, &seq);
    if (r < 0)
        return r;
    if (fork)
        return account_found_fork(db, usage->hands, box, 0, seq, usage->now_ms);
    r = db->ops->account_get(db->db, box->account, &usage->account);
    if (r == 0)
        r = book_all(db, usage);
    usage->told = (struct account_usage_told){ box->acked, usage->account.available_micro, box->last_command };
    return r;
}

/* Numbers and hashes of the entries. False: they are not a run from from_seq on, or none that can be. */
static bool chain_entries(const struct account_usage_ask *ask, struct journal_entry *ret_entries)
{
    struct journal_head head = { .seq = ask->from_seq - 1 };

    memcpy(head.hash, ask->prev_hash, SHA256_OCTETS);
    for (size_t i = 0; i < ask->count; i++) {
        ret_entries[i] = ask->entries[i];
        if (ret_entries[i].seq != head.seq + 1 || journal_append(&head, &ret_entries[i]) < 0)
            return false;
    }
    return true;
}

int account_usage(const struct account_db *db, const struct account_hands *hands, const struct account_caller *caller,
                  const struct account_usage_ask *ask, int64_t now_ms, enum account_status *ret_status, struct account_usage_told *ret_told)
{
    struct usage usage = { .hands = hands, .caller = caller, .ask = ask, .now_ms = now_ms };
    int r;

    usage.malformed = ask->count > ACCOUNT_USAGE_MAX || ask->from_seq == 0 || ask->from_seq > INT64_MAX || ask->head.seq > INT64_MAX;
    if (!usage.malformed && ask->count > 0) {
        usage.entries = malloc(ask->count * sizeof *usage.entries);
        if (!usage.entries)
            return -ENOMEM;
        usage.malformed = !chain_entries(ask, usage.entries);
    }
    r = account_transact(db, usage_work, &usage);
    free(usage.entries);
    if (r < 0 && usage.gave_up != ACCOUNT_OK)
        r = usage.gave_up;
    r = account_says(r, ret_status);
    if (r == 0 && (*ret_status == ACCOUNT_OK || *ret_status == ACCOUNT_GAP))
        *ret_told = usage.told;
    return r;
}
