/* SPDX-License-Identifier: Apache-2.0 */
/* USSD: +CUSD (27.007 7.15), and a network that knows a balance, a small menu, and what it was told to answer. */
#include "hal/sim/sim_modem_internal.h"

#include "src/base/hex.h"
#include "src/base/utf8.h"
#include "src/sms/sms_gsm7.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SEPTETS_MAX 182
#define DCS_GSM7 15
#define DCS_UCS2 72

int sim_modem_set_ussd(struct sim_modem *modem, const char *code, const char *text)
{
    size_t i = 0;

    if (code[0] == '\0' || strspn(code, "0123456789*#+") != strlen(code) || strlen(code) >= SIM_USSD_CODE_MAX ||
        (text != NULL && (strlen(text) >= SIM_USSD_TEXT_MAX || !utf8_is_valid(text, strlen(text), NULL))))
        return -EINVAL;
    while (i < modem->ussd_count && strcmp(modem->ussd[i].code, code) != 0)
        i++;
    if (text == NULL) {
        if (i < modem->ussd_count)
            modem->ussd[i] = modem->ussd[--modem->ussd_count];
        return 0;
    }
    if (i == SIM_USSD_MAX)
        return -ENOSPC;
    strcpy(modem->ussd[i].code, code);
    strcpy(modem->ussd[i].text, text);
    if (i == modem->ussd_count)
        modem->ussd_count++;
    return 0;
}

/* One request. <m> of +CUSD: 0 done, 1 the network waits for a reply, 4 not supported. False: it never answers. */
static bool choose(struct sim_modem *modem, const char *request)
{
    static const struct { int menu; const char *request; int state, next; const char *text; } rows[] = {
        { 0, "*101#", 1, 1, "Sim Mobile\n1 Balance\n2 My number\n0 End" },
        { 1, "0",     0, 0, "Good bye" },
    };
    char *reply = modem->ussd_reply;
    int menu = modem->ussd_menu;

    modem->ussd_state = modem->ussd_menu = 0;
    for (size_t i = 0; menu == 0 && i < modem->ussd_count; i++) {
        if (strcmp(modem->ussd[i].code, request) == 0) {
            (void)snprintf(reply, SIM_USSD_TEXT_MAX, "%s", modem->ussd[i].text);
            return reply[0] != '\0';
        }
    }
    if ((menu == 0 && strcmp(request, "*100#") == 0) || (menu == 1 && strcmp(request, "1") == 0)) {
        (void)snprintf(reply, SIM_USSD_TEXT_MAX, "Your balance is %u.%02u EUR", modem->card->balance_cents / 100,
                       modem->card->balance_cents % 100);
        return true;
    }
    if (menu == 1 && strcmp(request, "2") == 0) {
        (void)snprintf(reply, SIM_USSD_TEXT_MAX, "Your number is %s", modem->card->number);
        return true;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].menu == menu && strcmp(rows[i].request, request) == 0) {
            (void)snprintf(reply, SIM_USSD_TEXT_MAX, "%s", rows[i].text);
            modem->ussd_state = rows[i].state;
            modem->ussd_menu = rows[i].next;
            return true;
        }
    (void)snprintf(reply, SIM_USSD_TEXT_MAX, "Unknown code");
    modem->ussd_state = menu == 0 ? 4 : 0;
    return true;
}

static void show_packed(const char *utf8, char *ret_text)
{
    uint8_t septets[SEPTETS_MAX + 2], octets[(SEPTETS_MAX + 2) * 7 / 8 + 2] = { 0 };
    size_t count = 0, length = strlen(utf8);

    for (size_t i = 0; i < length && count < SEPTETS_MAX;) {
        uint32_t code;
        int used = utf8_next(utf8 + i, length - i, &code);
        size_t n;

        if (used < 0)
            break;
        n = sms_gsm7_encode(code, 0, 0, septets + count);
        if (n == 0)
            septets[count] = '?';
        count += n == 0 ? 1 : n;
        i += (size_t)used;
    }
    if (count % 8 == 7)
        septets[count++] = '\r';         /* TS 23.038 6.1.2.3.1 */
    sms_gsm7_pack(septets, count, 0, octets);
    hex_encode(octets, (count * 7 + 7) / 8, ret_text);
}

