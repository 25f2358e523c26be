/* SPDX-License-Identifier: Apache-2.0
 *
 * api_live.c - modems as they are now, the cards seen so far, and whether all is well. */
#include <stdio.h>
#include <string.h>

#include "src/api/api_internal.h"

/* 3GPP TS 27.007 7.2, 10.1.20: <stat> of +CREG, +CGREG, +CEREG. */
static const char *registration_name(int stat)
{
    static const char *const names[] = { "not_registered", "home", "searching", "denied", "unknown", "roaming", "home_sms_only",
                                         "roaming_sms_only", "emergency_only", "home_no_csfb", "roaming_no_csfb" };

    return stat >= 0 && (size_t)stat < sizeof names / sizeof names[0] ? names[stat] : "unknown";
}

static json_t *modem_render(const struct live_modem *modem, const char *tag)
{
    json_t *item = json_object(), *part;

    json_object_set_new(item, "port", json_string(""));
    json_put_text(item, "port", modem->port);
    json_put_text(item, "bank", modem->bank);
    json_put_text(item, "state", modem->state);
    if (modem->reason_code[0] || modem->reason[0]) {
        part = json_object();
        json_put_text(part, "code", modem->reason_code);
        json_put_text(part, "detail", modem->reason);
        json_object_set_new(item, "reason", part);
    }
    json_put_text(item, "manufacturer", modem->manufacturer);
    json_put_text(item, "model", modem->model);
    json_put_text(item, "revision", modem->revision);
    json_put_text(item, "imei", modem->imei);
    json_put_text(item, "sim", modem->iccid);
    json_put_text(item, "imsi", modem->imsi);
    json_put_text(item, "operator", modem->operator_name);
    json_put_text(item, "smsc", modem->smsc);
    json_put_text(item, "registration", registration_name(modem->registration));
    json_put_bool(item, "roaming", modem->roaming);
    if (modem->signal_dbm != 0)
        json_put_int(item, "signal_dbm", modem->signal_dbm);
    if (modem->storage_used >= 0 && modem->storage_total >= 0) {
        part = json_object();
        json_put_int(part, "used", modem->storage_used);
        json_put_int(part, "total", modem->storage_total);
        json_object_set_new(item, "storage", part);
    }
    json_put_int(item, "sent", (int64_t)modem->sent);
    json_put_int(item, "refused", (int64_t)modem->refused);
    json_put_int(item, "unknown", (int64_t)modem->unknown);
    json_put_int(item, "received", (int64_t)modem->received);
    json_put_int(item, "busy_ms", (int64_t)modem->busy_ms);
    json_put_int(item, "since_ready_ms", (int64_t)modem->since_ready_ms);
    if (modem->message_id > 0) {
        part = json_object();
        json_put_id(part, "message", tag, 'm', modem->message_id);
        json_put_int(part, "part", modem->part + 1);
        json_put_int(part, "parts", modem->parts);
        json_object_set_new(item, "on_air", part);
    }
    return item;
}

static void modems_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    json_t *body = json_object(), *list = json_array();

    for (uint32_t i = 0; i < call->live.modem_count; i++)
        json_array_append_new(list, modem_render(&call->live.modems[i], api->tag));
    json_object_set_new(body, "modems", list);
    api_answer_json(ret_response, 200, body);
}

enum api_step api_modems_list(struct api_exchange *exchange)
{
    return api_wait(exchange, modems_finish) ? API_WAIT_LIVE : API_DONE;
}

/* -- cards ----------------------------------------------------------------------------------------------------- */

static void sim_add(void *context, const struct sim_row *row)
{
    json_t *item = json_object();

    json_object_set_new(item, "iccid", json_string(""));
    json_put_text(item, "iccid", row->iccid);
    json_put_text(item, "imsi", row->imsi);
    json_put_text(item, "modem", row->imei_last);
    json_put_time(item, "first_seen_at", row->first_seen_ms);
    json_put_time(item, "last_seen_at", row->last_seen_ms);
    json_put_int(item, "parts_sent", (int64_t)row->parts_sent);
    if (row->balance_at_ms != 0)
        json_object_set_new(item, "balance", api_balance_render(row->has_balance, row->balance_micro, row->currency, row->rest_parts,
                                                                row->valid_until, row->balance_at_ms, row->balance_source, row->balance_answer));
    json_array_append_new(context, item);
}

enum api_step api_sims_list(struct api_exchange *exchange)
{
    json_t *body = json_object(), *list = json_array();
    int r = store_read_sims(exchange->api->reader, sim_add, list);

    json_object_set_new(body, "sims", list);
    if (r < 0) {
        json_decref(body);
        api_problem_store(exchange->response, r);
    } else {
        api_answer_json(exchange->response, 200, body);
    }
    return API_DONE;
}

/* -- health ---------------------------------------------------------------------------------------------------- */

static bool modem_works(const struct live_modem *modem)
{
    return strcmp(modem->state, "ready") == 0 || strcmp(modem->state, "sending") == 0;
}

/* 200 also while no modem works: messages are taken and kept, and restarting the gateway would not help. 503 where
 * a message that is sent here now would be refused. */
static void health_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct live_view *view = &call->live;
    json_t *body = json_object(), *modems = json_object(), *problems = json_array();
    uint32_t ready = 0;

    for (uint32_t i = 0; i < view->modem_count; i++)
        ready += modem_works(&view->modems[i]);
    if (!view->accepting)
        json_array_append_new(problems, json_string(view->problem[0] ? view->problem : "no new messages are taken"));
    if (ready == 0)
        json_array_append_new(problems, json_string(view->modem_count ? "no modem is ready" : "there is no modem"));
    if (view->alarm[0])
        json_array_append_new(problems, json_string(view->alarm));

    json_put_text(body, "status", !view->accepting ? "unavailable" : ready == 0 || view->alarm[0] ? "degraded" : "ok");
    json_object_set_new(body, "problems", problems);
    json_put_text(body, "version", api->config.version);
    json_put_time(body, "started_at", view->started_ms);
    json_put_int(modems, "total", view->modem_count);
    json_put_int(modems, "ready", ready);
    json_object_set_new(body, "modems", modems);
    json_put_int(body, "queue_ready", (int64_t)view->queue_ready);
    api_answer_json(ret_response, view->accepting ? 200 : 503, body);
}

enum api_step api_health_read(struct api_exchange *exchange)
{
    return api_wait(exchange, health_finish) ? API_WAIT_LIVE : API_DONE;
}
