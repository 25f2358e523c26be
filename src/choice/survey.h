/* SPDX-License-Identifier: Apache-2.0
 *
 * survey.h - what the chooser knows and would do, as plain values that may cross a thread: why a number goes by which
 * bearer, what a batch would cost, how much each card may still send. Looking changes nothing.
 *
 * Who asks fills in `kind` and what is marked "in"; whoever owns the chooser calls survey_step() until there is no more.
 * Money:     millionths of `currency`; -1: not known. Times: wall clock milliseconds, 0 none.
 * Ownership: what it points to is its own, made with malloc(); survey_done() frees it. */
#ifndef CELLPOST_CHOICE_SURVEY_H
#define CELLPOST_CHOICE_SURVEY_H

#include "src/base/digits.h"
#include "src/choice/chooser.h"

#define SURVEY_FILE_MAX 160              /* names of files are cut to this, with their NUL */
#define SURVEY_NOBODY UINT32_MAX

enum survey_kind { SURVEY_NONE, SURVEY_EXPLAIN, SURVEY_QUOTE, SURVEY_CARDS };

/* One message that might be sent. */
struct survey_ask {
    uint64_t to_key; bool short_code;    /* digits_pack() */
    uint8_t parts;
    uint32_t patience_s;                 /* MESSAGE_PATIENCE_AS_ROUTED */
    uint32_t sticky_sim_id;              /* its recipient's conversation; 0 none */
    int64_t at_ms;                       /* prices are those of this day; 0: now */
};

/* When a message would go. */
enum survey_when {
    SURVEY_NOW,                          /* the bearer is idle */
    SURVEY_SOON,                         /* it has others in hand */
    SURVEY_PATIENT,                      /* it may not yet, but will within the message's patience */
    SURVEY_LATER,                        /* none may now or within its patience; this one is the first of those that will */
    SURVEY_WAITS,                        /* until something changes: a card comes, a limit is raised, a price is there */
    SURVEY_REFUSED,                      /* its route refuses the number */
    SURVEY_WHENS
};

struct survey_limit { enum limit_kind kind; struct limit_view view; };
struct survey_bundle { char name[TARIFF_NAME_MAX]; uint32_t left, parts; int64_t resets_at_ms; };

struct survey_bearer {
    enum route_bearer_kind kind;
    char id[32], name[32], plan[TARIFF_NAME_MAX];
    char *tags;                          /* each ended by '\n'; NULL none */
    bool present, idle, resting, roaming;
    int signal_dbm;                      /* 0 unknown */
    bool counted;                        /* what it uses is counted: else there are no limits and bundles here */
    struct survey_limit limits[LIMIT_KINDS]; uint8_t limit_count;   /* those that are set, and what is counted anyway */
    struct survey_bundle bundles[USE_BUNDLES_MAX]; uint8_t bundle_count;
    int64_t runs_out_at_ms;              /* when the first of its limits will, at the rate so far; 0: not before it resets */
};

struct survey_candidate {
    struct survey_bearer bearer;
    enum chooser_verdict verdict;
    enum survey_when when;               /* if it were the only one */
    enum limit_kind limit;               /* of CHOOSER_LIMIT */
    int64_t until_ms;                    /* when to look again; 0: not by time alone */
    uint8_t rank;
    int64_t price_micro, list_micro, shadow_micro;   /* as struct chooser_judgement */
    int64_t first_part_micro, next_part_micro;       /* of the list; -1 */
    bool on_net;
    char prefix[PREFIX_CHARS], file[SURVEY_FILE_MAX]; uint32_t line;   /* of the row that has the price; line 0: none */
    char bundle[TARIFF_NAME_MAX]; uint32_t bundle_left;   /* that covers it; "" none */
};

struct survey_route {
    bool known;                          /* false: nothing is configured, all bearers may take all numbers */
    enum route_action action;
    enum route_order order;
    bool implicit, sticky;
    char prefix[PREFIX_CHARS + 8], file[SURVEY_FILE_MAX]; uint32_t line;
    uint32_t patience_s;
    int64_t max_price_micro;             /* of a part; ROUTE_PRICE_UNBOUND */
    char note[ROUTE_NOTE_MAX];
};

struct survey_line {
    struct survey_ask ask;               /* in */
    enum survey_when when;
    uint32_t bearer;                     /* index of tallies; SURVEY_NOBODY */
    int64_t price_micro;
    uint8_t bundle;                      /* 1 + its index in the tally; 0 none */
};

/* What a quote comes to by one bearer. */
struct survey_tally {
    uint32_t turn; bool used;            /* of the bearer, as when it was counted first */
    char id[32], name[32];
    uint32_t messages; uint64_t parts, bundle_parts;
    int64_t price_micro;
    uint32_t bundle_parts_by[USE_BUNDLES_MAX];
    char bundles[USE_BUNDLES_MAX][TARIFF_NAME_MAX];
    uint32_t left_before[USE_BUNDLES_MAX];   /* while a slice is computed */
};

struct survey {
    enum survey_kind kind;               /* in */
    int error;                           /* 0 or -ENOMEM */
    bool priced;                         /* there are tariffs */
    char currency[4];                    /* "" none */
    /* SURVEY_EXPLAIN */
    struct survey_ask ask;               /* in; patience_s: comes back as it is in force */
    struct survey_route route;
    char priced_as[DIGITS_CHARS];    /* the number belongs to another network than its digits say; "" no */
    struct survey_candidate *candidates; uint32_t candidate_count;   /* as a choice would order them; the first is chosen */
    enum survey_when when;               /* of the first; SURVEY_WAITS where there is none */
    /* SURVEY_QUOTE */
    struct survey_line *lines; uint32_t line_count, line_next;   /* lines and line_count: in */
    struct survey_tally *tallies; uint32_t tally_count;          /* by bearer */
    const void *routing;                 /* by which it was begun: under another one it begins anew */
    /* SURVEY_CARDS */
    struct survey_bearer *bearers; uint32_t bearer_count;
};
void survey_done(struct survey *survey);   /* accepts an empty one */

/* Goes on for a few milliseconds at most. True: there is more to do. */
bool survey_step(struct survey *survey, struct chooser *chooser, struct limit_now now);

#endif
