/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever stands in a +CUSD: it is read or refused; what comes out is sound UTF-8 within its bound and without control
 * characters but LF; what we write ourselves reads as it was. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/at/at_parse.h"
#include "drivers/modem/modem_ussd.h"
#include "src/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    const char *end = memchr(text, '\0', MODEM_USSD_TEXT_MAX);

    assert(end != NULL && utf8_is_valid(text, (size_t)(end - text), NULL));
    for (; text < end; text++)
        assert((unsigned char)*text >= 0x20 || *text == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = malloc(size + 8), text[MODEM_USSD_TEXT_MAX], sent[MODEM_USSD_SENT_MAX];
    struct at_cusd cusd;

    if (line == NULL || size == 0)
        goto out;
    memcpy(line, data + 1, size - 1);
    line[size - 1] = '\0';
    modem_ussd_decode(line, strlen(line), data[0] == 255 ? -1 : data[0], text);
    check_text(text);
    if (modem_ussd_is_code(line)) {
        modem_ussd_encode(USSD_PACKED, line, sent);
        modem_ussd_decode(sent, strlen(sent), 15, text);
        check_text(text);
    }
    memcpy(line, "+CUSD:", 6);
    memcpy(line + 6, data, size);
    line[size + 6] = '\0';
    if (at_parse_cusd(line, &cusd) == 0) {
        assert(cusd.dcs >= -1 && cusd.dcs <= 255 && cusd.m >= 0);
        if (cusd.text != NULL) {
            assert(cusd.text >= line && cusd.text + cusd.length <= line + strlen(line));
            modem_ussd_decode(cusd.text, cusd.length, cusd.dcs, text);
            check_text(text);
        }
    }
out:
    free(line);
    return 0;
}
