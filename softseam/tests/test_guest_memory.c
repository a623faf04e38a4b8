// SPDX-License-Identifier: GPL-2.0-only
/* What a guest finds at its addresses, and who hears of it if it finds nothing. */
#include <string.h>

#include "guest_host.h"
#include "guest_memory.h"
#include "plain.h"
#include "shared_ept.h"

static void mem(struct guest *g, uint64_t leaf, uint64_t what, uint64_t page)
{
	td_must(g->h, 1, (struct seam_regs){ .rax = leaf, .rcx = what, .rdx = TDR, .r8 = page });
}

static bool look(struct guest *g, uint64_t gpa, struct guest_map *map)
{
	return seam_guest_map(g->h->seam, g->cpu, gpa, map);
}

static void map_private(void **state)
{
	struct guest_map map;
	struct guest g;

	guest_start(&g, *state);
	assert_true(look(&g, GPA_REG + 0x123, &map));
	assert_int_equal(map.gpa, GPA_REG);
	assert_int_equal(map.size, SZ_4K);
	assert_int_equal(map.pa, REG_PAGE);
	assert_true(map.writable && map.executable && map.is_private);

	assert_false(look(&g, GPA_AUG, &map));
	assert_false(look(&g, GPA_FREE, &map));
	assert_false(look(&g, GPA_NO_TABLE, &map));
	assert_false(look(&g, 1ULL << 48, &map));
	mem(&g, TDH_MEM_RANGE_BLOCK, GPA_REG, 0);
	assert_false(look(&g, GPA_REG, &map));
}

static void map_private_large(void **state)
{
	struct sept_walk walk;
	struct guest_map map;
	struct guest g;

	guest_start(&g, *state);
	mem(&g, TDH_MEM_PAGE_AUG, GPA_NO_TABLE | 1, FREE_2M);
	sept_accept(&host_td(g.h)->sept, GPA_NO_TABLE, 1, &walk);
	assert_true(look(&g, GPA_NO_TABLE + 0x5123, &map));
	assert_int_equal(map.gpa, GPA_NO_TABLE);
	assert_int_equal(map.size, SZ_2M);
	assert_int_equal(map.pa, FREE_2M);
}

static void map_shared(void **state)
{
	struct guest_map map;
	struct guest g;

	guest_start(&g, *state);
	assert_true(look(&g, GPA_SHARED + 0x10, &map));
	assert_int_equal(map.gpa, GPA_SHARED);
	assert_int_equal(map.size, SZ_4K);
	assert_int_equal(map.pa, SHARED_PAGE);
	assert_true(map.writable);
	/* Whatever the host's EPT says. */
	assert_false(map.executable);
	assert_false(map.is_private);

	*shared_entry(g.h, 0) &= ~EPT_WRITE;
	assert_true(look(&g, GPA_SHARED, &map));
	assert_false(map.writable);
	/* Rights of all levels together. */
	*shared_entry(g.h, 0) |= EPT_WRITE;
	*shared_entry(g.h, 2) &= ~EPT_WRITE;
	assert_true(look(&g, GPA_SHARED, &map));
	assert_false(map.writable);
	*shared_entry(g.h, 2) = 0;
	assert_false(look(&g, GPA_SHARED, &map));
}

static void map_shared_large(void **state)
{
	struct guest_map map;
	struct guest g;

	guest_start(&g, *state);
	*shared_entry(g.h, 1) = (2ULL << 30) | 0xB7;
	assert_true(look(&g, GPA_SHARED + 0x3123, &map));
	assert_int_equal(map.gpa, GPA_SHARED);
	assert_int_equal(map.size, SZ_2M);
	assert_int_equal(map.pa, 2ULL << 30);
	/* A page of 1G, as the 2M of it. */
	*shared_entry(g.h, 2) = (2ULL << 30) | 0xB7;
	assert_true(look(&g, GPA_SHARED + 3 * SZ_2M + 1, &map));
	assert_int_equal(map.gpa, GPA_SHARED + 3 * SZ_2M);
	assert_int_equal(map.size, SZ_2M);
	assert_int_equal(map.pa, (2ULL << 30) + 3 * SZ_2M);
}

/* What a violation comes to. */
enum who { HOST, GUEST };

