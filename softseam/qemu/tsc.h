/* SPDX-License-Identifier: GPL-2.0-only */
/* The time stamp counter under QEMU: what RDTSC in the machine is made of. */
#ifndef SOFTSEAM_TSC_H
#define SOFTSEAM_TSC_H

#include <stdint.h>
#include <x86intrin.h>

static inline uint64_t tsc_read(void)
{
	return __rdtsc();
}

/* Its frequency, to the next 100 kHz.  Takes some 20 ms. */
uint32_t tsc_measure_khz(void);

#endif
