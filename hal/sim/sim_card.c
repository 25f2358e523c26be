/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_card.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char sim_card_check_digit(const char *digits)
{
    int sum = 0;
    bool twice = true;   /* the check digit itself would be the first from the right */

    for (size_t i = strlen(digits); i-- > 0;) {
        int d = digits[i] - '0';

        if (twice) {
            d *= 2;
            if (d > 9)
                d -= 9;
        }
        sum += d;
        twice = !twice;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

void sim_card_imei(uint32_t index, char ret_imei[16])
{
    char digits[16];

    (void)snprintf(digits, sizeof digits, "35693803%06u", (unsigned)(index % 1000000u));
    (void)snprintf(ret_imei, 16, "%.14s%c", digits, sim_card_check_digit(digits));
}

int sim_card_init(struct sim_card *card, uint32_t index, const char *number, bool pin_enabled)
{
    char digits[24];
    size_t length = strlen(number);

    /* E.164: at most 15 digits. */
    if (number[0] != '+' || length < 4 || length > 16 || strspn(number + 1, "0123456789") != length - 1)
        return -EINVAL;
    *card = (struct sim_card){ .pin = "1234", .puk = "12345678", .pin_enabled = pin_enabled, .pin_tries = SIM_PIN_TRIES,
                               .puk_tries = SIM_PUK_TRIES, .last_mr = 0xFF, .balance_cents = 1234, .slot_count = 20,
                               .smsc = "+40700000000" };
    (void)snprintf(digits, sizeof digits, "894001%013u", (unsigned)index);
    (void)snprintf(card->iccid, sizeof card->iccid, "%.19s%c", digits, sim_card_check_digit(digits));
    (void)snprintf(card->imsi, sizeof card->imsi, "22601%010u", (unsigned)index);
    memcpy(card->number, number, length + 1);
    return 0;
}

enum sim_pin_answer sim_card_try_pin(struct sim_card *card, const char *pin)
{
    if (card->pin_tries == 0)
        return SIM_PIN_BLOCKED;
    if (strcmp(card->pin, pin) == 0) {
        card->pin_tries = SIM_PIN_TRIES;
        return SIM_PIN_RIGHT;
    }
    return --card->pin_tries == 0 ? SIM_PIN_BLOCKED : SIM_PIN_WRONG;
}

enum sim_pin_answer sim_card_try_puk(struct sim_card *card, const char *puk, const char *new_pin)
{
    size_t length = strlen(new_pin);

    if (card->puk_tries == 0)
        return SIM_PIN_BLOCKED;
    /* A PIN has 4 to 8 digits (TS 31.101 9.3); a malformed one is no try. */
    if (length < 4 || length > 8 || strspn(new_pin, "0123456789") != length)
        return SIM_PIN_WRONG;
    if (strcmp(card->puk, puk) != 0)
        return --card->puk_tries == 0 ? SIM_PIN_BLOCKED : SIM_PIN_WRONG;
    memcpy(card->pin, new_pin, length + 1);
    card->pin_tries = SIM_PIN_TRIES;
    card->puk_tries = SIM_PUK_TRIES;
    return SIM_PIN_RIGHT;
}
