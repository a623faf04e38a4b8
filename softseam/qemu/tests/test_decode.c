// SPDX-License-Identifier: GPL-2.0-only
/* The decoder against what the assembler makes of the same instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"

/* Assemble @text; code_@name and end_@name are its first and last-plus-one byte. */
#define ASSEMBLE(name, text)						\
	extern const uint8_t code_##name[], end_##name[];		\
	asm(".pushsection .rodata\n"					\
	    "code_" #name ":\n" text "\nend_" #name ":\n"		\
	    ".popsection")

ASSEMBLE(seamcall, "seamcall");
ASSEMBLE(tdcall, "tdcall");
ASSEMBLE(encls, "encls");
ASSEMBLE(vmxon_rsp, "vmxon 8(%rsp)");
ASSEMBLE(vmxon_gs, "vmxon %gs:-16(%rbx,%r12,8)");
ASSEMBLE(vmxon_rip, "vmxon 0x12345(%rip)");
ASSEMBLE(vmxon_abs, "vmxon 0x12345678");
ASSEMBLE(vmxoff, "vmxoff");
ASSEMBLE(vmptrld, "vmptrld (%r13)");
ASSEMBLE(vmptrst, "vmptrst 0x1000(%rdx)");
ASSEMBLE(vmclear, "vmclear (%rax,%rax)");
ASSEMBLE(rdrand, "rdrand %rax");
ASSEMBLE(cmpxchg16b, "cmpxchg16b (%rdi)");
ASSEMBLE(vmread_reg, "vmread %r9, %rcx");
ASSEMBLE(vmread_mem, "vmread %rax, (%rcx,%rdx)");
ASSEMBLE(vmwrite_reg, "vmwrite %r15, %r8");
ASSEMBLE(extrq, "extrq $1, $2, %xmm3");
ASSEMBLE(vmlaunch, "vmlaunch");
ASSEMBLE(vmresume, "vmresume");
ASSEMBLE(invept, "invept -0x80(%rbp), %r10");
ASSEMBLE(invvpid, "invvpid %fs:(%rsi), %rdi");
ASSEMBLE(to_cr4, "mov %r11, %cr4");
ASSEMBLE(to_cr3, "mov %rax, %cr3");
ASSEMBLE(from_cr4, "mov %cr4, %rax");
ASSEMBLE(cpuid, "cpuid");
ASSEMBLE(rdtsc, "rdtsc");
ASSEMBLE(rdtscp, "rdtscp");
ASSEMBLE(rdmsr, "rdmsr");
ASSEMBLE(wrmsr, "wrmsr");
ASSEMBLE(wbinvd, "wbinvd");
ASSEMBLE(clflush, "clflush 0x40(%rdi)");
ASSEMBLE(clflush_ds, "ds clflush (%rax)");
ASSEMBLE(clflushopt, "clflushopt (%r9,%rcx,8)");
ASSEMBLE(clwb, "clwb (%rax)");
ASSEMBLE(sfence, "sfence");
ASSEMBLE(fxsave, "fxsave (%rax)");
ASSEMBLE(movdir64b, "movdir64b (%rdx), %rax");
ASSEMBLE(movdir64b_32, "movdir64b 4(%ecx,%edx,2), %r8d");
ASSEMBLE(movbe, "movbe (%rdx), %rax");
ASSEMBLE(syscall, "syscall");
ASSEMBLE(nothing, "mov %rax, %rbx");

#define NONE	INSN_NO_REG

struct decode_case {
	const uint8_t *code, *end;
	struct insn want;
};

#define CASE(name, ...)	{ code_##name, end_##name, { __VA_ARGS__ } }
#define MEM(...)	.rm = NONE, .mem = { __VA_ARGS__ }