struct violation_row {
	const char *name;
	uint64_t attributes;
	void (*twist)(struct guest *g);
	uint64_t gpa;
	bool read, write, fetch;
	enum who who;
	uint64_t qualification, extended;
};

#define GUEST_TWIST(name, ...)				\
	static void name(struct guest *g)		\
	{						\
		(void)g;				\
		__VA_ARGS__;				\
	}

GUEST_TWIST(block_reg, mem(g, TDH_MEM_RANGE_BLOCK, GPA_REG, 0))
GUEST_TWIST(block_aug, mem(g, TDH_MEM_RANGE_BLOCK, GPA_AUG, 0))
GUEST_TWIST(pending_ve_off, host_td(g->h)->td_ctls = TD_CTLS_PENDING_VE_DISABLE)
GUEST_TWIST(absent, *shared_entry(g->h, 0) = EPT_SUPPRESS_VE)
GUEST_TWIST(absent_ve, *shared_entry(g->h, 0) = 0)
GUEST_TWIST(absent_table, *shared_entry(g->h, 1) = EPT_SUPPRESS_VE)
GUEST_TWIST(absent_ve_busy, absent_ve(g); g->v->ve.valid = true)
GUEST_TWIST(read_only, *shared_entry(g->h, 0) = SHARED_PAGE | 0x31 | EPT_SUPPRESS_VE)
GUEST_TWIST(read_only_ve, *shared_entry(g->h, 0) = SHARED_PAGE | 0x31)
GUEST_TWIST(suppressed, *shared_entry(g->h, 0) |= EPT_SUPPRESS_VE)

#define R(name_, gpa_, access_, who_, qual_, ...)				\
	{ .name = name_, .gpa = gpa_, .access_ = true, .who = who_, .qualification = qual_, \
	  __VA_ARGS__ }

static const struct violation_row rows[] = {
	R("free_read", GPA_FREE + 8, read, HOST, 1),
	R("free_write", GPA_FREE, write, HOST, 2),
	R("free_fetch", GPA_FREE, fetch, HOST, 4),
	R("no_table", GPA_NO_TABLE + 0x5000, read, HOST, 1),
	R("blocked", GPA_REG, read, HOST, 1, .twist = block_reg),
	R("pending_is_ve", GPA_AUG + 0x10, write, GUEST, 2),
	R("pending_is_ve_fetch", GPA_AUG, fetch, GUEST, 4),
	R("pending_ve_disable", GPA_AUG, write, HOST, 2, .attributes = TD_ATTR_SEPT_VE_DISABLE,
	  .extended = EXT_QUAL_PENDING),
	R("pending_td_ctls", GPA_AUG, read, HOST, 1, .twist = pending_ve_off,
	  .extended = EXT_QUAL_PENDING),
	R("pending_blocked", GPA_AUG, read, HOST, 1, .twist = block_aug),
	R("shared_absent", GPA_SHARED + 4, write, HOST, 2, .twist = absent),
	R("shared_absent_table", GPA_SHARED, read, HOST, 1, .twist = absent_table),
	R("shared_absent_ve", GPA_SHARED + 0x34, read, GUEST, 1, .twist = absent_ve),
	R("shared_absent_ve_busy", GPA_SHARED, read, HOST, 1, .twist = absent_ve_busy),
	R("shared_read_only", GPA_SHARED, write, HOST, 2 | 1 << 3, .twist = read_only),
	R("shared_read_only_ve", GPA_SHARED, write, GUEST, 2 | 1 << 3, .twist = read_only_ve),
	R("shared_fetch", GPA_SHARED, fetch, HOST, 4 | 7 << 3, .twist = suppressed),
};

