/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "src/base/utf8.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* One record on its way from the file into struct csv_record. */
struct scan { const char *text; size_t length, at, put; uint32_t line; struct csv_record *record; };

void csv_init(struct csv *csv, const char *text, size_t length)
{
    *csv = (struct csv){ .text = text, .length = length, .line = 1 };
    if (length >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0)
        csv->at = 3;
}

/* Octets of the end of a line here: 0, 1 or 2. */
static size_t line_end(const char *text, size_t length, size_t at)
{
    if (at < length && text[at] == '\n')
        return 1;
    return at + 1 < length && text[at] == '\r' && text[at + 1] == '\n' ? 2 : 0;
}

static void skip_line(struct csv *csv)
{
    const char *end = csv->at < csv->length ? memchr(csv->text + csv->at, '\n', csv->length - csv->at) : NULL;

    csv->at = end ? (size_t)(end - csv->text) + 1 : csv->length;
    csv->line++;
}

/* Takes one character of the text as it is. NULL, or what is wrong with it. */
static const char *copy_character(struct scan *scan)
{
    uint32_t code_point;
    int octets = utf8_next(scan->text + scan->at, scan->length - scan->at, &code_point);

    if (octets < 0)
        return "is not UTF-8";
    memcpy(scan->record->octets + scan->put, scan->text + scan->at, (size_t)octets);
    scan->at += (size_t)octets;
    scan->put += (size_t)octets;
    return NULL;
}

static bool is_control(char octet)
{
    return (unsigned char)octet < 0x20 || octet == 0x7F;
}

static const char *scan_quoted(struct scan *scan, size_t end)
{
    for (scan->at++; scan->at < end;) {
        const char *wrong;

        if (scan->text[scan->at] == '"') {
            scan->at++;
            if (scan->at >= end || scan->text[scan->at] != '"')
                return NULL;
        } else if (line_end(scan->text, scan->length, scan->at) > 0 || scan->text[scan->at] == '\t') {
            scan->line += scan->text[scan->at] == '\n';
        } else if (is_control(scan->text[scan->at])) {
            return "has a control character";
        }
        wrong = copy_character(scan);
        if (wrong)
            return wrong;
    }
    return end < scan->length ? "is longer than 4096 octets, or a quote is not closed" : "has a quote that is not closed";
}

static const char *scan_plain(struct scan *scan, size_t end)
{
    while (scan->at < end && scan->text[scan->at] != ',' && line_end(scan->text, scan->length, scan->at) == 0) {
        const char *wrong;

        if (scan->text[scan->at] == '"')
            return "has a quote within a field (put the whole field in quotes, and write two for one)";
        if (is_control(scan->text[scan->at]))
            return "has a control character";
        wrong = copy_character(scan);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static const char *scan_record(struct scan *scan)
{
    struct csv_record *record = scan->record;
    size_t rest = scan->length - scan->at, end = scan->at + (rest < CSV_RECORD_OCTETS_MAX ? rest : CSV_RECORD_OCTETS_MAX);

    for (;;) {
        bool quoted = scan->at < end && scan->text[scan->at] == '"';
        const char *wrong;

        if (record->count == CSV_FIELDS_MAX)
            return "has more than 64 fields";
        record->fields[record->count++] = record->octets + scan->put;
        wrong = quoted ? scan_quoted(scan, end) : scan_plain(scan, end);
        if (wrong)
            return wrong;
        /* A character, the last one before the end, may reach over it. */
        if (scan->at > end)
            return "is longer than 4096 octets";
        record->octets[scan->put++] = '\0';
        if (scan->at == scan->length)
            return NULL;
        if (line_end(scan->text, scan->length, scan->at) > 0) {
            scan->at += line_end(scan->text, scan->length, scan->at);
            scan->line++;
            return NULL;
        }
        if (scan->at == end)
            return "is longer than 4096 octets";
        if (scan->text[scan->at] != ',')
            return is_control(scan->text[scan->at]) ? "has a control character" : "has something behind the closing quote of a field";
        scan->at++;
    }
}

int csv_next(struct csv *csv, struct csv_record *record)
{
    struct scan scan;

    while (csv->at < csv->length && (csv->text[csv->at] == '#' || line_end(csv->text, csv->length, csv->at) > 0))
        skip_line(csv);
    if (csv->at >= csv->length)
        return 0;
    record->line = csv->line;
    record->count = 0;
    scan = (struct scan){ .text = csv->text, .length = csv->length, .at = csv->at, .line = csv->line, .record = record };
    record->wrong = scan_record(&scan);
    if (record->wrong) {
        skip_line(csv);
        return -EINVAL;
    }
    csv->at = scan.at;
    csv->line = scan.line;
    return 1;
}
