// SPDX-License-Identifier: GPL-2.0
/* KUnit tests for the operands that name the pages of an object. */
#include <kunit/test.h>

#include "../page_array.h"

#define LIST_PA		0x123456789000ULL
#define PAGE_PA		0x0fedcba98000ULL

static u64 hpa_array(u64 list_pa, u64 page_pa, unsigned int nr)
{
	return (__force u64)tdx_encode_hpa_array(list_pa, page_pa, nr);
}

static void known_operands(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, hpa_array(0x1000, 0x2000, 1), 0x0000000000002000ULL);
	KUNIT_EXPECT_EQ(test, hpa_array(0x1000, 0x2000, 2), 0x0080000000001000ULL);
	KUNIT_EXPECT_EQ(test, hpa_array(0x1000, 0x2000, 511), 0xff00000000001000ULL);
	KUNIT_EXPECT_EQ(test, hpa_array(0x1000, 0x2000, 512), 0xff80000000001000ULL);
	KUNIT_EXPECT_EQ(test, hpa_array(TDX_HPA_PFN, 0, 512), 0xff8ffffffffff000ULL);
	KUNIT_EXPECT_EQ(test, hpa_array(0, TDX_HPA_PFN, 1), 0x000ffffffffff000ULL);
}

static void every_count_is_encoded_or_refused(struct kunit *test)
{
	for (unsigned int nr = 0; nr <= 4096; nr++) {
		u64 expected = LIST_PA + (nr - 1ULL) * 0x80000000000000ULL;

		if (nr == 1)
			expected = PAGE_PA;
		if (!nr || nr > 512)
			expected = 0;
		KUNIT_ASSERT_EQ_MSG(test, hpa_array(LIST_PA, PAGE_PA, nr), expected,
				    "count %u", nr);
	}
	KUNIT_EXPECT_EQ(test, hpa_array(LIST_PA, PAGE_PA, UINT_MAX), 0);
}

static void every_address_bit_is_encoded_or_refused(struct kunit *test)
{
	for (int bit = 0; bit < 64; bit++) {
		u64 pa = BIT_ULL(bit), ok = bit >= 12 && bit <= 51 ? pa : 0;

		KUNIT_EXPECT_EQ(test, (__force u64)tdx_encode_iommu_mt(pa), ok);
		KUNIT_EXPECT_EQ(test, hpa_array(LIST_PA, pa, 1), ok);
		KUNIT_EXPECT_EQ(test, hpa_array(pa, PAGE_PA, 1), ok ? PAGE_PA : 0);
		KUNIT_EXPECT_EQ(test, hpa_array(pa, PAGE_PA, 512),
				ok ? ok | 0xff80000000000000ULL : 0);
	}
}

static struct kunit_case page_format_test_cases[] = {
	KUNIT_CASE(known_operands),
	KUNIT_CASE(every_count_is_encoded_or_refused),
	KUNIT_CASE(every_address_bit_is_encoded_or_refused),
	{}
};

static struct kunit_suite page_format_test_suite = {
	.name = "tdx-page-format",
	.test_cases = page_format_test_cases,
};

kunit_test_suite(page_format_test_suite);
