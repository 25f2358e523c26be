/* SPDX-License-Identifier: Apache-2.0 */
#include "src/account/account_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "src/base/utf8.h"

static const struct { const char *name, *words; } statuses[ACCOUNT_STATUSES] = {
    [ACCOUNT_OK] = { "ok", "Done." },
    [ACCOUNT_UNKNOWN_BOX] = { "unknown_box", "This account has no such box." },
    [ACCOUNT_OLD_EPOCH] = { "old_epoch", "The box was enrolled again since, here or on another machine: this one may not speak for it any more." },
    [ACCOUNT_FENCED] = { "fenced", "The box is fenced: a person has to enrol one machine again." },
    [ACCOUNT_FROZEN] = { "frozen", "The box was frozen by a person and spends nothing until it is unfrozen." },
    [ACCOUNT_ID_REUSED] = { "id_reused", "This request id was used before with another body." },
    [ACCOUNT_HEAD_DIFFERS] = { "head_differs", "The journal of the box ends elsewhere than what the account has of it: usage has to be sent first." },
    [ACCOUNT_UNCLOSED] = { "unclosed", "A lease of the box has to be closed first." },
    [ACCOUNT_NO_CREDIT] = { "no_credit", "The account has no credits available." },
    [ACCOUNT_NO_PRICES] = { "no_prices", "The account has no price table yet." },
    [ACCOUNT_FORK] = { "fork", "The journal differs from what the account has of it: there are two copies of this box. It is fenced now." },
    [ACCOUNT_GAP] = { "gap", "Entries are missing between what the account has and what was sent." },
    [ACCOUNT_BAD_ENTRIES] = { "bad_entries", "An entry cannot be booked: nothing of what was sent was." },
    [ACCOUNT_NO_LEASE] = { "no_lease", "The box has no such lease." },
    [ACCOUNT_UNKNOWN_LEASE] = { "unknown_lease", "The box has a lease that these books do not know: they are an older copy." },
    [ACCOUNT_BAD_LEASE] = { "bad_lease", "A lease that was shown is not one that this account signed for this box." },
    [ACCOUNT_BAD_TOKEN] = { "bad_token", "The token is not known or not valid any more." },
    [ACCOUNT_TOKEN_USED] = { "token_used", "The token was used by another request." },
    [ACCOUNT_BAD_CSR] = { "bad_csr", "This is no request for a certificate that is made here: one of a P-256 key, signed by it, is." },
    [ACCOUNT_UNKNOWN] = { "unknown", "There is no such thing." },
    [ACCOUNT_NAME_TAKEN] = { "name_taken", "There is an account of this name." },
    [ACCOUNT_BAD_AMOUNT] = { "bad_amount", "The amount is not one that can be booked." },
    [ACCOUNT_TOO_LITTLE] = { "too_little", "So much is not available." },
    [ACCOUNT_NO_ENTRY] = { "no_entry", "The journal of the box has no such entry, or it is no charge." },
    [ACCOUNT_REFUNDED] = { "refunded", "The charge was taken back before." },
    [ACCOUNT_NOT_YET] = { "not_yet", "The time in which the box may still settle the lease is not over." },
    [ACCOUNT_NOT_SUSPENDED] = { "not_suspended", "Nothing of the lease is in suspense: it is open, closed or written off." },
    [ACCOUNT_ALREADY] = { "already", "It was so before." },
    [ACCOUNT_BAD_NAME] = { "bad_name", "The name or note is empty, too long or has control characters in it." },
    [ACCOUNT_BAD_VERSION] = { "bad_version", "The version is not the one that comes next." },
};

const char *account_status_name(enum account_status status)
{
    assert(status < ACCOUNT_STATUSES);
    return statuses[status].name;
}

const char *account_status_words(enum account_status status)
{
    assert(status < ACCOUNT_STATUSES);
    return statuses[status].words;
}

int account_transact(const struct account_db *db, account_work *work, void *context)
{
    int r = -EAGAIN;

    for (unsigned attempt = 0; attempt < ACCOUNT_TRIES && r == -EAGAIN; attempt++) {
        int committed;

        r = db->ops->begin(db->db, attempt);
        if (r == 0)
            r = work(db, context);
        if (r < 0) {
            db->ops->rollback(db->db);
            continue;
        }
        committed = db->ops->commit(db->db);
        if (committed < 0) {
            db->ops->rollback(db->db);
            r = committed;
        }
    }
    return r;
}

/* The epoch is looked at after the state: who is fenced has to know that, whatever it believes. */
int account_admit(const struct account_db *db, const struct account_caller *caller, struct account_box *ret_box)
{
    int r = db->ops->box_get(db->db, caller->box, ret_box);

    if (r == -ENOENT)
        return ACCOUNT_UNKNOWN_BOX;
    if (r < 0)
        return r;
    if (ret_box->state == BOX_FENCED)
        return ACCOUNT_FENCED;
    return caller->epoch != ret_box->epoch || memcmp(caller->key_sha256, ret_box->key_sha256, SHA256_OCTETS) != 0 ? ACCOUNT_OLD_EPOCH : ACCOUNT_OK;
}

/* -- postings --------------------------------------------------------------------------------------------------------- */

static void move(struct account_row *account, struct account_lease *lease, enum account_book book, int64_t micro)
{
    switch (book) {
    case BOOK_AVAILABLE:
        assert(account);
        account->available_micro += micro;
        if (lease && micro > 0)
            lease->returned_micro += micro;
        break;
    case BOOK_OUTSIDE:
        assert(account);
        if (micro < 0)
            account->funded_micro -= micro;
        else
            account->paid_out_micro += micro;
        break;
    case BOOK_DEBT:
        break;                               /* is what overspent says, from the other side */
    default:
        assert(lease);
        *account_lease_book(lease, book) += micro;
        assert(*account_lease_book(lease, book) >= 0);
    }
}

