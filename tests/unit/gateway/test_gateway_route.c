/* SPDX-License-Identifier: Apache-2.0
 *
 * Prices and limits where they meet parts, modems and the disk. */
#include "rig.h"

#include "src/base/date.h"
#include "src/choice/chooser.h"
#include "src/routing/routing.h"

#include <sqlite3.h>

#define CARD "894000000000000%04d"

struct prices { struct routing routing; struct routing_sim sims[4]; };

/* Slot n has the card whose plan is "pN". */
static void set_prices(struct rig *rig, struct prices *prices, const char *tariffs, unsigned cards)
{
    static struct table_notes notes;
    struct table_file file = { "t.csv", tariffs, strlen(tariffs) };

    memcpy(prices->routing.currency, "EUR", 4);
    if (tariff_parse(&file, 1, &prices->routing.tariffs, &notes) < 0)
        fail_msg("%s", notes.text[0]);
    assert_int_equal(route_parse(NULL, 0, &prices->routing.routes, &notes), 0);
    prices->routing.sims = prices->sims;
    prices->routing.sim_count = cards;
    for (unsigned i = 0; i < cards; i++) {
        (void)snprintf(prices->sims[i].iccid, sizeof prices->sims[i].iccid, CARD, (int)i);
        (void)snprintf(prices->sims[i].tariff, sizeof prices->sims[i].tariff, "p%u", i);
    }
    assert_int_equal(gateway_set_routing(rig->gateway, &prices->routing, rig->now), 0);
}

static void prices_done(struct prices *prices)
{
    tariff_free(prices->routing.tariffs);
    route_free(prices->routing.routes);
}

static int64_t ask_number(struct rig *rig, const char *query)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;
    int64_t number;

    assert_int_equal(sqlite3_open_v2(rig->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    number = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return number;
}

static const char cheap_and_dear[] = "plan,currency,prefix,price\np0,EUR,*,0.10\np1,EUR,*,0.05\n";

static void a_text_goes_by_the_cheaper_sim_and_its_price_is_written_down_with_its_intent(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    set_prices(rig, &prices, cheap_and_dear, 2);
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    rig_submit(rig, (struct rig_text){ .text = "cheap" });
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig->sent[0].slot, 1);
    assert_int_equal(ask_number(rig, "SELECT price_micro FROM attempt"), 50000);
    assert_int_equal(ask_number(rig, "SELECT choice LIKE '%\"plan\":\"p1\"%' AND choice LIKE '%\"0.1\"%' FROM attempt"), 1);
    rig_free(rig);
    prices_done(&prices);
}

static void a_part_that_one_sim_refuses_for_a_while_goes_by_another_at_once_and_is_charged_once(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };
    int64_t id;

    (void)state;
    prices.sims[1].limits.spend_per_day_micro = 60000;
    set_prices(rig, &prices, cheap_and_dear, 2);
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    id = rig_submit(rig, (struct rig_text){ .text = "once" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 41);   /* temporary failure */
    rig_commit(rig);
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig->sent[1].slot, 0);
    rig_result(rig, 1, GATEWAY_SENT, 7, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    /* What was refused was not charged: the cheap one has as much to spend as before. */
    rig_submit(rig, (struct rig_text){ .text = "again" });
    assert_int_equal(rig->sent_count, 3);
    assert_int_equal(rig->sent[2].slot, 1);
    rig_free(rig);
    prices_done(&prices);
}

static void what_a_sim_may_send_a_day_holds_over_a_restart(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    prices.sims[0].limits.per_day = 2;
    set_prices(rig, &prices, "plan,currency,prefix,price\np0,EUR,*,0.10\n", 1);
    rig_modem(rig, 0);
    for (int i = 0; i < 2; i++) {
        rig_submit(rig, (struct rig_text){ .text = "part" });
        assert_int_equal(rig->sent_count, i + 1);
        rig_result(rig, (size_t)i, GATEWAY_SENT, i, -1);
        rig_commit(rig);
    }
    rig_restart(rig);
    assert_int_equal(gateway_set_routing(rig->gateway, &prices.routing, rig->now), 0);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "one more", .expire_in_ms = 3 * 86400000 });
    assert_int_equal(rig->sent_count, 0);
    rig_pass_ms(rig, 86400000);
    rig_pass_ms(rig, 7200000);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
    prices_done(&prices);
}

