// SPDX-License-Identifier: GPL-2.0-only
/* MRTD, TDH.MR.EXTEND and TDH.MR.FINALIZE. */
#include <string.h>

#include "gpa.h"
#include "leaves.h"
#include "mr.h"
#include "own.h"
#include "plain.h"
#include "range.h"

/* What MRTD hashes for each call: the leaf's name, a GPA, zeroes. */
struct mr_record {
	char name[16];
	uint64_t gpa;
	uint8_t zero[104];
};

_Static_assert(sizeof(struct mr_record) == 128, "MRTD record size");

static void add_record(struct td *td, const char *name, uint64_t gpa)
{
	struct mr_record r = { .gpa = gpa };

	memcpy(r.name, name, strlen(name));
	sha384_update(&td->mrtd_ctx, sizeof(r), (const uint8_t *)&r);
}

void mr_init(struct td *td)
{
	sha384_init(&td->mrtd_ctx);
}

void mr_page_add(struct td *td, uint64_t gpa)
{
	add_record(td, "MEM.PAGE.ADD", gpa);
}

void mr_extend(struct td *td, uint64_t gpa, const uint8_t *data)
{
	add_record(td, "MR.EXTEND", gpa);
	sha384_update(&td->mrtd_ctx, MR_EXTEND_BYTES, data);
}

void mr_finalize(struct td *td)
{
	sha384_digest(&td->mrtd_ctx, sizeof(td->mrtd), td->mrtd);
}

static uint64_t extend(struct seam *s, struct call *c, struct td_ref *ref)
{
	struct td *td = ref->td;
	struct gpa_ref gpa = { .gpa = c->in.rcx };
	uint64_t status = td_check(ref, OP_BIT(OP_INIT));

	if (status)
		return status;
	if (gpa.gpa % MR_EXTEND_BYTES || !gpa_is_private(td, gpa.gpa))
		return TDX_OPERAND_INVALID | OPERAND_RCX;

	sept_walk(&td->sept, gpa.gpa, 0, &gpa.walk);
	if (gpa.walk.state != SEPT_MAPPED)
		return gpa_error(c, &gpa, TDX_EPT_ENTRY_NOT_PRESENT | OPERAND_RCX);

	own_check_intact(s, c, pamt_entry(&s->pamt, gpa.walk.hpa, (enum page_size)gpa.walk.level),
			 gpa.walk.hpa, (enum page_size)gpa.walk.level, td);
	mr_extend(td, gpa.gpa,
		  (const uint8_t *)plain_at(s, gpa.walk.hpa) + gpa.gpa % SZ_4K);
	return TDX_SUCCESS;
}

/*
 * In:  RCX	GPA, 256-byte aligned
 *	RDX	TDR
 * Out: RCX	on an EPT error: the entry
 *	RDX	its level and state
 */
uint64_t tdh_mr_extend(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rdx, OPERAND_RDX, LOCK_EXCLUSIVE, &ref);
	if (status)
		return status;
	status = extend(s, c, &ref);
	td_put(&ref);
	return status;
}

static uint64_t finalize(struct td_ref *ref)
{
	struct td *td = ref->td;
	uint64_t status = td_check(ref, OP_BIT(OP_INIT));

	if (status)
		return status;
	if (!atomic_load(&td->nr_vcpus))
		return TDX_TD_NO_VCPUS;
	mr_finalize(td);
	atomic_store(&td->op_state, OP_RUNNABLE);
	return TDX_SUCCESS;
}

/*
 * INIT -> RUNNABLE
 *
 * In: RCX	TDR
 */
uint64_t tdh_mr_finalize(struct seam *s, struct call *c)
{
	struct td_ref ref;
	uint64_t status;

	status = td_get(s, c, c->in.rcx, OPERAND_RCX, LOCK_EXCLUSIVE, &ref);
	if (status)
		return status;
	status = finalize(&ref);
	td_put(&ref);
	return status;
}
