/* SPDX-License-Identifier: Apache-2.0
 *
 * Incoming PDUs, cards, keys. */
#include "store_testing.h"

static struct store_change *new_receive(const struct bench *bench, const char *pdu, const char *from, const char *text)
{
    struct store_change *change = change_new(CHANGE_RECEIVE, bench->now_ms);
    struct change_receive *receive = &change->u.receive;

    receive->sim_id = 1;
    receive->modem_id = 1;
    receive->pdu_hex = strdup(pdu);
    snprintf(receive->from, sizeof receive->from, "%s", from);
    receive->from_type = 0x91;
    receive->text = text != NULL ? strdup(text) : NULL;
    receive->text_length = text != NULL ? (uint32_t)strlen(text) : 0;
    receive->message_class = -1;
    receive->scts_ms = bench->now_ms / 1000 * 1000;
    receive->tz_quarters = 8;
    return change;
}

/* Part seq of total under reference ref; the PDU is made of all that, so equal parts have equal PDUs. */
static struct store_change *new_part(const struct bench *bench, uint16_t ref, uint8_t total, uint8_t seq, const char *text)
{
    char pdu[64];
    struct store_change *change;

    snprintf(pdu, sizeof pdu, "%04X%02X%02X%08llX", ref, total, seq, (unsigned long long)(bench->now_ms / 1000));
    change = new_receive(bench, pdu, "+40700123456", text);
    change->u.receive.concat = true;
    change->u.receive.ref = ref;
    change->u.receive.ref_bits = 8;
    change->u.receive.total = total;
    change->u.receive.seq = seq;
    return change;
}

/* The inbox id; 0: waits; -1: a duplicate. */
static int64_t receive(struct bench *bench, struct store_change *change)
{
    int64_t id;

    assert_int_equal(apply(bench, change), 0);
    id = change->u.receive.duplicate ? -1 : change->u.receive.inbox_id;
    if (change->u.receive.duplicate)
        assert_int_equal(change->u.receive.inbox_id, 0);
    change_free(change);
    return id;
}

static void an_incoming_message_is_kept_with_all_it_says(void **state)
{
    struct bench *bench = *state;
    struct store_change *sim = change_new(CHANGE_SIM, bench->now_ms);
    struct inbox_row row;
    int64_t id;

    strcpy(sim->u.sim.iccid, "8940012345678901234");
    strcpy(sim->u.sim.imei, "356938035643809");
    assert_int_equal(apply(bench, sim), 0);
    assert_int_equal(sim->u.sim.sim_id, 1);
    change_free(sim);
    id = receive(bench, new_receive(bench, "07911326040000F0", "+40700123456", "hello"));
    assert_true(id > 0);
    assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
    assert_string_equal(row.text, "hello");
    assert_string_equal(row.from, "+40700123456");
    assert_string_equal(row.iccid, "8940012345678901234");
    assert_string_equal(row.imei, "356938035643809");
    assert_string_equal(row.problem, "");
    assert_string_equal(row.pdu_hex, "07911326040000F0");
    assert_int_equal(row.parts, 1);
    assert_int_equal(row.tz_quarters, 8);
    assert_int_equal(row.received_ms, T0);
    assert_int_equal(row.scts_ms, T0);
    assert_null(row.data);
    assert_int_equal(store_read_inbox_one(bench->reader, id + 1, &row), -ENOENT);
}

