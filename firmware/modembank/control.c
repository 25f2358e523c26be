/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: one command a line, one JSON object a line in answer. */
#include "firmware/modembank/bank.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 4096
#define CLIENTS_MAX 64

struct control { struct bank *bank; uv_pipe_t pipe; unsigned clients; };

struct client {
    uv_pipe_t pipe;
    struct control *control;
    char line[LINE_MAX_OCTETS];
    size_t length;
    bool overflow;
};

struct answer { uv_write_t request; struct json json; };

/* What a command gets: its words and where the answer goes. */
struct words { size_t count; char *text[4]; };   /* the last word is the rest of the line */

static void refuse(struct json *json, const char *reason)
{
    json->length = 0;
    json_add(json, "{\"ok\":false,\"error\":");
    json_add_string(json, reason);
    json_add(json, "}");
}

static bool whole(const char *text, uint64_t max, uint64_t *ret_value)
{
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *ret_value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *ret_value <= max;
}

/* "3": modem 3; "*": all of them. */
static bool modem_range(const struct bank *bank, const char *text, uint32_t *ret_first, uint32_t *ret_end)
{
    uint64_t index;

    *ret_first = 0;
    *ret_end = bank->options.count;
    if (strcmp(text, "*") == 0)
        return true;
    if (!whole(text, bank->options.count - 1, &index))
        return false;
    *ret_first = (uint32_t)index;
    *ret_end = (uint32_t)index + 1;
    return true;
}

typedef void (*port_action)(struct port *port);

static void each_port(struct bank *bank, const struct words *words, struct json *json, port_action action)
{
    uint32_t first, end;

    if (words->count < 2 || !modem_range(bank, words->text[1], &first, &end)) {
        refuse(json, "which modem? A number below --count, or *");
        return;
    }
    for (uint32_t i = first; i < end; i++) {
        action(&bank->ports[i]);
        bank_touch(bank, &bank->ports[i]);
    }
    json_add(json, "{\"ok\":true}");
}

static void do_unplug(struct port *port)
{
    if (port->replug != NULL)
        (void)uv_timer_stop(port->replug);
    port_unplug(port);
}

static void do_plug(struct port *port)
{
    (void)port_plug(port);
}

static void do_reset(struct port *port)
{
    if (port->master >= 0)
        sim_modem_reset(port->modem, bank_now_us(port->bank));
}

static void command_unplug(struct bank *bank, const struct words *words, struct json *json) { each_port(bank, words, json, do_unplug); }
static void command_plug(struct bank *bank, const struct words *words, struct json *json) { each_port(bank, words, json, do_plug); }
static void command_reset(struct bank *bank, const struct words *words, struct json *json) { each_port(bank, words, json, do_reset); }

static void command_stats(struct bank *bank, const struct words *words, struct json *json)
{
    (void)words;
    stats_print(bank->stats, bank->options.count, json);
}

static void command_reset_stats(struct bank *bank, const struct words *words, struct json *json)
{
    (void)words;
    for (uint32_t i = 0; i < bank->options.count; i++) {
        stats_reset(&bank->stats[i]);
        bank->ports[i].lines_before = 0;
    }
    json_add(json, "{\"ok\":true}");
}

static void command_incoming(struct bank *bank, const struct words *words, struct json *json)
{
    uint32_t first, end;
    int r = 0;

    if (words->count < 4 || !modem_range(bank, words->text[1], &first, &end)) {
        refuse(json, "incoming MODEM FROM TEXT...");
        return;
    }
    for (uint32_t i = first; i < end && r == 0; i++)
        r = sim_network_incoming(bank->network, i, words->text[2], words->text[3], bank_now_us(bank));
    if (r < 0)
        refuse(json, r == -EINVAL ? "FROM must be +digits, digits or up to 11 letters, TEXT sound UTF-8" : "too much is under way");
    else
        json_add(json, "{\"ok\":true}");
}

/* fault MODEM NAME [ARGUMENT] | NAME=PROBABILITY[:ARGUMENT] | clear */
static void command_fault(struct bank *bank, const struct words *words, struct json *json)
{
    struct bank_fault fault = { 0 };
    uint64_t argument = 0, now_us = bank_now_us(bank);
    const char *name = words->count > 2 ? words->text[2] : "";
    bool clear = strcmp(name, "clear") == 0, chance = strchr(name, '=') != NULL;
    uint32_t first, end;

    if (words->count < 3 || !modem_range(bank, words->text[1], &first, &end)) {
        refuse(json, "fault MODEM NAME [ARGUMENT], fault MODEM NAME=PROBABILITY[:ARGUMENT], fault MODEM clear");
        return;
    }
    if (!clear && (chance ? options_parse_fault(name, strlen(name), &fault) : sim_fault_find(name, &fault.fault)) < 0) {
        refuse(json, "no such fault; see --help");
        return;
    }
    if (words->count > 3 && !whole(words->text[3], UINT32_MAX, &argument)) {
        refuse(json, "the argument must be a whole number");
        return;
    }
    for (uint32_t i = first; i < end; i++) {
        struct sim_modem *modem = bank->ports[i].modem;

        if (clear)
            sim_modem_clear_faults(modem, now_us);
        else if (chance)
            sim_modem_set_fault(modem, fault.fault, fault.ppm, fault.argument, now_us);
        else
            sim_modem_trigger_fault(modem, fault.fault, (uint32_t)argument, now_us);
        bank_touch(bank, &bank->ports[i]);
    }
    json_add(json, "{\"ok\":true}");
}

