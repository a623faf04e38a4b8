// SPDX-License-Identifier: GPL-2.0-only
/* MSRs, CR4, CPUID and MOVDIR64B as the guest sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_qemu.h"
#include "msr.h"

static int setup(void **state)
{
	*state = fake_start();
	return 0;
}

static int teardown(void **state)
{
	fake_stop(*state);
	return 0;
}

static struct outcome run_msr(struct vcpu *v, enum insn_kind kind, uint32_t msr)
{
	struct site site = fake_site(kind);

	fake.reg[REG_RCX] = msr;
	return msr_execute(v, &site);
}

static uint64_t edx_eax(void)
{
	return fake.reg[REG_RDX] << 32 | fake.reg[REG_RAX];
}

/* A callback of translated code says where it was called from; one of QEMU's loop does not. */
static void test_jump_settles_flags(void **state)
{
	struct vcpu *v = *state;
	static char code[1];

	fake.jumps = true;
	v->called_from = code;
	if (!setjmp(fake.jump))
		vcpu_jump(v, 0x1000);
	assert_ptr_equal(fake.settled_from, code);
	assert_null(v->called_from);

	fake.settled_from = NULL;
	if (!setjmp(fake.jump))
		vcpu_jump(v, 0x1000);
	assert_null(fake.settled_from);
}

static void test_msr_read(void **state)
{
	uint32_t msr;

	/* Both halves must be overwritten. */
	fake.reg[REG_RAX] = fake.reg[REG_RDX] = ~UINT64_C(0);
	assert_int_equal(run_msr(*state, INSN_RDMSR, 0x3a).kind, OUTCOME_DONE);
	assert_true(edx_eax() == 5);
	assert_int_equal(run_msr(*state, INSN_RDMSR, 0x10a).kind, OUTCOME_DONE);
	assert_true(edx_eax() == 0xf16b);
	assert_int_equal(run_msr(*state, INSN_RDMSR, 0x87).kind, OUTCOME_DONE);
	assert_true(edx_eax() == (UINT64_C(32) << 32 | 31));
	/* TME: locked and enabled, six bits of an address are the KeyID's. */
	assert_int_equal(run_msr(*state, INSN_RDMSR, 0x982).kind, OUTCOME_DONE);
	assert_true(edx_eax() == (UINT64_C(6) << 32 | 3));
	assert_int_equal(run_msr(*state, INSN_RDMSR, 0x981).kind, OUTCOME_DONE);
	assert_true(edx_eax() == (UINT64_C(63) << 36 | UINT64_C(6) << 32 | 4));
	for (msr = 0x480; msr <= 0x490; msr++)
		assert_int_equal(run_msr(*state, INSN_RDMSR, msr).kind, OUTCOME_DONE);
}

static void test_msr_write_is_gp(void **state)
{
	static const uint32_t msrs[] = { 0x3a, 0x87, 0x480, 0x490, 0x492, 0xda0 };
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(msrs); i++)
		assert_int_equal(run_msr(*state, INSN_WRMSR, msrs[i]).kind, OUTCOME_GP);
}

static void test_msr_absent_is_gp(void **state)
{
	static const uint32_t msrs[] = { 0x122, 0x491, 0x492, 0x493, 0x983, 0x984, 0xda0 };
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(msrs); i++)
		assert_int_equal(run_msr(*state, INSN_RDMSR, msrs[i]).kind, OUTCOME_GP);
}

static void test_msr_of_tcg(void **state)
{
	static const uint32_t msrs[] = { 0x10, 0x1b, 0x47f, 0x494, 0xc0000080, 0xc0000082 };
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(msrs); i++) {
		assert_int_equal(run_msr(*state, INSN_RDMSR, msrs[i]).kind, OUTCOME_TO_TCG);
		assert_int_equal(run_msr(*state, INSN_WRMSR, msrs[i]).kind, OUTCOME_TO_TCG);
	}
}

/* User space gets TCG's #GP, and firmware sees TCG's CPU. */
static void test_msr_outside_kernel(void **state)
{
	fake.reg[REG_CS] = 0x33;
	assert_int_equal(run_msr(*state, INSN_RDMSR, 0x480).kind, OUTCOME_TO_TCG);
	fake.reg[REG_CS] = 0x10;
	fake.reg[REG_EFER] = 0;
	assert_int_equal(run_msr(*state, INSN_WRMSR, 0x3a).kind, OUTCOME_TO_TCG);
}

