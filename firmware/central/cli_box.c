/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_box.c - boxes: taken in, looked at, stopped, set right. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/table.h"
#include "firmware/central/commands.h"

#define TOKEN_OCTETS 16
#define LEASE_MAX_MICRO (100 * INT64_C(1000000))

/* -- tokens --------------------------------------------------------------------------------------------------------------------- */

struct fresh_token { char text[2 * TOKEN_OCTETS + 1]; uint8_t sha256[SHA256_OCTETS]; int64_t valid_ms, until_ms; };

static int make_token(struct command_line *line, struct fresh_token *ret_token)
{
    uint8_t octets[TOKEN_OCTETS];
    int status = central_read_valid(line, &ret_token->valid_ms);
    struct account_hands hands;

    if (status == CENTRAL_OK)
        status = central_open_ca(line);
    if (status != CENTRAL_OK)
        return status;
    hands = central_hands(line);
    if (hands.random(hands.context, octets, sizeof octets) < 0) {
        central_say("cellpost-central: the machine has no randomness for a token");
        return CENTRAL_BROKEN;
    }
    central_hex(octets, sizeof octets, ret_token->text);
    octets_sha256((const uint8_t *)ret_token->text, strlen(ret_token->text), ret_token->sha256);
    ret_token->until_ms = central_now_ms() + ret_token->valid_ms;
    return CENTRAL_OK;
}

/* What the person at the box has to type. It is shown once: only its hash is kept. */
static void show_token(const struct command_line *line, const struct fresh_token *token)
{
    char pin[2 * SHA256_OCTETS + 1], when[40];

    central_hex(central_ca_pin(line->ca), SHA256_OCTETS, pin);
    if (line->json) {
        central_print_json(json_pack("{s:s, s:o, s:s, s:s}", "token", token->text, "valid_until", central_time_json(token->until_ms), "url",
                                     line->settings.url, "pin", pin));
        return;
    }
    central_print_field("token", "%s", token->text);
    central_print_field("valid until", "%s", central_when(line, token->until_ms, when));
    (void)printf("\nOn the box:\n  cellpost enroll %s --url %s --pin %s\n", token->text, line->settings.url, pin);
}

static int run_enroll(struct command_line *line)
{
    struct account_token_ask ask = { .account = line->arguments[0], .label = line->label ? line->label : "box", .lease_max_micro = LEASE_MAX_MICRO };
    struct fresh_token token;
    enum account_status told = ACCOUNT_OK;
    int r, status = CENTRAL_OK;

    if (line->lease_max)
        status = central_read_amount(line, "--lease-max", line->lease_max, LEASE_GRANT_MICRO_MAX, &ask.lease_max_micro);
    if (status == CENTRAL_OK)
        status = make_token(line, &token);
    if (status != CENTRAL_OK)
        return status;
    memcpy(ask.token_sha256, token.sha256, sizeof ask.token_sha256);
    ask.valid_ms = token.valid_ms;
    r = account_token_new(&line->ops, &ask, central_now_ms(), &told);
    status = central_explain(line, r, told, line->arguments[0]);
    if (status == CENTRAL_OK)
        show_token(line, &token);
    return status;
}

static int run_reincarnate(struct command_line *line)
{
    struct account_hands hands;
    struct fresh_token token;
    struct account_box box;
    enum account_status told = ACCOUNT_OK;
    int r, status = central_find_box(line, line->arguments[0], &box);

    if (status == CENTRAL_OK)
        status = make_token(line, &token);
    if (status != CENTRAL_OK)
        return status;
    hands = central_hands(line);
    r = account_reincarnate(&line->ops, &hands, box.id, token.sha256, token.valid_ms, central_now_ms(), &told);
    status = central_explain(line, r, told, line->arguments[0]);
    if (status == CENTRAL_OK)
        show_token(line, &token);
    return status;
}

/* -- showing -------------------------------------------------------------------------------------------------------------------- */

struct box_list { struct command_line *line; json_t *list; struct table *table; unsigned count; };

static json_t *box_json(const struct account_box *row)
{
    char id[2 * LEASE_BOX_ID_OCTETS + 1];

    central_hex(row->id, sizeof row->id, id);
    return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:s, s:I, s:I, s:I, s:I}", "box", id, "label", row->label, "state", central_box_state(row->state),
                     "epoch", (json_int_t)row->epoch, "created", central_time_json(row->created_ms), "seen", central_time_json(row->seen_ms), "version",
                     row->version, "entries", (json_int_t)row->acked.seq, "last_lease_id", (json_int_t)row->last_lease_id, "lease_max_micro",
                     (json_int_t)row->lease_max_micro, "alarms", (json_int_t)row->alarms);
}

