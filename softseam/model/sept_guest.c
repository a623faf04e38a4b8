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

/* What the guest can use already. */
static bool is_accepted(enum sept_state state)
{
	return state == SEPT_MAPPED || state == SEPT_BLOCKEDW;
}

/* The walk ended above the level asked for: a larger page, or nothing. */
static uint64_t accept_above(const struct sept_walk *walk)
{
	if (is_accepted(walk->state))
		return TDX_PAGE_ALREADY_ACCEPTED | walk->level;
	return SEPT_ACCEPT_VIOLATION;
}

/* The contents of a pending page are zero already. */
static uint64_t accept_entry(struct sept_walk *walk)
{
	if (walk->state & SEPT_NON_LEAF)
		return TDX_PAGE_SIZE_MISMATCH | walk->level;
	if (is_accepted(walk->state))
		return TDX_PAGE_ALREADY_ACCEPTED | walk->level;
	if (walk->state != SEPT_PENDING)
		return SEPT_ACCEPT_VIOLATION;
	sept_set(walk, walk->hpa, SEPT_MAPPED);
	return TDX_SUCCESS;
}

static uint64_t lock_and_accept(struct sept_walk *walk)
{
	struct sept_entry *entry = walk->entry;
	uint64_t status;

	if (!lock_try_exclusive(&entry->lock))
		return TDX_OPERAND_BUSY | OPERAND_RCX;
	if (atomic_load(&entry->host_priority)) {
		status = TDX_OPERAND_BUSY_HOST_PRIORITY | OPERAND_RCX;
	} else {
		sept_reload(walk);
		status = accept_entry(walk);
	}
	lock_release(&entry->lock, LOCK_EXCLUSIVE);
	return status;
}

/*
 * The host may block, add and remove entries all the while, other than the one
 * that is locked here.  What was walked through may be blocked by then, as with
 * any access that began before: the host tracks TLBs until such have ended.  A
 * table cannot be freed, though, before @guard is let go of.
 */
uint64_t sept_accept(struct sept *t, uint64_t gpa, unsigned int level, struct sept_walk *walk)
{
	uint64_t status;

	pthread_rwlock_rdlock(&t->guard);
	status = sept_walk(t, gpa, level, walk) ? lock_and_accept(walk) : accept_above(walk);
	pthread_rwlock_unlock(&t->guard);
	return status;
}
