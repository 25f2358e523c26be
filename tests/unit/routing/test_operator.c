/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of operators: which are read, as what, and which are not; and what is refused in the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/date.h"
#include "src/routing/operator.h"
#include "src/routing/pattern.h"

static struct table_notes notes;

static struct operator_table *shipped(void)
{
    FILE *file = fopen(TEST_DATA_DIR "/../config/operators.csv", "rb");
    struct operator_table *table = NULL;
    static char text[1 << 18];
    size_t length;

    assert_non_null(file);
    length = fread(text, 1, sizeof text, file);
    assert_in_range(length, 1, sizeof text - 1);
    (void)fclose(file);
    if (operator_parse(&(struct table_file){ "operators.csv", text, length }, &table, &notes) != 0)
        fail_msg("%s", notes.text[0]);
    return table;
}

#define HEADER "mcc,mnc,name,balance_ussd,balance_pattern,balance_sms_from,balance_sms_pattern,bundle_pattern,currency,note\n"

static struct operator_table *parse(const char *rows)
{
    char text[4096];
    struct operator_table *table = NULL;

    (void)snprintf(text, sizeof text, HEADER "%s", rows);
    (void)operator_parse(&(struct table_file){ "operators.csv", text, strlen(text) }, &table, &notes);
    return table;
}

/* balance: "-" none; parts -1, until "" likewise. */
struct row { const char *text, *balance, *currency; int parts; const char *until; };

static const struct row answers[] = {
    { "Your balance is 12.34 EUR", "12.34", "EUR", -1, "" },
    { "Your balance is 12.34 EUR valid until 31.12.2026", "12.34", "EUR", -1, "2026-12-31" },
    { "BALANCE: 1,234.56 KES. Expires on 2026-05-07", "1234.56", "KES", -1, "2026-05-07" },
    { "Balance:$5.00", "-", "", -1, "" },                                            /* whose dollars? */
    { "Your credit is \xC2\xA3" "4.20. Thank you", "4.2", "GBP", -1, "" },
    { "Credit 5.00", "5", "EUR", -1, "" },
    { " Aktuelles Guthaben: 9.91 EUR.", "9.91", "EUR", -1, "" },
    { "Guthaben 12,34 EUR", "12.34", "EUR", -1, "" },
    { "Ihr GUTHABEN BETR\xC3\x84GT 7.95 Euro", "7.95", "EUR", -1, "" },
    { "Guthaben:\n0,00 EUR\ng\xC3\xBCltig bis 01/02/27", "0", "EUR", -1, "2027-02-01" },
    { "solde : 3,20 \xE2\x82\xAC", "3.2", "EUR", -1, "" },
    { "Votre solde est de 1\xC2\xA0" "234,50 EUR", "1234.5", "EUR", -1, "" },
    { "Saldo 10,00", "10", "EUR", -1, "" },
    { "Su saldo es de -0,50 EUR", "-0.5", "EUR", -1, "" },
    { "Stan konta: 23,45 z\xC5\x82", "23.45", "PLN", -1, "" },
    { " Vash balans 968.98 r.\nDlya vas", "968.98", "EUR", -1, "" },
    { "\xD0\x91\xD0\x90\xD0\x9B\xD0\x90\xD0\x9D\xD0\xA1: 15.00 UAH", "15", "UAH", -1, "" },
    { "You have 87 SMS left", "-", "", 87, "" },
    { "Balance is 2.50 EUR. You have 87 SMS left until 2026-12-31.", "2.5", "EUR", 87, "2026-12-31" },
    { "Noch 12 SMS", "-", "", 12, "" },
    { "Balance: Rp 12.500", "-", "", -1, "" },
    { "Balance: IDR 12.500", "12500", "IDR", -1, "" },
    { "Balance: 1.234 TND", "1.234", "TND", -1, "" },
    { "Balance: 0.500 EUR", "0.5", "EUR", -1, "" },
    /* not read */
    { "", "-", "", -1, "" },
    { "Unexpected Data Value", "-", "", -1, "" },
    { "Unknown code", "-", "", -1, "" },
    { "On DATA Pack u have 3Gb 817Mb 169kb valid until 21/05/2016", "-", "", -1, "" },
    { "Balance: 500 MB", "-", "", -1, "" },
    { "Your credit is 20%", "-", "", -1, "" },
    { "Balance 12:30", "-", "", -1, "" },
    { "Your balance is 31.12.2026", "-", "", -1, "" },
    { "Balance 1.2.3", "-", "", -1, "" },
    { "Balance 1234567890123456", "-", "", -1, "" },
    { "Balance is low. Send 5 to 1234", "-", "", -1, "" },
    { "You have 12,5 SMS left", "-", "", -1, "" },
    { "You have 1234567890 SMS left", "-", "", -1, "" },
};

static int64_t micro_of(const char *text)
{
    int64_t micro = 0;

    assert_true(pattern_amount(text, strlen(text), true, &micro));
    return micro;
}

static void answers_are_read_by_the_shipped_patterns_or_not_at_all(void **state)
{
    struct operator_table *table = shipped();

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct row *row = &answers[i];
        bool balance = strcmp(row->balance, "-") != 0, fits = balance || row->parts >= 0;
        struct operator_reading reading = { 0 };
        char until[DATE_CHARS] = "";
        int r = operator_read(table, "262010000000001", NULL, row->text, &reading);

        if (reading.has_date)
            date_format(reading.valid_until_day, until);
        if (r != (fits ? 0 : -ENOENT) || reading.has_balance != balance || reading.has_parts != (row->parts >= 0) ||
            (balance && (reading.balance_micro != micro_of(row->balance) || strcmp(reading.currency, row->currency) != 0)) ||
            (row->parts >= 0 && reading.rest_parts != row->parts) || strcmp(until, row->until) != 0)
            fail_msg("'%s': %d, %lld %s, %d parts, until '%s'", row->text, r, (long long)reading.balance_micro, reading.currency,
                     reading.has_parts ? reading.rest_parts : -1, until);
    }
    operator_free(table);
}