static void the_same_pdu_of_the_same_sim_is_taken_once(void **state)
{
    struct bench *bench = *state;
    struct store_change *other = new_receive(bench, "07AB", "+40700123456", "hello");

    assert_true(receive(bench, new_receive(bench, "07AB", "+40700123456", "hello")) > 0);
    assert_int_equal(receive(bench, new_receive(bench, "07ab", "+40700123456", "hello")), -1);
    other->u.receive.sim_id = 2;
    assert_true(receive(bench, other) > 0);
    bench_reopen(bench);
    assert_int_equal(receive(bench, new_receive(bench, "07AB", "+40700123456", "hello")), -1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM inbox"), 2);
}

static void what_cannot_be_decoded_is_kept_as_it_came(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_receive(bench, "07AB,garbage", "", NULL);
    struct inbox_row row;
    int64_t id;

    strcpy(change->u.receive.problem, "not a PDU");
    id = receive(bench, change);
    assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
    assert_null(row.text);
    assert_string_equal(row.problem, "not a PDU");
    assert_string_equal(row.pdu_hex, "07AB,garbage");
    assert_int_equal(receive(bench, new_receive(bench, "07AB,garbage", "", NULL)), -1);
}

static void eight_bit_data_with_its_ports_is_kept_octet_by_octet(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_receive(bench, "07AC", "+40700123456", NULL);
    struct inbox_row row;
    int64_t id;

    change->u.receive.data = malloc(4);
    memcpy(change->u.receive.data, "\0\x01\xFF\0", 4);
    change->u.receive.data_length = 4;
    change->u.receive.alphabet = 1;
    change->u.receive.port_bits = 16;
    change->u.receive.port_dst = 2948;
    change->u.receive.port_src = 9200;
    id = receive(bench, change);
    assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
    assert_null(row.text);
    assert_int_equal(row.data_length, 4);
    assert_memory_equal(row.data, "\0\x01\xFF\0", 4);
    assert_int_equal(row.port_bits, 16);
    assert_int_equal(row.port_dst, 2948);
    assert_int_equal(row.port_src, 9200);
}

static void the_parts_of_a_message_make_one_in_any_order_and_across_a_restart(void **state)
{
    static const uint8_t orders[6][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 }, { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };
    static const char *const texts[] = { "one ", "two ", "three" };
    struct bench *bench = *state;

    for (uint16_t i = 0; i < 6; i++) {
        struct inbox_row row;
        char first_pdu[64];
        int64_t id;

        snprintf(first_pdu, sizeof first_pdu, "%04X0301%08llX", i, (unsigned long long)(bench->now_ms / 1000));
        assert_int_equal(receive(bench, new_part(bench, i, 3, orders[i][0], texts[orders[i][0] - 1])), 0);
        bench_reopen(bench);
        assert_int_equal(receive(bench, new_part(bench, i, 3, orders[i][1], texts[orders[i][1] - 1])), 0);
        assert_int_equal(receive(bench, new_part(bench, i, 3, orders[i][0], texts[orders[i][0] - 1])), -1);
        id = receive(bench, new_part(bench, i, 3, orders[i][2], texts[orders[i][2] - 1]));
        assert_true(id > 0);
        assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
        assert_string_equal(row.text, "one two three");
        assert_int_equal(row.parts, 3);
        assert_string_equal(row.pdu_hex, first_pdu);
        assert_int_equal(receive(bench, new_part(bench, i, 3, 2, "two ")), -1);
    }
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM inbox"), 6);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM inbox_part WHERE inbox_id IS NULL"), 0);
}

static void a_character_cut_between_two_parts_becomes_whole_again(void **state)
{
    struct bench *bench = *state;
    struct inbox_row row;
    int64_t id;

    /* U+1F600 as two halves, each three octets (sms_pdu.h) */
    assert_int_equal(receive(bench, new_part(bench, 1, 2, 1, "a\xED\xA0\xBD")), 0);
    id = receive(bench, new_part(bench, 1, 2, 2, "\xED\xB8\x80z"));
    assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
    assert_string_equal(row.text, "a\xF0\x9F\x98\x80z");
    id = receive(bench, new_receive(bench, "0B", "+40700123456", "a\xED\xA0\xBD"));
    assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
    assert_string_equal(row.text, "a\xEF\xBF\xBD");       /* alone it is none: U+FFFD */
}

