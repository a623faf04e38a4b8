// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules that SYS.CONFIG has for TDMRs, their reserved areas and PAMTs, in
 * the order in which the interface checks them.
 */
#include "range.h"
#include "status.h"
#include "tdmr.h"

static const enum page_size large_first[] = { PS_1G, PS_2M, PS_4K };

/* RAX[31:0] of PAMT statuses. */
static uint64_t pamt_detail(unsigned int i, enum page_size size, unsigned int other)
{
	return i | (uint64_t)size << 8 | (uint64_t)other << 16;
}

static uint64_t check_region(const struct tdmr *tdmr, unsigned int i, unsigned int hpa_bits)
{
	struct seam_range r = tdmr[i].range;

	if (range_wraps(r))
		return TDX_INVALID_TDMR | i;
	if (i && r.base < range_end(tdmr[i - 1].range))
		return TDX_NON_ORDERED_TDMR | i;
	if (!range_aligned(r, SZ_1G) || !r.size || range_end(r) > 1ULL << hpa_bits)
		return TDX_INVALID_TDMR | i;
	return TDX_SUCCESS;
}

/* Does @area, an offset and a size, stay inside a TDMR of @tdmr_size? */
static bool area_inside(struct seam_range area, uint64_t tdmr_size)
{
	return area.size <= tdmr_size && area.base <= tdmr_size - area.size;
}

static uint64_t check_reserved(struct tdmr *t, unsigned int i, const struct tdmr_info *info)
{
	const struct seam_range *area = info->reserved;

	for (unsigned int j = 0; j < MAX_RESERVED_PER_TDMR; j++) {
		uint64_t detail = i | j << 8;

		if (!area[j].size) {
			if (j + 1 < MAX_RESERVED_PER_TDMR && area[j + 1].size)
				return TDX_NON_ORDERED_RESERVED_IN_TDMR | detail;
			continue;
		}
		if (j && area[j].base < range_end(area[j - 1]))
			return TDX_NON_ORDERED_RESERVED_IN_TDMR | detail;
		if (!range_aligned(area[j], SZ_4K) || !area_inside(area[j], t->range.size))
			return TDX_INVALID_RESERVED_IN_TDMR | detail;

		t->reserved[t->nr_reserved++] = (struct seam_range){
			.base = t->range.base + area[j].base,
			.size = area[j].size,
		};
	}
	return TDX_SUCCESS;
}

uint64_t tdmr_pamt_bytes(uint64_t tdmr_size, enum page_size size)
{
	uint64_t bytes = tdmr_size / page_bytes(size) * PAMT_ENTRY_SIZE;

	return (bytes + SZ_4K - 1) & ~(SZ_4K - 1);
}

uint64_t tdmr_bitmap_bytes(uint64_t tdmr_size)
{
	return (tdmr_size / SZ_4K / 8 + SZ_4K - 1) & ~(SZ_4K - 1);
}

static uint64_t area_bytes(uint64_t tdmr_size, enum page_size size, bool dynamic)
{
	return size == PS_4K && dynamic ? tdmr_bitmap_bytes(tdmr_size) :
	       tdmr_pamt_bytes(tdmr_size, size);
}

static uint64_t check_pamt_areas(const struct tdmr *t, unsigned int i, unsigned int hpa_bits,
				 bool dynamic)
{
	for (unsigned int l = 0; l < NR_PAGE_SIZES; l++) {
		enum page_size size = large_first[l];
		struct seam_range r = t->pamt[size];

		if (range_wraps(r) || !range_aligned(r, SZ_4K) ||
		    range_end(r) > 1ULL << hpa_bits ||
		    r.size < area_bytes(t->range.size, size, dynamic))
			return TDX_INVALID_PAMT | pamt_detail(i, size, 0);
	}
	return TDX_SUCCESS;
}

/*
 * Set @free to the next stretch of @t, from *@cursor on, that is not reserved,
 * and move *@cursor behind it.  Returns false when there is none.
 */
static bool next_free(const struct tdmr *t, uint64_t *cursor, struct seam_range *free)
{
	uint64_t end = range_end(t->range);

	for (unsigned int j = 0; j < t->nr_reserved; j++) {
		struct seam_range r = t->reserved[j];

		if (range_end(r) <= *cursor)
			continue;
		if (r.base > *cursor) {
			end = r.base;
			break;
		}
		*cursor = range_end(r);
	}

	*free = (struct seam_range){ .base = *cursor, .size = end - *cursor };
	*cursor = end;
	return free->size != 0;
}

