// SPDX-License-Identifier: GPL-2.0-only
/* Jumps out of TCG's code, on a QEMU that has the functions which tcg_jump.c looks up by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tcg_jump.h"

#include <cmocka.h>

#define EXCEPTION	0x2c0
#define TIMER		0xec

struct cpu {
	char before[EXCEPTION];
	int exception;
	char after[64];
};

static struct cpu cpus[2];
static void *restored_cpu;
static uintptr_t restored_pc;
static bool knows_code = true;

void *qemu_get_cpu(int index);
bool cpu_restore_state(void *cpu, uintptr_t host_pc);
void cpu_loop_exit_noexc(void *cpu);

void *qemu_get_cpu(int index)
{
	return &cpus[index];
}

bool cpu_restore_state(void *cpu, uintptr_t host_pc)
{
	restored_cpu = cpu;
	restored_pc = host_pc;
	return knows_code;
}

/* As much of QEMU's as tcg_jump.c looks at. */
__attribute__((naked)) void cpu_loop_exit_noexc(__attribute__((unused)) void *cpu)
{
	asm("endbr64\n\tpush %rax\n\tpop %rax\n\tsub $8, %rsp\n\t"
	    "movl $-1, 0x2c0(%rdi)\n\tadd $8, %rsp\n\tret");
}

static void test_settle(void **state)
{
	(void)state;
	cpus[0].exception = cpus[1].exception = TIMER;
	assert_true(tcg_jump_is_safe());
	tcg_jump_settle(1, (const void *)0x1234);
	assert_ptr_equal(restored_cpu, &cpus[1]);
	assert_int_equal(restored_pc, 0x1234);
	assert_int_equal(cpus[1].exception, -1);
	assert_int_equal(cpus[0].exception, TIMER);
	assert_true(tcg_jump_is_safe());
}

/* A QEMU that calls back from elsewhere: nobody may rely on it, and it is not asked again. */
static void test_settle_where_qemu_knows_nothing(void **state)
{
	(void)state;
	knows_code = false;
	tcg_jump_settle(0, (const void *)0x1234);
	assert_false(tcg_jump_is_safe());
	restored_cpu = NULL;
	tcg_jump_settle(0, (const void *)0x1234);
	assert_null(restored_cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_settle_where_qemu_knows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
