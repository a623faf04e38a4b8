// SPDX-License-Identifier: GPL-2.0-only
/* Random calls.  They look into the model, so that sequences get far. */
#include <string.h>

#include "gpa.h"
#include "property.h"

/* A page of the pool lies every so many pages. */
#define POOL_STRIDE	10
#define LISTS		(7 * MB)
#define NR_LISTS	2
#define LONG_REGIONS	2

uint64_t random_next(struct random *r)
{
	uint64_t x = r->state += 0x9E3779B97F4A7C15ULL;

	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
	x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
	return x ^ x >> 31;
}

uint64_t random_below(struct random *r, uint64_t below)
{
	return random_next(r) % below;
}

static bool chance(struct random *r, unsigned int percent)
{
	return random_below(r, 100) < percent;
}

uint64_t pool_page(unsigned int i)
{
	return REGION_PG(i / POOL_PER_REGION, i % POOL_PER_REGION * POOL_STRIDE);
}

/* Of the first @regions, which are used more or less: some are empty at times. */
static uint64_t page_in(struct random *r, uint64_t regions)
{
	uint64_t region = random_below(r, 1 + random_below(r, regions));

	return pool_page((unsigned int)(region * POOL_PER_REGION +
					random_below(r, POOL_PER_REGION)));
}

static uint64_t any_page(struct random *r)
{
	return page_in(r, POOL_REGIONS);
}

/* A page of @type if one is met soon. */
static uint64_t page_of(struct host *h, struct random *r, enum page_type type)
{
	uint64_t pa = any_page(r);

	for (unsigned int i = 0; i < 24 && host_page(h, pa)->type != type; i++)
		pa = any_page(r);
	return pa;
}

static bool is_free(struct host *h, uint64_t pa)
{
	struct pamt *pamt = &h->seam->pamt;

	return host_page(h, pa)->type == PT_NDA && !pamt_is_pamt_page(pamt, pa) &&
	       (!pamt->dynamic || pamt_has_pair(pamt_entry(pamt, pa, PS_2M)));
}

static uint64_t free_page_in(struct host *h, struct random *r, uint64_t regions)
{
	uint64_t pa = page_in(r, regions);

	for (unsigned int i = 0; i < 48 && !is_free(h, pa); i++)
		pa = page_in(r, regions);
	return pa;
}

uint64_t random_free_page(struct host *h, struct random *r)
{
	return free_page_in(h, r, POOL_REGIONS);
}

/* What lives long stays out of some regions. */
static uint64_t free_page_for_long(struct host *h, struct random *r)
{
	return free_page_in(h, r, LONG_REGIONS);
}

/*
 * A random bit in one operand of fifty; not one that leads to other regions, as
 * nobody would look at what happens there.
 */
static uint64_t bent(struct random *r, uint64_t value)
{
	uint64_t bit = random_below(r, 64);

	if (random_below(r, 50) || (bit >= 21 && bit < HOST_HPA_BITS))
		return value;
	return value ^ 1ULL << bit;
}

uint64_t random_gpa(struct random *r, unsigned int level)
{
	static const uint64_t base[] = { 0, SZ_2M, SZ_1G, 512 * SZ_1G };
	uint64_t gpa = base[random_below(r, ARRAY_SIZE(base))] + random_below(r, 6) * SZ_4K;

	return (gpa & ~(sept_level_bytes(level) - 1)) | level;
}

static uint64_t any_list(struct random *r)
{
	return LISTS + random_below(r, NR_LISTS) * SZ_4K;
}

/* Addresses of @nr pages for a list, mostly free ones. */
static uint64_t fill_list(struct host *h, struct random *r, unsigned int nr)
{
	uint64_t root = any_list(r), *slot = host_list(h, root);

	for (unsigned int i = 0; i < nr; i++)
		slot[i] = bent(r, free_page_for_long(h, r));
	return root;
}

static uint64_t array(struct host *h, struct random *r, unsigned int nr)
{
	if (nr == 1)
		return free_page_for_long(h, r);
	return bent(r, fill_list(h, r, nr) | (uint64_t)(nr - 1) << 55);
}

