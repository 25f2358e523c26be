/* SPDX-License-Identifier: Apache-2.0
 *
 * at_command.h - one AT command line from typed arguments.
 *
 * The name is a literal of our own code; everything from outside (a PIN, a number, a storage name) comes in as an
 * argument, and an argument that could end the line or its quotes (octets below 0x20, 0x7F, '"') spoils the command:
 * at_chat_start() then refuses it with -EINVAL. Nothing but what at_chat itself writes can be CR, Ctrl-Z or ESC.
 * Ownership: the struct is the caller's and is copied by at_chat_start(). */
#ifndef CELLPOST_DRIVERS_AT_COMMAND_H
#define CELLPOST_DRIVERS_AT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_COMMAND_SIZE 352       /* a USSD code of 182 characters, packed and in hexadecimal digits, takes 340 */

struct at_command {
    char text[AT_COMMAND_SIZE];   /* "AT+CMGS=23", without CR */
    uint16_t length;
    uint8_t arguments;
    bool spoiled;                 /* an argument was refused or did not fit */

    /* How it is run; at_command_init() sets the plain case, the caller may change it. */
    uint32_t timeout_ms;          /* for the final result; with a prompt: from the end of the data */
    uint32_t prompt_timeout_ms;   /* not 0: the modem asks for data with '>' first (+CMGS, +CMGW) */
    uint32_t silent_prompt_ms;    /* not 0: it asks without '>' (nRF91): AT_PROMPT after so long without an error */
    bool any_lines;               /* the answer may be lines without a name: AT+CGMI, AT+CIMI */
    bool needs_answer;            /* OK alone proves nothing: +CMGS needs its "+CMGS: n" too */
    const char *alias;            /* another name the answer may have ("+ICCID" to AT+CICCID), a literal or NULL */
};

void at_command_init(struct at_command *command, const char *name, uint32_t timeout_ms);
/* Arguments, with a comma between them. */
void at_command_add_int(struct at_command *command, long value);
void at_command_add_string(struct at_command *command, const char *text);   /* in quotes */
void at_command_add_number(struct at_command *command, const char *digits); /* 0-9 * # and a leading +, no quotes */

#endif
