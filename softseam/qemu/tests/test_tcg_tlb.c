// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLBs for each world, on a QEMU that has as much of one as tcg_tlb.c looks at: the
 * functions below have the names and the first instructions of QEMU's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tcg_tlb.h"

#include <cmocka.h>

#define NR_CPUS		2
#define ALL		0x3fffff
#define NESTED		(1u << 21)
#define ENTRIES		1024
#define NOTHING		UINT64_MAX

/* Large enough for what a real one is taken to be. */
struct cpu {
	char before[0x2f0];
	struct {
		int lock, dirty;
		uint64_t entry[ENTRIES];
	} tlb;
	char after[256 << 10];
};

static struct cpu cpus[NR_CPUS];
static unsigned int nr_flushes, nr_protected;
/* What another CPU does while a page is marked as code. */
static void (*meanwhile)(void);
static uint32_t last_map;

void tlb_init(void *cpu);
void tlb_destroy(void *cpu);
void tlb_flush(void *cpu);
void tlb_flush_by_mmuidx(void *cpu, uint32_t map);
void tlb_protect_code(uint64_t ram_addr);
void *qemu_get_cpu(int index);
void fake_flush(void *cpu, uint64_t map);
bool physical_memory_test_and_clear_dirty(uint64_t start, uint64_t bytes, unsigned int client,
					  unsigned long mask);
void helper_vmrun(void *cpu, int registers);
void do_vmexit(void *cpu, int registers);
void cpu_x86_update_cr0(void *cpu);
void cpu_x86_update_cr3(void *cpu);
void cpu_x86_update_cr4(void *cpu);
void helper_write_crN(void *cpu);
void helper_xrstor(void *cpu);
void x86_cpu_gdb_write_register(void *cpu);
void some_other_part(void *cpu);

__asm__(
	".text\n"
	".macro	fake name\n"
	".balign	64\n"
	".globl	\\name\n"
	".type	\\name, @function\n"
	"\\name:\n"
	".endm\n"
	"fake	tlb_flush\n"
	"	endbr64\n"
	"	movl	$0x3fffff, %esi\n"
	"	.byte	0xe9\n"
	"	.long	fake_flush - . - 4\n"
	".size	tlb_flush, . - tlb_flush\n"
	"fake	tlb_flush_by_mmuidx\n"
	"	endbr64\n"
	"	movl	%esi, %esi\n"
	"	.byte	0xe9\n"
	"	.long	fake_flush - . - 4\n"
	".size	tlb_flush_by_mmuidx, . - tlb_flush_by_mmuidx\n"
	"fake	tlb_protect_code\n"
	"	movl	$1, %edx\n"
	"	xorl	%ecx, %ecx\n"
	"	movl	$4096, %esi\n"
	"	.byte	0xe9\n"
	"	.long	physical_memory_test_and_clear_dirty - . - 4\n"
	".size	tlb_protect_code, . - tlb_protect_code\n"
	".balign	64\n"
);

void tlb_init(void *cpu)
{
	struct cpu *c = cpu;

	c->tlb.lock = 0;
	c->tlb.dirty = 0;
	memset(c->tlb.entry, 0xff, sizeof(c->tlb.entry));
}

void tlb_destroy(void *cpu)
{
	(void)cpu;
}

void *qemu_get_cpu(int index)
{
	return index < NR_CPUS ? &cpus[index] : NULL;
}

/* What both flushes come down to. */
__attribute__((used)) void fake_flush(void *cpu, uint64_t map)
{
	struct cpu *c = cpu;

	nr_flushes++;
	last_map = (uint32_t)map;
	memset(c->tlb.entry, 0xff, sizeof(c->tlb.entry));
}

bool physical_memory_test_and_clear_dirty(uint64_t start, uint64_t bytes, unsigned int client,
					  unsigned long mask)
{
	assert_int_equal(start, 0x5000);
	assert_int_equal(bytes, 4096);
	assert_int_equal(client, 1);
	assert_int_equal(mask, 0);
	nr_protected++;
	if (meanwhile)
		meanwhile();
	return true;
}

/* A call that the compiler must not turn into a jump. */
#define FLUSHES(name)							\
	__attribute__((noinline)) void name(void *cpu)			\
	{								\
		tlb_flush(cpu);						\
		__asm__ volatile("");					\
	}

FLUSHES(cpu_x86_update_cr0)
FLUSHES(cpu_x86_update_cr3)
FLUSHES(cpu_x86_update_cr4)
FLUSHES(helper_write_crN)
FLUSHES(helper_xrstor)
FLUSHES(x86_cpu_gdb_write_register)
FLUSHES(some_other_part)

