// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <string.h>

#include "check_json.h"

static bool value(const char **p);

static void space(const char **p)
{
	while (**p && strchr(" \t\r\n", **p))
		(*p)++;
}

static bool one(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool word(const char **p, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*p, text, len))
		return false;
	*p += len;
	return true;
}

static bool escape(const char **p)
{
	if (**p && strchr("\"\\/bfnrt", **p)) {
		(*p)++;
		return true;
	}
	if (!one(p, 'u'))
		return false;
	for (int i = 0; i < 4; i++, (*p)++)
		if (!isxdigit((unsigned char)**p))
			return false;
	return true;
}

static bool string(const char **p)
{
	if (!one(p, '"'))
		return false;
	while (**p != '"') {
		if ((unsigned char)**p < 0x20)
			return false;
		if (*(*p)++ == '\\' && !escape(p))
			return false;
	}
	return one(p, '"');
}

static bool digits(const char **p)
{
	if (!isdigit((unsigned char)**p))
		return false;
	while (isdigit((unsigned char)**p))
		(*p)++;
	return true;
}

static bool number(const char **p)
{
	one(p, '-');
	/* No zeroes in front. */
	if (!one(p, '0') && !digits(p))
		return false;
	if (one(p, '.') && !digits(p))
		return false;
	if (one(p, 'e') || one(p, 'E')) {
		if (!one(p, '+'))
			one(p, '-');
		return digits(p);
	}
	return true;
}

static bool member(const char **p)
{
	space(p);
	if (!string(p))
		return false;
	space(p);
	return one(p, ':') && value(p);
}

static bool list(const char **p, bool (*element)(const char **p), char end)
{
	(*p)++;
	space(p);
	if (one(p, end))
		return true;
	do
		if (!element(p))
			return false;
	while (one(p, ','));
	return one(p, end);
}

/* With the space around it. */
static bool value(const char **p)
{
	bool ok;

	space(p);
	switch (**p) {
	case '{':
		ok = list(p, member, '}');
		break;
	case '[':
		ok = list(p, value, ']');
		break;
	case '"':
		ok = string(p);
		break;
	default:
		ok = word(p, "true") || word(p, "false") || word(p, "null") || number(p);
	}
	space(p);
	return ok;
}

bool json_is_valid(const char *text, size_t *where)
{
	const char *p = text;
	bool ok = value(&p) && !*p;

	*where = (size_t)(p - text);
	return ok;
}
