// SPDX-License-Identifier: GPL-2.0-only
/* VMX instructions: who may execute them, and how they fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_qemu.h"
#include "msr.h"
#include "vmcs.h"

/* Where memory operands lie, and three regions with the right revision. */
#define OPERAND		0x100
#define VMXON_REGION	0x1000
#define VMCS_A		0x2000
#define VMCS_B		0x3000
#define BAD_REVISION	0x4000

static void put64(uint64_t addr, uint64_t value)
{
	memcpy(fake.memory + addr, &value, sizeof(value));
}

static int setup(void **state)
{
	struct vcpu *v = fake_start();

	put64(VMXON_REGION, VMX_REVISION);
	put64(VMCS_A, VMX_REVISION);
	put64(VMCS_B, VMX_REVISION);
	put64(BAD_REVISION, VMX_REVISION + 1);
	v->vmxe = true;
	*state = v;
	return 0;
}

static int teardown(void **state)
{
	fake_stop(*state);
	return 0;
}

/* Execute @kind with the memory operand at OPERAND. */
static struct outcome run(struct vcpu *v, enum insn_kind kind)
{
	struct site site = fake_site(kind);

	site.insn.mem.disp = OPERAND;
	site.insn.reg = REG_RDX;
	return vmx_execute(v, &site);
}

static struct outcome run_pointer(struct vcpu *v, enum insn_kind kind, uint64_t pa)
{
	put64(OPERAND, pa);
	return run(v, kind);
}

static void enter_vmx(struct vcpu *v)
{
	run_pointer(v, INSN_VMXON, VMXON_REGION);
	assert_true(v->vmxon);
}

static void assert_succeeds(struct outcome o)
{
	assert_int_equal(o.kind, OUTCOME_DONE);
	assert_true(o.sets_flags);
	assert_false(o.flags.cf);
	assert_false(o.flags.zf);
}

static void assert_fail_invalid(struct outcome o)
{
	assert_int_equal(o.kind, OUTCOME_DONE);
	assert_true(o.flags.cf);
	assert_false(o.flags.zf);
}

/* VMfailValid: ZF, and the error number in the current VMCS. */
static void assert_fail_valid(struct vcpu *v, struct outcome o, uint64_t error)
{
	uint64_t got = 0;

	assert_int_equal(o.kind, OUTCOME_DONE);
	assert_false(o.flags.cf);
	assert_true(o.flags.zf);
	assert_true(vmcs_read(fake.memory + v->vmcs_pa, VMCS_VM_INSTRUCTION_ERROR, &got));
	assert_int_equal(got, error);
}

static const enum insn_kind root_only[] = {
	INSN_SEAMCALL, INSN_VMXOFF, INSN_VMPTRLD, INSN_VMPTRST, INSN_VMCLEAR,
	INSN_VMREAD, INSN_VMWRITE, INSN_VMLAUNCH, INSN_VMRESUME, INSN_INVEPT,
	INSN_INVVPID,
};

static void test_ud_outside_vmx_operation(void **state)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(root_only); i++)
		assert_int_equal(run(*state, root_only[i]).kind, OUTCOME_TO_TCG);
	assert_int_equal(fake.nr_seamcalls, 0);
}

static void test_ud_in_user_mode(void **state)
{
	size_t i;

	enter_vmx(*state);
	fake.reg[REG_CS] = 0x33;
	for (i = 0; i < G_N_ELEMENTS(root_only); i++)
		assert_int_equal(run(*state, root_only[i]).kind, OUTCOME_TO_TCG);
	assert_int_equal(run(*state, INSN_VMXON).kind, OUTCOME_TO_TCG);
}

static void test_vmxon(void **state)
{
	struct vcpu *v = *state;

	assert_succeeds(run_pointer(v, INSN_VMXON, VMXON_REGION));
	assert_true(v->vmxon);
	assert_true(v->vmxon_pa == VMXON_REGION);
}

