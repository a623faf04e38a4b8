// SPDX-License-Identifier: GPL-2.0
/*
 * The CPUID of a TD: what KVM_TDX_INIT_VM asks the TDX module for, and the copy
 * of the result that KVM needs in each vCPU.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bits.h>
#include "kvm_tdx.h"
#include "td.h"

#define MAX_ENTRIES		256
#define LEAF_ADDRESS_SIZES	0x80000008
#define LEAF1_ECX_X2APIC	BIT(21)

static struct kvm_cpuid2 *alloc_cpuid(unsigned int nent)
{
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + nent * sizeof(cpuid->entries[0]));
	if (cpuid)
		cpuid->nent = nent;
	return cpuid;
}

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, u32 function, u32 index)
{
	for (u32 i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	return NULL;
}

/* What KVM can do on this CPU, or NULL. */
static struct kvm_cpuid2 *supported_cpuid(struct td *td)
{
	struct kvm_cpuid2 *cpuid = alloc_cpuid(MAX_ENTRIES);
	int ret;

	if (!cpuid)
		return NULL;
	ret = kvm_ioctl_ptr(td->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (!ret)
		return cpuid;
	ioctl_error("KVM_GET_SUPPORTED_CPUID", ret, 0);
	free(cpuid);
	return NULL;
}

/* Of what can be configured, all that KVM can do; and the width of GPAs. */
static void configure_entry(struct td *td, struct kvm_cpuid_entry2 *entry,
			    struct kvm_cpuid2 *supported)
{
	struct kvm_cpuid_entry2 *has = find(supported, entry->function, entry->index);
	static const struct kvm_cpuid_entry2 nothing;

	/* KVM would take the first entry of a leaf for all its subleaves. */
	entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	if (!has)
		has = (struct kvm_cpuid_entry2 *)&nothing;
	entry->eax &= has->eax;
	entry->ebx &= has->ebx;
	entry->ecx &= has->ecx;
	entry->edx &= has->edx;

	if (entry->function == LEAF_ADDRESS_SIZES) {
		entry->eax &= ~0x00ff0000U;
		entry->eax |= td->config.gpaw << 16;
	}
}

struct kvm_tdx_init_vm *td_init_vm_params(struct td *td)
{
	const struct kvm_cpuid2 *config = &td->caps->cpuid;
	struct kvm_cpuid2 *supported = supported_cpuid(td);
	struct kvm_tdx_init_vm *params;

	params = supported ? calloc(1, sizeof(*params) +
				    config->nent * sizeof(config->entries[0])) : NULL;
	if (!params) {
		free(supported);
		return NULL;
	}

	params->attributes = td->config.attributes;
	params->xfam = td->config.xfam;
	memcpy(params->mrconfigid, td->config.mrconfigid, sizeof(params->mrconfigid));
	memcpy(params->mrowner, td->config.mrowner, sizeof(params->mrowner));
	memcpy(params->mrownerconfig, td->config.mrownerconfig, sizeof(params->mrownerconfig));

	params->cpuid.nent = config->nent;
	for (u32 i = 0; i < config->nent; i++) {
		params->cpuid.entries[i] = config->entries[i];
		configure_entry(td, &params->cpuid.entries[i], supported);
	}
	free(supported);
	return params;
}

/* The CPUID that the TDX module gives to the TD, with room for @more entries. */
static struct kvm_cpuid2 *td_cpuid(struct td_vcpu *vcpu, unsigned int more)
{
	struct kvm_cpuid2 *cpuid = alloc_cpuid(MAX_ENTRIES + more);
	int ret;

	if (!cpuid)
		return NULL;
	cpuid->nent = MAX_ENTRIES;
	ret = kvm_tdx_cmd(vcpu->fd, KVM_TDX_GET_CPUID, 0, (u64)cpuid, NULL);
	if (!ret)
		return cpuid;
	ioctl_error("KVM_TDX_GET_CPUID", ret, 0);
	free(cpuid);
	return NULL;
}

/* A leaf that the TDX module knows nothing of, for guests to ask KVM for. */
static void add_hypervisor_leaves(struct kvm_cpuid2 *cpuid)
{
	cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
		.function = 0x40000000,
		.eax = TD_CPUID_LEAF,
	};
	cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
		.function = TD_CPUID_LEAF,
		.eax = TD_CPUID_EAX,
		.ebx = TD_CPUID_EBX,
		.ecx = TD_CPUID_ECX,
		.edx = TD_CPUID_EDX,
	};
}

int td_set_cpuid(struct td_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = td_cpuid(vcpu, 2);
	struct kvm_cpuid_entry2 *entry;
	int ret;

	if (!cpuid)
		return -EIO;
	add_hypervisor_leaves(cpuid);

	/* KVM_TDX_INIT_VCPU wants it; a TD has no other APIC mode. */
	entry = find(cpuid, 1, 0);
	if (entry)
		entry->ecx |= LEAF1_ECX_X2APIC;

	/* GPAs with the shared bit must look legal to KVM. */
	entry = find(cpuid, LEAF_ADDRESS_SIZES, 0);
	if (entry && (entry->eax & 0xff) < vcpu->td->config.gpaw)
		entry->eax = (entry->eax & ~0xffU) | vcpu->td->config.gpaw;

	ret = kvm_ioctl_ptr(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return ret ? ioctl_error("KVM_SET_CPUID2", ret, 0) : 0;
}
