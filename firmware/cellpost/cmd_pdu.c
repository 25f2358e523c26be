/* SPDX-License-Identifier: Apache-2.0
 *
 * `cellpost pdu decode` and `cellpost pdu encode`: what a modem in PDU mode says and wants to hear. No daemon needed. */
#include "firmware/cellpost/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/pdu_json.h"
#include "firmware/cellpost/sms_words.h"
#include "firmware/cellpost/text.h"
#include "src/base/hex.h"
#include "src/sms/sms_split.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "usage: cellpost pdu decode [--json] --direction deliver|submit|status-report HEX\n"
    "       cellpost pdu encode [--json] --to NUMBER --text TEXT [--smsc NUMBER]\n"
    "                [--encoding auto|gsm7|ucs2] [--national tr,es,pt,...] [--ref N] [--ref16]\n"
    "                [--mr N] [--report] [--reject-duplicates] [--class 0-3] [--validity MINUTES]\n"
    "                [--port DST[:SRC]]\n";

static int complain_usage(const char *option, const char *value)
{
    if (option != NULL)
        (void)fprintf(stderr, "cellpost pdu: '%s' is no value for --%s\n", value, option);
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}

static int complain(const char *error)
{
    (void)fprintf(stderr, "cellpost pdu: %s\n", error);
    return EXIT_FAILURE;
}

/* Takes the reference. */
static int print_json(json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    char *escaped = text == NULL ? NULL : text_escape_json(text, strlen(text));
    int status = escaped != NULL && puts(escaped) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;

    free(escaped);
    free(text);
    json_decref(json);
    return status;
}

/* One field a line, nested ones with their path, those without a value left out. */
static void print_fields(const char *prefix, const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value) {
        char name[64];

        (void)snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", key);
        if (json_is_object(value)) {
            print_fields(name, value);
        } else if (json_is_string(value)) {
            char *text = text_escape(json_string_value(value), json_string_length(value), TEXT_ONE_LINE);

            (void)printf("%-18s %s\n", name, text != NULL ? text : "");
            free(text);
        } else if (!json_is_null(value)) {
            char *text = json_dumps(value, JSON_ENCODE_ANY);

            (void)printf("%-18s %s\n", name, text != NULL ? text : "");
            free(text);
        }
    }
}

static int decode(int argc, char **argv)
{
    static const struct option long_options[] = {
        { "json", no_argument, NULL, 'j' },
        { "direction", required_argument, NULL, 'd' },
        { NULL, 0, NULL, 0 },
    };
    enum sms_direction direction = SMS_DELIVER;
    bool json = false, has_direction = false;
    struct sms_tpdu tpdu;
    const char *error = NULL;
    json_t *object;
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (c == 'j')
            json = true;
        else if (c != 'd')
            return complain_usage(NULL, NULL);
        else if (!sms_words_parse_direction(optarg, &direction))
            return complain_usage("direction", optarg);
        else
            has_direction = true;
    }
    if (!has_direction || optind + 1 != argc)
        return complain_usage(NULL, NULL);
    if (sms_pdu_decode_hex(argv[optind], strlen(argv[optind]), direction, &tpdu, &error) < 0)
        return complain(error);
    object = pdu_json(&tpdu);
    if (json)
        return print_json(object);
    print_fields("", object);
    json_decref(object);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

struct encode_options {
    struct sms_submit submit;
    struct sms_split_options split;
    const char *text;
    bool json;
};

static bool parse_port(const char *word, struct sms_submit *submit)
{
    char dst[8] = "";
    const char *colon = strchr(word, ':');
    size_t dst_length = colon != NULL ? (size_t)(colon - word) : strlen(word);
    uint32_t dst_port, src_port = 0;

    if (dst_length >= sizeof dst)
        return false;
    memcpy(dst, word, dst_length);
    if (!sms_words_parse_number(dst, UINT16_MAX, &dst_port) ||
        (colon != NULL && !sms_words_parse_number(colon + 1, UINT16_MAX, &src_port)))
        return false;
    submit->port_bits = 16;
    submit->port_dst = (uint16_t)dst_port;
    submit->port_src = (uint16_t)src_port;
    return true;
}

/* The codes stand in this order in long_options, too. */
enum encode_option {
    OPTION_TO = 256, OPTION_TEXT, OPTION_SMSC, OPTION_ENCODING, OPTION_NATIONAL, OPTION_REF, OPTION_REF16, OPTION_MR,
    OPTION_REPORT, OPTION_REJECT_DUPLICATES, OPTION_CLASS, OPTION_VALIDITY, OPTION_PORT, OPTION_JSON,
};

