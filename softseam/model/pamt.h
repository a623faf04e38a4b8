/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page ownership: the physical address metadata table (PAMT).
 *
 * Each page of a TDMR has an entry at one of three levels: a page in use at
 * 1G or 2M has its entry there, all else has it at 4K.  A 1G or 2M entry of
 * type NDA therefore says "look one level down".
 *
 * The entries cover all physical memory up to the end of the last CMR, and
 * cost memory only where one was written.  Reserved areas of TDMRs have no
 * entries: their type, RSVD, follows from the TDMR.
 *
 * Dynamic PAMT: a region of 2M has 4K entries only while the host lends a pair of
 * pages for them.  The pair is kept in the region's 2M entry, and a bitmap tells
 * which pages are PAMT pages themselves; these need no entry.
 *
 * Locks: a walk to a page holds the entries above it shared and the page's own
 * entry as the leaf asks.  All are tried; a lost race gives back what was taken.
 */
#ifndef SOFTSEAM_PAMT_H
#define SOFTSEAM_PAMT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lock.h"

enum page_type {
	PT_NDA		= 0,
	PT_RSVD		= 1,
	PT_REG		= 3,
	PT_TDR		= 4,
	PT_TDCX		= 5,
	PT_TDVPR	= 6,
	PT_EPT		= 8,
	/* Owned by the module itself. */
	PT_EXT		= 9,
	PT_IOMMU_MT	= 10,
	PT_SPDM_MT	= 11,
	PT_IDE_MT	= 12,
	PT_PAMT		= 15,
};

enum page_size {
	PS_4K		= 0,
	PS_2M		= 1,
	PS_1G		= 2,
	NR_PAGE_SIZES
};

/* What one entry takes of the memory that the host gives. */
#define PAMT_ENTRY_SIZE		16

/*
 * Guarded by @lock: shared to read, exclusive to write.  The two atomic fields
 * are also seen by leaves that know the page from elsewhere and take no lock.
 */
struct pamt_entry {
	struct trylock lock;
	_Atomic uint8_t type;
	/* Page frame of the owner's TDR, 40 bits. */
	uint8_t owner_hi;
	uint32_t owner_lo;
	/* TLB tracking epoch in which the page was blocked. */
	_Atomic uint64_t bepoch;
};

/* Of a 2M entry of type NDA: the epoch's place holds this and the second page. */
#define PAMT_HAS_PAIR	(1ULL << 63)

_Static_assert(sizeof(struct pamt_entry) == PAMT_ENTRY_SIZE, "PAMT entry size");

struct pamt {
	/* Addresses from here on have no entry. */
	uint64_t end;
	struct pamt_entry *entry[NR_PAGE_SIZES];
	size_t bytes[NR_PAGE_SIZES];
	/* Pages of each 2M that are in use at 4K. */
	_Atomic uint16_t *used;

	/* Dynamic PAMT is on: set in SYS.CONFIG. */
	bool dynamic;
	/* One bit a page: set for the pages of pairs. */
	_Atomic uint64_t *bitmap;
	_Atomic uint64_t pairs;
};

/* The two pages with the 4K entries of a region, each for one half. */
struct pamt_pair {
	uint64_t page[2];
};

/* A page found by pamt_walk(), with the locks that are held for it. */
struct pamt_walk {
	enum page_type type;
	/* Size of the page: the level at which its entry was found. */
	enum page_size size;
	/* NULL for a reserved page. */
	struct pamt_entry *entry;

	struct {
		struct trylock *lock;
		enum lock_mode mode;
	} held[NR_PAGE_SIZES];
	unsigned int nr_held;
};

static inline uint64_t page_bytes(enum page_size size)
{
	return 1ULL << (12 + 9 * size);
}

/* The entry of the page of @size at @pa, which is below the end. */
static inline struct pamt_entry *pamt_entry(const struct pamt *pamt, uint64_t pa,
					    enum page_size size)
{
	return &pamt->entry[size][pa / page_bytes(size)];
}

/* Returns false if the host's system cannot give the address space. */
bool pamt_init(struct pamt *pamt, uint64_t end);
void pamt_free(struct pamt *pamt);

/*
 * Find the entry of the page at @pa, not deeper than level @target, and lock
 * it.  @reserved: the TDMR says that the host keeps the page.  Returns false
 * when a lock is taken, and then holds none.
 *
 * With Dynamic PAMT a walk to 4K ends at 2M in a region without a pair, and a
 * PAMT page is found to be one wherever it lies.
 */
bool pamt_walk(struct pamt *pamt, uint64_t pa, bool reserved, enum page_size target,
	       enum lock_mode mode, struct pamt_walk *walk);
void pamt_unwalk(struct pamt_walk *walk);

/* Physical address of the TDR that owns the page. */
uint64_t pamt_owner(const struct pamt_entry *entry);
void pamt_set_owner(struct pamt_entry *entry, uint64_t tdr);

/* The pair in a 2M entry: shared to read, exclusive to write. */
bool pamt_has_pair(const struct pamt_entry *region);
struct pamt_pair pamt_get_pair(const struct pamt_entry *region);
void pamt_set_pair(struct pamt_entry *region, struct pamt_pair pair);
void pamt_clear_pair(struct pamt_entry *region);

bool pamt_is_pamt_page(const struct pamt *pamt, uint64_t pa);
/* Both return what was before. */
bool pamt_mark_page(struct pamt *pamt, uint64_t pa);
bool pamt_unmark_page(struct pamt *pamt, uint64_t pa);

/* Pages of the 2M with @pa that are in use at 4K. */
static inline _Atomic uint16_t *pamt_used(const struct pamt *pamt, uint64_t pa)
{
	return &pamt->used[pa / page_bytes(PS_2M)];
}

#endif