static const struct decode_case cases[] = {
	CASE(seamcall, .kind = INSN_SEAMCALL),
	CASE(tdcall, .kind = INSN_TDCALL),
	CASE(encls, .kind = INSN_OTHER),
	CASE(vmxon_rsp, .kind = INSN_VMXON, MEM(4, NONE, 1, 8)),
	CASE(vmxon_gs, .kind = INSN_VMXON, MEM(3, 12, 8, -16, .segment = SEGMENT_GS)),
	CASE(vmxon_rip, .kind = INSN_VMXON, MEM(NONE, NONE, 1, 0x12345, .rip_relative = true)),
	CASE(vmxon_abs, .kind = INSN_VMXON, MEM(NONE, NONE, 1, 0x12345678)),
	CASE(vmxoff, .kind = INSN_VMXOFF),
	CASE(vmptrld, .kind = INSN_VMPTRLD, MEM(13, NONE, 1, 0)),
	CASE(vmptrst, .kind = INSN_VMPTRST, MEM(2, NONE, 1, 0x1000)),
	CASE(vmclear, .kind = INSN_VMCLEAR, MEM(0, 0, 1, 0)),
	CASE(rdrand, .kind = INSN_OTHER),
	CASE(cmpxchg16b, .kind = INSN_OTHER),
	CASE(vmread_reg, .kind = INSN_VMREAD, .reg = 9, .rm = 1),
	CASE(vmread_mem, .kind = INSN_VMREAD, .reg = 0, MEM(1, 2, 1, 0)),
	CASE(vmwrite_reg, .kind = INSN_VMWRITE, .reg = 8, .rm = 15),
	CASE(extrq, .kind = INSN_OTHER),
	CASE(vmlaunch, .kind = INSN_VMLAUNCH),
	CASE(vmresume, .kind = INSN_VMRESUME),
	CASE(invept, .kind = INSN_INVEPT, .reg = 10, MEM(5, NONE, 1, -0x80)),
	CASE(invvpid, .kind = INSN_INVVPID, .reg = 7, MEM(6, NONE, 1, 0, .segment = SEGMENT_FS)),
	CASE(to_cr4, .kind = INSN_MOV_TO_CR4, .reg = 4, .rm = 11),
	CASE(to_cr3, .kind = INSN_MOV_TO_CR3, .reg = 3, .rm = 0),
	CASE(from_cr4, .kind = INSN_MOV_FROM_CR4, .reg = 4, .rm = 0),
	CASE(cpuid, .kind = INSN_CPUID),
	CASE(rdtsc, .kind = INSN_RDTSC),
	CASE(rdtscp, .kind = INSN_RDTSCP),
	CASE(rdmsr, .kind = INSN_RDMSR),
	CASE(wrmsr, .kind = INSN_WRMSR),
	CASE(wbinvd, .kind = INSN_WBINVD),
	CASE(clflush, .kind = INSN_CLFLUSH, MEM(7, NONE, 1, 0x40)),
	CASE(clflush_ds, .kind = INSN_CLFLUSH, MEM(0, NONE, 1, 0)),
	CASE(clflushopt, .kind = INSN_CLFLUSH, MEM(9, 1, 8, 0)),
	CASE(clwb, .kind = INSN_OTHER),
	CASE(sfence, .kind = INSN_OTHER),
	CASE(fxsave, .kind = INSN_OTHER),
	CASE(movdir64b, .kind = INSN_MOVDIR64B, .reg = 0, MEM(2, NONE, 1, 0)),
	CASE(movdir64b_32, .kind = INSN_MOVDIR64B, .reg = 8, MEM(1, 2, 2, 4, .addr32 = true)),
	CASE(movbe, .kind = INSN_OTHER),
	CASE(syscall, .kind = INSN_OTHER),
	CASE(nothing, .kind = INSN_OTHER),
};

#define NR_CASES	(sizeof(cases) / sizeof(cases[0]))

static bool has_modrm(enum insn_kind kind)
{
	switch (kind) {
	case INSN_SEAMCALL:
	case INSN_TDCALL:
	case INSN_RDTSC:
	case INSN_RDTSCP:
	case INSN_VMXOFF:
	case INSN_VMLAUNCH:
	case INSN_VMRESUME:
	case INSN_CPUID:
	case INSN_RDMSR:
	case INSN_WRMSR:
	case INSN_WBINVD:
		return false;
	default:
		return true;
	}
}

