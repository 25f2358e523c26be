/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon_sync.c - in step with the account: src/sync decides, the store takes its steps, the courier carries its requests, and
 * who enrols the box is told what came of it.
 *
 * What others hand over (a step that is done, a batch without credits, an answer) is taken in one place, on_wake(), outside of
 * their calls: sync may answer with the next step at once. */
#include "firmware/cellpostd/courier.h"
#include "firmware/cellpostd/daemon_internal.h"
#include "firmware/cellpostd/hardware.h"
#include "firmware/cellpostd/identity.h"
#include "src/base/hex.h"
#include "src/base/money.h"
#include "src/sync/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Files of an enrolment, on a worker thread. One at a time. */
enum identity_task { TASK_NONE, TASK_MAKE, TASK_KEEP, TASK_REMOVE };

struct daemon_sync {
    struct daemon *daemon;
    struct sync *sync;
    struct courier *courier;
    uv_async_t async;
    uv_timer_t timer;
    bool stopped;
    char dir[CENTRAL_PATH_MAX];              /* state_dir/central */
    struct courier_peer peer;                /* of the account that the box is enrolled at */
    struct central_place asked;              /* of the enrolment that is under way */
    struct credit_summary *summary;          /* the last */
    bool in_flight; enum wire_call call;
    /* What waits for on_wake(). */
    struct store_change *stepped;
    struct change_credit *step_failed;
    bool woken; int64_t needed_micro;
    /* Enrolment. */
    enum identity_task task;
    uv_work_t work;
    int task_result;
    struct identity_pending *pending;        /* NULL: none is under way */
    char *certificate;
    struct http_call *waiter;                /* who wants to know what came of it; NULL: nobody */
    char said[WIRE_DETAIL_CHARS + 160];      /* in the log, last */
    bool remove_pending, make_next;          /* when the task that runs is done */
};

static struct sync_now sync_time(void)
{
    struct gateway_now now = daemon_now();

    return (struct sync_now){ .mono_us = now.mono_us, .wall_ms = now.wall_ms };
}

static void on_timer(uv_timer_t *timer);

static void arm(struct daemon_sync *own)
{
    uint64_t deadline_us = sync_deadline_us(own->sync), now_us = daemon_now().mono_us;

    uv_update_time(&own->daemon->loop);
    if (deadline_us == UINT64_MAX)
        (void)uv_timer_stop(&own->timer);
    else
        (void)uv_timer_start(&own->timer, on_timer, deadline_us <= now_us ? 0 : (deadline_us - now_us + 999) / 1000, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct daemon_sync *own = timer->data;

    if (own->stopped)
        return;
    sync_poll(own->sync, sync_time());
    arm(own);
}

static int draw(void *context, unsigned char *octets, size_t length)
{
    (void)context;
    return getrandom(octets, length, 0) == (ssize_t)length ? 0 : -EIO;
}

/* -- who waits for an enrolment ------------------------------------------------------------------------------------- */

static const char *advice_of(const struct sync_status *status)
{
    static const struct { enum sync_state state; const char *advice; } rows[] = {
        { SYNC_NOT_ENROLLED, "Messages are free here. To use an account: cellpost enroll TOKEN" },
        { SYNC_ENROLLING, "It is tried again by itself, also after a power cut, until the account answers." },
        { SYNC_CONNECTING, "" }, { SYNC_ONLINE, "" },
        { SYNC_OFFLINE, "What is left here is spent as usual, and the account hears of it later. Look at the network of this box, and at url, ca, pin and proxy in [central]." },
        { SYNC_REFUSED, "Ask whoever runs the account: nothing is lost meanwhile." },
    };

    switch (status->code) {
    case WIRE_BAD_TOKEN: case WIRE_TOKEN_USED:
        return "Ask whoever runs the account for a new token: each is good for one box, once.";
    case WIRE_FENCED: case WIRE_OLD_EPOCH:
        return "Nothing is sent until a person enrols this box again: cellpost enroll TOKEN";
    default: break;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].state == status->state)
            return rows[i].advice;
    return "";
}

