/* SPDX-License-Identifier: Apache-2.0
 *
 * config_limit.c - the keys of [routing] and of the limits of SIMs, and what a section of a card takes from [sim "*"]. */
#include <errno.h>
#include <string.h>

#include "firmware/common/config_parser.h"
#include "src/base/zone.h"

static int wrong(const char **ret_wrong, const char *phrase)
{
    *ret_wrong = phrase;
    return -EINVAL;
}

static const char *check_file(const char *word, size_t length)
{
    if (length >= CONFIG_PATH_MAX)
        return "has a path that is too long";
    return *word == '/' ? NULL : "has a path that is not absolute";
}

int config_parse_files(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    return config_parse_words(key, value, " \t", field, check_file, ret_wrong);
}

int config_parse_currency(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    size_t length = strlen(value);

    (void)key;
    if (length != 0 && (length != 3 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3))
        return wrong(ret_wrong, "is no currency");
    memcpy(field, value, length + 1);
    return 0;
}

static const char *check_tag(const char *word, size_t length)
{
    if (length > 63)   /* ROUTE_VALUE_MAX */
        return "has a tag that is too long";
    return memchr(word, '|', length) ? "has a tag with | in it" : NULL;
}

int config_parse_tags(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    return config_parse_words(key, value, " \t,", field, check_tag, ret_wrong);
}

/* Words, or the name of a file of the time zone database: it must not lead out of its folder. */
int config_parse_time_zone(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/";
    size_t length = strlen(value);
    struct zone *zone = NULL;
    int r = zone_from_word(value, &zone);

    zone_free(zone);
    if (r == -ENOMEM)
        return r;
    if (length >= key->size)
        return wrong(ret_wrong, "is too long");
    if (r < 0 && (length == 0 || strspn(value, letters) != length || *value == '/' || *value == '+' || *value == '-' || value[length - 1] == '/'))
        return wrong(ret_wrong, "is no time zone");
    memcpy(field, value, length + 1);
    return 0;
}

/* -- limits -------------------------------------------------------------------------------------------------- */

static bool is_none(const char *value)
{
    return strcmp(value, "none") == 0;
}

int config_parse_limit_count(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    (void)key;
    if (is_none(value)) {
        *(uint32_t *)field = 0;
        return 0;
    }
    return limit_parse_count(value, field, ret_wrong);
}

int config_parse_limit_duration(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    if (is_none(value)) {
        *(uint32_t *)field = 0;
        return 0;
    }
    return config_parse_duration_ms(key, value, field, ret_wrong);
}

int config_parse_limit_spend(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    (void)key;
    if (is_none(value)) {
        *(int64_t *)field = 0;
        return 0;
    }
    return limit_parse_spend(value, field, ret_wrong);
}

int config_parse_limit_percent(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    (void)key;
    if (is_none(value)) {
        *(uint8_t *)field = 0;
        return 0;
    }
    return limit_parse_percent(value, field, ret_wrong);
}

int config_parse_limit_hours(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    struct limit_rules *rules = (struct limit_rules *)(void *)((char *)field - offsetof(struct limit_rules, hours));

    (void)key;
    if (is_none(value)) {
        rules->hours_count = 0;
        return 0;
    }
    return limit_parse_hours(value, rules, ret_wrong);
}

int config_parse_limit_roaming(const struct config_key *key, const char *value, void *field, const char **ret_wrong)
{
    bool may = strcmp(value, "yes") == 0;

    (void)key;
    if (!may && strcmp(value, "no") != 0)
        return wrong(ret_wrong, "is neither yes nor no");
    *(bool *)field = !may;
    return 0;
}

/* -- [sim "*"] ------------------------------------------------------------------------------------------------- */

static int inherit_key(const struct config_key *key, const struct config_sim *from, struct config_sim *to)
{
    if (to->key_lines[key->sim_key] > 0 || from->key_lines[key->sim_key] == 0)
        return 0;
    to->key_lines[key->sim_key] = from->key_lines[key->sim_key];
    if (key->sim_key != CONFIG_SIM_TAGS) {
        memcpy((char *)to + key->offset, (const char *)from + key->offset, key->size);
        return 0;
    }
    for (size_t i = 0; i < from->tags.count; i++)
        if (config_list_add(&to->tags, from->tags.items[i], strlen(from->tags.items[i])) < 0)
            return -ENOMEM;
    return 0;
}

int config_inherit(struct config *config)
{
    for (size_t i = 0; i < config->sim_count; i++)
        for (size_t k = 0; k < config_key_count; k++)
            if (config_keys[k].section == SECTION_SIM && inherit_key(&config_keys[k], &config->sim_default, &config->sims[i]) < 0)
                return -ENOMEM;
    return 0;
}
