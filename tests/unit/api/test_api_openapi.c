/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/openapi.yaml against the routing table, in both directions; and the document against itself. (Each answer of each
 * test of the API is held against it too: rig.h.) */
#include "tests/unit/api/rig.h"

#include "src/api/api_internal.h"

static const char *lower_case(const char *method, char ret_lower[16])
{
    size_t i = 0;

    for (; method[i]; i++)
        ret_lower[i] = (char)(method[i] | 0x20);
    ret_lower[i] = '\0';
    return ret_lower;
}

static const struct api_route *route_of(const char *method, const char *pattern)
{
    size_t count;
    const struct api_route *routes = api_routes(&count);
    char lower[16];

    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].pattern, pattern) == 0 && strcmp(lower_case(routes[i].method, lower), method) == 0)
            return &routes[i];
    return NULL;
}

static bool route_has_status(const struct api_route *route, int status)
{
    for (size_t i = 0; route->statuses[i]; i++)
        if (route->statuses[i] == status)
            return true;
    return false;
}

static void every_route_and_status_is_documented(void **state)
{
    struct rig *rig = rig_new(NULL);
    size_t count;
    const struct api_route *routes = api_routes(&count);

    (void)state;
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        char lower[16], status[16];
        json_t *paths = json_object_get(rig->openapi, "paths");
        json_t *responses = json_object_get(json_object_get(json_object_get(paths, routes[i].pattern), lower_case(routes[i].method, lower)), "responses");
        for (size_t k = 0; routes[i].statuses[k]; k++) {
            (void)snprintf(status, sizeof status, "%d", routes[i].statuses[k]);
            if (!json_object_get(responses, status))
                fail_msg("%s %s: %s is not documented", routes[i].method, routes[i].pattern, status);
        }
    }
    rig_free(rig);
}

static void everything_documented_is_served(void **state)
{
    struct rig *rig = rig_new(NULL);
    const char *pattern, *method, *status;
    json_t *operations, *operation, *response;

    (void)state;
    json_object_foreach (json_object_get(rig->openapi, "paths"), pattern, operations) {
        json_object_foreach (operations, method, operation) {
            const struct api_route *route = route_of(method, pattern);
            if (!route) {
                fail_msg("%s %s is documented, not served", method, pattern);
                break;
            }
            json_object_foreach (json_object_get(operation, "responses"), status, response)
                if (!route_has_status(route, atoi(status)))
                    fail_msg("%s %s: %s is documented, not served", method, pattern, status);
        }
    }
    rig_free(rig);
}

static void parameters_and_scopes_are_documented_as_they_are(void **state)
{
    static const struct { unsigned bit; const char *name; } scopes[] = {
        { API_SCOPE_SEND, "send" }, { API_SCOPE_READ, "read" }, { API_SCOPE_INBOX, "inbox" }, { API_SCOPE_ADMIN, "admin" },
    };
    struct rig *rig = rig_new(NULL);
    struct schema_check check = { .document = rig->openapi };
    size_t count;
    const struct api_route *routes = api_routes(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char lower[16];
        json_t *operation = json_object_get(json_object_get(json_object_get(rig->openapi, "paths"), routes[i].pattern), lower_case(routes[i].method, lower));
        json_t *item;
        size_t k, documented = 0, known = 0;
        while (routes[i].queries && routes[i].queries[known])
            known++;
        json_array_foreach (json_object_get(operation, "parameters"), k, item) {
            json_t *parameter = schema_resolve(&check, item);
            const char *name = json_string_value(json_object_get(parameter, "name"));
            size_t q = 0;
            if (strcmp(json_string_value(json_object_get(parameter, "in")), "query") != 0)
                continue;
            documented++;
            while (q < known && strcmp(routes[i].queries[q], name) != 0)
                q++;
            if (q == known)
                fail_msg("%s %s: ?%s is documented, not served", routes[i].method, routes[i].pattern, name);
        }
        assert_int_equal(documented, known);
        if (routes[i].scope == 0)
            assert_int_equal(json_array_size(json_object_get(operation, "security")), 0);
        for (size_t s = 0; s < 4; s++)
            if (routes[i].scope == scopes[s].bit)
                assert_string_equal(json_string_value(json_object_get(operation, "x-scope")), scopes[s].name);
    }
    rig_free(rig);
}

