// SPDX-License-Identifier: GPL-2.0-only
/* Pages that change hands. */
#include <inttypes.h>

#include "leaves.h"
#include "lines.h"
#include "operand.h"
#include "own.h"
#include "pattern.h"
#include "plain.h"
#include "range.h"
#include "sparse.h"
#include "td.h"

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
	case PT_EXT:
		return "EXT";
	case PT_IOMMU_MT:
		return "IOMMU_MT";
	case PT_SPDM_MT:
		return "SPDM_MT";
	case PT_IDE_MT:
		return "IDE_MT";
	case PT_PAMT:
		return "PAMT";
	}
	return "?";
}

const char *own_name(const struct td *td, char buf[OWNER_TEXT])
{
	if (!td)
		return "the module";
	snprintf(buf, OWNER_TEXT, "TDR 0x%" PRIx64, td->tdr);
	return buf;
}

struct page_info *own_info(struct seam *s, uint64_t pa)
{
	return &s->own.info[pa / SZ_4K];
}

/* A 2M range is free only if nothing in it is used at 4K, or could be. */
static bool range_free(struct seam *s, uint64_t pa)
{
	const struct tdmr *t = tdmr_find(s->tdmr, atomic_load(&s->nr_tdmrs), pa);

	if (pamt_has_pair(pamt_entry(&s->pamt, pa, PS_2M)))
		return false;
	for (uint64_t p = pa; p < pa + SZ_2M; p += SZ_4K) {
		if (tdmr_is_reserved(t, p) || pamt_is_pamt_page(&s->pamt, p) ||
		    pamt_entry(&s->pamt, p, PS_4K)->type != PT_NDA)
			return false;
	}
	return true;
}

uint64_t own_check_free(struct seam *s, struct call *c, uint64_t pa, enum page_size size,
			uint32_t op, struct pamt_walk *walk)
{
	uint64_t status = operand_page(s, c, pa, size, op, LOCK_EXCLUSIVE, walk);

	if (status)
		return status;

	if (walk->type != PT_NDA)
		status = TDX_PAGE_METADATA_INCORRECT | op;
	else if (walk->size != size)
		status = TDX_MISSING_PAMT_PAGE_PAIR | op;
	else if (size == PS_2M && !range_free(s, pa))
		status = TDX_PAGE_METADATA_INCORRECT | op;
	else
		status = operand_ram(s, c, pa, page_bytes(size), "takes", op);
	if (status)
		pamt_unwalk(walk);
	return status;
}

uint64_t own_check_type(struct seam *s, struct call *c, uint64_t pa, enum page_type type,
			uint32_t op, enum lock_mode mode, struct pamt_walk *walk)
{
	uint64_t status = operand_page(s, c, pa, PS_4K, op, mode, walk);

	if (status)
		return status;
	/* A free page may have no entry of its own. */
	if (walk->type != type || (walk->size != PS_4K && type != PT_NDA)) {
		pamt_unwalk(walk);
		return TDX_PAGE_METADATA_INCORRECT | op;
	}
	return TDX_SUCCESS;
}

static void *page_ram(struct seam *s, uint64_t pa)
{
	return s->machine.ram(s->machine.opaque, pa, SZ_4K);
}

/* Of a page of @td, or of the module itself. */
static uint64_t key_of(const struct seam *s, enum page_type type, const struct td *td)
{
	return pattern_key(type, td ? td->hkid : s->global_hkid);
}

static void tell_damage(struct seam *s, struct call *c, uint64_t pa, uint64_t offset,
			enum page_type type, const struct td *td, uint64_t gpa)
{
	char owner[OWNER_TEXT], where[32] = "";

	if (type == PT_REG)
		snprintf(where, sizeof(where), " at GPA 0x%" PRIx64, gpa);
	violation(s, c->cpu, RULE_HOST_WRITE, pa + offset,
		  "%s finds that the host wrote to 0x%" PRIx64 ", in a %s page of %s%s",
		  c->leaf->name, pa + offset, page_type_name(type), own_name(td, owner), where);
}

void own_check_intact(struct seam *s, struct call *c, struct pamt_entry *entry, uint64_t pa,
		      enum page_size size, struct td *td)
{
	uint64_t key = key_of(s, (enum page_type)entry->type, td);
	struct page_info *first = own_info(s, pa);

	for (uint64_t offset = 0; offset < page_bytes(size); offset += SZ_4K) {
		struct page_info *info = own_info(s, pa + offset);
		uint64_t damage;

		if (atomic_load(&info->flags) & PAGE_TAMPERED)
			continue;
		damage = pattern_find_damage(page_ram(s, pa + offset), pa + offset, key, 0, SZ_4K);
		if (damage == PATTERN_INTACT ||
		    atomic_fetch_or(&info->flags, PAGE_TAMPERED) & PAGE_TAMPERED)
			continue;
		tell_damage(s, c, pa + offset, damage, (enum page_type)entry->type, td,
			    first->gpa + offset);
	}
}

static bool is_child(enum page_type type, const struct td *td)
{
	return td && type != PT_TDR;
}

void own_take(struct seam *s, struct call *c, struct pamt_walk *walk, uint64_t pa,
	      enum page_type type, struct td *td, struct page_info info)
{
	uint64_t nr = page_bytes(walk->size) / SZ_4K;
	uint64_t key = key_of(s, type, td);
	struct page_info *to = own_info(s, pa);

	if (type == PT_REG)
		to->gpa = info.gpa;
	else
		to->object = info.object;
	for (uint64_t i = 0; i < nr; i++) {
		lines_taken(s, c, pa + i * SZ_4K, type);
		atomic_store(&to[i].flags, 0);
		pattern_write(page_ram(s, pa + i * SZ_4K), pa + i * SZ_4K, key);
	}

	walk->entry->type = (uint8_t)type;
	walk->entry->bepoch = 0;
	pamt_set_owner(walk->entry, is_child(type, td) ? td->tdr : 0);
	if (is_child(type, td))
		atomic_fetch_add(&td->children, nr);
	atomic_fetch_add(&s->own.pages, nr);
	if (walk->size == PS_4K)
		atomic_fetch_add(pamt_used(&s->pamt, pa), 1);
}

bool own_give_back(struct seam *s, struct call *c, struct pamt_entry *entry, uint64_t pa,
		   enum page_size size, struct td *td)
{
	uint64_t nr = page_bytes(size) / SZ_4K;

	own_check_intact(s, c, entry, pa, size, td);

	if (entry->type == PT_REG)
		plain_drop(s, pa, page_bytes(size));
	for (uint64_t i = 0; i < nr; i++)
		lines_returned(s, c, pa + i * SZ_4K);
	own_info(s, pa)->object = NULL;
	if (is_child((enum page_type)entry->type, td))
		atomic_fetch_sub(&td->children, nr);
	entry->type = PT_NDA;
	entry->bepoch = 0;
	pamt_set_owner(entry, 0);
	atomic_fetch_sub(&s->own.pages, nr);
	return size == PS_4K && atomic_fetch_sub(pamt_used(&s->pamt, pa), 1) == 1;
}
