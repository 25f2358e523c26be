/* SPDX-License-Identifier: Apache-2.0
 *
 * The edges of the choice: currencies, ported numbers, short codes, no tariffs at all, more classes than there is room for. */
#include "tests/unit/choice/rig.h"

#define FIRST "8900000000000000001"
#define SECOND "8900000000000000002"

static struct chooser_judgement judge(struct rig *rig, uint16_t bearer, const char *number, bool short_code, uint8_t parts)
{
    struct queue_item item = rig_item(rig, number, 0);

    item.short_code = short_code;
    item.parts = parts;
    item.class_id = chooser_classify(rig->chooser, &item, rig->now);
    return chooser_judge(rig->chooser, bearer, &item, rig->now);
}

static void prices_of_other_currencies_are_compared_by_their_rate(void **state)
{
    static struct table_notes notes;
    static const char rates[] = "from,to,rate\nUSD,EUR,0.9\n";
    struct table_file file = { "rates.csv", rates, sizeof rates - 1 };
    struct rig rig;
    uint16_t euros, dollars, pounds;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, "plan,currency,prefix,price\neuros,EUR,*,0.095\ndollars,USD,*,0.10\npounds,GBP,*,0.01\n");
    assert_int_equal(rates_parse(&file, &rig.routing.rates, &notes), 0);
    (void)rig_sim(&rig, FIRST, "euros");
    (void)rig_sim(&rig, SECOND, "dollars");
    (void)rig_sim(&rig, "8900000000000000003", "pounds");
    rig_start(&rig);
    euros = rig_bearer(&rig, FIRST);
    dollars = rig_bearer(&rig, SECOND);
    pounds = rig_bearer(&rig, "8900000000000000003");
    assert_int_equal(judge(&rig, dollars, "33612345678", false, 1).price_micro, 90000);
    assert_int_equal(judge(&rig, pounds, "33612345678", false, 1).verdict, CHOOSER_NO_PRICE);   /* no rate: it cannot be compared */
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, euros), 0);
    assert_int_not_equal(rig_take(&rig, dollars), 0);
    assert_int_equal(chooser_convert(rig.chooser, 1000000, "USD"), 900000);
    assert_int_equal(chooser_convert(rig.chooser, 1000000, "GBP"), -1);
    assert_int_equal(chooser_convert(rig.chooser, -1, "EUR"), -1);
    rig_done(&rig);
}

static void a_ported_number_costs_what_its_new_network_costs(void **state)
{
    static struct table_notes notes;
    static const char numbers[] = "number,as\n33612345678,33799\n";
    struct table_file file = { "numbers.csv", numbers, sizeof numbers - 1 };
    struct rig rig;
    uint16_t only;

    (void)state;
    rig_init(&rig);
    rig_routes(&rig, "prefix,max_price\n336,0.06\n");
    rig_tariffs(&rig, "plan,currency,prefix,price\np,EUR,336,0.05\np,EUR,337,0.07\n");
    assert_int_equal(override_parse(&file, 1, &rig.routing.overrides, &notes), 0);
    (void)rig_sim(&rig, FIRST, "p");
    rig_start(&rig);
    only = rig_bearer(&rig, FIRST);
    assert_int_equal(judge(&rig, only, "33612345679", false, 1).price_micro, 50000);
    assert_int_equal(judge(&rig, only, "33612345678", false, 1).price_micro, 70000);
    assert_int_equal(judge(&rig, only, "33612345678", false, 1).verdict, CHOOSER_TOO_DEAR);   /* its route is that of the number itself */
    assert_int_equal(judge(&rig, only, "33612345679", false, 1).verdict, CHOOSER_MAY);
    rig_done(&rig);
}

static void a_short_code_costs_what_any_number_costs_and_has_routes_of_its_own(void **state)
{
    struct rig rig;
    uint16_t only;

    (void)state;
    rig_init(&rig);
    rig_routes(&rig, "prefix,action,note\nshort:81,refuse,games\n");
    rig_tariffs(&rig, "plan,currency,prefix,price\np,EUR,*,0.50\np,EUR,80,0.01\n");
    (void)rig_sim(&rig, FIRST, "p");
    rig_start(&rig);
    only = rig_bearer(&rig, FIRST);
    assert_int_equal(judge(&rig, only, "8012", true, 1).price_micro, 500000);
    assert_int_equal(judge(&rig, only, "8112", true, 1).verdict, CHOOSER_REFUSED);
    assert_int_equal(judge(&rig, only, "8012345678", false, 1).price_micro, 10000);
    rig_done(&rig);
}

