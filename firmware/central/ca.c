/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/central/ca.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/central/ca_files.h"
#include "firmware/central/ca_x509.h"
#include "src/base/hex.h"

#define KEYS "keys"
#define SERVER_S (INT64_C(397) * 86400)      /* what some TLS libraries take at most */
#define BEFORE_S 86400                       /* clocks of boxes may be behind */
#define SUBJECT_CHARS 96
#define PATH_CHARS 1024

struct central_ca {
    char state_dir[PATH_CHARS], folder[PATH_CHARS];
    mbedtls_pk_context key;
    char *pem, *server_key_pem;
    char subject[SUBJECT_CHARS];
    int64_t until_s;
    uint8_t pin[SHA256_OCTETS], account_private[SIGNATURE_PRIVATE_KEY_OCTETS], account_public[SIGNATURE_PUBLIC_KEY_OCTETS];
};

/* -- making -------------------------------------------------------------------------------------------------------------- */

/* The name has chance in it: two authorities of the same name confuse programs that look for one by its name. */
static int make_authority(mbedtls_pk_context *key, int64_t now_ms, char ret_pem[X509_CERTIFICATE_PEM_CHARS])
{
    char subject[SUBJECT_CHARS], digits[9];
    uint8_t chance[4];
    int r = x509_random(NULL, chance, sizeof chance) == 0 ? 0 : -EIO;
    struct x509_paper paper = { .purpose = X509_AUTHORITY, .subject = subject, .key = key, .issuer = subject, .issuer_key = key,
                                .from_s = now_ms / 1000 - BEFORE_S, .until_s = now_ms / 1000 + X509_ERA_S };

    if (r < 0)
        return r;
    hex_encode(chance, sizeof chance, digits);
    (void)snprintf(subject, sizeof subject, "O=Cellpost,CN=Cellpost account %s", digits);
    return x509_certify(&paper, ret_pem);
}

static int make_key(mbedtls_pk_context *ret_key, char ret_pem[X509_KEY_PEM_CHARS])
{
    int r = x509_key_make(ret_key);

    if (r == 0 && (r = x509_key_write(ret_key, ret_pem)) < 0)
        mbedtls_pk_free(ret_key);
    return r;
}

static int make_keys(const char *state_dir, int64_t now_ms)
{
    char pem[3][X509_KEY_PEM_CHARS], certificate[X509_CERTIFICATE_PEM_CHARS];
    const struct ca_file files[] = { { "ca.key", pem[0] }, { "server.key", pem[1] }, { "account.key", pem[2] }, { "ca.pem", certificate } };
    mbedtls_pk_context key[3];
    int made = 0, r = 0;

    while (r == 0 && made < 3 && (r = make_key(&key[made], pem[made])) == 0)
        made++;
    if (r == 0)
        r = make_authority(&key[0], now_ms, certificate);
    if (r == 0)
        r = ca_folder_make(state_dir, KEYS, files, sizeof files / sizeof files[0]);
    while (made > 0)
        mbedtls_pk_free(&key[--made]);
    explicit_bzero(pem, sizeof pem);
    return r;
}

/* -- reading ------------------------------------------------------------------------------------------------------------- */

static int fail(char *problem, size_t size, int r, const char *folder, const char *name)
{
    if (r == -EPERM)
        (void)snprintf(problem, size, "%s/%s can be read by others than its owner: chmod 600 %s/%s, and think about who has read it", folder, name,
                       folder, name);
    else if (r == -EINVAL)
        (void)snprintf(problem, size, "%s/%s is damaged: take it from a backup", folder, name);
    else if (r == -ENOENT)
        (void)snprintf(problem, size, "%s/%s is missing: take it from a backup; without it the boxes do not know this account any more", folder, name);
    else
        (void)snprintf(problem, size, "%s/%s: %s", folder, name, strerror(-r));
    return r;
}

static int read_key(struct central_ca *ca, const char *name, mbedtls_pk_context *ret_key, char *problem, size_t size)
{
    char *pem;
    int r = ca_file_read(ca->folder, name, true, &pem);

    if (r == 0) {
        r = x509_key_read(pem, ret_key);
        ca_text_free(pem);
    }
    return r < 0 ? fail(problem, size, r, ca->folder, name) : 0;
}

