/* SPDX-License-Identifier: Apache-2.0
 *
 * commands.h - the verbs of `cellpost`. argv[0] is the verb; the result is the exit status (cli.h names them). */
#ifndef CELLPOST_COMMANDS_H
#define CELLPOST_COMMANDS_H

#include <jansson.h>

/* Without a daemon. */
int cmd_segments(int argc, char **argv);
int cmd_pdu(int argc, char **argv);
int cmd_tariffs(int argc, char **argv);

/* Over the socket. */
int cmd_send(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_cancel(int argc, char **argv);
int cmd_release(int argc, char **argv);
int cmd_drop(int argc, char **argv);
int cmd_inbox(int argc, char **argv);
int cmd_route(int argc, char **argv);
int cmd_quote(int argc, char **argv);
int cmd_modems(int argc, char **argv);
int cmd_sims(int argc, char **argv);
/* What a SIM has left, as people read it. */
void balance_shown(json_t *balance, char *ret_text, size_t size);
int cmd_balance(int argc, char **argv);
/* The credits of this box. The exit status. */
struct cli;
int credit_balance(struct cli *cli);
int cmd_ledger(int argc, char **argv);
int cmd_enroll(int argc, char **argv);
int cmd_ussd(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_optout(int argc, char **argv);
int cmd_health(int argc, char **argv);

#endif
