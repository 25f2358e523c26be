/* SPDX-License-Identifier: Apache-2.0
 *
 * ca_x509.h - keys and certificates on P-256, by the calls that mbedtls 2.28 and 3.6 share. No file is touched.
 *
 * Errors:    0 or a negative errno: -EINVAL: it is not what it should be; -ENOMEM; -EMSGSIZE: it does not fit; -EIO: no
 *            random octets. */
#ifndef CELLPOST_CENTRAL_CA_X509_H
#define CELLPOST_CENTRAL_CA_X509_H

#define MBEDTLS_ALLOW_PRIVATE_ACCESS         /* of 3.6; what 2.28 leaves open */
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/credit/octets.h"
#include "src/credit/signature.h"

#define X509_KEY_PEM_CHARS 512
#define X509_CERTIFICATE_PEM_CHARS 4096      /* as many as an account keeps of one */
#define X509_NAMES_OCTETS_MAX 2048
#define X509_ERA_S (INT64_C(30) * 365 * 86400)

/* Of mbedtls: what it answers as an errno. */
int x509_error(int mbedtls);
/* getrandom(2), as mbedtls and signature.h want it. */
int x509_random(void *context, unsigned char *octets, size_t length);

int x509_key_make(mbedtls_pk_context *ret_key);
int x509_key_write(mbedtls_pk_context *key, char ret_pem[X509_KEY_PEM_CHARS]);
/* -EINVAL too for a key of another curve. */
int x509_key_read(const char *pem, mbedtls_pk_context *ret_key);
bool x509_key_is_p256(const mbedtls_pk_context *key);
/* Of its public half as it is in certificates (SubjectPublicKeyInfo): what is called a pin. */
int x509_key_sha256(const mbedtls_pk_context *key, uint8_t ret_sha256[SHA256_OCTETS]);
int x509_key_private(const mbedtls_pk_context *key, uint8_t ret_octets[SIGNATURE_PRIVATE_KEY_OCTETS]);
int x509_key_public(const mbedtls_pk_context *key, uint8_t ret_octets[SIGNATURE_PUBLIC_KEY_OCTETS]);

/* Names and addresses as a certificate has them (RFC 5280 4.2.1.6). -EINVAL: *ret_wrong is the one that is neither. */
struct x509_names { uint8_t octets[X509_NAMES_OCTETS_MAX]; size_t length; };
int x509_names_write(const char *const *names, size_t count, struct x509_names *ret_names, const char **ret_wrong);

enum x509_purpose { X509_AUTHORITY, X509_SERVER, X509_CLIENT };
struct x509_paper {
    enum x509_purpose purpose;
    const char *subject;                     /* "CN=..." */
    mbedtls_pk_context *key;                 /* whose certificate it is: its public half */
    mbedtls_pk_context *issuer_key;
    const char *issuer;
    const struct x509_names *names;          /* of a server */
    int64_t from_s, until_s;
};
int x509_certify(const struct x509_paper *paper, char ret_pem[X509_CERTIFICATE_PEM_CHARS]);

/* A request for a certificate (PKCS #10, PEM) whose key is on P-256 and has signed it. */
int x509_request_read(const char *pem, mbedtls_pk_context *ret_key);

int64_t x509_time_s(const mbedtls_x509_time *time);

#endif
