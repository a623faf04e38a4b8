// SPDX-License-Identifier: GPL-2.0-only
/* TDH.VP.ENTER up to the point where the guest runs: vp_exit.c has the rest. */
#include <string.h>

#include "guest_stage2.h"
#include "guest_vcpu.h"
#include "platform.h"
#include "track.h"
#include "vp_enter.h"

#define RCX_ADDRESS	0x000FFFFFFFFFF000ULL
/* Hints to the module, which it is free to ignore. */
#define RCX_FLAGS	(3ULL << 52)

#define VMCALL_GPRS	0xFFFFULL
#define VMCALL_XMM_SHIFT	16

/* Registers in the order of the bits of a TDG.VP.VMCALL's RCX. */
static uint64_t *gpr(struct seam_regs *r, unsigned int i)
{
	uint64_t *const all[16] = {
		&r->rax, &r->rcx, &r->rdx, &r->rbx, NULL, &r->rbp, &r->rsi, &r->rdi,
		&r->r8, &r->r9, &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15,
	};

	return all[i];
}

void vmcall_copy(struct seam_regs *to, const struct seam_regs *from, uint64_t mask)
{
	struct seam_regs source = *from;

	for (unsigned int i = 0; i < 16; i++) {
		if (mask & VMCALL_GPRS & 1ULL << i)
			*gpr(to, i) = *gpr(&source, i);
	}
}

/* The end of the guest's TDG.VP.VMCALL: what the host answers. */
static void finish_vmcall(struct guest_vcpu *g, const struct call *c)
{
	g->run.xmm_from_host = 0;
	if (!g->in_vmcall)
		return;
	vmcall_copy(&g->run.cpu.gpr, &c->in, g->vmcall_mask);
	g->run.cpu.gpr.rax = TDX_SUCCESS;
	g->run.xmm_from_host = (uint16_t)(g->vmcall_mask >> VMCALL_XMM_SHIFT);
	g->in_vmcall = false;
}

static uint64_t check_vcpu(struct seam *s, struct call *c, struct vcpu *vcpu)
{
	enum vcpu_state state = atomic_load(&vcpu->state);
	int lp = atomic_load(&vcpu->lp);
	uint64_t status = vcpu_check_pages(vcpu);

	if (status)
		return status;
	if (state != VCPU_READY)
		return TDX_VCPU_STATE_INCORRECT | state;
	if (lp != VCPU_NO_LP && lp != (int)c->cpu)
		return TDX_VCPU_ASSOCIATED;
	status = platform_check_tsc_adjust(s, c->cpu);
	if (status)
		return status;
	return platform_tsc(s, c->cpu) < vcpu->last_tsc ? TDX_TSC_ROLLBACK : TDX_SUCCESS;
}

void guest_ctx_init(struct seam *s, unsigned int cpu, struct guest_ctx *x)
{
	struct vcpu *vcpu = s->guest_lp[cpu].ref.vcpu;

	*x = (struct guest_ctx){
		.s = s,
		.cpu = cpu,
		.td = vcpu->td,
		.vcpu = vcpu,
		.g = vcpu->guest,
		.r = &vcpu->guest->run.cpu,
	};
}

/* All checks passed: nothing fails any more. */
static void start(struct guest_ctx *x, struct call *c)
{
	vcpu_associate(x->vcpu, c->cpu);
	atomic_store(&x->vcpu->state, VCPU_ACTIVE);
	finish_vmcall(x->g, c);
	x->g->run.tlb_epoch = x->vcpu->epoch;
	guest_prepare_events(x);
	c->runs_guest = true;
}

static uint64_t enter(struct seam *s, struct call *c, struct vcpu_ref *ref)
{
	struct vcpu *vcpu = ref->vcpu;
	uint64_t status = td_check(&ref->td, OP_BIT(OP_RUNNABLE));
	struct guest_ctx x;
	bool flush;

	if (!status)
		status = check_vcpu(s, c, vcpu);
	if (status)
		return status;
	if (!s->machine.can_run_guest || !s->machine.can_run_guest(s->machine.opaque, c->cpu))
		return TDX_NON_RECOVERABLE_TD | VMX_ENTRY_FAILED | VMX_INVALID_STATE;
	if (!vcpu->guest)
		vcpu->guest = guest_vcpu_new(vcpu);
	if (!vcpu->guest)
		return TDX_OPERAND_BUSY | OPERAND_RCX;

	guest_ctx_init(s, c->cpu, &x);
	status = guest_check_stepping(&x);
	if (status)
		return status;
	if (x.leave) {
		c->out = x.out;
		c->writes_all = true;
		return x.status;
	}
	status = track_enter(vcpu->td, vcpu, &flush);
	if (!status)
		start(&x, c);
	return status;
}

/*
 * Run a vCPU until it leaves the TD.
 *
 * In:  RCX	TDVPR; after TDG.VP.VMCALL all registers that its RCX named
 * Out: see vp_exit.c
 */
uint64_t tdh_vp_enter(struct seam *s, struct call *c)
{
	struct vcpu_ref *ref = &s->guest_lp[c->cpu].ref;
	uint64_t status;

	if (c->in.rcx & ~(RCX_ADDRESS | RCX_FLAGS))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	status = vcpu_get(s, c, c->in.rcx & RCX_ADDRESS, OPERAND_RCX, LOCK_EXCLUSIVE,
			  LOCK_SHARED, ref);
	if (status)
		return status;
	status = enter(s, c, ref);
	if (!c->runs_guest)
		vcpu_put(ref);
	return status;
}
