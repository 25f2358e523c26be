/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_pdu.h - what a service centre makes of an SMS-SUBMIT: the SMS-DELIVER and the SMS-STATUS-REPORT (TS 23.040).
 *
 * Written by hand from the octets of the submit, so that user data pass through untouched, whatever is in them. */
#ifndef CELLPOST_HAL_SIM_PDU_H
#define CELLPOST_HAL_SIM_PDU_H

#include <stddef.h>
#include <stdint.h>

#define SIM_TPDU_BYTES_MAX 176

/* Where things stand in a sound SUBMIT TPDU (no SMSC part). */
struct sim_submit_layout {
    size_t address_at, address_octets;   /* TP-DA with its length and type octets */
    size_t pid_at, user_at;              /* user_at: TP-UDL */
};

/* -EINVAL: it is none, or cut short. */
int sim_pdu_submit_layout(const uint8_t *tpdu, size_t length, struct sim_submit_layout *ret_layout);

/* The deliver that arrives at the other end. from: "+digits", digits or up to 11 letters. -EINVAL, -EMSGSIZE. */
int sim_pdu_deliver_from_submit(const uint8_t *submit, size_t length, const char *from, int64_t unix_s,
                                uint8_t ret_tpdu[SIM_TPDU_BYTES_MAX], size_t *ret_length);

/* The report about a submit (TS 23.040 9.2.2.3). */
int sim_pdu_report_from_submit(const uint8_t *submit, size_t length, uint8_t mr, int64_t submitted_s, int64_t discharged_s,
                               uint8_t status, uint8_t ret_tpdu[SIM_TPDU_BYTES_MAX], size_t *ret_length);

/* Sets the discharge time of such a report again: a message that had to wait for its phone. */
void sim_pdu_report_discharge(uint8_t *report, size_t length, int64_t discharged_s);

/* The SMSC part a modem puts in front: length octet, type, semi-octets. Returns its octets, at most 12. */
size_t sim_pdu_smsc(const char *smsc, uint8_t ret_octets[12]);

#endif
