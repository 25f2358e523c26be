/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness.h"

#include <curl/curl.h>
#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READY_TIMEOUT_MS 30000
#define LOG_LINES_SHOWN 25

void (*harness_dying)(void);

static char dying_log[256];   /* shown by harness_die(): the log of the daemon started last */

/* -- time and failure ----------------------------------------------------------------------------------------- */

uint64_t harness_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int harness_left_ms(uint64_t deadline_us)
{
    uint64_t now_us = harness_now_us();

    return deadline_us <= now_us ? 0 : (int)((deadline_us - now_us + 999) / 1000);
}

static void show_log(const char *path)
{
    char lines[LOG_LINES_SHOWN][400];
    unsigned count = 0;
    FILE *file = path[0] != '\0' ? fopen(path, "re") : NULL;

    while (file != NULL && fgets(lines[count % LOG_LINES_SHOWN], sizeof lines[0], file) != NULL)
        count++;
    if (count > 0)
        (void)fprintf(stderr, "The last lines of the daemon (%s):\n", path);
    for (unsigned i = count > LOG_LINES_SHOWN ? count - LOG_LINES_SHOWN : 0; i < count; i++)
        (void)fprintf(stderr, "  %s", lines[i % LOG_LINES_SHOWN]);
    if (file != NULL)
        (void)fclose(file);
}

/* abort(): cmocka turns it into a failed test. */
void harness_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\n");
    show_log(dying_log);
    if (harness_dying != NULL)
        harness_dying();
    abort();
}

/* -- the folder ----------------------------------------------------------------------------------------------- */

void harness_path(const struct harness *harness, const char *name, char *ret_path, size_t size)
{
    int n = snprintf(ret_path, size, "%s/%s", harness->dir, name);

    if (n < 0 || (size_t)n >= size)
        harness_die("%s/%s: the name is too long", harness->dir, name);
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

void harness_write_config(const struct harness *harness)
{
    const struct harness_options *options = &harness->options;
    FILE *file = fopen(harness->config, "we");

    if (file == NULL)
        harness_die("%s: %s", harness->config, strerror(errno));
    (void)fprintf(file, "[gateway]\nstate_dir = %s\n%s\n[api]\nsocket = %s\n%s\n[modem]\n%s\n", harness->state, or_none(options->gateway),
                  harness->socket, options->api != NULL ? options->api : "listen =\n", or_none(options->modem));
    (void)fprintf(file, "[bank \"local\"]\nports = %s%s\n%s\n%s", options->ports != NULL ? options->ports : harness->modems,
                  options->ports != NULL ? "" : "/modem*", or_none(options->bank_section), or_none(options->sections));
    if (fchmod(fileno(file), 0600) < 0 || fclose(file) != 0)   /* there may be a PIN in it */
        harness_die("%s: %s", harness->config, strerror(errno));
}

static void start_bank(struct harness *harness)
{
    char program[300], count[16], out[96];
    const char *argv[HARNESS_ARGUMENTS_MAX + 12] = { program, "--count", count, "--dir", harness->modems, "--log", harness->witness_path,
                                               "--control", harness->control, "--quiet" };
    size_t used = 10;
    struct follow follow;
    const char *line;

    (void)snprintf(program, sizeof program, "%s/cellpost-modembank", harness->bin);
    (void)snprintf(count, sizeof count, "%u", harness->options.modems);
    harness_path(harness, "bank.out", out, sizeof out);
    for (size_t i = 0; harness->options.bank[i] != NULL; i++)
        argv[used++] = harness->options.bank[i];
    follow_open(&follow, out);
    process_start(&harness->bank, argv, NULL, out, out);
    while ((line = follow_line(&follow, READY_TIMEOUT_MS)) != NULL && strncmp(line, "ready:", 6) != 0)
        (void)fprintf(stderr, "%s\n", line);
    if (line == NULL)
        harness_die("cellpost-modembank does not become ready");
    follow_close(&follow);
    follow_open(&harness->witness.follow, harness->witness_path);
}

void harness_program(const char *name, char *ret_path, size_t size)
{
    char self[256];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0)
        harness_die("where this program lies cannot be told");
    self[n] = '\0';
    (void)snprintf(ret_path, size, "%s/%s", dirname(self), name);
}

struct harness *harness_new(const struct harness_options *options)
{
    struct harness *harness = calloc(1, sizeof *harness);

