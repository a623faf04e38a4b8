// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "tlb.h"

#define ENTRY_PRESENT	(1ULL << 0)
#define ENTRY_WRITE	(1ULL << 1)
#define ENTRY_USER	(1ULL << 2)
#define ENTRY_ACCESSED	(1ULL << 5)
#define ENTRY_DIRTY	(1ULL << 6)
#define ENTRY_LARGE	(1ULL << 7)
#define ENTRY_NO_EXEC	(1ULL << 63)
#define ENTRY_ADDRESS	0x000FFFFFFFFFF000ULL

/* Nobody asks which pages were used: marked at once, nothing is written later. */
#define ENTRY_TABLE	(ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_ACCESSED)
#define ENTRY_PAGE	(ENTRY_PRESENT | ENTRY_USER | ENTRY_ACCESSED | ENTRY_DIRTY)

#define ROOT_LEVEL	3

void tlb_init(struct tlb *tlb, void *mem, size_t bytes, uint64_t pa)
{
	*tlb = (struct tlb){
		.table = mem,
		.pa = pa,
		.nr_tables = (unsigned int)(bytes / TLB_TABLE_BYTES),
	};
	tlb_flush(tlb);
}

/* Other tables are cleared when they are taken. */
void tlb_flush(struct tlb *tlb)
{
	memset(tlb->table[0], 0, TLB_TABLE_BYTES);
	tlb->used = 1;
}

static uint64_t *entry_in(struct tlb *tlb, unsigned int table, uint64_t gpa, unsigned int level)
{
	return &tlb->table[table][gpa >> (12 + 9 * level) & 511];
}

/* The table below @entry, a new one where there is none; 0 if none is left. */
static unsigned int table_below(struct tlb *tlb, uint64_t *entry)
{
	if (*entry & ENTRY_PRESENT && !(*entry & ENTRY_LARGE))
		return (unsigned int)(((*entry & ENTRY_ADDRESS) - tlb->pa) / TLB_TABLE_BYTES);
	if (tlb->used == tlb->nr_tables)
		return 0;

	memset(tlb->table[tlb->used], 0, TLB_TABLE_BYTES);
	*entry = (tlb->pa + (uint64_t)tlb->used * TLB_TABLE_BYTES) | ENTRY_TABLE;
	return tlb->used++;
}

bool tlb_insert(struct tlb *tlb, const struct tlb_page *page)
{
	unsigned int leaf = page->size == TLB_PAGE_2M ? 1 : 0;
	unsigned int table = 0;

	for (unsigned int level = ROOT_LEVEL; level > leaf; level--) {
		table = table_below(tlb, entry_in(tlb, table, page->gpa, level));
		if (!table)
			return false;
	}

	*entry_in(tlb, table, page->gpa, leaf) = page->pa | ENTRY_PAGE |
		(leaf ? ENTRY_LARGE : 0) | (page->writable ? ENTRY_WRITE : 0) |
		(page->executable ? 0 : ENTRY_NO_EXEC);
	return true;
}
