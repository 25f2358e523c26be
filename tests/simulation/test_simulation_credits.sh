#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boxes and their account while everything between them goes wrong: no credit is lost, none is spent twice, and honest boxes settle.
# As many seeds as fit into twenty seconds.
# Usage: test_simulation_credits.sh SIMULATE [PLANTS_DIR]
set -euo pipefail
simulate=${1:?usage: test_simulation_credits.sh SIMULATE}
"$simulate-credits" --seeds 1-40 --days 1 --seconds "${SIMULATE_SECONDS:-20}"
