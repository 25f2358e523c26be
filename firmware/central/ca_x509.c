/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/central/ca_x509.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_csr.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SERIAL_OCTETS 16
#define DER_OCTETS_MAX 4096

int x509_error(int mbedtls)
{
    switch (mbedtls) {
    case 0: return 0;
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
    case MBEDTLS_ERR_PK_ALLOC_FAILED:
    case MBEDTLS_ERR_PEM_ALLOC_FAILED:
    case MBEDTLS_ERR_MPI_ALLOC_FAILED:
    case MBEDTLS_ERR_ECP_ALLOC_FAILED:
    case MBEDTLS_ERR_MD_ALLOC_FAILED:
    case MBEDTLS_ERR_ASN1_ALLOC_FAILED: return -ENOMEM;
    case MBEDTLS_ERR_ECP_RANDOM_FAILED: return -EIO;
    case MBEDTLS_ERR_X509_BUFFER_TOO_SMALL:
    case MBEDTLS_ERR_ASN1_BUF_TOO_SMALL: return -EMSGSIZE;
    default: return -EINVAL;
    }
}

int x509_random(void *context, unsigned char *octets, size_t length)
{
    (void)context;
    while (length > 0) {
        ssize_t n = getrandom(octets, length, 0);

        if (n < 0 && errno != EINTR)
            return MBEDTLS_ERR_ECP_RANDOM_FAILED;
        if (n > 0) {
            octets += n;
            length -= (size_t)n;
        }
    }
    return 0;
}

/* -- keys -------------------------------------------------------------------------------------------------------------- */

int x509_key_make(mbedtls_pk_context *ret_key)
{
    int error;

    mbedtls_pk_init(ret_key);
    error = mbedtls_pk_setup(ret_key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (error == 0)
        error = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*ret_key), x509_random, NULL);
    if (error != 0)
        mbedtls_pk_free(ret_key);
    return x509_error(error);
}

int x509_key_write(mbedtls_pk_context *key, char ret_pem[X509_KEY_PEM_CHARS])
{
    return x509_error(mbedtls_pk_write_key_pem(key, (unsigned char *)ret_pem, X509_KEY_PEM_CHARS));
}

bool x509_key_is_p256(const mbedtls_pk_context *key)
{
    return mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA) && mbedtls_pk_ec(*key)->grp.id == MBEDTLS_ECP_DP_SECP256R1;
}

int x509_key_read(const char *pem, mbedtls_pk_context *ret_key)
{
    int error;

    mbedtls_pk_init(ret_key);
#if MBEDTLS_VERSION_MAJOR >= 3
    error = mbedtls_pk_parse_key(ret_key, (const unsigned char *)pem, strlen(pem) + 1, NULL, 0, x509_random, NULL);
#else
    error = mbedtls_pk_parse_key(ret_key, (const unsigned char *)pem, strlen(pem) + 1, NULL, 0);
#endif
    if (error == 0 && !x509_key_is_p256(ret_key))
        error = MBEDTLS_ERR_PK_KEY_INVALID_FORMAT;
    if (error != 0)
        mbedtls_pk_free(ret_key);
    return x509_error(error);
}

int x509_key_sha256(const mbedtls_pk_context *key, uint8_t ret_sha256[SHA256_OCTETS])
{
    mbedtls_pk_context copy = *key;          /* 2.28 wants one it may write */
    uint8_t der[256];
    int length = mbedtls_pk_write_pubkey_der(&copy, der, sizeof der);

    if (length < 0)
        return x509_error(length);
    octets_sha256(der + sizeof der - (size_t)length, (size_t)length, ret_sha256);
    return 0;
}

int x509_key_private(const mbedtls_pk_context *key, uint8_t ret_octets[SIGNATURE_PRIVATE_KEY_OCTETS])
{
    return x509_error(mbedtls_mpi_write_binary(&mbedtls_pk_ec(*key)->d, ret_octets, SIGNATURE_PRIVATE_KEY_OCTETS));
}

