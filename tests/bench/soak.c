/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/soak.h"

#include "tests/bench/settle.h"
#include "tests/bench/soak_faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 3
#define BACKLOG_PARTS 40u
#define REPEAT_ONE_IN 6u
#define ABANDON_ONE_IN 8u
#define LEAD_MS_MAX 150          /* from one recovery to the next fault, at most */
#define RECOVER_MS 60000
#define SETTLE_MS 60000
#define DOUBT_AHEAD_MS 190000    /* a resend waits for up to 180 s; delivery reports may be 300 s off (src/store) */
#define LOOK_US 15000            /* so seldom the API is asked while a recovery is waited for */
#define ROUNDS_MAX 1000u         /* of an episode */
#define TURN_MAX 64

_Static_assert(SOAK_FAULTS_MAX >= 14, "a tally for each kind");

struct round { size_t fault; int64_t start_ms; unsigned flagged_unknown; };

struct soak {
    const struct soak_settings *settings;
    struct soak_result *result;
    struct harness *harness;
    struct load load, *load_at;          /* load_at: what the conditions get */
    uint64_t random;
    size_t turn[TURN_MAX], turn_size, turn_left;   /* kinds to come, mixed: each comes as often as its weight says */
    struct round rounds[ROUNDS_MAX];
    unsigned round_count;
    struct verdict verdict;              /* of this episode */
};

static struct soak *dying_soak;

static int64_t wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* harness_die(): what broke is in the folder. */
static void keep_and_end(void)
{
    const struct soak *soak = dying_soak;

    (void)fprintf(stderr, "soak: seed %u, round %u (%s). Kept, with database, log of the bank (air.jsonl) and of the daemon: %s\n",
                  soak->settings->seed, soak->result->rounds + 1,
                  soak->round_count > 0 ? soak_faults[soak->rounds[soak->round_count - 1].fault].name : "none yet", soak->harness->dir);
    _exit(1);
}

static unsigned draw(struct soak *soak, unsigned min, unsigned max)
{
    return min + (unsigned)(random_next(&soak->random) % (max - min + 1));
}

static size_t draw_fault(struct soak *soak)
{
    size_t chosen, fault;

    if (soak->turn_left == 0) {
        soak->turn_size = 0;
        for (size_t kind = 0; kind < soak_fault_count; kind++)
            for (unsigned i = 0; i < soak_faults[kind].weight && soak->turn_size < TURN_MAX; i++)
                soak->turn[soak->turn_size++] = kind;
        soak->turn_left = soak->turn_size;
        /* A short run has each kind once, first. */
        if (soak->settings->rounds < soak->turn_size) {
            for (size_t kind = 0; kind < soak_fault_count; kind++)
                soak->turn[kind] = kind;
            soak->turn_left = soak_fault_count;
        }
    }
    chosen = random_next(&soak->random) % soak->turn_left;
    fault = soak->turn[chosen];
    soak->turn[chosen] = soak->turn[--soak->turn_left];
    return fault;
}

/* -- one round ------------------------------------------------------------------------------------------------ */

struct recovery { struct soak *soak; size_t from; const struct soak_fault *fault; unsigned modem; uint64_t faults; uint64_t looked_us; };

static bool daemon_is_well(struct harness *harness)
{
    struct http_answer answer;
    bool well;

    http_call(harness->http, "GET", "/healthz", NULL, NULL, &answer);
    well = answer.status == 200;
    http_answer_done(&answer);
    return well;
}

static void daemon_must_live(struct harness *harness)
{
    int status = process_wait(&harness->daemon, 0);

    if (status != -1)
        harness_die("cellpostd ended by itself, with status %d", status);
}

/* Each modem had two parts on the air since: the first may have been on its way before. */
static bool all_send(const struct recovery *recovery)
{
    const struct witness *witness = &recovery->soak->harness->witness;
    uint64_t once = 0, twice = 0, all = (UINT64_C(1) << recovery->soak->settings->modems) - 1;

    for (size_t i = recovery->from; i < witness->count && twice != all; i++) {
        uint64_t bit = UINT64_C(1) << witness->parts[i].modem;

        twice |= once & bit;
        once |= bit;
    }
    return twice == all;
}

/* The part whose reply is lost, and the one after it on that modem; milliseconds between them. */
static bool sends_after_lost_reply(const struct recovery *recovery, unsigned *ret_ms)
{
    const struct witness *witness = &recovery->soak->harness->witness;
    uint64_t lost_us = 0;

    if (witness->faults == recovery->faults)
        return false;
    for (size_t i = witness->fault_count; i < witness->count; i++) {
        if (witness->parts[i].modem != recovery->modem)
            continue;
        if (lost_us != 0) {
            *ret_ms = (unsigned)((witness->parts[i].t_us - lost_us) / 1000);
            return true;
        }
        lost_us = witness->parts[i].t_us;
    }
    return false;
}

