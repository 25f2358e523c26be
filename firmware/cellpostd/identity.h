/* SPDX-License-Identifier: Apache-2.0
 *
 * identity.h - who this box is to its account, as files of state_dir/central, for their owner alone:
 *
 *   pending        an enrolment that has no answer yet: with it the same octets are asked again after a power cut
 *   identity.pem   key and certificate, in one file so that they always fit together
 *   server, ca.pem where the account is, as it was told with the enrolment
 *
 * Every file is replaced as a whole and is on the disk when a call returns: they take their time, and none is for the loop.
 * Errors: 0 or a negative errno; a file that could not be replaced is as it was. */
#ifndef CELLPOST_IDENTITY_H
#define CELLPOST_IDENTITY_H

#include "firmware/common/central.h"
#include "src/sync/wire.h"

#define IDENTITY_KEY_CHARS 1024
#define IDENTITY_CA_OCTETS_MAX (64u << 10)

struct identity_pending {
    struct wire_enroll ask;                  /* without its fingerprint: that is of the machine it is on */
    char key[IDENTITY_KEY_CHARS];            /* PEM */
    /* As it was told with the enrolment; "" and NULL: of the configuration. */
    char url[CENTRAL_URL_MAX], pin[CENTRAL_PIN_CHARS];
    char *ca;                                /* PEM; owned */
};

void identity_pending_free(struct identity_pending *pending);   /* wipes it; accepts NULL */
/* A new key (ECDSA on P-256), its CSR and a nonce. */
int identity_make(struct identity_pending *pending);
/* dir: state_dir/central, made where it is missing. */
int identity_pending_write(const char *dir, const struct identity_pending *pending);
int identity_pending_read(const char *dir, struct identity_pending **ret_pending);   /* -ENOENT: there is none; -EBADMSG */
int identity_pending_remove(const char *dir);
/* The account has taken the box in. -EKEYREJECTED: the certificate is not that of the key. */
int identity_keep(const char *dir, const struct identity_pending *pending, const char *certificate);
/* Where the account is by `server`, where place does not say so already. */
void identity_place(const char *dir, struct central_place *place);
/* The same by what is pending, with its CA as a file. */
int identity_pending_place(const char *dir, const struct identity_pending *pending, struct central_place *place);
bool identity_is_there(const char *dir);

#endif
