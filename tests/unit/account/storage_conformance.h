/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_conformance.h - what every storage of the account has to do (src/account/account_db.h), checked with cmocka.
 *
 * Each storage runs the same sentences: db is a connection to a storage that holds nothing yet, and is outside of a
 * transaction; afterwards it holds what the sentences left. A sentence that does not hold fails the test that calls. */
#ifndef CELLPOST_STORAGE_CONFORMANCE_H
#define CELLPOST_STORAGE_CONFORMANCE_H

#include "src/account/account_db.h"

void storage_conforms(const struct account_db *db);
/* The same storage through another connection, after the above: what was committed is all there. It may be one that was
 * opened after the first was closed. */
void storage_kept_it(const struct account_db *db);

#endif
