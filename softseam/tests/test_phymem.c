// SPDX-License-Identifier: GPL-2.0-only
/* TDH.PHYMEM.PAGE.RDMD, and the page metadata behind it. */
#include "host.h"

#define RDMD(pa)	{ .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = (pa) }
#define PAGE		(4 * GB + 123 * SZ_4K)

static struct pamt_entry *entry(struct host *h, enum page_size size)
{
	return &h->seam->pamt.entry[size][PAGE / page_bytes(size)];
}

TWIST(sys_locked, lock_try_exclusive(&h->seam->sys_lock))
TWIST(page_shared, lock_try_shared(&entry(h, PS_4K)->lock))
TWIST(page_locked, lock_try_exclusive(&entry(h, PS_4K)->lock))
TWIST(region_locked, lock_try_exclusive(&entry(h, PS_2M)->lock))
TWIST(block_locked, lock_try_exclusive(&entry(h, PS_1G)->lock))
TWIST(half_initialised, h->seam->tdmr[2].next = 5 * GB - SZ_4K)
TWIST(block_initialised, h->seam->tdmr[2].next = 5 * GB)

static const struct row rows[] = {
	{ "success", .stage = STAGE_TDMRS, .in = RDMD(PAGE) },
	{ "first_page", .stage = STAGE_TDMRS, .in = RDMD(4 * GB) },
	{ "last_page", .stage = STAGE_TDMRS, .in = RDMD(6 * GB - SZ_4K) },
	{ "state_pending", .in = RDMD(PAGE), .status = TDX_SYS_NOT_READY },
	{ "state_init", .stage = STAGE_LPS, .in = RDMD(PAGE), .status = TDX_SYS_NOT_READY },
	{ "state_config", .stage = STAGE_CONFIG, .in = RDMD(PAGE), .status = TDX_SYS_NOT_READY },
	{ "state_shutdown", .stage = STAGE_SHUTDOWN, .in = RDMD(PAGE),
	  .status = TDX_SYS_SHUTDOWN },
	{ "misaligned", .stage = STAGE_TDMRS, .in = RDMD(PAGE + 1),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "misaligned_2048", .stage = STAGE_TDMRS, .in = RDMD(PAGE + 2048),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "shared_keyid", .stage = STAGE_TDMRS, .in = RDMD(PAGE | 1ULL << HOST_HPA_BITS),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "private_keyid", .stage = STAGE_TDMRS, .in = RDMD(PAGE | 32ULL << HOST_HPA_BITS),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "above_maxpa", .stage = STAGE_TDMRS, .in = RDMD(PAGE | 1ULL << 46),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "bit_63", .stage = STAGE_TDMRS, .in = RDMD(PAGE | 1ULL << 63),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "alignment_before_range", .stage = STAGE_TDMRS, .in = RDMD(3 * GB + 1),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "no_tdmr", .stage = STAGE_TDMRS, .in = RDMD(3 * GB),
	  .status = TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX },
	{ "behind_last_tdmr", .stage = STAGE_TDMRS, .in = RDMD(6 * GB),
	  .status = TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX },
	{ "not_initialised", .stage = STAGE_READY, .in = RDMD(PAGE),
	  .status = TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX },
	{ "block_half_initialised", .stage = STAGE_READY, .twist = half_initialised,
	  .in = RDMD(PAGE), .status = TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX },
	{ "block_initialised", .stage = STAGE_READY, .twist = block_initialised,
	  .in = RDMD(PAGE) },
	{ "next_block_not_initialised", .stage = STAGE_READY, .twist = block_initialised,
	  .in = RDMD(5 * GB), .status = TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX },
	{ "page_shared", .stage = STAGE_TDMRS, .twist = page_shared, .in = RDMD(PAGE) },
	{ "page_busy", .stage = STAGE_TDMRS, .twist = page_locked, .in = RDMD(PAGE),
	  .status = TDX_OPERAND_BUSY | OPERAND_RCX },
	{ "page_2m_busy", .stage = STAGE_TDMRS, .twist = region_locked, .in = RDMD(PAGE),
	  .status = TDX_OPERAND_BUSY | OPERAND_RCX },
	{ "page_1g_busy", .stage = STAGE_TDMRS, .twist = block_locked, .in = RDMD(PAGE),
	  .status = TDX_OPERAND_BUSY | OPERAND_RCX },
	{ "neighbour_not_busy", .stage = STAGE_TDMRS, .twist = page_locked,
	  .in = RDMD(PAGE + SZ_4K) },
	{ "sys_busy", .stage = STAGE_TDMRS, .twist = sys_locked, .in = RDMD(PAGE),
	  .status = TDX_SYS_BUSY },
};

