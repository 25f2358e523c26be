/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/daemon.h"

#include "firmware/cellpostd/check_thread.h"
#include "firmware/cellpostd/daemon_internal.h"
#include "firmware/cellpostd/state_dir.h"
#include "firmware/common/log.h"
#include "src/store/store_check.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "src/number/number.h"

/* What is on the air at SIGTERM may finish for so long; then it is unknown. */
#define STOP_AIR_MS 10000

struct gateway_now daemon_now(void)
{
    struct timespec wall;

    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (struct gateway_now){ .mono_us = uv_hrtime() / 1000, .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 };
}

/* -- the store ------------------------------------------------------------------------------------------------ */

static void on_store_wake(void *context)
{
    struct daemon *daemon = context;

    (void)uv_async_send(&daemon->store_async);
}

static void note_store_health(struct daemon *daemon)
{
    const char *reason = NULL;
    bool accepting = gateway_accepting(box_gateway(daemon->box), &reason);

    if (daemon->check_thread != NULL)
        check_thread_give_way(daemon->check_thread, !accepting);
    atomic_store(&daemon->intake_error, gateway_intake_error(box_gateway(daemon->box)));
    if (reason != atomic_load(&daemon->refusing)) {
        atomic_store(&daemon->refusing, (char *)reason);   /* before the log says so */
        if (!accepting && !daemon->stopping)
            log_line(LOG_ERROR, "new messages are refused: %s", reason);
        else if (accepting)
            log_line(LOG_NOTICE, "the store works again: messages are accepted");
    }
}

static void on_check_wake(void *context)   /* the check's thread */
{
    struct daemon *daemon = context;

    (void)uv_async_send(&daemon->check_async);
}

/* What is damaged is known to the next start too, which looks before it sends anything. */
static void store_is_damaged(struct daemon *daemon)
{
    state_dir_mark_damaged(daemon->config->gateway.state_dir);
    gateway_store_damaged(box_gateway(daemon->box), daemon_now());
    daemon->damaged = true;
    note_store_health(daemon);
}

/* A large database was read beside the work. */
static void on_checked(uv_async_t *async)
{
    struct daemon *daemon = async->data;
    char error[512];
    int r = check_thread_result(daemon->check_thread, error, sizeof error);

    if (r == 0) {
        log_line(LOG_INFO, "%s was read from end to end: it is sound", daemon->db_path);
    } else if (r != -EINPROGRESS) {
        log_line(LOG_ERROR, "%s", error);
        store_is_damaged(daemon);
    }
}

static void collect_commits(struct daemon *daemon)
{
    struct store_commit commit;

    while (store_thread_collect(daemon->store_thread, &commit)) {
        daemon->store_stats = commit.stats;
        if (commit.error == -EBADMSG && !daemon->damaged) {
            log_line(LOG_ERROR, "%s is damaged (a commit met a page that cannot be right). Stop the gateway, keep copies of it and of its"
                     " -wal and -shm files, then bring back a backup or save what can be read with: sqlite3 FILE .recover", daemon->db_path);
            store_is_damaged(daemon);
        }
        gateway_changes_done(box_gateway(daemon->box), commit.list, commit.error, commit.commit_us, daemon_now());
    }
    daemon_routing_settle(daemon);
    note_store_health(daemon);
}

static void on_store_done(uv_async_t *async)
{
    collect_commits(async->data);
}

static void submit_changes(struct daemon *daemon)
{
    struct store_change *list;

    while ((list = gateway_take_changes(box_gateway(daemon->box))) != NULL)
        if (store_thread_submit(daemon->store_thread, list) < 0)
            gateway_changes_done(box_gateway(daemon->box), list, -ENOMEM, 0, daemon_now());
}

/* -- calls of the HTTP server --------------------------------------------------------------------------------- */

static void on_call_submit(void *context, struct http_call *call)   /* a server thread */
{
    struct daemon *daemon = context;

    uv_mutex_lock(&daemon->calls_mutex);
    call->next = NULL;
    *daemon->calls_tail = call;
    daemon->calls_tail = &call->next;
    uv_mutex_unlock(&daemon->calls_mutex);
    (void)uv_async_send(&daemon->calls_async);
}

