/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon_routing.c - tariffs, routes and limits: in force at the start, read anew at SIGHUP.
 *
 * What is read anew is read beside the loop, for tables are large. It is in force when all of it was read without an error
 * and its version is on disk; until then, and otherwise, that of before is. */
#include "firmware/cellpostd/daemon_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reload {
    uv_work_t work;
    struct daemon *daemon;
    const char *path;
    struct config config;                /* after config_result 0 */
    struct routing *routing;             /* after result 0 */
    struct config_errors config_errors, errors;
    int config_result, result, version_error;
};

static void reload_free(struct reload *reload)
{
    if (reload == NULL)
        return;
    if (reload->config_result == 0)
        config_done(&reload->config);
    routing_free(reload->routing);
    free(reload);
}

static struct store_change *version_change(struct routing *routing, int64_t now_ms)
{
    struct routing_record *record = routing_record(routing);
    struct store_change *change = change_new(CHANGE_ROUTING, now_ms);

    if (change != NULL) {
        memcpy(change->u.routing.sha256, record->sha256, sizeof record->sha256);
        change->u.routing.files = record->files;
        record->files = NULL;
    }
    return change;
}

static void say_in_force(const struct routing *routing)
{
    char text[160];

    if (routing->version == 0)
        return;
    routing_describe(routing, text, sizeof text);
    log_line(LOG_NOTICE, "tariffs and routes in force: version %lld, %s", (long long)routing->version, text);
}

/* -- at the start --------------------------------------------------------------------------------------------- */

static int keep_first_version(struct daemon *daemon, struct routing *routing)
{
    struct store_change *change;
    int r = -ENOMEM;

    if (routing_record(routing)->count == 0)
        return 0;
    change = version_change(routing, daemon_now().wall_ms);
    if (change != NULL)
        r = store_apply(daemon->store, change);
    if (r == 0)
        r = change->result;
    if (r == 0)
        routing->version = change->u.routing.version;
    change_free(change);
    return r;
}

int daemon_routing_start(struct daemon *daemon, struct routing *routing)
{
    struct routing_held *held;
    int r = keep_first_version(daemon, routing);

    if (r < 0) {
        log_line(LOG_ERROR, "%s: the version of the tariffs and routes cannot be written down: %s", daemon->db_path, strerror(-r));
        routing_free(routing);
        return r;
    }
    held = routing_held_new(routing);
    daemon->routing = routing_share_new();
    if (held == NULL || daemon->routing == NULL) {
        if (held != NULL)
            routing_share_release(held);
        else
            routing_free(routing);
        return -ENOMEM;
    }
    routing_share_put(daemon->routing, held);
    r = gateway_set_routing(box_gateway(daemon->box), routing, daemon_now());
    if (r == 0)
        say_in_force(routing);
    return r;
}

/* -- anew ----------------------------------------------------------------------------------------------------- */

static void swap(void *a, void *b, void *scratch, size_t size)
{
    memcpy(scratch, a, size);
    memcpy(a, b, size);
    memcpy(b, scratch, size);
}

/* The rest of the running configuration is in use by other threads. */
static void swap_sections(struct config *a, struct config *b)
{
    struct config scratch;

    swap(&a->banks, &b->banks, &scratch.banks, sizeof a->banks);
    swap(&a->bank_count, &b->bank_count, &scratch.bank_count, sizeof a->bank_count);
    swap(&a->sims, &b->sims, &scratch.sims, sizeof a->sims);
    swap(&a->sim_count, &b->sim_count, &scratch.sim_count, sizeof a->sim_count);
    swap(&a->sim_default, &b->sim_default, &scratch.sim_default, sizeof a->sim_default);
    swap(&a->routing, &b->routing, &scratch.routing, sizeof a->routing);
}

