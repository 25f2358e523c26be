/* SPDX-License-Identifier: Apache-2.0
 *
 * receive.c - CHANGE_RECEIVE: incoming PDUs, each once, and the messages they make up. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/hex.h"
#include "src/sms/sms_reassembly.h"
#include "src/store/store_internal.h"

/* The service centre stamps the parts of one message as its sender's phone hands them in: well within this, also for a
 * long one with repeats. Further apart it is another use of the reference. */
#define FRAGMENT_GAP_MS_MAX 21600000
#define FRAGMENTS_MAX 1024               /* of one key, the newest; 255 and duplicates */

/* -- kept fragments ------------------------------------------------------------------------------------------ */

struct fragments {
    struct sms_fragment of[FRAGMENTS_MAX];
    struct { char *text; uint8_t *data; uint32_t data_length; } body[FRAGMENTS_MAX];
    size_t count;
};

static void fragments_free(struct fragments *fragments)
{
    for (size_t i = 0; fragments != NULL && i < fragments->count; i++) {
        free(fragments->body[i].text);
        free(fragments->body[i].data);
    }
    free(fragments);
}

static void *copy_of(const void *bytes, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy != NULL) {
        if (length > 0)
            memcpy(copy, bytes, length);
        copy[length] = '\0';
    }
    return copy;
}

/* All that wait under the key of the given part, oldest first; of too many the part itself and the newest. */
static int fragments_load(struct store *store, int64_t part_id, struct fragments **ret_fragments)
{
    struct sql *sql = &store->sql;
    struct fragments *fragments = calloc(1, sizeof *fragments);
    bool memory = fragments != NULL;
    sqlite3_stmt *row;

    if (!memory)
        return -ENOMEM;
    row = sql_query(sql,
        "SELECT id, at_ms, ref, ref_bits, total, seq, text, data FROM (SELECT p.id, CASE p.scts_ms WHEN 0 THEN p.received_ms"
        " ELSE p.scts_ms END AS at_ms, p.ref, p.ref_bits, p.total, p.seq, p.text, p.data"
        " FROM inbox_part k JOIN inbox_part p INDEXED BY inbox_part_waiting ON p.inbox_id IS NULL AND p.sim_id = k.sim_id"
        " AND p.sender = k.sender AND p.ref = k.ref AND p.ref_bits = k.ref_bits AND p.total = k.total"
        " WHERE k.id = ?1 ORDER BY p.id <> k.id, p.id DESC LIMIT ?2) ORDER BY id", SQL_ARGS(sql_int(part_id), sql_int(FRAGMENTS_MAX)));
    while (memory && sql_next(sql, row)) {
        size_t i = fragments->count++;
        size_t text_length = (size_t)sqlite3_column_bytes(row, 6);

        fragments->of[i] = (struct sms_fragment){
            .id = sqlite3_column_int64(row, 0),
            .received_ms = sqlite3_column_int64(row, 1),
            .ref = (uint16_t)sqlite3_column_int(row, 2),
            .ref_bits = (uint8_t)sqlite3_column_int(row, 3),
            .total = (uint8_t)sqlite3_column_int(row, 4),
            .seq = (uint8_t)sqlite3_column_int(row, 5),
        };
        if (sqlite3_column_type(row, 6) != SQLITE_NULL) {
            fragments->body[i].text = copy_of(sqlite3_column_text(row, 6), text_length);
            memory = fragments->body[i].text != NULL;
        }
        if (sqlite3_column_type(row, 7) != SQLITE_NULL) {
            fragments->body[i].data_length = (uint32_t)sqlite3_column_bytes(row, 7);
            fragments->body[i].data = copy_of(sqlite3_column_blob(row, 7), fragments->body[i].data_length);
            memory = memory && fragments->body[i].data != NULL;
        }
        fragments->of[i].text = fragments->body[i].text != NULL ? fragments->body[i].text : "";
        fragments->of[i].text_length = fragments->body[i].text != NULL ? text_length : 0;
        if (!memory)
            sql_end(sql, row);
    }
    if (!memory || sql->failed != 0) {
        fragments_free(fragments);
        return sql->failed != 0 ? sql->failed : -ENOMEM;
    }
    *ret_fragments = fragments;
    return 0;
}

/* -- the body of a message out of its parts ------------------------------------------------------------------- */

