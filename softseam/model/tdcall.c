// SPDX-License-Identifier: GPL-2.0-only
/* TDCALL: from the instruction to the leaf and back. */
#include "tdcall.h"

#define RAX_LEAF	0x000000000000FFFFULL
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

void guest_on_tdcall(struct guest_ctx *x)
{
	uint64_t status;

	if (!guest_in_64bit_mode(x->r) || guest_cpl(x->r)) {
		guest_inject_gp(x);
		return;
	}

	status = run(x);
	if (status == TDCALL_AGAIN)
		return;
	x->r->gpr.rax = status;
	guest_skip_insn(x);
}
