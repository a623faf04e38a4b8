// SPDX-License-Identifier: GPL-2.0-only
/* TDH.VP but for VP.ENTER and the fields: preconditions, and what success does. */
#include "td_twists.h"

#define CREATE()	{ .rax = TDH_VP_CREATE, .rcx = TDVPR(0), .rdx = TDR }
#define ADDCX()		{ .rax = TDH_VP_ADDCX, .rcx = TDVPX(0, 0), .rdx = TDVPR(0) }
#define INIT()		{ .rax = TDH_VP_INIT | 1 << 16, .rcx = TDVPR(0), .rdx = 0x1234, .r8 = 7 }
#define INIT_V0()	{ .rax = TDH_VP_INIT, .rcx = TDVPR(0), .rdx = 0x1234, .r8 = ~0ULL }
#define FLUSH()		{ .rax = TDH_VP_FLUSH, .rcx = TDVPR(0) }

TWIST(no_memory, host_fail_alloc(1))
TWIST(tdr_and_page_bad, in->rdx = FREE_PAGE; in->rcx = 1)
TWIST(op_and_page_bad, td_op_runnable(h, in); in->rcx = 1)
TWIST(vcpu_ready, host_vcpu(h)->state = VCPU_READY)
TWIST(vcpu_full, host_vcpu(h)->nr_tdcx = TDVPS_CHILD_PAGES)
TWIST(ready_and_full, vcpu_ready(h, in); vcpu_full(h, in))
TWIST(full_and_page_bad, vcpu_full(h, in); in->rcx = 1)
TWIST(few_vcpu_pages, host_vcpu(h)->nr_tdcx = TDVPS_CHILD_PAGES - 1)
TWIST(few_pages_and_ready, few_vcpu_pages(h, in); vcpu_ready(h, in))
TWIST(no_more_vcpus, host_td(h)->nr_vcpus = 3)
TWIST(id_wide, in->r8 = 1ULL << 32)
TWIST(no_more_and_id_wide, no_more_vcpus(h, in); id_wide(h, in))
TWIST(tsc_adjusted, h->msr = 0x3B; h->msr_flip = 1)
TWIST(tsc_and_page_bad, tsc_adjusted(h, in); in->rcx = 1)
TWIST(no_keys_and_few_pages, td_no_keys(h, in); few_vcpu_pages(h, in))

/* Another vCPU, ready to be initialised, @n from 1 on. */
static void add_vcpu(struct host *h, unsigned int n)
{
	td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_CREATE, .rcx = TDVPR(n), .rdx = TDR });
	for (unsigned int i = 0; i < TDVPS_CHILD_PAGES; i++)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_ADDCX, .rcx = TDVPX(n, i),
						  .rdx = TDVPR(n) });
}

TWIST(id_taken, add_vcpu(h, 1); in->rcx = TDVPR(1); in->r8 = 0)
TWIST(id_new, add_vcpu(h, 1); in->rcx = TDVPR(1); in->r8 = 1)

#define ROW(twist_, stage_, in_, status_) ROW_AT("", twist_, stage_, in_, status_)

