// SPDX-License-Identifier: GPL-2.0
/*
 * Dynamic PAMT: who adds and removes the page pairs of 2 MB regions, and when
 *
 * The TDX module needs a pair of PAMT pages for a 2 MB region before it can use
 * a 4K page of it.  The first user of a region adds the pair, the last one
 * removes it, and the users in between only count (pamt_region.h).
 *
 * Transitions and the module's locks
 *
 * Adding or removing a pair takes the module's lock on the region exclusively.
 * Adding also takes the locks on the regions where the two pages of the pair
 * lie, as shared.  All of them are try-locks: whoever does not get one sees
 * TDX_OPERAND_BUSY.  So transitions of different regions get into each other's
 * way, in pairings that depend on what the page allocator came up with, and a
 * lock per region cannot prevent that.  It happens seldom: two CPUs have to be
 * in a transition at the same time, one in a region where the other one's
 * pages lie.
 *
 * Hence transitions run side by side, under the shared side of
 * tdx_pamt::lock, and repeat a busy SEAMCALL a few times.  Those still not
 * served start again under the exclusive side, which keeps all others out.
 * What can make the module busy even then is TDH.PHYMEM.PAGE.RDMD from the
 * machine check handler, which is short.
 *
 * Other SEAMCALLs take the lock on the region of their page as shared.  They
 * do not meet a transition of that region, since their page is counted.
 *
 * Rules
 *
 *  - A region is busy only while a CPU holds the lock, either side, and that
 *    CPU does nothing but one series of SEAMCALLs.  Waiting for it is short.
 *  - Who waits for a busy region holds neither side.
 *  - Lock order: mmu_lock -> tdx_pamt::lock.  Process context only.
 *  - No memory is allocated or freed under the lock.
 *  - pamt_put() never fails.  A pair that the module keeps is not lost: the
 *    region is stuck, and the next user finds the pair in place.
 */
#define pr_fmt(fmt)	"virt/tdx: " fmt

#include <linux/mm.h>
#include <linux/processor.h>
#include <asm/shared/tdx_errno.h>

#include "pamt.h"

/*
 * A SEAMCALL of another transition takes a few microseconds, about as long as
 * one try.
 */
#define PAMT_TRIES_SHARED	8
#define PAMT_TRIES_EXCLUSIVE	256

enum pamt_trouble {
	PAMT_TROUBLE_ADD,
	PAMT_TROUBLE_REMOVE,
};

/* One transition of one region */
struct pamt_transition {
	struct tdx_pamt	*pamt;
	atomic_t	*region;
	u64		pa;
	struct pamt_pair pair;
	bool		exclusive;
};

static void pamt_lock(const struct pamt_transition *t)
{
	if (t->exclusive)
		write_lock(&t->pamt->lock);
	else
		read_lock(&t->pamt->lock);
}

static void pamt_unlock(const struct pamt_transition *t)
{
	if (t->exclusive)
		write_unlock(&t->pamt->lock);
	else
		read_unlock(&t->pamt->lock);
}

static bool pamt_is_busy(u64 status)
{
	return (status & TDX_SEAMCALL_STATUS_MASK) == TDX_OPERAND_BUSY;
}

/* Repeat the SEAMCALL of @t while the module is busy, within reason. */
static u64 pamt_seamcall(struct pamt_transition *t,
			 u64 (*seamcall)(struct pamt_transition *t))
{
	unsigned int tries = t->exclusive ? PAMT_TRIES_EXCLUSIVE : PAMT_TRIES_SHARED;
	u64 status;

	lockdep_assert_held(&t->pamt->lock);

	for (;;) {
		status = seamcall(t);
		if (!pamt_is_busy(status) || !--tries)
			return status;

		atomic_long_inc(&t->pamt->counters.retries);
		cpu_relax();
	}
}

static u64 pamt_seamcall_add(struct pamt_transition *t)
{
	return t->pamt->ops->add(t->pamt, t->pa, &t->pair);
}

static u64 pamt_seamcall_remove(struct pamt_transition *t)
{
	return t->pamt->ops->remove(t->pamt, t->pa, &t->pair);
}

/*
 * The state of a region once it is not busy.
 *
 * The CPU that made it busy cannot be preempted, so spin.  With PREEMPT_RT it
 * can: wait for the lock that it holds, which lends it this task's priority.
 */