static bool overlaps_free(const struct tdmr *t, struct seam_range range)
{
	uint64_t cursor = t->range.base;
	struct seam_range free;

	while (next_free(t, &cursor, &free)) {
		if (ranges_overlap(free, range))
			return true;
	}
	return false;
}

static bool overlaps_pamts(const struct tdmr *t, struct seam_range range)
{
	for (enum page_size size = 0; size < NR_PAGE_SIZES; size++) {
		if (ranges_overlap(t->pamt[size], range))
			return true;
	}
	return false;
}

/* The PAMT areas of TDMR @i against each other and those of earlier TDMRs. */
static uint64_t check_pamt_pamt(const struct tdmr *tdmr, unsigned int i)
{
	const struct seam_range *own = tdmr[i].pamt;

	for (unsigned int j = 0; j < i; j++) {
		for (enum page_size size = 0; size < NR_PAGE_SIZES; size++) {
			if (overlaps_pamts(&tdmr[j], own[size]))
				return TDX_PAMT_OVERLAP | pamt_detail(i, size, j);
		}
	}

	if (ranges_overlap(own[PS_4K], own[PS_2M]) || ranges_overlap(own[PS_4K], own[PS_1G]))
		return TDX_PAMT_OVERLAP | pamt_detail(i, PS_4K, i);
	if (ranges_overlap(own[PS_2M], own[PS_1G]))
		return TDX_PAMT_OVERLAP | pamt_detail(i, PS_2M, i);
	return TDX_SUCCESS;
}

/* The PAMT areas of TDMR @a against the memory that TDMR @b does not reserve. */
static uint64_t check_pamt_memory(const struct tdmr *tdmr, unsigned int a, unsigned int b)
{
	for (enum page_size size = 0; size < NR_PAGE_SIZES; size++) {
		if (overlaps_free(&tdmr[b], tdmr[a].pamt[size]))
			return TDX_PAMT_OVERLAP | pamt_detail(a, size, b);
	}
	return TDX_SUCCESS;
}

static uint64_t check_pamt_overlap(const struct tdmr *tdmr, unsigned int i)
{
	uint64_t status = check_pamt_pamt(tdmr, i);

	for (unsigned int j = 0; !status && j <= i; j++) {
		status = check_pamt_memory(tdmr, i, j);
		if (!status && j < i)
			status = check_pamt_memory(tdmr, j, i);
	}
	return status;
}

static uint64_t check_cmrs(const struct tdmr *t, unsigned int i, const struct cmr_table *cmrs)
{
	uint64_t cursor = t->range.base;
	struct seam_range free;

	for (unsigned int l = 0; l < NR_PAGE_SIZES; l++) {
		if (!cmr_table_contains(cmrs, t->pamt[large_first[l]]))
			return TDX_PAMT_OUTSIDE_CMRS | pamt_detail(i, large_first[l], 0);
	}
	while (next_free(t, &cursor, &free)) {
		if (!cmr_table_contains(cmrs, free))
			return TDX_TDMR_OUTSIDE_CMRS | i;
	}
	return TDX_SUCCESS;
}

uint64_t tdmr_check(struct tdmr *tdmr, unsigned int i, const struct tdmr_info *info,
		    const struct cmr_table *cmrs, unsigned int hpa_bits, bool dynamic_pamt)
{
	struct tdmr *t = &tdmr[i];
	uint64_t status;

	t->range = (struct seam_range){ .base = info->base, .size = info->size };
	t->pamt[PS_1G] = info->pamt_1g;
	t->pamt[PS_2M] = info->pamt_2m;
	t->pamt[PS_4K] = info->pamt_4k;
	t->nr_reserved = 0;
	atomic_store(&t->next, info->base);

	status = check_region(tdmr, i, hpa_bits);
	if (!status)
		status = check_reserved(t, i, info);
	if (!status)
		status = check_pamt_areas(t, i, hpa_bits, dynamic_pamt);
	if (!status)
		status = check_pamt_overlap(tdmr, i);
	if (!status)
		status = check_cmrs(t, i, cmrs);
	return status;
}
