// SPDX-License-Identifier: GPL-2.0-only
/* Leaving a TD: why, and what the host and the guest find in registers. */
#include <string.h>

#include "guest_host.h"

#define HOST_RBP	0x5566778899AABBCCULL

static struct seam_regs numbered(uint64_t base)
{
	return (struct seam_regs){
		.rax = base, .rcx = base + 1, .rdx = base + 2, .rbx = base + 3,
		.rbp = base + 5, .rsi = base + 6, .rdi = base + 7, .r8 = base + 8,
		.r9 = base + 9, .r10 = base + 10, .r11 = base + 11, .r12 = base + 12,
		.r13 = base + 13, .r14 = base + 14, .r15 = base + 15,
	};
}

/* Enter with something in all registers that the module does not look at. */
static void enter_with(struct host *h, struct seam_regs regs)
{
	regs.rax = TDH_VP_ENTER;
	regs.rcx = TDVPR(0);
	assert_int_equal(seam_call(h->seam, 0, &regs), SEAM_END_RUN_GUEST);
}

static void assert_result(uint64_t rax, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	struct seam_regs want = { .rax = rax, .rcx = rcx, .rdx = rdx, .r8 = r8,
				  .rbp = HOST_RBP };

	assert_status(guest_result.regs.rax, rax);
	assert_memory_equal(&guest_result.regs, &want, sizeof(want));
	assert_int_equal(guest_result.xmm, 0);
}

/* Run, stop as @exit says, leave with the registers above; nothing of the guest shows. */
static void leaves(struct host *h, struct guest_exit exit, uint64_t rax)
{
	struct seam_regs regs = numbered(0x100);

	regs.rbp = HOST_RBP;
	enter_with(h, regs);
	guest_cpu(h)->gpr = numbered(0x200);
	assert_int_equal(guest_stop(h, exit), SEAM_END_DONE);
	assert_result(rax, 0, 0, 0);
}

static void asynchronous(void **state)
{
	struct host *h = *state;

	guest_host_start(h);
	guest_goto(h);
	leaves(h, (struct guest_exit){ .why = GUEST_STOP_HOST_EVENT }, VMX_OTHER_SMI);
	leaves(h, (struct guest_exit){ .why = GUEST_STOP_INIT }, VMX_INIT);
	assert_int_equal(host_vcpu(h)->state, VCPU_READY);
	/* The guest lost nothing. */
	guest_enter(h);
	assert_int_equal(guest_cpu(h)->gpr.rax, 0x200);
	assert_int_equal(guest_cpu(h)->gpr.r15, 0x20F);
	guest_leave_quietly(h);
}

static void assert_dead(struct host *h)
{
	struct seam_regs enter = { .rax = TDH_VP_ENTER, .rcx = TDVPR(0) };

	assert_int_equal(host_vcpu(h)->state, VCPU_DISABLED);
	assert_status(host_status(h, 0, enter), TDX_VCPU_STATE_INCORRECT | VCPU_DISABLED);
	/* It can be taken down like any other. */
	td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = TDVPR(0) });
}

static void triple_fault(void **state)
{
	struct host *h = *state;

	guest_host_start(h);
	guest_goto(h);
	leaves(h, (struct guest_exit){ .why = GUEST_STOP_TRIPLE_FAULT },
	       TDX_NON_RECOVERABLE_VCPU | VMX_TRIPLE_FAULT);
	assert_dead(h);
}

static void bad_state(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	assert_int_equal(STOP_AT(h, GUEST_STOP_BAD_STATE, INSN_HLT), SEAM_END_DONE);
	assert_status(guest_result.regs.rax,
		      TDX_NON_RECOVERABLE_TD | VMX_ENTRY_FAILED | VMX_INVALID_STATE);
	assert_dead(h);
}

