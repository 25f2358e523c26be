/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - what the files of the reading side share. Inside src/store. */
#ifndef CELLPOST_STORE_READER_H
#define CELLPOST_STORE_READER_H

#include "src/store/sql.h"
#include "src/store/store_read.h"

struct store_reader {
    struct sql sql;
    char tag[8];
    char *kept; size_t kept_size, kept_used;   /* what the last call of one row has handed out */
};

/* Starts a call: forgets earlier failures. */
void reader_begin(struct store_reader *reader);
/* Room for size octets of copies. -ENOMEM. */
int reader_reserve(struct store_reader *reader, size_t size);
/* Copies into that room, so that no statement stays open (an open one keeps the WAL from starting anew). NULL stays NULL. */
const void *reader_keep(struct store_reader *reader, const void *bytes, size_t length);

#endif