static bool has_recovered(struct harness *harness, const void *context)
{
    struct recovery *recovery = *(struct recovery *const *)context;
    uint64_t now_us = harness_now_us();
    unsigned ms;

    load_tell(&recovery->soak->load, harness->witness.count);
    daemon_must_live(harness);
    if (!all_send(recovery) || (recovery->fault->one_reply && !sends_after_lost_reply(recovery, &ms)))
        return false;
    if (now_us < recovery->looked_us + LOOK_US)
        return false;
    recovery->looked_us = now_us;
    return daemon_is_well(harness);
}

static void watch(struct soak *soak, unsigned ms)
{
    (void)harness_wait(soak->harness, settle_watch, &soak->load_at, (int)ms);
    daemon_must_live(soak->harness);
}

static void tally_recovery(struct soak_tally *tally, unsigned ms)
{
    tally->recovery_ms_sum += ms;
    if (ms > tally->recovery_ms_max)
        tally->recovery_ms_max = ms;
}

static void run_round(struct soak *soak)
{
    struct harness *harness = soak->harness;
    size_t kind = draw_fault(soak), before = harness->witness.count;
    const struct soak_fault *fault = &soak_faults[kind];
    struct soak_tally *tally = &soak->result->tally[kind];
    struct soak_moment moment = { harness, draw(soak, 0, soak->settings->modems - 1), fault->disk };
    struct recovery recovery = { .soak = soak, .fault = fault, .modem = moment.modem }, *recovery_at = &recovery;
    unsigned hold_ms = draw(soak, fault->hold_ms_min, fault->hold_ms_max) + (fault->beyond_timeout ? soak->settings->send_timeout_ms : 0);
    unsigned lost_ms = 0;
    uint64_t start_us;

    soak->rounds[soak->round_count++] = (struct round){ kind, wall_ms(), 0 };
    watch(soak, draw(soak, 0, LEAD_MS_MAX));
    recovery.faults = harness->witness.faults;
    fault->begin(&moment);
    (void)harness_wait(harness, settle_watch, &soak->load_at, (int)hold_ms);
    fault->end(&moment);
    start_us = harness_now_us();
    witness_read(&harness->witness);
    recovery.from = harness->witness.count;
    if (!harness_wait(harness, has_recovered, &recovery_at, RECOVER_MS))
        harness_die("a minute after '%s' (modem %u) not all modems send, or the daemon is not well", fault->name, moment.modem);
    tally_recovery(tally, (unsigned)((harness_now_us() - start_us) / 1000));
    if (fault->one_reply && sends_after_lost_reply(&recovery, &lost_ms) && lost_ms > soak->result->lost_reply_ms_max)
        soak->result->lost_reply_ms_max = lost_ms;
    load_tell_waiting(&soak->load, (uint64_t)harness_database_number(harness, "SELECT coalesce(sum(parts), 0) FROM message WHERE state = 3"
                                                                              " OR (state = 2 AND ready_ms = 0)"));
    tally->rounds++;
    tally->sends += harness->witness.count - before;
    soak->result->rounds++;
    if (soak->settings->quiet == 0)
        (void)fprintf(stderr, "\rround %u of %u: %-20s %zu parts on the air in this episode  ", soak->result->rounds, soak->settings->rounds,
                      fault->name, harness->witness.count);
}

/* -- one episode ---------------------------------------------------------------------------------------------- */

static void take_unknown(void *context, int64_t at_ms, bool sent)
{
    struct soak *soak = context;
    unsigned i = soak->round_count;
    struct soak_tally *tally;

    while (i > 1 && soak->rounds[i - 1].start_ms > at_ms)
        i--;
    soak->rounds[i - 1].flagged_unknown++;
    tally = &soak->result->tally[soak->rounds[i - 1].fault];
    tally->flagged_unknown++;
    tally->really_sent += sent;
}

/* A round of a kind that loses no answers has left no doubt. */
static void judge_doubt(struct soak *soak)
{
    for (unsigned i = 0; i < soak->round_count; i++) {
        const struct soak_fault *fault = &soak_faults[soak->rounds[i].fault];

        if (soak->rounds[i].flagged_unknown > 0 && !fault->loses_answers)
            verdict_say(&soak->verdict, &soak->verdict.strange, "round %u of the episode: %u parts are unknown after '%s', which loses no answer (wall clock %lld ms)",
                        i + 1, soak->rounds[i].flagged_unknown, fault->name, (long long)soak->rounds[i].start_ms);
    }
}

