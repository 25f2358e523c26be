/* SPDX-License-Identifier: Apache-2.0
 *
 * serve.c - the server: databases, keys and certificate, then HTTPS until it is told to end; and what is due meanwhile.
 *
 * SIGTERM and SIGINT: what is being answered is finished, then it ends with 0. SIGHUP: the certificate is looked at again. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "firmware/central/commands.h"
#include "firmware/central/http.h"
#include "firmware/common/log.h"

#define EXPIRE_EVERY_MS 20000
#define EXPIRE_AT_ONCE 256u
#define CERTIFICATE_EVERY_MS (INT64_C(6) * 3600 * 1000)

struct server {
    struct command_line *line;
    struct central_db *dbs[CENTRAL_HTTP_THREADS_MAX];
    unsigned db_count;
    struct central_http *http;
    int64_t expire_ms, certificate_ms;       /* when they are due, by the monotonic clock */
    bool sweep_failed;
};

static int64_t monotonic_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- certificate -------------------------------------------------------------------------------------------------------------- */

/* false after a word. */
static bool show_certificate(struct server *server, bool again)
{
    const struct settings *settings = &server->line->settings;
    const char *names[SETTINGS_NAMES_MAX];
    struct central_server_paper paper;
    char problem[1400];
    bool served;
    int r;

    for (size_t i = 0; i < settings->name_count; i++)
        names[i] = settings->names[i];
    r = central_ca_server(server->line->ca, names, settings->name_count, central_now_ms(), &paper, problem, sizeof problem);
    if (r == 0 && again && !paper.is_new) {
        central_server_paper_done(&paper);
        return true;                         /* the one that is shown is good for long */
    }
    served = r == 0 && central_http_serve(server->http, &paper, problem, sizeof problem) == 0;
    if (r == 0)
        central_server_paper_done(&paper);
    if (!served)
        log_line(LOG_ERROR, "%s", problem);
    else if (again)
        log_line(LOG_NOTICE, "the certificate of the server is renewed");
    return served;
}

/* -- what is due -------------------------------------------------------------------------------------------------------------- */

static void expire(struct server *server)
{
    size_t expired = EXPIRE_AT_ONCE, all = 0;
    int r = 0;

    while (r == 0 && expired == EXPIRE_AT_ONCE) {
        r = account_sweep(&server->line->ops, central_now_ms(), EXPIRE_AT_ONCE, &expired);
        all += r == 0 ? expired : 0;
    }
    if (all > 0)
        log_line(LOG_WARNING, "%zu lease%s not told of in time: expired, the rest is in suspense until the box comes back. "
                 "cellpost-central box list", all, all == 1 ? " was" : "s were");
    if ((r < 0) != server->sweep_failed)
        log_line(r < 0 ? LOG_ERROR : LOG_NOTICE, r < 0 ? "leases cannot be expired: the database: %s" : "leases are expired again%s",
                 r < 0 ? strerror(-r) : "");
    server->sweep_failed = r < 0;
}

/* Returns after how many milliseconds something is due again. */
static int do_due(struct server *server)
{
    int64_t now_ms = monotonic_ms(), wait_ms = central_http_sweep(server->http);

    if (now_ms >= server->expire_ms) {
        expire(server);
        server->expire_ms = now_ms + EXPIRE_EVERY_MS;
    }
    if (now_ms >= server->certificate_ms) {
        (void)show_certificate(server, true);
        server->certificate_ms = now_ms + CERTIFICATE_EVERY_MS;
    }
    return (int)(wait_ms < EXPIRE_EVERY_MS ? wait_ms : EXPIRE_EVERY_MS);
}

static void serve_until_told(struct server *server, int signals)
{
    for (;;) {
        struct pollfd waiting = { .fd = signals, .events = POLLIN };
        int n = poll(&waiting, 1, do_due(server));
        struct signalfd_siginfo told;

        if (n <= 0 || read(signals, &told, sizeof told) != (ssize_t)sizeof told)
            continue;
        if (told.ssi_signo != SIGHUP) {
            log_line(LOG_NOTICE, "ending: what is being answered is finished");
            return;
        }
        server->certificate_ms = 0;
    }
}

/* -- start and end -------------------------------------------------------------------------------------------------------------- */

static int signals_taken(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);   /* before there are other threads: they inherit it */
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int open_dbs(struct server *server)
{
    const struct settings *settings = &server->line->settings;
    char problem[512];

    for (; server->db_count < settings->threads; server->db_count++)
        if (central_db_open(settings->db, &server->dbs[server->db_count], problem, sizeof problem) < 0) {
            central_say("cellpost-central: connection %u of %u: %s", server->db_count + 1, settings->threads, problem);
            return CENTRAL_BROKEN;
        }
    return CENTRAL_OK;
}

static int start(struct server *server)
{
    struct command_line *line = server->line;
    struct central_http_config config = { .dbs = server->dbs, .threads = line->settings.threads, .ca = central_ca_certificate(line->ca) };
    unsigned port;
    char problem[512], pin[2 * SHA256_OCTETS + 1];

    config.desk = (struct desk){ central_hands(line), central_ca_account_key(line->ca) };
    if (central_http_new(&config, line->settings.listen, &server->http, &port, problem, sizeof problem) < 0) {
        central_say("cellpost-central: %s", problem);
        return CENTRAL_BROKEN;
    }
    if (!show_certificate(server, false))
        return CENTRAL_BROKEN;
    server->certificate_ms = monotonic_ms() + CERTIFICATE_EVERY_MS;
    central_hex(central_ca_pin(line->ca), SHA256_OCTETS, pin);
    log_line(LOG_NOTICE, "cellpost-central " CELLPOST_VERSION " serves boxes at port %u with %u threads on %s; they know it by the pin %s", port,
             line->settings.threads, central_db_kind(line->db), pin);
    if (line->json) {
        central_print_json(json_pack("{s:i, s:s, s:s}", "port", (int)port, "pin", pin, "url", line->settings.url));
        (void)fflush(stdout);
    }
    return CENTRAL_OK;
}

static int run_serve(struct command_line *line)
{
    struct server server = { .line = line };
    int signals = signals_taken(), status = signals < 0 ? CENTRAL_BROKEN : central_open_ca(line);

    if (status == CENTRAL_OK)
        status = open_dbs(&server);
    if (status == CENTRAL_OK)
        status = start(&server);
    if (status == CENTRAL_OK)
        serve_until_told(&server, signals);
    central_http_free(server.http);
    while (server.db_count > 0)
        central_db_close(server.dbs[--server.db_count]);
    if (signals >= 0)
        (void)close(signals);
    return status;
}

const struct verb verbs_serve[] = {
    { "serve", NULL, "", "answer boxes over HTTPS until SIGTERM", "listen tls-name url threads", 0, 0, run_serve },
    { NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};
