// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random SEAMCALLs on a few pages, KeyIDs and GPAs, with guests that enter, make
 * TDCALLs and leave.  Whatever the statuses, what the module keeps must
 * agree with itself.  SEED repeats a run, CALLS sets its length.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random_guest.h"

#define NR_CALLS	1000000ULL
/* Calls between two looks at everything. */
#define CHECK_EVERY	100

#define NR_PAGES	192
#define NR_LARGE	2
#define LARGE(i)	(FREE_2M + (uint64_t)(i) * SZ_2M)
#define NR_HKIDS	3

struct run {
	struct host *h;
	struct seam *s;
	struct random random;
	struct random_guests guests;
	uint64_t successes, leaf_ok[SEAM_MAX_LEAF];
};

static uint64_t next(struct run *r)
{
	return random_next(&r->random);
}

static unsigned int below(struct run *r, unsigned int n)
{
	return (unsigned int)(next(r) >> 33) % n;
}

static bool chance(struct run *r, unsigned int percent)
{
	return below(r, 100) < percent;
}

/* Any page, or, if there is one, a page of @type. */
static uint64_t pick(struct run *r, enum page_type type)
{
	unsigned int from = below(r, NR_PAGES);

	if (chance(r, 5))
		return PG(from) | (chance(r, 20) ? next(r) >> below(r, 64) : 0);
	for (unsigned int i = 0; i < NR_PAGES; i++) {
		uint64_t pa = PG((from + i) % NR_PAGES);

		if (host_page(r->h, pa)->type == type)
			return pa;
	}
	return PG(from);
}

/* A TD that may have memory, if there is one. */
static uint64_t pick_live(struct run *r)
{
	unsigned int from = below(r, NR_PAGES);

	for (unsigned int i = 0; chance(r, 90) && i < NR_PAGES; i++) {
		uint64_t pa = PG((from + i) % NR_PAGES);
		const struct td *td = own_info(r->s, pa)->object;

		if (host_page(r->h, pa)->type == PT_TDR && td->op_state != OP_UNINIT &&
		    td->lifecycle == TD_KEYS_CONFIGURED)
			return pa;
	}
	return pick(r, PT_TDR);
}

/* A page of a TD in TEARDOWN, if there is one. */
static uint64_t pick_dead(struct run *r)
{
	unsigned int from = below(r, NR_PAGES);

	for (unsigned int i = 0; chance(r, 99) && i < NR_PAGES; i++) {
		uint64_t pa = PG((from + i) % NR_PAGES);
		uint64_t tdr = pamt_owner(host_page(r->h, pa));
		const struct td *td = tdr ? own_info(r->s, tdr)->object : NULL;

		if (td && td->lifecycle == TD_TEARDOWN)
			return pa;
	}
	return pick(r, PT_TDR);
}

/* The same for guests, as random_guest.h asks for it. */
static uint64_t free_page(struct host *h, struct random *random)
{
	uint64_t from = random_below(random, NR_PAGES);

	for (uint64_t i = 0; i < NR_PAGES; i++) {
		if (host_page(h, PG((from + i) % NR_PAGES))->type == PT_NDA)
			return PG((from + i) % NR_PAGES);
	}
	return PG(from);
}

static uint64_t pick_gpa(struct run *r, unsigned int max_level)
{
	unsigned int level = chance(r, 90) ? 0 : below(r, max_level + 1);
	uint64_t gpa = (uint64_t)chance(r, 2) << 39 | (uint64_t)chance(r, 5) << 30 |
		       (uint64_t)chance(r, 30) << 21 | (uint64_t)below(r, 6) << 12;

	return (gpa & ~(sept_level_bytes(level) - 1)) | level;
}

static uint64_t pick_new(struct run *r, uint64_t gpa)
{
	if ((gpa & 7) == 1)
		return LARGE(below(r, NR_LARGE));
	return pick(r, PT_NDA);
}