static void test_msr_watched(void **state)
{
	struct vcpu *v = *state;
	const struct seam_config cfg = { .nr_mktme_keyids = 3, .nr_tdx_keyids = 4 };

	fake.reg[REG_RAX] = 0x9a200040;
	fake.reg[REG_RDX] = 0xffffffff;
	assert_int_equal(run_msr(v, INSN_WRMSR, 0xc0000082).kind, OUTCOME_TO_TCG);
	assert_true(fake.syscall_entry == 0xffffffff9a200040);
	assert_int_equal(run_msr(v, INSN_WRMSR, 0x3b).kind, OUTCOME_TO_TCG);
	assert_true(msr_peek(&cfg, v, 0x3b) == 0xffffffff9a200040);
	assert_true(msr_peek(&cfg, v, 0x87) == 0x400000003);
	assert_true(msr_peek(&cfg, v, 0x480) == VMX_BASIC);
}

static struct outcome run_cr4(struct vcpu *v, enum insn_kind kind)
{
	struct site site = fake_site(kind);

	site.insn.rm = REG_R11;
	return cr4_execute(v, &site);
}

static void test_cr4_vmxe(void **state)
{
	struct vcpu *v = *state;

	assert_int_equal(run_cr4(v, INSN_MOV_FROM_CR4).kind, OUTCOME_TO_TCG);

	fake.reg[REG_R11] = 0x20b0 | 0x200;
	assert_int_equal(run_cr4(v, INSN_MOV_TO_CR4).kind, OUTCOME_DONE);
	assert_true(v->vmxe);
	assert_true(fake.reg[REG_CR4] == 0x2b0);

	fake.reg[REG_R11] = 0;
	assert_int_equal(run_cr4(v, INSN_MOV_FROM_CR4).kind, OUTCOME_DONE);
	assert_true(fake.reg[REG_R11] == 0x22b0);

	fake.reg[REG_R11] = 0x2b0;
	assert_int_equal(run_cr4(v, INSN_MOV_TO_CR4).kind, OUTCOME_TO_TCG);
	assert_false(v->vmxe);
}

static void test_cr4_vmxe_stays_in_vmx_operation(void **state)
{
	struct vcpu *v = *state;

	v->vmxe = v->vmxon = true;
	fake.reg[REG_R11] = 0xb0;
	assert_int_equal(run_cr4(v, INSN_MOV_TO_CR4).kind, OUTCOME_GP);
	assert_true(v->vmxe);
}

static void test_cr4_outside_kernel(void **state)
{
	struct vcpu *v = *state;

	/* User space: TCG's #GP, and nothing changes. */
	v->vmxe = true;
	fake.reg[REG_CS] = 0x33;
	assert_int_equal(run_cr4(v, INSN_MOV_TO_CR4).kind, OUTCOME_TO_TCG);
	assert_true(v->vmxe);

	/* On the way up after INIT. */
	fake.reg[REG_CS] = 0;
	fake.reg[REG_EFER] = 0;
	assert_int_equal(run_cr4(v, INSN_MOV_TO_CR4).kind, OUTCOME_TO_TCG);
	assert_false(v->vmxe);
}

/* CPUID of @leaf where QEMU's answer is all ones or all zeroes. */
static void run_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t answer)
{
	struct site site = fake_site(INSN_CPUID);

	fake.reg[REG_RAX] = leaf;
	fake.reg[REG_RCX] = subleaf;
	cpuid_before(v, &site);
	fake.reg[REG_RAX] = fake.reg[REG_RBX] = answer;
	fake.reg[REG_RCX] = fake.reg[REG_RDX] = answer;
	cpuid_after(v, &site, site.pc + site.insn.len);
}

static void test_cpuid_features(void **state)
{
	run_cpuid(*state, 1, 0, 0);
	assert_true(fake.reg[REG_RAX] == 0x000a06d1);
	assert_true(fake.reg[REG_RCX] == 0x8020);
	assert_true(fake.reg[REG_RDX] == 0x8000002);

	run_cpuid(*state, 7, 0, 0xffffffff);
	assert_true(fake.reg[REG_RCX] == 0xffffffff);
	run_cpuid(*state, 7, 0, 0);
	assert_true(fake.reg[REG_RAX] == 2);
	assert_true(fake.reg[REG_RBX] == 0x2042);
	assert_true(fake.reg[REG_RCX] == (1u << 28 | 1u << 24 | 1u << 13));
	assert_true(fake.reg[REG_RDX] == 0xfc000400);
	run_cpuid(*state, 7, 2, 0);
	assert_true(fake.reg[REG_RAX] == 0);
	assert_true(fake.reg[REG_RDX] == 0x17);
	run_cpuid(*state, 7, 1, 0);
	assert_true(fake.reg[REG_RCX] == 0);

	run_cpuid(*state, 0x80000008, 0, 0x3030);
	assert_true(fake.reg[REG_RAX] == 0x3034);
	run_cpuid(*state, 2, 0, 0x77);
	assert_true(fake.reg[REG_RAX] == 0x77);
	assert_true(fake.reg[REG_RCX] == 0x77);
}

