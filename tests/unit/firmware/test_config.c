/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "firmware/common/config.h"

#define BANK "[bank \"local\"]\nports = /dev/ttyUSB*\n"
#define ICCID "8949020000012345678"

static int parse(const char *text, struct config *ret_config, struct config_errors *errors)
{
    return config_parse("cellpost.ini", text, strlen(text), ret_config, errors);
}

static void expect_good(const char *text, struct config *ret_config, struct config_errors *errors)
{
    int r = parse(text, ret_config, errors);

    if (r != 0)
        fail_msg("%d: %s\n%s", r, errors->errors.text[0], text);
}

/* Exactly one error, which begins with place and has each of the words. */
static void expect_error(const char *text, const char *place, const char *words)
{
    struct config config = { 0 };
    struct config_errors errors;

    assert_int_equal(parse(text, &config, &errors), -EINVAL);
    if (errors.errors.count != 1)
        fail_msg("%u errors, the second is %s\n%s", errors.errors.count, errors.errors.text[1], text);
    if (strncmp(errors.errors.text[0], place, strlen(place)) != 0 || !strstr(errors.errors.text[0], words))
        fail_msg("expected \"%s ... %s\", got \"%s\"", place, words, errors.errors.text[0]);
    assert_null(config.banks);
}

static void the_example_of_the_design_is_understood(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    expect_good("[gateway]\n"
                "state_dir = /var/lib/cellpost      ; holds cellpost.db\n"
                "[api]\n"
                "listen = 127.0.0.1:8480            ; TLS with cert=, key=\n"
                "socket = /run/cellpost/api.sock    ; same API for the CLI, peer credentials instead of a key\n"
                "[bank \"local\"]\n"
                "ports = /dev/ttyUSB* /run/modembank/modem*   ; globs; or discover = usb\n"
                "[sim \"" ICCID "\"]                    ; by ICCID; everything else about a SIM is learnt\n"
                "tariff = orange-prepaid\n", &config, &errors);
    assert_string_equal(config.gateway.state_dir, "/var/lib/cellpost");
    assert_string_equal(config.api.listen, "127.0.0.1:8480");
    assert_true(config.api.loopback);
    assert_string_equal(config.api.socket, "/run/cellpost/api.sock");
    assert_int_equal(config.bank_count, 1);
    assert_string_equal(config.banks[0].name, "local");
    assert_int_equal(config.banks[0].ports.count, 2);
    assert_string_equal(config.banks[0].ports.items[0], "/dev/ttyUSB*");
    assert_string_equal(config.banks[0].ports.items[1], "/run/modembank/modem*");
    assert_int_equal(config.sim_count, 1);
    assert_string_equal(config.sims[0].tariff, "orange-prepaid");
    assert_int_equal(config.sims[0].key_lines[CONFIG_SIM_TARIFF], 9);
    assert_int_equal(errors.warnings.count, 0);
    config_done(&config);
}

static void the_least_file_gets_every_default(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    expect_good(BANK, &config, &errors);
    assert_string_equal(config.gateway.state_dir, "/var/lib/cellpost");
    assert_int_equal(config.gateway.max_parts, 10);
    assert_int_equal(config.gateway.national, 0);
    assert_false(config.gateway.downgrade);
    assert_false(config.gateway.ref16);
    assert_true(config.gateway.report);
    assert_int_equal(config.gateway.validity_s, 86400);
    assert_string_equal(config.gateway.country, "");
    assert_false(config.gateway.fixed_lines);
    assert_string_equal(config.api.listen, "");
    assert_string_equal(config.api.socket, "/run/cellpost/api.sock");
    assert_int_equal(config.api.socket_mode, 0660);
    assert_int_equal(config.modem.send_timeout_ms, 180000);
    assert_int_equal(config.modem.poll_interval_ms, 60000);
    assert_int_equal(config.modem.park_retry_ms, 60000);
    assert_int_equal(config.routing.tariffs.count + config.routing.routes.count + config.routing.numbers.count, 0);
    assert_string_equal(config.routing.rates, "");
    assert_string_equal(config.routing.operators, "");
    assert_string_equal(config.routing.currency, "");
    assert_string_equal(config.routing.tariff, "");
    assert_int_equal(config.routing.patience_s, 0);
    assert_false(config.routing.sticky);
    assert_true(config.routing.learn);
    assert_int_equal(config.sim_default.line, 0);
    assert_int_equal(errors.warnings.count, 0);
    config_done(&config);
}

static void every_key_reaches_its_field(void **state)
{
    struct config config;
    struct config_errors errors;
    char text[2048];

    (void)state;
    (void)snprintf(text, sizeof text, "%s",
                   "[gateway]\nstate_dir=/s\nmax_parts=255\nnational=tr, es ur\ndowngrade=yes\nconcat_ref=16\nreport=no\nvalidity=7d\n"
                   "country=RO\nfixed_lines=allow\n"
                   "[api]\nlisten=[::]:443\ncert=/c\nkey=/k\nhosts=a.example, b.example\nhosts=c.example\nsocket=\nsocket_mode=600\n"
                   "insecure_listen=no\n"
                   "[modem]\nsend_timeout=2m\npoll_interval=1500ms\npark_retry=1h\n"
                   "[bank \"a b\"]\nports=/dev/a\ndiscover=\npin=1234\n"
                   "[sim \"" ICCID "\"]\nname=office\npin=87654321\ntariff=t\n");
    expect_good(text, &config, &errors);
    assert_string_equal(config.gateway.state_dir, "/s");
    assert_int_equal(config.gateway.max_parts, 255);
    assert_int_equal(config.gateway.national, 1 << 1 | 1 << 2 | 1 << 13);
    assert_true(config.gateway.downgrade);
    assert_true(config.gateway.ref16);
    assert_false(config.gateway.report);
    assert_int_equal(config.gateway.validity_s, 7 * 86400);
    assert_string_equal(config.gateway.country, "RO");
    assert_true(config.gateway.fixed_lines);
    assert_string_equal(config.api.listen, "[::]:443");
    assert_false(config.api.loopback);
    assert_string_equal(config.api.cert, "/c");
    assert_string_equal(config.api.key, "/k");
    assert_int_equal(config.api.hosts.count, 3);
    assert_string_equal(config.api.hosts.items[2], "c.example");
    assert_string_equal(config.api.socket, "");
    assert_int_equal(config.api.socket_mode, 0600);
    assert_int_equal(config.modem.send_timeout_ms, 120000);
    assert_int_equal(config.modem.poll_interval_ms, 1500);
    assert_int_equal(config.modem.park_retry_ms, 3600000);
    assert_string_equal(config.banks[0].name, "a b");
    assert_string_equal(config.sims[0].name, "office");
    assert_ptr_equal(config_find_sim(&config, ICCID), &config.sims[0]);
    assert_null(config_find_sim(&config, "8949020000012345679"));
    assert_string_equal(config_find_pin(&config, &config.banks[0], ICCID), "87654321");
    assert_string_equal(config_find_pin(&config, &config.banks[0], "8949020000012345679"), "1234");
    config_done(&config);
    assert_null(config.banks);
    config_done(&config);
    config_done(NULL);
}

