/* SPDX-License-Identifier: Apache-2.0
 *
 * A use as text, for it to outlive the program: words between spaces, of which the first says how the others are written.
 *   1 BOOT MONO_MS WALL_MS AHEAD_MS DOUBT_S ERROR_S GAP_MS PARK_S RESULTS       what is left of doubt, gap and rest
 *   dLABEL:PARTS:SPEND_MICRO:AGE_S[:UNLISTED]                           a run of a day; m: of a month
 *   D, M                                                                runs were put together
 *   iAGE:PARTS,AGE:PARTS                                                the last minute, in tenths of a second
 *   hAGE:PARTS,AGE:PARTS                                                the last hour, in seconds
 *   tLABEL:PARTS:SPEND,PARTS:SPEND                                      totals of that day and those before, in 10000 micro
 *   bID:LABEL:USED[:USED_SINCE]                                         a bundle
 * Ages are rounded down and what is left up, which makes no room. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/routing/use_internal.h"

#define VERSION 1
#define MINUTE_UNIT_MS 100
#define HOUR_UNIT_MS 1000
#define HISTORY_UNIT_MICRO 10000
#define TIME_MS_MAX (INT64_C(1) << 52)
#define AMOUNT_MAX (INT64_MAX / 4)

/* -- writing -------------------------------------------------------------------------------------------------- */

struct writer { char text[USE_TEXT_MAX]; size_t length; bool full; };

/* The bounds of all that is written keep it below USE_TEXT_MAX but for amounts nobody has; then the last words go, from the
 * first that there is no room for. Each call writes what can be left out. */
static void put(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct writer *writer, const char *format, ...)
{
    size_t room = sizeof writer->text - writer->length;
    va_list arguments;
    int length;

    if (writer->full)
        return;
    va_start(arguments, format);
    length = vsnprintf(writer->text + writer->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) {
        writer->text[writer->length] = '\0';
        writer->full = true;
        return;
    }
    writer->length += (size_t)length;
}

static int64_t left_of(const struct use *use, int64_t until_ms, int64_t unit_ms)
{
    int64_t left_ms = until_ms - use_real_ms(use);

    return left_ms <= 0 ? 0 : (left_ms + unit_ms - 1) / unit_ms;
}

static void put_period(struct writer *writer, const struct use *use, const struct use_period *period, char letter)
{
    for (uint32_t i = 0; i < period->count; i++) {
        const struct use_run *run = &period->runs[i];

        /* Also where all was given back: rows of recipients may have its label. */
        if (run->last_ms == USE_NEVER_MS)
            continue;
        put(writer, " %c%" PRId32 ":%" PRIu32 ":%" PRId64 ":%" PRId64, letter, run->label, run->parts, run->spend_micro,
                  (use_real_ms(use) - run->last_ms) / 1000);
        if (run->unlisted != 0)
            put(writer, ":%" PRIu32, run->unlisted);
    }
    if (period->everyone)
        put(writer, " %c", letter - 'a' + 'A');
}

static void put_slide(struct writer *writer, const struct use *use, const struct use_slide *slide, char letter, int64_t unit_ms)
{
    bool begun = false;

    for (uint32_t i = 0; i < slide->count; i++) {
        const struct use_slide_entry *entry = &slide->entries[i];

        if (entry->parts == 0 || entry->last_ms + slide->window_ms <= use_real_ms(use))
            continue;
        if (!begun)
            put(writer, " %c%" PRId64 ":%" PRIu32, letter, (use_real_ms(use) - entry->last_ms) / unit_ms, entry->parts);
        else
            put(writer, ",%" PRId64 ":%" PRIu32, (use_real_ms(use) - entry->last_ms) / unit_ms, entry->parts);
        begun = true;
    }
}

static void put_history(struct writer *writer, const struct use *use)
{
    unsigned days = USE_HISTORY_DAYS + 1;

    while (days > 0 && use->history[days - 1].parts == 0)
        days--;
    for (unsigned i = 0; i < days; i++) {
        int64_t spend = use->history[i].spend_micro / HISTORY_UNIT_MICRO;

        if (i == 0)
            put(writer, " t%" PRId32 ":%" PRIu32 ":%" PRId64, use->history_day, use->history[i].parts, spend);
        else
            put(writer, ",%" PRIu32 ":%" PRId64, use->history[i].parts, spend);
    }
}

