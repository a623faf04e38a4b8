/* SPDX-License-Identifier: GPL-2.0-only */
/* TDCALL: the module's functions for TDs. */
#ifndef SOFTSEAM_TDCALL_H
#define SOFTSEAM_TDCALL_H

#include <stdint.h>

#include "guest_vcpu.h"

/*
 * Each returns a completion status for the guest.  Inputs are in @x->r->gpr,
 * outputs go there too.  TDCALL_AGAIN: the instruction is not over, because the
 * vCPU leaves the TD in its middle or an exception comes first.
 */
#define TDCALL_AGAIN	(~0ULL)

uint64_t tdg_vp_vmcall(struct guest_ctx *x);
uint64_t tdg_vp_info(struct guest_ctx *x);
uint64_t tdg_vp_veinfo_get(struct guest_ctx *x);
uint64_t tdg_mem_page_accept(struct guest_ctx *x);
uint64_t tdg_mr_report(struct guest_ctx *x);
uint64_t tdg_mr_rtmr_extend(struct guest_ctx *x);
uint64_t tdg_vm_rd(struct guest_ctx *x);
uint64_t tdg_vm_wr(struct guest_ctx *x);

#endif
