/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/sms/fuzz_pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    fuzz_pdu(octets, size, SMS_DELIVER);
    return 0;
}
