/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_values.h - one of every request and answer, with a value in each member. */
#ifndef CELLPOST_TESTS_WIRE_VALUES_H
#define CELLPOST_TESTS_WIRE_VALUES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "src/sync/wire.h"

#define ENTRIES 3
#define COMMANDS 6

/* What they point to. */
struct wire_values { struct journal_entry entries[ENTRIES]; struct command commands[COMMANDS]; char csv[64]; };

static inline struct journal_head some_head(uint64_t seq)
{
    struct journal_head head = { .seq = seq };

    memset(head.hash, 0xA0 + (int)(seq % 16), sizeof head.hash);
    return head;
}

/* Three entries behind from_seq - 1. */
static inline bool some_entries(struct journal_entry *entries, uint64_t from_seq, struct journal_head *head)
{
    *head = some_head(from_seq - 1);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        entries[i] = (struct journal_entry){ .lease_id = 5, .kind = (enum journal_kind)(JOURNAL_CAPTURE + i), .message_id = 12, .part = 1,
                                             .attempt = 1, .units_micro = 70000, .price_row = 3, .t_mono_ms = 1000, .t_wall_ms = 1790000000000 };
        if (entries[i].kind == JOURNAL_VOID)
            entries[i].refers_seq = from_seq;
        memset(entries[i].boot_id, 0xB7, sizeof entries[i].boot_id);
        if (journal_append(head, &entries[i]) < 0)
            return false;
    }
    return true;
}

static inline struct lease some_lease(uint64_t lease_id)
{
    struct lease lease = { .lease_id = lease_id, .epoch = 2, .grant_micro = 250000000, .price_version = 3, .issued_ms = 1790000000000,
                           .spend_until_ms = 1790600000000, .settle_until_ms = 1793000000000 };

    memset(lease.box_id, 0xB0, sizeof lease.box_id);
    memset(lease.price_sha256, 0x9A, sizeof lease.price_sha256);
    memset(lease.hw_fingerprint, 0x4F, sizeof lease.hw_fingerprint);
    memset(lease.signature, 0x51, sizeof lease.signature);
    return lease;
}

static inline struct wire_request some_request(enum wire_call call, struct wire_values *values)
{
    struct wire_request request = { .call = call, .epoch = call == WIRE_ENROLL || call == WIRE_PRICES ? 0 : 2 };

    switch (call) {
    case WIRE_ENROLL:
        strcpy(request.enroll.token, "Tok_en-1");
        memset(request.enroll.nonce, 0x0F, sizeof request.enroll.nonce);
        strcpy(request.enroll.csr, "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n");
        memset(request.enroll.hw_fingerprint, 0x4F, sizeof request.enroll.hw_fingerprint);
        strcpy(request.enroll.version, "1.2.3");
        break;
    case WIRE_LEASES:
        memset(request.lease.request_id, 0x1D, sizeof request.lease.request_id);
        request.lease.want_micro = 250000000;
        request.lease.head = some_head(41);
        request.lease.open_lease_id = 6;
        request.lease.last_lease_id = 7;
        break;
    case WIRE_USAGE:
        request.usage.command = 8;
        request.usage.from_seq = 42;
        memcpy(request.usage.prev_hash, some_head(41).hash, SHA256_OCTETS);
        if (some_entries(values->entries, 42, &request.usage.head)) {
            request.usage.entries = values->entries;
            request.usage.count = ENTRIES;
        }
        break;
    case WIRE_CLOSE:
        request.close.lease_id = 6;
        request.close.head = some_head(44);
        request.close.captured_micro = 70000;
        request.close.rest_micro = 249930000;
        break;
    case WIRE_PAPERS:
        request.papers.leases[0] = some_lease(6);
        request.papers.leases[1] = some_lease(7);
        request.papers.count = 2;
        break;
    case WIRE_COMMANDS: request.commands.after = 7; break;
    case WIRE_PRICES: request.prices.version = 3; break;
    default: break;
    }
    return request;
}

static inline struct command some_command(enum command_kind kind, uint64_t number)
{
    struct command command = { .number = number, .kind = kind, .time_ms = 1790000000000, .reason = "asked for by \"Ana\" \xC8\x98tefan" };

    if (kind == COMMAND_REFUND) {
        command.message_id = 12;
        command.part = 255;
        command.refers_seq = 42;
        command.units_micro = 70000;
    } else if (kind == COMMAND_PRICES) {
        command.price_version = 4;
        memset(command.price_sha256, 0x9A, sizeof command.price_sha256);
    } else if (kind == COMMAND_KEY) {
        memset(command.account_key, 0x33, sizeof command.account_key);
        command.account_key[0] = 0x04;
    }
    memset(command.signature, 0x51, sizeof command.signature);
    return command;
}

static inline struct wire_answer some_answer(enum wire_call call, struct wire_values *values)
{
    struct wire_answer answer = { .call = call, .time_ms = 1790000000123 };

    switch (call) {
    case WIRE_ENROLL:
        memset(answer.enrolled.box_id, 0xB0, sizeof answer.enrolled.box_id);
        answer.enrolled.epoch = 2;
        strcpy(answer.enrolled.certificate, "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n");
        memset(answer.enrolled.account_key, 0x44, sizeof answer.enrolled.account_key);
        strcpy(answer.enrolled.account, "Caf\xC3\xA9");
        break;
    case WIRE_LEASES:
        answer.lease.lease = some_lease(7);
        answer.lease.available_micro = -1;
        break;
    case WIRE_USAGE:
        answer.usage.acked = some_head(44);
        answer.usage.available_micro = 9000000;
        answer.usage.commands = 8;
        break;
    case WIRE_CLOSE:
        answer.closed.lease_id = 6;
        answer.closed.returned_micro = 249930000;
        break;
    case WIRE_PAPERS:
        answer.papers.last_lease_id = 7;
        answer.papers.unclosed[0] = 4;
        answer.papers.unclosed[1] = 7;
        answer.papers.unclosed_count = 2;
        break;
    case WIRE_COMMANDS:
        for (unsigned i = 0; i < COMMANDS; i++)
            values->commands[i] = some_command((enum command_kind)(COMMAND_REVOKE + i), 8 + 2 * i);
        answer.commands.commands = values->commands;
        answer.commands.count = COMMANDS;
        break;
    case WIRE_PRICES:
        answer.prices.version = 3;
        memset(answer.prices.sha256, 0x9A, sizeof answer.prices.sha256);
        strcpy(values->csv, "prefix,price,price_ucs2\r\n40,0.07,\r\n*,refused,\r\n");
        answer.prices.csv = values->csv;
        break;
    default: break;
    }
    return answer;
}

/* One of them for each code that an account can give, from WIRE_BAD_REQUEST on. */
static inline struct wire_answer some_problem(enum wire_call call, enum wire_code code)
{
    struct wire_answer answer = { .call = call, .time_ms = 1790000000123, .problem = { .code = code } };

    if (code % 2 == 0)
        strcpy(answer.problem.detail, "epoch 2 is over");
    if (code == WIRE_GAP) {
        answer.problem.has_acked = true;
        answer.problem.acked = some_head(40);
    }
    if (code == WIRE_NO_CREDIT) {
        answer.problem.has_available = true;
        answer.problem.available_micro = 12;
    }
    return answer;
}

#endif
