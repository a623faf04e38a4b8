#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Stands in for QEMU: answers as FAKE_* say, and shows its arguments.

case $1 in
--version)
	[ -z "$FAKE_KILLED" ] || kill -9 $$
	[ -z "$FAKE_ENDLESS" ] || exec yes
	echo "${FAKE_VERSION-QEMU emulator version 11.1.2 (Fake 1:11.1.2+ds-3)}"
	exit "${FAKE_VERSION_STATUS-0}"
	;;
-plugin)
	if [ -n "$FAKE_NO_PLUGINS" ]; then
		echo "qemu: plugin interface not enabled in this build" >&2
		exit 1
	fi
	echo "Plugin options"
	exit 0
	;;
esac

[ -z "$FAKE_SHOWS_PID" ] || echo "pid $$"
printf '<%s>\n' "$@"
exit "${FAKE_STATUS-0}"
