/* SPDX-License-Identifier: Apache-2.0
 *
 * The vectors of tests/vectors against the codec, through the JSON of the command line, which has their fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "firmware/cellpost/pdu_json.h"
#include "firmware/cellpost/segments_json.h"
#include "src/base/hex.h"
#include "src/sms/sms_pdu.h"
#include "tests/unit/sms/vectors.h"

/* What a row says about itself and not about the PDU. */
static bool is_remark(const char *key)
{
    static const char *const remarks[] = {
        "id", "category", "source", "pdu_hex", "group", "valid", "why_invalid", "must", "checked_by", "differs",
        "accepted_by", "crashes", "check_note", "note", "trailing_octets",
    };

    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++) {
        if (strcmp(key, remarks[i]) == 0)
            return true;
    }
    return false;
}

static bool is_valid(const json_t *row)
{
    return json_is_true(json_object_get(row, "valid"));
}

static int decode_row(const json_t *row, struct sms_tpdu *ret_tpdu, const char **ret_error)
{
    const char *hex = vectors_string(row, "pdu_hex");

    return sms_pdu_decode_hex(hex, strlen(hex), (enum sms_direction)vectors_direction(row), ret_tpdu, ret_error);
}

static void every_valid_pdu_reads_as_recorded(void **state)
{
    json_t *rows = vectors_load("pdu.jsonl"), *row, *value;
    size_t index, checked = 0;
    const char *key;

    (void)state;
    json_array_foreach(rows, index, row) {
        const char *id = vectors_string(row, "id"), *error = NULL;
        struct sms_tpdu tpdu;
        json_t *read;

        if (!is_valid(row))
            continue;
        if (decode_row(row, &tpdu, &error) != 0)
            fail_msg("%s: %s", id, error);
        read = pdu_json(&tpdu);
        json_object_foreach(row, key, value) {
            if (!is_remark(key) && !json_equal(value, json_object_get(read, key)))
                fail_msg("%s: %s is %s", id, key, json_dumps(json_object_get(read, key), JSON_ENCODE_ANY));
        }
        json_object_foreach(read, key, value) {
            if (json_object_get(row, key) == NULL)
                fail_msg("%s: %s is not in the row", id, key);
        }
        json_decref(read);
        checked++;
    }
    assert_true(checked > 200);
    json_decref(rows);
}

static void every_malformed_pdu_is_refused_or_loses_its_header(void **state)
{
    json_t *rows = vectors_load("pdu.jsonl"), *row;
    size_t index, refused = 0;

    (void)state;
    json_array_foreach(rows, index, row) {
        const char *id = vectors_string(row, "id"), *must = vectors_string(row, "must"), *error = NULL;
        struct sms_tpdu tpdu, untouched;

        if (is_valid(row))
            continue;
        memset(&tpdu, 0xA5, sizeof tpdu);
        memset(&untouched, 0xA5, sizeof untouched);
        if (decode_row(row, &tpdu, &error) < 0) {
            assert_memory_equal(&tpdu, &untouched, sizeof tpdu);
            assert_non_null(error);
            refused++;
        } else if (strcmp(must, "reject") == 0) {
            fail_msg("%s was taken", id);
        } else if (strcmp(must, "reject-or-ignore-udh") == 0) {
            json_t *read = pdu_json(&tpdu);

            if (json_object_size(json_object_get(read, "udh")) != 0)
                fail_msg("%s: a header that contradicts itself was used", id);
            json_decref(read);
        }
    }
    assert_true(refused > 30);
    json_decref(rows);
}

