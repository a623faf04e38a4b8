// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MEM.PAGE: private pages of a TD. */
#include "gpa.h"
#include "leaves.h"
#include "mr.h"
#include "operand.h"
#include "own.h"
#include "pamt_dynamic.h"
#include "plain.h"
#include "range.h"
#include "td.h"
#include "track.h"

#define MAX_REMOVE_LEVEL	2

static void add_page(struct seam *s, struct call *c, struct td *td, struct gpa_ref *gpa,
		     struct pamt_walk *page)
{
	operand_read(s, c, c->in.r9, plain_at(s, c->in.r8), SZ_4K, OPERAND_R9);
	plain_written(s, c->cpu, c->in.r8, SZ_4K);
	own_take(s, c, page, c->in.r8, PT_REG, td, (struct page_info){ .gpa = gpa->gpa });
	mr_page_add(td, gpa->gpa);
	sept_set(&gpa->walk, c->in.r8, SEPT_MAPPED);
}

static uint64_t page_add(struct seam *s, struct call *c, struct td_ref *ref)
{
	struct pamt_walk page;
	struct gpa_ref gpa;
	uint64_t status = td_check(ref, OP_BIT(OP_INIT));

	if (!status)
		status = gpa_get_unlocked(ref->td, c, 0, 0, &gpa);
	if (status)
		return status;
	if (gpa.walk.state != SEPT_FREE)
		return gpa_error(c, &gpa, TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX);

	status = operand_shared(s, c->in.r9, SZ_4K, OPERAND_R9);
	if (!status)
		status = operand_ram(s, c, pa_without_hkid(s, c->in.r9), SZ_4K, "reads",
				     OPERAND_R9);
	if (!status)
		status = own_check_free(s, c, c->in.r8, PS_4K, OPERAND_R8, &page);
	if (status)
		return status;
	add_page(s, c, ref->td, &gpa, &page);
	pamt_unwalk(&page);
	return TDX_SUCCESS;
}

/*
 * A page becomes private memory, with contents that are part of MRTD.
 *
 * In:  RCX	GPA and level 0
 *	RDX	TDR
 *	R8	page
 *	R9	source of the contents
 * Out: RCX	on an EPT error: the entry
 *	RDX	its level and state
 */
uint64_t tdh_mem_page_add(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_EXCLUSIVE, &ref);
	if (status)
		return status;
	status = page_add(s, c, &ref);
	td_put(&ref);
	return status;
}

static uint64_t aug_page(struct seam *s, struct call *c, struct td *td, struct gpa_ref *gpa)
{
	struct pamt_walk page;
	uint64_t status;

	status = own_check_free(s, c, c->in.r8, (enum page_size)gpa->walk.level, OPERAND_R8, &page);
	if (status)
		return status;

	own_take(s, c, &page, c->in.r8, PT_REG, td, (struct page_info){ .gpa = gpa->gpa });
	sept_set(&gpa->walk, c->in.r8, SEPT_PENDING);
	pamt_unwalk(&page);
	return TDX_SUCCESS;
}

static uint64_t page_aug(struct seam *s, struct call *c, struct td_ref *ref)
{
	struct gpa_ref gpa;
	uint64_t status = td_check(ref, OP_ANY_INIT);

	if (!status)
		status = gpa_get(ref->td, c, 0, 1, LOCK_SHARED, &gpa);
	if (status)
		return status;

	if (gpa.walk.state == SEPT_FREE)
		status = aug_page(s, c, ref->td, &gpa);
	else
		status = gpa_error(c, &gpa, TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX);
	gpa_put(&gpa);
	return status;
}

/*
 * A page becomes private memory once the TD accepts it.
 *
 * In:  RCX	GPA and level
 *	RDX	TDR
 *	R8	page
 * Out: RCX	on an EPT error: the entry
 *	RDX	its level and state
 */
uint64_t tdh_mem_page_aug(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = page_aug(s, c, &ref);
	td_put(&ref);
	return status;
}

/* In a TD that may run, no vCPU may still have a translation. */
static uint64_t check_unused(struct call *c, const struct td *td, const struct gpa_ref *gpa,
			     const struct pamt_entry *page)
{
	if (atomic_load(&td->op_state) != OP_RUNNABLE)
		return TDX_SUCCESS;
	if (!sept_is_blocked(gpa->walk.state))
		return gpa_error(c, gpa, TDX_GPA_RANGE_NOT_BLOCKED | OPERAND_RCX);
	if (!track_done(td, atomic_load(&page->bepoch)))
		return TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX;
	return TDX_SUCCESS;
}

static uint64_t remove_page(struct seam *s, struct call *c, struct td *td, struct gpa_ref *gpa)
{
	enum page_size size = (enum page_size)gpa->walk.level;
	uint64_t pa = gpa->walk.hpa;
	struct pamt_entry *page = pamt_entry(&s->pamt, pa, size);
	uint64_t status;
	bool last;

	if (!lock_try_exclusive(&page->lock))
		return TDX_OPERAND_BUSY | OPERAND_RCX;
	status = check_unused(c, td, gpa, page);
	if (!status) {
		sept_set(&gpa->walk, 0, SEPT_FREE);
		last = own_give_back(s, c, page, pa, size, td);
		c->out.rcx = pa | pamt_removal_hint(s, last);
	}
	lock_release(&page->lock, LOCK_EXCLUSIVE);
	return status;
}

static uint64_t page_remove(struct seam *s, struct call *c, struct td_ref *ref)
{
	struct gpa_ref gpa;
	uint64_t status = td_check(ref, OP_ANY_INIT);

	if (!status)
		status = gpa_get(ref->td, c, 0, MAX_REMOVE_LEVEL, LOCK_SHARED, &gpa);
	if (status)
		return status;

	if (sept_is_leaf(gpa.walk.state))
		status = remove_page(s, c, ref->td, &gpa);
	else
		status = gpa_error(c, &gpa, TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX);
	gpa_put(&gpa);
	return status;
}

/*
 * The host gets a private page back.
 *
 * In:  RCX	GPA and level
 *	RDX	TDR
 * Out: RCX	page and Dynamic PAMT's hint, or the entry on an EPT error
 *	RDX	its level and state on an EPT error
 */
uint64_t tdh_mem_page_remove(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = page_remove(s, c, &ref);
	td_put(&ref);
	return status;
}
