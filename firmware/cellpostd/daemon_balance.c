/* SPDX-License-Identifier: Apache-2.0
 *
 * What SIMs have left: asked by the code of their operator, read by its patterns, stored. An answer that fits none is said and not
 * guessed at: the last balance stays. */
#include "firmware/cellpostd/daemon_internal.h"

#include "firmware/common/file_read.h"

#include "src/base/date.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "operators.csv"
#define FILE_OCTETS_MAX (4u << 20)

/* -- the table ------------------------------------------------------------------------------------------------- */

void daemon_operators_load(struct daemon *daemon)
{
    const char *slash = strrchr(daemon->config_path, '/');
    int folder = slash != NULL ? (int)(slash + 1 - daemon->config_path) : 0;
    struct table_notes *notes = calloc(1, sizeof *notes);
    struct operator_table *operators = NULL;
    char path[CONFIG_PATH_MAX + 32], *text = NULL;
    size_t length = 0;
    int r = notes == NULL ? -ENOMEM : 0;

    if (daemon->config->routing.operators[0] != '\0')
        (void)snprintf(path, sizeof path, "%s", daemon->config->routing.operators);
    else
        (void)snprintf(path, sizeof path, "%.*s" FILE_NAME, folder, daemon->config_path);
    if (r == 0)
        r = file_read(path, FILE_OCTETS_MAX, &text, &length);
    if (r == 0)
        r = operator_parse(&(struct table_file){ path, text, length }, &operators, notes);
    if (r == 0) {
        operator_free(daemon->operators);
        daemon->operators = operators;
        log_line(LOG_INFO, "%s: rows: %zu", path, operator_row_count(operators));
    } else if (r == -EINVAL) {
        for (unsigned i = 0; i < notes->count; i++)
            log_line(LOG_ERROR, "%s", notes->text[i]);
        if (notes->more != 0)
            log_line(LOG_ERROR, "... and %u more", notes->more);
    } else if (r != -ENOENT) {
        log_line(LOG_ERROR, "%s: cannot be read: %s", path, strerror(-r));
    }
    if (r < 0 && daemon->operators == NULL)
        log_line(LOG_INFO, "no table of operators (%s): what SIMs have left is not asked for", path);
    free(text);
    free(notes);
}

/* -- reading --------------------------------------------------------------------------------------------------- */

/* For people: "Orange (26201)", or the first digits of the IMSI alone. */
static const char *operator_shown(const struct daemon *daemon, const char *imsi, char ret_text[96])
{
    const char *name = daemon->operators != NULL ? operator_name(daemon->operators, imsi) : "";

    (void)snprintf(ret_text, 96, "%.60s%s%.5s%s", name, name[0] != '\0' ? " (" : "network ", imsi[0] != '\0' ? imsi : "unknown",
                   name[0] != '\0' ? ")" : "");
    return ret_text;
}

/* NULL: no memory. */
static struct store_change *change_of(const struct operator_reading *reading, const char *iccid, const char *source, const char *text, int64_t now_ms)
{
    struct store_change *change = change_new(CHANGE_BALANCE, now_ms);
    char until[DATE_CHARS] = "";

    if (change == NULL)
        return NULL;
    change->u.balance.answer = strdup(text);
    if (change->u.balance.answer == NULL) {
        change_free(change);
        return NULL;
    }
    if (reading->has_date)
        date_format(reading->valid_until_day, until);
    (void)snprintf(change->u.balance.iccid, sizeof change->u.balance.iccid, "%s", iccid);
    (void)snprintf(change->u.balance.source, sizeof change->u.balance.source, "%s", source);
    (void)snprintf(change->u.balance.valid_until, sizeof change->u.balance.valid_until, "%.11s", until);
    memcpy(change->u.balance.currency, reading->currency, sizeof change->u.balance.currency);
    change->u.balance.has_balance = reading->has_balance;
    change->u.balance.balance_micro = reading->balance_micro;
    change->u.balance.has_parts = reading->has_parts;
    change->u.balance.rest_parts = reading->rest_parts;
    return change;
}

/* As box.c names a card to the store. */
static void card_name(const struct modem_identity *identity, char ret_name[32])
{
    if (identity->iccid[0] != '\0')
        (void)snprintf(ret_name, 32, "%s", identity->iccid);
    else
        (void)snprintf(ret_name, 32, "imsi:%s", identity->imsi);
}

/* -- asking ---------------------------------------------------------------------------------------------------- */

