// SPDX-License-Identifier: GPL-2.0-only
/* Pages that change hands. */
#include <inttypes.h>

#include "leaves.h"
#include "operand.h"
#include "own.h"
#include "plain.h"
#include "range.h"
#include "sparse.h"
#include "td.h"

#define WORDS_PER_PAGE	(SZ_4K / sizeof(uint64_t))

bool own_init(struct own *own, uint64_t end)
{
	*own = (struct own){ .end = end };
	if (!end)
		return true;
	own->bytes = end / SZ_4K * sizeof(struct page_info);
	own->info = sparse_new(own->bytes);
	return own->info;
}

void own_free(struct own *own)
{
	sparse_free(own->info, own->bytes);
	*own = (struct own){ 0 };
}

const char *page_type_name(enum page_type type)
{
	switch (type) {
	case PT_NDA:
		return "NDA";
	case PT_RSVD:
		return "RSVD";
	case PT_REG:
		return "REG";
	case PT_TDR:
		return "TDR";
	case PT_TDCX:
		return "TDCX";
	case PT_TDVPR:
		return "TDVPR";
	case PT_EPT:
		return "EPT";
	}
	return "?";
}

struct page_info *own_info(struct seam *s, uint64_t pa)
{
	return &s->own.info[pa / SZ_4K];
}

/* A 2M range is free only if nothing in it is used at 4K. */
static bool range_free(struct seam *s, uint64_t pa)
{
	const struct tdmr *t = tdmr_find(s->tdmr, atomic_load(&s->nr_tdmrs), pa);

	for (uint64_t p = pa; p < pa + SZ_2M; p += SZ_4K) {
		if (tdmr_is_reserved(t, p) || pamt_entry(&s->pamt, p, PS_4K)->type != PT_NDA)
			return false;
	}
	return true;
}

uint64_t own_check_free(struct seam *s, struct call *c, uint64_t pa, enum page_size size,
			uint32_t op, struct pamt_walk *walk)
{
	uint64_t status = operand_page(s, pa, size, op, LOCK_EXCLUSIVE, walk);

	if (status)
		return status;

	if (walk->type != PT_NDA || walk->size != size ||
	    (size == PS_2M && !range_free(s, pa)))
		status = TDX_PAGE_METADATA_INCORRECT | op;
	else
		status = operand_ram(s, c, pa, page_bytes(size), "takes", op);
	if (status)
		pamt_unwalk(walk);
	return status;
}

uint64_t own_check_type(struct seam *s, uint64_t pa, enum page_type type, uint32_t op,
			enum lock_mode mode, struct pamt_walk *walk)
{
	uint64_t status = operand_page(s, pa, PS_4K, op, mode, walk);

	if (status)
		return status;
	if (walk->type != type || walk->size != PS_4K) {
		pamt_unwalk(walk);
		return TDX_PAGE_METADATA_INCORRECT | op;
	}
	return TDX_SUCCESS;
}

/*
 * Where the pattern of a page starts, and its step from word to word, which is
 * odd: no two words of a page are equal.
 */
static uint64_t pattern_of(uint64_t pa, enum page_type type, const struct td *td)
{
	uint64_t x = pa ^ (uint64_t)type << 56 ^ (uint64_t)td->hkid << 40;

	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
	x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
	return x ^ x >> 31;
}

#define PATTERN_STEP	0x9E3779B97F4A7C15ULL

static uint64_t *page_words(struct seam *s, uint64_t pa)
{
	return s->machine.ram(s->machine.opaque, pa, SZ_4K);
}

static void write_pattern(struct seam *s, uint64_t pa, enum page_type type, const struct td *td)
{
	uint64_t *word = page_words(s, pa);
	uint64_t x = pattern_of(pa, type, td);

	for (size_t i = 0; i < WORDS_PER_PAGE; i++)
		word[i] = x + i * PATTERN_STEP;
}

/* Offset of the first word that differs, SZ_4K if none does. */
static uint64_t find_damage(struct seam *s, uint64_t pa, enum page_type type,
			    const struct td *td)
{
	const uint64_t *word = page_words(s, pa);
	uint64_t x = pattern_of(pa, type, td);
	uint64_t differ = 0;

	for (size_t i = 0; i < WORDS_PER_PAGE; i++)
		differ |= word[i] ^ (x + i * PATTERN_STEP);
	if (!differ)
		return SZ_4K;

	for (size_t i = 0; i < WORDS_PER_PAGE; i++) {
		if (word[i] != x + i * PATTERN_STEP)
			return i * sizeof(uint64_t);
	}
	return SZ_4K;
}

static void tell_damage(struct seam *s, struct call *c, uint64_t pa, uint64_t offset,
			enum page_type type, const struct td *td, uint64_t gpa)
{
	char where[32] = "";

	if (type == PT_REG)
		snprintf(where, sizeof(where), " at GPA 0x%" PRIx64, gpa);
	violation(s, c->cpu, RULE_HOST_WRITE, pa + offset,
		  "%s finds that the host wrote to 0x%" PRIx64 ", in a %s page of TDR 0x%" PRIx64 "%s",
		  c->leaf->name, pa + offset, page_type_name(type), td->tdr, where);
}

void own_check_intact(struct seam *s, struct call *c, struct pamt_entry *entry, uint64_t pa,
		      enum page_size size, struct td *td)
{
	struct page_info *first = own_info(s, pa);

	for (uint64_t offset = 0; offset < page_bytes(size); offset += SZ_4K) {
		struct page_info *info = own_info(s, pa + offset);
		uint64_t damage;

		if (atomic_load(&info->flags) & PAGE_TAMPERED)
			continue;
		damage = find_damage(s, pa + offset, (enum page_type)entry->type, td);
		if (damage == SZ_4K || atomic_fetch_or(&info->flags, PAGE_TAMPERED) & PAGE_TAMPERED)
			continue;
		tell_damage(s, c, pa + offset, damage, (enum page_type)entry->type, td,
			    first->gpa + offset);
	}
}

void own_take(struct seam *s, struct pamt_walk *walk, uint64_t pa, enum page_type type,
	      struct td *td, struct page_info info)
{
	uint64_t nr = page_bytes(walk->size) / SZ_4K;
	struct page_info *to = own_info(s, pa);

	if (type == PT_REG)
		to->gpa = info.gpa;
	else
		to->object = info.object;
	for (uint64_t i = 0; i < nr; i++) {
		atomic_store(&to[i].flags, 0);
		write_pattern(s, pa + i * SZ_4K, type, td);
	}

	walk->entry->type = (uint8_t)type;
	walk->entry->bepoch = 0;
	pamt_set_owner(walk->entry, type == PT_TDR ? 0 : td->tdr);
	if (type != PT_TDR)
		atomic_fetch_add(&td->children, nr);
	atomic_fetch_add(&s->own.pages, nr);
}

void own_give_back(struct seam *s, struct call *c, struct pamt_entry *entry, uint64_t pa,
		   enum page_size size, struct td *td)
{
	uint64_t nr = page_bytes(size) / SZ_4K;

	own_check_intact(s, c, entry, pa, size, td);

	if (entry->type == PT_REG)
		plain_drop(s, pa, page_bytes(size));
	own_info(s, pa)->object = NULL;
	if (entry->type != PT_TDR)
		atomic_fetch_sub(&td->children, nr);
	entry->type = PT_NDA;
	entry->bepoch = 0;
	pamt_set_owner(entry, 0);
	atomic_fetch_sub(&s->own.pages, nr);
}
