// SPDX-License-Identifier: GPL-2.0-only
/* The secure EPT as those see it who run guests. */
#include <string.h>

#include "td_host.h"

/* What a guest may access, as a listener hears of it. */
struct ear {
	struct sept_listener listener;
	unsigned int nr;
	uint64_t gpa;
	unsigned int level;
	bool accessible;
};

static void hear(struct sept_listener *l, uint64_t gpa, unsigned int level, bool accessible)
{
	struct ear *ear = (struct ear *)l;

	ear->nr++;
	ear->gpa = gpa;
	ear->level = level;
	ear->accessible = accessible;
}

static void assert_heard(struct ear *ear, uint64_t gpa, unsigned int level, bool accessible)
{
	assert_int_equal(ear->nr, 1);
	assert_int_equal(ear->gpa, gpa);
	assert_int_equal(ear->level, level);
	assert_int_equal(ear->accessible, accessible);
	ear->nr = 0;
}

static void mem(struct host *h, uint64_t leaf, uint64_t what, uint64_t page)
{
	td_must(h, 0, (struct seam_regs){ .rax = leaf, .rcx = what, .rdx = TDR, .r8 = page,
					  .r9 = SOURCE });
}

static void track(struct host *h)
{
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR });
}

static void look(void **state)
{
	struct host *h = *state;
	struct sept_view view;
	struct sept *t;

	host_start(h);
	td_goto(h, TD_AUG);
	t = &host_td(h)->sept;

	sept_look(t, GPA_REG + 0x123, &view);
	assert_int_equal(view.state, SEPT_MAPPED);
	assert_int_equal(view.level, 0);
	assert_int_equal(view.gpa, GPA_REG);
	assert_int_equal(view.hpa, REG_PAGE);
	assert_memory_equal(view.plain, host_mem(h, SOURCE), SZ_4K);

	sept_look(t, GPA_AUG, &view);
	assert_int_equal(view.state, SEPT_PENDING);
	assert_int_equal(view.hpa, AUG_PAGE);
	assert_ptr_equal(view.plain, (char *)sept_plain(t, GPA_REG) + SZ_4K);

	sept_look(t, GPA_FREE, &view);
	assert_int_equal(view.state, SEPT_FREE);
	assert_int_equal(view.level, 0);
	assert_null(view.plain);

	sept_look(t, GPA_NO_TABLE + 0x5000, &view);
	assert_int_equal(view.state, SEPT_FREE);
	assert_int_equal(view.level, 1);
	assert_int_equal(view.gpa, GPA_NO_TABLE);

	mem(h, TDH_MEM_RANGE_BLOCK, 1, 0);
	sept_look(t, GPA_REG, &view);
	assert_int_equal(view.state, SEPT_NL_BLOCKED);
	assert_int_equal(view.level, 1);
	assert_int_equal(view.gpa, 0);
	assert_null(view.plain);
}

static void listeners(void **state)
{
	struct ear ear = { .listener.changed = hear }, other = ear;
	struct host *h = *state;
	struct sept_walk walk;
	uint64_t generation;
	struct sept *t;

	host_start(h);
	td_goto(h, TD_SEPT);
	t = &host_td(h)->sept;
	sept_listen(t, &ear.listener);
	sept_listen(t, &other.listener);
	generation = t->generation;

	mem(h, TDH_MEM_PAGE_ADD, GPA_REG, REG_PAGE);
	assert_heard(&ear, GPA_REG, 0, true);
	assert_heard(&other, GPA_REG, 0, true);
	assert_int_equal(t->generation, generation + 1);
	sept_unlisten(t, &other.listener);

	/* Pending memory is no memory yet, an empty table never is. */
	mem(h, TDH_MEM_PAGE_AUG, GPA_AUG, AUG_PAGE);
	mem(h, TDH_MEM_SEPT_ADD, GPA_NO_TABLE | 1, FREE_PAGE);
	assert_int_equal(ear.nr, 0);
	assert_status(sept_accept(t, GPA_AUG, 0, &walk), TDX_SUCCESS);
	assert_heard(&ear, GPA_AUG, 0, true);

	mem(h, TDH_MEM_RANGE_BLOCK, GPA_AUG, 0);
	assert_heard(&ear, GPA_AUG, 0, false);
	mem(h, TDH_MEM_RANGE_UNBLOCK, GPA_AUG, 0);
	assert_heard(&ear, GPA_AUG, 0, true);
	mem(h, TDH_MEM_RANGE_BLOCK, 1, 0);
	assert_heard(&ear, 0, 1, false);
	mem(h, TDH_MEM_RANGE_UNBLOCK, 1, 0);
	assert_heard(&ear, 0, 1, true);
	mem(h, TDH_MEM_PAGE_REMOVE, GPA_REG, 0);
	assert_heard(&ear, GPA_REG, 0, false);

	/* What was blocked before is not heard of when it goes. */
	mem(h, TDH_MEM_RANGE_BLOCK, GPA_AUG, 0);
	assert_heard(&ear, GPA_AUG, 0, false);
	mem(h, TDH_MEM_PAGE_REMOVE, GPA_AUG, 0);
	assert_int_equal(ear.nr, 0);
	assert_int_equal(other.nr, 0);
	sept_unlisten(t, &ear.listener);
	sept_unlisten(t, &other.listener);
	assert_null(t->listeners);
}

