/* SPDX-License-Identifier: GPL-2.0-only */
/* What CPUID says on the CPUs of this machine, without what softseam changes. */
#ifndef SOFTSEAM_PROBE_H
#define SOFTSEAM_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world.h"

struct probe {
	bool done;
	unsigned int nr;
	struct world_probe entry[WORLD_PROBE_MAX];
	/* What RDTSC said more on the CPUs than it does here. */
	uint64_t tsc_offset;
};

/* The questions. */
void probe_init(struct probe *probe);
/*
 * EAX, EBX, ECX, EDX; all zero for a leaf that the CPUs do not have, and for one
 * that was not asked about.
 */
void probe_lookup(const struct probe *probe, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
/*
 * Can these CPUs run guests?  Returns NULL or what is missing, as an argument
 * to -cpu.
 */
const char *probe_missing(const struct probe *probe);

#endif
