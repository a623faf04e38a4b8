// SPDX-License-Identifier: GPL-2.0-only
/* TDG.MR: a TD about its measurements. */
#include <nettle/sha2.h>
#include <string.h>

#include "guest_memory.h"
#include "tdreport.h"
#include "tdcall.h"

#define REPORT_ALIGN	1024
#define DATA_ALIGN	64

/*
 * Write a report of what the TD is, and of 64 bytes that it chooses.
 *
 * In:  RCX	GPA of the report, a multiple of 1024
 *	RDX	GPA of the data, a multiple of 64
 *	R8	0
 */
uint64_t tdg_mr_report(struct guest_ctx *x)
{
	const struct seam_regs *r = &x->r->gpr;
	struct report report;
	const void *data;
	uint64_t status;
	void *to;

	to = guest_operand(x, r->rcx, REPORT_ALIGN, OPERAND_RCX, &status);
	if (!to)
		return status ? status : TDCALL_AGAIN;
	data = guest_operand(x, r->rdx, DATA_ALIGN, OPERAND_RDX, &status);
	if (!data)
		return status ? status : TDCALL_AGAIN;
	if (r->r8)
		return TDX_OPERAND_INVALID | OPERAND_R8;

	if (!lock_try_shared(&x->td->rtmr_lock))
		return TDX_OPERAND_BUSY | OPERAND_RTMR;
	report_fill(x->td, data, &report);
	lock_release(&x->td->rtmr_lock, LOCK_SHARED);
	memcpy(to, &report, sizeof(report));
	return TDX_SUCCESS;
}

/*
 * RTMR = SHA-384(RTMR | data)
 *
 * In:  RCX	GPA of 48 bytes, a multiple of 64
 *	RDX	which RTMR
 */
uint64_t tdg_mr_rtmr_extend(struct guest_ctx *x)
{
	const struct seam_regs *r = &x->r->gpr;
	struct sha384_ctx ctx;
	const uint8_t *data;
	uint64_t status;
	uint8_t *rtmr;

	data = guest_operand(x, r->rcx, DATA_ALIGN, OPERAND_RCX, &status);
	if (!data)
		return status ? status : TDCALL_AGAIN;
	if (r->rdx >= TD_NR_RTMRS)
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	if (!lock_try_exclusive(&x->td->rtmr_lock))
		return TDX_OPERAND_BUSY | OPERAND_RTMR;

	rtmr = x->td->rtmr[r->rdx];
	sha384_init(&ctx);
	sha384_update(&ctx, SHA384_BYTES, rtmr);
	sha384_update(&ctx, SHA384_BYTES, data);
	sha384_digest(&ctx, SHA384_BYTES, rtmr);
	lock_release(&x->td->rtmr_lock, LOCK_EXCLUSIVE);
	return TDX_SUCCESS;
}
