// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MEM.SEPT: preconditions, and what success does. */
#include "sept_rows.h"

#define ADD()		{ .rax = TDH_MEM_SEPT_ADD, .rcx = GPA_NO_TABLE | 1, .rdx = TDR, \
			  .r8 = FREE_PAGE }
#define REMOVE()	{ .rax = TDH_MEM_SEPT_REMOVE, .rcx = 1, .rdx = TDR }
#define BLOCK_TABLE	{ .rax = TDH_MEM_RANGE_BLOCK, .rcx = 1, .rdx = TDR }

TWIST(rdx_flags, in->rdx |= 2)
TWIST(rdx_high, in->rdx |= 1ULL << 63)
TWIST(level_0, in->rcx &= ~7ULL)
TWIST(level_4, in->rcx = 4)
TWIST(gpa_misaligned, in->rcx |= SZ_4K)
TWIST(no_table_above, in->rcx = 512 * GB | 2)
TWIST(entry_locked, lock_try_exclusive(&host_entry(h, in->rcx & ~7ULL, 1)->lock))
TWIST(table_there, in->rcx = 1)
TWIST(table_there_allowed, in->rcx = 1; in->rdx |= 1; in->r8 = 1)
TWIST(page_there, in->rcx = GPA_NO_TABLE | 1;
      td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_NO_TABLE | 1,
					.rdx = TDR, .r8 = FREE_2M }))
TWIST(page_there_allowed, page_there(h, in); in->rdx |= 1)
TWIST(table_blocked, td_must(h, 0, (struct seam_regs)BLOCK_TABLE); in->rcx = 1; in->rdx |= 1)
TWIST(no_memory, host_fail_alloc(1))
TWIST(gpa_and_tree_bad, gpa_high_bits(h, in); tree_exclusive(h, in))
TWIST(walk_and_page_bad, no_table_above(h, in); in->r8 = 1)
TWIST(state_and_page_bad, table_there(h, in); in->r8 = 1)
TWIST(flags_and_tdr_bad, in->rdx = 2)

/* For REMOVE: an empty table at GPA_NO_TABLE. */
TWIST(empty, td_must(h, 0, (struct seam_regs)ADD()); in->rcx = GPA_NO_TABLE | 1)
TWIST(empty_locked, empty(h, in); entry_locked(h, in))
TWIST(empty_page_locked, empty(h, in); lock_try_shared(&host_page(h, FREE_PAGE)->lock))
TWIST(empty_blocked, empty(h, in);
      td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK, .rcx = GPA_NO_TABLE | 1,
					.rdx = TDR }))
TWIST(empty_tracked, empty_blocked(h, in);
      td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR }))
TWIST(vcpu_inside, empty_blocked(h, in); host_td(h)->epoch.refcount[1] = 1;
      td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR }))
TWIST(nothing_there, in->rcx = GPA_NO_TABLE | 1)
TWIST(leaf_there, page_there(h, in))

#define AT(twist_, stage_, status_)	ROW_AT("", twist_, stage_, ADD, status_)