/* Faults have stopped. What is in doubt and may be sent once more waits for minutes: the box is off meanwhile. */
static void settle(struct soak *soak)
{
    struct harness *harness = soak->harness;
    uint64_t start_us = harness_now_us();
    unsigned ms;

    load_end(&soak->load);
    if (!harness_wait(harness, settle_nothing_waits_but_doubt, &soak->load_at, SETTLE_MS))
        verdict_say(&soak->verdict, &soak->verdict.strange, "a minute after the last fault work still waits");
    ms = (unsigned)((harness_now_us() - start_us) / 1000);
    if (ms > soak->result->settle_ms_max)
        soak->result->settle_ms_max = ms;
    if (harness_stop(harness, SETTLE_MS) != 0)
        harness_die("cellpostd did not stop cleanly");
    atomic_fetch_add(&harness->faults->ahead_ms, DOUBT_AHEAD_MS);
    harness_start(harness);
    if (!harness_wait(harness, settle_nothing_waits, &soak->load_at, SETTLE_MS))
        verdict_say(&soak->verdict, &soak->verdict.strange, "what waited to be sent once more still waits");
    (void)harness_wait(harness, settle_network_is_quiet, NULL, SETTLE_MS);
    if (harness_stop(harness, SETTLE_MS) != 0)
        harness_die("cellpostd did not stop cleanly");
}

static void add_up(struct soak *soak)
{
    struct soak_result *result = soak->result;
    const struct load *load = &soak->load;
    struct verdict *sum = &result->verdict;
    const struct verdict *verdict = &soak->verdict;

    result->episodes++;
    result->requests += load->requests;
    result->retries += load->retries;
    result->replays += load->replays;
    result->abandoned += load->abandoned;
    result->disk_calls_failed += faults_failed(soak->harness);
    sum->messages += verdict->messages;
    sum->parts += verdict->parts;
    sum->parts_on_air += verdict->parts_on_air;
    sum->lost += verdict->lost;
    sum->doubled += verdict->doubled;
    sum->altered += verdict->altered;
    sum->strange += verdict->strange;
    sum->unknown_sent += verdict->unknown_sent;
    sum->unknown_unsent += verdict->unknown_unsent;
    sum->released += verdict->released;
    sum->resent += verdict->resent;
    sum->withheld += verdict->withheld;
    for (size_t i = 0; i < sizeof sum->states / sizeof sum->states[0]; i++)
        sum->states[i] += verdict->states[i];
    sum->sentence_count = verdict->sentence_count;
    memcpy(sum->sentences, verdict->sentences, sizeof sum->sentences);
}

static bool run_episode(struct soak *soak, unsigned rounds)
{
    const struct soak_settings *settings = soak->settings;
    const struct load_settings load = { .seed = settings->seed * 1000 + soak->result->episodes, .clients = CLIENTS,
                                        .backlog_parts = BACKLOG_PARTS, .repeat_one_in = REPEAT_ONE_IN, .abandon_one_in = ABANDON_ONE_IN };
    char air[16], modem[48];
    const struct harness_options options = { .modems = settings->modems, .modem = modem,
        .bank = { "--air-ms", air, "--air-jitter-ms", "10", "--boot-ms", "0", "--register-ms", "0", "--report-ms", "100" } };
    bool kept;

    (void)snprintf(air, sizeof air, "%u", settings->air_ms);
    (void)snprintf(modem, sizeof modem, "send_timeout = %ums\n", settings->send_timeout_ms);
    soak->harness = harness_new(&options);
    faults_attach(soak->harness);
    soak->round_count = 0;
    soak->verdict = (struct verdict){ .on_unknown = take_unknown, .context = soak };
    load_init(&soak->load, soak->harness, &load);
    soak->load_at = &soak->load;
    harness_start(soak->harness);
    load_start(&soak->load);
    if (!harness_wait_modems(soak->harness, "ready", 1, RECOVER_MS))
        harness_die("no modem becomes ready");
    for (unsigned i = 0; i < rounds; i++)
        run_round(soak);
    settle(soak);
    verdict_reach(&soak->verdict, &soak->load);
    judge_doubt(soak);
    add_up(soak);
    kept = verdict_is_kept(&soak->verdict);
    if (!kept) {
        (void)fprintf(stderr, "\nsoak: the promise was broken, seed %u, episode %u. Kept: %s\n", settings->seed, soak->result->episodes,
                      soak->harness->dir);
        for (unsigned i = 0; i < soak->verdict.sentence_count; i++)
            (void)fprintf(stderr, "  %s\n", soak->verdict.sentences[i]);
    }
    soak->harness->passed = kept;
    soak->harness->keep = !kept;
    harness_free(soak->harness);
    load_done(&soak->load);
    return kept;
}

