// SPDX-License-Identifier: GPL-2.0-only
/* Page ownership. */
#include "pamt.h"
#include "range.h"
#include "sparse.h"

static size_t used_bytes(const struct pamt *pamt)
{
	return pamt->end / SZ_2M * sizeof(pamt->used[0]);
}

static size_t bitmap_bytes(const struct pamt *pamt)
{
	return pamt->end / SZ_4K / 8;
}

static bool init_usage(struct pamt *pamt)
{
	pamt->used = sparse_new(used_bytes(pamt));
	pamt->bitmap = sparse_new(bitmap_bytes(pamt));
	if (pamt->used && pamt->bitmap)
		return true;
	pamt_free(pamt);
	return false;
}

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
	return !pamt->end || init_usage(pamt);
}

void pamt_free(struct pamt *pamt)
{
	for (enum page_size size = 0; size < NR_PAGE_SIZES; size++)
		sparse_free(pamt->entry[size], pamt->bytes[size]);
	sparse_free(pamt->used, used_bytes(pamt));
	sparse_free(pamt->bitmap, bitmap_bytes(pamt));
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

/* With no pair behind it, a region has no 4K entries. */
static bool ends_at(const struct pamt *pamt, const struct pamt_entry *entry,
		    enum page_size size, enum page_size target)
{
	return pamt->dynamic && size == PS_2M && target == PS_4K && !pamt_has_pair(entry);
}

/* Looked up under the locks: a page in the bitmap stays there meanwhile. */
static void find_pamt_page(const struct pamt *pamt, uint64_t pa, struct pamt_walk *walk)
{
	if (!pamt_is_pamt_page(pamt, pa))
		return;
	walk->type = PT_PAMT;
	walk->size = PS_4K;
	walk->entry = NULL;
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
		if (walk->type != PT_NDA || ends_at(pamt, entry, walk->size, target))
			break;
	}
	if (pamt->dynamic && target == PS_4K && walk->type == PT_NDA)
		find_pamt_page(pamt, pa, walk);
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

bool pamt_has_pair(const struct pamt_entry *region)
{
	return region->type == PT_NDA && atomic_load(&region->bepoch) & PAMT_HAS_PAIR;
}

struct pamt_pair pamt_get_pair(const struct pamt_entry *region)
{
	return (struct pamt_pair){
		.page = { pamt_owner(region), atomic_load(&region->bepoch) & ~PAMT_HAS_PAIR },
	};
}

void pamt_set_pair(struct pamt_entry *region, struct pamt_pair pair)
{
	pamt_set_owner(region, pair.page[0]);
	atomic_store(&region->bepoch, pair.page[1] | PAMT_HAS_PAIR);
}

void pamt_clear_pair(struct pamt_entry *region)
{
	pamt_set_owner(region, 0);
	atomic_store(&region->bepoch, 0);
}

#define BITMAP_BITS	64

static uint64_t bitmap_bit(uint64_t pa)
{
	return 1ULL << (pa / SZ_4K % BITMAP_BITS);
}

static _Atomic uint64_t *bitmap_word(const struct pamt *pamt, uint64_t pa)
{
	return &pamt->bitmap[pa / SZ_4K / BITMAP_BITS];
}

bool pamt_is_pamt_page(const struct pamt *pamt, uint64_t pa)
{
	return atomic_load(bitmap_word(pamt, pa)) & bitmap_bit(pa);
}

bool pamt_mark_page(struct pamt *pamt, uint64_t pa)
{
	return atomic_fetch_or(bitmap_word(pamt, pa), bitmap_bit(pa)) & bitmap_bit(pa);
}

bool pamt_unmark_page(struct pamt *pamt, uint64_t pa)
{
	return atomic_fetch_and(bitmap_word(pamt, pa), ~bitmap_bit(pa)) & bitmap_bit(pa);
}
