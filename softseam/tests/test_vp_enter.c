// SPDX-License-Identifier: GPL-2.0-only
/* TDH.VP.ENTER: who gets in, how a guest starts, and how it leaves. */
#include <string.h>

#include "guest_host.h"
#include "platform.h"
#include "td_twists.h"
#include "virtual_cpuid.h"

#define ENTER()		{ .rax = TDH_VP_ENTER, .rcx = TDVPR(0) }

static bool can_run(void *opaque, unsigned int cpu)
{
	(void)opaque;
	(void)cpu;
	return true;
}

TWIST(able, h->seam->machine.can_run_guest = can_run)
TWIST(rcx_bit_54, in->rcx |= 1ULL << 54)
TWIST(rcx_bit_63, in->rcx |= 1ULL << 63)
TWIST(few_vcpu_pages, host_vcpu(h)->nr_tdcx--)
TWIST(vcpu_uninit, host_vcpu(h)->state = VCPU_UNINIT)
TWIST(vcpu_active, host_vcpu(h)->state = VCPU_ACTIVE)
TWIST(vcpu_disabled, host_vcpu(h)->state = VCPU_DISABLED)
TWIST(other_lp, host_vcpu(h)->lp = 1)
TWIST(tsc_adjust, h->msr = 0x3B; h->msr_flip = 1)
TWIST(rollback, host_vcpu(h)->last_tsc = ~0ULL)
TWIST(no_machine, able(h, in); h->seam->machine.can_run_guest = NULL)
TWIST(no_memory, able(h, in); host_vcpu(h)->guest = NULL; host_fail_alloc(1))

static void started(struct host *h)
{
	h->seam->machine.can_run_guest = can_run;
	host_vcpu(h)->guest = guest_vcpu_new(host_vcpu(h));
}

TWIST(tracking, started(h); lock_try_exclusive(&host_td(h)->epoch.lock))
TWIST(stepping, started(h); host_vcpu(h)->guest->stepping.nr = STEPPING_LOG;
      lock_try_shared(&host_td(h)->sept.lock))

#define ROW(twist, status)	ROW_AT("", twist, TD_RUNNABLE, ENTER, status)

