/* SPDX-License-Identifier: Apache-2.0
 *
 * What a message costs and why it goes the way it goes: explained, quoted, shown; what cards may still send; what the route
 * says at intake. */
#include "tests/unit/api/modem_work.h"
#include "tests/unit/api/rig.h"

#include <errno.h>

#define CHEAP "8900000000000000001"
#define DEAR "8900000000000000002"

/* What is in force, made of a few lines of text. */
struct world { struct routing routing; struct routing_sim sims[2]; struct rig *rig; uint16_t cheap, dear; };

static const char tariffs[] = "kind,plan,currency,prefix,price,next_part_price,prefixes,name,parts,period,valid_from,valid_until\n"
                              "price,cheap,EUR,33,0.05,0.04,,,,,,2026-12-31\n"
                              "price,cheap,EUR,33,0.30,,,,,,2027-01-01,\n"
                              "bundle,cheap,EUR,,,,336,home,5,month,,\n"
                              "price,dear,EUR,33,0.10,,,,,,,\n"
                              "price,dear,EUR,40,0.02,,,,,,,\n";

static struct world world_new(const char *routes)
{
    static const char *tags[] = { "office", "prepaid" };
    struct table_file tariff = { "tariffs.csv", tariffs, strlen(tariffs) }, route = { "routes.csv", routes, strlen(routes) };
    static struct table_notes notes;
    struct world world = { .rig = rig_new(&(struct api_config){ .country = "FR" }) };

    if (tariff_parse(&tariff, 1, &world.routing.tariffs, &notes) < 0 || route_parse(&route, routes[0] != '\0', &world.routing.routes, &notes) < 0)
        fail_msg("%s", notes.text[0]);
    memcpy(world.routing.currency, "EUR", 4);
    world.sims[0] = (struct routing_sim){ .iccid = CHEAP, .name = "one", .tariff = "cheap", .tags = tags, .tag_count = 2 };
    world.sims[1] = (struct routing_sim){ .iccid = DEAR, .tariff = "dear" };
    return world;
}

static void world_start(struct world *world)
{
    struct rig *rig = world->rig;

    world->routing.sims = world->sims;
    world->routing.sim_count = 2;
    assert_int_equal(chooser_configure(rig->chooser, &world->routing, rig->loop_now), 0);
    assert_int_equal(chooser_bearer_open(rig->chooser, ROUTE_SIM, CHEAP, 1, NULL, rig->loop_now, &world->cheap), 0);
    assert_int_equal(chooser_bearer_open(rig->chooser, ROUTE_SIM, DEAR, 2, NULL, rig->loop_now, &world->dear), 0);
    chooser_bearer_state(rig->chooser, world->cheap, true, true, 0);
    chooser_bearer_state(rig->chooser, world->dear, true, true, 0);
}

static void world_free(struct world *world)
{
    rig_free(world->rig);
    tariff_free(world->routing.tariffs);
    route_free(world->routing.routes);
}

/* What a card had used before: parts of a bundle are those of messages that were taken. */
static void take(struct world *world, uint16_t bearer, const char *number, uint8_t parts)
{
    struct queue_item item = { .id = 1, .parts = parts, .expire_ms = INT64_MAX };
    struct chooser_taken taken;
    char *use_state, *record;

    item.to_key = digits_pack(number, strlen(number), NULL);
    for (; item.part_next < parts; item.part_next++) {
        assert_int_equal(chooser_take(world->rig->chooser, bearer, &item, 0, world->rig->loop_now, &taken, &use_state, &record), 0);
        free(use_state);
        free(record);
    }
}

static struct answer explain(struct world *world, const char *query)
{
    return ask_get(world->rig, "/v1/routes/explain", query);
}

static struct answer quote(struct world *world, const char *body)
{
    return ask(world->rig, &(struct ask){ .method = "POST", .path = "/v1/quote", .body = body });
}

/* -- explain ------------------------------------------------------------------------------------------------------ */

static void the_cheapest_is_chosen_and_each_has_its_row_and_its_price(void **state)
{
    struct world world = world_new("");
    struct answer answer;

    (void)state;
    world_start(&world);
    answer = explain(&world, "to=+33700000001&parts=3");
    assert_int_equal(answer.response.status, 200);
    assert_string_equal(text_at(&answer, "to"), "+33700000001");
    assert_string_equal(text_at(&answer, "country"), "FR");
    assert_string_equal(text_at(&answer, "kind"), "mobile");
    assert_true(json_is_true(at(&answer, "route/implicit")));
    assert_string_equal(text_at(&answer, "bearers/0/bearer"), CHEAP);
    assert_string_equal(text_at(&answer, "bearers/0/name"), "one");
    assert_string_equal(text_at(&answer, "bearers/0/tariff"), "cheap");
    assert_string_equal(text_at(&answer, "bearers/0/tags/1"), "prepaid");
    assert_string_equal(text_at(&answer, "bearers/0/state"), "ready");
    assert_string_equal(text_at(&answer, "bearers/0/verdict"), "may");
    assert_string_equal(text_at(&answer, "bearers/0/price/amount"), "0.13");
    assert_string_equal(text_at(&answer, "bearers/0/price/currency"), "EUR");
    assert_string_equal(text_at(&answer, "bearers/0/first_part_price/amount"), "0.05");
    assert_string_equal(text_at(&answer, "bearers/0/next_part_price/amount"), "0.04");
    assert_string_equal(text_at(&answer, "bearers/0/row/prefix"), "33");
    assert_string_equal(text_at(&answer, "bearers/0/row/file"), "tariffs.csv");
    assert_int_equal(number_at(&answer, "bearers/0/row/line"), 2);
    assert_string_equal(text_at(&answer, "bearers/1/price/amount"), "0.3");
    assert_string_equal(text_at(&answer, "choice/bearer"), CHEAP);
    assert_string_equal(text_at(&answer, "choice/when"), "now");
    assert_string_equal(text_at(&answer, "choice/reason"), "By \"one\", 0.13 EUR: the cheapest.");
    answer_done(&answer);
    world_free(&world);
}

