/* SPDX-License-Identifier: Apache-2.0
 *
 * utf8.h - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef CELLPOST_BASE_UTF8_H
#define CELLPOST_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BYTES_MAX 4
#define UTF8_REPLACEMENT 0xFFFDu   /* U+FFFD stands for what could not be read */

/* The character at the beginning of text. Returns the octets it takes (1..4), or -EILSEQ; -EILSEQ also for length 0. */
int utf8_next(const char *text, size_t length, uint32_t *ret_code_point);

/* Writes one character and returns its octets (1..4); no NUL is added. A surrogate gets the three octets that WTF-8
 * gives it, so that halves of pairs can be kept apart and joined later; anything above U+10FFFF becomes U+FFFD. */
size_t utf8_put(uint32_t code_point, char ret_text[UTF8_BYTES_MAX]);

/* True where all of text is UTF-8. If not, and ret_at is not NULL, *ret_at is the offset of the first bad octet. */
bool utf8_is_valid(const char *text, size_t length, size_t *ret_at);

#endif
