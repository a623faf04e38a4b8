// SPDX-License-Identifier: GPL-2.0
/* The page of addresses by which the host names pages to the TDX module. */
#include <linux/array_size.h>
#include <linux/minmax.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include <kunit/static_stub.h>
#include <asm/page.h>

#include "page_list.h"

static_assert(sizeof(struct tdx_hpa_list) == PAGE_SIZE);
static_assert(ARRAY_SIZE(((struct tdx_hpa_list *)NULL)->phys) == TDX_HPA_LIST_MAX_ENTRIES);

/**
 * tdx_hpa_list_alloc() - Allocate a list
 *
 * Return: A list of zeroes, or NULL without memory.
 */
struct tdx_hpa_list *tdx_hpa_list_alloc(void)
{
	KUNIT_STATIC_STUB_REDIRECT(tdx_hpa_list_alloc);

	/* Objects whose size is a power of two are aligned to their size. */
	return kzalloc_obj(struct tdx_hpa_list);
}

/**
 * tdx_hpa_list_free() - Free a list
 * @list: The list, can be NULL.
 *
 * The pages that are named in @list stay what they are.
 */
void tdx_hpa_list_free(struct tdx_hpa_list *list)
{
	KUNIT_STATIC_STUB_REDIRECT(tdx_hpa_list_free, list);

	kfree(list);
}

/**
 * tdx_hpa_list_fill() - Name the first pages of a contiguous range
 * @list: The list; entries from earlier use are overwritten from the start.
 * @pfn: First page of the range.
 * @nr_pages: Number of pages in the range.
 *
 * To hand over a range that is larger than a list, call this for what is left
 * of the range until nothing is.
 *
 * Return: The number of entries, which is @nr_pages if that many fit.
 */
unsigned int tdx_hpa_list_fill(struct tdx_hpa_list *list, unsigned long pfn,
			       unsigned long nr_pages)
{
	unsigned int nr_entries = min(nr_pages, ARRAY_SIZE(list->phys));

	for (unsigned int i = 0; i < nr_entries; i++)
		list->phys[i] = PFN_PHYS(pfn + i);

	return nr_entries;
}
