// SPDX-License-Identifier: GPL-2.0
/*
 * How often can threads of a kernel get and put pages of 2 MB regions?
 *
 *	region		the code of the series, on regions that are in use
 *	counter		an atomic counter without any checks: the floor
 *	spinlock	one lock for all, and a pair of pages allocated before each
 *			get in case that it is needed, and freed after it if not
 *	transition	the code of the series, on regions that nobody else uses:
 *			each get adds a pair and each put removes it, but for the
 *			SEAMCALL
 *
 * Loading the module runs all of it.  It logs one line for each result: variant,
 * spread, threads, pairs of get and put per second.  Variants take turns, so that
 * what else the machine does hits all of them.
 */
/* The code of the series comes first, as it sets the prefix of messages. */
#include "pamt.c"
#include "pamt_mem.c"

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/task.h>

#define MAX_THREADS	8
#define BATCH		64
/* Regions that do not share a cache line */
#define APART		(SMP_CACHE_BYTES / sizeof(atomic_t))
/* The second half of the GB has no users but the threads. */
#define IDLE_REGION	(PAMT_REGIONS_PER_GB / 2)

static unsigned int rounds = 5;
module_param(rounds, uint, 0);

static unsigned int ms = 100;
module_param(ms, uint, 0);

static struct tdx_pamt pamt;
static DEFINE_SPINLOCK(global_lock);
static struct pamt_gb floor_gb;
static int counts[PAMT_REGIONS_PER_GB];
static struct pamt_pair module_pair[PAMT_REGIONS_PER_GB];

static u64 bench_add(struct tdx_pamt *pamt, u64 pa, const struct pamt_pair *pair)
{
	module_pair[pa / PMD_SIZE] = *pair;
	return 0;
}

static u64 bench_remove(struct tdx_pamt *pamt, u64 pa, struct pamt_pair *pair)
{
	*pair = module_pair[pa / PMD_SIZE];
	return 0;
}

static void bench_reset(struct tdx_pamt *pamt, struct page *page)
{
}

static struct page *bench_alloc(struct tdx_pamt *pamt, int nid)
{
	return alloc_pages_node(NUMA_NO_NODE, GFP_KERNEL_ACCOUNT, 0);
}

static void bench_free(struct tdx_pamt *pamt, struct page *page)
{
	__free_page(page);
}

static const struct pamt_ops bench_ops = {
	.add	= bench_add,
	.remove	= bench_remove,
	.reset	= bench_reset,
	.alloc	= bench_alloc,
	.free	= bench_free,
};

/* Not inlined, so that all variants pay for one call. */
static noinline int region_get(unsigned int region)
{
	return pamt_get(&pamt, (u64)region * PTRS_PER_PTE, PG_LEVEL_4K, NULL);
}

static noinline void region_put(unsigned int region)
{
	pamt_put(&pamt, (u64)region * PTRS_PER_PTE, PG_LEVEL_4K);
}

static noinline int counter_get(unsigned int region)
{
	atomic_inc(&floor_gb.region[region]);
	return 0;
}

static noinline void counter_put(unsigned int region)
{
	atomic_dec(&floor_gb.region[region]);
}

static noinline int spinlock_get(unsigned int region)
{
	struct pamt_pair pair;

	if (pamt_pair_take(&pamt, NULL, NUMA_NO_NODE, &pair))
		return -ENOMEM;

	spin_lock(&global_lock);
	counts[region]++;
	spin_unlock(&global_lock);

	pamt_pair_return(&pamt, NULL, &pair);
	return 0;
}

static noinline void spinlock_put(unsigned int region)
{
	spin_lock(&global_lock);
	counts[region]--;
	spin_unlock(&global_lock);
}

