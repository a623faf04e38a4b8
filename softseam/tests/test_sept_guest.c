// SPDX-License-Identifier: GPL-2.0-only
/* The secure EPT as those see it who run guests. */
#include <string.h>

#include "plain.h"
#include "td_host.h"

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
	assert_memory_equal(plain_at(h->seam, view.hpa), host_mem(h, SOURCE), SZ_4K);

	sept_look(t, GPA_AUG, &view);
	assert_int_equal(view.state, SEPT_PENDING);
	assert_int_equal(view.hpa, AUG_PAGE);

	sept_look(t, GPA_FREE, &view);
	assert_int_equal(view.state, SEPT_FREE);
	assert_int_equal(view.level, 0);

	sept_look(t, GPA_NO_TABLE + 0x5000, &view);
	assert_int_equal(view.state, SEPT_FREE);
	assert_int_equal(view.level, 1);
	assert_int_equal(view.gpa, GPA_NO_TABLE);

	mem(h, TDH_MEM_RANGE_BLOCK, 1, 0);
	sept_look(t, GPA_REG, &view);
	assert_int_equal(view.state, SEPT_NL_BLOCKED);
	assert_int_equal(view.level, 1);
	assert_int_equal(view.gpa, 0);
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
	assert_int_equal(sept_accept(t, GPA_NO_TABLE, 0, &walk), SEPT_ACCEPT_VIOLATION);
	assert_int_equal(walk.state, SEPT_PENDING);
	assert_int_equal(walk.level, 1);
	/* Whatever the host does to the tree. */
	lock_try_exclusive(&t->lock);
	assert_status(sept_accept(t, GPA_NO_TABLE, 1, &walk), TDX_SUCCESS);
	lock_release(&t->lock, LOCK_EXCLUSIVE);
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
	plain = plain_at(h->seam, AUG_PAGE);
	for (unsigned int i = 0; i < 3; i++) {
		assert_status(sept_accept(&host_td(h)->sept, GPA_AUG, 0, &walk), TDX_SUCCESS);
		assert_memory_equal(plain, zero, SZ_4K);
		memset(plain, 0xAA, SZ_4K);
		mem(h, TDH_MEM_RANGE_BLOCK, GPA_AUG, 0);
		track(h);
		mem(h, TDH_MEM_PAGE_REMOVE, GPA_AUG, 0);
		mem(h, TDH_MEM_PAGE_AUG, GPA_AUG, AUG_PAGE);
	}
	/* Another page was not touched. */
	assert_memory_equal(plain_at(h->seam, REG_PAGE), host_mem(h, SOURCE), SZ_4K);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(look),
		host_test(accept),
		host_test(accept_large),
		host_test(accepted_is_zero),
	};

	return cmocka_run_group_tests_name("sept_guest", tests, NULL, NULL);
}
