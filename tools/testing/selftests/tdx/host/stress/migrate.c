// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>
#include "kselftest.h"
#include "../lib/command.h"
#include "../lib/kvm_tdx.h"
#include "stress.h"

#define PATIENCE_SECONDS	20

struct mover {
	struct stress *stress;
	struct td *td;
	unsigned int nr_cpus;
	int cpus[CPU_SETSIZE];
	unsigned int moves;
	/* vCPUs that entered their loop. */
	unsigned int spinning;
	int ret;
};

static void find_cpus(struct mover *mover)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			mover->cpus[mover->nr_cpus++] = cpu;
}

static int move(struct td_vcpu *vcpu, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return -pthread_setaffinity_np(vcpu->thread, sizeof(set), &set);
}

/* The guest must get on where it is now. */
static int wait_for_progress(struct td_vcpu *vcpu)
{
	u64 *progress = &vcpu->mailbox->progress;
	u64 before = __atomic_load_n(progress, __ATOMIC_RELAXED);
	time_t end = time(NULL) + PATIENCE_SECONDS;

	while (__atomic_load_n(progress, __ATOMIC_RELAXED) == before) {
		if (time(NULL) > end)
			return error(-ETIMEDOUT, "vCPU %u stands still after it was moved",
				     vcpu->id);
		usleep(100);
	}
	return 0;
}

static void *move_all(void *arg)
{
	struct mover *mover = arg;
	struct td *td = mover->td;
	unsigned int where[TD_MAX_VCPUS] = { 0 };

	while (__atomic_load_n(&mover->spinning, __ATOMIC_ACQUIRE) < td->nr_vcpus)
		usleep(1000);
	while (!mover->ret && mover->moves < mover->stress->migrations) {
		unsigned int id = stress_random(mover->stress) % td->nr_vcpus;
		unsigned int step = 1 + stress_random(mover->stress) % (mover->nr_cpus - 1);

		where[id] = (where[id] + step) % mover->nr_cpus;
		mover->ret = move(&td->vcpus[id], mover->cpus[where[id]]);
		if (!mover->ret)
			mover->ret = wait_for_progress(&td->vcpus[id]);
		mover->moves++;
	}
	for (unsigned int i = 0; i < td->nr_vcpus; i++)
		__atomic_store_n(&td->vcpus[i].mailbox->stop, 1, __ATOMIC_RELEASE);
	return NULL;
}

static int spin(struct td_vcpu *vcpu, void *arg)
{
	struct mover *mover = arg;
	int ret = move(vcpu, mover->cpus[0]);

	__atomic_fetch_add(&mover->spinning, 1, __ATOMIC_RELEASE);
	return ret ? ret : td_do(vcpu, TD_CMD_SPIN);
}

static int spin_and_move(struct mover *mover)
{
	pthread_t thread;
	int ret;

	ret = -pthread_create(&thread, NULL, move_all, mover);
	if (ret)
		return error(ret, "cannot start a thread");
	ret = td_on_each_vcpu(mover->td, spin, mover);
	pthread_join(thread, NULL);
	return ret ? ret : mover->ret;
}

int stress_migrate(struct stress *stress)
{
	struct mover mover = { .stress = stress };
	struct td_config config;
	struct td td;
	int ret;

	find_cpus(&mover);
	if (mover.nr_cpus < 2)
		return -ENODEV;
	td_default_config(&config);
	config.nr_vcpus = stress->max_vcpus;
	ret = td_build(&td, &config, TD_FINALIZED);
	if (!ret)
		ret = td_start(&td);
	mover.td = &td;
	if (!ret)
		ret = spin_and_move(&mover);
	td_destroy(&td);
	ksft_print_msg("%u moves between %u CPUs\n", mover.moves, mover.nr_cpus);
	return ret;
}