static void prices_are_those_of_the_day_that_is_asked_for(void **state)
{
    struct world world = world_new("");
    struct answer answer;

    (void)state;
    world_start(&world);
    answer = explain(&world, "to=+33700000001&at=2027-01-02T12:00:00Z");
    assert_string_equal(text_at(&answer, "choice/bearer"), DEAR);
    assert_string_equal(text_at(&answer, "bearers/1/price/amount"), "0.3");
    assert_int_equal(number_at(&answer, "bearers/1/row/line"), 3);
    answer_done(&answer);
    answer = explain(&world, "to=+33700000001");   /* and today again */
    assert_string_equal(text_at(&answer, "choice/bearer"), CHEAP);
    answer_done(&answer);
    world_free(&world);
}

static void every_verdict_has_its_reason(void **state)
{
    static const struct { const char *routes, *to, *verdict, *reason, *choice; } rows[] = {
        { "", "+40722000001", "no_price", "its tariff has no price for the number", "By " DEAR ", 0.02 EUR: the only one that can take it." },
        { "prefix,bearers\n33,sim:" DEAR "\n", "+33700000001", "not_listed", "the route does not list it", "By " DEAR ", 0.1 EUR: the only one that can take it." },
        { "prefix,bearers,deny\n33,*,tag:office\n", "+33700000001", "denied", "the route forbids it", "By " DEAR ", 0.1 EUR: the only one that can take it." },
        { "prefix,bearers,action,note\n33,,refuse,no business there\n", "+33700000001", "refused", "the route refuses the number",
          "Refused by its route 33 (routes.csv:2): no business there." },
        { "prefix,bearers,prefer\n33,*,sim:" DEAR "\n", "+33700000001", "may", "it may take it now", "By " DEAR ", 0.1 EUR: the route prefers it." },
        { "prefix,bearers,max_price\n33,*,0.01\n", "+33700000001", "too_dear", "it costs more than the route allows",
          "It waits: none can take it. \"one\": it costs more than the route allows." },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world = world_new(rows[i].routes);
        struct answer answer;
        char query[64];
        bool found = false;
        size_t k;
        json_t *bearer;

        world_start(&world);
        (void)snprintf(query, sizeof query, "to=%s", rows[i].to);
        answer = explain(&world, query);
        json_array_foreach (at(&answer, "bearers"), k, bearer) {
            if (strcmp(json_string_value(json_object_get(bearer, "bearer")), CHEAP) != 0)
                continue;
            found = true;
            assert_string_equal(json_string_value(json_object_get(bearer, "verdict")), rows[i].verdict);
            assert_string_equal(json_string_value(json_object_get(bearer, "reason")), rows[i].reason);
        }
        assert_true(found);
        assert_string_equal(text_at(&answer, "choice/reason"), rows[i].choice);
        answer_done(&answer);
        world_free(&world);
    }
}

static void what_a_card_is_doing_decides_when_it_goes(void **state)
{
    struct world world = world_new("prefix,bearers,patience\n33,*,10m\n");
    struct answer answer;

    (void)state;
    world_start(&world);
    chooser_bearer_state(world.rig->chooser, world.cheap, true, true, world.rig->loop_now.mono_ms + 60000);
    answer = explain(&world, "to=+33700000001");
    assert_string_equal(text_at(&answer, "choice/when"), "patient");
    assert_int_equal(number_at(&answer, "patience_s"), 600);
    assert_string_equal(text_at(&answer, "bearers/0/state"), "rests");
    assert_string_equal(text_at(&answer, "bearers/0/until"), "2025-12-01T00:01:00.000Z");
    assert_string_equal(text_at(&answer, "choice/reason"),
                        "It waits for \"one\", 0.05 EUR: the cheapest; it rests after refusals until 2025-12-01T00:01:00.000Z, which is within its patience of 600 s.");
    answer_done(&answer);

    chooser_bearer_state(world.rig->chooser, world.cheap, true, true, world.rig->loop_now.mono_ms + 3600000);   /* for too long */
    answer = explain(&world, "to=+33700000001");
    assert_string_equal(text_at(&answer, "choice/bearer"), DEAR);
    answer_done(&answer);

    chooser_bearer_state(world.rig->chooser, world.cheap, true, false, 0);
    answer = explain(&world, "to=+33700000001");
    assert_string_equal(text_at(&answer, "bearers/0/verdict"), "busy");
    assert_string_equal(text_at(&answer, "choice/reason"), "By \"one\", 0.05 EUR: the cheapest; it takes it when it is free.");
    answer_done(&answer);

    chooser_bearer_state(world.rig->chooser, world.cheap, false, false, 0);
    chooser_bearer_state(world.rig->chooser, world.dear, false, false, 0);
    answer = explain(&world, "to=+33700000001");
    assert_string_equal(text_at(&answer, "choice/when"), "waits");
    assert_null(at(&answer, "choice/bearer"));
    assert_string_equal(text_at(&answer, "choice/reason"), "It waits: none can take it. \"one\": it is in no modem that works.");
    answer_done(&answer);
    world_free(&world);
}

