/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/routing/prefix.h"

static uint64_t key_of(const char *digits)
{
    uint64_t key = 0;

    assert_int_equal(prefix_key(digits, strlen(digits), &key), 0);
    return key;
}

static struct prefix_set *set_of(const char *const *prefixes, size_t count)
{
    uint64_t keys[64];
    struct prefix_set *set = NULL;

    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++)
        keys[i] = key_of(prefixes[i]);
    assert_int_equal(prefix_set_new(keys, count, &set), 0);
    return set;
}

static void the_longest_prefix_is_found_then_the_shorter_ones(void **state)
{
    static const char *const prefixes[] = { "", "3", "33", "336", "33689", "34", "4", "40", "400", "4001", "441", "999999999999999" };
    static const struct { const char *number, *longest_first; } rows[] = {
        { "33612345678", "336 33 3 *" }, { "33689123456", "33689 336 33 3 *" }, { "33199999999", "33 3 *" },
        { "35", "3 *" },                 { "3", "3 *" },                        { "12025550123", "*" },
        { "", "*" },                     { "4", "4 *" },                        { "40", "40 4 *" },
        { "400", "400 40 4 *" },         { "4000", "400 40 4 *" },              { "4001", "4001 400 40 4 *" },
        { "40000", "400 40 4 *" },       { "45", "4 *" },                       { "440", "4 *" },
        { "999999999999999", "999999999999999 *" }, { "9999999999999991", "999999999999999 *" },
        { "99999999999999", "*" },       { "33A6", "33 3 *" },                  { "+33", "*" },
    };
    struct prefix_set *set = set_of(prefixes, sizeof prefixes / sizeof prefixes[0]);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char found[128] = "";

        for (uint32_t at = prefix_match(set, rows[i].number); at != PREFIX_NONE; at = prefix_shorter(set, at)) {
            char digits[PREFIX_CHARS];

            prefix_text(prefix_at(set, at), digits);
            assert_string_equal(digits, prefixes[at]);
            (void)snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", *found ? " " : "", *digits ? digits : "*");
        }
        assert_string_equal(found, rows[i].longest_first);
    }
    prefix_set_free(set);
}

static void without_a_default_a_number_may_have_no_prefix(void **state)
{
    static const char *const prefixes[] = { "2", "33", "7" };
    struct prefix_set *set = set_of(prefixes, 3);

    (void)state;
    assert_int_equal(prefix_match(set, "1"), PREFIX_NONE);
    assert_int_equal(prefix_match(set, "3"), PREFIX_NONE);
    assert_int_equal(prefix_match(set, "34"), PREFIX_NONE);
    assert_int_equal(prefix_match(set, "9"), PREFIX_NONE);
    assert_int_equal(prefix_match(set, "79"), 2);
    prefix_set_free(set);
    set = set_of(prefixes, 0);
    assert_int_equal(prefix_match(set, "79"), PREFIX_NONE);
    assert_int_equal(prefix_count(set), 0);
    prefix_set_free(set);
    prefix_set_free(NULL);
}

static void what_is_no_prefix_or_no_order_is_refused(void **state)
{
    static const char *const wrong[] = { "1234567890123456", "+33", "33 ", " 33", "3a", "*", "-1", "\xD9\xA3" };
    uint64_t key = 42, backwards[2] = { key_of("2"), key_of("1") }, twice[2] = { key_of("20"), key_of("20") };
    struct prefix_set *set = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(prefix_key(wrong[i], strlen(wrong[i]), &key), -EINVAL);
    assert_int_equal(key, 42);
    assert_int_equal(prefix_set_new(backwards, 2, &set), -EINVAL);
    assert_int_equal(prefix_set_new(twice, 2, &set), -EINVAL);
    assert_int_equal(prefix_set_new(twice, PREFIX_COUNT_MAX + 1, &set), -E2BIG);
    assert_null(set);
}

