/* SPDX-License-Identifier: Apache-2.0
 *
 * account_papers.c - leases that the account has forgotten, since it was set back to an older copy of its books. The box has
 * kept them as they were signed, which is proof enough: nobody else could have written them. */
#include "src/account/account_internal.h"

#include <errno.h>
#include <string.h>

struct shown {
    const struct account_hands *hands;
    const struct account_caller *caller;
    const struct lease *papers;
    size_t count;
    int64_t now_ms;
    struct account_papers_told told;
    /* Of one try: */
    struct account_box box;
    struct account_row account;
    size_t unclosed;
};

/* Whether a lease that is known is the one that is shown. */
static bool is_of_paper(const struct account_lease *lease, const struct lease *paper)
{
    return lease->epoch == paper->epoch && lease->grant_micro == paper->grant_micro && lease->price_version == paper->price_version &&
           lease->issued_ms == paper->issued_ms && lease->spend_until_ms == paper->spend_until_ms && lease->settle_until_ms == paper->settle_until_ms;
}

static int compare(const struct account_db *db, struct shown *shown, const struct lease *paper)
{
    struct account_lease lease;
    int r = db->ops->lease_get(db->db, shown->box.id, paper->lease_id, &lease);

    if (r == -ENOENT)
        return -EIO;                         /* they are numbered without gaps */
    if (r < 0 || is_of_paper(&lease, paper))
        return r;
    return account_found_fork(db, shown->hands, &shown->box, paper->lease_id, 0, shown->now_ms);
}

/* Its prices are needed to judge what is booked from it. */
static int has_its_prices(const struct account_db *db, const struct lease *paper)
{
    struct account_price price;
    int r = db->ops->price_get(db->db, paper->price_version, &price);

    if (r == 0 && memcmp(price.sha256, paper->price_sha256, sizeof price.sha256) != 0)
        r = -ENOENT;
    return r == -ENOENT ? (int)ACCOUNT_NO_PRICES : r;
}

static int grant_again(const struct account_db *db, struct shown *shown, const struct lease *paper)
{
    struct account_posting posting = { .from = BOOK_AVAILABLE, .to = BOOK_LEASED, .micro = paper->grant_micro, .reason = FOR_GRANT,
                                       .at_ms = shown->now_ms, .note = "shown by the box: these books had lost it" };
    struct account_lease row = { .id = paper->lease_id, .account = shown->account.id, .epoch = paper->epoch, .state = ACCOUNT_LEASE_OPEN,
                                 .grant_micro = paper->grant_micro, .price_version = paper->price_version, .issued_ms = paper->issued_ms,
                                 .spend_until_ms = paper->spend_until_ms, .settle_until_ms = paper->settle_until_ms };
    bool old = paper->epoch < shown->box.epoch;
    int r = has_its_prices(db, paper);

    if (r != ACCOUNT_OK)
        return r;
    if (shown->account.available_micro < paper->grant_micro)
        return ACCOUNT_NO_CREDIT;
    if (!old && shown->unclosed == ACCOUNT_UNCLOSED_MAX)
        return ACCOUNT_UNCLOSED;
    memcpy(row.box, shown->box.id, sizeof row.box);
    r = db->ops->lease_add(db->db, &row);
    if (r == 0)
        r = account_post(db, &shown->account, &row, &posting);
    if (r == 0)
        r = old ? account_suspend(db, &row, ACCOUNT_LEASE_FENCED, shown->now_ms) : db->ops->lease_set(db->db, &row);
    if (r < 0)
        return r;
    shown->box.last_lease_id = row.id;
    shown->unclosed += !old;
    return ACCOUNT_OK;
}

/* Before a lease is granted all before its predecessor are closed. So the box has closed those, and closes them here once more,
 * when it has told what was spent from them; nothing is spent from them any more. */
static int end_those_before(const struct account_db *db, const struct shown *shown, struct account_unclosed *unclosed)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < unclosed->count; i++)
        if (unclosed->leases[i].state == ACCOUNT_LEASE_OPEN && unclosed->leases[i].id + 2 <= shown->box.last_lease_id)
            r = account_suspend(db, &unclosed->leases[i], ACCOUNT_LEASE_EXPIRED, shown->now_ms);
    return r;
}

static void tell(struct shown *shown, const struct account_unclosed *unclosed)
{
    struct account_papers_told *told = &shown->told;

    told->last_lease_id = shown->box.last_lease_id;
    told->available_micro = shown->account.available_micro;
    told->unclosed_count = unclosed->count;
    for (size_t i = 0; i < unclosed->count; i++) {
        size_t at = i;

        for (; at > 0 && told->unclosed[at - 1] > unclosed->leases[i].id; at--)
            told->unclosed[at] = told->unclosed[at - 1];
        told->unclosed[at] = unclosed->leases[i].id;
    }
}

static int papers_work(const struct account_db *db, void *context)
{
    struct shown *shown = context;
    struct account_unclosed unclosed;
    uint64_t last;
    int r = account_admit(db, shown->caller, &shown->box), status = ACCOUNT_OK;

    if (r != ACCOUNT_OK)
        return r;
    r = db->ops->account_get(db->db, shown->box.account, &shown->account);
    if (r == 0)
        r = account_unclosed(db, shown->box.id, &unclosed);
    if (r < 0)
        return r;
    shown->unclosed = unclosed.count;
    last = shown->box.last_lease_id;
    for (size_t i = 0; status == ACCOUNT_OK && i < shown->count; i++) {
        const struct lease *paper = &shown->papers[i];

        if (paper->epoch > shown->box.epoch)
            status = ACCOUNT_BAD_LEASE;
        else if (paper->lease_id <= shown->box.last_lease_id)
            status = compare(db, shown, paper);
        else if (paper->lease_id == shown->box.last_lease_id + 1)
            status = grant_again(db, shown, paper);
        else
            break;
    }
    if (status < 0 || status == ACCOUNT_FORK)
        return status;
    if (shown->box.last_lease_id > last) {
        r = account_unclosed(db, shown->box.id, &unclosed);
        if (r == 0)
            r = end_those_before(db, shown, &unclosed);
        if (r == 0)
            r = db->ops->account_set(db->db, &shown->account);
    }
    shown->box.seen_ms = shown->now_ms;
    if (r == 0)
        r = db->ops->box_set(db->db, &shown->box);
    tell(shown, &unclosed);
    return r < 0 ? r : status;
}

/* -EBADMSG: one is not of this account, or not for this box. */
static int verify(const struct lease *papers, size_t count, const uint8_t account_key[LEASE_PUBLIC_KEY_OCTETS], const uint8_t *box)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = memcmp(papers[i].box_id, box, LEASE_BOX_ID_OCTETS) != 0 ? -EBADMSG : lease_verify(&papers[i], account_key);
    return r == -EINVAL ? -EBADMSG : r;
}

int account_papers(const struct account_db *db, const struct account_hands *hands, const uint8_t account_key[LEASE_PUBLIC_KEY_OCTETS],
                   const struct account_caller *caller, const struct lease *papers, size_t count, int64_t now_ms,
                   enum account_status *ret_status, struct account_papers_told *ret_told)
{
    struct shown shown = { .hands = hands, .caller = caller, .papers = papers, .count = count, .now_ms = now_ms };
    int r = verify(papers, count, account_key, caller->box);

    if (r == -EBADMSG)
        return account_says(ACCOUNT_BAD_LEASE, ret_status);
    if (r == 0)
        r = account_says(account_transact(db, papers_work, &shown), ret_status);
    if (r == 0)
        *ret_told = shown.told;
    return r;
}
