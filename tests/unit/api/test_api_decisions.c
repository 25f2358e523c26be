/* SPDX-License-Identifier: Apache-2.0
 *
 * What the owner of a message decides: cancel, release, drop; and how a message in doubt shows. */
#include "tests/unit/api/modem_work.h"

#include <errno.h>

#define DAY_MS 86400000

static struct answer decide(struct rig *rig, const char *verb, const char *id)
{
    char path[96];

    (void)snprintf(path, sizeof path, "/v1/messages/%s/%s", id, verb);
    return ask(rig, &(struct ask){ .method = "POST", .path = path });
}

static void assert_decided(struct rig *rig, const char *verb, const char *id, const char *state)
{
    struct answer answer = decide(rig, verb, id);

    if (answer.response.status != 200 || strcmp(text_at(&answer, "state"), state) != 0)
        fail_msg("%s: wanted 200 %s, got %.300s", verb, state, answer.response.body);
    assert_string_equal(text_at(&answer, "id"), id);
    answer_done(&answer);
}

static void assert_not_in_doubt(struct rig *rig, const char *verb, const char *id, const char *state)
{
    struct answer answer = decide(rig, verb, id);

    assert_problem(&answer, 409, "not_in_doubt", NULL);
    assert_string_equal(text_at(&answer, "state"), state);
    answer_done(&answer);
}

static void assert_shown(struct rig *rig, const char *id, const char *path, const char *text)
{
    struct answer answer = show(rig, id);

    if (strcmp(text_at(&answer, path), text) != 0)
        fail_msg("%s is not %s in %.1500s", path, text, answer.response.body);
    answer_done(&answer);
}

/* A message whose first part was handed over, and no answer came. Returns the attempt. */
static int64_t send_in_doubt(struct rig *rig, const char *body, char ret_id[ID_TEXT_MAX])
{
    int64_t attempt;

    rig_send(rig, body, ret_id);
    rig->now_ms += 1000;
    attempt = rig_intent(rig, ret_id, 0);
    rig->now_ms += 1000;
    rig_outcome(rig, attempt, ATTEMPT_UNKNOWN, -1, -1, OUTCOME_DONE);
    return attempt;
}

static void pass(struct rig *rig, int64_t ms)
{
    struct store_change *change = change_new(CHANGE_DUE, rig->now_ms + ms);

    change->u.due.limit = 10;
    rig_apply(rig, change);
    assert_int_equal(change->result, 0);
    change_free(change);
    rig->now_ms += ms;
}

#define ONE "{\"to\":\"+40700000001\",\"text\":\"hello\"}"
#define ALARM "{\"to\":\"+40700000001\",\"text\":\"hello\",\"policy\":\"at_least_once\"}"

static void two_parts_body(char ret_body[320], const char *more)
{
    (void)snprintf(ret_body, 320, "{\"to\":\"+40700000001\",\"text\":\"%0200d\"%s}", 7, more);
}

/* -- cancel ---------------------------------------------------------------------------------------------------- */

static struct answer cancel(struct rig *rig, const char *id, bool by_delete)
{
    char path[96];

    if (!by_delete)
        return decide(rig, "cancel", id);
    (void)snprintf(path, sizeof path, "/v1/messages/%s", id);
    return ask(rig, &(struct ask){ .method = "DELETE", .path = path });
}

static void both_ways_to_cancel_do_the_same(void **state)
{
    (void)state;
    for (int by_delete = 0; by_delete < 2; by_delete++) {
        struct rig *rig = rig_new(NULL);
        char id[ID_TEXT_MAX];
        struct answer answer;

        rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"hello\"}", id);
        answer = cancel(rig, id, by_delete);
        assert_int_equal(answer.response.status, 200);
        assert_string_equal(text_at(&answer, "state"), "cancelled");
        assert_string_equal(text_at(&answer, "id"), id);
        answer_done(&answer);
        answer = cancel(rig, id, by_delete);
        assert_problem(&answer, 409, "already_final", NULL);
        assert_string_equal(text_at(&answer, "state"), "cancelled");
        answer_done(&answer);
        answer = show(rig, id);
        assert_string_equal(text_at(&answer, "parts/0/state"), "cancelled");
        answer_done(&answer);

        rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"hello\"}", id);
        (void)rig_intent(rig, id, 0);
        answer = cancel(rig, id, by_delete);
        assert_problem(&answer, 409, "already_handed_over", NULL);
        assert_string_equal(text_at(&answer, "state"), "sending");
        answer_done(&answer);
        answer = cancel(rig, "ab12-m77", by_delete);
        assert_problem(&answer, 404, "no_such_message", NULL);
        answer_done(&answer);
        answer = cancel(rig, "what", by_delete);
        assert_problem(&answer, 404, "no_such_message", NULL);
        answer_done(&answer);
        rig->store_error = -EIO;
        answer = cancel(rig, id, by_delete);
        assert_problem(&answer, 503, "storage_error", NULL);
        answer_done(&answer);
        rig_free(rig);
    }
}

