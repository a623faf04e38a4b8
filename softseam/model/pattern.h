/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What host RAM holds where the module owns a page: a pattern that follows from
 * the page's address and a key, as ciphertext would.
 */
#ifndef SOFTSEAM_PATTERN_H
#define SOFTSEAM_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pamt.h"

/* The key of a page: pages of another type or KeyID look different. */
static inline uint64_t pattern_key(enum page_type type, uint16_t hkid)
{
	return (uint64_t)type << 56 ^ (uint64_t)hkid << 40;
}

/* Write the pattern of the page at @pa to @page, its 4K of RAM. */
void pattern_write(void *page, uint64_t pa, uint64_t key);

/*
 * Compare @len bytes of the page at @pa, from @offset on, both multiples of 8.
 * Returns the offset into the page of the first word that differs, or
 * PATTERN_INTACT.
 */
#define PATTERN_INTACT	(~0ULL)
uint64_t pattern_find_damage(const void *page, uint64_t pa, uint64_t key, size_t offset,
			     size_t len);

#endif
