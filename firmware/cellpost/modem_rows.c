/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/modem_rows.h"

#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/states.h"

static void add_counter(struct table *table, json_t *modem, const char *key, enum table_style style)
{
    int64_t count = json_number_of(modem, key, 0);

    table_addf(table, count > 0 ? style : TABLE_DIM, "%lld", (long long)count);
}

static void add_state_and_signal(struct table *table, json_t *modem)
{
    const char *state = json_text_of(modem, "state");
    int64_t dbm = json_number_of(modem, "signal_dbm", 0);

    table_add(table, state, state_style(state));
    if (dbm == 0)
        table_add(table, NULL, TABLE_PLAIN);
    else   /* below -103 dBm the raw +CSQ is under 5: parts begin to fail */
        table_addf(table, dbm <= -103 ? TABLE_WARN : TABLE_PLAIN, "%lld dBm", (long long)dbm);
}

struct table *modem_rows(json_t *modems)
{
    static const struct table_column columns[] = {
        { "PORT", false, false }, { "STATE", false, false }, { "SIGNAL", true, false }, { "OPERATOR", false, false },
        { "SIM", false, false }, { "IMEI", false, false }, { "SENT", true, false },
        { "RECEIVED", true, false }, { "MODEL", false, true },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_t *modem;
    size_t i;

    json_array_foreach(modems, i, modem) {
        const char *operator_name = json_text_of(modem, "operator");
        table_add(table, json_text_of(modem, "port"), TABLE_PLAIN);
        add_state_and_signal(table, modem);
        table_addf(table, TABLE_PLAIN, "%s%s", operator_name[0] != '\0' ? operator_name : "-",
                   json_true_of(modem, "roaming") ? " (roaming)" : "");
        table_add(table, json_text_of(modem, "sim"), TABLE_PLAIN);
        table_add(table, json_text_of(modem, "imei"), TABLE_PLAIN);
        add_counter(table, modem, "sent", TABLE_PLAIN);
        add_counter(table, modem, "received", TABLE_PLAIN);
        table_addf(table, TABLE_PLAIN, "%s %s", json_text_of(modem, "manufacturer"), json_text_of(modem, "model"));
    }
    return table;
}

struct table *modem_rows_busy(json_t *modems)
{
    static const struct table_column columns[] = {
        { "PORT", false, false }, { "STATE", false, false }, { "SIGNAL", true, false }, { "BUSY", true, false },
        { "SENT", true, false }, { "REFUSED", true, false }, { "UNKNOWN", true, false }, { "RECEIVED", true, false },
        { "ON AIR", false, true },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_t *modem;
    size_t i;

    json_array_foreach(modems, i, modem) {
        int64_t busy_ms = json_number_of(modem, "busy_ms", 0), since_ms = json_number_of(modem, "since_ready_ms", 0);
        json_t *on_air = json_object_get(modem, "on_air");

        table_add(table, json_text_of(modem, "port"), TABLE_PLAIN);
        add_state_and_signal(table, modem);
        if (since_ms > 0)
            table_addf(table, TABLE_PLAIN, "%.1f %%", 100.0 * (double)busy_ms / (double)since_ms);
        else
            table_add(table, NULL, TABLE_PLAIN);
        add_counter(table, modem, "sent", TABLE_PLAIN);
        add_counter(table, modem, "refused", TABLE_WARN);
        add_counter(table, modem, "unknown", TABLE_WARN);
        add_counter(table, modem, "received", TABLE_PLAIN);
        if (on_air != NULL)
            table_addf(table, TABLE_PLAIN, "%s part %lld of %lld", json_text_of(on_air, "message"),
                       (long long)json_number_of(on_air, "part", 1), (long long)json_number_of(on_air, "parts", 1));
        else
            table_add(table, json_text_of(json_object_get(modem, "reason"), "detail"), TABLE_DIM);
    }
    return table;
}

void modem_rows_say_reasons(json_t *modems)
{
    json_t *modem;
    size_t i;

    json_array_foreach(modems, i, modem) {
        json_t *reason = json_object_get(modem, "reason");
        const char *detail = json_text_of(reason, "detail");
        if (reason != NULL)
            cli_say("%s: %s", json_text_of(modem, "port"), detail[0] != '\0' ? detail : json_text_of(reason, "code"));
    }
}
