/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU that runs: what the module keeps of it, and how its exits are handled. */
#ifndef SOFTSEAM_GUEST_VCPU_H
#define SOFTSEAM_GUEST_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"
#include "guest_insn.h"
#include "leaves.h"
#include "td.h"
#include "vapic.h"
#include "vmx.h"

/* What a #VE is about, until the guest asks for it. */
struct ve_info {
	bool valid;
	uint32_t reason;
	uint64_t qualification, linear, gpa;
	uint32_t insn_len, insn_info;
};

/* Loaded by whoever switches to the guest, which only writes of it stop. */
#define MSR_TSC_AUX	0xC0000103

/* MSRs whose values are nowhere else. */
struct guest_msrs {
	uint64_t pat, xss, spec_ctrl, debugctl;
};

/* Private EPT violations in a row at one instruction. */
#define STEPPING_LOG	6
struct stepping {
	uint64_t rip;
	unsigned int nr;
	uint64_t gpa[STEPPING_LOG];
};

/* TDVPS, but for what struct vcpu has. */
struct guest_vcpu {
	struct guest_run run;
	struct ve_info ve;
	struct vapic apic;
	struct guest_msrs msr;
	struct stepping stepping;
	bool nmi_blocked;
	/* TSC when TDCALLs began to give way to the host, one after the other; or 0. */
	uint64_t gives_way_since;
	/* It left with TDG.VP.VMCALL, and RCX said which registers come back. */
	bool in_vmcall;
	uint64_t vmcall_mask;
};

/* An LP that executes TDH.VP.ENTER. */
struct guest_lp {
	struct vcpu_ref ref;
	/* The SEAMCALL that is not over yet. */
	struct seam_regs in;
	uint64_t start;
};

/* One exit of a guest while it is handled. */
struct guest_ctx {
	struct seam *s;
	unsigned int cpu;
	struct td *td;
	struct vcpu *vcpu;
	struct guest_vcpu *g;
	struct guest_cpu *r;
	const struct guest_exit *exit;
	struct guest_insn insn;

	/* The vCPU leaves the TD, with this for the host. */
	bool leave;
	uint64_t status;
	/* All but RBP, which is the host's own unless it says so. */
	struct seam_regs out;
	bool out_rbp;
	uint16_t out_xmm;
	/* ... for good. */
	bool disable;
};

/* Start state.  NULL without memory. */
struct guest_vcpu *guest_vcpu_new(const struct vcpu *vcpu);
void guest_vcpu_free(struct guest_vcpu *g);
/* On any LP that has made some. */
void guest_drop_translations(struct vcpu *vcpu);

bool guest_in_64bit_mode(const struct guest_cpu *r);
unsigned int guest_cpl(const struct guest_cpu *r);
/* General register @n as instructions number them. */
uint64_t guest_gpr(const struct guest_cpu *r, unsigned int n);
/* Past the instruction that was emulated. */
void guest_skip_insn(struct guest_ctx *x);

/* guest_event.c: what the guest finds instead of the next instruction */
void guest_inject(struct guest_ctx *x, uint8_t vector, bool has_error, uint32_t error);
void guest_inject_gp(struct guest_ctx *x);
void guest_inject_ud(struct guest_ctx *x);
/* #VE for @x->insn; #DF while the last VE_INFO was not taken. */
void guest_inject_ve(struct guest_ctx *x, enum vmx_reason reason, uint64_t qualification);
/* The same for an EPT violation at @gpa. */
void guest_inject_ve_memory(struct guest_ctx *x, uint64_t qualification, uint64_t gpa);
/* Let interrupts and NMIs in that wait, as far as the guest is ready for them. */
void guest_prepare_events(struct guest_ctx *x);
/* Nothing waits to be delivered at the next entry, or what waits is lost in time. */
bool guest_interrupt_pending(const struct vcpu *vcpu);

/* vp_exit.c: leaving the TD */
void guest_leave(struct guest_ctx *x, uint64_t status, uint64_t reason);
void guest_leave_memory(struct guest_ctx *x, uint64_t qualification, uint64_t extended,
			uint64_t gpa);
void guest_leave_vmcall(struct guest_ctx *x, uint64_t mask);

/* Handlers of exits. */
void guest_on_cpuid(struct guest_ctx *x);
void guest_on_msr(struct guest_ctx *x);
void guest_on_cr(struct guest_ctx *x);
void guest_on_memory(struct guest_ctx *x);
void guest_on_invpcid(struct guest_ctx *x);
void guest_on_tdcall(struct guest_ctx *x);

/* XCR0 as XSETBV may set it. */
bool guest_xcr0_ok(const struct td *td, uint64_t xcr0);
/* The TD's time. */
uint64_t guest_tsc(const struct guest_ctx *x);

#endif
