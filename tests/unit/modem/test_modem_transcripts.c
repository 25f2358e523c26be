/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver against modems that answer as the logs of tests/transcripts say (README there, "Replay" 6): an exact
 * command gets its answer of the log, everything else OK in one run and ERROR in another. What the driver makes of it
 * is held against `expect`. The few commands without which no modem works (AT, PDU mode, card ready, registered) are
 * answered well unless the log answers them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/at/transcripts.h"
#include "tests/unit/modem/responder.h"

static struct dialogues all;

struct run {
    const struct dialogue *dialogue;
    struct responder *r;
    char pdu[512];
    int tpdu_length;            /* 0: the log sends nothing */
};

static bool is_octet_in(const struct octets *octets, char c)
{
    return memchr(octets->bytes, c, octets->length) != NULL;
}

/* The command as the responder sees it. */
static void command_of(const struct octets *tx, char *ret_command, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < tx->length && used + 1 < size; i++) {
        if (tx->bytes[i] != '\r' && tx->bytes[i] != '\n')
            ret_command[used++] = tx->bytes[i];
    }
    ret_command[used] = '\0';
}

static size_t first_send(const struct dialogue *dialogue)
{
    for (size_t i = 0; i < dialogue->step_count; i++) {
        if (dialogue->steps[i].kind == STEP_TX && strncmp(dialogue->steps[i].octets.bytes, "AT+CMGS=", 8) == 0)
            return i;
    }
    return dialogue->step_count;
}

/* The answers of the log's exchanges in steps [from, to). */
static void list_answers(struct run *run, size_t from, size_t to)
{
    const struct dialogue *dialogue = run->dialogue;

    for (size_t i = from; i < to; i++) {
        char command[512], text[4096];
        size_t length = 0, k = i + 1;
        uint64_t after_ms = 0;
        bool heard = false;

        if (dialogue->steps[i].kind != STEP_TX || is_octet_in(&dialogue->steps[i].octets, 0x1B))
            continue;
        command_of(&dialogue->steps[i].octets, command, sizeof command);
        for (; k < dialogue->step_count && dialogue->steps[k].kind != STEP_TX; k++) {
            const struct step *step = &dialogue->steps[k];

            if (!heard)
                after_ms += step->ms;
            if (step->kind == STEP_RX) {
                memcpy(text + length, step->octets.bytes, step->octets.length);
                length += step->octets.length;
                heard = true;
            }
        }
        answer_octets(run->r, command, heard ? text : NULL, length, after_ms);
    }
}

static void play(struct run *run, const struct dialogue *dialogue, const char *otherwise)
{
    static const char *const own[] = { "hang", "boot" };
    /* What a text-mode log sends is nothing we could: its other exchanges are answered all the same. */
    bool sends = strcmp(dialogue->mode, "pdu") == 0;
    size_t send = sends ? first_send(dialogue) : dialogue->step_count, leading = 0;
    struct responder *r = responder_new(NULL);

    *run = (struct run){ .dialogue = dialogue, .r = r };
    r->otherwise = otherwise;
    r->bare = true;
    r->store_at_once = true;
    r->echo = strncmp(dialogue->echo, "on", 2) == 0;
    for (size_t i = 0; i < 2; i++)
        r->use_up = r->use_up || strcmp(dialogue->topic, own[i]) == 0;
    list_answers(run, 0, send);
    open_line(r);
    run_for(r, 45000);   /* not to the next sweep: the log's modem deletes nothing */
    while (leading < dialogue->step_count && dialogue->steps[leading].kind == STEP_RX) {
        const struct step *step = &dialogue->steps[leading++];

        modem_feed(r->modem, (const uint8_t *)step->octets.bytes, step->octets.length, r->now_ms);
        take_output(r);
        run_for(r, 3000);
    }
    if (send < dialogue->step_count) {
        list_answers(run, send, dialogue->step_count);
        run->tpdu_length = atoi(dialogue->steps[send].octets.bytes + 8);
        for (size_t i = send + 1; i < dialogue->step_count && run->pdu[0] == '\0'; i++) {
            if (dialogue->steps[i].kind == STEP_TX)
                command_of(&dialogue->steps[i].octets, run->pdu, sizeof run->pdu);
        }
        run->pdu[strcspn(run->pdu, "\x1A")] = '\0';
        assert_int_equal(state_of(r), MODEM_READY);
        assert_int_equal(modem_send(r->modem, 1, run->pdu, (uint8_t)run->tpdu_length, r->now_ms), 0);
        take_output(r);
        run_for(r, 250000);
    }
}

/* ---------------------------------------------------------------------------------------- what must have come of it */

