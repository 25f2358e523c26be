/* SPDX-License-Identifier: Apache-2.0 */
#include "src/account/account_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define UNCLOSED_MAX 2                       /* leases of a box in one epoch: the open one, and the one before it */

static bool same_head(const struct journal_head *a, const struct journal_head *b)
{
    return a->seq == b->seq && memcmp(a->hash, b->hash, SHA256_OCTETS) == 0;
}

/* -- granting ---------------------------------------------------------------------------------------------------------- */

struct asked {
    const struct account_hands *hands;
    const struct account_caller *caller;
    const struct account_lease_ask *ask;
    int64_t now_ms;
    struct account_lease_told told;
};

static void hash_body(const struct asked *asked, uint8_t ret_sha256[SHA256_OCTETS])
{
    uint8_t octets[4 + 8 + 8 + SHA256_OCTETS + 8 + 8], *at = octets;

    octets_put(&at, asked->caller->epoch, 4);
    octets_put(&at, (uint64_t)asked->ask->want_micro, 8);
    octets_put(&at, asked->ask->head.seq, 8);
    octets_put_bytes(&at, asked->ask->head.hash, SHA256_OCTETS);
    octets_put(&at, asked->ask->open_lease_id, 8);
    octets_put(&at, asked->ask->last_lease_id, 8);
    assert(at == octets + sizeof octets);
    octets_sha256(octets, sizeof octets, ret_sha256);
}

/* Expires what is due, so that the answer does not depend on when the last sweep was. */
static int expire_due(const struct account_db *db, struct account_unclosed *unclosed, int64_t now_ms)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < unclosed->count; i++)
        if (unclosed->leases[i].state == ACCOUNT_LEASE_OPEN && unclosed->leases[i].spend_until_ms <= now_ms)
            r = account_suspend(db, &unclosed->leases[i], ACCOUNT_LEASE_EXPIRED, now_ms);
    return r;
}

/* Whether the box may have another lease beside those that are unclosed. A box keeps the id of a request until it has an
 * answer, so it knows of all that was granted to it; who names another than the last is a copy of it. */