struct runs {
	unsigned int nr;
	uint64_t gpa[4], size[4];
	void *plain[4];
};

static void collect(void *opaque, uint64_t gpa, uint64_t size, void *plain)
{
	struct runs *r = opaque;

	assert_true(r->nr < 4);
	r->gpa[r->nr] = gpa;
	r->size[r->nr] = size;
	r->plain[r->nr++] = plain;
}

static void runs(void **state)
{
	struct runs found = { 0 };
	struct host *h = *state;
	struct sept_walk walk;
	struct sept *t;

	host_start(h);
	td_goto(h, TD_AUG);
	t = &host_td(h)->sept;
	/* Two neighbours, a gap of one, three of 4K and one of 2M behind them. */
	assert_status(sept_accept(t, GPA_AUG, 0, &walk), TDX_SUCCESS);
	for (uint64_t i = 0; i < 3; i++) {
		mem(h, TDH_MEM_PAGE_AUG, 0x1FD000 + i * SZ_4K, PG(60 + 2 * i));
		assert_status(sept_accept(t, 0x1FD000 + i * SZ_4K, 0, &walk), TDX_SUCCESS);
	}
	mem(h, TDH_MEM_PAGE_AUG, GPA_NO_TABLE | 1, FREE_2M);
	assert_status(sept_accept(t, GPA_NO_TABLE, 1, &walk), TDX_SUCCESS);
	/* One that is not there for the guest. */
	mem(h, TDH_MEM_PAGE_AUG, GPA_FREE + SZ_4K, FREE_PAGE);

	sept_for_each_run(t, collect, &found);
	assert_int_equal(found.nr, 2);
	assert_int_equal(found.gpa[0], GPA_REG);
	assert_int_equal(found.size[0], 2 * SZ_4K);
	assert_ptr_equal(found.plain[0], sept_plain(t, GPA_REG));
	assert_int_equal(found.gpa[1], 0x1FD000);
	assert_int_equal(found.size[1], 3 * SZ_4K + SZ_2M);
	assert_int_equal((uintptr_t)found.plain[1] % SZ_4K, 0);

	found.nr = 0;
	mem(h, TDH_MEM_RANGE_BLOCK, 2, 0);
	sept_for_each_run(t, collect, &found);
	assert_int_equal(found.nr, 0);
}

/* Plaintext is one piece within a GiB; across, runs end. */
static void runs_end_at_1g(void **state)
{
	struct runs found = { 0 };
	struct host *h = *state;
	struct sept_walk walk;
	struct sept *t;

	host_start(h);
	td_goto(h, TD_RUNNABLE);
	t = &host_td(h)->sept;
	mem(h, TDH_MEM_SEPT_ADD, GB | 2, PG(80));
	mem(h, TDH_MEM_SEPT_ADD, GB | 1, PG(81));
	mem(h, TDH_MEM_SEPT_ADD, (GB - SZ_2M) | 1, PG(82));
	mem(h, TDH_MEM_PAGE_AUG, GB, PG(83));
	mem(h, TDH_MEM_PAGE_AUG, GB - SZ_4K, PG(84));
	assert_status(sept_accept(t, GB, 0, &walk), TDX_SUCCESS);
	assert_status(sept_accept(t, GB - SZ_4K, 0, &walk), TDX_SUCCESS);
	sept_for_each_run(t, collect, &found);
	/* GPA_REG is the first; the two others are one only by chance. */
	assert_true(found.nr == 3 || (found.nr == 2 && found.size[1] == 2 * SZ_4K));
}

