/* SPDX-License-Identifier: Apache-2.0
 *
 * config_value.c - every key there is, and how its value reads. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/common/config_parser.h"
#include "src/base/money.h"
#include "src/consent/words.h"
#include "src/credit/lease.h"
#include "src/number/number.h"

static int wrong(const char **ret_wrong, const char *phrase)
{
    *ret_wrong = phrase;
    return -EINVAL;
}

/* Decimal digits and nothing else, up to max. */
static int parse_digits(const char *text, size_t length, int64_t max, int64_t *ret_number)
{
    int64_t number = 0;

    if (length == 0)
        return -EINVAL;
    for (size_t i = 0; i < length; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit > 9)
            return -EINVAL;
        if (number > (max - digit) / 10)
            return -ERANGE;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return 0;
}

static int parse_count(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    int64_t number;
    int r = parse_digits(value, strlen(value), key->max, &number);

    if (r == -EINVAL)
        return wrong(ret_wrong, "is not a whole number");
    if (r < 0 || number < key->min)
        return wrong(ret_wrong, "is out of range");
    *(uint16_t *)field = (uint16_t)number;
    return 0;
}

static int parse_yes_no(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    bool yes = strcmp(value, "yes") == 0;

    (void)key;
    if (!yes && strcmp(value, "no") != 0)
        return wrong(ret_wrong, "is neither yes nor no");
    *(bool *)field = yes;
    return 0;
}

static int parse_concat_ref(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    bool wide = strcmp(value, "16") == 0;

    (void)key;
    if (!wide && strcmp(value, "8") != 0)
        return wrong(ret_wrong, "is no size of reference");
    *(bool *)field = wide;
    return 0;
}

/* A bare number is refused: nobody can tell whether 30 is seconds or minutes. */
static int parse_duration(const struct config_key *key, const char *value, int64_t *ret_ms, const char **ret_wrong)
{
    static const struct { const char *unit; int64_t ms; } units[] = {
        { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 3600 * 1000 }, { "d", 86400 * 1000 }, { "w", 7 * 86400 * 1000 },
    };
    size_t digits = strspn(value, "0123456789");
    int64_t number;

    if (digits == 0)
        return wrong(ret_wrong, "is not a duration");
    if (value[digits] == '\0')
        return wrong(ret_wrong, "has no unit");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(value + digits, units[i].unit) != 0)
            continue;
        if (parse_digits(value, digits, key->max / units[i].ms, &number) < 0 || number * units[i].ms < key->min)
            return wrong(ret_wrong, "is out of range");
        *ret_ms = number * units[i].ms;
        return 0;
    }
    return wrong(ret_wrong, "has an unknown unit");
}

int config_parse_duration_ms(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    int64_t ms;
    int r = parse_duration(key, value, &ms, ret_wrong);

    if (r == 0)
        *(uint32_t *)field = (uint32_t)ms;
    return r;
}

static int parse_duration_s(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    int64_t ms;
    int r = parse_duration(key, value, &ms, ret_wrong);

    if (r < 0)
        return r;
    if (ms % 1000 != 0)
        return wrong(ret_wrong, "is not in whole seconds");
    *(int64_t *)field = ms / 1000;
    return 0;
}

static int parse_text(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    size_t length = strlen(value);

    if ((int64_t)length < key->min)
        return wrong(ret_wrong, "is empty");
    if (length >= key->size)
        return wrong(ret_wrong, "is too long");
    memcpy(field, value, length + 1);
    return 0;
}

/* A daemon's working directory means nothing to the operator: paths begin at the root. */
static int parse_path(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    if (*value != '\0' && *value != '/')
        return wrong(ret_wrong, "is not an absolute path");
    return parse_text(key, value, field, ret_wrong);
}

static int parse_country(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    if (*value != '\0' && !number_country_name(value))
        return wrong(ret_wrong, "is no country");
    return parse_text(key, value, field, ret_wrong);
}

static int parse_fixed_lines(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    bool allow = strcmp(value, "allow") == 0;

    (void)key;
    if (!allow && strcmp(value, "refuse") != 0)
        return wrong(ret_wrong, "is neither refuse nor allow");
    *(bool *)field = allow;
    return 0;
}

