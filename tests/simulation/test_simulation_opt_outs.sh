#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# People send STOP while everything goes wrong: each is on the list, and answered once. As many seeds as fit into twenty seconds.
# Usage: test_simulation_opt_outs.sh SIMULATE [PLANTS_DIR]
set -euo pipefail
simulate=${1:?usage: test_simulation_opt_outs.sh SIMULATE}
"$simulate" --seeds 1-40 --hours 1 --opt-outs --seconds "${SIMULATE_SECONDS:-20}"
