/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/courier.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/common/file_read.h"

#define CONNECT_MS 15000L
#define LOW_SPEED_S 15L                      /* fewer than an octet in each of them is a connection that hangs */
#define PEM_OCTETS_MAX (256u << 10)

enum courier_state { COURIER_IDLE, COURIER_ASKED, COURIER_ANSWERED };

struct courier {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    CURLM *multi;                            /* for waking it; else the thread's */
    void (*wake)(void *context);
    void *context;
    atomic_bool stop;
    enum courier_state state;                /* under the mutex, as the rest of what is asked and answered */
    struct courier_peer peer;
    struct wire_message message;
    struct courier_answer answer;
    /* Of the thread alone. */
    CURL *easy;
    unsigned generation;
    char *ca; size_t ca_length;
    struct tls_rules rules;
    char host[CENTRAL_HOST_MAX];
    enum tls_verdict verdict;
    size_t answer_max;
    bool too_large;
    char error[CURL_ERROR_SIZE];
};

/* -- one transfer ------------------------------------------------------------------------------------------------ */

/* The connection is there, the request is not: now it is decided whether they belong together. libcurl would have judged the
 * chain by the system's clock, which may say 1970. */
static int on_before_request(void *context, char *peer_ip, char *local_ip, int peer_port, int local_port)
{
    struct courier *courier = context;
    struct curl_tlssessioninfo *info = NULL;
    const gnutls_datum_t *chain = NULL;
    unsigned count = 0;

    (void)peer_ip;
    (void)local_ip;
    (void)peer_port;
    (void)local_port;
    if (curl_easy_getinfo(courier->easy, CURLINFO_TLS_SSL_PTR, &info) == CURLE_OK && info != NULL && info->backend == CURLSSLBACKEND_GNUTLS &&
        info->internals != NULL)
        chain = gnutls_certificate_get_peers(info->internals, &count);
    courier->verdict = tls_verify(&courier->rules, chain, count);
    return courier->verdict == TLS_GOOD ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t on_body(char *octets, size_t size, size_t count, void *context)
{
    struct courier *courier = context;
    struct courier_answer *answer = &courier->answer;
    size_t length = size * count;
    char *body;

    if (length > courier->answer_max - answer->length) {
        courier->too_large = true;
        return 0;
    }
    body = realloc(answer->body, answer->length + length + 1);
    if (body == NULL)
        return 0;
    memcpy(body + answer->length, octets, length);
    answer->body = body;
    answer->length += length;
    body[answer->length] = '\0';
    return length;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct courier *courier = context;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&courier->stop);
}

static int64_t identity_floor_s(const char *path)
{
    int64_t floor_s = 0;
    char *text = NULL;
    size_t length;

    if (path[0] != '\0' && file_read(path, PEM_OCTETS_MAX, &text, &length) == 0) {
        const char *begin = strstr(text, "-----BEGIN CERTIFICATE-----");

        if (begin != NULL)
            floor_s = tls_not_before_s(begin, strlen(begin));
        explicit_bzero(text, length);
    }
    free(text);
    return floor_s;
}

/* False: said in the answer. */
static bool prepare_rules(struct courier *courier)
{
    const struct courier_peer *peer = &courier->peer;
    int64_t identity_s = identity_floor_s(peer->identity);
    int r;

    free(courier->ca);
    courier->ca = NULL;
    if (peer->place.ca[0] != '\0' && (r = file_read(peer->place.ca, PEM_OCTETS_MAX, &courier->ca, &courier->ca_length)) < 0) {
        courier->answer.error = r;
        (void)snprintf(courier->answer.detail, sizeof courier->answer.detail, "%.160s cannot be read: %s", peer->place.ca, strerror(-r));
        return false;
    }
    central_host(peer->place.url, courier->host);
    courier->rules = (struct tls_rules){ .host = courier->host, .ca = courier->ca, .ca_length = courier->ca_length, .has_pin = peer->place.has_pin,
                                         .now_s = (int64_t)time(NULL), .floor_s = identity_s > peer->floor_s ? identity_s : peer->floor_s };
    memcpy(courier->rules.pin, peer->place.pin, sizeof courier->rules.pin);
    return true;
}

