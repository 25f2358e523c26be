/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_split.h"

#include "src/base/utf8.h"
#include "src/sms/sms_coding.h"
#include "src/sms/sms_downgrade.h"
#include "src/sms/sms_marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int refuse(const char **ret_error, int error, const char *why)
{
    *ret_error = why;
    return error;
}

static int check_text(const char *text, size_t length, uint32_t *ret_at, const char **ret_error)
{
    size_t at = 0;
    const char *nul;

    if (length > SMS_SPLIT_BYTES_MAX)
        return refuse(ret_error, -E2BIG, "the text is too long to be counted");
    if (!utf8_is_valid(text, length, &at)) {
        *ret_at = (uint32_t)at;
        return refuse(ret_error, -EILSEQ, "the text is not valid UTF-8");
    }
    nul = length > 0 ? memchr(text, '\0', length) : NULL;
    if (nul != NULL) {   /* handsets end the text there; better to say so than to lose the rest */
        *ret_at = (uint32_t)(nul - text);
        return refuse(ret_error, -EINVAL, "the text contains a NUL character");
    }
    return 0;
}

/* The text, and the coding found for it. */
struct decision {
    struct sms_coding coding;
    char *text;                          /* owned; NULL where the caller's text stays */
    size_t length;
    uint16_t change_count;
    struct sms_split_change changes[SMS_SPLIT_CHANGES_MAX];
};

static void note_change(struct decision *decision, uint32_t code_point, const char *plain)
{
    struct sms_split_change *change = decision->changes;
    size_t i = 0;

    while (i < decision->change_count && change[i].from != code_point)
        i++;
    if (i == SMS_SPLIT_CHANGES_MAX)
        return;
    if (i == decision->change_count) {
        decision->change_count++;
        change[i] = (struct sms_split_change){ .from = code_point, .to = (uint8_t)plain[0] };   /* all ASCII */
        memcpy(change[i].to_text, plain, strlen(plain));
    }
    change[i].count++;
}

/* *ret_decision gets the plain text and its list of changes, which is empty where nothing was to be replaced. */
static int downgrade(const char *text, size_t length, struct decision *ret_decision)
{
    struct decision plain = { .text = malloc(2 * length + 1) };   /* no replacement is more than twice as long */

    if (plain.text == NULL)
        return -ENOMEM;
    for (size_t at = 0; at < length;) {
        uint32_t code_point = 0;
        size_t used = (size_t)utf8_next(text + at, length - at, &code_point);
        const char *replacement = sms_downgrade_find(code_point);

        if (replacement == NULL) {
            memcpy(plain.text + plain.length, text + at, used);
            plain.length += used;
        } else {
            note_change(&plain, code_point, replacement);
            memcpy(plain.text + plain.length, replacement, strlen(replacement));
            plain.length += strlen(replacement);
        }
        at += used;
    }
    plain.text[plain.length] = '\0';
    *ret_decision = plain;
    return 0;
}

/* Where in the original the character stands that is at plain_at after downgrading. */
static uint32_t offset_before_downgrade(const char *text, size_t length, uint32_t plain_at)
{
    size_t at = 0, plain = 0;

    while (at < length) {
        uint32_t code_point = 0;
        size_t used = (size_t)utf8_next(text + at, length - at, &code_point);
        const char *replacement = sms_downgrade_find(code_point);

        plain += replacement == NULL ? used : strlen(replacement);
        if (plain > plain_at)
            break;
        at += used;
    }
    return (uint32_t)at;
}

/* Alphabet and wording. Downgrading is taken all or nothing, and only where it saves a part or makes the text fit the
 * alphabet asked for. On success the caller frees .text. */
static int decide(const char *text, size_t length, const struct sms_split_options *options,
                  struct decision *ret_decision, uint32_t *ret_at, const char **ret_error)
{
    struct decision decision = { .length = length }, plain = { 0 };
    int r = check_text(text, length, ret_at, ret_error), plain_r;

    if (r < 0)
        return r;
    r = sms_coding_choose(text, length, options, &decision.coding, ret_at);
    if (options->downgrade && (r < 0 || decision.coding.parts > 1)) {
        if (downgrade(text, length, &plain) < 0)
            return refuse(ret_error, -ENOMEM, "out of memory");
        plain_r = plain.change_count == 0 ? -EINVAL
                                          : sms_coding_choose(plain.text, plain.length, options, &plain.coding, ret_at);
        if (plain_r < 0 && plain.change_count > 0)
            *ret_at = offset_before_downgrade(text, length, *ret_at);
        if (plain_r == 0 && (r < 0 || plain.coding.parts < decision.coding.parts)) {
            *ret_decision = plain;
            return 0;
        }
        free(plain.text);
    }
    if (r < 0)
        return refuse(ret_error, r, "a character of the text is not in the 7-bit alphabet");
    *ret_decision = decision;
    return 0;
}

/* A character, and the best way to cut what begins with it. */
struct cut {
    uint32_t offset;
    uint32_t parts;                      /* fewest parts of the rest of the text */
    uint32_t broken;                     /* fewest cuts in front of combining marks, with that number of parts */
    uint32_t next;                       /* the character that begins the next part */
    uint8_t units;
    bool is_mark;
};

