// SPDX-License-Identifier: GPL-2.0-only
#include "execute.h"

/* Only noted: TCG has no caches to flush.  A page fault is TCG's to find. */
struct outcome clflush_execute(struct vcpu *v, const struct site *site)
{
	const struct insn *insn = &site->insn;

	platform_clflush(site->platform, v,
			 vcpu_effective_address(v, &insn->mem, site->pc + insn->len));
	return outcome_to_tcg();
}
