/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/modembank/bank.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int witness_open(struct bank *bank)
{
    const char *path = bank->options.log;
    int r;

    /* JSON on stdout keeps stdout for itself. */
    bank->human = path != NULL && strcmp(path, "-") == 0 ? stderr : stdout;
    if (path == NULL)
        return 0;
    if (strcmp(path, "-") == 0) {
        bank->log_fd = STDOUT_FILENO;
        return 0;
    }
    bank->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (bank->log_fd >= 0)
        return 0;
    r = -errno;
    (void)fprintf(stderr, "cellpost-modembank: %s: cannot write the log: %s\n", path, strerror(-r));
    return r;
}

void witness_close(struct bank *bank)
{
    if (bank->log_fd > STDERR_FILENO)
        (void)close(bank->log_fd);
    bank->log_fd = -1;
    json_done(&bank->log);
}

void witness_flush(struct bank *bank)
{
    size_t at = 0;

    while (bank->log_fd >= 0 && at < bank->log.length) {
        ssize_t n = write(bank->log_fd, bank->log.text + at, bank->log.length - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            (void)fprintf(stderr, "cellpost-modembank: the log cannot be written: %s; stopping, since a witness with gaps is none\n",
                          strerror(errno));
            bank->failed = true;
            break;
        }
        at += (size_t)n;
    }
    if (bank->log.failed)
        bank->failed = true;
    bank->log.length = 0;
    if (!bank->options.quiet)
        (void)fflush(bank->human);
}

static void head(struct json *log, uint64_t t_us, const char *event, const struct port *port)
{
    json_add(log, "{\"t_us\":%llu,\"event\":\"%s\"", (unsigned long long)t_us, event);
    if (port != NULL)
        json_add(log, ",\"modem\":%u,\"imei\":\"%s\",\"iccid\":\"%s\",\"imsi\":\"%s\"", port->index, sim_modem_imei(port->modem),
                 port->card.iccid, port->card.imsi);
}

static void add_text(struct json *log, const char *name, const char *utf8)
{
    json_add(log, ",\"%s\":", name);
    json_add_string(log, utf8);
}

static void add_message(struct json *log, const struct sim_event *event, const char *address_name)
{
    add_text(log, address_name, event->address);
    if (event->ref >= 0)
        json_add(log, ",\"ref\":%d", event->ref);
    else
        json_add(log, ",\"ref\":null");
    json_add(log, ",\"total\":%d,\"seq\":%d", event->total, event->seq);
    add_text(log, "text", event->text);
    json_add(log, ",\"pdu\":\"%s\"", event->pdu_hex);
}

/* "text of at most 48 characters..." with what would break the line left out. */
static void shorten(const char *utf8, char *ret_text, size_t size)
{
    size_t out = 0, characters = 0;

    for (size_t i = 0; utf8[i] != '\0' && out + 8 < size; i++) {
        unsigned char c = (unsigned char)utf8[i];

        if ((c & 0xC0) != 0x80 && ++characters > 48) {
            memcpy(ret_text + out, "...", 3);
            out += 3;
            break;
        }
        ret_text[out++] = c < 0x20 || c == 0x7F ? ' ' : (char)c;
    }
    ret_text[out] = '\0';
}

static void say_accepted(const struct bank *bank, const struct port *port, const struct sim_event *event)
{
    char text[256], part[16];

    if (bank->options.quiet)
        return;
    shorten(event->text, text, sizeof text);
    (void)snprintf(part, sizeof part, "%d/%d", event->seq, event->total);
    (void)fprintf(bank->human, "%10.3f s  modem%-3u  %-13s -> %-16s mr %3d  %-7s %s\n", (double)event->t_us / 1e6, port->index,
                  port->card.number, event->address, event->mr, part, text);
}

