/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operands that name many pages: HPA_LIST_INFO, HPA_ARRAY_T and IOMMU_MT.  All
 * lead through a page of the host's with up to 512 addresses, but for an
 * HPA_ARRAY_T of one page, which is that page's address itself.
 *
 * Decoding is pure: it looks at the operand alone.
 */
#ifndef SOFTSEAM_PAGE_LIST_H
#define SOFTSEAM_PAGE_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct seam;
struct call;

#define PAGE_LIST_MAX	512

/* Address bits of an operand and of a slot, as far as a KeyID of 0 allows. */
#define PAGE_LIST_HPA	0x000FFFFFFFFFF000ULL

/* HPA_LIST_INFO: slots @first to @last are still to be processed. */
struct hpa_list {
	uint64_t root;
	unsigned int first, last;
};

bool hpa_list_info_decode(uint64_t operand, struct hpa_list *list);
/* The slot behind 511 is 0. */
uint64_t hpa_list_info_encode(const struct hpa_list *list);

/* HPA_ARRAY_T: @hpa is the page itself if @nr is 1, else the list of them. */
struct hpa_array {
	uint64_t hpa;
	unsigned int nr;
};

bool hpa_array_decode(uint64_t operand, struct hpa_array *array);
uint64_t hpa_array_encode(const struct hpa_array *array);

/*
 * Slots of an IOMMU_MT: first blocks of 8K, then pages of 4K, then zeroes up to
 * the end.
 */
#define IOMMU_MT_BLOCKS		2
#define IOMMU_MT_BLOCK_PAGES	2
#define IOMMU_MT_NUM_PAGES	0xFFFULL

/* The 4K pages of an object, in the order in which the operand names them. */
struct page_list {
	unsigned int nr;
	uint64_t pa[IOMMU_MT_BLOCKS * IOMMU_MT_BLOCK_PAGES + PAGE_LIST_MAX];
};

/*
 * Decode operand @op and read the list behind it.  The operand must name @nr
 * pages; for IOMMU_MT that is without the blocks.  What the slots hold is
 * checked as far as the format goes.  Return a completion status.
 */
uint64_t page_list_read_info(struct seam *s, struct call *c, uint64_t operand, uint32_t op,
			     unsigned int nr, struct page_list *list);
uint64_t page_list_read_array(struct seam *s, struct call *c, uint64_t operand, uint32_t op,
			      unsigned int nr, struct page_list *list);
uint64_t page_list_read_iommu_mt(struct seam *s, struct call *c, uint64_t operand, uint32_t op,
				 unsigned int nr, struct page_list *list);

/* Operand @op is a page of the host's for a list: no KeyID bits, RAM. */
uint64_t page_list_check_root(struct seam *s, struct call *c, uint64_t root, uint32_t op);

/* Read one slot of a list whose page was checked. */
uint64_t page_list_slot(struct seam *s, uint64_t root, unsigned int slot);

/* Write a list as the formats have it to the page at @root, which was checked. */
void page_list_write_array(struct seam *s, uint64_t root, const struct page_list *list);
void page_list_write_iommu_mt(struct seam *s, uint64_t root, const struct page_list *list);

#endif
