/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/simulation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATABASE "cellpost.db"
#define GROUP_CHANGES_MAX 256            /* as cellpostd's store thread */
#define MONO_START_US SECONDS(20)        /* the monotonic clock when a machine has booted this far */
#define STOP_AIR_US SECONDS(10)          /* cellpostd: what is on the air at SIGTERM may finish for so long */
#define STOP_KILL_US SECONDS(90)         /* systemd: SIGKILL after that */
#define BOUND_MAX 256                     /* messages that have begun and wait for their SIM */
#define END_STEPS_MAX 40                 /* of the disk, of one commit or two */

/* -- clocks --------------------------------------------------------------------------------------------------- */

int64_t host_wall_ms(const struct simulation *sim)
{
    return WORLD_EPOCH_MS + (int64_t)(sim->now_us / 1000) + sim->host.clock_offset_ms;
}

struct gateway_now host_now(const struct simulation *sim)
{
    return (struct gateway_now){ .mono_us = sim->now_us - sim->host.boot_us + MONO_START_US, .wall_ms = host_wall_ms(sim) };
}

struct gateway *host_gateway(struct simulation *sim)
{
    return sim->host.box != NULL ? box_gateway(sim->host.box) : NULL;
}

/* -- box ops -------------------------------------------------------------------------------------------------- */

static void on_event(void *context, const struct live_event *event)
{
    struct simulation *sim = context;

    if (event->kind == LIVE_MODEM && strcmp(event->modem_state, "ready") == 0)
        bank_ready(sim, event->port);
    if (!sim->options.trace)
        return;
    switch (event->kind) {
    case LIVE_MESSAGE:
        trace(sim, "box", "message %lld is %s %s", (long long)event->message_id, message_state_name(event->state), event->reason);
        break;
    case LIVE_PART:
        trace(sim, "box", "message %lld part %d of %d: %s on %s mr %d code %d status %d %s", (long long)event->message_id, event->part + 1,
              event->parts, live_part_step_name(event->step), event->port, event->mr, event->code, event->status, event->reason);
        break;
    case LIVE_INBOX:
        trace(sim, "box", "inbox %lld from %s %s", (long long)event->message_id, event->from, event->reason);
        break;
    case LIVE_ALARM:
        trace(sim, "box", "alarm %s: %s", event->raised ? "raised" : "over", event->reason);
        break;
    case LIVE_MODEM:
        trace(sim, "box", "%s is %s %s", event->port, event->modem_state, event->reason);
        break;
    }
}

static void on_answer(void *context, struct store_change *change)
{
    clients_answer(context, change);
}

static void on_want_write(void *context, uint32_t slot, bool want)
{
    bank_want_write(context, slot, want);
}

static void on_closed(void *context, uint32_t slot)
{
    bank_closed(context, slot);
}

/* -- commits -------------------------------------------------------------------------------------------------- */

static void group_forget(struct host *host)
{
    for (uint32_t i = 0; i < host->group_count; i++)
        change_free_list(host->group[i]);
    host->group_count = 0;
    host->group_done_us = NEVER;
}

static void waiting_forget(struct host *host)
{
    for (; host->waiting_count > 0; host->waiting_count--) {
        change_free_list(host->waiting[host->waiting_first]);
        host->waiting_first = (host->waiting_first + 1) % HOST_LISTS_MAX;
    }
}

static uint32_t group_take(struct host *host)
{
    uint32_t changes = 0;

    while (host->waiting_count > 0 && changes < GROUP_CHANGES_MAX) {
        struct store_change *list = host->waiting[host->waiting_first];

        host->waiting_first = (host->waiting_first + 1) % HOST_LISTS_MAX;
        host->waiting_count--;
        host->group[host->group_count++] = list;
        for (struct store_change *change = list; change != NULL; change = change->next)
            changes += change->kind == CHANGE_ACCEPT ? 1 + change->u.accept.count / 8 : 1;
    }
    return changes;
}

