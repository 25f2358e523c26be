/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness_account.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "src/credit/price.h"
#include "src/sync/wire.h"

#define PRICES "prefix,price,price_ucs2\n*,1,2\n"
#define SILENT_MAX 16
#define DAY_MS INT64_C(86400000)

struct signer { gnutls_x509_crt_t certificate; gnutls_x509_privkey_t key; gnutls_datum_t pem, key_pem; };

struct account {
    struct MHD_Daemon *daemon;
    pthread_mutex_t mutex;
    enum account_mood mood;
    struct MHD_Connection *silent[SILENT_MAX]; unsigned silent_count;
    char url[64], ca_path[128], other_path[128], pin[65];
    struct signer ca, other, server;
    uint8_t key[SIGNATURE_PRIVATE_KEY_OCTETS], public_key[SIGNATURE_PUBLIC_KEY_OCTETS], prices[SHA256_OCTETS];
    unsigned requests, enrolled, leases, strangers;
    struct wire_enroll asked;
    char certificate[WIRE_CERTIFICATE_CHARS];
    uint8_t request_id[WIRE_REQUEST_ID_OCTETS];
    struct lease lease;
    struct journal_head acked;
    uint32_t epoch;
};

static int draw(void *context, unsigned char *octets, size_t length)
{
    (void)context;
    return getrandom(octets, length, 0) == (ssize_t)length ? 0 : -1;
}

/* -- certificates --------------------------------------------------------------------------------------------------- */

static void sign(gnutls_x509_crt_t certificate, const char *name, bool is_ca, const struct signer *issuer, gnutls_x509_crt_t self, gnutls_x509_privkey_t self_key)
{
    static unsigned char serial = 1;
    time_t now = time(NULL);

    HARNESS_CHECK(gnutls_x509_crt_set_version(certificate, 3) == 0 && gnutls_x509_crt_set_serial(certificate, &serial, 1) == 0);
    serial++;
    HARNESS_CHECK(gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)) == 0);
    HARNESS_CHECK(gnutls_x509_crt_set_activation_time(certificate, now - 86400) == 0 && gnutls_x509_crt_set_expiration_time(certificate, now + 864000) == 0);
    HARNESS_CHECK(gnutls_x509_crt_set_basic_constraints(certificate, is_ca, -1) == 0);
    if (!is_ca)
        HARNESS_CHECK(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_SET) == 0);
    HARNESS_CHECK(gnutls_x509_crt_sign2(certificate, issuer != NULL ? issuer->certificate : self, issuer != NULL ? issuer->key : self_key,
                                        GNUTLS_DIG_SHA256, 0) == 0);
}

