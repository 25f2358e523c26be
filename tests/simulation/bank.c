/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/simulation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRY_WRITE_US 2000

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* -- the line, as hal/line.h wants it ------------------------------------------------------------------------- */

static void trace_bytes(const struct bank_modem *place, const char *direction, const uint8_t *bytes, size_t length)
{
    char text[120], who[16];
    size_t used = 0;

    if (!place->sim->options.trace)
        return;
    for (size_t i = 0; i < length && used + 8 < sizeof text; i++) {
        if (bytes[i] >= ' ' && bytes[i] < 0x7F)
            text[used++] = (char)bytes[i];
        else
            used += (size_t)snprintf(text + used, sizeof text - used, bytes[i] == '\r' ? "\\r" : bytes[i] == '\n' ? "\\n" : "\\x%02X", bytes[i]);
    }
    text[used] = '\0';
    (void)snprintf(who, sizeof who, "modem %u", (unsigned)place->index);
    trace(place->sim, who, "%s %s", direction, text);
}

static ssize_t line_read(void *line, uint8_t *ret_buf, size_t size)
{
    struct bank_modem *place = line;
    const uint8_t *bytes;
    size_t length;

    if (place->gone)
        return -ENODEV;
    bytes = sim_modem_output(place->modem, &length);
    if (length > size)
        length = size;
    /* A driver hands on what it has, wherever that ends. */
    if (length > 1 && draw_percent(&place->sim->bank.random, 10))
        length = draw_between(&place->sim->bank.random, 1, (uint32_t)length);
    memcpy(ret_buf, bytes, length);
    sim_modem_output_consume(place->modem, length);
    if (length > 0)
        trace_bytes(place, "<", ret_buf, length);
    return (ssize_t)length;
}

static ssize_t line_write(void *line, const uint8_t *bytes, size_t length)
{
    struct bank_modem *place = line;

    if (place->gone)
        return -ENODEV;
    if (draw_percent(&place->sim->bank.random, 1))
        length = sim_random_below(&place->sim->bank.random, (uint32_t)length);
    if (length > 0) {
        trace_bytes(place, ">", bytes, length);
        sim_modem_feed(place->modem, bytes, length, place->sim->now_us);
    }
    return (ssize_t)length;
}

static int line_fd(void *line)
{
    (void)line;
    return -ENOTSUP;
}

static int line_power_cycle(void *line, uint32_t off_ms)
{
    (void)line;
    (void)off_ms;
    return -ENOTSUP;
}

/* Closing a port throws away what was under way on it. */
static void line_close(void *line)
{
    struct bank_modem *place = line;
    size_t length;

    if (place == NULL)
        return;
    (void)sim_modem_output(place->modem, &length);
    sim_modem_output_consume(place->modem, length);
    place->open = place->gone = place->wants_write = false;
    place->readable_us = place->writable_us = NEVER;
    place->find_us = place->plugged ? place->sim->now_us + SECONDS(1) : NEVER;
}

static const struct hal_line_ops line_ops = { line_read, line_write, line_fd, line_power_cycle, line_close };

/* -- the box and its ports ------------------------------------------------------------------------------------ */

struct bank_modem *bank_at_slot(struct simulation *sim, uint32_t slot)
{
    uint32_t number = slot < GATEWAY_SLOTS_MAX ? sim->bank.modem_of_slot[slot] : 0;

    return number != 0 ? &sim->bank.modems[number - 1] : NULL;
}

static void open_port(struct simulation *sim, struct bank_modem *place)
{
    struct box *box = sim->host.box;
    char port[32];
    uint32_t slot = 0;

    (void)snprintf(port, sizeof port, "/dev/ttyUSB%u", (unsigned)place->port);
    while (slot < box_slot_count(box) && strcmp(box_slot_port(box, slot), port) != 0)
        slot++;
    if (slot == box_slot_count(box) && box_slot_add(box, "simulated", port, NULL, &slot) < 0) {
        violation(sim, "memory: no slot for %s", port);
        return;
    }
    trace(sim, "bank", "modem %u is %s, slot %u", (unsigned)place->index, port, (unsigned)slot);
    place->find_us = NEVER;
    place->open = true;
    place->slot = slot;
    sim->bank.modem_of_slot[slot] = place->index + 1;
    box_line_opened(box, slot, (struct hal_line){ &line_ops, place }, host_now(sim));
}

