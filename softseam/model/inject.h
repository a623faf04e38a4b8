/* SPDX-License-Identifier: GPL-2.0-only */
/* Error injection: results that the configuration dictates. */
#ifndef SOFTSEAM_INJECT_H
#define SOFTSEAM_INJECT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "seam.h"

/* Calls of a rule's leaf, and how many of them the rule answered. */
struct injection_count {
	_Atomic uint64_t calls, fired;
};

struct injector {
	struct injection_count rule[SEAM_MAX_INJECTIONS];
	/* The rule that comes and goes while calls are made. */
	struct {
		/* Without the lock: is there a rule to look at? */
		atomic_bool active;
		pthread_mutex_t lock;
		struct seam_injection rule;
		struct injection_count count;
	} live;
};

void inject_init(struct injector *in);
void inject_destroy(struct injector *in);

/*
 * Count a call of @leaf.  Returns true if an injection dictates its result,
 * which is then in @how and @status.  Those of the configuration come first.
 */
bool inject(struct injector *in, const struct seam_config *cfg, uint64_t leaf,
	    enum seam_end *how, uint64_t *status);

/* Parse LEAF:NTH:STATUS[:COUNT]; on failure @why is what was wrong. */
bool inject_parse(const char *text, size_t len, struct seam_injection *in,
		  const char **why);

#endif
