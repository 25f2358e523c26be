/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/modembank/stats.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NEVER UINT64_MAX

void stats_reset(struct stats_modem *stats)
{
    *stats = (struct stats_modem){ .first_busy_us = NEVER, .busy_since_us = NEVER, .idle_since_us = NEVER };
}

/* Exact below 32, then the 5 bits after the leading one. */
static size_t bucket_of(uint64_t us)
{
    unsigned octave = 0;
    size_t bucket;

    while (us >> octave >= 2 * STATS_STEPS)
        octave++;
    bucket = us < STATS_STEPS ? (size_t)us : (octave + 1u) * STATS_STEPS + (size_t)((us >> octave) - STATS_STEPS);
    return bucket < STATS_BUCKETS ? bucket : STATS_BUCKETS - 1;
}

static uint64_t bucket_value(size_t bucket)
{
    if (bucket < STATS_STEPS)
        return bucket;
    return (uint64_t)(bucket % STATS_STEPS + STATS_STEPS) << (bucket / STATS_STEPS - 1);
}

static void gap_add(struct stats_gaps *gaps, uint64_t us)
{
    gaps->count++;
    gaps->sum_us += us;
    if (us > gaps->max_us)
        gaps->max_us = us;
    gaps->buckets[bucket_of(us)]++;
}

uint64_t stats_gap_percentile(const struct stats_gaps *gaps, double share)
{
    uint64_t wanted = (uint64_t)((double)gaps->count * share), seen = 0;

    if (gaps->count == 0)
        return 0;
    for (size_t i = 0; i < STATS_BUCKETS; i++) {
        seen += gaps->buckets[i];
        if (seen > wanted)
            return bucket_value(i) < gaps->max_us ? bucket_value(i) : gaps->max_us;
    }
    return gaps->max_us;
}

static void busy_over(struct stats_modem *stats, uint64_t now_us)
{
    if (stats->busy_since_us == NEVER)
        return;
    stats->busy_us += now_us - stats->busy_since_us;
    stats->last_busy_us = now_us;
    stats->busy_since_us = NEVER;
}

void stats_take(struct stats_modem *stats, const struct sim_event *event)
{
    switch (event->kind) {
    case SIM_EVENT_LINE:
        stats->at_lines++;
        if (stats->idle_since_us != NEVER && strncasecmp(event->text, "AT+CMGS=", 8) == 0) {
            gap_add(&stats->gaps, event->t_us - stats->idle_since_us);
            stats->idle_since_us = NEVER;
        }
        break;
    case SIM_EVENT_SUBMIT:
        stats->busy_since_us = event->t_us;
        if (stats->first_busy_us == NEVER)
            stats->first_busy_us = event->t_us;
        break;
    case SIM_EVENT_ACCEPTED:
        stats->accepted++;
        break;
    case SIM_EVENT_ANSWERED:
        stats->answered++;
        busy_over(stats, event->t_us);
        stats->idle_since_us = event->t_us;
        break;
    case SIM_EVENT_REFUSED:
        stats->refused++;
        busy_over(stats, event->t_us);
        break;
    case SIM_EVENT_INCOMING: case SIM_EVENT_REPORT: case SIM_EVENT_DELETED: case SIM_EVENT_FAULT: case SIM_EVENT_UNPLUG:
    case SIM_EVENT_BOOT: case SIM_EVENT_COUNT:
        break;
    }
}

static double busy_share(const struct stats_modem *stats)
{
    if (stats->first_busy_us == NEVER || stats->last_busy_us <= stats->first_busy_us)
        return 0;
    return (double)stats->busy_us / (double)(stats->last_busy_us - stats->first_busy_us);
}

static void print_common(const struct stats_modem *stats, struct json *json)
{
    uint64_t first = stats->first_busy_us != NEVER ? stats->first_busy_us : 0;
    double span_s = stats->last_busy_us > first ? (double)(stats->last_busy_us - first) / 1e6 : 0;

    json_add(json, "\"accepted\":%llu,\"answered\":%llu,\"refused\":%llu,\"at_lines\":%llu,", (unsigned long long)stats->accepted,
             (unsigned long long)stats->answered, (unsigned long long)stats->refused, (unsigned long long)stats->at_lines);
    json_add(json, "\"lines_per_part\":%.3f,\"busy_us\":%llu,\"first_busy_us\":%llu,\"last_busy_us\":%llu,",
             stats->accepted > 0 ? (double)stats->at_lines / (double)stats->accepted : 0.0, (unsigned long long)stats->busy_us,
             (unsigned long long)first, (unsigned long long)stats->last_busy_us);
    json_add(json, "\"parts_per_s\":%.3f,", span_s > 0 ? (double)stats->accepted / span_s : 0.0);
    json_add(json, "\"gap_us\":{\"count\":%llu,\"mean\":%.1f,\"p50\":%llu,\"p99\":%llu,\"max\":%llu}",
             (unsigned long long)stats->gaps.count,
             stats->gaps.count > 0 ? (double)stats->gaps.sum_us / (double)stats->gaps.count : 0.0,
             (unsigned long long)stats_gap_percentile(&stats->gaps, 0.50), (unsigned long long)stats_gap_percentile(&stats->gaps, 0.99),
             (unsigned long long)stats->gaps.max_us);
}

static void merge(struct stats_modem *all, const struct stats_modem *one)
{
    all->accepted += one->accepted;
    all->answered += one->answered;
    all->refused += one->refused;
    all->at_lines += one->at_lines;
    all->busy_us += one->busy_us;
    if (one->first_busy_us < all->first_busy_us)
        all->first_busy_us = one->first_busy_us;
    if (one->last_busy_us > all->last_busy_us)
        all->last_busy_us = one->last_busy_us;
    all->gaps.count += one->gaps.count;
    all->gaps.sum_us += one->gaps.sum_us;
    if (one->gaps.max_us > all->gaps.max_us)
        all->gaps.max_us = one->gaps.max_us;
    for (size_t i = 0; i < STATS_BUCKETS; i++)
        all->gaps.buckets[i] += one->gaps.buckets[i];
}

void stats_print(const struct stats_modem *stats, uint32_t count, struct json *json)
{
    struct stats_modem all;
    double shares = 0, least = 1;
    uint32_t worked = 0;

    stats_reset(&all);
    json_add(json, "{\"modems\":[");
    for (uint32_t i = 0; i < count; i++) {
        json_add(json, "%s{\"modem\":%u,", i > 0 ? "," : "", i);
        print_common(&stats[i], json);
        json_add(json, ",\"busy_share\":%.5f}", busy_share(&stats[i]));
        merge(&all, &stats[i]);
        if (stats[i].first_busy_us == NEVER)
            continue;
        worked++;
        shares += busy_share(&stats[i]);
        if (busy_share(&stats[i]) < least)
            least = busy_share(&stats[i]);
    }
    json_add(json, "],\"all\":{\"modems\":%u,", worked);
    print_common(&all, json);
    json_add(json, ",\"busy_share\":%.5f,\"busy_share_min\":%.5f}}", worked > 0 ? shares / worked : 0.0, worked > 0 ? least : 0.0);
}
