/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the commands of a script one after the other, and single jobs. */
#include "drivers/modem/modem_internal.h"

#include <assert.h>

#define STEP_TIMEOUT_MS 5000

void modem_run(struct modem *modem, const struct modem_script *script, uint64_t now_ms)
{
    (void)now_ms;
    modem->script = script;
    modem->step = modem->tries = modem->silences = modem->total_tries = 0;
    modem->again_ms = MODEM_NEVER;
}

/* Where the ladder that this step belongs to begins. */
static uint8_t ladder_start(const struct modem_script *script, uint8_t step)
{
    uint8_t ladder = script->steps[step].ladder;

    while (step > 0 && script->steps[step - 1].ladder == ladder)
        step--;
    return step;
}

static uint8_t ladder_end(const struct modem_script *script, uint8_t step)
{
    uint8_t ladder = script->steps[step].ladder;

    while (step < script->count && script->steps[step].ladder == ladder)
        step++;
    return step;
}

static int start_command(struct modem *modem, const struct modem_step *step, uint64_t now_ms)
{
    struct at_command command;

    at_command_init(&command, step->command, step->timeout_ms != 0 ? step->timeout_ms : STEP_TIMEOUT_MS);
    command.any_lines = step->any_lines;
    command.alias = step->alias;
    if (step->add != NULL)
        step->add(modem, &command);
    return at_chat_start(&modem->chat, &command, now_ms);
}

void modem_script_advance(struct modem *modem, uint64_t now_ms)
{
    const struct modem_script *script = modem->script;

    if (modem->again_ms != MODEM_NEVER) {
        if (now_ms < modem->again_ms)
            return;
        modem->again_ms = MODEM_NEVER;
    }
    if (at_chat_is_stale(&modem->chat)) {
        modem->doing = DOING_SYNC;
        (void)at_chat_sync(&modem->chat, 5, false, now_ms);
        return;
    }
    for (; modem->step < script->count; modem->step++, modem->tries = 0) {
        const struct modem_step *step = &script->steps[modem->step];
        uint8_t start = ladder_start(script, modem->step);

        /* What this modem accepted before is asked first. */
        if (step->ladder != LADDER_NONE && modem->step == start && modem->rung[step->ladder] > 1 && modem->tries == 0) {
            modem->step = (uint8_t)(start + modem->rung[step->ladder] - 1);
            step = &script->steps[modem->step];
        }
        if (step->wanted != NULL && !step->wanted(modem))
            continue;
        if (start_command(modem, step, now_ms) == 0) {
            modem->doing = DOING_STEP;
            return;
        }
        /* Only a PIN with a forbidden character can spoil a command: as if the modem had refused it. */
        if (step->judge != NULL) {
            struct at_event refused = { .kind = AT_DONE, .result = AT_REFUSED, .code = -1 };

            modem->doing = DOING_STEP;
            modem_step_done(modem, &refused, now_ms);
            return;
        }
    }
    modem->script = NULL;
    modem_apply(modem, ON_SCRIPT_DONE, now_ms);
}

void modem_line(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    const struct modem_step *step = modem->doing == DOING_JOB ? modem->job : &modem->script->steps[modem->step];

    if (step->on_line != NULL)
        step->on_line(modem, line, now_ms);
}

static enum modem_verdict verdict_of(struct modem *modem, const struct modem_step *step, const struct at_event *done,
                                     uint64_t now_ms)
{
    if (step->judge != NULL)
        return step->judge(modem, done, now_ms);
    return done->result == AT_OK ? VERDICT_ACCEPTED : VERDICT_REFUSED;
}

void modem_step_done(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    const struct modem_script *script = modem->script;
    const struct modem_step *step = &script->steps[modem->step];
    uint8_t ladder = step->ladder;

    modem->doing = DOING_NOTHING;
    if (done->result == AT_UNKNOWN && ++modem->silences >= MODEM_SILENCES_MAX) {
        modem->script = NULL;
        modem_apply(modem, ON_SILENT, now_ms);
        return;
    }
    if (modem->tries < UINT8_MAX)
        modem->tries++;
    if (modem->total_tries < UINT8_MAX)
        modem->total_tries++;
    switch (verdict_of(modem, step, done, now_ms)) {
    case VERDICT_ACCEPTED:
        modem->tries = 0;
        if (ladder == LADDER_NONE) {
            modem->step++;
            break;
        }
        modem->rung[ladder] = (uint8_t)(modem->step - ladder_start(script, modem->step) + 1);
        modem->step = ladder_end(script, modem->step);
        break;
    case VERDICT_REFUSED:
        modem->tries = 0;
        if (ladder != LADDER_NONE && modem->rung[ladder] > 1) {
            /* It was accepted before and is not now: climb again from the start. */
            modem->rung[ladder] = 0;
            modem->step = ladder_start(script, modem->step);
        } else {
            modem->step++;
        }
        break;
    case VERDICT_AGAIN:
        modem->again_ms = now_ms + MODEM_AGAIN_MS;
        break;
    case VERDICT_RESTART:
        modem->step = modem->tries = 0;
        modem->again_ms = now_ms + MODEM_AGAIN_MS;
        break;
    case VERDICT_STOP:
        break;
    }
}

void modem_start_job(struct modem *modem, const struct modem_step *job, uint64_t now_ms)
{
    int r;

    modem->job = job;
    modem->doing = DOING_JOB;
    r = start_command(modem, job, now_ms);
    assert(r == 0);   /* jobs have numbers and storage names the modem gave: see select_storage() */
    (void)r;
}

void modem_job_done(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    const struct modem_step *job = modem->job;

    modem->doing = DOING_NOTHING;
    modem->job = NULL;
    (void)verdict_of(modem, job, done, now_ms);
    if (done->result == AT_UNKNOWN) {
        modem_apply(modem, ON_SILENT, now_ms);
    } else if (modem->echo_is_off && at_chat_counts(&modem->chat)->echoes != modem->echo_mark) {
        /* ATE0 is forgotten, and with it everything else: it has restarted without a word. */
        modem_apply(modem, ON_RESET, now_ms);
    }
}
