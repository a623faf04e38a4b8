// SPDX-License-Identifier: GPL-2.0-only
/* GPA and level. */
#include "gpa.h"

bool gpa_is_private(const struct td *td, uint64_t gpa)
{
	return !(gpa >> td->sept.gpa_bits);
}

uint64_t gpa_error(struct call *c, const struct gpa_ref *ref, uint64_t status)
{
	c->out.rcx = sept_arch_entry(&ref->walk);
	c->out.rdx = sept_info(&ref->walk);
	return status;
}

static uint64_t parse(const struct td *td, const struct call *c, unsigned int min,
		      unsigned int max, struct gpa_ref *ref)
{
	unsigned int level = (unsigned int)(c->in.rcx & GPA_LEVEL);

	*ref = (struct gpa_ref){ .gpa = c->in.rcx & GPA_ADDRESS };
	if (c->in.rcx & GPA_RESERVED || level < min || level > max ||
	    ref->gpa & (sept_level_bytes(level) - 1) || !gpa_is_private(td, ref->gpa))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	return TDX_SUCCESS;
}

static uint64_t walk(struct td *td, struct call *c, struct gpa_ref *ref)
{
	ref->sept = &td->sept;
	if (!sept_walk(ref->sept, ref->gpa, (unsigned int)(c->in.rcx & GPA_LEVEL), &ref->walk))
		return gpa_error(c, ref, TDX_EPT_WALK_FAILED | OPERAND_RCX);
	return TDX_SUCCESS;
}

uint64_t gpa_get_unlocked(struct td *td, struct call *c, unsigned int min, unsigned int max,
			  struct gpa_ref *ref)
{
	uint64_t status = parse(td, c, min, max, ref);

	return status ? status : walk(td, c, ref);
}

static uint64_t lock_and_walk(struct td *td, struct call *c, struct gpa_ref *ref)
{
	uint64_t status;

	ref->tree_locked = lock_try(&td->sept.lock, ref->mode);
	if (!ref->tree_locked)
		return TDX_OPERAND_BUSY | OPERAND_SEPT_TREE;

	status = walk(td, c, ref);
	if (status)
		return status;
	ref->entry_locked = sept_lock_entry(ref->walk.entry);
	if (!ref->entry_locked)
		return gpa_error(c, ref, TDX_OPERAND_BUSY | OPERAND_RCX);
	sept_reload(&ref->walk);
	return TDX_SUCCESS;
}

uint64_t gpa_get(struct td *td, struct call *c, unsigned int min, unsigned int max,
		 enum lock_mode mode, struct gpa_ref *ref)
{
	uint64_t status = parse(td, c, min, max, ref);

	if (status)
		return status;
	ref->sept = &td->sept;
	ref->mode = mode;
	status = lock_and_walk(td, c, ref);
	if (status)
		gpa_put(ref);
	return status;
}

void gpa_put(struct gpa_ref *ref)
{
	if (ref->entry_locked)
		lock_release(&ref->walk.entry->lock, LOCK_EXCLUSIVE);
	if (ref->tree_locked)
		lock_release(&ref->sept->lock, ref->mode);
}
