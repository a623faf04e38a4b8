// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

static void (*before_fatal)(void *opaque);
static void *before_fatal_opaque;

static void print_line(const char *fmt, va_list args)
{
	char line[1024];

	/* One write, so that lines of several threads do not mix. */
	vsnprintf(line, sizeof(line), fmt, args);
	fprintf(stderr, "softseam: %s\n", line);
}

void report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line(fmt, args);
	va_end(args);
}

void report_before_fatal(void (*fn)(void *opaque), void *opaque)
{
	before_fatal = fn;
	before_fatal_opaque = opaque;
}

void fatal(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line(fmt, args);
	va_end(args);
	if (before_fatal)
		before_fatal(before_fatal_opaque);
	exit(1);
}
