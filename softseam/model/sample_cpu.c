// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include <string.h>

#include "cpuid_table.h"
#include "sample_cpu.h"

static const struct {
	uint32_t leaf, subleaf;
	uint32_t reg[NR_CPUID_REGS];
} sample[] = {
	/* "GenuineIntel" */
	{ 0x0, 0, { 0x23, 0x756E6547, 0x6C65746E, 0x49656E69 } },
	{ 0x1, 0, { 0x000A06D1, 0x00000800, 0x7FFEFBFF, 0xBFEBFBFF } },
	/* Caches: 48K data, 32K instructions, 2M, 32M. */
	{ 0x4, 0, { 0x00000121, 0x02C0003F, 0x0000003F, 0 } },
	{ 0x4, 1, { 0x00000122, 0x01C0003F, 0x0000003F, 0 } },
	{ 0x4, 2, { 0x00000143, 0x03C0003F, 0x000007FF, 0 } },
	{ 0x4, 3, { 0x00000163, 0x03C0003F, 0x00007FFF, 0x4 } },
	{ 0x7, 0, { 0x2, 0xF3BFBFFB, 0x19000000, 0xFC000400 } },
	{ 0x7, 2, { 0, 0, 0, 0x17 } },
	/* Size and offset of the state components. */
	{ 0xD, 0, { 0x602E7, 0, 0x2B00, 0 } },
	{ 0xD, 1, { 0xF, 0, 0, 0 } },
	{ 0xD, 2, { 0x100, 0x240, 0, 0 } },
	{ 0xD, 5, { 0x40, 0x440, 0, 0 } },
	{ 0xD, 6, { 0x200, 0x480, 0, 0 } },
	{ 0xD, 7, { 0x400, 0x680, 0, 0 } },
	{ 0xD, 9, { 0x8, 0xA80, 0, 0 } },
	{ 0xD, 17, { 0x40, 0xAC0, 0x2, 0 } },
	{ 0xD, 18, { 0x2000, 0xB00, 0x6, 0 } },
	{ 0x80000000, 0, { 0x80000008, 0, 0, 0 } },
	{ 0x80000001, 0, { 0, 0, 0x121, 0x2C100800 } },
	{ CPUID_ADDRESS_SIZES, 0, { 0x3000, 0x200, 0, 0 } },
};

void sample_cpuid(uint32_t leaf, uint32_t subleaf, unsigned int hpa_bits, uint32_t out[4])
{
	memset(out, 0, NR_CPUID_REGS * sizeof(out[0]));
	for (size_t i = 0; i < sizeof(sample) / sizeof(sample[0]); i++) {
		if (sample[i].leaf == leaf && sample[i].subleaf == subleaf)
			memcpy(out, sample[i].reg, sizeof(sample[i].reg));
	}
	if (leaf == CPUID_ADDRESS_SIZES)
		out[EAX] |= hpa_bits;
}
