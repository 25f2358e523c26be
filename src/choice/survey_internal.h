/* SPDX-License-Identifier: Apache-2.0
 *
 * survey_internal.h - what the files of surveys share; nobody else includes it. */
#ifndef CELLPOST_CHOICE_SURVEY_INTERNAL_H
#define CELLPOST_CHOICE_SURVEY_INTERNAL_H

#include "src/choice/chooser_internal.h"
#include "src/choice/survey.h"

/* The message as the queue would have it, of the class of mixed ones. */
struct queue_item survey_item(const struct chooser *chooser, const struct survey_ask *ask, struct limit_now now);
/* survey_day.c: between begin and end an item of the mixed class to this number has the prices of that day. -ENOMEM. */
int32_t survey_day(int64_t at_ms);
int survey_day_begin(struct chooser *chooser, const struct queue_item *item, int32_t day);
void survey_day_end(struct chooser *chooser);

/* How one bearer stands for a message, in the order of a choice. */
struct survey_stand { uint16_t bearer; struct chooser_judgement judgement; enum survey_when when; uint8_t group; };
struct survey_stand survey_stand_of(uint16_t bearer, const struct chooser_judgement *judgement, uint32_t patience_s, struct limit_now now);
bool survey_before(const struct chooser *chooser, const struct survey_stand *a, const struct survey_stand *b);

void survey_explain(struct survey *survey, struct chooser *chooser, struct limit_now now);
bool survey_quote(struct survey *survey, struct chooser *chooser, struct limit_now now);
void survey_cards(struct survey *survey, struct chooser *chooser, struct limit_now now);
/* -ENOMEM. */
int survey_bearer_fill(struct chooser *chooser, uint16_t bearer, struct limit_now now, struct survey_bearer *ret_bearer);

#endif
