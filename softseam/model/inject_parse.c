// SPDX-License-Identifier: GPL-2.0-only
/* The text form of an injection: LEAF:NTH:STATUS[:COUNT] */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "inject.h"
#include "leaves.h"
#include "parse.h"

/* Longer than any valid one. */
#define MAX_TEXT	128

static bool parse_leaf(const char *text, uint16_t *leaf)
{
	size_t prefix = strlen("TDH.");
	const char *p = text;
	uint64_t n;

	if (parse_number(&p, &n)) {
		*leaf = (uint16_t)n;
		return !*p && n <= UINT16_MAX;
	}
	for (unsigned int i = 0; i < SEAM_MAX_LEAF; i++) {
		const char *name = seam_leaf_name(i);

		if (name && (!strcasecmp(name, text) || !strcasecmp(name + prefix, text))) {
			*leaf = (uint16_t)i;
			return true;
		}
	}
	return false;
}

/* '*', ~PERCENT or a number from 1. */
static bool parse_when(const char *text, struct seam_injection *in)
{
	const char *p = text;
	uint64_t n;

	if (!strcmp(text, "*"))
		return true;
	if (parse_char(&p, '~')) {
		if (!parse_number(&p, &n) || *p || !n || n > 100)
			return false;
		in->percent = (uint8_t)n;
		return true;
	}
	if (!parse_number(&p, &n) || *p || !n || n > UINT32_MAX)
		return false;
	in->nth = (uint32_t)n;
	in->count = 1;
	return true;
}

static bool parse_detail(const char *text, uint64_t *status)
{
	const char *p = text;
	uint32_t operand;
	uint64_t n;

	if (seam_operand_by_name(text, strlen(text), &operand)) {
		*status |= operand;
		return true;
	}
	if (!parse_number(&p, &n) || *p || n > UINT32_MAX)
		return false;
	*status |= n;
	return true;
}

static bool parse_result(const char *text, struct seam_injection *in)
{
	const char *bar = strchr(text, '|');
	size_t len = bar ? (size_t)(bar - text) : strlen(text);
	const char *p = text;

	in->how = SEAM_END_DONE;
	if (!strncasecmp(text, "0x", 2))
		return parse_number(&p, &in->status) && !*p;
	if (seam_status_by_name(text, len, &in->status))
		return !bar || parse_detail(bar + 1, &in->status);

	if (!strcasecmp(text, "VMFAIL"))
		in->how = SEAM_END_VMFAILINVALID;
	else if (!strcasecmp(text, "GP"))
		in->how = SEAM_END_GP;
	else if (!strcasecmp(text, "UD"))
		in->how = SEAM_END_UD;
	else
		return false;
	return true;
}

static bool parse_count(const char *text, struct seam_injection *in)
{
	const char *p = text;
	uint64_t n;

	if (!strcmp(text, "*")) {
		in->count = 0;
		return true;
	}
	if (!parse_number(&p, &n) || *p || !n || n > UINT32_MAX)
		return false;
	in->count = (uint32_t)n;
	return true;
}

bool inject_parse(const char *text, size_t len, struct seam_injection *in, const char **why)
{
	struct seam_injection new = { 0 };
	char copy[MAX_TEXT], *rest = copy;
	char *leaf, *when, *result, *count;

	*why = "is too long";
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';

	leaf = strsep(&rest, ":");
	when = strsep(&rest, ":");
	result = strsep(&rest, ":");
	count = strsep(&rest, ":");

	if (!result)
		*why = "needs a leaf, a call and a status, with ':' between them";
	else if (rest)
		*why = "has more than four parts";
	else if (!parse_leaf(leaf, &new.leaf))
		*why = "names no SEAMCALL leaf";
	else if (!parse_when(when, &new))
		*why = "has no valid call number";
	else if (!parse_result(result, &new))
		*why = "names no status";
	else if (count && !parse_count(count, &new))
		*why = "has no valid count";
	else
		*why = NULL;

	if (*why)
		return false;
	*in = new;
	return true;
}
