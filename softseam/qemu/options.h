/* SPDX-License-Identifier: GPL-2.0-only */
/* The arguments of the plugin: softseam/README.md lists them. */
#ifndef SOFTSEAM_OPTIONS_H
#define SOFTSEAM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "seam.h"

struct options {
	/* Files; NULL if not asked for. */
	const char *trace, *trace_json, *stats, *symbols, *ram;
	/* CPUID leaf 1 EAX to show, or 0 to leave QEMU's. */
	uint32_t cpu_signature;
	/* Programs on the host may control softseam. */
	bool control;
	/* A TLB for each world of a vCPU: see tcg_tlb.h. */
	bool own_tlbs;
	struct seam_config seam;
};

/*
 * Parse @argc strings "key=value", which must outlive @opt.  Returns false with
 * one line in @err that says what was wrong and what is accepted.
 */
bool options_parse(struct options *opt, int argc, char **argv,
		   unsigned int nr_cpus, char *err, size_t errlen);

#endif
