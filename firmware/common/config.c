/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c - reads cellpost.ini line by line.
 *
 * libinih does the reading of a line, but only one line at a time: by itself it reports the first bad line only, does
 * not tell the handler the line's number (Debian builds it without INI_HANDLER_LINENO), says nothing of sections
 * without keys, cuts long lines and names, and joins an indented "key = value" to the value above. */
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/common/config_parser.h"
#include "src/base/utf8.h"

#define LINE_OCTETS_MAX 197
#define SECTION_OCTETS_MAX 49   /* MAX_SECTION in ini.c, which cuts the rest off */
_Static_assert(LINE_OCTETS_MAX <= INI_MAX_LINE - 3, "inih's buffer holds CR, LF and NUL too");
#define BLANKS " \t"

static const struct config config_defaults = {
    .gateway = { .state_dir = "/var/lib/cellpost", .max_parts = 10, .report = true, .validity_s = 86400 },
    .api = { .loopback = true, .socket = "/run/cellpost/api.sock", .socket_mode = 0660 },
    .routing = { .learn = true },
    .modem = { .send_timeout_ms = 180000, .poll_interval_ms = 60000, .park_retry_ms = 60000 },
    .central = { .lease_micro = INT64_C(1000000000), .interval_ms = 300000 },
    .optout = { .confirm = "You will get no more messages from us. Send START to get them again." },
};

/* -- notes --------------------------------------------------------------------------------------------------- */

void config_note(struct config_notes *notes, const char *file, unsigned line, const char *section, const char *key,
                 const char *format, ...)
{
    char place[128], sentence[288], number[16] = "";
    va_list arguments;

    if (notes->count == CONFIG_NOTES_MAX) {
        notes->more++;
        return;
    }
    if (line > 0)
        (void)snprintf(number, sizeof number, "%u:", line);
    (void)snprintf(place, sizeof place, "%s%s%s%s%s%s", section ? " [" : "", section ? section : "", section ? "]" : "",
                   key ? " " : "", key ? key : "", section || key ? ":" : "");
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    (void)snprintf(notes->text[notes->count++], CONFIG_NOTE_MAX, "%.200s:%s%s %s", file, number, place, sentence);
}

unsigned config_key_line(const struct config_parser *parser, enum config_section section, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].section == section && strcmp(config_keys[i].name, name) == 0)
            return parser->key_lines[i];
    return 0;
}

/* A piece of the file as it may stand in a message: short, and without what could upset a terminal. */
static const char *shown(const char *text, char ret_text[64])
{
    size_t length = 0;

    for (; text[length] != '\0' && length < 48; length++)
        ret_text[length] = (unsigned char)text[length] < 0x20 || text[length] == 0x7F ? '?' : text[length];
    /* Not through the middle of a character. */
    while (text[length] != '\0' && length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    memcpy(ret_text + length, text[length] != '\0' ? "..." : "", text[length] != '\0' ? 4 : 1);
    return ret_text;
}

/* -- sections ------------------------------------------------------------------------------------------------ */

static const struct { const char *word; enum config_section section; bool named; } sections[] = {
    { "gateway", SECTION_GATEWAY, false }, { "api", SECTION_API, false }, { "routing", SECTION_ROUTING, false },
    { "modem", SECTION_MODEM, false },     { "optout", SECTION_OPTOUT, false }, { "central", SECTION_CENTRAL, false },
    { "bank", SECTION_BANK, true },        { "sim", SECTION_SIM, true },
};

static void forget_keys_of(struct config_parser *parser, enum config_section section)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].section == section)
            parser->key_lines[i] = 0;
}

static const char *check_bank_name(const struct config *config, const char *name, unsigned *ret_line)
{
    if (*name == '\0' || strlen(name) >= CONFIG_NAME_MAX)
        return "has a bad name (1 to 31 octets)";
    if (strchr(name, '\t') != NULL)
        return "has a tab in its name";
    for (size_t i = 0; i < config->bank_count; i++)
        if (strcmp(config->banks[i].name, name) == 0)
            *ret_line = config->banks[i].line;
    return NULL;
}

/* ITU-T E.118 has at most 19 digits and a check digit; cards with letters in the place of digits are out there. */
static const char *check_iccid(const struct config *config, const char *name, unsigned *ret_line)
{
    size_t length = strlen(name);

    if (strcmp(name, "*") == 0) {
        *ret_line = config->sim_default.line;
        return NULL;
    }
    if (length < 18 || length > 22 || strspn(name, "0123456789ABCDEF") != length)
        return "has a bad ICCID (18 to 22 digits, as `cellpost sims` shows it; or * for all that have no section)";
    for (size_t i = 0; i < config->sim_count; i++)
        if (strcmp(config->sims[i].iccid, name) == 0)
            *ret_line = config->sims[i].line;
    return NULL;
}