static void make(struct signer *signer, const char *name, const struct signer *issuer)
{
    HARNESS_CHECK(gnutls_x509_privkey_init(&signer->key) == 0 && gnutls_x509_crt_init(&signer->certificate) == 0);
    HARNESS_CHECK(gnutls_x509_privkey_generate(signer->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
    HARNESS_CHECK(gnutls_x509_crt_set_key(signer->certificate, signer->key) == 0);
    sign(signer->certificate, name, issuer == NULL, issuer, signer->certificate, signer->key);
    HARNESS_CHECK(gnutls_x509_crt_export2(signer->certificate, GNUTLS_X509_FMT_PEM, &signer->pem) == 0);
    HARNESS_CHECK(gnutls_x509_privkey_export2(signer->key, GNUTLS_X509_FMT_PEM, &signer->key_pem) == 0);
}

static void signer_done(struct signer *signer)
{
    gnutls_x509_crt_deinit(signer->certificate);
    gnutls_x509_privkey_deinit(signer->key);
    gnutls_free(signer->pem.data);
    gnutls_free(signer->key_pem.data);
}

static void write_pem(const struct harness *harness, const char *name, const struct signer *signer, char *ret_path, size_t size)
{
    FILE *file;

    harness_path(harness, name, ret_path, size);
    file = fopen(ret_path, "we");
    HARNESS_CHECK(file != NULL && fwrite(signer->pem.data, 1, signer->pem.size, file) == signer->pem.size && fclose(file) == 0);
}

static bool certify(struct account *account, const char *csr)
{
    gnutls_datum_t text = { (unsigned char *)csr, (unsigned)strlen(csr) }, pem;
    gnutls_x509_crt_t certificate;
    gnutls_x509_crq_t request;
    bool good;

    HARNESS_CHECK(gnutls_x509_crq_init(&request) == 0 && gnutls_x509_crt_init(&certificate) == 0);
    good = gnutls_x509_crq_import(request, &text, GNUTLS_X509_FMT_PEM) == 0 && gnutls_x509_crq_verify(request, 0) == 0 &&
           gnutls_x509_crt_set_crq(certificate, request) == 0;
    if (good) {
        sign(certificate, "box", false, &account->ca, NULL, NULL);
        HARNESS_CHECK(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem) == 0);
        (void)snprintf(account->certificate, sizeof account->certificate, "%.*s", (int)pem.size, (char *)pem.data);
        gnutls_free(pem.data);
    }
    gnutls_x509_crq_deinit(request);
    gnutls_x509_crt_deinit(certificate);
    return good;
}

/* -- answers ---------------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void answer_enroll(struct account *account, const struct wire_enroll *ask, struct wire_answer *answer)
{
    bool again = memcmp(ask->nonce, account->asked.nonce, sizeof ask->nonce) == 0 && strcmp(ask->csr, account->asked.csr) == 0;

    if (account->mood == ACCOUNT_REFUSES_TOKENS) {
        answer->problem.code = WIRE_BAD_TOKEN;
        return;
    }
    if (!again && strcmp(ask->token, account->asked.token) == 0) {
        answer->problem.code = WIRE_TOKEN_USED;
        return;
    }
    if (!again && !certify(account, ask->csr)) {
        answer->problem.code = WIRE_BAD_CSR;
        return;
    }
    if (!again) {
        account->asked = *ask;
        account->enrolled++;
        account->epoch++;
        account->acked = (struct journal_head){ 0 };
        memset(&account->lease, 0, sizeof account->lease);
        account->lease.lease_id = account->leases;
    }
    answer->enrolled.box_id[0] = 7;
    answer->enrolled.epoch = account->epoch;
    (void)snprintf(answer->enrolled.certificate, sizeof answer->enrolled.certificate, "%s", account->certificate);
    memcpy(answer->enrolled.account_key, account->public_key, sizeof account->public_key);
    (void)strcpy(answer->enrolled.account, "Harness");
}

static void answer_lease(struct account *account, const struct wire_lease_request *ask, struct wire_answer *answer)
{
    static const uint8_t nobodys_key[SIGNATURE_PRIVATE_KEY_OCTETS] = { [SIGNATURE_PRIVATE_KEY_OCTETS - 1] = 1 };

    if (memcmp(ask->request_id, account->request_id, sizeof ask->request_id) != 0) {
        account->leases++;
        memcpy(account->request_id, ask->request_id, sizeof ask->request_id);
        account->lease = (struct lease){ .lease_id = account->leases, .epoch = account->epoch, .grant_micro = ask->want_micro,
                                         .issued_ms = now_ms(), .spend_until_ms = now_ms() + 30 * DAY_MS, .settle_until_ms = now_ms() + 60 * DAY_MS };
        memcpy(account->lease.price_sha256, account->prices, SHA256_OCTETS);
        memcpy(account->lease.hw_fingerprint, account->asked.hw_fingerprint, SHA256_OCTETS);
    }
    account->lease.box_id[0] = account->mood == ACCOUNT_LENDS_TO_ANOTHER ? 8 : 7;
    account->lease.price_version = account->mood == ACCOUNT_HAS_NO_PRICES ? 9 : 1;
    HARNESS_CHECK(lease_sign(&account->lease, account->mood == ACCOUNT_FORGES ? nobodys_key : account->key, draw, NULL) == 0);
    answer->lease.lease = account->lease;
}

static void answer_usage(struct account *account, const struct wire_usage *ask, struct wire_answer *answer)
{
    if (ask->from_seq > account->acked.seq + 1) {
        answer->problem.code = WIRE_GAP;
        answer->problem.has_acked = true;
        answer->problem.acked = account->acked;
        return;
    }
    if (ask->count > 0 && ask->entries[ask->count - 1].seq > account->acked.seq) {
        account->acked.seq = ask->entries[ask->count - 1].seq;
        memcpy(account->acked.hash, ask->entries[ask->count - 1].hash, SHA256_OCTETS);
    }
    answer->usage.acked = account->acked;
}

static void answer_of(struct account *account, const struct wire_request *request, struct wire_answer *answer)
{
    *answer = (struct wire_answer){ .call = request->call, .time_ms = now_ms() };
    switch (request->call) {
    case WIRE_ENROLL: answer_enroll(account, &request->enroll, answer); break;
    case WIRE_LEASES: answer_lease(account, &request->lease, answer); break;
    case WIRE_USAGE: answer_usage(account, &request->usage, answer); break;
    case WIRE_CLOSE: answer->closed.lease_id = request->close.lease_id; answer->closed.returned_micro = request->close.rest_micro; break;
    case WIRE_COMMANDS: break;
    default:
        if (request->prices.version != 1) {
            answer->problem.code = WIRE_NO_PRICES;
            return;
        }
        answer->prices.version = 1;
        memcpy(answer->prices.sha256, account->prices, SHA256_OCTETS);
        answer->prices.csv = strdup(PRICES);
    }
}

/* -- HTTP -------------------------------------------------------------------------------------------------------------- */

struct incoming { char *body; size_t length; };

static ssize_t break_off(void *context, uint64_t at, char *octets, size_t size)
{
    (void)context;
    if (at > 0 || size < 10)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    memcpy(octets, "{\"protocol", 10);
    return 10;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct MHD_Response *response, unsigned status)
{
    enum MHD_Result result = MHD_queue_response(connection, status, response);

    MHD_destroy_response(response);
    return result;
}

static bool is_known(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0;

    return info != NULL && gnutls_certificate_get_peers(info->tls_session, &count) != NULL && count > 0;
}

/* Under the mutex. *ret_body: of malloc(). */
static unsigned do_request(struct account *account, struct MHD_Connection *connection, const char *method, const char *target,
                           const struct incoming *incoming, char **ret_body, size_t *ret_length)
{
    struct wire_request request = { 0 };
    struct wire_answer answer = { .time_ms = now_ms() };
    struct wire_error error;
    const char *type;
    uint16_t status = 0;

    if (wire_request_decode(method, target, incoming->body, incoming->length, &request, &error) < 0) {
        answer.problem.code = WIRE_BAD_REQUEST;
    } else if (request.call != WIRE_ENROLL && !is_known(connection)) {
        account->strangers++;
        answer.call = request.call;
        answer.problem.code = WIRE_UNKNOWN_BOX;
    } else {
        answer_of(account, &request, &answer);
    }
    HARNESS_CHECK(wire_answer_encode(&answer, &status, &type, ret_body, ret_length) == 0);
    wire_answer_done(&answer);
    wire_request_done(&request);
    return status;
}

static bool is_handled(enum account_mood mood)
{
    return mood != ACCOUNT_PORTAL && mood != ACCOUNT_REDIRECT && mood != ACCOUNT_CUT && mood != ACCOUNT_SILENT;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
                                  const char *octets, size_t *length, void **own)
{
    static const char portal[] = "<html><body>Welcome to the hotel. Please log in.</body></html>";
    struct account *account = context;
    struct incoming *incoming = *own;
    struct MHD_Response *response;
    char target[256], *body = NULL;
    const char *after, *epoch;
    enum account_mood mood;
    size_t body_length = 0;
    unsigned status = 0;

    (void)version;
    if (incoming == NULL) {
        *own = calloc(1, sizeof *incoming);
        return *own != NULL ? MHD_YES : MHD_NO;
    }
    if (*length > 0) {
        incoming->body = realloc(incoming->body, incoming->length + *length);
        memcpy(incoming->body + incoming->length, octets, *length);
        incoming->length += *length;
        *length = 0;
        return MHD_YES;
    }
    after = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "after");
    epoch = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "epoch");
    (void)snprintf(target, sizeof target, "%s%s%s%s%s", path, after != NULL ? "?after=" : "", after != NULL ? after : "", epoch != NULL ? "&epoch=" : "",
                   epoch != NULL ? epoch : "");
    (void)pthread_mutex_lock(&account->mutex);
    account->requests++;
    mood = account->mood;
    if (is_handled(mood))
        status = do_request(account, connection, method, target, incoming, &body, &body_length);
    if (mood == ACCOUNT_SILENT && account->silent_count < SILENT_MAX) {
        account->silent[account->silent_count++] = connection;
        MHD_suspend_connection(connection);   /* until the server ends */
    }
    (void)pthread_mutex_unlock(&account->mutex);
    if (mood == ACCOUNT_SILENT)
        return MHD_YES;
    if (mood == ACCOUNT_CUT || mood == ACCOUNT_ANSWER_LOST) {
        free(body);
        return send_answer(connection, MHD_create_response_from_callback(4096, 4096, break_off, NULL, NULL), 200);
    }
    if (mood == ACCOUNT_PORTAL || mood == ACCOUNT_REDIRECT) {
        response = MHD_create_response_from_buffer(sizeof portal - 1, (void *)(uintptr_t)portal, MHD_RESPMEM_PERSISTENT);
        (void)MHD_add_response_header(response, "Content-Type", "text/html");
        if (mood == ACCOUNT_REDIRECT)
            (void)MHD_add_response_header(response, "Location", "/login");
        return send_answer(connection, response, mood == ACCOUNT_REDIRECT ? 302 : 200);
    }
    return send_answer(connection, MHD_create_response_from_buffer(body_length, body, MHD_RESPMEM_MUST_FREE), status);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **own, enum MHD_RequestTerminationCode code)
{
    struct incoming *incoming = *own;

    (void)context;
    (void)connection;
    (void)code;
    if (incoming != NULL)
        free(incoming->body);
    free(incoming);
    *own = NULL;
}

