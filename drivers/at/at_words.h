/* SPDX-License-Identifier: Apache-2.0
 *
 * at_words.h - what a modem's line is, by tables: final results, unsolicited lines, lines with a second line.
 *
 * A new modem's words are a new row here, not a new `if` in the engine. */
#ifndef CELLPOST_DRIVERS_AT_WORDS_H
#define CELLPOST_DRIVERS_AT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum at_error_kind { AT_ERROR_PLAIN, AT_ERROR_CMS, AT_ERROR_CME };

struct at_final {
    bool ok;
    enum at_error_kind kind;
    int code;          /* of +CMS/+CME ERROR; -1: none given, or a text we do not know */
    size_t length;     /* octets of the result itself; more than that is the next line, glued ("ERROR+CNUM: ...") */
};

/* True if the line is a final result (27.007 and what vendors made of it). */
bool at_words_final(const char *line, size_t length, struct at_final *ret_final);

enum at_urc {
    AT_URC_NONE,       /* not in the table */
    AT_URC_OTHER,
    AT_URC_BOOT,       /* the modem has just started, or is going down */
    AT_URC_READY,      /* card and SMS are ready now; comes once after a start */
    AT_URC_FULL,       /* a storage is full */
    AT_URC_UNIT,       /* its PDU is the next line: +CMT, +CDS, +CBM */
};
enum at_urc at_words_urc(const char *line, size_t length);

/* The line has a name ("+CSQ: ", "^RSSI:") as most unsolicited ones do. */
bool at_words_has_name(const char *line, size_t length);
/* The line is an AT command: an echo, ours or another program's. */
bool at_words_is_command(const char *line, size_t length);
/* The line starts with this name and a colon, or is the name: "+CREG" for "+CREG: 1". */
bool at_words_named(const char *line, size_t length, const char *name);

#endif