static const struct td_row create_rows[] = {
	{ "create", .stage = TD_INIT, .in = CREATE() },
	{ "create_tdr_shared", .stage = TD_INIT, .twist = tdr_locked_shared, .in = CREATE() },
	CONTROL_SHARED_ROWS(rdx, OPERAND_RDX, TD_INIT, CREATE),
	TD_STATE_ROWS(TD_INIT, CREATE),
	OP_LOCKED_ROW(TD_INIT, CREATE),
	OP_STATE_ROW(uninit, TD_INIT, CREATE),
	OP_STATE_ROW(runnable, TD_INIT, CREATE),
	FREE_PAGE_ROWS(rcx, OPERAND_RCX, TD_INIT, CREATE),
	ROW(no_memory, TD_INIT, CREATE, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(tdr_and_page_bad, TD_INIT, CREATE, TDX_PAGE_METADATA_INCORRECT | OPERAND_RDX),
	ROW(op_and_page_bad, TD_INIT, CREATE, TDX_OP_STATE_INCORRECT),
};

static const struct td_row addcx_rows[] = {
	{ "addcx", .stage = TD_VCPU_CREATED, .in = ADDCX() },
	CONTROL_EXCLUSIVE_ROWS(rdx, OPERAND_RDX, TD_VCPU_CREATED, ADDCX),
	ROW(tdr_locked_exclusive, TD_VCPU_CREATED, ADDCX, TDX_OPERAND_BUSY | OPERAND_TDR),
	{ "addcx_tdr_shared", .stage = TD_VCPU_CREATED, .twist = tdr_locked_shared,
	  .in = ADDCX() },
	TD_STATE_ROWS(TD_VCPU_CREATED, ADDCX),
	OP_LOCKED_ROW(TD_VCPU_CREATED, ADDCX),
	OP_STATE_ROW(uninit, TD_VCPU_CREATED, ADDCX),
	OP_STATE_ROW(runnable, TD_VCPU_CREATED, ADDCX),
	ROW(vcpu_ready, TD_VCPU_CREATED, ADDCX, TDX_VCPU_STATE_INCORRECT | VCPU_READY),
	ROW(vcpu_full, TD_VCPU_CREATED, ADDCX, TDX_TDCX_NUM_INCORRECT),
	ROW(ready_and_full, TD_VCPU_CREATED, ADDCX, TDX_VCPU_STATE_INCORRECT | VCPU_READY),
	ROW(full_and_page_bad, TD_VCPU_CREATED, ADDCX, TDX_TDCX_NUM_INCORRECT),
	FREE_PAGE_ROWS(rcx, OPERAND_RCX, TD_VCPU_CREATED, ADDCX),
};

static const struct td_row init_rows[] = {
	{ "init", .stage = TD_VCPU_PAGES, .in = INIT() },
	{ "init_v0", .stage = TD_VCPU_PAGES, .in = INIT_V0() },
	{ "init_v0_tdr_shared", .stage = TD_VCPU_PAGES, .twist = tdr_locked_shared,
	  .in = INIT_V0() },
	ROW(tsc_adjusted, TD_VCPU_PAGES, INIT, TDX_INCONSISTENT_MSR | 0x3B),
	ROW(tsc_and_page_bad, TD_VCPU_PAGES, INIT, TDX_INCONSISTENT_MSR | 0x3B),
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_VCPU_PAGES, INIT),
	ROW(tdr_locked_exclusive, TD_VCPU_PAGES, INIT, TDX_OPERAND_BUSY | OPERAND_TDR),
	ROW(tdr_locked_shared, TD_VCPU_PAGES, INIT, TDX_OPERAND_BUSY | OPERAND_TDR),
	TD_STATE_ROWS(TD_VCPU_PAGES, INIT),
	{ "op_locked_v0", .stage = TD_VCPU_PAGES, .twist = td_op_locked, .in = INIT_V0(),
	  .status = TDX_OPERAND_BUSY | OPERAND_OP_STATE },
	OP_STATE_ROW(uninit, TD_VCPU_PAGES, INIT),
	OP_STATE_ROW(runnable, TD_VCPU_PAGES, INIT),
	{ "no_pages", .stage = TD_VCPU_CREATED, .in = INIT(), .status = TDX_TDCX_NUM_INCORRECT },
	ROW(few_vcpu_pages, TD_VCPU_PAGES, INIT, TDX_TDCX_NUM_INCORRECT),
	ROW(few_pages_and_ready, TD_VCPU_PAGES, INIT, TDX_TDCX_NUM_INCORRECT),
	{ "twice", .stage = TD_VCPU, .in = INIT(),
	  .status = TDX_VCPU_STATE_INCORRECT | VCPU_READY },
	ROW(no_more_vcpus, TD_VCPU_PAGES, INIT, TDX_MAX_VCPUS_EXCEEDED),
	{ "no_more_vcpus_v0", .stage = TD_VCPU_PAGES, .twist = no_more_vcpus, .in = INIT_V0(),
	  .status = TDX_MAX_VCPUS_EXCEEDED },
	ROW(id_wide, TD_VCPU_PAGES, INIT, TDX_OPERAND_INVALID | OPERAND_R8),
	ROW(no_more_and_id_wide, TD_VCPU_PAGES, INIT, TDX_MAX_VCPUS_EXCEEDED),
	ROW(id_taken, TD_VCPU, INIT, TDX_X2APIC_ID_NOT_UNIQUE | 0),
	{ "id_new", .stage = TD_VCPU, .twist = id_new, .in = INIT() },
	{ "version_2", .stage = TD_VCPU_PAGES,
	  .in = { .rax = TDH_VP_INIT | 2 << 16, .rcx = TDVPR(0) },
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
};

static const struct td_row flush_rows[] = {
	{ "flush", .stage = TD_VCPU, .in = FLUSH() },
	{ "flush_runnable", .stage = TD_RUNNABLE, .in = FLUSH() },
	{ "flush_tdr_shared", .stage = TD_VCPU, .twist = tdr_locked_shared, .in = FLUSH() },
	{ "flush_fatal", .stage = TD_VCPU, .twist = td_fatal, .in = FLUSH() },
	{ "flush_op_locked", .stage = TD_VCPU, .twist = td_op_locked, .in = FLUSH() },
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_VCPU, FLUSH),
	ROW(tdr_locked_exclusive, TD_VCPU, FLUSH, TDX_OPERAND_BUSY | OPERAND_TDR),
	ROW(td_no_keys, TD_VCPU, FLUSH, TDX_TD_KEYS_NOT_CONFIGURED),
	ROW(no_keys_and_few_pages, TD_VCPU, FLUSH, TDX_TD_KEYS_NOT_CONFIGURED),
	ROW(few_vcpu_pages, TD_VCPU, FLUSH, TDX_TDCX_NUM_INCORRECT),
	{ "flush_uninit", .stage = TD_VCPU_PAGES, .in = FLUSH(),
	  .status = TDX_VCPU_NOT_ASSOCIATED },
	{ "flush_twice", .stage = TD_FLUSHED, .in = FLUSH(), .status = TDX_VCPU_NOT_ASSOCIATED },
	{ "flush_on_other_cpu", .stage = TD_VCPU, .cpu = 1, .in = FLUSH(),
	  .status = TDX_VCPU_NOT_ASSOCIATED, .rule = "wrong-cpu" },
};

