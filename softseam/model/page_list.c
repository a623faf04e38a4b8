// SPDX-License-Identifier: GPL-2.0-only
/* Lists of pages: operands, and what is in the host's memory behind them. */
#include <string.h>

#include "leaves.h"
#include "operand.h"
#include "page_list.h"
#include "range.h"

#define INFO_RESERVED	0x0070000000000007ULL
#define ARRAY_RESERVED	0x0070000000000FFFULL
#define FIRST_ENTRY	0x0000000000000FF8ULL
#define FIRST_SHIFT	3
#define LAST_SHIFT	55

bool hpa_list_info_decode(uint64_t operand, struct hpa_list *list)
{
	list->root = operand & PAGE_LIST_HPA;
	list->first = (unsigned int)((operand & FIRST_ENTRY) >> FIRST_SHIFT);
	list->last = (unsigned int)(operand >> LAST_SHIFT);
	return !(operand & INFO_RESERVED) && list->first <= list->last;
}

uint64_t hpa_list_info_encode(const struct hpa_list *list)
{
	uint64_t first = list->first % PAGE_LIST_MAX;

	return list->root | first << FIRST_SHIFT | (uint64_t)list->last << LAST_SHIFT;
}

bool hpa_array_decode(uint64_t operand, struct hpa_array *array)
{
	array->hpa = operand & PAGE_LIST_HPA;
	array->nr = (unsigned int)(operand >> LAST_SHIFT) + 1;
	return !(operand & ARRAY_RESERVED);
}

uint64_t hpa_array_encode(const struct hpa_array *array)
{
	return array->hpa | (uint64_t)(array->nr - 1) << LAST_SHIFT;
}

uint64_t page_list_check_root(struct seam *s, struct call *c, uint64_t root, uint32_t op)
{
	if (root % SZ_4K || root >> s->cfg.hpa_bits)
		return TDX_OPERAND_INVALID | op;
	return operand_ram(s, c, root, SZ_4K, "reads", op);
}

static uint64_t *root_words(struct seam *s, uint64_t root)
{
	return s->machine.ram(s->machine.opaque, root, SZ_4K);
}

uint64_t page_list_slot(struct seam *s, uint64_t root, unsigned int slot)
{
	return root_words(s, root)[slot];
}

static uint64_t read_pages(struct seam *s, struct call *c, uint64_t root, uint32_t op,
			   unsigned int nr, struct page_list *list)
{
	uint64_t status = page_list_check_root(s, c, root, op);

	if (status)
		return status;
	list->nr = nr;
	memcpy(list->pa, root_words(s, root), nr * sizeof(list->pa[0]));
	return TDX_SUCCESS;
}

uint64_t page_list_read_info(struct seam *s, struct call *c, uint64_t operand, uint32_t op,
			     unsigned int nr, struct page_list *list)
{
	struct hpa_list info;

	if (!hpa_list_info_decode(operand, &info) || info.first || info.last + 1 != nr)
		return TDX_OPERAND_INVALID | op;
	return read_pages(s, c, info.root, op, nr, list);
}

uint64_t page_list_read_array(struct seam *s, struct call *c, uint64_t operand, uint32_t op,
			      unsigned int nr, struct page_list *list)
{
	struct hpa_array array;

	if (!hpa_array_decode(operand, &array) || array.nr != nr)
		return TDX_OPERAND_INVALID | op;
	if (nr > 1)
		return read_pages(s, c, array.hpa, op, nr, list);
	list->nr = 1;
	list->pa[0] = array.hpa;
	return TDX_SUCCESS;
}

static bool is_block(uint64_t slot)
{
	return (slot & IOMMU_MT_NUM_PAGES) == IOMMU_MT_BLOCK_PAGES &&
	       !((slot & PAGE_LIST_HPA) % (IOMMU_MT_BLOCK_PAGES * SZ_4K));
}

/* All 512 slots of @slot, of which @nr behind the blocks name pages. */
static bool decode_iommu_mt(const uint64_t *slot, unsigned int nr, struct page_list *list)
{
	unsigned int i;

	list->nr = 0;
	for (i = 0; i < IOMMU_MT_BLOCKS; i++) {
		if (!is_block(slot[i]))
			return false;
		for (unsigned int j = 0; j < IOMMU_MT_BLOCK_PAGES; j++)
			list->pa[list->nr++] = (slot[i] & ~IOMMU_MT_NUM_PAGES) + j * SZ_4K;
	}
	for (; i < IOMMU_MT_BLOCKS + nr; i++) {
		if (slot[i] & IOMMU_MT_NUM_PAGES)
			return false;
		list->pa[list->nr++] = slot[i];
	}
	for (; i < PAGE_LIST_MAX; i++) {
		if (slot[i])
			return false;
	}
	return true;
}

uint64_t page_list_read_iommu_mt(struct seam *s, struct call *c, uint64_t operand, uint32_t op,
				 unsigned int nr, struct page_list *list)
{
	uint64_t slot[PAGE_LIST_MAX];
	uint64_t status = page_list_check_root(s, c, operand, op);

	if (status)
		return status;
	memcpy(slot, root_words(s, operand), sizeof(slot));
	return decode_iommu_mt(slot, nr, list) ? TDX_SUCCESS : TDX_OPERAND_INVALID | op;
}

void page_list_write_array(struct seam *s, uint64_t root, const struct page_list *list)
{
	memcpy(root_words(s, root), list->pa, list->nr * sizeof(list->pa[0]));
}

void page_list_write_iommu_mt(struct seam *s, uint64_t root, const struct page_list *list)
{
	uint64_t *slot = root_words(s, root);
	unsigned int i, nr = 0;

	memset(slot, 0, SZ_4K);
	for (i = 0; i < IOMMU_MT_BLOCKS; i++, nr += IOMMU_MT_BLOCK_PAGES)
		slot[i] = list->pa[nr] | IOMMU_MT_BLOCK_PAGES;
	while (nr < list->nr)
		slot[i++] = list->pa[nr++];
}
