/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_consent.c - incoming messages that say STOP or START, and what a number on the opt-out list changes here. Who is on
 * the list the store knows alone: it asks at intake and before each hand-over (src/store/opt_out.c). */
#include "src/gateway/gateway_internal.h"

#include "src/number/number.h"
#include "src/sms/sms_split.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIRMATION_VALIDITY_MS 86400000
#define TYPE_OF_NUMBER(type) ((type) >> 4 & 7)   /* TS 23.040 9.1.2.5 */
#define TYPE_ALPHANUMERIC 5

static char *copy(const char *text, size_t length)
{
    char *bytes = malloc(length + 1);

    if (bytes != NULL) {
        memcpy(bytes, text, length);
        bytes[length] = '\0';
    }
    return bytes;
}

/* 0, -ENOMEM, or what sms_split() has against the text. */
static int message_fill(struct accept_message *message, const char *to, const char *text, int64_t now_ms)
{
    const struct sms_split_options options = { .encoding = SMS_ENCODING_AUTO };
    struct sms_split split;
    const char *error;
    uint16_t *cuts = NULL;
    int r = sms_split(text, strlen(text), &options, &split, NULL, &error);

    if (r < 0)
        return r;
    (void)snprintf(message->to, sizeof message->to, "%s", to);
    message->text = copy(split.text, split.text_length);
    message->text_length = split.text_length;
    message->coding = (struct message_coding){ .alphabet = (uint8_t)split.alphabet, .locking = split.locking, .single = split.single,
                                               .parts = split.count };
    if (split.count > 1 && (cuts = calloc(split.count, sizeof *cuts)) != NULL)
        for (uint16_t i = 0; i < split.count; i++)
            cuts[i] = (uint16_t)split.parts[i].length;
    message->coding.cuts = cuts;
    message->priority = MESSAGE_PRIORITY_DEFAULT;
    message->message_class = -1;
    message->policy = MESSAGE_AT_MOST_ONCE;
    message->expire_ms = now_ms + CONFIRMATION_VALIDITY_MS;
    if (message->text == NULL || (split.count > 1 && cuts == NULL))
        r = -ENOMEM;
    sms_split_done(&split);
    return r;
}

static bool confirmation_fill(struct change_receive *receive, const char *text, int64_t now_ms)
{
    struct change_accept *accept = calloc(1, sizeof *accept);
    int r;

    receive->confirmation = accept;      /* freed with the change, also where it is filled in part */
    if (accept == NULL || (accept->messages = calloc(1, sizeof *accept->messages)) == NULL)
        return false;
    accept->count = 1;
    memcpy(accept->actor, OPT_OUT_ACTOR, sizeof OPT_OUT_ACTOR);
    r = message_fill(&accept->messages[0], receive->consent_number, text, now_ms);
    if (r < 0 && r != -ENOMEM) {         /* no SMS can carry it: the wish counts all the same */
        free(accept->messages);
        free(accept);
        receive->confirmation = NULL;
    }
    return r != -ENOMEM;
}

/* In the form that messages carry. A short code, or a national form without a country, is nobody's to opt out. False: no memory. */
static bool sender_read(const char *from, const char *country, struct number *ret_number)
{
    struct number_error error;

    if (number_parse(from, country, ret_number, &error) == 0)
        return true;
    *ret_number = (struct number){ .kind = NUMBER_UNKNOWN };
    if (error.reason == NUMBER_NO_MEMORY)
        return false;
    /* The network says that it is one, whatever the plan knows. */
    if (from[0] == '+' && from[1] != '\0' && strspn(from + 1, "0123456789") == strlen(from + 1) && strlen(from) < sizeof ret_number->text)
        memcpy(ret_number->text, from, strlen(from) + 1);
    return true;
}

/* Only a message of one part is whole here, and a STOP is one. */
bool gateway_consent_read(const struct gateway *gateway, struct change_receive *receive, int64_t now_ms)
{
    const struct gateway_consent *config = &gateway->config.consent;
    enum consent consent;
    struct number number;

    if (!config->reads_words || receive->text == NULL || (receive->concat && receive->total > 1) || receive->port_bits != 0 ||
        TYPE_OF_NUMBER(receive->from_type) == TYPE_ALPHANUMERIC)
        return true;
    consent = consent_read(&config->words, receive->text, receive->text_length, receive->consent_word);
    if (consent == CONSENT_NONE)
        return true;
    if (!sender_read(receive->from, config->country, &number))
        return false;
    if (number.text[0] != '+')
        return true;
    receive->consent = consent;
    memcpy(receive->consent_number, number.text, sizeof number.text);
    /* A number that charges whoever writes to it gets no answer. */
    if (consent == CONSENT_STOP && config->confirmation != NULL && config->confirmation[0] != '\0' && number.kind != NUMBER_PREMIUM)
        return confirmation_fill(receive, config->confirmation, now_ms);
    return true;
}

void gateway_consent_waited(struct change_receive *receive, int64_t now_ms)
{
    if (receive->confirmation != NULL)
        receive->confirmation->messages[0].expire_ms = now_ms + CONFIRMATION_VALIDITY_MS;
}

void gateway_consent_done(struct gateway *gateway, const struct change_receive *receive, struct gateway_now now)
{
    if (receive->consent != CONSENT_STOP)
        return;
    gateway_opted_out(gateway, receive->consent_number, now);
    if (receive->confirmation != NULL && receive->confirmation->messages[0].state != 0)
        gateway_accepted(gateway, receive->confirmation, now);
}

/* They ask for a new intent, and are refused. Two numbers with one hash: the other's message goes a little later. */
void gateway_opted_out(struct gateway *gateway, const char *number, struct gateway_now now)
{
    uint32_t recipient = gateway_recipient_hash(number);

    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        struct gateway_slot *slot = gateway->slots[i];

        if (slot != NULL && slot->next.state == PART_DURABLE && slot->next.item.part_next == 0 && slot->next.recipient == recipient)
            gateway_take_back(gateway, slot, i, now);
    }
}
