/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_coding.h"

#include "src/base/utf8.h"
#include "src/sms/sms_gsm7.h"
#include "src/sms/sms_tables.h"

#include <assert.h>
#include <errno.h>

#define CODINGS_MAX (SMS_LANGUAGES * SMS_LANGUAGES)

/* Octets that the header elements take in each part, identifier and length included (9.2.3.24). */
enum {
    CONCAT_8_OCTETS = 5, CONCAT_16_OCTETS = 6, PORTS_8_OCTETS = 4, PORTS_16_OCTETS = 6, NATIONAL_OCTETS = 3,
};

static uint16_t room_beside(enum sms_alphabet alphabet, unsigned element_octets)
{
    unsigned header_octets = element_octets > 0 ? element_octets + 1 : 0;

    return (uint16_t)(alphabet == SMS_GSM7 ? 160 - (header_octets * 8 + 6) / 7 : (140 - header_octets) / 2);
}

static struct sms_coding make_coding(enum sms_alphabet alphabet, uint8_t locking, uint8_t single,
                                     const struct sms_split_options *options)
{
    unsigned octets = (locking != 0 ? NATIONAL_OCTETS : 0) + (single != 0 ? NATIONAL_OCTETS : 0);

    octets += options->port_bits == 16 ? PORTS_16_OCTETS : options->port_bits == 8 ? PORTS_8_OCTETS : 0;
    return (struct sms_coding){
        .alphabet = alphabet, .locking = locking, .single = single, .parts = 1,
        .room_alone = room_beside(alphabet, octets),
        .room_part = room_beside(alphabet, octets + (options->ref16 ? CONCAT_16_OCTETS : CONCAT_8_OCTETS)),
    };
}

static unsigned units_in(const struct sms_coding *coding, uint32_t code_point, struct sms_gsm7_tables found)
{
    if (coding->alphabet == SMS_UCS2)
        return code_point > 0xFFFF ? 2 : 1;
    if (found.locking >> coding->locking & 1)
        return 1;
    return found.single >> coding->single & 1 ? 2 : 0;
}

unsigned sms_coding_units(const struct sms_coding *coding, uint32_t code_point)
{
    return units_in(coding, code_point, sms_gsm7_find(code_point));
}

/* Puts one text through all codings at once. Those that lack a character drop out; returns how many are left. */
static size_t count_parts(const char *text, size_t length, struct sms_coding *codings, size_t count, uint32_t *ret_at)
{
    for (size_t at = 0; at < length && count > 0;) {
        uint32_t code_point = 0;
        int used = utf8_next(text + at, length - at, &code_point);
        struct sms_gsm7_tables found = sms_gsm7_find(code_point);

        assert(used > 0);
        *ret_at = (uint32_t)at;
        at += (size_t)used;
        for (size_t i = count; i-- > 0;) {
            struct sms_coding *coding = &codings[i];
            unsigned units = units_in(coding, code_point, found);

            if (units == 0) {
                *coding = codings[--count];
                continue;
            }
            if (coding->used + units > coding->room_part) {
                coding->parts++;
                coding->used = 0;
            }
            coding->used = (uint16_t)(coding->used + units);
            coding->units += units;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (codings[i].units <= codings[i].room_alone)
            codings[i].parts = 1;
    }
    return count;
}

/* What a handset without the table shows: of single shift, the plain letter in place of the national one; of locking, a
 * wrong letter for every one that differs. */
static int harm_unread(const struct sms_coding *coding)
{
    return (coding->locking != 0 ? 2 : 0) + (coding->single != 0 ? 1 : 0);
}

/* Negative where a is the better one. A table has to save a part, since not every handset knows it; what comes last is
 * there to make the choice the same every time. */
static int compare(const struct sms_coding *a, const struct sms_coding *b)
{
    const int64_t keys[][2] = {
        { a->parts, b->parts },
        { harm_unread(a), harm_unread(b) },
        { a->alphabet, b->alphabet },
        { a->units, b->units },
        { a->locking, b->locking },
        { a->single, b->single },
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    }
    return 0;
}

static const struct sms_coding *best_of(const struct sms_coding *codings, size_t count)
{
    const struct sms_coding *best = &codings[0];

    for (size_t i = 1; i < count; i++) {
        if (compare(&codings[i], best) < 0)
            best = &codings[i];
    }
    return best;
}

static size_t list_plain(const struct sms_split_options *options, struct sms_coding *ret_codings)
{
    size_t count = 0;

    if (options->encoding != SMS_ENCODING_UCS2)
        ret_codings[count++] = make_coding(SMS_GSM7, 0, 0, options);
    if (options->encoding != SMS_ENCODING_GSM7)
        ret_codings[count++] = make_coding(SMS_UCS2, 0, 0, options);
    return count;
}

/* Single shift alone, locking alone, and both, also of two languages: Turkish text with a Spanish name is one message. */
static size_t list_national(const struct sms_split_options *options, struct sms_coding *ret_codings)
{
    unsigned allowed = options->encoding == SMS_ENCODING_UCS2 ? 0 : options->national & ~1u;
    unsigned lockings = 1u | (allowed & SMS_LANGUAGES_LOCKING), singles = 1u | (allowed & SMS_LANGUAGES_SINGLE);
    size_t count = 0;

    for (uint8_t locking = 0; locking < SMS_LANGUAGES; locking++) {
        for (uint8_t single = 0; single < SMS_LANGUAGES; single++) {
            if ((locking | single) != 0 && (lockings >> locking & 1) && (singles >> single & 1))
                ret_codings[count++] = make_coding(SMS_GSM7, locking, single, options);
        }
    }
    return count;
}

int sms_coding_choose(const char *text, size_t length, const struct sms_split_options *options,
                      struct sms_coding *ret_coding, uint32_t *ret_at)
{
    struct sms_coding codings[CODINGS_MAX], best = { 0 };
    uint32_t at = 0;
    size_t count = count_parts(text, length, codings, list_plain(options, codings), &at);
    bool found = count > 0;

    *ret_at = at;
    if (found)
        best = *best_of(codings, count);
    if (!found || best.parts > 1) {
        at = 0;
        count = count_parts(text, length, codings, list_national(options, codings), &at);
        if (count > 0 && (!found || compare(best_of(codings, count), &best) < 0))
            best = *best_of(codings, count);
        else if (!found && count == 0 && at > *ret_at)
            *ret_at = at;
        found = found || count > 0;
    }
    if (!found)
        return -EINVAL;
    *ret_coding = best;
    return 0;
}
