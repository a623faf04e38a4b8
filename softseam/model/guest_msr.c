// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs of a TD.  Those that are the guest's own registers and cost nothing to
 * give it never stop it; the others come here: virtual, #GP(0) or #VE.  What the
 * tables do not name is #VE: the host may know it.
 */
#include "guest_vcpu.h"
#include "virtual_cpuid.h"

enum {
	MSR_TSC			= 0x10,
	MSR_SPEC_CTRL		= 0x48,
	MSR_PRED_CMD		= 0x49,
	MSR_ARCH_CAPABILITIES	= 0x10A,
	MSR_FLUSH_CMD		= 0x10B,
	MSR_MISC_ENABLE		= 0x1A0,
	MSR_DEBUGCTL		= 0x1D9,
	MSR_PAT			= 0x277,
	MSR_PERF_CAPABILITIES	= 0x345,
	MSR_X2APIC_TPR		= 0x808,
	MSR_X2APIC_PPR		= 0x80A,
	MSR_X2APIC_EOI		= 0x80B,
	MSR_X2APIC_ISR		= 0x810,
	MSR_X2APIC_TMR		= 0x818,
	MSR_X2APIC_IRR		= 0x820,
	MSR_X2APIC_SELF_IPI	= 0x83F,
	MSR_XSS			= 0xDA0,
	MSR_EFER		= 0xC0000080,
};

/* Fast strings; no branch trace store, no PEBS. */
#define MISC_ENABLE_VALUE	0x1801ULL
/* Bits of the host, of performance monitoring and TSX, and those that are reserved. */
#define DEBUGCTL_IGNORED	(1ULL << 13)
#define DEBUGCTL_WRITABLE	0x1FC7ULL
#define DEBUGCTL_TRACE		(1ULL << 6)
#define DEBUGCTL_TRACE_STORE	(1ULL << 7)
/* IA32_ARCH_CAPABILITIES: RRSBA, which a TD may be told of where it is not. */
#define ARCH_CAP_RRSBA		(1ULL << 19)
#define XSS_SUPERVISOR		0x1D900ULL

enum verdict { VERDICT_OK, VERDICT_GP, VERDICT_VE };

/* Performance monitoring, which a TD without it does not have. */
static const struct {
	uint32_t first, last;
} perfmon[] = {
	{ 0xC1, 0xC8 },
	{ 0x186, 0x18D },
	{ 0x1A6, 0x1A7 },
	{ 0x309, 0x30C },
	{ 0x329, 0x329 },
	{ 0x38D, 0x392 },
	{ 0x3F1, 0x3F2 },
	{ 0x3F6, 0x3F7 },
	{ 0x4C1, 0x4C8 },
};

static bool is_perfmon(uint32_t msr)
{
	for (size_t i = 0; i < ARRAY_SIZE(perfmon); i++) {
		if (msr >= perfmon[i].first && msr <= perfmon[i].last)
			return true;
	}
	return false;
}

/* A row of 32-bit registers; returns NULL if @msr is in none. */
static const uint32_t *x2apic_row(const struct vapic *apic, uint32_t msr)
{
	unsigned int word = msr % VAPIC_WORDS;

	switch (msr - word) {
	case MSR_X2APIC_ISR:
		return &apic->isr[word];
	case MSR_X2APIC_TMR:
		return &apic->tmr[word];
	case MSR_X2APIC_IRR:
		return &apic->irr[word];
	default:
		return NULL;
	}
}

static enum verdict read_x2apic(const struct vapic *apic, uint32_t msr, uint64_t *value)
{
	const uint32_t *row = x2apic_row(apic, msr);

	if (row)
		*value = *row;
	else if (msr == MSR_X2APIC_TPR)
		*value = apic->tpr;
	else if (msr == MSR_X2APIC_PPR)
		*value = vapic_priority(apic);
	else if (msr == MSR_X2APIC_EOI || msr == MSR_X2APIC_SELF_IPI)
		return VERDICT_GP;
	else
		return VERDICT_VE;
	return VERDICT_OK;
}

static enum verdict write_x2apic(struct vapic *apic, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case MSR_X2APIC_TPR:
		if (value >> 8)
			return VERDICT_GP;
		apic->tpr = (uint8_t)value;
		return VERDICT_OK;
	case MSR_X2APIC_EOI:
		if (value)
			return VERDICT_GP;
		vapic_eoi(apic);
		return VERDICT_OK;
	case MSR_X2APIC_SELF_IPI:
		if (value >> 8 || value < 16)
			return VERDICT_GP;
		vapic_request(apic, (uint8_t)value);
		return VERDICT_OK;
	case MSR_X2APIC_PPR:
		return VERDICT_GP;
	default:
		return x2apic_row(apic, msr) ? VERDICT_GP : VERDICT_VE;
	}
}

static bool is_x2apic(uint32_t msr)
{
	return msr >= 0x800 && msr <= 0x8FF;
}

static enum verdict read_msr(struct guest_ctx *x, uint32_t msr, uint64_t *value)
{
	const struct guest_msrs *own = &x->g->msr;

