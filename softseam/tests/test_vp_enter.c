// SPDX-License-Identifier: GPL-2.0-only
/* TDH.VP.ENTER: preconditions, what it holds while a guest runs, and the start state. */
#include <string.h>

#include "guest_host.h"
#include "td_twists.h"
#include "virtual_cpuid.h"

#define ENTER()		{ .rax = TDH_VP_ENTER, .rcx = TDVPR(0) }
#define FLUSH()		{ .rax = TDH_VP_FLUSH, .rcx = TDVPR(0) }
#define TRACK()		{ .rax = TDH_MEM_TRACK, .rcx = TDR }
#define TSC_ADJUST	0x3B

static bool can_run_guest(void *opaque, unsigned int cpu)
{
	(void)opaque;
	(void)cpu;
	return true;
}

/* The vCPU ran before: a refused entry has nothing to prepare. */
static void ran_once(struct host *h)
{
	h->seam->machine.can_run_guest = can_run_guest;
	guest_enter(h);
	guest_leave_quietly(h);
	h->nr_events = 0;
}

TWIST(rcx_bit_11, in->rcx |= 1 << 11)
TWIST(rcx_bit_54, in->rcx |= 1ULL << 54)
TWIST(rcx_bit_63, in->rcx |= 1ULL << 63)
TWIST(few_vcpu_pages, host_vcpu(h)->nr_tdcx--)
TWIST(vcpu_active, host_vcpu(h)->state = VCPU_ACTIVE)
TWIST(vcpu_disabled, host_vcpu(h)->state = VCPU_DISABLED)
TWIST(elsewhere, host_vcpu(h)->lp = 3)
TWIST(tsc_adjusted, h->msr = TSC_ADJUST; h->msr_flip = 1)
TWIST(tsc_back, host_vcpu(h)->last_tsc = ~0ULL)
TWIST(pages_and_state, few_vcpu_pages(h, in); vcpu_disabled(h, in))
TWIST(state_and_elsewhere, vcpu_disabled(h, in); elsewhere(h, in))
TWIST(elsewhere_and_tsc, elsewhere(h, in); tsc_adjusted(h, in))
TWIST(tsc_both, tsc_adjusted(h, in); tsc_back(h, in))
TWIST(no_memory, h->seam->machine.can_run_guest = can_run_guest; host_fail_alloc(1))
TWIST(epoch_locked, ran_once(h); lock_try_exclusive(&host_td(h)->epoch.lock))
TWIST(stepping_locked, ran_once(h); guest_vcpu(h)->stepping.nr = STEPPING_LOG;
      lock_try_shared(&host_td(h)->sept.lock))

#define ROW(twist_, status_)	ROW_AT("", twist_, TD_RUNNABLE, ENTER, status_)

