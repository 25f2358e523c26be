#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The job of scripts/powercut in the machine. `parameters` beside it says which start this is.
# shellcheck disable=SC1091
. ./parameters
mkdir /disk
if ! mount -t ext4 /dev/vda /disk; then
  dmesg | tail -n 5
  echo "guest failed: the file system does not mount" >/dev/ttyS1
  exit 1
fi
dmesg | grep -i 'ext4-fs'
# shellcheck disable=SC2154,SC2086 # of the parameters; preload may be none
./bin/powercut_guest /job /disk/state /dev/ttyS1 "$boot" "$seed" "$modems" "$part" $preload || {
  echo "guest failed: powercut_guest ended with $?, see output" >/dev/ttyS1
  exit 1
}
