/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.h - comma-separated values, one record at a time.
 *
 * RFC 4180 with quotes; lines end in LF or CR LF; UTF-8, with or without a byte order mark. Empty lines and lines that
 * begin with '#' are no records. A control character is an error, but for line breaks and tabs within quotes.
 * Ownership: the text must outlive the reader; fields live in the record until the next one is read into it. */
#ifndef CELLPOST_BASE_CSV_H
#define CELLPOST_BASE_CSV_H

#include <stddef.h>
#include <stdint.h>

#define CSV_RECORD_OCTETS_MAX 4096   /* as it is written, without the end of its line */
#define CSV_FIELDS_MAX 64

struct csv { const char *text; size_t length, at; uint32_t line; };

struct csv_record {
    uint32_t line;                       /* of the file, from 1, where it begins */
    unsigned count;
    const char *fields[CSV_FIELDS_MAX];  /* without the quotes around them */
    const char *wrong;                   /* a sentence without its subject, for people; after -EINVAL */
    char octets[CSV_RECORD_OCTETS_MAX + 4];   /* a character that reaches over the bound has room before it is refused */
};

void csv_init(struct csv *csv, const char *text, size_t length);
/* 1: a record; 0: no more. -EINVAL: the record is wrong, and reading goes on behind the line it begins on. */
int csv_next(struct csv *csv, struct csv_record *record);

#endif
