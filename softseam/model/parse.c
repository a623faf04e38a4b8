// SPDX-License-Identifier: GPL-2.0-only
/* Pieces of arguments. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "parse.h"

bool parse_number(const char **p, uint64_t *value)
{
	bool hex = (*p)[0] == '0' && ((*p)[1] == 'x' || (*p)[1] == 'X');
	const char *digits = hex ? *p + 2 : *p;
	unsigned long long n;
	char *end;

	/* strtoull() would also take blanks and signs. */
	if (hex ? !isxdigit((unsigned char)*digits) : !isdigit((unsigned char)*digits))
		return false;

	errno = 0;
	n = strtoull(digits, &end, hex ? 16 : 10);
	if (errno)
		return false;
	*value = n;
	*p = end;
	return true;
}

static unsigned int suffix_shift(char c)
{
	switch (toupper((unsigned char)c)) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	}
	return 0;
}

bool parse_size(const char **p, uint64_t *value)
{
	const char *end = *p;
	unsigned int shift;
	uint64_t n;

	if (!parse_number(&end, &n))
		return false;
	shift = suffix_shift(*end);
	if (shift && n > UINT64_MAX >> shift)
		return false;

	*value = n << shift;
	*p = shift ? end + 1 : end;
	return true;
}

bool parse_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}
