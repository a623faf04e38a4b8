// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MNG.INIT */
#include <stdlib.h>

#include "leaves.h"
#include "mr.h"
#include "operand.h"
#include "td.h"
#include "td_params.h"
#include "virtual_cpuid.h"

/* All of TD_PARAMS, in order.  @cpuid is the caller's to free. */
static uint64_t check(struct seam *s, struct call *c, const struct td *td,
		      const struct td_params_page *page, struct td_params *params,
		      struct virtual_cpuid *cpuid)
{
	uint64_t status = td_params_check(s, c, page, td->nr_tdcx, params);

	if (!status)
		status = virtual_cpuid_fill(s, params, page, cpuid, &c->out.rcx);
	if (!status)
		status = td_params_check_arch_cap(page);
	return status;
}

static uint64_t commit(struct td *td, const struct td_params *params, struct virtual_cpuid *cpuid)
{
	if (!sept_init(&td->sept, td_params_root_level(params), params->gpaw - 1))
		return TDX_OPERAND_BUSY | OPERAND_RCX;

	td->params = *params;
	td->cpuid = cpuid;
	atomic_store(&td->epoch.epoch, 1);
	mr_init(td);
	atomic_store(&td->op_state, OP_INIT);
	return TDX_SUCCESS;
}

static uint64_t init(struct seam *s, struct call *c, struct td_ref *ref)
{
	struct virtual_cpuid *cpuid;
	struct td_params_page page;
	struct td_params params;
	uint64_t status = td_check(ref, OP_BIT(OP_UNINIT));

	if (!status)
		status = operand_shared(s, c->in.rdx, TD_PARAMS_ALIGN, OPERAND_RDX);
	if (!status)
		status = operand_read(s, c, c->in.rdx, &page, sizeof(page), OPERAND_RDX);
	if (status)
		return status;

	cpuid = calloc(1, sizeof(*cpuid));
	if (!cpuid)
		return TDX_OPERAND_BUSY | OPERAND_RCX;
	status = check(s, c, ref->td, &page, &params, cpuid);
	if (!status)
		status = commit(ref->td, &params, cpuid);
	if (status)
		free(cpuid);
	return status;
}

/*
 * UNINIT -> INIT
 *
 * In:  RCX	TDR
 *	RDX	TD_PARAMS
 * Out: RCX	for OPERAND_INVALID|CPUID: leaf, and sub-leaf in the upper half
 */
uint64_t tdh_mng_init(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_EXCLUSIVE, &ref);
	if (status)
		return status;
	status = init(s, c, &ref);
	td_put(&ref);
	return status;
}