static void every_shortened_pdu_is_refused_without_reading_past_its_end(void **state)
{
    json_t *rows = vectors_load("pdu.jsonl"), *row;
    size_t index;

    (void)state;
    json_array_foreach(rows, index, row) {
        const char *hex = vectors_string(row, "pdu_hex");
        uint8_t pdu[256];
        int length = hex_decode(hex, strlen(hex), pdu, sizeof pdu);
        struct sms_tpdu whole;

        for (int shorter = 0; shorter < length; shorter++) {
            uint8_t *copy = malloc(shorter > 0 ? (size_t)shorter : 1);   /* ends where the sanitizer watches */
            enum sms_direction direction = (enum sms_direction)vectors_direction(row);
            struct sms_tpdu tpdu;
            int r;

            memcpy(copy, pdu, (size_t)shorter);
            r = sms_pdu_decode(copy, (size_t)shorter, direction, &tpdu, NULL);
            /* Only a report that ends behind its status is whole again: TP-PI is optional. */
            if (is_valid(row) && r == 0 &&
                (direction != SMS_STATUS_REPORT || decode_row(row, &whole, NULL) < 0 || tpdu.status != whole.status ||
                 tpdu.trailing_octets != 0 || tpdu.has_user_data))
                fail_msg("%s: taken with %d of %d octets", vectors_string(row, "id"), shorter, length);
            for (int other = SMS_DELIVER; other <= SMS_STATUS_REPORT; other++)
                (void)sms_pdu_decode(copy, (size_t)shorter, (enum sms_direction)other, &tpdu, NULL);
            free(copy);
        }
    }
    json_decref(rows);
}

static struct sms_submit submit_of(const struct sms_tpdu *tpdu)
{
    return (struct sms_submit){
        .smsc = tpdu->smsc[0] != '\0' ? tpdu->smsc : NULL, .to = tpdu->address.text, .mr = tpdu->mr,
        .status_report = tpdu->status_report, .reject_duplicates = tpdu->reject_duplicates,
        .reply_path = tpdu->reply_path, .pid = tpdu->pid, .message_class = tpdu->message_class,
        .alphabet = tpdu->alphabet, .vp_format = tpdu->vp_format, .vp_raw = tpdu->vp_raw, .vp_time = tpdu->vp_time,
        .concat = tpdu->udh.concat, .concat_ref = tpdu->udh.concat_ref, .concat_ref_bits = tpdu->udh.concat_ref_bits,
        .concat_total = tpdu->udh.concat_total, .concat_seq = tpdu->udh.concat_seq, .port_bits = tpdu->udh.port_bits,
        .port_dst = tpdu->udh.port_dst, .port_src = tpdu->udh.port_src, .locking = tpdu->udh.locking,
        .single = tpdu->udh.single, .text = tpdu->text, .text_length = tpdu->text_length, .data = tpdu->data,
        .data_length = tpdu->data_length,
    };
}

/* What cannot: a header without elements or with unknown ones, a number of another type, a second way to write the same
 * coding, an SMSC address of no digits. */
static bool can_be_expressed(const struct sms_tpdu *tpdu, const char *hex)
{
    static const uint8_t plain[] = { [SMS_GSM7] = 0x00, [SMS_8BIT] = 0x04, [SMS_UCS2] = 0x08 };
    static const uint8_t with_class[] = { [SMS_GSM7] = 0x10, [SMS_8BIT] = 0xF4, [SMS_UCS2] = 0x18 };
    const struct sms_udh *udh = &tpdu->udh;
    bool has_element = udh->concat || udh->port_bits != 0 || udh->single != 0 || udh->locking != 0;
    uint8_t dcs = tpdu->message_class < 0 ? plain[tpdu->alphabet]
                                          : (uint8_t)(with_class[tpdu->alphabet] | tpdu->message_class);

    return (tpdu->address.type == 0x91 || tpdu->address.type == 0x81) && udh->other_count == 0 &&
           udh->present == has_element && tpdu->dcs == dcs && tpdu->vp_format != SMS_VP_ENHANCED &&
           (tpdu->smsc[0] != '\0' || strncmp(hex, "00", 2) == 0);
}

