/* SPDX-License-Identifier: GPL-2.0 */
/* What TDs hold: KeyIDs, as the misc controller knows, and the kernel's memory. */
#ifndef TDX_HOST_CGROUP_H
#define TDX_HOST_CGROUP_H

#include <linux/types.h>

struct cgroup {
	char path[256];
	/* To go back to. */
	char home[256];
};

/*
 * Move this process to a new cgroup with the misc controller.  Returns NULL, or
 * why that cannot be done here.
 */
const char *cgroup_enter(struct cgroup *cg);
/* Go back and remove the cgroup: 0, or -errno if something still holds it. */
int cgroup_leave(struct cgroup *cg);

/* KeyIDs that this machine has for TDs, or -1. */
long cgroup_tdx_capacity(void);
/* KeyIDs that TDs of this cgroup hold, or -1. */
long cgroup_tdx_current(struct cgroup *cg);
/*
 * Memory in kB that the kernel allocated for processes of this cgroup, for its
 * own use and for guests, or -1 without the memory controller.
 */
long cgroup_kernel_kb(struct cgroup *cg);
/* @max -1: no limit. */
int cgroup_tdx_limit(struct cgroup *cg, long max);

#endif
