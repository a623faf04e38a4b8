/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_PAMT_H
#define _X86_VIRT_PAMT_H

#include <linux/cache.h>
#include <linux/kvm_types.h>
#include <linux/spinlock.h>
#include <asm/tdx.h>

#include "pamt_region.h"

/* Two pages of 256 entries each make the 4K level of a 2 MB region. */
#define PAMT_PAIR_PAGES		2
#define PAMT_4K_ENTRY_SIZE	(PAMT_PAIR_PAGES * PAGE_SIZE / PTRS_PER_PTE)

/* The pages need not be neighbours.  Both are NULL if there is no pair. */
struct pamt_pair {
	struct page *page[PAMT_PAIR_PAGES];
};

struct tdx_pamt;

/**
 * struct pamt_ops - What the state of regions is about
 * @add: Make the SEAMCALL that gives a pair to the module for the region at the
 *	 physical address @pa.  Returns its status.
 * @remove: Make the SEAMCALL that takes the pair back, and store it on success.
 *	    Returns its status.
 * @reset: Make a page that the module has used fit for the kernel.
 * @alloc: Allocate a page, near @nid if possible.  May sleep.
 * @free: Free a page.
 *
 * Tests replace them.
 */
struct pamt_ops {
	u64 (*add)(struct tdx_pamt *pamt, u64 pa, const struct pamt_pair *pair);
	u64 (*remove)(struct tdx_pamt *pamt, u64 pa, struct pamt_pair *pair);
	void (*reset)(struct tdx_pamt *pamt, struct page *page);
	struct page *(*alloc)(struct tdx_pamt *pamt, int nid);
	void (*free)(struct tdx_pamt *pamt, struct page *page);
};

/**
 * struct pamt_counters - What happened to pairs
 * @pairs: Pairs that the module has, those of stuck regions included.
 * @stuck: Regions in state PAMT_STUCK.
 * @leaked: Pairs that neither the module nor the kernel will use again.
 * @retries: SEAMCALLs that were made again because the module was busy.
 * @escalations: Transitions that needed the exclusive side of the lock.
 *
 * None of them is touched by users of a region that has others.
 */
struct pamt_counters {
	atomic_long_t pairs;
	atomic_long_t stuck;
	atomic_long_t leaked;
	atomic_long_t retries;
	atomic_long_t escalations;
};

/**
 * struct tdx_pamt - Dynamic PAMT of a TDX module
 * @table: The state of all regions.
 * @ops: How to reach the module and the page allocator.
 * @lock: The transition lock, see pamt.c.
 * @counters: What happened to pairs.
 * @reported: Kinds of trouble that the log has seen, as bits.
 */
struct tdx_pamt {
	struct pamt_table	table;
	const struct pamt_ops	*ops;

	rwlock_t		lock ____cacheline_aligned_in_smp;
	struct pamt_counters	counters;
	unsigned long		reported;
};

/* pamt_mem.c */

/**
 * pamt_init() - Prepare for regions up to a physical address
 * @pamt: What to prepare.
 * @ops: How to reach the module and the page allocator.
 * @end: The first address that cannot be TDX memory.
 *
 * Return: 0 or -ENOMEM.
 */
int pamt_init(struct tdx_pamt *pamt, const struct pamt_ops *ops, u64 end);

/**
 * pamt_cover() - Allocate the state of regions
 * @pamt: Where to add them.
 * @base: Start of the memory, a multiple of 1 GB.
 * @size: Size of the memory, a multiple of 1 GB.
 * @nid: Node to put the state on.
 *
 * Must not be called for memory that is covered already.
 *
 * Return: 0, -ENOMEM or -EINVAL.  pamt_destroy() is right in all cases.
 */
int pamt_cover(struct tdx_pamt *pamt, u64 base, u64 size, int nid);

/**
 * pamt_destroy() - Free the state of all regions
 * @pamt: What pamt_init() was called for.  Not to be used any more.
 *
 * Pairs that the module has, it keeps.
 */
void pamt_destroy(struct tdx_pamt *pamt);

