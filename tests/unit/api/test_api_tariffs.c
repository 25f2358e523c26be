/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tariffs and routes were in force. */
#include "tests/unit/api/rig.h"

static void keep(struct rig *rig, uint8_t hash, const char *files)
{
    struct store_change *change = change_new(CHANGE_ROUTING, rig->now_ms);

    change->u.routing.sha256[0] = hash;
    change->u.routing.files = strdup(files);
    rig_apply(rig, change);
    change_free(change);
}

static void versions_are_listed_without_their_texts_and_shown_with_them(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_get(rig, "/v1/tariffs", NULL);

    (void)state;
    assert_int_equal(answer.response.status, 200);
    assert_int_equal(json_array_size(at(&answer, "versions")), 0);
    answer_done(&answer);
    keep(rig, 0xA1, "[{\"kind\":\"tariffs\",\"name\":\"/t.csv\",\"bytes\":3,\"sha256\":\"ab\",\"text\":\"a,b\"}]");
    keep(rig, 0xB2, "[{\"kind\":\"routes\",\"name\":\"/r.csv\",\"bytes\":4,\"sha256\":\"cd\"}]");

    answer = ask_get(rig, "/v1/tariffs", NULL);
    assert_int_equal(json_array_size(at(&answer, "versions")), 2);
    assert_int_equal(number_at(&answer, "versions/0/id"), 2);   /* the newest first */
    assert_int_equal(number_at(&answer, "versions/1/id"), 1);
    assert_string_equal(text_at(&answer, "versions/1/files/0/name"), "/t.csv");
    assert_null(at(&answer, "versions/1/files/0/text"));
    assert_memory_equal(text_at(&answer, "versions/1/sha256"), "a100", 4);
    answer_done(&answer);

    answer = ask_get(rig, "/v1/tariffs/1", NULL);
    assert_int_equal(answer.response.status, 200);
    assert_string_equal(text_at(&answer, "files/0/text"), "a,b");
    assert_int_equal(number_at(&answer, "files/0/bytes"), 3);
    answer_done(&answer);
    rig_free(rig);
}

static void a_version_that_is_not_there_is_not_found(void **state)
{
    static const char *const paths[] = { "/v1/tariffs/1", "/v1/tariffs/x", "/v1/tariffs/-1", "/v1/tariffs/99999999999999999999", "/v1/tariffs/1%20" };
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct answer answer = ask_get(rig, paths[i], NULL);

        assert_problem(&answer, 404, "no_such_version", NULL);
        answer_done(&answer);
    }
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_listed_without_their_texts_and_shown_with_them),
        cmocka_unit_test(a_version_that_is_not_there_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
