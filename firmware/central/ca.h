/* SPDX-License-Identifier: Apache-2.0
 *
 * ca.h - the account's keys: a private certificate authority, the server's key and certificate, and what leases are signed with.
 *
 * The keys are made at the first start, in the folder `keys` of the state folder; without them no box is known any more, which
 * is why they are never made anew beside a database that has boxes. Boxes know the account by the pin: the SHA-256 of the
 * authority's public key, which stays when the server's certificate is renewed.
 * Threads:   after central_ca_open() any number of threads may use one; it does not change.
 * Errors:    0 or a negative errno, and a sentence for a person where there is a problem to write it to. */
#ifndef CELLPOST_CENTRAL_CA_H
#define CELLPOST_CENTRAL_CA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/account/account.h"

struct central_ca;

/* may_make: what is missing is made; else it is -ENOENT. The state folder is made if it is missing. */
int central_ca_open(const char *state_dir, bool may_make, int64_t now_ms, struct central_ca **ret_ca, char *problem, size_t problem_size);
void central_ca_close(struct central_ca *ca);    /* wipes the keys; accepts NULL */

const uint8_t *central_ca_pin(const struct central_ca *ca);                /* SHA256_OCTETS */
const uint8_t *central_ca_account_key(const struct central_ca *ca);        /* SIGNATURE_PUBLIC_KEY_OCTETS */
const char *central_ca_certificate(const struct central_ca *ca);           /* PEM */

/* The certificate of the server for these names and addresses, and that of the authority behind it; and its key. It is kept in
 * the state folder, and made anew where it is missing, for other names, or over by more than two thirds. */
struct central_server_paper { char *chain, *key; int64_t until_s; bool is_new; };
int central_ca_server(const struct central_ca *ca, const char *const *names, size_t count, int64_t now_ms,
                      struct central_server_paper *ret_paper, char *problem, size_t problem_size);
void central_server_paper_done(struct central_server_paper *paper);
/* When it is to be asked for anew. */
int64_t central_server_renew_s(const struct central_server_paper *paper);

/* What the decisions of src/account need of keys. It points into ca. */
struct account_hands central_ca_hands(const struct central_ca *ca, int64_t lease_ms, int64_t settle_ms);

#endif
