#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Forty seeds, or as many as fit into half a minute, without a violation. To look at one: scripts/simulate --seeds N --hours 1 --trace
# Usage: test_simulation_good_seeds.sh SIMULATE [PLANTS_DIR]
set -euo pipefail
"${1:?usage: test_simulation_good_seeds.sh SIMULATE}" --seeds 1-40 --hours 1 --seconds "${SIMULATE_SECONDS:-30}"