static int parse_mode(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    size_t length = strlen(value);

    (void)key;
    if (length < 3 || length > 4 || strspn(value, "01234567") != length || (length == 4 && *value != '0'))
        return wrong(ret_wrong, "is not a file mode");
    *(unsigned *)field = (unsigned)strtoul(value, NULL, 8);
    return 0;
}

static int parse_pin(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    size_t length = strlen(value);

    if (length != 0 && (length < 4 || strspn(value, "0123456789") != length))
        return wrong(ret_wrong, "is not a PIN");
    return parse_text(key, value, field, ret_wrong);
}

/* Numeric addresses only: what a name resolves to may change between the check for loopback and the bind. */
static int parse_listen(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    struct config_api *api = (struct config_api *)((char *)field - offsetof(struct config_api, listen));
    char host[64];
    struct in_addr v4;
    struct in6_addr v6;
    const char *colon = strrchr(value, ':');
    int64_t port;
    bool loopback;

    if (*value == '\0') {
        api->loopback = true;
        return parse_text(key, value, field, ret_wrong);
    }
    if (!colon)
        return wrong(ret_wrong, "has no port");
    if (parse_digits(colon + 1, strlen(colon + 1), 65535, &port) < 0)
        return wrong(ret_wrong, "has a bad port");
    if ((size_t)(colon - value) >= sizeof host)
        return wrong(ret_wrong, "is too long");
    memcpy(host, value, (size_t)(colon - value));
    host[colon - value] = '\0';
    if (inet_pton(AF_INET, host, &v4) == 1) {
        loopback = ntohl(v4.s_addr) >> 24 == 127;
    } else {
        size_t length = strlen(host);
        if (length < 2 || host[0] != '[' || host[length - 1] != ']')
            return wrong(ret_wrong, "is not a numeric address");
        host[length - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &v6) != 1)
            return wrong(ret_wrong, "is not a numeric address");
        loopback = IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    }
    if (parse_text(key, value, field, ret_wrong) < 0)
        return -EINVAL;
    api->loopback = loopback;
    return 0;
}

/* -- lists --------------------------------------------------------------------------------------------------- */

void config_list_done(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct config_list){ 0 };
}

int config_list_add(struct config_list *list, const char *text, size_t length)
{
    char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    char *item;

    if (!items)
        return -ENOMEM;
    list->items = items;
    item = strndup(text, length);
    if (!item)
        return -ENOMEM;
    items[list->count++] = item;
    return 0;
}

/* The next word and its length; NULL after the last one. */
static const char *next_word(const char *text, const char *separators, size_t *ret_length)
{
    text += strspn(text, separators);
    *ret_length = strcspn(text, separators);
    return *ret_length ? text : NULL;
}

int config_parse_words(const struct config_key *key, const char *value, const char *separators, void *field,
                       const char *(*check)(const char *word, size_t length), const char **ret_wrong)
{
    struct config_list *list = field;
    size_t length, before = list->count;
    int r = 0;

    for (const char *word = next_word(value, separators, &length); word && r == 0;
         word = next_word(word + length, separators, &length)) {
        const char *phrase = check(word, length);
        if (phrase)
            r = wrong(ret_wrong, phrase);
        else if ((int64_t)list->count >= key->max)
            r = wrong(ret_wrong, "has too many words");
        else
            r = config_list_add(list, word, length);
    }
    if (r == 0 && (int64_t)list->count < key->min)
        r = wrong(ret_wrong, "is empty");
    while (r < 0 && list->count > before)
        free(list->items[--list->count]);
    return r;
}

static const char *check_port(const char *word, size_t length)
{
    if (length >= 128)   /* struct live_modem has no room for more */
        return "has a path that is too long";
    return *word == '/' ? NULL : "has a path that is not absolute";
}

static int parse_ports(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    return config_parse_words(key, value, " \t", field, check_port, ret_wrong);
}

static const char *check_host(const char *word, size_t length)
{
    if (length > 253)   /* RFC 1035 2.3.4 */
        return "has a name that is too long";
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)word[i]) && word[i] != '-' && word[i] != '.')
            return "has a name that is no host name";
    return NULL;
}

