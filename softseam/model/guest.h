/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running TD code: what the model and the machine tell each other.
 *
 * TDH.VP.ENTER is the one SEAMCALL that does not end where it began.  seam_call()
 * answers SEAM_END_RUN_GUEST when a vCPU is ready to run; the machine runs it
 * from struct guest_run, and says in seam_guest_exit() why it stopped.  That
 * answers SEAM_END_RUN_GUEST again, to go on, or that the SEAMCALL is over.
 *
 * The machine is a CPU with two-stage paging.  It knows no TDX: which exits are
 * #VE, what CPUID says, where a TD's memory is, all that is the model's.
 */
#ifndef SOFTSEAM_GUEST_H
#define SOFTSEAM_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "seam.h"

enum guest_seg_reg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, NR_GUEST_SEGS };

struct guest_segment {
	uint16_t selector;
	/* Access rights as in a VMCS; bit 16: unusable. */
	uint32_t ar;
	uint32_t limit;
	uint64_t base;
};

#define SEG_AR_DPL_SHIFT	5
#define SEG_AR_L		(1U << 13)
#define SEG_AR_DB		(1U << 14)
#define SEG_AR_UNUSABLE		(1U << 16)

struct guest_table {
	uint64_t base;
	uint32_t limit;
};

/* Room for XSAVE in standard form: x87, SSE, AVX, PKRU. */
#define GUEST_XSAVE_BYTES	4096
#define XSAVE_XMM		160
#define XSAVE_HEADER		512
#define NR_XMM			16

/* All registers of a vCPU.  Offsets are the machine's business, not an ABI. */
struct guest_cpu {
	struct seam_regs gpr;
	uint64_t rsp, rip, rflags;
	struct guest_segment seg[NR_GUEST_SEGS], ldtr, tr;
	struct guest_table gdtr, idtr;
	uint64_t cr0, cr2, cr3, cr4, efer, xcr0;
	/* Priority class of the task: CR8, the upper half of the TPR. */
	uint64_t cr8;
	uint64_t dr[4], dr6, dr7;
	uint64_t star, lstar, cstar, fmask, kernel_gs_base, tsc_aux;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	/* Blocking by STI or by MOV SS. */
	bool interrupt_shadow;
	uint8_t xsave[GUEST_XSAVE_BYTES];
};

#define CR0_PE		(1ULL << 0)
#define CR0_NE		(1ULL << 5)
#define CR0_NW		(1ULL << 29)
#define CR0_CD		(1ULL << 30)
#define CR0_WP		(1ULL << 16)
#define CR0_PG		(1ULL << 31)
#define CR4_PAE		(1ULL << 5)
#define CR4_MCE		(1ULL << 6)
#define CR4_LA57	(1ULL << 12)
#define CR4_VMX		(1ULL << 13)
#define CR4_SMXE	(1ULL << 14)
#define CR4_PCIDE	(1ULL << 17)
#define CR4_OSXSAVE	(1ULL << 18)
#define EFER_SYSCALL	(1ULL << 0)
#define EFER_LONG	(1ULL << 8)
#define EFER_LONG_ACTIVE	(1ULL << 10)
#define EFER_NX		(1ULL << 11)
#define RFLAGS_IF	(1ULL << 9)
#define RFLAGS_RF	(1ULL << 16)

/* Interruption types as in a VMCS. */
enum guest_event_type {
	GUEST_EVENT_INTERRUPT	= 0,
	GUEST_EVENT_NMI		= 2,
	GUEST_EVENT_EXCEPTION	= 3,
	GUEST_EVENT_SOFTWARE	= 4,
};

/* Something to be delivered through the guest's IDT. */
struct guest_event {
	bool valid;
	uint8_t vector;
	enum guest_event_type type;
	bool has_error;
	uint32_t error;
};

/* The vCPU that an LP runs. */
struct guest_run {
	struct guest_cpu cpu;
	/* The components of XCR0 that are the guest's; the rest is the host's. */
	uint64_t xfam;

	/* Deliver this before the next instruction. */
	struct guest_event inject;
	/* Stop when an interrupt of this priority class can be taken; 0: never. */
	unsigned int interrupt_class;
	/* Stop at IRET, before it is executed. */
	bool stop_at_iret;