static int may_follow(const struct account_db *db, const struct account_box *box, uint64_t open, const struct account_unclosed *unclosed)
{
    struct account_lease lease;
    int r;

    if (open == 0) {
        if (unclosed->count >= UNCLOSED_MAX)
            return ACCOUNT_UNCLOSED;
        return unclosed->count == 1 && unclosed->leases[0].state != ACCOUNT_LEASE_EXPIRED ? ACCOUNT_UNCLOSED : ACCOUNT_OK;
    }
    if (open > box->last_lease_id)
        return ACCOUNT_NO_LEASE;
    r = db->ops->lease_get(db->db, box->id, open, &lease);
    if (r < 0)
        return r;
    if (lease.epoch != box->epoch || lease.state == ACCOUNT_LEASE_CLOSED)
        return ACCOUNT_NO_LEASE;
    if (open != box->last_lease_id)
        return ACCOUNT_UNCLOSED;
    for (size_t i = 0; i < unclosed->count; i++)
        if (unclosed->leases[i].id != open)
            return ACCOUNT_UNCLOSED;
    return ACCOUNT_OK;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int grant(const struct account_db *db, const struct asked *asked, struct account_box *box, struct account_row *account,
                 struct account_answer *answer)
{
    const struct account_hands *hands = asked->hands;
    struct account_posting posting = { .from = BOOK_AVAILABLE, .to = BOOK_LEASED, .reason = FOR_GRANT, .at_ms = asked->now_ms };
    struct account_price price;
    struct account_lease row;
    struct lease paper;
    int r = db->ops->price_get(db->db, 0, &price);

    if (r < 0)
        return r == -ENOENT ? (int)ACCOUNT_NO_PRICES : r;
    posting.micro = least(least(asked->ask->want_micro, box->lease_max_micro), account->available_micro);
    if (posting.micro <= 0)
        return ACCOUNT_NO_CREDIT;
    paper = (struct lease){ .lease_id = box->last_lease_id + 1, .epoch = box->epoch, .grant_micro = posting.micro, .price_version = price.version,
                            .issued_ms = asked->now_ms, .spend_until_ms = asked->now_ms + hands->lease_ms,
                            .settle_until_ms = asked->now_ms + hands->lease_ms + hands->settle_ms };
    memcpy(paper.box_id, box->id, sizeof paper.box_id);
    memcpy(paper.price_sha256, price.sha256, sizeof paper.price_sha256);
    memcpy(paper.hw_fingerprint, box->hw_fingerprint, sizeof paper.hw_fingerprint);
    r = hands->sign_lease(hands->context, &paper);
    if (r == 0)
        r = lease_encode(&paper, answer->paper);
    if (r < 0)
        return r;

    row = (struct account_lease){ .id = paper.lease_id, .account = account->id, .epoch = box->epoch, .state = ACCOUNT_LEASE_OPEN,
                                  .grant_micro = paper.grant_micro, .price_version = paper.price_version, .issued_ms = paper.issued_ms,
                                  .spend_until_ms = paper.spend_until_ms, .settle_until_ms = paper.settle_until_ms };
    memcpy(row.box, box->id, sizeof row.box);
    r = db->ops->lease_add(db->db, &row);
    if (r == 0)
        r = account_post(db, account, &row, &posting);
    if (r == 0)
        r = db->ops->lease_set(db->db, &row);
    if (r == 0)
        r = db->ops->account_set(db->db, account);
    if (r < 0)
        return r;
    box->last_lease_id = answer->lease = row.id;
    return ACCOUNT_OK;
}

static int decide(const struct account_db *db, const struct asked *asked, struct account_box *box, struct account_row *account,
                  struct account_answer *answer)
{
    struct account_unclosed unclosed;
    int r;

    if (box->state == BOX_FROZEN)
        return ACCOUNT_FROZEN;
    if (asked->ask->want_micro <= 0 || asked->ask->want_micro > LEASE_GRANT_MICRO_MAX)
        return ACCOUNT_BAD_AMOUNT;
    if (asked->ask->last_lease_id > box->last_lease_id)
        return ACCOUNT_UNKNOWN_LEASE;
    if (!same_head(&asked->ask->head, &box->acked))
        return ACCOUNT_HEAD_DIFFERS;
    r = account_unclosed(db, box->id, &unclosed);
    if (r == 0)
        r = expire_due(db, &unclosed, asked->now_ms);
    if (r == 0)
        r = may_follow(db, box, asked->ask->open_lease_id, &unclosed);
    return r == ACCOUNT_OK ? grant(db, asked, box, account, answer) : r;
}

/* The words of the answer that is kept. */
static int say_again(const struct account_answer *answer, struct account_lease_told *ret_told)
{
    ret_told->available_micro = answer->available_micro;
    if (answer->lease > 0 && lease_decode(answer->paper, sizeof answer->paper, &ret_told->lease) < 0)
        return -EIO;                         /* the row was damaged */
    return answer->status;
}

static int lease_work(const struct account_db *db, void *context)
{
    struct asked *asked = context;
    struct account_answer answer = { .at_ms = asked->now_ms }, kept;
    struct account_box box;
    struct account_row account;
    int r = account_admit(db, asked->caller, &box);

    if (r != ACCOUNT_OK)
        return r;
    hash_body(asked, answer.body_sha256);
    r = db->ops->answer_get(db->db, box.id, asked->ask->request, &kept);
    if (r == 0)
        return memcmp(kept.body_sha256, answer.body_sha256, SHA256_OCTETS) == 0 ? say_again(&kept, &asked->told) : (int)ACCOUNT_ID_REUSED;
    if (r != -ENOENT)
        return r;
    r = db->ops->account_get(db->db, box.account, &account);
    if (r < 0)
        return r;
    r = decide(db, asked, &box, &account, &answer);
    if (r < 0)
        return r;
    memcpy(answer.box, box.id, sizeof answer.box);
    memcpy(answer.request, asked->ask->request, sizeof answer.request);
    answer.status = r;
    answer.available_micro = account.available_micro;
    box.seen_ms = asked->now_ms;
    r = db->ops->answer_add(db->db, &answer);
    if (r == 0)
        r = db->ops->box_set(db->db, &box);
    return r < 0 ? r : say_again(&answer, &asked->told);
}

int account_lease(const struct account_db *db, const struct account_hands *hands, const struct account_caller *caller,
                  const struct account_lease_ask *ask, int64_t now_ms, enum account_status *ret_status, struct account_lease_told *ret_told)
{
    struct asked asked = { .hands = hands, .caller = caller, .ask = ask, .now_ms = now_ms };
    int r;

    r = account_says(account_transact(db, lease_work, &asked), ret_status);
    if (r == 0 && *ret_status == ACCOUNT_OK)
        *ret_told = asked.told;
    return r;
}

/* -- closing ----------------------------------------------------------------------------------------------------------- */

struct closing {
    const struct account_caller *caller;
    const struct account_close_ask *ask;
    int64_t now_ms, returned_micro;
};

/* What a close gave back, for who asks once more. */
static int add_returned(void *context, const struct account_posting *row)
{
    int64_t *returned_micro = context;

    if (row->reason == FOR_CLOSE)
        *returned_micro += row->micro;
    return 0;
}

/* Whether the box and the account say the same. What a person gave back is not known to the box, and debt was told of when
 * it came, so that neither is cause for another alarm. */
static bool rest_differs(const struct account_lease *lease, int64_t box_rest_micro, int64_t rest_micro)
{
    return lease->debt_micro == 0 && (box_rest_micro < rest_micro || box_rest_micro - rest_micro > lease->returned_micro);
}

static int close_work(const struct account_db *db, void *context)
{
    struct closing *closing = context;
    struct account_lease lease;
    struct account_box box;
    struct account_row account;
    struct account_posting posting = { .to = BOOK_AVAILABLE, .reason = FOR_CLOSE, .at_ms = closing->now_ms };
    int r = account_admit(db, closing->caller, &box);

    closing->returned_micro = 0;
    if (r != ACCOUNT_OK)
        return r;
    r = db->ops->lease_get(db->db, box.id, closing->ask->lease_id, &lease);
    if (r == -ENOENT || (r == 0 && lease.epoch != box.epoch))   /* those of old epochs are for a person to settle */
        return closing->ask->lease_id > box.last_lease_id ? ACCOUNT_UNKNOWN_LEASE : ACCOUNT_NO_LEASE;
    if (r < 0)
        return r;
    if (lease.state == ACCOUNT_LEASE_CLOSED || lease.state == ACCOUNT_LEASE_WRITTEN_OFF)
        return db->ops->posting_list(db->db, lease.account, lease.box, lease.id, add_returned, &closing->returned_micro);
    if (!same_head(&closing->ask->head, &box.acked))
        return ACCOUNT_HEAD_DIFFERS;
    r = db->ops->account_get(db->db, lease.account, &account);
    if (r < 0)
        return r;

    posting.from = lease.state == ACCOUNT_LEASE_OPEN ? BOOK_LEASED : BOOK_SUSPENSE;
    posting.micro = *account_lease_book(&lease, posting.from);
    closing->returned_micro = posting.micro;
    if (rest_differs(&lease, closing->ask->rest_micro, posting.micro))
        r = account_alarm(db, &box, ALARM_REST_DIFFERS, lease.id, 0, closing->ask->rest_micro, closing->now_ms);
    if (r == 0 && posting.micro > 0)
        r = account_post(db, &account, &lease, &posting);
    if (r < 0)
        return r;
    lease.state = ACCOUNT_LEASE_CLOSED;
    lease.closed_ms = box.seen_ms = closing->now_ms;
    r = db->ops->lease_set(db->db, &lease);
    if (r == 0)
        r = db->ops->account_set(db->db, &account);
    return r < 0 ? r : db->ops->box_set(db->db, &box);
}

int account_close(const struct account_db *db, const struct account_caller *caller, const struct account_close_ask *ask, int64_t now_ms,
                  enum account_status *ret_status, int64_t *ret_returned_micro)
{
    struct closing closing = { .caller = caller, .ask = ask, .now_ms = now_ms };
    int r = account_says(account_transact(db, close_work, &closing), ret_status);

    if (r == 0 && *ret_status == ACCOUNT_OK)
        *ret_returned_micro = closing.returned_micro;
    return r;
}