static void fill(struct daemon_sync *own, struct api_account *account)
{
    struct sync_status status = sync_status_now(own->sync);
    struct gateway_now now = daemon_now();

    (void)snprintf(account->state, sizeof account->state, "%s", sync_state_name(status.state));
    (void)snprintf(account->why, sizeof account->why, "%s", status.why);
    (void)snprintf(account->detail, sizeof account->detail, "%s", status.detail);
    if (status.code != WIRE_OK)
        (void)snprintf(account->code, sizeof account->code, "%s", wire_code_name(status.code));
    (void)snprintf(account->advice, sizeof account->advice, "%s", advice_of(&status));
    (void)snprintf(account->url, sizeof account->url, "%s", own->pending != NULL ? own->asked.url : own->peer.place.url);
    account->heard_ms = status.heard_ms;
    account->clock_off_ms = status.clock_off_ms;
    if (status.state != SYNC_NOT_ENROLLED && status.next_us != UINT64_MAX)
        account->next_ms = now.wall_ms + (status.next_us > now.mono_us ? (int64_t)((status.next_us - now.mono_us) / 1000) : 0);
    account->has_available = status.has_available;
    account->available_micro = status.available_micro;
    if (own->summary->enrolled) {
        (void)snprintf(account->account, sizeof account->account, "%.63s", own->summary->identity.account);
        hex_encode(own->summary->identity.box_id, LEASE_BOX_ID_OCTETS, account->box_id);
        for (char *digit = account->box_id; *digit != '\0'; digit++)
            if (*digit >= 'A' && *digit <= 'F')
                *digit = (char)(*digit - 'A' + 'a');
        account->epoch = own->summary->identity.epoch;
    }
}

static void answer_waiter(struct daemon_sync *own, enum api_account_result result)
{
    struct http_call *call = own->waiter;

    if (call == NULL)
        return;
    own->waiter = NULL;
    fill(own, call->call.account);
    call->call.account->result = result;
    http_call_done(call);
}

/* -- files of an enrolment ------------------------------------------------------------------------------------------ */

static void task_run(uv_work_t *work)   /* a worker thread */
{
    struct daemon_sync *own = work->data;

    if (own->task == TASK_MAKE) {
        own->task_result = own->pending->key[0] == '\0' ? identity_make(own->pending) : 0;
        if (own->task_result == 0)
            own->task_result = identity_pending_write(own->dir, own->pending);
        if (own->task_result == 0)
            own->task_result = identity_pending_place(own->dir, own->pending, &own->asked);
    } else if (own->task == TASK_KEEP) {
        own->task_result = identity_keep(own->dir, own->pending, own->certificate);
    } else {
        own->task_result = identity_pending_remove(own->dir);
    }
}

static void task_start(struct daemon_sync *own, enum identity_task task);

static void forget_pending(struct daemon_sync *own)
{
    identity_pending_free(own->pending);
    own->pending = NULL;
    if (own->task == TASK_NONE)
        task_start(own, TASK_REMOVE);
    else
        own->remove_pending = true;
}

static void ask_account(struct daemon_sync *own)
{
    int r = sync_enroll(own->sync, &own->pending->ask, sync_time());

    if (r == 0)
        return;
    if (own->waiter != NULL) {
        own->waiter->call.account->pointer = "/token";
        (void)snprintf(own->waiter->call.account->detail, sizeof own->waiter->call.account->detail, "This token cannot be asked with");
    }
    log_line(LOG_ERROR, "the enrolment cannot be asked for: %s", strerror(-r));
    answer_waiter(own, r == -EBUSY ? API_ACCOUNT_BUSY : API_ACCOUNT_BAD_VALUE);
    forget_pending(own);
}

static void made(struct daemon_sync *own)
{
    if (own->task_result == 0) {
        own->peer.generation++;
        ask_account(own);
        return;
    }
    log_line(LOG_ERROR, "%s: the enrolment cannot be kept on the disk: %s", own->dir, strerror(-own->task_result));
    if (own->waiter != NULL)
        own->waiter->call.account->store_error = own->task_result;
    answer_waiter(own, API_ACCOUNT_NOT_STORED);
    identity_pending_free(own->pending);
    own->pending = NULL;
}

