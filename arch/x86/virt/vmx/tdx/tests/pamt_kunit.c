// SPDX-License-Identifier: GPL-2.0
/* KUnit tests for Dynamic PAMT: every transition of a region, one at a time */
#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/prandom.h>
#include <asm/shared/tdx_errno.h>

#include "pamt_fake.h"

#define REGION	2
#define PFN	fake_pfn(REGION, 0)

/* More than what is tried under one side of the lock, but not under both */
#define BUSY_SOME	3
#define BUSY_MANY	20

enum what { GET, GET_FROM_CACHE, GET_2M, PUT, PUT_2M };

/*
 * Do @what to a region in state @from, when the module is @busy that often and
 * replies with @status.  Deltas that are not given are 0.
 */
struct transition {
	const char	*name;
	enum what	what;
	int		from;
	int		busy;
	u64		status;
	bool		no_memory;
	/* What happens */
	int		ret;
	int		to;
	int		warns;
	int		adds;
	int		removes;
	long		pairs;
	long		stuck;
	long		leaked;
	long		retries;
	long		escalations;
	bool		reports;
};

/* Tries under the shared side, and under the exclusive side */
#define SHARED		8
#define EXCLUSIVE	256
#define GIVEN_UP	.retries = SHARED - 1 + EXCLUSIVE - 1, .escalations = 1
#define SERVED_LATE	.retries = BUSY_MANY - 1, .escalations = 1

