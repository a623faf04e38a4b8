// SPDX-License-Identifier: GPL-2.0-only
/* A guest stopped: handle it inside the module, or leave the TD. */
#include "guest_memory.h"
#include "guest_stage2.h"
#include "platform.h"
#include "track.h"
#include "vp_enter.h"

#define IO_QUAL_IN		(1ULL << 3)
#define IO_QUAL_STRING		(1ULL << 4)
#define IO_QUAL_REP		(1ULL << 5)
#define IO_QUAL_IMMEDIATE	(1ULL << 6)
#define IO_QUAL_PORT_SHIFT	16

#define RFLAGS_TF		(1ULL << 8)
#define DR6_SINGLE_STEP		(1ULL << 14)

/* RCX of a TDG.VP.VMCALL as the host gets it; RAX is a reason. */
#define VMCALL_HOST_REGS	0xFFECULL
#define VMCALL_XMM_SHIFT	16

void guest_leave(struct guest_ctx *x, uint64_t status, uint64_t reason)
{
	x->leave = true;
	x->status = status | reason;
	x->out = (struct seam_regs){ 0 };
	if (status == TDX_NON_RECOVERABLE_VCPU || status == TDX_NON_RECOVERABLE_TD)
		x->disable = true;
}

void guest_leave_memory(struct guest_ctx *x, uint64_t qualification, uint64_t extended,
			uint64_t gpa)
{
	guest_leave(x, TDX_SUCCESS, VMX_EPT_VIOLATION);
	x->out.rcx = qualification;
	x->out.rdx = extended;
	x->out.r8 = gpa & ~0xFFFULL;
}

void guest_leave_vmcall(struct guest_ctx *x, uint64_t mask)
{
	guest_leave(x, TDX_SUCCESS, VMX_TDCALL);
	vmcall_copy(&x->out, &x->r->gpr, mask & VMCALL_HOST_REGS);
	x->out.rcx = mask;
	x->out_rbp = mask & 1ULL << 5;
	x->out_xmm = (uint16_t)(mask >> VMCALL_XMM_SHIFT);
	x->g->in_vmcall = true;
	x->g->vmcall_mask = mask & (VMCALL_HOST_REGS | 0xFFFF0000ULL);
}

/* An instruction that was emulated ends as others do. */
void guest_skip_insn(struct guest_ctx *x)
{
	struct guest_cpu *r = x->r;

	r->rip += x->insn.len;
	if (!guest_in_64bit_mode(r))
		r->rip = (uint32_t)r->rip;
	r->interrupt_shadow = false;
	r->rflags &= ~RFLAGS_RF;
	if (r->rflags & RFLAGS_TF) {
		r->dr6 |= DR6_SINGLE_STEP;
		guest_inject(x, VECTOR_DB, false, 0);
	}
}

uint64_t guest_tsc(const struct guest_ctx *x)
{
	const struct td_params *p = &x->td->params;
	uint64_t tsc = platform_tsc(x->s, x->cpu);

	return (uint64_t)((unsigned __int128)tsc * p->tsc_multiplier >> 48) + p->tsc_offset;
}

static void on_host_event(struct guest_ctx *x)
{
	guest_leave(x, TDX_SUCCESS, VMX_OTHER_SMI);
}

static void on_init(struct guest_ctx *x)
{
	guest_leave(x, TDX_SUCCESS, VMX_INIT);
}

static void on_undefined(struct guest_ctx *x)
{
	switch (x->insn.kind) {
	case GI_TDCALL:
		guest_on_tdcall(x);
		break;
	case GI_VMCALL:
		guest_inject_ve(x, VMX_VMCALL, 0);
		break;
	case GI_INVPCID:
		guest_on_invpcid(x);
		break;
	default:
		guest_inject_ud(x);
	}
}

static void on_io(struct guest_ctx *x)
{
	const struct guest_exit *e = x->exit;
	uint64_t qual = (e->io_bytes - 1U) | (uint64_t)e->port << IO_QUAL_PORT_SHIFT |
			(e->io_in ? IO_QUAL_IN : 0) | (e->io_string ? IO_QUAL_STRING : 0) |
			(e->io_rep ? IO_QUAL_REP : 0) |
			(x->insn.io_immediate ? IO_QUAL_IMMEDIATE : 0);

	guest_inject_ve(x, VMX_IO, qual);
}

