/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void redirect(const char *path, int to)
{
    int fd = open(path != NULL ? path : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0644);

    if (fd < 0 || dup2(fd, to) < 0)
        _exit(126);
    (void)close(fd);
}

/* fork, since posix_spawn() cannot ask for a signal at the death of the parent. */
void process_start(struct process *process, const char *const argv[], const char *const environment[], const char *out, const char *err)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        harness_die("fork: %s", strerror(errno));
    if (pid == 0) {
        int in = open("/dev/null", O_RDONLY);

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || in < 0 || dup2(in, STDIN_FILENO) < 0)
            _exit(126);
        (void)close(in);
        redirect(out, STDOUT_FILENO);
        redirect(err, STDERR_FILENO);
        for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
            (void)putenv(strdup(environment[i]));
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);   /* which does not write to them */
        _exit(127);
    }
    process->pid = pid;
    process->fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process->fd < 0)
        harness_die("pidfd_open: %s", strerror(errno));
}

void process_signal(const struct process *process, int number)
{
    if (process->pid > 0)
        (void)kill(process->pid, number);
}

int process_wait(struct process *process, int timeout_ms)
{
    struct pollfd fd = { .fd = process->fd, .events = POLLIN };
    int status, r;

    if (process->pid == 0)
        return -1;
    do
        r = poll(&fd, 1, timeout_ms);
    while (r < 0 && errno == EINTR);
    if (r == 0)
        return -1;
    if (waitpid(process->pid, &status, 0) != process->pid)
        harness_die("waitpid: %s", strerror(errno));
    (void)close(process->fd);
    *process = (struct process){ 0, -1 };
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *take_file(char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (file == NULL)
        harness_die("%s: %s", path, strerror(errno));
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    (void)fclose(file);
    (void)unlink(path);
    return text;
}

int process_run(const char *const argv[], int timeout_ms, char **ret_out, char **ret_err)
{
    char out[] = "/tmp/cellpost-out-XXXXXX", err[] = "/tmp/cellpost-err-XXXXXX", *text;
    struct process process;
    int status, fds[2] = { mkstemp(out), mkstemp(err) };

    if (fds[0] < 0 || fds[1] < 0)
        harness_die("no file can be made in /tmp: %s", strerror(errno));
    (void)close(fds[0]);
    (void)close(fds[1]);
    process_start(&process, argv, NULL, out, err);
    status = process_wait(&process, timeout_ms);
    if (status < 0) {
        process_signal(&process, SIGKILL);
        (void)process_wait(&process, 10000);
    }
    text = take_file(out);
    if (ret_out != NULL)
        *ret_out = text;
    else
        free(text);
    text = take_file(err);
    if (ret_err != NULL)
        *ret_err = text;
    else
        free(text);
    return status;
}
