/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The window: memory of the machine that the module keeps for itself.  It is the
 * memory of an ivshmem-plain device, which the host's kernel leaves alone.
 *
 * Its first part has a place for each page of RAM: the contents of that page
 * while it is private, where nothing but a TD finds them.  Behind that, each LP
 * has what it needs to run a TD.
 */
#ifndef SOFTSEAM_WINDOW_H
#define SOFTSEAM_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ram.h"
#include "tlb.h"
#include "vmcb.h"
#include "world.h"

/* Tables for the translations that an LP holds at a time. */
#define WINDOW_TLB_BYTES	(8u << 20)

/* What an LP needs, page by page.  The first four are as world.h has them. */
struct window_lp {
	union {
		struct world world;
		uint8_t world_page[4096];
	};
	uint8_t xsave[4096];
	uint8_t xsave_init[4096];
	uint8_t host_vmcb[4096];
	union {
		struct vmcb guest_vmcb;
		uint8_t guest_vmcb_page[4096];
	};
	uint8_t host_save[4096];
	/* The host's page tables, with the four above and the code in a user's slot. */
	uint64_t page_table[4][512];
	uint8_t spare[6][4096];
	uint8_t tlb[WINDOW_TLB_BYTES];
};

/* What all LPs share. */
struct window_common {
	uint8_t code[4096];
	uint8_t iopm[IOPM_BYTES];
	uint8_t msrpm[MSRPM_BYTES];
};

struct window;

/* How large the window must be, at least, for so much RAM. */
static inline uint64_t window_need(uint64_t ram_bytes, unsigned int nr_cpus)
{
	return ram_bytes + sizeof(struct window_common) +
	       nr_cpus * sizeof(struct window_lp);
}

/* Room for what goes into @err below. */
#define WINDOW_REASON		320

/*
 * Take the memory that @ram found and that is not RAM.  Returns NULL, with one
 * line in @err, if there is none or if it is too small for @nr_cpus.
 */
struct window *window_open(const struct ram *ram, unsigned int nr_cpus, char *err,
			   size_t errlen);

/*
 * Find where the CPUs see the window; firmware chooses that, so not before it
 * has run.  Returns false, with one line in @err, if they do not see it.
 */
bool window_locate(struct window *w, char *err, size_t errlen);

/* Firmware runs again. */
void window_forget(struct window *w);

/* The place for the contents of the page of RAM at @pa. */
void *window_private(const struct window *w, uint64_t pa);
/* Physical addresses, once window_locate() said yes. */
uint64_t window_private_pa(const struct window *w, uint64_t pa);
uint64_t window_pa(const struct window *w, const void *at);

struct window_lp *window_lp(const struct window *w, unsigned int cpu);
/* For all LPs: the code of the world switch, and what VMCBs point to. */
uint64_t window_code_pa(const struct window *w);
/* What of world_code QEMU fetches from @host in its memory; NULL: that is elsewhere. */
const char *window_code_at(const struct window *w, const void *host);
uint64_t window_iopm_pa(const struct window *w);
uint64_t window_msrpm_pa(const struct window *w);

#endif
