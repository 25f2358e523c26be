/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/modembank/bank.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NEVER UINT64_MAX
#define TURNS_MAX 64   /* in one go, before the loop gets its say */

uint64_t bank_now_us(const struct bank *bank)
{
    return uv_hrtime() / 1000 - bank->start_us;
}

void bank_touch(struct bank *bank, struct port *port)
{
    if (port->dirty)
        return;
    port->dirty = true;
    bank->dirty[bank->dirty_count++] = port->index;
}

static void on_event(void *context, const struct sim_event *event)
{
    struct bank *bank = context;
    struct port *port = &bank->ports[event->modem];

    stats_take(&bank->stats[event->modem], event);
    bank_touch(bank, port);
    if (event->kind == SIM_EVENT_UNPLUG)
        port->unplug_wanted = true;
    witness_event(bank, event);
}

/* The timerfd, since timers of the loop are only good to a millisecond. */
static void timer_arm(struct bank *bank, uint64_t due_us)
{
    struct itimerspec spec = { .it_value = { 0, 0 } };

    if (due_us == bank->armed_us)
        return;
    bank->armed_us = due_us;
    if (due_us != NEVER) {
        uint64_t at_us = due_us + bank->start_us;   /* uv_hrtime() is CLOCK_MONOTONIC */

        spec.it_value.tv_sec = (time_t)(at_us / 1000000u);
        spec.it_value.tv_nsec = (long)(at_us % 1000000u * 1000u);
    }
    (void)timerfd_settime(bank->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static uint64_t next_due(const struct bank *bank)
{
    uint64_t due = sim_network_deadline(bank->network);

    for (uint32_t i = 0; i < bank->options.count; i++)
        if (bank->ports[i].due_us < due)
            due = bank->ports[i].due_us;
    return due;
}

/* What was touched: its deadline is known again, and an unplugging that a fault asked for happens. */
static void dirty_settle(struct bank *bank)
{
    for (uint32_t i = 0; i < bank->dirty_count; i++) {
        struct port *port = &bank->ports[bank->dirty[i]];

        port->due_us = sim_modem_deadline(port->modem);
        if (port->unplug_wanted) {
            port->unplug_wanted = false;
            port_unplug(port);
            port_replug_later(port);
            port->due_us = sim_modem_deadline(port->modem);
        }
    }
}

static void turn(struct bank *bank)
{
    uint64_t due = NEVER;

    for (int i = 0; i < TURNS_MAX; i++) {
        uint64_t now_us = bank_now_us(bank);

        dirty_settle(bank);
        due = next_due(bank);
        if (due > now_us)
            break;
        for (uint32_t k = 0; k < bank->options.count; k++)
            if (bank->ports[k].due_us <= now_us) {
                bank_touch(bank, &bank->ports[k]);
                sim_modem_poll(bank->ports[k].modem, now_us);
            }
        sim_network_poll(bank->network, now_us);
    }
    witness_flush(bank);
    for (uint32_t i = 0; i < bank->dirty_count; i++) {
        struct port *port = &bank->ports[bank->dirty[i]];

        port->dirty = false;
        port_flush(port);
    }
    bank->dirty_count = 0;
    timer_arm(bank, due);
    if (bank->failed)
        bank_stop(bank);
}

static void on_check(uv_check_t *check)
{
    turn(check->data);
}

static void on_timer(uv_poll_t *poll, int status, int events)
{
    struct bank *bank = poll->data;
    uint64_t times;

    (void)status;
    (void)events;
    if (read(bank->timer_fd, &times, sizeof times) == (ssize_t)sizeof times)
        bank->armed_us = NEVER;   /* gone off; the turn that follows does what is due */
}

static void on_inotify(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    port_inotify(poll->data);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    bank_stop(signal->data);
}

void bank_stop(struct bank *bank)
{
    uv_stop(bank->loop);
}

/* Two descriptors a modem. */
static void files_allow(uint32_t count)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 2 * count + 64) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int port_init(struct bank *bank, uint32_t index)
{
    const struct bank_options *options = &bank->options;
    struct port *port = &bank->ports[index];
    struct sim_modem_config config = { .card = &port->card, .echo = options->echo ? 1 : -1, .latency_us = options->latency_us,
                                       .boot_us = options->boot_us, .sim_ready_us = options->boot_us / 4,
                                       .register_us = options->register_us, .ussd_us = 500000 };
    char number[24];
    int n = snprintf(port->link, sizeof port->link, "%s/modem%u", options->dir, index);

    if (n < 0 || (size_t)n >= sizeof port->link) {
        (void)fprintf(stderr, "cellpost-modembank: %s: the name is too long\n", options->dir);
        return -ENAMETOOLONG;
    }
    port->bank = bank;
    port->index = index;
    port->master = port->slave = port->watch = -1;
    port->due_us = NEVER;
    stats_reset(&bank->stats[index]);
    (void)snprintf(number, sizeof number, "+%llu", (unsigned long long)(options->number_base + index));
    if (sim_card_init(&port->card, index, number, options->pin) < 0)
        return -EINVAL;
    if (options->personality_count > 0)
        config.personality = options->personalities[index % options->personality_count];
    port->modem = sim_network_add(bank->network, &config);
    if (port->modem == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < options->fault_count; i++)
        sim_modem_set_fault(port->modem, options->faults[i].fault, options->faults[i].ppm, options->faults[i].argument,
                            bank_now_us(bank));
    for (size_t i = 0; i < options->ussd_count; i++) {
        if (sim_modem_set_ussd(port->modem, options->ussd[i].code, options->ussd[i].text) < 0) {
            (void)fprintf(stderr, "cellpost-modembank: --ussd %s: the text must be UTF-8\n", options->ussd[i].code);
            return -EINVAL;
        }
    }
    bank_touch(bank, port);
    return port_plug(port);
}

static int network_start(struct bank *bank)
{
    const struct bank_options *options = &bank->options;
    struct sim_network_config config = { .seed = options->seed, .modems_max = options->count, .air_us = options->air_us,
                                         .air_jitter_us = options->air_jitter_us, .linked_air_us = options->linked_air_us,
                                         .report_us = options->report_us, .report_mode = options->report_mode,
                                         .incoming_every_us = options->incoming_every_us, .unix_s_at_zero = (int64_t)time(NULL),
                                         .on_event = on_event, .on_event_context = bank };

    bank->network = sim_network_new(&config);
    bank->ports = calloc(options->count, sizeof *bank->ports);
    bank->stats = calloc(options->count, sizeof *bank->stats);
    bank->dirty = calloc(options->count, sizeof *bank->dirty);
    for (uint32_t i = 0; bank->ports != NULL && i < options->count; i++)
        bank->ports[i].due_us = NEVER;
    return bank->network != NULL && bank->ports != NULL && bank->stats != NULL && bank->dirty != NULL ? 0 : -ENOMEM;
}

static int loop_start(struct bank *bank)
{
    static const int numbers[2] = { SIGINT, SIGTERM };
    int r;

    bank->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    bank->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (bank->timer_fd < 0 || bank->inotify_fd < 0)
        return -errno;
    bank->timer_poll.data = bank->inotify_poll.data = bank->check.data = bank;
    if ((r = uv_poll_init(bank->loop, &bank->timer_poll, bank->timer_fd)) < 0 ||
        (r = uv_poll_start(&bank->timer_poll, UV_READABLE, on_timer)) < 0 ||
        (r = uv_poll_init(bank->loop, &bank->inotify_poll, bank->inotify_fd)) < 0 ||
        (r = uv_poll_start(&bank->inotify_poll, UV_READABLE, on_inotify)) < 0 ||
        (r = uv_check_init(bank->loop, &bank->check)) < 0 || (r = uv_check_start(&bank->check, on_check)) < 0)
        return r;
    for (size_t i = 0; i < 2; i++) {
        bank->signals[i].data = bank;
        if ((r = uv_signal_init(bank->loop, &bank->signals[i])) < 0 ||
            (r = uv_signal_start(&bank->signals[i], on_signal, numbers[i])) < 0)
            return r;
    }
    return 0;
}

int bank_start(struct bank *bank, const struct bank_options *options, uv_loop_t *loop)
{
    int r;

    *bank = (struct bank){ .options = *options, .loop = loop, .start_us = uv_hrtime() / 1000, .armed_us = NEVER, .timer_fd = -1,
                           .inotify_fd = -1, .log_fd = -1 };
    files_allow(options->count);
    (void)signal(SIGPIPE, SIG_IGN);
    if (mkdir(options->dir, 0755) < 0 && errno != EEXIST) {
        r = -errno;
        (void)fprintf(stderr, "cellpost-modembank: %s: cannot make the folder: %s\n", options->dir, strerror(-r));
        return r;
    }
    r = witness_open(bank);
    if (r < 0)
        return r;
    r = network_start(bank);
    if (r == 0)
        r = loop_start(bank);
    if (r < 0) {
        (void)fprintf(stderr, "cellpost-modembank: cannot start: %s\n", strerror(-r));
        return r;
    }
    witness_note(bank, "start", NULL);
    for (uint32_t i = 0; i < options->count; i++) {
        r = port_init(bank, i);
        if (r < 0)
            return r;
    }
    r = control_open(bank);
    if (r < 0)
        return r;
    witness_note(bank, "ready", NULL);
    turn(bank);
    return 0;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void bank_done(struct bank *bank)
{
    for (uint32_t i = 0; bank->ports != NULL && i < bank->options.count; i++)
        if (bank->ports[i].bank != NULL)
            port_unplug(&bank->ports[i]);
    control_close(bank);
    if (bank->log_fd >= 0 || bank->human != NULL)
        witness_note(bank, "stop", NULL);
    witness_flush(bank);
    witness_summary(bank);
    uv_walk(bank->loop, close_handle, NULL);
    (void)uv_run(bank->loop, UV_RUN_DEFAULT);
    for (uint32_t i = 0; bank->ports != NULL && i < bank->options.count; i++)
        free(bank->ports[i].replug);
    if (bank->timer_fd >= 0)
        (void)close(bank->timer_fd);
    if (bank->inotify_fd >= 0)
        (void)close(bank->inotify_fd);
    sim_network_free(bank->network);
    free(bank->ports);
    free(bank->stats);
    free(bank->dirty);
    witness_close(bank);
}
