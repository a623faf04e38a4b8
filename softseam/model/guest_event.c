// SPDX-License-Identifier: GPL-2.0-only
/* What a guest finds instead of its next instruction: exceptions and interrupts. */
#include "guest_access.h"
#include "guest_fault.h"
#include "guest_vcpu.h"

/* How exceptions add up while one of them is delivered: SDM, volume 3, 6.15. */
enum exception_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static enum exception_class class_of(uint8_t vector)
{
	switch (vector) {
	case VECTOR_DE:
	case VECTOR_TS:
	case VECTOR_NP:
	case VECTOR_SS:
	case VECTOR_GP:
		return CONTRIBUTORY;
	case VECTOR_PF:
	case VECTOR_VE:
		return PAGE_FAULT;
	case VECTOR_DF:
		return DOUBLE_FAULT;
	default:
		return BENIGN;
	}
}

static bool is_double_fault(uint8_t first, uint8_t second)
{
	switch (class_of(first)) {
	case CONTRIBUTORY:
		return class_of(second) == CONTRIBUTORY;
	case PAGE_FAULT:
		return class_of(second) != BENIGN;
	default:
		return false;
	}
}

/* An event that gives way is not lost: it waits where it came from. */
static void put_back(struct guest_ctx *x, const struct guest_event *e)
{
	if (e->type == GUEST_EVENT_INTERRUPT) {
		vapic_undeliver(&x->g->apic, e->vector);
	} else if (e->type == GUEST_EVENT_NMI) {
		x->g->nmi_blocked = false;
		atomic_store(&x->vcpu->pend_nmi, true);
	}
}

void guest_inject(struct guest_ctx *x, uint8_t vector, bool has_error, uint32_t error)
{
	struct guest_event *e = &x->g->run.inject;
	bool during_exception = e->valid && e->type == GUEST_EVENT_EXCEPTION;

	if (during_exception && class_of(e->vector) == DOUBLE_FAULT) {
		guest_leave(x, TDX_NON_RECOVERABLE_VCPU, VMX_TRIPLE_FAULT);
		return;
	}
	if (during_exception && is_double_fault(e->vector, vector)) {
		vector = VECTOR_DF;
		has_error = true;
		error = 0;
	} else if (e->valid) {
		put_back(x, e);
	}
	*e = (struct guest_event){
		.valid = true,
		.vector = vector,
		.type = GUEST_EVENT_EXCEPTION,
		.has_error = has_error,
		.error = error,
	};
}

void guest_inject_gp(struct guest_ctx *x)
{
	guest_inject(x, VECTOR_GP, true, 0);
}

void guest_inject_ud(struct guest_ctx *x)
{
	guest_inject(x, VECTOR_UD, false, 0);
}

static void inject_ve(struct guest_ctx *x, const struct ve_info *ve)
{
	if (x->g->ve.valid) {
		guest_inject(x, VECTOR_DF, true, 0);
		return;
	}
	x->g->ve = *ve;
	guest_inject(x, VECTOR_VE, false, 0);
}

/* INS has no choice of a segment. */
static uint32_t string_io_info(const struct guest_ctx *x)
{
	unsigned int bytes = guest_addr_bytes(x->r, x->insn.addrsize);
	unsigned int seg = x->exit->io_in ? SEG_ES : x->insn.seg;

	return bytes / 4 << INSN_INFO_ADDR_SHIFT | seg << INSN_INFO_SEG_SHIFT;
}

void guest_inject_ve(struct guest_ctx *x, enum vmx_reason reason, uint64_t qualification)
{
	struct ve_info ve = {
		.valid = true,
		.reason = reason,
		.qualification = qualification,
		.insn_len = x->insn.len,
	};

	if (reason == VMX_IO && x->exit->io_string)
		ve.insn_info = string_io_info(x);
	inject_ve(x, &ve);
}

void guest_inject_ve_memory(struct guest_ctx *x, uint64_t qualification, uint64_t gpa)
{
	struct ve_info ve = {
		.valid = true,
		.reason = VMX_EPT_VIOLATION,
		.qualification = qualification,
		.gpa = gpa,
	};

	/* What the module itself did for a TDCALL has no linear address. */
	if (x->insn.kind != GI_TDCALL && guest_fault_linear(x, &ve.linear)) {
		ve.qualification |= EPT_QUAL_LINEAR;
		if (!x->exit->page_table)
			ve.qualification |= EPT_QUAL_FINAL;
	}
	inject_ve(x, &ve);
}

static void take_posted(struct guest_ctx *x)
{
	const struct vcpu_vmcs *vmcs = &x->vcpu->vmcs;
	struct posted *posted;

	if (!(atomic_load(&vmcs->pin_controls) & PIN_PROCESS_POSTED_INTERRUPTS))
		return;
	posted = x->s->machine.ram(x->s->machine.opaque, atomic_load(&vmcs->pid_address),
				   sizeof(*posted));
	if (posted)
		vapic_take_posted(&x->g->apic, posted);
}

/* An NMI waits for the guest to take the VE_INFO of a #VE. */
static bool prepare_nmi(struct guest_ctx *x)
{
	struct guest_vcpu *g = x->g;

	if (g->nmi_blocked || g->ve.valid || x->r->interrupt_shadow)
		return false;
	if (!atomic_exchange(&x->vcpu->pend_nmi, false))
		return false;
	g->nmi_blocked = true;
	g->run.inject = (struct guest_event){
		.valid = true, .vector = VECTOR_NMI, .type = GUEST_EVENT_NMI,
	};
	return true;
}

static void prepare_interrupt(struct guest_ctx *x)
{
	struct guest_vcpu *g = x->g;
	int vector = vapic_deliverable(&g->apic);
	bool ready = x->r->rflags & RFLAGS_IF && !x->r->interrupt_shadow;

	if (vector >= 0 && ready && !g->run.inject.valid) {
		vapic_deliver(&g->apic, (uint8_t)vector);
		g->run.inject = (struct guest_event){
			.valid = true,
			.vector = (uint8_t)vector,
			.type = GUEST_EVENT_INTERRUPT,
		};
		vector = vapic_deliverable(&g->apic);
	}
	g->run.interrupt_class = vector < 0 ? 0 : (unsigned int)vector >> 4;
}

void guest_prepare_events(struct guest_ctx *x)
{
	struct guest_vcpu *g = x->g;

	take_posted(x);
	if (!g->run.inject.valid)
		prepare_nmi(x);
	prepare_interrupt(x);
	g->run.stop_at_iret = g->nmi_blocked;
	x->r->cr8 = g->apic.tpr >> 4;
}

bool guest_interrupt_pending(const struct vcpu *vcpu)
{
	const struct guest_vcpu *g = vcpu->guest;

	return g && vapic_deliverable(&g->apic) >= 0;
}