char *use_text(struct use *use)
{
    struct writer writer = { .length = 0 };
    char *text;

    /* In the order of what they are worth. */
    put(&writer, "%d %" PRId64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRIx32, VERSION, use->boot,
              use->seen.mono_ms, use->seen.wall_ms, use->ahead_ms, left_of(use, use->doubt_until_ms, 1000),
              (use->error_ms + 999) / 1000, left_of(use, use->gap_until_ms, 1),
              left_of(use, use->parked_until_ms, 1000), use->results);
    put_period(&writer, use, &use->day, 'd');
    put_period(&writer, use, &use->month, 'm');
    put_slide(&writer, use, &use->minute, 'i', MINUTE_UNIT_MS);
    put_slide(&writer, use, &use->hour, 'h', HOUR_UNIT_MS);
    for (uint32_t i = 0; i < use->bundle_count; i++) {
        const struct use_bundle *bundle = &use->bundles[i];

        put(&writer, " b%" PRIx32 ":%" PRId32 ":%" PRId64, bundle->id, bundle->label, bundle->used);
        if (bundle->used_since != 0)
            put(&writer, ":%" PRId64, bundle->used_since);
    }
    put_history(&writer, use);
    text = malloc(writer.length + 1);
    if (!text)
        return NULL;
    memcpy(text, writer.text, writer.length + 1);
    use->step_unsaved = false;
    return text;
}

/* -- reading -------------------------------------------------------------------------------------------------- */

static bool read_int(const char **text, int64_t min, int64_t max, int64_t *ret_value)
{
    const char *at = *text;
    char *end;
    int64_t value;

    if (*at == '-')
        at++;
    if (*at < '0' || *at > '9')
        return false;
    errno = 0;
    value = strtoll(*text, &end, 10);
    if (errno != 0 || value < min || value > max)
        return false;
    *text = end;
    *ret_value = value;
    return true;
}

static bool read_hex(const char **text, uint32_t *ret_value)
{
    static const char digits[] = "0123456789abcdef";
    const char *start = *text, *digit;
    uint32_t value = 0;

    for (; **text != '\0' && (digit = strchr(digits, **text)) != NULL && *text - start < 8; (*text)++)
        value = value << 4 | (uint32_t)(digit - digits);
    *ret_value = value;
    return *text != start;
}

static bool read_char(const char **text, char c)
{
    if (**text != c)
        return false;
    ++*text;
    return true;
}

/* The next of several numbers, with what stands before it. */
static bool read_next(const char **text, char before, int64_t min, int64_t max, int64_t *ret_value)
{
    return read_char(text, before) && read_int(text, min, max, ret_value);
}

static bool read_run(const char **text, struct use_period *period)
{
    int64_t label, parts, spend_micro, age_s, unlisted = 0;

    if (period->count == USE_RUNS_MAX || !read_int(text, USE_NO_LABEL + INT64_C(1), INT32_MAX, &label) ||
        !read_next(text, ':', 0, UINT32_MAX, &parts) || !read_next(text, ':', 0, AMOUNT_MAX, &spend_micro) ||
        !read_next(text, ':', 0, TIME_MS_MAX / 1000, &age_s))
        return false;
    if (**text == ':' && !read_next(text, ':', 0, UINT32_MAX, &unlisted))
        return false;
    for (uint32_t i = 0; i < period->count; i++)
        if (period->runs[i].label == label)
            return false;
    period->runs[period->count++] = (struct use_run){ (int32_t)label, (uint32_t)parts, (uint32_t)unlisted, spend_micro, -age_s * 1000 };
    return true;
}

