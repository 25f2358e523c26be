/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/base/hex.h"
#include "src/sms/sms_pdu.h"

/* The least a submit needs. */
static struct sms_submit minimal(const char *text)
{
    return (struct sms_submit){
        .to = "+40722123456", .message_class = -1, .alphabet = SMS_GSM7, .text = text, .text_length = strlen(text),
    };
}

static struct sms_tpdu written_and_read(const struct sms_submit *submit)
{
    uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length = 0;
    struct sms_tpdu tpdu;
    const char *error = NULL;
    size_t length = 0;

    if (sms_submit_encode(submit, pdu, &length, &tpdu_length, &error) != 0 ||
        sms_pdu_decode(pdu, length, SMS_SUBMIT, &tpdu, &error) != 0)
        fail_msg("%s", error);
    assert_int_equal(tpdu.tpdu_length, tpdu_length);
    assert_int_equal(tpdu.trailing_octets, 0);
    return tpdu;
}

static void expect_hex(const struct sms_submit *submit, const char *expected)
{
    uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length;
    char hex[2 * SMS_PDU_BYTES_MAX + 1];
    size_t length = 0;

    assert_int_equal(sms_submit_encode(submit, pdu, &length, &tpdu_length, NULL), 0);
    hex_encode(pdu, length, hex);
    assert_string_equal(hex, expected);
}

static void expect_refused(const struct sms_submit *submit, int expected)
{
    uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length = 0;
    const char *error = NULL;
    size_t length = 0;

    assert_int_equal(sms_submit_encode(submit, pdu, &length, &tpdu_length, &error), expected);
    assert_non_null(error);
    assert_int_equal(length, 0);
}

static void flags_stand_in_the_first_octet(void **state)
{
    struct sms_submit submit = minimal("x");

    (void)state;
    expect_hex(&submit, "0001000B910427123254F600000178");
    submit.status_report = true;
    expect_hex(&submit, "0021000B910427123254F600000178");
    submit.reject_duplicates = true;
    expect_hex(&submit, "0025000B910427123254F600000178");
    submit.reply_path = true;
    submit.mr = 255;
    submit.pid = 0x41;
    expect_hex(&submit, "00A5FF0B910427123254F641000178");
}

static void a_relative_validity_is_one_octet(void **state)
{
    struct sms_submit submit = minimal("x");

    (void)state;
    submit.vp_format = SMS_VP_RELATIVE;
    submit.vp_raw = 0xA7;
    expect_hex(&submit, "0011000B910427123254F60000A70178");
}

static void an_absolute_validity_is_a_time_stamp(void **state)
{
    struct sms_submit submit = minimal("x");
    struct sms_tpdu tpdu;

    (void)state;
    submit.vp_format = SMS_VP_ABSOLUTE;
    submit.vp_time = sms_time_from_unix_s(1798761599, -12);
    expect_hex(&submit, "0019000B910427123254F60000622113029595290178");
    tpdu = written_and_read(&submit);
    assert_int_equal(sms_time_to_unix_s(&tpdu.vp_time), 1798761599);
    submit.vp_time.month = 13;
    expect_refused(&submit, -EINVAL);
}

static void every_class_is_read_back_in_every_alphabet(void **state)
{
    (void)state;
    for (int message_class = -1; message_class <= 3; message_class++) {
        for (int alphabet = SMS_GSM7; alphabet <= SMS_UCS2; alphabet++) {
            struct sms_submit submit = minimal("x");
            struct sms_tpdu tpdu;

            submit.message_class = (int8_t)message_class;
            submit.alphabet = (enum sms_alphabet)alphabet;
            submit.data = (const uint8_t *)"\0\xFF";
            submit.data_length = 2;
            tpdu = written_and_read(&submit);
            assert_int_equal(tpdu.message_class, message_class);
            assert_int_equal(tpdu.alphabet, alphabet);
            if (alphabet == SMS_8BIT)
                assert_memory_equal(tpdu.data, "\0\xFF", 2);
            else
                assert_string_equal(tpdu.text, "x");
        }
    }
}

