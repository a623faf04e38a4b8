// SPDX-License-Identifier: GPL-2.0-only
/* Stops that are handled while the guest's registers are in the CPU, and what never stops. */
#include <string.h>

#include "guest_host.h"

#define TDG_VP_INFO		1
#define TDG_VP_VEINFO_GET	3
#define TDG_MEM_PAGE_ACCEPT	6

static bool try_at(struct host *h, enum guest_stop why, const char *insn, size_t len)
{
	const struct guest_exit exit = { .why = why };

	memcpy(guest_mem(h, GPA_CODE), insn, len);
	return seam_guest_try(h->seam, 0, &exit);
}

#define TRY_AT(h, why, insn)	try_at(h, why, insn, sizeof(insn) - 1)

/* All that may change, but for what only tests look at. */
static struct guest_vcpu now(struct host *h)
{
	return *guest_vcpu(h);
}

static void assert_unchanged(struct host *h, const struct guest_vcpu *before)
{
	assert_memory_equal(guest_vcpu(h), before, sizeof(*before));
	assert_int_equal(host_vcpu(h)->state, VCPU_ACTIVE);
}

static void handled(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	assert_true(TRY_AT(h, GUEST_STOP_HLT, INSN_HLT));
	assert_ve(h, VMX_HLT, 0, 1);

	guest_cpu(h)->gpr.rax = TDG_VP_VEINFO_GET;
	assert_true(TRY_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL));
	assert_int_equal(guest_cpu(h)->gpr.rcx, VMX_HLT);
	assert_executed(h, 4);
}

/* Interrupts that came meanwhile are let in, as after any other stop. */
static void interrupts_come_in(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_cpu(h)->rflags |= RFLAGS_IF;
	guest_cpu(h)->gpr.rcx = 0x83F;
	guest_cpu(h)->gpr.rax = 0x41;
	assert_true(TRY_AT(h, GUEST_STOP_MSR, INSN_WRMSR));
	assert_true(guest_vcpu(h)->run.inject.valid);
	assert_int_equal(guest_vcpu(h)->run.inject.vector, 0x41);
}

/* These leave the TD, or need registers that are not there yet. */
static void not_handled(void **state)
{
	static const enum guest_stop whys[] = {
		GUEST_STOP_HOST_EVENT, GUEST_STOP_INIT, GUEST_STOP_TRIPLE_FAULT,
		GUEST_STOP_BAD_STATE, GUEST_STOP_MEMORY,
	};
	struct host *h = *state;
	struct guest_vcpu before;

	guest_run_64bit(h);
	guest_cpu(h)->gpr.rax = 0;
	guest_cpu(h)->gpr.rcx = MSR_TSC_AUX;
	before = now(h);
	for (size_t i = 0; i < ARRAY_SIZE(whys); i++) {
		const struct guest_exit exit = { .why = whys[i], .gpa = 0x900000 };

		assert_false(seam_guest_try(h->seam, 0, &exit));
		assert_unchanged(h, &before);
	}
	assert_false(TRY_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL));
	assert_unchanged(h, &before);
	assert_false(TRY_AT(h, GUEST_STOP_MSR, INSN_WRMSR));
	assert_unchanged(h, &before);
	/* INVPCID (%rax), %rcx */
	assert_false(TRY_AT(h, GUEST_STOP_UNDEFINED, "\x66\x0F\x38\x82\x08"));
	assert_unchanged(h, &before);
}

/* Known only when it was tried: a page to accept that the host has yet to give. */
static void taken_back(void **state)
{
	struct host *h = *state;
	struct guest_vcpu before;

	guest_run_64bit(h);
	guest_cpu(h)->gpr.rax = TDG_MEM_PAGE_ACCEPT;
	guest_cpu(h)->gpr.rcx = 0x900000;
	before = now(h);
	assert_false(TRY_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL));
	assert_unchanged(h, &before);
	assert_false(seam_guest_quick(h->seam, 0, GUEST_QUICK_TDCALL));
	assert_unchanged(h, &before);
}

static void quick(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	guest_run_64bit(h);
	r = guest_cpu(h);
	r->gpr.rax = TDG_MEM_PAGE_ACCEPT;
	r->gpr.rcx = GPA_AUG;
	assert_true(seam_guest_quick(h->seam, 0, GUEST_QUICK_TDCALL));
	assert_status(r->gpr.rax, TDX_SUCCESS);
	r->gpr.rax = TDG_MEM_PAGE_ACCEPT;
	assert_true(seam_guest_quick(h->seam, 0, GUEST_QUICK_TDCALL));
	assert_int_equal(r->gpr.rax >> 32, TDX_PAGE_ALREADY_ACCEPTED >> 32);

	r->gpr.rax = 0x15;
	r->gpr.rcx = 0;
	assert_true(seam_guest_quick(h->seam, 0, GUEST_QUICK_CPUID));
	assert_int_equal(r->gpr.rax, 1);
	assert_int_equal(r->gpr.rcx, 25000000);

	r->tsc_aux = 7;
	assert_true(seam_guest_quick(h->seam, 0, GUEST_QUICK_RDTSC));
	assert_int_equal(r->gpr.rcx, 25000000);
	assert_true(seam_guest_quick(h->seam, 0, GUEST_QUICK_RDTSCP));
	assert_int_equal(r->gpr.rcx, 7);
}

/* What ends in an exception has to stop the guest, which then gets it. */
static void not_quick(void **state)
{
	struct host *h = *state;
	struct guest_vcpu before;
	struct guest_cpu *r;

	guest_run_64bit(h);
	r = guest_cpu(h);
	r->gpr.rax = 0x40000000;
	before = now(h);
	assert_false(seam_guest_quick(h->seam, 0, GUEST_QUICK_CPUID));
	assert_unchanged(h, &before);

	/* A single step, and user code. */
	r->rflags |= 1 << 8;
	before = now(h);
	assert_false(seam_guest_quick(h->seam, 0, GUEST_QUICK_RDTSC));
	assert_unchanged(h, &before);
	r->rflags &= ~(1ULL << 8);
	r->gpr.rax = TDG_VP_INFO;
	r->seg[SEG_SS].ar |= 3 << SEG_AR_DPL_SHIFT;
	before = now(h);
	assert_false(seam_guest_quick(h->seam, 0, GUEST_QUICK_TDCALL));
	assert_unchanged(h, &before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(handled),
		host_test(interrupts_come_in),
		host_test(not_handled),
		host_test(taken_back),
		host_test(quick),
		host_test(not_quick),
	};

	return cmocka_run_group_tests_name("guest_try", tests, NULL, NULL);
}
