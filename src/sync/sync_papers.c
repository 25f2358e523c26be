/* SPDX-License-Identifier: Apache-2.0
 *
 * sync_papers.c - reminds an account that was set back to a backup of what it has forgotten. In rounds: it is shown some leases
 * that it does not know, as it signed them; it is told what was spent of them; then those are closed once more that are closed
 * here. It tells itself what it knows, so that all of it may be done again. */
#include "src/sync/sync_internal.h"

#include <assert.h>
#include <string.h>

#define AGAIN_US 60000000u                   /* an account that does not learn from it is not asked again and again */

static const char no_paper[] = "the account has forgotten a lease of this box, and it is not in the database here either. A person has to settle it: "
                               "\"cellpost-central box reincarnate\"";

static void end(struct sync *sync, struct sync_now now)
{
    sync->papers = (struct sync_papers){ .again_us = now.mono_us + AGAIN_US };
    sync->contact_us = 0;
}

bool sync_papers_want(struct sync *sync, struct sync_now now)
{
    if (sync->papers.wanted && sync->papers.known)   /* all was shown, and it does not know it still */
        end(sync, now);
    if (now.mono_us < sync->papers.again_us)
        return false;
    sync->papers = (struct sync_papers){ .wanted = true };
    return true;
}

/* -- what is shown ---------------------------------------------------------------------------------------------------- */

static void show(struct sync *sync, const struct change_credit *step, struct sync_now now)
{
    struct wire_request request = { .call = WIRE_PAPERS, .epoch = sync->summary.identity.epoch };

    assert(!step || step->paper_count <= WIRE_PAPERS_MAX);
    for (uint32_t i = 0; step && i < step->paper_count; i++)
        request.papers.leases[request.papers.count++] = step->papers[i].lease;
    sync_ask(sync, &request, now);
}

static void read_papers(struct sync *sync, uint64_t lease_id, uint32_t limit, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_PAPERS, .lease_id = lease_id, .limit = limit };

    sync_step(sync, &step, now);
}

void sync_papers_told(struct sync *sync, const struct wire_answer *answer, struct sync_now now)
{
    struct sync_papers *papers = &sync->papers;

    if (papers->known && answer->papers.last_lease_id <= papers->last_lease_id) {
        end(sync, now);
        sync_failed(sync, SYNC_REFUSED, no_paper, "", WIRE_OK, now);
        return;
    }
    papers->known = true;
    papers->last_lease_id = answer->papers.last_lease_id;
    papers->unclosed_count = answer->papers.unclosed_count;
    papers->next = 0;
    papers->told = false;
    memcpy(papers->unclosed, answer->papers.unclosed, sizeof papers->unclosed);
    sync_well(sync);
}

/* -- what was spent of them -------------------------------------------------------------------------------------------- */

size_t sync_papers_tellable(struct sync *sync, const struct journal_entry *entries, size_t count)
{
    struct sync_papers *papers = &sync->papers;
    size_t known = 0;

    if (!papers->wanted || !papers->known)
        return count;
    while (known < count && entries[known].lease_id <= papers->last_lease_id)
        known++;
    papers->told = known == 0;
    return known;
}

/* -- what is closed once more ------------------------------------------------------------------------------------------- */

static void tell_close(struct sync *sync, struct sync_now now)
{
    const struct credit_paper *paper = &sync->papers.close;
    struct wire_request request = { .call = WIRE_CLOSE, .epoch = sync->summary.identity.epoch };

    request.close.lease_id = paper->lease.lease_id;
    request.close.head = *sync_acked(sync);
    request.close.captured_micro = paper->captured_micro;
    request.close.rest_micro = paper->returned_micro;
    sync_ask(sync, &request, now);
}

bool sync_papers_closed(struct sync *sync, const struct wire_answer *answer)
{
    struct sync_papers *papers = &sync->papers;

    if (!papers->closing || (answer->problem.code != WIRE_OK && answer->problem.code != WIRE_NO_LEASE))
        return false;
    papers->closing = false;
    papers->next++;
    return true;
}

void sync_papers_read(struct sync *sync, const struct change_credit *step, struct sync_now now)
{
    struct sync_papers *papers = &sync->papers;
    const struct credit_paper *paper = step->paper_count > 0 && step->papers[0].lease.lease_id == step->lease_id ? &step->papers[0] : NULL;

    if (papers->next == papers->unclosed_count) {
        if (paper) {
            show(sync, step, now);
            return;
        }
        end(sync, now);
        sync_failed(sync, SYNC_REFUSED, no_paper, "", WIRE_OK, now);
    } else if (paper && paper->state == LEDGER_CLOSED && paper->lease.epoch == sync->summary.identity.epoch) {
        papers->closing = true;
        papers->close = *paper;
    } else {
        papers->next++;
    }
}

/* -- all ------------------------------------------------------------------------------------------------------------------ */

/* The last one that the account knows may have entries behind those of the first that it does not; those before it have none,
 * since all but one were closed before the next was granted. */
static bool stays_open(const struct sync *sync, uint64_t lease_id)
{
    const struct sync_papers *papers = &sync->papers;

    return lease_id == sync->summary.open.lease_id || lease_id == sync->summary.old.lease_id ||
           (lease_id == papers->last_lease_id && lease_id < sync->summary.box.last_lease_id);
}

bool sync_papers_turn(struct sync *sync, struct sync_now now)
{
    struct sync_papers *papers = &sync->papers;
    const struct credit_summary *summary = &sync->summary;

    if (!papers->wanted)
        return false;
    if (!papers->known) {
        show(sync, NULL, now);
        return true;
    }
    while (papers->next < papers->unclosed_count && stays_open(sync, papers->unclosed[papers->next]))
        papers->next++;
    if (papers->next < papers->unclosed_count) {
        if (now.mono_us >= sync->contact_us || (!papers->told && sync_acked(sync)->seq < summary->box.head.seq))
            sync_tell_usage(sync, now);
        else if (papers->closing)
            tell_close(sync, now);
        else
            read_papers(sync, papers->unclosed[papers->next], 1, now);
        return true;
    }
    if (papers->last_lease_id < summary->box.last_lease_id) {
        read_papers(sync, papers->last_lease_id + 1, WIRE_PAPERS_MAX, now);
        return true;
    }
    end(sync, now);
    return false;
}
