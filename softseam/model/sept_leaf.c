// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MEM.SEPT.ADD and TDH.MEM.SEPT.REMOVE */
#include "gpa.h"
#include "leaves.h"
#include "own.h"
#include "td.h"
#include "track.h"

/* RDX of SEPT.ADD: TDR, and a flag: a table that is there already is no error. */
#define ALLOW_EXISTING		1ULL
#define RDX_RESERVED		0xFFF0000000000FFEULL

static uint64_t add_table(struct seam *s, struct call *c, struct td *td, struct gpa_ref *gpa)
{
	struct sept_table *table;
	struct pamt_walk page;
	uint64_t status;

	status = own_check_free(s, c, c->in.r8, PS_4K, OPERAND_R8, &page);
	if (status)
		return status;

	table = sept_table_new();
	if (table) {
		own_take(s, c, &page, c->in.r8, PT_EPT, td, (struct page_info){ .object = table });
		sept_link(&gpa->walk, c->in.r8, table);
	} else {
		status = TDX_OPERAND_BUSY | OPERAND_R8;
	}
	pamt_unwalk(&page);
	return status;
}

static uint64_t sept_add(struct seam *s, struct call *c, struct td_ref *ref)
{
	struct td *td = ref->td;
	struct gpa_ref gpa;
	uint64_t status = td_check(ref, OP_ANY_INIT);

	if (!status)
		status = gpa_get(td, c, 1, td->sept.root_level, LOCK_SHARED, &gpa);
	if (status)
		return status;

	if (gpa.walk.state == SEPT_FREE)
		status = add_table(s, c, td, &gpa);
	else if (gpa.walk.state != SEPT_NL_MAPPED || !(c->in.rdx & ALLOW_EXISTING))
		status = gpa_error(c, &gpa, TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX);
	gpa_put(&gpa);
	return status;
}

/*
 * A page becomes a table of the secure EPT.
 *
 * In:  RCX	GPA and level of the entry for it
 *	RDX	TDR and flag
 *	R8	page
 * Out: RCX	on an EPT error: the entry
 *	RDX	its level and state
 */
uint64_t tdh_mem_sept_add(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	if (c->in.rdx & RDX_RESERVED)
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	status = td_get(s, c, c->in.rdx & ~ALLOW_EXISTING, OPERAND_RDX, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = sept_add(s, c, &ref);
	td_put(&ref);
	return status;
}

/* In a TD that may run, no vCPU may still walk through the table. */
static uint64_t check_unused(struct call *c, const struct td *td, const struct gpa_ref *gpa,
			     const struct pamt_entry *page)
{
	if (atomic_load(&td->op_state) == OP_RUNNABLE) {
		if (!sept_is_blocked(gpa->walk.state))
			return gpa_error(c, gpa, TDX_GPA_RANGE_NOT_BLOCKED | OPERAND_RCX);
		if (!track_done(td, atomic_load(&page->bepoch)))
			return TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX;
	}
	if (!sept_table_is_free(gpa->walk.entry->table))
		return gpa_error(c, gpa, TDX_EPT_PAGE_NOT_FREE | OPERAND_RCX);
	return TDX_SUCCESS;
}

static uint64_t remove_table(struct seam *s, struct call *c, struct td *td, struct gpa_ref *gpa)
{
	uint64_t pa = gpa->walk.hpa;
	struct pamt_entry *page = pamt_entry(&s->pamt, pa, PS_4K);
	uint64_t status;

	if (!lock_try_exclusive(&page->lock))
		return TDX_OPERAND_BUSY | OPERAND_RCX;
	status = check_unused(c, td, gpa, page);
	if (!status) {
		sept_unlink(&td->sept, &gpa->walk);
		own_give_back(s, c, page, pa, PS_4K, td);
		c->out.rcx = pa;
	}
	lock_release(&page->lock, LOCK_EXCLUSIVE);
	return status;
}

static uint64_t sept_remove(struct seam *s, struct call *c, struct td_ref *ref)
{
	struct td *td = ref->td;
	struct gpa_ref gpa;
	uint64_t status = td_check(ref, OP_ANY_INIT);

	if (!status)
		status = gpa_get(td, c, 1, td->sept.root_level, LOCK_EXCLUSIVE, &gpa);
	if (status)
		return status;

	if (gpa.walk.state & SEPT_NON_LEAF)
		status = remove_table(s, c, td, &gpa);
	else
		status = gpa_error(c, &gpa, TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX);
	gpa_put(&gpa);
	return status;
}

/*
 * The host gets the page of an empty table back.
 *
 * In:  RCX	GPA and level of the table's entry
 *	RDX	TDR
 * Out: RCX	page, or the entry on an EPT error
 *	RDX	its level and state on an EPT error
 */
uint64_t tdh_mem_sept_remove(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = sept_remove(s, c, &ref);
	td_put(&ref);
	return status;
}