static void what_was_released_and_is_taken_back_is_unknown_and_what_never_went_is_cancelled(void **state)
{
    struct rig *rig = rig_new(NULL);
    char id[ID_TEXT_MAX], body[320];

    (void)state;
    two_parts_body(body, ",\"policy\":\"at_least_once\"");
    (void)send_in_doubt(rig, body, id);
    assert_shown(rig, id, "state", "queued");
    assert_decided(rig, "cancel", id, "unknown");
    assert_shown(rig, id, "parts/0/state", "unknown");
    assert_shown(rig, id, "parts/1/state", "cancelled");
    assert_not_in_doubt(rig, "release", id, "unknown");
    rig_free(rig);
}

/* -- release --------------------------------------------------------------------------------------------------- */

static void what_is_released_waits_again_and_shows_both_attempts(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    char id[ID_TEXT_MAX];

    (void)state;
    (void)send_in_doubt(rig, ONE, id);
    assert_shown(rig, id, "parts/0/state", "unknown");
    assert_decided(rig, "release", id, "queued");
    answer = show(rig, id);
    assert_string_equal(text_at(&answer, "state"), "queued");
    assert_string_equal(text_at(&answer, "parts/0/state"), "queued");
    assert_int_equal(number_at(&answer, "parts/0/attempts"), 1);
    assert_string_equal(text_at(&answer, "parts/0/attempt_log/0/state"), "released");
    assert_true(strlen(text_at(&answer, "parts/0/attempt_log/0/reason")) > 0);
    assert_string_equal(text_at(&answer, "history/2/state"), "unknown");
    assert_string_equal(text_at(&answer, "history/3/state"), "queued");
    assert_non_null(strstr(text_at(&answer, "history/3/reason"), "released"));
    answer_done(&answer);

    rig->now_ms += 1000;
    rig_outcome(rig, rig_intent(rig, id, 0), ATTEMPT_SENT, 21, -1, OUTCOME_DONE);
    answer = show(rig, id);
    assert_string_equal(text_at(&answer, "state"), "sent");
    assert_string_equal(text_at(&answer, "parts/0/state"), "sent");
    assert_int_equal(number_at(&answer, "parts/0/mr"), 21);
    assert_int_equal(number_at(&answer, "parts/0/attempts"), 2);
    assert_null(at(&answer, "parts/0/reason"));
    answer_done(&answer);
    assert_not_in_doubt(rig, "release", id, "sent");
    rig_free(rig);
}

static void only_the_parts_in_doubt_wait_again(void **state)
{
    struct rig *rig = rig_new(NULL);
    char id[ID_TEXT_MAX], body[320];

    (void)state;
    two_parts_body(body, "");
    (void)send_in_doubt(rig, body, id);
    rig_outcome(rig, rig_intent(rig, id, 1), ATTEMPT_SENT, 9, -1, OUTCOME_DONE);
    assert_shown(rig, id, "state", "unknown");
    assert_decided(rig, "release", id, "queued");
    assert_shown(rig, id, "parts/0/state", "queued");
    assert_shown(rig, id, "parts/1/state", "sent");
    rig_free(rig);
}

