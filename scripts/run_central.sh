# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# scripts/run --central: an account and a box that spends its credits, also without a network. Sourced by scripts/run, which
# has built everything and set bin, dir, once and listen.

account() { "$bin/cellpost-central" "$@" --state "$dir/central"; }
number_of() { grep -o "\"$1\": *-\?[0-9]*" | head -n 1 | grep -o -- '-\?[0-9]*$'; }
account_has() { account account show shop --json | number_of "$1"; }
box_has() { "$bin/cellpost" balance --json | number_of "$1"; }
link_state() { curl -sf --unix-socket "$socket" http://box/v1/account | grep -o '"state": *"[a-z_]*"' | head -n 1 | grep -o '[a-z_]*"$' | tr -d '"'; }
link_is() { [ "$(link_state)" = "$1" ]; }
has_credits() { [ "$(box_has available_micro)" -gt 0 ]; }
all_told() { [ "$(account_has captured_micro)" -eq "$(box_has captured_micro)" ]; }
on_air() { grep -c '"event":"accepted"' "$dir/air.jsonl" || true; }
failed=no
check() {   # what command...
  local what=$1
  shift
  if "$@" >/dev/null; then printf '  ok      %s\n' "$what"; else printf '  FAILED  %s\n' "$what"; failed=yes; fi
}

# The account's server, at the port that it had before.
central_port=0
start_central() {
  : >"$dir/central.json"
  "$bin/cellpost-central" serve --state "$dir/central" --tls-name 127.0.0.1 --listen "127.0.0.1:$central_port" --json \
    >"$dir/central.json" 2>>"$dir/central.log" &
  central_pid=$!
  pids+=("$central_pid")
  until_true 10 "the account does not answer (see $dir/central.log)" grep -q '"port"' "$dir/central.json"
  central_port=$(number_of port <"$dir/central.json")
}
stop_central() {
  kill "$central_pid"
  wait "$central_pid" || true
  unset 'pids[-1]'
}

heading "An account with 10 credits, and what a part costs ($dir/central)"
account account create shop
account account fund shop 10 --note "bank transfer 4711" >/dev/null
printf 'prefix,price,price_ucs2\n40,0.05,0.06\n*,0.20,\n' >"$dir/prices.csv"
account price import "$dir/prices.csv"
account account show shop

heading "A bank of 2 simulated modems, and the box"
"$bin/cellpost-modembank" --count 2 --dir "$dir/modems" --air-ms 300 --report-ms 300 --log "$dir/air.jsonl" --quiet >"$dir/modembank.log" 2>&1 &
pids+=($!)
until_true 10 "the simulated modems do not come up (see $dir/modembank.log)" test -e "$dir/modems/modem1"
cat >"$dir/cellpost.ini" <<INI
[gateway]
state_dir = $dir/state

[api]
listen = $listen
socket = $socket

[central]
interval = 10s
lease = 2

[bank "local"]
ports = $dir/modems/modem*
INI
"$bin/cellpostd" --config "$dir/cellpost.ini" 2>"$dir/cellpostd.log" &
pids+=($!)
until_true 10 "cellpostd does not answer on $socket" "$bin/cellpost" health --json
start_central

heading "The box enrols: a token that is good once, a key that never leaves it"
account box enroll shop --label "first box" --url "https://127.0.0.1:$central_port" --json >"$dir/token.json"
text_of() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$dir/token.json"; }
"$bin/cellpost" enroll "$(text_of token)" --url "https://127.0.0.1:$central_port" --pin "$(text_of pin)"
until_true 30 "the box gets no credits (cellpost balance)" has_credits
"$bin/cellpost" balance

heading "Online: a text is sent"
"$bin/cellpost" send --wait=delivered --timeout 60 +40711000001 "Paid from the account"

heading "The account goes away: the box sends what it has credits for"
stop_central
until_true 60 "the box does not see that it is offline" link_is offline
for i in 2 3 4; do "$bin/cellpost" send --wait=delivered --timeout 60 "+4071100000$i" "Paid while offline, number $i"; done
offline_micro=$(box_has captured_micro)
offline_told_micro=$(account_has captured_micro)
"$bin/cellpost" balance

heading "The account comes back: what was spent is told"
start_central
until_true 90 "the box does not come back online" link_is online
until_true 60 "the box does not tell what it spent" all_told
"$bin/cellpost" balance
account box list

heading "What must be true"
sum=$(($(account_has available_micro) + $(account_has leased_micro) + $(account_has suspense_micro) + $(account_has captured_micro)))
check "4 parts on the air, each once" test "$(on_air)" -eq 4
check "4 parts paid: 0.2 credits on the box" test "$(box_has captured_micro)" -eq 200000
check "0.2 credits at the account, too" test "$(account_has captured_micro)" -eq 200000
check "while offline the box spent what the account did not know of yet" test "$offline_micro" -gt "$offline_told_micro"
check "no credit is lost: available + in boxes + spent = 10" test "$sum" -eq 10000000
check "the account's books are right" account check
account account show shop
[ "$failed" = no ] || die "not everything worked"
printf '\nAll of it was seen to work.\n'
[ "$once" = no ] || exit 0
cat <<TEXT

== It runs. In another terminal:

  export CELLPOST_SOCKET=$socket PATH=$bin:\$PATH
  cellpost send +40700000001 'Paid by the account' --wait
  cellpost balance                                            # credits here, and how it stands with the account
  cellpost ledger                                             # each movement
  cellpost-central account show shop --state $dir/central
  cellpost-central box list --state $dir/central

Ctrl-C ends it$([ "$keep" = yes ] || echo " and removes $dir").
TEXT
wait -n "${pids[@]}" || true
die "a program has ended"
