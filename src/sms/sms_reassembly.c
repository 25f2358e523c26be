/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_reassembly.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Stands where a part is missing, and keeps the halves on its sides from becoming a character nobody wrote. */
static const char missing_part[] = "\xEF\xBF\xBD";

static bool is_same_use(const struct sms_fragment *fragment, const struct sms_fragment *newest, int64_t gap_ms_max)
{
    /* Unsigned, so that no pair of wall clock times can overflow. */
    uint64_t gap_ms = fragment->received_ms > newest->received_ms
                          ? (uint64_t)fragment->received_ms - (uint64_t)newest->received_ms
                          : (uint64_t)newest->received_ms - (uint64_t)fragment->received_ms;

    return fragment->ref == newest->ref && fragment->ref_bits == newest->ref_bits &&
           fragment->total == newest->total && (gap_ms_max < 0 || gap_ms <= (uint64_t)gap_ms_max);
}

static bool came_before(const struct sms_fragment *a, const struct sms_fragment *b)
{
    return a->received_ms < b->received_ms || (a->received_ms == b->received_ms && a->id < b->id);
}

enum sms_reassembly_verdict sms_reassembly_check(const struct sms_fragment *fragments, size_t count, size_t newest,
                                                 int64_t gap_ms_max, int ret_pick[SMS_PARTS_TOTAL_MAX])
{
    size_t picked = 0;

    for (size_t i = 0; i < SMS_PARTS_TOTAL_MAX; i++)
        ret_pick[i] = -1;
    for (size_t i = 0; i < count; i++) {
        const struct sms_fragment *fragment = &fragments[i];
        int *pick;

        if (fragment->seq == 0 || fragment->seq > fragment->total ||
            !is_same_use(fragment, &fragments[newest], gap_ms_max))
            continue;
        pick = &ret_pick[fragment->seq - 1];
        if (*pick < 0)
            picked++;
        if (*pick < 0 || came_before(fragment, &fragments[*pick]))
            *pick = (int)i;
    }
    return count > 0 && picked > 0 && picked == fragments[newest].total ? SMS_REASSEMBLY_COMPLETE
                                                                        : SMS_REASSEMBLY_WAITING;
}

int sms_reassembly_join(const struct sms_fragment *fragments, const int pick[SMS_PARTS_TOTAL_MAX], uint8_t total,
                        char **ret_text, size_t *ret_length)
{
    size_t size = 1, length = 0;
    char *text;

    for (size_t i = 0; i < total; i++)
        size += pick[i] < 0 ? sizeof missing_part - 1 : fragments[pick[i]].text_length;
    text = malloc(size);
    if (text == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < total; i++) {
        const char *part = pick[i] < 0 ? missing_part : fragments[pick[i]].text;
        size_t part_length = pick[i] < 0 ? sizeof missing_part - 1 : fragments[pick[i]].text_length;

        if (part_length > 0)
            memcpy(text + length, part, part_length);
        length += part_length;
    }
    length = sms_text_sanitize(text, length);   /* joins the halves that now stand side by side */
    text[length] = '\0';
    *ret_text = text;
    *ret_length = length;
    return 0;
}
