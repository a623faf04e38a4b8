// SPDX-License-Identifier: GPL-2.0-only
/* The formats of page lists, at their edges. */
#include "host.h"
#include "page_list.h"

static void list_info(void **state)
{
	struct hpa_list list;

	(void)state;
	assert_true(hpa_list_info_decode(0, &list));
	assert_int_equal(list.root | list.first | list.last, 0);
	assert_true(hpa_list_info_decode(0xFF8FFFFFFFFFFFF8, &list));
	assert_int_equal(list.root, 0xFFFFFFFFFF000);
	assert_int_equal(list.first, 511);
	assert_int_equal(list.last, 511);
	assert_true(hpa_list_info_decode(0x0100000012345008, &list));
	assert_int_equal(list.root, 0x12345000);
	assert_int_equal(list.first, 1);
	assert_int_equal(list.last, 2);
	assert_true(hpa_list_info_decode(1ULL << 63, &list));
	assert_int_equal(list.last, 256);
}

/* Each bit alone is part of a field, or is refused. */
static void list_info_bits(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		bool reserved = bit < 3 || (bit >= 52 && bit <= 54);
		uint64_t operand = 1ULL << bit;
		struct hpa_list list;

		/* So that the first slot is not behind the last. */
		operand |= 511ULL << 55;
		assert_int_equal(hpa_list_info_decode(operand, &list), !reserved);
		if (!reserved)
			assert_int_equal(hpa_list_info_encode(&list), operand);
	}
}

static void list_info_order(void **state)
{
	struct hpa_list list;

	(void)state;
	for (uint64_t first = 0; first < 512; first++) {
		for (uint64_t last = 0; last < 512; last++)
			assert_int_equal(hpa_list_info_decode(first << 3 | last << 55, &list),
					 first <= last);
	}
	list = (struct hpa_list){ .root = 0x1000, .first = 512, .last = 511 };
	assert_int_equal(hpa_list_info_encode(&list), 0x1000 | 511ULL << 55);
}

static void array_bits(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		bool reserved = bit < 12 || (bit >= 52 && bit <= 54);
		struct hpa_array array;

		assert_int_equal(hpa_array_decode(1ULL << bit, &array), !reserved);
		if (reserved)
			continue;
		assert_int_equal(array.nr, bit > 54 ? (1U << (bit - 55)) + 1 : 1);
		assert_int_equal(hpa_array_encode(&array), 1ULL << bit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_info),
		cmocka_unit_test(list_info_bits),
		cmocka_unit_test(list_info_order),
		cmocka_unit_test(array_bits),
	};

	return cmocka_run_group_tests_name("page_list", tests, NULL, NULL);
}
