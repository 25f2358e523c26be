/* SPDX-License-Identifier: Apache-2.0
 *
 * harness.h - real processes in a folder of their own: cellpost-modembank, cellpostd, and what is needed to talk to them.
 *
 *   harness.c          the folder, the configuration, starting, stopping and killing
 *   harness_process.c  processes that end when this one does
 *   harness_follow.c   lines of a file as they are written
 *   harness_http.c     the API over the unix socket or TCP
 *   harness_events.c   the event stream
 *   harness_witness.c  what was on the air, from the bank's log; the bank's control socket
 *   harness_wait.c     waiting for something to become true
 *   harness_faults.c   a disk that fails, a clock that is ahead (preload_faults.c)
 *
 * Nothing sleeps: a wait looks again when a file grew or an event came, and has an end. What only a broken machine or a
 * mistake in the test can cause ends the program with harness_die(), which shows the last of the daemon's log.
 * Times: microseconds and milliseconds of CLOCK_MONOTONIC. */
#ifndef CELLPOST_TESTS_HARNESS_H
#define CELLPOST_TESTS_HARNESS_H

#include "tests/system/faults.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* -- time and failure ----------------------------------------------------------------------------------------- */

uint64_t harness_now_us(void);
/* The milliseconds left until a deadline, at least 0. */
int harness_left_ms(uint64_t deadline_us);
_Noreturn void harness_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Called by harness_die() before it ends the program; NULL: nothing. It may end the program itself. */
extern void (*harness_dying)(void);
#define HARNESS_CHECK(condition) \
    do { \
        if (!(condition)) \
            harness_die("%s:%d: %s does not hold", __FILE__, __LINE__, #condition); \
    } while (0)

/* -- processes ------------------------------------------------------------------------------------------------ */

struct process {
    pid_t pid;                           /* 0: none */
    int fd;                              /* pidfd */
};

/* argv ends with NULL, environment is added to ours and ends with NULL (or is NULL). Output goes to files; NULL: nowhere.
 * The child is killed when the calling thread ends. */
void process_start(struct process *process, const char *const argv[], const char *const environment[], const char *out, const char *err);
void process_signal(const struct process *process, int number);
/* Waits for its end: the exit status, 128 + the signal that ended it, or -1 when it still runs. */
int process_wait(struct process *process, int timeout_ms);
/* The path of a program of ours: it lies where this one does. */
void harness_program(const char *name, char *ret_path, size_t size);
/* Runs a program to its end; its output, NUL-terminated, is the caller's to free. */
int process_run(const char *const argv[], int timeout_ms, char **ret_out, char **ret_err);

/* -- files that grow ------------------------------------------------------------------------------------------ */

struct follow {
    char path[256];
    int fd, inotify_fd;
    char *buffer; size_t length, size, taken;
};

void follow_open(struct follow *follow, const char *path);   /* made if it is not there yet */
void follow_close(struct follow *follow);
void follow_seek(struct follow *follow, off_t at);
/* The next whole line, without its end, valid until the next call; NULL when there is none within the time. */
char *follow_line(struct follow *follow, int timeout_ms);

/* -- the rig -------------------------------------------------------------------------------------------------- */

#define HARNESS_ARGUMENTS_MAX 32

struct harness_options {
    unsigned modems;                     /* 0: no bank is started */
    const char *bank[HARNESS_ARGUMENTS_MAX]; /* more options of the bank; ends with NULL */
    const char *ports;                   /* patterns; NULL: all of the bank */
    const char *gateway, *api, *modem;   /* more lines of these sections, each with its line end; NULL none */
    const char *bank_section;            /* more lines of [bank "local"]; NULL none */
    const char *sections;                /* more sections; NULL none */
    const char *environment[8];               /* of the daemon, "NAME=VALUE"; ends with NULL */
    const char *state_dir, *witness;     /* kept elsewhere: the daemon's state, the bank's log; NULL: in the folder */
};

struct witness_part {                    /* one part that the network took */
    uint64_t t_us;                       /* of the bank's clock */
    unsigned modem;
    int mr, total, seq;                  /* seq from 1; total 1 without concatenation */
    unsigned lines;                      /* AT lines since the part before on this modem */
    bool reject_duplicates;              /* TP-RD of its PDU */
    char to[24];
    char *text;
};

struct witness {
    struct follow follow;
    struct witness_part *parts; size_t count, size;
    uint64_t answered, reports, incoming;
    uint64_t last_us;                    /* of the newest line, the bank's clock */
    uint64_t faults;                     /* that struck; the newest: its modem, and how many parts had been on the air before */
    unsigned fault_modem; size_t fault_count;
};

struct http;
struct events { int fd; char *buffer; size_t length, size; char name[16]; };

struct harness {
    struct harness_options options;
    char bin[256];                       /* where the programs are */
    char dir[64];
    char modems[80], socket[80], control[80], witness_path[80], config[80], state[80], database[96], log[80];
    struct process bank, daemon;
    struct http *http;                   /* of the main thread */
    struct events events;
    struct witness witness;
    struct follow log_follow;
    off_t log_start;                     /* where the log of the daemon started last begins */
    bool passed;                         /* else harness_free() shows the daemon's log */
    bool keep;                           /* the folder stays */
    struct faults *faults;               /* NULL: not attached */
    char preload[300], faults_path[128];
};

/* A folder and the configuration in it; the bank runs when this returns, the daemon does not yet. Never fails. */
struct harness *harness_new(const struct harness_options *options);
void harness_free(struct harness *harness);   /* kills what runs, removes the folder; accepts NULL */
/* Writes the configuration (again). */
void harness_write_config(const struct harness *harness);
void harness_path(const struct harness *harness, const char *name, char *ret_path, size_t size);

/* Starts cellpostd; returns when its socket answers, the event stream is open. */
void harness_start(struct harness *harness);
/* The same, not waiting for anything: for daemons that are to fail, or to be killed at any moment. */
void harness_spawn(struct harness *harness);
bool harness_wait_answering(struct harness *harness, int timeout_ms);
int harness_stop(struct harness *harness, int timeout_ms);   /* SIGTERM; as process_wait() */
void harness_kill(struct harness *harness);                  /* SIGKILL */
/* The log of the daemon started last has a line with this in it. */
bool harness_wait_log(struct harness *harness, const char *part, int timeout_ms);

/* -- HTTP ----------------------------------------------------------------------------------------------------- */

struct http_answer {
    long status;                         /* 0: there was no answer */
    json_t *json;                        /* NULL: none, or not JSON */
    char type[64];                       /* of the content */
    char *body; size_t length;
    bool replayed;                       /* Idempotency-Replayed: true */
};

struct http *http_new(const struct harness *harness);        /* over the unix socket; for one thread */
struct http *http_new_tcp(const char *base_url);             /* "http://127.0.0.1:8480" */
void http_free(struct http *http);
/* body NULL: none; header: "Name: value" or NULL. The answer is emptied with http_answer_done(). */
void http_call(struct http *http, const char *method, const char *path, const char *body, const char *header, struct http_answer *ret);
void http_call_bytes(struct http *http, const char *method, const char *path, const void *body, size_t length, const char *header,
                     struct http_answer *ret);
void http_answer_done(struct http_answer *answer);
/* A member of an object, "" where it is not there. */
const char *json_text_at(json_t *object, const char *name);
int64_t json_number_at(json_t *object, const char *name);

/* GET; dies without 200. The caller's reference. */
json_t *harness_get(struct harness *harness, const char *path);
/* POST of one message; dies without 202. Its id. */
void harness_send(struct harness *harness, const char *to, const char *text, char ret_id[32]);
/* POST of one text to `count` numbers from first on; dies without 202. */
void harness_send_many(struct http *http, uint64_t first, unsigned count, const char *text);

/* -- events --------------------------------------------------------------------------------------------------- */

bool events_open(struct events *events, const char *socket_path);
void events_close(struct events *events);   /* accepts a closed one */
/* The next event, its name in events->name; NULL when none comes in time. The caller's reference. */
json_t *events_next(struct events *events, int timeout_ms);

/* -- the bank ------------------------------------------------------------------------------------------------- */

json_t *bank_tell(const struct harness *harness, const char *command);   /* dies where it is refused */
void bank_tell_ok(const struct harness *harness, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reads what was written meanwhile. */
void witness_read(struct witness *witness);
unsigned witness_count(const struct witness *witness, const char *to);   /* parts on the air towards this number */
/* Puts the texts of a message's parts in order; the caller frees it. */
char *witness_text(const struct witness *witness, const char *to);

/* -- faults of the disk and the clock -------------------------------------------------------------------------- */

/* Daemons started from now on have faults that can be switched on and off: disk_full, disk_error_write, disk_error_sync,
 * disk_error_truncate. */
void faults_attach(struct harness *harness);
void faults_detach(struct harness *harness);   /* by harness_free() */
void faults_begin(struct harness *harness, const char *name);
void faults_end(struct harness *harness);
uint64_t faults_failed(const struct harness *harness);   /* calls that failed so far */

/* -- waiting -------------------------------------------------------------------------------------------------- */

typedef bool (*harness_condition)(struct harness *harness, const void *context);
/* Looks whenever an event came, the log or the bank's witness grew, and once a second. */
bool harness_wait(struct harness *harness, harness_condition holds, const void *context, int timeout_ms);
/* So many modems are in this state. */
bool harness_wait_modems(struct harness *harness, const char *state, unsigned count, int timeout_ms);
/* The first modem is in this state for this reason. */
bool harness_wait_reason(struct harness *harness, const char *state, const char *code, int timeout_ms);
/* The message is in this state. */
bool harness_wait_state(struct harness *harness, const char *id, const char *state, int timeout_ms);
/* So many parts were on the air towards this number. */
bool harness_wait_on_air(struct harness *harness, const char *to, unsigned parts, int timeout_ms);
/* So many parts were on the air in all. */
bool harness_wait_parts(struct harness *harness, size_t parts, int timeout_ms);
/* A message with this sender and text is in the inbox. */
bool harness_wait_inbox(struct harness *harness, const char *from, const char *text, int timeout_ms);

/* One number from the database, read only. */
int64_t harness_database_number(const struct harness *harness, const char *sql);
/* Changes it, as nobody should. The daemon does not run. */
void harness_database_change(const struct harness *harness, const char *sql);

#endif
