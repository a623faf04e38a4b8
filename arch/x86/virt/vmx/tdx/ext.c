// SPDX-License-Identifier: GPL-2.0
/*
 * TDX Module Extensions
 *
 * Add-on features of the TDX module run in an extension of the module.  It has
 * no memory but a pool that the host gives it once, before it starts.  How
 * large the pool has to be depends on the features that the host has chosen,
 * so that the module only tells after TDH.SYS.CONFIG.
 *
 * What the module got, it keeps until the next boot.  There is no call to take
 * pages back, neither from a running extension nor from one that failed to
 * start.  From the moment that a page is offered to the module, it must not go
 * back to the page allocator: a use of it as normal memory would end in a
 * machine check.
 */
#define pr_fmt(fmt)	"virt/tdx: " fmt

#include <linux/cache.h>
#include <linux/cacheflush.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/math.h>
#include <linux/nodemask.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/topology.h>
#include <kunit/static_stub.h>
#include <asm/page.h>
#include <asm/tdx.h>

#include "ext.h"
#include "page_list.h"
#include "tdx.h"

/*
 * Metadata fields of the extensions.  Bits 33:32 of an identifier say how wide
 * the field is.
 */
#define MD_EXT_POOL_REQUIRED_PAGES	0x3100000200000000ULL
#define MD_EXT_REQUIRED			0x3100000000000001ULL

#define MD_FIELD_BYTES(field_id)	(1U << (((field_id) >> 32) & 3))

/* What the module says about its extensions, after TDH.SYS.CONFIG */
struct ext_info {
	/* Pages that the pool still lacks: 0 once they were all added */
	u32 required_pages;
	/* Does any of the chosen features need TDH.EXT.INIT? */
	u8 ext_required;
};

static_assert(sizeof_field(struct ext_info, required_pages) ==
	      MD_FIELD_BYTES(MD_EXT_POOL_REQUIRED_PAGES));
static_assert(sizeof_field(struct ext_info, ext_required) == MD_FIELD_BYTES(MD_EXT_REQUIRED));

/* The memory pool while it is handed over, one physically contiguous block */
struct ext_pool {
	unsigned long pfn;
	unsigned long nr_pages;
	/* How many pages, from the start, the module was told about */
	unsigned long nr_offered;
	/* Does the module want pages without a dirty cache line? */
	bool clflush;
};

/* Does the module have extensions that a runtime update has to start again? */
static bool ext_started __ro_after_init;

/* Pages in the pool, which are the module's for good */
static unsigned long ext_pool_pages __ro_after_init;

static __init int read_required_pages(u32 *nr_pages)
{
	u64 val;
	int ret;

	ret = read_sys_metadata_field(MD_EXT_POOL_REQUIRED_PAGES, &val);
	if (!ret)
		*nr_pages = val;

	return ret;
}

static __init int read_ext_info(struct ext_info *info)
{
	u64 val;
	int ret;

	ret = read_required_pages(&info->required_pages);
	if (ret)
		return ret;

	ret = read_sys_metadata_field(MD_EXT_REQUIRED, &val);
	if (!ret)
		info->ext_required = val;

	return ret;
}

/*
 * Tens of MB that never come back would leave holes all over the memory if
 * they came from the page allocator page by page.  Take them from one place,
 * which any node can provide if the own one cannot.
 *
 * Page 0 is never allocated, so it can stand for no memory.
 */
static __init unsigned long alloc_pool_pfn(unsigned long nr_pages)
{
	struct page *page;

	KUNIT_STATIC_STUB_REDIRECT(alloc_pool_pfn, nr_pages);

	page = alloc_contig_pages(nr_pages, GFP_KERNEL, numa_mem_id(), &node_online_map);

	return page ? page_to_pfn(page) : 0;
}

static __init void free_pool_pfn(unsigned long pfn, unsigned long nr_pages)
{
	KUNIT_STATIC_STUB_REDIRECT(free_pool_pfn, pfn, nr_pages);

	free_contig_range(pfn, nr_pages);
}

static __init void clflush_pages(unsigned long pfn, unsigned int nr_pages)
{
	KUNIT_STATIC_STUB_REDIRECT(clflush_pages, pfn, nr_pages);

	clflush_cache_range(__va(PFN_PHYS(pfn)), PFN_PHYS(nr_pages));
}

static unsigned long pool_kb(unsigned long nr_pages)
{
	return PFN_PHYS(nr_pages) / SZ_1K;
}

/* Whatever the module was told about stays out of the page allocator. */
static __init int ext_fatal(const struct ext_pool *pool, u64 err, const char *what)
{
	WARN(1, "Fatal: TDX module failed (0x%016llx) to %s, stranded %lu KB\n",
	     err, what, pool_kb(pool->nr_offered));

	return -EIO;
}

/* Hand over the pool, as many pages at a time as fit into one list. */
static __init int add_pool_by_list(struct ext_pool *pool, struct tdx_hpa_list *list)
{
	while (pool->nr_offered < pool->nr_pages) {
		unsigned long pfn = pool->pfn + pool->nr_offered;
		unsigned int nr_entries;
		u64 err;

		nr_entries = tdx_hpa_list_fill(list, pfn, pool->nr_pages - pool->nr_offered);
		if (pool->clflush)
			clflush_pages(pfn, nr_entries);

		pool->nr_offered += nr_entries;
		err = tdh_ext_mem_add(tdx_hpa_list_info(__pa(list), nr_entries));
		if (err)
			return ext_fatal(pool, err, "accept memory");
	}

	return 0;
}

