/* SPDX-License-Identifier: GPL-2.0-only */
/* What happened since the machine was powered on, as a JSON file. */
#ifndef SOFTSEAM_STATS_H
#define SOFTSEAM_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "seam.h"

struct stats;

/* Returns NULL with one line in @err, leaving no file. */
struct stats *stats_open(const char *path, char *err, size_t errlen);
/* Remember a violation for the file.  Any thread may call. */
void stats_violation(struct stats *s, const struct seam_violation *v);
/* Forget the violations: the machine was reset. */
void stats_reset(struct stats *s);
/* Replace the file; readers see the old one or the new one. */
void stats_write(struct stats *s, struct seam *seam);
void stats_discard(struct stats *s);

#endif
