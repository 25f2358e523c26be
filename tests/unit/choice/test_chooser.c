/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/choice/rig.h"

#define CHEAP "8900000000000000001"
#define DEAR "8900000000000000002"
#define THIRD "8900000000000000003"

static const char two_plans[] = "plan,currency,prefix,price,next_part_price\n"
                                "cheap,EUR,33,0.05,\n"
                                "cheap,EUR,40,0.20,\n"
                                "dear,EUR,33,0.10,\n"
                                "dear,EUR,40,0.02,\n";

static void two_cards(struct rig *rig, uint16_t *ret_cheap, uint16_t *ret_dear)
{
    rig_tariffs(rig, two_plans);
    (void)rig_sim(rig, CHEAP, "cheap");
    (void)rig_sim(rig, DEAR, "dear");
    rig_start(rig);
    *ret_cheap = rig_bearer(rig, CHEAP);
    *ret_dear = rig_bearer(rig, DEAR);
}

static void a_message_goes_by_the_cheapest_that_is_idle(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 0));
    assert_int_equal(rig_take(&rig, dear), 0);
    assert_int_equal(rig_take(&rig, cheap), 1);
    (void)rig_put(&rig, rig_item(&rig, "40712345678", 0));
    assert_int_equal(rig_take(&rig, cheap), 0);
    assert_int_equal(rig_take(&rig, dear), 2);
    rig_done(&rig);
}

static void without_patience_it_goes_at_once_by_the_dearer_one(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    chooser_bearer_state(rig.chooser, cheap, true, false, 0);   /* busy */
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 0));
    assert_int_equal(rig_take(&rig, dear), 1);
    rig_done(&rig);
}

static void with_patience_it_waits_for_the_cheaper_one_and_no_longer(void **state)
{
    struct rig rig;
    struct queue_item got;
    uint16_t cheap, dear;
    uint64_t retry_ms;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    chooser_bearer_state(rig.chooser, cheap, true, false, 0);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_false(chooser_pick(rig.chooser, dear, &rig.queue, rig.now, &got, &retry_ms));
    assert_in_range(retry_ms, rig.now.mono_ms + 1, rig.now.mono_ms + 60000);
    rig_pass(&rig, 59000);
    assert_int_equal(rig_take(&rig, dear), 0);
    rig_pass(&rig, 1000);
    assert_int_equal(rig_take(&rig, dear), 1);
    rig_done(&rig);
}

static void nobody_waits_for_a_card_that_cannot_come_in_time(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    chooser_bearer_state(rig.chooser, cheap, true, false, rig.now.mono_ms + 120000);   /* it rests */
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, dear), 1);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 300));
    assert_int_equal(rig_take(&rig, dear), 0);   /* for that one it comes in time */
    chooser_bearer_state(rig.chooser, cheap, false, false, 0);   /* it is gone */
    assert_int_equal(rig_take(&rig, dear), 2);
    rig_done(&rig);
}

static void what_must_wait_does_not_hold_up_what_may_go(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    chooser_bearer_state(rig.chooser, cheap, true, false, 0);
    for (int i = 0; i < 5; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    (void)rig_put(&rig, rig_item(&rig, "40712345678", 60));
    assert_int_equal(rig_take(&rig, dear), 6);
    assert_int_equal(rig_take(&rig, dear), 0);
    rig_done(&rig);
}

static void a_bundle_makes_the_dearer_card_the_cheapest_until_it_is_used_up(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, "kind,plan,currency,prefix,price,prefixes,name,parts,period\n"
                      "price,cheap,EUR,33,0.05,,,,\n"
                      "price,dear,EUR,33,0.10,,,,\n"
                      "bundle,dear,,,,336,two,2,month\n");
    (void)rig_sim(&rig, CHEAP, "cheap");
    (void)rig_sim(&rig, DEAR, "dear");
    rig_start(&rig);
    cheap = rig_bearer(&rig, CHEAP);
    dear = rig_bearer(&rig, DEAR);
    for (int i = 0; i < 2; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, cheap), 0);
    assert_int_equal(rig_take(&rig, dear), 1);
    assert_int_equal(rig_take(&rig, dear), 2);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, dear), 0);
    assert_int_equal(rig_take(&rig, cheap), 3);
    (void)rig_put(&rig, rig_item(&rig, "33712345678", 60));   /* not in the bundle */
    assert_int_equal(rig_take(&rig, dear), 0);
    rig_done(&rig);
}