static const struct td_row add_rows[] = {
	{ "add", .stage = TD_SEPT, .in = ADD(), .has_out = true },
	{ "add_runnable", .stage = TD_RUNNABLE, .in = ADD(), .has_out = true },
	{ "add_tdr_shared", .stage = TD_SEPT, .twist = tdr_locked_shared, .in = ADD() },
	{ "add_tree_shared", .stage = TD_SEPT, .twist = tree_shared, .in = ADD() },
	CLEAN_ERROR(rdx_flags, TD_SEPT, ADD, TDX_OPERAND_INVALID | OPERAND_RDX),
	CLEAN_ERROR(rdx_high, TD_SEPT, ADD, TDX_OPERAND_INVALID | OPERAND_RDX),
	CONTROL_SHARED_ROWS(rdx, OPERAND_RDX, TD_SEPT, ADD),
	TD_STATE_ROWS(TD_SEPT, ADD),
	OP_LOCKED_ROW(TD_SEPT, ADD),
	OP_STATE_ROW(uninit, TD_SEPT, ADD),
	GPA_ROWS(TD_SEPT, ADD),
	AT(level_0, TD_SEPT, TDX_OPERAND_INVALID | OPERAND_RCX),
	AT(level_4, TD_SEPT, TDX_OPERAND_INVALID | OPERAND_RCX),
	AT(gpa_misaligned, TD_SEPT, TDX_OPERAND_INVALID | OPERAND_RCX),
	CLEAN_ERROR(tree_exclusive, TD_SEPT, ADD, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	EPT_ERROR(no_table_above, TD_SEPT, ADD, TDX_EPT_WALK_FAILED, ENTRY_FREE, INFO(3, 0)),
	EPT_ERROR(entry_locked, TD_SEPT, ADD, TDX_OPERAND_BUSY, ENTRY_FREE, INFO(1, 0)),
	EPT_ERROR(table_there, TD_SEPT, ADD, TDX_EPT_ENTRY_STATE_INCORRECT,
		  ENTRY_TABLE(EPT_PAGE(1)), INFO(1, SEPT_NL_MAPPED)),
	{ "table_there_allowed", .stage = TD_SEPT, .twist = table_there_allowed, .in = ADD() },
	EPT_ERROR(page_there, TD_RUNNABLE, ADD, TDX_EPT_ENTRY_STATE_INCORRECT,
		  FREE_2M | ENTRY_FREE | 0xF0, INFO(1, SEPT_PENDING)),
	EPT_ERROR(page_there_allowed, TD_RUNNABLE, ADD, TDX_EPT_ENTRY_STATE_INCORRECT,
		  FREE_2M | ENTRY_FREE | 0xF0, INFO(1, SEPT_PENDING)),
	EPT_ERROR(table_blocked, TD_SEPT, ADD, TDX_EPT_ENTRY_STATE_INCORRECT,
		  EPT_PAGE(1), INFO(1, SEPT_NL_BLOCKED)),
	FREE_PAGE_ROWS(r8, OPERAND_R8, TD_SEPT, ADD),
	AT(no_memory, TD_SEPT, TDX_OPERAND_BUSY | OPERAND_R8),
	AT(gpa_and_tree_bad, TD_SEPT, TDX_OPERAND_INVALID | OPERAND_RCX),
	AT(walk_and_page_bad, TD_SEPT, TDX_EPT_WALK_FAILED | OPERAND_RCX),
	AT(state_and_page_bad, TD_SEPT, TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX),
	AT(flags_and_tdr_bad, TD_SEPT, TDX_OPERAND_INVALID | OPERAND_RDX),
	{ "add_version_1", .stage = TD_SEPT,
	  .in = { .rax = TDH_MEM_SEPT_ADD | 1 << 16, .rdx = TDR },
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
};

static const struct td_row remove_rows[] = {
	{ "remove", .stage = TD_SEPT, .twist = empty, .in = REMOVE(), .has_out = true,
	  .out = { FREE_PAGE, 0 } },
	{ "remove_runnable", .stage = TD_RUNNABLE, .twist = empty_tracked, .in = REMOVE(),
	  .has_out = true, .out = { FREE_PAGE, 0 } },
	{ "remove_blocked_init", .stage = TD_SEPT, .twist = empty_blocked, .in = REMOVE() },
	CONTROL_SHARED_ROWS(rdx, OPERAND_RDX, TD_SEPT, REMOVE),
	TD_STATE_ROWS(TD_SEPT, REMOVE),
	OP_LOCKED_ROW(TD_SEPT, REMOVE),
	OP_STATE_ROW(uninit, TD_SEPT, REMOVE),
	GPA_ROWS(TD_SEPT, REMOVE),
	ROW_AT("remove_", level_0, TD_SEPT, REMOVE, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW_AT("remove_", level_4, TD_SEPT, REMOVE, TDX_OPERAND_INVALID | OPERAND_RCX),
	CLEAN_ERROR(tree_exclusive, TD_SEPT, REMOVE, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	CLEAN_ERROR(tree_shared, TD_SEPT, REMOVE, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	EPT_ERROR(no_table_above, TD_SEPT, REMOVE, TDX_EPT_WALK_FAILED, ENTRY_FREE, INFO(3, 0)),
	EPT_ERROR(empty_locked, TD_SEPT, REMOVE, TDX_OPERAND_BUSY, ENTRY_TABLE(FREE_PAGE),
		  INFO(1, SEPT_NL_MAPPED)),
	CLEAN_ERROR(empty_page_locked, TD_SEPT, REMOVE, TDX_OPERAND_BUSY | OPERAND_RCX),
	EPT_ERROR(nothing_there, TD_SEPT, REMOVE, TDX_EPT_ENTRY_STATE_INCORRECT, ENTRY_FREE,
		  INFO(1, 0)),
	EPT_ERROR(leaf_there, TD_RUNNABLE, REMOVE, TDX_EPT_ENTRY_STATE_INCORRECT,
		  FREE_2M | ENTRY_FREE | 0xF0, INFO(1, SEPT_PENDING)),
	EPT_ERROR(empty, TD_RUNNABLE, REMOVE, TDX_GPA_RANGE_NOT_BLOCKED,
		  ENTRY_TABLE(FREE_PAGE), INFO(1, SEPT_NL_MAPPED)),
	CLEAN_ERROR(empty_blocked, TD_RUNNABLE, REMOVE,
		    TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX),
	CLEAN_ERROR(vcpu_inside, TD_RUNNABLE, REMOVE, TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX),
	EPT_ERROR(table_there, TD_PAGE, REMOVE, TDX_EPT_PAGE_NOT_FREE,
		  ENTRY_TABLE(EPT_PAGE(1)), INFO(1, SEPT_NL_MAPPED)),
};

static void add_owns_page(void **state)
{
	struct host *h = *state;
	uint64_t children;

	host_start(h);
	td_goto(h, TD_SEPT);
	children = host_td(h)->children;
	td_must(h, 0, (struct seam_regs)ADD());
	assert_int_equal(host_td(h)->children, children + 1);
	assert_int_equal(host_page(h, FREE_PAGE)->type, PT_EPT);
	assert_int_equal(pamt_owner(host_page(h, FREE_PAGE)), TDR);
	assert_int_equal(host_entry(h, GPA_NO_TABLE, 1)->word, FREE_PAGE | SEPT_NL_MAPPED);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_REMOVE,
					  .rcx = GPA_NO_TABLE | 1, .rdx = TDR });
	assert_int_equal(host_td(h)->children, children);
	assert_int_equal(host_page(h, FREE_PAGE)->type, PT_NDA);
	assert_int_equal(host_entry(h, GPA_NO_TABLE, 1)->word, SEPT_FREE);
}

/* A root of five levels: its entries are at level 4. */
static void five_levels(void **state)
{
	static const char *const args[] = { "ept_levels", "5", "maxpa", "49", NULL };
	struct host *h = host_new(args);

	(void)state;
	host_start(h);
	td_goto(h, TD_TDCS);
	host_params(h)->eptp_controls = 0x26;
	host_params(h)->config_flags |= TD_CONFIG_GPAW_52;
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_INIT, .rcx = TDR, .rdx = TD_PARAMS });
	assert_int_equal(host_td(h)->sept.gpa_bits, 51);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = 1ULL << 50 | 4,
					  .rdx = TDR, .r8 = EPT_PAGE(4) });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = 1ULL << 50 | 3,
					  .rdx = TDR, .r8 = EPT_PAGE(3) });
	assert_status(host_status(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD,
							    .rcx = 1ULL << 51 | 4, .rdx = TDR,
							    .r8 = FREE_PAGE }),
		      TDX_OPERAND_INVALID | OPERAND_RCX);
	host_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(add_owns_page),
		cmocka_unit_test(five_levels),
	};
	int failed = run_td_rows("sept_add", add_rows, ARRAY_SIZE(add_rows));

	failed += run_td_rows("sept_remove", remove_rows, ARRAY_SIZE(remove_rows));
	return failed + cmocka_run_group_tests_name("sept", tests, NULL, NULL);
}
