/* SPDX-License-Identifier: Apache-2.0
 *
 * verdict.h - what became of every message of a load: the database the daemon has left, held against what the bank of simulated
 * modems had on the air. Everything is looked at from outside; the daemon has ended. */
#ifndef CELLPOST_BENCH_VERDICT_H
#define CELLPOST_BENCH_VERDICT_H

#include "tests/bench/load.h"

#define VERDICT_SENTENCES_MAX 12

struct verdict {
    unsigned messages, parts;            /* acknowledged */
    unsigned parts_on_air;
    /* Broken promises. */
    unsigned lost;                       /* acknowledged, and gone, stuck, given up, or called sent without having been on the air */
    unsigned doubled;                    /* parts on the air more often than their policy allows; requests accepted twice */
    unsigned altered;                    /* messages on the air with another text than was asked for */
    unsigned strange;                    /* what nobody asked for, half a request, a damaged database */
    unsigned sentence_count;             /* the first of them, in words */
    char sentences[VERDICT_SENTENCES_MAX][240];
    /* The price of keeping them. */
    unsigned unknown_sent, unknown_unsent;   /* parts whose fate the gateway calls unknown, by what the bank saw */
    unsigned released;                   /* parts that were in doubt and sent once more, as at_least_once asks for */
    unsigned resent;                     /* of these: on the air twice */
    unsigned withheld;                   /* parts not sent because another of their message is unknown */
    unsigned states[16];                 /* messages by enum message_state */
    /* Called for every hand-over that was ever given up as unknown: when (wall clock), and whether the network had the part. */
    void (*on_unknown)(void *context, int64_t at_ms, bool sent);
    void *context;
};

void verdict_say(struct verdict *verdict, unsigned *broken, const char *format, ...) __attribute__((format(printf, 3, 4)));
void verdict_reach(struct verdict *verdict, struct load *load);
bool verdict_is_kept(const struct verdict *verdict);   /* the promise */
json_t *verdict_states(const struct verdict *verdict);

#endif
