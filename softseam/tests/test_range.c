// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MEM.RANGE.BLOCK and UNBLOCK, TDH.MEM.TRACK, and tracking by epochs. */
#include "sept_rows.h"
#include "track.h"

#define BLOCK_OF(what)		{ .rax = TDH_MEM_RANGE_BLOCK, .rcx = (what), .rdx = TDR }
#define BLOCK()			BLOCK_OF(GPA_REG)
#define UNBLOCK_OF(what)	{ .rax = TDH_MEM_RANGE_UNBLOCK, .rcx = (what), .rdx = TDR }
#define UNBLOCK()		UNBLOCK_OF(GPA_REG)
#define TRACK()			{ .rax = TDH_MEM_TRACK, .rcx = TDR }

TWIST(gpa_misaligned, in->rcx = GPA_REG | 1)
TWIST(level_4, in->rcx = 4)
TWIST(no_table, in->rcx = GPA_NO_TABLE)
TWIST(gpa_free, in->rcx = GPA_FREE)
TWIST(gpa_pending, in->rcx = GPA_AUG)
TWIST(gpa_table, in->rcx = 1)
TWIST(gpa_root_entry, in->rcx = 3)
TWIST(table_blocked, td_must(h, 0, (struct seam_regs)BLOCK_OF(1)); in->rcx = 1)
TWIST(below_blocked_table, td_must(h, 0, (struct seam_regs)BLOCK_OF(1)))
TWIST(entry_locked, lock_try_exclusive(&host_entry(h, in->rcx & ~7ULL, 0)->lock))
TWIST(vcpu_inside, host_td(h)->epoch.refcount[1] = 1)
TWIST(epoch_exclusive, lock_try_exclusive(&host_td(h)->epoch.lock))
TWIST(epoch_shared, lock_try_shared(&host_td(h)->epoch.lock))
TWIST(previous_inside, host_td(h)->epoch.refcount[0] = 1)
TWIST(current_inside, host_td(h)->epoch.refcount[1] = 1)

