/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the file holds: it is read or refused with reasons, each reason names the file and is one line of text. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "firmware/common/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_notes(const struct config_notes *notes)
{
    assert(notes->count <= CONFIG_NOTES_MAX && (notes->more == 0 || notes->count == CONFIG_NOTES_MAX));
    for (unsigned i = 0; i < notes->count; i++) {
        const char *end = memchr(notes->text[i], '\0', CONFIG_NOTE_MAX);
        size_t length = end ? (size_t)(end - notes->text[i]) : 0;
        assert(length > 5 && memcmp(notes->text[i], "file:", 5) == 0);
        for (size_t k = 0; k < length; k++)
            assert((unsigned char)notes->text[i][k] >= 0x20 && notes->text[i][k] != 0x7F);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct config config = { 0 };
    struct config_errors errors;
    int r = config_parse("file", (const char *)bytes, size, &config, &errors);

    assert(r == 0 || r == -EINVAL);
    assert((r == 0) == (errors.errors.count == 0));
    check_notes(&errors.errors);
    check_notes(&errors.warnings);
    if (r == 0) {
        assert(config.bank_count > 0 && config.bank_count <= CONFIG_BANKS_MAX && config.sim_count <= CONFIG_SIMS_MAX);
        assert(config.gateway.max_parts >= 1 && config.gateway.max_parts <= 255 && config.gateway.validity_s >= 30);
        assert(config.gateway.state_dir[0] == '/' && (config.gateway.national & ~0x3FFEu) == 0);
        assert((*config.api.cert == '\0') == (*config.api.key == '\0'));
        assert(config.api.loopback || *config.api.cert || config.api.insecure_listen);
        for (size_t i = 0; i < config.bank_count; i++)
            assert(config.banks[i].ports.count > 0 && config.banks[i].ports.items[0][0] == '/');
    } else {
        assert(config.banks == NULL && config.sims == NULL);
    }
    config_done(&config);
    return 0;
}