static enum table_style style_of(enum account_box_state state)
{
    return state == BOX_ACTIVE ? TABLE_GOOD : state == BOX_FROZEN ? TABLE_WARN : TABLE_BAD;
}

static int list_box(void *context, const struct account_box *row)
{
    struct box_list *list = context;
    char id[2 * LEASE_BOX_ID_OCTETS + 1], when[40];

    list->count++;
    if (list->list) {
        json_array_append_new(list->list, box_json(row));
        return 0;
    }
    central_hex(row->id, sizeof row->id, id);
    table_add(list->table, id, TABLE_PLAIN);
    table_add(list->table, row->label, TABLE_PLAIN);
    table_add(list->table, central_box_state(row->state), style_of(row->state));
    table_add(list->table, row->seen_ms != 0 ? central_when(list->line, row->seen_ms, when) : "", TABLE_PLAIN);
    table_addf(list->table, TABLE_PLAIN, "%" PRIu64, row->acked.seq);
    table_addf(list->table, row->alarms > 0 ? TABLE_BAD : TABLE_PLAIN, "%" PRIu64, row->alarms);
    return 0;
}

static int run_list(struct command_line *line)
{
    static const struct table_column columns[] = { { "BOX", false, false }, { "LABEL", false, true }, { "STATE", false, false },
                                                   { "HEARD OF", false, false }, { "ENTRIES", true, false }, { "ALARMS", true, false } };
    struct box_list list = { .line = line };
    int r, status = central_open_db(line);

    if (status != CENTRAL_OK)
        return status;
    list.list = line->json ? json_array() : NULL;
    list.table = line->json ? NULL : table_new(columns, sizeof columns / sizeof columns[0]);
    r = line->ops.ops->begin(line->ops.db, 0);
    if (r == 0)
        r = line->ops.ops->box_list(line->ops.db, 0, list_box, &list);
    line->ops.ops->rollback(line->ops.db);
    status = central_explain(line, r, ACCOUNT_OK, "the boxes");
    if (status == CENTRAL_OK && line->json) {
        central_print_json(json_pack("{s:O}", "boxes", list.list));
    } else if (status == CENTRAL_OK) {
        central_print_table(list.table);
        list.table = NULL;
        if (list.count == 0)
            central_say("There is no box yet: \"cellpost-central box enroll ACCOUNT\" gives a token for one.");
    }
    json_decref(list.list);
    if (list.table)
        table_free(list.table);
    return status;
}

struct lease_list { struct command_line *line; const uint8_t *box; json_t *list; struct table *table; };

static int list_lease(void *context, const struct account_lease *row)
{
    struct lease_list *list = context;
    const int64_t money[] = { row->grant_micro, row->captured_micro, row->rest_micro, row->suspense_micro, row->returned_micro };
    char text[MONEY_CHARS], when[40];

    if (list->list) {
        json_array_append_new(list->list, json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "lease", (json_int_t)row->id,
                              "epoch", (json_int_t)row->epoch, "state", central_lease_state(row->state), "grant_micro", (json_int_t)row->grant_micro,
                              "captured_micro", (json_int_t)row->captured_micro, "rest_micro", (json_int_t)row->rest_micro, "suspense_micro",
                              (json_int_t)row->suspense_micro, "returned_micro", (json_int_t)row->returned_micro, "debt_micro",
                              (json_int_t)row->debt_micro, "price_version", (json_int_t)row->price_version, "spend_until",
                              central_time_json(row->spend_until_ms), "settle_until", central_time_json(row->settle_until_ms)));
        return 0;
    }
    table_addf(list->table, TABLE_PLAIN, "%" PRIu64, row->id);
    table_add(list->table, central_lease_state(row->state), row->state == ACCOUNT_LEASE_OPEN ? TABLE_GOOD :
              row->state == ACCOUNT_LEASE_EXPIRED || row->state == ACCOUNT_LEASE_FENCED ? TABLE_WARN : TABLE_DIM);
    for (size_t i = 0; i < sizeof money / sizeof money[0]; i++) {
        money_format_price(money[i], text);
        table_add(list->table, text, TABLE_PLAIN);
    }
    table_add(list->table, central_when(list->line, row->spend_until_ms, when), TABLE_PLAIN);
    table_add(list->table, central_when(list->line, row->settle_until_ms, when), TABLE_PLAIN);
    return 0;
}

