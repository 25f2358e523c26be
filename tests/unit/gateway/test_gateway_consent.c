/* SPDX-License-Identifier: Apache-2.0
 *
 * STOP and START as they come from a modem, and what they do to messages that are on their way. */
#include "tests/unit/gateway/rig.h"

#include <errno.h>

#define HER "+40722000001"
#define HER_PDU "0B910427020000F1"
#define HIM "+40722000002"
#define THANKS "You will get no more messages from us. Send START to get them again."

/* Texts in septets, with their number of septets in front. */
#define STOP "0453EA130A"
#define STOP_WITH_A_POINT "0553FA1BEE02"
#define START "05536A504A05"
#define STOP_BY_AT_NINE "0F73FA1B0E12E741613AC89D769701"

/* SMS-DELIVER from this originating address at another minute each. */
static void come_in_as(struct rig *rig, const char *first_octet, const char *from, const char *user_data)
{
    static unsigned minute;
    char pdu[200];

    minute = (minute + 1) % 60;
    (void)snprintf(pdu, sizeof pdu, "00%s%s000062111201%u%u0000%s", first_octet, from, minute % 10, minute / 10, user_data);
    gateway_received(rig->gateway, 0, pdu, strlen(pdu), 100 + minute, rig->now);
    rig_commit(rig);
}

static void come_in(struct rig *rig, const char *from, const char *user_data)
{
    come_in_as(rig, "04", from, user_data);
}

static struct rig *rig_that_reads(const char *confirmation, const char *country)
{
    struct rig *rig = rig_new();

    rig->consent = (struct gateway_consent){ .reads_words = true, .confirmation = confirmation, .country = country };
    rig_restart(rig);
    rig_modem(rig, 0);
    return rig;
}

static uint64_t listed(struct rig *rig)
{
    uint64_t count = UINT64_MAX;

    assert_int_equal(store_read_opt_out_count(rig->reader, &count), 0);
    return count;
}

static void copy_number(void *context, const struct opt_out_row *row)
{
    (void)snprintf(context, MESSAGE_TO_MAX, "%s", row->number);
}

static void assert_sent(const struct rig *rig, size_t i, const char *to, const char *text)
{
    assert_true(rig->sent_count > i);
    assert_string_equal(rig->sent[i].tpdu.address.text, to);
    assert_string_equal(rig->sent[i].tpdu.text, text);
}

/* -- reading ----------------------------------------------------------------------------------------------------- */

static void a_stop_is_answered_once_and_a_start_opens_the_way_again(void **state)
{
    struct rig *rig = rig_that_reads(THANKS, NULL);

    (void)state;
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(rig->stored_count, 1);
    assert_int_equal(listed(rig), 1);
    assert_sent(rig, 0, HER, THANKS);
    rig_result(rig, 0, GATEWAY_SENT, 5, -1);
    rig_commit(rig);
    come_in(rig, HER_PDU, STOP_WITH_A_POINT);
    assert_int_equal(rig->sent_count, 1);
    rig_submit(rig, (struct rig_text){ .to = HER, .text = "refused" });
    assert_int_equal(rig->last_result, -EPERM);
    rig_submit(rig, (struct rig_text){ .to = HIM, .text = "to another" });
    assert_sent(rig, 1, HIM, "to another");
    rig_result(rig, 1, GATEWAY_SENT, 6, -1);
    rig_commit(rig);
    come_in(rig, HER_PDU, START);
    assert_int_equal(listed(rig), 0);
    rig_submit(rig, (struct rig_text){ .to = HER, .text = "welcome back" });
    assert_sent(rig, 2, HER, "welcome back");
    rig_free(rig);
}

static void without_being_told_to_it_reads_no_words(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig_modem(rig, 0);
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(rig->stored_count, 1);
    assert_int_equal(listed(rig), 0);
    assert_int_equal(rig->sent_count, 0);
    rig_free(rig);
}

static void a_word_in_a_sentence_a_part_and_a_port_are_no_wish(void **state)
{
    struct rig *rig = rig_that_reads(THANKS, NULL);

    (void)state;
    come_in(rig, HER_PDU, STOP_BY_AT_NINE);
    come_in_as(rig, "44", HER_PDU, "0B050003070201A6D42714");                 /* part 1 of 2 says STOP */
    come_in_as(rig, "44", HER_PDU, "0C0605040B8423F053EA130A");            /* to a port */
    assert_int_equal(rig->stored_count, 3);
    assert_int_equal(listed(rig), 0);
    rig_free(rig);
}

