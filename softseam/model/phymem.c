// SPDX-License-Identifier: GPL-2.0-only
/* TDH.PHYMEM.PAGE: physical pages. */
#include "leaves.h"
#include "operand.h"
#include "own.h"
#include "pamt_dynamic.h"

static bool has_bepoch(enum page_type type)
{
	return type == PT_REG || type == PT_EPT;
}

/*
 * In:  RCX	page
 * Out: RCX	page type
 *	RDX	physical address of the owner's TDR
 *	R8	page size
 *	R9	epoch in which the page was blocked
 */
uint64_t tdh_phymem_page_rdmd(struct seam *s, struct call *c)
{
	struct pamt_walk walk;
	uint64_t status;

	status = operand_page(s, c, c->in.rcx, PS_4K, OPERAND_RCX, LOCK_SHARED, &walk);
	if (status)
		return status;

	c->out.rcx = walk.type;
	c->out.r8 = walk.size;
	if (walk.entry) {
		c->out.rdx = pamt_owner(walk.entry);
		c->out.r9 = has_bepoch(walk.type) ? atomic_load(&walk.entry->bepoch) : 0;
	}

	pamt_unwalk(&walk);
	return TDX_SUCCESS;
}

/* Any page but the TDR. */
static uint64_t reclaim_child(struct seam *s, struct call *c, struct pamt_walk *page)
{
	uint64_t pa = c->in.rcx;
	struct td_ref ref;
	void *object;
	bool last;
	uint64_t status;

	status = td_get_owner(s, c, page, LOCK_SHARED, &ref);
	if (status)
		return status;

	if (atomic_load(&ref.td->lifecycle) != TD_TEARDOWN) {
		status = TDX_LIFECYCLE_STATE_INCORRECT;
	} else {
		object = own_info(s, pa)->object;
		last = own_give_back(s, c, page->entry, pa, page->size, ref.td);
		c->out.r9 = pamt_removal_hint(s, last);
		if (page->type == PT_TDVPR)
			vcpu_destroy(object);
	}
	td_put(&ref);
	return status;
}

static uint64_t reclaim_tdr(struct seam *s, struct call *c, struct pamt_walk *page)
{
	struct td *td = own_info(s, c->in.rcx)->object;
	bool last;

	if (atomic_load(&td->lifecycle) != TD_TEARDOWN)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (atomic_load(&td->children))
		return TDX_TD_ASSOCIATED_PAGES_EXIST;

	last = own_give_back(s, c, page->entry, c->in.rcx, PS_4K, td);
	c->out.r9 = pamt_removal_hint(s, last);
	td_free(td);
	return TDX_SUCCESS;
}

static bool of_td(enum page_type type)
{
	return type == PT_TDR || type == PT_TDCX || type == PT_TDVPR || type == PT_EPT ||
	       type == PT_REG;
}

static uint64_t reclaim(struct seam *s, struct call *c, struct pamt_walk *page)
{
	if (!of_td(page->type))
		return TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX;

	c->out.rcx = page->type;
	c->out.rdx = pamt_owner(page->entry);
	c->out.r8 = page->size;
	if (c->in.rcx & (page_bytes(page->size) - 1))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (page->type == PT_TDR)
		return reclaim_tdr(s, c, page);
	return reclaim_child(s, c, page);
}

/*
 * The host gets a page of a TD in TEARDOWN back, the TDR last.
 *
 * In:  RCX	page
 * Out: RCX	page type
 *	RDX	physical address of the owner's TDR
 *	R8	page size
 *	R9	Dynamic PAMT: a hint that the region needs no pair any more
 */
uint64_t tdh_phymem_page_reclaim(struct seam *s, struct call *c)
{
	struct pamt_walk page;
	uint64_t status;

	status = operand_page(s, c, c->in.rcx, PS_4K, OPERAND_RCX, LOCK_EXCLUSIVE, &page);
	if (status)
		return status;
	status = reclaim(s, c, &page);
	pamt_unwalk(&page);
	return status;
}

/*
 * Cache lines of a page that is the host's, under any KeyID, go to memory.
 *
 * In: RCX	page, and the KeyID in the upper bits
 */
uint64_t tdh_phymem_page_wbinvd(struct seam *s, struct call *c)
{
	uint64_t hkid_bits = (1ULL << s->cfg.maxpa) - (1ULL << s->cfg.hpa_bits);
	struct pamt_walk page;
	uint64_t status;

	status = own_check_type(s, c, c->in.rcx & ~hkid_bits, PT_NDA, OPERAND_RCX, LOCK_SHARED,
				&page);
	if (!status)
		pamt_unwalk(&page);
	return status;
}
