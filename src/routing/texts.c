/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/texts.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_OCTETS 65536

struct texts_block { struct texts_block *next; size_t used, size; char octets[]; };

const char *texts_keep(struct texts *texts, const char *text)
{
    size_t octets = strlen(text) + 1;
    struct texts_block *block = texts->blocks;
    char *copy;

    if (!block || block->size - block->used < octets) {
        size_t size = octets > BLOCK_OCTETS ? octets : BLOCK_OCTETS;

        block = malloc(sizeof *block + size);
        if (!block)
            return NULL;
        block->next = texts->blocks;
        block->size = size;
        block->used = 0;
        texts->blocks = block;
        texts->bytes += sizeof *block + size;
    }
    copy = memcpy(block->octets + block->used, text, octets);
    block->used += octets;
    return copy;
}

void texts_free(struct texts *texts)
{
    while (texts->blocks) {
        struct texts_block *block = texts->blocks;

        texts->blocks = block->next;
        free(block);
    }
    texts->bytes = 0;
}
