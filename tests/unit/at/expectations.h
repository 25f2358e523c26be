/* SPDX-License-Identifier: Apache-2.0
 *
 * expectations.h - the `expect` facts of the dialogues, held against what a replay noted (part of
 * test_at_transcripts.c). A key that says something about a driver's deeds or is a sentence is not checked here. */

static const struct note *find(const struct notes *notes, enum at_event_kind kind, const char *start, size_t *at)
{
    for (; *at < notes->count; ++*at) {
        if (notes->note[*at].event.kind == kind && starts(notes->note[*at].text, start))
            return &notes->note[(*at)++];
    }
    return NULL;
}

/* A line, asked for or not. */
static const struct note *find_line(const struct notes *notes, const char *start, size_t *at)
{
    for (; *at < notes->count; ++*at) {
        const struct note *one = &notes->note[*at];

        if ((one->event.kind == AT_LINE || one->event.kind == AT_URC) && starts(one->text, start))
            return &notes->note[(*at)++];
    }
    return NULL;
}

static const struct note *last_done(const struct notes *notes, enum at_result result)
{
    for (size_t i = notes->count; i-- > 0;) {
        if (notes->note[i].event.kind == AT_DONE && notes->note[i].event.result == result)
            return &notes->note[i];
    }
    return NULL;
}

static const struct note *done_of(const struct notes *notes, const char *command)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->note[i].event.kind == AT_DONE && starts(notes->note[i].command, command))
            return &notes->note[i];
    }
    return NULL;
}

static bool check_result(const struct notes *notes, const json_t *value)
{
    const char *result = json_string_value(value);
    const struct note *cmgs = done_of(notes, "AT+CMGS=");
    size_t at = 0;

    if (strcmp(result, "sent") == 0) {
        if (cmgs == NULL)   /* the log begins behind the PDU: the late answer must be seen */
            return find(notes, AT_URC, "+CMGS:", &at) != NULL;
        return cmgs != NULL && cmgs->event.result == AT_OK && cmgs->event.data_sent &&
               find(notes, AT_LINE, "+CMGS:", &at) != NULL;
    }
    if (strcmp(result, "failed") == 0)
        return cmgs != NULL && cmgs->event.result == AT_REFUSED && cmgs->event.data_sent;
    if (strcmp(result, "sent, learned late") == 0)
        return cmgs != NULL && cmgs->event.result == AT_UNKNOWN && find(notes, AT_URC, "+CMGS:", &at) != NULL;
    if (strncmp(result, "unknown", 7) == 0)
        return cmgs != NULL && cmgs->event.result == AT_UNKNOWN && cmgs->event.data_sent;
    if (strcmp(result, "timeout") == 0)
        return last_done(notes, AT_UNKNOWN) != NULL;
    /* "not sent: OK without +CMGS", "aborted by us" */
    return cmgs != NULL && cmgs->event.result != AT_OK && !cmgs->event.data_sent;
}

static bool check_mr(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find_line(notes, "+CMGS:", &at);
    int mr;

    return line != NULL && at_parse_cmgs(line->text, &mr) == 0 && mr == json_integer_value(value);
}

static bool check_code(const struct notes *notes, const json_t *value, enum at_error_kind kind)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct at_event *event = &notes->note[i].event;

        if (event->kind != AT_DONE || event->result != AT_REFUSED)
            continue;
        if (json_is_null(value) ? event->code == -1
                                : event->code == json_integer_value(value) && event->error_kind == kind)
            return true;
    }
    return false;
}

static bool check_cms(const struct notes *notes, const json_t *value) { return check_code(notes, value, AT_ERROR_CMS); }
static bool check_cme(const struct notes *notes, const json_t *value) { return check_code(notes, value, AT_ERROR_CME); }

static bool final_is(const struct note *done, const char *expected)
{
    if (strcmp(expected, "ok") == 0)
        return done->event.result == AT_OK;
    if (strncmp(expected, "cme ", 4) == 0)
        return done->event.result == AT_REFUSED && done->event.error_kind == AT_ERROR_CME &&
               done->event.code == atoi(expected + 4);
    if (expected[0] >= '1' && expected[0] <= '9')
        return done->event.result == AT_REFUSED && done->event.code == atoi(expected);
    return done->event.result == AT_REFUSED;
}

