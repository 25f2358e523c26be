/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/tls_verify.h"

#include <assert.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

static const char *const words[TLS_VERDICTS] = {
    [TLS_GOOD] = "",
    [TLS_NO_CHAIN] = "what answers there shows no certificate that can be read",
    [TLS_OTHER_CA] = "what answers there has a certificate of another authority: look at ca in [central], or a proxy reads along",
    [TLS_OTHER_HOST] = "what answers there has a certificate for another name: look at url in [central]",
    [TLS_OTHER_KEY] = "what answers there has another key than the one that is pinned: look at pin in [central], or somebody is in between",
    [TLS_EXPIRED] = "the certificate of what answers there is over: whoever runs the account must renew it, or the clock of this box is ahead",
    [TLS_NOT_YET_VALID] = "the certificate of what answers there is not valid yet: the clock of this box is behind",
    [TLS_NO_RULE] = "neither ca nor pin says whom to trust: set one of them in [central]",
    [TLS_BAD_CA] = "the ca file has no certificate in it that can be read",
};

const char *tls_verdict_words(enum tls_verdict verdict)
{
    assert(verdict < TLS_VERDICTS);
    return words[verdict];
}

static enum tls_verdict check_time(const struct tls_rules *rules, int64_t floor_s, gnutls_x509_crt_t certificate)
{
    int64_t from_s = (int64_t)gnutls_x509_crt_get_activation_time(certificate), until_s = (int64_t)gnutls_x509_crt_get_expiration_time(certificate);

    if (from_s == -1 || until_s == -1)
        return TLS_NO_CHAIN;
    if (rules->now_s < floor_s)
        return until_s < floor_s ? TLS_EXPIRED : TLS_GOOD;
    return rules->now_s > until_s ? TLS_EXPIRED : rules->now_s < from_s ? TLS_NOT_YET_VALID : TLS_GOOD;
}

/* The certificates on the way, and whoever stands behind the last of them, who was made before any of them was shown. */
static enum tls_verdict check_times(const struct tls_rules *rules, gnutls_x509_crt_t *chain, unsigned count, gnutls_x509_crt_t anchor)
{
    int64_t floor_s = rules->floor_s, anchor_s = anchor != NULL ? (int64_t)gnutls_x509_crt_get_activation_time(anchor) : 0;
    enum tls_verdict verdict = TLS_GOOD;

    if (anchor_s > floor_s)
        floor_s = anchor_s;
    for (unsigned i = 0; i < count && verdict == TLS_GOOD; i++)
        verdict = check_time(rules, floor_s, chain[i]);
    return verdict == TLS_GOOD && anchor != NULL ? check_time(rules, floor_s, anchor) : verdict;
}

/* The list is the caller's; who is in it is trusted. Time is left out here: gnutls knows the system's clock alone. */
static enum tls_verdict check_list(const struct tls_rules *rules, gnutls_x509_trust_list_t list, gnutls_x509_crt_t *chain, unsigned count)
{
    gnutls_typed_vdata_st data[] = {
        { .type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)rules->host, .size = (unsigned)strlen(rules->host) },
        { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER, .size = 0 },
    };
    gnutls_x509_crt_t anchor = NULL;
    unsigned status = 0, last = 0;
    enum tls_verdict verdict;

    if (gnutls_x509_trust_list_verify_crt2(list, chain, count, data, sizeof data / sizeof data[0], GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status, NULL) < 0)
        return TLS_OTHER_CA;
    if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0 && (status & ~(unsigned)(GNUTLS_CERT_UNEXPECTED_OWNER | GNUTLS_CERT_INVALID)) == 0)
        return TLS_OTHER_HOST;
    if (status != 0)
        return TLS_OTHER_CA;
    /* Servers may show their root, or more, too: the way ends with the first whose issuer is trusted. */
    while (last < count && gnutls_x509_trust_list_get_issuer(list, chain[last], &anchor, GNUTLS_TL_GET_COPY) < 0)
        last++;
    verdict = check_times(rules, chain, last < count ? last + 1 : count, anchor);
    if (anchor != NULL)
        gnutls_x509_crt_deinit(anchor);
    return verdict;
}

