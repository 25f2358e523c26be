/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/zone.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/date.h"
#include "src/base/zone_rule.h"

#define DAY_S INT64_C(86400)
#define UTC_S_MIN INT64_C(-377705116800)     /* 1 January -9999 */
#define UTC_S_MAX INT64_C(253402300799)      /* 31 December 9999 */
#define TRANSITIONS_MAX 5000
#define TYPES_MAX 256                        /* an index of one octet: RFC 8536 3.2 */
#define HEADER_SIZE 44
#define TYPE_SIZE 6
#define OFFSET_S_MIN (-25 * 3600)            /* both excluded: RFC 8536 3.2, "utoff" */
#define OFFSET_S_MAX (26 * 3600)

struct zone_transition { int64_t at_s; int32_t offset_s; };

struct zone {
    uint32_t fingerprint, count;
    int32_t first_offset_s;                  /* before the first transition */
    bool ruled;                              /* rule holds from the last transition on, or always if there is none */
    struct zone_rule rule;
    struct zone_transition transitions[];
};

/* -- reading -------------------------------------------------------------------------------------------------- */

struct block { uint32_t isutc, isstd, leap, times, types, chars; size_t time_size; };

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int32_t read_i32(const uint8_t *bytes)
{
    return (int32_t)read_u32(bytes);
}

static int64_t read_i64(const uint8_t *bytes)
{
    return (int64_t)((uint64_t)read_u32(bytes) << 32 | read_u32(bytes + 4));
}

static uint32_t hash_bytes(const void *bytes, size_t size)   /* FNV-1a */
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 16777619u;
    return hash ? hash : 1;
}

/* RFC 8536 3.1. False: it is none, or counts more than a file can hold. */
static bool read_header(const uint8_t *bytes, size_t size, size_t time_size, struct block *ret_block)
{
    static const char magic[4] = { 'T', 'Z', 'i', 'f' };

    if (size < HEADER_SIZE || memcmp(bytes, magic, sizeof magic) != 0)
        return false;
    *ret_block = (struct block){
        .isutc = read_u32(bytes + 20), .isstd = read_u32(bytes + 24), .leap = read_u32(bytes + 28), .times = read_u32(bytes + 32),
        .types = read_u32(bytes + 36), .chars = read_u32(bytes + 40), .time_size = time_size,
    };
    return ret_block->isutc <= TYPES_MAX && ret_block->isstd <= TYPES_MAX && ret_block->leap <= ZONE_FILE_MAX &&
           ret_block->times <= TRANSITIONS_MAX && ret_block->types <= TYPES_MAX && ret_block->chars <= ZONE_FILE_MAX;
}

static size_t block_size(const struct block *block)
{
    return block->times * (block->time_size + 1) + block->types * TYPE_SIZE + block->chars +
           block->leap * (block->time_size + 4) + block->isstd + block->isutc;
}

static bool check_type(const struct block *block, const uint8_t *type)
{
    int32_t offset_s = read_i32(type);

    return offset_s > OFFSET_S_MIN && offset_s < OFFSET_S_MAX && type[4] <= 1 && type[5] < block->chars;
}

/* RFC 8536 3.2. bytes has as many octets as the block. Leap seconds are those of the "right" zones, whose seconds are not
 * ours: refused. */
static bool read_block(const struct block *block, const uint8_t *bytes, struct zone *zone)
{
    const uint8_t *indices = bytes + block->times * block->time_size, *types = indices + block->times;

    if (block->types == 0 || block->chars == 0 || block->leap != 0 || (block->isutc != 0 && block->isutc != block->types) ||
        (block->isstd != 0 && block->isstd != block->types))
        return false;
    for (uint32_t i = 0; i < block->types; i++)
        if (!check_type(block, types + i * TYPE_SIZE))
            return false;
    zone->first_offset_s = read_i32(types);
    zone->count = block->times;
    for (uint32_t i = 0; i < block->times; i++) {
        const uint8_t *time = bytes + i * block->time_size;
        struct zone_transition *transition = &zone->transitions[i];

        if (indices[i] >= block->types)
            return false;
        transition->at_s = block->time_size == 4 ? read_i32(time) : read_i64(time);
        transition->offset_s = read_i32(types + indices[i] * TYPE_SIZE);
        if (i > 0 && transition->at_s <= transition[-1].at_s)
            return false;
    }
    return true;
}