static const struct td_row rows[] = {
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_RUNNABLE, ENTER),
	ROW(rcx_bit_54, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(rcx_bit_63, TDX_OPERAND_INVALID | OPERAND_RCX),
	ROW(tdr_locked_exclusive, TDX_OPERAND_BUSY | OPERAND_TDR),
	TD_STATE_ROWS(TD_RUNNABLE, ENTER),
	OP_LOCKED_ROW(TD_RUNNABLE, ENTER),
	OP_STATE_ROW(init, TD_RUNNABLE, ENTER),
	ROW(few_vcpu_pages, TDX_TDCX_NUM_INCORRECT),
	ROW(vcpu_uninit, TDX_VCPU_STATE_INCORRECT | VCPU_UNINIT),
	ROW(vcpu_active, TDX_VCPU_STATE_INCORRECT | VCPU_ACTIVE),
	ROW(vcpu_disabled, TDX_VCPU_STATE_INCORRECT | VCPU_DISABLED),
	ROW(other_lp, TDX_VCPU_ASSOCIATED),
	ROW(tsc_adjust, TDX_INCONSISTENT_MSR | 0x3B),
	ROW(rollback, TDX_TSC_ROLLBACK),
	ROW(no_machine, TDX_NON_RECOVERABLE_TD | VMX_ENTRY_FAILED | VMX_INVALID_STATE),
	ROW(no_memory, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(tracking, TDX_OPERAND_BUSY | OPERAND_TD_EPOCH),
	ROW(stepping, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE),
};

static void assert_flat(const struct guest_segment *s, uint32_t ar)
{
	assert_int_equal(s->selector, 0);
	assert_int_equal(s->base, 0);
	assert_int_equal(s->limit, 0xFFFFFFFF);
	assert_int_equal(s->ar, ar);
}

static void start_segments(void **state)
{
	struct guest g = { .h = *state };

	guest_build(g.h, 0, 0);
	guest_enter(&g, (struct seam_regs){ 0 });
	assert_flat(&g.r->seg[SEG_CS], 0xC09B);
	for (unsigned int i = 0; i < NR_GUEST_SEGS; i++) {
		if (i != SEG_CS)
			assert_flat(&g.r->seg[i], 0xC093);
	}
	assert_int_equal(g.r->tr.ar, 0x8B);
	assert_int_equal(g.r->tr.limit, 0xFFFF);
	assert_true(g.r->ldtr.ar & SEG_AR_UNUSABLE);
	assert_int_equal(g.r->gdtr.base | g.r->idtr.base, 0);
	assert_int_equal(g.r->gdtr.limit, 0xFFFF);
	assert_int_equal(g.r->idtr.limit, 0xFFFF);
}

static void start_registers(void **state)
{
	struct guest g = { .h = *state };
	const struct seam_regs *r;
	const uint32_t *features;

	guest_build(g.h, 0, 0);
	/* What the host has in its registers is none of the guest's business. */
	guest_enter(&g, (struct seam_regs){ .rdx = 1, .rbx = 2, .rsi = 3, .r8 = 4, .r15 = 5 });
	r = &g.r->gpr;
	features = virtual_cpuid_find(host_td(g.h)->cpuid, CPUID_FEATURES, 0);
	assert_int_equal(r->rbx, 48);
	assert_int_equal(r->rcx, GUEST_RCX);
	assert_int_equal(r->r8, GUEST_RCX);
	assert_int_equal(r->rdx, features[EAX]);
	assert_int_equal(r->rsi, 0);
	assert_int_equal(r->rax | r->rdi | r->rbp | r->r9 | r->r10 | r->r11 | r->r12 | r->r13 |
			 r->r14 | r->r15 | g.r->rsp, 0);
	assert_int_equal(g.r->rip, 0xFFFFFFF0);
	assert_int_equal(g.r->rflags, 2);
	assert_int_equal(g.r->cr0, 0x21);
	assert_int_equal(g.r->cr3, 0);
	assert_int_equal(g.r->cr4, 0x40);
	assert_int_equal(g.r->efer, 0x901);
	assert_int_equal(g.r->dr6, 0xFFFF0FF0);
	assert_int_equal(g.r->dr7, 0x400);
	assert_int_equal(g.r->xcr0, 1);
	assert_int_equal(g.v->msr.pat, 0x0007040600070406ULL);
}

static void start_of_another_vcpu(void **state)
{
	struct guest g = { .h = *state, .cpu = 1 };
	struct seam_regs in = { .rax = TDH_VP_ENTER, .rcx = TDVPR(1) };

	guest_build(g.h, 0, 0);
	td_must(g.h, 0, (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = TDVPR(1) });
	assert_int_equal(host_call(g.h, 1, &in), SEAM_END_RUN_GUEST);
	assert_int_equal(seam_guest(g.h->seam, 1)->cpu.gpr.rsi, 1);
	assert_int_equal(seam_guest(g.h->seam, 1)->xfam, 3);
}

static void flags_in_rcx(void **state)
{
	struct guest g = { .h = *state };
	struct seam_regs in = { .rax = TDH_VP_ENTER, .rcx = TDVPR(0) | 3ULL << 52 };

	guest_build(g.h, 0, 0);
	assert_int_equal(host_call(g.h, 0, &in), SEAM_END_RUN_GUEST);
}

static void inside(void **state)
{
	struct seam_regs again = ENTER();
	struct guest g;

	guest_start(&g, *state);
	assert_int_equal(host_vcpu(g.h)->state, VCPU_ACTIVE);
	assert_int_equal(host_vcpu(g.h)->lp, 0);
	assert_int_equal(host_td(g.h)->epoch.refcount[1], 1);
	assert_int_equal(g.v->run.tlb_epoch, 1);
	/* Others find it locked; the module is not. */
	assert_status(host_status(g.h, 1, again), TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_status(host_status(g.h, 1, (struct seam_regs){ .rax = TDH_VP_RD,
			.rcx = TDVPR(0), .rdx = PIN_CONTROLS }), TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_int_equal(g.h->nr_violations, 0);
}

/* All registers that an asynchronous exit leaves to the host. */
static void assert_async(const struct seam_regs *r, uint64_t rbp)
{
	assert_int_equal(r->rbp, rbp);
	assert_int_equal(r->rbx | r->rsi | r->rdi | r->r10 | r->r11 | r->r12 | r->r13 | r->r14 |
			 r->r15, 0);
}

static void leaves_for_host_event(void **state)
{
	struct guest g = { .h = *state };
	const struct seam_regs *r = &g.result.regs;

	guest_build(g.h, 0, 0);
	guest_enter(&g, (struct seam_regs){ .rbp = 0xB0B, .rbx = 1, .r12 = 2 });
	g.r->gpr.rbp = 0x6E57;
	g.r->gpr.r12 = 0x6E57;
	assert_false(guest_stop(&g, GUEST_STOP_HOST_EVENT));
	assert_left(&g, TDX_SUCCESS | VMX_OTHER_SMI);
	assert_async(r, 0xB0B);
	assert_int_equal(r->rcx | r->rdx | r->r8 | r->r9, 0);
	assert_int_equal(host_vcpu(g.h)->state, VCPU_READY);

	/* It goes on where it was. */
	guest_enter(&g, (struct seam_regs){ .r12 = 3 });
	assert_int_equal(g.r->gpr.r12, 0x6E57);
	assert_int_equal(g.r->gpr.rbp, 0x6E57);
}

static void leaves_for_init(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	assert_false(guest_stop(&g, GUEST_STOP_INIT));
	assert_left(&g, TDX_SUCCESS | VMX_INIT);
}

static void leaves_with_triple_fault(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	assert_false(guest_stop(&g, GUEST_STOP_TRIPLE_FAULT));
	assert_left(&g, TDX_NON_RECOVERABLE_VCPU | VMX_TRIPLE_FAULT);
	assert_int_equal(host_vcpu(g.h)->state, VCPU_DISABLED);
	assert_status(host_status(g.h, 0, (struct seam_regs)ENTER()),
		      TDX_VCPU_STATE_INCORRECT | VCPU_DISABLED);
}

static void leaves_with_bad_state(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	guest_code(&g, "\x90", 1);
	assert_false(guest_stop(&g, GUEST_STOP_BAD_STATE));
	assert_left(&g, TDX_NON_RECOVERABLE_TD | VMX_ENTRY_FAILED | VMX_INVALID_STATE);
	assert_int_equal(host_vcpu(g.h)->state, VCPU_DISABLED);
}

static void event_and_counts(void **state)
{
	struct guest g = { .h = *state };
	struct seam_stats before, after;
	unsigned int events;

	guest_build(g.h, 0, 0);
	seam_get_stats(g.h->seam, &before);
	events = g.h->nr_events;
	guest_enter(&g, (struct seam_regs){ .rbx = 9 });
	assert_int_equal(g.h->nr_events, events);
	assert_false(guest_stop(&g, GUEST_STOP_HOST_EVENT));
	assert_int_equal(g.h->nr_events, events + 1);
	assert_int_equal(g.h->event_in.rcx, TDVPR(0));
	assert_int_equal(g.h->event_in.rbx, 9);
	assert_int_equal(g.h->event_out.rax, VMX_OTHER_SMI);
	assert_true(g.h->event.end > g.h->event.start);
	seam_get_stats(g.h->seam, &after);
	assert_int_equal(after.leaf[TDH_VP_ENTER].calls, before.leaf[TDH_VP_ENTER].calls + 1);
}

static void traced(struct guest *g, const char *want)
{
	char line[512];

	g->h->event.in = &g->h->event_in;
	g->h->event.out = &g->h->event_out;
	seam_format_event(line, sizeof(line), &g->h->event);
	if (!strstr(line, want))
		fail_msg("\"%s\" is not in: %s", want, line);
}

static void trace_says_why(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	g.r->gpr = (struct seam_regs){ .rcx = 0xFC00, .r11 = 48, .r12 = 1, .r14 = 0x1000 };
	guest_code(&g, "\x66\x0f\x01\xcc", 4);
	assert_false(guest_stop(&g, GUEST_STOP_UNDEFINED));
	traced(&g, "exit=TDCALL vmcall=MMIO r12=0x1 r13=0x0 r14=0x1000");
	guest_enter(&g, (struct seam_regs){ 0 });
	g.r->gpr = (struct seam_regs){ .rcx = 0xFC00, .r10 = 5, .r11 = 6 };
	guest_code(&g, "\x66\x0f\x01\xcc", 4);
	assert_false(guest_stop(&g, GUEST_STOP_UNDEFINED));
	traced(&g, "vmcall=0x5,0x6");
	guest_enter(&g, (struct seam_regs){ 0 });
	g.exit = (struct guest_exit){ .why = GUEST_STOP_MEMORY, .gpa = GPA_FREE, .read = true };
	assert_false(guest_stop_with(&g));
	traced(&g, "exit=EPT_VIOLATION qualification=0x1");
}

static void time_passes(void **state)
{
	struct guest g;
	uint64_t tsc;

	guest_start(&g, *state);
	tsc = platform_tsc(g.h->seam, 0);
	assert_false(guest_stop(&g, GUEST_STOP_HOST_EVENT));
	assert_true(host_vcpu(g.h)->last_tsc > tsc);
}

/* A vCPU that met a new epoch has no use for old translations. */
static void epochs(void **state)
{
	struct seam_regs track = { .rax = TDH_MEM_TRACK, .rcx = TDR };
	struct guest g;
	uint64_t id;

	guest_start(&g, *state);
	id = g.v->run.tlb_id;
	assert_int_not_equal(id, 0);
	td_must(g.h, 1, track);
	/* One is inside from before: no further epoch. */
	assert_status(host_status(g.h, 1, track), TDX_PREVIOUS_TLB_EPOCH_BUSY);
	assert_int_equal(g.v->run.tlb_epoch, 1);
	assert_false(guest_stop(&g, GUEST_STOP_HOST_EVENT));
	guest_enter(&g, (struct seam_regs){ 0 });
	assert_int_equal(g.v->run.tlb_epoch, 2);
	assert_int_equal(g.v->run.tlb_id, id);
	assert_false(guest_stop(&g, GUEST_STOP_HOST_EVENT));

	/* On the way through another LP, too. */
	td_must(g.h, 0, (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = TDVPR(0) });
	g.cpu = 2;
	guest_enter(&g, (struct seam_regs){ 0 });
	assert_int_not_equal(g.v->run.tlb_id, id);
}

static void two_vcpus_two_translations(void **state)
{
	struct seam_regs in = { .rax = TDH_VP_ENTER, .rcx = TDVPR(1) };
	struct guest g;

	guest_start(&g, *state);
	td_must(g.h, 0, (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = TDVPR(1) });
	assert_int_equal(host_call(g.h, 1, &in), SEAM_END_RUN_GUEST);
	assert_int_not_equal(seam_guest(g.h->seam, 1)->tlb_id, g.v->run.tlb_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(start_segments),
		host_test(start_registers),
		host_test(start_of_another_vcpu),
		host_test(flags_in_rcx),
		host_test(inside),
		host_test(leaves_for_host_event),
		host_test(leaves_for_init),
		host_test(leaves_with_triple_fault),
		host_test(leaves_with_bad_state),
		host_test(event_and_counts),
		host_test(trace_says_why),
		host_test(time_passes),
		host_test(epochs),
		host_test(two_vcpus_two_translations),
	};
	int failed = run_td_rows("vp_enter", rows, ARRAY_SIZE(rows));

	return failed + cmocka_run_group_tests_name("vp_enter life", tests, NULL, NULL);
}
