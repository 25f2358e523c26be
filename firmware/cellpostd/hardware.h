/* SPDX-License-Identifier: Apache-2.0
 *
 * hardware.h - what names this machine to its account, so that a copy of its disk in another machine is noticed. */
#ifndef CELLPOST_HARDWARE_H
#define CELLPOST_HARDWARE_H

#include <stdint.h>

#include "src/credit/octets.h"

/* SHA-256 of the first of the files in hardware.c that says something, with its kind in front. root: "" but in tests.
 * Returns the path it came from; NULL: none says anything, and it is all zeros. */
const char *hardware_fingerprint(const char *root, uint8_t ret_fingerprint[SHA256_OCTETS]);

#endif
