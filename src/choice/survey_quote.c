/* SPDX-License-Identifier: Apache-2.0
 *
 * survey_quote.c - what a batch would cost, message by message as it would go: what those before use up of bundles and of
 * the limits of days and months is not there for those behind.
 *
 * Approximate: health, rests and who is in a modem are as they are now; limits of minutes and hours, gaps and hours of the
 * day put messages off, and do not make them go another way; everyone is somebody the card wrote to before, or not, as now. */
#include "src/choice/survey_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_JUDGEMENTS 4096            /* some two milliseconds */
#define OTHER_DAY_COST 64                /* of a line that is priced anew */

/* What one card may still send by its limits of days and months, with what is quoted already. */
struct room { int64_t parts, micro; };

static struct room room_of(struct chooser_bearer *bearer, const struct survey_tally *tally, struct limit_now now)
{
    static const struct { enum limit_kind kind; bool money; } kinds[] = {
        { LIMIT_DAY, false }, { LIMIT_MONTH, false }, { LIMIT_SPEND_DAY, true }, { LIMIT_SPEND_MONTH, true },
    };
    struct room room = { INT64_MAX, INT64_MAX };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct limit_view view = limit_view(&bearer->conf->limits, bearer->use, kinds[i].kind, now);
        int64_t *left = kinds[i].money ? &room.micro : &room.parts;

        if (view.limit > 0 && view.limit - view.used < *left)
            *left = view.limit - view.used;
    }
    if (room.parts != INT64_MAX)
        room.parts -= (int64_t)tally->parts;
    if (room.micro != INT64_MAX)
        room.micro -= tally->price_micro;
    return room;
}

static int tallies_begin(struct survey *survey, const struct chooser *chooser)
{
    free(survey->tallies);
    survey->tallies = calloc(chooser->bearer_count + 1, sizeof *survey->tallies);
    survey->tally_count = survey->tallies != NULL ? chooser->bearer_count : 0;
    survey->line_next = 0;
    survey->routing = chooser->routing;
    return survey->tallies != NULL ? 0 : -ENOMEM;
}

/* A card that came since, or another in its place, is not looked at. */
static bool is_there(const struct survey *survey, const struct chooser *chooser, uint32_t index)
{
    const struct survey_tally *tally = &survey->tallies[index];

    return chooser->bearers[index].open && (!tally->used || tally->turn == chooser->bearers[index].turn);
}

/* For the time of a slice the chooser sees what is left of bundles behind what is quoted already. */
static void bundles_hide(struct survey *survey, struct chooser *chooser, struct limit_now now)
{
    for (uint32_t i = 0; i < survey->tally_count; i++) {
        struct chooser_bearer *bearer = &chooser->bearers[i];
        struct survey_tally *tally = &survey->tallies[i];

        if (!is_there(survey, chooser, i))
            continue;
        chooser_look(chooser, bearer, now);   /* holds for longer than this slice */
        memcpy(tally->left_before, bearer->bundle_left, sizeof tally->left_before);
        for (size_t k = 0; k < USE_BUNDLES_MAX; k++)
            bearer->bundle_left[k] -= tally->bundle_parts_by[k] < bearer->bundle_left[k] ? tally->bundle_parts_by[k] : bearer->bundle_left[k];
    }
}

static void bundles_show(struct survey *survey, struct chooser *chooser)
{
    for (uint32_t i = 0; i < survey->tally_count; i++)
        if (is_there(survey, chooser, i))
            memcpy(chooser->bearers[i].bundle_left, survey->tallies[i].left_before, sizeof survey->tallies[i].left_before);
}

static void count(struct survey *survey, struct chooser *chooser, struct room *rooms, struct survey_line *line, const struct survey_stand *stand)
{
    struct chooser_bearer *bearer = &chooser->bearers[stand->bearer];
    struct survey_tally *tally = &survey->tallies[stand->bearer];
    const struct chooser_judgement *judgement = &stand->judgement;

    line->bearer = stand->bearer;
    line->price_micro = judgement->price_micro;
    if (!tally->used) {
        tally->used = true;
        tally->turn = bearer->turn;
        (void)snprintf(tally->id, sizeof tally->id, "%s", bearer->id);
        (void)snprintf(tally->name, sizeof tally->name, "%s", bearer->conf->name);
    }
    tally->messages++;
    tally->parts += line->ask.parts;
    if (rooms[stand->bearer].parts != INT64_MAX)
        rooms[stand->bearer].parts -= line->ask.parts;
    if (judgement->price_micro > 0) {
        tally->price_micro += judgement->price_micro;
        if (rooms[stand->bearer].micro != INT64_MAX)
            rooms[stand->bearer].micro -= judgement->price_micro;
    }
    for (uint8_t i = 0; judgement->bundle != NULL && i < chooser->plans[bearer->plan].bundle_count; i++) {
        if (chooser->plans[bearer->plan].bundles[i] != judgement->bundle)
            continue;
        line->bundle = i + 1;
        (void)snprintf(tally->bundles[i], sizeof tally->bundles[i], "%s", judgement->bundle->bundle.name);
        tally->bundle_parts += line->ask.parts;
        tally->bundle_parts_by[i] += line->ask.parts;
        bearer->bundle_left[i] -= line->ask.parts;   /* a bundle covers all parts or none: they are there */
    }
}