void witness_event(struct bank *bank, const struct sim_event *event)
{
    const struct port *port = &bank->ports[event->modem];
    struct json *log = &bank->log;

    if (event->kind == SIM_EVENT_ACCEPTED) {
        const struct stats_modem *stats = &bank->stats[event->modem];

        say_accepted(bank, port, event);
        if (bank->log_fd >= 0) {
            head(log, event->t_us, "accepted", port);
            json_add(log, ",\"number\":\"%s\",\"part\":%u,\"mr\":%d,\"lines\":%llu", port->card.number, event->part, event->mr,
                     (unsigned long long)(stats->at_lines - port->lines_before));
            add_message(log, event, "to");
            json_add(log, "}\n");
        }
        bank->ports[event->modem].lines_before = stats->at_lines;
        return;
    }
    /* Lines and submits are counted, not logged: they would be most of it. The loss of the line is noted by the port. */
    if (bank->log_fd < 0 || event->kind == SIM_EVENT_LINE || event->kind == SIM_EVENT_SUBMIT || event->kind == SIM_EVENT_UNPLUG)
        return;
    head(log, event->t_us, sim_event_name(event->kind), port);
    switch (event->kind) {
    case SIM_EVENT_ANSWERED:
        json_add(log, ",\"part\":%u,\"mr\":%d", event->part, event->mr);
        break;
    case SIM_EVENT_REFUSED:
        json_add(log, ",\"part\":%u", event->part);
        add_text(log, "reason", event->text);
        break;
    case SIM_EVENT_INCOMING:
        add_message(log, event, "from");
        break;
    case SIM_EVENT_REPORT:
        json_add(log, ",\"mr\":%d,\"status\":%d", event->mr, event->status);
        add_text(log, "to", event->address);
        json_add(log, ",\"pdu\":\"%s\"", event->pdu_hex);
        break;
    case SIM_EVENT_DELETED:
        add_text(log, "slot", event->text);
        break;
    case SIM_EVENT_FAULT:
        add_text(log, "fault", event->text);
        break;
    case SIM_EVENT_LINE: case SIM_EVENT_SUBMIT: case SIM_EVENT_ACCEPTED: case SIM_EVENT_UNPLUG: case SIM_EVENT_BOOT:
    case SIM_EVENT_COUNT:
        break;
    }
    json_add(log, "}\n");
}

void witness_note(struct bank *bank, const char *event, const struct port *port)
{
    if (bank->log_fd >= 0) {
        head(&bank->log, bank_now_us(bank), event, port);
        if (port == NULL)
            json_add(&bank->log, ",\"modems\":%u,\"seed\":%llu,\"unix_s\":%lld", bank->options.count,
                     (unsigned long long)bank->options.seed, (long long)time(NULL));
        else
            json_add(&bank->log, ",\"path\":\"%s\"", port->slave_path);
        json_add(&bank->log, "}\n");
    }
    if (strcmp(event, "ready") == 0) {
        witness_flush(bank);
        (void)fprintf(bank->human, "ready: %u modem%s at %s/modem0", bank->options.count, bank->options.count == 1 ? "" : "s",
                      bank->options.dir);
        if (bank->options.count > 1)
            (void)fprintf(bank->human, " .. modem%u", bank->options.count - 1);
        (void)fprintf(bank->human, "\n");
        (void)fflush(bank->human);
    }
}

void witness_summary(struct bank *bank)
{
    const struct sim_network_counters *counters;
    uint64_t busy_us = 0, refused = 0;

    if (bank->network == NULL || bank->stats == NULL || bank->human == NULL)
        return;
    counters = sim_network_counters(bank->network);
    for (uint32_t i = 0; i < bank->options.count; i++) {
        busy_us += bank->stats[i].busy_us;
        refused += bank->stats[i].refused;
    }
    (void)fprintf(bank->human, "%.1f s: %llu parts accepted, %llu refused or unanswered, %llu reports and %llu messages handed over, "
                               "%zu under way, %llu dropped; modems busy %.1f s in all\n",
                  (double)bank_now_us(bank) / 1e6, (unsigned long long)counters->accepted, (unsigned long long)refused,
                  (unsigned long long)counters->reports, (unsigned long long)counters->delivered, sim_network_pending(bank->network),
                  (unsigned long long)counters->dropped, (double)busy_us / 1e6);
    (void)fflush(bank->human);
}
