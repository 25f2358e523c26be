/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/common/file_read.h"
#include "src/base/hex.h"

#define FILE_OCTETS_MAX (256u << 10)
#define PATH_OCTETS (CENTRAL_PATH_MAX + 32)

/* -- files -------------------------------------------------------------------------------------------------------- */

static int dir_sync(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

    if (fd < 0)
        return -errno;
    r = fsync(fd) < 0 ? -errno : 0;
    (void)close(fd);
    return r;
}

static int write_whole(int fd, const char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        ssize_t n = write(fd, text, length);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            text += n, length -= (size_t)n;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int file_replace(const char *dir, const char *name, const char *text)
{
    char path[PATH_OCTETS], made[PATH_OCTETS + 8];
    int fd, r;

    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)snprintf(made, sizeof made, "%s.new", path);
    (void)unlink(made);
    fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = write_whole(fd, text);
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(made, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(made);
    return r < 0 ? r : dir_sync(dir);
}

static int file_remove(const char *dir, const char *name)
{
    char path[PATH_OCTETS];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    if (unlink(path) == 0)
        return dir_sync(dir);
    return errno == ENOENT ? 0 : -errno;
}

static int json_replace(const char *dir, const char *name, json_t *object)
{
    char *text = object != NULL ? json_dumps(object, JSON_INDENT(1)) : NULL;
    int r = text != NULL ? file_replace(dir, name, text) : -ENOMEM;

    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
    json_decref(object);
    return r;
}

static int json_read(const char *dir, const char *name, json_t **ret_object)
{
    char path[PATH_OCTETS], *text;
    size_t length;
    json_t *object;
    int r;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    r = file_read(path, FILE_OCTETS_MAX, &text, &length);
    if (r < 0)
        return r;
    object = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    explicit_bzero(text, length);
    free(text);
    if (!json_is_object(object)) {
        json_decref(object);
        return -EBADMSG;
    }
    *ret_object = object;
    return 0;
}

/* False: it is not there, or too long. */
static bool text_of(json_t *object, const char *key, char *ret_text, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL || strlen(text) >= size)
        return false;
    (void)snprintf(ret_text, size, "%s", text);
    return true;
}

/* -- what is pending ------------------------------------------------------------------------------------------------ */

void identity_pending_free(struct identity_pending *pending)
{
    if (pending == NULL)
        return;
    free(pending->ca);
    explicit_bzero(pending, sizeof *pending);
    free(pending);
}

static int take_pem(gnutls_datum_t *pem, char *ret_text, size_t size)
{
    int r = pem->size < size ? 0 : -EMSGSIZE;

    if (r == 0)
        (void)snprintf(ret_text, size, "%.*s", (int)pem->size, (const char *)pem->data);
    gnutls_memset(pem->data, 0, pem->size);
    gnutls_free(pem->data);
    return r;
}

static int make_csr(gnutls_x509_privkey_t key, struct identity_pending *pending)
{
    static const char name[] = "cellpost";   /* the account knows the box by its token, and gives it its name */
    gnutls_datum_t pem;
    gnutls_x509_crq_t csr;
    int r = -EIO;

    if (gnutls_x509_crq_init(&csr) < 0)
        return -ENOMEM;
    if (gnutls_x509_crq_set_version(csr, 1) == 0 && gnutls_x509_crq_set_dn_by_oid(csr, GNUTLS_OID_X520_COMMON_NAME, 0, name, sizeof name - 1) == 0 &&
        gnutls_x509_crq_set_key(csr, key) == 0 && gnutls_x509_crq_sign2(csr, key, GNUTLS_DIG_SHA256, 0) == 0 &&
        gnutls_x509_crq_export2(csr, GNUTLS_X509_FMT_PEM, &pem) == 0)
        r = take_pem(&pem, pending->ask.csr, sizeof pending->ask.csr);
    gnutls_x509_crq_deinit(csr);
    return r;
}

int identity_make(struct identity_pending *pending)
{
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem;
    int r = -EIO;

    if (gnutls_x509_privkey_init(&key) < 0)
        return -ENOMEM;
    if (gnutls_rnd(GNUTLS_RND_NONCE, pending->ask.nonce, sizeof pending->ask.nonce) == 0 &&
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0 &&
        gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem) == 0)
        r = take_pem(&pem, pending->key, sizeof pending->key);
    if (r == 0)
        r = make_csr(key, pending);
    gnutls_x509_privkey_deinit(key);
    return r;
}

int identity_pending_write(const char *dir, const struct identity_pending *pending)
{
    char nonce[2 * WIRE_NONCE_OCTETS + 1];
    json_t *object;

    hex_encode(pending->ask.nonce, WIRE_NONCE_OCTETS, nonce);
    object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "token", pending->ask.token, "nonce", nonce, "csr", pending->ask.csr, "version",
                       pending->ask.version, "key", pending->key, "url", pending->url, "pin", pending->pin, "ca", pending->ca != NULL ? pending->ca : "");
    return json_replace(dir, "pending", object);
}