static void a_late_answer_to_the_first_attempt_speaks_for_its_part_whatever_became_of_the_second(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    char id[ID_TEXT_MAX];
    int64_t first = send_in_doubt(rig, ONE, id);

    (void)state;
    assert_decided(rig, "release", id, "queued");
    rig_outcome(rig, rig_intent(rig, id, 0), ATTEMPT_UNKNOWN, -1, -1, OUTCOME_DONE);
    assert_shown(rig, id, "parts/0/state", "unknown");
    rig_outcome(rig, first, ATTEMPT_SENT, 33, -1, OUTCOME_DONE);
    answer = show(rig, id);
    assert_string_equal(text_at(&answer, "state"), "sent");
    assert_string_equal(text_at(&answer, "parts/0/state"), "sent");
    assert_int_equal(number_at(&answer, "parts/0/mr"), 33);
    assert_int_equal(number_at(&answer, "parts/0/attempts"), 2);
    answer_done(&answer);
    rig_free(rig);
}

static void a_resend_that_is_refused_leaves_its_part_unknown(void **state)
{
    struct rig *rig = rig_new(NULL);
    char id[ID_TEXT_MAX];

    (void)state;
    (void)send_in_doubt(rig, ALARM, id);
    assert_shown(rig, id, "parts/0/state", "queued");   /* released by its policy, not by a person */
    assert_shown(rig, id, "parts/0/attempt_log/0/state", "released");
    rig->now_ms += 60000;
    rig_outcome(rig, rig_intent(rig, id, 0), ATTEMPT_REFUSED, -1, 1, OUTCOME_FAIL);
    assert_shown(rig, id, "state", "unknown");
    assert_shown(rig, id, "parts/0/state", "unknown");
    assert_shown(rig, id, "parts/0/attempt_log/1/state", "refused");
    assert_not_in_doubt(rig, "drop", id, "unknown");
    rig_free(rig);
}

/* -- drop ------------------------------------------------------------------------------------------------------ */

static void what_is_dropped_stays_unknown_and_can_no_longer_be_released(void **state)
{
    struct rig *rig = rig_new(NULL);
    char id[ID_TEXT_MAX];

    (void)state;
    (void)send_in_doubt(rig, ONE, id);
    assert_decided(rig, "drop", id, "unknown");
    assert_shown(rig, id, "state", "unknown");
    assert_shown(rig, id, "parts/0/state", "unknown");
    assert_not_in_doubt(rig, "release", id, "unknown");
    assert_not_in_doubt(rig, "drop", id, "unknown");
    pass(rig, 3 * (int64_t)DAY_MS);
    assert_shown(rig, id, "state", "unknown");
    rig_free(rig);
}

/* -- held ------------------------------------------------------------------------------------------------------ */

