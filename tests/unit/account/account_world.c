/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/account/account_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

/* -- hands ---------------------------------------------------------------------------------------------------------------- */

static int make_random(void *context, unsigned char *octets, size_t length)
{
    struct world *world = context;

    memset(octets, 0, length);
    world->randoms++;
    memcpy(octets, &world->randoms, length < sizeof world->randoms ? length : sizeof world->randoms);
    return world->hands_fail;
}

static int sign_lease(void *context, struct lease *lease)
{
    struct world *world = context;

    memset(lease->signature, (int)lease->lease_id, sizeof lease->signature);
    return world->hands_fail;
}

static int sign_command(void *context, struct command *command, const uint8_t box[LEASE_BOX_ID_OCTETS], uint32_t epoch)
{
    struct world *world = context;

    if (command_check(command) < 0)
        return -EINVAL;
    memset(command->signature, 0, sizeof command->signature);
    memcpy(command->signature, box, LEASE_BOX_ID_OCTETS);
    command->signature[LEASE_BOX_ID_OCTETS] = (uint8_t)epoch;
    return world->hands_fail;
}

static int certify(void *context, const char *csr, const uint8_t box[LEASE_BOX_ID_OCTETS], int64_t now_ms,
                   char ret_certificate[ACCOUNT_CERTIFICATE_CHARS], uint8_t ret_key_sha256[SHA256_OCTETS])
{
    struct world *world = context;

    (void)now_ms;
    if (strncmp(csr, "csr ", 4) != 0)
        return -EINVAL;
    (void)snprintf(ret_certificate, ACCOUNT_CERTIFICATE_CHARS, "certificate of %s for %02x%02x", csr + 4, box[0], box[1]);
    octets_sha256((const uint8_t *)csr, strlen(csr), ret_key_sha256);
    return world->hands_fail;
}

/* -- the account ------------------------------------------------------------------------------------------------------------ */

void world_init(struct world *world, int64_t funded_micro)
{
    *world = (struct world){ .memory = account_memory_new(), .now_ms = WORLD_T0 };
    world->db = account_memory_db(world->memory);
    world->hands = (struct account_hands){ make_random, sign_lease, sign_command, certify, world, WORLD_LEASE_MS, WORLD_SETTLE_MS };
    assert_int_equal(account_create(&world->db, "office", world->now_ms, &world->status), 0);
    assert_int_equal(world->status, ACCOUNT_OK);
    if (funded_micro > 0) {
        assert_int_equal(account_fund(&world->db, "office", funded_micro, "ann", "", world->now_ms, &world->status), 0);
        assert_int_equal(world->status, ACCOUNT_OK);
        world_prices(world, 1);
        assert_int_equal(world->status, ACCOUNT_OK);
    }
}

static void tell_fault(void *context, const char *sentence)
{
    if (context)
        (void)fprintf(stderr, "fault: %s\n", sentence);
}

uint64_t world_faults(const struct world *world, bool told, struct account_census *ret_census)
{
    static int yes;
    struct account_census census;

    assert_int_equal(account_check(&world->db, tell_fault, told ? &yes : NULL, &census), 0);
    if (ret_census)
        *ret_census = census;
    return census.faults;
}

void world_done(struct world *world)
{
    assert_int_equal(world_faults(world, true, NULL), 0);
    account_memory_free(world->memory);
}

void world_prices(struct world *world, uint32_t version)
{
    struct account_price_row rows[] = {
        { version, 0, GSM7_MICRO + (int64_t)version - 1, UCS2_MICRO + (int64_t)version - 1 },
        { version, 1, DEAR_MICRO + (int64_t)version - 1, 0 },
    };
    struct account_price_ask ask = { { .version = version, .csv = "prefix,price\n", .csv_length = 13, .rows = 2 }, rows };

    memset(ask.price.sha256, (int)version, sizeof ask.price.sha256);
    assert_int_equal(account_price_import(&world->db, &world->hands, &ask, world->now_ms, &world->status), 0);
}

static void hash_token(const char *token, uint8_t ret_sha256[SHA256_OCTETS]) { octets_sha256((const uint8_t *)token, strlen(token), ret_sha256); }

void world_token(struct world *world, const char *token, int64_t lease_max_micro)
{
    struct account_token_ask ask = { .account = "office", .label = "store room", .lease_max_micro = lease_max_micro, .valid_ms = 1000 };

    hash_token(token, ask.token_sha256);
    assert_int_equal(account_token_new(&world->db, &ask, world->now_ms, &world->status), 0);
}

enum account_status world_enrol_with(struct world *world, const char *token, uint8_t nonce, const char *csr, struct account_enrol_told *ret_told)
{
    struct account_enrol_ask ask = { .token = token, .csr = csr, .version = "1.0", .nonce = { nonce }, .hw_fingerprint = { 7 } };

    assert_int_equal(account_enrol(&world->db, &world->hands, &ask, world->now_ms, &world->status, ret_told), 0);
    return world->status;
}

static void become(struct world_box *box, const struct account_enrol_told *told, const char *csr)
{
    memcpy(box->caller.box, told->box, sizeof box->caller.box);
    box->caller.epoch = told->epoch;
    octets_sha256((const uint8_t *)csr, strlen(csr), box->caller.key_sha256);
    box->head = (struct journal_head){ .seq = 0 };
}

