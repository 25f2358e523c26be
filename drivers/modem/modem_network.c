/* SPDX-License-Identifier: Apache-2.0
 *
 * Registration, signal and operator: polls, and the unsolicited lines about them. */
#include "drivers/modem/modem_internal.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define LOOK_FAST_MS 5000         /* no network yet: so often for a minute, then slower */
#define LOOK_SLOW_MS 30000
#define LOOK_FAST_POLLS 12
#define OVERDUE_MS 600000         /* under load polls may wait so long, then they go between two parts */
#define OPERATOR_ROUNDS 10        /* the name changes rarely */

static void on_registration(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    static const struct { const char *name; uint8_t poll; } kinds[] = {
        { "+CREG:", POLL_CREG }, { "+CGREG:", POLL_CGREG }, { "+CEREG:", POLL_CEREG },
    };
    struct at_registration registration;

    if (at_parse_registration(line->text, &registration) < 0)
        return;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (strncmp(line->text, kinds[i].name, strlen(kinds[i].name)) != 0)
            continue;
        *(kinds[i].poll == POLL_CREG ? &modem->creg : kinds[i].poll == POLL_CGREG ? &modem->cgreg : &modem->cereg) =
            (int8_t)registration.stat;
    }
    modem_network_judge(modem, now_ms);
}

/* Of several domains the one that lets us send best: SMS needs any of them (TS 27.007 10.1.20, facts 2.4). A SIM7670G
 * says CREG 2 while CGREG is 1. */
static int best_registration(const struct modem *modem)
{
    static const int8_t worth[] = { 2, 10, 5, 3, 1, 8, 7, 6, 4, 9, 7, 0 };   /* by <stat> 0..11 */
    const int8_t stats[] = { modem->creg, modem->cereg, modem->cgreg };
    int best = -1;

    for (size_t i = 0; i < COUNT(stats); i++) {
        if (stats[i] >= 0 && stats[i] < (int)COUNT(worth) && (best < 0 || worth[stats[i]] > worth[best]))
            best = stats[i];
    }
    return best;
}

void modem_network_judge(struct modem *modem, uint64_t now_ms)
{
    int stat = best_registration(modem);
    bool can_send = at_registration_can_send(stat);

    modem->status.registration = stat;
    modem->status.roaming = at_registration_is_roaming(stat);
    if (modem->status.state == MODEM_REGISTERING) {
        modem->status.reason = stat == 3 ? MODEM_REASON_DENIED : MODEM_REASON_NOT_REGISTERED;
        if (can_send)
            modem_apply(modem, ON_REGISTERED, now_ms);
    } else if (modem->status.state == MODEM_READY && !can_send) {
        modem_apply(modem, ON_UNREGISTERED, now_ms);
    }
}

void modem_network_urc(struct modem *modem, const struct at_event *urc, uint64_t now_ms)
{
    on_registration(modem, urc, now_ms);
}

void modem_network_forget(struct modem *modem)
{
    modem->creg = modem->cgreg = modem->cereg = -1;
    modem->polls = modem->polls_urgent = modem->polls_refused = modem->poll_rounds = 0;
    modem->status.registration = -1;
    modem->status.roaming = false;
    modem->status.signal_dbm = 0;
    modem->status.operator_name[0] = '\0';
}

/* Set-up is done: look at once, and let everything be asked soon. */
void modem_network_begin(struct modem *modem, uint64_t now_ms)
{
    modem->creg = modem->cgreg = modem->cereg = -1;
    modem->polls = POLL_REGISTRATION | POLL_CSQ | POLL_COPS;
    modem->polls_refused = modem->polls_urgent = 0;
    modem->registering_polls = 0;
    modem->retry_ms = MODEM_NEVER;
    modem->poll_ms = now_ms + modem->config.poll_ms;
    modem->last_poll_ms = now_ms;
    modem->status.reason = MODEM_REASON_NOT_REGISTERED;
}

/* ------------------------------------------------------------------------------------------------ polls */

static void on_csq(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    int rssi, ber;

    (void)now_ms;
    if (at_parse_csq(line->text, &rssi, &ber) == 0)
        modem->status.signal_dbm = at_rssi_to_dbm(rssi);
}

static void on_cops(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    int act;

    (void)now_ms;
    (void)at_parse_cops(line->text, modem->status.operator_name, sizeof modem->status.operator_name, &act);
}

static void on_cpms(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    struct at_storages storages;

    (void)now_ms;
    if (at_parse_cpms(line->text, &storages) == 0) {
        modem->status.storage_used = storages.memory[0].used;
        modem->status.storage_total = storages.memory[0].total;
    }
}

void modem_network_ask(struct modem *modem, uint8_t polls)
{
    modem->polls_urgent |= polls;
}

