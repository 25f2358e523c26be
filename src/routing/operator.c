/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/operator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/utf8.h"
#include "src/routing/pattern.h"

enum column {
    COLUMN_MCC, COLUMN_MNC, COLUMN_NAME, COLUMN_USSD, COLUMN_PATTERN, COLUMN_SMS_FROM, COLUMN_SMS_PATTERN, COLUMN_BUNDLE, COLUMN_CURRENCY,
    COLUMN_NOTE, COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
    [COLUMN_MCC] = { "mcc", true },
    [COLUMN_MNC] = { "mnc", true },
    [COLUMN_NAME] = { "name", false },
    [COLUMN_USSD] = { "balance_ussd", false },
    [COLUMN_PATTERN] = { "balance_pattern", false },
    [COLUMN_SMS_FROM] = { "balance_sms_from", false },
    [COLUMN_SMS_PATTERN] = { "balance_sms_pattern", false },
    [COLUMN_BUNDLE] = { "bundle_pattern", false },
    [COLUMN_CURRENCY] = { "currency", false },
    [COLUMN_NOTE] = { "note", false },
};
_Static_assert(COLUMN_COUNT <= TABLE_COLUMNS_MAX, "table.h has room for fewer");

struct operator_table {
    struct operator_row *rows;
    size_t count;
    char *octets;                        /* all values: never more than the file has */
    size_t used;
};

static bool refuse(struct table *table, enum column column, const char *wrong, const char *allowed)
{
    return table_refuse(table, column, table_value(table, column), wrong, allowed);
}

static bool check_digits(struct table *table, enum column column, size_t least, size_t most, const char *allowed)
{
    const char *value = table_value(table, column);
    size_t length = strspn(value, "0123456789");

    return strcmp(value, "*") == 0 || (length >= least && length <= most && value[length] == '\0') ||
           refuse(table, column, "is no code of a network", allowed);
}

static bool check_pattern(struct table *table, enum column column)
{
    static const char allowed[] = "text with {balance}, {parts}, {date}, {currency} and {*} in it, each at most once but {*}";
    const char *pattern = table_value(table, column), *wrong;
    size_t at;

    if (pattern[0] == '\0')
        return true;
    if (strlen(pattern) > OPERATOR_PATTERN_MAX)
        return refuse(table, column, "is too long", "200 octets");
    if (!utf8_is_valid(pattern, strlen(pattern), NULL))
        return refuse(table, column, "is no UTF-8", "UTF-8");
    wrong = pattern_check(pattern, &at);
    if (wrong != NULL) {
        char text[TABLE_SHOWN_CHARS];

        table_note(table, column, "'%s' %s, at octet %zu of it (allowed: %s)", table_shown(pattern, text), wrong, at, allowed);
    }
    return wrong == NULL;
}

static bool check_row(struct table *table)
{
    const char *ussd = table_value(table, COLUMN_USSD), *currency = table_value(table, COLUMN_CURRENCY);
    bool good = check_digits(table, COLUMN_MCC, 3, 3, "three digits, or * for every country");

    good = check_digits(table, COLUMN_MNC, 2, 3, "two or three digits, or * for every network of the country") && good;
    if (strcmp(table_value(table, COLUMN_MCC), "*") == 0 && strcmp(table_value(table, COLUMN_MNC), "*") != 0)
        good = refuse(table, COLUMN_MNC, "is of no country", "* where mcc is *");
    if (strspn(ussd, "0123456789*#+") != strlen(ussd) || strlen(ussd) > OPERATOR_CODE_MAX)
        good = refuse(table, COLUMN_USSD, "is no USSD code", "at most 182 of 0-9, *, # and +");
    if (currency[0] != '\0' && (strlen(currency) != 3 || strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3))
        good = refuse(table, COLUMN_CURRENCY, "is no currency", "three capital letters of ISO 4217, as EUR");
    good = check_pattern(table, COLUMN_PATTERN) && good;
    good = check_pattern(table, COLUMN_BUNDLE) && good;
    good = check_pattern(table, COLUMN_SMS_PATTERN) && good;
    if ((table_value(table, COLUMN_SMS_PATTERN)[0] != '\0') != (table_value(table, COLUMN_SMS_FROM)[0] != '\0'))
        good = refuse(table, COLUMN_SMS_FROM, "and balance_sms_pattern go together", "both or none");
    return good;
}

