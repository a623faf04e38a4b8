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
	if (sept_is_leaf(walk.state))
		view->plain = sept_plain(t, view->gpa);
}

/* A run of accessible memory that may still grow. */
struct run {
	sept_run_fn fn;
	void *opaque;
	uint64_t gpa, size;
	char *plain;
};

static void flush_run(struct run *run)
{
	if (run->size)
		run->fn(run->opaque, run->gpa, run->size, run->plain);
	run->size = 0;
}

static void add_to_run(struct run *run, uint64_t gpa, uint64_t size, void *plain)
{
	bool joins = run->size && gpa == run->gpa + run->size &&
		     (char *)plain == run->plain + run->size;

	if (!joins) {
		flush_run(run);
		run->gpa = gpa;
		run->plain = plain;
	}
	run->size += size;
}

static void visit(struct sept *t, struct sept_table *table, unsigned int level, uint64_t gpa,
		  struct run *run)
{
	for (unsigned int i = 0; i < SEPT_NR_ENTRIES; i++, gpa += sept_level_bytes(level)) {
		struct sept_walk walk = { .entry = &table->entry[i], .level = level };

		sept_reload(&walk);
		if (walk.state == SEPT_NL_MAPPED)
			visit(t, walk.entry->table, level - 1, gpa, run);
		else if (walk.state == SEPT_MAPPED)
			add_to_run(run, gpa, sept_level_bytes(level), sept_plain(t, gpa));
	}
}

void sept_for_each_run(struct sept *t, sept_run_fn fn, void *opaque)
{
	struct run run = { .fn = fn, .opaque = opaque };

	pthread_rwlock_rdlock(&t->guard);
	visit(t, t->root, t->root_level, 0, &run);
	flush_run(&run);
	pthread_rwlock_unlock(&t->guard);
}

void sept_listen(struct sept *t, struct sept_listener *l)
{
	pthread_mutex_lock(&t->mutex);
	l->next = t->listeners;
	t->listeners = l;
	pthread_mutex_unlock(&t->mutex);
}

void sept_unlisten(struct sept *t, struct sept_listener *l)
{
	struct sept_listener **at;

	pthread_mutex_lock(&t->mutex);
	for (at = &t->listeners; *at; at = &(*at)->next) {
		if (*at == l) {
			*at = l->next;
			break;
		}
	}
	pthread_mutex_unlock(&t->mutex);
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

/* Plaintext of a pending page is zero already. */
static uint64_t accept_entry(struct sept *t, uint64_t gpa, struct sept_walk *walk)
{
	switch (walk->state) {
	case SEPT_PENDING:
		sept_set(t, gpa, walk, walk->hpa, SEPT_MAPPED);
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
		status = accept_entry(t, gpa, walk);
		lock_release(&walk->entry->lock, LOCK_EXCLUSIVE);
	}

	lock_release(&t->lock, LOCK_SHARED);
	return status;
}
