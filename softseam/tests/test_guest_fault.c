// SPDX-License-Identifier: GPL-2.0-only
/* The linear address that a #VE for memory tells the guest. */
#include <string.h>

#include "guest_host.h"
#include "shared_ept.h"

#define PTE_PAGE	3ULL
#define PTE_LARGE	0x80ULL

/* Two more windows, of 4K each page, on page table GPA_PT. */
#define GPA_PD		GPA_TABLE(2)
#define GPA_PT		GPA_TABLE(3)
#define KERNEL		0xFFFF888000000000ULL
#define ALIAS		0x7F0000000000ULL
/* What page n of these windows is: pending, shared and absent, mapped. */
#define PENDING		0
#define SHARED		1
#define MAPPED		2
#define PENDING_TOO	3
#define AT(window, page)	((window) + (page) * SZ_4K)
#define GPA_MMIO	(GPA_SHARED | SOURCE)

#define FINAL		(EPT_QUAL_LINEAR | EPT_QUAL_FINAL)

static uint64_t *entries(struct host *h, uint64_t gpa)
{
	return guest_mem(h, gpa);
}

static void map_window(struct host *h, uint64_t linear)
{
	entries(h, GPA_TABLE(0))[linear >> 39 & 511] = GPA_TABLE(4) | PTE_PAGE;
}

static void start(struct host *h)
{
	guest_run_64bit(h);
	for (uint64_t gpa = GPA_PD; gpa <= GPA_TABLE(4); gpa += SZ_4K)
		memset(guest_mem(h, gpa), 0, SZ_4K);
	map_window(h, KERNEL);
	map_window(h, ALIAS);
	entries(h, GPA_TABLE(4))[0] = GPA_PD | PTE_PAGE;
	entries(h, GPA_PD)[0] = GPA_PT | PTE_PAGE;
	entries(h, GPA_PT)[PENDING] = GPA_AUG | PTE_PAGE;
	entries(h, GPA_PT)[SHARED] = GPA_MMIO | PTE_PAGE;
	entries(h, GPA_PT)[MAPPED] = GPA_REG | PTE_PAGE;
	entries(h, GPA_PT)[PENDING_TOO] = GPA_AUG | PTE_PAGE;
	/* The host asks for #VE there. */
	shared_ept_build(h, GPA_MMIO, 0);
	atomic_store(shared_entry(h, GPA_MMIO, 0), 0);
}

/* The guest stops for @exit at an instruction, and hears of it. */
static void fault(struct host *h, const char *insn, size_t len, struct guest_exit exit)
{
	uint8_t *code = guest_mem(h, GPA_CODE);

	memset(code, 0x90, 64);
	memcpy(code, insn, len);
	exit.why = GUEST_STOP_MEMORY;
	guest_vcpu(h)->ve.valid = false;
	assert_int_equal(guest_stop(h, exit), SEAM_END_RUN_GUEST);
	assert_true(guest_vcpu(h)->ve.valid);
	assert_int_equal(guest_vcpu(h)->ve.reason, VMX_EPT_VIOLATION);
	assert_int_equal(guest_vcpu(h)->ve.gpa, exit.gpa);
	/* Not defined for these: guests decode. */
	assert_int_equal(guest_vcpu(h)->ve.insn_len, 0);
	assert_int_equal(guest_vcpu(h)->ve.insn_info, 0);
}

static void assert_linear(struct host *h, uint64_t linear, uint64_t qualification)
{
	assert_int_equal(guest_vcpu(h)->ve.linear, linear);
	assert_int_equal(guest_vcpu(h)->ve.qualification, qualification);
}

#define FAULT(h, insn, ...)							\
	fault(h, insn, sizeof(insn) - 1, (struct guest_exit){ __VA_ARGS__ })

/* What the instruction set does: see test_guest_access.c for all forms. */
static void operands(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	start(h);
	r = guest_cpu(h);
	r->gpr.rcx = AT(KERNEL, SHARED) + 0x20;
	FAULT(h, "\x8B\x41\x04", .gpa = GPA_MMIO + 0x24, .read = true);
	assert_linear(h, AT(KERNEL, SHARED) + 0x24, EPT_QUAL_READ | FINAL);
	FAULT(h, "\x89\x01", .gpa = GPA_MMIO + 0x20, .write = true);
	assert_linear(h, AT(KERNEL, SHARED) + 0x20, EPT_QUAL_WRITE | FINAL);
	r->seg[SEG_GS].base = AT(KERNEL, PENDING);
	FAULT(h, "\x65\x8B\x04\x25\x30\0\0\0", .gpa = GPA_AUG + 0x30, .read = true);
	assert_linear(h, AT(KERNEL, PENDING) + 0x30, EPT_QUAL_READ | FINAL);
	/* The guest finds it where it looks for it. */
	assert_int_equal(guest_tdcall(h, (struct seam_regs){ .rax = 3 }), TDX_SUCCESS);
	assert_int_equal(r->gpr.rdx, EPT_QUAL_READ | FINAL);
	assert_int_equal(r->gpr.r8, AT(KERNEL, PENDING) + 0x30);
	assert_int_equal(r->gpr.r9, GPA_AUG + 0x30);
}

