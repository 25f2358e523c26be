/* SPDX-License-Identifier: Apache-2.0
 *
 * route_parse.c - from the rows of CSV files to a table. Columns are a table themselves: whether a row that refuses may
 * have them, and how their value is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/money.h"
#include "src/routing/route_internal.h"

enum column {
    COLUMN_PREFIX, COLUMN_ACTION, COLUMN_BEARERS, COLUMN_ORDER, COLUMN_PREFER, COLUMN_DENY, COLUMN_FIXED_LINES, COLUMN_PATIENCE,
    COLUMN_STICKY, COLUMN_MAX_PRICE, COLUMN_NOTE, COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
    [COLUMN_PREFIX] = { "prefix", true },        [COLUMN_ACTION] = { "action", false },
    [COLUMN_BEARERS] = { "bearers", false },     [COLUMN_ORDER] = { "order", false },
    [COLUMN_PREFER] = { "prefer", false },       [COLUMN_DENY] = { "deny", false },
    [COLUMN_FIXED_LINES] = { "fixed_lines", false }, [COLUMN_PATIENCE] = { "patience", false },
    [COLUMN_STICKY] = { "sticky", false },       [COLUMN_MAX_PRICE] = { "max_price", false },
    [COLUMN_NOTE] = { "note", false },
};
_Static_assert(COLUMN_COUNT <= TABLE_COLUMNS_MAX, "table.h has room for fewer");

static const char *const action_names[ROUTE_ACTIONS] = { "send", "refuse" };
static const char *const order_names[ROUTE_ORDERS] = { "price", "listed" };
static const char *const setting_names[] = { "no", "yes" };   /* ROUTE_NO, ROUTE_YES */

#define LIST_SLOTS (2 * ROUTE_LISTS_MAX)
#define SHORT "short:"
#define ALLOWED_SELECTORS "*, tag:NAME, sim:ICCID, name:NAME, kind:sim, kind:http, kind:smpp or kind:sip"

struct reader {
    struct table table;
    struct route_table *routes;
    struct route_entry *entries; uint32_t count, size;
    struct route *route;                 /* the one that is being read */
    uint64_t key;
    uint16_t file;
    int fatal;                           /* -ENOMEM; -ENOSPC: a bound is reached, and noted */
    uint32_t *list_slots;                /* open addressing by the hash of the text; index + 1, 0 free */
    char list_text[CSV_RECORD_OCTETS_MAX + 1];   /* cut into its selectors */
};

/* What is written in a column of this row, into the row. False: it was noted what is wrong, or reader->fatal is set. */
typedef bool read_fn(struct reader *reader, enum column column, const char *value);

/* -- selectors ------------------------------------------------------------------------------------------------ */

static bool read_selector_value(struct reader *reader, enum column column, const char *text, struct route_selector *selector)
{
    const char *value = text + strlen(route_selector_words[selector->kind]);
    size_t length = strlen(value);
    int kind;

    switch (selector->kind) {
    case ROUTE_SELECT_SIM:
        /* ITU-T E.118 has at most 19 digits and a check digit; cards with letters in the place of digits are out there. */
        if (length < 18 || length > 22 || strspn(value, "0123456789ABCDEF") != length)
            return table_refuse(&reader->table, column, text, "has no ICCID", "sim: and its 18 to 22 digits");
        break;
    case ROUTE_SELECT_KIND:
        kind = table_word(route_bearer_words, ROUTE_BEARER_KINDS, value);
        if (kind == ROUTE_BEARER_KINDS)
            return table_refuse(&reader->table, column, text, "is no kind of bearer", "kind:sim, kind:http, kind:smpp or kind:sip");
        selector->bearer_kind = (enum route_bearer_kind)kind;
        break;
    default:
        if (length == 0 || length >= ROUTE_VALUE_MAX)
            return table_refuse(&reader->table, column, text, length == 0 ? "has no name" : "is too long", "a name of 1 to 63 octets");
        if (*value == ' ' || value[length - 1] == ' ' || strpbrk(value, "\t\r\n") != NULL)
            return table_refuse(&reader->table, column, text, "has blanks or a line break where none may be", "a name without blanks around it");
        break;
    }
    selector->value = value;
    return true;
}

static bool read_selector(struct reader *reader, enum column column, const char *text, struct route_selector *ret_selector)
{
    struct route_selector selector = { .kind = ROUTE_SELECT_ALL, .value = "" };

    if (strcmp(text, route_selector_words[ROUTE_SELECT_ALL]) != 0) {
        unsigned kind = ROUTE_SELECT_ALL + 1;

        if (*text == '\0') {
            table_note(&reader->table, column, "a selector between two '|' is empty (allowed: " ALLOWED_SELECTORS ")");
            return false;
        }
        while (kind < ROUTE_SELECTORS && strncmp(text, route_selector_words[kind], strlen(route_selector_words[kind])) != 0)
            kind++;
        if (kind == ROUTE_SELECTORS)
            return table_refuse(&reader->table, column, text, "is no selector", ALLOWED_SELECTORS);
        selector.kind = (enum route_selector_kind)kind;
        if (!read_selector_value(reader, column, text, &selector))
            return false;
    }
    *ret_selector = selector;
    return true;
}

