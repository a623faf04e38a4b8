// SPDX-License-Identifier: GPL-2.0-only
#include "cpuid_table.h"

const struct cpuid_config cpuid_config[NR_CPUID_CONFIG] = {
	{ 0x1, CPUID_NO_SUBLEAF, .direct = { 0x0FFF3FFF, 0x00FF0000 },
	  .native = { 0, 0, 0x31044D88, 0xB8440000 } },
	{ 0x4, 0, .direct = { 0xFFFFC3FF, 0xFFFFF000, 0xFFFFFFFF, 0xFFFFFFFB } },
	{ 0x4, 1, .direct = { 0xFFFFC3FF, 0xFFFFF000, 0xFFFFFFFF, 0xFFFFFFFB } },
	{ 0x4, 2, .direct = { 0xFFFFC3FF, 0xFFFFF000, 0xFFFFFFFF, 0xFFFFFFFB } },
	{ 0x4, 3, .direct = { 0xFFFFC3FF, 0xFFFFF000, 0xFFFFFFFF, 0x00000007 } },
	{ 0x7, 0, .native = { 0, 0xDC2B9B18, 0x02417F65, 0x0005411C } },
	{ 0x7, 1, .native = { 0x1D30 } },
	{ 0xA, CPUID_NO_SUBLEAF, .direct = { 0 } },
	{ 0x1C, CPUID_NO_SUBLEAF, .native = { 0xFF } },
	{ CPUID_ADDRESS_SIZES, CPUID_NO_SUBLEAF, .native = { 0, 0x200 } },
	{ 0x7, 2, .native = { 0, 0, 0, 0x28 } },
	{ 0x23, 0, .native = { 0xF } },
};

#define ALL		0xFFFFFFFF
#define PASS_ALL	.pass = { ALL, ALL, ALL, ALL }
/* All but x2APIC id, which a vCPU has of its own. */
#define PASS_TOPOLOGY	.pass = { ALL, ALL, ALL, 0 }

/* DTES64, DS-CPL and DS: TDs' IA32_MISC_ENABLE says that nothing comes with them. */
#define DEBUG_STORE_ECX	(1U << 2 | 1U << 4)
#define DEBUG_STORE_EDX	(1U << 21)

/* The machine's CPUs need not have these: INVPCID is executed for TDs. */
#define GUEST_PCID	(1U << 17)
#define GUEST_INVPCID	(1U << 10)

/*
 * A TD has no VMX, SMX, SGX, TME, key locker, ENQCMD or PCONFIG, and knows that
 * it runs under a hypervisor.  Flags that mirror CR4 are the vCPU's own.  Of what
 * the module fixes to 1 only that is set here which no CPU has to execute and which
 * the host is not to see: see doc/guest-cpuid.md for what is missing.
 */
