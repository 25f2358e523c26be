/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/pdu_json.h"

#include <stdio.h>
#include <string.h>

#include "firmware/cellpost/sms_words.h"
#include "src/base/hex.h"

static json_t *time_json(const struct sms_time *time)
{
    char text[40];

    if (!time->present)
        return json_null();
    (void)snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u", time->year, time->month, time->day, time->hour,
                   time->minute, time->second);
    return json_pack("{s:s, s:i}", "time", text, "tz_quarters", (int)time->tz_quarters);
}

static json_t *hex_json(const uint8_t *octets, size_t length)
{
    char hex[2 * 140 + 1];

    hex_encode(octets, length, hex);
    return json_string(hex);
}

static json_t *other_elements_json(const struct sms_udh *udh)
{
    json_t *list = json_array();

    for (size_t i = 0; i < udh->other_count && i < sizeof udh->other / sizeof udh->other[0]; i++) {
        char element[2 + 1 + 2 * 140 + 1];

        hex_encode(&udh->other[i].iei, 1, element);
        element[2] = ':';
        hex_encode(udh->other[i].data, udh->other[i].length, element + 3);
        json_array_append_new(list, json_string(element));
    }
    return list;
}

static json_t *udh_json(const struct sms_udh *udh)
{
    json_t *object = json_object();

    if (udh->concat) {
        json_object_set_new(object, "concat_ref", json_integer(udh->concat_ref));
        json_object_set_new(object, "ref_bits", json_integer(udh->concat_ref_bits));
        json_object_set_new(object, "total", json_integer(udh->concat_total));
        json_object_set_new(object, "seq", json_integer(udh->concat_seq));
    }
    if (udh->port_bits != 0)
        json_object_set_new(object, "ports", json_pack("{s:i, s:i, s:i}", "dst", (int)udh->port_dst, "src",
                                                       (int)udh->port_src, "bits", (int)udh->port_bits));
    if (udh->single_present)
        json_object_set_new(object, "lang_single", json_integer(udh->single));
    if (udh->locking_present)
        json_object_set_new(object, "lang_locking", json_integer(udh->locking));
    if (udh->other_count > 0)
        json_object_set_new(object, "other", other_elements_json(udh));
    return object;
}

static json_t *validity_json(const struct sms_tpdu *tpdu)
{
    json_t *object;

    switch (tpdu->vp_format) {
    case SMS_VP_RELATIVE:
        return json_pack("{s:s, s:i, s:I}", "format", "relative", "raw", (int)tpdu->vp_raw, "minutes",
                         (json_int_t)tpdu->vp_minutes);
    case SMS_VP_ENHANCED:
        return json_pack("{s:s, s:I}", "format", "enhanced", "minutes", (json_int_t)tpdu->vp_minutes);
    case SMS_VP_ABSOLUTE:
        object = time_json(&tpdu->vp_time);
        if (!json_is_object(object))
            object = json_object();
        json_object_set_new(object, "format", json_string("absolute"));
        return object;
    case SMS_VP_NONE:
        break;
    }
    return json_null();
}

static json_t *text_json(const struct sms_tpdu *tpdu)
{
    char text[SMS_TEXT_BYTES_MAX];

    memcpy(text, tpdu->text, tpdu->text_length);
    return json_stringn(text, sms_text_sanitize(text, tpdu->text_length));
}

static void add_coding(json_t *object, const struct sms_tpdu *tpdu)
{
    json_object_set_new(object, "pid", json_integer(tpdu->pid));
    json_object_set_new(object, "dcs", json_integer(tpdu->dcs));
    json_object_set_new(object, "alphabet", json_string(sms_words_alphabet(tpdu->alphabet)));
    json_object_set_new(object, "class", tpdu->message_class < 0 ? json_null() : json_integer(tpdu->message_class));
}

/* A status report has no message of its own: the vectors have null there, whatever TP-PI announced. */
static void add_no_coding(json_t *object)
{
    static const char *const keys[] = { "pid", "dcs", "alphabet", "class" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        json_object_set_new(object, keys[i], json_null());
}

static void add_submit_fields(json_t *object, const struct sms_tpdu *tpdu)
{
    json_object_set_new(object, "vp", validity_json(tpdu));
    json_object_set_new(object, "mr", json_integer(tpdu->mr));
    json_object_set_new(object, "srr", json_boolean(tpdu->status_report));
}

static void add_report_fields(json_t *object, const struct sms_tpdu *tpdu)
{
    json_object_set_new(object, "scts", time_json(&tpdu->scts));
    json_object_set_new(object, "mr", json_integer(tpdu->mr));
    json_object_set_new(object, "dt", time_json(&tpdu->discharge));
    json_object_set_new(object, "st", json_integer(tpdu->status));
}

static void add_waiting(json_t *object, const struct sms_tpdu *tpdu)
{
    json_t *waiting = json_object();

    json_object_set_new(waiting, "active", json_boolean(tpdu->mwi_active));
    json_object_set_new(waiting, "type", json_integer(tpdu->mwi_type));
    json_object_set_new(waiting, "discard", json_boolean(tpdu->mwi_discard));
    json_object_set_new(object, "mwi", waiting);
}

json_t *pdu_json(const struct sms_tpdu *tpdu)
{
    json_t *object = json_object();
    bool is_report = tpdu->direction == SMS_STATUS_REPORT;

    json_object_set_new(object, "direction", json_string(sms_words_direction(tpdu->direction)));
    json_object_set_new(object, "smsc", tpdu->smsc[0] == '\0' ? json_null() : json_string(tpdu->smsc));
    json_object_set_new(object, "tpdu_length", json_integer(tpdu->tpdu_length));
    json_object_set_new(object, "address", json_string(tpdu->address.text));
    json_object_set_new(object, "address_type", json_integer(tpdu->address.type));
    if (is_report)
        add_no_coding(object);
    else
        add_coding(object, tpdu);
    json_object_set_new(object, "udh", udh_json(&tpdu->udh));
    if (tpdu->direction == SMS_DELIVER)
        json_object_set_new(object, "scts", time_json(&tpdu->scts));
    else if (is_report)
        add_report_fields(object, tpdu);
    else
        add_submit_fields(object, tpdu);
    if (tpdu->mwi && !is_report)
        add_waiting(object, tpdu);
    json_object_set_new(object, "text", is_report || tpdu->alphabet == SMS_8BIT ? json_null() : text_json(tpdu));
    json_object_set_new(object, "data_hex", !is_report && tpdu->alphabet == SMS_8BIT
                                                ? hex_json(tpdu->data, tpdu->data_length) : json_null());
    if (tpdu->trailing_octets > 0)
        json_object_set_new(object, "trailing_octets", json_integer(tpdu->trailing_octets));
    return object;
}
