/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a failed call must leave alone: the module's state, what it holds for
 * TDs and vCPUs, page by page metadata, contents of private pages, and the
 * host's memory.
 */
#ifndef SOFTSEAM_TESTS_STATE_H
#define SOFTSEAM_TESTS_STATE_H

#include "host.h"

/*
 * A digest of it.  Counters, locks of the machine (not of the module), what error
 * injection remembers, and that somebody waits for a lock do not belong to it.
 */
uint64_t host_state(const struct host *h);

/*
 * A call failed with @status; @what says why it had to.  Fails the test if the
 * state is not what it was @before.  For each such call, the file that the
 * environment variable ERROR_RECORD names gets a line "seen", and when the state
 * was compared a line "same", each with leaf, status and reason.
 */
void host_call_failed(const struct host *h, const char *leaf, uint64_t status, const char *what,
		      uint64_t before);

/* Make a call that has to fail with @status, for that reason. */
void host_must_fail(struct host *h, unsigned int cpu, struct seam_regs regs, uint64_t status,
		    const char *what);

#endif
