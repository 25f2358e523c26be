/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_internal.h - objects as tables of fields: one table is read by the encoder and by the decoder. */
#ifndef CELLPOST_SYNC_WIRE_INTERNAL_H
#define CELLPOST_SYNC_WIRE_INTERNAL_H

#include <jansson.h>

#include "src/sync/wire.h"

enum field_type {
    FIELD_PROTOCOL,                          /* "protocol": WIRE_PROTOCOL; nothing in the struct */
    FIELD_U8, FIELD_U16, FIELD_U32, FIELD_U64, FIELD_I64,   /* from min to max; a u64 to INT64_MAX */
    FIELD_HEX,                               /* max octets */
    FIELD_LINE,                              /* char[max]: min to max - 1 octets, no control characters */
    FIELD_PEM,                               /* char[max]: the same with line ends */
    FIELD_TOKEN,                             /* char[max] of [A-Za-z0-9_-] */
    FIELD_OBJECT,                            /* of the table `fields`, in the same struct; offset is added to theirs */
    FIELD_SPECIAL                            /* by functions */
};

struct fields;

/* Where in what is decoded we are. */
struct place { char pointer[80]; struct wire_error *error; };

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    int64_t min, max;
    const struct fields *fields;
    size_t present;                          /* not 0: the member may be missing; offset of the bool that says so */
    json_t *(*encode)(const void *base, int *ret_error);
    int (*decode)(json_t *value, void *base, const struct place *place);
};

struct fields { const struct field *field; size_t count; bool open; };   /* open: members that are not known are let pass */

#define FIELDS(array) { array, sizeof (array) / sizeof (array)[0], false }

/* A new object; NULL: *ret_error is -EINVAL or -ENOMEM. */
json_t *fields_encode(const struct fields *fields, const void *base, int *ret_error);
/* 0, -EINVAL (place->error is written) or -ENOMEM. */
int fields_decode(const struct fields *fields, json_t *object, void *base, const struct place *place);

/* Writes the error and returns -EINVAL. */
int wire_refuse(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A member of an object, or one of an array. A pointer that would be too long, or has octets that one cannot print, is cut
 * and has ? instead: it is for a person. */
struct place wire_inside(const struct place *place, const char *name);
struct place wire_inside_of(const struct place *place, const char *name, size_t length);
struct place wire_at(const struct place *place, size_t index);

json_t *wire_hex_encode(const uint8_t *octets, size_t length);
int wire_hex_decode(json_t *value, uint8_t *ret_octets, size_t length, const struct place *place);
json_t *wire_base64_encode(const uint8_t *octets, size_t length);
/* Only what wire_base64_encode() writes. *ret_octets is of malloc(). */
int wire_base64_decode(json_t *value, size_t octets_max, uint8_t **ret_octets, size_t *ret_length, const struct place *place);

/* wire_parts.c: what has a form of its own. */
json_t *wire_entries_encode(const void *base, int *ret_error);
int wire_entries_decode(json_t *value, void *base, const struct place *place);
json_t *wire_lease_encode(const void *base, int *ret_error);
int wire_lease_decode(json_t *value, void *base, const struct place *place);
json_t *wire_papers_encode(const void *base, int *ret_error);
int wire_papers_decode(json_t *value, void *base, const struct place *place);
json_t *wire_unclosed_encode(const void *base, int *ret_error);
int wire_unclosed_decode(json_t *value, void *base, const struct place *place);
json_t *wire_commands_encode(const void *base, int *ret_error);
int wire_commands_decode(json_t *value, void *base, const struct place *place);
json_t *wire_csv_encode(const void *base, int *ret_error);
int wire_csv_decode(json_t *value, void *base, const struct place *place);

/* wire_text.c: text to an object and back. Errors of wire_load(): -EINVAL (error is written), -ENOMEM. wire_dump() takes the
 * root, which is NULL where making it ended in error; its errors: that one, -EMSGSIZE, -ENOMEM. */
int wire_load(const char *body, size_t length, size_t length_max, json_t **ret_root, struct wire_error *error);
int wire_dump(json_t *root, int error, size_t length_max, char **ret_body, size_t *ret_length);

/* wire_codes.c: WIRE_OTHER where it is none that is known. */
enum wire_code wire_code_of(const char *name);

/* Of wire_fields.c: what several tables have. */
extern const struct fields wire_head_fields;

#endif