/* ca.pem: that it is of ca.key, and how its subject reads. */
static int read_authority(struct central_ca *ca)
{
    mbedtls_x509_crt certificate;
    uint8_t sha256[SHA256_OCTETS];
    int r;

    mbedtls_x509_crt_init(&certificate);
    r = mbedtls_x509_crt_parse(&certificate, (const unsigned char *)ca->pem, strlen(ca->pem) + 1) == 0 ? 0 : -EINVAL;
    if (r == 0)
        r = x509_key_sha256(&certificate.pk, sha256);
    if (r == 0)
        r = x509_key_sha256(&ca->key, ca->pin);
    if (r == 0 && (memcmp(sha256, ca->pin, sizeof sha256) != 0 || mbedtls_x509_dn_gets(ca->subject, sizeof ca->subject, &certificate.subject) <= 0))
        r = -EINVAL;
    if (r == 0)
        ca->until_s = x509_time_s(&certificate.valid_to);
    mbedtls_x509_crt_free(&certificate);
    return r;
}

static int read_keys(struct central_ca *ca, char *problem, size_t size)
{
    mbedtls_pk_context account, server;
    int r = read_key(ca, "ca.key", &ca->key, problem, size);

    if (r < 0)
        return r;
    r = ca_file_read(ca->folder, "ca.pem", false, &ca->pem);
    if (r == 0)
        r = read_authority(ca);
    if (r < 0)
        return fail(problem, size, r, ca->folder, "ca.pem");
    r = read_key(ca, "account.key", &account, problem, size);
    if (r < 0)
        return r;
    r = x509_key_private(&account, ca->account_private);
    if (r == 0)
        r = x509_key_public(&account, ca->account_public);
    mbedtls_pk_free(&account);
    if (r < 0)
        return fail(problem, size, r, ca->folder, "account.key");
    r = read_key(ca, "server.key", &server, problem, size);
    if (r < 0)
        return r;
    mbedtls_pk_free(&server);
    r = ca_file_read(ca->folder, "server.key", true, &ca->server_key_pem);
    return r < 0 ? fail(problem, size, r, ca->folder, "server.key") : 0;
}

static int open_or_make(const char *state_dir, bool may_make, int64_t now_ms, char *problem, size_t size)
{
    int lock, r;

    if (ca_folder_is_there(state_dir, KEYS))
        return 0;
    if (!may_make) {
        (void)snprintf(problem, size, "%s has no folder " KEYS ": take it from a backup. New keys are not made, because the database has boxes, and "
                       "none of them would know this account any more", state_dir);
        return -ENOENT;
    }
    r = ca_folder_lock(state_dir, &lock);
    if (r < 0) {
        (void)snprintf(problem, size, "%s cannot be used: %s", state_dir, strerror(-r));
        return r;
    }
    r = make_keys(state_dir, now_ms);
    (void)close(lock);
    if (r == -EEXIST)
        r = 0;                               /* another process was first */
    if (r < 0)
        (void)snprintf(problem, size, "%s/" KEYS " cannot be made: %s", state_dir, strerror(-r));
    return r;
}

int central_ca_open(const char *state_dir, bool may_make, int64_t now_ms, struct central_ca **ret_ca, char *problem, size_t problem_size)
{
    struct central_ca *ca = calloc(1, sizeof *ca);
    int r;

    if (!ca || strlen(state_dir) + sizeof "/" KEYS > sizeof ca->folder) {
        (void)snprintf(problem, problem_size, ca ? "the path of the state folder is too long" : "out of memory");
        r = ca ? -ENAMETOOLONG : -ENOMEM;
        free(ca);
        return r;
    }
    mbedtls_pk_init(&ca->key);
    (void)snprintf(ca->state_dir, sizeof ca->state_dir, "%s", state_dir);
    (void)strcat(strcpy(ca->folder, state_dir), "/" KEYS);
    r = open_or_make(state_dir, may_make, now_ms, problem, problem_size);
    if (r == 0)
        r = read_keys(ca, problem, problem_size);
    if (r < 0) {
        central_ca_close(ca);
        return r;
    }
    *ret_ca = ca;
    return 0;
}

void central_ca_close(struct central_ca *ca)
{
    if (!ca)
        return;
    mbedtls_pk_free(&ca->key);
    free(ca->pem);
    ca_text_free(ca->server_key_pem);
    explicit_bzero(ca->account_private, sizeof ca->account_private);
    free(ca);
}

const uint8_t *central_ca_pin(const struct central_ca *ca) { return ca->pin; }
const uint8_t *central_ca_account_key(const struct central_ca *ca) { return ca->account_public; }
const char *central_ca_certificate(const struct central_ca *ca) { return ca->pem; }

/* -- the server's certificate ---------------------------------------------------------------------------------------------- */

