/* SPDX-License-Identifier: Apache-2.0
 *
 * Whichever allocation fails: no message is lost, none is sent uncounted, and what was in force stays so. */
#include "tests/unit/choice/rig.h"

#include "tests/unit/faulty_memory.h"

#define FAR_AWAY 2000

static const char tariffs[] = "kind,plan,currency,prefix,price,next_part_price,prefixes,name,parts,period\n"
                              "price,p,EUR,*,0.05,0.04,,,,\nprice,p,EUR,336,0.03,,,,,\nbundle,p,,,,,33,b,2,month\n";

/* What a day brings: all of it must come to the same end with and without memory. */
static void a_life(struct rig *rig)
{
    uint64_t retry_ms;

    rig->chooser = chooser_new(1);
    if (rig->chooser == NULL)
        return;
    if (chooser_configure(rig->chooser, &rig->routing, rig->now) < 0)
        return;                          /* what was in force stays so: here, nothing */
    for (int i = 0; i < 4; i++) {
        struct queue_item item = rig_item(rig, i % 2 == 0 ? "33612345678" : "40712345678", 0), got;
        struct chooser_taken taken;
        char *use_state = NULL, *record = NULL;
        uint16_t bearer = CHOOSER_NO_BEARER;

        if (i == 0 && (chooser_bearer_open(rig->chooser, ROUTE_SIM, rig->sims[0].iccid, 1, NULL, rig->now, &bearer) < 0))
            return;
        bearer = 0;
        chooser_bearer_state(rig->chooser, bearer, true, true, 0);
        item.class_id = chooser_classify(rig->chooser, &item, rig->now);
        if (queue_put(&rig->queue, &item) != QUEUE_KEPT)
            continue;                    /* it stays in the store */
        if (i == 2)
            chooser_renew(rig->chooser, rig->now);   /* a new day, say: without memory all is looked at one by one */
        if (!chooser_pick(rig->chooser, bearer, &rig->queue, rig->now, &got, &retry_ms))
            continue;
        assert_true(queue_take_item(&rig->queue, &got));
        if (chooser_take(rig->chooser, bearer, &got, 0, rig->now, &taken, &use_state, &record) == 0)
            assert_non_null(use_state);  /* counted, and so it can be kept */
        free(use_state);
        free(record);
    }
}

static void whichever_allocation_fails_nothing_goes_uncounted(void **state)
{
    (void)state;
    for (int lack = 0; lack < MEMORY_LACKS; lack++) {
        uint64_t n = 1;

        for (; n < FAR_AWAY; n++) {
            struct rig rig;
            bool failed;
            uint8_t priority;
            uint32_t limit;
            int64_t id;

            rig_init(&rig);
            rig_tariffs(&rig, tariffs);
            rig_sim(&rig, "8900000000000000001", "p")->limits.per_day = 100;
            queue_init(&rig.queue, 0);
            queue_fetch_begin(&rig.queue, &priority, &id, &limit);
            queue_fetched(&rig.queue, NULL, 0, false, NULL, NULL);
            memory_fail(MEMORY_OWN, (enum memory_lack)lack, n);
            a_life(&rig);
            failed = memory_works();
            rig_done(&rig);
            if (!failed)
                break;
        }
        assert_in_range(n, 15, FAR_AWAY - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_allocation_fails_nothing_goes_uncounted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
