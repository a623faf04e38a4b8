// SPDX-License-Identifier: GPL-2.0-only
/* Where a guest's addresses lead, and who hears of it if they lead nowhere. */
#include <string.h>

#include "guest_host.h"
#include "shared_ept.h"

/* Shared memory at GPA_SHARED + x; tables and page are in the host's RAM. */
#define SHARED_PAGE	(9 * MB)
#define EPT_WB		(6ULL << 3)
#define EPT_PAGE_RWX	(EPT_ACCESS | EPT_WB)
#define BIG_PAGE	(2 * GB)

static void mem(struct host *h, uint64_t leaf, uint64_t what, uint64_t page)
{
	td_must(h, 1, (struct seam_regs){ .rax = leaf, .rcx = what, .rdx = TDR, .r8 = page });
}

static bool look(struct host *h, uint64_t gpa, struct guest_map *map)
{
	return seam_guest_map(h->seam, 0, gpa, map);
}

static void set_entry(struct host *h, unsigned int level, uint64_t value)
{
	atomic_store(shared_entry(h, GPA_SHARED, level), value);
}

static uint64_t get_entry(struct host *h, unsigned int level)
{
	return atomic_load(shared_entry(h, GPA_SHARED, level));
}

/* A guest, and one page of shared memory for it. */
static void start(struct host *h)
{
	guest_run_64bit(h);
	shared_ept_build(h, GPA_SHARED, 0);
	set_entry(h, 0, SHARED_PAGE | EPT_PAGE_RWX);
}

static void map_private(void **state)
{
	struct host *h = *state;
	struct guest_map map;

	start(h);
	assert_true(look(h, GPA_REG + 0x123, &map));
	assert_int_equal(map.gpa, GPA_REG);
	assert_int_equal(map.size, SZ_4K);
	assert_int_equal(map.pa, REG_PAGE);
	assert_true(map.writable && map.executable && map.is_private);

	assert_false(look(h, GPA_AUG, &map));
	assert_false(look(h, GPA_FREE, &map));
	assert_false(look(h, GPA_NO_TABLE, &map));
	/* Beyond all that a TD can name. */
	assert_false(look(h, 1ULL << 48, &map));

	atomic_store(&host_entry(h, GPA_REG, 0)->word, REG_PAGE | SEPT_BLOCKEDW);
	assert_true(look(h, GPA_REG, &map));
	assert_false(map.writable);
	atomic_store(&host_entry(h, GPA_REG, 0)->word, REG_PAGE | SEPT_MAPPED);
	mem(h, TDH_MEM_RANGE_BLOCK, GPA_REG, 0);
	assert_false(look(h, GPA_REG, &map));
}

static void map_private_large(void **state)
{
	struct host *h = *state;
	struct sept_walk walk;
	struct guest_map map;

	start(h);
	mem(h, TDH_MEM_PAGE_AUG, GPA_NO_TABLE | 1, FREE_2M);
	assert_false(look(h, GPA_NO_TABLE, &map));
	assert_status(sept_accept(&host_td(h)->sept, GPA_NO_TABLE, 1, &walk), TDX_SUCCESS);
	assert_true(look(h, GPA_NO_TABLE + 0x5123, &map));
	assert_int_equal(map.gpa, GPA_NO_TABLE);
	assert_int_equal(map.size, SZ_2M);
	assert_int_equal(map.pa, FREE_2M);
}

static void map_shared(void **state)
{
	struct host *h = *state;
	struct guest_map map;

	start(h);
	assert_true(look(h, GPA_SHARED + 0x10, &map));
	assert_int_equal(map.gpa, GPA_SHARED);
	assert_int_equal(map.size, SZ_4K);
	assert_int_equal(map.pa, SHARED_PAGE);
	assert_true(map.writable);
	/* Whatever the host's EPT says. */
	assert_false(map.executable);
	assert_false(map.is_private);

	set_entry(h, 0, SHARED_PAGE | EPT_READ | EPT_WB);
	assert_true(look(h, GPA_SHARED, &map));
	assert_false(map.writable);
	/* Rights of all levels together. */
	set_entry(h, 0, SHARED_PAGE | EPT_PAGE_RWX);
	set_entry(h, 2, get_entry(h, 2) & ~EPT_WRITE);
	assert_true(look(h, GPA_SHARED, &map));
	assert_false(map.writable);
	/* Execute-only is not readable. */
	set_entry(h, 0, SHARED_PAGE | EPT_EXEC | EPT_WB);
	assert_false(look(h, GPA_SHARED, &map));
	set_entry(h, 2, 0);
	assert_false(look(h, GPA_SHARED, &map));
}

