/* SPDX-License-Identifier: Apache-2.0
 *
 * api_credit.c - the credits of the box: what is left, how many parts that is, and every movement of the ledger. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/base/money.h"

/* -- balance ---------------------------------------------------------------------------------------------------- */

enum balance_state {
    BALANCE_FREE, BALANCE_ONLINE, BALANCE_OFFLINE, BALANCE_NO_LEASE, BALANCE_EXPIRING, BALANCE_EXPIRED, BALANCE_FROZEN, BALANCE_FENCED
};

/* Names are a contract; the advice is for a person. */
static const struct { const char *name, *advice; } states[] = {
    [BALANCE_FREE] = { "free", "No account is configured: messages cost no credits here." },
    [BALANCE_ONLINE] = { "online", "" },
    [BALANCE_OFFLINE] = { "offline", "The account cannot be reached. What is left here is spent as usual; look at the network of this box." },
    [BALANCE_NO_LEASE] = { "no_lease", "The account has granted nothing yet: look whether it is funded, and whether this box reaches it." },
    [BALANCE_EXPIRING] = { "expiring", "The time in which the credits here may be spent is nearly over: bring the box online so that it gets new ones." },
    [BALANCE_EXPIRED] = { "expired", "The time in which the credits here may be spent is over. Nothing is lost: bring the box online, and what waits goes on." },
    [BALANCE_FROZEN] = { "frozen", "The account has frozen this box. Nothing is lost and nothing is sent until it is released there." },
    [BALANCE_FENCED] = { "fenced", "The account does not trust this box any more (a copy of it may be at work). Nothing is lost and nothing is sent"
                                   " until a person enrols it again: cellpost enroll." },
};

static enum balance_state state_of(const struct credit_row *credit, const struct live_view *view, int64_t now_ms)
{
    const struct credit_lease_row *lease = &credit->open;

    if (now_ms < credit->mark_ms)
        now_ms = credit->mark_ms;
    if (credit->fenced)
        return BALANCE_FENCED;
    if (credit->frozen)
        return BALANCE_FROZEN;
    if (lease->id == 0)
        return BALANCE_NO_LEASE;
    if (lease->state != LEDGER_OPEN || now_ms >= lease->spend_until_ms)
        return BALANCE_EXPIRED;
    if (now_ms >= lease->spend_until_ms - (lease->spend_until_ms - lease->issued_ms) / 4)
        return BALANCE_EXPIRING;
    return view->account_known && !view->account_online ? BALANCE_OFFLINE : BALANCE_ONLINE;
}

struct prices { json_t *rows; int64_t available_micro; uint32_t after, limit, next; bool more; int error; };

static json_t *encoding_render(int64_t micro, int64_t available_micro)
{
    json_t *item = json_object();

    if (micro > 0) {
        json_put_int(item, "part_micro", micro);
        json_put_int(item, "parts", available_micro / micro);
    } else {
        json_put_bool(item, "refused", true);
    }
    return item;
}

static void prices_read(void *context, const char *csv)
{
    struct prices *prices = context;
    struct table_file file = { "prices", csv, strlen(csv) };
    struct table_notes *notes = malloc(sizeof *notes);
    struct price_table *table = NULL;

    prices->error = notes ? price_table_parse(1, &file, &table, notes) : -ENOMEM;
    for (uint32_t i = prices->after; prices->error == 0 && i < price_table_rows(table); i++) {
        struct price_row row = price_table_row(table, i);
        json_t *item;

        if (json_array_size(prices->rows) == prices->limit) {
            prices->more = true;
            prices->next = i;
            break;
        }
        item = json_object();
        json_put_text(item, "prefix", row.prefix[0] ? row.prefix : "*");
        json_object_set_new(item, "gsm7", encoding_render(row.part_micro[PRICE_GSM7], prices->available_micro));
        json_object_set_new(item, "ucs2", encoding_render(row.part_micro[PRICE_UCS2], prices->available_micro));
        json_array_append_new(prices->rows, item);
    }
    price_table_free(table);
    free(notes);
}

static json_t *lease_render(const struct credit_lease_row *lease)
{
    json_t *item = json_object();

    json_put_int(item, "id", lease->id);
    json_put_text(item, "state", ledger_lease_state_name(lease->state));
    json_put_int(item, "granted_micro", lease->grant_micro);
    json_put_time(item, "until", lease->spend_until_ms);
    json_put_int(item, "price_version", lease->price_version);
    return item;
}

