/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_fields.h"

#include <errno.h>
#include <string.h>

/* TS 23.040 9.2.3.24 */
enum {
    IEI_CONCAT_8 = 0x00, IEI_PORTS_8 = 0x04, IEI_PORTS_16 = 0x05, IEI_CONCAT_16 = 0x08,
    IEI_NATIONAL_SINGLE = 0x24, IEI_NATIONAL_LOCKING = 0x25,
};

/* 9.2.3.24.1: a total of 0, a number of 0 or above the total: the whole element is ignored. */
static void take_concat(struct sms_udh *udh, uint16_t ref, uint8_t ref_bits, uint8_t total, uint8_t seq)
{
    if (total == 0 || seq == 0 || seq > total)
        return;
    udh->concat = true;
    udh->concat_ref = ref;
    udh->concat_ref_bits = ref_bits;
    udh->concat_total = total;
    udh->concat_seq = seq;
}

static void take_concat_8(struct sms_udh *udh, const uint8_t *octets)
{
    take_concat(udh, octets[0], 8, octets[1], octets[2]);
}

static void take_concat_16(struct sms_udh *udh, const uint8_t *octets)
{
    take_concat(udh, (uint16_t)(octets[0] << 8 | octets[1]), 16, octets[2], octets[3]);
}

static void take_ports_8(struct sms_udh *udh, const uint8_t *octets)
{
    udh->port_bits = 8;
    udh->port_dst = octets[0];
    udh->port_src = octets[1];
}

static void take_ports_16(struct sms_udh *udh, const uint8_t *octets)
{
    udh->port_bits = 16;
    udh->port_dst = (uint16_t)(octets[0] << 8 | octets[1]);
    udh->port_src = (uint16_t)(octets[2] << 8 | octets[3]);
}

static void take_national_single(struct sms_udh *udh, const uint8_t *octets)
{
    udh->single_present = true;
    udh->single = octets[0];
}

static void take_national_locking(struct sms_udh *udh, const uint8_t *octets)
{
    udh->locking_present = true;
    udh->locking = octets[0];
}

/* An element that comes twice, or in both widths: the last one counts (9.2.3.24). */
static const struct udh_element {
    uint8_t iei, length;
    void (*take)(struct sms_udh *udh, const uint8_t *octets);
} elements[] = {
    { IEI_CONCAT_8,         3, take_concat_8 },
    { IEI_CONCAT_16,        4, take_concat_16 },
    { IEI_PORTS_8,          2, take_ports_8 },
    { IEI_PORTS_16,         4, take_ports_16 },
    { IEI_NATIONAL_SINGLE,  1, take_national_single },
    { IEI_NATIONAL_LOCKING, 1, take_national_locking },
};

static const struct udh_element *find_element(uint8_t iei)
{
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        if (elements[i].iei == iei)
            return &elements[i];
    }
    return NULL;
}

static void keep_other(struct sms_udh *udh, uint8_t iei, uint8_t length, const uint8_t *octets)
{
    if (udh->other_count < sizeof udh->other / sizeof udh->other[0]) {
        udh->other[udh->other_count].iei = iei;
        udh->other[udh->other_count].length = length;
        memcpy(udh->other[udh->other_count].data, octets, length);
    }
    udh->other_count++;   /* 139 octets hold at most 69 elements */
}

int sms_udh_read(const uint8_t *octets, size_t length, struct sms_udh *ret_udh)
{
    struct sms_reader reader = { .octets = octets, .length = length };
    struct sms_udh udh = { .present = true };

    *ret_udh = udh;
    while (reader.at < reader.length) {
        const uint8_t *head = sms_reader_take(&reader, 2);
        const uint8_t *value = head == NULL ? NULL : sms_reader_take(&reader, head[1]);
        const struct udh_element *element;

        if (value == NULL)
            return -EINVAL;
        element = find_element(head[0]);
        if (element == NULL)
            keep_other(&udh, head[0], head[1], value);
        else if (element->length != head[1])
            return -EINVAL;
        else
            element->take(&udh, value);
    }
    *ret_udh = udh;
    return 0;
}

size_t sms_udh_write(const struct sms_submit *submit, uint8_t ret_octets[SMS_UDH_WRITE_OCTETS_MAX])
{
    uint8_t *at = ret_octets + 1;

    if (submit->concat && submit->concat_ref_bits == 16) {
        *at++ = IEI_CONCAT_16;
        *at++ = 4;
        *at++ = (uint8_t)(submit->concat_ref >> 8);
    } else if (submit->concat) {
        *at++ = IEI_CONCAT_8;
        *at++ = 3;
    }
    if (submit->concat) {
        *at++ = (uint8_t)submit->concat_ref;
        *at++ = submit->concat_total;
        *at++ = submit->concat_seq;
    }
    if (submit->port_bits == 16) {
        *at++ = IEI_PORTS_16;
        *at++ = 4;
        *at++ = (uint8_t)(submit->port_dst >> 8);
        *at++ = (uint8_t)submit->port_dst;
        *at++ = (uint8_t)(submit->port_src >> 8);
        *at++ = (uint8_t)submit->port_src;
    } else if (submit->port_bits == 8) {
        *at++ = IEI_PORTS_8;
        *at++ = 2;
        *at++ = (uint8_t)submit->port_dst;
        *at++ = (uint8_t)submit->port_src;
    }
    if (submit->single != 0) {
        *at++ = IEI_NATIONAL_SINGLE;
        *at++ = 1;
        *at++ = submit->single;
    }
    if (submit->locking != 0) {
        *at++ = IEI_NATIONAL_LOCKING;
        *at++ = 1;
        *at++ = submit->locking;
    }
    if (at == ret_octets + 1)
        return 0;
    ret_octets[0] = (uint8_t)(at - ret_octets - 1);
    return (size_t)(at - ret_octets);
}