static void map_shared_large(void **state)
{
	struct host *h = *state;
	struct guest_map map;

	start(h);
	set_entry(h, 1, BIG_PAGE | EPT_PAGE_RWX | EPT_LARGE);
	assert_true(look(h, GPA_SHARED + 0x3123, &map));
	assert_int_equal(map.gpa, GPA_SHARED);
	assert_int_equal(map.size, SZ_2M);
	assert_int_equal(map.pa, BIG_PAGE);
	/* A page of 1G, as the 2M of it. */
	set_entry(h, 2, BIG_PAGE | EPT_PAGE_RWX | EPT_LARGE);
	assert_true(look(h, GPA_SHARED + 3 * SZ_2M + 1, &map));
	assert_int_equal(map.gpa, GPA_SHARED + 3 * SZ_2M);
	assert_int_equal(map.size, SZ_2M);
	assert_int_equal(map.pa, BIG_PAGE + 3 * SZ_2M);
}

#define BEND(name, ...)				\
	static void name(struct host *h)	\
	{					\
		__VA_ARGS__;			\
	}

BEND(no_read, set_entry(h, 0, SHARED_PAGE | EPT_WRITE | EPT_WB))
BEND(memtype_2, set_entry(h, 0, SHARED_PAGE | EPT_ACCESS | 2 << 3))
BEND(memtype_3, set_entry(h, 0, SHARED_PAGE | EPT_ACCESS | 3 << 3))
BEND(memtype_7, set_entry(h, 0, SHARED_PAGE | EPT_ACCESS | 7 << 3))
BEND(beyond_maxpa, set_entry(h, 0, get_entry(h, 0) | 1ULL << 51))
BEND(large_misaligned, set_entry(h, 1, SHARED_PAGE | EPT_PAGE_RWX | EPT_LARGE))
BEND(large_512g, set_entry(h, 3, get_entry(h, 3) | EPT_LARGE))
BEND(table_reserved, set_entry(h, 2, get_entry(h, 2) | 1 << 3))
BEND(table_no_ram, set_entry(h, 2, 3 * GB | EPT_ACCESS))
BEND(root_no_ram, atomic_store(&host_vcpu(h)->vmcs.shared_eptp, 3 * GB))

/* Entries that mean nothing: the host built them, and it is told. */
static void shared_misconfigured(void **state)
{
	static void (*const bend[])(struct host *h) = {
		no_read, memtype_2, memtype_3, memtype_7, beyond_maxpa, large_misaligned,
		large_512g, table_reserved, table_no_ram, root_no_ram,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bend); i++) {
		struct host *h = host_new(NULL);
		struct guest_map map;

		start(h);
		bend[i](h);
		assert_false(look(h, GPA_SHARED, &map));
		assert_int_equal(guest_stop(h, (struct guest_exit){ .why = GUEST_STOP_MEMORY,
								    .gpa = GPA_SHARED + 5,
								    .read = true }),
				 SEAM_END_DONE);
		assert_status(guest_result.regs.rax, VMX_EPT_MISCONFIG);
		assert_int_equal(guest_result.regs.r8, GPA_SHARED);
		host_free(h);
	}
}

BEND(block_reg, mem(h, TDH_MEM_RANGE_BLOCK, GPA_REG, 0))
BEND(block_aug, mem(h, TDH_MEM_RANGE_BLOCK, GPA_AUG, 0))
BEND(absent_table, set_entry(h, 1, EPT_SUPPRESS_VE))
BEND(absent_table_ve, set_entry(h, 1, 0))
BEND(read_only_ve, set_entry(h, 0, SHARED_PAGE | EPT_READ | EPT_WB))
BEND(suppressed, set_entry(h, 0, get_entry(h, 0) | EPT_SUPPRESS_VE))

enum who { HOST, GUEST };

struct violation_row {
	const char *what;
	void (*bend)(struct host *h);
	uint64_t gpa;
	bool read, write, fetch;
	enum who who;
	uint64_t qualification;
};

