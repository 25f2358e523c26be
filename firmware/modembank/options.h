/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - the command line of cellpost-modembank. */
#ifndef CELLPOST_MODEMBANK_OPTIONS_H
#define CELLPOST_MODEMBANK_OPTIONS_H

#include "hal/sim/sim_network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BANK_MODEMS_MAX 1024
#define BANK_PERSONALITIES_MAX 16

struct bank_fault { enum sim_fault fault; uint32_t ppm, argument; };

struct bank_options {
    uint32_t count;
    const char *dir, *log, *control;     /* of argv; log and control NULL: none */
    uint64_t air_us, air_jitter_us, linked_air_us, latency_us, report_us, incoming_every_us, boot_us, register_us, replug_us, seed;
    enum sim_report_mode report_mode;
    struct bank_fault faults[SIM_FAULT_COUNT];
    size_t fault_count;
    const struct sim_personality *personalities[BANK_PERSONALITIES_MAX];
    size_t personality_count;
    uint64_t number_base;                /* digits of "+..." */
    struct { char code[SIM_USSD_CODE_MAX], text[SIM_USSD_TEXT_MAX]; } ussd[SIM_USSD_MAX];
    size_t ussd_count;
    bool echo, pin, quiet;
};

enum options_verdict { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG };

/* WRONG: said why on stderr; HELP: printed on stdout. */
enum options_verdict options_parse(int argc, char **argv, struct bank_options *ret_options);

/* "CODE=TEXT", where \n in the text is a new line; "CODE=": it never answers. -EINVAL. */
int options_parse_ussd(const char *text, char ret_code[SIM_USSD_CODE_MAX], char ret_text[SIM_USSD_TEXT_MAX]);

/* "NAME=PROBABILITY[:ARGUMENT]". -EINVAL. */
int options_parse_fault(const char *text, size_t length, struct bank_fault *ret_fault);

#endif
