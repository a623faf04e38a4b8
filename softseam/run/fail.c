// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fail.h"

#define STATUS_ENVIRONMENT	1
#define STATUS_USAGE		2

static void say(const char *fmt, va_list args)
{
	fputs("softseam-run: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void fail_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit(STATUS_USAGE);
}

void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit(STATUS_ENVIRONMENT);
}
