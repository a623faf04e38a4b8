// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <string.h>

#include "vmcs.h"

/* A field encoding: bit 0 upper half, 9:1 index, 11:10 type, 14:13 width. */
#define FIELD_HIGH		1ull
#define FIELD_INDEX(f)		(((f) >> 1) & 0x1ff)
#define FIELD_TYPE(f)		(((f) >> 10) & 3)
#define FIELD_WIDTH(f)		(((f) >> 13) & 3)
#define FIELD_RESERVED		(~0x7fffull | 1ull << 12)

#define WIDTH_64		1

/* What a region holds, width by width, behind its 16 byte header. */
struct vmcs_area {
	unsigned int offset;
	unsigned int bytes;
	unsigned int indices;
};

static const struct vmcs_area areas[4] = {
	{ 16, 2, 32 },
	{ 1808, 8, 64 },
	{ 272, 4, 32 },
	{ 784, 8, 32 },
};

_Static_assert(1808 + 4 * 64 * 8 <= VMCS_SIZE, "fields fit a region");

uint32_t vmcs_revision(const void *region)
{
	uint32_t revision;

	memcpy(&revision, region, sizeof(revision));
	return revision;
}

/* Where the field lies, or 0; *@bytes is how many to access. */
static size_t locate(uint64_t field, unsigned int *bytes)
{
	const struct vmcs_area *area = &areas[FIELD_WIDTH(field)];
	bool high = field & FIELD_HIGH;
	size_t slot;

	if ((field & FIELD_RESERVED) || FIELD_INDEX(field) >= area->indices)
		return 0;
	if (high && FIELD_WIDTH(field) != WIDTH_64)
		return 0;

	slot = FIELD_TYPE(field) * area->indices + FIELD_INDEX(field);
	*bytes = high ? 4 : area->bytes;
	return area->offset + slot * area->bytes + (high ? 4 : 0);
}

bool vmcs_read(const void *region, uint64_t field, uint64_t *value)
{
	unsigned int bytes;
	size_t offset = locate(field, &bytes);

	if (!offset)
		return false;
	*value = 0;
	memcpy(value, (const uint8_t *)region + offset, bytes);
	return true;
}

bool vmcs_write(void *region, uint64_t field, uint64_t value)
{
	unsigned int bytes;
	size_t offset = locate(field, &bytes);

	if (!offset)
		return false;
	memcpy((uint8_t *)region + offset, &value, bytes);
	return true;
}
