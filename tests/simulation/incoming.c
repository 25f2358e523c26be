/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/simulation.h"

#include "src/sms/sms_split.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 800
#define AGAIN_US SECONDS(15)             /* the network tries a modem that could not take it */
#define TWICE_PERCENT 4                  /* of parts the network gives again: its acknowledgement was lost */
#define STOP_EACH 4                      /* of so many messages one says STOP, if it is short, where the options say so */
#define PAIR_PERCENT 25                  /* of long messages: another under the same reference, with another total */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool grow(void **array, uint32_t *size, uint32_t count, size_t item)
{
    uint32_t wanted = *size != 0 ? *size * 2 : 64;
    void *grown;

    if (count < *size)
        return true;
    grown = realloc(*array, wanted * item);
    if (grown == NULL)
        return false;
    *array = grown;
    *size = wanted;
    return true;
}

/* -- making them ---------------------------------------------------------------------------------------------- */

/* Made as a submit, since that is what there is an encoder for, then turned round. */
static int make_tpdu(struct simulation *sim, const char *from, const struct sms_split *split, uint16_t i, uint8_t ref, struct incoming_part *part)
{
    struct sms_submit submit = { .to = "+1", .message_class = -1, .alphabet = split->alphabet, .text = split->text + split->parts[i].offset,
                                 .text_length = split->parts[i].length, .concat = split->count > 1, .concat_ref = ref,
                                 .concat_ref_bits = 8, .concat_total = (uint8_t)split->count, .concat_seq = (uint8_t)(i + 1) };
    uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length;
    const char *error;
    size_t length;
    int r = sms_submit_encode(&submit, pdu, &length, &tpdu_length, &error);

    if (r == 0)
        r = sim_pdu_deliver_from_submit(pdu + 1 + pdu[0], length - 1 - pdu[0], from, WORLD_EPOCH_MS / 1000 + (int64_t)(sim->now_us / SECONDS(1)),
                                        part->tpdu, &length);
    part->length = (uint8_t)length;
    part->key = witness_key(from, submit.text, submit.text_length);
    return r;
}

static int add_part(struct simulation *sim, uint32_t message, uint32_t card, const struct sms_split *split, uint16_t i, uint8_t ref,
                    uint64_t due_us)
{
    struct incoming *incoming = &sim->incoming;
    struct incoming_part *part;

    if (!grow((void **)&incoming->parts, &incoming->part_size, incoming->part_count, sizeof *incoming->parts) ||
        !grow((void **)&incoming->pending, &incoming->pending_size, incoming->pending_count, sizeof *incoming->pending))
        return -ENOMEM;
    part = &incoming->parts[incoming->part_count];
    *part = (struct incoming_part){ .message = message, .card = card, .due_us = due_us, .times = 1 };
    part->times += draw_percent(&incoming->random, TWICE_PERCENT);
    if (make_tpdu(sim, incoming->messages[message].from, split, i, ref, part) < 0)
        return -EINVAL;
    witness_map_put(&sim->witness.by_incoming, part->key, incoming->part_count);
    incoming->pending[incoming->pending_count++] = incoming->part_count++;
    return 0;
}

/* Each number says so twice, in different words. The box's answer is a message that the witness must know before it is on the air. */
static uint32_t write_stop(struct simulation *sim, const char *from, char *ret_text)
{
    static char confirmation[] = INCOMING_CONFIRMATION;
    struct accept_message answer = { .text = confirmation, .text_length = sizeof confirmation - 1, .coding = { .parts = 1 },
                                     .priority = MESSAGE_PRIORITY_DEFAULT, .expire_ms = host_wall_ms(sim) + 86400000 };
    uint32_t known;

    (void)snprintf(answer.to, sizeof answer.to, "%s", from);
    if (!witness_map_find(&sim->witness.by_text, witness_key(from, answer.text, answer.text_length), &known))
        (void)witness_message_new(sim, &answer);
    return (uint32_t)snprintf(ret_text, TEXT_MAX, "%s", sim->incoming.message_count / STOP_EACH % 2 == 0 ? "STOP" : "QUIT");
}

/* length 0: a STOP. */
static void add_message(struct simulation *sim, uint32_t card, const char *from, uint32_t length, uint8_t ref)
{
    struct sms_split_options options = { .encoding = SMS_ENCODING_AUTO };
    struct incoming *incoming = &sim->incoming;
    struct incoming_message *message;
    struct sms_split split;
    char text[TEXT_MAX];
    const char *error;
    size_t used = 0;
    uint32_t words = 0, at;

    if (!grow((void **)&incoming->messages, &incoming->message_size, incoming->message_count, sizeof *incoming->messages))
        return;
    if (length == 0)
        used = write_stop(sim, from, text);
    while (used < length)
        used += (size_t)snprintf(text + used, sizeof text - used, "i%u.%u ", (unsigned)incoming->message_count, (unsigned)words++);
    if (sms_split(text, used, &options, &split, &at, &error) < 0)
        return;
    message = &incoming->messages[incoming->message_count];
    *message = (struct incoming_message){ .first_part = incoming->part_count, .parts = split.count };
    (void)snprintf(message->from, sizeof message->from, "%s", from);
    message->key = witness_key(from, text, used);
    for (uint16_t i = 0; i < split.count; i++)
        (void)add_part(sim, incoming->message_count, card, &split, i, ref,
                       sim->now_us + (split.count > 1 ? sim_random_below(&incoming->random, 30000000) : 0));
    sms_split_done(&split);
    incoming->message_count++;
}