static void a_message_of_three_parts_does_not_begin_in_a_bundle_with_room_for_two(void **state)
{
    struct rig rig;
    struct queue_item item;
    struct chooser_judgement judgement;
    uint16_t only;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, "kind,plan,currency,prefix,price,next_part_price,prefixes,name,parts,period\n"
                      "price,plan,EUR,33,0.10,0.07,,,,\n"
                      "bundle,plan,,,,,33,two,2,month\n");
    (void)rig_sim(&rig, CHEAP, "plan");
    rig_start(&rig);
    only = rig_bearer(&rig, CHEAP);
    item = rig_item(&rig, "33612345678", 0);
    item.parts = 3;
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    judgement = chooser_judge(rig.chooser, only, &item, rig.now);
    assert_int_equal(judgement.verdict, CHOOSER_MAY);
    assert_int_equal(judgement.price_micro, 240000);
    assert_null(judgement.bundle);
    item.parts = 2;
    judgement = chooser_judge(rig.chooser, only, &item, rig.now);
    assert_int_equal(judgement.price_micro, 0);
    assert_non_null(judgement.bundle);
    assert_int_equal(judgement.list_micro, 170000);
    rig_done(&rig);
}

static void cards_that_cost_the_same_take_turns(void **state)
{
    struct rig rig;
    uint16_t bearers[3];
    int taken[3] = { 0 };

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, two_plans);
    (void)rig_sim(&rig, CHEAP, "cheap");
    (void)rig_sim(&rig, DEAR, "cheap");
    (void)rig_sim(&rig, THIRD, "cheap");
    rig_start(&rig);
    bearers[0] = rig_bearer(&rig, CHEAP);
    bearers[1] = rig_bearer(&rig, DEAR);
    bearers[2] = rig_bearer(&rig, THIRD);
    for (int i = 0; i < 30; i++) {
        bool found = false;

        rig_pass(&rig, 1000);
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 0));
        for (int k = 0; k < 3 && !found; k++)
            if (rig_take(&rig, bearers[k]) != 0) {
                taken[k]++;
                found = true;
            }
        assert_true(found);
    }
    for (int k = 0; k < 3; k++)
        assert_int_equal(taken[k], 10);
    rig_done(&rig);
}

static void a_card_whose_parts_are_refused_comes_after_one_that_works(void **state)
{
    struct rig rig;
    uint16_t bad, good;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, two_plans);
    (void)rig_sim(&rig, CHEAP, "cheap");
    (void)rig_sim(&rig, DEAR, "cheap");
    rig_start(&rig);
    bad = rig_bearer(&rig, CHEAP);
    good = rig_bearer(&rig, DEAR);
    for (int i = 0; i < 8; i++) {
        chooser_result(rig.chooser, bad, i % 2 == 0, rig.now);
        chooser_result(rig.chooser, good, false, rig.now);
    }
    for (int i = 0; i < 5; i++) {
        rig_pass(&rig, 1000);
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 0));
        assert_int_equal(rig_take(&rig, bad), 0);
        assert_int_equal(rig_take(&rig, good), i + 1);
    }
    rig_done(&rig);
}