/* Leaves, and how often to call them: what builds up comes often. */
static const struct {
	uint64_t leaf;
	unsigned int weight;
} menu[] = {
	{ TDH_MNG_CREATE, 20 }, { TDH_MNG_KEY_CONFIG, 60 }, { TDH_MNG_ADDCX, 150 },
	{ TDH_MNG_INIT, 60 }, { TDH_MNG_RD, 5 }, { TDH_MNG_VPFLUSHDONE, 1 },
	{ TDH_MNG_KEY_FREEID, 40 }, { TDH_VP_CREATE, 12 }, { TDH_VP_ADDCX, 80 },
	{ TDH_VP_INIT, 40 }, { TDH_VP_FLUSH, 40 }, { TDH_VP_RD, 10 }, { TDH_VP_WR, 10 },
	{ TDH_MEM_SEPT_ADD, 100 }, { TDH_MEM_SEPT_REMOVE, 60 }, { TDH_MEM_PAGE_ADD, 80 },
	{ TDH_MEM_PAGE_AUG, 150 }, { TDH_MEM_PAGE_REMOVE, 150 }, { TDH_MEM_RANGE_BLOCK, 100 },
	{ TDH_MEM_RANGE_UNBLOCK, 10 }, { TDH_MEM_TRACK, 60 }, { TDH_MR_EXTEND, 80 },
	{ TDH_MR_FINALIZE, 8 }, { TDH_PHYMEM_PAGE_RDMD, 5 }, { TDH_PHYMEM_PAGE_RECLAIM, 150 },
	{ TDH_PHYMEM_CACHE_WB, 40 }, { TDH_PHYMEM_PAGE_WBINVD, 5 },
};

static uint64_t pick_leaf(struct run *r)
{
	unsigned int sum = 0, n, i;

	for (i = 0; i < ARRAY_SIZE(menu); i++)
		sum += menu[i].weight;
	n = below(r, sum);
	for (i = 0; n >= menu[i].weight; i++)
		n -= menu[i].weight;
	return menu[i].leaf;
}

/* Operands of TDH.MEM and TDH.MR.  Returns false for other leaves. */
static bool fill_mem(struct run *r, struct seam_regs *in)
{
	switch (in->rax) {
	case TDH_MEM_SEPT_ADD:
	case TDH_MEM_SEPT_REMOVE:
		in->rcx = pick_gpa(r, 0);
		in->rcx |= 1 + below(r, 3);
		in->rcx &= ~(sept_level_bytes(in->rcx & 7) - 1) | 7;
		in->r8 = pick(r, PT_NDA);
		break;
	case TDH_MEM_PAGE_ADD:
	case TDH_MEM_PAGE_AUG:
		in->rcx = pick_gpa(r, in->rax == TDH_MEM_PAGE_AUG ? 1 : 0);
		in->r8 = pick_new(r, in->rcx);
		in->r9 = SOURCE;
		break;
	case TDH_MEM_PAGE_REMOVE:
	case TDH_MEM_RANGE_BLOCK:
	case TDH_MEM_RANGE_UNBLOCK:
		in->rcx = pick_gpa(r, chance(r, 80) ? 1 : 3);
		break;
	case TDH_MR_EXTEND:
		in->rcx = pick_gpa(r, 0) + below(r, 16) * 256;
		break;
	default:
		return false;
	}
	in->rdx = pick_live(r);
	if (in->rax == TDH_MEM_SEPT_ADD)
		in->rdx |= chance(r, 10);
	return true;
}

/* Operands of TDH.PHYMEM.  Returns false for other leaves. */
static bool fill_phymem(struct run *r, struct seam_regs *in)
{
	switch (in->rax) {
	case TDH_PHYMEM_PAGE_RECLAIM:
		in->rcx = chance(r, 10) ? LARGE(below(r, NR_LARGE)) : pick_dead(r);
		return true;
	case TDH_PHYMEM_PAGE_RDMD:
	case TDH_PHYMEM_PAGE_WBINVD:
		in->rcx = chance(r, 10) ? LARGE(below(r, NR_LARGE)) : PG(below(r, NR_PAGES));
		return true;
	case TDH_PHYMEM_CACHE_WB:
		in->rcx = below(r, 2);
		return true;
	default:
		return false;
	}
}

/* Operands of TDH.MNG and TDH.VP; what takes a TDR in RCX is left. */
static void fill_td(struct run *r, struct seam_regs *in)
{
	static const uint64_t fields[] = { 0x2, 0x2016, 0x203C, 0x4000, 0xA02000000000000B,
					   0x9100000000000100, 0x110000000000000A, 1 };

	in->rcx = pick(r, PT_TDVPR);
	in->rdx = fields[below(r, ARRAY_SIZE(fields))];
	switch (in->rax) {
	case TDH_MNG_CREATE:
		in->rcx = pick(r, PT_NDA);
		in->rdx = HOST_HKID + below(r, NR_HKIDS + 1);
		break;
	case TDH_MNG_ADDCX:
	case TDH_VP_CREATE:
		in->rcx = pick(r, PT_NDA);
		in->rdx = pick(r, PT_TDR);
		break;
	case TDH_VP_ADDCX:
		in->rcx = pick(r, PT_NDA);
		in->rdx = pick(r, PT_TDVPR);
		break;
	case TDH_VP_INIT:
		in->rax |= (uint64_t)below(r, 2) << 16;
		in->r8 = below(r, 4);
		break;
	case TDH_VP_FLUSH:
	case TDH_VP_RD:
		break;
	case TDH_VP_WR:
		in->r8 = next(r) >> below(r, 64);
		in->r9 = chance(r, 50) ? ~0ULL : next(r);
		break;
	default:
		in->rcx = pick(r, PT_TDR);
		if (in->rax != TDH_MNG_RD)
			in->rdx = TD_PARAMS;
		break;
	}
}