static void command_ussd(struct bank *bank, const struct words *words, struct json *json)
{
    char code[SIM_USSD_CODE_MAX], text[SIM_USSD_TEXT_MAX];
    uint32_t first, end;
    int r = 0;

    if (words->count < 3 || !modem_range(bank, words->text[1], &first, &end) || options_parse_ussd(words->text[2], code, text) < 0) {
        refuse(json, "ussd MODEM CODE=TEXT; without TEXT it never answers");
        return;
    }
    for (uint32_t i = first; i < end && r == 0; i++)
        r = sim_modem_set_ussd(bank->ports[i].modem, code, text);
    if (r < 0)
        refuse(json, r == -ENOSPC ? "too many codes" : "TEXT must be sound UTF-8");
    else
        json_add(json, "{\"ok\":true}");
}

static void command_outage(struct bank *bank, const struct words *words, struct json *json)
{
    uint64_t cms;

    if (words->count < 2 || !whole(words->text[1], 65535, &cms)) {
        refuse(json, "outage CMS-ERROR; 0 ends it");
        return;
    }
    sim_network_set_outage(bank->network, (int)cms);
    json_add(json, "{\"ok\":true}");
}

static void command_report(struct bank *bank, const struct words *words, struct json *json)
{
    enum sim_report_mode mode;

    if (words->count < 2 || sim_report_mode_find(words->text[1], &mode) < 0) {
        refuse(json, "report delivered|never|early|doubled|failed|temporary|mixed");
        return;
    }
    sim_network_set_report_mode(bank->network, mode);
    json_add(json, "{\"ok\":true}");
}

static void command_list(struct bank *bank, const struct words *words, struct json *json)
{
    (void)words;
    json_add(json, "{\"modems\":[");
    for (uint32_t i = 0; i < bank->options.count; i++) {
        const struct port *port = &bank->ports[i];

        json_add(json, "%s{\"modem\":%u,\"path\":", i > 0 ? "," : "", i);
        json_add_string(json, port->link);
        json_add(json, ",\"plugged\":%s,\"pty\":\"%s\",\"imei\":\"%s\",\"iccid\":\"%s\",\"imsi\":\"%s\",\"number\":\"%s\"",
                 port->master >= 0 ? "true" : "false", port->master >= 0 ? port->slave_path : "", sim_modem_imei(port->modem),
                 port->card.iccid, port->card.imsi, port->card.number);
        json_add(json, ",\"registered\":%s}", sim_modem_registered(port->modem) ? "true" : "false");
    }
    json_add(json, "],\"pending\":%zu}", sim_network_pending(bank->network));
}

static void command_quit(struct bank *bank, const struct words *words, struct json *json)
{
    (void)words;
    json_add(json, "{\"ok\":true}");
    bank_stop(bank);
}

static void command_help(struct bank *bank, const struct words *words, struct json *json);

static const struct {
    const char *name;
    unsigned words;                      /* at most; the last takes the rest of the line */
    void (*run)(struct bank *bank, const struct words *words, struct json *json);
    const char *usage;
} commands[] = {
    { "stats",       1, command_stats,       "stats" },
    { "reset-stats", 1, command_reset_stats, "reset-stats" },
    { "list",        1, command_list,        "list" },
    { "incoming",    4, command_incoming,    "incoming MODEM FROM TEXT..." },
    { "unplug",      2, command_unplug,      "unplug MODEM" },
    { "plug",        2, command_plug,        "plug MODEM" },
    { "reset",       2, command_reset,       "reset MODEM" },
    { "fault",       4, command_fault,       "fault MODEM NAME[=PROBABILITY[:ARGUMENT]] [ARGUMENT], fault MODEM clear" },
    { "outage",      2, command_outage,      "outage CMS-ERROR" },
    { "report",      2, command_report,      "report MODE" },
    { "ussd",        3, command_ussd,        "ussd MODEM CODE=TEXT" },
    { "quit",        1, command_quit,        "quit" },
    { "help",        1, command_help,        "help" },
};

