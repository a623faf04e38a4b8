// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "guest_access.h"
#include "guest_fault.h"
#include "guest_memory.h"
#include "range.h"

#define PAGE_OFFSET	(SZ_4K - 1)

/* A TSS of 64-bit mode has three stacks by privilege level and seven by number. */
#define TSS_BYTES	104
#define TSS_RSP0	4
#define TSS_NR_RSP	3
#define TSS_IST1	36
#define TSS_NR_IST	7

/* The tables lead from @linear to what the access met. */
static bool leads_there(struct guest_ctx *x, uint64_t linear)
{
	struct guest_walk walk;

	guest_walk(x, linear, &walk);
	return walk.found == !x->exit->page_table && walk.gpa == x->exit->gpa;
}

/*
 * In one page of a range: a page and its translation have their offset in common,
 * while any byte may have been the one that needed a page table first.
 */
static bool is_in_page(struct guest_ctx *x, const struct guest_access *a, uint64_t page,
		       uint64_t *linear)
{
	bool is_first = page == (a->first & ~PAGE_OFFSET);

	*linear = page | (x->exit->gpa & PAGE_OFFSET);
	if (x->exit->page_table)
		*linear = is_first ? a->first : page;
	return *linear - a->first < a->bytes && leads_there(x, *linear);
}

static bool is_in(struct guest_ctx *x, const struct guest_access *a, uint64_t *linear)
{
	uint64_t page = a->first & ~PAGE_OFFSET;

	for (; page - (a->first & ~PAGE_OFFSET) < (a->first & PAGE_OFFSET) + a->bytes;
	     page += SZ_4K) {
		if (is_in_page(x, a, page, linear))
			return true;
	}
	return false;
}

static bool is_range(struct guest_ctx *x, uint64_t first, uint32_t bytes, uint64_t *linear)
{
	return is_in(x, &(struct guest_access){ .first = first, .bytes = bytes }, linear);
}

static bool is_code(struct guest_ctx *x, uint64_t *linear)
{
	return is_range(x, guest_linear(x->r, SEG_CS, x->r->rip), GUEST_INSN_MAX, linear);
}

/* Page tables are read and written to, whatever for. */
static bool fits(const struct guest_exit *e, const struct guest_access *a)
{
	return e->page_table || (e->write ? a->write : a->read);
}

static bool is_operand(struct guest_ctx *x, uint64_t *linear)
{
	struct guest_access access[GUEST_ACCESSES_MAX];
	uint8_t code[GUEST_INSN_MAX];
	size_t avail = guest_fetch(x, code, sizeof(code));
	unsigned int nr = guest_accesses(x->r, code, avail, access);

	for (unsigned int i = 0; i < nr; i++) {
		if (fits(x->exit, &access[i]) && is_in(x, &access[i], linear))
			return true;
	}
	return false;
}

/* Selectors and vectors reach no further than 64K. */
static bool is_table(struct guest_ctx *x, uint64_t base, uint32_t limit, uint64_t *linear)
{
	return is_range(x, base, (limit & 0xFFFF) + 1, linear);
}

static bool is_stack(struct guest_ctx *x, uint64_t rsp, uint64_t *linear)
{
	return is_range(x, rsp - GUEST_STACK_REACH, 2 * GUEST_STACK_REACH, linear);
}

static bool is_tss_stack(struct guest_ctx *x, const uint8_t *tss, unsigned int nr,
			 uint64_t *linear)
{
	uint64_t rsp[TSS_NR_IST];

	memcpy(rsp, tss, nr * sizeof(rsp[0]));
	for (unsigned int i = 0; i < nr; i++) {
		if (is_stack(x, rsp[i], linear))
			return true;
	}
	return false;
}

/*
 * Delivery of an event, of which only some are known, and loads of segments: they
 * read tables and change stacks.  A TD has paging in long mode only, so its TSS
 * is one of that mode.
 */
static bool is_system(struct guest_ctx *x, uint64_t *linear)
{
	const struct guest_cpu *r = x->r;
	uint8_t tss[TSS_BYTES];

	if (is_table(x, r->idtr.base, r->idtr.limit, linear) ||
	    is_table(x, r->gdtr.base, r->gdtr.limit, linear) ||
	    is_table(x, r->ldtr.base, r->ldtr.limit, linear) ||
	    is_range(x, r->tr.base, TSS_BYTES, linear) || is_stack(x, r->rsp, linear))
		return true;
	if (guest_read(x, r->tr.base, tss, sizeof(tss)) < sizeof(tss))
		return false;
	return is_tss_stack(x, tss + TSS_RSP0, TSS_NR_RSP, linear) ||
	       is_tss_stack(x, tss + TSS_IST1, TSS_NR_IST, linear);
}

bool guest_fault_linear(struct guest_ctx *x, uint64_t *linear)
{
	bool found;

	/* Without paging, which access it was does not matter. */
	if (!(x->r->cr0 & CR0_PG))
		found = is_range(x, x->exit->gpa, 1, linear);
	else if (x->exit->fetch)
		found = is_code(x, linear);
	else if (x->exit->vectoring.valid)
		found = is_system(x, linear);
	else
		found = (x->exit->page_table && is_code(x, linear)) ||
			is_operand(x, linear) || is_system(x, linear);
	if (!found)
		*linear = 0;
	return found;
}
