/* SPDX-License-Identifier: Apache-2.0
 *
 * pdu_json.h - a decoded PDU as JSON: `cellpost pdu decode --json`. Fields and their nulls are those of
 * tests/vectors/pdu.jsonl, so that any row of it can be compared with what the program says. */
#ifndef CELLPOST_CLI_PDU_JSON_H
#define CELLPOST_CLI_PDU_JSON_H

#include <jansson.h>

#include "src/sms/sms_pdu.h"

/* A new object; NULL: no memory. */
json_t *pdu_json(const struct sms_tpdu *tpdu);

#endif
