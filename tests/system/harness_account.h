/* SPDX-License-Identifier: Apache-2.0
 *
 * harness_account.h - an account server of a few lines, over HTTPS in this process, that can also be what stands in its way: a captive
 * portal, a line that is cut, one on which answers are lost. It takes the first token that comes, and grants what is asked for. */
#ifndef CELLPOST_TESTS_HARNESS_ACCOUNT_H
#define CELLPOST_TESTS_HARNESS_ACCOUNT_H

#include "tests/system/harness.h"

enum account_mood {
    ACCOUNT_WORKS,
    ACCOUNT_PORTAL,                      /* 200 and HTML */
    ACCOUNT_REDIRECT,                    /* 302 to a page of its own */
    ACCOUNT_CUT,                         /* the connection ends within the answer, and nothing was done */
    ACCOUNT_ANSWER_LOST,                 /* the same, but it was done */
    ACCOUNT_SILENT,                      /* no answer, as long as the mood lasts */
    ACCOUNT_REFUSES_TOKENS,
    ACCOUNT_LENDS_TO_ANOTHER,            /* leases are signed for another box */
    ACCOUNT_FORGES,                      /* leases are signed with another key */
    ACCOUNT_HAS_NO_PRICES,               /* leases name a table that it has not */
};

struct account;
/* Its CA, and others that it does not use, are written into the harness's folder: account.pem, other.pem. */
struct account *account_new(const struct harness *harness);
void account_free(struct account *account);
void account_set_mood(struct account *account, enum account_mood mood);
const char *account_url(const struct account *account);      /* https://localhost:PORT */
const char *account_ca(const struct account *account);       /* path */
const char *account_other_ca(const struct account *account);
const char *account_pin(const struct account *account);      /* of the server's key */
/* So far. */
unsigned account_requests(struct account *account);          /* that came, in any mood */
unsigned account_enrolled(struct account *account);          /* different CSRs that were signed */
unsigned account_leases(struct account *account);            /* different ones that were granted */
uint64_t account_acked(struct account *account);             /* the last entry of the journal that it has */
unsigned account_strangers(struct account *account);         /* requests without the certificate that they need */

#endif
