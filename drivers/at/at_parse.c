/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/at/at_parse.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define FIELDS_MAX 12

/* A line cut at its commas; blanks around and quotes at the ends are off. */
struct field { const char *text; size_t length; bool quoted; };
struct fields { size_t count; struct field field[FIELDS_MAX]; };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static int hex_value(char c)
{
    return is_digit(c) ? c - '0' : upper(c) - 'A' + 10;
}

static bool starts_with(const char *line, const char *name)
{
    return strncmp(line, name, strlen(name)) == 0;
}

/* What stands behind "+NAME:", or the line itself where it has no such name. */
static const char *behind_name(const char *line)
{
    const char *p = line;

    while (*p == ' ')
        p++;
    if (*p == '+' || *p == '^' || *p == '#' || *p == '$' || *p == '*') {
        const char *colon = strchr(p, ':');

        if (colon != NULL)
            p = colon + 1;
    }
    while (*p == ' ')
        p++;
    return p;
}

/* Commas count, quotes do not: a quote may be missing on either side ("0B,"0100701",7). */
static struct fields split(const char *text)
{
    struct fields fields = { 0 };

    for (const char *p = text; fields.count < FIELDS_MAX; p++) {
        const char *end = strchr(p, ',');
        struct field *field = &fields.field[fields.count++];
        size_t length = end != NULL ? (size_t)(end - p) : strlen(p);

        while (length > 0 && *p == ' ')
            p++, length--;
        while (length > 0 && p[length - 1] == ' ')
            length--;
        if (length > 0 && *p == '"') {
            field->quoted = true;
            p++, length--;
        }
        if (length > 0 && p[length - 1] == '"')
            length--;
        field->text = p;
        field->length = length;
        if (end == NULL)
            break;
        p = end;
    }
    return fields;
}

/* Decimal or hexadecimal, blanks inside skipped (Gobi 1000 writes "  0 5"). -1: no number. */
static long number_of(const struct field *field, int base)
{
    long value = 0;
    bool any = false;

    for (size_t i = 0; i < field->length; i++) {
        char c = upper(field->text[i]);
        int digit = is_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;

        if (c == ' ')
            continue;
        if (digit >= base || value > (LONG_MAX - digit) / base)
            return -1;
        value = value * base + digit;
        any = true;
    }
    return any ? value : -1;
}

static int small_number(const struct fields *fields, size_t i)
{
    long value = i < fields->count ? number_of(&fields->field[i], 10) : -1;

    return value > INT_MAX ? -1 : (int)value;
}

static void copy_text(const char *text, size_t length, char *ret_text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used + 1 < size; i++) {
        unsigned char c = (unsigned char)text[i];

        ret_text[used++] = c >= 0x20 && c < 0x7F ? (char)c : '?';
    }
    ret_text[used] = '\0';
}

int at_parse_registration(const char *line, struct at_registration *ret_registration)
{
    static const char *const names[] = { "+CREG:", "+CGREG:", "+CEREG:", "+C5GREG:" };
    struct at_registration registration = { .area = -1, .cell = -1, .act = -1 };
    struct fields fields;
    size_t first = 1;
    bool named = false;

    for (size_t i = 0; i < COUNT(names); i++)
        named = named || starts_with(line, names[i]);
    if (!named)
        return -EINVAL;
    fields = split(behind_name(line));

    /* Two numbers are always an answer; with more, an area code (quoted, or longer than a <stat>, or left out) in the
     * second place means that the first one is already <stat>. */
    if (fields.count == 1)
        registration.unsolicited = true;
    else if (fields.field[1].quoted || fields.field[1].length == 0)
        registration.unsolicited = true;
    else if (fields.count > 2)
        registration.unsolicited = fields.field[1].length > 2 || number_of(&fields.field[1], 10) < 0;
    if (registration.unsolicited)
        first = 0;

    registration.stat = small_number(&fields, first);
    if (registration.stat < 0 || registration.stat > 15)
        return -EINVAL;
    if (fields.count > first + 1)
        registration.area = number_of(&fields.field[first + 1], 16);
    if (fields.count > first + 2)
        registration.cell = number_of(&fields.field[first + 2], 16);
    registration.act = small_number(&fields, first + 3);
    *ret_registration = registration;
    return 0;
}

bool at_registration_can_send(int stat)
{
    return stat == 1 || stat == 5 || stat == 6 || stat == 7 || stat == 9 || stat == 10;
}

