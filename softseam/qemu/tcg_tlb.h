/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TLBs of a vCPU: one for each world that it executes in.
 *
 * TCG has one TLB a vCPU, without tags, and drops it whenever CR3 is written.  A TD's
 * exit and the way back are such writes, several times over, and what comes next
 * starts with nothing.  So each vCPU gets a TLB for its host, one for the code of the
 * world switch and one for the TD, which are exchanged where QEMU would drop the one
 * it has.  A CPU that tags translations does the same.
 *
 * QEMU has no interface for that.  Its functions are found by name, are looked at
 * before they are replaced, and if one is not what is expected all stays as it was:
 * slower, but right.
 */
#ifndef SOFTSEAM_TCG_TLB_H
#define SOFTSEAM_TCG_TLB_H

#include <stdbool.h>

enum tcg_world { TCG_WORLD_HOST, TCG_WORLD_SWITCH, TCG_WORLD_GUEST, TCG_WORLDS };

struct tcg_tlb;

/* Take over QEMU's functions, once no CPU runs.  Returns false if they are unknown. */
bool tcg_tlb_take_over(unsigned int nr_cpus);
/* The TLBs of the vCPU with this index, whose thread calls; NULL if not taken over. */
struct tcg_tlb *tcg_tlb_of(unsigned int index);

/*
 * From the host's TLB to the switch's and back.  In between, the TLB follows VMRUN and
 * #VMEXIT by itself, and writes of control registers drop nothing.  @t may be NULL in
 * all of these.
 */
void tcg_tlb_leave_host(struct tcg_tlb *t);
void tcg_tlb_return_to_host(struct tcg_tlb *t);
/* What @world has is of no use the next time; what is in use now goes on to be. */
void tcg_tlb_drop(struct tcg_tlb *t, enum tcg_world world);
/* The vCPU was reset: wherever it was, it is in the host, and no translation holds. */
void tcg_tlb_reset(struct tcg_tlb *t);

#endif
