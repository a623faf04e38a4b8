// SPDX-License-Identifier: GPL-2.0-only
/* TDG.MEM.PAGE.ACCEPT: what it finds in the secure EPT, and who goes first there. */
#include <string.h>

#include "guest_host.h"
#include "state.h"
#include "plain.h"

#define INFO()		{ .rax = 1 }
#define ACCEPT(gpa)	{ .rax = 6, .rcx = (gpa) }

struct accept_exit {
	const char *what;
	uint64_t gpa;
	void (*prepare)(struct host *h, uint64_t gpa);
	unsigned int level;
	enum sept_state state;
	bool leaf;
};

static void block(struct host *h, uint64_t what)
{
	td_must(h, 1, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK, .rcx = what, .rdx = TDR });
}

static void add_large(struct host *h, uint64_t gpa)
{
	(void)gpa;
	td_must(h, 1, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_NO_TABLE | 1,
					  .rdx = TDR, .r8 = FREE_2M });
}

static void block_large(struct host *h, uint64_t gpa)
{
	add_large(h, gpa);
	block(h, GPA_NO_TABLE | 1);
}

/* It was the guest's before. */
static void block_accepted_large(struct host *h, uint64_t gpa)
{
	struct sept_walk walk;

	add_large(h, gpa);
	sept_accept(&host_td(h)->sept, GPA_NO_TABLE, 1, &walk);
	block(h, GPA_NO_TABLE | 1);
}

static void removed(struct host *h, uint64_t gpa)
{
	atomic_store(&host_entry(h, gpa, 0)->word, SEPT_REMOVED);
}

/* A table with a page in it, which is then blocked. */
static void block_table(struct host *h, uint64_t gpa)
{
	td_must(h, 1, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = gpa | 1, .rdx = TDR,
					  .r8 = PG(80) });
	block(h, gpa | 1);
}

