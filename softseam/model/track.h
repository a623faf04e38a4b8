/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLB tracking: when can no vCPU have a stale translation of a blocked page?
 *
 * MEM.TRACK starts a new epoch.  A vCPU belongs to the epoch of its entry until
 * it leaves the TD, and drops its translations when it enters in a newer one.
 * A page blocked in epoch b is tracked once all vCPUs inside entered after b.
 */
#ifndef SOFTSEAM_TRACK_H
#define SOFTSEAM_TRACK_H

#include <stdbool.h>
#include <stdint.h>

struct td;
struct vcpu;

/*
 * VP.ENTER: count @vcpu into the current epoch.  Returns OPERAND_BUSY|TD_EPOCH
 * while MEM.TRACK runs.  *@flush: it has to drop its translations.
 */
uint64_t track_enter(struct td *td, struct vcpu *vcpu, bool *flush);
/* TD exit. */
void track_exit(struct td *td, struct vcpu *vcpu);

/* MEM.TRACK, once the TD is locked and checked. */
uint64_t track_next(struct td *td);

/* Is a page that was blocked in @bepoch tracked? */
bool track_done(const struct td *td, uint64_t bepoch);

#endif