/* Joined for one commit, and cut apart again. */
static int group_apply(struct host *host)
{
    struct store_change *lasts[HOST_LISTS_MAX];
    int error;

    for (uint32_t i = 0; i < host->group_count; i++) {
        lasts[i] = host->group[i];
        while (lasts[i]->next != NULL)
            lasts[i] = lasts[i]->next;
        if (i > 0)
            lasts[i - 1]->next = host->group[i];
    }
    error = store_apply(host->store, host->group[0]);
    for (uint32_t i = 0; i < host->group_count; i++)
        lasts[i]->next = NULL;
    return error;
}

static void commit_start(struct simulation *sim)
{
    struct host *host = &sim->host;
    uint32_t changes;

    if (host->group_done_us != NEVER || host->waiting_count == 0)
        return;
    changes = group_take(host);
    host->group_error = group_apply(host);
    if (disk_stopped(host->disk)) {
        trace(sim, "disk", "stops in the middle of a commit of %u changes", (unsigned)changes);
        host_crash(sim, host->end, false);
        return;
    }
    host->group_us = (uint32_t)draw_wait_us(&host->random, host->commit_us_mean * host->slow_times);
    host->group_done_us = sim->now_us + host->group_us;
    sim->result->commits++;
    trace(sim, "disk", "commit of %u changes in %u us, error %d", (unsigned)changes, (unsigned)host->group_us, host->group_error);
}

static void commit_done(struct simulation *sim)
{
    struct host *host = &sim->host;
    uint32_t count = host->group_count;
    int error = host->group_error;

    host->group_done_us = NEVER;
    host->group_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct store_change *list = host->group[i];

        for (struct store_change *change = list; change != NULL && error == 0; change = change->next)
            witness_change_committed(sim, change);
        gateway_changes_done(box_gateway(host->box), list, error, host->group_us, host_now(sim));
    }
}

/* The queue in memory is a window, whatever waits in the store. */
static void check_memory(struct simulation *sim)
{
    uint32_t window = sim->host.window != 0 ? sim->host.window : QUEUE_WINDOW_DEFAULT;
    struct live_view view = { .modems = NULL };

    gateway_view(box_gateway(sim->host.box), &view, host_now(sim));
    if (view.queue_ready > 2 * window + BOUND_MAX)
        violation(sim, "memory: %llu messages in a window of %u", (unsigned long long)view.queue_ready, (unsigned)window);
    sim->host.look_us = sim->now_us + MINUTES(1);
}

void host_submit(struct simulation *sim)
{
    struct host *host = &sim->host;
    struct store_change *list;

    if (host->state == HOST_DOWN)
        return;
    while ((list = gateway_take_changes(box_gateway(host->box))) != NULL) {
        for (struct store_change *change = list; change != NULL; change = change->next)
            witness_change_asked(sim, change);
        if (host->waiting_count == HOST_LISTS_MAX) {
            violation(sim, "memory: %d lists wait for the disk", HOST_LISTS_MAX);
            change_free_list(list);
            continue;
        }
        host->waiting[(host->waiting_first + host->waiting_count++) % HOST_LISTS_MAX] = list;
    }
    if (sim->now_us >= host->look_us)
        check_memory(sim);
    commit_start(sim);
}

/* -- start ---------------------------------------------------------------------------------------------------- */

static int box_start(struct simulation *sim)
{
    static const struct box_ops ops = { .event = on_event, .answer = on_answer, .want_write = on_want_write, .closed = on_closed };
    struct box_config config = { .ops = &ops, .context = sim, .window = sim->host.window, .started_ms = host_wall_ms(sim),
                                 .boot = (int64_t)sim->host.boot_us + 1 };

    if (sim->options.opt_outs)
        config.consent = (struct gateway_consent){ .reads_words = true, .confirmation = INCOMING_CONFIRMATION };
    sim->host.box = box_new(&config);
    if (sim->host.box == NULL)
        return -ENOMEM;
    return sim->options.routing ? gateway_set_routing(box_gateway(sim->host.box), &sim->routing.routing, host_now(sim)) : 0;
}