static void who_asks_with_a_key_is_told_by_the_patience_of_that_key(void **state)
{
    static const struct { const char *key, *bearer, *when; int64_t patience_s; } rows[] = {
        { "{\"name\":\"a\",\"patience_s\":90}", CHEAP, "patient", 90 }, { "{\"name\":\"b\",\"patience_s\":0}", DEAR, "now", 0 },
        { "{\"name\":\"c\"}", CHEAP, "patient", 600 },
    };
    struct world world = world_new("prefix,bearers,patience\n33,*,10m\n");

    (void)state;
    world_start(&world);
    chooser_bearer_state(world.rig->chooser, world.cheap, true, true, world.rig->loop_now.mono_ms + 60000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = ask(world.rig, &(struct ask){ .method = "POST", .path = "/v1/keys", .body = rows[i].key });
        char key[64];

        (void)snprintf(key, sizeof key, "%s", text_at(&answer, "key"));
        answer_done(&answer);
        answer = ask(world.rig, &(struct ask){ .method = "GET", .path = "/v1/routes/explain", .query = "to=+33700000001", .key = key });
        assert_int_equal(number_at(&answer, "patience_s"), rows[i].patience_s);
        assert_string_equal(text_at(&answer, "choice/bearer"), rows[i].bearer);
        answer_done(&answer);
        answer = ask(world.rig, &(struct ask){ .method = "POST", .path = "/v1/quote", .key = key, .body = "{\"to\":\"+33700000001\",\"text\":\"a\"}" });
        assert_string_equal(text_at(&answer, "messages/0/bearer"), rows[i].bearer);
        assert_string_equal(text_at(&answer, "messages/0/when"), rows[i].when);
        answer_done(&answer);
    }
    world_free(&world);
}

static void a_limit_says_which_and_until_when(void **state)
{
    struct world world = world_new("");
    struct answer answer;

    (void)state;
    world.sims[0].limits.per_day = 2;
    world_start(&world);
    take(&world, world.cheap, "33700000009", 2);
    answer = explain(&world, "to=+33700000001");
    assert_string_equal(text_at(&answer, "choice/bearer"), DEAR);
    assert_string_equal(text_at(&answer, "bearers/1/verdict"), "limit");
    assert_string_equal(text_at(&answer, "bearers/1/limit"), "per_day");
    assert_int_equal(number_at(&answer, "bearers/1/limits/per_day/used"), 2);
    assert_int_equal(number_at(&answer, "bearers/1/limits/per_day/limit"), 2);
    assert_non_null(strstr(text_at(&answer, "bearers/1/reason"), "limit per_day until 2025-12-0"));
    answer_done(&answer);
    world_free(&world);
}

static void without_tariffs_and_cards_it_is_told_too(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_get(rig, "/v1/routes/explain", "to=+33700000001&text=%C3%A9");
    uint16_t bearer;

    (void)state;
    assert_string_equal(text_at(&answer, "choice/reason"), "It waits: there is no SIM.");
    assert_null(at(&answer, "currency"));
    answer_done(&answer);
    assert_int_equal(chooser_bearer_open(rig->chooser, ROUTE_SIM, CHEAP, 1, NULL, rig->loop_now, &bearer), 0);
    chooser_bearer_state(rig->chooser, bearer, true, true, 0);
    answer = ask_get(rig, "/v1/routes/explain", "to=+33700000001");
    assert_string_equal(text_at(&answer, "choice/reason"), "By " CHEAP ": the only one that can take it.");
    assert_null(at(&answer, "bearers/0/price"));
    answer_done(&answer);
    rig_free(rig);
}

static void what_is_not_taken_at_intake_is_explained_with_its_code(void **state)
{
    struct world world = world_new("");
    struct answer answer;

    (void)state;
    world_start(&world);
    answer = explain(&world, "to=+40906123456");
    assert_int_equal(answer.response.status, 200);
    assert_string_equal(text_at(&answer, "error/code"), "premium_number");
    assert_string_equal(text_at(&answer, "choice/when"), "refused");
    answer_done(&answer);
    world_free(&world);
}

static void a_question_that_makes_no_sense_is_refused(void **state)
{
    static const struct { const char *query, *parameter; } rows[] = {
        { "", "to" }, { "to=abc", "to" }, { "to=+33700000001&parts=0", "parts" }, { "to=+33700000001&parts=256", "parts" },
        { "to=+33700000001&parts=2x", "parts" }, { "to=+33700000001&parts=", "parts" }, { "to=+33700000001&parts=2&text=a", "parts" },
        { "to=+33700000001&text=", "text" }, { "to=+33700000001&text=\xff", "text" }, { "to=+33700000001&at=soon", "at" },
    };
    struct world world = world_new("");

    (void)state;
    world_start(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = explain(&world, rows[i].query);
        assert_problem(&answer, 400, "bad_parameter", NULL);
        assert_string_equal(text_at(&answer, "parameter"), rows[i].parameter);
        answer_done(&answer);
    }
    world_free(&world);
}

