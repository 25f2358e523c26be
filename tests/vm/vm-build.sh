#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes what tests/vm/vm-run.sh boots: a Debian kernel, an initrd and a guest root, in a folder that is kept.
#   tests/vm/vm-build.sh [--work DIR]       default build/vm, about 800 MiB
# What is there already is not made again; a change of the lists below makes the guest anew. Needs Debian, root (or sudo)
# and the mirror that apt on this machine uses; no other network. Status 77: this machine cannot do it, and why is said.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib.sh

# Of the machine that tests; none of it is needed to build Cellpost.
host_packages=(qemu-system-x86 seabios ipxe-qemu debootstrap busybox-static cpio kmod e2fsprogs)
# Of the guest, beside the libraries that Cellpost stands on.
guest_packages=(udev kmod iproute2 e2fsprogs procps gpiod)
# What the initrd must load before it can mount the guest root and a disk.
modules=(virtio_pci 9pnet_virtio 9p overlay virtio_blk ext4)

cannot() {
  printf '%s: no virtual machine on this computer: %s\n' "${0##*/}" "$*" >&2
  exit 77
}

work=build/vm
while [ $# -gt 0 ]; do
  case $1 in
    --work) [ $# -ge 2 ] || die "--work needs a folder"; work=$2; shift 2 ;;
    *) sed -n '3,6s/^# //p' "$0" >&2; die "'$1' is no option" ;;
  esac
done
mkdir -p "$work"
work=$(cd "$work" && pwd)

[ "$(uname -m)" = x86_64 ] || cannot "the guest is an amd64 Debian, this is $(uname -m)"
command -v dpkg-query >/dev/null || cannot "kernel and guest are made of Debian packages, and this is not Debian"
[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || cannot "it needs root to unpack a guest, and there is no sudo"
(install_packages "${host_packages[@]}") || cannot "qemu and what else it takes cannot be installed (${host_packages[*]})"

# The mirror and the release are those of this machine, so that the libraries fit the programs built here.
suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
# shellcheck disable=SC2016 # apt's own words
mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' |
  awk -v suite="$suite" '$1 == suite && $2 == "main" { print $3; exit }')
[ -n "$mirror" ] || cannot "apt knows no mirror of Debian '$suite'"
# shellcheck disable=SC2046 # words, one a package
libraries=$(apt-cache depends $(scripts/packages | grep -E '^lib.*-dev$' | grep -v clang) |
  sed -n 's/^ *Depends: \(lib[^<: ]*\)$/\1/p' | grep -v -e '-dev$' | sort -u | tr '\n' ' ')
kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
[ -n "$kernel" ] || cannot "apt knows no kernel package (linux-image-amd64)"
version=${kernel#linux-image-}

# made NAME WORDS...: was NAME made of exactly these?
made() { [ -f "$work/$1.made-of" ] && [ "$(cat "$work/$1.made-of")" = "${*:2}" ]; }
is_made() { printf '%s' "${*:2}" >"$work/$1.made-of"; }

# shellcheck disable=SC2086 # words, one a package
include=$(printf '%s\n' "${guest_packages[@]}" $libraries | paste -sd,)
if ! made guest "$suite $include $kernel"; then
  heading "Guest: Debian $suite"
  rm -f "$work/guest.made-of"
  as_root rm -rf "$work/guest.new" "$work/guest"
  as_root debootstrap --variant=minbase --include="$include" "$suite" "$work/guest.new" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 5 "$work/debootstrap.log" >&2; cannot "debootstrap failed (all of it: $work/debootstrap.log)"; }
  heading "Kernel: $kernel"
  mkdir -p "$work/kernel"
  (cd "$work/kernel" && rm -f ./*.deb && apt-get -q download "$kernel" >download.log 2>&1) ||
    { tail -n 5 "$work/kernel/download.log" >&2; cannot "the kernel package could not be fetched"; }
  # Into /usr, where /lib points to: dpkg-deb would replace the link by a folder.
  as_root mkdir "$work/guest.new/tmp/kernel"
  as_root dpkg-deb -x "$work/kernel/$kernel"_*.deb "$work/guest.new/tmp/kernel"
  as_root mv "$work/guest.new/tmp/kernel/lib/modules" "$work/guest.new/usr/lib/"
  as_root install -m 644 "$work/guest.new/tmp/kernel/boot/vmlinuz-$version" "$work/vmlinuz"
  as_root rm -rf "$work/guest.new/tmp/kernel" "$work/kernel" "$work/guest.new"/var/cache/apt/archives/*.deb
  as_root depmod -b "$work/guest.new" "$version"
  as_root mkdir -p "$work/guest.new/job"
  mv "$work/guest.new" "$work/guest" 2>/dev/null || as_root mv "$work/guest.new" "$work/guest"
  is_made guest "$suite $include $kernel"
fi

heading "Initrd"
initrd=$(mktemp -d)
trap 'rm -rf "$initrd"' EXIT
mkdir -p "$initrd"/{bin,modules,proc,sys,dev,root,ram}
cp /bin/busybox "$initrd/bin/"
for module in "${modules[@]}"; do
  /sbin/modprobe -d "$work/guest" -S "$version" --show-depends "$module" || die "the kernel has no module $module"
done | sed -n 's/^insmod //p' | awk '!seen[$1]++ { print $1 }' >"$initrd/list"
while read -r path; do
  cp "$path" "$initrd/modules/"
  printf '%s\n' "${path##*/}"
done <"$initrd/list" >"$initrd/modules/order"
rm "$initrd/list"
cp tests/vm/guest-initrd.sh "$initrd/init"
cp tests/vm/guest-init.sh "$initrd/guest-init"
chmod 755 "$initrd/init" "$initrd/guest-init"
(cd "$initrd" && find . | cpio -o -H newc --quiet -R 0:0) | gzip -1 >"$work/initrd.new"
mv "$work/initrd.new" "$work/initrd"
heading "Ready: $work ($(du -sh "$work" 2>/dev/null | cut -f 1))"
