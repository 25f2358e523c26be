#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every seed of seeds.txt runs without a violation.
# Usage: test_simulation_named_seeds.sh SIMULATE [PLANTS_DIR]
set -euo pipefail
simulate=${1:?usage: test_simulation_named_seeds.sh SIMULATE}
failed=0
count=0
while read -r seed sentence; do
  count=$((count + 1))
  if ! story=$("$simulate" --seeds "$seed" --hours 1); then
    printf 'seed %s (%s):\n%s\n' "$seed" "$sentence" "$(printf '%s' "$story" | sed -n '/"violations"/,$p')" >&2
    failed=$((failed + 1))
  fi
done < <(grep -E '^[0-9]' "$(dirname "$0")/seeds.txt")
printf '%d seeds, %d failed\n' "$count" "$failed"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
