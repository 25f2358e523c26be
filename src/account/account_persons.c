/* SPDX-License-Identifier: Apache-2.0 */
#include "src/account/account_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/credit/price.h"

/* -- accounts ---------------------------------------------------------------------------------------------------------- */

struct money { const char *name, *who, *note; enum account_reason reason; int64_t micro, now_ms; };

static bool texts_fit(const char *who, const char *note)
{
    return account_text_fits(who, ACCOUNT_NOTE_CHARS) && account_text_fits(note, ACCOUNT_NOTE_CHARS);
}

static int create_work(const struct account_db *db, void *context)
{
    const struct money *money = context;
    struct account_row row = { .created_ms = money->now_ms };
    int r;

    (void)strcpy(row.name, money->name);
    r = db->ops->account_add(db->db, &row);
    return r == -EEXIST ? (int)ACCOUNT_NAME_TAKEN : r;
}

int account_create(const struct account_db *db, const char *name, int64_t now_ms, enum account_status *ret_status)
{
    struct money money = { .name = name, .now_ms = now_ms };

    if (name[0] == '\0' || !account_text_fits(name, ACCOUNT_NAME_CHARS))
        return account_says(ACCOUNT_BAD_NAME, ret_status);
    return account_says(account_transact(db, create_work, &money), ret_status);
}

static int money_work(const struct account_db *db, void *context)
{
    const struct money *money = context;
    bool in = money->reason == FOR_FUNDING;
    struct account_posting posting = { .from = in ? BOOK_OUTSIDE : BOOK_AVAILABLE, .to = in ? BOOK_AVAILABLE : BOOK_OUTSIDE, .micro = money->micro,
                                       .reason = money->reason, .at_ms = money->now_ms, .who = money->who, .note = money->note };
    struct account_row account;
    int r = db->ops->account_find(db->db, money->name, &account);

    if (r < 0)
        return r == -ENOENT ? (int)ACCOUNT_UNKNOWN : r;
    if (in && account.funded_micro > ACCOUNT_FUNDED_MICRO_MAX - money->micro)
        return ACCOUNT_BAD_AMOUNT;
    if (!in && account.available_micro < money->micro)
        return ACCOUNT_TOO_LITTLE;
    r = account_post(db, &account, NULL, &posting);
    return r < 0 ? r : db->ops->account_set(db->db, &account);
}

static int move_money(const struct account_db *db, struct money *money, enum account_status *ret_status)
{
    if (money->micro <= 0 || money->micro > ACCOUNT_MICRO_MAX)
        return account_says(ACCOUNT_BAD_AMOUNT, ret_status);
    if (!texts_fit(money->who, money->note))
        return account_says(ACCOUNT_BAD_NAME, ret_status);
    return account_says(account_transact(db, money_work, money), ret_status);
}

int account_fund(const struct account_db *db, const char *name, int64_t micro, const char *who, const char *note, int64_t now_ms,
                 enum account_status *ret_status)
{
    struct money money = { name, who, note, FOR_FUNDING, micro, now_ms };

    return move_money(db, &money, ret_status);
}

int account_payout(const struct account_db *db, const char *name, int64_t micro, const char *who, const char *note, int64_t now_ms,
                   enum account_status *ret_status)
{
    struct money money = { name, who, note, FOR_PAYOUT, micro, now_ms };

    return move_money(db, &money, ret_status);
}

/* -- refunds ----------------------------------------------------------------------------------------------------------- */

struct refund {
    const struct account_hands *hands;
    const uint8_t *box;
    uint32_t chain;
    uint64_t entry;
    const char *who, *note;
    int64_t now_ms, micro;
};

/* The box hears of it only if its present journal is the one that has the entry: another may have the same numbers. */
static int tell_refund(const struct account_db *db, const struct refund *refund, struct account_box *box, const struct account_entry *captured)
{
    struct command command = { .kind = COMMAND_REFUND, .message_id = captured->entry.message_id, .part = captured->entry.part,
                               .refers_seq = captured->entry.seq, .units_micro = captured->entry.units_micro };
    int r;

    if (captured->chain != box->epoch)
        return 0;
    (void)strcpy(command.reason, refund->note);
    r = account_tell(db, refund->hands, box, &command, refund->now_ms);
    return r < 0 ? r : db->ops->box_set(db->db, box);
}

