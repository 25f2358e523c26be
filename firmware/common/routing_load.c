/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_load.c - makes one whole of the files, the sections of cards and the time zones, or says what keeps them apart. */
#include "firmware/common/routing_load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/common/file_read.h"
#include "firmware/common/routing_files.h"
#include "src/routing/operator.h"

#define ROUTING_OPERATORS_BYTES_MAX (1u << 20)
#define ZONEINFO "/usr/share/zoneinfo"
#define PLANS_SHOWN 5
#define ALLOWED_ZONES "UTC, an offset as +02:00, or a name as Europe/Paris"

struct loaded { struct routing routing; struct routing_record record; };   /* first, so that one is found from the other */

struct loader {
    const struct config *config;
    struct routing *routing;
    struct routing_files files;
    struct config_errors *notes;
    struct table_notes table_notes;      /* of one reader at a time */
    const char *zone_folder;
};

struct routing_record *routing_record(struct routing *routing)
{
    return &((struct loaded *)routing)->record;
}

/* -- notes ---------------------------------------------------------------------------------------------------- */

static void take_notes(struct config_notes *to, const struct table_notes *from)
{
    for (unsigned i = 0; i < from->count; i++) {
        if (to->count == CONFIG_NOTES_MAX)
            to->more++;
        else
            (void)snprintf(to->text[to->count++], CONFIG_NOTE_MAX, "%s", from->text[i]);
    }
    to->more += from->more;
}

/* About a column of a row of the tariffs. */
static void __attribute__((format(printf, 4, 5)))
note_row(struct loader *loader, const struct tariff_row *row, const char *column, const char *format, ...)
{
    char sentence[384];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    loader->table_notes.count = loader->table_notes.more = 0;
    table_note_at(&loader->table_notes, tariff_file_name(loader->routing->tariffs, row->file), row->line, column, "%s", sentence);
    take_notes(&loader->notes->errors, &loader->table_notes);
}

static const char *section_of(const struct config_sim *sim, char ret_section[CONFIG_ICCID_MAX + 8])
{
    (void)snprintf(ret_section, CONFIG_ICCID_MAX + 8, "sim \"%s\"", sim->iccid);
    return ret_section;
}

/* -- tables --------------------------------------------------------------------------------------------------- */

/* The daemon reads it once more where it uses it; here its errors come with all others. */
static int parse_operators(struct loader *loader)
{
    const char *path = loader->config->routing.operators;
    struct operator_table *operators = NULL;
    char *text = NULL;
    size_t length = 0;
    int r;

    if (*path == '\0')
        return 0;
    r = file_read(path, ROUTING_OPERATORS_BYTES_MAX, &text, &length);
    if (r < 0 && r != -ENOMEM) {
        config_note(&loader->notes->errors, loader->config->file, loader->config->routing.operators_line, "routing", "operators",
                    "%.200s cannot be read: %s", path, strerror(-r));
        return 0;
    }
    loader->table_notes.count = loader->table_notes.more = 0;
    if (r == 0)
        r = operator_parse(&(struct table_file){ path, text, length }, &operators, &loader->table_notes);
    take_notes(&loader->notes->errors, &loader->table_notes);
    operator_free(operators);
    free(text);
    return r == -ENOMEM ? r : 0;
}

static int parse_tables(struct loader *loader)
{
    struct routing *routing = loader->routing;
    struct table_notes *notes = &loader->table_notes;
    const struct table_file *rates = loader->files.of[ROUTING_RATES].files;
    int r = 0;

    /* All of them are read, whatever is wrong with one: all errors come at once. A step that did nothing leaves no notes. */
    for (int kind = 0; kind < ROUTING_FILE_KINDS && r != -ENOMEM; kind++) {
        const struct table_file *files = loader->files.of[kind].files;
        size_t count = loader->files.of[kind].count;

        notes->count = notes->more = 0;
        if (kind == ROUTING_TARIFFS && count > 0)
            r = tariff_parse(files, count, &routing->tariffs, notes);
        else if (kind == ROUTING_RATES && count > 0)
            r = rates_parse(rates, &routing->rates, notes);
        else if (kind == ROUTING_ROUTES)
            r = route_parse(files, count, &routing->routes, notes);
        else if (kind == ROUTING_NUMBERS && count > 0)
            r = override_parse(files, count, &routing->overrides, notes);
        take_notes(&loader->notes->errors, notes);
    }
    return r == -ENOMEM ? r : parse_operators(loader);
}