static void an_intent_that_is_taken_back_leaves_room_for_another(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    rig->prefetch_at_once = true;
    rig_restart(rig);
    prices.sims[0].limits.per_day = 2;
    set_prices(rig, &prices, "plan,currency,prefix,price\np0,EUR,*,0.10\n", 1);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "on the air" });
    rig_submit(rig, (struct rig_text){ .text = "behind it" });
    gateway_slot_ready(rig->gateway, 0, false, rig->now);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    gateway_slot_ready(rig->gateway, 0, true, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->sent_count, 2);
    rig_result(rig, 1, GATEWAY_SENT, 2, -1);
    rig_commit(rig);
    rig_submit(rig, (struct rig_text){ .text = "one more" });
    assert_int_equal(rig->sent_count, 2);
    rig_free(rig);
    prices_done(&prices);
}

static void new_tariffs_count_for_what_waits_already(void **state)
{
    struct rig *rig = rig_new();
    struct prices before = { 0 }, after = { 0 };

    (void)state;
    set_prices(rig, &before, cheap_and_dear, 2);
    rig_submit(rig, (struct rig_text){ .text = "waits for a modem" });
    set_prices(rig, &after, "plan,currency,prefix,price\np0,EUR,*,0.01\np1,EUR,*,0.05\n", 2);
    rig_modem(rig, 1);
    assert_int_equal(rig->sent_count, 1);   /* the only one that is there */
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "next" });
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig->sent[1].slot, 0);
    assert_int_equal(ask_number(rig, "SELECT price_micro FROM attempt ORDER BY id DESC LIMIT 1"), 10000);
    rig_free(rig);
    prices_done(&before);
    prices_done(&after);
}

static void a_sim_that_moved_to_another_modem_keeps_what_it_has_used(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };
    struct change_sim sim = { .sim_id = 0 };

    (void)state;
    prices.sims[0].limits.per_day = 1;
    set_prices(rig, &prices, "plan,currency,prefix,price\np0,EUR,*,0.10\n", 1);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "the only one today" });
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    gateway_slot_ready(rig->gateway, 0, false, rig->now);
    (void)snprintf(sim.iccid, sizeof sim.iccid, CARD, 0);
    (void)snprintf(sim.imei, sizeof sim.imei, "350000000009999");
    gateway_slot_sim(rig->gateway, 3, "other port", &sim, rig->now);
    gateway_slot_ready(rig->gateway, 3, true, rig->now);
    rig_commit(rig);
    rig_submit(rig, (struct rig_text){ .text = "too many" });
    assert_int_equal(rig->sent_count, 1);
    gateway_slot_ready(rig->gateway, 0, true, rig->now);   /* its old modem does not have it any more */
    rig_commit(rig);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
    prices_done(&prices);
}

/* A message in three parts by a SIM that must rest ten seconds between parts. */
static void parts_of_a_message_keep_the_gap_too(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    prices.sims[0].limits.gap_ms = 10000;
    set_prices(rig, &prices, "plan,currency,prefix,price\np0,EUR,*,0.10\n", 1);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "aaabbbccc", .parts = 3, .cuts = { 3, 3, 3 } });
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rig->sent_count, i + 1);
        rig_pass_ms(rig, 2000);
        rig_result(rig, i, GATEWAY_SENT, (int)i, -1);
        rig_commit(rig);
        rig_pass_ms(rig, 7000);
        assert_int_equal(rig->sent_count, i + 1);
        rig_pass_ms(rig, 1100);
    }
    rig_free(rig);
    prices_done(&prices);
}

/* -- what operators say ---------------------------------------------------------------------------------------- */

static void hear(struct rig *rig, int card, bool has_balance, int64_t balance_micro, bool has_parts, int32_t parts)
{
    struct store_change *change = change_new(CHANGE_BALANCE, rig->now.wall_ms);

    (void)snprintf(change->u.balance.iccid, sizeof change->u.balance.iccid, CARD, card);
    (void)snprintf(change->u.balance.source, sizeof change->u.balance.source, "ussd");
    change->u.balance.has_balance = has_balance;
    change->u.balance.balance_micro = balance_micro;
    memcpy(change->u.balance.currency, "EUR", 4);
    change->u.balance.has_parts = has_parts;
    change->u.balance.rest_parts = parts;
    change->u.balance.answer = strdup("as it came");
    gateway_submit(rig->gateway, change, rig->now);
    rig_commit(rig);
}

