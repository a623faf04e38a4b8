// SPDX-License-Identifier: GPL-2.0-only
/* What the host never took back. */
#include <inttypes.h>

#include "leaves.h"
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

unsigned int seam_report_leaks(struct seam *s)
{
	unsigned int nr = 0;

	for (const struct td *td = s->tds; td; td = td->next) {
		report(s, td);
		nr++;
	}
	return nr;
}