	switch (msr) {
	case MSR_TSC:
		*value = guest_tsc(x);
		return VERDICT_OK;
	case MSR_SPEC_CTRL:
		*value = own->spec_ctrl;
		return VERDICT_OK;
	case MSR_ARCH_CAPABILITIES:
		*value = SEAM_ARCH_CAPABILITIES | (x->td->params.arch_cap & ARCH_CAP_RRSBA);
		return VERDICT_OK;
	case MSR_MISC_ENABLE:
		*value = MISC_ENABLE_VALUE;
		return VERDICT_OK;
	case MSR_DEBUGCTL:
		*value = own->debugctl;
		return VERDICT_OK;
	case MSR_PAT:
		*value = own->pat;
		return VERDICT_OK;
	case MSR_PERF_CAPABILITIES:
		*value = 0;
		return VERDICT_OK;
	case MSR_XSS:
		*value = own->xss;
		return VERDICT_OK;
	case MSR_EFER:
		*value = x->r->efer;
		return VERDICT_OK;
	case MSR_PRED_CMD:
	case MSR_FLUSH_CMD:
		return VERDICT_GP;
	default:
		if (is_x2apic(msr))
			return read_x2apic(&x->g->apic, msr, value);
		return is_perfmon(msr) ? VERDICT_GP : VERDICT_VE;
	}
}

/* Only the enabling of SYSCALL is the guest's to change; LMA is not writable. */
static enum verdict write_efer(struct guest_cpu *r, uint64_t value)
{
	uint64_t fixed = ~(EFER_SYSCALL | EFER_LONG_ACTIVE);

	if ((value ^ r->efer) & fixed)
		return VERDICT_VE;
	r->efer = (r->efer & ~EFER_SYSCALL) | (value & EFER_SYSCALL);
	return VERDICT_OK;
}

static bool pat_valid(uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++, value >>= 8) {
		uint8_t type = (uint8_t)value;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static enum verdict set_if(uint64_t *to, uint64_t value, bool valid)
{
	if (!valid)
		return VERDICT_GP;
	*to = value;
	return VERDICT_OK;
}

/* Bits of IA32_SPEC_CTRL that come with a bit of CPUID. */
static const struct {
	uint32_t subleaf, cpuid;
	uint64_t bits;
} spec_ctrl[] = {
	/* IBRS, STIBP, SSBD */
	{ 0, 1U << 26, 1 << 0 }, { 0, 1U << 27, 1 << 1 }, { 0, 1U << 31, 1 << 2 },
	/* PSFD, IPRED_DIS, RRSBA_DIS, DDPD, BHI_DIS */
	{ 2, 1 << 0, 1 << 7 }, { 2, 1 << 1, 3 << 3 }, { 2, 1 << 2, 3 << 5 },
	{ 2, 1 << 3, 1 << 8 }, { 2, 1 << 4, 1 << 10 },
};

static enum verdict write_spec_ctrl(struct guest_ctx *x, uint64_t value)
{
	uint64_t writable = 0;

	for (size_t i = 0; i < ARRAY_SIZE(spec_ctrl); i++) {
		const uint32_t *v = virtual_cpuid_find(x->td->cpuid, CPUID_EXT_FEATURES,
						       spec_ctrl[i].subleaf);

		if (v && v[EDX] & spec_ctrl[i].cpuid)
			writable |= spec_ctrl[i].bits;
	}
	return set_if(&x->g->msr.spec_ctrl, value, !(value & ~writable));
}

static enum verdict write_debugctl(struct guest_msrs *own, uint64_t value)
{
	value &= ~DEBUGCTL_IGNORED;
	if (value & ~DEBUGCTL_WRITABLE)
		return VERDICT_GP;
	if (value & DEBUGCTL_TRACE && !(value & DEBUGCTL_TRACE_STORE))
		return VERDICT_VE;
	own->debugctl = value;
	return VERDICT_OK;
}

static enum verdict write_msr(struct guest_ctx *x, uint32_t msr, uint64_t value)
{
	struct guest_msrs *own = &x->g->msr;

	switch (msr) {
	case MSR_SPEC_CTRL:
		return write_spec_ctrl(x, value);
	case MSR_PRED_CMD:
	case MSR_FLUSH_CMD:
		/* Barriers: there is nothing to hold back. */
		return value & ~1ULL ? VERDICT_GP : VERDICT_OK;
	case MSR_DEBUGCTL:
		return write_debugctl(own, value);
	case MSR_PAT:
		return set_if(&own->pat, value, pat_valid(value));
	case MSR_XSS:
		return set_if(&own->xss, value,
			      !(value & ~(x->td->params.xfam & XSS_SUPERVISOR)));
	case MSR_EFER:
		return write_efer(x->r, value);
	case MSR_TSC_AUX:
		return set_if(&x->r->tsc_aux, value, !(value >> 32));
	case MSR_ARCH_CAPABILITIES:
	case MSR_PERF_CAPABILITIES:
		return VERDICT_GP;
	default:
		if (is_x2apic(msr))
			return write_x2apic(&x->g->apic, msr, value);
		return is_perfmon(msr) ? VERDICT_GP : VERDICT_VE;
	}
}

void guest_on_msr(struct guest_ctx *x)
{
	bool write = x->insn.kind == GI_WRMSR;
	struct seam_regs *r = &x->r->gpr;
	uint32_t msr = (uint32_t)r->rcx;
	uint64_t value = (uint64_t)(uint32_t)r->rdx << 32 | (uint32_t)r->rax;
	enum verdict v = write ? write_msr(x, msr, value) : read_msr(x, msr, &value);

	switch (v) {
	case VERDICT_GP:
		guest_inject_gp(x);
		return;
	case VERDICT_VE:
		guest_inject_ve(x, write ? VMX_MSR_WRITE : VMX_MSR_READ, 0);
		return;
	case VERDICT_OK:
		if (!write) {
			r->rax = (uint32_t)value;
			r->rdx = value >> 32;
		}
		guest_skip_insn(x);
	}
}
