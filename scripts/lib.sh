# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share. Sourced, with the repository's root as working directory.

started_s=$SECONDS

# A heading with the time since the start: what is going on, and what took long.
heading() {
  local now_s=$((SECONDS - started_s))
  printf '\n== %s  [%d:%02d]\n' "$*" $((now_s / 60)) $((now_s % 60))
}

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Those of the named packages that are not installed, one a line.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  printf '%s\n' "$@" | grep -vxF -e "${installed:-none}" || true
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@"
}

# Installs what is missing of the named packages. It asks nothing, says what it installs, and is silent where there is
# nothing to do. Lists are fetched only when apt does not know a package, or knows a version that is gone by now.
install_packages() {
  local missing wanted log
  command -v dpkg-query >/dev/null || {
    printf 'This is not Debian: what is needed must be here already (scripts/packages lists it by Debian names).\n' >&2
    return 0
  }
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  wanted=$(printf '%s' "$missing" | tr '\n' ' ')
  heading "Installing packages that are missing: $wanted"
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
    die "installing them needs root, and there is no sudo here: install them as root, then start this again"
  log=$(mktemp)
  # shellcheck disable=SC2086 # words, one a package
  if { apt-cache show --no-all-versions $wanted >/dev/null 2>&1 && apt install --no-install-recommends $wanted; } >"$log" 2>&1 ||
     { apt update && apt install --no-install-recommends $wanted; } >>"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -n 15 "$log" >&2
  if grep -qE 'Could not resolve|Temporary failure resolving|Could not connect|Cannot initiate the connection|Failed to fetch' "$log"; then
    die "the packages could not be fetched: is there a network, and do the sources of apt answer? (all of it: $log)"
  fi
  die "apt-get could not install them (all of it: $log)"
}