void bank_host_up(struct simulation *sim)
{
    for (uint32_t i = 0; i < sim->bank.count; i++)
        if (sim->bank.modems[i].plugged)
            sim->bank.modems[i].find_us = sim->now_us + sim_random_below(&sim->bank.random, 200000);
}

void bank_host_down(struct simulation *sim)
{
    memset(sim->bank.modem_of_slot, 0, sizeof sim->bank.modem_of_slot);
    for (uint32_t i = 0; i < sim->bank.count; i++) {
        sim->bank.modems[i].find_us = NEVER;
        sim->bank.modems[i].doubt_us = 0;
    }
}

void bank_closed(struct simulation *sim, uint32_t slot)
{
    if (slot < GATEWAY_SLOTS_MAX)
        sim->bank.modem_of_slot[slot] = 0;
}

void bank_want_write(struct simulation *sim, uint32_t slot, bool want)
{
    struct bank_modem *place = bank_at_slot(sim, slot);

    if (place == NULL)
        return;
    place->wants_write = want;
    place->writable_us = want ? sim->now_us + RETRY_WRITE_US : NEVER;
}

/* -- what happens to modems ----------------------------------------------------------------------------------- */

void bank_trouble(struct simulation *sim, uint32_t modem, int fault, uint64_t for_us)
{
    struct bank_modem *place = &sim->bank.modems[modem];

    if (sim->now_us + for_us > place->trouble_until_us)
        place->trouble_until_us = sim->now_us + for_us;
    place->trouble = fault;
    place->doubt_us = 0;
}

static uint32_t free_port(struct simulation *sim)
{
    for (;;) {
        uint32_t port = sim_random_below(&sim->bank.random, 2 * sim->bank.count);
        bool taken = false;

        for (uint32_t i = 0; i < sim->bank.count; i++)
            taken = taken || sim->bank.modems[i].port == port;
        if (!taken)
            return port;
    }
}

void bank_unplug(struct simulation *sim, uint32_t modem, uint64_t for_us, bool renumber)
{
    struct bank_modem *place = &sim->bank.modems[modem];

    if (!place->plugged)
        return;
    trace(sim, "bank", "modem %u is pulled", (unsigned)modem);
    place->plugged = false;
    place->gone = place->open;
    place->find_us = NEVER;
    place->plug_us = sim->now_us + for_us;
    if (renumber)
        place->port = free_port(sim);
    sim_modem_power_off(place->modem, sim->now_us);
}

#define BACK_US_MAX SECONDS(10)          /* a modem that lost an answer and goes on answering is at work again by then */

void bank_ready(struct simulation *sim, const char *port)
{
    unsigned number;

    if (sscanf(port, "/dev/ttyUSB%u", &number) != 1)
        return;
    for (uint32_t i = 0; i < sim->bank.count; i++) {
        struct bank_modem *place = &sim->bank.modems[i];
        uint64_t back_us = sim->now_us - place->doubt_us;

        if (place->port != number || place->doubt_us == 0)
            continue;
        if (back_us > BACK_US_MAX)
            violation(sim, "modem %u is back at work %u s after its lost answer was given up", (unsigned)i, (unsigned)(back_us / SECONDS(1)));
        if (back_us > sim->result->slowest_back_us)
            sim->result->slowest_back_us = back_us;
        place->doubt_us = 0;
    }
}

void bank_power_off(struct simulation *sim, uint32_t modem)
{
    struct bank_modem *place = &sim->bank.modems[modem];

    if (!place->plugged)
        return;
    bank_trouble(sim, modem, FAULT_POWER, 0);
    place->plugged = false;
    place->plug_us = sim->host.start_us - SECONDS(5);
    sim_modem_power_off(place->modem, sim->now_us);
}

static void plug_in(struct simulation *sim, struct bank_modem *place)
{
    trace(sim, "bank", "modem %u is plugged in as ttyUSB%u", (unsigned)place->index, (unsigned)place->port);
    place->plugged = true;
    place->plug_us = NEVER;
    sim_modem_power_on(place->modem, sim->now_us);
    if (sim->host.state != HOST_DOWN)
        place->find_us = sim->now_us + SECONDS(1) + sim_random_below(&sim->bank.random, 4000000);
}

void bank_heal(struct simulation *sim)
{
    sim_network_set_outage(sim->bank.network, 0);
    for (uint32_t i = 0; i < sim->bank.count; i++) {
        struct bank_modem *place = &sim->bank.modems[i];

        sim_modem_clear_faults(place->modem, sim->now_us);
        if (!place->plugged && !place->open)
            plug_in(sim, place);
    }
}