static void data_in_parts_is_joined_octet_by_octet(void **state)
{
    struct bench *bench = *state;
    struct inbox_row row;
    int64_t id = 0;

    for (uint8_t seq = 2; seq >= 1; seq--) {
        struct store_change *change = new_part(bench, 9, 2, seq, NULL);

        change->u.receive.data = malloc(2);
        change->u.receive.data[0] = 0;
        change->u.receive.data[1] = seq;
        change->u.receive.data_length = 2;
        id = receive(bench, change);
    }
    assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
    assert_null(row.text);
    assert_int_equal(row.data_length, 4);
    assert_memory_equal(row.data, "\0\1\0\2", 4);
}

static void parts_of_other_senders_references_and_times_do_not_mix(void **state)
{
    struct bench *bench = *state;
    struct store_change *other = new_part(bench, 1, 2, 2, "x"), *wide = new_part(bench, 1, 2, 2, "x");
    struct inbox_row row;
    int64_t id;

    strcpy(other->u.receive.from, "+40700999999");
    free(other->u.receive.pdu_hex);
    other->u.receive.pdu_hex = strdup("01");
    free(wide->u.receive.pdu_hex);
    wide->u.receive.pdu_hex = strdup("02");
    wide->u.receive.ref_bits = 16;
    assert_int_equal(receive(bench, new_part(bench, 1, 2, 1, "old ")), 0);
    assert_int_equal(receive(bench, other), 0);
    assert_int_equal(receive(bench, wide), 0);
    assert_int_equal(receive(bench, new_part(bench, 1, 3, 2, "x")), 0);
    assert_int_equal(receive(bench, new_part(bench, 2, 2, 2, "x")), 0);
    bench->now_ms += 12 * HOUR_MS;                        /* the sender uses the reference again */
    assert_int_equal(receive(bench, new_part(bench, 1, 2, 2, "new")), 0);
    id = receive(bench, new_part(bench, 1, 2, 1, "this is "));
    assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
    assert_string_equal(row.text, "this is new");
}

static void parts_that_arrive_hours_apart_belong_together_by_their_time_stamps(void **state)
{
    struct bench *bench = *state;
    struct store_change *late;

    assert_int_equal(receive(bench, new_part(bench, 1, 2, 1, "one ")), 0);
    late = new_part(bench, 1, 2, 2, "two");
    bench->now_ms += 12 * HOUR_MS;                        /* the second part stayed in the modem */
    late->now_ms = bench->now_ms;
    assert_true(receive(bench, late) > 0);
}

static void a_concatenation_element_that_contradicts_itself_is_ignored(void **state)
{
    struct bench *bench = *state;

    assert_true(receive(bench, new_part(bench, 1, 2, 3, "a")) > 0);
    assert_true(receive(bench, new_part(bench, 1, 2, 0, "b")) > 0);
    assert_true(receive(bench, new_part(bench, 1, 0, 0, "c")) > 0);
    assert_true(receive(bench, new_part(bench, 1, 1, 1, "d")) > 0);
}

static void a_message_whose_parts_never_came_is_given_out_after_a_day(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;
    struct inbox_row row;

    assert_int_equal(receive(bench, new_part(bench, 1, 3, 3, "three")), 0);
    bench->now_ms += MINUTE_MS;
    assert_int_equal(receive(bench, new_part(bench, 1, 3, 1, "one ")), 0);
    bench->now_ms = T0 + 24 * HOUR_MS - 1;
    change = due(bench, 10);
    assert_int_equal(change->u.due.inbox_count, 0);
    assert_int_equal(change->u.due.next_ms, T0 + 24 * HOUR_MS);
    change_free(change);
    bench->now_ms += 1;
    change = due(bench, 10);
    assert_int_equal(change->u.due.inbox_count, 1);
    assert_int_equal(store_read_inbox_one(bench->reader, change->u.due.inbox[0], &row), 0);
    assert_string_equal(row.text, "one three");
    assert_string_equal(row.problem, "parts 1,3 of 3");
    assert_int_equal(row.parts, 3);
    assert_int_equal(change->u.due.next_ms, INT64_MAX);
    change_free(change);
}

