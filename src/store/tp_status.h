/* SPDX-License-Identifier: Apache-2.0
 *
 * tp_status.h - what the TP-ST octet of a delivery report means (3GPP TS 23.040 9.2.3.15). */
#ifndef CELLPOST_TP_STATUS_H
#define CELLPOST_TP_STATUS_H

#include "src/store/message.h"

struct tp_status {
    uint8_t first, last;
    bool final;                  /* false: the service centre still tries */
    enum message_state state;    /* of a message of this one part, where final */
    const char *words;
};

/* Never NULL: every octet has its row. */
const struct tp_status *tp_status_find(uint8_t status);

#endif
