// SPDX-License-Identifier: GPL-2.0-only
/* Control registers: what a TD may write, and what is #GP or #VE. */
#include "guest_vcpu.h"
#include "virtual_cpuid.h"

#define CR0_MP		(1ULL << 1)
#define CR0_EM		(1ULL << 2)
#define CR0_TS		(1ULL << 3)
#define CR0_ET		(1ULL << 4)
#define CR0_AM		(1ULL << 18)
#define CR0_LMSW	(CR0_MP | CR0_EM | CR0_TS)
/* Bits that are not reserved: all others are ignored, but for 63:32. */
#define CR0_WRITABLE	(CR0_PE | CR0_LMSW | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)

/* CR4 bits that every CPU has; SMXE is there to be refused. */
#define CR4_COMMON	0x67FFULL
#define CR4_PKE		(1ULL << 22)
#define CR4_CET		(1ULL << 23)
#define CR4_PKS		(1ULL << 24)
#define CR4_UINTR	(1ULL << 25)

#define XFAM_PK		(1ULL << 9)
#define XFAM_CET	(3ULL << 11)
#define XFAM_UINTR	(1ULL << 14)

#define XCR0_X87	(1ULL << 0)
#define XCR0_SSE	(1ULL << 1)
#define XCR0_AVX	(1ULL << 2)
#define XCR0_AVX512	(7ULL << 5)
#define XCR0_AMX	(3ULL << 17)
#define XCR0_USER	0x602E7ULL

#define CR3_PCID	0xFFFULL
#define CR8_RESERVED	(~0xFULL)

/* CR4 bits that come with a feature. */
static const struct {
	uint64_t cr4;
	uint32_t leaf;
	enum cpuid_reg reg;
	unsigned int bit;
} cr4_features[] = {
	/* UMIP, LA57, FSGSBASE */
	{ 1ULL << 11, CPUID_EXT_FEATURES, ECX, 2 },
	{ CR4_LA57, CPUID_EXT_FEATURES, ECX, 16 },
	{ 1ULL << 16, CPUID_EXT_FEATURES, EBX, 0 },
	/* PCIDE, OSXSAVE */
	{ CR4_PCIDE, CPUID_FEATURES, ECX, 17 },
	{ CR4_OSXSAVE, CPUID_FEATURES, ECX, 26 },
	/* SMEP, SMAP, PKE, CET, PKS, UINTR */
	{ 1ULL << 20, CPUID_EXT_FEATURES, EBX, 7 },
	{ 1ULL << 21, CPUID_EXT_FEATURES, EBX, 20 },
	{ CR4_PKE, CPUID_EXT_FEATURES, ECX, 3 },
	{ CR4_CET, CPUID_EXT_FEATURES, ECX, 7 },
	{ CR4_PKS, CPUID_EXT_FEATURES, ECX, 31 },
	{ CR4_UINTR, CPUID_EXT_FEATURES, EDX, 5 },
};

enum verdict { VERDICT_OK, VERDICT_GP, VERDICT_VE };

/* Qualification of a CR access exit: MOV to CR, from which register. */
static uint64_t qualification(const struct guest_insn *insn)
{
	return insn->cr | (uint64_t)insn->gpr << 8;
}

static enum verdict check_cr0(const struct guest_cpu *r, uint64_t value)
{
	if (value >> 32)
		return VERDICT_GP;
	if (value & CR0_PG && !(value & CR0_PE))
		return VERDICT_GP;
	if (value & CR0_NW && !(value & CR0_CD))
		return VERDICT_GP;
	if (!(value & CR0_WP) && r->cr4 & CR4_CET)
		return VERDICT_GP;
	if (!(value & CR0_PE) || !(value & CR0_NE) || value & (CR0_NW | CR0_CD))
		return VERDICT_VE;
	return VERDICT_OK;
}

/* Paging goes on or off: #GP where the CPU says so, and LMA. */
static enum verdict switch_paging(struct guest_cpu *r, uint64_t value)
{
	bool on = value & CR0_PG;

	if (on == !!(r->cr0 & CR0_PG) || !(r->efer & EFER_LONG))
		return VERDICT_OK;
	if (on && (!(r->cr4 & CR4_PAE) || r->seg[SEG_CS].ar & SEG_AR_L))
		return VERDICT_GP;
	if (!on && (guest_in_64bit_mode(r) || r->cr4 & CR4_PCIDE))
		return VERDICT_GP;
	r->efer = on ? r->efer | EFER_LONG_ACTIVE : r->efer & ~EFER_LONG_ACTIVE;
	return VERDICT_OK;
}

