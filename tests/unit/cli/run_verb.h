/* SPDX-License-Identifier: Apache-2.0
 *
 * run_verb.h - one verb of `cellpost` in this process, with what it printed. */
#ifndef RUN_VERB_H
#define RUN_VERB_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A canned answer; its end is the end of the connection. */
#define REPLY(status, body) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body

/* What a run printed, and how it ended. */
struct run { int status; char out[4096], err[4096]; };

static void read_back(int fd, char *ret_text, size_t size)
{
    ssize_t n = pread(fd, ret_text, size - 1, 0);
    ret_text[n > 0 ? n : 0] = '\0';
    close(fd);
}

static struct run run_verb(int (*verb)(int, char **), const char *const *arguments)
{
    int out = open("/tmp", O_TMPFILE | O_RDWR, 0600), err = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO), argc = 0;
    char *argv[32], *kept[32];
    struct run done = { 0 };

    assert_true(out >= 0 && err >= 0);
    for (; arguments[argc] != NULL; argc++)
        argv[argc] = strdup(arguments[argc]);
    argv[argc] = NULL;
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    memcpy(kept, argv, sizeof kept);   /* getopt moves them about */
    done.status = verb(argc, argv);
    fflush(stdout);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    for (int i = 0; i < argc; i++)
        free(kept[i]);
    read_back(out, done.out, sizeof done.out);
    read_back(err, done.err, sizeof done.err);
    return done;
}

#endif