/* The frequency of the TSC, as a kernel makes it from CPUID. */
static void test_cpuid_tsc(void **state)
{
	static const uint32_t khz[] = { 1000000, 2600000, 2625000, 100000 };
	struct vcpu *v = *state;

	run_cpuid(v, 0, 0, 0xd);
	assert_true(fake.reg[REG_RAX] == 0x15);
	assert_true(fake.reg[REG_RBX] == 0xd);
	/* QEMU has more than it needs to have. */
	run_cpuid(v, 0, 0, 0x1f);
	assert_true(fake.reg[REG_RAX] == 0x1f);
	for (size_t i = 0; i < G_N_ELEMENTS(khz); i++) {
		fake_site(INSN_CPUID).platform->opt.seam.tsc_khz = khz[i];
		run_cpuid(v, 0x15, 0, 0x77);
		/* Timers of the local APIC run at 1 GHz. */
		assert_true(fake.reg[REG_RCX] == 1000000000);
		assert_true(1000000 * fake.reg[REG_RBX] / fake.reg[REG_RAX] == khz[i]);
		assert_true(1000000 * fake.reg[REG_RBX] % fake.reg[REG_RAX] == 0);
		assert_true(fake.reg[REG_RDX] == 0);
	}
	run_cpuid(v, 0x80000007, 0, 0);
	assert_true(fake.reg[REG_RDX] == 1u << 8);
	/* Between QEMU's last leaf and this one there is nothing. */
	for (uint32_t leaf = 0xe; leaf < 0x15; leaf++) {
		run_cpuid(v, leaf, 0, 0x77);
		assert_true(!fake.reg[REG_RAX] && !fake.reg[REG_RBX]);
		assert_true(!fake.reg[REG_RCX] && !fake.reg[REG_RDX]);
	}
}

static void test_cpuid_package(void **state)
{
	struct site site = fake_site(INSN_CPUID);

	fake.reg[REG_RAX] = 0xb;
	fake.reg[REG_RCX] = 1;
	cpuid_before(*state, &site);
	fake.reg[REG_RAX] = 2;
	fake.reg[REG_RCX] = 0x201;
	fake.reg[REG_RDX] = 13;
	cpuid_after(*state, &site, site.pc + site.insn.len);
	assert_int_equal(fake.checked_package, 3);
	assert_true(fake.reg[REG_RAX] == 2);
}

/* Something else at the same place, as after an interrupt, changes nothing. */
static void test_cpuid_only_after_cpuid(void **state)
{
	struct site site = fake_site(INSN_CPUID);

	fake.reg[REG_RAX] = 1;
	cpuid_before(*state, &site);
	fake.reg[REG_RAX] = 0x77;
	cpuid_after(*state, &site, site.pc + 0x1000);
	assert_true(fake.reg[REG_RAX] == 0x77);
	cpuid_after(*state, &site, site.pc + site.insn.len);
	assert_true(fake.reg[REG_RAX] == 0x000a06d1);
	fake.reg[REG_RAX] = 0x77;
	cpuid_after(*state, &site, site.pc + site.insn.len);
	assert_true(fake.reg[REG_RAX] == 0x77);
}

static struct outcome run_movdir64b(struct vcpu *v, uint64_t src, uint64_t dst)
{
	struct site site = fake_site(INSN_MOVDIR64B);

	site.insn.mem.base = REG_RDX;
	site.insn.reg = REG_RAX;
	fake.reg[REG_RDX] = src;
	fake.reg[REG_RAX] = dst;
	return movdir64b_execute(v, &site);
}

static void test_movdir64b(void **state)
{
	struct outcome o;

	memset(fake.memory + 0x101, 0xab, 64);
	assert_int_equal(run_movdir64b(*state, 0x101, 0x2000).kind, OUTCOME_DONE);
	assert_memory_equal(fake.memory + 0x2000, fake.memory + 0x101, 64);
	assert_int_equal(fake.memory[0x2040], 0);
	assert_int_equal(fake.nr_movdir64b, 1);
	assert_true(fake.reset == 0x2000);

	assert_int_equal(run_movdir64b(*state, 0x100, 0x2020).kind, OUTCOME_GP);
	o = run_movdir64b(*state, FAKE_MAPPED, 0x2000);
	assert_int_equal(o.kind, OUTCOME_PF);
	assert_true(o.va == FAKE_MAPPED);
	o = run_movdir64b(*state, 0x100, FAKE_MAPPED + 0x40);
	assert_int_equal(o.kind, OUTCOME_PF);
	assert_true(o.va == FAKE_MAPPED + 0x40);

	fake.reg[REG_CS] = 0x33;
	assert_int_equal(run_movdir64b(*state, 0x101, 0x3000).kind, OUTCOME_TO_TCG);
	assert_int_equal(fake.memory[0x3000], 0);
	assert_int_equal(fake.nr_movdir64b, 1);
}

