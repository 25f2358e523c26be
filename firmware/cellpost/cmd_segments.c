/* SPDX-License-Identifier: Apache-2.0
 *
 * `cellpost segments`: how many parts a text takes and where it is cut, before anybody pays for it. No daemon needed. */
#include "firmware/cellpost/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/segments_json.h"
#include "firmware/cellpost/sms_words.h"
#include "firmware/cellpost/text.h"

enum { EXIT_USAGE = 2, STDIN_BYTES_MAX = 1 << 20, PARTS_LISTED_MAX = 20 };

static const char usage[] =
    "usage: cellpost segments [--json] [--encoding auto|gsm7|ucs2] [--national tr,es,pt,...]\n"
    "                         [--downgrade] [--ref16] TEXT\n"
    "  TEXT -            read it from standard input; every octet counts, the last line end too\n"
    "  --national LIST   national tables that may be used where they save a part:\n"
    "                    tr es pt bn gu hi kn ml or pa ta te ur\n"
    "  --downgrade       typographic quotes, dashes and the like become plain where that saves a part\n"
    "  --ref16           show the cuts for a 16-bit reference\n";

struct segments_options { struct sms_split_options split; bool json; const char *text; };

static int parse_options(int argc, char **argv, struct segments_options *ret_options)
{
    static const struct option long_options[] = {
        { "json", no_argument, NULL, 'j' },         { "national", required_argument, NULL, 'n' },
        { "encoding", required_argument, NULL, 'e' }, { "downgrade", no_argument, NULL, 'd' },
        { "ref16", no_argument, NULL, 'r' },        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct segments_options options = { 0 };
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        bool sound = true;

        switch (c) {
        case 'j': options.json = true; break;
        case 'd': options.split.downgrade = true; break;
        case 'r': options.split.ref16 = true; break;
        case 'n': sound = sms_words_parse_national(optarg, &options.split.national); break;
        case 'e': sound = sms_words_parse_encoding(optarg, &options.split.encoding); break;
        case 'h':
            (void)fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            (void)fputs(usage, stderr);
            return -EINVAL;
        }
        if (!sound) {
            (void)fprintf(stderr, "cellpost segments: '%s' is not known\n%s", optarg, usage);
            return -EINVAL;
        }
    }
    if (optind + 1 != argc) {
        (void)fputs(usage, stderr);
        return -EINVAL;
    }
    options.text = argv[optind];
    *ret_options = options;
    return 0;
}

/* All of standard input. malloc'ed; NULL after a word on stderr. */
static char *read_stdin(size_t *ret_length)
{
    char *text = malloc(STDIN_BYTES_MAX + 1);

    if (text == NULL) {
        (void)fputs("cellpost segments: out of memory\n", stderr);
        return NULL;
    }
    *ret_length = fread(text, 1, STDIN_BYTES_MAX + 1, stdin);
    if (ferror(stdin) || *ret_length > STDIN_BYTES_MAX) {
        (void)fprintf(stderr, "cellpost segments: %s\n",
                      ferror(stdin) ? "standard input cannot be read" : "the text is longer than 1 MiB");
        free(text);
        return NULL;
    }
    return text;
}

static void print_json(const struct segments *segments, bool ref16)
{
    json_t *object = segments_json(segments, ref16);
    char *json = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    char *escaped = json == NULL ? NULL : text_escape_json(json, strlen(json));

    if (escaped != NULL)
        (void)puts(escaped);
    free(escaped);
    free(json);
    json_decref(object);
}

static void print_parts(const char *title, const struct sms_split *split)
{
    (void)printf("%-14s %u (", title, split->count);
    for (size_t i = 0; i < split->count && i < PARTS_LISTED_MAX; i++)
        (void)printf("%s%u", i > 0 ? " + " : "", split->parts[i].units);
    (void)printf("%s)%s\n", split->count > PARTS_LISTED_MAX ? " + ..." : "",
                 split->count > SMS_PARTS_MAX ? ", more than a message can have" : "");
}

static void print_changes(const struct sms_split *split)
{
    for (size_t i = 0; i < split->change_count; i++) {
        const struct sms_split_change *change = &split->changes[i];
        char *to = text_escape(change->to_text, strlen(change->to_text), TEXT_ONE_LINE);

        (void)printf("%-14s U+%04X by \"%s\", %u times\n", i == 0 ? "replaced" : "", (unsigned)change->from,
                     to != NULL ? to : "", change->count);
        free(to);
    }
}

static void print_summary(const struct segments *segments, bool ref16)
{
    const struct sms_split *shown = ref16 ? &segments->with_ref16 : &segments->with_ref8;

    (void)printf("%-14s %s", "alphabet", sms_words_alphabet(shown->alphabet));
    if (shown->locking != 0)
        (void)printf(", %s locking table", sms_words_language(shown->locking));
    if (shown->single != 0)
        (void)printf(", %s single shift table", sms_words_language(shown->single));
    (void)printf("\n%-14s %u, %u left in the last part\n", "units", shown->units, shown->units_left);
    print_parts("parts", &segments->with_ref8);
    print_parts("parts, ref16", &segments->with_ref16);
    print_changes(shown);
    for (size_t i = 0; i < shown->count && i < PARTS_LISTED_MAX; i++) {
        char *text = text_escape(shown->text + shown->parts[i].offset, shown->parts[i].length, TEXT_ONE_LINE);

        (void)printf("%-6s %-7zu %s\n", i == 0 ? "text" : "", i + 1, text != NULL ? text : "");
        free(text);
    }
}

int cmd_segments(int argc, char **argv)
{
    struct segments_options options;
    struct segments segments;
    char *from_stdin = NULL;
    const char *text, *error = NULL;
    size_t length;
    uint32_t at = 0;
    int r;

    if (parse_options(argc, argv, &options) < 0)
        return EXIT_USAGE;
    text = options.text;
    length = strlen(text);
    if (strcmp(text, "-") == 0) {
        text = from_stdin = read_stdin(&length);
        if (text == NULL)
            return EXIT_FAILURE;
    }
    r = segments_plan(text, length, &options.split, &segments, &at, &error);
    free(from_stdin);
    if (r < 0) {
        (void)fprintf(stderr, "cellpost segments: %s", error);
        if (r == -EILSEQ || r == -EINVAL)
            (void)fprintf(stderr, " (octet %u)", at);
        (void)fputc('\n', stderr);
        return EXIT_FAILURE;
    }
    if (options.json)
        print_json(&segments, options.split.ref16);
    else
        print_summary(&segments, options.split.ref16);
    segments_done(&segments);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