/* The host hears which entry is not what the guest wants, and the call repeats. */
static void accept_leaves(void **state)
{
	static const struct accept_exit exits[] = {
		{ "nothing", GPA_FREE, NULL, 0, SEPT_FREE, false },
		{ "removed", GPA_FREE, removed, 0, SEPT_REMOVED, false },
		{ "no table", GPA_NO_TABLE, NULL, 1, SEPT_FREE, false },
		{ "nothing, 2M", GPA_NO_TABLE | 1, NULL, 1, SEPT_FREE, false },
		{ "pending, blocked", GPA_AUG, block, 0, SEPT_PENDING_BLOCKED, true },
		{ "blocked table", GPA_NO_TABLE, block_table, 1, SEPT_NL_BLOCKED, false },
		{ "blocked", GPA_REG, block, 0, SEPT_BLOCKED, true },
		{ "4K in pending 2M", GPA_NO_TABLE + SZ_4K, add_large, 1, SEPT_PENDING, true },
		{ "4K in pending, blocked 2M", GPA_NO_TABLE, block_large, 1,
		  SEPT_PENDING_BLOCKED, true },
		{ "pending, blocked 2M", GPA_NO_TABLE | 1, block_large, 1,
		  SEPT_PENDING_BLOCKED, true },
		{ "4K in blocked 2M", GPA_NO_TABLE, block_accepted_large, 1, SEPT_BLOCKED, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++) {
		const struct accept_exit *e = &exits[i];
		struct host *h = host_new(NULL);
		uint64_t info = (e->gpa & 7) | e->level << 3 | (uint64_t)e->state << 6 |
				(uint64_t)e->leaf << 14;

		print_message("# %s\n", e->what);
		guest_run_64bit(h);
		memcpy(guest_mem(h, GPA_CODE), INSN_TDCALL, 4);
		guest_cpu(h)->gpr = (struct seam_regs)ACCEPT(e->gpa);
		if (e->prepare)
			e->prepare(h, e->gpa);
		assert_int_equal(guest_stop(h, (struct guest_exit){ .why = GUEST_STOP_UNDEFINED }),
				 SEAM_END_DONE);
		assert_status(guest_result.regs.rax, VMX_EPT_VIOLATION);
		assert_int_equal(guest_result.regs.rcx, EPT_QUAL_WRITE);
		assert_int_equal(guest_result.regs.rdx, 1 | info << 32);
		assert_int_equal(guest_result.regs.r8, e->gpa & ~7ULL);
		assert_int_equal(guest_vcpu(h)->run.cpu.rip, GPA_CODE);
		assert_int_equal(guest_vcpu(h)->run.cpu.gpr.rax, 6);
		host_free(h);
	}
}

/*
 * A host that finds an entry locked has it before any guest; guests that wait too
 * long for a host that does not come are left, behind their TDCALL.
 */
static void accept_gives_way(void **state)
{
	struct seam_regs aug = { .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_AUG, .rdx = TDR,
				 .r8 = FREE_2M };
	const uint64_t busy = TDX_OPERAND_BUSY | OPERAND_RCX;
	struct host *h = *state;
	struct sept_entry *entry;

	guest_run_64bit(h);
	entry = host_entry(h, GPA_AUG, 0);
	lock_try_exclusive(&entry->lock);
	assert_status(guest_tdcall(h, (struct seam_regs)ACCEPT(GPA_AUG)), busy);
	assert_status(host_status(h, 1, aug), busy);
	lock_release(&entry->lock, LOCK_EXCLUSIVE);
	assert_status(guest_tdcall(h, (struct seam_regs)ACCEPT(GPA_AUG)), busy);
	/* It comes, and finds something else than it wants. */
	assert_status(host_status(h, 1, aug), TDX_EPT_ENTRY_STATE_INCORRECT | OPERAND_RCX);
	assert_status(guest_tdcall(h, (struct seam_regs)ACCEPT(GPA_AUG)), TDX_SUCCESS);
}

static uint64_t tsc;

static uint64_t read_tsc(void *opaque, unsigned int cpu)
{
	(void)opaque;
	(void)cpu;
	return tsc;
}

static enum seam_end accept_again(struct host *h)
{
	guest_cpu(h)->gpr = (struct seam_regs)ACCEPT(GPA_AUG);
	return STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL);
}

static void accept_times_out(void **state)
{
	const uint64_t busy = TDX_OPERAND_BUSY | OPERAND_RCX;
	struct host *h = *state;
	uint64_t second;

	h->machine.rdtsc = read_tsc;
	tsc = 1000;
	guest_run_64bit(h);
	second = h->seam->cfg.tsc_khz * 1000ULL;
	atomic_store(&host_entry(h, GPA_AUG, 0)->host_priority, true);
	assert_int_equal(accept_again(h), SEAM_END_RUN_GUEST);
	tsc += second * 9 / 10;
	assert_int_equal(accept_again(h), SEAM_END_RUN_GUEST);
	/* Another result in between, and time begins anew. */
	guest_tdcall(h, (struct seam_regs)INFO());
	tsc += second * 9 / 10;
	assert_int_equal(accept_again(h), SEAM_END_RUN_GUEST);
	tsc += second + 1;
	assert_int_equal(accept_again(h), SEAM_END_DONE);
	assert_status(guest_result.regs.rax, TDX_HOST_PRIORITY_BUSY_TIMEOUT);
	assert_int_equal(guest_result.regs.rcx | guest_result.regs.rdx | guest_result.regs.r8, 0);
	assert_int_equal(host_vcpu(h)->state, VCPU_READY);
	guest_enter(h);
	assert_executed(h, sizeof(INSN_TDCALL) - 1);
	assert_status(guest_cpu(h)->gpr.rax, busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accept_leaves),
		host_test(accept_gives_way),
		host_test(accept_times_out),
	};

	return cmocka_run_group_tests_name("tdcall_accept", tests, NULL, NULL);
}
