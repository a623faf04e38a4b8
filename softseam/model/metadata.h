/* SPDX-License-Identifier: GPL-2.0-only */
/* Global metadata fields: what TDH.SYS.RD reads. */
#ifndef SOFTSEAM_METADATA_H
#define SOFTSEAM_METADATA_H

#include <stdint.h>

struct seam;

/*
 * Read the element that @id names, and find the id of the element after it,
 * FIELD_NULL behind the last.  Returns a completion status.
 */
uint64_t metadata_read(const struct seam *s, uint64_t id, uint64_t *value, uint64_t *next);

#endif
