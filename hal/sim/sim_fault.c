/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_fault.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const struct sim_fault_kind kinds[SIM_FAULT_COUNT] = {
    [SIM_FAULT_LOST_REPLY] = { "lost_reply", SIM_WHEN_PART, 0, false },
    [SIM_FAULT_LATE]       = { "late",       SIM_WHEN_PART, 60000, false },
    [SIM_FAULT_HANG]       = { "hang",       SIM_WHEN_PART, 0, true },
    [SIM_FAULT_CMS]        = { "cms",        SIM_WHEN_PART, 500, false },
    [SIM_FAULT_CME]        = { "cme",        SIM_WHEN_PART, 30, false },
    [SIM_FAULT_ERROR]      = { "error",      SIM_WHEN_PART, 0, false },
    [SIM_FAULT_NO_PROMPT]  = { "no_prompt",  SIM_WHEN_PART, 0, false },
    [SIM_FAULT_RESET]      = { "reset",      SIM_WHEN_PART, 0, false },
    [SIM_FAULT_UNPLUG]     = { "unplug",     SIM_WHEN_PART, 0, false },
    [SIM_FAULT_SWALLOWED]  = { "swallowed",  SIM_WHEN_PART, 0, false },
    [SIM_FAULT_HELD]       = { "held",       SIM_WHEN_PART, 90000, false },
    [SIM_FAULT_GARBAGE]    = { "garbage",    SIM_WHEN_LINE, 8, false },
    [SIM_FAULT_CHATTY]     = { "chatty",     SIM_WHEN_STATE, 500, false },
    [SIM_FAULT_LYING_MR]   = { "lying_mr",   SIM_WHEN_STATE, 0, false },
    [SIM_FAULT_REFUSE_DS1] = { "refuse_ds1", SIM_WHEN_STATE, 0, false },
    [SIM_FAULT_NO_SIM]     = { "no_sim",     SIM_WHEN_STATE, 0, false },
    [SIM_FAULT_PIN]        = { "pin",        SIM_WHEN_STATE, 0, false },
    [SIM_FAULT_PUK]        = { "puk",        SIM_WHEN_STATE, 0, false },
    [SIM_FAULT_DENIED]     = { "denied",     SIM_WHEN_STATE, 0, false },
};

const struct sim_fault_kind *sim_fault_kind(enum sim_fault fault)
{
    assert((unsigned)fault < SIM_FAULT_COUNT);
    return &kinds[fault];
}

int sim_fault_find(const char *name, enum sim_fault *ret_fault)
{
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *ret_fault = (enum sim_fault)i;
            return 0;
        }
    return -EINVAL;
}
