/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module knows of the CPUs: CPUID and MSRs, sampled on the CPU of
 * SYS.INIT and compared on every other CPU in SYS.LP.INIT.
 */
#ifndef SOFTSEAM_PLATFORM_H
#define SOFTSEAM_PLATFORM_H

#include <stdint.h>

#include "cpuid_table.h"

struct seam;

#define NR_SAMPLED_MSRS		3

struct platform {
	/* Extended state components that the CPU has. */
	uint64_t xfam;
	/* CPUID bits that a TD may configure, per entry of the module's list. */
	uint32_t cpuid_config[NR_CPUID_CONFIG][NR_CPUID_REGS];
	/* What the CPU says in the leaves that TDs see. */
	uint32_t native[NR_CPUID_VISIBLE][NR_CPUID_REGS];
	/* The first is IA32_TSC_ADJUST. */
	uint64_t msr[NR_SAMPLED_MSRS];
};

/* Leaf in the low half, sub-leaf (FFFFFFFFh: none) in the upper. */
uint64_t cpuid_config_leaf(unsigned int i);

/* SYS.INIT: check and sample @cpu.  Returns a completion status. */
uint64_t platform_sample(struct seam *s, unsigned int cpu, struct platform *p);

/* SYS.LP.INIT: is @cpu like the one that was sampled? */
uint64_t platform_compare(struct seam *s, unsigned int cpu);

/* Before a look at the TSC: was it set since SYS.INIT?  Returns a status. */
uint64_t platform_check_tsc_adjust(struct seam *s, unsigned int cpu);
/* The TSC, which counts cfg.tsc_khz thousand times a second. */
uint64_t platform_tsc(const struct seam *s, unsigned int cpu);

#endif
