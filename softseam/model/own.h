/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that change hands: from the host to the module and back.
 *
 * All leaves that take a page or give one back do it here, so this is the one
 * place for rules about the state in which a page changes hands.
 *
 * While the module owns a page, host RAM holds a pattern there, as ciphertext
 * would be; what the page really contains is kept by the model.  A pattern that
 * changed means that the host wrote to the page.  After a page is given back
 * its content is garbage to the host.
 */
#ifndef SOFTSEAM_OWN_H
#define SOFTSEAM_OWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pamt.h"

struct seam;
struct call;
struct td;

/* What the model keeps for each 4K page, guarded by the page's PAMT entry. */
struct page_info {
	union {
		/* TDR: struct td; TDVPR: struct vcpu; EPT: struct sept_table. */
		void *object;
		/* REG: where the TD has it. */
		uint64_t gpa;
	};
	/* PAGE_... below. */
	_Atomic uint32_t flags;
};

/* That the host wrote to the page was told already. */
#define PAGE_TAMPERED	(1U << 0)

struct own {
	uint64_t end;
	struct page_info *info;
	size_t bytes;
	/* Pages of all TDs, TDRs included, in units of 4K. */
	_Atomic uint64_t pages;
};

bool own_init(struct own *own, uint64_t end);
void own_free(struct own *own);

const char *page_type_name(enum page_type type);

/* Of a page below the end of the last CMR. */
struct page_info *own_info(struct seam *s, uint64_t pa);

/*
 * Operand @op is a page that the module may take: a valid address, free, RAM.
 * On success @walk holds it exclusive, and the caller ends with pamt_unwalk().
 */
uint64_t own_check_free(struct seam *s, struct call *c, uint64_t pa, enum page_size size,
			uint32_t op, struct pamt_walk *walk);

/* Operand @op is a page of @type; @walk holds it in @mode. */
uint64_t own_check_type(struct seam *s, struct call *c, uint64_t pa, enum page_type type,
			uint32_t op, enum lock_mode mode, struct pamt_walk *walk);

/* The owner of a page as people read it; @td may be NULL: the module itself. */
#define OWNER_TEXT	24
const char *own_name(const struct td *td, char buf[OWNER_TEXT]);

/*
 * Take the page from the host: nothing fails from here on.  @td owns it, and is
 * the TD itself for a TDR, NULL for a page of the module itself.  @info is an
 * object or a GPA as in struct page_info.
 */
void own_take(struct seam *s, struct call *c, struct pamt_walk *walk, uint64_t pa,
	      enum page_type type, struct td *td, struct page_info info);

/*
 * Give the page, held exclusive, back to the host.  Returns true if it was the
 * last page of its 2M in use at 4K.
 */
bool own_give_back(struct seam *s, struct call *c, struct pamt_entry *entry, uint64_t pa,
		   enum page_size size, struct td *td);

/* The page is used: did the host write to it?  At most one violation a page. */
void own_check_intact(struct seam *s, struct call *c, struct pamt_entry *entry, uint64_t pa,
		      enum page_size size, struct td *td);

#endif
