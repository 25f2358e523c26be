/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/at/at_words.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum match { WHOLE, START };

static const struct {
    const char *text;
    enum match match;
    bool ok;
    enum at_error_kind kind;
} finals[] = {
    { "OK", WHOLE, true, AT_ERROR_PLAIN },
    { "ERROR", WHOLE, false, AT_ERROR_PLAIN },
    { "+CMS ERROR", START, false, AT_ERROR_CMS },
    { "+CME ERROR", START, false, AT_ERROR_CME },
    { "+CMGS ERROR", START, false, AT_ERROR_CMS },          /* Fibocom G510 manual */
    { "COMMAND NOT SUPPORT", START, false, AT_ERROR_PLAIN },   /* Huawei */
    { "TOO MANY PARAMETERS", WHOLE, false, AT_ERROR_PLAIN },   /* Huawei */
    { "MODEM ERROR", START, false, AT_ERROR_PLAIN },        /* Motorola */
    { "NA", WHOLE, false, AT_ERROR_PLAIN },                 /* ModemManager's list */
};

/* Texts of AT+CMEE=2 and of modems that ignore CMEE=1; lower case, without blanks, as vendors disagree on both. */
static const struct {
    const char *text;
    short cme, cms;   /* -1: no such code in that family (27.007 9.2, 27.005 3.2.5) */
} texts[] = {
    { "phonefailure", 0, 300 },          { "mefailure", 0, 300 },
    { "operationnotallowed", 3, 302 },   { "operationnotsupported", 4, 303 },
    { "simnotinserted", 10, 310 },       { "simpinrequired", 11, 311 },
    { "simpukrequired", 12, 316 },       { "simfailure", 13, 313 },
    { "simbusy", 14, 314 },              { "simwrong", 15, 315 },
    { "incorrectpassword", 16, -1 },     { "simpin2required", 17, 317 },
    { "simpuk2required", 18, 318 },      { "memoryfull", 20, 322 },
    { "invalidindex", 21, 321 },         { "invalidmemoryindex", 21, 321 },
    { "notfound", 22, -1 },              { "memoryfailure", 23, 320 },
    { "nonetworkservice", 30, 331 },     { "networktimeout", 31, 332 },
    { "unknown", 100, 500 },             { "unknownerror", 100, 500 },
    { "invalidpdumodeparameter", -1, 304 }, { "invalidtextmodeparameter", -1, 305 },
    { "smscaddressunknown", -1, 330 },   { "nocnmaacknowledgementexpected", -1, 340 },
    { "smsserviceofmereserved", -1, 301 },
};

