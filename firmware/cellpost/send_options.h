/* SPDX-License-Identifier: Apache-2.0
 *
 * send_options.h - what send and quote have in common: recipients, the text, and members of the request.
 *
 * Where a status is returned it is CLI_OK, or CLI_USAGE after a word about what is wrong. */
#ifndef CELLPOST_CLI_SEND_OPTIONS_H
#define CELLPOST_CLI_SEND_OPTIONS_H

#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/recipients.h"

int send_add_recipient(struct cli *cli, struct recipients *recipients, const char *number);
/* "-": stdin, and *ret_stdin becomes true. */
int send_read_file(struct cli *cli, struct recipients *recipients, const char *path, bool *ret_stdin);
int send_read_at(struct cli *cli, json_t *options, const char *text);
int send_read_encoding(struct cli *cli, json_t *options, const char *text);
int send_read_country(struct cli *cli, json_t *options, const char *text);
int send_read_duration(struct cli *cli, const char *option, const char *text, int64_t min_s, int64_t *ret_s);
/* "-": from stdin. *ret_text is malloc'ed, and the caller's whatever is returned. */
int send_read_text(struct cli *cli, bool stdin_taken, const char *argument, char **ret_text);

/* The request: the recipients, the text, and the options beside. malloc'ed. */
char *send_make_body(const struct recipients *recipients, const char *text, json_t *options);
/* Says which of the recipients were refused; how many. */
size_t send_explain_refusals(json_t *messages);

#endif