/* -- zones ---------------------------------------------------------------------------------------------------- */

static int read_zone(const struct loader *loader, const char *name, struct zone **ret_zone)
{
    char path[512], *text = NULL;
    size_t length = 0;
    int r = zone_from_word(name, ret_zone);

    if (r != -EINVAL)
        return r;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", loader->zone_folder, name) >= sizeof path)
        return -ENAMETOOLONG;
    r = file_read(path, ZONE_FILE_MAX, &text, &length);
    if (r == 0)
        r = zone_parse((const uint8_t *)text, length, ret_zone);
    free(text);
    return r;
}

/* 0: it is there, or was noted as wrong before. Else -ENOMEM, or ret_wrong says why it is not to be had. name lives as long
 * as the routing. */
static int want_zone(struct loader *loader, const char *name, char *ret_wrong, size_t size)
{
    struct routing *routing = loader->routing;
    struct routing_zone *zones;
    struct zone *zone = NULL;
    char *text, shown[TABLE_SHOWN_CHARS];
    char *unused = NULL;
    size_t length = 0;
    int r;

    for (size_t i = 0; i < routing->zone_count; i++)
        if (strcmp(routing->zones[i].name, name) == 0)
            return 0;
    if (routing->zone_count == ROUTING_ZONES_MAX) {
        (void)snprintf(ret_wrong, size, "'%s' is one time zone too many (allowed: %u different ones)", table_shown(name, shown), ROUTING_ZONES_MAX);
        return -E2BIG;
    }
    text = strdup(name);
    zones = text ? realloc(routing->zones, (routing->zone_count + 1) * sizeof *zones) : NULL;
    if (!zones) {
        free(text);
        return -ENOMEM;
    }
    routing->zones = zones;
    r = read_zone(loader, name, &zone);
    zones[routing->zone_count++] = (struct routing_zone){ .name = text, .zone = zone };
    if (r == 0 || r == -ENOMEM)
        return r;
    if (file_read(loader->zone_folder, 0, &unused, &length) != -EISDIR)
        (void)snprintf(ret_wrong, size, "'%s' cannot be looked up: there is no time zone database in %.128s (install tzdata)",
                       table_shown(name, shown), loader->zone_folder);
    else
        (void)snprintf(ret_wrong, size, "'%s' is no time zone of %.128s (allowed: " ALLOWED_ZONES ")", table_shown(name, shown),
                       loader->zone_folder);
    free(unused);
    return -EINVAL;
}

static int load_bundle_zones(struct loader *loader)
{
    const struct tariff_table *tariffs = loader->routing->tariffs;
    char wrong[384];

    for (size_t i = 0; tariffs && i < tariff_row_count(tariffs); i++) {
        const struct tariff_row *row = tariff_row_at(tariffs, i);
        int r = row->kind == TARIFF_BUNDLE ? want_zone(loader, row->bundle.time_zone, wrong, sizeof wrong) : 0;

        if (r == -ENOMEM)
            return r;
        if (r < 0)
            note_row(loader, row, "time_zone", "%s", wrong);
        if (r == -E2BIG)
            break;
    }
    return 0;
}

static int load_sim_zone(struct loader *loader, const struct config_sim *sim)
{
    char wrong[384], section[CONFIG_ICCID_MAX + 8];
    int r = *sim->time_zone ? want_zone(loader, sim->time_zone, wrong, sizeof wrong) : 0;

    if (r < 0 && r != -ENOMEM)
        config_note(&loader->notes->errors, loader->config->file, sim->key_lines[CONFIG_SIM_TIME_ZONE], section_of(sim, section), "time_zone",
                    "%s", wrong);
    return r == -ENOMEM ? r : 0;
}

/* -- cards ---------------------------------------------------------------------------------------------------- */

