/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/credits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "src/store/store.h"

#define PRICES "prefix,price,price_ucs2\n40,1,2\n44,3,\n"
#define YEAR_MS INT64_C(31536000000)

static void apply(struct store *store, struct store_change *change)
{
    HARNESS_CHECK(change != NULL && store_apply(store, change) == 0 && change->result == 0 && change->u.credit->verdict == LEDGER_DONE);
    change_free(change);
}

static struct store_change *new_step(enum credit_step step, int64_t now_ms)
{
    struct store_change *change = change_new(CHANGE_CREDIT, now_ms);

    HARNESS_CHECK(change != NULL);
    change->u.credit->step = step;
    return change;
}

void credits_prepare(const struct harness *harness)
{
    static const char text[] = PRICES;
    struct table_file file = { "prices", text, sizeof text - 1 };
    struct table_notes *notes = calloc(1, sizeof *notes);
    struct price_table *table = NULL;
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    struct store_change *change;
    struct store *store;
    char error[512];

    (void)mkdir(harness->state, 0700);
    if (store_open(harness->database, NULL, "b3nc", &store, error, sizeof error) != 0)
        harness_die("%s", error);
    HARNESS_CHECK(notes != NULL && price_table_parse(1, &file, &table, notes) == 0);
    change = new_step(CREDIT_ENROL, now_ms);
    change->u.credit->identity.epoch = 1;
    (void)strcpy(change->u.credit->identity.account, "bench");
    apply(store, change);
    change = new_step(CREDIT_PRICES, now_ms);
    change->u.credit->version = 1;
    change->u.credit->csv = strdup(text);
    memcpy(change->u.credit->sha256, price_table_sha256(table), SHA256_OCTETS);
    apply(store, change);
    change = new_step(CREDIT_OPEN, now_ms);
    change->u.credit->lease = (struct lease){ .lease_id = 1, .epoch = 1, .grant_micro = LEASE_GRANT_MICRO_MAX, .price_version = 1,
                                              .issued_ms = now_ms - 1000, .spend_until_ms = now_ms + YEAR_MS, .settle_until_ms = now_ms + 2 * YEAR_MS };
    memcpy(change->u.credit->lease.price_sha256, price_table_sha256(table), SHA256_OCTETS);
    apply(store, change);
    price_table_free(table);
    free(notes);
    store_close(store);
}

void credits_check(const struct harness *harness, int64_t *ret_captured)
{
    *ret_captured = harness_database_number(harness, "SELECT captured_micro / 1000000 FROM credit_lease");
    HARNESS_CHECK(*ret_captured == harness_database_number(harness, "SELECT count(*) FROM attempt WHERE charge_seq > 0"));
    HARNESS_CHECK(harness_database_number(harness, "SELECT count(*) FROM attempt WHERE state = 2 AND charge_seq = 0") == 0);
    HARNESS_CHECK(harness_database_number(harness, "SELECT (reserved_micro + captured_micro) / 1000000 = (SELECT sum(parts) FROM message WHERE"
                                                   " credit_state = 1) FROM credit_lease") == 1);
}
