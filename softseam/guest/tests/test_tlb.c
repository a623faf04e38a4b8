// SPDX-License-Identifier: GPL-2.0-only
/* Tables of translations, walked as a CPU walks them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tlb.h"

#define TABLES		24
#define BASE		0x40000000ULL
#define NOTHING		(~0ULL)

static _Alignas(4096) uint8_t mem[TABLES * TLB_TABLE_BYTES];

/* The physical address for @gpa, and what may be done there; NOTHING if unmapped. */
static uint64_t walk(const struct tlb *tlb, uint64_t gpa, bool *write, bool *exec)
{
	uint64_t table = tlb->pa;

	*write = *exec = true;
	for (int level = 3; level >= 0; level--) {
		uint64_t at = table - BASE + (gpa >> (12 + 9 * level) & 511) * 8;
		uint64_t entry;

		assert_true(at < sizeof(mem));
		memcpy(&entry, mem + at, sizeof(entry));
		if (!(entry & 1))
			return NOTHING;
		/* A user page, accessed. */
		assert_true((entry & 0x24) == 0x24);
		*write &= entry >> 1 & 1;
		*exec &= !(entry >> 63);
		table = entry & 0x000FFFFFFFFFF000ULL;
		if (!level || entry & 0x80) {
			uint64_t mask = (1ULL << (12 + 9 * level)) - 1;

			assert_true(entry & 0x40);
			return (table & ~mask) | (gpa & mask);
		}
	}
	return NOTHING;
}

static void start(struct tlb *tlb, unsigned int tables)
{
	memset(mem, 0xA5, sizeof(mem));
	tlb_init(tlb, mem, tables * TLB_TABLE_BYTES, BASE);
}

static struct tlb_page page(uint64_t gpa, uint64_t pa)
{
	return (struct tlb_page){ .gpa = gpa, .pa = pa, .size = TLB_PAGE_4K, .writable = true,
				  .executable = true };
}

static void empty(void **state)
{
	struct tlb tlb;
	bool w, x;

	(void)state;
	start(&tlb, TABLES);
	for (uint64_t gpa = 0; gpa < 1ULL << TLB_GPA_BITS; gpa += 1ULL << 39)
		assert_true(walk(&tlb, gpa, &w, &x) == NOTHING);
}

static void rights(void **state)
{
	struct tlb tlb;
	bool w, x;

	(void)state;
	start(&tlb, TABLES);
	for (unsigned int i = 0; i < 4; i++) {
		struct tlb_page p = page(0x1000 * i, 0x7000000 + 0x1000 * i);

		p.writable = i & 1;
		p.executable = i & 2;
		assert_true(tlb_insert(&tlb, &p));
	}
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(walk(&tlb, 0x1000 * i + 0x123, &w, &x) == 0x7000123 + 0x1000 * i);
		assert_int_equal(w, i & 1);
		assert_int_equal(x, !!(i & 2));
	}
	assert_true(walk(&tlb, 0x4000, &w, &x) == NOTHING);
}

static void both_halves(void **state)
{
	struct tlb_page low = page(0xFFFFF000, 0x1000);
	struct tlb_page high = page(1ULL << 47 | 0xFFFFF000, 0x2000);
	struct tlb tlb;
	bool w, x;

	(void)state;
	start(&tlb, TABLES);
	assert_true(tlb_insert(&tlb, &low));
	assert_true(tlb_insert(&tlb, &high));
	assert_true(walk(&tlb, 0xFFFFF008, &w, &x) == 0x1008);
	assert_true(walk(&tlb, 1ULL << 47 | 0xFFFFF008, &w, &x) == 0x2008);
	assert_int_equal(tlb.used, 7);
}

static void large(void **state)
{
	struct tlb_page big = page(0x400000, 0x8000000), small = page(0x401000, 0x3000);
	struct tlb tlb;
	bool w, x;

	(void)state;
	start(&tlb, TABLES);
	big.size = TLB_PAGE_2M;
	assert_true(tlb_insert(&tlb, &big));
	assert_true(walk(&tlb, 0x5FFFFF, &w, &x) == 0x81FFFFF);
	assert_true(walk(&tlb, 0x600000, &w, &x) == NOTHING);
	/* A small page takes the place of the large one. */
	assert_true(tlb_insert(&tlb, &small));
	assert_true(walk(&tlb, 0x401004, &w, &x) == 0x3004);
	assert_true(walk(&tlb, 0x402000, &w, &x) == NOTHING);
	/* And the other way round. */
	assert_true(tlb_insert(&tlb, &big));
	assert_true(walk(&tlb, 0x401004, &w, &x) == 0x8001004);
}

static void full(void **state)
{
	struct tlb_page a = page(0, 0x1000), b = page(1ULL << 40, 0x2000);
	struct tlb tlb;
	bool w, x;

	(void)state;
	start(&tlb, 6);
	assert_true(tlb_insert(&tlb, &a));
	assert_false(tlb_insert(&tlb, &b));
	/* What was there still is. */
	assert_true(walk(&tlb, 0, &w, &x) == 0x1000);
	assert_true(walk(&tlb, 1ULL << 40, &w, &x) == NOTHING);
	tlb_flush(&tlb);
	assert_true(walk(&tlb, 0, &w, &x) == NOTHING);
	assert_true(tlb_insert(&tlb, &b));
	assert_true(walk(&tlb, 1ULL << 40, &w, &x) == 0x2000);
}

/* Against a list of what was inserted. */
static void random_pages(void **state)
{
	struct tlb_page known[200];
	struct tlb tlb;
	unsigned int nr = 0;
	bool w, x;

	(void)state;
	srand(1);
	start(&tlb, TABLES);
	for (unsigned int i = 0; i < 20000; i++) {
		uint64_t gpa = (uint64_t)(rand() % 4) << 46 | (uint64_t)(rand() % 3) << 21 |
			       (uint64_t)(rand() % 512) << 12;
		struct tlb_page p = page(gpa, (uint64_t)rand() << 12);
		unsigned int j;

		p.writable = rand() & 1;
		if (nr == 200 || !tlb_insert(&tlb, &p)) {
			tlb_flush(&tlb);
			nr = 0;
			assert_true(tlb_insert(&tlb, &p));
		}
		for (j = 0; j < nr && known[j].gpa != gpa; j++)
			;
		known[j] = p;
		nr += j == nr;
		j = (unsigned int)rand() % nr;
		assert_true(walk(&tlb, known[j].gpa, &w, &x) == known[j].pa);
		assert_int_equal(w, known[j].writable);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(rights),
		cmocka_unit_test(both_halves),
		cmocka_unit_test(large),
		cmocka_unit_test(full),
		cmocka_unit_test(random_pages),
	};

	return cmocka_run_group_tests_name("tlb", tests, NULL, NULL);
}