static const struct violation_row rows[] = {
	{ "blocked, to execute", block_reg, GPA_REG, .fetch = true, .who = HOST,
	  .qualification = EPT_QUAL_FETCH },
	{ "pending, to execute", NULL, GPA_AUG, .fetch = true, .who = GUEST,
	  .qualification = EPT_QUAL_FETCH },
	{ "pending, to write", NULL, GPA_AUG + 0x10, .write = true, .who = GUEST,
	  .qualification = EPT_QUAL_WRITE },
	{ "pending and blocked", block_aug, GPA_AUG, .read = true, .who = HOST,
	  .qualification = EPT_QUAL_READ },
	{ "a walk of page tables", NULL, GPA_FREE, .read = true, .write = true, .who = HOST,
	  .qualification = EPT_QUAL_READ | EPT_QUAL_WRITE },
	{ "no shared table", absent_table, GPA_SHARED, .read = true, .who = HOST,
	  .qualification = EPT_QUAL_READ },
	{ "no shared table, #VE", absent_table_ve, GPA_SHARED + 0x34, .read = true, .who = GUEST,
	  .qualification = EPT_QUAL_READ },
	{ "shared, read-only, #VE", read_only_ve, GPA_SHARED, .write = true, .who = GUEST,
	  .qualification = EPT_QUAL_WRITE | EPT_READ << EPT_QUAL_ENTRY_SHIFT },
	{ "shared, to execute", suppressed, GPA_SHARED, .fetch = true, .who = HOST,
	  .qualification = EPT_QUAL_FETCH | EPT_ACCESS << EPT_QUAL_ENTRY_SHIFT },
};

static void assert_host_hears(struct host *h, const struct violation_row *row)
{
	assert_status(guest_result.regs.rax, VMX_EPT_VIOLATION);
	assert_int_equal(guest_result.regs.rcx, row->qualification);
	assert_int_equal(guest_result.regs.rdx, EXT_QUAL_NONE);
	assert_int_equal(guest_result.regs.r8, row->gpa & ~(SZ_4K - 1));
	assert_int_equal(guest_result.regs.r9, 0);
	assert_false(guest_vcpu(h)->run.inject.valid);
}

static void violations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct violation_row *row = &rows[i];
		struct guest_exit access = { .why = GUEST_STOP_MEMORY, .gpa = row->gpa,
					     .read = row->read, .write = row->write,
					     .fetch = row->fetch };
		struct host *h = host_new(NULL);

		print_message("# %s\n", row->what);
		start(h);
		if (row->bend)
			row->bend(h);
		if (row->who == HOST) {
			assert_int_equal(guest_stop(h, access), SEAM_END_DONE);
			assert_host_hears(h, row);
		} else {
			assert_int_equal(guest_stop(h, access), SEAM_END_RUN_GUEST);
			assert_ve(h, VMX_EPT_VIOLATION, row->qualification, 0);
			assert_int_equal(guest_vcpu(h)->ve.gpa, row->gpa);
		}
		host_free(h);
	}
}

static void violate(struct host *h, uint64_t gpa)
{
	assert_int_equal(guest_stop(h, (struct guest_exit){ .why = GUEST_STOP_MEMORY, .gpa = gpa,
							    .read = true }), SEAM_END_DONE);
	assert_status(guest_result.regs.rax, VMX_EPT_VIOLATION);
}

/* One instruction that needs many pages: it waits for all of them. */
static void stepping(void **state)
{
	struct seam_regs in = { .rax = TDH_VP_ENTER, .rcx = TDVPR(0), .rbp = 0xB9, .rbx = 1 };
	struct host *h = *state;

	start(h);
	for (unsigned int i = 0; i < STEPPING_LOG; i++) {
		/* Far away from what the TD has. */
		violate(h, GPA_CODE + (16 + i) * SZ_4K);
		if (i < STEPPING_LOG - 1)
			guest_enter(h);
	}
	/* None is there: the guest does not even run. */
	assert_int_equal(host_call(h, 0, &in), SEAM_END_DONE);
	assert_status(in.rax, VMX_EPT_VIOLATION);
	assert_int_equal(in.rcx, EPT_QUAL_WRITE);
	assert_int_equal(in.r8, GPA_CODE + 16 * SZ_4K);
	assert_int_equal(in.rbp, 0xB9);
	assert_int_equal(in.rbx, 0);
	/* Pending is all that the host can do. */
	for (unsigned int i = 0; i < STEPPING_LOG; i++)
		mem(h, TDH_MEM_PAGE_AUG, GPA_CODE + (16 + i) * SZ_4K, PG(90 + i));
	guest_enter(h);
	assert_int_equal(guest_vcpu(h)->stepping.nr, 0);
}

static void stepping_elsewhere(void **state)
{
	struct host *h = *state;

	start(h);
	for (unsigned int i = 0; i < 3 * STEPPING_LOG; i++) {
		guest_cpu(h)->rip = GPA_CODE + i;
		violate(h, GPA_FREE);
		guest_enter(h);
	}
	assert_int_equal(guest_vcpu(h)->stepping.nr, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(map_private),
		host_test(map_private_large),
		host_test(map_shared),
		host_test(map_shared_large),
		cmocka_unit_test(shared_misconfigured),
		cmocka_unit_test(violations),
		host_test(stepping),
		host_test(stepping_elsewhere),
	};

	return cmocka_run_group_tests_name("guest_map", tests, NULL, NULL);
}
