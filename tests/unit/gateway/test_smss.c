/* SPDX-License-Identifier: Apache-2.0
 *
 * When the card's count of its last used TP-MR proves that a part was not sent, and above all when it does not. */
#include "src/gateway/smss.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define SECOND_US UINT64_C(1000000)
#define START_US (1000 * SECOND_US)      /* long after the start: nothing from before is still on its way */

static struct smss_doubt told[SMSS_DOUBTS_MAX];

static unsigned look(struct smss *smss, int value, uint64_t at_us)
{
    return smss_read(smss, value, at_us, told);
}

/* Sends, each followed by a look that agrees; the last TP-MR is last. */
static void follow(struct smss *smss, int last, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        smss_sent(smss, (last - i) & 0xFF, START_US);
        assert_int_equal(look(smss, (last - i) & 0xFF, START_US), 0);
    }
}

/* One whose count is known to be a good one, and stands at last. */
static struct smss trusted(int last)
{
    struct smss smss;

    smss_init(&smss, 0);
    follow(&smss, (last - 1) & 0xFF, SMSS_FOLLOWED_MIN);
    smss_refused(&smss, SMSS_REFUSED_BY_NETWORK, START_US);
    assert_int_equal(look(&smss, last & 0xFF, START_US), 0);
    assert_true(smss_trusted(&smss));
    return smss;
}

static bool counts_begin_at(int mr) { return mr == 255 || mr == 0 || mr == 1; }

static void an_unmoved_count_proves_it_for_each_value_but_those_where_counts_begin(void **state)
{
    (void)state;
    for (int last = 0; last < 256; last++)
        for (int found = 0; found < 256; found++) {
            struct smss smss = trusted(last);

            smss_doubt(&smss, 7, 2, START_US);
            if (found != last || counts_begin_at(last)) {
                assert_int_equal(look(&smss, found, START_US + SMSS_SETTLE_US), 0);
                assert_int_equal(look(&smss, last, START_US + 2 * SMSS_SETTLE_US), 0);   /* once moved is moved for good */
                continue;
            }
            assert_int_equal(look(&smss, found, START_US + SMSS_SETTLE_US), 1);
            assert_int_equal(told[0].attempt_id, 7);
            assert_int_equal(told[0].failures, 2);
            assert_int_equal(look(&smss, found, START_US + SMSS_SETTLE_US), 0);          /* said once */
        }
}

static void the_verdict_waits_for_what_a_modem_may_hold_back(void **state)
{
    struct smss smss = trusted(20);

    (void)state;
    smss_doubt(&smss, 7, 0, START_US);
    assert_int_equal(look(&smss, 20, START_US + SECOND_US), 0);
    assert_int_equal(look(&smss, 20, START_US + SMSS_SETTLE_US - 1), 0);
    assert_int_equal(look(&smss, 20, START_US + SMSS_SETTLE_US), 1);
}

static void parts_sent_meanwhile_must_have_each_the_next_value_also_across_the_wrap(void **state)
{
    (void)state;
    for (int last = 2; last < 255; last++)
        for (int sends = 1; sends <= 6; sends++)
            for (int inserted = 0; inserted <= sends + 1; inserted++) {   /* before which send the held part goes; sends + 1: never */
                struct smss smss = trusted(last);
                int mr = last;

                smss_doubt(&smss, 7, 0, START_US);
                for (int i = 0; i < sends; i++) {
                    mr += inserted == i;
                    smss_sent(&smss, ++mr & 0xFF, START_US + SECOND_US);
                }
                mr += inserted == sends;
                assert_int_equal(look(&smss, mr & 0xFF, START_US + SMSS_SETTLE_US), inserted == sends + 1 ? 1 : 0);
            }
}

static void nobody_is_trusted_before_all_is_seen(void **state)
{
    (void)state;
    for (int followed = 0; followed <= SMSS_FOLLOWED_MIN; followed++)
        for (int refusal = SMSS_REFUSAL_NONE; refusal <= SMSS_REFUSED_WITHOUT_ANSWER; refusal++) {
            bool proven = followed == SMSS_FOLLOWED_MIN && refusal == SMSS_REFUSED_BY_NETWORK;
            struct smss smss;
            int last = 50;

            smss_init(&smss, 0);
            follow(&smss, last, followed);
            if (followed == 0)
                smss_sent(&smss, last, START_US);   /* and nobody looked */
            if (refusal != SMSS_REFUSAL_NONE) {
                smss_refused(&smss, (enum smss_refusal)refusal, START_US);
                assert_int_equal(look(&smss, ++last, START_US), 0);
            }
            assert_int_equal(smss_trusted(&smss), proven);
            smss_doubt(&smss, 7, 0, START_US);
            assert_int_equal(look(&smss, last, START_US + SMSS_SETTLE_US), proven ? 1 : 0);
        }
}

