/* SPDX-License-Identifier: GPL-2.0-only */
/* Random calls, and what must hold whatever they do. */
#ifndef SOFTSEAM_TESTS_PROPERTY_H
#define SOFTSEAM_TESTS_PROPERTY_H

#include "feature_host.h"

/* Keep the numbers of different purposes apart: same seed, same run. */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);
/* 0 to @below - 1. */
uint64_t random_below(struct random *r, uint64_t below);

/* Pages of 4K that calls name: some of each region, with pairs or without. */
#define POOL_REGIONS	4
#define POOL_PER_REGION	48
#define POOL_PAGES	(POOL_REGIONS * POOL_PER_REGION)
#define POOL_HKIDS	4

uint64_t pool_page(unsigned int i);

/* A page that is free, with a pair if it needs one, if such a page is met soon. */
uint64_t random_free_page(struct host *h, struct random *r);
/* One of a few, with @level in the low bits. */
uint64_t random_gpa(struct random *r, unsigned int level);

/* A call of any leaf, with operands that mostly make sense. */
struct seam_regs property_call(struct host *h, struct random *r);
/* A call that takes a TD on, or one that helps to get rid of all. */
struct seam_regs property_step(struct host *h, struct random *r);
struct seam_regs property_end_step(struct host *h, struct random *r);

/* Fails the test, with a line that says what does not hold. */
void property_check(struct host *h);

#endif
