/* SPDX-License-Identifier: Apache-2.0
 *
 * api_send_number.c - one recipient of a POST /v1/messages: the number as it is kept, or why nothing is sent there. This
 * is asked before a message is queued and before anything is charged. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/api/api_send.h"
#include "src/base/digits.h"

static void refuse(enum api_problem_code code, const char *number, const char *why, const char *remedy, struct send_error *ret_error)
{
    char detail[MESSAGE_REASON_MAX];

    (void)snprintf(detail, sizeof detail, "\"%s\" %.80s%.53s", number, why, remedy);
    send_error_set(ret_error, code, NULL, detail);
}

enum api_route_verdict api_route_ask(const struct routing *routing, const char *to, char ret_note[API_ROUTE_NOTE_MAX])
{
    bool short_code = to[0] != '+';
    const struct route *route;

    ret_note[0] = '\0';
    if (!routing)
        return API_ROUTE_AS_CONFIGURED;
    route = route_at(routing->routes, route_find_key(routing->routes, digits_pack(to + !short_code, strlen(to + !short_code), NULL), short_code));
    if (route->action == ROUTE_REFUSE) {
        (void)snprintf(ret_note, API_ROUTE_NOTE_MAX, "%s", route->note);
        return API_ROUTE_REFUSED;
    }
    return route->fixed_lines == ROUTE_YES ? API_ROUTE_FIXED_YES : route->fixed_lines == ROUTE_NO ? API_ROUTE_FIXED_NO : API_ROUTE_AS_CONFIGURED;
}

/* The operator's own words, as many as there is room for. */
static void refuse_by_route(const char *number, const char *note, struct send_error *ret_error)
{
    char detail[MESSAGE_REASON_MAX];

    (void)snprintf(detail, sizeof detail, "\"%s\" is refused by its route%s%.100s", number, note[0] ? ": " : "", note);
    send_error_set(ret_error, PROBLEM_ROUTE_REFUSED, NULL, detail);
}

void send_number_judge(const struct api_config *config, const struct number *number, struct send_error *ret_error)
{
    char note[API_ROUTE_NOTE_MAX] = "";
    enum api_route_verdict route = API_ROUTE_AS_CONFIGURED;
    bool fixed_lines;

    if (config->route)
        route = config->route(config->context, number->text, number->kind, note);
    fixed_lines = route == API_ROUTE_FIXED_YES || (route != API_ROUTE_FIXED_NO && config->fixed_lines);
    if (number->kind == NUMBER_PREMIUM)
        refuse(PROBLEM_PREMIUM_NUMBER, number->text, "is a premium number: nothing is sent to such", "", ret_error);
    else if (route == API_ROUTE_REFUSED)
        refuse_by_route(number->text, note, ret_error);
    else if (number->kind == NUMBER_FIXED && !fixed_lines)
        refuse(PROBLEM_FIXED_LINE, number->text, "is a fixed line, which SMS do not reach",
               route == API_ROUTE_FIXED_NO ? "" : " (set fixed_lines = allow in [gateway] to try)", ret_error);
}

bool send_country_take(const char *text, char ret_country[3])
{
    char country[3] = "";

    if (strlen(text) != 2)
        return false;
    for (size_t i = 0; i < 2; i++)
        country[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
    if (!number_country_name(country))
        return false;
    memcpy(ret_country, country, sizeof country);
    return true;
}

int send_number_plan(const struct api_config *config, const char *country, const char *to, char ret_number[MESSAGE_TO_MAX],
                     struct send_error *ret_error)
{
    struct number number;
    struct number_error error;
    char why[81];

    _Static_assert(NUMBER_TEXT_MAX <= MESSAGE_TO_MAX, "a message has room for every number");
    if (number_parse(to, country[0] ? country : config->country, &number, &error) != 0) {
        if (error.reason == NUMBER_NO_MEMORY)
            return -ENOMEM;
        api_text_clean(to, ret_number, MESSAGE_TO_MAX);
        (void)snprintf(why, sizeof why, "is no number: %.66s", error.text);
        refuse(PROBLEM_BAD_NUMBER, ret_number, why,
               error.reason == NUMBER_NO_COUNTRY ? " (write \"+40700000001\", or set country in [gateway])" : "", ret_error);
        return 0;
    }
    memcpy(ret_number, number.text, sizeof number.text);
    send_number_judge(config, &number, ret_error);
    return 0;
}
