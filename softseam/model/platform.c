// SPDX-License-Identifier: GPL-2.0-only
/* CPUID and MSRs of the platform. */
#include <stdbool.h>

#include "leaves.h"
#include "platform.h"
#include "sample_cpu.h"

#define MSR_IA32_TSC_ADJUST			0x3B
#define MSR_IA32_MKTME_KEYID_PARTITIONING	0x87
#define MSR_IA32_VMX_BASIC			0x480

static const uint32_t sampled_msr[NR_SAMPLED_MSRS] = {
	MSR_IA32_TSC_ADJUST,
	MSR_IA32_MKTME_KEYID_PARTITIONING,
	MSR_IA32_VMX_BASIC,
};

/* Features without which there is no TDX. */
static const struct {
	uint32_t leaf;
	enum cpuid_reg reg;
	uint32_t bit;
} required[] = {
	/* VMX */
	{ 1, ECX, 5 },
	/* XSAVE */
	{ 1, ECX, 26 },
	/* Self-snoop */
	{ 1, EDX, 27 },
	/* MOVDIR64B */
	{ 7, ECX, 28 },
};

static void cpuid(struct seam *s, unsigned int cpu, uint32_t leaf, uint32_t subleaf,
		  uint32_t out[4])
{
	if (s->machine.cpuid)
		s->machine.cpuid(s->machine.opaque, cpu, leaf, subleaf, out);
	else
		sample_cpuid(leaf, subleaf, s->cfg.hpa_bits, out);
}

static bool has_required(struct seam *s, unsigned int cpu)
{
	uint32_t r[4];

	for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
		cpuid(s, cpu, required[i].leaf, 0, r);
		if (!(r[required[i].reg] & 1U << required[i].bit))
			return false;
	}

	/* With or without the KeyID bits, as the CPU counts them. */
	cpuid(s, cpu, CPUID_ADDRESS_SIZES, 0, r);
	r[EAX] &= 0xff;
	return r[EAX] == s->cfg.hpa_bits || r[EAX] == s->cfg.maxpa;
}

static uint64_t extended_state(struct seam *s, unsigned int cpu)
{
	uint32_t user[4], supervisor[4];

	cpuid(s, cpu, CPUID_XSTATE, 0, user);
	cpuid(s, cpu, CPUID_XSTATE, 1, supervisor);
	return user[EAX] | (uint64_t)user[EDX] << 32 |
	       supervisor[ECX] | (uint64_t)supervisor[EDX] << 32;
}

static uint32_t or_zero(uint32_t subleaf)
{
	return subleaf == CPUID_NO_SUBLEAF ? 0 : subleaf;
}

static void sample_cpuid_config(struct seam *s, unsigned int cpu, struct platform *p)
{
	for (unsigned int i = 0; i < NR_CPUID_CONFIG; i++) {
		const struct cpuid_config *slot = &cpuid_config[i];
		uint32_t r[4];

		cpuid(s, cpu, slot->leaf, or_zero(slot->subleaf), r);
		for (unsigned int reg = 0; reg < NR_CPUID_REGS; reg++)
			p->cpuid_config[i][reg] = slot->direct[reg] |
						  (slot->native[reg] & r[reg]);
	}
	for (unsigned int i = 0; i < NR_CPUID_VISIBLE; i++)
		cpuid(s, cpu, cpuid_visible[i].leaf, or_zero(cpuid_visible[i].subleaf),
		      p->native[i]);
}

uint64_t cpuid_config_leaf(unsigned int i)
{
	return cpuid_config[i].leaf | (uint64_t)cpuid_config[i].subleaf << 32;
}

static uint64_t keyid_partitioning(const struct seam *s)
{
	return s->cfg.nr_mktme_keyids | (uint64_t)s->cfg.nr_tdx_keyids << 32;
}

uint64_t platform_sample(struct seam *s, unsigned int cpu, struct platform *p)
{
	if (!has_required(s, cpu))
		return TDX_INCORRECT_CPUID_VALUE;

	for (unsigned int i = 0; s->machine.rdmsr && i < NR_SAMPLED_MSRS; i++) {
		p->msr[i] = s->machine.rdmsr(s->machine.opaque, cpu, sampled_msr[i]);
		if (sampled_msr[i] == MSR_IA32_MKTME_KEYID_PARTITIONING &&
		    p->msr[i] != keyid_partitioning(s))
			return TDX_INCORRECT_MSR_VALUE | sampled_msr[i];
	}
	if (!s->cfg.nr_tdx_keyids)
		return TDX_INCORRECT_MSR_VALUE | MSR_IA32_MKTME_KEYID_PARTITIONING;
	if (1 + s->cfg.nr_mktme_keyids + s->cfg.nr_tdx_keyids > MAX_HKIDS)
		return TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED;

	p->xfam = extended_state(s, cpu);
	sample_cpuid_config(s, cpu, p);
	return TDX_SUCCESS;
}

uint64_t platform_compare(struct seam *s, unsigned int cpu)
{
	for (unsigned int i = 0; s->machine.rdmsr && i < NR_SAMPLED_MSRS; i++) {
		uint32_t msr = sampled_msr[i];

		if (s->machine.rdmsr(s->machine.opaque, cpu, msr) != s->platform.msr[i])
			return TDX_INCONSISTENT_MSR | msr;
	}
	return TDX_SUCCESS;
}

uint64_t platform_check_tsc_adjust(struct seam *s, unsigned int cpu)
{
	if (s->machine.rdmsr &&
	    s->machine.rdmsr(s->machine.opaque, cpu, MSR_IA32_TSC_ADJUST) != s->platform.msr[0])
		return TDX_INCONSISTENT_MSR | MSR_IA32_TSC_ADJUST;
	return TDX_SUCCESS;
}

uint64_t platform_tsc(const struct seam *s, unsigned int cpu)
{
	uint64_t ns;

	if (s->machine.rdtsc)
		return s->machine.rdtsc(s->machine.opaque, cpu);
	ns = s->machine.now(s->machine.opaque);
	return (uint64_t)((unsigned __int128)ns * s->cfg.tsc_khz / 1000000);
}
