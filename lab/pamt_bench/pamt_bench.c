// SPDX-License-Identifier: GPL-2.0-only
/*
 * pamt_bench VARIANT SPREAD THREADS MS: how often can threads get and put pages
 * of 2 MB regions that have their PAMT pages?
 *
 * VARIANT:
 *	region		the kernel's code, from pamt_region.h
 *	counter		an atomic counter without any checks: the floor
 *	spinlock	one lock for all, and two pages allocated before each get, in
 *			case that they are needed, and freed after it if not
 * SPREAD: "same" for one region, "apart" for one region per thread on cache lines
 * of their own
 *
 * Prints pairs of get and put per second of CPU time.  With MS 0, a single get is
 * made, for tools that count instructions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/atomic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pamt_region.h"

#define MAX_THREADS	64
#define BATCH		256
#define PAGE_BYTES	4096
/* Regions that do not share a cache line */
#define APART		(64 / sizeof(atomic_t))

struct pamt_gb pamt_no_gb;

static struct pamt_gb gb[4];
static struct pamt_gb *gbs[] = { &gb[0], &gb[1], &gb[2], &gb[3] };
static struct pamt_table table = { .gb = gbs, .nr_gb = 4 };

static pthread_spinlock_t lock;
static bool stop, go;

/* Not inlined, so that all variants pay for one call, as in the kernel. */
static __attribute__((noinline)) bool region_get(u64 pfn)
{
	return pamt_region_get(pamt_region(&table, pfn));
}

static __attribute__((noinline)) void region_put(u64 pfn)
{
	if (!pamt_region_put(pamt_region(&table, pfn)))
		abort();
}

static __attribute__((noinline)) bool counter_get(u64 pfn)
{
	__atomic_fetch_add(&pamt_region(&table, pfn)->counter, 1, __ATOMIC_ACQUIRE);
	return true;
}

static __attribute__((noinline)) void counter_put(u64 pfn)
{
	__atomic_fetch_sub(&pamt_region(&table, pfn)->counter, 1, __ATOMIC_RELEASE);
}

static __attribute__((noinline)) bool spinlock_get(u64 pfn)
{
	atomic_t *region = pamt_region(&table, pfn);
	void *page[2] = { malloc(PAGE_BYTES), malloc(PAGE_BYTES) };

	if (!page[0] || !page[1])
		abort();

	pthread_spin_lock(&lock);
	region->counter++;
	pthread_spin_unlock(&lock);

	free(page[0]);
	free(page[1]);
	return true;
}

static __attribute__((noinline)) void spinlock_put(u64 pfn)
{
	pthread_spin_lock(&lock);
	pamt_region(&table, pfn)->counter--;
	pthread_spin_unlock(&lock);
}

static const struct variant {
	const char *name;
	bool (*get)(u64 pfn);
	void (*put)(u64 pfn);
} variants[] = {
	{ "region", region_get, region_put },
	{ "counter", counter_get, counter_put },
	{ "spinlock", spinlock_get, spinlock_put },
};

struct worker {
	pthread_t thread;
	const struct variant *variant;
	u64 pfn;
	u64 rounds;
};

static void *work(void *data)
{
	struct worker *w = data;

	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		for (int i = 0; i < BATCH; i++) {
			if (!w->variant->get(w->pfn))
				abort();
			w->variant->put(w->pfn);
		}
		w->rounds += BATCH;
	}

	return NULL;
}

/* CPU time: other work on the machine counts as little as possible. */
static double cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void run(const struct variant *variant, bool apart, int threads, long ms)
{
	static struct worker workers[MAX_THREADS];
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	double start = cpu_time(), rounds = 0;

	for (int i = 0; i < threads; i++) {
		workers[i].variant = variant;
		workers[i].pfn = apart ? (u64)i * APART * PTRS_PER_PTE : 0;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			exit(1);
	}

	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
	nanosleep(&time, NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		rounds += workers[i].rounds;
	}

	printf("%.0f\n", rounds / (cpu_time() - start));
}

int main(int argc, char **argv)
{
	const struct variant *variant = NULL;
	long threads, ms;

	for (size_t i = 0; argc == 5 && i < sizeof(variants) / sizeof(*variants); i++) {
		if (!strcmp(argv[1], variants[i].name))
			variant = &variants[i];
	}
	threads = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
	ms = argc == 5 ? strtol(argv[4], NULL, 10) : -1;
	if (!variant || threads < 1 || threads > MAX_THREADS || ms < 0) {
		fprintf(stderr, "usage: pamt_bench region|counter|spinlock same|apart THREADS MS\n");
		return 2;
	}

	/* All regions have a user already. */
	for (size_t g = 0; g < sizeof(gb) / sizeof(*gb); g++) {
		for (int i = 0; i < PAMT_REGIONS_PER_GB; i++)
			gb[g].region[i].counter = 1;
	}
	pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);

	if (!ms)
		return !variant->get(0);
	run(variant, !strcmp(argv[2], "apart"), threads, ms);
	return 0;
}
