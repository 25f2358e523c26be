/* SPDX-License-Identifier: Apache-2.0 */
/* What the modem says: lines, final results, and the buffer they wait in. */
#include "hal/sim/sim_modem_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_put(struct sim_modem *modem, const char *bytes, size_t length)
{
    if (modem->hung || modem->phase == SIM_PHASE_OFF)
        return;
    if (modem->output_at > 0 && modem->output_at + modem->output_length + length > modem->output_size) {
        memmove(modem->output, modem->output + modem->output_at, modem->output_length);
        modem->output_at = 0;
    }
    if (modem->output_length + length > modem->output_size) {
        size_t size = modem->output_size * 2;
        uint8_t *grown;

        while (size < modem->output_length + length)
            size *= 2;
        grown = size <= SIM_OUTPUT_BYTES_MAX ? realloc(modem->output, size) : NULL;
        if (grown == NULL) {
            modem->counters.output_dropped += length;
            return;
        }
        modem->output = grown;
        modem->output_size = size;
    }
    memcpy(modem->output + modem->output_at + modem->output_length, bytes, length);
    modem->output_length += length;
}

static void put_text(struct sim_modem *modem, const char *text)
{
    sim_put(modem, text, strlen(text));
}

/* V.250 6.2.6: with V0 a line of information is text CR LF, with V1 CR LF text CR LF. */
void sim_say_text(struct sim_modem *modem, const char *text)
{
    if (modem->settings.verbose)
        put_text(modem, "\r\n");
    put_text(modem, text);
    put_text(modem, "\r\n");
}

void sim_say(struct sim_modem *modem, const char *format, ...)
{
    char text[SIM_LINE_MAX * 2];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_say_text(modem, text);
}

void sim_say_lines(struct sim_modem *modem, const char *text, const char *second)
{
    sim_say_text(modem, text);
    put_text(modem, second);
    put_text(modem, "\r\n");
}

/* The texts of +CMEE=2 for what people meet most; other codes come as "unknown". TS 27.007 9.2, TS 27.005 3.2.5. */
static const char *error_text(enum sim_answer answer, int code)
{
    static const struct { enum sim_answer answer; int code; const char *text; } texts[] = {
        { SIM_ANSWER_CME, 3, "operation not allowed" },   { SIM_ANSWER_CME, 4, "operation not supported" },
        { SIM_ANSWER_CME, 10, "SIM not inserted" },       { SIM_ANSWER_CME, 11, "SIM PIN required" },
        { SIM_ANSWER_CME, 12, "SIM PUK required" },       { SIM_ANSWER_CME, 13, "SIM failure" },
        { SIM_ANSWER_CME, 14, "SIM busy" },               { SIM_ANSWER_CME, 16, "incorrect password" },
        { SIM_ANSWER_CME, 30, "no network service" },     { SIM_ANSWER_CMS, 304, "Invalid PDU mode parameter" },
        { SIM_ANSWER_CMS, 305, "Invalid text mode parameter" }, { SIM_ANSWER_CMS, 310, "SIM not inserted" },
        { SIM_ANSWER_CMS, 311, "SIM PIN required" },      { SIM_ANSWER_CMS, 314, "SIM busy" },
        { SIM_ANSWER_CMS, 316, "SIM PUK required" },      { SIM_ANSWER_CMS, 321, "Invalid memory index" },
        { SIM_ANSWER_CMS, 322, "SIM or ME storage full" }, { SIM_ANSWER_CMS, 331, "no network service" },
        { SIM_ANSWER_CMS, 332, "network timeout" },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].answer == answer && texts[i].code == code)
            return texts[i].text;
    return "unknown error";
}

void sim_finish(struct sim_modem *modem, struct sim_result result)
{
    bool named = result.answer == SIM_ANSWER_CMS || (result.answer == SIM_ANSWER_CME && modem->settings.cmee > 0);

    if (result.answer == SIM_ANSWER_PENDING || result.answer == SIM_ANSWER_SILENCE || modem->settings.quiet)
        return;
    if (result.answer == SIM_ANSWER_OK) {
        if (modem->settings.verbose)
            sim_say_text(modem, "OK");
        else
            put_text(modem, "0\r");
    } else if (named) {
        const char *name = result.answer == SIM_ANSWER_CMS ? "+CMS" : "+CME";

        if (modem->settings.cmee == 2)
            sim_say(modem, "%s ERROR: %s", name, error_text(result.answer, result.code));
        else
            sim_say(modem, "%s ERROR: %d", name, result.code);
    } else if (modem->settings.verbose) {
        sim_say_text(modem, modem->personality->error);
    } else {
        put_text(modem, "4\r");
    }
}

const uint8_t *sim_modem_output(const struct sim_modem *modem, size_t *ret_length)
{
    *ret_length = modem->output_length;
    return modem->output + modem->output_at;
}

void sim_modem_output_consume(struct sim_modem *modem, size_t length)
{
    assert(length <= modem->output_length);
    modem->output_length -= length;
    modem->output_at = modem->output_length == 0 ? 0 : modem->output_at + length;
}
