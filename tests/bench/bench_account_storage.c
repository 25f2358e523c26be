/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_account_storage - what the storages of cellpost-central carry: leases and posts of usage per second, in SQLite and in
 * PostgreSQL, with 1 and 2 processes of several threads, all boxes of one account or of one each. The requests go through
 * src/account, without the network and without signatures; every commit is on the disk. A lease is the successor of the one
 * before, which is then closed: per_second counts such pairs, latency is that of the lease. */
#include "tests/bench/figures.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "firmware/central/db.h"
#include "src/account/account.h"
#include "tests/postgres/server.h"

#define NOW_MS INT64_C(1790000000000)
#define PROCESSES_MAX 8
#define THREADS_MAX 32
#define BOXES_MAX 32
#define SAMPLES_MAX 20000
#define PRICES 50
#define MICRO INT64_C(100000000)             /* of a lease: more than a run uses */

static unsigned seconds = 5, threads = 4, boxes_per_thread = 8;

/* What a process tells the one that measures, in shared memory. */
struct told { unsigned done, given_up, samples; float latency_us[SAMPLES_MAX]; };
/* What a box knows of itself. */
struct box { struct account_caller caller; struct journal_head head; uint64_t open; };
struct shared { struct told told[PROCESSES_MAX][THREADS_MAX]; struct box boxes[PROCESSES_MAX][THREADS_MAX][BOXES_MAX]; };

enum work { WORK_LEASES, WORK_USAGE };
struct run { const char *where; enum work work; unsigned processes, entries, round; bool one_account; struct shared *shared; };
struct worker { const struct run *run; unsigned process, thread; pthread_t id; };

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "bench_account_storage: %s\n", what);
    exit(1);
}

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct central_db *open_db(const char *where)
{
    struct central_db *db = NULL;
    char problem[512];
    int r = central_db_open(where, &db, problem, sizeof problem);

    check(r == 0, problem);
    return db;
}

/* -- the account --------------------------------------------------------------------------------------------------------------- */

static int no_random(void *context, unsigned char *ret_octets, size_t length)
{
    static _Thread_local uint64_t number;

    (void)context;
    number++;
    for (size_t i = 0; i < length; i++)
        ret_octets[i] = (uint8_t)((number * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)getpid()) >> i % 8 * 8);
    return 0;
}

static int no_paper(void *context, struct lease *lease) { (void)context; (void)lease; return 0; }
static int no_command(void *context, struct command *command, const uint8_t box[LEASE_BOX_ID_OCTETS], uint32_t epoch)
{
    (void)context; (void)command; (void)box; (void)epoch;
    return 0;
}

static int no_certificate(void *context, const char *csr, const uint8_t box[LEASE_BOX_ID_OCTETS], int64_t now_ms,
                          char ret_certificate[ACCOUNT_CERTIFICATE_CHARS], uint8_t ret_key_sha256[SHA256_OCTETS])
{
    (void)context; (void)csr; (void)now_ms;
    ret_certificate[0] = '\0';
    octets_sha256(box, LEASE_BOX_ID_OCTETS, ret_key_sha256);
    return 0;
}

static const struct account_hands hands = { no_random, no_paper, no_command, no_certificate, NULL, 86400000, 86400000 };

static struct box enrol(const struct account_db *db, const char *account, unsigned number)
{
    enum account_status status = ACCOUNT_OK;
    struct account_token_ask ask = { .account = account, .label = "bench", .lease_max_micro = MICRO, .valid_ms = 1000 };
    struct account_enrol_ask enrol_ask = { .csr = "csr", .version = "1" };
    struct account_enrol_told told;
    struct box box = { .open = 0 };
    char token[64];

    (void)snprintf(token, sizeof token, "%s-%u", account, number);
    enrol_ask.token = token;
    octets_sha256((const uint8_t *)token, strlen(token), ask.token_sha256);
    check(account_token_new(db, &ask, NOW_MS, &status) == 0 && status == ACCOUNT_OK, "no token");
    check(account_enrol(db, &hands, &enrol_ask, NOW_MS, &status, &told) == 0 && status == ACCOUNT_OK, "no box");
    memcpy(box.caller.box, told.box, sizeof told.box);
    octets_sha256(told.box, sizeof told.box, box.caller.key_sha256);
    box.caller.epoch = told.epoch;
    return box;
}

/* The successor of the lease before. */
static int ask_lease(const struct account_db *db, struct box *box)
{
    struct account_lease_ask ask = { .want_micro = MICRO, .head = box->head, .open_lease_id = box->open };
    enum account_status status = ACCOUNT_OK;
    struct account_lease_told told;
    int r;

    memcpy(ask.request, &box->open, sizeof box->open);
    r = account_lease(db, &hands, &box->caller, &ask, NOW_MS, &status, &told);
    check(r != 0 || status == ACCOUNT_OK, account_status_name(status));
    if (r == 0)
        box->open = told.lease.lease_id;
    return r;
}