static int prices_put(struct api *api, json_t *body, const struct credit_row *credit, int64_t available_micro, uint32_t after, uint32_t limit)
{
    struct prices prices = { .rows = json_array(), .available_micro = available_micro, .after = after, .limit = limit };
    char next[16];
    int r = credit->open.id != 0 ? store_read_prices(api->reader, credit->open.price_version, prices_read, &prices) : 0;

    if (r == -ENOENT)
        r = 0;
    if (r == 0)
        r = prices.error;
    (void)snprintf(next, sizeof next, "%u", (unsigned)prices.next);
    json_object_set_new(body, "prices", prices.rows);
    json_object_set_new(body, "next", prices.more ? json_string(next) : json_null());
    return r;
}

static void balance_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct api_pending *pending = call->state;
    const struct live_view *view = &call->live;
    json_t *body = json_object();
    struct credit_row credit;
    enum balance_state state = BALANCE_FREE;
    int64_t available_micro, now_ms = json_integer_value(json_object_get(pending->kept, "now_ms"));
    int r = store_read_credit(api->reader, &credit);

    if (r == 0) {
        state = state_of(&credit, view, now_ms);
        available_micro = credit.open.state == LEDGER_OPEN && state != BALANCE_EXPIRED ? credit.open.available_micro : 0;
        json_put_text(body, "account", credit.account);
        json_put_int(body, "available_micro", available_micro);
        json_put_int(body, "reserved_micro", credit.reserved_micro);
        json_put_int(body, "captured_micro", credit.open.captured_micro + credit.old.captured_micro);
        json_put_int(body, "waiting", (int64_t)credit.waiting);
        if (credit.open.id != 0)
            json_object_set_new(body, "lease", lease_render(&credit.open));
        if (credit.old.id != 0)
            json_object_set_new(body, "lease_before", lease_render(&credit.old));
        if (view->account_known) {
            json_put_bool(body, "online", view->account_online);
            json_put_text(body, "why", view->account_why);
        }
        r = prices_put(api, body, &credit, available_micro, (uint32_t)json_integer_value(json_object_get(pending->kept, "after")),
                       (uint32_t)json_integer_value(json_object_get(pending->kept, "limit")));
    } else if (r == -ENOENT) {
        r = 0;
    }
    json_put_text(body, "state", states[state].name);
    json_put_text(body, "advice", states[state].advice);
    if (r < 0) {
        json_decref(body);
        api_problem_store(ret_response, r);
        return;
    }
    api_answer_json(ret_response, 200, body);
}

static bool query_after(struct api_exchange *exchange, uint32_t *ret_after)
{
    const char *text = api_query(exchange, "after");
    uint32_t after = 0;

    for (size_t i = 0; text && text[i]; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 6) {
            api_problem(exchange->response, PROBLEM_BAD_PARAMETER, "parameter", "after", NULL, "\"after\" must be what \"next\" said");
            return false;
        }
        after = after * 10 + (uint32_t)(text[i] - '0');
    }
    *ret_after = after;
    return true;
}

enum api_step api_balance_show(struct api_exchange *exchange)
{
    uint32_t limit = API_PAGE_DEFAULT, after = 0;
    struct api_pending *pending;

    if (!api_query_limit(exchange, &limit) || !query_after(exchange, &after))
        return API_DONE;
    pending = api_wait(exchange, balance_finish);
    if (!pending)
        return API_DONE;
    pending->kept = json_object();
    json_put_int(pending->kept, "limit", limit);
    json_put_int(pending->kept, "after", after);
    json_put_int(pending->kept, "now_ms", exchange->request->now_ms);
    return API_WAIT_LIVE;
}

/* -- ledger ----------------------------------------------------------------------------------------------------- */

struct ledger_page { struct api_page page; struct api_text csv; bool as_csv; };

static json_t *posting_render(const struct posting_row *row, const char *tag)
{
    json_t *item = json_object();

    json_put_id(item, "id", tag, 'p', row->id);
    json_put_time(item, "at", row->at_ms);
    json_put_text(item, "reason", ledger_reason_name(row->reason));
    json_put_int(item, "lease", row->lease_id);
    json_put_text(item, "from", ledger_account_name(row->from));
    json_put_text(item, "to", ledger_account_name(row->to));
    json_put_int(item, "micro", row->micro);
    if (row->batch_id != 0)
        json_put_id(item, "batch", tag, 'b', row->batch_id);
    if (row->message_id != 0)
        json_put_id(item, "message", tag, 'm', row->message_id);
    if (row->part != 0)
        json_put_int(item, "part", row->part);
    if (row->journal_seq != 0)
        json_put_int(item, "journal", row->journal_seq);
    return item;
}

