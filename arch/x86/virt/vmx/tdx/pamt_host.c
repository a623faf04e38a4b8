// SPDX-License-Identifier: GPL-2.0
/*
 * Dynamic PAMT of this machine: what KVM and the rest of the TDX host core call
 *
 * All of it does nothing while the PAMT is static.  The state of regions lives
 * as long as the kernel: pairs stay where they are when the TDX module is
 * updated at runtime.
 */
#include <linux/gfp.h>
#include <linux/jump_label.h>
#include <linux/memblock.h>
#include <linux/sched/signal.h>
#include <kunit/static_stub.h>

#include "pamt.h"
#include "tdx.h"

static DEFINE_STATIC_KEY_FALSE(tdx_pamt_is_dynamic);

static u64 pamt_host_add(struct tdx_pamt *pamt, u64 pa, const struct pamt_pair *pair)
{
	return tdh_phymem_pamt_add(pa, pair->page[0], pair->page[1]);
}

static u64 pamt_host_remove(struct tdx_pamt *pamt, u64 pa, struct pamt_pair *pair)
{
	return tdh_phymem_pamt_remove(pa, &pair->page[0], &pair->page[1]);
}

static void pamt_host_reset(struct tdx_pamt *pamt, struct page *page)
{
	tdx_quirk_reset_paddr(page_to_phys(page), PAGE_SIZE);
}

/* User space decides how many there are, so charge them. */
static struct page *pamt_host_alloc(struct tdx_pamt *pamt, int nid)
{
	return alloc_pages_node(nid, GFP_KERNEL_ACCOUNT, 0);
}

static void pamt_host_free(struct tdx_pamt *pamt, struct page *page)
{
	__free_page(page);
}

static const struct pamt_ops pamt_host_ops = {
	.add	= pamt_host_add,
	.remove	= pamt_host_remove,
	.reset	= pamt_host_reset,
	.alloc	= pamt_host_alloc,
	.free	= pamt_host_free,
};

struct tdx_pamt tdx_pamt;

/**
 * tdx_pamt_init() - Prepare for Dynamic PAMT
 *
 * Return: 0 or -ENOMEM.
 */
int __init tdx_pamt_init(void)
{
	return pamt_init(&tdx_pamt, &pamt_host_ops, PFN_PHYS(max_pfn));
}

/**
 * tdx_pamt_cover() - Prepare for Dynamic PAMT of the memory of a TDMR
 * @base: Start of the TDMR.
 * @size: Size of the TDMR.
 * @nid: Node of its memory.
 *
 * Return: 0 or a negative errno.
 */
int __init tdx_pamt_cover(u64 base, u64 size, int nid)
{
	return pamt_cover(&tdx_pamt, base, size, nid);
}

/**
 * tdx_pamt_enable() - From here on, pages need PAMT
 *
 * Context: Takes cpu_hotplug_lock, so mem_hotplug_lock must not be held.
 */
void __init tdx_pamt_enable(void)
{
	static_branch_enable(&tdx_pamt_is_dynamic);
}

/**
 * tdx_pamt_state_bytes() - How much memory is needed to track pairs
 *
 * Return: Bytes.
 */
unsigned long __init tdx_pamt_state_bytes(void)
{
	return pamt_state_bytes(&tdx_pamt);
}

/**
 * tdx_pamt_destroy() - Undo tdx_pamt_init() and tdx_pamt_cover()
 */
void __init tdx_pamt_destroy(void)
{
	pamt_destroy(&tdx_pamt);
}

/**
 * tdx_pamt_get() - Prepare the PAMT for a page that the TDX module will get
 * @pfn: The page.
 * @level: How much of it, PG_LEVEL_4K or PG_LEVEL_2M.
 * @cache: Where to take PAMT pages from, if there is need for them; NULL to
 *	   allocate them, which may sleep.
 *
 * Needed for every page that the module is going to own: guest memory, secure
 * EPT and control pages.  Pages that the module only reads or writes on behalf
 * of the host need none.
 *
 * Context: Process context.  With @cache, mmu_lock may be held.
 * Return:
 * * 0		- The module can have the page, until tdx_pamt_put().
 * * -EBUSY	- The module is busy with something else for long.  Try again.
 * * -ENOMEM	- There is no memory for PAMT pages.
 * * -EEXIST	- Some of the 2 MB are in use as 4K pages.  PG_LEVEL_2M only.
 * * -EINVAL	- Not TDX memory, or no such level.
 * * -EIO	- The TDX module and the kernel disagree, see the log.
 */
int tdx_pamt_get(kvm_pfn_t pfn, enum pg_level level, struct tdx_pamt_cache *cache)
{
	if (!static_branch_unlikely(&tdx_pamt_is_dynamic))
		return 0;

	return pamt_get(&tdx_pamt, pfn, level, cache);
}
EXPORT_SYMBOL_FOR_KVM(tdx_pamt_get);

