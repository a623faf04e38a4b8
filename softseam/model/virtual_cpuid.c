// SPDX-License-Identifier: GPL-2.0-only
/* What CPUID shows a TD: from the CPU, from TD_PARAMS, and from what it may use. */
#include "leaves.h"
#include "td_params.h"
#include "virtual_cpuid.h"

#define FEATURES_ECX_MONITOR	(1U << 3)
#define TSC_CRYSTAL_HZ		25000000

/* XFAM: state that user code enables in XCR0, and state under IA32_XSS. */
#define XFAM_USER		0x602FFULL
#define XFAM_SUPERVISOR		0x1DD00ULL
/* Legacy state and header come first in an XSAVE area. */
#define XSAVE_MIN_BYTES		576

/* Feature bits that need a bit of XFAM. */
static const struct {
	uint64_t xfam;
	uint32_t leaf, subleaf;
	uint32_t mask[NR_CPUID_REGS];
} xfam_features[] = {
	/* AVX, FMA, F16C; AVX2; VAES, VPCLMULQDQ; AVX-VNNI, AVX-IFMA */
	{ 1 << 2, 0x1, CPUID_NO_SUBLEAF, { 0, 0, 0x30001000 } },
	{ 1 << 2, 0x7, 0, { 0, 0x20, 0x600 } },
	{ 1 << 2, 0x7, 1, { 0x800010 } },
	/* AVX-512 */
	{ 1 << 5, 0x7, 0, { 0, 0xDC230000, 0x5842, 0x80010C } },
	{ 1 << 5, 0x7, 1, { 0x20 } },
	/* Processor trace */
	{ 1 << 8, 0x7, 0, { 0, 0x2000000 } },
	/* Protection keys */
	{ 1 << 9, 0x7, 0, { 0, 0, 0x8 } },
	/* Shadow stacks, indirect branch tracking */
	{ 1 << 11, 0x7, 0, { 0, 0, 0x80, 0x100000 } },
	/* User interrupts */
	{ 1 << 14, 0x7, 0, { 0, 0, 0, 0x20 } },
	/* Last branch records */
	{ 1 << 15, 0x7, 0, { 0, 0, 0, 0x80000 } },
	/* Matrix tiles */
	{ 1 << 17, 0x7, 0, { 0, 0, 0, 0x3400000 } },
	{ 1 << 17, 0x7, 1, { 0x200000 } },
};

/* Leaves that are empty without a bit of XFAM. */
static const struct {
	uint64_t xfam;
	uint32_t leaf;
} xfam_leaves[] = {
	{ 1 << 8, CPUID_PT },
	{ 1 << 15, CPUID_LBR },
	{ 1 << 17, CPUID_TILE },
	{ 1 << 17, CPUID_TMUL },
};

static const struct {
	uint64_t attribute;
	uint32_t leaf, subleaf;
	uint32_t mask[NR_CPUID_REGS];
} attribute_features[] = {
	{ TD_ATTR_PERFMON, 0x1, CPUID_NO_SUBLEAF, { 0, 0, 0x8000 } },
	{ TD_ATTR_PKS, 0x7, 0, { 0, 0, 0x80000000 } },
};

static int find(uint32_t leaf, uint32_t subleaf)
{
	for (int i = 0; i < NR_CPUID_VISIBLE; i++) {
		if (cpuid_visible[i].leaf == leaf && cpuid_visible[i].subleaf == subleaf)
			return i;
	}
	return -1;
}

const uint32_t *virtual_cpuid_find_exact(const struct virtual_cpuid *v, uint32_t leaf,
					 uint32_t subleaf)
{
	int i = find(leaf, subleaf);

	return i < 0 ? NULL : v->value[i];
}

const uint32_t *virtual_cpuid_find(const struct virtual_cpuid *v, uint32_t leaf,
				   uint32_t subleaf)
{
	const uint32_t *value = virtual_cpuid_find_exact(v, leaf, subleaf);

	return value ? value : virtual_cpuid_find_exact(v, leaf, CPUID_NO_SUBLEAF);
}

static void clear(struct virtual_cpuid *to, uint32_t leaf, uint32_t subleaf,
		  const uint32_t mask[NR_CPUID_REGS])
{
	uint32_t *value = to->value[find(leaf, subleaf)];

	for (unsigned int reg = 0; reg < NR_CPUID_REGS; reg++)
		value[reg] &= ~mask[reg];
}

static void clear_leaf(struct virtual_cpuid *to, uint32_t leaf)
{
	for (unsigned int i = 0; i < NR_CPUID_VISIBLE; i++) {
		for (unsigned int reg = 0; reg < NR_CPUID_REGS; reg++)
			to->value[i][reg] &= cpuid_visible[i].leaf == leaf ? 0 : ~0U;
	}
}