static const struct transition transitions[] = {
	/* The first user */
	{ "absent, get", GET, PAMT_ABSENT, .to = 1, .adds = 1, .pairs = 1 },
	{ "absent, get from cache", GET_FROM_CACHE, PAMT_ABSENT, .to = 1, .adds = 1, .pairs = 1 },
	{ "absent, get, no memory", GET, PAMT_ABSENT, .no_memory = true, .ret = -ENOMEM },
	{ "absent, get, cache empty", GET_FROM_CACHE, PAMT_ABSENT, .no_memory = true,
	  .ret = -ENOMEM, .warns = 1 },
	{ "absent, get, busy for short", GET, PAMT_ABSENT, .busy = BUSY_SOME, .to = 1,
	  .adds = BUSY_SOME + 1, .pairs = 1, .retries = BUSY_SOME },
	{ "absent, get, busy for long", GET, PAMT_ABSENT, .busy = BUSY_MANY, .to = 1,
	  .adds = BUSY_MANY + 1, .pairs = 1, SERVED_LATE },
	{ "absent, get, busy for good", GET, PAMT_ABSENT, .busy = FAKE_BUSY_FOR_GOOD,
	  .ret = -EBUSY, .adds = SHARED + EXCLUSIVE, GIVEN_UP },
	{ "absent, get from cache, busy for good", GET_FROM_CACHE, PAMT_ABSENT,
	  .busy = FAKE_BUSY_FOR_GOOD, .ret = -EBUSY, .adds = SHARED + EXCLUSIVE, GIVEN_UP },
	{ "absent, get, region not free", GET, PAMT_ABSENT, .status = TDX_HPA_RANGE_NOT_FREE,
	  .ret = -EIO, .adds = 1, .reports = true },
	{ "absent, get, page not free", GET, PAMT_ABSENT, .status = TDX_PAGE_NOT_FREE,
	  .ret = -EIO, .adds = 1, .leaked = 1, .reports = true },
	{ "absent, get from cache, page not free", GET_FROM_CACHE, PAMT_ABSENT,
	  .status = TDX_PAGE_NOT_FREE, .ret = -EIO, .adds = 1, .leaked = 1, .reports = true },
	{ "absent, get, operand invalid", GET, PAMT_ABSENT, .status = TDX_OPERAND_INVALID,
	  .ret = -EIO, .adds = 1, .reports = true },
	{ "absent, get, no module", GET, PAMT_ABSENT, .status = TDX_SEAMCALL_VMFAILINVALID,
	  .ret = -EIO, .adds = 1, .reports = true },

	/* One of many */
	{ "1 user, get", GET, 1, .to = 2 },
	{ "1 user, get, no memory", GET, 1, .no_memory = true, .to = 2 },
	{ "1 user, get, busy", GET, 1, .busy = FAKE_BUSY_FOR_GOOD, .to = 2 },
	{ "1 user, get, empty cache", GET_FROM_CACHE, 1, .no_memory = true, .to = 2 },
	{ "511 users, get", GET, 511, .to = 512 },
	{ "512 users, get", GET, 512, .ret = -EIO, .to = 512, .warns = 1 },
	{ "512 users, put", PUT, 512, .to = 511 },
	{ "2 users, put", PUT, 2, .to = 1 },
	{ "2 users, put, busy", PUT, 2, .busy = FAKE_BUSY_FOR_GOOD, .to = 1 },
	{ "2 users, put, not empty", PUT, 2, .status = TDX_PAMT_PAGE_NOT_EMPTY, .to = 1 },

	/* The last user */
	{ "1 user, put", PUT, 1, .removes = 1, .pairs = -1 },
	{ "1 user, put, no memory", PUT, 1, .no_memory = true, .removes = 1, .pairs = -1 },
	{ "1 user, put, busy for short", PUT, 1, .busy = BUSY_SOME, .removes = BUSY_SOME + 1,
	  .pairs = -1, .retries = BUSY_SOME },
	{ "1 user, put, busy for long", PUT, 1, .busy = BUSY_MANY, .removes = BUSY_MANY + 1,
	  .pairs = -1, SERVED_LATE },
	{ "1 user, put, busy for good", PUT, 1, .busy = FAKE_BUSY_FOR_GOOD, .to = PAMT_STUCK,
	  .removes = SHARED + EXCLUSIVE, .stuck = 1, GIVEN_UP, .reports = true },
	{ "1 user, put, not empty", PUT, 1, .status = TDX_PAMT_PAGE_NOT_EMPTY, .to = PAMT_STUCK,
	  .removes = 1, .stuck = 1, .reports = true },
	{ "1 user, put, no pair", PUT, 1, .status = TDX_NO_PAMT_PAGE_PAIR, .to = PAMT_ABSENT,
	  .removes = 1, .pairs = -1, .leaked = 1, .reports = true },
	{ "1 user, put, operand invalid", PUT, 1, .status = TDX_OPERAND_INVALID,
	  .to = PAMT_STUCK, .removes = 1, .stuck = 1, .reports = true },
	{ "1 user, put, no module", PUT, 1, .status = TDX_SEAMCALL_VMFAILINVALID,
	  .to = PAMT_STUCK, .removes = 1, .stuck = 1, .reports = true },

	/* After a refusal */
	{ "stuck, get", GET, PAMT_STUCK, .to = 1, .stuck = -1 },
	{ "stuck, get, no memory", GET, PAMT_STUCK, .no_memory = true, .to = 1, .stuck = -1 },
	{ "stuck, get, empty cache", GET_FROM_CACHE, PAMT_STUCK, .no_memory = true, .to = 1,
	  .stuck = -1 },
	{ "stuck, get, busy", GET, PAMT_STUCK, .busy = FAKE_BUSY_FOR_GOOD, .to = 1, .stuck = -1 },

	/* Callers that lost count */
	{ "absent, put", PUT, PAMT_ABSENT, .warns = 1 },
	{ "stuck, put", PUT, PAMT_STUCK, .to = PAMT_STUCK, .warns = 1 },

	/* A page of 2 MB */
	{ "absent, get 2M", GET_2M, PAMT_ABSENT },
	{ "absent, get 2M, no memory", GET_2M, PAMT_ABSENT, .no_memory = true },
	{ "1 user, get 2M", GET_2M, 1, .ret = -EEXIST, .to = 1 },
	{ "512 users, get 2M", GET_2M, 512, .ret = -EEXIST, .to = 512 },
	{ "stuck, get 2M", GET_2M, PAMT_STUCK, .ret = -EEXIST, .to = PAMT_STUCK },
	{ "absent, put 2M", PUT_2M, PAMT_ABSENT },
};

KUNIT_ARRAY_PARAM_DESC(transition, transitions, name);

