/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_TIMEOUT_MS 30000L

struct http { CURL *curl; char base[128]; };

static struct http *new_client(const char *base)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL || (http->curl = curl_easy_init()) == NULL)
        harness_die("libcurl cannot be set up");
    (void)snprintf(http->base, sizeof http->base, "%s", base);
    (void)curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, CALL_TIMEOUT_MS);
    (void)curl_easy_setopt(http->curl, CURLOPT_PROXY, "");
    return http;
}

struct http *http_new(const struct harness *harness)
{
    struct http *http = new_client("http://cellpost");

    (void)curl_easy_setopt(http->curl, CURLOPT_UNIX_SOCKET_PATH, harness->socket);
    return http;
}

struct http *http_new_tcp(const char *base_url)
{
    return new_client(base_url);
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->curl);
    free(http);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_answer *answer = context;
    char *grown = realloc(answer->body, answer->length + size * count + 1);

    if (grown == NULL)
        return 0;
    answer->body = grown;
    memcpy(grown + answer->length, bytes, size * count);
    answer->length += size * count;
    grown[answer->length] = '\0';
    return size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    static const char replayed[] = "Idempotency-Replayed: true";
    struct http_answer *answer = context;

    if (size * count >= sizeof replayed - 1 && strncasecmp(bytes, replayed, sizeof replayed - 1) == 0)
        answer->replayed = true;
    return size * count;
}

void http_call_bytes(struct http *http, const char *method, const char *path, const void *body, size_t length, const char *header,
                     struct http_answer *ret)
{
    struct curl_slist *headers = NULL;
    const char *type = NULL;
    char url[1024];

    *ret = (struct http_answer){ 0 };
    (void)snprintf(url, sizeof url, "%s%s", http->base, path);
    headers = curl_slist_append(headers, "Expect:");
    if (body != NULL)
        headers = curl_slist_append(headers, "Content-Type: application/json");
    if (header != NULL)
        headers = curl_slist_append(headers, header);
    (void)curl_easy_setopt(http->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    if (body != NULL) {
        (void)curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body);
        (void)curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE, (long)length);
    }
    (void)curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, ret);
    (void)curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, ret);
    if (curl_easy_perform(http->curl) == CURLE_OK) {
        (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &ret->status);
        (void)curl_easy_getinfo(http->curl, CURLINFO_CONTENT_TYPE, &type);
        (void)snprintf(ret->type, sizeof ret->type, "%s", type != NULL ? type : "");
        if (ret->body != NULL)
            ret->json = json_loadb(ret->body, ret->length, JSON_REJECT_DUPLICATES, NULL);
    }
    curl_slist_free_all(headers);
}

void http_call(struct http *http, const char *method, const char *path, const char *body, const char *header, struct http_answer *ret)
{
    http_call_bytes(http, method, path, body, body != NULL ? strlen(body) : 0, header, ret);
}

void http_answer_done(struct http_answer *answer)
{
    json_decref(answer->json);
    free(answer->body);
    *answer = (struct http_answer){ 0 };
}

const char *json_text_at(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

int64_t json_number_at(json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

json_t *harness_get(struct harness *harness, const char *path)
{
    struct http_answer answer;
    json_t *json;

    http_call(harness->http, "GET", path, NULL, NULL, &answer);
    if (answer.status != 200 || answer.json == NULL)
        harness_die("GET %s: status %ld: %s", path, answer.status, answer.body != NULL ? answer.body : "nothing");
    json = json_incref(answer.json);
    http_answer_done(&answer);
    return json;
}

static void post(struct http *http, json_t *request, struct http_answer *ret)
{
    char *body = json_dumps(request, JSON_COMPACT);

    json_decref(request);
    if (body == NULL)
        harness_die("a request is no UTF-8");
    http_call(http, "POST", "/v1/messages", body, NULL, ret);
    free(body);
    if (ret->status != 202)
        harness_die("POST /v1/messages: status %ld: %s", ret->status, ret->body != NULL ? ret->body : "nothing");
}

void harness_send(struct harness *harness, const char *to, const char *text, char ret_id[32])
{
    struct http_answer answer;

    post(harness->http, json_pack("{s:s, s:s}", "to", to, "text", text), &answer);
    (void)snprintf(ret_id, 32, "%s", json_text_at(json_array_get(json_object_get(answer.json, "messages"), 0), "id"));
    http_answer_done(&answer);
}

void harness_send_many(struct http *http, uint64_t first, unsigned count, const char *text)
{
    json_t *numbers = json_array();
    struct http_answer answer;
    char number[24];

    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(number, sizeof number, "+%llu", (unsigned long long)(first + i));
        (void)json_array_append_new(numbers, json_string(number));
    }
    post(http, json_pack("{s:o, s:s}", "to", numbers, "text", text), &answer);
    http_answer_done(&answer);
}
