/* SPDX-License-Identifier: Apache-2.0
 *
 * tp_status.h - what the TP-ST octet of a delivery report means (3GPP TS 23.040 9.2.3.15). */
#ifndef CELLPOST_TP_STATUS_H
#define CELLPOST_TP_STATUS_H

#include "src/store/message.h"

/* Where the cause of a final failure lies. */
enum tp_class {
    TP_CLASS_NONE,               /* delivered, or the service centre still tries */
    TP_CLASS_RECIPIENT,          /* this recipient: another try, or another SIM, would hear the same */
    TP_CLASS_TRANSIENT,          /* it passes, but the service centre has stopped trying: a new submission may work */
    TP_CLASS_VARIES,             /* networks mean different things by it; several in a row point to the SIM */
};
const char *tp_class_name(enum tp_class class);   /* "recipient" ... as error_class_name(); "" for none */

struct tp_status {
    uint8_t first, last;
    bool final;                  /* false: the service centre still tries */
    enum message_state state;    /* of a message of this one part, where final */
    enum tp_class class;
    const char *words;
};

/* Never NULL: every octet has its row. */
const struct tp_status *tp_status_find(uint8_t status);

/* What is written where a message changes its state: the words, and the class of a failure. */
void tp_status_reason(uint8_t status, char ret_reason[MESSAGE_REASON_MAX]);

#endif
