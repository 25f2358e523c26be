/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_account_storage - what the storages of cellpost-central carry: leases and posts of usage per second, in SQLite and in
 * PostgreSQL, with 1 and 2 processes of several threads, all boxes of one account or of one each. Every transaction is what
 * src/account makes of a request, without what it computes (signatures, hashes); every commit is on the disk. */
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
#include "src/account/account_internal.h"
#include "tests/postgres/server.h"

#define NOW_MS INT64_C(1790000000000)
#define PROCESSES_MAX 8
#define THREADS_MAX 32
#define SAMPLES_MAX 20000

static unsigned seconds = 5, threads = 4, boxes_per_thread = 8;

/* What a process tells the one that measures, in shared memory. */
struct told { unsigned done, tries, given_up, samples; float latency_us[SAMPLES_MAX]; };
struct shared { struct told told[PROCESSES_MAX][THREADS_MAX]; };

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

/* Ids are random in the field, so those of neighbours are not on one page. */
static void box_id(unsigned number, uint8_t ret_id[LEASE_BOX_ID_OCTETS])
{
    uint8_t octets[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number }, hash[SHA256_OCTETS];

    octets_sha256(octets, sizeof octets, hash);
    memcpy(ret_id, hash, LEASE_BOX_ID_OCTETS);
}

/* -- requests -------------------------------------------------------------------------------------------------------------- */

struct request { unsigned box; uint64_t random; size_t entries; unsigned tries; };

/* The successor of the lease before, which is closed with it, so that a box has one as most have. */
static int lease_work(const struct account_db *db, void *context)
{
    struct request *request = context;
    struct account_box box;
    struct account_row account;
    struct account_lease before, lease;
    struct account_price price;
    struct account_answer answer = { .status = 0 };
    struct account_posting grant = { .from = BOOK_AVAILABLE, .to = BOOK_LEASED, .micro = 1000, .reason = FOR_GRANT, .at_ms = NOW_MS };
    struct account_posting close = { .from = BOOK_LEASED, .to = BOOK_AVAILABLE, .reason = FOR_CLOSE, .at_ms = NOW_MS };
    struct account_unclosed unclosed;
    uint8_t id[LEASE_BOX_ID_OCTETS];
    int r;

    request->tries++;
    box_id(request->box, id);
    memcpy(answer.box, id, sizeof id);
    memcpy(answer.request, &request->random, sizeof request->random);
    r = db->ops->box_get(db->db, id, &box);
    if (r == 0)
        r = db->ops->answer_get(db->db, id, answer.request, &answer);
    r = r == -ENOENT ? db->ops->account_get(db->db, box.account, &account) : r < 0 ? r : -EEXIST;
    if (r == 0)
        r = db->ops->price_get(db->db, 0, &price);
    if (r == 0)
        r = account_unclosed(db, id, &unclosed);
    if (r == 0)
        r = db->ops->lease_get(db->db, id, box.last_lease_id, &before);
    if (r < 0)
        return r;
    lease = (struct account_lease){ .id = ++box.last_lease_id, .account = account.id, .epoch = 1, .state = ACCOUNT_LEASE_OPEN, .grant_micro = 1000,
                                    .price_version = price.version, .issued_ms = NOW_MS, .spend_until_ms = NOW_MS + 86400000 };
    memcpy(lease.box, id, sizeof id);
    answer.lease = lease.id;
    r = account_post(db, &account, &lease, &grant);
    if (r == 0)
        r = db->ops->lease_add(db->db, &lease);
    close.micro = before.rest_micro;
    if (r == 0 && close.micro > 0)
        r = account_post(db, &account, &before, &close);
    before.state = ACCOUNT_LEASE_CLOSED;
    if (r == 0)
        r = db->ops->lease_set(db->db, &before);
    if (r == 0)
        r = db->ops->account_set(db->db, &account);
    if (r == 0)
        r = db->ops->answer_add(db->db, &answer);
    return r < 0 ? r : db->ops->box_set(db->db, &box);
}

static int usage_work(const struct account_db *db, void *context)
{
    struct request *request = context;
    struct account_box box;
    struct account_row account;
    struct account_lease lease;
    struct account_price_row price;
    uint8_t id[LEASE_BOX_ID_OCTETS];
    int r;

    request->tries++;
    box_id(request->box, id);
    r = db->ops->box_get(db->db, id, &box);
    if (r == 0)
        r = db->ops->account_get(db->db, box.account, &account);
    if (r == 0)
        r = db->ops->lease_get(db->db, id, box.last_lease_id, &lease);
    lease.rest_micro += (int64_t)request->entries;   /* never used up */
    for (size_t i = 0; r == 0 && i < request->entries; i++) {
        struct account_entry row = { .chain = box.chain, .paid = PAID_FROM_REST,
                                     .entry = { .seq = ++box.acked.seq, .lease_id = lease.id, .kind = JOURNAL_CAPTURE, .message_id = (int64_t)box.acked.seq,
                                                .part = 1, .attempt = 1, .units_micro = 1, .price_row = (uint32_t)(i % 50) } };
        struct account_posting posting = { .from = BOOK_LEASED, .to = BOOK_CAPTURED, .micro = 1, .reason = FOR_CAPTURE, .chain = box.chain,
                                           .entry = box.acked.seq, .at_ms = NOW_MS };

        memcpy(row.box, id, sizeof id);
        r = db->ops->price_row_get(db->db, 1, row.entry.price_row, &price);
        if (r == 0)
            r = account_post(db, NULL, &lease, &posting);
        row.posting = posting.number;
        if (r == 0)
            r = db->ops->entry_add(db->db, &row);
    }
    if (r == 0)
        r = db->ops->lease_set(db->db, &lease);
    return r < 0 ? r : db->ops->box_set(db->db, &box);
}