int x509_key_public(const mbedtls_pk_context *key, uint8_t ret_octets[SIGNATURE_PUBLIC_KEY_OCTETS])
{
    mbedtls_ecp_keypair *pair = mbedtls_pk_ec(*key);
    size_t length = 0;
    int error = mbedtls_ecp_point_write_binary(&pair->grp, &pair->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &length, ret_octets,
                                               SIGNATURE_PUBLIC_KEY_OCTETS);

    return error == 0 && length != SIGNATURE_PUBLIC_KEY_OCTETS ? -EINVAL : x509_error(error);
}

/* -- names ------------------------------------------------------------------------------------------------------------- */

#define SAN_DNS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2)
#define SAN_ADDRESS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7)
#define DNS_NAME_CHARS_MAX 253

/* Letters, digits, '-' and '.'; the first label may be "*". */
static bool is_dns_name(const char *name)
{
    size_t length = strlen(name), label = 0;

    if (length == 0 || length > DNS_NAME_CHARS_MAX)
        return false;
    if (strncmp(name, "*.", 2) == 0)
        name += 2;
    for (; *name != '\0'; name++) {
        bool dot = *name == '.';

        if (!dot && !isalnum((unsigned char)*name) && *name != '-' && *name != '_')
            return false;
        if (dot && label == 0)
            return false;
        label = dot ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0;
}

static int write_name(uint8_t **at, uint8_t *start, const char *name)
{
    uint8_t address[16];
    const uint8_t *octets = (const uint8_t *)name;
    size_t length = strlen(name);
    uint8_t tag = SAN_DNS;
    int n, total;

    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1) {
        tag = SAN_ADDRESS;
        octets = address;
        length = strchr(name, ':') ? 16 : 4;
    } else if (!is_dns_name(name)) {
        return -EINVAL;
    }
    total = mbedtls_asn1_write_raw_buffer(at, start, octets, length);
    if (total < 0 || (n = mbedtls_asn1_write_len(at, start, length)) < 0)
        return -EMSGSIZE;
    total += n;
    if ((n = mbedtls_asn1_write_tag(at, start, tag)) < 0)
        return -EMSGSIZE;
    return total + n;
}

int x509_names_write(const char *const *names, size_t count, struct x509_names *ret_names, const char **ret_wrong)
{
    uint8_t octets[X509_NAMES_OCTETS_MAX], *at = octets + sizeof octets;
    size_t length = 0;
    int n;

    for (size_t i = count; i-- > 0;) {       /* mbedtls writes from the end */
        n = write_name(&at, octets, names[i]);
        if (n < 0) {
            *ret_wrong = names[i];
            return n;
        }
        length += (size_t)n;
    }
    if ((n = mbedtls_asn1_write_len(&at, octets, length)) < 0 ||
        mbedtls_asn1_write_tag(&at, octets, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) < 0) {
        *ret_wrong = "";
        return -EMSGSIZE;
    }
    ret_names->length = (size_t)(octets + sizeof octets - at);
    memcpy(ret_names->octets, at, ret_names->length);
    return 0;
}

/* -- certificates -------------------------------------------------------------------------------------------------------- */

static int set_serial(mbedtls_x509write_cert *write)
{
    uint8_t serial[SERIAL_OCTETS];
    int error = x509_random(NULL, serial, sizeof serial);

    if (error != 0)
        return error;
    serial[0] = (uint8_t)((serial[0] & 0x3F) | 0x40);   /* more than 0, and of one length */
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_x509write_crt_set_serial_raw(write, serial, sizeof serial);
#else
    mbedtls_mpi number;

    mbedtls_mpi_init(&number);
    error = mbedtls_mpi_read_binary(&number, serial, sizeof serial);
    if (error == 0)
        error = mbedtls_x509write_crt_set_serial(write, &number);
    mbedtls_mpi_free(&number);
    return error;
#endif
}

static int set_times(mbedtls_x509write_cert *write, int64_t from_s, int64_t until_s)
{
    char from[16], until[16];
    time_t at = (time_t)from_s;
    struct tm tm;

    (void)strftime(from, sizeof from, "%Y%m%d%H%M%S", gmtime_r(&at, &tm));
    at = (time_t)until_s;
    (void)strftime(until, sizeof until, "%Y%m%d%H%M%S", gmtime_r(&at, &tm));
    return mbedtls_x509write_crt_set_validity(write, from, until);
}

