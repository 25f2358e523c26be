/* SPDX-License-Identifier: Apache-2.0
 *
 * tell.h - the other end of the control socket: cellpost-modembank --tell SOCKET COMMAND... */
#ifndef CELLPOST_MODEMBANK_TELL_H
#define CELLPOST_MODEMBANK_TELL_H

/* Sends the words as one command and prints the answer. An exit status: 0 done, 1 refused or nobody there. */
int tell(const char *socket_path, int count, char **words);

#endif
