// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MNG but for MNG.INIT: each precondition, and what success does. */
#include "td_twists.h"

#define CREATE()		{ .rax = TDH_MNG_CREATE, .rcx = TDR, .rdx = TD_HKID }
#define KEY_CONFIG()	{ .rax = TDH_MNG_KEY_CONFIG, .rcx = TDR }
#define ADDCX()		{ .rax = TDH_MNG_ADDCX, .rcx = TDCX(0), .rdx = TDR }
#define ADDCX_7TH()	{ .rax = TDH_MNG_ADDCX, .rcx = FREE_PAGE, .rdx = TDR }
#define RD()		{ .rax = TDH_MNG_RD, .rcx = TDR, .rdx = 0x110000000000000A }
#define VPFLUSHDONE()	{ .rax = TDH_MNG_VPFLUSHDONE, .rcx = TDR }
#define FREEID()		{ .rax = TDH_MNG_KEY_FREEID, .rcx = TDR }

TWIST(hkid_shared, in->rdx = HOST_HKID - 1)
TWIST(hkid_zero, in->rdx = 0)
TWIST(hkid_beyond, in->rdx = HOST_HKID + 32)
TWIST(hkid_high_bits, in->rdx |= 1ULL << 16)
TWIST(hkid_global, in->rdx = HOST_HKID)
TWIST(hkid_assigned, h->seam->kot.state[TD_HKID] = KOT_ASSIGNED)
TWIST(hkid_flushed, h->seam->kot.state[TD_HKID] = KOT_FLUSHED)
TWIST(kot_locked, lock_try_exclusive(&h->seam->kot.lock))
TWIST(kot_shared, lock_try_shared(&h->seam->kot.lock))
TWIST(ket_locked, lock_try_exclusive(&h->seam->ket.lock))
TWIST(hkid_and_page_bad, in->rdx = 0; in->rcx = 1)
TWIST(page_and_kot_bad, in->rcx = 1; lock_try_exclusive(&h->seam->kot.lock))
TWIST(no_memory, host_fail_alloc(1))

TWIST(package_done, td_must(h, 0, (struct seam_regs)KEY_CONFIG()))
TWIST(lifecycle_blocked, host_td(h)->lifecycle = TD_BLOCKED)
TWIST(lifecycle_teardown, host_td(h)->lifecycle = TD_TEARDOWN)

TWIST(full, host_td(h)->nr_tdcx = TDCS_MAX_PAGES)
TWIST(fatal_and_no_keys, td_fatal(h, in); td_no_keys(h, in))
TWIST(no_keys_and_page_bad, td_no_keys(h, in); in->rcx = 1)
TWIST(full_and_page_bad, full(h, in); in->rcx = 1)
TWIST(op_and_page_bad, in->rcx = 1)

TWIST(vcpu_associated, (void)0)
TWIST(one_package_left, h->seam->kot.wb_packages[TD_HKID] = 2)

TWIST(field_unknown, in->rdx = 0x1100000000000001)
TWIST(field_last_element, in->rdx |= 1ULL << 34)
TWIST(field_class, in->rdx = 0x120000000000000A)
TWIST(field_leaf_unknown, in->rdx = 0x9410000300000000 | 0x7E << 9 | 0x1FE)
TWIST(field_null_v0, in->rdx = ~0ULL)

#define ROW(twist_, stage_, in_, status_) ROW_AT("", twist_, stage_, in_, status_)