/**
 * pamt_state_bytes() - Memory that the state of regions takes
 * @pamt: What pamt_init() was called for.
 *
 * Return: Bytes.
 */
unsigned long pamt_state_bytes(const struct tdx_pamt *pamt);

/**
 * pamt_pair_take() - Get an unused pair
 * @pamt: Whose pages to use.
 * @cache: Take it from here; NULL to allocate, which may sleep.
 * @nid: Node to allocate on.
 * @pair: Where to put it, unchanged on error.
 *
 * Return: 0 or -ENOMEM.
 */
int pamt_pair_take(struct tdx_pamt *pamt, struct tdx_pamt_cache *cache, int nid,
		   struct pamt_pair *pair);

/**
 * pamt_pair_return() - Give an unused pair back to where it came from
 * @pamt: Whose pages they are.
 * @cache: As for pamt_pair_take().
 * @pair: The pair, possibly none.
 */
void pamt_pair_return(struct tdx_pamt *pamt, struct tdx_pamt_cache *cache,
		      struct pamt_pair *pair);

/**
 * pamt_cache_topup() - Make sure that a cache has enough pairs
 * @pamt: Whose pages to use.
 * @cache: The cache.
 * @nr_pairs: How many are enough.
 *
 * Return: 0 or -ENOMEM, with the cache filled as far as it went.
 */
int pamt_cache_topup(struct tdx_pamt *pamt, struct tdx_pamt_cache *cache,
		     unsigned int nr_pairs);

/**
 * pamt_cache_drain() - Free all pairs of a cache
 * @pamt: Whose pages they are.
 * @cache: The cache, which can be used again.
 */
void pamt_cache_drain(struct tdx_pamt *pamt, struct tdx_pamt_cache *cache);

/* pamt.c */
int __pamt_get(struct tdx_pamt *pamt, u64 pfn, enum pg_level level,
	       struct tdx_pamt_cache *cache);
void __pamt_put(struct tdx_pamt *pamt, u64 pfn, enum pg_level level);

/**
 * pamt_get() - Prepare the PAMT for a page that the module will get
 * @pamt: The PAMT.
 * @pfn: The page.
 * @level: PG_LEVEL_4K, or PG_LEVEL_2M for the whole region.
 * @cache: Where to take a pair from, if there is need for one; NULL to
 *	   allocate it, which may sleep.
 *
 * Each page of a region is counted once, before the module gets it.
 *
 * The module uses the same space for a pair and for a page of 2 MB, so the
 * latter has to be a region without a pair.  Nothing is counted for it: its
 * owner is the only one who could bring in a pair.
 *
 * Return:
 * * 0		- The module can have the page.
 * * -EBUSY	- The module is busy with something else for long.  Try again.
 * * -ENOMEM	- No pair to be had.
 * * -EEXIST	- The region has a pair, so use 4K pages.  PG_LEVEL_2M only.
 * * -EINVAL	- Not TDX memory, or no level that has a PAMT.
 * * -EIO	- The module and the kernel disagree, see the log.
 *
 * No error leaves anything to undo.
 */
static __always_inline int pamt_get(struct tdx_pamt *pamt, u64 pfn, enum pg_level level,
				    struct tdx_pamt_cache *cache)
{
	atomic_t *region = pamt_region(&pamt->table, pfn);

	if (likely(level == PG_LEVEL_4K && pamt_region_get(region)))
		return 0;

	return __pamt_get(pamt, pfn, level, cache);
}

/**
 * pamt_put() - Undo pamt_get()
 * @pamt: The PAMT.
 * @pfn: The page.  The module must not have it any more.
 * @level: As for pamt_get().
 *
 * Cannot fail.  If the module does not give a pair back, it keeps it.
 */
static __always_inline void pamt_put(struct tdx_pamt *pamt, u64 pfn, enum pg_level level)
{
	atomic_t *region = pamt_region(&pamt->table, pfn);

	if (likely(level == PG_LEVEL_4K && pamt_region_put(region)))
		return;

	__pamt_put(pamt, pfn, level);
}

#endif
