// SPDX-License-Identifier: GPL-2.0-only
/* TDH.SYS.RD: each global field, its value, and what is no field. */
#include "host.h"

#define RD(id)		{ .rax = TDH_SYS_RD, .rdx = (id) }
#define FEATURES0	0x0A00000300000008

TWIST(lp_not_done, h->seam->lp[1].init_done = false)

#define BAD_ID(name, id) \
	{ name, .stage = STAGE_LPS, .in = RD(id), .status = TDX_METADATA_FIELD_ID_INCORRECT }

static const struct row rows[] = {
	{ "success", .stage = STAGE_LPS, .in = RD(FEATURES0) },
	{ "after_config", .stage = STAGE_CONFIG, .in = RD(FEATURES0) },
	{ "when_ready", .stage = STAGE_READY, .in = RD(FEATURES0) },
	{ "pending", .in = RD(FEATURES0), .status = TDX_SYS_LP_INIT_NOT_DONE },
	{ "lp_not_done", .stage = STAGE_LPS, .twist = lp_not_done, .cpu = 1,
	  .in = RD(FEATURES0), .status = TDX_SYS_LP_INIT_NOT_DONE },
	{ "other_lp_not_done", .stage = STAGE_LPS, .twist = lp_not_done, .cpu = 2,
	  .in = RD(FEATURES0) },
	{ "shutdown", .stage = STAGE_SHUTDOWN, .in = RD(FEATURES0),
	  .status = TDX_SYS_SHUTDOWN },
	{ "context_is_ignored", .stage = STAGE_LPS, .in = RD(FEATURES0 | 1ULL << 52) },
	{ "size_is_ignored", .stage = STAGE_LPS, .in = RD(FEATURES0 & ~(3ULL << 32)) },
	BAD_ID("zero", 0),
	BAD_ID("other_class", FEATURES0 ^ 1ULL << 56),
	BAD_ID("other_code", FEATURES0 + 1),
	BAD_ID("code_before", FEATURES0 - 1),
	BAD_ID("last_element", FEATURES0 | 1ULL << 34),
	BAD_ID("last_element_high", FEATURES0 | 1ULL << 37),
	BAD_ID("last_field", FEATURES0 | 1ULL << 38),
	BAD_ID("last_field_high", FEATURES0 | 1ULL << 46),
	BAD_ID("behind_last_leaf", 0x990000030000040C),
	BAD_ID("behind_last_value", 0x9900000300000518),
	BAD_ID("td_field", 0x110000000000000A),
	BAD_ID("bitmap_without_dynamic_pamt", 0x9100000100000013),
	BAD_ID("ext_without_ext", 0x3100000200000000),
	BAD_ID("handoff_without_td_preserving", 0x8900000100000000),
	{ "null_id", .stage = STAGE_LPS, .in = RD(~0ULL),
	  .status = TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT },
};

