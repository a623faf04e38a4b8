/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform: the TDX module's model, tied to the memory, the CPUs and the
 * output files of this QEMU.
 */
#ifndef SOFTSEAM_PLATFORM_H
#define SOFTSEAM_PLATFORM_H

#include <stdatomic.h>

#include "guest.h"
#include "options.h"
#include "probe.h"
#include "seam.h"
#include "vcpu.h"
#include "window.h"

struct platform {
	struct options opt;
	/* NULL until the machine starts to run. */
	struct ram *ram;
	struct seam *seam;
	/* NULL, with the reason, where TDs cannot run. */
	struct window *window;
	char no_window[WINDOW_REASON];
	struct probe probe;
	/* NULL if not asked for. */
	struct symbols *symbols;
	struct trace *trace;
	struct stats *stats;
	GMutex stats_lock;
	_Atomic uint64_t next_stats;
	uint64_t start_ns;
	/* Counts resets, the first start included. */
	atomic_uint power_on;
	struct vcpu *vcpu[SEAM_MAX_CPUS];
	/* QEMU ends: no CPU runs any more. */
	bool ended;
};

/* Parse arguments and open files.  Returns false with one line in @err. */
bool platform_init(struct platform *p, int argc, char **argv,
		   unsigned int nr_cpus, char *err, size_t errlen);
/* The boot CPU is at its reset vector, and no other CPU runs. */
void platform_power_on(struct platform *p);
/* QEMU ends. */
void platform_exit(struct platform *p);

enum seam_end platform_seamcall(struct platform *p, struct vcpu *v,
				struct seam_regs *regs);
/* The host flushed the cache line at @va, or overwrote it with MOVDIR64B. */
void platform_clflush(struct platform *p, struct vcpu *v, uint64_t va);
void platform_movdir64b(struct platform *p, struct vcpu *v, uint64_t va);
/* A TD that a SEAMCALL runs stopped. */
enum seam_end platform_guest_exit(struct platform *p, struct vcpu *v,
				  const struct guest_exit *exit,
				  struct guest_result *result);
/* The host wrote back the caches of a CPU. */
void platform_wbinvd(struct platform *p, const struct vcpu *v);
/* The host stopped using VMX on a CPU: the last chance to see the end. */
void platform_vmxoff(struct platform *p);
/* CPUID told the guest which package a CPU is in. */
void platform_check_package(struct platform *p, const struct vcpu *v,
			    unsigned int package);

#endif