static int refund_work(const struct account_db *db, void *context)
{
    struct refund *refund = context;
    struct account_posting posting = { .reason = FOR_REFUND, .entry = refund->entry, .at_ms = refund->now_ms, .who = refund->who, .note = refund->note };
    struct account_box box;
    struct account_entry captured;
    struct account_lease lease;
    struct account_row account;
    int r = db->ops->box_get(db->db, refund->box, &box);

    if (r < 0)
        return r == -ENOENT ? (int)ACCOUNT_UNKNOWN_BOX : r;
    posting.chain = refund->chain > 0 ? refund->chain : box.chain;
    r = db->ops->entry_get(db->db, box.id, posting.chain, refund->entry, &captured);
    if (r == -ENOENT || (r == 0 && captured.entry.kind != JOURNAL_CAPTURE))
        return ACCOUNT_NO_ENTRY;
    if (r < 0)
        return r;
    if (captured.over)
        return ACCOUNT_REFUNDED;
    r = db->ops->lease_get(db->db, box.id, captured.entry.lease_id, &lease);
    if (r == 0)
        r = db->ops->account_get(db->db, lease.account, &account);
    if (r == 0)
        r = account_undo(db, &account, &lease, &captured, BOOK_AVAILABLE, &posting);
    if (r == 0)
        r = db->ops->lease_set(db->db, &lease);
    if (r == 0)
        r = db->ops->account_set(db->db, &account);
    if (r == 0)
        r = tell_refund(db, refund, &box, &captured);
    refund->micro = captured.entry.units_micro;
    return r;
}

int account_refund(const struct account_db *db, const struct account_hands *hands, const uint8_t box[LEASE_BOX_ID_OCTETS], uint32_t chain,
                   uint64_t entry, const char *who, const char *note, int64_t now_ms, enum account_status *ret_status, int64_t *ret_micro)
{
    struct refund refund = { hands, box, chain, entry, who, note, now_ms, 0 };
    int r;

    if (!texts_fit(who, note))
        return account_says(ACCOUNT_BAD_NAME, ret_status);
    if (entry == 0 || entry > INT64_MAX)
        return account_says(ACCOUNT_NO_ENTRY, ret_status);
    r = account_says(account_transact(db, refund_work, &refund), ret_status);
    if (r == 0 && *ret_status == ACCOUNT_OK)
        *ret_micro = refund.micro;
    return r;
}

/* -- write-offs -------------------------------------------------------------------------------------------------------- */

struct write_off { const uint8_t *box; uint64_t lease; const char *who, *note; int64_t used_micro, now_ms, returned_micro; };

static int write_off_work(const struct account_db *db, void *context)
{
    struct write_off *off = context;
    struct account_lease lease;
    struct account_row account;
    int r = db->ops->lease_get(db->db, off->box, off->lease, &lease);

    if (r < 0)
        return r == -ENOENT ? (int)ACCOUNT_NO_LEASE : r;
    if (lease.state != ACCOUNT_LEASE_EXPIRED && lease.state != ACCOUNT_LEASE_FENCED)
        return ACCOUNT_NOT_SUSPENDED;
    if (off->now_ms < lease.settle_until_ms)
        return ACCOUNT_NOT_YET;
    if (off->used_micro < 0 || off->used_micro > lease.suspense_micro)
        return ACCOUNT_BAD_AMOUNT;
    off->returned_micro = lease.suspense_micro - off->used_micro;
    r = db->ops->account_get(db->db, lease.account, &account);
    for (int i = 0; r == 0 && i < 2; i++) {
        struct account_posting posting = { .from = BOOK_SUSPENSE, .to = i == 0 ? BOOK_CAPTURED : BOOK_AVAILABLE,
                                           .micro = i == 0 ? off->used_micro : off->returned_micro, .reason = FOR_WRITE_OFF,
                                           .at_ms = off->now_ms, .who = off->who, .note = off->note };

        if (posting.micro > 0)
            r = account_post(db, &account, &lease, &posting);
    }
    if (r < 0)
        return r;
    lease.state = ACCOUNT_LEASE_WRITTEN_OFF;
    lease.closed_ms = off->now_ms;
    r = db->ops->lease_set(db->db, &lease);
    return r < 0 ? r : db->ops->account_set(db->db, &account);
}

int account_write_off(const struct account_db *db, const uint8_t box[LEASE_BOX_ID_OCTETS], uint64_t lease, int64_t used_micro,
                      const char *who, const char *note, int64_t now_ms, enum account_status *ret_status, int64_t *ret_returned_micro)
{
    struct write_off off = { box, lease, who, note, used_micro, now_ms, 0 };
    int r;

    if (!texts_fit(who, note))
        return account_says(ACCOUNT_BAD_NAME, ret_status);
    if (lease == 0 || lease > INT64_MAX)
        return account_says(ACCOUNT_NO_LEASE, ret_status);
    r = account_says(account_transact(db, write_off_work, &off), ret_status);
    if (r == 0 && *ret_status == ACCOUNT_OK)
        *ret_returned_micro = off.returned_micro;
    return r;
}

/* -- prices ------------------------------------------------------------------------------------------------------------ */

struct import { const struct account_hands *hands; const struct account_price_ask *ask; int64_t now_ms; };