static void a_part_that_came_twice_is_not_left_over(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;

    assert_int_equal(receive(bench, new_part(bench, 1, 2, 1, "one ")), 0);
    bench->now_ms += 5000;                                /* once more, with another time stamp */
    assert_int_equal(receive(bench, new_part(bench, 1, 2, 1, "one ")), 0);
    assert_true(receive(bench, new_part(bench, 1, 2, 2, "two")) > 0);
    bench->now_ms += 48 * HOUR_MS;
    change = due(bench, 10);
    assert_int_equal(change->u.due.inbox_count, 0);
    change_free(change);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM inbox"), 1);
}

static void the_longest_message_there_is_comes_together(void **state)
{
    struct bench *bench = *state;
    struct inbox_row row;
    char text[4];
    int64_t id = 0;

    for (int seq = 255; seq >= 1; seq--) {
        assert_int_equal(id, 0);
        snprintf(text, sizeof text, "%03d", seq);
        id = receive(bench, new_part(bench, 1, 255, (uint8_t)seq, text));
    }
    assert_int_equal(store_read_inbox_one(bench->reader, id, &row), 0);
    assert_int_equal(strlen(row.text), 765);
    assert_memory_equal(row.text + 762, "255", 3);
}

/* -- lists ------------------------------------------------------------------------------------------------------- */

struct ids { uint32_t count; int64_t of[8]; };

static void ids_add(void *context, const struct inbox_row *row)
{
    struct ids *ids = context;

    assert_true(ids->count < 8 && row->pdu_hex[0] != '\0');
    ids->of[ids->count++] = row->id;
}

static struct ids inbox(struct bench *bench, struct inbox_filter filter)
{
    struct ids ids = { 0 };

    filter.limit = filter.limit != 0 ? filter.limit : 8;
    assert_int_equal(store_read_inbox(bench->reader, &filter, ids_add, &ids), 0);
    return ids;
}

static void the_inbox_is_filtered_and_paged_both_ways(void **state)
{
    struct bench *bench = *state;
    int64_t a = receive(bench, new_receive(bench, "01", "+40700123456", "a")), b, c;
    struct ids ids;

    bench->now_ms += 1000;
    b = receive(bench, new_receive(bench, "02", "Bank", "b"));
    bench->now_ms += 1000;
    c = receive(bench, new_receive(bench, "03", "+40700123456", "c"));
    ids = inbox(bench, (struct inbox_filter){ 0 });
    assert_true(ids.count == 3 && ids.of[0] == c && ids.of[1] == b && ids.of[2] == a);
    ids = inbox(bench, (struct inbox_filter){ .before_id = c, .limit = 1 });
    assert_true(ids.count == 1 && ids.of[0] == b);
    ids = inbox(bench, (struct inbox_filter){ .after_id = a, .oldest_first = true });
    assert_true(ids.count == 2 && ids.of[0] == b && ids.of[1] == c);
    ids = inbox(bench, (struct inbox_filter){ .from = "+40700123456" });
    assert_true(ids.count == 2 && ids.of[0] == c && ids.of[1] == a);
    ids = inbox(bench, (struct inbox_filter){ .from = "+40700123456", .since_ms = T0 + 1 });
    assert_true(ids.count == 1 && ids.of[0] == c);
}

struct sims { uint32_t count; struct sim_row of[4]; char imei[32], imsi[32]; };

static void sims_add(void *context, const struct sim_row *row)
{
    struct sims *sims = context;

    assert_true(sims->count < 4);
    snprintf(sims->imei, sizeof sims->imei, "%s", row->imei_last);
    snprintf(sims->imsi, sizeof sims->imsi, "%s", row->imsi);
    sims->of[sims->count++] = *row;
}

