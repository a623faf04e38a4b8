/* SPDX-License-Identifier: GPL-2.0-only */
/* The ends of the program that are not QEMU's: one line on stderr and a status. */
#ifndef SOFTSEAM_FAIL_H
#define SOFTSEAM_FAIL_H

#define FAIL_FORMAT	__attribute__((noreturn, format(printf, 1, 2)))

/* The command line is wrong: status 2. */
void fail_usage(const char *fmt, ...) FAIL_FORMAT;

/* Something on this machine is wrong or missing: status 1. */
void fail(const char *fmt, ...) FAIL_FORMAT;

#endif