static void run_row(void **state)
{
	const struct violation_row *row = *state;
	struct host *h = host_new(NULL);
	struct guest g;
	bool goes_on;

	guest_start_with(&g, h, row->attributes, 0);
	if (row->twist)
		row->twist(&g);
	g.exit = (struct guest_exit){ .why = GUEST_STOP_MEMORY, .gpa = row->gpa,
				      .read = row->read, .write = row->write,
				      .fetch = row->fetch };
	goes_on = guest_stop_with(&g);
	assert_int_equal(g.r->rip, GPA_CODE);
	assert_int_equal(goes_on, row->who == GUEST);
	if (row->who == GUEST) {
		assert_ve(&g, VMX_EPT_VIOLATION, row->qualification, row->gpa, 0);
	} else {
		assert_left(&g, TDX_SUCCESS | VMX_EPT_VIOLATION);
		assert_int_equal(g.result.regs.rcx, row->qualification);
		assert_int_equal(g.result.regs.rdx, row->extended);
		assert_int_equal(g.result.regs.r8, row->gpa & ~0xFFFULL);
		assert_int_equal(g.result.regs.r9, 0);
		assert_false(g.v->run.inject.valid);
	}
	host_free(h);
}

static int run_violation_rows(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						.initial_state = (void *)&rows[i] };
	return _cmocka_run_group_tests("guest violations", tests, ARRAY_SIZE(tests), NULL, NULL);
}

/* The page came while the guest was on its way out: nobody has to do anything. */
static void violation_is_over(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	g.exit = (struct guest_exit){ .why = GUEST_STOP_MEMORY, .gpa = GPA_REG, .write = true };
	assert_true(guest_stop_with(&g));
	assert_false(g.v->run.inject.valid);
}

GUEST_TWIST(no_read, *shared_entry(g->h, 0) = SHARED_PAGE | 0x30 | EPT_WRITE)
GUEST_TWIST(memtype_2, *shared_entry(g->h, 0) = SHARED_PAGE | 0x17)
GUEST_TWIST(memtype_3, *shared_entry(g->h, 0) = SHARED_PAGE | 0x1F)
GUEST_TWIST(memtype_7, *shared_entry(g->h, 0) = SHARED_PAGE | 0x3F)
GUEST_TWIST(beyond_maxpa, *shared_entry(g->h, 0) |= 1ULL << 51)
GUEST_TWIST(large_misaligned, *shared_entry(g->h, 1) = SHARED_PAGE | 0xB7)
GUEST_TWIST(large_512g, *shared_entry(g->h, 3) |= EPT_LARGE)
GUEST_TWIST(table_reserved, *shared_entry(g->h, 2) |= 1 << 3)
GUEST_TWIST(table_no_ram, *shared_entry(g->h, 2) = (3ULL << 30) | 7)
GUEST_TWIST(root_no_ram, guest_vp_write(g->h, SHARED_EPTP, 3ULL << 30))

/* Entries that mean nothing: the host built them, and it is told. */
static void shared_misconfigured(void **state)
{
	static void (*const twists[])(struct guest *g) = {
		no_read, memtype_2, memtype_3, memtype_7, beyond_maxpa, large_misaligned,
		large_512g, table_reserved, table_no_ram,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(twists); i++) {
		struct host *h = host_new(NULL);
		struct guest_map map;
		struct guest g;

		guest_start(&g, h);
		twists[i](&g);
		assert_false(look(&g, GPA_SHARED, &map));
		g.exit = (struct guest_exit){ .why = GUEST_STOP_MEMORY, .gpa = GPA_SHARED + 5,
					      .read = true };
		assert_false(guest_stop_with(&g));
		assert_left(&g, TDX_SUCCESS | VMX_EPT_MISCONFIG);
		assert_int_equal(g.result.regs.r8, GPA_SHARED);
		host_free(h);
	}
}

static void shared_root_is_not_ram(void **state)
{
	struct guest g = { .h = *state };
	struct guest_map map;

	guest_build(g.h, 0, 0);
	root_no_ram(&g);
	guest_enter(&g, (struct seam_regs){ 0 });
	assert_false(look(&g, GPA_SHARED, &map));
}

static void violate(struct guest *g, uint64_t gpa)
{
	g->exit = (struct guest_exit){ .why = GUEST_STOP_MEMORY, .gpa = gpa, .read = true };
	assert_false(guest_stop_with(g));
	assert_left(g, TDX_SUCCESS | VMX_EPT_VIOLATION);
}

