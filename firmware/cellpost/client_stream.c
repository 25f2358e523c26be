/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/client_internal.h"

#include "firmware/cellpost/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEAD_TIMEOUT_MS 10000
#define BUFFER_MAX (1u << 20)   /* held back from the gateway beyond this: it then drops us, as slow, by its own rule */

struct client_stream {
    CURL *curl;
    CURLM *multi;
    struct curl_slist *headers;
    struct client_answer answer;    /* the head; and the body of a refusal */
    struct sse_parser parser;
    char *bytes;                    /* received and not yet parsed: from `used` to `length` */
    size_t length, used, room;
    bool head_done, paused, ended;
    int end_error;
};

static int64_t stream_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t stream_take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct client_stream *stream = context;
    size_t length = client_take_header(bytes, size, count, &stream->answer);

    if (length == 2 && bytes[0] == '\r') {   /* the empty line */
        (void)curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &stream->answer.status);
        stream->head_done = stream->answer.status >= 200;
    }
    return length;
}

static size_t stream_take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct client_stream *stream = context;
    size_t length = size * count;

    if (stream->answer.status != 200)
        return client_take_body(bytes, size, count, &stream->answer);
    if (stream->used > 0) {
        memmove(stream->bytes, stream->bytes + stream->used, stream->length - stream->used);
        stream->length -= stream->used;
        stream->used = 0;
    }
    if (stream->length + length > BUFFER_MAX && stream->length > 0) {
        stream->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (stream->length + length > stream->room) {
        stream->room = stream->length + length;
        stream->bytes = memory_resize(stream->bytes, stream->room, 1);
    }
    memcpy(stream->bytes + stream->length, bytes, length);
    stream->length += length;
    return length;
}

/* Moves bytes until something came, the time is over or the stream has ended. */
static void stream_run(struct client_stream *stream, int timeout_ms, int wake_fd)
{
    struct curl_waitfd wake = { .fd = wake_fd, .events = CURL_WAIT_POLLIN };
    int running = 0, left;
    CURLMsg *message;

    if (timeout_ms > 0)
        (void)curl_multi_poll(stream->multi, wake_fd >= 0 ? &wake : NULL, wake_fd >= 0 ? 1 : 0, timeout_ms, NULL);
    if (curl_multi_perform(stream->multi, &running) != CURLM_OK)
        stream->ended = true;
    while ((message = curl_multi_info_read(stream->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        stream->ended = true;
        stream->end_error = client_error_of_curl(stream->curl, message->data.result);
    }
}

int client_stream_open(const struct client_config *config, const char *target, const char *last_id,
                       struct client_stream **ret_stream, struct client_answer *ret_refusal)
{
    struct client_stream *stream = memory_zero(1, sizeof *stream);
    int64_t deadline_ms = stream_now_ms() + HEAD_TIMEOUT_MS;
    int r;

    stream->curl = memory_check(curl_easy_init());
    stream->multi = memory_check(curl_multi_init());
    client_set_common(stream->curl, config->socket_path, target, &stream->answer);
    curl_easy_setopt(stream->curl, CURLOPT_HEADERFUNCTION, stream_take_header);
    curl_easy_setopt(stream->curl, CURLOPT_HEADERDATA, stream);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEFUNCTION, stream_take_body);
    curl_easy_setopt(stream->curl, CURLOPT_WRITEDATA, stream);
    stream->headers = curl_slist_append(NULL, "Accept: text/event-stream");
    if (last_id != NULL) {
        char *line = memory_printf("Last-Event-ID: %s", last_id);
        stream->headers = curl_slist_append(stream->headers, line);
        free(line);
    }
    curl_easy_setopt(stream->curl, CURLOPT_HTTPHEADER, stream->headers);
    curl_multi_add_handle(stream->multi, stream->curl);

    for (int64_t left_ms = 1; !stream->ended && left_ms > 0; left_ms = deadline_ms - stream_now_ms()) {
        stream_run(stream, (int)left_ms, -1);
        if (stream->head_done && stream->answer.status == 200)
            break;   /* a refusal is read to its end */
    }
    if (stream->head_done && stream->answer.status == 200) {
        *ret_stream = stream;
        return 0;
    }
    r = stream->end_error != 0 ? stream->end_error : !stream->ended ? -ETIMEDOUT : stream->head_done ? -EBADMSG : -EPIPE;
    if (r == -EBADMSG) {
        *ret_refusal = stream->answer;
        stream->answer = (struct client_answer){ 0 };
        if (ret_refusal->body != NULL)
            ret_refusal->json = json_loadb(ret_refusal->body, ret_refusal->length, JSON_REJECT_DUPLICATES, NULL);
    }
    client_stream_close(stream);
    return r;
}

void client_stream_close(struct client_stream *stream)
{
    if (stream == NULL)
        return;
    curl_multi_remove_handle(stream->multi, stream->curl);
    curl_easy_cleanup(stream->curl);
    curl_multi_cleanup(stream->multi);
    curl_slist_free_all(stream->headers);
    client_answer_done(&stream->answer);
    sse_done(&stream->parser);
    free(stream->bytes);
    free(stream);
}

int client_stream_next(struct client_stream *stream, uint32_t timeout_ms, int wake_fd, struct sse_event *ret_event)
{
    int64_t deadline_ms = stream_now_ms() + timeout_ms;

    for (bool last = false;;) {
        while (stream->used < stream->length) {
            bool ready;
            stream->used += sse_feed(&stream->parser, stream->bytes + stream->used, stream->length - stream->used, ret_event, &ready);
            if (ready)
                return 1;
        }
        if (stream->paused) {
            stream->paused = false;
            (void)curl_easy_pause(stream->curl, CURLPAUSE_CONT);
            continue;
        }
        if (stream->ended)
            return -EPIPE;
        if (last)
            return 0;
        int64_t left_ms = deadline_ms - stream_now_ms();
        stream_run(stream, left_ms > 0 ? (int)left_ms : 0, wake_fd);
        last = wake_fd >= 0 || deadline_ms <= stream_now_ms();
    }
}
