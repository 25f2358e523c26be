/* SPDX-License-Identifier: Apache-2.0
 *
 * What an operator wrote about prices and ways is in force as a whole or not at all, and whatever is wrong with it is told with
 * its place. Files are real ones, in a folder of the test. */
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

#include "firmware/common/routing_load.h"

#define BANK "[bank \"local\"]\nports = /dev/ttyUSB*\n"
#define ICCID "8949020000012345678"
#define HEADER "kind,plan,currency,prefix,price,prefixes,name,parts,period,time_zone\n"

struct folder { char path[64]; char names[16][32]; unsigned count; struct config_errors notes; };

static void put_file(struct folder *folder, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    for (unsigned i = 0; i < folder->count; i++)
        if (strcmp(folder->names[i], name) == 0)
            return;
    (void)snprintf(folder->names[folder->count++], sizeof folder->names[0], "%s", name);
}

static int open_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);

    (void)strcpy(folder->path, "/tmp/cellpost-routing-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    *state = folder;
    return 0;
}

static int close_folder(void **state)
{
    struct folder *folder = *state;
    char path[128];

    for (unsigned i = 0; i < folder->count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder->path, folder->names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder->path), 0);
    free(folder);
    return 0;
}

/* '@' in text stands for the folder. */
static char *with_folder(const struct folder *folder, const char *text)
{
    size_t room = strlen(text) + 1, used = 0;
    char *out;

    for (const char *at = text; *at; at++)
        room += *at == '@' ? strlen(folder->path) : 0;
    out = malloc(room);
    assert_non_null(out);
    for (const char *at = text; *at; at++)
        used += (size_t)snprintf(out + used, room - used, *at == '@' ? "%s" : "%.1s", *at == '@' ? folder->path : at);
    return out;
}

static int load(struct folder *folder, const char *ini, struct routing **ret_routing)
{
    struct config_errors errors;
    struct config config;
    char *text = with_folder(folder, ini);
    int r = config_parse("cellpost.ini", text, strlen(text), &config, &errors);

    if (r < 0)
        fail_msg("%s\n%s", errors.errors.text[0], text);
    free(text);
    r = routing_load(&config, ret_routing, &folder->notes);
    config_done(&config);   /* nothing of it is needed any more */
    return r;
}

static struct routing *load_good(struct folder *folder, const char *ini)
{
    struct routing *routing = NULL;
    int r = load(folder, ini, &routing);

    if (r != 0)
        fail_msg("%d: %s", r, folder->notes.errors.text[0]);
    assert_int_equal(folder->notes.errors.count, 0);
    return routing;
}

static void expect_note(struct folder *folder, const struct config_notes *notes, unsigned index, const char *expected)
{
    char *text = with_folder(folder, expected);

    if (index >= notes->count)
        fail_msg("%u notes, expected one more: %s", notes->count, text);
    assert_string_equal(notes->text[index], text);
    free(text);
}

/* Exactly these errors, in this order, up to a NULL. */
static void expect_errors(struct folder *folder, const char *ini, const char *const *expected)
{
    struct routing *routing = NULL;
    unsigned count = 0;

    assert_int_equal(load(folder, ini, &routing), -EINVAL);
    assert_null(routing);
    for (; expected[count]; count++)
        expect_note(folder, &folder->notes.errors, count, expected[count]);
    if (folder->notes.errors.count != count)
        fail_msg("and also: %s", folder->notes.errors.text[count]);
}

#define ERRORS(...) (const char *const[]){ __VA_ARGS__, NULL }

/* -- what is good --------------------------------------------------------------------------------------------- */

static void without_files_there_is_one_route_for_all_and_no_version(void **state)
{
    struct folder *folder = *state;
    struct routing *routing = load_good(folder, BANK);

    assert_null(routing->tariffs);
    assert_null(routing->rates);
    assert_null(routing->overrides);
    assert_int_equal(route_count(routing->routes), 1);
    assert_string_equal(routing->currency, "");
    assert_int_equal(routing->sim_count, 0);
    assert_string_equal(routing_sim(routing, ICCID)->iccid, "*");
    assert_int_equal(routing_record(routing)->count, 0);
    assert_int_equal(routing->version, 0);
    routing_free(routing);
    routing_free(NULL);
}

