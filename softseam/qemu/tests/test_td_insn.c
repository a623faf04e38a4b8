// SPDX-License-Identifier: GPL-2.0-only
/* Instructions of a TD that do not stop it. */
#include "td_machine.h"

#define PCIDE		(UINT64_C(1) << 17)
#define KEEP		(UINT64_C(1) << 63)
#define CODE_SELECTOR	0x10

static struct site insn;

static enum outcome_kind execute(enum insn_kind kind)
{
	memset(&insn, 0, sizeof(insn));
	insn.platform = site.platform;
	insn.insn.kind = kind;
	insn.insn.rm = REG_RBX;
	return td_execute(v, &insn).kind;
}

static void in_guest(void)
{
	enter();
	fake.reg[REG_CS] = model.run.cpu.seg[SEG_CS].selector = CODE_SELECTOR;
	for (unsigned int i = 0; i < REG_GPRS; i++)
		fake.reg[i] = 0x100 + i;
	model.quick = true;
}

/* All registers go to the model, and what it changes comes back. */
static void tdcall(void **state)
{
	(void)state;
	in_guest();
	assert_int_equal(execute(INSN_TDCALL), OUTCOME_DONE);
	assert_int_equal(model.what, GUEST_QUICK_TDCALL);
	assert_int_equal(model.run.cpu.gpr.r8, 0x108);
	assert_int_equal(fake.reg[REG_RAX], 0x10100);
	assert_int_equal(fake.reg[REG_R15], 0x1010f);
	assert_int_equal(fake.reg[REG_R14], 0x10e);
	assert_int_equal(fake.reg[REG_RSP], 0x104);
}

/* What the model cannot do there changes nothing, and the guest stops. */
static void stops_for_tdcall(void **state)
{
	(void)state;
	in_guest();
	model.quick = false;
	assert_int_equal(execute(INSN_TDCALL), OUTCOME_TO_TCG);
	assert_int_equal(model.nr_quick, 1);
	assert_int_equal(fake.reg[REG_RAX], 0x100);

	/* TDG.VP.VMCALL; another code segment than at the last stop; a user's. */
	model.quick = true;
	fake.reg[REG_RAX] = 0;
	assert_int_equal(execute(INSN_TDCALL), OUTCOME_TO_TCG);
	fake.reg[REG_RAX] = 1;
	fake.reg[REG_CS] = 0x18;
	assert_int_equal(execute(INSN_TDCALL), OUTCOME_TO_TCG);
	fake.reg[REG_CS] = model.run.cpu.seg[SEG_CS].selector = 0x33;
	assert_int_equal(execute(INSN_TDCALL), OUTCOME_TO_TCG);
	assert_int_equal(model.nr_quick, 1);
}

static void cpuid(void **state)
{
	(void)state;
	in_guest();
	model.run.cpu.gpr.r15 = 7;
	assert_int_equal(execute(INSN_CPUID), OUTCOME_DONE);
	assert_int_equal(model.what, GUEST_QUICK_CPUID);
	assert_int_equal(fake.reg[REG_RAX], 0x10100);
	assert_int_equal(fake.reg[REG_RCX], 0x10101);
	/* The model's own, as nobody asked the CPU for it. */
	assert_int_equal(model.run.cpu.gpr.r15, 0x10007);
	assert_int_equal(fake.reg[REG_R15], 0x10f);
}

static void rdtsc(void **state)
{
	(void)state;
	in_guest();
	model.run.cpu.gpr = (struct seam_regs){ .rax = 1, .rcx = 2, .rdx = 3 };
	assert_int_equal(execute(INSN_RDTSC), OUTCOME_DONE);
	assert_int_equal(fake.reg[REG_RAX], 0x10001);
	assert_int_equal(fake.reg[REG_RDX], 0x10003);
	assert_int_equal(fake.reg[REG_RCX], 0x101);
	assert_int_equal(execute(INSN_RDTSCP), OUTCOME_DONE);
	assert_int_equal(model.what, GUEST_QUICK_RDTSCP);
	assert_int_equal(fake.reg[REG_RCX], 0x20002);
}

/* With CR4.TSD, the CPU has to refuse it to users. */
static void rdtsc_of_users(void **state)
{
	(void)state;
	in_guest();
	fake.reg[REG_CS] = model.run.cpu.seg[SEG_CS].selector = 0x33;
	assert_int_equal(execute(INSN_RDTSC), OUTCOME_DONE);
	model.run.cpu.cr4 = 1 << 2;
	assert_int_equal(execute(INSN_RDTSC), OUTCOME_TO_TCG);
	fake.reg[REG_CS] = model.run.cpu.seg[SEG_CS].selector = CODE_SELECTOR;
	assert_int_equal(execute(INSN_RDTSC), OUTCOME_DONE);
}