/* -- processes and threads --------------------------------------------------------------------------------------------------- */

static void *work(void *context)
{
    struct worker *worker = context;
    const struct run *run = worker->run;
    struct told *told = &run->shared->told[worker->process][worker->thread];
    struct central_db *db = open_db(run->where);
    struct account_db ops = central_db_ops(db);
    unsigned first = (worker->process * threads + worker->thread) * boxes_per_thread;
    double end = now_s() + seconds;

    for (unsigned i = 0;; i++) {
        struct request request = { .box = first + i % boxes_per_thread, .entries = run->entries,
                                   .random = (uint64_t)run->round << 48 | (uint64_t)first << 32 | i };
        double start = now_s();
        int r;

        if (start >= end)
            break;
        r = account_transact(&ops, run->work == WORK_LEASES ? lease_work : usage_work, &request);
        check(r == 0 || r == -EAGAIN, "a request failed");
        told->tries += request.tries;
        told->done += r == 0;
        told->given_up += r != 0;
        if (told->samples < SAMPLES_MAX)
            told->latency_us[told->samples++] = (float)((now_s() - start) * 1e6);
    }
    central_db_close(db);
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
    struct central_db *db = open_db(run->where);
    struct account_db ops = central_db_ops(db);
    struct account_price price = { .version = 1, .csv = "", .csv_length = 0 };
    struct account_row account = { .id = 0 };
    bool first = true;

    check(ops.ops->begin(db, 1) == 0, "it cannot be written");
    for (unsigned i = 0; i < run->processes * threads * boxes_per_thread; i++) {
        struct account_box box, row = { .state = BOX_ACTIVE, .epoch = 1, .chain = 1, .last_lease_id = 1, .lease_max_micro = 1000 };
        struct account_lease lease = { .id = 1, .epoch = 1, .state = ACCOUNT_LEASE_OPEN, .price_version = 1, .grant_micro = 1000, .rest_micro = 1000 };

        if (!run->one_account || first) {
            account = (struct account_row){ .available_micro = INT64_C(1000000000000000), .funded_micro = INT64_C(1000000000000000) };
            (void)snprintf(account.name, sizeof account.name, "account-%u-%u", run->round, i);
            check(ops.ops->account_add(db, &account) == 0, "no account");
        }
        box_id(i, row.id);
        memcpy(lease.box, row.id, sizeof lease.box);
        row.account = lease.account = account.id;
        if (ops.ops->box_get(db, row.id, &box) == -ENOENT) {
            check(ops.ops->box_add(db, &row) == 0 && ops.ops->lease_add(db, &lease) == 0, "no box");
        } else {
            box.account = account.id;
            check(ops.ops->box_set(db, &box) == 0, "no box");
        }
        first = false;
    }
    if (run->round == 0) {
        check(ops.ops->price_add(db, &price) == 0, "no prices");
        for (uint32_t i = 0; i < 50; i++)
            check(ops.ops->price_row_add(db, &(struct account_price_row){ 1, i, 1, 2 }) == 0, "no prices");
    }
    check(ops.ops->commit(db) == 0, "it cannot be written");
    central_db_close(db);
}

static json_t *measure(const struct run *run)
{
    static double latency_us[PROCESSES_MAX * THREADS_MAX * SAMPLES_MAX];
    size_t samples = 0;
    unsigned done = 0, tries = 0, given_up = 0;
    double start, took_s;

    prepare(run);
    memset(run->shared, 0, sizeof *run->shared);
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
            tries += told->tries;
            given_up += told->given_up;
            for (unsigned k = 0; k < told->samples; k++)
                latency_us[samples++] = told->latency_us[k];
        }
    }
    return json_pack("{s:s, s:i, s:s, s:i, s:f, s:f, s:f, s:i, s:o}", "work", run->work == WORK_LEASES ? "leases" : "usage", "processes",
                     (int)run->processes, "accounts", run->one_account ? "one" : "one for each box", "entries", (int)run->entries, "per_second",
                     (double)done / took_s, "entries_per_second", (double)done * run->entries / took_s, "tries", done > 0 ? (double)tries / done : 0.0,
                     "given_up", (int)given_up, "latency_ms", figures_latency(latency_us, samples));
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
    check(shared != MAP_FAILED && threads > 0 && threads <= THREADS_MAX && boxes_per_thread > 0, "the options are not ones that can be");
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
