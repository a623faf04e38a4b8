// SPDX-License-Identifier: GPL-2.0
/* Dynamic PAMT: what an administrator can see of it */
#include <linux/sizes.h>

#include "pamt.h"
#include "tdx.h"

/**
 * tdx_pamt_get_info() - What Dynamic PAMT takes and did
 * @info: Where to put it.  The numbers are not from one moment.
 *
 * Return: false if the PAMT is static, with nothing in @info.
 */
bool tdx_pamt_get_info(struct tdx_pamt_info *info)
{
	const struct pamt_counters *counters = &tdx_pamt.counters;

	if (!tdx_pamt.table.nr_gb)
		return false;

	info->pairs = atomic_long_read(&counters->pairs);
	info->stuck = atomic_long_read(&counters->stuck);
	info->leaked = atomic_long_read(&counters->leaked);
	info->retries = atomic_long_read(&counters->retries);
	info->escalations = atomic_long_read(&counters->escalations);
	info->pairs_kb = info->pairs * PAMT_PAIR_PAGES * (PAGE_SIZE / SZ_1K);
	info->state_kb = pamt_state_bytes(&tdx_pamt) / SZ_1K;
	info->static_kb = tdx_static_pamt_kb();
	return true;
}
EXPORT_SYMBOL_FOR_MODULES(tdx_pamt_get_info, "tdx-host");