static void quote_line(struct survey *survey, struct chooser *chooser, struct room *rooms, struct survey_line *line, struct limit_now now)
{
    struct queue_item item = survey_item(chooser, &line->ask, now), plain = item;
    struct survey_stand best = { .when = SURVEY_WAITS };
    int32_t day = line->ask.at_ms != 0 ? survey_day(line->ask.at_ms) : chooser->day;
    bool found = false;

    line->bearer = SURVEY_NOBODY;
    line->price_micro = -1;
    plain.patience_s = plain.sticky_sim_id = 0;   /* few classes: prices are the same in all of them */
    if (day != chooser->day)
        survey->error = survey_day_begin(chooser, &item, day);
    else
        item.class_id = chooser_classify(chooser, &plain, now);
    if (survey->error == 0 && chooser_destination(chooser, &item) == NULL)
        survey->error = -ENOMEM;         /* every bearer would seem to be away */
    for (uint16_t i = 0; i < survey->tally_count; i++) {
        struct chooser_judgement judgement;
        struct survey_stand stand;

        if (!is_there(survey, chooser, i))
            continue;
        judgement = chooser_judge(chooser, i, &item, now);
        if (judgement.verdict == CHOOSER_MAY && (rooms[i].parts < item.parts || rooms[i].micro < judgement.price_micro)) {
            judgement.verdict = CHOOSER_LIMIT;   /* those before will have used it up */
            judgement.until_ms = UINT64_MAX - 1;
        }
        if (judgement.verdict == CHOOSER_MAY && chooser->bearers[i].credit_micro >= 0 &&
            survey->tallies[i].price_micro + judgement.price_micro > chooser->bearers[i].credit_micro)
            judgement.verdict = CHOOSER_NO_CREDIT;
        stand = survey_stand_of(i, &judgement, item.patience_s, now);
        if (!found || survey_before(chooser, &stand, &best))
            best = stand;
        found = true;
    }
    if (day != chooser->day)
        survey_day_end(chooser);
    line->when = best.when;
    if (found && best.judgement.verdict != CHOOSER_REFUSED && best.judgement.verdict != CHOOSER_NOT_LISTED && best.judgement.verdict != CHOOSER_DENIED &&
        best.judgement.verdict != CHOOSER_NO_PRICE && best.judgement.verdict != CHOOSER_TOO_DEAR)
        count(survey, chooser, rooms, line, &best);
}

bool survey_quote(struct survey *survey, struct chooser *chooser, struct limit_now now)
{
    struct room *rooms;
    size_t cost = 0;

    if ((survey->tallies == NULL || survey->routing != chooser->routing) && tallies_begin(survey, chooser) < 0) {
        survey->error = -ENOMEM;
        return false;
    }
    rooms = calloc(survey->tally_count + 1, sizeof *rooms);
    if (rooms == NULL) {
        survey->error = -ENOMEM;
        return false;
    }
    bundles_hide(survey, chooser, now);
    for (uint32_t i = 0; i < survey->tally_count; i++)
        if (is_there(survey, chooser, i))
            rooms[i] = room_of(&chooser->bearers[i], &survey->tallies[i], now);
    while (survey->error == 0 && survey->line_next < survey->line_count && cost < SLICE_JUDGEMENTS) {
        struct survey_line *line = &survey->lines[survey->line_next++];

        line->bundle = 0;
        quote_line(survey, chooser, rooms, line, now);
        cost += survey->tally_count + 1 + (line->ask.at_ms != 0 ? OTHER_DAY_COST : 0);
    }
    bundles_show(survey, chooser);
    free(rooms);
    return survey->error == 0 && survey->line_next < survey->line_count;
}