/* What is done in place would leave flags that are none; a stop keeps them. */
static void stops_where_flags_are_lost(void **state)
{
	(void)state;
	in_guest();
	fake.flags_are_lost = true;
	assert_int_equal(execute(INSN_RDTSC), OUTCOME_TO_TCG);
	assert_int_equal(execute(INSN_CPUID), OUTCOME_TO_TCG);
	assert_int_equal(execute(INSN_TDCALL), OUTCOME_TO_TCG);
}

static void xsetbv(void **state)
{
	(void)state;
	in_guest();
	fake.reg[REG_RCX] = 0;
	fake.reg[REG_RDX] = 0;
	fake.reg[REG_RAX] = 3;
	assert_int_equal(execute(INSN_XSETBV), OUTCOME_GP);
	assert_int_equal(model.run.cpu.xcr0, 0);
	fake.reg[REG_RAX] = 7;
	assert_int_equal(execute(INSN_XSETBV), OUTCOME_TO_TCG);
	assert_int_equal(model.run.cpu.xcr0, 7);
	fake.reg[REG_RDX] = 1;
	assert_int_equal(execute(INSN_XSETBV), OUTCOME_GP);
	/* Outside long mode there is no way to raise it. */
	fake.reg[REG_EFER] &= ~EFER_LMA;
	assert_int_equal(execute(INSN_XSETBV), OUTCOME_TO_TCG);
}

/* Bit 63 of CR3 means something with PCIDs only, and TCG would refuse it. */
static void cr3(void **state)
{
	uint64_t before;

	(void)state;
	in_guest();
	before = fake.reg[REG_CR3];
	fake.reg[REG_RBX] = KEEP | 0x5003;
	assert_int_equal(execute(INSN_MOV_TO_CR3), OUTCOME_TO_TCG);
	model.run.cpu.cr4 = PCIDE;
	fake.reg[REG_RBX] = 0x5003;
	assert_int_equal(execute(INSN_MOV_TO_CR3), OUTCOME_TO_TCG);
	fake.reg[REG_RBX] = KEEP | UINT64_C(1) << 52;
	assert_int_equal(execute(INSN_MOV_TO_CR3), OUTCOME_TO_TCG);
	fake.reg[REG_RBX] = KEEP | 0x5003;
	fake.reg[REG_CS] = 0x33;
	assert_int_equal(execute(INSN_MOV_TO_CR3), OUTCOME_TO_TCG);
	assert_int_equal(fake.reg[REG_CR3], before);
	fake.reg[REG_CS] = CODE_SELECTOR;
	assert_int_equal(execute(INSN_MOV_TO_CR3), OUTCOME_DONE);
	assert_int_equal(fake.reg[REG_CR3], 0x5003);
}

static void cr4(void **state)
{
	(void)state;
	in_guest();
	model.run.cpu.cr4 = 0x6f0;
	assert_int_equal(execute(INSN_MOV_FROM_CR4), OUTCOME_TO_TCG);
	model.run.cpu.cr4 |= PCIDE;
	assert_int_equal(execute(INSN_MOV_FROM_CR4), OUTCOME_DONE);
	assert_int_equal(fake.reg[REG_RBX], PCIDE | 0x6f0);
	fake.reg[REG_CS] = 0x33;
	assert_int_equal(execute(INSN_MOV_FROM_CR4), OUTCOME_TO_TCG);
}

/* SVM stops the guest for what else is watched. */
static void others(void **state)
{
	(void)state;
	in_guest();
	assert_int_equal(execute(INSN_WRMSR), OUTCOME_TO_TCG);
	assert_int_equal(execute(INSN_SEAMCALL), OUTCOME_TO_TCG);
	assert_int_equal(execute(INSN_MOV_TO_CR4), OUTCOME_TO_TCG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		td_test(tdcall),
		td_test(stops_for_tdcall),
		td_test(cpuid),
		td_test(rdtsc),
		td_test(rdtsc_of_users),
		td_test(stops_where_flags_are_lost),
		td_test(xsetbv),
		td_test(cr3),
		td_test(cr4),
		td_test(others),
	};

	return cmocka_run_group_tests_name("td_insn", tests, NULL, NULL);
}