static void names_and_short_codes_cannot_opt_out_and_national_forms_need_a_country(void **state)
{
    static const struct { const char *from, *country, *listed; } cases[] = {
        { "0BD0C7F7FBCC2E03", NULL, NULL },      /* Google */
        { "04812143", NULL, NULL },              /* 1234 */
        { "0A817022000010", NULL, NULL },        /* 0722000001 */
        { "0A817022000010", "RO", HER },
        { "0A817022000010", "", NULL },
        { HER_PDU, "DE", HER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig *rig = rig_that_reads(THANKS, cases[i].country);
        char number[MESSAGE_TO_MAX] = "";

        come_in(rig, cases[i].from, STOP);
        assert_int_equal(rig->stored_count, 1);
        assert_int_equal(store_read_opt_outs(rig->reader, NULL, 10, copy_number, number), 0);
        if (strcmp(number, cases[i].listed != NULL ? cases[i].listed : "") != 0)
            fail_msg("case %zu listed \"%s\"", i, number);
        assert_int_equal(rig->sent_count, cases[i].listed != NULL);
        rig_free(rig);
    }
}

static void an_empty_confirmation_is_none_and_a_long_one_goes_in_parts(void **state)
{
    static const char longer[] = "Nu veți mai primi mesaje de la noi. Dacă vă răzgândiți, trimiteți START la acest număr.";
    struct rig *rig = rig_that_reads("", NULL);

    (void)state;
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(listed(rig), 1);
    assert_int_equal(rig->sent_count, 0);
    rig_free(rig);
    rig = rig_that_reads(longer, NULL);
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(rig->sent_count, 1);
    rig_result(rig, 0, GATEWAY_SENT, 5, -1);
    rig_commit(rig);
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig->sent[1].tpdu.udh.concat_total, 2);
    rig_free(rig);
}

/* -- messages on their way --------------------------------------------------------------------------------------- */

static void what_waits_behind_a_part_on_the_air_with_its_intent_on_disk_is_taken_back(void **state)
{
    struct rig *rig = rig_new();
    int64_t waits, other;

    (void)state;
    rig->prefetch_at_once = true;
    rig->consent = (struct gateway_consent){ .reads_words = true };
    rig_restart(rig);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .to = HIM, .text = "on the air" });
    waits = rig_submit(rig, (struct rig_text){ .to = HER, .text = "waits" });
    other = rig_submit(rig, (struct rig_text){ .to = HIM, .text = "behind it" });
    assert_int_equal(rig_state(rig, waits), MESSAGE_SENDING);   /* its intent is on disk */
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(rig_state(rig, waits), MESSAGE_QUEUED);    /* taken back; the one behind it goes first now */
    rig_result(rig, 0, GATEWAY_SENT, 5, -1);
    rig_commit(rig);
    assert_sent(rig, 1, HIM, "behind it");
    assert_int_equal(rig_state(rig, waits), MESSAGE_REJECTED);
    rig_result(rig, 1, GATEWAY_SENT, 6, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, other), MESSAGE_SENT);
    assert_int_equal(rig->sent_count, 2);
    rig_free(rig);
}

static void a_number_put_on_the_list_by_hand_stops_what_waits_too(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *change;
    int64_t waits;

    (void)state;
    rig->prefetch_at_once = true;
    rig_restart(rig);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .to = HIM, .text = "on the air" });
    waits = rig_submit(rig, (struct rig_text){ .to = HER, .text = "waits" });
    change = change_new(CHANGE_OPT_OUT_ADD, rig->now.wall_ms);
    (void)snprintf(change->u.opt_out.number, sizeof change->u.opt_out.number, "%s", HER);
    change->waiter = rig;
    gateway_submit(rig->gateway, change, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->last_result, 0);
    assert_int_equal(rig_state(rig, waits), MESSAGE_REJECTED);
    rig_free(rig);
}

static void a_scheduled_message_is_rejected_when_its_time_comes_and_the_modem_goes_on(void **state)
{
    struct rig *rig = rig_that_reads(NULL, NULL);
    int64_t later = rig_submit(rig, (struct rig_text){ .to = HER, .text = "later", .due_in_ms = 60000, .expire_in_ms = 600000 });
    int64_t other = rig_submit(rig, (struct rig_text){ .to = HIM, .text = "later too", .due_in_ms = 60000, .expire_in_ms = 600000 });

    (void)state;
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(rig_state(rig, later), MESSAGE_SCHEDULED);
    rig_pass_ms(rig, 60001);
    assert_int_equal(rig_state(rig, later), MESSAGE_REJECTED);
    assert_sent(rig, 0, HIM, "later too");
    rig_result(rig, 0, GATEWAY_SENT, 5, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, other), MESSAGE_SENT);
    assert_int_equal(rig->sent_count, 1);
    assert_true(gateway_idle(rig->gateway));
    rig_free(rig);
}