static void print_box(const struct command_line *line, const struct account_box *box)
{
    char id[2 * LEASE_BOX_ID_OCTETS + 1], when[40];

    central_hex(box->id, sizeof box->id, id);
    central_print_field("box", "%s", id);
    central_print_field("label", "%s", box->label);
    central_print_field("state", "%s", central_box_state(box->state));
    central_print_field("epoch", "%u", box->epoch);
    central_print_field("heard of", "%s", box->seen_ms != 0 ? central_when(line, box->seen_ms, when) : "");
    central_print_field("program", "%s", box->version);
    central_print_field("entries", "%" PRIu64, box->acked.seq);
    central_print_money("lease at most", box->lease_max_micro);
    central_print_field("alarms", "%" PRIu64, box->alarms);
    (void)puts("");
}

static int run_show(struct command_line *line)
{
    static const struct table_column columns[] = { { "LEASE", true, false }, { "STATE", false, false }, { "GRANT", true, false },
                                                   { "SPENT", true, false }, { "REST", true, false }, { "SUSPENSE", true, false },
                                                   { "RETURNED", true, false }, { "SPENT UNTIL", false, false }, { "WAITED FOR UNTIL", false, false } };
    struct lease_list list = { .line = line };
    struct account_box box;
    int r, status = central_find_box(line, line->arguments[0], &box);

    if (status != CENTRAL_OK)
        return status;
    list.list = line->json ? json_array() : NULL;
    list.table = line->json ? NULL : table_new(columns, sizeof columns / sizeof columns[0]);
    r = line->ops.ops->begin(line->ops.db, 0);
    if (r == 0)
        r = line->ops.ops->lease_list(line->ops.db, box.id, true, list_lease, &list);
    line->ops.ops->rollback(line->ops.db);
    status = central_explain(line, r, ACCOUNT_OK, line->arguments[0]);
    if (status == CENTRAL_OK && line->json) {
        json_t *json = box_json(&box);

        json_object_set(json, "leases", list.list);
        central_print_json(json);
    } else if (status == CENTRAL_OK) {
        print_box(line, &box);
        central_print_table(list.table);
        list.table = NULL;
    }
    json_decref(list.list);
    if (list.table)
        table_free(list.table);
    return status;
}

/* -- stopping and setting right ------------------------------------------------------------------------------------------------- */

static int set_frozen(struct command_line *line, bool freeze)
{
    struct account_hands hands;
    struct account_box box;
    enum account_status told = ACCOUNT_OK;
    int r, status = central_find_box(line, line->arguments[0], &box);

    if (status == CENTRAL_OK)
        status = central_open_ca(line);
    if (status != CENTRAL_OK)
        return status;
    hands = central_hands(line);
    r = account_freeze(&line->ops, &hands, box.id, freeze, central_now_ms(), &told);
    /* That it was so before is no refusal: who freezes a stolen box has to know that it is frozen. */
    status = central_explain(line, r, told == ACCOUNT_ALREADY ? ACCOUNT_OK : told, line->arguments[0]);
    if (status != CENTRAL_OK)
        return status;
    if (line->json)
        central_print_json(json_pack("{s:b, s:b}", "frozen", (int)freeze, "changed", (int)(told != ACCOUNT_ALREADY)));
    else if (told == ACCOUNT_ALREADY)
        central_say("It was %s before.", freeze ? "frozen" : "active");
    else if (freeze)
        central_say("It gets no credits any more, and stops spending as soon as it hears of it. What it has in hand it may spend until then.");
    else
        central_say("It goes on as soon as it hears of it.");
    return CENTRAL_OK;
}

static int run_freeze(struct command_line *line)
{
    return set_frozen(line, true);
}

static int run_unfreeze(struct command_line *line)
{
    return set_frozen(line, false);
}

