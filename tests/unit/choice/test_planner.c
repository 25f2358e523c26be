/* SPDX-License-Identifier: Apache-2.0 */
#include "src/choice/planner.h"
#include "tests/unit/choice/rig.h"

#define BUNDLED "89330000000000000001"
#define PLAIN "89330000000000000002"
#define HOUR_MS 3600000u
#define ROMANIA "40712345678"
#define FRANCE "33612345678"
#define MORNING_PARTS 20
#define EVENING_PARTS 10

/* Ten parts a day of the one are free. To Romania all cost the same beyond that; to France it is ten times as dear. */
static const char prices[] = "kind,plan,currency,prefix,price,prefixes,name,parts,period\n"
                             "price,bundled,EUR,33,0.20,,,,\n"
                             "price,bundled,EUR,40,0.02,,,,\n"
                             "price,plain,EUR,33,0.20,,,,\n"
                             "price,plain,EUR,40,0.02,,,,\n"
                             "bundle,bundled,,,,33|40,ten,10,day\n";

struct scene { struct rig rig; struct planner *planner; uint16_t bundled, plain; };

static void begin(struct scene *scene)
{
    rig_init(&scene->rig);
    scene->rig.now.wall_ms = INT64_C(1795046400000);   /* 2026-11-19 00:00 UTC, a Thursday */
    rig_tariffs(&scene->rig, prices);
    (void)rig_sim(&scene->rig, BUNDLED, "bundled");
    (void)rig_sim(&scene->rig, PLAIN, "plain");
    rig_start(&scene->rig);
    scene->bundled = rig_bearer(&scene->rig, BUNDLED);
    scene->plain = rig_bearer(&scene->rig, PLAIN);
    scene->planner = planner_new();
    assert_non_null(scene->planner);
}

static void end(struct scene *scene)
{
    planner_free(scene->planner);
    rig_done(&scene->rig);
}

static void look(struct scene *scene)
{
    do
        (void)planner_poll(scene->planner, scene->rig.chooser, &scene->rig.queue, scene->rig.now);
    while (planner_is_busy(scene->planner));
}

static void count(struct scene *scene, const char *number, unsigned parts)
{
    for (unsigned i = 0; i < parts; i++) {
        struct queue_item item = rig_item(&scene->rig, number, 0);

        planner_count(scene->planner, scene->rig.chooser, &item, scene->rig.now);
    }
}

/* From midnight to midnight: Romania in the morning, France in the evening. */
static void live_a_day(struct scene *scene)
{
    for (unsigned hour = 0; hour < 24; hour++) {
        if (hour == 8)
            count(scene, ROMANIA, MORNING_PARTS);
        if (hour == 20)
            count(scene, FRANCE, EVENING_PARTS);
        look(scene);
        rig_pass(&scene->rig, HOUR_MS);
    }
    look(scene);
}

static uint16_t best_for(struct scene *scene, const char *number, struct chooser_judgement *ret_judgement)
{
    struct queue_item item = rig_item(&scene->rig, number, 0);

    item.class_id = chooser_classify(scene->rig.chooser, &item, scene->rig.now);
    return chooser_best(scene->rig.chooser, &item, scene->rig.now, ret_judgement);
}

static void assert_keeps_the_bundle(struct scene *scene)
{
    struct chooser_judgement judgement;

    assert_int_equal(best_for(scene, ROMANIA, &judgement), scene->plain);
    assert_int_equal(judgement.price_micro, 20000);
    assert_int_equal(best_for(scene, FRANCE, &judgement), scene->bundled);
    assert_int_equal(judgement.price_micro, 0);
    assert_true(judgement.shadow_micro > 0);
}

static void assert_adds_nothing(struct scene *scene)
{
    struct chooser_judgement judgement;

    assert_int_equal(best_for(scene, ROMANIA, &judgement), scene->bundled);
    assert_int_equal(judgement.price_micro, 0);
    assert_int_equal(judgement.shadow_micro, 0);
}

static void the_bundle_is_kept_for_what_the_evening_will_bring(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    live_a_day(&scene);                  /* Thursday; Friday is a working day as well */
    rig_pass(&scene.rig, 7 * HOUR_MS);
    look(&scene);
    assert_keeps_the_bundle(&scene);
    end(&scene);
}

static void before_a_day_was_learnt_the_prices_are_those_of_the_tariffs(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    rig_pass(&scene.rig, 8 * HOUR_MS);
    count(&scene, FRANCE, 100);
    look(&scene);
    assert_adds_nothing(&scene);
    end(&scene);
}

