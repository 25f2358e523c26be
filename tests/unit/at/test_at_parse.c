/* SPDX-License-Identifier: Apache-2.0
 *
 * Values out of lines as real and as confused modems write them: each parser's forms, bounds and refusals, as tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/at/at_parse.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void a_registration_tells_answers_from_announcements_and_refuses_unknown_states(void **state)
{
    static const struct { const char *line; int r; bool unsolicited; int stat; long area, cell; int act; } rows[] = {
        { "+CREG: 2,1", 0, false, 1, -1, -1, -1 },
        { "+CREG: 5", 0, true, 5, -1, -1, -1 },
        { "+CREG: 2,1,\"00C3\",\"0BEEF\",7", 0, false, 1, 0xC3, 0xBEEF, 7 },
        { "+CREG: 1,\"00C3\",\"0BEEF\",2", 0, true, 1, 0xC3, 0xBEEF, 2 },
        { "+CREG: 1,,,7", 0, true, 1, -1, -1, 7 },
        { "+CREG: 1,00C3,BEEF", 0, true, 1, 0xC3, 0xBEEF, -1 },
        { "+CREG: 1,FF,BEEF", 0, true, 1, 0xFF, 0xBEEF, -1 },       /* two digits, but no <stat> */
        { "+CREG: 2,1,0x,0C", 0, false, 1, -1, 0xC, -1 },
        { "+CGREG: 0,15", 0, false, 15, -1, -1, -1 },
        { "+CEREG: 0,16", -EINVAL, false, 0, 0, 0, 0 },
        { "+C5GREG: 0,x", -EINVAL, false, 0, 0, 0, 0 },
        { "+CREG: 99999999999999999999", -EINVAL, false, 0, 0, 0, 0 },
        { "+CREG: 5000000000", -EINVAL, false, 0, 0, 0, 0 },         /* fits a long, no int */
        { "+CREG:", -EINVAL, false, 0, 0, 0, 0 },
        { "+CSQ: 1,2", -EINVAL, false, 0, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct at_registration got = { .stat = -7 };

        assert_int_equal(at_parse_registration(rows[i].line, &got), rows[i].r);
        if (rows[i].r != 0) {
            assert_int_equal(got.stat, -7);
            continue;
        }
        assert_int_equal(got.unsolicited, rows[i].unsolicited);
        assert_int_equal(got.stat, rows[i].stat);
        assert_int_equal(got.area, rows[i].area);
        assert_int_equal(got.cell, rows[i].cell);
        assert_int_equal(got.act, rows[i].act);
    }
}

static void only_registrations_with_sms_can_send(void **state)
{
    static const int can[] = { 1, 5, 6, 7, 9, 10 };

    (void)state;
    for (int stat = -1; stat <= 16; stat++) {
        bool expected = false;

        for (size_t i = 0; i < COUNT(can); i++)
            expected = expected || can[i] == stat;
        assert_int_equal(at_registration_can_send(stat), expected);
        assert_int_equal(at_registration_is_roaming(stat), stat == 5 || stat == 7 || stat == 10);
    }
}

