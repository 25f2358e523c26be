/* SPDX-License-Identifier: Apache-2.0 */
#include "src/account/account_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- enrolment --------------------------------------------------------------------------------------------------------- */

struct enrol {
    const struct account_hands *hands;
    const struct account_enrol_ask *ask;
    int64_t now_ms;
    uint8_t token_sha256[SHA256_OCTETS], request_sha256[SHA256_OCTETS];
    struct account_enrol_told told;
};

static void hash_request(const struct account_enrol_ask *ask, uint8_t ret_sha256[SHA256_OCTETS])
{
    uint8_t octets[ACCOUNT_REQUEST_OCTETS + 2 * SHA256_OCTETS], csr_sha256[SHA256_OCTETS], *at = octets;

    octets_sha256((const uint8_t *)ask->csr, strlen(ask->csr), csr_sha256);
    octets_put_bytes(&at, ask->nonce, sizeof ask->nonce);
    octets_put_bytes(&at, ask->hw_fingerprint, sizeof ask->hw_fingerprint);
    octets_put_bytes(&at, csr_sha256, sizeof csr_sha256);
    octets_sha256(octets, sizeof octets, ret_sha256);
}

/* What a program says of itself is kept as far as it is text. */
static void copy_version(const char *version, char ret_version[ACCOUNT_NAME_CHARS])
{
    size_t length = 0;

    for (; version[length] != '\0' && length < ACCOUNT_NAME_CHARS - 1; length++)
        ret_version[length] = version[length] >= 0x20 && version[length] < 0x7F ? version[length] : '?';
    ret_version[length] = '\0';
}

/* The row that the token is for: a new one, or that of the box which may be enrolled again. */
static int box_of_token(const struct account_db *db, const struct enrol *enrol, const struct account_token *token, struct account_box *ret_box)
{
    struct account_box box = { .account = token->account, .epoch = 1, .lease_max_micro = token->lease_max_micro, .created_ms = enrol->now_ms };
    int r;

    if (token->again) {
        r = db->ops->box_get(db->db, token->box, ret_box);
        if (r < 0)
            return r;
        /* Once for each time that a person said so: another token of the same fence is good for nothing. */
        return ret_box->state == BOX_FENCED && ret_box->epoch == token->epoch ? ACCOUNT_OK : ACCOUNT_BAD_TOKEN;
    }
    r = enrol->hands->random(enrol->hands->context, box.id, sizeof box.id);
    if (r < 0)
        return r;
    memcpy(box.label, token->label, sizeof box.label);
    *ret_box = box;
    return ACCOUNT_OK;
}

static int enrol_told(const struct account_db *db, struct enrol *enrol, const struct account_token *token)
{
    struct account_row account;
    int r = db->ops->account_get(db->db, token->account, &account);

    if (r < 0)
        return r;
    memcpy(enrol->told.box, token->box, sizeof enrol->told.box);
    enrol->told.epoch = token->epoch;
    memcpy(enrol->told.account, account.name, sizeof account.name);
    return ACCOUNT_OK;
}

static int enrol_work(const struct account_db *db, void *context)
{
    struct enrol *enrol = context;
    struct account_token token;
    struct account_box box;
    int r = db->ops->token_get(db->db, enrol->token_sha256, &token);

    if (r == -ENOENT)
        return ACCOUNT_BAD_TOKEN;
    if (r < 0)
        return r;
    if (token.used_ms != 0) {
        if (memcmp(token.request_sha256, enrol->request_sha256, SHA256_OCTETS) != 0)
            return ACCOUNT_TOKEN_USED;
        if (strlen(token.certificate) >= sizeof enrol->told.certificate)
            return -EOVERFLOW;
        (void)strcpy(enrol->told.certificate, token.certificate);   /* before the next call */
        return enrol_told(db, enrol, &token);
    }
    if (enrol->now_ms >= token.expires_ms)
        return ACCOUNT_BAD_TOKEN;
    r = box_of_token(db, enrol, &token, &box);
    if (r != ACCOUNT_OK)
        return r;
    r = enrol->hands->certify(enrol->hands->context, enrol->ask->csr, box.id, enrol->now_ms, enrol->told.certificate, box.key_sha256);
    if (r < 0)
        return r == -EINVAL ? ACCOUNT_BAD_CSR : r;

    box.state = BOX_ACTIVE;
    box.chain = box.epoch;                   /* a new journal, which begins behind zeros */
    box.acked = (struct journal_head){ .seq = 0 };
    memcpy(box.hw_fingerprint, enrol->ask->hw_fingerprint, sizeof box.hw_fingerprint);
    copy_version(enrol->ask->version, box.version);
    box.seen_ms = enrol->now_ms;
    r = token.again ? db->ops->box_set(db->db, &box) : db->ops->box_add(db->db, &box);
    if (r < 0)
        return r == -EEXIST ? -EAGAIN : r;   /* by chance that id is taken: another one */

    memcpy(token.box, box.id, sizeof token.box);
    token.used_ms = enrol->now_ms;
    memcpy(token.nonce, enrol->ask->nonce, sizeof token.nonce);
    memcpy(token.request_sha256, enrol->request_sha256, sizeof token.request_sha256);
    token.epoch = box.epoch;
    token.certificate = enrol->told.certificate;
    r = db->ops->token_set(db->db, &token);
    return r < 0 ? r : enrol_told(db, enrol, &token);
}