static void a_flash_message_has_class_zero(void **state)
{
    struct sms_submit submit = minimal("x");

    (void)state;
    submit.message_class = 0;
    expect_hex(&submit, "0001000B910427123254F600100178");
}

static void all_header_elements_are_read_back(void **state)
{
    struct sms_submit submit = minimal("x");
    struct sms_tpdu tpdu;

    (void)state;
    submit.concat = true;
    submit.concat_ref = 0xBEEF;
    submit.concat_ref_bits = 16;
    submit.concat_total = 255;
    submit.concat_seq = 200;
    submit.port_bits = 16;
    submit.port_dst = 2948;
    submit.port_src = 9200;
    submit.single = 2;
    submit.locking = 1;
    tpdu = written_and_read(&submit);
    assert_true(tpdu.udh.concat);
    assert_int_equal(tpdu.udh.concat_ref, 0xBEEF);
    assert_int_equal(tpdu.udh.concat_ref_bits, 16);
    assert_int_equal(tpdu.udh.concat_total, 255);
    assert_int_equal(tpdu.udh.concat_seq, 200);
    assert_int_equal(tpdu.udh.port_bits, 16);
    assert_int_equal(tpdu.udh.port_dst, 2948);
    assert_int_equal(tpdu.udh.port_src, 9200);
    assert_int_equal(tpdu.udh.single, 2);
    assert_int_equal(tpdu.udh.locking, 1);
    assert_string_equal(tpdu.text, "x");
}

static void a_part_holds_160_septets_70_units_or_140_octets_and_not_one_more(void **state)
{
    char text[200] = "";
    uint8_t data[141] = { 0 };
    struct sms_submit submit = minimal(text);

    (void)state;
    memset(text, '@', sizeof text);   /* septet 0: the last one is no padding */
    submit.text_length = 160;
    assert_int_equal(written_and_read(&submit).text_length, 160);
    submit.text_length = 161;
    expect_refused(&submit, -EMSGSIZE);
    submit.alphabet = SMS_UCS2;
    submit.text_length = 70;
    assert_int_equal(written_and_read(&submit).text_length, 70);
    submit.text_length = 71;
    expect_refused(&submit, -EMSGSIZE);
    submit.alphabet = SMS_8BIT;
    submit.data = data;
    submit.data_length = 140;
    assert_int_equal(written_and_read(&submit).data_length, 140);
    submit.data_length = 141;
    expect_refused(&submit, -EMSGSIZE);
    /* With a header of 6 octets. */
    submit.concat = true;
    submit.concat_ref_bits = 8;
    submit.concat_total = submit.concat_seq = 1;
    submit.data_length = 135;
    expect_refused(&submit, -EMSGSIZE);
    submit.alphabet = SMS_GSM7;
    submit.text_length = 153;
    assert_int_equal(written_and_read(&submit).text_length, 153);
    submit.text_length = 154;
    expect_refused(&submit, -EMSGSIZE);
}

static void a_pair_or_an_extension_that_fits_only_in_half_is_refused(void **state)
{
    char text[260] = "";
    struct sms_submit submit = minimal(text);

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text + 159, "\xE2\x82\xAC", 3);
    submit.text_length = 162;
    expect_refused(&submit, -EMSGSIZE);
    memset(text, 'a', sizeof text);
    memcpy(text + 69, "\xF0\x9F\x98\x80", 4);
    submit.alphabet = SMS_UCS2;
    submit.text_length = 73;
    expect_refused(&submit, -EMSGSIZE);
}

