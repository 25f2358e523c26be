/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/client_internal.h"

#include "firmware/cellpost/memory.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

struct client {
    struct client_config config;
    char *socket_path;
    CURL *curl;
};

/* Errors of a call that never reached anyone: the request was not made. */
static const int connect_errors[] = { ENOENT, ECONNREFUSED, EACCES, EPERM, ENOTSOCK, ENOTDIR, ENAMETOOLONG, EPROTOTYPE,
                                      ELOOP, EAGAIN, ENOTCONN, E2BIG };

bool client_error_is_connect(int error)
{
    for (size_t i = 0; i < sizeof connect_errors / sizeof connect_errors[0]; i++)
        if (error == -connect_errors[i])
            return true;
    return false;
}

int client_new(const struct client_config *config, struct client **ret_client)
{
    if (strlen(config->socket_path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return -ENAMETOOLONG;

    struct client *client = memory_zero(1, sizeof *client);
    client->config = *config;
    client->socket_path = memory_copy_text(config->socket_path);
    client->config.socket_path = client->socket_path;
    client->config.answer_timeout_ms = config->answer_timeout_ms > 0 ? config->answer_timeout_ms : 60000;
    client->config.retry_wait_ms = config->retry_wait_ms > 0 ? config->retry_wait_ms : 1000;
    client->curl = memory_check(curl_easy_init());
    *ret_client = client;
    return 0;
}

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client->socket_path);
    free(client);
}

void client_answer_done(struct client_answer *answer)
{
    json_decref(answer->json);
    free(answer->body);
    *answer = (struct client_answer){ 0 };
}

int client_error_of_curl(CURL *curl, CURLcode code)
{
    long os_errno = 0;
    curl_off_t connect_us = 0;

    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:   /* curl's word for a socket path that is too long */
        (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
        return os_errno > 0 && client_error_is_connect(-(int)os_errno) ? -(int)os_errno : -ENOTCONN;
    case CURLE_OPERATION_TIMEDOUT:
        (void)curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connect_us);
        return connect_us > 0 ? -ETIMEDOUT : -EAGAIN;
    case CURLE_WRITE_ERROR:
        return -EMSGSIZE;
    case CURLE_UNSUPPORTED_PROTOCOL:   /* "HTTP/0.9": something else listens there */
    case CURLE_WEIRD_SERVER_REPLY:
        return -EPROTO;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    default:
        return -EPIPE;
    }
}

size_t client_take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct client_answer *answer = context;
    size_t length = size * count;

    if (length > CLIENT_ANSWER_BYTES_MAX - answer->length)
        return 0;   /* curl then fails with CURLE_WRITE_ERROR */
    answer->body = memory_resize(answer->body, answer->length + length + 1, 1);
    memcpy(answer->body + answer->length, bytes, length);
    answer->length += length;
    answer->body[answer->length] = '\0';
    return length;
}

size_t client_take_header(char *bytes, size_t size, size_t count, void *context)
{
    static const char replayed[] = "idempotency-replayed:", retry_after[] = "retry-after:";
    struct client_answer *answer = context;
    size_t length = size * count;

    if (length >= sizeof replayed && strncasecmp(bytes, replayed, sizeof replayed - 1) == 0)
        answer->replayed = true;
    if (length >= sizeof retry_after && strncasecmp(bytes, retry_after, sizeof retry_after - 1) == 0)
        answer->retry_after_s = strtol(bytes + sizeof retry_after - 1, NULL, 10);   /* the line ends with CR LF */
    return length;
}

void client_set_common(CURL *curl, const char *socket_path, const char *target, struct client_answer *answer)
{
    char *url = memory_printf("http://localhost%s", target);

    curl_easy_setopt(curl, CURLOPT_URL, url);
    free(url);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");   /* http_proxy in the environment is not meant for this */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "cellpost/" CELLPOST_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, client_take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
}

static int try_once(struct client *client, const struct client_request *request, struct client_answer *answer)
{
    struct curl_slist *headers = NULL;
    CURL *curl = client->curl;

    curl_easy_reset(curl);   /* keeps the connection */
    client_set_common(curl, client->socket_path, request->target, answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)client->config.answer_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, client_take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        headers = curl_slist_append(headers, "Content-Type: application/json");
        headers = curl_slist_append(headers, "Expect:");   /* no 100-continue: it only costs a second where it is unknown */
    } else if (strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
        headers = curl_slist_append(headers, "Content-Type:");
    }
    if (request->idempotency_key != NULL) {
        char *line = memory_printf("Idempotency-Key: %s", request->idempotency_key);
        headers = curl_slist_append(headers, line);
        free(line);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

    int r = client_error_of_curl(curl, curl_easy_perform(curl));
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_slist_free_all(headers);
    return r;
}

int client_call(struct client *client, const struct client_request *request, struct client_answer *ret_answer)
{
    bool repeatable = request->idempotency_key != NULL || strcmp(request->method, "GET") == 0;
    struct client_answer answer = { 0 };
    bool lost = false;   /* an earlier try went out and may have been carried out */
    int r = 0, tries = 0;

    if (strlen(request->target) >= sizeof((struct client_target *)NULL)->text)
        return -E2BIG;
    while (tries < (repeatable ? CLIENT_TRIES_MAX : 1)) {
        if (tries > 0)
            (void)poll(NULL, 0, (int)client->config.retry_wait_ms);
        client_answer_done(&answer);
        tries++;
        r = try_once(client, request, &answer);
        bool away = client_error_is_connect(r);
        /* Nobody there at the first try: say so at once. Nobody there after a lost answer: the gateway restarts. */
        if (r == 0 || r == -EMSGSIZE || r == -EPROTO || r == -ENOMEM || (away && !lost))
            break;
        lost |= !away;
    }
    if (r < 0) {
        client_answer_done(&answer);
        return lost && client_error_is_connect(r) ? -EPIPE : r;
    }
    answer.tries = tries;
    answer.json = answer.body != NULL ? json_loadb(answer.body, answer.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL) : NULL;
    *ret_answer = answer;
    return 0;
}

static void target_append(struct client_target *target, const char *text, size_t length)
{
    if (target->length + length >= sizeof target->text) {
        target->overflow = true;
        return;
    }
    memcpy(target->text + target->length, text, length);
    target->length += length;
    target->text[target->length] = '\0';
}

/* RFC 3986 2.3: what is not listed there as unreserved is encoded. */
static void target_append_encoded(struct client_target *target, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        char encoded[4];
        if (strchr(unreserved, *text) != NULL) {
            target_append(target, text, 1);
        } else {
            (void)snprintf(encoded, sizeof encoded, "%%%02X", (unsigned char)*text);
            target_append(target, encoded, 3);
        }
    }
}

void client_target_begin(struct client_target *target, const char *path)
{
    *target = (struct client_target){ 0 };
    target_append(target, path, strlen(path));
}

void client_target_segment(struct client_target *target, const char *segment)
{
    target_append(target, "/", 1);
    /* "." and ".." cannot be encoded away: a server that normalises would leave the collection. */
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0 || segment[0] == '\0')
        target->overflow = true;
    target_append_encoded(target, segment);
}

void client_target_query(struct client_target *target, const char *name, const char *value)
{
    if (value == NULL)
        return;
    target_append(target, target->has_query ? "&" : "?", 1);
    target->has_query = true;
    target_append(target, name, strlen(name));
    target_append(target, "=", 1);
    target_append_encoded(target, value);
}