/* Every cell is a number, a word of ours or an id: nothing in it comes from outside, and none begins like a formula. */
static void posting_csv(struct api_text *text, const struct posting_row *row, const char *tag)
{
    char at[API_TIME_CHARS], id[ID_TEXT_MAX], batch[ID_TEXT_MAX] = "", message[ID_TEXT_MAX] = "", part[8] = "", journal[24] = "";

    api_time_format(row->at_ms, at);
    id_format(tag, 'p', row->id, id);
    if (row->batch_id != 0)
        id_format(tag, 'b', row->batch_id, batch);
    if (row->message_id != 0)
        id_format(tag, 'm', row->message_id, message);
    if (row->part != 0)
        (void)snprintf(part, sizeof part, "%u", row->part);
    if (row->journal_seq != 0)
        (void)snprintf(journal, sizeof journal, "%lld", (long long)row->journal_seq);
    api_text_print(text, "%s,%s,%s,%lld,%s,%s,%lld,%s,%s,%s,%s\r\n", id, at, ledger_reason_name(row->reason), (long long)row->lease_id,
                   ledger_account_name(row->from), ledger_account_name(row->to), (long long)row->micro, batch, message, part, journal);
}

static void ledger_add(void *context, const struct posting_row *row)
{
    struct ledger_page *ledger = context;

    if (!ledger->as_csv)
        api_page_add(&ledger->page, row->id, posting_render(row, ledger->page.tag));
    else
        posting_csv(&ledger->csv, row, ledger->page.tag);
}

static bool wants_csv(struct api_exchange *exchange, bool *ret_csv)
{
    const char *format = api_query(exchange, "format"), *accept = api_header(exchange, "Accept");

    if (format && strcmp(format, "csv") != 0 && strcmp(format, "json") != 0) {
        api_problem(exchange->response, PROBLEM_BAD_PARAMETER, "parameter", "format", NULL, "\"format\" must be json or csv");
        return false;
    }
    *ret_csv = format ? strcmp(format, "csv") == 0 : accept && strncmp(accept, "text/csv", 8) == 0;
    return true;
}

static void csv_answer(struct api_exchange *exchange, struct api_text *text, int read_result)
{
    if (read_result < 0 || text->failed) {
        free(text->bytes);
        api_problem_store(exchange->response, read_result < 0 ? read_result : -ENOMEM);
        return;
    }
    exchange->response->status = 200;
    exchange->response->content_type = "text/csv; charset=utf-8; header=present";
    exchange->response->body = text->bytes;
    exchange->response->length = text->length;
}

enum api_step api_ledger_list(struct api_exchange *exchange)
{
    struct posting_filter filter = { .limit = 0 };
    struct ledger_page ledger = { .as_csv = false };
    int r;

    if (!wants_csv(exchange, &ledger.as_csv) || !api_page_open(exchange, 'p', &ledger.page, &filter.before_id, &filter.after_id))
        return API_DONE;
    filter.oldest_first = api_query(exchange, "after") != NULL;
    filter.limit = ledger.page.limit + !ledger.as_csv;
    if (ledger.as_csv)
        api_text_print(&ledger.csv, "id,at,reason,lease,from,to,micro,batch,message,part,journal\r\n");
    r = store_read_postings(exchange->api->reader, &filter, ledger_add, &ledger);
    if (ledger.as_csv) {
        json_decref(ledger.page.rows);
        csv_answer(exchange, &ledger.csv, r);
    } else {
        api_page_answer(exchange, &ledger.page, "postings", r);
    }
    return API_DONE;
}

/* -- too little -------------------------------------------------------------------------------------------------- */

void api_problem_credit(struct api_response *ret_response, const struct change_accept *accept)
{
    json_t *extra = json_object();
    char needed[MONEY_CHARS], available[MONEY_CHARS], why[200];

    money_format_price(accept->credit.needed_micro, needed);
    money_format_price(accept->credit.available_micro, available);
    if (accept->credit_verdict == LEDGER_TOO_LITTLE)
        (void)snprintf(why, sizeof why, "It needs %s credits, and %s are here; the first %llu of its messages would fit.", needed, available,
                       (unsigned long long)accept->credit.fit);
    else
        (void)snprintf(why, sizeof why, "%s", ledger_verdict_words(accept->credit_verdict));
    json_put_int(extra, "needed_micro", accept->credit.needed_micro);
    json_put_int(extra, "available_micro", accept->credit.available_micro);
    json_put_int(extra, "fit", (int64_t)accept->credit.fit);
    json_put_text(extra, "why", ledger_verdict_name(accept->credit_verdict));
    api_problem(ret_response, PROBLEM_TOO_LITTLE_CREDIT, NULL, NULL, extra,
                "Nothing was taken. %s With \"on_too_little\": \"wait\" it would be kept until there are enough", why);
}
