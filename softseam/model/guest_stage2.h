/* SPDX-License-Identifier: GPL-2.0-only */
/* From guest physical addresses to pages. */
#ifndef SOFTSEAM_GUEST_STAGE2_H
#define SOFTSEAM_GUEST_STAGE2_H

#include "guest_vcpu.h"

/* Returns false if a guest finds nothing at @gpa. */
bool guest_find(struct guest_ctx *x, uint64_t gpa, struct guest_map *map);

/*
 * At VP.ENTER: an instruction that met a private EPT violation STEPPING_LOG
 * times does not run before all its pages are there; the vCPU leaves at once
 * with one that is not.  OPERAND_BUSY|SEPT_TREE while the tree is in use.
 */
uint64_t guest_check_stepping(struct guest_ctx *x);

#endif
