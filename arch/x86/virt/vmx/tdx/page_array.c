// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of the host that an object of the TDX module consists of.
 *
 * The caller allocates the pages, since it knows how many, from which node and,
 * for the few objects that have larger blocks, of which order.  An array takes
 * them over and knows who owns them:
 *
 *	tdx_page_array_init()		the host
 *	CREATE or SETUP			the module
 *	DELETE or CLEAR succeeds	free
 *	DELETE or CLEAR fails		the module, for good
 *
 * Creation and deletion are symmetric.  When the module says that an object is
 * gone, all pages that it was created from are free.  The list of pages that
 * the module returns is ignored, the host knows what it gave.
 */
#define pr_fmt(fmt)	"virt/tdx: " fmt

#include <linux/bug.h>
#include <linux/cacheflush.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <asm/tdx.h>

#include "page_array.h"
#include "tdx.h"

/* An entry of the list: where the block is, and how large if it is not one page. */
static u64 page_entry(struct page *page)
{
	unsigned long nr_pages = compound_nr(page);

	return page_to_phys(page) | (nr_pages > 1 ? nr_pages : 0);
}

static unsigned long block_pages(u64 entry)
{
	return (entry & TDX_HPA_NUM_PAGES) ?: 1;
}

static unsigned long array_kb(const struct tdx_page_array *array)
{
	unsigned long nr_pages = 0;

	for (unsigned int i = 0; i < array->nr_entries; i++)
		nr_pages += compound_nr(array->pages[i]);

	return PFN_PHYS(nr_pages) / SZ_1K;
}

/* All pages of a block become the module's, so that each needs PAMT. */
static int get_pamt(struct page *page)
{
	int ret;

	do {
		ret = tdx_pamt_get_pages(page_to_pfn(page), compound_nr(page));
	} while (ret == -EBUSY && tdx_pamt_wait());

	return ret;
}

static void put_pamt(struct page *page)
{
	tdx_pamt_put_pages(page_to_pfn(page), compound_nr(page));
}

static int get_pamt_all(struct page **pages, unsigned int nr_entries)
{
	for (unsigned int i = 0; i < nr_entries; i++) {
		int ret = get_pamt(pages[i]);

		if (ret) {
			while (i--)
				put_pamt(pages[i]);
			return ret;
		}
	}

	return 0;
}

/**
 * tdx_page_array_init() - Put pages for an object of the TDX module in an array
 * @array: The array.
 * @pages: The pages; those of a higher order have to be compound pages.  @pages
 *	   itself stays the caller's and has to live as long as the array.
 * @nr_entries: Number of pages in @pages.
 *
 * On success, the array owns the pages and tdx_page_array_free(), or the
 * deletion of the object, frees them.
 *
 * Context: May sleep.
 * Return: 0, -EINVAL if there are none or more than 512 pages, -ENOMEM, -EBUSY if
 * the task was killed while the module was busy, or -EIO if the module refuses
 * PAMT pages.
 */
int tdx_page_array_init(struct tdx_page_array *array, struct page **pages,
			unsigned int nr_entries)
{
	struct tdx_hpa_list *list;
	int ret;

	if (!nr_entries || nr_entries > TDX_HPA_LIST_MAX_ENTRIES)
		return -EINVAL;

	list = tdx_hpa_list_alloc();
	if (!list)
		return -ENOMEM;

	ret = get_pamt_all(pages, nr_entries);
	if (ret) {
		tdx_hpa_list_free(list);
		return ret;
	}

	for (unsigned int i = 0; i < nr_entries; i++)
		list->phys[i] = page_entry(pages[i]);

	*array = (struct tdx_page_array) {
		.pages = pages,
		.nr_entries = nr_entries,
		.list = list,
	};

	return 0;
}
EXPORT_SYMBOL_FOR_MODULES(tdx_page_array_init, "tdx-host");

/* Make a page that was the module's one of the host. */
static u64 reclaim_page(struct page *page)
{
	for (unsigned long i = 0; i < compound_nr(page); i++) {
		u64 err = tdh_phymem_page_wbinvd_global(page + i);

		if (err)
			return err;
	}

	tdx_quirk_reset_paddr(page_to_phys(page), page_size(page));
	return 0;
}

