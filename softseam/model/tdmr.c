// SPDX-License-Identifier: GPL-2.0-only
/* TDH.SYS.TDMR.INIT, and which TDMR a page is in. */
#include "leaves.h"
#include "range.h"

struct tdmr *tdmr_find(struct tdmr *tdmr, unsigned int nr, uint64_t pa)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (range_has(tdmr[i].range, pa))
			return &tdmr[i];
	}
	return NULL;
}

bool tdmr_is_reserved(const struct tdmr *tdmr, uint64_t pa)
{
	for (unsigned int i = 0; i < tdmr->nr_reserved; i++) {
		if (range_has(tdmr->reserved[i], pa))
			return true;
	}
	return false;
}

bool tdmr_is_usable(const struct tdmr *tdmr, uint64_t pa)
{
	return pa < (atomic_load(&tdmr->next) & ~(SZ_1G - 1));
}

/* One step of initialisation.  Returns the next address. */
static uint64_t advance(struct tdmr *t, uint64_t step)
{
	uint64_t next = atomic_load(&t->next);
	uint64_t left = range_end(t->range) - next;

	next += step && step < left ? step : left;
	atomic_store(&t->next, next);
	return next;
}

/*
 * In:  RCX	base of a TDMR
 * Out: RDX	next address to be initialised, 1G-rounded down
 */
uint64_t tdh_sys_tdmr_init(struct seam *s, struct call *c)
{
	uint64_t base = c->in.rcx;
	uint64_t status = TDX_SUCCESS;
	struct tdmr *t = tdmr_find(s->tdmr, atomic_load(&s->nr_tdmrs), base);

	if (!t || t->range.base != base)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (!lock_try_exclusive(&t->lock))
		return TDX_OPERAND_BUSY | OPERAND_RCX;

	if (atomic_load(&t->next) == range_end(t->range))
		status = TDX_TDMR_ALREADY_INITIALIZED;
	else
		c->out.rdx = advance(t, s->cfg.tdmr_init_step) & ~(SZ_1G - 1);

	lock_release(&t->lock, LOCK_EXCLUSIVE);
	return status;
}
