/* SPDX-License-Identifier: Apache-2.0
 *
 * api_metrics.c - GET /metrics in the text format of Prometheus 0.0.4. One row per metric. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"

static void header_write(struct api_text *text, const char *name, const char *type, const char *help)
{
    api_text_print(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line end are escaped, the rest is UTF-8. */
static void label_write(struct api_text *text, const char *name, const char *value)
{
    char clean[512];

    api_text_clean(value, clean, sizeof clean);
    api_text_print(text, "%s=\"", name);
    for (const char *c = clean; *c; c++) {
        if (*c == '\\' || *c == '"')
            api_text_add(text, "\\", 1);
        if (*c == '\n')
            api_text_add(text, "\\n", 2);
        else
            api_text_add(text, c, 1);
    }
    api_text_add(text, "\"", 1);
}

/* -- of the gateway -------------------------------------------------------------------------------------------- */

static const struct { size_t offset; const char *name, *label, *type, *help; } view_metrics[] = {
    { offsetof(struct live_view, queue_ready), "cellpost_queue_ready", "", "gauge", "Messages that wait for a modem and are held in memory." },
    { offsetof(struct live_view, accepted), "cellpost_messages_accepted_total", "", "counter", "Messages accepted since start." },
    { offsetof(struct live_view, parts_sent), "cellpost_parts_total", "{result=\"sent\"}", "counter",
      "Parts handed to modems since start, by what became of them." },
    { offsetof(struct live_view, parts_refused), "cellpost_parts_total", "{result=\"refused\"}", NULL, NULL },
    { offsetof(struct live_view, parts_unknown), "cellpost_parts_total", "{result=\"unknown\"}", NULL, NULL },
    { offsetof(struct live_view, reports), "cellpost_reports_total", "", "counter", "Delivery reports received since start." },
    { offsetof(struct live_view, reports_unmatched), "cellpost_reports_unmatched_total", "", "counter",
      "Delivery reports that fit no part." },
    { offsetof(struct live_view, received), "cellpost_received_total", "", "counter", "Incoming parts since start." },
    { offsetof(struct live_view, duplicates_dropped), "cellpost_received_duplicates_total", "", "counter",
      "Incoming parts that a modem gave twice." },
    { offsetof(struct live_view, store_commits), "cellpost_store_commits_total", "", "counter", "Commits of the database since start." },
    { offsetof(struct live_view, store_changes), "cellpost_store_changes_total", "", "counter", "Changes written by these commits." },
    { offsetof(struct live_view, store_failures), "cellpost_store_failures_total", "", "counter", "Commits that failed." },
    { offsetof(struct live_view, store_bytes_written), "cellpost_store_bytes_written_total", "", "counter",
      "Octets the disk was asked to write: what wears a card." },
    { offsetof(struct live_view, store_syncs), "cellpost_store_syncs_total", "", "counter", "Syncs the disk was asked for." },
};

static const struct { size_t offset; const char *name, *quantile, *help; } quantiles[] = {
    { offsetof(struct live_view, commit_us_p50), "cellpost_store_commit_seconds", "0.5", "Time of one commit, over the last 1024." },
    { offsetof(struct live_view, commit_us_p99), "cellpost_store_commit_seconds", "0.99", NULL },
    { offsetof(struct live_view, accept_to_air_us_p50), "cellpost_accept_to_air_seconds", "0.5",
      "From acceptance to the modem where one was idle, over the last 1024 messages." },
    { offsetof(struct live_view, accept_to_air_us_p99), "cellpost_accept_to_air_seconds", "0.99", NULL },
};

static uint64_t number_at(const void *object, size_t offset)
{
    uint64_t number;

    memcpy(&number, (const char *)object + offset, sizeof number);
    return number;
}