static void a_card_keeps_its_row_when_it_moves_to_another_modem(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = change_new(CHANGE_SIM, bench->now_ms);
    struct sims sims = { 0 };
    uint32_t sim_id, modem_id;

    strcpy(change->u.sim.iccid, "8940012345678901234");
    strcpy(change->u.sim.imsi, "226051234567890");
    strcpy(change->u.sim.imei, "356938035643809");
    assert_int_equal(apply(bench, change), 0);
    sim_id = change->u.sim.sim_id;
    modem_id = change->u.sim.modem_id;
    assert_true(sim_id > 0 && modem_id > 0);
    change->now_ms = T0 + 5000;
    strcpy(change->u.sim.imei, "356938035643817");
    change->u.sim.imsi[0] = '\0';
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.sim.sim_id, sim_id);
    assert_int_not_equal(change->u.sim.modem_id, modem_id);
    finish(bench, intend(bench, accept_one(bench, "+40700123456"), 0, sim_id), ATTEMPT_SENT, 1);
    assert_int_equal(store_read_sims(bench->reader, sims_add, &sims), 0);
    assert_int_equal(sims.count, 1);
    assert_int_equal(sims.of[0].first_seen_ms, T0);
    assert_int_equal(sims.of[0].last_seen_ms, T0 + 5000);
    assert_int_equal(sims.of[0].parts_sent, 1);
    assert_string_equal(sims.imei, "356938035643817");
    assert_string_equal(sims.imsi, "226051234567890");
    change->u.sim.iccid[0] = change->u.sim.imei[0] = '\0';
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.sim.sim_id + change->u.sim.modem_id, 0);
    change_free(change);
}

static uint32_t see_card(struct bench *bench, const char *iccid, const char *imsi)
{
    struct store_change *change = change_new(CHANGE_SIM, bench->now_ms++);
    uint32_t sim_id;

    strcpy(change->u.sim.iccid, iccid);
    strcpy(change->u.sim.imsi, imsi);
    assert_int_equal(apply(bench, change), 0);
    assert_string_equal(change->u.sim.iccid, iccid);   /* the caller knows it by that */
    sim_id = change->u.sim.sim_id;
    change_free(change);
    return sim_id;
}

/* Found by the simulation: noise in the answer to +CCID made another card of it, and its reports found no parts. */
static void a_card_whose_iccid_could_not_be_read_is_known_by_its_imsi(void **state)
{
    struct bench *bench = *state;
    uint32_t first = see_card(bench, "8940012345678901234", "226051234567890"), second;

    assert_int_equal(see_card(bench, "imsi:226051234567890", "226051234567890"), first);
    assert_int_equal(see_card(bench, "8940012345678901234", "226051234567890"), first);
    second = see_card(bench, "imsi:226050000000001", "226050000000001");   /* hidden the first time */
    assert_int_not_equal(second, first);
    assert_int_equal(see_card(bench, "8940012345678909999", "226050000000001"), second);
    assert_int_equal(see_card(bench, "imsi:226050000000001", "226050000000001"), second);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM sim"), 2);
}

static int patient_key(struct bench *bench, enum change_kind kind, const char *name, uint8_t hash, uint32_t patience_s)
{
    struct store_change *change = change_new(kind, bench->now_ms);
    int r;

    snprintf(change->u.key.name, sizeof change->u.key.name, "%s", name);
    memset(change->u.key.hash, hash, sizeof change->u.key.hash);
    change->u.key.scopes = 5;
    change->u.key.patience_s = patience_s;
    r = apply(bench, change);
    change_free(change);
    return r;
}

static int key(struct bench *bench, enum change_kind kind, const char *name, uint8_t hash)
{
    return patient_key(bench, kind, name, hash, MESSAGE_PATIENCE_AS_ROUTED);
}

static void keys_add(void *context, const struct key_row *row)
{
    char *names = context;

    strcat(names, row->name);
    strcat(names, " ");
}

