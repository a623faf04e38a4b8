// SPDX-License-Identifier: GPL-2.0-only
/* The registers of a TD's vCPU before its first instruction. */
#include <stdlib.h>
#include <string.h>

#include "guest_vcpu.h"
#include "virtual_cpuid.h"

#define RESET_VECTOR	0xFFFFFFF0

#define AR_CODE32	0xC09B
#define AR_DATA		0xC093
#define AR_TSS		0x008B
#define SEG_LIMIT	0xFFFFFFFF
#define TABLE_LIMIT	0xFFFF

#define DR6_INITIAL	0xFFFF0FF0
#define DR7_INITIAL	0x400
#define PAT_INITIAL	0x0007040600070406ULL
#define RFLAGS_INITIAL	2
#define XCR0_X87	1

#define FCW_INITIAL	0x37F
#define MXCSR_INITIAL	0x1F80
#define XSAVE_FCW	0
#define XSAVE_MXCSR	24

static void initial_segments(struct guest_cpu *r)
{
	for (unsigned int i = 0; i < NR_GUEST_SEGS; i++)
		r->seg[i] = (struct guest_segment){ .ar = AR_DATA, .limit = SEG_LIMIT };
	r->seg[SEG_CS].ar = AR_CODE32;
	r->ldtr = (struct guest_segment){ .ar = SEG_AR_UNUSABLE, .limit = TABLE_LIMIT };
	r->tr = (struct guest_segment){ .ar = AR_TSS, .limit = TABLE_LIMIT };
	r->gdtr.limit = TABLE_LIMIT;
	r->idtr.limit = TABLE_LIMIT;
}

/* All components in their initial state, in the form that XRSTOR takes. */
static void initial_xsave(uint8_t *xsave)
{
	uint16_t fcw = FCW_INITIAL;
	uint32_t mxcsr = MXCSR_INITIAL;

	memcpy(xsave + XSAVE_FCW, &fcw, sizeof(fcw));
	memcpy(xsave + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

static void initial_registers(struct guest_cpu *r, const struct vcpu *vcpu)
{
	const struct td *td = vcpu->td;
	const uint32_t *features = virtual_cpuid_find(td->cpuid, CPUID_FEATURES, 0);

	r->gpr.rbx = td->params.gpaw;
	r->gpr.rcx = vcpu->initial_rcx;
	r->gpr.r8 = vcpu->initial_rcx;
	r->gpr.rdx = features ? features[EAX] : 0;
	r->gpr.rsi = vcpu->index;
	r->rip = RESET_VECTOR;
	r->rflags = RFLAGS_INITIAL;
	r->cr0 = CR0_PE | CR0_NE;
	r->cr4 = CR4_MCE;
	r->efer = EFER_SYSCALL | EFER_LONG | EFER_NX;
	r->dr6 = DR6_INITIAL;
	r->dr7 = DR7_INITIAL;
	r->xcr0 = XCR0_X87;
	initial_segments(r);
	initial_xsave(r->xsave);
}

/* Never the same twice. */
static uint64_t new_tlb_id(struct seam *s)
{
	return atomic_fetch_add(&s->next_tlb_id, 1) + 1;
}

struct guest_vcpu *guest_vcpu_new(const struct vcpu *vcpu)
{
	struct guest_vcpu *g = calloc(1, sizeof(*g));
	struct seam *s = vcpu->td->seam;

	if (!g)
		return NULL;
	g->run.xfam = vcpu->td->params.xfam;
	g->run.tlb_id = new_tlb_id(s);
	g->msr.pat = PAT_INITIAL;
	initial_registers(&g->run.cpu, vcpu);
	return g;
}

void guest_vcpu_free(struct guest_vcpu *g)
{
	free(g);
}

void guest_drop_translations(struct vcpu *vcpu)
{
	vcpu->guest->run.tlb_id = new_tlb_id(vcpu->td->seam);
}

bool guest_in_64bit_mode(const struct guest_cpu *r)
{
	return r->efer & EFER_LONG_ACTIVE && r->seg[SEG_CS].ar & SEG_AR_L;
}

uint64_t guest_gpr(const struct guest_cpu *r, unsigned int n)
{
	const struct seam_regs *g = &r->gpr;
	const uint64_t value[16] = {
		g->rax, g->rcx, g->rdx, g->rbx, r->rsp, g->rbp, g->rsi, g->rdi,
		g->r8, g->r9, g->r10, g->r11, g->r12, g->r13, g->r14, g->r15,
	};

	return value[n];
}

unsigned int guest_cpl(const struct guest_cpu *r)
{
	return r->seg[SEG_SS].ar >> SEG_AR_DPL_SHIFT & 3;
}
