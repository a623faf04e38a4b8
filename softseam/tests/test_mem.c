// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MEM.PAGE: preconditions, and what success does. */
#include <string.h>

#include "sept_rows.h"
#include "track.h"

#define ADD()		{ .rax = TDH_MEM_PAGE_ADD, .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE_PAGE, \
			  .r9 = SOURCE }
#define AUG()		{ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE_PAGE }
#define AUG_2M()	{ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_NO_TABLE | 1, .rdx = TDR, \
			  .r8 = FREE_2M }
#define REMOVE()	{ .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_REG, .rdx = TDR }

TWIST(level_1, in->rcx = GPA_NO_TABLE | 1)
TWIST(level_2, in->rcx = 2)
TWIST(level_3, in->rcx = 3)
TWIST(no_table, in->rcx = GPA_NO_TABLE)
TWIST(gpa_used, in->rcx = GPA_REG)
TWIST(table_there, in->rcx = 1; in->r8 = FREE_2M)
TWIST(entry_locked, lock_try_exclusive(&host_entry(h, in->rcx & ~7ULL, 0)->lock))
TWIST(source_misaligned, in->r9 += 64)
TWIST(source_private, in->r9 |= TD_KEYID(TD_HKID))
TWIST(source_above_maxpa, in->r9 |= TD_KEYID(64))
TWIST(source_not_ram, in->r9 = 3 * GB)
TWIST(source_shared_keyid, in->r9 |= TD_KEYID(1))
TWIST(source_is_page, in->r9 = FREE_PAGE)
TWIST(gpa_and_source_bad, gpa_shared(h, in); source_private(h, in))
TWIST(state_and_source_bad, gpa_used(h, in); source_private(h, in))
TWIST(source_and_page_bad, source_private(h, in); in->r8 = 1)
TWIST(walk_and_page_bad, no_table(h, in); in->r8 = 1)
TWIST(state_and_page_bad, gpa_used(h, in); in->r8 = 1)

TWIST(page_2m_misaligned, in->r8 += SZ_4K)
TWIST(page_2m_part_used, host_page(h, FREE_2M + 511 * SZ_4K)->type = PT_TDCX)
TWIST(page_2m_reserved, in->r8 = HOST_PAMT)
TWIST(page_2m_locked, lock_try_shared(&pamt_entry(&h->seam->pamt, FREE_2M, PS_2M)->lock))
TWIST(page_2m_not_ram, h->not_ram = FREE_2M + SZ_2M - SZ_4K)

TWIST(gpa_free, in->rcx = GPA_FREE)
TWIST(gpa_pending, in->rcx = GPA_AUG)
TWIST(gpa_table, in->rcx = 1)
TWIST(page_locked, lock_try_shared(&host_page(h, REG_PAGE)->lock))
TWIST(pending_not_blocked, in->rcx = GPA_AUG)
TWIST(vcpu_inside, host_td(h)->epoch.refcount[1] = 1)
TWIST(other_epoch_inside, host_td(h)->epoch.refcount[0] = 1)

