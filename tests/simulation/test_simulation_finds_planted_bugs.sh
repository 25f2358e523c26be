#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A simulation that finds nothing proves nothing: each of the bugs in plants/ is found within SEEDS_MAX seeds of an hour.
# Usage: test_simulation_finds_planted_bugs.sh SIMULATE PLANTS_DIR
set -euo pipefail
plants=${2:?usage: test_simulation_finds_planted_bugs.sh SIMULATE PLANTS_DIR}
SEEDS_MAX=40
missed=0
for script in "$(dirname "$0")"/plants/*.sed; do
  name=$(basename "$script" .sed)
  status=0
  faults=$(sed -n 's/^# faults: //p' "$script")   # those it takes; none named: as each seed draws
  world=$(sed -n 's/^# world: /--/p' "$script")       # in which kind of world
  found=$("$plants/cellpost-simulate-$name" --seeds "1-$SEEDS_MAX" --hours 1 ${faults:+--faults "$faults"} $world --until-violation 2>/dev/null) || status=$?
  if [ "$status" -eq 1 ]; then
    printf '%-26s %s\n' "$name" "$(printf '%s' "$found" | sed -n 's/^ *"\(seed .*\)",*$/\1/p' | head -n 1)"
  else
    printf '%-26s NOT FOUND in %d seeds (status %d)\n' "$name" "$SEEDS_MAX" "$status"
    missed=$((missed + 1))
  fi
done
exit "$((missed > 0))"