static void all_files_and_all_sections_become_one_whole(void **state)
{
    struct folder *folder = *state;
    struct routing *routing;
    const struct routing_sim *sim;
    char text[160];
    int64_t micro;

    put_file(folder, "a.csv", HEADER "price,a,EUR,*,0.10,,,,,\nbundle,a,,,,336,b,10,month,Europe/Paris\nbundle,a,,,,337,c,10,day,+02:00\n");
    put_file(folder, "b.csv", HEADER "price,b,XOF,*,20,,,,,\n");
    put_file(folder, "rates", "from,to,rate\nEUR,XOF,655.957\n");
    put_file(folder, "routes.csv", "prefix,bearers\n33,tag:home\n");
    put_file(folder, "numbers.csv", "number,as\n33612345678,336\n");
    routing = load_good(folder, "[gateway]\nfixed_lines = allow\n"
                                "[routing]\ntariffs = @/?.csv @/a.csv\nrates = @/rates\nroutes = @/routes.csv\nnumbers = @/numbers.csv\n"
                                "currency = EUR\ntariff = a\npatience = 10m\nsticky = yes\n" BANK
                                "[sim \"*\"]\nper_day = 100\ntags = home\n"
                                "[sim \"" ICCID "\"]\nname = office\ntariff = b\ntime_zone = America/New_York\nper_day = 5\n");
    assert_int_equal(folder->notes.warnings.count, 0);
    assert_int_equal(tariff_plan_count(routing->tariffs), 2);
    assert_int_equal(tariff_row_count(routing->tariffs), 4);   /* a.csv is meant by two patterns and read once */
    assert_int_equal(rates_convert(routing->rates, 655957000, "XOF", "EUR", &micro), 0);
    assert_int_equal(micro, 1000000);
    assert_int_equal(route_count(routing->routes), 2);
    assert_int_equal(override_count(routing->overrides), 1);
    assert_string_equal(routing->currency, "EUR");
    assert_int_equal(routing->patience_s, 600);
    assert_true(routing->sticky);
    assert_true(routing->fixed_lines);
    sim = routing_sim(routing, ICCID);
    assert_string_equal(sim->name, "office");
    assert_string_equal(sim->tariff, "b");
    assert_int_equal(sim->limits.per_day, 5);
    assert_int_equal(sim->tag_count, 1);
    assert_string_equal(sim->tags[0], "home");
    assert_int_equal(zone_offset_s(sim->limits.zone, 1767225600), -5 * 3600);   /* 2026-01-01 */
    sim = routing_sim(routing, "8949020000099999999");
    assert_string_equal(sim->iccid, "*");
    assert_string_equal(sim->tariff, "a");
    assert_int_equal(sim->limits.per_day, 100);
    assert_null(sim->limits.zone);
    assert_int_equal(zone_offset_s(routing_zone(routing, "Europe/Paris"), 1767225600), 3600);
    assert_int_equal(zone_offset_s(routing_zone(routing, "+02:00"), 1767225600), 7200);
    assert_null(routing_zone(routing, "Europe/Rome"));
    routing_describe(routing, text, sizeof text);
    assert_string_equal(text, "2 plans with 4 rows in EUR, 2 routes, 1 ported number");
    routing_free(routing);
}

static void the_only_currency_of_the_tariffs_is_that_of_the_gateway(void **state)
{
    struct folder *folder = *state;
    struct routing *routing;

    put_file(folder, "t.csv", HEADER "price,a,XOF,*,10,,,,,\nprice,b,XOF,*,20,,,,,\nonnet,c,,,,33,,,,\n");
    routing = load_good(folder, "[routing]\ntariffs = @/t.csv\n" BANK);
    assert_string_equal(routing->currency, "XOF");
    routing_free(routing);
}

static void files_that_differ_in_an_octet_or_a_name_are_another_version(void **state)
{
    struct folder *folder = *state;
    struct routing *one, *two;

    put_file(folder, "t.csv", HEADER "price,a,EUR,*,10,,,,,\n");
    put_file(folder, "u.csv", HEADER "price,a,EUR,*,10,,,,,\n");
    one = load_good(folder, "[routing]\ntariffs = @/t.csv\n" BANK);
    two = load_good(folder, "[routing]\ntariffs = @/t.csv\npatience = 5s\n" BANK);
    assert_int_equal(routing_record(one)->count, 1);
    assert_memory_equal(routing_record(one)->sha256, routing_record(two)->sha256, 32);
    assert_string_equal(routing_record(one)->files, routing_record(two)->files);
    assert_non_null(strstr(routing_record(one)->files, "\"kind\":\"tariffs\""));
    assert_non_null(strstr(routing_record(one)->files, "/t.csv\",\"bytes\":"));
    assert_non_null(strstr(routing_record(one)->files, "\"text\":\"kind,plan,"));
    routing_free(two);
    two = load_good(folder, "[routing]\ntariffs = @/u.csv\n" BANK);
    assert_memory_not_equal(routing_record(one)->sha256, routing_record(two)->sha256, 32);
    routing_free(two);
    put_file(folder, "t.csv", HEADER "price,a,EUR,*,11,,,,,\n");
    two = load_good(folder, "[routing]\ntariffs = @/t.csv\n" BANK);
    assert_memory_not_equal(routing_record(one)->sha256, routing_record(two)->sha256, 32);
    routing_free(two);
    routing_free(one);
}

