/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/simulation.h"

#include <errno.h>
#include <string.h>

#define WEATHER_US MINUTES(10)

/* -- actions -------------------------------------------------------------------------------------------------- */

static uint32_t any_modem(struct simulation *sim)
{
    return sim_random_below(&sim->faults.random, sim->bank.count);
}

static void unplug(struct simulation *sim, int fault, bool renumber)
{
    uint32_t modem = any_modem(sim);

    bank_trouble(sim, modem, fault, 0);
    bank_unplug(sim, modem, draw_wait_us(&sim->faults.random, MINUTES(1)), renumber);
}

static uint64_t do_replug(struct simulation *sim)
{
    unplug(sim, FAULT_REPLUG, false);
    return 0;
}

static uint64_t do_renumber(struct simulation *sim)
{
    unplug(sim, FAULT_RENUMBER, true);
    return 0;
}

static uint64_t do_boot(struct simulation *sim)
{
    uint32_t modem = any_modem(sim);

    bank_trouble(sim, modem, FAULT_BOOT, BANK_BOOT_US);
    if (sim->bank.modems[modem].plugged)
        sim_modem_reset(sim->bank.modems[modem].modem, sim->now_us);
    return 0;
}

static uint64_t do_stall(struct simulation *sim)
{
    uint32_t modem = any_modem(sim), ms = (uint32_t)(draw_wait_us(&sim->faults.random, MINUTES(1)) / 1000) + 1;

    sim_modem_trigger_fault(sim->bank.modems[modem].modem, SIM_FAULT_HANG, ms, sim->now_us);
    bank_trouble(sim, modem, FAULT_STALL, (uint64_t)ms * 1000);
    return 0;
}

static uint64_t do_outage(struct simulation *sim)
{
    static const int codes[] = { 21, 38, 41, 42, 47, 111, 331, 500, 512 };

    sim_network_set_outage(sim->bank.network, codes[sim_random_below(&sim->faults.random, 9)]);
    return draw_wait_us(&sim->faults.random, MINUTES(5));
}

static void end_outage(struct simulation *sim)
{
    sim_network_set_outage(sim->bank.network, 0);
}

static uint64_t do_reports(struct simulation *sim)
{
    sim_network_set_report_mode(sim->bank.network, (enum sim_report_mode)sim_random_below(&sim->faults.random, SIM_REPORT_MODE_COUNT));
    return 0;
}

static uint64_t do_flood(struct simulation *sim)
{
    incoming_send(sim, any_modem(sim), draw_between(&sim->faults.random, 20, 70));
    return 0;
}

static uint64_t do_kill(struct simulation *sim)
{
    host_crash(sim, HOST_KILLED, draw_percent(&sim->faults.random, 50));
    return 0;
}

static uint64_t do_power(struct simulation *sim)
{
    host_crash(sim, HOST_POWER_CUT, draw_percent(&sim->faults.random, 60));
    return 0;
}

static uint64_t do_restart(struct simulation *sim)
{
    host_stop(sim);
    return 0;
}

static uint64_t do_clock_back(struct simulation *sim)
{
    sim->host.clock_offset_ms = -(int64_t)draw_between(&sim->faults.random, 1, 3 * 365 * 24) * 3600000;
    trace(sim, "host", "the clock goes back to %lld", (long long)(WORLD_EPOCH_MS + sim->host.clock_offset_ms));
    return draw_wait_us(&sim->faults.random, MINUTES(20));
}

static uint64_t do_clock_forward(struct simulation *sim)
{
    sim->host.clock_offset_ms = (int64_t)draw_between(&sim->faults.random, 1, 10 * 24) * 3600000;
    trace(sim, "host", "the clock goes forward by %lld h", (long long)(sim->host.clock_offset_ms / 3600000));
    return draw_wait_us(&sim->faults.random, MINUTES(20));
}

static void end_clock(struct simulation *sim)
{
    trace(sim, "host", "the clock is right again");
    sim->host.clock_offset_ms = 0;
}

static uint64_t do_disk_full(struct simulation *sim)
{
    disk_set_full(sim->host.disk, true);
    return draw_wait_us(&sim->faults.random, MINUTES(2));
}

static void end_disk_full(struct simulation *sim)
{
    disk_set_full(sim->host.disk, false);
}