/* The trace tells the whole of it as one call. */
static void one_event(void **state)
{
	struct host *h = *state;
	struct seam_stats before, after;
	unsigned int events;

	guest_host_start(h);
	guest_goto(h);
	seam_get_stats(h->seam, &before);
	events = h->nr_events;
	guest_enter(h);
	assert_int_equal(h->nr_events, events);
	guest_leave_quietly(h);
	assert_int_equal(h->nr_events, events + 1);
	assert_int_equal(h->event.how, SEAM_END_DONE);
	assert_int_equal(h->event_in.rcx, TDVPR(0));
	assert_int_equal(h->event_out.rax, VMX_OTHER_SMI);
	assert_true(h->event.end > h->event.start);
	seam_get_stats(h->seam, &after);
	assert_int_equal(after.leaf[TDH_VP_ENTER].calls, before.leaf[TDH_VP_ENTER].calls + 1);
	assert_int_equal(after.leaf[TDH_VP_ENTER].errors, 0);
}

/* Registers that can go either way, and one that only the mask names. */
static const uint64_t masks[] = {
	0, 1 << 2, 0xFCC0, 0xFFCC, 1 << 15 | 1 << 3, 0x5A5A0000 | 1 << 10, 0xFFFF0000,
};

static const size_t offsets[16] = {
	offsetof(struct seam_regs, rax), offsetof(struct seam_regs, rcx),
	offsetof(struct seam_regs, rdx), offsetof(struct seam_regs, rbx), 0,
	offsetof(struct seam_regs, rbp), offsetof(struct seam_regs, rsi),
	offsetof(struct seam_regs, rdi), offsetof(struct seam_regs, r8),
	offsetof(struct seam_regs, r9), offsetof(struct seam_regs, r10),
	offsetof(struct seam_regs, r11), offsetof(struct seam_regs, r12),
	offsetof(struct seam_regs, r13), offsetof(struct seam_regs, r14),
	offsetof(struct seam_regs, r15),
};

static uint64_t reg(const struct seam_regs *r, unsigned int i)
{
	return *(const uint64_t *)((const char *)r + offsets[i]);
}

static void assert_host_gets(uint64_t mask, const struct seam_regs *guest)
{
	assert_status(guest_result.regs.rax, VMX_TDCALL);
	assert_int_equal(guest_result.regs.rcx, mask);
	assert_int_equal(guest_result.regs.rbp, HOST_RBP);
	assert_int_equal(guest_result.xmm, mask >> 16);
	for (unsigned int i = 2; i < 16; i++) {
		if (i != 4 && i != 5)
			assert_int_equal(reg(&guest_result.regs, i),
					 mask & 1 << i ? reg(guest, i) : 0);
	}
}

static void assert_guest_gets(struct host *h, uint64_t mask, const struct seam_regs *guest,
			      const struct seam_regs *host)
{
	const struct seam_regs *now = &guest_cpu(h)->gpr;

	assert_int_equal(now->rax, TDX_SUCCESS);
	assert_int_equal(now->rcx, mask);
	assert_int_equal(now->rbp, guest->rbp);
	assert_int_equal(seam_guest(h->seam, 0)->xmm_from_host, mask >> 16);
	for (unsigned int i = 2; i < 16; i++) {
		if (i != 4 && i != 5)
			assert_int_equal(reg(now, i), reg(mask & 1 << i ? host : guest, i));
	}
}

static void assert_guest_gets_nothing(struct host *h, const struct seam_regs *guest)
{
	assert_int_equal(guest_vcpu(h)->run.xmm_from_host, 0);
	assert_memory_equal(&guest_vcpu(h)->run.cpu.gpr, guest, sizeof(*guest));
}

static void vmcall(void **state)
{
	struct seam_regs in = numbered(0x100), guest, host = numbered(0x300);
	struct host *h = *state;

	guest_run_64bit(h);
	guest_leave_quietly(h);
	in.rbp = HOST_RBP;
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		enter_with(h, in);
		guest = numbered(0x200);
		guest.rax = 0;
		guest.rcx = masks[i];
		guest_cpu(h)->gpr = guest;
		assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_DONE);
		assert_host_gets(masks[i], &guest);
		assert_int_equal(guest_vcpu(h)->run.cpu.rip, GPA_CODE + 4);

		enter_with(h, host);
		assert_guest_gets(h, masks[i], &guest, &host);
		/* Once: the next entry gives the guest nothing. */
		guest = guest_cpu(h)->gpr;
		guest_leave_quietly(h);
		enter_with(h, numbered(0x400));
		assert_guest_gets_nothing(h, &guest);
		guest_leave_quietly(h);
	}
}

