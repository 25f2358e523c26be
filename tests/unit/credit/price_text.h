/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CELLPOST_PRICE_TEXT_H
#define CELLPOST_PRICE_TEXT_H

#include <string.h>

#include "src/credit/price.h"

static inline int price_text_parse(const char *text, uint32_t version, struct price_table **ret_table, struct table_notes *notes)
{
    struct table_file file = { "prices.csv", text, strlen(text) };

    return price_table_parse(version, &file, ret_table, notes);
}

#endif
