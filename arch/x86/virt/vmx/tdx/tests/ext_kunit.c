// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for the memory and the start of TDX Module Extensions.  Included by
 * ext.c, as most of it is static and gone after boot.
 */
#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/irqflags.h>
#include <asm/shared/tdx_errno.h>

#include "fake_seam.h"

#define FEATURES	TDX_FEATURES0_EXT

/* Success class, but not success: the host added more than was required. */
#define TDX_EXT_MEMORY_POOL_FULL	0x0000123400000000ULL

/* Where the pool lies; nothing reads or writes there. */
#define POOL_PFN	0x123456UL

#define FIRST_ENTRY	GENMASK_ULL(11, 3)

/* The module, and what the host did to the memory it was asked for */
struct ext_fake {
	struct fake_seam	*seam;
	/* Set by the test */
	u32			required_pages;
	u64			ext_required;
	unsigned int		fail_read_at;
	bool			no_list;
	bool			no_pool;
	/* What PAMT for the pool ends with */
	int			pamt_error;
	/* Pages that the module takes without counting them */
	u32			forgets_pages;
	unsigned int		init_steps;
	/* Kept by the fake */
	unsigned int		nr_reads;
	unsigned long		nr_added;
	unsigned int		nr_lists;
	unsigned int		nr_init_calls;
	bool			started;
	unsigned long		nr_allocated;
	unsigned long		freed_pfn;
	unsigned long		nr_freed;
	unsigned long		nr_flushed;
	unsigned long		nr_pamt;
	bool			wrong;
};

static struct ext_fake fake __initdata;

static __init int fake_read(u64 field_id, u64 *data)
{
	if (++fake.nr_reads == fake.fail_read_at)
		return -EIO;

	switch (field_id) {
	case MD_EXT_POOL_REQUIRED_PAGES:
		*data = fake.required_pages - fake.nr_added;
		if (fake.nr_added)
			*data += fake.forgets_pages;
		return 0;
	case MD_EXT_REQUIRED:
		*data = fake.ext_required;
		return 0;
	default:
		fake.wrong = true;
		return -EINVAL;
	}
}

static __init u64 fake_mem_add(struct fake_seam *seam, struct tdx_module_args *args)
{
	const struct tdx_hpa_list *list = __va(args->rcx & TDX_HPA_PFN);
	unsigned int last = FIELD_GET(TDX_HPA_LIST_INFO_LAST_ENTRY, args->rcx);
	unsigned int i = FIELD_GET(FIRST_ENTRY, args->rcx);
	u64 info = args->rcx & ~FIRST_ENTRY;

	fake_seam_poison(args);
	for (; i <= last; i++) {
		/* The kernel prepares the PAMT of the whole pool beforehand. */
		fake.wrong |= fake.nr_pamt != fake.nr_allocated;
		/* Each page of the pool once, in order. */
		if (list->phys[i] != PFN_PHYS(POOL_PFN + fake.nr_added))
			return TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
		fake.nr_added++;
		if (i < last && fake_seam_interrupts(seam)) {
			args->rcx = info | FIELD_PREP(FIRST_ENTRY, i + 1);
			return TDX_INTERRUPTED_RESUMABLE;
		}
	}

	return TDX_SUCCESS;
}

static __init u64 fake_ext_init(struct fake_seam *seam, struct tdx_module_args *args)
{
	fake_seam_poison(args);
	fake.nr_init_calls++;
	fake.wrong |= fake.nr_added != fake.required_pages || fake.started;
	while (fake.init_steps) {
		fake.init_steps--;
		if (fake_seam_interrupts(seam))
			return TDX_INTERRUPTED_RESUMABLE;
	}

	fake.started = true;
	return TDX_SUCCESS;
}

static __init u64 fake_ext_leaf(struct fake_seam *seam, u64 fn, struct tdx_module_args *args)
{
	fake.wrong |= args->version;

	switch (fn) {
	case TDH_EXT_MEM_ADD:
		return fake_mem_add(seam, args);
	case TDH_EXT_INIT:
		return fake_ext_init(seam, args);
	default:
		fake.wrong = true;
		return TDX_OPERAND_INVALID;
	}
}

static __init struct tdx_hpa_list *fake_list_alloc(void)
{
	if (fake.no_list)
		return NULL;

	fake.nr_lists++;
	return kzalloc_obj(struct tdx_hpa_list);
}

static __init void fake_list_free(struct tdx_hpa_list *list)
{
	fake.nr_lists--;
	kfree(list);
}

static __init unsigned long fake_pool_alloc(unsigned long nr_pages)
{
	fake.wrong |= fake.nr_allocated;
	if (fake.no_pool)
		return 0;

	fake.nr_allocated = nr_pages;
	return POOL_PFN;
}