static void the_answer_about_the_pin_is_known_with_and_without_name_and_quotes(void **state)
{
    static const struct { const char *line; int r; enum at_sim sim; } rows[] = {
        { "+CPIN: READY", 0, AT_SIM_READY },       { "+CPIN:\"READY\"", 0, AT_SIM_READY }, { "+cpin: READY", -EINVAL, 0 },
        { "  +CPIN: sim pin", 0, AT_SIM_PIN },     { "READY", 0, AT_SIM_READY },           { "SIM PIN2", 0, AT_SIM_READY },
        { "+CPIN: SIM PUK", 0, AT_SIM_PUK },       { "+CPIN: PH-NET PIN", 0, AT_SIM_LOCKED },
        { "SIM REMOVED", 0, AT_SIM_MISSING },      { "+CPIN: NOT READY", 0, AT_SIM_BUSY },
        { "+CPIN: SIM FAILURE", 0, AT_SIM_FAILURE }, { "+CPIN: WHATEVER", -EINVAL, 0 },    { "+CPIN:", -EINVAL, 0 },
        { "+CSQ: READY", -EINVAL, 0 },             { "", -EINVAL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum at_sim sim = (enum at_sim)99;

        assert_int_equal(at_parse_cpin(rows[i].line, &sim), rows[i].r);
        assert_int_equal(sim, rows[i].r == 0 ? (int)rows[i].sim : 99);
    }
}

static void a_refused_question_about_the_pin_tells_the_card_by_its_code(void **state)
{
    static const struct { bool cms; int code, r; enum at_sim sim; } rows[] = {
        { false, 10, 0, AT_SIM_MISSING }, { true, 310, 0, AT_SIM_MISSING }, { false, 310, -EINVAL, 0 }, { true, 10, -EINVAL, 0 },
        { false, 47, 0, AT_SIM_LOCKED },  { false, 48, -EINVAL, 0 },        { true, -1, -EINVAL, 0 },   { false, -1, -EINVAL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum at_sim sim = (enum at_sim)99;

        assert_int_equal(at_sim_from_error(rows[i].cms, rows[i].code, &sim), rows[i].r);
        assert_int_equal(sim, rows[i].r == 0 ? (int)rows[i].sim : 99);
    }
}

/* A parser with one text and one number as its result, so that rows can say all of it. */
enum parser { CSQ, CMGS, CSMS, CMEE, CMTI, CSCA, COPS, IDENTITY, IMEI, IMSI, ICCID };

static int parse(enum parser parser, const char *line, char text[32], size_t size, int *number)
{
    int second = 0;

    switch (parser) {
    case CSQ:      return at_parse_csq(line, number, &second);
    case CMGS:     return at_parse_cmgs(line, number);
    case CSMS:     return at_parse_csms(line, number);
    case CMEE:     return at_parse_cmee(line, number);
    case CMTI:     return at_parse_cmti(line, text, number);
    case CSCA:     return at_parse_csca(line, text, size);
    case COPS:     return at_parse_cops(line, text, size, number);
    case IDENTITY: return at_parse_identity(line, text, size);
    case IMEI:     return at_parse_imei(line, text, size);
    case IMSI:     return at_parse_imsi(line, text, size);
    case ICCID:    return at_parse_iccid(line, text, size);
    }
    return -ENOSYS;
}

#define UNTOUCHED "untouched"
#define UNTOUCHED_NUMBER (-77)

static const struct { enum parser parser; const char *line; int r; const char *text; int number; size_t size; } values[] = {
    { CSQ, "+CSQ: 17,99", 0, NULL, 17, 0 },            { CSQ, "+CSQ: 31", 0, NULL, 31, 0 },
    { CSQ, "+CSQ:", -EINVAL, NULL, 0, 0 },             { CSQ, "+CSQN: 1", -EINVAL, NULL, 0, 0 },
    { CSQ, "+CSQ: x,1", -EINVAL, NULL, 0, 0 },
    { CMGS, "+CMGS: 0", 0, NULL, 0, 0 },               { CMGS, "+CMGS: 255,\"26/01/01,00:00:00+04\"", 0, NULL, 255, 0 },
    { CMGS, "+CMGS: 256", -EINVAL, NULL, 0, 0 },       { CMGS, "+CMGS:", -EINVAL, NULL, 0, 0 },
    { CMGS, "+CMGW: 1", -EINVAL, NULL, 0, 0 },         { CMGS, "+CMGS: -1", -EINVAL, NULL, 0, 0 },
    { CMGS, "+CMGS:  0 5", 0, NULL, 5, 0 },            /* Gobi 1000 */
    { CMGS, "+CMGS: A", -EINVAL, NULL, 0, 0 },         { CMGS, "+CMGS: /", -EINVAL, NULL, 0, 0 },
    { CSMS, "+CSMS: 1,1,1,1", 0, NULL, 1, 0 },         { CSMS, "+CMEE: 1", -EINVAL, NULL, 0, 0 },
    { CMEE, "+CMEE: 2", 0, NULL, 2, 0 },               { CMEE, "+CMEE: on", -EINVAL, NULL, 0, 0 },
    { CMTI, "+CMTI: \"SM\",3", 0, "SM", 3, 0 },        { CMTI, "+CDSI: \"SR\",0", 0, "SR", 0, 0 },
    { CMTI, "+CMTI: \"\",-1", 0, "", -1, 0 },          { CMTI, "+CMTI: \"LONGER\",1", 0, "LO", 1, 0 },
    { CMTI, "+CMTI: 3", -EINVAL, NULL, 0, 0 },         { CMTI, "+CMT: ,3", -EINVAL, NULL, 0, 0 },
    { CSCA, "+CSCA: \"+40744946000\",145", 0, "+40744946000", UNTOUCHED_NUMBER, 0 },
    { CSCA, "+CSCA: 0744946000,129", 0, "0744946000", UNTOUCHED_NUMBER, 0 },
    { CSCA, "+CSCA: \"002B0034003000370034\",145", 0, "+4074", UNTOUCHED_NUMBER, 0 },   /* AT+CSCS="UCS2" */
    { CSCA, "+CSCA: \"\",129", -ENOENT, NULL, 0, 0 },  { CSCA, "+CSCA:", -ENOENT, NULL, 0, 0 },
    { CSCA, "+CSCA: \"40+74\"", -EINVAL, NULL, 0, 0 }, { CSCA, "+CSCA: \"*40\"", -EINVAL, NULL, 0, 0 },
    { CSCA, "+CSCA: \"4x\"", -EINVAL, NULL, 0, 0 },    { CSCA, "+CSCB: 1", -EINVAL, NULL, 0, 0 },
    { CSCA, "+CSCA: \"40744946\",129", 0, "40744946", UNTOUCHED_NUMBER, 0 },            /* eight digits that are no UCS2 */
    { CSCA, "+CSCA: \"+407449460001234567890\"", 0, "+407449", UNTOUCHED_NUMBER, 8 },
    { COPS, "+COPS: 0,0,\"Orange RO\",2", 0, "Orange RO", 2, 0 }, { COPS, "+COPS: 0,0,\"Digi.Mobil\"", 0, "Digi.Mobil", -1, 0 },
    { COPS, "+COPS: 0,0,\"Ora\"nge\",7", 0, "Ora\"nge", 7, 0 },   /* a quote inside: the last one closes */
    { COPS, "+COPS: 0,0,\"Lost quote", 0, "Lost quote", -1, 0 },
    { COPS, "+COPS: 0,0,\"004F00720061006E00670065\",2", 0, "Orange", 2, 0 },
    { COPS, "+COPS: 0,0,\"004F00720061006E006720AC\",2", 0, "004F00720061006E006720AC", 2, 0 },   /* not ASCII: as it is */
    { COPS, "+COPS: 0,0,\"004F00720061006E00670065\",2", 0, "004F0", 2, 6 },   /* its text would not fit: cut, never over */
    { COPS, "+COPS: 0,0,\"D\x19gi\xE2\x7F\",2", 0, "D?gi??", 2, 0 },   /* fit for a log */
    { COPS, "+COPS: 0", -ENOENT, NULL, 0, 0 },         { COPS, "+COPS: 0,0,\"", -ENOENT, NULL, 0, 0 },
    { COPS, "+COPS: 0,0,\"\",2", -ENOENT, NULL, 0, 0 }, { COPS, "+CSQ: 1", -EINVAL, NULL, 0, 0 },
    { IDENTITY, "+CGMI: \"Quectel\"", 0, "Quectel", UNTOUCHED_NUMBER, 0 }, { IDENTITY, "Revision: EC25EFAR06", 0, "EC25EFAR06", UNTOUCHED_NUMBER, 0 },
    { IDENTITY, "  Model: E173  ", 0, "E173", UNTOUCHED_NUMBER, 0 },       { IDENTITY, "Manufacturer: huawei", 0, "huawei", UNTOUCHED_NUMBER, 0 },
    { IDENTITY, "*no name", 0, "*no name", UNTOUCHED_NUMBER, 0 },          { IDENTITY, "^V: x\"", 0, "x", UNTOUCHED_NUMBER, 0 },
    { IDENTITY, "#CGMM: HE910", 0, "HE910", UNTOUCHED_NUMBER, 0 },         { IDENTITY, "$QCM: q", 0, "q", UNTOUCHED_NUMBER, 0 },
    { IDENTITY, "*EVERS: e", 0, "e", UNTOUCHED_NUMBER, 0 },                { IDENTITY, "\"\"", -EINVAL, NULL, 0, 0 },
    { IDENTITY, "   ", -EINVAL, NULL, 0, 0 },          { IDENTITY, "", -EINVAL, NULL, 0, 0 },
    { IMEI, "356789012345678", 0, "356789012345678", UNTOUCHED_NUMBER, 0 },
    { IMEI, "+CGSN: \"35678901234567\"", 0, "35678901234567", UNTOUCHED_NUMBER, 0 },
    { IMEI, "IMEI: 3567890123456789", 0, "356789012345678", UNTOUCHED_NUMBER, 0 },   /* IMEISV */
    { IMEI, "3567890123456", -EINVAL, NULL, 0, 0 },    { IMEI, "35678901234567890", -EINVAL, NULL, 0, 0 },
    { IMEI, "SN 123, 356789012345678", 0, "356789012345678", UNTOUCHED_NUMBER, 0 },
    { IMEI, "356789012345678", -EINVAL, NULL, 0, 15 }, { IMEI, "none", -EINVAL, NULL, 0, 0 },
    { IMSI, "226101234567890", 0, "226101234567890", UNTOUCHED_NUMBER, 0 },
    { IMSI, "+CIMI: \"226101\"", 0, "226101", UNTOUCHED_NUMBER, 0 },
    { IMSI, "22610", -EINVAL, NULL, 0, 0 },            { IMSI, "x226101", -EINVAL, NULL, 0, 0 },
    { IMSI, "2261012345678901", -EINVAL, NULL, 0, 0 }, { IMSI, "226101", -EINVAL, NULL, 0, 6 },
    { ICCID, "+CCID: \"8940011234567890123\"", 0, "8940011234567890123", UNTOUCHED_NUMBER, 0 },
    { ICCID, "+ICCID: 8940011234567890123F", 0, "8940011234567890123", UNTOUCHED_NUMBER, 0 },
    { ICCID, "^ICCID: 8940011234567890123f", 0, "8940011234567890123", UNTOUCHED_NUMBER, 0 },
    { ICCID, "98041032547698103254", 0, "89400123456789012345", UNTOUCHED_NUMBER, 0 },   /* as EF_ICCID holds it */
    { ICCID, "+CRSM: 144,0,\"980410325476981032F4\"", 0, "8940012345678901234", UNTOUCHED_NUMBER, 0 },
    { ICCID, "+CRSM: 145,0,\"980410325476981032F4\"", 0, "8940012345678901234", UNTOUCHED_NUMBER, 0 },
    { ICCID, "+CRSM: 106,130", -EINVAL, NULL, 0, 0 },  { ICCID, "+CRSM: 148,8,\"980410325476981032F4\"", -EINVAL, NULL, 0, 0 },
    { ICCID, "+CRSM: 144", -EINVAL, NULL, 0, 0 },
    { ICCID, "9804001234567890123", 0, "9804001234567890123", UNTOUCHED_NUMBER, 0 },     /* odd: cannot be swapped */
    { ICCID, "9704001234567890123", 0, "9704001234567890123", UNTOUCHED_NUMBER, 0 },
    { ICCID, "894001FFFFFFFFFFFFFF", -EINVAL, NULL, 0, 0 }, { ICCID, "FFFFFFFFFFFFFFFFFFFF", -EINVAL, NULL, 0, 0 },
    { ICCID, "8940A01234567890123", -EINVAL, NULL, 0, 0 }, { ICCID, "89400112345678901", -EINVAL, NULL, 0, 0 },
    { ICCID, "89400112345678901234567", -EINVAL, NULL, 0, 0 }, { ICCID, "8940011234567890123", -EINVAL, NULL, 0, 19 },
    { ICCID, "none", -EINVAL, NULL, 0, 0 },
};

static void every_value_is_read_in_all_its_forms_and_nothing_else_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        char text[32] = UNTOUCHED;
        int number = UNTOUCHED_NUMBER, r;

        r = parse(values[i].parser, values[i].line, text, values[i].size != 0 ? values[i].size : sizeof text, &number);
        if (r != values[i].r)
            fail_msg("\"%s\": %d instead of %d", values[i].line, r, values[i].r);
        if (r == 0 && values[i].text != NULL)
            assert_string_equal(text, values[i].text);
        if (r == 0)
            assert_int_equal(number, values[i].number);
        if (r == -EINVAL) {
            assert_string_equal(text, UNTOUCHED);
            assert_int_equal(number, UNTOUCHED_NUMBER);
        }
    }
}

