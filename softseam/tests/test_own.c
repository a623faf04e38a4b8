// SPDX-License-Identifier: GPL-2.0-only
/* Pages that change hands: what the host may not do, and what it has to take back. */
#include <string.h>

#include "td_host.h"

static void assert_host_write(struct host *h, uint64_t pa, const char *text)
{
	assert_int_equal(h->nr_violations, 1);
	assert_string_equal(h->violation_rule, "host-write");
	assert_int_equal(h->violation_pa, pa);
	assert_string_equal(h->violation_text, text);
	h->nr_violations = 0;
}

/* Told when the page is removed, by address, owner and GPA. */
static void private_page(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_TRACKED);
	*host_mem(h, REG_PAGE + 0x123) ^= 0x10;
	assert_int_equal(h->nr_violations, 0);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_REG,
					  .rdx = TDR });
	assert_host_write(h, REG_PAGE + 0x120,
			  "TDH.MEM.PAGE.REMOVE finds that the host wrote to 0x100030120, "
			  "in a REG page of TDR 0x100000000 at GPA 0x100000");
}

/* A TDR and a TDVPR are looked at whenever they are used, and told of once. */
static void control_pages(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_RUNNABLE);
	memset(host_mem(h, TDR), 0, SZ_4K);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR });
	assert_host_write(h, TDR,
			  "TDH.MEM.TRACK finds that the host wrote to 0x100000000, "
			  "in a TDR page of TDR 0x100000000");
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR });
	assert_int_equal(h->nr_violations, 0);

	*host_mem(h, TDVPR(0) + 4095) ^= 1;
	td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_RD, .rcx = TDVPR(0),
					  .rdx = 0x9100000000000100 });
	assert_host_write(h, TDVPR(0) + 4088,
			  "TDH.VP.RD finds that the host wrote to 0x10000aff8, "
			  "in a TDVPR page of TDR 0x100000000");
}

/* All other types at the latest when they are reclaimed. */
static void reclaimed_pages(void **state)
{
	static const struct {
		uint64_t pa;
		const char *type;
	} pages[] = {
		{ TDCX(3), "a TDCX page" }, { TDVPX(0, 2), "a TDCX page" },
		{ EPT_PAGE(2), "a EPT page" }, { AUG_PAGE, "a REG page" },
		{ TDVPR(0), "a TDVPR page" },
	};
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_TORN_DOWN);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		*host_mem(h, pages[i].pa + 8) ^= 1;
		td_must(h, 0, (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RECLAIM,
						  .rcx = pages[i].pa });
		assert_int_equal(h->nr_violations, 1);
		assert_int_equal(h->violation_pa, pages[i].pa + 8);
		assert_non_null(strstr(h->violation_text, pages[i].type));
		h->nr_violations = 0;
	}
}

/* In a large page, the 4K that was written to. */
static void large_page(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_PAGE);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_NO_TABLE | 1,
					  .rdx = TDR, .r8 = FREE_2M });
	*host_mem(h, FREE_2M + 0x5010) ^= 1;
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_NO_TABLE | 1,
					  .rdx = TDR });
	assert_host_write(h, FREE_2M + 0x5010,
			  "TDH.MEM.PAGE.REMOVE finds that the host wrote to 0x102005010, "
			  "in a REG page of TDR 0x100000000 at GPA 0x205000");
}

/* A page that was given back is the host's to write to, and can be given again. */
static void after_return(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_TRACKED);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_REG,
					  .rdx = TDR });
	memset(host_mem(h, REG_PAGE), 0x55, SZ_4K);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = TDR,
					  .r8 = REG_PAGE });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK, .rcx = GPA_FREE,
					  .rdx = TDR });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR });
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_FREE,
					  .rdx = TDR });
	assert_int_equal(h->nr_violations, 0);
}

/* What one page shows to the host says nothing about another. */
static void patterns_differ(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_AUG);
	for (unsigned int i = 0; i < 1 + TDCS_PAGES; i++) {
		for (unsigned int j = 0; j < i; j++)
			assert_memory_not_equal(host_mem(h, PG(i)), host_mem(h, PG(j)), 8);
	}
}

static void leaks(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_PAGE);
	assert_int_equal(seam_report_leaks(h->seam), 1);
	assert_int_equal(h->nr_violations, 1);
	assert_string_equal(h->violation_rule, "never-returned");
	assert_int_equal(h->violation_pa, TDR);
	assert_string_equal(h->violation_text, "TDR 0x100000000 is left in KEYS_CONFIGURED: "
			    "it holds KeyID 33, 16 pages and the TDR");
}

static void leaks_after_teardown(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_TORN_DOWN);
	assert_int_equal(seam_report_leaks(h->seam), 1);
	assert_string_equal(h->violation_text, "TDR 0x100000000 is left in TEARDOWN: "
			    "it holds 17 pages and the TDR");
}

static void no_leaks(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_NONE);
	assert_int_equal(seam_report_leaks(h->seam), 0);
	assert_int_equal(h->nr_violations, 0);
}

static void stats(void **state)
{
	struct host *h = *state;
	struct seam_stats st;

	host_start(h);
	td_goto(h, TD_PAGE);
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.tds, 1);
	assert_int_equal(st.pages_owned, 17);
	assert_int_equal(st.keyids_in_use, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(private_page),
		host_test(control_pages),
		host_test(reclaimed_pages),
		host_test(large_page),
		host_test(after_return),
		host_test(patterns_differ),
		host_test(leaks),
		host_test(leaks_after_teardown),
		host_test(no_leaks),
		host_test(stats),
	};

	return cmocka_run_group_tests_name("own", tests, NULL, NULL);
}