static void numbers_of_one_to_twenty_digits_are_written(void **state)
{
    static const char *const numbers[] = {
        "1", "12", "+1", "*100#", "00407221234567890123", "+12345678901234567890", "12345678901234567890",
    };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sms_submit submit = minimal("x");
        struct sms_tpdu tpdu;

        submit.to = submit.smsc = numbers[i];
        tpdu = written_and_read(&submit);
        assert_string_equal(tpdu.address.text, numbers[i]);
        assert_string_equal(tpdu.smsc, numbers[i]);
        assert_int_equal(tpdu.address.type, numbers[i][0] == '+' ? 0x91 : 0x81);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const wrong[] = {
        "", "+", "++1", "123456789012345678901", "+4072 2", "12-3", "abc", "1\r\n", "+1;", "\x1a", "1a",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sms_submit submit = minimal("x");

        submit.to = wrong[i];
        expect_refused(&submit, -EINVAL);
        submit.to = "1";
        submit.smsc = wrong[i];
        expect_refused(&submit, -EINVAL);
    }
}

static void fields_that_cannot_be_written_are_refused(void **state)
{
    static const struct sms_submit wrong[] = {
        { .message_class = 4 },
        { .message_class = -2 },
        { .message_class = -1, .concat = true, .concat_ref_bits = 8, .concat_total = 2, .concat_seq = 0 },
        { .message_class = -1, .concat = true, .concat_ref_bits = 8, .concat_total = 2, .concat_seq = 3 },
        { .message_class = -1, .concat = true, .concat_ref_bits = 7, .concat_total = 2, .concat_seq = 1 },
        { .message_class = -1, .concat = true, .concat_ref_bits = 8, .concat_ref = 256, .concat_total = 2, .concat_seq = 1 },
        { .message_class = -1, .port_bits = 8, .port_dst = 256 },
        { .message_class = -1, .port_bits = 8, .port_src = 256 },
        { .message_class = -1, .port_bits = 4 },
        { .message_class = -1, .locking = 2 },               /* Spanish has no locking table */
        { .message_class = -1, .locking = 14 },
        { .message_class = -1, .single = 14 },
        { .message_class = -1, .single = 1, .alphabet = SMS_UCS2 },
        { .message_class = -1, .vp_format = SMS_VP_ENHANCED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sms_submit submit = wrong[i];

        submit.to = "+1";
        submit.text = "x";
        submit.text_length = 1;
        expect_refused(&submit, -EINVAL);
    }
}

static void text_outside_the_alphabet_is_refused(void **state)
{
    struct sms_submit submit = minimal("\xD1\x8F");

    (void)state;
    expect_refused(&submit, -EINVAL);
    submit = minimal("\xC3");
    expect_refused(&submit, -EINVAL);
    submit.alphabet = SMS_UCS2;
    expect_refused(&submit, -EINVAL);
    submit = minimal("\xED\xA0\x80");
    submit.alphabet = SMS_UCS2;
    expect_refused(&submit, -EINVAL);
}

static struct sms_tpdu read_hex(const char *hex, enum sms_direction direction)
{
    struct sms_tpdu tpdu;
    const char *error = NULL;

    if (sms_pdu_decode_hex(hex, strlen(hex), direction, &tpdu, &error) != 0)
        fail_msg("%s: %s", hex, error);
    return tpdu;
}

static void the_last_of_repeated_header_elements_counts(void **state)
{
    /* Concatenation with 8 bits, then with 16. */
    struct sms_tpdu tpdu = read_hex("0041000B910427123254F6000411" "0B" "0003050201" "080401020302" "AABBCCDDEE", SMS_SUBMIT);

    (void)state;
    assert_int_equal(tpdu.udh.concat_ref, 0x0102);
    assert_int_equal(tpdu.udh.concat_ref_bits, 16);
    assert_int_equal(tpdu.udh.concat_total, 3);
    assert_int_equal(tpdu.udh.concat_seq, 2);
    assert_int_equal(tpdu.data_length, 5);
}

static void an_impossible_part_number_is_as_if_it_were_not_there(void **state)
{
    static const char *const impossible[] = {
        "0041000B910427123254F6000407" "05" "0003050000" "AA",   /* total 0 */
        "0041000B910427123254F6000407" "05" "0003050200" "AA",   /* number 0 */
        "0041000B910427123254F6000407" "05" "0003050203" "AA",   /* number above the total */
    };

    (void)state;
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        struct sms_tpdu tpdu = read_hex(impossible[i], SMS_SUBMIT);

        assert_false(tpdu.udh.concat);
        assert_true(tpdu.udh.present);
        assert_int_equal(tpdu.data_length, 1);
        assert_int_equal(tpdu.data[0], 0xAA);
    }
}

