// SPDX-License-Identifier: GPL-2.0-only
/* The KeyID ownership table. */
#include "kot.h"

/*
 * KeyID 0 and the @nr_shared behind it belong to the host.  The table ends at
 * MAX_HKIDS; SYS.INIT refuses a platform that has more.
 */
void kot_init(struct kot *kot, uint32_t nr_shared, uint32_t nr_private)
{
	kot->first = nr_shared + 1;
	kot->end = kot->first + nr_private;
	if (kot->end > MAX_HKIDS)
		kot->end = MAX_HKIDS;
}

bool kot_is_private(const struct kot *kot, uint64_t hkid)
{
	return hkid >= kot->first && hkid < kot->end;
}

uint32_t kot_in_use(const struct kot *kot)
{
	uint32_t n = 0;

	for (uint32_t hkid = kot->first; hkid < kot->end; hkid++) {
		if (atomic_load(&kot->state[hkid]) != KOT_FREE)
			n++;
	}
	return n;
}
