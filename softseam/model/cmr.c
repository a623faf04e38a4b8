// SPDX-License-Identifier: GPL-2.0-only
/* The table of convertible memory ranges. */
#include "cmr.h"
#include "range.h"

/* 4K aligned, no KeyID bits, behind @last_end. */
static bool cmr_valid(struct seam_range r, uint64_t last_end, unsigned int hpa_bits)
{
	return range_aligned(r, SZ_4K) && !range_wraps(r) &&
	       range_end(r) <= 1ULL << hpa_bits && r.base >= last_end;
}

/* Entries of size 0 may only stand at the end of the list. */
static bool only_nulls(const struct seam_range *range, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (range[i].size)
			return false;
	}
	return true;
}

bool cmr_table_fill(struct cmr_table *table, const struct seam_range *range,
		    unsigned int nr, unsigned int hpa_bits)
{
	struct cmr_table new = { 0 };
	uint64_t last_end = 0;

	for (unsigned int i = 0; i < nr; i++) {
		if (!range[i].size) {
			if (!only_nulls(range + i, nr - i))
				return false;
			break;
		}
		if (!cmr_valid(range[i], last_end, hpa_bits))
			return false;

		if (new.nr && range[i].base == last_end)
			new.range[new.nr - 1].size += range[i].size;
		else
			new.range[new.nr++] = range[i];
		last_end = range_end(range[i]);
	}

	*table = new;
	return true;
}

bool cmr_table_contains(const struct cmr_table *table, struct seam_range range)
{
	for (unsigned int i = 0; i < table->nr; i++) {
		if (range_contains(table->range[i], range))
			return true;
	}
	return false;
}