/* As QEMU does it; @registers: CR0 and CR4 change, too. */
__attribute__((noinline)) void helper_vmrun(void *cpu, int registers)
{
	tlb_flush_by_mmuidx(cpu, NESTED);
	if (registers) {
		cpu_x86_update_cr0(cpu);
		cpu_x86_update_cr4(cpu);
	}
	cpu_x86_update_cr3(cpu);
	__asm__ volatile("");
}

__attribute__((noinline)) void do_vmexit(void *cpu, int registers)
{
	tlb_flush_by_mmuidx(cpu, NESTED);
	if (registers) {
		cpu_x86_update_cr0(cpu);
		cpu_x86_update_cr4(cpu);
	}
	cpu_x86_update_cr3(cpu);
	__asm__ volatile("");
}

static struct tcg_tlb *t;
static uint64_t *const entry = cpus[0].tlb.entry;

/* One of the TLB's entries tells which it is. */
static void fill(uint64_t mark)
{
	entry[7] = mark;
	cpus[0].tlb.dirty = (int)mark;
	nr_flushes = 0;
}

static void assert_kept(uint64_t mark)
{
	assert_int_equal(entry[7], mark);
	assert_int_equal(nr_flushes, 0);
	assert_int_equal(cpus[0].tlb.lock, 0);
}

/* Into the guest and back to the host, each with its mark. */
static void round_trip(int registers)
{
	fill(1);
	tcg_tlb_leave_host(t);
	x86_cpu_gdb_write_register(&cpus[0]);
	helper_xrstor(&cpus[0]);
	fill(2);
	helper_vmrun(&cpus[0], registers);
	fill(3);
	do_vmexit(&cpus[0], registers);
	assert_kept(2);
	x86_cpu_gdb_write_register(&cpus[0]);
	tcg_tlb_return_to_host(t);
	assert_kept(1);
}

static void worlds(void **state)
{
	(void)state;
	for (int registers = 0; registers < 2; registers++) {
		round_trip(registers);
		tcg_tlb_leave_host(t);
		assert_kept(2);
		helper_vmrun(&cpus[0], registers);
		assert_kept(3);
		assert_int_equal(cpus[0].tlb.dirty, 3);
		do_vmexit(&cpus[0], registers);
		tcg_tlb_return_to_host(t);
		assert_kept(1);
	}
}

/* Writes of registers by the host and by the guest drop what is theirs alone. */
static void own_flushes(void **state)
{
	(void)state;
	round_trip(0);
	helper_write_crN(&cpus[0]);
	assert_int_equal(nr_flushes, 1);
	assert_int_equal(last_map, ALL);
	assert_int_equal(entry[7], NOTHING);
	fill(1);
	tcg_tlb_leave_host(t);
	helper_vmrun(&cpus[0], 0);
	assert_kept(3);
	cpu_x86_update_cr3(&cpus[0]);
	assert_int_equal(nr_flushes, 1);
	assert_int_equal(entry[7], NOTHING);
	nr_flushes = 0;
	do_vmexit(&cpus[0], 0);
	assert_kept(2);
	tcg_tlb_return_to_host(t);
	assert_kept(1);
}

/* With paging off, VMRUN does not write CR3. */
static void guest_without_paging(void **state)
{
	(void)state;
	round_trip(0);
	tcg_tlb_leave_host(t);
	helper_vmrun(&cpus[0], 1);
	do_vmexit(&cpus[0], 1);
	assert_kept(2);
	tcg_tlb_return_to_host(t);
	assert_kept(1);
}

static void dropped_guest(void **state)
{
	(void)state;
	round_trip(0);
	tcg_tlb_leave_host(t);
	tcg_tlb_drop(t, TCG_WORLD_GUEST);
	helper_vmrun(&cpus[0], 0);
	assert_int_equal(nr_flushes, 1);
	assert_int_equal(entry[7], NOTHING);
	do_vmexit(&cpus[0], 0);
	tcg_tlb_return_to_host(t);
	assert_int_equal(entry[7], 1);
}

