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

struct config_bank {
    char name[CONFIG_NAME_MAX];
    struct config_list ports;        /* absolute paths or glob(7) patterns */
    char discover[16];               /* "" only, for now */
    char pin[CONFIG_PIN_MAX];        /* for cards without their own; "" none */
    unsigned line;                   /* where its section begins */
};

struct config_sim {
    char iccid[CONFIG_ICCID_MAX];
    char name[CONFIG_NAME_MAX];
    char pin[CONFIG_PIN_MAX];        /* "" none */
    char tariff[64];
    unsigned line;
};

struct config {
    struct config_gateway gateway;
    struct config_api api;
    struct config_modem modem;
    struct config_optout optout;
    struct config_bank *banks; size_t bank_count;
    struct config_sim *sims; size_t sim_count;
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

/* The section of this card, or NULL. */
const struct config_sim *config_find_sim(const struct config *config, const char *iccid);
/* The PIN to try for a card in a bank: the card's own, else the bank's; NULL none. */
const char *config_find_pin(const struct config *config, const struct config_bank *bank, const char *iccid);

#endif
