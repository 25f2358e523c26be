/* SPDX-License-Identifier: Apache-2.0
 *
 * smss.h - the card's own count as a witness: EF_SMSS holds the last TP-MR it was used for (TS 31.102 4.2.28, TS 23.040
 * 9.2.3.6). Where it did not move, a part whose answer was lost never was submitted.
 *
 * One struct speaks of one modem with one card. A wrong "not sent" sends a part twice, so nothing is assumed:
 *   - The file is trusted only after it was seen to follow SMSS_FOLLOWED_MIN sends, each with its +CMGS, and to move also for
 *     a submit that the network refused. A modem that writes it on the network's acknowledgement alone would show "unchanged"
 *     where the acknowledgement was lost. What contradicts itself once is not trusted again.
 *   - The modem has not been restarted from the last send before the doubt until the verdict: one that writes the file late,
 *     or begins its count anew, shows what it likes after a restart.
 *   - A part that a modem holds back and submits later shows as a TP-MR that is none of ours. So the verdict waits
 *     SMSS_SETTLE_US, each later part of ours must have the next TP-MR, and the file must then hold the last of them.
 *   - A count that stood where a count begins (255, 0, 1) proves nothing.
 * Plain values; time in microseconds on a monotonic clock. */
#ifndef CELLPOST_SMSS_H
#define CELLPOST_SMSS_H

#include <stdbool.h>
#include <stdint.h>

#define SMSS_FOLLOWED_MIN 3
#define SMSS_DOUBTS_MAX 8
#define SMSS_SETTLE_US UINT64_C(180000000)   /* TR1M 45 s x 4 tries (TS 24.011 10.1); counted from when the answer was given up */
#define SMSS_ASK_US UINT64_C(60000000)       /* a look that is not answered is asked for again; to learn, at most so often */
#define SMSS_ASKS_MAX 10                     /* so often for one doubt, then it stays one */

enum smss_refusal {
    SMSS_REFUSAL_NONE,
    SMSS_REFUSED_SOMEHOW,                /* perhaps by the modem itself: the file may move or not */
    SMSS_REFUSED_BY_NETWORK,             /* a cause of TS 24.011 or TS 23.040: it was submitted and not acknowledged */
    SMSS_REFUSED_WITHOUT_ANSWER,         /* network timeout: submitted, and perhaps acknowledged */
};

struct smss_doubt { int64_t attempt_id; uint64_t settled_us; uint8_t failures, asks; };

struct smss {
    bool unreadable, withdrawn;
    bool moves_unacknowledged;           /* it was seen to move for a part that the network refused */
    bool confirmed;                      /* the file was read since last came from a +CMGS */
    uint8_t followed;                    /* sends after which the file held their TP-MR */
    int16_t last;                        /* what the file must hold; -1: not known */
    enum smss_refusal refusal;           /* came after last, and the file was not read since */
    struct smss_doubt doubts[SMSS_DOUBTS_MAX];   /* oldest first; no TP-MR but ours was used since the first of them */
    uint8_t doubt_count;
    uint64_t ask_us;                     /* when the file is to be read; UINT64_MAX: no need */
    uint64_t learn_us;                   /* not asked for before then, only to learn */
    uint64_t quiet_us;                   /* until then a part that somebody waits no longer for may still be submitted */
};

void smss_init(struct smss *smss, uint64_t now_us);   /* another modem, or another card in it */

/* What became of a part, in the order of their answers. mr: of +CMGS. */
void smss_sent(struct smss *smss, int mr, uint64_t now_us);
void smss_refused(struct smss *smss, enum smss_refusal refusal, uint64_t now_us);
/* No answer came. failures: of its message before, given back with the verdict. */
void smss_doubt(struct smss *smss, int64_t attempt_id, uint8_t failures, uint64_t now_us);
/* The answer came after all. */
void smss_late_sent(struct smss *smss, int64_t attempt_id, int mr, uint64_t now_us);

/* The modem has started anew, or the card was out of sight, or nobody can tell. */
void smss_restarted(struct smss *smss);

/* The file was read while nothing was on the air: its octet, -1 where this modem or card does not give it. Puts out the doubts
 * that were never submitted, oldest first, and returns how many. */
unsigned smss_read(struct smss *smss, int value, uint64_t now_us, struct smss_doubt ret_not_sent[SMSS_DOUBTS_MAX]);

bool smss_trusted(const struct smss *smss);

/* When smss_ask() has something to ask for; UINT64_MAX: never. */
uint64_t smss_deadline_us(const struct smss *smss);
/* True: read the file now, please. It is asked for again until it was read. */
bool smss_ask(struct smss *smss, uint64_t now_us);

#endif