static void a_key_is_found_by_its_hash_until_it_is_removed(void **state)
{
    struct bench *bench = *state;
    char name[48], names[128] = "";
    uint8_t hash[32];
    uint32_t scopes = 0, patience_s = 0;

    memset(hash, 1, sizeof hash);
    assert_int_equal(store_read_key(bench->reader, hash, name, &scopes, &patience_s), -ENOENT);
    assert_int_equal(key(bench, CHANGE_KEY_ADD, "odoo", 1), 0);
    assert_int_equal(key(bench, CHANGE_KEY_ADD, "odoo", 1), 0);       /* the same again */
    assert_int_equal(key(bench, CHANGE_KEY_ADD, "odoo", 2), -EEXIST);
    assert_int_equal(key(bench, CHANGE_KEY_ADD, "other", 1), -EEXIST);
    assert_int_equal(key(bench, CHANGE_KEY_ADD, "", 3), -EINVAL);
    assert_int_equal(key(bench, CHANGE_KEY_ADD, "other", 2), 0);
    assert_int_equal(store_read_key(bench->reader, hash, name, &scopes, &patience_s), 0);
    assert_string_equal(name, "odoo");
    assert_int_equal(scopes, 5);
    assert_int_equal(patience_s, MESSAGE_PATIENCE_AS_ROUTED);
    assert_int_equal(store_read_keys(bench->reader, keys_add, names), 0);
    assert_string_equal(names, "odoo other ");
    assert_int_equal(key(bench, CHANGE_KEY_REMOVE, "odoo", 0), 0);
    assert_int_equal(key(bench, CHANGE_KEY_REMOVE, "odoo", 0), -ENOENT);
    assert_int_equal(store_read_key(bench->reader, hash, name, &scopes, &patience_s), -ENOENT);
}

static void patience_add(void *context, const struct key_row *row)
{
    uint32_t **next = context;

    *(*next)++ = row->patience_s;
}

static void a_key_has_a_patience_of_its_own_or_none(void **state)
{
    static const uint32_t wanted[] = { 0, 600, MESSAGE_PATIENCE_AS_ROUTED };
    struct bench *bench = *state;
    uint32_t seen[3] = { 1, 1, 1 }, *next = seen, scopes, patience_s;
    uint8_t hash[32];
    char name[48];

    assert_int_equal(patient_key(bench, CHANGE_KEY_ADD, "a", 1, 0), 0);
    assert_int_equal(patient_key(bench, CHANGE_KEY_ADD, "b", 2, 600), 0);
    assert_int_equal(patient_key(bench, CHANGE_KEY_ADD, "c", 3, MESSAGE_PATIENCE_AS_ROUTED), 0);
    assert_int_equal(patient_key(bench, CHANGE_KEY_ADD, "b", 2, 600), 0);          /* the same again */
    assert_int_equal(patient_key(bench, CHANGE_KEY_ADD, "b", 2, 601), -EEXIST);
    assert_int_equal(store_read_keys(bench->reader, patience_add, &next), 0);
    assert_memory_equal(seen, wanted, sizeof wanted);
    for (uint8_t i = 0; i < 3; i++) {
        memset(hash, i + 1, sizeof hash);
        assert_int_equal(store_read_key(bench->reader, hash, name, &scopes, &patience_s), 0);
        assert_int_equal(patience_s, wanted[i]);
    }
}

static struct { uint32_t count; struct sim_row row; char currency[4], until[16], source[8], answer[64]; } left;

static void left_add(void *context, const struct sim_row *row)
{
    (void)context;
    left.count++;
    left.row = *row;
    (void)snprintf(left.currency, sizeof left.currency, "%s", row->currency);
    (void)snprintf(left.until, sizeof left.until, "%s", row->valid_until);
    (void)snprintf(left.source, sizeof left.source, "%s", row->balance_source);
    (void)snprintf(left.answer, sizeof left.answer, "%s", row->balance_answer);
}