static void assert_operands(const struct insn *got, const struct insn *want)
{
	assert_int_equal(got->rm, want->rm);
	/* The opcode extension of a one-operand instruction is not a register. */
	if (want->reg)
		assert_int_equal(got->reg, want->reg);
	if (want->rm != NONE)
		return;
	assert_int_equal(got->mem.base, want->mem.base);
	assert_int_equal(got->mem.index, want->mem.index);
	assert_int_equal(got->mem.scale, want->mem.scale);
	assert_true(got->mem.disp == want->mem.disp);
	assert_int_equal(got->mem.rip_relative, want->mem.rip_relative);
	assert_int_equal(got->mem.addr32, want->mem.addr32);
	assert_int_equal(got->mem.segment, want->mem.segment);
}

static void test_decode(void **state)
{
	struct insn insn;
	size_t i;

	(void)state;
	for (i = 0; i < NR_CASES; i++) {
		const struct decode_case *c = &cases[i];
		size_t len = (size_t)(c->end - c->code);
		bool ours = c->want.kind != INSN_OTHER;

		assert_int_equal(insn_decode(c->code, len, &insn), ours);
		assert_int_equal(insn.kind, c->want.kind);
		if (!ours)
			continue;
		assert_int_equal(insn.len, len);
		if (has_modrm(insn.kind))
			assert_operands(&insn, &c->want);
	}
}

/* Any prefix of an instruction is cut off: never decoded, never read past. */
static void test_decode_cut_off(void **state)
{
	struct insn insn;
	size_t i, len;

	(void)state;
	for (i = 0; i < NR_CASES; i++) {
		const struct decode_case *c = &cases[i];

		if (c->want.kind == INSN_OTHER)
			continue;
		for (len = 0; len < (size_t)(c->end - c->code); len++) {
			assert_false(insn_decode(c->code, len, &insn));
			assert_int_equal(insn.kind, INSN_OTHER);
		}
	}
}

static void test_decode_too_long(void **state)
{
	uint8_t code[INSN_MAX_LEN + 1];
	struct insn insn;

	(void)state;
	memset(code, 0x2e, sizeof(code));
	assert_false(insn_decode(code, sizeof(code), &insn));

	/* CPUID as the last two of fifteen bytes, and of sixteen. */
	code[13] = 0x0f;
	code[14] = 0xa2;
	assert_true(insn_decode(code, sizeof(code), &insn));
	assert_int_equal(insn.len, INSN_MAX_LEN);
	code[13] = 0x2e;
	code[14] = 0x0f;
	code[15] = 0xa2;
	assert_false(insn_decode(code, sizeof(code), &insn));
}

/* TCG gives four of the five bytes of VMXON: that must ask for more. */
static void test_decode_asks_for_more(void **state)
{
	struct insn insn;

	(void)state;
	assert_false(insn_decode(code_vmxon_rsp, 4, &insn));
	assert_true(insn.cut_off);
	assert_false(insn_decode(code_rdrand, 4, &insn));
	assert_false(insn.cut_off);
}

ASSEMBLE(jc_short, "jc . + 2 + 0x10");
ASSEMBLE(jc_back, "jc . + 2 - 0x10");
ASSEMBLE(jna_near, "jna . + 6 + 0x12345");
ASSEMBLE(ja_hint, ".byte 0x2e\nja . + 2 + 5");
ASSEMBLE(setna_al, "setna %al");
ASSEMBLE(setc_dh, "setc %dh");
ASSEMBLE(setc_sil, "setc %sil");
ASSEMBLE(setc_r9b, "setc %r9b");
ASSEMBLE(setc_mem, "setc (%rax)");
ASSEMBLE(nop, "nop");
ASSEMBLE(nop_long, "nopw 0x1000(%rax,%rax,1)");
ASSEMBLE(pause, "pause");
ASSEMBLE(cmovc, "cmovc %rax, %rbx");
ASSEMBLE(xor, "xor %eax, %eax");

