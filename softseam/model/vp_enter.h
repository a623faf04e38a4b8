/* SPDX-License-Identifier: GPL-2.0-only */
/* What entering and leaving a TD have in common. */
#ifndef SOFTSEAM_VP_ENTER_H
#define SOFTSEAM_VP_ENTER_H

#include "guest_vcpu.h"

/* Copy the registers that bits 15:0 of @mask name. */
void vmcall_copy(struct seam_regs *to, const struct seam_regs *from, uint64_t mask);

/* For the vCPU that the LP holds. */
void guest_ctx_init(struct seam *s, unsigned int cpu, struct guest_ctx *x);

/*
 * The vCPU on @cpu stopped.  Returns false to let it go on; true when it left
 * the TD, with what the host gets in @result and nothing locked any more.
 */
bool vp_exit(struct seam *s, unsigned int cpu, const struct guest_exit *exit,
	     struct guest_result *result);

#endif
