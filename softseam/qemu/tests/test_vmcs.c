// SPDX-License-Identifier: GPL-2.0-only
/* Fields of a VMCS keep apart and keep their width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmcs.h"

#define NR_ENCODINGS	0x8000

static uint64_t value_of(uint64_t field)
{
	return field * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t width_mask(uint64_t field)
{
	static const uint64_t masks[] = { 0xffff, ~UINT64_C(0), 0xffffffff, ~UINT64_C(0) };

	return masks[(field >> 13) & 3];
}

/* Write all full fields, then read all: no field may have changed another. */
static void test_fields_are_apart(void **state)
{
	uint8_t region[VMCS_SIZE] = { 1 };
	unsigned int nr = 0;
	uint64_t field, got;

	(void)state;
	for (field = 0; field < NR_ENCODINGS; field += 2)
		nr += vmcs_write(region, field, value_of(field));
	assert_true(nr > 400);

	for (field = 0; field < NR_ENCODINGS; field += 2)
		if (vmcs_read(region, field, &got))
			assert_true(got == (value_of(field) & width_mask(field)));
	assert_int_equal(vmcs_revision(region), 1);
}

static void test_high_half(void **state)
{
	uint8_t region[VMCS_SIZE] = { 0 };
	uint64_t got;

	(void)state;
	assert_true(vmcs_write(region, 0x201a, UINT64_C(0x1122334455667788)));
	assert_true(vmcs_read(region, 0x201b, &got));
	assert_true(got == 0x11223344);
	assert_true(vmcs_write(region, 0x201b, 0xaabbccdd));
	assert_true(vmcs_read(region, 0x201a, &got));
	assert_true(got == UINT64_C(0xaabbccdd55667788));
}

static void test_no_such_field(void **state)
{
	static const uint64_t fields[] = {
		/* Upper half of a field of 32 bits. */
		0x4401,
		/* Reserved bit 12; bits above 14. */
		0x1000, 0x8000, UINT64_C(1) << 63,
		/* An index that no CPU has. */
		0x01fe,
	};
	uint8_t region[VMCS_SIZE] = { 0 }, before[VMCS_SIZE] = { 0 };
	uint64_t got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		assert_false(vmcs_write(region, fields[i], ~UINT64_C(0)));
		assert_false(vmcs_read(region, fields[i], &got));
	}
	assert_memory_equal(region, before, sizeof(region));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_apart),
		cmocka_unit_test(test_high_half),
		cmocka_unit_test(test_no_such_field),
	};

	return cmocka_run_group_tests_name("vmcs", tests, NULL, NULL);
}