static void what_failed_by_one_card_goes_by_another(void **state)
{
    struct rig rig;
    struct queue_item item;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    item = rig_item(&rig, "33612345678", 3600);
    item.avoid_sim_id = 1;               /* the cheap one's */
    item.avoid_until_s = (uint32_t)(rig.now.wall_ms / 1000) + QUEUE_AVOID_S;
    (void)rig_put(&rig, item);
    assert_int_equal(rig_take(&rig, cheap), 0);
    assert_int_equal(rig_take(&rig, dear), 1);
    item.id = rig.next_id++;
    (void)rig_put(&rig, item);
    chooser_bearer_state(rig.chooser, dear, false, false, 0);
    assert_int_equal(rig_take(&rig, cheap), 2);   /* there is no other one */
    chooser_bearer_state(rig.chooser, dear, true, false, 0);
    item.id = rig.next_id++;
    (void)rig_put(&rig, item);
    assert_int_equal(rig_take(&rig, cheap), 0);
    rig_pass(&rig, QUEUE_AVOID_S * 1000);
    assert_int_equal(rig_take(&rig, cheap), 3);   /* the other one did not come */
    rig_done(&rig);
}

static void a_conversation_keeps_its_card_while_that_one_can(void **state)
{
    struct rig rig;
    struct queue_item item;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    item = rig_item(&rig, "33612345678", 60);
    item.sticky_sim_id = 2;              /* the dear one's */
    (void)rig_put(&rig, item);
    assert_int_equal(rig_take(&rig, cheap), 0);
    assert_int_equal(rig_take(&rig, dear), 1);
    item.id = rig.next_id++;
    (void)rig_put(&rig, item);
    chooser_bearer_state(rig.chooser, dear, false, false, 0);
    assert_int_equal(rig_take(&rig, cheap), 2);
    rig_done(&rig);
}

static void routes_leave_out_forbid_and_prefer(void **state)
{
    struct rig rig;
    struct queue_item item;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    rig_routes(&rig, "prefix,bearers,deny,prefer,action,max_price,note\n"
                     "336,,sim:" CHEAP ",,,,\n"
                     "337,sim:" DEAR ",,,,,\n"
                     "338,,,sim:" DEAR ",,,\n"
                     "339,,,,refuse,,services\n"
                     "335,,,,,0.04,\n");
    two_cards(&rig, &cheap, &dear);
    for (int i = 0; i < 3; i++) {
        static const char *const numbers[] = { "33612345678", "33712345678", "33812345678" };

        (void)rig_put(&rig, rig_item(&rig, numbers[i], 60));
        assert_int_equal(rig_take(&rig, cheap), 0);
        assert_int_equal(rig_take(&rig, dear), i + 1);
    }
    item = rig_item(&rig, "33912345678", 0);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_judge(rig.chooser, cheap, &item, rig.now).verdict, CHOOSER_REFUSED);
    item = rig_item(&rig, "33512345678", 0);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_judge(rig.chooser, cheap, &item, rig.now).verdict, CHOOSER_TOO_DEAR);
    item = rig_item(&rig, "33612345678", 0);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_judge(rig.chooser, cheap, &item, rig.now).verdict, CHOOSER_DENIED);
    rig_done(&rig);
}

static void a_number_without_a_price_is_not_taken_for_free(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    (void)rig_put(&rig, rig_item(&rig, "12025550123", 0));
    assert_int_equal(rig_take(&rig, cheap), 0);
    assert_int_equal(rig_take(&rig, dear), 0);
    rig_done(&rig);
}

static void a_limit_that_is_reached_sends_the_rest_by_the_next_card(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, two_plans);
    rig_sim(&rig, CHEAP, "cheap")->limits.per_day = 3;
    (void)rig_sim(&rig, DEAR, "dear");
    rig_start(&rig);
    cheap = rig_bearer(&rig, CHEAP);
    dear = rig_bearer(&rig, DEAR);
    for (int i = 0; i < 5; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rig_take(&rig, dear), 0);
        assert_int_equal(rig_take(&rig, cheap), i + 1);
    }
    assert_int_equal(rig_take(&rig, cheap), 0);
    assert_int_equal(rig_take(&rig, dear), 4);
    assert_int_equal(rig_take(&rig, dear), 5);
    rig_done(&rig);
}