bool at_registration_is_roaming(int stat)
{
    return stat == 5 || stat == 7 || stat == 10;
}

int at_parse_cpin(const char *line, enum at_sim *ret_sim)
{
    /* In order: PIN2 before PIN, since one is the start of the other. */
    static const struct { const char *text; enum at_sim sim; } answers[] = {
        { "READY", AT_SIM_READY },     { "SIM PIN2", AT_SIM_READY },    { "SIM PUK2", AT_SIM_READY },
        { "SIM PIN", AT_SIM_PIN },     { "SIM PUK", AT_SIM_PUK },       { "PH-", AT_SIM_LOCKED },
        { "NOT INSERTED", AT_SIM_MISSING }, { "SIM NOT INSERTED", AT_SIM_MISSING }, { "SIM REMOVED", AT_SIM_MISSING },
        { "NOT READY", AT_SIM_BUSY },  { "SIM BUSY", AT_SIM_BUSY },     { "SIM FAILURE", AT_SIM_FAILURE },
    };
    const char *p = behind_name(line);

    if (line[0] == '+' && !starts_with(line, "+CPIN"))
        return -EINVAL;
    if (*p == '"')
        p++;
    for (size_t i = 0; i < COUNT(answers); i++) {
        const char *text = answers[i].text;
        size_t k = 0;

        while (text[k] != '\0' && upper(p[k]) == text[k])
            k++;
        if (text[k] == '\0') {
            *ret_sim = answers[i].sim;
            return 0;
        }
    }
    return -EINVAL;
}

int at_sim_from_error(bool cms, int code, enum at_sim *ret_sim)
{
    static const struct { short cme, cms; enum at_sim sim; } codes[] = {
        { 10, 310, AT_SIM_MISSING }, { 11, 311, AT_SIM_PIN },     { 12, 316, AT_SIM_PUK },
        { 13, 313, AT_SIM_FAILURE }, { 14, 314, AT_SIM_BUSY },    { 15, 315, AT_SIM_FAILURE },
        { 17, 317, AT_SIM_READY },   { 18, 318, AT_SIM_READY },   { 5, 312, AT_SIM_LOCKED },
        { 6, -1, AT_SIM_LOCKED },    { 7, -1, AT_SIM_LOCKED },    { 40, -1, AT_SIM_LOCKED },
        { 41, -1, AT_SIM_LOCKED },   { 42, -1, AT_SIM_LOCKED },   { 43, -1, AT_SIM_LOCKED },
        { 44, -1, AT_SIM_LOCKED },   { 45, -1, AT_SIM_LOCKED },   { 46, -1, AT_SIM_LOCKED },
        { 47, -1, AT_SIM_LOCKED },
    };

    for (size_t i = 0; i < COUNT(codes) && code >= 0; i++) {
        if (code == (cms ? codes[i].cms : codes[i].cme)) {
            *ret_sim = codes[i].sim;
            return 0;
        }
    }
    return -EINVAL;
}

/* Where each maker has the counter of PIN1. label: the first field must be that, since other lines count other codes. */
static const struct pin_form { const char *name, *label; int8_t left, full; } pin_forms[] = {
    { "+CPINR:", "SIM PIN", 1, 2 },    /* one line per code: "SIM PIN,3,3" */
    { "^CPIN:", "SIM PIN", 3, -1 },    /* Huawei: code, its tries, PUK, PIN, PUK2, PIN2 */
    { "+QPINC:", "SC", 1, -1 },        /* Quectel: "SC",PIN,PUK and "P2",PIN2,PUK2 */
    { "+QTRPIN:", NULL, 0, -1 },       /* Quectel's older ones */
    { "+SPIC:", NULL, 0, -1 },         /* SIMCom: the order of the others differs by model */
    { "+UPINCNT:", NULL, 0, -1 },      /* u-blox */
    { "^SPIC:", NULL, 0, -1 },         /* Cinterion */
    { "#PCT:", NULL, 0, -1 },          /* Telit: of the code that is asked for */
    { "+CPINC:", NULL, 0, -1 },        /* Sierra */
    { "+ZPINPUK:", NULL, 0, -1 },      /* ZTE */
};
#define PIN_TRIES_MAX 15