/* -EINVAL: plain, or no digits of septets. */
static int take_packed(const char *text, char *ret_request, size_t size)
{
    uint8_t octets[SEPTETS_MAX], septets[SEPTETS_MAX * 8 / 7 + 1];
    int count = hex_decode(text, strlen(text), octets, 160);
    size_t length;

    if (count <= 0 || size < 3 * sizeof septets)
        return -EINVAL;
    sms_gsm7_unpack(octets, 0, (size_t)count * 8 / 7, septets);
    length = sms_gsm7_decode(septets, (size_t)count * 8 / 7, 0, 0, ret_request);
    ret_request[length] = '\0';
    ret_request[strcspn(ret_request, "\r")] = '\0';
    return 0;
}

void sim_ussd_answer(struct sim_modem *modem)
{
    char text[SIM_LINE_MAX];
    bool ucs2 = modem->settings.charset == SIM_CHARSET_UCS2;

    switch (modem->personality->ussd) {
    case SIM_USSD_PACKED:
        show_packed(modem->ussd_reply, text);
        sim_say(modem, "+CUSD: %d,\"%s\",%d", modem->ussd_state, text, DCS_GSM7);
        return;
    case SIM_USSD_UCS2:
        (void)sim_text_show(SIM_CHARSET_UCS2, modem->ussd_reply, text, sizeof text);
        sim_say(modem, "+CUSD: %d,\"%s\",%d", modem->ussd_state, text, DCS_GSM7);
        return;
    case SIM_USSD_EARLY:
        (void)sim_text_show(modem->settings.charset, modem->ussd_reply, text, sizeof text);
        sim_say(modem, "+CUSD: %d,\"%s\"", modem->ussd_state, text);
        return;
    case SIM_USSD_BY_CHARSET:
        (void)sim_text_show(modem->settings.charset, modem->ussd_reply, text, sizeof text);
        sim_say(modem, "+CUSD: %d,\"%s\",%d", modem->ussd_state, text, ucs2 ? DCS_UCS2 : DCS_GSM7);
        return;
    }
}

struct sim_result sim_do_cusd(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int n = sim_arg_int(&call->args, 0, 0), r;
    const char *sent = call->args.count > 1 ? call->args.text[1] : "";
    char request[3 * SIM_USSD_TEXT_MAX];

    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CUSD: (0-2)");
        return sim_ok();
    }
    if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CUSD: %d", modem->settings.cusd);
        return sim_ok();
    }
    if (n < 0 || n > 2)
        return sim_cme(50);
    if (n == 2) {
        modem->ussd_menu = 0;
        sim_arm(modem, SIM_TIMER_USSD, UINT64_MAX);
        return sim_ok();
    }
    modem->settings.cusd = n == 1;
    if (call->args.count < 2)
        return sim_ok();
    if (sim_registration_stat(modem) != 1)
        return sim_cme(30);
    r = modem->personality->ussd == SIM_USSD_PACKED ? take_packed(sent, request, sizeof request) :
                                                      sim_text_take(modem->settings.charset, sent, strlen(sent), request, sizeof request);
    if (r < 0)
        return modem->personality->ussd == SIM_USSD_PACKED ? sim_error() : sim_cme(50);
    if (!choose(modem, request))
        return sim_ok();
    if (modem->personality->ussd == SIM_USSD_EARLY)
        sim_ussd_answer(modem);
    else
        sim_arm(modem, SIM_TIMER_USSD, now_us + modem->config.ussd_us);
    return sim_ok();
}