static bool on_accepting(void *context, const char **ret_reason)   /* a server thread */
{
    struct daemon *daemon = context;

    *ret_reason = atomic_load(&daemon->refusing);
    return *ret_reason == NULL;
}

static int on_intake_error(void *context)   /* a server thread */
{
    struct daemon *daemon = context;

    return atomic_load(&daemon->intake_error);
}

/* A long survey goes on in later turns, behind what came meanwhile, so that no modem waits for it. */
static bool survey_goes_on(struct daemon *daemon, struct http_call *call)
{
    struct gateway_now now = daemon_now();
    struct limit_now limit_now = { .mono_ms = now.mono_us / 1000, .wall_ms = now.wall_ms };

    if (!survey_step(&call->call.survey, gateway_chooser(box_gateway(daemon->box)), limit_now))
        return false;
    on_call_submit(daemon, call);
    return true;
}

static void on_calls(uv_async_t *async)
{
    struct daemon *daemon = async->data;
    struct http_call *calls;

    uv_mutex_lock(&daemon->calls_mutex);
    calls = daemon->calls;
    daemon->calls = NULL;
    daemon->calls_tail = &daemon->calls;
    uv_mutex_unlock(&daemon->calls_mutex);
    while (calls != NULL) {
        struct http_call *call = calls;

        calls = call->next;
        if (call->step == API_WAIT_LIVE && survey_goes_on(daemon, call))
            continue;
        if (call->step == API_WAIT_LIVE) {
            (void)box_view(daemon->box, &call->call.live, daemon_now());
            call->call.live.store_bytes_written = daemon->store_stats.bytes_written;
            call->call.live.store_syncs = daemon->store_stats.syncs;
            http_call_done(call);
        } else if (call->step == API_WAIT_ASK) {
            daemon_ask(daemon, call);
        } else if (call->step == API_WAIT_ACCOUNT) {
            daemon_sync_account(daemon, call);
        } else {
            call->call.change->waiter = call;
            gateway_submit(box_gateway(daemon->box), call->call.change, daemon_now());
        }
    }
}

static void answer_call(struct daemon *daemon, struct store_change *change)
{
    if (change->kind == CHANGE_ACCEPT && change->u.accept.credit_verdict != LEDGER_DONE)
        daemon_sync_needs(daemon, change->u.accept.credit.needed_micro);
    http_call_done(change->waiter);
}

static void on_answer(void *context, struct store_change *change)
{
    if (change->kind == CHANGE_BALANCE)
        daemon_balance_stored(context, change);
    else if (change->kind == CHANGE_ROUTING)
        daemon_routing_answer(context, change);
    else if (change->kind == CHANGE_CREDIT)
        daemon_sync_stepped(context, change);
    else
        answer_call(context, change);
}

/* A modem that waits for a person is a warning; the steps on its way to readiness are not. */
static void log_modem(const struct live_event *event)
{
    bool parked = strcmp(event->modem_state, modem_state_name(MODEM_PARKED)) == 0;
    bool why = event->reason[0] != '\0' && strcmp(event->modem_state, modem_state_name(MODEM_REGISTERING)) != 0;

    log_line(parked ? LOG_WARNING : LOG_INFO, "%s: %s%s%s%s%s", event->port, event->modem_state, event->iccid[0] != '\0' ? ", SIM " : "",
             event->iccid, why ? ": " : "", why ? event->reason : "");
}

static void on_modem(struct daemon *daemon, const struct live_event *event)
{
    log_modem(event);
    if (event->iccid[0] != '\0' && strcmp(event->modem_state, modem_state_name(MODEM_READY)) == 0)
        daemon_routing_card(daemon, event->iccid);
}

static void on_event(void *context, const struct live_event *event)
{
    struct daemon *daemon = context;

    if (event->kind == LIVE_MODEM)
        on_modem(daemon, event);
    else if (event->kind == LIVE_ALARM)
        log_line(event->raised ? LOG_ERROR : LOG_NOTICE, "%s%s", event->raised ? "" : "over: ", event->reason);
    else if (event->kind == LIVE_PART && event->step == LIVE_PART_UNKNOWN)
        log_line(LOG_WARNING, "%s: message %lld, part %d of %d: %s", event->port, (long long)event->message_id, event->part + 1,
                 event->parts, event->reason);
    else if (event->kind == LIVE_INBOX)
        daemon_balance_message(daemon, event);
    if (daemon->http != NULL)
        http_publish(daemon->http, event);
}

