// SPDX-License-Identifier: GPL-2.0
/* KUnit tests for Dynamic PAMT: several threads, and memory that runs out */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched/task.h>

#include "pamt_fake.h"

#define MAX_THREADS	8
#define CACHE_PAIRS	2

/*
 * What threads do at the same time: each keeps taking and returning one page at
 * a time.  Which region that is in depends on the race.
 */
struct race {
	const char	*name;
	unsigned int	threads;
	unsigned int	rounds;
	/* Thread n uses region n % @regions, or any of them if @anywhere */
	unsigned int	regions;
	bool		anywhere;
	/* Pages for pairs come from so many regions. */
	unsigned int	page_regions;
	bool		from_cache;
	unsigned int	delay_us;
	/* At the beginning */
	int		busy;
};

static const struct race races[] = {
	{ "one region", 4, 3000, .regions = 1, .page_regions = 1 },
	{ "one region, more threads than CPUs", MAX_THREADS, 1500, .regions = 1,
	  .page_regions = 1 },
	{ "one region, pairs elsewhere", 4, 3000, .regions = 1, .page_regions = FAKE_REGIONS },
	{ "neighbours", 4, 3000, .regions = 4, .page_regions = FAKE_REGIONS },
	{ "pairs in each other's regions", 4, 3000, .regions = 2, .page_regions = 2,
	  .delay_us = 2 },
	{ "pairs in each other's regions, caches", 4, 3000, .regions = 2, .page_regions = 2,
	  .from_cache = true, .delay_us = 2 },
	{ "anywhere", MAX_THREADS, 1500, .regions = FAKE_REGIONS, .anywhere = true,
	  .page_regions = FAKE_REGIONS, .delay_us = 1 },
	{ "anywhere, caches, busy module", MAX_THREADS, 1500, .regions = FAKE_REGIONS,
	  .anywhere = true, .page_regions = FAKE_REGIONS, .from_cache = true, .delay_us = 1,
	  .busy = 2000 },
};

KUNIT_ARRAY_PARAM_DESC(race, races, name);

struct racer {
	struct pamt_fake	*fake;
	const struct race	*race;
	unsigned int		nr;
	struct completion	*start;
	struct completion	done;
	unsigned int		failed;
	unsigned int		busy;
};

static void race_round(struct racer *racer, unsigned int region, struct tdx_pamt_cache *cache)
{
	struct pamt_fake *fake = racer->fake;
	u64 pfn = fake_pfn(region, racer->nr);
	int ret;

	if (cache && pamt_cache_topup(&fake->pamt, cache, CACHE_PAIRS)) {
		racer->failed++;
		return;
	}

	ret = pamt_get(&fake->pamt, pfn, PG_LEVEL_4K, cache);
	if (ret) {
		/* Only a module that is always busy is a reason to fail. */
		if (ret == -EBUSY && racer->race->busy)
			racer->busy++;
		else
			racer->failed++;
		return;
	}

	fake_use_page(fake, region);
	fake_return_page(fake, region);
	pamt_put(&fake->pamt, pfn, PG_LEVEL_4K);
}

static int racer_thread(void *data)
{
	struct racer *racer = data;
	const struct race *race = racer->race;
	struct tdx_pamt_cache cache = { .pages = LIST_HEAD_INIT(cache.pages) };
	struct rnd_state rnd;

	prandom_seed_state(&rnd, racer->nr + 1);
	wait_for_completion(racer->start);

	for (unsigned int i = 0; i < race->rounds; i++) {
		unsigned int region = race->anywhere ? prandom_u32_state(&rnd) : racer->nr;

		race_round(racer, region % race->regions, race->from_cache ? &cache : NULL);
		if (!(i % 16))
			cond_resched();
	}

	pamt_cache_drain(&racer->fake->pamt, &cache);
	complete(&racer->done);
	return 0;
}

static void run_race(struct kunit *test, struct racer *racers, unsigned int nr)
{
	struct task_struct *task[MAX_THREADS];
	DECLARE_COMPLETION_ONSTACK(start);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		racers[i].start = &start;
		init_completion(&racers[i].done);
		task[i] = kthread_create(racer_thread, &racers[i], "pamt-race/%u", i);
		if (IS_ERR(task[i]))
			break;
		get_task_struct(task[i]);
		wake_up_process(task[i]);
	}

	complete_all(&start);
	KUNIT_EXPECT_EQ(test, i, nr);
	while (i--) {
		/* A thread that is stopped before it ran would not run at all. */
		wait_for_completion(&racers[i].done);
		KUNIT_EXPECT_EQ(test, kthread_stop_put(task[i]), 0);
	}
}