static int close_before(const struct account_db *db, struct box *box)
{
    struct account_close_ask ask = { .lease_id = box->open - 1, .head = box->head, .rest_micro = MICRO };
    enum account_status status = ACCOUNT_OK;
    int64_t returned_micro;
    int r = ask.lease_id > 0 ? account_close(db, &box->caller, &ask, NOW_MS, &status, &returned_micro) : 0;

    check(r != 0 || status == ACCOUNT_OK, account_status_name(status));
    return r;
}

static int tell_usage(const struct account_db *db, struct box *box, size_t count)
{
    static _Thread_local struct journal_entry entries[ACCOUNT_USAGE_MAX];
    struct account_usage_ask ask = { .from_seq = box->head.seq + 1, .entries = entries, .count = count, .head = box->head };
    struct account_usage_told told;
    enum account_status status = ACCOUNT_OK;
    int r;

    memcpy(ask.prev_hash, box->head.hash, sizeof ask.prev_hash);
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct journal_entry){ .lease_id = box->open, .kind = JOURNAL_CAPTURE, .message_id = (int64_t)ask.head.seq + 1, .part = 1,
                                             .attempt = 1, .units_micro = 1, .price_row = (uint32_t)(i % PRICES) };
        check(journal_append(&ask.head, &entries[i]) == 0, "no entry");
    }
    r = account_usage(db, &hands, &box->caller, &ask, NOW_MS, &status, &told);
    check(r != 0 || status == ACCOUNT_OK, account_status_name(status));
    if (r == 0)
        box->head = ask.head;
    return r;
}

/* -- processes and threads --------------------------------------------------------------------------------------------------- */

static int again(struct told *told, int r)
{
    check(r == 0 || r == -EAGAIN, "a request failed");
    told->given_up += r != 0;
    return r;
}

static void *work(void *context)
{
    struct worker *worker = context;
    const struct run *run = worker->run;
    struct told *told = &run->shared->told[worker->process][worker->thread];
    struct box *boxes = run->shared->boxes[worker->process][worker->thread];
    struct central_db *kept = open_db(run->where);
    struct account_db db = central_db_ops(kept);
    double end = now_s() + seconds;

    for (unsigned i = 0; now_s() < end; i++) {
        struct box *box = &boxes[i % boxes_per_thread];
        double start = now_s();

        while (again(told, run->work == WORK_LEASES ? ask_lease(&db, box) : tell_usage(&db, box, run->entries)) != 0)
            ;
        told->done++;
        if (told->samples < SAMPLES_MAX)
            told->latency_us[told->samples++] = (float)((now_s() - start) * 1e6);
        while (run->work == WORK_LEASES && again(told, close_before(&db, box)) != 0)
            ;
    }
    central_db_close(kept);
    return NULL;
}

static void run_process(const struct run *run, unsigned process)
{
    struct worker workers[THREADS_MAX];

    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){ run, process, i, 0 };
        check(pthread_create(&workers[i].id, NULL, work, &workers[i]) == 0, "no thread");
    }
    for (unsigned i = 0; i < threads; i++)
        (void)pthread_join(workers[i].id, NULL);
}

static void prepare(const struct run *run)
{
    struct central_db *kept = open_db(run->where);
    struct account_db db = central_db_ops(kept);
    enum account_status status = ACCOUNT_OK;
    char name[ACCOUNT_NAME_CHARS] = "";

    if (run->round == 0) {
        struct account_price_row rows[PRICES];
        struct account_price_ask ask = { { .version = 1, .csv = "bench", .csv_length = 5, .rows = PRICES }, rows };

        for (uint32_t i = 0; i < PRICES; i++)
            rows[i] = (struct account_price_row){ 1, i, 1, 2 };
        check(account_price_import(&db, &hands, &ask, NOW_MS, &status) == 0 && status == ACCOUNT_OK, "no prices");
    }
    for (unsigned i = 0; i < run->processes * threads * boxes_per_thread; i++) {
        unsigned thread = i / boxes_per_thread;
        struct box *box = &run->shared->boxes[thread / threads][thread % threads][i % boxes_per_thread];

        if (!run->one_account || i == 0) {
            (void)snprintf(name, sizeof name, "account-%u-%u", run->round, i);
            check(account_create(&db, name, NOW_MS, &status) == 0 && status == ACCOUNT_OK, "no account");
            check(account_fund(&db, name, ACCOUNT_MICRO_MAX, "bench", "", NOW_MS, &status) == 0 && status == ACCOUNT_OK, "no funds");
        }
        *box = enrol(&db, name, i);
        check(ask_lease(&db, box) == 0, "no lease");
    }
    central_db_close(kept);
}