#define SET(option, value) (ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK)

static bool prepare(struct courier *courier, const char *url, struct curl_slist *headers)
{
    const struct courier_peer *peer = &courier->peer;
    CURL *easy = courier->easy;
    bool ok = true;

    curl_easy_reset(easy);
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* on_before_request() verifies, always. */
    SET(CURLOPT_SSL_VERIFYPEER, 0L);
    SET(CURLOPT_SSL_VERIFYHOST, 0L);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);    /* a session taken up again might show no chain */
    SET(CURLOPT_PREREQFUNCTION, on_before_request);
    SET(CURLOPT_PREREQDATA, courier);
    if (peer->identity[0] != '\0') {
        SET(CURLOPT_SSLCERT, peer->identity);
        SET(CURLOPT_SSLKEY, peer->identity);
    }
    if (peer->place.proxy[0] != '\0') {
        SET(CURLOPT_PROXY, peer->place.proxy);
        SET(CURLOPT_NOPROXY, "");
    }
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* What is connected as somebody else, or to somebody else, is not used any more: with room for one it is closed. */
    if (courier->generation != peer->generation)
        SET(CURLOPT_FRESH_CONNECT, 1L);
    courier->generation = peer->generation;
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_CUSTOMREQUEST, courier->message.method);
    if (courier->message.body != NULL) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)courier->message.length);
        SET(CURLOPT_POSTFIELDS, courier->message.body);
    } else if (strcmp(courier->message.method, "GET") != 0) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
        SET(CURLOPT_POSTFIELDS, "");
    }
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, courier);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, courier);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);             /* nobody waits for a name server at the end */
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)COURIER_TIMEOUT_MS);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
    SET(CURLOPT_ERRORBUFFER, courier->error);
    return ok;
}