    if (harness == NULL)
        harness_die("the harness cannot be set up");
    harness->options = *options;
    harness->events.fd = harness->bank.fd = harness->daemon.fd = -1;
    (void)curl_global_init(CURL_GLOBAL_NOTHING);
    harness_program(".", harness->bin, sizeof harness->bin);
    (void)snprintf(harness->dir, sizeof harness->dir, "/tmp/cellpost-XXXXXX");
    if (mkdtemp(harness->dir) == NULL)
        harness_die("%s: %s", harness->dir, strerror(errno));
    harness_path(harness, "modems", harness->modems, sizeof harness->modems);
    harness_path(harness, "api.sock", harness->socket, sizeof harness->socket);
    harness_path(harness, "bank.sock", harness->control, sizeof harness->control);
    harness_path(harness, "air.jsonl", harness->witness_path, sizeof harness->witness_path);
    harness_path(harness, "cellpost.ini", harness->config, sizeof harness->config);
    harness_path(harness, "state", harness->state, sizeof harness->state);
    harness_path(harness, "state/cellpost.db", harness->database, sizeof harness->database);
    harness_path(harness, "cellpostd.log", harness->log, sizeof harness->log);
    if (options->witness != NULL)
        (void)snprintf(harness->witness_path, sizeof harness->witness_path, "%s", options->witness);
    if (options->state_dir != NULL) {
        (void)snprintf(harness->state, sizeof harness->state, "%s", options->state_dir);
        (void)snprintf(harness->database, sizeof harness->database, "%s/cellpost.db", options->state_dir);
    }
    (void)snprintf(dying_log, sizeof dying_log, "%s", harness->log);
    harness_write_config(harness);
    follow_open(&harness->log_follow, harness->log);
    harness->http = http_new(harness);
    if (options->modems > 0)
        start_bank(harness);
    return harness;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void end_process(struct process *process)
{
    if (process->pid == 0)
        return;
    process_signal(process, SIGKILL);
    (void)process_wait(process, READY_TIMEOUT_MS);
}

void harness_free(struct harness *harness)
{
    if (harness == NULL)
        return;
    end_process(&harness->daemon);
    end_process(&harness->bank);
    if (!harness->passed)
        show_log(harness->log);
    events_close(&harness->events);
    http_free(harness->http);
    follow_close(&harness->log_follow);
    follow_close(&harness->witness.follow);
    for (size_t i = 0; i < harness->witness.count; i++)
        free(harness->witness.parts[i].text);
    free(harness->witness.parts);
    faults_detach(harness);
    if (harness->keep || getenv("CELLPOST_KEEP") != NULL)
        (void)fprintf(stderr, "kept: %s\n", harness->dir);
    else
        (void)nftw(harness->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    dying_log[0] = '\0';
    free(harness);
}

/* -- the daemon ----------------------------------------------------------------------------------------------- */

void harness_spawn(struct harness *harness)
{
    struct stat st;
    char program[300];
    const char *argv[] = { program, "--config", harness->config, NULL };

    (void)snprintf(program, sizeof program, "%s/cellpostd", harness->bin);
    harness->log_start = stat(harness->log, &st) == 0 ? st.st_size : 0;
    process_start(&harness->daemon, argv, harness->options.environment, harness->log, harness->log);
}

/* The daemon says when it has its sockets; a line of its log is the event to wait for. */
bool harness_wait_answering(struct harness *harness, int timeout_ms)
{
    struct http_answer answer;
    long status;

    if (!harness_wait_log(harness, ", database ", timeout_ms))
        return false;
    http_call(harness->http, "GET", "/healthz", NULL, NULL, &answer);
    status = answer.status;
    http_answer_done(&answer);
    return status != 0 && events_open(&harness->events, harness->socket);
}

void harness_start(struct harness *harness)
{
    harness_spawn(harness);
    if (!harness_wait_answering(harness, READY_TIMEOUT_MS))
        harness_die("cellpostd does not answer");
}

int harness_stop(struct harness *harness, int timeout_ms)
{
    process_signal(&harness->daemon, SIGTERM);
    return process_wait(&harness->daemon, timeout_ms);
}

void harness_kill(struct harness *harness)
{
    process_signal(&harness->daemon, SIGKILL);
    if (process_wait(&harness->daemon, READY_TIMEOUT_MS) != 128 + SIGKILL)
        harness_die("cellpostd ended by itself");
}

bool harness_wait_log(struct harness *harness, const char *part, int timeout_ms)
{
    uint64_t deadline_us = harness_now_us() + (uint64_t)timeout_ms * 1000;
    const char *line;

    follow_seek(&harness->log_follow, harness->log_start);
    while ((line = follow_line(&harness->log_follow, harness_left_ms(deadline_us))) != NULL)
        if (strstr(line, part) != NULL)
            return true;
    return false;
}
