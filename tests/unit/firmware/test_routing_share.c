/* SPDX-License-Identifier: Apache-2.0
 *
 * Tariffs and routes that are taken out of force stay whole for those who look at them. Most of what could go wrong here shows
 * under AddressSanitizer. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/cellpostd/routing_share.h"
#include "firmware/common/routing_load.h"

#define READERS 4
#define VERSIONS 300

/* Its version is also in what it points to. */
static struct routing_held *new_version(int64_t version)
{
    struct config_errors *errors = calloc(1, sizeof *errors);
    struct routing *routing = NULL;
    struct routing_held *held;
    struct config config;
    char text[256];

    assert_non_null(errors);
    (void)snprintf(text, sizeof text, "[bank \"a\"]\nports = /a\n[sim \"8949020000012345678\"]\nname = v%lld\ntags = t%lld\n", (long long)version,
                   (long long)version);
    assert_int_equal(config_parse("x", text, strlen(text), &config, errors), 0);
    assert_int_equal(routing_load(&config, &routing, errors), 0);
    config_done(&config);
    free(errors);
    routing->version = version;
    held = routing_held_new(routing);
    assert_non_null(held);
    return held;
}

static bool is_whole(const struct routing *routing)
{
    const struct routing_sim *sim = routing_sim(routing, "8949020000012345678");
    char name[32], tag[32];

    (void)snprintf(name, sizeof name, "v%lld", (long long)routing->version);
    (void)snprintf(tag, sizeof tag, "t%lld", (long long)routing->version);
    return strcmp(sim->name, name) == 0 && sim->tag_count == 1 && strcmp(sim->tags[0], tag) == 0 && route_count(routing->routes) == 1;
}

static void what_is_held_outlives_what_comes_after_it(void **state)
{
    struct routing_share *share = routing_share_new();
    struct routing_held *first, *second;

    (void)state;
    assert_non_null(share);
    assert_null(routing_share_hold(share));
    routing_share_put(share, new_version(1));
    first = routing_share_hold(share);
    routing_share_put(share, new_version(2));
    second = routing_share_hold(share);
    assert_int_equal(routing_held(first)->version, 1);
    assert_int_equal(routing_held(second)->version, 2);
    assert_true(is_whole(routing_held(first)));
    routing_share_release(first);
    routing_share_free(share);
    assert_true(is_whole(routing_held(second)));
    routing_share_release(second);
    routing_share_release(NULL);
    routing_share_free(NULL);
}

struct readers { struct routing_share *share; atomic_bool stop; atomic_uint looks, wrong; };

static void *look(void *context)
{
    struct readers *readers = context;
    int64_t last = 0;

    while (!atomic_load(&readers->stop)) {
        struct routing_held *held = routing_share_hold(readers->share);

        if (!is_whole(routing_held(held)) || routing_held(held)->version < last)
            (void)atomic_fetch_add(&readers->wrong, 1);
        last = routing_held(held)->version;
        routing_share_release(held);
        (void)atomic_fetch_add(&readers->looks, 1);
    }
    return NULL;
}

static void threads_that_look_see_whole_versions_in_their_order(void **state)
{
    struct readers readers = { .share = routing_share_new() };
    pthread_t threads[READERS];

    (void)state;
    assert_non_null(readers.share);
    routing_share_put(readers.share, new_version(1));
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look, &readers), 0);
    for (int64_t version = 2; version <= VERSIONS; version++)
        routing_share_put(readers.share, new_version(version));
    while (atomic_load(&readers.looks) < 1000)
        (void)sched_yield();
    atomic_store(&readers.stop, true);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&readers.wrong), 0);
    routing_share_free(readers.share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_outlives_what_comes_after_it),
        cmocka_unit_test(threads_that_look_see_whole_versions_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
