/* SPDX-License-Identifier: Apache-2.0
 *
 * cli.c - the command line: verbs, options, help. */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/central/commands.h"

static const struct verb *const verb_tables[] = { verbs_serve, verbs_account, verbs_box, verbs_price, verbs_proof };

enum { OPTION_CONFIG = 300, OPTION_DB, OPTION_STATE, OPTION_JSON, OPTION_UTC, OPTION_HELP, OPTION_VERSION, OPTION_LISTEN, OPTION_NAME, OPTION_URL,
       OPTION_THREADS, OPTION_NOTE, OPTION_LABEL, OPTION_VALID, OPTION_LEASE_MAX, OPTION_USED, OPTION_PRICE_VERSION, OPTION_CHAIN, OPTION_CSV };

static const struct { const char *name; int letter; const char *value, *help; bool common; } options[] = {
    { "config", OPTION_CONFIG, "FILE", "settings; else " SETTINGS_FILE ", where there is one", true },
    { "db", OPTION_DB, "WHERE", "the database: a file, or postgresql://...", true },
    { "state", OPTION_STATE, "DIR", "the folder with the keys, and with the database if --db does not say", true },
    { "json", OPTION_JSON, NULL, "for programs", true },
    { "utc", OPTION_UTC, NULL, "times in UTC", true },
    { "help", OPTION_HELP, NULL, "this", true },
    { "version", OPTION_VERSION, NULL, "of this program", true },
    { "listen", OPTION_LISTEN, "ADDRESS:PORT", "where to listen (" SETTINGS_LISTEN ")", false },
    { "tls-name", OPTION_NAME, "NAME", "a name or address by which boxes reach the server; again for more", false },
    { "url", OPTION_URL, "URL", "where boxes reach the server, if not at its first name: https://HOST:PORT", false },
    { "threads", OPTION_THREADS, "N", "requests served at a time (8)", false },
    { "note", OPTION_NOTE, "TEXT", "kept with the booking", false },
    { "label", OPTION_LABEL, "TEXT", "what people call the box", false },
    { "valid", OPTION_VALID, "TIME", "how long the token is good (24h)", false },
    { "lease-max", OPTION_LEASE_MAX, "CREDITS", "the most that the box gets at a time (100)", false },
    { "used", OPTION_USED, "CREDITS", "how much of the lease was spent", false },
    { "number", OPTION_PRICE_VERSION, "N", "the version that this table is to be; else the next one", false },
    { "chain", OPTION_CHAIN, "N", "of which enrolment of the box the entry is; else of the present one", false },
    { "csv", OPTION_CSV, NULL, "the file as it was imported", false },
};
#define OPTIONS (sizeof options / sizeof options[0])

/* -- help --------------------------------------------------------------------------------------------------------------------- */

static void print_usage(FILE *out)
{
    (void)fprintf(out, "usage: cellpost-central VERB ... [--db FILE] [--state DIR] [--config FILE] [--json]\n\n");
    for (size_t i = 0; i < sizeof verb_tables / sizeof verb_tables[0]; i++)
        for (const struct verb *verb = verb_tables[i]; verb->name; verb++) {
            char text[96];

            (void)snprintf(text, sizeof text, "%s%s%s %s", verb->name, verb->object ? " " : "", verb->object ? verb->object : "", verb->arguments);
            (void)fprintf(out, "  %-42s %s\n", text, verb->help);
        }
    (void)fprintf(out, "\n\"cellpost-central VERB ... --help\" tells more. Exit status: 0 done, 1 refused, 2 wrong command line, 3 database or keys.\n");
}

