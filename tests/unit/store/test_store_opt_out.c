/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers that want no more messages: on the list with the message that says so, and honoured from that commit on. */
#include "store_testing.h"

#include <fcntl.h>

#include "faulty_vfs.h"

#define HER "+40722000001"
#define HIM "+40722000002"

/* The PDU is made of the text and the time, so that the same message read twice is the same. */
static struct store_change *new_word(const struct bench *bench, enum consent consent, bool confirm)
{
    struct store_change *change = change_new(CHANGE_RECEIVE, bench->now_ms);
    struct change_receive *receive = &change->u.receive;
    const char *word = consent == CONSENT_STOP ? "STOP" : "START";
    char pdu[64];

    snprintf(pdu, sizeof pdu, "0%d%08llX", consent, (unsigned long long)(bench->now_ms / 1000));
    receive->sim_id = 1;
    receive->pdu_hex = strdup(pdu);
    strcpy(receive->from, HER);
    receive->from_type = 0x91;
    receive->text = strdup(word);
    receive->text_length = (uint32_t)strlen(word);
    receive->message_class = -1;
    receive->consent = consent;
    strcpy(receive->consent_number, HER);
    strcpy(receive->consent_word, word);
    if (confirm) {
        receive->confirmation = calloc(1, sizeof *receive->confirmation);
        receive->confirmation->messages = calloc(1, sizeof *receive->confirmation->messages);
        receive->confirmation->count = 1;
        strcpy(receive->confirmation->actor, OPT_OUT_ACTOR);
        fill_message(&receive->confirmation->messages[0], HER, 1);
    }
    return change;
}

/* The message that confirms it; 0: none. */
static int64_t hear(struct bench *bench, enum consent consent, bool confirm)
{
    struct store_change *change = new_word(bench, consent, confirm);
    int64_t id = 0;

    assert_int_equal(apply(bench, change), 0);
    if (change->u.receive.confirmation != NULL && change->u.receive.confirmation->messages[0].state != 0)
        id = change->u.receive.confirmation->messages[0].id;
    change_free(change);
    bench->now_ms += 1000;
    return id;
}

static int by_hand(struct bench *bench, enum change_kind kind, const char *number)
{
    struct store_change *change = change_new(kind, bench->now_ms);
    int r;

    strcpy(change->u.opt_out.number, number);
    strcpy(change->u.opt_out.source, "uid:0");
    r = apply(bench, change);
    if (r == 0 && kind == CHANGE_OPT_OUT_ADD)
        r = change->u.opt_out.changed;
    change_free(change);
    return r;
}

static uint64_t count_of(struct bench *bench)
{
    uint64_t count = UINT64_MAX;

    assert_int_equal(store_read_opt_out_count(bench->reader, &count), 0);
    assert_int_equal(count, bench_ask(bench, "SELECT count(*) FROM opt_out"));
    return count;
}

static int accept_result(struct bench *bench, const char *to)
{
    struct store_change *change = new_accept(bench, 1, NULL);
    int r;

    fill_message(&change->u.accept.messages[0], to, 1);
    r = apply(bench, change);
    change_free(change);
    return r;
}

/* -- on the list and off it ------------------------------------------------------------------------------------- */

static void a_stop_puts_its_sender_on_the_list_with_the_message_itself_and_is_confirmed_once(void **state)
{
    struct bench *bench = *state;
    int64_t id = hear(bench, CONSENT_STOP, true);

    assert_true(id > 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM inbox WHERE text = 'STOP'"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM opt_out WHERE number = '" HER "' AND source = 'sms' AND word = 'STOP'"
                                      " AND sim_id = 1 AND confirmed_ms = at_ms"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message m JOIN batch b ON b.id = m.batch_id WHERE b.actor = '" OPT_OUT_ACTOR
                                      "' AND m.to_number = '" HER "' AND m.state = 2"), 1);
    assert_int_equal(hear(bench, CONSENT_STOP, true), 0);    /* another message, the same wish */
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM inbox"), 2);
    assert_int_equal(count_of(bench), 1);
    assert_counts_are_exact(bench);
}

