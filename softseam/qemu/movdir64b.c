// SPDX-License-Identifier: GPL-2.0-only
#include "execute.h"

#define MOVDIR64B_SIZE	64

struct outcome movdir64b_execute(struct vcpu *v, const struct site *site)
{
	const struct insn *insn = &site->insn;
	uint8_t data[MOVDIR64B_SIZE];
	uint64_t src, dst;

	/* TCG's #UD for user space: page permissions are not looked at here. */
	if (!vcpu_in_kernel(v))
		return outcome_to_tcg();

	src = vcpu_effective_address(v, &insn->mem, site->pc + insn->len);
	dst = vcpu_read(v, insn->reg);
	if (insn->mem.addr32)
		dst = (uint32_t)dst;
	if (dst % MOVDIR64B_SIZE)
		return outcome_gp();
	if (!vcpu_load(v, src, data, sizeof(data)))
		return outcome_pf(src);
	if (!vcpu_store(v, dst, data, sizeof(data)))
		return outcome_pf(dst);
	platform_movdir64b(site->platform, v, dst);
	return outcome_done();
}
