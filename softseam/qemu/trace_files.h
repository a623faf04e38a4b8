/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a SEAMCALL trace looks like: as text, one line a call, and as trace events
 * in JSON, the format that chrome://tracing and Perfetto open.  One thread at a
 * time may call.
 */
#ifndef SOFTSEAM_TRACE_FILES_H
#define SOFTSEAM_TRACE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "seam.h"

struct trace_file {
	const char *path;
	FILE *f;
};

struct trace_files {
	struct trace_file text, json;
	bool first_json;
};

/* Either path may be NULL.  Returns false with one line in @err, leaving no file. */
bool trace_files_open(struct trace_files *t, const char *text, const char *json,
		      char *err, size_t errlen);
/* @caller may be NULL. */
void trace_files_call(struct trace_files *t, const struct seam_event *e,
		      const char *caller);
void trace_files_violation(struct trace_files *t, const struct seam_violation *v,
			   uint64_t now);
/* All of the above is in the files when it returns. */
void trace_files_flush(struct trace_files *t);
/* Complete the files. */
void trace_files_close(struct trace_files *t);
/* As if trace_files_open() had not been called. */
void trace_files_discard(struct trace_files *t);

#endif
