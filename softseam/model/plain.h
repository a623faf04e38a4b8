/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contents of private pages: what encryption keeps from the host.  They lie
 * outside host RAM, one place for each physical page, and are zero for a page
 * that is no TD's.
 */
#ifndef SOFTSEAM_PLAIN_H
#define SOFTSEAM_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seam;

struct plain {
	/* NULL where the machine keeps the contents. */
	uint8_t *mem;
	size_t bytes;
};

/* For pages below @end.  Returns false if the system cannot give address space. */
bool plain_init(struct seam *s, uint64_t end);
void plain_free(struct plain *plain);

/* Contents of the 4K or 2M page at @pa, contiguous. */
void *plain_at(const struct seam *s, uint64_t pa);
/* The module, and not a guest, wrote there. */
void plain_written(const struct seam *s, unsigned int cpu, uint64_t pa, uint64_t len);
/* The page is no TD's any more. */
void plain_drop(const struct seam *s, uint64_t pa, uint64_t bytes);

#endif
