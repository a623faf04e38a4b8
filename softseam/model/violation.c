// SPDX-License-Identifier: GPL-2.0-only
/* Count violations and tell the machine. */
#include <stdarg.h>
#include <stdio.h>

#include "leaves.h"
#include "violation.h"

static const char *const rule_names[NR_RULES] = {
	[RULE_NOT_RAM]		= "not-ram",
	[RULE_NO_WBINVD]	= "no-wbinvd",
	[RULE_HOST_WRITE]	= "host-write",
	[RULE_WRONG_CPU]	= "wrong-cpu",
	[RULE_NEVER_RETURNED]	= "never-returned",
};

const char *rule_name(enum rule rule)
{
	return rule_names[rule];
}

void violation(struct seam *s, unsigned int cpu, enum rule rule, uint64_t pa,
	       const char *fmt, ...)
{
	struct seam_violation v = { .cpu = cpu, .rule = rule_names[rule], .pa = pa };
	char text[256];
	va_list ap;

	atomic_fetch_add(&s->violations[rule], 1);
	if (!s->machine.violation)
		return;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v.text = text;
	s->machine.violation(s->machine.opaque, &v);
}
