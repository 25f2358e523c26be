/* SPDX-License-Identifier: Apache-2.0
 *
 * at_parse.h - values out of the lines modems answer with; forgiving: they disagree about quotes, blanks and names.
 *
 * Every function takes one line as at_chat gives it (NUL-terminated; anything may be in it) and returns 0 or a negative
 * errno: -EINVAL where the line is not of that kind; results are written on success alone. Texts come out printable:
 * other octets become '?', so that they can go into a log. */
#ifndef CELLPOST_DRIVERS_AT_PARSE_H
#define CELLPOST_DRIVERS_AT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* +CREG, +CGREG, +CEREG, +C5GREG: answers (n,stat,...) and unsolicited lines (stat,...). */
struct at_registration {
    bool unsolicited;
    int stat;           /* 27.007 10.1.20: 1 home, 5 roaming, 6/7 "SMS only" ... */
    long area, cell;    /* -1: not given */
    int act;            /* access technology; -1: not given */
};
int at_parse_registration(const char *line, struct at_registration *ret_registration);
/* An SMS can be sent: 1, 5, 6, 7, 9, 10 (27.007; 8 is emergency only, 11 is RLOS). */
bool at_registration_can_send(int stat);
bool at_registration_is_roaming(int stat);

enum at_sim {
    AT_SIM_READY,       /* also where only PIN2 or PUK2 is asked for: SMS needs neither */
    AT_SIM_PIN, AT_SIM_PUK,
    AT_SIM_LOCKED,      /* PH-...: to another device, network or operator */
    AT_SIM_MISSING, AT_SIM_BUSY, AT_SIM_FAILURE,
};
int at_parse_cpin(const char *line, enum at_sim *ret_sim);
/* What a refused AT+CPIN? says: CME 10..18 and 5..7, 40..48, CMS 310..318; others -EINVAL. */
int at_sim_from_error(bool cms, int code, enum at_sim *ret_sim);

/* How many tries are left for the PIN of the card (not PIN2, not the PUK): +CPINR of 27.007 8.65, its counterparts of
 * the makers, and +CSIM with the answer to a VERIFY PIN without data (TS 102 221 11.1.9). full: what it begins with, -1
 * where that is not told. Both are 0..15, as the card's status word has four bits for it; else -EINVAL. */
struct at_pin_tries { int left, full; };
int at_parse_pin_tries(const char *line, struct at_pin_tries *ret_tries);

int at_parse_csq(const char *line, int *ret_rssi, int *ret_ber);
int at_rssi_to_dbm(int rssi);   /* 0: unknown (99 and what 27.007 8.5 does not define) */

/* +CPMS: up to three storages, with names (AT+CPMS?) or without (AT+CPMS=...). */
struct at_storage { char name[3]; int used, total; };   /* -1: not given */
struct at_storages { uint8_t count; struct at_storage memory[3]; };
int at_parse_cpms(const char *line, struct at_storages *ret_storages);
/* AT+CPMS=?: per memory the bit set of what it takes. */
enum { AT_STORAGE_SM = 1, AT_STORAGE_ME = 2, AT_STORAGE_MT = 4, AT_STORAGE_SR = 8, AT_STORAGE_OTHER = 16 };
int at_parse_cpms_lists(const char *line, uint8_t ret_lists[3]);

int at_parse_cmti(const char *line, char ret_storage[3], int *ret_index);   /* +CMTI, +CDSI; "" and -1 occur */

/* +CMGR, +CMGL, +CMT, +CDS in PDU mode. Absent fields are -1. */
struct at_message_header { int index, stat, length; };
int at_parse_message_header(const char *line, struct at_message_header *ret_header);

int at_parse_cmgs(const char *line, int *ret_mr);
int at_parse_csms(const char *line, int *ret_service);
int at_parse_cmee(const char *line, int *ret_mode);

int at_parse_csca(const char *line, char *ret_smsc, size_t size);           /* -ENOENT: none is set */
int at_parse_cops(const char *line, char *ret_name, size_t size, int *ret_act);   /* -ENOENT: no operator */

/* A line of AT+CGMI, +CGMM, +CGMR, ATI: without its name, "Revision:" and "Model:", quotes and outer blanks. */
int at_parse_identity(const char *line, char *ret_text, size_t size);
int at_parse_imei(const char *line, char *ret_imei, size_t size);           /* 15 digits, 14 or 16 are accepted */
int at_parse_imsi(const char *line, char *ret_imsi, size_t size);           /* 6..15 digits */
/* Every form there is: bare, quoted, named, F at the end, octets swapped, and +CRSM: 144,0,"98...". */
int at_parse_iccid(const char *line, char *ret_iccid, size_t size);
/* +CUSD: m,"text",dcs (27.007 7.15). The text may hold line ends and quotes; quotes around it, the dcs, or all of it may be
 * missing. text points into the line: as the modem wrote it, NULL where there is none; dcs -1: not given. */
struct at_cusd { int m, dcs; const char *text; size_t length; };
int at_parse_cusd(const char *line, struct at_cusd *ret_cusd);
/* +CRSM: 144,0,"7FFF": the first octet of a file that was read. -ENOENT: the card answers with another status word. */
int at_parse_crsm_octet(const char *line, int *ret_octet);

#endif