/* An entry that is refused does not end the guest's call. */
static void vmcall_refused_entry(void **state)
{
	struct seam_regs guest = numbered(0x200), host = numbered(0x300);
	struct seam_regs enter = { .rax = TDH_VP_ENTER, .rcx = TDVPR(0) };
	struct host *h = *state;

	guest_run_64bit(h);
	guest.rax = 0;
	guest.rcx = 0xFC00;
	guest_cpu(h)->gpr = guest;
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_DONE);
	lock_try_exclusive(&host_td(h)->epoch.lock);
	assert_status(host_status(h, 0, enter), TDX_OPERAND_BUSY | OPERAND_TD_EPOCH);
	lock_release(&host_td(h)->epoch.lock, LOCK_EXCLUSIVE);
	assert_guest_gets_nothing(h, &guest);
	enter_with(h, host);
	assert_guest_gets(h, 0xFC00, &guest, &host);
}

static void instructions_as_ve(void **state)
{
	static const struct {
		enum guest_stop why;
		const char *insn;
		uint32_t len, reason;
	} rows[] = {
		{ GUEST_STOP_HLT, INSN_HLT, 1, VMX_HLT },
		{ GUEST_STOP_CACHE, INSN_WBINVD, 2, VMX_WBINVD },
		{ GUEST_STOP_CACHE, INSN_INVD, 2, VMX_INVD },
		{ GUEST_STOP_UNDEFINED, INSN_VMCALL, 3, VMX_VMCALL },
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		guest_vcpu(h)->ve.valid = false;
		assert_int_equal(guest_stop_at(h, rows[i].why, rows[i].insn, rows[i].len),
				 SEAM_END_RUN_GUEST);
		assert_ve(h, rows[i].reason, 0, rows[i].len);
	}
}

static void io(void **state)
{
	static const struct {
		struct guest_exit exit;
		const char *insn;
		uint32_t len;
		uint64_t qualification;
		uint32_t info;
	} rows[] = {
		/* out %al, (%dx); in $0x71, %eax; rep outsw; insb; in (%dx), %ax */
		{ { .port = 0x3F8, .io_bytes = 1 }, "\xEE", 1, 0x3F80000, 0 },
		{ { .port = 0x71, .io_bytes = 4, .io_in = true }, "\xE5\x71", 2, 0x71004B, 0 },
		{ { .port = 0x80, .io_bytes = 2, .io_string = true, .io_rep = true },
		  "\xF3\x66\x6F", 3, 0x800031, 2 << 7 | SEG_DS << 15 },
		/* outsb %gs:(%esi), outsb %gs:(%rsi), insl %fs: has no choice */
		{ { .port = 0x80, .io_bytes = 1, .io_string = true }, "\x65\x67\x6E", 3,
		  0x800010, 1 << 7 | SEG_GS << 15 },
		{ { .port = 0x80, .io_bytes = 1, .io_string = true }, "\x65\x6E", 2,
		  0x800010, 2 << 7 | SEG_GS << 15 },
		{ { .port = 0x80, .io_bytes = 4, .io_in = true, .io_string = true }, "\x64\x6D", 2,
		  0x80001B, 2 << 7 },
		{ { .port = 0xFFFF, .io_bytes = 1, .io_in = true, .io_string = true }, "\x6C", 1,
		  0xFFFF0018, 2 << 7 },
		{ { .port = 0xCFC, .io_bytes = 2, .io_in = true }, "\x66\xED", 2, 0xCFC0009, 0 },
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct guest_exit exit = rows[i].exit;

		exit.why = GUEST_STOP_IO;
		guest_vcpu(h)->ve.valid = false;
		memcpy(guest_mem(h, GPA_CODE), rows[i].insn, rows[i].len);
		assert_int_equal(guest_stop(h, exit), SEAM_END_RUN_GUEST);
		assert_ve(h, VMX_IO, rows[i].qualification, rows[i].len);
		assert_int_equal(guest_vcpu(h)->ve.insn_info, rows[i].info);
	}
}

