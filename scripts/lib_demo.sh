# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the demonstrations share: a folder, programs that run beside each other, and waiting for them. Sourced behind lib.sh.

# Sets dir to a folder for it all: $1, or a new one that is removed at the end.
demo_begin() {
  dir=$1
  if [ -n "$dir" ]; then
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd) keep=yes
  else
    dir=$(mktemp -d /tmp/cellpost-run.XXXXXX) keep=no
  fi
  socket=$dir/api.sock pids=()
  export CELLPOST_SOCKET=$socket
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

finish() {
  local status=$?
  trap - EXIT INT TERM
  # The last started first: the daemon ends before its modems do, and is not troubled by their going.
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  local log
  for log in "$dir"/cellpostd.log "$dir"/central.log; do
    [ "$status" -ne 0 ] && [ "$status" -lt 128 ] && [ -s "$log" ] || continue
    printf '\nThe last lines of %s:\n' "$log" >&2
    tail -n 15 "$log" >&2
    keep=yes
  done
  [ "$keep" = yes ] || rm -rf "$dir"
  exit "$status"
}

# Waits until a command succeeds, SECONDS at most; says what it waited for when it does not.
until_true() {   # seconds what command...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || die "gave up waiting: $what"
    kill -0 "${pids[@]}" 2>/dev/null || die "a program has ended: $what"
    sleep 0.1
  done
}