/* A day has more messages with patience than the cheap card may send; the last of them still wait for its new day. */
static void a_message_with_much_patience_waits_for_the_new_day(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, two_plans);
    rig_sim(&rig, CHEAP, "cheap")->limits.per_day = 1;
    (void)rig_sim(&rig, DEAR, "dear");
    rig_start(&rig);
    cheap = rig_bearer(&rig, CHEAP);
    dear = rig_bearer(&rig, DEAR);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 2 * 86400));
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 2 * 86400));
    assert_int_equal(rig_take(&rig, cheap), 1);
    for (int hour = 0; hour < 30; hour++) {
        if (rig_take(&rig, cheap) == 2)
            break;
        assert_int_equal(rig_take(&rig, dear), 0);
        rig_pass(&rig, 3600000);
        assert_true(hour < 29);
    }
    rig_done(&rig);
}

/* One recipient more than it may write to: others go by another card, whom it knows it may write to again. */
static void known_recipients_may_be_written_to_beyond_the_limit_of_new_ones(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, two_plans);
    rig_sim(&rig, CHEAP, "cheap")->limits.recipients_per_day = 1;
    (void)rig_sim(&rig, DEAR, "dear");
    rig_start(&rig);
    cheap = rig_bearer(&rig, CHEAP);
    dear = rig_bearer(&rig, DEAR);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, cheap), 1);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, cheap), 2);
    (void)rig_put(&rig, rig_item(&rig, "33687654321", 60));
    assert_int_equal(rig_take(&rig, cheap), 0);
    assert_int_equal(rig_take(&rig, dear), 3);
    rig_done(&rig);
}

static void a_message_of_more_parts_than_a_minute_may_have_takes_longer(void **state)
{
    struct rig rig;
    struct queue_item item;
    uint16_t cheap;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, two_plans);
    rig_sim(&rig, CHEAP, "cheap")->limits.per_minute = 3;
    rig.sims[0].limits.per_day = 10;
    rig_start(&rig);
    cheap = rig_bearer(&rig, CHEAP);
    item = rig_item(&rig, "33612345678", 0);
    item.parts = 5;
    (void)rig_put(&rig, item);
    assert_int_equal(rig_take(&rig, cheap), 1);
    item.id = rig.next_id++;
    item.parts = 11;                     /* more than a day may have: not by this card */
    (void)rig_put(&rig, item);
    rig_pass(&rig, 3600000);
    assert_int_equal(rig_take(&rig, cheap), 0);
    rig_done(&rig);
}

/* As operators say it on a USSD code. */
static void what_the_operator_says_is_left_bounds_what_may_be_charged(void **state)
{
    struct rig rig;
    struct queue_item item;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    chooser_bearer_balance(rig.chooser, cheap, 120000, -1, rig.now);   /* two parts of five cents, and two cents */
    for (int i = 0; i < 2; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, dear), 0);
    assert_int_equal(rig_take(&rig, cheap), 1);
    assert_int_equal(rig_take(&rig, cheap), 2);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    assert_int_equal(rig_take(&rig, cheap), 0);
    assert_int_equal(rig_take(&rig, dear), 3);
    item = rig_item(&rig, "33612345678", 60);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_judge(rig.chooser, cheap, &item, rig.now).verdict, CHOOSER_NO_CREDIT);
    chooser_bearer_balance(rig.chooser, cheap, 10000000, -1, rig.now);   /* somebody paid */
    assert_int_equal(chooser_judge(rig.chooser, cheap, &item, rig.now).verdict, CHOOSER_MAY);
    rig_done(&rig);
}

/* Two cards of one modem: five cents to change to the other one, which is cheaper by three. */
static void a_card_is_changed_for_as_many_messages_as_make_up_for_it(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, "plan,currency,prefix,price\ncheap,EUR,33,0.05\ndear,EUR,33,0.08\n");
    (void)rig_sim(&rig, CHEAP, "cheap");
    (void)rig_sim(&rig, DEAR, "dear");
    rig_start(&rig);
    cheap = rig_bearer(&rig, CHEAP);
    dear = rig_bearer(&rig, DEAR);
    chooser_bearer_switch(rig.chooser, cheap, 50000);
    chooser_bearer_state(rig.chooser, cheap, true, false, 0);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 600));
    assert_int_equal(rig_take(&rig, dear), 1);
    for (int i = 0; i < 4; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 600));
    assert_int_equal(rig_take(&rig, dear), 0);
    chooser_bearer_switch(rig.chooser, cheap, 0);   /* it was changed */
    chooser_bearer_switch(rig.chooser, dear, 50000);
    chooser_bearer_state(rig.chooser, cheap, true, true, 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(rig_take(&rig, cheap), 2 + i);
    rig_done(&rig);
}