/* One page at several addresses: the operand that fits the access counts. */
static void aliases(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	start(h);
	r = guest_cpu(h);
	r->gpr.rsi = AT(ALIAS, PENDING) + 8;
	r->gpr.rdi = AT(KERNEL, PENDING_TOO) + 8;
	FAULT(h, "\xA5", .gpa = GPA_AUG + 8, .read = true);
	assert_linear(h, AT(ALIAS, PENDING) + 8, EPT_QUAL_READ | FINAL);
	FAULT(h, "\xA5", .gpa = GPA_AUG + 8, .write = true);
	assert_linear(h, AT(KERNEL, PENDING_TOO) + 8, EPT_QUAL_WRITE | FINAL);
	/* Only one of them is there. */
	r->gpr.rsi = AT(KERNEL, MAPPED);
	r->gpr.rdi = AT(ALIAS, SHARED) + 8;
	FAULT(h, "\xA5", .gpa = GPA_MMIO + 8, .write = true);
	assert_linear(h, AT(ALIAS, SHARED) + 8, EPT_QUAL_WRITE | FINAL);
	r->rsp = AT(KERNEL, PENDING) + 0x100;
	r->gpr.rcx = AT(ALIAS, PENDING) + 0xF8;
	FAULT(h, "\xFF\x31", .gpa = GPA_AUG + 0xF8, .read = true);
	assert_linear(h, AT(ALIAS, PENDING) + 0xF8, EPT_QUAL_READ | FINAL);
	FAULT(h, "\xFF\x31", .gpa = GPA_AUG + 0xF8, .write = true);
	assert_linear(h, AT(KERNEL, PENDING) + 0xF8, EPT_QUAL_WRITE | FINAL);
}

static void over_a_boundary(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	start(h);
	r = guest_cpu(h);
	/* Into the page, and out of it. */
	r->gpr.rcx = AT(KERNEL, PENDING_TOO) - 4;
	FAULT(h, "\x48\x8B\x01", .gpa = GPA_AUG, .read = true);
	assert_linear(h, AT(KERNEL, PENDING_TOO), EPT_QUAL_READ | FINAL);
	r->gpr.rcx = AT(KERNEL, PENDING) + SZ_4K - 4;
	FAULT(h, "\x48\x8B\x01", .gpa = GPA_AUG + SZ_4K - 4, .read = true);
	assert_linear(h, AT(KERNEL, PENDING) + SZ_4K - 4, EPT_QUAL_READ | FINAL);
	/* A long area that begins before. */
	r->gpr.rcx = AT(KERNEL, PENDING_TOO) - 0x800;
	FAULT(h, "\x0F\xAE\x21", .gpa = GPA_AUG + 0x40, .write = true);
	assert_linear(h, AT(KERNEL, PENDING_TOO) + 0x40, EPT_QUAL_WRITE | FINAL);
}

static void fetches(void **state)
{
	struct host *h = *state;

	start(h);
	guest_cpu(h)->rip = AT(ALIAS, PENDING) + 0x123;
	FAULT(h, "", .gpa = GPA_AUG + 0x123, .fetch = true);
	assert_linear(h, AT(ALIAS, PENDING) + 0x123, EPT_QUAL_FETCH | FINAL);
	/* An instruction that goes on there. */
	guest_cpu(h)->rip = AT(ALIAS, PENDING_TOO) - 3;
	FAULT(h, "", .gpa = GPA_AUG, .fetch = true);
	assert_linear(h, AT(ALIAS, PENDING_TOO), EPT_QUAL_FETCH | FINAL);
}

/* The address whose translation was under way, and that it was no more than that. */
static void page_tables(void **state)
{
	const uint64_t table = EPT_QUAL_READ | EPT_QUAL_WRITE | EPT_QUAL_LINEAR;
	struct host *h = *state;
	struct guest_cpu *r;

	start(h);
	r = guest_cpu(h);
	entries(h, GPA_PD)[7] = GPA_AUG | PTE_PAGE;
	r->gpr.rcx = KERNEL + 7 * SZ_2M + 5 * SZ_4K + 0x18;
	FAULT(h, "\x8B\x01", .gpa = GPA_AUG + 5 * 8, .read = true, .write = true,
	      .page_table = true);
	assert_linear(h, r->gpr.rcx, table);
	/* Its second page. */
	r->gpr.rcx = KERNEL + 7 * SZ_2M + 5 * SZ_4K - 4;
	FAULT(h, "\x48\x8B\x01", .gpa = GPA_AUG + 5 * 8, .read = true, .write = true,
	      .page_table = true);
	assert_linear(h, KERNEL + 7 * SZ_2M + 5 * SZ_4K, table);
	/* Of code. */
	r->rip = ALIAS + 7 * SZ_2M + 0x456;
	FAULT(h, "", .gpa = GPA_AUG, .read = true, .write = true, .page_table = true);
	assert_linear(h, ALIAS + 7 * SZ_2M + 0x456, table);
}

