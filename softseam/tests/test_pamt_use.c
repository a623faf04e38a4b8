// SPDX-License-Identifier: GPL-2.0-only
/* Dynamic PAMT in use: opting in, pairs, leaves that need one, what hosts do wrong. */
#include <string.h>

#include "feature_host.h"

/* In regions without a pair. */
#define NO_PAIR		FREE_2M
/* Of the pair of TD_PAGES. */
#define PAMT_PAGE	TD_PAIR

/* Pages that other leaves want to take. */
TWIST(rcx_no_pair, in->rcx = NO_PAIR)
TWIST(r8_no_pair, in->r8 = NO_PAIR)
TWIST(rcx_pamt_page, in->rcx = PAMT_PAGE)
TWIST(rdx_pamt_page, in->rdx = PAMT_PAGE)
TWIST(r8_pamt_page, in->r8 = PAMT_PAGE)
TWIST(rdx_no_pair, in->rdx = NO_PAIR)
TWIST(lend_free_2m, td_must(h, 0, (struct seam_regs)ADD_PAIR(FREE_2M, PAIR(1, 0), PAIR(1, 1))))

#define CREATE()	{ .rax = TDH_MNG_CREATE, .rcx = TDR, .rdx = TD_HKID }
#define ADDCX()		{ .rax = TDH_MNG_ADDCX, .rcx = TDCX(0), .rdx = TDR }
#define VP_CREATE()	{ .rax = TDH_VP_CREATE, .rcx = TDVPR(0), .rdx = TDR }
#define VP_ADDCX()	{ .rax = TDH_VP_ADDCX, .rcx = TDVPX(0, 0), .rdx = TDVPR(0) }
#define SEPT()		{ .rax = TDH_MEM_SEPT_ADD, .rcx = 3, .rdx = TDR, .r8 = EPT_PAGE(3) }
#define PAGE()		{ .rax = TDH_MEM_PAGE_ADD, .rcx = GPA_REG, .rdx = TDR, .r8 = REG_PAGE, \
			  .r9 = SOURCE }
#define AUG()		{ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_AUG, .rdx = TDR, .r8 = AUG_PAGE }
#define AUG_2M(pa)	{ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_NO_TABLE | 1, .rdx = TDR, .r8 = (pa) }
#define RECLAIM(pa)	{ .rax = TDH_PHYMEM_PAGE_RECLAIM, .rcx = (pa) }
#define WBINVD(pa)	{ .rax = TDH_PHYMEM_PAGE_WBINVD, .rcx = (pa) }
#define TRACK()		{ .rax = TDH_MEM_TRACK, .rcx = TDR }

