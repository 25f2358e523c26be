/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/modembank/options.h"

#include "hal/sim/sim_random.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_US 1000u
#define MS_MAX 3600000u
#define NUMBER_DEFAULT "+40700001000"

enum bank_option {
    OPT_HELP = 1, OPT_VERSION, OPT_COUNT, OPT_DIR, OPT_AIR, OPT_JITTER, OPT_LINKED, OPT_LATENCY, OPT_REPORT_MS, OPT_REPORT, OPT_INCOMING,
    OPT_BOOT, OPT_REGISTER, OPT_REPLUG, OPT_SEED, OPT_LOG, OPT_CONTROL, OPT_FAULT, OPT_PERSONALITY, OPT_NUMBER, OPT_ECHO,
    OPT_PIN, OPT_QUIET, OPT_USSD,
};

static const struct option long_options[] = {
    { "help", no_argument, NULL, OPT_HELP },           { "version", no_argument, NULL, OPT_VERSION },
    { "count", required_argument, NULL, OPT_COUNT },   { "dir", required_argument, NULL, OPT_DIR },
    { "air-ms", required_argument, NULL, OPT_AIR },    { "air-jitter-ms", required_argument, NULL, OPT_JITTER },
    { "linked-air-ms", required_argument, NULL, OPT_LINKED }, { "latency-ms", required_argument, NULL, OPT_LATENCY },
    { "report-ms", required_argument, NULL, OPT_REPORT_MS }, { "report", required_argument, NULL, OPT_REPORT },
    { "incoming-every-ms", required_argument, NULL, OPT_INCOMING }, { "boot-ms", required_argument, NULL, OPT_BOOT },
    { "register-ms", required_argument, NULL, OPT_REGISTER }, { "replug-ms", required_argument, NULL, OPT_REPLUG },
    { "seed", required_argument, NULL, OPT_SEED },     { "log", required_argument, NULL, OPT_LOG },
    { "control", required_argument, NULL, OPT_CONTROL }, { "fault", required_argument, NULL, OPT_FAULT },
    { "personality", required_argument, NULL, OPT_PERSONALITY }, { "number-base", required_argument, NULL, OPT_NUMBER },
    { "echo", no_argument, NULL, OPT_ECHO },           { "pin", no_argument, NULL, OPT_PIN },
    { "quiet", no_argument, NULL, OPT_QUIET },         { "ussd", required_argument, NULL, OPT_USSD },
    { NULL, 0, NULL, 0 },
};

static void print_help(void)
{
    const struct sim_personality *personality;

    (void)printf(
        "cellpost-modembank: simulated GSM modems on pseudo-terminals\n"
        "\n"
        "usage: cellpost-modembank [options]\n"
        "       cellpost-modembank --tell SOCKET COMMAND...    sends a command to a running bank's --control socket\n"
        "\n"
        "  --count N              modems (1..%d); default 4\n"
        "  --dir DIR              folder of the links modem0, modem1 ...; default ./modembank\n"
        "  --air-ms MS            time a part is on the air; default 3000\n"
        "  --air-jitter-ms MS     up to so much more or less; default 500, none with --air-ms 0\n"
        "  --linked-air-ms MS     air time while +CMMS keeps the link; default as --air-ms\n"
        "  --latency-ms MS        answer to an ordinary command; default 0\n"
        "  --report-ms MS         delivery report after acceptance; default 1500\n"
        "  --report MODE          delivered never early doubled failed temporary mixed; default delivered\n"
        "  --incoming-every-ms MS a message from outside to one of the SIMs; default never\n"
        "  --boot-ms MS           from power to the first answer; default 2000\n"
        "  --register-ms MS       from there to the network; default 1000\n"
        "  --replug-ms MS         after the fault unplug; 0 never; default 3000\n"
        "  --seed N               the same seed, the same chance; default 1\n"
        "  --log FILE             one JSON object a line for what really happened, appended; - for stdout\n"
        "  --control SOCKET       unix socket for commands; send it 'help'\n"
        "  --fault LIST           NAME=PROBABILITY[:ARGUMENT],...\n"
        "  --personality LIST     kinds of modem, in turn\n"
        "  --number-base NUMBER   own number of modem 0; the others count up; default %s\n"
        "  --echo                 modems start with echo on\n"
        "  --pin                  SIMs ask for their PIN, 1234\n"
        "  --ussd CODE=TEXT       what the network answers to this USSD code; \\n is a new line, no TEXT: nothing ever.\n"
        "                         May be given %d times; else *100# is the balance, *101# a menu\n"
        "  --quiet                no line for each part\n"
        "  --help, --version\n"
        "\n"
        "faults (argument):      ", BANK_MODEMS_MAX, NUMBER_DEFAULT, SIM_USSD_MAX);
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        (void)printf(" %s", sim_fault_kind((enum sim_fault)i)->name);
    (void)printf("\n                         late, hang, chatty: ms; cms, cme: the code; garbage: octets\n"
                 "personalities:          ");
    for (size_t i = 0; (personality = sim_personality_at(i)) != NULL; i++)
        (void)printf(" %s", personality->name);
    (void)printf("\n");
}

