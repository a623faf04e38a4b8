/* SPDX-License-Identifier: GPL-2.0 */
/* What a TD does from its start to its end, with all vCPUs at once. */
#ifndef TDX_HOST_WORK_H
#define TDX_HOST_WORK_H

#include "td.h"

struct td_work {
	/* RAM to accept, fill and check, from TD_FREE_GPA on. */
	u64 accept_size;
	/* Of that, to convert to shared and back, per vCPU. */
	u64 convert_size;
	u64 seed;
};

struct td_outcome {
	u64 accepted_pages;
	u64 converted_pages;
	/* The guest's report says what the launcher expects. */
	bool mrtd_matches;
	bool rtmr_matches;
};

/* All RAM, and a little of it converted. */
void td_default_work(const struct td *td, struct td_work *work);

/*
 * Run a finalised TD: start all vCPUs, let each say hello, work on its part of
 * the memory, have vCPU 0 report, and let all end themselves.
 */
int td_work(struct td *td, const struct td_work *work, struct td_outcome *outcome);

/* Parts of it, for tests that want to look in between. */
int td_work_memory(struct td *td, const struct td_work *work, struct td_outcome *outcome);
int td_work_recheck(struct td *td, const struct td_work *work);
int td_work_report(struct td *td, struct td_outcome *outcome);
int td_work_end(struct td *td);

#endif
