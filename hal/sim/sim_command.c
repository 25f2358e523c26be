/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_modem_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { RUN = 1 << SIM_OP_RUN, READ = 1 << SIM_OP_READ, TEST = 1 << SIM_OP_TEST, SET = 1 << SIM_OP_SET, ANY = 15 };

/* Extended commands. times: multiple of the ordinary latency (a search for networks takes very long). A row that only
 * has a text answers READ and TEST with it and takes any SET. */
static const struct command {
    const char *name;
    uint8_t family, ops;
    uint16_t times;
    sim_handler handler;
} commands[] = {
    { "+CMGS",  SIM_FAMILY_ANY, SET | TEST,  1, sim_do_cmgs },   /* first: by far the most frequent */
    { "+CMGD",  SIM_FAMILY_ANY, SET | TEST,  3, sim_do_cmgd },
    { "+CMGF",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cmgf },
    { "+CMGL",  SIM_FAMILY_ANY, ANY,         5, sim_do_cmgl },
    { "+CMGR",  SIM_FAMILY_ANY, SET | TEST,  2, sim_do_cmgr },
    { "+CMGW",  SIM_FAMILY_ANY, SET | RUN | TEST, 1, sim_do_cmgw },
    { "+CMSS",  SIM_FAMILY_ANY, SET | TEST,  1, sim_do_cmss },
    { "+CMMS",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cmms },
    { "+CNMA",  SIM_FAMILY_ANY, SET | RUN | TEST, 1, sim_do_cnma },
    { "+CNMI",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cnmi },
    { "+CPMS",  SIM_FAMILY_ANY, SET | READ | TEST, 2, sim_do_cpms },
    { "+CSCA",  SIM_FAMILY_ANY, SET | READ | TEST, 2, sim_do_csca },
    { "+CSCB",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cscb },
    { "+CSDH",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_csdh },
    { "+CSMP",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_csmp },
    { "+CSMS",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_csms },
    { "+CGMI",  SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_identity },
    { "+CGMM",  SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_identity },
    { "+CGMR",  SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_identity },
    { "+GMI",   SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_identity },
    { "+GMM",   SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_identity },
    { "+GMR",   SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_identity },
    { "+CGSN",  SIM_FAMILY_ANY, RUN | TEST | SET, 1, sim_do_imei },
    { "+GSN",   SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_imei },
    { "+GCAP",  SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_gcap },
    { "+CMEE",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cmee },
    { "+CPIN",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cpin },
    { "+CPINR", SIM_FAMILY_ANY, RUN | SET | TEST, 1, sim_do_cpinr },
    { "+QPINC", SIM_FAMILY_QUECTEL, READ | SET, 1, sim_do_cpinr },
    { "+SPIC",  SIM_FAMILY_SIMCOM, RUN | TEST, 1, sim_do_cpinr },
    { "^CPIN",  SIM_FAMILY_HUAWEI, READ,     1, sim_do_cpinr },
    { "+CCID",  SIM_FAMILY_GENERIC | SIM_FAMILY_QUECTEL | SIM_FAMILY_SIMCOM, RUN | READ | TEST, 2, sim_do_iccid },
    { "+ICCID", SIM_FAMILY_GENERIC | SIM_FAMILY_SIMCOM, RUN | READ, 2, sim_do_iccid },
    { "+QCCID", SIM_FAMILY_QUECTEL, RUN | TEST, 2, sim_do_iccid },
    { "+CICCID", SIM_FAMILY_SIMCOM, RUN | TEST, 2, sim_do_iccid },
    { "^ICCID", SIM_FAMILY_HUAWEI, READ,     2, sim_do_iccid },
    { "^SCID",  SIM_FAMILY_SIEMENS, RUN | TEST, 2, sim_do_iccid },
    { "%XICCID", SIM_FAMILY_NORDIC, RUN,     2, sim_do_iccid },
    { "+CIMI",  SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_cimi },
    { "+CRSM",  SIM_FAMILY_ANY, SET | TEST,  2, sim_do_crsm },
    { "+CNUM",  SIM_FAMILY_ANY, RUN | TEST,  2, sim_do_cnum },
    { "+CREG",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_registration },
    { "+CGREG", SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_registration },
    { "+CEREG", SIM_FAMILY_ANY & ~SIM_FAMILY_SIEMENS & ~SIM_FAMILY_HUAWEI, SET | READ | TEST, 1, sim_do_registration },
    { "+CGATT", SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cgatt },
    { "+COPS",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cops },
    { "+CSQ",   SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_csq },
    { "+CESQ",  SIM_FAMILY_GENERIC | SIM_FAMILY_QUECTEL | SIM_FAMILY_SIMCOM | SIM_FAMILY_NORDIC, RUN | TEST, 1, sim_do_cesq },
    { "+CFUN",  SIM_FAMILY_ANY, SET | READ | TEST, 5, sim_do_cfun },
    { "+CSCS",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cscs },
    { "+CUSD",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_cusd },
    { "+CPAS",  SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_cpas },
    { "+CLCK",  SIM_FAMILY_ANY, SET | TEST,  2, sim_do_clck },
    { "+CPWD",  SIM_FAMILY_ANY, SET | TEST,  2, sim_do_cpwd },
    { "+CBC",   SIM_FAMILY_ANY, RUN | TEST,  1, sim_do_cbc },
    { "+CCLK",  SIM_FAMILY_ANY, READ | TEST | SET, 1, sim_do_cclk },
    { "^CURC",  SIM_FAMILY_HUAWEI, SET | READ, 1, sim_do_nothing },
    { "+QINDCFG", SIM_FAMILY_QUECTEL, SET | READ, 1, sim_do_nothing },
    { "+QURCCFG", SIM_FAMILY_QUECTEL, SET | READ, 1, sim_do_nothing },
    { "+AUTOCSQ", SIM_FAMILY_SIMCOM, SET | READ, 1, sim_do_nothing },
    { "+CNSMOD", SIM_FAMILY_SIMCOM, SET | READ, 1, sim_do_nothing },
    { "+CLIP",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_nothing },
    { "+CRC",   SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_nothing },
    { "+CTZU",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_nothing },
    { "+CTZR",  SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_nothing },
    { "+IPR",   SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_nothing },
    { "+IFC",   SIM_FAMILY_ANY, SET | READ | TEST, 1, sim_do_nothing },
};

