/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMX capabilities that the platform reports and that VMX keeps to. */
#ifndef SOFTSEAM_MSR_H
#define SOFTSEAM_MSR_H

#include <stdint.h>

#include "seam.h"
#include "vcpu.h"

/* Locked by firmware, with VMX allowed outside SMX. */
#define VMX_FEATURE_CONTROL		0x5ull

#define VMX_REVISION			1u
/* 4 KiB regions, write-back, TRUE controls, bit 60: SEAMRET keeps the VMCS. */
#define VMX_BASIC			(0x10d8100000000000ull | VMX_REVISION)
#define VMX_CR0_FIXED0			0x80000021ull
#define VMX_CR0_FIXED1			0xffffffffull
#define VMX_CR4_FIXED0			0x2000ull
/* All that TCG has: it refuses the rest itself. */
#define VMX_CR4_FIXED1			0x1773fffull
/* INVEPT of one context and global; INVVPID of all four types. */
#define VMX_EPT_VPID_CAP		0xf0106734141ull

/* What RDMSR of @msr gives on @v, for an MSR that the model asks for. */
uint64_t msr_peek(const struct seam_config *cfg, const struct vcpu *v,
		  uint32_t msr);

#endif