static bool takes(const struct verb *verb, size_t option)
{
    const char *at = verb->options ? strstr(verb->options, options[option].name) : NULL;
    size_t length = strlen(options[option].name);

    return options[option].common ||
           (at && (at == verb->options || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'));
}

static void print_help(const struct verb *verb)
{
    (void)printf("usage: cellpost-central %s%s%s %s\n\n%s\n\n", verb->name, verb->object ? " " : "", verb->object ? verb->object : "", verb->arguments,
                 verb->help);
    for (int common = 0; common < 2; common++)
        for (size_t i = 0; i < OPTIONS; i++) {
            char text[48];

            if (options[i].common != (common == 1) || !takes(verb, i))
                continue;
            (void)snprintf(text, sizeof text, "--%s%s%s", options[i].name, options[i].value ? " " : "", options[i].value ? options[i].value : "");
            (void)printf("  %-26s %s\n", text, options[i].help);
        }
}

/* -- options -------------------------------------------------------------------------------------------------------------------- */

/* Settings of the command line come before those of the file, whichever of them is read first. */
struct given { const char *name, *value; };

struct parse { struct command_line *line; const char *config; struct given given[SETTINGS_NAMES_MAX + 8]; size_t given_count; bool help, version; };

static int give(struct parse *parse, const char *name, const char *value)
{
    if (parse->given_count == sizeof parse->given / sizeof parse->given[0])
        return central_usage(parse->line, "there are too many options");
    parse->given[parse->given_count++] = (struct given){ name, value };
    return CENTRAL_OK;
}

static int take(struct parse *parse, int letter, const char *value)
{
    struct command_line *line = parse->line;

    switch (letter) {
    case OPTION_CONFIG: parse->config = value; break;
    case OPTION_DB: return give(parse, "db", value);
    case OPTION_STATE: return give(parse, "state", value);
    case OPTION_LISTEN: return give(parse, "listen", value);
    case OPTION_NAME: return give(parse, "tls_name", value);
    case OPTION_URL: return give(parse, "url", value);
    case OPTION_THREADS: return give(parse, "threads", value);
    case OPTION_JSON: line->json = true; break;
    case OPTION_UTC: line->utc = true; break;
    case OPTION_CSV: line->csv = true; break;
    case OPTION_HELP: parse->help = true; break;
    case OPTION_VERSION: parse->version = true; break;
    case OPTION_NOTE: line->note = value; break;
    case OPTION_LABEL: line->label = value; break;
    case OPTION_VALID: line->valid = value; break;
    case OPTION_LEASE_MAX: line->lease_max = value; break;
    case OPTION_USED: line->used = value; break;
    case OPTION_PRICE_VERSION: line->version = value; break;
    case OPTION_CHAIN: line->chain = value; break;
    default: return CENTRAL_USAGE;           /* getopt has said what is wrong */
    }
    return CENTRAL_OK;
}

static int read_settings(struct parse *parse)
{
    struct settings *settings = &parse->line->settings;
    char problem[640];
    bool cleared = false;

    settings_default(settings);
    if (parse->config || access(SETTINGS_FILE, F_OK) == 0)
        if (settings_read(parse->config ? parse->config : SETTINGS_FILE, settings, problem, sizeof problem) < 0) {
            central_say("cellpost-central: %s", problem);
            return CENTRAL_USAGE;
        }
    /* Another folder has another database, unless that is named too, in front of it or behind it. */
    for (size_t i = 0; i < parse->given_count; i++)
        if (strcmp(parse->given[i].name, "state") == 0 && !parse->config)
            settings->db[0] = '\0';
    for (size_t i = 0; i < parse->given_count; i++) {
        const char *wrong;

        if (strcmp(parse->given[i].name, "tls_name") == 0 && !cleared) {
            settings->name_count = 0;        /* in place of those of the file */
            cleared = true;
        }
        wrong = settings_set(settings, parse->given[i].name, parse->given[i].value);
        if (wrong)
            return central_usage(parse->line, "--%s '%s' %s", strcmp(parse->given[i].name, "tls_name") == 0 ? "tls-name" : parse->given[i].name,
                                 parse->given[i].value, wrong);
    }
    settings_finish(settings);
    return CENTRAL_OK;
}

/* "-5" would be read as an option. */
static int refuse_negative(const struct command_line *line, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (argv[i][0] == '-' && ((argv[i][1] >= '0' && argv[i][1] <= '9') || (argv[i][1] == '.' && argv[i][2] != '\0')))
            return central_usage(line, "'%s' is negative: amounts are 0 or more. \"account payout\" takes credits out, \"refund\" gives them back", argv[i]);
    return CENTRAL_OK;
}

static int parse_options(struct parse *parse, int argc, char **argv)
{
    struct option longs[OPTIONS + 1] = { { NULL, 0, NULL, 0 } };
    struct command_line *line = parse->line;
    size_t count = 0;
    int letter, status = refuse_negative(line, argc, argv);

    for (size_t i = 0; i < OPTIONS; i++)
        if (takes(line->verb, i))
            longs[count++] = (struct option){ options[i].name, options[i].value ? required_argument : no_argument, NULL, options[i].letter };
    while (status == CENTRAL_OK && (letter = getopt_long(argc, argv, "h", longs, NULL)) != -1)
        status = letter == 'h' ? take(parse, OPTION_HELP, NULL) : take(parse, letter, optarg);
    line->arguments = argv + optind;
    line->count = (unsigned)(argc - optind);
    return status;
}

/* -- verbs ---------------------------------------------------------------------------------------------------------------------- */

static const struct verb *find_verb(const char *name, const char *object, bool *ret_name_known)
{
    for (size_t i = 0; i < sizeof verb_tables / sizeof verb_tables[0]; i++)
        for (const struct verb *verb = verb_tables[i]; verb->name; verb++) {
            if (strcmp(verb->name, name) != 0)
                continue;
            *ret_name_known = true;
            if (!verb->object || (object && strcmp(verb->object, object) == 0))
                return verb;
        }
    return NULL;
}

static int unknown_verb(const char *name, const char *object, bool name_known)
{
    if (name_known)
        central_say("cellpost-central: \"%s\" does not know %s%s%s", name, object ? "\"" : "what to do", object ? object : "", object ? "\"" : "");
    else
        central_say("cellpost-central: there is no \"%s\"", name);
    central_say("\"cellpost-central --help\" shows what there is.");
    return CENTRAL_USAGE;
}

static int run(struct parse *parse)
{
    struct command_line *line = parse->line;
    const struct verb *verb = line->verb;
    int status;

    if (parse->help) {
        print_help(verb);
        return CENTRAL_OK;
    }
    if (line->count < verb->min || line->count > verb->max)
        return central_usage(line, "it takes: %s%s%s %s", verb->name, verb->object ? " " : "", verb->object ? verb->object : "", verb->arguments);
    status = read_settings(parse);
    if (status == CENTRAL_OK)
        status = verb->run(line);
    central_ca_close(line->ca);
    central_db_close(line->db);
    if (status == CENTRAL_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        central_say("cellpost-central: the result could not be written: %s", strerror(errno));
        return CENTRAL_BROKEN;
    }
    return status;
}

int central_main(int argc, char **argv)
{
    struct command_line line = { .json = false };
    struct parse parse = { .line = &line };
    const char *object = argc > 2 && argv[2][0] != '-' ? argv[2] : NULL;
    bool name_known = false;
    int status;

    (void)setlocale(LC_CTYPE, "");
    (void)umask(077);                        /* keys and accounts are nobody else's */
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        (void)puts("cellpost-central " CELLPOST_VERSION);
        return CENTRAL_OK;
    }
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? CENTRAL_USAGE : CENTRAL_OK;
    }
    line.verb = find_verb(argv[1], object, &name_known);
    if (!line.verb)
        return unknown_verb(argv[1], object, name_known);
    /* getopt wants a name in front of what it reads. */
    argv[line.verb->object ? 2 : 1] = argv[0];
    status = parse_options(&parse, argc - (line.verb->object ? 2 : 1), argv + (line.verb->object ? 2 : 1));
    if (status == CENTRAL_OK && parse.version) {
        (void)puts("cellpost-central " CELLPOST_VERSION);
        return CENTRAL_OK;
    }
    return status == CENTRAL_OK ? run(&parse) : status;
}
