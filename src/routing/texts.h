/* SPDX-License-Identifier: Apache-2.0
 *
 * texts.h - strings that stay where they are until all of them go: those of a table that never changes once it is read. */
#ifndef CELLPOST_ROUTING_TEXTS_H
#define CELLPOST_ROUTING_TEXTS_H

#include <stddef.h>

struct texts_block;
struct texts { struct texts_block *blocks; size_t bytes; };   /* all zeros: empty; bytes of memory */

const char *texts_keep(struct texts *texts, const char *text);   /* a copy; NULL: no memory */
void texts_free(struct texts *texts);

#endif
