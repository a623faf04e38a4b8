// SPDX-License-Identifier: GPL-2.0-only
/* TDG.MEM: a TD about its memory. */
#include "gpa.h"
#include "guest_memory.h"
#include "tdcall.h"

#define ACCEPT_MAX_LEVEL	1

/* The host is told which entry is not what the guest expects of it. */
static void leave_to_host(struct guest_ctx *x, uint64_t gpa, unsigned int level,
			  const struct sept_walk *walk)
{
	uint64_t info = level | walk->level << EXT_QUAL_ERR_LEVEL_SHIFT |
			(uint64_t)walk->state << EXT_QUAL_STATE_SHIFT;
	uint64_t access = sept_arch_entry(walk) & EPT_ENTRY_RWX;

	if (sept_is_leaf(walk->state))
		info |= EXT_QUAL_LEAF;
	guest_leave_memory(x, EPT_QUAL_WRITE | access << EPT_QUAL_ENTRY_SHIFT,
			   EXT_QUAL_ACCEPT | info << EXT_QUAL_INFO_SHIFT, gpa);
}

/*
 * Accept a page that the host added: it is zero, and the guest's from now on.
 *
 * In:  RCX	GPA, and level in 2:0
 */
uint64_t tdg_mem_page_accept(struct guest_ctx *x)
{
	uint64_t rcx = x->r->gpr.rcx;
	uint64_t gpa = rcx & GPA_ADDRESS;
	unsigned int level = (unsigned int)(rcx & GPA_LEVEL);
	struct sept_walk walk;
	uint64_t status;

	if (rcx & GPA_RESERVED || level > ACCEPT_MAX_LEVEL ||
	    gpa & (sept_level_bytes(level) - 1) || !gpa_is_private(x->td, gpa))
		return TDX_OPERAND_INVALID | OPERAND_RCX;

	status = sept_accept(&x->td->sept, gpa, level, &walk);
	if (status != SEPT_ACCEPT_VIOLATION)
		return status;
	leave_to_host(x, gpa, level, &walk);
	return TDCALL_AGAIN;
}