static void command_help(struct bank *bank, const struct words *words, struct json *json)
{
    (void)bank;
    (void)words;
    json_add(json, "{\"commands\":[");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        json_add(json, "%s", i > 0 ? "," : "");
        json_add_string(json, commands[i].usage);
    }
    json_add(json, "]}");
}

static void words_split(char *line, unsigned max, struct words *ret_words)
{
    ret_words->count = 0;
    while (ret_words->count < max) {
        line += strspn(line, " \t");
        if (*line == '\0')
            return;
        ret_words->text[ret_words->count++] = line;
        if (ret_words->count == max)
            return;
        line += strcspn(line, " \t");
        if (*line != '\0')
            *line++ = '\0';
    }
}

static void line_run(struct bank *bank, char *line, struct json *json)
{
    size_t length = strcspn(line, " \t");
    struct words words;

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strlen(commands[i].name) == length && strncmp(commands[i].name, line, length) == 0) {
            words_split(line, commands[i].words, &words);
            commands[i].run(bank, &words, json);
            return;
        }
    refuse(json, "no such command; try help");
}

static void client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    if (client->control != NULL)
        client->control->clients--;
    free(client);
}

static void answer_written(uv_write_t *request, int status)
{
    struct answer *answer = request->data;

    (void)status;
    json_done(&answer->json);
    free(answer);
}

static void line_answer(struct client *client)
{
    struct answer *answer = calloc(1, sizeof *answer);
    uv_buf_t buffer;

    if (answer == NULL)
        return;
    client->line[client->length] = '\0';
    if (client->overflow)
        refuse(&answer->json, "the line is too long");
    else
        line_run(client->control->bank, client->line, &answer->json);
    json_add(&answer->json, "\n");
    answer->request.data = answer;
    buffer = uv_buf_init(answer->json.text, (unsigned)answer->json.length);
    if (answer->json.failed || uv_write(&answer->request, (uv_stream_t *)&client->pipe, &buffer, 1, answer_written) < 0)
        answer_written(&answer->request, 0);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    static char octets[LINE_MAX_OCTETS];   /* one loop, and used up in on_read() */

    (void)handle;
    (void)suggested;
    *ret_buffer = uv_buf_init(octets, sizeof octets);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct client *client = stream->data;

    if (n < 0) {
        if (!uv_is_closing((uv_handle_t *)stream))
            uv_close((uv_handle_t *)stream, client_closed);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        char c = buffer->base[i];

        if (c == '\n') {
            line_answer(client);
            client->length = 0;
            client->overflow = false;
        } else if (c == '\r' || c == '\0') {
            continue;
        } else if (client->length + 1 < sizeof client->line) {
            client->line[client->length++] = c;
        } else {
            client->overflow = true;
        }
    }
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control *control = server->data;
    struct client *client;

    if (status < 0)
        return;
    client = calloc(1, sizeof *client);
    if (client == NULL)
        return;
    if (uv_pipe_init(control->bank->loop, &client->pipe, 0) < 0) {
        free(client);
        return;
    }
    client->pipe.data = client;
    client->control = control;
    control->clients++;
    if (uv_accept(server, (uv_stream_t *)&client->pipe) < 0 || control->clients > CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) < 0)
        uv_close((uv_handle_t *)&client->pipe, client_closed);
}

int control_open(struct bank *bank)
{
    const char *path = bank->options.control;
    struct stat st;
    int r;

    if (path == NULL)
        return 0;
    bank->control = calloc(1, sizeof *bank->control);
    if (bank->control == NULL)
        return -ENOMEM;
    bank->control->bank = bank;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        (void)unlink(path);   /* of a bank that died */
    r = uv_pipe_init(bank->loop, &bank->control->pipe, 0);
    bank->control->pipe.data = bank->control;
    if (r == 0)
        r = uv_pipe_bind(&bank->control->pipe, path);
    if (r == 0)
        r = uv_listen((uv_stream_t *)&bank->control->pipe, 16, on_connection);
    if (r < 0)
        (void)fprintf(stderr, "cellpost-modembank: %s: cannot listen: %s\n", path, uv_strerror(r));
    return r;
}

static void free_client(uv_handle_t *handle, void *context)
{
    struct control *control = context;

    if (handle->type == UV_NAMED_PIPE && handle != (uv_handle_t *)&control->pipe && !uv_is_closing(handle))
        uv_close(handle, client_closed);
}

void control_close(struct bank *bank)
{
    if (bank->control == NULL)
        return;
    uv_walk(bank->loop, free_client, bank->control);
    if (!uv_is_closing((uv_handle_t *)&bank->control->pipe))
        uv_close((uv_handle_t *)&bank->control->pipe, NULL);   /* removes the socket file */
    (void)uv_run(bank->loop, UV_RUN_NOWAIT);
    free(bank->control);
    bank->control = NULL;
}
