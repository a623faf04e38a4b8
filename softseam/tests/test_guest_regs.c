// SPDX-License-Identifier: GPL-2.0-only
/* MSRs and CPUID of a guest: virtual, #GP or #VE. */
#include <stdlib.h>
#include <string.h>

#include "guest_host.h"
#include "virtual_cpuid.h"

enum verdict { OK, GP, VE };

static void assert_verdict(struct host *h, enum verdict v, uint32_t reason,
			   uint64_t qualification, uint32_t len)
{
	if (v == OK)
		assert_executed(h, len);
	else if (v == GP)
		assert_exception(h, VECTOR_GP);
	else
		assert_ve(h, reason, qualification, len);
}

static uint64_t edx_eax(struct host *h)
{
	const struct seam_regs *r = &guest_cpu(h)->gpr;

	assert_int_equal(r->rax >> 32 | r->rdx >> 32, 0);
	return r->rdx << 32 | r->rax;
}

struct msr_row {
	uint32_t msr;
	enum verdict rd;
	/* What it reads, when it does. */
	uint64_t value;
	/* Of a write of @written; then it reads that, unless @otherwise. */
	enum verdict wr;
	uint64_t written;
	bool otherwise;
};

static const struct msr_row msrs[] = {
	{ 0x48, OK, 0, OK, 7, false },
	/* What CPUID leaf 7 has of it: all but DDPD. */
	{ 0x48, OK, 0, OK, 0x4FF & ~0x100, false },
	{ 0x48, OK, 0, GP, 0x100, true },
	{ 0x48, OK, 0, GP, 0x200, true },
	{ 0x48, OK, 0, GP, 0x800, true },
	{ 0x49, GP, 0, OK, 1, true },
	{ 0x49, GP, 0, GP, 2, true },
	{ 0x10A, OK, 0xF16B, GP, 0, true },
	{ 0x10B, GP, 0, OK, 1, true },
	{ 0x1A0, OK, 0x1801, VE, 0x1801, true },
	/* Bit 2 is bus lock detection; bit 13 is the host's. */
	{ 0x1D9, OK, 0, OK, 0x1FC7, false },
	{ 0x1D9, OK, 0, OK, 0x2000, true },
	{ 0x1D9, OK, 0, GP, 0x8, true },
	{ 0x1D9, OK, 0, GP, 0x4000, true },
	{ 0x1D9, OK, 0, GP, 0x8000, true },
	{ 0x1D9, OK, 0, GP, 0x10040, true },
	{ 0x1D9, OK, 0, VE, 0x40, true },
	{ 0x277, OK, 0x0007040600070406, OK, 0x0001050600070406, false },
	{ 0x277, OK, 0x0007040600070406, GP, 0x2, true },
	{ 0x277, OK, 0x0007040600070406, GP, 0x8ULL << 56, true },
	{ 0x345, OK, 0, GP, 0, true },
	{ 0xDA0, OK, 0, OK, 0, false },
	/* Not in this TD's XFAM. */
	{ 0xDA0, OK, 0, GP, 1 << 11, true },
	{ 0xC0000080, OK, 0xD01, OK, 0xD00, false },
	{ 0xC0000080, OK, 0xD01, OK, 0x901, true },
	{ 0xC0000080, OK, 0xD01, VE, 0x1D01, true },
	{ 0xC0000080, OK, 0xD01, VE, 0x501, true },
	/* The local APIC: what the CPU virtualises, and the rest. */
	{ 0x808, OK, 0, OK, 0x5A, false },
	{ 0x808, OK, 0, GP, 0x100, true },
	{ 0x80A, OK, 0, GP, 0, true },
	{ 0x80B, GP, 0, OK, 0, true },
	{ 0x80B, GP, 0, GP, 1, true },
	{ 0x810, OK, 0, GP, 0, true },
	{ 0x817, OK, 0, GP, 0, true },
	{ 0x818, OK, 0, GP, 0, true },
	{ 0x827, OK, 0, GP, 0, true },
	{ 0x828, VE, 0, VE, 0, true },
	{ 0x802, VE, 0, VE, 0, true },
	{ 0x830, VE, 0, VE, 0xFB, true },
	{ 0x83F, GP, 0, OK, 0x41, true },
	{ 0x83F, GP, 0, GP, 0xF, true },
	{ 0x83F, GP, 0, GP, 0x100, true },
	/* Performance monitoring, which this TD does not have. */
	{ 0xC1, GP, 0, GP, 0, true },
	{ 0xC8, GP, 0, GP, 0, true },
	{ 0x186, GP, 0, GP, 0, true },
	{ 0x38F, GP, 0, GP, 0, true },
	/* The host may know them. */
	{ 0xC9, VE, 0, VE, 0, true },
	{ 0x1B, VE, 0, VE, 0, true },
	{ 0xFE, VE, 0, VE, 0, true },
	{ 0xC0011029, VE, 0, VE, 0, true },
	{ 0xFFFFFFFF, VE, 0, VE, 0, true },
};

