/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/segments_json.h"

#include <stdio.h>

#include "firmware/cellpost/sms_words.h"
#include "src/base/utf8.h"

int segments_plan(const char *text, size_t length, const struct sms_split_options *options, struct segments *ret_segments,
                  uint32_t *ret_at, const char **ret_error)
{
    struct sms_split_options showing = *options;
    struct segments segments = { 0 };
    int r;

    showing.parts_max = UINT16_MAX;
    showing.ref16 = false;
    r = sms_split(text, length, &showing, &segments.with_ref8, ret_at, ret_error);
    if (r < 0)
        return r;
    showing.ref16 = true;
    r = sms_split(text, length, &showing, &segments.with_ref16, ret_at, ret_error);
    if (r < 0) {
        sms_split_done(&segments.with_ref8);
        return r;
    }
    *ret_segments = segments;
    return 0;
}

void segments_done(struct segments *segments)
{
    sms_split_done(&segments->with_ref8);
    sms_split_done(&segments->with_ref16);
}

static json_t *parts_json(const struct sms_split *split)
{
    json_t *list = json_array();

    for (size_t i = 0; i < split->count; i++)
        json_array_append_new(list, json_integer(split->parts[i].units));
    return list;
}

static json_t *texts_json(const struct sms_split *split)
{
    json_t *list = json_array();

    for (size_t i = 0; i < split->count; i++)
        json_array_append_new(list, json_stringn(split->text + split->parts[i].offset, split->parts[i].length));
    return list;
}

static json_t *language_json(uint8_t language)
{
    return language == 0 ? json_null() : json_string(sms_words_language(language));
}

static json_t *changes_json(const struct sms_split *split)
{
    json_t *list = json_array();

    for (size_t i = 0; i < split->change_count; i++) {
        const struct sms_split_change *change = &split->changes[i];
        json_t *object = json_object();
        char from[UTF8_BYTES_MAX], name[16];

        (void)snprintf(name, sizeof name, "U+%04X", (unsigned)change->from);
        json_object_set_new(object, "from", json_stringn(from, utf8_put(change->from, from)));
        json_object_set_new(object, "code_point", json_string(name));
        json_object_set_new(object, "to", json_string(change->to_text));
        json_object_set_new(object, "count", json_integer(change->count));
        json_array_append_new(list, object);
    }
    return list;
}

json_t *segments_json(const struct segments *segments, bool ref16)
{
    const struct sms_split *shown = ref16 ? &segments->with_ref16 : &segments->with_ref8;
    json_t *object = json_object(), *national = json_object();

    json_object_set_new(national, "locking", language_json(shown->locking));
    json_object_set_new(national, "single", language_json(shown->single));
    json_object_set_new(object, "alphabet", json_string(sms_words_alphabet(shown->alphabet)));
    json_object_set_new(object, "units", json_integer(shown->units));
    json_object_set_new(object, "segments", json_integer(segments->with_ref8.count));
    json_object_set_new(object, "parts", parts_json(&segments->with_ref8));
    json_object_set_new(object, "segments_ref16", json_integer(segments->with_ref16.count));
    json_object_set_new(object, "parts_ref16", parts_json(&segments->with_ref16));
    json_object_set_new(object, "too_long", json_boolean(shown->count > SMS_PARTS_MAX));
    json_object_set_new(object, "units_left", json_integer(shown->units_left));
    json_object_set_new(object, "national", national);
    json_object_set_new(object, "texts", texts_json(shown));
    json_object_set_new(object, "changes", changes_json(shown));
    return object;
}
