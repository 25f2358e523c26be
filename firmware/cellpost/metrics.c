/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/metrics.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

double metrics_value(const char *page, const char *series)
{
    size_t length = strlen(series);

    while (page != NULL && *page != '\0') {
        if (strncmp(page, series, length) == 0 && page[length] == ' ')
            return strtod(page + length, NULL);
        page = strchr(page, '\n');
        if (page != NULL)
            page++;
    }
    return 0;
}
