// SPDX-License-Identifier: GPL-2.0-only
/* TDH.PHYMEM.PAMT.ADD and TDH.PHYMEM.PAMT.REMOVE */
#include <inttypes.h>

#include "leaves.h"
#include "lines.h"
#include "operand.h"
#include "own.h"
#include "pamt_dynamic.h"
#include "pattern.h"
#include "range.h"

/* RCX: level in the low bits, then the address of the region. */
#define REGION_LEVEL		0x7ULL
#define REGION_RESERVED		0xFFF0000000000FF8ULL
#define REGION_ADDRESS		0x000FFFFFFFFFF000ULL

#define NR_PAIR_PAGES		2
#define CACHE_LINE		64

static const uint32_t page_operand[NR_PAIR_PAGES] = { OPERAND_RDX, OPERAND_R8 };

uint64_t pamt_removal_hint(const struct seam *s, bool last)
{
	return s->pamt.dynamic && last ? PAMT_REMOVAL_HINT : 0;
}

static uint64_t pamt_key(const struct seam *s)
{
	return pattern_key(PT_PAMT, s->global_hkid);
}

/* At most one violation a page. */
static void check_page(struct seam *s, struct call *c, uint64_t region, uint64_t page,
		       size_t offset, size_t len)
{
	void *ram = s->machine.ram(s->machine.opaque, page, SZ_4K);
	struct page_info *info = own_info(s, page);
	uint64_t damage;

	if (atomic_load(&info->flags) & PAGE_TAMPERED)
		return;
	damage = pattern_find_damage(ram, page, pamt_key(s), offset, len);
	if (damage == PATTERN_INTACT || atomic_fetch_or(&info->flags, PAGE_TAMPERED) & PAGE_TAMPERED)
		return;
	violation(s, c->cpu, RULE_HOST_WRITE, page + damage,
		  "%s finds that the host wrote to 0x%" PRIx64 ", in a PAMT page of the module for the 2M at 0x%" PRIx64,
		  c->leaf->name, page + damage, region);
}

void pamt_check_entry(struct seam *s, struct call *c, uint64_t pa)
{
	uint64_t region = pa & ~(SZ_2M - 1), at = (pa - region) / SZ_4K * PAMT_ENTRY_SIZE;
	struct pamt_pair pair = pamt_get_pair(pamt_entry(&s->pamt, pa, PS_2M));

	check_page(s, c, region, pair.page[at / SZ_4K],
		   at % SZ_4K & ~(size_t)(CACHE_LINE - 1), CACHE_LINE);
}

/* A page operand as such: no KeyID, aligned. */
static uint64_t check_page_operand(const struct seam *s, uint64_t pa, uint32_t op)
{
	return pa % SZ_4K || pa >> s->cfg.hpa_bits ? TDX_OPERAND_INVALID | op : TDX_SUCCESS;
}

static uint64_t check_region_operand(const struct seam *s, uint64_t rcx)
{
	uint64_t region = rcx & REGION_ADDRESS;

	if (rcx & REGION_RESERVED || (rcx & REGION_LEVEL) != PS_2M ||
	    region % SZ_2M || region >> s->cfg.hpa_bits)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	return TDX_SUCCESS;
}

/* The region of RCX, held exclusive; the caller ends with pamt_unwalk(). */
static uint64_t get_region(struct seam *s, const struct call *c, struct pamt_walk *region)
{
	uint64_t pa = c->in.rcx & REGION_ADDRESS;
	struct tdmr *t = tdmr_find(s->tdmr, atomic_load(&s->nr_tdmrs), pa);

	if (!t || !tdmr_is_usable(t, pa))
		return TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX;
	if (!pamt_walk(&s->pamt, pa, false, PS_2M, LOCK_EXCLUSIVE, region))
		return TDX_OPERAND_BUSY | OPERAND_RCX;
	return TDX_SUCCESS;
}

/*
 * Lock what describes a page for a pair: nothing if the page lies in the very
 * region, which is held already; else its walk, shared.
 */
static uint64_t walk_to_page(struct seam *s, const struct call *c, uint64_t pa, uint32_t op,
			     struct pamt_walk *walk)
{
	struct tdmr *t = tdmr_find(s->tdmr, atomic_load(&s->nr_tdmrs), pa);

	*walk = (struct pamt_walk){ .type = PT_NDA };
	if (!t || !tdmr_is_usable(t, pa))
		return TDX_OPERAND_ADDR_RANGE_ERROR | op;
	if (tdmr_is_reserved(t, pa))
		return TDX_PAGE_NOT_FREE | op;
	if ((pa ^ c->in.rcx) < SZ_2M)
		return TDX_SUCCESS;
	return pamt_walk(&s->pamt, pa, false, PS_4K, LOCK_SHARED, walk) ?
	       TDX_SUCCESS : TDX_OPERAND_BUSY | op;
}

