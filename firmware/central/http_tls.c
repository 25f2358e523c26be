/* SPDX-License-Identifier: Apache-2.0
 *
 * http_tls.c - whose certificate a connection showed. */
#include <gnutls/x509.h>
#include <string.h>

#include "firmware/central/http_internal.h"
#include "src/base/hex.h"

static bool read_certificate(const gnutls_datum_t *der, struct desk_peer *peer)
{
    gnutls_x509_crt_t certificate;
    char name[2 * LEASE_BOX_ID_OCTETS + 2];
    size_t length = sizeof name, size = sizeof peer->key_sha256;
    bool good;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return false;
    good = gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) == 0 &&
           gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &length) == 0 &&
           hex_decode(name, length, peer->box, sizeof peer->box) == (int)sizeof peer->box &&
           gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, peer->key_sha256, &size) == 0 && size == sizeof peer->key_sha256;
    gnutls_x509_crt_deinit(certificate);
    return good;
}

/* The server's own certificate is of the same authority, but for another purpose. */
void http_tls_look(gnutls_session_t session, struct desk_peer *ret_peer)
{
    gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT };
    const gnutls_datum_t *chain;
    unsigned count = 0, status = 0;
    struct desk_peer peer = { .known = false };

    chain = gnutls_certificate_get_peers(session, &count);
    if (chain && count > 0 && gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 && status == 0)
        peer.known = read_certificate(&chain[0], &peer);
    if (peer.known)
        *ret_peer = peer;
}