void incoming_send(struct simulation *sim, uint32_t card, uint32_t messages)
{
    struct incoming *incoming = &sim->incoming;

    for (uint32_t i = 0; i < messages; i++) {
        bool is_long = draw_percent(&incoming->random, 25);
        uint8_t ref = (uint8_t)sim_random_below(&incoming->random, 256);
        bool stop = sim->options.opt_outs && !is_long && incoming->message_count % STOP_EACH == 0;
        uint32_t length = is_long ? draw_between(&incoming->random, 170, 280) : draw_between(&incoming->random, 10, 150);
        char from[24];

        (void)snprintf(from, sizeof from, "+407%c%07u", stop ? '6' : '3', (unsigned)(incoming->message_count / (stop ? 2 * STOP_EACH : 1) % 10000000));
        add_message(sim, card, from, stop ? 0 : length, ref);
        if (is_long && draw_percent(&incoming->random, PAIR_PERCENT))
            add_message(sim, card, from, draw_between(&incoming->random, 320, 420), ref);
    }
}

/* -- handing them over ---------------------------------------------------------------------------------------- */

static struct sim_modem *modem_with(struct simulation *sim, uint32_t card)
{
    for (uint32_t i = 0; i < sim->bank.count; i++)
        if (sim_modem_card(sim->bank.modems[i].modem) == &sim->bank.cards[card])
            return sim->bank.modems[i].modem;
    return NULL;
}

/* True: the network is done with it. */
static bool hand_over(struct simulation *sim, struct incoming_part *part)
{
    struct sim_modem *modem = modem_with(sim, part->card);
    int r = modem != NULL ? sim_modem_deliver_sms(modem, part->tpdu, part->length, sim->now_us) : -EAGAIN;

    part->due_us = sim->now_us + AGAIN_US;
    if (r == -EINVAL)
        violation(sim, "the simulation made an incoming message that no modem takes");
    if (r != 0)
        return r == -EINVAL;
    return --part->times == 0;
}

void incoming_taken(struct simulation *sim, const struct sim_event *event, uint32_t modem)
{
    uint64_t key = witness_key(event->address, event->text, strlen(event->text));
    uint32_t i;

    (void)modem;
    if (!witness_map_find(&sim->witness.by_incoming, key, &i))
        return;
    sim->incoming.parts[i].taken++;
    sim->result->incoming++;
}

/* -- turns ---------------------------------------------------------------------------------------------------- */

uint64_t incoming_deadline(const struct simulation *sim)
{
    const struct incoming *incoming = &sim->incoming;
    uint64_t due = incoming->next_us;

    for (uint32_t i = 0; i < incoming->pending_count; i++)
        due = earlier(due, incoming->parts[incoming->pending[i]].due_us);
    return due;
}

void incoming_turn(struct simulation *sim)
{
    struct incoming *incoming = &sim->incoming;
    uint32_t kept = 0;

    if (incoming->next_us <= sim->now_us) {
        incoming->next_us = sim->settling ? NEVER : sim->now_us + draw_wait_us(&incoming->random, incoming->mean_us);
        if (!sim->settling)
            incoming_send(sim, sim_random_below(&incoming->random, sim->bank.count), 1);
    }
    for (uint32_t i = 0; i < incoming->pending_count; i++) {
        struct incoming_part *part = &incoming->parts[incoming->pending[i]];

        if (part->due_us > sim->now_us || !hand_over(sim, part))
            incoming->pending[kept++] = incoming->pending[i];
    }
    incoming->pending_count = kept;
}

void incoming_init(struct simulation *sim)
{
    static const uint32_t means_s[] = { 10, 60, 300, 1800 };
    struct incoming *incoming = &sim->incoming;

    sim_random_init(&incoming->random, sim->options.seed, UINT64_C(0x14C0));
    incoming->mean_us = SECONDS(means_s[sim_random_below(&incoming->random, 4)]);
    incoming->next_us = sim->options.busy || sim->options.idle ? NEVER : sim->now_us + draw_wait_us(&incoming->random, incoming->mean_us);
}

void incoming_done(struct simulation *sim)
{
    free(sim->incoming.messages);
    free(sim->incoming.parts);
    free(sim->incoming.pending);
}
