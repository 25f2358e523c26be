#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots the machine that tests/vm/vm-build.sh made and runs JOB/run.sh in it as root.
#   tests/vm/vm-run.sh [--work DIR] --job DIR [--timeout S] [--memory MiB] [--pidfile F] [--events F] [--append WORDS] [-- QEMU ARGUMENTS]
# The job folder is /job in the guest, read and write; a write() there is on this side when it returns. In the end it holds
# output, status and console. --events: what the guest writes to /dev/ttyS1 is written to this file or fifo.
# --append: more words of the kernel's command line; vm.udev starts udev. --accel kvm where there is a KVM that works.
# Status: that of the job; 124: the time is over; 125: the machine ended without one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 125; }

work=$here/../../build/vm job='' timeout_s=300 memory=768 pidfile='' events=null append='' accel=tcg,thread=multi cpu=max
while [ $# -gt 0 ]; do
  case $1 in
    --work) work=$2; shift 2 ;;
    --job) job=$2; shift 2 ;;
    --timeout) timeout_s=$2; shift 2 ;;
    --memory) memory=$2; shift 2 ;;
    --pidfile) pidfile=$2; shift 2 ;;
    --events) events=file,path=$2,append=on; shift 2 ;;
    --append) append=$2; shift 2 ;;
    --accel) accel=$2; shift 2 ;;
    --) shift; break ;;
    *) sed -n '3,8s/^# //p' "$0" >&2; die "'$1' is no option" ;;
  esac
done
[ -f "$work/initrd" ] || die "$work: no machine there; tests/vm/vm-build.sh --work $work makes it"
[ -f "$job/run.sh" ] || die "$job: there is no run.sh"
[ "${accel%%,*}" != kvm ] || cpu=host
job=$(cd "$job" && pwd)
rm -f "$job/status" "$job/output" "$job/console"

# shellcheck disable=SC2054 # the commas are of qemu
arguments=(
  -name cellpost-test -machine pc -accel "$accel" -cpu "$cpu" -smp 2 -m "$memory" -nodefaults -no-user-config -no-reboot
  -display none -monitor none -nic none
  -kernel "$work/vmlinuz" -initrd "$work/initrd" -append "console=ttyS0 quiet panic=-1 mitigations=off $append"
  -serial "file:$job/console" -chardev "${events%%,*},id=events${events#"${events%%,*}"}" -serial chardev:events
  -fsdev "local,id=guest,path=$work/guest,security_model=none,readonly=on" -device virtio-9p-pci,fsdev=guest,mount_tag=guest
  -fsdev "local,id=job,path=$job,security_model=none,multidevs=remap" -device virtio-9p-pci,fsdev=job,mount_tag=job
)
[ -z "$pidfile" ] || arguments+=(-pidfile "$pidfile")
status=0
timeout --signal=KILL "$timeout_s" qemu-system-x86_64 "${arguments[@]}" "$@" || status=$?
[ ! -f "$job/status" ] || exit "$(cat "$job/status")"
[ "$status" -ne 137 ] || exit 124
exit 125
