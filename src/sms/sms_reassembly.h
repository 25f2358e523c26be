/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_reassembly.h - the parts of incoming concatenated messages, in any order, with duplicates, into one text.
 *
 * It holds no message itself: the caller keeps the fragments (in the store, so that they survive a restart) and asks
 * what a set of them amounts to. Key of a message: SIM, sender, reference, its width in bits, total (TS 23.040
 * 9.2.3.24.1); references are used again after a while, so fragments far apart in time are different messages. */
#ifndef CELLPOST_SMS_REASSEMBLY_H
#define CELLPOST_SMS_REASSEMBLY_H

#include "src/sms/sms_pdu.h"

#define SMS_PARTS_TOTAL_MAX 255

struct sms_fragment {
    int64_t id;                          /* the caller's */
    int64_t received_ms;                 /* wall clock */
    uint16_t ref; uint8_t ref_bits, total, seq;
    const char *text; size_t text_length;   /* as decoded (sms_pdu.h: UTF-8 with lone halves kept) */
};

enum sms_reassembly_verdict { SMS_REASSEMBLY_WAITING, SMS_REASSEMBLY_COMPLETE };

/* fragments: all kept ones of one key, any order, at most count. Picks for each seq the first received; a fragment
 * more than gap_ms_max away from newest belongs to an earlier use of the reference and is left out (below 0: no limit).
 * ret_pick: 255 entries, index in fragments of part i+1 or -1. Newest is the index of the one that has just come. */
enum sms_reassembly_verdict sms_reassembly_check(const struct sms_fragment *fragments, size_t count, size_t newest,
                                                 int64_t gap_ms_max, int ret_pick[SMS_PARTS_TOTAL_MAX]);

/* The texts of the picked parts in order into one malloc'ed UTF-8 string; a surrogate pair cut between two parts
 * becomes one character again. A part whose pick is -1 leaves U+FFFD: for a message given up waiting for. -ENOMEM. */
int sms_reassembly_join(const struct sms_fragment *fragments, const int pick[SMS_PARTS_TOTAL_MAX], uint8_t total,
                        char **ret_text, size_t *ret_length);

#endif