static __init int fake_pamt_get(unsigned long pfn, unsigned long nr_pages)
{
	fake.wrong |= fake.nr_pamt || pfn != POOL_PFN || nr_pages != fake.nr_allocated;
	if (fake.pamt_error)
		return fake.pamt_error;

	fake.nr_pamt = nr_pages;
	return 0;
}

/* The end of the pool, or all of it. */
static __init void fake_pamt_put(unsigned long pfn, unsigned long nr_pages)
{
	fake.wrong |= fake.nr_freed || nr_pages > fake.nr_pamt ||
		      pfn != POOL_PFN + fake.nr_pamt - nr_pages;
	fake.nr_pamt -= nr_pages;
}

static __init void fake_pool_free(unsigned long pfn, unsigned long nr_pages)
{
	fake.wrong |= fake.nr_freed;
	fake.freed_pfn = pfn;
	fake.nr_freed = nr_pages;
}

static __init void fake_flush(unsigned long pfn, unsigned int nr_pages)
{
	fake.wrong |= pfn != POOL_PFN + fake.nr_flushed;
	fake.nr_flushed += nr_pages;
}

/* A module that wants @nr_pages and to be started. */
static __init void set_up(struct kunit *test, u32 nr_pages)
{
	fake = (struct ext_fake) {
		.seam = fake_seam_install(test, fake_ext_leaf),
		.required_pages = nr_pages,
		.ext_required = 1,
	};
	ext_started = false;
	ext_pool_pages = 0;
	kunit_activate_static_stub(test, read_sys_metadata_field, fake_read);
	kunit_activate_static_stub(test, tdx_hpa_list_alloc, fake_list_alloc);
	kunit_activate_static_stub(test, tdx_hpa_list_free, fake_list_free);
	kunit_activate_static_stub(test, alloc_pool_pfn, fake_pool_alloc);
	kunit_activate_static_stub(test, free_pool_pfn, fake_pool_free);
	kunit_activate_static_stub(test, clflush_pages, fake_flush);
	kunit_activate_static_stub(test, tdx_pamt_get_pages, fake_pamt_get);
	kunit_activate_static_stub(test, tdx_pamt_put_pages, fake_pamt_put);
}

/* Run tdx_ext_init(), which must warn @nr_warnings times. */
static __init int init_warns(struct kunit *test, int nr_warnings)
{
	int ret = 0;

	kunit_warning_suppress(test) {
		ret = tdx_ext_init(FEATURES);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, nr_warnings);
	}
	KUNIT_EXPECT_FALSE(test, fake.wrong);
	KUNIT_EXPECT_EQ(test, fake.nr_lists, 0);

	return ret;
}

static __init void expect_started(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, fake.nr_added, fake.required_pages);
	KUNIT_EXPECT_EQ(test, fake.nr_allocated, fake.required_pages);
	KUNIT_EXPECT_EQ(test, fake.nr_pamt, fake.required_pages);
	KUNIT_EXPECT_EQ(test, fake.nr_freed, 0);
	KUNIT_EXPECT_TRUE(test, fake.started);
	KUNIT_EXPECT_TRUE(test, ext_started);
	KUNIT_EXPECT_EQ(test, tdx_ext_pool_kb(), fake.required_pages * 4);
}

/* The first @nr_offered pages stay away with their PAMT, all others came back. */
static __init void expect_stranded(struct kunit *test, unsigned long nr_offered)
{
	KUNIT_EXPECT_EQ(test, fake.nr_allocated - fake.nr_freed, nr_offered);
	KUNIT_EXPECT_EQ(test, fake.nr_pamt, nr_offered);
	if (fake.nr_freed)
		KUNIT_EXPECT_EQ(test, fake.freed_pfn, POOL_PFN + nr_offered);
	KUNIT_EXPECT_FALSE(test, ext_started);
}

static __init void module_without_extensions(struct kunit *test)
{
	set_up(test, 512);
	KUNIT_EXPECT_EQ(test, tdx_ext_init(~TDX_FEATURES0_EXT), 0);
	KUNIT_EXPECT_EQ(test, tdx_ext_update(), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_reads, 0);
	KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_allocated, 0);
}

static __init void no_feature_wants_extensions(struct kunit *test)
{
	set_up(test, 0);
	fake.ext_required = 0;
	KUNIT_EXPECT_EQ(test, init_warns(test, 0), 0);
	KUNIT_EXPECT_EQ(test, tdx_ext_update(), 0);
	KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_allocated, 0);
}