static void without_tariffs_every_card_costs_the_same_and_limits_hold(void **state)
{
    struct rig rig;
    struct chooser_judgement judgement;
    uint16_t first, second;

    (void)state;
    rig_init(&rig);
    rig_sim(&rig, FIRST, "")->limits.per_hour = 1;
    rig_start(&rig);
    first = rig_bearer(&rig, FIRST);
    second = rig_bearer(&rig, SECOND);
    for (int i = 0; i < 3; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, first), 1);
    assert_int_equal(rig_take(&rig, first), 0);
    assert_int_equal(rig_take(&rig, second), 2);
    judgement = judge(&rig, second, "33612345678", false, 1);
    assert_int_equal(judgement.verdict, CHOOSER_MAY);
    assert_int_equal(judgement.price_micro, -1);
    assert_int_equal(chooser_configure(rig.chooser, NULL, rig.now), 0);   /* nothing is configured any more */
    assert_int_equal(judge(&rig, first, "33612345678", false, 1).verdict, CHOOSER_MAY);
    assert_null(chooser_route(rig.chooser, &(struct queue_item){ .to_key = 1 }));
    assert_int_equal(chooser_convert(rig.chooser, 1, "EUR"), -1);
    rig_done(&rig);
}

static void patience_is_that_of_the_route_or_of_the_configuration(void **state)
{
    struct rig rig;
    struct queue_item home, abroad;

    (void)state;
    rig_init(&rig);
    rig.routing.patience_s = 30;
    rig_routes(&rig, "prefix,patience\n33,10m\n");
    rig_start(&rig);
    home = rig_item(&rig, "33612345678", 0);
    abroad = rig_item(&rig, "40712345678", 0);
    assert_int_equal(chooser_patience_s(rig.chooser, &home), 600);
    assert_int_equal(chooser_patience_s(rig.chooser, &abroad), 30);
    rig_done(&rig);
}

static void the_best_card_is_found_past_those_whose_limits_speak_against_it(void **state)
{
    struct rig rig;
    struct queue_item item;
    struct chooser_judgement judgement;
    uint16_t bearers[3];

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, "plan,currency,prefix,price\np1,EUR,*,0.01\np2,EUR,*,0.02\np3,EUR,*,0.03\n");
    rig_sim(&rig, FIRST, "p1")->limits.per_day = 2;
    rig_sim(&rig, SECOND, "p2")->limits.recipients_per_month = 1;
    (void)rig_sim(&rig, "8900000000000000003", "p3");
    rig_start(&rig);
    bearers[0] = rig_bearer(&rig, FIRST);
    bearers[1] = rig_bearer(&rig, SECOND);
    bearers[2] = rig_bearer(&rig, "8900000000000000003");
    item = rig_item(&rig, "33612345678", 0);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_best(rig.chooser, &item, rig.now, &judgement), bearers[0]);
    assert_int_equal(judgement.price_micro, 10000);
    item.parts = 3;                      /* more than the first may send a day */
    assert_int_equal(chooser_best(rig.chooser, &item, rig.now, &judgement), bearers[1]);
    assert_int_equal(judgement.price_micro, 60000);
    chooser_recipient(rig.chooser, bearers[1], &(struct sim_recipient){ .key = 5, .day = (int32_t)(rig.now.wall_ms / 86400000),
                                                                        .month = (int32_t)(RIG_WALL_MS / 86400000) - 17 });
    chooser_bearer_state(rig.chooser, bearers[2], true, true, rig.now.mono_ms + 1);
    judgement.verdict = CHOOSER_AWAY;
    chooser_bearer_state(rig.chooser, bearers[0], false, false, 0);
    (void)chooser_best(rig.chooser, &item, rig.now, &judgement);
    chooser_bearer_close(rig.chooser, bearers[1]);
    assert_int_equal(chooser_best(rig.chooser, &item, rig.now, &judgement), CHOOSER_NO_BEARER);
    rig_pass(&rig, 10);
    assert_int_equal(chooser_best(rig.chooser, &item, rig.now, &judgement), bearers[2]);
    rig_done(&rig);
}

static void a_card_with_a_weak_signal_comes_after_its_equal(void **state)
{
    struct rig rig;
    uint16_t weak, strong;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    weak = rig_bearer(&rig, FIRST);
    strong = rig_bearer(&rig, SECOND);
    chooser_bearer_air(rig.chooser, weak, true, -111);
    chooser_bearer_air(rig.chooser, strong, false, -60);
    for (int i = 1; i <= 3; i++) {
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 0));
        assert_int_equal(rig_take(&rig, weak), 0);
        assert_int_equal(rig_take(&rig, strong), i);
    }
    rig_done(&rig);
}

/* After ten minutes classes that nobody uses any more make room. */
static void classes_that_ran_out_are_made_anew_after_a_while(void **state)
{
    struct rig rig;
    struct queue_item item;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    for (uint32_t patience_s = 0; patience_s <= CHOOSER_CLASSES_MAX; patience_s++) {
        item = rig_item(&rig, "33612345678", patience_s);
        item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    }
    assert_int_equal(item.class_id, CHOOSER_MIXED);
    assert_false(chooser_stale(rig.chooser, rig.now));
    rig_pass(&rig, 700000);
    assert_int_equal(chooser_classify(rig.chooser, &item, rig.now), CHOOSER_MIXED);
    assert_true(chooser_stale(rig.chooser, rig.now));
    chooser_renew(rig.chooser, rig.now);
    assert_int_not_equal(chooser_classify(rig.chooser, &item, rig.now), CHOOSER_MIXED);
    rig_done(&rig);
}

