/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_personality.h"

#include <string.h>

#define CNMI_ALL { .mode = 0x07, .mt = 0x0F, .bm = 0x0D, .ds = 0x07, .bfr = 0x03 }

static const struct sim_personality personalities[] = {
    {
        .name = "generic", .manufacturer = "Cellpost", .model = "SIM-MODEM", .revision = "1.0", .family = SIM_FAMILY_GENERIC,
        .prompt = "\r\n> ", .echo = true, .error = "ERROR", .mr_source = SIM_MR_CARD, .cnmi = CNMI_ALL, .csms_max = 1,
        .storages = "SM,ME,SR", .me_slots = 50, .sr_slots = 20, .index_base = 1, .memories_min = 1, .report_storage = "SR",
        .boot_lines = { "RDY", "+CFUN: 1", "+CPIN: READY" }, .ready_line = "SMS Ready",
        .chatter = { "RING", "+CSQ: 21,99", "+CTZV: 8" },
    },
    {
        /* quectel-ec25-cdsi-sm0-empty: announces SM 0, stores in SR. */
        .name = "ec25", .manufacturer = "Quectel", .model = "EC25", .revision = "EC25EFAR06A05M4G", .family = SIM_FAMILY_QUECTEL,
        .prompt = "\r\n> ", .echo = true, .error = "ERROR", .mr_source = SIM_MR_MODEM, .cnmi = CNMI_ALL, .csms_max = 1,
        .storages = "ME,SM,SR", .me_slots = 255, .sr_slots = 20, .index_base = 0, .memories_min = 1, .report_storage = "SR",
        .cdsi_says = "\"SM\",0", .boot_lines = { "RDY", "+CFUN: 1", "+CPIN: READY", "+QUSIM: 1" },
        .ready_line = "+QIND: SMS DONE", .chatter = { "+QIND: \"csq\",20,99", "+QIND: \"act\",\"LTE\"", "+CREG: 1,\"00C3\",\"A1B2\",7" },
    },
    {
        /* sim800l-prompt-without-blank; RDY and friends at boot. */
        .name = "sim800l", .manufacturer = "SIMCOM_Ltd", .model = "SIMCOM_SIM800L", .revision = "Revision:1418B05SIM800L24",
        .family = SIM_FAMILY_SIMCOM, .ussd = SIM_USSD_UCS2, .prompt = "\r\n>", .echo = true, .error = "ERROR", .mr_source = SIM_MR_CARD,
        .cnmi = { .mode = 0x0F, .mt = 0x0F, .bm = 0x05, .ds = 0x03, .bfr = 0x03 }, .csms_max = 1, .storages = "SM,ME",
        .me_slots = 20, .index_base = 1, .memories_min = 1, .report_storage = "SM",
        .boot_lines = { "RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready" }, .ready_line = "SMS Ready",
        .chatter = { "*PSUTTZ: 2026,8,10,12,0,0,\"+12\",0", "DST: 0", "UNDER-VOLTAGE WARNNING", "+CIEV: 10,\"26201\",\"x\",\"x\",0,0" },
    },
    {
        /* Its +CDSI says "SR",8 while SR has size 0: reports by ds=2 are lost. */
        .name = "sim7600", .manufacturer = "SIMCOM INCORPORATED", .model = "SIMCOM_SIM7600E-H", .revision = "+CGMR: LE20B04SIM7600M22",
        .family = SIM_FAMILY_SIMCOM, .prompt = "\r\n> ", .echo = true, .error = "ERROR", .mr_source = SIM_MR_MODEM,
        .cnmi = { .mode = 0x07, .mt = 0x0F, .bm = 0x0D, .ds = 0x07, .bfr = 0x03 }, .csms_max = 1, .storages = "ME,SM,SR",
        .me_slots = 23, .sr_slots = 0, .index_base = 0, .memories_min = 3, .report_storage = "SR", .cdsi_says = "\"SR\",8",
        .boot_lines = { "RDY", "+CPIN: READY" }, .ready_line = "SMS DONE", .chatter = { "+CNSMOD: 8", "+CSQ: 19,99", "PB DONE" },
    },
    {
        /* The prompt is a line of its own and no answer (facts 0.1); +CNMI ds=1 is refused (simcom-a7670x-cnmi-ds-refused). */
        .name = "sim7670g", .manufacturer = "INCORPORATED", .model = "SIM7670G-MNGV", .revision = "2374B04SIM7670G",
        .family = SIM_FAMILY_SIMCOM, .prompt = "\r\n>\r\n", .echo = true, .error = "ERROR", .mr_source = SIM_MR_MODEM,
        .cnmi = { .mode = 0x07, .mt = 0x07, .bm = 0x05, .ds = 0x05, .bfr = 0x01 }, .advertises_ds1 = true, .csms_max = 1,
        .storages = "SM,ME,SR", .me_slots = 180, .sr_slots = 10, .index_base = 0, .memories_min = 3, .report_storage = "SR",
        .boot_lines = { "*ATREADY: 1", "+CPIN: SIM failure", "+CPIN: READY" }, .ready_line = "SMS DONE",
        .chatter = { "+CNSMOD: 8", "PB DONE" },
    },
    {
        .name = "huawei-e173", .manufacturer = "huawei", .model = "E173", .revision = "11.126.16.04.159",
        .family = SIM_FAMILY_HUAWEI, .ussd = SIM_USSD_PACKED, .prompt = "\r\n> ", .echo = true, .error = "COMMAND NOT SUPPORT", .mr_source = SIM_MR_CARD,
        .cnmi = { .mode = 0x07, .mt = 0x0F, .bm = 0x05, .ds = 0x07, .bfr = 0x03 }, .csms_max = 1, .storages = "SM,ME",
        .me_slots = 23, .index_base = 0, .memories_min = 1, .report_storage = "SM",
        .boot_lines = { "^BOOT:27710117,0,0,0,75", "^SIMST:1" }, .ready_line = "^SRVST:2",
        .chatter = { "^RSSI:17", "^MODE:3,3", "^BOOT:27710117,0,0,0,75",
                     "^DSFLOWRPT:0000000A,00000000,00000000,0000000000000000,0000000000000000,00000000,00000000" },
    },
    {
        /* Samba/TC35 class: bfr must be 1, takes the TP-MR of the PDU. */
        .name = "tc35", .manufacturer = "SIEMENS", .model = "TC35i", .revision = "REVISION 03.01", .family = SIM_FAMILY_SIEMENS, .ussd = SIM_USSD_EARLY,
        .prompt = "\r\n> ", .echo = true, .error = "ERROR", .mr_source = SIM_MR_PDU,
        .cnmi = { .mode = 0x0F, .mt = 0x0F, .bm = 0x0D, .ds = 0x07, .bfr = 0x02 }, .csms_max = 1, .storages = "SM,MT",
        .me_slots = 25, .index_base = 1, .memories_min = 1, .report_storage = "SM", .boot_lines = { "^SYSSTART" },
        .chatter = { "+CIEV: rssi,4", "RING" },
    },
    {
        /* Gives no prompt at all: the PDU may come at once. */
        .name = "nrf91", .manufacturer = "Nordic Semiconductor ASA", .model = "nRF9160-SICA", .revision = "mfw_nrf9160_1.3.5",
        .family = SIM_FAMILY_NORDIC, .prompt = "", .echo = false, .error = "ERROR", .mr_source = SIM_MR_MODEM,
        .cnmi = { .mode = 0x0A, .mt = 0x05, .bm = 0x01, .ds = 0x03, .bfr = 0x02 }, .csms_max = 1, .storages = "ME",
        .me_slots = 10, .index_base = 1, .memories_min = 1, .report_storage = "ME", .boot_lines = { "Ready" },
        .chatter = { "%CESQ: 50,2,16,2" },
    },
};

const struct sim_personality *sim_personality_at(size_t index)
{
    return index < sizeof personalities / sizeof personalities[0] ? &personalities[index] : NULL;
}

const struct sim_personality *sim_personality_find(const char *name)
{
    const struct sim_personality *personality;

    for (size_t i = 0; (personality = sim_personality_at(i)) != NULL; i++)
        if (strcmp(personality->name, name) == 0)
            return personality;
    return NULL;
}