static void view_write(struct api_text *text, const struct live_view *view)
{
    for (size_t i = 0; i < sizeof view_metrics / sizeof view_metrics[0]; i++) {
        if (view_metrics[i].type)
            header_write(text, view_metrics[i].name, view_metrics[i].type, view_metrics[i].help);
        api_text_print(text, "%s%s %llu\n", view_metrics[i].name, view_metrics[i].label,
                       (unsigned long long)number_at(view, view_metrics[i].offset));
    }
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        uint64_t us = number_at(view, quantiles[i].offset);
        if (quantiles[i].help)
            header_write(text, quantiles[i].name, "summary", quantiles[i].help);
        api_text_print(text, "%s{quantile=\"%s\"} %llu.%06llu\n", quantiles[i].name, quantiles[i].quantile,
                       (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
    }
}

/* -- of each modem --------------------------------------------------------------------------------------------- */

static const struct { size_t offset; const char *name, *label, *help; } modem_counters[] = {
    { offsetof(struct live_modem, sent), "cellpost_modem_parts_total", ",result=\"sent\"", "Parts by modem since start." },
    { offsetof(struct live_modem, refused), "cellpost_modem_parts_total", ",result=\"refused\"", NULL },
    { offsetof(struct live_modem, unknown), "cellpost_modem_parts_total", ",result=\"unknown\"", NULL },
    { offsetof(struct live_modem, received), "cellpost_modem_received_total", "", "Incoming parts by modem since start." },
};

static const struct { size_t offset; const char *name, *help; } modem_seconds[] = {
    { offsetof(struct live_modem, busy_ms), "cellpost_modem_busy_seconds_total", "Time with a part in its hands." },
    { offsetof(struct live_modem, since_ready_ms), "cellpost_modem_since_ready_seconds", "Time since it first was ready." },
};

static void modem_labels_write(struct api_text *text, const struct live_modem *modem)
{
    label_write(text, "port", modem->port);
    api_text_add(text, ",", 1);
    label_write(text, "imei", modem->imei);
    api_text_add(text, ",", 1);
    label_write(text, "sim", modem->iccid);
}

static void modem_value_write(struct api_text *text, const char *name, const struct live_modem *modem, const char *label)
{
    api_text_print(text, "%s{", name);
    modem_labels_write(text, modem);
    api_text_print(text, "%s} ", label);
}

static void modems_write(struct api_text *text, const struct live_view *view)
{
    if (view->modem_count == 0)
        return;
    header_write(text, "cellpost_modem_state", "gauge", "1 for the state a modem is in.");
    for (uint32_t i = 0; i < view->modem_count; i++) {
        api_text_print(text, "cellpost_modem_state{");
        modem_labels_write(text, &view->modems[i]);
        api_text_add(text, ",", 1);
        label_write(text, "state", view->modems[i].state);
        api_text_print(text, "} 1\n");
    }
    header_write(text, "cellpost_modem_signal_dbm", "gauge", "Signal strength, where known.");
    for (uint32_t i = 0; i < view->modem_count; i++) {
        if (view->modems[i].signal_dbm == 0)
            continue;
        modem_value_write(text, "cellpost_modem_signal_dbm", &view->modems[i], "");
        api_text_print(text, "%d\n", view->modems[i].signal_dbm);
    }
    for (size_t k = 0; k < sizeof modem_counters / sizeof modem_counters[0]; k++) {
        if (modem_counters[k].help)
            header_write(text, modem_counters[k].name, "counter", modem_counters[k].help);
        for (uint32_t i = 0; i < view->modem_count; i++) {
            modem_value_write(text, modem_counters[k].name, &view->modems[i], modem_counters[k].label);
            api_text_print(text, "%llu\n", (unsigned long long)number_at(&view->modems[i], modem_counters[k].offset));
        }
    }
    for (size_t k = 0; k < sizeof modem_seconds / sizeof modem_seconds[0]; k++) {
        bool counter = strstr(modem_seconds[k].name, "_total") != NULL;
        header_write(text, modem_seconds[k].name, counter ? "counter" : "gauge", modem_seconds[k].help);
        for (uint32_t i = 0; i < view->modem_count; i++) {
            uint64_t ms = number_at(&view->modems[i], modem_seconds[k].offset);
            modem_value_write(text, modem_seconds[k].name, &view->modems[i], "");
            api_text_print(text, "%llu.%03llu\n", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
        }
    }
}

/* -- the page -------------------------------------------------------------------------------------------------- */

static void metrics_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct live_view *view = &call->live;
    struct api_text text = { 0 };
    uint64_t counts[16] = { 0 }, opt_outs = 0;
    struct credit_row credit;
    int credit_result = -ENOENT;
    int r = store_read_counts(api->reader, counts);

    if (r == 0)
        r = store_read_opt_out_count(api->reader, &opt_outs);
    if (r == 0) {
        credit_result = store_read_credit(api->reader, &credit);
        r = credit_result != -ENOENT ? credit_result : 0;
    }
    if (r < 0) {
        api_problem_store(ret_response, r);
        return;
    }
    header_write(&text, "cellpost_build_info", "gauge", "1, with the version as label.");
    api_text_print(&text, "cellpost_build_info{");
    label_write(&text, "version", api->config.version);
    api_text_print(&text, "} 1\n");
    header_write(&text, "cellpost_start_time_seconds", "gauge", "When the gateway started, in Unix seconds.");
    api_text_print(&text, "cellpost_start_time_seconds %lld\n", (long long)(view->started_ms / 1000));
    header_write(&text, "cellpost_accepting", "gauge", "1 while new messages are taken.");
    api_text_print(&text, "cellpost_accepting %d\n", view->accepting);
    header_write(&text, "cellpost_sims_resting", "gauge", "SIMs that wait after refusals of their own.");
    api_text_print(&text, "cellpost_sims_resting %u\n", (unsigned)view->sims_resting);
    header_write(&text, "cellpost_alarm", "gauge", "1 while every SIM that is ready rests.");
    api_text_print(&text, "cellpost_alarm %d\n", view->alarm[0] != '\0');
    header_write(&text, "cellpost_messages", "gauge", "Messages in the store by state.");
    for (int state = MESSAGE_SCHEDULED; state <= MESSAGE_STATE_LAST; state++)
        api_text_print(&text, "cellpost_messages{state=\"%s\"} %llu\n", message_state_name((enum message_state)state),
                       (unsigned long long)counts[state]);
    header_write(&text, "cellpost_opt_outs", "gauge", "Numbers that want no more messages.");
    api_text_print(&text, "cellpost_opt_outs %llu\n", (unsigned long long)opt_outs);
    if (credit_result == 0) {
        header_write(&text, "cellpost_credit_micro", "gauge", "Millionths of a credit: to be spent, reserved, and spent of leases that are not closed.");
        api_text_print(&text, "cellpost_credit_micro{account=\"available\"} %lld\ncellpost_credit_micro{account=\"reserved\"} %lld\n"
                              "cellpost_credit_micro{account=\"captured\"} %lld\n",
                       (long long)credit.open.available_micro, (long long)credit.reserved_micro,
                       (long long)(credit.open.captured_micro + credit.old.captured_micro));
    }
    view_write(&text, view);
    modems_write(&text, view);
    if (text.failed) {
        api_problem_plain(ret_response, PROBLEM_INTERNAL_ERROR, "Out of memory");
        return;
    }
    ret_response->status = 200;
    ret_response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    ret_response->body = text.bytes;
    ret_response->length = text.length;
}

enum api_step api_metrics_read(struct api_exchange *exchange)
{
    return api_wait(exchange, metrics_finish) ? API_WAIT_LIVE : API_DONE;
}
