#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each verb of cellpost-central with right and wrong input, on SQLite, beside a server that runs. What is refused says what to do
# next and changes nothing. The box is curl and openssl: what it says is written down here a second time, from docs/sync.md and
# the headers of src/credit, not taken from the program. Usage: tests/system/test_central_cli.sh BIN_DIR
set -euo pipefail
export LC_ALL=C.UTF-8
bin=${1:?usage: test_central_cli.sh BIN_DIR}
for tool in curl openssl sqlite3; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed"; exit 77; }
done
dir=$(mktemp -d)
server=
stop() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" || true
  fi
  rm -rf "$dir"
}
trap stop EXIT
state=$dir/state
said=

fail() {
  printf 'FAILED: %s\n' "$*"
  printf -- '--- it printed\n%s\n--- log of the server\n' "$said"
  cat "$dir/server.log" 2>/dev/null || true
  exit 1
}

# -- running it -----------------------------------------------------------------------------------------------------------

# Exit status and words are what scripts and people rely on.
run() {   # status argument...
  local wanted=$1 status=0
  shift
  said=$("$bin/cellpost-central" "$@" --state "$state" 2>&1) || status=$?
  [ "$status" -eq "$wanted" ] || fail "\"$*\" ends with $status instead of $wanted"
}
says() { grep -qE -- "$1" <<<"$said" || fail "it does not say \"$1\""; }
silent_on() { ! grep -qE -- "$1" <<<"$said" || fail "it says \"$1\""; }

# All that there is, but for the times at which boxes were heard.
books() {
  sqlite3 -readonly "$state/central.db" \
    'SELECT * FROM account; SELECT hex(id), label, state, epoch, chain, lease_max_micro, last_command, alarms FROM box; SELECT hex(box), * FROM lease;
     SELECT * FROM posting; SELECT count(*) FROM token; SELECT count(*) FROM command; SELECT version, row_count FROM price; SELECT count(*) FROM entry;'
}
refused() {   # status, what it says, argument...
  local status=$1 words=$2 before
  shift 2
  before=$(books)
  run "$status" "$@"
  says "$words"
  [ "$(books)" = "$before" ] || fail "\"$*\" was refused and changed the books"
}
number_of() { grep -o "\"$1\": *-\{0,1\}[0-9]*" | head -n 1 | grep -o -- '-\{0,1\}[0-9]*$'; }
text_of() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }
json() { run 0 "$@" --json; }
has() { [ "$(number_of "$1" <<<"$said")" = "$2" ] || fail "$1 is not $2"; }
right() { run 0 check; says '^faults +0$'; }

# -- the command line as a whole ---------------------------------------------------------------------------------------------

run 0 --help
for verb in 'account create' 'account fund' 'account payout' 'account show' 'account list' 'account statement' 'box enroll' 'box list' 'box show' \
            'box freeze' 'box set' 'box alarms' 'box unfreeze' 'box reincarnate' 'box write-off' 'box refund' 'price import' 'price show' check serve; do
  says "^  $verb"
  # shellcheck disable=SC2086 # two words
  "$bin/cellpost-central" $verb --help | grep -q "^usage: cellpost-central $verb" || fail "$verb --help tells nothing"
done
run 2 nonsense
says 'there is no "nonsense"'
run 2 box nonsense
says '"box" does not know "nonsense"'
run 2 account
says 'does not know what to do'
run 2 account show
says 'it takes: account show NAME'
run 2 account list --used 3
run 3 account list --db /proc/none/central.db
says 'is named with --db'
printf '[central]\nstate = %s\nlease = 30d\nshoe = 9\n' "$state" >"$dir/wrong.ini"
run 2 account list --config "$dir/wrong.ini"
says "wrong.ini:4: .*shoe is not known"

# -- accounts --------------------------------------------------------------------------------------------------------------------