static const struct {
    const char *text;
    enum match match;
    enum at_urc urc;
} urcs[] = {
    { "+CMT:", START, AT_URC_UNIT },
    { "+CDS:", START, AT_URC_UNIT },
    { "+CBM:", START, AT_URC_UNIT },

    { "RDY", WHOLE, AT_URC_BOOT },                    { "APP RDY", WHOLE, AT_URC_BOOT },
    { "Ready", WHOLE, AT_URC_BOOT },   /* nRF91 */
    { "^SYSSTART", START, AT_URC_BOOT },              { "^SHUTDOWN", START, AT_URC_BOOT },
    { "*ATREADY", START, AT_URC_BOOT },               { "+AT: READY", START, AT_URC_BOOT },
    { "Init...", WHOLE, AT_URC_BOOT },                { "MODEM STARTUP", START, AT_URC_BOOT },
    { "NORMAL POWER DOWN", START, AT_URC_BOOT },      { "POWERED DOWN", START, AT_URC_BOOT },
    { "UNDER-VOLTAGE POWER", START, AT_URC_BOOT },    { "OVER-VOLTAGE POWER", START, AT_URC_BOOT },

    { "Call Ready", WHOLE, AT_URC_READY },            { "SMS Ready", WHOLE, AT_URC_READY },
    { "SMS DONE", WHOLE, AT_URC_READY },              { "PB DONE", WHOLE, AT_URC_READY },
    { "+QIND: SMS DONE", START, AT_URC_READY },       { "+QIND: PB DONE", START, AT_URC_READY },
    { "+SIM READY", START, AT_URC_READY },

    { "^SMMEMFULL", START, AT_URC_FULL },             { "+QIND: \"smsfull\"", START, AT_URC_FULL },
    { "SMS FULL", START, AT_URC_FULL },               { "+SMS FULL", START, AT_URC_FULL },

    { "RING", WHOLE, AT_URC_OTHER },                  { "NO CARRIER", START, AT_URC_OTHER },
    { "BUSY", WHOLE, AT_URC_OTHER },                  { "NO ANSWER", WHOLE, AT_URC_OTHER },
    { "NO DIALTONE", START, AT_URC_OTHER },           { "VOICE CALL:", START, AT_URC_OTHER },
    { "MISSED_CALL:", START, AT_URC_OTHER },          { "SRING", START, AT_URC_OTHER },
    { "DST:", START, AT_URC_OTHER },                  { "UNDER-VOLTAGE WARN", START, AT_URC_OTHER },
    { "OVER-VOLTAGE WARN", START, AT_URC_OTHER },     { "*PSUTTZ", START, AT_URC_OTHER },
    { "+CMTI:", START, AT_URC_OTHER },                { "+CDSI:", START, AT_URC_OTHER },
    { "+CREG:", START, AT_URC_OTHER },                { "+CGREG:", START, AT_URC_OTHER },
    { "+CEREG:", START, AT_URC_OTHER },               { "+C5GREG:", START, AT_URC_OTHER },
    { "+CRING", START, AT_URC_OTHER },                { "+CLIP:", START, AT_URC_OTHER },
    { "+CUSD:", START, AT_URC_OTHER },                { "+CIEV:", START, AT_URC_OTHER },
    { "+CTZ", START, AT_URC_OTHER },                  { "+NITZ", START, AT_URC_OTHER },
    { "+CGEV:", START, AT_URC_OTHER },                { "+CPIN:", START, AT_URC_OTHER },
    { "+CFUN:", START, AT_URC_OTHER },                { "+CMGS:", START, AT_URC_OTHER },   /* a late one */
    { "^RSSI", START, AT_URC_OTHER },                 { "^HRSSI", START, AT_URC_OTHER },
    { "^HCSQ", START, AT_URC_OTHER },                 { "^MODE", START, AT_URC_OTHER },
    { "^BOOT", START, AT_URC_OTHER },                 { "^SRVST", START, AT_URC_OTHER },
    { "^SIMST", START, AT_URC_OTHER },                { "^DSFLOWRPT", START, AT_URC_OTHER },
    { "^CSNR", START, AT_URC_OTHER },                 { "^STIN", START, AT_URC_OTHER },
    { "^NWTIME", START, AT_URC_OTHER },               { "^NDIS", START, AT_URC_OTHER },
    { "^LTERSRP", START, AT_URC_OTHER },              { "^SCKS", START, AT_URC_OTHER },
    { "+QIND:", START, AT_URC_OTHER },                { "+QUSIM:", START, AT_URC_OTHER },
    { "+QLWURC", START, AT_URC_OTHER },               { "+QGPSURC", START, AT_URC_OTHER },
    { "+QTONEDET", START, AT_URC_OTHER },             { "+QSIMSTAT:", START, AT_URC_OTHER },
    { "+CNSMOD", START, AT_URC_OTHER },               { "+RXDTMF", START, AT_URC_OTHER },
    { "+ZUSIMR", START, AT_URC_OTHER },               { "+ZDONR", START, AT_URC_OTHER },
    { "+ZPASR", START, AT_URC_OTHER },                { "+ZPSTM", START, AT_URC_OTHER },
    { "+ZEND", START, AT_URC_OTHER },                 { "+PACSP", START, AT_URC_OTHER },
    { "#QSS:", START, AT_URC_OTHER },                 { "#STN:", START, AT_URC_OTHER },
    { "+CUSATP:", START, AT_URC_OTHER },              { "+CUSATEND", START, AT_URC_OTHER },
    { "+SIM DROP", START, AT_URC_OTHER },             { "+SIM:", START, AT_URC_OTHER },
    { "+UUSIMSTAT", START, AT_URC_OTHER },            { "+UMWI", START, AT_URC_OTHER },
};

