/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_gsm7.h"

#include "src/base/utf8.h"
#include "src/sms/sms_tables.h"

#include <stdbool.h>

/* The first place of a character in the ordered list, or the end of the list. */
static size_t first_place(uint32_t code_point)
{
    size_t low = 0, high = sms_tables_place_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (sms_tables_places[middle].code_point < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct sms_gsm7_tables sms_gsm7_find(uint32_t code_point)
{
    struct sms_gsm7_tables found = { 0 };

    for (size_t i = first_place(code_point);
         i < sms_tables_place_count && sms_tables_places[i].code_point == code_point; i++) {
        uint8_t table = sms_tables_places[i].table;

        if (table & 0x10)
            found.single |= (uint16_t)(1u << (table & 0x0F));
        else
            found.locking |= (uint16_t)(1u << table);
    }
    return found;
}

size_t sms_gsm7_encode(uint32_t code_point, uint8_t locking, uint8_t single, uint8_t ret_septets[2])
{
    const struct sms_tables_place *shifted = NULL;

    for (size_t i = first_place(code_point);
         i < sms_tables_place_count && sms_tables_places[i].code_point == code_point; i++) {
        const struct sms_tables_place *place = &sms_tables_places[i];

        if (place->table == locking) {
            ret_septets[0] = place->code;
            return 1;
        }
        if (place->table == (single | 0x10))
            shifted = place;
    }
    if (shifted == NULL)
        return 0;
    ret_septets[0] = SMS_ESCAPE;
    ret_septets[1] = shifted->code;
    return 2;
}

size_t sms_gsm7_decode(const uint8_t *septets, size_t count, uint8_t locking, uint8_t single, char *ret_text)
{
    bool has_locking = locking < SMS_LANGUAGES && (SMS_LANGUAGES_LOCKING >> locking & 1);
    const uint16_t *base = sms_tables_locking[has_locking ? locking : 0];
    const uint16_t *shift = sms_tables_single[single < SMS_LANGUAGES ? single : 0];
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t code_point;

        if (septets[i] != SMS_ESCAPE) {
            code_point = base[septets[i]];
        } else if (i + 1 == count || septets[i + 1] == SMS_ESCAPE) {
            code_point = ' ';
            i++;
        } else {
            i++;
            code_point = shift[septets[i]];
            if (code_point == 0)
                code_point = base[septets[i]];
        }
        length += utf8_put(code_point != 0 ? code_point : UTF8_REPLACEMENT, ret_text + length);
    }
    return length;
}

void sms_gsm7_pack(const uint8_t *septets, size_t count, size_t bit_offset, uint8_t *ret_octets)
{
    for (size_t i = 0, bit = bit_offset; i < count; i++, bit += 7) {
        ret_octets[bit / 8] |= (uint8_t)(septets[i] << bit % 8);
        if (bit % 8 > 1)
            ret_octets[bit / 8 + 1] |= (uint8_t)(septets[i] >> (8 - bit % 8));
    }
}

void sms_gsm7_unpack(const uint8_t *octets, size_t bit_offset, size_t count, uint8_t *ret_septets)
{
    for (size_t i = 0, bit = bit_offset; i < count; i++, bit += 7) {
        unsigned window = octets[bit / 8];

        if (bit % 8 > 1)
            window |= (unsigned)octets[bit / 8 + 1] << 8;
        ret_septets[i] = (uint8_t)(window >> bit % 8 & 0x7F);
    }
}