/**
 * tdx_pamt_put() - Undo tdx_pamt_get()
 * @pfn: The page, which the module does not own any more.
 * @level: As for tdx_pamt_get().
 *
 * Do not call it for a page that could not be reclaimed from the module.
 *
 * Context: Process context.  mmu_lock may be held.
 */
void tdx_pamt_put(kvm_pfn_t pfn, enum pg_level level)
{
	if (static_branch_unlikely(&tdx_pamt_is_dynamic))
		pamt_put(&tdx_pamt, pfn, level);
}
EXPORT_SYMBOL_FOR_KVM(tdx_pamt_put);

/**
 * tdx_pamt_cache_init() - Start to use a cache
 * @cache: The cache.
 */
void tdx_pamt_cache_init(struct tdx_pamt_cache *cache)
{
	INIT_LIST_HEAD(&cache->pages);
	cache->nr_pairs = 0;
}
EXPORT_SYMBOL_FOR_KVM(tdx_pamt_cache_init);

/**
 * tdx_pamt_cache_topup() - Make sure that a cache lasts for some pages
 * @cache: The cache.
 * @nr_pages: How many times tdx_pamt_get() is called before the next topup.
 *
 * Each page can be the first one of its 2 MB region.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int tdx_pamt_cache_topup(struct tdx_pamt_cache *cache, unsigned int nr_pages)
{
	if (!static_branch_unlikely(&tdx_pamt_is_dynamic))
		return 0;

	return pamt_cache_topup(&tdx_pamt, cache, nr_pages);
}
EXPORT_SYMBOL_FOR_KVM(tdx_pamt_cache_topup);

/**
 * tdx_pamt_cache_drain() - Free what is left in a cache
 * @cache: The cache, empty afterwards.
 */
void tdx_pamt_cache_drain(struct tdx_pamt_cache *cache)
{
	pamt_cache_drain(&tdx_pamt, cache);
}
EXPORT_SYMBOL_FOR_KVM(tdx_pamt_cache_drain);

/**
 * tdx_pamt_wait() - Wait before asking a module again that was busy for long
 *
 * The module cannot be busy for good, so leave it to the user to give up.
 *
 * Context: Process context.  Sleeps.
 * Return: false if the task is about to be killed.
 */
bool tdx_pamt_wait(void)
{
	schedule_timeout_killable(1);

	return !fatal_signal_pending(current);
}

static int tdx_pamt_get_patient(kvm_pfn_t pfn)
{
	int ret;

	do {
		ret = tdx_pamt_get(pfn, PG_LEVEL_4K, NULL);
	} while (ret == -EBUSY && tdx_pamt_wait());

	return ret;
}

/**
 * tdx_pamt_get_pages() - Prepare the PAMT for pages in a row
 * @pfn: The first page.
 * @nr_pages: Number of pages.
 *
 * For memory that the module will own as a whole.
 *
 * Context: Process context.  May sleep.
 * Return: As tdx_pamt_get().  After an error, none of the pages is counted.
 */
int tdx_pamt_get_pages(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long i;
	int ret;

	KUNIT_STATIC_STUB_REDIRECT(tdx_pamt_get_pages, pfn, nr_pages);

	for (i = 0; i < nr_pages; i++) {
		ret = tdx_pamt_get(pfn + i, PG_LEVEL_4K, NULL);
		if (ret) {
			tdx_pamt_put_pages(pfn, i);
			return ret;
		}
	}

	return 0;
}

/**
 * tdx_pamt_put_pages() - Undo tdx_pamt_get_pages()
 * @pfn: The first page.
 * @nr_pages: Number of pages.  The module must not own any of them.
 *
 * Context: Process context.
 */
void tdx_pamt_put_pages(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long i;

	KUNIT_STATIC_STUB_REDIRECT(tdx_pamt_put_pages, pfn, nr_pages);

	for (i = 0; i < nr_pages; i++)
		tdx_pamt_put(pfn + i, PG_LEVEL_4K);
}

/**
 * tdx_alloc_control_page() - Allocate a page that the TDX module will own
 *
 * Context: May sleep.
 * Return: The page, to be freed with tdx_free_control_page(), or NULL.
 */
struct page *tdx_alloc_control_page(void)
{
	struct page *page;

	page = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return NULL;

	if (tdx_pamt_get_patient(page_to_pfn(page))) {
		__free_page(page);
		return NULL;
	}

	return page;
}
EXPORT_SYMBOL_FOR_KVM(tdx_alloc_control_page);

/**
 * tdx_free_control_page() - Free a page that the TDX module does not own any more
 * @page: A page from tdx_alloc_control_page(), or one that tdx_pamt_get() was
 *	  called for.  NULL is fine.
 *
 * A page that could not be reclaimed must be leaked instead.
 *
 * Context: Process context.  mmu_lock may be held.
 */
void tdx_free_control_page(struct page *page)
{
	if (!page)
		return;

	tdx_pamt_put(page_to_pfn(page), PG_LEVEL_4K);
	__free_page(page);
}
EXPORT_SYMBOL_FOR_KVM(tdx_free_control_page);
