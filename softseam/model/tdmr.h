/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TD memory regions (TDMRs): the memory that the host lets the module use, as
 * declared in SYS.CONFIG and made usable 1 GiB at a time by SYS.TDMR.INIT.
 */
#ifndef SOFTSEAM_TDMR_H
#define SOFTSEAM_TDMR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmr.h"
#include "lock.h"
#include "pamt.h"
#include "seam.h"

#define MAX_TDMRS		64
#define MAX_RESERVED_PER_TDMR	16
#define TDMR_INFO_ALIGN		512

/* As the host writes it to memory. */
struct tdmr_info {
	uint64_t base, size;
	/* PAMT areas for 1G, 2M and 4K entries. */
	struct seam_range pamt_1g, pamt_2m, pamt_4k;
	/* The offset into the TDMR is the base of the range. */
	struct seam_range reserved[MAX_RESERVED_PER_TDMR];
};

_Static_assert(sizeof(struct tdmr_info) == 8 * 8 + 16 * 16, "TDMR_INFO size");

struct tdmr {
	struct seam_range range;
	struct seam_range pamt[NR_PAGE_SIZES];
	/* Ascending, disjoint; @base is an address here. */
	unsigned int nr_reserved;
	struct seam_range reserved[MAX_RESERVED_PER_TDMR];

	/* Exclusive in SYS.TDMR.INIT: OPERAND_BUSY|RCX. */
	struct trylock lock;
	/* SYS.TDMR.INIT got this far. */
	_Atomic uint64_t next;
};

/*
 * Check TDMR @i as @info describes it against the rules, and against the TDMRs
 * before it in @tdmr, and fill @tdmr[@i].  Returns a completion status.
 */
uint64_t tdmr_check(struct tdmr *tdmr, unsigned int i, const struct tdmr_info *info,
		    const struct cmr_table *cmrs, unsigned int hpa_bits, bool dynamic_pamt);

/* Bytes of PAMT area that a TDMR of @tdmr_size needs for one level. */
uint64_t tdmr_pamt_bytes(uint64_t tdmr_size, enum page_size size);
/* The same for the page bitmap that Dynamic PAMT has in place of 4K entries. */
uint64_t tdmr_bitmap_bytes(uint64_t tdmr_size);

/* The TDMR with @pa, or NULL. */
struct tdmr *tdmr_find(struct tdmr *tdmr, unsigned int nr, uint64_t pa);
bool tdmr_is_reserved(const struct tdmr *tdmr, uint64_t pa);
/* Is the 1G block with @pa initialised? */
bool tdmr_is_usable(const struct tdmr *tdmr, uint64_t pa);

#endif