/* Bring the region into @state the way it gets there in real life. */
static void establish(struct kunit *test, struct pamt_fake *fake, int state)
{
	int users = state == PAMT_STUCK ? 1 : state;

	for (int i = 0; i < users; i++)
		KUNIT_ASSERT_EQ(test, pamt_get(&fake->pamt, fake_pfn(REGION, i), PG_LEVEL_4K, NULL),
				0);

	if (state == PAMT_STUCK) {
		fake->remove.status = TDX_PAMT_PAGE_NOT_EMPTY;
		pamt_put(&fake->pamt, PFN, PG_LEVEL_4K);
		fake->remove.status = 0;
	}

	KUNIT_ASSERT_EQ(test, atomic_read(fake_state(fake, REGION)), state);
	fake->pamt.reported = 0;
	atomic_set(&fake->add.calls, 0);
	atomic_set(&fake->remove.calls, 0);
}

static int act(struct pamt_fake *fake, enum what what, struct tdx_pamt_cache *cache)
{
	switch (what) {
	case GET:
		return pamt_get(&fake->pamt, PFN, PG_LEVEL_4K, NULL);
	case GET_FROM_CACHE:
		return pamt_get(&fake->pamt, PFN, PG_LEVEL_4K, cache);
	case GET_2M:
		return pamt_get(&fake->pamt, PFN, PG_LEVEL_2M, NULL);
	case PUT:
		pamt_put(&fake->pamt, PFN, PG_LEVEL_4K);
		return 0;
	case PUT_2M:
		pamt_put(&fake->pamt, PFN, PG_LEVEL_2M);
		return 0;
	}

	return -EINVAL;
}

static void prepare(struct pamt_fake *fake, const struct transition *t)
{
	struct fake_seamcall *calls[] = { &fake->add, &fake->remove };

	for (int i = 0; i < ARRAY_SIZE(calls); i++) {
		calls[i]->status = t->status ? t->status | 1 : 0;
		atomic_set(&calls[i]->busy, t->busy);
	}
	atomic_set(&fake->fail_alloc, t->no_memory);
}

static long delta(const atomic_long_t *now, const atomic_long_t *before)
{
	return atomic_long_read(now) - atomic_long_read(before);
}

/* All that there is to know about the region, the module, and the allocator */
static void expect(struct kunit *test, struct pamt_fake *fake, const struct transition *t,
		   const struct pamt_counters *before, unsigned int cached)
{
	const struct pamt_counters *now = &fake->pamt.counters;
	bool has_pair = t->to != PAMT_ABSENT;
	int leaked = t->what == PUT ? 0 : t->leaked;

	KUNIT_EXPECT_EQ(test, atomic_read(fake_state(fake, REGION)), t->to);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->add.calls), t->adds);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->remove.calls), t->removes);
	KUNIT_EXPECT_EQ(test, delta(&now->pairs, &before->pairs), t->pairs);
	KUNIT_EXPECT_EQ(test, delta(&now->stuck, &before->stuck), t->stuck);
	KUNIT_EXPECT_EQ(test, delta(&now->leaked, &before->leaked), t->leaked);
	KUNIT_EXPECT_EQ(test, delta(&now->retries, &before->retries), t->retries);
	KUNIT_EXPECT_EQ(test, delta(&now->escalations, &before->escalations), t->escalations);
	KUNIT_EXPECT_EQ(test, !!fake->pamt.reported, t->reports);

	/* What the kernel thinks the module has, unless the test lied. */
	if (t->status != TDX_NO_PAMT_PAGE_PAIR)
		KUNIT_EXPECT_EQ(test, fake_has_pair(fake, REGION), has_pair);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_host),
			PAMT_PAIR_PAGES * ((int)cached + leaked));
	/* Pages are reset if and only if the module had them. */
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_resets),
			t->what == PUT && !t->leaked && t->pairs ? PAMT_PAIR_PAGES : 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->wrong), 0);
}