/* Reads all selectors, so that all errors come at once. -EINVAL: they are noted. Their values are in list_text. */
static int read_selectors(struct reader *reader, enum column column, const char *value, struct route_selector *ret_selectors)
{
    char *at = strcpy(reader->list_text, value);
    int count = 0;
    bool good = true;

    for (bool more = true; more;) {
        size_t length = strcspn(at, "|");

        more = at[length] != '\0';
        at[length] = '\0';
        if (count == ROUTE_SELECTORS_MAX) {
            (void)table_refuse(&reader->table, column, value, "has too many selectors", "up to 64");
            return -EINVAL;
        }
        if (read_selector(reader, column, at, &ret_selectors[count])) {
            for (int i = 0; i < count; i++)
                if (ret_selectors[i].kind == ret_selectors[count].kind && ret_selectors[i].bearer_kind == ret_selectors[count].bearer_kind &&
                    strcmp(ret_selectors[i].value, ret_selectors[count].value) == 0) {
                    good = table_refuse(&reader->table, column, at, "is listed twice", "each selector once");
                    break;
                }
            count++;
        } else {
            good = false;
        }
        at += length + 1;
    }
    return good ? count : -EINVAL;
}

/* Where the list with this text is, or would be. */
static uint32_t *list_slot(const struct reader *reader, const char *text)
{
    uint32_t hash = 2166136261u;         /* FNV-1a */

    for (const char *at = text; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    for (;; hash++) {
        uint32_t *slot = &reader->list_slots[hash % LIST_SLOTS];

        if (*slot == 0 || strcmp(reader->routes->lists[*slot - 1]->text, text) == 0)
            return slot;
    }
}

static const struct route_list *add_list(struct reader *reader, enum column column, const char *value, uint32_t *slot)
{
    struct route_selector selectors[ROUTE_SELECTORS_MAX];
    int count = read_selectors(reader, column, value, selectors);
    struct route_list *list;

    if (count < 0)
        return NULL;
    if (reader->routes->list_count == ROUTE_LISTS_MAX) {
        table_note(&reader->table, column, "is one list of selectors too many (allowed: 65536 different ones in all files)");
        reader->fatal = -ENOSPC;
        return NULL;
    }
    list = route_table_list(reader->routes, value, (unsigned)count);
    if (!list)
        goto no_memory;
    list->line = reader->table.row.line;
    list->file = reader->file;
    list->column = columns[column].name;
    for (int i = 0; i < count; i++) {
        list->selectors[i] = selectors[i];
        list->selectors[i].value = *selectors[i].value == '\0' ? "" : texts_keep(&reader->routes->texts, selectors[i].value);
        if (!list->selectors[i].value)
            goto no_memory;
    }
    *slot = reader->routes->list_count;
    return list;
no_memory:
    reader->fatal = -ENOMEM;
    return NULL;
}

static bool read_list(struct reader *reader, enum column column, const char *value, const struct route_list **ret_list)
{
    uint32_t *slot = list_slot(reader, value);
    const struct route_list *list = *slot > 0 ? reader->routes->lists[*slot - 1] : add_list(reader, column, value, slot);

    if (list)
        *ret_list = list;
    return list != NULL;
}

static bool read_bearers(struct reader *reader, enum column column, const char *value)
{
    return read_list(reader, column, value, &reader->route->bearers);
}

static bool read_prefer(struct reader *reader, enum column column, const char *value)
{
    return read_list(reader, column, value, &reader->route->prefer);
}

static bool read_deny(struct reader *reader, enum column column, const char *value)
{
    return read_list(reader, column, value, &reader->route->deny);
}

/* -- other values --------------------------------------------------------------------------------------------- */

static bool read_prefix(struct reader *reader, enum column column, const char *value)
{
    static const char allowed[] = "1 to 15 digits of an international number without '+', * for every number, short:DIGITS or short:*";
    const char *digits = value;

    reader->route->short_code = strncmp(value, SHORT, sizeof SHORT - 1) == 0;
    if (reader->route->short_code)
        digits += sizeof SHORT - 1;
    if (strcmp(digits, "*") == 0) {
        reader->key = 0;
        return true;
    }
    if (*digits == '\0' || prefix_key(digits, strlen(digits), &reader->key) < 0)
        return table_refuse(&reader->table, column, value, "is no prefix", allowed);
    if (reader->route->short_code && strlen(digits) > ROUTE_SHORT_DIGITS_MAX)
        return table_refuse(&reader->table, column, value, "is longer than any short code", "up to 6 digits");
    if (!reader->route->short_code && *digits == '0')
        return table_refuse(&reader->table, column, value, "begins with 0, as no country code does", allowed);
    return true;
}

static bool read_order(struct reader *reader, enum column column, const char *value)
{
    int order = table_word(order_names, ROUTE_ORDERS, value);

    if (order == ROUTE_ORDERS)
        return table_refuse(&reader->table, column, value, "is no order", "price or listed; nothing is price");
    reader->route->order = (enum route_order)order;
    return true;
}

static bool read_setting(struct reader *reader, enum column column, const char *value, int8_t *ret_setting)
{
    int setting = table_word(setting_names, 2, value);

    if (setting == 2)
        return table_refuse(&reader->table, column, value, "is neither yes nor no", "yes, no, or nothing for what is configured");
    *ret_setting = (int8_t)setting;
    return true;
}

static bool read_fixed_lines(struct reader *reader, enum column column, const char *value)
{
    return read_setting(reader, column, value, &reader->route->fixed_lines);
}

static bool read_sticky(struct reader *reader, enum column column, const char *value)
{
    return read_setting(reader, column, value, &reader->route->sticky);
}

/* As the configuration writes durations: a bare number is refused, since nobody can tell whether 30 is seconds. */
static bool read_patience(struct reader *reader, enum column column, const char *value)
{
    static const char allowed[] = "0s to 63w, as 90s, 10m, 2h or 1d";
    static const struct { const char *unit; int64_t s; } units[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { "w", 604800 } };
    size_t digits = strspn(value, "0123456789");
    int64_t number = 0;

    if (digits == 0)
        return table_refuse(&reader->table, column, value, "is not a duration", allowed);
    if (value[digits] == '\0')
        return table_refuse(&reader->table, column, value, "has no unit", allowed);
    for (size_t i = 0; i < digits && number <= ROUTE_PATIENCE_S_MAX; i++)
        number = number * 10 + (value[i] - '0');
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(value + digits, units[i].unit) != 0)
            continue;
        if (number > ROUTE_PATIENCE_S_MAX / units[i].s)
            return table_refuse(&reader->table, column, value, "is out of range", allowed);
        reader->route->patience_s = number * units[i].s;
        return true;
    }
    return table_refuse(&reader->table, column, value, "has an unknown unit", allowed);
}

