#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The shape of docs/architecture.md, proved on what was built: what decides (src/, drivers/, hal/sim) has no way to reach
# a file, a clock, a thread, a random number or another process; arrows between folders point one way; every file says
# its licence. Usage: tests/system/test_shape.sh BIN_DIR
set -euo pipefail
export LC_ALL=C
bin=${1:?usage: test_shape.sh BIN_DIR}
build=$(cd "$bin/.." && pwd)
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

complain() {
  printf '%s\n' "$*" >&2
  failures=$((failures + 1))
}

# -- what an object may ask of the C library: what computes, and nothing else ---------------------------------

allowed_everywhere='
  memchr memcmp memcpy memmove memset bcmp
  strlen strnlen strcmp strncmp strcpy strncpy strcat strncat strchr strrchr strstr strspn strcspn strpbrk strcasecmp strncasecmp
  strdup strndup strtok_r stpcpy stpncpy strerror
  strtol strtoul strtoll strtoull strtod __isoc(99|23)_(sscanf|strto[a-z]+) sscanf
  snprintf vsnprintf __(mem|str|stp)[a-z]+_chk __v?snprintf_chk
  is(alnum|alpha|cntrl|digit|graph|lower|print|punct|space|upper|xdigit) tolower toupper
  __ctype_(b|tolower|toupper)_loc
  malloc calloc realloc reallocarray free
  qsort bsearch abs labs llabs div ldiv lldiv
  (sqrt|cbrt|pow|exp|exp2|expm1|log|log2|log10|log1p|sin|cos|tan|atan|atan2|floor|ceil|round|lround|llround|trunc|rint|lrint|fabs|fmod|hypot|fmin|fmax|ldexp|frexp|erf|erfc)[fl]?
  __assert_fail __stack_chk_fail __errno_location _GLOBAL_OFFSET_TABLE_
  __[a-z]+[dst]i[0-9]
  __(asan|ubsan|sanitizer|sancov|start___sancov|stop___sancov)_[A-Za-z0-9_]+
'
# Libraries, for those modules whose work they are: JSON for the API, SQLite for the store.
# shellcheck disable=SC2034 # read by name in forbidden()
allowed_api='json_[a-z_0-9]+ mbedtls_(sha256|md|platform_zeroize|ct)[a-z_0-9]*'
# shellcheck disable=SC2034 # no source of random numbers: who signs hands one in
allowed_credit='mbedtls_(sha256|md|mpi|ecp|ecdsa)_?[a-z_0-9]*'
# shellcheck disable=SC2034
allowed_sync='json_[a-z_0-9]+ mbedtls_base64_(en|de)code'
# shellcheck disable=SC2034
allowed_store='sqlite3_[a-z_0-9]+'
# The one file in C++: libphonenumber's two classes, the strings it takes, and what the compiler makes of try and catch.
# (ios_base::Init is in every object that sees <iostream>, as that library's headers do; it writes nothing.)
# shellcheck disable=SC2034
allowed_number_phone='
  _ZNK?4i18n12phonenumbers(11PhoneNumber|15PhoneNumberUtil)[A-Za-z0-9_]+ _ZT[ISV]N4i18n12phonenumbers[A-Za-z0-9_]+
  _ZNK?St7__cxx1112basic_string[A-Za-z0-9_]+ _ZNSaIc[A-Za-z0-9_]+ _ZNSt8ios_base4Init[CD][12]Ev _ZSt[0-9]+__throw_[a-z_]+PKcz?
  _ZdlPv[mj]? _Znw[mj] _ZTVN10__cxxabiv1[A-Za-z0-9_]+ _ZSt9terminatev
  __cxa_(begin_catch|end_catch|rethrow|atexit) __dso_handle (DW\.ref\.)?__gxx_personality_v0 _Unwind_Resume __clang_call_terminate
'
# What these libraries have that is not computation; stronger than what is allowed above.
refused='json_(load|dump)(_file|f|fd|_callback_fd) mbedtls_md_file sqlite3_(sleep|randomness|os_init|enable_load_extension|load_extension)'

# Words, one pattern each, to one line of grep -E that matches whole symbols.
pattern() {
  printf '^(%s)$' "$(printf '%s ' "$@" | tr -s ' \n' '|' | sed 's/^|//; s/|*$//')"
}