static bool check_result(const struct run *run, const json_t *value)
{
    const char *result = json_string_value(value);
    size_t sent = count_events(run->r, MODEM_EVENT_SENT), refused = count_events(run->r, MODEM_EVENT_REFUSED),
           unknown = count_events(run->r, MODEM_EVENT_UNKNOWN), not_sent = count_events(run->r, MODEM_EVENT_NOT_SENT);

    if (run->tpdu_length == 0)
        return sent + refused + unknown + not_sent == 0;
    if (sent + refused + unknown + not_sent != 1 || count_started(run->r, run->pdu) > 1)
        return false;
    if (strcmp(result, "sent") == 0)
        return sent == 1;
    if (strcmp(result, "failed") == 0)
        return refused == 1;
    if (strcmp(result, "sent, learned late") == 0)
        return unknown == 1 && count_events(run->r, MODEM_EVENT_LATE_SENT) == 1;
    return unknown == 1;
}

static bool check_mr(const struct run *run, const json_t *value)
{
    const struct seen *sent = last_event(run->r, MODEM_EVENT_SENT);

    if (sent == NULL)
        sent = last_event(run->r, MODEM_EVENT_LATE_SENT);

    return run->tpdu_length == 0 || (sent != NULL && sent->event.mr == json_integer_value(value));
}

static bool check_cms(const struct run *run, const json_t *value)
{
    const struct seen *refused = last_event(run->r, MODEM_EVENT_REFUSED);

    return run->tpdu_length == 0 ||
           (refused != NULL && refused->event.code == (json_is_null(value) ? -1 : json_integer_value(value)));
}

static bool check_sim(const struct run *run, const json_t *value)
{
    static const struct { const char *start; enum modem_reason reason; } words[] = {
        { "ready", MODEM_REASON_NONE }, { "pin", MODEM_REASON_PIN_NEEDED }, { "device lock", MODEM_REASON_SIM_LOCKED },
        { "lost", MODEM_REASON_NONE },   /* CPIN was not asked in that log; the card's other files fail */
    };
    enum modem_reason reason = reason_of(run->r);

    for (size_t i = 0; i < 4; i++) {
        if (strncmp(json_string_value(value), words[i].start, strlen(words[i].start)) != 0)
            continue;
        if (strcmp(json_string_value(value), "ready, then PIN needed again") == 0)
            return reason == MODEM_REASON_PIN_NEEDED &&
                   count_started(run->r, "AT+CPIN=") == 0; /* nobody gave us a PIN */
        return words[i].reason == MODEM_REASON_NONE
                   ? state_of(run->r) >= MODEM_REGISTERING && state_of(run->r) != MODEM_PARKED
                   : reason == words[i].reason;
    }
    return false;
}

static bool check_registered(const struct run *run, const json_t *value)
{
    if (json_is_string(value) && strcmp(json_string_value(value), "unknown") == 0)
        return state_of(run->r) == MODEM_REGISTERING && modem_status(run->r->modem)->registration == -1;
    if (json_is_string(value) && !modem_status(run->r->modem)->roaming)
        return false;
    if (run->dialogue->steps[0].kind == STEP_RX)   /* an unsolicited line on top of our own "registered" */
        return modem_status(run->r->modem)->registration != 1 || state_of(run->r) == MODEM_READY;
    return (state_of(run->r) == MODEM_READY) == !json_is_false(value);
}

static bool starts_with(const char *text, const json_t *value, size_t size)
{
    const char *expected = json_string_value(value);
    size_t length = strlen(expected) < size - 1 ? strlen(expected) : size - 1;

    return strncmp(text, expected, length) == 0;
}

static const struct modem_identity *identity(const struct run *run) { return &modem_status(run->r->modem)->identity; }

/* Logs that learn it by another command than we use (ATI, AT+GMM, AT+SIMCOMATI) tell the driver nothing. */
static bool asked(const struct run *run, const char *command)
{
    for (size_t i = 0; i < run->dialogue->step_count; i++) {
        if (run->dialogue->steps[i].kind == STEP_TX &&
            strncmp(run->dialogue->steps[i].octets.bytes, command, strlen(command)) == 0)
            return true;
    }
    return false;
}

static bool check_manufacturer(const struct run *run, const json_t *value)
{
    return starts_with(identity(run)->manufacturer, value, sizeof identity(run)->manufacturer);
}
static bool check_model(const struct run *run, const json_t *value)
{
    return !asked(run, "AT+CGMM") || starts_with(identity(run)->model, value, sizeof identity(run)->model);
}
static bool check_revision(const struct run *run, const json_t *value)
{
    return starts_with(identity(run)->revision, value, sizeof identity(run)->revision);
}
static bool check_imei(const struct run *run, const json_t *value)
{
    return !asked(run, "AT+GSN") || starts_with(identity(run)->imei, value, sizeof identity(run)->imei);
}
static bool check_imsi(const struct run *run, const json_t *value)
{
    return starts_with(identity(run)->imsi, value, sizeof identity(run)->imsi);
}
static bool check_iccid(const struct run *run, const json_t *value)
{
    return asked(run, "AT+CCID?") || starts_with(identity(run)->iccid, value, sizeof identity(run)->iccid);
}

static bool check_smsc(const struct run *run, const json_t *value)
{
    const char *smsc = modem_status(run->r->modem)->smsc;

    if (json_is_null(value))
        return smsc[0] == '\0';
    return json_string_value(value)[0] == '+' ? strcmp(smsc, json_string_value(value)) == 0 : smsc[0] == '+';
}

