/* SPDX-License-Identifier: GPL-2.0-only */
/* Metadata fields of a TD: what TDH.MNG.RD reads. */
#ifndef SOFTSEAM_TD_FIELDS_H
#define SOFTSEAM_TD_FIELDS_H

#include <stdint.h>

struct td;

/*
 * Read the field that @id names, and find the id of the field after it,
 * FIELD_NULL behind the last.  Returns a completion status.
 */
uint64_t td_field_read(const struct td *td, uint64_t id, uint64_t *value, uint64_t *next);
/* The id of the first field. */
uint64_t td_field_first(void);

#endif
