/* SPDX-License-Identifier: Apache-2.0
 *
 * http_stream.c - GET /v1/events: a ring of rendered events, and the streams that read from it at their own pace.
 *
 * A record is rendered once and shared by reference. A stream that has everything sleeps (suspended) until the next
 * event or heartbeat; one that falls behind the ring is ended, and its client comes back with the last id it saw. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/cellpostd/http_internal.h"

#define BEAT_STACK (64u << 10)
#define STREAM_BLOCK 4096

struct http_record { unsigned references, kind; size_t length; char bytes[]; };

struct http_stream {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_stream *next, **link;
    uint64_t next_id;
    unsigned kinds;
    char *head;                          /* goes out first, owned */
    size_t head_length, head_offset;
    struct http_record *record;          /* on its way out, a reference */
    size_t record_offset;
    bool is_suspended, wants_beat;
    int64_t last_ms;                     /* monotonic: when something last went out */
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void record_unref(struct http_record *record)
{
    if (record && --record->references == 0)
        free(record);
}

static uint64_t hub_oldest_id(const struct http_hub *hub)
{
    return hub->next_id - hub->count;
}

static void hub_drop_oldest(struct http_hub *hub)
{
    struct http_record *record = hub->ring[hub->first];

    hub->bytes -= record->length;
    hub->ring[hub->first] = NULL;
    hub->first = (hub->first + 1) % HTTP_RING_EVENTS;
    hub->count--;
    record_unref(record);
}

/* The mutex is held. */
static void stream_wake(struct http_stream *stream)
{
    if (!stream->is_suspended)
        return;
    stream->is_suspended = false;
    MHD_resume_connection(stream->connection);
}

void http_publish(struct http_server *server, const struct live_event *event)
{
    struct http_hub *hub = &server->hub;
    struct http_record *record = NULL;
    size_t length = 0;
    char *text;

    pthread_mutex_lock(&server->mutex);
    text = api_event_render(server->tag, hub->next_id, event, &length);
    if (text)
        record = malloc(sizeof *record + length);
    if (record) {
        *record = (struct http_record){ .references = 1, .kind = (unsigned)event->kind, .length = length };
        memcpy(record->bytes, text, length);
        while (hub->count == HTTP_RING_EVENTS || (hub->count > 0 && hub->bytes + length > HTTP_RING_BYTES_MAX))
            hub_drop_oldest(hub);
        hub->ring[(hub->first + hub->count) % HTTP_RING_EVENTS] = record;
        hub->count++;
        hub->bytes += length;
        hub->next_id++;
        for (struct http_stream *stream = hub->streams; stream; stream = stream->next) {
            if (stream->kinds & 1u << event->kind)
                stream_wake(stream);
            else if (stream->is_suspended)
                stream->next_id = hub->next_id;   /* it has all it may see: what is not for it must not make it look slow */
        }
    } else {
        /* No memory for it: the gap in the ids makes every stream hear of a loss. */
        while (hub->count > 0)
            hub_drop_oldest(hub);
        hub->next_id++;
    }
    pthread_mutex_unlock(&server->mutex);
    free(text);
}

/* -- one stream ------------------------------------------------------------------------------------------------ */

static size_t put(char *buffer, size_t max, const char *bytes, size_t length, size_t *offset)
{
    size_t left = length - *offset, taken = left < max ? left : max;

    memcpy(buffer, bytes + *offset, taken);
    *offset += taken;
    return taken;
}

/* The next record this stream may see, from the ring; false: none yet. The mutex is held. */
static bool stream_next_record(struct http_stream *stream)
{
    struct http_hub *hub = &stream->server->hub;

    while (stream->next_id < hub->next_id) {
        uint64_t back = stream->next_id - hub_oldest_id(hub);
        struct http_record *record = hub->ring[(hub->first + back) % HTTP_RING_EVENTS];
        stream->next_id++;
        if (!(stream->kinds & 1u << record->kind))
            continue;
        record->references++;
        stream->record = record;
        stream->record_offset = 0;
        return true;
    }
    return false;
}

static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t max)
{
    static const char beat[] = ":\n\n";
    struct http_stream *stream = context;
    struct http_server *server = stream->server;
    size_t used = 0;
    ssize_t result;

    (void)position;
    pthread_mutex_lock(&server->mutex);
    if (stream->head_offset < stream->head_length)
        used += put(buffer, max, stream->head, stream->head_length, &stream->head_offset);
    while (used < max) {
        if (stream->record) {
            used += put(buffer + used, max - used, stream->record->bytes, stream->record->length, &stream->record_offset);
            if (stream->record_offset < stream->record->length)
                break;
            record_unref(stream->record);
            stream->record = NULL;
        } else if (stream->next_id < hub_oldest_id(&server->hub) || !stream_next_record(stream)) {
            break;
        }
    }
    if (used == 0 && stream->wants_beat && max >= sizeof beat - 1) {
        memcpy(buffer, beat, sizeof beat - 1);
        used = sizeof beat - 1;
    }
    stream->wants_beat = false;
    result = (ssize_t)used;
    if (used > 0) {
        stream->last_ms = monotonic_ms();
    } else if (server->hub.stopping || stream->next_id < hub_oldest_id(&server->hub)) {
        result = MHD_CONTENT_READER_END_OF_STREAM;   /* stopping, or too slow: whole records have gone out */
    } else {
        stream->is_suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&server->mutex);
    return result;
}

