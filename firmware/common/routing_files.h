/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_files.h - the files of tariffs and routes, read whole; what routing_load.c alone needs. */
#ifndef CELLPOST_FIRMWARE_ROUTING_FILES_H
#define CELLPOST_FIRMWARE_ROUTING_FILES_H

#include "firmware/common/routing_load.h"

enum routing_file_kind { ROUTING_TARIFFS, ROUTING_RATES, ROUTING_ROUTES, ROUTING_NUMBERS, ROUTING_FILE_KINDS };

/* Names and texts are owned. */
struct routing_files {
    struct { struct table_file *files; size_t count; } of[ROUTING_FILE_KINDS];
    size_t bytes;
};

/* -EINVAL: errors say which cannot be read; the others are there all the same. -ENOMEM. */
int routing_files_read(const struct config *config, struct routing_files *files, struct config_notes *errors);
void routing_files_done(struct routing_files *files);

/* -ENOMEM. */
int routing_files_record(const struct routing_files *files, struct routing_record *ret_record);

#endif
