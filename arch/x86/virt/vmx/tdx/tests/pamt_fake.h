/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TDX module with Dynamic PAMT and a page allocator, for tests
 *
 * The module has the try-locks of the real one, and memory of a few regions at
 * addresses of its own choice.  The allocator hands out real pages from a small
 * pool, each of which the module takes for a page of one of its regions, so that
 * pairs can lie in the regions of others.  Both check what they are told, and
 * count what is wrong.  All functions can be called from several threads.
 */
#ifndef _X86_VIRT_PAMT_FAKE_H
#define _X86_VIRT_PAMT_FAKE_H

#include <kunit/test.h>
#include "../pamt.h"

#define FAKE_REGIONS		8
/* A pair for each region, what caches hold, and what threads have in hand */
#define FAKE_PAGES		128

/* The memory is the fourth GB, in front of a hole at the end. */
#define FAKE_GB			3
#define FAKE_END_GB		5
#define FAKE_BASE_PFN		((u64)FAKE_GB << (PUD_SHIFT - PAGE_SHIFT))

/* For fake_seamcall::busy: until it is reset */
#define FAKE_BUSY_FOR_GOOD	INT_MAX

enum fake_page_state {
	FAKE_PAGE_FREE,
	FAKE_PAGE_HOST,
	FAKE_PAGE_MODULE,
	/* The module has written to it, and the host has not reset it. */
	FAKE_PAGE_USED,
};

struct fake_page {
	struct page	*page;
	unsigned int	region;
	atomic_t	state;
};

struct fake_region {
	/* -1 exclusive, else the number of those who share it */
	atomic_t	lock;
	struct pamt_pair pair;
	atomic_t	used;
};

/* How one of the SEAMCALLs is going to behave */
struct fake_seamcall {
	atomic_t	busy;
	u64		status;
	atomic_t	calls;
};

struct pamt_fake {
	struct tdx_pamt		pamt;
	struct fake_seamcall	add;
	struct fake_seamcall	remove;
	/* Fail the nth allocation from now, 0 for none. */
	atomic_t		fail_alloc;
	/* Called once, within the next allocation. */
	void			(*on_alloc)(struct pamt_fake *fake);
	/* Time that a SEAMCALL takes, for others to run into it */
	unsigned int		delay_us;

	struct fake_region	region[FAKE_REGIONS];
	struct fake_page	page[FAKE_PAGES];
	atomic_t		nr_host;
	atomic_t		nr_module;
	atomic_t		nr_resets;
	/* Whatever host code must never do */
	atomic_t		wrong;
};

/**
 * pamt_fake_new() - Make a module, regions and pages for a test
 * @test: The test, at whose end it checks that nothing is lost.
 *
 * Return: The fake; the test ends where there is no memory for it.
 */
struct pamt_fake *pamt_fake_new(struct kunit *test);

/* Page @nr of region @region */
static inline u64 fake_pfn(unsigned int region, unsigned int nr)
{
	return FAKE_BASE_PFN + region * PTRS_PER_PTE + nr;
}

static inline atomic_t *fake_state(struct pamt_fake *fake, unsigned int region)
{
	return pamt_region(&fake->pamt.table, fake_pfn(region, 0));
}

static inline bool fake_has_pair(const struct pamt_fake *fake, unsigned int region)
{
	return fake->region[region].pair.page[0];
}

/**
 * fake_use_page() - Any other SEAMCALL that makes a page the module's
 * @fake: The fake.
 * @region: The region of the page.
 */
void fake_use_page(struct pamt_fake *fake, unsigned int region);

/**
 * fake_return_page() - Any other SEAMCALL that ends fake_use_page()
 * @fake: The fake.
 * @region: The region of the page.
 */
void fake_return_page(struct pamt_fake *fake, unsigned int region);

#endif
