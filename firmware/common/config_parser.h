/* SPDX-License-Identifier: Apache-2.0
 *
 * config_parser.h - what the files of the configuration parser share; nobody else includes it. */
#ifndef CELLPOST_FIRMWARE_CONFIG_PARSER_H
#define CELLPOST_FIRMWARE_CONFIG_PARSER_H

#include "firmware/common/config.h"

enum config_section {
    SECTION_NONE, SECTION_UNKNOWN, SECTION_GATEWAY, SECTION_API, SECTION_ROUTING, SECTION_MODEM, SECTION_OPTOUT, SECTION_CENTRAL, SECTION_BANK, SECTION_SIM,
    SECTION_COUNT
};

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
    uint8_t sim_key;                 /* enum config_sim_key, of SECTION_SIM */
};

#define CONFIG_KEYS_MAX 72
extern const struct config_key config_keys[];
extern const size_t config_key_count;

struct config_parser {
    const char *file;
    struct config config;
    struct config_errors *notes;
    unsigned line;
    enum config_section section;
    char section_text[64];           /* as in the file: bank "local" */
    bool any_sim;                    /* the SIM now open is "*" */
    unsigned section_lines[SECTION_COUNT];   /* where each single section first began; 0 not yet */
    unsigned key_lines[CONFIG_KEYS_MAX];     /* of the single sections, and of the bank or SIM now open */
};

/* Line of a key of a single section; 0 where the file does not have it. */
unsigned config_key_line(const struct config_parser *parser, enum config_section section, const char *name);

/* What no single line can tell: keys that need or exclude each other. Notes what is wrong. */
void config_check(struct config_parser *parser);

/* What is left out in the sections of cards, from [sim "*"]. -ENOMEM. */
int config_inherit(struct config *config);

void config_list_done(struct config_list *list);
/* Adds a copy. -ENOMEM. */
int config_list_add(struct config_list *list, const char *text, size_t length);
/* Adds the words of a value to what earlier lines of the same key gave; none of them on error. check: NULL, or what is wrong
 * with a word. */
int config_parse_words(const struct config_key *key, const char *value, const char *separators, void *field,
                       const char *(*check)(const char *word, size_t length), const char **ret_wrong);
int config_parse_duration_ms(const struct config_key *key, const char *value, void *field, const char **ret_wrong);

/* config_limit.c: keys of [routing] and of the limits of a SIM. "none" takes a limit of [sim "*"] away. */
config_parse_fn config_parse_files, config_parse_currency, config_parse_tags, config_parse_time_zone, config_parse_limit_count,
    config_parse_limit_duration, config_parse_limit_spend, config_parse_limit_percent, config_parse_limit_hours,
    config_parse_limit_roaming;

#endif
