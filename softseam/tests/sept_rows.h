/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows for leaves that return a secure EPT entry, and what such entries look like. */
#ifndef SOFTSEAM_TESTS_SEPT_ROWS_H
#define SOFTSEAM_TESTS_SEPT_ROWS_H

#include "td_twists.h"

/* Entries in the architecture's format. */
#define ENTRY_FREE	(1ULL << 63)
#define ENTRY_TABLE(page)	((page) | 7)
#define ENTRY_BLOCKED(page)	((page) | 6 << 3 | 1 << 6 | ENTRY_FREE)
#define ENTRY_MAPPED(page)	(ENTRY_BLOCKED(page) | 7)
/* Level and state. */
#define INFO(level, state)	((level) | (uint64_t)(state) << 8)

/* An error that tells @entry and @info; one that tells nothing; and success. */
#define EPT_ERROR(twist_, stage_, in_, status_, entry, info)			\
	{ #in_ "_" #twist_, .stage = stage_, .twist = twist_, .in = in_(),	\
	  .status = (status_) | OPERAND_RCX, .has_out = true, .out = { entry, info } }
#define CLEAN_ERROR(twist_, stage_, in_, status_) \
	{ #in_ "_" #twist_, .stage = stage_, .twist = twist_, .in = in_(), \
	  .status = status_, .has_out = true }
#define GOOD(twist_, stage_, in_) \
	{ #in_ "_" #twist_, .stage = stage_, .twist = twist_, .in = in_(), .has_out = true }

#endif