#define ROW(name, stage_, in_, twist_, status_) \
	{ name "_" #twist_, { DPAMT }, stage_, twist_, .in = in_(), .status = status_ }

/* A leaf that takes the page in a register. */
#define TAKE_ROWS(name, stage, in_, reg, op)					\
	{ name "_has_pair", { DPAMT }, stage, .in = in_() },			\
	ROW(name, stage, in_, reg ## _no_pair, TDX_MISSING_PAMT_PAGE_PAIR | op),	\
	ROW(name, stage, in_, reg ## _pamt_page, TDX_PAGE_METADATA_INCORRECT | op)

static const struct td_row rows[] = {
	TAKE_ROWS("mng_create", TD_NONE, CREATE, rcx, OPERAND_RCX),
	TAKE_ROWS("mng_addcx", TD_KEYS, ADDCX, rcx, OPERAND_RCX),
	TAKE_ROWS("vp_create", TD_INIT, VP_CREATE, rcx, OPERAND_RCX),
	TAKE_ROWS("vp_addcx", TD_VCPU_CREATED, VP_ADDCX, rcx, OPERAND_RCX),
	TAKE_ROWS("sept_add", TD_INIT, SEPT, r8, OPERAND_R8),
	TAKE_ROWS("page_add", TD_SEPT, PAGE, r8, OPERAND_R8),
	TAKE_ROWS("page_aug", TD_RUNNABLE, AUG, r8, OPERAND_R8),
	{ "page_aug_2m", { DPAMT }, TD_RUNNABLE, .in = AUG_2M(FREE_2M) },
	{ "page_aug_2m_has_pair", { DPAMT }, TD_RUNNABLE, lend_free_2m, .in = AUG_2M(FREE_2M),
	  .status = TDX_PAGE_METADATA_INCORRECT | OPERAND_R8 },

	/* Leaves that want a page of a type. */
	ROW("track", TD_RUNNABLE, TRACK, rcx_no_pair, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX),
	ROW("track", TD_RUNNABLE, TRACK, rcx_pamt_page, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX),
	ROW("vp_addcx", TD_VCPU_CREATED, VP_ADDCX, rdx_no_pair,
	    TDX_PAGE_METADATA_INCORRECT | OPERAND_RDX),
	ROW("vp_addcx", TD_VCPU_CREATED, VP_ADDCX, rdx_pamt_page,
	    TDX_PAGE_METADATA_INCORRECT | OPERAND_RDX),
	{ "reclaim_no_pair", { DPAMT }, TD_TORN_DOWN, .in = RECLAIM(NO_PAIR),
	  .status = TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX },
	{ "reclaim_pamt_page", { DPAMT }, TD_TORN_DOWN, .in = RECLAIM(PAMT_PAGE),
	  .status = TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX },
	{ "wbinvd_free_page", { DPAMT }, TD_NONE, .in = WBINVD(FREE_PAGE) },
	{ "wbinvd_no_pair", { DPAMT }, TD_NONE, .in = WBINVD(NO_PAIR) },
	{ "wbinvd_pamt_page", { DPAMT }, TD_NONE, .in = WBINVD(PAMT_PAGE),
	  .status = TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX },
};

/* SYS.CONFIG */
#define CONFIG()	{ .rax = TDH_SYS_CONFIG, .rcx = HOST_ARRAY, .rdx = HOST_TDMRS, \
			  .r8 = HOST_HKID | 1 << 16 }

static void shrink_pamt(struct host *h)
{
	for (unsigned int i = 0; i < HOST_TDMRS; i++)
		host_tdmr(h, i)->pamt_4k.size = host_tdmr(h, i)->size / GB * 32 * 1024;
}

TWIST(bitmap_exact, shrink_pamt(h))
TWIST(bitmap_small, shrink_pamt(h); host_tdmr(h, 1)->pamt_4k.size -= SZ_4K)
TWIST(bitmap_not_chosen, shrink_pamt(h); in->r8 = HOST_HKID)
TWIST(bit_17, in->r8 |= 1 << 17)
TWIST(bit_15, in->r8 |= 1 << 15)
TWIST(only_bit_16, in->r8 = 1 << 16)

static const struct row config_rows[] = {
	{ "success", { DPAMT }, STAGE_LPS, .in = CONFIG() },
	{ "not_offered", .stage = STAGE_LPS, .in = CONFIG(),
	  .status = TDX_OPERAND_INVALID | OPERAND_R8 },
	{ "exact_bitmap", { DPAMT }, STAGE_LPS, bitmap_exact, .in = CONFIG() },
	{ "small_bitmap", { DPAMT }, STAGE_LPS, bitmap_small, .in = CONFIG(),
	  .status = TDX_INVALID_PAMT | 1 },
	{ "bitmap_without_opt_in", { DPAMT }, STAGE_LPS, bitmap_not_chosen, .in = CONFIG(),
	  .status = TDX_INVALID_PAMT | 0 },
	{ "bit_17", { DPAMT }, STAGE_LPS, bit_17, .in = CONFIG(),
	  .status = TDX_OPERAND_INVALID | OPERAND_R8 },
	{ "bit_15", { DPAMT }, STAGE_LPS, bit_15, .in = CONFIG(),
	  .status = TDX_OPERAND_INVALID | OPERAND_R8 },
	{ "no_keyid", { DPAMT }, STAGE_LPS, only_bit_16, .in = CONFIG(),
	  .status = TDX_OPERAND_INVALID | OPERAND_R8 },
};

/* Addresses of more than 48 bits do not fit: few KeyIDs, so that MAXPA is 52. */
static uint64_t config_with_hpa_bits(const char *bits, uint64_t r8)
{
	const char *const args[] = { DPAMT, "hpa_bits", bits, "keyids", "1+2", NULL };
	struct host *h = host_new(args);
	struct seam_regs in = CONFIG();
	uint64_t status;

	in.r8 = r8;
	host_start(h);
	host_goto(h, STAGE_LPS);
	status = host_status(h, 0, in);
	host_free(h);
	return status;
}

static void address_width(void **state)
{
	(void)state;
	assert_status(config_with_hpa_bits("48", 2 | 1 << 16), TDX_SUCCESS);
	assert_status(config_with_hpa_bits("49", 2 | 1 << 16), TDX_OPERAND_INVALID | OPERAND_R8);
	assert_status(config_with_hpa_bits("49", 2), TDX_SUCCESS);
}

/* Plain tests: a host with Dynamic PAMT on. */
static int setup(void **state)
{
	const char *const args[] = { DPAMT, NULL };

	*state = host_new(args);
	host_start(*state);
	return 0;
}

#define dpamt_test(f)	cmocka_unit_test_setup_teardown(f, setup, host_teardown)

static struct seam_regs call(struct host *h, struct seam_regs regs)
{
	host_call_checked(h, 0, &regs);
	return regs;
}

static void assert_rdmd(struct host *h, uint64_t pa, enum page_type type, enum page_size size)
{
	struct seam_regs out = call(h, (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RDMD,
							   .rcx = pa });

	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, type);
	assert_int_equal(out.rdx, 0);
	assert_int_equal(out.r8, size);
	assert_int_equal(out.r9, 0);
}

static void a_pair_comes_and_goes(void **state)
{
	struct host *h = *state;
	uint64_t before;
	struct seam_regs out;
	struct seam_stats st;

	host_goto(h, STAGE_TDMRS);
	before = host_digest(h);
	assert_rdmd(h, REGION(1), PT_NDA, PS_2M);
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(1), PAIR(1, 1), REGION_PG(1, 17)));
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.pamt_pairs, 1);
	assert_rdmd(h, REGION(1), PT_NDA, PS_4K);
	assert_rdmd(h, PAIR(1, 1), PT_PAMT, PS_4K);
	assert_rdmd(h, REGION_PG(1, 17), PT_PAMT, PS_4K);
	assert_rdmd(h, PAIR(1, 0), PT_NDA, PS_2M);
	assert_rdmd(h, HOST_PAMT, PT_RSVD, PS_4K);

	out = call(h, (struct seam_regs)REMOVE_PAIR(REGION(1)));
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rdx, PAIR(1, 1));
	assert_int_equal(out.r8, REGION_PG(1, 17));
	assert_int_equal(host_digest(h), before);
	assert_rdmd(h, PAIR(1, 1), PT_NDA, PS_2M);
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.pamt_pairs, 0);
	assert_int_equal(h->nr_violations, 0);
}