static __init void pools_of_all_sizes(struct kunit *test)
{
	static const u32 sizes[] __initconst = { 0, 1, 2, 511, 512, 513, 1024, 12800 };

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		set_up(test, sizes[i]);
		KUNIT_EXPECT_EQ(test, init_warns(test, 0), 0);
		expect_started(test);
		KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, DIV_ROUND_UP(sizes[i], 512) + 1);
	}
}

static __init void pool_without_start(struct kunit *test)
{
	set_up(test, 513);
	fake.ext_required = 0;
	KUNIT_EXPECT_EQ(test, init_warns(test, 0), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_added, 513);
	KUNIT_EXPECT_EQ(test, fake.nr_init_calls, 0);
	KUNIT_EXPECT_FALSE(test, ext_started);
}

static __init void flushes_if_the_module_says_so(struct kunit *test)
{
	set_up(test, 1025);
	KUNIT_EXPECT_EQ(test, init_warns(test, 0), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_flushed, 0);

	set_up(test, 1025);
	KUNIT_EXPECT_EQ(test, tdx_ext_init(FEATURES | TDX_FEATURES0_CLFLUSH_BEFORE_ALLOC), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_flushed, 1025);
	KUNIT_EXPECT_FALSE(test, fake.wrong);
	expect_started(test);
}

/* 513 pages are polled for 511 times, the start another 3 times. */
static __init void interrupted_at_every_point(struct kunit *test)
{
	for (unsigned int point = 1; point <= 511 + 3; point++) {
		set_up(test, 513);
		fake.init_steps = 3;
		fake.seam->interrupt_at = point;
		KUNIT_ASSERT_EQ(test, init_warns(test, 0), 0);
		KUNIT_ASSERT_EQ(test, fake.seam->nr_interrupted, 1);
		expect_started(test);
	}
}

static __init void interrupted_at_all_points(struct kunit *test)
{
	set_up(test, 12800);
	fake.init_steps = 100;
	fake.seam->interrupt_all = true;
	KUNIT_EXPECT_EQ(test, init_warns(test, 0), 0);
	KUNIT_EXPECT_EQ(test, fake.seam->nr_interrupted, 12800 - 25 + 100);
	expect_started(test);
}

/* 1025 pages are three lists; the fourth call starts the extensions. */
static __init void failure_at_every_call(struct kunit *test)
{
	static const u64 statuses[] __initconst = {
		TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX, TDX_OPERAND_BUSY, TDX_SYS_BUSY,
		TDX_EXT_MEMORY_POOL_FULL, TDX_SEAMCALL_VMFAILINVALID, TDX_SEAMCALL_UD,
	};

	for (unsigned int call = 1; call <= 4; call++) {
		for (int i = 0; i < ARRAY_SIZE(statuses); i++) {
			set_up(test, 1025);
			fake.seam->fail_at = call;
			fake.seam->fail_with = statuses[i];
			KUNIT_EXPECT_EQ(test, init_warns(test, 1), -EIO);
			KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, call);
			expect_stranded(test, min(call * 512, 1025));
			KUNIT_EXPECT_EQ(test, tdx_ext_update(), 0);
			KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, call);
		}
	}
}

/* A failure after an interruption strands the same pages as one before. */
static __init void failure_after_every_interruption(struct kunit *test)
{
	for (unsigned int call = 2; call <= 511; call++) {
		set_up(test, 513);
		fake.seam->interrupt_all = true;
		fake.seam->fail_at = call;
		fake.seam->fail_with = TDX_OPERAND_BUSY;
		KUNIT_ASSERT_EQ(test, init_warns(test, 1), -EIO);
		KUNIT_ASSERT_EQ(test, fake.nr_added, call - 1);
		expect_stranded(test, 512);
	}
}

static __init void failure_at_every_allocation(struct kunit *test)
{
	set_up(test, 513);
	fake.no_pool = true;
	KUNIT_EXPECT_EQ(test, init_warns(test, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, 0);
	expect_stranded(test, 0);

	set_up(test, 513);
	fake.no_list = true;
	KUNIT_EXPECT_EQ(test, init_warns(test, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, 0);
	expect_stranded(test, 0);
}

static __init void no_pamt_for_the_pool(struct kunit *test)
{
	static const int errors[] __initconst = { -ENOMEM, -EBUSY, -EIO };

	for (int i = 0; i < ARRAY_SIZE(errors); i++) {
		set_up(test, 513);
		fake.pamt_error = errors[i];
		KUNIT_EXPECT_EQ(test, init_warns(test, 0), errors[i]);
		KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, 0);
		expect_stranded(test, 0);
	}
}

/* The third read is the one that follows the pages. */
static __init void failure_at_every_read(struct kunit *test)
{
	for (unsigned int read = 1; read <= 3; read++) {
		set_up(test, 513);
		fake.fail_read_at = read;
		KUNIT_EXPECT_EQ(test, init_warns(test, read == 3), -EIO);
		KUNIT_EXPECT_EQ(test, fake.nr_init_calls, 0);
		expect_stranded(test, read == 3 ? 513 : 0);
	}
}

static __init void module_that_wants_more(struct kunit *test)
{
	set_up(test, 513);
	fake.forgets_pages = 1;
	KUNIT_EXPECT_EQ(test, init_warns(test, 1), -EIO);
	KUNIT_EXPECT_EQ(test, fake.nr_init_calls, 0);
	expect_stranded(test, 513);
}

static __init int update_with_irqs_off(void)
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = tdx_ext_update();
	local_irq_restore(flags);

	return ret;
}