static void looking_twice_after_one_part_is_seeing_it_once(void **state)
{
    struct smss smss;

    (void)state;
    smss_init(&smss, 0);
    smss_sent(&smss, 9, START_US);
    for (int i = 0; i < 10; i++)
        (void)look(&smss, 9, START_US);
    smss_refused(&smss, SMSS_REFUSED_BY_NETWORK, START_US);
    (void)look(&smss, 10, START_US);
    assert_false(smss_trusted(&smss));
}

/* It looks as if nothing had been sent exactly where the acknowledgement was lost. */
static void a_modem_that_writes_on_acknowledgement_is_never_trusted_again(void **state)
{
    (void)state;
    for (int refusal = SMSS_REFUSED_BY_NETWORK; refusal <= SMSS_REFUSED_WITHOUT_ANSWER; refusal++) {
        struct smss smss = trusted(20);

        smss_refused(&smss, (enum smss_refusal)refusal, START_US);
        assert_int_equal(look(&smss, 20, START_US), 0);
        assert_false(smss_trusted(&smss));
        follow(&smss, 40, 20);
        smss_refused(&smss, SMSS_REFUSED_BY_NETWORK, 2 * START_US);
        (void)look(&smss, 41, 2 * START_US);
        assert_false(smss_trusted(&smss));
        smss_init(&smss, 0);             /* another pair */
        assert_false(smss.withdrawn);
    }
}

static void a_refusal_by_the_modem_itself_may_take_a_value_or_not(void **state)
{
    (void)state;
    for (int moved = 0; moved <= 2; moved++) {
        struct smss smss = trusted(20);

        smss_refused(&smss, SMSS_REFUSED_SOMEHOW, START_US);
        (void)look(&smss, 20 + moved, START_US);
        assert_int_equal(smss_trusted(&smss), moved < 2);
    }
}

