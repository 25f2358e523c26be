/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon_care.c - what is looked at each minute: whether the kernel's clock is synchronized, and what SIMs have left. */
#include "firmware/cellpostd/daemon_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/timex.h>

#define CARE_MS 60000
#define ASKED_AGAIN_MS 3600000           /* an operator that did not answer is asked again no sooner */

/* No NTP server, no radio clock: the kernel says so (adjtimex(2), STA_UNSYNC). */
static bool clock_is_synchronized(void)
{
    struct timex timex = { .modes = 0 };

    return adjtimex(&timex) != TIME_ERROR && (timex.status & STA_UNSYNC) == 0;
}

static const struct config_sim *sim_of(const struct daemon *daemon, const char *iccid)
{
    const struct config_sim *sim = config_find_sim(daemon->config, iccid);

    return sim != NULL ? sim : &daemon->config->sim_default;
}

static void ask_balances(struct daemon *daemon)
{
    uint64_t now_ms = daemon_now().mono_us / 1000;

    for (uint32_t i = 0; i < box_slot_count(daemon->box); i++) {
        const struct modem_status *status = box_modem_status(daemon->box, i);
        struct daemon_balance_care *care = &daemon->balance_care[i];
        uint64_t every_ms = (uint64_t)sim_of(daemon, status->identity.iccid)->balance_every_ms;
        int r;

        if (status->state != MODEM_READY || status->identity.iccid[0] == '\0' || every_ms == 0)
            continue;
        if (strcmp(care->iccid, status->identity.iccid) != 0) {   /* a card that was put in is asked at once */
            memcpy(care->iccid, status->identity.iccid, sizeof care->iccid);
            care->due_ms = now_ms;
        }
        if (now_ms < care->due_ms)
            continue;
        r = daemon_balance_ask(daemon, i, NULL);
        if (r == -EAGAIN || r == -EALREADY || r == -ENODEV)
            continue;                    /* with the next minute */
        care->due_ms = now_ms + (r == 0 ? every_ms : every_ms > ASKED_AGAIN_MS ? every_ms : ASKED_AGAIN_MS);
    }
}

static void on_care(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;

    if (daemon->stopping)
        return;
    if (clock_is_synchronized())
        gateway_clock_is_right(box_gateway(daemon->box), daemon_now());
    ask_balances(daemon);
}

void daemon_care_start(struct daemon *daemon)
{
    (void)uv_timer_init(&daemon->loop, &daemon->care_timer);
    daemon->care_timer.data = daemon;
    (void)uv_timer_start(&daemon->care_timer, on_care, CARE_MS, CARE_MS);
}
