/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/choice/rig.h"

#define PART_MS 4000
#define FIRST "89330000000000000001"
#define OTHER "89330000000000000002"

static const char prices[] = "kind,plan,currency,prefix,price\n"
                             "price,first,EUR,33,0.05\n"
                             "price,first,EUR,40,0.05\n"
                             "price,other,EUR,33,0.50\n"
                             "price,other,EUR,40,0.06\n";

static void two_cards(struct rig *rig, uint16_t ret_bearers[2])
{
    rig_init(rig);
    rig_tariffs(rig, prices);
    (void)rig_sim(rig, FIRST, "first");
    (void)rig_sim(rig, OTHER, "other");
    rig_start(rig);
    ret_bearers[0] = rig_bearer(rig, FIRST);
    ret_bearers[1] = rig_bearer(rig, OTHER);
    for (unsigned i = 0; i < 2; i++)
        chooser_pace(rig->chooser, ret_bearers[i], PART_MS);
}

/* Both cards send for so long; by whom each message went, and when. */
struct sent { uint16_t by; uint64_t at_ms; };

static void send_all(struct rig *rig, const uint16_t bearers[2], uint64_t for_ms, struct sent *sent)
{
    uint64_t free_ms[2] = { rig->now.mono_ms, rig->now.mono_ms }, until_ms = rig->now.mono_ms + for_ms;

    for (; rig->now.mono_ms < until_ms; rig_pass(rig, 200))
        for (unsigned i = 0; i < 2; i++) {
            int64_t id;

            chooser_bearer_state(rig->chooser, bearers[i], true, free_ms[i] <= rig->now.mono_ms, 0);
            if (free_ms[i] > rig->now.mono_ms || (id = rig_take(rig, bearers[i])) == 0)
                continue;
            sent[id] = (struct sent){ bearers[i], rig->now.mono_ms };
            free_ms[i] = rig->now.mono_ms + PART_MS;
        }
}

static void what_the_cheap_one_cannot_do_in_time_goes_by_the_other_one_and_no_more(void **state)
{
    struct rig rig;
    uint16_t bearers[2];
    struct sent sent[21] = { { 0, 0 } };
    unsigned by_other = 0;
    uint64_t begin_ms;

    (void)state;
    two_cards(&rig, bearers);
    begin_ms = rig.now.mono_ms;
    for (int i = 0; i < 20; i++)         /* 80 s of work, within 60 s */
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    send_all(&rig, bearers, 90000, sent);
    for (int i = 1; i <= 20; i++) {
        assert_in_range(sent[i].at_ms, begin_ms, begin_ms + 61000);
        by_other += sent[i].by == bearers[1];
    }
    assert_in_range(by_other, 4, 7);
    rig_done(&rig);
}

static void the_record_says_that_it_was_dealt_out(void **state)
{
    struct rig rig;
    uint16_t bearers[2];
    struct queue_item item;
    struct chooser_taken taken;
    char *use_state, *record;
    uint64_t retry_ms;

    (void)state;
    two_cards(&rig, bearers);
    for (int i = 0; i < 40; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 60));
    chooser_bearer_state(rig.chooser, bearers[0], true, false, 0);
    assert_true(chooser_pick(rig.chooser, bearers[1], &rig.queue, rig.now, &item, &retry_ms));
    assert_int_equal(chooser_take(rig.chooser, bearers[1], &item, 0, rig.now, &taken, &use_state, &record), 0);
    assert_non_null(strstr(record, "\"why\":\"dealt out: cheaper ones have no time for all that waits\""));
    free(use_state);
    free(record);
    rig_done(&rig);
}

static void with_time_for_all_none_goes_by_the_dear_one(void **state)
{
    struct rig rig;
    uint16_t bearers[2];
    struct sent sent[21] = { { 0, 0 } };

    (void)state;
    two_cards(&rig, bearers);
    for (int i = 0; i < 20; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 120));
    send_all(&rig, bearers, 120000, sent);
    for (int i = 1; i <= 20; i++) {
        assert_int_equal(sent[i].by, bearers[0]);
        assert_true(sent[i].at_ms > 0);
    }
    rig_done(&rig);
}

static void the_cheap_one_takes_those_that_lose_most_without_it(void **state)
{
    struct rig rig;
    uint16_t bearers[2];
    struct sent sent[31] = { { 0, 0 } };

    (void)state;
    two_cards(&rig, bearers);
    for (int i = 0; i < 15; i++)         /* a cent more by the other one: they come first, but make room */
        (void)rig_put(&rig, rig_item(&rig, "40712345678", 120));
    for (int i = 0; i < 15; i++)         /* ten times as much */
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 120));
    send_all(&rig, bearers, 130000, sent);
    for (int i = 16; i <= 30; i++)
        assert_int_equal(sent[i].by, bearers[0]);
    for (int i = 1; i <= 30; i++)
        assert_true(sent[i].at_ms > 0);
    rig_done(&rig);
}

static void a_bundle_is_dealt_out_as_far_as_it_goes(void **state)
{
    struct rig rig;
    uint16_t first, other;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, "kind,plan,currency,prefix,price,prefixes,name,parts,period\n"
                      "price,first,EUR,33,0.10,,,,\n"
                      "price,other,EUR,33,0.05,,,,\n"
                      "bundle,first,,,,33,three,3,day\n");
    (void)rig_sim(&rig, FIRST, "first");
    (void)rig_sim(&rig, OTHER, "other");
    rig_start(&rig);
    first = rig_bearer(&rig, FIRST);
    other = rig_bearer(&rig, OTHER);
    for (int i = 0; i < 5; i++)
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 600));
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(rig_take(&rig, first), 0);
    assert_int_equal(rig_take(&rig, first), 0);      /* a tenth, where the other one asks a twentieth */
    assert_int_not_equal(rig_take(&rig, other), 0);
    assert_int_not_equal(rig_take(&rig, other), 0);
    rig_done(&rig);
}

static void what_nobody_can_do_in_time_is_shared_by_all(void **state)
{
    struct rig rig;
    uint16_t bearers[2];
    struct sent sent[61] = { { 0, 0 } };
    unsigned by_other = 0;
    uint64_t last_ms = 0, begin_ms;

    (void)state;
    two_cards(&rig, bearers);
    begin_ms = rig.now.mono_ms;
    for (int i = 0; i < 60; i++)         /* two minutes' work for both together */
        (void)rig_put(&rig, rig_item(&rig, "33612345678", 30));
    send_all(&rig, bearers, 180000, sent);
    for (int i = 1; i <= 60; i++) {
        by_other += sent[i].by == bearers[1];
        last_ms = sent[i].at_ms > last_ms ? sent[i].at_ms : last_ms;
    }
    assert_in_range(by_other, 25, 35);
    assert_in_range(last_ms, begin_ms + 100000, begin_ms + 130000);
    rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_cheap_one_cannot_do_in_time_goes_by_the_other_one_and_no_more),
        cmocka_unit_test(the_record_says_that_it_was_dealt_out),
        cmocka_unit_test(with_time_for_all_none_goes_by_the_dear_one),
        cmocka_unit_test(the_cheap_one_takes_those_that_lose_most_without_it),
        cmocka_unit_test(a_bundle_is_dealt_out_as_far_as_it_goes),
        cmocka_unit_test(what_nobody_can_do_in_time_is_shared_by_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