static uint64_t do_disk_error(struct simulation *sim)
{
    struct sim_random *random = &sim->faults.random;
    uint32_t skip = sim_random_below(random, 60);

    disk_fail(sim->host.disk, skip, draw_percent(random, 70) ? 1 : draw_between(random, 2, 60));
    return 0;
}

static uint64_t do_disk_slow(struct simulation *sim)
{
    sim->host.slow_times = draw_between(&sim->faults.random, 5, 100);
    return draw_wait_us(&sim->faults.random, MINUTES(2));
}

static void end_disk_slow(struct simulation *sim)
{
    sim->host.slow_times = 1;
}

/* Those that happen to the world by themselves. action returns how long it lasts; 0: it is over at once. */
static const struct fault_row {
    const char *name;
    uint32_t mean_minutes;               /* the most frequent it gets; up to 16 times rarer by seed */
    uint64_t (*action)(struct simulation *sim);
    void (*end)(struct simulation *sim);
} rows[FAULT_COUNT] = {
    [FAULT_REPLUG] = { "replug", 4, do_replug, NULL },
    [FAULT_RENUMBER] = { "renumber", 5, do_renumber, NULL },
    [FAULT_BOOT] = { "boot", 4, do_boot, NULL },
    [FAULT_STALL] = { "stall", 4, do_stall, NULL },
    [FAULT_OUTAGE] = { "outage", 15, do_outage, end_outage },
    [FAULT_REPORTS] = { "reports", 5, do_reports, NULL },
    [FAULT_FLOOD] = { "flood", 20, do_flood, NULL },
    [FAULT_KILL] = { "kill", 3, do_kill, NULL },
    [FAULT_POWER] = { "power_cut", 4, do_power, NULL },
    [FAULT_RESTART] = { "restart", 8, do_restart, NULL },
    [FAULT_CLOCK_BACK] = { "clock_back", 20, do_clock_back, end_clock },
    [FAULT_CLOCK_FORWARD] = { "clock_forward", 20, do_clock_forward, end_clock },
    [FAULT_DISK_FULL] = { "disk_full", 10, do_disk_full, end_disk_full },
    [FAULT_DISK_ERROR] = { "disk_error", 4, do_disk_error, NULL },
    [FAULT_DISK_SLOW] = { "disk_slow", 10, do_disk_slow, end_disk_slow },
};

/* -- names ---------------------------------------------------------------------------------------------------- */

const char *fault_name(int fault)
{
    return fault < SIM_FAULT_COUNT ? sim_fault_kind((enum sim_fault)fault)->name : rows[fault].name;
}

int fault_find(const char *name)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        if (strcmp(fault_name(i), name) == 0)
            return i;
    return -EINVAL;
}

void faults_count(struct simulation *sim, int fault)
{
    sim->result->faults[fault]++;
}

static bool is_enabled(const struct simulation *sim, int fault)
{
    return (sim->faults.enabled >> fault & 1) != 0;
}

/* -- the habits of modems ------------------------------------------------------------------------------------- */

static uint32_t draw_argument(struct sim_random *random, enum sim_fault fault)
{
    static const uint32_t codes[] = { 1, 8, 21, 27, 28, 38, 41, 42, 47, 50, 111, 302, 304, 310, 313, 314, 320, 322, 330, 331, 332, 332, 340,
                                      500, 512, 513, 515, 535 };
    static const uint32_t equipment[] = { 3, 10, 13, 14, 30, 100, 515 };

    switch (fault) {
    case SIM_FAULT_LATE:
        return draw_between(random, 1, 240) * 1000;
    case SIM_FAULT_HANG:
        return draw_between(random, 1, 1200) * 1000;
    case SIM_FAULT_HELD:
        return draw_between(random, 1, 150) * 1000;
    case SIM_FAULT_CMS:
        return codes[sim_random_below(random, sizeof codes / sizeof codes[0])];
    case SIM_FAULT_CME:
        return equipment[sim_random_below(random, sizeof equipment / sizeof equipment[0])];
    case SIM_FAULT_GARBAGE:
        return draw_between(random, 1, 60);
    default:
        return 0;
    }
}

/* "PB DONE" is what a modem says after a start: the driver must take it for one. */
static bool says_ready_unasked(const struct simulation *sim, uint32_t modem)
{
    const char *const *lines = sim->bank.personalities[modem]->chatter;

    for (size_t i = 0; i < SIM_CHATTER_LINES_MAX && lines[i] != NULL; i++)
        if (strcmp(lines[i], "PB DONE") == 0)
            return true;
    return false;
}