/* The pointers and the words behind them, as one piece. */
static int copy_tags(const struct config_list *tags, struct routing_sim *sim)
{
    size_t octets = 0;
    char **items, *at;

    if (tags->count == 0)
        return 0;
    for (size_t i = 0; i < tags->count; i++)
        octets += strlen(tags->items[i]) + 1;
    items = malloc(tags->count * sizeof *items + octets);
    if (!items)
        return -ENOMEM;
    at = (char *)(items + tags->count);
    for (size_t i = 0; i < tags->count; i++) {
        size_t size = strlen(tags->items[i]) + 1;

        memcpy(at, tags->items[i], size);
        items[i] = at;
        at += size;
    }
    sim->tags = (const char *const *)items;
    sim->tag_count = tags->count;
    return 0;
}

static int copy_sim(struct loader *loader, const struct config_sim *from, struct routing_sim *to)
{
    *to = (struct routing_sim){ .limits = from->limits };
    (void)snprintf(to->iccid, sizeof to->iccid, "%s", from->iccid);
    (void)snprintf(to->name, sizeof to->name, "%s", from->name);
    (void)snprintf(to->tariff, sizeof to->tariff, "%s", *from->tariff ? from->tariff : loader->config->routing.tariff);
    return copy_tags(&from->tags, to);
}

static int copy_sims(struct loader *loader)
{
    const struct config *config = loader->config;
    struct routing *routing = loader->routing;
    int r = copy_sim(loader, &config->sim_default, &routing->sim_default);

    if (r == 0)
        r = load_sim_zone(loader, &config->sim_default);
    routing->sims = config->sim_count > 0 ? calloc(config->sim_count, sizeof *routing->sims) : NULL;
    if (config->sim_count > 0 && !routing->sims)
        r = -ENOMEM;
    for (size_t i = 0; i < config->sim_count && r == 0; i++) {
        r = copy_sim(loader, &config->sims[i], &routing->sims[routing->sim_count++]);
        if (r == 0)
            r = load_sim_zone(loader, &config->sims[i]);
    }
    return r;
}

/* Zones move no more once all are known. */
static void bind_zones(struct loader *loader)
{
    const struct config *config = loader->config;
    struct routing *routing = loader->routing;

    routing->sim_default.limits.zone = routing_zone(routing, config->sim_default.time_zone);
    for (size_t i = 0; i < routing->sim_count; i++)
        routing->sims[i].limits.zone = routing_zone(routing, config->sims[i].time_zone);
}

/* -- what holds between them ---------------------------------------------------------------------------------- */

static const char *some_plans(const struct tariff_table *tariffs, char *ret_text, size_t size)
{
    size_t used = 0, count = tariff_plan_count(tariffs);
    char shown[TABLE_SHOWN_CHARS];

    ret_text[0] = '\0';
    for (size_t i = 0; i < count && i < PLANS_SHOWN && used < size; i++)
        used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i > 0 ? ", " : "", table_shown(tariff_plan_name(tariff_plan_at(tariffs, i)), shown));
    if (count > PLANS_SHOWN && used < size)
        (void)snprintf(ret_text + used, size - used, " and %zu more", count - PLANS_SHOWN);
    return count > 0 ? ret_text : "none";
}

static void check_plan(struct loader *loader, const char *name, unsigned line, const char *section, const char *key)
{
    const struct tariff_table *tariffs = loader->routing->tariffs;
    char plans[256], shown[TABLE_SHOWN_CHARS];

    if (*name == '\0')
        return;
    if (!tariffs)
        config_note(&loader->notes->warnings, loader->config->file, line, section, key, "has no effect without tariffs in [routing]");
    else if (!tariff_find_plan(tariffs, name))
        config_note(&loader->notes->errors, loader->config->file, line, section, key, "there is no plan '%s' in the tariffs (there are: %s)",
                    table_shown(name, shown), some_plans(tariffs, plans, sizeof plans));
}

static void check_sim(struct loader *loader, const struct config_sim *sim)
{
    const struct config_sim *any = &loader->config->sim_default;
    unsigned line = sim->key_lines[CONFIG_SIM_TARIFF];
    static const struct { enum config_sim_key key; const char *name; } spends[] = {
        { CONFIG_SIM_SPEND_PER_DAY, "spend_per_day" }, { CONFIG_SIM_SPEND_PER_MONTH, "spend_per_month" },
    };
    char section[CONFIG_ICCID_MAX + 8];

    /* What comes from [sim "*"] is said once, there. */
    if (sim == any || line != any->key_lines[CONFIG_SIM_TARIFF])
        check_plan(loader, sim->tariff, line, section_of(sim, section), "tariff");
    for (size_t i = 0; i < sizeof spends / sizeof spends[0] && !loader->routing->tariffs; i++) {
        line = sim->key_lines[spends[i].key];
        if (line > 0 && (sim == any || line != any->key_lines[spends[i].key]))
            config_note(&loader->notes->warnings, loader->config->file, line, section_of(sim, section), spends[i].name,
                        "has no effect without tariffs in [routing], as prices are not known");
    }
}