static enum modem_verdict done_with(struct modem *modem, const struct at_event *done, uint8_t poll, uint64_t now_ms)
{
    modem->polls &= (uint8_t)~poll;
    modem->polls_urgent &= (uint8_t)~poll;
    if (done->result == AT_REFUSED)
        modem->polls_refused |= poll;
    if ((modem->polls & (uint8_t)~modem->polls_refused) == 0)
        modem->last_poll_ms = now_ms;
    return VERDICT_ACCEPTED;
}

static void on_cmee(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    int mode;

    (void)now_ms;
    if (at_parse_cmee(line->text, &mode) == 0 && mode == 0)
        modem->cmee_set = false;
}

/* The answer says what we had switched on is off: a SIM800L resets without a word. */
static enum modem_verdict judge_cmee(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)done_with(modem, done, POLL_CMEE, now_ms);
    if (!modem->cmee_set)
        modem_apply(modem, ON_RESET, now_ms);
    return VERDICT_STOP;
}

#define JUDGE(name, poll)                                                                                             \
    static enum modem_verdict name(struct modem *modem, const struct at_event *done, uint64_t now_ms)                 \
    {                                                                                                                 \
        return done_with(modem, done, poll, now_ms);                                                                  \
    }
JUDGE(judge_creg, POLL_CREG)
JUDGE(judge_cereg, POLL_CEREG)
JUDGE(judge_cgreg, POLL_CGREG)
JUDGE(judge_csq, POLL_CSQ)
JUDGE(judge_cops, POLL_COPS)
JUDGE(judge_cpms, POLL_STORAGE)

/* In the order they are asked. */
static const struct { uint8_t poll; struct modem_step step; } jobs[] = {
    { POLL_CMEE, { .command = "AT+CMEE?", .on_line = on_cmee, .judge = judge_cmee } },
    { POLL_CREG, { .command = "AT+CREG?", .on_line = on_registration, .judge = judge_creg } },
    { POLL_CEREG, { .command = "AT+CEREG?", .on_line = on_registration, .judge = judge_cereg } },
    { POLL_CGREG, { .command = "AT+CGREG?", .on_line = on_registration, .judge = judge_cgreg } },
    { POLL_CSQ, { .command = "AT+CSQ", .on_line = on_csq, .judge = judge_csq } },
    { POLL_COPS, { .command = "AT+COPS?", .on_line = on_cops, .judge = judge_cops, .timeout_ms = 30000 } },
    { POLL_COUNT, { .command = MODEM_COUNT_COMMAND, .on_line = modem_count_on_line, .judge = modem_count_judge } },
    { POLL_STORAGE, { .command = "AT+CPMS?", .on_line = on_cpms, .judge = judge_cpms } },
};

static void begin_round(struct modem *modem, uint64_t now_ms)
{
    modem->polls |= POLL_REGISTRATION | POLL_CSQ | POLL_STORAGE;
    if (++modem->poll_rounds % OPERATOR_ROUNDS == 0)
        modem->polls |= POLL_COPS;
    modem->poll_ms = now_ms + modem->config.poll_ms;
    modem_storage_sweep(modem, false);
}

static const struct modem_step *first_of(uint8_t polls)
{
    for (size_t i = 0; i < COUNT(jobs); i++) {
        if ((polls & jobs[i].poll) != 0)
            return &jobs[i].step;
    }
    return NULL;
}

/* The next poll, or NULL. While parts wait only what is urgent, or has waited for ten minutes. */
const struct modem_step *modem_network_job(struct modem *modem, bool parts_wait, uint64_t now_ms)
{
    const struct modem_step *step = first_of(modem->polls_urgent & (uint8_t)~modem->polls_refused);

    if (step != NULL)
        return step;
    modem->polls_urgent = 0;
    if (modem->status.state == MODEM_REGISTERING && now_ms >= modem->retry_ms) {
        modem->polls |= POLL_REGISTRATION;
        modem->retry_ms = MODEM_NEVER;
    }
    if (parts_wait ? now_ms - modem->last_poll_ms < OVERDUE_MS : now_ms < modem_quiet_until(modem))
        return NULL;
    if (now_ms >= modem->poll_ms)
        begin_round(modem, now_ms);

    step = first_of(modem->polls & (uint8_t)~modem->polls_refused);
    if (step != NULL)
        return step;
    modem->polls = 0;
    if (modem->status.state == MODEM_REGISTERING && modem->retry_ms == MODEM_NEVER) {
        if (modem->registering_polls < UINT8_MAX)
            modem->registering_polls++;
        modem->retry_ms = now_ms + (modem->registering_polls <= LOOK_FAST_POLLS ? LOOK_FAST_MS : LOOK_SLOW_MS);
    }
    return NULL;
}
