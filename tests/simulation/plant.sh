#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a copy of a source with a planted bug. Usage: plant.sh SCRIPT.sed SOURCE COPY
set -eu
mkdir -p "$(dirname "$3")"
sed -E -f "$1" "$2" >"$3.new"
if cmp -s "$2" "$3.new"; then
  printf '%s no longer changes %s: the source has moved on, mend the script\n' "$1" "$2" >&2
  rm -f "$3.new"
  exit 1
fi
mv "$3.new" "$3"
