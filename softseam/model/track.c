// SPDX-License-Identifier: GPL-2.0-only
/* TLB tracking epochs. */
#include "status.h"
#include "td.h"
#include "track.h"

uint64_t track_enter(struct td *td, struct vcpu *vcpu, bool *flush)
{
	uint64_t epoch;

	if (!lock_try_shared(&td->epoch.lock))
		return TDX_OPERAND_BUSY | OPERAND_TD_EPOCH;
	epoch = atomic_load(&td->epoch.epoch);
	atomic_fetch_add(&td->epoch.refcount[epoch & 1], 1);
	lock_release(&td->epoch.lock, LOCK_SHARED);

	*flush = vcpu->epoch != epoch;
	vcpu->epoch = epoch;
	return TDX_SUCCESS;
}

void track_exit(struct td *td, struct vcpu *vcpu)
{
	atomic_fetch_sub(&td->epoch.refcount[vcpu->epoch & 1], 1);
}

uint64_t track_next(struct td *td)
{
	uint64_t status = TDX_SUCCESS;
	uint64_t epoch;

	if (!lock_try_exclusive(&td->epoch.lock))
		return TDX_OPERAND_BUSY | OPERAND_TD_EPOCH;

	/* There are two counters: the older one has to be free for the next. */
	epoch = atomic_load(&td->epoch.epoch);
	if (atomic_load(&td->epoch.refcount[1 - (epoch & 1)]))
		status = TDX_PREVIOUS_TLB_EPOCH_BUSY;
	else
		atomic_store(&td->epoch.epoch, epoch + 1);

	lock_release(&td->epoch.lock, LOCK_EXCLUSIVE);
	return status;
}

bool track_done(const struct td *td, uint64_t bepoch)
{
	uint64_t epoch = atomic_load(&td->epoch.epoch);

	if (bepoch + 1 == epoch)
		return !atomic_load(&td->epoch.refcount[bepoch & 1]);
	return bepoch + 1 < epoch;
}
