/* SPDX-License-Identifier: Apache-2.0
 *
 * forecast.h - how many parts of one class of destinations are expected in which hour, learnt from the days before.
 *
 * A day has 24 hours and a kind (working day, Saturday, Sunday; or one for each day of the week: the caller says which).
 * What an hour of a kind of day brought is averaged over the last FORECAST_DAYS such days or so, each earlier one weighing less.
 * Before a kind of day was seen once, it is expected to be as the mean of the others. forecast_factor() says how much more or
 * less than expected the day has brought so far, held back by what is expected of a whole day, so that a quiet night or one
 * campaign does not upset the rest of the day.
 * State is saved as one line of text of at most FORECAST_TEXT_MAX octets. Integers only: the same days give the same text. */
#ifndef CELLPOST_ROUTING_FORECAST_H
#define CELLPOST_ROUTING_FORECAST_H

#include <stddef.h>
#include <stdint.h>

#define FORECAST_KINDS 7
#define FORECAST_HOURS 24
#define FORECAST_DAYS 10
#define FORECAST_HOUR_PARTS_MAX 4000000          /* what comes beyond it in an hour is not counted */
#define FORECAST_TEXT_MAX (16 + FORECAST_KINDS * (4 + FORECAST_HOURS * 11) + 24 * 8)

struct forecast {
    uint32_t mean_milli[FORECAST_KINDS][FORECAST_HOURS];   /* thousandths of parts */
    uint8_t days[FORECAST_KINDS];                          /* seen, at most FORECAST_DAYS */
    uint32_t today[FORECAST_HOURS];                        /* parts */
};

void forecast_init(struct forecast *forecast);
/* A message that came, whatever becomes of it. */
void forecast_count(struct forecast *forecast, unsigned hour, unsigned parts);
/* The day is over: it is learnt as one of that kind, and the next begins. */
void forecast_end_day(struct forecast *forecast, unsigned kind);

double forecast_parts(const struct forecast *forecast, unsigned kind, unsigned hour);
/* Of a day of that kind whose first `hours` hours are over: 0.5 to 2. */
double forecast_factor(const struct forecast *forecast, unsigned kind, unsigned hours);

/* Returns the length, without the NUL that ends it. */
size_t forecast_save(const struct forecast *forecast, char ret_text[FORECAST_TEXT_MAX]);
/* -EINVAL: it is no such text; *ret_forecast is as it was. */
int forecast_load(const char *text, struct forecast *ret_forecast);

#endif