/* The status word at the end: 63CX, X tries are left; 6983, the PIN is blocked (TS 102 221 10.2). */
static int tries_of_status_word(const struct fields *fields)
{
    struct field word;
    long value;

    if (fields->count < 2 || fields->field[1].length != 4)
        return -1;
    word = fields->field[1];
    value = number_of(&word, 16);
    if (value == 0x6983)
        return 0;
    return value >= 0 && (value & 0xFFF0) == 0x63C0 ? (int)(value & 0xF) : -1;
}

int at_parse_pin_tries(const char *line, struct at_pin_tries *ret_tries)
{
    struct at_pin_tries tries = { -1, -1 };
    struct fields fields = split(behind_name(line));

    if (starts_with(line, "+CSIM:"))
        tries.left = tries_of_status_word(&fields);
    for (size_t i = 0; i < COUNT(pin_forms); i++) {
        const struct pin_form *form = &pin_forms[i];
        const struct field *first = &fields.field[0];

        if (!starts_with(line, form->name))
            continue;
        if (form->label != NULL &&
            (first->length != strlen(form->label) || memcmp(first->text, form->label, first->length) != 0))
            continue;
        tries.left = small_number(&fields, (size_t)form->left);
        tries.full = form->full >= 0 ? small_number(&fields, (size_t)form->full) : -1;
    }
    if (tries.left < 0 || tries.left > PIN_TRIES_MAX || tries.full > PIN_TRIES_MAX)
        return -EINVAL;
    *ret_tries = tries;
    return 0;
}

int at_parse_csq(const char *line, int *ret_rssi, int *ret_ber)
{
    struct fields fields;
    int rssi;

    if (!starts_with(line, "+CSQ:"))
        return -EINVAL;
    fields = split(behind_name(line));
    rssi = small_number(&fields, 0);
    if (rssi < 0)
        return -EINVAL;
    *ret_rssi = rssi;
    *ret_ber = small_number(&fields, 1);
    return 0;
}

int at_rssi_to_dbm(int rssi)
{
    return rssi >= 0 && rssi <= 31 ? -113 + 2 * rssi : 0;
}

int at_parse_cpms(const char *line, struct at_storages *ret_storages)
{
    struct at_storages storages = { 0 };
    struct fields fields;
    bool named;

    if (!starts_with(line, "+CPMS:") || strchr(line, '(') != NULL)
        return -EINVAL;
    fields = split(behind_name(line));
    named = fields.count > 0 && fields.field[0].length > 0 && number_of(&fields.field[0], 10) < 0;
    for (size_t i = 0; storages.count < 3 && i + (named ? 2 : 1) < fields.count; i += named ? 3 : 2) {
        struct at_storage *memory = &storages.memory[storages.count];

        if (named)
            copy_text(fields.field[i].text, fields.field[i].length, memory->name, sizeof memory->name);
        memory->used = small_number(&fields, named ? i + 1 : i);
        memory->total = small_number(&fields, named ? i + 2 : i + 1);
        if (memory->used < 0 || memory->total < 0)
            break;   /* "+CPMS: ,,,,,,,,": reading is not supported */
        storages.count++;
    }
    if (storages.count == 0)
        return -EINVAL;
    *ret_storages = storages;
    return 0;
}

int at_parse_cpms_lists(const char *line, uint8_t ret_lists[3])
{
    static const struct { const char *name; uint8_t bit; } names[] = {
        { "SM", AT_STORAGE_SM }, { "ME", AT_STORAGE_ME }, { "MT", AT_STORAGE_MT }, { "SR", AT_STORAGE_SR },
    };
    uint8_t lists[3] = { 0 };
    size_t list = 0;

    if (!starts_with(line, "+CPMS:") || strchr(line, '(') == NULL)
        return -EINVAL;
    for (const char *p = line; *p != '\0' && list < 3; p++) {
        uint8_t bit = AT_STORAGE_OTHER;

        /* Not by depth: Wavecom Q2 puts one more pair around all of them. */
        if (*p == ')' && p[-1] != ')')
            list++;
        if (*p != '"' || p[1] == '\0' || p[1] == '"' || p[2] == '\0' || list >= 3)
            continue;
        for (size_t i = 0; i < COUNT(names); i++) {
            if (p[1] == names[i].name[0] && p[2] == names[i].name[1] && p[3] == '"')
                bit = names[i].bit;
        }
        lists[list] |= bit;
        p = strchr(p + 1, '"');
        if (p == NULL)
            break;
    }
    memcpy(ret_lists, lists, sizeof lists);
    return 0;
}