static void every_key_of_routing_reaches_its_field(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    expect_good("[routing]\ntariffs=/t/*.csv /u.csv\ntariffs=/v.csv\nrates=/r\ncurrency=EUR\ntariff=plain\nroutes=/w/*.csv\n"
                "numbers=/n.csv\noperators=/o\npatience=10m\nsticky=yes\nlearn=no\n" BANK, &config, &errors);
    assert_int_equal(config.routing.tariffs.count, 3);
    assert_string_equal(config.routing.tariffs.items[1], "/u.csv");
    assert_string_equal(config.routing.tariffs.items[2], "/v.csv");
    assert_string_equal(config.routing.rates, "/r");
    assert_string_equal(config.routing.currency, "EUR");
    assert_string_equal(config.routing.tariff, "plain");
    assert_string_equal(config.routing.routes.items[0], "/w/*.csv");
    assert_string_equal(config.routing.numbers.items[0], "/n.csv");
    assert_string_equal(config.routing.operators, "/o");
    assert_int_equal(config.routing.patience_s, 600);
    assert_true(config.routing.sticky);
    assert_false(config.routing.learn);
    assert_int_equal(config.routing.tariffs_line, 3);
    assert_int_equal(config.routing.rates_line, 4);
    assert_int_equal(config.routing.currency_line, 5);
    assert_int_equal(config.routing.tariff_line, 6);
    assert_int_equal(config.routing.routes_line, 7);
    assert_int_equal(config.routing.numbers_line, 8);
    assert_int_equal(config.routing.operators_line, 9);
    config_done(&config);
    expect_good("[routing]\ntariffs=\nrates=\ncurrency=\ntariff=\nroutes=\nnumbers=\noperators=\npatience=0s\nsticky=no\n" BANK, &config, &errors);
    assert_int_equal(config.routing.tariffs.count, 0);
    config_done(&config);
}

#define EVERY_SIM_KEY \
    "tariff=t\ntags=a b,c\ntags=d\nper_minute=1\nper_hour=2\nper_day=3\nper_month=4\nrecipients_per_day=5\nrecipients_per_month=6\n" \
    "gap=1500ms\njitter=2s\nhours=08:00-20:00 mon-fri, 09:00-12:00 sat\ntime_zone=Europe/Paris\nspend_per_day=2.50\n" \
    "spend_per_month=40\nroaming=no\npark_failures=50%\npark_time=10m\n"

static void expect_every_sim_key(const struct config_sim *sim)
{
    assert_string_equal(sim->tariff, "t");
    assert_int_equal(sim->tags.count, 4);
    assert_string_equal(sim->tags.items[0], "a");
    assert_string_equal(sim->tags.items[3], "d");
    assert_int_equal(sim->limits.per_minute, 1);
    assert_int_equal(sim->limits.per_hour, 2);
    assert_int_equal(sim->limits.per_day, 3);
    assert_int_equal(sim->limits.per_month, 4);
    assert_int_equal(sim->limits.recipients_per_day, 5);
    assert_int_equal(sim->limits.recipients_per_month, 6);
    assert_int_equal(sim->limits.gap_ms, 1500);
    assert_int_equal(sim->limits.jitter_ms, 2000);
    assert_int_equal(sim->limits.hours_count, 2);
    assert_int_equal(sim->limits.hours[1].from_min, 9 * 60);
    assert_int_equal(sim->limits.hours[1].days, 1 << 5);
    assert_string_equal(sim->time_zone, "Europe/Paris");
    assert_int_equal(sim->limits.spend_per_day_micro, 2500000);
    assert_int_equal(sim->limits.spend_per_month_micro, 40000000);
    assert_true(sim->limits.roaming_refused);
    assert_int_equal(sim->limits.failure_percent, 50);
    assert_int_equal(sim->limits.park_ms, 600000);
}

static void every_limit_of_a_card_reaches_its_field(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    expect_good(BANK "[sim \"" ICCID "\"]\n" EVERY_SIM_KEY, &config, &errors);
    expect_every_sim_key(&config.sims[0]);
    assert_int_equal(config.sims[0].key_lines[CONFIG_SIM_TIME_ZONE], 16);
    config_done(&config);
}

/* Whichever section comes first. */
static void a_card_takes_from_the_section_of_all_cards_what_its_own_leaves_out(void **state)
{
    static const char *const texts[] = {
        BANK "[sim \"*\"]\n" EVERY_SIM_KEY "[sim \"" ICCID "\"]\nname=office\n",
        "[sim \"" ICCID "\"]\nname=office\n[sim \"*\"]\n" EVERY_SIM_KEY BANK,
    };
    struct config config;
    struct config_errors errors;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_good(texts[i], &config, &errors);
        assert_int_equal(config.sim_count, 1);
        assert_string_equal(config.sims[0].name, "office");
        assert_string_equal(config.sims[0].iccid, ICCID);
        expect_every_sim_key(&config.sims[0]);
        assert_string_equal(config.sim_default.iccid, "*");
        expect_every_sim_key(&config.sim_default);
        config_done(&config);
    }
}

