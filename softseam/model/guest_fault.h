/* SPDX-License-Identifier: GPL-2.0-only */
/* The linear address of an access that met no page. */
#ifndef SOFTSEAM_GUEST_FAULT_H
#define SOFTSEAM_GUEST_FAULT_H

#include "guest_vcpu.h"

/*
 * The machine tells the guest physical address of a GUEST_STOP_MEMORY only.  So
 * look at what the CPU was doing, and at where its page tables lead from there.
 * Returns false if nothing leads to that address.
 */
bool guest_fault_linear(struct guest_ctx *x, uint64_t *linear);

#endif
