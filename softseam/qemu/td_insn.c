// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions of a TD that are done where they are met.
 *
 * To stop the guest for them costs far more than to execute them: each stop and each
 * way back moves most of its registers to memory, one by one.  What TCG executes in
 * another way than the CPU of a TDX platform is done here, too.
 */
#include "gprs.h"
#include "guest.h"
#include "run_td.h"
#include "tcg_jump.h"

#define CR3_KEEP_TRANSLATIONS	(UINT64_C(1) << 63)
#define CR3_ADDRESS_BITS	48
#define CR4_TSD			(UINT64_C(1) << 2)
#define CPL_MASK		3

/* What the model needs to see of an instruction, and what it leaves. */
static const struct {
	enum insn_kind kind;
	enum guest_quick what;
	unsigned int in, out;
} quick[] = {
	{ INSN_TDCALL,	GUEST_QUICK_TDCALL,	GPRS_ALL, GPRS_ALL },
	{ INSN_CPUID,	GUEST_QUICK_CPUID,	GPR(RAX) | GPR(RCX),
						GPR(RAX) | GPR(RBX) | GPR(RCX) | GPR(RDX) },
	{ INSN_RDTSC,	GUEST_QUICK_RDTSC,	0, GPR(RAX) | GPR(RDX) },
	{ INSN_RDTSCP,	GUEST_QUICK_RDTSCP,	0, GPR(RAX) | GPR(RCX) | GPR(RDX) },
};

static struct guest_run *guest_of(const struct vcpu *v)
{
	return seam_guest(v->td.site->platform->seam, v->index);
}

/*
 * The model takes the code segment to be what it was at the last stop.  Privilege
 * and what may be executed with it are the CPU's to check, at a stop.
 */
static bool may_be_quick(struct vcpu *v, const struct guest_run *run, enum insn_kind kind)
{
	uint64_t cs = vcpu_read(v, REG_CS);

	if (cs != run->cpu.seg[SEG_CS].selector)
		return false;
	switch (kind) {
	case INSN_TDCALL:
		/* 0 is TDG.VP.VMCALL, for which the guest stops in any case. */
		return !(cs & CPL_MASK) && vcpu_read(v, REG_RAX);
	case INSN_RDTSC:
	case INSN_RDTSCP:
		return !(cs & CPL_MASK) || !(run->cpu.cr4 & CR4_TSD);
	default:
		return true;
	}
}

static struct outcome execute_quick(struct vcpu *v, enum insn_kind kind)
{
	struct guest_run *run = guest_of(v);
	struct seam_regs before;
	unsigned int i = 0, set;

	while (quick[i].kind != kind)
		i++;
	/* A stop keeps the flags, whatever this QEMU is. */
	if (!tcg_jump_is_safe() || !may_be_quick(v, run, kind))
		return outcome_to_tcg();
	gprs_read(v, &run->cpu.gpr, quick[i].in);
	before = run->cpu.gpr;
	if (!seam_guest_quick(v->td.site->platform->seam, v->index, quick[i].what))
		return outcome_to_tcg();
	set = quick[i].in == GPRS_ALL ? gprs_changed(&before, &run->cpu.gpr) : quick[i].out;
	gprs_write(v, &run->cpu.gpr, set);
	return outcome_done();
}

static struct outcome xsetbv(struct vcpu *v)
{
	uint64_t value = vcpu_read(v, REG_RDX) << 32 | vcpu_read32(v, REG_RAX);
	struct seam *seam = v->td.site->platform->seam;

	if (!vcpu_in_long_mode(v))
		return outcome_to_tcg();
	if (!seam_guest_xsetbv(seam, v->index, vcpu_read32(v, REG_RCX), value))
		return outcome_gp();
	/* TCG checks privilege, too.  CPUID wants to know the value before the next stop. */
	if (vcpu_in_kernel(v))
		guest_of(v)->cpu.xcr0 = value;
	return outcome_to_tcg();
}

/*
 * TCG refuses bit 63 of CR3, which keeps the translations of a PCID.  It has no
 * PCIDs, and dropping translations is always allowed.
 */
static struct outcome mov_to_cr3(struct vcpu *v, const struct site *site)
{
	uint64_t value = vcpu_read(v, site->insn.rm);

	if (!(value & CR3_KEEP_TRANSLATIONS) || !(guest_of(v)->cpu.cr4 & CR4_PCIDE) ||
	    !vcpu_in_kernel(v))
		return outcome_to_tcg();
	value &= ~CR3_KEEP_TRANSLATIONS;
	if (value >> CR3_ADDRESS_BITS)
		return outcome_to_tcg();
	vcpu_write(v, REG_CR3, value);
	return outcome_done();
}

/* The bits that TCG does not know are kept with the vCPU: see vmcb.c. */
static struct outcome mov_from_cr4(struct vcpu *v, const struct site *site)
{
	uint64_t cr4 = guest_of(v)->cpu.cr4;

	if (!(cr4 & CR4_PCIDE) || !vcpu_in_kernel(v))
		return outcome_to_tcg();
	vcpu_write(v, site->insn.rm, cr4);
	return outcome_done();
}

struct outcome td_execute(struct vcpu *v, const struct site *site)
{
	switch (site->insn.kind) {
	case INSN_TDCALL:
	case INSN_CPUID:
	case INSN_RDTSC:
	case INSN_RDTSCP:
		return execute_quick(v, site->insn.kind);
	case INSN_XSETBV:
		return xsetbv(v);
	case INSN_MOV_TO_CR3:
		return mov_to_cr3(v, site);
	case INSN_MOV_FROM_CR4:
		return mov_from_cr4(v, site);
	default:
		return outcome_to_tcg();
	}
}