static int say_balance(struct bench *bench, const char *card, int64_t micro, int32_t parts, const char *answer)
{
    struct store_change *change = change_new(CHANGE_BALANCE, bench->now_ms++);
    int r;

    strcpy(change->u.balance.iccid, card);
    strcpy(change->u.balance.source, parts >= 0 ? "sms" : "ussd");
    change->u.balance.has_balance = micro >= 0;
    change->u.balance.balance_micro = micro;
    strcpy(change->u.balance.currency, micro >= 0 ? "EUR" : "");
    change->u.balance.has_parts = parts >= 0;
    change->u.balance.rest_parts = parts;
    strcpy(change->u.balance.valid_until, parts >= 0 ? "2026-12-31" : "");
    change->u.balance.answer = strdup(answer);
    r = apply(bench, change);
    change_free(change);
    left.count = 0;
    assert_int_equal(store_read_sims(bench->reader, left_add, NULL), 0);
    return r;
}

static void the_last_word_on_a_cards_credit_is_kept_and_what_it_does_not_say_stays(void **state)
{
    struct bench *bench = *state;
    struct store_change *sim = change_new(CHANGE_SIM, bench->now_ms);

    strcpy(sim->u.sim.iccid, "8940010000000000009");
    strcpy(sim->u.sim.imsi, "226010000000009");
    assert_int_equal(apply(bench, sim), 0);
    change_free(sim);
    assert_int_equal(say_balance(bench, "8940010000000000008", 1, -1, "not ours"), -ENOENT);
    assert_int_equal(left.row.balance_at_ms, 0);
    assert_int_equal(say_balance(bench, "8940010000000000009", 12340000, -1, "12,34 EUR"), 0);
    assert_true(left.row.has_balance && left.row.balance_micro == 12340000 && left.row.rest_parts == -1);
    assert_string_equal(left.currency, "EUR");
    assert_string_equal(left.source, "ussd");
    assert_int_equal(say_balance(bench, "imsi:226010000000009", -1, 87, "87 SMS"), 0);
    assert_true(left.row.has_balance && left.row.balance_micro == 12340000 && left.row.rest_parts == 87);
    assert_string_equal(left.currency, "EUR");
    assert_string_equal(left.until, "2026-12-31");
    assert_string_equal(left.answer, "87 SMS");
    assert_int_equal(left.row.balance_at_ms, bench->now_ms - 1);
    assert_int_equal(left.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(an_incoming_message_is_kept_with_all_it_says),
        behaviour(the_same_pdu_of_the_same_sim_is_taken_once),
        behaviour(what_cannot_be_decoded_is_kept_as_it_came),
        behaviour(eight_bit_data_with_its_ports_is_kept_octet_by_octet),
        behaviour(the_parts_of_a_message_make_one_in_any_order_and_across_a_restart),
        behaviour(a_character_cut_between_two_parts_becomes_whole_again),
        behaviour(data_in_parts_is_joined_octet_by_octet),
        behaviour(parts_of_other_senders_references_and_times_do_not_mix),
        behaviour(parts_that_arrive_hours_apart_belong_together_by_their_time_stamps),
        behaviour(a_concatenation_element_that_contradicts_itself_is_ignored),
        behaviour(a_message_whose_parts_never_came_is_given_out_after_a_day),
        behaviour(a_part_that_came_twice_is_not_left_over),
        behaviour(the_longest_message_there_is_comes_together),
        behaviour(the_inbox_is_filtered_and_paged_both_ways),
        behaviour(a_card_whose_iccid_could_not_be_read_is_known_by_its_imsi),
        behaviour(a_card_keeps_its_row_when_it_moves_to_another_modem),
        behaviour(a_key_is_found_by_its_hash_until_it_is_removed),
        behaviour(a_key_has_a_patience_of_its_own_or_none),
        behaviour(the_last_word_on_a_cards_credit_is_kept_and_what_it_does_not_say_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