static bool read_max_price(struct reader *reader, enum column column, const char *value)
{
    const char *wrong;

    if (money_parse(value, ROUTE_PRICE_MICRO_MAX, &reader->route->max_price_micro, &wrong) < 0)
        return table_refuse(&reader->table, column, value, wrong, "0 to 1000000000, with at most 6 decimals behind a point");
    return true;
}

static bool read_note(struct reader *reader, enum column column, const char *value)
{
    return strlen(value) < ROUTE_NOTE_MAX || table_refuse(&reader->table, column, value, "is too long", "up to 255 octets");
}

/* -- rows ----------------------------------------------------------------------------------------------------- */

static const struct { bool of_refusal; read_fn *read; } values[COLUMN_COUNT] = {
    [COLUMN_PREFIX] = { true, read_prefix },
    [COLUMN_ACTION] = { true, NULL },    /* read before the others */
    [COLUMN_BEARERS] = { false, read_bearers },
    [COLUMN_ORDER] = { false, read_order },
    [COLUMN_PREFER] = { false, read_prefer },
    [COLUMN_DENY] = { false, read_deny },
    [COLUMN_FIXED_LINES] = { false, read_fixed_lines },
    [COLUMN_PATIENCE] = { false, read_patience },
    [COLUMN_STICKY] = { false, read_sticky },
    [COLUMN_MAX_PRICE] = { false, read_max_price },
    [COLUMN_NOTE] = { true, read_note },
};

static bool read_values(struct reader *reader)
{
    bool good = true;

    for (unsigned column = 0; column < COLUMN_COUNT && reader->fatal == 0; column++) {
        const char *value = table_value(&reader->table, column);

        if (*value == '\0' || !values[column].read)
            continue;
        if (reader->route->action == ROUTE_REFUSE && !values[column].of_refusal)
            good = table_refuse(&reader->table, (enum column)column, value, "has no place here", "nothing in a row that refuses");
        else
            good = values[column].read(reader, (enum column)column, value) && good;
    }
    return good && reader->fatal == 0;
}

static bool selects_all(const struct route_list *list)
{
    for (uint8_t i = 0; i < list->count; i++)
        if (list->selectors[i].kind == ROUTE_SELECT_ALL)
            return true;
    return false;
}