int account_post(const struct account_db *db, struct account_row *account, struct account_lease *lease, struct account_posting *posting)
{
    assert(posting->micro > 0 && posting->from != posting->to);
    posting->account = lease ? lease->account : account->id;
    if (lease) {
        memcpy(posting->box, lease->box, sizeof posting->box);
        posting->lease = lease->id;
    }
    posting->number = lease ? ++lease->postings : ++account->postings;
    if (!posting->who)
        posting->who = "";
    if (!posting->note)
        posting->note = "";
    if (lease && posting->from == BOOK_AVAILABLE && posting->reason != FOR_GRANT)
        lease->returned_micro -= posting->micro;   /* it comes back from where it was returned to */
    move(account, lease, posting->from, -posting->micro);
    move(account, lease, posting->to, posting->micro);
    assert(!account || account->available_micro >= 0);
    return db->ops->posting_add(db->db, posting);
}

bool account_text_fits(const char *text, size_t chars)
{
    size_t length = strlen(text);

    if (length >= chars || !utf8_is_valid(text, length, NULL))
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return false;
    return true;
}

/* -- leases and boxes -------------------------------------------------------------------------------------------------- */

static int collect(void *context, const struct account_lease *row)
{
    struct account_unclosed *unclosed = context;

    if (row->state == ACCOUNT_LEASE_FENCED)
        return 0;
    if (unclosed->count == ACCOUNT_UNCLOSED_MAX)
        return -EOVERFLOW;
    unclosed->leases[unclosed->count++] = *row;
    return 0;
}

int account_unclosed(const struct account_db *db, const uint8_t box[LEASE_BOX_ID_OCTETS], struct account_unclosed *ret_unclosed)
{
    ret_unclosed->count = 0;
    return db->ops->lease_list(db->db, box, false, collect, ret_unclosed);
}

int account_suspend(const struct account_db *db, struct account_lease *lease, enum account_lease_state state, int64_t now_ms)
{
    struct account_posting posting = { .from = BOOK_LEASED, .to = BOOK_SUSPENSE, .micro = lease->rest_micro, .at_ms = now_ms,
                                       .reason = state == ACCOUNT_LEASE_FENCED ? FOR_FENCE : FOR_EXPIRY };
    int r = lease->rest_micro > 0 ? account_post(db, NULL, lease, &posting) : 0;

    if (r < 0)
        return r;
    lease->state = state;
    return db->ops->lease_set(db->db, lease);
}

int account_fence(const struct account_db *db, struct account_box *box, int64_t now_ms)
{
    struct account_unclosed unclosed;
    int r = account_unclosed(db, box->id, &unclosed);

    for (size_t i = 0; r == 0 && i < unclosed.count; i++)
        r = account_suspend(db, &unclosed.leases[i], ACCOUNT_LEASE_FENCED, now_ms);
    if (r < 0)
        return r;
    if (box->epoch == UINT32_MAX)
        return -EOVERFLOW;
    box->epoch++;
    box->last_command = 0;
    box->state = BOX_FENCED;
    return 0;
}

int account_tell(const struct account_db *db, const struct account_hands *hands, struct account_box *box, struct command *command, int64_t now_ms)
{
    struct account_command row = { .epoch = box->epoch };
    int r;

    command->number = box->last_command + 1;
    command->time_ms = now_ms;
    r = hands->sign_command(hands->context, command, box->id, box->epoch);
    if (r < 0)
        return r;
    memcpy(row.box, box->id, sizeof row.box);
    row.command = *command;
    box->last_command = command->number;
    return db->ops->command_add(db->db, &row);
}

int account_alarm(const struct account_db *db, struct account_box *box, enum account_alarm kind, uint64_t lease, uint64_t entry, int64_t micro,
                  int64_t now_ms)
{
    struct account_alarm_row row = { .number = ++box->alarms, .kind = kind, .lease = lease, .entry = entry, .micro = micro, .at_ms = now_ms };

    memcpy(row.box, box->id, sizeof row.box);
    return db->ops->alarm_add(db->db, &row);
}

/* -- time -------------------------------------------------------------------------------------------------------------- */

#define REFUSALS_KEPT_MS INT64_C(7776000000)   /* 90 days: no request of a box is late by so much */
#define SWEEP_MAX 256

struct sweep { int64_t now_ms; size_t count; struct account_lease due[SWEEP_MAX]; size_t found; };

static int collect_due(void *context, const struct account_lease *row)
{
    struct sweep *sweep = context;

    if (sweep->found < sweep->count)
        sweep->due[sweep->found++] = *row;
    return 0;
}

static int sweep_work(const struct account_db *db, void *context)
{
    struct sweep *sweep = context;
    int r;

    sweep->found = 0;
    r = db->ops->lease_due(db->db, sweep->now_ms, sweep->count, collect_due, sweep);
    for (size_t i = 0; r == 0 && i < sweep->found; i++)
        r = account_suspend(db, &sweep->due[i], ACCOUNT_LEASE_EXPIRED, sweep->now_ms);
    return r < 0 ? r : db->ops->answer_prune(db->db, sweep->now_ms - REFUSALS_KEPT_MS);
}

int account_sweep(const struct account_db *db, int64_t now_ms, size_t count, size_t *ret_expired)
{
    struct sweep sweep = { .now_ms = now_ms, .count = count < SWEEP_MAX ? count : SWEEP_MAX };
    int r = account_transact(db, sweep_work, &sweep);

    if (r < 0)
        return r;
    *ret_expired = sweep.found;
    return 0;
}
