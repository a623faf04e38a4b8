// SPDX-License-Identifier: GPL-2.0
/* KUnit tests for lists of pages and the operand that names one. */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include <asm/page.h>

#include "../page_list.h"

/* The highest page that fits into an address. */
#define LAST_PFN	(TDX_HPA_PFN >> PAGE_SHIFT)

#define LIST_PA		0x123456789000ULL

/* Numbers of pages around the ends of a list, and a pool of 50 MB. */
static const unsigned long counts[] = { 0, 1, 2, 511, 512, 513, 1023, 1024, 1025, 12800 };

/* Written without the field macros, so that the two cannot err alike. */
static u64 list_info_by_hand(u64 list_pa, unsigned int nr_entries)
{
	return list_pa + nr_entries * 0x80000000000000ULL - 0x80000000000000ULL;
}

static u64 list_info(u64 list_pa, unsigned int nr_entries)
{
	return (__force u64)tdx_hpa_list_info(list_pa, nr_entries);
}

static void list_is_one_aligned_page(struct kunit *test)
{
	for (int i = 0; i < 16; i++) {
		struct tdx_hpa_list *list = tdx_hpa_list_alloc();

		KUNIT_ASSERT_NOT_NULL(test, list);
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(__pa(list)));
		KUNIT_EXPECT_NULL(test, memchr_inv(list, 0, PAGE_SIZE));
		tdx_hpa_list_free(list);
	}
	tdx_hpa_list_free(NULL);
}

static void known_operands(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, list_info(0x1000, 1), 0x0000000000001000ULL);
	KUNIT_EXPECT_EQ(test, list_info(0x1000, 2), 0x0080000000001000ULL);
	KUNIT_EXPECT_EQ(test, list_info(0x1000, 511), 0xff00000000001000ULL);
	KUNIT_EXPECT_EQ(test, list_info(0x1000, 512), 0xff80000000001000ULL);
	KUNIT_EXPECT_EQ(test, list_info(0x000ffffffffff000ULL, 512), 0xff8ffffffffff000ULL);
}

static void every_count_is_encoded_or_refused(struct kunit *test)
{
	for (unsigned int nr = 0; nr <= 4096; nr++) {
		u64 expected = nr >= 1 && nr <= 512 ? list_info_by_hand(LIST_PA, nr) : 0;

		KUNIT_ASSERT_EQ_MSG(test, list_info(LIST_PA, nr), expected, "count %u", nr);
	}
	KUNIT_EXPECT_EQ(test, list_info(LIST_PA, UINT_MAX), 0);
	KUNIT_EXPECT_EQ(test, list_info(LIST_PA, 1U << 31), 0);
}

static void every_address_bit_is_encoded_or_refused(struct kunit *test)
{
	for (int bit = 0; bit < 64; bit++) {
		bool ok = bit >= 12 && bit <= 51;

		for (unsigned int nr = 1; nr <= 512; nr++) {
			u64 one = BIT_ULL(bit), rest = TDX_HPA_PFN & ~one;

			KUNIT_ASSERT_EQ(test, list_info(one, nr),
					ok ? list_info_by_hand(one, nr) : 0);
			KUNIT_ASSERT_EQ(test, list_info(one | rest, nr),
					ok ? list_info_by_hand(TDX_HPA_PFN, nr) : 0);
		}
	}
}

/* Pages of a range, chunk by chunk, must come out once each and in order. */
static void expect_range(struct kunit *test, unsigned long first, unsigned long nr_pages)
{
	struct tdx_hpa_list *list = tdx_hpa_list_alloc();
	unsigned long done = 0, chunks = 0;

	KUNIT_ASSERT_NOT_NULL(test, list);
	while (done < nr_pages) {
		unsigned int nr = tdx_hpa_list_fill(list, first + done, nr_pages - done);

		KUNIT_ASSERT_EQ(test, nr, min(nr_pages - done, 512));
		for (unsigned int i = 0; i < nr; i++)
			KUNIT_ASSERT_EQ(test, list->phys[i], PFN_PHYS(first + done + i));
		KUNIT_ASSERT_NE(test, list_info(__pa(list), nr), 0);
		done += nr;
		chunks++;
	}
	KUNIT_EXPECT_EQ(test, done, nr_pages);
	KUNIT_EXPECT_EQ(test, chunks, DIV_ROUND_UP(nr_pages, 512));
	tdx_hpa_list_free(list);
}

static void range_is_named_in_chunks(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(counts); i++)
		expect_range(test, 0x12345, counts[i]);
}

static void range_may_end_at_the_highest_address(struct kunit *test)
{
	for (int i = 0; i < ARRAY_SIZE(counts); i++)
		expect_range(test, LAST_PFN - counts[i] + 1, counts[i]);
}

static void empty_range_leaves_the_list_alone(struct kunit *test)
{
	struct tdx_hpa_list *list = tdx_hpa_list_alloc();

	KUNIT_ASSERT_NOT_NULL(test, list);
	KUNIT_EXPECT_EQ(test, tdx_hpa_list_fill(list, 0x12345, 0), 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(list, 0, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, list_info(__pa(list), 0), 0);
	tdx_hpa_list_free(list);
}

static struct kunit_case page_list_test_cases[] = {
	KUNIT_CASE(list_is_one_aligned_page),
	KUNIT_CASE(known_operands),
	KUNIT_CASE(every_count_is_encoded_or_refused),
	KUNIT_CASE(every_address_bit_is_encoded_or_refused),
	KUNIT_CASE(range_is_named_in_chunks),
	KUNIT_CASE(range_may_end_at_the_highest_address),
	KUNIT_CASE(empty_range_leaves_the_list_alone),
	{}
};

static struct kunit_suite page_list_test_suite = {
	.name = "tdx-page-list",
	.test_cases = page_list_test_cases,
};

kunit_test_suite(page_list_test_suite);