static int add_bank(struct config_parser *parser, const char *name)
{
    struct config *config = &parser->config;
    struct config_bank *banks = realloc(config->banks, (config->bank_count + 1) * sizeof *banks);

    if (!banks)
        return -ENOMEM;
    config->banks = banks;
    banks[config->bank_count] = (struct config_bank){ .line = parser->line };
    (void)snprintf(banks[config->bank_count++].name, CONFIG_NAME_MAX, "%s", name);
    return 0;
}

static int add_sim(struct config_parser *parser, const char *iccid)
{
    struct config *config = &parser->config;
    struct config_sim *sims;

    if (strcmp(iccid, "*") == 0) {
        config->sim_default.line = parser->line;
        return 0;
    }
    sims = realloc(config->sims, (config->sim_count + 1) * sizeof *sims);
    if (!sims)
        return -ENOMEM;
    config->sims = sims;
    sims[config->sim_count] = (struct config_sim){ .line = parser->line };
    (void)snprintf(sims[config->sim_count++].iccid, CONFIG_ICCID_MAX, "%s", iccid);
    return 0;
}

static int open_named(struct config_parser *parser, enum config_section section, const char *name)
{
    const struct config *config = &parser->config;
    bool bank = section == SECTION_BANK;
    unsigned first = 0;
    const char *wrong = bank ? check_bank_name(config, name, &first) : check_iccid(config, name, &first);

    if (!wrong && first == 0 && (bank ? config->bank_count >= CONFIG_BANKS_MAX : config->sim_count >= CONFIG_SIMS_MAX))
        wrong = bank ? "is one bank too many (64)" : "is one SIM too many (4096)";
    if (wrong || first > 0) {
        if (wrong)
            config_note(&parser->notes->errors, parser->file, parser->line, parser->section_text, NULL, "%s", wrong);
        else
            config_note(&parser->notes->errors, parser->file, parser->line, parser->section_text, NULL,
                        "is there already, on line %u (one section each)", first);
        parser->section = SECTION_UNKNOWN;
        return 0;
    }
    parser->section = section;
    parser->any_sim = strcmp(name, "*") == 0;
    forget_keys_of(parser, section);
    return bank ? add_bank(parser, name) : add_sim(parser, name);
}

/* text: what stands between the brackets. */
static int open_section(struct config_parser *parser, char *text)
{
    char scratch[64];
    size_t length = strcspn(text, BLANKS);
    char *name = text + length + strspn(text + length, BLANKS), *end = name + strlen(name);

    (void)snprintf(parser->section_text, sizeof parser->section_text, "%s", shown(text, scratch));
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strlen(sections[i].word) != length || memcmp(sections[i].word, text, length) != 0)
            continue;
        if (sections[i].named) {
            if (*name != '"' || strchr(name + 1, '"') != end - 1) {
                config_note(&parser->notes->errors, parser->file, parser->line, parser->section_text, NULL,
                            "needs a name in quotes (%s)",
                            sections[i].section == SECTION_BANK ? "[bank \"NAME\"]" : "[sim \"ICCID\"]");
                parser->section = SECTION_UNKNOWN;
                return 0;
            }
            end[-1] = '\0';
            return open_named(parser, sections[i].section, name + 1);
        }
        if (*name != '\0')
            break;
        parser->section = sections[i].section;
        if (parser->section_lines[parser->section] > 0)
            config_note(&parser->notes->errors, parser->file, parser->line, parser->section_text, NULL,
                        "is there already, on line %u (one section each)", parser->section_lines[parser->section]);
        else
            parser->section_lines[parser->section] = parser->line;
        return 0;
    }
    parser->section = SECTION_UNKNOWN;
    config_note(&parser->notes->errors, parser->file, parser->line, parser->section_text, NULL,
                "unknown section (allowed: [gateway], [api], [routing], [modem], [optout], [central], [bank \"NAME\"], [sim \"ICCID\"])");
    return 0;
}

/* -- keys ---------------------------------------------------------------------------------------------------- */

static void note_unknown_key(struct config_parser *parser, const char *name)
{
    char allowed[256] = "", scratch[64];
    size_t used = 0;

    for (size_t i = 0; i < config_key_count && used < sizeof allowed; i++)
        if (config_keys[i].section == parser->section)
            used += (size_t)snprintf(allowed + used, sizeof allowed - used, "%s%s", used ? ", " : "", config_keys[i].name);
    config_note(&parser->notes->errors, parser->file, parser->line, parser->section_text, shown(name, scratch),
                "unknown key (allowed: %s)", allowed);
}

