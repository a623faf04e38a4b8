// SPDX-License-Identifier: GPL-2.0-only
#include "execute.h"
#include "msr.h"
#include "symbols.h"

struct msr_value {
	uint32_t msr;
	uint64_t value;
};

/* Read-only here, and all that differs from what TCG has. */
static const struct msr_value msr_values[] = {
	{ 0x03a, VMX_FEATURE_CONTROL },
	{ 0x10a, SEAM_ARCH_CAPABILITIES },
	{ 0x480, VMX_BASIC },
	/* Pin, processor, exit and entry controls. */
	{ 0x481, 0x000000ff00000016ull },
	{ 0x482, 0xa5b9effe0401e172ull },
	{ 0x483, 0x0003efff00036dffull },
	{ 0x484, 0x000013ff000011ffull },
	/* MISC: no optional feature. */
	{ 0x485, 0 },
	{ 0x486, VMX_CR0_FIXED0 },
	{ 0x487, VMX_CR0_FIXED1 },
	{ 0x488, VMX_CR4_FIXED0 },
	{ 0x489, VMX_CR4_FIXED1 },
	{ 0x48a, 0x2eull },
	/* Secondary controls: EPT, VPID, APIC registers, interrupt delivery. */
	{ 0x48b, 0x0000032200000000ull },
	{ 0x48c, VMX_EPT_VPID_CAP },
	/* The TRUE forms of the four above. */
	{ 0x48d, 0x000000ff00000016ull },
	{ 0x48e, 0xa5b9effe0401e172ull },
	{ 0x48f, 0x0003efff00036dffull },
	{ 0x490, 0x000013ff000011ffull },
};

#define MSR_TSC_ADJUST		0x3bu
#define MSR_KEYID_PARTITIONING	0x87u
#define MSR_TME_CAPABILITY	0x981u
#define MSR_TME_ACTIVATE	0x982u
#define MSR_LSTAR		0xc0000082u

#define TME_AES_XTS_256		(1ull << 2)
#define TME_LOCKED		(1ull << 0)
#define TME_ENABLED		(1ull << 1)

/* TCG reads these as zero and drops writes; the CPU that we show lacks them. */
static bool is_absent(uint32_t msr)
{
	switch (msr) {
	/* TSX control: not announced by IA32_ARCH_CAPABILITIES. */
	case 0x122:
	/* VM functions, tertiary controls, second exit controls. */
	case 0x491 ... 0x493:
	/* TME: the range that is not encrypted. */
	case 0x983 ... 0x984:
	/* IA32_XSS: no XSAVES in TCG. */
	case 0xda0:
		return true;
	default:
		return false;
	}
}

static uint64_t keyid_bits(const struct seam_config *cfg)
{
	return seam_config_maxpa(cfg) - cfg->hpa_bits;
}

static bool find_value(const struct seam_config *cfg, uint32_t msr,
		       uint64_t *value)
{
	unsigned int i;

	switch (msr) {
	case MSR_KEYID_PARTITIONING:
		*value = (uint64_t)cfg->nr_tdx_keyids << 32 | cfg->nr_mktme_keyids;
		return true;
	case MSR_TME_CAPABILITY:
		*value = TME_AES_XTS_256 | keyid_bits(cfg) << 32 |
			 ((1ull << keyid_bits(cfg)) - 1) << 36;
		return true;
	case MSR_TME_ACTIVATE:
		*value = TME_LOCKED | TME_ENABLED | keyid_bits(cfg) << 32;
		return true;
	}
	for (i = 0; i < G_N_ELEMENTS(msr_values); i++) {
		if (msr_values[i].msr != msr)
			continue;
		*value = msr_values[i].value;
		return true;
	}
	return false;
}

uint64_t msr_peek(const struct seam_config *cfg, const struct vcpu *v,
		  uint32_t msr)
{
	uint64_t value = 0;

	if (msr == MSR_TSC_ADJUST)
		return v->tsc_adjust;
	find_value(cfg, msr, &value);
	return value;
}

/* Writes that TCG executes and that softseam wants to know of. */
static void watch_write(struct vcpu *v, const struct site *site, uint32_t msr)
{
	struct symbols *symbols = site->platform->symbols;
	uint64_t value;

	if (msr != MSR_TSC_ADJUST && msr != MSR_LSTAR)
		return;
	value = vcpu_read(v, REG_RDX) << 32 | vcpu_read32(v, REG_RAX);
	if (msr == MSR_TSC_ADJUST)
		v->tsc_adjust = value;
	else if (symbols)
		symbols_set_syscall_entry(symbols, value);
}

static bool is_of_interest(const struct site *site, uint32_t msr)
{
	uint64_t value;

	return msr == MSR_TSC_ADJUST || msr == MSR_LSTAR || is_absent(msr) ||
	       find_value(&site->platform->opt.seam, msr, &value);
}

struct outcome msr_execute(struct vcpu *v, const struct site *site)
{
	uint32_t msr = vcpu_read32(v, REG_RCX);
	bool write = site->insn.kind == INSN_WRMSR;
	bool present;
	uint64_t value;

	/* Cheap, as the host reads and writes other MSRs all the time. */
	if (!is_of_interest(site, msr) || !vcpu_in_kernel(v))
		return outcome_to_tcg();
	if (write)
		watch_write(v, site, msr);
	present = find_value(&site->platform->opt.seam, msr, &value);
	if (!present && !is_absent(msr))
		return outcome_to_tcg();
	if (!present || write)
		return outcome_gp();

	vcpu_write(v, REG_RAX, (uint32_t)value);
	vcpu_write(v, REG_RDX, value >> 32);
	return outcome_done();
}
