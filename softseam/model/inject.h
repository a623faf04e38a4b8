/* SPDX-License-Identifier: GPL-2.0-only */
/* Error injection: results that the configuration dictates. */
#ifndef SOFTSEAM_INJECT_H
#define SOFTSEAM_INJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "seam.h"

struct injector {
	/* Calls of each rule's leaf, and how many of them the rule answered. */
	struct {
		_Atomic uint64_t calls, fired;
	} rule[SEAM_MAX_INJECTIONS];
};

/*
 * Count a call of @leaf.  Returns true if an injection dictates its result,
 * which is then in @how and @status.
 */
bool inject(struct injector *in, const struct seam_config *cfg, uint64_t leaf,
	    enum seam_end *how, uint64_t *status);

/* Parse LEAF:NTH:STATUS[:COUNT]; on failure @why is what was wrong. */
bool inject_parse(const char *text, size_t len, struct seam_injection *in,
		  const char **why);

#endif