static enum tls_verdict check_ca(const struct tls_rules *rules, gnutls_x509_crt_t *chain, unsigned count)
{
    gnutls_datum_t pem = { .data = (unsigned char *)rules->ca, .size = (unsigned)rules->ca_length };
    gnutls_x509_trust_list_t list;
    enum tls_verdict verdict = TLS_BAD_CA;

    if (gnutls_x509_trust_list_init(&list, 0) < 0)
        return TLS_OTHER_CA;
    if (gnutls_x509_trust_list_add_trust_mem(list, &pem, NULL, GNUTLS_X509_FMT_PEM, 0, 0) > 0)
        verdict = check_list(rules, list, chain, count);
    gnutls_x509_trust_list_deinit(list, 1);
    return verdict;
}

static bool is_pinned(const struct tls_rules *rules, gnutls_x509_crt_t certificate)
{
    unsigned char key_id[64];
    size_t size = sizeof key_id;

    return gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, key_id, &size) == 0 && size == TLS_PIN_OCTETS &&
           memcmp(key_id, rules->pin, TLS_PIN_OCTETS) == 0;
}

/* The key of somebody else's certificate proves nothing by being shown: it must have signed the way to the server. */
static enum tls_verdict check_issuer(const struct tls_rules *rules, gnutls_x509_crt_t *chain, unsigned at)
{
    gnutls_x509_trust_list_t list;
    enum tls_verdict verdict = TLS_OTHER_KEY;

    if (gnutls_x509_trust_list_init(&list, 0) < 0)
        return TLS_OTHER_KEY;
    if (gnutls_x509_trust_list_add_cas(list, &chain[at], 1, 0) == 1)
        verdict = check_list(rules, list, chain, at);
    gnutls_x509_trust_list_deinit(list, 0);   /* its certificate is the chain's */
    return verdict == TLS_OTHER_CA ? TLS_OTHER_KEY : verdict;
}

static enum tls_verdict check_pin(const struct tls_rules *rules, gnutls_x509_crt_t *chain, unsigned count)
{
    if (is_pinned(rules, chain[0]))
        return check_times(rules, chain, 1, NULL);
    for (unsigned i = 1; i < count; i++)
        if (is_pinned(rules, chain[i]))
            return check_issuer(rules, chain, i);
    return TLS_OTHER_KEY;
}

enum tls_verdict tls_verify(const struct tls_rules *rules, const gnutls_datum_t *chain, unsigned count)
{
    gnutls_x509_crt_t certificates[TLS_CHAIN_MAX];
    enum tls_verdict verdict = TLS_GOOD;
    unsigned n = 0;

    if (rules->ca == NULL && !rules->has_pin)
        return TLS_NO_RULE;
    if (chain == NULL || count == 0 || count > TLS_CHAIN_MAX)
        return TLS_NO_CHAIN;
    for (; n < count && verdict == TLS_GOOD; n++) {
        if (gnutls_x509_crt_init(&certificates[n]) < 0)
            break;
        if (gnutls_x509_crt_import(certificates[n], &chain[n], GNUTLS_X509_FMT_DER) < 0)
            verdict = TLS_NO_CHAIN;
    }
    if (n < count)
        verdict = TLS_NO_CHAIN;
    if (verdict == TLS_GOOD && rules->ca != NULL)
        verdict = check_ca(rules, certificates, count);
    if (verdict == TLS_GOOD && rules->has_pin)
        verdict = check_pin(rules, certificates, count);
    while (n > 0)
        gnutls_x509_crt_deinit(certificates[--n]);
    return verdict;
}

int64_t tls_not_before_s(const char *pem, size_t length)
{
    gnutls_datum_t text = { .data = (unsigned char *)pem, .size = (unsigned)length };
    gnutls_x509_crt_t certificate;
    int64_t at_s = 0;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return 0;
    if (gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM) == 0)
        at_s = (int64_t)gnutls_x509_crt_get_activation_time(certificate);
    gnutls_x509_crt_deinit(certificate);
    return at_s > 0 ? at_s : 0;
}