static const char *keep(struct operator_table *operators, const struct table *table, enum column column)
{
    const char *value = table_value(table, column);
    size_t size = strlen(value) + 1;
    char *kept = operators->octets + operators->used;

    if (size == 1)
        return "";
    memcpy(kept, value, size);
    operators->used += size;
    return kept;
}

static int add_row(struct operator_table *operators, const struct table *table)
{
    if (operators->count % 64 == 0) {
        struct operator_row *rows = realloc(operators->rows, (operators->count + 64) * sizeof *rows);

        if (rows == NULL)
            return -ENOMEM;
        operators->rows = rows;
    }
    operators->rows[operators->count++] = (struct operator_row){
        .line = table->row.line,
        .mcc = keep(operators, table, COLUMN_MCC),
        .mnc = keep(operators, table, COLUMN_MNC),
        .name = keep(operators, table, COLUMN_NAME),
        .balance_ussd = keep(operators, table, COLUMN_USSD),
        .balance_pattern = keep(operators, table, COLUMN_PATTERN),
        .bundle_pattern = keep(operators, table, COLUMN_BUNDLE),
        .balance_sms_from = keep(operators, table, COLUMN_SMS_FROM),
        .balance_sms_pattern = keep(operators, table, COLUMN_SMS_PATTERN),
        .currency = keep(operators, table, COLUMN_CURRENCY),
    };
    return 0;
}

int operator_parse(const struct table_file *file, struct operator_table **ret_table, struct table_notes *notes)
{
    struct operator_table *operators = calloc(1, sizeof *operators);
    struct table *table = malloc(sizeof *table);
    int r = -ENOMEM;

    notes->count = notes->more = 0;
    if (operators == NULL || table == NULL || (operators->octets = malloc(file->length + 2)) == NULL)
        goto out;
    r = table_open(table, file, columns, COLUMN_COUNT, notes);
    while (r == 0 && table_next(table)) {
        if (operators->count == OPERATOR_ROWS_MAX) {
            table_note_at(notes, file->name, table->row.line, NULL, "is one row too many (allowed: %d)", OPERATOR_ROWS_MAX);
            break;
        }
        if (check_row(table))
            r = add_row(operators, table);
    }
    if (r == 0 && notes->count > 0)
        r = -EINVAL;
    if (r == 0) {
        *ret_table = operators;
        operators = NULL;
    }
out:
    free(table);
    operator_free(operators);
    return r;
}

void operator_free(struct operator_table *table)
{
    if (table == NULL)
        return;
    free(table->rows);
    free(table->octets);
    free(table);
}

size_t operator_row_count(const struct operator_table *table) { return table->count; }
const struct operator_row *operator_row_at(const struct operator_table *table, size_t index) { return &table->rows[index]; }

/* -- asking ---------------------------------------------------------------------------------------------------- */

enum nearness { NOT_ITS, OF_ALL, OF_COUNTRY, OF_NETWORK };

/* An MNC has two digits or three (ITU-T E.212), and the IMSI does not say which: a row with three that fits is the nearer one,
 * but then no country has both. */
static enum nearness nearness(const struct operator_row *row, const char *imsi)
{
    if (strcmp(row->mcc, "*") == 0)
        return OF_ALL;
    if (strncmp(imsi, row->mcc, 3) != 0)
        return NOT_ITS;
    if (strcmp(row->mnc, "*") == 0)
        return OF_COUNTRY;
    return strlen(imsi) > 3 && strncmp(imsi + 3, row->mnc, strlen(row->mnc)) == 0 ? OF_NETWORK : NOT_ITS;
}

const char *operator_name(const struct operator_table *table, const char *imsi)
{
    for (size_t i = 0; i < table->count; i++)
        if (nearness(&table->rows[i], imsi) == OF_NETWORK && table->rows[i].name[0] != '\0')
            return table->rows[i].name;
    return "";
}

const char *operator_balance_code(const struct operator_table *table, const char *imsi)
{
    const char *code = "";
    enum nearness best = NOT_ITS;

    for (size_t i = 0; i < table->count; i++) {
        enum nearness near = nearness(&table->rows[i], imsi);

        if (near > best && table->rows[i].balance_ussd[0] != '\0') {
            best = near;
            code = table->rows[i].balance_ussd;
        }
    }
    return code;
}

