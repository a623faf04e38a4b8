// SPDX-License-Identifier: GPL-2.0-only
#include "leaves.h"
#include "shared_ept.h"

#define EPT_ADDRESS	0x000FFFFFFFFFF000ULL
#define EPT_MEMTYPE(e)	((e) >> 3 & 7)
#define EPT_TABLE_RESERVED	0xF8ULL
#define EPT_MAX_LARGE_LEVEL	2

static uint64_t level_bytes(unsigned int level)
{
	return 1ULL << (12 + 9 * level);
}

static bool memtype_valid(uint64_t entry)
{
	uint64_t type = EPT_MEMTYPE(entry);

	return type != 2 && type != 3 && type != 7;
}

static bool is_page(uint64_t entry, unsigned int level)
{
	return !level || entry & EPT_LARGE;
}

/* What the CPU calls a misconfiguration: an entry that can mean nothing. */
static bool is_misconfigured(const struct seam *s, uint64_t entry, unsigned int level)
{
	uint64_t address = entry & EPT_ADDRESS;

	if (entry & EPT_WRITE && !(entry & EPT_READ))
		return true;
	if (address >> s->cfg.maxpa)
		return true;
	if (!is_page(entry, level))
		return entry & EPT_TABLE_RESERVED;
	return level > EPT_MAX_LARGE_LEVEL || !memtype_valid(entry) ||
	       address & (level_bytes(level) - 1);
}

/* Entries are read as the host may write them at any time: in one go. */
static bool read_entry(struct seam *s, uint64_t table, uint64_t gpa, unsigned int level,
		       uint64_t *entry)
{
	uint64_t pa = table + (gpa / level_bytes(level) & 511) * sizeof(*entry);
	_Atomic uint64_t *at = s->machine.ram(s->machine.opaque, pa, sizeof(*entry));

	if (!at)
		return false;
	*entry = atomic_load_explicit(at, memory_order_acquire);
	return true;
}

void shared_ept_walk(struct seam *s, uint64_t root, unsigned int levels, uint64_t gpa,
		     struct shared_ept_walk *walk)
{
	uint64_t table = root & EPT_ADDRESS;

	*walk = (struct shared_ept_walk){ .result = SHARED_EPT_MISCONFIGURED,
					  .access = EPT_ACCESS };

	for (walk->level = levels - 1;; walk->level--) {
		if (!read_entry(s, table, gpa, walk->level, &walk->entry))
			return;
		walk->access &= walk->entry;
		if (!(walk->entry & EPT_ACCESS)) {
			walk->result = SHARED_EPT_ABSENT;
			return;
		}
		if (is_misconfigured(s, walk->entry, walk->level))
			return;
		table = walk->entry & EPT_ADDRESS;
		if (is_page(walk->entry, walk->level))
			break;
	}
	walk->result = SHARED_EPT_PRESENT;
	walk->hpa = table;
}