static void test_vmxon_needs_vmxe(void **state)
{
	struct vcpu *v = *state;

	v->vmxe = false;
	assert_int_equal(run_pointer(v, INSN_VMXON, VMXON_REGION).kind, OUTCOME_TO_TCG);
	assert_false(v->vmxon);
}

static void test_vmxon_control_registers(void **state)
{
	struct vcpu *v = *state;

	/* CR0.NE */
	fake.reg[REG_CR0] &= ~UINT64_C(0x20);
	assert_int_equal(run_pointer(v, INSN_VMXON, VMXON_REGION).kind, OUTCOME_GP);
	fake.reg[REG_CR0] |= 0x20;
	/* A bit of CR4 that VMX operation does not allow. */
	fake.reg[REG_CR4] |= UINT64_C(1) << 30;
	assert_int_equal(run_pointer(v, INSN_VMXON, VMXON_REGION).kind, OUTCOME_GP);
	assert_false(v->vmxon);
}

static void test_vmxon_region(void **state)
{
	static const uint64_t bad[] = {
		VMXON_REGION + 8, BAD_REVISION, FAKE_MMIO_START, UINT64_C(1) << 45,
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_fail_invalid(run_pointer(*state, INSN_VMXON, bad[i]));
		assert_false(((struct vcpu *)*state)->vmxon);
	}
}

static void test_vmxon_twice(void **state)
{
	struct vcpu *v = *state;

	enter_vmx(v);
	assert_fail_invalid(run_pointer(v, INSN_VMXON, VMXON_REGION));
	assert_succeeds(run_pointer(v, INSN_VMPTRLD, VMCS_A));
	assert_fail_valid(v, run_pointer(v, INSN_VMXON, VMXON_REGION), 15);
	assert_true(v->vmxon);
}

static void test_vmxoff(void **state)
{
	struct vcpu *v = *state;

	enter_vmx(v);
	assert_succeeds(run(v, INSN_VMXOFF));
	assert_false(v->vmxon);
	assert_int_equal(fake.nr_vmxoff, 1);
	assert_int_equal(run(v, INSN_VMXOFF).kind, OUTCOME_TO_TCG);
	enter_vmx(v);
}

static void test_operand_not_mapped(void **state)
{
	struct site site = fake_site(INSN_VMPTRLD);
	struct outcome o;

	enter_vmx(*state);
	site.insn.mem.disp = FAKE_MAPPED + 0x1000;
	o = vmx_execute(*state, &site);
	assert_int_equal(o.kind, OUTCOME_PF);
	assert_true(o.va == FAKE_MAPPED + 0x1000);
}

static void test_vmptrld(void **state)
{
	struct vcpu *v = *state;
	uint64_t stored;

	enter_vmx(v);
	assert_fail_invalid(run_pointer(v, INSN_VMPTRLD, VMXON_REGION));
	assert_succeeds(run_pointer(v, INSN_VMPTRLD, VMCS_A));
	assert_fail_valid(v, run_pointer(v, INSN_VMPTRLD, VMCS_B + 1), 9);
	assert_fail_valid(v, run_pointer(v, INSN_VMPTRLD, FAKE_MMIO_START), 9);
	assert_fail_valid(v, run_pointer(v, INSN_VMPTRLD, VMXON_REGION), 10);
	assert_fail_valid(v, run_pointer(v, INSN_VMPTRLD, BAD_REVISION), 11);
	assert_succeeds(run(v, INSN_VMPTRST));
	memcpy(&stored, fake.memory + OPERAND, sizeof(stored));
	assert_true(stored == VMCS_A);
}

static void test_vmclear(void **state)
{
	struct vcpu *v = *state;

	enter_vmx(v);
	assert_succeeds(run_pointer(v, INSN_VMPTRLD, VMCS_A));
	assert_fail_valid(v, run_pointer(v, INSN_VMCLEAR, VMCS_B + 1), 2);
	assert_fail_valid(v, run_pointer(v, INSN_VMCLEAR, VMXON_REGION), 3);
	assert_succeeds(run_pointer(v, INSN_VMCLEAR, VMCS_B));
	assert_true(v->vmcs_pa == VMCS_A);
	assert_succeeds(run_pointer(v, INSN_VMCLEAR, VMCS_A));
	assert_true(v->vmcs_pa == NO_VMCS);
}

