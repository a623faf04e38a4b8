/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host did to the cache lines of its pages: flushed them before it gave
 * a page away (where FEATURES0 asks for it), and overwrote them with MOVDIR64B
 * after it got a page back (on parts with the partial-write erratum).
 *
 * Only instructions that are executed can be seen.  So a flush counts from the
 * moment the host has the page, whatever it writes to it afterwards.
 */
#ifndef SOFTSEAM_LINES_H
#define SOFTSEAM_LINES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pamt.h"

struct seam;
struct call;

/* One page while the host has it: a bit for each of its 64 lines. */
struct page_lines {
	_Atomic uint64_t flushed, reset;
	/* The page came back, by this leaf and host function, and is to be reset. */
	_Atomic(const char *) leaf;
	_Atomic(const char *) caller;
};

struct lines {
	struct page_lines *page;
	size_t bytes;
	/* Pages that are to be reset. */
	_Atomic uint64_t waiting;
};

bool lines_init(struct lines *lines, uint64_t end);
void lines_free(struct lines *lines);

/* The module takes a page of 4K that is to be of @type. */
void lines_taken(struct seam *s, struct call *c, uint64_t pa, enum page_type type);
/* The host has it back. */
void lines_returned(struct seam *s, struct call *c, uint64_t pa);

/* The end: report pages that were never reset.  Returns their number. */
unsigned int lines_report(struct seam *s);

#endif