static void pamt_transition(struct kunit *test)
{
	const struct transition *t = test->param_value;
	struct pamt_fake *fake = pamt_fake_new(test);
	struct tdx_pamt_cache cache = { .pages = LIST_HEAD_INIT(cache.pages) };
	struct pamt_counters before;

	establish(test, fake, t->from);
	if (!t->no_memory)
		KUNIT_ASSERT_EQ(test, pamt_cache_topup(&fake->pamt, &cache, 1), 0);
	before = fake->pamt.counters;
	prepare(fake, t);

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, act(fake, t->what, &cache), t->ret);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, t->warns);
	}

	expect(test, fake, t, &before, cache.nr_pairs);
	/* Only what was used or leaked is missing in the cache. */
	if (!t->no_memory)
		KUNIT_EXPECT_EQ(test, cache.nr_pairs,
				t->what != GET_FROM_CACHE || (!t->pairs && !t->leaked));
	pamt_cache_drain(&fake->pamt, &cache);
}

/* Trouble is told once, and counted each time. */
static void pamt_reports_once(struct kunit *test)
{
	struct pamt_fake *fake = pamt_fake_new(test);

	fake->add.status = TDX_HPA_RANGE_NOT_FREE;
	for (int i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, pamt_get(&fake->pamt, PFN, PG_LEVEL_4K, NULL), -EIO);
		KUNIT_EXPECT_EQ(test, hweight_long(fake->pamt.reported), 1);
	}

	fake->add.status = 0;
	fake->remove.status = TDX_PAMT_PAGE_NOT_EMPTY;
	for (int i = 1; i < 4; i++) {
		KUNIT_ASSERT_EQ(test, pamt_get(&fake->pamt, fake_pfn(i, 0), PG_LEVEL_4K, NULL), 0);
		pamt_put(&fake->pamt, fake_pfn(i, 0), PG_LEVEL_4K);
		KUNIT_EXPECT_EQ(test, hweight_long(fake->pamt.reported), 2);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&fake->pamt.counters.stuck), i);
	}
}

/* The module relents: what was stuck comes back with the next last user. */
static void pamt_stuck_is_no_leak(struct kunit *test)
{
	struct pamt_fake *fake = pamt_fake_new(test);

	establish(test, fake, PAMT_STUCK);
	KUNIT_EXPECT_EQ(test, pamt_get(&fake->pamt, PFN, PG_LEVEL_4K, NULL), 0);
	pamt_put(&fake->pamt, PFN, PG_LEVEL_4K);

	KUNIT_EXPECT_EQ(test, atomic_read(fake_state(fake, REGION)), PAMT_ABSENT);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&fake->pamt.counters.stuck), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&fake->pamt.counters.pairs), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_host), 0);
}

static void pamt_bounds(struct kunit *test)
{
	static const u64 no_memory[] = {
		0,
		FAKE_BASE_PFN - 1,
		FAKE_BASE_PFN + (SZ_1G >> PAGE_SHIFT),
		((u64)FAKE_END_GB << (PUD_SHIFT - PAGE_SHIFT)) - 1,
		(u64)FAKE_END_GB << (PUD_SHIFT - PAGE_SHIFT),
		~0ULL >> PAGE_SHIFT,
		~0ULL,
	};
	struct pamt_fake *fake = pamt_fake_new(test);

	for (int i = 0; i < ARRAY_SIZE(no_memory); i++) {
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, pamt_get(&fake->pamt, no_memory[i], PG_LEVEL_4K,
						       NULL), -EINVAL);
			KUNIT_EXPECT_EQ(test, pamt_get(&fake->pamt, no_memory[i], PG_LEVEL_2M,
						       NULL), -EINVAL);
			pamt_put(&fake->pamt, no_memory[i], PG_LEVEL_4K);
			KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 3);
		}
	}

	for (int i = 0; i < PAMT_REGIONS_PER_GB; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&pamt_no_gb.region[i]), PAMT_NONE);

	/* The first and the last page of a region, and the next region. */
	KUNIT_EXPECT_PTR_EQ(test, pamt_region(&fake->pamt.table, fake_pfn(1, 0)),
			    pamt_region(&fake->pamt.table, fake_pfn(1, 511)));
	KUNIT_EXPECT_PTR_EQ(test, pamt_region(&fake->pamt.table, fake_pfn(1, 511)) + 1,
			    pamt_region(&fake->pamt.table, fake_pfn(2, 0)));
	KUNIT_EXPECT_EQ(test, pamt_state_bytes(&fake->pamt),
			sizeof(struct pamt_gb) + FAKE_END_GB * sizeof(void *));
}