static void the_parts_of_a_begun_message_all_go(void **state)
{
    struct rig *rig = rig_that_reads(NULL, NULL);
    int64_t id = rig_submit(rig, (struct rig_text){ .to = HER, .text = "onetwo", .cuts = { 3, 3 }, .parts = 2 });

    (void)state;
    assert_int_equal(rig->sent_count, 1);
    come_in(rig, HER_PDU, STOP);
    rig_result(rig, 0, GATEWAY_SENT, 5, -1);
    rig_commit(rig);
    assert_sent(rig, 1, HER, "two");
    rig_result(rig, 1, GATEWAY_SENT, 6, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

/* -- a store that fails ------------------------------------------------------------------------------------------ */

static void a_stop_that_cannot_be_written_stays_with_the_modem_until_it_is_and_is_confirmed_once(void **state)
{
    struct rig *rig = rig_that_reads(THANKS, NULL);

    (void)state;
    rig->store_error = -EIO;
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(rig->stored_count, 0);
    assert_int_equal(rig->sent_count, 0);
    rig->store_error = 0;
    rig_pass_ms(rig, 1001);
    assert_int_equal(rig->stored_count, 1);
    assert_int_equal(listed(rig), 1);
    assert_sent(rig, 0, HER, THANKS);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

/* Found by the simulation: the clock was told to the store behind what had come in by it, and its time was moved once too often. */
static void a_clock_that_is_set_while_the_store_is_away_does_not_expire_the_confirmation(void **state)
{
    static const int64_t steps_ms[] = { 10 * INT64_C(86400000), -10 * INT64_C(86400000) };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = rig_that_reads(THANKS, NULL);
        struct message_row row;

        rig->store_error = -ENOSPC;
        rig->now.wall_ms += steps_ms[i];
        rig_pass_ms(rig, 1001);
        come_in(rig, HER_PDU, STOP);
        rig_pass_ms(rig, 1001);
        rig->store_error = 0;
        rig_pass_ms(rig, 1001);
        assert_sent(rig, 0, HER, THANKS);
        assert_int_equal(store_read_message(rig->reader, 1, &row), 0);
        assert_in_range(row.expire_ms - rig->now.wall_ms, 86000000, 86400000);
        rig_free(rig);
    }
}

/* The commit told of an error and had landed: the second try finds a duplicate, and what the first one wrote. */
static void a_stop_whose_commit_landed_unseen_still_stops_what_waits_and_is_confirmed_once(void **state)
{
    struct rig *rig = rig_new();
    int64_t waits;

    (void)state;
    rig->prefetch_at_once = true;
    rig->consent = (struct gateway_consent){ .reads_words = true, .confirmation = THANKS };
    rig_restart(rig);
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .to = HIM, .text = "on the air" });
    waits = rig_submit(rig, (struct rig_text){ .to = HER, .text = "waits" });
    rig->landed_error = -EIO;
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(rig->stored_count, 0);
    rig->landed_error = 0;
    rig_pass_ms(rig, 1001);
    assert_int_equal(rig->stored_count, 1);
    assert_int_equal(rig_state(rig, waits), MESSAGE_REJECTED);
    rig_result(rig, 0, GATEWAY_SENT, 5, -1);
    rig_commit(rig);
    assert_sent(rig, 1, HER, THANKS);
    rig_result(rig, 1, GATEWAY_SENT, 6, -1);
    rig_commit(rig);
    assert_int_equal(rig->sent_count, 2);
    rig_free(rig);
}

static void after_a_power_cut_the_confirmation_that_waited_still_goes_once(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig->consent = (struct gateway_consent){ .reads_words = true, .confirmation = THANKS };
    rig_restart(rig);
    rig_modem(rig, 0);
    gateway_slot_ready(rig->gateway, 0, false, rig->now);
    come_in(rig, HER_PDU, STOP);
    assert_int_equal(rig->sent_count, 0);
    rig_restart(rig);
    rig_modem(rig, 0);
    assert_sent(rig, 0, HER, THANKS);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_is_answered_once_and_a_start_opens_the_way_again),
        cmocka_unit_test(without_being_told_to_it_reads_no_words),
        cmocka_unit_test(a_word_in_a_sentence_a_part_and_a_port_are_no_wish),
        cmocka_unit_test(names_and_short_codes_cannot_opt_out_and_national_forms_need_a_country),
        cmocka_unit_test(an_empty_confirmation_is_none_and_a_long_one_goes_in_parts),
        cmocka_unit_test(what_waits_behind_a_part_on_the_air_with_its_intent_on_disk_is_taken_back),
        cmocka_unit_test(a_number_put_on_the_list_by_hand_stops_what_waits_too),
        cmocka_unit_test(a_scheduled_message_is_rejected_when_its_time_comes_and_the_modem_goes_on),
        cmocka_unit_test(the_parts_of_a_begun_message_all_go),
        cmocka_unit_test(a_stop_that_cannot_be_written_stays_with_the_modem_until_it_is_and_is_confirmed_once),
        cmocka_unit_test(a_clock_that_is_set_while_the_store_is_away_does_not_expire_the_confirmation),
        cmocka_unit_test(a_stop_whose_commit_landed_unseen_still_stops_what_waits_and_is_confirmed_once),
        cmocka_unit_test(after_a_power_cut_the_confirmation_that_waited_still_goes_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