static __init int add_pool(struct ext_pool *pool)
{
	struct tdx_hpa_list *list;
	u32 nr_missing;
	int ret;

	list = tdx_hpa_list_alloc();
	if (!list)
		return -ENOMEM;

	ret = add_pool_by_list(pool, list);
	tdx_hpa_list_free(list);
	if (ret)
		return ret;

	/* Module and host must have counted the same pages. */
	ret = read_required_pages(&nr_missing);
	if (WARN(ret, "Fatal: TDX module failed (%d) to count its memory, stranded %lu KB\n",
		 ret, pool_kb(pool->nr_offered)))
		return ret;

	if (WARN(nr_missing, "Fatal: TDX module wants %lu KB more memory, stranded %lu KB\n",
		 pool_kb(nr_missing), pool_kb(pool->nr_offered)))
		return -EIO;

	return 0;
}

/* What the module was not told about is normal memory. */
static __init void free_rest(const struct ext_pool *pool)
{
	unsigned long pfn = pool->pfn + pool->nr_offered;
	unsigned long nr_pages = pool->nr_pages - pool->nr_offered;

	if (!nr_pages)
		return;

	tdx_pamt_put_pages(pfn, nr_pages);
	free_pool_pfn(pfn, nr_pages);
}

static __init int set_up_pool(struct ext_pool *pool)
{
	int ret;

	pool->pfn = alloc_pool_pfn(pool->nr_pages);
	if (!pool->pfn) {
		pr_err("No %lu KB of contiguous memory for TDX Module Extensions\n",
		       pool_kb(pool->nr_pages));
		return -ENOMEM;
	}

	ret = tdx_pamt_get_pages(pool->pfn, pool->nr_pages);
	if (ret) {
		pr_err("No PAMT (%d) for %lu KB of TDX Module Extensions\n",
		       ret, pool_kb(pool->nr_pages));
		free_pool_pfn(pool->pfn, pool->nr_pages);
		return ret;
	}

	ret = add_pool(pool);
	if (ret)
		free_rest(pool);

	return ret;
}

/**
 * tdx_ext_init() - Give the extensions their memory and start them
 * @tdx_features0: TDX_FEATURES0, what the module offers.
 *
 * To be called after TDH.SYS.TDMR.INIT, because the pool consists of TDX memory
 * like any other.  Does nothing for a module without extensions.
 *
 * The module does not say which leaves belong to an add-on feature, so the host
 * could not tell what still works after a failure.  Any failure is therefore one
 * of the TDX module as a whole.
 *
 * Return: 0 or a negative errno.  After an error, the part of the pool that
 * the module was told about stays out of the page allocator.
 */
__init int tdx_ext_init(u64 tdx_features0)
{
	struct ext_pool pool = {
		.clflush = tdx_features0 & TDX_FEATURES0_CLFLUSH_BEFORE_ALLOC,
	};
	struct ext_info info;
	u64 err;
	int ret;

	if (!(tdx_features0 & TDX_FEATURES0_EXT))
		return 0;

	ret = read_ext_info(&info);
	if (ret)
		return ret;

	pool.nr_pages = info.required_pages;
	if (pool.nr_pages) {
		ret = set_up_pool(&pool);
		if (ret)
			return ret;

		ext_pool_pages = pool.nr_pages;
		pr_info("%lu MB allocated for TDX Module Extensions\n",
			DIV_ROUND_UP(pool_kb(pool.nr_pages), SZ_1K));
	}

	if (!info.ext_required)
		return 0;

	err = tdh_ext_init();
	if (err)
		return ext_fatal(&pool, err, "start its extensions");

	ext_started = true;
	return 0;
}

/**
 * tdx_ext_pool_kb() - How much memory do the extensions have?
 *
 * Return: The size of the pool in KB, 0 if the module wanted none.
 */
unsigned long tdx_ext_pool_kb(void)
{
	return pool_kb(ext_pool_pages);
}
EXPORT_SYMBOL_FOR_MODULES(tdx_ext_pool_kb, "tdx-host");

/**
 * tdx_ext_update() - Start the extensions again after a runtime update
 *
 * The new module takes over the pool as it is.  One that needs a larger pool is
 * no compatible update and does not start its extensions.
 *
 * Runs in stop_machine(), with interrupts off on all CPUs.
 *
 * Return: 0 or -EIO.
 */
int tdx_ext_update(void)
{
	u64 err;

	KUNIT_STATIC_STUB_REDIRECT(tdx_ext_update);

	if (!ext_started)
		return 0;

	err = tdh_ext_init_irqs_off();
	if (err) {
		pr_err("TDX module failed (0x%016llx) to start its extensions after the update\n",
		       err);
		return -EIO;
	}

	return 0;
}

#ifdef CONFIG_TDX_HOST_KUNIT_TEST
#include "tests/ext_kunit.c"
#endif
