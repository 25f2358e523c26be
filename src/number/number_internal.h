/* SPDX-License-Identifier: Apache-2.0
 *
 * number_internal.h - what the files of src/number share: the table of countries, and the two backends' contract. */
#ifndef CELLPOST_NUMBER_INTERNAL_H
#define CELLPOST_NUMBER_INTERNAL_H

#include <stdint.h>

#include "src/number/number.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NUMBER_NATIONAL_DIGITS_MAX 17

struct number_country {
    char code[3];                     /* ISO 3166-1 alpha-2; "" for the codes of no country (+800 ...) */
    const char *name;
    const char *calling;              /* "40" */
    const char *trunk;                /* in front of the national number inside the country; "" none */
    bool main;                        /* of several that share a calling code the one to name */
    uint32_t lengths;                 /* national (significant) numbers of n digits: bit n */
};
const struct number_country *number_country_find(const char *code);                /* NULL: no such country */
const struct number_country *number_country_of_digits(const char *digits);         /* the main one; NULL: no such code */

/* digits: at least one, digits alone. international: they begin with a calling code; else country is where they were
 * dialled. *ret_country is what the reason is about, where it is about one. Fills number on NUMBER_OK alone. */
enum number_reason number_backend_parse(const char *digits, bool international, const struct number_country *country,
                                        struct number *ret_number, const struct number_country **ret_country);

#ifdef __cplusplus
}
#endif
#endif
