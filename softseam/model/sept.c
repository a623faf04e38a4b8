// SPDX-License-Identifier: GPL-2.0-only
/* The tree of the secure EPT. */
#include <stdlib.h>

#include "range.h"
#include "sept.h"

#define WORD_STATE	(SZ_4K - 1)

/* An entry as the architecture has it. */
#define EPT_RWX			0x7ULL
#define EPT_MEMTYPE_WB		(6ULL << 3)
#define EPT_IGNORE_PAT		(1ULL << 6)
#define EPT_LARGE_PAGE		(1ULL << 7)
#define EPT_SUPPRESS_VE		(1ULL << 63)

bool sept_init(struct sept *t, unsigned int root_level, unsigned int gpa_bits)
{
	t->root = sept_table_new();
	if (!t->root)
		return false;
	t->root_level = root_level;
	t->gpa_bits = gpa_bits;
	pthread_rwlock_init(&t->guard, NULL);
	return true;
}

struct sept_table *sept_table_new(void)
{
	return calloc(1, sizeof(struct sept_table));
}

bool sept_table_is_free(const struct sept_table *table)
{
	for (unsigned int i = 0; i < SEPT_NR_ENTRIES; i++) {
		if (atomic_load(&table->entry[i].word) != SEPT_FREE)
			return false;
	}
	return true;
}

static void free_tables(struct sept_table *table)
{
	for (unsigned int i = 0; i < SEPT_NR_ENTRIES; i++) {
		if (table->entry[i].table)
			free_tables(table->entry[i].table);
	}
	free(table);
}

void sept_destroy(struct sept *t)
{
	if (!t->root)
		return;
	free_tables(t->root);
	pthread_rwlock_destroy(&t->guard);
	t->root = NULL;
}

bool sept_lock_entry(struct sept_entry *entry)
{
	bool locked = lock_try_exclusive(&entry->lock);

	atomic_store(&entry->host_priority, !locked);
	return locked;
}

void sept_reload(struct sept_walk *walk)
{
	uint64_t word = atomic_load(&walk->entry->word);

	walk->state = (enum sept_state)(word & WORD_STATE);
	walk->hpa = word & ~WORD_STATE;
}

bool sept_walk(const struct sept *t, uint64_t gpa, unsigned int level, struct sept_walk *walk)
{
	struct sept_table *table = t->root;

	for (walk->level = t->root_level;; walk->level--) {
		unsigned int i = gpa / sept_level_bytes(walk->level) % SEPT_NR_ENTRIES;

		walk->entry = &table->entry[i];
		sept_reload(walk);
		if (walk->level == level)
			return true;
		if (walk->state != SEPT_NL_MAPPED)
			return false;
		table = walk->entry->table;
	}
}

uint64_t sept_arch_entry(const struct sept_walk *walk)
{
	uint64_t entry = walk->hpa;

	if (walk->state == SEPT_FREE || walk->state == SEPT_REMOVED)
		return EPT_SUPPRESS_VE;
	if (walk->state == SEPT_MAPPED || walk->state == SEPT_NL_MAPPED)
		entry |= EPT_RWX;
	if (walk->state == SEPT_BLOCKEDW)
		entry |= EPT_RWX & ~2ULL;
	if (!(walk->state & SEPT_NON_LEAF)) {
		entry |= EPT_MEMTYPE_WB | EPT_IGNORE_PAT | EPT_SUPPRESS_VE;
		if (walk->level)
			entry |= EPT_LARGE_PAGE;
	}
	return entry;
}

uint64_t sept_info(const struct sept_walk *walk)
{
	return walk->level | (uint64_t)walk->state << 8;
}

void sept_set(struct sept_walk *walk, uint64_t hpa, enum sept_state state)
{
	atomic_store(&walk->entry->word, hpa | state);
}

/* An empty table changes nothing for a guest. */
void sept_link(struct sept_walk *walk, uint64_t hpa, struct sept_table *table)
{
	walk->entry->table = table;
	atomic_store(&walk->entry->word, hpa | SEPT_NL_MAPPED);
}

void sept_unlink(struct sept *t, struct sept_walk *walk)
{
	struct sept_table *table;

	pthread_rwlock_wrlock(&t->guard);
	table = walk->entry->table;
	walk->entry->table = NULL;
	atomic_store(&walk->entry->word, SEPT_FREE);
	pthread_rwlock_unlock(&t->guard);
	free(table);
}