/* Basic commands that need nothing done (V.250): the rest is in basic_run(). */
static const char basic_ignored[] = "BCDFHLMNOPSTWXY";

int sim_arg_int(const struct sim_args *args, size_t index, int fallback)
{
    char *end;
    long value;

    if (index >= args->count || args->text[index][0] == '\0')
        return fallback;
    value = strtol(args->text[index], &end, 10);
    return *end != '\0' || value < 0 || value > 1000000 ? -1 : (int)value;
}

/* Cuts "a,"b,c",,1" at its commas; quotes keep commas and are dropped. */
static void args_split(struct sim_args *args, const char *text, size_t length)
{
    bool quoted = false;
    size_t out = 0;

    args->count = 1;
    args->text[0] = args->buffer;
    for (size_t i = 0; i < length && out + 2 < sizeof args->buffer; i++) {
        if (text[i] == '"') {
            quoted = !quoted;
        } else if (text[i] == ',' && !quoted) {
            args->buffer[out++] = '\0';
            if (args->count == SIM_ARGS_MAX)
                break;
            args->text[args->count++] = args->buffer + out;
        } else if (text[i] != ' ' || quoted) {
            args->buffer[out++] = text[i];
        }
    }
    args->buffer[out] = '\0';
}

static const struct command *command_find(const struct sim_modem *modem, const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *command = &commands[i];
        size_t n = 0;

        if ((command->family & modem->personality->family) == 0)
            continue;
        while (n < length && command->name[n] != '\0' && toupper((unsigned char)name[n]) == command->name[n])
            n++;
        if (n == length && command->name[n] == '\0')
            return command;
    }
    return NULL;
}

static bool extended(char c)
{
    return c != '\0' && strchr("+^*$#%_", c) != NULL;
}

static size_t name_length(const char *text)
{
    size_t n = 1;

    while (isalnum((unsigned char)text[n]))
        n++;
    return n;
}

