/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/simulation.h"

#include "src/sms/sms_split.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_US SECONDS(20)          /* then a client believes its connection dead */
#define AGAIN_US SECONDS(5)
#define TEXT_MAX 800
#define LAST_PART_OCTETS_MIN 24          /* so that the last part, too, is like no other */
#define REPEAT_PERCENT 4                 /* of requests, once more although they were answered */
#define UNKEYED_PERCENT 5

/* What an answer belongs to: a request of a client, on a connection it may have given up since; or its word. In the
 * pointer itself, since a box that dies gives nothing back. */
struct waiter { uint32_t client, connection; bool word; };

static void *waiter_pack(struct waiter waiter)
{
    return (void *)((uintptr_t)waiter.connection << 16 | (uintptr_t)waiter.client << 2 | (uintptr_t)waiter.word << 1 | 1);
}

static struct waiter waiter_unpack(const void *packed)
{
    uintptr_t bits = (uintptr_t)packed;

    return (struct waiter){ .client = bits >> 2 & 0x3FFF, .connection = (uint32_t)(bits >> 16), .word = (bits & 2) != 0 };
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* -- what they write ------------------------------------------------------------------------------------------ */

static void add_word(char *text, size_t *used, uint32_t number, uint32_t word)
{
    *used += (size_t)snprintf(text + *used, TEXT_MAX - *used, "s%u.%u ", (unsigned)number, (unsigned)word);
}

/* Words with the number of the message and their own, so that every stretch of the text tells which it is of. */
static void write_text(struct clients *clients, uint32_t number, char ret_text[TEXT_MAX], struct sms_split *ret_split)
{
    struct sms_split_options options = { .encoding = SMS_ENCODING_AUTO };
    uint32_t length = draw_between(&clients->random, 8, 150), words = 0, at;
    size_t used = 0;
    const char *error;

    if (draw_percent(&clients->random, clients->long_percent))
        length = draw_between(&clients->random, 161, 500);
    if (draw_percent(&clients->random, 10)) {
        used = (size_t)snprintf(ret_text, TEXT_MAX, "ș ");   /* UCS-2: shorter parts */
        length = length > 200 ? 200 : length;
    }
    while (used < length)
        add_word(ret_text, &used, number, words++);
    for (;;) {
        (void)sms_split(ret_text, used, &options, ret_split, &at, &error);
        if (ret_split->count == 1 || ret_split->parts[ret_split->count - 1].length >= LAST_PART_OCTETS_MIN)
            return;
        sms_split_done(ret_split);
        add_word(ret_text, &used, number, words++);
    }
}

static int take_cuts(struct accept_message *message, const struct sms_split *split)
{
    uint16_t *cuts;

    message->coding = (struct message_coding){ .alphabet = (uint8_t)split->alphabet, .locking = split->locking, .single = split->single,
                                               .parts = split->count };
    message->text = malloc(split->text_length + 1u);
    if (message->text == NULL)
        return -ENOMEM;
    memcpy(message->text, split->text, split->text_length + 1u);
    message->text_length = split->text_length;
    if (split->count == 1)
        return 0;
    cuts = malloc(split->count * sizeof *cuts);
    if (cuts == NULL)
        return -ENOMEM;
    for (uint16_t i = 0; i < split->count; i++)
        cuts[i] = (uint16_t)split->parts[i].length;
    message->coding.cuts = cuts;
    return 0;
}

/* The same number writes the same message, so that a repeated request is the same to the octet. The client has its own
 * clock, which is right; when a message is too old goes by the box's. */
static int write_message(struct simulation *sim, uint32_t number, struct accept_message *ret_message)
{
    static const uint8_t priorities[] = { 5, 5, 5, 5, 5, 5, 5, 9, 8, 7, 6, 4, 3, 1, 0 };
    struct clients scratch = sim->clients;   /* its own chance, by its number */
    struct clients *clients = &scratch;
    char text[TEXT_MAX];
    struct sms_split split;
    int r;

    sim_random_init(&clients->random, sim->options.seed, UINT64_C(0x7E8700000000) + number);
    memset(ret_message, 0, sizeof *ret_message);
    (void)snprintf(ret_message->to, sizeof ret_message->to, "%s", clients->recipients[sim_random_below(&clients->random, clients->recipient_count)]);
    ret_message->priority = priorities[sim_random_below(&clients->random, sizeof priorities)];
    ret_message->message_class = -1;
    ret_message->patience_s = MESSAGE_PATIENCE_AS_ROUTED;
    ret_message->report = draw_percent(&clients->random, 85);
    ret_message->ref16 = draw_percent(&clients->random, 10);
    ret_message->expire_ms = host_wall_ms(sim) + 86400000;
    if (draw_percent(&clients->random, clients->short_percent))
        ret_message->expire_ms = host_wall_ms(sim) + (int64_t)draw_between(&clients->random, 20, 600) * 1000;
    if (draw_percent(&clients->random, clients->schedule_percent))
        ret_message->due_ms = WORLD_EPOCH_MS + (int64_t)(sim->now_us / 1000) + (int64_t)draw_between(&clients->random, 1, 900) * 1000;
    if (number < sim->witness.message_count) {
        /* Validity is a span: a request that is made again begins it anew, unless the first one has landed. */
        ret_message->due_ms = sim->witness.messages[number].due_ms;
        ret_message->expire_ms = (ret_message->due_ms != 0 ? ret_message->due_ms : host_wall_ms(sim)) + sim->witness.messages[number].span_ms;
    }
    if (draw_percent(&clients->random, clients->twice_percent))
        ret_message->policy = MESSAGE_AT_LEAST_ONCE;
    write_text(clients, number, text, &split);
    r = take_cuts(ret_message, &split);
    sms_split_done(&split);
    return r;
}

/* -- requests ------------------------------------------------------------------------------------------------- */

static void send_change(struct simulation *sim, struct client *client, struct store_change *change, bool word)
{
    change->waiter = waiter_pack((struct waiter){ client->index, client->connection, word });
    gateway_submit(host_gateway(sim), change, host_now(sim));
}

static struct store_change *new_request(struct simulation *sim, struct client *client)
{
    struct store_change *change = change_new(CHANGE_ACCEPT, host_wall_ms(sim));
    struct change_accept *accept;
    char key[32] = "";

