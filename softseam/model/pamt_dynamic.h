/* SPDX-License-Identifier: GPL-2.0-only */
/* Dynamic PAMT: the pages that the host lends for 4K entries. */
#ifndef SOFTSEAM_PAMT_DYNAMIC_H
#define SOFTSEAM_PAMT_DYNAMIC_H

#include <stdbool.h>
#include <stdint.h>

struct seam;
struct call;

/* In an output register of leaves that give a page back. */
#define PAMT_REMOVAL_HINT	(1ULL << 62)

/* The hint, if a page that was given back was the @last of its region. */
uint64_t pamt_removal_hint(const struct seam *s, bool last);

/*
 * The 4K entry of the page at @pa was read, under the lock of its region: did
 * the host write to the cache line with it?
 */
void pamt_check_entry(struct seam *s, struct call *c, uint64_t pa);

#endif