static void kept(struct daemon_sync *own)
{
    free(own->certificate);
    own->certificate = NULL;
    if (own->task_result < 0)
        log_line(LOG_ERROR, "%s: what the account gave cannot be kept: %s", own->dir,
                 own->task_result == -EKEYREJECTED ? "its certificate is not for the key of this box" : strerror(-own->task_result));
    sync_identity_kept(own->sync, own->task_result, sync_time());
}

static void task_done(uv_work_t *work, int status)
{
    struct daemon_sync *own = work->data;
    enum identity_task task = own->task;

    (void)status;
    own->task = TASK_NONE;
    if (own->stopped)
        return;
    if (task == TASK_MAKE)
        made(own);
    else if (task == TASK_KEEP)
        kept(own);
    else if (own->task_result < 0)
        log_line(LOG_WARNING, "%s/pending cannot be removed: %s", own->dir, strerror(-own->task_result));
    if (own->task == TASK_NONE && own->make_next) {
        own->make_next = false;
        task_start(own, TASK_MAKE);
    } else if (own->task == TASK_NONE && own->remove_pending) {
        own->remove_pending = false;
        task_start(own, TASK_REMOVE);
    }
    arm(own);
}

static void task_start(struct daemon_sync *own, enum identity_task task)
{
    own->task = task;
    own->work.data = own;
    (void)uv_queue_work(&own->daemon->loop, &own->work, task_run, task_done);
}

/* -- what sync wants ------------------------------------------------------------------------------------------------ */

static void op_step(void *context, const struct change_credit *step)
{
    struct daemon_sync *own = context;
    struct store_change *change = change_new(CHANGE_CREDIT, daemon_now().wall_ms);

    if (change == NULL) {
        free(step->csv);
        own->step_failed = malloc(sizeof *own->step_failed);
        if (own->step_failed == NULL)
            abort();                         /* not even one page is left: the next start goes on from what is on the disk */
        *own->step_failed = *step;
        own->step_failed->csv = NULL;
        (void)uv_async_send(&own->async);
        return;
    }
    *change->u.credit = *step;
    change->waiter = own;
    gateway_submit(box_gateway(own->daemon->box), change, daemon_now());
}

static void op_request(void *context, enum wire_call call, const struct wire_message *message)
{
    struct daemon_sync *own = context;
    struct courier_peer peer = own->peer;

    if (call == WIRE_ENROLL) {
        peer.place = own->asked;
        peer.identity[0] = '\0';
        peer.generation++;                   /* not over a connection that knows the box as who it was */
    }
    peer.floor_s = own->summary->enrolled ? own->summary->box.mark_ms / 1000 : 0;
    own->in_flight = true;
    own->call = call;
    (void)courier_send(own->courier, &peer, call, message);   /* one at a time, as sync asks */
}

static void op_identity(void *context, const struct wire_enrolled *enrolled)
{
    struct daemon_sync *own = context;

    free(own->certificate);
    own->certificate = strdup(enrolled->certificate);
    if (own->certificate == NULL)
        abort();
    task_start(own, TASK_KEEP);
}

static void say(struct daemon_sync *own, const struct sync_status *status)
{
    bool person = status->state == SYNC_REFUSED, reached = status->state == SYNC_ONLINE;
    const char *hint = status->why[0] != '\0' ? advice_of(status) : "";
    char text[sizeof own->said];

    (void)snprintf(text, sizeof text, "account: %s%s%s", sync_state_name(status->state), status->why[0] != '\0' ? ": " : "", status->why);
    if (strcmp(text, own->said) == 0 || (own->said[0] == '\0' && status->state == SYNC_NOT_ENROLLED))
        return;
    (void)snprintf(own->said, sizeof own->said, "%s", text);
    /* What a network says comes and goes; that somebody else answers, or the account says no, is for a person. */
    if (text[strlen(text) - 1] == '.')
        text[strlen(text) - 1] = '\0';
    log_line(person ? LOG_WARNING : reached || status->why[0] != '\0' ? LOG_NOTICE : LOG_INFO, "%s%s%s%s%s%s", text,
             status->detail[0] != '\0' ? " (" : "", status->detail, status->detail[0] != '\0' ? ")" : "",
             hint[0] != '\0' ? ". " : "", hint);
}

