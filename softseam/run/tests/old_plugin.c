// SPDX-License-Identifier: GPL-2.0-only
/* What softseam-run sees of a plugin that is older than itself. */
extern int qemu_plugin_version;

int qemu_plugin_version = 6;