static void what_is_held_is_found_counted_and_released_or_dropped(void **state)
{
    static const struct { const char *verb, *state; } rows[] = { { "release", "queued" }, { "drop", "unknown" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *rig = rig_new(NULL);
        char id[ID_TEXT_MAX];
        struct answer answer;

        (void)send_in_doubt(rig, ONE, id);
        pass(rig, DAY_MS + 599000 - 2000);   /* the validity, and ten minutes more */
        assert_shown(rig, id, "state", "unknown");
        pass(rig, 2000);
        assert_shown(rig, id, "state", "held");
        assert_shown(rig, id, "parts/0/state", "held");
        assert_shown(rig, id, "parts/0/attempt_log/0/state", "unknown");
        answer = ask_get(rig, "/v1/messages", "state=held");
        assert_int_equal(json_array_size(at(&answer, "messages")), 1);
        assert_string_equal(text_at(&answer, "messages/0/id"), id);
        answer_done(&answer);
        answer = ask_get(rig, "/metrics", NULL);
        assert_non_null(strstr(answer.response.body, "\ncellpost_messages{state=\"held\"} 1\n"));
        assert_non_null(strstr(answer.response.body, "\ncellpost_messages{state=\"unknown\"} 0\n"));
        answer_done(&answer);

        assert_decided(rig, rows[i].verb, id, rows[i].state);
        assert_shown(rig, id, "parts/0/state", rows[i].state);
        answer = ask_get(rig, "/v1/messages", "state=held");
        assert_int_equal(json_array_size(at(&answer, "messages")), 0);
        answer_done(&answer);
        rig_free(rig);
    }
}

static void a_late_answer_settles_also_what_is_held(void **state)
{
    struct rig *rig = rig_new(NULL);
    char id[ID_TEXT_MAX];
    int64_t attempt = send_in_doubt(rig, ONE, id);

    (void)state;
    pass(rig, 2 * (int64_t)DAY_MS);
    assert_shown(rig, id, "state", "held");
    rig_outcome(rig, attempt, ATTEMPT_SENT, 12, -1, OUTCOME_DONE);
    assert_shown(rig, id, "state", "sent");
    assert_shown(rig, id, "parts/0/state", "sent");
    assert_not_in_doubt(rig, "release", id, "sent");
    rig_free(rig);
}

/* -- refused --------------------------------------------------------------------------------------------------- */

static void nothing_but_a_doubt_can_be_released_or_dropped(void **state)
{
    static const char *const verbs[] = { "release", "drop" };
    struct rig *rig = rig_new(NULL);
    char queued[ID_TEXT_MAX], scheduled[ID_TEXT_MAX], sending[ID_TEXT_MAX], delivered[ID_TEXT_MAX], cancelled[ID_TEXT_MAX];

    (void)state;
    rig_send(rig, ONE, queued);
    rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"later\",\"schedule_at\":\"2026-01-01T00:00:00Z\"}", scheduled);
    rig_send(rig, ONE, sending);
    (void)rig_intent(rig, sending, 0);
    rig_send(rig, ONE, delivered);
    rig_outcome(rig, rig_intent(rig, delivered, 0), ATTEMPT_SENT, 5, -1, OUTCOME_DONE);
    rig_report(rig, 5, 0);
    rig_send(rig, ONE, cancelled);
    assert_decided(rig, "cancel", cancelled, "cancelled");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        assert_not_in_doubt(rig, verbs[i], queued, "queued");
        assert_not_in_doubt(rig, verbs[i], scheduled, "scheduled");
        assert_not_in_doubt(rig, verbs[i], sending, "sending");
        assert_not_in_doubt(rig, verbs[i], delivered, "delivered");
        assert_not_in_doubt(rig, verbs[i], cancelled, "cancelled");
    }
    rig_free(rig);
}

static void what_is_not_there_or_cannot_be_stored_is_refused_as_elsewhere(void **state)
{
    static const char *const verbs[] = { "cancel", "release", "drop" };
    static const struct { int error, status; const char *code; } failures[] = {
        { -EIO, 503, "storage_error" }, { -ENOSPC, 503, "storage_full" }, { -ESHUTDOWN, 503, "stopping" },
    };
    struct rig *rig = rig_new(NULL);
    char id[ID_TEXT_MAX];
    struct answer answer;

    (void)state;
    (void)send_in_doubt(rig, ONE, id);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        static const char *const nobody[] = { "ab12-m77", "what", "ab12-i1", "zz99-m1" };
        for (size_t k = 0; k < sizeof nobody / sizeof nobody[0]; k++) {
            answer = decide(rig, verbs[i], nobody[k]);
            assert_problem(&answer, 404, "no_such_message", NULL);
            answer_done(&answer);
        }
        for (size_t k = 0; k < sizeof failures / sizeof failures[0]; k++) {
            rig->store_error = failures[k].error;
            answer = decide(rig, verbs[i], id);
            assert_problem(&answer, failures[k].status, failures[k].code, NULL);
            answer_done(&answer);
            rig->store_error = 0;
        }
    }
    assert_shown(rig, id, "state", "unknown");
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_to_cancel_do_the_same),
        cmocka_unit_test(what_was_released_and_is_taken_back_is_unknown_and_what_never_went_is_cancelled),
        cmocka_unit_test(what_is_released_waits_again_and_shows_both_attempts),
        cmocka_unit_test(only_the_parts_in_doubt_wait_again),
        cmocka_unit_test(a_late_answer_to_the_first_attempt_speaks_for_its_part_whatever_became_of_the_second),
        cmocka_unit_test(a_resend_that_is_refused_leaves_its_part_unknown),
        cmocka_unit_test(what_is_dropped_stays_unknown_and_can_no_longer_be_released),
        cmocka_unit_test(what_is_held_is_found_counted_and_released_or_dropped),
        cmocka_unit_test(a_late_answer_settles_also_what_is_held),
        cmocka_unit_test(nothing_but_a_doubt_can_be_released_or_dropped),
        cmocka_unit_test(what_is_not_there_or_cannot_be_stored_is_refused_as_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