static const struct variant {
	const char	*name;
	int		(*get)(unsigned int region);
	void		(*put)(unsigned int region);
	unsigned int	first_region;
} variants[] = {
	{ "region", region_get, region_put, 0 },
	{ "counter", counter_get, counter_put, 0 },
	{ "spinlock", spinlock_get, spinlock_put, 0 },
	{ "transition", region_get, region_put, IDLE_REGION },
};

struct worker {
	const struct variant	*variant;
	unsigned int		region;
	struct completion	started;
	struct completion	*start;
	struct completion	done;
	const bool		*stop;
	u64			pairs;
	int			ret;
};

static int work(void *data)
{
	struct worker *w = data;

	complete(&w->started);
	wait_for_completion(w->start);

	while (!w->ret && !READ_ONCE(*w->stop)) {
		for (int i = 0; !w->ret && i < BATCH; i++) {
			w->ret = w->variant->get(w->region);
			if (!w->ret)
				w->variant->put(w->region);
		}
		w->pairs += BATCH;
		cond_resched();
	}

	complete(&w->done);
	return 0;
}

/* Pairs of get and put per second, or an error */
static s64 measure(const struct variant *variant, bool apart, unsigned int threads)
{
	static struct worker workers[MAX_THREADS];
	DECLARE_COMPLETION_ONSTACK(start);
	unsigned int started;
	bool stop = false;
	ktime_t begin;
	u64 pairs = 0;
	int ret = 0;

	for (started = 0; started < threads; started++) {
		struct worker *w = &workers[started];
		struct task_struct *task;

		*w = (struct worker) { .variant = variant, .start = &start, .stop = &stop };
		w->region = variant->first_region + (apart ? started * APART : 0);
		init_completion(&w->started);
		init_completion(&w->done);
		task = kthread_run(work, w, "pamt_bench/%u", started);
		if (IS_ERR(task)) {
			ret = PTR_ERR(task);
			break;
		}
		wait_for_completion(&w->started);
	}

	begin = ktime_get();
	complete_all(&start);
	if (!ret)
		msleep(ms);
	WRITE_ONCE(stop, true);
	for (unsigned int i = 0; i < started; i++) {
		wait_for_completion(&workers[i].done);
		pairs += workers[i].pairs;
		ret = ret ?: workers[i].ret;
	}

	return ret ?: div64_u64(pairs * NSEC_PER_SEC, ktime_to_ns(ktime_sub(ktime_get(), begin)));
}

static int run_all(void)
{
	static const unsigned int threads[] = { 1, 2, 4, 8 };

	for (int n = 0; n < ARRAY_SIZE(threads) * 2 * rounds; n++) {
		unsigned int nr = threads[n / 2 % ARRAY_SIZE(threads)];

		for (int v = 0; v < ARRAY_SIZE(variants); v++) {
			s64 rate = measure(&variants[v], n % 2, nr);

			if (rate < 0)
				return rate;
			pr_info("pamt_bench %s %s %u %lld\n", variants[v].name,
				n % 2 ? "apart" : "same", nr, rate);
		}
	}

	return 0;
}

static int __init pamt_bench_init(void)
{
	int ret;

	ret = pamt_init(&pamt, &bench_ops, SZ_1G);
	if (ret)
		return ret;

	ret = pamt_cover(&pamt, 0, SZ_1G, NUMA_NO_NODE);
	if (ret)
		goto destroy;

	/* Every region but the idle ones has a user for good. */
	for (unsigned int i = 0; !ret && i < IDLE_REGION; i++)
		ret = region_get(i);
	if (!ret)
		ret = run_all();

	for (unsigned int i = 0; i < IDLE_REGION; i++)
		if (atomic_read(&pamt.table.gb[0]->region[i]) > 0)
			region_put(i);
destroy:
	pamt_destroy(&pamt);
	/* There is nothing to stay loaded for. */
	return ret ?: -ECANCELED;
}
module_init(pamt_bench_init);

MODULE_DESCRIPTION("Benchmark of Dynamic PAMT");
MODULE_LICENSE("GPL");