int account_enrol(const struct account_db *db, const struct account_hands *hands, const struct account_enrol_ask *ask, int64_t now_ms,
                  enum account_status *ret_status, struct account_enrol_told *ret_told)
{
    struct enrol enrol = { .hands = hands, .ask = ask, .now_ms = now_ms };
    int r;

    octets_sha256((const uint8_t *)ask->token, strlen(ask->token), enrol.token_sha256);
    hash_request(ask, enrol.request_sha256);
    r = account_transact(db, enrol_work, &enrol);
    if (r < 0)
        return r;
    *ret_status = (enum account_status)r;
    if (r == ACCOUNT_OK)
        *ret_told = enrol.told;
    return 0;
}

/* -- tokens ------------------------------------------------------------------------------------------------------------ */

struct new_token { const struct account_token_ask *ask; int64_t now_ms; };

static int token_work(const struct account_db *db, void *context)
{
    struct new_token *new_token = context;
    const struct account_token_ask *ask = new_token->ask;
    struct account_token token = { .lease_max_micro = ask->lease_max_micro, .created_ms = new_token->now_ms,
                                   .expires_ms = new_token->now_ms + ask->valid_ms, .certificate = "" };
    struct account_row account;
    int r = db->ops->account_find(db->db, ask->account, &account);

    if (r < 0)
        return r == -ENOENT ? (int)ACCOUNT_UNKNOWN : r;
    token.account = account.id;
    memcpy(token.sha256, ask->token_sha256, sizeof token.sha256);
    (void)strcpy(token.label, ask->label);
    r = db->ops->token_add(db->db, &token);
    return r == -EEXIST ? (int)ACCOUNT_ALREADY : r;
}

int account_token_new(const struct account_db *db, const struct account_token_ask *ask, int64_t now_ms, enum account_status *ret_status)
{
    struct new_token new_token = { ask, now_ms };

    if (!account_text_fits(ask->label, ACCOUNT_NAME_CHARS) || ask->label[0] == '\0')
        return account_says(ACCOUNT_BAD_NAME, ret_status);
    if (ask->lease_max_micro <= 0 || ask->lease_max_micro > LEASE_GRANT_MICRO_MAX || ask->valid_ms <= 0 || ask->valid_ms > ACCOUNT_VALID_MS_MAX)
        return account_says(ACCOUNT_BAD_AMOUNT, ret_status);
    return account_says(account_transact(db, token_work, &new_token), ret_status);
}

/* -- what persons do to boxes -------------------------------------------------------------------------------------------- */

struct person { const struct account_hands *hands; const uint8_t *box, *token_sha256; bool freeze; int64_t valid_ms, now_ms; };

static int get_box(const struct account_db *db, const uint8_t *id, struct account_box *ret_box)
{
    int r = db->ops->box_get(db->db, id, ret_box);

    return r == -ENOENT ? (int)ACCOUNT_UNKNOWN_BOX : r;
}

static int freeze_work(const struct account_db *db, void *context)
{
    struct person *person = context;
    struct command command = { .kind = person->freeze ? COMMAND_FREEZE : COMMAND_UNFREEZE };
    struct account_box box;
    int r = get_box(db, person->box, &box);

    if (r != ACCOUNT_OK)
        return r;
    if (box.state == BOX_FENCED)
        return ACCOUNT_FENCED;
    if ((box.state == BOX_FROZEN) == person->freeze)
        return ACCOUNT_ALREADY;
    box.state = person->freeze ? BOX_FROZEN : BOX_ACTIVE;
    r = account_tell(db, person->hands, &box, &command, person->now_ms);
    return r < 0 ? r : db->ops->box_set(db->db, &box);
}

int account_freeze(const struct account_db *db, const struct account_hands *hands, const uint8_t box[LEASE_BOX_ID_OCTETS], bool freeze,
                   int64_t now_ms, enum account_status *ret_status)
{
    struct person person = { .hands = hands, .box = box, .freeze = freeze, .now_ms = now_ms };

    return account_says(account_transact(db, freeze_work, &person), ret_status);
}

struct change { const uint8_t *box; const char *label; int64_t lease_max_micro; };