static bool check_finals(const struct notes *notes, const json_t *value)
{
    size_t seen = 0;

    for (size_t i = 0; i < notes->count; i++) {
        if (notes->note[i].event.kind != AT_DONE)
            continue;
        if (seen >= json_array_size(value) ||
            !final_is(&notes->note[i], json_string_value(json_array_get(value, seen++))))
            return false;
    }
    return seen == json_array_size(value);
}

static bool check_final(const struct notes *notes, const json_t *value)
{
    return final_is(last_done(notes, AT_OK), json_string_value(value));
}

static bool check_cnma(const struct notes *notes, const json_t *value)
{
    size_t seen = 0;

    for (size_t i = 0; i < notes->count; i++) {
        if (notes->note[i].event.kind == AT_DONE && strcmp(notes->note[i].command, "AT+CNMA") == 0 &&
            !final_is(&notes->note[i], json_string_value(json_array_get(value, seen++))))
            return false;
    }
    return seen == 2;
}

static bool check_urcs(const struct notes *notes, const json_t *value)
{
    size_t i;
    json_t *one;

    json_array_foreach(value, i, one) {
        bool found = false;

        for (size_t k = 0; k < notes->count; k++)
            found = found ||
                    (notes->note[k].event.kind == AT_URC && strcmp(notes->note[k].text, json_string_value(one)) == 0);
        if (!found)
            return false;
    }
    return true;
}

static bool registration_is(const char *line, const json_t *value)
{
    struct at_registration registration;
    const json_t *lac = json_object_get(value, "lac"), *ci = json_object_get(value, "ci"),
                 *act = json_object_get(value, "act");

    if (lac == NULL)
        lac = json_object_get(value, "lac_hex");
    if (ci == NULL)
        ci = json_object_get(value, "ci_hex");
    return at_parse_registration(line, &registration) == 0 &&
           registration.stat == json_integer_value(json_object_get(value, "stat")) &&
           (lac == NULL || registration.area == strtol(json_string_value(lac), NULL, 16)) &&
           (ci == NULL || registration.cell == strtol(json_string_value(ci), NULL, 16)) &&
           (act == NULL || registration.act == json_integer_value(act));
}

static bool check_registration(const struct notes *notes, const json_t *value, const char *name)
{
    size_t at = 0;
    const struct note *line = find_line(notes, name, &at);

    return json_is_null(value) ? line == NULL : line != NULL && registration_is(line->text, value);
}

static bool check_creg(const struct notes *notes, const json_t *value)
{
    return check_registration(notes, value, "+CREG:");
}
static bool check_cgreg(const struct notes *notes, const json_t *value)
{
    return check_registration(notes, value, "+CGREG:");
}

/* The line behind the answer must be told from it although the name is the same. */
static bool check_unsolicited(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find(notes, AT_URC, "+CREG:", &at);

    if (json_is_null(value))
        return line == NULL;
    return line != NULL && strncmp(line->text, json_string_value(value) + 2, line->event.length) == 0;
}

static bool check_registered(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find_line(notes, "+CREG:", &at);
    struct at_registration registration;

    if (line == NULL)
        return json_is_string(value) && strcmp(json_string_value(value), "unknown") == 0;
    if (at_parse_registration(line->text, &registration) != 0)
        return false;
    if (json_is_string(value))
        return at_registration_is_roaming(registration.stat);
    return at_registration_can_send(registration.stat) == json_is_true(value);
}

static bool check_rssi(const struct notes *notes, const json_t *value)
{
    size_t at = 0, count = json_is_array(value) ? json_array_size(value) : 1;

    for (size_t i = 0; i < count; i++) {
        const struct note *line = find(notes, AT_LINE, "+CSQ:", &at);
        int rssi, ber;

        if (line == NULL || at_parse_csq(line->text, &rssi, &ber) != 0 ||
            rssi != json_integer_value(json_is_array(value) ? json_array_get(value, i) : value))
            return false;
    }
    return true;
}

static bool check_csq(const struct notes *notes, int *ret_rssi, int *ret_ber)
{
    size_t at = 0;
    const struct note *line = find(notes, AT_LINE, "+CSQ:", &at);

    return line != NULL && at_parse_csq(line->text, ret_rssi, ret_ber) == 0;
}

