/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - what the operator wrote in cellpost.ini, checked and with defaults filled in.
 *
 * The parser is strict: what it does not understand is an error that says where, what is wrong and what is allowed,
 * because a misspelt key that is silently ignored costs somebody money later. All errors of a file come at once.
 * Ownership: config_parse() and config_load() fill a struct that config_done() empties; nothing points into the text.
 * Errors:    0 or a negative errno; on error *ret_config is untouched and errors says why. */
#ifndef CELLPOST_FIRMWARE_CONFIG_H
#define CELLPOST_FIRMWARE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/common/central.h"
#include "src/routing/limit.h"

#define CONFIG_BYTES_MAX (256u * 1024)
#define CONFIG_NAME_MAX 32          /* as in struct live_modem */
#define CONFIG_PATH_MAX 256
#define CONFIG_SOCKET_PATH_MAX 108  /* sun_path of struct sockaddr_un */
#define CONFIG_PIN_MAX 9            /* 4..8 digits (3GPP TS 31.101 9.3) */
#define CONFIG_ICCID_MAX 24
#define CONFIG_BANKS_MAX 64
#define CONFIG_SIMS_MAX 4096
#define CONFIG_PORTS_MAX 256        /* patterns of one bank */
#define CONFIG_HOSTS_MAX 32
#define CONFIG_FILES_MAX 256        /* patterns of one key of [routing] */
#define CONFIG_TAGS_MAX 16          /* of one SIM */
#define CONFIG_TARIFF_MAX 64        /* as TARIFF_NAME_MAX */
#define CONFIG_WORDS_MAX 64         /* of one list */

struct config_list { char **items; size_t count; };

struct config_gateway {
    char state_dir[CONFIG_PATH_MAX]; /* holds cellpost.db */
    uint16_t max_parts;              /* 1..255 */
    uint16_t national;               /* national language n may be used: bit n */
    bool downgrade;                  /* typographic characters to plain ones */
    bool ref16;                      /* 16-bit concatenation references */
    bool report;                     /* ask for delivery reports */
    int64_t validity_s;
    char country[3];                 /* ISO 3166-1 alpha-2, for numbers without a country code; "" none */
    bool fixed_lines;                /* messages to fixed lines are taken */
};

struct config_api {
    char listen[64];                 /* "127.0.0.1:8480", "[::1]:8480"; "" none */
    bool loopback;                   /* listen reaches this machine only */
    bool insecure_listen;
    char socket[CONFIG_SOCKET_PATH_MAX]; /* "" none */
    unsigned socket_mode;
    char cert[CONFIG_PATH_MAX], key[CONFIG_PATH_MAX]; /* "" plain HTTP */
    struct config_list hosts;        /* names a Host: header may carry beside IP addresses and localhost */
};

struct config_modem {
    uint32_t send_timeout_ms, poll_interval_ms, park_retry_ms;
};

struct config_optout {
    bool enabled;                    /* STOP and START are read from incoming messages; the list is honoured in any case */
    struct config_list words, start_words;   /* beside those built in */
    char confirm[192];               /* what is answered to a STOP; "" nothing */
};

/* The account that credits come from. */
struct config_central {
    struct central_place place;      /* url "": none is configured, and messages are free */
    int64_t lease_micro;             /* asked for at a time */
    uint32_t interval_ms;            /* how often it hears of this box at least */
};

struct config_bank {
    char name[CONFIG_NAME_MAX];
    struct config_list ports;        /* absolute paths or glob(7) patterns */
    char discover[16];               /* "" only, for now */
    char pin[CONFIG_PIN_MAX];        /* for cards without their own; "" none */
    unsigned line;                   /* where its section begins */
};

/* What is done with prices and ways; the files themselves are read by routing_load.h. */
struct config_routing {
    struct config_list tariffs, routes, numbers;   /* absolute paths or glob(7) patterns */
    char rates[CONFIG_PATH_MAX], operators[CONFIG_PATH_MAX];   /* "" none */
    char currency[4];                /* ISO 4217; "": the only one of the tariffs */
    char tariff[CONFIG_TARIFF_MAX];  /* of cards that have none; "" none */
    int64_t patience_s;
    bool sticky, learn;              /* learn: what the days before taught prices what will be short */
    /* Where they are set; 0: they are not. */
    unsigned tariffs_line, routes_line, numbers_line, rates_line, operators_line, currency_line, tariff_line;
};