static void *section_base(struct config_parser *parser)
{
    struct config *config = &parser->config;

    switch (parser->section) {
    case SECTION_BANK:
        return &config->banks[config->bank_count - 1];
    case SECTION_SIM:
        return parser->any_sim ? &config->sim_default : &config->sims[config->sim_count - 1];
    default:
        return config;
    }
}

static int set_key(struct config_parser *parser, const char *name, const char *value)
{
    struct config_notes *errors = &parser->notes->errors;
    const char *wrong = NULL;
    char scratch[64];
    size_t k = 0;
    int r;

    if (parser->section == SECTION_UNKNOWN)
        return 0;   /* its header was noted; a list of all its keys would hide the cause */
    if (parser->section == SECTION_NONE) {
        config_note(errors, parser->file, parser->line, NULL, shown(name, scratch), "stands before any [section]");
        return 0;
    }
    while (k < config_key_count && (config_keys[k].section != parser->section || strcmp(config_keys[k].name, name) != 0))
        k++;
    if (k == config_key_count) {
        note_unknown_key(parser, name);
        return 0;
    }
    const struct config_key *key = &config_keys[k];
    if (parser->key_lines[k] > 0 && !key->repeats) {
        config_note(errors, parser->file, parser->line, parser->section_text, name, "is set already, on line %u (once only)",
                    parser->key_lines[k]);
        return 0;
    }
    parser->key_lines[k] = parser->line;
    if (key->section == SECTION_SIM)
        ((struct config_sim *)section_base(parser))->key_lines[key->sim_key] = parser->line;
    if (*value == ';' || *value == '#' || strstr(value, " #") || strstr(value, "\t#")) {
        config_note(errors, parser->file, parser->line, parser->section_text, name,
                    "a comment after a value begins with a blank and ';' (or has its own line)");
        return 0;
    }
    r = key->parse(key, value, (char *)section_base(parser) + key->offset, &wrong);
    if (r == -EINVAL && (key->secret || *value == '\0'))
        config_note(errors, parser->file, parser->line, parser->section_text, name, "%s %s (allowed: %s)",
                    key->secret ? "the value" : "it", wrong, key->allowed);
    else if (r == -EINVAL)
        config_note(errors, parser->file, parser->line, parser->section_text, name, "\"%s\" %s (allowed: %s)",
                    shown(value, scratch), wrong, key->allowed);
    return r == -EINVAL ? 0 : r;
}

/* -- lines --------------------------------------------------------------------------------------------------- */

/* One line as inih sees it: a whole document, with one line more where the line opens a section, so that the handler
 * is called with the section's name. */
struct line_document {
    const char *line; size_t length;
    bool section;
    unsigned given;                      /* lines handed out */
    char *ret_text;                      /* what stands between the brackets: INI_MAX_LINE octets */
    struct config_parser *parser;
    int error;
};

static char *document_read(char *ret_line, int size, void *context)
{
    struct line_document *document = context;
    bool probe = document->given == 1;
    int length;

    if (document->given > (document->section ? 1u : 0u))
        return NULL;
    document->given++;
    length = snprintf(ret_line, (size_t)size, "%.*s\n", probe ? 2 : (int)document->length, probe ? "k=" : document->line);
    return length < size ? ret_line : NULL;   /* cannot happen: parse_line() knows inih's room */
}

static int document_handle(void *context, const char *section, const char *name, const char *value)
{
    struct line_document *document = context;

    if (document->section)
        (void)snprintf(document->ret_text, (size_t)INI_MAX_LINE, "%s", section);
    else
        document->error = set_key(document->parser, name, value);
    return 1;
}

static const char *check_section_line(const char *line, size_t length)
{
    const char *close = memchr(line, ']', length), *end = line + length;

    if (!close)
        return "has no ']' at its end (write [section])";
    if (close - line - 1 > SECTION_OCTETS_MAX)
        return "has a name that is too long (at most 49 octets between the brackets)";
    for (close++; close < end && strchr(BLANKS, *close);)
        close++;
    return close == end || *close == ';' || *close == '#' ? NULL : "has something after ']' (write [section])";
}

/* inih takes "key: value" as well, which makes "listen 127.0.0.1:8480" a key of its own. */
static bool has_equals(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (line[i] == '=' || line[i] == ':')
            return line[i] == '=' && i > 0;
    return false;
}

static const char *check_octets(const char *line, size_t length)
{
    if (length > LINE_OCTETS_MAX)
        return "the line is longer than 197 octets (lists may go on with another line of the same key)";
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7F)
            return "the line has a control character (allowed: text and tabs)";
    return utf8_is_valid(line, length, NULL) ? NULL : "the line is not UTF-8 (save the file as UTF-8)";
}

