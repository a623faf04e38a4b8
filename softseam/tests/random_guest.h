/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests among random calls: vCPUs enter their TD, do something there, and leave. */
#ifndef SOFTSEAM_TESTS_RANDOM_GUEST_H
#define SOFTSEAM_TESTS_RANDOM_GUEST_H

#include "guest_host.h"
#include "property.h"

struct random_guests {
	/* A page for them, if there is one. */
	uint64_t (*free_page)(struct host *h, struct random *r);
	bool inside[HOST_CPUS];
	unsigned int nr_inside;
	/* What was done, and how often it came to something. */
	uint64_t enters, entered, stops, tdcalls, tdcalls_ok, lookups, host_calls;
	/* Exits that the host saw, by reason; TDCALLs that succeeded, by leaf. */
	uint64_t exits[128], tdcall_ok[9];
};

/* VP.ENTER on a CPU that is outside, or something that a guest does. */
void random_guest_step(struct host *h, struct random *r, struct random_guests *g);
/* A CPU that may make a call of the host. */
unsigned int random_cpu_outside(struct host *h, struct random *r, struct random_guests *g);
void random_guest_leave(struct host *h, struct random_guests *g, unsigned int cpu);
/* All leave, as by an interrupt: nothing is locked any more. */
void random_guests_leave(struct host *h, struct random_guests *g);
/* Print it, and fail if a long run left something out. */
void random_guests_report(const struct random_guests *g, bool is_long);

#endif
