// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MEM.RANGE.BLOCK, TDH.MEM.RANGE.UNBLOCK and TDH.MEM.TRACK */
#include "gpa.h"
#include "leaves.h"
#include "td.h"
#include "track.h"

static bool blocked_state(enum sept_state state, enum sept_state *blocked)
{
	switch (state) {
	case SEPT_MAPPED:
	case SEPT_BLOCKEDW:
		*blocked = SEPT_BLOCKED;
		return true;
	case SEPT_PENDING:
		*blocked = SEPT_PENDING_BLOCKED;
		return true;
	case SEPT_NL_MAPPED:
		*blocked = SEPT_NL_BLOCKED;
		return true;
	default:
		return false;
	}
}

static bool unblocked_state(enum sept_state state, enum sept_state *unblocked)
{
	switch (state) {
	case SEPT_BLOCKED:
		*unblocked = SEPT_MAPPED;
		return true;
	case SEPT_PENDING_BLOCKED:
		*unblocked = SEPT_PENDING;
		return true;
	case SEPT_NL_BLOCKED:
		*unblocked = SEPT_NL_MAPPED;
		return true;
	default:
		return false;
	}
}

/* Of the page or table that an entry leads to. */
static struct pamt_entry *page_of(struct seam *s, const struct sept_walk *walk)
{
	enum page_size size = sept_is_leaf(walk->state) ? (enum page_size)walk->level : PS_4K;

	return pamt_entry(&s->pamt, walk->hpa, size);
}

/* The epoch is read after the entry is blocked: later entries do not use it. */
static uint64_t block(struct seam *s, struct call *c, struct td *td, struct gpa_ref *gpa)
{
	enum sept_state state;

	if (sept_is_blocked(gpa->walk.state))
		return gpa_error(c, gpa, TDX_GPA_RANGE_ALREADY_BLOCKED | OPERAND_RCX);
	if (!blocked_state(gpa->walk.state, &state))
		return gpa_error(c, gpa, TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX);

	sept_set(&gpa->walk, gpa->walk.hpa, state);
	atomic_store(&page_of(s, &gpa->walk)->bepoch, atomic_load(&td->epoch.epoch));
	return TDX_SUCCESS;
}

static uint64_t unblock(struct seam *s, struct call *c, struct td *td, struct gpa_ref *gpa)
{
	enum sept_state state;

	if (!unblocked_state(gpa->walk.state, &state))
		return gpa_error(c, gpa, TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX);
	if (atomic_load(&td->op_state) == OP_RUNNABLE &&
	    !track_done(td, atomic_load(&page_of(s, &gpa->walk)->bepoch)))
		return TDX_TLB_TRACKING_NOT_DONE | OPERAND_RCX;

	sept_set(&gpa->walk, gpa->walk.hpa, state);
	return TDX_SUCCESS;
}

typedef uint64_t (*change_fn)(struct seam *s, struct call *c, struct td *td,
			      struct gpa_ref *gpa);

static uint64_t change_range(struct seam *s, struct call *c, change_fn change)
{
	struct gpa_ref gpa;
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = td_check(&ref, OP_ANY_INIT);
	if (!status)
		status = gpa_get(ref.td, c, 0, ref.td->sept.root_level, LOCK_EXCLUSIVE, &gpa);
	if (!status) {
		status = change(s, c, ref.td, &gpa);
		gpa_put(&gpa);
	}
	td_put(&ref);
	return status;
}

/*
 * A page, or all below a table: no new translations.
 *
 * In:  RCX	GPA and level
 *	RDX	TDR
 * Out: RCX	on an EPT error: the entry
 *	RDX	its level and state
 */
uint64_t tdh_mem_range_block(struct seam *s, struct call *c)
{
	return change_range(s, c, block);
}

/* The way back, with the same operands. */
uint64_t tdh_mem_range_unblock(struct seam *s, struct call *c)
{
	return change_range(s, c, unblock);
}

/*
 * A new TLB tracking epoch.
 *
 * In: RCX	TDR
 */
uint64_t tdh_mem_track(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_SHARED, &ref);
	if (status)
		return status;
	status = td_check(&ref, OP_ANY_INIT);
	if (!status)
		status = track_next(ref.td);
	td_put(&ref);
	return status;
}
