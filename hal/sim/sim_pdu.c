/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_pdu.h"

#include "src/sms/sms_pdu.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* First octets, TS 23.040 9.2.3: MTI in bits 1-0. */
enum { MTI_MASK = 0x03, MTI_SUBMIT = 0x01, MTI_REPORT = 0x02, NO_MORE = 0x04, UDHI = 0x40, REPLY_PATH = 0x80 };

int sim_pdu_submit_layout(const uint8_t *tpdu, size_t length, struct sim_submit_layout *ret_layout)
{
    /* Octets of TP-VP by the two bits of TP-VPF (9.2.3.3): none, enhanced, relative, absolute. */
    static const uint8_t vp_octets[4] = { 0, 7, 1, 7 };
    struct sim_submit_layout layout = { .address_at = 2 };

    if (length < 4 || (tpdu[0] & MTI_MASK) != MTI_SUBMIT || tpdu[2] > 20)
        return -EINVAL;
    layout.address_octets = 2 + ((size_t)tpdu[2] + 1) / 2;
    layout.pid_at = layout.address_at + layout.address_octets;
    layout.user_at = layout.pid_at + 2 + vp_octets[tpdu[0] >> 3 & 3];
    if (layout.user_at >= length)
        return -EINVAL;
    *ret_layout = layout;
    return 0;
}

static uint8_t semi_octets(unsigned value)
{
    return (uint8_t)(value / 10 % 10 | (value % 10) << 4);
}

/* TP-SCTS, 9.2.3.11, in UTC. */
static void put_time(uint8_t ret_octets[7], int64_t unix_s)
{
    struct sms_time time = sms_time_from_unix_s(unix_s, 0);

    ret_octets[0] = semi_octets(time.year % 100u);
    ret_octets[1] = semi_octets(time.month);
    ret_octets[2] = semi_octets(time.day);
    ret_octets[3] = semi_octets(time.hour);
    ret_octets[4] = semi_octets(time.minute);
    ret_octets[5] = semi_octets(time.second);
    ret_octets[6] = 0;
}

static size_t put_digits(const char *digits, size_t count, uint8_t *ret_octets)
{
    for (size_t i = 0; i < count; i += 2) {
        uint8_t low = (uint8_t)(digits[i] - '0');
        uint8_t high = i + 1 < count ? (uint8_t)(digits[i + 1] - '0') : 0x0F;

        ret_octets[i / 2] = (uint8_t)(high << 4 | low);
    }
    return (count + 1) / 2;
}

/* 9.1.2.5. Letters and digits stand in the default alphabet where they stand in ASCII, and no others are let in. */
static int put_address(const char *text, uint8_t ret_octets[12], size_t *ret_length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .-+&";
    bool international = text[0] == '+';
    const char *digits = international ? text + 1 : text;
    size_t count = strlen(digits);

    if (count > 0 && count <= 20 && strspn(digits, "0123456789") == count) {
        ret_octets[0] = (uint8_t)count;
        ret_octets[1] = international ? 0x91 : 0x81;
        *ret_length = 2 + put_digits(digits, count, ret_octets + 2);
        return 0;
    }
    count = strlen(text);
    if (count == 0 || count > 11 || strspn(text, letters) != count)
        return -EINVAL;
    memset(ret_octets, 0, 12);
    ret_octets[0] = (uint8_t)((count * 7 + 3) / 4);
    ret_octets[1] = 0xD0;
    for (size_t i = 0; i < count; i++) {
        size_t bit = i * 7;
        unsigned shifted = (unsigned)(uint8_t)text[i] << bit % 8;

        ret_octets[2 + bit / 8] |= (uint8_t)shifted;
        if (bit % 8 > 1)
            ret_octets[3 + bit / 8] |= (uint8_t)(shifted >> 8);
    }
    *ret_length = 2 + (count * 7 + 7) / 8;
    return 0;
}

int sim_pdu_deliver_from_submit(const uint8_t *submit, size_t length, const char *from, int64_t unix_s,
                                uint8_t ret_tpdu[SIM_TPDU_BYTES_MAX], size_t *ret_length)
{
    struct sim_submit_layout layout;
    uint8_t address[12];
    size_t address_length, at = 0, user;
    int r = sim_pdu_submit_layout(submit, length, &layout);

    if (r < 0)
        return r;
    r = put_address(from, address, &address_length);
    if (r < 0)
        return r;
    user = length - layout.user_at;
    if (1 + address_length + 2 + 7 + user > SIM_TPDU_BYTES_MAX)
        return -EMSGSIZE;
    ret_tpdu[at++] = (uint8_t)(NO_MORE | (submit[0] & (UDHI | REPLY_PATH)));
    memcpy(ret_tpdu + at, address, address_length);
    at += address_length;
    ret_tpdu[at++] = submit[layout.pid_at];
    ret_tpdu[at++] = submit[layout.pid_at + 1];
    put_time(ret_tpdu + at, unix_s);
    at += 7;
    memcpy(ret_tpdu + at, submit + layout.user_at, user);
    *ret_length = at + user;
    return 0;
}

int sim_pdu_report_from_submit(const uint8_t *submit, size_t length, uint8_t mr, int64_t submitted_s, int64_t discharged_s,
                               uint8_t status, uint8_t ret_tpdu[SIM_TPDU_BYTES_MAX], size_t *ret_length)
{
    struct sim_submit_layout layout;
    size_t at = 0;
    int r = sim_pdu_submit_layout(submit, length, &layout);

    if (r < 0)
        return r;
    ret_tpdu[at++] = NO_MORE | MTI_REPORT;
    ret_tpdu[at++] = mr;
    memcpy(ret_tpdu + at, submit + layout.address_at, layout.address_octets);
    at += layout.address_octets;
    put_time(ret_tpdu + at, submitted_s);
    put_time(ret_tpdu + at + 7, discharged_s);
    ret_tpdu[at + 14] = status;
    *ret_length = at + 15;
    return 0;
}

void sim_pdu_report_discharge(uint8_t *report, size_t length, int64_t discharged_s)
{
    assert(length > 8);
    put_time(report + length - 8, discharged_s);
}

size_t sim_pdu_smsc(const char *smsc, uint8_t ret_octets[12])
{
    bool international = smsc[0] == '+';
    const char *digits = international ? smsc + 1 : smsc;
    size_t count = strlen(digits);

    ret_octets[0] = 0;
    if (count == 0 || count > 20 || strspn(digits, "0123456789") != count)
        return 1;
    ret_octets[1] = international ? 0x91 : 0x81;
    ret_octets[0] = (uint8_t)(1 + put_digits(digits, count, ret_octets + 2));
    return 1 + (size_t)ret_octets[0];
}
