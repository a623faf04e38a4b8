/* SPDX-License-Identifier: GPL-2.0-only */
/* A sample CPU with what TDX needs, for machines without CPUID of their own. */
#ifndef SOFTSEAM_SAMPLE_CPU_H
#define SOFTSEAM_SAMPLE_CPU_H

#include <stdint.h>

void sample_cpuid(uint32_t leaf, uint32_t subleaf, unsigned int hpa_bits, uint32_t out[4]);

#endif