static void op_status(void *context)
{
    struct daemon_sync *own = context;
    struct sync_status status = sync_status_now(own->sync);

    say(own, &status);
    if (status.state != SYNC_NOT_ENROLLED)
        gateway_account_link(box_gateway(own->daemon->box), status.state == SYNC_ONLINE, status.why);
    if (own->pending == NULL || own->make_next || own->task != TASK_NONE)
        return;
    if (status.state == SYNC_REFUSED && own->call == WIRE_ENROLL) {
        answer_waiter(own, API_ACCOUNT_REFUSED);
        forget_pending(own);
    } else if (status.state == SYNC_ENROLLING && status.why[0] != '\0') {
        answer_waiter(own, API_ACCOUNT_TRYING);
    }
}

static void op_refund(void *context, const struct command *command)
{
    char micro[MONEY_CHARS];

    (void)context;
    money_format_price(command->units_micro, micro);
    log_line(LOG_NOTICE, "the account gave %s credits back for message %lld, part %u: %s", micro, (long long)command->message_id,
             (unsigned)command->part, command->reason);
}

/* -- what came ------------------------------------------------------------------------------------------------------ */

static void enrolled(struct daemon_sync *own)
{
    struct daemon *daemon = own->daemon;

    log_line(LOG_NOTICE, "this box is enrolled with the account \"%s\"", own->summary->identity.account);
    if (own->asked.url[0] != '\0' && daemon->config->central.place.url[0] == '\0') {
        own->peer.place = (struct central_place){ .url = "" };
        (void)snprintf(own->peer.place.proxy, sizeof own->peer.place.proxy, "%s", daemon->config->central.place.proxy);
        identity_place(own->dir, &own->peer.place);
    }
    own->peer.generation += 2;
    (void)snprintf(own->peer.identity, sizeof own->peer.identity, "%.300s/identity.pem", own->dir);
    if (own->pending != NULL)
        forget_pending(own);
}

static void step_done(struct daemon_sync *own, const struct change_credit *step, int result)
{
    bool enrol = step->step == CREDIT_ENROL && result == 0;

    if (result == 0)
        *own->summary = step->summary;
    if (enrol)
        enrolled(own);
    sync_step_done(own->sync, step, result, sync_time());
    if (enrol)
        answer_waiter(own, API_ACCOUNT_DONE);
}

static void take_answer(struct daemon_sync *own)
{
    struct courier_answer answer;

    if (!courier_collect(own->courier, &answer))
        return;
    own->in_flight = false;
    sync_answered(own->sync, answer.error, answer.detail, answer.status, answer.body, answer.length, sync_time());
    free(answer.body);
}

static void on_wake(uv_async_t *async)
{
    struct daemon_sync *own = async->data;
    struct store_change *change = own->stepped;
    struct change_credit *failed = own->step_failed;

    if (own->stopped)
        return;
    own->stepped = NULL;
    own->step_failed = NULL;
    if (change != NULL)
        step_done(own, change->u.credit, change->result);
    change_free(change);
    if (failed != NULL)
        step_done(own, failed, -ENOMEM);
    free(failed);
    take_answer(own);
    if (own->woken) {
        own->woken = false;
        sync_wake(own->sync, own->needed_micro, sync_time());
        own->needed_micro = 0;
    }
    arm(own);
}

static void wake(void *context)   /* the courier's thread */
{
    struct daemon_sync *own = context;

    (void)uv_async_send(&own->async);
}

void daemon_sync_stepped(struct daemon *daemon, struct store_change *change)
{
    struct daemon_sync *own = daemon->sync;

    if (own == NULL || own->stopped) {
        change_free(change);
        return;
    }
    own->stepped = change;
    (void)uv_async_send(&own->async);
}

void daemon_sync_needs(struct daemon *daemon, int64_t needed_micro)
{
    struct daemon_sync *own = daemon->sync;

    if (own == NULL || own->stopped)
        return;
    own->woken = true;
    if (needed_micro > own->needed_micro)
        own->needed_micro = needed_micro;
    (void)uv_async_send(&own->async);
}

/* -- a person's question and token ----------------------------------------------------------------------------------- */

static void refuse_call(struct http_call *call, enum api_account_result result, const char *pointer, const char *detail)
{
    struct api_account *account = call->call.account;

    account->pointer = pointer;
    (void)snprintf(account->detail, sizeof account->detail, "%s", detail);
    account->result = result;
    http_call_done(call);
}

