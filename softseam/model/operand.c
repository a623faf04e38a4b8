// SPDX-License-Identifier: GPL-2.0-only
/* Checks on operands. */
#include <inttypes.h>
#include <string.h>

#include "leaves.h"
#include "operand.h"
#include "pamt_dynamic.h"
#include "range.h"

uint64_t pa_hkid(const struct seam *s, uint64_t pa)
{
	return (pa & ((1ULL << s->cfg.maxpa) - 1)) >> s->cfg.hpa_bits;
}

uint64_t pa_without_hkid(const struct seam *s, uint64_t pa)
{
	return pa & ((1ULL << s->cfg.hpa_bits) - 1);
}

uint64_t operand_page(struct seam *s, struct call *c, uint64_t pa, enum page_size size,
		      uint32_t op, enum lock_mode mode, struct pamt_walk *walk)
{
	struct tdmr *t;

	if (pa & (page_bytes(size) - 1) || pa >> s->cfg.hpa_bits)
		return TDX_OPERAND_INVALID | op;

	t = tdmr_find(s->tdmr, atomic_load(&s->nr_tdmrs), pa);
	if (!t || !tdmr_is_usable(t, pa))
		return TDX_OPERAND_ADDR_RANGE_ERROR | op;

	if (!pamt_walk(&s->pamt, pa, tdmr_is_reserved(t, pa), size, mode, walk))
		return TDX_OPERAND_BUSY | op;
	if (s->pamt.dynamic && walk->entry && walk->size == PS_4K)
		pamt_check_entry(s, c, pa);
	return TDX_SUCCESS;
}

uint64_t operand_shared(const struct seam *s, uint64_t pa, uint64_t align, uint32_t op)
{
	if (pa & (align - 1) || pa >> s->cfg.maxpa || kot_is_private(&s->kot, pa_hkid(s, pa)))
		return TDX_OPERAND_INVALID | op;
	return TDX_SUCCESS;
}

uint64_t operand_ram(struct seam *s, struct call *c, uint64_t hpa, size_t len,
		     const char *verb, uint32_t op)
{
	if (s->machine.ram(s->machine.opaque, hpa, len))
		return TDX_SUCCESS;
	violation(s, c->cpu, RULE_NOT_RAM, hpa,
		  "%s %s %zu bytes at 0x%" PRIx64 ", which is not RAM",
		  c->leaf->name, verb, len, hpa);
	return TDX_OPERAND_INVALID | op;
}

uint64_t operand_read(struct seam *s, struct call *c, uint64_t pa, void *to, size_t len,
		      uint32_t op)
{
	uint64_t hpa = pa_without_hkid(s, pa);
	uint64_t status = operand_ram(s, c, hpa, len, "reads", op);

	if (!status)
		memcpy(to, s->machine.ram(s->machine.opaque, hpa, len), len);
	return status;
}
