/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h - where the account keeps its rows and keys, and where it listens: a file of [central], or options.
 *
 * Strict: a key that is not known, set twice or wrong is an error with its line. */
#ifndef CELLPOST_CENTRAL_SETTINGS_H
#define CELLPOST_CENTRAL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_FILE "/etc/cellpost/central.ini"
#define SETTINGS_STATE "/var/lib/cellpost-central"
#define SETTINGS_LISTEN "[::]:8443"
#define SETTINGS_NAMES_MAX 16
#define SETTINGS_NAME_CHARS 254
#define SETTINGS_PATH_CHARS 512

struct settings {
    char db[SETTINGS_PATH_CHARS];            /* "": central.db in the state folder */
    char state[SETTINGS_PATH_CHARS];
    char listen[128];
    char url[256];                           /* where boxes reach it; "": of the first name and the port */
    char names[SETTINGS_NAMES_MAX][SETTINGS_NAME_CHARS];
    size_t name_count;
    uint32_t threads;
    int64_t lease_ms, settle_ms;
};

void settings_default(struct settings *settings);
/* -ENOENT and others: the file cannot be read; -EINVAL: problem says where and what. */
int settings_read(const char *path, struct settings *settings, char *problem, size_t size);
/* One value, by its name in the file. NULL, or what is wrong: a phrase behind "it". */
const char *settings_set(struct settings *settings, const char *name, const char *value);
/* What is not set and follows from the rest: db, names, url. */
void settings_finish(struct settings *settings);

#endif