/* Another ADD may want the same page: whoever marks it has it. */
static uint64_t claim_page(struct seam *s, struct call *c, uint64_t pa, uint32_t op,
			   struct pamt_walk *walk)
{
	uint64_t status = walk_to_page(s, c, pa, op, walk);

	if (status)
		return status;
	if (walk->type != PT_NDA)
		status = TDX_PAGE_NOT_FREE | op;
	else
		status = operand_ram(s, c, pa, SZ_4K, "takes", op);
	if (!status && pamt_mark_page(&s->pamt, pa))
		status = TDX_PAGE_NOT_FREE | op;
	if (status)
		pamt_unwalk(walk);
	return status;
}

static void take_pages(struct seam *s, struct call *c, struct pamt_pair pair)
{
	for (unsigned int i = 0; i < NR_PAIR_PAGES; i++) {
		uint64_t pa = pair.page[i];

		lines_taken(s, c, pa, PT_PAMT);
		atomic_store(&own_info(s, pa)->flags, 0);
		pattern_write(s->machine.ram(s->machine.opaque, pa, SZ_4K), pa, pamt_key(s));
	}
}

static uint64_t add_pair(struct seam *s, struct call *c, struct pamt_walk *region)
{
	struct pamt_pair pair = { .page = { c->in.rdx, c->in.r8 } };
	struct pamt_walk walk[NR_PAIR_PAGES];
	uint64_t status;

	if (region->type != PT_NDA || region->size != PS_2M || pamt_has_pair(region->entry))
		return TDX_HPA_RANGE_NOT_FREE | OPERAND_RCX;

	status = claim_page(s, c, pair.page[0], page_operand[0], &walk[0]);
	if (status)
		return status;
	status = claim_page(s, c, pair.page[1], page_operand[1], &walk[1]);
	if (status) {
		pamt_unmark_page(&s->pamt, pair.page[0]);
	} else {
		take_pages(s, c, pair);
		pamt_set_pair(region->entry, pair);
		atomic_fetch_add(&s->pamt.pairs, 1);
		pamt_unwalk(&walk[1]);
	}
	pamt_unwalk(&walk[0]);
	return status;
}

/*
 * A region of 2M gets its 4K entries.
 *
 * In: RCX	region and level 1
 *     RDX, R8	pages for them
 */
uint64_t tdh_phymem_pamt_add(struct seam *s, struct call *c)
{
	struct pamt_walk region;
	uint64_t status;

	if (!s->pamt.dynamic)
		return TDX_OPERAND_INVALID | OPERAND_RAX;
	status = check_region_operand(s, c->in.rcx);
	if (!status)
		status = check_page_operand(s, c->in.rdx, OPERAND_RDX);
	if (!status)
		status = check_page_operand(s, c->in.r8, OPERAND_R8);
	if (!status)
		status = get_region(s, c, &region);
	if (status)
		return status;
	status = add_pair(s, c, &region);
	pamt_unwalk(&region);
	return status;
}

/* The pages' own regions are not locked: unmarking comes last. */
static void give_pages_back(struct seam *s, struct call *c, uint64_t region,
			    struct pamt_pair pair)
{
	for (unsigned int i = 0; i < NR_PAIR_PAGES; i++) {
		uint64_t pa = pair.page[i];

		check_page(s, c, region, pa, 0, SZ_4K);
		lines_returned(s, c, pa);
		pamt_unmark_page(&s->pamt, pa);
	}
}

static uint64_t remove_pair(struct seam *s, struct call *c, struct pamt_walk *region)
{
	uint64_t pa = c->in.rcx & REGION_ADDRESS;
	struct pamt_pair pair;

	if (region->size != PS_2M || !pamt_has_pair(region->entry))
		return TDX_NO_PAMT_PAGE_PAIR | OPERAND_RCX;
	if (atomic_load(pamt_used(&s->pamt, pa)))
		return TDX_PAMT_PAGE_NOT_EMPTY | OPERAND_RCX;

	pair = pamt_get_pair(region->entry);
	pamt_clear_pair(region->entry);
	atomic_fetch_sub(&s->pamt.pairs, 1);
	give_pages_back(s, c, pa, pair);
	c->out.rdx = pair.page[0];
	c->out.r8 = pair.page[1];
	return TDX_SUCCESS;
}

/*
 * The host gets the pages for a region's 4K entries back.
 *
 * In:  RCX	region and level 1
 * Out: RDX, R8	the pages
 */
uint64_t tdh_phymem_pamt_remove(struct seam *s, struct call *c)
{
	struct pamt_walk region;
	uint64_t status;

	if (!s->pamt.dynamic)
		return TDX_OPERAND_INVALID | OPERAND_RAX;
	status = check_region_operand(s, c->in.rcx);
	if (!status)
		status = get_region(s, c, &region);
	if (status)
		return status;
	status = remove_pair(s, c, &region);
	pamt_unwalk(&region);
	return status;
}
