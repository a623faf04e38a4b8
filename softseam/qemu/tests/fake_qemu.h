/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU and the platform, as far as the instruction executors need them: one
 * vCPU with registers, memory that is mapped one to one, and a platform whose
 * SEAMCALL is scripted.
 */
#ifndef SOFTSEAM_FAKE_QEMU_H
#define SOFTSEAM_FAKE_QEMU_H

#include <setjmp.h>

#include "execute.h"

/* Why a function jumps instead of returning. */
enum fake_jump {
	/* A SEAMCALL: to ask CPUID, or to run a guest. */
	FAKE_JUMP_PROBE	= 1,
	FAKE_JUMP_GUEST	= 2,
	/* To another instruction, where @jumps allows it; or the end of QEMU. */
	FAKE_JUMP_PC	= 3,
	FAKE_JUMP_FATAL	= 4,
};

#define FAKE_RAM_SIZE	0x10000
/* From here on, addresses are mapped but not RAM. */
#define FAKE_MMIO_START	0x10000
#define FAKE_MAPPED	0x18000
#define FAKE_PC		0x8000

struct fake {
	uint64_t reg[REG_COUNT];
	uint8_t xmm[NR_XMM_REGS][XMM_BYTES];
	uint8_t memory[FAKE_MAPPED];

	/* What platform_seamcall() answers, and what it was asked. */
	enum seam_end seamcall_end;
	struct seam_regs seamcall_in, seamcall_out;
	unsigned int nr_seamcalls, nr_vmxoff, nr_wbinvd, nr_invept;
	unsigned int nr_clflush, nr_movdir64b;
	uint64_t flushed, reset;
	/* Distance from virtual to physical addresses, and how often it was asked for. */
	uint64_t pa_offset;
	unsigned int nr_translations;
	/* What window_locate() answers. */
	bool window_located;
	/* Where it goes on then, and which SEAMCALL it was or which address. */
	bool jumps;
	jmp_buf jump;
	uint64_t jump_pc;
	/* Where a callback that jumped was called from, and whether QEMU can do nothing with that. */
	const void *settled_from;
	bool flags_are_lost;
	unsigned int checked_package;
	uint64_t syscall_entry;
	unsigned int nr_reports;
	char last_report[256];
};

extern struct fake fake;

/* A CPU in 64-bit kernel mode with paging, as Linux runs it. */
struct vcpu *fake_start(void);
void fake_stop(struct vcpu *v);

/* A site whose instruction is @kind, three bytes long. */
struct site fake_site(enum insn_kind kind);

#endif
