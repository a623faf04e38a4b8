// SPDX-License-Identifier: GPL-2.0-only
/* Extensions: choosing them, their metadata, their pool, EXT.INIT. */
#include <string.h>

#include "feature_host.h"

#define INFO(root, first, last)	((root) | (uint64_t)(first) << 3 | (uint64_t)(last) << 55)
#define ADD()			{ .rax = TDH_EXT_MEM_ADD, .rcx = INFO(LIST, 0, 3) }
#define INIT()			{ .rax = TDH_EXT_INIT }

#define POOL_FIELD		0x3100000200000000ULL
#define REQUIRED_FIELD		0x3100000000000001ULL

/* Page @i of the pool. */
#define POOL_PG(i)		REGION_PG(0, i)

static void fill_list(struct host *h, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		host_list(h, LIST)[i] = POOL_PG(i);
}

static void ready(struct host *h)
{
	host_goto(h, STAGE_TDMRS);
	fill_list(h, PAGE_LIST_MAX);
}

static void no_add_ons(struct host *h)
{
	h->config.r9 = FEATURE_EXT;
	ready(h);
}

static void keys_missing(struct host *h)
{
	host_goto(h, STAGE_CONFIG);
}

static void tdmrs_missing(struct host *h)
{
	host_goto(h, STAGE_READY);
	fill_list(h, 4);
}

static void shut_down(struct host *h)
{
	host_goto(h, STAGE_SHUTDOWN);
}

/* One entry was taken, and then came an interrupt. */
static void interrupted(struct host *h)
{
	struct seam_regs regs = ADD();

	ready(h);
	h->irq_after = 1;
	assert_status(host_status(h, 0, regs), TDX_INTERRUPTED_RESUMABLE);
}

/* The pool has its 4 pages. */
static void full(struct host *h)
{
	ready(h);
	td_must(h, 0, (struct seam_regs)ADD());
}

static void initialised(struct host *h)
{
	full(h);
	td_must(h, 0, (struct seam_regs)INIT());
}

/* HPA_LIST_INFO, bit by bit */
#define BIT_TWIST(n)	TWIST(bit_ ## n, in->rcx |= 1ULL << (n))
BIT_TWIST(0)
BIT_TWIST(1)
BIT_TWIST(2)
BIT_TWIST(52)
BIT_TWIST(53)
BIT_TWIST(54)
TWIST(first_1, in->rcx = INFO(LIST, 1, 3))
TWIST(first_behind_last, in->rcx = INFO(LIST, 4, 3))
TWIST(list_keyid, in->rcx |= TD_KEYID(1))
TWIST(list_private, in->rcx |= TD_KEYID(TD_HKID))
TWIST(list_above_maxpa, in->rcx |= TD_KEYID(64))
TWIST(list_not_ram, in->rcx = INFO(3 * GB, 0, 3))
TWIST(one_page, in->rcx = INFO(LIST, 0, 0))

/* The first slot */
#define SLOT(h)		host_list(h, LIST)[0]
TWIST(slot_low_bit, SLOT(h) |= 1)
TWIST(slot_bit_11, SLOT(h) |= 1 << 11)
TWIST(slot_keyid, SLOT(h) |= TD_KEYID(1))
TWIST(slot_bit_52, SLOT(h) |= 1ULL << 52)
TWIST(slot_bit_63, SLOT(h) |= 1ULL << 63)
TWIST(slot_no_tdmr, SLOT(h) = 3 * GB)
TWIST(slot_no_init, atomic_store(&h->seam->tdmr[2].next, 4 * GB))
TWIST(slot_reserved, SLOT(h) = HOST_PAMT)
TWIST(slot_locked, lock_try_exclusive(&host_page(h, SLOT(h))->lock))
TWIST(slot_shared, lock_try_shared(&host_page(h, SLOT(h))->lock))
TWIST(slot_used, host_page(h, SLOT(h))->type = PT_REG)
TWIST(slot_not_ram, h->not_ram = SLOT(h))
TWIST(busy, lock_try_exclusive(&h->seam->ext.lock))