static enum verdict write_cr0(struct guest_cpu *r, uint64_t value)
{
	enum verdict v = check_cr0(r, value);

	if (v == VERDICT_OK)
		v = switch_paging(r, value);
	if (v == VERDICT_OK)
		r->cr0 = (value & CR0_WRITABLE) | CR0_ET;
	return v;
}

static uint64_t cr4_known(const struct td *td)
{
	uint64_t known = CR4_COMMON;

	for (size_t i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		const uint32_t *v = virtual_cpuid_find(td->cpuid, cr4_features[i].leaf, 0);

		if (v && v[cr4_features[i].reg] >> cr4_features[i].bit & 1)
			known |= cr4_features[i].cr4;
	}
	return known;
}

static bool cr4_allowed(const struct td *td, uint64_t value)
{
	uint64_t xfam = td->params.xfam;

	if (value & ~cr4_known(td))
		return false;
	if (value & CR4_PKE && !(xfam & XFAM_PK))
		return false;
	if (value & CR4_CET && (xfam & XFAM_CET) != XFAM_CET)
		return false;
	if (value & CR4_UINTR && !(xfam & XFAM_UINTR))
		return false;
	return !(value & CR4_PKS) || td->params.attributes & TD_ATTR_PKS;
}

static enum verdict write_cr4(const struct td *td, struct guest_cpu *r, uint64_t value)
{
	bool long_mode = r->efer & EFER_LONG_ACTIVE;

	if (!cr4_allowed(td, value))
		return VERDICT_GP;
	if (value & CR4_CET && !(r->cr0 & CR0_WP))
		return VERDICT_GP;
	if (long_mode && (!(value & CR4_PAE) || (value ^ r->cr4) & CR4_LA57))
		return VERDICT_GP;
	if (value & ~r->cr4 & CR4_PCIDE && (!long_mode || r->cr3 & CR3_PCID))
		return VERDICT_GP;
	if (value & (CR4_VMX | CR4_SMXE) || !(value & CR4_MCE))
		return VERDICT_VE;
	r->cr4 = value;
	return VERDICT_OK;
}

static enum verdict write_cr8(struct guest_ctx *x, uint64_t value)
{
	if (value & CR8_RESERVED)
		return VERDICT_GP;
	x->g->apic.tpr = (uint8_t)(value << 4);
	return VERDICT_OK;
}

static uint64_t operand(const struct guest_ctx *x)
{
	uint64_t value = guest_gpr(x->r, x->insn.gpr);

	return guest_in_64bit_mode(x->r) ? value : (uint32_t)value;
}

static enum verdict mov_to_cr(struct guest_ctx *x)
{
	switch (x->insn.cr) {
	case 0:
		return write_cr0(x->r, operand(x));
	case 4:
		return write_cr4(x->td, x->r, operand(x));
	case 8:
		return write_cr8(x, operand(x));
	default:
		/* CR3: the CPU stops only for a value that it refuses. */
		return VERDICT_GP;
	}
}

/* LMSW changes MP, EM and TS; it can set PE, which is set already. */
static enum verdict lmsw(struct guest_ctx *x)
{
	x->r->cr0 = (x->r->cr0 & ~CR0_LMSW) | (operand(x) & CR0_LMSW);
	return VERDICT_OK;
}

void guest_on_cr(struct guest_ctx *x)
{
	enum verdict v = VERDICT_GP;

	if (x->insn.kind == GI_MOV_TO_CR)
		v = mov_to_cr(x);
	else if (x->insn.kind == GI_LMSW)
		v = lmsw(x);

	if (v == VERDICT_GP)
		guest_inject_gp(x);
	else if (v == VERDICT_VE)
		guest_inject_ve(x, VMX_CR_ACCESS, qualification(&x->insn));
	else
		guest_skip_insn(x);
}

bool guest_xcr0_ok(const struct td *td, uint64_t xcr0)
{
	uint64_t avx512 = xcr0 & XCR0_AVX512, amx = xcr0 & XCR0_AMX;

	if (!(xcr0 & XCR0_X87) || xcr0 & ~(td->params.xfam & XCR0_USER))
		return false;
	if (xcr0 & XCR0_AVX && !(xcr0 & XCR0_SSE))
		return false;
	if (avx512 && (avx512 != XCR0_AVX512 || !(xcr0 & XCR0_AVX)))
		return false;
	return !amx || amx == XCR0_AMX;
}
