/* SPDX-License-Identifier: Apache-2.0
 *
 * Surveys while memory runs out: what one is told is right, or it is an error. */
#include "tests/unit/choice/rig.h"

#include <errno.h>

#include "src/choice/survey.h"
#include "tests/unit/faulty_memory.h"

#define FAR_AWAY 10000
#define ONE "8900000000000000001"
#define TWO "8900000000000000002"
#define MONTHS_MS (INT64_C(90) * 86400000)

static struct survey make(enum survey_kind kind, int64_t at_ms)
{
    struct survey survey = { .kind = kind, .ask = { .to_key = digits_pack("33612345678", 11, NULL), .parts = 2, .at_ms = at_ms } };

    if (kind == SURVEY_QUOTE) {
        survey.line_count = 3;
        survey.lines = calloc(survey.line_count, sizeof *survey.lines);
        for (uint32_t i = 0; i < survey.line_count; i++)
            survey.lines[i].ask = survey.ask;
    }
    return survey;
}

static void assert_right(const struct survey *survey, int64_t at_ms)
{
    int64_t price_micro = at_ms != 0 ? 80000 : 100000;

    if (survey->kind == SURVEY_EXPLAIN) {
        assert_int_equal(survey->candidate_count, 2);
        assert_int_equal(survey->when, SURVEY_NOW);
        assert_int_equal(survey->candidates[0].price_micro, price_micro);
    } else if (survey->kind == SURVEY_QUOTE) {
        for (uint32_t i = 0; i < survey->line_count; i++)
            assert_int_equal(survey->lines[i].price_micro, price_micro);
    } else {
        assert_int_equal(survey->bearer_count, 2);
        assert_string_equal(survey->bearers[0].tags, "a\nb\n");
    }
}

static void what_is_told_is_right_or_an_error(void **state)
{
    static const struct { enum survey_kind kind; int64_t at_ms; } rows[] = {
        { SURVEY_EXPLAIN, 0 }, { SURVEY_EXPLAIN, RIG_WALL_MS + MONTHS_MS }, { SURVEY_QUOTE, 0 }, { SURVEY_QUOTE, RIG_WALL_MS + MONTHS_MS }, { SURVEY_CARDS, 0 },
    };
    static const char *tags[] = { "a", "b" };
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_tariffs(&rig, "plan,currency,prefix,price,valid_from,valid_until\none,EUR,33,0.05,,2026-12-31\none,EUR,33,0.30,2027-01-01,\ntwo,EUR,336,0.04,2027-01-01,\n");
    rig_sim(&rig, ONE, "one")->tags = tags;
    rig.sims[0].tag_count = 2;
    (void)rig_sim(&rig, TWO, "two");
    rig_start(&rig);
    (void)rig_bearer(&rig, ONE);
    (void)rig_bearer(&rig, TWO);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int lack = 0; lack < MEMORY_LACKS; lack++) {
            uint64_t n = 1;

            for (; n < FAR_AWAY; n++) {
                struct survey survey = make(rows[i].kind, rows[i].at_ms);
                bool failed;

                assert_int_equal(chooser_configure(rig.chooser, &rig.routing, rig.now), 0);   /* nothing is known from the last time */
                memory_fail(MEMORY_OWN, (enum memory_lack)lack, n);
                while (survey_step(&survey, rig.chooser, rig.now))
                    continue;
                failed = memory_works();
                assert_true(survey.error == 0 || (failed && survey.error == -ENOMEM));
                if (survey.error == 0)
                    assert_right(&survey, rows[i].at_ms);
                survey_done(&survey);
                if (!failed)
                    break;
            }
            assert_true(n > 1 && n < FAR_AWAY);
        }
    }
    rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_told_is_right_or_an_error) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
