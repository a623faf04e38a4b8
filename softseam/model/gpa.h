/* SPDX-License-Identifier: GPL-2.0-only */
/* Operand RCX of leaves that name an entry of the secure EPT: GPA and level. */
#ifndef SOFTSEAM_GPA_H
#define SOFTSEAM_GPA_H

#include "leaves.h"
#include "td.h"

#define GPA_LEVEL	0x7ULL
#define GPA_RESERVED	0xFFF0000000000FF8ULL
#define GPA_ADDRESS	0x000FFFFFFFFFF000ULL

/* An entry of the secure EPT in use by a leaf, with the locks held for it. */
struct gpa_ref {
	struct sept *sept;
	uint64_t gpa;
	struct sept_walk walk;
	enum lock_mode mode;
	bool tree_locked, entry_locked;
};

/*
 * Check RCX, whose level must be from @min to @max, lock the tree in @mode, walk
 * to the entry and lock it.  An error about the entry tells of it in RCX and RDX.
 * On success the caller ends with gpa_put().
 */
uint64_t gpa_get(struct td *td, struct call *c, unsigned int min, unsigned int max,
		 enum lock_mode mode, struct gpa_ref *ref);

/* The same without locks, for leaves that hold the TDR exclusive. */
uint64_t gpa_get_unlocked(struct td *td, struct call *c, unsigned int min, unsigned int max,
			  struct gpa_ref *ref);
void gpa_put(struct gpa_ref *ref);

/* Is @gpa a private GPA of the TD? */
bool gpa_is_private(const struct td *td, uint64_t gpa);

/* @status, with the entry in RCX and RDX. */
uint64_t gpa_error(struct call *c, const struct gpa_ref *ref, uint64_t status);

#endif
