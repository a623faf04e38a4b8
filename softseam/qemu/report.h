/* SPDX-License-Identifier: GPL-2.0-only */
/* What softseam says on stderr: one line a message, prefixed with its name. */
#ifndef SOFTSEAM_REPORT_H
#define SOFTSEAM_REPORT_H

#include <inttypes.h>

void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The machine cannot go on: say why and end QEMU with status 1. */
void fatal(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* @fn cleans up before fatal() ends the process. */
void report_before_fatal(void (*fn)(void *opaque), void *opaque);

#endif
