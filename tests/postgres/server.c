/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/postgres/server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define START_MAX_MS 30000

struct postgres_server {
    char folder[64], data[96], log[96], programs[PATH_MAX], address[192];
    bool durable;
    uid_t user;
    gid_t group;
    pid_t pid;                               /* 0: it does not run */
};

/* Where Debian has them, the newest; or beside the first initdb of the PATH. */
static int find_programs(char programs[PATH_MAX])
{
    const char *path = getenv("PATH");
    glob_t found;
    int r = -ENOENT;

    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0) {
        (void)snprintf(programs, PATH_MAX, "%.*s", (int)(strlen(found.gl_pathv[found.gl_pathc - 1]) - strlen("/initdb")),
                       found.gl_pathv[found.gl_pathc - 1]);
        globfree(&found);
        return 0;
    }
    while (path && *path && r < 0) {
        size_t length = strcspn(path, ":");
        char program[PATH_MAX];

        if (snprintf(program, sizeof program, "%.*s/initdb", (int)length, path) < (int)sizeof program && access(program, X_OK) == 0) {
            (void)snprintf(programs, PATH_MAX, "%.*s", (int)length, path);
            r = 0;
        }
        path += length + (path[length] == ':');
    }
    return r;
}

/* In a child: as the unprivileged user, in the folder, with the log as output; dies with its parent. */
static void run(const struct postgres_server *server, char *const *arguments)
{
    char program[PATH_MAX + 16];
    int log = open(server->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    (void)snprintf(program, sizeof program, "%s/%s", server->programs, arguments[0]);
    if (log >= 0) {
        (void)dup2(log, STDOUT_FILENO);
        (void)dup2(log, STDERR_FILENO);
    }
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(server->group) < 0 || setuid(server->user) < 0))
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    (void)setenv("LC_ALL", "C", 1);
    if (chdir(server->folder) == 0)
        (void)execv(program, arguments);
    _exit(127);
}

static void tell_log(const struct postgres_server *server)
{
    char line[512];
    FILE *log = fopen(server->log, "r");

    while (log && fgets(line, sizeof line, log))
        (void)fputs(line, stderr);
    if (log)
        (void)fclose(log);
}

static int make_cluster(const struct postgres_server *server)
{
    char *arguments[] = { (char *)"initdb", (char *)"-D", (char *)server->data, (char *)"-U", (char *)"cellpost", (char *)"-A", (char *)"trust",
                          (char *)"-E", (char *)"UTF8", (char *)"--locale=C", (char *)"--no-sync", NULL };
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        run(server, arguments);
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
        tell_log(server);
        return -EIO;
    }
    return 0;
}

int postgres_server_start(struct postgres_server *server)
{
    char *arguments[] = { (char *)"postgres", (char *)"-D", (char *)server->data, (char *)"-k", server->folder, (char *)"-c",
                          (char *)"listen_addresses=", (char *)"-c", (char *)"max_connections=64", (char *)"-c",
                          (char *)(server->durable ? "fsync=on" : "fsync=off"), (char *)"-c", (char *)"log_min_messages=fatal", (char *)"-c",
                          (char *)"autovacuum_naptime=5s", NULL };
    const struct timespec pause = { 0, 10000000 };

    if (server->pid > 0)
        return -EALREADY;
    server->pid = fork();
    if (server->pid == 0)
        run(server, arguments);
    if (server->pid < 0)
        return -errno;
    /* It has no event for those that are not its parent's init: asking it is what its own pg_ctl does as well. */
    for (unsigned waited_ms = 0; waited_ms < START_MAX_MS; waited_ms += 10) {
        if (PQping(server->address) == PQPING_OK)
            return 0;
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            break;
        }
        (void)nanosleep(&pause, NULL);
    }
    tell_log(server);
    postgres_server_stop(server, true);
    return -EIO;
}

void postgres_server_stop(struct postgres_server *server, bool at_once)
{
    if (server->pid <= 0)
        return;
    (void)kill(server->pid, at_once ? SIGQUIT : SIGINT);
    (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

int postgres_server_new(bool durable, struct postgres_server **ret_server)
{
    struct postgres_server *server = calloc(1, sizeof *server);
    const struct passwd *user = NULL;
    int r = -ENOMEM;

    if (!server)
        return r;
    server->durable = durable;
    r = find_programs(server->programs);
    if (r < 0)
        goto out;
    r = -EIO;
    (void)snprintf(server->folder, sizeof server->folder, "/tmp/cellpost-postgres-XXXXXX");
    if (!mkdtemp(server->folder)) {
        server->folder[0] = '\0';
        goto out;
    }
    (void)snprintf(server->data, sizeof server->data, "%s/data", server->folder);
    (void)snprintf(server->log, sizeof server->log, "%s/log", server->folder);
    (void)snprintf(server->address, sizeof server->address, "postgresql://cellpost@/postgres?host=%s", server->folder);
    if (geteuid() == 0) {                    /* it refuses to be run by root */
        user = getpwnam("postgres");
        if (!user)
            user = getpwnam("nobody");
        if (!user || chown(server->folder, user->pw_uid, user->pw_gid) < 0)
            goto out;
        server->user = user->pw_uid;
        server->group = user->pw_gid;
    }
    r = make_cluster(server);
    if (r == 0)
        r = postgres_server_start(server);
out:
    if (r < 0)
        postgres_server_free(server);
    else
        *ret_server = server;
    return r;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

void postgres_server_free(struct postgres_server *server)
{
    if (!server)
        return;
    postgres_server_stop(server, true);
    if (server->folder[0])
        (void)nftw(server->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(server);
}

const char *postgres_server_address(const struct postgres_server *server)
{
    return server->address;
}