static void what_a_card_says_itself_holds_for_it_and_none_takes_a_limit_away(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    expect_good(BANK "[sim \"*\"]\n" EVERY_SIM_KEY "[sim \"" ICCID "\"]\ntariff=own\ntags=x\nper_minute=none\nper_day=30\ngap=none\n"
                "hours=none\nspend_per_day=none\nroaming=yes\npark_failures=none\n", &config, &errors);
    assert_string_equal(config.sims[0].tariff, "own");
    assert_int_equal(config.sims[0].tags.count, 1);
    assert_int_equal(config.sims[0].limits.per_minute, 0);
    assert_int_equal(config.sims[0].limits.per_hour, 2);
    assert_int_equal(config.sims[0].limits.per_day, 30);
    assert_int_equal(config.sims[0].limits.gap_ms, 0);
    assert_int_equal(config.sims[0].limits.jitter_ms, 2000);
    assert_int_equal(config.sims[0].limits.hours_count, 0);
    assert_int_equal(config.sims[0].limits.spend_per_day_micro, 0);
    assert_int_equal(config.sims[0].limits.spend_per_month_micro, 40000000);
    assert_false(config.sims[0].limits.roaming_refused);
    assert_int_equal(config.sims[0].limits.failure_percent, 0);
    expect_every_sim_key(&config.sim_default);
    config_done(&config);
}

