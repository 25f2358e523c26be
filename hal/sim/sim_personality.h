/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_personality.h - how a simulated modem speaks: one row of data per kind of modem.
 *
 * The rows follow the logs of real devices (tests/transcripts) where there are some. */
#ifndef CELLPOST_HAL_SIM_PERSONALITY_H
#define CELLPOST_HAL_SIM_PERSONALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which vendor's own commands it knows; a bit set, also in the table of commands. */
enum sim_family {
    SIM_FAMILY_ANY = 0xFF,
    SIM_FAMILY_GENERIC = 1, SIM_FAMILY_QUECTEL = 2, SIM_FAMILY_SIMCOM = 4, SIM_FAMILY_HUAWEI = 8, SIM_FAMILY_SIEMENS = 16,
    SIM_FAMILY_NORDIC = 32,
};

/* Where TP-MR comes from. TS 23.040 9.2.3.6 wants the card's EF_SMSS; real modems do all three. */
enum sim_mr_source { SIM_MR_CARD, SIM_MR_MODEM, SIM_MR_PDU };

/* How it writes USSD: by +CSCS; packed digits both ways, plain codes are refused (Huawei); UCS2 digits whatever +CSCS and its own
 * dcs say; by +CSCS and before the OK of its command, without dcs. */
enum sim_ussd_coding { SIM_USSD_BY_CHARSET, SIM_USSD_PACKED, SIM_USSD_UCS2, SIM_USSD_EARLY };

/* Bit n: the value n is accepted (+CNMI=?). */
struct sim_cnmi_masks { uint8_t mode, mt, bm, ds, bfr; };

#define SIM_BOOT_LINES_MAX 6
#define SIM_CHATTER_LINES_MAX 6

struct sim_personality {
    const char *name;
    const char *manufacturer, *model, *revision;
    uint8_t family;
    enum sim_ussd_coding ussd;
    const char *prompt;                  /* after AT+CMGS; "" none at all (nRF91) */
    bool echo;                           /* after power on */
    bool text_mode;                      /* AT+CMGF after power on */
    bool prefixed_identity;              /* "+CGMM: model" */
    const char *error;                   /* its ERROR */
    enum sim_mr_source mr_source;
    struct sim_cnmi_masks cnmi;
    bool advertises_ds1;                 /* +CNMI=? lists ds 1 whatever the mask says */
    uint8_t csms_max;
    const char *storages;                /* mem1..3 lists: "SM,ME,SR"; the first is the one after power on */
    uint8_t me_slots, sr_slots;
    uint8_t index_base;                  /* first index of a storage */
    uint8_t memories_min;                /* AT+CPMS takes this many storages or more */
    const char *report_storage;          /* ds=2: where the report is put */
    const char *cdsi_says;               /* ds=2: what +CDSI says instead: storage and index, in the modem's own words */
    const char *boot_lines[SIM_BOOT_LINES_MAX];
    const char *ready_line;              /* when SMS works after boot or PIN */
    const char *chatter[SIM_CHATTER_LINES_MAX];   /* what it says unasked */
};

/* NULL: no such name. "generic" always exists. */
const struct sim_personality *sim_personality_find(const char *name);
const struct sim_personality *sim_personality_at(size_t index);   /* NULL after the last */

#endif