/* False: refused. */
static bool place_is_good(struct daemon_sync *own, struct http_call *call)
{
    const struct api_account *account = call->call.account;
    uint8_t pin[CENTRAL_PIN_OCTETS];
    const char *wrong = account->url[0] != '\0' ? central_url_wrong(account->url) : NULL;
    char detail[160];

    (void)snprintf(detail, sizeof detail, "The URL %s: it is to be https://HOST or https://HOST:PORT", wrong != NULL ? wrong : "");
    if (wrong != NULL)
        refuse_call(call, API_ACCOUNT_BAD_VALUE, "/url", detail);
    else if (account->pin[0] != '\0' && !central_pin_read(account->pin, pin))
        refuse_call(call, API_ACCOUNT_BAD_VALUE, "/pin", "A pin is the SHA-256 of a public key: 64 hexadecimal digits");
    else if (account->url[0] == '\0' && (account->pin[0] != '\0' || account->ca != NULL))
        refuse_call(call, API_ACCOUNT_BAD_VALUE, account->pin[0] != '\0' ? "/pin" : "/ca", "It goes with a url alone; else the configuration says whom to believe");
    else if (account->url[0] != '\0' && account->pin[0] == '\0' && account->ca == NULL)
        refuse_call(call, API_ACCOUNT_BAD_VALUE, "/url", "Nothing says how the account is known to be it: say its pin or its ca too");
    else if (account->url[0] != '\0' && own->daemon->config->central.place.url[0] != '\0')
        refuse_call(call, API_ACCOUNT_BAD_VALUE, "/url", "The configuration says where the account is, in [central]: change it there");
    else if (account->url[0] == '\0' && own->peer.place.url[0] == '\0')
        refuse_call(call, API_ACCOUNT_NO_PLACE, NULL, "Nothing says where the account is: say url and pin (or ca), or set them in [central] of the configuration");
    else
        return true;
    return false;
}

static bool is_busy(const struct daemon_sync *own)
{
    return (own->task != TASK_NONE && own->task != TASK_REMOVE) || own->waiter != NULL || (own->in_flight && own->call == WIRE_ENROLL) || own->certificate != NULL;
}

static void begin_enrolment(struct daemon_sync *own, struct http_call *call)
{
    struct api_account *account = call->call.account;
    struct identity_pending *pending = own->pending;

    if (pending != NULL) {
        sync_enroll_cancel(own->sync, sync_time());
        if (strcmp(pending->ask.token, account->token) != 0) {
            identity_pending_free(pending);
            pending = own->pending = NULL;
        }
    }
    if (pending == NULL && (pending = calloc(1, sizeof *pending)) == NULL) {
        call->call.account->store_error = -ENOMEM;
        refuse_call(call, API_ACCOUNT_NOT_STORED, NULL, "");
        return;
    }
    (void)snprintf(pending->ask.token, sizeof pending->ask.token, "%s", account->token);
    (void)snprintf(pending->ask.version, sizeof pending->ask.version, "%s", CELLPOST_VERSION);
    (void)hardware_fingerprint("", pending->ask.hw_fingerprint);
    (void)snprintf(pending->url, sizeof pending->url, "%s", account->url);
    pending->pin[0] = '\0';
    if (account->pin[0] != '\0') {
        uint8_t pin[CENTRAL_PIN_OCTETS] = { 0 };

        (void)central_pin_read(account->pin, pin);
        hex_encode(pin, sizeof pin, pending->pin);
    }
    free(pending->ca);
    pending->ca = account->ca;
    account->ca = NULL;
    own->pending = pending;
    own->asked = own->peer.place;
    own->waiter = call;
    own->remove_pending = false;             /* the file is replaced */
    own->make_next = own->task != TASK_NONE;
    if (!own->make_next)
        task_start(own, TASK_MAKE);
}

