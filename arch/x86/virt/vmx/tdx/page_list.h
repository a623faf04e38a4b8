/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page of addresses by which the host names pages to the TDX module.
 *
 * Leaves that take more than one page take the address of a list: one page
 * of shared memory, each 8 bytes of which hold the physical address of a page.
 * The list is a message.  The module reads it during the call and never owns
 * it, whatever becomes of the pages that it names.
 *
 * Leaves differ in how the operand packs the address of the list and the
 * number of entries.  Each format has a type of its own that sparse does not
 * let one mix with another or with a plain number.
 *
 * An operand of 0 names nothing: physical page 0 is never TDX memory.  That
 * is what encoders return for input that their format cannot express, and the
 * module refuses it.
 */
#ifndef _X86_VIRT_TDX_PAGE_LIST_H
#define _X86_VIRT_TDX_PAGE_LIST_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/**
 * struct tdx_hpa_list - One page of addresses
 * @phys: Physical address of a page in each slot.
 */
struct tdx_hpa_list {
	u64 phys[512];
};

static_assert(sizeof(struct tdx_hpa_list) == 4096);

/* The most entries that any format can count */
#define TDX_HPA_LIST_MAX_ENTRIES	512

/* Bits of an address that say which page it is */
#define TDX_HPA_PFN			GENMASK_ULL(51, 12)

/*
 * HPA_LIST_INFO: a list that the module works through.  When it is interrupted,
 * it returns the same operand with the index of the next entry in FIRST_ENTRY.
 * The host starts with 0 there and leaves that field alone from then on.
 */
typedef u64 __bitwise tdx_hpa_list_info_t;

#define TDX_HPA_LIST_INFO_LAST_ENTRY	GENMASK_ULL(63, 55)

/**
 * tdx_hpa_list_info() - Encode HPA_LIST_INFO
 * @list_pa: Physical address of the list.
 * @nr_entries: Number of entries in it.
 *
 * Return: The operand, or 0 if @list_pa is not the address of a page or
 * @nr_entries is not in 1..512.
 */
static inline tdx_hpa_list_info_t tdx_hpa_list_info(u64 list_pa, unsigned int nr_entries)
{
	if (!nr_entries || nr_entries > TDX_HPA_LIST_MAX_ENTRIES || list_pa & ~TDX_HPA_PFN)
		return (__force tdx_hpa_list_info_t)0;

	return (__force tdx_hpa_list_info_t)
		(list_pa | FIELD_PREP(TDX_HPA_LIST_INFO_LAST_ENTRY, nr_entries - 1));
}

struct tdx_hpa_list *tdx_hpa_list_alloc(void);
void tdx_hpa_list_free(struct tdx_hpa_list *list);
unsigned int tdx_hpa_list_fill(struct tdx_hpa_list *list, unsigned long pfn,
			       unsigned long nr_pages);

#endif /* _X86_VIRT_TDX_PAGE_LIST_H */