static void accept(void **state)
{
	struct host *h = *state;
	struct sept_walk walk;
	struct sept *t;

	host_start(h);
	td_goto(h, TD_AUG);
	t = &host_td(h)->sept;

	assert_status(sept_accept(t, GPA_REG, 0, &walk), TDX_PAGE_ALREADY_ACCEPTED);
	assert_int_equal(sept_accept(t, GPA_FREE, 0, &walk), SEPT_ACCEPT_VIOLATION);
	assert_int_equal(walk.level, 0);
	assert_int_equal(sept_accept(t, GPA_NO_TABLE, 0, &walk), SEPT_ACCEPT_VIOLATION);
	assert_int_equal(walk.level, 1);
	assert_int_equal(sept_accept(t, GPA_NO_TABLE, 1, &walk), SEPT_ACCEPT_VIOLATION);
	assert_status(sept_accept(t, 0, 1, &walk), TDX_PAGE_SIZE_MISMATCH | 1);

	lock_try_exclusive(&t->lock);
	assert_status(sept_accept(t, GPA_AUG, 0, &walk), TDX_OPERAND_BUSY | OPERAND_SEPT_TREE);
	lock_release(&t->lock, LOCK_EXCLUSIVE);
	lock_try_exclusive(&host_entry(h, GPA_AUG, 0)->lock);
	assert_status(sept_accept(t, GPA_AUG, 0, &walk), TDX_OPERAND_BUSY | OPERAND_RCX);
	lock_release(&host_entry(h, GPA_AUG, 0)->lock, LOCK_EXCLUSIVE);

	mem(h, TDH_MEM_RANGE_BLOCK, GPA_AUG, 0);
	assert_int_equal(sept_accept(t, GPA_AUG, 0, &walk), SEPT_ACCEPT_VIOLATION);
	assert_int_equal(walk.state, SEPT_PENDING_BLOCKED);
	track(h);
	mem(h, TDH_MEM_RANGE_UNBLOCK, GPA_AUG, 0);
	assert_status(sept_accept(t, GPA_AUG, 0, &walk), TDX_SUCCESS);
	assert_status(sept_accept(t, GPA_AUG, 0, &walk), TDX_PAGE_ALREADY_ACCEPTED);
	assert_int_equal(t->lock.holders, 0);
	assert_int_equal(host_entry(h, GPA_AUG, 0)->lock.holders, 0);
}

static void accept_large(void **state)
{
	struct host *h = *state;
	struct sept_walk walk;
	struct sept *t;

	host_start(h);
	td_goto(h, TD_RUNNABLE);
	t = &host_td(h)->sept;
	mem(h, TDH_MEM_PAGE_AUG, GPA_NO_TABLE | 1, FREE_2M);
	assert_status(sept_accept(t, GPA_NO_TABLE, 0, &walk), TDX_PAGE_SIZE_MISMATCH | 1);
	assert_status(sept_accept(t, GPA_NO_TABLE, 1, &walk), TDX_SUCCESS);
	assert_status(sept_accept(t, GPA_NO_TABLE + SZ_4K, 0, &walk),
		      TDX_PAGE_ALREADY_ACCEPTED | 1);
}

/* A page that comes again is zero, whatever the guest had in it. */
static void accepted_is_zero(void **state)
{
	static const uint8_t zero[4096];
	struct host *h = *state;
	struct sept_walk walk;
	uint8_t *plain;

	host_start(h);
	td_goto(h, TD_AUG);
	plain = sept_plain(&host_td(h)->sept, GPA_AUG);
	for (unsigned int i = 0; i < 3; i++) {
		assert_status(sept_accept(&host_td(h)->sept, GPA_AUG, 0, &walk), TDX_SUCCESS);
		assert_memory_equal(plain, zero, SZ_4K);
		memset(plain, 0xAA, SZ_4K);
		mem(h, TDH_MEM_RANGE_BLOCK, GPA_AUG, 0);
		track(h);
		mem(h, TDH_MEM_PAGE_REMOVE, GPA_AUG, 0);
		mem(h, TDH_MEM_PAGE_AUG, GPA_AUG, AUG_PAGE);
	}
	/* Its neighbour was not touched. */
	assert_memory_equal(plain - SZ_4K, host_mem(h, SOURCE), SZ_4K);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(look),
		host_test(listeners),
		host_test(runs),
		host_test(runs_end_at_1g),
		host_test(accept),
		host_test(accept_large),
		host_test(accepted_is_zero),
	};

	return cmocka_run_group_tests_name("sept_guest", tests, NULL, NULL);
}