static void every_wrong_line_names_file_line_and_key(void **state)
{
    static const struct { const char *text, *place, *words; } rows[] = {
        { "[gatway]\nmax_parts = 1\n" BANK, "cellpost.ini:1: [gatway]: unknown section", "(allowed: [gateway], [api]" },
        { "[gateway extra]\n" BANK, "cellpost.ini:1: [gateway extra]: unknown section", "[gateway]" },
        { "[]\n" BANK, "cellpost.ini:1: []: unknown section", "[gateway]" },
        { "[gateway\nmax_parts = 1\n" BANK, "cellpost.ini:1:", "\"[gateway\" has no ']'" },
        { "[gateway] max_parts = 1\n" BANK, "cellpost.ini:1:", "after ']'" },
        { "[gateway]\n[api]\n[gateway]\n" BANK, "cellpost.ini:3: [gateway]:", "on line 1" },
        { "max_parts = 1\n" BANK, "cellpost.ini:1: max_parts:", "before any [section]" },
        { "[gateway]\n\nmax_part = 1\n" BANK, "cellpost.ini:3: [gateway] max_part: unknown key", "(allowed: state_dir, max_parts, national" },
        { "[api]\nmax_parts = 1\n" BANK, "cellpost.ini:2: [api] max_parts: unknown key", "listen" },
        { "[gateway]\nmax_parts = 1\nmax_parts = 2\n" BANK, "cellpost.ini:3: [gateway] max_parts:", "on line 2" },
        { "[gateway]\nmax_parts 5\n" BANK, "cellpost.ini:2: [gateway]:", "\"max_parts 5\" has no '='" },
        { "[gateway]\n= 5\n" BANK, "cellpost.ini:2: [gateway]:", "has no '='" },
        { "[api]\nlisten 127.0.0.1:8480\n" BANK, "cellpost.ini:2: [api]:", "has no '='" },
        { "[api]\nlisten: 127.0.0.1=8480\n" BANK, "cellpost.ini:2: [api]:", "has no '='" },
        { "[gateway]\nmax_parts = 0\n" BANK, "cellpost.ini:2: [gateway] max_parts:", "\"0\" is out of range (allowed: 1 to 255)" },
        { "[gateway]\nmax_parts = 256\n" BANK, "cellpost.ini:2: [gateway] max_parts:", "out of range" },
        { "[gateway]\nmax_parts = 99999999999999999999\n" BANK, "cellpost.ini:2: [gateway] max_parts:", "out of range" },
        { "[gateway]\nmax_parts = -1\n" BANK, "cellpost.ini:2: [gateway] max_parts:", "not a whole number" },
        { "[gateway]\nmax_parts =\n" BANK, "cellpost.ini:2: [gateway] max_parts:", "not a whole number" },
        { "[gateway]\nmax_parts = 5 # five\n" BANK, "cellpost.ini:2: [gateway] max_parts:", "';'" },
        { "[gateway]\nstate_dir = lib\n" BANK, "cellpost.ini:2: [gateway] state_dir:", "absolute" },
        { "[gateway]\nstate_dir =\n" BANK, "cellpost.ini:2: [gateway] state_dir:", "empty" },
        { "[gateway]\ndowngrade = true\n" BANK, "cellpost.ini:2: [gateway] downgrade:", "\"true\" is neither yes nor no" },
        { "[gateway]\nreport = YES\n" BANK, "cellpost.ini:2: [gateway] report:", "yes or no" },
        { "[gateway]\nconcat_ref = 32\n" BANK, "cellpost.ini:2: [gateway] concat_ref:", "8 or 16" },
        { "[gateway]\ncountry = ro\n" BANK, "cellpost.ini:2: [gateway] country:", "is no country (allowed: two capital letters" },
        { "[gateway]\ncountry = Romania\n" BANK, "cellpost.ini:2: [gateway] country:", "is no country" },
        { "[gateway]\ncountry = ZZ\n" BANK, "cellpost.ini:2: [gateway] country:", "is no country" },
        { "[gateway]\nfixed_lines = yes\n" BANK, "cellpost.ini:2: [gateway] fixed_lines:", "neither refuse nor allow" },
        { "[gateway]\nnational = tr de\n" BANK, "cellpost.ini:2: [gateway] national:", "unknown language" },
        { "[gateway]\nvalidity = 24\n" BANK, "cellpost.ini:2: [gateway] validity:", "\"24\" has no unit" },
        { "[gateway]\nvalidity = 1y\n" BANK, "cellpost.ini:2: [gateway] validity:", "unknown unit" },
        { "[gateway]\nvalidity = h\n" BANK, "cellpost.ini:2: [gateway] validity:", "not a duration" },
        { "[gateway]\nvalidity = 29s\n" BANK, "cellpost.ini:2: [gateway] validity:", "out of range" },
        { "[gateway]\nvalidity = 64w\n" BANK, "cellpost.ini:2: [gateway] validity:", "out of range" },
        { "[gateway]\nvalidity = 30001ms\n" BANK, "cellpost.ini:2: [gateway] validity:", "whole seconds" },
        { "[gateway]\nvalidity = 9223372036854775807w\n" BANK, "cellpost.ini:2: [gateway] validity:", "out of range" },
        { "[modem]\nsend_timeout = 0s\n" BANK, "cellpost.ini:2: [modem] send_timeout:", "out of range" },
        { "[modem]\npoll_interval = 61m\n" BANK, "cellpost.ini:2: [modem] poll_interval:", "out of range" },
        { "[api]\nlisten = 127.0.0.1\n" BANK, "cellpost.ini:2: [api] listen:", "no port" },
        { "[api]\nlisten = 127.0.0.1:65536\n" BANK, "cellpost.ini:2: [api] listen:", "bad port" },
        { "[api]\nlisten = localhost:80\n" BANK, "cellpost.ini:2: [api] listen:", "numeric address" },
        { "[api]\nlisten = ::1:80\n" BANK, "cellpost.ini:2: [api] listen:", "numeric address" },
        { "[api]\nlisten = [::g]:80\n" BANK, "cellpost.ini:2: [api] listen:", "numeric address" },
        { "[api]\nlisten = 0.0.0.0:8480\n" BANK, "cellpost.ini:2: [api] listen:", "insecure_listen" },
        { "[api]\nlisten = [::]:8480\n" BANK, "cellpost.ini:2: [api] listen:", "insecure_listen" },
        { "[api]\nlisten = 127.0.0.1:1\ncert = /c\n" BANK, "cellpost.ini:3: [api] cert:", "set key" },
        { "[api]\nlisten = 0.0.0.0:1\nkey = /k\n" BANK, "cellpost.ini:3: [api] key:", "set cert" },
        { "[api]\nsocket =\n" BANK, "cellpost.ini:2: [api] socket:", "nobody could reach" },
        { "[api]\nsocket_mode = 888\n" BANK, "cellpost.ini:2: [api] socket_mode:", "0660" },
        { "[api]\nsocket_mode = 1777\n" BANK, "cellpost.ini:2: [api] socket_mode:", "0660" },
        { "[api]\nhosts = a_b\n" BANK, "cellpost.ini:2: [api] hosts:", "no host name" },
        { "[bank]\nports = /a\n", "cellpost.ini:1: [bank]:", "needs a name in quotes ([bank \"NAME\"])" },
        { "[bank local]\nports = /a\n", "cellpost.ini:1: [bank local]:", "in quotes" },
        { "[bank \"]\nports = /a\n", "cellpost.ini:1: [bank \"]:", "in quotes" },
        { "[bank \"a\"b\"]\nports = /a\n", "cellpost.ini:1: [bank \"a\"b\"]:", "in quotes" },
        { "[bank \"a\tb\"]\nports = /a\n", "cellpost.ini:1: [bank \"a?b\"]:", "has a tab" },
        { "[bank \"\"]\nports = /a\n", "cellpost.ini:1: [bank \"\"]:", "1 to 31 octets" },
        { "[bank \"12345678901234567890123456789012\"]\nports = /a\n", "cellpost.ini:1: [bank \"1234", "1 to 31 octets" },
        { "[bank \"1234567890123456789012345678901234567890123456\"]\nports = /a\n", "cellpost.ini:1:", "too long" },
        { BANK "[bank \"local\"]\nports = /b\n", "cellpost.ini:3: [bank \"local\"]:", "on line 1" },
        { "[bank \"a\"]\n", "cellpost.ini:1: [bank \"a\"] ports:", "is missing" },
        { "[bank \"a\"]\nports =\n", "cellpost.ini:2: [bank \"a\"] ports:", "empty" },
        { "[bank \"a\"]\nports = ttyUSB0\n", "cellpost.ini:2: [bank \"a\"] ports:", "not absolute" },
        { "[bank \"a\"]\nports = /a /b /a\n", "cellpost.ini:1: [bank \"a\"] ports:", "/a is listed twice" },
        { "[bank \"a\"]\nports = /a\n[bank \"b\"]\nports = /a\n", "cellpost.ini:3: [bank \"b\"] ports:", "in bank \"a\" already" },
        { "[bank \"a\"]\nports = /a\ndiscover = usb\n", "cellpost.ini:3: [bank \"a\"] discover:", "\"usb\" is not supported by this version (allowed: empty; list the ports" },
        { "[bank \"a\"]\nports = /a\ndiscover = pci\n", "cellpost.ini:3: [bank \"a\"] discover:", "list the ports" },
        { "[bank \"a\"]\nports = /a\npin = 123\n", "cellpost.ini:3: [bank \"a\"] pin:", "4 to 8 digits" },
        { "[bank \"a\"]\nports = /a\npin = 123456789\n", "cellpost.ini:3: [bank \"a\"] pin:", "4 to 8 digits" },
        { BANK "[sim \"8940\"]\n", "cellpost.ini:3: [sim \"8940\"]:", "18 to 22 digits" },
        { BANK "[sim \"894902000001234567x\"]\n", "cellpost.ini:3: [sim \"", "18 to 22 digits" },
        { BANK "[sim \"" ICCID "\"]\n[sim \"" ICCID "\"]\n", "cellpost.ini:4: [sim \"" ICCID "\"]:", "on line 3" },
        { BANK "[sim \"" ICCID "\"]\nname = 12345678901234567890123456789012\n", "cellpost.ini:4: [sim", "too long" },
        { "[routing]\ntariffs = t.csv\n" BANK, "cellpost.ini:2: [routing] tariffs:", "not absolute" },
        { "[routing]\nroutes = /a b\n" BANK, "cellpost.ini:2: [routing] routes:", "not absolute (allowed: up to 256 absolute paths" },
        { "[routing]\nnumbers = n\n" BANK, "cellpost.ini:2: [routing] numbers:", "not absolute" },
        { "[routing]\nrates = r.csv\n" BANK, "cellpost.ini:2: [routing] rates:", "not an absolute path" },
        { "[routing]\noperators = o.csv\n" BANK, "cellpost.ini:2: [routing] operators:", "not an absolute path" },
        { "[routing]\ncurrency = eur\n" BANK, "cellpost.ini:2: [routing] currency:", "is no currency (allowed: three capital letters" },
        { "[routing]\ncurrency = EURO\n" BANK, "cellpost.ini:2: [routing] currency:", "is no currency" },
        { "[routing]\npatience = 5\n" BANK, "cellpost.ini:2: [routing] patience:", "no unit" },
        { "[routing]\npatience = 64w\n" BANK, "cellpost.ini:2: [routing] patience:", "out of range" },
        { "[routing]\npatience = -1s\n" BANK, "cellpost.ini:2: [routing] patience:", "not a duration" },
        { "[routing]\nsticky = 1\n" BANK, "cellpost.ini:2: [routing] sticky:", "neither yes nor no" },
        { "[routing]\nlearn = on\n" BANK, "cellpost.ini:2: [routing] learn:", "neither yes nor no" },
        { "[routing]\nlimits = 1\n" BANK, "cellpost.ini:2: [routing] limits: unknown key", "tariffs, rates, currency, tariff, routes, numbers" },
        { BANK "[sim \"*\"]\n[sim \"*\"]\n", "cellpost.ini:4: [sim \"*\"]:", "on line 3" },
        { BANK "[sim \"*\"]\nname = a\n", "cellpost.ini:4: [sim \"*\"] name:", "is that of one card" },
        { BANK "[sim \"*\"]\npin = 1234\n", "cellpost.ini:4: [sim \"*\"] pin:", "is that of one card" },
        { BANK "[sim \"*\"]\nper_minute = 0\n", "cellpost.ini:4: [sim \"*\"] per_minute: \"0\" is 0", "(allowed: 1 to 1000000, or none)" },
        { BANK "[sim \"" ICCID "\"]\nper_hour = 0\n", "cellpost.ini:4: [sim \"" ICCID "\"] per_hour:", "would never send" },
        { BANK "[sim \"" ICCID "\"]\nper_day = 1000001\n", "cellpost.ini:4: [sim \"" ICCID "\"] per_day:", "1000000" },
        { BANK "[sim \"" ICCID "\"]\nper_month = many\n", "cellpost.ini:4: [sim \"" ICCID "\"] per_month:", "not a whole number" },
        { BANK "[sim \"" ICCID "\"]\nrecipients_per_day = 0\n", "cellpost.ini:4: [sim \"" ICCID "\"] recipients_per_day:", "would never send" },
        { BANK "[sim \"" ICCID "\"]\nrecipients_per_month = -1\n", "cellpost.ini:4: [sim \"" ICCID "\"] recipients_per_month:", "not a whole number" },
        { BANK "[sim \"" ICCID "\"]\ngap = 0s\n", "cellpost.ini:4: [sim \"" ICCID "\"] gap:", "out of range" },
        { BANK "[sim \"" ICCID "\"]\njitter = 25h\n", "cellpost.ini:4: [sim \"" ICCID "\"] jitter:", "out of range" },
        { BANK "[sim \"" ICCID "\"]\nhours = always\n", "cellpost.ini:4: [sim \"" ICCID "\"] hours:", "(allowed: ranges and days" },
        { BANK "[sim \"" ICCID "\"]\ntime_zone = ../../etc/passwd\n", "cellpost.ini:4: [sim \"" ICCID "\"] time_zone:", "is no time zone" },
        { BANK "[sim \"" ICCID "\"]\ntime_zone = +25:00\n", "cellpost.ini:4: [sim \"" ICCID "\"] time_zone:", "is no time zone" },
        { BANK "[sim \"" ICCID "\"]\ntime_zone = /etc/localtime\n", "cellpost.ini:4: [sim \"" ICCID "\"] time_zone:", "is no time zone" },
        { BANK "[sim \"" ICCID "\"]\nspend_per_day = 0\n", "cellpost.ini:4: [sim \"" ICCID "\"] spend_per_day:", "would never send" },
        { BANK "[sim \"" ICCID "\"]\nspend_per_month = -2\n", "cellpost.ini:4: [sim \"" ICCID "\"] spend_per_month:", "is negative" },
        { BANK "[sim \"" ICCID "\"]\nroaming = never\n", "cellpost.ini:4: [sim \"" ICCID "\"] roaming:", "neither yes nor no" },
        { BANK "[sim \"" ICCID "\"]\npark_failures = 101%\n", "cellpost.ini:4: [sim \"" ICCID "\"] park_failures:", "1 to 100 percent" },
        { BANK "[sim \"" ICCID "\"]\npark_time = 0s\n", "cellpost.ini:4: [sim \"" ICCID "\"] park_time:", "out of range" },
        { BANK "[sim \"" ICCID "\"]\ntags = a|b\n", "cellpost.ini:4: [sim \"" ICCID "\"] tags:", "with | in it" },
        { BANK "[sim \"" ICCID "\"]\ntags = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "cellpost.ini:4: [sim \"" ICCID "\"] tags:", "too many" },
        { "", "cellpost.ini: there is no bank", "[bank \"NAME\"]" },
        { "[gateway]\nstate_dir = /\xFF\n" BANK, "cellpost.ini:2: [gateway]:", "UTF-8" },
        { "[gateway]\nstate_dir = /\x1B[31m\n" BANK, "cellpost.ini:2: [gateway]:", "control character" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_error(rows[i].text, rows[i].place, rows[i].words);
}

static void all_errors_of_a_file_come_at_once_up_to_a_bound(void **state)
{
    struct config config;
    struct config_errors errors;
    char text[4096] = "[gateway]\n";

    (void)state;
    assert_int_equal(parse("[gateway]\nmax_parts = x\nbogus = 1\nno equals\n[api]\nlisten = y\n[nonsense]\na = 1\nb = 2\n", &config, &errors),
                     -EINVAL);
    assert_int_equal(errors.errors.count, 5);
    assert_int_equal(errors.errors.more, 0);
    assert_memory_equal(errors.errors.text[0], "cellpost.ini:2:", 15);
    assert_memory_equal(errors.errors.text[1], "cellpost.ini:3:", 15);
    assert_memory_equal(errors.errors.text[2], "cellpost.ini:4:", 15);
    assert_memory_equal(errors.errors.text[3], "cellpost.ini:6:", 15);
    assert_memory_equal(errors.errors.text[4], "cellpost.ini:7:", 15);
    for (int i = 0; i < 25; i++)
        strcat(text, "bogus = 1\n");
    assert_int_equal(parse(text, &config, &errors), -EINVAL);
    assert_int_equal(errors.errors.count, CONFIG_NOTES_MAX);
    assert_int_equal(errors.errors.more, 5);
}

static void a_pin_is_never_repeated_in_a_message(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(parse("[bank \"a\"]\nports = /a\npin = 90x17\n", &config, &errors), -EINVAL);
    assert_int_equal(errors.errors.count, 1);
    assert_null(strstr(errors.errors.text[0], "90x17"));
}

static void indented_keys_crlf_and_a_byte_order_mark_are_fine(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    expect_good("\xEF\xBB\xBF[gateway]\r\n    state_dir = /s\r\n\tmax_parts = 3\r\n\r\n# comment\r\n  ; comment\r\n" BANK, &config, &errors);
    assert_string_equal(config.gateway.state_dir, "/s");
    assert_int_equal(config.gateway.max_parts, 3);
    config_done(&config);
}

static void a_line_at_the_limit_is_read_whole_and_one_octet_more_is_refused(void **state)
{
    struct config config;
    struct config_errors errors;
    char text[512];

    (void)state;
    for (int length = 190; length <= 200; length++) {
        /* "ports = /" and "/" are 10 octets; a comment would hide a cut, a path shows it. */
        int first = (length - 10) / 2;
        (void)snprintf(text, sizeof text, "[bank \"a\"]\nports = /%0*d /%0*d\n", first - 1, 1, length - 10 - first, 2);
        assert_int_equal((int)strlen(text), 11 + length + 1);
        if (length <= 197) {
            expect_good(text, &config, &errors);
            assert_int_equal(config.banks[0].ports.count, 2);
            assert_int_equal(strlen(config.banks[0].ports.items[1]), 1 + (size_t)(length - 10 - first));
            config_done(&config);
        } else {
            expect_error(text, "cellpost.ini:2: [bank \"a\"]:", "197 octets");
            text[strlen(text) - 1] = '\0';
            expect_error(text, "cellpost.ini:2: [bank \"a\"]:", "197 octets");
        }
    }
}

static void a_list_goes_on_with_another_line_of_its_key(void **state)
{
    struct config config;
    struct config_errors errors;
    static char text[CONFIG_PORTS_MAX * 32];
    size_t used = 0;

    (void)state;
    used += (size_t)sprintf(text, "[bank \"a\"]\n");
    for (int i = 0; i < CONFIG_PORTS_MAX; i++)
        used += (size_t)sprintf(text + used, "ports = /dev/m%d\n", i);
    expect_good(text, &config, &errors);
    assert_int_equal(config.banks[0].ports.count, CONFIG_PORTS_MAX);
    assert_string_equal(config.banks[0].ports.items[255], "/dev/m255");
    config_done(&config);
    (void)sprintf(text + used, "ports = /dev/more\n");
    expect_error(text, "cellpost.ini:258: [bank \"a\"] ports:", "too many");
}

static void an_open_address_is_taken_with_tls_or_when_asked_for(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    expect_good("[api]\nlisten = 0.0.0.0:443\ncert = /c\nkey = /k\n" BANK, &config, &errors);
    assert_int_equal(errors.warnings.count, 0);
    config_done(&config);
    expect_good("[api]\nlisten = 0.0.0.0:80\ninsecure_listen = yes\n" BANK, &config, &errors);
    assert_int_equal(errors.warnings.count, 1);
    assert_memory_equal(errors.warnings.text[0], "cellpost.ini:2: [api] listen:", 29);
    config_done(&config);
}

static void loopback_is_known_in_all_its_forms(void **state)
{
    static const struct { const char *listen; bool loopback; } rows[] = {
        { "127.0.0.1:1", true }, { "127.255.255.254:1", true }, { "[::1]:1", true }, { "[::ffff:127.0.0.1]:1", true },
        { "128.0.0.1:1", false }, { "10.0.0.1:1", false }, { "[::ffff:10.0.0.1]:1", false }, { "[fe80::1]:1", false },
    };
    struct config config;
    struct config_errors errors;
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(text, sizeof text, "[api]\ninsecure_listen = yes\nlisten = %s\n" BANK, rows[i].listen);
        expect_good(text, &config, &errors);
        assert_int_equal(config.api.loopback, rows[i].loopback);
        config_done(&config);
    }
}

static void what_works_but_surprises_is_warned_of(void **state)
{
    static const struct { const char *text, *place; } rows[] = {
        { "[api]\nsocket_mode = 0666\n" BANK, "cellpost.ini:2: [api] socket_mode: 0666 lets every user" },
        { "[api]\ncert = /c\nkey = /k\n" BANK, "cellpost.ini:2: [api] cert: has no effect without listen" },
        { "[modem]\nsend_timeout = 30s\n" BANK, "cellpost.ini:2: [modem] send_timeout: networks may take" },
    };
    struct config config;
    struct config_errors errors;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_good(rows[i].text, &config, &errors);
        assert_int_equal(errors.warnings.count, 1);
        if (strncmp(errors.warnings.text[0], rows[i].place, strlen(rows[i].place)) != 0)
            fail_msg("%s", errors.warnings.text[0]);
        config_done(&config);
    }
}

static void a_nul_octet_does_not_hide_the_rest_of_a_line(void **state)
{
    static const char text[] = "[gateway]\nmax_parts = 5\0 0\n" BANK;
    struct config config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(config_parse("x", text, sizeof text - 1, &config, &errors), -EINVAL);
    assert_string_equal(errors.errors.text[0], "x:2: [gateway]: the line has a control character (allowed: text and tabs)");
}

static void too_large_a_file_is_refused_before_it_is_read(void **state)
{
    struct config config;
    struct config_errors errors;
    char *text = malloc(CONFIG_BYTES_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, '\n', CONFIG_BYTES_MAX + 1);
    memcpy(text, BANK, strlen(BANK));
    assert_int_equal(config_parse("x", text, CONFIG_BYTES_MAX + 1, &config, &errors), -EINVAL);
    assert_non_null(strstr(errors.errors.text[0], "larger than"));
    assert_int_equal(config_parse("x", text, CONFIG_BYTES_MAX, &config, &errors), 0);
    config_done(&config);
    free(text);
}

static void the_shipped_example_loads_without_a_warning(void **state)
{
    struct config config;
    struct config_errors errors;
    int r = config_load(TEST_DATA_DIR "/../config/cellpost.ini", &config, &errors);

    (void)state;
    if (r != 0 || errors.warnings.count != 0)
        fail_msg("%d %s %s", r, errors.errors.text[0], errors.warnings.text[0]);
    assert_int_equal(config.bank_count, 1);
    config_done(&config);
}

/* What the comments of the example claim as defaults must be them. */
static void every_default_shown_in_the_shipped_example_is_valid_and_the_default(void **state)
{
    struct config shown, plain;
    struct config_errors errors;
    char line[256], text[8192] = "";
    FILE *file = fopen(TEST_DATA_DIR "/../config/cellpost.ini", "r");

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        bool example = strstr(line, "example") || strstr(line, "/tls/") || strncmp(line, ";pin", 4) == 0;
        if (strncmp(line, ";[sim", 5) == 0)
            break;
        if (!example)
            strcat(text, line[0] == ';' && line[1] >= 'a' && line[1] <= 'z' ? line + 1 : line);
    }
    (void)fclose(file);
    expect_good(text, &shown, &errors);
    expect_good(BANK, &plain, &errors);
    assert_memory_equal(&shown.gateway, &plain.gateway, sizeof plain.gateway);
    assert_memory_equal(&shown.modem, &plain.modem, sizeof plain.modem);
    assert_int_equal(shown.api.socket_mode, plain.api.socket_mode);
    assert_int_equal(shown.api.insecure_listen, plain.api.insecure_listen);
    assert_string_equal(shown.api.socket, plain.api.socket);
    config_done(&shown);
    config_done(&plain);
}

