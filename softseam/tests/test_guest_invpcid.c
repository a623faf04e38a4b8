// SPDX-License-Identifier: GPL-2.0-only
/* INVPCID in a TD. */
#include <string.h>

#include "guest_host.h"
#include "virtual_cpuid.h"

#define AT_RAX	"\x66\x0F\x38\x82\x08"	/* INVPCID (%rax), %rcx */

enum end { DROPS, GP, UD };

/* A descriptor in the page of GPA_REG, which lies where its number says. */
static enum end invpcid(struct host *h, uint64_t type, uint64_t pcid, uint64_t linear)
{
	uint64_t descriptor[2] = { pcid, linear };
	struct guest_run *run = &guest_vcpu(h)->run;

	memcpy(guest_mem(h, GPA_REG), descriptor, sizeof(descriptor));
	guest_cpu(h)->gpr.rax = GPA_REG;
	guest_cpu(h)->gpr.rcx = type;
	guest_cpu(h)->rip = GPA_CODE;
	run->drop_linear = false;
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, AT_RAX), SEAM_END_RUN_GUEST);
	if (run->inject.valid) {
		assert_false(run->drop_linear);
		return run->inject.vector == VECTOR_GP ? GP : UD;
	}
	assert_executed(h, 5);
	assert_true(run->drop_linear);
	return DROPS;
}

static void types(void **state)
{
	static const struct {
		uint64_t type, pcid, linear;
		enum end without, with;
	} rows[] = {
		{ 0, 0, 0x1000,			DROPS, DROPS },
		{ 0, 5, 0x1000,			GP, DROPS },
		{ 0, 0, 1ULL << 47,		GP, GP },
		{ 0, 0, 0xFFFF800000000000,	DROPS, DROPS },
		{ 1, 0, 1ULL << 47,		DROPS, DROPS },
		{ 1, 0xFFF, 0,			GP, DROPS },
		{ 1, 0x1000, 0,			GP, GP },
		{ 2, 5, 1ULL << 47,		DROPS, DROPS },
		{ 2, 1ULL << 63, 0,		GP, GP },
		{ 3, 0, 0,			DROPS, DROPS },
		{ 4, 0, 0,			GP, GP },
		{ 1ULL << 32, 0, 0,		GP, GP },
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		guest_cpu(h)->cr4 &= ~CR4_PCIDE;
		assert_int_equal(invpcid(h, rows[i].type, rows[i].pcid, rows[i].linear),
				 rows[i].without);
		guest_cpu(h)->cr4 |= CR4_PCIDE;
		assert_int_equal(invpcid(h, rows[i].type, rows[i].pcid, rows[i].linear),
				 rows[i].with);
	}
}

static void not_allowed(void **state)
{
	struct host *h = *state;
	uint32_t *v;

	guest_run_64bit(h);
	guest_cpu(h)->seg[SEG_SS].ar |= 3 << SEG_AR_DPL_SHIFT;
	assert_int_equal(invpcid(h, 2, 0, 0), GP);
	guest_cpu(h)->seg[SEG_SS].ar &= ~(3U << SEG_AR_DPL_SHIFT);
	v = (uint32_t *)(uintptr_t)virtual_cpuid_find(host_td(h)->cpuid, CPUID_EXT_FEATURES, 0);
	v[EBX] &= ~(1U << 10);
	assert_int_equal(invpcid(h, 2, 0, 0), UD);
}

/* The guest's tables lead nowhere: its page fault.  To a page that is not there: the host's. */
static void absent_operand(void **state)
{
	struct host *h = *state;
	uint64_t *pt;

	guest_run_64bit(h);
	guest_cpu(h)->gpr.rax = 1ULL << 40;
	guest_cpu(h)->gpr.rcx = 2;
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, AT_RAX), SEAM_END_RUN_GUEST);
	assert_true(guest_vcpu(h)->run.inject.valid);
	assert_int_equal(guest_vcpu(h)->run.inject.vector, VECTOR_PF);
	assert_true(guest_vcpu(h)->run.inject.has_error);
	assert_int_equal(guest_vcpu(h)->run.inject.error, 0);
	assert_int_equal(guest_cpu(h)->cr2, 1ULL << 40);
	assert_int_equal(guest_cpu(h)->rip, GPA_CODE);

	pt = guest_mem(h, GPA_TABLE(0));
	pt[2] = 0x900000 | 3;
	guest_cpu(h)->gpr.rax = 2ULL << 39;
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, AT_RAX), SEAM_END_DONE);
	assert_status(guest_result.regs.rax, VMX_EPT_VIOLATION);
	assert_int_equal(guest_result.regs.r8, 0x900000);
}

static void forms(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum guest_insn_kind kind;
		unsigned int insn_len, gpr;
	} rows[] = {
#define FORM(bytes, ...)	{ bytes, sizeof(bytes) - 1, __VA_ARGS__ }
		FORM("\x66\x0F\x38\x82\x08", GI_INVPCID, 5, 1),
		FORM("\x66\x44\x0F\x38\x82\x38", GI_INVPCID, 6, 15),
		FORM("\x66\x0F\x38\x82\x48\x08", GI_INVPCID, 6, 1),
		FORM("\x66\x0F\x38\x82\x88\x00\x00\x00\x00", GI_INVPCID, 9, 1),
		FORM("\x66\x0F\x38\x82\x04\x24", GI_INVPCID, 6, 0),
		FORM("\x66\x0F\x38\x82\x44\x24\x10", GI_INVPCID, 7, 0),
		FORM("\x66\x0F\x38\x82\x04\x25\x00\x10\x00\x00", GI_INVPCID, 10, 0),
		FORM("\x66\x0F\x38\x82\x05\x00\x10\x00\x00", GI_INVPCID, 9, 0),
		/* Cut off, no prefix, a register, another instruction. */
		FORM("\x66\x0F\x38\x82\x05\x00\x10\x00", GI_OTHER, 0, 0),
		FORM("\x66\x0F\x38\x82\x04", GI_OTHER, 0, 0),
		FORM("\x66\x0F\x38\x82", GI_OTHER, 0, 0),
		FORM("\x0F\x38\x82\x08", GI_OTHER, 0, 0),
		FORM("\x66\x0F\x38\x82\xC8", GI_OTHER, 0, 0),
		FORM("\x66\x0F\x38\x80\x08", GI_OTHER, 0, 0),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guest_insn insn;

		guest_insn_decode((const uint8_t *)rows[i].bytes, rows[i].len, true, &insn);
		assert_int_equal(insn.kind, rows[i].kind);
		assert_int_equal(insn.len, rows[i].insn_len);
		if (insn.kind == GI_INVPCID)
			assert_int_equal(insn.gpr, rows[i].gpr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(types),
		host_test(not_allowed),
		host_test(absent_operand),
		cmocka_unit_test(forms),
	};

	return cmocka_run_group_tests_name("guest_invpcid", tests, NULL, NULL);
}