static void create_and_addcx_own_pages(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_VCPU_PAGES);
	assert_int_equal(host_page(h, TDVPR(0))->type, PT_TDVPR);
	assert_int_equal(pamt_owner(host_page(h, TDVPR(0))), TDR);
	assert_int_equal(host_page(h, TDVPX(0, 4))->type, PT_TDCX);
	assert_int_equal(pamt_owner(host_page(h, TDVPX(0, 4))), TDR);
	assert_int_equal(host_td(h)->children, TDCS_PAGES + 1 + TDVPS_CHILD_PAGES);
	assert_int_equal(host_vcpu(h)->state, VCPU_UNINIT);
	assert_int_equal(host_vcpu(h)->lp, VCPU_NO_LP);
}

static void init_makes_ready(void **state)
{
	struct host *h = *state;
	struct vcpu *vcpu;

	host_start(h);
	td_goto(h, TD_VCPU_PAGES);
	td_must(h, 2, (struct seam_regs)INIT());
	vcpu = host_vcpu(h);
	assert_int_equal(vcpu->state, VCPU_READY);
	assert_int_equal(vcpu->lp, 2);
	assert_int_equal(vcpu->index, 0);
	assert_int_equal(vcpu->x2apic_id, 7);
	assert_true(vcpu->has_x2apic_id);
	assert_int_equal(vcpu->initial_rcx, 0x1234);
	assert_int_equal(host_td(h)->nr_vcpus, 1);
	assert_int_equal(host_td(h)->nr_associated, 1);
	assert_ptr_equal(host_td(h)->vcpu[0], vcpu);
}

/* Without ids from the host, vCPUs count, and do not clash with one that has. */
static void init_counts_vcpus(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_VCPU_PAGES);
	td_must(h, 0, (struct seam_regs)INIT_V0());
	add_vcpu(h, 1);
	add_vcpu(h, 2);
	td_must(h, 1, (struct seam_regs){ .rax = TDH_VP_INIT, .rcx = TDVPR(1) });
	td_must(h, 1, (struct seam_regs){ .rax = TDH_VP_INIT | 1 << 16, .rcx = TDVPR(2),
					  .r8 = 1 });
	assert_int_equal(host_td(h)->nr_vcpus, 3);
	assert_int_equal(host_td(h)->vcpu[1]->tdvpr, TDVPR(1));
	assert_int_equal(host_td(h)->vcpu[1]->x2apic_id, 1);
	assert_false(host_td(h)->vcpu[1]->has_x2apic_id);
	assert_int_equal(host_td(h)->vcpu[2]->x2apic_id, 1);
}

static void flush_lets_go(void **state)
{
	struct host *h = *state;
	struct seam_regs wr = { .rax = TDH_VP_WR, .rcx = TDVPR(0), .rdx = 0xA02000000000000B,
				.r8 = 1, .r9 = 1 };

	host_start(h);
	td_goto(h, TD_VCPU);
	assert_status(host_status(h, 1, wr), TDX_VCPU_ASSOCIATED);
	host_vcpu(h)->epoch = 1;
	td_must(h, 0, (struct seam_regs)FLUSH());
	assert_int_equal(host_vcpu(h)->lp, VCPU_NO_LP);
	assert_int_equal(host_vcpu(h)->epoch, 0);
	assert_int_equal(host_td(h)->nr_associated, 0);
	td_must(h, 1, wr);
	assert_int_equal(host_vcpu(h)->lp, 1);
	assert_int_equal(host_td(h)->nr_associated, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(create_and_addcx_own_pages),
		host_test(init_makes_ready),
		host_test(init_counts_vcpus),
		host_test(flush_lets_go),
	};
	int failed = run_td_rows("vp_create", create_rows, ARRAY_SIZE(create_rows));

	failed += run_td_rows("vp_addcx", addcx_rows, ARRAY_SIZE(addcx_rows));
	failed += run_td_rows("vp_init", init_rows, ARRAY_SIZE(init_rows));
	failed += run_td_rows("vp_flush", flush_rows, ARRAY_SIZE(flush_rows));
	return failed + cmocka_run_group_tests_name("vp", tests, NULL, NULL);
}
