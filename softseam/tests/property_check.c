// SPDX-License-Identifier: GPL-2.0-only
/* What must hold between any two calls. */
#include <inttypes.h>
#include <string.h>

#include "plain.h"
#include "property.h"

#define must_hold(condition, fmt, ...)						\
	do {									\
		if (!(condition))						\
			fail_msg("does not hold: %s: " fmt, #condition, __VA_ARGS__);	\
	} while (0)

#define NR_TYPES	16

/* What the PAMT says. */
struct census {
	/* Units of 4K: of the module itself, by type, and all. */
	uint64_t of_type[NR_TYPES], all;
};

struct td_census {
	uint64_t of_type[NR_TYPES];
};

/* What a TD's own structures say that it has. */
struct td_pages {
	uint64_t tables, leaves_4k;
};

static struct td *td_at(struct host *h, uint64_t tdr)
{
	struct td *td;

	for (td = h->seam->tds; td && td->tdr != tdr; td = td->next)
		;
	return td;
}

static bool unlocked(const struct trylock *lock)
{
	return !atomic_load(&lock->holders);
}

static bool has_owner(enum page_type type)
{
	return type == PT_TDCX || type == PT_TDVPR || type == PT_EPT || type == PT_REG;
}

/* One page in use: its owner lives, and so many units are counted for both. */
static void count_page(struct host *h, struct census *all, uint64_t pa, enum page_size size)
{
	const struct pamt_entry *e = pamt_entry(&h->seam->pamt, pa, size);
	enum page_type type = (enum page_type)e->type;
	uint64_t units = page_bytes(size) / SZ_4K;

	must_hold(unlocked(&e->lock), "page 0x%" PRIx64, pa);
	if (type == PT_NDA)
		return;
	must_hold(type < NR_TYPES && type != PT_RSVD && type != PT_PAMT,
		  "page 0x%" PRIx64 " has type %u", pa, type);
	must_hold(!pamt_is_pamt_page(&h->seam->pamt, pa), "page 0x%" PRIx64, pa);
	if (has_owner(type))
		must_hold(td_at(h, pamt_owner(e)), "page 0x%" PRIx64 " of TDR 0x%" PRIx64,
			  pa, pamt_owner(e));
	else
		must_hold(!pamt_owner(e), "page 0x%" PRIx64 " has an owner", pa);
	all->of_type[type] += units;
	all->all += units;
}

/* A region is a 2M page, or has entries for 4K, or has nothing. */
static void check_region(struct host *h, struct census *all, uint64_t region)
{
	const struct pamt *pamt = &h->seam->pamt;
	const struct pamt_entry *e = pamt_entry(pamt, region, PS_2M);
	bool has_entries = !pamt->dynamic || pamt_has_pair(e);
	uint64_t before = all->all;

	must_hold(unlocked(&e->lock), "region 0x%" PRIx64, region);
	must_hold(e->type == PT_NDA || e->type == PT_REG, "region 0x%" PRIx64, region);
	for (uint64_t pa = region; pa < region + SZ_2M; pa += SZ_4K)
		count_page(h, all, pa, PS_4K);

	must_hold(all->all - before == atomic_load(pamt_used(pamt, region)),
		  "region 0x%" PRIx64 " uses %" PRIu64 " pages", region, all->all - before);
	must_hold(all->all == before || (has_entries && e->type == PT_NDA),
		  "region 0x%" PRIx64 " uses 4K pages", region);
	if (e->type == PT_REG)
		count_page(h, all, region, PS_2M);
}

/* The bitmap has the pages of all pairs, each once, and nothing else. */
static void check_pairs(struct host *h)
{
	const struct pamt *pamt = &h->seam->pamt;
	uint64_t pairs = 0, marked = 0;

	for (uint64_t region = 4 * GB; region < 4 * GB + NR_REGIONS * SZ_2M; region += SZ_2M) {
		const struct pamt_entry *e = pamt_entry(pamt, region, PS_2M);
		struct pamt_pair pair;

		if (!pamt_has_pair(e))
			continue;
		pair = pamt_get_pair(e);
		must_hold(pamt_is_pamt_page(pamt, pair.page[0]), "region 0x%" PRIx64, region);
		must_hold(pamt_is_pamt_page(pamt, pair.page[1]), "region 0x%" PRIx64, region);
		must_hold(pair.page[0] != pair.page[1], "region 0x%" PRIx64, region);
		pairs++;
	}
	for (uint64_t pa = 4 * GB; pa < 4 * GB + NR_REGIONS * SZ_2M; pa += SZ_4K)
		marked += pamt_is_pamt_page(pamt, pa);
	must_hold(marked == 2 * pairs && pairs == atomic_load(&pamt->pairs),
		  "%" PRIu64 " pairs, %" PRIu64 " pages", pairs, marked);
}

/* Entries below @table agree with the types of the pages that they lead to. */
static void check_table(struct host *h, const struct td *td, const struct sept_table *table,
			unsigned int level, uint64_t gpa, struct td_pages *pages)
{
	for (unsigned int i = 0; i < SEPT_NR_ENTRIES; i++, gpa += sept_level_bytes(level)) {
		const struct sept_entry *entry = &table->entry[i];
		struct sept_walk walk = { .entry = (struct sept_entry *)entry, .level = level };
		const struct pamt_entry *page;

		sept_reload(&walk);
		must_hold(unlocked(&entry->lock), "GPA 0x%" PRIx64, gpa);
		must_hold(!entry->table == !(walk.state & SEPT_NON_LEAF), "GPA 0x%" PRIx64, gpa);
		if (walk.state == SEPT_FREE)
			continue;
		page = pamt_entry(&h->seam->pamt, walk.hpa,
				  entry->table ? PS_4K : (enum page_size)level);
		must_hold(page->type == (entry->table ? PT_EPT : PT_REG) &&
			  pamt_owner(page) == td->tdr,
			  "GPA 0x%" PRIx64 " leads to 0x%" PRIx64, gpa, walk.hpa);
		if (!entry->table) {
			must_hold(own_info(h->seam, walk.hpa)->gpa == gpa, "GPA 0x%" PRIx64, gpa);
			pages->leaves_4k += sept_level_bytes(level) / SZ_4K;
			continue;
		}
		must_hold(own_info(h->seam, walk.hpa)->object == entry->table,
			  "GPA 0x%" PRIx64, gpa);
		pages->tables++;
		check_table(h, td, entry->table, level - 1, gpa, pages);
	}
}

static void count_owned(struct host *h, const struct td *td, struct td_census *n)
{
	for (uint64_t region = 4 * GB; region < 4 * GB + NR_REGIONS * SZ_2M; region += SZ_2M) {
		const struct pamt_entry *e = pamt_entry(&h->seam->pamt, region, PS_2M);

		if (e->type == PT_REG && pamt_owner(e) == td->tdr)
			n->of_type[PT_REG] += SZ_2M / SZ_4K;
		if (!atomic_load(pamt_used(&h->seam->pamt, region)))
			continue;
		for (uint64_t pa = region; pa < region + SZ_2M; pa += SZ_4K) {
			e = pamt_entry(&h->seam->pamt, pa, PS_4K);
			if (e->type != PT_NDA && has_owner((enum page_type)e->type) &&
			    pamt_owner(e) == td->tdr)
				n->of_type[e->type]++;
		}
	}
}

static void check_vcpus(struct host *h, const struct td *td, uint64_t *nr, uint64_t *tdcx)
{
	uint32_t associated = 0;

	for (const struct vcpu *v = td->vcpus; v; v = v->next) {
		must_hold(own_info(h->seam, v->tdvpr)->object == v, "TDVPR 0x%" PRIx64, v->tdvpr);
		*tdcx += v->nr_tdcx;
		associated += atomic_load(&v->lp) != VCPU_NO_LP;
		++*nr;
	}
	must_hold(associated == atomic_load(&td->nr_associated), "TDR 0x%" PRIx64, td->tdr);
}

static void check_td(struct host *h, const struct td *td)
{
	uint64_t vcpus = 0, tdcx = td->nr_tdcx, children;
	struct td_pages pages = { 0 };
	struct td_census n = { 0 };

	must_hold(host_page(h, td->tdr)->type == PT_TDR &&
		  own_info(h->seam, td->tdr)->object == td, "TDR 0x%" PRIx64, td->tdr);
	must_hold(unlocked(&td->op_state_lock) && unlocked(&td->sept.lock) &&
		  unlocked(&td->epoch.lock), "TDR 0x%" PRIx64, td->tdr);
	count_owned(h, td, &n);
	children = n.of_type[PT_TDCX] + n.of_type[PT_TDVPR] + n.of_type[PT_EPT] +
		   n.of_type[PT_REG];
	must_hold(children == atomic_load(&td->children), "TDR 0x%" PRIx64 " has %" PRIu64 " pages",
		  td->tdr, children);

	/* From TEARDOWN on pages go one by one, in any order. */
	if (atomic_load(&td->lifecycle) == TD_TEARDOWN)
		return;
	check_vcpus(h, td, &vcpus, &tdcx);
	if (td->sept.root)
		check_table(h, td, td->sept.root, td->sept.root_level, 0, &pages);
	must_hold(vcpus == n.of_type[PT_TDVPR] && tdcx == n.of_type[PT_TDCX] &&
		  pages.tables == n.of_type[PT_EPT] && pages.leaves_4k == n.of_type[PT_REG],
		  "TDR 0x%" PRIx64, td->tdr);
}

static enum kot_state expected_key(struct host *h, uint32_t hkid)
{
	if (hkid == h->seam->global_hkid)
		return KOT_RESERVED;
	for (const struct td *td = h->seam->tds; td; td = td->next) {
		if (td->hkid != hkid)
			continue;
		if (atomic_load(&td->lifecycle) < TD_BLOCKED)
			return KOT_ASSIGNED;
		if (atomic_load(&td->lifecycle) == TD_BLOCKED)
			return KOT_FLUSHED;
	}
	return KOT_FREE;
}

static void check_keys(struct host *h)
{
	const struct kot *kot = &h->seam->kot;

	must_hold(unlocked(&kot->lock) && unlocked(&h->seam->ket.lock), "%s", "key tables");
	for (uint32_t hkid = kot->first; hkid < kot->end; hkid++)
		must_hold(atomic_load(&kot->state[hkid]) == expected_key(h, hkid),
			  "KeyID %" PRIu32 " is in state %u", hkid, atomic_load(&kot->state[hkid]));
}

/* Pages of the module's own, by who has them. */
static void check_module_pages(struct host *h, const struct census *all)
{
	static const enum page_type types[NR_CONNECT_KINDS] = {
		PT_IOMMU_MT, PT_SPDM_MT, PT_IDE_MT,
	};
	uint64_t taken[NR_CONNECT_KINDS] = { 0 };

	for (const struct connect *o = h->seam->connect.objects; o; o = o->next) {
		taken[o->kind] += o->taken;
		for (unsigned int i = 0; i < o->taken; i++)
			must_hold(host_page(h, o->pages.pa[i])->type == types[o->kind],
				  "object %" PRIu64 " page 0x%" PRIx64, o->id, o->pages.pa[i]);
	}
	for (enum connect_kind kind = 0; kind < NR_CONNECT_KINDS; kind++)
		must_hold(taken[kind] == all->of_type[types[kind]], "kind %u", kind);
	must_hold(all->of_type[PT_EXT] == atomic_load(&h->seam->ext.pool_has), "%s", "pool");
	must_hold(unlocked(&h->seam->ext.lock) && unlocked(&h->seam->connect.lock), "%s", "locks");
}

/* What a TD had in a page is nobody's once the page is free. */
static void check_contents(struct host *h)
{
	static const uint8_t zero[SZ_4K];

	for (unsigned int i = 0; i < POOL_PAGES; i++) {
		uint64_t pa = pool_page(i);

		if (host_page(h, pa)->type != PT_NDA ||
		    pamt_entry(&h->seam->pamt, pa, PS_2M)->type != PT_NDA)
			continue;
		must_hold(!memcmp(plain_at(h->seam, pa), zero, SZ_4K), "free page 0x%" PRIx64, pa);
	}
}

void property_check(struct host *h)
{
	struct census all = { 0 };
	uint64_t tds = 0;

	must_hold(unlocked(&h->seam->sys_lock), "%s", "the module's lock");
	must_hold(unlocked(&pamt_entry(&h->seam->pamt, 4 * GB, PS_1G)->lock), "%s", "1G lock");
	for (unsigned int i = 0; i < NR_REGIONS; i++)
		check_region(h, &all, REGION(i));
	check_pairs(h);
	for (const struct td *td = h->seam->tds; td; td = td->next, tds++)
		check_td(h, td);
	must_hold(all.of_type[PT_TDR] == tds, "%" PRIu64 " TDs", tds);
	must_hold(all.all == atomic_load(&h->seam->own.pages), "%" PRIu64 " pages", all.all);
	check_keys(h);
	check_module_pages(h, &all);
	check_contents(h);
}