static void a_conversation_keeps_to_its_card_where_the_route_says_so(void **state)
{
    struct world world = world_new("prefix,bearers,sticky\n33,*,yes\n");
    struct store_change *change = change_new(CHANGE_INTENT, NOW_MS);
    struct answer answer;
    char id[ID_TEXT_MAX];

    (void)state;
    world_start(&world);
    rig_send(world.rig, "{\"to\":\"+33700000001\",\"text\":\"a\"}", id);
    change->u.intent.message_id = id_number(id);
    change->u.intent.sim_id = 2;
    change->u.intent.modem_id = 1;
    change->u.intent.remember = true;
    rig_apply(world.rig, change);
    assert_int_equal(change->result, 0);
    change_free(change);
    answer = explain(&world, "to=+33700000001");
    assert_string_equal(text_at(&answer, "choice/reason"), "By " DEAR ", 0.1 EUR: the number's conversation goes by it.");
    answer_done(&answer);
    answer = explain(&world, "to=+33700000002");
    assert_string_equal(text_at(&answer, "choice/bearer"), CHEAP);
    answer_done(&answer);
    world_free(&world);
}

/* -- quote -------------------------------------------------------------------------------------------------------- */

static void a_batch_is_priced_as_it_would_be_charged_also_where_it_uses_up_a_bundle(void **state)
{
    struct world world = world_new("");
    struct answer answer;

    (void)state;
    world_start(&world);
    take(&world, world.cheap, "33600000009", 2);   /* 3 of 5 are left */
    answer = quote(&world, "{\"to\":[\"+33600000001\",\"+33600000002\",\"+33600000003\",\"+33600000004\",\"+40722000001\",\"+40906123456\"],\"text\":\"a\"}");
    assert_int_equal(answer.response.status, 200);
    for (size_t i = 0; i < 3; i++) {
        char path[48];
        (void)snprintf(path, sizeof path, "messages/%zu/price/amount", i);
        assert_string_equal(text_at(&answer, path), "0");
        (void)snprintf(path, sizeof path, "messages/%zu/bundle/name", i);
        assert_string_equal(text_at(&answer, path), "home");
    }
    assert_string_equal(text_at(&answer, "messages/3/price/amount"), "0.05");
    assert_null(at(&answer, "messages/3/bundle"));
    assert_string_equal(text_at(&answer, "messages/4/bearer"), DEAR);
    assert_string_equal(text_at(&answer, "messages/4/price/amount"), "0.02");
    assert_string_equal(text_at(&answer, "messages/4/when"), "now");
    assert_string_equal(text_at(&answer, "messages/5/error/code"), "premium_number");
    assert_int_equal(number_at(&answer, "total/messages"), 5);
    assert_int_equal(number_at(&answer, "total/rejected"), 1);
    assert_int_equal(number_at(&answer, "total/unpriced"), 0);
    assert_string_equal(text_at(&answer, "total/price/amount"), "0.07");
    assert_int_equal(number_at(&answer, "bearers/0/bundle_parts"), 3);
    answer_done(&answer);

    answer = quote(&world, "{\"to\":\"+33600000001\",\"text\":\"a\"}");   /* nothing was counted */
    assert_string_equal(text_at(&answer, "messages/0/price/amount"), "0");
    answer_done(&answer);
    answer = ask_get(world.rig, "/v1/messages", NULL);
    assert_int_equal(json_array_size(at(&answer, "messages")), 0);
    answer_done(&answer);
    world_free(&world);
}

static void what_a_daily_limit_has_no_room_for_is_priced_by_the_next_card(void **state)
{
    struct world world = world_new("");
    struct answer answer;

    (void)state;
    world.sims[0].limits.per_day = 2;
    world_start(&world);
    answer = quote(&world, "{\"to\":[\"+33700000001\",\"+33700000002\",\"+33700000003\"],\"text\":\"a\"}");
    assert_string_equal(text_at(&answer, "messages/1/bearer"), CHEAP);
    assert_string_equal(text_at(&answer, "messages/2/bearer"), DEAR);
    assert_string_equal(text_at(&answer, "total/price/amount"), "0.2");
    answer_done(&answer);

    world.sims[0].limits = (struct limit_rules){ .spend_per_day_micro = 60000 };
    assert_int_equal(chooser_configure(world.rig->chooser, &world.routing, world.rig->loop_now), 0);
    answer = quote(&world, "{\"to\":[\"+33700000001\",\"+33700000002\"],\"text\":\"a\"}");
    assert_string_equal(text_at(&answer, "messages/0/bearer"), CHEAP);
    assert_string_equal(text_at(&answer, "messages/1/bearer"), DEAR);
    answer_done(&answer);
    world_free(&world);
}

static void what_the_credit_has_no_room_for_is_priced_by_the_next_card_and_explained(void **state)
{
    struct world world = world_new("");
    struct answer answer;

    (void)state;
    world_start(&world);
    chooser_bearer_balance(world.rig->chooser, world.cheap, 60000, -1, world.rig->loop_now);
    answer = quote(&world, "{\"to\":[\"+33700000001\",\"+33700000002\"],\"text\":\"a\"}");
    assert_string_equal(text_at(&answer, "messages/0/bearer"), CHEAP);
    assert_string_equal(text_at(&answer, "messages/1/bearer"), DEAR);
    answer_done(&answer);
    answer = explain(&world, "to=+33700000001&parts=2");
    assert_string_equal(text_at(&answer, "choice/bearer"), DEAR);
    assert_string_equal(text_at(&answer, "bearers/1/verdict"), "no_credit");
    assert_string_equal(text_at(&answer, "bearers/1/reason"), "its operator said that less than that is left");
    answer_done(&answer);
    world_free(&world);
}