/* An error names no pages. */
static void outputs_on_error(void **state)
{
	struct host *h = *state;
	struct seam_regs in = REMOVE_PAIR(REGION(1)), out;

	host_goto(h, STAGE_TDMRS);
	in.rdx = 1;
	in.r8 = 2;
	out = call(h, in);
	assert_status(out.rax, TDX_NO_PAMT_PAGE_PAIR | OPERAND_RCX);
	assert_int_equal(out.rdx, 0);
	assert_int_equal(out.r8, 0);
}

/* A page of the pair is in the middle of a range that is free otherwise. */
static void no_2m_page_over_pamt(void **state)
{
	struct host *h = *state;
	struct seam_regs in = AUG_2M(FREE_2M);

	td_goto(h, TD_RUNNABLE);
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(1), FREE_2M + 300 * SZ_4K, PAIR(1, 1)));
	assert_status(host_status(h, 0, in), TDX_PAGE_METADATA_INCORRECT | OPERAND_R8);
	td_must(h, 0, (struct seam_regs)REMOVE_PAIR(REGION(1)));
	td_must(h, 0, in);
	assert_status(host_status(h, 0, (struct seam_regs)ADD_PAIR(FREE_2M, PAIR(1, 0),
								    PAIR(1, 1))),
		      TDX_HPA_RANGE_NOT_FREE | OPERAND_RCX);
}