/* False where the value is none for that option. */
static bool take_option(struct encode_options *options, enum encode_option option, const char *value)
{
    struct sms_submit *submit = &options->submit;
    uint32_t number = 0;
    bool sound = true;

    switch (option) {
    case OPTION_TO: submit->to = value; break;
    case OPTION_TEXT: options->text = value; break;
    case OPTION_SMSC: submit->smsc = value; break;
    case OPTION_ENCODING: sound = sms_words_parse_encoding(value, &options->split.encoding); break;
    case OPTION_NATIONAL: sound = sms_words_parse_national(value, &options->split.national); break;
    case OPTION_REF16: options->split.ref16 = true; break;
    case OPTION_REPORT: submit->status_report = true; break;
    case OPTION_REJECT_DUPLICATES: submit->reject_duplicates = true; break;
    case OPTION_JSON: options->json = true; break;
    case OPTION_PORT: sound = parse_port(value, submit); break;
    case OPTION_REF:
        sound = sms_words_parse_number(value, UINT16_MAX, &number);
        submit->concat_ref = (uint16_t)number;
        break;
    case OPTION_MR:
        sound = sms_words_parse_number(value, UINT8_MAX, &number);
        submit->mr = (uint8_t)number;
        break;
    case OPTION_CLASS:
        sound = sms_words_parse_number(value, 3, &number);
        submit->message_class = (int8_t)number;
        break;
    case OPTION_VALIDITY:
        sound = sms_words_parse_number(value, UINT32_MAX, &number) && number > 0;
        submit->vp_format = SMS_VP_RELATIVE;
        submit->vp_raw = sms_vp_from_minutes(number);
        break;
    }
    return sound;
}

static int parse_encode_options(int argc, char **argv, struct encode_options *ret_options)
{
    static const struct option long_options[] = {
        { "to", required_argument, NULL, OPTION_TO },
        { "text", required_argument, NULL, OPTION_TEXT },
        { "smsc", required_argument, NULL, OPTION_SMSC },
        { "encoding", required_argument, NULL, OPTION_ENCODING },
        { "national", required_argument, NULL, OPTION_NATIONAL },
        { "ref", required_argument, NULL, OPTION_REF },
        { "ref16", no_argument, NULL, OPTION_REF16 },
        { "mr", required_argument, NULL, OPTION_MR },
        { "report", no_argument, NULL, OPTION_REPORT },
        { "reject-duplicates", no_argument, NULL, OPTION_REJECT_DUPLICATES },
        { "class", required_argument, NULL, OPTION_CLASS },
        { "validity", required_argument, NULL, OPTION_VALIDITY },
        { "port", required_argument, NULL, OPTION_PORT },
        { "json", no_argument, NULL, OPTION_JSON },
        { NULL, 0, NULL, 0 },
    };
    struct encode_options options = { .submit.message_class = -1 };
    int c, index = 0;

    optind = 1;
    while ((c = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        if (c == '?')
            return complain_usage(NULL, NULL);
        if (!take_option(&options, (enum encode_option)c, optarg))
            return complain_usage(long_options[c - OPTION_TO].name, optarg);
    }
    if (optind != argc || options.submit.to == NULL || options.text == NULL)
        return complain_usage(NULL, NULL);
    if (options.submit.concat_ref > UINT8_MAX && !options.split.ref16)
        return complain("a reference above 255 needs --ref16");
    options.split.port_bits = options.submit.port_bits;
    *ret_options = options;
    return 0;
}

/* Part i of the plan as a JSON object, or NULL with *ret_error. */
static json_t *encode_part(const struct sms_submit *message, const struct sms_split *split, size_t i,
                           const char **ret_error)
{
    struct sms_submit submit = *message;
    uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length = 0;
    char hex[2 * SMS_PDU_BYTES_MAX + 1];
    size_t length = 0;
    json_t *object;

    submit.concat_seq = (uint8_t)(i + 1);
    submit.text = split->text + split->parts[i].offset;
    submit.text_length = split->parts[i].length;
    if (sms_submit_encode(&submit, pdu, &length, &tpdu_length, ret_error) < 0)
        return NULL;
    hex_encode(pdu, length, hex);
    object = json_object();
    json_object_set_new(object, "pdu_hex", json_string(hex));
    json_object_set_new(object, "tpdu_length", json_integer(tpdu_length));
    json_object_set_new(object, "text", json_stringn(submit.text, submit.text_length));
    return object;
}

static int encode(int argc, char **argv)
{
    struct encode_options options;
    struct sms_split split;
    const char *error = NULL;
    json_t *list, *part;
    size_t i;
    int r = parse_encode_options(argc, argv, &options);

    if (r != 0)
        return r;
    if (sms_split(options.text, strlen(options.text), &options.split, &split, NULL, &error) < 0)
        return complain(error);
    options.submit.alphabet = split.alphabet;
    options.submit.locking = split.locking;
    options.submit.single = split.single;
    options.submit.concat = split.count > 1;
    options.submit.concat_ref_bits = options.split.ref16 ? 16 : 8;
    options.submit.concat_total = (uint8_t)split.count;
    list = json_array();
    for (i = 0; i < split.count; i++) {
        part = encode_part(&options.submit, &split, i, &error);
        if (part == NULL)
            break;
        json_array_append_new(list, part);
    }
    sms_split_done(&split);
    if (error != NULL) {
        json_decref(list);
        return complain(error);
    }
    if (options.json)
        return print_json(list);
    json_array_foreach(list, i, part)
        (void)puts(json_string_value(json_object_get(part, "pdu_hex")));
    json_decref(list);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_pdu(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "decode") == 0)
        return decode(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "encode") == 0)
        return encode(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    return complain_usage(NULL, NULL);
}
