/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host did wrong in a way that no status tells. */
#ifndef SOFTSEAM_VIOLATION_H
#define SOFTSEAM_VIOLATION_H

#include <stdint.h>

struct seam;

enum rule {
	/* An operand points to memory that is not RAM. */
	RULE_NOT_RAM,
	/* SYS.KEY.CONFIG while caches may hold lines of what becomes PAMT. */
	RULE_NO_WBINVD,
	/* The host wrote to a page that the module owns. */
	RULE_HOST_WRITE,
	/* A call for another CPU than the one it is on. */
	RULE_WRONG_CPU,
	/* A TD, with its KeyID and its pages, that was never taken down. */
	RULE_NEVER_RETURNED,
	/* A page for the module whose cache lines were not all flushed. */
	RULE_NO_CLFLUSH,
	/* A page that came back was not overwritten on a part with the erratum. */
	RULE_NO_RESET,
	NR_RULES
};

/* Address of a violation that is not about memory. */
#define VIOLATION_NO_PA		(~0ULL)

const char *rule_name(enum rule rule);

/* The host function that made the SEAMCALL in progress on @cpu, or NULL. */
const char *violation_caller(struct seam *s, unsigned int cpu);

__attribute__((format(printf, 5, 6)))
void violation(struct seam *s, unsigned int cpu, enum rule rule, uint64_t pa,
	       const char *fmt, ...);

#endif
