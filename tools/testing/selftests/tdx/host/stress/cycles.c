// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <unistd.h>
#include "kselftest.h"
#include "../lib/cgroup.h"
#include "../lib/kvm_tdx.h"
#include "../lib/work.h"
#include "stress.h"

#define SMALLEST_MB		16
#define CYCLE_RAM		(16 * TD_MB)
#define CYCLE_ACCEPT		(64 * TD_PAGE_SIZE)

/* Caches of the kernel fill in the first cycles. */
#define WARM_UP			5
/* The kernel sums up what its CPUs counted, and frees what it frees later, within this. */
#define SETTLE_SECONDS		3
/* A machine that is busy with other things needs more of them. */
#define SETTLE_TRIES		7
/* Partly filled slabs; one page of each of 200 TDs is more. */
#define NOISE_KB		512

int stress_one_life(struct stress *stress, unsigned int nr_vcpus, u64 ram_size, u64 accept)
{
	struct td_outcome outcome;
	struct td_config config;
	struct td_work work;
	struct td td;
	int ret;

	td_default_config(&config);
	config.nr_vcpus = nr_vcpus;
	config.ram_size = ram_size;
	ret = td_build(&td, &config, TD_FINALIZED);
	if (!ret) {
		td_default_work(&td, &work);
		work.seed = stress_random(stress);
		if (accept < work.accept_size)
			work.accept_size = accept;
		ret = td_work(&td, &work, &outcome);
	}
	td_destroy(&td);
	return ret;
}

int stress_sizes(struct stress *stress)
{
	for (u64 mb = SMALLEST_MB; mb <= stress->max_mb; mb *= 2) {
		int ret = stress_one_life(stress, stress->max_vcpus, mb * TD_MB, ~0UL);

		if (ret)
			return error(ret, "with %lu MB", mb);
		ksft_print_msg("%lu MB\n", mb);
	}
	return 0;
}

int stress_vcpus(struct stress *stress)
{
	for (unsigned int n = 1; n <= stress->vcpus; n++) {
		int ret = stress_one_life(stress, n, CYCLE_RAM, 4 * TD_MB);

		if (ret)
			return error(ret, "with %u vCPUs", n);
		ksft_print_msg("%u vCPUs\n", n);
	}
	return 0;
}

static int run_cycles(struct stress *stress, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		unsigned int nr_vcpus = 1 + i % stress->max_vcpus;
		int ret = stress_one_life(stress, nr_vcpus, CYCLE_RAM, CYCLE_ACCEPT);

		if (ret)
			return error(ret, "in cycle %u", i);
	}
	return 0;
}

static long settled_kb(struct cgroup *cg)
{
	sleep(SETTLE_SECONDS);
	return cgroup_kernel_kb(cg);
}

/* More than @before that stays: what is freed late, or counted late, is not lost. */
static long lost_kb(struct cgroup *cg, long before)
{
	int tries = 0;
	long lost;

	do {
		lost = settled_kb(cg) - before;
	} while (lost > NOISE_KB && ++tries < SETTLE_TRIES);
	return lost;
}

static int count_cycles(struct stress *stress, struct cgroup *cg)
{
	long before, lost;
	int ret;

	ret = run_cycles(stress, WARM_UP);
	if (ret)
		return ret;
	before = settled_kb(cg);
	ret = run_cycles(stress, stress->cycles);
	if (before < 0) {
		ksft_print_msg("memory is not counted: no memory cgroup controller\n");
		return ret;
	}

	lost = lost_kb(cg, before);
	ksft_print_msg("%ld kB of the kernel's memory before, %ld kB more after %u cycles\n",
		       before, lost, stress->cycles);
	if (!ret && lost > NOISE_KB)
		ret = error(-ENOMEM, "%ld kB got lost in %u cycles", lost, stress->cycles);
	return ret;
}

int stress_cycles(struct stress *stress)
{
	const char *why;
	struct cgroup cg;
	int ret;

	why = cgroup_enter(&cg);
	if (why) {
		ksft_print_msg("memory is not counted: %s\n", why);
		return run_cycles(stress, stress->cycles);
	}
	ret = count_cycles(stress, &cg);
	if (cgroup_leave(&cg) && !ret)
		ret = error(-EBUSY, "something is left in the cgroup");
	return ret;
}
