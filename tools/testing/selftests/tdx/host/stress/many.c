// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/kvm_tdx.h"
#include "../lib/work.h"
#include "stress.h"

#define SMALL_RAM		(16 * TD_MB)
#define ACCEPT			(4 * TD_MB)

struct member {
	struct td td;
	struct td_config config;
	struct td_work work;
	struct td_outcome outcome;
	pthread_barrier_t *all_there;
	int ret;
};

/*
 * Everybody must come to the barrier, whatever went wrong before, or the others
 * wait for ever.
 */
static void *live(void *arg)
{
	struct member *m = arg;

	m->ret = td_build(&m->td, &m->config, TD_FINALIZED);
	if (!m->ret)
		m->ret = td_start(&m->td);
	if (!m->ret)
		m->ret = td_work_memory(&m->td, &m->work, &m->outcome);

	pthread_barrier_wait(m->all_there);

	if (!m->ret)
		m->ret = td_work_recheck(&m->td, &m->work);
	if (!m->ret)
		m->ret = td_work_report(&m->td, &m->outcome);
	if (!m->ret)
		m->ret = td_work_end(&m->td);
	td_destroy(&m->td);
	return NULL;
}

static void init_member(struct stress *stress, struct member *m, unsigned int index)
{
	td_default_config(&m->config);
	m->config.nr_vcpus = 1 + index % stress->max_vcpus;
	m->config.ram_size = SMALL_RAM << index % 3;
	m->work = (struct td_work){
		.accept_size = ACCEPT,
		.convert_size = 16 * TD_PAGE_SIZE,
		.seed = stress_random(stress),
	};
}

static int live_together(struct member *members, unsigned int count)
{
	pthread_t threads[count];
	pthread_barrier_t all_there;
	int ret = 0;

	pthread_barrier_init(&all_there, NULL, count);
	for (unsigned int i = 0; i < count; i++) {
		members[i].all_there = &all_there;
		if (pthread_create(&threads[i], NULL, live, &members[i])) {
			error(-EAGAIN, "cannot start thread %u of %u", i, count);
			exit(1);
		}
	}
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		if (!ret)
			ret = members[i].ret;
	}
	pthread_barrier_destroy(&all_there);
	return ret;
}

int stress_many(struct stress *stress)
{
	struct member *members = calloc(stress->tds, sizeof(*members));
	int ret;

	if (!members)
		return error(-ENOMEM, "no memory for %u TDs", stress->tds);
	for (unsigned int i = 0; i < stress->tds; i++)
		init_member(stress, &members[i], i);
	ret = live_together(members, stress->tds);
	free(members);
	return ret;
}