/* What the CPU has and any TD may see. */
static void fill_native(const struct platform *p, struct virtual_cpuid *to)
{
	for (unsigned int i = 0; i < NR_CPUID_VISIBLE; i++) {
		for (unsigned int reg = 0; reg < NR_CPUID_REGS; reg++)
			to->value[i][reg] = (p->native[i][reg] & cpuid_visible[i].pass[reg]) |
					    cpuid_visible[i].set[reg];
	}
}

static bool configure_slot(const struct cpuid_config *slot, const uint32_t *input,
			   uint32_t *value)
{
	for (unsigned int reg = 0; reg < NR_CPUID_REGS; reg++) {
		if (input[reg] & ~(slot->direct[reg] | slot->native[reg]))
			return false;
		value[reg] = (value[reg] & ~slot->direct[reg]) | (input[reg] & slot->direct[reg]);
		value[reg] &= input[reg] | ~slot->native[reg];
	}
	return true;
}

/* Family, model and stepping: the CPU's own, which is also what 0 asks for. */
static bool configure_signature(const struct platform *p, struct virtual_cpuid *to)
{
	int i = find(CPUID_FEATURES, CPUID_NO_SUBLEAF);
	uint32_t *signature = &to->value[i][EAX];

	if (!*signature)
		*signature = p->native[i][EAX];
	return *signature == p->native[i][EAX];
}

static void apply_xstate(const struct td_params *p, struct virtual_cpuid *to)
{
	uint32_t *xcr0 = to->value[find(CPUID_XSTATE, 0)];
	uint32_t *xss = to->value[find(CPUID_XSTATE, 1)];
	uint32_t bytes = XSAVE_MIN_BYTES;

	for (uint32_t n = 2; find(CPUID_XSTATE, n) >= 0; n++) {
		uint32_t *component = to->value[find(CPUID_XSTATE, n)];

		if (!(p->xfam & 1ULL << n))
			clear(to, CPUID_XSTATE, n, (uint32_t[]){ ~0U, ~0U, ~0U, ~0U });
		else if (XFAM_USER & 1ULL << n && component[EAX] + component[EBX] > bytes)
			bytes = component[EAX] + component[EBX];
	}

	/* EBX depends on what the vCPU enables. */
	xcr0[EAX] = (uint32_t)(p->xfam & XFAM_USER);
	xcr0[EBX] = 0;
	xcr0[ECX] = bytes;
	xcr0[EDX] = 0;
	xss[EBX] = 0;
	xss[ECX] = (uint32_t)(p->xfam & XFAM_SUPERVISOR);
	xss[EDX] = 0;
}

static void apply_xfam(const struct td_params *p, struct virtual_cpuid *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(xfam_features); i++) {
		if (!(p->xfam & xfam_features[i].xfam))
			clear(to, xfam_features[i].leaf, xfam_features[i].subleaf,
			      xfam_features[i].mask);
	}
	for (size_t i = 0; i < ARRAY_SIZE(xfam_leaves); i++) {
		if (!(p->xfam & xfam_leaves[i].xfam))
			clear_leaf(to, xfam_leaves[i].leaf);
	}
	apply_xstate(p, to);
}

static void apply_attributes(const struct td_params *p, struct virtual_cpuid *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(attribute_features); i++) {
		if (!(p->attributes & attribute_features[i].attribute))
			clear(to, attribute_features[i].leaf, attribute_features[i].subleaf,
			      attribute_features[i].mask);
	}
	if (!(p->attributes & TD_ATTR_PERFMON)) {
		clear_leaf(to, CPUID_PERFMON);
		clear_leaf(to, CPUID_PERFMON_EXT);
	}
}

static void apply_rest(const struct td_params *p, struct virtual_cpuid *to)
{
	const uint32_t *features = to->value[find(CPUID_FEATURES, CPUID_NO_SUBLEAF)];
	uint32_t *tsc = to->value[find(CPUID_TSC, CPUID_NO_SUBLEAF)];

	if (!(features[ECX] & FEATURES_ECX_MONITOR))
		clear_leaf(to, CPUID_MONITOR);
	tsc[EAX] = 1;
	tsc[EBX] = p->tsc_frequency;
	tsc[ECX] = TSC_CRYSTAL_HZ;
}

uint64_t virtual_cpuid_fill(const struct seam *s, const struct td_params *p,
			    const struct td_params_page *page, struct virtual_cpuid *to,
			    uint64_t *bad)
{
	fill_native(&s->platform, to);

	for (unsigned int i = 0; i < NR_CPUID_CONFIG; i++) {
		const struct cpuid_config *slot = &cpuid_config[i];
		bool good = configure_slot(slot, page->cpuid[i],
					   to->value[find(slot->leaf, slot->subleaf)]);

		if (good && slot->leaf == CPUID_FEATURES)
			good = configure_signature(&s->platform, to);
		if (!good) {
			*bad = cpuid_config_leaf(i);
			return TDX_OPERAND_INVALID | OPERAND_CPUID;
		}
	}

	apply_xfam(p, to);
	apply_attributes(p, to);
	apply_rest(p, to);
	return TDX_SUCCESS;
}