/* Resuming: what was returned, and what was not */
TWIST(as_returned, in->rcx = INFO(LIST, 1, 3))
TWIST(later_slot, in->rcx = INFO(LIST, 2, 3))
TWIST(other_list, in->rcx = INFO(LIST2, 1, 3); memcpy(host_list(h, LIST2), host_list(h, LIST), 4096))
TWIST(other_end, in->rcx = INFO(LIST, 1, 4))

#define ROW(twist_, stage_, status_) \
	{ #twist_, { EXT, "ext_pool_pages", "4" }, stage_, twist_, .in = ADD(), .status = status_ }

static const struct feature_row rows[] = {
	{ "add_success", { EXT, "ext_pool_pages", "4" }, ready, .in = ADD() },
	{ "add_last_cpu", { EXT, "ext_pool_pages", "4" }, ready, .cpu = 3, .in = ADD() },
	{ "add_not_offered", .stage = ready, .in = ADD(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	{ "add_version_1", { EXT }, ready, .in = { .rax = TDH_EXT_MEM_ADD | 1 << 16 },
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	{ "add_keys_missing", { EXT }, keys_missing, .in = ADD(), .status = TDX_SYS_NOT_READY },
	{ "add_tdmrs_missing", { EXT }, tdmrs_missing, .in = ADD(),
	  .status = TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX },
	{ "add_shut_down", { EXT }, shut_down, .in = ADD(), .status = TDX_SYS_SHUTDOWN },
	{ "add_no_add_ons", { EXT }, no_add_ons, .in = ADD(),
	  .status = TDX_EXT_MEMORY_POOL_FULL },
	{ "add_when_full", { EXT, "ext_pool_pages", "4" }, full, .in = ADD(),
	  .status = TDX_EXT_MEMORY_POOL_FULL },
	{ "add_after_init", { EXT, "ext_pool_pages", "4" }, initialised, .in = ADD(),
	  .status = TDX_EXT_MEMORY_POOL_FULL },
	ROW(busy, ready, TDX_SYS_BUSY),
	ROW(one_page, ready, TDX_SUCCESS),

	ROW(bit_0, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(bit_1, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(bit_2, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(bit_52, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(bit_53, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(bit_54, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(first_1, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(first_behind_last, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(list_keyid, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(list_private, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(list_above_maxpa, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	{ "list_not_ram", { EXT, "ext_pool_pages", "4" }, ready, list_not_ram, .in = ADD(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX, .rule = "not-ram" },

	ROW(slot_low_bit, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(slot_bit_11, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(slot_keyid, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(slot_bit_52, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(slot_bit_63, ready, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(slot_no_tdmr, ready, TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX),
	ROW(slot_no_init, ready, TDX_OPERAND_ADDR_RANGE_ERROR | OPERAND_RCX),
	ROW(slot_reserved, ready, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX),
	ROW(slot_locked, ready, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(slot_shared, ready, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(slot_used, ready, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX),
	{ "slot_not_ram", { EXT, "ext_pool_pages", "4" }, ready, slot_not_ram, .in = ADD(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX, .rule = "not-ram" },
	{ "slot_no_pair", { CONNECT_DPAMT, "ext_pool_pages", "4" }, ready, .in = ADD(),
	  .status = TDX_MISSING_PAMT_PAGE_PAIR | OPERAND_RCX },

	ROW(as_returned, interrupted, TDX_SUCCESS),
	ROW(later_slot, interrupted, TDX_INVALID_RESUMPTION),
	ROW(other_list, interrupted, TDX_INVALID_RESUMPTION),
	ROW(other_end, interrupted, TDX_INVALID_RESUMPTION),

	{ "init_success", { EXT, "ext_pool_pages", "4" }, full, .in = INIT() },
	{ "init_not_offered", .stage = ready, .in = INIT(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	{ "init_version_1", { EXT }, ready, .in = { .rax = TDH_EXT_INIT | 1 << 16 },
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	{ "init_keys_missing", { EXT }, keys_missing, .in = INIT(), .status = TDX_SYS_NOT_READY },
	{ "init_no_add_ons", { EXT }, no_add_ons, .in = INIT() },
	{ "init_no_pool_needed", { EXT, "ext_pool_pages", "0" }, ready, .in = INIT() },
	{ "init_before_pool", { EXT, "ext_pool_pages", "4" }, ready, .in = INIT(),
	  .status = TDX_SYS_NOT_READY },
	{ "init_pool_not_full", { EXT, "ext_pool_pages", "4" }, interrupted, .in = INIT(),
	  .status = TDX_SYS_NOT_READY },
	{ "init_again", { EXT, "ext_pool_pages", "4" }, initialised, .in = INIT(),
	  .status = TDX_SYS_INIT_NOT_PENDING },
	{ "init_busy", { EXT, "ext_pool_pages", "4" }, full, busy, .in = INIT(),
	  .status = TDX_SYS_BUSY },
};

/* SYS.CONFIG version 1 */
static struct host *new_host(const char *const *args)
{
	struct host *h = host_new(args);

	host_start(h);
	return h;
}

static struct seam_regs call(struct host *h, struct seam_regs regs)
{
	host_call_checked(h, 0, &regs);
	return regs;
}

static void assert_field(struct host *h, uint64_t id, uint64_t value)
{
	struct seam_regs out = call(h, (struct seam_regs){ .rax = TDH_SYS_RD, .rdx = id });

	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.r8, value);
}

static void assert_no_field(struct host *h, uint64_t id, uint64_t status)
{
	struct seam_regs out = call(h, (struct seam_regs){ .rax = TDH_SYS_RD, .rdx = id });

	assert_status(out.rax, status);
	assert_int_equal(out.r8, 0);
	assert_int_equal(out.rdx, ~0ULL);
}

/* Is @id in the chain that a host follows from the first field on? */
static bool is_listed(struct host *h, uint64_t id)
{
	uint64_t next = ~0ULL;

	do {
		next = call(h, (struct seam_regs){ .rax = TDH_SYS_RD, .rdx = next }).rdx;
		if (next == id)
			return true;
	} while (next != ~0ULL);
	return false;
}

static void metadata(void **state)
{
	const char *const args[] = { EXT, "ext_pool_pages", "6", NULL };
	struct host *h = new_host(args);

	(void)state;
	host_goto(h, STAGE_LPS);
	assert_no_field(h, POOL_FIELD, TDX_METADATA_FIELD_NOT_READABLE);
	assert_no_field(h, REQUIRED_FIELD, TDX_METADATA_FIELD_NOT_READABLE);
	assert_false(is_listed(h, POOL_FIELD));
	td_must(h, 0, h->config);
	assert_field(h, POOL_FIELD, 6);
	assert_field(h, REQUIRED_FIELD, 1);
	assert_true(is_listed(h, POOL_FIELD));
	assert_true(is_listed(h, REQUIRED_FIELD));

	/* The widths that earlier drafts had. */
	assert_no_field(h, 0x3100000100000000, TDX_METADATA_FIELD_ID_INCORRECT);
	assert_no_field(h, 0x3100000100000001, TDX_METADATA_FIELD_ID_INCORRECT);
	host_free(h);
}

static void metadata_not_offered(void **state)
{
	struct host *h = new_host(NULL);

	(void)state;
	host_goto(h, STAGE_CONFIG);
	assert_no_field(h, POOL_FIELD, TDX_METADATA_FIELD_ID_INCORRECT);
	assert_no_field(h, REQUIRED_FIELD, TDX_METADATA_FIELD_ID_INCORRECT);
	host_free(h);
}

static void metadata_without_add_ons(void **state)
{
	const char *const args[] = { EXT, NULL };
	struct host *h = new_host(args);

	(void)state;
	h->config.rax = TDH_SYS_CONFIG;
	host_goto(h, STAGE_CONFIG);
	assert_field(h, POOL_FIELD, 0);
	assert_field(h, REQUIRED_FIELD, 0);
	host_free(h);
}

static void metadata_by_argument(void **state)
{
	const char *const args[] = { EXT, "ext_required", "off", NULL };
	struct host *h = new_host(args);

	(void)state;
	host_goto(h, STAGE_CONFIG);
	assert_field(h, POOL_FIELD, 12800);
	assert_field(h, REQUIRED_FIELD, 0);
	host_free(h);
}

static void assert_pool(struct host *h, unsigned int has, unsigned int lacks)
{
	struct seam_stats st;

	seam_get_stats(h->seam, &st);
	assert_int_equal(st.ext_pool_pages, has);
	assert_int_equal(st.pages_owned, has);
	assert_field(h, POOL_FIELD, lacks);
	for (unsigned int i = 0; i < has + lacks; i++)
		assert_int_equal(host_page(h, POOL_PG(i))->type, i < has ? PT_EXT : PT_NDA);
}

/* An interrupt after every other page: RCX tells what is left. */
static void interrupted_pool(void **state)
{
	const char *const args[] = { EXT, "ext_pool_pages", "5", "interrupt_every", "2", NULL };
	struct seam_regs regs = { .rax = TDH_EXT_MEM_ADD, .rcx = INFO(LIST, 0, 4) };
	struct host *h = new_host(args);

	(void)state;
	ready(h);
	regs = call(h, regs);
	assert_status(regs.rax, TDX_INTERRUPTED_RESUMABLE);
	assert_int_equal(regs.rcx, INFO(LIST, 2, 4));
	assert_pool(h, 2, 3);

	regs.rax = TDH_EXT_MEM_ADD;
	regs = call(h, regs);
	assert_status(regs.rax, TDX_INTERRUPTED_RESUMABLE);
	assert_int_equal(regs.rcx, INFO(LIST, 4, 4));

	regs.rax = TDH_EXT_MEM_ADD;
	regs = call(h, regs);
	assert_status(regs.rax, TDX_SUCCESS);
	assert_int_equal(regs.rcx, INFO(LIST, 5, 4));
	assert_pool(h, 5, 0);
	host_free(h);
}

/* The slot behind the last of a full list is 0: only the status tells the end. */
static void full_list(void **state)
{
	const char *const args[] = { EXT, "ext_pool_pages", "1000", NULL };
	struct host *h = new_host(args);
	struct seam_regs out;

	(void)state;
	ready(h);
	out = call(h, (struct seam_regs){ .rax = TDH_EXT_MEM_ADD, .rcx = INFO(LIST, 0, 511) });
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, INFO(LIST, 0, 511));
	assert_pool(h, 512, 488);
	host_free(h);
}

/* An error in the middle: what came before stays, RCX tells where. */
static void error_in_the_middle(void **state)
{
	const char *const args[] = { EXT, "ext_pool_pages", "8", NULL };
	struct host *h = new_host(args);
	struct seam_regs in = ADD(), out;

	(void)state;
	ready(h);
	host_list(h, LIST)[2] = POOL_PG(1);
	out = call(h, in);
	assert_status(out.rax, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX);
	assert_int_equal(out.rcx, INFO(LIST, 2, 3));
	assert_pool(h, 2, 6);

	/* From the start again: its first page is not free any more. */
	out = call(h, in);
	assert_status(out.rax, TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX);
	assert_int_equal(out.rcx, INFO(LIST, 0, 3));

	/* That was a new command, so there is nothing to resume. */
	in.rcx = INFO(LIST, 2, 3);
	assert_status(call(h, in).rax, TDX_OPERAND_INVALID | OPERAND_RCX);
	host_free(h);
}

static void resumed_after_busy(void **state)
{
	const char *const args[] = { EXT, "ext_pool_pages", "4", NULL };
	struct host *h = new_host(args);
	struct seam_regs regs = ADD();

	(void)state;
	ready(h);
	lock_try_exclusive(&host_page(h, POOL_PG(3))->lock);
	regs = call(h, regs);
	assert_status(regs.rax, TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_int_equal(regs.rcx, INFO(LIST, 3, 3));
	lock_release(&host_page(h, POOL_PG(3))->lock, LOCK_EXCLUSIVE);
	regs.rax = TDH_EXT_MEM_ADD;
	assert_status(call(h, regs).rax, TDX_SUCCESS);
	assert_pool(h, 4, 0);
	host_free(h);
}

/* More pages than the pool needs: the rest stays with the host. */
static void too_many_pages(void **state)
{
	const char *const args[] = { EXT, "ext_pool_pages", "2", NULL };
	struct host *h = new_host(args);
	struct seam_regs in = ADD(), out;

	(void)state;
	ready(h);
	out = call(h, in);
	assert_status(out.rax, TDX_EXT_MEMORY_POOL_FULL);
	assert_false(out.rax & TDX_STATUS_ERROR);
	assert_int_equal(out.rcx, INFO(LIST, 2, 3));
	assert_pool(h, 2, 0);
	assert_int_equal(host_page(h, POOL_PG(2))->type, PT_NDA);
	host_free(h);
}

static void interrupted_init(void **state)
{
	const char *const args[] = { EXT, "ext_pool_pages", "0", NULL };
	struct host *h = new_host(args);
	struct seam_regs in = INIT();

	(void)state;
	ready(h);
	for (unsigned int i = 0; i < 3; i++) {
		h->irq_after = 2;
		assert_status(call(h, in).rax, TDX_INTERRUPTED_RESUMABLE);
		assert_false(atomic_load(&h->seam->ext.ready));
	}
	assert_status(call(h, in).rax, TDX_SUCCESS);
	assert_true(atomic_load(&h->seam->ext.ready));
	host_free(h);
}

/* With Dynamic PAMT the pool needs pairs, and keeps them. */
static void pool_with_pairs(void **state)
{
	const char *const args[] = { CONNECT_DPAMT, "ext_pool_pages", "4", NULL };
	struct host *h = new_host(args);

	(void)state;
	ready(h);
	td_must(h, 0, (struct seam_regs)ADD_PAIR(REGION(0), PAIR(0, 0), PAIR(0, 1)));
	td_must(h, 0, (struct seam_regs)ADD());
	assert_status(host_status(h, 0, (struct seam_regs)REMOVE_PAIR(REGION(0))),
		      TDX_PAMT_PAGE_NOT_EMPTY | OPERAND_RCX);
	assert_int_equal(seam_report_leaks(h->seam), 0);
	host_free(h);
}

/* The pages are the module's: nobody reclaims them or writes to them. */
static void pool_pages_are_kept(void **state)
{
	const char *const args[] = { EXT, "ext_pool_pages", "4", NULL };
	struct host *h = new_host(args);
	struct seam_regs out;

	(void)state;
	full(h);
	out = call(h, (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = POOL_PG(1) });
	assert_int_equal(out.rcx, PT_EXT);
	assert_int_equal(out.rdx, 0);
	assert_status(host_status(h, 0, (struct seam_regs){ .rax = TDH_PHYMEM_PAGE_RECLAIM,
							    .rcx = POOL_PG(1) }),
		      TDX_PAGE_METADATA_INCORRECT | OPERAND_RCX);
	host_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata),
		cmocka_unit_test(metadata_not_offered),
		cmocka_unit_test(metadata_without_add_ons),
		cmocka_unit_test(metadata_by_argument),
		cmocka_unit_test(interrupted_pool),
		cmocka_unit_test(full_list),
		cmocka_unit_test(error_in_the_middle),
		cmocka_unit_test(resumed_after_busy),
		cmocka_unit_test(too_many_pages),
		cmocka_unit_test(interrupted_init),
		cmocka_unit_test(pool_with_pairs),
		cmocka_unit_test(pool_pages_are_kept),
	};
	int failed = run_feature_rows("ext", rows, ARRAY_SIZE(rows));

	return failed + cmocka_run_group_tests_name("ext_state", tests, NULL, NULL);
}
