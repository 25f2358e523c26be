/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/common/routing_files.h"

#include "firmware/common/file_read.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <mbedtls/md.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kind_names[ROUTING_FILE_KINDS] = {
    [ROUTING_TARIFFS] = "tariffs", [ROUTING_RATES] = "rates", [ROUTING_ROUTES] = "routes", [ROUTING_NUMBERS] = "numbers",
};
static const size_t kind_max[ROUTING_FILE_KINDS] = {
    [ROUTING_TARIFFS] = TARIFF_FILES_MAX, [ROUTING_RATES] = 1, [ROUTING_ROUTES] = ROUTE_FILES_MAX, [ROUTING_NUMBERS] = OVERRIDE_FILES_MAX,
};

static const char *why_not(int error)
{
    switch (error) {
    case -EFBIG:
        return "it is larger than 64 MiB";
    case -EINVAL:
        return "it is no regular file";
    case -EAGAIN:
        return "it grew while it was read";
    default:
        return strerror(-error);
    }
}

static bool is_there(const struct routing_files *files, enum routing_file_kind kind, const char *path)
{
    for (size_t i = 0; i < files->of[kind].count; i++)
        if (strcmp(files->of[kind].files[i].name, path) == 0)
            return true;
    return false;
}

/* 0 also for a file that cannot be read, which is noted. */
static int add_file(struct routing_files *files, enum routing_file_kind kind, const char *path, const struct config *config, unsigned line,
                    struct config_notes *errors)
{
    struct table_file *grown;
    char *text = NULL, *name;
    size_t length = 0, count = files->of[kind].count;
    int r;

    if (is_there(files, kind, path))
        return 0;
    if (count == kind_max[kind]) {
        config_note(errors, config->file, line, "routing", kind_names[kind], "%.200s is one file too many (allowed: %zu)", path, kind_max[kind]);
        return 0;
    }
    r = file_read(path, ROUTING_FILE_BYTES_MAX, &text, &length);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        config_note(errors, config->file, line, "routing", kind_names[kind], "%.200s cannot be read: %s", path, why_not(r));
        return 0;
    }
    if (length > ROUTING_BYTES_MAX - files->bytes) {
        config_note(errors, config->file, line, "routing", kind_names[kind], "with %.200s all files are larger than 256 MiB", path);
        free(text);
        return 0;
    }
    name = strdup(path);
    grown = name ? realloc(files->of[kind].files, (count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(text);
        free(name);
        return -ENOMEM;
    }
    files->of[kind].files = grown;
    grown[count] = (struct table_file){ .name = name, .text = text, .length = length };
    files->of[kind].count++;
    files->bytes += length;
    return 0;
}

/* A pattern without a file is an error: a folder that is not there must not make all messages free of charge. */
static int add_pattern(struct routing_files *files, enum routing_file_kind kind, const char *pattern, const struct config *config, unsigned line,
                       struct config_notes *errors)
{
    glob_t found = { .gl_pathc = 0 };
    int r = 0;

    if (!strpbrk(pattern, "*?["))
        return add_file(files, kind, pattern, config, line, errors);
    switch (glob(pattern, GLOB_ERR, NULL, &found)) {
    case 0:
        for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
            r = add_file(files, kind, found.gl_pathv[i], config, line, errors);
        break;
    case GLOB_NOMATCH:
        config_note(errors, config->file, line, "routing", kind_names[kind], "no file matches %.200s", pattern);
        break;
    case GLOB_NOSPACE:
        r = -ENOMEM;
        break;
    default:
        config_note(errors, config->file, line, "routing", kind_names[kind], "a folder of %.200s cannot be read", pattern);
    }
    globfree(&found);
    return r;
}

static int add_patterns(struct routing_files *files, enum routing_file_kind kind, const struct config_list *patterns, const struct config *config,
                        unsigned line, struct config_notes *errors)
{
    int r = 0;

    for (size_t i = 0; i < patterns->count && r == 0; i++)
        r = add_pattern(files, kind, patterns->items[i], config, line, errors);
    return r;
}

int routing_files_read(const struct config *config, struct routing_files *files, struct config_notes *errors)
{
    const struct config_routing *routing = &config->routing;
    unsigned before = errors->count + errors->more;
    int r = add_patterns(files, ROUTING_TARIFFS, &routing->tariffs, config, routing->tariffs_line, errors);

    if (r == 0 && *routing->rates)
        r = add_file(files, ROUTING_RATES, routing->rates, config, routing->rates_line, errors);
    if (r == 0)
        r = add_patterns(files, ROUTING_ROUTES, &routing->routes, config, routing->routes_line, errors);
    if (r == 0)
        r = add_patterns(files, ROUTING_NUMBERS, &routing->numbers, config, routing->numbers_line, errors);
    if (r == 0 && errors->count + errors->more > before)
        r = -EINVAL;
    return r;
}