static void a_file_that_cannot_be_read_is_named_with_its_reason(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    assert_int_equal(config_load("/nonexistent/cellpost.ini", &config, &errors), -ENOENT);
    assert_string_equal(errors.errors.text[0], "/nonexistent/cellpost.ini: cannot be read: No such file or directory");
    assert_int_equal(config_load("/", &config, &errors), -EISDIR);
    assert_string_equal(errors.errors.text[0], "/: cannot be read: Is a directory");
}

static void pins_in_a_file_that_everybody_may_read_are_warned_of(void **state)
{
    static const char text[] = "[bank \"a\"]\nports = /a\npin = 1234\n";
    struct config config;
    struct config_errors errors;
    char path[] = "/tmp/cellpost-config-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_int_equal(config_load(path, &config, &errors), 0);
    assert_int_equal(errors.warnings.count, 0);
    config_done(&config);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(config_load(path, &config, &errors), 0);
    assert_int_equal(errors.warnings.count, 1);
    assert_non_null(strstr(errors.warnings.text[0], "PINs"));
    config_done(&config);
    (void)close(fd);
    (void)unlink(path);
}

static void words_of_opting_out_are_read_and_one_that_could_not_be_found_or_means_two_things_is_refused(void **state)
{
    static const struct { const char *line, *place, *words; } cases[] = {
        { "words = aus halt.", "cellpost.ini:2: [optout] words:", "\"halt.\" would never be found" },
        { "start_words = \"da\"", "cellpost.ini:2: [optout] start_words:", "would never be found" },
        { "start_words = da END", "cellpost.ini:2: [optout] start_words:", "\"END\" means stop already" },
        { "words = thisisawordthatislongerthananybodywrites", "cellpost.ini:2: [optout] words:", "too long" },
        { "enabled = on", "cellpost.ini:2: [optout] enabled:", "neither yes nor no" },
    };
    struct config config;
    struct config_errors errors;
    char text[256];

    (void)state;
    expect_good(BANK, &config, &errors);
    assert_false(config.optout.enabled);
    assert_string_equal(config.optout.confirm, "You will get no more messages from us. Send START to get them again.");
    config_done(&config);
    expect_good("[optout]\nenabled = yes\nwords = halt, Încetează\nwords = aus\nstart_words = da\nconfirm =\n" BANK, &config, &errors);
    assert_true(config.optout.enabled);
    assert_int_equal(config.optout.words.count, 3);
    assert_string_equal(config.optout.words.items[1], "Încetează");
    assert_string_equal(config.optout.start_words.items[0], "da");
    assert_string_equal(config.optout.confirm, "");
    assert_int_equal(errors.warnings.count, 0);
    config_done(&config);
    expect_good("[optout]\nwords = halt\n" BANK, &config, &errors);
    assert_int_equal(errors.warnings.count, 1);
    config_done(&config);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(text, sizeof text, "[optout]\n%s\n" BANK, cases[i].line);
        expect_error(text, cases[i].place, cases[i].words);
    }
}

