/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/tp_status.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

/* Ascending and without gaps. 0x60..0x7F read "temporary error" in the clause, but the SC has stopped trying: final. */
static const struct tp_status statuses[] = {
    { 0x00, 0x00, true, MESSAGE_DELIVERED, TP_CLASS_NONE, "received by the phone" },
    { 0x01, 0x01, true, MESSAGE_DELIVERED, TP_CLASS_NONE, "forwarded; the service centre cannot confirm delivery" },
    { 0x02, 0x02, true, MESSAGE_UNDELIVERED, TP_CLASS_VARIES, "replaced by the service centre" },
    { 0x03, 0x1F, true, MESSAGE_DELIVERED, TP_CLASS_NONE, "completed, by an operator's own code" },
    { 0x20, 0x20, false, MESSAGE_SENT, TP_CLASS_NONE, "congestion; still trying" },
    { 0x21, 0x21, false, MESSAGE_SENT, TP_CLASS_NONE, "phone busy; still trying" },
    { 0x22, 0x22, false, MESSAGE_SENT, TP_CLASS_NONE, "no response from the phone; still trying" },
    { 0x23, 0x23, false, MESSAGE_SENT, TP_CLASS_NONE, "service rejected; still trying" },
    { 0x24, 0x24, false, MESSAGE_SENT, TP_CLASS_NONE, "quality of service not available; still trying" },
    { 0x25, 0x25, false, MESSAGE_SENT, TP_CLASS_NONE, "error in the phone; still trying" },
    { 0x26, 0x3F, false, MESSAGE_SENT, TP_CLASS_NONE, "temporary error; still trying" },
    { 0x40, 0x40, true, MESSAGE_UNDELIVERED, TP_CLASS_RECIPIENT, "remote procedure error" },
    { 0x41, 0x41, true, MESSAGE_UNDELIVERED, TP_CLASS_RECIPIENT, "incompatible destination" },
    { 0x42, 0x42, true, MESSAGE_REJECTED, TP_CLASS_RECIPIENT, "connection rejected by the phone" },
    { 0x43, 0x43, true, MESSAGE_UNDELIVERED, TP_CLASS_RECIPIENT, "not obtainable" },
    { 0x44, 0x44, true, MESSAGE_UNDELIVERED, TP_CLASS_VARIES, "quality of service not available" },
    { 0x45, 0x45, true, MESSAGE_UNDELIVERED, TP_CLASS_VARIES, "no interworking available" },
    { 0x46, 0x46, true, MESSAGE_EXPIRED, TP_CLASS_RECIPIENT, "validity period expired in the service centre" },
    { 0x47, 0x47, true, MESSAGE_UNDELIVERED, TP_CLASS_VARIES, "deleted by its sender" },
    { 0x48, 0x48, true, MESSAGE_UNDELIVERED, TP_CLASS_VARIES, "deleted by the service centre" },
    { 0x49, 0x49, true, MESSAGE_UNDELIVERED, TP_CLASS_VARIES, "the service centre does not know the message" },
    { 0x4A, 0x5F, true, MESSAGE_UNDELIVERED, TP_CLASS_VARIES, "permanent error" },
    { 0x60, 0x60, true, MESSAGE_UNDELIVERED, TP_CLASS_TRANSIENT, "congestion; given up" },
    { 0x61, 0x61, true, MESSAGE_UNDELIVERED, TP_CLASS_TRANSIENT, "phone busy; given up" },
    { 0x62, 0x62, true, MESSAGE_UNDELIVERED, TP_CLASS_TRANSIENT, "no response from the phone; given up" },
    { 0x63, 0x63, true, MESSAGE_REJECTED, TP_CLASS_VARIES, "service rejected" },
    { 0x64, 0x64, true, MESSAGE_UNDELIVERED, TP_CLASS_TRANSIENT, "quality of service not available; given up" },
    { 0x65, 0x65, true, MESSAGE_UNDELIVERED, TP_CLASS_TRANSIENT, "error in the phone; given up" },
    { 0x66, 0x7F, true, MESSAGE_UNDELIVERED, TP_CLASS_TRANSIENT, "temporary error; given up" },
    { 0x80, 0xFF, true, MESSAGE_REJECTED, TP_CLASS_VARIES, "reserved status, taken for service rejected" },
};

const struct tp_status *tp_status_find(uint8_t status)
{
    size_t i = 0;

    while (statuses[i].last < status)
        i++;
    assert(status >= statuses[i].first);
    return &statuses[i];
}

const char *tp_class_name(enum tp_class class)
{
    static const char *const names[] = { [TP_CLASS_NONE] = "", [TP_CLASS_RECIPIENT] = "recipient", [TP_CLASS_TRANSIENT] = "transient",
                                         [TP_CLASS_VARIES] = "varies" };

    return names[class];
}

void tp_status_reason(uint8_t status, char ret_reason[MESSAGE_REASON_MAX])
{
    const struct tp_status *row = tp_status_find(status);

    if (row->class == TP_CLASS_NONE)
        (void)snprintf(ret_reason, MESSAGE_REASON_MAX, "%s", row->words);
    else
        (void)snprintf(ret_reason, MESSAGE_REASON_MAX, "%s (%s)", row->words, tp_class_name(row->class));
}