static int parse_hosts(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    return config_parse_words(key, value, " \t,", field, check_host, ret_wrong);
}

static const char *check_word(const char *word, size_t length)
{
    (void)word;
    return length < CONSENT_WORD_MAX ? NULL : "has a word that is too long";
}

static int parse_words(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    return config_parse_words(key, value, " \t,", field, check_word, ret_wrong);
}

/* National language identifiers of 3GPP TS 23.038 6.2.1.2.4, by their ISO 639-1 names. */
static int parse_national(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    static const char languages[][3] = { "", "tr", "es", "pt", "bn", "gu", "hi", "kn", "ml", "or", "pa", "ta", "te", "ur" };
    uint16_t bits = 0;
    size_t length;

    (void)key;
    for (const char *word = next_word(value, " \t,", &length); word; word = next_word(word + length, " \t,", &length)) {
        uint16_t bit = 0;
        for (size_t i = 1; i < sizeof languages / sizeof languages[0]; i++)
            if (length == 2 && memcmp(word, languages[i], 2) == 0)
                bit = (uint16_t)(1u << i);
        if (bit == 0)
            return wrong(ret_wrong, "has an unknown language");
        bits |= bit;
    }
    *(uint16_t *)field = bits;
    return 0;
}

static int parse_discover(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    if (strcmp(value, "usb") == 0)
        return wrong(ret_wrong, "is not supported by this version");
    if (*value != '\0')
        return wrong(ret_wrong, "is unknown");
    return parse_text(key, value, field, ret_wrong);
}

static int parse_url(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    const char *phrase = *value != '\0' ? central_url_wrong(value) : NULL;

    return phrase ? wrong(ret_wrong, phrase) : parse_text(key, value, field, ret_wrong);
}

static int parse_proxy(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    const char *phrase = *value != '\0' ? central_proxy_wrong(value) : NULL;

    return phrase ? wrong(ret_wrong, phrase) : parse_text(key, value, field, ret_wrong);
}

static int parse_key_pin(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    struct central_place *place = (struct central_place *)((char *)field - offsetof(struct central_place, pin));

    (void)key;
    if (*value != '\0' && !central_pin_read(value, place->pin))
        return wrong(ret_wrong, "is no SHA-256 of a key");
    place->has_pin = *value != '\0';
    return 0;
}

static int parse_lease(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    int64_t micro;
    int r = money_parse(value, key->max, &micro, ret_wrong);

    if (r < 0)
        return r;
    if (micro < key->min)
        return wrong(ret_wrong, "is out of range");
    *(int64_t *)field = micro;
    return 0;
}

/* -- the table ----------------------------------------------------------------------------------------------- */

#define FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define WEEK (7 * 24 * HOUR)
#define ALLOWED_FILES "up to 256 absolute paths or patterns such as /etc/cellpost/tariffs/*.csv"
#define ALLOWED_COUNT "1 to 1000000, or none"
#define ALLOWED_DURATION "1ms to 24h: a number and ms, s, m or h; or none"
#define ALLOWED_SPEND "an amount above 0 such as 2.50, or none"