static void a_day_in_which_the_clock_was_set_is_not_learnt(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    for (unsigned hour = 0; hour < 24; hour++) {
        if (hour == 8)
            count(&scene, ROMANIA, MORNING_PARTS);
        if (hour == 12)
            scene.rig.now.wall_ms += 120000;
        if (hour == 20)
            count(&scene, FRANCE, EVENING_PARTS);
        look(&scene);
        rig_pass(&scene.rig, HOUR_MS);
    }
    look(&scene);
    assert_adds_nothing(&scene);
    live_a_day(&scene);
    rig_pass(&scene.rig, 7 * HOUR_MS);
    look(&scene);
    assert_keeps_the_bundle(&scene);     /* the next day was learnt */
    end(&scene);
}

static void saturdays_are_expected_to_be_as_saturdays_were(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    live_a_day(&scene);
    live_a_day(&scene);
    rig_pass(&scene.rig, 7 * HOUR_MS);   /* the first Saturday: as the days that are known */
    look(&scene);
    assert_keeps_the_bundle(&scene);
    for (unsigned hour = 0; hour < 24 * 7; hour++) {   /* which brings nothing; nor does the week */
        look(&scene);
        rig_pass(&scene.rig, HOUR_MS);
    }
    look(&scene);                        /* the second one */
    assert_adds_nothing(&scene);
    end(&scene);
}

static void where_there_is_enough_for_all_nothing_is_added(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene);
    for (unsigned hour = 0; hour < 24; hour++) {
        if (hour == 8)
            count(&scene, ROMANIA, 3);
        if (hour == 20)
            count(&scene, FRANCE, 3);
        look(&scene);
        rig_pass(&scene.rig, HOUR_MS);
    }
    look(&scene);
    assert_adds_nothing(&scene);
    end(&scene);
}

static void what_was_learnt_outlives_a_start(void **state)
{
    struct scene scene, again;
    char key[PLANNER_KEY_MAX], text[PLANNER_TEXT_MAX];

    (void)state;
    begin(&scene);
    begin(&again);
    live_a_day(&scene);
    assert_true(planner_wants_saving(scene.planner));
    assert_int_equal(planner_row_count(scene.planner), 3);   /* two kinds, and the day under way */
    for (size_t i = 0; i < planner_row_count(scene.planner); i++) {
        planner_row(scene.planner, i, key, text);
        assert_int_equal(planner_load_row(again.planner, key, text), 0);
    }
    planner_saved(scene.planner);
    assert_false(planner_wants_saving(scene.planner));
    rig_pass(&again.rig, 24 * HOUR_MS + 7 * HOUR_MS);
    look(&again);
    assert_keeps_the_bundle(&again);
    end(&scene);
    end(&again);
}

static void a_row_that_is_none_is_told_and_changes_nothing(void **state)
{
    static const char *const rows[][2] = {
        { "", "1" }, { "33x", "1" }, { "+33", "1" }, { "33", "" }, { "33", "nothing of ours" }, { "day", "" }, { "day", "soon 0 0" },
        { "day", "99999999 0 0" }, { "+1", "1" }, { "123456789012345678901", "1" },
    };
    struct scene scene;

    (void)state;
    begin(&scene);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(planner_load_row(scene.planner, rows[i][0], rows[i][1]), -EINVAL);
    assert_int_equal(planner_row_count(scene.planner), 0);
    look(&scene);
    assert_adds_nothing(&scene);
    end(&scene);
}

static void kinds_have_a_bound(void **state)
{
    struct forecast forecast;
    char key[PLANNER_KEY_MAX], text[PLANNER_TEXT_MAX];
    struct scene scene;

    (void)state;
    begin(&scene);
    forecast_init(&forecast);
    (void)forecast_save(&forecast, text);
    for (unsigned i = 0; i < PLANNER_KINDS_MAX; i++) {
        (void)snprintf(key, sizeof key, "%u", 1000 + i);
        assert_int_equal(planner_load_row(scene.planner, key, text), 0);
    }
    assert_int_equal(planner_load_row(scene.planner, "2000", text), -ENOSPC);
    assert_int_equal(planner_load_row(scene.planner, "1001", text), 0);
    count(&scene, FRANCE, 1);            /* finds no room: nothing of it is learnt */
    assert_int_equal(planner_row_count(scene.planner), PLANNER_KINDS_MAX + 1);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bundle_is_kept_for_what_the_evening_will_bring),
        cmocka_unit_test(before_a_day_was_learnt_the_prices_are_those_of_the_tariffs),
        cmocka_unit_test(a_day_in_which_the_clock_was_set_is_not_learnt),
        cmocka_unit_test(saturdays_are_expected_to_be_as_saturdays_were),
        cmocka_unit_test(where_there_is_enough_for_all_nothing_is_added),
        cmocka_unit_test(what_was_learnt_outlives_a_start),
        cmocka_unit_test(a_row_that_is_none_is_told_and_changes_nothing),
        cmocka_unit_test(kinds_have_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