/* RFC 8536 3.3: a newline, a rule or nothing, a newline, and the end. */
static bool read_footer(const uint8_t *bytes, size_t size, struct zone *zone)
{
    if (size < 2 || bytes[0] != '\n' || bytes[size - 1] != '\n')
        return false;
    zone->ruled = size > 2;
    return !zone->ruled || zone_rule_parse((const char *)bytes + 1, size - 2, &zone->rule) == 0;
}

int zone_parse(const uint8_t *bytes, size_t size, struct zone **ret_zone)
{
    struct block block;
    struct zone *zone;
    size_t at = HEADER_SIZE;
    bool versioned, good;

    if (size > ZONE_FILE_MAX || !read_header(bytes, size, 4, &block) || block_size(&block) > size - at)
        return -EINVAL;
    if (bytes[4] != '\0' && (bytes[4] < '2' || bytes[4] > '4'))   /* 4 (RFC 9636) differs in its leap seconds alone */
        return -EINVAL;
    versioned = bytes[4] != '\0';
    if (versioned) {
        /* What stands there is for those who read no more than version 1. */
        at += block_size(&block);
        if (!read_header(bytes + at, size - at, 8, &block) || block_size(&block) > size - at - HEADER_SIZE)
            return -EINVAL;
        at += HEADER_SIZE;
    }
    zone = calloc(1, sizeof *zone + block.times * sizeof zone->transitions[0]);
    if (!zone)
        return -ENOMEM;
    good = read_block(&block, bytes + at, zone);
    at += block_size(&block);
    good = good && (versioned ? read_footer(bytes + at, size - at, zone) : at == size);
    if (!good) {
        free(zone);
        return -EINVAL;
    }
    zone->fingerprint = hash_bytes(bytes, size);
    *ret_zone = zone;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int zone_from_word(const char *word, struct zone **ret_zone)
{
    int32_t offset_s = 0;
    struct zone *zone;

    if (strcmp(word, "UTC") != 0) {
        if (strlen(word) != 6 || (word[0] != '+' && word[0] != '-') || !is_digit(word[1]) || !is_digit(word[2]) || word[3] != ':' ||
            !is_digit(word[4]) || !is_digit(word[5]))
            return -EINVAL;
        offset_s = ((word[1] - '0') * 10 + word[2] - '0') * 3600 + ((word[4] - '0') * 10 + word[5] - '0') * 60;
        if (word[4] > '5' || (word[1] - '0') * 10 + word[2] - '0' > 14)   /* Kiribati, at +14:00, is the farthest */
            return -EINVAL;
        offset_s = word[0] == '-' ? -offset_s : offset_s;
    }
    zone = calloc(1, sizeof *zone);
    if (!zone)
        return -ENOMEM;
    zone->first_offset_s = offset_s;
    zone->fingerprint = hash_bytes(&offset_s, sizeof offset_s);
    *ret_zone = zone;
    return 0;
}

void zone_free(struct zone *zone)
{
    free(zone);
}

uint32_t zone_fingerprint(const struct zone *zone)
{
    int32_t none = 0;

    return zone ? zone->fingerprint : hash_bytes(&none, sizeof none);
}

/* -- looking up ----------------------------------------------------------------------------------------------- */

struct stretch { int32_t offset_s; int64_t end_s; };   /* of one offset; end excluded */

static struct stretch stretch_at(const struct zone *zone, int64_t utc_s)
{
    uint32_t low = 0, high = zone ? zone->count : 0;
    struct stretch stretch;

    if (!zone)
        return (struct stretch){ 0, INT64_MAX };
    while (low < high) {   /* the first transition behind utc_s */
        uint32_t middle = low + (high - low) / 2;

        if (zone->transitions[middle].at_s <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->ruled) {
        stretch.offset_s = zone_rule_at(&zone->rule, utc_s, &stretch.end_s);
        return stretch;
    }
    stretch.offset_s = low > 0 ? zone->transitions[low - 1].offset_s : zone->first_offset_s;
    stretch.end_s = low < zone->count ? zone->transitions[low].at_s : INT64_MAX;
    return stretch;
}

static int64_t clamp(int64_t utc_s)
{
    return utc_s < UTC_S_MIN ? UTC_S_MIN : utc_s > UTC_S_MAX ? UTC_S_MAX : utc_s;
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

int32_t zone_offset_s(const struct zone *zone, int64_t utc_s)
{
    return stretch_at(zone, clamp(utc_s)).offset_s;
}

/* When clocks first show local_s or later: through the stretches that can have it. */
static int64_t first_moment_s(const struct zone *zone, int64_t local_s)
{
    int64_t at_s = local_s - OFFSET_S_MAX;

    for (;;) {
        struct stretch stretch = stretch_at(zone, at_s);
        int64_t shown_s = local_s - stretch.offset_s;

        if (shown_s < at_s)
            shown_s = at_s;   /* it was left out when the stretch began */
        if (shown_s < stretch.end_s)
            return shown_s;
        at_s = stretch.end_s;
    }
}

int64_t zone_moment_ms(const struct zone *zone, int32_t day, unsigned minute)
{
    return first_moment_s(zone, clamp(day * DAY_S + (int64_t)minute * 60)) * 1000;
}

/* -- periods -------------------------------------------------------------------------------------------------- */

static int64_t month_first_day(int64_t year, unsigned month, unsigned reset_day)
{
    int64_t first = date_to_days(year, month, 1), next = month == 12 ? date_to_days(year + 1, 1, 1) : date_to_days(year, month + 1, 1);

    return first + reset_day <= next ? first + reset_day - 1 : next - 1;
}

/* The first day of the period that day is in, and of the next one. */
static void period_days(enum zone_period_kind kind, unsigned reset_day, int64_t day, int64_t *ret_first, int64_t *ret_next)
{
    int year;
    unsigned month, day_of_month;

    if (reset_day == 0)
        reset_day = 1;
    switch (kind) {
    case ZONE_DAY:
        *ret_first = day;
        *ret_next = day + 1;
        return;
    case ZONE_WEEK:   /* 1970-01-01 was a Thursday */
        *ret_first = day - (day + 3 - (int64_t)(reset_day - 1) - 7 * floor_div(day + 3 - (int64_t)(reset_day - 1), 7));
        *ret_next = *ret_first + 7;
        return;
    case ZONE_MONTH:
        break;
    }
    date_from_days(day, &year, &month, &day_of_month);
    *ret_first = month_first_day(year, month, reset_day);
    if (*ret_first > day) {
        *ret_next = *ret_first;
        *ret_first = month == 1 ? month_first_day(year - 1, 12, reset_day) : month_first_day(year, month - 1, reset_day);
        return;
    }
    *ret_next = month == 12 ? month_first_day(year + 1, 1, reset_day) : month_first_day(year, month + 1, reset_day);
}

struct zone_period zone_period(const struct zone *zone, enum zone_period_kind kind, unsigned reset_day, int64_t utc_ms)
{
    int64_t utc_s = clamp(floor_div(utc_ms, 1000)), first, next, begin_s, next_s;

    period_days(kind, reset_day, floor_div(utc_s + zone_offset_s(zone, utc_s), DAY_S), &first, &next);
    next_s = first_moment_s(zone, next * DAY_S);
    /* Clocks that go back over midnight show yesterday once more, but what has begun has begun. */
    while (next_s <= utc_s) {
        period_days(kind, reset_day, next, &first, &next);
        next_s = first_moment_s(zone, next * DAY_S);
    }
    begin_s = first_moment_s(zone, first * DAY_S);
    return (struct zone_period){ (int32_t)first, begin_s * 1000, next_s * 1000 };
}