static void elements_that_do_not_fit_the_header_take_it_down_with_them(void **state)
{
    /* Ports, then an element said to have 9 octets; and a concatenation of 2 octets. */
    struct sms_tpdu overrun = read_hex("0041000B910427123254F6000408" "06" "04020102" "7009" "AA", SMS_SUBMIT);
    struct sms_tpdu wrong_length = read_hex("0041000B910427123254F600040A" "08" "04020102" "00020502" "AA", SMS_SUBMIT);

    (void)state;
    assert_int_equal(overrun.udh.port_bits, 0);
    assert_int_equal(overrun.data[0], 0xAA);
    assert_int_equal(wrong_length.udh.port_bits, 0);
    assert_int_equal(wrong_length.data[0], 0xAA);
}

static void more_elements_than_can_be_listed_are_counted(void **state)
{
    char hex[400] = "0041000B910427123254F600048B" "8A";
    struct sms_tpdu tpdu;

    (void)state;
    for (size_t i = 0; i < 69; i++)
        strcat(hex, "A000");
    tpdu = read_hex(hex, SMS_SUBMIT);
    assert_int_equal(tpdu.udh.other_count, 69);
    assert_int_equal(tpdu.data_length, 0);
}

static void a_report_padded_with_erased_memory_is_read(void **state)
{
    struct sms_tpdu tpdu = read_hex("0006D60B911326880736F4111011719551401110117195714000" "FFFFFFFF", SMS_STATUS_REPORT);

    (void)state;
    assert_int_equal(tpdu.status, 0);
    assert_int_equal(tpdu.trailing_octets, 4);
}

static void the_optional_part_of_a_report_is_read_or_refused_but_never_guessed(void **state)
{
    struct sms_tpdu tpdu = read_hex("0006D60B911326880736F4111011719551401110117195714000" "07" "41" "00" "02" "E834",
                                    SMS_STATUS_REPORT);
    const char *const cut = "0006D60B911326880736F4111011719551401110117195714000" "07" "41" "00" "02" "E8";

    (void)state;
    assert_true(tpdu.has_user_data);
    assert_int_equal(tpdu.pid, 0x41);
    assert_string_equal(tpdu.text, "hi");
    tpdu = read_hex("0006D60B911326880736F4111011719551401110117195714000" "81" "80" "00" "41", SMS_STATUS_REPORT);
    assert_int_equal(tpdu.pid, 0x41);   /* two octets of extension before it */
    for (size_t digits = strlen(cut); digits > 52; digits -= 2)
        assert_int_equal(sms_pdu_decode_hex(cut, digits, SMS_STATUS_REPORT, &tpdu, NULL), -EINVAL);
}

static void octets_behind_a_message_are_counted_and_do_no_harm(void **state)
{
    struct sms_tpdu tpdu = read_hex("0001000B910427123254F600000178" "FFFF", SMS_SUBMIT);

    (void)state;
    assert_string_equal(tpdu.text, "x");
    assert_int_equal(tpdu.trailing_octets, 2);
    assert_int_equal(tpdu.tpdu_length, 16);
}

static void enhanced_validity_is_read_in_minutes(void **state)
{
    (void)state;
    assert_int_equal(read_hex("0009000B910427123254F60000" "01A70000000000" "0178", SMS_SUBMIT).vp_minutes, 1440);
    assert_int_equal(read_hex("0009000B910427123254F60000" "023D0000000000" "0178", SMS_SUBMIT).vp_minutes, 2);
    assert_int_equal(read_hex("0009000B910427123254F60000" "03218510000000" "0178", SMS_SUBMIT).vp_minutes, 12 * 60 + 59);
    assert_int_equal(read_hex("0009000B910427123254F60000" "00000000000000" "0178", SMS_SUBMIT).vp_minutes, 0);
}