#define HINT	(1ULL << 62)

/* GPA_REG and GPA_AUG, with pages in a region of their own. */
static void removal_hint_of_page_remove(void **state)
{
	struct host *h = *state;
	struct seam_regs remove = { .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_REG, .rdx = TDR };
	struct seam_regs page = PAGE();

	td_goto(h, TD_SEPT);
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(1), PAIR(1, 0), PAIR(1, 1)));
	for (unsigned int i = 0; i < 2; i++) {
		page.rcx = GPA_REG + i * SZ_4K;
		page.r8 = REGION_PG(1, i);
		td_must(h, 0, page);
	}
	assert_status(host_status(h, 0, (struct seam_regs)REMOVE_PAIR(REGION(1))),
		      TDX_PAMT_PAGE_NOT_EMPTY | OPERAND_RCX);
	assert_int_equal(call(h, remove).rcx, REGION_PG(1, 0));
	remove.rcx = GPA_REG + SZ_4K;
	assert_int_equal(call(h, remove).rcx, REGION_PG(1, 1) | HINT);
	td_must(h, 0, (struct seam_regs)REMOVE_PAIR(REGION(1)));
}

/* All pages of a TD: the TDR is the last of its region. */
static void reclaim_all(void **state)
{
	struct host *h = *state;
	struct seam_regs out;

	td_goto(h, TD_TORN_DOWN);
	for (uint64_t pa = PG(TD_NR_PAGES - 1); pa > TDR; pa -= SZ_4K) {
		enum page_type type = (enum page_type)host_page(h, pa)->type;

		if (type == PT_NDA)
			continue;
		out = call(h, (struct seam_regs)RECLAIM(pa));
		assert_status(out.rax, TDX_SUCCESS);
		assert_int_equal(out.r9, 0);
	}
	out = call(h, (struct seam_regs)RECLAIM(TDR));
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.r9, HINT);
	out = call(h, (struct seam_regs)REMOVE_PAIR(TD_PAGES));
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rdx, TD_PAIR);
	assert_int_equal(h->nr_violations, 0);
	assert_int_equal(seam_report_leaks(h->seam), 0);
}

/* Without Dynamic PAMT there is no hint. */
static void no_hint_when_static(void **state)
{
	struct host *h = host_new(NULL);

	(void)state;
	host_start(h);
	td_goto(h, TD_TORN_DOWN);
	for (uint64_t pa = PG(TD_NR_PAGES - 1); pa >= TDR; pa -= SZ_4K) {
		if (host_page(h, pa)->type == PT_NDA)
			continue;
		assert_int_equal(call(h, (struct seam_regs)RECLAIM(pa)).r9, 0);
	}
	host_free(h);
}

static void assert_violation(struct host *h, const char *rule, uint64_t pa, const char *text)
{
	assert_int_equal(h->nr_violations, 1);
	assert_string_equal(h->violation_rule, rule);
	assert_int_equal(h->violation_pa, pa);
	assert_string_equal(h->violation_text, text);
	h->nr_violations = 0;
}

