/* SPDX-License-Identifier: Apache-2.0
 *
 * Seeds for fuzz_at_chat and fuzz_modem from tests/transcripts: what real modems said, in the operations of those
 * fuzzers (an octet that chooses, an octet of value, and what belongs to it).
 *   fuzz-seeds tests/transcripts/dialogues.jsonl FOLDER */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_MAX 63                     /* octets that one operation feeds */
#define SEED_MAX 16384

struct seed { uint8_t octets[SEED_MAX]; size_t length; };

static void put(struct seed *seed, const void *octets, size_t length)
{
    if (length > sizeof seed->octets - seed->length)
        length = sizeof seed->octets - seed->length;
    memcpy(seed->octets + seed->length, octets, length);
    seed->length += length;
}

static void put_operation(struct seed *seed, uint8_t operation, uint8_t value)
{
    put(seed, (uint8_t[]){ operation, value }, 2);
}

/* The strings of the transcripts are octets, U+0000 to U+00FF. */
static size_t latin_1(const char *text, uint8_t *ret_octets, size_t size)
{
    size_t length = 0;

    for (; *text && length < size; text++) {
        uint8_t c = (uint8_t)*text;
        if ((c & 0xFC) == 0xC0 && text[1])
            c = (uint8_t)(c << 6 | (*++text & 0x3F));
        ret_octets[length++] = c;
    }
    return length;
}

static uint8_t root(double of)
{
    uint8_t value = 1;

    while (value < 255 && (double)value * value < of)
        value++;
    return value;
}

static void feed(struct seed *seed, const uint8_t *octets, size_t length)
{
    for (size_t at = 0; at < length; at += CHUNK_MAX) {
        size_t count = length - at < CHUNK_MAX ? length - at : CHUNK_MAX;
        put_operation(seed, 0, (uint8_t)count);
        put(seed, octets + at, count);
    }
}

/* -- fuzz_at_chat: 0 feed, 4 time, 5 start (command in the low bits, length of its argument above), 6 take what is
 * written, 7 the PDU ----------------------------------------------------------------------------------------------- */

static void at_chat_tx(struct seed *seed, const char *tx)
{
    static const struct { const char *text; uint8_t which; } commands[] = {
        { "AT+CMGS=", 1 }, { "AT+CREG?", 2 }, { "AT+CMGL", 3 }, { "AT+CMGR=", 4 }, { "AT+CPMS=", 6 }, { "AT+CUSD=", 7 }, { "AT+", 5 }, { "AT", 0 },
    };

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        size_t length = strlen(commands[i].text);
        const char *argument = tx + length;
        size_t argument_length = strcspn(argument, "\r");
        if (strncmp(tx, commands[i].text, length) != 0)
            continue;
        if (commands[i].which != 4 || argument_length > 3)
            argument_length = 0;
        put_operation(seed, 5, (uint8_t)(commands[i].which | argument_length << 3));
        put(seed, argument, argument_length);
        put_operation(seed, 6, 1);
        return;
    }
    put_operation(seed, 7, 0);
    put_operation(seed, 6, 1);
}

static void at_chat_wait(struct seed *seed, double ms)
{
    put_operation(seed, 4, root(ms));
}

/* -- fuzz_modem: 0 feed, 3 time, 4 send, 6 take what is written --------------------------------------------------- */

static void modem_tx(struct seed *seed, const char *tx)
{
    if (strncmp(tx, "AT+CMGS=", 8) == 0)
        put_operation(seed, 4, 2);
    put_operation(seed, 6, 1);
}

static void modem_wait(struct seed *seed, double ms)
{
    put_operation(seed, 3, root(ms / 2));
}

/* ------------------------------------------------------------------------------------------------------------------ */

static const struct target {
    const char *name, *suffix;
    int first;                           /* octet in front; -1 none */
    void (*tx)(struct seed *seed, const char *tx);
    void (*wait)(struct seed *seed, double ms);
} targets[] = {
    { "fuzz_at_chat", "", -1, at_chat_tx, at_chat_wait },
    { "fuzz_modem", "-new", 0, modem_tx, modem_wait },
    { "fuzz_modem", "-ready", 4, modem_tx, modem_wait },
};

static void write_seed(const char *folder, const struct target *target, const json_t *dialogue)
{
    static struct seed seed;
    char path[512];
    json_t *step;
    size_t i;
    FILE *file;

    seed.length = 0;
    if (target->first >= 0)
        put(&seed, &(uint8_t){ (uint8_t)target->first }, 1);
    json_array_foreach (json_object_get(dialogue, "steps"), i, step) {
        const char *tx = json_string_value(json_object_get(step, "tx")), *rx = json_string_value(json_object_get(step, "rx"));
        double ms = json_number_value(json_object_get(step, "after_ms")) + json_number_value(json_object_get(step, "silence_ms"));
        uint8_t octets[8192];
        if (tx)
            target->tx(&seed, tx);
        if (ms > 0)
            target->wait(&seed, ms);
        if (rx)
            feed(&seed, octets, latin_1(rx, octets, sizeof octets));
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, target->name);
    (void)mkdir(path, 0777);
    (void)snprintf(path, sizeof path, "%s/%s/%s%s", folder, target->name, json_string_value(json_object_get(dialogue, "id")), target->suffix);
    file = fopen(path, "wb");
    if (!file || fwrite(seed.octets, 1, seed.length, file) != seed.length || fclose(file) != 0) {
        (void)fprintf(stderr, "fuzz-seeds: %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    FILE *file = argc == 3 ? fopen(argv[1], "r") : NULL;
    char *line = NULL;
    size_t size = 0, count = 0;

    if (!file) {
        (void)fprintf(stderr, "usage: fuzz-seeds DIALOGUES FOLDER (both must be there)\n");
        return 2;
    }
    while (getline(&line, &size, file) > 0) {
        json_t *dialogue = json_loads(line, JSON_ALLOW_NUL, NULL);
        if (!json_is_string(json_object_get(dialogue, "id"))) {
            (void)fprintf(stderr, "fuzz-seeds: line %zu of %s is no dialogue\n", count + 1, argv[1]);
            return 1;
        }
        for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
            write_seed(argv[2], &targets[i], dialogue);
        json_decref(dialogue);
        count++;
    }
    free(line);
    (void)fclose(file);
    return count > 0 ? 0 : 1;
}
