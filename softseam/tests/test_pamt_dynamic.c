// SPDX-License-Identifier: GPL-2.0-only
/* TDH.PHYMEM.PAMT.ADD and REMOVE: each precondition, and their order. */
#include "feature_host.h"

#define ADD()		ADD_PAIR(REGION(1), PAIR(1, 0), PAIR(1, 1))
#define REMOVE()	REMOVE_PAIR(REGION(1))

/* A region and a page in another 1G block, of TDMR 1. */
#define FAR_REGION	(1 * GB + 64 * MB)
#define FAR_PAGE	(1 * GB + 128 * MB)

static void ready(struct host *h)
{
	host_goto(h, STAGE_TDMRS);
}

static void not_enabled(struct host *h)
{
	h->config.r8 = HOST_HKID;
	host_goto(h, STAGE_TDMRS);
}

static void keys_missing(struct host *h)
{
	host_goto(h, STAGE_CONFIG);
}

static void tdmrs_missing(struct host *h)
{
	host_goto(h, STAGE_READY);
}

static void shut_down(struct host *h)
{
	host_goto(h, STAGE_SHUTDOWN);
}

/* Region 1 has a pair. */
static void lent(struct host *h)
{
	ready(h);
	td_must(h, 0, (struct seam_regs)ADD());
}

static struct pamt_entry *entry(struct host *h, uint64_t pa, enum page_size size)
{
	return pamt_entry(&h->seam->pamt, pa, size);
}

/* The operand that names the region */
TWIST(level_4k, in->rcx &= ~7ULL)
TWIST(level_1g, in->rcx = REGION(1) | PS_1G)
TWIST(level_3, in->rcx |= 3)
TWIST(level_7, in->rcx |= 7)
TWIST(bit_3, in->rcx |= 1 << 3)
TWIST(bit_11, in->rcx |= 1 << 11)
TWIST(region_misaligned, in->rcx += SZ_4K)
TWIST(region_half, in->rcx += 1 * MB)
TWIST(region_keyid, in->rcx |= TD_KEYID(1))
TWIST(region_private, in->rcx |= TD_KEYID(TD_HKID))
TWIST(region_bit_52, in->rcx |= 1ULL << 52)
TWIST(region_bit_63, in->rcx |= 1ULL << 63)
TWIST(region_no_tdmr, in->rcx = 3 * GB | PS_2M)
TWIST(region_behind, in->rcx = 6 * GB | PS_2M)
TWIST(region_no_init, in->rcx = FAR_REGION | PS_2M; atomic_store(&h->seam->tdmr[1].next, 1 * GB))
TWIST(region_shared, lock_try_shared(&entry(h, REGION(1), PS_2M)->lock))
TWIST(region_exclusive, lock_try_exclusive(&entry(h, REGION(1), PS_2M)->lock))
TWIST(block_shared, lock_try_shared(&entry(h, REGION(1), PS_1G)->lock))
TWIST(block_exclusive, lock_try_exclusive(&entry(h, REGION(1), PS_1G)->lock))
TWIST(region_leaf, entry(h, REGION(1), PS_2M)->type = PT_REG)
TWIST(block_leaf, entry(h, 1 * GB, PS_1G)->type = PT_REG; in->rcx = FAR_REGION | PS_2M)
TWIST(region_first_reserved, in->rcx = 0 | PS_2M)
TWIST(region_all_reserved, in->rcx = HOST_PAMT | PS_2M)

