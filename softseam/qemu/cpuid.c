// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID: QEMU answers, and what differs on a TDX platform is changed before
 * the next instruction.
 */
#include <string.h>

#include "control.h"
#include "execute.h"
#include "report.h"

#define LEAF_BASIC		0x0u
#define LEAF_FEATURES		0x1u
#define LEAF_EXT_FEATURES	0x7u
#define LEAF_TOPOLOGY		0xbu
#define LEAF_FIRST_EMPTY	0xeu
#define LEAF_LAST_EMPTY		0x14u
#define LEAF_TSC		0x15u
#define LEAF_POWER		0x80000007u
#define LEAF_AMD_FEATURES	0x80000001u
#define LEAF_ADDRESS_BITS	0x80000008u
#define LEAF_SVM		0x8000000au

/* VMX, PDCM; VME, self-snoop */
#define FEATURES_ECX		(1u << 5 | 1u << 15)
#define FEATURES_EDX		(1u << 1 | 1u << 27)
#define EXT_MAX_SUBLEAF		2
/* TSC_ADJUST, FDP_EXCPTN_ONLY, no FCS and FDS */
#define EXT_EBX			(1u << 1 | 1u << 6 | 1u << 13)
/* TME, bus lock detection, MOVDIR64B */
#define EXT_ECX			(1u << 13 | 1u << 24 | 1u << 28)
/*
 * MD_CLEAR, IBRS and IBPB, STIBP, L1D_FLUSH, IA32_ARCH_CAPABILITIES,
 * IA32_CORE_CAPABILITIES, SSBD
 */
#define EXT_EDX			(1u << 10 | 0x3fu << 26)
/* PSFD, IPRED_CTRL, RRSBA_CTRL, BHI_CTRL */
#define EXT_2_EDX		0x17u
#define AMD_ECX_SVM		(1u << 2)
#define POWER_EDX_INVARIANT_TSC	(1u << 8)

#define LEVEL_TYPE_CORE		2

/* Of the timers of QEMU's local APICs. */
#define APIC_KHZ		1000000u

/*
 * The level above cores is the package, as QEMU's machines have neither dies
 * nor modules unless asked for.
 */
static void check_topology(struct platform *p, const struct vcpu *v,
			   const struct cpuid_result *r)
{
	if (((r->ecx >> 8) & 0xff) == LEVEL_TYPE_CORE)
		platform_check_package(p, v, r->edx >> (r->eax & 0x1f));
}

/*
 * The frequency of the TSC as a multiple of that of the clock of the local APIC,
 * which is what Linux takes the crystal's for: one count a nanosecond in QEMU.
 */
static struct cpuid_result tsc_leaf(const struct options *opt)
{
	return (struct cpuid_result){
		.eax = APIC_KHZ / SEAM_TSC_UNIT_KHZ,
		.ebx = opt->seam.tsc_khz / SEAM_TSC_UNIT_KHZ,
		.ecx = APIC_KHZ * 1000,
	};
}

/*
 * What a TDX platform has and TCG lacks, as far as nothing has to be executed for
 * it: names of behaviour, and MSRs that may be read and written without effect.
 */
static void adjust_features(uint32_t subleaf, struct cpuid_result *r)
{
	switch (subleaf) {
	case 0:
		if (r->eax < EXT_MAX_SUBLEAF)
			r->eax = EXT_MAX_SUBLEAF;
		r->ebx |= EXT_EBX;
		r->ecx |= EXT_ECX;
		r->edx |= EXT_EDX;
		break;
	case 2:
		r->edx |= EXT_2_EDX;
		break;
	}
}

void cpuid_adjust(const struct options *opt, uint32_t leaf, uint32_t subleaf,
		  struct cpuid_result *r)
{
	switch (leaf) {
	case LEAF_BASIC:
		if (r->eax < LEAF_TSC)
			r->eax = LEAF_TSC;
		break;
	case LEAF_FIRST_EMPTY ... LEAF_LAST_EMPTY:
		/* TCG has none of them: QEMU tells those above its last leaf of that. */
		memset(r, 0, sizeof(*r));
		break;
	case LEAF_TSC:
		*r = tsc_leaf(opt);
		break;
	case LEAF_POWER:
		r->edx |= POWER_EDX_INVARIANT_TSC;
		break;
	case LEAF_FEATURES:
		if (opt->cpu_signature)
			r->eax = opt->cpu_signature;
		r->ecx |= FEATURES_ECX;
		r->edx |= FEATURES_EDX;
		break;
	case LEAF_EXT_FEATURES:
		adjust_features(subleaf, r);
		break;
	case LEAF_AMD_FEATURES:
		r->ecx &= ~AMD_ECX_SVM;
		break;
	case LEAF_ADDRESS_BITS:
		/* All of them: IA32_TME_ACTIVATE says how many are the KeyID's. */
		r->eax = (r->eax & ~0xffu) | seam_config_maxpa(&opt->seam);
		break;
	case LEAF_SVM:
		memset(r, 0, sizeof(*r));
		break;
	}
}

static bool is_of_interest(uint32_t leaf)
{
	switch (leaf) {
	case LEAF_BASIC:
	case LEAF_FEATURES:
	case LEAF_EXT_FEATURES:
	case LEAF_TOPOLOGY:
	case LEAF_FIRST_EMPTY ... LEAF_LAST_EMPTY:
	case LEAF_TSC:
	case LEAF_POWER:
	case LEAF_AMD_FEATURES:
	case LEAF_ADDRESS_BITS:
	case LEAF_SVM:
		return true;
	default:
		return false;
	}
}

static bool is_control(const struct platform *p, uint32_t leaf)
{
	return p->opt.control && leaf == CONTROL_LEAF;
}

void cpuid_before(struct vcpu *v, const struct site *site)
{
	uint32_t leaf = vcpu_read32(v, REG_RAX);
	bool control = is_control(site->platform, leaf);
	static atomic_bool said;

	if (v->cpuid.active && !atomic_exchange(&said, true))
		report("CPUID before 0x%" PRIx64 " showed the guest QEMU's own CPU; do not use one-insn-per-tb",
		       v->cpuid.next_pc);
	v->cpuid.active = is_of_interest(leaf) || control;
	if (!v->cpuid.active)
		return;
	if (control)
		v->cpuid.answer = control_execute(site->platform, v);
	v->cpuid.leaf = leaf;
	v->cpuid.subleaf = vcpu_read32(v, REG_RCX);
	v->cpuid.next_pc = site->pc + site->insn.len;
}

void cpuid_after(struct vcpu *v, const struct site *site, uint64_t pc)
{
	struct cpuid_result r;

	if (!v->cpuid.active || v->cpuid.next_pc != pc)
		return;
	v->cpuid.active = false;

	if (v->cpuid.leaf == CONTROL_LEAF) {
		vcpu_write(v, REG_RAX, v->cpuid.answer);
		return;
	}

	r.eax = vcpu_read32(v, REG_RAX);
	r.ebx = vcpu_read32(v, REG_RBX);
	r.ecx = vcpu_read32(v, REG_RCX);
	r.edx = vcpu_read32(v, REG_RDX);
	if (v->cpuid.leaf == LEAF_TOPOLOGY) {
		check_topology(site->platform, v, &r);
		return;
	}
	cpuid_adjust(&site->platform->opt, v->cpuid.leaf, v->cpuid.subleaf, &r);
	vcpu_write(v, REG_RAX, r.eax);
	vcpu_write(v, REG_RBX, r.ebx);
	vcpu_write(v, REG_RCX, r.ecx);
	vcpu_write(v, REG_RDX, r.edx);
}