/* Found when the entry in the damaged cache line is read, or when the pair goes. */
static void host_writes_to_pamt_page(void **state)
{
	struct host *h = *state;

	host_goto(h, STAGE_TDMRS);
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(1), PAIR(1, 0), PAIR(1, 1)));

	/* The entry of page 300 is at (300 - 256) * 16 of the second page. */
	*host_mem(h, PAIR(1, 1) + 44 * 16 + 3) ^= 1;
	assert_rdmd(h, REGION_PG(1, 299), PT_NDA, PS_4K);
	assert_rdmd(h, REGION_PG(1, 44), PT_NDA, PS_4K);
	assert_int_equal(h->nr_violations, 0);
	h->caller = "tdx_mce";
	assert_rdmd(h, REGION_PG(1, 301), PT_NDA, PS_4K);
	assert_violation(h, "host-write", PAIR(1, 1) + 44 * 16,
			 "TDH.PHYMEM.PAGE.RDMD finds that the host wrote to 0x1006032c0, in a PAMT page of the module for the 2M at 0x100200000, called by tdx_mce");
	assert_rdmd(h, REGION_PG(1, 301), PT_NDA, PS_4K);
	assert_int_equal(h->nr_violations, 0);

	h->caller = NULL;
	*host_mem(h, PAIR(1, 0) + 4095) ^= 1;
	td_must(h, 0, (struct seam_regs)REMOVE_PAIR(REGION(1)));
	assert_violation(h, "host-write", PAIR(1, 0) + 4088,
			 "TDH.PHYMEM.PAMT.REMOVE finds that the host wrote to 0x100602ff8, in a PAMT page of the module for the 2M at 0x100200000");
}

static void pairs_never_returned(void **state)
{
	struct host *h = *state;

	td_goto(h, TD_CREATED);
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(1), PAIR(1, 0), PAIR(1, 1)));
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(2), PAIR(2, 0), PAIR(2, 1)));
	td_must(h, 0, (struct seam_regs)REMOVE_PAIR(REGION(2)));
	/* The pair of region 1, and the TD, which still needs the pair of its region. */
	assert_int_equal(seam_report_leaks(h->seam), 2);
	assert_int_equal(h->nr_violations, 2);
	assert_string_equal(h->violation_rule, "never-returned");
	assert_int_equal(h->violation_pa, TDR);
}

static void pair_never_returned(void **state)
{
	struct host *h = *state;

	host_goto(h, STAGE_TDMRS);
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(1), PAIR(1, 0), PAIR(1, 1)));
	assert_int_equal(seam_report_leaks(h->seam), 1);
	assert_violation(h, "never-returned", PAIR(1, 0),
			 "the module still has the PAMT pages 0x100602000 and 0x100603000 for the 2M at 0x100200000, of which it has no page");
}

static void metadata_field(void **state)
{
	struct seam_regs in = { .rax = TDH_SYS_RD, .rdx = 0x9100000100000013 }, out;
	struct host *h = *state, *other = host_new(NULL);

	host_goto(h, STAGE_LPS);
	out = call(h, in);
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.r8, 1);
	assert_int_equal(out.rdx, 0x9800000100000000);

	host_start(other);
	host_goto(other, STAGE_LPS);
	assert_status(host_status(other, 0, in), TDX_METADATA_FIELD_ID_INCORRECT);
	host_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_width),
		dpamt_test(a_pair_comes_and_goes),
		dpamt_test(outputs_on_error),
		dpamt_test(no_2m_page_over_pamt),
		dpamt_test(removal_hint_of_page_remove),
		dpamt_test(reclaim_all),
		cmocka_unit_test(no_hint_when_static),
		dpamt_test(host_writes_to_pamt_page),
		dpamt_test(pairs_never_returned),
		dpamt_test(pair_never_returned),
		dpamt_test(metadata_field),
	};
	int failed = run_td_rows("pamt_use", rows, ARRAY_SIZE(rows));

	failed += run_rows("pamt_config", config_rows, ARRAY_SIZE(config_rows));
	return failed + cmocka_run_group_tests_name("pamt_state", tests, NULL, NULL);
}