    if (change == NULL)
        return NULL;
    accept = &change->u.accept;
    (void)snprintf(accept->actor, sizeof accept->actor, "key:client%u", (unsigned)client->index);
    (void)snprintf(key, sizeof key, "request-%u", (unsigned)client->request);
    accept->messages = calloc(client->count, sizeof *accept->messages);
    if (client->keyed)
        accept->idempotency_key = malloc(sizeof key);
    if (accept->messages == NULL || (client->keyed && accept->idempotency_key == NULL))
        goto out;
    accept->count = client->count;
    if (client->keyed)
        memcpy(accept->idempotency_key, key, sizeof key);
    memcpy(accept->request_hash, key, sizeof accept->request_hash);
    for (uint32_t i = 0; i < client->count; i++) {
        uint32_t number = client->first + i;

        if (write_message(sim, number, &accept->messages[i]) < 0)
            goto out;
        if (number == sim->witness.message_count)
            (void)witness_message_new(sim, &accept->messages[i]);
        else
            witness_asks_again(sim, number, &accept->messages[i]);
    }
    return change;
out:
    change_free(change);
    return NULL;
}

static void act(struct simulation *sim, struct client *client)
{
    struct clients *clients = &sim->clients;
    struct store_change *change;

    if (client->state == CLIENT_WAITS) {
        trace(sim, "client", "%u gives up its connection", (unsigned)client->index);
        client->connection++;
        client->state = CLIENT_WANTS;
    }
    if (client->state == CLIENT_WANTS && !client->keyed) {
        client->state = CLIENT_THINKS;   /* who has no key must not repeat: what became of it, it will never know */
        client->due_us = sim->now_us + 1;
        return;
    }
    if (client->state == CLIENT_THINKS) {
        if (sim->settling || witness_backlog(sim) > clients->backlog_max) {
            client->due_us = sim->settling ? NEVER : sim->now_us + AGAIN_US;
            return;
        }
        client->request++;
        client->keyed = !draw_percent(&clients->random, UNKEYED_PERCENT);
        client->answered = false;
        client->first = sim->witness.message_count;
        client->count = draw_between(&clients->random, 1, draw_percent(&clients->random, 50) ? 1 : clients->batch_max);
        client->state = CLIENT_WANTS;
    }
    client->due_us = sim->now_us + AGAIN_US;
    if (sim->host.state == HOST_DOWN || (change = new_request(sim, client)) == NULL) {
        if (client->first == sim->witness.message_count)
            client->state = CLIENT_THINKS;   /* nothing was written yet */
        return;                          /* connection refused */
    }
    trace(sim, "client", "%u request %u: messages %u..%u%s", (unsigned)client->index, (unsigned)client->request, (unsigned)client->first,
          (unsigned)(client->first + client->count - 1), client->answered ? ", again" : "");
    client->state = CLIENT_WAITS;
    client->due_us = sim->now_us + PATIENCE_US;
    send_change(sim, client, change, false);
}

static void say_word(struct simulation *sim, struct client *client)
{
    static const char *const words[] = { [WORD_CANCEL] = "cancels", [WORD_RELEASE] = "releases", [WORD_DROP] = "drops" };
    int64_t id = sim->witness.messages[client->word.message].id;
    bool cancels = client->word.kind == WORD_CANCEL;
    struct store_change *change;

    client->word.due_us = sim->now_us + AGAIN_US;
    if (sim->host.state == HOST_DOWN || (change = change_new(cancels ? CHANGE_CANCEL : CHANGE_DECIDE, host_wall_ms(sim))) == NULL)
        return;
    if (cancels) {
        change->u.cancel.message_id = id;
    } else {
        change->u.decide.message_id = id;
        change->u.decide.decision = client->word.kind == WORD_RELEASE ? DECISION_RELEASE : DECISION_DROP;
    }
    if (client->word.kind == WORD_RELEASE)
        witness_releases(sim, client->word.message);
    trace(sim, "client", "%u %s %lld", (unsigned)client->index, words[client->word.kind], (long long)id);
    client->word.due_us = sim->now_us + PATIENCE_US;
    send_change(sim, client, change, true);
}

/* -- answers -------------------------------------------------------------------------------------------------- */

static void word_answered(struct simulation *sim, struct client *client, const struct store_change *change)
{
    int64_t id = sim->witness.messages[client->word.message].id;

    trace(sim, "client", "%u: its word on %lld: %d", (unsigned)client->index, (long long)id, change->result);
    if (change->result == 0 && client->word.kind == WORD_CANCEL)
        witness_cancelled(sim, client->word.message);
    if (change->result == -ENOENT)
        violation(sim, "message %lld was promised, and the box does not know it", (long long)id);
    if (change->result == 0 || change->result == -EALREADY || change->result == -EBUSY || change->result == -ENOENT)
        client->word.kind = WORD_NONE;
}

static void request_answered(struct simulation *sim, struct client *client, const struct store_change *change)
{
    struct clients *clients = &sim->clients;
    const struct change_accept *accept = &change->u.accept;

    client->state = CLIENT_WANTS;
    client->due_us = sim->now_us + AGAIN_US;
    if (change->result == -EEXIST || change->result == -EINVAL) {
        violation(sim, "request %u of client %u is refused: %d", (unsigned)client->request, (unsigned)client->index, change->result);
        client->state = CLIENT_THINKS;
        return;
    }
    if (change->result != 0)
        return;
    for (uint32_t i = 0; i < accept->count; i++)
        witness_promised(sim, client->first + i, accept->messages[i].id);
    client->state = CLIENT_THINKS;
    client->due_us = sim->now_us + draw_wait_us(&clients->random, clients->think_us);
    if (client->keyed && !client->answered && draw_percent(&clients->random, REPEAT_PERCENT))
        client->state = CLIENT_WANTS;
    client->answered = true;
    if (client->word.kind == WORD_NONE && draw_percent(&clients->random, clients->cancel_percent)) {
        client->word.kind = WORD_CANCEL;
        client->word.message = client->first + sim_random_below(&clients->random, client->count);
        client->word.due_us = sim->now_us + draw_wait_us(&clients->random, SECONDS(10));
    }
}

void clients_answer(struct simulation *sim, struct store_change *change)
{
    struct waiter waiter = waiter_unpack(change->waiter);
    struct client *client = &sim->clients.of[waiter.client];

    if (waiter.word && waiter.connection == client->connection)
        word_answered(sim, client, change);
    else if (!waiter.word && waiter.connection == client->connection && client->state == CLIENT_WAITS)
        request_answered(sim, client, change);
    change_free(change);
}

void clients_doubt(struct simulation *sim, uint32_t message)
{
    struct clients *clients = &sim->clients;
    struct client *client = &clients->of[sim_random_below(&clients->random, clients->count)];

    if (client->word.kind != WORD_NONE || !sim->witness.messages[message].promised || sim->settling ||
        !draw_percent(&clients->random, clients->decide_percent))
        return;
    client->word.kind = draw_percent(&clients->random, 70) ? WORD_RELEASE : WORD_DROP;
    client->word.message = message;
    client->word.due_us = sim->now_us + draw_wait_us(&clients->random, MINUTES(2));
}

void clients_host_down(struct simulation *sim)
{
    for (uint32_t i = 0; i < sim->clients.count; i++) {
        struct client *client = &sim->clients.of[i];

        client->connection++;
        if (client->state == CLIENT_WAITS) {
            client->state = CLIENT_WANTS;
            client->due_us = sim->now_us + AGAIN_US;
        }
    }
}

/* -- turns ---------------------------------------------------------------------------------------------------- */

uint64_t clients_deadline(const struct simulation *sim)
{
    uint64_t due = NEVER;

    for (uint32_t i = 0; i < sim->clients.count; i++) {
        const struct client *client = &sim->clients.of[i];

        due = earlier(due, client->due_us);
        if (client->word.kind != WORD_NONE)
            due = earlier(due, client->word.due_us);
    }
    return due;
}

void clients_turn(struct simulation *sim)
{
    for (uint32_t i = 0; i < sim->clients.count; i++) {
        struct client *client = &sim->clients.of[i];

        if (client->due_us <= sim->now_us)
            act(sim, client);
        if (client->word.kind != WORD_NONE && client->word.due_us <= sim->now_us)
            say_word(sim, client);
    }
}

bool clients_idle(const struct simulation *sim)
{
    for (uint32_t i = 0; i < sim->clients.count; i++)
        if (sim->clients.of[i].state != CLIENT_THINKS || sim->clients.of[i].word.kind != WORD_NONE)
            return false;
    return true;
}

void clients_init(struct simulation *sim)
{
    static const uint32_t thinks_s[] = { 1, 5, 20, 60, 300 };
    struct clients *clients = &sim->clients;

    sim_random_init(&clients->random, sim->options.seed, UINT64_C(0xC11E));
    clients->count = draw_between(&clients->random, 1, 6);
    clients->think_us = SECONDS(thinks_s[sim_random_below(&clients->random, 5)]);
    clients->batch_max = draw_percent(&clients->random, 20) ? 200 : 12;
    clients->backlog_max = draw_percent(&clients->random, 20) ? 1000 : 100;
    clients->long_percent = draw_percent(&clients->random, 50) ? 10 : 40;
    clients->schedule_percent = draw_percent(&clients->random, 50) ? 0 : 10;
    clients->short_percent = draw_percent(&clients->random, 50) ? 0 : 10;
    clients->cancel_percent = draw_percent(&clients->random, 50) ? 2 : 20;
    clients->twice_percent = draw_percent(&clients->random, 50) ? 0 : 20;
    clients->decide_percent = draw_percent(&clients->random, 50) ? 0 : 30;
    clients->recipient_count = draw_between(&clients->random, 1, RECIPIENTS_MAX);
    if (sim->options.busy) {
        clients->count = 4;
        clients->think_us = SECONDS(1);
        clients->batch_max = 200;
        clients->backlog_max = 4000;
        clients->long_percent = 10;
        clients->schedule_percent = clients->short_percent = clients->cancel_percent = 0;
        clients->recipient_count = RECIPIENTS_MAX;
    }
    if (sim->options.idle)
        clients->count = 0;
    for (uint32_t i = 0; i < clients->recipient_count; i++)
        (void)snprintf(clients->recipients[i], sizeof clients->recipients[i], "+4072%07u", (unsigned)(1000000 + 7919 * i));
    for (uint32_t i = 0; i < clients->count; i++)
        clients->of[i] = (struct client){ .sim = sim, .index = i, .state = CLIENT_THINKS,
                                          .due_us = sim->now_us + SECONDS(1) + draw_wait_us(&clients->random, SECONDS(20)) };
}