/* The first two different currencies; ret_others[1] is "" where there is only one. */
static void find_currencies(const struct tariff_table *tariffs, const char *ret_found[2])
{
    ret_found[0] = ret_found[1] = "";
    for (size_t i = 0; i < tariff_plan_count(tariffs); i++) {
        const char *currency = tariff_plan_currency(tariff_plan_at(tariffs, i));

        if (*currency == '\0' || strcmp(currency, ret_found[0]) == 0)
            continue;
        ret_found[*ret_found[0] != '\0'] = currency;
        if (*ret_found[1] != '\0')
            return;
    }
}

static bool has_rate(const struct routing *routing, const char *currency)
{
    int64_t micro;

    return *currency == '\0' || rates_convert(routing->rates, 1000000, currency, routing->currency, &micro) != -ENOENT;
}

/* The first price of each plan whose prices cannot be compared with the others. */
static int check_rates(struct loader *loader)
{
    const struct tariff_table *tariffs = loader->routing->tariffs;
    size_t plans = tariff_plan_count(tariffs);
    bool *noted = calloc(plans + 1, sizeof *noted);
    char shown[TABLE_SHOWN_CHARS];

    if (!noted)
        return -ENOMEM;
    for (size_t i = 0; i < plans; i++)
        noted[i] = has_rate(loader->routing, tariff_plan_currency(tariff_plan_at(tariffs, i)));
    for (size_t i = 0; i < tariff_row_count(tariffs); i++) {
        const struct tariff_row *row = tariff_row_at(tariffs, i);
        const struct tariff_plan *plan = tariff_plan_at(tariffs, row->plan);

        if (noted[row->plan] || row->kind != TARIFF_PRICE)
            continue;
        noted[row->plan] = true;
        note_row(loader, row, "currency", "plan '%s' is in %s, and there is no rate from it to %s (add one to the file that rates in [routing] names)",
                 table_shown(tariff_plan_name(plan), shown), tariff_plan_currency(plan), loader->routing->currency);
    }
    free(noted);
    return 0;
}

static int check_currency(struct loader *loader)
{
    const struct config *config = loader->config;
    struct routing *routing = loader->routing;
    const char *found[2] = { "", "" };

    (void)snprintf(routing->currency, sizeof routing->currency, "%s", config->routing.currency);
    if (!routing->tariffs)
        return 0;
    find_currencies(routing->tariffs, found);
    if (*routing->currency == '\0' && *found[1] != '\0') {
        config_note(&loader->notes->errors, config->file, config->routing.tariffs_line, "routing", "currency",
                    "is needed, as there are prices in %s and %s (allowed: the one to compare them in)", found[0], found[1]);
        return 0;
    }
    if (*routing->currency == '\0')
        (void)snprintf(routing->currency, sizeof routing->currency, "%s", found[0]);
    return check_rates(loader);
}

static int check_selectors(struct loader *loader)
{
    const struct routing *routing = loader->routing;
    struct route_bearer *bearers = calloc(routing->sim_count + 1, sizeof *bearers);

    if (!bearers)
        return -ENOMEM;
    for (size_t i = 0; i <= routing->sim_count; i++) {
        const struct routing_sim *sim = i < routing->sim_count ? &routing->sims[i] : &routing->sim_default;

        bearers[i] = (struct route_bearer){ .kind = ROUTE_SIM, .id = sim->iccid, .name = sim->name, .tags = sim->tags, .tag_count = sim->tag_count };
    }
    route_check(routing->routes, bearers, routing->sim_count + 1, &loader->table_notes);
    take_notes(&loader->notes->warnings, &loader->table_notes);
    free(bearers);
    return 0;
}

