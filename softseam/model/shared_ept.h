/* SPDX-License-Identifier: GPL-2.0-only */
/* The shared EPT: the host's own tables for the shared half of a TD's GPAs. */
#ifndef SOFTSEAM_SHARED_EPT_H
#define SOFTSEAM_SHARED_EPT_H

#include <stdbool.h>
#include <stdint.h>

struct seam;

enum shared_ept_result {
	SHARED_EPT_PRESENT,
	/* Nothing there; bit 63 of the entry says who is told. */
	SHARED_EPT_ABSENT,
	SHARED_EPT_MISCONFIGURED,
};

struct shared_ept_walk {
	enum shared_ept_result result;
	/* The entry at which the walk ended, and its level. */
	uint64_t entry;
	unsigned int level;
	/* R, W and X of all entries together. */
	uint64_t access;
	/* Of the page, aligned to its size. */
	uint64_t hpa;
};

#define EPT_READ		(1ULL << 0)
#define EPT_WRITE		(1ULL << 1)
#define EPT_EXEC		(1ULL << 2)
#define EPT_ACCESS		(EPT_READ | EPT_WRITE | EPT_EXEC)
#define EPT_LARGE		(1ULL << 7)
#define EPT_SUPPRESS_VE		(1ULL << 63)

/* @levels: 4 or 5.  @root: the table that VP.WR named. */
void shared_ept_walk(struct seam *s, uint64_t root, unsigned int levels, uint64_t gpa,
		     struct shared_ept_walk *walk);

#endif
