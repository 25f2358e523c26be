/* SPDX-License-Identifier: Apache-2.0
 *
 * client_internal.h - what calls and streams share. */
#ifndef CELLPOST_CLI_CLIENT_INTERNAL_H
#define CELLPOST_CLI_CLIENT_INTERNAL_H

#include "firmware/cellpost/client.h"

#include <curl/curl.h>

/* What client.h promises for a transfer that failed. */
int client_error_of_curl(CURL *curl, CURLcode code);
void client_set_common(CURL *curl, const char *socket_path, const char *target, struct client_answer *answer);
size_t client_take_header(char *bytes, size_t size, size_t count, void *answer);
size_t client_take_body(char *bytes, size_t size, size_t count, void *answer);

#endif
