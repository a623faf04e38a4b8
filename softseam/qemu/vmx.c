// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX as far as a host needs it that runs TDs: VMX operation, SEAMCALL, VMCS
 * regions, invalidations.  Guests of plain VMX do not run here, so VMLAUNCH and
 * VMRESUME fail as they do for a VMCS with wrong controls.
 */
#include "execute.h"
#include "gprs.h"
#include "msr.h"
#include "ram.h"
#include "report.h"
#include "run_td.h"
#include "vmcs.h"

/* VM-instruction errors */
enum vm_error {
	VM_ERROR_VMCLEAR_ADDRESS	= 2,
	VM_ERROR_VMCLEAR_VMXON		= 3,
	VM_ERROR_VMRESUME_NOT_LAUNCHED	= 5,
	VM_ERROR_ENTRY_CONTROLS		= 7,
	VM_ERROR_VMPTRLD_ADDRESS	= 9,
	VM_ERROR_VMPTRLD_VMXON		= 10,
	VM_ERROR_VMPTRLD_REVISION	= 11,
	VM_ERROR_NO_SUCH_FIELD		= 12,
	VM_ERROR_VMXON_IN_VMX		= 15,
	VM_ERROR_INVALIDATION_OPERAND	= 28,
};

#define INVEPT_SINGLE		1
#define INVEPT_GLOBAL		2
#define INVVPID_ALL		2
#define INVVPID_SINGLE_KEEP	3

static struct outcome vm_succeed(void)
{
	return outcome_flags(false, false);
}

static struct outcome vm_fail_invalid(void)
{
	return outcome_flags(true, false);
}

static void *region(const struct site *site, uint64_t pa)
{
	return ram_pointer(site->platform->ram, pa, VMCS_SIZE);
}

static struct outcome vm_fail(struct vcpu *v, const struct site *site,
			      enum vm_error error)
{
	if (v->vmcs_pa == NO_VMCS)
		return vm_fail_invalid();
	vmcs_write(region(site, v->vmcs_pa), VMCS_VM_INSTRUCTION_ERROR, error);
	return outcome_flags(false, true);
}

static uint64_t operand_address(struct vcpu *v, const struct site *site)
{
	return vcpu_effective_address(v, &site->insn.mem,
				      site->pc + site->insn.len);
}

/* The 64-bit memory operand of VMXON, VMPTRLD and VMCLEAR: an address. */
static bool load_pointer(struct vcpu *v, const struct site *site, uint64_t *pa,
			 struct outcome *failed)
{
	uint64_t va = operand_address(v, site);

	if (vcpu_load(v, va, pa, sizeof(*pa)))
		return true;
	*failed = outcome_pf(va);
	return false;
}

static bool is_region(const struct site *site, uint64_t pa)
{
	return !(pa % VMCS_SIZE) && region(site, pa);
}

static bool vmxon_allowed(struct vcpu *v)
{
	uint64_t cr0 = vcpu_read(v, REG_CR0);
	uint64_t cr4 = vcpu_read(v, REG_CR4) | CR4_VMXE;

	return (cr0 & VMX_CR0_FIXED0) == VMX_CR0_FIXED0 &&
	       (cr4 & VMX_CR4_FIXED0) == VMX_CR4_FIXED0 &&
	       !(cr4 & ~VMX_CR4_FIXED1);
}

static struct outcome vmxon(struct vcpu *v, const struct site *site)
{
	struct outcome failed;
	uint64_t pa;

	if (v->vmxon)
		return vm_fail(v, site, VM_ERROR_VMXON_IN_VMX);
	if (!vmxon_allowed(v))
		return outcome_gp();
	if (!load_pointer(v, site, &pa, &failed))
		return failed;
	if (!is_region(site, pa) ||
	    vmcs_revision(region(site, pa)) != VMX_REVISION)
		return vm_fail_invalid();

	v->vmxon = true;
	v->vmxon_pa = pa;
	v->vmcs_pa = NO_VMCS;
	return vm_succeed();
}

static struct outcome vmxoff(struct vcpu *v, const struct site *site)
{
	v->vmxon = false;
	v->vmcs_pa = NO_VMCS;
	platform_vmxoff(site->platform);
	return vm_succeed();
}

static struct outcome vmptrld(struct vcpu *v, const struct site *site)
{
	struct outcome failed;
	uint64_t pa;

	if (!load_pointer(v, site, &pa, &failed))
		return failed;
	if (!is_region(site, pa))
		return vm_fail(v, site, VM_ERROR_VMPTRLD_ADDRESS);
	if (pa == v->vmxon_pa)
		return vm_fail(v, site, VM_ERROR_VMPTRLD_VMXON);
	if (vmcs_revision(region(site, pa)) != VMX_REVISION)
		return vm_fail(v, site, VM_ERROR_VMPTRLD_REVISION);
	v->vmcs_pa = pa;
	return vm_succeed();
}

static struct outcome vmptrst(struct vcpu *v, const struct site *site)
{
	uint64_t va = operand_address(v, site);

	if (!vcpu_store(v, va, &v->vmcs_pa, sizeof(v->vmcs_pa)))
		return outcome_pf(va);
	return vm_succeed();
}

static struct outcome vmclear(struct vcpu *v, const struct site *site)
{
	struct outcome failed;
	uint64_t pa;

	if (!load_pointer(v, site, &pa, &failed))
		return failed;
	if (!is_region(site, pa))
		return vm_fail(v, site, VM_ERROR_VMCLEAR_ADDRESS);
	if (pa == v->vmxon_pa)
		return vm_fail(v, site, VM_ERROR_VMCLEAR_VMXON);
	if (pa == v->vmcs_pa)
		v->vmcs_pa = NO_VMCS;
	return vm_succeed();
}