# "object symbol" for every symbol the objects of a file need from elsewhere, "symbol" for each they define.
needed() {
  nm --undefined-only --format=posix -A "$1" 2>/dev/null |
    awk -F ': ' '{ object = $1; sub(/^.*\[/, "", object); sub(/\]$/, "", object); sub(/^.*\//, "", object); split($2, rest, " "); print object, rest[1] }' | sort -u
}
defined() { nm --defined-only --extern-only --format=posix "$1" 2>/dev/null | awk 'NF > 1 { print $1 }' | sort -u; }

# Prints "object symbol" for all that the module may not have. $1: objects or archive, $2: module, $3: our own symbols.
forbidden() {
  local extra="allowed_$2"
  needed "$1" | awk -v own="$3" -v allow="$(pattern "$allowed_everywhere" "${!extra:-}")" -v refuse="$(pattern "$refused")" '
    BEGIN { while ((getline symbol < own) > 0) ours[symbol] = 1 }
    $2 ~ refuse || (!($2 in ours) && $2 !~ allow) { print }'
}

# -- the checker itself: it must refuse each of these, and accept what computes --------------------------------

: >"$scratch/none"
self_test() {   # expected symbol ("" none), module, C code
  local found
  printf '%s\n' "$3" >"$scratch/probe.c"
  ${CC:-cc} -std=gnu11 -O1 -w -fno-builtin -c "$scratch/probe.c" -o "$scratch/probe.o"
  found=$(forbidden "$scratch/probe.o" "$2" "$scratch/none" | awk '{ print $2 }' | tr '\n' ' ')
  [ "${found% }" = "$1" ] || complain "the checker is wrong itself: found \"${found% }\" instead of \"$1\" in: $3"
}
self_test clock_gettime sms '#include <time.h>
int f(struct timespec *t) { return clock_gettime(0, t); }'
self_test time sms '#include <time.h>
long f(void) { return time(0); }'
self_test open sms '#include <fcntl.h>
int f(const char *p) { return open(p, 0); }'
self_test fopen sms '#include <stdio.h>
void *f(const char *p) { return fopen(p, "r"); }'
self_test printf sms '#include <stdio.h>
int f(int n) { return printf("%d", n); }'
self_test stderr sms '#include <stdio.h>
void *f(void) { return stderr; }'
self_test pthread_create sms '#include <pthread.h>
int f(pthread_t *t, void *(*g)(void *)) { return pthread_create(t, 0, g, 0); }'
self_test rand sms '#include <stdlib.h>
int f(void) { return rand(); }'
self_test getrandom sms '#include <sys/random.h>
long f(void *p) { return getrandom(p, 8, 0); }'
self_test getenv sms '#include <stdlib.h>
char *f(void) { return getenv("TZ"); }'
self_test "fork system" sms '#include <unistd.h>
#include <stdlib.h>
int f(void) { return fork() + system("id"); }'
self_test "read usleep" sms '#include <unistd.h>
long f(char *p) { usleep(1); return read(0, p, 1); }'
self_test sqlite3_step sms 'int sqlite3_step(void *); int f(void *p) { return sqlite3_step(p); }'
self_test sqlite3_sleep store 'int sqlite3_step(void *); int sqlite3_sleep(int); int f(void *p) { return sqlite3_step(p) + sqlite3_sleep(1); }'
self_test _ZNSt6thread5_M_runEv number_phone 'void _ZNSt6thread5_M_runEv(void); void f(void) { _ZNSt6thread5_M_runEv(); }'
self_test json_load_file api 'void *json_load_file(const char *), *json_object(void); void *f(void) { return json_load_file("x") ? json_object() : 0; }'
self_test "" sms '#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int f(char *p, const char *q) { assert(p); memcpy(p, q, strlen(q)); return snprintf(p, 9, "%d", isdigit(*q)) + (int)pow(strtol(q, 0, 10), 2); }'

# -- what was built -------------------------------------------------------------------------------------------

