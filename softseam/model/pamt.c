// SPDX-License-Identifier: GPL-2.0-only
/* Page ownership. */
#include "pamt.h"
#include "range.h"
#include "sparse.h"

bool pamt_init(struct pamt *pamt, uint64_t end)
{
	uint64_t nr_1g = (end + SZ_1G - 1) / SZ_1G;

	*pamt = (struct pamt){ .end = nr_1g * SZ_1G };

	for (enum page_size size = 0; pamt->end && size < NR_PAGE_SIZES; size++) {
		size_t bytes = pamt->end / page_bytes(size) * sizeof(struct pamt_entry);

		pamt->entry[size] = sparse_new(bytes);
		if (!pamt->entry[size]) {
			pamt_free(pamt);
			return false;
		}
		pamt->bytes[size] = bytes;
	}
	return true;
}

void pamt_free(struct pamt *pamt)
{
	for (enum page_size size = 0; size < NR_PAGE_SIZES; size++)
		sparse_free(pamt->entry[size], pamt->bytes[size]);
	*pamt = (struct pamt){ 0 };
}

static bool walk_lock(struct pamt_walk *walk, struct pamt_entry *entry, enum lock_mode mode)
{
	if (!lock_try(&entry->lock, mode))
		return false;
	walk->held[walk->nr_held].lock = &entry->lock;
	walk->held[walk->nr_held].mode = mode;
	walk->nr_held++;
	return true;
}

bool pamt_walk(struct pamt *pamt, uint64_t pa, bool reserved, enum page_size target,
	       enum lock_mode mode, struct pamt_walk *walk)
{
	*walk = (struct pamt_walk){ .type = PT_RSVD, .size = PS_4K };
	if (reserved)
		return true;

	for (int size = PS_1G; size >= (int)target; size--) {
		struct pamt_entry *entry = pamt_entry(pamt, pa, (enum page_size)size);
		enum lock_mode want = size == (int)target ? mode : LOCK_SHARED;

		if (!walk_lock(walk, entry, want)) {
			pamt_unwalk(walk);
			return false;
		}
		walk->entry = entry;
		walk->type = (enum page_type)entry->type;
		walk->size = (enum page_size)size;
		if (walk->type != PT_NDA)
			break;
	}
	return true;
}

void pamt_unwalk(struct pamt_walk *walk)
{
	while (walk->nr_held) {
		walk->nr_held--;
		lock_release(walk->held[walk->nr_held].lock, walk->held[walk->nr_held].mode);
	}
}

void pamt_set_owner(struct pamt_entry *entry, uint64_t tdr)
{
	entry->owner_lo = (uint32_t)(tdr >> 12);
	entry->owner_hi = (uint8_t)(tdr >> 44);
}

uint64_t pamt_owner(const struct pamt_entry *entry)
{
	return ((uint64_t)entry->owner_hi << 32 | entry->owner_lo) << 12;
}
