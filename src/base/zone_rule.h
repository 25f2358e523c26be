/* SPDX-License-Identifier: Apache-2.0
 *
 * zone_rule.h - the rule at the end of a time zone's file: "CET-1CEST,M3.5.0,M10.5.0/3".
 *
 * That of the variable TZ (POSIX.1-2017, 8.3) with the hours of RFC 8536 3.3.1: -167 to 167. */
#ifndef CELLPOST_BASE_ZONE_RULE_H
#define CELLPOST_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MONTH: weekday (0 Sunday) of the week-th (5: last) week of a month; JULIAN: day 1 to 365, without 29 February; DAY: 0 to 365. */
enum zone_rule_kind { ZONE_RULE_MONTH, ZONE_RULE_JULIAN, ZONE_RULE_DAY };
struct zone_rule_date { enum zone_rule_kind kind; uint16_t day; uint8_t month, week, weekday; int32_t time_s; };
struct zone_rule {
    int32_t standard_s, summer_s;            /* what is added to UTC */
    bool summer;                             /* there is such a time */
    struct zone_rule_date begins, ends;      /* of summer, by the clocks before */
};

/* -EINVAL: it is no rule. */
int zone_rule_parse(const char *text, size_t length, struct zone_rule *ret_rule);
/* The offset at a moment, and when the next change comes; INT64_MAX: never. */
int32_t zone_rule_at(const struct zone_rule *rule, int64_t utc_s, int64_t *ret_end_s);

#endif