/* Interrupts and exceptions use tables and stacks, those of the TSS among them. */
static void delivery(void **state)
{
	struct guest_event event = { .valid = true, .vector = 0x41 };
	uint8_t *tss;
	uint64_t rsp;
	struct host *h = *state;
	struct guest_cpu *r;

	start(h);
	r = guest_cpu(h);
	tss = guest_mem(h, GPA_REG);
	memset(tss, 0, SZ_4K);
	r->tr.base = AT(KERNEL, MAPPED) + 0x100;
	r->rsp = AT(KERNEL, MAPPED) + 0x800;
	r->idtr = (struct guest_table){ AT(ALIAS, PENDING), 0xFFF };
	FAULT(h, "", .gpa = GPA_AUG + 0x410, .read = true, .vectoring = event);
	assert_linear(h, AT(ALIAS, PENDING) + 0x410, EPT_QUAL_READ | FINAL);

	r->idtr.base = AT(KERNEL, MAPPED);
	rsp = AT(ALIAS, PENDING_TOO) + 0x400;
	memcpy(tss + 0x100 + 4, &rsp, 8);
	FAULT(h, "", .gpa = GPA_AUG + 0x3F8, .write = true, .vectoring = event);
	assert_linear(h, AT(ALIAS, PENDING_TOO) + 0x3F8, EPT_QUAL_WRITE | FINAL);

	/* The CPU's own exceptions are not told: the instruction accesses nothing. */
	memset(tss + 0x100 + 4, 0, 8);
	memcpy(tss + 0x100 + 36 + 6 * 8, &rsp, 8);
	FAULT(h, "", .gpa = GPA_AUG + 0x3D0, .write = true);
	assert_linear(h, AT(ALIAS, PENDING_TOO) + 0x3D0, EPT_QUAL_WRITE | FINAL);

	/* A selector's descriptor; the stack as it is. */
	r->gdtr = (struct guest_table){ AT(ALIAS, PENDING) + 0x20, 0x7F };
	FAULT(h, "\x8E\xD8", .gpa = GPA_AUG + 0x30, .read = true);
	assert_linear(h, AT(ALIAS, PENDING) + 0x30, EPT_QUAL_READ | FINAL);
	r->rsp = AT(KERNEL, PENDING) + 0xE00;
	FAULT(h, "", .gpa = GPA_AUG + 0xDF8, .write = true, .vectoring = event);
	assert_linear(h, AT(KERNEL, PENDING) + 0xDF8, EPT_QUAL_WRITE | FINAL);
}

/* What cannot be told is not made up. */
static void unknown(void **state)
{
	struct host *h = *state;

	start(h);
	guest_cpu(h)->gpr.rcx = AT(KERNEL, MAPPED);
	FAULT(h, "\x8B\x01", .gpa = GPA_AUG + 0x24, .read = true);
	assert_linear(h, 0, EPT_QUAL_READ);
	/* The page, but not there. */
	guest_cpu(h)->gpr.rcx = AT(KERNEL, PENDING);
	FAULT(h, "\x8B\x01", .gpa = GPA_AUG + 0x800, .read = true);
	assert_linear(h, 0, EPT_QUAL_READ);
	/* A task that is not there. */
	guest_cpu(h)->tr.base = AT(KERNEL, 99);
	FAULT(h, "\x90", .gpa = GPA_AUG, .read = true);
	assert_linear(h, 0, EPT_QUAL_READ);
}

/* A guest without paging is at its physical addresses. */
static void no_paging(void **state)
{
	struct host *h = *state;
	struct guest_cpu *r;

	start(h);
	r = guest_cpu(h);
	r->cr0 &= ~CR0_PG;
	r->efer &= ~EFER_LONG_ACTIVE;
	r->seg[SEG_CS].ar = (r->seg[SEG_CS].ar & ~SEG_AR_L) | SEG_AR_DB;
	FAULT(h, "\x90", .gpa = GPA_AUG + 0x77, .write = true);
	assert_linear(h, GPA_AUG + 0x77, EPT_QUAL_WRITE | FINAL);
}

/* The host does not learn of it. */
static void not_for_the_host(void **state)
{
	struct guest_exit exit = { .why = GUEST_STOP_MEMORY, .gpa = GPA_MMIO, .read = true };
	struct host *h = *state;

	start(h);
	guest_cpu(h)->gpr.rcx = AT(KERNEL, SHARED);
	atomic_store(shared_entry(h, GPA_MMIO, 0), EPT_SUPPRESS_VE);
	memcpy(guest_mem(h, GPA_CODE), "\x8B\x01", 2);
	assert_int_equal(guest_stop(h, exit), SEAM_END_DONE);
	assert_status(guest_result.regs.rax, VMX_EPT_VIOLATION);
	assert_int_equal(guest_result.regs.rcx, EPT_QUAL_READ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(operands),
		host_test(aliases),
		host_test(over_a_boundary),
		host_test(fetches),
		host_test(page_tables),
		host_test(delivery),
		host_test(unknown),
		host_test(no_paging),
		host_test(not_for_the_host),
	};

	return cmocka_run_group_tests_name("guest_fault", tests, NULL, NULL);
}
