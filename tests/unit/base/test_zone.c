/* SPDX-License-Identifier: Apache-2.0
 *
 * Zones of the machine's own database against what its C library makes of them, and what no file may hold. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "src/base/date.h"
#include "src/base/zone.h"

#define FOLDER "/usr/share/zoneinfo/"
#define DAY_S INT64_C(86400)

static const char *const names[] = {
    "Europe/Paris", "America/St_Johns", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Europe/Dublin", "America/Sao_Paulo",
    "Asia/Beirut", "America/Nuuk", "Africa/Casablanca", "Africa/Monrovia", "America/Asuncion", "Asia/Gaza", "UTC",
};

static uint64_t random_state = 88172645463325252u;

static int64_t random_between(int64_t low, int64_t high)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return low + (int64_t)(random_state % (uint64_t)(high - low + 1));
}

/* 0: there is no such file here. */
static size_t read_zone_file(const char *name, uint8_t *bytes)
{
    char path[128];
    FILE *file;
    size_t size;

    (void)snprintf(path, sizeof path, FOLDER "%s", name);
    file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    size = fread(bytes, 1, ZONE_FILE_MAX, file);
    assert_int_equal(fclose(file), 0);
    return size;
}

static struct zone *load_zone(const char *name)
{
    static uint8_t bytes[ZONE_FILE_MAX];
    size_t size = read_zone_file(name, bytes);
    struct zone *zone = NULL;

    if (size == 0)
        return NULL;
    if (zone_parse(bytes, size, &zone) != 0)
        fail_msg("%s is refused", name);
    (void)setenv("TZ", name, 1);
    tzset();
    return zone;
}

static struct tm local(int64_t utc_s)
{
    time_t at = (time_t)utc_s;
    struct tm tm;

    assert_non_null(localtime_r(&at, &tm));
    return tm;
}

static int64_t local_day(int64_t utc_s)
{
    struct tm tm = local(utc_s);

    return date_to_days(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
}

static void check_offset(const char *name, const struct zone *zone, int64_t utc_s)
{
    long offset_s = local(utc_s).tm_gmtoff;

    if (zone_offset_s(zone, utc_s) != offset_s)
        fail_msg("%s at %lld: %d instead of %ld", name, (long long)utc_s, zone_offset_s(zone, utc_s), offset_s);
}

/* The period is what the C library's dates make of it: its label is their first day, its ends are where they change. */
static void check_period(const char *name, const struct zone *zone, enum zone_period_kind kind, unsigned reset_day, int64_t utc_s)
{
    struct zone_period period = zone_period(zone, kind, reset_day, utc_s * 1000 + 999), again;
    int64_t begin_s = period.begin_ms / 1000, next_s = period.next_ms / 1000, day = local_day(utc_s);
    int year;
    unsigned month, day_of_month, month_next, day_next;

    if (!(begin_s <= utc_s && utc_s < next_s && local_day(begin_s) >= period.label && local_day(begin_s - 1) < period.label &&
          period.label <= day))
        fail_msg("%s kind %d reset %u at %lld: label %d from %lld until %lld", name, (int)kind, reset_day, (long long)utc_s, period.label,
                 (long long)begin_s, (long long)next_s);
    again = zone_period(zone, kind, reset_day, period.next_ms);
    assert_int_equal(again.begin_ms, period.next_ms);
    again = zone_period(zone, kind, reset_day, period.next_ms - 1);
    assert_true(again.label == period.label && again.begin_ms == period.begin_ms && again.next_ms == period.next_ms);
    date_from_days(period.label, &year, &month, &day_of_month);
    switch (kind) {
    case ZONE_DAY:
        assert_int_equal(period.label, day);
        break;
    case ZONE_WEEK:
        assert_int_equal((period.label + 3 + 7 * 100000) % 7 + 1, reset_day);
        assert_true(day - period.label < 7);
        break;
    case ZONE_MONTH:
        date_from_days(period.label + 1, &year, &month_next, &day_next);
        if (day_of_month != reset_day && !(day_of_month < reset_day && month_next != month))
            fail_msg("%s: a month with reset day %u begins on day %u", name, reset_day, day_of_month);
        assert_true(day - period.label < 31);
        break;
    }
}

static void offsets_are_those_of_the_c_library(void **state)
{
    unsigned compared = 0;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *zone = load_zone(names[i]);

        if (zone == NULL)
            continue;
        compared++;
        for (unsigned k = 0; k < 20000; k++)
            check_offset(names[i], zone, random_between(-INT64_C(3000000000), INT64_C(13000000000)));
        /* Every change of 1970 to 2150, and the seconds around it. */
        for (int64_t at_s = 0; at_s < INT64_C(5680000000); at_s += 6 * 3600) {
            int64_t low = at_s, high = at_s + 6 * 3600;

            if (local(low).tm_gmtoff == local(high).tm_gmtoff)
                continue;
            while (high - low > 1) {
                int64_t middle = low + (high - low) / 2;

                if (local(low).tm_gmtoff == local(middle).tm_gmtoff)
                    low = middle;
                else
                    high = middle;
            }
            for (int64_t near_s = high - 2; near_s <= high + 2; near_s++)
                check_offset(names[i], zone, near_s);
            check_period(names[i], zone, ZONE_WEEK, 1, high);
            check_period(names[i], zone, ZONE_MONTH, 31, high - 1);
        }
        zone_free(zone);
    }
    if (compared == 0) {
        print_message("skipped: there is no time zone database in " FOLDER "\n");
        skip();
    }
}

