// SPDX-License-Identifier: GPL-2.0-only
/* The rules of TD_PARAMS. */
#include <string.h>

#include "leaves.h"
#include "td_params.h"

#define XFAM_AVX		(1ULL << 2)
#define XFAM_AVX512		(7ULL << 5)
#define XFAM_CET		(3ULL << 11)
#define XFAM_AMX		(3ULL << 17)

#define EPTP_MEMTYPE		0x7ULL
#define EPTP_WB			6
#define EPTP_WALK_SHIFT		3
#define EPTP_WALK		0x7ULL
#define EPTP_KNOWN		0x3FULL
/* Physical address bits without which 5-level EPT makes no sense. */
#define MIN_MAXPA_5_LEVELS	49

#define TSC_UNIT_HZ		25000000
#define TSC_MIN			4
#define TSC_MAX			400

#define MAX_L2_VMS		3
/* TDCS pages that each of a TD's nested VMs needs on top. */
#define TDCS_PAGES_PER_L2_VM	3U

/* MSR_CONFIG_CTLS: the host gives IA32_ARCH_CAPABILITIES. */
#define MSR_CONFIG_ARCH_CAP	0x01
/* SSB_NO, RRSBA, BHI_NO, PBRSB_NO: all others are fixed. */
#define ARCH_CAP_KNOWN		0x01180010ULL

static bool attributes_valid(uint64_t attributes)
{
	if (attributes & ~ATTRIBUTES_FIXED0 || ~attributes & ATTRIBUTES_FIXED1)
		return false;
	return !(attributes & TD_ATTR_MIGRATABLE) ||
	       !(attributes & (TD_ATTR_DEBUG | TD_ATTR_PERFMON));
}

/* Components that only make sense together. */
static bool all_or_none(uint64_t xfam, uint64_t mask)
{
	return !(xfam & mask) || (xfam & mask) == mask;
}

static bool xfam_valid(uint64_t xfam, uint64_t supported)
{
	if (xfam & ~(XFAM_FIXED0 & supported) || ~xfam & XFAM_FIXED1)
		return false;
	if (xfam & XFAM_AVX512 && !(xfam & XFAM_AVX))
		return false;
	return all_or_none(xfam, XFAM_AVX512) && all_or_none(xfam, XFAM_CET) &&
	       all_or_none(xfam, XFAM_AMX);
}

static bool config_flags_valid(const struct seam *s, uint64_t flags)
{
	uint64_t allowed = TD_CONFIG_GPAW_52;

	if (s->cfg.features0 & FEATURE_NO_RBP_MOD)
		allowed |= TD_CONFIG_NO_RBP_MOD;
	return !(flags & ~allowed);
}

static unsigned int ept_levels(uint64_t eptp)
{
	return (unsigned int)(eptp >> EPTP_WALK_SHIFT & EPTP_WALK) + 1;
}

static bool eptp_valid(const struct seam *s, uint64_t eptp, uint64_t flags)
{
	unsigned int levels = ept_levels(eptp);

	if (eptp & ~EPTP_KNOWN || (eptp & EPTP_MEMTYPE) != EPTP_WB)
		return false;
	if (levels < 4 || levels > s->cfg.ept_levels)
		return false;
	if (levels == 5 && s->cfg.maxpa < MIN_MAXPA_5_LEVELS)
		return false;
	return levels == 5 || !(flags & TD_CONFIG_GPAW_52);
}

static bool is_zero(const uint8_t *bytes, size_t nr)
{
	while (nr--) {
		if (bytes[nr])
			return false;
	}
	return true;
}