static bool needs_restart(const struct config *a, const struct config *b)
{
    return strcmp(a->gateway.state_dir, b->gateway.state_dir) != 0 || strcmp(a->api.listen, b->api.listen) != 0 ||
           strcmp(a->api.socket, b->api.socket) != 0 || strcmp(a->api.cert, b->api.cert) != 0 ||
           a->gateway.fixed_lines != b->gateway.fixed_lines || a->optout.enabled != b->optout.enabled ||
           strcmp(a->optout.confirm, b->optout.confirm) != 0 || strcmp(a->central.place.url, b->central.place.url) != 0 ||
           strcmp(a->central.place.ca, b->central.place.ca) != 0 || a->central.place.has_pin != b->central.place.has_pin ||
           memcmp(a->central.place.pin, b->central.place.pin, sizeof a->central.place.pin) != 0 ||
           strcmp(a->central.place.proxy, b->central.place.proxy) != 0 || a->central.lease_micro != b->central.lease_micro ||
           a->central.interval_ms != b->central.interval_ms;
}

static void reload_start(struct daemon *daemon);

static void reload_end(struct daemon *daemon)
{
    reload_free(daemon->reload);
    daemon->reload = NULL;
    if (daemon->reload_again && !daemon->stopping)
        reload_start(daemon);
}

static void reload_refuse(struct daemon *daemon)
{
    log_line(LOG_ERROR, "the running configuration stays in force, and so do the running tariffs");
    reload_end(daemon);
}

/* All of it is new or nothing is. */
static void reload_adopt(struct daemon *daemon)
{
    struct reload *reload = daemon->reload;
    struct routing *routing = reload->routing;
    struct routing_held *held = routing_held_new(routing);
    int r = -ENOMEM;

    if (held != NULL) {
        reload->routing = NULL;
        routing->fixed_lines = daemon->config->gateway.fixed_lines;   /* as it was at the start, like all of [gateway] */
        r = gateway_set_routing(box_gateway(daemon->box), routing, daemon_now());
    }
    if (r < 0) {
        log_line(LOG_ERROR, "%s: there is not enough memory for its tariffs and routes", reload->path);
        routing_share_release(held);
        reload_refuse(daemon);
        return;
    }
    routing_share_put(daemon->routing, held);   /* the gateway has let go of those of before */
    swap_sections(daemon->config, &reload->config);
    daemon->cards_said_count = 0;
    daemon_operators_load(daemon);
    daemon_ports_scan(daemon);
    log_line(LOG_NOTICE, "%s was read again", reload->path);
    say_in_force(routing);
    reload_end(daemon);
}

void daemon_routing_answer(struct daemon *daemon, struct store_change *change)
{
    struct reload *reload = change->waiter;

    reload->routing->version = change->u.routing.version;
    reload->version_error = change->result;
    change_free(change);
    daemon->reload_kept = true;
}

void daemon_routing_settle(struct daemon *daemon)
{
    struct reload *reload = daemon->reload;

    if (!daemon->reload_kept || daemon->stopping)
        return;                          /* what is left is freed with the daemon */
    daemon->reload_kept = false;
    if (reload->version_error == 0) {
        reload_adopt(daemon);
        return;
    }
    log_line(LOG_ERROR, "%s: the version of its tariffs and routes cannot be written down: %s", reload->path, strerror(-reload->version_error));
    reload_refuse(daemon);
}

static void reload_work(uv_work_t *work)   /* a thread of its own */
{
    struct reload *reload = work->data;

    reload->config_result = config_load(reload->path, &reload->config, &reload->config_errors);
    if (reload->config_result == 0)
        reload->result = routing_load(&reload->config, &reload->routing, &reload->errors);
}

static void reload_loaded(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    struct daemon *daemon = reload->daemon;
    struct store_change *change;

    (void)status;                        /* never cancelled */
    if (daemon->stopping)
        return;                          /* freed with the daemon */
    daemon_log_notes(LOG_ERROR, &reload->config_errors.errors);
    daemon_log_notes(LOG_WARNING, &reload->config_errors.warnings);
    daemon_log_notes(LOG_ERROR, &reload->errors.errors);
    daemon_log_notes(LOG_WARNING, &reload->errors.warnings);
    if (reload->config_result < 0 || reload->result < 0) {
        reload_refuse(daemon);
        return;
    }
    if (needs_restart(daemon->config, &reload->config))
        log_line(LOG_WARNING, "changes of [gateway], [api], [optout] and [central] need a restart; ports, SIMs and tariffs were read again");
    if (routing_record(reload->routing)->count == 0) {
        reload_adopt(daemon);
        return;
    }
    change = version_change(reload->routing, daemon_now().wall_ms);
    if (change == NULL) {
        log_line(LOG_ERROR, "%s: there is not enough memory for its tariffs and routes", reload->path);
        reload_refuse(daemon);
        return;
    }
    change->waiter = reload;
    gateway_submit(box_gateway(daemon->box), change, daemon_now());
}