static void every_problem_code_is_documented_and_no_other(void **state)
{
    struct rig *rig = rig_new(NULL);
    json_t *schemas = json_object_get(json_object_get(rig->openapi, "components"), "schemas");
    json_t *codes = json_object_get(json_object_get(json_object_get(json_object_get(schemas, "Problem"), "properties"), "code"), "enum"), *item;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(codes), PROBLEM_COUNT);
    json_array_foreach (codes, i, item)
        assert_string_equal(json_string_value(item), api_problem_code_name((enum api_problem_code)i));
    rig_free(rig);
}

static void every_message_state_is_documented(void **state)
{
    struct rig *rig = rig_new(NULL);
    json_t *schemas = json_object_get(json_object_get(rig->openapi, "components"), "schemas");
    json_t *states = json_object_get(json_object_get(schemas, "State"), "enum");

    (void)state;
    assert_int_equal(json_array_size(states), MESSAGE_STATE_LAST);
    for (int i = MESSAGE_SCHEDULED; i <= MESSAGE_STATE_LAST; i++)
        assert_string_equal(json_string_value(json_array_get(states, (size_t)i - 1)), message_state_name((enum message_state)i));
    rig_free(rig);
}

static void every_attempt_state_and_every_policy_is_documented(void **state)
{
    struct rig *rig = rig_new(NULL);
    json_t *schemas = json_object_get(json_object_get(rig->openapi, "components"), "schemas");
    json_t *attempt = json_object_get(json_object_get(json_object_get(schemas, "Attempt"), "properties"), "state");
    json_t *states = json_object_get(attempt, "enum"), *policies = json_object_get(json_object_get(schemas, "Policy"), "enum");

    (void)state;
    assert_int_equal(json_array_size(states), ATTEMPT_RELEASED);
    for (int i = ATTEMPT_INTENT; i <= ATTEMPT_RELEASED; i++)
        assert_string_equal(json_string_value(json_array_get(states, (size_t)i - 1)), attempt_state_name((enum attempt_state)i));
    assert_string_equal(attempt_state_name((enum attempt_state)(ATTEMPT_RELEASED + 1)), "invalid");   /* that was the last */
    assert_int_equal(json_array_size(policies), MESSAGE_AT_LEAST_ONCE + 1);
    for (int i = MESSAGE_AT_MOST_ONCE; i <= MESSAGE_AT_LEAST_ONCE; i++)
        assert_string_equal(json_string_value(json_array_get(policies, (size_t)i)), message_policy_name((enum message_policy)i));
    rig_free(rig);
}

static size_t follow_references(struct schema_check *check, json_t *node)
{
    const char *key;
    json_t *value;
    size_t i, count = 0;

    if (json_object_get(node, "$ref")) {
        assert_non_null(schema_resolve(check, node));
        return 1;
    }
    json_object_foreach (node, key, value)
        count += follow_references(check, value);
    json_array_foreach (node, i, value)
        count += follow_references(check, value);
    return count;
}

static void every_reference_of_the_document_leads_somewhere(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct schema_check check = { .document = rig->openapi };

    (void)state;
    assert_true(follow_references(&check, rig->openapi) > 100);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_and_status_is_documented),
        cmocka_unit_test(everything_documented_is_served),
        cmocka_unit_test(parameters_and_scopes_are_documented_as_they_are),
        cmocka_unit_test(every_problem_code_is_documented_and_no_other),
        cmocka_unit_test(every_message_state_is_documented),
        cmocka_unit_test(every_attempt_state_and_every_policy_is_documented),
        cmocka_unit_test(every_reference_of_the_document_leads_somewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