int daemon_balance_ask(struct daemon *daemon, uint32_t slot, struct http_call *call)
{
    const struct modem_identity *identity = &box_modem_status(daemon->box, slot)->identity;
    const char *code = daemon->operators != NULL ? operator_balance_code(daemon->operators, identity->imsi) : "";
    char shown[96];

    if (code[0] != '\0')
        return daemon_ask_code(daemon, slot, code, NULL, 0, true, call);
    if (call != NULL) {
        (void)snprintf(call->call.ask->detail, sizeof call->call.ask->detail,
                       "No code is known that asks %s for the credit: add a row with balance_ussd to " FILE_NAME " beside cellpost.ini",
                       operator_shown(daemon, identity->imsi, shown));
        daemon_ask_end(call, API_ASK_NO_CODE);
    }
    return -ENOENT;
}

static void say_unread(struct daemon *daemon, const char *port, const char *imsi, struct http_call *call, const char *text)
{
    char shown[96];

    (void)operator_shown(daemon, imsi, shown);
    log_line(LOG_WARNING, "%s: what %s answers about the credit fits no pattern of " FILE_NAME ": \"%s\"", port, shown, text);
    if (call == NULL)
        return;
    (void)snprintf(call->call.ask->state, sizeof call->call.ask->state, "final");
    (void)snprintf(call->call.ask->text, sizeof call->call.ask->text, "%s", text);
    (void)snprintf(call->call.ask->detail, sizeof call->call.ask->detail,
                   "What %s answers fits no pattern of " FILE_NAME ": add one that does. The last balance stays.", shown);
    daemon_ask_end(call, API_ASK_NOT_READ);
}

void daemon_balance_answered(struct daemon *daemon, uint32_t slot, struct http_call *call, const char *text)
{
    const struct modem_identity *identity = &box_modem_status(daemon->box, slot)->identity;
    struct operator_reading reading;
    struct store_change *change;
    char card[32];

    if (daemon->operators == NULL || operator_read(daemon->operators, identity->imsi, NULL, text, &reading) < 0) {
        say_unread(daemon, box_slot_port(daemon->box, slot), identity->imsi, call, text);
        return;
    }
    card_name(identity, card);
    change = change_of(&reading, card, "ussd", text, daemon_now().wall_ms);
    if (change == NULL) {
        if (call != NULL)
            daemon_ask_end(call, API_ASK_NO_MEMORY);
        return;
    }
    if (call != NULL)
        (void)snprintf(call->call.ask->text, sizeof call->call.ask->text, "%s", text);
    change->waiter = call;
    gateway_submit(box_gateway(daemon->box), change, daemon_now());
}

/* Answers come back for those who wait alone. */
void daemon_balance_stored(struct daemon *daemon, struct store_change *change)
{
    const struct change_balance *balance = &change->u.balance;
    struct http_call *call = change->waiter;
    struct api_ask *ask = call->call.ask;

    (void)daemon;
    ask->store_error = change->result;
    ask->balance.has_balance = balance->has_balance;
    ask->balance.has_parts = balance->has_parts;
    ask->balance.micro = balance->balance_micro;
    ask->balance.rest_parts = balance->rest_parts;
    ask->balance.at_ms = change->now_ms;
    memcpy(ask->balance.currency, balance->currency, sizeof ask->balance.currency);
    memcpy(ask->balance.valid_until, balance->valid_until, sizeof ask->balance.valid_until);
    daemon_ask_end(call, change->result < 0 ? API_ASK_NOT_STORED : API_ASK_ANSWERED);
    change_free(change);
}

/* -- messages -------------------------------------------------------------------------------------------------- */

void daemon_balance_message(struct daemon *daemon, const struct live_event *event)
{
    const char *imsi = NULL;
    struct operator_reading reading;
    struct store_change *change;

    if (daemon->operators == NULL || event->text == NULL || event->from == NULL || event->iccid == NULL || event->iccid[0] == '\0')
        return;
    for (uint32_t i = 0; i < box_slot_count(daemon->box) && imsi == NULL; i++) {
        const struct modem_identity *identity = &box_modem_status(daemon->box, i)->identity;
        char card[32];

        card_name(identity, card);
        if (strcmp(card, event->iccid) == 0)
            imsi = identity->imsi;
    }
    if (imsi == NULL || !operator_sends_balance(daemon->operators, imsi, event->from))
        return;
    /* Whoever tells the credit sends other messages too: one that does not fit is no fault. */
    if (operator_read(daemon->operators, imsi, event->from, event->text, &reading) < 0)
        return;
    change = change_of(&reading, event->iccid, "sms", event->text, event->at_ms);
    if (change != NULL)
        gateway_submit(box_gateway(daemon->box), change, daemon_now());
}