run 0 account list
says 'There is no account yet: "cellpost-central account create NAME"'
run 0 account create shop
says 'account fund shop CREDITS'
run 0 account create 'Büro Süd'
refused 1 'There is an account of this name' account create shop
refused 1 'control characters' account create ''
refused 1 'control characters' account create $'a\nb'
refused 1 'up to 63 octets' account create "$(printf 'x%.0s' {1..64})"
run 0 account fund shop 10 --note 'bank transfer 4711'
says '^available +10$'
run 0 account fund shop 0.000001
run 0 account payout shop 0.000001
json account show shop
has available_micro 10000000
has funded_micro 10000001
has paid_out_micro 1
refused 1 'account list' account fund nobody 5
refused 1 'more than 0' account fund shop 0
refused 2 'is negative' account fund shop -5
refused 2 'is negative' account fund shop -0.5
refused 2 "'ten'" account fund shop ten
refused 2 "'1.0000001'" account fund shop 1.0000001
refused 2 "'1,5'" account fund shop 1,5
refused 2 '99999999999' account fund shop 99999999999
refused 2 '' account fund shop
refused 1 'notes up to 127' account fund shop 1 --note "$(printf 'x%.0s' {1..128})"
refused 1 'So much is not available' account payout shop 10.000001
refused 1 'account list' account payout nobody 1
refused 1 'account list' account show nobody
refused 1 'account list' account statement nobody
run 0 account statement shop
says 'funding +10\.00 .*bank transfer 4711'
json account statement shop
[ "$(grep -o '"number"' <<<"$said" | wc -l)" -eq 3 ] || fail "a statement has each posting"
run 0 account list
says '^Büro Süd +0\.00 '
right

# -- prices ----------------------------------------------------------------------------------------------------------------------

refused 1 'price import FILE' price show
printf 'prefix,price,price_ucs2\n40,0.05,0.06\n*,0.20,\n900,refused,\n' >"$dir/prices.csv"
refused 2 'nothing.csv cannot be read' price import "$dir/nothing.csv"
refused 2 'cannot be read' price import "$dir"
printf 'prefix,price\n40,0.05\n41,-3\n4x,1\n' >"$dir/wrong.csv"
refused 1 'wrong.csv:3:price: ' price import "$dir/wrong.csv"
says 'wrong.csv:4:prefix: '
printf 'prefix,cost\n40,0.05\n' >"$dir/wrong.csv"
refused 1 'wrong.csv:1:' price import "$dir/wrong.csv"
: >"$dir/wrong.csv"
refused 1 'wrong.csv' price import "$dir/wrong.csv"
refused 1 'one that comes next' price import "$dir/prices.csv" --number 7
refused 2 "'0' is not a whole number" price import "$dir/prices.csv" --number 0
run 0 price import "$dir/prices.csv"
says 'Version 1 with 3 prefixes'
before=$(books)
run 0 price import "$dir/prices.csv"
says 'Version 1 is this table already'
[ "$(books)" = "$before" ] || fail "the same file again is a new version"
json price show
has version 1
has rows 3
run 0 price show 1 --csv
[ "$said" = "$(cat "$dir/prices.csv")" ] || fail "price show --csv is not the file"
refused 1 'there is no such version' price show 2
refused 2 "'x' is not a whole number" price show x

# -- a server, and a box that joins ------------------------------------------------------------------------------------------------

mkfifo "$dir/ready"
"$bin/cellpost-central" serve --state "$state" --tls-name 127.0.0.1 --listen 127.0.0.1:0 --json >"$dir/ready" 2>"$dir/server.log" &
server=$!
exec 3<"$dir/ready"
read -r ready <&3 || fail "the server does not start"
url=https://127.0.0.1:$(number_of port <<<"$ready")

