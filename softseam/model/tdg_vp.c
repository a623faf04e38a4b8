// SPDX-License-Identifier: GPL-2.0-only
/* TDG.VP: a TD about its own vCPU. */
#include "tdcall.h"

/* Bits of RCX that name RAX, RCX, RSP and RBP, and that name nothing. */
#define VMCALL_RESERVED		0xFFFFFFFF00000013ULL
#define VMCALL_RBP		(1ULL << 5)

/*
 * Leave the TD; the registers that RCX names go with it.  Its end, RAX included,
 * comes at the next entry.
 *
 * In:  RCX	registers to pass: GPRs 15:0, XMM 31:16
 */
uint64_t tdg_vp_vmcall(struct guest_ctx *x)
{
	uint64_t mask = x->r->gpr.rcx, reserved = VMCALL_RESERVED;

	if (x->td->params.config_flags & TD_CONFIG_NO_RBP_MOD)
		reserved |= VMCALL_RBP;
	if (mask & reserved)
		return TDX_OPERAND_INVALID | OPERAND_RCX;

	guest_skip_insn(x);
	guest_leave_vmcall(x, mask);
	return TDCALL_AGAIN;
}

/*
 * Out: RCX	width of guest physical addresses
 *	RDX	ATTRIBUTES
 *	R8	number of vCPUs, the most there can be in the upper half
 *	R9	index of this vCPU
 *	R10	TDG.SYS.RD is there
 *	R11	0
 */
uint64_t tdg_vp_info(struct guest_ctx *x)
{
	const struct td *td = x->td;
	struct seam_regs *r = &x->r->gpr;

	r->rcx = td->params.gpaw;
	r->rdx = td->params.attributes;
	r->r8 = atomic_load(&td->nr_vcpus) | (uint64_t)td->params.max_vcpus << 32;
	r->r9 = x->vcpu->index;
	r->r10 = 1;
	r->r11 = 0;
	return TDX_SUCCESS;
}

/*
 * Take what the last #VE was about, so that there can be a next.
 *
 * Out: RCX	exit reason
 *	RDX	exit qualification
 *	R8	linear address
 *	R9	GPA
 *	R10	length of the instruction, VMX instruction information above
 */
uint64_t tdg_vp_veinfo_get(struct guest_ctx *x)
{
	struct ve_info *ve = &x->g->ve;
	struct seam_regs *r = &x->r->gpr;

	r->rcx = ve->valid ? ve->reason : 0;
	r->rdx = ve->valid ? ve->qualification : 0;
	r->r8 = ve->valid ? ve->linear : 0;
	r->r9 = ve->valid ? ve->gpa : 0;
	r->r10 = ve->valid ? ve->insn_len | (uint64_t)ve->insn_info << 32 : 0;
	if (!ve->valid)
		return TDX_NO_VALID_VE_INFO;
	ve->valid = false;
	return TDX_SUCCESS;
}