/* -- turns of the loop ---------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;

    daemon->due = true;
}

/* Deadlines come behind what can be read: after a time in which nothing ran (a suspended machine, SIGSTOP) the answers that wait
 * in the lines are heard before their modems are called silent. libuv runs timers first. */
static void on_check(uv_check_t *check)
{
    struct daemon *daemon = check->data;

    if (!daemon->due)
        return;
    daemon->due = false;
    box_poll(daemon->box, daemon_now());
    submit_changes(daemon);
}

/* Before the loop waits: what this turn decided goes to the store, and the timer to the next deadline. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct daemon *daemon = prepare->data;
    uint64_t now_us, deadline_us;

    submit_changes(daemon);
    deadline_us = box_deadline_us(daemon->box);
    now_us = daemon_now().mono_us;
    uv_update_time(&daemon->loop);
    (void)uv_timer_start(&daemon->timer, on_timer, deadline_us <= now_us ? 0 : (deadline_us - now_us + 999) / 1000, 0);
    if (daemon->stopping && gateway_idle(box_gateway(daemon->box)))
        uv_stop(&daemon->loop);
}

static void on_stop_timeout(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;

    log_line(LOG_WARNING, "parts that are still on the air after %d s become unknown", STOP_AIR_MS / 1000);
    for (uint32_t i = 0; i < box_slot_count(daemon->box); i++)
        box_line_close(daemon->box, i, daemon_now());
}

static void on_stop_signal(uv_signal_t *signal, int number)
{
    struct daemon *daemon = signal->data;

    (void)number;
    if (daemon->stopping)
        return;
    daemon->stopping = true;
    log_line(LOG_NOTICE, "stopping: nothing new is handed over, what is on the air may finish");
    daemon_sync_stop(daemon);
    gateway_stop(box_gateway(daemon->box), daemon_now());
    note_store_health(daemon);
    (void)uv_timer_start(&daemon->stop_timer, on_stop_timeout, STOP_AIR_MS, 0);
}

static void on_reload_signal(uv_signal_t *signal, int number)
{
    (void)number;
    daemon_routing_reload(signal->data);
}

/* -- start and end -------------------------------------------------------------------------------------------- */

void daemon_log_notes(enum log_level level, const struct config_notes *notes)
{
    for (unsigned i = 0; i < notes->count; i++)
        log_line(level, "%s", notes->text[i]);
    if (notes->more != 0)
        log_line(level, "... and %u more", notes->more);
}

static int start_store(struct daemon *daemon)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";   /* 32: none that looks like another */
    char error[512] = "", tag[5] = "";
    uint8_t random[4];
    uint32_t unknown;
    int r;

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -EIO;
    for (size_t i = 0; i < 4; i++)
        tag[i] = letters[random[i] % 32];
    (void)snprintf(daemon->db_path, sizeof daemon->db_path, "%s/cellpost.db", daemon->config->gateway.state_dir);
    if (state_dir_is_marked_damaged(daemon->config->gateway.state_dir)) {
        r = store_check(daemon->db_path, NULL, NULL, NULL, error, sizeof error);
        if (r == 0) {
            state_dir_unmark_damaged(daemon->config->gateway.state_dir);   /* another one was put in its place, or mended */
        } else if (r != -ENOENT && r != -EACCES) {                         /* those, store_open() explains or makes a new one */
            log_line(LOG_ERROR, "%s", error);
            return r;
        }
    }
    r = store_open(daemon->db_path, NULL, tag, &daemon->store, error, sizeof error);
    if (r < 0) {
        log_line(LOG_ERROR, "%s", error);
        return r;
    }
    r = store_recover(daemon->store, daemon_now().wall_ms, &unknown);
    if (r < 0) {
        log_line(LOG_ERROR, "%s: cannot be brought up to date after the last stop: %s", daemon->db_path, strerror(-r));
        return r;
    }
    if (unknown != 0)
        log_line(LOG_WARNING, "%u part%s on the way to a modem when the gateway last ended: unknown; none is sent again unless its message says at_least_once", (unsigned)unknown,
                 unknown == 1 ? " was" : "s were");
    r = daemon_routing_start(daemon, daemon->first_routing);
    daemon->first_routing = NULL;
    if (r == 0)
        r = store_thread_start(daemon->store, on_store_wake, daemon, &daemon->store_thread);
    if (r == 0 && store_unchecked(daemon->store))
        r = check_thread_start(daemon->db_path, on_check_wake, daemon, &daemon->check_thread);
    return r;
}

