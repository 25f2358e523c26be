/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_proof.c - whether the books are right, read as a whole. */
#include <inttypes.h>
#include <stdio.h>

#include "firmware/central/commands.h"

#define FAULTS_SHOWN_MAX 1000u

struct faults { const struct command_line *line; json_t *list; unsigned count; };

static void note_fault(void *context, const char *sentence)
{
    struct faults *faults = context;

    if (faults->count++ >= FAULTS_SHOWN_MAX)
        return;
    if (faults->list)
        json_array_append_new(faults->list, json_string(sentence));
    else
        central_say("%s", sentence);
}

static int run_check(struct command_line *line)
{
    struct faults faults = { .line = line };
    struct account_census census = { .accounts = 0 };
    int r, status = central_open_db(line);

    if (status != CENTRAL_OK)
        return status;
    faults.list = line->json ? json_array() : NULL;
    r = account_check(&line->ops, note_fault, &faults, &census);
    status = central_explain(line, r, ACCOUNT_OK, "the check");
    if (status == CENTRAL_OK && line->json) {
        central_print_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "accounts", (json_int_t)census.accounts, "boxes",
                                     (json_int_t)census.boxes, "leases", (json_int_t)census.leases, "postings", (json_int_t)census.postings, "entries",
                                     (json_int_t)census.entries, "faults", (json_int_t)census.faults, "prices_differ",
                                     (json_int_t)census.prices_differ, "available_micro", (json_int_t)census.available_micro, "leased_micro",
                                     (json_int_t)census.leased_micro, "suspense_micro", (json_int_t)census.suspense_micro, "captured_micro",
                                     (json_int_t)census.captured_micro, "debt_micro", (json_int_t)census.debt_micro, "found", faults.list));
    } else if (status == CENTRAL_OK) {
        central_print_field("accounts", "%" PRIu64, census.accounts);
        central_print_field("boxes", "%" PRIu64, census.boxes);
        central_print_field("leases", "%" PRIu64, census.leases);
        central_print_field("postings", "%" PRIu64, census.postings);
        central_print_field("entries", "%" PRIu64, census.entries);
        central_print_money("available", census.available_micro);
        central_print_money("in boxes", census.leased_micro);
        central_print_money("suspense", census.suspense_micro);
        central_print_money("spent", census.captured_micro);
        central_print_money("overspent", census.debt_micro);
        central_print_field("faults", "%" PRIu64, census.faults);
    }
    json_decref(faults.list);
    return status == CENTRAL_OK && census.faults > 0 ? CENTRAL_REFUSED : status;
}

const struct verb verbs_proof[] = {
    { "check", NULL, "", "read all books and compare them: 0 only if all is right", "", 0, 0, run_check },
    { NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};