static json_t *measure(const struct run *run)
{
    static double latency_us[PROCESSES_MAX * THREADS_MAX * SAMPLES_MAX];
    size_t samples = 0;
    unsigned done = 0, given_up = 0;
    double start, took_s;

    memset(run->shared, 0, sizeof *run->shared);
    prepare(run);
    (void)fflush(stdout);
    start = now_s();
    for (unsigned i = 0; i < run->processes; i++) {
        pid_t pid = fork();

        check(pid >= 0, "no process");
        if (pid == 0) {
            run_process(run, i);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < run->processes; i++) {
        int status = 0;

        check(wait(&status) > 0 && status == 0, "a process failed");
    }
    took_s = now_s() - start;
    for (unsigned i = 0; i < run->processes; i++) {
        for (unsigned j = 0; j < threads; j++) {
            const struct told *told = &run->shared->told[i][j];

            done += told->done;
            given_up += told->given_up;
            for (unsigned k = 0; k < told->samples; k++)
                latency_us[samples++] = told->latency_us[k];
        }
    }
    return json_pack("{s:s, s:i, s:s, s:i, s:f, s:f, s:i, s:o}", "work", run->work == WORK_LEASES ? "leases" : "usage", "processes",
                     (int)run->processes, "accounts", run->one_account ? "one" : "one for each box", "entries", (int)run->entries, "per_second",
                     (double)done / took_s, "entries_per_second", (double)done * run->entries / took_s, "asked_again", (int)given_up, "latency_ms", figures_latency(latency_us, samples));
}

static void be_wrong(void *context, const char *sentence)
{
    (void)context;
    (void)fprintf(stderr, "%s\n", sentence);
}

/* The books agree with themselves after all of it. */
static json_t *prove(const char *where)
{
    struct central_db *kept = open_db(where);
    struct account_db db = central_db_ops(kept);
    struct account_census census;
    double start = now_s();

    check(account_check(&db, be_wrong, NULL, &census) == 0 && census.faults == 0, "the books are wrong");
    central_db_close(kept);
    return json_pack("{s:s, s:f, s:I, s:I}", "work", "check", "seconds", now_s() - start, "entries", (json_int_t)census.entries, "postings",
                     (json_int_t)census.postings);
}

static json_t *measure_all(const char *where, struct shared *shared)
{
    static const struct { enum work work; unsigned entries; bool one_account; } works[] = {
        { WORK_LEASES, 0, true }, { WORK_LEASES, 0, false }, { WORK_USAGE, 1, true }, { WORK_USAGE, 100, true }, { WORK_USAGE, 4096, true },
    };
    json_t *all = json_array();
    unsigned round = 0;

    for (unsigned processes = 1; processes <= 2; processes++)
        for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
            struct run run = { where, works[i].work, processes, works[i].entries, round++, works[i].one_account, shared };

            (void)json_array_append_new(all, measure(&run));
        }
    (void)json_array_append_new(all, prove(where));
    return all;
}

int main(int argc, char **argv)
{
    unsigned sqlite = 1, postgres = 1;
    const struct figures_option options[] = {
        { "seconds", &seconds, "of each figure" },
        { "threads", &threads, "of each process" },
        { "boxes", &boxes_per_thread, "for each thread" },
        { "sqlite", &sqlite, "0: without" },
        { "postgres", &postgres, "0: without" },
        { NULL, NULL, NULL },
    };
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct postgres_server *server = NULL;
    char folder[] = "/tmp/cellpost-bench-XXXXXX", path[64], name[80];
    json_t *figures = json_object();

    figures_options(argc, argv, "what the storages of cellpost-central carry", options);
    check(shared != MAP_FAILED && threads > 0 && threads <= THREADS_MAX && boxes_per_thread > 0 && boxes_per_thread <= BOXES_MAX, "the options are not ones that can be");
    if (sqlite) {
        check(mkdtemp(folder) != NULL, "no folder");
        (void)snprintf(path, sizeof path, "%s/central.db", folder);
        (void)json_object_set_new(figures, "sqlite", measure_all(path, shared));
        for (const char *const *end = (const char *const[]){ "", "-wal", "-shm", NULL }; *end; end++) {
            (void)snprintf(name, sizeof name, "%s%s", path, *end);
            (void)unlink(name);
        }
        (void)rmdir(folder);
    }
    if (postgres) {
        int r = postgres_server_new(true, &server);

        if (r == -ENOENT)
            (void)fprintf(stderr, "PostgreSQL is not installed here: without its figures\n");
        else {
            check(r == 0, "PostgreSQL does not start");
            (void)json_object_set_new(figures, "postgres", measure_all(postgres_server_address(server), shared));
            postgres_server_free(server);
        }
    }
    (void)json_object_set_new(figures, "threads", json_integer(threads));
    figures_print("account-storage", figures);
    return 0;
}
