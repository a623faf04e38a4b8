// SPDX-License-Identifier: GPL-2.0-only
/* TDH.PHYMEM: physical pages and caches. */
#include "leaves.h"
#include "operand.h"

static bool has_bepoch(enum page_type type)
{
	return type == PT_REG || type == PT_EPT;
}

/*
 * In:  RCX	page
 * Out: RCX	page type
 *	RDX	physical address of the owner's TDR
 *	R8	page size
 *	R9	epoch in which the page was blocked
 */
uint64_t tdh_phymem_page_rdmd(struct seam *s, struct call *c)
{
	struct pamt_walk walk;
	uint64_t status;

	status = operand_page(s, c->in.rcx, OPERAND_RCX, LOCK_SHARED, &walk);
	if (status)
		return status;

	c->out.rcx = walk.type;
	c->out.r8 = walk.size;
	if (walk.entry) {
		c->out.rdx = pamt_owner(walk.entry);
		c->out.r9 = has_bepoch(walk.type) ? walk.entry->bepoch : 0;
	}

	pamt_unwalk(&walk);
	return TDX_SUCCESS;
}
