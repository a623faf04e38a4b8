/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SEAMCALL trace.  A thread of its own writes it, as a TD makes tens of
 * thousands of SEAMCALLs a second and the CPU that made one should not wait for a
 * file.  What a crash of QEMU leaves lacks the last few milliseconds at most, and
 * nothing before a violation.
 */
#ifndef SOFTSEAM_TRACE_H
#define SOFTSEAM_TRACE_H

#include <stddef.h>

#include "seam.h"

struct trace;

/* Either path may be NULL.  Returns NULL with one line in @err, leaving no file. */
struct trace *trace_open(const char *text, const char *json, char *err,
			 size_t errlen);
/* @caller may be NULL, and must stay until trace_close().  Any thread may call. */
void trace_seamcall(struct trace *t, const struct seam_event *e,
		    const char *caller);
/* Returns when this and everything before it is in the files. */
void trace_violation(struct trace *t, const struct seam_violation *v, uint64_t now);
/* Returns when everything traced so far is in the files. */
void trace_flush(struct trace *t);
/* Complete the files.  Nothing is traced afterwards. */
void trace_close(struct trace *t);
/* As if trace_open() had not been called. */
void trace_discard(struct trace *t);

#endif
