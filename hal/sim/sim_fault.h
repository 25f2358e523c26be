/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_fault.h - what can go wrong with a simulated modem: names, and when each strikes. */
#ifndef CELLPOST_HAL_SIM_FAULT_H
#define CELLPOST_HAL_SIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum sim_fault {
    SIM_FAULT_LOST_REPLY,    /* the network has the part, +CMGS and OK never come */
    SIM_FAULT_LATE,          /* they come argument ms later */
    SIM_FAULT_HANG,          /* no answer to anything for argument ms; 0: until a power cycle */
    SIM_FAULT_CMS,           /* +CMS ERROR: argument; 332 may have been sent nevertheless */
    SIM_FAULT_CME,           /* +CME ERROR: argument */
    SIM_FAULT_ERROR,         /* bare ERROR */
    SIM_FAULT_NO_PROMPT,     /* silence after AT+CMGS */
    SIM_FAULT_RESET,         /* restarts in the middle of the part, with its boot noise */
    SIM_FAULT_UNPLUG,        /* the line goes away in the middle of the part */
    SIM_FAULT_SWALLOWED,     /* it takes the part, forgets it and says nothing */
    SIM_FAULT_HELD,          /* the same, and submits it argument ms later */
    SIM_FAULT_GARBAGE,       /* octets of noise before an answer */
    SIM_FAULT_CHATTY,        /* unasked lines every argument ms */
    SIM_FAULT_LYING_MR,      /* +CMGS says another TP-MR than the report will */
    SIM_FAULT_REFUSE_DS1,    /* +CNMI with ds=1: +CMS ERROR: 303 */
    SIM_FAULT_NO_SIM, SIM_FAULT_PIN, SIM_FAULT_PUK,
    SIM_FAULT_DENIED,        /* registration refused: +CREG 3 */
    SIM_FAULT_COUNT
};

enum sim_fault_when {
    SIM_WHEN_PART,           /* drawn for each part */
    SIM_WHEN_LINE,           /* drawn for each AT line */
    SIM_WHEN_STATE,          /* a state of the modem: drawn once when it is set */
};

struct sim_fault_kind {
    const char *name;
    enum sim_fault_when when;
    uint32_t argument;                   /* where none is given */
    bool at_once;                        /* a single one strikes now, not at the next part or line */
};

const struct sim_fault_kind *sim_fault_kind(enum sim_fault fault);
/* -EINVAL: no such name. */
int sim_fault_find(const char *name, enum sim_fault *ret_fault);

#endif
