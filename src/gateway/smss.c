/* SPDX-License-Identifier: Apache-2.0 */
#include "src/gateway/smss.h"

#include <string.h>

static int16_t next_of(int16_t mr)
{
    return (int16_t)((mr + 1) & 0xFF);
}

/* What is in doubt stays so. */
static void forget_count(struct smss *smss)
{
    smss->doubt_count = 0;
    smss->ask_us = UINT64_MAX;
    smss->last = -1;
    smss->confirmed = false;
    smss->refusal = SMSS_REFUSAL_NONE;
}

static void withdraw_trust(struct smss *smss)
{
    forget_count(smss);
    smss->withdrawn = true;
}

/* A TP-MR that is none of ours: perhaps that of a part that was given up a short while ago, else nobody can explain it. */
static void find_another(struct smss *smss, uint64_t now_us)
{
    if (smss->doubt_count > 0 || now_us < smss->quiet_us)
        forget_count(smss);
    else
        withdraw_trust(smss);
}

void smss_init(struct smss *smss, uint64_t now_us)
{
    *smss = (struct smss){ .last = -1, .ask_us = UINT64_MAX, .quiet_us = now_us + SMSS_SETTLE_US };
}

bool smss_trusted(const struct smss *smss)
{
    return !smss->withdrawn && !smss->unreadable && smss->followed >= SMSS_FOLLOWED_MIN && smss->moves_unacknowledged;
}

/* True where mr is what a modem that counts as it should says after last. A part that was refused in between may have taken a
 * TP-MR or not, but one that reached the network must have. */
static bool sent_in_order(const struct smss *smss, int mr)
{
    int16_t next = next_of(smss->last);

    switch (smss->refusal) {
    case SMSS_REFUSAL_NONE:
        return mr == next;
    case SMSS_REFUSED_SOMEHOW:
        return mr == next || mr == next_of(next);
    case SMSS_REFUSED_BY_NETWORK:
    case SMSS_REFUSED_WITHOUT_ANSWER:
        break;
    }
    return mr == next_of(next);
}

void smss_sent(struct smss *smss, int mr, uint64_t now_us)
{
    if (mr < 0 || mr > 255)
        withdraw_trust(smss);
    else if (smss->last >= 0 && !sent_in_order(smss, mr))
        find_another(smss, now_us);
    if (smss->withdrawn)
        return;
    smss->last = (int16_t)mr;
    smss->confirmed = false;
    smss->refusal = SMSS_REFUSAL_NONE;
    /* A modem that is never idle would not be learnt about. */
    if (smss->followed < SMSS_FOLLOWED_MIN && !smss->unreadable && smss->doubt_count == 0)
        smss->ask_us = now_us > smss->learn_us ? now_us : smss->learn_us;
}

void smss_refused(struct smss *smss, enum smss_refusal refusal, uint64_t now_us)
{
    if (refusal == SMSS_REFUSED_WITHOUT_ANSWER)
        smss->quiet_us = now_us + SMSS_SETTLE_US;
    /* Two in a row, or one while others are in doubt: which of them took a TP-MR cannot be told. */
    if (smss->doubt_count > 0 || smss->refusal != SMSS_REFUSAL_NONE)
        forget_count(smss);
    if (smss->last >= 0)
        smss->refusal = refusal;
}

static bool is_where_counts_begin(int16_t mr)
{
    return mr == 255 || mr == 0 || mr == 1;
}

void smss_doubt(struct smss *smss, int64_t attempt_id, uint8_t failures, uint64_t now_us)
{
    struct smss_doubt *doubt = &smss->doubts[smss->doubt_count];

    smss->quiet_us = now_us + SMSS_SETTLE_US;
    if (!smss_trusted(smss) || smss->last < 0 || smss->refusal != SMSS_REFUSAL_NONE || is_where_counts_begin(smss->last) ||
        smss->doubt_count == SMSS_DOUBTS_MAX) {
        forget_count(smss);
        return;
    }
    *doubt = (struct smss_doubt){ .attempt_id = attempt_id, .settled_us = now_us + SMSS_SETTLE_US, .failures = failures };
    smss->doubt_count++;
    if (doubt->settled_us < smss->ask_us)
        smss->ask_us = doubt->settled_us;
}

