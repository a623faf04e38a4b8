// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "kselftest.h"
#include "../lib/cgroup.h"
#include "../lib/kvm_tdx.h"
#include "../lib/work.h"
#include "stress.h"

#define RAM			(16 * TD_MB)
#define PATIENCE_US		5000000

enum stage { CREATE, INIT, SLOTS, VCPUS, IMAGE, FINALIZE, RUN, DESTROY, NR_STAGES };

static const char *const stage_names[NR_STAGES] = {
	"create", "init", "slots", "vcpus", "image", "finalize", "run", "destroy",
};

/* Written by the launcher, read by its killer. */
struct victim {
	enum stage stage;
};

static int one_life(struct victim *victim, unsigned int nr_vcpus)
{
	struct td_outcome outcome;
	struct td_config config;
	struct td_work work;
	struct td td;
	int ret = 0;

	td_default_config(&config);
	config.nr_vcpus = nr_vcpus;
	config.ram_size = RAM;
	td_init(&td, &config);
	for (int i = TD_CREATED; !ret && i <= TD_FINALIZED; i++) {
		victim->stage = CREATE + i;
		ret = td_step(&td, i);
	}
	if (!ret) {
		victim->stage = RUN;
		td_default_work(&td, &work);
		ret = td_work(&td, &work, &outcome);
	}
	victim->stage = DESTROY;
	td_destroy(&td);
	return ret;
}

static long microseconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000000 + (now.tv_nsec - start->tv_nsec) / 1000;
}

/* Start a launcher and kill it after @delay; 0 or the error that it ended with. */
static int kill_one(struct victim *victim, unsigned int nr_vcpus, long delay)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return error(-errno, "fork: %s", strerror(errno));
	if (!pid)
		_exit(one_life(victim, nr_vcpus) ? 1 : 0);
	usleep(delay);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return error(-errno, "waitpid: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return error(-EIO, "the launcher failed before it was killed");
	return 0;
}

/* The last files of a killed process may close a moment after it is gone. */
static int wait_for_keyids(struct cgroup *cg)
{
	for (int i = 0; i < PATIENCE_US; i += 1000) {
		if (!cgroup_tdx_current(cg))
			return 0;
		usleep(1000);
	}
	return error(-EBUSY, "%ld KeyIDs are still in use", cgroup_tdx_current(cg));
}

static int kill_many(struct stress *stress, struct victim *victim, struct cgroup *cg)
{
	unsigned int killed_in[NR_STAGES] = { 0 };
	struct timespec start;
	char text[128] = "";
	long lifetime;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &start);
	ret = one_life(victim, stress->max_vcpus);
	lifetime = microseconds_since(&start);

	for (unsigned int i = 0; !ret && i < stress->kills; i++) {
		ret = kill_one(victim, stress->max_vcpus, stress_random(stress) % lifetime);
		killed_in[victim->stage]++;
		if (!ret && cg)
			ret = wait_for_keyids(cg);
	}
	for (int i = 0; i < NR_STAGES; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s %u", stage_names[i],
			 killed_in[i]);
	ksft_print_msg("killed in:%s\n", text);

	/* The host is as able as before. */
	return ret ? ret : one_life(victim, stress->max_vcpus);
}

int stress_kill(struct stress *stress)
{
	struct victim *victim;
	struct cgroup cg;
	const char *why;
	int ret;

	victim = mmap(NULL, sizeof(*victim), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (victim == MAP_FAILED)
		return error(-errno, "mmap: %s", strerror(errno));

	why = cgroup_enter(&cg);
	if (why)
		ksft_print_msg("KeyIDs are not counted: %s\n", why);
	ret = kill_many(stress, victim, why ? NULL : &cg);
	if (!why && cgroup_leave(&cg) && !ret)
		ret = error(-EBUSY, "something is left in the cgroup");
	munmap(victim, sizeof(*victim));
	return ret;
}
