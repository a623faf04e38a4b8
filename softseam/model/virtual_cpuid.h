/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUID as a TD sees it, but for what differs from vCPU to vCPU. */
#ifndef SOFTSEAM_VIRTUAL_CPUID_H
#define SOFTSEAM_VIRTUAL_CPUID_H

#include <stdint.h>

#include "cpuid_table.h"

struct seam;
struct td_params;
struct td_params_page;

/* In the order of cpuid_visible. */
struct virtual_cpuid {
	uint32_t value[NR_CPUID_VISIBLE][NR_CPUID_REGS];
};

/*
 * Compute what the TD of @p sees from the CPUID values in @page, which are in
 * the order of cpuid_config.  On an error *@bad is the leaf at fault, with the
 * sub-leaf in the upper half.  Returns a completion status.
 */
uint64_t virtual_cpuid_fill(const struct seam *s, const struct td_params *p,
			    const struct td_params_page *page, struct virtual_cpuid *to,
			    uint64_t *bad);

/*
 * EAX, EBX, ECX, EDX.  A leaf without sub-leaves is found with any @subleaf.
 * NULL if TDs have no such leaf.
 */
const uint32_t *virtual_cpuid_find(const struct virtual_cpuid *v, uint32_t leaf,
				   uint32_t subleaf);

/* The same, but a leaf without sub-leaves is found with CPUID_NO_SUBLEAF only. */
const uint32_t *virtual_cpuid_find_exact(const struct virtual_cpuid *v, uint32_t leaf,
					 uint32_t subleaf);

#endif