/* -- all -------------------------------------------------------------------------------------------------------------- */

static void make_key(struct account *account)
{
    gnutls_datum_t x, y, k;
    gnutls_x509_privkey_t key;
    gnutls_ecc_curve_t curve;

    HARNESS_CHECK(gnutls_x509_privkey_init(&key) == 0);
    HARNESS_CHECK(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
    HARNESS_CHECK(gnutls_x509_privkey_export_ecc_raw(key, &curve, &x, &y, &k) == 0);
    account->public_key[0] = 4;
    for (size_t i = 0; i < 32; i++) {
        account->public_key[1 + i] = i + x.size >= 32 ? x.data[i + x.size - 32] : 0;
        account->public_key[33 + i] = i + y.size >= 32 ? y.data[i + y.size - 32] : 0;
        account->key[i] = i + k.size >= 32 ? k.data[i + k.size - 32] : 0;
    }
    gnutls_free(x.data);
    gnutls_free(y.data);
    gnutls_free(k.data);
    gnutls_x509_privkey_deinit(key);
}

static void hash_prices(struct account *account)
{
    static const char text[] = PRICES;
    struct table_file file = { "prices", text, sizeof text - 1 };
    struct table_notes *notes = calloc(1, sizeof *notes);
    struct price_table *table = NULL;

    HARNESS_CHECK(notes != NULL && price_table_parse(1, &file, &table, notes) == 0);
    memcpy(account->prices, price_table_sha256(table), SHA256_OCTETS);
    price_table_free(table);
    free(notes);
}

struct account *account_new(const struct harness *harness)
{
    struct account *account = calloc(1, sizeof *account);
    const union MHD_DaemonInfo *info;
    uint8_t pin[32];
    size_t size = sizeof pin;

    HARNESS_CHECK(account != NULL && pthread_mutex_init(&account->mutex, NULL) == 0);
    make(&account->ca, "Harness CA", NULL);
    make(&account->other, "Other CA", NULL);
    make(&account->server, "localhost", &account->ca);
    write_pem(harness, "account.pem", &account->ca, account->ca_path, sizeof account->ca_path);
    write_pem(harness, "other.pem", &account->other, account->other_path, sizeof account->other_path);
    HARNESS_CHECK(gnutls_x509_crt_get_key_id(account->server.certificate, GNUTLS_KEYID_USE_SHA256, pin, &size) == 0);
    for (size_t i = 0; i < size; i++)
        (void)snprintf(account->pin + 2 * i, 3, "%02x", pin[i]);
    make_key(account);
    hash_prices(account);
    account->daemon = MHD_start_daemon(MHD_USE_TLS | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, account,
                                       MHD_OPTION_HTTPS_MEM_KEY, account->server.key_pem.data, MHD_OPTION_HTTPS_MEM_CERT, account->server.pem.data,
                                       MHD_OPTION_HTTPS_MEM_TRUST, account->ca.pem.data, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    HARNESS_CHECK(account->daemon != NULL);
    info = MHD_get_daemon_info(account->daemon, MHD_DAEMON_INFO_BIND_PORT);
    (void)snprintf(account->url, sizeof account->url, "https://localhost:%u", (unsigned)info->port);
    return account;
}

void account_free(struct account *account)
{
    if (account == NULL)
        return;
    (void)pthread_mutex_lock(&account->mutex);
    account->mood = ACCOUNT_CUT;
    for (unsigned i = 0; i < account->silent_count; i++)
        MHD_resume_connection(account->silent[i]);
    (void)pthread_mutex_unlock(&account->mutex);
    MHD_stop_daemon(account->daemon);
    signer_done(&account->ca);
    signer_done(&account->other);
    signer_done(&account->server);
    (void)pthread_mutex_destroy(&account->mutex);
    free(account);
}

void account_set_mood(struct account *account, enum account_mood mood)
{
    (void)pthread_mutex_lock(&account->mutex);
    account->mood = mood;
    (void)pthread_mutex_unlock(&account->mutex);
}

const char *account_url(const struct account *account) { return account->url; }
const char *account_ca(const struct account *account) { return account->ca_path; }
const char *account_other_ca(const struct account *account) { return account->other_path; }
const char *account_pin(const struct account *account) { return account->pin; }

#define READER(type, member)                               \
    type account_##member(struct account *account)         \
    {                                                      \
        type value;                                        \
                                                           \
        (void)pthread_mutex_lock(&account->mutex);         \
        value = account->member;                           \
        (void)pthread_mutex_unlock(&account->mutex);       \
        return value;                                      \
    }

READER(unsigned, requests)
READER(unsigned, enrolled)
READER(unsigned, leases)
READER(unsigned, strangers)

uint64_t account_acked(struct account *account)
{
    uint64_t seq;

    (void)pthread_mutex_lock(&account->mutex);
    seq = account->acked.seq;
    (void)pthread_mutex_unlock(&account->mutex);
    return seq;
}