static void a_message_for_later_is_priced_by_its_day(void **state)
{
    struct world world = world_new("");
    struct answer answer;

    (void)state;
    world_start(&world);
    answer = quote(&world, "{\"messages\":[{\"to\":\"+33700000001\",\"text\":\"a\",\"schedule_at\":\"2027-02-01T00:00:00Z\"},{\"to\":\"+33700000001\",\"text\":\"a\"}]}");
    assert_string_equal(text_at(&answer, "messages/0/price/amount"), "0.1");
    assert_string_equal(text_at(&answer, "messages/1/price/amount"), "0.05");
    answer_done(&answer);
    world_free(&world);
}

static void a_large_batch_is_quoted_in_slices_and_comes_to_the_same(void **state)
{
    struct world world = world_new("");
    struct survey survey = { .kind = SURVEY_QUOTE, .lines = calloc(10000, sizeof *survey.lines), .line_count = 10000 };
    unsigned slices = 1;
    int64_t total_micro = 0;

    (void)state;
    world_start(&world);
    for (uint32_t i = 0; i < 10000; i++)
        survey.lines[i].ask = (struct survey_ask){ .to_key = digits_pack("33600000001", 11, NULL), .parts = 2, .patience_s = MESSAGE_PATIENCE_AS_ROUTED };
    while (survey_step(&survey, world.rig->chooser, world.rig->loop_now)) {
        slices++;
        assert_true(slices < 100);
    }
    assert_int_equal(survey.error, 0);
    assert_true(slices > 4);
    for (uint32_t i = 0; i < 10000; i++)
        total_micro += survey.lines[i].price_micro;
    assert_int_equal(total_micro, INT64_C(9998) * 90000);   /* of 5 parts of the bundle two messages have four */
    assert_int_equal(survey.tallies[world.cheap].bundle_parts, 4);
    survey_done(&survey);
    world_free(&world);
}

static void new_tariffs_amid_a_quote_begin_it_anew(void **state)
{
    struct world world = world_new("");
    struct routing other = world.routing;
    struct survey survey = { .kind = SURVEY_QUOTE, .lines = calloc(5000, sizeof *survey.lines), .line_count = 5000 };

    (void)state;
    world_start(&world);
    for (uint32_t i = 0; i < 5000; i++)
        survey.lines[i].ask = (struct survey_ask){ .to_key = digits_pack("33700000001", 11, NULL), .parts = 1 };
    assert_true(survey_step(&survey, world.rig->chooser, world.rig->loop_now));
    assert_int_equal(survey.lines[0].price_micro, 50000);
    other.sims = &world.sims[1];         /* the cheap one has no tariff any more */
    other.sim_count = 1;
    assert_int_equal(chooser_configure(world.rig->chooser, &other, world.rig->loop_now), 0);
    while (survey_step(&survey, world.rig->chooser, world.rig->loop_now))
        continue;
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(survey.lines[i].price_micro, 100000);
    survey_done(&survey);
    world_free(&world);
}

static void a_quote_is_refused_as_the_message_would_be(void **state)
{
    static const char *const bodies[] = {
        "{\"to\":\"abc\",\"text\":\"a\"}", "{\"to\":\"+33700000001\",\"text\":\"\"}", "{\"to\":\"+33700000001\"}", "{\"to\":[],\"text\":\"a\"}",
        "{\"to\":\"+33700000001\",\"text\":\"a\",\"x\":1}", "{\"to\":[\"a\",\"b\"],\"text\":\"a\"}", "[]", "{",
    };
    struct world world = world_new("");

    (void)state;
    world_start(&world);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct answer quoted = quote(&world, bodies[i]), sent = ask_send(world.rig, bodies[i]);
        assert_true(quoted.response.status >= 400);
        assert_string_equal(quoted.response.body, sent.response.body);
        answer_done(&quoted);
        answer_done(&sent);
    }
    world_free(&world);
}

static void who_is_on_the_opt_out_list_is_quoted_and_explained_as_refused(void **state)
{
    struct world world = world_new("");
    struct answer answer = ask(world.rig, &(struct ask){ .method = "PUT", .path = "/v1/opt-outs/+33700000001" }), sent;

    (void)state;
    assert_int_equal(answer.response.status, 201);
    answer_done(&answer);
    world_start(&world);
    answer = quote(&world, "{\"to\":[\"+33700000001\"],\"text\":\"a\"}");
    sent = ask_send(world.rig, "{\"to\":[\"+33700000001\"],\"text\":\"a\"}");
    assert_problem(&answer, 422, "opted_out", "/to/0");
    assert_string_equal(answer.response.body, sent.response.body);
    answer_done(&sent);
    answer_done(&answer);
    answer = quote(&world, "{\"to\":[\"+33700000001\",\"+33700000002\"],\"text\":\"a\"}");
    assert_string_equal(text_at(&answer, "messages/0/error/code"), "opted_out");
    assert_string_equal(text_at(&answer, "messages/1/price/amount"), "0.05");
    assert_int_equal(number_at(&answer, "total/rejected"), 1);
    answer_done(&answer);
    answer = explain(&world, "to=+33700000001");
    assert_string_equal(text_at(&answer, "error/code"), "opted_out");
    assert_string_equal(text_at(&answer, "choice/reason"), "Not taken: the recipient is on the opt-out list.");
    answer_done(&answer);
    world_free(&world);
}