static void a_stop_that_a_modem_gives_twice_counts_once_also_after_a_start(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_word(bench, CONSENT_STOP, true);

    assert_int_equal(apply(bench, change), 0);
    bench->now_ms += 1000;
    (void)hear(bench, CONSENT_START, false);
    assert_int_equal(apply(bench, change), 0);
    assert_true(change->u.receive.duplicate);
    assert_int_equal(change->u.receive.confirmation->messages[0].state, 0);
    change_free(change);
    assert_int_equal(count_of(bench), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message"), 1);
}

static void a_start_takes_the_number_off_and_the_next_stop_is_confirmed_anew(void **state)
{
    struct bench *bench = *state;

    (void)hear(bench, CONSENT_START, false);                 /* who is not on it stays off it */
    assert_int_equal(count_of(bench), 0);
    assert_true(hear(bench, CONSENT_STOP, true) > 0);
    assert_int_equal(accept_result(bench, HER), -EPERM);
    (void)hear(bench, CONSENT_START, false);
    assert_int_equal(count_of(bench), 0);
    assert_int_equal(accept_result(bench, HER), 0);
    assert_true(hear(bench, CONSENT_STOP, true) > 0);
    assert_int_equal(count_of(bench), 1);
}

static void without_a_confirmation_the_number_is_on_the_list_all_the_same(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(hear(bench, CONSENT_STOP, false), 0);
    assert_int_equal(count_of(bench), 1);
    assert_int_equal(bench_ask(bench, "SELECT confirmed_ms FROM opt_out"), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message"), 0);
}

static void who_was_put_on_the_list_by_hand_gets_no_confirmation_and_keeps_their_entry(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(by_hand(bench, CHANGE_OPT_OUT_ADD, HER), 1);
    assert_int_equal(by_hand(bench, CHANGE_OPT_OUT_ADD, HER), 0);
    assert_int_equal(hear(bench, CONSENT_STOP, true), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM opt_out WHERE source = 'uid:0' AND word = ''"), 1);
    assert_int_equal(by_hand(bench, CHANGE_OPT_OUT_REMOVE, HER), 0);
    assert_int_equal(by_hand(bench, CHANGE_OPT_OUT_REMOVE, HER), -ENOENT);
    assert_int_equal(count_of(bench), 0);
}

/* -- intake ------------------------------------------------------------------------------------------------------ */

static void a_single_message_to_the_list_is_refused_and_a_batch_keeps_it_as_rejected(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 2, NULL);

    (void)hear(bench, CONSENT_STOP, false);
    assert_int_equal(accept_result(bench, HER), -EPERM);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message") + bench_ask(bench, "SELECT count(*) FROM batch"), 0);
    fill_message(&change->u.accept.messages[0], HER, 1);
    fill_message(&change->u.accept.messages[1], HIM, 1);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.accept.messages[0].state, MESSAGE_REJECTED);
    assert_string_equal(change->u.accept.messages[0].reason_code, OPT_OUT_CODE);
    assert_int_equal(change->u.accept.messages[1].state, MESSAGE_QUEUED);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message WHERE to_number = '" HER "' AND state = 8 AND ended = 1"
                                      " AND reason_code = '" OPT_OUT_CODE "'"), 1);
    assert_counts_are_exact(bench);
    change_free(change);
}

/* The request was read while nobody had said STOP; both come to the store in one list. */
static void a_stop_that_is_committed_with_a_request_goes_before_it_where_it_came_before(void **state)
{
    struct bench *bench = *state;

    for (int stop_first = 0; stop_first <= 1; stop_first++) {
        struct store_change *stop = new_word(bench, CONSENT_STOP, true), *accept = new_accept(bench, 1, NULL);

        fill_message(&accept->u.accept.messages[0], HER, 1);
        (stop_first ? stop : accept)->next = stop_first ? accept : stop;
        assert_int_equal(store_apply(bench->store, stop_first ? stop : accept), 0);
        assert_int_equal(accept->result, stop_first ? -EPERM : 0);
        if (!stop_first)
            assert_int_equal(intend(bench, accept->u.accept.messages[0].id, 0, 1), -EPERM);   /* then it is stopped here */
        change_free(stop);
        change_free(accept);
        bench->now_ms += 1000;
        (void)hear(bench, CONSENT_START, false);
    }
}

/* -- sending ----------------------------------------------------------------------------------------------------- */

static void what_waits_is_rejected_when_its_turn_comes_and_not_before(void **state)
{
    struct bench *bench = *state;
    int64_t queued = accept_one(bench, HER), other = accept_one(bench, HIM);
    struct store_change *change;

    (void)hear(bench, CONSENT_STOP, false);
    assert_int_equal(state_of(bench, queued), MESSAGE_QUEUED);
    change = new_intent(bench, queued, 0, 1);
    assert_int_equal(apply(bench, change), -EPERM);
    assert_int_equal(change->u.intent.message_state, MESSAGE_REJECTED);
    assert_int_equal(change->u.intent.attempt_id, 0);
    change_free(change);
    assert_int_equal(state_of(bench, queued), MESSAGE_REJECTED);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message WHERE state = 8 AND ended = 1 AND reason = '" OPT_OUT_REASON
                                      "' AND reason_code = '" OPT_OUT_CODE "'"), 1);
    assert_int_equal(intend(bench, queued, 0, 1), -ECANCELED);
    assert_true(intend(bench, other, 0, 1) > 0);
    assert_counts_are_exact(bench);
}

static void who_comes_back_in_time_gets_what_waited(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, HER);

    (void)hear(bench, CONSENT_STOP, false);
    (void)hear(bench, CONSENT_START, false);
    assert_true(intend(bench, id, 0, 1) > 0);
}

static void the_confirmation_itself_may_go(void **state)
{
    struct bench *bench = *state;
    int64_t id = hear(bench, CONSENT_STOP, true);

    assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 5), MESSAGE_SENT);
}