static const struct td_row add_rows[] = {
	{ "add", .stage = TD_PAGE, .in = ADD(), .has_out = true },
	{ "add_first", .stage = TD_SEPT, .in = ADD(), .has_out = true },
	CONTROL_EXCLUSIVE_ROWS(rdx, OPERAND_RDX, TD_PAGE, ADD),
	TD_STATE_ROWS(TD_PAGE, ADD),
	OP_STATE_ROW(uninit, TD_PAGE, ADD),
	OP_STATE_ROW(runnable, TD_PAGE, ADD),
	GPA_ROWS(TD_PAGE, ADD),
	CLEAN_ERROR(level_1, TD_PAGE, ADD, TDX_OPERAND_INVALID | OPERAND_RCX),
	EPT_ERROR(no_table, TD_PAGE, ADD, TDX_EPT_WALK_FAILED, ENTRY_FREE, INFO(1, 0)),
	EPT_ERROR(gpa_used, TD_PAGE, ADD, TDX_EPT_ENTRY_STATE_INCORRECT,
		  ENTRY_MAPPED(REG_PAGE), INFO(0, SEPT_MAPPED)),
	CLEAN_ERROR(source_misaligned, TD_PAGE, ADD, TDX_OPERAND_INVALID | OPERAND_R9),
	CLEAN_ERROR(source_private, TD_PAGE, ADD, TDX_OPERAND_INVALID | OPERAND_R9),
	CLEAN_ERROR(source_above_maxpa, TD_PAGE, ADD, TDX_OPERAND_INVALID | OPERAND_R9),
	{ "source_not_ram", .stage = TD_PAGE, .twist = source_not_ram, .in = ADD(),
	  .status = TDX_OPERAND_INVALID | OPERAND_R9, .rule = "not-ram" },
	GOOD(source_shared_keyid, TD_PAGE, ADD),
	GOOD(source_is_page, TD_PAGE, ADD),
	FREE_PAGE_ROWS(r8, OPERAND_R8, TD_PAGE, ADD),
	CLEAN_ERROR(gpa_and_source_bad, TD_PAGE, ADD, TDX_OPERAND_INVALID | OPERAND_RCX),
	EPT_ERROR(state_and_source_bad, TD_PAGE, ADD, TDX_EPT_ENTRY_STATE_INCORRECT,
		  ENTRY_MAPPED(REG_PAGE), INFO(0, SEPT_MAPPED)),
	CLEAN_ERROR(source_and_page_bad, TD_PAGE, ADD, TDX_OPERAND_INVALID | OPERAND_R9),
};

