/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The secure EPT of one TD: GPA -> state, page, plaintext.
 *
 * Levels count as in the interface: an entry at level 0 maps 4K, at level 1
 * 2M, and so on.  A table is keyed by the EPT page that the host gave for it;
 * the entries are the model's own, host memory holds none of them.
 *
 * Locks of the module: the tree (OPERAND_BUSY|SEPT_TREE), shared for walks and
 * changes of one entry, exclusive to block a range or to take a table away; and
 * each entry (OPERAND_BUSY|RCX), exclusive to change it.
 *
 * The contents of private pages are kept aside from host memory.  They lie in
 * GPA order: neighbours by GPA within 1G are neighbours in the plaintext too,
 * and a page's pointer stays the same for the life of the TD.
 */
#ifndef SOFTSEAM_SEPT_H
#define SOFTSEAM_SEPT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lock.h"

#define SEPT_NR_ENTRIES		512
#define SEPT_MAX_LEVEL		4

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

struct sept_table;

struct sept_entry {
	/* Page address | enum sept_state.  Written with @lock exclusive. */
	_Atomic uint64_t word;
	/* Below a non-leaf entry. */
	struct sept_table *table;
	struct trylock lock;
};

/* Told of changes to what a guest may access; see sept_listen(). */
struct sept_listener {
	/*
	 * The 4K << 9 * @level bytes at @gpa became accessible or stopped being
	 * so.  Runs on the thread of the host's call, under locks: only take
	 * a note here.
	 */
	void (*changed)(struct sept_listener *l, uint64_t gpa, unsigned int level,
			bool accessible);
	struct sept_listener *next;
};

/* A GiB of plaintext. */
struct sept_chunk;

struct sept {
	struct trylock lock;
	/* Level of the entries in the root: 3 or 4. */
	unsigned int root_level;
	/* First GPA bit that is not private: the shared bit. */
	unsigned int shared_bit;
	struct sept_table *root;

	/*
	 * Keeps tables in place under a guest's page walk, which takes none of
	 * the module's locks.  Written only where a table is taken away.
	 */
	pthread_rwlock_t guard;

	/* Goes up with each change that listeners are told of. */
	_Atomic uint64_t generation;
	pthread_mutex_t mutex;
	/* Under @mutex. */
	struct sept_listener *listeners;
	struct sept_chunk *chunks;
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

/* Can a guest get at memory through an entry in this state? */
static inline bool sept_state_accessible(enum sept_state state)
{
	return state == SEPT_MAPPED;
}

static inline bool sept_state_is_leaf(enum sept_state state)
{
	return state != SEPT_FREE && state != SEPT_REMOVED && !(state & 0x80);
}

/* Returns false without memory. */
bool sept_init(struct sept *t, unsigned int root_level, unsigned int shared_bit);
void sept_destroy(struct sept *t);

/*
 * Walk towards the entry at @level for private @gpa.  Returns true if it got
 * there; else the walk ended above, at an entry that leads no further.
 * Needs the tree lock or @guard.
 */
bool sept_walk(struct sept *t, uint64_t gpa, unsigned int level, struct sept_walk *walk);

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
	/* Start of what the entry maps. */
	uint64_t gpa, hpa;
	/* Plaintext of the byte at @gpa of this view; NULL unless a leaf. */
	void *plain;
};

void sept_look(struct sept *t, uint64_t gpa, struct sept_view *view);

/*
 * Call @fn for each run of accessible memory, ascending; neighbours are joined
 * as far as their plaintext is contiguous.
 */
typedef void (*sept_run_fn)(void *opaque, uint64_t gpa, uint64_t size, void *plain);
void sept_for_each_run(struct sept *t, sept_run_fn fn, void *opaque);

/*
 * TDG.MEM.PAGE.ACCEPT on the entry at @level for @gpa: PENDING -> MAPPED, and
 * zeroed.  Returns the status for the guest, or SEPT_ACCEPT_VIOLATION when the
 * vCPU is to exit with an EPT violation, for the entry in @walk.
 */
#define SEPT_ACCEPT_VIOLATION	(~0ULL)
uint64_t sept_accept(struct sept *t, uint64_t gpa, unsigned int level,
		     struct sept_walk *walk);

/* From now on, and no more when sept_unlisten() has returned. */
void sept_listen(struct sept *t, struct sept_listener *l);
void sept_unlisten(struct sept *t, struct sept_listener *l);

/*
 * Change @entry, for @gpa at @level, and tell listeners where that changes what
 * a guest may access.  The caller holds the entry's lock.
 */
void sept_set(struct sept *t, uint64_t gpa, unsigned int level, struct sept_entry *entry,
	      uint64_t hpa, enum sept_state state);

/*
 * Plaintext at @gpa; its GiB is reserved when first asked for.  NULL without
 * address space for it.
 */
void *sept_plain(struct sept *t, uint64_t gpa);
/* Forget the plaintext of a leaf: it reads as zero from now on. */
void sept_plain_drop(struct sept *t, uint64_t gpa, unsigned int level);

/* A table for a new EPT page, and its end. */
struct sept_table *sept_table_new(void);
void sept_table_free(struct sept_table *table);
bool sept_table_empty(const struct sept_table *table);

#endif
