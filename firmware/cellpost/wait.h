/* SPDX-License-Identifier: Apache-2.0
 *
 * wait.h - follows the messages of one batch until each has come as far as was asked, and shows the way. */
#ifndef CELLPOST_CLI_WAIT_H
#define CELLPOST_CLI_WAIT_H

#include "firmware/cellpost/cli.h"

enum wait_goal { WAIT_NOT, WAIT_SENT, WAIT_DELIVERED };

/* answer: the 202 of POST /v1/messages. Its messages get their last "state" (and "reason") written over.
 * report: reports were asked for; else "sent" is the end of the way. timeout_ms: 0 no end.
 * CLI_OK: all came there. CLI_REFUSED: all came to an end, some to a bad one. CLI_TIMED_OUT. CLI_UNREACHABLE. */
int wait_for_batch(struct cli *cli, json_t *answer, enum wait_goal goal, bool report, int64_t timeout_ms);

#endif
