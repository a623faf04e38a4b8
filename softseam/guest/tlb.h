/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The translations of guest physical addresses that an LP has made, as page
 * tables in the format that nested paging walks.
 *
 * They are what a TLB is on hardware: made when a guest first needs them, and
 * used until they are flushed, whatever happens to the EPT they came from.
 */
#ifndef SOFTSEAM_TLB_H
#define SOFTSEAM_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLB_TABLE_BYTES		4096
#define TLB_PAGE_4K		0x1000ULL
#define TLB_PAGE_2M		0x200000ULL
/* What a walk of four levels reaches. */
#define TLB_GPA_BITS		48

struct tlb {
	/* Tables, and where the walker finds the first of them: the root. */
	uint64_t (*table)[TLB_TABLE_BYTES / sizeof(uint64_t)];
	uint64_t pa;
	unsigned int nr_tables, used;
};

/* A page to be found at @gpa, of @size TLB_PAGE_4K or TLB_PAGE_2M. */
struct tlb_page {
	uint64_t gpa, pa, size;
	bool writable, executable;
};

/* @mem of @bytes, at least a root and a table for each level. */
void tlb_init(struct tlb *tlb, void *mem, size_t bytes, uint64_t pa);
void tlb_flush(struct tlb *tlb);
/* Returns false when there is no table left: flush and insert again. */
bool tlb_insert(struct tlb *tlb, const struct tlb_page *page);

#endif
