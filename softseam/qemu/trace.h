/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SEAMCALL trace: as text, one line a call, and as trace events in JSON,
 * the format that chrome://tracing and Perfetto open.  Each line is written at
 * once, so the files are of use after a crash too.
 */
#ifndef SOFTSEAM_TRACE_H
#define SOFTSEAM_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "seam.h"

struct trace;

/* Either path may be NULL.  Returns NULL with one line in @err, leaving no file. */
struct trace *trace_open(const char *text, const char *json, char *err,
			 size_t errlen);
/* @caller may be NULL.  Any thread may call. */
void trace_seamcall(struct trace *t, const struct seam_event *e,
		    const char *caller);
void trace_violation(struct trace *t, const struct seam_violation *v, uint64_t now);
/* Complete the files.  Nothing is traced afterwards. */
void trace_close(struct trace *t);
/* As if trace_open() had not been called. */
void trace_discard(struct trace *t);

#endif
