/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_card.h - a simulated SIM: who it is, its PIN, its message storage, the last TP-MR it used.
 *
 * The card belongs to the caller and may move from modem to modem; what is on it goes with it. */
#ifndef CELLPOST_HAL_SIM_CARD_H
#define CELLPOST_HAL_SIM_CARD_H

#include "src/sms/sms_pdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_CARD_SLOTS_MAX 50
#define SIM_PIN_TRIES 3
#define SIM_PUK_TRIES 10

/* <stat> of TS 27.005 3.1. */
enum sim_slot_stat { SIM_SLOT_UNREAD, SIM_SLOT_READ, SIM_SLOT_UNSENT, SIM_SLOT_SENT };

/* One place of a message storage. */
struct sim_slot {
    bool used, report;
    uint8_t stat;
    uint8_t length, tpdu_length;         /* octets of pdu; those after the SMSC part */
    uint8_t pdu[SMS_PDU_BYTES_MAX];
};

struct sim_card {
    char iccid[24], imsi[16], number[24], smsc[24];
    char pin[9], puk[9];
    bool pin_enabled;
    uint8_t pin_tries, puk_tries;
    uint8_t last_mr;                     /* EF_SMSS, TS 31.102 4.2.9 */
    uint32_t balance_cents;              /* what *100# says */
    size_t slot_count;
    struct sim_slot slots[SIM_CARD_SLOTS_MAX];
};

/* A card with identity by index (the same index gives the same card): ICCID 8940... with its check digit, IMSI
 * 22601..., PIN 1234 (asked for only if pin_enabled), PUK 12345678. -EINVAL: number is not "+digits" of E.164. */
int sim_card_init(struct sim_card *card, uint32_t index, const char *number, bool pin_enabled);

/* The IMEI of modem index: 15 digits with check digit. */
void sim_card_imei(uint32_t index, char ret_imei[16]);

/* Check digit after digits (Luhn, ISO/IEC 7812-1 annex B). */
char sim_card_check_digit(const char *digits);

enum sim_pin_answer { SIM_PIN_RIGHT, SIM_PIN_WRONG, SIM_PIN_BLOCKED };

/* Counts a wrong try; BLOCKED as soon as no try is left. */
enum sim_pin_answer sim_card_try_pin(struct sim_card *card, const char *pin);
enum sim_pin_answer sim_card_try_puk(struct sim_card *card, const char *puk, const char *new_pin);

#endif