static int pamt_wait(struct tdx_pamt *pamt, atomic_t *region)
{
	int state;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		return atomic_cond_read_acquire(region, VAL != PAMT_BUSY);

	while ((state = atomic_read_acquire(region)) == PAMT_BUSY) {
		write_lock(&pamt->lock);
		write_unlock(&pamt->lock);
	}

	return state;
}

/* The module and the kernel disagree.  Say so once for each @trouble. */
static void pamt_report(const struct pamt_transition *t, enum pamt_trouble trouble, u64 status)
{
	if (test_and_set_bit(trouble, &t->pamt->reported))
		return;

	if (trouble == PAMT_TROUBLE_ADD)
		pr_err("TDX module refused PAMT pages for the 2M at 0x%llx: 0x%016llx\n",
		       t->pa, status);
	else
		pr_err("TDX module did not return PAMT pages for the 2M at 0x%llx, which has no users: 0x%016llx\n",
		       t->pa, status);
}

/* The module takes the pages of @t for used.  Do not free what it may write to. */
static void pamt_leak_pair(struct pamt_transition *t)
{
	t->pair = (struct pamt_pair) { };
	atomic_long_inc(&t->pamt->counters.leaked);
}

/* Add the pair of @t to its region, which is busy.  On success, @t counts as a user. */
static int pamt_add_pair(struct pamt_transition *t)
{
	u64 status = pamt_seamcall(t, pamt_seamcall_add);

	if (!status) {
		t->pair = (struct pamt_pair) { };
		atomic_long_inc(&t->pamt->counters.pairs);
		pamt_region_settle(t->region, 1);
		return 0;
	}

	pamt_region_settle(t->region, PAMT_ABSENT);
	if (pamt_is_busy(status))
		return -EBUSY;

	if ((status & TDX_SEAMCALL_STATUS_MASK) == TDX_PAGE_NOT_FREE)
		pamt_leak_pair(t);
	pamt_report(t, PAMT_TROUBLE_ADD, status);
	return -EIO;
}

/* Returns -EAGAIN if the region is not absent any more. */
static int pamt_try_add(struct pamt_transition *t)
{
	int ret = -EAGAIN;

	pamt_lock(t);
	if (pamt_region_claim(t->region, PAMT_ABSENT))
		ret = pamt_add_pair(t);
	pamt_unlock(t);

	return ret;
}

/*
 * Remove the pair of the region of @t, which is busy and has no users.
 * Returns -EBUSY, with one user as before, if it is worth to try again.
 */
static int pamt_remove_pair(struct pamt_transition *t)
{
	struct pamt_counters *counters = &t->pamt->counters;
	u64 status = pamt_seamcall(t, pamt_seamcall_remove);

	if (pamt_is_busy(status) && !t->exclusive) {
		pamt_region_settle(t->region, 1);
		return -EBUSY;
	}

	if (!status) {
		atomic_long_dec(&counters->pairs);
		pamt_region_settle(t->region, PAMT_ABSENT);
		return 0;
	}

	if ((status & TDX_SEAMCALL_STATUS_MASK) == TDX_NO_PAMT_PAGE_PAIR) {
		/* Only the module knew which pages they were. */
		atomic_long_dec(&counters->pairs);
		atomic_long_inc(&counters->leaked);
		pamt_region_settle(t->region, PAMT_ABSENT);
	} else {
		/* Count first, as the next user uncounts. */
		atomic_long_inc(&counters->stuck);
		pamt_region_settle(t->region, PAMT_STUCK);
	}
	pamt_report(t, PAMT_TROUBLE_REMOVE, status);
	return 0;
}

/* Returns -EAGAIN if the region got more users. */
static int pamt_try_remove(struct pamt_transition *t)
{
	int ret = -EAGAIN;

	pamt_lock(t);
	if (pamt_region_claim(t->region, 1))
		ret = pamt_remove_pair(t);
	pamt_unlock(t);

	return ret;
}

/* Try again, in company at first and then alone. */
static bool pamt_again(struct pamt_transition *t, int ret)
{
	if (ret == -EAGAIN)
		return true;

	if (ret != -EBUSY || t->exclusive)
		return false;

	t->exclusive = true;
	atomic_long_inc(&t->pamt->counters.escalations);
	return true;
}

