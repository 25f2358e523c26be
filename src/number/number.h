/* SPDX-License-Identifier: Apache-2.0
 *
 * number.h - telephone numbers as people write them, into E.164, and what kind of number each is.
 *
 * Only the form and the numbering plan are looked at, not whether anybody answers there. What the plan does not know is
 * NUMBER_UNKNOWN and no error: plans grow faster than libraries are updated, and a new range must work on the day it opens.
 * Errors:    0, or -EINVAL with a reason; results are written on success alone.
 * Threads:   every function may be called on any thread. */
#ifndef CELLPOST_NUMBER_H
#define CELLPOST_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NUMBER_DIGITS_MAX 20          /* TP-DA holds 20: 3GPP TS 23.040 9.1.2.5 */
#define NUMBER_TEXT_MAX (NUMBER_DIGITS_MAX + 2)
#define NUMBER_SHORT_DIGITS_MIN 3     /* short codes: as dialled, never with a country code */
#define NUMBER_SHORT_DIGITS_MAX 6

enum number_kind {
    NUMBER_INVALID = 0,               /* what a struct of zeros says; no number that was parsed has it */
    NUMBER_MOBILE,                    /* also where a plan does not tell mobile from fixed (North America) */
    NUMBER_FIXED,
    NUMBER_PREMIUM,                   /* also shared cost and personal numbers: the caller pays more than for a call */
    NUMBER_SPECIAL,                   /* short codes, freephone, services, voice over IP */
    NUMBER_UNKNOWN,                   /* of a length that is possible there; more is not known */
};
const char *number_kind_name(enum number_kind kind);   /* "mobile" ... */

struct number {
    char text[NUMBER_TEXT_MAX];       /* "+40722123456"; a short code: its digits */
    enum number_kind kind;
    char country[3];                  /* ISO 3166-1 alpha-2; "" where the number belongs to none */
};

enum number_reason {
    NUMBER_OK = 0,
    NUMBER_BAD_CHARACTER, NUMBER_PLUS_INSIDE, NUMBER_TOO_FEW_DIGITS, NUMBER_TOO_MANY_DIGITS,
    NUMBER_NO_COUNTRY,                /* a national form, and no country to read it in */
    NUMBER_NO_SUCH_CODE,              /* no country has that code */
    NUMBER_TOO_SHORT, NUMBER_TOO_LONG, NUMBER_BAD_LENGTH, NUMBER_NO_AREA_CODE,   /* for the plan of its country */
    NUMBER_NO_MEMORY,
};
struct number_error {
    enum number_reason reason;
    char text[96];                    /* for people, to stand behind a colon: "too short for a number of Romania" */
};

/* country: ISO 3166-1 alpha-2, what a national form is read in; "" or NULL: such forms are refused. */
int number_parse(const char *text, const char *country, struct number *ret_number, struct number_error *ret_error);

/* Only drops what people put between digits, and makes 00 a '+'. For a number that somebody else wrote (the sender of an
 * incoming message), which need not fit any plan. 3 to 20 digits. */
int number_clean(const char *text, char ret_text[NUMBER_TEXT_MAX], struct number_error *ret_error);

/* True if both name the same subscriber: equal digits, or one the national form of the other (TP-RA of reports). */
bool number_same(const char *a, const char *b);

/* The English name of a country, NULL where code (ISO 3166-1 alpha-2, capitals) is none. */
const char *number_country_name(const char *code);

/* What tells kinds apart in this build, for people: "libphonenumber" or "length and prefix rules ...". */
const char *number_backend(void);

/* Reads in what the first number would otherwise wait for (about 10 ms with libphonenumber). */
void number_warm_up(void);

#ifdef __cplusplus
}
#endif
#endif
