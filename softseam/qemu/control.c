// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "control.h"
#include "report.h"

enum control_function {
	CONTROL_PROBE,
	CONTROL_INJECT,
	CONTROL_STOP,
	CONTROL_FIGURE,
};

enum control_figure {
	FIGURE_VIOLATIONS,
	FIGURE_PAGES_OWNED,
	FIGURE_TDS,
	FIGURE_KEYIDS_IN_USE,
	FIGURE_PAMT_PAIRS,
	/* Calls of leaf N are figure FIGURE_CALLS + N. */
	FIGURE_CALLS = 0x100,
};

#define CONTROL_VERSION		1
#define CONTROL_FAILED		UINT64_MAX
#define TEXT_SIZE		128

static uint64_t set_injection(struct platform *p, struct vcpu *v)
{
	const char *why = "is not in memory that can be read";
	char text[TEXT_SIZE] = "";

	if (vcpu_load(v, vcpu_read(v, REG_RBX), text, TEXT_SIZE)) {
		text[TEXT_SIZE - 1] = '\0';
		if (seam_inject(p->seam, text, &why))
			return 0;
	}
	report("the injection '%s' that a program on the host asks for %s", text, why);
	return CONTROL_FAILED;
}

static uint64_t figure(struct platform *p, uint64_t which)
{
	struct seam_stats st;

	seam_get_stats(p->seam, &st);
	switch (which) {
	case FIGURE_VIOLATIONS:
		return st.violations;
	case FIGURE_PAGES_OWNED:
		return st.pages_owned;
	case FIGURE_TDS:
		return st.tds;
	case FIGURE_KEYIDS_IN_USE:
		return st.keyids_in_use;
	case FIGURE_PAMT_PAIRS:
		return st.pamt_pairs;
	default:
		if (which >= FIGURE_CALLS && which - FIGURE_CALLS < SEAM_MAX_LEAF)
			return st.leaf[which - FIGURE_CALLS].calls;
		return CONTROL_FAILED;
	}
}

uint64_t control_execute(struct platform *p, struct vcpu *v)
{
	switch (vcpu_read32(v, REG_RCX)) {
	case CONTROL_PROBE:
		return CONTROL_VERSION;
	case CONTROL_INJECT:
		return set_injection(p, v);
	case CONTROL_STOP:
		return seam_inject_stop(p->seam);
	case CONTROL_FIGURE:
		return figure(p, vcpu_read(v, REG_RBX));
	default:
		return CONTROL_FAILED;
	}
}
