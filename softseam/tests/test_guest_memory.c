// SPDX-License-Identifier: GPL-2.0-only
/* A guest's memory as the module reads it, by the guest's own page tables. */
#include <string.h>

#include "guest_host.h"
#include "guest_memory.h"
#include "shared_ept.h"

#define PTE_PAGE	3ULL
#define PTE_LARGE	0x80ULL
#define CR4_PSE		(1ULL << 4)

/* A page of code, and tables that guest_run_64bit() does not use. */
#define GPA_DATA	GPA_REG
#define GPA_PD		GPA_TABLE(2)
#define GPA_PT		GPA_TABLE(3)
#define GPA_TOP		GPA_TABLE(4)
#define SHARED_PAGE	(9 * MB)

/* Linear addresses beyond the first GiB, which is mapped one to one. */
#define LINEAR_SHARED	(1ULL << 30)
#define LINEAR_DATA	(2ULL << 30)

#define TEXT		"fifteen letters"

static size_t fetch(struct host *h, uint8_t code[GUEST_INSN_MAX])
{
	struct guest_ctx x = { .s = h->seam, .td = host_td(h), .vcpu = host_vcpu(h),
			       .g = guest_vcpu(h), .r = guest_cpu(h) };

	memset(code, 0, GUEST_INSN_MAX);
	return guest_fetch(&x, code, GUEST_INSN_MAX);
}

static void assert_fetches(struct host *h, uint64_t rip, const char *want, size_t len)
{
	uint8_t code[GUEST_INSN_MAX];

	guest_cpu(h)->rip = rip;
	assert_int_equal(fetch(h, code), len);
	assert_memory_equal(code, want, len);
}

static void assert_text_at(struct host *h, uint64_t rip)
{
	assert_fetches(h, rip, TEXT, GUEST_INSN_MAX);
}

static uint64_t *entries(struct host *h, uint64_t gpa)
{
	return guest_mem(h, gpa);
}

static uint32_t *entries32(struct host *h, uint64_t gpa)
{
	return guest_mem(h, gpa);
}

/* TEXT at GPA_DATA, at LINEAR_DATA and, in shared memory, at LINEAR_SHARED. */
static void start(struct host *h)
{
	guest_run_64bit(h);
	for (uint64_t gpa = GPA_PD; gpa <= GPA_TOP; gpa += SZ_4K)
		memset(guest_mem(h, gpa), 0, SZ_4K);
	entries(h, GPA_TABLE(1))[1] = GPA_SHARED | PTE_PAGE | PTE_LARGE;
	entries(h, GPA_TABLE(1))[2] = GPA_PD | PTE_PAGE;
	entries(h, GPA_PD)[0] = GPA_PT | PTE_PAGE;
	entries(h, GPA_PT)[0] = GPA_DATA | PTE_PAGE;
	entries(h, GPA_PD)[1] = PTE_PAGE | PTE_LARGE;
	memcpy(guest_mem(h, GPA_DATA), TEXT, GUEST_INSN_MAX);
	shared_ept_build(h, GPA_SHARED, 0);
	atomic_store(shared_entry(h, GPA_SHARED, 0), SHARED_PAGE | EPT_ACCESS | 6 << 3);
	memcpy(host_mem(h, SHARED_PAGE), TEXT, GUEST_INSN_MAX);
}

/* Code outside 64-bit mode, with paging that the caller chooses. */
static void leave_64bit_mode(struct host *h)
{
	guest_cpu(h)->efer &= ~EFER_LONG_ACTIVE;
	guest_cpu(h)->seg[SEG_CS].ar &= ~SEG_AR_L;
}

static void four_levels(void **state)
{
	struct host *h = *state;

	start(h);
	assert_text_at(h, GPA_DATA);
	assert_text_at(h, LINEAR_DATA);
	/* By a page of 2M. */
	assert_text_at(h, LINEAR_DATA + SZ_2M + GPA_DATA);
	assert_text_at(h, LINEAR_SHARED);
	/* The host took it away. */
	atomic_store(shared_entry(h, GPA_SHARED, 0), 0);
	assert_fetches(h, LINEAR_SHARED, "", 0);
	/* An address that is not canonical takes the same tables. */
	assert_fetches(h, 1ULL << 39, "", 0);
	assert_fetches(h, LINEAR_DATA + SZ_4K, "", 0);
	/* Tables in memory that is not there. */
	entries(h, GPA_PD)[0] = GPA_FREE | PTE_PAGE;
	assert_fetches(h, LINEAR_DATA, "", 0);
	entries(h, GPA_PD)[0] = 1ULL << 50 | PTE_PAGE;
	assert_fetches(h, LINEAR_DATA, "", 0);
}