static void the_shipped_table_knows_the_codes_of_many_networks(void **state)
{
    struct operator_table *table = shipped();
    size_t codes = 0;

    (void)state;
    for (size_t i = 0; i < operator_row_count(table); i++)
        codes += operator_row_at(table, i)->balance_ussd[0] != '\0';
    assert_in_range(codes, 120, 400);
    assert_string_equal(operator_balance_code(table, "232080000000001"), "*231#");
    assert_string_equal(operator_name(table, "232080000000001"), "Lycamobile");
    assert_string_equal(operator_balance_code(table, "999990000000001"), "");
    assert_string_equal(operator_balance_code(table, ""), "");
    operator_free(table);
}

static void a_network_of_its_own_is_read_by_its_own_patterns_alone(void **state)
{
    struct operator_table *table = parse("226,10,Orange,*133#,Aveti {balance} {currency} pana la {date},ORANGE,ai {balance} credit,{parts} SMS-uri,RON,\n"
                                         "310,260,T,*1#,,,,,USD,\n226,*,,*9#,,,,,,\n*,*,,,balance {balance},,,,,\n*,*,,*8#,,,,,,\n");
    struct operator_reading reading;

    (void)state;
    assert_non_null(table);
    assert_string_equal(operator_balance_code(table, "226100000000001"), "*133#");
    assert_string_equal(operator_balance_code(table, "226050000000001"), "*9#");
    assert_string_equal(operator_balance_code(table, "310260000000001"), "*1#");
    assert_string_equal(operator_balance_code(table, "310261"), "*8#");
    assert_int_equal(operator_read(table, "226100000000001", NULL, "aveti 5,5 EUR pana la 1.2.2027, si 40 sms-uri", &reading), 0);
    assert_int_equal(reading.balance_micro, 5500000);
    assert_string_equal(reading.currency, "EUR");
    assert_int_equal(reading.rest_parts, 40);
    assert_int_equal(reading.row->line, 2);
    assert_int_equal(operator_read(table, "226100000000001", NULL, "balance 5", &reading), -ENOENT);
    assert_int_equal(operator_read(table, "226050000000001", NULL, "balance 5", &reading), 0);
    /* messages: by their sender */
    assert_true(operator_sends_balance(table, "226100000000001", "Orange"));
    assert_false(operator_sends_balance(table, "226050000000001", "Orange"));
    assert_false(operator_sends_balance(table, "226100000000001", "+40700000001"));
    assert_int_equal(operator_read(table, "226100000000001", "orange", "Ai 7 credit", &reading), 0);
    assert_string_equal(reading.currency, "RON");
    assert_int_equal(operator_read(table, "226100000000001", "+40700000001", "Ai 7 credit", &reading), -ENOENT);
    operator_free(table);
}

static void what_is_wrong_is_said_with_line_and_column(void **state)
{
    static const struct { const char *row, *says; } rows[] = {
        { "26,01,,,,,,,,", "operators.csv:2:mcc: '26' is no code of a network" },
        { "262,1,,,,,,,,", "operators.csv:2:mnc: '1' is no code of a network" },
        { "*,01,,,,,,,,", "operators.csv:2:mnc: '01' is of no country" },
        { "262,01,,*100# or so,,,,,,", "operators.csv:2:balance_ussd: '*100# or so' is no USSD code" },
        { "262,01,,,credit,,,,,", "operators.csv:2:balance_pattern: 'credit' reads neither {balance} nor {parts}" },
        { "262,01,,,credit {balnce},,,,,", "operators.csv:2:balance_pattern: 'credit {balnce}' has a place in braces that there is not, at octet 8 of it" },
        { "262,01,,,credit {balance,,,,,", "has a '{' without its '}', at octet 8" },
        { "262,01,,,{balance},,,,,", "has no text that tells its number from others" },
        { "262,01,,,a{balance}{parts},,,,,", "has two places with nothing between them, at octet 11" },
        { "262,01,,,a{balance} {balance},,,,,", "has the same place twice, at octet 12" },
        { "262,01,,,,X,,,,", "operators.csv:2:balance_sms_from: 'X' and balance_sms_pattern go together" },
        { "262,01,,,,,,,Euro,", "operators.csv:2:currency: 'Euro' is no currency" },
        { "262,01,,,,,,", "operators.csv:2: the row has 8 fields, the header has 10" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_null(parse(rows[i].row));
        assert_int_equal(notes.count, 1);
        if (strstr(notes.text[0], rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].row, notes.text[0]);
    }
}

static void a_hostile_answer_takes_no_time_worth_speaking_of(void **state)
{
    static char text[OPERATOR_TEXT_MAX * 2];
    struct pattern_match match;

    (void)state;
    memset(text, 'a', sizeof text - 1);
    assert_false(pattern_match("a{*}a{*}a{*}a{*}a{*}a{*}a{*}a{*}a{*}a{*}b {balance}", text, OPERATOR_TEXT_MAX, &match));
    memset(text, '1', sizeof text - 1);
    assert_false(pattern_match("{*}{balance}x", text, OPERATOR_TEXT_MAX, &match));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_by_the_shipped_patterns_or_not_at_all),
        cmocka_unit_test(the_shipped_table_knows_the_codes_of_many_networks),
        cmocka_unit_test(a_network_of_its_own_is_read_by_its_own_patterns_alone),
        cmocka_unit_test(what_is_wrong_is_said_with_line_and_column),
        cmocka_unit_test(a_hostile_answer_takes_no_time_worth_speaking_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
