/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/credits/world.h"

#include <assert.h>
#include <errno.h>
#include <mbedtls/ecp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/hex.h"

#define ACCOUNT "shop"
#define RICH_MICRO (1000000 * CREDIT)
#define POOR_MICRO (60 * CREDIT)

int world_random(void *context, unsigned char *octets, size_t length)
{
    struct world *world = context;

    for (size_t i = 0; i < length; i++)
        octets[i] = (unsigned char)sim_random_below(&world->random, 256);
    return 0;
}

/* -- hands ---------------------------------------------------------------------------------------------------------- */

static int sign_lease(void *context, struct lease *lease)
{
    struct world *world = context;

    return lease_sign(lease, world->central.private_key, world_random, world);
}

static int sign_command(void *context, struct command *command, const uint8_t box[LEASE_BOX_ID_OCTETS], uint32_t epoch)
{
    struct world *world = context;

    return command_sign(command, box, epoch, world->central.private_key, world_random, world);
}

static void key_hash(const uint8_t key[16], uint8_t ret_sha256[SHA256_OCTETS])
{
    memcpy(ret_sha256, key, 16);
    memcpy(ret_sha256 + 16, key, 16);
}

static int certify(void *context, const char *csr, const uint8_t box[LEASE_BOX_ID_OCTETS], int64_t now_ms,
                   char ret_certificate[ACCOUNT_CERTIFICATE_CHARS], uint8_t ret_key_sha256[SHA256_OCTETS])
{
    uint8_t key[16];

    (void)context;
    (void)box;
    (void)now_ms;
    if (strncmp(csr, "key ", 4) != 0 || hex_decode(csr + 4, 32, key, sizeof key) < 0)
        return -EINVAL;
    key_hash(key, ret_key_sha256);
    (void)snprintf(ret_certificate, ACCOUNT_CERTIFICATE_CHARS, "certificate of %.32s", csr + 4);
    return 0;
}

static void make_key(struct world *world)
{
    struct central *central = &world->central;
    mbedtls_ecp_group group;
    mbedtls_mpi d;
    mbedtls_ecp_point q;
    size_t length;
    int r;

    mbedtls_ecp_group_init(&group);
    mbedtls_mpi_init(&d);
    mbedtls_ecp_point_init(&q);
    (void)world_random(world, central->private_key, sizeof central->private_key);
    central->private_key[0] &= 0x7F;
    r = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
    if (r == 0)
        r = mbedtls_mpi_read_binary(&d, central->private_key, sizeof central->private_key);
    if (r == 0)
        r = mbedtls_ecp_mul(&group, &q, &d, &group.G, world_random, world);
    if (r == 0)
        r = mbedtls_ecp_point_write_binary(&group, &q, MBEDTLS_ECP_PF_UNCOMPRESSED, &length, central->public_key, sizeof central->public_key);
    assert(r == 0 && length == LEASE_PUBLIC_KEY_OCTETS);
    mbedtls_ecp_point_free(&q);
    mbedtls_mpi_free(&d);
    mbedtls_ecp_group_free(&group);
}

/* -- persons ----------------------------------------------------------------------------------------------------------- */

static uint32_t price_version(struct world *world)
{
    struct account_db db = account_memory_db(world->central.memory);
    struct account_price price = { .version = 0 };

    if (db.ops->begin(db.db, 0) == 0)
        (void)db.ops->price_get(db.db, 0, &price);
    db.ops->rollback(db.db);
    return price.version;
}

static void import(struct world *world, const char *csv)
{
    struct central *central = &world->central;
    struct account_db db = account_memory_db(central->memory);
    struct account_price_row rows[8] = { 0 };
    struct account_price_ask ask = { .rows = rows };
    struct table_notes *notes = calloc(1, sizeof *notes);
    struct price_table *table = NULL;
    enum account_status status;
    size_t length = strlen(csv);
    struct table_file file = { "prices", csv, length };
    int r = price_table_parse(central->price_version + 1, &file, &table, notes);

    assert(r == 0);
    ask.price = (struct account_price){ .version = central->price_version + 1, .csv = csv, .csv_length = length,
                                        .rows = (uint32_t)price_table_rows(table), .at_ms = world_ms(world) };
    memcpy(ask.price.sha256, price_table_sha256(table), SHA256_OCTETS);
    for (uint32_t i = 0; i < ask.price.rows; i++) {
        struct price_row row = price_table_row(table, i);

        rows[i] = (struct account_price_row){ ask.price.version, i, row.part_micro[PRICE_GSM7], row.part_micro[PRICE_UCS2] };
    }
    r = account_price_import(&db, &central->hands, &ask, world_ms(world), &status);
    assert(r == 0 && status == ACCOUNT_OK);
    central->price_version++;
    price_table_free(table);
    free(notes);
}

