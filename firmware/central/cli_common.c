/* SPDX-License-Identifier: Apache-2.0
 *
 * cli_common.c - what the verbs share: storage and keys, arguments, and errors that say what to do next. */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/table.h"
#include "firmware/cellpost/text.h"
#include "firmware/cellpost/when.h"
#include "firmware/central/commands.h"
#include "src/base/hex.h"

#define BOX_DIGITS (2 * LEASE_BOX_ID_OCTETS)
#define BOX_DIGITS_MIN 4

int64_t central_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *central_who(void)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *user = getpwuid(getuid());

    if (sudo && sudo[0] != '\0' && strlen(sudo) < ACCOUNT_NAME_CHARS)
        return sudo;
    return user ? user->pw_name : "";
}

/* -- words ---------------------------------------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 1, 0))) say(const char *format, va_list arguments)
{
    char *text = NULL, *escaped;

    if (vasprintf(&text, format, arguments) < 0)
        return;
    escaped = text_escape(text, strlen(text), TEXT_KEEP_LINES);
    (void)fprintf(stderr, "%s\n", escaped ? escaped : "out of memory");
    free(escaped);
    free(text);
}

void central_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

int central_usage(const struct command_line *line, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    central_say("cellpost-central: %s", text);
    central_say("\"cellpost-central %s%s%s --help\" tells more.", line->verb->name, line->verb->object ? " " : "", line->verb->object ? line->verb->object : "");
    return CENTRAL_USAGE;
}

/* What a person can do about it. */
static const struct { enum account_status status; const char *next; } next_steps[] = {
    { ACCOUNT_UNKNOWN, "\"cellpost-central account list\" shows the accounts, \"cellpost-central box show ID\" the leases of a box." },
    { ACCOUNT_UNKNOWN_BOX, "\"cellpost-central box list\" shows the boxes." },
    { ACCOUNT_NAME_TAKEN, "Choose another name; \"cellpost-central account list\" shows those there are." },
    { ACCOUNT_TOO_LITTLE, "\"cellpost-central account show NAME\" tells what is available. What boxes have in hand comes back when they close their leases." },
    { ACCOUNT_BAD_AMOUNT, "An amount is more than 0, at most 1000000000 credits, with up to 6 decimals; --used is at most what is in "
                          "suspense (\"cellpost-central box show ID\")." },
    { ACCOUNT_BAD_NAME, "Names have up to 63 octets, notes up to 127, of UTF-8 without control characters." },
    { ACCOUNT_NO_ENTRY, "\"cellpost ledger\" on the box numbers its entries; --chain names an enrolment before the present one." },
    { ACCOUNT_REFUNDED, "There is nothing left to give back for it." },
    { ACCOUNT_NOT_YET, "\"cellpost-central box show ID\" tells until when it is waited for." },
    { ACCOUNT_NOT_SUSPENDED, "\"cellpost-central box show ID\" shows the leases and their states." },
    { ACCOUNT_FENCED, "\"cellpost-central box reincarnate ID\" gives a token with which one machine becomes this box again." },
    { ACCOUNT_BAD_VERSION, "\"cellpost-central price show\" tells the version in force; leave --number out to get the next one." },
    { ACCOUNT_NO_LEASE, "\"cellpost-central box show ID\" shows the leases of the box." },
};

/* What the storage says, for a person. */
static const struct { int error; const char *next; } storage_errors[] = {
    { -EAGAIN, "Others were writing all the time: try again." },
    { -EIO, "Whether it was done is not known if it was on its way: look (\"account show\", \"box show\") before you do it again." },
    { -ENOSPC, "Make room on the disk of the database, then try again." },
    { -EROFS, "The database cannot be written: look at the rights and the mount of its folder." },
    { -EBUSY, "Another program holds the database: try again when it is done." },
};

static void print_refusal(const char *code, const char *what, const char *words)
{
    central_print_json(json_pack("{s:s, s:s, s:s}", "code", code, "what", what, "detail", words));
}

int central_explain(const struct command_line *line, int r, enum account_status status, const char *what)
{
    if (r == 0 && status == ACCOUNT_OK)
        return CENTRAL_OK;
    if (r < 0) {
        central_say("cellpost-central: %s: the database: %s", what, strerror(-r));
        for (size_t i = 0; i < sizeof storage_errors / sizeof storage_errors[0]; i++)
            if (storage_errors[i].error == r)
                central_say("%s", storage_errors[i].next);
        if (line->json)
            print_refusal("database", what, strerror(-r));
        return CENTRAL_BROKEN;
    }
    central_say("cellpost-central: %s: %s", what, account_status_words(status));
    for (size_t i = 0; i < sizeof next_steps / sizeof next_steps[0]; i++)
        if (next_steps[i].status == status)
            central_say("%s", next_steps[i].next);
    if (line->json)
        print_refusal(account_status_name(status), what, account_status_words(status));
    return CENTRAL_REFUSED;
}