refused 1 'account list' box enroll nobody --label x
refused 2 'is not a time' box enroll shop --valid soon
refused 2 'is not a time' box enroll shop --valid 2000d
refused 2 'is negative' box enroll shop --lease-max -1
refused 1 'more than 0' box enroll shop --lease-max 0
refused 1 'control characters' box enroll shop --label ''
refused 2 'https://' box enroll shop --url http://plain
run 0 box list
says 'There is no box yet'
run 0 box enroll shop --label 'first box' --url "$url"
says "^  cellpost enroll [0-9a-f]{32} --url $url --pin [0-9a-f]{64}\$"
json box enroll shop --label 'first box' --lease-max 2 --url "$url"
token=$(text_of token <<<"$said")
pin=$(text_of pin <<<"$said")
[ "$(text_of pin <<<"$ready")" = "$pin" ] || fail "the token comes with another pin than the server's"
authority=$(openssl x509 -in "$state/keys/ca.pem" -pubkey -noout | openssl pkey -pubin -outform der | sha256sum)
[ "${authority%% *}" = "$pin" ] || fail "the pin is not that of the authority"
! sqlite3 -readonly "$state/central.db" 'SELECT * FROM token' | grep -q "$token" || fail "the token itself is kept"

call() {   # status, method, target, body
  local http
  http=$(curl -sS --max-time 30 --cacert "$state/keys/ca.pem" ${certified:+--cert "$dir/box.pem" --key "$dir/box.key"} -X "$2" \
    -H 'Content-Type: application/json' ${4:+--data-binary "$4"} -o "$dir/answer" -w '%{http_code}' "$url$3")
  said=$(cat "$dir/answer")
  [ "$http" -eq "$1" ] || fail "$2 $3 is answered with $http instead of $1"
}
digits() { openssl rand -hex "$1"; }
enrol() {   # token, status
  certified=
  openssl ecparam -name prime256v1 -genkey -noout -out "$dir/box.key"
  openssl req -new -key "$dir/box.key" -subj /CN=box -out "$dir/box.csr"
  call "$2" POST /v1/enroll "{\"protocol\":1,\"token\":\"$1\",\"nonce\":\"$(digits 16)\",\"csr\":\"$(sed 's/$/\\n/' "$dir/box.csr" | tr -d '\n')\",\"hw_fingerprint\":\"$(digits 32)\",\"version\":\"test\"}"
  [ "$2" -eq 200 ] || return 0
  text_of certificate <<<"$said" | sed 's/\\n/\n/g' >"$dir/box.pem"
  certified=yes
  box=$(text_of box_id <<<"$said")
  epoch=$(number_of epoch <<<"$said")
  seq=0
  head=$(printf '0%.0s' {1..64})
}
head_json() { printf '{"seq":%s,"hash":"%s"}' "$seq" "$head"; }
lease() {   # status, open lease
  call "$1" POST /v1/leases "{\"protocol\":1,\"epoch\":$epoch,\"request_id\":\"$(digits 16)\",\"want_micro\":100000000,\"head\":$(head_json),\"open_lease_id\":$2,\"last_lease_id\":$2}"
}
# shellcheck disable=SC2001,SC2059 # octets of hex: what is printed is its format
octets() { printf "$(sed 's/../\\x&/g' <<<"$1")"; }
sha256() { octets "$1" | sha256sum | cut -d ' ' -f 1; }
capture() {   # status, lease, message, micro, price row: one part that was sent (src/credit/journal.h)
  local from=$((seq + 1)) before=$head body
  body=$(printf '0101%016x%016x%016x01%08x%016x%08x%016x%032x%016x%016x' "$from" "$2" "$3" 1 "$4" "$5" 0 7 1000 1700000000000)
  seq=$from
  head=$(sha256 "$before$body")
  call "$1" POST /v1/usage "{\"protocol\":1,\"epoch\":$epoch,\"from_seq\":$from,\"prev_hash\":\"$before\",\"entries\":\"$(octets "$body" | base64 -w 0)\",\"head\":$(head_json),\"command\":0}"
}

