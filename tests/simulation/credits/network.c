/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/credits/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_US SECONDS(30)

static struct packet *free_packet(struct world *world)
{
    for (unsigned i = 0; i < PACKETS_MAX; i++)
        if (!world->packets[i].used)
            return &world->packets[i];
    return NULL;
}

static void packet_drop(struct packet *packet)
{
    free(packet->method);
    free(packet->target);
    free(packet->body);
    memset(packet, 0, sizeof *packet);
}

static struct packet *packet_put(struct world *world, const struct box *box, enum wire_call call, uint64_t in_us)
{
    struct packet *packet = free_packet(world);

    if (packet == NULL)
        return NULL;                         /* a network loses what it has no room for */
    packet->used = true;
    packet->box = box->number;
    packet->request = box->request.number;
    packet->call = call;
    packet->due_us = world->now_us + in_us;
    return packet;
}

static void request_put(struct world *world, const struct box *box, enum wire_call call, const struct wire_message *message, uint64_t in_us)
{
    struct packet *packet = packet_put(world, box, call, in_us);

    if (packet == NULL)
        return;
    packet->proved = box->card.enrolled;
    memcpy(packet->box_id, box->card.box_id, sizeof packet->box_id);
    memcpy(packet->key, box->card.key, sizeof packet->key);
    packet->method = strdup(message->method);
    packet->target = strdup(message->target);
    packet->length = message->length;
    packet->body = message->body != NULL ? malloc(message->length + 1) : NULL;
    if (message->body != NULL)
        memcpy(packet->body, message->body, message->length);
}

/* What stands between a box and its account, and thinks that it knows better. */
static void portal_answers(struct world *world, const struct box *box, enum wire_call call)
{
    static const struct { uint16_t status; const char *body; } lies[] = {
        { 200, "<html><body>Welcome to the Hotel Bellevue! Please log in.</body></html>" },
        { 302, "" }, { 511, "<html>Network Authentication Required</html>" }, { 200, "{}" }, { 200, "{\"protocol\":1" },
        { 404, "Not Found" }, { 502, "<html>Bad Gateway</html>" }, { 204, "" }, { 403, "{\"error\":\"blocked by policy\"}" },
        { 200, "{\"protocol\":2,\"time_ms\":1}" },
    };
    uint32_t lie = draw_between(world, 0, sizeof lies / sizeof lies[0] - 1);
    struct packet *packet = packet_put(world, box, call, SECONDS(1));

    if (packet == NULL)
        return;
    packet->answer = true;
    packet->status = lies[lie].status;
    packet->body = strdup(lies[lie].body);
    packet->length = strlen(packet->body);
}

static void unreachable(struct world *world, const struct box *box, enum wire_call call)
{
    struct packet *packet = packet_put(world, box, call, SECONDS(2));

    if (packet == NULL)
        return;
    packet->answer = true;
    packet->error = -EHOSTUNREACH;
}

void network_send(struct box *box, enum wire_call call, const struct wire_message *message)
{
    struct world *world = box->world;
    uint64_t way_us = draw_between(world, 20, 400) * 1000u;

    box->request.asked = true;
    box->request.number++;
    box->request.timeout_us = world->now_us + TIMEOUT_US;
    world->result->requests++;
    trace(world, "net", "box %u asks %s%s", box->number, message->method, message->target);
    if (world->now_us < box->offline_until_us) {
        unreachable(world, box, call);
        return;
    }
    if (fault_now(world, FAULT_PORTAL, 4)) {
        portal_answers(world, box, call);
        return;
    }
    if (fault_now(world, FAULT_LOSE, 4))
        return;
    if (fault_now(world, FAULT_DELAY, 5))
        way_us = SECONDS(draw_between(world, 5, 600));
    request_put(world, box, call, message, way_us);
    if (fault_now(world, FAULT_DOUBLE, 5))
        request_put(world, box, call, message, way_us + SECONDS(draw_between(world, 0, 7200)));
}

static void to_account(struct world *world, struct packet *packet)
{
    struct packet answer = { .used = true, .answer = true, .box = packet->box, .request = packet->request, .call = packet->call };
    struct packet *place;

    if (!central_answer(world, packet, &answer)) {
        packet_drop(packet);
        return;
    }
    verdict_step(world);
    packet_drop(packet);
    place = free_packet(world);
    if (place == NULL || fault_now(world, FAULT_LOSE, 4)) {
        packet_drop(&answer);
        return;
    }
    answer.due_us = world->now_us + draw_between(world, 20, 400) * 1000u;
    if (fault_now(world, FAULT_DELAY, 3))
        answer.due_us += SECONDS(draw_between(world, 5, 60));
    *place = answer;
}

void network_turn(struct world *world)
{
    for (unsigned i = 0; i < PACKETS_MAX; i++) {
        struct packet *packet = &world->packets[i];
        struct box *box = &world->boxes[packet->box];

        if (!packet->used || packet->due_us > world->now_us)
            continue;
        if (!packet->answer) {
            to_account(world, packet);
            continue;
        }
        if (box->up && box->request.asked && box->request.number == packet->request) {
            trace(world, "net", "box %u is answered %u", packet->box, (unsigned)packet->status);
            world->result->answers++;
            box_answer(box, packet);
        }
        packet_drop(packet);
    }
}

uint64_t network_due_us(const struct world *world)
{
    uint64_t due_us = NEVER;

    for (unsigned i = 0; i < PACKETS_MAX; i++)
        if (world->packets[i].used && world->packets[i].due_us < due_us)
            due_us = world->packets[i].due_us;
    return due_us;
}

void network_done(struct world *world)
{
    for (unsigned i = 0; i < PACKETS_MAX; i++)
        packet_drop(&world->packets[i]);
}