static void host_start(struct simulation *sim)
{
    struct host *host = &sim->host;
    uint32_t unknown = 0;
    char error[256];
    int r = store_open(DATABASE, disk_vfs(host->disk), "sim1", &host->store, error, sizeof error);

    sim->result->starts++;
    if (r == 0)
        r = store_recover(host->store, host_wall_ms(sim), &unknown);
    if (r == 0)
        r = box_start(sim);
    if (r < 0) {
        if (r == -EBADMSG || r == -EPROTO) {
            violation(sim, "the database is damaged after a crash: %s", error);
            sim->damaged = true;
        }
        trace(sim, "host", "cannot start: %d", r);
        store_close(host->store);
        host->store = NULL;
        if (disk_stopped(host->disk))    /* it was to stop in a commit, and this was one */
            (host->end == HOST_POWER_CUT ? disk_power_cut : disk_kill)(host->disk);
        host->ending = false;
        host->start_us = sim->now_us + SECONDS(10);
        return;
    }
    sim->result->crash_unknown += unknown;
    host->state = HOST_UP;
    host->start_us = NEVER;
    host->lines_closed = false;
    sim->witness.open = (uint32_t)verdict_unsettled(sim);
    sim->witness.unsettled_us = sim->now_us;
    trace(sim, "host", "started: %u attempts unknown, %u messages open", (unsigned)unknown, (unsigned)sim->witness.open);
    bank_host_up(sim);
}

/* -- end ------------------------------------------------------------------------------------------------------ */

static void process_gone(struct simulation *sim)
{
    struct host *host = &sim->host;

    box_free(host->box);
    host->box = NULL;
    group_forget(host);
    waiting_forget(host);
    store_close(host->store);
    host->store = NULL;
    host->state = HOST_DOWN;
    host->ending = false;
    bank_host_down(sim);
    clients_host_down(sim);
    witness_host_down(sim);
}

static void machine_gone(struct simulation *sim)
{
    struct host *host = &sim->host;

    host->boot_us = host->start_us - SECONDS(15);
    /* Without a battery the clock starts where it was last saved, until the network tells the time. */
    if ((sim->faults.enabled & UINT64_C(1) << FAULT_CLOCK_BACK) != 0 && draw_percent(&host->random, 30)) {
        host->clock_offset_ms = -(int64_t)draw_between(&host->random, 1, 40) * 3600000;
        host->clock_mend_us = host->start_us + draw_wait_us(&host->random, MINUTES(3));
        faults_count(sim, FAULT_CLOCK_BACK);
    }
    for (uint32_t i = 0; i < sim->bank.count; i++)
        if (draw_percent(&host->random, 70))
            bank_power_off(sim, i);
}

void host_crash(struct simulation *sim, enum host_end end, bool in_commit)
{
    struct host *host = &sim->host;

    if (host->state == HOST_DOWN || (host->ending && in_commit))
        return;
    if (in_commit) {
        host->ending = true;
        host->end = end;
        host->end_by_us = sim->now_us + SECONDS(30);
        disk_stop_after(host->disk, sim_random_below(&host->random, END_STEPS_MAX));
        return;
    }
    trace(sim, "host", "%s", end == HOST_POWER_CUT ? "the power is cut" : "SIGKILL");
    disk_stop(host->disk);
    process_gone(sim);
    if (end == HOST_POWER_CUT) {
        disk_power_cut(host->disk);
        host->start_us = sim->now_us + SECONDS(20) + draw_wait_us(&host->random, SECONDS(30));
        machine_gone(sim);
    } else {
        disk_kill(host->disk);
        host->start_us = sim->now_us + SECONDS(1) + draw_wait_us(&host->random, SECONDS(3));
    }
}

void host_stop(struct simulation *sim)
{
    struct host *host = &sim->host;

    if (host->state != HOST_UP)
        return;
    trace(sim, "host", "SIGTERM");
    host->state = HOST_STOPPING;
    host->stop_by_us = sim->now_us + STOP_AIR_US;
    gateway_stop(box_gateway(host->box), host_now(sim));
}

