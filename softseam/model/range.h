/* SPDX-License-Identifier: GPL-2.0-only */
/* Ranges of physical addresses.  An end is open: the first byte behind. */
#ifndef SOFTSEAM_RANGE_H
#define SOFTSEAM_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "seam.h"

#define SZ_4K	(1ULL << 12)
#define SZ_2M	(1ULL << 21)
#define SZ_1G	(1ULL << 30)

/* Does @base + @size not fit into 64 bits? */
static inline bool range_wraps(struct seam_range r)
{
	return r.base + r.size < r.base;
}

/* Of a range that does not wrap. */
static inline uint64_t range_end(struct seam_range r)
{
	return r.base + r.size;
}

static inline bool range_aligned(struct seam_range r, uint64_t to)
{
	return !((r.base | r.size) & (to - 1));
}

/* Of ranges that are not empty. */
static inline bool ranges_overlap(struct seam_range a, struct seam_range b)
{
	return a.base < range_end(b) && b.base < range_end(a);
}

static inline bool range_contains(struct seam_range outer, struct seam_range inner)
{
	return inner.base >= outer.base && range_end(inner) <= range_end(outer);
}

static inline bool range_has(struct seam_range r, uint64_t addr)
{
	return addr >= r.base && addr - r.base < r.size;
}

#endif