/* In the order in which the shipped cellpost.ini and cellpost.ini(5) have them. */
const struct config_key config_keys[] = {
    { .section = SECTION_GATEWAY, .name = "state_dir", .parse = parse_path, FIELD(struct config, gateway.state_dir),
      .min = 1, .allowed = "an absolute path of at most 255 octets" },
    { .section = SECTION_GATEWAY, .name = "max_parts", .parse = parse_count, FIELD(struct config, gateway.max_parts),
      .min = 1, .max = 255, .allowed = "1 to 255" },
    { .section = SECTION_GATEWAY, .name = "national", .parse = parse_national, FIELD(struct config, gateway.national),
      .allowed = "any of tr es pt bn gu hi kn ml or pa ta te ur" },
    { .section = SECTION_GATEWAY, .name = "downgrade", .parse = parse_yes_no, FIELD(struct config, gateway.downgrade),
      .allowed = "yes or no" },
    { .section = SECTION_GATEWAY, .name = "concat_ref", .parse = parse_concat_ref, FIELD(struct config, gateway.ref16),
      .allowed = "8 or 16" },
    { .section = SECTION_GATEWAY, .name = "report", .parse = parse_yes_no, FIELD(struct config, gateway.report),
      .allowed = "yes or no" },
    /* 63 weeks is the longest TP-VP can say (3GPP TS 23.040 9.2.3.12.1). */
    { .section = SECTION_GATEWAY, .name = "validity", .parse = parse_duration_s, FIELD(struct config, gateway.validity_s),
      .min = 30 * SECOND, .max = 63 * WEEK, .allowed = "30s to 63w: a number and s, m, h, d or w" },
    { .section = SECTION_GATEWAY, .name = "country", .parse = parse_country, FIELD(struct config, gateway.country),
      .allowed = "two capital letters of ISO 3166 such as RO, or empty" },
    { .section = SECTION_GATEWAY, .name = "fixed_lines", .parse = parse_fixed_lines, FIELD(struct config, gateway.fixed_lines),
      .allowed = "refuse or allow" },

    { .section = SECTION_API, .name = "listen", .parse = parse_listen, FIELD(struct config, api.listen),
      .allowed = "ADDRESS:PORT such as 127.0.0.1:8480 or [::1]:8480, or empty" },
    { .section = SECTION_API, .name = "insecure_listen", .parse = parse_yes_no, FIELD(struct config, api.insecure_listen),
      .allowed = "yes or no" },
    { .section = SECTION_API, .name = "socket", .parse = parse_path, FIELD(struct config, api.socket),
      .allowed = "an absolute path of at most 107 octets, or empty" },
    { .section = SECTION_API, .name = "socket_mode", .parse = parse_mode, FIELD(struct config, api.socket_mode),
      .allowed = "an octal mode such as 0660" },
    { .section = SECTION_API, .name = "cert", .parse = parse_path, FIELD(struct config, api.cert),
      .allowed = "an absolute path of at most 255 octets, or empty" },
    { .section = SECTION_API, .name = "key", .parse = parse_path, FIELD(struct config, api.key),
      .allowed = "an absolute path of at most 255 octets, or empty" },
    { .section = SECTION_API, .name = "hosts", .parse = parse_hosts, FIELD(struct config, api.hosts),
      .max = CONFIG_HOSTS_MAX, .allowed = "up to 32 host names", .repeats = true },

    { .section = SECTION_ROUTING, .name = "tariffs", .parse = config_parse_files, FIELD(struct config, routing.tariffs),
      .max = CONFIG_FILES_MAX, .allowed = ALLOWED_FILES, .repeats = true },
    { .section = SECTION_ROUTING, .name = "rates", .parse = parse_path, FIELD(struct config, routing.rates),
      .allowed = "an absolute path of at most 255 octets, or empty" },
    { .section = SECTION_ROUTING, .name = "currency", .parse = config_parse_currency, FIELD(struct config, routing.currency),
      .allowed = "three capital letters of ISO 4217 such as EUR, or empty" },
    { .section = SECTION_ROUTING, .name = "tariff", .parse = parse_text, FIELD(struct config, routing.tariff),
      .allowed = "at most 63 octets" },
    { .section = SECTION_ROUTING, .name = "routes", .parse = config_parse_files, FIELD(struct config, routing.routes),
      .max = CONFIG_FILES_MAX, .allowed = ALLOWED_FILES, .repeats = true },
    { .section = SECTION_ROUTING, .name = "numbers", .parse = config_parse_files, FIELD(struct config, routing.numbers),
      .max = CONFIG_FILES_MAX, .allowed = ALLOWED_FILES, .repeats = true },
    { .section = SECTION_ROUTING, .name = "operators", .parse = parse_path, FIELD(struct config, routing.operators),
      .allowed = "an absolute path of at most 255 octets, or empty" },
    /* 63 weeks is the longest TP-VP can say, as for validity. */
    { .section = SECTION_ROUTING, .name = "patience", .parse = parse_duration_s, FIELD(struct config, routing.patience_s),
      .max = 63 * WEEK, .allowed = "0s to 63w: a number and s, m, h, d or w" },
    { .section = SECTION_ROUTING, .name = "sticky", .parse = parse_yes_no, FIELD(struct config, routing.sticky),
      .allowed = "yes or no" },
    { .section = SECTION_ROUTING, .name = "learn", .parse = parse_yes_no, FIELD(struct config, routing.learn),
      .allowed = "yes or no" },

    { .section = SECTION_MODEM, .name = "send_timeout", .parse = config_parse_duration_ms, FIELD(struct config, modem.send_timeout_ms),
      .min = SECOND, .max = HOUR, .allowed = "1s to 1h: a number and ms, s, m or h" },
    { .section = SECTION_MODEM, .name = "poll_interval", .parse = config_parse_duration_ms, FIELD(struct config, modem.poll_interval_ms),
      .min = SECOND, .max = HOUR, .allowed = "1s to 1h: a number and ms, s, m or h" },
    { .section = SECTION_MODEM, .name = "park_retry", .parse = config_parse_duration_ms, FIELD(struct config, modem.park_retry_ms),
      .min = SECOND, .max = 24 * HOUR, .allowed = "1s to 24h: a number and ms, s, m or h" },

    { .section = SECTION_OPTOUT, .name = "enabled", .parse = parse_yes_no, FIELD(struct config, optout.enabled),
      .allowed = "yes or no" },
    { .section = SECTION_OPTOUT, .name = "words", .parse = parse_words, FIELD(struct config, optout.words),
      .max = CONFIG_WORDS_MAX, .allowed = "up to 64 words of at most 31 octets", .repeats = true },
    { .section = SECTION_OPTOUT, .name = "start_words", .parse = parse_words, FIELD(struct config, optout.start_words),
      .max = CONFIG_WORDS_MAX, .allowed = "up to 64 words of at most 31 octets", .repeats = true },
    { .section = SECTION_OPTOUT, .name = "confirm", .parse = parse_text, FIELD(struct config, optout.confirm),
      .allowed = "a text of at most 191 octets, or empty" },

    { .section = SECTION_CENTRAL, .name = "url", .parse = parse_url, FIELD(struct config, central.place.url),
      .allowed = "https://HOST or https://HOST:PORT, or empty" },
    { .section = SECTION_CENTRAL, .name = "ca", .parse = parse_path, FIELD(struct config, central.place.ca),
      .allowed = "an absolute path of a PEM file, or empty" },
    { .section = SECTION_CENTRAL, .name = "pin", .parse = parse_key_pin, FIELD(struct config, central.place.pin),
      .allowed = "64 hexadecimal digits, or empty" },
    { .section = SECTION_CENTRAL, .name = "proxy", .parse = parse_proxy, FIELD(struct config, central.place.proxy),
      .allowed = "http://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT, or empty", .secret = true },
    { .section = SECTION_CENTRAL, .name = "lease", .parse = parse_lease, FIELD(struct config, central.lease_micro),
      .min = 1, .max = LEASE_GRANT_MICRO_MAX, .allowed = "an amount of credits above 0 such as 1000" },
    { .section = SECTION_CENTRAL, .name = "interval", .parse = config_parse_duration_ms, FIELD(struct config, central.interval_ms),
      .min = 10 * SECOND, .max = 24 * HOUR, .allowed = "10s to 24h: a number and s, m or h" },

    { .section = SECTION_BANK, .name = "ports", .parse = parse_ports, FIELD(struct config_bank, ports),
      .min = 1, .max = CONFIG_PORTS_MAX, .allowed = "up to 256 absolute paths or patterns such as /dev/ttyUSB*", .repeats = true },
    { .section = SECTION_BANK, .name = "discover", .parse = parse_discover, FIELD(struct config_bank, discover),
      .allowed = "empty; list the ports instead" },
    { .section = SECTION_BANK, .name = "pin", .parse = parse_pin, FIELD(struct config_bank, pin),
      .allowed = "4 to 8 digits, or empty", .secret = true },

    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_NAME, .name = "name", .parse = parse_text,
      FIELD(struct config_sim, name), .allowed = "at most 31 octets" },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_PIN, .name = "pin", .parse = parse_pin,
      FIELD(struct config_sim, pin), .allowed = "4 to 8 digits, or empty", .secret = true },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_TARIFF, .name = "tariff", .parse = parse_text,
      FIELD(struct config_sim, tariff), .allowed = "at most 63 octets" },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_TAGS, .name = "tags", .parse = config_parse_tags,
      FIELD(struct config_sim, tags), .max = CONFIG_TAGS_MAX,
      .allowed = "up to 16 words of at most 63 octets, without |", .repeats = true },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_PER_MINUTE, .name = "per_minute", .parse = config_parse_limit_count,
      FIELD(struct config_sim, limits.per_minute), .allowed = ALLOWED_COUNT },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_PER_HOUR, .name = "per_hour", .parse = config_parse_limit_count,
      FIELD(struct config_sim, limits.per_hour), .allowed = ALLOWED_COUNT },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_PER_DAY, .name = "per_day", .parse = config_parse_limit_count,
      FIELD(struct config_sim, limits.per_day), .allowed = ALLOWED_COUNT },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_PER_MONTH, .name = "per_month", .parse = config_parse_limit_count,
      FIELD(struct config_sim, limits.per_month), .allowed = ALLOWED_COUNT },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_RECIPIENTS_PER_DAY, .name = "recipients_per_day", .parse = config_parse_limit_count,
      FIELD(struct config_sim, limits.recipients_per_day), .allowed = ALLOWED_COUNT },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_RECIPIENTS_PER_MONTH, .name = "recipients_per_month", .parse = config_parse_limit_count,
      FIELD(struct config_sim, limits.recipients_per_month), .allowed = ALLOWED_COUNT },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_GAP, .name = "gap", .parse = config_parse_limit_duration,
      FIELD(struct config_sim, limits.gap_ms), .min = 1, .max = 24 * HOUR,
      .allowed = ALLOWED_DURATION },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_JITTER, .name = "jitter", .parse = config_parse_limit_duration,
      FIELD(struct config_sim, limits.jitter_ms), .min = 1, .max = 24 * HOUR,
      .allowed = ALLOWED_DURATION },
    /* Two fields that lie behind one another. */
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_HOURS, .name = "hours", .parse = config_parse_limit_hours,
      .offset = offsetof(struct config_sim, limits.hours),
      .size = offsetof(struct limit_rules, hours_count) + sizeof(uint8_t) - offsetof(struct limit_rules, hours),
      .allowed = "ranges and days such as 08:00-20:00 mon-fri, 09:00-12:00 sat, or none" },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_TIME_ZONE, .name = "time_zone", .parse = config_parse_time_zone,
      FIELD(struct config_sim, time_zone), .allowed = "UTC, an offset as +02:00, or a name as Europe/Paris" },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_SPEND_PER_DAY, .name = "spend_per_day", .parse = config_parse_limit_spend,
      FIELD(struct config_sim, limits.spend_per_day_micro), .allowed = ALLOWED_SPEND },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_SPEND_PER_MONTH, .name = "spend_per_month", .parse = config_parse_limit_spend,
      FIELD(struct config_sim, limits.spend_per_month_micro), .allowed = ALLOWED_SPEND },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_ROAMING, .name = "roaming", .parse = config_parse_limit_roaming,
      FIELD(struct config_sim, limits.roaming_refused), .allowed = "yes or no" },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_PARK_FAILURES, .name = "park_failures", .parse = config_parse_limit_percent,
      FIELD(struct config_sim, limits.failure_percent), .allowed = "1% to 100%, or none" },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_PARK_TIME, .name = "park_time", .parse = config_parse_duration_ms,
      FIELD(struct config_sim, limits.park_ms), .min = SECOND, .max = 7 * 24 * HOUR,
      .allowed = "1s to 7d: a number and ms, s, m, h or d" },
    { .section = SECTION_SIM, .sim_key = CONFIG_SIM_BALANCE_EVERY, .name = "balance_every", .parse = config_parse_limit_duration,
      FIELD(struct config_sim, balance_every_ms), .min = 10 * MINUTE, .max = 30 * 24 * HOUR, .allowed = "10m to 30d: a number and m, h or d; or none" },
};
const size_t config_key_count = sizeof config_keys / sizeof config_keys[0];
_Static_assert(sizeof config_keys / sizeof config_keys[0] <= CONFIG_KEYS_MAX, "key_lines has room for every key");