static const struct td_row aug_rows[] = {
	{ "aug", .stage = TD_RUNNABLE, .in = AUG(), .has_out = true },
	{ "aug_init", .stage = TD_PAGE, .in = AUG(), .has_out = true },
	{ "aug_2m", .stage = TD_RUNNABLE, .in = AUG_2M(), .has_out = true },
	GOOD(tdr_locked_shared, TD_RUNNABLE, AUG),
	GOOD(tree_shared, TD_RUNNABLE, AUG),
	CONTROL_SHARED_ROWS(rdx, OPERAND_RDX, TD_RUNNABLE, AUG),
	TD_STATE_ROWS(TD_RUNNABLE, AUG),
	OP_LOCKED_ROW(TD_RUNNABLE, AUG),
	OP_STATE_ROW(uninit, TD_RUNNABLE, AUG),
	GPA_ROWS(TD_RUNNABLE, AUG),
	CLEAN_ERROR(level_2, TD_RUNNABLE, AUG, TDX_OPERAND_INVALID | OPERAND_RCX),
	CLEAN_ERROR(tree_exclusive, TD_RUNNABLE, AUG, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	EPT_ERROR(no_table, TD_RUNNABLE, AUG, TDX_EPT_WALK_FAILED, ENTRY_FREE, INFO(1, 0)),
	EPT_ERROR(entry_locked, TD_RUNNABLE, AUG, TDX_OPERAND_BUSY, ENTRY_FREE, INFO(0, 0)),
	EPT_ERROR(gpa_used, TD_RUNNABLE, AUG, TDX_EPT_ENTRY_STATE_INCORRECT,
		  ENTRY_MAPPED(REG_PAGE), INFO(0, SEPT_MAPPED)),
	EPT_ERROR(gpa_pending, TD_AUG, AUG, TDX_EPT_ENTRY_STATE_INCORRECT,
		  ENTRY_BLOCKED(AUG_PAGE), INFO(0, SEPT_PENDING)),
	EPT_ERROR(table_there, TD_RUNNABLE, AUG, TDX_EPT_ENTRY_STATE_INCORRECT,
		  ENTRY_TABLE(EPT_PAGE(1)), INFO(1, SEPT_NL_MAPPED)),
	FREE_PAGE_ROWS(r8, OPERAND_R8, TD_RUNNABLE, AUG),
	CLEAN_ERROR(page_2m_misaligned, TD_RUNNABLE, AUG_2M, TDX_OPERAND_INVALID | OPERAND_R8),
	CLEAN_ERROR(page_2m_part_used, TD_RUNNABLE, AUG_2M,
		    TDX_PAGE_METADATA_INCORRECT | OPERAND_R8),
	CLEAN_ERROR(page_2m_reserved, TD_RUNNABLE, AUG_2M,
		    TDX_PAGE_METADATA_INCORRECT | OPERAND_R8),
	CLEAN_ERROR(page_2m_locked, TD_RUNNABLE, AUG_2M, TDX_OPERAND_BUSY | OPERAND_R8),
	{ "page_2m_not_ram", .stage = TD_RUNNABLE, .twist = page_2m_not_ram, .in = AUG_2M(),
	  .status = TDX_OPERAND_INVALID | OPERAND_R8, .rule = "not-ram" },
	CLEAN_ERROR(gpa_and_source_bad, TD_RUNNABLE, AUG, TDX_OPERAND_INVALID | OPERAND_RCX),
	EPT_ERROR(walk_and_page_bad, TD_RUNNABLE, AUG, TDX_EPT_WALK_FAILED, ENTRY_FREE,
		  INFO(1, 0)),
	EPT_ERROR(state_and_page_bad, TD_RUNNABLE, AUG, TDX_EPT_ENTRY_STATE_INCORRECT,
		  ENTRY_MAPPED(REG_PAGE), INFO(0, SEPT_MAPPED)),
};

static const struct td_row remove_rows[] = {
	{ "remove", .stage = TD_TRACKED, .in = REMOVE(), .has_out = true,
	  .out = { REG_PAGE, 0 } },
	{ "remove_pending", .stage = TD_TRACKED, .twist = gpa_pending, .in = REMOVE(),
	  .has_out = true, .out = { AUG_PAGE, 0 } },
	{ "remove_init", .stage = TD_PAGE, .in = REMOVE(), .has_out = true,
	  .out = { REG_PAGE, 0 } },
	{ "remove_other_epoch", .stage = TD_TRACKED, .twist = other_epoch_inside,
	  .in = REMOVE(), .has_out = true, .out = { REG_PAGE, 0 } },
	CONTROL_SHARED_ROWS(rdx, OPERAND_RDX, TD_TRACKED, REMOVE),
	TD_STATE_ROWS(TD_TRACKED, REMOVE),
	OP_LOCKED_ROW(TD_TRACKED, REMOVE),
	OP_STATE_ROW(uninit, TD_TRACKED, REMOVE),
	GPA_ROWS(TD_TRACKED, REMOVE),
	CLEAN_ERROR(level_3, TD_TRACKED, REMOVE, TDX_OPERAND_INVALID | OPERAND_RCX),
	CLEAN_ERROR(tree_exclusive, TD_TRACKED, REMOVE, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	EPT_ERROR(no_table, TD_TRACKED, REMOVE, TDX_EPT_WALK_FAILED, ENTRY_FREE, INFO(1, 0)),
	EPT_ERROR(entry_locked, TD_TRACKED, REMOVE, TDX_OPERAND_BUSY, ENTRY_BLOCKED(REG_PAGE),
		  INFO(0, SEPT_BLOCKED)),
	EPT_ERROR(gpa_free, TD_TRACKED, REMOVE, TDX_EPT_ENTRY_STATE_INCORRECT, ENTRY_FREE,
		  INFO(0, 0)),
	EPT_ERROR(gpa_table, TD_TRACKED, REMOVE, TDX_EPT_ENTRY_STATE_INCORRECT,
		  ENTRY_TABLE(EPT_PAGE(1)), INFO(1, SEPT_NL_MAPPED)),
	CLEAN_ERROR(page_locked, TD_TRACKED, REMOVE, TDX_OPERAND_BUSY | OPERAND_RCX),
	{ "not_blocked", .stage = TD_RUNNABLE, .in = REMOVE(),
	  .status = TDX_GPA_RANGE_NOT_BLOCKED | OPERAND_RCX, .has_out = true,
	  .out = { ENTRY_MAPPED(REG_PAGE), INFO(0, SEPT_MAPPED) } },
	EPT_ERROR(pending_not_blocked, TD_AUG, REMOVE, TDX_GPA_RANGE_NOT_BLOCKED,
		  ENTRY_BLOCKED(AUG_PAGE), INFO(0, SEPT_PENDING)),
	{ "not_tracked", .stage = TD_BLOCKED_PAGES, .in = REMOVE(),
	  .status = TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX, .has_out = true },
	CLEAN_ERROR(vcpu_inside, TD_TRACKED, REMOVE, TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX),
};

static void add_copies_and_owns(void **state)
{
	struct host *h = *state;
	struct sept_view view;

	host_start(h);
	td_goto(h, TD_PAGE);
	assert_int_equal(host_page(h, REG_PAGE)->type, PT_REG);
	assert_int_equal(pamt_owner(host_page(h, REG_PAGE)), TDR);
	assert_int_equal(host_entry(h, GPA_REG, 0)->word, REG_PAGE | SEPT_MAPPED);
	assert_int_equal(own_info(h->seam, REG_PAGE)->gpa, GPA_REG);
	sept_look(&host_td(h)->sept, GPA_REG, &view);
	assert_memory_equal(plain_at(h->seam, view.hpa), host_mem(h, SOURCE), SZ_4K);
	/* The host sees something else. */
	assert_memory_not_equal(host_mem(h, REG_PAGE), host_mem(h, SOURCE), SZ_4K);
}

/* There is a place for the contents of each page: these leaves allocate nothing. */
static void need_no_memory(void **state)
{
	struct host *h = *state;
	uint64_t add, aug;

	host_start(h);
	td_goto(h, TD_SEPT);
	host_fail_alloc(1);
	add = host_status(h, 0, (struct seam_regs)ADD());
	aug = host_status(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_AUG,
						    .rdx = TDR, .r8 = AUG_PAGE });
	host_fail_alloc(0);
	assert_status(add, TDX_SUCCESS);
	assert_status(aug, TDX_SUCCESS);
}

static void remove_gives_back(void **state)
{
	struct host *h = *state;
	struct sept_view view;
	uint64_t children;
	void *plain;

	host_start(h);
	td_goto(h, TD_TRACKED);
	children = host_td(h)->children;
	plain = plain_at(h->seam, REG_PAGE);
	td_must(h, 0, (struct seam_regs)REMOVE());
	assert_int_equal(host_td(h)->children, children - 1);
	assert_int_equal(host_page(h, REG_PAGE)->type, PT_NDA);
	assert_int_equal(host_page(h, REG_PAGE)->bepoch, 0);
	assert_int_equal(pamt_owner(host_page(h, REG_PAGE)), 0);
	sept_look(&host_td(h)->sept, GPA_REG, &view);
	assert_int_equal(view.state, SEPT_FREE);
	assert_int_equal(*(uint64_t *)plain, 0);
	/* And it can be used again. */
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_REG, .rdx = TDR,
					  .r8 = REG_PAGE });
}

