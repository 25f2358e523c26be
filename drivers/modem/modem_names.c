/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modem/modem_internal.h"

#include <assert.h>

const char *modem_state_name(enum modem_state state)
{
    static const char *const names[MODEM_STATE_COUNT] = {
        [MODEM_LOST] = "lost", [MODEM_PROBING] = "probing", [MODEM_IDENTIFYING] = "identifying",
        [MODEM_SIM_WAIT] = "sim_wait", [MODEM_SETTING_UP] = "setting_up", [MODEM_REGISTERING] = "registering",
        [MODEM_READY] = "ready", [MODEM_SENDING] = "sending", [MODEM_RECOVERING] = "recovering",
        [MODEM_PARKED] = "parked",
    };

    return (unsigned)state < MODEM_STATE_COUNT ? names[state] : "unknown";
}

static const struct { const char *code, *text; } reasons[MODEM_REASON_COUNT] = {
    [MODEM_REASON_NONE] = { "none", "" },
    [MODEM_REASON_NO_ANSWER] = { "no_answer",
        "Nothing on this port answers AT: it is no modem, or it hangs and needs its power switched off and on." },
    [MODEM_REASON_UNPLUGGED] = { "unplugged", "The port is gone: plug the modem in again." },
    [MODEM_REASON_NO_SIM] = { "no_sim", "The modem sees no SIM card: insert one." },
    [MODEM_REASON_PIN_NEEDED] = { "pin_needed", "The SIM card asks for its PIN: put it into the configuration." },
    [MODEM_REASON_PIN_WRONG] = { "pin_wrong",
        "The SIM card refused the PIN; it will not be tried again: correct it in the configuration, and enter the right "
        "one once in a phone or by AT+CPIN." },
    /* One code for all three: what is to be done is the same. */
    [MODEM_REASON_PIN_TWO_LEFT] = { "pin_wrong",
        "The PIN is not tried because only 2 tries are left before the SIM card blocks: enter the right one once in a "
        "phone or by AT+CPIN, and check the configuration." },
    [MODEM_REASON_PIN_ONE_LEFT] = { "pin_wrong",
        "The PIN is not tried because only 1 try is left before the SIM card blocks: enter the right one once in a "
        "phone or by AT+CPIN, and check the configuration." },
    [MODEM_REASON_PUK_NEEDED] = { "puk_needed",
        "The SIM card is blocked and asks for its PUK: unblock it in a phone. A wrong PUK ten times destroys it." },
    [MODEM_REASON_SIM_LOCKED] = { "sim_locked",
        "The modem is locked to another SIM card or operator: use the card it is locked to, or have it unlocked." },
    [MODEM_REASON_SIM_FAILURE] = { "sim_failure",
        "The modem cannot read the SIM card: clean it, seat it again, or try another one." },
    [MODEM_REASON_SIM_BUSY] = { "sim_busy",
        "The SIM card does not become ready: seat it again, or switch the modem off and on." },
    [MODEM_REASON_NOT_REGISTERED] = { "not_registered",
        "The modem looks for a network: check antenna, coverage and whether the SIM card is active." },
    [MODEM_REASON_DENIED] = { "denied",
        "The network refuses the SIM card: ask the operator whether it is active and allowed here." },
    [MODEM_REASON_NO_PDU_MODE] = { "no_pdu_mode",
        "The modem refuses PDU mode (AT+CMGF=0): this kind of modem cannot be used." },
    [MODEM_REASON_RESET] = { "reset",
        "The modem has restarted by itself: if it does so again, check its power supply." },
};

const char *modem_reason_text(enum modem_reason reason)
{
    return (unsigned)reason < MODEM_REASON_COUNT ? reasons[reason].text : "";
}

const char *modem_reason_code(enum modem_reason reason)
{
    return (unsigned)reason < MODEM_REASON_COUNT ? reasons[reason].code : "unknown";
}

const char *modem_trigger_name(enum modem_trigger trigger)
{
    static const char *const names[MODEM_TRIGGER_COUNT] = {
        [ON_OPENED] = "opened", [ON_CLOSED] = "closed", [ON_ANSWERED] = "answered", [ON_SILENT] = "silent",
        [ON_GIVEN_UP] = "given_up", [ON_SCRIPT_DONE] = "script_done", [ON_SIM_UNUSABLE] = "sim_unusable",
        [ON_NO_PDU_MODE] = "no_pdu_mode", [ON_REGISTERED] = "registered", [ON_UNREGISTERED] = "unregistered",
        [ON_SEND] = "send", [ON_SEND_ENDED] = "send_ended", [ON_SEND_BROKEN] = "send_broken", [ON_RESET] = "reset",
        [ON_SIM_CHANGED] = "sim_changed", [ON_RETRY_PORT] = "retry_port", [ON_RETRY_SIM] = "retry_sim",
    };

    assert((unsigned)trigger < MODEM_TRIGGER_COUNT);
    return names[trigger];
}

static const struct { const char *name, *text; } ussd_ends[MODEM_USSD_END_COUNT] = {
    [MODEM_USSD_FINAL] = { "final", "The network has answered." },
    [MODEM_USSD_REPLY] = { "reply", "The network waits for a reply; none was left, and the dialogue was cancelled." },
    [MODEM_USSD_ENDED] = { "ended", "The network ended the dialogue without an answer." },
    [MODEM_USSD_OTHER] = { "other_client", "The answer went to an application of the SIM card." },
    [MODEM_USSD_UNSUPPORTED] = { "unsupported", "The network does not know this code, or does not take codes by the way this modem is registered (LTE alone)." },
    [MODEM_USSD_NETWORK_SLOW] = { "network_timeout", "The operator's service did not answer the network in time: try again later." },
    [MODEM_USSD_REFUSED] = { "refused", "The modem or the network refused the code." },
    [MODEM_USSD_SILENT] = { "silent", "The network did not answer within 60 s." },
    [MODEM_USSD_NO_TURN] = { "no_turn", "The modem had a part on the air for 60 s: the code was not sent." },
    [MODEM_USSD_LOST] = { "lost", "The modem went away, restarted or lost its network before the answer came." },
};

const char *modem_ussd_end_name(enum modem_ussd_end end)
{
    return (unsigned)end < MODEM_USSD_END_COUNT ? ussd_ends[end].name : "unknown";
}

const char *modem_ussd_end_text(enum modem_ussd_end end)
{
    return (unsigned)end < MODEM_USSD_END_COUNT ? ussd_ends[end].text : "";
}
