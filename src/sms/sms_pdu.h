/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_pdu.h - the TPDUs of 3GPP TS 23.040 that a modem gives and takes: bytes <-> structs.
 *
 * A "PDU" here is what a modem speaks in PDU mode (27.005): SMSC length octet, SMSC address, TPDU. The first octet of
 * a TPDU does not tell its direction, so the caller says it.
 * Ownership: everything is copied into the struct the caller gave; nothing points into the input.
 * Errors: 0 or a negative errno; on error *ret_error (a static sentence for a person; ret_error may be NULL) says what
 *         is wrong, and nothing else is written. No input reads or writes out of bounds, whatever its length octets
 *         claim. */
#ifndef CELLPOST_SMS_PDU_H
#define CELLPOST_SMS_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sms_direction { SMS_DELIVER, SMS_SUBMIT, SMS_STATUS_REPORT };
enum sms_alphabet { SMS_GSM7, SMS_8BIT, SMS_UCS2 };

#define SMS_PDU_BYTES_MAX 180      /* SMSC address (12) + largest TPDU (164) and room for what follows it */
#define SMS_ADDRESS_CHARS_MAX 48   /* 20 digits and '+', or 11 GSM-7 characters in UTF-8, and NUL */
#define SMS_TEXT_BYTES_MAX 512     /* text of one part in UTF-8: 160 septets of up to 3 bytes, and NUL */

struct sms_address {
    uint8_t type;                        /* type-of-address octet, TS 23.040 9.1.2.5: 0x91, 0x81, 0xD0 ... */
    char text[SMS_ADDRESS_CHARS_MAX];    /* "+40700..." where type is 0x91, bare digits, or alphanumeric UTF-8 */
};

/* 9.2.3.11: local time of the sender's zone and its offset from UTC. As in the PDU, so it may be no date: .present is
 * false where it had digits above 9; sms_time_to_unix_s() tells about the rest. */
struct sms_time {
    bool present;
    uint16_t year;                       /* 20yy */
    uint8_t month, day, hour, minute, second;
    int8_t tz_quarters;                  /* quarters of an hour east of UTC */
};

struct sms_udh {
    bool present;                        /* UDHI was set, even where the header is empty */
    bool concat;
    uint16_t concat_ref;
    uint8_t concat_ref_bits;             /* 8 (element 00) or 16 (element 08) */
    uint8_t concat_total, concat_seq;    /* 1-based */
    uint8_t port_bits;                   /* 0 none, 8 (element 04) or 16 (element 05) */
    uint16_t port_dst, port_src;
    uint8_t locking, single;             /* national language of elements 25h / 24h; 0 none */
    bool locking_present, single_present;
    uint8_t other_count;                 /* elements stepped over */
    struct { uint8_t iei, length; uint8_t data[140]; } other[8];   /* the first 8 of them, for display */
};

enum sms_vp_format { SMS_VP_NONE, SMS_VP_RELATIVE, SMS_VP_ENHANCED, SMS_VP_ABSOLUTE };

