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

/*
 * The frequency that @khz is taken for: the next multiple of 25 MHz, which is what
 * TDX platforms have and TDs are told.  Hosts that believe CPUID run wrong by less
 * than 12.5 MHz in some GHz; what RDTSC counts stays QEMU's.
 */
uint32_t tsc_nominal_khz(uint64_t khz);
/* Its frequency, taken so.  Takes some 20 ms. */
uint32_t tsc_measure_khz(void);

#endif
