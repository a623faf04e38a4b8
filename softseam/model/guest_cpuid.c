// SPDX-License-Identifier: GPL-2.0-only
/* CPUID in a TD: what MNG.INIT computed, and what differs from vCPU to vCPU. */
#include "guest_vcpu.h"
#include "virtual_cpuid.h"

#define LEAF_HYPERVISOR_FIRST	0x40000000
#define LEAF_HYPERVISOR_LAST	0x4FFFFFFF
#define LEAF_EXTENDED		0x80000000
#define LEAF_TOPOLOGY		0xB
#define LEAF_TOPOLOGY_V2	0x1F
#define LEAF_EXT_SIGNATURE	0x80000001

#define FEATURES_EBX_APIC_ID	0xFF000000
#define FEATURES_EBX_APIC_ID_SHIFT	24
#define FEATURES_ECX_OSXSAVE	(1U << 27)
#define EXT_FEATURES_ECX_OSPKE	(1U << 4)
#define EXT_SIGNATURE_EDX_SYSCALL	(1U << 11)
#define CR4_PKE			(1ULL << 22)

/* XSAVE's legacy area and header, and the components behind them. */
#define XSAVE_FIXED_BYTES	576
#define XSAVE_FIRST_EXTENDED	2
#define XSAVE_COMPONENTS	63

static uint32_t max_leaf(const struct td *td, uint32_t range)
{
	const uint32_t *v = virtual_cpuid_find(td->cpuid, range, CPUID_NO_SUBLEAF);

	return v ? v[EAX] : range;
}

/* A leaf above its range's last is answered as the last basic leaf. */
static uint32_t clamp_leaf(const struct td *td, uint32_t leaf)
{
	uint32_t basic = max_leaf(td, 0);

	if (leaf > max_leaf(td, LEAF_EXTENDED) || (leaf > basic && leaf < LEAF_EXTENDED))
		return basic;
	return leaf;
}

static void set_bit(uint32_t *value, uint32_t bit, bool on)
{
	*value = on ? *value | bit : *value & ~bit;
}

/* Size of the XSAVE area for the components that are enabled. */
static uint32_t xsave_bytes(const struct td *td, uint64_t components)
{
	uint32_t bytes = XSAVE_FIXED_BYTES;

	for (uint32_t i = XSAVE_FIRST_EXTENDED; i < XSAVE_COMPONENTS; i++) {
		const uint32_t *v;

		if (!(components & 1ULL << i))
			continue;
		v = virtual_cpuid_find(td->cpuid, CPUID_XSTATE, i);
		if (v && v[EBX] + v[EAX] > bytes)
			bytes = v[EBX] + v[EAX];
	}
	return bytes;
}

static uint32_t apic_id(const struct guest_ctx *x)
{
	bool topology = atomic_load(&x->td->td_ctls) & TD_CTLS_ENUM_TOPOLOGY;

	return topology ? x->vcpu->x2apic_id : x->vcpu->index;
}

/*
 * Leaves that have values and are #VE nevertheless, for TDs that know of no
 * control to change that.
 */
static bool is_faulting(uint32_t leaf)
{
	switch (leaf) {
	case 0x2:
	case 0x6:
	case 0x9:
	case 0xC:
	case 0xF:
	case 0x10:
	case 0x16:
	case 0x17:
	case 0x1B:
	case 0x80000002 ... 0x80000005:
		return true;
	default:
		return false;
	}
}

/* Returns false where the leaf is #VE for this TD. */
static bool adjust(const struct guest_ctx *x, uint32_t leaf, uint32_t subleaf, uint32_t v[4])
{
	const struct guest_cpu *r = x->r;

	switch (leaf) {
	case CPUID_FEATURES:
		v[EBX] &= ~FEATURES_EBX_APIC_ID;
		v[EBX] |= apic_id(x) << FEATURES_EBX_APIC_ID_SHIFT;
		set_bit(&v[ECX], FEATURES_ECX_OSXSAVE, r->cr4 & CR4_OSXSAVE);
		return true;
	case CPUID_EXT_FEATURES:
		if (!subleaf)
			set_bit(&v[ECX], EXT_FEATURES_ECX_OSPKE, r->cr4 & CR4_PKE);
		return true;
	case CPUID_XSTATE:
		if (subleaf == 0)
			v[EBX] = xsave_bytes(x->td, r->xcr0);
		else if (subleaf == 1)
			v[EBX] = xsave_bytes(x->td, r->xcr0 | x->g->msr.xss);
		return true;
	case LEAF_TOPOLOGY:
	case LEAF_TOPOLOGY_V2:
		v[EDX] = x->vcpu->x2apic_id;
		return atomic_load(&x->td->td_ctls) & TD_CTLS_ENUM_TOPOLOGY;
	case LEAF_EXT_SIGNATURE:
		set_bit(&v[EDX], EXT_SIGNATURE_EDX_SYSCALL, guest_in_64bit_mode(r));
		return true;
	default:
		return true;
	}
}

static bool look_up(const struct guest_ctx *x, uint32_t leaf, uint32_t subleaf, uint32_t v[4])
{
	const uint32_t *found;

	if (leaf >= LEAF_HYPERVISOR_FIRST && leaf <= LEAF_HYPERVISOR_LAST)
		return false;
	leaf = clamp_leaf(x->td, leaf);
	found = virtual_cpuid_find(x->td->cpuid, leaf, subleaf);
	if (!found || is_faulting(leaf))
		return false;
	for (unsigned int i = 0; i < NR_CPUID_REGS; i++)
		v[i] = found[i];
	return adjust(x, leaf, subleaf, v);
}

void guest_on_cpuid(struct guest_ctx *x)
{
	struct seam_regs *r = &x->r->gpr;
	uint32_t v[NR_CPUID_REGS];

	if (!look_up(x, (uint32_t)r->rax, (uint32_t)r->rcx, v)) {
		guest_inject_ve(x, VMX_CPUID, 0);
		return;
	}
	r->rax = v[EAX];
	r->rbx = v[EBX];
	r->rcx = v[ECX];
	r->rdx = v[EDX];
	guest_skip_insn(x);
}
