/* SPDX-License-Identifier: Apache-2.0
 *
 * hex.h - octets to and from hexadecimal digits. */
#ifndef CELLPOST_BASE_HEX_H
#define CELLPOST_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Upper-case digits and a NUL: ret_text holds 2 * length + 1 characters. */
void hex_encode(const uint8_t *bytes, size_t length, char *ret_text);

/* Either case. Returns the number of octets, or -EINVAL (odd length, no digit), -EMSGSIZE (over size). */
int hex_decode(const char *text, size_t length, uint8_t *ret_bytes, size_t size);

#endif