int at_parse_cmti(const char *line, char ret_storage[3], int *ret_index)
{
    struct fields fields;

    if (!starts_with(line, "+CMTI:") && !starts_with(line, "+CDSI:"))
        return -EINVAL;
    fields = split(behind_name(line));
    if (fields.count < 2)
        return -EINVAL;
    copy_text(fields.field[0].text, fields.field[0].length, ret_storage, 3);
    *ret_index = small_number(&fields, 1);   /* "-1" is no number, and so -1 */
    return 0;
}

int at_parse_message_header(const char *line, struct at_message_header *ret_header)
{
    struct at_message_header header = { -1, -1, -1 };
    struct fields fields = split(behind_name(line));
    bool list = starts_with(line, "+CMGL:"), read = starts_with(line, "+CMGR:");
    size_t first = list ? 1 : 0;

    if (!list && !read && !starts_with(line, "+CMT:") && !starts_with(line, "+CDS:") && !starts_with(line, "+CBM:"))
        return -EINVAL;
    if (list)
        header.index = small_number(&fields, 0);
    /* The alpha field between them may be missing or hold commas: the length is the last one. */
    if ((list || read) && fields.count > first + 1)
        header.stat = small_number(&fields, first);
    if (fields.count > first)
        header.length = small_number(&fields, fields.count - 1);
    if (list && header.index < 0)
        return -EINVAL;
    *ret_header = header;
    return 0;
}

static int parse_one(const char *line, const char *name, int *ret_value)
{
    struct fields fields;
    int value;

    if (!starts_with(line, name))
        return -EINVAL;
    fields = split(behind_name(line));
    value = small_number(&fields, 0);
    if (value < 0)
        return -EINVAL;
    *ret_value = value;
    return 0;
}

int at_parse_cmgs(const char *line, int *ret_mr)
{
    int mr;

    if (parse_one(line, "+CMGS:", &mr) < 0 || mr > 255)
        return -EINVAL;
    *ret_mr = mr;
    return 0;
}

int at_parse_csms(const char *line, int *ret_service)
{
    return parse_one(line, "+CSMS:", ret_service);
}

int at_parse_cmee(const char *line, int *ret_mode)
{
    return parse_one(line, "+CMEE:", ret_mode);
}

/* UCS2 hex of ASCII ("002B00390037") into text; false where it is something else. */
static bool from_ucs2_hex(const struct field *field, char *ret_text, size_t size)
{
    size_t used = 0;

    if (field->length < 8 || field->length % 4 != 0)
        return false;
    for (size_t i = 0; i < field->length; i += 4) {
        struct field unit = { field->text + i, 4, false };
        long value = number_of(&unit, 16);

        if (value < 0x20 || value > 0x7E || used + 1 >= size)
            return false;
        ret_text[used++] = (char)value;
    }
    ret_text[used] = '\0';
    return true;
}

int at_parse_csca(const char *line, char *ret_smsc, size_t size)
{
    char number[32];
    struct fields fields;

    if (!starts_with(line, "+CSCA:"))
        return -EINVAL;
    fields = split(behind_name(line));
    if (fields.count == 0 || fields.field[0].length == 0)
        return -ENOENT;
    if (!from_ucs2_hex(&fields.field[0], number, sizeof number))
        copy_text(fields.field[0].text, fields.field[0].length, number, sizeof number);
    for (const char *p = number; *p != '\0'; p++) {
        if (!is_digit(*p) && !(p == number && *p == '+'))
            return -EINVAL;
    }
    copy_text(number, strlen(number), ret_smsc, size);
    return 0;
}

int at_parse_cops(const char *line, char *ret_name, size_t size, int *ret_act)
{
    const char *p, *quote, *end;
    struct fields tail;

    if (!starts_with(line, "+COPS:"))
        return -EINVAL;
    p = behind_name(line);
    quote = strchr(p, '"');
    if (quote == NULL || quote[1] == '\0')
        return -ENOENT;   /* "+COPS: 0" */
    end = strrchr(quote + 1, '"');
    if (end == NULL)
        end = quote + strlen(quote);
    if (end == quote + 1)
        return -ENOENT;
    struct field name = { quote + 1, (size_t)(end - quote - 1), true };
    if (!from_ucs2_hex(&name, ret_name, size))
        copy_text(name.text, name.length, ret_name, size);
    tail = split(*end == '"' ? end + 1 : end);
    *ret_act = small_number(&tail, 1);
    return 0;
}

