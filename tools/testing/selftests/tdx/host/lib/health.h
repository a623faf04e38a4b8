/* SPDX-License-Identifier: GPL-2.0 */
/* Is the host as well after a test as it was before? */
#ifndef TDX_HOST_HEALTH_H
#define TDX_HOST_HEALTH_H

#include <stdbool.h>

struct health {
	int kmsg_fd;
	unsigned long tainted;
	int nr_fds;
};

void health_begin(struct health *health);

/*
 * How many complaints there are since health_begin(): lines of the kernel's log
 * that tell of a bug, a newly tainted kernel, open files.  Prints each.
 */
int health_complaints(struct health *health);

void health_end(struct health *health);

#endif
