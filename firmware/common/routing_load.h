/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_load.h - reads the files that [routing] names and makes one whole of them and of the [sim] sections: the struct
 * routing that is in force from then on, or an explanation of everything that is wrong.
 *
 * Slow where tables are large, and it reads files: not for a thread that others wait for. Nothing is kept of config.
 * Time zones are those of the folder TZDIR names in the environment, else /usr/share/zoneinfo. */
#ifndef CELLPOST_FIRMWARE_ROUTING_LOAD_H
#define CELLPOST_FIRMWARE_ROUTING_LOAD_H

#include "firmware/common/config.h"
#include "src/routing/routing.h"

#define ROUTING_FILE_BYTES_MAX (64u << 20)
#define ROUTING_BYTES_MAX (256u << 20)       /* of all files */
#define ROUTING_KEPT_BYTES_MAX (16u << 20)   /* above it a version is kept without the texts of its files */
#define ROUTING_ZONES_MAX 1024

/* All errors of all files at once, up to the bound of notes. -EINVAL: notes->errors say why; -ENOMEM; either way
 * *ret_routing is as it was. Warnings are noted on success too. */
int routing_load(const struct config *config, struct routing **ret_routing, struct config_errors *notes);
void routing_free(struct routing *routing);   /* of routing_load(); accepts NULL */

/* What a version of the files is known by, for the table routing_version. */
struct routing_record {
    size_t count;                        /* of files; with none there is nothing to keep */
    uint8_t sha256[32];                  /* of their kinds, names and octets */
    /* JSON: [{"kind":"tariffs","name":"/etc/...","bytes":812,"sha256":"...","text":"..."}, ...]; NULL once it was taken. */
    char *files;
};
struct routing_record *routing_record(struct routing *routing);

/* "2 plans with 120 rows in EUR, 4 routes, 0 ported numbers" */
void routing_describe(const struct routing *routing, char *ret_text, size_t size);

#endif
