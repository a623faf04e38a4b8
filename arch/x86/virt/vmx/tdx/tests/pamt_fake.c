// SPDX-License-Identifier: GPL-2.0
/* A TDX module with Dynamic PAMT and a page allocator, for tests */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <asm/shared/tdx_errno.h>

#include "pamt_fake.h"

/* The real module says which operand it is about. */
#define OPERAND			1

static struct pamt_fake *to_fake(struct tdx_pamt *pamt)
{
	return container_of(pamt, struct pamt_fake, pamt);
}

static bool fake_check(struct pamt_fake *fake, bool right)
{
	if (!right)
		atomic_inc(&fake->wrong);
	return right;
}

static bool lock_shared(struct fake_region *region)
{
	int held = atomic_read(&region->lock);

	do {
		if (held < 0)
			return false;
	} while (!atomic_try_cmpxchg(&region->lock, &held, held + 1));

	return true;
}

static void unlock_shared(struct fake_region *region)
{
	atomic_dec(&region->lock);
}

static bool lock_exclusive(struct fake_region *region)
{
	int free = 0;

	return atomic_try_cmpxchg(&region->lock, &free, -1);
}

static void unlock_exclusive(struct fake_region *region)
{
	atomic_set_release(&region->lock, 0);
}

static struct fake_page *to_fake_page(struct pamt_fake *fake, struct page *page)
{
	return &fake->page[page_private(page)];
}

static bool change_page(struct fake_page *page, enum fake_page_state from,
			enum fake_page_state to)
{
	int old = from;

	return atomic_try_cmpxchg(&page->state, &old, to);
}

static struct fake_region *fake_region_at(struct pamt_fake *fake, u64 pa)
{
	u64 idx = (pa - PFN_PHYS(FAKE_BASE_PFN)) / SZ_2M;

	if (!fake_check(fake, IS_ALIGNED(pa, SZ_2M) && idx < FAKE_REGIONS))
		idx = 0;

	return &fake->region[idx];
}

/* What the test wants to happen, if anything */
static u64 fake_injected(struct fake_seamcall *call)
{
	atomic_inc(&call->calls);
	if (atomic_read(&call->busy) == FAKE_BUSY_FOR_GOOD ||
	    atomic_add_unless(&call->busy, -1, 0))
		return TDX_OPERAND_BUSY | OPERAND;

	return call->status;
}

/* The locks of what an ADD needs besides its own region */
static u64 lock_pages(struct pamt_fake *fake, struct fake_region *region,
		      const struct pamt_pair *pair, struct fake_region **locked)
{
	int i;

	for (i = 0; i < PAMT_PAIR_PAGES; i++) {
		struct fake_page *page = to_fake_page(fake, pair->page[i]);
		struct fake_region *other = &fake->region[page->region];

		if (other == region)
			continue;
		if (!lock_shared(other))
			return TDX_OPERAND_BUSY | OPERAND;
		locked[i] = other;
	}

	return 0;
}

static void unlock_pages(struct fake_region **locked)
{
	int i;

	for (i = 0; i < PAMT_PAIR_PAGES; i++) {
		if (locked[i])
			unlock_shared(locked[i]);
	}
}

static void take_pair(struct pamt_fake *fake, struct fake_region *region,
		      const struct pamt_pair *pair)
{
	int i;

	for (i = 0; i < PAMT_PAIR_PAGES; i++)
		fake_check(fake, change_page(to_fake_page(fake, pair->page[i]),
					     FAKE_PAGE_HOST, FAKE_PAGE_MODULE));
	region->pair = *pair;
	atomic_sub(PAMT_PAIR_PAGES, &fake->nr_host);
	atomic_add(PAMT_PAIR_PAGES, &fake->nr_module);
}

static u64 fake_add(struct tdx_pamt *pamt, u64 pa, const struct pamt_pair *pair)
{
	struct pamt_fake *fake = to_fake(pamt);
	struct fake_region *region = fake_region_at(fake, pa);
	struct fake_region *locked[PAMT_PAIR_PAGES] = { };
	u64 status;

	status = fake_injected(&fake->add);
	if (status)
		return status;

	if (!lock_exclusive(region))
		return TDX_OPERAND_BUSY | OPERAND;

	status = lock_pages(fake, region, pair, locked);
	if (!status && region->pair.page[0])
		status = TDX_HPA_RANGE_NOT_FREE | OPERAND;
	udelay(fake->delay_us);
	if (!status)
		take_pair(fake, region, pair);

	unlock_pages(locked);
	unlock_exclusive(region);
	return status;
}

