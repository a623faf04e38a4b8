// SPDX-License-Identifier: GPL-2.0-only
#include <time.h>

#include "seam.h"
#include "tsc.h"

#define NS_PER_S	UINT64_C(1000000000)
#define HZ_PER_KHZ	1000
#define WINDOW_NS	UINT64_C(20000000)
#define TRIES		16

struct moment {
	uint64_t ns, tsc;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Both clocks at the same time: the try that was disturbed least. */
static struct moment read_both(void)
{
	struct moment best = { 0, 0 };
	uint64_t least = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		uint64_t before = tsc_read(), ns = now_ns(), after = tsc_read();

		if (after - before < least) {
			least = after - before;
			best = (struct moment){ ns, before + (after - before) / 2 };
		}
	}
	return best;
}

uint32_t tsc_nominal_khz(uint64_t khz)
{
	uint64_t units = (khz + SEAM_TSC_UNIT_KHZ / 2) / SEAM_TSC_UNIT_KHZ;

	return (uint32_t)(units * SEAM_TSC_UNIT_KHZ);
}

uint32_t tsc_measure_khz(void)
{
	struct moment start = read_both(), end;
	uint64_t khz;

	do {
		end = read_both();
	} while (end.ns - start.ns < WINDOW_NS);

	khz = (end.tsc - start.tsc) * (NS_PER_S / HZ_PER_KHZ) / (end.ns - start.ns);
	return tsc_nominal_khz(khz);
}
