/* SPDX-License-Identifier: GPL-2.0-only */
/* Decoder for the instructions that stop a guest.  Pure. */
#ifndef SOFTSEAM_GUEST_INSN_H
#define SOFTSEAM_GUEST_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "insn_bytes.h"

#define GUEST_INSN_MAX	INSN_BYTES_MAX

enum guest_insn_kind {
	GI_OTHER,
	GI_TDCALL,
	GI_VMCALL,
	GI_CPUID,
	GI_RDMSR,
	GI_WRMSR,
	GI_HLT,
	GI_IO,
	GI_INVD,
	GI_WBINVD,
	GI_RDTSC,
	GI_RDTSCP,
	GI_RDPMC,
	GI_MOV_TO_CR,
	GI_CLTS,
	GI_LMSW,
	GI_INVPCID,
};

struct guest_insn {
	enum guest_insn_kind kind;
	unsigned int len;
	/* GI_MOV_TO_CR: the two registers.  GI_INVPCID: @gpr has its type. */
	unsigned int cr, gpr;
	/* GI_IO: the port is in the instruction. */
	bool io_immediate;
	/* It has the address size prefix; the segment of a memory operand. */
	bool addrsize;
	unsigned int seg;
};

/*
 * Decode @avail bytes, in 64-bit mode or not.  Something else, or something
 * that is cut off, is GI_OTHER of length 0.
 */
void guest_insn_decode(const uint8_t *code, size_t avail, bool mode64, struct guest_insn *insn);

#endif
