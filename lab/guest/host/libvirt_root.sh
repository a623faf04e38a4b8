#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# libvirt_root.sh ROOT-TAG TOOLBOX-TAG WORK-TAG VERB...: makes a root filesystem with libvirt the root of this mount
# namespace, and hands over to libvirt_drive.sh there, which the folder of the run has.  It must be the namespace's
# own root and no chroot: libvirt enters the namespaces that it makes for its domains, and finds itself at their root.
#
# All comes through 9p from the machine below: this root, the toolbox for the files of the TD in it, and the folder
# of the run, at /mnt.
set -eu
root=/libvirt
root_tag=$1 toolbox_tag=$2 work_tag=$3
shift 3

share() {
	mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$1" "$2" "$3"
}

# What libvirt writes to is in memory, and begins with what the packages brought.
in_memory() {
	mkdir /tmp/kept
	cp -a "$root$1/." /tmp/kept
	mount -t tmpfs tmpfs "$root$1"
	cp -a /tmp/kept/. "$root$1"
	rm -rf /tmp/kept
}

mkdir "$root" /toolbox
share ro,cache=loose "$root_tag" "$root"
share ro,cache=loose "$toolbox_tag" /toolbox
share cache=none "$work_tag" "$root/mnt"
mount --bind /toolbox/cache "$root/cache"
mount --bind /toolbox/src "$root/src"
mount --bind /dev "$root/dev"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/tmp"
for folder in /run /etc/libvirt /var/lib/libvirt /var/cache/libvirt; do
	in_memory "$folder"
done
# Its logs stay where they can be read however the run ends.
mkdir -p "$root/mnt/libvirt-log/qemu"
mount --bind "$root/mnt/libvirt-log" "$root/var/log/libvirt"
ip link set lo up
cd "$root"
mount --move . /
exec chroot . /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 sh /mnt/libvirt_drive.sh "$@"