/* -- what is wrong -------------------------------------------------------------------------------------------- */

static void every_wrong_row_of_every_file_is_told_at_once_with_its_place(void **state)
{
    struct folder *folder = *state;

    put_file(folder, "t.csv", HEADER
             "price,a,EUR,*,-3,,,,,\n"
             "price,a,EUR,+33,0.10,,,,,\n"
             "price,a,EUR,34,0.10\n"
             "price,a,EUR,35,0.10,,,,,\n"
             "price,a,EUR,36,ten,,,,,\n");
    put_file(folder, "r.csv", "prefix,bearers\n33,orange\n");
    put_file(folder, "n.csv", "number,as\n33six12345678,336\n");
    put_file(folder, "rates", "from,to,rate\nEUR,USD,0\n");
    expect_errors(folder, "[routing]\ntariffs = @/t.csv\nroutes = @/r.csv\nnumbers = @/n.csv\nrates = @/rates\n" BANK,
                  ERRORS("@/t.csv:2:price: '-3' is negative (allowed: 0 to 1000000000, with at most 6 decimals behind a point)",
                         "@/t.csv:3:prefix: '+33' is no prefix (allowed: 1 to 15 digits of an international number without '+', or * for every number)",
                         "@/t.csv:4: the row has 5 fields, the header has 10",
                         "@/t.csv:6:price: 'ten' is no number (allowed: 0 to 1000000000, with at most 6 decimals behind a point)",
                         "@/rates:2:rate: '0' is no rate (allowed: a number above 0 as 1.0842, or a fraction as 10842/10000, of at most 18 digits)",
                         "@/r.csv:2:bearers: 'orange' is no selector (allowed: *, tag:NAME, sim:ICCID, name:NAME, kind:sim, kind:http, kind:smpp or kind:sip)",
                         "@/n.csv:2:number: '33six12345678' has something else than digits (allowed: 7 to 15 digits of an international number, with or without '+')"));
}

static void rows_that_overlap_in_two_files_are_told_with_both_places(void **state)
{
    struct folder *folder = *state;

    put_file(folder, "t.csv", HEADER "price,a,EUR,33,0.10,,,,,\n");
    put_file(folder, "u.csv", HEADER "price,a,EUR,33,0.20,,,,,\n");
    expect_errors(folder, "[routing]\ntariffs = @/*.csv\n" BANK,
                  ERRORS("@/u.csv:2:prefix: '33' of plan 'a' has a price already by @/t.csv:2, which is valid at all times (allowed: one row at a time)"));
}

static void a_card_with_a_plan_that_is_not_there_is_named(void **state)
{
    struct folder *folder = *state;

    put_file(folder, "t.csv", HEADER "price,a,EUR,*,1,,,,,\nprice,b,EUR,*,1,,,,,\nprice,c,EUR,*,1,,,,,\nprice,d,EUR,*,1,,,,,\n"
                                     "price,e,EUR,*,1,,,,,\nprice,f,EUR,*,1,,,,,\nprice,g,EUR,*,1,,,,,\n");
    expect_errors(folder, "[routing]\ntariffs = @/t.csv\ntariff = none\n" BANK "[sim \"" ICCID "\"]\ntariff = gone\n",
                  ERRORS("cellpost.ini:3: [routing] tariff: there is no plan 'none' in the tariffs (there are: a, b, c, d, e and 2 more)",
                         "cellpost.ini:7: [sim \"" ICCID "\"] tariff: there is no plan 'gone' in the tariffs (there are: a, b, c, d, e and 2 more)"));
    /* What all cards take from one section is said once. */
    expect_errors(folder, "[routing]\ntariffs = @/t.csv\n" BANK "[sim \"*\"]\ntariff = gone\n[sim \"" ICCID "\"]\nname = x\n",
                  ERRORS("cellpost.ini:6: [sim \"*\"] tariff: there is no plan 'gone' in the tariffs (there are: a, b, c, d, e and 2 more)"));
}

