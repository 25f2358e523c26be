/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (1u << 20)
#define ANSWER_TIMEOUT_MS 10000

static int control_connect(const struct harness *harness)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", harness->control);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        harness_die("%s: %s", harness->control, strerror(errno));
    return fd;
}

json_t *bank_tell(const struct harness *harness, const char *command)
{
    uint64_t deadline_us = harness_now_us() + ANSWER_TIMEOUT_MS * 1000ull;
    int fd = control_connect(harness);
    char *answer = malloc(ANSWER_MAX), line[1024];
    size_t length = 0;
    json_t *json;
    int n = snprintf(line, sizeof line, "%s\n", command);

    if (answer == NULL || n < 0 || (size_t)n >= sizeof line || send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
        harness_die("the bank cannot be told: %s", command);
    while (length == 0 || answer[length - 1] != '\n') {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        ssize_t got = poll(&ready, 1, harness_left_ms(deadline_us)) > 0 ? recv(fd, answer + length, ANSWER_MAX - length, 0) : 0;

        if (got <= 0 || length + (size_t)got == ANSWER_MAX)
            harness_die("the bank gave no answer to: %s", command);
        length += (size_t)got;
    }
    (void)close(fd);
    json = json_loadb(answer, length, 0, NULL);
    free(answer);
    if (json == NULL || json_is_false(json_object_get(json, "ok")))
        harness_die("the bank refused: %s (%s)", command, json_text_at(json, "error"));
    return json;
}

void bank_tell_ok(const struct harness *harness, const char *format, ...)
{
    char command[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    json_decref(bank_tell(harness, command));
}

/* Bit 2 of the first octet of an SMS-SUBMIT, behind the address of the service centre (3GPP TS 23.040 9.2.2.2, 9.2.3.25). */
static bool pdu_rejects_duplicates(const char *hex)
{
    unsigned smsc, first;

    if (sscanf(hex, "%2x", &smsc) != 1 || strlen(hex) < 2 * (smsc + 2) || sscanf(hex + 2 * (smsc + 1), "%2x", &first) != 1)
        harness_die("the bank's log has a PDU that is none: %s", hex);
    return (first & 0x04) != 0;
}

static void take_accepted(struct witness *witness, json_t *event)
{
    struct witness_part *part;

    if (witness->count == witness->size) {
        size_t size = witness->size == 0 ? 256 : witness->size * 2;
        struct witness_part *grown = realloc(witness->parts, size * sizeof *grown);

        if (grown == NULL)
            harness_die("out of memory");
        witness->parts = grown;
        witness->size = size;
    }
    part = &witness->parts[witness->count++];
    *part = (struct witness_part){
        .t_us = (uint64_t)json_number_at(event, "t_us"), .modem = (unsigned)json_number_at(event, "modem"),
        .mr = (int)json_number_at(event, "mr"), .total = (int)json_number_at(event, "total"), .seq = (int)json_number_at(event, "seq"),
        .lines = (unsigned)json_number_at(event, "lines"), .text = strdup(json_text_at(event, "text")),
        .reject_duplicates = pdu_rejects_duplicates(json_text_at(event, "pdu")),
    };
    (void)snprintf(part->to, sizeof part->to, "%s", json_text_at(event, "to"));
}

void witness_read(struct witness *witness)
{
    const char *line;

    while ((line = follow_line(&witness->follow, 0)) != NULL) {
        json_t *event = json_loads(line, 0, NULL);
        const char *name = json_text_at(event, "event");

        if (event == NULL)
            harness_die("the bank's log has a line that is no JSON: %s", line);
        witness->last_us = (uint64_t)json_number_at(event, "t_us");
        if (strcmp(name, "accepted") == 0)
            take_accepted(witness, event);
        else if (strcmp(name, "answered") == 0)
            witness->answered++;
        else if (strcmp(name, "report") == 0)
            witness->reports++;
        else if (strcmp(name, "incoming") == 0)
            witness->incoming++;
        else if (strcmp(name, "fault") == 0) {
            witness->faults++;
            witness->fault_modem = (unsigned)json_number_at(event, "modem");
            witness->fault_count = witness->count;
        }
        json_decref(event);
    }
}

unsigned witness_count(const struct witness *witness, const char *to)
{
    unsigned count = 0;

    for (size_t i = 0; i < witness->count; i++)
        count += strcmp(witness->parts[i].to, to) == 0;
    return count;
}

char *witness_text(const struct witness *witness, const char *to)
{
    size_t size = 1;
    char *text;

    for (size_t i = 0; i < witness->count; i++)
        if (strcmp(witness->parts[i].to, to) == 0)
            size += strlen(witness->parts[i].text);
    text = calloc(1, size);
    if (text == NULL)
        harness_die("out of memory");
    for (int seq = 0; seq <= 255; seq++)
        for (size_t i = 0; i < witness->count; i++)
            if (strcmp(witness->parts[i].to, to) == 0 && witness->parts[i].seq == seq)
                (void)strcat(text, witness->parts[i].text);
    return text;
}
