/* SPDX-License-Identifier: Apache-2.0
 *
 * follow.h - the event stream of the gateway across its restarts: comes back by itself, from the event it saw last. */
#ifndef CELLPOST_CLI_FOLLOW_H
#define CELLPOST_CLI_FOLLOW_H

#include "firmware/cellpost/cli.h"

#define FOLLOW_AWAY_MS_MAX 60000    /* a gateway that is away longer is not waited for */

enum follow_result {
    FOLLOW_EVENT,
    FOLLOW_QUIET,           /* nothing in this time; also while the gateway is away */
    FOLLOW_BACK,            /* connected anew: what happened in between may be missing */
    FOLLOW_AWAY,            /* given up; the reason was printed: CLI_UNREACHABLE */
};

struct follow {
    struct cli *cli;
    struct client_stream *stream;
    char last_id[SSE_ID_MAX];
    int64_t away_since_ms;
};

/* last_id: NULL from now on, "0" from the oldest that the gateway remembers. CLI_OK, or the exit status after a word. */
int follow_open(struct follow *follow, struct cli *cli, const char *last_id);
void follow_close(struct follow *follow);
enum follow_result follow_next(struct follow *follow, uint32_t timeout_ms, struct sse_event *ret_event);

/* "part 2 of 3", as far as data says: the number of parts is not in every event. */
void part_words(json_t *data, char ret_text[64]);

/* An event as one line without its end, for a person: time, kind, what happened. The caller's; not escaped yet. */
char *event_words(const struct cli *cli, const char *name, json_t *data);

#endif