#define PIN "000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f"

static void an_account_is_where_its_url_says_and_known_by_ca_or_pin(void **state)
{
    struct config config;
    struct config_errors errors;

    (void)state;
    expect_good("[central]\nurl = https://account.example:8443\nca = /etc/cellpost/account.pem\npin = " PIN
                "\nproxy = http://proxy.example:3128\nlease = 250.5\ninterval = 2m\n" BANK, &config, &errors);
    assert_string_equal(config.central.place.url, "https://account.example:8443");
    assert_string_equal(config.central.place.ca, "/etc/cellpost/account.pem");
    assert_true(config.central.place.has_pin);
    assert_int_equal(config.central.place.pin[0], 0);
    assert_int_equal(config.central.place.pin[31], 31);
    assert_string_equal(config.central.place.proxy, "http://proxy.example:3128");
    assert_int_equal(config.central.lease_micro, 250500000);
    assert_int_equal(config.central.interval_ms, 120000);
    config_done(&config);
    expect_good("[central]\nurl = https://[2001:db8::1]\npin = " PIN "\n" BANK, &config, &errors);
    assert_int_equal(config.central.lease_micro, INT64_C(1000000000));
    config_done(&config);
    expect_good(BANK, &config, &errors);
    assert_string_equal(config.central.place.url, "");
    config_done(&config);
}