/* Calls that came in while the server was stopping: nobody waits for them any more. */
static void drain_calls(struct daemon *daemon)
{
    while (daemon->calls != NULL) {
        struct http_call *call = daemon->calls;

        daemon->calls = call->next;
        http_call_done(call);
    }
}

static int start_http(struct daemon *daemon)
{
    const struct config *config = daemon->config;
    struct http_config http = {
        .listen = config->api.listen[0] != '\0' ? config->api.listen : NULL,
        .socket_path = config->api.socket[0] != '\0' ? config->api.socket : NULL,
        .cert_file = config->api.cert[0] != '\0' ? config->api.cert : NULL,
        .key_file = config->api.key[0] != '\0' ? config->api.key : NULL,
        .db_path = daemon->db_path,
        .socket_mode = config->api.socket_mode,
        .hosts = (const char *const *)config->api.hosts.items,
        .host_count = config->api.hosts.count,
        .api = { .parts_max = config->gateway.max_parts, .national = config->gateway.national, .downgrade = config->gateway.downgrade,
                 .ref16 = config->gateway.ref16, .report = config->gateway.report, .validity_s = config->gateway.validity_s,
                 .country = config->gateway.country, .fixed_lines = config->gateway.fixed_lines,
                 .version = CELLPOST_VERSION, .accepting = on_accepting, .intake_error = on_intake_error,
                 .route = daemon_routing_route, .currency = daemon_routing_currency,
                 .context = daemon },
        .submit = on_call_submit,
        .context = daemon,
    };
    char error[256];
    int r = http_start(&http, &daemon->http, error, sizeof error);

    if (r < 0)
        log_line(LOG_ERROR, "%s", error);
    return r;
}

static void want_write(void *context, uint32_t slot, bool want)
{
    daemon_port_want_write(context, slot, want);
}

static void line_closed(void *context, uint32_t slot)
{
    daemon_port_closed(context, slot);
}

/* Names this run of the machine, and so of its monotonic clock. 0: the kernel does not say. */
static int64_t boot_read(void)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    uint64_t hash = UINT64_C(0xCBF29CE484222325);   /* FNV-1a */
    char text[64] = "";

    if (file == NULL)
        return 0;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    (void)fclose(file);
    for (size_t i = 0; text[i] != '\0'; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
    return text[0] != '\0' ? (int64_t)(hash >> 1) : 0;
}

static int start_box(struct daemon *daemon)
{
    static const struct box_ops ops = { .event = on_event, .answer = on_answer, .want_write = want_write, .closed = line_closed,
                                        .ussd = daemon_ask_answered };
    const struct config_optout *optout = &daemon->config->optout;
    struct box_config config = {
        .ops = &ops, .context = daemon, .send_timeout_ms = daemon->config->modem.send_timeout_ms,
        .poll_ms = daemon->config->modem.poll_interval_ms, .park_retry_ms = daemon->config->modem.park_retry_ms,
        .started_ms = daemon_now().wall_ms, .boot = boot_read(),
        .consent = { .reads_words = optout->enabled, .confirmation = optout->confirm, .country = daemon->config->gateway.country,
                     .words = { (const char *const *)optout->words.items, optout->words.count,
                                (const char *const *)optout->start_words.items, optout->start_words.count } },
    };

    daemon->box = box_new(&config);
    return daemon->box != NULL ? 0 : -ENOMEM;
}