static void reload_start(struct daemon *daemon)
{
    struct reload *reload = calloc(1, sizeof *reload);

    daemon->reload_again = false;
    if (reload == NULL) {
        log_line(LOG_ERROR, "%s cannot be read again: there is not enough memory", daemon->config_path);
        return;
    }
    *reload = (struct reload){ .work = { .data = reload }, .daemon = daemon, .path = daemon->config_path, .config_result = -ECANCELED };
    daemon->reload = reload;
    (void)uv_queue_work(&daemon->loop, &reload->work, reload_work, reload_loaded);
}

void daemon_routing_reload(struct daemon *daemon)
{
    if (daemon->stopping)
        return;
    if (daemon->reload != NULL)
        daemon->reload_again = true;     /* what is read now may be of before the change that was signalled */
    else
        reload_start(daemon);
}

void daemon_routing_done(struct daemon *daemon)
{
    reload_free(daemon->reload);
    daemon->reload = NULL;
    routing_free(daemon->first_routing);
    daemon->first_routing = NULL;
    routing_share_free(daemon->routing);
    daemon->routing = NULL;
}

/* -- cards ---------------------------------------------------------------------------------------------------- */

static bool was_said(struct daemon *daemon, const char *iccid)
{
    uint32_t room = sizeof daemon->cards_said / sizeof daemon->cards_said[0];

    for (uint32_t i = 0; i < daemon->cards_said_count && i < room; i++)
        if (strcmp(daemon->cards_said[i], iccid) == 0)
            return true;
    (void)snprintf(daemon->cards_said[daemon->cards_said_count++ % room], sizeof daemon->cards_said[0], "%s", iccid);
    return false;
}

/* Somebody who has tariffs and puts a card in should not wonder where its messages go. */
void daemon_routing_card(struct daemon *daemon, const char *iccid)
{
    const struct config_sim *sim = config_find_sim(daemon->config, iccid);
    struct routing_held *held;

    if (*(sim ? sim : &daemon->config->sim_default)->tariff != '\0' || daemon->routing == NULL)
        return;
    held = routing_share_hold(daemon->routing);
    if (routing_held(held)->tariffs == NULL || was_said(daemon, iccid))
        goto out;
    if (daemon->config->routing.tariff[0] != '\0')
        log_line(LOG_NOTICE, "SIM %s has no tariff: the default '%s' is taken for it", iccid, daemon->config->routing.tariff);
    else
        log_line(LOG_WARNING, "SIM %s has no tariff: nothing can go by it, as its prices are not known. Give it one in [sim \"%s\"], or a tariff"
                              " for all in [routing]", iccid, iccid);
out:
    routing_share_release(held);
}

/* -- for server threads --------------------------------------------------------------------------------------- */

enum api_route_verdict daemon_routing_route(void *context, const char *to, enum number_kind kind, char ret_note[API_ROUTE_NOTE_MAX])
{
    struct daemon *daemon = context;
    struct routing_held *held = routing_share_hold(daemon->routing);
    enum api_route_verdict verdict = api_route_ask(held != NULL ? routing_held(held) : NULL, to, ret_note);

    (void)kind;
    routing_share_release(held);
    return verdict;
}

void daemon_routing_currency(void *context, char ret_currency[4])
{
    struct daemon *daemon = context;
    struct routing_held *held = routing_share_hold(daemon->routing);

    (void)snprintf(ret_currency, 4, "%s", held != NULL ? routing_held(held)->currency : "");
    routing_share_release(held);
}
