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
	[RULE_NO_CLFLUSH]	= "no-clflush",
	[RULE_NO_RESET]		= "no-reset",
};

const char *rule_name(enum rule rule)
{
	return rule_names[rule];
}

const char *violation_caller(struct seam *s, unsigned int cpu)
{
	return s->machine.caller ? s->machine.caller(s->machine.opaque, cpu) : NULL;
}

void violation(struct seam *s, unsigned int cpu, enum rule rule, uint64_t pa,
	       const char *fmt, ...)
{
	struct seam_violation v = { .cpu = cpu, .rule = rule_names[rule], .pa = pa };
	char text[384];
	va_list ap;
	int len;

	atomic_fetch_add(&s->violations[rule], 1);
	if (!s->machine.violation)
		return;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v.text = text;
	v.caller = violation_caller(s, cpu);
	if (v.caller && len >= 0 && (size_t)len < sizeof(text))
		snprintf(text + len, sizeof(text) - (size_t)len, ", called by %s", v.caller);
	s->machine.violation(s->machine.opaque, &v);
}
