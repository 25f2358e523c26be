#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2015 # any of the three
# The initrd: loads what is needed to mount the guest root (9p, read only) under a file system in memory, then starts guest-init.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
while read -r module; do
  $b insmod "/modules/$module" || echo "initrd: $module does not load"
done </modules/order
$b mount -t tmpfs ram /ram
$b mkdir /ram/lower /ram/upper /ram/work
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose guest /ram/lower &&
  $b mount -t overlay -o lowerdir=/ram/lower,upperdir=/ram/upper,workdir=/ram/work overlay /root &&
  $b mount -t 9p -o rw,trans=virtio,version=9p2000.L,msize=262144,cache=none job /root/job || {
  echo "initrd: the guest root or the job cannot be mounted"
  $b poweroff -f
}
$b cp /guest-init /root/sbin/guest-init
for folder in proc sys dev; do $b mount -o move "/$folder" "/root/$folder"; done
exec $b switch_root /root /sbin/guest-init