static void periods_are_those_of_the_c_library(void **state)
{
    unsigned compared = 0;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *zone = load_zone(names[i]);

        if (zone == NULL)
            continue;
        compared++;
        for (unsigned k = 0; k < 3000; k++) {
            /* From 2012: before, a zone or two went back over midnight, where days overlap. */
            int64_t utc_s = random_between(INT64_C(1325400000), INT64_C(4100000000));

            check_period(names[i], zone, ZONE_DAY, 0, utc_s);
            check_period(names[i], zone, ZONE_WEEK, (unsigned)random_between(1, 7), utc_s);
            check_period(names[i], zone, ZONE_MONTH, (unsigned)random_between(1, 31), utc_s);
        }
        zone_free(zone);
    }
    if (compared == 0) {
        print_message("skipped: there is no time zone database in " FOLDER "\n");
        skip();
    }
}

static void expect_period(const struct zone *zone, enum zone_period_kind kind, unsigned reset_day, int64_t utc_s, const char *label,
                          int64_t begin_s, int64_t next_s)
{
    struct zone_period period = zone_period(zone, kind, reset_day, utc_s * 1000);
    char text[DATE_CHARS];

    date_format(period.label, text);
    assert_string_equal(text, label);
    assert_int_equal(period.begin_ms, begin_s * 1000);
    assert_int_equal(period.next_ms, next_s * 1000);
}

static int64_t utc(int year, unsigned month, unsigned day, unsigned hour, unsigned minute)
{
    return date_to_days(year, month, day) * DAY_S + hour * 3600 + minute * 60;
}

static void months_end_on_their_last_day_where_they_lack_the_reset_day(void **state)
{
    (void)state;
    expect_period(NULL, ZONE_MONTH, 31, utc(2026, 2, 27, 23, 59), "2026-01-31", utc(2026, 1, 31, 0, 0), utc(2026, 2, 28, 0, 0));
    expect_period(NULL, ZONE_MONTH, 31, utc(2026, 2, 28, 0, 0), "2026-02-28", utc(2026, 2, 28, 0, 0), utc(2026, 3, 31, 0, 0));
    expect_period(NULL, ZONE_MONTH, 30, utc(2028, 3, 1, 0, 0), "2028-02-29", utc(2028, 2, 29, 0, 0), utc(2028, 3, 30, 0, 0));
    expect_period(NULL, ZONE_MONTH, 15, utc(2026, 1, 14, 12, 0), "2025-12-15", utc(2025, 12, 15, 0, 0), utc(2026, 1, 15, 0, 0));
    expect_period(NULL, ZONE_WEEK, 1, utc(2026, 11, 25, 12, 0), "2026-11-23", utc(2026, 11, 23, 0, 0), utc(2026, 11, 30, 0, 0));
    expect_period(NULL, ZONE_WEEK, 4, utc(2026, 11, 25, 12, 0), "2026-11-19", utc(2026, 11, 19, 0, 0), utc(2026, 11, 26, 0, 0));
    expect_period(NULL, ZONE_DAY, 0, -1, "1969-12-31", -DAY_S, 0);
}