/* The pool is there already: an update makes no call but TDH.EXT.INIT. */
static __init void update_starts_again(struct kunit *test)
{
	set_up(test, 513);
	KUNIT_ASSERT_EQ(test, init_warns(test, 0), 0);

	for (int updates = 1; updates <= 3; updates++) {
		unsigned int nr_calls = fake.seam->nr_calls, nr_reads = fake.nr_reads;

		fake.started = false;
		KUNIT_EXPECT_EQ(test, update_with_irqs_off(), 0);
		KUNIT_EXPECT_TRUE(test, fake.started);
		KUNIT_EXPECT_EQ(test, fake.seam->nr_calls, nr_calls + 1);
		KUNIT_EXPECT_EQ(test, fake.nr_reads, nr_reads);
	}
	KUNIT_EXPECT_EQ(test, fake.nr_allocated, 513);
	KUNIT_EXPECT_FALSE(test, fake.wrong);
}

static __init void update_does_not_hang(struct kunit *test)
{
	set_up(test, 0);
	KUNIT_ASSERT_EQ(test, init_warns(test, 0), 0);

	fake.started = false;
	fake.nr_init_calls = 0;
	fake.init_steps = UINT_MAX;
	fake.seam->interrupt_all = true;
	KUNIT_EXPECT_EQ(test, update_with_irqs_off(), -EIO);
	KUNIT_EXPECT_EQ(test, fake.nr_init_calls, TDX_EXT_INIT_MAX_CALLS);
}

static __init void features_are_chosen_from_both_sides(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, tdx_addon_features(0), 0);
	KUNIT_EXPECT_EQ(test, tdx_addon_features(~TDX_FEATURES0_EXT), 0);
	KUNIT_EXPECT_EQ(test, tdx_addon_features(TDX_FEATURES0_EXT), 0);
	KUNIT_EXPECT_EQ(test, tdx_addon_features(~0ULL), TDX_ADDON_FEATURES);
}

static struct kunit_case ext_test_cases[] __refdata = {
	KUNIT_CASE(module_without_extensions),
	KUNIT_CASE(no_feature_wants_extensions),
	KUNIT_CASE(pools_of_all_sizes),
	KUNIT_CASE(pool_without_start),
	KUNIT_CASE(flushes_if_the_module_says_so),
	KUNIT_CASE_SLOW(interrupted_at_every_point),
	KUNIT_CASE(interrupted_at_all_points),
	KUNIT_CASE(failure_at_every_call),
	KUNIT_CASE_SLOW(failure_after_every_interruption),
	KUNIT_CASE(failure_at_every_allocation),
	KUNIT_CASE(no_pamt_for_the_pool),
	KUNIT_CASE(failure_at_every_read),
	KUNIT_CASE(module_that_wants_more),
	KUNIT_CASE(update_starts_again),
	KUNIT_CASE(update_does_not_hang),
	KUNIT_CASE(features_are_chosen_from_both_sides),
	{}
};

/* On a TDX host, the extensions of the real module may have been started. */
static bool ext_really_started;
static unsigned long ext_real_pool_pages;

static __init int ext_test_suite_init(struct kunit_suite *suite)
{
	ext_really_started = ext_started;
	ext_real_pool_pages = ext_pool_pages;
	return 0;
}

static __init void ext_test_suite_exit(struct kunit_suite *suite)
{
	ext_started = ext_really_started;
	ext_pool_pages = ext_real_pool_pages;
}

static struct kunit_suite ext_test_suite __refdata = {
	.name = "tdx-ext",
	.suite_init = ext_test_suite_init,
	.suite_exit = ext_test_suite_exit,
	.test_cases = ext_test_cases,
};

kunit_test_init_section_suites(&ext_test_suite);
