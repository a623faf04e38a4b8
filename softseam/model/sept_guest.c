// SPDX-License-Identifier: GPL-2.0-only
/* The secure EPT as guests and those who run them see it. */
#include "sept.h"
#include "status.h"

void sept_look(struct sept *t, uint64_t gpa, struct sept_view *view)
{
	struct sept_walk walk;

	pthread_rwlock_rdlock(&t->guard);
	sept_walk(t, gpa, 0, &walk);
	pthread_rwlock_unlock(&t->guard);

	*view = (struct sept_view){
		.state = walk.state,
		.level = walk.level,
		.gpa = gpa & ~(sept_level_bytes(walk.level) - 1),
		.hpa = walk.hpa,
	};
}

/* What ACCEPT says where the walk ended above the level asked for. */
static uint64_t accept_larger(const struct sept_walk *walk)
{
	if (walk->state == SEPT_MAPPED)
		return TDX_PAGE_ALREADY_ACCEPTED | walk->level;
	if (walk->state == SEPT_PENDING)
		return TDX_PAGE_SIZE_MISMATCH | walk->level;
	return SEPT_ACCEPT_VIOLATION;
}

/* The contents of a pending page are zero already. */
static uint64_t accept_entry(struct sept_walk *walk)
{
	switch (walk->state) {
	case SEPT_PENDING:
		sept_set(walk, walk->hpa, SEPT_MAPPED);
		return TDX_SUCCESS;
	case SEPT_MAPPED:
		return TDX_PAGE_ALREADY_ACCEPTED | walk->level;
	case SEPT_NL_MAPPED:
		return TDX_PAGE_SIZE_MISMATCH | walk->level;
	default:
		return SEPT_ACCEPT_VIOLATION;
	}
}

uint64_t sept_accept(struct sept *t, uint64_t gpa, unsigned int level, struct sept_walk *walk)
{
	uint64_t status;

	if (!lock_try_shared(&t->lock))
		return TDX_OPERAND_BUSY | OPERAND_SEPT_TREE;

	if (!sept_walk(t, gpa, level, walk)) {
		status = accept_larger(walk);
	} else if (!lock_try_exclusive(&walk->entry->lock)) {
		status = TDX_OPERAND_BUSY | OPERAND_RCX;
	} else {
		sept_reload(walk);
		status = accept_entry(walk);
		lock_release(&walk->entry->lock, LOCK_EXCLUSIVE);
	}

	lock_release(&t->lock, LOCK_SHARED);
	return status;
}
