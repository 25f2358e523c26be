/* SPDX-License-Identifier: Apache-2.0
 *
 * cli.h - what every verb that talks to the gateway has in common: its options and help as data, the call, the error a
 * person can act on, the output.
 *
 *     struct cli cli;
 *     cli_begin(&cli, &syntax, argc, argv);
 *     for (int letter; (letter = cli_next_option(&cli)) >= 0;) ...optarg...
 *     if (cli.finished)
 *         return cli_end(&cli, cli.status);
 *
 * --socket, --json, --utc and --help are handled inside. stdout carries results, stderr what is said about them. */
#ifndef CELLPOST_CLI_H
#define CELLPOST_CLI_H

#include "firmware/cellpost/client.h"
#include "firmware/cellpost/table.h"

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Exit statuses are a contract: scripts rely on them (cellpost(1)). */
enum cli_exit {
    CLI_OK = 0,
    CLI_REFUSED = 1,        /* by the gateway, or nothing was found, or a message came to a bad end */
    CLI_USAGE = 2,
    CLI_UNREACHABLE = 3,
    CLI_TIMED_OUT = 4,      /* waiting for messages */
};

#define CLI_OPTIONS_MAX 32

struct cli_option {
    const char *name;
    int letter;             /* a letter, or any number above 255 for an option without one */
    const char *value;      /* what it takes, in capitals; NULL: nothing. "[=X]": optional */
    const char *help;
};

struct cli_syntax {
    const char *verb;
    const char *arguments;  /* after the options; one usage per line */
    const char *summary;
    const struct cli_option *options;   /* ends with a NULL name; NULL none */
    const char *notes;      /* printed below the options; NULL none */
};

struct cli {
    const struct cli_syntax *syntax;
    int argc; char **argv;
    bool json, utc;
    bool quiet;             /* errors are not explained: the verb tries again */
    bool finished;          /* help was shown or an option was wrong: end with `status` */
    int status;
    struct client_config config;
    struct client *client;  /* opened with the first call */
    struct option longs[CLI_OPTIONS_MAX];
    char shorts[2 * CLI_OPTIONS_MAX];
};

void cli_begin(struct cli *cli, const struct cli_syntax *syntax, int argc, char **argv);
/* The letter of the verb's next option, its value in optarg; -1 at their end. What is left is argv[optind..]. */
int cli_next_option(struct cli *cli);
/* Frees what the calls took; returns status. */
int cli_end(struct cli *cli, int status);

/* Prints "cellpost VERB: ..." and a word about --help; returns CLI_USAGE. */
int cli_usage_error(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reads a whole number; CLI_OK, or CLI_USAGE after saying what is wrong with the option's value. */
int cli_read_number(const struct cli *cli, const char *option, const char *text, int64_t min, int64_t max, int64_t *ret_number);
/* A time for --since and the like, turned into what the API reads. text of the caller, WHEN_TEXT_MAX. */
int cli_read_since(const struct cli *cli, const char *option, const char *text, char *ret_rfc3339);
int64_t cli_now_ms(void);          /* wall clock */
int64_t cli_monotonic_ms(void);

/* One call. CLI_OK with the answer (status below 400), or the exit status after the reason was printed. With --json a
 * refusal is printed to stdout too. */
int cli_call(struct cli *cli, const struct client_request *request, struct client_answer *ret_answer);
int cli_get(struct cli *cli, const struct client_target *target, struct client_answer *ret_answer);
/* CLI_OK or CLI_UNREACHABLE after a word: for verbs that read refusals themselves. */
int cli_call_raw(struct cli *cli, const struct client_request *request, struct client_answer *ret_answer);
int cli_stream_open(struct cli *cli, const char *target, const char *last_id, struct client_stream **ret_stream);

/* What to say about an errno of client.h, and about a problem+json: with the place, and what to do next. */
int cli_explain_error(const struct cli *cli, int error);
int cli_explain_answer(const struct cli *cli, const struct client_answer *answer);
/* For one thing in an answer that was refused: "+40x: detail". */
void cli_explain_problem(const char *about, json_t *problem);

void cli_print_json(json_t *json);                 /* one line per document, safe for terminals */
void cli_print_table(const struct table *table);   /* and its header, if it has rows */
/* "name         value" on stdout, escaped; nothing for an empty value. A block keeps its lines, each behind a bar: none of
 * them can be taken for a field of ours. */
void cli_print_field(const char *name, const char *value);
void cli_print_block(const char *name, const char *text);
void cli_print_line(const char *text);             /* on stdout, escaped */
bool cli_color(void);                              /* stdout is a terminal and NO_COLOR does not say no */
size_t cli_width(void);                            /* columns of the terminal; 0: none */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* to stderr, escaped, one line */

/* Reading answers: what is missing or of another type is "" or the default. */
const char *json_text_of(json_t *object, const char *key);
int64_t json_number_of(json_t *object, const char *key, int64_t otherwise);
bool json_true_of(json_t *object, const char *key);
/* A time of the API as people read it: "-" where there is none. */
const char *cli_time_of(const struct cli *cli, json_t *object, const char *key, char ret_text[40]);

#endif
