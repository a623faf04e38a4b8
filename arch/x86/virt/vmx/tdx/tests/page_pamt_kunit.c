// SPDX-License-Identifier: GPL-2.0
/* KUnit tests for the PAMT of the pages in an array: from the beginning until they are free. */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/shared/tdx_errno.h>
#include <asm/tdx.h>

#include "../page_array.h"
#include "../tdx.h"

/* Two blocks of two pages, and single pages */
#define NR_ENTRIES	5
#define NR_BLOCKS	2
#define NR_PAGES	(NR_ENTRIES + NR_BLOCKS)

static struct {
	struct tdx_page_array	array;
	struct page		*pages[NR_ENTRIES];
	/* Script of the fake */
	unsigned int		fail_at;
	int			error;
	unsigned int		busy;
	unsigned int		fail_wbinvd_at;
	/* Kept by the fake */
	unsigned int		nr_gets;
	unsigned int		nr_wbinvd;
	unsigned int		nr_pamt;
	bool			wrong;
} fake;

static int fake_get(unsigned long pfn, unsigned long nr_pages)
{
	if (++fake.nr_gets == fake.fail_at)
		return fake.error;

	if (fake.busy) {
		fake.busy--;
		return -EBUSY;
	}

	fake.wrong |= nr_pages != compound_nr(pfn_to_page(pfn));
	fake.nr_pamt += nr_pages;
	return 0;
}

/* Before the page is free, and not before the module gave it back. */
static void fake_put(unsigned long pfn, unsigned long nr_pages)
{
	fake.wrong |= page_count(pfn_to_page(pfn)) != 2 || nr_pages > fake.nr_pamt ||
		      nr_pages != compound_nr(pfn_to_page(pfn)) ||
		      (fake.array.given && NR_PAGES - fake.nr_pamt >= fake.nr_wbinvd);
	fake.nr_pamt -= nr_pages;
}

static u64 fake_wbinvd(struct page *page)
{
	return ++fake.nr_wbinvd == fake.fail_wbinvd_at ? TDX_OPERAND_BUSY : TDX_SUCCESS;
}

/* Allocate pages with a reference of the test's own, to see who frees them. */
static void set_up(struct kunit *test)
{
	memset(&fake, 0, sizeof(fake));
	kunit_activate_static_stub(test, tdx_pamt_get_pages, fake_get);
	kunit_activate_static_stub(test, tdx_pamt_put_pages, fake_put);
	kunit_activate_static_stub(test, tdh_phymem_page_wbinvd_global, fake_wbinvd);

	for (unsigned int i = 0; i < NR_ENTRIES; i++) {
		fake.pages[i] = alloc_pages(GFP_KERNEL | __GFP_COMP, i < NR_BLOCKS);
		KUNIT_ASSERT_NOT_NULL(test, fake.pages[i]);
		get_page(fake.pages[i]);
	}
}

static int init(void)
{
	return tdx_page_array_init(&fake.array, fake.pages, NR_ENTRIES);
}

/* Drop all references.  So many pages were not free, and that many have PAMT. */
static void tear_down(struct kunit *test, unsigned int nr_kept, unsigned int nr_pamt)
{
	unsigned int nr_pages = 0;

	for (unsigned int i = 0; i < NR_ENTRIES; i++) {
		if (page_count(fake.pages[i]) == 2) {
			nr_pages += compound_nr(fake.pages[i]);
			put_page(fake.pages[i]);
		}
		put_page(fake.pages[i]);
	}
	KUNIT_EXPECT_EQ(test, nr_pages, nr_kept);
	KUNIT_EXPECT_EQ(test, fake.nr_pamt, nr_pamt);
	KUNIT_EXPECT_FALSE(test, fake.wrong);
}

static void all_pages_have_pamt(struct kunit *test)
{
	set_up(test);
	KUNIT_EXPECT_EQ(test, init(), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_pamt, NR_PAGES);
	tdx_page_array_free(&fake.array);
	tear_down(test, 0, 0);
}

static void pages_of_the_module_keep_it_until_they_are_back(struct kunit *test)
{
	set_up(test);
	KUNIT_EXPECT_EQ(test, init(), 0);
	tdx_page_array_give(&fake.array);
	KUNIT_EXPECT_EQ(test, fake.nr_pamt, NR_PAGES);
	tdx_page_array_take_back(&fake.array, 0, "test");
	KUNIT_EXPECT_EQ(test, fake.nr_wbinvd, NR_PAGES);
	tear_down(test, 0, 0);
}

static void leaked_pages_keep_it(struct kunit *test)
{
	set_up(test);
	KUNIT_EXPECT_EQ(test, init(), 0);
	tdx_page_array_give(&fake.array);
	kunit_warning_suppress(test) {
		tdx_page_array_take_back(&fake.array, TDX_OPERAND_BUSY, "test");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	tear_down(test, NR_PAGES, NR_PAGES);
}

/* Only the block that cannot be written back is lost, with its PAMT. */
static void block_that_is_not_written_back_keeps_it(struct kunit *test)
{
	for (unsigned int at = 1; at <= NR_PAGES; at++) {
		unsigned int lost = at <= 2 * NR_BLOCKS ? 2 : 1;

		set_up(test);
		KUNIT_EXPECT_EQ(test, init(), 0);
		tdx_page_array_give(&fake.array);
		fake.fail_wbinvd_at = at;
		kunit_warning_suppress(test) {
			tdx_page_array_take_back(&fake.array, 0, "test");
			KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
		}
		tear_down(test, lost, lost);
	}
}

static void no_pamt_for_an_entry(struct kunit *test)
{
	static const int errors[] = { -ENOMEM, -EIO };

	for (unsigned int at = 1; at <= NR_ENTRIES; at++) {
		for (int i = 0; i < ARRAY_SIZE(errors); i++) {
			set_up(test);
			fake.fail_at = at;
			fake.error = errors[i];
			KUNIT_EXPECT_EQ(test, init(), errors[i]);
			KUNIT_EXPECT_EQ(test, fake.nr_gets, at);
			/* The pages are the caller's still. */
			tear_down(test, NR_PAGES, 0);
		}
	}
}

static void busy_module_delays(struct kunit *test)
{
	set_up(test);
	fake.busy = 2;
	KUNIT_EXPECT_EQ(test, init(), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_gets, NR_ENTRIES + 2);
	KUNIT_EXPECT_EQ(test, fake.nr_pamt, NR_PAGES);
	tdx_page_array_free(&fake.array);
	tear_down(test, 0, 0);
}

static struct kunit_case page_pamt_test_cases[] = {
	KUNIT_CASE(all_pages_have_pamt),
	KUNIT_CASE(pages_of_the_module_keep_it_until_they_are_back),
	KUNIT_CASE(leaked_pages_keep_it),
	KUNIT_CASE(block_that_is_not_written_back_keeps_it),
	KUNIT_CASE(no_pamt_for_an_entry),
	KUNIT_CASE(busy_module_delays),
	{}
};

static struct kunit_suite page_pamt_test_suite = {
	.name = "tdx-page-pamt",
	.test_cases = page_pamt_test_cases,
};

kunit_test_suite(page_pamt_test_suite);
