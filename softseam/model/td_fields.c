// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MNG.RD and the fields of a TD. */
#include "field_id.h"
#include "leaves.h"
#include "td.h"
#include "td_fields.h"
#include "virtual_cpuid.h"

#define TSC_OFFSET	0x111000030000000AULL
#define TSC_MULTIPLIER	0x111000030000000BULL

/*
 * CPUID_VALUES field code: bit 31 of the leaf, bits 6:0 of the leaf, "has no
 * sub-leaf", sub-leaf, and which half: EBX:EAX or EDX:ECX.
 */
#define CPUID_VALUES		0x9410000300000000ULL
#define CODE_LEAF_31		(1U << 16)
#define CODE_LEAF_SHIFT		9
#define CODE_LEAF		0x7FU
#define CODE_NO_SUBLEAF		(1U << 8)
#define CODE_SUBLEAF_SHIFT	1
#define CODE_SUBLEAF		0x7FU
#define CODE_ELEMENT		1U

static uint64_t cpuid_id(unsigned int i, unsigned int element)
{
	const struct cpuid_visible *v = &cpuid_visible[i];
	uint32_t code = (v->leaf & CODE_LEAF) << CODE_LEAF_SHIFT | element;

	if (v->leaf >> 31)
		code |= CODE_LEAF_31;
	if (v->subleaf == CPUID_NO_SUBLEAF)
		code |= CODE_NO_SUBLEAF;
	code |= (v->subleaf & CODE_SUBLEAF) << CODE_SUBLEAF_SHIFT;
	return CPUID_VALUES | code;
}

static uint64_t read_cpuid(const struct td *td, uint64_t id, uint64_t *value, uint64_t *next)
{
	unsigned int element = id & CODE_ELEMENT;

	for (unsigned int i = 0; i < NR_CPUID_VISIBLE; i++) {
		const uint32_t *reg = td->cpuid->value[i] + (element ? ECX : EAX);

		if (!field_same(id, cpuid_id(i, element)))
			continue;
		*value = reg[0] | (uint64_t)reg[1] << 32;
		if (!element)
			*next = cpuid_id(i, 1);
		else
			*next = i + 1 < NR_CPUID_VISIBLE ? cpuid_id(i + 1, 0) : FIELD_NULL;
		return TDX_SUCCESS;
	}
	return TDX_METADATA_FIELD_ID_INCORRECT;
}

uint64_t td_field_first(void)
{
	return TSC_OFFSET;
}

uint64_t td_field_read(const struct td *td, uint64_t id, uint64_t *value, uint64_t *next)
{
	if (id & FIELD_LAST)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	if (field_same(id, TSC_OFFSET)) {
		*value = td->params.tsc_offset;
		*next = TSC_MULTIPLIER;
		return TDX_SUCCESS;
	}
	if (field_same(id, TSC_MULTIPLIER)) {
		*value = td->params.tsc_multiplier;
		*next = cpuid_id(0, 0);
		return TDX_SUCCESS;
	}
	return read_cpuid(td, id, value, next);
}

static uint64_t read_field(struct call *c, struct td_ref *ref, uint64_t *next)
{
	uint64_t status = td_check(ref, OP_ANY_INIT);

	if (status)
		return status;
	if (call_version(c) && c->in.rdx == FIELD_NULL) {
		*next = td_field_first();
		return TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}
	return td_field_read(ref->td, c->in.rdx, &c->out.r8, next);
}

/*
 * In:  RCX	TDR
 *	RDX	field id; version 1: all ones for the first
 * Out: RDX	version 1: id of the next field, all ones behind the last
 *	R8	value
 */
uint64_t tdh_mng_rd(struct seam *s, struct call *c)
{
	uint64_t next = FIELD_NULL;
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_SHARED, &ref);
	if (!status) {
		status = read_field(c, &ref, &next);
		td_put(&ref);
	}
	c->out.rdx = call_version(c) ? next : c->in.rdx;
	return status;
}
