// SPDX-License-Identifier: GPL-2.0-only
/* Cache lines of pages that change hands. */
#include <inttypes.h>

#include "leaves.h"
#include "lines.h"
#include "own.h"
#include "range.h"
#include "sparse.h"

#define LINE_BYTES	64
#define ALL_LINES	(~0ULL)

bool lines_init(struct lines *lines, uint64_t end)
{
	*lines = (struct lines){ .bytes = end / SZ_4K * sizeof(struct page_lines) };
	if (!end)
		return true;
	lines->page = sparse_new(lines->bytes);
	return lines->page;
}

void lines_free(struct lines *lines)
{
	sparse_free(lines->page, lines->bytes);
	*lines = (struct lines){ 0 };
}

static struct page_lines *lines_of(struct seam *s, uint64_t pa)
{
	return &s->lines.page[pa / SZ_4K];
}

static unsigned int count(uint64_t lines)
{
	return (unsigned int)__builtin_popcountll(lines);
}

/* Pages for PAMT need no flush. */
static bool needs_flush(const struct seam *s, enum page_type type)
{
	return s->machine.reports_clflush && type != PT_PAMT &&
	       s->cfg.features0 & FEATURE_CLFLUSH_BEFORE_ALLOC;
}

static void check_flushed(struct seam *s, struct call *c, uint64_t pa, enum page_type type)
{
	uint64_t flushed = atomic_load(&lines_of(s, pa)->flushed);

	if (!needs_flush(s, type) || flushed == ALL_LINES)
		return;
	violation(s, c->cpu, RULE_NO_CLFLUSH, pa,
		  "%s takes 0x%" PRIx64 " of the host as a page of type %s, with %u of 64 lines flushed since the host has it",
		  c->leaf->name, pa, page_type_name(type), count(flushed));
}

static void tell_not_reset(struct seam *s, unsigned int cpu, const char *leaf, uint64_t pa)
{
	struct page_lines *lines = lines_of(s, pa);
	const char *caller = atomic_load(&lines->caller);

	violation(s, cpu, RULE_NO_RESET, pa,
		  "%s 0x%" PRIx64 ", which came back to the host by %s%s%s, with %u of 64 lines reset by MOVDIR64B",
		  leaf, pa, atomic_load(&lines->leaf), caller ? " called by " : "",
		  caller ? caller : "", count(atomic_load(&lines->reset)));
}

/* Returns false if another thread was faster. */
static bool stop_waiting(struct seam *s, struct page_lines *lines)
{
	if (!atomic_exchange(&lines->leaf, NULL))
		return false;
	atomic_fetch_sub(&s->lines.waiting, 1);
	return true;
}

void lines_taken(struct seam *s, struct call *c, uint64_t pa, enum page_type type)
{
	struct page_lines *lines = lines_of(s, pa);
	char verb[64];

	check_flushed(s, c, pa, type);
	if (atomic_load(&lines->leaf)) {
		snprintf(verb, sizeof(verb), "%s takes", c->leaf->name);
		tell_not_reset(s, c->cpu, verb, pa);
		stop_waiting(s, lines);
	}
}

static bool needs_reset(const struct seam *s)
{
	return s->cfg.erratum && s->machine.reports_movdir64b;
}

void lines_returned(struct seam *s, struct call *c, uint64_t pa)
{
	struct page_lines *lines = lines_of(s, pa);

	atomic_store(&lines->flushed, 0);
	atomic_store(&lines->reset, 0);
	if (!needs_reset(s))
		return;
	atomic_store(&lines->caller, violation_caller(s, c->cpu));
	if (!atomic_exchange(&lines->leaf, c->leaf->name))
		atomic_fetch_add(&s->lines.waiting, 1);
}

unsigned int lines_report(struct seam *s)
{
	unsigned int nr = 0;

	for (uint64_t pa = 0; atomic_load(&s->lines.waiting) && pa < s->own.end; pa += SZ_4K) {
		if (!atomic_load(&lines_of(s, pa)->leaf))
			continue;
		tell_not_reset(s, 0, "the machine ends with", pa);
		stop_waiting(s, lines_of(s, pa));
		nr++;
	}
	return nr;
}

static uint64_t line_bit(uint64_t pa)
{
	return 1ULL << (pa % SZ_4K / LINE_BYTES);
}

void seam_clflush(struct seam *s, unsigned int cpu, uint64_t pa)
{
	(void)cpu;
	if (pa < s->own.end)
		atomic_fetch_or(&lines_of(s, pa)->flushed, line_bit(pa));
}

void seam_movdir64b(struct seam *s, unsigned int cpu, uint64_t pa)
{
	struct page_lines *lines;

	(void)cpu;
	if (pa >= s->own.end)
		return;
	lines = lines_of(s, pa);
	if ((atomic_fetch_or(&lines->reset, line_bit(pa)) | line_bit(pa)) == ALL_LINES)
		stop_waiting(s, lines);
}
