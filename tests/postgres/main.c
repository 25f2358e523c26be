/* SPDX-License-Identifier: Apache-2.0
 *
 * with-postgres [--durable] COMMAND [ARGUMENT]... - runs a command with a PostgreSQL server of its own, whose address is in the
 * environment as POSTGRES. Ends with what the command ended with; with 77 where PostgreSQL is not installed. */
#include "tests/postgres/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct postgres_server *server;
    bool durable = argc > 1 && strcmp(argv[1], "--durable") == 0;
    char **command = argv + 1 + durable;
    int r, status = 0;
    pid_t pid;

    if (!*command) {
        (void)fprintf(stderr, "usage: with-postgres [--durable] COMMAND [ARGUMENT]...\n");
        return 2;
    }
    r = postgres_server_new(durable, &server);
    if (r < 0) {
        (void)fprintf(stderr, r == -ENOENT ? "skipped: PostgreSQL is not installed here\n" : "PostgreSQL does not start\n");
        return r == -ENOENT ? 77 : 1;
    }
    (void)setenv("POSTGRES", postgres_server_address(server), 1);
    pid = fork();
    if (pid == 0) {
        (void)execvp(command[0], command);
        _exit(127);
    }
    r = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    postgres_server_free(server);
    return r;
}