/* -- cards -------------------------------------------------------------------------------------------------------- */

static void cards_show_what_they_used_and_what_is_left(void **state)
{
    struct world world = world_new("");
    struct answer answer;
    uint32_t sim, modem;

    (void)state;
    memcpy(world.sims[0].iccid, "8940011234567890123", 20);   /* as the store knows it */
    world.sims[0].limits = (struct limit_rules){ .per_day = 10, .spend_per_month_micro = 5000000 };
    world.routing.sims = world.sims;
    world.routing.sim_count = 2;
    rig_sim(world.rig, &sim, &modem);
    answer = ask_get(world.rig, "/v1/sims", NULL);
    assert_string_equal(text_at(&answer, "sims/0/state"), "away");
    assert_null(at(&answer, "sims/0/limits"));
    answer_done(&answer);
    assert_int_equal(chooser_configure(world.rig->chooser, &world.routing, world.rig->loop_now), 0);
    assert_int_equal(chooser_bearer_open(world.rig->chooser, ROUTE_SIM, world.sims[0].iccid, sim, NULL, world.rig->loop_now, &world.cheap), 0);
    chooser_bearer_state(world.rig->chooser, world.cheap, true, true, 0);
    take(&world, world.cheap, "33700000009", 2);
    take(&world, world.cheap, "33600000009", 1);
    answer = ask_get(world.rig, "/v1/sims", NULL);
    assert_string_equal(text_at(&answer, "sims/0/name"), "one");
    assert_string_equal(text_at(&answer, "sims/0/state"), "ready");
    assert_string_equal(text_at(&answer, "sims/0/tariff"), "cheap");
    assert_string_equal(text_at(&answer, "sims/0/tags/0"), "office");
    assert_int_equal(number_at(&answer, "sims/0/limits/per_day/used"), 3);
    assert_int_equal(number_at(&answer, "sims/0/limits/per_day/limit"), 10);
    assert_string_equal(text_at(&answer, "sims/0/limits/per_day/resets_at"), "2025-12-02T00:00:00.000Z");
    assert_int_equal(number_at(&answer, "sims/0/limits/per_month/used"), 3);
    assert_null(at(&answer, "sims/0/limits/per_month/limit"));
    assert_null(at(&answer, "sims/0/limits/per_hour"));
    assert_string_equal(text_at(&answer, "sims/0/limits/spend_per_month/limit/amount"), "5");
    assert_string_equal(text_at(&answer, "sims/0/spent/today/amount"), "0.09");
    assert_string_equal(text_at(&answer, "sims/0/spent/this_month/amount"), "0.09");
    assert_string_equal(text_at(&answer, "sims/0/bundles/0/name"), "home");
    assert_int_equal(number_at(&answer, "sims/0/bundles/0/left"), 4);
    assert_int_equal(number_at(&answer, "sims/0/bundles/0/parts"), 5);
    assert_string_equal(text_at(&answer, "sims/0/bundles/0/resets_at"), "2026-01-01T00:00:00.000Z");
    assert_null(at(&answer, "sims/0/used_up_until"));
    answer_done(&answer);
    world_free(&world);
}

static void a_card_that_is_used_up_says_when_the_last_of_its_limits_begins_anew(void **state)
{
    static const struct { struct limit_rules limits; const char *until; } rows[] = {
        { { .per_day = 4 }, "" },
        { { .per_day = 3 }, "2025-12-02T00:00:00.000Z" },
        { { .per_month = 3 }, "2026-01-01T00:00:00.000Z" },
        { { .per_day = 3, .per_month = 3 }, "2026-01-01T00:00:00.000Z" },
        { { .per_day = 3, .per_month = 4 }, "2025-12-02T00:00:00.000Z" },
        { { .spend_per_day_micro = 90000 }, "2025-12-02T00:00:00.000Z" },      /* what was spent, to the millionth */
        { { .per_hour = 3 }, "" },                                             /* slides: there is no one moment */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world = world_new("");
        struct answer answer;
        uint32_t sim, modem;

        memcpy(world.sims[0].iccid, "8940011234567890123", 20);
        world.sims[0].limits = rows[i].limits;
        world.routing.sims = world.sims;
        world.routing.sim_count = 2;
        rig_sim(world.rig, &sim, &modem);
        assert_int_equal(chooser_configure(world.rig->chooser, &world.routing, world.rig->loop_now), 0);
        assert_int_equal(chooser_bearer_open(world.rig->chooser, ROUTE_SIM, world.sims[0].iccid, sim, NULL, world.rig->loop_now, &world.cheap), 0);
        take(&world, world.cheap, "33700000009", 2);
        take(&world, world.cheap, "33600000009", 1);
        answer = ask_get(world.rig, "/v1/sims", NULL);
        if (rows[i].until[0] == '\0')
            assert_null(at(&answer, "sims/0/used_up_until"));
        else
            assert_string_equal(text_at(&answer, "sims/0/used_up_until"), rows[i].until);
        answer_done(&answer);
        world_free(&world);
    }
}

