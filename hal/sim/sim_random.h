/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_random.h - numbers that look like chance and come again with the same seed (PCG32, M. O'Neill). */
#ifndef CELLPOST_HAL_SIM_RANDOM_H
#define CELLPOST_HAL_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_CERTAIN_PPM 1000000u

struct sim_random { uint64_t state, stream; };

/* Different streams of one seed are independent: one per modem, so that the order of their events changes nothing. */
void sim_random_init(struct sim_random *random, uint64_t seed, uint64_t stream);
uint32_t sim_random_next(struct sim_random *random);
uint32_t sim_random_below(struct sim_random *random, uint32_t bound);   /* 0 .. bound - 1; 0 for bound 0 */
bool sim_random_hit(struct sim_random *random, uint32_t ppm);           /* true in ppm of a million draws */

#endif