static bool starts(const char *line, size_t length, const char *text)
{
    size_t size = strlen(text);

    return length >= size && memcmp(line, text, size) == 0;
}

static size_t without_blanks_at_end(const char *line, size_t length)
{
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    return length;
}

static int code_of_text(const char *text, size_t length, enum at_error_kind kind)
{
    char plain[40];
    size_t used = 0;

    for (size_t i = 0; i < length && used + 1 < sizeof plain; i++) {
        char c = text[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            plain[used++] = c;
    }
    plain[used] = '\0';
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (strcmp(texts[i].text, plain) == 0)
            return kind == AT_ERROR_CME ? texts[i].cme : texts[i].cms;
    }
    return -1;
}

/* After "+CMS ERROR": ": 500", ":53", ": \"SIM busy\"", ":", ": Unknown error" or nothing. */
static int code_of(const char *rest, size_t length, enum at_error_kind kind)
{
    size_t i = 0;
    int code = 0;

    while (i < length && (rest[i] == ':' || rest[i] == ' ' || rest[i] == '"'))
        i++;
    if (i == length)
        return -1;
    if (rest[i] < '0' || rest[i] > '9')
        return code_of_text(rest + i, length - i, kind);
    for (; i < length && rest[i] >= '0' && rest[i] <= '9'; i++) {
        code = code * 10 + (rest[i] - '0');
        if (code > 99999)
            return -1;
    }
    return code;
}

bool at_words_final(const char *line, size_t length, struct at_final *ret_final)
{
    size_t plain = without_blanks_at_end(line, length);

    for (size_t i = 0; i < COUNT(finals); i++) {
        size_t size = strlen(finals[i].text);
        char next = plain > size ? line[size] : '\0';
        bool glued = next == '+' || next == '^';

        if (!starts(line, plain, finals[i].text))
            continue;
        if (finals[i].match == WHOLE && plain != size && !glued)
            continue;
        if (finals[i].match == START && next != '\0' && next != ':' && next != ' ')
            continue;
        *ret_final = (struct at_final){
            .ok = finals[i].ok,
            .kind = finals[i].kind,
            .code = finals[i].kind == AT_ERROR_PLAIN ? -1 : code_of(line + size, plain - size, finals[i].kind),
            .length = finals[i].match == WHOLE && glued ? size : length,
        };
        return true;
    }
    return false;
}

enum at_urc at_words_urc(const char *line, size_t length)
{
    size_t plain = without_blanks_at_end(line, length);

    for (size_t i = 0; i < COUNT(urcs); i++) {
        if (starts(line, plain, urcs[i].text) && (urcs[i].match == START || plain == strlen(urcs[i].text)))
            return urcs[i].urc;
    }
    return AT_URC_NONE;
}

bool at_words_has_name(const char *line, size_t length)
{
    return length > 1 && strchr("+^*#$%", line[0]) != NULL && line[0] != '\0' &&
           line[1] >= 'A' && line[1] <= 'Z' && memchr(line, ':', length) != NULL;
}

bool at_words_is_command(const char *line, size_t length)
{
    static const char *const basic[] = { "AT", "ATE0", "ATE1", "ATZ", "ATI", "ATH" };

    if (length >= 2 && (line[0] == 'A' || line[0] == 'a') && (line[1] == 'T' || line[1] == 't')) {
        if (length > 2 && (line[2] == '+' || line[2] == '^' || line[2] == '#' || line[2] == '$' || line[2] == '*'))
            return true;
        for (size_t i = 0; i < COUNT(basic); i++) {
            if (length == strlen(basic[i]) && memcmp(line, basic[i], length) == 0)
                return true;
        }
        /* "ATE0+CPMS?": a basic command with an extended one behind it, ModemManager's probe. */
        return length > 4 && line[2] == 'E' && (line[4] == '+' || line[4] == ';');
    }
    return false;
}

bool at_words_named(const char *line, size_t length, const char *name)
{
    size_t size = strlen(name);

    return size > 0 && starts(line, length, name) && (length == size || line[size] == ':');
}
