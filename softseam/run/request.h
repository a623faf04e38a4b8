/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command line asks for. */
#ifndef SOFTSEAM_REQUEST_H
#define SOFTSEAM_REQUEST_H

#include <stdbool.h>

struct request {
	unsigned int cpus, sockets, nodes, memory_mb;
	bool tds, kernel_args, print, help;
	/* NULL: look for it. */
	const char *qemu, *plugin;
	/* NULL: not given. */
	const char *kernel, *initrd, *append;
	/* KEY=VALUE each. */
	char **seam;
	unsigned int nr_seam;
	/* For QEMU as they are; NULL comes last. */
	char **more;
};

/* --plugin none: the same machine on QEMU alone. */
bool request_has_plugin(const struct request *r);

/* The VALUE of an argument for the plugin, or NULL. */
const char *request_seam(const struct request *r, const char *key);

/*
 * Fills in @r, which keeps pointers into @argv, and whose seam is the caller's to
 * free.  Ends the program when something is wrong.
 */
void request_parse(struct request *r, int argc, char **argv);

#endif