/* -- against a naive scan ------------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* Few different digits, so that prefixes of prefixes and near misses are common. */
static void random_digits(uint64_t *random, size_t length_max, unsigned digits, char *ret_text)
{
    size_t length = next_random(random) % (length_max + 1);

    for (size_t i = 0; i < length; i++)
        ret_text[i] = (char)('0' + (next_random(random) % digits) * (9 / (digits > 1 ? digits - 1 : 1)) % 10);
    ret_text[length] = '\0';
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static uint32_t naive_match(const uint64_t *keys, size_t count, const char *number)
{
    uint32_t best = PREFIX_NONE;
    size_t best_length = 0;

    for (size_t i = 0; i < count; i++) {
        char digits[PREFIX_CHARS];
        size_t length;

        prefix_text(keys[i], digits);
        length = strlen(digits);
        if (strncmp(digits, number, length) == 0 && (best == PREFIX_NONE || length > best_length)) {
            best = (uint32_t)i;
            best_length = length;
        }
    }
    return best;
}

static void random_sets_match_as_a_naive_scan_does(void **state)
{
    static const size_t sizes[] = { 1, 2, 9, 10, 11, 99, 100, 101, 700, 1500 };
    static uint64_t keys[1500];

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t random = seed * 0x9E3779B97F4A7C15u;
        size_t wanted = sizes[seed % (sizeof sizes / sizeof sizes[0])], count = 0;
        unsigned digits = 1 + (unsigned)(seed % 10);
        struct prefix_set *set = NULL;
        char text[32];

        for (size_t i = 0; i < wanted; i++) {
            random_digits(&random, i % 7 == 0 ? PREFIX_DIGITS_MAX : 6, digits, text);
            keys[i] = key_of(text);
        }
        qsort(keys, wanted, sizeof keys[0], by_key);
        for (size_t i = 0; i < wanted; i++)
            if (i == 0 || keys[i] != keys[i - 1])
                keys[count++] = keys[i];
        assert_int_equal(prefix_set_new(keys, count, &set), 0);
        for (unsigned i = 0; i < 500; i++) {
            uint32_t at, naive;

            random_digits(&random, 17, digits, text);
            at = prefix_match(set, text);
            naive = naive_match(keys, count, text);
            if (at != naive)
                fail_msg("seed %llu: number %s is at %u, a scan finds %u", (unsigned long long)seed, text, at, naive);
            if (at == PREFIX_NONE)
                continue;
            prefix_text(keys[at], text);
            if (*text != '\0') {         /* the next shorter one is what its own digits but the last have */
                text[strlen(text) - 1] = '\0';
                assert_int_equal(prefix_shorter(set, at), naive_match(keys, count, text));
            } else {
                assert_int_equal(prefix_shorter(set, at), PREFIX_NONE);
            }
        }
        prefix_set_free(set);
    }
}

static void a_million_prefixes_fit_and_say_their_memory(void **state)
{
    uint64_t *keys = malloc(PREFIX_COUNT_MAX * sizeof *keys);
    struct prefix_set *set = NULL;
    char text[16];

    (void)state;
    assert_non_null(keys);
    for (unsigned i = 0; i < PREFIX_COUNT_MAX; i++) {
        (void)snprintf(text, sizeof text, "%06u", i);
        keys[i] = key_of(text);
    }
    assert_int_equal(prefix_set_new(keys, PREFIX_COUNT_MAX, &set), 0);
    free(keys);
    for (unsigned i = 0; i < PREFIX_COUNT_MAX; i += 9973) {
        (void)snprintf(text, sizeof text, "%06u55", i);
        assert_int_equal(prefix_match(set, text), i);
    }
    assert_int_equal(prefix_match(set, "12345"), PREFIX_NONE);
    assert_in_range(prefix_bytes(set), PREFIX_COUNT_MAX * 12, PREFIX_COUNT_MAX * 13);
    prefix_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_is_found_then_the_shorter_ones),
        cmocka_unit_test(without_a_default_a_number_may_have_no_prefix),
        cmocka_unit_test(what_is_no_prefix_or_no_order_is_refused),
        cmocka_unit_test(random_sets_match_as_a_naive_scan_does),
        cmocka_unit_test(a_million_prefixes_fit_and_say_their_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