static void a_sim_without_credit_leaves_its_parts_to_another(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    set_prices(rig, &prices, "kind,plan,currency,prefix,price,prefixes,name,parts,period\nprice,p0,EUR,*,0.10,,,,\nprice,p1,EUR,*,0.05,,,,\n"
                             "bundle,p1,,,,40,b,100,month\n", 2);
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    hear(rig, 1, true, 20000, true, 0);   /* two cents, and nothing left in the bundle */
    rig_submit(rig, (struct rig_text){ .text = "too dear for it" });
    assert_int_equal(rig->sent[0].slot, 0);
    hear(rig, 1, false, 0, true, 5);
    rig_submit(rig, (struct rig_text){ .text = "in the bundle" });
    assert_int_equal(rig->sent[1].slot, 1);
    hear(rig, 7, true, 1, true, 1);       /* of a card that is not here; the store does not know it */
    rig_free(rig);
    prices_done(&prices);
}

/* -- conversations ---------------------------------------------------------------------------------------------- */

static void a_conversation_stays_with_its_sim(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    prices.routing.sticky = true;
    set_prices(rig, &prices, cheap_and_dear, 2);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "by the dear one, as it is alone" });
    assert_int_equal(rig->sent[0].slot, 0);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    rig_modem(rig, 1);
    rig_submit(rig, (struct rig_text){ .text = "goes on by it" });
    assert_int_equal(rig->sent[1].slot, 0);
    rig_submit(rig, (struct rig_text){ .text = "to another", .to = "+40700000002" });
    assert_int_equal(rig->sent[2].slot, 1);
    rig_free(rig);
    prices_done(&prices);
}

static void a_route_says_whether_its_conversations_stay(void **state)
{
    static struct table_notes notes;
    static const char routes[] = "prefix,sticky\n407,yes\n331,no\n";
    struct table_file file = { "r.csv", routes, sizeof routes - 1 };
    struct rig *rig = rig_new();
    struct prices prices = { 0 };
    static const char *const numbers[] = { "+40700000001", "+33100000001" };

    (void)state;
    prices.routing.sticky = true;
    set_prices(rig, &prices, cheap_and_dear, 2);
    route_free(prices.routing.routes);
    assert_int_equal(route_parse(&file, 1, &prices.routing.routes, &notes), 0);
    assert_int_equal(gateway_set_routing(rig->gateway, &prices.routing, rig->now), 0);
    rig_modem(rig, 0);
    for (size_t i = 0; i < 2; i++) {
        rig_submit(rig, (struct rig_text){ .text = "by the dear one, as it is alone", .to = numbers[i] });
        rig_result(rig, i, GATEWAY_SENT, (int)i, -1);
        rig_commit(rig);
    }
    rig_modem(rig, 1);
    rig_submit(rig, (struct rig_text){ .text = "stays", .to = numbers[0] });
    assert_int_equal(rig->sent[2].slot, 0);
    rig_submit(rig, (struct rig_text){ .text = "does not", .to = numbers[1] });
    assert_int_equal(rig->sent[3].slot, 1);
    rig_free(rig);
    prices_done(&prices);
}

/* -- what changes while parts are under way ---------------------------------------------------------------------- */

static void new_tariffs_in_the_middle_of_a_message_lose_nothing(void **state)
{
    struct rig *rig = rig_new();
    struct prices before = { 0 }, after = { 0 };
    int64_t id;

    (void)state;
    rig->prefetch_at_once = true;
    rig_restart(rig);
    set_prices(rig, &before, "kind,plan,currency,prefix,price,prefixes,name,parts,period\nprice,p0,EUR,*,0.10,,,,\nbundle,p0,,,,40,b,2,month\n", 1);
    rig_modem(rig, 0);
    rig_modem(rig, 2);                   /* without a tariff: it takes nothing */
    id = rig_submit(rig, (struct rig_text){ .text = "aaabbbccc", .parts = 3, .cuts = { 3, 3, 3 } });
    rig_submit(rig, (struct rig_text){ .text = "next", .to = "+40700000002" });
    set_prices(rig, &after, "plan,currency,prefix,price\np0,EUR,*,0.20\n", 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rig->sent_count, i + 1);
        assert_int_equal(rig->sent[i].slot, 0);
        rig_result(rig, i, GATEWAY_SENT, (int)i, -1);
        rig_commit(rig);
    }
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    assert_int_equal(ask_number(rig, "SELECT price_micro FROM attempt ORDER BY id DESC LIMIT 1"), 200000);
    rig_free(rig);
    prices_done(&before);
    prices_done(&after);
}

