// SPDX-License-Identifier: GPL-2.0-only
/* TDH.PHYMEM.PAGE.RECLAIM, PAGE.WBINVD and CACHE.WB. */
#include "td_twists.h"

#define RECLAIM_OF(page)	{ .rax = TDH_PHYMEM_PAGE_RECLAIM, .rcx = (page) }
#define RECLAIM()		RECLAIM_OF(TDCX(0))
#define RECLAIM_TDR()		RECLAIM_OF(TDR)
#define WBINVD()		{ .rax = TDH_PHYMEM_PAGE_WBINVD, .rcx = FREE_PAGE }
#define CACHE_WB()		{ .rax = TDH_PHYMEM_CACHE_WB }
#define CACHE_WB_RESUME()	{ .rax = TDH_PHYMEM_CACHE_WB, .rcx = 1 }

TWIST(free_page, in->rcx = FREE_PAGE)
TWIST(no_children, host_td(h)->children = 0)
TWIST(large_misaligned, in->rcx = FREE_2M + SZ_4K;
      pamt_entry(&h->seam->pamt, FREE_2M, PS_2M)->type = PT_REG)

TWIST(keyid_global, in->rcx |= TD_KEYID(HOST_HKID))
TWIST(keyid_td, in->rcx |= TD_KEYID(TD_HKID))
TWIST(keyid_shared, in->rcx |= TD_KEYID(1))
TWIST(owned, in->rcx = TDCX(0))

TWIST(command_2, in->rcx = 2)
TWIST(command_huge, in->rcx = 1ULL << 32)
TWIST(wb_locked, lock_try_exclusive(&h->seam->cache_wb[0].lock))
TWIST(wb_locked_elsewhere, lock_try_exclusive(&h->seam->cache_wb[1].lock))
TWIST(kot_exclusive, lock_try_exclusive(&h->seam->kot.lock))
TWIST(kot_shared, lock_try_shared(&h->seam->kot.lock))
TWIST(command_and_lock, command_2(h, in); wb_locked(h, in))
TWIST(locks, wb_locked(h, in); kot_exclusive(h, in))

#define ROW(twist_, stage_, in_, status_) ROW_AT("", twist_, stage_, in_, status_)
/* Once the page's type is known, outputs tell it, error or not. */
#define TOLD(name_, stage_, twist_, in_, status_, type, owner)			\
	{ name_, .stage = stage_, .twist = twist_, .in = in_(), .status = status_, \
	  .has_out = true, .out = { type, owner } }

