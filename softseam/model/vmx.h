/* SPDX-License-Identifier: GPL-2.0-only */
/* VMX exit reasons and qualifications, as the TDX interface uses them. */
#ifndef SOFTSEAM_VMX_H
#define SOFTSEAM_VMX_H

#include <stdint.h>

enum vmx_reason {
	VMX_TRIPLE_FAULT	= 2,
	VMX_INIT		= 3,
	VMX_OTHER_SMI		= 6,
	VMX_CPUID		= 10,
	VMX_HLT			= 12,
	VMX_INVD		= 13,
	VMX_VMCALL		= 18,
	VMX_CR_ACCESS		= 28,
	VMX_IO			= 30,
	VMX_MSR_READ		= 31,
	VMX_MSR_WRITE		= 32,
	VMX_INVALID_STATE	= 33,
	VMX_EPT_VIOLATION	= 48,
	VMX_EPT_MISCONFIG	= 49,
	VMX_WBINVD		= 54,
	VMX_TDCALL		= 77,
};

/* In the exit reason: the guest was not entered. */
#define VMX_ENTRY_FAILED	(1ULL << 31)

/* EPT violation: the access, and what the entry allows. */
#define EPT_QUAL_READ		(1ULL << 0)
#define EPT_QUAL_WRITE		(1ULL << 1)
#define EPT_QUAL_FETCH		(1ULL << 2)
#define EPT_QUAL_ENTRY_SHIFT	3
#define EPT_ENTRY_RWX		7ULL
/*
 * The linear address is known; it was accessed, and not a page table on the way.
 * A guest gets these, a host does not.
 */
#define EPT_QUAL_LINEAR		(1ULL << 7)
#define EPT_QUAL_FINAL		(1ULL << 8)

/* Instruction information of INS and OUTS: log2 of the address size less 1, segment. */
#define INSN_INFO_ADDR_SHIFT	7
#define INSN_INFO_SEG_SHIFT	15

/* Extended exit qualification of an EPT violation: type 3:0, info 63:32. */
#define EXT_QUAL_NONE		0ULL
#define EXT_QUAL_ACCEPT		1ULL
#define EXT_QUAL_PENDING	6ULL
#define EXT_QUAL_INFO_SHIFT	32
#define EXT_QUAL_ERR_LEVEL_SHIFT	3
#define EXT_QUAL_STATE_SHIFT	6
#define EXT_QUAL_LEAF		(1ULL << 14)

/* Exceptions */
enum {
	VECTOR_DE	= 0,
	VECTOR_DB	= 1,
	VECTOR_NMI	= 2,
	VECTOR_UD	= 6,
	VECTOR_DF	= 8,
	VECTOR_TS	= 10,
	VECTOR_NP	= 11,
	VECTOR_SS	= 12,
	VECTOR_GP	= 13,
	VECTOR_PF	= 14,
	VECTOR_VE	= 20,
};

#endif
