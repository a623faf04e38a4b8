// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls of all leaves keep what must hold.  Each run prints its seed;
 * SEED=N repeats it, CALLS=N makes more or fewer calls.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "random_guest.h"

#define DEFAULT_CALLS	250000
#define CALLS_PER_CHECK	200
#define LIFE_CALLS	8000
#define END_CALLS	1000
/* In how many calls an interrupt comes. */
#define INTERRUPT_EVERY	8

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static uint64_t seed_of(unsigned int run)
{
	return number_from("SEED", (uint64_t)time(NULL)) + run;
}

struct tally {
	uint64_t calls, successes, interrupted;
	uint64_t of_leaf[SEAM_MAX_LEAF];
	struct random_guests guests;
};

/* Now and then all TDs are taken down. */
static bool is_end(uint64_t nr)
{
	return nr % LIFE_CALLS > LIFE_CALLS - END_CALLS;
}

static struct seam_regs next_call(struct host *h, struct random *r, uint64_t nr)
{
	if (is_end(nr))
		return property_end_step(h, r);
	return random_below(r, 2) ? property_call(h, r) : property_step(h, r);
}

static void make_call(struct host *h, struct random *r, struct tally *n)
{
	struct seam_regs regs = next_call(h, r, n->calls);
	unsigned int leaf = regs.rax & 0xFFFF;

	h->irq_after = random_below(r, INTERRUPT_EVERY) ? 0 : 1 + (unsigned int)random_below(r, 3);
	host_call_checked(h, random_cpu_outside(h, r, &n->guests), &regs);
	h->irq_after = 0;

	n->calls++;
	n->interrupted += regs.rax == TDX_INTERRUPTED_RESUMABLE;
	if (regs.rax == TDX_SUCCESS) {
		n->successes++;
		n->of_leaf[leaf]++;
	}
	if (!seam_status_name(regs.rax))
		fail_msg("leaf %u: 0x%" PRIx64 " is no status", leaf, regs.rax);
}

/* A run of full length that never gets anywhere would show nothing. */
static void assert_leaves_succeeded(const struct tally *n, const uint8_t *leaf, size_t nr)
{
	for (size_t i = 0; n->calls >= DEFAULT_CALLS && i < nr; i++) {
		if (!n->of_leaf[leaf[i]])
			fail_msg("%s never succeeded", seam_leaf_name(leaf[i]));
	}
}

static const uint8_t base_leaves[] = {
	TDH_MNG_ADDCX, TDH_MEM_PAGE_ADD, TDH_MEM_SEPT_ADD, TDH_VP_ADDCX, TDH_MEM_PAGE_AUG,
	TDH_MEM_RANGE_BLOCK, TDH_MNG_KEY_CONFIG, TDH_MNG_CREATE, TDH_VP_CREATE, TDH_MNG_RD,
	TDH_MR_EXTEND, TDH_MR_FINALIZE, TDH_VP_FLUSH, TDH_MNG_VPFLUSHDONE, TDH_MNG_KEY_FREEID,
	TDH_MNG_INIT, TDH_VP_INIT, TDH_PHYMEM_PAGE_RDMD, TDH_VP_RD, TDH_PHYMEM_PAGE_RECLAIM,
	TDH_MEM_PAGE_REMOVE, TDH_MEM_SEPT_REMOVE, TDH_SYS_RD, TDH_MEM_TRACK,
	TDH_MEM_RANGE_UNBLOCK, TDH_PHYMEM_CACHE_WB, TDH_PHYMEM_PAGE_WBINVD, TDH_VP_WR,
};

static const uint8_t dpamt_leaves[] = { TDH_PHYMEM_PAMT_ADD, TDH_PHYMEM_PAMT_REMOVE };

static const uint8_t connect_leaves[] = {
	TDH_EXT_INIT, TDH_EXT_MEM_ADD, TDH_IOMMU_SETUP, TDH_IOMMU_CLEAR, TDH_SPDM_CREATE,
	TDH_SPDM_DELETE, TDH_IDE_STREAM_CREATE, TDH_IDE_STREAM_DELETE,
};

static struct host *start(const char *const *args)
{
	struct host *h = host_new(args);

	h->machine.event = NULL;
	guest_host_start(h);
	host_goto(h, STAGE_TDMRS);
	td_prepare_params(h);
	return h;
}

static void check(struct host *h, struct tally *n)
{
	random_guests_leave(h, &n->guests);
	property_check(h);
}

static struct tally run(unsigned int nr, const char *const *args)
{
	uint64_t calls = number_from("CALLS", DEFAULT_CALLS);
	struct host *h = start(args);
	uint64_t seed = seed_of(nr);
	struct random r = { .state = seed };
	struct tally n = { .guests.free_page = random_free_page };

	print_message("# seed %" PRIu64 " for run %u, SEED=%" PRIu64 " repeats it\n",
		      seed, nr, seed - nr);
	while (n.calls < calls) {
		make_call(h, &r, &n);
		if (!is_end(n.calls))
			random_guest_step(h, &r, &n.guests);
		if (n.calls % CALLS_PER_CHECK == 0)
			check(h, &n);
	}
	check(h, &n);
	assert_int_equal(h->seam->violations[RULE_HOST_WRITE], 0);
	print_message("## seed %" PRIu64 ": %" PRIu64 " calls of hosts and %" PRIu64
		      " of guests, %" PRIu64 " successes, %" PRIu64 " interrupted\n", seed,
		      n.calls + n.guests.enters + n.guests.host_calls, n.guests.tdcalls,
		      n.successes + n.guests.entered + n.guests.tdcalls_ok, n.interrupted);
	random_guests_report(&n.guests, n.calls >= DEFAULT_CALLS);
	host_free(h);
	return n;
}

static void static_pamt(void **state)
{
	struct tally n = run(0, NULL);

	(void)state;
	assert_leaves_succeeded(&n, base_leaves, ARRAY_SIZE(base_leaves));
}

static void dynamic_pamt(void **state)
{
	const char *const args[] = { DPAMT, NULL };
	struct tally n = run(1, args);

	(void)state;
	assert_leaves_succeeded(&n, base_leaves, ARRAY_SIZE(base_leaves));
	assert_leaves_succeeded(&n, dpamt_leaves, ARRAY_SIZE(dpamt_leaves));
}

static void connect(void **state)
{
	const char *const args[] = { CONNECT, "ext_pool_pages", "24", "iommu_mt_pages", "2",
				     "spdm_mt_pages", "3", "ide_mt_pages", "1", "iommu",
				     "0xfed90000:0xfed91000", NULL };
	struct tally n = run(2, args);

	(void)state;
	assert_leaves_succeeded(&n, base_leaves, ARRAY_SIZE(base_leaves));
	assert_leaves_succeeded(&n, connect_leaves, ARRAY_SIZE(connect_leaves));
}

static void everything(void **state)
{
	const char *const args[] = { CONNECT_DPAMT, "ext_pool_pages", "16", "iommu_mt_pages", "2",
				     "spdm_mt_pages", "1", "ide_mt_pages", "2", NULL };
	struct tally n = run(3, args);

	(void)state;
	assert_leaves_succeeded(&n, base_leaves, ARRAY_SIZE(base_leaves));
	assert_leaves_succeeded(&n, dpamt_leaves, ARRAY_SIZE(dpamt_leaves));
	assert_leaves_succeeded(&n, connect_leaves, ARRAY_SIZE(connect_leaves));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(static_pamt),
		cmocka_unit_test(dynamic_pamt),
		cmocka_unit_test(connect),
		cmocka_unit_test(everything),
	};

	return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