static void free_one(struct page *page, bool reclaim)
{
	u64 err = reclaim ? reclaim_page(page) : 0;

	if (WARN(err, "Fatal: TDX module failed (0x%016llx) to flush memory, stranded %lu KB\n",
		 err, page_size(page) / SZ_1K))
		return;

	put_pamt(page);
	__free_pages(page, compound_order(page));
}

/**
 * tdx_page_array_free() - Free an array and its pages
 * @array: The array; can be one that was freed before, or all zeroes.
 *
 * No object may consist of the pages.
 */
void tdx_page_array_free(struct tdx_page_array *array)
{
	for (unsigned int i = 0; i < array->nr_entries; i++)
		free_one(array->pages[i], array->given);

	tdx_hpa_list_free(array->list);
	*array = (struct tdx_page_array) {};
}
EXPORT_SYMBOL_FOR_MODULES(tdx_page_array_free, "tdx-host");

/* The module may still use the pages: leave them, and their PAMT, as they are. */
static void tdx_page_array_leak(struct tdx_page_array *array, u64 err, const char *object)
{
	WARN(1, "Fatal: TDX module failed (0x%016llx) to delete %s, stranded %lu KB\n",
	     err, object, array_kb(array));

	tdx_hpa_list_free(array->list);
	*array = (struct tdx_page_array) {};
}

/**
 * tdx_page_array_take_back() - Take back the pages of an object
 * @array: The array that the object was created from.
 * @err: Status of the SEAMCALL that was to delete the object.
 * @object: Name of the object, for people.
 *
 * Frees the pages, or leaks them if the object was not deleted: the module and
 * the host disagree about who owns them then, and nothing can be done about it.
 * Either way, the array is empty afterwards.
 */
void tdx_page_array_take_back(struct tdx_page_array *array, u64 err, const char *object)
{
	if (err)
		tdx_page_array_leak(array, err, object);
	else
		tdx_page_array_free(array);
}

/**
 * tdx_page_array_give() - Prepare the pages to become private memory
 * @array: The array.
 *
 * To be called right before the SEAMCALL that creates an object from them.
 */
void tdx_page_array_give(struct tdx_page_array *array)
{
	/*
	 * Be conservative and flush without a look at CLFLUSH_BEFORE_ALLOC, as
	 * for all objects that consist of a few pages.
	 */
	for (unsigned int i = 0; i < array->nr_entries; i++)
		clflush_cache_range(page_to_virt(array->pages[i]), page_size(array->pages[i]));

	array->given = true;
}

/* Are the first @nr_blocks entries blocks of two pages, and all others pages? */
static bool has_layout(const struct tdx_page_array *array, unsigned int nr_blocks)
{
	if (array->nr_entries < nr_blocks)
		return false;

	for (unsigned int i = 0; i < array->nr_entries; i++) {
		if (block_pages(array->list->phys[i]) !=
		    (i < nr_blocks ? TDX_IOMMU_MT_BLOCK_PAGES : 1))
			return false;
	}

	return true;
}

/**
 * tdx_page_array_hpa_array() - Name the pages in the format HPA_ARRAY_T
 * @array: The array, of single pages.
 *
 * Return: The operand, 0 if the format cannot express @array.
 */
tdx_hpa_array_t tdx_page_array_hpa_array(const struct tdx_page_array *array)
{
	if (!has_layout(array, 0) || !array->nr_entries)
		return (__force tdx_hpa_array_t)0;

	return tdx_encode_hpa_array(__pa(array->list), array->list->phys[0], array->nr_entries);
}

/**
 * tdx_page_array_out() - Say where to put the names of released pages
 * @array: The array whose pages will be released.
 *
 * The module has no use for a list of one page and demands 0 then.
 *
 * Return: The operand.
 */
tdx_hpa_array_out_t tdx_page_array_out(const struct tdx_page_array *array)
{
	return (__force tdx_hpa_array_out_t)(array->nr_entries > 1 ? __pa(array->list) : 0);
}

/**
 * tdx_page_array_iommu_mt() - Name the pages in the format IOMMU_MT
 * @array: The array, of two blocks of order 1 and any number of single pages.
 *
 * Return: The operand, 0 if @array has another layout.
 */
tdx_iommu_mt_t tdx_page_array_iommu_mt(const struct tdx_page_array *array)
{
	if (!has_layout(array, TDX_IOMMU_MT_BLOCKS))
		return (__force tdx_iommu_mt_t)0;

	return tdx_encode_iommu_mt(__pa(array->list));
}