/* What values of one row have to do with each other. */
static bool check_row(struct reader *reader)
{
    const struct route *route = reader->route;
    bool good = true;

    if (route->order == ROUTE_AS_LISTED && route->prefer)
        good = table_refuse(&reader->table, COLUMN_PREFER, route->prefer->text, "has no place here", "nothing where the order is listed");
    for (uint8_t i = 0; route->order == ROUTE_AS_LISTED && i + 1 < route->bearers->count; i++)
        if (route->bearers->selectors[i].kind == ROUTE_SELECT_ALL)
            good = table_refuse(&reader->table, COLUMN_BEARERS, route->bearers->text, "has selectors behind *, which leaves nothing for them", "* as the last one");
    if (route->deny && selects_all(route->deny))
        good = table_refuse(&reader->table, COLUMN_DENY, route->deny->text, "leaves no bearer", "selectors but *; action refuse for numbers that get nothing");
    return good;
}

static int keep_row(struct reader *reader)
{
    const char *prefix = table_value(&reader->table, COLUMN_PREFIX), *note = table_value(&reader->table, COLUMN_NOTE);
    struct route *route = reader->route;

    route->prefix = *prefix == '\0' || strcmp(prefix, "*") == 0 ? "*" : texts_keep(&reader->routes->texts, prefix);
    route->note = *note == '\0' ? "" : texts_keep(&reader->routes->texts, note);
    if (!route->prefix || !route->note)
        return -ENOMEM;
    if (reader->count == reader->size) {
        uint32_t size = reader->size > 0 ? reader->size * 2 : 64;
        struct route_entry *entries = realloc(reader->entries, size * sizeof *entries);

        if (!entries)
            return -ENOMEM;
        reader->entries = entries;
        reader->size = size;
    }
    reader->entries[reader->count++] = (struct route_entry){
        .key = reader->key, .row = reader->routes->count - 1, .short_code = route->short_code,
    };
    return 0;
}

static int read_row(struct reader *reader)
{
    const char *action_name = table_value(&reader->table, COLUMN_ACTION);
    int action = *action_name == '\0' ? ROUTE_SEND : table_word(action_names, ROUTE_ACTIONS, action_name);
    struct route *route;

    if (action == ROUTE_ACTIONS) {
        (void)table_refuse(&reader->table, COLUMN_ACTION, action_name, "is no action", "send or refuse; nothing is send");
        return 0;
    }
    if (reader->routes->count == ROUTE_ROWS_MAX) {
        table_note_at(reader->table.notes, reader->table.file->name, reader->table.row.line, NULL,
                      "is one row too many (allowed: 999999 in all files)");
        return -ENOSPC;
    }
    route = reader->route = route_table_row(reader->routes);
    if (!route)
        return -ENOMEM;
    route->action = (enum route_action)action;
    route->file = reader->file;
    route->line = reader->table.row.line;
    route->fixed_lines = route->sticky = ROUTE_AS_CONFIGURED;
    route->patience_s = ROUTE_PATIENCE_UNSET;
    route->max_price_micro = ROUTE_PRICE_UNBOUND;
    route->bearers = action == ROUTE_REFUSE ? reader->routes->none : reader->routes->all;
    reader->key = 0;
    if (!read_values(reader) || !check_row(reader)) {
        reader->routes->count--;
        return reader->fatal;
    }
    return keep_row(reader);
}

int route_parse(const struct table_file *files, size_t count, struct route_table **ret_table, struct table_notes *notes)
{
    struct reader *reader = calloc(1, sizeof *reader);
    int r = 0;

    notes->count = notes->more = 0;
    if (!reader)
        return -ENOMEM;
    if (count > ROUTE_FILES_MAX) {
        table_note_at(notes, files[ROUTE_FILES_MAX].name, 0, NULL, "is one file too many (allowed: 1024)");
        r = -EINVAL;
        goto out;
    }
    reader->routes = route_table_new(files, count);
    reader->list_slots = calloc(LIST_SLOTS, sizeof *reader->list_slots);
    if (!reader->routes || !reader->list_slots) {
        r = -ENOMEM;
        goto out;
    }
    for (uint32_t i = 0; i < reader->routes->list_count; i++)
        *list_slot(reader, reader->routes->lists[i]->text) = i + 1;
    for (size_t file = 0; file < count && r == 0; file++) {
        if (table_open(&reader->table, &files[file], columns, COLUMN_COUNT, notes) < 0)
            continue;
        reader->file = (uint16_t)file;
        while (r == 0 && table_next(&reader->table))
            r = read_row(reader);
    }
    if (r == 0 || r == -ENOSPC)
        r = route_table_build(reader->routes, reader->entries, reader->count, notes);
    if (r == 0 && notes->count > 0)
        r = -EINVAL;
    if (r == 0) {
        *ret_table = reader->routes;
        reader->routes = NULL;
    }
out:
    route_free(reader->routes);
    free(reader->list_slots);
    free(reader->entries);
    free(reader);
    return r;
}