/* One instruction that needs many pages: it waits for all of them. */
static void stepping(void **state)
{
	struct seam_regs in = { .rax = TDH_VP_ENTER, .rcx = TDVPR(0) };
	struct guest g;

	guest_start(&g, *state);
	for (unsigned int i = 0; i < STEPPING_LOG; i++) {
		violate(&g, GPA_FREE + i * SZ_4K);
		if (i < STEPPING_LOG - 1)
			guest_enter(&g, (struct seam_regs){ 0 });
	}
	/* None is there: the guest does not even run. */
	in.rbp = 0xB9;
	in.rbx = 1;
	assert_int_equal(host_call(g.h, 0, &in), SEAM_END_DONE);
	assert_status(in.rax, TDX_SUCCESS | VMX_EPT_VIOLATION);
	assert_int_equal(in.rcx, EPT_QUAL_WRITE);
	assert_int_equal(in.r8, GPA_FREE);
	assert_int_equal(in.rbp, 0xB9);
	assert_int_equal(in.rbx, 0);
	for (unsigned int i = 0; i < STEPPING_LOG; i++)
		mem(&g, TDH_MEM_PAGE_AUG, GPA_FREE + i * SZ_4K, FREE_PAGE + 40 * SZ_4K + i * SZ_4K);
	/* Pending is all that the host can do. */
	guest_enter(&g, (struct seam_regs){ 0 });
	assert_int_equal(g.v->stepping.nr, 0);
}

static void stepping_elsewhere(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	for (unsigned int i = 0; i < 3 * STEPPING_LOG; i++) {
		g.r->rip = GPA_CODE + i;
		violate(&g, GPA_FREE);
		guest_enter(&g, (struct seam_regs){ 0 });
	}
	assert_int_equal(g.v->stepping.nr, 1);
}

static struct guest_ctx context(struct guest *g)
{
	return (struct guest_ctx){ .s = g->h->seam, .cpu = g->cpu, .td = host_td(g->h),
				   .vcpu = host_vcpu(g->h), .g = g->v, .r = g->r };
}

static size_t fetch(struct guest *g, uint8_t code[GUEST_INSN_MAX])
{
	struct guest_ctx x = context(g);

	return guest_fetch(&x, code, GUEST_INSN_MAX);
}

/* Through the guest's tables, wherever the code is. */
static void fetch_by_tables(void **state)
{
	uint8_t code[GUEST_INSN_MAX];
	struct guest g;

	guest_start(&g, *state);
	memcpy(guest_mem(&g, GPA_DATA), "data page here!", GUEST_INSN_MAX);
	memcpy(host_mem(g.h, SHARED_PAGE), "shared page yes", GUEST_INSN_MAX);
	g.r->rip = LINEAR_DATA;
	assert_int_equal(fetch(&g, code), GUEST_INSN_MAX);
	assert_memory_equal(code, "data page here!", GUEST_INSN_MAX);
	g.r->rip = LINEAR_SHARED;
	assert_int_equal(fetch(&g, code), GUEST_INSN_MAX);
	assert_memory_equal(code, "shared page yes", GUEST_INSN_MAX);
	/* Up to where something is mapped. */
	g.r->rip = LINEAR_DATA + SZ_4K - 5;
	assert_int_equal(fetch(&g, code), 5);
	g.r->rip = GPA_CODE - 3;
	memcpy(guest_mem(&g, GPA_CODE), "abcdefghijkl", 12);
	memcpy(guest_mem(&g, GPA_CODE - 3), "xyz", 3);
	assert_int_equal(fetch(&g, code), GUEST_INSN_MAX);
	assert_memory_equal(code, "xyzabcdefghijkl", GUEST_INSN_MAX);
	g.r->rip = 1ULL << 39;
	assert_int_equal(fetch(&g, code), 0);
	g.r->rip = 1ULL << 30;
	assert_int_equal(fetch(&g, code), 0);
}

static uint32_t *entries32(struct guest *g, uint64_t gpa)
{
	return (uint32_t *)guest_mem(g, gpa);
}

static void fetch_without_paging(void **state)
{
	uint8_t code[GUEST_INSN_MAX];
	struct guest g;

	guest_start(&g, *state);
	memcpy(guest_mem(&g, GPA_DATA), "flat addresses.", GUEST_INSN_MAX);
	g.r->cr0 &= ~CR0_PG;
	g.r->efer &= ~EFER_LONG_ACTIVE;
	g.r->seg[SEG_CS].ar = 0xC09B;
	g.r->seg[SEG_CS].base = 0xFFFFF000;
	g.r->rip = GPA_DATA + 0x1000;
	assert_int_equal(fetch(&g, code), GUEST_INSN_MAX);
	assert_memory_equal(code, "flat addresses.", GUEST_INSN_MAX);
}

