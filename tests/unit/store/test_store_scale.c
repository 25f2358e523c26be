/* SPDX-License-Identifier: Apache-2.0
 *
 * What has to stay quick however many messages there are. Times are printed, not asserted; CELLPOST_SCALE=1000000 for a
 * larger run. That the right index is used is not left to times: the statements name it (INDEXED BY). */
#include "store_testing.h"

#include <sys/stat.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t file_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void fill(struct bench *bench, uint32_t total, uint32_t batch)
{
    uint32_t seed = 1;

    for (uint32_t done = 0; done < total; done += batch) {
        struct store_change *change = new_accept(bench, batch, NULL);

        for (uint32_t i = 0; i < batch; i++) {
            struct accept_message *message = &change->u.accept.messages[i];
            char to[MESSAGE_TO_MAX];

            seed = seed * 1664525u + 1013904223u;
            snprintf(to, sizeof to, "+4070%07u", (seed >> 8) % 10000000u);
            fill_message(message, to, 1);
            free(message->text);
            message->text = malloc(101);
            assert_non_null(message->text);
            memset(message->text, 'x', 100);
            message->text_length = 100;
            message->priority = (uint8_t)(seed >> 30);
            message->expire_ms = bench->now_ms + 24 * HOUR_MS;
        }
        assert_int_equal(apply(bench, change), 0);
        change_free(change);
        bench->now_ms += 50;
    }
}

static void count_row(void *context, const struct message_row *row)
{
    (void)row;
    ++*(uint32_t *)context;
}

static uint32_t rows_of(struct bench *bench, struct message_filter filter)
{
    uint32_t count = 0;

    assert_int_equal(store_read_messages(bench->reader, &filter, count_row, &count), 0);
    return count;
}

static void a_full_queue_opens_quickly_and_hands_out_its_messages_in_order(void **state)
{
    struct bench *bench = *state;
    const char *scale = getenv("CELLPOST_SCALE");
    uint32_t total = scale != NULL ? (uint32_t)strtoul(scale, NULL, 10) : 100000;
    double at = seconds(), fetched_ms, due_ms, counts_ms, opened_ms, filled_s, number_ms, since_ms, one_ms;
    struct store_change *change;
    uint64_t counts[16];
    uint32_t unknown, n = 0;
    uint8_t priority = 255;
    int64_t id = 0;

    fill(bench, total, 1000);
    filled_s = seconds() - at;

    bench_close(bench);
    at = seconds();
    bench_open(bench);
    assert_int_equal(store_recover(bench->store, bench->now_ms, &unknown), 0);
    opened_ms = (seconds() - at) * 1e3;
    assert_int_equal(unknown, 0);

    at = seconds();
    assert_int_equal(store_read_counts(bench->reader, counts), 0);
    counts_ms = (seconds() - at) * 1e3;
    assert_int_equal(counts[MESSAGE_QUEUED], total);

    at = seconds();
    change_free(due(bench, 1000));
    due_ms = (seconds() - at) * 1e3;

    at = seconds();
    change_free(fetch(bench, 255, 0, 1000));
    fetched_ms = (seconds() - at) * 1e3;

    at = seconds();
    assert_int_equal(rows_of(bench, (struct message_filter){ .to = "+15550000000", .limit = 50 }), 0);
    number_ms = (seconds() - at) * 1e3;
    at = seconds();
    assert_int_equal(rows_of(bench, (struct message_filter){ .since_ms = bench->now_ms - 50, .limit = 5000 }), 1000);
    since_ms = (seconds() - at) * 1e3;

    do {
        change = fetch(bench, priority, id, 997);
        for (uint32_t i = 0; i < change->u.fetch.item_count; i++) {
            const struct queue_item *item = &change->u.fetch.items[i];

            assert_true(item->priority < priority || (item->priority == priority && item->id > id));
            priority = item->priority;
            id = item->id;
            n++;
        }
        unknown = change->u.fetch.more;
        change_free(change);
    } while (unknown);
    assert_int_equal(n, total);

    at = seconds();
    for (uint32_t i = 0; i < 200; i++) {
        int64_t attempt = intend(bench, 1 + i, 0, 1);

        assert_true(attempt > 0);
        assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, (int)i), MESSAGE_SENT);
    }
    one_ms = (seconds() - at) * 1e3 / 400;
    bench_close(bench);
    printf("{\"messages\": %u, \"accepted_per_s\": %.0f, \"bytes_per_message\": %.0f, \"open_ms\": %.1f, \"counts_ms\": %.3f,"
           " \"due_ms\": %.3f, \"fetch_1000_ms\": %.3f, \"by_number_none_ms\": %.3f, \"since_1000_ms\": %.3f, \"commit_ms\": %.3f}\n",
           total, total / filled_s, (double)file_size(bench->path) / total, opened_ms, counts_ms, due_ms, fetched_ms, number_ms,
           since_ms, one_ms);
    bench_open(bench);
    assert_counts_are_exact(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(a_full_queue_opens_quickly_and_hands_out_its_messages_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