enrol "$(digits 16)" 403
says '"code": *"bad_token"'
enrol "$token" 200
enrol "$token" 409
says '"code": *"token_used"'
run 0 box list
says "^[0-9a-f]{32} +first box +active "
json box enroll shop --label 'second box' --lease-max 2 --url "$url"
enrol "$(text_of token <<<"$said")" 200
first=$(sqlite3 -readonly "$state/central.db" "SELECT lower(hex(id)) FROM box WHERE label='first box'")
lease 200 0
capture 200 1 501 50000 1
capture 200 1 502 60000 1
json account show shop
has available_micro 8000000
has leased_micro 1890000
has captured_micro 110000
has boxes 2
right

# -- boxes by name, and what is shown ------------------------------------------------------------------------------------------------

for name in "$box" "${box:0:8}" 'second box' "$(tr a-f A-F <<<"$box")"; do
  json box show "$name"
  [ "$(text_of box <<<"$said" | head -c 32)" = "$box" ] || fail "$name is another box"
done
refused 1 'box list' box show "${box:0:3}"
refused 1 'box list' box show "${box}00"
refused 1 'box list' box show nothing
run 0 box show "$box"
says '^label +second box$'
says '^ +1 +open +2\.00 +0\.11 +1\.89 +0\.00 +0\.00 '
json box enroll shop --label 'second box' --url "$url"   # two of one name
enrol_again=$(text_of token <<<"$said")
keep="$box $epoch $seq $head"
cp "$dir/box.key" "$dir/kept.key"
cp "$dir/box.pem" "$dir/kept.pem"
enrol "$enrol_again" 200
refused 1 "may be any of 2 boxes" box show 'second box'
read -r box epoch seq head <<<"$keep"
cp "$dir/kept.key" "$dir/box.key"
cp "$dir/kept.pem" "$dir/box.pem"

# -- what a box may get ----------------------------------------------------------------------------------------------------------------

refused 2 'say what is to change' box set "$box"
refused 2 'is negative' box set "$box" --lease-max -1
refused 2 'box freeze' box set "$box" --lease-max 0
refused 1 'up to 63 octets' box set "$box" --label ''
refused 1 'box list' box set nothing --label x
run 0 box set "$box" --lease-max 3
run 0 box set "$box" --label 'third "box"'
run 0 box show 'third "box"'
says '^lease at most +3$'
says '^ +1 +open +2\.00 '
json box set "$box" --lease-max 2
has lease_max_micro 2000000

# -- refunds -------------------------------------------------------------------------------------------------------------------------

refused 1 'ledger' box refund "$box" 99
refused 2 "'0' is not a whole number" box refund "$box" 0
refused 2 'is negative' box refund "$box" -1
refused 2 "'x' is not a whole number" box refund "$box" x
refused 1 'ledger' box refund "$box" 1 --chain 2
refused 1 'ledger' box refund "$first" 1              # that of another box
refused 1 'box list' box refund nothing 1
run 0 box refund "$box" 2 --note 'never arrived'
says '^refunded +0\.06$'
refused 1 'taken back before' box refund "$box" 2
json account show shop
has available_micro 8060000
has captured_micro 50000
call 200 GET "/v1/commands?after=0&epoch=$epoch" ''
says '"refund"'
right

# -- alarms ----------------------------------------------------------------------------------------------------------------------------

run 0 box alarms
says 'There was no alarm'
refused 1 'box list' box alarms nothing
capture 200 1 504 1 1                                 # a price that is not the table's is booked, and noted
run 0 box alarms "$box"
says "^$box +1 .* price_differs +1 +3 +0\.000001\$"
says 'price_differs: .*box refund'
json box alarms
[ "$(grep -o '"kind": *"[a-z_]*"' <<<"$said")" = '"kind":"price_differs"' ] || fail "an alarm is not told to programs"
run 0 box alarms "$first"
says 'There was no alarm'
run 0 box refund "$box" 3