static uint64_t iommu_mt(struct host *h, struct random *r)
{
	uint64_t root = any_list(r);

	memset(host_list(h, root), 0, SZ_4K);
	for (unsigned int i = 0; i < h->cfg.iommu_mt_pages; i++)
		host_list(h, root)[2 + i] = bent(r, free_page_for_long(h, r));
	for (unsigned int i = 0; i < 2; i++)
		host_list(h, root)[i] = free_page_for_long(h, r) | 2;
	return bent(r, root);
}

static uint64_t list_info(struct host *h, struct random *r)
{
	uint64_t nr = 1 + random_below(r, 6);

	/* Go on where it was interrupted. */
	if (h->seam->ext.resume && chance(r, 80))
		return h->seam->ext.resume;
	return bent(r, fill_list(h, r, (unsigned int)nr) | (nr - 1) << 55);
}

/* An interrupted call again, or the one that was made up. */
static struct seam_regs connect_call(struct host *h, struct random *r, struct seam_regs regs)
{
	for (const struct connect *o = h->seam->connect.objects; o; o = o->next) {
		if (o->state != CONNECT_LIVE && chance(r, 50))
			return o->in;
	}
	return regs;
}

/* A live object of @kind, NULL if there is none. */
static const struct connect *some_object(struct host *h, struct random *r,
					 enum connect_kind kind)
{
	const struct connect *some = NULL;

	for (const struct connect *o = h->seam->connect.objects; o; o = o->next) {
		if (o->kind == kind && o->state == CONNECT_LIVE && (!some || chance(r, 50)))
			some = o;
	}
	return some;
}

static uint64_t connect_id(struct host *h, struct random *r, enum connect_kind kind)
{
	const struct connect *o = some_object(h, r, kind);

	return bent(r, o ? o->id : h->seam->connect.last_id);
}

static uint64_t session_of_stream(struct host *h, uint64_t stream)
{
	for (const struct connect *o = h->seam->connect.objects; o; o = o->next) {
		if (o->kind == CONNECT_IDE && o->id == stream)
			return o->spdm->id;
	}
	return 0;
}

/* KVM's ids of fields, and one that no module has. */
static uint64_t field(struct random *r)
{
	static const uint64_t id[] = {
		0x110000000000000A, 0x110000000000000B, 0x9100000000000100, 0x2016, 2, 0x203C,
		0x4000, 0x200000000000000B, 0x3100000200000000, 0x0A00000300000008, ~0ULL, 0x77,
	};

	return id[random_below(r, ARRAY_SIZE(id))];
}

static const uint8_t leaves[] = {
	TDH_MNG_ADDCX, TDH_MNG_ADDCX, TDH_MEM_PAGE_ADD, TDH_MEM_SEPT_ADD, TDH_MEM_SEPT_ADD,
	TDH_VP_ADDCX, TDH_VP_ADDCX, TDH_MEM_PAGE_AUG, TDH_MEM_PAGE_AUG, TDH_MEM_RANGE_BLOCK,
	TDH_MNG_KEY_CONFIG, TDH_MNG_CREATE, TDH_VP_CREATE, TDH_MNG_RD, TDH_MR_EXTEND,
	TDH_MR_FINALIZE, TDH_VP_FLUSH, TDH_MNG_VPFLUSHDONE, TDH_MNG_KEY_FREEID, TDH_MNG_INIT,
	TDH_VP_INIT, TDH_PHYMEM_PAGE_RDMD, TDH_VP_RD, TDH_PHYMEM_PAGE_RECLAIM,
	TDH_PHYMEM_PAGE_RECLAIM, TDH_MEM_PAGE_REMOVE, TDH_MEM_PAGE_REMOVE, TDH_MEM_SEPT_REMOVE,
	TDH_SYS_KEY_CONFIG, TDH_SYS_INIT, TDH_SYS_RD, TDH_SYS_LP_INIT, TDH_SYS_TDMR_INIT,
	TDH_MEM_TRACK, TDH_MEM_TRACK, TDH_MEM_RANGE_UNBLOCK, TDH_PHYMEM_CACHE_WB,
	TDH_PHYMEM_PAGE_WBINVD, TDH_VP_WR, TDH_SYS_CONFIG, TDH_PHYMEM_PAMT_ADD,
	TDH_PHYMEM_PAMT_ADD, TDH_PHYMEM_PAMT_REMOVE, TDH_EXT_INIT, TDH_EXT_MEM_ADD,
	TDH_IOMMU_SETUP, TDH_IOMMU_CLEAR, TDH_SPDM_CREATE, TDH_SPDM_DELETE,
	TDH_IDE_STREAM_CREATE, TDH_IDE_STREAM_DELETE,
};