void routing_files_done(struct routing_files *files)
{
    for (int kind = 0; kind < ROUTING_FILE_KINDS; kind++) {
        for (size_t i = 0; i < files->of[kind].count; i++) {
            free((void *)(uintptr_t)files->of[kind].files[i].name);   /* const to everyone but their owner */
            free((void *)(uintptr_t)files->of[kind].files[i].text);
        }
        free(files->of[kind].files);
    }
    *files = (struct routing_files){ 0 };
}

/* -- the record ----------------------------------------------------------------------------------------------- */

/* mbedtls_md_*: the names that mbedtls 2.28 and 3.x share. Each piece goes in with its length, so that no two lists are one. */
static int hash_start(mbedtls_md_context_t *hash)
{
    mbedtls_md_init(hash);
    return mbedtls_md_setup(hash, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0) != 0 || mbedtls_md_starts(hash) != 0 ? -ENOMEM : 0;
}

static int hash_piece(mbedtls_md_context_t *hash, const char *text, size_t length)
{
    uint8_t size[8];

    for (int i = 0; i < 8; i++)
        size[i] = (uint8_t)((uint64_t)length >> 8 * i);
    return mbedtls_md_update(hash, size, sizeof size) != 0 || mbedtls_md_update(hash, (const uint8_t *)text, length) != 0 ? -ENOMEM : 0;
}

/* The plain SHA-256 of one file, as sha256sum shows it. */
static int file_hash(const struct table_file *file, char ret_hex[65])
{
    uint8_t sum[32];

    if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), (const uint8_t *)file->text, file->length, sum) != 0)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof sum; i++) {
        static const char digits[] = "0123456789abcdef";

        ret_hex[2 * i] = digits[sum[i] >> 4];
        ret_hex[2 * i + 1] = digits[sum[i] & 15];
    }
    ret_hex[64] = '\0';
    return 0;
}

static int add_record(json_t *array, const char *kind, const struct table_file *file, bool with_text)
{
    json_t *object = NULL;
    char hex[65];

    if (file_hash(file, hex) < 0)
        return -ENOMEM;
    object = json_pack("{s:s,s:s,s:I,s:s}", "kind", kind, "name", file->name, "bytes", (json_int_t)file->length, "sha256", hex);
    if (!object)                         /* a name that is not UTF-8 */
        object = json_pack("{s:s,s:s,s:I,s:s}", "kind", kind, "name", "?", "bytes", (json_int_t)file->length, "sha256", hex);
    if (with_text && object && json_object_set_new(object, "text", json_stringn_nocheck(file->text, file->length)) < 0) {
        json_decref(object);
        return -ENOMEM;
    }
    return json_array_append_new(array, object) < 0 ? -ENOMEM : 0;
}

int routing_files_record(const struct routing_files *files, struct routing_record *ret_record)
{
    struct routing_record record = { .count = 0 };
    mbedtls_md_context_t hash;
    json_t *array = json_array();
    int r = hash_start(&hash);

    if (!array)
        r = -ENOMEM;
    for (int kind = 0; kind < ROUTING_FILE_KINDS; kind++)
        for (size_t i = 0; i < files->of[kind].count && r == 0; i++) {
            const struct table_file *file = &files->of[kind].files[i];

            record.count++;
            if (hash_piece(&hash, kind_names[kind], strlen(kind_names[kind])) < 0 || hash_piece(&hash, file->name, strlen(file->name)) < 0 ||
                hash_piece(&hash, file->text, file->length) < 0)
                r = -ENOMEM;
            else
                r = add_record(array, kind_names[kind], file, files->bytes <= ROUTING_KEPT_BYTES_MAX);
        }
    if (r == 0 && mbedtls_md_finish(&hash, record.sha256) != 0)
        r = -ENOMEM;
    if (r == 0)
        record.files = json_dumps(array, JSON_COMPACT);
    if (r == 0 && !record.files)
        r = -ENOMEM;
    if (r == 0)
        *ret_record = record;
    json_decref(array);
    mbedtls_md_free(&hash);
    return r;
}