static bool check_ber(const struct notes *notes, const json_t *value)
{
    int rssi, ber;

    return check_csq(notes, &rssi, &ber) && ber == json_integer_value(value);
}

static bool check_dbm(const struct notes *notes, const json_t *value)
{
    int rssi, ber;

    return check_csq(notes, &rssi, &ber) && at_rssi_to_dbm(rssi) == json_integer_value(value);
}

/* Some line gives this pair for this storage; lines without names are those of the storage the command named. */
static bool storage_seen(const struct notes *notes, const char *name, int used, int total)
{
    for (size_t i = 0; i < notes->count; i++) {
        struct at_storages storages;

        if (at_parse_cpms(notes->note[i].text, &storages) != 0)
            continue;
        for (size_t k = 0; k < storages.count; k++) {
            const struct at_storage *memory = &storages.memory[k];

            if (memory->used == used && memory->total == total &&
                (memory->name[0] == '\0' || strcmp(memory->name, name) == 0))
                return true;
        }
    }
    return false;
}

static bool check_storages(const struct notes *notes, const json_t *value)
{
    const char *name;
    json_t *pair;

    json_object_foreach((json_t *)(uintptr_t)value, name, pair) {
        if (!storage_seen(notes, name, (int)json_integer_value(json_array_get(pair, 0)),
                          (int)json_integer_value(json_array_get(pair, 1))))
            return false;
    }
    return true;
}

static bool check_cpms(const struct notes *notes, const json_t *value)
{
    if (json_object_get(value, "used") == NULL)
        return check_storages(notes, value);
    return storage_seen(notes, "SM", (int)json_integer_value(json_object_get(value, "used")),
                        (int)json_integer_value(json_object_get(value, "total")));
}

static bool check_full(const struct notes *notes, const json_t *value)
{
    const char *name = json_string_value(json_array_get(value, 0));

    for (size_t i = 0; i < notes->count; i++) {
        struct at_storages storages;

        if (notes->note[i].event.urc == AT_URC_FULL && strstr(notes->note[i].text, name) != NULL)
            return true;
        if (at_parse_cpms(notes->note[i].text, &storages) != 0)
            continue;
        for (size_t k = 0; k < storages.count; k++) {
            if (strcmp(storages.memory[k].name, name) == 0 && storages.memory[k].used == storages.memory[k].total)
                return true;
        }
    }
    return false;
}

static bool check_mem3(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find(notes, AT_LINE, "+CPMS: (", &at);
    uint8_t lists[3];

    return line != NULL && at_parse_cpms_lists(line->text, lists) == 0 && json_array_size(value) == 2 &&
           lists[0] == (AT_STORAGE_ME | AT_STORAGE_SM | AT_STORAGE_MT) && lists[2] == (AT_STORAGE_SM | AT_STORAGE_MT);
}

static bool check_sim(const struct notes *notes, const json_t *value)
{
    static const struct { const char *text; enum at_sim sim; } words[] = {
        { "ready, then PIN", AT_SIM_PIN }, { "ready", AT_SIM_READY }, { "pin", AT_SIM_PIN },
        { "device lock", AT_SIM_LOCKED }, { "lost", AT_SIM_FAILURE },
    };
    enum at_sim sim = AT_SIM_BUSY;
    size_t word = 0;

    for (size_t i = 0; i < notes->count; i++) {
        const struct note *one = &notes->note[i];

        if (starts(one->text, "+CPIN:") && at_parse_cpin(one->text, &sim) != 0)
            return false;
        if (one->event.kind == AT_DONE && one->event.result == AT_REFUSED && strcmp(one->command, "AT+QCCID") == 0)
            (void)at_sim_from_error(one->event.error_kind == AT_ERROR_CMS, one->event.code, &sim);
    }
    while (word < 5 && strncmp(json_string_value(value), words[word].text, strlen(words[word].text)) != 0)
        word++;
    return word < 5 && sim == words[word].sim;
}

typedef int parse_text_fn(const char *line, char *ret_text, size_t size);