struct body { char *text; size_t text_length; uint8_t *data; size_t data_length; };

static bool fragments_are_data(const struct fragments *fragments, const int pick[SMS_PARTS_TOTAL_MAX], uint8_t total)
{
    for (int i = 0; i < total; i++)
        if (pick[i] >= 0 && fragments->body[pick[i]].data != NULL)
            return true;
    return false;
}

/* Octets one behind the other; with text, halves of a pair that meet become one character again. */
static int fragments_concatenate(const struct fragments *fragments, const int pick[SMS_PARTS_TOTAL_MAX], uint8_t total, bool data,
                                 struct body *ret_body)
{
    size_t size = 1, used = 0;
    char *bytes;

    for (int i = 0; i < total; i++)
        if (pick[i] >= 0)
            size += fragments->body[pick[i]].data_length + fragments->of[pick[i]].text_length;
    bytes = malloc(size);
    if (bytes == NULL)
        return -ENOMEM;
    for (int i = 0; i < total; i++) {
        const struct sms_fragment *of = pick[i] >= 0 ? &fragments->of[pick[i]] : NULL;

        if (of != NULL && fragments->body[pick[i]].data_length > 0) {
            memcpy(bytes + used, fragments->body[pick[i]].data, fragments->body[pick[i]].data_length);
            used += fragments->body[pick[i]].data_length;
        }
        if (of != NULL && of->text_length > 0) {
            memcpy(bytes + used, of->text, of->text_length);
            used += of->text_length;
        }
    }
    bytes[used] = '\0';
    if (data)
        *ret_body = (struct body){ .data = (uint8_t *)bytes, .data_length = used };
    else
        *ret_body = (struct body){ .text = bytes, .text_length = sms_text_sanitize(bytes, used) };
    return 0;
}

static int fragments_join(const struct fragments *fragments, const int pick[SMS_PARTS_TOTAL_MAX], uint8_t total, bool whole,
                          struct body *ret_body)
{
    bool data = fragments_are_data(fragments, pick, total);

    *ret_body = (struct body){ 0 };
    if (whole && !data)
        return sms_reassembly_join(fragments->of, pick, total, &ret_body->text, &ret_body->text_length);
    return fragments_concatenate(fragments, pick, total, data, ret_body);
}

/* -- inbox rows ------------------------------------------------------------------------------------------------ */

/* Everything but the body is that of the given part. */
static int64_t inbox_add(struct store *store, int64_t part_id, const struct body *body, uint16_t parts, const char *problem, int64_t now_ms)
{
    struct sql *sql = &store->sql;
    int64_t id = sql_number(sql, "SELECT coalesce(max(id), 0) + 1 FROM inbox", 1, SQL_NO_ARGS);

    sql_run(sql, "INSERT INTO inbox(id, received_ms, sim_id, modem_id, sender, sender_type, text, data, alphabet, message_class, pid, dcs,"
                 " parts, port_bits, port_dst, port_src, scts_ms, tz_quarters, problem)"
                 " SELECT ?1, ?2, sim_id, modem_id, sender, sender_type, ?3, ?4, alphabet, message_class, pid, dcs, ?5, port_bits,"
                 " port_dst, port_src, scts_ms, tz_quarters, ?6 FROM inbox_part WHERE id = ?7",
            SQL_ARGS(sql_int(id), sql_int(now_ms), sql_text_n(body->text, body->text_length), sql_blob(body->data, body->data_length),
                     sql_int(parts), sql_text(problem), sql_int(part_id)));
    /* Who answers by another SIM than was used last goes on with that one. */
    if (store->conversations)
        sql_run(sql, "UPDATE conversation SET sim_id = p.sim_id, at_ms = ?2 FROM (SELECT sim_id, sender FROM inbox_part WHERE id = ?1) AS p"
                     " WHERE to_number = p.sender AND p.sim_id > 0",
                SQL_ARGS(sql_int(part_id), sql_int(now_ms)));
    return id;
}

/* Its body is in the inbox now, or its PDU tells it. */
static void part_link(struct store *store, int64_t part_id, int64_t inbox_id)
{
    sql_run(&store->sql, "UPDATE inbox_part SET inbox_id = ?2, text = NULL, data = NULL WHERE id = ?1",
            SQL_ARGS(sql_int(part_id), sql_int(inbox_id)));
}