static void stream_free(void *context)
{
    struct http_stream *stream = context;
    struct http_server *server = stream->server;

    pthread_mutex_lock(&server->mutex);
    *stream->link = stream->next;
    if (stream->next)
        stream->next->link = stream->link;
    server->hub.stream_count--;
    record_unref(stream->record);
    pthread_mutex_unlock(&server->mutex);
    free(stream->head);
    free(stream);
}

/* Where to begin, and whether something in between is gone. The mutex is held. */
static bool stream_place(struct http_stream *stream, uint64_t after)
{
    const struct http_hub *hub = &stream->server->hub;
    bool lost;

    if (after == UINT64_MAX) {
        stream->next_id = hub->next_id;
        return false;
    }
    lost = after + 1 < hub_oldest_id(hub) || after + 1 > hub->next_id;
    stream->next_id = lost ? hub_oldest_id(hub) : after + 1;
    return lost;
}

struct MHD_Response *http_stream_open(struct http_server *server, struct MHD_Connection *connection, struct api_response *response)
{
    struct http_hub *hub = &server->hub;
    struct http_stream *stream = calloc(1, sizeof *stream);
    struct MHD_Response *answer = NULL;
    bool is_full = false;

    if (!stream)
        return NULL;
    *stream = (struct http_stream){ .server = server, .connection = connection, .kinds = response->stream_kinds,
                                    .head_length = response->length, .last_ms = monotonic_ms() };
    pthread_mutex_lock(&server->mutex);
    is_full = hub->stream_count >= HTTP_STREAMS_MAX || hub->stopping;
    if (!is_full && stream_place(stream, response->stream_after)) {
        size_t length = 0;
        char *lost = api_event_render_lost(response->stream_after, stream->next_id, &length);
        char *grown = lost ? realloc(response->body, response->length + length) : NULL;
        if (grown) {
            memcpy(grown + response->length, lost, length);
            response->body = grown;
            stream->head_length += length;
        } else {
            is_full = true;   /* no memory: better no stream than one that hides a loss */
        }
        free(lost);
    }
    if (!is_full)
        answer = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, stream, stream_free);
    if (answer) {
        stream->head = response->body;
        response->body = NULL;
        stream->next = hub->streams;
        if (stream->next)
            stream->next->link = &stream->next;
        stream->link = &hub->streams;
        hub->streams = stream;
        hub->stream_count++;
    }
    pthread_mutex_unlock(&server->mutex);
    if (!answer)
        free(stream);
    return answer;
}

/* -- heartbeats and the end ------------------------------------------------------------------------------------ */

/* A comment now and then shows a client that the stream lives, and us that a client is gone. */
static void *beat_run(void *context)
{
    struct http_server *server = context;
    struct http_hub *hub = &server->hub;

    pthread_mutex_lock(&server->mutex);
    while (!hub->stopping) {
        struct timespec until;
        int64_t now_ms;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += HTTP_HEARTBEAT_MS / 1000 / 3;
        (void)pthread_cond_timedwait(&hub->beat_wake, &server->mutex, &until);
        now_ms = monotonic_ms();
        for (struct http_stream *stream = hub->streams; stream && !hub->stopping; stream = stream->next) {
            if (now_ms - stream->last_ms < HTTP_HEARTBEAT_MS * 2 / 3)
                continue;
            stream->wants_beat = true;
            stream_wake(stream);
        }
    }
    pthread_mutex_unlock(&server->mutex);
    return NULL;
}

int http_hub_init(struct http_server *server)
{
    struct http_hub *hub = &server->hub;
    struct timespec now;
    pthread_condattr_t clock;
    pthread_attr_t stack;
    int r;

    /* Ids go on rising over restarts, as long as there are fewer than a thousand events a second. */
    (void)clock_gettime(CLOCK_REALTIME, &now);
    hub->next_id = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;

    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&hub->beat_wake, &clock);
    (void)pthread_condattr_destroy(&clock);
    (void)pthread_attr_init(&stack);
    (void)pthread_attr_setstacksize(&stack, BEAT_STACK);
    r = pthread_create(&hub->beat_thread, &stack, beat_run, server);
    (void)pthread_attr_destroy(&stack);
    hub->beat_running = r == 0;
    return -r;
}

void http_hub_end_streams(struct http_server *server)
{
    server->hub.stopping = true;
    pthread_cond_broadcast(&server->hub.beat_wake);
    for (struct http_stream *stream = server->hub.streams; stream; stream = stream->next)
        stream_wake(stream);
}

void http_hub_done(struct http_server *server)
{
    struct http_hub *hub = &server->hub;

    if (hub->beat_running)
        (void)pthread_join(hub->beat_thread, NULL);
    hub->beat_running = false;
    (void)pthread_cond_destroy(&hub->beat_wake);
    while (hub->count > 0)
        hub_drop_oldest(hub);
}