static struct seam_regs make_call(struct run *r)
{
	struct seam_regs in = { .rax = pick_leaf(r) };

	if (!fill_mem(r, &in) && !fill_phymem(r, &in))
		fill_td(r, &in);
	return in;
}

/* What the tree of a TD says of its pages. */
struct tree {
	uint64_t pages, tables;
};

static void check_leaf(struct run *r, const struct td *td, uint64_t gpa,
		       const struct sept_walk *w)
{
	struct pamt_entry *page = pamt_entry(&r->s->pamt, w->hpa, (enum page_size)w->level);

	assert_int_equal(page->type, PT_REG);
	assert_int_equal(pamt_owner(page), td->tdr);
	assert_int_equal(own_info(r->s, w->hpa)->gpa, gpa);
	assert_true(w->level <= 1);
}

static void check_table(struct run *r, const struct td *td, struct sept_table *table,
			unsigned int level, uint64_t gpa, struct tree *tree)
{
	for (unsigned int i = 0; i < SEPT_NR_ENTRIES; i++, gpa += sept_level_bytes(level)) {
		struct sept_walk w = { .entry = &table->entry[i], .level = level };

		sept_reload(&w);
		assert_int_equal(w.entry->lock.holders, 0);
		if (sept_is_leaf(w.state)) {
			check_leaf(r, td, gpa, &w);
			tree->pages += 1ULL << (9 * level);
		} else if (w.state & SEPT_NON_LEAF) {
			assert_int_equal(host_page(r->h, w.hpa)->type, PT_EPT);
			assert_int_equal(pamt_owner(host_page(r->h, w.hpa)), td->tdr);
			assert_ptr_equal(own_info(r->s, w.hpa)->object, w.entry->table);
			tree->tables++;
			check_table(r, td, w.entry->table, level - 1, gpa, tree);
		} else {
			assert_int_equal(w.hpa, 0);
			assert_null(w.entry->table);
		}
	}
}

/* Pages of @td by type, large ones in units of 4K. */
static void count_pages(struct run *r, const struct td *td, uint64_t nr[16])
{
	for (unsigned int i = 0; i < NR_PAGES; i++) {
		struct pamt_entry *e = host_page(r->h, PG(i));

		assert_int_equal(e->lock.holders, 0);
		if (e->type != PT_TDR && pamt_owner(e) == td->tdr)
			nr[e->type]++;
	}
	for (unsigned int i = 0; i < NR_LARGE; i++) {
		struct pamt_entry *e = pamt_entry(&r->s->pamt, LARGE(i), PS_2M);

		assert_int_equal(e->lock.holders, 0);
		if (pamt_owner(e) == td->tdr)
			nr[e->type] += 512;
	}
}

static void check_vcpus(struct run *r, struct td *td, uint64_t nr_tdvprs)
{
	unsigned int nr = 0, associated = 0;

	for (struct vcpu *v = td->vcpus; v; v = v->next) {
		assert_ptr_equal(own_info(r->s, v->tdvpr)->object, v);
		assert_int_equal(host_page(r->h, v->tdvpr)->type, PT_TDVPR);
		if (v->state != VCPU_UNINIT)
			assert_ptr_equal(td->vcpu[v->index], v);
		else
			assert_int_equal(v->lp, VCPU_NO_LP);
		associated += v->lp != VCPU_NO_LP;
		nr++;
	}
	assert_int_equal(nr, nr_tdvprs);
	assert_int_equal(td->nr_associated, associated);
	/* Nobody is inside when this is looked at. */
	assert_int_equal(td->epoch.refcount[0] | td->epoch.refcount[1], 0);
}

static void check_td(struct run *r, struct td *td)
{
	uint64_t nr[16] = { 0 }, children = 0;
	struct tree tree = { 0 };
	unsigned int key = r->s->kot.state[td->hkid];

	assert_int_equal(host_page(r->h, td->tdr)->type, PT_TDR);
	assert_ptr_equal(own_info(r->s, td->tdr)->object, td);
	count_pages(r, td, nr);
	for (unsigned int type = 0; type < 16; type++)
		children += nr[type];
	assert_int_equal(td->children, children);
	assert_int_equal(nr[PT_NDA], 0);

	if (td->lifecycle == TD_BLOCKED)
		assert_int_equal(key, KOT_FLUSHED);
	else if (td->lifecycle != TD_TEARDOWN)
		assert_int_equal(key, KOT_ASSIGNED);
	check_vcpus(r, td, nr[PT_TDVPR]);
	/* When its pages are reclaimed, the tree means nothing any more. */
	if (td->op_state != OP_UNINIT && td->lifecycle != TD_TEARDOWN) {
		check_table(r, td, td->sept.root, td->sept.root_level, 0, &tree);
		assert_int_equal(tree.pages, nr[PT_REG]);
		assert_int_equal(tree.tables, nr[PT_EPT]);
		assert_int_equal(td->sept.lock.holders, 0);
	}
	assert_int_equal(td->op_state_lock.holders, 0);
	assert_int_equal(td->epoch.lock.holders, 0);
}

