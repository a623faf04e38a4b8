#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# libvirt_drive.sh VERB...: starts libvirt as a Debian without systemd does, defines the domain "td", and does one
# VERB of virsh after the other to it.  After a verb that boots the TD, its own lines must say that it waits for
# somebody to press its button.  A JSON line tells what became of each step.
# shellcheck disable=SC2317,SC2329 # functions are handed to others, which call them
set -u
work=/mnt
lines=$work/guest-0.jsonl
qemu_pid=/run/libvirt/qemu/td.pid
qemu_log=/var/log/libvirt/qemu/td.log
# A TD on a slow machine may take so many seconds to boot, and libvirt or a TD to do anything else.
boot_seconds=900
other_seconds=300
boots=0
patient=

# tell STEP STATUS [MEMBERS]: one JSON line.
tell() {
	printf '{"libvirt": "%s", "status": %d, "uptime": %s%s}\n' "$1" "$2" "$(cut -d' ' -f1 /proc/uptime)" "${3-}"
}

# A connection is not to be cut because libvirt stands still for a while, see be_patient().
virsh() {
	command virsh --quiet --keepalive-interval 0 "$@"
}

finish() {
	[ "$1" = 0 ] || virsh destroy td >/dev/null 2>&1
	[ -z "$patient" ] || kill "$patient"
	/etc/init.d/libvirtd stop >/dev/null 2>&1
	/etc/init.d/virtlogd stop >/dev/null 2>&1
	exit "$1"
}

# must STEP COMMAND...: tell about it, with what it said in the folder of the run; nothing goes on without it.
must() {
	step=$1 status=0
	shift
	"$@" >"$work/$step.txt" 2>"$work/$step.err" </dev/null || status=$?
	tell "$step" "$status"
	[ "$status" = 0 ] || finish 1
}

# until_true SECONDS COMMAND...: try it again and again.
until_true() {
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 1
	done
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

# libvirt gives QEMU 15 seconds to end before it goes on with a reboot, 30 when it destroys a domain, and fails after
# that.  That is plenty on real hardware, but here, and all the more on a busy machine, taking the pages from a TD takes
# longer: time stands still for libvirt until QEMU, which says when it is told to end, is gone.
be_patient() {
	seen=0
	while sleep 0.2; do
		said=$(grep -c 'terminating on signal' "$qemu_log" 2>/dev/null)
		[ "${said:-0}" -gt "$seen" ] || continue
		seen=$said libvirtd=$(cat /run/libvirtd.pid) qemu=$(cat "$qemu_pid") || continue
		kill -STOP "$libvirtd"
		until_true "$other_seconds" is_gone "$qemu"
		kill -CONT "$libvirtd"
	done
}

waits_again() {
	[ "$(grep -c '"step": "waits"' "$lines")" -ge "$boots" ]
}

is_off() {
	[ "$(virsh domstate td 2>&1)" = "shut off" ]
}

# What the domain is now: its number, its state, and the process of its QEMU, with its command line and filter.
tell_domain() {
	pid=$(cat "$qemu_pid" 2>/dev/null)
	filter=$(sed -n 's/^Seccomp:\s*//p' "/proc/${pid:-none}/status" 2>/dev/null)
	[ -z "$pid" ] || tr '\0' '\n' <"/proc/$pid/cmdline" >"$work/td.argv"
	tell domain 0 ", \"id\": \"$(virsh domid td)\", \"state\": \"$(virsh domstate td)\", \
\"pid\": \"$pid\", \"filter\": \"$filter\""
}

# "press" is the button alone, for a TD that has an answer of its own to it: to boot again.
act() {
	verb=$1
	[ "$verb" != press ] || verb=shutdown
	must "$1" virsh "$verb" td
	case $1 in
	start | reboot | reset | press)
		boots=$((boots + 1))
		must "boot-$boots" until_true "$boot_seconds" waits_again
		;;
	destroy | shutdown)
		must off until_true "$other_seconds" is_off
		;;
	esac
	tell_domain
}

cat "$work/qemu.conf" >>/etc/libvirt/qemu.conf
cat "$work/libvirtd.conf" >>/etc/libvirt/libvirtd.conf
must virtlogd /etc/init.d/virtlogd start
must libvirtd /etc/init.d/libvirtd start
must version until_true "$other_seconds" virsh version --daemon
must domcapabilities virsh domcapabilities --virttype kvm --machine q35
be_patient &
patient=$!
must define virsh define --validate "$work/domain.xml"
for verb in "$@"; do
	act "$verb"
done
must undefine virsh undefine td
finish 0