const struct cpuid_visible cpuid_visible[NR_CPUID_VISIBLE] = {
	{ 0x0, CPUID_NO_SUBLEAF, .pass = { 0, ALL, ALL, ALL }, .set = { 0x23 } },
	{ 0x1, CPUID_NO_SUBLEAF, .pass = { ALL, 0xFF00, 0x77FEFF9F, 0xBFEDFBFF },
	  .set = { 0, 0, 0x80200000 | DEBUG_STORE_ECX | GUEST_PCID, 0x200 | DEBUG_STORE_EDX } },
	{ 0x2, CPUID_NO_SUBLEAF, PASS_ALL },
	{ 0x3, CPUID_NO_SUBLEAF, .pass = { 0 } },
	{ 0x4, 0, PASS_ALL }, { 0x4, 1, PASS_ALL }, { 0x4, 2, PASS_ALL }, { 0x4, 3, PASS_ALL },
	{ 0x4, 4, PASS_ALL },
	{ 0x5, CPUID_NO_SUBLEAF, PASS_ALL },
	{ 0x6, CPUID_NO_SUBLEAF, .set = { 0x4 } },
	{ 0x7, 0, .pass = { 0, 0xFFBFBBF9, 0x9B417FEF, 0xFFDD673C },
	  .set = { 0x2, GUEST_INVPCID } },
	{ 0x7, 1, .pass = { 0x1D30 } }, { 0x7, 2, .pass = { 0, 0, 0, 0x3F } },
	{ 0x9, CPUID_NO_SUBLEAF, .pass = { 0 } },
	{ 0xA, CPUID_NO_SUBLEAF, PASS_ALL },
	{ 0xB, 0, PASS_TOPOLOGY }, { 0xB, 1, PASS_TOPOLOGY }, { 0xB, 2, PASS_TOPOLOGY },
	{ 0xD, 0, PASS_ALL }, { 0xD, 1, .pass = { 0x1F, ALL, ALL, ALL } },
	{ 0xD, 2, PASS_ALL }, { 0xD, 3, PASS_ALL },
	{ 0xD, 4, PASS_ALL }, { 0xD, 5, PASS_ALL }, { 0xD, 6, PASS_ALL }, { 0xD, 7, PASS_ALL },
	{ 0xD, 8, PASS_ALL }, { 0xD, 9, PASS_ALL }, { 0xD, 10, PASS_ALL }, { 0xD, 11, PASS_ALL },
	{ 0xD, 12, PASS_ALL }, { 0xD, 13, PASS_ALL }, { 0xD, 14, PASS_ALL },
	{ 0xD, 15, PASS_ALL }, { 0xD, 16, PASS_ALL }, { 0xD, 17, PASS_ALL },
	{ 0xD, 18, PASS_ALL },
	{ 0x14, 0, PASS_ALL }, { 0x14, 1, PASS_ALL },
	{ 0x15, CPUID_NO_SUBLEAF, .pass = { 0 } },
	{ 0x16, CPUID_NO_SUBLEAF, .pass = { 0 } },
	{ 0x18, 0, PASS_ALL },
	{ 0x19, CPUID_NO_SUBLEAF, .pass = { 0 } },
	{ 0x1A, CPUID_NO_SUBLEAF, .pass = { 0 } },
	{ 0x1B, 0, .pass = { 0 } },
	{ 0x1C, CPUID_NO_SUBLEAF, PASS_ALL },
	{ 0x1D, 0, PASS_ALL }, { 0x1D, 1, PASS_ALL },
	{ 0x1E, 0, PASS_ALL },
	{ 0x1F, 0, PASS_TOPOLOGY }, { 0x1F, 1, PASS_TOPOLOGY }, { 0x1F, 2, PASS_TOPOLOGY },
	{ 0x20, 0, .pass = { 0 } },
	/* "IntelTDX    " */
	{ 0x21, 0, .set = { 0, 0x65746E49, 0x20202020, 0x5844546C } },
	{ 0x22, CPUID_NO_SUBLEAF, .pass = { 0 } },
	{ 0x23, 0, PASS_ALL }, { 0x23, 1, PASS_ALL }, { 0x23, 2, PASS_ALL }, { 0x23, 3, PASS_ALL },
	{ 0x80000000, CPUID_NO_SUBLEAF, .set = { 0x80000008 } },
	{ 0x80000001, CPUID_NO_SUBLEAF, .pass = { 0, 0, 0x121, 0x2C100800 } },
	{ 0x80000002, CPUID_NO_SUBLEAF, PASS_ALL },
	{ 0x80000003, CPUID_NO_SUBLEAF, PASS_ALL },
	{ 0x80000004, CPUID_NO_SUBLEAF, PASS_ALL },
	{ 0x80000005, CPUID_NO_SUBLEAF, .pass = { 0 } },
	{ 0x80000006, CPUID_NO_SUBLEAF, PASS_ALL },
	/* Invariant TSC */
	{ 0x80000007, CPUID_NO_SUBLEAF, .set = { 0, 0, 0, 0x100 } },
	{ CPUID_ADDRESS_SIZES, CPUID_NO_SUBLEAF, .pass = { 0xFF00, 0x200 }, .set = { 52 } },
};