static void days_have_23_to_25_hours_where_clocks_change_and_a_day_may_be_missing(void **state)
{
    struct zone *paris = load_zone("Europe/Paris"), *apia = load_zone("Pacific/Apia"), *howe = load_zone("Australia/Lord_Howe");
    struct zone *johns = load_zone("America/St_Johns");
    struct zone_period period;

    (void)state;
    if (!paris || !apia || !howe || !johns) {
        print_message("skipped: there is no time zone database in " FOLDER "\n");
        skip();
    }
    expect_period(paris, ZONE_DAY, 0, utc(2026, 3, 29, 12, 0), "2026-03-29", utc(2026, 3, 28, 23, 0), utc(2026, 3, 29, 22, 0));
    expect_period(paris, ZONE_DAY, 0, utc(2026, 10, 25, 12, 0), "2026-10-25", utc(2026, 10, 24, 22, 0), utc(2026, 10, 25, 23, 0));
    expect_period(paris, ZONE_MONTH, 1, utc(2080, 3, 31, 21, 59), "2080-03-01", utc(2080, 2, 29, 23, 0), utc(2080, 3, 31, 22, 0));
    assert_int_equal(zone_moment_ms(paris, (int32_t)date_to_days(2026, 3, 29), 150), utc(2026, 3, 29, 1, 0) * 1000);   /* 02:30 is left out */
    assert_int_equal(zone_moment_ms(paris, (int32_t)date_to_days(2026, 10, 25), 150), utc(2026, 10, 25, 0, 30) * 1000);
    /* 2011-12-30 was left out: from 29 December, at -10, to 31 December, at +14. */
    expect_period(apia, ZONE_DAY, 0, utc(2011, 12, 30, 9, 59), "2011-12-29", utc(2011, 12, 29, 10, 0), utc(2011, 12, 30, 10, 0));
    expect_period(apia, ZONE_DAY, 0, utc(2011, 12, 30, 10, 0), "2011-12-31", utc(2011, 12, 30, 10, 0), utc(2011, 12, 31, 10, 0));
    expect_period(apia, ZONE_MONTH, 30, utc(2011, 12, 30, 10, 0), "2011-12-30", utc(2011, 12, 30, 10, 0), utc(2012, 1, 29, 10, 0));
    period = zone_period(howe, ZONE_DAY, 0, utc(2026, 4, 5, 0, 0) * 1000);
    assert_int_equal(period.next_ms - period.begin_ms, (24 * 60 + 30) * 60000);
    /* Until 2011 clocks there went from 00:01 back to yesterday 23:01: a day that has begun stays begun. */
    period = zone_period(johns, ZONE_DAY, 0, utc(2010, 11, 7, 2, 45) * 1000);
    assert_int_equal(period.label, date_to_days(2010, 11, 7));
    assert_int_equal(period.begin_ms, utc(2010, 11, 7, 2, 30) * 1000);
    zone_free(paris);
    zone_free(apia);
    zone_free(howe);
    zone_free(johns);
}

