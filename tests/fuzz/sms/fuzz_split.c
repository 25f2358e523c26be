/* SPDX-License-Identifier: Apache-2.0
 *
 * The first four octets choose the options, the rest is the text. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "src/base/utf8.h"
#include "tests/unit/sms/split_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    static const uint8_t port_bits[] = { 0, 8, 16, 0 };
    struct sms_split_options options, plain;
    struct sms_split split;
    const char *text, *error = NULL;
    size_t length;
    uint32_t at = 0;
    int r;

    if (size < 4)
        return 0;
    options = (struct sms_split_options){
        .encoding = (enum sms_encoding)(octets[0] % 3), .downgrade = octets[0] & 0x40, .ref16 = octets[0] & 0x80,
        .national = (uint16_t)(octets[1] << 8 | octets[2]), .port_bits = port_bits[octets[3] & 3],
    };
    text = (const char *)octets + 4;
    length = size - 4;
    r = sms_split(text, length, &options, &split, &at, &error);
    if (r < 0) {
        assert(error != NULL && split.parts == NULL && split.text == NULL);
        assert((r == -EILSEQ) == !utf8_is_valid(text, length, NULL));
        assert(r == -E2BIG ? at > SMS_PARTS_MAX : at < length);
        assert(r != -E2BIG || sms_split_count(text, length, &options) == at);
        return 0;
    }
    assert(split_check(&split, &options) == NULL);
    assert(sms_split_count(text, length, &options) == split.count);

    /* What may be used in addition never makes a message dearer. */
    plain = options;
    plain.national = 0;
    plain.downgrade = false;
    at = sms_split_count(text, length, &plain);
    assert(at == 0 ? options.encoding == SMS_ENCODING_GSM7 : split.count <= at);
    sms_split_done(&split);
    return 0;
}