static void an_account_that_cannot_be_known_to_be_it_is_an_error(void **state)
{
    static const struct { const char *text, *place, *words; } rows[] = {
        { "[central]\nurl = https://a.example\n" BANK, "cellpost.ini:2: [central] url:", "set ca or pin" },
        { "[central]\nurl = http://a.example\npin = " PIN "\n" BANK, "cellpost.ini:2: [central] url:", "does not begin with https://" },
        { "[central]\nurl = https://a.example/path\npin = " PIN "\n" BANK, "cellpost.ini:2: [central] url:", "behind the host" },
        { "[central]\nurl = https://me@a.example\npin = " PIN "\n" BANK, "cellpost.ini:2: [central] url:", "behind the host" },
        { "[central]\nurl = https://a.example:0\npin = " PIN "\n" BANK, "cellpost.ini:2: [central] url:", "bad port" },
        { "[central]\nurl = https://a.example:99999\npin = " PIN "\n" BANK, "cellpost.ini:2: [central] url:", "bad port" },
        { "[central]\nurl = https://\npin = " PIN "\n" BANK, "cellpost.ini:2: [central] url:", "no host" },
        { "[central]\npin = 0011\n" BANK, "cellpost.ini:2: [central] pin:", "is no SHA-256" },
        { "[central]\nca = here.pem\n" BANK, "cellpost.ini:2: [central] ca:", "is not an absolute path" },
        { "[central]\nproxy = proxy.example\n" BANK, "cellpost.ini:2: [central] proxy:", "does not begin with" },
        { "[central]\nlease = 0\n" BANK, "cellpost.ini:2: [central] lease:", "is out of range" },
        { "[central]\ninterval = 1s\n" BANK, "cellpost.ini:2: [central] interval:", "is out of range" },
        { "[central]\nkey = x\n" BANK, "cellpost.ini:2: [central] key:", "unknown key (allowed: url, ca, pin, proxy, lease, interval)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_error(rows[i].text, rows[i].place, rows[i].words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_design_is_understood),
        cmocka_unit_test(an_account_is_where_its_url_says_and_known_by_ca_or_pin),
        cmocka_unit_test(an_account_that_cannot_be_known_to_be_it_is_an_error),
        cmocka_unit_test(the_least_file_gets_every_default),
        cmocka_unit_test(every_key_reaches_its_field),
        cmocka_unit_test(every_key_of_routing_reaches_its_field),
        cmocka_unit_test(every_limit_of_a_card_reaches_its_field),
        cmocka_unit_test(a_card_takes_from_the_section_of_all_cards_what_its_own_leaves_out),
        cmocka_unit_test(what_a_card_says_itself_holds_for_it_and_none_takes_a_limit_away),
        cmocka_unit_test(every_wrong_line_names_file_line_and_key),
        cmocka_unit_test(all_errors_of_a_file_come_at_once_up_to_a_bound),
        cmocka_unit_test(a_pin_is_never_repeated_in_a_message),
        cmocka_unit_test(indented_keys_crlf_and_a_byte_order_mark_are_fine),
        cmocka_unit_test(a_line_at_the_limit_is_read_whole_and_one_octet_more_is_refused),
        cmocka_unit_test(a_list_goes_on_with_another_line_of_its_key),
        cmocka_unit_test(an_open_address_is_taken_with_tls_or_when_asked_for),
        cmocka_unit_test(loopback_is_known_in_all_its_forms),
        cmocka_unit_test(what_works_but_surprises_is_warned_of),
        cmocka_unit_test(a_nul_octet_does_not_hide_the_rest_of_a_line),
        cmocka_unit_test(too_large_a_file_is_refused_before_it_is_read),
        cmocka_unit_test(the_shipped_example_loads_without_a_warning),
        cmocka_unit_test(every_default_shown_in_the_shipped_example_is_valid_and_the_default),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named_with_its_reason),
        cmocka_unit_test(pins_in_a_file_that_everybody_may_read_are_warned_of),
        cmocka_unit_test(words_of_opting_out_are_read_and_one_that_could_not_be_found_or_means_two_things_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
