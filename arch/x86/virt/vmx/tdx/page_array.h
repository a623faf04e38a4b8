/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operands for leaves that create an object from pages of the host.
 *
 * Two formats name such pages, see page_list.h for what they have in common:
 * HPA_ARRAY_T and IOMMU_MT, for the tables of a trusted IOMMU.
 */
#ifndef _X86_VIRT_TDX_PAGE_ARRAY_H
#define _X86_VIRT_TDX_PAGE_ARRAY_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

#include "page_list.h"

struct tdx_page_array;

/*
 * HPA_ARRAY_T: a list of pages, but a single page is named by its own address
 * instead of by a list.  Nobody but the encoder has to know.
 */
typedef u64 __bitwise tdx_hpa_array_t;

#define TDX_HPA_ARRAY_LAST_ENTRY	GENMASK_ULL(63, 55)

/* Where the module puts the names of the pages that it gives back */
typedef u64 __bitwise tdx_hpa_array_out_t;

/*
 * IOMMU_MT: a list whose first two entries are blocks of two pages, for the
 * queues of the IOMMU, and whose other entries are single pages.  The entry of
 * a block has the number of pages in its low bits.  The operand has no count.
 */
typedef u64 __bitwise tdx_iommu_mt_t;

#define TDX_HPA_NUM_PAGES		GENMASK_ULL(11, 0)
#define TDX_IOMMU_MT_BLOCKS		2
#define TDX_IOMMU_MT_BLOCK_PAGES	2

/**
 * tdx_encode_hpa_array() - Encode HPA_ARRAY_T
 * @list_pa: Physical address of the list.
 * @page_pa: Physical address of the first page that it names.
 * @nr_entries: Number of entries in it.
 *
 * Return: The operand, or 0 if an address is not that of a page or @nr_entries
 * is not in 1..512.
 */
static inline tdx_hpa_array_t tdx_encode_hpa_array(u64 list_pa, u64 page_pa,
						   unsigned int nr_entries)
{
	if (!nr_entries || nr_entries > TDX_HPA_LIST_MAX_ENTRIES ||
	    (list_pa | page_pa) & ~TDX_HPA_PFN)
		return (__force tdx_hpa_array_t)0;

	if (nr_entries == 1)
		return (__force tdx_hpa_array_t)page_pa;

	return (__force tdx_hpa_array_t)
		(list_pa | FIELD_PREP(TDX_HPA_ARRAY_LAST_ENTRY, nr_entries - 1));
}

/**
 * tdx_encode_iommu_mt() - Encode IOMMU_MT
 * @list_pa: Physical address of the list.
 *
 * Return: The operand, or 0 if @list_pa is not the address of a page.
 */
static inline tdx_iommu_mt_t tdx_encode_iommu_mt(u64 list_pa)
{
	return (__force tdx_iommu_mt_t)(list_pa & ~TDX_HPA_PFN ? 0 : list_pa);
}

tdx_hpa_array_t tdx_page_array_hpa_array(const struct tdx_page_array *array);
tdx_hpa_array_out_t tdx_page_array_out(const struct tdx_page_array *array);
tdx_iommu_mt_t tdx_page_array_iommu_mt(const struct tdx_page_array *array);

void tdx_page_array_give(struct tdx_page_array *array);
void tdx_page_array_take_back(struct tdx_page_array *array, u64 err, const char *object);

#endif /* _X86_VIRT_TDX_PAGE_ARRAY_H */