/* Tables of 32 bits: pages of 4K, and of 4M with the extension. */
static void fetch_32bit_paging(void **state)
{
	uint8_t code[GUEST_INSN_MAX];
	struct guest g;

	guest_start(&g, *state);
	memcpy(guest_mem(&g, GPA_DATA), "two level walk.", GUEST_INSN_MAX);
	g.r->efer &= ~EFER_LONG_ACTIVE;
	g.r->cr4 &= ~CR4_PAE;
	g.r->seg[SEG_CS].ar = 0xC09B;
	g.r->cr3 = GPA_PML4;
	memset(guest_mem(&g, GPA_PML4), 0, SZ_4K);
	memset(guest_mem(&g, GPA_PT), 0, SZ_4K);
	entries32(&g, GPA_PML4)[1] = GPA_PT | 3;
	entries32(&g, GPA_PT)[2] = GPA_DATA | 3;
	g.r->rip = 0x402000;
	assert_int_equal(fetch(&g, code), GUEST_INSN_MAX);
	assert_memory_equal(code, "two level walk.", GUEST_INSN_MAX);
	/* 4M, from physical 0. */
	entries32(&g, GPA_PML4)[2] = 0x83;
	g.r->rip = 0x800000 + GPA_DATA;
	assert_int_equal(fetch(&g, code), 0);
	g.r->cr4 |= 1 << 4;
	assert_int_equal(fetch(&g, code), GUEST_INSN_MAX);
	assert_memory_equal(code, "two level walk.", GUEST_INSN_MAX);
}

static void fetch_pae_paging(void **state)
{
	uint8_t code[GUEST_INSN_MAX];
	struct guest g;

	guest_start(&g, *state);
	memcpy(guest_mem(&g, GPA_DATA), "three level one", GUEST_INSN_MAX);
	g.r->efer &= ~EFER_LONG_ACTIVE;
	g.r->seg[SEG_CS].ar = 0xC09B;
	g.r->cr3 = GPA_PDPT;
	g.r->rip = LINEAR_DATA;
	assert_int_equal(fetch(&g, code), GUEST_INSN_MAX);
	assert_memory_equal(code, "three level one", GUEST_INSN_MAX);
}

/* The machine may keep the contents of private pages; it hears of new ones. */
static uint8_t kept[16][4096];
static uint64_t written_pa, written_len;

static void *private_page(void *opaque, uint64_t pa)
{
	(void)opaque;
	return kept[pa / SZ_4K % 16];
}

static void private_written(void *opaque, unsigned int cpu, uint64_t pa, uint64_t len)
{
	(void)opaque;
	assert_int_equal(cpu, 0);
	written_pa = pa;
	written_len = len;
}

static void machine_keeps_contents(void **state)
{
	struct host *h = *state;

	h->machine.private_page = private_page;
	h->machine.private_written = private_written;
	host_start(h);
	td_goto(h, TD_PAGE);
	assert_memory_equal(private_page(NULL, REG_PAGE), host_mem(h, SOURCE), SZ_4K);
	assert_int_equal(written_pa, REG_PAGE);
	assert_int_equal(written_len, SZ_4K);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_REG,
					  .rdx = TDR });
	for (unsigned int i = 0; i < SZ_4K; i++)
		assert_int_equal(((uint8_t *)private_page(NULL, REG_PAGE))[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(map_private),
		host_test(map_private_large),
		host_test(map_shared),
		host_test(map_shared_large),
		host_test(violation_is_over),
		host_test(shared_misconfigured),
		host_test(shared_root_is_not_ram),
		host_test(stepping),
		host_test(stepping_elsewhere),
		host_test(fetch_by_tables),
		host_test(fetch_without_paging),
		host_test(fetch_32bit_paging),
		host_test(fetch_pae_paging),
		host_test(machine_keeps_contents),
	};
	int failed = run_violation_rows();

	return failed + cmocka_run_group_tests_name("guest_memory", tests, NULL, NULL);
}
