/* SPDX-License-Identifier: Apache-2.0
 *
 * modem_work.h - what modems did, told to the store of the rig directly. */
#ifndef CELLPOST_TEST_API_MODEM_WORK_H
#define CELLPOST_TEST_API_MODEM_WORK_H

#include "tests/unit/api/rig.h"

static inline void rig_sim(struct rig *rig, uint32_t *ret_sim, uint32_t *ret_modem)
{
    struct store_change *change = change_new(CHANGE_SIM, rig->now_ms);

    (void)snprintf(change->u.sim.iccid, sizeof change->u.sim.iccid, "8940011234567890123");
    (void)snprintf(change->u.sim.imsi, sizeof change->u.sim.imsi, "226011234567890");
    (void)snprintf(change->u.sim.imei, sizeof change->u.sim.imei, "356938035643809");
    (void)snprintf(change->u.sim.model, sizeof change->u.sim.model, "E173");
    rig_apply(rig, change);
    *ret_sim = change->u.sim.sim_id;
    *ret_modem = change->u.sim.modem_id;
    change_free(change);
}

static inline int64_t id_number(const char *id)
{
    return strtoll(strrchr(id, '-') + 2, NULL, 10);
}

static inline int64_t rig_intent(struct rig *rig, const char *id, uint16_t part)
{
    struct store_change *change = change_new(CHANGE_INTENT, rig->now_ms);
    int64_t attempt;

    change->u.intent.message_id = id_number(id);
    change->u.intent.part = part;
    rig_sim(rig, &change->u.intent.sim_id, &change->u.intent.modem_id);
    rig_apply(rig, change);
    assert_int_equal(change->result, 0);
    attempt = change->u.intent.attempt_id;
    change_free(change);
    return attempt;
}

static inline void rig_outcome(struct rig *rig, int64_t attempt, enum attempt_state state, int mr, int cms, enum outcome_verdict verdict)
{
    struct store_change *change = change_new(CHANGE_OUTCOME, rig->now_ms);

    change->u.outcome.attempt_id = attempt;
    change->u.outcome.state = state;
    change->u.outcome.mr = mr;
    change->u.outcome.error_kind = cms >= 0;
    change->u.outcome.code = cms;
    change->u.outcome.verdict = verdict;
    change->u.outcome.fail_state = MESSAGE_FAILED;
    change->u.outcome.retry_ms = rig->now_ms;
    rig_apply(rig, change);
    assert_int_equal(change->result, 0);
    change_free(change);
}

static inline void rig_report(struct rig *rig, uint8_t mr, uint8_t status)
{
    struct store_change *change = change_new(CHANGE_REPORT, rig->now_ms);
    uint32_t modem;

    rig_sim(rig, &change->u.report.sim_id, &modem);
    change->u.report.mr = mr;
    (void)snprintf(change->u.report.recipient, sizeof change->u.report.recipient, "+40700000001");
    change->u.report.status = status;
    change->u.report.scts_ms = change->u.report.discharge_ms = rig->now_ms;
    rig_apply(rig, change);
    assert_true(change->u.report.message_id > 0);
    change_free(change);
}

static inline struct answer show(struct rig *rig, const char *id)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/v1/messages/%s", id);
    return ask_get(rig, path, NULL);
}

#endif