static void a_time_zone_that_is_not_there_is_told_with_its_place(void **state)
{
    struct folder *folder = *state;

    put_file(folder, "t.csv", HEADER "price,a,EUR,*,1,,,,,\nbundle,a,,,,336,b,10,month,Europe/Pariss\nbundle,a,,,,337,c,10,month,Europe/Pariss\n");
    expect_errors(folder, "[routing]\ntariffs = @/t.csv\n" BANK "[sim \"" ICCID "\"]\ntime_zone = Mars/Olympus\n",
                  ERRORS("cellpost.ini:6: [sim \"" ICCID "\"] time_zone: 'Mars/Olympus' is no time zone of /usr/share/zoneinfo"
                         " (allowed: UTC, an offset as +02:00, or a name as Europe/Paris)",
                         "@/t.csv:3:time_zone: 'Europe/Pariss' is no time zone of /usr/share/zoneinfo"
                         " (allowed: UTC, an offset as +02:00, or a name as Europe/Paris)"));
    /* A file that is no time zone, and no database at all. */
    assert_int_equal(setenv("TZDIR", folder->path, 1), 0);
    put_file(folder, "Local", "no time zone");
    expect_errors(folder, BANK "[sim \"*\"]\ntime_zone = Local\n",
                  ERRORS("cellpost.ini:4: [sim \"*\"] time_zone: 'Local' is no time zone of @"
                         " (allowed: UTC, an offset as +02:00, or a name as Europe/Paris)"));
    assert_int_equal(setenv("TZDIR", "/nonexistent", 1), 0);
    expect_errors(folder, BANK "[sim \"*\"]\ntime_zone = Local\n",
                  ERRORS("cellpost.ini:4: [sim \"*\"] time_zone: 'Local' cannot be looked up: there is no time zone database in /nonexistent"
                         " (install tzdata)"));
    assert_int_equal(unsetenv("TZDIR"), 0);
}

static void plans_that_cannot_be_compared_are_named_by_their_first_price(void **state)
{
    struct folder *folder = *state;

    put_file(folder, "t.csv", HEADER "price,a,EUR,*,1,,,,,\nonnet,b,,,,33,,,,\nprice,b,USD,*,1,,,,,\nprice,b,USD,44,1,,,,,\n");
    put_file(folder, "rates", "from,to,rate\nEUR,XOF,655.957\n");
    expect_errors(folder, "[routing]\ntariffs = @/t.csv\nrates = @/rates\n" BANK,
                  ERRORS("cellpost.ini:2: [routing] currency: is needed, as there are prices in EUR and USD (allowed: the one to compare them in)"));
    expect_errors(folder, "[routing]\ntariffs = @/t.csv\nrates = @/rates\ncurrency = EUR\n" BANK,
                  ERRORS("@/t.csv:4:currency: plan 'b' is in USD, and there is no rate from it to EUR"
                         " (add one to the file that rates in [routing] names)"));
}

static void files_that_are_not_there_are_errors_not_free_messages(void **state)
{
    struct folder *folder = *state;

    put_file(folder, "t.csv", HEADER "price,a,EUR,*,1,,,,,\n");
    expect_errors(folder, "[routing]\ntariffs = @/t.csv @/gone.csv\ntariffs = @/none/*.csv\nrates = @/rates\nroutes = @\nnumbers = @/n*.csv\n" BANK
                          "[sim \"" ICCID "\"]\ntariff = a\n",
                  ERRORS("cellpost.ini:3: [routing] tariffs: @/gone.csv cannot be read: No such file or directory",
                         "cellpost.ini:3: [routing] tariffs: a folder of @/none/*.csv cannot be read",
                         "cellpost.ini:4: [routing] rates: @/rates cannot be read: No such file or directory",
                         "cellpost.ini:5: [routing] routes: @ cannot be read: Is a directory",
                         "cellpost.ini:6: [routing] numbers: no file matches @/n*.csv"));
}