static const struct td_row rows[] = {
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_RUNNABLE, ENTER),
	ROW(rcx_bit_11, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(rcx_bit_54, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(rcx_bit_63, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(tdr_locked_exclusive, TDX_OPERAND_BUSY | OPERAND_TDR),
	TD_STATE_ROWS(TD_RUNNABLE, ENTER),
	OP_LOCKED_ROW(TD_RUNNABLE, ENTER),
	OP_STATE_ROW(uninit, TD_RUNNABLE, ENTER),
	OP_STATE_ROW(init, TD_RUNNABLE, ENTER),
	ROW(few_vcpu_pages, TDX_TDCX_NUM_INCORRECT),
	ROW(vcpu_active, TDX_VCPU_STATE_INCORRECT | VCPU_ACTIVE),
	ROW(vcpu_disabled, TDX_VCPU_STATE_INCORRECT | VCPU_DISABLED),
	ROW(elsewhere, TDX_VCPU_ASSOCIATED),
	ROW(tsc_adjusted, TDX_INCONSISTENT_MSR | TSC_ADJUST),
	ROW(tsc_back, TDX_TSC_ROLLBACK),
	ROW(pages_and_state, TDX_TDCX_NUM_INCORRECT),
	ROW(state_and_elsewhere, TDX_VCPU_STATE_INCORRECT | VCPU_DISABLED),
	ROW(elsewhere_and_tsc, TDX_VCPU_ASSOCIATED),
	ROW(tsc_both, TDX_INCONSISTENT_MSR | TSC_ADJUST),
	ROW(no_memory, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(epoch_locked, TDX_OPERAND_BUSY | OPERAND_TD_EPOCH),
	ROW(stepping_locked, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
	/* No machine that can run guests. */
	{ "no_machine", .stage = TD_RUNNABLE, .in = ENTER(),
	  .status = TDX_NON_RECOVERABLE_TD | VMX_ENTRY_FAILED | VMX_INVALID_STATE },
};

static void flags_are_ignored(void **state)
{
	struct host *h = *state;

	guest_host_start(h);
	guest_goto(h);
	for (uint64_t flags = 0; flags < 4; flags++) {
		struct seam_regs regs = { .rax = TDH_VP_ENTER, .rcx = TDVPR(0) | flags << 52 };

		assert_int_equal(seam_call(h->seam, 0, &regs), SEAM_END_RUN_GUEST);
		guest_leave_quietly(h);
	}
}

/* What other CPUs meet while the guest runs, and not any more when it left. */
static void held_while_running(void **state)
{
	struct host *h = *state;

	guest_host_start(h);
	guest_goto(h);
	td_must(h, 0, (struct seam_regs)FLUSH());
	assert_int_equal(host_td(h)->nr_associated, 0);
	guest_enter(h);
	assert_int_equal(host_vcpu(h)->state, VCPU_ACTIVE);
	assert_int_equal(host_vcpu(h)->lp, 0);
	assert_int_equal(host_td(h)->nr_associated, 1);

	assert_status(host_status(h, 1, (struct seam_regs)ENTER()),
		      TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_status(host_status(h, 1, (struct seam_regs)FLUSH()),
		      TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_status(host_status(h, 1, (struct seam_regs){ .rax = TDH_MNG_VPFLUSHDONE,
							  .rcx = TDR }),
		      TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_status(host_status(h, 1, (struct seam_regs){ .rax = TDH_SYS_DISABLE }),
		      TDX_SYS_BUSY);

	guest_leave_quietly(h);
	assert_int_equal(host_vcpu(h)->state, VCPU_READY);
	assert_int_equal(host_vcpu(h)->lp, 0);
	td_must(h, 0, (struct seam_regs)FLUSH());
	assert_int_equal(host_page(h, TDVPR(0))->lock.holders, 0);
	assert_int_equal(host_page(h, TDR)->lock.holders, 0);
	assert_int_equal(host_td(h)->op_state_lock.holders, 0);
	assert_int_equal(h->seam->sys_lock.holders, 0);
}

/* While a vCPU is inside, there can be one new epoch but not two. */
static void epochs(void **state)
{
	struct host *h = *state;
	uint64_t id, epoch;

	guest_host_start(h);
	guest_goto(h);
	guest_enter(h);
	id = seam_guest(h->seam, 0)->tlb_id;
	epoch = seam_guest(h->seam, 0)->tlb_epoch;
	td_must(h, 1, (struct seam_regs)TRACK());
	assert_status(host_status(h, 1, (struct seam_regs)TRACK()), TDX_PREVIOUS_TLB_EPOCH_BUSY);
	guest_leave_quietly(h);
	td_must(h, 1, (struct seam_regs)TRACK());

	/* Its translations are of no use any more. */
	guest_enter(h);
	assert_int_equal(seam_guest(h->seam, 0)->tlb_id, id);
	assert_int_equal(seam_guest(h->seam, 0)->tlb_epoch, epoch + 2);
	guest_reenter(h);
	assert_int_equal(seam_guest(h->seam, 0)->tlb_epoch, epoch + 2);
	guest_leave_quietly(h);

	/* Nor are they on any CPU, once the vCPU may have run on another one. */
	td_must(h, 0, (struct seam_regs)FLUSH());
	guest_enter(h);
	assert_int_not_equal(seam_guest(h->seam, 0)->tlb_id, id);
	guest_leave_quietly(h);
}

static void assert_segment(const struct guest_segment *s, uint32_t ar, uint32_t limit)
{
	assert_int_equal(s->selector, 0);
	assert_int_equal(s->base, 0);
	assert_int_equal(s->ar, ar);
	assert_int_equal(s->limit, limit);
}

static void start_state(void **state)
{
	struct host *h = *state;
	const struct guest_cpu *r;
	struct seam_regs gpr = { .rbx = 48, .rcx = 0x1234, .r8 = 0x1234 };

	guest_host_start(h);
	guest_goto(h);
	guest_enter(h);
	r = guest_cpu(h);
	gpr.rdx = virtual_cpuid_find(host_td(h)->cpuid, CPUID_FEATURES, 0)[EAX];
	assert_memory_equal(&r->gpr, &gpr, sizeof(gpr));
	assert_int_equal(r->rsp, 0);
	assert_int_equal(r->rip, 0xFFFFFFF0);
	assert_int_equal(r->rflags, 2);
	assert_int_equal(r->cr0, 0x21);
	assert_int_equal(r->cr3, 0);
	assert_int_equal(r->cr4, 0x40);
	assert_int_equal(r->efer, 0x901);
	assert_int_equal(r->dr6, 0xFFFF0FF0);
	assert_int_equal(r->dr7, 0x400);
	assert_int_equal(r->xcr0, 1);
	assert_int_equal(guest_vcpu(h)->msr.pat, 0x0007040600070406);
	assert_segment(&r->seg[SEG_CS], 0xC09B, 0xFFFFFFFF);
	assert_segment(&r->seg[SEG_DS], 0xC093, 0xFFFFFFFF);
	assert_segment(&r->seg[SEG_SS], 0xC093, 0xFFFFFFFF);
	assert_segment(&r->tr, 0x8B, 0xFFFF);
	assert_segment(&r->ldtr, SEG_AR_UNUSABLE, 0xFFFF);
	assert_int_equal(r->gdtr.limit, 0xFFFF);
	assert_int_equal(r->idtr.limit, 0xFFFF);
	/* FCW and MXCSR, as XRSTOR takes them. */
	assert_memory_equal(r->xsave, "\x7F\x03", 2);
	assert_memory_equal(r->xsave + 24, "\x80\x1F\0\0", 4);
	guest_leave_quietly(h);
}

/* A vCPU that does not get along at one place waits for all the pages it needs. */
static void stepping(void **state)
{
	struct guest_exit access = { .why = GUEST_STOP_MEMORY, .gpa = GPA_FREE, .read = true };
	struct seam_regs regs = ENTER();
	struct host *h = *state;

	guest_host_start(h);
	guest_goto(h);
	for (unsigned int i = 0; i < STEPPING_LOG; i++) {
		guest_enter(h);
		assert_int_equal(guest_stop(h, access), SEAM_END_DONE);
	}

	/* The entry ends at once, as if the guest had met it again. */
	regs.rbp = 0x42;
	assert_int_equal(host_call(h, 0, &regs), SEAM_END_DONE);
	assert_status(regs.rax, VMX_EPT_VIOLATION);
	assert_int_equal(regs.rcx, EPT_QUAL_WRITE);
	assert_int_equal(regs.r8, GPA_FREE);
	assert_int_equal(regs.rbp, 0x42);
	assert_int_equal(host_vcpu(h)->state, VCPU_READY);
	assert_int_equal(host_page(h, TDVPR(0))->lock.holders, 0);

	/* What the host gave need not be accepted. */
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = TDR,
					  .r8 = FREE_PAGE });
	guest_enter(h);
	assert_int_equal(guest_vcpu(h)->stepping.nr, 0);
	guest_leave_quietly(h);
}

/* Violations at other instructions start to count anew. */
static void no_stepping(void **state)
{
	struct guest_exit access = { .why = GUEST_STOP_MEMORY, .gpa = GPA_FREE, .read = true };
	struct host *h = *state;

	guest_host_start(h);
	guest_goto(h);
	for (unsigned int i = 0; i < 3 * STEPPING_LOG; i++) {
		guest_enter(h);
		guest_cpu(h)->rip = i;
		assert_int_equal(guest_stop(h, access), SEAM_END_DONE);
		assert_int_equal(guest_vcpu(h)->stepping.nr, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(flags_are_ignored),
		host_test(held_while_running),
		host_test(epochs),
		host_test(start_state),
		host_test(stepping),
		host_test(no_stepping),
	};

	return run_td_rows("vp_enter", rows, ARRAY_SIZE(rows)) +
	       cmocka_run_group_tests_name("vp_enter", tests, NULL, NULL);
}