/* -- storage and keys --------------------------------------------------------------------------------------------------------------- */

int central_open_db(struct command_line *line)
{
    char problem[512];

    if (line->db)
        return CENTRAL_OK;
    (void)mkdir(line->settings.state, 0700);   /* what is wrong with it is told by what is to lie in it */
    if (central_db_open(line->settings.db, &line->db, problem, sizeof problem) < 0) {
        central_say("cellpost-central: %s", problem);
        central_say("The database is named with --db, or with db in [central] of the settings.");
        return CENTRAL_BROKEN;
    }
    line->ops = central_db_ops(line->db);
    return CENTRAL_OK;
}

static int first_box(void *context, const struct account_box *row)
{
    (void)row;
    *(bool *)context = true;
    return 1;
}

static int look_for_boxes(const struct account_db *db, void *context)
{
    int r = db->ops->box_list(db->db, 0, first_box, context);

    return r < 0 ? r : 0;
}

int central_open_ca(struct command_line *line)
{
    bool has_boxes = false;
    char problem[1400];
    int r, status = central_open_db(line);

    if (status != CENTRAL_OK || line->ca)
        return status;
    r = central_read(&line->ops, look_for_boxes, &has_boxes);
    if (r < 0)
        return central_explain(line, r, ACCOUNT_OK, "looking for boxes");
    if (central_ca_open(line->settings.state, !has_boxes, central_now_ms(), &line->ca, problem, sizeof problem) < 0) {
        central_say("cellpost-central: %s", problem);
        return CENTRAL_BROKEN;
    }
    return CENTRAL_OK;
}

struct account_hands central_hands(const struct command_line *line)
{
    return central_ca_hands(line->ca, line->settings.lease_ms, line->settings.settle_ms);
}

int central_read(const struct account_db *db, central_work *work, void *context)
{
    int r = -EAGAIN;

    for (unsigned attempt = 0; attempt < ACCOUNT_TRIES && r == -EAGAIN; attempt++) {
        r = db->ops->begin(db->db, attempt);
        if (r == 0)
            r = work(db, context);
        db->ops->rollback(db->db);
    }
    return r;
}

/* -- arguments ------------------------------------------------------------------------------------------------------------------------ */

int central_read_amount(const struct command_line *line, const char *what, const char *text, int64_t max_micro, int64_t *ret_micro)
{
    const char *wrong;

    if (money_parse(text, max_micro, ret_micro, &wrong) < 0)
        return central_usage(line, "%s '%s' %s (credits, with up to 6 decimals, as 12 or 0.049)", what, text, wrong);
    return CENTRAL_OK;
}

int central_read_number(const struct command_line *line, const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < min || number > max)
        return central_usage(line, "%s '%s' is not a whole number from %llu to %llu", what, text, (unsigned long long)min, (unsigned long long)max);
    *ret_number = number;
    return CENTRAL_OK;
}

int central_read_valid(const struct command_line *line, int64_t *ret_ms)
{
    const char *text = line->valid ? line->valid : "24h";
    int64_t s;

    if (duration_parse(text, &s) < 0 || s <= 0 || s * 1000 > ACCOUNT_VALID_MS_MAX)
        return central_usage(line, "--valid '%s' is not a time like 2h, 24h or 7d, up to a year", text);
    *ret_ms = s * 1000;
    return CENTRAL_OK;
}

struct find { const char *text; size_t length; bool digits; struct account_box box; unsigned count; };

static int match_box(void *context, const struct account_box *row)
{
    struct find *find = context;
    char id[BOX_DIGITS + 1];

    central_hex(row->id, sizeof row->id, id);
    if ((find->digits && strncasecmp(id, find->text, find->length) == 0) || strcmp(row->label, find->text) == 0) {
        find->box = *row;
        find->count++;
    }
    return 0;
}

static int find_work(const struct account_db *db, void *context)
{
    ((struct find *)context)->count = 0;
    return db->ops->box_list(db->db, 0, match_box, context);
}

