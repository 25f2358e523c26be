/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that runs out at the first, second, third ... allocation through the life of some messages, in the gateway and the
 * store: once, or until the last of them. Whatever fails: what was accepted is not lost, nothing goes on the air twice, what
 * the modem was told to forget is on disk, everybody has an answer, and after the next start no intent is left open. */
#include "tests/unit/gateway/rig.h"

#include "tests/unit/faulty_memory.h"

/* TP-MR 17, to +40700000001, taken by the service centre at the rig's start. */
#define REPORT_MR17_NOW "0006110B910407000000F1629012413102006290124131020000"
#define MR_REPORTED 17
#define CMS_TEMPORARY_FAILURE 41

static const struct rig_text texts[] = {
    { .text = "reported", .to = "+40700000001" },
    { .text = "lost", .to = "+40700000002" },
    { .text = "refused", .to = "+40700000003" },
    { .text = "first2nd", .to = "+40700000004", .parts = 2, .cuts = { 5, 3 } },
    { .text = "cancelled", .to = "+40700000005" },
    { .text = "behind", .to = "+40700000006" },
};
#define TEXTS (sizeof texts / sizeof *texts)

/* What goes on the air. */
static const char *const parts[] = { "reported", "lost", "refused", "first", "2nd", "cancelled", "behind" };
#define PARTS (sizeof parts / sizeof *parts)

static const char *const incoming[] = {
    "07911326040000F0040B911346610089F60000208062917314480CC8F71D14969741F977FD07",
    "00440B913306100726F200085210719120348008050003010201" "0041",
    "00440B913306100726F200085210719120348008050003010202" "0042",
    "0791AABB",
    REPORT_MR17_NOW,
};
#define INCOMING (sizeof incoming / sizeof *incoming)

struct life {
    struct rig *rig;
    size_t answered;                     /* of rig->sent */
    uint32_t on_air[PARTS];
    bool refused[PARTS];
    int64_t ids[TEXTS];                  /* 0: not accepted */
    uint32_t submits;
    bool cancelled;
};

static void witness_looks(bool begins)
{
    static bool armed;

    if (begins)
        armed = memory.armed;
    memory.armed = !begins && armed;
}

static size_t part_of(const struct sms_tpdu *tpdu)
{
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(tpdu->text, parts[i]) == 0)
            return i;
    fail_msg("nobody wrote \"%s\"", tpdu->text);
    return 0;
}

/* The network's view: a part that was refused did not go. */
static void air_answers(struct life *life)
{
    struct rig *rig = life->rig;

    while (life->answered < rig->sent_count) {
        size_t at = life->answered++, part = part_of(&rig->sent[at].tpdu);

        if ((strcmp(parts[part], "refused") == 0 || strcmp(parts[part], "2nd") == 0) && !life->refused[part]) {
            life->refused[part] = true;
            rig_result(rig, at, GATEWAY_REFUSED, -1, CMS_TEMPORARY_FAILURE);
            continue;
        }
        life->on_air[part]++;
        if (strcmp(parts[part], "lost") == 0) {
            rig_result(rig, at, GATEWAY_UNKNOWN, -1, -1);
            gateway_slot_ready(rig->gateway, rig->sent[at].slot, true, rig->now);
        } else {
            rig_result(rig, at, GATEWAY_SENT, part == 0 ? MR_REPORTED : 100 + (int)part, -1);
        }
    }
    rig_commit(rig);
}

static void pass(struct life *life, int64_t ms, int times)
{
    for (int i = 0; i < times; i++) {
        rig_pass_ms(life->rig, ms);
        air_answers(life);
    }
}

static bool is_stored(const struct rig *rig, uint32_t handle)
{
    for (size_t i = 0; i < rig->stored_count; i++)
        if (rig->stored[i] == handle)
            return true;
    return false;
}

