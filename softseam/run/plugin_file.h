/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the plugin is, and whether it is one. */
#ifndef SOFTSEAM_PLUGIN_FILE_H
#define SOFTSEAM_PLUGIN_FILE_H

/*
 * The plugin's path from the root, for the caller to free: @given, or with NULL
 * what is found near this program.  Ends the program if there is none.
 */
char *plugin_file_find(const char *given);

/* Ends the program if it is no plugin, or one for another interface of QEMU. */
void plugin_file_check(const char *path);

#endif
