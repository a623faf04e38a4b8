/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel knows about the PAMT of each 2 MB region of TDX memory
 *
 * The state of a region is one atomic_t:
 *
 *	PAMT_ABSENT	The region has no page pair.
 *	1 .. 512	The region has a pair, and that many of its 4K pages were
 *			given to the TDX module, or are about to be.
 *	PAMT_BUSY	A CPU adds or removes the pair.  It holds the transition
 *			lock of struct tdx_pamt as long as the state lasts.
 *	PAMT_STUCK	The region has a pair and no users, because the module did
 *			not give the pair back.  The next user takes it over.
 *	PAMT_NONE	There is no such region: it is not TDX memory.
 *
 *	                 get
 *	   ABSENT --> BUSY -----> 1 <----> 2 <-- get, put --> 512
 *	     ^  ^      |          ^ |
 *	     |  +------+      get | | put
 *	     |   not added        | v
 *	     +------------------ BUSY ---> STUCK --> 1
 *	           removed            refused    get
 *
 * The counted states change by compare and exchange alone: pamt_region_get()
 * and pamt_region_put() are the whole cost of a page in a region that has
 * other users.
 */
#ifndef _X86_VIRT_PAMT_REGION_H
#define _X86_VIRT_PAMT_REGION_H

#include <linux/atomic.h>
#include <linux/pgtable.h>
#include <linux/types.h>

#define PAMT_ABSENT		0
#define PAMT_BUSY		(-1)
#define PAMT_STUCK		(-2)
#define PAMT_NONE		(-3)
#define PAMT_MAX_USERS		PTRS_PER_PTE

#define PAMT_REGIONS_PER_GB	PTRS_PER_PMD

/* The regions of 1 GB, which is the granularity of TDMRs */
struct pamt_gb {
	atomic_t region[PAMT_REGIONS_PER_GB];
};

/* Stands for each GB without TDX memory, and spares users a check. */
extern struct pamt_gb pamt_no_gb;

/**
 * struct pamt_table - The state of all regions
 * @gb: The regions by GB of physical address.
 * @nr_gb: Number of entries in @gb.
 *
 * Sized by the memory that is present, up to 8 bytes per GB of address space.
 * Neither @gb nor what it points to changes as long as regions are in use.
 */
struct pamt_table {
	struct pamt_gb	**gb;
	unsigned long	nr_gb;
};

/* The region of @pfn */
static __always_inline atomic_t *pamt_region(const struct pamt_table *table, u64 pfn)
{
	u64 gb = pfn >> (PUD_SHIFT - PAGE_SHIFT);
	u64 idx = (pfn >> (PMD_SHIFT - PAGE_SHIFT)) % PAMT_REGIONS_PER_GB;

	if (unlikely(gb >= table->nr_gb))
		return pamt_no_gb.region;

	return &table->gb[gb]->region[idx];
}

/*
 * One more user of a region that has some.  Returns false, with nothing done,
 * in any other state and if all pages of the region are counted.
 *
 * Acquire: whoever counts itself in makes its SEAMCALL after the one which
 * added the pair.  Pairs with the release in pamt_region_settle(), possibly by
 * way of other users: a read-modify-write continues the release sequence.
 */
static __always_inline bool pamt_region_get(atomic_t *region)
{
	int state = atomic_read(region);

	do {
		if (unlikely((unsigned int)state - 1 >= PAMT_MAX_USERS - 1))
			return false;
	} while (unlikely(!atomic_try_cmpxchg_acquire(region, &state, state + 1)));

	return true;
}

/*
 * One user less of a region that keeps others.  Returns false, with nothing
 * done, in any other state.
 *
 * Release: the SEAMCALLs with which this user took its page back come before
 * the one that removes the pair.  Pairs with the acquire in
 * pamt_region_claim(), by way of the other users as above.
 */
static __always_inline bool pamt_region_put(atomic_t *region)
{
	int state = atomic_read(region);

	do {
		if (unlikely((unsigned int)state - 2 >= PAMT_MAX_USERS - 1))
			return false;
	} while (unlikely(!atomic_try_cmpxchg_release(region, &state, state - 1)));

	return true;
}

/* Make a region busy that is in state @from.  Returns false if it is not. */
static inline bool pamt_region_claim(atomic_t *region, int from)
{
	return atomic_try_cmpxchg_acquire(region, &from, PAMT_BUSY);
}

/* End the busy state that pamt_region_claim() began. */
static inline void pamt_region_settle(atomic_t *region, int to)
{
	atomic_set_release(region, to);
}

#endif