uint32_t sim_line_latency_times(const struct sim_modem *modem, const char *line)
{
    const struct command *command = extended(line[2]) ? command_find(modem, line + 2, name_length(line + 2)) : NULL;

    /* A search for networks is the one test command that takes its time. */
    if (strncmp(line + 2, "+COPS=?", 7) == 0)
        return 1000;
    return command != NULL ? command->times : 1;
}

static struct sim_result extended_run(struct sim_modem *modem, const char **at, uint64_t now_us)
{
    const char *name = *at, *after = *at + name_length(*at), *end = after;
    const struct command *command = command_find(modem, name, (size_t)(after - name));
    struct sim_call call = { .op = SIM_OP_RUN };
    bool quoted = false;

    while (*end != '\0' && (*end != ';' || quoted)) {
        quoted ^= *end == '"';
        end++;
    }
    *at = end;
    if (after[0] == '=' && after[1] == '?') {
        call.op = SIM_OP_TEST;
    } else if (after[0] == '=') {
        call.op = SIM_OP_SET;
        args_split(&call.args, after + 1, (size_t)(end - after - 1));
    } else if (after[0] == '?') {
        call.op = SIM_OP_READ;
    } else if (after != end) {
        return sim_cme(4);
    }
    if (command == NULL || (command->ops & 1 << call.op) == 0)
        return sim_cme(4);   /* "operation not supported"; a bare ERROR with +CMEE=0 */
    call.name = command->name;
    return command->handler(modem, &call, now_us);
}

static struct sim_result basic_run(struct sim_modem *modem, const char **at)
{
    const char *text = *at;
    bool ampersand = *text == '&' || *text == '\\';
    char name = (char)toupper((unsigned char)text[ampersand]);
    int value;

    text += ampersand;
    if (name == '\0')
        return sim_error();
    text++;
    value = atoi(text);
    while (isdigit((unsigned char)*text))
        text++;
    if (name == 'S' && *text == '=') {
        text++;
        while (isdigit((unsigned char)*text))
            text++;
    } else if (name == 'S' && *text == '?') {
        static const struct { int number, value; } registers[] = { { 0, 0 }, { 3, 13 }, { 4, 10 }, { 5, 8 } };

        text++;
        for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++)
            if (registers[i].number == value)
                sim_say(modem, "%03d", registers[i].value);
    } else if (name == 'D') {
        *at = text + strlen(text);
        return sim_error();   /* no voice here */
    }
    *at = text;
    if (ampersand) {
        if (name == 'F')
            sim_settings_default(modem);
        else if (name == 'V')
            sim_say(modem, "E%d V%d Q%d", modem->settings.echo, modem->settings.verbose, modem->settings.quiet);
        return sim_ok();
    }
    switch (name) {
    case 'E':
        modem->settings.echo = value != 0;
        return value <= 1 ? sim_ok() : sim_error();
    case 'V':
        modem->settings.verbose = value != 0;
        return value <= 1 ? sim_ok() : sim_error();
    case 'Q':
        modem->settings.quiet = value != 0;
        return value <= 1 ? sim_ok() : sim_error();
    case 'Z':
        sim_settings_default(modem);
        return sim_ok();
    case 'I':
        sim_say(modem, "%s", modem->personality->manufacturer);
        sim_say(modem, "%s", modem->personality->model);
        sim_say(modem, "%s%s", modem->personality->family == SIM_FAMILY_HUAWEI ? "Revision: " : "", modem->personality->revision);
        if (modem->personality->family == SIM_FAMILY_HUAWEI)
            sim_say(modem, "IMEI: %s", modem->imei);
        return sim_ok();
    default:
        return strchr(basic_ignored, name) != NULL ? sim_ok() : sim_error();
    }
}

struct sim_result sim_line_run(struct sim_modem *modem, const char *line, uint64_t now_us)
{
    const char *at = line + 2;
    struct sim_result result = sim_ok();

    while (*at != '\0' && result.answer == SIM_ANSWER_OK) {
        if (*at == ' ' || *at == ';')
            at++;
        else if (extended(*at))
            result = extended_run(modem, &at, now_us);
        else
            result = basic_run(modem, &at);
    }
    return result;
}
