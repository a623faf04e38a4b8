// SPDX-License-Identifier: GPL-2.0-only
/* Flushes before a page is handed over, and resets after it came back. */
#include "feature_host.h"

#define FLUSH		"features0", "0x940000"
#define FLUSH_DPAMT	"features0", "0x1000940000"
#define CREATE()	{ .rax = TDH_MNG_CREATE, .rcx = TDR, .rdx = TD_HKID }
#define PAGE()		{ .rax = TDH_MEM_PAGE_ADD, .rcx = GPA_REG, .rdx = TDR, .r8 = REG_PAGE, \
			  .r9 = SOURCE }
#define UNPAGE()	{ .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_REG, .rdx = TDR }
#define ALL		64

static struct host *new_host(const char *const *args, enum td_stage stage)
{
	struct host *h = host_new(args);

	host_start(h);
	td_goto(h, stage);
	/* How the TD came there is not the matter. */
	h->nr_violations = 0;
	return h;
}

static void assert_violation(struct host *h, const char *rule, uint64_t pa, const char *text)
{
	assert_int_equal(h->nr_violations, 1);
	assert_string_equal(h->violation_rule, rule);
	assert_int_equal(h->violation_pa, pa);
	assert_string_equal(h->violation_text, text);
	h->nr_violations = 0;
}