static void a_message_that_was_begun_is_finished_and_one_that_was_taken_back_is_not_begun(void **state)
{
    struct bench *bench = *state;
    int64_t begun = accept_parts(bench, HER, 3), back = accept_parts(bench, HER, 3), first = intend(bench, begun, 0, 1);

    (void)finish(bench, first, ATTEMPT_SENT, 5);
    (void)withdraw(bench, intend(bench, back, 0, 1));
    (void)hear(bench, CONSENT_STOP, false);
    assert_int_equal(intend(bench, back, 0, 1), -EPERM);
    (void)finish(bench, intend(bench, begun, 1, 1), ATTEMPT_SENT, 6);
    assert_int_equal(finish(bench, intend(bench, begun, 2, 1), ATTEMPT_SENT, 7), MESSAGE_SENT);
}

/* "Rejected" would say that it never went, and nobody knows that. */
static void what_may_have_been_sent_and_would_go_once_more_stays_unknown(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, HER);
    struct store_change *change = change_new(CHANGE_DECIDE, bench->now_ms);

    (void)finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1);
    change->u.decide.message_id = id;
    change->u.decide.decision = DECISION_RELEASE;
    assert_int_equal(apply(bench, change), 0);
    change_free(change);
    (void)hear(bench, CONSENT_STOP, false);
    change = new_intent(bench, id, 0, 1);
    assert_int_equal(apply(bench, change), -EPERM);
    assert_int_equal(change->u.intent.message_state, MESSAGE_UNKNOWN);
    change_free(change);
    assert_int_equal(state_of(bench, id), MESSAGE_UNKNOWN);
}

/* -- a disk that fails ------------------------------------------------------------------------------------------- */

static bool a_stop_on_a_disk_that_fails(enum fault_mode mode, uint64_t fail_at)
{
    struct bench bench = { .now_ms = T0 };
    struct store_change *change;
    char error[512];
    int64_t heard;
    bool fired;
    int r;

    strcpy(bench.dir, "/tmp/cellpost-store-XXXXXX");
    assert_non_null(mkdtemp(bench.dir));
    snprintf(bench.path, sizeof bench.path, "%s/cellpost.db", bench.dir);
    faults_set(FAULT_ONCE, 0);
    assert_int_equal(store_open(bench.path, "faulty", "t3st", &bench.store, error, sizeof error), 0);
    assert_int_equal(store_reader_open(bench.path, NULL, &bench.reader), 0);
    change = new_word(&bench, CONSENT_STOP, true);
    faults_set(mode, fail_at);
    r = store_apply(bench.store, change);
    fired = faults.fired > 0;
    faults_set(FAULT_ONCE, 0);
    /* All of it or nothing; and all of it where it was acknowledged: the modem forgets the message then. */
    heard = bench_ask(&bench, "SELECT count(*) FROM inbox");
    assert_true(heard == 1 || r != 0);
    assert_int_equal(bench_ask(&bench, "SELECT count(*) FROM opt_out WHERE confirmed_ms > 0"), heard);
    assert_int_equal(bench_ask(&bench, "SELECT count(*) FROM message"), heard);
    /* The gateway tries again with the same change. */
    assert_int_equal(store_apply(bench.store, change), 0);
    assert_int_equal(bench_ask(&bench, "SELECT count(*) FROM inbox"), 1);
    assert_int_equal(bench_ask(&bench, "SELECT count(*) FROM message m JOIN batch b ON b.id = m.batch_id"), 1);
    assert_int_equal(count_of(&bench), 1);
    assert_counts_are_exact(&bench);
    change_free(change);
    bench_close(&bench);
    bench_unlink(&bench);
    assert_int_equal(rmdir(bench.dir), 0);
    return fired;
}

static void message_list_and_confirmation_are_on_the_disk_together_or_not_at_all(void **state)
{
    static const enum fault_mode modes[] = { FAULT_ONCE, FAULT_DEAD, FAULT_TORN, FAULT_FULL };

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        uint64_t n = 1;

        while (a_stop_on_a_disk_that_fails(modes[i], n))
            n++;
        assert_true(n > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(a_stop_puts_its_sender_on_the_list_with_the_message_itself_and_is_confirmed_once),
        behaviour(a_stop_that_a_modem_gives_twice_counts_once_also_after_a_start),
        behaviour(a_start_takes_the_number_off_and_the_next_stop_is_confirmed_anew),
        behaviour(without_a_confirmation_the_number_is_on_the_list_all_the_same),
        behaviour(who_was_put_on_the_list_by_hand_gets_no_confirmation_and_keeps_their_entry),
        behaviour(a_single_message_to_the_list_is_refused_and_a_batch_keeps_it_as_rejected),
        behaviour(a_stop_that_is_committed_with_a_request_goes_before_it_where_it_came_before),
        behaviour(what_waits_is_rejected_when_its_turn_comes_and_not_before),
        behaviour(who_comes_back_in_time_gets_what_waited),
        behaviour(the_confirmation_itself_may_go),
        behaviour(a_message_that_was_begun_is_finished_and_one_that_was_taken_back_is_not_begun),
        behaviour(what_may_have_been_sent_and_would_go_once_more_stays_unknown),
        cmocka_unit_test(message_list_and_confirmation_are_on_the_disk_together_or_not_at_all),
    };

    faulty_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