static void a_pair_cut_between_parts_is_kept_in_halves_until_it_is_joined(void **state)
{
    struct sms_tpdu tpdu = read_hex("0001000B910427123254F60008" "06" "0061" "D83D" "0062", SMS_SUBMIT);

    (void)state;
    assert_string_equal(tpdu.text, "a\xED\xA0\xBD" "b");
    tpdu = read_hex("0001000B910427123254F60008" "06" "D83D" "DE00" "0000", SMS_SUBMIT);
    assert_string_equal(tpdu.text, "\xF0\x9F\x98\x80\xEF\xBF\xBD");
}

static void compressed_text_is_kept_as_octets(void **state)
{
    struct sms_tpdu tpdu = read_hex("0001000B910427123254F60020" "03" "AABBCC", SMS_SUBMIT);

    (void)state;
    assert_int_equal(tpdu.alphabet, SMS_8BIT);
    assert_int_equal(tpdu.data_length, 3);
}

static void every_coding_scheme_has_the_alphabet_of_the_standard(void **state)
{
    (void)state;
    for (unsigned dcs = 0; dcs <= 255; dcs++) {
        char hex[64];
        struct sms_tpdu tpdu;
        unsigned group = dcs >> 4;
        enum sms_alphabet expected = SMS_GSM7;

        (void)snprintf(hex, sizeof hex, "0001000B910427123254F600%02X00", dcs);
        tpdu = read_hex(hex, SMS_SUBMIT);
        if ((group < 8 && (dcs & 0x2C) == 0x04) || (group < 8 && (dcs & 0x20)) || (group == 15 && (dcs & 4)))
            expected = SMS_8BIT;
        else if ((group < 8 && (dcs & 0x2C) == 0x08) || group == 14)
            expected = SMS_UCS2;
        if (tpdu.alphabet != expected)
            fail_msg("coding scheme %02X", dcs);
        assert_int_equal(tpdu.mwi, group >= 12 && group <= 14);
        assert_int_equal(tpdu.message_class, (group < 8 && (dcs & 0x10)) || group == 15 ? (int)(dcs & 3) : -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_stand_in_the_first_octet),
        cmocka_unit_test(a_relative_validity_is_one_octet),
        cmocka_unit_test(an_absolute_validity_is_a_time_stamp),
        cmocka_unit_test(every_class_is_read_back_in_every_alphabet),
        cmocka_unit_test(a_flash_message_has_class_zero),
        cmocka_unit_test(all_header_elements_are_read_back),
        cmocka_unit_test(a_part_holds_160_septets_70_units_or_140_octets_and_not_one_more),
        cmocka_unit_test(a_pair_or_an_extension_that_fits_only_in_half_is_refused),
        cmocka_unit_test(numbers_of_one_to_twenty_digits_are_written),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(fields_that_cannot_be_written_are_refused),
        cmocka_unit_test(text_outside_the_alphabet_is_refused),
        cmocka_unit_test(the_last_of_repeated_header_elements_counts),
        cmocka_unit_test(an_impossible_part_number_is_as_if_it_were_not_there),
        cmocka_unit_test(elements_that_do_not_fit_the_header_take_it_down_with_them),
        cmocka_unit_test(more_elements_than_can_be_listed_are_counted),
        cmocka_unit_test(a_report_padded_with_erased_memory_is_read),
        cmocka_unit_test(the_optional_part_of_a_report_is_read_or_refused_but_never_guessed),
        cmocka_unit_test(octets_behind_a_message_are_counted_and_do_no_harm),
        cmocka_unit_test(enhanced_validity_is_read_in_minutes),
        cmocka_unit_test(a_pair_cut_between_parts_is_kept_in_halves_until_it_is_joined),
        cmocka_unit_test(compressed_text_is_kept_as_octets),
        cmocka_unit_test(every_coding_scheme_has_the_alphabet_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