void daemon_sync_account(struct daemon *daemon, struct http_call *call)
{
    struct daemon_sync *own = daemon->sync;
    struct api_account *account = call->call.account;

    if (own == NULL || own->stopped) {
        refuse_call(call, API_ACCOUNT_STOPPING, NULL, "");
    } else if (!account->enroll) {
        fill(own, account);
        account->result = API_ACCOUNT_DONE;
        http_call_done(call);
    } else if (is_busy(own)) {
        refuse_call(call, API_ACCOUNT_BUSY, NULL, "");
    } else if (place_is_good(own, call)) {
        begin_enrolment(own, call);
        arm(own);
    }
}

/* -- start and end --------------------------------------------------------------------------------------------------- */

static void say_start(struct daemon_sync *own)
{
    if (own->peer.place.url[0] != '\0')
        log_line(LOG_INFO, "the account is at %s%s", own->peer.place.url, own->peer.identity[0] != '\0' ? "" : "; this box is not enrolled there: cellpost enroll TOKEN");
    else if (store_has_credits(own->daemon->store))
        log_line(LOG_WARNING, "this box has an account, but nothing says where it is: set url and ca or pin in [central]. What it still may spend is spent");
    else
        log_line(LOG_INFO, "no account is configured: messages cost no credits here");
}

static void resume_pending(struct daemon_sync *own)
{
    int r = identity_pending_read(own->dir, &own->pending);

    if (r == -ENOENT)
        return;
    if (r == 0) {
        (void)hardware_fingerprint("", own->pending->ask.hw_fingerprint);
        own->asked = own->peer.place;
        r = identity_pending_place(own->dir, own->pending, &own->asked);
    }
    if (r == 0)
        ask_account(own);
    else
        log_line(LOG_WARNING, "%s/pending cannot be read (%s): enrol this box again", own->dir, strerror(-r));
}

int daemon_sync_start(struct daemon *daemon)
{
    static const struct sync_ops ops = { .step = op_step, .request = op_request, .identity = op_identity, .status = op_status, .refund = op_refund };
    const struct config_central *central = &daemon->config->central;
    struct daemon_sync *own = calloc(1, sizeof *own);
    struct sync_config config = { .ops = &ops, .context = own, .random = draw, .want_micro = central->lease_micro, .interval_ms = central->interval_ms };
    const char *source = hardware_fingerprint("", config.hw_fingerprint);
    int r = -ENOMEM;

    if (own == NULL)
        return -ENOMEM;
    daemon->sync = own;
    own->daemon = daemon;
    (void)uv_async_init(&daemon->loop, &own->async, on_wake);
    (void)uv_timer_init(&daemon->loop, &own->timer);
    own->async.data = own->timer.data = own;
    own->peer.place = central->place;
    (void)snprintf(own->dir, sizeof own->dir, "%s/central", daemon->config->gateway.state_dir);
    identity_place(own->dir, &own->peer.place);
    if (identity_is_there(own->dir))
        (void)snprintf(own->peer.identity, sizeof own->peer.identity, "%.300s/identity.pem", own->dir);
    own->summary = calloc(1, sizeof *own->summary);
    own->sync = sync_new(&config);
    if (own->sync != NULL && own->summary != NULL)
        r = courier_start(wake, own, &own->courier);
    if (r < 0) {
        log_line(LOG_ERROR, "the thread that speaks with the account cannot be started: %s", strerror(-r));
        return r;
    }
    if (source != NULL)
        log_line(LOG_INFO, "this machine is known by %s", source);
    say_start(own);
    resume_pending(own);
    sync_poll(own->sync, sync_time());
    arm(own);
    return 0;
}

void daemon_sync_stop(struct daemon *daemon)
{
    struct daemon_sync *own = daemon->sync;

    if (own == NULL || own->stopped)
        return;
    own->stopped = true;
    (void)uv_timer_stop(&own->timer);
    courier_stop(own->courier);
    own->courier = NULL;
    if (own->waiter != NULL) {
        refuse_call(own->waiter, API_ACCOUNT_STOPPING, NULL, "");
        own->waiter = NULL;
    }
    change_free(own->stepped);
    own->stepped = NULL;
}

void daemon_sync_done(struct daemon *daemon)
{
    struct daemon_sync *own = daemon->sync;

    if (own == NULL)
        return;
    sync_free(own->sync);
    identity_pending_free(own->pending);
    free(own->certificate);
    free(own->step_failed);
    free(own->summary);
    free(own);
    daemon->sync = NULL;
}
