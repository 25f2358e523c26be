/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.h - memory or the end: a command that a person starts has nothing better to do without it.
 * What the gateway has accepted stays accepted; only this program ends, with a word on stderr. */
#ifndef CELLPOST_CLI_MEMORY_H
#define CELLPOST_CLI_MEMORY_H

#include <stddef.h>

void *memory_check(void *pointer);   /* the pointer, or the end where it is NULL */
void *memory_zero(size_t count, size_t size);
void *memory_resize(void *pointer, size_t count, size_t size);
char *memory_copy_text(const char *text);
char *memory_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
