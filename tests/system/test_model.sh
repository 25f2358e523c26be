#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The model of the credit lease holds, and fails where a rule is left out; small bounds. 77: spin is not to be had.
set -euo pipefail
exec "$(dirname "$0")/../../scripts/model" --quick
