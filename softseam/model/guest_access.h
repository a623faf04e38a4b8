/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which memory an instruction of a guest accesses, by linear address.  Pure.
 *
 * The answer errs on the side of too much: ranges are as long as the longest
 * operand of such instructions, and stacks reach to both sides of their pointer.
 * Who asks knows what was accessed in the end, and looks for it in here.
 */
#ifndef SOFTSEAM_GUEST_ACCESS_H
#define SOFTSEAM_GUEST_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest.h"

struct guest_access {
	uint64_t first;
	uint32_t bytes;
	/* What it may be accessed for. */
	bool read, write;
};

/* Most that one instruction has: a gather of 8 elements. */
#define GUEST_ACCESSES_MAX	8

/* What pushes and pops reach on either side of the stack pointer. */
#define GUEST_STACK_REACH	64

/* Linear address of @offset in a segment, as the mode of @r has it. */
uint64_t guest_linear(const struct guest_cpu *r, enum guest_seg_reg seg, uint64_t offset);

/* Size of addresses of code that has the prefix for the other size or not. */
unsigned int guest_addr_bytes(const struct guest_cpu *r, bool addrsize);

/*
 * Of the instruction at @code, of which @avail bytes are known.  Returns how many
 * there are: none for an instruction that is cut off, or not known.
 */
unsigned int guest_accesses(const struct guest_cpu *r, const uint8_t *code, size_t avail,
			    struct guest_access access[GUEST_ACCESSES_MAX]);

#endif
