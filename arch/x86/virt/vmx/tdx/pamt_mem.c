// SPDX-License-Identifier: GPL-2.0
/* Dynamic PAMT: memory for the state of regions, pairs of pages, caches of pairs */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "pamt.h"

struct pamt_gb pamt_no_gb __ro_after_init = {
	.region = { [0 ... PAMT_REGIONS_PER_GB - 1] = ATOMIC_INIT(PAMT_NONE) },
};

int pamt_init(struct tdx_pamt *pamt, const struct pamt_ops *ops, u64 end)
{
	unsigned long idx, nr_gb = DIV_ROUND_UP(end, SZ_1G);

	pamt->table.gb = kvmalloc_objs(*pamt->table.gb, nr_gb);
	if (!pamt->table.gb)
		return -ENOMEM;

	for (idx = 0; idx < nr_gb; idx++)
		pamt->table.gb[idx] = &pamt_no_gb;

	pamt->table.nr_gb = nr_gb;
	pamt->ops = ops;
	rwlock_init(&pamt->lock);
	return 0;
}

int pamt_cover(struct tdx_pamt *pamt, u64 base, u64 size, int nid)
{
	unsigned long idx = base / SZ_1G;
	unsigned long end = idx + size / SZ_1G;

	if (WARN_ON_ONCE(!IS_ALIGNED(base | size, SZ_1G) || end > pamt->table.nr_gb))
		return -EINVAL;

	for (; idx < end; idx++) {
		struct pamt_gb *gb;

		BUILD_BUG_ON(PAMT_ABSENT != 0);
		gb = kzalloc_node(sizeof(*gb), GFP_KERNEL, nid);
		if (!gb)
			return -ENOMEM;

		pamt->table.gb[idx] = gb;
	}

	return 0;
}

void pamt_destroy(struct tdx_pamt *pamt)
{
	unsigned long idx;

	for (idx = 0; idx < pamt->table.nr_gb; idx++) {
		if (pamt->table.gb[idx] != &pamt_no_gb)
			kfree(pamt->table.gb[idx]);
	}

	kvfree(pamt->table.gb);
	pamt->table = (struct pamt_table) { };
}

unsigned long pamt_state_bytes(const struct tdx_pamt *pamt)
{
	unsigned long idx, bytes = pamt->table.nr_gb * sizeof(*pamt->table.gb);

	for (idx = 0; idx < pamt->table.nr_gb; idx++) {
		if (pamt->table.gb[idx] != &pamt_no_gb)
			bytes += sizeof(*pamt->table.gb[idx]);
	}

	return bytes;
}

static void pamt_pair_free(struct tdx_pamt *pamt, struct pamt_pair *pair)
{
	int i;

	for (i = 0; i < PAMT_PAIR_PAGES; i++) {
		if (pair->page[i])
			pamt->ops->free(pamt, pair->page[i]);
	}
}

static int pamt_pair_alloc(struct tdx_pamt *pamt, int nid, struct pamt_pair *pair)
{
	struct pamt_pair new = { };
	int i;

	for (i = 0; i < PAMT_PAIR_PAGES; i++) {
		new.page[i] = pamt->ops->alloc(pamt, nid);
		if (!new.page[i]) {
			pamt_pair_free(pamt, &new);
			return -ENOMEM;
		}
	}

	*pair = new;
	return 0;
}

static void pamt_cache_push(struct tdx_pamt_cache *cache, const struct pamt_pair *pair)
{
	int i;

	for (i = 0; i < PAMT_PAIR_PAGES; i++)
		list_add(&pair->page[i]->lru, &cache->pages);
	cache->nr_pairs++;
}

static void pamt_cache_pop(struct tdx_pamt_cache *cache, struct pamt_pair *pair)
{
	int i;

	for (i = 0; i < PAMT_PAIR_PAGES; i++) {
		pair->page[i] = list_first_entry(&cache->pages, struct page, lru);
		list_del(&pair->page[i]->lru);
	}
	cache->nr_pairs--;
}

int pamt_pair_take(struct tdx_pamt *pamt, struct tdx_pamt_cache *cache, int nid,
		   struct pamt_pair *pair)
{
	if (!cache)
		return pamt_pair_alloc(pamt, nid, pair);

	/* Who tops up a cache knows how much it takes. */
	if (WARN_ON_ONCE(!cache->nr_pairs))
		return -ENOMEM;

	pamt_cache_pop(cache, pair);
	return 0;
}

void pamt_pair_return(struct tdx_pamt *pamt, struct tdx_pamt_cache *cache,
		      struct pamt_pair *pair)
{
	if (cache && pair->page[0])
		pamt_cache_push(cache, pair);
	else
		pamt_pair_free(pamt, pair);
}

int pamt_cache_topup(struct tdx_pamt *pamt, struct tdx_pamt_cache *cache,
		     unsigned int nr_pairs)
{
	struct pamt_pair pair;

	while (cache->nr_pairs < nr_pairs) {
		/* It is not known yet which regions the pairs will be for. */
		if (pamt_pair_alloc(pamt, NUMA_NO_NODE, &pair))
			return -ENOMEM;
		pamt_cache_push(cache, &pair);
	}

	return 0;
}

void pamt_cache_drain(struct tdx_pamt *pamt, struct tdx_pamt_cache *cache)
{
	struct pamt_pair pair;

	while (cache->nr_pairs) {
		pamt_cache_pop(cache, &pair);
		pamt_pair_free(pamt, &pair);
	}
}