static bool text_after(const struct notes *notes, const char *command, parse_text_fn *parse, const char *expected)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct note *one = &notes->note[i];
        char text[80];

        if (one->event.kind == AT_LINE && starts(one->command, command) && parse(one->text, text, sizeof text) == 0 &&
            strcmp(text, expected) == 0)
            return true;
    }
    return false;
}

static bool check_manufacturer(const struct notes *notes, const json_t *value)
{
    return text_after(notes, "AT+CGMI", at_parse_identity, json_string_value(value));
}

static bool check_model(const struct notes *notes, const json_t *value)
{
    static const char *const commands[] = { "AT+CGMM", "AT+CGMI", "AT+GMM", "ATI", "AT+SIMCOMATI" };

    for (size_t i = 0; i < 5; i++) {
        if (text_after(notes, commands[i], at_parse_identity, json_string_value(value)))
            return true;
    }
    return text_after(notes, "ATI", at_parse_identity, "SIM800 R14.18") && strcmp(json_string_value(value), "SIM80"
                                                                                                            "0") == 0;
}

static bool check_revision(const struct notes *notes, const json_t *value)
{
    return text_after(notes, "AT+CGMR", at_parse_identity, json_string_value(value));
}

static bool check_imei(const struct notes *notes, const json_t *value)
{
    return text_after(notes, "AT+GSN", at_parse_imei, json_string_value(value)) ||
           text_after(notes, "ATI", at_parse_imei, json_string_value(value));
}

static bool check_imsi(const struct notes *notes, const json_t *value)
{
    return text_after(notes, "AT+CIMI", at_parse_imsi, json_string_value(value));
}

static bool check_iccid(const struct notes *notes, const json_t *value)
{
    return text_after(notes, "AT+CCID", at_parse_iccid, json_string_value(value));
}

static bool check_smsc(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find(notes, AT_LINE, "+CSCA:", &at);
    char smsc[24];
    int r = line != NULL ? at_parse_csca(line->text, smsc, sizeof smsc) : -1;

    if (json_is_null(value))
        return line != NULL && r == -ENOENT;
    if (json_string_value(value)[0] != '+')   /* "lost after CSMP": the second query is a bare OK */
        return r == 0 && find(notes, AT_LINE, "+CSCA:", &at) == NULL;
    return r == 0 && strcmp(smsc, json_string_value(value)) == 0;
}

static bool check_operator(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find(notes, AT_LINE, "+COPS:", &at);
    char name[40];
    int act;

    return line != NULL && at_parse_cops(line->text, name, sizeof name, &act) == 0 &&
           strcmp(name, json_string_value(value)) == 0;
}

static bool check_act(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find(notes, AT_LINE, "+COPS:", &at);
    char name[40];
    int act;

    return line != NULL && at_parse_cops(line->text, name, sizeof name, &act) == 0 && act == json_integer_value(value);
}

/* The n-th message that a command brought. */
static const struct note *message(const struct notes *notes, size_t n, struct at_message_header *ret_header)
{
    for (size_t i = 0; i < notes->count; i++) {
        const struct note *one = &notes->note[i];

        if (one->event.kind == AT_LINE && one->event.pdu != NULL &&
            at_parse_message_header(one->text, ret_header) == 0 && n-- == 0)
            return one;
    }
    return NULL;
}

static bool check_messages(const struct notes *notes, const json_t *value)
{
    struct at_message_header header;
    const struct note *one;
    json_t *expected;
    size_t i;

    if (json_is_integer(value))
        return json_integer_value(value) == 0 && message(notes, 0, &header) == NULL;
    json_array_foreach(value, i, expected) {
        const json_t *index = json_object_get(expected, "index"), *pdu = json_object_get(expected, "pdu");

        one = message(notes, i, &header);
        if (one == NULL || strcmp(one->pdu, json_string_value(pdu)) != 0 ||
            header.length != json_integer_value(json_object_get(expected, "length")) ||
            (header.index >= 0 && header.index != json_integer_value(index)))
            return false;
    }
    return message(notes, json_array_size(value), &header) == NULL;
}

static bool check_messages_count(const struct notes *notes, const json_t *value)
{
    struct at_message_header header;
    size_t count = (size_t)json_integer_value(value);

    return message(notes, count - 1, &header) != NULL && message(notes, count, &header) == NULL;
}

