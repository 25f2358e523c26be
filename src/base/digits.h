/* SPDX-License-Identifier: Apache-2.0
 *
 * digits.h - up to fifteen digits in one integer: numbers of ITU-T E.164 and their prefixes.
 *
 * Four bits a digit from the top, zeros behind the last one, and the number of digits in the lowest four bits. So "4", "40"
 * and "400" differ by their lengths alone and sort in that order, before "4001". */
#ifndef CELLPOST_BASE_DIGITS_H
#define CELLPOST_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define DIGITS_MAX 15                    /* ITU-T E.164 6.1 */
#define DIGITS_CHARS (DIGITS_MAX + 1)

/* Packs what digits there are, up to fifteen. ret_used may be NULL. */
uint64_t digits_pack(const char *digits, size_t length, size_t *ret_used);
/* The digits and a NUL. */
void digits_text(uint64_t packed, char ret_digits[DIGITS_CHARS]);

#endif
