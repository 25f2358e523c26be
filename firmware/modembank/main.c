/* SPDX-License-Identifier: Apache-2.0
 *
 * cellpost-modembank: simulated modems on pseudo-terminals, with a log of what was really sent. */
#include "firmware/modembank/bank.h"

#include "firmware/modembank/tell.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct bank_options options;
    struct bank bank;
    int r;

    if (argc >= 4 && strcmp(argv[1], "--tell") == 0)
        return tell(argv[2], argc - 3, argv + 3);
    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_HELP:
        return EXIT_SUCCESS;
    case OPTIONS_WRONG:
        return 2;
    case OPTIONS_RUN:
        break;
    }
    r = bank_start(&bank, &options, uv_default_loop());
    if (r == 0)
        (void)uv_run(bank.loop, UV_RUN_DEFAULT);
    if (bank.failed)
        r = -1;
    bank_done(&bank);
    (void)uv_loop_close(uv_default_loop());
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
