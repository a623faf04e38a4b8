/* SPDX-License-Identifier: GPL-2.0-only */
/* TD_PARAMS: what the host asks of a new TD, and its rules. */
#ifndef SOFTSEAM_TD_PARAMS_H
#define SOFTSEAM_TD_PARAMS_H

#include <stdint.h>

#include "platform.h"
#include "td.h"

#define TD_PARAMS_ALIGN		1024
#define TD_PARAMS_CPUID_SLOTS	48

/* DEBUG, SEPT_VE_DISABLE, MIGRATABLE, PKS, PERFMON. */
#define ATTRIBUTES_FIXED0	0x8000000070000001ULL
#define ATTRIBUTES_FIXED1	0ULL
#define XFAM_FIXED0		0x6DBE7ULL
#define XFAM_FIXED1		0x3ULL

/* As the host writes it to memory. */
struct td_params_page {
	uint64_t attributes, xfam;
	uint16_t max_vcpus;
	uint8_t num_l2_vms, msr_config_ctls;
	uint8_t reserved_20[4];
	uint64_t eptp_controls, config_flags;
	uint16_t tsc_frequency;
	uint8_t reserved_42[38];
	uint8_t mrconfigid[SHA384_BYTES], mrowner[SHA384_BYTES], mrownerconfig[SHA384_BYTES];
	uint64_t arch_cap;
	uint8_t reserved_232[24];
	uint32_t cpuid[TD_PARAMS_CPUID_SLOTS][NR_CPUID_REGS];
};

_Static_assert(sizeof(struct td_params_page) == 1024, "TD_PARAMS size");

/*
 * Check all of @page but its CPUID values and what comes after them, in the
 * interface's order, and fill @to.  Returns a completion status.
 */
uint64_t td_params_check(struct seam *s, struct call *c, const struct td_params_page *page,
			 unsigned int nr_tdcx, struct td_params *to);

/* The check behind CPUID. */
uint64_t td_params_check_arch_cap(const struct td_params_page *page);

/* Level of the entries in the secure EPT's root. */
unsigned int td_params_root_level(const struct td_params *p);

#endif