static bool fragment_equals(const struct fragments *fragments, size_t a, size_t b)
{
    const struct sms_fragment *x = &fragments->of[a], *y = &fragments->of[b];

    return x->text_length == y->text_length && memcmp(x->text, y->text, x->text_length) == 0 &&
           fragments->body[a].data_length == fragments->body[b].data_length &&
           (fragments->body[a].data_length == 0 ||
            memcmp(fragments->body[a].data, fragments->body[b].data, fragments->body[a].data_length) == 0);
}

/* Links the picked parts, and those that came once more in another PDU (a new time stamp): else they would stay behind
 * and be given out as a message of their own. */
static void fragments_link(struct store *store, const struct fragments *fragments, const int pick[SMS_PARTS_TOTAL_MAX], int64_t inbox_id)
{
    for (size_t i = 0; i < fragments->count; i++) {
        uint8_t seq = fragments->of[i].seq;
        int picked = seq > 0 ? pick[seq - 1] : -1;

        if (picked >= 0 && ((size_t)picked == i || fragment_equals(fragments, i, (size_t)picked)))
            part_link(store, fragments->of[i].id, inbox_id);
    }
}

/* -- one PDU --------------------------------------------------------------------------------------------------- */

/* Octets where it is hex, so that either case is the same PDU; else what the modem gave, as text. */
static int part_add(struct store *store, const struct change_receive *receive, bool fragment, int64_t now_ms, int64_t *ret_id)
{
    struct sql *sql = &store->sql;
    const char *hex = receive->pdu_hex != NULL ? receive->pdu_hex : "";
    size_t length = strlen(hex);
    uint8_t *octets = malloc(length / 2 + 1);
    int64_t before;
    int n;

    if (octets == NULL)
        return -ENOMEM;
    n = hex_decode(hex, length, octets, length / 2 + 1);
    before = sql_number(sql, "SELECT coalesce(max(id), 0) FROM inbox_part", 0, SQL_NO_ARGS);
    sql_run(sql, "INSERT INTO inbox_part(id, sim_id, pdu, modem_id, received_ms, sender, sender_type, ref, ref_bits, total, seq, text,"
                 " data, alphabet, message_class, pid, dcs, port_bits, port_dst, port_src, scts_ms, tz_quarters)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)"
                 " ON CONFLICT(sim_id, pdu) DO NOTHING",
            SQL_ARGS(sql_int(before + 1), sql_int(receive->sim_id), n >= 0 ? sql_blob(octets, (size_t)n) : sql_text(hex),
                     sql_int(receive->modem_id), sql_int(now_ms), sql_text(receive->from), sql_int(receive->from_type),
                     sql_int(receive->ref), sql_int(receive->ref_bits), sql_int(receive->total),
                     sql_int(fragment ? receive->seq : 1),
                     sql_text_n(fragment ? receive->text : NULL, receive->text_length),
                     sql_blob(fragment ? receive->data : NULL, receive->data_length), sql_int(receive->alphabet),
                     sql_int(receive->message_class), sql_int(receive->pid), sql_int(receive->dcs), sql_int(receive->port_bits),
                     sql_int(receive->port_dst), sql_int(receive->port_src), sql_int(receive->scts_ms), sql_int(receive->tz_quarters)));
    *ret_id = sql->failed == 0 && sqlite3_changes(sql->db) == 1 ? before + 1 : 0;
    free(octets);
    return sql->failed;
}

static int receive_whole(struct store *store, struct change_receive *receive, int64_t part_id, int64_t now_ms)
{
    struct body body = { .data = receive->data, .data_length = receive->data_length };

    if (receive->text != NULL) {
        body.text = copy_of(receive->text, receive->text_length);
        if (body.text == NULL)
            return -ENOMEM;
        body.text_length = sms_text_sanitize(body.text, receive->text_length);
    }
    receive->inbox_id = inbox_add(store, part_id, &body, 1, receive->problem, now_ms);
    part_link(store, part_id, receive->inbox_id);
    free(body.text);
    if (receive->consent != CONSENT_NONE && store->sql.failed == 0)
        return opt_out_hear(store, receive, now_ms);
    return store->sql.failed;
}

