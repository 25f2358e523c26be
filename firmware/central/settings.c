/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/central/settings.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/cellpost/when.h"
#include "firmware/central/http.h"

#define DAY_S 86400

void settings_default(struct settings *settings)
{
    *settings = (struct settings){ .state = SETTINGS_STATE, .listen = SETTINGS_LISTEN, .threads = 8,
                                   .lease_ms = INT64_C(30) * DAY_S * 1000, .settle_ms = INT64_C(30) * DAY_S * 1000 };
}

/* -- values ----------------------------------------------------------------------------------------------------------------- */

static const char *set_text(char *to, size_t size, const char *value)
{
    if (value[0] == '\0')
        return "is empty";
    if (strlen(value) >= size)
        return "is too long";
    (void)strcpy(to, value);
    return NULL;
}

static const char *set_db(struct settings *settings, const char *value) { return set_text(settings->db, sizeof settings->db, value); }
static const char *set_state(struct settings *settings, const char *value) { return set_text(settings->state, sizeof settings->state, value); }
static const char *set_listen(struct settings *settings, const char *value) { return set_text(settings->listen, sizeof settings->listen, value); }

static const char *set_url(struct settings *settings, const char *value)
{
    if (strncmp(value, "https://", 8) != 0 || value[8] == '\0')
        return "does not begin with https://";
    return set_text(settings->url, sizeof settings->url, value);
}

/* Several, with commas or spaces between them. */
static const char *set_names(struct settings *settings, const char *value)
{
    const char *wrong = value[strspn(value, ", \t")] == '\0' ? "is empty" : NULL;

    while (!wrong && *(value += strspn(value, ", \t")) != '\0') {
        size_t length = strcspn(value, ", \t");

        if (settings->name_count == SETTINGS_NAMES_MAX)
            return "has more than 16 names";
        if (length >= SETTINGS_NAME_CHARS)
            return "has a name that is too long";
        memcpy(settings->names[settings->name_count], value, length);
        settings->names[settings->name_count++][length] = '\0';
        value += length;
    }
    return wrong;
}

static const char *set_threads(struct settings *settings, const char *value)
{
    char *end;
    unsigned long threads = strtoul(value, &end, 10);

    if (*end != '\0' || value[0] < '0' || value[0] > '9' || threads < 1 || threads > CENTRAL_HTTP_THREADS_MAX)
        return "is not a number from 1 to 64";
    settings->threads = (uint32_t)threads;
    return NULL;
}

static const char *set_days(int64_t *to_ms, const char *value, int64_t min_s)
{
    int64_t s;

    if (duration_parse(value, &s) < 0)
        return "is not a time like 30d or 12h";
    if (s < min_s || s > INT64_C(10) * 366 * DAY_S)
        return min_s > 60 ? "is not from 1 hour to 10 years" : "is not from 1 minute to 10 years";
    *to_ms = s * 1000;
    return NULL;
}

static const char *set_lease(struct settings *settings, const char *value) { return set_days(&settings->lease_ms, value, 60); }
static const char *set_settle(struct settings *settings, const char *value) { return set_days(&settings->settle_ms, value, 60); }

static const struct { const char *name; const char *(*set)(struct settings *, const char *); bool many; } keys[] = {
    { "db", set_db, false }, { "state", set_state, false }, { "listen", set_listen, false }, { "url", set_url, false },
    { "tls_name", set_names, true }, { "threads", set_threads, false }, { "lease", set_lease, false }, { "settle", set_settle, false },
};
#define KEYS (sizeof keys / sizeof keys[0])

const char *settings_set(struct settings *settings, const char *name, const char *value)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return keys[i].set(settings, value);
    return "is not known (known: db, state, listen, url, tls_name, threads, lease, settle)";
}

/* -- the file ----------------------------------------------------------------------------------------------------------------- */

struct reading { struct settings *settings; char *problem; size_t size; bool seen[KEYS]; char wrong[256]; };

static int take(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    const char *wrong = NULL;

    if (reading->wrong[0] != '\0')
        return 0;
    if (strcmp(section, "central") != 0) {
        (void)snprintf(reading->wrong, sizeof reading->wrong, "[%.40s] %.40s: there is one section here, [central]", section, name);
        return 0;
    }
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].name, name) == 0) {
            wrong = reading->seen[i] && !keys[i].many ? "is set twice" : NULL;
            reading->seen[i] = true;
        }
    if (!wrong)
        wrong = settings_set(reading->settings, name, value);
    if (wrong)
        (void)snprintf(reading->wrong, sizeof reading->wrong, "[central] %.40s %s", name, wrong);
    return wrong ? 0 : 1;
}

int settings_read(const char *path, struct settings *settings, char *problem, size_t size)
{
    struct reading reading = { .settings = settings };
    FILE *file = fopen(path, "re");
    int line, r;

    if (!file) {
        r = -errno;
        (void)snprintf(problem, size, "%s cannot be read: %s", path, strerror(-r));
        return r;
    }
    line = ini_parse_file(file, take, &reading);
    (void)fclose(file);
    if (line == 0 && reading.wrong[0] == '\0')
        return 0;
    (void)snprintf(problem, size, "%s:%d: %s", path, line, reading.wrong[0] != '\0' ? reading.wrong : "this line is neither [central] nor key = value");
    return -EINVAL;
}

/* -- what follows ------------------------------------------------------------------------------------------------------------- */

void settings_finish(struct settings *settings)
{
    const char *port = strrchr(settings->listen, ':');
    bool address;

    if (settings->db[0] == '\0')
        (void)snprintf(settings->db, sizeof settings->db, "%.480s/central.db", settings->state);
    if (settings->name_count == 0) {
        if (gethostname(settings->names[0], SETTINGS_NAME_CHARS - 1) == 0 && settings->names[0][0] != '\0')
            settings->name_count = 1;
        (void)strcpy(settings->names[settings->name_count++], "localhost");
        (void)strcpy(settings->names[settings->name_count++], "127.0.0.1");
    }
    address = strchr(settings->names[0], ':') != NULL;
    if (settings->url[0] == '\0')
        (void)snprintf(settings->url, sizeof settings->url, "https://%s%.200s%s%s", address ? "[" : "", settings->names[0], address ? "]" : "",
                       port ? port : "");
}
