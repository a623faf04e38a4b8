// SPDX-License-Identifier: GPL-2.0-only
/* How the guest gets the flags of an instruction that softseam executed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_qemu.h"

#define NEXT	(FAKE_PC + 3)

static const struct insn_flags success, cf = { .cf = true }, zf = { .zf = true };

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

static void put_code(uint64_t pc, const char *bytes, size_t len)
{
	memcpy(fake.memory + pc, bytes, len);
}

#define CODE(pc, bytes)	put_code(pc, bytes, sizeof(bytes) - 1)

static uint64_t deliver(struct vcpu *v, struct site *site, struct insn_flags flags)
{
	return flags_deliver(v, site, flags, NEXT);
}

/* SEAMCALL; jc .+0x10, as in the kernel. */
static void test_jump(void **state)
{
	struct site site = fake_site(INSN_SEAMCALL);

	CODE(NEXT, "\x72\x0e\x31\xc0");
	assert_int_equal(deliver(*state, &site, success), NEXT + 2);
	assert_int_equal(deliver(*state, &site, cf), NEXT + 0x10);
	assert_int_equal(deliver(*state, &site, zf), NEXT + 2);
	assert_int_equal(fake.nr_reports, 0);
}

/* INVEPT; nopl (%rax); jna backwards, near. */
static void test_jump_behind_nop(void **state)
{
	struct site site = fake_site(INSN_INVEPT);

	CODE(NEXT, "\x0f\x1f\x00\x0f\x86\x00\xff\xff\xff\xc3");
	assert_int_equal(deliver(*state, &site, success), NEXT + 9);
	assert_int_equal(deliver(*state, &site, cf), NEXT + 9 - 0x100);
	assert_int_equal(deliver(*state, &site, zf), NEXT + 9 - 0x100);
	assert_int_equal(fake.nr_reports, 0);
}

/* setc %al; setz %ch; jc .+2; ret */
static void test_setcc(void **state)
{
	struct site site = fake_site(INSN_VMCLEAR);

	CODE(NEXT, "\x0f\x92\xc0\x0f\x94\xc5\x72\x00\xc3");
	fake.reg[REG_RAX] = fake.reg[REG_RCX] = 0x1111111111111111;
	assert_int_equal(deliver(*state, &site, zf), NEXT + 8);
	assert_true(fake.reg[REG_RAX] == 0x1111111111111100);
	assert_true(fake.reg[REG_RCX] == 0x1111111111110111);
	assert_int_equal(deliver(*state, &site, cf), NEXT + 8);
	assert_true(fake.reg[REG_RAX] == 0x1111111111111101);
	assert_true(fake.reg[REG_RCX] == 0x1111111111110011);
}

static void test_lost_flags_are_reported_once(void **state)
{
	struct site site = fake_site(INSN_SEAMCALL);

	/* cmovc: uses CF in a way that is not known here. */
	CODE(NEXT, "\x48\x0f\x42\xd8");
	assert_int_equal(deliver(*state, &site, success), NEXT);
	assert_int_equal(fake.nr_reports, 1);
	assert_non_null(strstr(fake.last_report, "0x8003 (48 0f 42 d8)"));
	assert_int_equal(deliver(*state, &site, cf), NEXT);
	assert_int_equal(fake.nr_reports, 1);
}

static void test_flags_that_nobody_tests(void **state)
{
	struct site vmxon = fake_site(INSN_VMXON);
	struct site vmlaunch = fake_site(INSN_VMLAUNCH);

	/* jmp */
	CODE(NEXT, "\xeb\x10");
	deliver(*state, &vmxon, success);
	deliver(*state, &vmlaunch, zf);
	assert_int_equal(fake.nr_reports, 0);
	deliver(*state, &vmxon, cf);
	assert_int_equal(fake.nr_reports, 1);
}

/* The jump is the last of what is mapped, or is not mapped itself. */
static void test_end_of_mapping(void **state)
{
	struct site site = fake_site(INSN_SEAMCALL);

	CODE(FAKE_MAPPED - 2, "\x72\x10");
	assert_int_equal(flags_deliver(*state, &site, cf, FAKE_MAPPED - 2),
			 FAKE_MAPPED + 0x10);
	assert_int_equal(fake.nr_reports, 0);
	assert_int_equal(flags_deliver(*state, &site, cf, FAKE_MAPPED), FAKE_MAPPED);
	assert_int_equal(fake.nr_reports, 1);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_jump),
		TEST(test_jump_behind_nop),
		TEST(test_setcc),
		TEST(test_lost_flags_are_reported_once),
		TEST(test_flags_that_nobody_tests),
		TEST(test_end_of_mapping),
	};

	return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
