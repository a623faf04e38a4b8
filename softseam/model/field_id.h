/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metadata field ids: field code 23:0, element size 33:32, last element 37:34,
 * last field 46:38, context 54:52, class 61:56.  Class and field code say which
 * field it is; the two "last" values are for lists, not for one element.
 */
#ifndef SOFTSEAM_FIELD_ID_H
#define SOFTSEAM_FIELD_ID_H

#include <stdbool.h>
#include <stdint.h>

#define FIELD_CODE	0x0000000000FFFFFFULL
#define FIELD_LAST	0x00007FFC00000000ULL
/* Size of the value: 1, 2, 4 or 8 bytes. */
#define FIELD_SIZE	0x0000000300000000ULL
#define FIELD_CLASS	0x3F00000000000000ULL

/* All ones: "no field". */
#define FIELD_NULL	(~0ULL)

/* Do two ids name the same field? */
static inline bool field_same(uint64_t a, uint64_t b)
{
	return !((a ^ b) & (FIELD_CLASS | FIELD_CODE));
}

#endif
