/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoder for the few instructions that softseam executes itself, and for the
 * instructions that look at the flags they leave.  64-bit mode only; pure.
 */
#ifndef SOFTSEAM_DECODE_H
#define SOFTSEAM_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_MAX_LEN	15
#define INSN_NO_REG	(-1)

enum insn_kind {
	INSN_OTHER,
	INSN_SEAMCALL,
	INSN_VMXON,
	INSN_VMXOFF,
	INSN_VMPTRLD,
	INSN_VMPTRST,
	INSN_VMCLEAR,
	INSN_VMREAD,
	INSN_VMWRITE,
	INSN_VMLAUNCH,
	INSN_VMRESUME,
	INSN_INVEPT,
	INSN_INVVPID,
	INSN_MOV_TO_CR4,
	INSN_MOV_FROM_CR4,
	INSN_CPUID,
	INSN_RDMSR,
	INSN_WRMSR,
	INSN_MOVDIR64B,
	INSN_WBINVD,
	/* CLFLUSH and CLFLUSHOPT */
	INSN_CLFLUSH,
	INSN_XSETBV,
	INSN_TDCALL,
	INSN_RDTSC,
	INSN_RDTSCP,
	INSN_MOV_TO_CR3,
};

enum insn_segment {
	SEGMENT_FLAT,
	SEGMENT_FS,
	SEGMENT_GS,
};

/* A memory operand.  Registers are numbered as in ModRM: 0 RAX ... 15 R15. */
struct insn_mem {
	int base, index;
	unsigned int scale;
	int64_t disp;
	bool rip_relative;
	bool addr32;
	enum insn_segment segment;
};

struct insn {
	enum insn_kind kind;
	unsigned int len;
	/* OTHER: it could be one of ours, but more bytes are needed to tell. */
	bool cut_off;
	/* Prefix bytes before the opcode. */
	unsigned int prefix_len;
	/* The register in ModRM.reg. */
	int reg;
	/* The register in ModRM.rm, or INSN_NO_REG: then mem holds. */
	int rm;
	struct insn_mem mem;
};

/*
 * Decode the instruction at @code, of which @avail bytes are known.  Returns
 * false, with kind INSN_OTHER, if it is none of the above.
 */
bool insn_decode(const uint8_t *code, size_t avail, struct insn *insn);

/* Does TCG know this instruction (so that the size it reports is right)? */
bool insn_known_to_tcg(enum insn_kind kind);

/* The flags as VMX instructions leave them: the others are zero. */
struct insn_flags {
	bool cf, zf;
};

enum flag_user_kind {
	/* Something else than the following. */
	FLAG_USER_NONE,
	FLAG_USER_NOP,
	FLAG_USER_JCC,
	FLAG_USER_SETCC,
};

/* The instruction that follows one whose flags cannot be written back. */
struct flag_user {
	enum flag_user_kind kind;
	unsigned int len;
	/* Condition number, the low four bits of the opcode. */
	unsigned int cond;
	/* JCC: jump distance from the end of the instruction. */
	int64_t disp;
	/* SETCC: register number; high_byte selects AH, CH, DH, BH of 0..3. */
	int reg;
	bool high_byte;
};

void flag_user_decode(const uint8_t *code, size_t avail, struct flag_user *user);
bool flag_cond_holds(unsigned int cond, struct insn_flags flags);

#endif