static void stopping_turn(struct simulation *sim)
{
    struct host *host = &sim->host;

    if (gateway_idle(box_gateway(host->box)) && host->waiting_count == 0 && host->group_done_us == NEVER) {
        trace(sim, "host", "stopped");
        process_gone(sim);
        disk_kill(host->disk);
        host->start_us = sim->now_us + SECONDS(1) + draw_wait_us(&host->random, SECONDS(20));
        return;
    }
    if (sim->now_us < host->stop_by_us)
        return;
    if (host->lines_closed) {
        host_crash(sim, HOST_KILLED, false);
        return;
    }
    host->lines_closed = true;
    host->stop_by_us = sim->now_us + STOP_KILL_US;
    for (uint32_t i = 0; i < box_slot_count(host->box); i++)
        box_line_close(host->box, i, host_now(sim));
}

void host_heal(struct simulation *sim)
{
    struct host *host = &sim->host;

    disk_set_full(host->disk, false);
    disk_fail(host->disk, 0, 0);
    host->slow_times = 1;
    host->clock_offset_ms = 0;
    host->clock_mend_us = NEVER;
    if (host->ending) {                  /* what was under way happens now */
        host->ending = false;
        disk_stop_after(host->disk, UINT32_MAX);
        host_crash(sim, host->end, false);
    }
}

/* -- turns ---------------------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t host_deadline(const struct simulation *sim)
{
    const struct host *host = &sim->host;
    uint64_t due, mono_us;

    if (host->state == HOST_DOWN)
        return earlier(host->start_us, host->clock_mend_us);
    due = earlier(host->group_done_us, host->clock_mend_us);
    if (host->state == HOST_STOPPING)
        due = earlier(due, host->stop_by_us);
    if (host->ending)
        due = earlier(due, host->end_by_us);
    mono_us = box_deadline_us(host->box);
    if (mono_us < NEVER - host->boot_us)
        due = earlier(due, mono_us <= MONO_START_US ? sim->now_us : mono_us - MONO_START_US + host->boot_us);
    return due;
}

void host_turn(struct simulation *sim)
{
    struct host *host = &sim->host;

    if (sim->now_us >= host->clock_mend_us) {
        trace(sim, "host", "the network tells the time");
        host->clock_mend_us = NEVER;
        host->clock_offset_ms = 0;
    }
    if (host->state == HOST_DOWN) {
        if (sim->now_us >= host->start_us)
            host_start(sim);
        return;
    }
    if (host->ending && sim->now_us >= host->end_by_us) {
        host->ending = false;
        disk_stop_after(host->disk, UINT32_MAX);
        host_crash(sim, host->end, false);
        return;
    }
    if (host->group_done_us <= sim->now_us)
        commit_done(sim);
    if (box_deadline_us(host->box) <= host_now(sim).mono_us)
        box_poll(host->box, host_now(sim));
    if (host->state == HOST_STOPPING)
        stopping_turn(sim);
}

/* ------------------------------------------------------------------------------------------------------------ */

int host_init(struct simulation *sim)
{
    static const uint32_t windows[] = { 0, 0, 16, 64, 256 };
    static const uint32_t commits_us[] = { 200, 2000, 8000, 30000, 120000 };   /* from a good SSD to a bad card */
    struct host *host = &sim->host;

    sim_random_init(&host->random, sim->options.seed, UINT64_C(0x4057));
    host->disk = disk_new(sim->options.seed);
    if (host->disk == NULL)
        return -ENOMEM;
    host->window = windows[sim_random_below(&host->random, 5)];
    host->commit_us_mean = commits_us[sim_random_below(&host->random, 5)];
    if (sim->options.busy || sim->options.idle) {
        host->window = 0;
        host->commit_us_mean = 2000;
    }
    host->slow_times = 1;
    host->state = HOST_DOWN;
    host->boot_us = 0;
    host->start_us = sim->now_us;
    host->group_done_us = host->clock_mend_us = NEVER;
    return 0;
}

void host_done(struct simulation *sim)
{
    struct host *host = &sim->host;
    struct disk_counts counts;

    if (host->disk == NULL)
        return;
    if (host->state != HOST_DOWN) {
        disk_stop(host->disk);
        process_gone(sim);
        disk_kill(host->disk);
    }
    counts = disk_counts(host->disk);
    sim->result->syncs = counts.syncs;
    sim->result->octets_written = counts.octets;
    disk_free(host->disk);
}