void soak_run(const struct soak_settings *settings, struct soak_result *ret_result)
{
    struct soak *soak = calloc(1, sizeof *soak);
    uint64_t start_us = harness_now_us();
    bool kept = true;

    HARNESS_CHECK(soak != NULL && settings->modems > 0 && settings->modems < 64 && settings->episode > 0 && settings->episode <= ROUNDS_MAX);
    *ret_result = (struct soak_result){ 0 };
    soak->settings = settings;
    soak->result = ret_result;
    soak->random = random_seeded(settings->seed);
    dying_soak = soak;
    harness_dying = keep_and_end;
    while (kept && ret_result->rounds < settings->rounds) {
        unsigned left = settings->rounds - ret_result->rounds;

        kept = run_episode(soak, left < settings->episode ? left : settings->episode);
    }
    if (settings->quiet == 0)
        (void)fprintf(stderr, "\n");
    harness_dying = NULL;
    ret_result->wall_s = (double)(harness_now_us() - start_us) / 1e6;
    free(soak);
}

/* -- figures -------------------------------------------------------------------------------------------------- */

static json_t *by_fault(const struct soak_result *result)
{
    json_t *object = json_object();

    for (size_t kind = 0; kind < soak_fault_count; kind++) {
        const struct soak_tally *tally = &result->tally[kind];

        if (tally->rounds != 0)
            (void)json_object_set_new(object, soak_faults[kind].name, json_pack("{s:i, s:I, s:i, s:i, s:f, s:i, s:i}",
                "rounds", (int)tally->rounds, "sends", (json_int_t)tally->sends, "flagged_unknown", (int)tally->flagged_unknown,
                "really_sent", (int)tally->really_sent, "unknown_per_1000_sends",
                tally->sends != 0 ? 1000.0 * tally->flagged_unknown / (double)tally->sends : 0.0, "recovery_ms_mean",
                (int)(tally->recovery_ms_sum / tally->rounds), "recovery_ms_max", (int)tally->recovery_ms_max));
    }
    return object;
}

json_t *soak_result_json(const struct soak_settings *settings, const struct soak_result *result)
{
    const struct verdict *verdict = &result->verdict;
    json_t *json, *violations = json_array();
    unsigned flagged = 0, sent = 0;

    for (size_t kind = 0; kind < soak_fault_count; kind++) {
        flagged += result->tally[kind].flagged_unknown;
        sent += result->tally[kind].really_sent;
    }
    for (unsigned i = 0; i < verdict->sentence_count; i++)
        (void)json_array_append_new(violations, json_string(verdict->sentences[i]));
    json = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "rounds", (int)result->rounds, "seed", (int)settings->seed, "episodes",
                     (int)result->episodes, "modems", (int)settings->modems, "air_ms", (int)settings->air_ms, "send_timeout_ms",
                     (int)settings->send_timeout_ms, "requests", (int)result->requests, "retries", (int)result->retries, "replays",
                     (int)result->replays, "requests_given_up", (int)result->abandoned);
    (void)json_object_update_new(json, json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "accepted", (int)verdict->messages,
        "parts", (int)verdict->parts, "parts_on_air", (int)verdict->parts_on_air, "lost", (int)verdict->lost, "sent_twice", (int)verdict->doubled,
        "altered", (int)verdict->altered, "otherwise_wrong", (int)verdict->strange, "flagged_unknown", (int)flagged,
        "really_sent_of_unknown", (int)sent, "sent_again_by_policy", (int)verdict->released, "on_air_twice_by_policy", (int)verdict->resent));
    (void)json_object_update_new(json, json_pack("{s:i, s:o, s:o, s:I, s:i, s:i, s:f, s:o}", "parts_withheld", (int)verdict->withheld, "states",
        verdict_states(verdict), "faults", by_fault(result), "disk_calls_failed", (json_int_t)result->disk_calls_failed,
        "slowest_recovery_from_lost_reply_ms", (int)result->lost_reply_ms_max, "slowest_settling_ms", (int)result->settle_ms_max, "wall_s",
        result->wall_s, "violations", violations));
    return json;
}