static void signal_strength_outside_of_the_scale_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(at_rssi_to_dbm(-1), 0);
    assert_int_equal(at_rssi_to_dbm(0), -113);
    assert_int_equal(at_rssi_to_dbm(31), -51);
    assert_int_equal(at_rssi_to_dbm(32), 0);
    assert_int_equal(at_rssi_to_dbm(99), 0);
}

static void storages_are_read_with_and_without_names_up_to_three(void **state)
{
    static const struct { const char *line; int r, count; struct at_storage first, last; } rows[] = {
        { "+CPMS: \"SM\",3,20,\"ME\",1,99,\"SR\",0,5", 0, 3, { "SM", 3, 20 }, { "SR", 0, 5 } },
        { "+CPMS: 3,20,1,99", 0, 2, { "", 3, 20 }, { "", 1, 99 } },
        { "+CPMS: 3,20,1,99,0,5,7,7", 0, 3, { "", 3, 20 }, { "", 0, 5 } },
        { "+CPMS: \"SM\",3,20,\"ME\",1", 0, 1, { "SM", 3, 20 }, { "SM", 3, 20 } },
        { "+CPMS: \"SM\",3,20,\"ME\",,9", 0, 1, { "SM", 3, 20 }, { "SM", 3, 20 } },
        { "+CPMS: \"SM\",3,", -EINVAL, 0, { "", 0, 0 }, { "", 0, 0 } },
        { "+CPMS: ,,,,,,,,", -EINVAL, 0, { "", 0, 0 }, { "", 0, 0 } },
        { "+CPMS: 1,2,3,4,5,6,7,8,9,10,11,12,13,14", 0, 3, { "", 1, 2 }, { "", 5, 6 } },   /* more fields than there is room for */
        { "+CPMS:", -EINVAL, 0, { "", 0, 0 }, { "", 0, 0 } },
        { "+CPMS: (\"SM\"),(\"SM\")", -EINVAL, 0, { "", 0, 0 }, { "", 0, 0 } },
        { "+CPM: 1,2", -EINVAL, 0, { "", 0, 0 }, { "", 0, 0 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct at_storages got = { .count = 7 };

        assert_int_equal(at_parse_cpms(rows[i].line, &got), rows[i].r);
        assert_int_equal(got.count, rows[i].r == 0 ? rows[i].count : 7);
        if (rows[i].r == 0) {
            assert_string_equal(got.memory[0].name, rows[i].first.name);
            assert_int_equal(got.memory[0].used, rows[i].first.used);
            assert_int_equal(got.memory[0].total, rows[i].first.total);
            assert_string_equal(got.memory[got.count - 1].name, rows[i].last.name);
            assert_int_equal(got.memory[got.count - 1].used, rows[i].last.used);
            assert_int_equal(got.memory[got.count - 1].total, rows[i].last.total);
        }
    }
}

static void lists_of_storages_survive_brackets_and_quotes_in_any_order(void **state)
{
    static const struct { const char *line; int r; uint8_t lists[3]; } rows[] = {
        { "+CPMS: (\"SM\",\"ME\"),(\"SM\"),(\"SR\",\"MT\")", 0, { 3, 1, 12 } },
        { "+CPMS: ((\"SM\",\"BM\"),(\"SM\"))", 0, { 17, 1, 0 } },                          /* Wavecom Q2 */
        { "+CPMS: (\"SM\"),(\"ME\"),(\"SR\"),(\"MT\")", 0, { 1, 2, 8 } },                  /* a fourth list is none of ours */
        { "+CPMS: (\"\",\"S\",\"SMS\",\"SX\")", 0, { 16, 0, 0 } },
        { "+CPMS: (\"SM", 0, { 16, 0, 0 } },   { "+CPMS: (\"", 0, { 0, 0, 0 } }, { "+CPMS: (\"S", 0, { 0, 0, 0 } },
        { "+CPMS: ()", 0, { 0, 0, 0 } },       { "+CPMS: \"SM\",1,2", -EINVAL, { 9, 9, 9 } }, { "+CPMX: (\"SM\")", -EINVAL, { 9, 9, 9 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t lists[3] = { 9, 9, 9 };

        assert_int_equal(at_parse_cpms_lists(rows[i].line, lists), rows[i].r);
        assert_memory_equal(lists, rows[i].lists, sizeof lists);
    }
}

static void headers_of_messages_give_index_state_and_the_last_field_as_length(void **state)
{
    static const struct { const char *line; int r, index, stat, length; } rows[] = {
        { "+CMGL: 3,1,,24", 0, 3, 1, 24 },       { "+CMGL: 3,1,\"a,b\",24", 0, 3, 1, 24 }, { "+CMGL: 3", 0, 3, -1, -1 },
        { "+CMGL: 3,1", 0, 3, -1, 1 },           { "+CMGL: ,1,,24", -EINVAL, 0, 0, 0 },    { "+CMGL:", -EINVAL, 0, 0, 0 },
        { "+CMGR: 0,,24", 0, -1, 0, 24 },        { "+CMGR: 24", 0, -1, -1, 24 },           { "+CMGR:", 0, -1, -1, -1 },
        { "+CMT: ,24", 0, -1, -1, 24 },          { "+CDS: 26", 0, -1, -1, 26 },            { "+CBM: 88", 0, -1, -1, 88 },
        { "+CMTI: \"SM\",1", -EINVAL, 0, 0, 0 }, { "hello", -EINVAL, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct at_message_header got = { -7, -7, -7 };

        assert_int_equal(at_parse_message_header(rows[i].line, &got), rows[i].r);
        assert_int_equal(got.index, rows[i].r == 0 ? rows[i].index : -7);
        assert_int_equal(got.stat, rows[i].r == 0 ? rows[i].stat : -7);
        assert_int_equal(got.length, rows[i].r == 0 ? rows[i].length : -7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_tells_answers_from_announcements_and_refuses_unknown_states),
        cmocka_unit_test(only_registrations_with_sms_can_send),
        cmocka_unit_test(the_answer_about_the_pin_is_known_with_and_without_name_and_quotes),
        cmocka_unit_test(a_refused_question_about_the_pin_tells_the_card_by_its_code),
        cmocka_unit_test(every_value_is_read_in_all_its_forms_and_nothing_else_is),
        cmocka_unit_test(signal_strength_outside_of_the_scale_is_unknown),
        cmocka_unit_test(storages_are_read_with_and_without_names_up_to_three),
        cmocka_unit_test(lists_of_storages_survive_brackets_and_quotes_in_any_order),
        cmocka_unit_test(headers_of_messages_give_index_state_and_the_last_field_as_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
