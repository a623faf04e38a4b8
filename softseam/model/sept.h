/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The secure EPT of one TD: GPA -> state and page.
 *
 * Levels count as in the interface: an entry at level 0 maps 4K, at level 1
 * 2M, and so on.  A table stands for an EPT page that the host gave; the entries
 * are the model's own, host memory holds none of them.
 *
 * Locks of the module: the tree (OPERAND_BUSY|SEPT_TREE), shared for walks and
 * changes of one entry, exclusive to block a range or to take a table away; and
 * each entry (OPERAND_BUSY|RCX), exclusive to change it.  Guests take the entry
 * alone: no host can keep them from one page by what it does to another.
 */
#ifndef SOFTSEAM_SEPT_H
#define SOFTSEAM_SEPT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

#define SEPT_NR_ENTRIES		512

enum sept_state {
	SEPT_FREE		= 0x00,
	SEPT_BLOCKED		= 0x01,
	SEPT_PENDING		= 0x02,
	SEPT_PENDING_BLOCKED	= 0x03,
	SEPT_MAPPED		= 0x04,
	SEPT_REMOVED		= 0x05,
	SEPT_BLOCKEDW		= 0x08,
	SEPT_NL_BLOCKED		= 0x81,
	SEPT_NL_MAPPED		= 0x84,
};

#define SEPT_NON_LEAF		0x80

struct sept_table;

struct sept_entry {
	/* Page address | enum sept_state.  Written with @lock exclusive. */
	_Atomic uint64_t word;
	/* Below a non-leaf entry. */
	struct sept_table *table;
	struct trylock lock;
	/* The host found it locked: guests wait until the host had it. */
	atomic_bool host_priority;
};

/* An EPT page. */
struct sept_table {
	struct sept_entry entry[SEPT_NR_ENTRIES];
};

struct sept {
	struct trylock lock;
	/* Level of the entries in the root: 3 or 4. */
	unsigned int root_level;
	/* Private GPAs are below 1 << @gpa_bits. */
	unsigned int gpa_bits;
	struct sept_table *root;

	/*
	 * Keeps tables in place under a guest's walk, which takes no lock of
	 * the tree: readers may use each table and entry that they came to until
	 * they let go of it.  Written only where a table is taken away and freed.
	 * The module has no such lock; it is never held for long, so to wait for
	 * it is not seen by anybody.
	 */
	pthread_rwlock_t guard;
};

/* Where a walk ended. */
struct sept_walk {
	struct sept_entry *entry;
	/* Of @entry. */
	unsigned int level;
	enum sept_state state;
	uint64_t hpa;
};

static inline uint64_t sept_level_bytes(unsigned int level)
{
	return 1ULL << (12 + 9 * level);
}

/* Does an entry in this state map a page? */
static inline bool sept_is_leaf(enum sept_state state)
{
	return state != SEPT_FREE && state != SEPT_REMOVED && !(state & SEPT_NON_LEAF);
}

static inline bool sept_is_blocked(enum sept_state state)
{
	return state == SEPT_BLOCKED || state == SEPT_PENDING_BLOCKED || state == SEPT_NL_BLOCKED;
}

/* Returns false without memory. */
bool sept_init(struct sept *t, unsigned int root_level, unsigned int gpa_bits);
/* Frees tables.  Does nothing to a tree that is all zero. */
void sept_destroy(struct sept *t);

/*
 * Walk towards the entry at @level for private @gpa.  Returns true if it got
 * there; else the walk ended above, at an entry that leads no further.
 * Needs the tree lock or @guard.
 */
bool sept_walk(const struct sept *t, uint64_t gpa, unsigned int level, struct sept_walk *walk);
/* Take an entry's lock for the host, or have guests wait for the next try. */
bool sept_lock_entry(struct sept_entry *entry);
/* Look again at an entry that was walked to, now that it is locked. */
void sept_reload(struct sept_walk *walk);

/* The entry in the architecture's format, and level | state << 8. */
uint64_t sept_arch_entry(const struct sept_walk *walk);
uint64_t sept_info(const struct sept_walk *walk);

/*
 * What a guest's access to private @gpa meets: the leaf entry, or the entry
 * where its walk stopped.  Takes @guard and none of the module's locks.
 */
struct sept_view {
	enum sept_state state;
	unsigned int level;
	/* Start of what the entry covers, and the page or table. */
	uint64_t gpa, hpa;
};

void sept_look(struct sept *t, uint64_t gpa, struct sept_view *view);

/*
 * TDG.MEM.PAGE.ACCEPT of @gpa at @level: PENDING -> MAPPED, zeroed.  Returns the
 * status for the guest, or SEPT_ACCEPT_VIOLATION when the vCPU is to leave the
 * TD with an EPT violation on what is in @walk, but for the entry itself.
 */
#define SEPT_ACCEPT_VIOLATION	(~0ULL)
uint64_t sept_accept(struct sept *t, uint64_t gpa, unsigned int level,
		     struct sept_walk *walk);

/* Change the entry that @walk found.  The caller holds the entry's lock. */
void sept_set(struct sept_walk *walk, uint64_t hpa, enum sept_state state);
/* Link a new, empty table, which changes nothing for guests. */
void sept_link(struct sept_walk *walk, uint64_t hpa, struct sept_table *table);
/* Take an empty table away and free it; the caller holds the tree exclusive. */
void sept_unlink(struct sept *t, struct sept_walk *walk);

struct sept_table *sept_table_new(void);
bool sept_table_is_free(const struct sept_table *table);

#endif
