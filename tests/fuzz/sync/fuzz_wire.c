/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever comes in as a request, or as an answer to one: it is refused with a reason, or it can be said again, and what is
 * then said comes to the same.
 * An input: an octet that chooses (0 to 5: an answer to that call; others: a request), and
 *   of an answer   the status of HTTP in two octets, then the body;
 *   of a request   a line "METHOD TARGET", then the body. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/sync/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_error(const struct wire_error *error, int r)
{
    assert(memchr(error->pointer, '\0', sizeof error->pointer) && memchr(error->text, '\0', sizeof error->text));
    assert((r == -EINVAL || r == -EBADMSG) == (error->text[0] != '\0'));
}

static void try_answer(enum wire_call call, uint16_t status, const char *body, size_t length)
{
    struct wire_answer answer, again;
    struct wire_error error = { 0 };
    uint16_t said_status, twice_status;
    const char *type;
    char *said, *twice;
    size_t said_length, twice_length;
    int r = wire_answer_decode(call, status, body, length, &answer, &error);

    check_error(&error, r);
    assert(r == 0 || r == -EBADMSG);
    if (r < 0)
        return;
    assert(answer.problem.status == status && (status == 200) == (answer.problem.code == WIRE_OK));
    (void)wire_problem_is_final(&answer.problem);
    r = wire_answer_encode(&answer, &said_status, &type, &said, &said_length);
    if (answer.problem.code == WIRE_OTHER)
        assert(r == -EINVAL);
    else if (call == WIRE_PRICES && r == -EMSGSIZE)   /* only where it was told with fewer escapes */
        ;
    else {
        assert(r == 0 && said_status == status && said_length == strlen(said));
        assert(wire_answer_decode(call, status, said, said_length, &again, &error) == 0);
        assert(wire_answer_encode(&again, &twice_status, &type, &twice, &twice_length) == 0);
        assert(said_length == twice_length && memcmp(said, twice, said_length) == 0);
        free(said);
        free(twice);
        wire_answer_done(&again);
    }
    wire_answer_done(&answer);
}

static void try_request(const char *method, const char *target, const char *body, size_t length)
{
    struct wire_request request, again;
    struct wire_error error = { 0 };
    struct wire_message said, twice;
    int r = wire_request_decode(method, target, body, length, &request, &error);

    check_error(&error, r);
    assert(r == 0 || r == -ENOENT || r == -EPERM || r == -EINVAL);
    if (r < 0)
        return;
    assert(wire_request_encode(&request, &said) == 0);
    assert(wire_request_decode(said.method, said.target, said.body, said.length, &again, &error) == 0);
    assert(wire_request_encode(&again, &twice) == 0);
    assert(strcmp(said.method, twice.method) == 0 && strcmp(said.target, twice.target) == 0 && said.length == twice.length);
    assert(said.length == 0 || memcmp(said.body, twice.body, said.length) == 0);
    if (request.call == WIRE_USAGE)
        assert(request.usage.count == again.usage.count && request.usage.count <= WIRE_ENTRIES_MAX &&
               memcmp(request.usage.entries, again.usage.entries, request.usage.count * sizeof *request.usage.entries) == 0);
    free(said.body);
    free(twice.body);
    wire_request_done(&request);
    wire_request_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    char line[256], *blank;
    const char *end;

    if (size < 3)
        return 0;
    if (bytes[0] < WIRE_CALLS) {
        try_answer((enum wire_call)bytes[0], (uint16_t)(bytes[1] << 8 | bytes[2]), text + 3, size - 3);
        return 0;
    }
    end = memchr(text + 1, '\n', size - 1);
    if (!end || (size_t)(end - text - 1) >= sizeof line)
        return 0;
    memcpy(line, text + 1, (size_t)(end - text - 1));
    line[end - text - 1] = '\0';
    blank = strchr(line, ' ');
    if (!blank)
        return 0;
    *blank = '\0';
    try_request(line, blank + 1, end + 1, size - (size_t)(end + 1 - text));
    return 0;
}