static int import_work(const struct account_db *db, void *context)
{
    const struct import *import = context;
    struct account_price row = import->ask->price, newest;
    int r = db->ops->price_get(db->db, row.version, &newest);

    if (r == 0)
        return memcmp(newest.sha256, row.sha256, SHA256_OCTETS) == 0 ? ACCOUNT_ALREADY : ACCOUNT_BAD_VERSION;
    if (r == -ENOENT)
        r = db->ops->price_get(db->db, 0, &newest);
    if (r == -ENOENT) {
        newest.version = 0;
        r = 0;
    }
    if (r < 0)
        return r;
    if (row.version - 1 != newest.version)
        return ACCOUNT_BAD_VERSION;
    row.at_ms = import->now_ms;
    r = db->ops->price_add(db->db, &row);
    for (uint32_t i = 0; r == 0 && i < row.rows; i++)
        r = db->ops->price_row_add(db->db, &import->ask->rows[i]);
    return r;
}

struct ids { uint8_t (*ids)[LEASE_BOX_ID_OCTETS]; size_t count, room; };

static int collect_id(void *context, const struct account_box *row)
{
    struct ids *ids = context;

    if (row->state == BOX_FENCED)
        return 0;                            /* hears of it with its next lease */
    if (ids->count == ids->room) {
        size_t room = ids->room ? 2 * ids->room : 64;
        void *more = realloc(ids->ids, room * sizeof *ids->ids);

        if (!more)
            return -ENOMEM;
        ids->ids = more;
        ids->room = room;
    }
    memcpy(ids->ids[ids->count++], row->id, sizeof row->id);
    return 0;
}

static int ids_work(const struct account_db *db, void *context)
{
    ((struct ids *)context)->count = 0;
    return db->ops->box_list(db->db, 0, collect_id, context);
}

struct tell { const struct import *import; const uint8_t *box; uint64_t after; size_t seen; bool told; };

static int was_told(void *context, const struct account_command *row)
{
    struct tell *tell = context;

    tell->seen++;
    tell->after = row->command.number;
    tell->told = tell->told || (row->command.kind == COMMAND_PRICES && row->command.price_version >= tell->import->ask->price.version);
    return 0;
}

/* Once, though the import is done again after it was cut off. */
static int tell_work(const struct account_db *db, void *context)
{
    struct tell *tell = context;
    const struct import *import = tell->import;
    struct command command = { .kind = COMMAND_PRICES, .price_version = import->ask->price.version };
    struct account_box box;
    int r = db->ops->box_get(db->db, tell->box, &box);

    if (r < 0 || box.state == BOX_FENCED)
        return r;
    tell->told = false;
    tell->after = 0;
    do {
        tell->seen = 0;
        r = db->ops->command_list(db->db, box.id, box.epoch, tell->after, ACCOUNT_COMMANDS_MAX, was_told, tell);
    } while (r == 0 && tell->seen == ACCOUNT_COMMANDS_MAX && !tell->told);
    if (r < 0 || tell->told)
        return r;
    memcpy(command.price_sha256, import->ask->price.sha256, SHA256_OCTETS);
    r = account_tell(db, import->hands, &box, &command, import->now_ms);
    return r < 0 ? r : db->ops->box_set(db->db, &box);
}

static bool rows_fit(const struct account_price_ask *ask)
{
    for (uint32_t i = 0; i < ask->price.rows; i++) {
        const struct account_price_row *row = &ask->rows[i];

        if (row->version != ask->price.version || row->row != i || row->gsm7_micro < 0 || row->gsm7_micro > PRICE_PART_MICRO_MAX ||
            row->ucs2_micro < 0 || row->ucs2_micro > PRICE_PART_MICRO_MAX)
            return false;
    }
    return ask->price.rows > 0 && ask->price.rows <= PRICE_ROWS_MAX;
}

int account_price_import(const struct account_db *db, const struct account_hands *hands, const struct account_price_ask *ask,
                         int64_t now_ms, enum account_status *ret_status)
{
    struct import import = { hands, ask, now_ms };
    struct ids ids = { .count = 0 };
    int status, r;

    if (ask->price.version == 0)
        return account_says(ACCOUNT_BAD_VERSION, ret_status);
    if (!rows_fit(ask))
        return account_says(ACCOUNT_BAD_AMOUNT, ret_status);
    status = account_transact(db, import_work, &import);
    if (status != ACCOUNT_OK && status != ACCOUNT_ALREADY)
        return account_says(status, ret_status);
    r = account_transact(db, ids_work, &ids);
    for (size_t i = 0; r == 0 && i < ids.count; i++) {
        struct tell tell = { .import = &import, .box = ids.ids[i] };

        r = account_transact(db, tell_work, &tell);
    }
    free(ids.ids);
    return account_says(r < 0 ? r : status, ret_status);
}