/* Ends of TDs and reasons for them: now and then only, so that TDs live. */
static bool is_rare(unsigned int leaf)
{
	return leaf == TDH_MNG_VPFLUSHDONE || leaf == TDH_MR_FINALIZE;
}

static struct seam_regs td_call(struct host *h, struct random *r, unsigned int leaf)
{
	struct seam_regs regs = { .rax = leaf };
	uint64_t tdr = bent(r, page_of(h, r, PT_TDR)), tdvpr = bent(r, page_of(h, r, PT_TDVPR));

	switch (leaf) {
	case TDH_MNG_CREATE:
		regs.rcx = bent(r, random_free_page(h, r));
		regs.rdx = HOST_HKID + random_below(r, POOL_HKIDS);
		break;
	case TDH_MNG_ADDCX:
	case TDH_VP_CREATE:
		regs.rcx = bent(r, random_free_page(h, r));
		regs.rdx = tdr;
		break;
	case TDH_VP_ADDCX:
		regs.rcx = bent(r, random_free_page(h, r));
		regs.rdx = tdvpr;
		break;
	case TDH_VP_INIT:
		regs.rax |= random_below(r, 2) << 16;
		regs.rcx = tdvpr;
		regs.r8 = random_below(r, 3);
		break;
	case TDH_VP_FLUSH:
	case TDH_VP_RD:
	case TDH_VP_WR:
		regs.rcx = tdvpr;
		regs.rdx = field(r);
		regs.r8 = random_next(r) >> random_below(r, 64);
		regs.r9 = ~0ULL;
		break;
	default:
		regs.rcx = tdr;
		regs.rdx = leaf == TDH_MNG_INIT ? TD_PARAMS : field(r);
		break;
	}
	return regs;
}

static struct seam_regs mem_call(struct host *h, struct random *r, unsigned int leaf)
{
	bool table = leaf == TDH_MEM_SEPT_ADD || leaf == TDH_MEM_SEPT_REMOVE;
	unsigned int level = table ? 1 + (unsigned int)random_below(r, 3) : 0;
	struct seam_regs regs = { .rax = leaf, .r9 = SOURCE };

	/* Pages of 2M, and blocking at any level. */
	if (!table && leaf != TDH_MEM_PAGE_ADD && chance(r, 15))
		level = 1 + (unsigned int)random_below(r, leaf == TDH_MEM_RANGE_BLOCK ? 3 : 1);
	regs.rcx = bent(r, random_gpa(r, level));
	regs.rdx = bent(r, page_of(h, r, PT_TDR));
	regs.r8 = leaf == TDH_MEM_PAGE_AUG && level == 1 ?
		  REGION(random_below(r, POOL_REGIONS)) : bent(r, random_free_page(h, r));
	return regs;
}

static struct seam_regs feature_call(struct host *h, struct random *r, unsigned int leaf)
{
	struct seam_regs regs = { .rax = leaf };