/* The pages of the pair */
#define PAGE_TWISTS(reg)							\
	TWIST(reg ## _misaligned, in->reg += 64)				\
	TWIST(reg ## _keyid, in->reg |= TD_KEYID(1))				\
	TWIST(reg ## _private, in->reg |= TD_KEYID(TD_HKID))			\
	TWIST(reg ## _above_maxpa, in->reg |= TD_KEYID(64))			\
	TWIST(reg ## _bit_63, in->reg |= 1ULL << 63)				\
	TWIST(reg ## _no_tdmr, in->reg = 3 * GB)				\
	TWIST(reg ## _no_init, in->reg = FAR_PAGE; atomic_store(&h->seam->tdmr[1].next, 1 * GB)) \
	TWIST(reg ## _reserved, in->reg = HOST_PAMT)				\
	TWIST(reg ## _pamt, pamt_mark_page(&h->seam->pamt, in->reg))		\
	TWIST(reg ## _pamt_here, in->reg = REGION_PG(1, 9);			\
	      pamt_mark_page(&h->seam->pamt, in->reg))				\
	TWIST(reg ## _in_leaf, in->reg = REGION_PG(2, 1);			\
	      entry(h, REGION(2), PS_2M)->type = PT_REG)			\
	TWIST(reg ## _in_1g_leaf, in->reg = FAR_PAGE; entry(h, FAR_PAGE, PS_1G)->type = PT_REG) \
	TWIST(reg ## _not_ram, h->not_ram = in->reg)				\
	TWIST(reg ## _region_locked, in->reg = REGION_PG(2, 4);			\
	      lock_try_exclusive(&entry(h, in->reg, PS_2M)->lock)) \
	TWIST(reg ## _region_shared, lock_try_shared(&entry(h, in->reg, PS_2M)->lock)) \
	TWIST(reg ## _block_locked, in->reg = FAR_PAGE;			\
	      lock_try_exclusive(&entry(h, FAR_PAGE, PS_1G)->lock))		\
	TWIST(reg ## _in_region, in->reg = REGION_PG(1, 5))			\
	TWIST(reg ## _far, in->reg = FAR_PAGE)

PAGE_TWISTS(rdx)
PAGE_TWISTS(r8)

TWIST(both_in_region, rdx_in_region(h, in); in->r8 = REGION_PG(1, 511))
TWIST(same_page, in->r8 = in->rdx)
TWIST(same_page_in_region, rdx_in_region(h, in); in->r8 = in->rdx)

/* Pages in a region with a pair of its own, where 4K pages may be in use. */
static void lent_2(struct host *h)
{
	ready(h);
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(2), PAIR(2, 0), PAIR(2, 1)));
}

TWIST(rdx_there, in->rdx = REGION_PG(2, 3))
TWIST(r8_there, in->r8 = REGION_PG(2, 3))
TWIST(rdx_tdr, rdx_there(h, in);
      td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_CREATE, .rcx = REGION_PG(2, 3),
					.rdx = TD_HKID }))
TWIST(r8_tdr, r8_there(h, in);
      td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_CREATE, .rcx = REGION_PG(2, 3),
					.rdx = TD_HKID }))
TWIST(rdx_page_locked, rdx_there(h, in); lock_try_exclusive(&host_page(h, in->rdx)->lock))
TWIST(r8_page_locked, r8_there(h, in); lock_try_exclusive(&host_page(h, in->r8)->lock))
TWIST(rdx_page_shared, rdx_there(h, in); lock_try_shared(&host_page(h, in->rdx)->lock))

/* Two things wrong: the first in order is told. */
TWIST(region_and_rdx, level_4k(h, in); rdx_misaligned(h, in))
TWIST(rdx_and_r8, rdx_misaligned(h, in); r8_misaligned(h, in))
TWIST(r8_and_region_tdmr, r8_misaligned(h, in); region_no_tdmr(h, in))
TWIST(region_tdmr_and_rdx_tdmr, region_no_tdmr(h, in); rdx_no_tdmr(h, in))
TWIST(busy_and_rdx_tdmr, region_exclusive(h, in); rdx_no_tdmr(h, in))
TWIST(leaf_and_rdx_tdmr, region_leaf(h, in); rdx_no_tdmr(h, in))
TWIST(rdx_free_and_r8_tdmr, rdx_pamt(h, in); r8_no_tdmr(h, in))
TWIST(locked_and_not_free, rdx_region_locked(h, in); rdx_pamt(h, in))

#define ROW(twist_, stage_, in_, status_)					\
	{ #in_ "_" #twist_, { DPAMT }, stage_, twist_, .in = in_(), .status = status_ }

#define OPERAND_ROWS(in, stage)							\
	ROW(level_4k, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),		\
	ROW(level_1g, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),		\
	ROW(level_3, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),		\
	ROW(level_7, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),		\
	ROW(bit_3, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),		\
	ROW(bit_11, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),		\
	ROW(region_misaligned, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),	\
	ROW(region_half, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),		\
	ROW(region_keyid, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),	\
	ROW(region_private, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),	\
	ROW(region_bit_52, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),	\
	ROW(region_bit_63, stage, in, TDX_OPERAND_INVALID | OPERAND_RCX),	\
	ROW(region_no_tdmr, stage, in, TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX), \
	ROW(region_behind, stage, in, TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX), \
	ROW(region_no_init, stage, in, TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX), \
	ROW(region_shared, stage, in, TDX_OPERAND_BUSY | OPERAND_RCX),		\
	ROW(region_exclusive, stage, in, TDX_OPERAND_BUSY | OPERAND_RCX),	\
	ROW(block_exclusive, stage, in, TDX_OPERAND_BUSY | OPERAND_RCX),	\
	ROW(block_shared, stage, in, TDX_SUCCESS)

#define STATE_ROWS(in_)								\
	{ #in_ "_not_offered", .stage = ready, .in = in_(),			\
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },			\
	{ #in_ "_not_enabled", { DPAMT }, not_enabled, .in = in_(),		\
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },			\
	{ #in_ "_keys_missing", { DPAMT }, keys_missing, .in = in_(),		\
	  .status = TDX_SYS_NOT_READY },					\
	{ #in_ "_shut_down", { DPAMT }, shut_down, .in = in_(),			\
	  .status = TDX_SYS_SHUTDOWN },						\
	{ #in_ "_tdmrs_missing", { DPAMT }, tdmrs_missing, .in = in_(),		\
	  .status = TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX }

#define PAGE_ROWS(reg, op)							\
	ROW(reg ## _misaligned, ready, ADD, TDX_OPERAND_INVALID | op),		\
	ROW(reg ## _keyid, ready, ADD, TDX_OPERAND_INVALID | op),		\
	ROW(reg ## _private, ready, ADD, TDX_OPERAND_INVALID | op),		\
	ROW(reg ## _above_maxpa, ready, ADD, TDX_OPERAND_INVALID | op),		\
	ROW(reg ## _bit_63, ready, ADD, TDX_OPERAND_INVALID | op),		\
	ROW(reg ## _no_tdmr, ready, ADD, TDX_OPERAND_ADDR_RANGE_ERROR | op),	\
	ROW(reg ## _no_init, ready, ADD, TDX_OPERAND_ADDR_RANGE_ERROR | op),	\
	ROW(reg ## _reserved, ready, ADD, TDX_PAGE_NOT_FREE | op),		\
	ROW(reg ## _pamt, ready, ADD, TDX_PAGE_NOT_FREE | op),			\
	ROW(reg ## _pamt_here, ready, ADD, TDX_PAGE_NOT_FREE | op),		\
	ROW(reg ## _in_leaf, ready, ADD, TDX_PAGE_NOT_FREE | op),		\
	ROW(reg ## _in_1g_leaf, ready, ADD, TDX_PAGE_NOT_FREE | op),		\
	ROW(reg ## _tdr, lent_2, ADD, TDX_PAGE_NOT_FREE | op),			\
	ROW(reg ## _region_locked, ready, ADD, TDX_OPERAND_BUSY | op),		\
	ROW(reg ## _block_locked, ready, ADD, TDX_OPERAND_BUSY | op),		\
	ROW(reg ## _page_locked, lent_2, ADD, TDX_OPERAND_BUSY | op),		\
	{ "ADD_" #reg "_not_ram", { DPAMT }, ready, reg ## _not_ram, .in = ADD(), \
	  .status = TDX_OPERAND_INVALID | op, .rule = "not-ram" },		\
	ROW(reg ## _region_shared, ready, ADD, TDX_SUCCESS),			\
	ROW(reg ## _in_region, ready, ADD, TDX_SUCCESS),			\
	ROW(reg ## _far, ready, ADD, TDX_SUCCESS)

/* REMOVE */
TWIST(in_use, host_page(h, REGION_PG(1, 7))->type = PT_REG;
      atomic_store(pamt_used(&h->seam->pamt, REGION(1)), 1))
TWIST(pair_region_locked, lock_try_exclusive(&entry(h, PAIR(1, 0), PS_2M)->lock))
TWIST(other_region, in->rcx = REGION(2) | PS_2M)

static const struct feature_row rows[] = {
	{ "ADD_success", { DPAMT }, ready, .in = ADD() },
	{ "ADD_version_1", { DPAMT }, ready, .in = { .rax = TDH_PHYMEM_PAMT_ADD | 1 << 16 },
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	STATE_ROWS(ADD),
	OPERAND_ROWS(ADD, ready),
	ROW(region_first_reserved, ready, ADD, TDX_SUCCESS),
	ROW(region_all_reserved, ready, ADD, TDX_SUCCESS),
	ROW(region_leaf, ready, ADD, TDX_HPA_RANGE_NOT_FREE | OPERAND_RCX),
	ROW(block_leaf, ready, ADD, TDX_HPA_RANGE_NOT_FREE | OPERAND_RCX),
	{ "ADD_has_pair", { DPAMT }, lent, .in = ADD_PAIR(REGION(1), PAIR(2, 0), PAIR(2, 1)),
	  .status = TDX_HPA_RANGE_NOT_FREE | OPERAND_RCX },
	PAGE_ROWS(rdx, OPERAND_RDX),
	PAGE_ROWS(r8, OPERAND_R8),
	ROW(rdx_there, lent_2, ADD, TDX_SUCCESS),
	ROW(rdx_page_shared, lent_2, ADD, TDX_SUCCESS),
	ROW(both_in_region, ready, ADD, TDX_SUCCESS),
	ROW(same_page, ready, ADD, TDX_PAGE_NOT_FREE | OPERAND_R8),
	ROW(same_page_in_region, ready, ADD, TDX_PAGE_NOT_FREE | OPERAND_R8),
	{ "ADD_page_of_a_pair", { DPAMT }, lent,
	  .in = ADD_PAIR(REGION(2), PAIR(2, 0), PAIR(1, 1)),
	  .status = TDX_PAGE_NOT_FREE | OPERAND_R8 },

	ROW(region_and_rdx, ready, ADD, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(rdx_and_r8, ready, ADD, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(r8_and_region_tdmr, ready, ADD, TDX_OPERAND_INVALID | OPERAND_R8),
	ROW(region_tdmr_and_rdx_tdmr, ready, ADD, TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX),
	ROW(busy_and_rdx_tdmr, ready, ADD, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(leaf_and_rdx_tdmr, ready, ADD, TDX_HPA_RANGE_NOT_FREE | OPERAND_RCX),
	ROW(rdx_free_and_r8_tdmr, ready, ADD, TDX_PAGE_NOT_FREE | OPERAND_RDX),
	ROW(locked_and_not_free, ready, ADD, TDX_OPERAND_BUSY | OPERAND_RDX),

	{ "REMOVE_success", { DPAMT }, lent, .in = REMOVE() },
	{ "REMOVE_version_1", { DPAMT }, lent, .in = { .rax = TDH_PHYMEM_PAMT_REMOVE | 1 << 16 },
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	STATE_ROWS(REMOVE),
	OPERAND_ROWS(REMOVE, lent),
	{ "REMOVE_nothing", { DPAMT }, ready, .in = REMOVE(),
	  .status = TDX_NO_PAMT_PAGE_PAIR | OPERAND_RCX },
	ROW(other_region, lent, REMOVE, TDX_NO_PAMT_PAGE_PAIR | OPERAND_RCX),
	ROW(region_leaf, ready, REMOVE, TDX_NO_PAMT_PAGE_PAIR | OPERAND_RCX),
	ROW(block_leaf, ready, REMOVE, TDX_NO_PAMT_PAGE_PAIR | OPERAND_RCX),
	ROW(in_use, lent, REMOVE, TDX_PAMT_PAGE_NOT_EMPTY | OPERAND_RCX),
	ROW(pair_region_locked, lent, REMOVE, TDX_SUCCESS),
};

int main(void)
{
	return run_feature_rows("pamt_dynamic", rows, ARRAY_SIZE(rows));
}
