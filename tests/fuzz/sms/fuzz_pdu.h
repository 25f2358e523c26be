/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_pdu.h - what must hold for any octets taken for a PDU of one direction. */
#ifndef CELLPOST_TESTS_FUZZ_PDU_H
#define CELLPOST_TESTS_FUZZ_PDU_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/utf8.h"
#include "src/sms/sms_pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static inline void fuzz_check_read(const struct sms_tpdu *tpdu, size_t size)
{
    char text[SMS_TEXT_BYTES_MAX];
    size_t length = tpdu->text_length;

    assert(tpdu->text_length < sizeof tpdu->text && strlen(tpdu->text) == tpdu->text_length);
    assert(strlen(tpdu->smsc) < sizeof tpdu->smsc && strlen(tpdu->address.text) < sizeof tpdu->address.text);
    assert(utf8_is_valid(tpdu->address.text, strlen(tpdu->address.text), NULL));
    assert(tpdu->data_length <= 140 && tpdu->trailing_octets < size && tpdu->tpdu_length < size);
    assert(tpdu->message_class >= -1 && tpdu->message_class <= 3);
    assert(!tpdu->udh.concat || (tpdu->udh.concat_seq >= 1 && tpdu->udh.concat_seq <= tpdu->udh.concat_total));
    memcpy(text, tpdu->text, length);
    length = sms_text_sanitize(text, length);
    assert(utf8_is_valid(text, length, NULL));
}

/* A text that was read can be written, and reads the same again. */
static inline void fuzz_check_written(const struct sms_tpdu *tpdu)
{
    struct sms_submit submit = {
        .to = "+1", .message_class = tpdu->message_class, .alphabet = tpdu->alphabet, .data = tpdu->data,
        .data_length = tpdu->data_length,
    };
    char text[SMS_TEXT_BYTES_MAX];
    uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length;
    struct sms_tpdu again;
    size_t length;

    memcpy(text, tpdu->text, tpdu->text_length);
    submit.text = text;
    submit.text_length = sms_text_sanitize(text, tpdu->text_length);
    if (sms_submit_encode(&submit, pdu, &length, &tpdu_length, NULL) < 0) {
        /* Only national characters and the U+FFFD of unassigned codes are not in the default alphabet; two reserved
         * escapes may have become one space and so never take more room. */
        assert(tpdu->alphabet == SMS_GSM7);
        return;
    }
    assert(sms_pdu_decode(pdu, length, SMS_SUBMIT, &again, NULL) == 0);
    assert(again.text_length == submit.text_length && memcmp(again.text, text, submit.text_length) == 0);
    assert(again.data_length == tpdu->data_length && memcmp(again.data, tpdu->data, tpdu->data_length) == 0);
}

static inline void fuzz_pdu(const uint8_t *octets, size_t size, enum sms_direction direction)
{
    struct sms_tpdu tpdu;
    const char *error = NULL;

    if (sms_pdu_decode(octets, size, direction, &tpdu, &error) < 0) {
        assert(error != NULL);
        return;
    }
    fuzz_check_read(&tpdu, size);
    fuzz_check_written(&tpdu);
}

#endif