static void rdmsr(struct host *h, uint32_t msr, enum verdict v)
{
	struct seam_regs *r = &guest_cpu(h)->gpr;

	guest_vcpu(h)->ve.valid = false;
	*r = (struct seam_regs){ .rax = ~0ULL, .rdx = ~0ULL, .rcx = 0xABCULL << 32 | msr };
	assert_int_equal(STOP_AT(h, GUEST_STOP_MSR, INSN_RDMSR), SEAM_END_RUN_GUEST);
	assert_verdict(h, v, VMX_MSR_READ, 0, 2);
	if (v != OK)
		assert_true(r->rax == ~0ULL && r->rdx == ~0ULL);
}

static void wrmsr(struct host *h, uint32_t msr, uint64_t value, enum verdict v)
{
	guest_vcpu(h)->ve.valid = false;
	/* Upper halves do not count. */
	guest_cpu(h)->gpr = (struct seam_regs){ .rax = ~0ULL << 32 | (uint32_t)value,
						.rdx = ~0ULL << 32 | value >> 32, .rcx = msr };
	assert_int_equal(STOP_AT(h, GUEST_STOP_MSR, INSN_WRMSR), SEAM_END_RUN_GUEST);
	assert_verdict(h, v, VMX_MSR_WRITE, 0, 2);
}

static void msr_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		const struct msr_row *row = &msrs[i];
		struct host *h = host_new(NULL);

		print_message("# MSR %x, write %llx\n", row->msr,
			      (unsigned long long)row->written);
		guest_run_64bit(h);
		rdmsr(h, row->msr, row->rd);
		if (row->rd == OK)
			assert_int_equal(edx_eax(h), row->value);
		wrmsr(h, row->msr, row->written, row->wr);
		if (row->rd == OK) {
			rdmsr(h, row->msr, OK);
			if (row->wr != OK)
				assert_int_equal(edx_eax(h), row->value);
			else if (!row->otherwise)
				assert_int_equal(edx_eax(h), row->written);
		}
		host_free(h);
	}
}

static void apic_msrs(void **state)
{
	struct host *h = *state;
	struct vapic *apic;

	guest_run_64bit(h);
	apic = &guest_vcpu(h)->apic;
	apic->isr[1] = 0x20000;
	apic->tmr[7] = 0x55;
	wrmsr(h, 0x83F, 0x41, OK);
	rdmsr(h, 0x822, OK);
	assert_int_equal(edx_eax(h), 2);
	rdmsr(h, 0x811, OK);
	assert_int_equal(edx_eax(h), 0x20000);
	rdmsr(h, 0x81F, OK);
	assert_int_equal(edx_eax(h), 0x55);
	rdmsr(h, 0x80A, OK);
	assert_int_equal(edx_eax(h), 0x30);
	wrmsr(h, 0x80B, 0, OK);
	rdmsr(h, 0x80A, OK);
	assert_int_equal(edx_eax(h), 0);
	/* TPR is CR8, too. */
	wrmsr(h, 0x808, 0x70, OK);
	assert_int_equal(guest_cpu(h)->cr8, 7);
}

static uint32_t *shown(struct host *h, uint32_t leaf, uint32_t subleaf)
{
	return (uint32_t *)(uintptr_t)virtual_cpuid_find(host_td(h)->cpuid, leaf, subleaf);
}

