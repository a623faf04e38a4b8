/* SPDX-License-Identifier: GPL-2.0-only */
/* Control of softseam by programs on the host: softseam/README.md has its functions. */
#ifndef SOFTSEAM_CONTROL_H
#define SOFTSEAM_CONTROL_H

#include <stdint.h>

#include "platform.h"

/* A leaf of CPUID that no CPU has. */
#define CONTROL_LEAF		0x5ea50000u

/* Do what the registers of @v ask for.  Returns what RAX will be. */
uint64_t control_execute(struct platform *p, struct vcpu *v);

#endif