/* -- intake ------------------------------------------------------------------------------------------------------- */

static void a_route_refuses_with_its_note_and_decides_about_fixed_lines(void **state)
{
    static const struct { enum api_route_verdict route; bool fixed_lines; const char *to, *code; } rows[] = {
        { API_ROUTE_AS_CONFIGURED, false, "+40722000001", NULL }, { API_ROUTE_AS_CONFIGURED, false, "+40213101234", "fixed_line" },
        { API_ROUTE_AS_CONFIGURED, true, "+40213101234", NULL }, { API_ROUTE_FIXED_YES, false, "+40213101234", NULL },
        { API_ROUTE_FIXED_NO, true, "+40213101234", "fixed_line" }, { API_ROUTE_FIXED_NO, true, "+40722000001", NULL },
        { API_ROUTE_REFUSED, true, "+40722000001", "route_refused" }, { API_ROUTE_REFUSED, true, "+40213101234", "route_refused" },
        { API_ROUTE_REFUSED, true, "8080", "route_refused" }, { API_ROUTE_FIXED_YES, true, "+40906123456", "premium_number" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *rig = rig_new(&(struct api_config){ .fixed_lines = rows[i].fixed_lines });
        struct answer answer;
        char body[128];

        rig->route = rows[i].route;
        rig->route_note = "ask the office first";
        (void)snprintf(body, sizeof body, "{\"to\":\"%s\",\"text\":\"a\"}", rows[i].to);
        answer = ask_send(rig, body);
        if (rows[i].code)
            assert_problem(&answer, 422, rows[i].code, "/to");
        else
            assert_int_equal(answer.response.status, 202);
        if (rows[i].route == API_ROUTE_REFUSED)
            assert_non_null(strstr(text_at(&answer, "detail"), "is refused by its route: ask the office first"));
        answer_done(&answer);
        rig_free(rig);
    }
}

static void what_the_tables_say_is_what_intake_is_told(void **state)
{
    static const struct { const char *to, *code; } rows[] = {
        { "+33700000001", "route_refused" }, { "+33612345678", NULL }, { "+40213101234", NULL }, { "+33142685300", "route_refused" },
        { "+41443643533", "fixed_line" }, { "8080", "route_refused" }, { "3080", NULL },
    };
    struct world world = world_new("prefix,action,fixed_lines,note\n33,refuse,,not there\n336,send,,\n40,send,yes,\n41,send,no,\nshort:8,refuse,,no codes\n");

    (void)state;
    world.rig->routing = &world.routing;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        char body[128];

        (void)snprintf(body, sizeof body, "{\"to\":\"%s\",\"text\":\"a\"}", rows[i].to);
        answer = ask_send(world.rig, body);
        if (rows[i].code)
            assert_problem(&answer, 422, rows[i].code, "/to");
        else
            assert_int_equal(answer.response.status, 202);
        answer_done(&answer);
    }
    world_free(&world);
}

static void a_note_of_any_length_leaves_a_good_reason(void **state)
{
    struct rig *rig = rig_new(NULL);
    char note[API_ROUTE_NOTE_MAX] = "";
    struct answer answer;

    (void)state;
    for (size_t i = 0; i + 3 < sizeof note; i += 2)
        memcpy(note + i, "\xC3\xA9", 3);
    rig->route = API_ROUTE_REFUSED;
    rig->route_note = note;
    answer = ask_send(rig, "{\"to\":[\"+40722000001\",\"+40722000002\"],\"text\":\"a\"}");
    assert_problem(&answer, 422, "all_rejected", NULL);
    assert_string_equal(text_at(&answer, "errors/1/code"), "route_refused");
    answer_done(&answer);
    rig_free(rig);
}

static uint32_t patience_of(const char *member)
{
    struct rig *rig = rig_new(NULL);
    struct store_change *list = change_new(CHANGE_FETCH, NOW_MS);
    char body[128], id[ID_TEXT_MAX];
    uint32_t patience_s;

    (void)snprintf(body, sizeof body, "{\"to\":\"+40722000001\",\"text\":\"a\"%s}", member);
    rig_send(rig, body, id);
    list->u.fetch.after_priority = MESSAGE_PRIORITY_MAX;
    list->u.fetch.limit = 10;
    rig_apply(rig, list);
    assert_int_equal(list->u.fetch.item_count, 1);
    patience_s = list->u.fetch.items[0].patience_s;
    change_free(list);
    rig_free(rig);
    return patience_s;
}

static void patience_is_kept_and_absent_means_as_routed(void **state)
{
    struct rig *rig = rig_new(NULL);
    static const struct { const char *body, *code; } rows[] = {
        { "{\"to\":\"+40722000001\",\"text\":\"a\",\"patience_s\":-1}", "bad_value" },
        { "{\"to\":\"+40722000001\",\"text\":\"a\",\"patience_s\":38102401}", "bad_value" },
        { "{\"to\":\"+40722000001\",\"text\":\"a\",\"patience_s\":\"10m\"}", "wrong_type" },
        { "{\"to\":\"+40722000001\",\"text\":\"a\",\"country\":\"XX\"}", "bad_value" },
        { "{\"to\":\"+40722000001\",\"text\":\"a\",\"country\":\"ROU\"}", "bad_value" },
        { "{\"to\":\"+40722000001\",\"text\":\"a\",\"country\":40}", "wrong_type" },
    };

    (void)state;
    assert_int_equal(patience_of(",\"patience_s\":600"), 600);
    assert_int_equal(patience_of(",\"patience_s\":0"), 0);
    assert_int_equal(patience_of(""), MESSAGE_PATIENCE_AS_ROUTED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = ask_send(rig, rows[i].body);
        assert_problem(&answer, 400, rows[i].code, NULL);
        answer_done(&answer);
    }
    rig_free(rig);
}