static void refused_instructions(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_UD2);
	assert_exception(h, VECTOR_UD);
	STOP_AT(h, GUEST_STOP_MONITOR, "\x0F\x01\xC8");
	assert_exception(h, VECTOR_UD);
	STOP_AT(h, GUEST_STOP_RDPMC, "\x0F\x33");
	assert_exception(h, VECTOR_GP);
}

/* The TD's time: the host's, scaled and shifted by MNG.INIT. */
static void rdtsc(void **state)
{
	struct host *h = *state;
	uint64_t before, value;
	struct td_params *p;

	guest_run_64bit(h);
	p = &host_td(h)->params;
	p->tsc_multiplier = 3ULL << 47;
	p->tsc_offset = 0x100000000;
	guest_cpu(h)->tsc_aux = 0x77;
	before = platform_tsc(h->seam, 0);
	guest_cpu(h)->gpr = numbered(~0ULL << 16);
	STOP_AT(h, GUEST_STOP_RDTSC, INSN_RDTSC);
	assert_executed(h, 2);
	assert_int_equal(guest_cpu(h)->gpr.rax >> 32, 0);
	assert_int_equal(guest_cpu(h)->gpr.rdx >> 32, 0);
	value = guest_cpu(h)->gpr.rdx << 32 | guest_cpu(h)->gpr.rax;
	/* The clock of tests goes on by 1 us each time it is read. */
	assert_int_equal(value, (before + h->cfg.tsc_khz / 1000) * 3 / 2 + 0x100000000);
	assert_int_equal(guest_cpu(h)->gpr.rcx, (~0ULL << 16) + 1);

	STOP_AT(h, GUEST_STOP_RDTSC, INSN_RDTSCP);
	assert_executed(h, 3);
	assert_int_equal(guest_cpu(h)->gpr.rcx, 0x77);
}

/* An instruction that is gone when the module looks is executed again, or faults. */
static void code_is_gone(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_cpu(h)->rip = GPA_FREE;
	assert_int_equal(guest_stop(h, (struct guest_exit){ .why = GUEST_STOP_CPUID }),
			 SEAM_END_RUN_GUEST);
	assert_false(seam_guest(h->seam, 0)->inject.valid);
	assert_int_equal(guest_cpu(h)->rip, GPA_FREE);
}

/* An emulated instruction ends as others do. */
static void after_an_instruction(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	guest_run_64bit(h);
	r = guest_cpu(h);
	r->interrupt_shadow = true;
	r->rflags |= RFLAGS_RF | 1 << 8;
	STOP_AT(h, GUEST_STOP_RDTSC, INSN_RDTSC);
	assert_false(r->interrupt_shadow);
	assert_false(r->rflags & RFLAGS_RF);
	/* Single step. */
	assert_true(seam_guest(h->seam, 0)->inject.valid);
	assert_int_equal(seam_guest(h->seam, 0)->inject.vector, VECTOR_DB);
	assert_int_equal(r->dr6, 0xFFFF0FF0 | 1 << 14);

	/* Outside 64-bit mode RIP has 32 bits. */
	r->rflags = 2;
	r->seg[SEG_CS].ar &= ~SEG_AR_L;
	STOP_AT(h, GUEST_STOP_RDTSC, INSN_RDTSC);
	assert_executed(h, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(asynchronous),
		host_test(triple_fault),
		host_test(bad_state),
		host_test(one_event),
		host_test(vmcall),
		host_test(vmcall_refused_entry),
		host_test(instructions_as_ve),
		host_test(io),
		host_test(refused_instructions),
		host_test(rdtsc),
		host_test(code_is_gone),
		host_test(after_an_instruction),
	};

	return cmocka_run_group_tests_name("vp_exit", tests, NULL, NULL);
}