static void words_are_utc_and_fixed_offsets(void **state)
{
    static const struct { const char *word; int r; int32_t offset_s; } rows[] = {
        { "UTC", 0, 0 },           { "+02:00", 0, 7200 },      { "-03:30", 0, -12600 },   { "+14:00", 0, 50400 },   { "-00:00", 0, 0 },
        { "utc", -EINVAL, 0 },     { "+2:00", -EINVAL, 0 },    { "+02:60", -EINVAL, 0 },  { "02:00", -EINVAL, 0 },  { "+15:00", -EINVAL, 0 },
        { "+02:000", -EINVAL, 0 }, { "+0a:00", -EINVAL, 0 },   { "", -EINVAL, 0 },        { "Europe/Paris", -EINVAL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *zone = NULL;

        if (zone_from_word(rows[i].word, &zone) != rows[i].r)
            fail_msg("\"%s\"", rows[i].word);
        assert_true((zone != NULL) == (rows[i].r == 0));
        if (zone != NULL)
            assert_int_equal(zone_offset_s(zone, 1700000000), rows[i].offset_s);
        assert_true(zone_fingerprint(zone) != 0);
        zone_free(zone);
    }
    assert_int_equal(zone_offset_s(NULL, INT64_MAX), 0);
    (void)zone_period(NULL, ZONE_MONTH, 31, INT64_MIN);
    (void)zone_period(NULL, ZONE_MONTH, 31, INT64_MAX);
}

/* A file of version 2 with one type and a rule. */
static size_t make_file(uint8_t *bytes, int32_t offset_s, const char *rule)
{
    static const uint8_t header[44] = { 'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 1 };
    size_t at = 0, length = strlen(rule);

    for (unsigned i = 0; i < 2; i++) {
        memcpy(bytes + at, header, sizeof header);
        at += sizeof header;
        for (unsigned k = 0; k < 4; k++)
            bytes[at++] = (uint8_t)((uint32_t)offset_s >> (24 - 8 * k));
        bytes[at++] = 0;
        bytes[at++] = 0;
        bytes[at++] = 0;
    }
    bytes[at++] = '\n';
    memcpy(bytes + at, rule, length);
    at += length;
    bytes[at++] = '\n';
    return at;
}

static int parse(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);   /* so that one octet too far is seen */
    struct zone *zone = NULL;
    int r;

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    r = zone_parse(copy, size, &zone);
    assert_true((r == 0) == (zone != NULL));
    zone_free(zone);
    free(copy);
    return r;
}

static void rules_are_read_strictly(void **state)
{
    static const struct { const char *rule; int r; } rows[] = {
        { "", 0 },                                          { "CET-1", 0 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", 0 },                { "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 0 },
        { "IST-2IDT,M3.4.4/26,M10.5.0", 0 },                { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 0 },
        { "XXX3EDT4,0/0,J365/23", 0 },                      { "A-1", -EINVAL },
        { "CET", -EINVAL },                                 { "CET-25", -EINVAL },
        { "CET-1CEST", -EINVAL },                           { "CET-1CEST,M3.5.0", -EINVAL },
        { "CET-1CEST,M13.5.0,M10.5.0", -EINVAL },           { "CET-1CEST,M3.6.0,M10.5.0", -EINVAL },
        { "CET-1CEST,M3.5.7,M10.5.0", -EINVAL },            { "CET-1CEST,M3.5.0/168,M10.5.0", -EINVAL },
        { "CET-1CEST,J0,J365", -EINVAL },                   { "CET-1CEST,366,1", -EINVAL },
        { "CET-1CEST,M3.5.0,M10.5.0/3 ", -EINVAL },         { "CET-1:60", -EINVAL },
        { "<CET-1", -EINVAL },                              { "<>-1", -EINVAL },
    };
    uint8_t bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (parse(bytes, make_file(bytes, 3600, rows[i].rule)) != rows[i].r)
            fail_msg("\"%s\"", rows[i].rule);
    assert_int_equal(parse(bytes, make_file(bytes, -25 * 3600, "")), -EINVAL);
    assert_int_equal(parse(bytes, make_file(bytes, 26 * 3600, "")), -EINVAL);
}

static void summer_all_the_year_is_one_offset(void **state)
{
    uint8_t bytes[256];
    struct zone *zone = NULL;

    (void)state;
    assert_int_equal(zone_parse(bytes, make_file(bytes, -14400, "XXX3EDT4,0/0,J365/23"), &zone), 0);   /* RFC 8536 3.3.1 */
    for (int64_t at_s = utc(2026, 12, 30, 0, 0); at_s < utc(2027, 1, 3, 0, 0); at_s += 600)
        assert_int_equal(zone_offset_s(zone, at_s), -14400);
    zone_free(zone);
}

static void a_file_cut_off_or_changed_is_refused_or_read_within_its_bounds(void **state)
{
    static uint8_t bytes[ZONE_FILE_MAX], changed[ZONE_FILE_MAX];
    size_t size = read_zone_file("America/St_Johns", bytes);

    (void)state;
    if (size == 0)
        size = make_file(bytes, -12600, "NST3:30NDT,M3.2.0,M11.1.0");
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(parse(bytes, cut), -EINVAL);
    assert_int_equal(parse(bytes, size), 0);
    bytes[size] = '\n';
    assert_int_equal(parse(bytes, size + 1), -EINVAL);
    for (unsigned i = 0; i < 20000; i++) {
        memcpy(changed, bytes, size);
        changed[random_between(0, (int64_t)size - 1)] = (uint8_t)random_between(0, 255);
        (void)parse(changed, size);
    }
}

static void a_change_may_lie_a_week_outside_its_year(void **state)
{
    uint8_t bytes[256];
    struct zone *zone = NULL;

    (void)state;
    /* Summer, which is six hours behind here, ends on the first Sunday of January and begins on its fifth day. */
    assert_int_equal(zone_parse(bytes, make_file(bytes, 14400, "AAA-4BBB2,J365/132,M1.1.0/3"), &zone), 0);
    assert_int_equal(zone_offset_s(zone, utc(1970, 1, 1, 0, 0)), -7200);
    expect_period(zone, ZONE_DAY, 0, utc(1970, 1, 1, 0, 0), "1969-12-31", utc(1969, 12, 31, 2, 0), utc(1970, 1, 1, 2, 0));
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_the_c_library),
        cmocka_unit_test(periods_are_those_of_the_c_library),
        cmocka_unit_test(months_end_on_their_last_day_where_they_lack_the_reset_day),
        cmocka_unit_test(days_have_23_to_25_hours_where_clocks_change_and_a_day_may_be_missing),
        cmocka_unit_test(words_are_utc_and_fixed_offsets),
        cmocka_unit_test(rules_are_read_strictly),
        cmocka_unit_test(summer_all_the_year_is_one_offset),
        cmocka_unit_test(a_change_may_lie_a_week_outside_its_year),
        cmocka_unit_test(a_file_cut_off_or_changed_is_refused_or_read_within_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
