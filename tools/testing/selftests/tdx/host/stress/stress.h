/* SPDX-License-Identifier: GPL-2.0 */
/* Tests that do one thing many times.  Each returns 0 or -errno. */
#ifndef TDX_HOST_STRESS_H
#define TDX_HOST_STRESS_H

#include <linux/types.h>
#include "../lib/td.h"

struct stress {
	/* How often, or how many; 0: leave that test out. */
	unsigned int vcpus;
	unsigned int cycles;
	unsigned int tds;
	unsigned int migrations;
	unsigned int conversions;
	unsigned int kills;
	/* Largest TD, MB. */
	unsigned int max_mb;
	/* Most vCPUs of a TD; limited to what KVM allows. */
	unsigned int max_vcpus;
	/* Random numbers come from this; stress_random() advances it. */
	u64 random;
};

u64 stress_random(struct stress *stress);

/* Build, run and destroy one TD with @nr_vcpus that works on @accept bytes. */
int stress_one_life(struct stress *stress, unsigned int nr_vcpus, u64 ram_size, u64 accept);

/* TDs of 16 MB, 32 MB and so on, all of it accepted. */
int stress_sizes(struct stress *stress);
/* Each number of vCPUs up to the maximum. */
int stress_vcpus(struct stress *stress);
/* TDs created, run and destroyed, one after the other; no memory may get lost. */
int stress_cycles(struct stress *stress);
/* TDs that all exist at the same time. */
int stress_many(struct stress *stress);
/* Busy vCPUs moved from CPU to CPU. */
int stress_migrate(struct stress *stress);
/* Memory made shared and private again. */
int stress_convert(struct stress *stress);
/* Launchers killed at random points of a TD's life. */
int stress_kill(struct stress *stress);

#endif