static void test_vmread_vmwrite(void **state)
{
	struct vcpu *v = *state;
	struct site write = fake_site(INSN_VMWRITE), read = fake_site(INSN_VMREAD);

	write.insn.reg = read.insn.reg = REG_RDX;
	write.insn.rm = REG_RAX;
	read.insn.rm = REG_R9;
	fake.reg[REG_RDX] = 0x681c;
	fake.reg[REG_RAX] = 0x1234567890;

	enter_vmx(v);
	assert_fail_invalid(vmx_execute(v, &write));
	assert_fail_invalid(vmx_execute(v, &read));
	assert_succeeds(run_pointer(v, INSN_VMPTRLD, VMCS_A));
	assert_succeeds(vmx_execute(v, &write));
	assert_succeeds(vmx_execute(v, &read));
	assert_true(fake.reg[REG_R9] == 0x1234567890);

	/* Another VMCS has its own fields. */
	assert_succeeds(run_pointer(v, INSN_VMPTRLD, VMCS_B));
	assert_succeeds(vmx_execute(v, &read));
	assert_true(fake.reg[REG_R9] == 0);

	fake.reg[REG_RDX] = 0x8000;
	assert_fail_valid(v, vmx_execute(v, &write), 12);
	assert_fail_valid(v, vmx_execute(v, &read), 12);
}

static void test_vm_entry_fails(void **state)
{
	struct vcpu *v = *state;

	enter_vmx(v);
	assert_fail_invalid(run(v, INSN_VMLAUNCH));
	assert_succeeds(run_pointer(v, INSN_VMPTRLD, VMCS_A));
	assert_fail_valid(v, run(v, INSN_VMLAUNCH), 7);
	assert_fail_valid(v, run(v, INSN_VMRESUME), 5);
}

static void test_invept(void **state)
{
	struct vcpu *v = *state;
	uint64_t type;

	enter_vmx(v);
	assert_succeeds(run_pointer(v, INSN_VMPTRLD, VMCS_A));
	for (type = 0; type < 4; type++) {
		fake.reg[REG_RDX] = type;
		if (type == 1 || type == 2)
			assert_succeeds(run(v, INSN_INVEPT));
		else
			assert_fail_valid(v, run(v, INSN_INVEPT), 28);
	}
	/* The ones that succeeded, and only they, reached the TDs' side. */
	assert_int_equal(fake.nr_invept, 2);
}

static void test_invvpid(void **state)
{
	struct vcpu *v = *state;
	uint64_t type;

	enter_vmx(v);
	assert_succeeds(run_pointer(v, INSN_VMPTRLD, VMCS_A));
	for (type = 0; type < 4; type++) {
		fake.reg[REG_RDX] = type;
		put64(OPERAND, 1);
		assert_succeeds(run(v, INSN_INVVPID));
		/* VPID 0 is the host's; only "all" does not name one. */
		put64(OPERAND, 0);
		if (type == 2)
			assert_succeeds(run(v, INSN_INVVPID));
		else
			assert_fail_valid(v, run(v, INSN_INVVPID), 28);
		put64(OPERAND, 0x10001);
		assert_fail_valid(v, run(v, INSN_INVVPID), 28);
	}
	fake.reg[REG_RDX] = 4;
	assert_fail_valid(v, run(v, INSN_INVVPID), 28);
}