/* TCG executes it; softseam only takes a note. */
static void test_clflush(void **state)
{
	struct site site = fake_site(INSN_CLFLUSH);

	site.insn.mem.base = REG_RDI;
	site.insn.mem.disp = 0x40;
	fake.reg[REG_RDI] = 0x3000;
	assert_int_equal(clflush_execute(*state, &site).kind, OUTCOME_TO_TCG);
	assert_int_equal(fake.nr_clflush, 1);
	assert_true(fake.flushed == 0x3040);
}

static void assert_translates(struct vcpu *v, uint64_t va, uint64_t want, unsigned int asked)
{
	uint64_t pa;

	assert_true(vcpu_translate(v, va, &pa));
	assert_true(pa == want);
	assert_int_equal(fake.nr_translations, asked);
}

/* QEMU is asked once a page, and anew where a page begins. */
static void test_translate(void **state)
{
	uint64_t pa;

	fake.pa_offset = 0x100000;
	assert_translates(*state, 0x3040, 0x103040, 1);
	assert_translates(*state, 0x3fc0, 0x103fc0, 1);
	assert_translates(*state, 0x4080, 0x104080, 2);
	assert_translates(*state, 0x3080, 0x103080, 3);
	fake.pa_offset = 0x200000;
	assert_translates(*state, 0x3000, 0x203000, 4);
	assert_translates(*state, 0x3040, 0x203040, 4);
	assert_false(vcpu_translate(*state, FAKE_MAPPED, &pa));
	assert_false(vcpu_translate(*state, FAKE_MAPPED + 64, &pa));
}

static void test_effective_address(void **state)
{
	struct insn_mem mem = { .base = REG_RBX, .index = REG_R12, .scale = 8, .disp = -16 };

	fake.reg[REG_RBX] = 0xffff888000000000;
	fake.reg[REG_R12] = 3;
	fake.reg[REG_GS_BASE] = 0x1000;
	assert_true(vcpu_effective_address(*state, &mem, 0) == 0xffff888000000008);
	mem.segment = SEGMENT_GS;
	assert_true(vcpu_effective_address(*state, &mem, 0) == 0xffff888000001008);
	mem.addr32 = true;
	assert_true(vcpu_effective_address(*state, &mem, 0) == 0x1008);

	mem = (struct insn_mem){ .base = INSN_NO_REG, .index = INSN_NO_REG, .scale = 1,
				 .disp = 0x10, .rip_relative = true };
	assert_true(vcpu_effective_address(*state, &mem, 0xffffffff81000000) ==
		    0xffffffff81000010);
}

/* Each register is its own, at its whole size. */
static void test_registers(void **state)
{
	struct vcpu *v = *state;
	uint8_t xmm[XMM_BYTES];
	unsigned int i;

	for (i = 0; i < REG_COUNT; i++)
		vcpu_write(v, (enum vcpu_reg)i, UINT64_C(0x1111111100000000) + i);
	for (i = 0; i < NR_XMM_REGS; i++) {
		memset(xmm, 0x20 + (int)i, sizeof(xmm));
		vcpu_write_xmm(v, i, xmm);
	}

	for (i = 0; i < REG_COUNT; i++) {
		assert_true(fake.reg[i] == UINT64_C(0x1111111100000000) + i);
		assert_true(vcpu_read(v, (enum vcpu_reg)i) == fake.reg[i]);
		assert_int_equal(vcpu_read32(v, (enum vcpu_reg)i), i);
	}
	for (i = 0; i < NR_XMM_REGS; i++) {
		vcpu_read_xmm(v, i, xmm);
		assert_memory_equal(xmm, fake.xmm[i], XMM_BYTES);
		assert_int_equal(xmm[0], 0x20 + i);
		assert_int_equal(xmm[XMM_BYTES - 1], 0x20 + i);
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_jump_settles_flags),
		TEST(test_msr_read),
		TEST(test_msr_write_is_gp),
		TEST(test_msr_absent_is_gp),
		TEST(test_msr_of_tcg),
		TEST(test_msr_outside_kernel),
		TEST(test_msr_watched),
		TEST(test_cr4_vmxe),
		TEST(test_cr4_vmxe_stays_in_vmx_operation),
		TEST(test_cr4_outside_kernel),
		TEST(test_cpuid_features),
		TEST(test_cpuid_tsc),
		TEST(test_cpuid_package),
		TEST(test_cpuid_only_after_cpuid),
		TEST(test_movdir64b),
		TEST(test_clflush),
		TEST(test_translate),
		TEST(test_effective_address),
		TEST(test_registers),
	};

	return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