static void on_hlt(struct guest_ctx *x)
{
	guest_inject_ve(x, VMX_HLT, 0);
}

static void on_cache(struct guest_ctx *x)
{
	guest_inject_ve(x, x->insn.kind == GI_INVD ? VMX_INVD : VMX_WBINVD, 0);
}

static void on_rdtsc(struct guest_ctx *x)
{
	uint64_t tsc = guest_tsc(x);

	x->r->gpr.rax = (uint32_t)tsc;
	x->r->gpr.rdx = tsc >> 32;
	if (x->insn.kind == GI_RDTSCP)
		x->r->gpr.rcx = (uint32_t)x->r->tsc_aux;
	guest_skip_insn(x);
}

static void on_rdpmc(struct guest_ctx *x)
{
	guest_inject_gp(x);
}

static void on_monitor(struct guest_ctx *x)
{
	guest_inject_ud(x);
}

/* guest_prepare_events() does what there is to do. */
static void on_interrupt_window(struct guest_ctx *x)
{
	(void)x;
}

static void on_iret(struct guest_ctx *x)
{
	x->g->nmi_blocked = false;
}

static void on_triple_fault(struct guest_ctx *x)
{
	guest_leave(x, TDX_NON_RECOVERABLE_VCPU, VMX_TRIPLE_FAULT);
}

static void on_bad_state(struct guest_ctx *x)
{
	if (x->insn.kind == GI_MOV_TO_CR)
		guest_on_cr(x);
	else
		guest_leave(x, TDX_NON_RECOVERABLE_TD, VMX_ENTRY_FAILED | VMX_INVALID_STATE);
}

static const struct {
	void (*handle)(struct guest_ctx *x);
	/* The instruction is looked at. */
	bool decodes;
} handlers[NR_GUEST_STOPS] = {
	[GUEST_STOP_HOST_EVENT]		= { on_host_event, false },
	[GUEST_STOP_INIT]		= { on_init, false },
	[GUEST_STOP_MEMORY]		= { guest_on_memory, false },
	[GUEST_STOP_UNDEFINED]		= { on_undefined, true },
	[GUEST_STOP_CPUID]		= { guest_on_cpuid, true },
	[GUEST_STOP_MSR]		= { guest_on_msr, true },
	[GUEST_STOP_IO]			= { on_io, true },
	[GUEST_STOP_HLT]		= { on_hlt, true },
	[GUEST_STOP_RDTSC]		= { on_rdtsc, true },
	[GUEST_STOP_RDPMC]		= { on_rdpmc, false },
	[GUEST_STOP_CACHE]		= { on_cache, true },
	[GUEST_STOP_MONITOR]		= { on_monitor, false },
	[GUEST_STOP_CR]			= { guest_on_cr, true },
	[GUEST_STOP_INTERRUPT_WINDOW]	= { on_interrupt_window, false },
	[GUEST_STOP_IRET]		= { on_iret, false },
	[GUEST_STOP_TRIPLE_FAULT]	= { on_triple_fault, false },
	[GUEST_STOP_BAD_STATE]		= { on_bad_state, true },
};

/*
 * Returns false if the instruction is not there any more: the guest will fault
 * on it, or execute what is there now.
 */
static bool decode(struct guest_ctx *x)
{
	uint8_t code[GUEST_INSN_MAX];
	size_t avail = guest_fetch(x, code, sizeof(code));

	guest_insn_decode(code, avail, guest_in_64bit_mode(x->r), &x->insn);
	return avail;
}

static void handle(struct guest_ctx *x)
{
	x->g->run.inject = x->exit->vectoring;
	if (handlers[x->exit->why].decodes && !decode(x))
		return;
	handlers[x->exit->why].handle(x);
}

/* What the host finds in its registers. */
static void write_result(const struct guest_ctx *x, struct guest_result *result)
{
	uint64_t rbp = x->out_rbp ? x->out.rbp : result->regs.rbp;

	result->regs = x->out;
	result->regs.rbp = rbp;
	result->regs.rax = x->status;
	result->xmm = x->out_xmm;
}

