/* SPDX-License-Identifier: Apache-2.0
 *
 * The card's file EF_SMSS with the last used TP-MR (TS 31.102 4.2.28), and whether the modem has been at work without a break.
 * What follows from both is decided elsewhere. */
#include "drivers/modem/modem_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void name_pair(const struct modem *modem, char ret_name[48])
{
    (void)snprintf(ret_name, 48, "%s %s", modem->status.identity.imei, modem->status.identity.iccid);
}

static bool is_refused(const struct modem *modem)
{
    char name[48];

    name_pair(modem, name);
    return strcmp(modem->count_refused, name) == 0;
}

void modem_count_moved(struct modem *modem, bool urgent)
{
    if (is_refused(modem))
        return;
    if (urgent)
        modem_network_ask(modem, POLL_COUNT);
    else
        modem->polls |= POLL_CMEE | POLL_COUNT;
}

void modem_read_count(struct modem *modem, uint64_t now_ms)
{
    if (is_refused(modem) || (modem->status.state != MODEM_READY && modem->status.state != MODEM_SENDING))
        return;
    modem_network_ask(modem, POLL_CMEE | POLL_COUNT);
    modem_advance(modem, now_ms);
}

/* ------------------------------------------------------------------------------------------------ after a doubt */

void modem_count_doubt(struct modem *modem)
{
    bool doubt = modem->part && modem->part_started && at_chat_data_sent(&modem->chat);

    modem->restart_check = doubt && modem->status.reason != MODEM_REASON_RESET;
    modem->count_due = doubt && !is_refused(modem);
    modem->echo_was_off = modem->echo_is_off;
    modem->cmee_seen = -1;
    if (!modem->restart_check)
        modem->status.lives++;
}

bool modem_count_is_due(const struct modem *modem) { return modem->count_due; }
bool modem_count_restart_check(const struct modem *modem) { return modem->restart_check; }

void modem_count_on_cmee(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    int mode;

    (void)now_ms;
    if (at_parse_cmee(line->text, &mode) == 0)
        modem->cmee_seen = (int8_t)(mode == 1);
}

/* Before set-up switches it on again: what we had switched on is still on, so it has not restarted without a word. */
enum modem_verdict modem_count_judge_cmee(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    bool echoes = modem->echo_was_off && at_chat_counts(&modem->chat)->echoes != modem->echo_mark;

    (void)now_ms;
    modem->restart_check = false;
    if (done->result != AT_OK || !modem->cmee_set || modem->cmee_seen != 1 || echoes)
        modem->status.lives++;
    return VERDICT_ACCEPTED;
}

/* ------------------------------------------------------------------------------------------------ the file */

enum { COUNT_UNSEEN = -1, COUNT_REFUSED = -2 };
#define SILENCES_MAX 2                   /* one that hangs on this command must not be asked for ever */

void modem_count_on_line(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    int octet = -1, r = at_parse_crsm_octet(line->text, &octet);

    (void)now_ms;
    if (r == 0)
        modem->count_seen = (int16_t)octet;
    else if (r == -ENOENT)
        modem->count_seen = COUNT_REFUSED;
}

enum modem_verdict modem_count_judge(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    struct modem_event event = { .kind = MODEM_EVENT_COUNT, .mr = modem->count_seen, .code = -1 };
    int seen = modem->count_seen;

    modem->count_due = false;
    modem->count_seen = COUNT_UNSEEN;
    modem->polls &= (uint8_t)~POLL_COUNT;
    modem->polls_urgent &= (uint8_t)~POLL_COUNT;
    modem->count_silences = done->result == AT_UNKNOWN ? modem->count_silences + 1 : 0;
    /* The line, or all of it, was lost: another time. */
    if ((done->result == AT_OK && seen == COUNT_UNSEEN) || (done->result == AT_UNKNOWN && modem->count_silences < SILENCES_MAX))
        return VERDICT_ACCEPTED;
    if (done->result != AT_OK || seen == COUNT_REFUSED) {
        event.mr = -1;
        name_pair(modem, modem->count_refused);
    } else if (!modem->cmee_set || (modem->polls_refused & POLL_CMEE) != 0) {
        modem->status.lives++;           /* it does not tell whether it has restarted */
    }
    modem_emit(modem, &event, now_ms);
    return VERDICT_ACCEPTED;
}
