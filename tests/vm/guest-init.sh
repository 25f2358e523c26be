#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guest's process 1: runs /job/run.sh, writes its output and status beside it, switches the machine off. /job is written
# through to the host with every write(), so what is there survives a killed machine.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
ip link set lo up
# vm.udev on the kernel's command line: device nodes, links and properties as on a real box.
if grep -q 'vm\.udev' /proc/cmdline; then
  /lib/systemd/systemd-udevd --daemon
  udevadm trigger --action=add
  udevadm settle --timeout=60
fi
cd /job || echo b >/proc/sysrq-trigger
sh ./run.sh >output 2>&1
echo $? >status
sync
# The minimal guest has no poweroff; qemu ends instead of restarting (-no-reboot).
echo b >/proc/sysrq-trigger