enum config_sim_key {
    CONFIG_SIM_NAME, CONFIG_SIM_PIN, CONFIG_SIM_TARIFF, CONFIG_SIM_TAGS, CONFIG_SIM_PER_MINUTE, CONFIG_SIM_PER_HOUR,
    CONFIG_SIM_PER_DAY, CONFIG_SIM_PER_MONTH, CONFIG_SIM_RECIPIENTS_PER_DAY, CONFIG_SIM_RECIPIENTS_PER_MONTH, CONFIG_SIM_GAP,
    CONFIG_SIM_JITTER, CONFIG_SIM_HOURS, CONFIG_SIM_TIME_ZONE, CONFIG_SIM_SPEND_PER_DAY, CONFIG_SIM_SPEND_PER_MONTH,
    CONFIG_SIM_ROAMING, CONFIG_SIM_PARK_FAILURES, CONFIG_SIM_PARK_TIME, CONFIG_SIM_BALANCE_EVERY, CONFIG_SIM_KEYS
};

/* What its own section leaves out is that of [sim "*"]. */
struct config_sim {
    char iccid[CONFIG_ICCID_MAX];    /* "*": cards without a section */
    char name[CONFIG_NAME_MAX];
    char pin[CONFIG_PIN_MAX];        /* "" none */
    char tariff[CONFIG_TARIFF_MAX];  /* "" none */
    char time_zone[CONFIG_TARIFF_MAX];   /* "": UTC */
    struct config_list tags;
    struct limit_rules limits;       /* without their zone */
    uint32_t balance_every_ms;       /* 0: its operator is not asked */
    unsigned line;                   /* 0: there is no such section */
    unsigned key_lines[CONFIG_SIM_KEYS];   /* where each is set, maybe in [sim "*"]; 0: nowhere */
};

struct config {
    char file[CONFIG_PATH_MAX];      /* stands for it in messages */
    struct config_gateway gateway;
    struct config_routing routing;
    struct config_api api;
    struct config_modem modem;
    struct config_optout optout;
    struct config_central central;
    struct config_bank *banks; size_t bank_count;
    struct config_sim *sims; size_t sim_count;
    struct config_sim sim_default;   /* [sim "*"] */
};

#define CONFIG_NOTES_MAX 20
#define CONFIG_NOTE_MAX 640

/* "file:line: [section] key: what is wrong (what is allowed)". more: how many did not fit. */
struct config_notes {
    char text[CONFIG_NOTES_MAX][CONFIG_NOTE_MAX];
    unsigned count, more;
};

struct config_errors {
    struct config_notes errors;      /* the file cannot be used */
    struct config_notes warnings;    /* it can, but the operator should know; filled on success too */
};

/* Reads the length octets of text; name stands for the file in messages. No file is touched.
 * -EINVAL: errors says what; -ENOMEM. */
int config_parse(const char *name, const char *text, size_t length, struct config *ret_config, struct config_errors *errors);

/* The same from a file. Also -ENOENT, -EACCES, -EISDIR ..., with a sentence in errors. */
int config_load(const char *path, struct config *ret_config, struct config_errors *errors);

void config_done(struct config *config);   /* accepts NULL and an empty one; wipes PINs */

/* "file:line: [section] key: ..." among notes; line 0: about the file as a whole. section and key may be NULL. */
void config_note(struct config_notes *notes, const char *file, unsigned line, const char *section, const char *key,
                 const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The section of this card, or NULL. */
const struct config_sim *config_find_sim(const struct config *config, const char *iccid);
/* The PIN to try for a card in a bank: the card's own, else the bank's; NULL none. */
const char *config_find_pin(const struct config *config, const struct config_bank *bank, const char *iccid);

#endif