static bool read_slide(const char **text, struct use_slide *slide, int64_t unit_ms)
{
    int64_t age, parts, before = slide->window_ms / unit_ms;

    if (slide->count > 0)
        return false;
    do {
        if (slide->count == USE_SLIDE_MAX || !read_int(text, 0, before, &age) || !read_next(text, ':', 0, LIMIT_COUNT_MAX, &parts))
            return false;
        before = age;
        /* How long ago it began is not known: nothing more is put to it. */
        slide->entries[slide->count++] = (struct use_slide_entry){ -age * unit_ms - slide->window_ms, -age * unit_ms, (uint32_t)parts };
        slide->parts += (uint32_t)parts;
    } while (read_char(text, ','));
    return true;
}

static bool read_history(const char **text, struct use *use)
{
    int64_t label, parts, spend;
    unsigned days = 0;

    if (!read_int(text, USE_NO_LABEL + INT64_C(1), INT32_MAX, &label) || !read_char(text, ':'))
        return false;
    do {
        if (days > USE_HISTORY_DAYS || !read_int(text, 0, UINT32_MAX, &parts) ||
            !read_next(text, ':', 0, AMOUNT_MAX / HISTORY_UNIT_MICRO, &spend))
            return false;
        use->history[days++] = (struct use_history){ (uint32_t)parts, spend * HISTORY_UNIT_MICRO };
    } while (read_char(text, ','));
    use->history_day = (int32_t)label;
    return true;
}

static bool read_bundle(const char **text, struct use *use)
{
    int64_t label, used, used_since = 0;
    uint32_t id;

    if (use->bundle_count == USE_BUNDLES_MAX || !read_hex(text, &id) ||
        !read_next(text, ':', USE_NO_LABEL + INT64_C(1), INT32_MAX, &label) || !read_next(text, ':', -AMOUNT_MAX, AMOUNT_MAX, &used))
        return false;
    if (**text == ':' && !read_next(text, ':', -AMOUNT_MAX, AMOUNT_MAX, &used_since))
        return false;
    use->bundles[use->bundle_count++] = (struct use_bundle){ id, (int32_t)label, used, used_since };
    return true;
}

static bool read_word(const char **text, struct use *use)
{
    switch (*(*text)++) {
    case 'd': return read_run(text, &use->day);
    case 'm': return read_run(text, &use->month);
    case 'D': return (use->day.everyone = true);
    case 'M': return (use->month.everyone = true);
    case 'i': return read_slide(text, &use->minute, MINUTE_UNIT_MS);
    case 'h': return read_slide(text, &use->hour, HOUR_UNIT_MS);
    case 't': return read_history(text, use);
    case 'b': return read_bundle(text, use);
    default: return false;
    }
}

/* Times become those before and after 0. use is as calloc() made it, with its windows. */
int use_parse(struct use *use, const char *text, struct limit_now *ret_saved, int64_t *ret_boot)
{
    int64_t version, boot, mono_ms, wall_ms, doubt_s, error_s, gap_ms, park_s;

    if (!read_int(&text, VERSION, VERSION, &version) || !read_next(&text, ' ', INT64_MIN, INT64_MAX, &boot) ||
        !read_next(&text, ' ', 0, TIME_MS_MAX, &mono_ms) || !read_next(&text, ' ', -TIME_MS_MAX, TIME_MS_MAX, &wall_ms) ||
        !read_next(&text, ' ', -2 * TIME_MS_MAX, 2 * TIME_MS_MAX, &use->ahead_ms) || !read_next(&text, ' ', 0, USE_DOUBT_MS / 1000, &doubt_s) ||
        !read_next(&text, ' ', 0, TIME_MS_MAX / 1000, &error_s) ||
        !read_next(&text, ' ', 0, INT64_C(2) * UINT32_MAX, &gap_ms) || !read_next(&text, ' ', 0, UINT32_MAX, &park_s) ||
        !read_char(&text, ' ') || !read_hex(&text, &use->results) || use->results >> LIMIT_RESULTS != 0)
        return -EINVAL;
    while (*text != '\0')
        if (!read_char(&text, ' ') || !read_word(&text, use))
            return -EINVAL;
    use->doubt_until_ms = doubt_s * 1000;
    use->error_ms = error_s * 1000;
    use->gap_until_ms = gap_ms;
    use->parked_until_ms = park_s * 1000;
    *ret_saved = (struct limit_now){ (uint64_t)mono_ms, wall_ms };
    *ret_boot = boot;
    return 0;
}