/* Instructions do not end where pages do; some end where memory does. */
static void over_a_boundary(void **state)
{
	struct host *h = *state;

	start(h);
	memcpy((char *)guest_mem(h, GPA_DATA) + SZ_4K - 5, TEXT, 5);
	assert_fetches(h, LINEAR_DATA + SZ_4K - 5, TEXT, 5);
	entries(h, GPA_PT)[1] = GPA_CODE | PTE_PAGE;
	memcpy(guest_mem(h, GPA_CODE), &TEXT[5], 10);
	assert_text_at(h, LINEAR_DATA + SZ_4K - 5);
}

static void five_levels(void **state)
{
	struct host *h = *state;

	start(h);
	entries(h, GPA_TOP)[1] = GPA_TABLE(0) | PTE_PAGE;
	guest_cpu(h)->cr3 = GPA_TOP;
	assert_fetches(h, (1ULL << 48) + GPA_DATA, "", 0);
	guest_cpu(h)->cr4 |= CR4_LA57;
	assert_text_at(h, (1ULL << 48) + LINEAR_DATA);
	assert_fetches(h, LINEAR_DATA, "", 0);
}

/* No page of 512G, whatever bit 7 of such an entry says. */
static void no_larger_pages(void **state)
{
	struct host *h = *state;

	start(h);
	entries(h, GPA_TABLE(0))[0] |= PTE_LARGE;
	assert_text_at(h, LINEAR_DATA);
}

static void no_paging(void **state)
{
	struct host *h = *state;

	start(h);
	leave_64bit_mode(h);
	guest_cpu(h)->cr0 &= ~CR0_PG;
	assert_text_at(h, GPA_DATA);
	/* Addresses have 32 bits. */
	guest_cpu(h)->seg[SEG_CS].base = 0xFFFFF000;
	assert_text_at(h, GPA_DATA + 0x1000);
}

/* Tables of 32 bits: pages of 4K, and of 4M with the extension. */
static void two_levels(void **state)
{
	struct host *h = *state;

	start(h);
	leave_64bit_mode(h);
	guest_cpu(h)->cr4 &= ~CR4_PAE;
	guest_cpu(h)->cr3 = GPA_TOP;
	entries32(h, GPA_TOP)[1] = (uint32_t)(GPA_PT | PTE_PAGE);
	memset(guest_mem(h, GPA_PT), 0, SZ_4K);
	entries32(h, GPA_PT)[2] = (uint32_t)(GPA_DATA | PTE_PAGE);
	assert_text_at(h, 0x402000);
	/* 4M, from physical 0. */
	entries32(h, GPA_TOP)[2] = (uint32_t)(PTE_PAGE | PTE_LARGE);
	assert_fetches(h, 0x800000 + GPA_DATA, "", 0);
	guest_cpu(h)->cr4 |= CR4_PSE;
	assert_text_at(h, 0x800000 + GPA_DATA);
	/* Bits 39:32 of the page are in the middle of the entry. */
	entries32(h, GPA_TOP)[2] |= 1 << 13;
	assert_fetches(h, 0x800000 + GPA_DATA, "", 0);
}

static void three_levels(void **state)
{
	struct host *h = *state;

	start(h);
	leave_64bit_mode(h);
	/* The upper tables of long mode, from the second on; 32 bytes aligned. */
	memcpy(entries(h, GPA_TOP) + 4, entries(h, GPA_TABLE(1)), 4 * sizeof(uint64_t));
	guest_cpu(h)->cr3 = GPA_TOP + 32;
	assert_text_at(h, LINEAR_DATA);
}

/* The machine may keep the contents of private pages; it hears of new ones. */
static uint8_t kept[16][4096];
static uint64_t written_pa, written_len;

static void *private_page(void *opaque, uint64_t pa)
{
	(void)opaque;
	return kept[pa / SZ_4K % ARRAY_SIZE(kept)];
}

static void private_written(void *opaque, unsigned int cpu, uint64_t pa, uint64_t len)
{
	(void)opaque;
	assert_int_equal(cpu, 0);
	written_pa = pa;
	written_len = len;
}

static void machine_keeps_contents(void **state)
{
	static const uint8_t zero[SZ_4K];
	struct host *h = *state;

	h->machine.private_page = private_page;
	h->machine.private_written = private_written;
	host_start(h);
	td_goto(h, TD_PAGE);
	assert_memory_equal(private_page(NULL, REG_PAGE), host_mem(h, SOURCE), SZ_4K);
	assert_int_equal(written_pa, REG_PAGE);
	assert_int_equal(written_len, SZ_4K);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_REMOVE, .rcx = GPA_REG,
					  .rdx = TDR });
	assert_memory_equal(private_page(NULL, REG_PAGE), zero, SZ_4K);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(four_levels),
		host_test(over_a_boundary),
		host_test(five_levels),
		host_test(no_larger_pages),
		host_test(no_paging),
		host_test(two_levels),
		host_test(three_levels),
		host_test(machine_keeps_contents),
	};

	return cmocka_run_group_tests_name("guest_memory", tests, NULL, NULL);
}
