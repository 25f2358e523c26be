/* SPDX-License-Identifier: Apache-2.0
 *
 * central.h - where the account is, and how it is known to be it: of the configuration, or told with `cellpost enroll`. */
#ifndef CELLPOST_FIRMWARE_CENTRAL_H
#define CELLPOST_FIRMWARE_CENTRAL_H

#include <stdbool.h>
#include <stdint.h>

#define CENTRAL_URL_MAX 256
#define CENTRAL_PATH_MAX 320
#define CENTRAL_PROXY_MAX 256
#define CENTRAL_HOST_MAX 254
#define CENTRAL_PIN_OCTETS 32            /* SHA-256 of a public key (SubjectPublicKeyInfo) */
#define CENTRAL_PIN_CHARS 65

struct central_place {
    char url[CENTRAL_URL_MAX];           /* "https://host:port"; "": none */
    char ca[CENTRAL_PATH_MAX];           /* a PEM file; "": none */
    char proxy[CENTRAL_PROXY_MAX];       /* "": as the environment says */
    bool has_pin; uint8_t pin[CENTRAL_PIN_OCTETS];
};

/* NULL, or what is wrong: a phrase behind "it". */
const char *central_url_wrong(const char *url);
const char *central_proxy_wrong(const char *url);
/* The name or address in a good URL, without brackets. */
void central_host(const char *url, char ret_host[CENTRAL_HOST_MAX]);
/* 64 digits of hex, in either case, with colons or without. */
bool central_pin_read(const char *text, uint8_t ret_pin[CENTRAL_PIN_OCTETS]);

#endif