static void prices_of_a_new_day_hold_for_what_waits(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };
    char tariffs[256], from[DATE_CHARS], until[DATE_CHARS];
    int32_t today = (int32_t)(rig->now.wall_ms / 86400000);

    (void)state;
    date_format(today, until);
    date_format(today + 1, from);
    (void)snprintf(tariffs, sizeof tariffs, "plan,currency,prefix,price,valid_from,valid_until\np0,EUR,*,0.10,,%s\np0,EUR,*,0.20,%s,\n", until, from);
    set_prices(rig, &prices, tariffs, 1);
    rig_submit(rig, (struct rig_text){ .text = "waits", .expire_in_ms = 3 * 86400000 });
    rig_pass_ms(rig, 86400000);
    rig_modem(rig, 0);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(ask_number(rig, "SELECT price_micro FROM attempt"), 200000);
    rig_free(rig);
    prices_done(&prices);
}

/* Nobody may forget that a clock was set: what was used today by the old one counts on. */
static void a_clock_that_is_set_makes_no_room_and_that_is_on_disk_at_once(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    prices.sims[0].limits.per_day = 1;
    set_prices(rig, &prices, "plan,currency,prefix,price\np0,EUR,*,0.10\n", 1);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "the only one" });
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    assert_int_equal(ask_number(rig, "SELECT count(*) FROM sim_use"), 1);
    rig->now.wall_ms += 86400000;        /* set a day ahead */
    rig_submit(rig, (struct rig_text){ .text = "not today" });
    rig_pass_ms(rig, 1000);
    assert_int_equal(rig->sent_count, 1);
    gateway_clock_is_right(rig->gateway, rig->now);
    rig_pass_ms(rig, 1000);
    rig_free(rig);
    prices_done(&prices);
}

static void a_sim_that_is_abroad_does_not_send_where_it_may_not(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    prices.sims[1].limits.roaming_refused = true;
    set_prices(rig, &prices, cheap_and_dear, 2);
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    gateway_slot_air(rig->gateway, 1, true, -90);
    gateway_slot_air(rig->gateway, 9, true, -90);   /* no such slot */
    rig_submit(rig, (struct rig_text){ .text = "by the one at home" });
    assert_int_equal(rig->sent[0].slot, 0);
    assert_int_equal(gateway_slot_bearer(rig->gateway, 9), CHOOSER_NO_BEARER);
    assert_int_not_equal(gateway_slot_bearer(rig->gateway, 1), CHOOSER_NO_BEARER);
    rig_free(rig);
    prices_done(&prices);
}

static void recipients_that_were_written_to_are_known_after_a_restart(void **state)
{
    struct rig *rig = rig_new();
    struct prices prices = { 0 };

    (void)state;
    prices.sims[0].limits.recipients_per_day = 1;
    set_prices(rig, &prices, "plan,currency,prefix,price\np0,EUR,*,0.10\n", 1);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "first" });
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    rig_restart(rig);
    assert_int_equal(gateway_set_routing(rig->gateway, &prices.routing, rig->now), 0);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "to a new one", .to = "+40700000002" });
    assert_int_equal(rig->sent_count, 0);
    rig_submit(rig, (struct rig_text){ .text = "to the known one" });
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
    prices_done(&prices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_goes_by_the_cheaper_sim_and_its_price_is_written_down_with_its_intent),
        cmocka_unit_test(a_part_that_one_sim_refuses_for_a_while_goes_by_another_at_once_and_is_charged_once),
        cmocka_unit_test(what_a_sim_may_send_a_day_holds_over_a_restart),
        cmocka_unit_test(an_intent_that_is_taken_back_leaves_room_for_another),
        cmocka_unit_test(new_tariffs_count_for_what_waits_already),
        cmocka_unit_test(a_sim_that_moved_to_another_modem_keeps_what_it_has_used),
        cmocka_unit_test(parts_of_a_message_keep_the_gap_too),
        cmocka_unit_test(a_sim_without_credit_leaves_its_parts_to_another),
        cmocka_unit_test(a_conversation_stays_with_its_sim),
        cmocka_unit_test(a_route_says_whether_its_conversations_stay),
        cmocka_unit_test(new_tariffs_in_the_middle_of_a_message_lose_nothing),
        cmocka_unit_test(prices_of_a_new_day_hold_for_what_waits),
        cmocka_unit_test(a_clock_that_is_set_makes_no_room_and_that_is_on_disk_at_once),
        cmocka_unit_test(a_sim_that_is_abroad_does_not_send_where_it_may_not),
        cmocka_unit_test(recipients_that_were_written_to_are_known_after_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