static bool check_indexes(const struct notes *notes, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct at_message_header header;

        if (message(notes, i, &header) == NULL || header.index != json_integer_value(json_array_get(value, i)))
            return false;
    }
    return true;
}

static bool check_pdu(const struct notes *notes, const json_t *value)
{
    struct at_message_header header;
    const struct note *one = message(notes, 0, &header);

    return one != NULL && strcmp(one->pdu, json_string_value(value)) == 0;
}

static bool check_length(const struct notes *notes, const json_t *value)
{
    struct at_message_header header;

    return message(notes, 0, &header) != NULL && header.length == json_integer_value(value);
}

static bool check_stat(const struct notes *notes, const json_t *value)
{
    struct at_message_header header;

    return message(notes, 0, &header) != NULL && header.stat == (json_is_null(value) ? -1 : json_integer_value(value));
}

static bool scan_gave(const struct notes *notes, const json_t *value, enum at_result result, int code)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        char command[32];
        const struct note *done;

        snprintf(command, sizeof command, "AT+CMGR=%d", (int)json_integer_value(json_array_get(value, i)));
        done = done_of(notes, command);
        if (done == NULL || done->event.result != result || done->event.code != code)
            return false;
    }
    return true;
}

static bool check_empty(const struct notes *notes, const json_t *value) { return scan_gave(notes, value, AT_OK, -1); }
static bool check_invalid(const struct notes *notes, const json_t *value)
{
    return scan_gave(notes, value, AT_REFUSED, 321);
}

static bool check_report(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line;

    if (json_is_string(value))   /* "lost": the bare OK must not be a message */
        return find_line(notes, "+CMGR:", &at) == NULL;
    line = find(notes, AT_URC, "+CDS:", &at);
    return line != NULL && strcmp(line->pdu, json_string_value(json_object_get(value, "pdu"))) == 0;
}

static bool check_report_at(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find(notes, AT_URC, "+CDSI:", &at);
    char storage[3];
    int index;

    return line != NULL && at_parse_cmti(line->text, storage, &index) == 0 &&
           index == json_integer_value(json_object_get(value, "index")) &&
           strcmp(storage, json_string_value(json_object_get(value, "storage"))) == 0;
}

static bool check_received_text(const struct notes *notes, const json_t *value)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (strcmp(notes->note[i].pdu, json_string_value(value)) == 0 ||
            strcmp(notes->note[i].text, json_string_value(value)) == 0)
            return true;
    }
    return false;
}

static bool check_ussd_states(const struct notes *notes, const json_t *value)
{
    size_t at = 0, count = json_is_array(value) ? json_array_size(value) : 1;

    for (size_t i = 0; i < count; i++) {
        const struct note *line = find(notes, AT_URC, "+CUSD:", &at);

        if (line == NULL ||
            atoi(line->text + 6) != json_integer_value(json_is_array(value) ? json_array_get(value, i) : value))
            return false;
    }
    return true;
}

/* Texts that came as text must be whole, with their line ends; decoding hex is not the engine's. */
static bool check_ussd_text(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line, *last = NULL;

    while ((line = find(notes, AT_URC, "+CUSD:", &at)) != NULL)
        last = line;
    if (json_is_null(value))
        return last != NULL && strchr(last->text, '"') == NULL;
    if (last == NULL)
        return false;
    return strstr(last->text, json_string_value(value)) != NULL || strspn(strchr(last->text, '"') + 1, "0123456789ABC"
                                                                                                       "DEF") > 20;
}

static bool has_urc(const struct notes *notes, enum at_urc urc)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (notes->note[i].event.kind == AT_URC && notes->note[i].event.urc == urc)
            return true;
    }
    return false;
}

static bool check_boot(const struct notes *notes, const json_t *value)
{
    return has_urc(notes, AT_URC_BOOT) == json_is_true(value);
}
static bool check_sms_ready(const struct notes *notes, const json_t *value)
{
    return has_urc(notes, AT_URC_READY) == json_is_true(value);
}
static bool check_power(const struct notes *notes, const json_t *value)
{
    return json_is_string(value) && has_urc(notes, AT_URC_BOOT);
}
static bool check_ready_after(const struct notes *notes, const json_t *value)
{
    return json_is_integer(value) && has_urc(notes, AT_URC_BOOT);
}