/* A whole number of at most max. */
static bool number(const char *text, uint64_t max, uint64_t *ret_value)
{
    char *end;

    errno = 0;
    if (!isdigit((unsigned char)text[0]))
        return false;
    *ret_value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *ret_value <= max;
}

static bool milliseconds(const char *text, uint64_t *ret_us)
{
    uint64_t ms;

    if (!number(text, MS_MAX, &ms))
        return false;
    *ret_us = ms * MS_US;
    return true;
}

int options_parse_fault(const char *text, size_t length, struct bank_fault *ret_fault)
{
    char copy[64], *value, *argument, *end;
    struct bank_fault fault = { 0 };
    uint64_t whole;
    double probability;

    if (length >= sizeof copy)
        return -EINVAL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    value = strchr(copy, '=');
    if (value == NULL)
        return -EINVAL;
    *value++ = '\0';
    argument = strchr(value, ':');
    if (argument != NULL) {
        *argument++ = '\0';
        if (!number(argument, UINT32_MAX, &whole))
            return -EINVAL;
        fault.argument = (uint32_t)whole;
    }
    probability = strtod(value, &end);
    if (end == value || *end != '\0' || !(probability >= 0 && probability <= 1) || sim_fault_find(copy, &fault.fault) < 0)
        return -EINVAL;
    fault.ppm = (uint32_t)(probability * SIM_CERTAIN_PPM + 0.5);
    *ret_fault = fault;
    return 0;
}

static bool fault_list(const char *text, struct bank_options *options)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ",");

        if (options->fault_count == SIM_FAULT_COUNT ||
            options_parse_fault(text, length, &options->faults[options->fault_count]) < 0)
            return false;
        options->fault_count++;
        text += length + (text[length] == ',');
    }
    return true;
}

int options_parse_ussd(const char *text, char ret_code[SIM_USSD_CODE_MAX], char ret_text[SIM_USSD_TEXT_MAX])
{
    size_t length = strspn(text, "0123456789*#+"), used = 0;

    if (length == 0 || length >= SIM_USSD_CODE_MAX || text[length] != '=')
        return -EINVAL;
    memcpy(ret_code, text, length);
    ret_code[length] = '\0';
    for (text += length + 1; *text != '\0'; text++) {
        bool line = text[0] == '\\' && text[1] == 'n';

        if (used + 1 == SIM_USSD_TEXT_MAX)
            return -EINVAL;
        ret_text[used++] = line ? '\n' : *text;
        text += line;
    }
    ret_text[used] = '\0';
    return 0;
}

static bool personality_list(const char *text, struct bank_options *options)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        char name[32];

        if (options->personality_count == BANK_PERSONALITIES_MAX || length >= sizeof name)
            return false;
        memcpy(name, text, length);
        name[length] = '\0';
        options->personalities[options->personality_count] = sim_personality_find(name);
        if (options->personalities[options->personality_count++] == NULL)
            return false;
        text += length + (text[length] == ',');
    }
    return true;
}