static void pamt_race(struct kunit *test)
{
	const struct race *race = test->param_value;
	struct pamt_fake *fake = pamt_fake_new(test);
	struct pamt_counters *counters = &fake->pamt.counters;
	struct racer *racers = kunit_kcalloc(test, MAX_THREADS, sizeof(*racers), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, racers);
	fake->delay_us = race->delay_us;
	atomic_set(&fake->add.busy, race->busy);
	atomic_set(&fake->remove.busy, race->busy);
	for (i = 0; i < FAKE_PAGES; i++)
		fake->page[i].region = i % race->page_regions;
	for (i = 0; i < race->threads; i++)
		racers[i] = (struct racer) { .fake = fake, .race = race, .nr = i };

	run_race(test, racers, race->threads);

	for (i = 0; i < race->threads; i++)
		KUNIT_EXPECT_EQ(test, racers[i].failed, 0);
	for (i = 0; i < FAKE_REGIONS; i++) {
		int state = atomic_read(fake_state(fake, i));

		KUNIT_EXPECT_TRUE(test, state == PAMT_ABSENT ||
				  (race->busy && state == PAMT_STUCK));
		KUNIT_EXPECT_EQ(test, fake_has_pair(fake, i), state == PAMT_STUCK);
	}
	KUNIT_EXPECT_EQ(test, atomic_long_read(&counters->pairs),
			atomic_long_read(&counters->stuck));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&counters->leaked), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_host), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_module),
			PAMT_PAIR_PAGES * (int)atomic_long_read(&counters->stuck));
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->wrong), 0);
	kunit_info(test, "%u adds, %u removals, %lu retries, %lu escalations\n",
		   atomic_read(&fake->add.calls), atomic_read(&fake->remove.calls),
		   atomic_long_read(&counters->retries), atomic_long_read(&counters->escalations));
}

/* Everything that allocates, in a row.  Returns -ENOMEM, with all undone, or 0. */
static int sweep_once(struct pamt_fake *fake)
{
	struct tdx_pamt_cache cache = { .pages = LIST_HEAD_INIT(cache.pages) };
	unsigned int i, got = 0;
	int ret;

	ret = pamt_cache_topup(&fake->pamt, &cache, 3);
	for (i = 0; !ret && i < 3; i++) {
		ret = pamt_get(&fake->pamt, fake_pfn(i, 0), PG_LEVEL_4K, &cache);
		got += !ret;
	}
	for (; !ret && i < 6; i++) {
		ret = pamt_get(&fake->pamt, fake_pfn(i, 0), PG_LEVEL_4K, NULL);
		got += !ret;
	}
	if (!ret)
		ret = pamt_cache_topup(&fake->pamt, &cache, 1);

	for (i = 0; i < got; i++)
		pamt_put(&fake->pamt, fake_pfn(i, 0), PG_LEVEL_4K);
	pamt_cache_drain(&fake->pamt, &cache);
	return ret;
}

/* Fail each allocation once.  There are 2 for each of 7 pairs. */
static void pamt_fault_sweep(struct kunit *test)
{
	struct pamt_fake *fake = pamt_fake_new(test);
	int nth;

	for (nth = 1; nth < 100; nth++) {
		int ret;

		atomic_set(&fake->fail_alloc, nth);
		ret = sweep_once(fake);

		KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_host), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&fake->nr_module), 0);
		KUNIT_EXPECT_EQ(test, atomic_long_read(&fake->pamt.counters.pairs), 0);
		for (int i = 0; i < FAKE_REGIONS; i++)
			KUNIT_EXPECT_EQ(test, atomic_read(fake_state(fake, i)), PAMT_ABSENT);

		if (!ret)
			break;
		KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	}

	KUNIT_EXPECT_EQ(test, nth, 7 * PAMT_PAIR_PAGES + 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->wrong), 0);
}

static struct kunit_case pamt_race_cases[] = {
	KUNIT_CASE_PARAM_ATTR(pamt_race, race_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(pamt_fault_sweep),
	{ }
};

static struct kunit_suite pamt_race_suite = {
	.name = "tdx-pamt-race",
	.test_cases = pamt_race_cases,
};

kunit_test_suite(pamt_race_suite);
