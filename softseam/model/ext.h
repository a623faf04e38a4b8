/* SPDX-License-Identifier: GPL-2.0-only */
/* Extensions of the module: add-on features, and the memory they need. */
#ifndef SOFTSEAM_EXT_H
#define SOFTSEAM_EXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

struct seam;

struct ext {
	/* Exclusive for TDH.EXT leaves: SYS_BUSY. */
	struct trylock lock;
	/* Add-on features that SYS.CONFIG chose, as bits of FEATURES0. */
	uint64_t features;
	bool required;
	/* Pages that the pool has, and that it lacks. */
	_Atomic uint32_t pool_has, pool_lacks;

	/* RCX that goes on with an interrupted EXT.MEM.ADD; 0: none. */
	uint64_t resume;
	/* Steps of EXT.INIT so far. */
	unsigned int init_steps;
	atomic_bool ready;
};

/* May SYS.CONFIG choose all of @features? */
bool ext_offers(const struct seam *s, uint64_t features);
/* SYS.CONFIG chose @features. */
void ext_configure(struct seam *s, uint64_t features);

#endif