static void assert_rdmd(struct host *h, uint64_t pa, enum page_type type, uint64_t owner,
			enum page_size size, uint64_t bepoch)
{
	struct seam_regs regs = { .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = pa,
				  .rdx = 1, .r8 = 1, .r9 = 1 };

	assert_int_equal(host_call(h, 0, &regs), SEAM_END_DONE);
	assert_status(regs.rax, TDX_SUCCESS);
	assert_int_equal(regs.rcx, type);
	assert_int_equal(regs.rdx, owner);
	assert_int_equal(regs.r8, size);
	assert_int_equal(regs.r9, bepoch);
}

static void free_page(void **state)
{
	struct host *h = *state;

	host_start(h);
	host_goto(h, STAGE_TDMRS);
	assert_rdmd(h, PAGE, PT_NDA, 0, PS_4K, 0);
}

static void reserved_pages(void **state)
{
	struct host *h = *state;

	host_start(h);
	host_goto(h, STAGE_TDMRS);
	assert_rdmd(h, 0, PT_RSVD, 0, PS_4K, 0);
	assert_rdmd(h, 1 * MB - SZ_4K, PT_RSVD, 0, PS_4K, 0);
	assert_rdmd(h, 1 * MB, PT_NDA, 0, PS_4K, 0);
	assert_rdmd(h, HOST_PAMT - SZ_4K, PT_NDA, 0, PS_4K, 0);
	assert_rdmd(h, HOST_PAMT, PT_RSVD, 0, PS_4K, 0);
	assert_rdmd(h, HOST_PAMT + HOST_PAMT_SIZE - SZ_4K, PT_RSVD, 0, PS_4K, 0);
	assert_rdmd(h, HOST_PAMT + HOST_PAMT_SIZE, PT_NDA, 0, PS_4K, 0);
}

/* A reserved area may lie where no CMR is, and so no entry. */
static void reserved_behind_memory(void **state)
{
	struct host *h = *state;

	host_tdmr(h, 2)->size = 3 * GB;
	host_tdmr(h, 2)->pamt_4k.base = HOST_PAMT + 32 * MB;
	host_tdmr(h, 2)->pamt_4k.size = 12 * MB;
	host_tdmr(h, 2)->pamt_2m = (struct seam_range){ HOST_PAMT + 48 * MB, 24 * 1024 };
	host_tdmr(h, 2)->reserved[1] = (struct seam_range){ 2 * GB, 1 * GB };
	host_start(h);
	host_goto(h, STAGE_TDMRS);
	assert_rdmd(h, 7 * GB - SZ_4K, PT_RSVD, 0, PS_4K, 0);
}

static void set_entry(struct pamt_entry *e, enum page_type type, uint64_t owner)
{
	e->type = (uint8_t)type;
	e->owner_lo = (uint32_t)(owner >> 12);
	e->owner_hi = (uint8_t)(owner >> 44);
	e->bepoch = 42;
}

/* Only pages that the secure EPT maps have an epoch. */
static void page_types(void **state)
{
	static const struct {
		enum page_type type;
		uint64_t bepoch;
	} types[] = {
		{ PT_REG, 42 }, { PT_EPT, 42 }, { PT_TDR, 0 }, { PT_TDCX, 0 }, { PT_TDVPR, 0 },
	};
	struct host *h = *state;

	host_start(h);
	host_goto(h, STAGE_TDMRS);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		set_entry(entry(h, PS_4K), types[i].type, 0xABCDE12345000);
		assert_rdmd(h, PAGE, types[i].type, 0xABCDE12345000, PS_4K, types[i].bepoch);
	}
}