static struct outcome vmread(struct vcpu *v, const struct site *site)
{
	const struct insn *insn = &site->insn;
	uint64_t value, va;

	if (v->vmcs_pa == NO_VMCS)
		return vm_fail_invalid();
	if (!vmcs_read(region(site, v->vmcs_pa), vcpu_read(v, insn->reg), &value))
		return vm_fail(v, site, VM_ERROR_NO_SUCH_FIELD);
	if (insn->rm != INSN_NO_REG) {
		vcpu_write(v, insn->rm, value);
		return vm_succeed();
	}
	va = operand_address(v, site);
	if (!vcpu_store(v, va, &value, sizeof(value)))
		return outcome_pf(va);
	return vm_succeed();
}

static struct outcome vmwrite(struct vcpu *v, const struct site *site)
{
	const struct insn *insn = &site->insn;
	uint64_t value, va;

	if (v->vmcs_pa == NO_VMCS)
		return vm_fail_invalid();
	if (insn->rm != INSN_NO_REG) {
		value = vcpu_read(v, insn->rm);
	} else {
		va = operand_address(v, site);
		if (!vcpu_load(v, va, &value, sizeof(value)))
			return outcome_pf(va);
	}
	if (!vmcs_write(region(site, v->vmcs_pa), vcpu_read(v, insn->reg), value))
		return vm_fail(v, site, VM_ERROR_NO_SUCH_FIELD);
	return vm_succeed();
}

static struct outcome vm_enter(struct vcpu *v, const struct site *site)
{
	static atomic_bool said;

	if (!atomic_exchange(&said, true))
		report("the host tried to run a VM that is not a TD; softseam runs TDs only, so VM entry fails");
	return vm_fail(v, site, site->insn.kind == INSN_VMLAUNCH ?
				VM_ERROR_ENTRY_CONTROLS :
				VM_ERROR_VMRESUME_NOT_LAUNCHED);
}

static struct outcome invept(struct vcpu *v, const struct site *site)
{
	uint64_t va = operand_address(v, site);
	uint64_t type = vcpu_read(v, site->insn.reg);
	uint64_t descriptor[2];

	if (type != INVEPT_SINGLE && type != INVEPT_GLOBAL)
		return vm_fail(v, site, VM_ERROR_INVALIDATION_OPERAND);
	if (!vcpu_load(v, va, descriptor, sizeof(descriptor)))
		return outcome_pf(va);
	td_invept(v);
	return vm_succeed();
}

static struct outcome invvpid(struct vcpu *v, const struct site *site)
{
	uint64_t va = operand_address(v, site);
	uint64_t type = vcpu_read(v, site->insn.reg);
	uint64_t descriptor[2];

	if (type > INVVPID_SINGLE_KEEP)
		return vm_fail(v, site, VM_ERROR_INVALIDATION_OPERAND);
	if (!vcpu_load(v, va, descriptor, sizeof(descriptor)))
		return outcome_pf(va);
	if (descriptor[0] >> 16 ||
	    (type != INVVPID_ALL && !descriptor[0]))
		return vm_fail(v, site, VM_ERROR_INVALIDATION_OPERAND);
	return vm_succeed();
}

static struct outcome seamcall(struct vcpu *v, struct site *site)
{
	struct seam_regs in, out;
	char reason[WINDOW_REASON];

	/* The first call comes when firmware and the kernel have set all up. */
	if (site->platform->window && !site->platform->probe.done &&
	    window_locate(site->platform->window, reason, sizeof(reason)))
		td_probe(v, site);

	in = (struct seam_regs){ 0 };
	gprs_read(v, &in, GPRS_ALL);
	out = in;
	switch (platform_seamcall(site->platform, v, &out)) {
	case SEAM_END_RUN_GUEST:
		td_enter(v, site);
	case SEAM_END_DONE:
		gprs_write(v, &out, gprs_changed(&in, &out));
		return vm_succeed();
	case SEAM_END_VMFAILINVALID:
		return vm_fail_invalid();
	case SEAM_END_GP:
		return outcome_gp();
	default:
		return outcome_to_tcg();
	}
}

static struct outcome vmx_execute_in_root(struct vcpu *v, struct site *site)
{
	switch (site->insn.kind) {
	case INSN_SEAMCALL:
		return seamcall(v, site);
	case INSN_VMXOFF:
		return vmxoff(v, site);
	case INSN_VMPTRLD:
		return vmptrld(v, site);
	case INSN_VMPTRST:
		return vmptrst(v, site);
	case INSN_VMCLEAR:
		return vmclear(v, site);
	case INSN_VMREAD:
		return vmread(v, site);
	case INSN_VMWRITE:
		return vmwrite(v, site);
	case INSN_VMLAUNCH:
	case INSN_VMRESUME:
		return vm_enter(v, site);
	case INSN_INVEPT:
		return invept(v, site);
	case INSN_INVVPID:
		return invvpid(v, site);
	default:
		return outcome_to_tcg();
	}
}

struct outcome vmx_execute(struct vcpu *v, struct site *site)
{
	/* Left to TCG, all of these are #UD. */
	if (!vcpu_in_kernel(v) || !site->platform->seam)
		return outcome_to_tcg();
	if (site->insn.kind == INSN_VMXON)
		return v->vmxe ? vmxon(v, site) : outcome_to_tcg();
	return v->vmxon ? vmx_execute_in_root(v, site) : outcome_to_tcg();
}