static u64 give_pair(struct pamt_fake *fake, struct fake_region *region, struct pamt_pair *pair)
{
	int i;

	if (!region->pair.page[0])
		return TDX_NO_PAMT_PAGE_PAIR | OPERAND;
	if (atomic_read(&region->used))
		return TDX_PAMT_PAGE_NOT_EMPTY | OPERAND;

	*pair = region->pair;
	region->pair = (struct pamt_pair) { };
	for (i = 0; i < PAMT_PAIR_PAGES; i++)
		fake_check(fake, change_page(to_fake_page(fake, pair->page[i]),
					     FAKE_PAGE_MODULE, FAKE_PAGE_USED));
	atomic_sub(PAMT_PAIR_PAGES, &fake->nr_module);
	atomic_add(PAMT_PAIR_PAGES, &fake->nr_host);
	return 0;
}

static u64 fake_remove(struct tdx_pamt *pamt, u64 pa, struct pamt_pair *pair)
{
	struct pamt_fake *fake = to_fake(pamt);
	struct fake_region *region = fake_region_at(fake, pa);
	u64 status;

	status = fake_injected(&fake->remove);
	if (status)
		return status;

	if (!lock_exclusive(region))
		return TDX_OPERAND_BUSY | OPERAND;

	udelay(fake->delay_us);
	status = give_pair(fake, region, pair);

	unlock_exclusive(region);
	return status;
}

static void fake_reset(struct tdx_pamt *pamt, struct page *page)
{
	struct pamt_fake *fake = to_fake(pamt);

	/* Only what the module has used needs it. */
	fake_check(fake, change_page(to_fake_page(fake, page), FAKE_PAGE_USED, FAKE_PAGE_HOST));
	atomic_inc(&fake->nr_resets);
}

static struct page *fake_alloc(struct tdx_pamt *pamt, int nid)
{
	struct pamt_fake *fake = to_fake(pamt);
	void (*on_alloc)(struct pamt_fake *fake) = fake->on_alloc;
	int i;

	if (on_alloc) {
		fake->on_alloc = NULL;
		on_alloc(fake);
	}

	if (atomic_read(&fake->fail_alloc) && atomic_dec_and_test(&fake->fail_alloc))
		return NULL;

	for (i = 0; i < FAKE_PAGES; i++) {
		if (change_page(&fake->page[i], FAKE_PAGE_FREE, FAKE_PAGE_HOST)) {
			atomic_inc(&fake->nr_host);
			return fake->page[i].page;
		}
	}

	fake_check(fake, false);
	return NULL;
}

static void fake_free(struct tdx_pamt *pamt, struct page *page)
{
	struct pamt_fake *fake = to_fake(pamt);

	fake_check(fake, change_page(to_fake_page(fake, page), FAKE_PAGE_HOST, FAKE_PAGE_FREE));
	atomic_dec(&fake->nr_host);
}

static const struct pamt_ops fake_ops = {
	.add	= fake_add,
	.remove	= fake_remove,
	.reset	= fake_reset,
	.alloc	= fake_alloc,
	.free	= fake_free,
};

/*
 * Other SEAMCALLs share the region.  There is no excuse for being busy: the
 * page is counted, so nobody may add or remove the pair.
 */
void fake_use_page(struct pamt_fake *fake, unsigned int region)
{
	struct fake_region *r = &fake->region[region];

	if (!fake_check(fake, lock_shared(r)))
		return;

	fake_check(fake, fake_has_pair(fake, region));
	atomic_inc(&r->used);
	unlock_shared(r);
}

void fake_return_page(struct pamt_fake *fake, unsigned int region)
{
	struct fake_region *r = &fake->region[region];

	if (!fake_check(fake, lock_shared(r)))
		return;

	atomic_dec(&r->used);
	unlock_shared(r);
}

static void pamt_fake_delete(void *data)
{
	struct pamt_fake *fake = data;
	int i;

	for (i = 0; i < FAKE_PAGES; i++) {
		if (!fake->page[i].page)
			continue;
		set_page_private(fake->page[i].page, 0);
		__free_page(fake->page[i].page);
	}

	pamt_destroy(&fake->pamt);
}

struct pamt_fake *pamt_fake_new(struct kunit *test)
{
	struct pamt_fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pamt_fake_delete, fake), 0);
	KUNIT_ASSERT_EQ(test, pamt_init(&fake->pamt, &fake_ops, (u64)FAKE_END_GB * SZ_1G), 0);
	KUNIT_ASSERT_EQ(test, pamt_cover(&fake->pamt, PFN_PHYS(FAKE_BASE_PFN), SZ_1G,
					 NUMA_NO_NODE), 0);

	for (i = 0; i < FAKE_PAGES; i++) {
		fake->page[i].page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, fake->page[i].page);
		set_page_private(fake->page[i].page, i);
		fake->page[i].region = i % FAKE_REGIONS;
	}

	return fake;
}
