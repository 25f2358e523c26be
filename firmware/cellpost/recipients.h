/* SPDX-License-Identifier: Apache-2.0
 *
 * recipients.h - the numbers a text goes to: from the command line and from files with one number a line. */
#ifndef CELLPOST_CLI_RECIPIENTS_H
#define CELLPOST_CLI_RECIPIENTS_H

#include <stddef.h>
#include <stdio.h>

#define RECIPIENTS_MAX 10000      /* what the gateway takes in one request: src/api/api.h */
#define RECIPIENT_LINE_MAX 256

struct recipients { char **numbers; size_t count; };
void recipients_done(struct recipients *recipients);

/* -E2BIG: more than RECIPIENTS_MAX. -EILSEQ: no UTF-8. What a number means is the gateway's to
 * judge. */
int recipients_add(struct recipients *recipients, const char *number);

/* Blank lines and what follows a '#' are left out; a byte order mark and CR LF are fine. -EILSEQ, -EMSGSIZE, -E2BIG, -EIO:
 * *ret_line is the line in question. */
int recipients_read(struct recipients *recipients, FILE *file, unsigned *ret_line);

#endif
