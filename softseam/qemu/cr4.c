// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCG has no VMX and refuses CR4.VMXE.  So the bit lives in struct vcpu, and
 * the moves that it matters for are executed here.
 */
#include "execute.h"

static struct outcome mov_to_cr4(struct vcpu *v, const struct site *site)
{
	uint64_t value = vcpu_read(v, site->insn.rm);
	bool vmxe = value & CR4_VMXE;

	/* Outside long mode this is a CPU on its way up after INIT. */
	if (!vcpu_in_long_mode(v) && !v->vmxon)
		v->vmxe = false;
	if (!vcpu_in_kernel(v))
		return outcome_to_tcg();
	if (v->vmxon && !vmxe)
		return outcome_gp();
	if (!vmxe) {
		v->vmxe = false;
		return outcome_to_tcg();
	}
	vcpu_write(v, REG_CR4, value & ~CR4_VMXE);
	v->vmxe = true;
	return outcome_done();
}

static struct outcome mov_from_cr4(struct vcpu *v, const struct site *site)
{
	if (!v->vmxe || !vcpu_in_kernel(v))
		return outcome_to_tcg();
	vcpu_write(v, site->insn.rm, vcpu_read(v, REG_CR4) | CR4_VMXE);
	return outcome_done();
}

struct outcome cr4_execute(struct vcpu *v, const struct site *site)
{
	if (site->insn.kind == INSN_MOV_TO_CR4)
		return mov_to_cr4(v, site);
	return mov_from_cr4(v, site);
}