/* As a modem does: what it was not told to forget it gives again. */
static void modem_gives(struct rig *rig)
{
    for (uint32_t i = 0; i < INCOMING; i++) {
        if (is_stored(rig, i + 1))
            continue;
        if (i + 1 == INCOMING)
            gateway_report(rig->gateway, 0, incoming[i], strlen(incoming[i]), i + 1, rig->now);
        else
            gateway_received(rig->gateway, 0, incoming[i], strlen(incoming[i]), i + 1, rig->now);
        rig_commit(rig);
    }
}

static void submit_all(struct life *life)
{
    struct rig *rig = life->rig;
    struct store_change *accepts[TEXTS], *cancel;

    memory.armed = false;                /* what the caller makes is not tested here */
    for (size_t i = 0; i < TEXTS; i++)
        accepts[i] = rig_new_accept(rig, texts[i]);
    cancel = change_new(CHANGE_CANCEL, rig->now.wall_ms);
    cancel->waiter = rig;
    memory.armed = true;
    for (size_t i = 0; i < TEXTS; i++) {
        rig->last_id = 0;
        gateway_submit(rig->gateway, accepts[i], rig->now);
        life->submits++;
        rig_commit(rig);
        life->ids[i] = rig->last_id;
        if (strcmp(texts[i].text, "cancelled") == 0) {
            cancel->u.cancel.message_id = life->ids[i];
            gateway_submit(rig->gateway, cancel, rig->now);
            life->submits++;
            rig_commit(rig);
            life->cancelled = rig->last_result == 0;
        }
    }
}

static void see_open_intent(void *context, const struct attempt_row *row)
{
    *(uint32_t *)context += row->state == ATTEMPT_INTENT;
}

static void see_inbox(void *context, const struct inbox_row *row)
{
    uint32_t *rows = context;

    rows[row->problem[0] != '\0' ? 2 : strcmp(row->text, "AB") == 0 ? 1 : 0]++;
}

static void assert_promise(struct life *life)
{
    struct rig *rig = life->rig;
    struct inbox_filter inbox = { .limit = 100 };
    uint32_t open = 0, rows[3] = { 0 };

    assert_int_equal(rig->answers, life->submits);
    for (size_t i = 0; i < PARTS; i++)
        assert_true(life->on_air[i] <= 1);
    for (size_t i = 0; i < TEXTS; i++) {
        size_t part = i <= 3 ? i : i + 1;
        enum message_state state;

        if (life->ids[i] == 0) {
            assert_int_equal(life->on_air[part], 0);
            continue;
        }
        state = rig_state(rig, life->ids[i]);
        assert_int_equal(store_read_attempts(rig->reader, life->ids[i], see_open_intent, &open), 0);
        if (strcmp(texts[i].text, "cancelled") == 0 && life->cancelled) {
            assert_int_equal(state, MESSAGE_CANCELLED);
            assert_int_equal(life->on_air[part], 0);
        } else if (state == MESSAGE_SENT || state == MESSAGE_DELIVERED) {
            assert_int_equal(life->on_air[part], 1);
            assert_true(i != 3 || life->on_air[part + 1] == 1);
        } else {
            assert_true(state == MESSAGE_UNKNOWN || state == MESSAGE_HELD);
        }
        if (i == 0)
            assert_int_equal(state == MESSAGE_SENT, 0);      /* its report was taken */
        if (strcmp(texts[i].text, "lost") == 0)
            assert_true(state == MESSAGE_UNKNOWN || state == MESSAGE_HELD);
    }
    assert_int_equal(open, 0);
    for (uint32_t i = 0; i < INCOMING; i++)
        assert_true(is_stored(rig, i + 1));
    assert_int_equal(store_read_inbox(rig->reader, &inbox, see_inbox, rows), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rows[i], 1);
}