static int check_whole(struct loader *loader)
{
    const struct config *config = loader->config;
    bool tariffs_wrong = !loader->routing->tariffs && config->routing.tariffs.count > 0;
    int r = 0;

    if (!tariffs_wrong) {                /* else it would only report what follows from it */
        check_plan(loader, config->routing.tariff, config->routing.tariff_line, "routing", "tariff");
        check_sim(loader, &config->sim_default);
        for (size_t i = 0; i < config->sim_count; i++)
            check_sim(loader, &config->sims[i]);
        if (loader->routing->rates || !*config->routing.rates)
            r = check_currency(loader);
    }
    if (r == 0 && loader->routing->routes)
        r = check_selectors(loader);
    return r;
}

/* -- the whole ------------------------------------------------------------------------------------------------ */

int routing_load(const struct config *config, struct routing **ret_routing, struct config_errors *notes)
{
    struct loader *loader = calloc(1, sizeof *loader);   /* its notes are large */
    struct loaded *loaded = calloc(1, sizeof *loaded);
    const char *folder = getenv("TZDIR");
    int r = loader && loaded ? 0 : -ENOMEM;

    memset(notes, 0, sizeof *notes);
    if (r < 0)
        goto out;
    *loader = (struct loader){ .config = config, .routing = &loaded->routing, .notes = notes, .zone_folder = folder && *folder ? folder : ZONEINFO };
    loaded->routing.patience_s = (uint32_t)config->routing.patience_s;
    loaded->routing.sticky = config->routing.sticky;
    loaded->routing.learns = config->routing.learn;
    loaded->routing.fixed_lines = config->gateway.fixed_lines;
    r = routing_files_read(config, &loader->files, &notes->errors);
    if (r != -ENOMEM)
        r = parse_tables(loader);
    if (r == 0)
        r = copy_sims(loader);
    if (r == 0)
        r = load_bundle_zones(loader);
    if (r == 0)
        r = check_whole(loader);
    if (r == 0 && notes->errors.count > 0)
        r = -EINVAL;
    if (r < 0)
        goto out;
    bind_zones(loader);
    r = routing_files_record(&loader->files, &loaded->record);
    if (r == 0 && loader->files.bytes > ROUTING_KEPT_BYTES_MAX)
        config_note(&notes->warnings, config->file, config->routing.tariffs_line, "routing", "tariffs",
                    "the files are larger than 16 MiB: of this version only their names and hashes are kept");
out:
    if (r == -ENOMEM && notes->errors.count == 0)
        config_note(&notes->errors, config->file, 0, NULL, NULL, "out of memory while tariffs and routes were read");
    if (loader)
        routing_files_done(&loader->files);
    free(loader);
    if (r < 0) {
        routing_free(loaded ? &loaded->routing : NULL);
        return r;
    }
    *ret_routing = &loaded->routing;
    return 0;
}

static void sim_done(struct routing_sim *sim)
{
    free((void *)(uintptr_t)sim->tags);  /* const to everyone but its owner */
}

void routing_free(struct routing *routing)
{
    if (!routing)
        return;
    tariff_free(routing->tariffs);
    rates_free(routing->rates);
    route_free(routing->routes);
    override_free(routing->overrides);
    for (size_t i = 0; i < routing->sim_count; i++)
        sim_done(&routing->sims[i]);
    sim_done(&routing->sim_default);
    free(routing->sims);
    for (size_t i = 0; i < routing->zone_count; i++) {
        free((void *)(uintptr_t)routing->zones[i].name);
        zone_free(routing->zones[i].zone);
    }
    free(routing->zones);
    free(routing_record(routing)->files);
    free((struct loaded *)routing);
}

void routing_describe(const struct routing *routing, char *ret_text, size_t size)
{
    size_t plans = routing->tariffs ? tariff_plan_count(routing->tariffs) : 0, rows = routing->tariffs ? tariff_row_count(routing->tariffs) : 0;
    size_t routes = route_count(routing->routes), numbers = routing->overrides ? override_count(routing->overrides) : 0;

    (void)snprintf(ret_text, size, "%zu plan%s with %zu row%s%s%s, %zu route%s, %zu ported number%s", plans, plans == 1 ? "" : "s", rows,
                   rows == 1 ? "" : "s", *routing->currency ? " in " : "", routing->currency, routes, routes == 1 ? "" : "s", numbers,
                   numbers == 1 ? "" : "s");
}
