// SPDX-License-Identifier: GPL-2.0-only
/* The next call of a host that builds a TD, uses it and takes it down. */
#include "property.h"

#define TD_CALL(leaf, td)	((struct seam_regs){ .rax = leaf, .rcx = (td)->tdr })
#define VCPUS			2

/* A page becomes the TD's, or the vCPU's. */
static struct seam_regs give(struct host *h, struct random *r, unsigned int leaf, uint64_t to)
{
	return (struct seam_regs){ .rax = leaf, .rcx = random_free_page(h, r), .rdx = to };
}

static struct seam_regs vcpu_step(struct host *h, struct random *r, const struct td *td)
{
	const struct vcpu *v = td->vcpus;

	if (!v || (!v->next && random_below(r, VCPUS)))
		return give(h, r, TDH_VP_CREATE, td->tdr);
	if (v->nr_tdcx < TDVPS_CHILD_PAGES)
		return give(h, r, TDH_VP_ADDCX, v->tdvpr);
	return (struct seam_regs){ .rax = TDH_VP_INIT | 1 << 16, .rcx = v->tdvpr,
				   .r8 = random_below(r, 8) };
}

static unsigned int leaf_for(struct random *r, const struct td *td, enum sept_state state)
{
	bool runs = atomic_load(&td->op_state) == OP_RUNNABLE;

	if (state == SEPT_FREE)
		return runs ? TDH_MEM_PAGE_AUG : TDH_MEM_PAGE_ADD;
	if (sept_is_blocked(state))
		return random_below(r, 2) ? TDH_MEM_PAGE_REMOVE : TDH_MEM_TRACK;
	if (runs)
		return TDH_MEM_RANGE_BLOCK;
	return random_below(r, 4) ? TDH_MR_EXTEND : TDH_MEM_PAGE_REMOVE;
}

/* A table is missing, or one is blocked and may go. */
static unsigned int table_leaf(struct random *r, enum sept_state state)
{
	static const unsigned int leaf[] = { TDH_MEM_RANGE_UNBLOCK, TDH_MEM_SEPT_REMOVE,
					     TDH_MEM_TRACK };

	return state == SEPT_FREE ? TDH_MEM_SEPT_ADD : leaf[random_below(r, 3)];
}

/* Is there a lowest table for @gpa, and nothing in it? */
static bool has_empty_table(const struct td *td, uint64_t gpa)
{
	struct sept_walk walk;

	return sept_walk(&td->sept, gpa, 1, &walk) && walk.state == SEPT_NL_MAPPED &&
	       sept_table_is_free(walk.entry->table);
}

/* Towards memory at some GPA, or away from it. */
static struct seam_regs memory_step(struct host *h, struct random *r, struct td *td)
{
	uint64_t gpa = random_gpa(r, 0);
	struct seam_regs regs = { .rdx = td->tdr, .r8 = random_free_page(h, r), .r9 = SOURCE };
	struct sept_walk walk;

	if (!random_below(r, 8) && has_empty_table(td, gpa)) {
		regs.rax = TDH_MEM_RANGE_BLOCK;
		regs.rcx = (gpa & ~(SZ_2M - 1)) | 1;
		return regs;
	}
	if (sept_walk(&td->sept, gpa, 0, &walk)) {
		regs.rax = leaf_for(r, td, walk.state);
		regs.rcx = gpa;
	} else {
		regs.rax = table_leaf(r, walk.state);
		regs.rcx = (gpa & ~(sept_level_bytes(walk.level) - 1)) | walk.level;
	}
	if (regs.rax == TDH_MEM_TRACK)
		regs.rcx = td->tdr;
	return regs;
}

static struct seam_regs alive_step(struct host *h, struct random *r, struct td *td)
{
	uint64_t dice = random_below(r, 200);

	if (td->nr_tdcx < TDCS_PAGES)
		return give(h, r, TDH_MNG_ADDCX, td->tdr);
	if (atomic_load(&td->op_state) == OP_UNINIT)
		return (struct seam_regs){ .rax = TDH_MNG_INIT, .rcx = td->tdr, .rdx = TD_PARAMS };
	if (dice == 0)
		return TD_CALL(TDH_MNG_VPFLUSHDONE, td);
	if (dice < 4 && td->vcpus)
		return (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = td->vcpus->tdvpr };
	if (dice < 8)
		return TD_CALL(TDH_MR_FINALIZE, td);
	if (dice < 60 && atomic_load(&td->op_state) == OP_INIT)
		return vcpu_step(h, r, td);
	return memory_step(h, r, td);
}

/* A page that is still the TD's, or the TDR. */
static struct seam_regs reclaim_step(struct host *h, struct random *r, const struct td *td)
{
	uint64_t start = random_below(r, POOL_PAGES);

	for (uint64_t i = 0; i < POOL_PAGES; i++) {
		uint64_t pa = pool_page((unsigned int)((start + i) % POOL_PAGES));
		const struct pamt_entry *page = host_page(h, pa);

		if (page->type != PT_NDA && pamt_owner(page) == td->tdr)
			return (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RECLAIM, .rcx = pa };
	}
	return TD_CALL(TDH_PHYMEM_PAGE_RECLAIM, td);
}

static struct td *some_td(struct host *h, struct random *r)
{
	struct td *td = h->seam->tds;

	for (uint64_t i = random_below(r, POOL_HKIDS); td && td->next && i; i--)
		td = td->next;
	return td;
}

static struct seam_regs dying_step(struct random *r, const struct td *td)
{
	if (random_below(r, 2))
		return (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB, .rcx = random_below(r, 2) };
	return TD_CALL(TDH_MNG_KEY_FREEID, td);
}

struct seam_regs property_step(struct host *h, struct random *r)
{
	struct td *td = some_td(h, r);

	if (!td)
		return (struct seam_regs){ .rax = TDH_MNG_CREATE, .rcx = random_free_page(h, r),
					   .rdx = HOST_HKID + random_below(r, POOL_HKIDS) };
	switch (atomic_load(&td->lifecycle)) {
	case TD_HKID_ASSIGNED:
		return TD_CALL(TDH_MNG_KEY_CONFIG, td);
	case TD_KEYS_CONFIGURED:
		return alive_step(h, r, td);
	case TD_BLOCKED:
		return dying_step(r, td);
	case TD_TEARDOWN:
		break;
	}
	return reclaim_step(h, r, td);
}

/* A vCPU whose state is on some LP, or else the end of them all. */
static struct seam_regs flush_step(const struct td *td)
{
	for (const struct vcpu *v = td->vcpus; v; v = v->next) {
		if (atomic_load(&v->lp) != VCPU_NO_LP)
			return (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = v->tdvpr };
	}
	return TD_CALL(TDH_MNG_VPFLUSHDONE, td);
}

struct seam_regs property_end_step(struct host *h, struct random *r)
{
	const struct td *td = some_td(h, r);

	if (!td || !random_below(r, 8))
		return (struct seam_regs)REMOVE_PAIR(REGION(random_below(r, POOL_REGIONS)));
	switch (atomic_load(&td->lifecycle)) {
	case TD_HKID_ASSIGNED:
	case TD_KEYS_CONFIGURED:
		return flush_step(td);
	case TD_BLOCKED:
		return dying_step(r, td);
	case TD_TEARDOWN:
		break;
	}
	return reclaim_step(h, r, td);
}