static void a_pipe_in_the_place_of_a_file_does_not_hang_the_start(void **state)
{
    struct folder *folder = *state;
    char path[128];

    (void)snprintf(path, sizeof path, "%s/t.csv", folder->path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_errors(folder, "[routing]\ntariffs = @/t.csv\n" BANK,
                  ERRORS("cellpost.ini:2: [routing] tariffs: @/t.csv cannot be read: it is no regular file"));
    assert_int_equal(unlink(path), 0);
}

static void a_file_above_the_bound_is_refused_before_it_is_read(void **state)
{
    struct folder *folder = *state;
    char path[128];

    put_file(folder, "t.csv", HEADER);
    (void)snprintf(path, sizeof path, "%s/t.csv", folder->path);
    assert_int_equal(truncate(path, (off_t)ROUTING_FILE_BYTES_MAX + 1), 0);
    expect_errors(folder, "[routing]\ntariffs = @/t.csv\n" BANK,
                  ERRORS("cellpost.ini:2: [routing] tariffs: @/t.csv cannot be read: it is larger than 64 MiB"));
}

/* -- what surprises ------------------------------------------------------------------------------------------- */

static void what_has_no_effect_is_warned_of(void **state)
{
    struct folder *folder = *state;
    struct routing *routing;

    put_file(folder, "r.csv", "prefix,bearers\n33,tag:orange|tag:home|name:office\n");
    routing = load_good(folder, "[routing]\nroutes = @/r.csv\ntariff = a\n" BANK
                                "[sim \"*\"]\ntags = home\nspend_per_day = 2\n"
                                "[sim \"" ICCID "\"]\nname = office\ntariff = b\nspend_per_month = 3\n");
    expect_note(folder, &folder->notes.warnings, 0, "cellpost.ini:3: [routing] tariff: has no effect without tariffs in [routing]");
    expect_note(folder, &folder->notes.warnings, 1,
                "cellpost.ini:8: [sim \"*\"] spend_per_day: has no effect without tariffs in [routing], as prices are not known");
    expect_note(folder, &folder->notes.warnings, 2, "cellpost.ini:11: [sim \"" ICCID "\"] tariff: has no effect without tariffs in [routing]");
    expect_note(folder, &folder->notes.warnings, 3,
                "cellpost.ini:12: [sim \"" ICCID "\"] spend_per_month: has no effect without tariffs in [routing], as prices are not known");
    expect_note(folder, &folder->notes.warnings, 4, "@/r.csv:2:bearers: 'tag:orange' selects no bearer that is configured");
    assert_int_equal(folder->notes.warnings.count, 5);
    routing_free(routing);
}

static void large_files_are_in_force_without_being_kept(void **state)
{
    struct folder *folder = *state;
    struct routing *routing;
    size_t size = ROUTING_KEPT_BYTES_MAX + 65536, used;
    char *text = malloc(size + 64);

    assert_non_null(text);
    used = (size_t)sprintf(text, HEADER "price,a,EUR,*,1,,,,,\n");
    while (used < size) {
        memset(text + used, '#', 1000);
        text[used + 1000] = '\n';
        used += 1001;
        if (used + 1001 > size)
            break;
    }
    text[used] = '\0';
    put_file(folder, "t.csv", text);
    free(text);
    routing = load_good(folder, "[routing]\ntariffs = @/t.csv\n" BANK);
    assert_int_equal(routing_record(routing)->count, 1);
    assert_null(strstr(routing_record(routing)->files, "\"text\""));
    expect_note(folder, &folder->notes.warnings, 0,
                "cellpost.ini:2: [routing] tariffs: the files are larger than 16 MiB: of this version only their names and hashes are kept");
    routing_free(routing);
}

#define behaviour(name) cmocka_unit_test_setup_teardown(name, open_folder, close_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(without_files_there_is_one_route_for_all_and_no_version),
        behaviour(all_files_and_all_sections_become_one_whole),
        behaviour(the_only_currency_of_the_tariffs_is_that_of_the_gateway),
        behaviour(files_that_differ_in_an_octet_or_a_name_are_another_version),
        behaviour(every_wrong_row_of_every_file_is_told_at_once_with_its_place),
        behaviour(rows_that_overlap_in_two_files_are_told_with_both_places),
        behaviour(a_card_with_a_plan_that_is_not_there_is_named),
        behaviour(a_time_zone_that_is_not_there_is_told_with_its_place),
        behaviour(plans_that_cannot_be_compared_are_named_by_their_first_price),
        behaviour(files_that_are_not_there_are_errors_not_free_messages),
        behaviour(a_pipe_in_the_place_of_a_file_does_not_hang_the_start),
        behaviour(a_file_above_the_bound_is_refused_before_it_is_read),
        behaviour(what_has_no_effect_is_warned_of),
        behaviour(large_files_are_in_force_without_being_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