static void flushed_page(void **state)
{
	const char *const args[] = { FLUSH, NULL };
	struct host *h = new_host(args, TD_NONE);

	(void)state;
	host_clflush(h, TDR, ALL);
	td_must(h, 0, (struct seam_regs)CREATE());
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

static void page_not_flushed(void **state)
{
	const char *const args[] = { FLUSH, NULL };
	struct host *h = new_host(args, TD_NONE);

	(void)state;
	h->caller = "__tdx_td_init";
	host_clflush(h, TDR, ALL - 1);
	host_clflush(h, TDR, 1);
	host_clflush(h, TDR + SZ_4K, ALL);
	td_must(h, 0, (struct seam_regs)CREATE());
	assert_violation(h, "no-clflush", TDR,
			 "TDH.MNG.CREATE takes 0x100000000 of the host as a page of type TDR, with 63 of 64 lines flushed since the host has it, called by __tdx_td_init");
	host_free(h);
}

/* The module asks for it, or it does not matter. */
static void flush_not_asked_for(void **state)
{
	struct host *h = new_host(NULL, TD_NONE);

	(void)state;
	td_must(h, 0, (struct seam_regs)CREATE());
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

static void flush_not_reported(void **state)
{
	const char *const args[] = { FLUSH, NULL };
	struct host *h = host_new(args);

	(void)state;
	h->machine.reports_clflush = false;
	host_start(h);
	td_goto(h, TD_CREATED);
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

/* A flush counts for one handover. */
static void flush_before_each_handover(void **state)
{
	const char *const args[] = { FLUSH, NULL };
	struct host *h = new_host(args, TD_SEPT);

	(void)state;
	host_clflush(h, REG_PAGE, ALL);
	td_must(h, 0, (struct seam_regs)PAGE());
	/* While the module has the page, too. */
	host_clflush(h, REG_PAGE, ALL);
	td_must(h, 0, (struct seam_regs)UNPAGE());
	assert_int_equal(h->nr_violations, 0);
	td_must(h, 0, (struct seam_regs)PAGE());
	assert_violation(h, "no-clflush", REG_PAGE,
			 "TDH.MEM.PAGE.ADD takes 0x100030000 of the host as a page of type REG, with 0 of 64 lines flushed since the host has it");
	host_free(h);
}

/* A call that failed took nothing: the flush still counts. */
static void flush_survives_error(void **state)
{
	const char *const args[] = { FLUSH, NULL };
	struct host *h = new_host(args, TD_NONE);

	(void)state;
	host_clflush(h, TDR, ALL);
	lock_try_exclusive(&h->seam->kot.lock);
	assert_status(host_status(h, 0, (struct seam_regs)CREATE()),
		      TDX_OPERAND_BUSY | OPERAND_KOT);
	lock_release(&h->seam->kot.lock, LOCK_EXCLUSIVE);
	td_must(h, 0, (struct seam_regs)CREATE());
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

static void large_page_not_flushed(void **state)
{
	const char *const args[] = { FLUSH, NULL };
	struct host *h = new_host(args, TD_RUNNABLE);

	(void)state;
	for (unsigned int i = 0; i < 512; i++) {
		if (i != 77)
			host_clflush(h, FREE_2M + i * SZ_4K, ALL);
	}
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_NO_TABLE | 1,
					  .rdx = TDR, .r8 = FREE_2M });
	assert_int_equal(h->nr_violations, 1);
	assert_int_equal(h->violation_pa, FREE_2M + 77 * SZ_4K);
	host_free(h);
}

/* PAMT pages need no flush. */
static void pairs_need_no_flush(void **state)
{
	const char *const args[] = { FLUSH_DPAMT, NULL };
	struct host *h = new_host(args, TD_NONE);

	(void)state;
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(1), PAIR(1, 0), PAIR(1, 1)));
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

/* Nothing is kept of memory that no CMR has. */
static void lines_elsewhere(void **state)
{
	const char *const args[] = { FLUSH, "erratum", "on", NULL };
	struct host *h = new_host(args, TD_NONE);

	(void)state;
	host_clflush(h, 100 * GB, 2);
	host_movdir64b(h, 100 * GB, 2);
	host_clflush(h, h->seam->own.end - 64, 1);
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

/* The erratum */
#define ERRATUM		"erratum", "on"

static struct host *page_came_back(const char *const *args)
{
	struct host *h = new_host(args, TD_PAGE);

	h->caller = "tdx_sept_remove_leaf_spte";
	td_must(h, 0, (struct seam_regs)UNPAGE());
	h->caller = NULL;
	return h;
}

static void page_reset(void **state)
{
	const char *const args[] = { ERRATUM, NULL };
	struct host *h = page_came_back(args);

	(void)state;
	assert_int_equal(h->seam->lines.waiting, 1);
	host_movdir64b(h, REG_PAGE, ALL);
	assert_int_equal(h->seam->lines.waiting, 0);
	host_movdir64b(h, REG_PAGE, ALL);
	assert_int_equal(h->seam->lines.waiting, 0);
	td_must(h, 0, (struct seam_regs)PAGE());
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

static void page_not_reset(void **state)
{
	const char *const args[] = { ERRATUM, NULL };
	struct host *h = page_came_back(args);

	(void)state;
	host_movdir64b(h, REG_PAGE + SZ_4K, ALL);
	host_movdir64b(h, REG_PAGE, ALL - 2);
	h->caller = "tdx_sept_map_leaf_spte";
	td_must(h, 0, (struct seam_regs)PAGE());
	assert_violation(h, "no-reset", REG_PAGE,
			 "TDH.MEM.PAGE.ADD takes 0x100030000, which came back to the host by TDH.MEM.PAGE.REMOVE called by tdx_sept_remove_leaf_spte, with 62 of 64 lines reset by MOVDIR64B, called by tdx_sept_map_leaf_spte");
	assert_int_equal(h->seam->lines.waiting, 0);
	host_free(h);
}

static void page_not_reset_at_the_end(void **state)
{
	const char *const args[] = { ERRATUM, NULL };
	struct host *h = page_came_back(args);

	(void)state;
	/* The TD that still is there is the second. */
	assert_int_equal(seam_report_leaks(h->seam), 2);
	assert_int_equal(h->nr_violations, 2);
	assert_int_equal(h->seam->violations[RULE_NO_RESET], 1);
	assert_int_equal(h->seam->lines.waiting, 0);
	host_free(h);
}

/* Overwriting a page before it came back does not count. */
static void reset_too_early(void **state)
{
	const char *const args[] = { ERRATUM, NULL };
	struct host *h = new_host(args, TD_PAGE);

	(void)state;
	host_movdir64b(h, REG_PAGE, ALL);
	td_must(h, 0, (struct seam_regs)UNPAGE());
	assert_int_equal(h->seam->lines.waiting, 1);
	host_free(h);
}

static void no_erratum(void **state)
{
	struct host *h = page_came_back(NULL);

	(void)state;
	td_must(h, 0, (struct seam_regs)PAGE());
	assert_int_equal(h->nr_violations, 0);
	assert_int_equal(h->seam->lines.waiting, 0);
	host_free(h);
}

/* Control pages, tables, the pages of pairs. */
static void all_that_comes_back(void **state)
{
	const char *const args[] = { DPAMT, ERRATUM, NULL };
	struct host *h = new_host(args, TD_TORN_DOWN);
	unsigned int nr = 0;

	(void)state;
	for (uint64_t pa = PG(TD_NR_PAGES - 1); pa >= TDR; pa -= SZ_4K) {
		if (host_page(h, pa)->type == PT_NDA)
			continue;
		td_must(h, 0, (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RECLAIM, .rcx = pa });
		assert_int_equal(h->seam->lines.waiting, ++nr);
	}
	td_must(h, 0, (struct seam_regs)REMOVE_PAIR(TD_PAGES));
	assert_int_equal(h->seam->lines.waiting, nr + 2);
	for (unsigned int i = 0; i < 512; i++)
		host_movdir64b(h, PG(i), ALL);
	assert_int_equal(h->seam->lines.waiting, 0);
	assert_int_equal(seam_report_leaks(h->seam), 0);
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

/* As messages name them. */
static void page_types(void **state)
{
	static const struct {
		enum page_type type;
		const char *name;
	} types[] = {
		{ PT_NDA, "NDA" }, { PT_RSVD, "RSVD" }, { PT_REG, "REG" }, { PT_TDR, "TDR" },
		{ PT_TDCX, "TDCX" }, { PT_TDVPR, "TDVPR" }, { PT_EPT, "EPT" }, { PT_EXT, "EXT" },
		{ PT_IOMMU_MT, "IOMMU_MT" }, { PT_SPDM_MT, "SPDM_MT" }, { PT_IDE_MT, "IDE_MT" },
		{ PT_PAMT, "PAMT" }, { 7, "?" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_string_equal(page_type_name(types[i].type), types[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flushed_page),
		cmocka_unit_test(page_not_flushed),
		cmocka_unit_test(flush_not_asked_for),
		cmocka_unit_test(flush_not_reported),
		cmocka_unit_test(flush_before_each_handover),
		cmocka_unit_test(flush_survives_error),
		cmocka_unit_test(large_page_not_flushed),
		cmocka_unit_test(pairs_need_no_flush),
		cmocka_unit_test(lines_elsewhere),
		cmocka_unit_test(page_reset),
		cmocka_unit_test(page_not_reset),
		cmocka_unit_test(page_not_reset_at_the_end),
		cmocka_unit_test(reset_too_early),
		cmocka_unit_test(no_erratum),
		cmocka_unit_test(all_that_comes_back),
		cmocka_unit_test(page_types),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
