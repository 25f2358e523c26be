/* SPDX-License-Identifier: Apache-2.0
 *
 * cellpost-central - the account that lends credits to boxes: its server, and what persons do with it. */
#include "firmware/central/commands.h"

int main(int argc, char **argv)
{
    return central_main(argc, argv);
}
