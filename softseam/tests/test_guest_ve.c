// SPDX-License-Identifier: GPL-2.0-only
/* Instructions that stop a guest, whatever prefixes and neighbours they have. */
#include <stdlib.h>
#include <string.h>

#include "guest_host.h"
#include "virtual_cpuid.h"

enum outcome { SKIPPED, UD, GP, VE };

struct insn_row {
	const char *name;
	const char *code;
	unsigned int len;
	enum guest_stop why;
	enum outcome outcome;
	uint32_t reason;
};

#define R(name_, code_, why_, outcome_, reason_)				\
	{ .name = name_, .code = code_, .len = sizeof(code_) - 1,		\
	  .why = GUEST_STOP_ ## why_, .outcome = outcome_, .reason = reason_ }

static const struct insn_row rows[] = {
	R("hlt_prefixed", "\x66\xf4", HLT, VE, VMX_HLT),
	R("wbnoinvd", "\xf3\x0f\x09", CACHE, VE, VMX_WBINVD),
	R("vmcall_prefixed", "\x2e\x0f\x01\xc1", UNDEFINED, VE, VMX_VMCALL),
	R("monitor", "\x0f\x01\xc8", MONITOR, UD, 0),
	R("mwait", "\x0f\x01\xc9", MONITOR, UD, 0),
	R("rdpmc", "\x0f\x33", RDPMC, GP, 0),
	R("seamcall", "\x66\x0f\x01\xcf", UNDEFINED, UD, 0),
	R("encls", "\x0f\x01\xcf", UNDEFINED, UD, 0),
	R("vmxon", "\xf3\x0f\xc7\x30", UNDEFINED, UD, 0),
	R("getsec", "\x0f\x37", UNDEFINED, UD, 0),
	R("vmmcall", "\x0f\x01\xd9", UNDEFINED, UD, 0),
	R("ud2", "\x0f\x0b", UNDEFINED, UD, 0),
	R("cpuid_rex", "\x48\x0f\xa2", CPUID, SKIPPED, 0),
	R("rdtsc_rex", "\x48\x0f\x31", RDTSC, SKIPPED, 0),
	R("lmsw_memory", "\x0f\x01\x30", CR, GP, 0),
	R("clts", "\x0f\x06", CR, GP, 0),
	R("mov_cr3_r12", "\x41\x0f\x22\xdc", BAD_STATE, GP, 0),
};

static void run_row(void **state)
{
	const struct insn_row *row = *state;
	struct host *h = host_new(NULL);
	struct guest_cpu before;

	guest_run_64bit(h);
	memcpy(&before, guest_cpu(h), sizeof(before));
	assert_int_equal(guest_stop_at(h, row->why, row->code, row->len), SEAM_END_RUN_GUEST);
	if (row->outcome == SKIPPED) {
		assert_executed(h, row->len);
		host_free(h);
		return;
	}
	if (row->outcome == VE)
		assert_ve(h, row->reason, 0, row->len);
	else
		assert_exception(h, row->outcome == UD ? VECTOR_UD : VECTOR_GP);
	/* The instruction did nothing. */
	assert_memory_equal(guest_cpu(h), &before, sizeof(before));
	host_free(h);
}

static int run_insn_rows(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						.initial_state = (void *)(uintptr_t)&rows[i] };
	return _cmocka_run_group_tests("guest_ve rows", tests, ARRAY_SIZE(tests), NULL, NULL);
}

/* CPUID that a TD's CPU has, and that is #VE nevertheless. */
static void cpuid_faults(void **state)
{
	static const uint32_t leaves[] = {
		2, 6, 9, 0xC, 0xF, 0x10, 0x16, 0x17, 0x1B, 0x80000002, 0x80000004, 0x80000005,
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		guest_vcpu(h)->ve.valid = false;
		guest_cpu(h)->gpr = (struct seam_regs){ .rax = leaves[i] };
		assert_int_equal(STOP_AT(h, GUEST_STOP_CPUID, INSN_CPUID), SEAM_END_RUN_GUEST);
		assert_ve(h, VMX_CPUID, 0, 2);
	}
}

/* No row too many, which would be leaf 0 again. */
static void cpuid_table_is_full(void **state)
{
	(void)state;
	for (size_t i = 1; i < NR_CPUID_VISIBLE; i++)
		assert_true(cpuid_visible[i].leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(cpuid_faults),
		cmocka_unit_test(cpuid_table_is_full),
	};

	return run_insn_rows() + cmocka_run_group_tests_name("guest_ve", tests, NULL, NULL);
}
