/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may be spoken with: certificates made here, of authorities and servers right and wrong, by clocks right and wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

#include "firmware/cellpostd/tls_verify.h"

#define DAY INT64_C(86400)
#define NOW (20000 * DAY)                    /* 2024-10-04 */

struct made { gnutls_x509_crt_t certificate; gnutls_x509_privkey_t key; gnutls_datum_t der, pem; uint8_t pin[TLS_PIN_OCTETS]; };

static struct made ca, other_ca, other_ca_same_name, server, foreign, box, middle, below;

static void make(struct made *made, const char *name, const char *host, const struct made *issuer, int64_t from_s, int64_t until_s, const char *purpose)
{
    static unsigned char serial = 1;
    size_t size = sizeof made->pin;

    assert_int_equal(gnutls_x509_privkey_init(&made->key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    assert_int_equal(gnutls_x509_crt_init(&made->certificate), 0);
    assert_int_equal(gnutls_x509_crt_set_version(made->certificate, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(made->certificate, &serial, 1), 0);
    serial++;
    assert_int_equal(gnutls_x509_crt_set_dn_by_oid(made->certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(made->certificate, (time_t)from_s), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(made->certificate, (time_t)until_s), 0);
    assert_int_equal(gnutls_x509_crt_set_key(made->certificate, made->key), 0);
    if (host != NULL)
        assert_int_equal(gnutls_x509_crt_set_subject_alt_name(made->certificate, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host), GNUTLS_FSAN_SET), 0);
    if (purpose != NULL)
        assert_int_equal(gnutls_x509_crt_set_key_purpose_oid(made->certificate, purpose, 0), 0);
    assert_int_equal(gnutls_x509_crt_set_basic_constraints(made->certificate, host == NULL, -1), 0);
    if (host == NULL)
        assert_int_equal(gnutls_x509_crt_set_key_usage(made->certificate, GNUTLS_KEY_KEY_CERT_SIGN), 0);
    if (issuer == NULL)
        issuer = made;
    assert_int_equal(gnutls_x509_crt_sign2(made->certificate, issuer->certificate, issuer->key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(made->certificate, GNUTLS_X509_FMT_DER, &made->der), 0);
    assert_int_equal(gnutls_x509_crt_export2(made->certificate, GNUTLS_X509_FMT_PEM, &made->pem), 0);
    assert_int_equal(gnutls_x509_crt_get_key_id(made->certificate, GNUTLS_KEYID_USE_SHA256, made->pin, &size), 0);
}

static void done(struct made *made)
{
    gnutls_x509_crt_deinit(made->certificate);
    gnutls_x509_privkey_deinit(made->key);
    gnutls_free(made->der.data);
    gnutls_free(made->pem.data);
}

static int set_up(void **state)
{
    (void)state;
    make(&ca, "Account CA", NULL, NULL, NOW - 1000 * DAY, NOW + 1000 * DAY, NULL);
    make(&other_ca, "Another CA", NULL, NULL, NOW - 1000 * DAY, NOW + 1000 * DAY, NULL);
    make(&other_ca_same_name, "Account CA", NULL, NULL, NOW - 1000 * DAY, NOW + 1000 * DAY, NULL);
    make(&server, "server", "account.example", &ca, NOW - 10 * DAY, NOW + 10 * DAY, GNUTLS_KP_TLS_WWW_SERVER);
    make(&foreign, "server", "account.example", &other_ca_same_name, NOW - 10 * DAY, NOW + 10 * DAY, GNUTLS_KP_TLS_WWW_SERVER);
    make(&box, "box", "account.example", &ca, NOW - 10 * DAY, NOW + 10 * DAY, GNUTLS_KP_TLS_WWW_CLIENT);
    make(&middle, "Middle CA", NULL, &ca, NOW - 100 * DAY, NOW + 100 * DAY, NULL);
    make(&below, "server", "account.example", &middle, NOW - 10 * DAY, NOW + 10 * DAY, NULL);
    return 0;
}

static int tear_down(void **state)
{
    struct made *all[] = { &ca, &other_ca, &other_ca_same_name, &server, &foreign, &box, &middle, &below };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        done(all[i]);
    return 0;
}

static struct tls_rules rules_of(const struct made *authority, const struct made *pinned)
{
    struct tls_rules rules = { .host = "account.example", .now_s = NOW, .has_pin = pinned != NULL };

    if (authority != NULL) {
        rules.ca = (const char *)authority->pem.data;
        rules.ca_length = authority->pem.size;
    }
    if (pinned != NULL)
        memcpy(rules.pin, pinned->pin, sizeof rules.pin);
    return rules;
}

static enum tls_verdict judge(const struct tls_rules *rules, const struct made *first, const struct made *second, const struct made *third)
{
    gnutls_datum_t chain[3] = { first->der, second != NULL ? second->der : (gnutls_datum_t){ 0 }, third != NULL ? third->der : (gnutls_datum_t){ 0 } };

    return tls_verify(rules, chain, third != NULL ? 3 : second != NULL ? 2 : 1);
}

static void a_server_of_the_ca_under_its_name_is_the_account(void **state)
{
    struct tls_rules rules = rules_of(&ca, NULL);

    (void)state;
    assert_int_equal(judge(&rules, &server, NULL, NULL), TLS_GOOD);
    assert_int_equal(judge(&rules, &server, &ca, NULL), TLS_GOOD);
    assert_int_equal(judge(&rules, &below, &middle, NULL), TLS_GOOD);
    assert_int_equal(judge(&rules, &below, &middle, &ca), TLS_GOOD);
}

static void another_authority_is_not_believed_also_under_the_same_name(void **state)
{
    struct tls_rules rules = rules_of(&ca, NULL), other = rules_of(&other_ca, NULL);

    (void)state;
    assert_int_equal(judge(&other, &server, NULL, NULL), TLS_OTHER_CA);
    assert_int_equal(judge(&other, &server, &ca, NULL), TLS_OTHER_CA);
    assert_int_equal(judge(&rules, &foreign, NULL, NULL), TLS_OTHER_CA);
    assert_int_equal(judge(&rules, &foreign, &ca, NULL), TLS_OTHER_CA);
    assert_int_equal(judge(&rules, &below, NULL, NULL), TLS_OTHER_CA);
}

static void another_name_is_not_believed_with_a_ca(void **state)
{
    struct tls_rules rules = rules_of(&ca, NULL);

    (void)state;
    rules.host = "elsewhere.example";
    assert_int_equal(judge(&rules, &server, NULL, NULL), TLS_OTHER_HOST);
}

static void a_certificate_made_for_a_box_is_no_server(void **state)
{
    struct tls_rules rules = rules_of(&ca, NULL), pinned = rules_of(NULL, &ca);

    (void)state;
    assert_int_not_equal(judge(&rules, &box, NULL, NULL), TLS_GOOD);
    assert_int_not_equal(judge(&pinned, &box, &ca, NULL), TLS_GOOD);
}

static void the_pin_of_the_server_is_enough_under_any_name(void **state)
{
    struct tls_rules rules = rules_of(NULL, &server);

    (void)state;
    assert_int_equal(judge(&rules, &server, NULL, NULL), TLS_GOOD);
    rules.host = "192.0.2.7";
    assert_int_equal(judge(&rules, &server, NULL, NULL), TLS_GOOD);
    assert_int_equal(judge(&rules, &foreign, NULL, NULL), TLS_OTHER_KEY);
    /* Shown behind somebody else's it proves nothing. */
    assert_int_equal(judge(&rules, &foreign, &server, NULL), TLS_OTHER_KEY);
}

static void the_pin_of_the_ca_counts_where_it_signed_the_way(void **state)
{
    struct tls_rules rules = rules_of(NULL, &ca), elsewhere = rules;

    (void)state;
    assert_int_equal(judge(&rules, &server, &ca, NULL), TLS_GOOD);
    assert_int_equal(judge(&rules, &below, &middle, &ca), TLS_GOOD);
    assert_int_equal(judge(&rules, &foreign, &ca, NULL), TLS_OTHER_KEY);
    assert_int_equal(judge(&rules, &server, NULL, NULL), TLS_OTHER_KEY);
    elsewhere.host = "elsewhere.example";
    assert_int_equal(judge(&elsewhere, &server, &ca, NULL), TLS_OTHER_HOST);
}

static void with_ca_and_pin_both_must_hold(void **state)
{
    struct tls_rules both = rules_of(&ca, &server), wrong_pin = rules_of(&ca, &other_ca), wrong_ca = rules_of(&other_ca, &server);

    (void)state;
    assert_int_equal(judge(&both, &server, NULL, NULL), TLS_GOOD);
    assert_int_equal(judge(&wrong_pin, &server, NULL, NULL), TLS_OTHER_KEY);
    assert_int_equal(judge(&wrong_ca, &server, NULL, NULL), TLS_OTHER_CA);
}

static void without_a_rule_or_a_chain_nobody_is_believed(void **state)
{
    struct tls_rules none = { .host = "account.example", .now_s = NOW }, rules = rules_of(&ca, NULL), bad = rules;
    gnutls_datum_t noise = { .data = (unsigned char *)"noise", .size = 5 };

    (void)state;
    assert_int_equal(judge(&none, &server, NULL, NULL), TLS_NO_RULE);
    assert_int_equal(tls_verify(&rules, NULL, 0), TLS_NO_CHAIN);
    assert_int_equal(tls_verify(&rules, &noise, 1), TLS_NO_CHAIN);
    bad.ca = "no certificate";
    bad.ca_length = strlen(bad.ca);
    assert_int_equal(judge(&bad, &server, NULL, NULL), TLS_BAD_CA);
}

/* Where the clock is, where the floor is, and what follows for a certificate valid for ten days on both sides of NOW. */
static void times_count_by_a_clock_that_can_be_right(void **state)
{
    static const struct { int64_t now_s, floor_s; enum tls_verdict verdict; } rows[] = {
        { NOW, 0, TLS_GOOD },
        { NOW, NOW - DAY, TLS_GOOD },
        { NOW + 11 * DAY, NOW - DAY, TLS_EXPIRED },
        { NOW - 11 * DAY, NOW - 20 * DAY, TLS_NOT_YET_VALID },
        { NOW - 11 * DAY, 0, TLS_NOT_YET_VALID },
        { 0, 0, TLS_GOOD },                          /* 1970: the CA was made later, so the clock is wrong */
        { 0, NOW - DAY, TLS_GOOD },
        { 0, NOW + 5 * DAY, TLS_GOOD },
        { 0, NOW + 11 * DAY, TLS_EXPIRED },          /* it was over when the account was heard last */
        { NOW + 5 * DAY, NOW + 11 * DAY, TLS_EXPIRED },
        { NOW - 11 * DAY, NOW, TLS_GOOD },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tls_rules rules = rules_of(&ca, NULL), pinned = rules_of(NULL, &ca);

        rules.now_s = pinned.now_s = rows[i].now_s;
        rules.floor_s = pinned.floor_s = rows[i].floor_s;
        assert_int_equal(judge(&rules, &server, NULL, NULL), rows[i].verdict);
        assert_int_equal(judge(&pinned, &server, &ca, NULL), rows[i].verdict);
    }
}

static void a_pinned_server_has_times_too(void **state)
{
    struct tls_rules rules = rules_of(NULL, &server);

    (void)state;
    rules.now_s = NOW + 11 * DAY;
    assert_int_equal(judge(&rules, &server, NULL, NULL), TLS_EXPIRED);
    rules.now_s = 0;
    rules.floor_s = NOW;
    assert_int_equal(judge(&rules, &server, NULL, NULL), TLS_GOOD);
}

static void an_authority_that_is_over_vouches_for_nobody(void **state)
{
    struct made old = { 0 }, leaf = { 0 };

    (void)state;
    make(&old, "Old CA", NULL, NULL, NOW - 1000 * DAY, NOW - DAY, NULL);
    make(&leaf, "server", "account.example", &old, NOW - 10 * DAY, NOW + 10 * DAY, NULL);
    struct tls_rules rules = rules_of(&old, NULL);
    assert_int_equal(judge(&rules, &leaf, NULL, NULL), TLS_EXPIRED);
    done(&leaf);
    done(&old);
}

static void when_a_certificate_began_is_read_from_its_text(void **state)
{
    (void)state;
    assert_int_equal(tls_not_before_s((const char *)server.pem.data, server.pem.size), NOW - 10 * DAY);
    assert_int_equal(tls_not_before_s("no certificate", 14), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_of_the_ca_under_its_name_is_the_account),
        cmocka_unit_test(another_authority_is_not_believed_also_under_the_same_name),
        cmocka_unit_test(another_name_is_not_believed_with_a_ca),
        cmocka_unit_test(a_certificate_made_for_a_box_is_no_server),
        cmocka_unit_test(the_pin_of_the_server_is_enough_under_any_name),
        cmocka_unit_test(the_pin_of_the_ca_counts_where_it_signed_the_way),
        cmocka_unit_test(with_ca_and_pin_both_must_hold),
        cmocka_unit_test(without_a_rule_or_a_chain_nobody_is_believed),
        cmocka_unit_test(times_count_by_a_clock_that_can_be_right),
        cmocka_unit_test(a_pinned_server_has_times_too),
        cmocka_unit_test(an_authority_that_is_over_vouches_for_nobody),
        cmocka_unit_test(when_a_certificate_began_is_read_from_its_text),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
