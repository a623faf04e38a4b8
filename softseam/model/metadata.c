// SPDX-License-Identifier: GPL-2.0-only
/* The table of global metadata fields. */
#include <stdbool.h>

#include "field_id.h"
#include "leaves.h"
#include "metadata.h"
#include "range.h"
#include "td_params.h"

#define TDR_BYTES		(1 * SZ_4K)
#define TDCS_BYTES		(TDCS_PAGES * SZ_4K)
#define SPDM_DEV_INFO_PAGES	32
#define TDVPS_BYTES		((1 + TDVPS_CHILD_PAGES) * SZ_4K)

struct field {
	uint64_t id;
	/* Elements have consecutive ids. */
	unsigned int elements;
	/* The module has the field if FEATURES0 has one of these; 0: always. */
	uint64_t features;
	/* There is no value before SYS.CONFIG, and the id must have the right size. */
	bool after_config;
	/* What it holds: a constant, or else what this returns. */
	uint64_t value;
	uint64_t (*read)(const struct seam *s, unsigned int element);
};

static uint64_t read_minor(const struct seam *s, unsigned int element)
{
	(void)element;
	return s->cfg.minor;
}

static uint64_t read_major(const struct seam *s, unsigned int element)
{
	(void)element;
	return s->cfg.major;
}

static uint64_t read_update(const struct seam *s, unsigned int element)
{
	(void)element;
	return s->cfg.update;
}

static uint64_t read_features0(const struct seam *s, unsigned int element)
{
	(void)element;
	return s->cfg.features0;
}

static uint64_t read_xfam_fixed0(const struct seam *s, unsigned int element)
{
	(void)element;
	return XFAM_FIXED0 & s->platform.xfam;
}

static uint64_t read_cpuid_leaf(const struct seam *s, unsigned int element)
{
	(void)s;
	return cpuid_config_leaf(element);
}

/* Two elements an entry: EBX:EAX, then EDX:ECX. */
static uint64_t read_cpuid_values(const struct seam *s, unsigned int element)
{
	const uint32_t *reg = s->platform.cpuid_config[element / 2];

	if (element % 2)
		reg += ECX;
	return reg[0] | (uint64_t)reg[1] << 32;
}

static uint64_t read_pool_lacks(const struct seam *s, unsigned int element)
{
	(void)element;
	return atomic_load(&s->ext.pool_lacks);
}

static uint64_t read_ext_required(const struct seam *s, unsigned int element)
{
	(void)element;
	return s->ext.required;
}

static uint64_t read_iommu_mt_pages(const struct seam *s, unsigned int element)
{
	(void)element;
	return s->cfg.iommu_mt_pages;
}

static uint64_t read_spdm_mt_pages(const struct seam *s, unsigned int element)
{
	(void)element;
	return s->cfg.spdm_mt_pages;
}

static uint64_t read_ide_mt_pages(const struct seam *s, unsigned int element)
{
	(void)element;
	return s->cfg.ide_mt_pages;
}

static const struct field fields[] = {
	{ 0x0800000100000003, 1, .read = read_minor },
	{ 0x0800000100000004, 1, .read = read_major },
	{ 0x0800000100000005, 1, .read = read_update },
	{ 0x8900000100000000, 1, .features = FEATURE_TD_PRESERVING, .value = 0 },
	{ 0x0A00000300000008, 1, .read = read_features0 },
	{ 0x9100000100000008, 1, .value = MAX_TDMRS },
	{ 0x9100000100000009, 1, .value = MAX_RESERVED_PER_TDMR },
	{ 0x9100000100000010, 1, .value = PAMT_ENTRY_SIZE },
	{ 0x9100000100000011, 1, .value = PAMT_ENTRY_SIZE },
	{ 0x9100000100000012, 1, .value = PAMT_ENTRY_SIZE },
	{ 0x9100000100000013, 1, .features = FEATURE_DYNAMIC_PAMT, .value = 1 },
	{ 0x9800000100000000, 1, .value = TDR_BYTES },
	{ 0x9800000100000100, 1, .value = TDCS_BYTES },
	{ 0x9800000100000200, 1, .value = TDVPS_BYTES },
	{ 0x1900000300000000, 1, .value = ATTRIBUTES_FIXED0 },
	{ 0x1900000300000001, 1, .value = ATTRIBUTES_FIXED1 },
	{ 0x1900000300000002, 1, .read = read_xfam_fixed0 },
	{ 0x1900000300000003, 1, .value = XFAM_FIXED1 },
	{ 0x9900000100000004, 1, .value = NR_CPUID_CONFIG },
	{ 0x9900000100000008, 1, .value = TD_MAX_VCPUS },
	{ 0x9900000300000400, NR_CPUID_CONFIG, .read = read_cpuid_leaf },
	{ 0x9900000300000500, 2 * NR_CPUID_CONFIG, .read = read_cpuid_values },
	{ 0x3000000100000001, 1, .features = FEATURE_TDXCONNECT, .read = read_ide_mt_pages },
	{ 0x3000000100000002, 1, .features = FEATURE_TDXCONNECT, .read = read_spdm_mt_pages },
	{ 0x3000000100000003, 1, .features = FEATURE_TDXCONNECT, .read = read_iommu_mt_pages },
	{ 0x3000000100000007, 1, .features = FEATURE_TDXCONNECT, .value = SPDM_DEV_INFO_PAGES },
	{ 0x3100000200000000, 1, .features = FEATURE_EXT, .after_config = true,
	  .read = read_pool_lacks },
	{ 0x3100000000000001, 1, .features = FEATURE_EXT, .after_config = true,
	  .read = read_ext_required },
};

static bool available(const struct seam *s, const struct field *f)
{
	return !f->features || s->cfg.features0 & f->features;
}

static bool readable(const struct seam *s, const struct field *f)
{
	return !f->after_config || atomic_load(&s->sys_state) >= SYS_SYSCONFIG_DONE;
}

/* The id of the first element of the first field from @i on that has a value. */
static uint64_t first_from(const struct seam *s, size_t i)
{
	for (; i < ARRAY_SIZE(fields); i++) {
		if (available(s, &fields[i]) && readable(s, &fields[i]))
			return fields[i].id;
	}
	return FIELD_NULL;
}

static bool matches(const struct field *f, uint64_t id, unsigned int *element)
{
	uint64_t offset = (id & FIELD_CODE) - (f->id & FIELD_CODE);

	if ((id ^ f->id) & FIELD_CLASS || offset >= f->elements)
		return false;
	if (f->after_config && (id ^ f->id) & FIELD_SIZE)
		return false;
	*element = (unsigned int)offset;
	return true;
}

uint64_t metadata_read(const struct seam *s, uint64_t id, uint64_t *value, uint64_t *next)
{
	unsigned int element;

	if (id == FIELD_NULL) {
		*next = first_from(s, 0);
		return TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}
	if (id & FIELD_LAST)
		return TDX_METADATA_FIELD_ID_INCORRECT;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];

		if (!available(s, f) || !matches(f, id, &element))
			continue;
		if (!readable(s, f))
			return TDX_METADATA_FIELD_NOT_READABLE;
		*value = f->read ? f->read(s, element) : f->value;
		*next = element + 1 < f->elements ? f->id + element + 1 : first_from(s, i + 1);
		return TDX_SUCCESS;
	}
	return TDX_METADATA_FIELD_ID_INCORRECT;
}