static void start_loop(struct daemon *daemon)
{
    static const int stop_signals[] = { SIGTERM, SIGINT };

    (void)uv_loop_init(&daemon->loop);
    (void)uv_async_init(&daemon->loop, &daemon->store_async, on_store_done);
    (void)uv_async_init(&daemon->loop, &daemon->calls_async, on_calls);
    (void)uv_async_init(&daemon->loop, &daemon->check_async, on_checked);
    daemon->check_async.data = daemon;
    (void)uv_prepare_init(&daemon->loop, &daemon->prepare);
    (void)uv_check_init(&daemon->loop, &daemon->check);
    (void)uv_timer_init(&daemon->loop, &daemon->timer);
    (void)uv_timer_init(&daemon->loop, &daemon->stop_timer);
    daemon->store_async.data = daemon->calls_async.data = daemon->prepare.data = daemon->check.data = daemon->timer.data = daemon->stop_timer.data = daemon;
    (void)uv_prepare_start(&daemon->prepare, on_prepare);
    (void)uv_check_start(&daemon->check, on_check);
    for (size_t i = 0; i < 2; i++) {
        (void)uv_signal_init(&daemon->loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        (void)uv_signal_start(&daemon->signals[i], on_stop_signal, stop_signals[i]);
    }
    (void)uv_signal_init(&daemon->loop, &daemon->signals[2]);
    daemon->signals[2].data = daemon;
    (void)uv_signal_start(&daemon->signals[2], on_reload_signal, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Everything is committed, or its loss is known; in this order nobody is left waiting on a thread that has gone. */
static void finish(struct daemon *daemon)
{
    check_thread_stop(daemon->check_thread);
    daemon->check_thread = NULL;
    if (daemon->store_thread != NULL) {
        submit_changes(daemon);
        store_thread_stop(daemon->store_thread);
        collect_commits(daemon);
    }
    if (daemon->box != NULL)
        box_ussd_abandon(daemon->box);
    if (daemon->http != NULL) {
        http_stop(daemon->http);   /* whoever still waits is told that the gateway is stopping */
        drain_calls(daemon);
        daemon->http = NULL;
    }
    daemon_sync_stop(daemon);
    daemon_ports_done(daemon);
    box_free(daemon->box);
    if (daemon->store_thread != NULL)
        store_thread_free(daemon->store_thread);
    store_close(daemon->store);
    uv_walk(&daemon->loop, close_handle, NULL);
    (void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&daemon->loop);
    daemon_routing_done(daemon);
    daemon_sync_done(daemon);
    free(daemon->watches);
    operator_free(daemon->operators);
    uv_mutex_destroy(&daemon->calls_mutex);
}

int daemon_run(const char *config_path, struct config *config, struct routing *routing)
{
    static struct daemon daemon;
    int lock, status = 1;

    daemon.config_path = config_path;
    daemon.config = config;
    daemon.first_routing = routing;
    daemon.calls_tail = &daemon.calls;
    json_object_seed(0);   /* once, before threads; from the system's entropy */
    lock = state_dir_lock(config->gateway.state_dir);
    if (lock < 0) {
        routing_free(routing);
        return 1;
    }
    number_warm_up();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {   /* before there are threads */
        log_line(LOG_ERROR, "libcurl cannot be set up");
        state_dir_unlock(lock);
        routing_free(routing);
        return 1;
    }
    (void)uv_mutex_init(&daemon.calls_mutex);
    start_loop(&daemon);
    if (start_box(&daemon) == 0 && start_store(&daemon) == 0 && daemon_sync_start(&daemon) == 0 && start_http(&daemon) == 0) {
        if (store_has_credits(daemon.store))
            gateway_load_credits(box_gateway(daemon.box), daemon_now());
        daemon_operators_load(&daemon);
        daemon_ports_start(&daemon);
        daemon_care_start(&daemon);
        log_line(LOG_INFO, "kinds of numbers: %s", number_backend());
        log_line(LOG_NOTICE, "cellpostd %s: %u port%s, database %s%s%s%s%s", CELLPOST_VERSION, (unsigned)box_slot_count(daemon.box),
                 box_slot_count(daemon.box) == 1 ? "" : "s", daemon.db_path, config->api.socket[0] != '\0' ? ", socket " : "",
                 config->api.socket, config->api.listen[0] != '\0' ? ", listening on " : "", config->api.listen);
        (void)uv_run(&daemon.loop, UV_RUN_DEFAULT);
        log_line(LOG_NOTICE, "stopped");
        status = 0;
    }
    finish(&daemon);
    state_dir_unlock(lock);
    return status;
}