static int run_set(struct command_line *line)
{
    enum account_status told = ACCOUNT_OK;
    struct account_box box;
    int64_t lease_max_micro = 0;
    int r, status = CENTRAL_OK;

    if (!line->label && !line->lease_max)
        return central_usage(line, "say what is to change: --lease-max CREDITS, --label TEXT or both");
    if (line->lease_max)
        status = central_read_amount(line, "--lease-max", line->lease_max, LEASE_GRANT_MICRO_MAX, &lease_max_micro);
    if (status == CENTRAL_OK && line->lease_max && lease_max_micro == 0)
        return central_usage(line, "--lease-max 0 would leave the box without credits: \"cellpost-central box freeze\" stops it");
    if (status == CENTRAL_OK)
        status = central_find_box(line, line->arguments[0], &box);
    if (status != CENTRAL_OK)
        return status;
    r = account_box_change(&line->ops, box.id, line->label, lease_max_micro, &told);
    status = central_explain(line, r, told, line->arguments[0]);
    if (status == CENTRAL_OK && line->json)
        central_print_json(json_pack("{s:s, s:I}", "label", line->label ? line->label : box.label, "lease_max_micro",
                                     (json_int_t)(lease_max_micro > 0 ? lease_max_micro : box.lease_max_micro)));
    else if (status == CENTRAL_OK && line->lease_max)
        central_say("It counts from the next lease of the box on; what it has in hand stays.");
    return status;
}

static int run_write_off(struct command_line *line)
{
    enum account_status told = ACCOUNT_OK;
    struct account_box box;
    uint64_t lease;
    int64_t used_micro, returned_micro = 0;
    char text[MONEY_CHARS];
    int r, status;

    if (!line->used)
        return central_usage(line, "--used CREDITS must say how much of the lease was spent: the rest is available again");
    status = central_read_amount(line, "--used", line->used, LEASE_GRANT_MICRO_MAX, &used_micro);
    if (status == CENTRAL_OK)
        status = central_read_number(line, "the lease", line->arguments[1], 1, INT64_MAX, &lease);
    if (status == CENTRAL_OK)
        status = central_find_box(line, line->arguments[0], &box);
    if (status != CENTRAL_OK)
        return status;
    r = account_write_off(&line->ops, box.id, lease, used_micro, central_who(), line->note ? line->note : "", central_now_ms(), &told, &returned_micro);
    status = central_explain(line, r, told, line->arguments[1]);
    money_format(returned_micro, text);
    if (status == CENTRAL_OK && line->json)
        central_print_json(json_pack("{s:I}", "returned_micro", (json_int_t)returned_micro));
    else if (status == CENTRAL_OK)
        central_print_field("returned", "%s", text);
    return status;
}

static int run_refund(struct command_line *line)
{
    struct account_hands hands;
    enum account_status told = ACCOUNT_OK;
    struct account_box box;
    uint64_t entry, chain = 0;
    int64_t micro = 0;
    int r, status = central_read_number(line, "the entry", line->arguments[1], 1, INT64_MAX, &entry);

    if (status == CENTRAL_OK && line->chain)
        status = central_read_number(line, "--chain", line->chain, 1, UINT32_MAX, &chain);
    if (status == CENTRAL_OK)
        status = central_find_box(line, line->arguments[0], &box);
    if (status == CENTRAL_OK)
        status = central_open_ca(line);
    if (status != CENTRAL_OK)
        return status;
    hands = central_hands(line);
    r = account_refund(&line->ops, &hands, box.id, (uint32_t)chain, entry, central_who(), line->note ? line->note : "", central_now_ms(), &told, &micro);
    status = central_explain(line, r, told, line->arguments[1]);
    if (status == CENTRAL_OK && line->json)
        central_print_json(json_pack("{s:I}", "refunded_micro", (json_int_t)micro));
    else if (status == CENTRAL_OK)
        central_print_money("refunded", micro);
    return status;
}

const struct verb verbs_box[] = {
    { "box", "enroll", "ACCOUNT", "a token with which one box may join the account", "label valid lease-max url", 1, 1, run_enroll },
    { "box", "list", "", "all boxes", "", 0, 0, run_list },
    { "box", "show", "BOX", "one box and its leases", "", 1, 1, run_show },
    { "box", "freeze", "BOX", "no credits for it, and it is to stop; reversible", "", 1, 1, run_freeze },
    { "box", "unfreeze", "BOX", "it may go on", "", 1, 1, run_unfreeze },
    { "box", "reincarnate", "BOX", "end what it was; a token with which one machine becomes it again", "valid url", 1, 1, run_reincarnate },
    { "box", "set", "BOX", "what it gets at a time at most, what it is called", "label lease-max", 1, 1, run_set },
    { "box", "alarms", "[BOX]", "what boxes did that they should not", "", 0, 1, central_box_alarms },
    { "box", "write-off", "BOX LEASE", "settle a lease that nobody will tell of any more", "used note", 2, 2, run_write_off },
    { "box", "refund", "BOX ENTRY", "give back what a part cost, by its number in the box's ledger", "chain note", 2, 2, run_refund },
    { NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};
