/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_fields.h"

const uint8_t *sms_reader_take(struct sms_reader *reader, size_t count)
{
    const uint8_t *octets = reader->octets + reader->at;

    if (count > reader->length - reader->at)
        return NULL;
    reader->at += count;
    return octets;
}
