// SPDX-License-Identifier: GPL-2.0-only
/* TDH.SYS: the life of the module, from SYS.INIT to SYS.DISABLE. */
#include "field_id.h"
#include "leaves.h"
#include "metadata.h"

/*
 * PENDING -> SYSINIT_DONE
 *
 * In: RCX	attributes, 0
 */
uint64_t tdh_sys_init(struct seam *s, struct call *c)
{
	struct platform sample = { 0 };
	struct cmr_table cmrs;
	uint64_t status;

	if (c->in.rcx)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (atomic_load(&s->sys_state) != SYS_PENDING)
		return TDX_SYS_INIT_NOT_PENDING;

	status = platform_sample(s, c->cpu, &sample);
	if (status)
		return status;
	if (!cmr_table_fill(&cmrs, s->cfg.cmr, s->cfg.nr_cmrs, s->cfg.hpa_bits))
		return TDX_CMR_LIST_INVALID;

	s->platform = sample;
	s->cmrs = cmrs;
	atomic_store(&s->sys_state, SYS_SYSINIT_DONE);
	return TDX_SUCCESS;
}

/* Once on each LP. */
uint64_t tdh_sys_lp_init(struct seam *s, struct call *c)
{
	struct lp *lp = &s->lp[c->cpu];
	uint64_t status;

	if (atomic_load(&s->sys_state) != SYS_SYSINIT_DONE)
		return TDX_SYS_LP_INIT_NOT_PENDING;
	if (lp->init_done)
		return TDX_SYS_LP_INIT_DONE;

	status = platform_compare(s, c->cpu);
	if (status)
		return status;

	lp->init_done = true;
	s->nr_lps_init++;
	return TDX_SUCCESS;
}

/*
 * In:  RDX	field id, all ones for the first
 * Out: RDX	id of the next field, all ones behind the last
 *	R8	value
 */
uint64_t tdh_sys_rd(struct seam *s, struct call *c)
{
	c->out.rdx = FIELD_NULL;
	return metadata_read(s, c->in.rdx, &c->out.r8, &c->out.rdx);
}

/* The host has to write back all caches between SYS.CONFIG and this. */
static void check_caches_clean(struct seam *s, struct call *c)
{
	if (!s->machine.reports_wbinvd)
		return;

	for (unsigned int cpu = 0; cpu < s->cfg.nr_cpus; cpu++) {
		if (atomic_load(&s->lp[cpu].caches_clean))
			continue;
		violation(s, c->cpu, RULE_NO_WBINVD, VIOLATION_NO_PA,
			  "%s on CPU %u before WBINVD on CPU %u: its caches may hold lines of PAMT memory",
			  c->leaf->name, c->cpu, cpu);
		return;
	}
}

/* Once on a CPU of each package; the last one makes the system READY. */
uint64_t tdh_sys_key_config(struct seam *s, struct call *c)
{
	uint32_t package = 1U << s->cfg.package[c->cpu];
	uint32_t all = (1U << s->cfg.nr_packages) - 1;
	uint64_t status = TDX_SUCCESS;

	if (atomic_load(&s->sys_state) != SYS_SYSCONFIG_DONE)
		return TDX_SYS_KEY_CONFIG_NOT_PENDING;
	if (atomic_load(&s->ket.global_key) & package)
		return TDX_KEY_CONFIGURED;
	if (!lock_try_exclusive(&s->ket.lock))
		return TDX_OPERAND_BUSY | OPERAND_KET;

	/* Another CPU of the package may have been faster. */
	if (atomic_load(&s->ket.global_key) & package) {
		status = TDX_KEY_CONFIGURED;
	} else {
		check_caches_clean(s, c);
		if ((atomic_fetch_or(&s->ket.global_key, package) | package) == all)
			atomic_store(&s->sys_state, SYS_READY);
	}

	lock_release(&s->ket.lock, LOCK_EXCLUSIVE);
	return status;
}

/* Any state -> SHUTDOWN */
uint64_t tdh_sys_disable(struct seam *s, struct call *c)
{
	(void)c;
	atomic_store(&s->disable_pending, false);
	atomic_store(&s->sys_state, SYS_SHUTDOWN);
	return TDX_SUCCESS;
}
