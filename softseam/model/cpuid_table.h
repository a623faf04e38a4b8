/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUID leaves that the module knows: those that a TD may see, and those of
 * which a TD's owner may configure something.
 */
#ifndef SOFTSEAM_CPUID_TABLE_H
#define SOFTSEAM_CPUID_TABLE_H

#include <stdint.h>

enum cpuid_reg { EAX, EBX, ECX, EDX, NR_CPUID_REGS };

#define CPUID_NO_SUBLEAF	0xFFFFFFFF

#define CPUID_FEATURES		0x1
#define CPUID_MONITOR		0x5
#define CPUID_EXT_FEATURES	0x7
#define CPUID_PERFMON		0xA
#define CPUID_XSTATE		0xD
#define CPUID_PT		0x14
#define CPUID_TSC		0x15
#define CPUID_LBR		0x1C
#define CPUID_TILE		0x1D
#define CPUID_TMUL		0x1E
#define CPUID_PERFMON_EXT	0x23
#define CPUID_ADDRESS_SIZES	0x80000008

/* A slot of the module's list of configurable leaves. */
struct cpuid_config {
	uint32_t leaf, subleaf;
	/* Bits that are free to choose; bits that may be set where the CPU has them. */
	uint32_t direct[NR_CPUID_REGS], native[NR_CPUID_REGS];
};

#define NR_CPUID_CONFIG		12
extern const struct cpuid_config cpuid_config[NR_CPUID_CONFIG];

/* A leaf that a TD sees: what the CPU says, within @pass, and @set. */
struct cpuid_visible {
	uint32_t leaf, subleaf;
	uint32_t pass[NR_CPUID_REGS], set[NR_CPUID_REGS];
};

#define NR_CPUID_VISIBLE	69
extern const struct cpuid_visible cpuid_visible[NR_CPUID_VISIBLE];

#endif