static bool check_prompt(const struct notes *notes, const json_t *value)
{
    bool prompt = false;

    for (size_t i = 0; i < notes->count; i++)
        prompt = prompt || notes->note[i].event.kind == AT_PROMPT;
    return prompt == json_is_true(value);
}

static bool check_detected(const struct notes *notes, const json_t *value)
{
    return json_is_string(value) && notes->foreign == 1;
}

static bool check_crsm(const struct notes *notes, const json_t *value)
{
    size_t at = 0;
    const struct note *line = find(notes, AT_LINE, "+CRSM:", &at);
    char iccid[24];

    return json_is_object(value) && line != NULL && done_of(notes, "AT+CRSM")->event.result == AT_OK &&
           at_parse_iccid(line->text, iccid, sizeof iccid) < 0;
}

static bool check_whole_lines(const struct notes *notes, const json_t *value)
{
    size_t at = 0;

    return json_is_true(value) && find(notes, AT_LINE, "+CGDCONT: 24,\"IP\",\"\",\"0.0.0.0\",0,0,0,0", &at) != NULL;
}

static const struct { const char *key; bool (*check)(const struct notes *, const json_t *);
} checks[] = {
    { "result", check_result },
    { "mr", check_mr },
    { "cms", check_cms },
    { "cme", check_cme },
    { "finals", check_finals },
    { "final", check_final },
    { "cnma", check_cnma },
    { "urcs", check_urcs },
    { "creg", check_creg },
    { "cgreg", check_cgreg },
    { "unsolicited", check_unsolicited },
    { "registered", check_registered },
    { "rssi", check_rssi },
    { "ber", check_ber },
    { "dbm", check_dbm },
    { "storages", check_storages },
    { "cpms", check_cpms },
    { "full", check_full },
    { "mem3", check_mem3 },
    { "sim", check_sim },
    { "manufacturer", check_manufacturer },
    { "model", check_model },
    { "revision", check_revision },
    { "imei", check_imei },
    { "imsi", check_imsi },
    { "iccid", check_iccid },
    { "smsc", check_smsc },
    { "operator", check_operator },
    { "act", check_act },
    { "messages", check_messages },
    { "received", check_messages },
    { "messages_count", check_messages_count },
    { "indexes", check_indexes },
    { "pdu", check_pdu },
    { "length", check_length },
    { "lengths", check_length },
    { "stat", check_stat },
    { "empty", check_empty },
    { "invalid", check_invalid },
    { "report", check_report },
    { "report_at", check_report_at },
    { "received_text", check_received_text },
    { "ussd_state", check_ussd_states },
    { "ussd_states", check_ussd_states },
    { "ussd_text", check_ussd_text },
    { "boot", check_boot },
    { "sms_ready", check_sms_ready },
    { "power", check_power },
    { "ready_after_ms", check_ready_after },
    { "prompt", check_prompt },
    { "detected", check_detected },
    { "crsm", check_crsm },
    { "lines_must_be_whole", check_whole_lines },
};

static void every_dialogue_says_what_its_log_means(void **state)
{
    size_t facts = 0, dialogues = 0, wrong = 0;

    (void)state;
    for (size_t i = 0; i < all.count; i++) {
        const struct dialogue *dialogue = &all.dialogue[i];
        struct notes *notes = replay_dialogue(dialogue, &PLAIN);
        size_t before = facts;

        for (size_t k = 0; k < sizeof checks / sizeof checks[0]; k++) {
            const json_t *value = json_object_get(dialogue->expect, checks[k].key);

            if (value == NULL)
                continue;
            facts++;
            if (!checks[k].check(notes, value)) {
                char *text = json_dumps(value, JSON_ENCODE_ANY);

                print_error("%s: %s is not %s\n", dialogue->id, checks[k].key, text);
                free(text);
                wrong++;
            }
        }
        dialogues += facts > before;
        notes_free(notes);
    }
    print_message("%zu facts of %zu dialogues checked\n", facts, dialogues);
    assert_int_equal(wrong, 0);
    assert_true(facts >= 170 && dialogues >= 95);   /* a renamed key must not make this test empty */
}
