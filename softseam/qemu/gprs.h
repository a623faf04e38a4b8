/* SPDX-License-Identifier: GPL-2.0-only */
/* The general registers of a vCPU, other than RSP, as the model sees them. */
#ifndef SOFTSEAM_GPRS_H
#define SOFTSEAM_GPRS_H

#include "seam.h"
#include "vcpu.h"

/* Sets of registers: bit N is number N of enum vcpu_reg. */
#define GPRS_ALL	(0xffffu & ~(1u << REG_RSP))
#define GPR(name)	(1u << REG_##name)

/* Those in @set, from the CPU to @regs and back. */
void gprs_read(struct vcpu *v, struct seam_regs *regs, unsigned int set);
void gprs_write(struct vcpu *v, const struct seam_regs *regs, unsigned int set);
/* The set of those that differ. */
unsigned int gprs_changed(const struct seam_regs *before, const struct seam_regs *after);

#endif
