// SPDX-License-Identifier: GPL-2.0-only
/* TDCALL: from the instruction to the leaf and back. */
#include "platform.h"
#include "tdcall.h"

#define RAX_LEAF	0x000000000000FFFFULL
/* A TD's HP_LOCK_TIMEOUT, as it is by default. */
#define HOST_PRIORITY_TIMEOUT_MS	1000ULL

#define RAX_VERSION	0x0000000000FF0000ULL

static const struct {
	uint64_t (*run)(struct guest_ctx *x);
	/* Highest version in RAX[23:16]. */
	uint8_t version;
} leaves[] = {
	[0] = { .run = tdg_vp_vmcall },
	[1] = { .run = tdg_vp_info },
	[2] = { .run = tdg_mr_rtmr_extend },
	[3] = { .run = tdg_vp_veinfo_get },
	[4] = { .run = tdg_mr_report },
	[6] = { .run = tdg_mem_page_accept },
	[7] = { .run = tdg_vm_rd, .version = 1 },
	[8] = { .run = tdg_vm_wr },
};

static uint64_t run(struct guest_ctx *x)
{
	uint64_t rax = x->r->gpr.rax, leaf = rax & RAX_LEAF;

	if (rax & ~(RAX_LEAF | RAX_VERSION) || leaf >= ARRAY_SIZE(leaves) || !leaves[leaf].run)
		return TDX_OPERAND_INVALID | OPERAND_RAX;
	if ((rax & RAX_VERSION) >> 16 > leaves[leaf].version)
		return TDX_OPERAND_INVALID | OPERAND_RAX;
	return leaves[leaf].run(x);
}

/*
 * The guest sees that something is busy, and not that the host is to have it
 * first.  But a host that does not come for it is told so, when it is too long.
 */
static uint64_t give_way(struct guest_ctx *x, uint64_t status)
{
	uint64_t now = platform_tsc(x->s, x->cpu);
	uint64_t *since = &x->g->gives_way_since;

	if (!*since)
		*since = now;
	else if (now - *since > HOST_PRIORITY_TIMEOUT_MS * x->s->cfg.tsc_khz)
		guest_leave(x, TDX_HOST_PRIORITY_BUSY_TIMEOUT, 0);
	return TDX_OPERAND_BUSY | (status & ~TDX_STATUS_MASK);
}

void guest_on_tdcall(struct guest_ctx *x)
{
	uint64_t status;

	if (!guest_in_64bit_mode(x->r) || guest_cpl(x->r)) {
		guest_inject_gp(x);
		return;
	}

	status = run(x);
	if ((status & TDX_STATUS_MASK) == TDX_OPERAND_BUSY_HOST_PRIORITY)
		status = give_way(x, status);
	else
		x->g->gives_way_since = 0;
	if (status == TDCALL_AGAIN)
		return;
	x->r->gpr.rax = status;
	guest_skip_insn(x);
}
