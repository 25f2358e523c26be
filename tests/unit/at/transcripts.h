/* SPDX-License-Identifier: Apache-2.0
 *
 * transcripts.h - reads tests/transcripts/dialogues.jsonl: AT dialogues of real modems, as octets (header-only; for the
 * tests of drivers/at and drivers/modem). */
#ifndef CELLPOST_TESTS_TRANSCRIPTS_H
#define CELLPOST_TESTS_TRANSCRIPTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIALOGUES_MAX 256
#define STEPS_MAX 96

enum step_kind { STEP_TX, STEP_RX, STEP_SILENCE };
struct octets { char *bytes; size_t length; };
struct step { enum step_kind kind; struct octets octets; uint64_t ms; };   /* ms: after_ms of rx, or silence */
struct dialogue {
    const char *id, *topic, *mode, *echo;
    json_t *root, *expect;
    size_t step_count;
    struct step steps[STEPS_MAX];
};
struct dialogues { size_t count; struct dialogue *dialogue; };

/* U+0000..U+00FF are the octets (README). */
static inline struct octets octets_from_json(const json_t *string)
{
    const unsigned char *text = (const unsigned char *)json_string_value(string);
    size_t length = json_string_length(string);
    struct octets octets = { malloc(length + 1), 0 };

    for (size_t i = 0; i < length; i++) {
        unsigned char c = text[i];

        if (c >= 0xC0 && i + 1 < length)
            c = (unsigned char)((c & 0x03) << 6 | (text[++i] & 0x3F));
        octets.bytes[octets.length++] = (char)c;
    }
    octets.bytes[octets.length] = '\0';
    return octets;
}

static inline const char *json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static inline struct dialogues dialogues_load(void)
{
    struct dialogues all = { 0, calloc(DIALOGUES_MAX, sizeof(struct dialogue)) };
    FILE *file = fopen(TEST_DATA_DIR "/transcripts/dialogues.jsonl", "r");
    char *line = NULL;
    size_t size = 0;

    if (file == NULL)
        abort();
    while (getline(&line, &size, file) > 0) {
        json_error_t error;
        json_t *root = json_loads(line, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error), *step;
        struct dialogue *dialogue = &all.dialogue[all.count++];
        size_t i;

        if (root == NULL || all.count > DIALOGUES_MAX)
            abort();
        *dialogue = (struct dialogue){
            .id = json_text(root, "id"), .topic = json_text(root, "topic"), .mode = json_text(root, "mode"),
            .echo = json_text(root, "echo"), .root = root, .expect = json_object_get(root, "expect"),
        };
        json_array_foreach(json_object_get(root, "steps"), i, step) {
            struct step *next = &dialogue->steps[dialogue->step_count++];
            const json_t *tx = json_object_get(step, "tx"), *rx = json_object_get(step, "rx");
            const json_t *silence = json_object_get(step, "silence_ms");

            if (dialogue->step_count > STEPS_MAX)
                abort();
            next->kind = tx != NULL ? STEP_TX : rx != NULL ? STEP_RX : STEP_SILENCE;
            if (silence == NULL)
                next->octets = octets_from_json(tx != NULL ? tx : rx);
            next->ms = (uint64_t)json_integer_value(silence != NULL ? silence : json_object_get(step, "after_ms"));
        }
    }
    free(line);
    fclose(file);
    return all;
}

static inline void dialogues_free(struct dialogues *all)
{
    for (size_t i = 0; i < all->count; i++) {
        for (size_t k = 0; k < all->dialogue[i].step_count; k++)
            free(all->dialogue[i].steps[k].octets.bytes);
        json_decref(all->dialogue[i].root);
    }
    free(all->dialogue);
}

#endif
