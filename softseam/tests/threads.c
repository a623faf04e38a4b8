// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <time.h>

#include "host.h"
#include "threads.h"

static pthread_barrier_t barrier;

static uint64_t now(void *opaque)
{
	struct timespec t;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct host *threads_host(const char *const *args)
{
	struct host *h = host_new(args);

	h->machine.now = now;
	h->machine.event = NULL;
	return h;
}

void threads_meet(void)
{
	pthread_barrier_wait(&barrier);
}

void threads_run(void *(*run)(void *cpu), void *cpus, size_t size)
{
	pthread_t thread[HOST_CPUS];

	pthread_barrier_init(&barrier, NULL, HOST_CPUS);
	for (unsigned int i = 0; i < HOST_CPUS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run, (char *)cpus + i * size), 0);
	for (unsigned int i = 0; i < HOST_CPUS; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&barrier);
}
