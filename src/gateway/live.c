/* SPDX-License-Identifier: Apache-2.0 */
#include "src/gateway/live.h"

#include <stdlib.h>

void live_view_done(struct live_view *view)
{
    if (!view)
        return;
    free(view->modems);
    view->modems = NULL;
    view->modem_count = 0;
}

const char *live_part_step_name(enum live_part_step step)
{
    static const char *const names[] = {
        [LIVE_PART_ON_AIR] = "on_air",     [LIVE_PART_SENT] = "sent",       [LIVE_PART_REFUSED] = "refused",
        [LIVE_PART_NOT_SENT] = "not_sent", [LIVE_PART_UNKNOWN] = "unknown", [LIVE_PART_REPORTED] = "reported",
    };

    return (size_t)step < sizeof names / sizeof names[0] ? names[step] : "?";
}
