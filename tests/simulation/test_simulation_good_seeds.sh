#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Forty seeds of everything and twelve of lost answers, or as many as fit into half a minute, without a violation. To look at one: scripts/simulate --seeds N --hours 1 --trace
# Usage: test_simulation_good_seeds.sh SIMULATE [PLANTS_DIR]
set -euo pipefail
simulate=${1:?usage: test_simulation_good_seeds.sh SIMULATE}
"$simulate" --seeds 1-40 --hours 1 --seconds "${SIMULATE_SECONDS:-30}"
# Where nothing goes wrong, every report that comes must count.
"$simulate" --seeds 1-10 --hours 0.5 --faults none
# Restarts leave no time to learn about modems: without them the card's count must be of use, and do no harm.
figures=$("$simulate" --seeds 1-12 --hours 1 --faults swallowed,held,cms,lost_reply,late --seconds "${SIMULATE_SECONDS:-30}") || { printf '%s\n' "$figures"; exit 1; }
printf '%s\n' "$figures"
if printf '%s' "$figures" | grep -q '"not_sent_by_evidence": 0,'; then
  printf 'the card'"'"'s count never told anything\n'
  exit 1
fi