/* -- events of modems ----------------------------------------------------------------------------------------- */

/* How long an answer may be missing after a fault has struck; a modem that starts hears nothing, and one without a prompt is
 * sent the part all the same. */
static uint64_t trouble_us(const char *name)
{
    if (strcmp(name, "reset") == 0)
        return BANK_BOOT_US;
    return strcmp(name, "hang") == 0 ? MINUTES(30) : strcmp(name, "late") == 0 ? MINUTES(6) : 1;
}

static void on_sim_event(void *context, const struct sim_event *event)
{
    struct simulation *sim = context;
    enum sim_fault fault;

    if (sim->options.trace && event->kind != SIM_EVENT_LINE) {
        char who[16];

        (void)snprintf(who, sizeof who, "air %u", (unsigned)event->modem);
        trace(sim, who, "%s mr %d status %d %s %s", sim_event_name(event->kind), event->mr, event->status, event->address, event->text);
    }
    if (event->kind == SIM_EVENT_FAULT && sim_fault_find(event->text, &fault) == 0) {
        faults_count(sim, (int)fault);
        if (sim_fault_kind(fault)->when != SIM_WHEN_STATE || fault == SIM_FAULT_DENIED)
            bank_trouble(sim, event->modem, (int)fault, trouble_us(event->text));
    } else if (event->kind == SIM_EVENT_UNPLUG) {
        sim->bank.modems[event->modem].pulled = true;
    } else {
        witness_sim_event(sim, event);
    }
}

/* -- turns ---------------------------------------------------------------------------------------------------- */

static void note_output(struct simulation *sim, struct bank_modem *place)
{
    size_t length;

    if (!place->open || place->readable_us != NEVER)
        return;
    (void)sim_modem_output(place->modem, &length);
    if (length > 0)
        place->readable_us = sim->now_us + (place->wire_us != 0 ? sim_random_below(&sim->bank.random, place->wire_us) : 0);
}

static void place_turn(struct simulation *sim, struct bank_modem *place)
{
    if (place->pulled) {
        place->pulled = false;
        bank_unplug(sim, place->index, SECONDS(2) + draw_wait_us(&sim->bank.random, MINUTES(1)), draw_percent(&sim->bank.random, 30));
    }
    if (place->plug_us <= sim->now_us && !place->open)
        plug_in(sim, place);
    if (sim_modem_deadline(place->modem) <= sim->now_us)
        sim_modem_poll(place->modem, sim->now_us);
    if (sim->host.state == HOST_DOWN)
        return;
    if (place->find_us <= sim->now_us && place->plugged && sim->host.state == HOST_UP)
        open_port(sim, place);
    if (place->open && place->gone) {
        box_line_readable(sim->host.box, place->slot, host_now(sim));
        return;
    }
    if (place->open && place->wants_write && place->writable_us <= sim->now_us) {
        place->writable_us = sim->now_us + RETRY_WRITE_US;
        box_line_writable(sim->host.box, place->slot, host_now(sim));
    }
    note_output(sim, place);
    for (int i = 0; i < 16 && place->open && place->readable_us <= sim->now_us; i++) {
        place->readable_us = NEVER;
        box_line_readable(sim->host.box, place->slot, host_now(sim));
        note_output(sim, place);
    }
}

uint64_t bank_deadline(const struct simulation *sim)
{
    uint64_t due = sim_network_deadline(sim->bank.network);

    for (uint32_t i = 0; i < sim->bank.count; i++) {
        const struct bank_modem *place = &sim->bank.modems[i];
        size_t length;

        due = earlier(due, sim_modem_deadline(place->modem));
        if (!place->open)
            due = earlier(due, place->plug_us);
        if (place->pulled)
            return sim->now_us;
        if (sim->host.state == HOST_DOWN)
            continue;
        if (sim->host.state == HOST_UP)
            due = earlier(due, place->find_us);
        due = earlier(due, earlier(place->readable_us, place->writable_us));
        if (place->open && (place->gone || (place->readable_us == NEVER && (sim_modem_output(place->modem, &length), length > 0))))
            return sim->now_us;
    }
    return due;
}