/* What every modem does to a part in a hundred, or one in thirty; another mixture each time. Of its states it is
 * told apart once: what a modem is like does not change. */
static void weather(struct simulation *sim, bool first)
{
    static const uint32_t ppms[] = { 0, 2000, 10000, 30000 };
    struct sim_random *random = &sim->faults.random;

    for (uint32_t i = 0; i < sim->bank.count; i++)
        for (int fault = 0; fault < SIM_FAULT_COUNT; fault++) {
            enum sim_fault kind = (enum sim_fault)fault;
            uint32_t ppm = ppms[sim_random_below(random, 4)], argument = draw_argument(random, kind);
            bool state = sim_fault_kind(kind)->when == SIM_WHEN_STATE;

            if (!is_enabled(sim, fault))
                continue;
            if (kind == SIM_FAULT_GARBAGE)
                ppm /= 10;               /* of lines, not of parts */
            if (state)
                ppm = 250000;
            if (state && !(first || kind == SIM_FAULT_CHATTY || kind == SIM_FAULT_DENIED))
                continue;
            if (kind == SIM_FAULT_DENIED)
                ppm = 50000;
            if (kind == SIM_FAULT_CHATTY && says_ready_unasked(sim, i))
                continue;
            sim_modem_set_fault(sim->bank.modems[i].modem, kind, ppm, argument, sim->now_us);
        }
}

/* -- turns ---------------------------------------------------------------------------------------------------- */

static void schedule(struct simulation *sim, int fault)
{
    sim->faults.next_us[fault] = sim->now_us + draw_wait_us(&sim->faults.random, sim->faults.mean_us[fault]);
}

void faults_init(struct simulation *sim)
{
    /* These make a modem unusable until a person comes. */
    static const uint64_t never = UINT64_C(1) << SIM_FAULT_NO_SIM | UINT64_C(1) << SIM_FAULT_PIN | UINT64_C(1) << SIM_FAULT_PUK;
    struct faults *faults = &sim->faults;

    sim_random_init(&faults->random, sim->options.seed, UINT64_C(0xFA17));
    for (int i = 0; i < FAULT_COUNT; i++)
        if ((sim->options.faults >> i & 1) != 0 && (never >> i & 1) == 0 &&
            (sim->options.faults != FAULTS_ALL || draw_percent(&faults->random, 50)))
            faults->enabled |= UINT64_C(1) << i;
    faults->weather_us = sim->now_us;
    for (int i = 0; i < FAULT_COUNT; i++) {
        faults->next_us[i] = faults->end_us[i] = NEVER;
        if (i < SIM_FAULT_COUNT || !is_enabled(sim, i))
            continue;
        faults->mean_us[i] = MINUTES(rows[i].mean_minutes) << sim_random_below(&faults->random, 5);
        schedule(sim, i);
    }
}

uint64_t faults_deadline(const struct simulation *sim)
{
    const struct faults *faults = &sim->faults;
    uint64_t due = faults->weather_us;

    for (int i = SIM_FAULT_COUNT; i < FAULT_COUNT; i++) {
        due = faults->next_us[i] < due ? faults->next_us[i] : due;
        due = faults->end_us[i] < due ? faults->end_us[i] : due;
    }
    return due;
}

void faults_turn(struct simulation *sim)
{
    struct faults *faults = &sim->faults;

    if (faults->weather_us <= sim->now_us) {
        weather(sim, faults->weather_us <= SECONDS(1));
        faults->weather_us = sim->now_us + WEATHER_US;
    }
    for (int i = SIM_FAULT_COUNT; i < FAULT_COUNT; i++) {
        if (faults->end_us[i] <= sim->now_us) {
            trace(sim, "fault", "%s ends", rows[i].name);
            faults->end_us[i] = NEVER;
            rows[i].end(sim);
        }
        if (faults->next_us[i] <= sim->now_us) {
            uint64_t lasts_us;

            trace(sim, "fault", "%s", rows[i].name);
            faults_count(sim, i);
            lasts_us = rows[i].action(sim);
            if (lasts_us > 0)
                faults->end_us[i] = sim->now_us + lasts_us;
            schedule(sim, i);
        }
    }
}

void faults_stop(struct simulation *sim)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        sim->faults.next_us[i] = sim->faults.end_us[i] = NEVER;
    sim->faults.weather_us = NEVER;
    host_heal(sim);
    bank_heal(sim);
}
