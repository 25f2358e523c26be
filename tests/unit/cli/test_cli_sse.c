/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/metrics.h"
#include "firmware/cellpost/sse.h"

/* Feeds in pieces of the given size and writes down what came, one "id|name|data;" after the other. */
static void collect(struct sse_parser *parser, const char *bytes, size_t length, size_t piece, char *ret_seen, size_t size)
{
    size_t seen = 0;

    ret_seen[0] = '\0';
    for (size_t at = 0; at < length;) {
        size_t n = length - at < piece ? length - at : piece;
        for (size_t used = 0; used < n;) {
            struct sse_event event;
            bool ready;
            used += sse_feed(parser, bytes + at + used, n - used, &event, &ready);
            if (ready)
                seen += (size_t)snprintf(ret_seen + seen, size - seen, "%s|%s|%s;", event.id, event.name, event.data);
        }
        at += n;
    }
}

static void events_come_out_whatever_the_pieces_and_line_ends(void **state)
{
    static const struct { const char *bytes, *expected; } rows[] = {
        { "data: a\n\n", "|message|a;" },
        { "\xEF\xBB\xBF" "data:a\r\n\r\n", "|message|a;" },
        { "id: 1\nevent: part\ndata: {\"x\":1}\n\n", "1|part|{\"x\":1};" },
        { "id: 1\r\nevent: part\r\ndata: x\r\n\r\ndata: y\r\n\r\n", "1|part|x;1|message|y;" },
        { "data: a\rdata: b\r\rdata: c\r\r", "|message|a\nb;|message|c;" },
        { "data: a\ndata\ndata:\ndata: b\n\n", "|message|a\n\n\nb;" },
        { ": heartbeat\n\n: again\n\ndata: a\n\n", "|message|a;" },
        { "event: nothing\n\ndata: a\n\n", "|message|a;" },
        { "id: 7\n\ndata: a\n\n", "7|message|a;" },
        { "retry: 2000\nunknown: x\nnocolon\ndata:  two blanks\n\n", "|message| two blanks;" },
        { "data: not ended\n", "" },
        { "data:\n\n", "|message|;" },
        { "\n\n\n\ndata: a\n\n", "|message|a;" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t piece = 1; piece <= strlen(rows[i].bytes); piece++) {
            struct sse_parser parser = { 0 };
            char seen[256];
            collect(&parser, rows[i].bytes, strlen(rows[i].bytes), piece, seen, sizeof seen);
            assert_string_equal(seen, rows[i].expected);
            sse_done(&parser);
        }
    }
}

static void an_event_over_the_bound_is_dropped_and_the_next_one_comes(void **state)
{
    size_t length = SSE_LINE_MAX + 100;
    char *bytes = malloc(length + 32), seen[64];
    struct sse_parser parser = { 0 };

    (void)state;
    memset(bytes, 'x', length);
    memcpy(bytes, "data: ", 6);
    strcpy(bytes + length, "\n\ndata: a\n\n");
    collect(&parser, bytes, strlen(bytes), 4096, seen, sizeof seen);
    assert_string_equal(seen, "|message|a;");
    assert_int_equal(parser.dropped, 1);
    assert_true(parser.line_room <= 2 * SSE_LINE_MAX + 2);
    sse_done(&parser);
    free(bytes);
}

static void a_nul_or_an_endless_id_is_no_id(void **state)
{
    static const char nul[] = "id: 5\n\nid: 6\0x\ndata: a\n\n";
    char endless[256] = "id: 5\nid: ", seen[128];
    struct sse_parser parser = { 0 };

    (void)state;
    collect(&parser, nul, sizeof nul - 1, 3, seen, sizeof seen);
    assert_string_equal(seen, "5|message|a;");
    sse_done(&parser);
    memset(endless + strlen(endless), '9', 100);
    strcat(endless, "\ndata: a\n\n");
    collect(&parser, endless, strlen(endless), 7, seen, sizeof seen);
    assert_string_equal(seen, "5|message|a;");
    sse_done(&parser);
}

static void a_metric_is_found_by_its_whole_series(void **state)
{
    static const char page[] = "# TYPE a gauge\naa 5\na{x=\"1\"} 2\na 3.25\nb 1e3\nno_newline 7";

    (void)state;
    assert_true(metrics_value(page, "a") > 3.24 && metrics_value(page, "a") < 3.26);
    assert_true(metrics_value(page, "a{x=\"1\"}") == 2);
    assert_true(metrics_value(page, "b") == 1000);
    assert_true(metrics_value(page, "no_newline") == 7);
    assert_true(metrics_value(page, "absent") == 0);
    assert_true(metrics_value(NULL, "a") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_whatever_the_pieces_and_line_ends),
        cmocka_unit_test(an_event_over_the_bound_is_dropped_and_the_next_one_comes),
        cmocka_unit_test(a_nul_or_an_endless_id_is_no_id),
        cmocka_unit_test(a_metric_is_found_by_its_whole_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
