/* SPDX-License-Identifier: Apache-2.0
 *
 * config_check.c - what no single line of the configuration can tell: keys that need or exclude each other. */
#include <stdio.h>
#include <string.h>

#include "firmware/common/config_parser.h"
#include "src/consent/words.h"

/* A modem's final result took 135 s in a log of a real one; giving up earlier turns errors into unknowns. */
#define SEND_TIMEOUT_SHORT_MS 60000u

static void check_api(struct config_parser *parser)
{
    const struct config_api *api = &parser->config.api;
    struct config_notes *errors = &parser->notes->errors, *warnings = &parser->notes->warnings;
    unsigned listen_line = config_key_line(parser, SECTION_API, "listen");
    bool tls = *api->cert && *api->key;

    if (*api->cert && !*api->key)
        config_note(errors, parser->file, config_key_line(parser, SECTION_API, "cert"), "api", "cert",
                    "TLS needs the private key too (set key)");
    if (*api->key && !*api->cert)
        config_note(errors, parser->file, config_key_line(parser, SECTION_API, "key"), "api", "key",
                    "TLS needs the certificate too (set cert)");
    if (!*api->listen && !*api->socket)
        config_note(errors, parser->file, config_key_line(parser, SECTION_API, "socket"), "api", "socket",
                    "nobody could reach the gateway without a listen address and without a socket (set one of them)");
    if (*api->listen && !api->loopback && !tls && !*api->cert && !*api->key) {
        if (!api->insecure_listen)
            config_note(errors, parser->file, listen_line, "api", "listen",
                        "%s is reachable from the network and would carry keys and messages unencrypted "
                        "(set cert and key, or listen on 127.0.0.1, or say insecure_listen = yes)", api->listen);
        else
            config_note(warnings, parser->file, listen_line, "api", "listen",
                        "keys and messages cross the network unencrypted, as insecure_listen = yes asks for");
    }
    if (tls && !*api->listen)
        config_note(warnings, parser->file, config_key_line(parser, SECTION_API, "cert"), "api", "cert",
                    "has no effect without listen");
    if (*api->socket && (api->socket_mode & 0002) != 0)
        config_note(warnings, parser->file, config_key_line(parser, SECTION_API, "socket_mode"), "api", "socket_mode",
                    "%04o lets every user of this machine send and administer", api->socket_mode);
}

static bool list_has(const struct config_list *list, size_t count, const char *item)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

static void check_banks(struct config_parser *parser)
{
    const struct config *config = &parser->config;
    struct config_notes *errors = &parser->notes->errors;

    if (config->bank_count == 0)
        config_note(errors, parser->file, 0, NULL, NULL,
                    "there is no bank of modems (add a section [bank \"NAME\"] with ports = /dev/ttyUSB*)");
    for (size_t i = 0; i < config->bank_count; i++) {
        const struct config_bank *bank = &config->banks[i];
        char section[CONFIG_NAME_MAX + 8];

        (void)snprintf(section, sizeof section, "bank \"%s\"", bank->name);
        if (bank->ports.count == 0)
            config_note(errors, parser->file, bank->line, section, "ports",
                        "is missing (paths or patterns such as /dev/ttyUSB*)");
        for (size_t k = 0; k < bank->ports.count; k++) {
            const char *port = bank->ports.items[k];
            if (list_has(&bank->ports, k, port))
                config_note(errors, parser->file, bank->line, section, "ports", "%s is listed twice", port);
            for (size_t j = 0; j < i; j++)
                if (list_has(&config->banks[j].ports, config->banks[j].ports.count, port))
                    config_note(errors, parser->file, bank->line, section, "ports",
                                "%s is in bank \"%s\" already (a modem belongs to one bank)", port, config->banks[j].name);
        }
    }
}

static void check_sims(struct config_parser *parser)
{
    static const struct { enum config_sim_key key; const char *name, *instead; } own[] = {
        { CONFIG_SIM_NAME, "name", "its own section" },
        { CONFIG_SIM_PIN, "pin", "its own section, or the pin of [bank \"NAME\"]" },
    };

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (parser->config.sim_default.key_lines[own[i].key] > 0)
            config_note(&parser->notes->errors, parser->file, parser->config.sim_default.key_lines[own[i].key], "sim \"*\"",
                        own[i].name, "is that of one card (allowed: %s)", own[i].instead);
}

/* Whoever reads the files later says where these keys stand. */
static void keep_lines(struct config_parser *parser)
{
    struct config_routing *routing = &parser->config.routing;
    const struct { const char *name; unsigned *line; } keys[] = {
        { "tariffs", &routing->tariffs_line },   { "rates", &routing->rates_line },         { "currency", &routing->currency_line },
        { "tariff", &routing->tariff_line },     { "routes", &routing->routes_line },       { "numbers", &routing->numbers_line },
        { "operators", &routing->operators_line },
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        *keys[i].line = config_key_line(parser, SECTION_ROUTING, keys[i].name);
}

static void check_words(struct config_parser *parser, const char *key, const struct config_list *list, enum consent wanted)
{
    const struct config_optout *optout = &parser->config.optout;
    const struct consent_words own = {
        (const char *const *)optout->words.items, optout->words.count, (const char *const *)optout->start_words.items, optout->start_words.count,
    };
    struct config_notes *errors = &parser->notes->errors;
    unsigned line = config_key_line(parser, SECTION_OPTOUT, key);
    char word[CONSENT_WORD_MAX];

    for (size_t i = 0; i < list->count; i++) {
        enum consent read = consent_read(&own, list->items[i], strlen(list->items[i]), word);

        if (read == CONSENT_NONE)
            config_note(errors, parser->file, line, "optout", key,
                        "\"%s\" would never be found (no quotation marks around a word and no punctuation behind it)", list->items[i]);
        else if (read != wanted)
            config_note(errors, parser->file, line, "optout", key, "\"%s\" means stop already (a word means one thing)", list->items[i]);
    }
    if (list->count > 0 && !optout->enabled)
        config_note(&parser->notes->warnings, parser->file, line, "optout", key, "has no effect without enabled = yes");
}

/* Nobody is believed by their name alone: a box may be behind whoever sells it the network. */
static void check_central(struct config_parser *parser)
{
    const struct central_place *place = &parser->config.central.place;
    unsigned line = config_key_line(parser, SECTION_CENTRAL, "url");

    if (*place->url && !*place->ca && !place->has_pin)
        config_note(&parser->notes->errors, parser->file, line, "central", "url",
                    "nothing says how the account is known to be it (set ca or pin, or both)");
    if (!*place->url && (*place->ca || place->has_pin || *place->proxy) && parser->section_lines[SECTION_CENTRAL] > 0)
        config_note(&parser->notes->warnings, parser->file, parser->section_lines[SECTION_CENTRAL], "central", NULL,
                    "has no effect without url, but for a box that was enrolled with --url");
}

void config_check(struct config_parser *parser)
{
    check_central(parser);
    check_api(parser);
    check_banks(parser);
    check_sims(parser);
    keep_lines(parser);
    check_words(parser, "words", &parser->config.optout.words, CONSENT_STOP);
    check_words(parser, "start_words", &parser->config.optout.start_words, CONSENT_START);
    if (parser->config.modem.send_timeout_ms < SEND_TIMEOUT_SHORT_MS)
        config_note(&parser->notes->warnings, parser->file, config_key_line(parser, SECTION_MODEM, "send_timeout"), "modem",
                    "send_timeout", "networks may take over two minutes to answer; messages given up on before are kept as unknown");
}