/* Count in @region if it has a pair.  Returns -ENOENT if it has none. */
static int pamt_get_present(struct tdx_pamt *pamt, atomic_t *region)
{
	for (;;) {
		int state = pamt_wait(pamt, region);

		if (state == PAMT_ABSENT)
			return -ENOENT;

		/* More users than pages: some page is counted twice. */
		if (WARN_ON_ONCE(state >= PAMT_MAX_USERS))
			return -EIO;

		if (pamt_region_get(region))
			return 0;

		if (state == PAMT_STUCK && atomic_try_cmpxchg_acquire(region, &state, 1)) {
			atomic_long_dec(&pamt->counters.stuck);
			return 0;
		}
	}
}

static int pamt_get_4k(struct tdx_pamt *pamt, atomic_t *region, u64 pfn,
		       struct tdx_pamt_cache *cache)
{
	struct pamt_transition t = {
		.pamt = pamt,
		.region = region,
		.pa = ALIGN_DOWN(PFN_PHYS(pfn), PMD_SIZE),
	};
	int ret;

	ret = pamt_get_present(pamt, region);
	if (ret != -ENOENT)
		return ret;

	ret = pamt_pair_take(pamt, cache, pfn_valid(pfn) ? pfn_to_nid(pfn) : NUMA_NO_NODE,
			     &t.pair);
	if (ret)
		return ret;

	do {
		ret = pamt_get_present(pamt, region);
		if (ret == -ENOENT)
			ret = pamt_try_add(&t);
	} while (pamt_again(&t, ret));

	/* It is left over if another CPU was first. */
	pamt_pair_return(pamt, cache, &t.pair);

	return ret;
}

static void pamt_put_4k(struct tdx_pamt *pamt, atomic_t *region, u64 pfn)
{
	struct pamt_transition t = {
		.pamt = pamt,
		.region = region,
		.pa = ALIGN_DOWN(PFN_PHYS(pfn), PMD_SIZE),
	};
	int i, ret;

	do {
		/* Users that come and go meanwhile change what there is to do. */
		if (pamt_region_put(region))
			return;

		/* The caller is a user of a region that has none. */
		if (WARN_ONCE(atomic_read(region) <= PAMT_ABSENT,
			      "PAMT of the page at 0x%llx has no users\n", PFN_PHYS(pfn)))
			return;

		ret = pamt_try_remove(&t);
	} while (pamt_again(&t, ret));

	/* The module has used them, and they go to anyone. */
	for (i = 0; i < PAMT_PAIR_PAGES && t.pair.page[i]; i++)
		pamt->ops->reset(pamt, t.pair.page[i]);
	pamt_pair_return(pamt, NULL, &t.pair);
}

static int pamt_get_2m(struct tdx_pamt *pamt, atomic_t *region)
{
	return pamt_wait(pamt, region) == PAMT_ABSENT ? 0 : -EEXIST;
}

/* pamt_get() for all that is not a mere increment */
int __pamt_get(struct tdx_pamt *pamt, u64 pfn, enum pg_level level,
	       struct tdx_pamt_cache *cache)
{
	atomic_t *region = pamt_region(&pamt->table, pfn);

	if (WARN_ONCE(atomic_read(region) == PAMT_NONE,
		      "The page at 0x%llx is not TDX memory\n", PFN_PHYS(pfn)))
		return -EINVAL;

	switch (level) {
	case PG_LEVEL_4K:
		return pamt_get_4k(pamt, region, pfn, cache);
	case PG_LEVEL_2M:
		return pamt_get_2m(pamt, region);
	default:
		WARN_ON_ONCE(1);
		return -EINVAL;
	}
}

/* pamt_put() for all that is not a mere decrement */
void __pamt_put(struct tdx_pamt *pamt, u64 pfn, enum pg_level level)
{
	atomic_t *region = pamt_region(&pamt->table, pfn);

	/* There is nothing to undo for a 2 MB page. */
	if (level == PG_LEVEL_2M)
		return;

	if (!WARN_ON_ONCE(level != PG_LEVEL_4K))
		pamt_put_4k(pamt, region, pfn);
}
