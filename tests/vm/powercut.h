/* SPDX-License-Identifier: Apache-2.0
 *
 * powercut.h - what runs in the machine between two power cuts: the gateway, its simulated modems, clients, and the judge.
 *
 * The job folder outlives the machine; each start of it adds files, written through with every write():
 *   requests-N.log   "asked FIRST COUNT" before a request, "acknowledged FIRST COUNT REPLAYED" after its 202
 *   air-N.jsonl      the modem bank's log, the witness of what was on the air */
#ifndef CELLPOST_POWERCUT_H
#define CELLPOST_POWERCUT_H

#include "tests/system/harness.h"
#include "tests/vm/survival.h"

#define POWERCUT_MESSAGES_PER_BOOT 1000u
#define POWERCUT_BOOTS_MAX (SURVIVAL_MESSAGES_MAX / POWERCUT_MESSAGES_PER_BOOT)
#define POWERCUT_MESSAGES_PER_REQUEST 3u

struct powercut {
    struct harness *harness;
    const char *job;                     /* folder */
    const char *state;                   /* folder, on the disk that forgets */
    unsigned boot;                       /* from 0 */
    uint64_t random;
};

/* One line to whoever drives the machine. */
void powercut_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void powercut_path(const struct powercut *powercut, const char *name, unsigned boot, char ret_path[256]);
uint64_t powercut_random(struct powercut *powercut);

/* -- the load -------------------------------------------------------------------------------------------------- */

struct load;
/* Clients start to repeat what was asked before the cut and not acknowledged, then ask for new messages until the machine is
 * dead; not for new ones if `repeat_only`. */
struct load *load_start(struct powercut *powercut, bool repeat_only);
/* Waits until all is acknowledged (repeat_only); its requests that said they were replayed. */
unsigned load_join(struct load *load);
/* For harness_wait(): lets clients go on as parts leave; never true. The context is the load. */
bool load_note_progress(struct harness *harness, const void *context);

/* -- the judge ------------------------------------------------------------------------------------------------- */

/* PRAGMA integrity_check on a copy, so that the gateway finds the files as the cut left them. "ok", or what is wrong. */
void judge_integrity(const struct powercut *powercut, char ret_text[256]);
/* Waits until nothing is to be sent or reported any more; false: something still is after the time. */
bool judge_wait_settled(struct powercut *powercut);
struct survival_verdict judge_all(const struct powercut *powercut);

#endif
