/* SPDX-License-Identifier: Apache-2.0
 *
 * tariff_check.h - what the gateway would say about files of tariffs. */
#ifndef CELLPOST_TARIFF_CHECK_H
#define CELLPOST_TARIFF_CHECK_H

#include <jansson.h>
#include <stddef.h>

#define TARIFF_CHECK_FILES_MAX 1024

/* A sentence for each thing that is wrong, also with files that cannot be read; an empty array: nothing. All files are one
 * table; what it has, if nothing is wrong with it. The caller's reference. */
json_t *tariff_check(char **paths, int count, size_t *ret_plans, size_t *ret_rows);

#endif
