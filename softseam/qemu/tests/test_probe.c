// SPDX-License-Identifier: GPL-2.0-only
/* What CPUID says on the CPUs, and whether they can run guests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "probe.h"

static struct world_probe *find(struct probe *p, uint32_t leaf, uint32_t subleaf)
{
	for (unsigned int i = 0; i < p->nr; i++) {
		if (p->entry[i].leaf == leaf && p->entry[i].subleaf == subleaf)
			return &p->entry[i];
	}
	return NULL;
}

static void questions(void **state)
{
	static const uint32_t asked[][2] = {
		{ 0, 0 }, { 1, 0 }, { 4, 4 }, { 7, 2 }, { 0xb, 2 }, { 0xd, 31 }, { 0x15, 0 },
		{ 0x1f, 2 }, { 0x21, 0 }, { 0x23, 3 }, { 0x80000000, 0 }, { 0x80000008, 0 },
		{ 0x8000000a, 0 },
	};
	struct probe p;

	(void)state;
	probe_init(&p);
	assert_false(p.done);
	assert_true(p.nr > 0 && p.nr < WORLD_PROBE_MAX);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		assert_non_null(find(&p, asked[i][0], asked[i][1]));
	/* Each once, and the assembler's loop ends with the last. */
	for (unsigned int i = 0; i < p.nr; i++) {
		assert_ptr_equal(find(&p, p.entry[i].leaf, p.entry[i].subleaf), &p.entry[i]);
		assert_int_equal(p.entry[i].last, i == p.nr - 1);
	}
	/* They fit into a page, in front of the time stamp. */
	assert_true(p.nr * sizeof(p.entry[0]) <= WORLD_PROBE_TSC);
	assert_true(sizeof(p.entry) <= WORLD_PROBE_TSC);
}

static void answers(void **state)
{
	static const uint32_t zero[4], some[4] = { 1, 2, 3, 4 };
	struct probe p;
	uint32_t out[4];

	(void)state;
	probe_init(&p);
	find(&p, 0, 0)->result[0] = 0xd;
	memcpy(find(&p, 7, 1)->result, some, sizeof(some));
	probe_lookup(&p, 7, 1, out);
	assert_memory_equal(out, some, sizeof(out));
	probe_lookup(&p, 7, 0, out);
	assert_memory_equal(out, zero, sizeof(out));
	memset(out, 0xff, sizeof(out));
	probe_lookup(&p, 0x40000000, 0, out);
	assert_memory_equal(out, zero, sizeof(out));
}

/* What QEMU says of leaves above the last is that of the last: it counts for nothing. */
static void above_the_last(void **state)
{
	static const uint32_t zero[4], some[4] = { 7, 2, 256, 1 };
	static const struct {
		uint32_t leaf, subleaf;
		bool is_there;
	} rows[] = {
		{ 0, 0, true }, { 0xb, 1, true }, { 0xd, 0, true }, { 0xd, 9, true },
		{ 0xf, 0, false }, { 0x14, 0, false }, { 0x15, 0, false }, { 0x18, 2, false },
		{ 0x1f, 0, false }, { 0x24, 1, false }, { 0x80000001, 0, true },
		{ 0x80000008, 0, true }, { 0x8000000a, 0, false },
	};
	struct probe p;
	uint32_t out[4];

	(void)state;
	probe_init(&p);
	for (unsigned int i = 0; i < p.nr; i++)
		memcpy(p.entry[i].result, some, sizeof(some));
	find(&p, 0, 0)->result[0] = 0xd;
	find(&p, 0x80000000, 0)->result[0] = 0x80000008;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		probe_lookup(&p, rows[i].leaf, rows[i].subleaf, out);
		assert_memory_equal(&out[1], rows[i].is_there ? &some[1] : zero, 12);
	}
	/* One more, and it is. */
	find(&p, 0x80000000, 0)->result[0] = 0x8000000a;
	probe_lookup(&p, 0x8000000a, 0, out);
	assert_memory_equal(out, some, sizeof(out));
}

static void missing(void **state)
{
	struct probe p;

	(void)state;
	probe_init(&p);
	find(&p, 0, 0)->result[0] = 0xd;
	find(&p, 0x80000000, 0)->result[0] = 0x8000000a;
	assert_string_equal(probe_missing(&p), "+svm");
	find(&p, 0x80000001, 0)->result[2] = 1 << 2;
	assert_string_equal(probe_missing(&p), "+npt");
	find(&p, 0x8000000a, 0)->result[3] = 1;
	find(&p, 0x80000008, 0)->result[0] = 40 | 57 << 8;
	assert_string_equal(probe_missing(&p), "phys-bits=48");
	find(&p, 0x80000008, 0)->result[0] = 48;
	assert_null(probe_missing(&p));
	find(&p, 0x80000008, 0)->result[0] = 52;
	assert_null(probe_missing(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions),
		cmocka_unit_test(answers),
		cmocka_unit_test(above_the_last),
		cmocka_unit_test(missing),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
