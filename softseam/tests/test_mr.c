// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MR: preconditions, and MRTD against digests computed elsewhere. */
#include <string.h>

#include "sept_rows.h"

#define EXTEND()	{ .rax = TDH_MR_EXTEND, .rcx = GPA_REG, .rdx = TDR }
#define FINALIZE()	{ .rax = TDH_MR_FINALIZE, .rcx = TDR }

TWIST(gpa_misaligned, in->rcx += 128)
TWIST(gpa_offset, in->rcx += 0xF00)
TWIST(gpa_free, in->rcx = GPA_FREE)
TWIST(gpa_no_table, in->rcx = GPA_NO_TABLE)
TWIST(gpa_pending, in->rcx = GPA_FREE;
      td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = TDR,
					.r8 = FREE_PAGE }))
TWIST(gpa_blocked, td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK,
						     .rcx = GPA_REG, .rdx = TDR }))
TWIST(alignment_and_shared, gpa_misaligned(h, in); gpa_shared(h, in))
TWIST(host_wrote, *host_mem(h, REG_PAGE + 5) ^= 1)

#define EXTEND_ERROR(twist_, entry, info)					\
	{ "extend_" #twist_, .stage = TD_PAGE, .twist = twist_, .in = EXTEND(),	\
	  .status = TDX_EPT_ENTRY_NOT_PRESENT | OPERAND_RCX,			\
	  .has_out = true, .out = { entry, info } }

static const struct td_row extend_rows[] = {
	{ "extend", .stage = TD_PAGE, .in = EXTEND(), .has_out = true },
	{ "extend_last", .stage = TD_PAGE, .twist = gpa_offset, .in = EXTEND() },
	{ "extend_host_wrote", .stage = TD_PAGE, .twist = host_wrote, .in = EXTEND(),
	  .rule = "host-write" },
	CONTROL_EXCLUSIVE_ROWS(rdx, OPERAND_RDX, TD_PAGE, EXTEND),
	TD_STATE_ROWS(TD_PAGE, EXTEND),
	OP_STATE_ROW(uninit, TD_PAGE, EXTEND),
	OP_STATE_ROW(runnable, TD_PAGE, EXTEND),
	ROW_AT("", gpa_misaligned, TD_PAGE, EXTEND, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW_AT("", gpa_high_bits, TD_PAGE, EXTEND, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW_AT("", gpa_shared, TD_PAGE, EXTEND, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW_AT("", gpa_beyond, TD_PAGE, EXTEND, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW_AT("", alignment_and_shared, TD_PAGE, EXTEND, TDX_OPERAND_INVALID | OPERAND_RCX),
	EXTEND_ERROR(gpa_free, ENTRY_FREE, INFO(0, 0)),
	EXTEND_ERROR(gpa_no_table, ENTRY_FREE, INFO(1, 0)),
	EXTEND_ERROR(gpa_pending, FREE_PAGE | ENTRY_FREE | 0x70, INFO(0, SEPT_PENDING)),
	EXTEND_ERROR(gpa_blocked, REG_PAGE | ENTRY_FREE | 0x70, INFO(0, SEPT_BLOCKED)),
};

static const struct td_row finalize_rows[] = {
	{ "finalize", .stage = TD_PAGE, .in = FINALIZE() },
	{ "finalize_empty", .stage = TD_VCPU, .in = FINALIZE() },
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_PAGE, FINALIZE),
	TD_STATE_ROWS(TD_PAGE, FINALIZE),
	OP_STATE_ROW(uninit, TD_PAGE, FINALIZE),
	{ "finalize_twice", .stage = TD_RUNNABLE, .in = FINALIZE(),
	  .status = TDX_OP_STATE_INCORRECT },
	{ "no_vcpus", .stage = TD_INIT, .in = FINALIZE(), .status = TDX_TD_NO_VCPUS },
	{ "no_ready_vcpus", .stage = TD_VCPU_PAGES, .in = FINALIZE(),
	  .status = TDX_TD_NO_VCPUS },
};

static void assert_mrtd(struct host *h, const char *hex)
{
	char text[2 * SHA384_BYTES + 1];

	td_must(h, 0, (struct seam_regs)FINALIZE());
	for (unsigned int i = 0; i < SHA384_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", host_td(h)->mrtd[i]);
	assert_string_equal(text, hex);
	assert_int_equal(host_td(h)->op_state, OP_RUNNABLE);
}

/* SHA-384 of nothing. */
static void mrtd_of_nothing(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_SEPT);
	assert_mrtd(h, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
		       "274edebfe76f65fbd51ad2f14898b95b");
}

static void mrtd_of_page(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_PAGE);
	assert_mrtd(h, "30739fc015b6f3734f7684e90531f2d634cff74b38357fd6094b6d8a5c578924"
		       "1d55fcfc6410d564e659255bc2d89805");
}

/* A page and its contents, 16 times 256 bytes, as Linux measures it. */
static void mrtd_of_contents(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_PAGE);
	for (uint64_t offset = 0; offset < SZ_4K; offset += 256)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MR_EXTEND, .rcx = GPA_REG + offset,
						  .rdx = TDR });
	assert_mrtd(h, "811f63a97185f22b54934868e8b901013402b40986d766dfc14c2a7048c55203"
		       "e0bcc38ae3700a126feb805d3d74b594");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(mrtd_of_nothing),
		host_test(mrtd_of_page),
		host_test(mrtd_of_contents),
	};
	int failed = run_td_rows("mr_extend", extend_rows, ARRAY_SIZE(extend_rows));

	failed += run_td_rows("mr_finalize", finalize_rows, ARRAY_SIZE(finalize_rows));
	return failed + cmocka_run_group_tests_name("mr", tests, NULL, NULL);
}