static CURLcode perform(struct courier *courier)
{
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, left;
    CURLMsg *message;

    if (curl_multi_add_handle(courier->multi, courier->easy) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    while (running > 0 && !atomic_load(&courier->stop) && curl_multi_perform(courier->multi, &running) == CURLM_OK)
        if (running > 0)
            (void)curl_multi_poll(courier->multi, NULL, 0, 1000, NULL);
    while ((message = curl_multi_info_read(courier->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    (void)curl_multi_remove_handle(courier->multi, courier->easy);
    return code;
}

static int error_of(CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return -ETIMEDOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return -EHOSTUNREACH;
    case CURLE_COULDNT_CONNECT: return -ECONNREFUSED;
    case CURLE_OUT_OF_MEMORY: return -ENOMEM;
    default: return -EIO;
    }
}

static void tell(struct courier *courier, CURLcode code)
{
    struct courier_answer *answer = &courier->answer;
    long status = 0;

    if (code == CURLE_OK && curl_easy_getinfo(courier->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK) {
        answer->status = (uint16_t)status;
        return;
    }
    if (courier->verdict != TLS_GOOD) {
        answer->error = -EPERM;
        (void)snprintf(answer->detail, sizeof answer->detail, "%s", tls_verdict_words(courier->verdict));
    } else if (courier->too_large) {
        answer->error = -EFBIG;
        (void)snprintf(answer->detail, sizeof answer->detail, "the answer is larger than any answer of an account");
    } else {
        answer->error = error_of(code);
        (void)snprintf(answer->detail, sizeof answer->detail, "%.255s", courier->error[0] != '\0' ? courier->error : curl_easy_strerror(code));
    }
    free(answer->body);
    answer->body = NULL;
    answer->length = 0;
}

static void carry(struct courier *courier)
{
    char url[CENTRAL_URL_MAX + WIRE_TARGET_CHARS];
    struct curl_slist *headers = curl_slist_append(NULL, courier->message.body != NULL ? "Content-Type: application/json" : "Content-Type:");
    struct curl_slist *more = headers != NULL ? curl_slist_append(headers, "Expect:") : NULL;
    size_t length = strlen(courier->peer.place.url);

    courier->verdict = TLS_GOOD;
    courier->too_large = false;
    courier->error[0] = '\0';
    courier->answer_max = wire_answer_max(courier->answer.call);
    if (length > 0 && courier->peer.place.url[length - 1] == '/')
        length--;
    (void)snprintf(url, sizeof url, "%.*s%s", (int)length, courier->peer.place.url, courier->message.target);
    if (length == 0) {
        courier->answer.error = -ENOENT;
        (void)snprintf(courier->answer.detail, sizeof courier->answer.detail, "url in [central] does not say where the account is");
    } else if (more == NULL || courier->easy == NULL) {
        courier->answer.error = -ENOMEM;
    } else if (prepare_rules(courier)) {
        tell(courier, prepare(courier, url, more) ? perform(courier) : CURLE_OUT_OF_MEMORY);
    }
    curl_slist_free_all(headers);
}

/* -- the thread --------------------------------------------------------------------------------------------------- */

static void *run(void *context)
{
    struct courier *courier = context;

    (void)pthread_mutex_lock(&courier->mutex);
    while (!atomic_load(&courier->stop)) {
        if (courier->state != COURIER_ASKED) {
            (void)pthread_cond_wait(&courier->cond, &courier->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&courier->mutex);
        carry(courier);
        (void)pthread_mutex_lock(&courier->mutex);
        free(courier->message.body);
        courier->message.body = NULL;
        courier->state = COURIER_ANSWERED;
        courier->wake(courier->context);
    }
    (void)pthread_mutex_unlock(&courier->mutex);
    return NULL;
}

static void done(struct courier *courier)
{
    if (courier->easy != NULL)
        curl_easy_cleanup(courier->easy);
    if (courier->multi != NULL)
        (void)curl_multi_cleanup(courier->multi);
    (void)pthread_cond_destroy(&courier->cond);
    (void)pthread_mutex_destroy(&courier->mutex);
    free(courier->ca);
    free(courier->message.body);
    free(courier->answer.body);
    free(courier);
}

int courier_start(void (*wake)(void *context), void *context, struct courier **ret_courier)
{
    struct courier *courier = calloc(1, sizeof *courier);
    int r;

    if (courier == NULL)
        return -ENOMEM;
    courier->wake = wake;
    courier->context = context;
    (void)pthread_mutex_init(&courier->mutex, NULL);
    (void)pthread_cond_init(&courier->cond, NULL);
    courier->multi = curl_multi_init();
    courier->easy = curl_easy_init();
    if (courier->multi != NULL)
        (void)curl_multi_setopt(courier->multi, CURLMOPT_MAXCONNECTS, 1L);
    r = courier->multi != NULL && courier->easy != NULL ? pthread_create(&courier->thread, NULL, run, courier) : ENOMEM;
    if (r != 0) {
        done(courier);
        return -r;
    }
    *ret_courier = courier;
    return 0;
}

void courier_stop(struct courier *courier)
{
    if (courier == NULL)
        return;
    atomic_store(&courier->stop, true);
    (void)curl_multi_wakeup(courier->multi);
    (void)pthread_mutex_lock(&courier->mutex);
    (void)pthread_cond_signal(&courier->cond);
    (void)pthread_mutex_unlock(&courier->mutex);
    (void)pthread_join(courier->thread, NULL);
    done(courier);
}

int courier_send(struct courier *courier, const struct courier_peer *peer, enum wire_call call, const struct wire_message *message)
{
    int r = -EBUSY;

    (void)pthread_mutex_lock(&courier->mutex);
    if (courier->state == COURIER_IDLE) {
        courier->peer = *peer;
        courier->message = *message;
        courier->answer = (struct courier_answer){ .call = call };
        courier->state = COURIER_ASKED;
        (void)pthread_cond_signal(&courier->cond);
        r = 0;
    }
    (void)pthread_mutex_unlock(&courier->mutex);
    if (r < 0)
        free(message->body);
    return r;
}

bool courier_collect(struct courier *courier, struct courier_answer *ret_answer)
{
    bool answered;

    (void)pthread_mutex_lock(&courier->mutex);
    answered = courier->state == COURIER_ANSWERED;
    if (answered) {
        *ret_answer = courier->answer;
        courier->answer.body = NULL;
        courier->state = COURIER_IDLE;
    }
    (void)pthread_mutex_unlock(&courier->mutex);
    return answered;
}