/* The oldest settles first: it says when the file is read next. */
static void remove_doubts(struct smss *smss, uint8_t at, uint8_t count)
{
    smss->doubt_count = (uint8_t)(smss->doubt_count - count);
    memmove(&smss->doubts[at], &smss->doubts[at + count], (size_t)(smss->doubt_count - at) * sizeof smss->doubts[0]);
    smss->ask_us = smss->doubt_count > 0 ? smss->doubts[0].settled_us : UINT64_MAX;
}

void smss_late_sent(struct smss *smss, int64_t attempt_id, int mr, uint64_t now_us)
{
    for (uint8_t i = 0; i < smss->doubt_count; i++) {
        if (smss->doubts[i].attempt_id != attempt_id)
            continue;
        remove_doubts(smss, i, 1);
        smss_sent(smss, mr, now_us);     /* in order only where it was the last one of ours */
        return;
    }
    forget_count(smss);
}

void smss_restarted(struct smss *smss)
{
    forget_count(smss);
}

/* The first look after a refusal. */
static void judge_refusal(struct smss *smss, int value, uint64_t now_us)
{
    bool moved = value == next_of(smss->last), stayed = value == smss->last;

    if (stayed && smss->refusal != SMSS_REFUSED_SOMEHOW) {
        withdraw_trust(smss);
        return;
    }
    if (!moved && !stayed) {
        find_another(smss, now_us);
        return;
    }
    if (moved && smss->refusal == SMSS_REFUSED_BY_NETWORK && now_us >= smss->quiet_us)
        smss->moves_unacknowledged = true;
    smss->last = (int16_t)value;
    smss->refusal = SMSS_REFUSAL_NONE;
    smss->confirmed = true;              /* it speaks of no +CMGS any more */
}

static uint8_t count_settled(const struct smss *smss, uint64_t now_us)
{
    uint8_t count = 0;

    while (count < smss->doubt_count && smss->doubts[count].settled_us <= now_us)
        count++;
    return count;
}

unsigned smss_read(struct smss *smss, int value, uint64_t now_us, struct smss_doubt ret_not_sent[SMSS_DOUBTS_MAX])
{
    uint8_t settled;

    if (value < 0 || value > 255) {
        smss->unreadable = true;
        forget_count(smss);
        return 0;
    }
    if (smss->withdrawn || smss->unreadable || smss->last < 0)
        return 0;
    if (smss->refusal != SMSS_REFUSAL_NONE) {
        judge_refusal(smss, value, now_us);
        return 0;
    }
    if (value != smss->last) {
        find_another(smss, now_us);
        return 0;
    }
    if (!smss->confirmed && smss->followed < SMSS_FOLLOWED_MIN)
        smss->followed++;
    smss->confirmed = true;
    if (smss->doubt_count == 0)
        smss->ask_us = UINT64_MAX;
    settled = count_settled(smss, now_us);
    memcpy(ret_not_sent, smss->doubts, settled * sizeof ret_not_sent[0]);
    if (settled > 0)
        remove_doubts(smss, 0, settled);
    return settled;
}

uint64_t smss_deadline_us(const struct smss *smss)
{
    return smss->ask_us;
}

bool smss_ask(struct smss *smss, uint64_t now_us)
{
    if (now_us < smss->ask_us)
        return false;
    smss->learn_us = now_us + SMSS_ASK_US;
    if (smss->doubt_count == 0) {
        smss->ask_us = UINT64_MAX;
        return true;
    }
    if (++smss->doubts[0].asks > SMSS_ASKS_MAX) {
        forget_count(smss);
        return false;
    }
    smss->ask_us = now_us + SMSS_ASK_US;
    return true;
}
