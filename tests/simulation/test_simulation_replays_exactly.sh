#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One seed is one story, to the last octet: else a failure could not be looked at again.
# Usage: test_simulation_replays_exactly.sh SIMULATE [PLANTS_DIR]
set -euo pipefail
simulate=${1:?usage: test_simulation_replays_exactly.sh SIMULATE}
# The real time it took is no part of the story.
story() { "$simulate" --seeds "$1" --hours 0.5 --trace | grep -v -e '"wall_s"' -e '"parts_per_s"' | cksum; }
for seed in 1 2 3 4 5; do
  first=$(story "$seed")
  second=$(story "$seed")
  if [ "$first" != "$second" ]; then
    printf 'seed %d told two stories: %s and %s\n' "$seed" "$first" "$second" >&2
    exit 1
  fi
done