	switch (leaf) {
	case TDH_PHYMEM_PAMT_ADD:
		regs.rcx = bent(r, REGION(random_below(r, POOL_REGIONS)) | PS_2M);
		regs.rdx = bent(r, page_of(h, r, PT_NDA));
		regs.r8 = bent(r, page_of(h, r, PT_NDA));
		break;
	case TDH_PHYMEM_PAMT_REMOVE:
		regs.rcx = bent(r, REGION(random_below(r, POOL_REGIONS)) | PS_2M);
		break;
	case TDH_EXT_MEM_ADD:
		regs.rcx = list_info(h, r);
		break;
	case TDH_IOMMU_SETUP:
		regs.rcx = bent(r, 0xFED90000 + random_below(r, 2) * SZ_4K);
		regs.rdx = iommu_mt(h, r);
		break;
	case TDH_IOMMU_CLEAR:
		regs.rcx = connect_id(h, r, CONNECT_IOMMU);
		regs.rdx = bent(r, LISTS);
		break;
	case TDH_SPDM_CREATE:
		regs.rcx = bent(r, 1 + random_below(r, 3));
		regs.rdx = array(h, r, h->cfg.spdm_mt_pages);
		break;
	case TDH_SPDM_DELETE:
		regs.rcx = connect_id(h, r, CONNECT_SPDM);
		regs.rdx = bent(r, h->cfg.spdm_mt_pages > 1 ? LISTS : 0);
		break;
	case TDH_IDE_STREAM_CREATE:
		regs.rcx = random_below(r, 3);
		regs.rdx = connect_id(h, r, CONNECT_SPDM);
		regs.r8 = array(h, r, h->cfg.ide_mt_pages);
		break;
	case TDH_IDE_STREAM_DELETE:
		regs.rdx = connect_id(h, r, CONNECT_IDE);
		regs.rcx = bent(r, session_of_stream(h, regs.rdx));
		regs.r8 = h->cfg.ide_mt_pages > 1 ? LISTS : 0;
		break;
	}
	return leaf >= TDH_IOMMU_SETUP ? connect_call(h, r, regs) : regs;
}

static struct seam_regs other_call(struct host *h, struct random *r, unsigned int leaf)
{
	struct seam_regs regs = { .rax = leaf, .rcx = bent(r, any_page(r)), .rdx = field(r) };
	static const enum page_type type[] = { PT_TDCX, PT_TDVPR, PT_EPT, PT_REG, PT_TDR };

	switch (leaf) {
	case TDH_PHYMEM_PAGE_RECLAIM:
		regs.rcx = bent(r, page_of(h, r, type[random_below(r, ARRAY_SIZE(type))]));
		break;
	case TDH_PHYMEM_CACHE_WB:
		regs.rcx = random_below(r, 2);
		break;
	case TDH_SYS_CONFIG:
		return h->config;
	case TDH_SYS_TDMR_INIT:
		regs.rcx = random_below(r, 5) * GB;
		break;
	}
	return regs;
}

struct seam_regs property_call(struct host *h, struct random *r)
{
	unsigned int leaf = leaves[random_below(r, ARRAY_SIZE(leaves))];

	while (is_rare(leaf) && chance(r, 90))
		leaf = leaves[random_below(r, ARRAY_SIZE(leaves))];

	switch (leaf) {
	case TDH_MNG_ADDCX:
	case TDH_VP_ADDCX:
	case TDH_MNG_KEY_CONFIG:
	case TDH_MNG_CREATE:
	case TDH_VP_CREATE:
	case TDH_MNG_RD:
	case TDH_MR_FINALIZE:
	case TDH_VP_FLUSH:
	case TDH_MNG_VPFLUSHDONE:
	case TDH_MNG_KEY_FREEID:
	case TDH_MNG_INIT:
	case TDH_VP_INIT:
	case TDH_VP_RD:
	case TDH_VP_WR:
	case TDH_MEM_TRACK:
		return td_call(h, r, leaf);
	case TDH_MEM_PAGE_ADD:
	case TDH_MEM_SEPT_ADD:
	case TDH_MEM_PAGE_AUG:
	case TDH_MEM_RANGE_BLOCK:
	case TDH_MEM_RANGE_UNBLOCK:
	case TDH_MEM_PAGE_REMOVE:
	case TDH_MEM_SEPT_REMOVE:
	case TDH_MR_EXTEND:
		return mem_call(h, r, leaf);
	case TDH_PHYMEM_PAMT_ADD:
	case TDH_PHYMEM_PAMT_REMOVE:
	case TDH_EXT_INIT:
	case TDH_EXT_MEM_ADD:
	case TDH_IOMMU_SETUP ... TDH_IDE_STREAM_DELETE:
		return feature_call(h, r, leaf);
	default:
		return other_call(h, r, leaf);
	}
}