void world_enrol(struct world *world, struct world_box *box, const char *name, int64_t lease_max_micro)
{
    struct account_enrol_told told;
    char csr[64];

    (void)snprintf(csr, sizeof csr, "csr %s", name);
    world_token(world, name, lease_max_micro);
    assert_int_equal(world->status, ACCOUNT_OK);
    assert_int_equal(world_enrol_with(world, name, 1, csr, &told), ACCOUNT_OK);
    become(box, &told, csr);
}

void world_enrol_again(struct world *world, struct world_box *box, const char *name)
{
    struct account_enrol_told told;
    char csr[64];
    uint8_t sha256[SHA256_OCTETS];

    (void)snprintf(csr, sizeof csr, "csr %s", name);
    hash_token(name, sha256);
    assert_int_equal(account_reincarnate(&world->db, &world->hands, box->caller.box, sha256, 1000, world->now_ms, &world->status), 0);
    assert_int_equal(world->status, ACCOUNT_OK);
    assert_int_equal(world_enrol_with(world, name, 1, csr, &told), ACCOUNT_OK);
    assert_memory_equal(told.box, box->caller.box, sizeof told.box);
    become(box, &told, csr);
}

/* -- rows ------------------------------------------------------------------------------------------------------------------- */

struct account_box world_row(const struct world *world, const struct world_box *box)
{
    const struct account_box *row = account_memory_box(world->memory, box->caller.box);

    assert_non_null(row);
    return *row;
}

struct account_row world_account(const struct world *world) { return *account_memory_account(world->memory, 1); }

struct account_lease world_lease_row(const struct world *world, const struct world_box *box, uint64_t lease)
{
    const struct account_lease *row = account_memory_lease(world->memory, box->caller.box, lease);

    assert_non_null(row);
    return *row;
}

size_t world_alarms(const struct world *world, const struct world_box *box, enum account_alarm kind)
{
    struct account_alarm_row rows[64];
    size_t count = account_memory_alarms(world->memory, box->caller.box, rows, 64), of_kind = 0;

    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++)
        of_kind += rows[i].kind == kind;
    return of_kind;
}

/* -- what a box does ---------------------------------------------------------------------------------------------------------- */

enum account_status world_lease(struct world *world, const struct world_box *box, uint64_t request, int64_t want_micro, uint64_t open,
                                struct account_lease_told *ret_told)
{
    struct account_lease_ask ask = { .want_micro = want_micro, .head = box->head, .open_lease_id = open };

    memcpy(ask.request, &request, sizeof request);
    assert_int_equal(account_lease(&world->db, &world->hands, &box->caller, &ask, world->now_ms, &world->status, ret_told), 0);
    return world->status;
}

enum account_status world_close(struct world *world, const struct world_box *box, uint64_t lease, int64_t rest_micro, int64_t *ret_returned_micro)
{
    struct account_close_ask ask = { .lease_id = lease, .head = box->head, .rest_micro = rest_micro };

    assert_int_equal(account_close(&world->db, &box->caller, &ask, world->now_ms, &world->status, ret_returned_micro), 0);
    return world->status;
}

static void append(struct world_box *box, struct journal_entry entry)
{
    assert_true(box->head.seq < WORLD_ENTRIES_MAX);
    assert_int_equal(journal_append(&box->head, &entry), 0);
    box->entries[entry.seq - 1] = entry;
}

void world_capture(struct world_box *box, uint64_t lease, int64_t message, uint8_t part, int64_t micro)
{
    append(box, (struct journal_entry){ .lease_id = lease, .kind = JOURNAL_CAPTURE, .message_id = message, .part = part, .attempt = 1, .units_micro = micro,
                                        .price_row = micro >= DEAR_MICRO, .t_wall_ms = WORLD_T0 });
}

void world_release(struct world_box *box, uint64_t lease, int64_t message, uint8_t part, int64_t micro)
{
    append(box, (struct journal_entry){ .lease_id = lease, .kind = JOURNAL_RELEASE, .message_id = message, .part = part, .units_micro = micro });
}

void world_void(struct world_box *box, uint64_t seq)
{
    struct journal_entry entry = box->entries[seq - 1];

    entry.kind = JOURNAL_VOID;
    entry.attempt = 1;
    entry.refers_seq = seq;
    append(box, entry);
}

enum account_status world_usage(struct world *world, const struct world_box *box, uint64_t from_seq, struct account_usage_told *ret_told)
{
    struct account_usage_ask ask = { .from_seq = from_seq, .entries = box->entries + (from_seq - 1), .head = box->head };

    ask.count = from_seq <= box->head.seq ? (size_t)(box->head.seq - from_seq + 1) : 0;
    if (ask.count > ACCOUNT_USAGE_MAX)
        ask.count = ACCOUNT_USAGE_MAX;
    if (from_seq > 1)
        memcpy(ask.prev_hash, box->entries[from_seq - 2].hash, SHA256_OCTETS);
    assert_int_equal(account_usage(&world->db, &world->hands, &box->caller, &ask, world->now_ms, &world->status, ret_told), 0);
    return world->status;
}
