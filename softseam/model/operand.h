/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks that many leaves make on their operands.  Each returns a completion
 * status that names operand @op.
 */
#ifndef SOFTSEAM_OPERAND_H
#define SOFTSEAM_OPERAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pamt.h"

struct seam;
struct call;

/*
 * A page for the module: aligned to @size, no KeyID bits, below MAXPA, in an
 * initialised block of a TDMR, lock free.  On success @walk holds the page's
 * entry, and the caller checks its type and ends with pamt_unwalk().
 */
uint64_t operand_page(struct seam *s, struct call *c, uint64_t pa, enum page_size size,
		      uint32_t op, enum lock_mode mode, struct pamt_walk *walk);

/* Memory of the host: aligned to @align, below MAXPA, no private KeyID. */
uint64_t operand_shared(const struct seam *s, uint64_t pa, uint64_t align, uint32_t op);

/*
 * What operand @op names, without KeyID bits, must be RAM.  If not, that is a
 * violation too: the leaf @verb, "takes" or "reads", what is not there.
 */
uint64_t operand_ram(struct seam *s, struct call *c, uint64_t hpa, size_t len,
		     const char *verb, uint32_t op);

/* Copy @len bytes that operand @op names, already checked to be shared. */
uint64_t operand_read(struct seam *s, struct call *c, uint64_t pa, void *to, size_t len,
		      uint32_t op);

/* The KeyID in the upper bits of @pa. */
uint64_t pa_hkid(const struct seam *s, uint64_t pa);
uint64_t pa_without_hkid(const struct seam *s, uint64_t pa);

#endif