/* Up to the first reserved bytes. */
static uint64_t check_head(struct seam *s, const struct td_params_page *page,
			   unsigned int nr_tdcx)
{
	if (!attributes_valid(page->attributes))
		return TDX_OPERAND_INVALID | OPERAND_ATTRIBUTES;
	if (!xfam_valid(page->xfam, s->platform.xfam))
		return TDX_OPERAND_INVALID | OPERAND_XFAM;
	if (!page->max_vcpus || page->max_vcpus > TD_MAX_VCPUS)
		return TDX_OPERAND_INVALID | OPERAND_MAX_VCPUS;
	if (page->num_l2_vms > MAX_L2_VMS)
		return TDX_OPERAND_INVALID | OPERAND_NUM_L2;
	if (nr_tdcx < TDCS_PAGES + TDCS_PAGES_PER_L2_VM * page->num_l2_vms)
		return TDX_TDCS_NOT_ALLOCATED;
	if (!is_zero(page->reserved_20, sizeof(page->reserved_20)))
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	return TDX_SUCCESS;
}

/* From there to the CPUID values. */
static uint64_t check_tail(struct seam *s, struct call *c, const struct td_params_page *page)
{
	uint64_t status;

	if (!config_flags_valid(s, page->config_flags))
		return TDX_OPERAND_INVALID | OPERAND_CONFIG_FLAGS;
	if (!eptp_valid(s, page->eptp_controls, page->config_flags))
		return TDX_OPERAND_INVALID | OPERAND_EPTP;
	if (page->tsc_frequency < TSC_MIN || page->tsc_frequency > TSC_MAX)
		return TDX_OPERAND_INVALID | OPERAND_TSC_FREQ;
	status = platform_check_tsc_adjust(s, c->cpu);
	if (status)
		return status;
	if (!is_zero(page->reserved_42, sizeof(page->reserved_42)) ||
	    page->msr_config_ctls & ~MSR_CONFIG_ARCH_CAP ||
	    !is_zero(page->reserved_232, sizeof(page->reserved_232)))
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	return TDX_SUCCESS;
}

/* Time starts at 0 for the TD. */
static void set_tsc(const struct seam *s, struct call *c, struct td_params *to)
{
	uint64_t native_hz = s->cfg.tsc_khz * 1000ULL;
	uint64_t virtual_hz = (uint64_t)to->tsc_frequency * TSC_UNIT_HZ;
	uint64_t tsc = platform_tsc(s, c->cpu);

	to->tsc_multiplier = (uint64_t)(((unsigned __int128)virtual_hz << 48) / native_hz);
	to->tsc_offset = 0 - (uint64_t)((unsigned __int128)tsc * to->tsc_multiplier >> 48);
}

uint64_t td_params_check(struct seam *s, struct call *c, const struct td_params_page *page,
			 unsigned int nr_tdcx, struct td_params *to)
{
	uint64_t status = check_head(s, page, nr_tdcx);

	if (!status)
		status = check_tail(s, c, page);
	if (status)
		return status;

	*to = (struct td_params){
		.attributes = page->attributes,
		.xfam = page->xfam,
		.config_flags = page->config_flags,
		.eptp_controls = page->eptp_controls,
		.max_vcpus = page->max_vcpus,
		.tsc_frequency = page->tsc_frequency,
		.num_l2_vms = page->num_l2_vms,
		.arch_cap = page->arch_cap,
		.gpaw = page->config_flags & TD_CONFIG_GPAW_52 ? 52 : 48,
	};
	memcpy(to->mrconfigid, page->mrconfigid, SHA384_BYTES);
	memcpy(to->mrowner, page->mrowner, SHA384_BYTES);
	memcpy(to->mrownerconfig, page->mrownerconfig, SHA384_BYTES);
	set_tsc(s, c, to);
	return TDX_SUCCESS;
}

uint64_t td_params_check_arch_cap(const struct td_params_page *page)
{
	uint64_t allowed = page->msr_config_ctls & MSR_CONFIG_ARCH_CAP ? ARCH_CAP_KNOWN : 0;

	return page->arch_cap & ~allowed ? TDX_OPERAND_INVALID | OPERAND_ARCH_CAP : TDX_SUCCESS;
}

unsigned int td_params_root_level(const struct td_params *p)
{
	return ept_levels(p->eptp_controls) - 1;
}
