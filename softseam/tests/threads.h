/* SPDX-License-Identifier: GPL-2.0-only */
/* All CPUs of the host at once, each a thread. */
#ifndef SOFTSEAM_TESTS_THREADS_H
#define SOFTSEAM_TESTS_THREADS_H

#include <stddef.h>

struct host;

/* As host_new(), with a clock for threads, and nobody who looks at events. */
struct host *threads_host(const char *const *args);

/*
 * Run @run for each CPU of the host with its part of @cpus, which are @size
 * bytes each, until all are done.
 */
void threads_run(void *(*run)(void *cpu), void *cpus, size_t size);

/* In a thread: go on when all of them are here. */
void threads_meet(void);

#endif