int at_parse_identity(const char *line, char *ret_text, size_t size)
{
    static const char *const labels[] = { "Revision:", "Model:", "Manufacturer:", "IMEI:" };
    const char *p = behind_name(line);
    size_t length;

    for (size_t i = 0; i < COUNT(labels); i++) {
        if (starts_with(p, labels[i]))
            p += strlen(labels[i]);
    }
    while (*p == ' ' || *p == '"')
        p++;
    length = strlen(p);
    while (length > 0 && (p[length - 1] == ' ' || p[length - 1] == '"'))
        length--;
    if (length == 0)
        return -EINVAL;
    copy_text(p, length, ret_text, size);
    return 0;
}

/* The first run of digits (and of 'F' where filler is meant) that is min..max long. */
static const char *find_digits(const char *text, bool hex, size_t min, size_t max, size_t *ret_length)
{
    for (const char *p = text; *p != '\0';) {
        size_t length = 0;

        while (is_digit(p[length]) || (hex && upper(p[length]) >= 'A' && upper(p[length]) <= 'F'))
            length++;
        if (length >= min && length <= max) {
            *ret_length = length;
            return p;
        }
        p += length > 0 ? length : 1;
    }
    return NULL;
}

int at_parse_imei(const char *line, char *ret_imei, size_t size)
{
    size_t length;
    const char *digits = find_digits(behind_name(line), false, 14, 16, &length);

    if (digits == NULL || length >= size)
        return -EINVAL;
    copy_text(digits, length > 15 ? 15 : length, ret_imei, size);   /* IMEISV: the first 14 say which device */
    return 0;
}

int at_parse_imsi(const char *line, char *ret_imsi, size_t size)
{
    size_t length;
    const char *p = behind_name(line), *digits;

    if (*p == '"')
        p++;
    digits = find_digits(p, false, 6, 15, &length);
    if (digits != p || length >= size)
        return -EINVAL;
    copy_text(digits, length, ret_imsi, size);
    return 0;
}

int at_parse_iccid(const char *line, char *ret_iccid, size_t size)
{
    const char *p = behind_name(line), *digits;
    char iccid[24];
    size_t length;
    bool swapped;

    if (starts_with(line, "+CRSM:")) {
        struct fields fields = split(p);
        int sw1 = small_number(&fields, 0);

        /* OK although the card refused: the status word decides (TS 51.011 9.4). */
        if (fields.count < 3 || (sw1 != 144 && sw1 != 145))
            return -EINVAL;
        p = fields.field[2].text;
    }
    digits = find_digits(p, true, 18, 22, &length);
    if (digits == NULL)
        return -EINVAL;
    /* Every card's number begins with 89 (E.118); as EF_ICCID holds it (TS 51.011 10.1.1) that reads 98. */
    swapped = digits[0] == '9' && digits[1] == '8' && length % 2 == 0;
    for (size_t i = 0; i < length; i++)
        iccid[i] = upper(digits[swapped ? i ^ 1u : i]);
    while (length > 0 && iccid[length - 1] == 'F')
        length--;
    iccid[length] = '\0';
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(iccid[i]))
            return -EINVAL;
    }
    if (length < 18 || length >= size)
        return -EINVAL;
    memcpy(ret_iccid, iccid, length + 1);
    return 0;
}

int at_parse_crsm_octet(const char *line, int *ret_octet)
{
    struct fields fields;
    int sw1, sw2;

    if (!starts_with(line, "+CRSM:"))
        return -EINVAL;
    fields = split(behind_name(line));
    sw1 = small_number(&fields, 0);
    sw2 = small_number(&fields, 1);
    if (sw1 < 0 || sw2 < 0)
        return -EINVAL;
    if (sw1 != 144 || sw2 != 0)
        return -ENOENT;
    if (fields.count != 3 || fields.field[2].length < 2 || fields.field[2].length % 2 != 0 ||
        strspn(fields.field[2].text, "0123456789ABCDEFabcdef") < fields.field[2].length)
        return -EINVAL;
    *ret_octet = hex_value(fields.field[2].text[0]) * 16 + hex_value(fields.field[2].text[1]);
    return 0;
}