static void a_refusal_nobody_looked_at_must_still_show_in_the_next_value(void **state)
{
    static const struct { enum smss_refusal refusal; int moved; bool trusted; } rows[] = {
        { SMSS_REFUSED_SOMEHOW, 0, true },    { SMSS_REFUSED_SOMEHOW, 1, true },    { SMSS_REFUSED_SOMEHOW, 2, false },
        { SMSS_REFUSED_BY_NETWORK, 0, false }, { SMSS_REFUSED_BY_NETWORK, 1, true }, { SMSS_REFUSED_BY_NETWORK, 2, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct smss smss = trusted(20);

        smss_refused(&smss, rows[i].refusal, START_US);
        smss_sent(&smss, 21 + rows[i].moved, START_US);
        assert_int_equal(smss_trusted(&smss), rows[i].trusted);
    }
}

static void a_count_that_disagrees_or_jumps_is_never_trusted_again(void **state)
{
    struct smss lies = trusted(20), jumps = trusted(20), stands = trusted(20), nonsense = trusted(20);

    (void)state;
    smss_sent(&lies, 21, START_US);
    (void)look(&lies, 20, START_US);
    smss_sent(&jumps, 23, START_US);
    smss_sent(&stands, 20, START_US);
    smss_sent(&nonsense, -1, START_US);
    assert_false(smss_trusted(&lies) || smss_trusted(&jumps) || smss_trusted(&stands) || smss_trusted(&nonsense));
}

/* A modem with a counter of its own, wider than an octet. */
static void what_is_no_octet_is_no_count(void **state)
{
    struct smss sent = trusted(254), read = trusted(254);

    (void)state;
    smss_sent(&sent, 256, START_US);
    assert_false(smss_trusted(&sent));
    assert_int_equal(look(&read, 256, START_US), 0);
    assert_false(smss_trusted(&read));
}

static void a_part_held_back_by_a_good_modem_costs_it_no_trust(void **state)
{
    struct smss smss = trusted(20);

    (void)state;
    smss_doubt(&smss, 7, 0, START_US);
    (void)look(&smss, 21, START_US + SECOND_US);
    smss_sent(&smss, 22, START_US + 2 * SECOND_US);
    (void)look(&smss, 23, START_US + 3 * SECOND_US);   /* a second one that was given up with the first */
    assert_true(smss_trusted(&smss));
}

/* Nor may it pass for a refused part that moved the count: the modem writes on acknowledgement, and this one was acknowledged. */
static void a_part_held_back_teaches_nothing_about_refusals(void **state)
{
    struct smss smss;

    (void)state;
    smss_init(&smss, 0);
    follow(&smss, 20, SMSS_FOLLOWED_MIN);
    smss_doubt(&smss, 7, 0, START_US);
    smss_sent(&smss, 21, START_US + SECOND_US);
    smss_refused(&smss, SMSS_REFUSED_BY_NETWORK, START_US + 2 * SECOND_US);
    (void)look(&smss, 22, START_US + 3 * SECOND_US);
    assert_false(smss_trusted(&smss));
    smss_init(&smss, START_US);          /* the gateway has just started: it does not know what is under way */
    follow(&smss, 20, SMSS_FOLLOWED_MIN);
    smss_refused(&smss, SMSS_REFUSED_BY_NETWORK, START_US);
    (void)look(&smss, 21, START_US + SECOND_US);
    assert_false(smss_trusted(&smss));
}

static void nothing_is_judged_across_a_restart_and_trust_survives_it(void **state)
{
    struct smss before = trusted(20), within = trusted(20);

    (void)state;
    smss_restarted(&before);
    smss_doubt(&before, 7, 0, START_US);
    assert_int_equal(look(&before, 20, START_US + SMSS_SETTLE_US), 0);
    smss_doubt(&within, 7, 0, START_US);
    smss_restarted(&within);
    assert_int_equal(look(&within, 20, START_US + SMSS_SETTLE_US), 0);
    smss_sent(&within, 21, START_US);
    smss_doubt(&within, 8, 0, START_US);
    assert_int_equal(look(&within, 21, START_US + SMSS_SETTLE_US), 1);
    assert_int_equal(told[0].attempt_id, 8);
}

static void a_refusal_while_something_is_in_doubt_leaves_it_in_doubt(void **state)
{
    struct smss during = trusted(20), pending = trusted(20);

    (void)state;
    smss_doubt(&during, 7, 0, START_US);
    smss_refused(&during, SMSS_REFUSED_BY_NETWORK, START_US);
    assert_int_equal(look(&during, 21, START_US + SMSS_SETTLE_US), 0);
    assert_int_equal(look(&during, 20, START_US + SMSS_SETTLE_US), 0);
    smss_refused(&pending, SMSS_REFUSED_SOMEHOW, START_US);
    smss_doubt(&pending, 7, 0, START_US);   /* whether it took a value was not looked at */
    assert_int_equal(look(&pending, 20, START_US + SMSS_SETTLE_US), 0);
}

static void several_doubts_stand_and_fall_together_but_settle_one_by_one(void **state)
{
    struct smss smss = trusted(20), moved = trusted(20);

    (void)state;
    for (int64_t i = 0; i < SMSS_DOUBTS_MAX; i++) {
        smss_doubt(&smss, i, 0, START_US + (uint64_t)i * SECOND_US);
        smss_doubt(&moved, i, 0, START_US + (uint64_t)i * SECOND_US);
    }
    assert_int_equal(look(&smss, 20, START_US + SMSS_SETTLE_US + 2 * SECOND_US), 3);
    assert_int_equal(told[0].attempt_id, 0);
    assert_int_equal(told[2].attempt_id, 2);
    assert_int_equal(look(&smss, 20, START_US + 2 * SMSS_SETTLE_US), SMSS_DOUBTS_MAX - 3);
    assert_int_equal(look(&moved, 21, START_US + 2 * SMSS_SETTLE_US), 0);
}

static void more_doubts_than_there_is_room_for_stay_doubts_all(void **state)
{
    struct smss smss = trusted(20);

    (void)state;
    for (int64_t i = 0; i <= SMSS_DOUBTS_MAX; i++)
        smss_doubt(&smss, i, 0, START_US);
    assert_int_equal(look(&smss, 20, START_US + SMSS_SETTLE_US), 0);
}

static void a_late_answer_takes_its_part_out_of_doubt_and_the_others_stay(void **state)
{
    struct smss smss = trusted(20), other = trusted(20);

    (void)state;
    smss_doubt(&smss, 7, 0, START_US);
    smss_doubt(&smss, 8, 0, START_US);
    smss_late_sent(&smss, 8, 21, START_US + SECOND_US);
    assert_int_equal(look(&smss, 21, START_US + SMSS_SETTLE_US), 1);
    assert_int_equal(told[0].attempt_id, 7);
    smss_doubt(&other, 7, 0, START_US);
    smss_late_sent(&other, 4711, 21, START_US);   /* of a part nobody follows any more */
    assert_int_equal(look(&other, 20, START_US + SMSS_SETTLE_US), 0);
}

static void a_file_that_cannot_be_read_is_nobodys_witness(void **state)
{
    struct smss smss = trusted(20);

    (void)state;
    (void)look(&smss, -1, START_US);
    assert_false(smss_trusted(&smss));
    smss_sent(&smss, 21, START_US);
    assert_false(smss_ask(&smss, UINT64_MAX - 1));
    smss_doubt(&smss, 7, 0, START_US);
    assert_int_equal(look(&smss, 21, START_US + SMSS_SETTLE_US), 0);
}

static void the_file_is_asked_for_when_a_doubt_has_settled_and_not_for_ever(void **state)
{
    struct smss smss = trusted(20);
    uint64_t now_us = START_US + SMSS_SETTLE_US;
    int asked = 0;

    (void)state;
    assert_true(smss_deadline_us(&smss) == UINT64_MAX);
    smss_doubt(&smss, 7, 0, START_US);
    assert_true(smss_deadline_us(&smss) == now_us);
    assert_false(smss_ask(&smss, now_us - 1));
    for (; smss_deadline_us(&smss) != UINT64_MAX; now_us = smss_deadline_us(&smss))
        asked += smss_ask(&smss, now_us);
    assert_int_equal(asked, SMSS_ASKS_MAX);
    assert_int_equal(look(&smss, 20, now_us), 0);
}

/* A modem that always has a next part is never idle enough to be looked at by itself. */
static void to_learn_it_is_asked_for_now_and_then_until_enough_is_seen(void **state)
{
    struct smss smss;
    int asked = 0, mr = 100;

    (void)state;
    smss_init(&smss, 0);
    for (uint64_t at_us = START_US; at_us < START_US + 600 * SECOND_US; at_us += 3 * SECOND_US) {
        smss_sent(&smss, ++mr & 0xFF, at_us);
        if (!smss_ask(&smss, at_us))
            continue;
        asked++;
        (void)look(&smss, mr & 0xFF, at_us);
    }
    assert_int_equal(asked, SMSS_FOLLOWED_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unmoved_count_proves_it_for_each_value_but_those_where_counts_begin),
        cmocka_unit_test(the_verdict_waits_for_what_a_modem_may_hold_back),
        cmocka_unit_test(parts_sent_meanwhile_must_have_each_the_next_value_also_across_the_wrap),
        cmocka_unit_test(nobody_is_trusted_before_all_is_seen),
        cmocka_unit_test(looking_twice_after_one_part_is_seeing_it_once),
        cmocka_unit_test(a_modem_that_writes_on_acknowledgement_is_never_trusted_again),
        cmocka_unit_test(a_refusal_by_the_modem_itself_may_take_a_value_or_not),
        cmocka_unit_test(a_refusal_nobody_looked_at_must_still_show_in_the_next_value),
        cmocka_unit_test(a_count_that_disagrees_or_jumps_is_never_trusted_again),
        cmocka_unit_test(what_is_no_octet_is_no_count),
        cmocka_unit_test(a_part_held_back_by_a_good_modem_costs_it_no_trust),
        cmocka_unit_test(a_part_held_back_teaches_nothing_about_refusals),
        cmocka_unit_test(nothing_is_judged_across_a_restart_and_trust_survives_it),
        cmocka_unit_test(a_refusal_while_something_is_in_doubt_leaves_it_in_doubt),
        cmocka_unit_test(several_doubts_stand_and_fall_together_but_settle_one_by_one),
        cmocka_unit_test(more_doubts_than_there_is_room_for_stay_doubts_all),
        cmocka_unit_test(a_late_answer_takes_its_part_out_of_doubt_and_the_others_stay),
        cmocka_unit_test(a_file_that_cannot_be_read_is_nobodys_witness),
        cmocka_unit_test(the_file_is_asked_for_when_a_doubt_has_settled_and_not_for_ever),
        cmocka_unit_test(to_learn_it_is_asked_for_now_and_then_until_enough_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