modules=()   # "name folder"
for folder in src/* drivers/* hal/sim; do
  name=${folder##*/}
  [ "$folder" != hal/sim ] || name=hal_sim
  ! compgen -G "$folder/*.c" >/dev/null || modules+=("$name $folder")
done
[ ${#modules[@]} -ge 5 ] || complain "found ${#modules[@]} modules only: is this the repository?"

# The archive that has all the C of a folder. Numbers have two backends: the C is in one, the shim to C++ is looked at below.
archive_of() {
  case $1 in
    number) printf '%s' "$build/libcellpost_number_rules.a" ;;
    *) printf '%s' "$build/libcellpost_$1.a" ;;
  esac
}

for module in "${modules[@]}"; do
  read -r name folder <<<"$module"
  archive=$(archive_of "$name")
  [ -f "$archive" ] || { complain "$archive is not there, though $folder has sources"; continue; }
  defined "$archive" >>"$scratch/ours"
done
sort -u -o "$scratch/ours" "$scratch/ours"

objects=0
for module in "${modules[@]}"; do
  read -r name folder <<<"$module"
  archive=$(archive_of "$name")
  [ -f "$archive" ] || continue
  built=$(ar t "$archive" | wc -l)
  written=$(find "$folder" -maxdepth 1 -name '*.c' | wc -l)
  objects=$((objects + built))
  [ "$built" -eq "$written" ] || complain "$archive has $built objects, $folder has $written sources: build again"
  while read -r object symbol; do
    complain "$folder: $object uses $symbol, which is I/O or not known to be computation (see style.md 1: turn it into an argument)"
  done < <(forbidden "$archive" "$name" "$scratch/ours")
done

if [ -f "$build/libcellpost_number.a" ]; then
  (cd "$scratch" && ar x "$build/libcellpost_number.a" number_phone.cc.o)
  objects=$((objects + 1))
  while read -r object symbol; do
    complain "src/number: $object uses $symbol, which is not libphonenumber and not known to be computation"
  done < <(forbidden "$scratch/number_phone.cc.o" number_phone "$scratch/ours")
fi
[ "$(find src drivers hal/sim -name '*.cc' | tr '\n' ' ')" = "src/number/number_phone.cc " ] || complain "there is C++ beside src/number/number_phone.cc"

# -- arrows between folders: firmware -> src, drivers, hal; drivers -> hal contracts, src/base, src/sms; src -> src ----

arrows() {   # folder, pattern of what it may not include
  local found
  while IFS= read -r found; do
    complain "an arrow points the wrong way: $found"
  done < <(grep -rnE --include='*.[ch]' --include='*.cc' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($2)" "$1" || true)
}
arrows src '(drivers|hal|firmware|tests)/'
arrows drivers '(firmware|tests)/|hal/[a-z]+/|src/(api|gateway|store|queue|routing|credit|sync)/'
arrows hal '(firmware|tests|drivers)/|src/(api|gateway|store|queue|routing|credit|sync)/'
mkdir -p "$scratch/wrong/src"
printf '#include "hal/line.h"\n' >"$scratch/wrong/src/probe.c"
before=$failures
arrows "$scratch/wrong/src" '(drivers|hal|firmware|tests)/' 2>/dev/null
if [ "$failures" -eq $((before + 1)) ]; then failures=$before; else complain "the check of arrows does not see a wrong one"; fi

# -- licences -------------------------------------------------------------------------------------------------

sources=0
while IFS= read -r file; do
  sources=$((sources + 1))
  # The first line, or the second where the first says which interpreter or that what follows is XML.
  head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || complain "$file: its first line has no SPDX-License-Identifier"
done < <(find CMakeLists.txt cmake src drivers hal firmware scripts config tests .ci \
  \( -name '*.[ch]' -o -name '*.cc' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt -o -path 'config/*.ini' -o -path 'scripts/*' -o -path '.ci/*' \) \
  -type f ! -path '*/corpus/*' 2>/dev/null)
[ "$sources" -ge 50 ] || complain "looked at $sources files only: is this the repository?"

if [ "$failures" -gt 0 ]; then
  printf '%d things are out of shape\n' "$failures" >&2
  exit 1
fi
printf '%d objects of %d modules compute and do nothing else; %d files looked at\n' "$objects" "${#modules[@]}" "$sources"
