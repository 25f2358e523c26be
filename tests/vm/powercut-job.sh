#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The job of scripts/powercut in the machine. `parameters` beside it says which start this is.
. ./parameters
mkdir /disk
if ! mount -t ext4 /dev/vda /disk; then
  dmesg | tail -n 5
  echo "guest failed: the file system does not mount" >/dev/ttyS1
  exit 1
fi
dmesg | grep -i 'ext4-fs'
# shellcheck disable=SC2154 # of the parameters
./bin/powercut_guest /job /disk/state /dev/ttyS1 "$boot" "$seed" "$part" $preload || {
  echo "guest failed: powercut_guest ended with $?, see output" >/dev/ttyS1
  exit 1
}