/* Whatever the platform has, some bits are fixed in TDs. */
static void cpuid_fixed_bits(void **state)
{
	static const struct {
		uint32_t leaf, subleaf;
		enum cpuid_reg reg;
		uint32_t zero, one;
	} rows[] = {
		/* SMX, EIST, SDBG; PSN, PSE-36 and more; APIC, hypervisor, DS */
		{ 1, 0, ECX, 0x08010060, 0x80000014 },
		{ 1, 0, EDX, 0x40120400, 0x200200 },
		/* TSC_ADJUST, SGX, MPX; what mirrors CR4, key locker, ENQCMD, SGX_LC */
		{ 7, 0, EBX, 0x404006, 0 },
		{ 7, 0, ECX, 0x64BE8010, 0 },
		{ 7, 0, EDX, 0x2298C3, 0 },
		{ 7, 1, EAX, ~0x1D30U, 0 },
		{ 7, 1, EDX, ~0U, 0 },
		{ 7, 2, EDX, ~0x3FU, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* All bits of the register, and none. */
		for (unsigned int ones = 0; ones < 2; ones++) {
			struct host *h = host_new(NULL);
			uint32_t native[NR_CPUID_REGS], value;

			h->machine.cpuid(h, 0, rows[i].leaf, rows[i].subleaf, native);
			h->cpuid_leaf = rows[i].leaf;
			h->cpuid_reg = rows[i].reg;
			h->cpuid_flip = ones ? ~native[rows[i].reg] : 0;
			guest_run_64bit(h);
			value = shown(h, rows[i].leaf, rows[i].subleaf)[rows[i].reg];
			assert_int_equal(value & rows[i].zero, 0);
			assert_int_equal(value & rows[i].one, rows[i].one);
			host_free(h);
		}
	}
}

/* IA32_SPEC_CTRL has what CPUID shows, and nothing else. */
static void spec_ctrl_bits(void **state)
{
	static const struct {
		uint32_t subleaf, cpuid;
		uint64_t bits;
	} rows[] = {
		{ 0, 1U << 26, 1 }, { 0, 1U << 27, 2 }, { 0, 1U << 31, 4 },
		{ 2, 1, 0x80 }, { 2, 2, 0x18 }, { 2, 4, 0x60 }, { 2, 8, 0x100 }, { 2, 16, 0x400 },
	};
	uint32_t *edx[3];
	struct host *h = *state;

	guest_run_64bit(h);
	edx[0] = &shown(h, 7, 0)[EDX];
	edx[2] = &shown(h, 7, 2)[EDX];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		*edx[0] = *edx[2] = 0;
		wrmsr(h, 0x48, rows[i].bits, GP);
		*edx[rows[i].subleaf] = rows[i].cpuid;
		wrmsr(h, 0x48, rows[i].bits, OK);
		wrmsr(h, 0x48, 0x7FF, GP);
	}
}

static void td_msrs(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	/* Of the platform, which is not subject to most of them. */
	rdmsr(h, 0x10A, OK);
	assert_int_equal(edx_eax(h), 0xF16B);
	host_td(h)->params.arch_cap = 0x1180010;
	rdmsr(h, 0x10A, OK);
	assert_int_equal(edx_eax(h), 0x8F16B);
	host_td(h)->params.tsc_multiplier = 0;
	host_td(h)->params.tsc_offset = 0x1122334455667788;
	rdmsr(h, 0x10, OK);
	assert_int_equal(edx_eax(h), 0x1122334455667788);
	wrmsr(h, 0x10, 0, VE);
	host_td(h)->params.xfam |= 3 << 11;
	wrmsr(h, 0xDA0, 3 << 11, OK);
	/* XCR0's part of XFAM is not for IA32_XSS. */
	wrmsr(h, 0xDA0, 2, GP);
}

static const struct seam_regs *cpuid(struct host *h, uint32_t leaf, uint32_t subleaf)
{
	struct seam_regs *r = &guest_cpu(h)->gpr;

	guest_vcpu(h)->ve.valid = false;
	*r = (struct seam_regs){ .rax = ~0ULL << 32 | leaf, .rbx = ~0ULL, .rdx = ~0ULL,
				 .rcx = ~0ULL << 32 | subleaf };
	assert_int_equal(STOP_AT(h, GUEST_STOP_CPUID, INSN_CPUID), SEAM_END_RUN_GUEST);
	return r;
}

static void assert_cpuid(struct host *h, uint32_t leaf, uint32_t subleaf,
			 const uint32_t want[NR_CPUID_REGS])
{
	const struct seam_regs *r = cpuid(h, leaf, subleaf);

	assert_executed(h, 2);
	assert_int_equal(r->rax, want[EAX]);
	assert_int_equal(r->rbx, want[EBX]);
	assert_int_equal(r->rcx, want[ECX]);
	assert_int_equal(r->rdx, want[EDX]);
}

