/* SPDX-License-Identifier: Apache-2.0
 *
 * tls_verify.h - whether a server that shows this chain of certificates is the account's, also for a box whose clock is wrong.
 *
 * It is where its chain ends at a certificate of the CA file and its name is the one that was asked for, or where the pinned key
 * is its own, or is in the chain and vouches for it under that name. Where both are configured both must hold.
 * Time: the floor is what surely has passed: the account was heard then, or the box's own certificate was made, or the CA's. A
 *       clock that is not before it counts as usual. One before it is wrong (a box without a battery wakes up in 1970), and then
 *       only what had ended before the floor is refused, and what is not valid yet is let pass.
 * Whoever has the account's private key passes anyway; this is about everybody else. */
#ifndef CELLPOST_TLS_VERIFY_H
#define CELLPOST_TLS_VERIFY_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_PIN_OCTETS 32                /* SHA-256 of a SubjectPublicKeyInfo, RFC 7469 2.4 */
#define TLS_CHAIN_MAX 16

struct tls_rules {
    const char *host;                    /* a name or an address, as in the URL without brackets */
    const char *ca; size_t ca_length;    /* PEM; NULL: none */
    bool has_pin; uint8_t pin[TLS_PIN_OCTETS];
    int64_t now_s, floor_s;              /* since 1970; floor 0: nothing is known */
};

enum tls_verdict {
    TLS_GOOD,
    TLS_NO_CHAIN,                        /* none, or more than TLS_CHAIN_MAX, or not X.509 */
    TLS_OTHER_CA, TLS_OTHER_HOST, TLS_OTHER_KEY, TLS_EXPIRED, TLS_NOT_YET_VALID,
    TLS_NO_RULE,                         /* neither CA nor pin: nobody is trusted */
    TLS_BAD_CA,                          /* there is no certificate in the CA file */
    TLS_VERDICTS
};

/* chain: DER, the server's own first. Nothing but TLS_GOOD may be spoken with. */
enum tls_verdict tls_verify(const struct tls_rules *rules, const gnutls_datum_t *chain, unsigned count);
/* A sentence for a person: what it is, and what may be done. */
const char *tls_verdict_words(enum tls_verdict verdict);
/* When the first certificate of a PEM text began to be valid; 0: there is none in it. */
int64_t tls_not_before_s(const char *pem, size_t length);

#endif
