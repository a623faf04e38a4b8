// SPDX-License-Identifier: GPL-2.0-only
/* TDs from the first page to the last, one after the other and side by side. */
#include <string.h>

#include "guest_host.h"
#include "plain.h"
#include "td_host.h"

#define NR_TDS		8
#define NR_VCPUS	3
#define CYCLES		200

/* Pages of TD @n: TDR, TDCS, vCPUs of 8 pages, tables, private pages. */
#define PAGES_PER_TD	64
#define P(n, i)		PG((uint64_t)(n) * PAGES_PER_TD + (i))
#define P_TDCX		1
#define P_VCPU		8
#define P_TABLE		40
#define P_MEM		48
#define NR_ADDED	4
#define NR_AUGED	4
#define GPA(i)		((uint64_t)(i) * SZ_4K)

static void leaf(struct host *h, uint64_t number, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	td_must(h, 0, (struct seam_regs){ .rax = number, .rcx = rcx, .rdx = rdx, .r8 = r8,
					  .r9 = SOURCE });
}

static void on_packages(struct host *h, struct seam_regs regs)
{
	td_must(h, 0, regs);
	td_must(h, HOST_CPUS - 1, regs);
}

static void make(struct host *h, unsigned int n)
{
	leaf(h, TDH_MNG_CREATE, P(n, 0), TD_HKID + n, 0);
	on_packages(h, (struct seam_regs){ .rax = TDH_MNG_KEY_CONFIG, .rcx = P(n, 0) });
	for (unsigned int i = 0; i < TDCS_PAGES; i++)
		leaf(h, TDH_MNG_ADDCX, P(n, P_TDCX + i), P(n, 0), 0);
	leaf(h, TDH_MNG_INIT, P(n, 0), TD_PARAMS, 0);

	for (unsigned int v = 0; v < NR_VCPUS; v++) {
		uint64_t tdvpr = P(n, P_VCPU + 8 * v);

		leaf(h, TDH_VP_CREATE, tdvpr, P(n, 0), 0);
		for (unsigned int i = 1; i <= TDVPS_CHILD_PAGES; i++)
			leaf(h, TDH_VP_ADDCX, tdvpr + i * SZ_4K, tdvpr, 0);
		td_must(h, v, (struct seam_regs){ .rax = TDH_VP_INIT | 1 << 16, .rcx = tdvpr,
						  .r8 = v });
	}

	for (unsigned int level = 3; level > 0; level--)
		leaf(h, TDH_MEM_SEPT_ADD, level, P(n, 0), P(n, P_TABLE + level));
	for (unsigned int i = 0; i < NR_ADDED; i++)
		leaf(h, TDH_MEM_PAGE_ADD, GPA(i), P(n, 0), P(n, P_MEM + i));
	leaf(h, TDH_MR_FINALIZE, P(n, 0), 0, 0);
	for (unsigned int i = NR_ADDED; i < NR_ADDED + NR_AUGED; i++)
		leaf(h, TDH_MEM_PAGE_AUG, GPA(i), P(n, 0), P(n, P_MEM + i));
}

/* As Linux does it: block, track, remove, write back; vCPUs; key; control pages. */
static void destroy(struct host *h, unsigned int n)
{
	for (unsigned int i = 0; i < NR_ADDED + NR_AUGED; i++) {
		leaf(h, TDH_MEM_RANGE_BLOCK, GPA(i), P(n, 0), 0);
		leaf(h, TDH_MEM_TRACK, P(n, 0), 0, 0);
		leaf(h, TDH_MEM_PAGE_REMOVE, GPA(i), P(n, 0), 0);
		leaf(h, TDH_PHYMEM_PAGE_WBINVD, P(n, P_MEM + i) | TD_KEYID(TD_HKID + n), 0, 0);
	}
	for (unsigned int v = 0; v < NR_VCPUS; v++)
		td_must(h, v, (struct seam_regs){ .rax = TDH_VP_FLUSH,
						  .rcx = P(n, P_VCPU + 8 * v) });
	leaf(h, TDH_MNG_VPFLUSHDONE, P(n, 0), 0, 0);
	on_packages(h, (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB });
	leaf(h, TDH_MNG_KEY_FREEID, P(n, 0), 0, 0);

	for (unsigned int v = 0; v < NR_VCPUS; v++) {
		for (unsigned int i = TDVPS_CHILD_PAGES + 1; i-- > 0;)
			leaf(h, TDH_PHYMEM_PAGE_RECLAIM, P(n, P_VCPU + 8 * v + i), 0, 0);
	}
	for (unsigned int level = 1; level <= 3; level++)
		leaf(h, TDH_PHYMEM_PAGE_RECLAIM, P(n, P_TABLE + level), 0, 0);
	for (unsigned int i = 0; i < TDCS_PAGES; i++)
		leaf(h, TDH_PHYMEM_PAGE_RECLAIM, P(n, P_TDCX + i), 0, 0);
	leaf(h, TDH_PHYMEM_PAGE_RECLAIM, P(n, 0), 0, 0);
	leaf(h, TDH_PHYMEM_PAGE_WBINVD, P(n, 0) | TD_KEYID(HOST_HKID), 0, 0);
}

