/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the file holds: it is refused, or every moment has an offset and is in the period that is said to be around it. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "src/base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct zone *zone = NULL;
    int64_t at_ms = 0;
    int r;

    if (size < 8)
        return 0;
    memcpy(&at_ms, bytes + size - 8, 8);   /* the file comes first, as seeds have it */
    r = zone_parse(bytes, size - 8, &zone);
    if (r == -EINVAL)
        r = zone_parse(bytes, size, &zone);
    assert(r == 0 || r == -EINVAL || r == -ENOMEM);
    if (r != 0)
        return 0;
    assert(zone_fingerprint(zone) != 0);
    for (unsigned i = 0; i < 8; i++, at_ms = at_ms / 7 + (int64_t)i * 86400000 * 97) {
        int64_t in_ms = at_ms < -INT64_C(300000000000000) ? 0 : at_ms > INT64_C(250000000000000) ? 0 : at_ms;
        int32_t offset_s = zone_offset_s(zone, in_ms / 1000);

        assert(offset_s > -25 * 3600 && offset_s < 26 * 3600);
        for (unsigned kind = ZONE_DAY; kind <= ZONE_MONTH; kind++) {
            struct zone_period period = zone_period(zone, (enum zone_period_kind)kind, i * 5 % 7 + 1, in_ms);

            assert(period.begin_ms <= in_ms && in_ms < period.next_ms);
        }
        (void)zone_period(zone, ZONE_MONTH, 31, at_ms);
    }
    zone_free(zone);
    return 0;
}