static int set_extensions(mbedtls_x509write_cert *write, const struct x509_paper *paper)
{
    /* SEQUENCE { OBJECT IDENTIFIER 1.3.6.1.5.5.7.3.1 or .2 } */
    uint8_t purpose[] = { 0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, paper->purpose == X509_SERVER ? 1 : 2 };
    bool authority = paper->purpose == X509_AUTHORITY;
    int error = mbedtls_x509write_crt_set_basic_constraints(write, authority ? 1 : 0, authority ? 0 : -1);

    if (error == 0)
        error = mbedtls_x509write_crt_set_key_usage(write, authority ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                                                                     : MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    if (error == 0)
        error = mbedtls_x509write_crt_set_subject_key_identifier(write);
    if (error == 0)
        error = mbedtls_x509write_crt_set_authority_key_identifier(write);
    if (error == 0 && !authority)
        error = mbedtls_x509write_crt_set_extension(write, MBEDTLS_OID_EXTENDED_KEY_USAGE, MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0,
                                                    purpose, sizeof purpose);
    if (error == 0 && paper->names)
        error = mbedtls_x509write_crt_set_extension(write, MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
                                                    paper->names->octets, paper->names->length);
    return error;
}

int x509_certify(const struct x509_paper *paper, char ret_pem[X509_CERTIFICATE_PEM_CHARS])
{
    mbedtls_x509write_cert write;
    int error;

    mbedtls_x509write_crt_init(&write);
    mbedtls_x509write_crt_set_version(&write, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&write, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&write, paper->key);
    mbedtls_x509write_crt_set_issuer_key(&write, paper->issuer_key);
    error = mbedtls_x509write_crt_set_subject_name(&write, paper->subject);
    if (error == 0)
        error = mbedtls_x509write_crt_set_issuer_name(&write, paper->issuer);
    if (error == 0)
        error = set_serial(&write);
    if (error == 0)
        error = set_times(&write, paper->from_s, paper->until_s);
    if (error == 0)
        error = set_extensions(&write, paper);
    if (error == 0)
        error = mbedtls_x509write_crt_pem(&write, (unsigned char *)ret_pem, X509_CERTIFICATE_PEM_CHARS, x509_random, NULL);
    mbedtls_x509write_crt_free(&write);
    return x509_error(error);
}

/* -- requests ------------------------------------------------------------------------------------------------------------ */

/* That whoever asks has the private key: else one could have somebody else's key certified (RFC 2986 4.2). */
static bool is_signed(mbedtls_x509_csr *request)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(request->sig_md);
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];

    if (!md || (request->sig_md != MBEDTLS_MD_SHA256 && request->sig_md != MBEDTLS_MD_SHA384 && request->sig_md != MBEDTLS_MD_SHA512))
        return false;
    return mbedtls_md(md, request->cri.p, request->cri.len, hash) == 0 &&
           mbedtls_pk_verify(&request->pk, request->sig_md, hash, mbedtls_md_get_size(md), request->sig.p, request->sig.len) == 0;
}

int x509_request_read(const char *pem, mbedtls_pk_context *ret_key)
{
    /* RFC 7468 section 7 knows both; GnuTLS, which boxes use, writes the second. */
    static const char *const begins[] = { "-----BEGIN CERTIFICATE REQUEST-----", "-----BEGIN NEW CERTIFICATE REQUEST-----" };
    mbedtls_x509_csr request;
    int r;

    if (strncmp(pem, begins[0], strlen(begins[0])) != 0 && strncmp(pem, begins[1], strlen(begins[1])) != 0)
        return -EINVAL;
    mbedtls_x509_csr_init(&request);
    r = x509_error(mbedtls_x509_csr_parse(&request, (const unsigned char *)pem, strlen(pem) + 1));
    if (r == 0 && (!x509_key_is_p256(&request.pk) || !is_signed(&request)))
        r = -EINVAL;
    if (r == 0) {
        *ret_key = request.pk;               /* taken out of it */
        mbedtls_pk_init(&request.pk);
    }
    mbedtls_x509_csr_free(&request);
    return r;
}

int64_t x509_time_s(const mbedtls_x509_time *time)
{
    struct tm tm = { .tm_year = time->year - 1900, .tm_mon = time->mon - 1, .tm_mday = time->day, .tm_hour = time->hour, .tm_min = time->min,
                     .tm_sec = time->sec };

    return (int64_t)timegm(&tm);
}