/* Of an authority's key a copy for each use, since threads share it and mbedtls blinds with what is in it. */
static int copy_key(const struct central_ca *ca, mbedtls_pk_context *ret_key)
{
    int error;

    mbedtls_pk_init(ret_key);
    error = mbedtls_pk_setup(ret_key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (error == 0) {
        mbedtls_ecp_keypair *to = mbedtls_pk_ec(*ret_key);
        const mbedtls_ecp_keypair *from = mbedtls_pk_ec(ca->key);

        error = mbedtls_ecp_group_load(&to->grp, MBEDTLS_ECP_DP_SECP256R1);
        if (error == 0)
            error = mbedtls_mpi_copy(&to->d, &from->d);
        if (error == 0)
            error = mbedtls_ecp_copy(&to->Q, &from->Q);
    }
    if (error != 0)
        mbedtls_pk_free(ret_key);
    return x509_error(error);
}

/* Whether a certificate is of this authority, this key and these names; then *ret_until_s is set. */
static bool is_of(const struct central_ca *ca, const char *pem, const uint8_t key_sha256[SHA256_OCTETS], const struct x509_names *names,
                  int64_t *ret_until_s)
{
    mbedtls_x509_crt certificate, authority;
    uint8_t sha256[SHA256_OCTETS];
    uint32_t flags;
    bool good;

    mbedtls_x509_crt_init(&certificate);
    mbedtls_x509_crt_init(&authority);
    good = mbedtls_x509_crt_parse(&certificate, (const unsigned char *)pem, strlen(pem) + 1) == 0 &&
           mbedtls_x509_crt_parse(&authority, (const unsigned char *)ca->pem, strlen(ca->pem) + 1) == 0 &&
           x509_key_sha256(&certificate.pk, sha256) == 0 && memcmp(sha256, key_sha256, sizeof sha256) == 0 &&
           memmem(certificate.raw.p, certificate.raw.len, names->octets, names->length);
    /* Times are looked at by who asked. */
    if (good && mbedtls_x509_crt_verify(&certificate, &authority, NULL, NULL, &flags, NULL, NULL) != 0)
        good = (flags & ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) == 0;
    if (good)
        *ret_until_s = x509_time_s(&certificate.valid_to);
    mbedtls_x509_crt_free(&authority);
    mbedtls_x509_crt_free(&certificate);
    return good;
}

static int make_server(const struct central_ca *ca, mbedtls_pk_context *key, const struct x509_names *names, int64_t now_s, char **ret_pem,
                       int64_t *ret_until_s)
{
    struct x509_paper paper = { .purpose = X509_SERVER, .subject = "O=Cellpost,CN=cellpost-central", .key = key, .issuer = ca->subject, .names = names,
                                .from_s = now_s - BEFORE_S, .until_s = now_s + SERVER_S < ca->until_s ? now_s + SERVER_S : ca->until_s };
    mbedtls_pk_context authority;
    char *pem = malloc(X509_CERTIFICATE_PEM_CHARS);
    int r = pem ? copy_key(ca, &authority) : -ENOMEM;

    if (r == 0) {
        paper.issuer_key = &authority;
        r = x509_certify(&paper, pem);
        mbedtls_pk_free(&authority);
    }
    if (r == 0)
        r = ca_file_write(ca->state_dir, "server.pem", pem);
    if (r < 0) {
        free(pem);
        return r;
    }
    *ret_pem = pem;
    *ret_until_s = paper.until_s;
    return 0;
}

int64_t central_server_renew_s(const struct central_server_paper *paper)
{
    return paper->until_s - SERVER_S / 3;
}

static int find_server(const struct central_ca *ca, const struct x509_names *names, int64_t now_s, struct central_server_paper *paper, char **ret_pem)
{
    mbedtls_pk_context key;
    uint8_t sha256[SHA256_OCTETS];
    char *pem = NULL;
    int lock, r = x509_key_read(ca->server_key_pem, &key);

    if (r < 0)
        return r;
    r = ca_folder_lock(ca->state_dir, &lock);
    if (r < 0) {
        mbedtls_pk_free(&key);
        return r;
    }
    r = x509_key_sha256(&key, sha256);
    /* A file that cannot be read, for whatever reason, is made anew: it has no secret that would be lost. */
    if (r == 0 && ca_file_read(ca->state_dir, "server.pem", false, &pem) == 0 &&
        (!is_of(ca, pem, sha256, names, &paper->until_s) || now_s >= central_server_renew_s(paper) || now_s < paper->until_s - SERVER_S - BEFORE_S)) {
        free(pem);
        pem = NULL;
    }
    paper->is_new = !pem;
    if (r == 0 && !pem)
        r = make_server(ca, &key, names, now_s, &pem, &paper->until_s);
    (void)close(lock);
    mbedtls_pk_free(&key);
    *ret_pem = pem;
    return r;
}

int central_ca_server(const struct central_ca *ca, const char *const *names, size_t count, int64_t now_ms,
                      struct central_server_paper *ret_paper, char *problem, size_t problem_size)
{
    struct central_server_paper paper = { .chain = NULL };
    struct x509_names written;
    const char *wrong;
    char *pem = NULL;
    int r = x509_names_write(names, count, &written, &wrong);

    if (r < 0) {
        (void)snprintf(problem, problem_size, r == -EMSGSIZE ? "the names of the server are too many%s" : "'%s' is neither a name of a host nor an address",
                       r == -EMSGSIZE ? "" : wrong);
        return r;
    }
    r = find_server(ca, &written, now_ms / 1000, &paper, &pem);
    if (r == 0) {
        paper.key = strdup(ca->server_key_pem);
        paper.chain = malloc(strlen(pem) + strlen(ca->pem) + 1);
        if (paper.chain)
            (void)strcat(strcpy(paper.chain, pem), ca->pem);
        r = paper.key && paper.chain ? 0 : -ENOMEM;
    }
    free(pem);
    if (r < 0) {
        (void)snprintf(problem, problem_size, "%s/server.pem cannot be made: %s", ca->state_dir, strerror(-r));
        central_server_paper_done(&paper);
        return r;
    }
    *ret_paper = paper;
    return 0;
}

void central_server_paper_done(struct central_server_paper *paper)
{
    free(paper->chain);
    ca_text_free(paper->key);
    *paper = (struct central_server_paper){ .chain = NULL };
}

/* -- hands ----------------------------------------------------------------------------------------------------------------- */

static int hand_random(void *context, unsigned char *octets, size_t length)
{
    return x509_random(context, octets, length) == 0 ? 0 : -EIO;
}

static int hand_sign_lease(void *context, struct lease *lease)
{
    const struct central_ca *ca = context;

    return lease_sign(lease, ca->account_private, hand_random, NULL);
}

static int hand_sign_command(void *context, struct command *command, const uint8_t box[LEASE_BOX_ID_OCTETS], uint32_t epoch)
{
    const struct central_ca *ca = context;

    return command_sign(command, box, epoch, ca->account_private, hand_random, NULL);
}

/* Good as long as the authority: who may not speak any more is known to the account by its key and its epoch. */
static int hand_certify(void *context, const char *csr, const uint8_t box[LEASE_BOX_ID_OCTETS], int64_t now_ms,
                        char ret_certificate[ACCOUNT_CERTIFICATE_CHARS], uint8_t ret_key_sha256[SHA256_OCTETS])
{
    const struct central_ca *ca = context;
    char subject[SUBJECT_CHARS], id[2 * LEASE_BOX_ID_OCTETS + 1];
    struct x509_paper paper = { .purpose = X509_CLIENT, .subject = subject, .issuer = ca->subject, .from_s = now_ms / 1000 - BEFORE_S,
                                .until_s = ca->until_s };
    mbedtls_pk_context key, authority;
    int r = x509_request_read(csr, &key);

    if (r < 0)
        return r;
    hex_encode(box, LEASE_BOX_ID_OCTETS, id);
    (void)snprintf(subject, sizeof subject, "O=Cellpost,CN=%s", id);
    r = x509_key_sha256(&key, ret_key_sha256);
    if (r == 0)
        r = copy_key(ca, &authority);
    if (r == 0) {
        paper.key = &key;
        paper.issuer_key = &authority;
        r = x509_certify(&paper, ret_certificate);
        mbedtls_pk_free(&authority);
    }
    mbedtls_pk_free(&key);
    return r == -EINVAL ? -EIO : r;          /* the request was good: what is wrong is ours */
}

_Static_assert(ACCOUNT_CERTIFICATE_CHARS >= X509_CERTIFICATE_PEM_CHARS, "what is written has room");

struct account_hands central_ca_hands(const struct central_ca *ca, int64_t lease_ms, int64_t settle_ms)
{
    return (struct account_hands){ .random = hand_random, .sign_lease = hand_sign_lease, .sign_command = hand_sign_command, .certify = hand_certify,
                                   .context = (void *)(uintptr_t)ca, .lease_ms = lease_ms, .settle_ms = settle_ms };
}