static const struct td_row create_rows[] = {
	{ "no_entropy", .args = { "inject", "9:1:RND_NO_ENTROPY" }, .in = CREATE(),
	  .status = TDX_RND_NO_ENTROPY },
	{ "create", .in = CREATE() },
	ROW(hkid_shared, TD_NONE, CREATE, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(hkid_zero, TD_NONE, CREATE, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(hkid_beyond, TD_NONE, CREATE, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(hkid_high_bits, TD_NONE, CREATE, TDX_OPERAND_INVALID | OPERAND_RDX),
	FREE_PAGE_ROWS(rcx, OPERAND_RCX, TD_NONE, CREATE),
	ROW(kot_locked, TD_NONE, CREATE, TDX_OPERAND_BUSY | OPERAND_KOT),
	ROW(kot_shared, TD_NONE, CREATE, TDX_OPERAND_BUSY | OPERAND_KOT),
	ROW(hkid_global, TD_NONE, CREATE, TDX_HKID_NOT_FREE),
	ROW(hkid_assigned, TD_NONE, CREATE, TDX_HKID_NOT_FREE),
	ROW(hkid_flushed, TD_NONE, CREATE, TDX_HKID_NOT_FREE),
	ROW(hkid_and_page_bad, TD_NONE, CREATE, TDX_OPERAND_INVALID | OPERAND_RDX),
	ROW(page_and_kot_bad, TD_NONE, CREATE, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(no_memory, TD_NONE, CREATE, TDX_OPERAND_BUSY | OPERAND_RCX),
};

static const struct td_row key_config_rows[] = {
	{ "key_config", .stage = TD_CREATED, .in = KEY_CONFIG() },
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_CREATED, KEY_CONFIG),
	ROW(td_fatal, TD_CREATED, KEY_CONFIG, TDX_TD_FATAL),
	{ "keys_configured", .stage = TD_KEYS, .in = KEY_CONFIG(),
	  .status = TDX_LIFECYCLE_STATE_INCORRECT },
	ROW(lifecycle_blocked, TD_KEYS, KEY_CONFIG, TDX_LIFECYCLE_STATE_INCORRECT),
	ROW(package_done, TD_CREATED, KEY_CONFIG, TDX_KEY_CONFIGURED),
	{ "other_cpu_of_package", .stage = TD_CREATED, .twist = package_done, .cpu = 1,
	  .in = KEY_CONFIG(), .status = TDX_KEY_CONFIGURED },
	{ "other_package", .stage = TD_CREATED, .twist = package_done, .cpu = 2,
	  .in = KEY_CONFIG() },
	ROW(ket_locked, TD_CREATED, KEY_CONFIG, TDX_OPERAND_BUSY | OPERAND_KET),
	{ "no_entropy", .args = { "inject", "8:1:RND_NO_ENTROPY" },
	  .stage = TD_CREATED, .in = KEY_CONFIG(), .status = TDX_RND_NO_ENTROPY },
	{ "key_generation", .args = { "inject", "8:1:KEY_GENERATION_FAILED" },
	  .stage = TD_CREATED, .in = KEY_CONFIG(), .status = TDX_KEY_GENERATION_FAILED },
};

static const struct td_row addcx_rows[] = {
	{ "addcx", .stage = TD_KEYS, .in = ADDCX() },
	{ "addcx_7th", .stage = TD_TDCS, .in = ADDCX_7TH() },
	CONTROL_EXCLUSIVE_ROWS(rdx, OPERAND_RDX, TD_KEYS, ADDCX),
	ROW(td_fatal, TD_KEYS, ADDCX, TDX_TD_FATAL),
	{ "no_keys", .stage = TD_CREATED, .in = ADDCX(), .status = TDX_TD_KEYS_NOT_CONFIGURED },
	ROW(lifecycle_blocked, TD_KEYS, ADDCX, TDX_TD_KEYS_NOT_CONFIGURED),
	ROW(lifecycle_teardown, TD_KEYS, ADDCX, TDX_TD_KEYS_NOT_CONFIGURED),
	ROW(full, TD_KEYS, ADDCX, TDX_TDCX_NUM_INCORRECT),
	FREE_PAGE_ROWS(rcx, OPERAND_RCX, TD_KEYS, ADDCX),
	{ "op_init", .stage = TD_INIT, .in = ADDCX_7TH(), .status = TDX_OP_STATE_INCORRECT },
	{ "op_runnable", .stage = TD_RUNNABLE, .in = ADDCX_7TH(),
	  .status = TDX_OP_STATE_INCORRECT },
	ROW(fatal_and_no_keys, TD_KEYS, ADDCX, TDX_TD_FATAL),
	ROW(no_keys_and_page_bad, TD_KEYS, ADDCX, TDX_TD_KEYS_NOT_CONFIGURED),
	ROW(full_and_page_bad, TD_KEYS, ADDCX, TDX_TDCX_NUM_INCORRECT),
	ROW(op_and_page_bad, TD_INIT, ADDCX, TDX_OPERAND_INVALID | OPERAND_RCX),
};

static const struct td_row rd_rows[] = {
	{ "rd", .stage = TD_INIT, .in = RD() },
	{ "rd_runnable", .stage = TD_RUNNABLE, .in = RD() },
	CONTROL_SHARED_ROWS(rcx, OPERAND_RCX, TD_INIT, RD),
	TD_STATE_ROWS(TD_INIT, RD),
	OP_LOCKED_ROW(TD_INIT, RD),
	OP_STATE_ROW(uninit, TD_INIT, RD),
	{ "tdr_shared", .stage = TD_INIT, .twist = tdr_locked_shared, .in = RD() },
	ROW(field_unknown, TD_INIT, RD, TDX_METADATA_FIELD_ID_INCORRECT),
	ROW(field_last_element, TD_INIT, RD, TDX_METADATA_FIELD_ID_INCORRECT),
	ROW(field_class, TD_INIT, RD, TDX_METADATA_FIELD_ID_INCORRECT),
	ROW(field_leaf_unknown, TD_INIT, RD, TDX_METADATA_FIELD_ID_INCORRECT),
	ROW(field_null_v0, TD_INIT, RD, TDX_METADATA_FIELD_ID_INCORRECT),
};

static const struct td_row vpflushdone_rows[] = {
	{ "vpflushdone", .stage = TD_FLUSHED, .in = VPFLUSHDONE() },
	{ "vpflushdone_no_vcpu", .stage = TD_INIT, .in = VPFLUSHDONE() },
	{ "vpflushdone_no_keys", .stage = TD_CREATED, .in = VPFLUSHDONE() },
	{ "vpflushdone_fatal", .stage = TD_FLUSHED, .twist = td_fatal, .in = VPFLUSHDONE() },
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_FLUSHED, VPFLUSHDONE),
	ROW(kot_locked, TD_FLUSHED, VPFLUSHDONE, TDX_OPERAND_BUSY | OPERAND_KOT),
	ROW(kot_shared, TD_FLUSHED, VPFLUSHDONE, TDX_OPERAND_BUSY | OPERAND_KOT),
	{ "already_blocked", .stage = TD_VPFLUSHDONE, .in = VPFLUSHDONE(),
	  .status = TDX_LIFECYCLE_STATE_INCORRECT },
	{ "torn_down", .stage = TD_TORN_DOWN, .in = VPFLUSHDONE(),
	  .status = TDX_LIFECYCLE_STATE_INCORRECT },
	ROW(vcpu_associated, TD_TRACKED, VPFLUSHDONE, TDX_FLUSHVP_NOT_DONE),
};

static const struct td_row freeid_rows[] = {
	{ "freeid", .stage = TD_CACHES, .in = FREEID() },
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_CACHES, FREEID),
	{ "not_blocked", .stage = TD_FLUSHED, .in = FREEID(),
	  .status = TDX_LIFECYCLE_STATE_INCORRECT },
	{ "only_created", .stage = TD_CREATED, .in = FREEID(),
	  .status = TDX_LIFECYCLE_STATE_INCORRECT },
	{ "freed_already", .stage = TD_TORN_DOWN, .in = FREEID(),
	  .status = TDX_LIFECYCLE_STATE_INCORRECT },
	ROW(kot_locked, TD_CACHES, FREEID, TDX_OPERAND_BUSY | OPERAND_KOT),
	ROW(kot_shared, TD_CACHES, FREEID, TDX_OPERAND_BUSY | OPERAND_KOT),
	{ "no_write_back", .stage = TD_VPFLUSHDONE, .in = FREEID(),
	  .status = TDX_WBCACHE_NOT_COMPLETE },
	ROW(one_package_left, TD_CACHES, FREEID, TDX_WBCACHE_NOT_COMPLETE),
};

static void create_takes_page_and_key(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_CREATED);
	assert_int_equal(host_page(h, TDR)->type, PT_TDR);
	assert_int_equal(pamt_owner(host_page(h, TDR)), 0);
	assert_int_equal(h->seam->kot.state[TD_HKID], KOT_ASSIGNED);
	assert_int_equal(host_td(h)->lifecycle, TD_HKID_ASSIGNED);
	assert_int_equal(host_td(h)->children, 0);
	assert_int_equal(host_td(h)->hkid, TD_HKID);
}

