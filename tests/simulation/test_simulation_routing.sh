#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Messages have prices and cards have limits while everything goes wrong: no card sends more than it may. As many seeds as fit
# into twenty seconds.
# Usage: test_simulation_routing.sh SIMULATE [PLANTS_DIR]
set -euo pipefail
simulate=${1:?usage: test_simulation_routing.sh SIMULATE}
"$simulate" --seeds 1-40 --hours 1 --routing --seconds "${SIMULATE_SECONDS:-20}"
