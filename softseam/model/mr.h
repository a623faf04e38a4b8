/* SPDX-License-Identifier: GPL-2.0-only */
/* Measurement of a TD's initial contents (MRTD), and the run-time registers. */
#ifndef SOFTSEAM_MR_H
#define SOFTSEAM_MR_H

#include <stdint.h>

#include "td.h"

#define MR_EXTEND_BYTES	256

/* MNG.INIT */
void mr_init(struct td *td);
/* The page at @gpa is added. */
void mr_page_add(struct td *td, uint64_t gpa);
/* So is the content of MR_EXTEND_BYTES at @gpa. */
void mr_extend(struct td *td, uint64_t gpa, const uint8_t *data);
/* MR.FINALIZE: td->mrtd is the result. */
void mr_finalize(struct td *td);

#endif