int central_find_box(struct command_line *line, const char *text, struct account_box *ret_box)
{
    struct find find = { .text = text, .length = strlen(text) };
    int r, status = central_open_db(line);

    if (status != CENTRAL_OK)
        return status;
    find.digits = find.length >= BOX_DIGITS_MIN && find.length <= BOX_DIGITS && strspn(text, "0123456789abcdefABCDEF") == find.length;
    r = central_read(&line->ops, find_work, &find);
    if (r < 0 || find.count == 0)
        return central_explain(line, r, ACCOUNT_UNKNOWN_BOX, text);
    if (find.count > 1) {
        central_say("cellpost-central: '%s' may be any of %u boxes: say more digits of its id. \"cellpost-central box list\" shows them.", text, find.count);
        return CENTRAL_REFUSED;
    }
    *ret_box = find.box;
    return CENTRAL_OK;
}

/* -- output ---------------------------------------------------------------------------------------------------------------------------- */

void central_print_json(json_t *json)
{
    char *text = memory_check(json_dumps(memory_check(json), JSON_COMPACT)), *escaped = memory_check(text_escape_json(text, strlen(text)));

    (void)puts(escaped);
    free(escaped);
    free(text);
    json_decref(json);
}

void central_print_table(struct table *table)
{
    char *text = table_render(table, 0, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"), true);

    if (table_rows(table) > 0)
        (void)fputs(text, stdout);
    free(text);
    table_free(table);
}

void central_print_field(const char *name, const char *format, ...)
{
    char *text = NULL, *escaped;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vasprintf(&text, format, arguments);
    va_end(arguments);
    memory_check(n < 0 ? NULL : text);
    escaped = memory_check(text_escape(text, strlen(text), TEXT_ONE_LINE));
    (void)printf("%-14s %s\n", name, escaped[0] != '\0' ? escaped : "-");
    free(escaped);
    free(text);
}

void central_print_money(const char *name, int64_t micro)
{
    char text[MONEY_CHARS];

    money_format(micro, text);
    central_print_field(name, "%s", text);
}

void central_hex(const uint8_t *octets, size_t length, char *ret_text)
{
    hex_encode(octets, length, ret_text);
    for (char *c = ret_text; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c + ('a' - 'A'));
}

const char *central_when(const struct command_line *line, int64_t ms, char ret_text[40])
{
    when_format(ms, line->utc, ret_text);
    return ret_text;
}

json_t *central_time_json(int64_t ms)
{
    char text[WHEN_TEXT_MAX];

    if (ms == 0)
        return json_null();
    when_format_rfc3339(ms, text);
    return json_string(text);
}

/* -- names ----------------------------------------------------------------------------------------------------------------------------- */

#define NAME_OF(names, value) ((unsigned)(value) < sizeof (names) / sizeof (names)[0] && (names)[value] ? (names)[value] : "?")

const char *central_box_state(enum account_box_state state)
{
    static const char *const names[] = { [BOX_ACTIVE] = "active", [BOX_FROZEN] = "frozen", [BOX_FENCED] = "fenced" };

    return NAME_OF(names, state);
}

const char *central_lease_state(enum account_lease_state state)
{
    static const char *const names[] = { [ACCOUNT_LEASE_OPEN] = "open", [ACCOUNT_LEASE_EXPIRED] = "expired", [ACCOUNT_LEASE_FENCED] = "fenced",
                                         [ACCOUNT_LEASE_CLOSED] = "closed", [ACCOUNT_LEASE_WRITTEN_OFF] = "written_off" };

    return NAME_OF(names, state);
}

const char *central_book(enum account_book book)
{
    static const char *const names[] = { [BOOK_OUTSIDE] = "outside", [BOOK_AVAILABLE] = "available", [BOOK_LEASED] = "leased",
                                         [BOOK_SUSPENSE] = "suspense", [BOOK_CAPTURED] = "captured", [BOOK_DEBT] = "debt",
                                         [BOOK_OVERSPENT] = "overspent" };

    return NAME_OF(names, book);
}

const char *central_reason(enum account_reason reason)
{
    static const char *const names[] = { [FOR_FUNDING] = "funding", [FOR_PAYOUT] = "payout", [FOR_GRANT] = "grant", [FOR_CAPTURE] = "capture",
                                         [FOR_VOID] = "void", [FOR_CLOSE] = "close", [FOR_EXPIRY] = "expiry", [FOR_FENCE] = "fence",
                                         [FOR_WRITE_OFF] = "write_off", [FOR_REFUND] = "refund" };

    return NAME_OF(names, reason);
}

const char *central_alarm(enum account_alarm alarm)
{
    static const char *const names[] = { [ALARM_FORK] = "fork", [ALARM_DEBT] = "debt", [ALARM_REST_DIFFERS] = "rest_differs",
                                         [ALARM_PRICE_DIFFERS] = "price_differs", [ALARM_BAD_VOID] = "bad_void" };

    return NAME_OF(names, alarm);
}
