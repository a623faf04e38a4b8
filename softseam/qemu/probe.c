// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "probe.h"

#define LEAF_EXTENDED		0x80000000u
#define LEAF_EXT_FEATURES	0x80000001u
#define LEAF_ADDRESS_SIZES	0x80000008u
#define LEAF_SVM		0x8000000au

#define EXT_ECX_SVM		(1u << 2)
#define SVM_EDX_NESTED_PAGING	(1u << 0)

/* The shared bit of a TD's addresses is the topmost of these. */
#define GUEST_ADDRESS_BITS	48

static const struct {
	uint32_t first, last, subleaves;
} ranges[] = {
	{ 0x0, 0x3, 1 },
	{ 0x4, 0x4, 5 },
	{ 0x5, 0x6, 1 },
	{ 0x7, 0x7, 3 },
	{ 0x8, 0xa, 1 },
	{ 0xb, 0xb, 3 },
	{ 0xd, 0xd, 32 },
	{ 0xf, 0x10, 4 },
	{ 0x12, 0x12, 4 },
	{ 0x14, 0x14, 2 },
	{ 0x15, 0x16, 1 },
	{ 0x17, 0x18, 4 },
	{ 0x19, 0x1c, 1 },
	{ 0x1d, 0x1e, 2 },
	{ 0x1f, 0x1f, 6 },
	{ 0x20, 0x22, 1 },
	{ 0x23, 0x23, 4 },
	{ 0x24, 0x24, 2 },
	{ LEAF_EXTENDED, LEAF_SVM, 1 },
};

#define NR_RANGES	(sizeof(ranges) / sizeof(ranges[0]))

static void ask(struct probe *probe, uint32_t leaf, uint32_t subleaf)
{
	if (probe->nr < WORLD_PROBE_MAX)
		probe->entry[probe->nr++] = (struct world_probe){ leaf, subleaf, 0, { 0 } };
}

void probe_init(struct probe *probe)
{
	memset(probe, 0, sizeof(*probe));
	for (size_t i = 0; i < NR_RANGES; i++)
		for (uint32_t leaf = ranges[i].first; leaf <= ranges[i].last; leaf++)
			for (uint32_t sub = 0; sub < ranges[i].subleaves; sub++)
				ask(probe, leaf, sub);
	probe->entry[probe->nr - 1].last = 1;
}

static void look_up(const struct probe *probe, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(out[0]));
	for (unsigned int i = 0; i < probe->nr; i++) {
		const struct world_probe *e = &probe->entry[i];

		if (e->leaf == leaf && e->subleaf == subleaf)
			memcpy(out, e->result, sizeof(e->result));
	}
}

/* A CPU answers leaves above the last of their range with those of another leaf. */
void probe_lookup(const struct probe *probe, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	uint32_t range[4];

	look_up(probe, leaf & LEAF_EXTENDED, 0, range);
	look_up(probe, leaf, subleaf, out);
	if (leaf > range[0])
		memset(out, 0, 4 * sizeof(out[0]));
}

const char *probe_missing(const struct probe *probe)
{
	uint32_t ext[4], sizes[4], svm[4];

	probe_lookup(probe, LEAF_EXT_FEATURES, 0, ext);
	probe_lookup(probe, LEAF_ADDRESS_SIZES, 0, sizes);
	probe_lookup(probe, LEAF_SVM, 0, svm);
	if (!(ext[2] & EXT_ECX_SVM))
		return "+svm";
	if (!(svm[3] & SVM_EDX_NESTED_PAGING))
		return "+npt";
	if ((sizes[0] & 0xff) < GUEST_ADDRESS_BITS)
		return "phys-bits=48";
	return NULL;
}