struct user_case {
	const uint8_t *code, *end;
	struct flag_user want;
};

static const struct user_case user_cases[] = {
	CASE(jc_short, .kind = FLAG_USER_JCC, .cond = 2, .disp = 0x10),
	CASE(jc_back, .kind = FLAG_USER_JCC, .cond = 2, .disp = -0x10),
	CASE(jna_near, .kind = FLAG_USER_JCC, .cond = 6, .disp = 0x12345),
	CASE(ja_hint, .kind = FLAG_USER_JCC, .cond = 7, .disp = 5),
	CASE(setna_al, .kind = FLAG_USER_SETCC, .cond = 6, .reg = 0),
	CASE(setc_dh, .kind = FLAG_USER_SETCC, .cond = 2, .reg = 2, .high_byte = true),
	CASE(setc_sil, .kind = FLAG_USER_SETCC, .cond = 2, .reg = 6),
	CASE(setc_r9b, .kind = FLAG_USER_SETCC, .cond = 2, .reg = 9),
	CASE(setc_mem, .kind = FLAG_USER_NONE),
	CASE(nop, .kind = FLAG_USER_NOP),
	CASE(nop_long, .kind = FLAG_USER_NOP),
	CASE(pause, .kind = FLAG_USER_NONE),
	CASE(cmovc, .kind = FLAG_USER_NONE),
	CASE(xor, .kind = FLAG_USER_NONE),
};

static void test_flag_users(void **state)
{
	struct flag_user user;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(user_cases) / sizeof(user_cases[0]); i++) {
		const struct user_case *c = &user_cases[i];
		size_t len = (size_t)(c->end - c->code);

		flag_user_decode(c->code, len, &user);
		assert_int_equal(user.kind, c->want.kind);
		if (c->want.kind == FLAG_USER_NONE)
			continue;
		assert_int_equal(user.len, len);
		if (c->want.kind == FLAG_USER_NOP)
			continue;
		assert_int_equal(user.cond, c->want.cond);
		assert_true(user.disp == c->want.disp);
		assert_int_equal(user.reg, c->want.reg);
		assert_int_equal(user.high_byte, c->want.high_byte);

		flag_user_decode(c->code, len - 1, &user);
		assert_int_equal(user.kind, FLAG_USER_NONE);
	}
}

/* The sixteen conditions, in the order of their numbers, computed by the CPU. */
static void test_conditions(void **state)
{
	static const struct insn_flags flags[] = {
		{ false, false }, { true, false }, { false, true }, { true, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		uint64_t rflags = 2 | (flags[i].cf ? 1u : 0) | (flags[i].zf ? 0x40u : 0);
		uint8_t r[16];
		unsigned int cond;

		asm volatile("push %1\n\tpopf\n\t"
			     "seto 0(%0)\n\tsetno 1(%0)\n\tsetb 2(%0)\n\tsetae 3(%0)\n\t"
			     "sete 4(%0)\n\tsetne 5(%0)\n\tsetbe 6(%0)\n\tseta 7(%0)\n\t"
			     "sets 8(%0)\n\tsetns 9(%0)\n\tsetp 10(%0)\n\tsetnp 11(%0)\n\t"
			     "setl 12(%0)\n\tsetge 13(%0)\n\tsetle 14(%0)\n\tsetg 15(%0)"
			     : : "r"(r), "r"(rflags) : "cc", "memory");
		for (cond = 0; cond < 16; cond++)
			assert_int_equal(flag_cond_holds(cond, flags[i]), r[cond]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_cut_off),
		cmocka_unit_test(test_decode_too_long),
		cmocka_unit_test(test_decode_asks_for_more),
		cmocka_unit_test(test_flag_users),
		cmocka_unit_test(test_conditions),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
