#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Another program than ours, gammu, identifies a modem of cellpost-modembank and sends through it; the bank's log says
# what really went out. $1: folder of the built programs. 77: gammu is not installed.
set -u
bin=$1
LC_ALL=C.UTF-8
export LC_ALL

if ! command -v gammu >/dev/null; then
    echo "gammu is not installed (apt install gammu)"
    exit 77
fi

dir=$(mktemp -d) || exit 1
bank=
stop()
{
    if [ -n "$bank" ]; then
        kill "$bank" 2>/dev/null
        wait "$bank" 2>/dev/null
    fi
    rm -rf "$dir"
}
trap stop EXIT
fail()
{
    echo "FAILED: $*"
    [ -z "$bank" ] || kill -0 "$bank" || echo "the bank is gone: somebody has stopped it"
    echo "--- log of the bank"; cat "$dir/log"
    echo "--- last words of gammu"; cat "$dir/said"
    exit 1
}

# The bank says when it is ready; opening the pipe waits for it.
mkfifo "$dir/out"
"$bin/cellpost-modembank" --count 1 --dir "$dir/modems" --log "$dir/log" --air-ms 20 --latency-ms 1 --report-ms 5 --quiet >"$dir/out" &
bank=$!
exec 3<"$dir/out"
read -r ready <&3
case $ready in
ready:*) ;;
*) echo "FAILED: the bank did not start: $ready"; exit 1 ;;
esac

cat >"$dir/gammurc" <<EOF
[gammu]
device = $dir/modems/modem0
connection = at115200
EOF
run()
{
    timeout 60 gammu -c "$dir/gammurc" "$@" >"$dir/said" 2>&1 || fail "gammu $*"
}
accepted()
{
    grep '"event":"accepted"' "$dir/log"
}
texts()
{
    accepted | tail -n "$1" | sed 's/.*"text":"\(.*\)","pdu":.*/\1/' | tr -d '\n'
}
expect()
{
    [ "$2" = "$3" ] || fail "$1: expected '$3', found '$2'"
}

# Who are you?
run identify
grep -q 'Manufacturer *: Cellpost' "$dir/said" || fail "no manufacturer"
grep -q 'IMEI *: 356938030000005' "$dir/said" || fail "no IMEI"
grep -q 'SIM IMSI *: 226010000000000' "$dir/said" || fail "no IMSI"

# One part.
run sendsms TEXT +40744123456 -text "Hello from gammu"
expect "parts of a short text" "$(accepted | wc -l)" 1
expect "short text" "$(texts 1)" "Hello from gammu"
accepted | grep -q '"to":"+40744123456","ref":null,"total":1,"seq":1' || fail "recipient of the short text"
grep -q 'message reference=0' "$dir/said" || fail "gammu did not get the reference"

# Several parts: one reference, in order, and together the text.
long=$(i=0; while [ $i -lt 40 ]; do printf 'Part of a long text %02d. ' $i; i=$((i + 1)); done)
long=${long% }
run sendsms TEXT +40744123456 -autolen 1000 -text "$long"
count=$(($(accepted | wc -l) - 1))
[ "$count" -gt 1 ] || fail "the long text went in $count part(s)"
expect "references of a long text" "$(accepted | tail -n "$count" | sed 's/.*"ref":\([0-9a-z]*\).*/\1/' | sort -u | wc -l)" 1
expect "order of the parts" "$(accepted | tail -n "$count" | sed 's/.*"seq":\([0-9]*\).*/\1/' | tr '\n' ' ')" "$(seq -s ' ' "$count") "
expect "long text" "$(texts "$count")" "$long"

# Outside the default alphabet.
run sendsms TEXT +40744123456 -unicode -text "Bună ziua, țară 👍"
expect "unicode text" "$(texts 1)" "Bună ziua, țară 👍"

# To its own number: it arrives, and gammu reads it from the SIM.
run sendsms TEXT +40700001000 -text "To myself"
grep -q '"event":"incoming".*"from":"+40700001000".*"text":"To myself"' "$dir/log" || fail "the message to itself did not arrive"
run getallsms
grep -q 'To myself' "$dir/said" || fail "gammu does not see the message"

kill "$bank"
wait "$bank" || fail "the bank ended with $?"
bank=
[ ! -e "$dir/modems/modem0" ] && [ ! -L "$dir/modems/modem0" ] || fail "the bank left its link behind"
echo "gammu identified the modem and sent $(accepted | wc -l) parts through it"