static const struct td_row reclaim_rows[] = {
	TOLD("reclaim", TD_TORN_DOWN, NULL, RECLAIM, TDX_SUCCESS, PT_TDCX, TDR),
	TOLD("reclaim_tdr_shared", TD_TORN_DOWN, tdr_locked_shared, RECLAIM, TDX_SUCCESS,
	     PT_TDCX, TDR),
	TOLD("reclaim_tdr", TD_TORN_DOWN, no_children, RECLAIM_TDR, TDX_SUCCESS, PT_TDR, 0),
	ADDRESS_ROWS(rcx, OPERAND_RCX, TD_TORN_DOWN, RECLAIM),
	ROW(rcx_shared, TD_TORN_DOWN, RECLAIM, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(free_page, TD_TORN_DOWN, RECLAIM, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX),
	TOLD("large_misaligned", TD_TORN_DOWN, large_misaligned, RECLAIM,
	     TDX_OPERAND_INVALID | OPERAND_RCX, PT_REG, 0),
	TOLD("tdr_locked", TD_TORN_DOWN, tdr_locked_exclusive, RECLAIM,
	     TDX_OPERAND_BUSY | OPERAND_TDR, PT_TDCX, TDR),
	TOLD("td_blocked", TD_CACHES, NULL, RECLAIM, TDX_LIFECYCLE_STATE_INCORRECT, PT_TDCX, TDR),
	TOLD("td_runnable", TD_RUNNABLE, NULL, RECLAIM, TDX_LIFECYCLE_STATE_INCORRECT, PT_TDCX,
	     TDR),
	TOLD("tdr_blocked", TD_CACHES, NULL, RECLAIM_TDR, TDX_LIFECYCLE_STATE_INCORRECT,
	     PT_TDR, 0),
	TOLD("tdr_has_children", TD_TORN_DOWN, NULL, RECLAIM_TDR, TDX_TD_ASSOCIATED_PAGES_EXIST,
	     PT_TDR, 0),
};

static const struct td_row wbinvd_rows[] = {
	{ "wbinvd", .in = WBINVD() },
	{ "wbinvd_page_shared", .twist = rcx_shared, .in = WBINVD() },
	{ "wbinvd_keyid_global", .twist = keyid_global, .in = WBINVD() },
	{ "wbinvd_keyid_td", .twist = keyid_td, .in = WBINVD() },
	{ "wbinvd_keyid_shared", .twist = keyid_shared, .in = WBINVD() },
	ROW(rcx_misaligned, TD_NONE, WBINVD, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(rcx_above_maxpa, TD_NONE, WBINVD, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(rcx_no_tdmr, TD_NONE, WBINVD, TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX),
	ROW(rcx_no_init, TD_NONE, WBINVD, TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX),
	ROW(rcx_reserved, TD_NONE, WBINVD, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX),
	ROW(rcx_exclusive, TD_NONE, WBINVD, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(rcx_region, TD_NONE, WBINVD, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(rcx_large, TD_NONE, WBINVD, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX),
	ROW(owned, TD_TDCS, WBINVD, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX),
};

static const struct td_row cache_wb_rows[] = {
	{ "cache_wb", .stage = TD_VPFLUSHDONE, .in = CACHE_WB() },
	{ "cache_wb_kot_shared", .stage = TD_VPFLUSHDONE, .twist = kot_shared, .in = CACHE_WB() },
	{ "cache_wb_other_package_locked", .stage = TD_VPFLUSHDONE,
	  .twist = wb_locked_elsewhere, .in = CACHE_WB() },
	{ "cache_wb_again", .stage = TD_CACHES, .in = CACHE_WB() },
	ROW(command_2, TD_VPFLUSHDONE, CACHE_WB, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(command_huge, TD_VPFLUSHDONE, CACHE_WB, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(wb_locked, TD_VPFLUSHDONE, CACHE_WB, TDX_OPERAND_BUSY | OPERAND_WBCACHE),
	ROW(kot_exclusive, TD_VPFLUSHDONE, CACHE_WB, TDX_OPERAND_BUSY | OPERAND_KOT),
	ROW(command_and_lock, TD_VPFLUSHDONE, CACHE_WB, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(locks, TD_VPFLUSHDONE, CACHE_WB, TDX_OPERAND_BUSY | OPERAND_WBCACHE),
	{ "no_keyid_flushed", .stage = TD_FLUSHED, .in = CACHE_WB(),
	  .status = TDX_NO_HKID_READY_TO_WBCACHE },
	{ "nothing_to_resume", .stage = TD_VPFLUSHDONE, .in = CACHE_WB_RESUME(),
	  .status = TDX_WBCACHE_RESUME_ERROR },
};

static uint64_t cache_wb(struct host *h, unsigned int cpu, uint64_t command)
{
	return host_status(h, cpu, (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB,
						       .rcx = command });
}

/* An interrupt ends the call; what it did is not done again. */
static void cache_wb_is_resumed(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_VPFLUSHDONE);
	h->irq_after = 3;
	assert_status(cache_wb(h, 0, 0), TDX_INTERRUPTED_RESUMABLE);
	assert_int_equal(h->seam->kot.wb_packages[TD_HKID], 3);
	h->irq_after = 2;
	assert_status(cache_wb(h, 1, 1), TDX_INTERRUPTED_RESUMABLE);
	/* The other package has a state of its own. */
	assert_status(cache_wb(h, 2, 1), TDX_WBCACHE_RESUME_ERROR);
	assert_status(cache_wb(h, 2, 0), TDX_SUCCESS);
	assert_int_equal(h->seam->kot.wb_packages[TD_HKID], 1);
	assert_status(cache_wb(h, 0, 1), TDX_SUCCESS);
	assert_int_equal(h->seam->kot.wb_packages[TD_HKID], 0);
	assert_status(cache_wb(h, 0, 1), TDX_WBCACHE_RESUME_ERROR);
}

/* A KeyID flushed after the start is not part of what is resumed. */
static void cache_wb_knows_its_keyids(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_VPFLUSHDONE);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_CREATE, .rcx = FREE_PAGE,
					  .rdx = TD_HKID + 1 });
	h->irq_after = 1;
	assert_status(cache_wb(h, 0, 0), TDX_INTERRUPTED_RESUMABLE);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_VPFLUSHDONE, .rcx = FREE_PAGE });
	assert_status(cache_wb(h, 0, 1), TDX_SUCCESS);
	assert_int_equal(h->seam->kot.wb_packages[TD_HKID], 2);
	assert_int_equal(h->seam->kot.wb_packages[TD_HKID + 1], 3);
	/* A new start forgets what was interrupted. */
	h->irq_after = 1;
	assert_status(cache_wb(h, 0, 0), TDX_INTERRUPTED_RESUMABLE);
	assert_status(cache_wb(h, 0, 0), TDX_SUCCESS);
	assert_int_equal(h->seam->kot.wb_packages[TD_HKID + 1], 2);
}

static void assert_reclaim(struct host *h, uint64_t pa, enum page_type type, uint64_t size)
{
	struct seam_regs regs = RECLAIM_OF(pa);

	host_call_checked(h, 0, &regs);
	assert_status(regs.rax, TDX_SUCCESS);
	assert_int_equal(regs.rcx, type);
	assert_int_equal(regs.rdx, type == PT_TDR ? 0 : TDR);
	assert_int_equal(regs.r8, size);
}

/* All types of pages, a large one too, in the order of Linux. */
static void reclaim_all(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_AUG);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_NO_TABLE | 1,
					  .rdx = TDR, .r8 = FREE_2M });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = TDVPR(0) });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_VPFLUSHDONE, .rcx = TDR });
	td_must(h, 0, (struct seam_regs)CACHE_WB());
	td_must(h, 3, (struct seam_regs)CACHE_WB());
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_KEY_FREEID, .rcx = TDR });

	for (unsigned int i = 0; i < TDVPS_CHILD_PAGES; i++)
		assert_reclaim(h, TDVPX(0, i), PT_TDCX, PS_4K);
	assert_reclaim(h, TDVPR(0), PT_TDVPR, PS_4K);
	assert_reclaim(h, REG_PAGE, PT_REG, PS_4K);
	assert_reclaim(h, AUG_PAGE, PT_REG, PS_4K);
	assert_reclaim(h, FREE_2M, PT_REG, PS_2M);
	for (unsigned int level = 1; level <= 3; level++)
		assert_reclaim(h, EPT_PAGE(level), PT_EPT, PS_4K);
	for (unsigned int i = 0; i < TDCS_PAGES; i++)
		assert_reclaim(h, TDCX(i), PT_TDCX, PS_4K);
	assert_int_equal(host_td(h)->children, 0);
	assert_reclaim(h, TDR, PT_TDR, PS_4K);
	assert_int_equal(h->seam->own.pages, 0);
	assert_null(h->seam->tds);
	assert_int_equal(h->nr_violations, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(cache_wb_is_resumed),
		host_test(cache_wb_knows_its_keyids),
		host_test(reclaim_all),
	};
	int failed = run_td_rows("page_reclaim", reclaim_rows, ARRAY_SIZE(reclaim_rows));

	failed += run_td_rows("page_wbinvd", wbinvd_rows, ARRAY_SIZE(wbinvd_rows));
	failed += run_td_rows("cache_wb", cache_wb_rows, ARRAY_SIZE(cache_wb_rows));
	return failed + cmocka_run_group_tests_name("reclaim", tests, NULL, NULL);
}
