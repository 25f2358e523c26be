/* SPDX-License-Identifier: Apache-2.0
 *
 * error_class.h - what the numbers of +CMS ERROR and +CME ERROR mean, in words, and what kind of trouble they are.
 *
 * A class says where the cause lies and so what may help; what is done about it is the policy's business. */
#ifndef CELLPOST_ERROR_CLASS_H
#define CELLPOST_ERROR_CLASS_H

#include <stddef.h>

enum error_kind { ERROR_NONE /* bare ERROR */, ERROR_CMS, ERROR_CME };   /* in the order of enum modem_error_kind */

enum error_class {
    ERROR_RECIPIENT,      /* permanent for this recipient: another SIM will hear the same */
    ERROR_MESSAGE,        /* our PDU or parameter is wrong: never send it again unchanged */
    ERROR_SIM,            /* permanent for this SIM or subscription: another SIM may send it at once */
    ERROR_TRANSIENT,      /* passes: the same SIM may try again after a while */
    ERROR_CONGESTION,     /* the network is full: wait longer, and not this SIM alone */
    ERROR_MODEM,          /* the modem must be set up anew or reset */
    ERROR_VARIES,         /* networks mean different things by it; several in a row point to the SIM */
    ERROR_AMBIGUOUS,      /* it may have been sent: never again by itself */
};
#define ERROR_CLASSES (ERROR_AMBIGUOUS + 1)

const char *error_class_name(enum error_class class);   /* "recipient" ... static */

struct error_info {
    int code;             /* the first, where one row stands for several */
    enum error_class class;
    const char *text;     /* words for a person, no capital, no full stop; at most ERROR_TEXT_MAX octets */
};
#define ERROR_TEXT_MAX 80

/* Never NULL: what is in no table gets the class that is safe there. code: -1 where the modem gave none. */
const struct error_info *error_classify(enum error_kind kind, int code);

/* The rows of a kind's table, by ascending code; *ret_last_code is the last code a row stands for. NULL after the last
 * one. For documentation and tests. */
const struct error_info *error_row(enum error_kind kind, size_t index, int *ret_last_code);

#endif