static bool take(enum bank_option option, const char *value, struct bank_options *options, bool *jitter_given)
{
    uint64_t whole;

    switch (option) {
    case OPT_COUNT:
        if (!number(value, BANK_MODEMS_MAX, &whole) || whole == 0)
            return false;
        options->count = (uint32_t)whole;
        return true;
    case OPT_DIR:
        options->dir = value;
        return *value != '\0';
    case OPT_AIR:
        return milliseconds(value, &options->air_us);
    case OPT_JITTER:
        *jitter_given = true;
        return milliseconds(value, &options->air_jitter_us);
    case OPT_LINKED:
        return milliseconds(value, &options->linked_air_us);
    case OPT_LATENCY:
        return milliseconds(value, &options->latency_us);
    case OPT_REPORT_MS:
        return milliseconds(value, &options->report_us);
    case OPT_REPORT:
        return sim_report_mode_find(value, &options->report_mode) == 0;
    case OPT_INCOMING:
        return milliseconds(value, &options->incoming_every_us);
    case OPT_BOOT:
        return milliseconds(value, &options->boot_us);
    case OPT_REGISTER:
        return milliseconds(value, &options->register_us);
    case OPT_REPLUG:
        return milliseconds(value, &options->replug_us);
    case OPT_SEED:
        return number(value, UINT64_MAX, &options->seed);
    case OPT_LOG:
        options->log = value;
        return *value != '\0';
    case OPT_CONTROL:
        options->control = value;
        return *value != '\0';
    case OPT_FAULT:
        return fault_list(value, options);
    case OPT_PERSONALITY:
        return personality_list(value, options);
    case OPT_NUMBER:
        return value[0] == '+' && value[1] != '0' && strlen(value) >= 8 &&
               number(value + 1, UINT64_C(999999999990000), &options->number_base);
    case OPT_ECHO:
        options->echo = true;
        return true;
    case OPT_PIN:
        options->pin = true;
        return true;
    case OPT_QUIET:
        options->quiet = true;
        return true;
    case OPT_USSD:
        return options->ussd_count < SIM_USSD_MAX &&
               options_parse_ussd(value, options->ussd[options->ussd_count].code, options->ussd[options->ussd_count].text) == 0 &&
               options->ussd_count++ < SIM_USSD_MAX;
    case OPT_HELP: case OPT_VERSION:
        break;
    }
    return false;
}

enum options_verdict options_parse(int argc, char **argv, struct bank_options *ret_options)
{
    struct bank_options options = { .count = 4, .dir = "modembank", .air_us = 3000000, .air_jitter_us = 500000,
                                    .latency_us = 0, .report_us = 1500000, .boot_us = 2000000, .register_us = 1000000,
                                    .replug_us = 3000000, .seed = 1 };
    bool jitter_given = false;
    int option, index = 0;

    (void)number(&NUMBER_DEFAULT[1], UINT64_MAX, &options.number_base);
    while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        if (option == OPT_HELP) {
            print_help();
            return OPTIONS_HELP;
        }
        if (option == OPT_VERSION) {
            (void)printf("cellpost-modembank %s\n", CELLPOST_VERSION);
            return OPTIONS_HELP;
        }
        if (option == '?')
            return OPTIONS_WRONG;
        if (!take((enum bank_option)option, optarg, &options, &jitter_given)) {
            (void)fprintf(stderr, "cellpost-modembank: --%s: '%s' is not understood; see --help\n", long_options[index].name, optarg);
            return OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "cellpost-modembank: '%s': no such argument; see --help\n", argv[optind]);
        return OPTIONS_WRONG;
    }
    if (!jitter_given && options.air_jitter_us > options.air_us)
        options.air_jitter_us = options.air_us / 6;
    *ret_options = options;
    return OPTIONS_RUN;
}