/* What is in use goes on to be, and is gone the next time. */
static void dropped_in_use(void **state)
{
	(void)state;
	round_trip(0);
	tcg_tlb_leave_host(t);
	tcg_tlb_drop(t, TCG_WORLD_SWITCH);
	assert_kept(2);
	tcg_tlb_return_to_host(t);
	assert_kept(1);
	tcg_tlb_leave_host(t);
	assert_int_equal(nr_flushes, 1);
	assert_int_equal(entry[7], NOTHING);
	tcg_tlb_return_to_host(t);
	tcg_tlb_leave_host(t);
	assert_int_equal(nr_flushes, 1);
	tcg_tlb_return_to_host(t);
}

/* What is not in use may become wrong: it is dropped before it is used again. */
static void assert_all_dropped(void)
{
	nr_flushes = 0;
	helper_vmrun(&cpus[0], 0);
	assert_int_equal(nr_flushes, 1);
	assert_int_equal(entry[7], NOTHING);
	do_vmexit(&cpus[0], 0);
	tcg_tlb_return_to_host(t);
	assert_int_equal(nr_flushes, 2);
	assert_int_equal(entry[7], NOTHING);
}

static void new_code(void **state)
{
	(void)state;
	round_trip(0);
	tcg_tlb_leave_host(t);
	tlb_protect_code(0x5123);
	assert_int_equal(nr_protected, 1);
	assert_all_dropped();
}

static void stop_guest(void)
{
	do_vmexit(&cpus[0], 0);
}

/* The guest's TLB is put aside just before it would have been visited. */
static void new_code_meanwhile(void **state)
{
	(void)state;
	round_trip(0);
	tcg_tlb_leave_host(t);
	helper_vmrun(&cpus[0], 0);
	assert_kept(3);
	meanwhile = stop_guest;
	tlb_protect_code(0x5123);
	meanwhile = NULL;
	nr_flushes = 0;
	helper_vmrun(&cpus[0], 0);
	assert_int_equal(nr_flushes, 1);
	assert_int_equal(entry[7], NOTHING);
	do_vmexit(&cpus[0], 0);
	tcg_tlb_return_to_host(t);
}

static void unknown_caller(void **state)
{
	(void)state;
	round_trip(0);
	tcg_tlb_leave_host(t);
	some_other_part(&cpus[0]);
	assert_int_equal(nr_flushes, 1);
	assert_all_dropped();
}

/* Another vCPU's flushes are its own, but it may be one for all of them. */
static void another_cpu(void **state)
{
	(void)state;
	round_trip(0);
	cpus[1].tlb.entry[7] = 9;
	cpu_x86_update_cr3(&cpus[1]);
	assert_int_equal(cpus[1].tlb.entry[7], NOTHING);
	assert_int_equal(entry[7], 1);
	assert_ptr_not_equal(tcg_tlb_of(1), t);
}

static void reset(void **state)
{
	(void)state;
	round_trip(0);
	tcg_tlb_leave_host(t);
	helper_vmrun(&cpus[0], 0);
	tcg_tlb_reset(t);
	assert_int_equal(entry[7], NOTHING);
	fill(1);
	helper_write_crN(&cpus[0]);
	assert_int_equal(nr_flushes, 1);
	/* The host goes on with what it makes from here; the others start with nothing. */
	fill(1);
	tcg_tlb_leave_host(t);
	assert_int_equal(nr_flushes, 1);
	helper_vmrun(&cpus[0], 0);
	assert_int_equal(nr_flushes, 2);
	do_vmexit(&cpus[0], 0);
	tcg_tlb_return_to_host(t);
	assert_int_equal(entry[7], 1);
	assert_int_equal(nr_flushes, 2);
}

/* Where QEMU's functions were not taken over. */
static void none(void **state)
{
	(void)state;
	assert_null(tcg_tlb_of(NR_CPUS));
	tcg_tlb_leave_host(NULL);
	tcg_tlb_return_to_host(NULL);
	tcg_tlb_drop(NULL, TCG_WORLD_GUEST);
	tcg_tlb_reset(NULL);
}

static int take_over(void **state)
{
	(void)state;
	for (int i = 0; i < NR_CPUS; i++)
		tlb_init(&cpus[i]);
	if (!tcg_tlb_take_over(NR_CPUS))
		return -1;
	t = tcg_tlb_of(0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds),
		cmocka_unit_test(own_flushes),
		cmocka_unit_test(guest_without_paging),
		cmocka_unit_test(dropped_guest),
		cmocka_unit_test(dropped_in_use),
		cmocka_unit_test(new_code),
		cmocka_unit_test(new_code_meanwhile),
		cmocka_unit_test(unknown_caller),
		cmocka_unit_test(another_cpu),
		cmocka_unit_test(reset),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests_name("tcg_tlb", tests, take_over, NULL);
}