static void every_submit_that_can_be_expressed_is_written_octet_for_octet(void **state)
{
    json_t *rows = vectors_load("pdu.jsonl"), *row;
    size_t index, written = 0, left = 0;

    (void)state;
    json_array_foreach(rows, index, row) {
        const char *error = "other octets";
        uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length = 0;
        char hex[2 * SMS_PDU_BYTES_MAX + 1] = "";
        struct sms_tpdu tpdu;
        struct sms_submit submit;
        size_t length = 0;

        if (!is_valid(row) || vectors_direction(row) != SMS_SUBMIT)
            continue;
        assert_int_equal(decode_row(row, &tpdu, NULL), 0);
        if (!can_be_expressed(&tpdu, vectors_string(row, "pdu_hex"))) {
            left++;
            continue;
        }
        submit = submit_of(&tpdu);
        if (sms_submit_encode(&submit, pdu, &length, &tpdu_length, &error) == 0)
            hex_encode(pdu, length, hex);
        if (strcmp(hex, vectors_string(row, "pdu_hex")) != 0)
            fail_msg("%s: %s: %s", vectors_string(row, "id"), error, hex);
        assert_int_equal(tpdu_length, json_integer_value(json_object_get(row, "tpdu_length")));
        written++;
    }
    print_message("%zu submits written as they were, %zu cannot be expressed\n", written, left);
    assert_true(written >= 85);
    json_decref(rows);
}

/* The recorded list may leave out its middle: [153, 153, "...", 1]. */
static bool parts_agree(const json_t *recorded, const json_t *parts)
{
    size_t count = json_array_size(parts), recorded_count = json_array_size(recorded), gap = recorded_count;

    for (size_t i = 0; i < recorded_count; i++) {
        if (json_is_string(json_array_get(recorded, i)))
            gap = i;
    }
    if (gap == recorded_count && count != recorded_count)
        return false;
    for (size_t i = 0; i < recorded_count; i++) {
        size_t at = i <= gap ? i : count - (recorded_count - i);

        if (i != gap && !json_equal(json_array_get(recorded, i), json_array_get(parts, at)))
            return false;
    }
    return count > 0;
}

static char *text_of(const json_t *row, size_t *ret_length)
{
    const json_t *repeat = json_object_get(row, "text_repeat"), *once = json_object_get(row, "text");
    size_t times = 1, length;
    char *text;

    if (json_is_array(repeat)) {
        once = json_array_get(repeat, 0);
        times = (size_t)json_integer_value(json_array_get(repeat, 1));
    }
    length = json_string_length(once);
    text = malloc(length * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * length, json_string_value(once), length);
    *ret_length = length * times;
    return text;
}

static void every_text_divides_as_recorded(void **state)
{
    static const char *const exact[] = { "alphabet", "units", "segments", "segments_ref16" };
    static const char *const lists[] = { "parts", "parts_ref16" };
    json_t *rows = vectors_load("segments.jsonl"), *row;
    size_t index;

    (void)state;
    json_array_foreach(rows, index, row) {
        const char *id = vectors_string(row, "id");
        const struct sms_split_options options = { 0 };
        struct segments segments;
        size_t length;
        char *text = text_of(row, &length);
        json_t *read;

        assert_int_equal(segments_plan(text, length, &options, &segments, NULL, NULL), 0);
        read = segments_json(&segments, false);
        for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
            if (!json_equal(json_object_get(row, exact[i]), json_object_get(read, exact[i])))
                fail_msg("%s: %s", id, exact[i]);
        }
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
            if (!parts_agree(json_object_get(row, lists[i]), json_object_get(read, lists[i])))
                fail_msg("%s: %s is %s", id, lists[i], json_dumps(json_object_get(read, lists[i]), 0));
        }
        assert_int_equal(json_is_true(json_object_get(read, "too_long")), json_is_true(json_object_get(row, "too_long")));
        json_decref(read);
        segments_done(&segments);
        free(text);
    }
    json_decref(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_valid_pdu_reads_as_recorded),
        cmocka_unit_test(every_malformed_pdu_is_refused_or_loses_its_header),
        cmocka_unit_test(every_shortened_pdu_is_refused_without_reading_past_its_end),
        cmocka_unit_test(every_submit_that_can_be_expressed_is_written_octet_for_octet),
        cmocka_unit_test(every_text_divides_as_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