static void cpuid_shown(void **state)
{
	static const struct {
		uint32_t leaf, subleaf;
	} leaves[] = {
		{ 0, 0 }, { 0, 5 }, { 7, 1 }, { 0x15, 0 }, { 0x21, 0 }, { 0x80000000, 0 },
		{ 0x80000008, 0 },
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		assert_cpuid(h, leaves[i].leaf, leaves[i].subleaf,
			     shown(h, leaves[i].leaf, leaves[i].subleaf));
	/* "IntelTDX    " is there for TDs to find. */
	assert_int_equal(cpuid(h, 0x21, 0)->rbx, 0x65746E49);
	/* Beyond the last leaf the last basic one answers. */
	assert_cpuid(h, 0x24, 0, shown(h, 0x23, 0));
	assert_cpuid(h, 0x3FFFFFFF, 1, shown(h, 0x23, 1));
	assert_cpuid(h, 0x80000009, 0, shown(h, 0x23, 0));
	assert_cpuid(h, 0xFFFFFFFF, 0, shown(h, 0x23, 0));
}

static void cpuid_as_ve(void **state)
{
	static const struct {
		uint32_t leaf, subleaf;
	} leaves[] = {
		/* Those of hypervisors, sub-leaves and leaves that are not there. */
		{ 0x40000000, 0 }, { 0x4FFFFFFF, 0 }, { 0x4, 9 }, { 0xC, 0 }, { 0xD, 40 },
		{ 0xB, 0 }, { 0x1F, 1 }, { 0x23, 7 },
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		const struct seam_regs *r = cpuid(h, leaves[i].leaf, leaves[i].subleaf);

		assert_ve(h, VMX_CPUID, 0, 2);
		assert_int_equal(r->rbx, ~0ULL);
	}
}

/* Bits that mirror the vCPU. */
static void cpuid_of_vcpu(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	guest_run_64bit(h);
	r = guest_cpu(h);
	assert_false(cpuid(h, 1, 0)->rcx & 1 << 27);
	r->cr4 |= CR4_OSXSAVE;
	assert_true(cpuid(h, 1, 0)->rcx & 1 << 27);
	assert_false(cpuid(h, 7, 0)->rcx & 1 << 4);
	r->cr4 |= 1 << 22;
	assert_true(cpuid(h, 7, 0)->rcx & 1 << 4);
	assert_true(cpuid(h, 0x80000001, 0)->rdx & 1 << 11);

	host_vcpu(h)->index = 2;
	host_vcpu(h)->x2apic_id = 9;
	assert_int_equal(cpuid(h, 1, 0)->rbx >> 24, 2);
	atomic_store(&host_td(h)->td_ctls, TD_CTLS_ENUM_TOPOLOGY);
	assert_int_equal(cpuid(h, 1, 0)->rbx >> 24, 9);
	assert_int_equal(cpuid(h, 0xB, 0)->rdx, 9);
	assert_int_equal(cpuid(h, 0x1F, 2)->rdx, 9);
	assert_executed(h, 2);
}

static void cpuid_xsave_size(void **state)
{
	struct host *h = *state;
	uint32_t *avx, *cet;

	guest_run_64bit(h);
	avx = shown(h, 0xD, 2);
	avx[EAX] = 256;
	avx[EBX] = 576;
	cet = shown(h, 0xD, 11);
	cet[EAX] = 16;
	cet[EBX] = 1000;
	assert_int_equal(cpuid(h, 0xD, 0)->rbx, 576);
	guest_cpu(h)->xcr0 = 7;
	assert_int_equal(cpuid(h, 0xD, 0)->rbx, 832);
	guest_vcpu(h)->msr.xss = 1 << 11;
	assert_int_equal(cpuid(h, 0xD, 0)->rbx, 832);
	assert_int_equal(cpuid(h, 0xD, 1)->rbx, 1016);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(msr_table),
		host_test(apic_msrs),
		cmocka_unit_test(cpuid_fixed_bits),
		host_test(spec_ctrl_bits),
		host_test(td_msrs),
		host_test(cpuid_shown),
		host_test(cpuid_as_ve),
		host_test(cpuid_of_vcpu),
		host_test(cpuid_xsave_size),
	};

	return cmocka_run_group_tests_name("guest_regs", tests, NULL, NULL);
}