static const struct {
	uint64_t id, value;
} values[] = {
	{ 0x0800000100000003, 5 },
	{ 0x0800000100000004, 1 },
	{ 0x0800000100000005, 16 },
	{ FEATURES0, 0x140000 },
	{ 0x9100000100000008, 64 },
	{ 0x9100000100000009, 16 },
	{ 0x9100000100000010, 16 },
	{ 0x9100000100000011, 16 },
	{ 0x9100000100000012, 16 },
	{ 0x9800000100000000, 0x1000 },
	{ 0x9800000100000100, 0x6000 },
	{ 0x9800000100000200, 0x6000 },
	{ 0x1900000300000000, 0x8000000070000001 },
	{ 0x1900000300000001, 0 },
	/* 6DBE7h of what the test's CPU has: 600E7h and 1800h. */
	{ 0x1900000300000002, 0x618E7 },
	{ 0x1900000300000003, 3 },
	{ 0x9900000100000004, 12 },
	{ 0x9900000100000008, 576 },
	{ 0x9900000300000400, 0xFFFFFFFF00000001 },
	{ 0x9900000300000401, 0x0000000000000004 },
	{ 0x9900000300000402, 0x0000000100000004 },
	{ 0x9900000300000403, 0x0000000200000004 },
	{ 0x9900000300000404, 0x0000000300000004 },
	{ 0x9900000300000405, 0x0000000000000007 },
	{ 0x9900000300000406, 0x0000000100000007 },
	{ 0x9900000300000407, 0xFFFFFFFF0000000A },
	{ 0x9900000300000408, 0xFFFFFFFF0000001C },
	{ 0x9900000300000409, 0xFFFFFFFF80000008 },
	{ 0x990000030000040A, 0x0000000200000007 },
	{ 0x990000030000040B, 0x0000000000000023 },
	{ 0x9900000300000500, 0x00FF00000FFF3FFF },
	/* The test's CPU has none of the bits that depend on it, but for leaf 7. */
	{ 0x9900000300000501, 0x0800000000000000 },
	{ 0x9900000300000502, 0xFFFFF000FFFFC3FF },
	{ 0x9900000300000503, 0xFFFFFFFBFFFFFFFF },
	{ 0x9900000300000509, 0x00000007FFFFFFFF },
	{ 0x990000030000050A, 0xDC2B9B1800000000 },
	{ 0x990000030000050B, 0 },
	{ 0x990000030000050C, 0x1D30 },
	{ 0x990000030000050D, 0 },
	{ 0x990000030000050E, 0 },
	{ 0x9900000300000512, 0 },
	{ 0x9900000300000514, 0 },
	{ 0x9900000300000515, 0x0000002800000000 },
	{ 0x9900000300000517, 0 },
};

static uint64_t read_field(struct host *h, uint64_t id, uint64_t *next)
{
	struct seam_regs regs = RD(id);

	assert_int_equal(host_call(h, 0, &regs), SEAM_END_DONE);
	assert_status(regs.rax, TDX_SUCCESS);
	*next = regs.rdx;
	return regs.r8;
}

static void field_values(void **state)
{
	struct host *h = *state;
	uint64_t next;

	host_start(h);
	host_goto(h, STAGE_LPS);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_int_equal(read_field(h, values[i].id, &next), values[i].value);
}

static void configured_values(void **state)
{
	const char *const args[] = { "features0", "0x140002", "version", "2.1.7", NULL };
	struct host *h = host_new(args);
	uint64_t next;

	(void)state;
	host_start(h);
	host_goto(h, STAGE_LPS);
	assert_int_equal(read_field(h, FEATURES0, &next), 0x140002);
	assert_int_equal(read_field(h, 0x0800000100000004, &next), 2);
	assert_int_equal(read_field(h, 0x0800000100000003, &next), 1);
	assert_int_equal(read_field(h, 0x0800000100000005, &next), 7);
	assert_int_equal(next, 0x8900000100000000);
	assert_int_equal(read_field(h, next, &next), 0);
	host_free(h);
}

/* Following RDX from the null id visits every element once, and then ends. */
static void walk_all_fields(void **state)
{
	struct host *h = *state;
	struct seam_regs regs = RD(~0ULL);
	unsigned int nr = 0;

	host_start(h);
	host_goto(h, STAGE_LPS);
	host_call(h, 0, &regs);
	while (regs.rdx != ~0ULL && nr < 1000) {
		regs.rax = TDH_SYS_RD;
		host_call(h, 0, &regs);
		assert_status(regs.rax, TDX_SUCCESS);
		nr++;
	}
	assert_int_equal(nr, 18 + 12 + 24);
}

static void error_outputs(void **state)
{
	struct host *h = *state;
	struct seam_regs regs = { .rax = TDH_SYS_RD, .rdx = 0, .r8 = 99 };

	host_start(h);
	host_goto(h, STAGE_LPS);
	host_call(h, 0, &regs);
	assert_status(regs.rax, TDX_METADATA_FIELD_ID_INCORRECT);
	assert_int_equal(regs.rdx, ~0ULL);
	assert_int_equal(regs.r8, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(field_values),
		cmocka_unit_test(configured_values),
		host_test(walk_all_fields),
		host_test(error_outputs),
	};
	int failed = run_rows("metadata", rows, ARRAY_SIZE(rows));

	return failed + cmocka_run_group_tests_name("metadata_state", tests, NULL, NULL);
}
