/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_codes.c - why the account says no: name, status of HTTP, and a sentence. */
#include <assert.h>
#include <string.h>

#include "src/sync/wire_internal.h"

static const struct { const char *name; uint16_t status; const char *words; } codes[WIRE_CODES] = {
    [WIRE_OK] = { "ok", 200, "It was done." },
    [WIRE_BAD_REQUEST] = { "bad_request", 400, "The account does not understand the request." },
    [WIRE_NO_CREDIT] = { "no_credit", 402, "The account has not that much credit left." },
    [WIRE_BAD_TOKEN] = { "bad_token", 403, "The enrolment token is not one of this account, or it has expired." },
    [WIRE_OLD_EPOCH] = { "old_epoch", 403, "The box was enrolled again since, elsewhere or anew: this enrolment is over." },
    [WIRE_FENCED] = { "fenced", 403, "The box is fenced: it may spend nothing until a person enrols it again." },
    [WIRE_FROZEN] = { "frozen", 403, "The box is frozen: it gets no credit until a person lifts that." },
    [WIRE_UNKNOWN_BOX] = { "unknown_box", 403, "The account knows no box with this certificate." },
    [WIRE_NO_LEASE] = { "no_lease", 404, "The box has no such lease." },
    [WIRE_NO_PRICES] = { "no_prices", 404, "There is no such version of the prices." },
    [WIRE_NOT_FOUND] = { "not_found", 404, "There is nothing at this address." },
    [WIRE_METHOD_NOT_ALLOWED] = { "method_not_allowed", 405, "This address does not take this method." },
    [WIRE_TOKEN_USED] = { "token_used", 409, "The enrolment token was used before, by another request." },
    [WIRE_HEAD_DIFFERS] = { "head_differs", 409, "The account has not yet booked what the box has spent: usage goes first." },
    [WIRE_UNCLOSED] = { "unclosed", 409, "An earlier lease of the box is not closed yet." },
    [WIRE_UNKNOWN_LEASE] = { "unknown_lease", 409, "The account does not know a lease that the box has: it was set back to a backup." },
    [WIRE_FORK] = { "fork", 409, "The journal is not the one that the account has booked: there is a copy of the box. It is fenced now." },
    [WIRE_GAP] = { "gap", 409, "Entries of the journal are missing before those that were sent." },
    [WIRE_TOO_LARGE] = { "too_large", 413, "The request is too long." },
    [WIRE_BAD_CSR] = { "bad_csr", 422, "The certificate request is not one that the account can sign." },
    [WIRE_ID_REUSED] = { "id_reused", 422, "The same request id was used before for another request." },
    [WIRE_BAD_ENTRIES] = { "bad_entries", 422, "Entries of the journal say what the leases of the box do not allow." },
    [WIRE_BAD_LEASE] = { "bad_lease", 422, "A lease that the box has is not one that the account signed for it." },
    [WIRE_TOO_MANY] = { "too_many", 429, "Too many requests: later again." },
    [WIRE_INTERNAL] = { "internal", 500, "The account could not do it because of a fault of its own." },
    [WIRE_UNAVAILABLE] = { "unavailable", 503, "The account is not ready: later again." },
    [WIRE_OTHER] = { "other", 0, "The account refused for a reason that is not known here." },
};

const char *wire_code_name(enum wire_code code)
{
    assert(code < WIRE_CODES);
    return codes[code].name;
}

uint16_t wire_code_status(enum wire_code code)
{
    assert(code < WIRE_CODES);
    return codes[code].status;
}

const char *wire_code_words(enum wire_code code)
{
    assert(code < WIRE_CODES);
    return codes[code].words;
}

enum wire_code wire_code_of(const char *name)
{
    for (unsigned i = WIRE_OK + 1; i < WIRE_OTHER; i++)
        if (strcmp(codes[i].name, name) == 0)
            return (enum wire_code)i;
    return WIRE_OTHER;
}

bool wire_problem_is_final(const struct wire_problem *problem) { return problem->status < 500 && problem->status != 429; }