/* Hundreds of lives: on a file system without a disk where there is one. */
static const char *folder(void) { return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp"; }

/* False where the n-th allocation is beyond the end. */
static bool live(enum memory_lack lack, uint64_t fail_at, uint32_t *ret_undisturbed)
{
    struct life life = { .rig = rig_new_in(folder()) };
    struct rig *rig = life.rig;
    bool fired;

    rig->witness_looks = witness_looks;
    memory_fail(MEMORY_OWN, lack, fail_at);
    rig_modem(rig, 0);
    submit_all(&life);
    pass(&life, 3000, 2);
    modem_gives(rig);
    pass(&life, 5000, 12);
    fired = memory_works();
    pass(&life, 30000, 10);

    life.answered = 0;
    rig_restart(rig);
    rig_modem(rig, 0);
    modem_gives(rig);
    pass(&life, 30000, 10);
    assert_promise(&life);
    for (size_t i = 0; i < TEXTS; i++)
        *ret_undisturbed += life.ids[i] != 0 && rig_state(rig, life.ids[i]) != MESSAGE_UNKNOWN;
    rig_free(rig);
    return fired;
}

static void live_with(enum memory_lack lack, uint64_t stride)
{
    uint32_t undisturbed = 0;
    uint64_t n = 1;

    while (live(lack, n, &undisturbed))
        n += stride;
    print_message("%llu allocations\n", (unsigned long long)n);
    assert_true(n > 50);                 /* it did run out, in many places */
    assert_true(undisturbed > n / stride);
}

static void an_allocation_that_fails_loses_nothing_and_sends_nothing_twice(void **state)
{
    (void)state;
    live_with(MEMORY_ONCE, 1);
}

static void no_memory_for_a_while_loses_nothing_and_sends_nothing_twice(void **state)
{
    (void)state;
    live_with(MEMORY_FOR_GOOD, 5);
}

/* The row of the card that is in now is asked for when there is memory; until then nothing is booked on the one before. */
static void a_card_that_comes_in_without_memory_is_not_taken_for_the_one_before(void **state)
{
    static const struct change_sim other = { .iccid = "8940111111111111111", .imei = "350000000000000" };
    struct rig *rig = rig_new_in(folder());
    struct inbox_row row;

    (void)state;
    rig_modem(rig, 0);
    memory_fail(MEMORY_OWN, MEMORY_FOR_GOOD, 1);
    gateway_slot_sim(rig->gateway, 0, "port", &other, rig->now);
    assert_true(memory_works());
    gateway_received(rig->gateway, 0, incoming[0], strlen(incoming[0]), 1, rig->now);
    rig_submit(rig, (struct rig_text){ .text = "hello" });
    rig_commit(rig);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.iccid, other.iccid);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void a_modem_that_finds_no_memory_is_taken_when_it_is_announced_again(void **state)
{
    struct rig *rig = rig_new_in(folder());

    (void)state;
    memory_fail(MEMORY_OWN, MEMORY_FOR_GOOD, 1);
    rig_modem(rig, 0);
    assert_true(memory_works());
    rig_submit(rig, (struct rig_text){ .text = "hello" });
    gateway_received(rig->gateway, 0, incoming[0], strlen(incoming[0]), 1, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 0);   /* it stays with the modem */
    assert_int_equal(rig->sent_count, 0);
    rig_modem(rig, 0);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

/* STOP from +40722000001. */
static const char stop[] = "00040B910427020000F10000621112010000000453EA130A";

/* The network takes all that is sent. */
static void air_takes(struct rig *rig, size_t *at)
{
    for (; *at < rig->sent_count; (*at)++) {
        assert_string_equal(rig->sent[*at].tpdu.text, "Bye");
        rig_result(rig, *at, GATEWAY_SENT, 7, -1);
        rig_commit(rig);
    }
}

static void count_rows(void *context, const struct inbox_row *row)
{
    (void)row;
    ++*(uint32_t *)context;
}

/* False where the n-th allocation is beyond the end. */
static bool a_stop_comes(enum memory_lack lack, uint64_t fail_at)
{
    struct rig *rig = rig_new_in(folder());
    struct inbox_filter inbox = { .limit = 100 };
    uint64_t listed = 0;
    size_t at = 0, sent;
    uint32_t rows = 0;
    bool fired;

    rig->consent = (struct gateway_consent){ .reads_words = true, .confirmation = "Bye" };
    rig_restart(rig);
    rig_modem(rig, 0);
    rig->witness_looks = witness_looks;
    memory_fail(MEMORY_OWN, lack, fail_at);
    gateway_received(rig->gateway, 0, stop, strlen(stop), 1, rig->now);
    rig_commit(rig);
    for (int i = 0; i < 3; i++) {
        rig_pass_ms(rig, 1001);
        air_takes(rig, &at);
    }
    fired = memory_works();
    for (int i = 0; i < 3; i++) {
        if (!is_stored(rig, 1))
            gateway_received(rig->gateway, 0, stop, strlen(stop), 1, rig->now);
        rig_commit(rig);
        rig_pass_ms(rig, 1001);
        air_takes(rig, &at);
    }
    sent = at;
    rig_restart(rig);                    /* finds what there was no memory to queue */
    rig_modem(rig, 0);
    at = 0;
    air_takes(rig, &at);
    rig_pass_ms(rig, 1001);
    assert_true(is_stored(rig, 1));
    assert_int_equal(sent + at, 1);
    assert_int_equal(store_read_opt_out_count(rig->reader, &listed), 0);
    assert_int_equal(listed, 1);
    assert_int_equal(store_read_inbox(rig->reader, &inbox, count_rows, &rows), 0);
    assert_int_equal(rows, 1);
    rig_free(rig);
    return fired;
}

static void a_stop_without_memory_is_neither_forgotten_nor_confirmed_twice(void **state)
{
    static const enum memory_lack lacks[] = { MEMORY_ONCE, MEMORY_FOR_GOOD };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint64_t n = 1;

        while (a_stop_comes(lacks[i], n))
            n++;
        assert_true(n > 10);
    }
}

/* The row of the card is asked for late, the clock is set meanwhile: by the time of then the answer would be over. */
static void a_stop_that_waits_for_its_card_while_the_clock_is_set_is_answered(void **state)
{
    static const struct change_sim card = { .iccid = "8940111111111111111", .imei = "350000000000000" };
    struct rig *rig = rig_new_in(folder());
    struct message_row row;

    (void)state;
    rig->consent = (struct gateway_consent){ .reads_words = true, .confirmation = "Bye" };
    rig_restart(rig);
    memory_fail(MEMORY_OWN, MEMORY_FOR_GOOD, 2);   /* the slot, but no change */
    gateway_slot_sim(rig->gateway, 0, "port", &card, rig->now);
    assert_true(memory_works());
    gateway_received(rig->gateway, 0, stop, strlen(stop), 1, rig->now);
    rig->now.wall_ms += 10 * INT64_C(86400000);
    gateway_slot_ready(rig->gateway, 0, true, rig->now);
    rig_pass_ms(rig, 1);
    assert_true(is_stored(rig, 1));
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(store_read_message(rig->reader, 1, &row), 0);
    assert_int_equal(row.expire_ms - rig->now.wall_ms, 86400000);
    rig_free(rig);
}

static void a_gateway_without_memory_does_not_start(void **state)
{
    struct gateway_config config = { .window = 0 };

    (void)state;
    memory_fail(MEMORY_OWN, MEMORY_ONCE, 1);
    assert_null(gateway_new(&config));
    assert_true(memory_works());
    gateway_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allocation_that_fails_loses_nothing_and_sends_nothing_twice),
        cmocka_unit_test(no_memory_for_a_while_loses_nothing_and_sends_nothing_twice),
        cmocka_unit_test(a_card_that_comes_in_without_memory_is_not_taken_for_the_one_before),
        cmocka_unit_test(a_modem_that_finds_no_memory_is_taken_when_it_is_announced_again),
        cmocka_unit_test(a_stop_without_memory_is_neither_forgotten_nor_confirmed_twice),
        cmocka_unit_test(a_stop_that_waits_for_its_card_while_the_clock_is_set_is_answered),
        cmocka_unit_test(a_gateway_without_memory_does_not_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