static void a_shorter_message_passes_one_that_finds_no_room_in_the_limits(void **state)
{
    struct rig rig;
    struct queue_item item;
    uint16_t only;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, two_plans);
    rig_sim(&rig, CHEAP, "cheap")->limits.per_day = 2;
    rig_start(&rig);
    only = rig_bearer(&rig, CHEAP);
    item = rig_item(&rig, "33612345678", 0);
    item.parts = 3;
    (void)rig_put(&rig, item);
    (void)rig_put(&rig, rig_item(&rig, "33612345678", 0));
    assert_int_equal(rig_take(&rig, only), 2);
    assert_int_equal(rig_take(&rig, only), 0);
    rig_done(&rig);
}

static void what_was_not_sent_after_all_is_given_back(void **state)
{
    struct rig rig;
    struct chooser_taken taken;
    struct queue_item item;
    char *use_state, *record;
    uint16_t cheap;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, two_plans);
    rig_sim(&rig, CHEAP, "cheap")->limits.per_day = 1;
    rig_start(&rig);
    cheap = rig_bearer(&rig, CHEAP);
    item = rig_item(&rig, "33612345678", 0);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_take(rig.chooser, cheap, &item, 0, rig.now, &taken, &use_state, &record), 0);
    assert_int_equal(taken.price_micro, 50000);
    assert_non_null(use_state);
    assert_non_null(strstr(record, "\"plan\":\"cheap\""));
    free(use_state);
    free(record);
    assert_int_equal(chooser_judge(rig.chooser, cheap, &item, rig.now).verdict, CHOOSER_LIMIT);
    chooser_give_back(rig.chooser, cheap, &taken, USE_NOT_SENT, rig.now);
    assert_int_equal(chooser_judge(rig.chooser, cheap, &item, rig.now).verdict, CHOOSER_MAY);
    rig_done(&rig);
}

/* Ten thousand prefixes with three prices: three classes. */
static void prefixes_that_say_the_same_are_one_class(void **state)
{
    struct rig rig;
    char *text = malloc(1 << 20);
    size_t length = (size_t)sprintf(text, "plan,currency,prefix,price\n");
    uint16_t seen[3] = { 0 };

    (void)state;
    for (int i = 0; i < 10000; i++)
        length += (size_t)sprintf(text + length, "cheap,EUR,33%05d,0.0%d\n", i, 1 + i % 3);
    rig_init(&rig);
    rig_tariffs(&rig, text);
    free(text);
    (void)rig_sim(&rig, CHEAP, "cheap");
    rig_start(&rig);
    (void)rig_bearer(&rig, CHEAP);
    chooser_renew(rig.chooser, rig.now);
    for (int i = 0; i < 10000; i++) {
        struct queue_item item;
        char number[16];

        (void)snprintf(number, sizeof number, "33%05d123", i);
        item = rig_item(&rig, number, 0);
        item.class_id = chooser_classify(rig.chooser, &item, rig.now);
        assert_int_not_equal(item.class_id, CHOOSER_MIXED);
        if (seen[i % 3] == 0)
            seen[i % 3] = item.class_id;
        assert_int_equal(item.class_id, seen[i % 3]);
    }
    assert_true(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2]);
    rig_done(&rig);
}