static int receive_fragment(struct store *store, struct change_receive *receive, int64_t part_id, int64_t now_ms)
{
    int pick[SMS_PARTS_TOTAL_MAX];
    struct fragments *fragments;
    struct body body = { 0 };
    int r = fragments_load(store, part_id, &fragments);

    if (r < 0)
        return r;
    if (fragments->count > 0 &&
        sms_reassembly_check(fragments->of, fragments->count, fragments->count - 1, FRAGMENT_GAP_MS_MAX, pick) == SMS_REASSEMBLY_COMPLETE) {
        r = fragments_join(fragments, pick, receive->total, true, &body);
        if (r == 0) {
            receive->inbox_id = inbox_add(store, fragments->of[pick[0]].id, &body, receive->total, receive->problem, now_ms);
            fragments_link(store, fragments, pick, receive->inbox_id);
            r = store->sql.failed;
        }
        free(body.text);
        free(body.data);
    }
    fragments_free(fragments);
    return r;
}

int receive_apply(struct store *store, struct store_change *change)
{
    struct change_receive *receive = &change->u.receive;
    /* An element that contradicts itself is ignored, and the part shown as it is (TS 23.040 9.2.3.24.1). */
    bool fragment = receive->concat && receive->total > 1 && receive->seq >= 1 && receive->seq <= receive->total;
    int64_t part_id;
    int r = part_add(store, receive, fragment, change->now_ms, &part_id);

    if (r < 0)
        return r;
    if (part_id == 0) {
        receive->duplicate = true;
        return 0;
    }
    receive->give_up_ms = change->now_ms + RECEIVE_WAIT_MS;
    return fragment ? receive_fragment(store, receive, part_id, change->now_ms) : receive_whole(store, receive, part_id, change->now_ms);
}

/* -- parts that never came ------------------------------------------------------------------------------------- */

/* "parts 1,3 of 3" */
static void missing_describe(const int pick[SMS_PARTS_TOTAL_MAX], uint8_t total, char *ret_text, size_t size)
{
    size_t used = (size_t)snprintf(ret_text, size, "parts ");

    for (int i = 0; i < total; i++)
        if (pick[i] >= 0 && used < size)
            used += (size_t)snprintf(ret_text + used, size - used, "%s%d", used > 6 ? "," : "", i + 1);
    if (used < size)
        (void)snprintf(ret_text + used, size - used, " of %d", total);
}

int receive_give_up(struct store *store, int64_t before_ms, int64_t now_ms, int64_t *ret_inbox_id)
{
    int pick[SMS_PARTS_TOTAL_MAX];
    char problem[SMS_PARTS_TOTAL_MAX * 4 + 32];
    struct fragments *fragments;
    struct body body;
    size_t oldest = 0;
    uint8_t total;
    int first = -1;
    int64_t part_id = sql_number(&store->sql, "SELECT id FROM inbox_part INDEXED BY inbox_part_age WHERE inbox_id IS NULL"
                                              " AND received_ms <= ?1 ORDER BY received_ms LIMIT 1", 0, SQL_ARGS(sql_int(before_ms)));
    int r;

    *ret_inbox_id = 0;
    if (part_id == 0)
        return store->sql.failed;
    r = fragments_load(store, part_id, &fragments);
    if (r < 0)
        return r;
    while (oldest < fragments->count && fragments->of[oldest].id != part_id)
        oldest++;
    if (oldest == fragments->count) {
        r = -EBADMSG;
        goto out;
    }
    total = fragments->of[oldest].total;
    (void)sms_reassembly_check(fragments->of, fragments->count, oldest, FRAGMENT_GAP_MS_MAX, pick);
    pick[fragments->of[oldest].seq - 1] = (int)oldest;   /* whatever was picked: this one has to go */
    for (int i = total - 1; i >= 0; i--)
        first = pick[i] >= 0 ? i : first;
    r = fragments_join(fragments, pick, total, false, &body);
    if (r < 0)
        goto out;
    missing_describe(pick, total, problem, sizeof problem);
    *ret_inbox_id = inbox_add(store, fragments->of[pick[first]].id, &body, total, problem, now_ms);
    fragments_link(store, fragments, pick, *ret_inbox_id);
    r = store->sql.failed;
    free(body.text);
    free(body.data);
out:
    fragments_free(fragments);
    return r;
}
