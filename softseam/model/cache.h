/* SPDX-License-Identifier: GPL-2.0-only */
/* Write-back of a package's caches before a KeyID is free again. */
#ifndef SOFTSEAM_CACHE_H
#define SOFTSEAM_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "kot.h"
#include "lock.h"

/* What TDH.PHYMEM.CACHE.WB keeps for one package. */
struct cache_wb {
	/* Exclusive while it runs: OPERAND_BUSY|WBCACHE. */
	struct trylock lock;
	/* Steps done when an interrupt came; 0: nothing to resume. */
	unsigned int done;
	/* KeyIDs that were FLUSHED at the start. */
	bool hkid[MAX_HKIDS];
};

#endif