static int parse_line(struct config_parser *parser, const char *line, size_t length)
{
    char text[INI_MAX_LINE] = "", scratch[64];
    struct line_document document = { .ret_text = text, .parser = parser };
    const char *section = parser->section == SECTION_NONE ? NULL : parser->section_text;
    const char *wrong = check_octets(line, length);

    while (length > 0 && strchr(BLANKS, *line))
        line++, length--;
    document.line = line;
    document.length = length;
    document.section = length > 0 && *line == '[';
    if (wrong) {
        config_note(&parser->notes->errors, parser->file, parser->line, section, NULL, "%s", wrong);
        return 0;
    }
    if (length == 0 || *line == ';' || *line == '#')
        return 0;
    (void)snprintf(text, sizeof text, "%.*s", (int)length, line);
    if (document.section) {
        wrong = check_section_line(line, length);
        if (!wrong && ini_parse_stream(document_read, &document, document_handle, &document) == 0)
            return open_section(parser, text);
        parser->section = SECTION_UNKNOWN;
        (void)snprintf(parser->section_text, sizeof parser->section_text, "?");
        config_note(&parser->notes->errors, parser->file, parser->line, NULL, NULL, "\"%s\" %s", shown(text, scratch),
                    wrong ? wrong : "is no section header (write [section])");
        return 0;
    }
    if (!has_equals(line, length) || ini_parse_stream(document_read, &document, document_handle, &document) != 0)
        config_note(&parser->notes->errors, parser->file, parser->line, section, NULL, "\"%s\" has no '=' (write: key = value)",
                    shown(text, scratch));
    return document.error;
}

int config_parse(const char *name, const char *text, size_t length, struct config *ret_config, struct config_errors *errors)
{
    static const char bom[] = "\xEF\xBB\xBF";
    struct config_parser parser = { .file = name, .config = config_defaults, .notes = errors };
    int r = 0;

    memset(errors, 0, sizeof *errors);
    (void)snprintf(parser.config.file, sizeof parser.config.file, "%s", name);
    (void)strcpy(parser.config.sim_default.iccid, "*");
    if (length > CONFIG_BYTES_MAX) {
        config_note(&errors->errors, name, 0, NULL, NULL, "the file is larger than %u octets", CONFIG_BYTES_MAX);
        return -EINVAL;
    }
    if (length >= 3 && memcmp(text, bom, 3) == 0)
        text += 3, length -= 3;
    while (length > 0 && r == 0) {
        const char *end = memchr(text, '\n', length);
        size_t line_length = end ? (size_t)(end - text) : length, used = line_length + (end ? 1 : 0);

        parser.line++;
        if (line_length > 0 && text[line_length - 1] == '\r')
            line_length--;
        r = parse_line(&parser, text, line_length);
        text += used;
        length -= used;
    }
    if (r == 0 && errors->errors.count == 0)
        config_check(&parser);   /* after a bad line it would only report what follows from it */
    if (r == 0 && errors->errors.count == 0)
        r = config_inherit(&parser.config);
    if (r == 0 && errors->errors.count > 0)
        r = -EINVAL;
    if (r == -ENOMEM)
        config_note(&errors->errors, name, parser.line, NULL, NULL, "out of memory");
    if (r < 0)
        config_done(&parser.config);
    else
        *ret_config = parser.config;
    return r;
}

/* -- the result ---------------------------------------------------------------------------------------------- */

void config_done(struct config *config)
{
    if (!config)
        return;
    config_list_done(&config->api.hosts);
    config_list_done(&config->routing.tariffs);
    config_list_done(&config->routing.routes);
    config_list_done(&config->routing.numbers);
    config_list_done(&config->optout.words);
    config_list_done(&config->optout.start_words);
    for (size_t i = 0; i < config->bank_count; i++) {
        config_list_done(&config->banks[i].ports);
        explicit_bzero(config->banks[i].pin, CONFIG_PIN_MAX);
    }
    for (size_t i = 0; i < config->sim_count; i++) {
        config_list_done(&config->sims[i].tags);
        explicit_bzero(config->sims[i].pin, CONFIG_PIN_MAX);
    }
    config_list_done(&config->sim_default.tags);
    free(config->banks);
    free(config->sims);
    *config = (struct config){ 0 };
}

const struct config_sim *config_find_sim(const struct config *config, const char *iccid)
{
    for (size_t i = 0; i < config->sim_count; i++)
        if (strcmp(config->sims[i].iccid, iccid) == 0)
            return &config->sims[i];
    return NULL;
}

const char *config_find_pin(const struct config *config, const struct config_bank *bank, const char *iccid)
{
    const struct config_sim *sim = config_find_sim(config, iccid);

    if (sim && *sim->pin)
        return sim->pin;
    return *bank->pin ? bank->pin : NULL;
}
