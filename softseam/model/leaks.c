// SPDX-License-Identifier: GPL-2.0-only
/* What the host never took back. */
#include <inttypes.h>

#include "leaves.h"
#include "range.h"
#include "td.h"

static const char *const lifecycle_names[] = {
	[TD_HKID_ASSIGNED]	= "HKID_ASSIGNED",
	[TD_KEYS_CONFIGURED]	= "KEYS_CONFIGURED",
	[TD_BLOCKED]		= "BLOCKED",
	[TD_TEARDOWN]		= "TEARDOWN",
};

static void report(struct seam *s, const struct td *td)
{
	enum td_lifecycle lifecycle = atomic_load(&td->lifecycle);
	char keyid[32] = "";

	if (lifecycle != TD_TEARDOWN)
		snprintf(keyid, sizeof(keyid), "KeyID %u, ", td->hkid);
	violation(s, 0, RULE_NEVER_RETURNED, td->tdr,
		  "TDR 0x%" PRIx64 " is left in %s: it holds %s%" PRIu64 " pages and the TDR",
		  td->tdr, lifecycle_names[lifecycle], keyid, atomic_load(&td->children));
}

/* Pairs of regions in which the module has no page. */
static unsigned int report_pairs(struct seam *s)
{
	uint64_t left = atomic_load(&s->pamt.pairs);
	unsigned int nr = 0;

	for (uint64_t pa = 0; left && pa < s->pamt.end; pa += SZ_2M) {
		const struct pamt_entry *region = pamt_entry(&s->pamt, pa, PS_2M);
		struct pamt_pair pair;

		if (!pamt_has_pair(region))
			continue;
		left--;
		if (atomic_load(pamt_used(&s->pamt, pa)))
			continue;
		pair = pamt_get_pair(region);
		violation(s, 0, RULE_NEVER_RETURNED, pair.page[0],
			  "the module still has the PAMT pages 0x%" PRIx64 " and 0x%" PRIx64 " for the 2M at 0x%" PRIx64 ", of which it has no page",
			  pair.page[0], pair.page[1], pa);
		nr++;
	}
	return nr;
}

unsigned int seam_report_leaks(struct seam *s)
{
	unsigned int nr = report_pairs(s) + lines_report(s);

	for (const struct td *td = s->tds; td; td = td->next) {
		report(s, td);
		nr++;
	}
	return nr;
}