static void test_seamcall_registers(void **state)
{
	struct vcpu *v = *state;
	enum vcpu_reg reg;

	enter_vmx(v);
	for (reg = REG_RAX; reg <= REG_R15; reg++)
		fake.reg[reg] = 0x100u + reg;
	fake.seamcall_out = (struct seam_regs){
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	};
	assert_succeeds(run(v, INSN_SEAMCALL));

	assert_true(fake.seamcall_in.rax == 0x100 + REG_RAX);
	assert_true(fake.seamcall_in.rdi == 0x100 + REG_RDI);
	assert_true(fake.seamcall_in.r15 == 0x100 + REG_R15);
	assert_true(fake.reg[REG_RAX] == 1);
	assert_true(fake.reg[REG_RCX] == 2);
	assert_true(fake.reg[REG_RDX] == 3);
	assert_true(fake.reg[REG_RBX] == 4);
	assert_true(fake.reg[REG_RBP] == 5);
	assert_true(fake.reg[REG_RSI] == 6);
	assert_true(fake.reg[REG_RDI] == 7);
	assert_true(fake.reg[REG_RSP] == 0x100 + REG_RSP);
	for (reg = REG_R8; reg <= REG_R15; reg++)
		assert_true(fake.reg[reg] == 8u + reg - REG_R8);
}

static void test_seamcall_ends(void **state)
{
	struct vcpu *v = *state;

	enter_vmx(v);
	fake.reg[REG_RAX] = 33;
	fake.seamcall_end = SEAM_END_VMFAILINVALID;
	assert_fail_invalid(run(v, INSN_SEAMCALL));
	fake.seamcall_end = SEAM_END_GP;
	assert_int_equal(run(v, INSN_SEAMCALL).kind, OUTCOME_GP);
	fake.seamcall_end = SEAM_END_UD;
	assert_int_equal(run(v, INSN_SEAMCALL).kind, OUTCOME_TO_TCG);
	assert_true(fake.reg[REG_RAX] == 33);
}

/* SEAMCALL that is to jump; returns where. */
static int seamcall_jumps(struct vcpu *v)
{
	int to = setjmp(fake.jump);

	if (!to) {
		run(v, INSN_SEAMCALL);
		fail_msg("SEAMCALL returned");
	}
	assert_true(fake.jump_pc == FAKE_PC);
	return to;
}

static void test_seamcall_runs_guest(void **state)
{
	struct vcpu *v = *state;

	enter_vmx(v);
	fake.reg[REG_RAX] = 0;
	fake.seamcall_out.rax = 0x1234;
	fake.seamcall_end = SEAM_END_RUN_GUEST;
	assert_int_equal(seamcall_jumps(v), FAKE_JUMP_GUEST);
	assert_int_equal(fake.nr_seamcalls, 1);
	/* The call is not over: the host's registers are as they were. */
	assert_true(fake.reg[REG_RAX] == 0);
}

/* Where TDs can run, the first SEAMCALL waits for what CPUID says. */
static void test_seamcall_probes(void **state)
{
	struct platform *platform = fake_site(INSN_SEAMCALL).platform;
	struct vcpu *v = *state;

	enter_vmx(v);
	platform->window = (struct window *)platform;
	assert_succeeds(run(v, INSN_SEAMCALL));
	assert_int_equal(fake.nr_seamcalls, 1);

	fake.window_located = true;
	assert_int_equal(seamcall_jumps(v), FAKE_JUMP_PROBE);
	assert_int_equal(fake.nr_seamcalls, 1);

	platform->probe.done = true;
	assert_succeeds(run(v, INSN_SEAMCALL));
	assert_int_equal(fake.nr_seamcalls, 2);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ud_outside_vmx_operation),
		TEST(test_ud_in_user_mode),
		TEST(test_vmxon),
		TEST(test_vmxon_needs_vmxe),
		TEST(test_vmxon_control_registers),
		TEST(test_vmxon_region),
		TEST(test_vmxon_twice),
		TEST(test_vmxoff),
		TEST(test_operand_not_mapped),
		TEST(test_vmptrld),
		TEST(test_vmclear),
		TEST(test_vmread_vmwrite),
		TEST(test_vm_entry_fails),
		TEST(test_invept),
		TEST(test_invvpid),
		TEST(test_seamcall_registers),
		TEST(test_seamcall_ends),
		TEST(test_seamcall_runs_guest),
		TEST(test_seamcall_probes),
	};

	return cmocka_run_group_tests_name("vmx", tests, NULL, NULL);
}