/* What an earlier or a later version kept is not understood: it begins anew rather than not at all. */
static void what_was_kept_and_is_not_understood_begins_anew(void **state)
{
    struct rig rig;
    struct chooser_bearer_view view;
    uint16_t bearer;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    assert_int_equal(chooser_bearer_open(rig.chooser, ROUTE_SIM, FIRST, 1, "of the year 2040", rig.now, &bearer), 0);
    assert_true(chooser_bearer_view(rig.chooser, bearer, &view));
    assert_string_equal(view.id, FIRST);
    assert_int_equal(view.credit_micro, -1);
    chooser_bearer_close(rig.chooser, bearer);
    assert_false(chooser_bearer_view(rig.chooser, bearer, &view));
    assert_false(chooser_bearer_view(rig.chooser, 900, &view));
    chooser_result(rig.chooser, bearer, true, rig.now);   /* of a part that was under way: nobody is to blame any more */
    rig_done(&rig);
}

static void there_is_an_end_to_the_cards_that_may_be_there(void **state)
{
    struct rig rig;
    uint16_t bearer;

    (void)state;
    rig_init(&rig);
    rig_start(&rig);
    for (int i = 0; i < CHOOSER_BEARERS_MAX; i++)
        assert_int_equal(chooser_bearer_open(rig.chooser, ROUTE_SIM, FIRST, 1, NULL, rig.now, &bearer), 0);
    assert_int_equal(chooser_bearer_open(rig.chooser, ROUTE_SIM, FIRST, 1, NULL, rig.now, &bearer), -ENOSPC);
    chooser_bearer_close(rig.chooser, 7);
    assert_int_equal(chooser_bearer_open(rig.chooser, ROUTE_SIM, FIRST, 1, NULL, rig.now, &bearer), 0);
    assert_int_equal(bearer, 7);
    rig_done(&rig);
}

static void the_record_tells_the_cheapest_of_those_that_did_not_get_it(void **state)
{
    struct rig rig;
    struct chooser_taken taken;
    struct queue_item item;
    char *use_state, *record, tariffs[1024] = "plan,currency,prefix,price\n";

    (void)state;
    rig_init(&rig);
    for (int i = 0; i < 10; i++)
        (void)snprintf(tariffs + strlen(tariffs), sizeof tariffs - strlen(tariffs), "p%d,EUR,*,0.%02d\n", i, 50 - i);
    rig_tariffs(&rig, tariffs);
    for (int i = 0; i < 10; i++) {
        char iccid[24], plan[8];

        (void)snprintf(iccid, sizeof iccid, "89000000000000000%02d", i);
        (void)snprintf(plan, sizeof plan, "p%d", i);
        (void)rig_sim(&rig, iccid, plan);
    }
    rig.sims[9].limits.per_day = 1;
    rig_start(&rig);
    for (int i = 0; i < 10; i++)
        (void)rig_bearer(&rig, rig.sims[i].iccid);
    item = rig_item(&rig, "33612345678", 0);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_take(rig.chooser, 9, &item, 0, rig.now, &taken, &use_state, &record), 0);
    free(use_state);
    free(record);
    chooser_bearer_state(rig.chooser, 7, true, false, 0);
    assert_int_equal(chooser_take(rig.chooser, 8, &item, 0, rig.now, &taken, &use_state, &record), 0);
    assert_non_null(strstr(record, "\"bearers\":10"));
    assert_non_null(strstr(record, "\"bearer\":\"8900000000000000009\",\"price\":\"0.41\",\"verdict\":\"limit\",\"limit\":\"per_day\""));
    assert_non_null(strstr(record, "\"bearer\":\"8900000000000000007\",\"price\":\"0.43\",\"verdict\":\"busy\""));
    assert_null(strstr(record, "8900000000000000001"));   /* six are told */
    free(use_state);
    free(record);
    item.part_next = 1;
    item.parts = 2;
    assert_int_equal(chooser_take(rig.chooser, 8, &item, 0, rig.now, &taken, &use_state, &record), 0);
    assert_non_null(strstr(record, "follows its first part"));
    free(use_state);
    free(record);
    rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_of_other_currencies_are_compared_by_their_rate),
        cmocka_unit_test(a_ported_number_costs_what_its_new_network_costs),
        cmocka_unit_test(a_short_code_costs_what_any_number_costs_and_has_routes_of_its_own),
        cmocka_unit_test(without_tariffs_every_card_costs_the_same_and_limits_hold),
        cmocka_unit_test(patience_is_that_of_the_route_or_of_the_configuration),
        cmocka_unit_test(the_best_card_is_found_past_those_whose_limits_speak_against_it),
        cmocka_unit_test(a_card_with_a_weak_signal_comes_after_its_equal),
        cmocka_unit_test(classes_that_ran_out_are_made_anew_after_a_while),
        cmocka_unit_test(what_was_kept_and_is_not_understood_begins_anew),
        cmocka_unit_test(there_is_an_end_to_the_cards_that_may_be_there),
        cmocka_unit_test(the_record_tells_the_cheapest_of_those_that_did_not_get_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
