/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "src/routing/forecast.h"

enum { WORKING, SATURDAY };

static void learn_day(struct forecast *forecast, unsigned kind, unsigned hour, unsigned parts)
{
    for (unsigned i = 0; i < parts; i++)
        forecast_count(forecast, hour, 1);
    forecast_end_day(forecast, kind);
}

static void hours_are_averaged_by_the_kind_of_day(void **state)
{
    struct forecast forecast;

    (void)state;
    forecast_init(&forecast);
    assert_true(forecast_parts(&forecast, WORKING, 9) == 0);
    learn_day(&forecast, WORKING, 9, 100);
    assert_true(forecast_parts(&forecast, SATURDAY, 9) == 100);   /* none was seen yet */
    learn_day(&forecast, WORKING, 9, 200);
    learn_day(&forecast, SATURDAY, 9, 10);
    assert_true(forecast_parts(&forecast, WORKING, 9) == 150);
    assert_true(forecast_parts(&forecast, SATURDAY, 9) == 10);
    assert_true(forecast_parts(&forecast, WORKING, 10) == 0);
}

static void what_changes_is_followed(void **state)
{
    struct forecast forecast;

    (void)state;
    forecast_init(&forecast);
    for (unsigned day = 0; day < 50; day++)
        learn_day(&forecast, WORKING, 9, 100);
    for (unsigned day = 0; day < 3 * FORECAST_DAYS; day++)
        learn_day(&forecast, WORKING, 9, 300);
    assert_true(forecast_parts(&forecast, WORKING, 9) > 285);
    assert_true(forecast_parts(&forecast, WORKING, 9) <= 300);
}

static void a_busy_day_is_expected_to_stay_so_and_a_campaign_is_not(void **state)
{
    struct forecast busy, campaign;

    (void)state;
    forecast_init(&busy);
    for (unsigned hour = 0; hour < 24; hour++)
        forecast_count(&busy, hour, 100);
    forecast_end_day(&busy, WORKING);
    campaign = busy;
    assert_true(forecast_factor(&busy, WORKING, 0) == 1);
    for (unsigned hour = 0; hour < 12; hour++) {
        forecast_count(&busy, hour, 115);
        forecast_count(&campaign, hour, hour == 5 ? 5000 : 100);
    }
    assert_true(forecast_factor(&busy, WORKING, 12) > 1.07 && forecast_factor(&busy, WORKING, 12) < 1.15);
    assert_true(forecast_factor(&campaign, WORKING, 12) < 1.02);
    forecast_init(&busy);
    assert_true(forecast_factor(&busy, WORKING, 12) == 1);
}

static void it_is_saved_and_loaded_and_goes_on_the_same(void **state)
{
    char text[FORECAST_TEXT_MAX], again[FORECAST_TEXT_MAX];
    struct forecast forecast, loaded;
    size_t length;

    (void)state;
    forecast_init(&forecast);
    learn_day(&forecast, WORKING, 9, 100);
    learn_day(&forecast, WORKING, 10, 33);
    learn_day(&forecast, 6, 23, 7);
    forecast_count(&forecast, 4, 5);
    length = forecast_save(&forecast, text);
    assert_int_equal(length, strlen(text));
    assert_int_equal(forecast_load(text, &loaded), 0);
    assert_memory_equal(&loaded.mean_milli, &forecast.mean_milli, sizeof forecast.mean_milli);
    learn_day(&forecast, WORKING, 9, 50);
    learn_day(&loaded, WORKING, 9, 50);
    (void)forecast_save(&forecast, text);
    (void)forecast_save(&loaded, again);
    assert_string_equal(text, again);
}

static void the_longest_text_fits_and_an_hour_has_a_bound(void **state)
{
    char text[FORECAST_TEXT_MAX];
    struct forecast forecast;

    (void)state;
    forecast_init(&forecast);
    for (unsigned kind = 0; kind < FORECAST_KINDS; kind++)
        for (unsigned day = 0; day < FORECAST_DAYS + 1; day++) {
            for (unsigned hour = 0; hour < FORECAST_HOURS; hour++)
                forecast_count(&forecast, hour, UINT32_MAX);
            forecast_end_day(&forecast, kind);
        }
    for (unsigned hour = 0; hour < FORECAST_HOURS; hour++)
        forecast_count(&forecast, hour, UINT32_MAX);
    assert_true(forecast_parts(&forecast, 0, 0) == FORECAST_HOUR_PARTS_MAX);
    assert_true(forecast_save(&forecast, text) < FORECAST_TEXT_MAX);
    assert_int_equal(forecast_load(text, &forecast), 0);
}

static void what_is_no_forecast_is_refused_at_every_length(void **state)
{
    static const char *const wrong[] = { "", "forecast2 0", "forecast1", "forecast1 11", "forecast1 -1", "forecast1 0 0 0 0 0 0 x" };
    char text[FORECAST_TEXT_MAX], longer[FORECAST_TEXT_MAX + 2];
    struct forecast forecast, kept;
    size_t length;

    (void)state;
    forecast_init(&forecast);
    learn_day(&forecast, WORKING, 9, 100);
    length = forecast_save(&forecast, text);
    kept = forecast;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(forecast_load(wrong[i], &forecast), -EINVAL);
    (void)snprintf(longer, sizeof longer, "%s ", text);
    assert_int_equal(forecast_load(longer, &forecast), -EINVAL);
    for (size_t cut = 0; cut < length; cut++) {
        (void)memcpy(longer, text, cut);
        longer[cut] = '\0';
        assert_int_equal(forecast_load(longer, &forecast), -EINVAL);
    }
    assert_memory_equal(&forecast, &kept, sizeof kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_are_averaged_by_the_kind_of_day),
        cmocka_unit_test(what_changes_is_followed),
        cmocka_unit_test(a_busy_day_is_expected_to_stay_so_and_a_campaign_is_not),
        cmocka_unit_test(it_is_saved_and_loaded_and_goes_on_the_same),
        cmocka_unit_test(the_longest_text_fits_and_an_hour_has_a_bound),
        cmocka_unit_test(what_is_no_forecast_is_refused_at_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