	/*
	 * Which translations of guest physical addresses are of use: those made
	 * on this LP under the same values.
	 */
	uint64_t tlb_id, tlb_epoch;
	/* Drop translations of linear addresses; the machine clears it once it did. */
	bool drop_linear;

	/* XMM registers that the guest gets from the host before it runs. */
	uint16_t xmm_from_host;
};

/* Why the guest stopped.  Faults stop before the instruction. */
enum guest_stop {
	/* An interrupt, NMI or SMI waits for the host.  It stays pending. */
	GUEST_STOP_HOST_EVENT,
	/* INIT waits for the host's CPU. */
	GUEST_STOP_INIT,
	/* No translation that allows the access. */
	GUEST_STOP_MEMORY,
	/* The CPU does not know the instruction: it would be #UD. */
	GUEST_STOP_UNDEFINED,
	GUEST_STOP_CPUID,
	GUEST_STOP_MSR,
	GUEST_STOP_IO,
	GUEST_STOP_HLT,
	GUEST_STOP_RDTSC,
	GUEST_STOP_RDPMC,
	GUEST_STOP_CACHE,
	GUEST_STOP_MONITOR,
	/* A write to CR0 or CR4 that may change more than the task switch flag. */
	GUEST_STOP_CR,
	GUEST_STOP_INTERRUPT_WINDOW,
	GUEST_STOP_IRET,
	GUEST_STOP_TRIPLE_FAULT,
	/* The machine cannot run what is in the registers. */
	GUEST_STOP_BAD_STATE,
	NR_GUEST_STOPS
};

struct guest_exit {
	enum guest_stop why;
	/* The event whose delivery did not come to its end. */
	struct guest_event vectoring;
	/* GUEST_STOP_MEMORY */
	uint64_t gpa;
	bool read, write, fetch;
	/* It was the CPU's own, to an entry of the guest's page tables. */
	bool page_table;
	/* GUEST_STOP_IO */
	uint16_t port;
	uint8_t io_bytes;
	bool io_in, io_string, io_rep;
	/* GUEST_STOP_CR */
	unsigned int cr;
};

/* Where a guest's page is. */
struct guest_map {
	/* Start of what is mapped alike, and its size: 4K or 2M. */
	uint64_t gpa, size;
	bool writable, executable;
	/* Private: the module keeps the page.  Else it is the host's, at @pa. */
	bool is_private;
	uint64_t pa;
};

/* The vCPU on @cpu, between SEAM_END_RUN_GUEST and the end of the SEAMCALL. */
struct guest_run *seam_guest(struct seam *seam, unsigned int cpu);

/*
 * Look up the page at @gpa for the vCPU on @cpu.  Returns false if a guest finds
 * nothing there.
 */
bool seam_guest_map(struct seam *seam, unsigned int cpu, uint64_t gpa, struct guest_map *map);

/* What the host finds when the SEAMCALL is over. */
struct guest_result {
	struct seam_regs regs;
	/* XMM registers that it gets from the guest; the others are 0. */
	uint16_t xmm;
};

/* The vCPU on @cpu stopped.  @result is written when the SEAMCALL is over. */
enum seam_end seam_guest_exit(struct seam *seam, unsigned int cpu,
			      const struct guest_exit *exit, struct guest_result *result);

/*
 * The same while the host's registers are not needed: a stop that the module handles
 * inside, from seam_guest()'s registers but for the linear address of FS and GS, the
 * system segments and what XSAVE holds.  Returns false, with nothing changed, if the
 * vCPU has to leave the TD.
 */
bool seam_guest_try(struct seam *seam, unsigned int cpu, const struct guest_exit *exit);

/* Instructions that need not stop the guest. */
enum guest_quick {
	GUEST_QUICK_TDCALL,
	GUEST_QUICK_CPUID,
	GUEST_QUICK_RDTSC,
	GUEST_QUICK_RDTSCP,
};

/*
 * The guest is about to execute @what.  The general registers in seam_guest() are
 * the guest's now, its others those of the last stop.  Returns true if it was
 * executed; false, with nothing changed, if the guest has to stop for it.
 */
bool seam_guest_quick(struct seam *seam, unsigned int cpu, enum guest_quick what);

/* May the guest set XCR[@index] to @value?  Else it is #GP(0). */
bool seam_guest_xsetbv(struct seam *seam, unsigned int cpu, uint32_t index, uint64_t value);

#endif
