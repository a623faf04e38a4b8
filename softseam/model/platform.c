// SPDX-License-Identifier: GPL-2.0-only
/* CPUID and MSRs of the platform. */
#include <stdbool.h>
#include <string.h>

#include "leaves.h"
#include "platform.h"

#define MSR_IA32_TSC_ADJUST			0x3B
#define MSR_IA32_MKTME_KEYID_PARTITIONING	0x87
#define MSR_IA32_VMX_BASIC			0x480

#define CPUID_ADDRESS_SIZES	0x80000008
#define CPUID_XSTATE		0xD
#define CPUID_NO_SUBLEAF	0xFFFFFFFF

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

/*
 * CPUID leaves that a TD's owner may configure: bits that are free to choose,
 * and bits that may be set where the CPU has them.
 */
static const struct {
	uint32_t leaf, subleaf;
	uint32_t direct[NR_CPUID_REGS], native[NR_CPUID_REGS];
} configurable[NR_CPUID_CONFIG] = {
	{ 0x1, CPUID_NO_SUBLEAF, .direct = { 0x0FFF3FFF, 0x00FF0000 },
	  .native = { 0, 0, 0x31044D88, 0xB8440000 } },
	{ 0x4, 0, .direct = { 0xFFFFC3FF, 0xFFFFF000, 0xFFFFFFFF, 0xFFFFFFFB } },
	{ 0x4, 1, .direct = { 0xFFFFC3FF, 0xFFFFF000, 0xFFFFFFFF, 0xFFFFFFFB } },
	{ 0x4, 2, .direct = { 0xFFFFC3FF, 0xFFFFF000, 0xFFFFFFFF, 0xFFFFFFFB } },
	{ 0x4, 3, .direct = { 0xFFFFC3FF, 0xFFFFF000, 0xFFFFFFFF, 0x00000007 } },
	{ 0x7, 0, .native = { 0, 0xDC2B9B18, 0x02417F65, 0x0005411C } },
	{ 0x7, 1, .native = { 0x1D30 } },
	{ 0xA, CPUID_NO_SUBLEAF, .direct = { 0 } },
	{ 0x1C, CPUID_NO_SUBLEAF, .native = { 0xFF } },
	{ CPUID_ADDRESS_SIZES, CPUID_NO_SUBLEAF, .native = { 0, 0x200 } },
	{ 0x7, 2, .native = { 0, 0, 0, 0x28 } },
	{ 0x23, 0, .native = { 0xF } },
};

/* A sample CPU with what TDX needs, for machines without CPUID of their own. */
static void sample_cpuid(const struct seam *s, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(out[0]));
	switch (leaf) {
	case 0x1:
		out[EAX] = 0x000A06D1;
		out[ECX] = 0x7FFEFBFF;
		out[EDX] = 0xBFEBFBFF;
		break;
	case 0x7:
		if (!subleaf) {
			out[EBX] = 0xF3BFBFFB;
			out[ECX] = 1U << 28;
		}
		break;
	case CPUID_XSTATE:
		if (!subleaf)
			out[EAX] = 0x602E7;
		break;
	case CPUID_ADDRESS_SIZES:
		out[EAX] = s->cfg.hpa_bits;
		out[EBX] = 0x200;
		break;
	}
}

static void cpuid(struct seam *s, unsigned int cpu, uint32_t leaf, uint32_t subleaf,
		  uint32_t out[4])
{
	if (s->machine.cpuid)
		s->machine.cpuid(s->machine.opaque, cpu, leaf, subleaf, out);
	else
		sample_cpuid(s, leaf, subleaf, out);
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

static void sample_cpuid_config(struct seam *s, unsigned int cpu, struct platform *p)
{
	for (unsigned int i = 0; i < NR_CPUID_CONFIG; i++) {
		uint32_t subleaf = configurable[i].subleaf;
		uint32_t r[4];

		cpuid(s, cpu, configurable[i].leaf, subleaf == CPUID_NO_SUBLEAF ? 0 : subleaf, r);
		for (unsigned int reg = 0; reg < NR_CPUID_REGS; reg++)
			p->cpuid_config[i][reg] = configurable[i].direct[reg] |
						  (configurable[i].native[reg] & r[reg]);
	}
}

uint64_t cpuid_config_leaf(unsigned int i)
{
	return configurable[i].leaf | (uint64_t)configurable[i].subleaf << 32;
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
