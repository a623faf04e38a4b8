/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's memory, as the module reads and writes it for the guest. */
#ifndef SOFTSEAM_GUEST_MEMORY_H
#define SOFTSEAM_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_vcpu.h"

/* The start of the shared half of the GPA space. */
uint64_t guest_shared_bit(const struct td *td);
bool guest_gpa_is_shared(const struct td *td, uint64_t gpa);

/*
 * Memory at @gpa, private or shared, to the end of its 4K page.  NULL if a guest
 * finds none.
 */
void *guest_page(struct guest_ctx *x, uint64_t gpa);

/*
 * Where the guest's page tables lead: to a page, or no further than to an entry
 * that is not present or not there.
 */
struct guest_walk {
	bool found;
	/* Of the byte, or of that entry. */
	uint64_t gpa;
};

void guest_walk(struct guest_ctx *x, uint64_t linear, struct guest_walk *walk);
/* Memory by linear address; returns how many bytes of it could be read. */
size_t guest_read(struct guest_ctx *x, uint64_t linear, void *to, size_t len);

/* An access to @gpa that finds no page: the vCPU leaves the TD, or gets a #VE. */
void guest_touch(struct guest_ctx *x, uint64_t gpa, bool write);

/* The bytes at the instruction pointer; returns how many could be read. */
size_t guest_fetch(struct guest_ctx *x, uint8_t *code, size_t len);

/*
 * Operand @op of a TDCALL: private memory at @gpa, which is to be a multiple of
 * @align, to the end of its page.
 * NULL if the call cannot go on: then it has a status, or the vCPU leaves the
 * TD, or a #VE is injected, and *@status is set for the first of these.
 */
void *guest_operand(struct guest_ctx *x, uint64_t gpa, uint64_t align, uint32_t op,
		    uint64_t *status);

#endif