static void check(struct run *r)
{
	unsigned int keys[NR_HKIDS + 1] = { 0 }, tdrs = 0, tds = 0;
	uint64_t pages = 0;

	random_guests_leave(r->h, &r->guests);
	for (struct td *td = r->s->tds; td; td = td->next) {
		check_td(r, td);
		pages += 1 + td->children;
		if (td->lifecycle != TD_TEARDOWN)
			keys[td->hkid - HOST_HKID]++;
		tds++;
	}
	for (unsigned int i = 0; i < NR_PAGES; i++)
		tdrs += host_page(r->h, PG(i))->type == PT_TDR;
	assert_int_equal(tdrs, tds);
	assert_int_equal(r->s->own.pages, pages);
	for (unsigned int i = 1; i <= NR_HKIDS; i++)
		assert_int_equal(keys[i], r->s->kot.state[HOST_HKID + i] != KOT_FREE);
	assert_int_equal(r->s->kot.lock.holders | r->s->ket.lock.holders, 0);
	assert_int_equal(r->s->sys_lock.holders, 0);
	assert_int_equal(r->h->nr_violations, 0);
}

/* The CPU that has the vCPU, mostly. */
static unsigned int cpu_for(struct run *r, const struct seam_regs *in)
{
	unsigned int cpu = random_cpu_outside(r->h, &r->random, &r->guests);
	const struct vcpu *v;
	int lp;

	if ((in->rax & 0xFFFF) != TDH_VP_FLUSH || in->rcx % SZ_4K || in->rcx >= PG(NR_PAGES) ||
	    in->rcx < TD_PAGES || host_page(r->h, in->rcx)->type != PT_TDVPR)
		return cpu;
	v = own_info(r->s, in->rcx)->object;
	lp = atomic_load(&v->lp);
	if (lp == VCPU_NO_LP)
		return cpu;
	if (r->guests.inside[lp])
		random_guest_leave(r->h, &r->guests, (unsigned int)lp);
	return (unsigned int)lp;
}

static void one_call(struct run *r)
{
	struct seam_regs in = make_call(r), out = in;
	unsigned int cpu = cpu_for(r, &in);

	r->h->irq_after = chance(r, 10) ? below(r, 8) : 0;
	host_call_checked(r->h, cpu, &out);
	r->h->irq_after = 0;
	if (!out.rax) {
		r->successes++;
		r->leaf_ok[in.rax & 0xFF]++;
	}
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void random_calls(void **state)
{
	uint64_t nr = from_env("CALLS", NR_CALLS), seed;
	struct run r = { .h = *state, .guests.free_page = free_page };

	r.random.state = from_env("SEED", (uint64_t)time(NULL));
	seed = r.random.state;
	print_message("# SEED=%llu CALLS=%llu\n", (unsigned long long)seed,
		      (unsigned long long)nr);
	r.h->machine.event = NULL;
	guest_host_start(r.h);
	td_goto(r.h, TD_NONE);
	r.s = r.h->seam;

	for (uint64_t i = 0; i < nr; i++) {
		one_call(&r);
		if (chance(&r, 60))
			random_guest_step(r.h, &r.random, &r.guests);
		if (i % CHECK_EVERY == 0)
			check(&r);
	}
	check(&r);
	print_message("## seed %llu: %llu calls of hosts and %llu of guests, %llu successes\n",
		      (unsigned long long)seed,
		      (unsigned long long)(nr + r.guests.enters + r.guests.host_calls),
		      (unsigned long long)r.guests.tdcalls,
		      (unsigned long long)(r.successes + r.guests.entered + r.guests.tdcalls_ok));
	random_guests_report(&r.guests, nr >= NR_CALLS);
	/* A run of full length gets everywhere. */
	for (unsigned int i = 0; nr >= NR_CALLS && i < ARRAY_SIZE(menu); i++) {
		if (!r.leaf_ok[menu[i].leaf])
			fail_msg("%s never succeeded", seam_leaf_name((unsigned int)menu[i].leaf));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(random_calls),
	};

	return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
