/* SPDX-License-Identifier: GPL-2.0-only */
/* Convertible memory ranges: what the firmware lets the TDX module use. */
#ifndef SOFTSEAM_CMR_H
#define SOFTSEAM_CMR_H

#include <stdbool.h>

#include "seam.h"

struct cmr_table {
	unsigned int nr;
	struct seam_range range[SEAM_MAX_CMRS];
};

/*
 * Fill @table from the @nr ranges the firmware gave, neighbours joined.
 * Returns false, with @table unchanged, if the list breaks a rule.
 */
bool cmr_table_fill(struct cmr_table *table, const struct seam_range *range,
		    unsigned int nr, unsigned int hpa_bits);

/* Is all of @range, which must not wrap, in one CMR? */
bool cmr_table_contains(const struct cmr_table *table, struct seam_range range);

#endif
