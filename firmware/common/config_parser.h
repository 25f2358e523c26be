/* SPDX-License-Identifier: Apache-2.0
 *
 * config_parser.h - what the files of the configuration parser share; nobody else includes it. */
#ifndef CELLPOST_FIRMWARE_CONFIG_PARSER_H
#define CELLPOST_FIRMWARE_CONFIG_PARSER_H

#include "firmware/common/config.h"

enum config_section { SECTION_NONE, SECTION_UNKNOWN, SECTION_GATEWAY, SECTION_API, SECTION_MODEM, SECTION_OPTOUT, SECTION_BANK, SECTION_SIM, SECTION_COUNT };

struct config_key;
/* Writes the field on success alone. -EINVAL: *ret_wrong is a static phrase; -ENOMEM. */
typedef int config_parse_fn(const struct config_key *key, const char *value, void *field, const char **ret_wrong);

struct config_key {
    enum config_section section;
    const char *name;
    config_parse_fn *parse;
    size_t offset, size;             /* of the field in struct config, config_bank or config_sim */
    int64_t min, max;                /* meaning belongs to parse */
    const char *allowed;             /* for people */
    bool repeats;                    /* a list that may go on with another line of the same key */
    bool secret;                     /* its value is shown to nobody */
};

#define CONFIG_KEYS_MAX 32
extern const struct config_key config_keys[];
extern const size_t config_key_count;

struct config_parser {
    const char *file;
    struct config config;
    struct config_errors *notes;
    unsigned line;
    enum config_section section;
    char section_text[64];           /* as in the file: bank "local" */
    unsigned section_lines[SECTION_COUNT];   /* where each single section first began; 0 not yet */
    unsigned key_lines[CONFIG_KEYS_MAX];     /* of the single sections, and of the bank or SIM now open */
};

/* line 0: about the file as a whole. section and key may be NULL. */
void config_note(struct config_notes *notes, const char *file, unsigned line, const char *section, const char *key,
                 const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Line of a key of a single section; 0 where the file does not have it. */
unsigned config_key_line(const struct config_parser *parser, enum config_section section, const char *name);

/* What no single line can tell: keys that need or exclude each other. Notes what is wrong. */
void config_check(struct config_parser *parser);

void config_list_done(struct config_list *list);

#endif