static void national_numbers_are_read_in_the_country_of_their_request(void **state)
{
    struct rig *rig = rig_new(&(struct api_config){ .country = "FR" });
    struct answer answer = ask_send(rig, "{\"messages\":[{\"to\":\"0722123456\",\"country\":\"RO\",\"text\":\"a\"},{\"to\":\"0612345678\",\"text\":\"a\"},"
                                         "{\"country\":\"ro\",\"to\":\"0722123457\",\"text\":\"a\"}]}");

    (void)state;
    assert_string_equal(text_at(&answer, "messages/0/to"), "+40722123456");
    assert_string_equal(text_at(&answer, "messages/1/to"), "+33612345678");
    assert_string_equal(text_at(&answer, "messages/2/to"), "+40722123457");
    answer_done(&answer);
    rig_free(rig);
}

/* -- what was sent ------------------------------------------------------------------------------------------------ */

static void an_attempt_shows_what_it_cost_and_why_it_went_that_way(void **state)
{
    static const struct { int64_t price_micro; const char *choice; bool shown; } rows[] = {
        { 49000, "{\"plan\":\"cheap\",\"others\":[{\"bearer\":\"89\",\"verdict\":\"limit\"}]}", true }, { -1, NULL, false }, { 0, "not json", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *rig = rig_new(NULL);
        struct store_change *change = change_new(CHANGE_INTENT, NOW_MS);
        struct answer answer;
        char id[ID_TEXT_MAX];

        rig->currency = "EUR";
        rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"a\"}", id);
        change->u.intent.message_id = id_number(id);
        rig_sim(rig, &change->u.intent.sim_id, &change->u.intent.modem_id);
        change->u.intent.price_micro = rows[i].price_micro;
        change->u.intent.choice = rows[i].choice ? strdup(rows[i].choice) : NULL;
        rig_apply(rig, change);
        assert_int_equal(change->result, 0);
        change_free(change);
        answer = show(rig, id);
        if (rows[i].price_micro >= 0)
            assert_string_equal(text_at(&answer, "parts/0/attempt_log/0/price/amount"), rows[i].price_micro == 0 ? "0" : "0.049");
        if (rows[i].price_micro >= 0)
            assert_string_equal(text_at(&answer, "parts/0/attempt_log/0/price/currency"), "EUR");
        else
            assert_null(at(&answer, "parts/0/attempt_log/0/price"));
        if (rows[i].shown)
            assert_string_equal(text_at(&answer, "parts/0/attempt_log/0/choice/others/0/verdict"), "limit");
        else
            assert_null(at(&answer, "parts/0/attempt_log/0/choice"));
        answer_done(&answer);
        rig_free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_is_chosen_and_each_has_its_row_and_its_price),
        cmocka_unit_test(prices_are_those_of_the_day_that_is_asked_for),
        cmocka_unit_test(every_verdict_has_its_reason),
        cmocka_unit_test(what_a_card_is_doing_decides_when_it_goes),
        cmocka_unit_test(who_asks_with_a_key_is_told_by_the_patience_of_that_key),
        cmocka_unit_test(a_limit_says_which_and_until_when),
        cmocka_unit_test(without_tariffs_and_cards_it_is_told_too),
        cmocka_unit_test(what_is_not_taken_at_intake_is_explained_with_its_code),
        cmocka_unit_test(a_question_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_conversation_keeps_to_its_card_where_the_route_says_so),
        cmocka_unit_test(a_batch_is_priced_as_it_would_be_charged_also_where_it_uses_up_a_bundle),
        cmocka_unit_test(what_a_daily_limit_has_no_room_for_is_priced_by_the_next_card),
        cmocka_unit_test(what_the_credit_has_no_room_for_is_priced_by_the_next_card_and_explained),
        cmocka_unit_test(a_message_for_later_is_priced_by_its_day),
        cmocka_unit_test(a_large_batch_is_quoted_in_slices_and_comes_to_the_same),
        cmocka_unit_test(new_tariffs_amid_a_quote_begin_it_anew),
        cmocka_unit_test(a_quote_is_refused_as_the_message_would_be),
        cmocka_unit_test(who_is_on_the_opt_out_list_is_quoted_and_explained_as_refused),
        cmocka_unit_test(cards_show_what_they_used_and_what_is_left),
        cmocka_unit_test(a_card_that_is_used_up_says_when_the_last_of_its_limits_begins_anew),
        cmocka_unit_test(a_route_refuses_with_its_note_and_decides_about_fixed_lines),
        cmocka_unit_test(what_the_tables_say_is_what_intake_is_told),
        cmocka_unit_test(a_note_of_any_length_leaves_a_good_reason),
        cmocka_unit_test(patience_is_kept_and_absent_means_as_routed),
        cmocka_unit_test(national_numbers_are_read_in_the_country_of_their_request),
        cmocka_unit_test(an_attempt_shows_what_it_cost_and_why_it_went_that_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