/* All that a host can count is as it was before the first TD. */
static void assert_as_before(struct host *h, uint64_t before)
{
	struct seam_stats st;

	seam_get_stats(h->seam, &st);
	assert_int_equal(st.tds, 0);
	assert_int_equal(st.pages_owned, 0);
	assert_int_equal(st.keyids_in_use, 1);
	assert_int_equal(host_digest(h), before);
	assert_int_equal(seam_report_leaks(h->seam), 0);
	assert_int_equal(h->nr_violations, 0);
}

/* A digest of what TDs change in the module: PAMT and KeyIDs. */
static uint64_t start(struct host *h)
{
	host_start(h);
	td_goto(h, TD_NONE);
	return host_digest(h);
}

static void one(void **state)
{
	struct host *h = *state;
	uint64_t before = start(h);

	make(h, 0);
	assert_int_equal(host_td(h)->children, TDCS_PAGES + NR_VCPUS * (1 + TDVPS_CHILD_PAGES) +
			 3 + NR_ADDED + NR_AUGED);
	assert_int_equal(host_td(h)->nr_associated, NR_VCPUS);
	destroy(h, 0);
	assert_as_before(h, before);
}

static void again_and_again(void **state)
{
	struct host *h = *state;
	uint64_t before = start(h);

	for (unsigned int i = 0; i < CYCLES; i++) {
		make(h, 0);
		destroy(h, 0);
	}
	assert_as_before(h, before);
}

static void side_by_side(void **state)
{
	struct host *h = *state;
	uint64_t before = start(h);
	struct seam_stats st;

	for (unsigned int n = 0; n < NR_TDS; n++)
		make(h, n);
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.tds, NR_TDS);
	assert_int_equal(st.keyids_in_use, 1 + NR_TDS);
	for (unsigned int n = NR_TDS; n-- > 0;)
		destroy(h, n);
	assert_as_before(h, before);
}

/* A TD that never got beyond its keys goes the same way. */
static void early_end(void **state)
{
	struct host *h = *state;
	uint64_t before = start(h);

	leaf(h, TDH_MNG_CREATE, TDR, TD_HKID, 0);
	leaf(h, TDH_MNG_VPFLUSHDONE, TDR, 0, 0);
	on_packages(h, (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB });
	leaf(h, TDH_MNG_KEY_FREEID, TDR, 0, 0);
	leaf(h, TDH_PHYMEM_PAGE_RECLAIM, TDR, 0, 0);
	assert_as_before(h, before);
}

/* Each vCPU runs for a moment, on its CPU. */
static void run_vcpus(struct host *h, unsigned int n)
{
	const struct guest_exit host_event = { .why = GUEST_STOP_HOST_EVENT };
	struct guest_result result;

	for (unsigned int v = 0; v < NR_VCPUS; v++) {
		struct seam_regs regs = { .rax = TDH_VP_ENTER, .rcx = P(n, P_VCPU + 8 * v) };

		assert_int_equal(seam_call(h->seam, v, &regs), SEAM_END_RUN_GUEST);
		assert_int_equal(seam_guest_exit(h->seam, v, &host_event, &result),
				 SEAM_END_DONE);
		assert_status(result.regs.rax, TDX_SUCCESS | VMX_OTHER_SMI);
	}
}

static struct vcpu *vcpu_of(struct host *h, unsigned int n, unsigned int v)
{
	return own_info(h->seam, P(n, P_VCPU + 8 * v))->object;
}

/* What a guest left behind is nobody's: not its memory's next owner's either. */
static void assert_contents_gone(struct host *h, unsigned int n)
{
	static const uint8_t zero[SZ_4K];

	for (unsigned int i = 0; i < NR_ADDED + NR_AUGED; i++)
		assert_memory_equal(plain_at(h->seam, P(n, P_MEM + i)), zero, SZ_4K);
}

/*
 * What it takes to run a guest goes with its vCPU, or with the platform; that
 * all of it does is for the leak checker to tell.
 */
static void guests_end(void **state)
{
	struct host *h = *state;

	guest_host_start(h);
	td_goto(h, TD_NONE);
	for (unsigned int n = 0; n < 2; n++) {
		make(h, n);
		run_vcpus(h, n);
		for (unsigned int v = 0; v < NR_VCPUS; v++)
			assert_non_null(vcpu_of(h, n, v)->guest);
		for (unsigned int i = 0; i < NR_ADDED + NR_AUGED; i++)
			memset(plain_at(h->seam, P(n, P_MEM + i)), 0x5A, SZ_4K);
	}
	destroy(h, 0);
	assert_contents_gone(h, 0);
	assert_int_equal(*(uint8_t *)plain_at(h->seam, P(1, P_MEM)), 0x5A);

	/* The vCPUs of a TD that is made of the same pages are new. */
	make(h, 0);
	for (unsigned int v = 0; v < NR_VCPUS; v++)
		assert_null(vcpu_of(h, 0, v)->guest);
	run_vcpus(h, 0);
	assert_int_equal(vcpu_of(h, 0, 1)->guest->run.cpu.rip, 0xFFFFFFF0);
	assert_int_equal(h->nr_violations, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(one),
		host_test(again_and_again),
		host_test(side_by_side),
		host_test(early_end),
		host_test(guests_end),
	};

	return cmocka_run_group_tests_name("td_life", tests, NULL, NULL);
}