static const struct td_row block_rows[] = {
	{ "block", .stage = TD_RUNNABLE, .in = BLOCK(), .has_out = true },
	{ "block_init", .stage = TD_PAGE, .in = BLOCK(), .has_out = true },
	GOOD(tdr_locked_shared, TD_RUNNABLE, BLOCK),
	GOOD(gpa_pending, TD_AUG, BLOCK),
	GOOD(gpa_table, TD_RUNNABLE, BLOCK),
	GOOD(gpa_root_entry, TD_RUNNABLE, BLOCK),
	CONTROL_SHARED_ROWS(rdx, OPERAND_RDX, TD_RUNNABLE, BLOCK),
	TD_STATE_ROWS(TD_RUNNABLE, BLOCK),
	OP_LOCKED_ROW(TD_RUNNABLE, BLOCK),
	OP_STATE_ROW(uninit, TD_RUNNABLE, BLOCK),
	GPA_ROWS(TD_RUNNABLE, BLOCK),
	CLEAN_ERROR(gpa_misaligned, TD_RUNNABLE, BLOCK, TDX_OPERAND_INVALID | OPERAND_RCX),
	CLEAN_ERROR(level_4, TD_RUNNABLE, BLOCK, TDX_OPERAND_INVALID | OPERAND_RCX),
	CLEAN_ERROR(tree_exclusive, TD_RUNNABLE, BLOCK, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	CLEAN_ERROR(tree_shared, TD_RUNNABLE, BLOCK, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	EPT_ERROR(no_table, TD_RUNNABLE, BLOCK, TDX_EPT_WALK_FAILED, ENTRY_FREE, INFO(1, 0)),
	EPT_ERROR(below_blocked_table, TD_RUNNABLE, BLOCK, TDX_EPT_WALK_FAILED, EPT_PAGE(1),
		  INFO(1, SEPT_NL_BLOCKED)),
	EPT_ERROR(entry_locked, TD_RUNNABLE, BLOCK, TDX_OPERAND_BUSY, ENTRY_MAPPED(REG_PAGE),
		  INFO(0, SEPT_MAPPED)),
	EPT_ERROR(gpa_free, TD_RUNNABLE, BLOCK, TDX_EPT_ENTRY_STATE_INCORRECT, ENTRY_FREE,
		  INFO(0, 0)),
	{ "blocked", .stage = TD_BLOCKED_PAGES, .in = BLOCK(),
	  .status = TDX_GPA_RANGE_ALREADY_BLOCKED | OPERAND_RCX, .has_out = true,
	  .out = { ENTRY_BLOCKED(REG_PAGE), INFO(0, SEPT_BLOCKED) } },
	EPT_ERROR(gpa_pending, TD_BLOCKED_PAGES, BLOCK, TDX_GPA_RANGE_ALREADY_BLOCKED,
		  ENTRY_BLOCKED(AUG_PAGE), INFO(0, SEPT_PENDING_BLOCKED)),
	EPT_ERROR(table_blocked, TD_RUNNABLE, BLOCK, TDX_GPA_RANGE_ALREADY_BLOCKED,
		  EPT_PAGE(1), INFO(1, SEPT_NL_BLOCKED)),
};

static const struct td_row unblock_rows[] = {
	{ "unblock", .stage = TD_TRACKED, .in = UNBLOCK(), .has_out = true },
	GOOD(gpa_pending, TD_TRACKED, UNBLOCK),
	GOOD(table_blocked, TD_SEPT, UNBLOCK),
	CONTROL_SHARED_ROWS(rdx, OPERAND_RDX, TD_TRACKED, UNBLOCK),
	TD_STATE_ROWS(TD_TRACKED, UNBLOCK),
	OP_LOCKED_ROW(TD_TRACKED, UNBLOCK),
	OP_STATE_ROW(uninit, TD_TRACKED, UNBLOCK),
	GPA_ROWS(TD_TRACKED, UNBLOCK),
	CLEAN_ERROR(tree_exclusive, TD_TRACKED, UNBLOCK, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	EPT_ERROR(no_table, TD_TRACKED, UNBLOCK, TDX_EPT_WALK_FAILED, ENTRY_FREE, INFO(1, 0)),
	EPT_ERROR(entry_locked, TD_TRACKED, UNBLOCK, TDX_OPERAND_BUSY, ENTRY_BLOCKED(REG_PAGE),
		  INFO(0, SEPT_BLOCKED)),
	EPT_ERROR(gpa_free, TD_TRACKED, UNBLOCK, TDX_EPT_ENTRY_STATE_INCORRECT, ENTRY_FREE,
		  INFO(0, 0)),
	{ "not_blocked", .stage = TD_RUNNABLE, .in = UNBLOCK(),
	  .status = TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX, .has_out = true,
	  .out = { ENTRY_MAPPED(REG_PAGE), INFO(0, SEPT_MAPPED) } },
	{ "not_tracked", .stage = TD_BLOCKED_PAGES, .in = UNBLOCK(),
	  .status = TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX, .has_out = true },
	CLEAN_ERROR(table_blocked, TD_RUNNABLE, UNBLOCK,
		    TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX),
	CLEAN_ERROR(vcpu_inside, TD_TRACKED, UNBLOCK, TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX),
};

#define TRACK_ROW(twist_, status_) ROW_AT("track_", twist_, TD_RUNNABLE, TRACK, status_)

static const struct td_row track_rows[] = {
	{ "track", .stage = TD_RUNNABLE, .in = TRACK() },
	{ "track_init", .stage = TD_INIT, .in = TRACK() },
	{ "track_current_inside", .stage = TD_RUNNABLE, .twist = current_inside, .in = TRACK() },
	{ "track_tdr_shared", .stage = TD_RUNNABLE, .twist = tdr_locked_shared, .in = TRACK() },
	CONTROL_SHARED_ROWS(rcx, OPERAND_RCX, TD_RUNNABLE, TRACK),
	TD_STATE_ROWS(TD_RUNNABLE, TRACK),
	OP_LOCKED_ROW(TD_RUNNABLE, TRACK),
	OP_STATE_ROW(uninit, TD_RUNNABLE, TRACK),
	TRACK_ROW(epoch_exclusive, TDX_OPERAND_BUSY | OPERAND_TD_EPOCH),
	TRACK_ROW(epoch_shared, TDX_OPERAND_BUSY | OPERAND_TD_EPOCH),
	TRACK_ROW(previous_inside, TDX_PREVIOUS_TLB_EPOCH_BUSY),
};

static void states(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_TRACKED);
	assert_int_equal(host_entry(h, GPA_REG, 0)->word, REG_PAGE | SEPT_BLOCKED);
	assert_int_equal(host_entry(h, GPA_AUG, 0)->word, AUG_PAGE | SEPT_PENDING_BLOCKED);
	assert_int_equal(host_page(h, REG_PAGE)->bepoch, 1);
	td_must(h, 0, (struct seam_regs)UNBLOCK());
	td_must(h, 0, (struct seam_regs)UNBLOCK_OF(GPA_AUG));
	assert_int_equal(host_entry(h, GPA_REG, 0)->word, REG_PAGE | SEPT_MAPPED);
	assert_int_equal(host_entry(h, GPA_AUG, 0)->word, AUG_PAGE | SEPT_PENDING);
	td_must(h, 0, (struct seam_regs)BLOCK_OF(1));
	assert_int_equal(host_entry(h, 0, 1)->word, EPT_PAGE(1) | SEPT_NL_BLOCKED);
	assert_int_equal(host_page(h, EPT_PAGE(1))->bepoch, 2);
	td_must(h, 0, (struct seam_regs)TRACK());
	td_must(h, 0, (struct seam_regs)UNBLOCK_OF(1));
	assert_int_equal(host_entry(h, 0, 1)->word, EPT_PAGE(1) | SEPT_NL_MAPPED);
}

/* A vCPU that entered before a page was blocked keeps it from being removed. */
static void epochs(void **state)
{
	struct host *h = *state;
	struct vcpu *vcpu;
	struct td *td;
	bool flush;

	host_start(h);
	td_goto(h, TD_RUNNABLE);
	td = host_td(h);
	vcpu = host_vcpu(h);

	assert_status(track_enter(td, vcpu, &flush), TDX_SUCCESS);
	assert_true(flush);
	assert_int_equal(td->epoch.refcount[1], 1);
	track_exit(td, vcpu);
	assert_status(track_enter(td, vcpu, &flush), TDX_SUCCESS);
	assert_false(flush);

	td_must(h, 0, (struct seam_regs)BLOCK());
	assert_false(track_done(td, 1));
	td_must(h, 0, (struct seam_regs)TRACK());
	assert_false(track_done(td, 1));
	assert_status(host_status(h, 0, (struct seam_regs)TRACK()), TDX_PREVIOUS_TLB_EPOCH_BUSY);
	track_exit(td, vcpu);
	assert_true(track_done(td, 1));

	/* Inside again, but since after the block. */
	assert_status(track_enter(td, vcpu, &flush), TDX_SUCCESS);
	assert_true(flush);
	assert_true(track_done(td, 1));
	td_must(h, 0, (struct seam_regs)TRACK());
	assert_true(track_done(td, 1));
	assert_false(track_done(td, 2));
	track_exit(td, vcpu);
	assert_true(track_done(td, 2));
	assert_false(track_done(td, 3));
	assert_int_equal(td->epoch.refcount[0] | td->epoch.refcount[1], 0);

	lock_try_exclusive(&td->epoch.lock);
	assert_status(track_enter(td, vcpu, &flush), TDX_OPERAND_BUSY | OPERAND_TD_EPOCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(states),
		host_test(epochs),
	};
	int failed = run_td_rows("range_block", block_rows, ARRAY_SIZE(block_rows));

	failed += run_td_rows("range_unblock", unblock_rows, ARRAY_SIZE(unblock_rows));
	failed += run_td_rows("track", track_rows, ARRAY_SIZE(track_rows));
	return failed + cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