static void prices(struct world *world)
{
    struct central *central = &world->central;
    char *csv = central->price_csv[central->price_version % PRICES_MAX];

    if (central->price_version == PRICES_MAX)
        return;
    (void)snprintf(csv, sizeof central->price_csv[0], "prefix,price,price_ucs2\n40,%u,%u\n44,%u.5,\n49,0.25,\n4490,refused,\n",
                   draw_between(world, 1, 2), draw_between(world, 2, 3), draw_between(world, 1, 3));
    import(world, csv);
}

static void fund(struct world *world, int64_t micro)
{
    struct account_db db = account_memory_db(world->central.memory);
    enum account_status status;
    int r = account_fund(&db, ACCOUNT, micro, "person", "", world_ms(world), &status);

    assert(r == 0 && status == ACCOUNT_OK);
}

void central_token(struct world *world, char ret_token[40])
{
    struct account_db db = account_memory_db(world->central.memory);
    struct account_token_ask ask = { .account = ACCOUNT, .label = "box", .lease_max_micro = 100 * CREDIT, .valid_ms = (int64_t)(DAYS(365) / 1000) };
    enum account_status status;
    int r;

    (void)snprintf(ret_token, 40, "token-%llu", (unsigned long long)++world->central.token);
    octets_sha256((const uint8_t *)ret_token, strlen(ret_token), ask.token_sha256);
    r = account_token_new(&db, &ask, world_ms(world), &status);
    assert(r == 0 && status == ACCOUNT_OK);
}

void central_token_again(struct world *world, const uint8_t *box_id, char ret_token[40])
{
    struct account_db db = account_memory_db(world->central.memory);
    uint8_t sha256[SHA256_OCTETS];
    enum account_status status;
    int r;

    (void)snprintf(ret_token, 40, "token-%llu", (unsigned long long)++world->central.token);
    octets_sha256((const uint8_t *)ret_token, strlen(ret_token), sha256);
    r = account_reincarnate(&db, &world->central.hands, box_id, sha256, (int64_t)(DAYS(365) / 1000), world_ms(world), &status);
    assert(r == 0 && status == ACCOUNT_OK);
}

void central_freeze(struct world *world, const uint8_t *box_id, bool freeze)
{
    struct account_db db = account_memory_db(world->central.memory);
    enum account_status status;

    (void)account_freeze(&db, &world->central.hands, box_id, freeze, world_ms(world), &status);
}

void central_settle(struct world *world)
{
    fund(world, RICH_MICRO);
    world->central.poor = false;
}

/* And does what docs/central.md says: imports the prices again, and funds what was lost. */
void central_set_back(struct world *world)
{
    struct central *central = &world->central;
    struct account_db db = account_memory_db(central->memory);
    struct account_row before = { .funded_micro = 0 }, after = before;
    uint32_t version = central->price_version;

    if (db.ops->begin(db.db, 0) == 0)
        (void)db.ops->account_find(db.db, ACCOUNT, &before);
    db.ops->rollback(db.db);
    account_memory_restore(central->memory, central->backup);
    trace(world, "person", "sets the account back to its backup");
    if (db.ops->begin(db.db, 0) == 0)
        (void)db.ops->account_find(db.db, ACCOUNT, &after);
    db.ops->rollback(db.db);
    for (central->price_version = price_version(world); central->price_version < version;)
        import(world, central->price_csv[central->price_version]);
    if (before.funded_micro > after.funded_micro)
        fund(world, before.funded_micro - after.funded_micro);
    central->set_back = true;
}