# -- freeze and unfreeze ---------------------------------------------------------------------------------------------------------------

run 0 box freeze "$box"
says 'stops spending'
before=$(books)
run 0 box freeze "$box"                               # so it is, as it was asked for
says 'before'
[ "$(books)" = "$before" ] || fail "a second freeze changes the books"
run 0 box list
says ' frozen '
lease 403 1
says '"code": *"frozen"'
capture 200 1 503 50000 1                             # what it had in hand is booked
run 0 box unfreeze "$box"
run 0 box unfreeze "$box"
says 'before'
lease 200 1
refused 1 'box list' box freeze nothing
right

# -- an old copy of the box: fenced; one machine becomes it again; what the old one had is settled ------------------------------------------

refused 1 'in suspense' box write-off "$box" 1 --used 0
refused 2 'used CREDITS' box write-off "$box" 1
seq=1
head=$(printf 'a%.0s' {1..64})
capture 409 1 600 50000 1
says '"code": *"fork"'
run 0 box show "$box"
says '^state +fenced$'
says '^alarms +2$'
run 0 box alarms
says ' fork '
says 'fork: .*box reincarnate'
refused 1 'reincarnate ID' box unfreeze "$box"
lease 403 1
says '"code": *"fenced"'
json account show shop
has leased_micro 0
has suspense_micro 3839999
refused 1 'is not over' box write-off "$box" 2 --used 0
refused 1 'box list' box reincarnate nothing
refused 2 'is not a time' box reincarnate "$box" --valid 0s
json box reincarnate "$box" --url "$url"
token=$(text_of token <<<"$said")
old=$box
enrol "$token" 200
[ "$box $epoch" = "$old 2" ] || fail "it did not become that box again"
lease 200 0
capture 200 3 501 50000 1
run 0 box refund "$box" 1 --chain 1                   # of the journal before
run 0 box refund "$box" 1
sqlite3 "$state/central.db" "PRAGMA busy_timeout=10000; UPDATE lease SET spend_until_ms=issued_ms, settle_until_ms=issued_ms WHERE id<3" >/dev/null
refused 1 'at most what is in suspense' box write-off "$box" 2 --used 2.000001
refused 2 'is negative' box write-off "$box" 2 --used -1
refused 1 'box show' box write-off "$box" 99 --used 0
refused 2 "'x' is not a whole number" box write-off "$box" x --used 0
run 0 box write-off "$box" 2 --used 0.5 --note 'by the log of its SIM'
says '^returned +1\.5$'
refused 1 'in suspense' box write-off "$box" 2 --used 0
run 0 box write-off "$box" 1 --used 1.839999
right
json account show shop
has suspense_micro 0

# -- damage ------------------------------------------------------------------------------------------------------------------------------

sqlite3 "$state/central.db" "PRAGMA busy_timeout=10000; UPDATE account SET available_micro=available_micro+1 WHERE name='shop'" >/dev/null
run 1 check
says 'account shop: what is available is not what its postings sum up to'
json_status=0
said=$("$bin/cellpost-central" check --json --state "$state") || json_status=$?
[ "$json_status" -eq 1 ] || fail "check --json ends with $json_status though the books are wrong"
sqlite3 "$state/central.db" "PRAGMA busy_timeout=10000; UPDATE account SET available_micro=available_micro-1 WHERE name='shop'" >/dev/null
right
mv "$state/keys" "$dir/keys"
refused 3 'take it from a backup' box enroll shop --label x
mv "$dir/keys" "$state/keys"
chmod 644 "$state/keys/account.key"
refused 3 'can be read by others' box freeze "$box"
chmod 600 "$state/keys/account.key"

# -- the end --------------------------------------------------------------------------------------------------------------------------------

kill "$server"
wait "$server" || fail "the server ends with $?"
server=
run 0 account list
echo "each verb did what it says, and nothing where it was refused"