static bool same_sender(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a | 0x20) : *a, y = *b >= 'A' && *b <= 'Z' ? (char)(*b | 0x20) : *b;

        if (x != y)
            return false;
    }
    return *a == *b;
}

bool operator_sends_balance(const struct operator_table *table, const char *imsi, const char *from)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].balance_sms_from[0] != '\0' && nearness(&table->rows[i], imsi) != NOT_ITS &&
            same_sender(table->rows[i].balance_sms_from, from))
            return true;
    return false;
}

/* -- reading --------------------------------------------------------------------------------------------------- */

enum source { BALANCE, BUNDLE, SMS };

static const char *pattern_of(const struct operator_row *row, enum source source, const char *from)
{
    switch (source) {
    case BALANCE: return row->balance_pattern;
    case BUNDLE: return row->bundle_pattern;
    default: return row->balance_sms_from[0] != '\0' && same_sender(row->balance_sms_from, from) ? row->balance_sms_pattern : "";
    }
}

static bool has_three_decimals(const char *currency)
{
    static const char *const codes[] = { "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND" };   /* ISO 4217, minor unit 3 */

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i], currency) == 0)
            return true;
    return false;
}

static const char *network_currency(const struct operator_table *table, const char *imsi)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].currency[0] != '\0' && nearness(&table->rows[i], imsi) >= OF_COUNTRY)
            return table->rows[i].currency;
    return "";
}

/* False: a number in it is none after all. */
static bool take(const struct operator_table *table, const char *imsi, const struct operator_row *row, const char *text,
                 const struct pattern_match *match, struct operator_reading *reading)
{
    const struct pattern_find *balance = &match->places[PATTERN_BALANCE], *parts = &match->places[PATTERN_PARTS];
    const struct pattern_find *date = &match->places[PATTERN_DATE], *currency = &match->places[PATTERN_CURRENCY];
    char code[4] = "";
    int64_t micro;
    int32_t count = 0;

    if (balance->found) {
        if (!currency->found || !pattern_currency(text + currency->at, currency->length, code))
            strcpy(code, row->currency[0] != '\0' ? row->currency : network_currency(table, imsi));
        if (!pattern_amount(text + balance->at, balance->length, has_three_decimals(code), &micro))
            return false;
        if (!reading->has_balance) {
            reading->has_balance = true;
            reading->balance_micro = micro;
            strcpy(reading->currency, code);
            reading->row = row;
        }
    }
    if (parts->found && !reading->has_parts) {
        for (size_t i = 0; i < parts->length; i++)
            count = count * 10 + (text[parts->at + i] - '0');
        reading->has_parts = true;
        reading->rest_parts = count;
        if (reading->row == NULL)
            reading->row = row;
    }
    if (date->found && !reading->has_date)
        reading->has_date = pattern_day(text + date->at, date->length, &reading->valid_until_day);
    return true;
}

static bool read_by(const struct operator_table *table, const char *imsi, enum source source, const char *from, const char *text,
                    size_t length, struct operator_reading *reading)
{
    for (enum nearness near = OF_NETWORK; near > NOT_ITS; near--) {
        bool any = false;

        for (size_t i = 0; i < table->count; i++) {
            const struct operator_row *row = &table->rows[i];
            const char *pattern = pattern_of(row, source, from);
            struct pattern_match match;

            if (pattern[0] == '\0' || nearness(row, imsi) != near)
                continue;
            any = true;
            if (pattern_match(pattern, text, length, &match) && take(table, imsi, row, text, &match, reading))
                return true;
        }
        if (any)
            return false;                /* whoever has patterns of their own is not read by those for everybody */
    }
    return false;
}

int operator_read(const struct operator_table *table, const char *imsi, const char *from, const char *text, struct operator_reading *ret_reading)
{
    struct operator_reading reading = { 0 };
    size_t length = strlen(text);
    bool fits;

    if (length > OPERATOR_TEXT_MAX)
        length = OPERATOR_TEXT_MAX;
    if (from != NULL) {
        fits = read_by(table, imsi, SMS, from, text, length, &reading);
    } else {
        fits = read_by(table, imsi, BALANCE, NULL, text, length, &reading);
        fits = read_by(table, imsi, BUNDLE, NULL, text, length, &reading) || fits;
    }
    if (!fits)
        return -ENOENT;
    *ret_reading = reading;
    return 0;
}