void bank_turn(struct simulation *sim)
{
    sim_network_poll(sim->bank.network, sim->now_us);
    for (uint32_t i = 0; i < sim->bank.count; i++)
        place_turn(sim, &sim->bank.modems[i]);
}

/* ------------------------------------------------------------------------------------------------------------ */

static int add_modem(struct simulation *sim, uint32_t index)
{
    static const uint32_t latencies_us[] = { 1000, 5000, 20000, 150000 };
    static const enum sim_smss counts[] = { SIM_SMSS_AT_SUBMIT, SIM_SMSS_AT_SUBMIT, SIM_SMSS_AT_SUBMIT, SIM_SMSS_AT_SUBMIT,
                                            SIM_SMSS_AT_ACK, SIM_SMSS_AT_ACK, SIM_SMSS_BY_PERSONALITY, SIM_SMSS_BY_PERSONALITY,
                                            SIM_SMSS_AT_POWER_OFF, SIM_SMSS_NEVER, SIM_SMSS_REFUSED, SIM_SMSS_RESTARTS };
    struct bank *bank = &sim->bank;
    struct bank_modem *place = &bank->modems[index];
    struct sim_modem_config config = { .card = &bank->cards[index] };
    size_t personalities = 0;
    char number[24];
    int r;

    while (sim_personality_at(personalities) != NULL)
        personalities++;
    (void)snprintf(number, sizeof number, "+4074%07u", (unsigned)index);
    r = sim_card_init(config.card, index, number, false);
    if (r < 0)
        return r;
    config.personality = sim_personality_at(sim_random_below(&bank->random, (uint32_t)personalities));
    config.latency_us = latencies_us[sim_random_below(&bank->random, 4)];
    config.boot_us = SECONDS(2) + sim_random_below(&bank->random, 12000000);
    config.sim_ready_us = SECONDS(1) + sim_random_below(&bank->random, 6000000);
    config.register_us = SECONDS(1) + sim_random_below(&bank->random, 15000000);
    config.ussd_us = SECONDS(2);
    config.smss = counts[sim_random_below(&bank->random, sizeof counts / sizeof counts[0])];
    if (sim->options.busy) {
        config.personality = sim_personality_find("generic");
        config.latency_us = 5000;
        config.smss = SIM_SMSS_AT_SUBMIT;
    }
    bank->personalities[index] = config.personality;
    bank->counts[index] = config.smss;
    *place = (struct bank_modem){ .sim = sim, .index = index, .port = index, .plugged = true, .plug_us = NEVER, .find_us = NEVER,
                                  .readable_us = NEVER, .writable_us = NEVER, .trouble = -1 };
    place->wire_us = sim->options.busy || draw_percent(&bank->random, 50) ? 0 : 3000;
    place->modem = sim_network_add(bank->network, &config);
    return place->modem != NULL ? 0 : -ENOMEM;
}

int bank_init(struct simulation *sim)
{
    static const uint32_t counts[] = { 1, 1, 2, 3, 4, 6, 8, 16 };
    static const uint32_t airs_us[] = { 1500000, 2000000, 2500000, 4000000, 8000000 };   /* TP-MR comes round in minutes, not in seconds */
    static const uint32_t reports_us[] = { 1000000, 3000000, 20000000, 600000000, 2400000000u };
    struct bank *bank = &sim->bank;
    struct sim_network_config config = { .seed = sim->options.seed, .modems_max = BANK_MODEMS_MAX, .unix_s_at_zero = WORLD_EPOCH_MS / 1000,
                                         .on_event = on_sim_event, .on_event_context = sim };

    sim_random_init(&bank->random, sim->options.seed, UINT64_C(0xBA4C));
    bank->count = sim->options.modems != 0 ? sim->options.modems : counts[sim_random_below(&bank->random, 8)];
    bank->air_us = airs_us[sim_random_below(&bank->random, 5)];
    if (sim->options.busy)
        bank->air_us = airs_us[2];
    config.air_us = bank->air_us;
    config.air_jitter_us = bank->air_us / 2;
    config.report_us = sim->options.busy ? reports_us[1] : reports_us[sim_random_below(&bank->random, 5)];
    config.report_mode = SIM_REPORT_DELIVERED;
    bank->network = sim_network_new(&config);
    if (bank->network == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < bank->count; i++) {
        int r = add_modem(sim, i);

        if (r < 0)
            return r;
    }
    return 0;
}

void bank_done(struct simulation *sim)
{
    sim_network_free(sim->bank.network);
}