/* With every box in it. */
static void back_up(struct world *world)
{
    for (unsigned i = 0; i < world->box_count; i++)
        if (!world->boxes[i].card.enrolled || world->boxes[i].card.has_pending)
            return;
    world->central.backup = account_memory_copy(world->central.memory);
}

static void person_turn(struct world *world)
{
    struct central *central = &world->central;

    central->person_us = world->now_us + draw_wait_us(world, HOURS(12));
    if (world->settling)
        return;
    if (fault_now(world, FAULT_PRICES, 40))
        prices(world);
    if (central->poor)
        fund(world, POOR_MICRO);
    if (world->story == STORY_BACKUP && central->backup == NULL)
        back_up(world);
}

/* -- servers -------------------------------------------------------------------------------------------------------------- */

bool central_answer(struct world *world, const struct packet *request, struct packet *ret_answer)
{
    struct central *central = &world->central;
    struct account_db db = account_memory_db(central->memory);
    struct desk desk = { central->hands, central->public_key };
    struct desk_request said = { .method = request->method, .target = request->target, .body = request->body, .length = request->length,
                                 .peer = { .known = request->proved }, .now_ms = world_ms(world) };
    struct desk_answer reply;
    bool dies = false;

    if (world->now_us < central->down_until_us)
        return false;
    memcpy(said.peer.box, request->box_id, sizeof said.peer.box);
    key_hash(request->key, said.peer.key_sha256);
    if (fault_now(world, FAULT_SERVER, 3)) {
        dies = draw_percent(world, 50);
        if (draw_percent(world, 50))
            account_memory_fail(central->memory, draw_between(world, 1, 30), draw_percent(world, 50) ? -EAGAIN : -EIO);
        else
            account_memory_lose_answer(central->memory, 1);
    }
    if (desk_ask(&desk, &db, &said, &reply) < 0)
        violation(world, "the account has no memory");
    (void)account_memory_calm(central->memory);
    if (dies) {
        free(reply.body);
        central->down_until_us = world->now_us + SECONDS(draw_between(world, 1, 120));
        return false;
    }
    ret_answer->status = reply.status;
    ret_answer->body = reply.body;
    ret_answer->length = reply.length;
    trace(world, "account", "box %u: %s %s: %u %.160s", request->box, request->method, request->target, (unsigned)reply.status,
          reply.status != 200 ? reply.body : "");
    return true;
}

void central_turn(struct world *world)
{
    struct central *central = &world->central;
    struct account_db db = account_memory_db(central->memory);
    size_t expired;

    if (world->now_us >= central->person_us)
        person_turn(world);
    if (world->now_us >= central->sweep_us) {
        central->sweep_us = world->now_us + MINUTES(10);
        if (account_sweep(&db, world_ms(world), 256, &expired) < 0)
            violation(world, "the account cannot sweep");
    }
}

uint64_t central_due_us(const struct world *world)
{
    return world->central.person_us < world->central.sweep_us ? world->central.person_us : world->central.sweep_us;
}

int central_init(struct world *world)
{
    struct central *central = &world->central;
    bool short_leases = fault_now(world, FAULT_EXPIRY, 50);
    struct account_db db;
    enum account_status status;
    int r;

    central->memory = account_memory_new();
    db = account_memory_db(central->memory);
    make_key(world);
    central->hands.random = world_random;
    central->hands.sign_lease = sign_lease;
    central->hands.sign_command = sign_command;
    central->hands.certify = certify;
    central->hands.context = world;
    central->hands.lease_ms = (int64_t)((short_leases ? HOURS(draw_between(world, 1, 12)) : DAYS(draw_between(world, 2, 14))) / 1000);
    central->hands.settle_ms = (int64_t)(DAYS(60) / 1000);
    r = account_create(&db, ACCOUNT, world_ms(world), &status);
    assert(r == 0 && status == ACCOUNT_OK);
    central->poor = fault_now(world, FAULT_POOR, 50);
    fund(world, central->poor ? POOR_MICRO : RICH_MICRO);
    prices(world);
    central->person_us = world->now_us + HOURS(1);
    central->sweep_us = world->now_us;
    return 0;
}

void central_done(struct world *world)
{
    account_memory_free(world->central.memory);
    account_memory_free(world->central.backup);
}
