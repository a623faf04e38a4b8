// SPDX-License-Identifier: GPL-2.0
/* The guest's page tables, and what it does to its memory. */
#include "asm_layout.h"
#include "guest.h"

/*
 * Linear addresses below 4 GB are private memory at the same GPA.  The same GPAs
 * as shared memory are 512 GB higher.
 */
#define SHARED_WINDOW		BIT_ULL(39)
#define MAPPED_GB		4
#define PTES			512

static u64 low_pds[MAPPED_GB - 1][PTES] __aligned(4096);
static u64 shared_pdpt[PTES] __aligned(4096);
static u64 shared_pds[MAPPED_GB][PTES] __aligned(4096);
static u64 shared_mask;

static void map_gb(u64 *pd, u64 gpa)
{
	for (unsigned int i = 0; i < PTES; i++)
		pd[i] = (gpa + i * TD_2M_SIZE) | PTE_LARGE;
}

/* start.S mapped the highest GB below 4 GB as private; map the rest. */
void paging_init(unsigned int gpaw)
{
	shared_mask = BIT_ULL(gpaw - 1);

	for (u64 gb = 0; gb < MAPPED_GB; gb++) {
		map_gb(shared_pds[gb], shared_mask | gb << 30);
		shared_pdpt[gb] = (u64)shared_pds[gb] | PTE_TABLE;
		if (gb == MAPPED_GB - 1)
			break;
		map_gb(low_pds[gb], gb << 30);
		pdpt[gb] = (u64)low_pds[gb] | PTE_TABLE;
	}
	pml4[SHARED_WINDOW >> 39] = (u64)shared_pdpt | PTE_TABLE;
}

void *shared_memory(u64 gpa)
{
	return (void *)(gpa + SHARED_WINDOW);
}

u64 shared_bit(void)
{
	return shared_mask;
}

static u64 accept_one(u64 gpa, u64 level, u64 *retries)
{
	u64 status;

	for (;;) {
		struct tdcall_regs regs = { .rcx = gpa | level };

		status = tdcall(TDCALL_PAGE_ACCEPT, &regs);
		if (TDCALL_STATUS(status) != TDCALL_OPERAND_BUSY)
			return status;
		++*retries;
	}
}

/* Accept pages of @level up to the first that fails; returns its status. */
u64 accept(u64 gpa, u64 size, u64 level, u64 *pages, u64 *retries)
{
	u64 step = level ? TD_2M_SIZE : TD_PAGE_SIZE;
	u64 end = gpa + size, status;

	*pages = 0;
	*retries = 0;
	for (; gpa < end; gpa += step) {
		status = accept_one(gpa, level, retries);
		if (status)
			return status;
		++*pages;
	}
	return 0;
}

static u64 *word_at(u64 gpa, bool shared)
{
	return shared ? shared_memory(gpa) : (void *)gpa;
}

void fill(u64 gpa, u64 size, u64 stride, u64 seed, bool shared)
{
	for (u64 end = gpa + size; gpa < end; gpa += stride)
		*word_at(gpa, shared) = td_pattern(gpa, seed);
}

u64 check(u64 gpa, u64 size, u64 stride, u64 seed, bool shared, u64 *first)
{
	u64 bad = 0;

	*first = 0;
	for (u64 end = gpa + size; gpa < end; gpa += stride) {
		if (*word_at(gpa, shared) == td_pattern(gpa, seed))
			continue;
		if (!bad++)
			*first = gpa;
	}
	return bad;
}