static bool check_operator(const struct run *run, const json_t *value)
{
    return strcmp(modem_status(run->r->modem)->operator_name, json_string_value(value)) == 0;
}

static bool was_handed_over(const struct run *run, enum modem_event_kind kind, const char *pdu)
{
    for (size_t i = 0; i < run->r->seen_count; i++) {
        if (run->r->seen[i].event.kind == kind && strcmp(run->r->seen[i].pdu, pdu) == 0)
            return true;
    }
    return false;
}

static bool check_messages(const struct run *run, const json_t *value)
{
    size_t i, handed_over = count_events(run->r, MODEM_EVENT_DELIVER);
    json_t *one;

    if (json_is_integer(value))
        return handed_over == 0;
    json_array_foreach(value, i, one) {
        if (!was_handed_over(run, MODEM_EVENT_DELIVER, json_text(one, "pdu")))
            return false;
    }
    if (json_array_size(value) == 0)   /* nothing came, so nothing may be deleted */
        return handed_over == 0 && count_started(run->r, "AT+CMGD") == 0;
    return handed_over == json_array_size(value);
}

static bool check_messages_count(const struct run *run, const json_t *value)
{
    return count_events(run->r, MODEM_EVENT_DELIVER) + count_events(run->r, MODEM_EVENT_REPORT) ==
           (size_t)json_integer_value(value);
}

static bool check_report(const struct run *run, const json_t *value)
{
    if (json_is_string(value))
        return count_events(run->r, MODEM_EVENT_REPORT) + count_events(run->r, MODEM_EVENT_DELIVER) == 0 &&
               count_started(run->r, "AT+CMGD") == 0;
    return was_handed_over(run, MODEM_EVENT_REPORT, json_text(value, "pdu"));
}

static const struct { const char *key; bool (*check)(const struct run *, const json_t *);
} checks[] = {
    { "result", check_result },
    { "mr", check_mr },
    { "cms", check_cms },
    { "sim", check_sim },
    { "registered", check_registered },
    { "manufacturer", check_manufacturer },
    { "model", check_model },
    { "revision", check_revision },
    { "imei", check_imei },
    { "imsi", check_imsi },
    { "iccid", check_iccid },
    { "smsc", check_smsc },
    { "operator", check_operator },
    { "messages", check_messages },
    { "received", check_messages },
    { "messages_count", check_messages_count },
    { "report", check_report },
};

static bool is_for_us(const struct dialogue *dialogue)
{
    static const char *const any_mode[] = { "identify", "pin", "registration", "signal", "storage" };
    static const char *const pdu_mode[] = { "send-ok", "send-error", "prompt", "hang", "receive", "report",
                                            "list",    "smsc",       "init",   "echo", "boot",    "urc" };

    for (size_t i = 0; i < sizeof any_mode / sizeof any_mode[0]; i++) {
        if (strcmp(dialogue->topic, any_mode[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof pdu_mode / sizeof pdu_mode[0]; i++) {
        if (strcmp(dialogue->topic, pdu_mode[i]) == 0)
            return strcmp(dialogue->mode, "pdu") == 0;
    }
    return false;
}

static void driver_makes_of_every_log_what_it_means(const char *otherwise)
{
    size_t dialogues = 0, facts = 0, wrong = 0;

    for (size_t i = 0; i < all.count; i++) {
        const struct dialogue *dialogue = &all.dialogue[i];
        struct run run;

        if (!is_for_us(dialogue))
            continue;
        dialogues++;
        play(&run, dialogue, otherwise);
        for (size_t k = 0; k < sizeof checks / sizeof checks[0]; k++) {
            const json_t *value = json_object_get(dialogue->expect, checks[k].key);

            if (value == NULL)
                continue;
            facts++;
            if (!checks[k].check(&run, value)) {
                char *text = json_dumps(value, JSON_ENCODE_ANY);

                print_error("%s: %s is not %s (%s, %s)\n", dialogue->id, checks[k].key, text,
                            modem_state_name(state_of(run.r)), modem_reason_code(reason_of(run.r)));
                free(text);
                wrong++;
            }
        }
        responder_free(run.r);
    }
    print_message("%zu dialogues, %zu facts\n", dialogues, facts);
    assert_int_equal(wrong, 0);
    assert_true(dialogues >= 77 && facts >= 74);
}

static void the_driver_does_right_by_modems_that_take_everything_else(void **state)
{
    (void)state;
    driver_makes_of_every_log_what_it_means(OK_LINE);
}

static void the_driver_does_right_by_modems_that_refuse_everything_else(void **state)
{
    (void)state;
    driver_makes_of_every_log_what_it_means("\r\nERROR\r\n");
}

static int load(void **state)
{
    (void)state;
    all = dialogues_load();
    return 0;
}

static int unload(void **state)
{
    (void)state;
    dialogues_free(&all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_driver_does_right_by_modems_that_take_everything_else),
        cmocka_unit_test(the_driver_does_right_by_modems_that_refuse_everything_else),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