/* A large page is found from each of its 4K addresses. */
static void large_pages(void **state)
{
	struct host *h = *state;

	host_start(h);
	host_goto(h, STAGE_TDMRS);
	set_entry(entry(h, PS_2M), PT_REG, 0x123000);
	assert_rdmd(h, PAGE, PT_REG, 0x123000, PS_2M, 42);
	assert_rdmd(h, 4 * GB + 2 * MB, PT_NDA, 0, PS_4K, 0);
	set_entry(entry(h, PS_1G), PT_REG, 0x456000);
	assert_rdmd(h, 4 * GB + 2 * MB, PT_REG, 0x456000, PS_1G, 42);
	assert_rdmd(h, 5 * GB + HOST_PAMT_SIZE, PT_NDA, 0, PS_4K, 0);
}

static void error_clears_outputs(void **state)
{
	struct host *h = *state;
	struct seam_regs regs = { .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = PAGE + 1,
				  .rdx = 1, .r8 = 2, .r9 = 3, .r10 = 4 };

	host_start(h);
	host_goto(h, STAGE_TDMRS);
	host_call(h, 0, &regs);
	assert_status(regs.rax, TDX_OPERAND_INVALID | OPERAND_RCX);
	assert_int_equal(regs.rcx | regs.rdx | regs.r8 | regs.r9, 0);
	assert_int_equal(regs.r10, 4);
}

/* A walk that ends exclusive keeps others from the page, not from the region. */
static void exclusive_walk(void **state)
{
	struct host *h = *state;
	struct pamt_walk walk, other;

	host_start(h);
	assert_true(pamt_walk(&h->seam->pamt, PAGE, false, PS_4K, LOCK_EXCLUSIVE, &walk));
	assert_int_equal(walk.nr_held, 3);
	assert_false(pamt_walk(&h->seam->pamt, PAGE, false, PS_4K, LOCK_SHARED, &other));
	assert_int_equal(other.nr_held, 0);
	assert_true(pamt_walk(&h->seam->pamt, PAGE + SZ_4K, false, PS_4K, LOCK_EXCLUSIVE, &other));
	pamt_unwalk(&other);
	assert_false(pamt_walk(&h->seam->pamt, PAGE, false, PS_2M, LOCK_EXCLUSIVE, &other));
	assert_true(pamt_walk(&h->seam->pamt, PAGE, false, PS_2M, LOCK_SHARED, &other));
	assert_int_equal(other.size, PS_2M);
	pamt_unwalk(&other);
	pamt_unwalk(&walk);
	assert_true(pamt_walk(&h->seam->pamt, PAGE, false, PS_1G, LOCK_EXCLUSIVE, &walk));
	assert_int_equal(walk.nr_held, 1);
	pamt_unwalk(&walk);
}

static void trylock(void **state)
{
	struct trylock lock = { 0 };

	(void)state;
	assert_true(lock_try(&lock, LOCK_SHARED));
	assert_true(lock_try(&lock, LOCK_SHARED));
	assert_false(lock_try(&lock, LOCK_EXCLUSIVE));
	lock_release(&lock, LOCK_SHARED);
	assert_false(lock_try(&lock, LOCK_EXCLUSIVE));
	lock_release(&lock, LOCK_SHARED);
	assert_true(lock_try(&lock, LOCK_EXCLUSIVE));
	assert_false(lock_try(&lock, LOCK_EXCLUSIVE));
	assert_false(lock_try(&lock, LOCK_SHARED));
	lock_release(&lock, LOCK_EXCLUSIVE);

	/* As many sharers as fit must not look like an exclusive holder. */
	lock.holders = LOCK_HELD_EXCLUSIVE - 1;
	assert_false(lock_try(&lock, LOCK_SHARED));
	assert_int_equal(lock.holders, LOCK_HELD_EXCLUSIVE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(free_page),
		host_test(reserved_pages),
		host_test(reserved_behind_memory),
		host_test(page_types),
		host_test(large_pages),
		host_test(error_clears_outputs),
		host_test(exclusive_walk),
		cmocka_unit_test(trylock),
	};
	int failed = run_rows("phymem", rows, ARRAY_SIZE(rows));

	return failed + cmocka_run_group_tests_name("phymem_state", tests, NULL, NULL);
}