static void leave(struct guest_ctx *x)
{
	x->vcpu->last_tsc = platform_tsc(x->s, x->cpu);
	atomic_store(&x->vcpu->state, x->disable ? VCPU_DISABLED : VCPU_READY);
	track_exit(x->td, x->vcpu);
	vcpu_put(&x->s->guest_lp[x->cpu].ref);
}

bool vp_exit(struct seam *s, unsigned int cpu, const struct guest_exit *exit,
	     struct guest_result *result)
{
	struct guest_ctx x;

	guest_ctx_init(s, cpu, &x);
	x.exit = exit;
	handle(&x);
	if (!x.leave) {
		guest_prepare_events(&x);
		return false;
	}
	write_result(&x, result);
	leave(&x);
	return true;
}

/* Known to leave without a look at the TD. */
static bool always_leaves(const struct guest_ctx *x)
{
	switch (x->exit->why) {
	case GUEST_STOP_HOST_EVENT:
	case GUEST_STOP_INIT:
	case GUEST_STOP_MEMORY:
	case GUEST_STOP_TRIPLE_FAULT:
	case GUEST_STOP_BAD_STATE:
		return true;
	case GUEST_STOP_UNDEFINED:
		/* TDG.VP.VMCALL, in all likelihood. */
		return !x->r->gpr.rax;
	case GUEST_STOP_MSR:
		/* TSC_AUX is loaded with the registers that a stop leaves in the CPU. */
		return (uint32_t)x->r->gpr.rcx == MSR_TSC_AUX;
	default:
		return false;
	}
}

bool seam_guest_try(struct seam *s, unsigned int cpu, const struct guest_exit *exit)
{
	struct guest_vcpu before;
	struct guest_ctx x;

	guest_ctx_init(s, cpu, &x);
	x.exit = exit;
	if (always_leaves(&x))
		return false;
	before = *x.g;
	handle(&x);
	/* INVPCID may have used the base of FS or GS. */
	if (x.leave || x.insn.kind == GI_INVPCID) {
		*x.g = before;
		return false;
	}
	guest_prepare_events(&x);
	return true;
}

static const struct {
	struct guest_insn insn;
	void (*handle)(struct guest_ctx *x);
} quick[] = {
	[GUEST_QUICK_TDCALL]	= { { .kind = GI_TDCALL, .len = 4 }, guest_on_tdcall },
	[GUEST_QUICK_CPUID]	= { { .kind = GI_CPUID, .len = 2 }, guest_on_cpuid },
	[GUEST_QUICK_RDTSC]	= { { .kind = GI_RDTSC, .len = 2 }, on_rdtsc },
	[GUEST_QUICK_RDTSCP]	= { { .kind = GI_RDTSCP, .len = 3 }, on_rdtsc },
};

bool seam_guest_quick(struct seam *s, unsigned int cpu, enum guest_quick what)
{
	static const struct guest_exit exit = { .why = GUEST_STOP_UNDEFINED };
	struct guest_vcpu before;
	struct guest_ctx x;

	guest_ctx_init(s, cpu, &x);
	x.exit = &exit;
	x.insn = quick[what].insn;
	before = *x.g;
	x.g->run.inject.valid = false;
	quick[what].handle(&x);
	if (!x.leave && !x.g->run.inject.valid)
		return true;
	*x.g = before;
	return false;
}

struct guest_run *seam_guest(struct seam *s, unsigned int cpu)
{
	return &s->guest_lp[cpu].ref.vcpu->guest->run;
}

bool seam_guest_map(struct seam *s, unsigned int cpu, uint64_t gpa, struct guest_map *map)
{
	struct guest_ctx x;

	guest_ctx_init(s, cpu, &x);
	return guest_find(&x, gpa, map);
}

bool seam_guest_xsetbv(struct seam *s, unsigned int cpu, uint32_t index, uint64_t value)
{
	return !index && guest_xcr0_ok(s->guest_lp[cpu].ref.vcpu->td, value);
}