static int change_work(const struct account_db *db, void *context)
{
    const struct change *change = context;
    struct account_box box;
    int r = get_box(db, change->box, &box);

    if (r != ACCOUNT_OK)
        return r;
    if (change->label)
        (void)strcpy(box.label, change->label);
    if (change->lease_max_micro > 0)
        box.lease_max_micro = change->lease_max_micro;
    return db->ops->box_set(db->db, &box);
}

int account_box_change(const struct account_db *db, const uint8_t box[LEASE_BOX_ID_OCTETS], const char *label, int64_t lease_max_micro,
                       enum account_status *ret_status)
{
    struct change change = { box, label, lease_max_micro };

    if (label && (label[0] == '\0' || !account_text_fits(label, ACCOUNT_NAME_CHARS)))
        return account_says(ACCOUNT_BAD_NAME, ret_status);
    if (lease_max_micro < 0 || lease_max_micro > LEASE_GRANT_MICRO_MAX)
        return account_says(ACCOUNT_BAD_AMOUNT, ret_status);
    return account_says(account_transact(db, change_work, &change), ret_status);
}

int account_revoke(const struct account_db *db, const struct account_hands *hands, struct account_box *box, const char *reason, int64_t now_ms)
{
    struct command command = { .kind = COMMAND_REVOKE };
    int r;

    assert(strlen(reason) < sizeof command.reason);
    (void)strcpy(command.reason, reason);
    r = account_tell(db, hands, box, &command, now_ms);
    return r < 0 ? r : account_fence(db, box, now_ms);
}

static int reincarnate_work(const struct account_db *db, void *context)
{
    struct person *person = context;
    struct account_token token = { .again = true, .created_ms = person->now_ms, .expires_ms = person->now_ms + person->valid_ms, .certificate = "" };
    struct account_box box;
    int r = get_box(db, person->box, &box);

    if (r != ACCOUNT_OK)
        return r;
    if (box.state != BOX_FENCED) {
        r = account_revoke(db, person->hands, &box, "enrolled again by a person", person->now_ms);
        if (r == 0)
            r = db->ops->box_set(db->db, &box);
        if (r < 0)
            return r;
    }
    token.account = box.account;
    token.epoch = box.epoch;
    token.lease_max_micro = box.lease_max_micro;
    memcpy(token.sha256, person->token_sha256, sizeof token.sha256);
    memcpy(token.box, box.id, sizeof token.box);
    memcpy(token.label, box.label, sizeof token.label);
    return db->ops->token_add(db->db, &token);
}

int account_reincarnate(const struct account_db *db, const struct account_hands *hands, const uint8_t box[LEASE_BOX_ID_OCTETS],
                        const uint8_t token_sha256[SHA256_OCTETS], int64_t valid_ms, int64_t now_ms, enum account_status *ret_status)
{
    struct person person = { .hands = hands, .box = box, .token_sha256 = token_sha256, .valid_ms = valid_ms, .now_ms = now_ms };
    int r;

    if (valid_ms <= 0 || valid_ms > ACCOUNT_VALID_MS_MAX)
        return account_says(ACCOUNT_BAD_AMOUNT, ret_status);
    r = account_transact(db, reincarnate_work, &person);
    return account_says(r == -EEXIST ? (int)ACCOUNT_ALREADY : r, ret_status);   /* nothing was done: the token is one that there is */
}

/* -- commands ------------------------------------------------------------------------------------------------------------ */

/* Told after the transaction: one that is tried again would tell them twice. */
struct commands { const struct account_caller *caller; uint64_t after; struct account_command *rows; size_t count; };

static int collect_command(void *context, const struct account_command *row)
{
    struct commands *commands = context;

    if (commands->count < ACCOUNT_COMMANDS_MAX)
        commands->rows[commands->count++] = *row;
    return 0;
}

static int commands_work(const struct account_db *db, void *context)
{
    struct commands *commands = context;
    struct account_box box;
    int r = get_box(db, commands->caller->box, &box);

    commands->count = 0;
    if (r != ACCOUNT_OK)
        return r;
    if (commands->caller->epoch == 0 || commands->caller->epoch > box.epoch)
        return ACCOUNT_OLD_EPOCH;
    return db->ops->command_list(db->db, box.id, commands->caller->epoch, commands->after, ACCOUNT_COMMANDS_MAX, collect_command, commands);
}

int account_commands(const struct account_db *db, const struct account_caller *caller, uint64_t after, account_each_command *each,
                     void *context, enum account_status *ret_status)
{
    struct commands commands = { .caller = caller, .after = after, .rows = malloc(ACCOUNT_COMMANDS_MAX * sizeof *commands.rows) };
    int r;

    if (!commands.rows)
        return -ENOMEM;
    r = account_says(account_transact(db, commands_work, &commands), ret_status);
    for (size_t i = 0; r == 0 && i < commands.count; i++)
        if (each(context, &commands.rows[i]) != 0)
            break;
    free(commands.rows);
    return r;
}