int identity_pending_read(const char *dir, struct identity_pending **ret_pending)
{
    struct identity_pending *pending = calloc(1, sizeof *pending);
    char nonce[2 * WIRE_NONCE_OCTETS + 1];
    const char *ca;
    json_t *object = NULL;
    int r = pending != NULL ? json_read(dir, "pending", &object) : -ENOMEM;

    if (r == 0 && (!text_of(object, "token", pending->ask.token, sizeof pending->ask.token) || !text_of(object, "nonce", nonce, sizeof nonce) ||
                   !text_of(object, "csr", pending->ask.csr, sizeof pending->ask.csr) ||
                   !text_of(object, "version", pending->ask.version, sizeof pending->ask.version) ||
                   !text_of(object, "key", pending->key, sizeof pending->key) || !text_of(object, "url", pending->url, sizeof pending->url) ||
                   !text_of(object, "pin", pending->pin, sizeof pending->pin) ||
                   hex_decode(nonce, strlen(nonce), pending->ask.nonce, WIRE_NONCE_OCTETS) != WIRE_NONCE_OCTETS))
        r = -EBADMSG;
    ca = json_string_value(json_object_get(object, "ca"));
    if (r == 0 && ca != NULL && ca[0] != '\0' && (pending->ca = strdup(ca)) == NULL)
        r = -ENOMEM;
    json_decref(object);
    if (r < 0)
        identity_pending_free(pending);
    else
        *ret_pending = pending;
    return r;
}

int identity_pending_remove(const char *dir)
{
    (void)file_remove(dir, "pending-ca.pem");
    return file_remove(dir, "pending");
}

/* -- what is kept ---------------------------------------------------------------------------------------------------- */

static bool belongs(const char *certificate_pem, const char *key_pem)
{
    gnutls_datum_t certificate_text = { (unsigned char *)certificate_pem, (unsigned)strlen(certificate_pem) };
    gnutls_datum_t key_text = { (unsigned char *)key_pem, (unsigned)strlen(key_pem) };
    unsigned char certificate_id[64], key_id[64];
    size_t certificate_size = sizeof certificate_id, key_size = sizeof key_id;
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
    bool good = false;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return false;
    if (gnutls_x509_privkey_init(&key) == 0) {
        good = gnutls_x509_crt_import(certificate, &certificate_text, GNUTLS_X509_FMT_PEM) == 0 &&
               gnutls_x509_privkey_import2(key, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0) == 0 &&
               gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, certificate_id, &certificate_size) == 0 &&
               gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, key_id, &key_size) == 0 && certificate_size == key_size &&
               memcmp(certificate_id, key_id, key_size) == 0;
        gnutls_x509_privkey_deinit(key);
    }
    gnutls_x509_crt_deinit(certificate);
    return good;
}

/* Where the account is before who the box is there: until the latter is in, the enrolment is pending and is done again. */
int identity_keep(const char *dir, const struct identity_pending *pending, const char *certificate)
{
    char text[IDENTITY_KEY_CHARS + WIRE_CERTIFICATE_CHARS + 2];
    int r = belongs(certificate, pending->key) ? 0 : -EKEYREJECTED;

    if (r == 0 && pending->url[0] != '\0') {
        if (pending->ca != NULL)
            r = file_replace(dir, "ca.pem", pending->ca);
        else
            r = file_remove(dir, "ca.pem");
        if (r == 0)
            r = json_replace(dir, "server", json_pack("{s:s, s:s}", "url", pending->url, "pin", pending->pin));
    }
    if (r < 0)
        return r;
    (void)snprintf(text, sizeof text, "%s\n%s", pending->key, certificate);
    r = file_replace(dir, "identity.pem", text);
    explicit_bzero(text, sizeof text);
    return r;
}

void identity_place(const char *dir, struct central_place *place)
{
    char pin[CENTRAL_PIN_CHARS], path[PATH_OCTETS];
    json_t *object;

    if (place->url[0] != '\0' || json_read(dir, "server", &object) < 0)
        return;
    (void)text_of(object, "url", place->url, sizeof place->url);
    if (place->url[0] != '\0' && central_url_wrong(place->url) != NULL)
        place->url[0] = '\0';
    if (text_of(object, "pin", pin, sizeof pin) && central_pin_read(pin, place->pin))
        place->has_pin = true;
    json_decref(object);
    (void)snprintf(path, sizeof path, "%s/ca.pem", dir);
    if (place->ca[0] == '\0' && access(path, R_OK) == 0)
        (void)snprintf(place->ca, sizeof place->ca, "%.*s", (int)sizeof place->ca - 1, path);
}

int identity_pending_place(const char *dir, const struct identity_pending *pending, struct central_place *place)
{
    int r = 0;

    if (pending->url[0] == '\0')
        return 0;
    (void)snprintf(place->url, sizeof place->url, "%s", pending->url);
    place->has_pin = pending->pin[0] != '\0' && central_pin_read(pending->pin, place->pin);
    place->ca[0] = '\0';
    if (pending->ca != NULL) {
        r = file_replace(dir, "pending-ca.pem", pending->ca);
        (void)snprintf(place->ca, sizeof place->ca, "%.280s/pending-ca.pem", dir);
    }
    return r;
}

bool identity_is_there(const char *dir)
{
    char path[PATH_OCTETS];

    (void)snprintf(path, sizeof path, "%s/identity.pem", dir);
    return access(path, F_OK) == 0;
}
