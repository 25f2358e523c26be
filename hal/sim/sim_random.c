/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_random.h"

void sim_random_init(struct sim_random *random, uint64_t seed, uint64_t stream)
{
    random->state = 0;
    random->stream = stream << 1 | 1;
    (void)sim_random_next(random);
    random->state += seed;
    (void)sim_random_next(random);
}

uint32_t sim_random_next(struct sim_random *random)
{
    uint64_t old = random->state;
    uint32_t shifted = (uint32_t)((old >> 18 ^ old) >> 27);
    uint32_t turn = (uint32_t)(old >> 59);

    random->state = old * UINT64_C(6364136223846793005) + random->stream;
    return shifted >> turn | shifted << (-turn & 31);
}

uint32_t sim_random_below(struct sim_random *random, uint32_t bound)
{
    /* The bias of the multiplication is below bound / 2^32: nothing for faults and jitter. */
    return (uint32_t)((uint64_t)sim_random_next(random) * bound >> 32);
}

bool sim_random_hit(struct sim_random *random, uint32_t ppm)
{
    if (ppm == 0)
        return false;
    return sim_random_below(random, SIM_CERTAIN_PPM) < ppm;
}