static size_t list_characters(const char *text, size_t length, const struct sms_coding *coding, struct cut *ret_cuts)
{
    size_t count = 0;

    for (size_t at = 0; at < length;) {
        uint32_t code_point = 0;
        int used = utf8_next(text + at, length - at, &code_point);

        ret_cuts[count++] = (struct cut){
            .offset = (uint32_t)at, .units = (uint8_t)sms_coding_units(coding, code_point),
            .is_mark = sms_mark_is(code_point),
        };
        at += (size_t)used;
    }
    ret_cuts[count] = (struct cut){ .offset = (uint32_t)length };
    return count;
}

/* From the end to the beginning. A part that ends later never makes the rest need more parts or more broken cuts, so
 * two ends need to be compared: the last one that fits, and, where that one is in front of a mark, the last clean one
 * before it, as long as it does not cost a part. */
static void find_cuts(struct cut *cuts, size_t count, uint16_t room)
{
    size_t last = count;   /* the last end of a part that begins at i */
    unsigned units = 0;    /* from i to last */

    for (size_t i = count; i-- > 0;) {
        size_t clean;

        units += cuts[i].units;
        while (units > room)
            units -= cuts[--last].units;
        clean = last;
        while (clean > i && cuts[clean].is_mark)   /* cuts[count] is no mark; at most room steps */
            clean--;
        cuts[i].next = (uint32_t)last;
        cuts[i].parts = cuts[last].parts + 1;
        cuts[i].broken = cuts[last].broken + cuts[last].is_mark;
        if (clean > i && cuts[clean].parts == cuts[last].parts && cuts[clean].broken < cuts[i].broken) {
            cuts[i].next = (uint32_t)clean;
            cuts[i].broken = cuts[clean].broken;
        }
    }
}

static int cut_text(struct sms_split *split, const struct sms_coding *coding)
{
    struct cut *cuts = calloc((size_t)split->text_length + 1, sizeof *cuts);
    size_t count;

    split->parts = calloc(coding->parts, sizeof *split->parts);
    if (cuts == NULL || split->parts == NULL) {
        free(cuts);
        return -ENOMEM;
    }
    count = list_characters(split->text, split->text_length, coding, cuts);
    find_cuts(cuts, count, coding->parts == 1 ? coding->room_alone : coding->room_part);
    split->count = 0;
    for (size_t from = 0; from < count || split->count == 0; split->count++) {
        struct sms_split_part *part = &split->parts[split->count];
        size_t to = cuts[from].next;

        part->offset = cuts[from].offset;
        part->length = cuts[to].offset - cuts[from].offset;
        while (from < to)
            part->units = (uint16_t)(part->units + cuts[from++].units);
    }
    split->units_left = (uint16_t)((coding->parts == 1 ? coding->room_alone : coding->room_part) -
                                   split->parts[split->count - 1].units);
    free(cuts);
    return 0;
}

int sms_split(const char *text, size_t length, const struct sms_split_options *options, struct sms_split *ret_split,
              uint32_t *ret_at, const char **ret_error)
{
    struct decision decision = { 0 };
    uint32_t parts_max = options->parts_max != 0 ? options->parts_max : SMS_PARTS_MAX, at = 0;
    const char *ignored;
    int r;

    *ret_split = (struct sms_split){ 0 };
    if (ret_at == NULL)
        ret_at = &at;
    if (ret_error == NULL)
        ret_error = &ignored;
    *ret_at = 0;
    r = decide(text, length, options, &decision, ret_at, ret_error);
    if (r < 0)
        return r;
    if (decision.coding.parts > parts_max) {
        *ret_at = decision.coding.parts;
        free(decision.text);
        return refuse(ret_error, -E2BIG, "the text takes more parts than are allowed");
    }

    ret_split->alphabet = decision.coding.alphabet;
    ret_split->locking = decision.coding.locking;
    ret_split->single = decision.coding.single;
    ret_split->units = decision.coding.units;
    ret_split->change_count = decision.change_count;
    memcpy(ret_split->changes, decision.changes, sizeof decision.changes);
    ret_split->text = decision.text != NULL ? decision.text : malloc(length + 1);
    ret_split->text_length = (uint32_t)decision.length;
    if (ret_split->text != NULL && decision.text == NULL) {
        if (length > 0)
            memcpy(ret_split->text, text, length);
        ret_split->text[length] = '\0';
    }
    if (ret_split->text == NULL || cut_text(ret_split, &decision.coding) < 0) {
        sms_split_done(ret_split);
        return refuse(ret_error, -ENOMEM, "out of memory");
    }
    return 0;
}

void sms_split_done(struct sms_split *split)
{
    if (split == NULL)
        return;
    free(split->parts);
    free(split->text);
    *split = (struct sms_split){ 0 };
}

uint32_t sms_split_count(const char *text, size_t length, const struct sms_split_options *options)
{
    struct decision decision = { 0 };
    const char *error;
    uint32_t at = 0;

    if (decide(text, length, options, &decision, &at, &error) < 0)
        return 0;
    free(decision.text);
    return decision.coding.parts;
}