static void messages_that_find_no_class_go_all_the_same_by_the_cheapest(void **state)
{
    struct rig rig;
    uint16_t cheap, dear;

    (void)state;
    rig_init(&rig);
    two_cards(&rig, &cheap, &dear);
    chooser_renew(rig.chooser, rig.now);
    for (uint32_t patience_s = 0; patience_s < CHOOSER_CLASSES_MAX + 100; patience_s++) {
        struct queue_item item = rig_item(&rig, "33612345678", patience_s);

        item.class_id = chooser_classify(rig.chooser, &item, rig.now);
        if (patience_s > CHOOSER_CLASSES_MAX)
            assert_int_equal(item.class_id, CHOOSER_MIXED);
        if (patience_s == CHOOSER_CLASSES_MAX + 50)
            assert_int_equal(queue_put(&rig.queue, &item), QUEUE_KEPT);
    }
    assert_false(chooser_stale(rig.chooser, rig.now));   /* so soon after they were made */
    assert_int_equal(rig_take(&rig, dear), 0);
    assert_int_equal(rig_take(&rig, cheap), CHOOSER_CLASSES_MAX + 51);
    rig_done(&rig);
}

/* A price that is announced for tomorrow. */
static void new_prices_hold_from_their_day_on(void **state)
{
    struct rig rig;
    struct queue_item item;
    uint16_t only;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, "plan,currency,prefix,price,valid_from,valid_until\n"
                      "cheap,EUR,33,0.05,,2026-11-18\n"
                      "cheap,EUR,33,0.06,2026-11-19,\n");
    (void)rig_sim(&rig, CHEAP, "cheap");
    rig_start(&rig);
    only = rig_bearer(&rig, CHEAP);
    chooser_renew(rig.chooser, rig.now);
    item = rig_item(&rig, "33612345678", 0);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_judge(rig.chooser, only, &item, rig.now).price_micro, 50000);
    assert_false(chooser_stale(rig.chooser, rig.now));
    rig_pass(&rig, 86400000);
    assert_true(chooser_stale(rig.chooser, rig.now));
    chooser_renew(rig.chooser, rig.now);
    item.class_id = chooser_classify(rig.chooser, &item, rig.now);
    assert_int_equal(chooser_judge(rig.chooser, only, &item, rig.now).price_micro, 60000);
    assert_false(chooser_stale(rig.chooser, rig.now));
    rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_goes_by_the_cheapest_that_is_idle),
        cmocka_unit_test(without_patience_it_goes_at_once_by_the_dearer_one),
        cmocka_unit_test(with_patience_it_waits_for_the_cheaper_one_and_no_longer),
        cmocka_unit_test(nobody_waits_for_a_card_that_cannot_come_in_time),
        cmocka_unit_test(what_must_wait_does_not_hold_up_what_may_go),
        cmocka_unit_test(a_bundle_makes_the_dearer_card_the_cheapest_until_it_is_used_up),
        cmocka_unit_test(a_message_of_three_parts_does_not_begin_in_a_bundle_with_room_for_two),
        cmocka_unit_test(cards_that_cost_the_same_take_turns),
        cmocka_unit_test(a_card_whose_parts_are_refused_comes_after_one_that_works),
        cmocka_unit_test(what_failed_by_one_card_goes_by_another),
        cmocka_unit_test(a_conversation_keeps_its_card_while_that_one_can),
        cmocka_unit_test(routes_leave_out_forbid_and_prefer),
        cmocka_unit_test(a_number_without_a_price_is_not_taken_for_free),
        cmocka_unit_test(a_limit_that_is_reached_sends_the_rest_by_the_next_card),
        cmocka_unit_test(a_message_with_much_patience_waits_for_the_new_day),
        cmocka_unit_test(known_recipients_may_be_written_to_beyond_the_limit_of_new_ones),
        cmocka_unit_test(a_message_of_more_parts_than_a_minute_may_have_takes_longer),
        cmocka_unit_test(what_the_operator_says_is_left_bounds_what_may_be_charged),
        cmocka_unit_test(a_card_is_changed_for_as_many_messages_as_make_up_for_it),
        cmocka_unit_test(a_shorter_message_passes_one_that_finds_no_room_in_the_limits),
        cmocka_unit_test(what_was_not_sent_after_all_is_given_back),
        cmocka_unit_test(prefixes_that_say_the_same_are_one_class),
        cmocka_unit_test(messages_that_find_no_class_go_all_the_same_by_the_cheapest),
        cmocka_unit_test(new_prices_hold_from_their_day_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