static void large_page(void **state)
{
	struct host *h = *state;
	struct seam_regs remove = { .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_NO_TABLE | 1,
				    .rdx = TDR };
	uint64_t children;

	host_start(h);
	td_goto(h, TD_RUNNABLE);
	children = host_td(h)->children;
	td_must(h, 0, (struct seam_regs)AUG_2M());
	assert_int_equal(pamt_entry(&h->seam->pamt, FREE_2M, PS_2M)->type, PT_REG);
	assert_int_equal(host_td(h)->children, children + 512);
	assert_status(host_status(h, 0, (struct seam_regs){ .rax = TDH_MNG_CREATE,
							    .rcx = FREE_2M + SZ_4K,
							    .rdx = TD_HKID + 1 }),
		      TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK, .rcx = GPA_NO_TABLE | 1,
					  .rdx = TDR });
	assert_int_equal(pamt_entry(&h->seam->pamt, FREE_2M, PS_2M)->bepoch, 1);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR });
	host_call(h, 0, &remove);
	assert_status(remove.rax, TDX_SUCCESS);
	assert_int_equal(remove.rcx, FREE_2M);
	assert_int_equal(pamt_entry(&h->seam->pamt, FREE_2M, PS_2M)->type, PT_NDA);
	assert_int_equal(host_td(h)->children, children);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(add_copies_and_owns),
		host_test(need_no_memory),
		host_test(remove_gives_back),
		host_test(large_page),
	};
	int failed = run_td_rows("page_add", add_rows, ARRAY_SIZE(add_rows));

	failed += run_td_rows("page_aug", aug_rows, ARRAY_SIZE(aug_rows));
	failed += run_td_rows("page_remove", remove_rows, ARRAY_SIZE(remove_rows));
	return failed + cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