static void key_config_needs_all_packages(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_CREATED);
	td_must(h, 3, (struct seam_regs)KEY_CONFIG());
	assert_int_equal(host_td(h)->lifecycle, TD_HKID_ASSIGNED);
	td_must(h, 0, (struct seam_regs)KEY_CONFIG());
	assert_int_equal(host_td(h)->lifecycle, TD_KEYS_CONFIGURED);
}

static void addcx_owns_pages(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_TDCS);
	assert_int_equal(host_td(h)->children, TDCS_PAGES);
	for (unsigned int i = 0; i < TDCS_PAGES; i++) {
		assert_int_equal(host_page(h, TDCX(i))->type, PT_TDCX);
		assert_int_equal(pamt_owner(host_page(h, TDCX(i))), TDR);
	}
}

static void vpflushdone_and_freeid(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_VPFLUSHDONE);
	assert_int_equal(host_td(h)->lifecycle, TD_BLOCKED);
	assert_int_equal(h->seam->kot.state[TD_HKID], KOT_FLUSHED);
	assert_int_equal(h->seam->kot.wb_packages[TD_HKID], 3);
	td_must(h, 1, (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB });
	assert_int_equal(h->seam->kot.wb_packages[TD_HKID], 2);
	td_must(h, 2, (struct seam_regs){ .rax = TDH_PHYMEM_CACHE_WB });
	td_must(h, 0, (struct seam_regs)FREEID());
	assert_int_equal(host_td(h)->lifecycle, TD_TEARDOWN);
	assert_int_equal(h->seam->kot.state[TD_HKID], KOT_FREE);
}

/* The KeyID is free for another TD while the first still has pages. */
static void keyid_is_used_again(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_TORN_DOWN);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_CREATE, .rcx = FREE_PAGE,
					  .rdx = TD_HKID });
	assert_int_equal(h->seam->kot.state[TD_HKID], KOT_ASSIGNED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(create_takes_page_and_key),
		host_test(key_config_needs_all_packages),
		host_test(addcx_owns_pages),
		host_test(vpflushdone_and_freeid),
		host_test(keyid_is_used_again),
	};
	int failed = run_td_rows("mng_create", create_rows, ARRAY_SIZE(create_rows));

	failed += run_td_rows("mng_key_config", key_config_rows, ARRAY_SIZE(key_config_rows));
	failed += run_td_rows("mng_addcx", addcx_rows, ARRAY_SIZE(addcx_rows));
	failed += run_td_rows("mng_rd", rd_rows, ARRAY_SIZE(rd_rows));
	failed += run_td_rows("mng_vpflushdone", vpflushdone_rows, ARRAY_SIZE(vpflushdone_rows));
	failed += run_td_rows("mng_key_freeid", freeid_rows, ARRAY_SIZE(freeid_rows));
	return failed + cmocka_run_group_tests_name("mng", tests, NULL, NULL);
}
