/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KeyIDs: the KeyID ownership table (KOT), and which packages hold the global
 * key (the module's key, which the KET of each package has to be given).
 */
#ifndef SOFTSEAM_KOT_H
#define SOFTSEAM_KOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

#define MAX_HKIDS	2048

enum kot_state {
	KOT_FREE	= 0,
	KOT_ASSIGNED	= 1,
	KOT_FLUSHED	= 2,
	KOT_RESERVED	= 3,
};

struct kot {
	/* Exclusive for whoever changes a state: OPERAND_BUSY|KOT. */
	struct trylock lock;
	/* First private KeyID, and the first KeyID behind the private ones. */
	uint32_t first, end;
	_Atomic uint8_t state[MAX_HKIDS];
	/* FLUSHED: packages whose caches were not written back since. */
	_Atomic uint32_t wb_packages[MAX_HKIDS];
};

struct ket {
	/* Exclusive while a key is programmed: OPERAND_BUSY|KET. */
	struct trylock lock;
	/* One bit per package that holds the global key. */
	_Atomic uint32_t global_key;
};

void kot_init(struct kot *kot, uint32_t nr_shared, uint32_t nr_private);
bool kot_is_private(const struct kot *kot, uint64_t hkid);
uint32_t kot_in_use(const struct kot *kot);

#endif
