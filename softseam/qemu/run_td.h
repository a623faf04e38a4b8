/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running TDs on the CPUs of this QEMU.
 *
 * TCG implements SVM, with nested paging and all intercepts that a TD needs.  A
 * SEAMCALL that enters a TD therefore continues in the code of world.S, which
 * executes VMRUN on the same virtual CPU, and ends when that code is left.  The
 * host sees nothing of it: SVM is hidden, and its registers come back as the TDX
 * module leaves them.
 */
#ifndef SOFTSEAM_RUN_TD_H
#define SOFTSEAM_RUN_TD_H

#include "execute.h"

/* The SEAMCALL at @site runs a guest.  Jumps there. */
void td_enter(struct vcpu *v, struct site *site) __attribute__((noreturn));

/* In a TD, or in the code of the world switch. */
bool td_active(const struct vcpu *v);

/* Ask CPUID, then execute the SEAMCALL at @site again. */
void td_probe(struct vcpu *v, struct site *site) __attribute__((noreturn));

/* The code of the world switch came to world_probed: the answers of CPUID are there. */
void td_probed(struct vcpu *v) __attribute__((noreturn));
/* It came to world_stopped.  Jumps back into the guest, or to the end of the switch. */
void td_stopped(struct vcpu *v) __attribute__((noreturn));
/*
 * It came to world_left.  Jumps back into the TD, or returns the site of the
 * SEAMCALL, which is over: the host's registers are back.
 */
struct site *td_left(struct vcpu *v);

/*
 * An instruction in a TD that is watched.  It may be done here; left to TCG, the
 * guest stops at it if it is none that the CPU executes.
 */
struct outcome td_execute(struct vcpu *v, const struct site *site);

/* INVEPT by the host on this CPU. */
void td_invept(struct vcpu *v);

#endif