static void pamt_levels(struct kunit *test)
{
	struct pamt_fake *fake = pamt_fake_new(test);

	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, pamt_get(&fake->pamt, PFN, PG_LEVEL_1G, NULL), -EINVAL);
		KUNIT_EXPECT_EQ(test, pamt_get(&fake->pamt, PFN, PG_LEVEL_NONE, NULL), -EINVAL);
		pamt_put(&fake->pamt, PFN, PG_LEVEL_1G);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 3);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(fake_state(fake, REGION)), PAMT_ABSENT);
}

static void get_first(struct pamt_fake *fake)
{
	if (pamt_get(&fake->pamt, PFN, PG_LEVEL_4K, NULL))
		atomic_inc(&fake->wrong);
}

/* Someone else adds the pair while the loser allocates one. */
static void pamt_lost_race(struct kunit *test)
{
	struct pamt_fake *fake = pamt_fake_new(test);

	fake->on_alloc = get_first;
	KUNIT_EXPECT_EQ(test, pamt_get(&fake->pamt, fake_pfn(REGION, 1), PG_LEVEL_4K, NULL), 0);

	KUNIT_EXPECT_EQ(test, atomic_read(fake_state(fake, REGION)), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->add.calls), 1);
	/* The other pair is free again, and was not reset. */
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_host), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_resets), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->wrong), 0);
}

/* Against a model that is too simple to be wrong: a number per region. */
static void pamt_random(struct kunit *test)
{
	struct pamt_fake *fake = pamt_fake_new(test);
	int users[FAKE_REGIONS] = { };
	struct rnd_state rnd;
	int sum = 0;

	prandom_seed_state(&rnd, 0x7d);
	for (int i = 0; i < 20000; i++) {
		unsigned int r = prandom_u32_state(&rnd) % FAKE_REGIONS;
		bool get = prandom_u32_state(&rnd) % 2;

		/* Now and then, the module is busy. */
		atomic_set(&fake->add.busy, prandom_u32_state(&rnd) % 16 ? 0 : BUSY_MANY);
		atomic_set(&fake->remove.busy, prandom_u32_state(&rnd) % 16 ? 0 : BUSY_MANY);

		if (get && users[r] < 512) {
			KUNIT_ASSERT_EQ(test, pamt_get(&fake->pamt, fake_pfn(r, users[r]),
						       PG_LEVEL_4K, NULL), 0);
			sum += !users[r]++;
		} else if (!get && users[r]) {
			sum -= !--users[r];
			pamt_put(&fake->pamt, fake_pfn(r, users[r]), PG_LEVEL_4K);
		}

		KUNIT_ASSERT_EQ(test, atomic_read(fake_state(fake, r)), users[r]);
		KUNIT_ASSERT_EQ(test, fake_has_pair(fake, r), users[r] > 0);
		KUNIT_ASSERT_EQ(test, atomic_long_read(&fake->pamt.counters.pairs), sum);
		KUNIT_ASSERT_EQ(test, atomic_read(&fake->nr_module), PAMT_PAIR_PAGES * sum);
		KUNIT_ASSERT_EQ(test, atomic_read(&fake->nr_host), 0);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->wrong), 0);
}

static struct kunit_case pamt_cases[] = {
	KUNIT_CASE_PARAM(pamt_transition, transition_gen_params),
	KUNIT_CASE(pamt_reports_once),
	KUNIT_CASE(pamt_stuck_is_no_leak),
	KUNIT_CASE(pamt_bounds),
	KUNIT_CASE(pamt_levels),
	KUNIT_CASE(pamt_lost_race),
	KUNIT_CASE(pamt_random),
	{ }
};

static struct kunit_suite pamt_suite = {
	.name = "tdx-pamt",
	.test_cases = pamt_cases,
};

kunit_test_suite(pamt_suite);
