/* SPDX-License-Identifier: Apache-2.0
 *
 * error_class.c - the tables. Where a number has two meanings in the field, the row has the class whose mistake is the
 * cheaper one: a message kept as unknown rather than sent twice, a SIM tried again rather than all SIMs parked because
 * of one bad number. */
#include "src/gateway/error_class.h"

struct error_range { struct error_info first; int last_code; };

#define ONE(number, class, text) { { number, class, text }, number }
#define SPAN(from, to, class, text) { { from, class, text }, to }

static const struct error_range cms_ranges[] = {
    /* RP causes, 3GPP TS 24.011 table 8.4. */
    ONE(1, ERROR_RECIPIENT, "the number is not in use"),
    SPAN(2, 7, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(8, ERROR_SIM, "the operator has barred this SIM from sending"),
    ONE(9, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(10, ERROR_VARIES, "barred: often no credit, or a destination this SIM may not reach"),
    ONE(11, ERROR_VARIES, "refused by the network (reserved cause 11)"),
    SPAN(12, 16, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(17, ERROR_TRANSIENT, "network failure"),
    SPAN(18, 20, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(21, ERROR_VARIES, "rejected by the network: often a spam filter, no credit, or a blocked SIM"),
    ONE(22, ERROR_TRANSIENT, "memory full, or the network is congested"),
    SPAN(23, 26, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(27, ERROR_TRANSIENT, "the recipient's phone cannot be reached now"),
    /* 28 and 30: of the SIM by the book, but some centres mean the recipient. */
    ONE(28, ERROR_VARIES, "the network does not know this SIM, or the recipient"),
    ONE(29, ERROR_SIM, "the network refuses SMS for this SIM"),
    ONE(30, ERROR_VARIES, "the network does not know this subscriber, or the recipient"),
    SPAN(31, 37, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(38, ERROR_TRANSIENT, "network out of order; again and again: often no credit"),
    SPAN(39, 40, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(41, ERROR_TRANSIENT, "temporary failure of the network"),
    ONE(42, ERROR_CONGESTION, "the network is congested"),
    SPAN(43, 46, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(47, ERROR_CONGESTION, "the network has no resources free"),
    SPAN(48, 49, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(50, ERROR_SIM, "this SIM's contract has no SMS"),
    SPAN(51, 68, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(69, ERROR_VARIES, "not possible in this network: check the message centre's number"),
    SPAN(70, 80, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(81, ERROR_MODEM, "modem and network lost each other (reference value)"),
    SPAN(82, 94, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(95, ERROR_MESSAGE, "the network finds the message malformed"),
    ONE(96, ERROR_MESSAGE, "the network misses something mandatory in the message"),
    ONE(97, ERROR_MESSAGE, "the network does not know this type of message"),
    ONE(98, ERROR_TRANSIENT, "the network did not expect a message now"),
    ONE(99, ERROR_MESSAGE, "the network does not know an element of the message"),
    SPAN(100, 110, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(111, ERROR_TRANSIENT, "protocol error, unspecified"),
    SPAN(112, 126, ERROR_TRANSIENT, "the network refused it for a reason it does not name"),
    ONE(127, ERROR_VARIES, "refused by the message centre: often its content or the number"),
    /* TP-FCS, 3GPP TS 23.040 9.2.3.22. */
    ONE(128, ERROR_MESSAGE, "telematic interworking is not supported"),
    ONE(129, ERROR_MESSAGE, "messages of type 0 are not supported"),
    ONE(130, ERROR_MESSAGE, "the message to be replaced cannot be replaced"),
    SPAN(131, 142, ERROR_VARIES, "refused by the message centre (reserved cause)"),
    ONE(143, ERROR_MESSAGE, "the protocol identifier is not accepted"),
    ONE(144, ERROR_MESSAGE, "the alphabet is not supported"),
    ONE(145, ERROR_MESSAGE, "the message class is not supported"),
    SPAN(146, 158, ERROR_VARIES, "refused by the message centre (reserved cause)"),
    ONE(159, ERROR_MESSAGE, "the data coding scheme is not accepted"),
    ONE(160, ERROR_MESSAGE, "the command cannot be carried out"),
    ONE(161, ERROR_MESSAGE, "the command is not supported"),
    SPAN(162, 174, ERROR_VARIES, "refused by the message centre (reserved cause)"),
    ONE(175, ERROR_MESSAGE, "the command is not accepted"),
    ONE(176, ERROR_MESSAGE, "this kind of message is not supported"),
    SPAN(177, 191, ERROR_VARIES, "refused by the message centre (reserved cause)"),
    ONE(192, ERROR_CONGESTION, "the message centre is busy"),
    ONE(193, ERROR_SIM, "this SIM has no subscription at the message centre"),
    ONE(194, ERROR_TRANSIENT, "the message centre has failed"),
    ONE(195, ERROR_RECIPIENT, "the number is not valid"),
    ONE(196, ERROR_RECIPIENT, "the recipient is barred"),
    /* Only after TP-RD: the centre has a first copy, so an earlier try of ours went through. */
    ONE(197, ERROR_AMBIGUOUS, "the message centre has this message already"),
    ONE(198, ERROR_MESSAGE, "the format of the validity period is not supported"),
    ONE(199, ERROR_MESSAGE, "the validity period is not supported"),
    SPAN(200, 207, ERROR_VARIES, "refused by the message centre (reserved cause)"),
    ONE(208, ERROR_TRANSIENT, "the SIM's message storage is full"),
    ONE(209, ERROR_SIM, "the SIM cannot store messages"),
    ONE(210, ERROR_MODEM, "error in the modem"),
    ONE(211, ERROR_TRANSIENT, "the modem's memory is full"),
    ONE(212, ERROR_TRANSIENT, "the SIM is busy with an application of its own"),
    ONE(213, ERROR_TRANSIENT, "the SIM did not take the data"),
    SPAN(214, 223, ERROR_VARIES, "refused by the message centre (reserved cause)"),
    SPAN(224, 254, ERROR_VARIES, "refused by the message centre (a cause of its own)"),
    ONE(255, ERROR_VARIES, "refused, no cause given"),
    /* Siemens and its heirs. */
    ONE(256, ERROR_TRANSIENT, "not allowed at the moment"),
    ONE(257, ERROR_VARIES, "barred"),
    ONE(258, ERROR_TRANSIENT, "the modem is busy"),
    ONE(259, ERROR_VARIES, "aborted by the user"),
    ONE(260, ERROR_MESSAGE, "the number cannot be dialled"),
    ONE(261, ERROR_VARIES, "supplementary service not executed"),
    ONE(262, ERROR_SIM, "the SIM is blocked"),
    ONE(263, ERROR_VARIES, "invalid block"),
    /* 3GPP TS 27.005 3.2.5. */
    ONE(300, ERROR_MODEM, "modem failure"),
    ONE(301, ERROR_TRANSIENT, "the modem's SMS service is reserved"),
    ONE(302, ERROR_TRANSIENT, "the modem does not allow it now"),
    ONE(303, ERROR_MESSAGE, "the modem does not support it"),
    ONE(304, ERROR_MESSAGE, "the modem finds the PDU malformed"),
    ONE(305, ERROR_MESSAGE, "the modem finds a text mode parameter wrong"),
    ONE(310, ERROR_SIM, "there is no SIM in the modem"),
    ONE(311, ERROR_MODEM, "the SIM waits for its PIN"),
    ONE(312, ERROR_SIM, "the modem is locked to another SIM"),
    ONE(313, ERROR_MODEM, "SIM failure"),
    ONE(314, ERROR_TRANSIENT, "the SIM is busy"),
    ONE(315, ERROR_SIM, "this SIM is not accepted"),
    ONE(316, ERROR_SIM, "the SIM is blocked and needs its PUK"),
    ONE(317, ERROR_SIM, "the SIM wants its PIN2: fixed dialling may be on"),
    ONE(318, ERROR_SIM, "the SIM is blocked and needs its PUK2"),
    ONE(320, ERROR_MODEM, "memory failure in the modem"),
    ONE(321, ERROR_TRANSIENT, "the modem's storage has nothing at this place"),
    ONE(322, ERROR_TRANSIENT, "the modem's message storage is full"),
    ONE(330, ERROR_SIM, "the number of the message centre is not known"),
    ONE(331, ERROR_TRANSIENT, "no network"),
    /* The network's acknowledgement may be what got lost. */
    ONE(332, ERROR_AMBIGUOUS, "no answer from the network: it may have been sent"),
    ONE(340, ERROR_TRANSIENT, "no acknowledgement was expected"),
    ONE(500, ERROR_VARIES, "unknown error: often no credit, or SMS refused over LTE"),
    /* From 512 each maker has its own; these are Wavecom's, Sierra's and Huawei's. */
    ONE(512, ERROR_TRANSIENT, "no connection to the network, or an incoming message came first"),
    ONE(513, ERROR_AMBIGUOUS, "the radio link was lost: it may have been sent"),
    ONE(514, ERROR_CONGESTION, "the network is congested"),
    ONE(515, ERROR_TRANSIENT, "the modem is starting and asks to wait"),
    /* "timer expired" where it is known at all (Siemens, many SIMCom): as 332. */
    ONE(521, ERROR_AMBIGUOUS, "a timer expired: it may have been sent"),
};

/* 3GPP TS 27.007 9.2. */
static const struct error_range cme_ranges[] = {
    ONE(0, ERROR_MODEM, "modem failure"),
    ONE(1, ERROR_MODEM, "no connection to the modem"),
    ONE(2, ERROR_MODEM, "the link to the modem is reserved"),
    ONE(3, ERROR_TRANSIENT, "the modem does not allow it now"),
    ONE(4, ERROR_MESSAGE, "the modem does not support it"),
    ONE(5, ERROR_SIM, "the modem is locked to another SIM"),
    ONE(6, ERROR_SIM, "the modem is locked to its first SIM"),
    ONE(7, ERROR_SIM, "the modem is locked to its first SIM and needs a PUK"),
    ONE(10, ERROR_SIM, "there is no SIM in the modem"),
    ONE(11, ERROR_MODEM, "the SIM waits for its PIN"),
    ONE(12, ERROR_SIM, "the SIM is blocked and needs its PUK"),
    ONE(13, ERROR_MODEM, "SIM failure"),
    ONE(14, ERROR_TRANSIENT, "the SIM is busy"),
    ONE(15, ERROR_SIM, "this SIM is not accepted"),
    ONE(16, ERROR_SIM, "the PIN is wrong"),
    ONE(17, ERROR_SIM, "the SIM wants its PIN2: fixed dialling may be on"),
    ONE(18, ERROR_SIM, "the SIM is blocked and needs its PUK2"),
    ONE(20, ERROR_TRANSIENT, "the modem's message storage is full"),
    ONE(21, ERROR_TRANSIENT, "the modem's storage has nothing at this place"),
    ONE(22, ERROR_TRANSIENT, "the modem did not find it"),
    ONE(23, ERROR_MODEM, "memory failure in the modem"),
    ONE(24, ERROR_MESSAGE, "the text is too long for the modem"),
    ONE(25, ERROR_MESSAGE, "the text has characters the modem does not take"),
    ONE(26, ERROR_MESSAGE, "the number is too long for the modem"),
    ONE(27, ERROR_MESSAGE, "the number has characters the modem does not take"),
    ONE(30, ERROR_TRANSIENT, "no network"),
    ONE(31, ERROR_AMBIGUOUS, "no answer from the network: it may have been sent"),
    ONE(32, ERROR_SIM, "the network allows this SIM emergency calls only"),
    SPAN(40, 48, ERROR_SIM, "the modem is locked to another operator or owner"),
    ONE(50, ERROR_MESSAGE, "the modem finds a parameter wrong"),
    ONE(51, ERROR_TRANSIENT, "the command is disabled in the modem now"),
    ONE(52, ERROR_TRANSIENT, "the command was aborted"),
    ONE(53, ERROR_TRANSIENT, "not attached to the network"),
    ONE(54, ERROR_TRANSIENT, "the modem is restricted to emergency calls"),
    ONE(55, ERROR_TRANSIENT, "access is restricted now"),
    ONE(56, ERROR_SIM, "the SIM allows fixed numbers only"),
    SPAN(57, 61, ERROR_TRANSIENT, "temporarily out of service"),
    ONE(62, ERROR_VARIES, "barred: often no credit, or a destination this SIM may not reach"),
    ONE(63, ERROR_TRANSIENT, "temporarily not possible"),
    ONE(100, ERROR_TRANSIENT, "unknown error of the modem"),
    ONE(103, ERROR_SIM, "the network does not accept this SIM"),
    ONE(106, ERROR_SIM, "the network does not accept this modem"),
    ONE(107, ERROR_SIM, "the network does not allow this SIM its services"),
    ONE(111, ERROR_SIM, "this SIM may not use this network"),
    ONE(112, ERROR_SIM, "this SIM may not be used in this area"),
    ONE(113, ERROR_SIM, "this SIM may not roam here"),
    ONE(115, ERROR_TRANSIENT, "no suitable cell"),
    ONE(116, ERROR_TRANSIENT, "the exchange cannot be reached for the moment"),
    ONE(117, ERROR_TRANSIENT, "network failure"),
    ONE(118, ERROR_TRANSIENT, "the network has no SMS over this access now"),
    ONE(122, ERROR_CONGESTION, "the network is congested"),
    ONE(126, ERROR_CONGESTION, "the network has no resources free"),
    ONE(132, ERROR_SIM, "the network does not support this service"),
    ONE(133, ERROR_SIM, "this SIM's contract does not have this service"),
    ONE(134, ERROR_TRANSIENT, "the service is out of order for the moment"),
    ONE(148, ERROR_TRANSIENT, "unspecified error of the packet service"),
    ONE(149, ERROR_SIM, "the network did not authenticate this SIM"),
    ONE(150, ERROR_MESSAGE, "the modem's class does not allow it"),
    ONE(177, ERROR_SIM, "the operator has barred this SIM"),
    /* Makers' own. */
    ONE(515, ERROR_TRANSIENT, "the modem is starting and asks to wait"),
    ONE(767, ERROR_TRANSIENT, "the operation failed"),
    ONE(772, ERROR_MODEM, "the SIM is powered down"),
};

static const struct error_info no_code = { -1, ERROR_VARIES, "the modem gave no reason" };
static const struct error_info no_meaning = { -1, ERROR_VARIES, "the meaning of this number is not known" };
static const struct error_info makers_own = { 512, ERROR_VARIES, "a number of the modem's maker, its meaning is not known" };

static const struct { const struct error_range *ranges; size_t count; } tables[] = {
    [ERROR_NONE] = { cms_ranges, 0 },
    [ERROR_CMS] = { cms_ranges, sizeof cms_ranges / sizeof cms_ranges[0] },
    [ERROR_CME] = { cme_ranges, sizeof cme_ranges / sizeof cme_ranges[0] },
};

const char *error_class_name(enum error_class class)
{
    static const char *const names[ERROR_CLASSES] = {
        [ERROR_RECIPIENT] = "recipient", [ERROR_MESSAGE] = "message",       [ERROR_SIM] = "sim",
        [ERROR_TRANSIENT] = "transient", [ERROR_CONGESTION] = "congestion", [ERROR_MODEM] = "modem",
        [ERROR_VARIES] = "varies",       [ERROR_AMBIGUOUS] = "ambiguous",
    };
    return (unsigned)class < ERROR_CLASSES ? names[class] : "?";
}

const struct error_info *error_classify(enum error_kind kind, int code)
{
    size_t low = 0, high;

    if (kind == ERROR_NONE || (unsigned)kind >= sizeof tables / sizeof tables[0] || code < 0)
        return &no_code;
    /* The first row that ends at code or later. */
    high = tables[kind].count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tables[kind].ranges[middle].last_code < code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < tables[kind].count && tables[kind].ranges[low].first.code <= code)
        return &tables[kind].ranges[low].first;
    return kind == ERROR_CMS && code >= 512 ? &makers_own : &no_meaning;
}

const struct error_info *error_row(enum error_kind kind, size_t index, int *ret_last_code)
{
    if ((unsigned)kind >= sizeof tables / sizeof tables[0] || index >= tables[kind].count)
        return NULL;
    *ret_last_code = tables[kind].ranges[index].last_code;
    return &tables[kind].ranges[index].first;
}