struct sms_tpdu {
    enum sms_direction direction;
    char smsc[SMS_ADDRESS_CHARS_MAX];    /* "" where the length octet was 0 */
    uint8_t tpdu_length;                 /* octets after the SMSC part, trailing ones too: the n of AT+CMGS=n */
    struct sms_address address;          /* TP-OA, TP-DA, TP-RA */
    uint8_t pid, dcs;
    enum sms_alphabet alphabet;          /* SMS_8BIT also for compressed text (TS 23.042), which is not unpacked */
    int8_t message_class;                /* 0..3, -1 none */
    bool mwi; bool mwi_active, mwi_discard; uint8_t mwi_type;   /* TS 23.038 4, groups 1100..1110 */
    struct sms_udh udh;
    struct sms_time scts;                /* deliver, status report */
    bool more_messages;                  /* TP-MMS said no more where false: deliver, status report */
    bool reply_path;
    bool status_report;                  /* TP-SRR (submit), TP-SRI (deliver), TP-SRQ (status report) */
    bool reject_duplicates;              /* TP-RD: submit */
    uint8_t mr;                          /* submit, status report */
    enum sms_vp_format vp_format;
    uint8_t vp_raw;                      /* relative */
    uint32_t vp_minutes;                 /* relative; enhanced: rounded up */
    struct sms_time vp_time;             /* absolute */
    struct sms_time discharge;           /* status report */
    uint8_t status;                      /* TP-ST */
    bool has_user_data;                  /* false in a status report without TP-UD */
    char text[SMS_TEXT_BYTES_MAX];       /* gsm7, ucs2: UTF-8, NUL-terminated (a NUL code unit becomes U+FFFD). Half of a
                                            surrogate pair stays as its three octets (WTF-8), so that reassembly can
                                            join a pair cut between parts: sms_text_sanitize() before showing it */
    uint16_t text_length;
    uint8_t data[140];                   /* 8-bit user data after the header */
    uint8_t data_length;
    uint8_t trailing_octets;             /* octets after the TPDU's own end: some modems pad */
};

int sms_pdu_decode(const uint8_t *pdu, size_t length, enum sms_direction direction, struct sms_tpdu *ret_tpdu,
                   const char **ret_error);
/* The same from the modem's hex, either case. -EINVAL also for what is not hex. */
int sms_pdu_decode_hex(const char *hex, size_t length, enum sms_direction direction, struct sms_tpdu *ret_tpdu,
                       const char **ret_error);

/* What goes into one SMS-SUBMIT. Zeroes mean: no such thing. */
struct sms_submit {
    const char *smsc;                    /* "+..." or NULL: the modem's own (length octet 00) */
    const char *to;                      /* "+digits" international, else unknown type; digits, '*', '#' */
    uint8_t mr;                          /* many modems overwrite it */
    bool status_report, reject_duplicates, reply_path;
    uint8_t pid;
    int8_t message_class;                /* -1 none, 0 flash .. 3 */
    enum sms_alphabet alphabet;
    enum sms_vp_format vp_format;        /* NONE, RELATIVE or ABSOLUTE */
    uint8_t vp_raw;
    struct sms_time vp_time;
    bool concat; uint16_t concat_ref; uint8_t concat_ref_bits, concat_total, concat_seq;
    uint8_t port_bits; uint16_t port_dst, port_src;
    uint8_t locking, single;             /* national language identifiers; 0 none */
    const char *text; size_t text_length;       /* UTF-8, for gsm7 and ucs2 */
    const uint8_t *data; size_t data_length;    /* for 8bit */
};

/* Writes the PDU (SMSC octet first). *ret_length: octets in ret_pdu; *ret_tpdu_length: the n of AT+CMGS=n.
 * -EINVAL: number, text or field that cannot be written; -EMSGSIZE: does not fit 140 octets. */
int sms_submit_encode(const struct sms_submit *submit, uint8_t ret_pdu[SMS_PDU_BYTES_MAX], size_t *ret_length,
                      uint8_t *ret_tpdu_length, const char **ret_error);

/* The relative octet (9.2.3.12.1) whose period is the shortest that is >= minutes; 255 (63 weeks) for more. */
uint8_t sms_vp_from_minutes(uint32_t minutes);
uint32_t sms_vp_to_minutes(uint8_t raw);

/* Makes WTF-8 into UTF-8 in place: pairs are joined, lone halves become U+FFFD. Returns the new length. */
size_t sms_text_sanitize(char *text, size_t length);

/* Seconds since 1970 UTC of a time stamp, or INT64_MIN where its fields are no date. */
int64_t sms_time_to_unix_s(const struct sms_time *time);
/* The reverse, at an offset of tz_quarters. */
struct sms_time sms_time_from_unix_s(int64_t unix_s, int8_t tz_quarters);

#endif
